//! Times as JSON writes them, from the seconds since 1970.
//!
//! Leaves out reading them, and years that RFC 3339 cannot write.

/// A time in RFC 3339, in UTC; with microseconds where they are given.
pub(super) fn rfc3339(seconds: i64, micros: Option<u32>) -> Option<String> {
    let (days, within) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = date(days)?;
    let (hour, minute, second) = (within / 3600, within / 60 % 60, within % 60);
    let fraction = micros.map(|micros| format!(".{micros:06}")).unwrap_or_default();
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z"))
}

/// Year, month and day, from the days since 1970: counted in spans of four hundred years, from a March on, so that the
/// day that a leap year has more is its last.
fn date(days: i64) -> Option<(i64, i64, i64)> {
    let since = days.checked_add(719_468)?;
    let (span, day) = (since.div_euclid(146_097), since.rem_euclid(146_097));
    let of_span = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * of_span + of_span / 4 - of_span / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = of_span + span * 400 + i64::from(month <= 2);
    (0..=9999).contains(&year).then_some((year, month, day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_the_server_writes_them() {
        // From `date -u -d @… +%FT%TZ`.
        for (seconds, written) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (-62_167_219_200, "0000-01-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(seconds, None).as_deref(), Some(written));
        }
        assert_eq!(rfc3339(1, Some(7)).as_deref(), Some("1970-01-01T00:00:01.000007Z"));
        for seconds in [253_402_300_800, -62_167_219_201, i64::MAX, i64::MIN] {
            assert_eq!(rfc3339(seconds, None), None);
        }
    }
}
