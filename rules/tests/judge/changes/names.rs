//! What is the same thing by another name, and what is not; what is given twice, or in part.
//!
//! Leaves out values (`mod.rs`).

use ordain_rules::Ruling;

use super::{CHANGE, approved, judged, refused};
use crate::support::told;

#[test]
fn a_name_by_its_end_is_the_same_thing_and_no_other() {
    let item = |kind: &str, name: &str, calls: &str| {
        let own = CHANGE.split_once("  items:").unwrap().0;
        format!("{own}  items:\n  - id: it\n    type: {kind}\n    name: {name}\n    calls:\n{calls}")
    };
    let ecr = item(
        "ecr:repository",
        "arn:aws:ecr:eu-west-1:111122223333:repository/team/app",
        "    - {operation: \"ecr:DeleteRepository\", takes: {repositoryName: {$of: it}}}\n",
    );
    let shop = approved(&ecr, &["olivia"]);
    let delete = |name: &str| {
        format!(
            "pipeline outside
    effect ecr:DeleteRepository delete
    target ecr:repository arn:aws:ecr:eu-west-1:111122223333:repository/{name} repositoryName={name}
    repositoryName = {name}"
        )
    };
    assert_eq!(refused(&shop, &delete("team/app")), "");
    for other in ["app", "other/app", "team/app/x"] {
        let refused = refused(&shop, &delete(other));
        assert!(refused.contains(&format!("`repositoryName={other}` was not planned")), "{refused}");
    }
    let role = item(
        "iam:role",
        "arn:aws:iam::111122223333:role/path/app",
        "    - {operation: \"iam:DeleteRole\", takes: {RoleName: {$of: it}}}\n",
    );
    let delete = "pipeline outside
    effect iam:DeleteRole delete
    target iam:role arn:aws:iam::111122223333:role/app RoleName=app
    RoleName = app";
    assert_eq!(
        refused(&approved(&role, &["olivia"]), delete),
        "",
        "no two roles of an account have one name"
    );
}

#[test]
fn what_is_planned_once_in_a_list_is_given_once_and_values_are_all_given() {
    let own = CHANGE.split_once("  items:").unwrap().0;
    let change = format!(
        "{own}  items:\n  - id: it\n    type: x:y\n    calls:\n    - operation: ec2:RunSteps\n      takes:\n        Steps:\n        - {{Name: one, Command: [rm, --dry-run]}}\n        Labels: {{a.b: c}}\n"
    );
    let shop = approved(&change, &["olivia"]);
    let run = |more: &str| {
        format!(
            "pipeline outside
    effect ec2:RunSteps update
    target aws:account arn:aws:iam::111122223333:root scope
    Steps.1.Name = one
    Steps.1.Command.1 = rm
    Steps.1.Command.2 = --dry-run
    Labels.a\\.b = c{more}"
        )
    };
    assert_eq!(refused(&shop, &run("")), "");
    let twice =
        run("\n    Steps.2.Name = one\n    Steps.2.Command.1 = rm\n    Steps.2.Command.2 = --dry-run");
    assert_ne!(refused(&shop, &twice), "", "once is not twice");
    let less = run("").replace("    Steps.1.Command.2 = --dry-run\n", "");
    assert_ne!(refused(&shop, &less), "", "a command that lacks a word is another");
}

#[test]
fn who_acts_for_one_owner_carries_out_what_the_other_approved_and_uses_it() {
    let own = CHANGE.split_once("  items:").unwrap().0.replace("actors: [outside]", "actors: [alice]");
    let change = format!(
        "{own}  items:\n  - id: both\n    type: rds:db\n    calls:\n    - {{operation: \"rds:DeleteDBInstance\", takes: {{DBInstanceIdentifier: warehouse, Host: i-0web}}}}\n"
    );
    let both = "person alice
    effect rds:DeleteDBInstance update
    target rds:db arn:aws:rds:eu-west-1:111122223333:db:warehouse DBInstanceIdentifier=warehouse
    target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web Host=i-0web
    DBInstanceIdentifier = warehouse
    Host = i-0web";
    let judged = judged(&approved(&change, &["omar"]), both);
    let refusals: Vec<&str> = judged
        .verdict
        .reasons
        .iter()
        .filter(|reason| reason.ruling == Ruling::Deny && reason.count == ordain_rules::Count::Ownership)
        .map(|reason| reason.text.as_str())
        .collect();
    assert_eq!(refusals, [""; 0]);
    assert_eq!(judged.verdict.ruling, Ruling::Admit, "{}", told(&judged));
    assert_eq!(judged.uses.len(), 1, "what an approval decided is counted");
    assert!(judged.verdict.change.is_some());
}
