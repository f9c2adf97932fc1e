//! Prices, baskets and receipts of a small shop.

pub mod basket;
pub mod price;
pub mod stock;
