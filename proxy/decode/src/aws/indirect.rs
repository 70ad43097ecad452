//! What a change works on through something it only describes: the machine that an alarm ends, what scaling scales.
//!
//! Leaves out Systems Manager (`fleet.rs`), and what an alarm calls under an authority of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use ordain_action::{Access, Effect, Identifier, NameBasis, Resource, Role};
use ordain_catalog::Location;

use super::bind::is_arn;
use super::resource::Place;
use super::wire::Wire;

/// Adds what the bindings do not find.
pub(super) fn adjust(effect: &mut Effect, wire: &Wire, place: &Place<'_>) {
    match (&*effect.service, &*effect.operation) {
        ("cloudwatch", "PutMetricAlarm") => alarm(effect, wire, place),
        ("application-autoscaling", _) => scaled(effect, wire, place),
        _ => {}
    }
}

/// An alarm may end, stop or restart the machine whose metric it watches, under the plane's own authority.
fn alarm(effect: &mut Effect, wire: &Wire, place: &Place<'_>) {
    let acts = wire.iter().any(|leaf| {
        let list = leaf.path.split('.').next().unwrap_or_default();
        list.to_ascii_lowercase().ends_with("actions") && leaf.text().is_some_and(acts_on_machine)
    });
    if !acts || !effect.access.is_change() {
        return;
    }
    effect.access = Access::Execute;
    let mut named: BTreeMap<&str, &str> = BTreeMap::new();
    let mut values: BTreeMap<&str, &str> = BTreeMap::new();
    for leaf in wire.iter().filter(|leaf| leaf.path.contains("Dimensions.")) {
        let (Some((dimension, member)), Some(text)) = (leaf.path.rsplit_once('.'), leaf.text()) else {
            continue;
        };
        match member {
            "Name" => named.insert(dimension, text),
            "Value" => values.insert(dimension, text),
            _ => None,
        };
    }
    let mut machines: Vec<&str> = named
        .iter()
        .filter(|(_, name)| **name == "InstanceId")
        .filter_map(|(dimension, _)| values.get(dimension).copied())
        .collect();
    if machines.is_empty() {
        // Which one is not said: it may be any.
        machines.push("*");
    }
    machines.dedup();
    effect.resources.extend(machines.into_iter().map(|id| Resource {
        role: Role::Target,
        kind: Arc::from("ec2:instance"),
        name: place.arn("ec2", &format!("instance/{id}")),
        basis: NameBasis::Reviewed,
        pattern: id.contains('*'),
        identifiers: vec![Identifier { name: Arc::from("InstanceId"), value: id.to_owned() }],
    }));
}

/// `arn:aws:automate:REGION:ec2:terminate`, or the older `arn:aws:swf:…:action/actions/AWS_EC2.InstanceId.Stop/1.0`.
fn acts_on_machine(arn: &str) -> bool {
    let mut parts = arn.splitn(6, ':').skip(2);
    match parts.next() {
        Some("automate") => parts.nth(1) == Some("ec2"),
        Some("swf") => arn.contains("AWS_EC2."),
        _ => false,
    }
}

/// What is scaled stands in one member, in its service's own form; the scalable target beside it has no name of its
/// own that a request could say.
fn scaled(effect: &mut Effect, wire: &Wire, place: &Place<'_>) {
    let text = |member| wire.text(Location::Body, member);
    let (Some(service), Some(id)) = (text("ServiceNamespace"), text("ResourceId")) else { return };
    let Some((kind, name)) = scalable(service, id, place) else { return };
    let basis = if is_arn(id) { NameBasis::Carried } else { NameBasis::Reviewed };
    let resource = Resource {
        role: Role::Target,
        kind: Arc::from(kind),
        name,
        basis,
        pattern: id.contains('*'),
        identifiers: vec![Identifier { name: Arc::from("ResourceId"), value: id.to_owned() }],
    };
    effect.resources.retain(|one| &*one.kind != "application-autoscaling:ScalableTarget");
    effect.resources.insert(0, resource);
}

fn scalable(service: &str, id: &str, place: &Place<'_>) -> Option<(&'static str, String)> {
    if is_arn(id) {
        let kind = match service {
            "kafka" => "kafka:cluster",
            "comprehend" => "comprehend:endpoint",
            _ => return None,
        };
        return Some((kind, id.to_owned()));
    }
    let mut segments = id.split(['/', ':']);
    let (first, second) = (segments.next()?, segments.next().filter(|second| !second.is_empty())?);
    let arn = |service: &str, own: &str| place.arn(service, own);
    Some(match (service, first) {
        ("ecs", "service") => ("ecs:service", arn("ecs", id)),
        ("dynamodb", "table") => match segments.next() {
            Some(_) => ("dynamodb:index", arn("dynamodb", id)),
            None => ("dynamodb:table", arn("dynamodb", id)),
        },
        ("ec2", "spot-fleet-request") => ("ec2:spot-fleet-request", arn("ec2", id)),
        ("elasticmapreduce", "instancegroup") => {
            ("elasticmapreduce:cluster", arn("elasticmapreduce", &format!("cluster/{second}")))
        }
        ("appstream", "fleet") => ("appstream:fleet", arn("appstream", id)),
        ("rds" | "neptune", "cluster") => ("rds:cluster", arn("rds", &id.to_ascii_lowercase())),
        ("sagemaker", "endpoint") => ("sagemaker:endpoint", arn("sagemaker", &format!("endpoint/{second}"))),
        ("sagemaker", "inference-component") => ("sagemaker:inference-component", arn("sagemaker", id)),
        ("lambda", "function") => ("lambda:function", arn("lambda", &format!("function:{second}"))),
        ("cassandra", "keyspace") => ("cassandra:table", arn("cassandra", &format!("/{id}"))),
        ("elasticache", "replication-group") => {
            ("elasticache:replicationgroup", arn("elasticache", &format!("replicationgroup:{second}")))
        }
        ("elasticache", "cache-cluster") => {
            ("elasticache:cluster", arn("elasticache", &format!("cluster:{second}")))
        }
        ("workspaces", "workspacespool") => ("workspaces:workspacespool", arn("workspaces", id)),
        _ => return None,
    })
}
