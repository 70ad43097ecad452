//! A plan of Terraform or OpenTofu to a change: what the provider for AWS asks of the API for each resource.
//!
//! Leaves out other providers, of which no request is decoded by a name that a plan has, and what a plan does not show:
//! how an expression is put together, and what locals hold.

mod address;
mod block;
mod fill;
mod form;
mod item;
mod open;
mod plan;
mod reference;
mod vocabulary;

use std::collections::{BTreeMap, BTreeSet};

use self::fill::Place;
use self::item::Maker;
use self::plan::{Plan, Resource};
use self::reference::Items;
use self::vocabulary::Vocabulary;
use super::document::{Draft, check};
use super::{ChangeTold, ImportError, ImportedChange};
use crate::model::{Source, account_and_region};

/// What the types of the provider begin with.
const OURS: &str = "aws_";

/// Reads a plan as `terraform show -json` or `tofu show -json` prints it.
///
/// # Errors
/// [`ImportError`] when it is not a whole plan, when something is not told that a change needs, or when a vocabulary
/// cannot be read.
pub fn terraform_plan(source: &Source, told: &ChangeTold<'_>) -> Result<ImportedChange, ImportError> {
    let refused = |text: String| ImportError { path: source.path.clone(), text };
    check(told, source)?;
    let vocabulary = Vocabulary::load(told.vocabularies)
        .map_err(|bad| ImportError { path: bad.path, text: format!("it is no vocabulary: {}", bad.text) })?;
    let plan = Plan::read(&source.text).map_err(refused)?;
    let all = plan.resources().map_err(refused)?;
    let (ours, others): (Vec<Resource<'_>>, Vec<Resource<'_>>) =
        all.into_iter().partition(|one| one.address.kind.starts_with(OURS));
    if !ours.iter().any(Resource::changes) {
        return Err(refused("it changes nothing of AWS; there is nothing to approve".to_owned()));
    }
    let place = place(&plan, &ours, told).map_err(refused)?;
    let items = Items::new(&plan, &vocabulary, &ours);
    let maker = Maker { items: &items, place: &place };
    let mut draft = Draft {
        from: "terraform",
        plane: "aws".to_owned(),
        account: place.account.clone(),
        region: place.region.clone(),
        ..Draft::default()
    };
    let (mut unknown, mut elsewhere): (BTreeMap<&str, usize>, BTreeSet<(String, &str)>) = Default::default();
    for resource in &ours {
        match plan.region_of(&resource.address).filter(|region| *region != place.region) {
            Some(region) if resource.changes() => {
                elsewhere.insert((resource.id.clone(), region));
                draft.items.push(maker.elsewhere(resource, region));
            }
            Some(_) => {}
            None => {
                if resource.changes() && vocabulary.get(&resource.address.kind).is_none() {
                    *unknown.entry(&resource.address.kind).or_default() += 1;
                }
                draft.items.extend(maker.item(resource));
            }
        }
    }
    draft.items.extend(maker.looked_up());
    draft.left_out = left_out(&unknown, &elsewhere, &others);
    draft.left_out.extend(maker.without_calls(&draft.items, &ours));
    Ok(draft.imported(told, source))
}

fn left_out(
    unknown: &BTreeMap<&str, usize>,
    elsewhere: &BTreeSet<(String, &str)>,
    others: &[Resource<'_>],
) -> Vec<String> {
    let unknown = unknown.iter().map(|(kind, count)| {
        format!(
            "{count} × `{kind}`: the vocabulary does not know it, so that its requests are denied; give a vocabulary \
             with `{kind}`"
        )
    });
    let elsewhere = elsewhere.iter().map(|(id, region)| {
        format!("`{id}`: it is in `{region}`; import the plan a second time for that region")
    });
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for other in others.iter().filter(|other| other.changes()) {
        *counts.entry(&other.address.kind).or_default() += 1;
    }
    let others = counts.iter().map(|(kind, count)| format!("{count} × `{kind}`: not a resource of AWS"));
    unknown.chain(elsewhere).chain(others).collect()
}

/// Where the change is made.
fn place(plan: &Plan, ours: &[Resource<'_>], told: &ChangeTold<'_>) -> Result<Place, String> {
    let arns = ours.iter().flat_map(|one| ["before", "after"].map(|side| one.change.get(side)));
    let arns = arns.flatten().filter_map(|side| side.get("arn")?.as_str());
    let mut accounts: BTreeMap<String, usize> = BTreeMap::new();
    let mut partition = None;
    for arn in arns {
        let account = account_and_region(arn).0.to_string();
        if account.len() == 12 && account.bytes().all(|digit| digit.is_ascii_digit()) {
            *accounts.entry(account).or_default() += 1;
            partition = arn.split(':').nth(1);
        }
    }
    let most = accounts.into_iter().max_by_key(|(_, count)| *count).map(|(account, _)| account);
    let account = told.account.map(str::to_owned).or(most);
    let account = account.ok_or("it does not say which account it is for; give the account")?;
    let regions: BTreeSet<&str> =
        ours.iter().filter(|one| one.changes()).filter_map(|one| plan.region_of(&one.address)).collect();
    let region = match (told.region, regions.first(), regions.len()) {
        (Some(region), _, _) => region,
        (None, Some(one), 1) => one,
        (None, _, 0) => return Err("it does not say which region it is for; give the region".to_owned()),
        (None, _, _) => {
            let all: Vec<String> = regions.iter().map(|region| format!("`{region}`")).collect();
            return Err(format!(
                "it is for several regions ({}); give one of them at a time",
                all.join(", ")
            ));
        }
    };
    Ok(Place { account, region: region.to_owned(), partition: partition.unwrap_or("aws").to_owned() })
}
