//! Codes that an authenticator shows for half a minute (TOTP, RFC 6238): the secret that is shared with it.
//!
//! Leaves out that each is taken once (`State::first_to_reach`) and how the secret is kept (`accounts`).

use jiff::Timestamp;
use ordain_sigv4::Secret;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use totp_rs::{Builder, Totp};
use zeroize::Zeroizing;

/// How long the secret is: as long as the hash that codes are made with.
const SECRET_BYTES: usize = 20;

/// What an authenticator makes codes of.
#[derive(Clone)]
pub struct CodeSecret(Totp);

impl CodeSecret {
    /// A new one.
    ///
    /// # Errors
    /// The system's cryptography failed.
    pub fn fresh() -> Result<Self, String> {
        let mut random = Zeroizing::new([0; SECRET_BYTES]);
        let failed = || "the system's cryptography failed; try again".to_owned();
        aws_lc_rs::rand::fill(random.as_mut_slice()).map_err(|_| failed())?;
        Self::of(random.to_vec()).ok_or_else(failed)
    }

    /// The one that was written down as [`Self::base32`].
    pub(super) fn from_base32(text: &str) -> Option<Self> {
        let secret = totp_rs::Secret::try_from_base32(text).ok()?;
        (secret.as_bytes().len() == SECRET_BYTES).then(|| Self::of(secret.as_bytes().to_vec())).flatten()
    }

    fn of(bytes: Vec<u8>) -> Option<Self> {
        // Six digits of SHA-1 every thirty seconds are what every authenticator knows; a clock may be one step off.
        Builder::new().with_secret(bytes).with_skew(1).build().ok().map(Self)
    }

    /// As authenticators take it.
    pub(super) fn base32(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.secret().to_base32())
    }

    /// What an authenticator is given, as the QR code that it reads holds it.
    #[must_use]
    pub fn uri(&self, name: &str) -> Secret {
        let name = utf8_percent_encode(name, NON_ALPHANUMERIC);
        Secret::new(format!(
            "otpauth://totp/Ordain:{name}?secret={}&issuer=Ordain&algorithm=SHA1&digits=6&period=30",
            self.base32().as_str()
        ))
    }

    /// The step of time that a code is of, where it is of this secret and of now, or one step off.
    pub(super) fn step_of(&self, code: &str, now: Timestamp) -> Option<u64> {
        self.0.check(code, u64::try_from(now.as_second()).ok()?)
    }

    /// The code of a time.
    #[cfg(test)]
    pub(super) fn code_at(&self, now: Timestamp) -> String {
        self.0.generate(u64::try_from(now.as_second()).unwrap()).to_string()
    }
}

impl std::fmt::Debug for CodeSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CodeSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238 appendix B, the last six of eight digits.
        let secret = CodeSecret::of(b"12345678901234567890".to_vec()).unwrap();
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(secret.code_at(at(seconds)), code);
            assert_eq!(secret.step_of(code, at(seconds)), u64::try_from(seconds / 30).ok());
        }
    }

    #[test]
    fn a_code_is_taken_one_step_off_and_no_further() {
        let secret = CodeSecret::fresh().unwrap();
        let now = at(1_800_000_000);
        let code = secret.code_at(now);
        for (off, expected) in [(-60, false), (-30, true), (0, true), (30, true), (60, false)] {
            let found = secret.step_of(&code, now + SignedDuration::from_secs(off));
            assert_eq!(found.is_some_and(|step| step == 60_000_000), expected, "{off}");
        }
        for wrong in ["", "12345", "+12345", "1234567", " 12345", "abcdef"] {
            assert_eq!(secret.step_of(wrong, now), None, "{wrong}");
        }
        assert_eq!(CodeSecret::fresh().unwrap().step_of(&code, now), None, "of another secret");
    }

    #[test]
    fn an_authenticator_is_given_what_makes_the_same_codes() {
        let secret = CodeSecret::fresh().unwrap();
        let uri = secret.uri("ann b");
        let uri = uri.expose();
        assert!(uri.starts_with("otpauth://totp/Ordain:ann%20b?secret="), "{uri}");
        let shown = uri.split(['=', '&']).nth(1).unwrap();
        let again = CodeSecret::from_base32(shown).unwrap();
        assert_eq!(again.code_at(at(90)), secret.code_at(at(90)));
        assert!(CodeSecret::from_base32("MFRGG").is_none(), "too short");
    }
}
