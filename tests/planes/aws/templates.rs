//! Templates that others wrote must be read into the resources that another reader finds in them, or be refused.
//!
//! The requests are made by `templates.py` and kept compressed in `templates/`. Leaves out what each resource opens or
//! grants, which the room's own cases show.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use ordain_action::{Access, Call, Plane, Reading, Upstream};
use ordain_decode::line::{At, read_request};
use ordain_decode::{Rooms, RoomsConfig};
use serde::Deserialize;

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

fn lines() -> impl Iterator<Item = String> {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/planes/aws/templates/requests.jsonl.zst");
    let file = File::open(path).expect("the templates are kept beside this file");
    let plain = zstd::Decoder::new(file).expect("it is a zstd stream");
    BufReader::new(plain).lines().map(|line| line.expect("the file is text"))
}

/// The resources that effects are about, each by the name that the template gives it.
fn read(call: &Call) -> BTreeSet<(String, String)> {
    let of = |name: &str, effect: &ordain_action::Effect| effect.parameters.text(name).map(str::to_owned);
    call.effects
        .iter()
        .filter_map(|effect| Some((of("LogicalResourceId", effect)?, of("TypeName", effect)?)))
        .collect()
}

/// What is wrong with what was read; nothing where it is what the other reader says.
fn fault(expected: &Expected, call: &Call) -> Option<String> {
    if call.effects.iter().all(|effect| effect.access == Access::Read) {
        return Some("a change is read as a read".to_owned());
    }
    let read = read(call);
    let Some(resources) = &expected.expect_resources else {
        return Some("the other reader takes it for no template".to_owned());
    };
    for (id, type_name) in resources {
        let own = type_name.strip_prefix("AWS::Serverless::").is_some_and(|short| short != "Application");
        let found = if own {
            read.iter().any(|(read, _)| read.starts_with(id.as_str()))
        } else {
            read.contains(&(id.clone(), type_name.clone()))
        };
        if !found {
            return Some(format!("`{id}` is not read as `{type_name}`"));
        }
    }
    let more = read.iter().find(|(id, _)| !resources.iter().any(|(known, _)| id.starts_with(known.as_str())));
    if let Some((id, _)) = more {
        return Some(format!("`{id}` is not in the template"));
    }
    let mut types: BTreeSet<&str> = read.iter().map(|(_, name)| name.as_str()).collect();
    // An application of the vendor's repository is a stack of its own, by another name.
    if types.contains("AWS::Serverless::Application") {
        types.insert("AWS::CloudFormation::Stack");
    }
    let made = expected.expect_made.iter().flatten().filter(|name| !LESSER.contains(&name.as_str()));
    let missing: Vec<&str> = made.map(String::as_str).filter(|name| !types.contains(name)).collect();
    (!missing.is_empty()).then(|| format!("the transform makes {} too", missing.join(", ")))
}

#[test]
fn templates_of_others_are_read_as_another_reader_does() {
    let rooms = Rooms::new(RoomsConfig::default()).expect("the built-in rooms load");
    let upstream = Upstream {
        name: "default".into(),
        plane: Plane::Aws,
        account: "123456789012".into(),
        partition: "aws".into(),
    };
    let (mut exact, mut resources) = (0, 0);
    let mut refused: BTreeMap<&str, usize> = BTreeMap::new();
    let mut faults = Vec::new();
    for line in lines() {
        let expected: Expected = serde_json::from_str(&line).expect("the templates are JSON lines");
        let (_, reading) = read_request(&rooms, At { upstream: &upstream, served: true }, &line)
            .expect("a line is a request");
        match reading {
            Reading::Undecodable { why, .. } => {
                *refused.entry(why.reason_code).or_default() += 1;
                // What another reader takes is refused for nothing but how it is written.
                if expected.expect_resources.is_some() && !STRICT.contains(&why.reason_code) {
                    faults.push(format!("{}: {why}", expected.id));
                }
                if crate::harness::variable("ORDAIN_TEST_TEMPLATES_REFUSED").is_some() {
                    eprintln!("{}: {}: {why}", expected.id, expected.expect_resources.is_some());
                }
            }
            Reading::Call(call) => match fault(&expected, &call) {
                None => {
                    exact += 1;
                    resources += expected.expect_resources.iter().flatten().count();
                }
                Some(fault) => faults.push(format!("{}: {fault}", expected.id)),
            },
        }
    }
    eprintln!(
        "{exact} templates exact, with {resources} resources; refused: {refused:?}; {} wrong",
        faults.len()
    );
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(exact >= 250, "most templates are read");
}
