//! Receipts as plain text.

use crate::basket::Basket;
use crate::discount::Discount;

/// Prints a receipt of the given width.
pub fn print(shop: &str, street: &str, town: &str, basket: &Basket, discount: Option<Discount>,
    cashier: &str, number: u32, width: usize) -> String {
    let mut out = format!("{shop:^width$}\n{street:^width$}\n{town:^width$}\n");
    out += &format!("Receipt {number}, served by {cashier}\n\n");
    if basket.items().len() == 0 { out += "Nothing was bought.\n"; }
    for item in basket.items() {
        let cost = item.price.times(item.count).to_string();
        let room = width.saturating_sub(cost.len());
        let what = format!("{} x {}", item.count, item.article);
        out += &format!("{what:<room$}{cost}\n");
    }
    let total = match discount { Some(d) => d.apply(basket.total()), None => basket.total() };
    let total = total.to_string();
    let room = width.saturating_sub(total.len());
    out += &format!("{:<room$}{total}\n", "Total");
    return out;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price::Cents;

    #[test]
    fn amounts_stand_at_the_right_edge() {
        let mut basket = Basket::default();
        basket.put("tea", Cents(499), 2);
        let receipt = print("Leaf", "1 High St", "Ely", &basket, None, "Mo", 7, 24);
        assert!(receipt.contains("2 x tea             9.98\n"), "{receipt}");
        assert!(receipt.ends_with("Total               9.98\n"), "{receipt}");
    }
}
