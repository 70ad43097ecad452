//! What a change does to something, and what that does to what depends on it: the meaning of each relation.
//!
//! Leaves out the walk (`walk.rs`), and what the requests of clusters say (`cascade.rs`).

use ordain_action::{Access, Effect, Plane, Scalar};

use super::cascade;
use crate::inventory::EdgeKind;
use crate::resolve::Site;

/// What happens to one thing, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Wave {
    /// It is deleted.
    Gone,
    /// It may do other things than before, or is what lets others do so.
    Empowered,
    /// It stops, or what it needs is not as it was: so is all of it.
    Affected,
    /// It is changed, and what lies in it stays as it is. Of targets alone.
    Changed,
    /// What may be done with an authority is done to it.
    Granted,
}

impl Wave {
    /// What it does to something that depends on what it has come to. `gives` says that both are of those that authority is had
    /// from.
    pub(super) const fn over(self, relation: EdgeKind, gives: bool) -> Option<Self> {
        match (self, relation) {
            // What may be done to something says nothing of who may do it.
            (_, EdgeKind::GrantsTo) | (Self::Granted, _) => None,
            (Self::Gone, EdgeKind::PartOf) => Some(Self::Gone),
            (Self::Changed | Self::Empowered, EdgeKind::PartOf) => None,
            (Self::Empowered, EdgeKind::DependsOn) if gives => Some(Self::Empowered),
            (
                Self::Gone | Self::Empowered | Self::Affected | Self::Changed,
                EdgeKind::DependsOn
                | EdgeKind::PartOf
                | EdgeKind::GuardedBy
                | EdgeKind::RunsOn
                | EdgeKind::RunsAs
                | EdgeKind::KeyedBy
                | EdgeKind::Consumes
                | EdgeKind::RoutesTo,
            ) => Some(Self::Affected),
        }
    }

    /// What is part of it shares what happens to it.
    pub(super) const fn takes_parts(self) -> bool {
        match self {
            Self::Gone | Self::Affected => true,
            Self::Empowered | Self::Changed | Self::Granted => false,
        }
    }
}

/// How an effect begins at its targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Begins {
    /// What happens to the targets, where that reaches further.
    pub(super) wave: Option<Wave>,
    /// What they have authority over is reached too: something runs there, or the authority is handed over.
    pub(super) lends: bool,
}

/// How an effect begins; `None` where it reaches nothing beyond its targets.
pub(super) fn begins(plane: Plane, effect: &Effect, targets: &[Site]) -> Option<Begins> {
    let lends = effect.access == Access::Execute;
    // Handing over a role changes nothing for who has it already.
    if lends && &*effect.iam_action == "iam:PassRole" {
        return Some(Begins { wave: None, lends });
    }
    let wave = if plane == Plane::Kubernetes {
        cascade::begins(effect, targets)
    } else {
        match effect.access {
            // What is new has no dependants, a label carries none, and reading a secret changes nothing.
            Access::Read | Access::Create | Access::Tag | Access::SecretRead => None,
            Access::Delete if deletes(plane, effect) => Some(Wave::Gone),
            Access::Grant if !revokes(effect) => Some(Wave::Empowered),
            Access::Delete | Access::Update | Access::Grant | Access::Expose | Access::Execute => {
                Some(if stops(effect) { Wave::Affected } else { Wave::Changed })
            }
        }
    };
    (wave.is_some() || lends).then_some(Begins { wave, lends })
}

/// The operation takes authority away, and gives nobody any.
fn revokes(effect: &Effect) -> bool {
    // What bounds somebody is no authority that could be taken away, and neither is a policy that denies.
    if effect.operation.contains("Boundary") || &*effect.service == "organizations" {
        return false;
    }
    let last = effect.operation.rsplit(['/', '.', ':']).next().unwrap_or_default();
    if last.eq_ignore_ascii_case("delete") {
        return true;
    }
    const REVOKES: [&str; 7] =
        ["Delete", "Deregister", "Detach", "Disable", "Disassociate", "Remove", "Revoke"];
    REVOKES.iter().any(|verb| effect.operation.starts_with(verb))
}

/// What is changed stops, so that what lies in it does too.
fn stops(effect: &Effect) -> bool {
    const STOPS: [&str; 10] = [
        "stop",
        "disable",
        "suspend",
        "terminate",
        "deallocate",
        "poweroff",
        "power_off",
        "shutdown",
        "shelve",
        "pause",
    ];
    // The verb begins the name on some planes, and on others its last part: `instances.stop`.
    let mut parts = effect.operation.split(['/', '.', ':']);
    let begins =
        |part: &str, verb: &str| part.get(..verb.len()).is_some_and(|start| start.eq_ignore_ascii_case(verb));
    let stops = parts.any(|part| STOPS.iter().any(|verb| begins(part, verb)));
    (stops && !stops_beside(&effect.operation)) || scales_to_nothing(effect)
}

/// What stops is not what is named: an alarm's actions, a query, a build.
fn stops_beside(operation: &str) -> bool {
    const BESIDE: [&str; 12] = [
        "Alarm",
        "Build",
        "Detection",
        "Execution",
        "Insight",
        "Job",
        "Logging",
        "Metrics",
        "Monitoring",
        "Processes",
        "Quer",
        "Rotation",
    ];
    BESIDE.iter().any(|one| operation.contains(one))
}

/// A parameter leaves nothing of it running: `DesiredCount=0`.
fn scales_to_nothing(effect: &Effect) -> bool {
    /// Names of the last part of a path, in lower case.
    const COUNTS: [&str; 9] = [
        "desiredcapacity",
        "desiredcount",
        "desiredsize",
        "maxcapacity",
        "maxsize",
        "nodecount",
        "numberofnodes",
        "reservedconcurrentexecutions",
        "targetsize",
    ];
    effect.parameters.iter().any(|leaf| {
        let last = leaf.path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        let is_none = match leaf.value {
            Scalar::Number(text) | Scalar::Text(text) => text == "0",
            Scalar::Bool(_) | Scalar::Null | Scalar::Empty | Scalar::Token(_) => false,
        };
        is_none && COUNTS.contains(&last.as_str())
    })
}

/// Whether an effect deletes what it names. Of AWS the catalogue calls more a delete: what stops may be started again, and what
/// is taken out of something leaves that.
pub(super) fn deletes(plane: Plane, effect: &Effect) -> bool {
    const LEAVES: [&str; 13] = [
        "Deactivate",
        "Detach",
        "Disable",
        "Disassociate",
        "Pause",
        "Remove",
        "Revoke",
        "Stop",
        "Suspend",
        "Unassign",
        "Undeploy",
        "Unpublish",
        "Withdraw",
    ];
    let leaves = || LEAVES.iter().any(|verb| effect.operation.starts_with(verb));
    effect.access == Access::Delete && !(plane == Plane::Aws && leaves())
}

/// Whether what an effect deletes is lost, where it is of a type that holds data: no copy is kept of it.
pub(super) fn loses(plane: Plane, effect: &Effect, kind: &str) -> bool {
    // Of a key only what was brought goes, and that is all of it.
    let material = &*effect.operation == "DeleteImportedKeyMaterial";
    deletes(plane, effect)
        && (material || is_of_kind(plane, effect, kind))
        && !keeps_a_copy(effect, kind)
        && is_final(effect, kind)
}

/// Whether a delete is one of things of a type, and not of something that is set on one: `DeleteTable` of a table, and not
/// `DeleteRetentionPolicy` of a log group.
fn is_of_kind(plane: Plane, effect: &Effect, kind: &str) -> bool {
    if plane != Plane::Aws {
        // There the operation says the type that it is of.
        return true;
    }
    let plain = |text: &str| -> String {
        let letters = text.chars().filter(char::is_ascii_alphanumeric);
        let plain: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
        plain.strip_suffix('s').map_or(plain.clone(), str::to_owned)
    };
    let verb = |name: &str| name.find(|letter: char| letter.is_ascii_uppercase());
    let name = effect.operation.strip_prefix("Batch").unwrap_or(&effect.operation);
    // `Delete` ends where the next word begins.
    let rest = name.get(1..).unwrap_or_default();
    let noun = verb(rest).and_then(|at| rest.get(at..)).unwrap_or_default();
    let noun = plain(noun.strip_suffix("Deletion").unwrap_or(noun));
    let of = plain(kind.rsplit(':').next().unwrap_or_default());
    let same = noun.ends_with(&of) || of.ends_with(&noun) || (of == "db" && noun == "dbinstance");
    !noun.is_empty() && !of.is_empty() && same
}

/// The request keeps a copy of what it deletes, of what a copy can be kept.
fn keeps_a_copy(effect: &Effect, kind: &str) -> bool {
    const COPIES: [&str; 3] =
        ["FinalDBSnapshotIdentifier", "FinalClusterSnapshotIdentifier", "FinalSnapshotIdentifier"];
    const SERVICES: [&str; 4] = ["elasticache:", "memorydb:", "rds:", "redshift:"];
    let is_text = |value: Scalar<'_>| matches!(value, Scalar::Text(text) if !text.is_empty());
    let names = effect.parameters.iter().any(|leaf| COPIES.contains(&leaf.path) && is_text(leaf.value));
    let skips = effect.parameters.iter().any(|leaf| {
        let skip = leaf.path.starts_with("Skip") && leaf.path.contains("Snapshot");
        skip && !matches!(leaf.value, Scalar::Bool(false) | Scalar::Text("false"))
    });
    SERVICES.iter().any(|service| kind.starts_with(service)) && names && !skips
}

/// What can be had back for a time, or is deleted only when it is empty, unless the request says otherwise.
fn is_final(effect: &Effect, kind: &str) -> bool {
    const UNLESS: [(&str, &str); 2] =
        [("ecr:repository", "force"), ("secretsmanager:Secret", "ForceDeleteWithoutRecovery")];
    let Some((_, flag)) = UNLESS.iter().find(|(of, _)| of.eq_ignore_ascii_case(kind)) else { return true };
    effect.parameters.iter().any(|leaf| {
        let is_flag = leaf.path.eq_ignore_ascii_case(flag);
        is_flag && !matches!(leaf.value, Scalar::Bool(false) | Scalar::Text("false"))
    })
}
