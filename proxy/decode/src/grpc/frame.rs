//! The one message of a body: a flag, its length, its bytes.
//!
//! Leaves out what it says (`message.rs`).

use std::borrow::Cow;

use ordain_action::Undecodable;

use crate::Head;
use crate::form::gzip;

/// The longest message that is read, opened.
pub(crate) const MESSAGE_MAX: u64 = 16 * 1024 * 1024;

/// How a message is written where its flag is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// No encoding was named.
    Identity,
    /// gzip.
    Gzip,
}

impl Encoding {
    /// What a head says of it.
    ///
    /// # Errors
    /// It names another encoding than those.
    pub(crate) fn of(head: &Head<'_>) -> Result<Self, Undecodable> {
        match (head.headers.contains_key("grpc-encoding"), head.header("grpc-encoding")) {
            (false, _) | (true, Some("identity")) => Ok(Self::Identity),
            (true, Some("gzip")) => Ok(Self::Gzip),
            (true, _) => Err(Undecodable::new(
                "unknown_grpc_encoding",
                "messages are read as they are or in gzip, and the head names another encoding; send them so",
            )),
        }
    }
}

/// The message of a body that has one.
pub(crate) fn only(body: &[u8], encoding: Encoding) -> Result<Cow<'_, [u8]>, Undecodable> {
    let (flag, rest) = body.split_first().ok_or_else(|| bad("it has none"))?;
    let (length, message) = rest.split_first_chunk().ok_or_else(|| bad("it is cut short"))?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| bad("it is too long"))?;
    if length != message.len() {
        return Err(bad("it is cut short, or another one follows"));
    }
    match (flag, encoding) {
        (0, _) => Ok(Cow::Borrowed(message)),
        (1, Encoding::Gzip) => gzip::open(message, MESSAGE_MAX).map(Cow::Owned),
        _ => Err(bad("it is compressed, and no head says how")),
    }
}

fn bad(what: &str) -> Undecodable {
    let text = format!("the call sends one message, and the body is not that: {what}; send exactly one");
    Undecodable::new("bad_grpc_frame", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_one_message_and_nothing_else() {
        let framed = |flag: u8, length: u32, rest: &[u8]| [&[flag][..], &length.to_be_bytes(), rest].concat();
        assert_eq!(&*only(&framed(0, 3, b"abc"), Encoding::Identity).unwrap(), b"abc");
        assert_eq!(&*only(&framed(0, 0, b""), Encoding::Gzip).unwrap(), b"");
        for (body, encoding) in [
            (Vec::new(), Encoding::Identity),
            (vec![0, 0, 0], Encoding::Identity),
            (framed(0, 2, b"abc"), Encoding::Identity),
            (framed(0, 4, b"abc"), Encoding::Identity),
            (framed(1, 3, b"abc"), Encoding::Identity),
            (framed(2, 3, b"abc"), Encoding::Gzip),
            ([framed(0, 1, b"a"), framed(0, 1, b"b")].concat(), Encoding::Identity),
        ] {
            assert_eq!(only(&body, encoding).unwrap_err().reason_code, "bad_grpc_frame", "{body:?}");
        }
        assert_eq!(only(&framed(1, 3, b"abc"), Encoding::Gzip).unwrap_err().reason_code, "bad_gzip");
    }
}
