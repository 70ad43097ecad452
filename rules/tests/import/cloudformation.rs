//! Stacks of CloudFormation: what they become, and what the model makes of that.
//!
//! `stacks.json` and `template.yaml` are written by hand after what the command line prints of a small shop.

use expect_test::{expect, expect_file};
use ordain_rules::import::{CloudFormation, ImportError, Imported, cloudformation};
use ordain_rules::{Mode, Modes, Snapshot};

use crate::source;

const STACKS: &str = include_str!("stacks.json");
const TEMPLATE: &str = include_str!("template.yaml");
const NETWORK: &str = r#"{"TemplateBody": {"Resources": {
    "Vpc": {"Type": "AWS::EC2::VPC"},
    "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}}}}}, "StagesAvailable": ["Original"]}"#;
const QUEUE: &str = r#"{"StackResourceSummaries": [{"LogicalResourceId": "Bus", "ResourceStatus": "CREATE_COMPLETE",
    "PhysicalResourceId": "https://sqs.us-gov-west-1.amazonaws.com/111122223333/bus", "ResourceType": "AWS::SQS::Queue",
    "LastUpdatedTimestamp": "2026-11-20T09:00:00Z"}]}"#;

fn import(texts: &[&str]) -> Result<Imported, ImportError> {
    let sources: Vec<_> =
        texts.iter().zip(1..).map(|(text, at)| source(&format!("{at}.json"), text)).collect();
    cloudformation(
        &sources,
        CloudFormation { name: None, as_of: Some("2026-11-24T10:00:00Z".parse().unwrap()) },
    )
}

fn refused(texts: &[&str]) -> String {
    import(texts).unwrap_err().to_string()
}

fn stack(id: &str, name: &str) -> String {
    format!(
        "{{\"Stacks\":[{{\"StackId\":\"{id}\",\"StackName\":\"{name}\",\"StackStatus\":\"CREATE_COMPLETE\"}}]}}"
    )
}

#[test]
fn stacks_become_an_inventory_without_parameters_and_outputs() {
    let imported = import(&[STACKS, TEMPLATE, NETWORK]).unwrap();
    assert_eq!(imported.file, "cloudformation-111122223333.yaml");
    expect_file!["./stacks.yaml"].assert_eq(&imported.text);
    expect![[r#"
        ImportSummary {
            facts: 22,
            relations: 41,
            unowned: 0,
            owners: {
                "network",
                "web",
            },
            accounts: {
                "111122223333",
            },
            left_out: [
                "1 × a resource in state `DELETE_COMPLETE`",
                "1 × a resource of a stack in state `DELETE_COMPLETE`",
                "1 × a resource without a physical id, which was not made",
                "1 × a stack in state `DELETE_COMPLETE`",
            ],
        }
    "#]]
    .assert_debug_eq(&imported.summary);
    for (text, secret) in [
        (STACKS, "hunter2-of-a-parameter"),
        (STACKS, "hunter2-of-an-output"),
        (STACKS, "hunter2-of-a-custom-resource"),
        (TEMPLATE, "hunter2-of-a-default"),
        (TEMPLATE, "hunter2-of-user-data"),
        (TEMPLATE, "hunter2-of-a-property"),
    ] {
        assert!(text.contains(secret), "the file does hold `{secret}`");
        assert!(!imported.text.contains(secret), "`{secret}` was kept");
    }
}

#[test]
fn a_template_says_the_same_in_each_form() {
    let bare = import(&[STACKS, TEMPLATE]).unwrap();
    let wrapped = serde_json::json!({"TemplateBody": TEMPLATE}).to_string();
    assert_eq!(import(&[STACKS, &wrapped]).unwrap(), bare);
    let without = import(&[STACKS]).unwrap();
    assert!(without.summary.relations < bare.summary.relations);
    let yaml = "Resources:\n  Vpc: {Type: AWS::EC2::VPC}\n  Subnet:\n    Type: AWS::EC2::Subnet\n    Properties: {VpcId: !Ref Vpc}\n";
    assert_eq!(import(&[STACKS, yaml]).unwrap(), import(&[STACKS, NETWORK]).unwrap());
    assert!(import(&[STACKS, yaml]).unwrap().summary.relations > without.summary.relations);
    // In any order of the files.
    assert_eq!(import(&[TEMPLATE, STACKS]).unwrap().text, bare.text);
}

#[test]
fn a_template_of_no_stack_relates_nothing_and_is_told() {
    let other =
        r#"{"Resources": {"Vpc": {"Type": "AWS::EC2::Subnet"}, "Subnet": {"Type": "AWS::EC2::VPC"}}}"#;
    let imported = import(&[STACKS, other]).unwrap();
    assert_eq!(imported.text, import(&[STACKS]).unwrap().text);
    expect!["`2.json`: no stack that is given has the resources it declares; give `describe-stack-resources` of its stack, and of a template with a transform what `get-template --template-stage Processed` prints"].assert_eq(imported.summary.left_out.last().unwrap());
}

#[test]
fn resources_without_their_stack_belong_to_the_only_one() {
    let bus = stack("arn:aws-us-gov:cloudformation:us-gov-west-1:111122223333:stack/bus/0a1b", "bus");
    let imported = import(&[QUEUE, &bus]).unwrap();
    assert_eq!(imported.file, "cloudformation-bus.yaml");
    expect![[r##"
        # Imported: change the source and import again.
        apiVersion: ordain/v1
        kind: Inventory
        metadata:
          name: "bus"
        spec:
          source: "cloudformation:bus"
          asOf: 2026-11-24T10:00:00Z
          plane: aws
          account: "111122223333"
          resources:
            - {"id":"bus","type":"cloudformation:stack","name":"arn:aws-us-gov:cloudformation:us-gov-west-1:111122223333:stack/bus/0a1b","identifiers":["bus"],"region":"us-gov-west-1"}
            - {"id":"bus/Bus","type":"sqs:queue","name":"arn:aws-us-gov:sqs:us-gov-west-1:111122223333:bus","identifiers":["https://sqs.us-gov-west-1.amazonaws.com/111122223333/bus"],"region":"us-gov-west-1","changed":"2026-11-20T09:00:00Z"}
          relations:
            - {"from":"bus/Bus","type":"partOf","to":"bus"}
    "##]].assert_eq(&imported.text);
    expect!["cannot import `1.json`: it does not say its stack; give the output of `describe-stacks` for that stack with it"].assert_eq(&refused(&[QUEUE]));
    expect!["cannot import `2.json`: it does not say its stack, and 2 stacks are given; give the output of `describe-stack-resources` instead, or import one stack at a time"].assert_eq(&refused(&[STACKS, QUEUE]));
}

#[test]
fn stacks_of_one_name_in_two_regions_are_two() {
    let one = stack("arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/0a", "shop");
    let other = stack("arn:aws:cloudformation:us-east-1:444455556666:stack/shop/0b", "shop");
    let imported = import(&[&one, &other, &one]).unwrap();
    expect![[r##"
        # Imported: change the source and import again.
        apiVersion: ordain/v1
        kind: Inventory
        metadata:
          name: "111122223333"
        spec:
          source: "cloudformation:111122223333"
          asOf: 2026-11-24T10:00:00Z
          plane: aws
          account: "111122223333"
          resources:
            - {"id":"arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/0a","type":"cloudformation:stack","name":"arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/0a","identifiers":["shop"],"region":"eu-west-1"}
            - {"id":"arn:aws:cloudformation:us-east-1:444455556666:stack/shop/0b","type":"cloudformation:stack","name":"arn:aws:cloudformation:us-east-1:444455556666:stack/shop/0b","identifiers":["shop"],"account":"444455556666","region":"us-east-1"}
    "##]].assert_eq(&imported.text);
}

#[test]
fn what_was_imported_has_owners_and_relations_in_the_model() {
    let imported = import(&[STACKS, TEMPLATE, NETWORK]).unwrap();
    let people = "
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: web}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: network}
spec: {type: team, children: []}
";
    let files = [source(&imported.file, &imported.text), source("people.yaml", people)];
    let snapshot = Snapshot::load(&files, Modes::new(Mode::Enforce)).unwrap();
    expect![[r#"
        Summary {
            entries: 22,
            relations: 41,
            unowned: 0,
            actors: 0,
            groups: 2,
            rules: 28,
            sources: {
                "cloudformation:111122223333": 22,
            },
        }
    "#]]
    .assert_debug_eq(&snapshot.summary());
    let owned: Vec<String> =
        snapshot.inventory().map(|fact| format!("{} {}", fact.name, fact.owners.join(","))).collect();
    expect![[r#"
        arn:aws:cloudformation:eu-west-1:111122223333:stack/shop-Network-1ABC/5b1c0f20-0000-11ee-8000-0a0000000002 network
        arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/5b1c0f20-0000-11ee-8000-0a0000000001 web
        arn:aws:ec2:eu-west-1:111122223333:instance/i-0a1b2c3d4e5f60004 web
        arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0a1b2c3d4e5f60003 web
        arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-0a1b2c3d4e5f60002 network
        arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-0a1b2c3d4e5f60001 network
        arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shop/0a1b2c3d web
        arn:aws:iam::111122223333:instance-profile/shop-Profile-ABC web
        arn:aws:iam::111122223333:role/shop-WebRole-ABC web
        arn:aws:iam::111122223333:role/shop-deploy web
        arn:aws:kms:eu-west-1:111122223333:alias/shop web
        arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000001 web
        arn:aws:lambda:eu-west-1:111122223333:event-source-mapping:0a1b2c3d-0000-4000-8000-000000000002 web
        arn:aws:lambda:eu-west-1:111122223333:function:shop-Resize-ABC web
        arn:aws:rds:eu-west-1:111122223333:db:shop-orders-abc web
        arn:aws:s3:::shop-assets-abc web
        arn:aws:sqs:eu-west-1:111122223333:shop-Queue-ABC web
        arn:aws:ssm:eu-west-1:111122223333:parameter/shop/setting web
        cloudformation:111122223333#shop/AssetsPolicy web
        cloudformation:111122223333#shop/BatchRole web
        cloudformation:111122223333#shop/Seed web
        cloudformation:111122223333#shop/WebPolicy web"#]].assert_eq(&owned.join("\n"));
}

#[test]
fn what_says_nothing_of_stacks_is_refused_with_what_to_give() {
    expect!["cannot import `1.json`: it says nothing of stacks; give the output of `aws cloudformation describe-stacks`, `describe-stack-resources`, `list-stack-resources` or `get-template`, or a template"].assert_eq(&refused(&["{\"Resources\": []}"]));
    expect!["cannot import `1.json`: it says nothing of stacks; give the output of `aws cloudformation describe-stacks`, `describe-stack-resources`, `list-stack-resources` or `get-template`, or a template"].assert_eq(&refused(&["password: hunter2"]));
    expect!["cannot import `1.json`: its `Stacks` are in no form that is known; give the output of `aws cloudformation describe-stacks`, `describe-stack-resources`, `list-stack-resources` or `get-template`, or a template"].assert_eq(&refused(&["{\"Stacks\": \"hunter2\"}"]));
    expect!["cannot import `1.json`: it is neither JSON nor YAML that can be read at line 2 column 1; give the output of `aws cloudformation describe-stacks`, `describe-stack-resources`, `list-stack-resources` or `get-template`, or a template"].assert_eq(&refused(&["a: [hunter2"]));
    expect!["cannot import `1.json`: it holds no stack that exists; give the output of `aws cloudformation describe-stacks`, `describe-stack-resources`, `list-stack-resources` or `get-template`, or a template"].assert_eq(&refused(&["{\"Stacks\": []}"]));
    expect!["cannot import `1.json`: it holds no stack that exists; give the output of `aws cloudformation describe-stacks`, `describe-stack-resources`, `list-stack-resources` or `get-template`, or a template"].assert_eq(&refused(&[TEMPLATE]));
    expect!["cannot import ``: it holds no stack that exists; give the output of `aws cloudformation describe-stacks`, `describe-stack-resources`, `list-stack-resources` or `get-template`, or a template"].assert_eq(&refused(&[]));
}
