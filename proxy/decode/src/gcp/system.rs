//! System parameters: what may stand in the query of every method, and what the headers say of it.
//!
//! Leaves out what the methods themselves take.

use ordain_action::Undecodable;
use ordain_catalog::GoogleSite;

use crate::Head;
use crate::form::fields::{clip, duplicate};
use crate::form::query::Pair;

/// Parameters that may be written with `$` before them too.
const BOTH: [&str; 6] = ["alt", "fields", "key", "prettyPrint", "quotaUser", "userProject"];

/// Those that are written with `$` alone.
const DOLLAR: [&str; 5] = ["$.xgafv", "$apiFormat", "$httpMethod", "$outputDefaults", "$unique"];

/// Parameters and headers that carry a credential. Whoever asks has shown one elsewhere.
const CREDENTIALS: [&str; 5] = ["access_token", "bearer_token", "key", "oauth_token", "xoauth_requestor_id"];
const CREDENTIAL_HEADERS: [&str; 5] = [
    "x-goog-api-key",
    "x-goog-iam-authority-selector",
    "x-goog-iam-authorization-token",
    "x-goog-visibilities",
    // Has an answer about a table carry a token for its files.
    "x-iceberg-access-delegation",
];

/// Forms of an answer.
const ALT: [&str; 5] = ["json", "media", "proto", "sse", "csv"];

/// Reads the parameters that are the same for all methods, and says whether a request is another than it looks.
///
/// # Errors
/// One is given twice, carries a credential, or would make the request another in a way that is not read.
pub(super) fn check(query: &[Pair<'_>], sites: &[&GoogleSite]) -> Result<(), Undecodable> {
    refuse_credentials(query)?;
    let mut names: Vec<String> = Vec::with_capacity(query.len());
    for pair in query {
        let name = pair.name.as_ref();
        let bare = name.strip_prefix('$').unwrap_or(name);
        if bare == "callback" || name.starts_with('$') && !BOTH.contains(&bare) && !DOLLAR.contains(&name) {
            return Err(Undecodable::new(
                "unread_parameter",
                format!("`{}` would make the request another than it looks; leave it out", clip(name)),
            ));
        }
        if bare == "alt" && !ALT.contains(&pair.value.as_ref()) {
            return Err(Undecodable::new(
                "unread_parameter",
                format!("`alt={}` is not read here; ask for `json`", clip(&pair.value)),
            ));
        }
        // A parameter that says where the caller is; one client sends both spellings.
        if sites.iter().any(|site| site.repeats(name)) || matches!(name, "userip" | "userIp") {
            continue;
        }
        // `updateMask` and `update_mask` are one field, and so are `alt` and `$alt`.
        names.push(fold(bare));
    }
    names.sort_unstable();
    match names.iter().zip(names.iter().skip(1)).find(|(one, next)| one == next) {
        Some((name, _)) => Err(duplicate(name)),
        None => Ok(()),
    }
}

/// Refuses a credential beside the one that was shown to the gate.
///
/// # Errors
/// There is one, in a header or in the query.
pub(super) fn check_credentials(head: &Head<'_>, query: &[Pair<'_>]) -> Result<(), Undecodable> {
    let sent = |name: &&&str| head.headers.keys().any(|sent| sent.as_str().replace('_', "-") == ***name);
    if let Some(name) = CREDENTIAL_HEADERS.iter().find(sent) {
        return Err(Undecodable::new(
            "second_credential",
            format!("`{name}` gives authority beside the credential; leave it out"),
        ));
    }
    refuse_credentials(query)
}

fn refuse_credentials(query: &[Pair<'_>]) -> Result<(), Undecodable> {
    // In either spelling: `accessToken` and `access_token` are one field.
    let is = |pair: &&Pair<'_>| {
        let bare = fold(pair.name.strip_prefix('$').unwrap_or(&pair.name));
        CREDENTIALS.iter().any(|known| fold(known) == bare)
    };
    match query.iter().find(is) {
        Some(pair) => Err(Undecodable::new(
            "second_credential",
            format!(
                "`{}` is a credential beside the one in the headers; send that one alone",
                clip(&pair.name)
            ),
        )),
        None => Ok(()),
    }
}

/// Refuses what is Google's own and given twice, but for those that `may` be.
pub(super) fn check_repeated(head: &Head<'_>, may: &[&str]) -> Result<(), Undecodable> {
    let twice = |name: &&http::HeaderName| {
        head.headers.get_all(*name).iter().nth(1).is_some() && !may.contains(&name.as_str())
    };
    match head.headers.keys().filter(|name| name.as_str().starts_with("x-goog-")).find(twice) {
        Some(name) => Err(Undecodable::new(
            "header_twice",
            format!("`{name}` is given twice and may stand once; send it once"),
        )),
        None => Ok(()),
    }
}

/// What only some of Google's front ends look at.
pub(super) fn check_headers(head: &Head<'_>) -> Result<(), Undecodable> {
    check_repeated(head, &[])?;
    for name in head.headers.keys() {
        let name = name.as_str();
        if name.starts_with("x-goog-upload-") || name == "x-goog-copy-source" {
            return Err(Undecodable::new(
                "unread_header",
                format!("`{name}` is of a way to upload that is not read here; use `uploadType`"),
            ));
        }
    }
    if head
        .header("content-type")
        .is_some_and(|media| media.to_ascii_lowercase().starts_with("application/grpc"))
    {
        return Err(Undecodable::new(
            "grpc_unread",
            "this form of gRPC is not read; send `application/grpc`, or use the REST API",
        ));
    }
    Ok(())
}

/// The method that a request is taken for: by `x-http-method-override` or `$httpMethod`, which Google documents.
///
/// # Errors
/// Both are given, or with a method other than POST, or one that there is not.
pub(super) fn method(
    wire: &str,
    head: &Head<'_>,
    query: &[Pair<'_>],
) -> Result<(&'static str, bool), Undecodable> {
    let named = query.iter().find(|pair| pair.name == "$httpMethod").map(|pair| pair.value.as_ref());
    let given = head.headers.contains_key("x-http-method-override");
    let header = head.header("x-http-method-override");
    let bad = |what: &str| Undecodable::new("bad_method_override", format!("the method override {what}"));
    let (word, over) = match (header, named, given) {
        (None, None, false) => (wire, false),
        (None, None, true) | (_, Some(_), true) => return Err(bad("is given twice; give it once")),
        (Some(word), None, _) | (None, Some(word), false) => (word, true),
        (Some(_), Some(_), false) => return Err(bad("is given twice; give it once")),
    };
    if over && wire != "POST" {
        return Err(bad("stands with a method that is not POST; send POST"));
    }
    let known = ["GET", "POST", "PUT", "PATCH", "DELETE"].into_iter().find(|known| *known == word);
    match known {
        Some(known) => Ok((known, over)),
        None if word == "HEAD" && !over => Ok(("GET", false)),
        None => Err(bad("names no method of Google's APIs; leave it out")),
    }
}

/// A name as both of its spellings have it.
pub(super) fn fold(name: &str) -> String {
    name.chars().filter(|one| *one != '_').map(|one| one.to_ascii_lowercase()).collect()
}
