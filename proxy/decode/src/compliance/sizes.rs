//! What is too much is refused, where a case would be too long to be written down.
//!
//! Leaves out what is too much for a form, which each form shows itself.

use serde_json::{Value, json};

use super::*;

fn shown(head: &str, body: &str) -> String {
    show(&rooms(), &request(&format!("{head}\n\n{body}")))
}

#[test]
fn scim_judges_no_part_of_a_body() {
    let head = |line: &str| format!("{line}\nplane: scim acme\ncontent-type: application/scim+json");
    let many = "1,".repeat(5_000);
    // The last member is not among what is kept.
    let body = format!("{{\"a\":[{many}1],\"roles\":[\"admin\"]}}");
    let patch = format!(
        "{{\"Operations\":[{{\"op\":\"add\",\"path\":\"title\",\"value\":[{many}1]}},{{\"op\":\"add\",\"path\":\"roles\",\"value\":\"admin\"}}]}}"
    );
    for (line, body) in [("POST /Users", &body), ("PUT /Users/1", &body), ("PATCH /Users/1", &patch)] {
        let shown = shown(&head(line), body);
        assert!(shown.starts_with("undecodable too_many_parameters"), "{line}: {shown:.100}");
    }
}

fn stack(template: &str) -> String {
    let head = "POST /\nsign: eu-west-1/cloudformation\ncontent-type: application/x-www-form-urlencoded; charset=utf-8";
    let lines = format!("Action=CreateStack\nVersion=2010-05-15\nStackName=s\nTemplateBody={template}");
    shown(head, &format!("form\n{lines}"))
}

#[test]
fn a_small_template_does_not_come_to_gigabytes() {
    let long = "x".repeat(100_000);
    let found = vec![json!({"Fn::FindInMap": ["M", "a", "b"]}); 200];
    let template = |mapped: Value, tags: Value| {
        let mut resources =
            json!({"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q", "Tags": tags}}});
        resources[&long] = json!({"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "r"}});
        json!({"Mappings": {"M": {"a": {"b": mapped}}}, "Resources": resources}).to_string()
    };
    let mut named = json!({});
    named[&long] = json!(1);
    let mut many = json!({});
    many[&long] = json!(vec![1; 200]);
    let functions = "its functions come to more than is read at once";
    for (what, template, expected) in [
        ("what is not known", template(json!({"Fn::ImportValue": long}), json!(found)), functions),
        ("names of members", template(named, json!(found)), functions),
        ("names of resources", template(json!({"Fn::GetAtt": [long, "Arn"]}), json!(found)), functions),
        ("names on the way", template(json!(1), many), "one resource has more properties than are read"),
    ] {
        let shown = stack(&template);
        assert!(shown.starts_with("undecodable unread_template"), "{what}: {shown:.300}");
        assert!(shown.contains(expected), "{what}: {shown:.300}");
    }
}
