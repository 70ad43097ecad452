//! The blast radius against a second implementation of what it means, on random estates: sets that grow until nothing changes,
//! over a plain list of relations.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use ordain_rules::{Reach, Snapshot};
use proptest::prelude::*;

use crate::support::{NOW, action, judged, model};

const KINDS: [&str; 6] =
    ["ec2:instance", "rds:db", "iam:role", "iam:policy", "cloudformation:stack", "lambda:function"];
const NOUNS: [&str; 6] = ["Instance", "DBInstance", "Role", "Policy", "Stack", "Function"];
const RELATIONS: [&str; 9] =
    ["dependsOn", "partOf", "guardedBy", "runsOn", "runsAs", "grantsTo", "keyedBy", "consumes", "routesTo"];
const OWNERS: [&str; 4] = ["own", "a", "b", "c"];
const TIERS: [&str; 3] = ["critical", "high", "low"];
const ENVIRONMENTS: [&str; 2] = ["production", "staging"];

/// One thing: its type, owner, tier and environment, each by its place in the list.
type Thing = (usize, usize, usize, usize);

#[derive(Debug, Clone)]
struct Estate {
    things: Vec<Thing>,
    /// Dependant, relation, dependency.
    relations: Vec<(usize, usize, usize)>,
}

/// What a change does to its targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Delete,
    Update,
    Stop,
    Grant,
    Revoke,
    Execute,
}

const CHANGES: [(Change, &str); 6] = [
    (Change::Delete, "x:Delete delete"),
    (Change::Update, "x:ModifyThing update"),
    (Change::Stop, "x:StopThing update"),
    (Change::Grant, "x:PutThing grant"),
    (Change::Revoke, "x:RemoveThing grant"),
    (Change::Execute, "x:RunThing execute"),
];

fn name(thing: usize) -> String {
    format!("arn:aws:x:eu-west-1:111122223333:thing/{thing}")
}

impl Estate {
    fn snapshot(&self) -> Snapshot {
        let mut text = String::from(
            "apiVersion: ordain/v1\nkind: Account\nmetadata: {name: acc}\nspec: {account: \"111122223333\", owner: own}\n---\n\
             apiVersion: ordain/v1\nkind: User\nmetadata: {name: alice}\nspec: {memberOf: [own]}\n---\n",
        );
        for owner in OWNERS {
            writeln!(
                text,
                "apiVersion: ordain/v1\nkind: Group\nmetadata: {{name: {owner}}}\nspec: {{}}\n---"
            )
            .unwrap();
        }
        text.push_str("apiVersion: ordain/v1\nkind: Inventory\nmetadata: {name: i}\nspec:\n  source: s\n  account: \"111122223333\"\n  resources:\n");
        for ((kind, owner, tier, environment), number) in self.things.iter().zip(0..) {
            writeln!(
                text,
                "    - {{id: t{number}, type: \"{}\", name: \"{}\", owner: {}, tier: {}, environment: {}}}",
                KINDS[*kind],
                name(number),
                OWNERS[*owner],
                TIERS[*tier],
                ENVIRONMENTS[*environment]
            )
            .unwrap();
        }
        text.push_str("  relations:\n");
        for (from, kind, to) in &self.relations {
            writeln!(text, "    - {{from: t{from}, type: {}, to: t{to}}}", RELATIONS[*kind]).unwrap();
        }
        model(&text)
    }

    fn is_identity(&self, thing: usize) -> bool {
        KINDS[self.things[thing].0].starts_with("iam:")
    }

    fn both(&self, one: usize, other: usize) -> bool {
        self.is_identity(one) && self.is_identity(other)
    }

    /// Everything that something is over: by itself, by what it runs as, by the policies of identities.
    fn over(&self, thing: usize) -> BTreeSet<usize> {
        let mut has = BTreeSet::from([thing]);
        loop {
            let before = has.len();
            for (from, kind, to) in &self.relations {
                let leads = match RELATIONS[*kind] {
                    "runsAs" => true,
                    "dependsOn" => self.both(*from, *to),
                    _ => false,
                };
                if leads && has.contains(from) {
                    has.insert(*to);
                }
                if RELATIONS[*kind] == "partOf" && self.both(*from, *to) && has.contains(to) {
                    has.insert(*from);
                }
            }
            if has.len() == before {
                break;
            }
        }
        let granted = self
            .relations
            .iter()
            .filter(|(from, kind, _)| RELATIONS[*kind] == "grantsTo" && has.contains(from));
        granted.map(|(_, _, to)| *to).collect()
    }

    /// All that is reached: what is gone, and the rest.
    fn reached(&self, change: Change, targets: &BTreeSet<usize>) -> (BTreeSet<usize>, BTreeSet<usize>) {
        let begin = |of: &[Change]| if of.contains(&change) { targets.clone() } else { BTreeSet::new() };
        let mut gone = begin(&[Change::Delete]);
        let mut empowered = begin(&[Change::Grant]);
        let mut affected = begin(&[Change::Stop]);
        let changed = begin(&[Change::Update, Change::Revoke, Change::Execute]);
        loop {
            let before = (gone.len(), empowered.len(), affected.len());
            for (from, kind, to) in &self.relations {
                let part = RELATIONS[*kind] == "partOf";
                if RELATIONS[*kind] == "grantsTo" {
                    continue;
                }
                if part && gone.contains(to) {
                    gone.insert(*from);
                }
                if RELATIONS[*kind] == "dependsOn" && self.both(*from, *to) && empowered.contains(to) {
                    empowered.insert(*from);
                }
                if part && self.both(*from, *to) && empowered.contains(from) {
                    empowered.insert(*to);
                }
                let is_empowered =
                    RELATIONS[*kind] == "dependsOn" && self.both(*from, *to) && empowered.contains(to);
                let spreads = affected.contains(to)
                    || (!part && (gone.contains(to) || changed.contains(to)))
                    || (!part && empowered.contains(to) && !is_empowered);
                if spreads && !gone.contains(from) {
                    affected.insert(*from);
                }
            }
            if before == (gone.len(), empowered.len(), affected.len()) {
                break;
            }
        }
        let lends: BTreeSet<usize> =
            if change == Change::Execute { targets.clone() } else { empowered.clone() };
        let granted = lends.into_iter().flat_map(|thing| self.over(thing));
        let all: BTreeSet<usize> =
            gone.iter().chain(&empowered).chain(&affected).copied().chain(granted).collect();
        let beyond = all.difference(targets).copied().collect();
        (gone, beyond)
    }
}

fn estates() -> impl Strategy<Value = Estate> {
    let thing = (0..KINDS.len(), 0..OWNERS.len(), 0..TIERS.len(), 0..ENVIRONMENTS.len());
    prop::collection::vec(thing, 2..14).prop_flat_map(|things| {
        let count = things.len();
        let relations = prop::collection::vec((0..count, 0..RELATIONS.len(), 0..count), 0..count * 3);
        relations.prop_map(move |mut relations: Vec<(usize, usize, usize)>| {
            // Nothing stands in a relation to itself.
            relations.retain(|(from, _, to)| from != to);
            Estate { things: things.clone(), relations }
        })
    })
}

/// Every step of a path is a relation of the estate, and leads from a target to what it explains.
fn check_paths(estate: &Estate, targets: &BTreeSet<usize>, reach: &Reach) {
    let numbers: BTreeMap<String, usize> =
        (0..estate.things.len()).map(|thing| (name(thing), thing)).collect();
    for path in &reach.because {
        let steps: Vec<(usize, Option<&str>)> =
            path.steps.iter().map(|(name, by)| (numbers[&**name], *by)).collect();
        assert!(targets.contains(&steps[0].0) && steps[0].1.is_none(), "{path:?}");
        // A long path is told by its ends.
        for pair in steps.windows(2).filter(|_| steps.len() < 8) {
            let ((from, _), (to, by)) = (pair[0], pair[1]);
            let by = RELATIONS.iter().position(|relation| Some(*relation) == by).unwrap();
            let known =
                estate.relations.contains(&(to, by, from)) || estate.relations.contains(&(from, by, to));
            assert!(known, "{path:?}");
        }
        let (kind, owner, tier, _) = estate.things[steps[steps.len() - 1].0];
        match path.explains.split_once(' ') {
            Some(("owner", told)) => assert_eq!(OWNERS[owner], told),
            Some(("tier", told)) => assert_eq!(TIERS[tier], told),
            _ if path.explains == "irreversible" => assert_eq!(KINDS[kind], "rds:db"),
            _ => assert_eq!(path.explains, "farthest"),
        }
    }
}

fn check(estate: &Estate, snapshot: &Snapshot, (change, effect): (Change, &str), targets: &BTreeSet<usize>) {
    // AWS names what it deletes in the operation.
    let noun = targets.first().map_or("", |target| NOUNS[estate.things[*target].0]);
    let effect = &effect.replace("Delete", &format!("Delete{noun}"));
    let mut text = format!("person alice\neffect {effect}\n");
    for target in targets {
        writeln!(text, "target {} {}", KINDS[estate.things[*target].0], name(*target)).unwrap();
    }
    let reach = judged(snapshot, NOW, &action(&text)).verdict.reach;
    let (gone, beyond) = estate.reached(change, targets);
    let all: BTreeSet<usize> = beyond.union(targets).copied().collect();
    let things = || all.iter().map(|thing| estate.things[*thing]);
    let told =
        |texts: &[std::sync::Arc<str>]| texts.iter().map(ToString::to_string).collect::<BTreeSet<String>>();

    // Whether all is known is another matter: what is known is told all the same, by owners, tiers and paths.
    if let Some(dependants) = reach.dependants {
        assert_eq!(dependants, beyond.len() as u64, "{effect} {targets:?} {beyond:?} {reach:?}");
    }
    let owners: BTreeSet<String> =
        things().map(|(_, owner, ..)| OWNERS[owner].to_owned()).filter(|owner| owner != "own").collect();
    assert_eq!(told(&reach.owners_crossed), owners, "{effect} {targets:?}");
    let environments: BTreeSet<String> = things().map(|(.., of)| ENVIRONMENTS[of].to_owned()).collect();
    assert_eq!(told(&reach.environments), environments, "{effect} {targets:?}");
    let mut tiers: BTreeMap<usize, u64> = BTreeMap::new();
    things().for_each(|(_, _, tier, _)| *tiers.entry(tier).or_default() += 1);
    let tiers: Vec<(&str, u64)> = tiers.into_iter().map(|(tier, count)| (TIERS[tier], count)).collect();
    assert_eq!(
        reach.tiers.iter().map(|(tier, count)| (&**tier, *count)).collect::<Vec<_>>(),
        tiers,
        "{effect} {targets:?}"
    );

    let is_database = |thing: &usize| KINDS[estate.things[*thing].0] == "rds:db";
    let holds_all = targets.iter().all(|target| KINDS[estate.things[*target].0] == "cloudformation:stack");
    // AWS deletes nothing with what it lies in, but for stacks: with one kind of target that is told apart here.
    if change == Change::Delete && (holds_all || targets.len() == 1) {
        let unreadable: BTreeSet<usize> = estate
            .relations
            .iter()
            .filter(|(_, kind, to)| RELATIONS[*kind] == "keyedBy" && gone.contains(to))
            .map(|(from, ..)| *from)
            .filter(|thing| beyond.contains(thing) && !gone.contains(thing))
            .collect();
        let lost = gone
            .iter()
            .filter(|thing| holds_all || targets.contains(thing))
            .filter(|thing| is_database(thing));
        let most = lost.count() as u64 + unreadable.iter().filter(|thing| is_database(thing)).count() as u64;
        // What is reached in two ways is told by one of them: of the unreadable, those come to by their key.
        let least = gone
            .iter()
            .filter(|thing| holds_all || targets.contains(thing))
            .filter(|thing| is_database(thing))
            .count() as u64;
        assert!(
            (least..=most).contains(&reach.irreversible),
            "{effect} {targets:?} {least} {most} {reach:?}"
        );
    } else if change != Change::Delete {
        assert_eq!(reach.irreversible, 0, "{effect} {targets:?}");
    }
    check_paths(estate, targets, &reach);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_reach_is_what_it_is_said_to_be(estate in estates(), picks in prop::collection::vec((0..14usize, 0..14usize), 4)) {
        let snapshot = estate.snapshot();
        for stack in (0..estate.things.len()).filter(|thing| KINDS[estate.things[*thing].0] == "cloudformation:stack") {
            check(&estate, &snapshot, CHANGES[0], &BTreeSet::from([stack]));
        }
        for change in CHANGES {
            for (one, other) in &picks {
                let targets = BTreeSet::from([one % estate.things.len(), other % estate.things.len()]);
                check(&estate, &snapshot, change, &targets);
            }
        }
    }
}
