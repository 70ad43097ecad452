//! What a change would send out of the account from now on: to an address on the internet, a mailbox, another account.
//!
//! Leaves out buckets, whose names carry no account, and policies, which say who may come and fetch (`sharpen.rs`).

use ordain_action::{Access, Level};
use ordain_catalog::Operation;

use super::bind::is_arn;
use super::resource::Place;
use super::wire::{Leaf, Wire};

/// Operations that store an address on the internet, by their services.
const SENDING: [(&str, &[&str]); 4] = [
    ("events", &["CreateApiDestination", "PutTargets", "UpdateApiDestination"]),
    ("firehose", &["CreateDeliveryStream", "UpdateDestination"]),
    ("iot", &["CreateTopicRule", "CreateTopicRuleDestination", "ReplaceTopicRule"]),
    ("sns", &["Subscribe"]),
];

/// What carries data on wherever it lies, by service and by what its own name begins with.
const CARRYING: [(&str, &str); 10] = [
    ("backup", "backup-vault:"),
    ("events", ""),
    ("firehose", ""),
    ("kinesis", "stream/"),
    ("lambda", "function:"),
    ("logs", ""),
    ("scheduler", ""),
    ("sns", ""),
    ("sqs", ""),
    ("states", ""),
];

/// The class of a change that leads out.
pub(super) fn leads_out(operation: &Operation, wire: &Wire, place: &Place<'_>) -> Option<Access> {
    if operation.level == Level::Data || !stores(operation.access) {
        return None;
    }
    let service = &*operation.service;
    if service == "dlm" {
        // Snapshots are shared with the accounts that are named.
        let shares = wire.iter().any(|leaf| leaf.path.contains("ShareRules.") && leaf.text().is_some());
        return shares.then_some(Access::Grant);
    }
    let sends =
        SENDING.iter().any(|(sending, names)| *sending == service && names.contains(&&*operation.name));
    let out = wire.iter().any(|leaf| {
        let Some(text) = leaf.text() else { return false };
        match (service, &*operation.name) {
            // An address, a mailbox, a number.
            ("sns", "Subscribe") => {
                leaf.path == "Endpoint"
                    && (!is_arn(text) || text.contains(":endpoint/") || elsewhere(leaf.path, text, place))
            }
            // Topics of others are named by what is one's own: a subscription.
            ("sns", _) => false,
            ("logs", "PutAccountPolicy") => document_leads_out(text, place),
            ("s3", "PutBucketReplication") if leaf.path.ends_with(".Destination.Account") => {
                text != place.account
            }
            _ => {
                (sends && is_address(text) && names_destination(&leaf))
                    || (sends && is_arn(text) && text.contains(":api-destination/"))
                    || (is_arn(text) && elsewhere(leaf.path, text, place))
            }
        }
    });
    out.then_some(Access::Expose)
}

/// What is made or changed stays, and goes on sending.
const fn stores(access: Access) -> bool {
    matches!(access, Access::Create | Access::Update)
}

pub(super) fn is_address(text: &str) -> bool {
    let start = text.get(..8).unwrap_or(text).to_ascii_lowercase();
    start.starts_with("http://") || start.starts_with("https://")
}

/// Addresses of the provider's own stand in some members too (a queue by its URL).
fn names_destination(leaf: &Leaf<'_>) -> bool {
    let path = leaf.path.to_ascii_lowercase();
    ["endpoint", "http", "accounturl"].iter().any(|word| path.contains(word))
}

/// Whether what carries data on lies in another account. What is read from sends nothing there.
pub(super) fn elsewhere(path: &str, arn: &str, place: &Place<'_>) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, _, service, _, account, own] = parts.as_slice() else { return false };
    let carries = CARRYING.iter().any(|(carrying, start)| carrying == service && own.starts_with(start));
    let other = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    carries && other && *account != place.account && !path.to_ascii_lowercase().contains("source")
}

/// A policy of all log groups says in a document where they go.
fn document_leads_out(text: &str, place: &Place<'_>) -> bool {
    let mut inner = crate::form::Fields::new();
    if crate::form::json::read(text.as_bytes(), &mut inner).is_err() {
        return false;
    }
    inner.text("DestinationArn").is_some_and(|arn| {
        let account = arn.split(':').nth(4).unwrap_or_default();
        !account.is_empty() && account != place.account
    })
}
