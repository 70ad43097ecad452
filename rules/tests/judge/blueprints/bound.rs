//! Whom a blueprint binds and where, tags on every plane, patches, and exceptions.
//!
//! Leaves out what each constraint allows (`constraints.rs`).

use expect_test::expect;

use super::{blueprint, said, said_of};
use crate::support::{SHOP, check_on, codes_on, model, models};

const SMALL: &str = "kind: Blueprint
metadata: {name: small}
spec:
  why: nobody needs more
  operations: ['ec2:RunInstances', 'ec2:Modify*']
  parameters:
  - {path: InstanceType, matches: 't3.*'}
";

const LARGE: &str = "effect ec2:RunInstances create\nparent ec2:subnet arn:aws:ec2:eu-west-1:111122223333:subnet/s\nInstanceType = m5.large";

#[test]
fn a_violation_denies_and_says_what_to_do() {
    check_on(
        &blueprint(SMALL),
        &format!("person alice\n{LARGE}"),
        expect![[r#"
        deny (enforce), no permit
        deny legitimacy blueprint_violated: `InstanceType` is `m5.large`, and blueprint `small` allows `t3.*`: nobody needs more
            → use what blueprint `small` allows, or ask `web` for an exception that lifts `blueprint:small`
        admit ownership owner_changes_own: `alice` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:subnet/s`
        owners: web
        reach: 0 + 0"#]],
    );
    let with = format!("{SMALL}  remedy: ask the platform team for larger ones\n");
    check_on(
        &blueprint(&with),
        &format!("person alice\n{LARGE}"),
        expect![[r#"
        deny (enforce), no permit
        deny legitimacy blueprint_violated: `InstanceType` is `m5.large`, and blueprint `small` allows `t3.*`: nobody needs more
            → ask the platform team for larger ones
        admit ownership owner_changes_own: `alice` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:subnet/s`
        owners: web
        reach: 0 + 0"#]],
    );
}

#[test]
fn it_binds_where_and_whom_it_says() {
    let violated = |more: &str, text: &str| !said_of(&blueprint(&format!("{SMALL}{more}")), text).is_empty();
    let alice = format!("person alice\n{LARGE}");
    let cleaner = format!("agent cleaner\n{LARGE}");
    assert!(violated("", &alice) && violated("", &cleaner));
    assert!(!violated("  actorKinds: [agent]\n", &alice));
    assert!(violated("  actorKinds: [agent]\n", &cleaner));
    assert!(violated(
        "  actorKinds: [agent]\n",
        &alice.replace("person alice", "person alice for agent cleaner")
    ));
    assert!(violated("  covers: {environments: [production]}\n", &alice));
    assert!(!violated("  covers: {environments: [testing]}\n", &alice));
    assert!(violated(
        "  covers: {names: ['arn:aws:ec2:*:instance/*']}\n",
        &alice.replace(
            "parent ec2:subnet arn:aws:ec2:eu-west-1:111122223333:subnet/s",
            "target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/* pattern"
        )
    ));
    assert!(!violated("  access: [update]\n", &alice));
    assert!(violated("  access: [create]\n", &alice));
    assert!(!violated("", &alice.replace("RunInstances", "StartInstances")), "another operation");
    assert!(!violated("", &alice.replace("create", "create data")), "data is not held against it");
}

#[test]
fn what_is_made_without_a_name_may_be_of_any_type() {
    let typed = format!("{SMALL}  types: ['ec2:volume']\n");
    let of = |target: &str| said_of(&blueprint(&typed), &format!("person alice\n{LARGE}\n{target}"));
    assert!(!of("").is_empty());
    assert!(of("target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web").is_empty());
    assert!(!of("target ec2:volume arn:aws:ec2:eu-west-1:111122223333:volume/v").is_empty());
}

#[test]
fn a_request_of_many_effects_is_told_once() {
    let twice = format!("person alice\n{LARGE}\n{}", LARGE.replace("create", "expose"));
    assert_eq!(said_of(&blueprint(SMALL), &twice).lines().count(), 1);
}

#[test]
fn several_blueprints_hold_at_once() {
    let both = format!(
        "{SMALL}---\n{}",
        SMALL
            .replace("name: small", "name: again")
            .replace("'ec2:RunInstances', 'ec2:Modify*'", "'ec2:Run*'")
    );
    expect![[r#"
        blueprint_violated: `InstanceType` is `m5.large`, and blueprint `again` allows `t3.*`: nobody needs more
        blueprint_violated: `InstanceType` is `m5.large`, and blueprint `small` allows `t3.*`: nobody needs more"#]].assert_eq(&said_of(&blueprint(&both), &format!("person alice\n{LARGE}")));
}

const EXCEPTION: &str = "---
kind: Exception
metadata: {name: load-test}
spec:
  lifts: ['blueprint:small']
  actors: [alice]
  covers: {accounts: ['111122223333']}
  owner: web
  approvedBy: dora
  why: the load test needs more
  from: 2026-11-01T00:00:00Z
  until: 2026-12-01T00:00:00Z
";

#[test]
fn an_exception_lifts_a_blueprint_by_its_name() {
    let snapshot = blueprint(&format!("{SMALL}{EXCEPTION}"));
    check_on(
        &snapshot,
        &format!("person alice\n{LARGE}"),
        expect![[r#"
        admit (enforce), permit Admitted
        admit legitimacy exception_lifted: exception `load-test` of `web` lifts `blueprint:small` for `alice` on `arn:aws:ec2:eu-west-1:111122223333:subnet/s` until 2026-12-01T00:00:00Z, approved by `dora`: the load test needs more
        admit ownership owner_changes_own: `alice` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:subnet/s`
        owners: web
        reach: 0 + 0"#]],
    );
    assert_eq!(codes_on(&snapshot, &format!("person alice\n{LARGE}")), "");
    assert!(codes_on(&snapshot, &format!("agent cleaner\n{LARGE}")).contains("blueprint_violated"));
    let both = codes_on(&snapshot, &format!("person alice for agent cleaner\n{LARGE}"));
    assert!(both.contains("blueprint_violated"), "all of those it is for are bound: {both}");
    assert_eq!(
        said_of(&snapshot, &format!("person alice\n{}", LARGE.replace("m5.large", "t3.micro"))),
        "",
        "nobody is excepted from what nobody would have refused"
    );
}

#[test]
fn tags_are_found_however_a_plane_writes_them() {
    let spec = "  tags: [team, {key: cost-center, matches: 'cc-*'}]";
    for tags in [
        "TagSpecification.1.ResourceType = instance\nTagSpecification.1.Tag.1.Key = team\nTagSpecification.1.Tag.1.Value = web\nTagSpecification.1.Tag.2.Key = cost-center\nTagSpecification.1.Tag.2.Value = cc-1",
        "Tags.member.1.Key = team\nTags.member.1.Value = web\nTags.member.2.Key = cost-center\nTags.member.2.Value = cc-1",
        "Tags.Tag.1.Key = team\nTags.Tag.1.Value = web\nTags.Tag.2.Key = cost-center\nTags.Tag.2.Value = cc-1",
        "Tags.1.TagKey = team\nTags.1.TagValue = web\nTags.2.TagKey = cost-center\nTags.2.TagValue = cc-1",
        "tags.1.key = team\ntags.1.value = web\ntags.2.key = cost-center\ntags.2.value = cc-1",
        "Tags.team = web\nTags.cost-center = cc-1",
        "DesiredState.Tags.1.Key = team\nDesiredState.Tags.1.Value = web\nDesiredState.Tags.2.Key = cost-center\nDesiredState.Tags.2.Value = cc-1",
        "x-amz-tagging = team=web&cost-center=cc-1",
    ] {
        assert_eq!(said(spec, tags), "", "{tags}");
        let other = said(spec, &tags.replace("team", "Team").replace("cc-1", "none"));
        assert_eq!(
            other,
            "tag `cost-center` is `none`, and blueprint `golden` allows `cc-*`\ntag `team` is not given, and blueprint `golden` requires it",
            "{tags}"
        );
    }
    let of_volume = "TagSpecification.1.ResourceType = volume\nTagSpecification.1.Tag.1.Key = team\nTagSpecification.1.Tag.1.Value = web";
    expect!["tag `team` is not given, and blueprint `golden` requires it"]
        .assert_eq(&said("  tags: [team]", of_volume));
    expect!["tag `team` is an empty text, and blueprint `golden` allows some text"]
        .assert_eq(&said("  tags: [team]", "Tags.1.Key = team"));
    assert_eq!(said("  tags: [{key: stage, in: [test], optional: true}]", "A = b"), "");
    expect!["`x-amz-tagging` says tags in a form that blueprint `golden` cannot read"]
        .assert_eq(&said("  tags: [team]", "x-amz-tagging = team=w%65b"));
}

#[test]
fn labels_are_tags_too() {
    let labelled = |plane: &str| {
        blueprint(&format!(
            "kind: Blueprint\nmetadata: {{name: labelled}}\nspec: {{why: so, operations: ['*'], tags: [team]}}\n{plane}"
        ))
    };
    let snapshot = labelled("");
    let azure = |access: &str, more: &str| {
        said_of(
            &snapshot,
            &format!(
                "person alice\neffect Microsoft.Storage:storageAccounts/write {access}\ntarget azure:a/b /subscriptions/1/resourcegroups/a/providers/microsoft.storage/storageaccounts/b\n{more}"
            ),
        )
    };
    assert_eq!(azure("create", "Tags.Team = web"), "");
    assert_ne!(azure("create", "location = x"), "");
    assert_eq!(azure("update", "location = x"), "");
    assert_ne!(azure("update", "tags.other = x"), "", "what is sent is all that there is afterwards");
    assert_ne!(azure("update", "tags := {}"), "");
    assert!(azure("tag", "tags.other = x\npartial").contains("tag `team` is not given"));
    assert_eq!(
        azure("tag", "tags.team = x\npartial"),
        "",
        "what is not named there is gone, and that is known"
    );
    assert!(azure("update", "location = x\npartial").contains("not all of them could be read"));
    let google = |access: &str, more: &str| {
        said_of(
            &snapshot,
            &format!(
                "person alice\neffect storage:buckets.insert {access}\ntarget gcp:storage/buckets //storage.googleapis.com/projects/_/buckets/b\n{more}"
            ),
        )
    };
    assert_eq!(google("create", "labels.team = web"), "");
    assert_eq!(google("create", "settings.userLabels.team = web"), "");
    assert_ne!(google("create", "labels.Team = web"), "");
}

fn cluster(spec: &str, what: &str) -> String {
    let text = format!(
        "apiVersion: ordain/v1\nkind: Blueprint\nmetadata: {{name: pods}}\nspec:\n  why: so\n  operations: ['apps:*/deployments']\n{spec}"
    );
    let snapshot = models(&[("cluster.yaml", include_str!("../cluster.yaml")), ("blue.yaml", &text)]);
    said_of(&snapshot, &format!("person alice\n{what}"))
}

#[test]
fn patches_are_held_by_what_they_make() {
    let spec = "  tags: [team]\n  parameters:\n  - {path: spec.template.spec.containers.image, matches: 'registry.example/*'}\n  - {path: spec.replicas, maximum: 5, required: true}";
    let of = |verb: &str, access: &str, more: &str| {
        cluster(
            spec,
            &format!(
                "effect apps:{verb}/deployments {access}\ntarget apps:deployments k8s://prod/apps/namespaces/shop/deployments/web\n{more}"
            ),
        )
    };
    let patch = |steps: &str| of("patch", "update", steps);
    assert_eq!(patch("1.op = replace\n1.path = /spec/replicas\n1.value := 3"), "");
    expect![[r#"
        blueprint_violated: `spec.replicas` is `30`, and blueprint `pods` allows at most `5`: so
        blueprint_violated: `spec.template.spec.containers.-.image` is `evil/x`, and blueprint `pods` allows `registry.example/*`: so"#]].assert_eq(&patch("1.op = replace\n1.path = /spec/replicas\n1.value := 30\n2.op = add\n2.path = /spec/template/spec/containers/-\n2.value.image = evil/x"));
    expect!["blueprint_violated: `spec.template.spec.containers.0.image` is `evil/x`, and blueprint `pods` allows `registry.example/*`: so"].assert_eq(&patch(
        "1.op = replace\n1.path = /spec/template/spec/containers/0/image\n1.value = evil/x",
    ));
    expect!["blueprint_violated: tag `team` is null, and blueprint `pods` allows some text: so"]
        .assert_eq(&patch("1.op = remove\n1.path = /metadata/labels/team"));
    expect!["parameters_incomplete: blueprint `pods` reads the parameters of `apps:patch/deployments`, and not all of them could be read"].assert_eq(&patch(
        "1.op = copy\n1.path = /spec/template/spec/containers/0/image\n1.from = /metadata/labels/x",
    ));
    let whole = "1.op = replace\n1.path = /metadata/labels\n1.value.x = y";
    assert!(patch(whole).contains("tag `team` is not given"), "the others are gone");
    assert!(patch("metadata.labels := null").contains("tag `team` is not given"));
    assert!(
        patch("1.op = add\n1.path = /spec\n1.value.paused := true").contains("`spec.replicas` is not given")
    );
    assert_eq!(patch("1.op = add\n1.path = /spec/paused\n1.value := true"), "");
    assert_eq!(patch("metadata.labels.x = y"), "", "a part is sent, and the rest stays");
    expect![[r#"
        blueprint_violated: `spec.replicas` is not given, and blueprint `pods` requires it to be at most `5`: so
        blueprint_violated: tag `team` is not given, and blueprint `pods` requires it: so"#]].assert_eq(&of("update", "update", "metadata.labels.x = y"));
    expect!["blueprint_violated: `spec.replicas` is `6`, and blueprint `pods` allows at most `5`: so"].assert_eq(&of("create", "create", "spec.replicas := 6\nmetadata.labels.team = web\nspec.template.spec.containers.1.image = registry.example/x"));
    assert_eq!(
        of("create", "create", "spec.replicas := 2\nSpec.replicas := 6\nmetadata.labels.team = web"),
        "",
        "another spelling is another member there"
    );
}

#[test]
fn without_blueprints_nothing_is_said() {
    assert_eq!(said_of(&model(SHOP), &format!("person alice\n{LARGE}")), "");
}
