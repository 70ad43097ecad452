//! Resources of AWS in a state: their names, accounts and regions.
//!
//! Leaves out what types are called (`vocabulary.rs`).

use std::collections::BTreeMap;

use super::state::{Instance, State};
use super::vocabulary::{Word, find};
use super::{Placed, tags};
use crate::model::account_and_region;

/// What most resources of a state share: those that do not say take it from here.
#[derive(Debug, Default)]
pub(super) struct Common {
    partition: String,
    account: String,
    region: String,
}

impl Common {
    pub(super) fn of(state: &State) -> Self {
        let mut counts: BTreeMap<(String, String, String), usize> = BTreeMap::new();
        for arn in state.instances.iter().filter_map(|instance| instance.text("arn")) {
            let (account, region) = account_and_region(arn);
            if account.is_empty() || region.is_empty() {
                continue;
            }
            let partition = arn.split(':').nth(1).unwrap_or("aws");
            let key = (partition.to_owned(), account.to_string(), region.to_string());
            *counts.entry(key).or_default() += 1;
        }
        let most = counts.into_iter().max_by_key(|(_, count)| *count);
        most.map_or_else(Self::default, |((partition, account, region), _)| Self {
            partition,
            account,
            region,
        })
    }
}

/// A data source that stands for something that exists, not for something computed.
pub(super) fn is_thing(instance: &Instance) -> bool {
    find(&instance.kind).is_some() && instance.text("arn").is_some()
}

/// What a resource is in its account.
pub(super) fn placed(instance: &Instance, common: &Common) -> Placed {
    let word = find(&instance.kind);
    let region = region(instance, common);
    let name = name(instance, word, common, &region);
    let (account, _) = account_and_region(&name);
    let account = [Some(&*account), instance.text("owner_id"), Some(common.account.as_str())]
        .into_iter()
        .flatten()
        .find(|account| !account.is_empty());
    let known = word.into_iter().flat_map(|word| word.identifiers).filter_map(|name| instance.text(name));
    Placed {
        kind: word.map_or(instance.kind.as_str(), |word| word.kind).to_owned(),
        identifiers: instance.text("id").into_iter().chain(known).map(str::to_owned).collect(),
        account: account.map(str::to_owned),
        name: Some(name).filter(|name| !name.is_empty()),
        region: Some(region).filter(|region| !region.is_empty()),
        tags: tags(instance, &["tags_all", "tags"]),
    }
}

/// The ARN that the state has, or one built where the type's form is known.
fn name(instance: &Instance, word: Option<&Word>, common: &Common, region: &str) -> String {
    if let Some(arn) = instance.text("arn").filter(|arn| arn.starts_with("arn:")) {
        // A log group's ARN in the state ends as no request writes it.
        return arn.strip_suffix(":*").unwrap_or(arn).to_owned();
    }
    match (word.and_then(|word| word.path), instance.text("id")) {
        (Some(path), Some(id)) if !common.account.is_empty() => {
            let id = instance.text("allocation_id").unwrap_or(id);
            format!("arn:{}:ec2:{region}:{}:{path}/{id}", common.partition, common.account)
        }
        (Some(_) | None, _) => String::new(),
    }
}

fn region(instance: &Instance, common: &Common) -> String {
    let arn = instance.text("arn").map(account_and_region);
    if let Some((_, region)) = arn {
        // Global services have names without one.
        return region.to_string();
    }
    if let Some(region) = instance.text("region") {
        return region.to_owned();
    }
    let zone = instance
        .text("availability_zone")
        .map(|zone| zone.trim_end_matches(|c: char| c.is_ascii_lowercase()));
    zone.unwrap_or(&common.region).to_owned()
}
