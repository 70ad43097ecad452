//! What lies in what, and what depends on what by what the data of assets mentions.
//!
//! Leaves out what data holds beside mentions: it is compared and never kept.

use std::collections::{BTreeMap, BTreeSet};

use super::asset::Asset;
use super::name::Names;
use crate::import::inventory::{Relation, Thing};
use crate::import::mention::{Pairs, Says, visit};
use crate::inventory::EdgeKind;

/// Members under which what is mentioned depends on the resource.
const DEPENDANTS_UNDER: [&str; 3] = ["inUseBy", "usedBy", "users"];

/// The same with one type alone; elsewhere the member names what is depended on.
const DEPENDANTS_OF: [(&str, &str); 4] = [
    ("gcp:compute/interconnects", "interconnectAttachments"),
    ("gcp:compute/networks", "subnetworks"),
    ("gcp:compute/routers", "linkedInterconnectAttachment"),
    ("gcp:compute/routers", "linkedVpnTunnel"),
];

/// Collections of what is Google's own, and nobody depends on by choice.
const GIVEN: [&str; 7] =
    ["acceleratorTypes", "diskTypes", "licenses", "locations", "machineTypes", "regions", "zones"];

/// What the addresses of service accounts end in.
const ADDRESSES: &str = ".gserviceaccount.com";

/// What was found of a set of assets.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) relations: BTreeSet<Relation>,
    /// Mentions of what is not among the assets.
    pub(super) missing: usize,
    /// Pairs that mention each other, and of which nothing says more.
    pub(super) undecided: usize,
}

/// The relations among things, which stand in the order of their assets.
pub(super) fn relations(things: &[Thing], assets: &BTreeMap<String, Asset>, names: &Names) -> Found {
    let known = Known::of(assets, names);
    let holders: Vec<Option<usize>> = assets
        .iter()
        .zip(0..)
        .map(|((name, asset), own)| known.holder(name, asset).filter(|holder| *holder != own))
        .collect();
    let mut pairs = Pairs::default();
    let mut missing: BTreeSet<(usize, String)> = BTreeSet::new();
    for ((thing, (_, asset)), own) in things.iter().zip(assets).zip(0..) {
        let mut seen = |members: &[&str], text: &str| match known.meant(text) {
            Meant::Thing(other) if lies_in(&holders, own, other) || lies_in(&holders, other, own) => {}
            Meant::Thing(other) => pairs.add(own, says(&thing.kind, members), other),
            Meant::Missing(name) => drop(missing.insert((own, name))),
            Meant::Nothing => {}
        };
        for value in asset.mentioning() {
            visit(value, &mut Vec::new(), &mut seen);
        }
    }
    let (mut relations, undecided) = pairs.settled(things);
    for (thing, holder) in things.iter().zip(&holders) {
        let holder = holder.and_then(|holder| things.get(holder));
        relations.extend(holder.map(|holder| (thing.id.clone(), EdgeKind::PartOf, holder.id.clone())));
    }
    Found { relations, missing: missing.len(), undecided }
}

/// Whether one thing is another, or lies in it at whatever depth.
fn lies_in(holders: &[Option<usize>], own: usize, other: usize) -> bool {
    let above = |at: &usize| holders.get(*at).copied().flatten();
    // Holders may go in a circle, where a source says so.
    std::iter::successors(Some(own), above).take(holders.len() + 1).any(|at| at == other)
}

/// Who depends on whom where an asset mentions another under these members.
fn says(kind: &str, members: &[&str]) -> Says {
    let of_type = |member: &&str| DEPENDANTS_OF.iter().any(|(of, one)| *of == kind && one == member);
    let lists = members.iter().any(|member| DEPENDANTS_UNDER.contains(member) || of_type(member));
    if lists { Says::IsNeededBy } else { Says::DependsOn }
}

/// What a text means.
#[derive(Debug, PartialEq, Eq)]
enum Meant {
    /// One of the things, by its place.
    Thing(usize),
    /// Something that is not among them.
    Missing(String),
    Nothing,
}

/// What mentions can mean.
#[derive(Debug)]
struct Known<'a> {
    names: &'a Names,
    by_name: BTreeMap<&'a str, usize>,
    /// By names without their host; nothing where several hosts have the same.
    by_path: BTreeMap<&'a str, Option<usize>>,
    /// Service accounts by their addresses.
    by_address: BTreeMap<&'a str, usize>,
}

impl<'a> Known<'a> {
    fn of(assets: &'a BTreeMap<String, Asset>, names: &'a Names) -> Self {
        let mut known = Self {
            names,
            by_name: assets.keys().map(String::as_str).zip(0..).collect(),
            by_path: BTreeMap::new(),
            by_address: BTreeMap::new(),
        };
        for (name, at) in assets.keys().zip(0..) {
            let path = name.trim_start_matches('/').split_once('/').map_or("", |(_, path)| path);
            known.by_path.entry(path).and_modify(|other| *other = None).or_insert(Some(at));
            if let Some((_, address)) =
                path.split_once("/serviceAccounts/").filter(|_| path.ends_with(ADDRESSES))
            {
                known.by_address.insert(address, at);
            }
        }
        known
    }

    /// The nearest thing that something lies in: by its name, else by what its source says.
    fn holder(&self, name: &str, asset: &Asset) -> Option<usize> {
        let own = self.by_name.get(name);
        let by_name = above(name).skip(1).find_map(|holder| self.by_name.get(holder));
        let by_source = || {
            asset.holders().find_map(|holder| {
                let holder = self.names.full(holder).unwrap_or_else(|| {
                    format!("//cloudresourcemanager.googleapis.com/{}", self.names.path(holder))
                });
                self.by_name.get(holder.as_str()).filter(|holder| Some(*holder) != own)
            })
        };
        by_name.or_else(by_source).copied()
    }

    fn meant(&self, text: &str) -> Meant {
        if text.len() > 1_024 || text.contains(|one: char| one.is_whitespace() || one.is_control()) {
            return Meant::Nothing;
        }
        let address = text.rsplit(['/', ':']).next().unwrap_or_default();
        if let Some(at) = self.by_address.get(address) {
            return Meant::Thing(*at);
        }
        if let Some(name) = self.names.full(text) {
            let found = above(&name).find_map(|one| self.by_name.get(one));
            return found.map_or_else(|| missing(name.clone()), |at| Meant::Thing(*at));
        }
        if !["projects/", "folders/", "organizations/"].iter().any(|begin| text.starts_with(begin)) {
            return Meant::Nothing;
        }
        let path = self.names.path(text.trim_end_matches('/'));
        // What is not there may lie in what is, but a project says nothing of what is in it.
        let deep = |one: &&str| *one == path || one.split('/').count() >= 4;
        let found = above(&path).take_while(deep).find_map(|one| self.by_path.get(one)).copied();
        match found {
            Some(Some(at)) => Meant::Thing(at),
            Some(None) => Meant::Nothing,
            None => missing(path),
        }
    }
}

/// A name, and what it begins with at its slashes, the longest first.
fn above(name: &str) -> impl Iterator<Item = &str> {
    let shorter = name.rmatch_indices('/').filter_map(|(at, _)| name.get(..at));
    std::iter::once(name).chain(shorter)
}

/// Something that is not there, where it is something that could be.
fn missing(name: String) -> Meant {
    let path =
        name.strip_prefix("//").and_then(|name| name.split_once('/')).map_or(name.as_str(), |(_, path)| path);
    let segments: Vec<&str> = path.split('/').collect();
    let collection = segments.iter().rev().nth(1);
    let is_given = collection.is_none_or(|collection| GIVEN.contains(collection));
    if segments.len() < 4 || is_given { Meant::Nothing } else { Meant::Missing(name) }
}
