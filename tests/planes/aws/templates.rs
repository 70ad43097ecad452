//! Templates that others wrote must be read into the resources that another reader finds in them, or be refused.
//!
//! The requests are made by `templates.py` and kept compressed in `templates/`. Leaves out what each resource opens or
//! grants, which the room's own cases show.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ordain_action::{Call, Completeness, Plane, Reading};
use serde::Deserialize;
use serde_json::Value;

use crate::planes::sweeps::{self, Reader, Swept, ensure};

/// What `templates.py` says of a template.
#[derive(Deserialize)]
struct Expected {
    id: String,
    /// Every resource with its type; none where the other reader does not take it for a template.
    expect_resources: Option<Vec<(String, String)>>,
    /// The types that the serverless transform makes.
    expect_made: Option<Vec<String>>,
}

/// Types that the transform adds for what is read already: versions, stages, deployments.
const LESSER: [&str; 7] = [
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::Stage",
    "AWS::ApiGatewayV2::Stage",
    "AWS::CodeDeploy::Application",
    "AWS::CodeDeploy::DeploymentGroup",
    "AWS::Lambda::Alias",
    "AWS::Lambda::Version",
];

/// Refusals that say that a template is written in a way that readers take for two things.
const STRICT: [&str; 3] = ["ambiguous_yaml", "bad_yaml", "unread_template"];

/// The resources that effects are about, each by the name that the template gives it.
fn read(call: &Call) -> BTreeSet<(String, String)> {
    let of = |name: &str, effect: &ordain_action::Effect| effect.parameters.text(name).map(str::to_owned);
    call.effects
        .iter()
        .filter_map(|effect| Some((of("LogicalResourceId", effect)?, of("TypeName", effect)?)))
        .collect()
}

fn check(expected: &Expected, call: &Call) -> Result<(), String> {
    ensure(call.is_change(), || "a change is read as a read".to_owned())?;
    let read = read(call);
    let Some(resources) = &expected.expect_resources else {
        return Err("the other reader takes it for no template".to_owned());
    };
    for (id, type_name) in resources {
        let own = type_name.strip_prefix("AWS::Serverless::").is_some_and(|short| short != "Application");
        let found = if own {
            read.iter().any(|(read, _)| read.starts_with(id.as_str()))
        } else {
            read.contains(&(id.clone(), type_name.clone()))
        };
        if !found {
            return Err(format!("`{id}` is not read as `{type_name}`"));
        }
    }
    let more = read.iter().find(|(id, _)| !resources.iter().any(|(known, _)| id.starts_with(known.as_str())));
    if let Some((id, _)) = more {
        return Err(format!("`{id}` is not in the template"));
    }
    let mut types: BTreeSet<&str> = read.iter().map(|(_, name)| name.as_str()).collect();
    // An application of the vendor's repository is a stack of its own, by another name.
    if types.contains("AWS::Serverless::Application") {
        types.insert("AWS::CloudFormation::Stack");
    }
    let made = expected.expect_made.iter().flatten().filter(|name| !LESSER.contains(&name.as_str()));
    let missing: Vec<&str> = made.map(String::as_str).filter(|name| !types.contains(name)).collect();
    ensure(missing.is_empty(), || format!("the transform makes {} too", missing.join(", ")))
}

#[test]
fn templates_of_others_are_read_as_another_reader_does() {
    let reader = Reader::new(Plane::Aws, "123456789012");
    let (mut swept, mut exact, mut resources) = (Swept::default(), 0, 0);
    let mut refused: BTreeMap<&str, usize> = BTreeMap::new();
    for line in sweeps::lines("aws/templates/requests.jsonl", "ORDAIN_TEST_TEMPLATES", "requests.jsonl") {
        let expected: Expected = sweeps::parsed(&line);
        let held = match reader.reading(&line) {
            Reading::Undecodable { why, .. } => {
                *refused.entry(why.reason_code).or_default() += 1;
                if crate::harness::variable("ORDAIN_TEST_TEMPLATES_REFUSED").is_some() {
                    eprintln!("{}: {}: {why}", expected.id, expected.expect_resources.is_some());
                }
                // What another reader takes is refused for nothing but how it is written.
                let meant = expected.expect_resources.is_none() || STRICT.contains(&why.reason_code);
                ensure(meant, || why.to_string())
            }
            Reading::Call(call) => check(&expected, &call).inspect(|()| {
                exact += 1;
                resources += expected.expect_resources.iter().flatten().count();
            }),
        };
        swept.add(&expected.id, held);
    }
    eprintln!("{resources} resources; refused: {refused:?}");
    sweeps::at_least(250, exact, "templates exact");
    swept.holds(320);
}

/// What AWS's Cloud Development Kit makes of an application: each resource, in full but for what is not known before the
/// stack is there.
#[test]
fn what_the_development_kit_writes_is_read_resource_by_resource() {
    const TEMPLATE: &str = include_str!("templates/cdk.template.json");
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("Action", "CreateStack"), ("Version", "2010-05-15"), ("StackName", "Shop")])
        .append_pair("TemplateBody", TEMPLATE)
        .finish();
    let scope = "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/cloudformation/aws4_request, SignedHeaders=host, Signature=0";
    let line = serde_json::json!({
        "id": "cdk",
        "method": "POST",
        "url": "https://cloudformation.eu-west-1.amazonaws.com/",
        "headers": [["content-type", "application/x-www-form-urlencoded"], ["authorization", scope]],
        "body_b64": STANDARD.encode(body),
    });
    let Reading::Call(call) = Reader::new(Plane::Aws, "123456789012").reading(&line.to_string()) else {
        panic!("it is not read")
    };
    let template: Value = serde_json::from_str(TEMPLATE).unwrap();
    let resources = template["Resources"].as_object().unwrap().iter();
    let written: BTreeSet<(String, String)> =
        resources.map(|(id, one)| (id.clone(), one["Type"].as_str().unwrap().to_owned())).collect();
    assert_eq!(read(&call), written);
    assert!(written.len() >= 50, "{}", written.len());
    let partial = call
        .effects
        .iter()
        .filter(|effect| effect.parameters.completeness() != Completeness::Complete)
        .count();
    assert!(partial <= 2, "{partial} effects are read in part");
}
