//! Prices, baskets and receipts of a small shop.

pub mod price;
