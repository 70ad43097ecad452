//! What is stored now and acts later: schedules, jobs, plans, integrations, and where undelivered messages go.
//!
//! Leaves out alarms and scaling (`indirect.rs`), Systems Manager (`fleet.rs`) and experiments (`experiment.rs`).

use std::sync::Arc;

use ordain_action::{Access, Effect, Identifier, NameBasis, Resource, Role};

use super::bind::is_arn;
use super::resource::Place;
use super::wire::Wire;
use crate::form::{Fields, json};

/// Adds what the bindings do not find.
pub(super) fn adjust(effect: &mut Effect, wire: &Wire, place: &Place<'_>) {
    if !effect.access.is_change() {
        return;
    }
    match (&*effect.service, &*effect.operation) {
        ("scheduler", _) => schedule(effect, wire, place),
        ("apigateway" | "apigatewayv2", _) => integrations(effect, wire),
        ("iot", "CreateTopicRule" | "ReplaceTopicRule") => messages(effect, wire, place),
        ("sqs", "CreateQueue" | "SetQueueAttributes")
        | ("sns", "Subscribe" | "SetSubscriptionAttributes") => {
            inside(effect, wire, "deadLetterTargetArn");
        }
        ("logs", "PutAccountPolicy") => inside(effect, wire, "DestinationArn"),
        // A job works on all that its list names, a plan on all that carry its tags, and so on.
        ("s3control", "CreateJob")
        | ("dlm", "CreateLifecyclePolicy" | "UpdateLifecyclePolicy")
        | ("config", "PutRemediationConfigurations") => whole(effect, place),
        ("backup", "CreateBackupSelection") if selects(wire) => whole(effect, place),
        _ => {}
    }
}

/// The account beside what is named.
fn whole(effect: &mut Effect, place: &Place<'_>) {
    let role = if effect.access == Access::Create { Role::Parent } else { Role::Target };
    add(effect, place.account_scope(role));
}

fn add(effect: &mut Effect, resource: Resource) {
    if !effect.resources.contains(&resource) {
        effect.resources.push(resource);
    }
}

/// A schedule lies in the default group unless told otherwise, and may call any operation of the plane.
fn schedule(effect: &mut Effect, wire: &Wire, place: &Place<'_>) {
    for resource in effect.resources.iter_mut().filter(|one| &*one.kind == "scheduler:schedule") {
        let name = resource.identifiers.last().filter(|one| &*one.name == "Name");
        if let Some(name) = name.filter(|_| resource.basis == NameBasis::Unnamed) {
            resource.name = place.arn("scheduler", &format!("schedule/default/{}", name.value));
            resource.basis = NameBasis::Reviewed;
        }
    }
    let calls = |text: &str| text.split(':').nth(5) == Some("aws-sdk");
    if wire.iter().any(|leaf| leaf.path == "Target.Arn" && leaf.text().is_some_and(calls)) {
        whole(effect, place);
    }
}

/// `arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/FUNCTION/invocations`: the function is called by others
/// from now on.
fn integrations(effect: &mut Effect, wire: &Wire) {
    let called = |text: &str| {
        let (_, rest) = text.split_once("/functions/")?;
        let name = rest.split_once("/invocations").map_or(rest, |(name, _)| name);
        used(name)
    };
    let functions: Vec<Resource> = wire.iter().filter_map(|leaf| leaf.text()).filter_map(called).collect();
    for function in functions {
        add(effect, function);
    }
}

/// Actions of a rule that name what they write to by a bare name.
fn messages(effect: &mut Effect, wire: &Wire, place: &Place<'_>) {
    const ACTIONS: [(&str, &str, &str); 7] = [
        (".cloudwatchLogs.logGroupName", "logs", "log-group:"),
        (".dynamoDB.tableName", "dynamodb", "table/"),
        (".dynamoDBv2.putItem.tableName", "dynamodb", "table/"),
        (".firehose.deliveryStreamName", "firehose", "deliverystream/"),
        (".kinesis.streamName", "kinesis", "stream/"),
        (".sqs.queueUrl", "sqs", ""),
        (".stepFunctions.stateMachineName", "states", "stateMachine:"),
    ];
    let written = |path: &str, text: &str| {
        let (_, service, word) = ACTIONS.iter().find(|(end, _, _)| path.ends_with(end))?;
        // A queue's URL ends in its account and its name.
        let (account, name) = if *service == "sqs" {
            let (rest, name) = text.rsplit_once('/')?;
            (rest.rsplit('/').next()?, name)
        } else {
            (place.account, text)
        };
        used(&Place { account, ..*place }.arn(service, &format!("{word}{name}")))
    };
    let found: Vec<Resource> = wire
        .iter()
        .filter_map(|leaf| leaf.text().and_then(|text| written(leaf.path, text)))
        .map(|resource| Resource { basis: NameBasis::Reviewed, ..resource })
        .collect();
    for resource in found {
        add(effect, resource);
    }
}

/// What a document in a parameter names under one of its members.
fn inside(effect: &mut Effect, wire: &Wire, member: &str) {
    let mut named = Vec::new();
    for text in wire.iter().filter_map(|leaf| leaf.text()).filter(|text| text.trim_start().starts_with('{')) {
        let mut inner = Fields::new();
        if json::read(text.as_bytes(), &mut inner).is_err() {
            continue;
        }
        named.extend(inner.text(member).and_then(used));
    }
    for resource in named {
        add(effect, resource);
    }
}

/// Something that is named whole, and used.
pub(super) fn used(arn: &str) -> Option<Resource> {
    if !is_arn(arn) {
        return None;
    }
    let service = arn.split(':').nth(2)?;
    let function = service == "lambda";
    // A version or an alias of a function is the function.
    let parts = if function { 7 } else { usize::MAX };
    let name = arn.split(':').take(parts).collect::<Vec<_>>().join(":");
    let kind = if function { "lambda:function".to_owned() } else { format!("{service}:resource") };
    Some(Resource {
        role: Role::Uses,
        kind: Arc::from(kind),
        name,
        basis: NameBasis::Carried,
        pattern: arn.contains('*'),
        identifiers: vec![Identifier { name: Arc::from("Arn"), value: arn.to_owned() }],
    })
}

/// Whether a plan's selection holds more than it names.
fn selects(wire: &Wire) -> bool {
    wire.iter().any(|leaf| {
        let tags = leaf.path.contains(".ListOfTags") || leaf.path.contains(".Conditions");
        let all = leaf.path.contains(".Resources.") && leaf.text().is_some_and(|text| text.contains('*'));
        tags || all
    })
}
