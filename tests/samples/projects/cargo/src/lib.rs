//! How high the water stands.

/// The range of a tide in centimetres.
pub fn range(high: i32, low: i32) -> i32 {
    return high - low;
}

/// Tells whether a range is that of a spring tide.
// TODO: take the harbour's own mean instead of a constant
pub fn is_spring(range: i32) -> bool {
    range > 400
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_the_difference() {
        assert_eq!(range(520, 120), 400);
    }

    #[test]
    fn four_metres_are_a_spring_tide() {
        assert!(is_spring(400));
    }

    #[test]
    fn one_metre_is_not() {
        assert!(!is_spring(100));
    }
}
