//! From the shelf to the amount that is paid.

use shop::basket::Basket;
use shop::discount::Discount;
use shop::price::Cents;
use shop::stock::Stock;

#[test]
fn a_basket_is_taken_from_the_stock() {
    let mut stock = Stock::default();
    stock.deliver("tea", 5);
    let mut basket = Basket::default();
    basket.put("tea", Cents(499), 2);
    for item in basket.items() {
        assert!(stock.take(&item.article, item.count));
    }
    assert_eq!(stock.left("tea"), 3);
}

#[test]
fn ten_percent_off_counts_the_cents_too() {
    let mut basket = Basket::default();
    basket.put("teapot", Cents(1990), 1);
    let paid = Discount::Percent(10).apply(basket.total());
    assert_eq!(paid, Cents(1791));
}
