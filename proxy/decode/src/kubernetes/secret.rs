//! Which parameters of this plane are secrets.
//!
//! The values of environment variables are among them: nothing else tells those that hold a password from those that
//! do not. Leaves out what becomes of them (`tokens.rs`).

use super::path::ObjectPath;
use crate::form::fields::{segments, unescape};
use crate::tokens::looks_secret;

/// The annotation in which clients keep the whole object as it was last applied.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Names that hold a secret in bodies of this plane.
const NAMES: [&str; 8] =
    ["token", "bearerToken", "accessToken", "refreshToken", "idToken", "apiKey", "secretKey", "kubeconfig"];

/// Whether what stands at a place of an object is a secret. An object that calls itself one is one, wherever it is sent.
pub(super) fn is_secret(object: &ObjectPath, kind: Option<&str>, place: &str) -> bool {
    let parts: Vec<String> = segments(place).map(unescape).collect();
    let named = parts.iter().rev().find(|part| !part.bytes().all(|byte| byte.is_ascii_digit()));
    let in_secret = (object.resource == "secrets" || kind == Some("Secret"))
        && parts
            .first()
            .is_none_or(|first| first.is_empty() || matches!(first.as_str(), "data" | "stringData"));
    let env =
        parts.windows(3).any(|three| matches!(three, [env, _, value] if env == "env" && value == "value"));
    in_secret
        || env
        || parts.iter().any(|part| part == LAST_APPLIED)
        || named.is_some_and(|name| NAMES.contains(&name.as_str()))
        || looks_secret(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_where_they_stand() {
        let check = |resource: &str, place: &str| {
            is_secret(&ObjectPath { resource: resource.to_owned(), ..ObjectPath::default() }, None, place)
        };
        assert!(
            check("secrets", "data.k") && check("secrets", "stringData.a\\.b") && check("secrets", "data")
        );
        assert!(!check("secrets", "metadata.name") && !check("configmaps", "data.k"));
        assert!(is_secret(&ObjectPath::default(), Some("Secret"), "data.k"));
        assert!(check("pods", "spec.containers.1.env.2.value"));
        assert!(!check("pods", "spec.containers.1.env.2.name"));
        assert!(check("tokenreviews", "spec.token") && check("widgets", "spec.adminPassword"));
        let applied = "metadata.annotations.kubectl\\.kubernetes\\.io/last-applied-configuration";
        assert!(check("deployments", applied));
    }
}
