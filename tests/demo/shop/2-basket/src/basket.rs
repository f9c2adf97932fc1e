//! What a customer is about to buy.

use crate::price::Cents;

/// One article and how many of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub article: String,
    pub price: Cents,
    pub count: u32,
}

/// The items, in the order in which they were put in.
#[derive(Clone, Debug, Default)]
pub struct Basket {
    items: Vec<Item>,
}

impl Basket {
    /// Puts some of an article in; more of one that is there already are counted with it.
    pub fn put(&mut self, article: &str, price: Cents, count: u32) {
        match self.items.iter_mut().find(|i| i.article == article) {
            Some(item) => item.count += count,
            None => self.items.push(Item {
                article: article.to_owned(),
                price,
                count,
            }),
        }
    }

    /// Takes an article out.
    pub fn remove(&mut self, article: &str) -> bool {
        let before = self.items.len();
        self.items.retain(|i| i.article != article);
        return self.items.len() < before;
    }

    /// Whether there is nothing to pay.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The items.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// What it costs before any discount.
    pub fn total(&self) -> Cents {
        self.items
            .iter()
            .fold(Cents(0), |sum, i| sum + i.price.times(i.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_article_is_counted_together() {
        let mut basket = Basket::default();
        basket.put("tea", Cents(499), 1);
        basket.put("tea", Cents(499), 2);
        assert_eq!(basket.items().len(), 1);
        assert_eq!(basket.total(), Cents(1497));
    }

    #[test]
    fn a_removed_article_is_not_paid() {
        let mut basket = Basket::default();
        basket.put("tea", Cents(499), 1);
        assert!(basket.remove("tea"));
        assert!(!basket.remove("tea"));
        assert!(basket.is_empty());
    }
}
