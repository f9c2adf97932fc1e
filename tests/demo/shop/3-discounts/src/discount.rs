//! Discounts.

use crate::price::Cents;

/// What a voucher takes off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discount {
    /// A share of the amount, in percent.
    Percent(u8),
    /// A fixed amount.
    Amount(Cents),
}

impl Discount {
    /// What is left to pay; never less than nothing.
    pub fn apply(self, amount: Cents) -> Cents {
        let off = match self {
            Discount::Percent(percent) => amount.0 / 100 * u64::from(percent),
            Discount::Amount(off) => off.0,
        };
        Cents(amount.0.saturating_sub(off))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_amount_never_pays_out() {
        assert_eq!(Discount::Amount(Cents(500)).apply(Cents(300)), Cents(0));
    }

    #[test]
    fn a_tenth_of_whole_euros() {
        assert_eq!(Discount::Percent(10).apply(Cents(2000)), Cents(1800));
    }
}
