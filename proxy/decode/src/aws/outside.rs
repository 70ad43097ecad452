//! What a change would send out of the account from now on: to an address on the internet, a mailbox, another account.
//!
//! Leaves out buckets, whose names carry no account, and policies, which say who may come and fetch (`sharpen.rs`).

use ordain_action::Access;
use ordain_catalog::Operation;

use super::bind::is_arn;
use super::resource::Place;
use super::wire::{Leaf, Wire};

/// Operations that store where something is sent, by their services.
const SENDING: [(&str, &[&str]); 15] = [
    ("autoscaling", &["PutLifecycleHook", "PutNotificationConfiguration"]),
    ("cloudtrail", &["CreateTrail", "UpdateTrail"]),
    ("cloudwatch", &["PutCompositeAlarm", "PutMetricAlarm", "PutMetricStream"]),
    ("config", &["PutDeliveryChannel"]),
    ("dynamodb", &["EnableKinesisStreamingDestination"]),
    ("events", &["CreateApiDestination", "PutTargets", "UpdateApiDestination"]),
    ("firehose", &["CreateDeliveryStream", "UpdateDestination"]),
    ("guardduty", &["CreatePublishingDestination", "UpdatePublishingDestination"]),
    ("iot", &["CreateTopicRule", "CreateTopicRuleDestination", "ReplaceTopicRule"]),
    ("lambda", &["PutFunctionEventInvokeConfig", "UpdateFunctionEventInvokeConfig"]),
    ("logs", &["PutAccountPolicy", "PutDeliveryDestination", "PutDestination", "PutSubscriptionFilter"]),
    ("pipes", &["CreatePipe", "UpdatePipe"]),
    ("s3", &["PutBucketNotificationConfiguration", "PutBucketReplication"]),
    ("scheduler", &["CreateSchedule", "UpdateSchedule"]),
    ("sns", &["Subscribe"]),
];

/// The class of a change that leads out.
pub(super) fn leads_out(operation: &Operation, wire: &Wire, place: &Place<'_>) -> Option<Access> {
    if &*operation.service == "dlm" {
        // Snapshots are shared with the accounts that are named.
        let shares = wire.iter().any(|leaf| leaf.path.contains("ShareRules.") && leaf.text().is_some());
        return shares.then_some(Access::Grant);
    }
    let sends = |(service, names): &(&str, &[&str])| {
        *service == &*operation.service && names.contains(&&*operation.name)
    };
    if !SENDING.iter().any(sends) {
        return None;
    }
    let subscribes = &*operation.service == "sns";
    let out = wire.iter().any(|leaf| {
        let Some(text) = leaf.text() else { return false };
        if subscribes && leaf.path == "Endpoint" && !is_arn(text) {
            // An address, a mailbox, a number.
            return true;
        }
        is_address(text) && names_destination(&leaf)
            || is_arn(text) && (text.contains(":api-destination/") || elsewhere(&leaf, text, place))
            || text.trim_start().starts_with('{') && document_leads_out(text, place)
            || leaf.path.ends_with(".Destination.Account") && text != place.account
    });
    out.then_some(Access::Expose)
}

fn is_address(text: &str) -> bool {
    let start = text.get(..8).unwrap_or(text).to_ascii_lowercase();
    start.starts_with("http://") || start.starts_with("https://")
}

/// Addresses of the provider's own stand in some members too (a queue by its URL).
fn names_destination(leaf: &Leaf<'_>) -> bool {
    let path = leaf.path.to_ascii_lowercase();
    ["endpoint", "http", "accounturl"].iter().any(|word| path.contains(word))
}

/// Whether a destination lies in another account. Roles and keys are no destinations, and what is read from is none.
fn elsewhere(leaf: &Leaf<'_>, arn: &str, place: &Place<'_>) -> bool {
    let mut parts = arn.split(':').skip(2);
    let service = parts.next().unwrap_or_default();
    let account = parts.nth(1).unwrap_or_default();
    let path = leaf.path.to_ascii_lowercase();
    let other =
        !account.is_empty() && account.bytes().all(|byte| byte.is_ascii_digit()) && account != place.account;
    other && !matches!(service, "iam" | "kms" | "secretsmanager") && !path.contains("source")
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
