//! Queues, by the URLs that name them.
//!
//! Leaves out hosts: any may stand before account and name.

use ordain_action::{Effect, NameBasis};

use super::resource::Place;

/// Gives the queues of a request their names.
pub(super) fn name(effect: &mut Effect, place: &Place<'_>) {
    for resource in &mut effect.resources {
        let Some(url) = resource.identifiers.iter().find(|identifier| &*identifier.name == "QueueUrl") else {
            continue;
        };
        if resource.basis == NameBasis::Carried {
            continue;
        }
        (resource.name, resource.basis) = named(&url.value, place);
        resource.pattern = resource.name.contains('*');
    }
}

/// The name of a queue by its URL; the region is that of the request. A URL that is not understood may stand for any
/// queue, for servers take more than one form of it.
pub(super) fn named(url: &str, place: &Place<'_>) -> (String, NameBasis) {
    let (account, queue) = queue_of(url).unwrap_or((place.account, "*"));
    (format!("arn:{}:sqs:{}:{account}:{queue}", place.partition, place.region), NameBasis::Reviewed)
}

/// Account and queue of a queue's URL, where it is one and nothing more. A query, a fragment or a dotted segment
/// would let its end say another queue than the server reads.
fn queue_of(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let (host, path) = rest.split_once('/')?;
    let (account, queue) = path.split_once('/')?;
    let plain = |text: &str, more: &str| {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.as_bytes().contains(&byte))
    };
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let name = queue.strip_suffix(".fifo").unwrap_or(queue);
    let is_queue = (1..=80).contains(&queue.len()) && plain(name, "-_") && !name.is_empty();
    (is_account && is_queue && plain(host, ".-:")).then_some((account, queue))
}
