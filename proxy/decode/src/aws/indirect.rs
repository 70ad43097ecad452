//! What a change works on through something it only describes: the machine that an alarm ends, what scaling scales.
//!
//! Leaves out Systems Manager (`fleet.rs`) and what is stored under a role that is handed over (`stored.rs`).

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
        ("cloudwatch", "PutMetricAlarm" | "PutCompositeAlarm") => alarm(effect, wire, place),
        ("application-autoscaling", _) => scaled(effect, wire, place),
        ("autoscaling-plans", "CreateScalingPlan" | "UpdateScalingPlan") => planned(effect, wire, place),
        _ => {}
    }
}

/// An alarm acts under the plane's own authority on whatever its actions name.
fn alarm(effect: &mut Effect, wire: &Wire, place: &Place<'_>) {
    if !effect.access.is_change() {
        return;
    }
    let acts = |path: &str| {
        path.split('.').next().is_some_and(|list| list.to_ascii_lowercase().ends_with("actions"))
    };
    let actions = wire.iter().filter(|leaf| acts(leaf.path)).filter_map(|leaf| leaf.text());
    let (mut ends, mut runs) = (false, false);
    for action in actions {
        ends |= acts_on_machine(action);
        let Some(acted) = acted_on(action, place) else { continue };
        // What scales does what its own policy says; the others run what they name.
        runs |= matches!(&*acted.kind, "lambda:function" | "ssm-incidents:response-plan");
        if !effect.resources.contains(&acted) {
            effect.resources.push(acted);
        }
    }
    if ends {
        effect.resources.extend(machines(wire, place));
    }
    if (ends || runs) && effect.access == Access::Update {
        effect.access = Access::Execute;
    }
}

/// The machines whose metric an alarm watches.
fn machines(wire: &Wire, place: &Place<'_>) -> Vec<Resource> {
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
    let machine = |id: &str| Resource {
        role: Role::Target,
        kind: Arc::from("ec2:instance"),
        name: place.arn("ec2", &format!("instance/{id}")),
        basis: NameBasis::Reviewed,
        pattern: id.contains('*'),
        identifiers: vec![Identifier { name: Arc::from("InstanceId"), value: id.to_owned() }],
    };
    machines.into_iter().map(machine).collect()
}

/// `arn:aws:automate:REGION:ec2:terminate`, or the older `arn:aws:swf:…:action/actions/AWS_EC2.InstanceId.Stop/1.0`.
pub(super) fn acts_on_machine(arn: &str) -> bool {
    let mut parts = arn.splitn(6, ':').skip(2);
    match parts.next() {
        Some("automate") => parts.nth(1) == Some("ec2"),
        Some("swf") => arn.contains("AWS_EC2."),
        _ => false,
    }
}

/// What an action of an alarm sets to work; topics are named whole, and judged as such.
fn acted_on(action: &str, place: &Place<'_>) -> Option<Resource> {
    let parts: Vec<&str> = action.splitn(6, ':').collect();
    let ["arn", partition, service, region, account, own] = parts.as_slice() else { return None };
    let account = if account.is_empty() { place.account } else { account };
    let there = Place { partition, region, account };
    let acted = |kind: &str, name: String, basis: NameBasis| Resource {
        role: Role::Target,
        kind: Arc::from(kind),
        name,
        basis,
        pattern: false,
        identifiers: vec![Identifier { name: Arc::from("Action"), value: action.to_owned() }],
    };
    match *service {
        "lambda" => {
            let name = own.strip_prefix("function:")?.split(':').next()?;
            Some(acted(
                "lambda:function",
                there.arn("lambda", &format!("function:{name}")),
                NameBasis::Carried,
            ))
        }
        "ssm-incidents" => Some(acted("ssm-incidents:response-plan", action.to_owned(), NameBasis::Carried)),
        // `scalingPolicy:ID:autoScalingGroupName/GROUP:policyName/NAME`, or `…:resource/ecs/service/CLUSTER/NAME:…`.
        "autoscaling" => Some(scaled_by(own, &there).unwrap_or_else(|| place.account_scope(Role::Target))),
        _ => None,
    }
}

/// What a scaling policy scales, by the policy's own name.
fn scaled_by(own: &str, place: &Place<'_>) -> Option<Resource> {
    let (_, about) = own.strip_prefix("scalingPolicy:")?.split_once(':')?;
    let (about, _) = about.rsplit_once(":policyName/")?;
    if let Some(group) = about.strip_prefix("autoScalingGroupName/") {
        return Some(group_of(group, place));
    }
    let (service, id) = about.strip_prefix("resource/")?.split_once('/')?;
    scalable(service, id, place).map(|(kind, name)| by_id(kind, name, id))
}

/// A group by its name; its ARN has an id beside it.
fn group_of(group: &str, place: &Place<'_>) -> Resource {
    let name = place.arn("autoscaling", &format!("autoScalingGroup:*:autoScalingGroupName/{group}"));
    let identifier = Identifier { name: Arc::from("AutoScalingGroupName"), value: group.to_owned() };
    Resource { identifiers: vec![identifier], ..by_id("autoscaling:autoScalingGroup", name, group) }
}

fn by_id(kind: &str, name: String, id: &str) -> Resource {
    Resource {
        role: Role::Target,
        kind: Arc::from(kind),
        pattern: name.contains('*'),
        name,
        basis: if is_arn(id) { NameBasis::Carried } else { NameBasis::Reviewed },
        identifiers: vec![Identifier { name: Arc::from("ResourceId"), value: id.to_owned() }],
    }
}

/// What is scaled stands in one member, in its service's own form; the scalable target beside it has no name of its
/// own that a request could say.
fn scaled(effect: &mut Effect, wire: &Wire, place: &Place<'_>) {
    let text = |member| wire.text(Location::Body, member);
    let (Some(service), Some(id)) = (text("ServiceNamespace"), text("ResourceId")) else { return };
    let Some((kind, name)) = scalable(service, id, place) else { return };
    effect.resources.retain(|one| &*one.kind != "application-autoscaling:ScalableTarget");
    effect.resources.insert(0, by_id(kind, name, id));
}

/// A plan scales what each of its instructions names, in the same form. Where it finds that by tags, or by a stack, it
/// takes nothing that its instructions do not name.
fn planned(effect: &mut Effect, wire: &Wire, place: &Place<'_>) {
    for leaf in wire.iter() {
        let (Some(id), Some(about)) = (leaf.text(), leaf.path.strip_suffix(".ResourceId")) else { continue };
        let service = wire.text(Location::Body, &format!("{about}.ServiceNamespace"));
        let scaled = match (service, id.strip_prefix("autoScalingGroup/")) {
            (Some("autoscaling"), Some(group)) => Some(group_of(group, place)),
            (Some(service), _) => scalable(service, id, place).map(|(kind, name)| by_id(kind, name, id)),
            (None, _) => None,
        };
        effect.resources.push(scaled.unwrap_or_else(|| place.account_scope(Role::Target)));
    }
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
