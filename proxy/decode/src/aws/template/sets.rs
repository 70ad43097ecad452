//! Stacks of a set: one for each account and region that a request names.
//!
//! Leaves out what the set's template makes in each.

use std::sync::Arc;

use ordain_action::{Effect, Identifier, NameBasis, Resource, Role, Undecodable};

use crate::aws::resource::Place;
use crate::aws::wire::Wire;

/// The most stacks that are named one by one; as patterns they are compared with everything that exists.
const NAMED_MAX: usize = 48;

/// Adds the stacks that the request works on.
///
/// # Errors
/// They are more than are named at once.
pub(super) fn stacks(effect: &mut Effect, wire: &Wire, place: &Place<'_>) -> Result<(), Undecodable> {
    let listed = |lists: &[&str]| -> Vec<String> {
        let in_list = |path: &str| {
            lists.iter().any(|list| {
                path.strip_prefix(list).and_then(|rest| rest.strip_prefix(".member.")).is_some_and(is_number)
            })
        };
        wire.iter()
            .filter(|leaf| in_list(leaf.path))
            .filter_map(|leaf| leaf.text())
            .map(str::to_owned)
            .collect()
    };
    let set = wire.iter().find(|leaf| leaf.path == "StackSetName").and_then(|leaf| leaf.text());
    // A set is named with or without the id behind its name, or by its ARN.
    let set =
        set.unwrap_or("*").rsplit('/').next().unwrap_or("*").split(':').next().unwrap_or("*").to_owned();
    let mut accounts = listed(&["Accounts", "DeploymentTargets.Accounts"]);
    let units = listed(&["DeploymentTargets.OrganizationalUnitIds"]);
    let by_reference = wire.iter().any(|leaf| leaf.path == "DeploymentTargets.AccountsUrl");
    let filter = wire
        .iter()
        .find(|leaf| leaf.path == "DeploymentTargets.AccountFilterType")
        .and_then(|leaf| leaf.text());
    // Of a unit, the accounts named are those meant, those left out, or some beside it.
    let all = by_reference || !units.is_empty() && filter != Some("INTERSECTION") || accounts.is_empty();
    if all {
        accounts = vec!["*".to_owned()];
    }
    let mut regions = listed(&["Regions"]);
    if regions.is_empty() {
        regions.push("*".to_owned());
    }
    if accounts.len().saturating_mul(regions.len()) > NAMED_MAX {
        return Err(Undecodable::new(
            "too_many_resources",
            "there are more accounts and regions than are judged at once; name fewer",
        ));
    }
    for account in &accounts {
        for region in &regions {
            let there = Place { region, account, ..*place };
            let member =
                |name: &str, value: &String| Identifier { name: Arc::from(name), value: value.clone() };
            effect.resources.push(Resource {
                role: Role::Target,
                kind: Arc::from("cloudformation:stack"),
                name: there.arn("cloudformation", &format!("stack/StackSet-{set}-*")),
                basis: NameBasis::Reviewed,
                pattern: true,
                identifiers: vec![member("Account", account), member("Region", region)],
            });
        }
    }
    for unit in units {
        let (kind, word) = if unit.starts_with("r-") {
            ("organizations:root", "root")
        } else {
            ("organizations:organizationalunit", "ou")
        };
        effect.resources.push(Resource {
            role: Role::Target,
            kind: Arc::from(kind),
            name: format!("arn:{}:organizations::*:{word}/o-*/{unit}", place.partition),
            basis: NameBasis::Reviewed,
            pattern: true,
            identifiers: vec![Identifier { name: Arc::from("OrganizationalUnitIds"), value: unit }],
        });
    }
    Ok(())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
