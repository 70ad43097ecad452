//! What AWS Resource Explorer lists: what it becomes, and what the model makes of that.

use expect_test::expect;
use ordain_rules::import::{ImportError, Imported, ResourceExplorer, resource_explorer};
use ordain_rules::{Mode, Modes, Snapshot};

use crate::source;

const FIRST: &str = r#"{"Resources": [
  {"Arn": "arn:aws:ec2:eu-west-1:111122223333:instance/i-0a1b2c3d4e5f60004", "LastReportedAt": "2026-11-23T10:00:00+00:00",
   "OwningAccountId": "111122223333", "Region": "eu-west-1", "ResourceType": "ec2:instance", "Service": "ec2",
   "Properties": [{"LastReportedAt": "2026-11-23T10:00:00+00:00", "Name": "tags",
                   "Data": [{"Key": "team", "Value": "web"}, {"Key": "Name", "Value": "web-1"}]}]},
  {"Arn": "arn:aws:iam::111122223333:role/service/web", "OwningAccountId": "111122223333", "Region": "global",
   "ResourceType": "iam:role", "Service": "iam", "Properties": []},
  {"Arn": "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/resize:*", "OwningAccountId": "111122223333",
   "Region": "eu-west-1", "ResourceType": "logs:log-group", "Service": "logs",
   "Properties": [{"Name": "secrets", "Data": [{"Key": "token", "Value": "hunter2-of-a-property"}]}]},
  {"OwningAccountId": "111122223333", "Region": "eu-west-1", "Service": "ec2"}],
 "ViewArn": "arn:aws:resource-explorer-2:eu-west-1:111122223333:view/all/0a1b", "NextToken": "hunter2-of-the-page"}"#;

const SECOND: &str = r#"{"Count": {"Complete": false, "TotalResources": 1000}, "Resources": [
  {"Arn": "arn:aws:ec2:eu-west-1:111122223333:instance/i-0a1b2c3d4e5f60004", "OwningAccountId": "111122223333",
   "Region": "eu-west-1", "ResourceType": "ec2:instance", "Service": "ec2"},
  {"Arn": "arn:aws:s3:::shop-assets", "OwningAccountId": "444455556666", "Region": "eu-west-1",
   "ResourceType": "s3:bucket", "Service": "s3",
   "Properties": [{"Name": "tags", "Data": [{"Key": "Owner", "Value": "data"}]}]}]}"#;

fn import(texts: &[&str]) -> Result<Imported, ImportError> {
    let sources: Vec<_> =
        texts.iter().zip(1..).map(|(text, at)| source(&format!("{at}.json"), text)).collect();
    resource_explorer(
        &sources,
        ResourceExplorer { name: None, as_of: Some("2026-11-24T10:00:00Z".parse().unwrap()) },
    )
}

#[test]
fn pages_become_one_inventory() {
    let imported = import(&[FIRST, SECOND]).unwrap();
    assert_eq!(imported.file, "resource-explorer-111122223333.yaml");
    expect![[r##"
        # Imported: change the source and import again.
        apiVersion: ordain/v1
        kind: Inventory
        metadata:
          name: "111122223333"
        spec:
          source: "resource-explorer:111122223333"
          asOf: 2026-11-24T10:00:00Z
          plane: aws
          account: "111122223333"
          resources:
            - {"id":"arn:aws:ec2:eu-west-1:111122223333:instance/i-0a1b2c3d4e5f60004","type":"ec2:instance","name":"arn:aws:ec2:eu-west-1:111122223333:instance/i-0a1b2c3d4e5f60004","identifiers":["i-0a1b2c3d4e5f60004"],"region":"eu-west-1","tags":{"Name":"web-1","team":"web"}}
            - {"id":"arn:aws:iam::111122223333:role/service/web","type":"iam:role","name":"arn:aws:iam::111122223333:role/service/web","identifiers":["web"]}
            - {"id":"arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/resize","type":"logs:log-group","name":"arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/resize","identifiers":["resize"],"region":"eu-west-1"}
            - {"id":"arn:aws:s3:::shop-assets","type":"s3:bucket","name":"arn:aws:s3:::shop-assets","identifiers":["shop-assets"],"account":"444455556666","tags":{"Owner":"data"}}
    "##]].assert_eq(&imported.text);
    expect![[r#"
        ImportSummary {
            facts: 4,
            relations: 0,
            unowned: 2,
            owners: {
                "data",
                "web",
            },
            accounts: {
                "111122223333",
                "444455556666",
            },
            left_out: [
                "1 × a resource without its ARN and type",
                "`2.json`: the search found more than it lists; give the output of `list-resources`",
            ],
        }
    "#]]
    .assert_debug_eq(&imported.summary);
    for secret in ["hunter2-of-a-property", "hunter2-of-the-page"] {
        assert!(FIRST.contains(secret), "the page does hold `{secret}`");
        assert!(!imported.text.contains(secret), "`{secret}` was kept");
    }
}

#[test]
fn what_was_imported_has_owners_and_names_in_the_model() {
    let imported = import(&[FIRST, SECOND]).unwrap();
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
            entries: 4,
            relations: 0,
            unowned: 2,
            actors: 0,
            groups: 2,
            rules: 28,
            sources: {
                "resource-explorer:111122223333": 4,
            },
        }
    "#]]
    .assert_debug_eq(&snapshot.summary());
    let owned: Vec<String> =
        snapshot.inventory().map(|fact| format!("{} {}", fact.name, fact.owners.join(","))).collect();
    expect![[r#"
        arn:aws:ec2:eu-west-1:111122223333:instance/i-0a1b2c3d4e5f60004 web
        arn:aws:iam::111122223333:role/service/web 
        arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/resize 
        arn:aws:s3:::shop-assets data"#]]
    .assert_eq(&owned.join("\n"));
}

#[test]
fn what_is_no_list_is_refused_with_what_to_give() {
    let refused = |texts: &[&str]| import(texts).unwrap_err().to_string();
    expect!["cannot import `1.json`: it is no list of Resource Explorer; give the output of `aws resource-explorer-2 list-resources` or `search`"].assert_eq(&refused(&["{\"Stacks\": []}"]));
    expect!["cannot import `1.json`: it cannot be read at line 1 column 1; give the output of `aws resource-explorer-2 list-resources` or `search`"].assert_eq(&refused(&["password: hunter2"]));
    // A template of CloudFormation has a member of that name too.
    expect!["cannot import `1.json`: it cannot be read at line 1 column 14; give the output of `aws resource-explorer-2 list-resources` or `search`"].assert_eq(&refused(&["{\"Resources\": {\"Web\": {\"Type\": \"AWS::EC2::Instance\"}}}"]));
    expect!["cannot import `1.json`: it lists no resource; give the output of `aws resource-explorer-2 list-resources` or `search`"].assert_eq(&refused(&["{\"Resources\": []}"]));
    expect!["cannot import `2.json`: it is no list of Resource Explorer; give the output of `aws resource-explorer-2 list-resources` or `search`"].assert_eq(&refused(&[FIRST, "{\"Views\": []}"]));
    expect!["cannot import ``: it lists no resource; give the output of `aws resource-explorer-2 list-resources` or `search`"].assert_eq(&refused(&[]));
}
