//! Money as integer micro-dollars: sums are exact, floats never occur.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An amount in millionths of a US dollar; never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(transparent)]
pub struct Micros(pub u64);

/// Why a text is not an amount of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// No `$` in front.
    #[error("an amount starts with `$`, as in `$5` or `$0.50`")]
    NoDollar,
    /// Something other than digits and one dot.
    #[error("an amount is digits with at most six behind a dot, as in `$5` or `$0.50`")]
    NotANumber,
    /// More than fits.
    #[error("the amount is too large")]
    TooLarge,
}

impl Micros {
    /// Nothing.
    pub const ZERO: Micros = Micros(0);

    /// Adds, and says so if the sum doesn't fit.
    pub fn checked_add(self, other: Micros) -> Option<Micros> {
        self.0.checked_add(other.0).map(Micros)
    }

    /// What is left of `self` after `other`, at least nothing.
    pub fn saturating_sub(self, other: Micros) -> Micros {
        Micros(self.0.saturating_sub(other.0))
    }
}

impl Add for Micros {
    type Output = Micros;
    fn add(self, other: Micros) -> Micros {
        Micros(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Micros {
    fn add_assign(&mut self, other: Micros) {
        *self = *self + other;
    }
}

impl Mul<u64> for Micros {
    type Output = Micros;
    fn mul(self, times: u64) -> Micros {
        Micros(self.0.saturating_mul(times))
    }
}

impl Sum for Micros {
    fn sum<I: Iterator<Item = Micros>>(iter: I) -> Micros {
        iter.fold(Micros::ZERO, Add::add)
    }
}

impl fmt::Display for Micros {
    /// `$5`, `$0.50`, `$0.000123`: whole dollars bare, otherwise at least two digits and as many as are needed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dollars, rest) = (self.0 / 1_000_000, self.0 % 1_000_000);
        if rest == 0 {
            return write!(f, "${dollars}");
        }
        let digits = format!("{rest:06}");
        let needed = digits.trim_end_matches('0').len().max(2);
        write!(f, "${dollars}.{}", &digits[..needed])
    }
}

impl FromStr for Micros {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Micros, MoneyError> {
        let number = text.strip_prefix('$').ok_or(MoneyError::NoDollar)?;
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(part) || part.len() > 6 {
            return Err(MoneyError::NotANumber);
        }
        let micros: u64 = format!("{part:0<6}").parse().map_err(|_| MoneyError::NotANumber)?;
        let dollars: u64 = whole.parse().map_err(|_| MoneyError::TooLarge)?;
        dollars
            .checked_mul(1_000_000)
            .and_then(|d| d.checked_add(micros))
            // SQLite's integers are signed.
            .filter(|m| i64::try_from(*m).is_ok())
            .map(Micros)
            .ok_or(MoneyError::TooLarge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes() {
        for (text, micros, shown) in [
            ("$5", 5_000_000, "$5"),
            ("$0.50", 500_000, "$0.50"),
            ("$0.5", 500_000, "$0.50"),
            ("$0.000001", 1, "$0.000001"),
            ("$0", 0, "$0"),
            ("$12.345", 12_345_000, "$12.345"),
        ] {
            let amount: Micros = text.parse().expect(text);
            assert_eq!(amount, Micros(micros));
            assert_eq!(amount.to_string(), shown);
        }
    }

    #[test]
    fn refuses_what_is_no_amount() {
        for text in ["5", "$", "$-1", "$1.2.3", "$1e3", "$0.1234567", "$ 5", "$+5"] {
            assert!(text.parse::<Micros>().is_err(), "{text}");
        }
        assert_eq!("$99999999999999999999".parse::<Micros>(), Err(MoneyError::TooLarge));
        assert_eq!("$9223372036855".parse::<Micros>(), Err(MoneyError::TooLarge));
    }
}
