//! Passwords: how they are kept, and how one is held against what is kept.
//!
//! Argon2id with the parameters that OWASP asks for at least. Leaves out how often one may be tried (`attempts`).

use std::sync::LazyLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};

/// The fewest characters of a password.
pub const PASSWORD_MIN: usize = 12;

/// The longest password that is looked at, in bytes.
pub(super) const PASSWORD_MAX: usize = 1024;

/// What names nobody knows are verified against, so that they take as long as those that are known.
static NOBODYS: LazyLock<Option<String>> = LazyLock::new(|| {
    let mut random = [0; 32];
    aws_lc_rs::rand::fill(&mut random).ok()?;
    hash(&hex::encode(random)).ok()
});

/// What is kept of a password, as a PHC string.
///
/// # Errors
/// What is wrong with the password, and what to do.
pub fn hash(password: &str) -> Result<String, String> {
    if password.chars().count() < PASSWORD_MIN {
        return Err(format!("the password is shorter than {PASSWORD_MIN} characters; give a longer one"));
    }
    if password.len() > PASSWORD_MAX {
        return Err(format!("the password is longer than {PASSWORD_MAX} bytes; give a shorter one"));
    }
    let mut salt = [0; 16];
    let failed = "the system's cryptography failed; try again";
    aws_lc_rs::rand::fill(&mut salt).map_err(|_| failed.to_owned())?;
    let made: PasswordHash = hasher()
        .and_then(|hasher| hasher.hash_password_with_salt(password.as_bytes(), &salt).ok())
        .ok_or_else(|| failed.to_owned())?;
    Ok(made.to_string())
}

/// Whether a text is what is kept of a password.
pub(super) fn is_kept_form(kept: &str) -> bool {
    PasswordHash::new(kept).is_ok_and(|hash| hash.algorithm.as_str() == "argon2id")
}

/// Whether a password is the one of which that is kept. Where nothing is, it takes the same time and is not.
pub(super) fn is_right(password: &str, kept: Option<&str>) -> bool {
    let (known, kept) = match (kept, NOBODYS.as_deref()) {
        (Some(kept), _) => (true, kept),
        (None, Some(nobodys)) => (false, nobodys),
        (None, None) => return false,
    };
    let Ok(parsed) = PasswordHash::new(kept) else { return false };
    let verified =
        hasher().is_some_and(|hasher| hasher.verify_password(password.as_bytes(), &parsed).is_ok());
    verified && known && password.len() <= PASSWORD_MAX
}

/// 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet).
fn hasher() -> Option<Argon2<'static>> {
    let params = Params::new(19 * 1024, 2, 1, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_kept_as_a_salted_hash_that_only_itself_fits() {
        let kept = hash("correct horse battery").unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(is_kept_form(&kept) && !is_kept_form("correct horse battery"));
        assert_ne!(kept, hash("correct horse battery").unwrap(), "no salt");
        assert!(is_right("correct horse battery", Some(&kept)));
        assert!(!is_right("correct horse batterx", Some(&kept)));
        assert!(!is_right("correct horse battery", None), "nobody has a password");
        assert!(!is_right("", Some(&kept)));
    }

    #[test]
    fn a_password_that_is_too_short_or_too_long_is_not_kept() {
        for (password, expected) in [
            ("elevenchars".to_owned(), "shorter than 12 characters"),
            ("ü".repeat(11), "shorter than 12 characters"),
            ("x".repeat(1025), "longer than 1024 bytes"),
        ] {
            let said = hash(&password).unwrap_err();
            assert!(said.contains(expected), "{said}");
        }
        assert!(hash(&"ü".repeat(12)).is_ok());
    }
}
