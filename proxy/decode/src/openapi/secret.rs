//! Names of parameters that hold secrets in whatever API: a net below what documents and operators say.
//!
//! Leaves out what they say.

use crate::tokens::looks_secret;

/// What a name ends in that is a secret.
const ENDS: [&str; 12] = [
    "accesskey",
    "apikey",
    "authorization",
    "credential",
    "credentials",
    "encryptionkey",
    "jwt",
    "passwd",
    "pwd",
    "secret",
    "signingkey",
    "token",
];

/// What makes a token one that only says where a list goes on, or of which sort it is.
const HANDLED: [&str; 6] = ["continu", "next", "page", "rotate", "sync", "type"];

/// Whether what stands at a path looks like a secret by the last name of it.
pub(super) fn is_likely(path: &str) -> bool {
    let last = path.rsplit('.').find(|part| !part.bytes().all(|byte| byte.is_ascii_digit())).unwrap_or(path);
    let plain =
        last.chars().filter(char::is_ascii_alphanumeric).map(|character| character.to_ascii_lowercase());
    let plain: String = plain.collect();
    let one = plain.strip_suffix('s').unwrap_or(&plain);
    let ends = ENDS.iter().any(|end| one.ends_with(end) || plain.ends_with(end));
    looks_secret(path) || ends && !HANDLED.iter().any(|word| plain.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_by_their_names() {
        for name in [
            "password",
            "a.apiKeys.1",
            "?access_token",
            "@x-api-key",
            "identitytoken",
            "client_secret",
            "db.pwd",
        ] {
            assert!(is_likely(name), "{name}");
        }
        for name in
            ["?pageToken", "next_token", "name", "key", "rotateWorkerToken", "token_type", "passwordPolicy"]
        {
            assert!(!is_likely(name), "{name}");
        }
    }
}
