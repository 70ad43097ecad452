//! Plans as changes: what was asked of the API when a plan was carried out is what the change takes in, and nothing that
//! is secret gets into it.

#![expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "what is asked for is there, or the test fails"
)]

use std::collections::BTreeMap;

use expect_test::expect;
use jiff::Timestamp;
use ordain_rules::import::{
    ChangeTold, ImportedChange, Recorded, change_set, recorded_request, terraform_plan,
};
use serde_json::Value;

use crate::matcher::{Change, Identities, Request};
use crate::source;

const CREATE: &str = include_str!("change/create.json");
const UPDATE: &str = include_str!("change/update.json");
const REPLACE: &str = include_str!("change/replace.json");
const DESTROY: &str = include_str!("change/destroy.json");
const RECORDED: &str = include_str!("change/recorded.json");

fn actors() -> Vec<String> {
    vec!["deploy".to_owned()]
}

fn told(actors: &[String]) -> ChangeTold<'_> {
    let time = |text: &str| Some(text.parse::<Timestamp>().unwrap());
    ChangeTold {
        name: "web-42",
        why: "the web shop",
        author: "alice",
        actors,
        from: time("2026-11-28T10:00:00Z"),
        until: time("2026-11-29T10:00:00Z"),
        account: Some("123456789012"),
        ..ChangeTold::default()
    }
}

fn imported(plan: &str) -> ImportedChange {
    let actors = actors();
    terraform_plan(&source("plan.json", plan), &told(&actors)).unwrap()
}

/// The items of a change, without the indent that all have.
fn items(text: &str) -> String {
    let items = text.split("  items:\n").nth(1).unwrap();
    items.lines().map(|line| format!("{}\n", &line[2..])).collect()
}

fn identities() -> Identities {
    let recorded: Value = serde_json::from_str(RECORDED).unwrap();
    serde_json::from_value(recorded["identities"].clone()).unwrap()
}

/// What a plan's change does not take in of what was recorded when it was carried out.
fn refused(plan: &str, step: &str) -> String {
    let mut recorded: BTreeMap<String, Value> = serde_json::from_str(RECORDED).unwrap();
    let requests: Vec<Request> = serde_json::from_value(recorded.remove(step).unwrap()).unwrap();
    let mut change = Change::read(&imported(plan).text, &identities());
    let refused = requests.iter().filter_map(|request| change.take(request).err());
    refused.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_a_plan_creates_is_taken_in() {
    expect![""].assert_eq(&refused(CREATE, "create"));
}

#[test]
fn what_a_plan_updates_is_taken_in() {
    expect![""].assert_eq(&refused(UPDATE, "update"));
}

#[test]
fn what_a_plan_replaces_is_taken_in() {
    expect![""].assert_eq(&refused(REPLACE, "replace"));
}

#[test]
fn what_a_plan_destroys_is_taken_in() {
    expect![""].assert_eq(&refused(DESTROY, "destroy"));
}

/// A plan with these changes and this configuration, as `terraform show -json` prints one.
fn plan(changes: &Value, configuration: &Value) -> String {
    let region = serde_json::json!({"aws": {"expressions": {"region": {"constant_value": "eu-west-1"}}}});
    let mut configuration = configuration.clone();
    configuration["provider_config"] = region;
    serde_json::json!({
        "format_version": "1.2", "complete": true, "errored": false,
        "resource_changes": changes, "configuration": configuration,
    })
    .to_string()
}

/// What is sensitive in a place, by its marks.
fn sensitive(value: &Value, marks: &Value, all: &mut Vec<String>) {
    match (value, marks) {
        (Value::String(text), Value::Bool(true)) => all.push(text.clone()),
        (Value::Object(members), Value::Bool(true)) => {
            members.values().for_each(|member| sensitive(member, marks, all));
        }
        (Value::Object(members), Value::Object(marks)) => {
            for (name, mark) in marks {
                members.get(name).into_iter().for_each(|member| sensitive(member, mark, all));
            }
        }
        (Value::Array(items), Value::Array(marks)) => {
            items.iter().zip(marks).for_each(|(item, mark)| sensitive(item, mark, all));
        }
        (Value::Array(items), Value::Bool(true)) => items.iter().for_each(|item| sensitive(item, marks, all)),
        _ => {}
    }
}

#[test]
fn nothing_sensitive_gets_into_a_change() {
    let mut seen = 0;
    for text in [CREATE, UPDATE, REPLACE, DESTROY] {
        let written: Value = serde_json::from_str(text).unwrap();
        let change = imported(text);
        let mut all = Vec::new();
        for resource in written["resource_changes"].as_array().unwrap() {
            for side in ["before", "after"] {
                let marks = &resource["change"][format!("{side}_sensitive")];
                sensitive(&resource["change"][side], marks, &mut all);
            }
        }
        // A parameter of one letter is in any text.
        for secret in all.iter().filter(|secret| secret.len() > 3) {
            seen += 1;
            assert!(!change.text.contains(secret.as_str()), "{secret}");
            assert!(!change.left_out.concat().contains(secret.as_str()), "{secret}");
        }
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn what_is_sensitive_is_said_to_be_a_secret_wherever_it_stands() {
    let changes = serde_json::json!([{
        "address": "aws_sqs_queue.q", "mode": "managed", "type": "aws_sqs_queue", "name": "q",
        "change": {
            "actions": ["update"],
            "before": {"id": "https://sqs/1/q", "arn": "arn:aws:sqs:eu-west-1:111122223333:hidden-name", "name": "hidden-name",
                "tags_all": {"a": "hidden-before"}, "policy": "{\"hidden-policy\":1}"},
            "after": {"id": "https://sqs/1/q", "arn": "arn:aws:sqs:eu-west-1:111122223333:hidden-name", "name": "hidden-name",
                "tags_all": {"a": "hidden-tag", "b": "shown"}, "policy": "{\"hidden-policy\":2}"},
            "before_sensitive": {"name": true, "arn": true, "policy": true, "tags_all": {"a": true}},
            "after_sensitive": {"name": true, "arn": true, "policy": true, "tags_all": {"a": true}},
        },
    }]);
    let actors = actors();
    let change = terraform_plan(&source("plan.json", &plan(&changes, &Value::Null)), &told(&actors)).unwrap();
    let items = items(&change.text);
    expect![[r#"
          - id: aws_sqs_queue.q
            type: sqs:queue
            action: update
            identifiers: [https://sqs/1/q]
            calls:
            - operation: sqs:SetQueueAttributes
              takes: {Attributes: {Policy: {$secret: true}}, QueueUrl: {$of: aws_sqs_queue.q}}
              must: [QueueUrl]
            - operation: sqs:TagQueue
              takes: {QueueUrl: {$of: aws_sqs_queue.q}, Tags: {a: {$secret: true}, b: shown}}
              must: [QueueUrl, Tags]
    "#]]
    .assert_eq(&items);
    assert!(!change.text.contains("hidden"), "{}", change.text);
}

#[test]
fn what_a_vocabulary_does_not_know_is_told() {
    let changes = serde_json::json!([
        {"address": "aws_new_thing.a", "mode": "managed", "type": "aws_new_thing", "name": "a",
            "change": {"actions": ["create"], "before": null, "after": {"name": "a", "size": 3}, "after_unknown": {"id": true}}},
        {"address": "random_id.r", "mode": "managed", "type": "random_id", "name": "r",
            "change": {"actions": ["create"], "before": null, "after": {}, "after_unknown": {"id": true}}},
        {"address": "data.aws_ami.a", "mode": "data", "type": "aws_ami", "name": "a",
            "change": {"actions": ["read"], "before": null, "after": {}, "after_unknown": {"id": true}}},
    ]);
    let configuration = serde_json::json!({"root_module": {"resources": [
        {"address": "aws_new_thing.a", "mode": "managed", "type": "aws_new_thing", "name": "a", "provider_config_key": "aws",
            "expressions": {"name": {"constant_value": "a"}}},
    ]}});
    let text = plan(&changes, &configuration);
    let actors = actors();
    let change = terraform_plan(&source("plan.json", &text), &told(&actors)).unwrap();
    expect![[r#"
        1 × `aws_new_thing`: the vocabulary does not know it, so that its requests are denied; give a vocabulary with `aws_new_thing`
        1 × `random_id`: not a resource of AWS"#]].assert_eq(&change.left_out.join("\n"));
    expect![[r##"
        # Imported: change the source and import again.
        apiVersion: ordain/v1
        kind: Change
        metadata:
          name: web-42
        spec:
          type: normal
          why: "the web shop"
          author: alice
          actors: [deploy]
          from: "2026-11-28T10:00:00Z"
          until: "2026-11-29T10:00:00Z"
          uses: 1
          source: terraform
          revision: sha256:ece7c9e7cff78663b4e5e009ce71b27609de8f70f6a517555d36f553a8aa8b41
          plane: aws
          account: "123456789012"
          region: eu-west-1
          items:
          - id: aws_new_thing.a
            type: aws_new_thing
            action: create
            notes: ["the vocabulary does not know `aws_new_thing`: its requests are denied until one does"]
            calls: []
    "##]]
    .assert_eq(&change.text);

    // Whoever knows it says so in a file of their own.
    let words = [source(
        "ours.yaml",
        "aws_new_thing:\n  type: new:thing\n  create:\n  - {call: new:CreateThing, creates: true, takes: {Name!: .name, Size: .size}}\n",
    )];
    let told = ChangeTold { vocabularies: &words, ..told(&actors) };
    let change = terraform_plan(&source("plan.json", &text), &told).unwrap();
    expect![[r#"
          - id: aws_new_thing.a
            type: new:thing
            action: create
            calls: [{operation: new:CreateThing, creates: true, takes: {Name: a, Size: 3}, must: [Name]}]
    "#]]
    .assert_eq(&items(&change.text));
}

#[test]
fn a_vocabulary_that_cannot_be_read_is_refused_with_the_place() {
    let refused = |words: &str| {
        let (words, actors) = ([source("ours.yaml", words)], actors());
        let told = ChangeTold { vocabularies: &words, ..told(&actors) };
        terraform_plan(&source("plan.json", CREATE), &told).unwrap_err().to_string()
    };
    let call = |takes: &str| format!("aws_x:\n  create:\n  - {{call: x:Create, takes: {takes}}}\n");
    let all = [
        refused("- a"),
        refused("aws_x: {creates: []}"),
        refused("aws_x: {create: {}}"),
        refused("aws_x: {create: [{takes: {}}]}"),
        refused("aws_x: {create: [{call: Create}]}"),
        refused("aws_x: {create: [{call: x:Create, time: 2}]}"),
        refused("aws_x: {create: [{call: x:Create, times: 0}]}"),
        refused(&call("[]")),
        refused(&call("{A: \"@me\"}")),
        refused(&call("{A: {B: .Name}}")),
        refused(&call("{A: {$tag: .b}}")),
        refused(&call("{A: {$each: .b}}")),
        refused(&call("{A: {$json: .b, as: .c}}")),
        refused(&call("{A: {$format: \"a{.b\"}}")),
        refused("aws_x: {}\naws_x: {}"),
    ];
    expect![[r#"
        cannot import `ours.yaml`: it is no vocabulary: it has to be a map of Terraform's types to what is known of each
        cannot import `ours.yaml`: it is no vocabulary: `aws_x`: `creates` is not known; of a type there may be `type`, `name`, `id`, `knownBy`, `create`, `update`, `delete` and `read`
        cannot import `ours.yaml`: it is no vocabulary: `aws_x`: `create` has to be a list of calls; begin each with a dash
        cannot import `ours.yaml`: it is no vocabulary: `aws_x`: `create`: a call has no `call`; write the operation, for example `call: ec2:CreateVpc`
        cannot import `ours.yaml`: it is no vocabulary: `aws_x`: `create`: a call has no `call`; write the operation, for example `call: ec2:CreateVpc`
        cannot import `ours.yaml`: it is no vocabulary: `aws_x`: `create`: `x:Create`: `time` is not known; of a call there may be `call`, `creates`, `partial`, `times`, `when`, `each` and `takes`
        cannot import `ours.yaml`: it is no vocabulary: `aws_x`: `create`: `x:Create`: `times` has to be a whole number from 1 on
        cannot import `ours.yaml`: it is no vocabulary: `aws_x`: `create`: `x:Create`: `takes` has to be a map of parameters
        cannot import `ours.yaml`: it is no vocabulary: `aws_x`: `create`: `x:Create`: `takes.A`: `@me` is not known; there are `@self`, `@account`, `@region` and `@partition`
        cannot import `ours.yaml`: it is no vocabulary: `aws_x`: `create`: `x:Create`: `takes.A.B`: `.Name` is no attribute; what is meant as it stands is written `{$literal: .Name}`
        cannot import `ours.yaml`: it is no vocabulary: `aws_x`: `create`: `x:Create`: `takes.A`: `$tag` is not known; there are `$any`, `$case`, `$composed`, `$data`, `$each`, `$first`, `$format`, `$glob`, `$in`, `$join`, `$json`, `$keys`, `$literal`, `$name`, `$none`, `$secret` and `$tags`
        cannot import `ours.yaml`: it is no vocabulary: `aws_x`: `create`: `x:Create`: `takes.A`: `$each` has no `as`; say what each is
        cannot import `ours.yaml`: it is no vocabulary: `aws_x`: `create`: `x:Create`: `takes.A`: `as` does not go with `$json`; remove it
        cannot import `ours.yaml`: it is no vocabulary: `aws_x`: `create`: `x:Create`: `takes.A`: a brace is not closed; add `}`
        cannot import `ours.yaml`: it is no vocabulary: it cannot be read: duplicate entry with key "aws_x""#]].assert_eq(&all.join("\n"));
}

#[test]
fn what_is_no_whole_plan_is_refused() {
    let actors = actors();
    let refused =
        |text: &str| terraform_plan(&source("plan.json", text), &told(&actors)).unwrap_err().to_string();
    let changed = |from: &str, to: &str| refused(&CREATE.replacen(from, to, 1));
    let all = [
        refused("{}"),
        refused("nonsense"),
        refused(r#"{"version": 4, "resources": []}"#),
        refused(r#"{"format_version": "1.0", "values": {}}"#),
        changed("\"format_version\":\"1.2\"", "\"format_version\":\"2.0\""),
        changed("\"errored\":false", "\"errored\":true"),
        changed("\"complete\":true", "\"complete\":false"),
        changed("\"complete\":true", "\"deferred_changes\":[{}]"),
        changed("\"errored\":false", "\"errored\":false,\"errored\":true"),
        changed("\"actions\":[\"create\"]", "\"actions\":[\"explode\"]"),
        changed("\"actions\":[\"create\"]", "\"actions\":[\"create\"],\"actions\":[\"delete\"]"),
        refused(r#"{"format_version": "1.2", "resource_changes": []}"#),
    ];
    expect![[r#"
        cannot import `plan.json`: it is no plan; give the output of `terraform show -json` or `tofu show -json` of a saved plan
        cannot import `plan.json`: it is not a plan that can be read: expected ident at line 1 column 2; give the output of `terraform show -json` or `tofu show -json` of a saved plan
        cannot import `plan.json`: it is no plan; give the output of `terraform show -json` or `tofu show -json` of a saved plan
        cannot import `plan.json`: it is no plan but a state; give the output of `terraform show -json` or `tofu show -json` of a saved plan
        cannot import `plan.json`: its format is `2.0` and 1 is known; write it again with a present release
        cannot import `plan.json`: planning ended in an error; plan again
        cannot import `plan.json`: some of its changes are deferred, so that it is not all; apply what can be, plan again and import that
        cannot import `plan.json`: some of its changes are deferred, so that it is not all; apply what can be, plan again and import that
        cannot import `plan.json`: it is not a plan that can be read: `errored` is given twice; remove one at line 212 column 64; give the output of `terraform show -json` or `tofu show -json` of a saved plan
        cannot import `plan.json`: `aws_api_gateway_method.a` is to be changed by `explode`, which is not known; plan again
        cannot import `plan.json`: it is not a plan that can be read: `actions` is given twice; remove one at line 3 column 203; give the output of `terraform show -json` or `tofu show -json` of a saved plan
        cannot import `plan.json`: it changes nothing of AWS; there is nothing to approve"#]].assert_eq(&all.join("\n"));
}

#[test]
fn what_a_plan_does_not_say_has_to_be_told() {
    let actors = actors();
    let refused =
        |told: ChangeTold<'_>| terraform_plan(&source("plan.json", CREATE), &told).unwrap_err().to_string();
    let whole = || told(&actors);
    let all = [
        refused(ChangeTold { name: "", ..whole() }),
        refused(ChangeTold { name: "a b", ..whole() }),
        refused(ChangeTold { why: " ", ..whole() }),
        refused(ChangeTold { author: "", ..whole() }),
        refused(ChangeTold { actors: &[], ..whole() }),
        refused(ChangeTold { from: None, ..whole() }),
        refused(ChangeTold { until: None, ..whole() }),
        refused(ChangeTold { until: whole().from, ..whole() }),
        refused(ChangeTold { uses: Some(0), ..whole() }),
        refused(ChangeTold { account: None, ..whole() }),
    ];
    expect![[r#"
        cannot import `plan.json`: the change needs a name of letters, digits, `-`, `_` and `.`, which the source does not say; give it
        cannot import `plan.json`: the change needs a name of letters, digits, `-`, `_` and `.`, which the source does not say; give it
        cannot import `plan.json`: the change needs a reason (why), which the source does not say; give it
        cannot import `plan.json`: the change needs an author, which the source does not say; give it
        cannot import `plan.json`: the change needs an actor or a group who may carry it out, which the source does not say; give it
        cannot import `plan.json`: the change needs a time from which and a time until which it may be carried out, which the source does not say; give it
        cannot import `plan.json`: the change needs a time from which and a time until which it may be carried out, which the source does not say; give it
        cannot import `plan.json`: it would end at 2026-11-28T10:00:00Z and begin at 2026-11-28T10:00:00Z; give a later end
        cannot import `plan.json`: no call of it may take effect; give `uses` from 1 on
        cannot import `plan.json`: it does not say which account it is for; give the account"#]].assert_eq(&all.join("\n"));
}

const SET: &str = r#"{
    "ChangeSetName": "wider", "ChangeSetId": "arn:aws:cloudformation:eu-west-1:111122223333:changeSet/wider/0a",
    "StackId": "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/0b", "StackName": "shop",
    "Parameters": [{"ParameterKey": "Password", "ParameterValue": "hunter2"}],
    "Status": "CREATE_COMPLETE", "ExecutionStatus": "AVAILABLE", "Changes": [
        {"Type": "Resource", "ResourceChange": {"Action": "Modify", "LogicalResourceId": "Db", "PhysicalResourceId": "shop",
            "ResourceType": "AWS::RDS::DBInstance", "Replacement": "True", "Details": []}},
        {"Type": "Resource", "ResourceChange": {"Action": "Add", "LogicalResourceId": "Queue", "ResourceType": "AWS::SQS::Queue"}},
        {"Type": "Resource", "ResourceChange": {"Action": "Remove", "LogicalResourceId": "Old", "PhysicalResourceId": "old",
            "ResourceType": "AWS::S3::Bucket"}}]}"#;

#[test]
fn a_change_set_is_one_request_and_what_it_does_is_told() {
    let actors = actors();
    let read = |text: &str| change_set(&source("set.json", text), &told(&actors));
    let change = read(SET).unwrap();
    assert!(!change.text.contains("hunter2"));
    expect![[r#"
        - id: shop/wider
          type: cloudformation:stack
          action: update
          name: arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/0b
          identifiers: [arn:aws:cloudformation:eu-west-1:111122223333:changeSet/wider/0a, shop]
          notes:
          - "add: `Queue` (AWS::SQS::Queue)"
          - "it is carried out by its identifier alone: another set may have its name later"
          - "modify: `Db` (AWS::RDS::DBInstance, `shop`), and is replaced"
          - "remove: `Old` (AWS::S3::Bucket, `old`)"
          calls:
          - operation: cloudformation:ExecuteChangeSet
            partial: true
            takes:
              ChangeSetName: arn:aws:cloudformation:eu-west-1:111122223333:changeSet/wider/0a
              StackName: {$in: [arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/0b, shop]}
            must: [ChangeSetName]
    "#]]
    .assert_eq(&items(&change.text));
    let refused = |from: &str, to: &str| read(&SET.replacen(from, to, 1)).unwrap_err().to_string();
    let all = [
        refused("AVAILABLE", "EXECUTE_COMPLETE"),
        refused("CREATE_COMPLETE", "FAILED"),
        refused("\"Changes\"", "\"NextToken\": \"n\", \"Changes\""),
        refused("\"StackName\"", "\"ChangeSetName\""),
        read("{}").unwrap_err().to_string(),
    ];
    expect![[r#"
        cannot import `set.json`: it cannot be carried out (`EXECUTE_COMPLETE`); make it again
        cannot import `set.json`: it cannot be carried out (`FAILED`); make it again
        cannot import `set.json`: it is only a part of the change set; give the output of `aws cloudformation describe-change-set` with all its pages
        cannot import `set.json`: it is not a change set that can be read: `ChangeSetName` is given twice; remove one at line 3 column 101; give the output of `aws cloudformation describe-change-set`
        cannot import `set.json`: it is no change set; give the output of `aws cloudformation describe-change-set`"#]].assert_eq(&all.join("\n"));
}

#[test]
fn a_recorded_request_may_be_made_as_it_was() {
    let leaves = serde_json::json!([
        ["InstanceType", "text", "t3.micro"],
        ["MaxCount", "number", "1"],
        ["EbsOptimized", "bool", false],
        ["SecurityGroupId.1", "text", "sg-1"],
        ["SecurityGroupId.2", "text", "sg-2"],
        ["UserData", "token", "hmac-sha256:00"],
        ["Tags.member.1.Key", "text", "a"],
        ["Tags.member.1.Value", "text", "b"],
        ["KeyName", "empty", ""],
    ]);
    let record = serde_json::json!({"predicate": {
        "actor": {"upstream": {"account": "111122223333"}},
        "content": {"whole": {"reading": {"call": {"plane": "aws", "region": "eu-west-1", "effects": [{
            "service": "ec2", "operation": "RunInstances", "access": "create",
            "resources": [{"role": "target", "kind": "ec2:instance", "name": "arn:aws:ec2:eu-west-1:111122223333:instance/i-1",
                "identifiers": [["InstanceId", "i-1"]]}],
            "parameters": {"completeness": "complete", "leaves": leaves},
        }]}}}},
    }});
    let (actors, open) = (actors(), ["Tags.Value".to_owned()]);
    let read = |text: &str| {
        recorded_request(&source("record.json", text), &Recorded { open: &open }, &told(&actors))
    };
    let change = read(&record.to_string()).unwrap();
    assert!(!change.text.contains("hmac"));
    expect![[r#"
        - id: ec2:RunInstances
          type: ec2:instance
          action: create
          name: arn:aws:ec2:eu-west-1:111122223333:instance/i-1
          identifiers: [i-1]
          notes: ["`Tags.Value` is left open: it may be anything"]
          calls:
          - operation: ec2:RunInstances
            creates: true
            takes:
              EbsOptimized: false
              InstanceType: t3.micro
              KeyName: ""
              MaxCount: "1"
              SecurityGroupId: [sg-1, sg-2]
              Tags: [{Key: a, Value: {$any: []}}]
              UserData: {$secret: true}
            must:
            - EbsOptimized
            - InstanceType
            - KeyName
            - MaxCount
            - SecurityGroupId
            - Tags.Key
            - Tags.Value
            - UserData
    "#]]
    .assert_eq(&items(&change.text));
    let all = [
        read("{}").unwrap_err().to_string(),
        read(&format!("[{record}, {record}]")).unwrap_err().to_string(),
        read("[").unwrap_err().to_string(),
    ];
    expect![[r#"
        cannot import `record.json`: it holds no request that was read whole; give one record as `ordain ledger query -o json` prints it
        cannot import `record.json`: it is 2 records; give one record as `ordain ledger query -o json` prints it
        cannot import `record.json`: it is not a record that can be read: EOF while parsing a list at line 1 column 1; give one record as `ordain ledger query -o json` prints it"#]].assert_eq(&all.join("\n"));
}
