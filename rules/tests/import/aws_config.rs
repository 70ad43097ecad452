//! Configuration items of AWS Config: what they become, and what the model makes of that.
//!
//! `config_snapshot.json` is written by hand after what the service delivers of a small shop.

use expect_test::{expect, expect_file};
use ordain_rules::import::{AwsConfig, ImportError, Imported, aws_config};
use ordain_rules::{Mode, Modes, Snapshot};

use crate::source;

const SNAPSHOT: &str = include_str!("config_snapshot.json");

fn import(texts: &[&str]) -> Result<Imported, ImportError> {
    let sources: Vec<_> =
        texts.iter().zip(1..).map(|(text, at)| source(&format!("{at}.json"), text)).collect();
    aws_config(
        &sources,
        AwsConfig { name: Some("shop"), as_of: Some("2026-11-24T10:00:00Z".parse().unwrap()) },
    )
}

fn refused(texts: &[&str]) -> String {
    import(texts).unwrap_err().to_string()
}

#[test]
fn a_snapshot_becomes_an_inventory_without_what_is_configured() {
    let imported = import(&[SNAPSHOT]).unwrap();
    assert_eq!(imported.file, "aws-config-shop.yaml");
    expect_file!["./config_snapshot.yaml"].assert_eq(&imported.text);
    expect![[r#"
        ImportSummary {
            facts: 18,
            relations: 23,
            unowned: 16,
            owners: {
                "data",
                "web",
            },
            accounts: {
                "111122223333",
            },
            left_out: [
                "1 × `AWS::Config::ResourceCompliance`: it says how a resource is judged",
                "1 × `ResourceDeleted`: it is not there, or not recorded",
                "1 × a relation to what is not in the import; import that too",
            ],
        }
    "#]]
    .assert_debug_eq(&imported.summary);
    for secret in ["hunter2-in-user-data", "hunter2-of-database", "token-of-the-function", "API_TOKEN"] {
        assert!(SNAPSHOT.contains(secret), "the snapshot does hold `{secret}`");
        assert!(!imported.text.contains(secret), "`{secret}` was kept");
    }
}

#[test]
fn each_pair_is_related_once_and_what_holds_something_does_not_depend_on_it() {
    let imported = import(&[SNAPSHOT]).unwrap();
    for (dependant, kind, dependency) in [
        ("subnet/subnet-0a1b2c3d4e5f60002", "partOf", "vpc/vpc-0a1b2c3d4e5f60001"),
        ("subnet/subnet-0a1b2c3d4e5f60002", "dependsOn", "route-table/rtb-0a1b2c3d4e5f60008"),
        ("instance/i-0a1b2c3d4e5f60004", "guardedBy", "security-group/sg-0a1b2c3d4e5f60003"),
        ("instance/i-0a1b2c3d4e5f60004", "dependsOn", "volume/vol-0a1b2c3d4e5f60005"),
        ("instance/i-0a1b2c3d4e5f60004", "dependsOn", "elastic-ip/eipalloc-0a1b2c3d4e5f60007"),
        ("network-interface/eni-0a1b2c3d4e5f60006", "dependsOn", "instance/i-0a1b2c3d4e5f60004"),
    ] {
        let name = |path: &str| format!("\"arn:aws:ec2:eu-west-1:111122223333:{path}\"");
        let edge = |from: &str, to: &str| {
            format!("{{\"from\":{},\"type\":\"{kind}\",\"to\":{}}}", name(from), name(to))
        };
        assert!(imported.text.contains(&edge(dependant, dependency)), "{dependant} {kind} {dependency}");
        let back = format!("{{\"from\":{},\"type\":", name(dependency));
        let mut backward = imported.text.lines().filter(|line| line.contains(&back));
        assert!(
            !backward.any(|line| line.ends_with(&format!("{}}}", name(dependant)))),
            "{dependency} to {dependant}"
        );
    }
}

#[test]
fn who_may_use_something_is_no_dependency() {
    let imported = import(&[SNAPSHOT]).unwrap();
    for (name, member) in [
        ("arn:aws:ecr:eu-west-1:111122223333:repository/shop", "RepositoryPolicyText"),
        ("arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000001", "\"Policy\": \"{"),
    ] {
        assert!(SNAPSHOT.contains(member), "the snapshot does hold `{member}`");
        let from = format!("{{\"from\":\"{name}\"");
        assert!(!imported.text.contains(&from), "the policy of `{name}` relates it to a role");
    }
}

#[test]
fn the_api_has_other_words_for_the_same() {
    let history = r#"{"configurationItems": [{
        "version": "1.3", "accountId": "111122223333", "arn": "arn:aws:sqs:eu-west-1:111122223333:orders",
        "awsRegion": "eu-west-1", "resourceType": "AWS::SQS::Queue", "resourceId": "https://sqs.eu-west-1.amazonaws.com/111122223333/orders",
        "resourceName": "orders", "configurationItemCaptureTime": "2026-11-20T09:00:00.250000+01:00",
        "configurationItemStatus": "OK", "configurationStateId": "1", "tags": {"team": "data"},
        "relationships": [], "configuration": "{\"KmsMasterKeyId\":\"arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000001\"}"}]}"#;
    let batch = r#"{"baseConfigurationItems": [{
        "accountId": "111122223333", "arn": "arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000001",
        "awsRegion": "eu-west-1", "resourceType": "AWS::KMS::Key", "resourceId": "0a1b2c3d-0000-4000-8000-000000000001",
        "configurationItemCaptureTime": 1763625600.5, "configurationItemStatus": "ResourceDiscovered",
        "supplementaryConfiguration": {}, "configuration": "{}"}], "unprocessedResourceKeys": []}"#;
    let select = r#"{"Results": ["{\"accountId\":\"444455556666\",\"awsRegion\":\"us-east-1\",\"resourceType\":\"AWS::DynamoDB::Table\",\"resourceId\":\"carts\",\"arn\":\"arn:aws:dynamodb:us-east-1:444455556666:table/carts\",\"tags\":[{\"tag\":\"team=web\",\"key\":\"team\",\"value\":\"web\"}],\"relationships\":[{\"resourceType\":\"AWS::KMS::Key\",\"resourceId\":\"0a1b2c3d-0000-4000-8000-000000000001\",\"relationshipName\":\"Is associated with Key\"}]}", "{\"awsRegion\":\"us-east-1\"}"],
        "QueryInfo": {"SelectFields": [{"Name": "arn"}]}}"#;
    let imported = import(&[history, batch, select]).unwrap();
    expect![[r##"
        # Imported: change the source and import again.
        apiVersion: ordain/v1
        kind: Inventory
        metadata:
          name: "shop"
        spec:
          source: "aws-config:shop"
          asOf: 2026-11-24T10:00:00Z
          plane: aws
          account: "111122223333"
          resources:
            - {"id":"arn:aws:dynamodb:us-east-1:444455556666:table/carts","type":"dynamodb:table","name":"arn:aws:dynamodb:us-east-1:444455556666:table/carts","identifiers":["carts"],"account":"444455556666","region":"us-east-1","tags":{"team":"web"}}
            - {"id":"arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000001","type":"kms:key","name":"arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000001","identifiers":["0a1b2c3d-0000-4000-8000-000000000001"],"region":"eu-west-1","changed":"2025-11-20T08:00:00Z"}
            - {"id":"arn:aws:sqs:eu-west-1:111122223333:orders","type":"sqs:queue","name":"arn:aws:sqs:eu-west-1:111122223333:orders","identifiers":["https://sqs.eu-west-1.amazonaws.com/111122223333/orders","orders"],"region":"eu-west-1","tags":{"team":"data"},"revision":"1","changed":"2026-11-20T08:00:00.25Z"}
          relations:
            - {"from":"arn:aws:sqs:eu-west-1:111122223333:orders","type":"keyedBy","to":"arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000001"}
    "##]].assert_eq(&imported.text);
    expect![[r#"
        [
            "1 × a relation to what is not in the import; import that too",
            "1 × an item without its type and id; ask for `resourceType`, `resourceId` and `arn`",
        ]
    "#]]
    .assert_debug_eq(&imported.summary.left_out);
}

#[test]
fn of_one_resource_the_last_item_counts_and_a_deleted_one_is_gone() {
    let item = |time: &str, status: &str, team: &str| {
        format!(
            "{{\"accountId\":\"1\",\"awsRegion\":\"eu-west-1\",\"resourceType\":\"AWS::SNS::Topic\",\
             \"resourceId\":\"arn:aws:sns:eu-west-1:1:orders\",\"arn\":\"arn:aws:sns:eu-west-1:1:orders\",\
             \"configurationItemCaptureTime\":\"{time}\",\"configurationItemStatus\":\"{status}\",\
             \"tags\":{{\"team\":\"{team}\"}}}}"
        )
    };
    let items = |items: &[String]| format!("{{\"configurationItems\":[{}]}}", items.join(","));
    let early = item("2026-11-01T00:00:00Z", "ResourceDiscovered", "early");
    let late = item("2026-11-02T00:00:00Z", "OK", "late");
    for order in [[early.clone(), late.clone()], [late.clone(), early.clone()]] {
        let imported = import(&[&items(&order)]).unwrap();
        assert_eq!((imported.summary.facts, imported.summary.owners.contains("late")), (1, true));
    }
    let gone = item("2026-11-03T00:00:00Z", "ResourceDeleted", "");
    let text = refused(&[&items(&[gone, early, late])]);
    assert!(text.starts_with("cannot import `1.json`: it holds no resource that exists; give a"), "{text}");
}

#[test]
fn what_was_imported_has_owners_and_relations_in_the_model() {
    let imported = import(&[SNAPSHOT]).unwrap();
    let people = "
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: web}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: data}
spec: {type: team, children: []}
";
    let files = [source(&imported.file, &imported.text), source("people.yaml", people)];
    let snapshot = Snapshot::load(&files, Modes::new(Mode::Enforce)).unwrap();
    expect![[r#"
        Summary {
            entries: 18,
            relations: 23,
            unowned: 16,
            actors: 0,
            groups: 2,
            rules: 28,
            sources: {
                "aws-config:shop": 18,
            },
        }
    "#]]
    .assert_debug_eq(&snapshot.summary());
    let owned: Vec<String> =
        snapshot.inventory().map(|fact| format!("{} {}", fact.name, fact.owners.join(","))).collect();
    expect![[r#"
        arn:aws:ec2:eu-west-1:111122223333:elastic-ip/eipalloc-0a1b2c3d4e5f60007 
        arn:aws:ec2:eu-west-1:111122223333:instance/i-0a1b2c3d4e5f60004 web
        arn:aws:ec2:eu-west-1:111122223333:network-interface/eni-0a1b2c3d4e5f60006 
        arn:aws:ec2:eu-west-1:111122223333:route-table/rtb-0a1b2c3d4e5f60008 
        arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0a1b2c3d4e5f60003 
        arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-0a1b2c3d4e5f60002 
        arn:aws:ec2:eu-west-1:111122223333:volume/vol-0a1b2c3d4e5f60005 
        arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-0a1b2c3d4e5f60001 
        arn:aws:ecr:eu-west-1:111122223333:repository/shop 
        arn:aws:iam::111122223333:instance-profile/web 
        arn:aws:iam::111122223333:policy/web 
        arn:aws:iam::111122223333:role/web 
        arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000001 
        arn:aws:lambda:eu-west-1:111122223333:function:resize 
        arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/resize 
        arn:aws:rds:eu-west-1:111122223333:db:orders data
        arn:aws:s3:::shop-assets 
        aws-config:shop#111122223333/eu-west-1/AWS::Shop::Unheard/thing-1 "#]]
    .assert_eq(&owned.join("\n"));
}

#[test]
fn what_holds_no_items_is_refused_with_what_to_give() {
    expect!["cannot import `1.json`: it holds no configuration items; give a configuration snapshot, or the output of `aws configservice batch-get-resource-config`, `get-resource-config-history` or `select-resource-config`"].assert_eq(&refused(&["{\"Stacks\": []}"]));
    expect!["cannot import `1.json`: it cannot be read at line 1 column 1; give a configuration snapshot, or the output of `aws configservice batch-get-resource-config`, `get-resource-config-history` or `select-resource-config`"].assert_eq(&refused(&["password: hunter2"]));
    expect!["cannot import `1.json`: it cannot be read at line 1 column 45; give a configuration snapshot, or the output of `aws configservice batch-get-resource-config`, `get-resource-config-history` or `select-resource-config`"].assert_eq(&refused(&["{\"configurationItems\": [{\"tags\": {}, \"arn\": 5}]}"]));
    expect!["cannot import `1.json`: row 1 of its results cannot be read at line 1 column 1; give a configuration snapshot, or the output of `aws configservice batch-get-resource-config`, `get-resource-config-history` or `select-resource-config`"].assert_eq(&refused(&["{\"Results\": [\"hunter2\"]}"]));
    expect!["cannot import `1.json`: it holds no resource that exists; give a configuration snapshot, or the output of `aws configservice batch-get-resource-config`, `get-resource-config-history` or `select-resource-config`"].assert_eq(&refused(&["{\"configurationItems\": []}"]));
    expect!["cannot import ``: it holds no resource that exists; give a configuration snapshot, or the output of `aws configservice batch-get-resource-config`, `get-resource-config-history` or `select-resource-config`"].assert_eq(&refused(&[]));
}

#[test]
fn ten_thousand_items_are_imported() {
    let item = |number: usize| {
        let instance = |number: usize| format!("i-0a1b2c3d{number:09}");
        serde_json::json!({
            "accountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": "AWS::EC2::Instance",
            "resourceId": instance(number), "configuration": {"before": instance(number.saturating_sub(1))},
            "relationships": [{"resourceType": "AWS::EC2::Instance", "resourceId": instance(number / 2),
                               "relationshipName": "Is contained in Instance"}],
        })
    };
    let items: Vec<_> = (0..10_000).map(item).collect();
    let imported = import(&[&serde_json::json!({"configurationItems": items}).to_string()]).unwrap();
    // Of each but the first: the one before it and its half, which for two of them are the same.
    assert_eq!((imported.summary.facts, imported.summary.relations), (10_000, 2 * 9_999 - 2));
}
