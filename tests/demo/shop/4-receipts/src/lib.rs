//! Prices, baskets and receipts of a small shop.

pub mod basket;
pub mod discount;
pub mod price;
pub mod receipt;
pub mod stock;
