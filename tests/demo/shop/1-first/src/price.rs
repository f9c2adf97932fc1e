//! Amounts of money.

use std::fmt;

/// An amount in whole cents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cents(pub u64);

impl Cents {
    /// The amount for several of the same.
    pub fn times(self, count: u32) -> Cents {
        Cents(self.0 * u64::from(count))
    }
}

impl std::ops::Add for Cents {
    type Output = Cents;

    fn add(self, other: Cents) -> Cents {
        Cents(self.0 + other.0)
    }
}

impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cents_have_two_digits() {
        assert_eq!(Cents(1905).to_string(), "19.05");
        assert_eq!(Cents(7).to_string(), "0.07");
    }

    #[test]
    fn several_cost_several_times_as_much() {
        assert_eq!(Cents(250).times(3), Cents(750));
    }
}
