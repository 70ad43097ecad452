//! What an experiment of Fault Injection Service breaks: the resources it names, or whatever its selection holds.
//!
//! Leaves out resources named by ARN, which bindings find.

use std::collections::BTreeMap;
use std::sync::Arc;

use ordain_action::{Effect, Identifier, NameBasis, Resource, Role};

use super::resource::Place;
use super::wire::Wire;
use crate::form::fields::segments;

/// What is said of one target.
#[derive(Debug, Default)]
struct Target<'w> {
    kind: Option<&'w str>,
    named: bool,
}

/// Adds what is selected by tags, filters or parameters: it may be anything of its type.
pub(super) fn adjust(effect: &mut Effect, wire: &Wire, place: &Place<'_>) {
    if !matches!(&*effect.operation, "CreateExperimentTemplate" | "UpdateExperimentTemplate") {
        return;
    }
    let mut targets: BTreeMap<&str, Target<'_>> = BTreeMap::new();
    let mut runs = false;
    for leaf in wire.iter() {
        let mut parts = segments(leaf.path);
        match (parts.next(), parts.next(), parts.next()) {
            (Some("targets"), Some(name), member) => {
                let target = targets.entry(name).or_default();
                target.named |= member == Some("resourceArns") && leaf.text().is_some();
                if member == Some("resourceType") {
                    target.kind = leaf.text();
                }
            }
            // An automation works on what its document and parameters say, and on no target.
            (Some("actions"), Some(_), Some("actionId")) => {
                runs |= leaf.text() == Some("aws:ssm:start-automation-execution");
            }
            _ => {}
        }
    }
    let selected = targets.values().filter(|target| !target.named);
    let mut found: Vec<Resource> = selected
        .map(|target| target.kind.and_then(|kind| all_of(kind, place)).unwrap_or_else(|| anything(place)))
        .collect();
    if runs {
        found.push(anything(place));
    }
    for resource in found {
        if !effect.resources.contains(&resource) {
            effect.resources.push(resource);
        }
    }
}

fn anything(place: &Place<'_>) -> Resource {
    place.account_scope(Role::Target)
}

/// All of a type, for example `aws:ec2:instance`. Types and names do not always go by the same word, so that all of
/// the service is meant where they may not.
fn all_of(kind: &str, place: &Place<'_>) -> Option<Resource> {
    let (service, word) = kind.strip_prefix("aws:")?.split_once(':')?;
    let plain = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    if !plain(service) || !plain(word) {
        return None;
    }
    let (word, name) = match (service, word) {
        ("ec2", "instance" | "spot-instance") => ("instance", place.arn("ec2", "instance/*")),
        ("iam", _) => (word, place.global_arn("iam", "*")),
        ("s3", _) => (word, format!("arn:{}:s3:::*", place.partition)),
        _ => (word, place.arn(service, "*")),
    };
    Some(Resource {
        role: Role::Target,
        kind: Arc::from(format!("{service}:{word}")),
        name,
        basis: NameBasis::Reviewed,
        pattern: true,
        identifiers: vec![Identifier { name: Arc::from("resourceType"), value: "*".to_owned() }],
    })
}
