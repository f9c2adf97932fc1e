//! What lies on the shelves.

use std::collections::BTreeMap;

/// Articles and how many of each are left.
#[derive(Clone, Debug, Default)]
pub struct Stock {
    left: BTreeMap<String, u32>
}

impl Stock {
    /// Adds a delivery.
    pub fn deliver(&mut self, article: &str, count: u32) {
        *self.left.entry(article.to_owned()).or_default() += count;
    }

    /// How many are left.
    pub fn left(&self, article: &str) -> u32 {
        return self.left.get(article).copied().unwrap_or(0);
    }

    /// Takes some off the shelf, if there are enough.
    pub fn take(&mut self, article: &str, count: u32) -> bool {
        match self.left.get_mut(article) {
            Some(left) if *left >= count => { *left -= count; true }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_taken_that_is_not_there() {
        let mut stock = Stock::default();
        stock.deliver("tea", 2);
        assert!(!stock.take("tea", 3));
        assert!(stock.take("tea", 2));
        assert_eq!(stock.left("tea"), 0);
    }
}
