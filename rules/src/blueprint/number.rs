//! Numbers as they are written, compared without rounding; with the units of Kubernetes where a bound has one.
//!
//! Leaves out arithmetic: all that is asked is which of two is the greater.

use std::cmp::Ordering;

/// The most digits of a number that is compared; a longer one is none.
const DIGITS_MAX: usize = 512;

/// The largest exponent, and the smallest: beyond them a comparison would be made of zeros alone.
const EXPONENT_MAX: i32 = 512;

/// Units, with the power of ten or of 1024 that each stands for.
const UNITS: [(&str, Unit); 15] = [
    ("Ki", Unit::Binary(1)),
    ("Mi", Unit::Binary(2)),
    ("Gi", Unit::Binary(3)),
    ("Ti", Unit::Binary(4)),
    ("Pi", Unit::Binary(5)),
    ("Ei", Unit::Binary(6)),
    ("n", Unit::Decimal(-9)),
    ("u", Unit::Decimal(-6)),
    ("m", Unit::Decimal(-3)),
    ("k", Unit::Decimal(3)),
    ("M", Unit::Decimal(6)),
    ("G", Unit::Decimal(9)),
    ("T", Unit::Decimal(12)),
    ("P", Unit::Decimal(15)),
    ("E", Unit::Decimal(18)),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Decimal(i32),
    Binary(u32),
}

/// A number: its digits without leading or trailing zeros, times a power of ten. Zero has no digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Number {
    negative: bool,
    /// From the most significant.
    digits: Vec<u8>,
    exponent: i32,
}

impl Number {
    /// A number without a unit, for example `7`, `-0.5` or `1e3`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, text.get(1..)?),
            b'+' => (false, text.get(1..)?),
            _ => (false, text),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if (whole.is_empty() && fraction.is_empty()) || mantissa.len() > DIGITS_MAX {
            return None;
        }
        let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        let places = i32::try_from(fraction.len()).ok()?;
        let exponent = exponent.checked_sub(places)?;
        if !digits.iter().all(u8::is_ascii_digit) || exponent.abs() > EXPONENT_MAX {
            return None;
        }
        let digits = digits.into_iter().map(|digit| digit - b'0').collect();
        Some(Self { negative, digits, exponent }.trimmed())
    }

    /// The same, or one with a unit of Kubernetes, for example `500m` or `2Gi`.
    pub(crate) fn quantity(text: &str) -> Option<Self> {
        if let Some(plain) = Self::parse(text) {
            return Some(plain);
        }
        let (number, unit) = UNITS.iter().find_map(|(word, unit)| Some((text.strip_suffix(word)?, *unit)))?;
        let mut number = Self::parse(number)?;
        match unit {
            Unit::Decimal(power) => number.exponent = number.exponent.checked_add(power)?,
            Unit::Binary(power) => (0..power).for_each(|_| number.times(1_024)),
        }
        Some(number.trimmed())
    }

    fn trimmed(mut self) -> Self {
        let leading = self.digits.iter().take_while(|digit| **digit == 0).count();
        drop(self.digits.drain(..leading));
        while self.digits.last() == Some(&0) {
            let _ = self.digits.pop();
            self.exponent = self.exponent.saturating_add(1);
        }
        if self.digits.is_empty() {
            return Self { negative: false, digits: Vec::new(), exponent: 0 };
        }
        self
    }

    fn times(&mut self, factor: u32) {
        let mut carry = 0_u32;
        for digit in self.digits.iter_mut().rev() {
            let product = u32::from(*digit) * factor + carry;
            *digit = u8::try_from(product % 10).unwrap_or_default();
            carry = product / 10;
        }
        while carry > 0 {
            self.digits.insert(0, u8::try_from(carry % 10).unwrap_or_default());
            carry /= 10;
        }
    }

    /// The place of the first digit: the greater it is, the greater the number.
    fn magnitude(&self) -> i64 {
        i64::try_from(self.digits.len()).unwrap_or(i64::MAX).saturating_add(i64::from(self.exponent))
    }

    fn cmp_absolute(&self, other: &Self) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => return Ordering::Equal,
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            (false, false) => {}
        }
        // Digits stand from the most significant, and none of them ends in zeros: of two that begin alike the longer is more.
        self.magnitude().cmp(&other.magnitude()).then_with(|| self.digits.cmp(&other.digits))
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.cmp_absolute(other),
            (true, true) => other.cmp_absolute(self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

/// Whether a text is a number only with a unit.
pub(crate) fn has_unit(text: &str) -> bool {
    Number::parse(text).is_none() && Number::quantity(text).is_some()
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use proptest::prelude::*;

    use super::{Number, has_unit};

    #[track_caller]
    fn check(left: &str, right: &str, expected: Ordering) {
        let number = |text: &str| Number::quantity(text).unwrap_or_else(|| panic!("{text} is no number"));
        assert_eq!(number(left).cmp(&number(right)), expected, "{left} and {right}");
        assert_eq!(number(right).cmp(&number(left)), expected.reverse(), "{right} and {left}");
    }

    #[test]
    fn numbers_are_compared_without_rounding() {
        check("9007199254740993", "9007199254740992", Ordering::Greater);
        check("0.1", "0.10000000000000000001", Ordering::Less);
        check("1e3", "1000.0", Ordering::Equal);
        check("-2", "-1", Ordering::Less);
        check("-1", "0", Ordering::Less);
        check("-0", "0", Ordering::Equal);
        check("9", "10", Ordering::Less);
        check("0.09", "0.1", Ordering::Less);
        check("12", "1.2e1", Ordering::Equal);
    }

    #[test]
    fn quantities_are_compared_by_what_they_stand_for() {
        check("500m", "0.5", Ordering::Equal);
        check("2Gi", "2147483648", Ordering::Equal);
        check("2Gi", "2G", Ordering::Greater);
        check("1Ei", "1152921504606846976", Ordering::Equal);
        check("1.5Gi", "1536Mi", Ordering::Equal);
        check("1", "1001m", Ordering::Less);
        assert!(has_unit("4000m") && !has_unit("4000") && !has_unit("many"));
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", "-", ".", "1.2.3", "0x10", "1_000", "ten", "1e", "1e999999", "1 ", "NaN", "inf", "٣"]
        {
            assert!(Number::parse(text).is_none(), "{text}");
        }
        assert!(Number::parse(&"9".repeat(513)).is_none());
        assert!(Number::parse("500m").is_none());
        assert!(Number::quantity("5 Gi").is_none());
    }

    proptest! {
        #[test]
        fn whole_numbers_compare_as_they_do(left: i64, right: i64) {
            let number = |value: i64| Number::parse(&value.to_string()).unwrap();
            prop_assert_eq!(number(left).cmp(&number(right)), left.cmp(&right));
        }
    }
}
