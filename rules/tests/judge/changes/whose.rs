//! Who has to approve what a request touches, and what it may do beside what was planned.
//!
//! Leaves out values (`mod.rs`).

use super::{CHANGE, TERMINATE, approved, refused};

/// A change that takes away a database and a host by one request, and one thing that two teams own.
const BOTH: &str = r#"
---
apiVersion: ordain/v1
kind: Inventory
metadata: {name: shared}
spec:
  source: shared
  account: "111122223333"
  resources:
  - {id: one, type: "rds:db", name: "arn:aws:rds:eu-west-1:111122223333:db:shared", identifiers: [shared], owner: data}
  - {id: two, type: "rds:db", name: "arn:aws:rds:eu-west-1:111122223333:db:shared", identifiers: [shared], owner: web}
---
apiVersion: ordain/v1
kind: Change
metadata: {name: both}
spec:
  type: normal
  why: both go
  author: paul
  actors: [outside]
  from: 2026-11-24T09:00:00Z
  until: 2026-11-24T12:00:00Z
  account: "111122223333"
  region: eu-west-1
  items:
  - id: both
    type: rds:db
    calls:
    - {operation: "rds:DeleteDBInstance", takes: {DBInstanceIdentifier: {$in: [warehouse, shared]}, Host: i-0web}}
"#;

fn emergency() -> String {
    BOTH.replace("type: normal", "type: emergency\n  review: 2026-11-25T09:00:00Z")
}

fn delete(database: &str, more: &str) -> String {
    format!(
        "pipeline outside
    effect rds:DeleteDBInstance delete
    target rds:db arn:aws:rds:eu-west-1:111122223333:db:{database} DBInstanceIdentifier={database}
    {more}DBInstanceIdentifier = {database}"
    )
}

fn codes(text: &str) -> Vec<String> {
    text.lines().map(|line| line.split(':').next().unwrap().to_owned()).collect()
}

#[test]
fn what_several_own_is_approved_by_all_of_them_and_in_an_emergency_by_one() {
    let shared = delete("shared", "");
    assert_eq!(codes(&refused(&approved(BOTH, &["omar"]), &shared)), ["unplanned", "change_not_approved"]);
    assert_eq!(refused(&approved(BOTH, &["omar", "olivia"]), &shared), "");
    assert_eq!(refused(&approved(&emergency(), &["omar"]), &shared), "");
    assert_ne!(
        refused(&approved(&emergency(), &["pia"]), &shared),
        "",
        "who owns nothing of it approves nothing"
    );
}

/// Whoever brings something of their own along has no say in what is another's.
#[test]
fn an_owner_of_one_thing_approves_nothing_of_another_in_an_emergency_either() {
    let host = "target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web Host=i-0web
    Host = i-0web
    ";
    let two = delete("warehouse", host);
    for change in [BOTH.to_owned(), emergency()] {
        for by in ["omar", "olivia"] {
            let said = refused(&approved(&change, &[by]), &two);
            assert!(codes(&said).contains(&"change_not_approved".to_owned()), "{by}: {said}");
        }
        assert_eq!(refused(&approved(&change, &["omar", "olivia"]), &two), "");
    }
}

/// A batch does what each of its parts does: one that was planned takes no other along.
#[test]
fn what_a_request_does_beside_is_planned_or_it_is_not_done() {
    let shop = approved(CHANGE, &["olivia"]);
    assert_eq!(refused(&shop, TERMINATE), "");
    let beside = |text: &str| refused(&shop, &format!("{TERMINATE}\n    {text}"));
    // Without a word of its own, on something of the same owner.
    let group = "effect ec2:DeleteSecurityGroup delete
    target ec2:security-group arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0web";
    let said = beside(group);
    assert!(
        said.contains("`arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0web` is not what was planned"),
        "{said}"
    );
    // On the account as a whole, and what cannot be read.
    let account = "effect ec2:DisableEverything delete
    target aws:account arn:aws:iam::111122223333:root scope";
    assert!(beside(account).contains("is not what was planned"), "{}", beside(account));
    let opaque = "effect ec2:RebootInstances update
    target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web InstanceId=i-0web
    opaque";
    assert!(beside(opaque).contains("not every parameter of it can be read"), "{}", beside(opaque));
    // By the same words it is part of what was planned, and by those of a call beside it.
    let same = "effect ec2:StopInstances update
    target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web InstanceId=i-0web
    InstanceId.1 = i-0web";
    assert_eq!(beside(same), "");
    let modify = "effect ec2:ModifyInstanceAttribute update
    target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/{id} InstanceId={id}
    InstanceId = {id}";
    assert_eq!(beside(&modify.replace("{id}", "i-0web")), "");
    assert!(beside(&modify.replace("{id}", "i-0other")).contains("was not planned"));
}

/// What begins alike is not the same.
#[test]
fn words_beside_are_compared_to_their_end() {
    let long = "x".repeat(300);
    let own = CHANGE.split_once("  items:").unwrap().0;
    let change = format!(
        "{own}  items:\n  - id: it\n    type: x:y\n    calls:\n    - {{operation: \"ec2:Say\", takes: {{Text: {long}}}}}\n"
    );
    let shop = approved(&change, &["olivia"]);
    let say = |other: &str| {
        format!(
            "pipeline outside
    effect ec2:Say update
    target aws:account arn:aws:iam::111122223333:root scope
    Text = {long}
    effect ec2:SayMore update
    target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web InstanceId={long}
    Text = {other}"
        )
    };
    assert_eq!(refused(&shop, &say(&long)), "");
    assert!(refused(&shop, &say(&format!("{long}y"))).contains("was not planned"));
}

/// A body that is a list has no members, and is not nothing.
#[test]
fn a_call_without_parameters_has_none_of_any_kind() {
    let own = CHANGE.split_once("  items:").unwrap().0;
    let change =
        format!("{own}  items:\n  - id: it\n    type: x:y\n    calls:\n    - operation: ec2:EnableIt\n");
    let shop = approved(&change, &["olivia"]);
    let enable = |more: &str| {
        format!(
            "pipeline outside
    effect ec2:EnableIt update
    target aws:account arn:aws:iam::111122223333:root scope{more}"
        )
    };
    assert_eq!(refused(&shop, &enable("")), "");
    for more in ["\n    Region = all", "\n    1.Region = all"] {
        assert!(refused(&shop, &enable(more)).contains("Region=all` was not planned"), "{more}");
    }
}
