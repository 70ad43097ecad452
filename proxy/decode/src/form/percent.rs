//! Percent-encoding, read strictly: an incomplete escape or text that is not UTF-8 is refused.
//!
//! Leaves out `+` for a space, which is the query grammar's business.

use std::borrow::Cow;

use ordain_action::Undecodable;

use super::fields::clip;

/// Decodes `%XX` escapes.
///
/// # Errors
/// An escape that is not two hexadecimal digits, a control character, or bytes that are not UTF-8.
pub fn decode(text: &str) -> Result<Cow<'_, str>, Undecodable> {
    if memchr::memchr(b'%', text.as_bytes()).is_none() {
        return Ok(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (high, low) = (rest.next().and_then(hex_digit), rest.next().and_then(hex_digit));
        match (high, low) {
            (Some(high), Some(low)) => bytes.push(high * 16 + low),
            (None, _) | (_, None) => {
                return Err(Undecodable::new(
                    "bad_percent_escape",
                    format!("`{}` has an incomplete percent escape; encode `%` as `%25`", clip(text)),
                ));
            }
        }
    }
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| {
        Undecodable::new("not_utf8", format!("`{}` does not decode to UTF-8; send UTF-8", clip(text)))
    })
}

const fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn incomplete_escapes_are_refused() {
        for text in ["%", "%4", "%zz", "a%2", "%%41"] {
            assert_eq!(decode(text).unwrap_err().reason_code, "bad_percent_escape", "{text}");
        }
        assert_eq!(decode("%ff").unwrap_err().reason_code, "not_utf8");
    }

    proptest! {
        #[test]
        fn agrees_with_another_decoder(text in "[a-z%0-9A-F]{0,24}") {
            if let Ok(decoded) = decode(&text) {
                let other = percent_encoding::percent_decode_str(&text).decode_utf8().unwrap();
                prop_assert_eq!(decoded, other);
            }
        }
    }
}
