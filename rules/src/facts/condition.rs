//! Whether a condition of a policy document, or the like of one among parameters, says who is meant.
//!
//! Leaves out what a policy would let them do. Only what certainly narrows is taken to: an operator that
//! is true when its key is absent (`…IfExists`, `Null`, `ForAllValues:…`, every `…Not…`) narrows nothing,
//! and neither does a value with a wildcard where it says whose.

use super::json::Json;
use super::network::Span;

/// Operators that are false when their key is absent.
const OPERATORS: [&str; 5] = ["StringEquals", "StringLike", "ArnEquals", "ArnLike", "IpAddress"];

/// What a key that narrows holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Arn,
    Account,
    Organization,
    OrganizationPath,
    Network,
    Endpoint,
    Addresses,
}

/// Keys that narrow who is meant, when their value does.
const KEYS: [(&str, Holds); 12] = [
    ("aws:principalaccount", Holds::Account),
    ("aws:principalarn", Holds::Arn),
    ("aws:principalorgid", Holds::Organization),
    ("aws:principalorgpaths", Holds::OrganizationPath),
    ("aws:sourceaccount", Holds::Account),
    ("aws:sourcearn", Holds::Arn),
    ("aws:sourceip", Holds::Addresses),
    ("aws:sourceorgid", Holds::Organization),
    ("aws:sourceorgpaths", Holds::OrganizationPath),
    ("aws:sourcevpc", Holds::Network),
    ("aws:sourcevpce", Holds::Endpoint),
    ("kms:calleraccount", Holds::Account),
];

/// How far a condition narrows.
#[derive(Debug)]
pub(super) enum Narrowed {
    /// It says who is meant.
    Named,
    /// Only by address: what several statements let in adds up.
    Addresses(Span),
    /// It does not.
    No,
}

pub(super) fn narrowed(condition: &Json) -> Narrowed {
    let Json::Object(operators) = condition else { return Narrowed::No };
    let mut best = Narrowed::No;
    for (operator, keys) in operators {
        // A key of many values is matched by one of them, so that one that is absent matches nothing.
        let operator = operator.strip_prefix("ForAnyValue:").unwrap_or(operator);
        let Json::Object(keys) = keys else { continue };
        if !OPERATORS.contains(&operator) {
            continue;
        }
        for (key, values) in keys {
            match by_key(operator, key, &values.items()) {
                Narrowed::Named => return Narrowed::Named,
                Narrowed::Addresses(span) => best = Narrowed::Addresses(span),
                Narrowed::No => {}
            }
        }
    }
    best
}

fn by_key(operator: &str, key: &str, values: &[&Json]) -> Narrowed {
    let key = key.to_lowercase();
    let Some((_, holds)) = KEYS.iter().find(|(known, _)| *known == key) else { return Narrowed::No };
    let by_address = *holds == Holds::Addresses;
    if values.is_empty() || by_address != (operator == "IpAddress") {
        return Narrowed::No;
    }
    let texts = values.iter().map(|value| match value {
        Json::Text(text) => Some(text.as_str()),
        Json::Object(_) | Json::Array(_) | Json::Other => None,
    });
    if by_address {
        let mut span = Span::default();
        texts.for_each(|text| span.add(text.unwrap_or_default()));
        return if span.is_world() { Narrowed::No } else { Narrowed::Addresses(span) };
    }
    // `StringLike` sees no parts: a `*` for the region may take in an account and more.
    let spans = |text: &str| {
        operator == "StringLike"
            && *holds == Holds::Arn
            && text.split(':').nth(3).unwrap_or_default().contains(['*', '?'])
    };
    let named = texts.into_iter().all(|text| text.is_some_and(|text| names(*holds, text) && !spans(text)));
    if named { Narrowed::Named } else { Narrowed::No }
}

/// Whether a value says whose, without a wildcard in the part that does.
pub(super) fn names(holds: Holds, text: &str) -> bool {
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match holds {
        Holds::Account => is_account(text),
        Holds::Arn => names_owner(text),
        Holds::Organization => text.strip_prefix("o-").is_some_and(plain),
        Holds::OrganizationPath => {
            let (organization, below) = text.split_once('/').unwrap_or_default();
            organization.strip_prefix("o-").is_some_and(plain) && !below.is_empty()
        }
        Holds::Network => text.strip_prefix("vpc-").is_some_and(plain),
        Holds::Endpoint => text.strip_prefix("vpce-").is_some_and(plain),
        Holds::Addresses => {
            let mut span = Span::default();
            span.add(text);
            !span.is_world()
        }
    }
}

pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// An ARN of one account, or of one bucket, which has no account and one owner.
fn names_owner(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, service, _, account, resource] = parts.as_slice() else { return false };
    let plain = |part: &str| !part.is_empty() && !part.contains(['*', '?', '$']);
    let bucket = resource.split('/').next().unwrap_or_default();
    let of_bucket = *service == "s3" && account.is_empty() && plain(bucket);
    *arn == "arn" && plain(partition) && plain(service) && (is_account(account) || of_bucket)
}
