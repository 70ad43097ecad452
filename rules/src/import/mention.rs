//! Which of two things depends on the other, where the configuration of one mentions the other or each mentions the
//! other.
//!
//! Leaves out what the mentions of a source look like, and which of its members mention dependants.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::inventory::{Relation, Thing};
use super::kinds;
use crate::inventory::EdgeKind;

/// Shows every text in a value, and the names of its members, which may be texts of their own (what an identity is of
/// stands there); each with the members that it stands under, the outermost first.
pub(super) fn visit<'v>(
    value: &'v Value,
    members: &mut Vec<&'v str>,
    seen: &mut impl FnMut(&[&'v str], &'v str),
) {
    match value {
        Value::String(text) => seen(members, text),
        Value::Array(items) => items.iter().for_each(|item| visit(item, members, seen)),
        Value::Object(object) => {
            for (member, value) in object {
                seen(members, member);
                members.push(member);
                visit(value, members, seen);
                members.pop();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Which of the two is the dependant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// What mentions the other.
    DependsOn,
    /// What is mentioned, because the member is one that lists dependants.
    IsNeededBy,
}

/// Pairs of things by their places, the dependant first; and whether a member that lists dependants said so, which
/// counts for more than a mention.
#[derive(Debug, Default)]
pub(super) struct Pairs(BTreeMap<(usize, usize), bool>);

impl Pairs {
    /// Takes in that one thing mentions another.
    pub(super) fn add(&mut self, own: usize, says: Says, other: usize) {
        let (pair, listed) = match says {
            Says::DependsOn => ((own, other), false),
            Says::IsNeededBy => ((other, own), true),
        };
        *self.0.entry(pair).or_default() |= listed;
    }

    /// The relations, and how many pairs are left out because each mentions the other and nothing says which of them
    /// depends on which.
    pub(super) fn settled(&self, things: &[Thing]) -> (BTreeSet<Relation>, usize) {
        let (mut relations, mut undecided) = (BTreeSet::new(), 0);
        for ((from, to), listed) in &self.0 {
            let (Some(dependant), Some(dependency)) = (things.get(*from), things.get(*to)) else { continue };
            let kind = kinds::relation(&dependant.kind, &dependency.kind);
            let back = self.0.get(&(*to, *from)).map(|listed| {
                (*listed, kinds::relation(&dependency.kind, &dependant.kind) != EdgeKind::DependsOn)
            });
            let own = (*listed, kind != EdgeKind::DependsOn);
            // A pair must not become a cycle: what says more counts.
            if back.is_none_or(|back| own > back) {
                relations.insert((dependant.id.clone(), kind, dependency.id.clone()));
            } else if back == Some(own) && from < to {
                undecided += 1;
            }
        }
        (relations, undecided)
    }
}

/// What is said of pairs that are left out.
pub(super) fn undecided(count: usize) -> Option<String> {
    let text = "two resources that mention each other, of which either may depend on the other; say which does in a \
                document of your own";
    (count > 0).then(|| format!("{count} × {text}"))
}

/// What is said of mentions of what is not there.
pub(super) fn missing(count: usize) -> Option<String> {
    (count > 0).then(|| format!("{count} × a relation to what is not in the files; import that too"))
}

/// The account that most of the things are in; none where something is in no account, which would be taken to be in
/// it.
pub(super) fn common_account(things: &[Thing]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for thing in things {
        *counts.entry(thing.account.as_deref().unwrap_or_default()).or_default() += 1;
    }
    if counts.contains_key("") {
        return String::new();
    }
    // Of several with as many, the first.
    let most = counts.into_iter().rev().max_by_key(|(_, count)| *count);
    most.map(|(account, _)| account.to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Pairs, Says, Thing, common_account};

    fn things(kinds: [&str; 2]) -> Vec<Thing> {
        let named = |(kind, id): (&str, &str)| Thing {
            id: id.to_owned(),
            kind: kind.to_owned(),
            account: Some(id.to_owned()),
            ..Thing::default()
        };
        kinds.into_iter().zip(["a", "b"]).map(named).collect()
    }

    fn check(kinds: [&str; 2], said: &[(usize, Says, usize)], expected: &[(&str, &str, &str)], left: usize) {
        let mut pairs = Pairs::default();
        for (own, says, other) in said {
            pairs.add(*own, *says, *other);
        }
        let (relations, undecided) = pairs.settled(&things(kinds));
        let found: Vec<(&str, &str, &str)> =
            relations.iter().map(|(from, kind, to)| (from.as_str(), kind.as_str(), to.as_str())).collect();
        assert_eq!((found.as_slice(), undecided), (expected, left), "{kinds:?} {said:?}");
    }

    #[test]
    fn a_pair_is_one_relation_at_most() {
        use Says::{DependsOn, IsNeededBy};
        let (thing, network) = ("gcp:x/things", "gcp:compute/networks");
        check([thing; 2], &[(0, DependsOn, 1)], &[("a", "dependsOn", "b")], 0);
        check([thing; 2], &[(0, IsNeededBy, 1)], &[("b", "dependsOn", "a")], 0);
        // The same, said by both.
        check([thing; 2], &[(0, IsNeededBy, 1), (1, DependsOn, 0)], &[("b", "dependsOn", "a")], 0);
        // A list of dependants counts for more than a mention,
        check([thing; 2], &[(0, IsNeededBy, 1), (0, DependsOn, 1)], &[("b", "dependsOn", "a")], 0);
        // and what types tell more than nothing.
        check([thing, network], &[(0, DependsOn, 1), (1, DependsOn, 0)], &[("a", "partOf", "b")], 0);
        check([network; 2], &[(0, DependsOn, 1), (1, DependsOn, 0)], &[], 1);
    }

    #[test]
    fn what_is_in_no_account_does_not_get_one() {
        let mut things = things(["x", "x"]);
        assert_eq!(common_account(&things), "a");
        if let Some(last) = things.last_mut() {
            last.account = None;
        }
        assert_eq!(common_account(&things), "");
    }
}
