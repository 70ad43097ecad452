//! The signature of a notice, as Standard Webhooks has it: HMAC-SHA256 over its id, the time and the body.
//!
//! Leaves out sending it.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// What the text of a key begins with whose bytes are told in base64.
const PREFIX: &str = "whsec_";

/// The fewest bytes of a key, as Standard Webhooks has it: what is shorter is guessed from what it signed.
const LEAST: usize = 24;

/// A key that notices are signed with.
pub(super) struct Key(Zeroizing<Vec<u8>>);

impl Key {
    /// The key in a file: in base64 behind `whsec_`, or as it stands there.
    ///
    /// # Errors
    /// Why there is none, without what stands there.
    pub(super) fn in_file(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).map(Zeroizing::new);
        let text = text.map_err(|error| format!("`{shown}` cannot be read: {error}"))?;
        Self::read(text.trim()).ok_or_else(|| {
            format!("`{shown}` holds no key of {LEAST} bytes at least; make one with `openssl rand -hex 32`")
        })
    }

    fn read(text: &str) -> Option<Self> {
        let bytes = match text.strip_prefix(PREFIX) {
            Some(encoded) => STANDARD.decode(encoded).ok()?,
            None => text.as_bytes().to_vec(),
        };
        let bytes = Zeroizing::new(bytes);
        (bytes.len() >= LEAST).then_some(Self(bytes))
    }

    /// The value of `webhook-signature` for a notice that is sent at a time, in seconds.
    pub(super) fn sign(&self, id: &str, seconds: i64, body: &str) -> String {
        // INVARIANT: HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return String::new() };
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body.as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_one_that_the_specification_shows() {
        let key = Key::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, "{\"test\": 2432232314}");
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_key_is_a_text_or_bytes_in_base64_and_none_that_is_short() {
        let text = "a key of more than 24 bytes";
        assert_eq!(*Key::read(text).unwrap().0, text.as_bytes());
        for short in ["", "short", "whsec_", "whsec_c2hvcnQ=", "whsec_no base64 at all, but long"] {
            assert!(Key::read(short).is_none(), "{short}");
        }
    }
}
