//! The time stamp of a signature: `20150830T123600Z`.
//!
//! Leaves out the clock, and the other date forms that AWS reads: every client of the last ten years sends this one.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// A time stamp with its text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AmzDate {
    text: [u8; 16],
    time: Timestamp,
}

impl AmzDate {
    /// Reads `20150830T123600Z`; `None` for any other form and for days that no calendar has.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 16] = text.as_bytes().try_into().ok()?;
        let [y1, y2, y3, y4, mo1, mo2, d1, d2, b'T', h1, h2, mi1, mi2, s1, s2, b'Z'] = bytes else {
            return None;
        };
        let two = |tens: u8, ones: u8| -> Option<i8> { Some(digit(tens)? * 10 + digit(ones)?) };
        let year = i16::from(two(y1, y2)?) * 100 + i16::from(two(y3, y4)?);
        let civil =
            DateTime::new(year, two(mo1, mo2)?, two(d1, d2)?, two(h1, h2)?, two(mi1, mi2)?, two(s1, s2)?, 0);
        Some(Self { text: bytes, time: Offset::UTC.to_timestamp(civil.ok()?).ok()? })
    }

    /// The stamp of a time, without its fraction of a second; `None` outside the years 0 to 9999.
    #[must_use]
    pub fn of(time: Timestamp) -> Option<Self> {
        let civil = Offset::UTC.to_datetime(time);
        let text = format!(
            "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
            civil.year(),
            civil.month(),
            civil.day(),
            civil.hour(),
            civil.minute(),
            civil.second()
        );
        Self::parse(&text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // INVARIANT: `parse` admits ASCII only.
        str::from_utf8(&self.text).unwrap_or_default()
    }

    /// The day: the first eight digits.
    #[must_use]
    pub fn day(&self) -> &str {
        self.as_str().get(..8).unwrap_or_default()
    }

    /// The time.
    #[must_use]
    pub const fn time(&self) -> Timestamp {
        self.time
    }
}

impl fmt::Debug for AmzDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn digit(byte: u8) -> Option<i8> {
    byte.is_ascii_digit().then(|| i8::try_from(byte - b'0').ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_one_form_is_a_stamp() {
        assert_eq!(AmzDate::parse("20150830T123600Z").unwrap().time().as_second(), 1_440_938_160);
        for text in [
            "",
            "20150830T123600",
            "20150830t123600Z",
            "2015-08-30T12:36:00Z",
            "20150231T123600Z",
            "20150830T243600Z",
            "20150830T12 600Z",
            "+0150830T123600Z",
            "20150830T123600Z ",
        ] {
            assert_eq!(AmzDate::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_stamp_is_read_back(seconds in 0_i64..253_402_300_799) {
            let time = Timestamp::from_second(seconds).unwrap();
            let stamp = AmzDate::of(time).unwrap();
            prop_assert_eq!(stamp.time(), time);
            prop_assert_eq!(AmzDate::parse(stamp.as_str()), Some(stamp));
        }
    }
}
