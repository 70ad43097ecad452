//! `ordain model export`: everything that the model says exists, for other programs.
//!
//! Leaves out people, scopes and rules, which the model's own files say.

use std::collections::BTreeMap;

use ordain_rules::{Fact, Snapshot};
use serde::Serialize;

use crate::cli::output::Rows;
use crate::cli::{Context, Exit};

/// Which things.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only what this group or user owns.
    #[arg(long)]
    owner: Option<String>,
    /// Only what nobody owns.
    #[arg(long, conflicts_with = "owner")]
    unowned: bool,
    /// Only what is in this account, project or cluster.
    #[arg(long)]
    account: Option<String>,
    /// Only things of this type, for example `ec2:instance`.
    #[arg(long = "type")]
    kind: Option<String>,
}

/// One thing, as it is written.
#[derive(Debug, Serialize)]
pub(super) struct Thing<'s> {
    pub(super) name: &'s str,
    #[serde(rename = "type")]
    pub(super) kind: &'s str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) plane: Option<&'static str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) account: &'s str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) region: &'s str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) identifiers: Vec<&'s str>,
    pub(super) owners: Vec<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) owned_by: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) system: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) environment: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tier: Option<&'s str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) scopes: Vec<&'s str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) tags: BTreeMap<&'s str, &'s str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) source: &'s str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) revision: &'s str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) as_of: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) changed: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) managers: Vec<&'s str>,
    /// What it depends on: the word for how, and the name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) depends_on: Vec<(&'static str, &'s str)>,
}

impl<'s> Thing<'s> {
    pub(super) fn of(fact: Fact<'s>, depends_on: Vec<(&'static str, &'s str)>) -> Self {
        let texts = |all: &'s [std::sync::Arc<str>]| all.iter().map(AsRef::as_ref).collect();
        let provenance = fact.provenance;
        Self {
            name: fact.name,
            kind: fact.kind,
            plane: fact.plane.map(ordain_action::Plane::as_str),
            account: fact.account,
            region: fact.region,
            identifiers: texts(fact.identifiers),
            owners: texts(fact.owners),
            owned_by: fact.owned_by,
            system: fact.system,
            environment: fact.environment,
            tier: fact.tier,
            scopes: texts(fact.scopes),
            tags: fact.tags.iter().map(|(key, value)| (key.as_ref(), value.as_ref())).collect(),
            source: provenance.map_or("", |provenance| &provenance.source),
            revision: provenance.map_or("", |provenance| &provenance.revision),
            as_of: provenance.and_then(|provenance| provenance.as_of).map(|time| time.to_string()),
            changed: provenance.and_then(|provenance| provenance.changed).map(|time| time.to_string()),
            managers: provenance.map_or_else(Vec::new, |provenance| texts(&provenance.managers)),
            depends_on,
        }
    }
}

pub(super) fn run(context: &Context, snapshot: &Snapshot, arguments: &Arguments) -> anyhow::Result<Exit> {
    let mut depends_on: BTreeMap<&str, Vec<(&'static str, &str)>> = BTreeMap::new();
    for relation in snapshot.relations() {
        depends_on.entry(relation.from).or_default().push((relation.kind, relation.to));
    }
    let wanted = |fact: &Fact<'_>| {
        let owned = |owner: &String| fact.owners.iter().any(|known| **known == **owner);
        arguments.owner.as_ref().is_none_or(owned)
            && (!arguments.unowned || fact.owners.is_empty())
            && arguments.account.as_ref().is_none_or(|account| fact.account == account)
            && arguments.kind.as_ref().is_none_or(|kind| fact.kind == kind)
    };
    let things: Vec<Thing<'_>> = snapshot
        .inventory()
        .filter(wanted)
        .map(|fact| Thing::of(fact, depends_on.remove(fact.name).unwrap_or_default()))
        .collect();
    context.output.show(context.format, &things, || {
        let mut rows = Rows::new(&["name", "type", "owners", "environment", "tier", "source"]);
        for thing in &things {
            rows.push(vec![
                thing.name.to_owned(),
                thing.kind.to_owned(),
                thing.owners.join(", "),
                thing.environment.unwrap_or_default().to_owned(),
                thing.tier.unwrap_or_default().to_owned(),
                thing.source.to_owned(),
            ]);
        }
        rows
    })?;
    Ok(Exit::Ok)
}
