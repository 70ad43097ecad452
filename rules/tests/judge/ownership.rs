//! Who owns what a change would touch.

use expect_test::expect;

use crate::support::{NOW, SHOP, action, check, check_on, judged, model, told};

#[test]
fn an_owner_changes_what_it_owns() {
    check(
        "person alice
         effect ec2:TerminateInstances delete
         target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web InstanceId=i-0web",
        expect![[r#"
            admit (enforce), permit Admitted
            admit ownership owner_changes_own: `alice` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web`
            owners: web
            reach: 1 + 1, tier high"#]],
    );
}

#[test]
fn a_stranger_is_told_whose_it_is() {
    check(
        "person paul
         effect ec2:TerminateInstances delete
         target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web InstanceId=i-0web",
        expect![[r#"
            deny (enforce), no permit
            deny ownership not_owner: `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web` belongs to `web`, for which `paul` does not act
                → ask `web` to make the change
            owners: web
            reach: 1 + 1, tier high, crosses web"#]],
    );
}

#[test]
fn a_colleague_of_the_same_department_needs_the_owners_approval() {
    check(
        "person dora
         effect ec2:TerminateInstances delete
         target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web InstanceId=i-0web",
        expect![[r#"
            hold (enforce), no permit
            hold ownership approval_required: `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web` belongs to `web`, which has to approve what `dora` would do to it
                → ask `web` to approve it, or to make the change
            owners: web
            reach: 1 + 1, tier high, crosses web"#]],
    );
}

#[test]
fn a_pipeline_changes_the_systems_it_deploys_and_no_others() {
    check(
        "pipeline deploy
         effect ec2:StopInstances update
         target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web InstanceId=i-0web
         effect rds:DeleteDBInstance delete
         target rds:db arn:aws:rds:eu-west-1:111122223333:db:warehouse DBInstanceIdentifier=warehouse",
        expect![[r#"
            deny (enforce), no permit
            deny ownership not_owner: `arn:aws:rds:eu-west-1:111122223333:db:warehouse` belongs to `data`, for which `deploy` does not act
                → ask `data` to make the change
            admit ownership pipeline_deploys_its_systems: `deploy` is declared to deploy `system:storefront`, to which `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web` belongs
            owners: data, web
            reach: 2 + 1, tier high, crosses data, web"#]],
    );
}

#[test]
fn a_raw_identifier_is_resolved_by_account_region_and_type() {
    check(
        "person alice
         effect ec2:StopInstances update
         target ec2:instance - InstanceId=i-0web",
        expect![[r#"
            admit (enforce), permit Admitted
            admit ownership owner_changes_own: `alice` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web`
            owners: web
            reach: 1 + 1, tier high"#]],
    );
}

#[test]
fn an_identifier_that_is_not_known_is_in_the_account_and_its_reach_is_unknown() {
    check(
        "person alice
         effect ec2:StopInstances update
         target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0new InstanceId=i-0new",
        expect![[r#"
            admit (enforce), permit Admitted
            admit ownership owner_changes_own: `alice` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-0new`
            admit blast_radius reach_unknown: what depends on `arn:aws:ec2:eu-west-1:111122223333:instance/i-0new` is not known
            owners: web
            reach: 1 + unknown, tier high"#]],
    );
    check(
        "agent cleaner
         effect ec2:StopInstances update
         target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0new InstanceId=i-0new",
        expect![[r#"
            deny (enforce), no permit
            deny blast_radius reach_unknown: what depends on `arn:aws:ec2:eu-west-1:111122223333:instance/i-0new` is not known, and agent `cleaner` has to know
                → import it into the model, or have a person or a pipeline do it
            admit ownership owner_changes_own: `cleaner` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-0new`
            owners: web
            reach: 1 + unknown, tier high"#]],
    );
}

#[test]
fn a_guessed_name_never_is_the_ground() {
    // The name says the web team's bucket; the account is the web team's too, so hers is judged beside it.
    check(
        "person paul
         effect s3:PutBucketVersioning update
         target s3:bucket arn:aws:s3:::salaries bound Bucket=other",
        expect![[r#"
            deny (enforce), no permit
            deny ownership not_owner: `other` belongs to `web`, for which `paul` does not act
                → ask `web` to make the change
            admit ownership owner_changes_own: `paul` acts for `payroll`, which owns `arn:aws:s3:::salaries`
            admit blast_radius reach_unknown: what depends on `other` is not known
            owners: payroll, web
            reach: 2 + unknown, tier high, crosses web"#]],
    );
}

#[test]
fn a_bucket_that_no_scope_holds_may_be_anybodys() {
    check(
        "person alice
         effect s3:DeleteBucket delete
         target s3:bucket arn:aws:s3:::somebody-elses Bucket=somebody-elses",
        expect![[r#"
            deny (enforce), no permit
            deny ownership no_owner: nobody is recorded as the owner of `arn:aws:s3:::somebody-elses`
                → give it an owner in the model: import it, or declare a `Scope` that holds it
            admit blast_radius reach_unknown: what depends on `arn:aws:s3:::somebody-elses` is not known
            reach: 1 + unknown"#]],
    );
}

#[test]
fn a_create_is_judged_by_the_scope_it_is_created_in() {
    check(
        "person alice
         effect s3:CreateBucket create
         target s3:bucket arn:aws:s3:::shop-data-new Bucket=shop-data-new",
        expect![[r#"
            hold (enforce), no permit
            hold ownership approval_required: `arn:aws:s3:::shop-data-new` belongs to `data`, which has to approve what `alice` would do to it
                → ask `data` to approve it, or to make the change
            owners: data
            reach: 0 + 0"#]],
    );
    check(
        "person alice
         effect s3:CreateBucket create
         target s3:bucket arn:aws:s3:::shop-web-new Bucket=shop-web-new",
        expect![[r#"
            admit (enforce), permit Admitted
            admit ownership owner_changes_own: `alice` acts for `web`, which owns `arn:aws:s3:::shop-web-new`
            owners: web
            reach: 0 + 0"#]],
    );
}

#[test]
fn one_denied_effect_denies_the_request() {
    check(
        "person alice
         effect s3:DeleteObject delete data
         target s3:object arn:aws:s3:::shop-web-a/1
         effect s3:DeleteObject delete data
         target s3:object arn:aws:s3:::shop-data-a/1",
        expect![[r#"
            hold (enforce), no permit
            hold ownership approval_required: `arn:aws:s3:::shop-data-a/1` belongs to `data`, which has to approve what `alice` would do to it
                → ask `data` to approve it, or to make the change
            admit ownership owner_data: `alice` acts for `web`, which owns `arn:aws:s3:::shop-web-a/1`
            owners: data, web
            reach: 0 + 0"#]],
    );
}

#[test]
fn what_lies_in_something_known_belongs_to_its_owner() {
    let put = "effect s3:PutObject update data\n target s3:object arn:aws:s3:::salaries/2026/november.csv";
    check(
        &format!("person paul\n{put}"),
        expect![[r#"
        admit (enforce), permit Admitted
        admit ownership owner_data: `paul` acts for `payroll`, which owns `arn:aws:s3:::salaries/2026/november.csv`
        owners: payroll
        reach: 0 + 0"#]],
    );
    check(
        &format!("person alice\n{put}"),
        expect![[r#"
        deny (enforce), no permit
        deny ownership not_owner: `arn:aws:s3:::salaries/2026/november.csv` belongs to `payroll`, for which `alice` does not act
            → ask `payroll` to make the change
        owners: payroll
        reach: 0 + 0"#]],
    );
    let inbox = "---
apiVersion: ordain/v1
kind: Scope
metadata: {name: inbox}
spec: {names: ['arn:aws:s3:::salaries/2026/*'], owner: web}
";
    check_on(
        &model(&format!("{SHOP}{inbox}")),
        &format!("person alice\n{put}"),
        expect![[r#"
        admit (enforce), permit Admitted
        admit ownership owner_data: `alice` acts for `web`, which owns `arn:aws:s3:::salaries/2026/november.csv`
        owners: web
        reach: 0 + 0"#]],
    );
}

#[test]
fn acting_on_behalf_of_somebody_takes_both() {
    check(
        "agent cleaner for person paul
         effect ec2:StopInstances update
         target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web",
        expect![[r#"
            deny (enforce), no permit
            deny ownership not_owner: `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web` belongs to `web`, for which `paul` does not act
                → ask `web` to make the change
            admit ownership owner_changes_own: `cleaner` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web`
            owners: web
            reach: 1 + 1, tier high"#]],
    );
}

#[test]
fn an_actor_that_the_model_does_not_know_may_nothing() {
    check(
        "person mallory
         effect ec2:StopInstances update
         target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web",
        expect![[r#"
            deny (enforce), no permit
            deny identity unknown_actor: `mallory` is not declared in the model
                → declare a `User` or an `Actor` of that name, with the teams it acts for
            reach: 0 + unknown"#]],
    );
    check(
        "person cleaner
         effect ec2:StopInstances update
         target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web",
        expect![[r#"
            deny (enforce), no permit
            deny identity actor_kind_mismatch: the credential of `cleaner` is registered as `person`, and the model declares `agent`
                → correct the kind in the model, or issue another credential
            reach: 0 + unknown"#]],
    );
}

#[test]
fn what_is_referred_to_has_to_be_known_or_public() {
    check_on(
        &model(SHOP),
        "agent cleaner
         effect ec2:RunInstances create
         target ec2:instance -
         uses ec2:image arn:aws:ec2:eu-west-1::image/ami-0a
         uses ec2:security-group arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0web
         uses ec2:subnet arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-0x",
        expect![[r#"
            deny (enforce), no permit
            deny ownership unknown_use: `cleaner` refers to `arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-0x`, which the model does not know
                → import it, declare it, or declare a `Scope` with `public: true` that holds it
            admit ownership owner_changes_own: `cleaner` acts for `web`, which owns `ec2:instance in account 111122223333`
            owners: web
            reach: 0 + 0"#]],
    );
}

#[test]
fn without_a_model_changes_are_denied_and_said_to_be_for_that() {
    let snapshot = ordain_rules::Snapshot::empty(ordain_rules::Modes::new(ordain_rules::Mode::Enforce));
    let action = crate::support::action(
        "person alice
         effect ec2:StopInstances update
         target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web",
    );
    let judged = judged(&snapshot, crate::support::NOW, &action);
    assert!(judged.verdict.no_model);
    expect![[r#"
        deny (enforce), no permit
        deny identity no_model: there is no model yet, so nothing says what may change
            → import what you have with `ordain model import`, or write the first model document
        reach: 0 + unknown"#]]
    .assert_eq(&told(&judged));
}

#[test]
fn what_may_not_be_read_may_not_be_copied_out() {
    let copy = |from: &str| {
        format!(
            "person paul
             effect s3:PutObject update
             target s3:object arn:aws:s3:::salaries/k Bucket=salaries
             uses s3:object arn:aws:s3:::{from}/k"
        )
    };
    let codes = |from: &str| {
        let judged = judged(&model(SHOP), NOW, &action(&copy(from)));
        let codes = judged.verdict.reasons.iter().map(|reason| reason.code.as_str().to_owned());
        (judged.permit.is_some(), codes.collect::<Vec<_>>())
    };
    let (passes, foreign) = codes("shop-data-lake");
    assert!(!passes && foreign.iter().any(|code| code == "foreign_copy"), "{foreign:?}");
    let (passes, own) = codes("salaries");
    assert!(passes, "{own:?}");
}

/// The shop with a secret of the data team, whose name ends in what the provider made, and a role below a path.
fn with_made_names() -> ordain_rules::Snapshot {
    model(&format!(
        "{SHOP}
---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {{name: db-password}}
spec:
  type: secretsmanager:Secret
  owner: data
  name: arn:aws:secretsmanager:eu-west-1:111122223333:secret:warehouse/db-AbCdEf
---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {{name: loader}}
spec:
  type: iam:role
  owner: data
  name: arn:aws:iam::111122223333:role/jobs/Loader
  identifiers: [Loader]"
    ))
}

#[test]
fn a_secret_by_its_bare_name_is_the_one_that_carries_it() {
    let secret = "effect secretsmanager:UpdateSecret update
         target secretsmanager:Secret arn:aws:secretsmanager:eu-west-1:111122223333:secret:warehouse/db-?????? reviewed pattern SecretId=warehouse/db";
    check_on(
        &with_made_names(),
        &format!("person dora\n{secret}"),
        expect![[r#"
        admit (enforce), permit Admitted
        admit ownership owner_changes_own: `dora` acts for `data`, which owns `arn:aws:secretsmanager:eu-west-1:111122223333:secret:warehouse/db-AbCdEf`
        owners: data
        reach: 1 + 0, tier high"#]],
    );
    check_on(
        &with_made_names(),
        &format!("person alice\n{secret}"),
        expect![[r#"
        hold (enforce), no permit
        hold ownership approval_required: `arn:aws:secretsmanager:eu-west-1:111122223333:secret:warehouse/db-AbCdEf` belongs to `data`, which has to approve what `alice` would do to it
            → ask `data` to approve it, or to make the change
        owners: data
        reach: 1 + 0, tier high, crosses data"#]],
    );
}

/// The secret `warehouse/db-AbCdEf` of nobody, and a secret of the data team whose own name ends as whole names do.
#[test]
fn a_secret_whose_name_ends_as_whole_names_do_is_found_without_its_end() {
    let named = |name: &str| {
        format!(
            "---\napiVersion: backstage.io/v1alpha1\nkind: Resource\nmetadata: {{name: pay}}\nspec:\n  type: secretsmanager:Secret\n  owner: data\n  name: {name}"
        )
    };
    let whole = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:pay-secret";
    let scope = format!(
        "---\napiVersion: ordain/v1\nkind: Scope\nmetadata: {{name: pay}}\nspec:\n  names: [\"{whole}-*\"]\n  owner: data"
    );
    let deletes = |name: &str| {
        action(&format!(
            "person alice\neffect secretsmanager:DeleteSecret delete\ntarget secretsmanager:Secret {name} carried SecretId={name}"
        ))
    };
    for more in [named(&format!("{whole}-AbCdEf")), scope] {
        let shop = model(&format!("{SHOP}\n{more}"));
        let part = told(&judged(&shop, NOW, &deletes(whole)));
        assert!(part.contains("belongs to `data`"), "{part}");
        let other = told(&judged(&shop, NOW, &deletes(&whole.replace("pay", "web"))));
        assert!(other.starts_with("admit"), "{other}");
    }
}

#[test]
fn what_a_parameter_names_without_a_binding_is_judged_with_the_rest() {
    let warehouse = "arn:aws:rds:eu-west-1:111122223333:db:warehouse";
    let host =
        "target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web reviewed InstanceId=i-0web";
    let with = |effect: &str, more: &str| {
        let text = format!("person alice\neffect {effect}\n{host}\n{more}");
        told(&judged(&model(SHOP), NOW, &action(&text)))
    };
    assert!(with("x:UpdateThing update", "").starts_with("admit"));
    let mentioned = with("x:UpdateThing update", &format!("Things.1 = {warehouse}"));
    assert!(
        mentioned.contains("approval_required: `arn:aws:rds:eu-west-1:111122223333:db:warehouse`"),
        "{mentioned}"
    );
    // What is used stays used, and data is data.
    let uses = format!("uses rds:db {warehouse} carried SourceArn={warehouse}\nSourceArn = {warehouse}");
    assert!(with("x:UpdateThing update", &uses).starts_with("admit"));
    assert!(with("x:PutThing update data", &format!("Things.1 = {warehouse}")).starts_with("admit"));
    let unknown = with("x:UpdateThing update", "Things.1 = arn:aws:rds:eu-west-1:111122223333:db:other");
    assert!(unknown.starts_with("admit"), "{unknown}");
}

#[test]
fn a_role_is_the_same_in_any_case_and_below_any_path() {
    for target in [
        "arn:aws:iam::111122223333:role/LOADER reviewed RoleName=LOADER",
        "arn:aws:iam::111122223333:role/jobs/loader carried RoleArn=arn:aws:iam::111122223333:role/jobs/loader",
    ] {
        let action = action(&format!("person alice\neffect iam:DeleteRole delete\ntarget iam:role {target}"));
        let told = told(&judged(&with_made_names(), NOW, &action));
        assert!(
            told.contains(
                "approval_required: `arn:aws:iam::111122223333:role/jobs/Loader` belongs to `data`"
            ),
            "{told}"
        );
    }
}

#[test]
fn an_account_is_told_by_its_number_and_with_what_would_be_created_in_it() {
    let account = "aws:account arn:aws:iam::111122223333:root scope";
    check(
        &format!(
            "person paul\neffect ec2:RunInstances create\ntarget ec2:instance - unnamed\nparent {account}"
        ),
        expect![[r#"
            deny (enforce), no permit
            deny ownership not_owner: `ec2:instance in account 111122223333` belongs to `web`, for which `paul` does not act
                → ask `web` to make the change
            owners: web
            reach: 0 + 0"#]],
    );
    check(
        &format!("person alice\neffect iam:UpdateAccountPasswordPolicy update\ntarget {account}"),
        expect![[r#"
            admit (enforce), permit Admitted
            admit ownership owner_changes_own: `alice` acts for `web`, which owns `account 111122223333`
            owners: web
            reach: 1 + 0, tier high"#]],
    );
    let elsewhere =
        SHOP.replace("spec: {account: 111122223333, owner", "spec: {account: 444455556666, owner");
    check_on(
        &model(&elsewhere),
        &format!("person alice\neffect ec2:CreateVpc create\ntarget ec2:vpc - unnamed\nparent {account}"),
        expect![[r#"
            deny (enforce), no permit
            deny ownership no_owner: nobody is recorded as the owner of `ec2:vpc in account 111122223333`
                → give the account an owner in the model: declare an `Account`, or a `Scope` that holds what it is about
            reach: 0 + 0"#]],
    );
}

/// The name of an object says which bucket it lies in, and so does what it was named by.
#[test]
fn an_object_is_its_buckets_owners_by_whatever_it_is_named() {
    let of = |who: &str, key: &str| {
        let target = format!("target s3:object arn:aws:s3:::assets/{key} Bucket=assets Key={key}");
        format!(
            "{who}\neffect s3:PutObject update data\n{target}\nparent s3:bucket arn:aws:s3:::assets Bucket=assets"
        )
    };
    let stated = |others: &str| {
        model(&format!(
            "{SHOP}\n---\napiVersion: ordain/v1\nkind: Inventory\nmetadata: {{name: state}}\nspec:\n  source: terraform:shop\n  \
             account: \"111122223333\"\n  resources:\n    \
             - {{id: a, type: s3:bucket, name: \"arn:aws:s3:::assets\", identifiers: [assets], tags: {{owner: web}}}}\n{others}"
        ))
    };
    check_on(
        &stated(""),
        &of("person alice", "logo"),
        expect![[r#"
        admit (enforce), permit Admitted
        admit ownership owner_data: `alice` acts for `web`, which owns `arn:aws:s3:::assets/logo`
        owners: web
        reach: 0 + 0"#]],
    );
    check_on(
        &stated(""),
        &of("person paul", "logo"),
        expect![[r#"
        deny (enforce), no permit
        deny ownership not_owner: `arn:aws:s3:::assets/logo` belongs to `web`, for which `paul` does not act
            → ask `web` to make the change
        deny ownership not_owner: `arn:aws:s3:::assets` belongs to `web`, for which `paul` does not act
            → ask `web` to make the change
        owners: web
        reach: 0 + 0"#]],
    );
    // Where the key is a name of something else too, nothing is taken for granted.
    let other = "    - {id: b, type: s3:bucket, name: \"arn:aws:s3:::logo\", identifiers: [logo], tags: {owner: data}}\n";
    check_on(
        &stated(other),
        &of("person alice", "logo"),
        expect![[r#"
        hold (enforce), no permit
        hold ownership approval_required: `arn:aws:s3:::logo` belongs to `data`, which has to approve what `alice` would do to it
            → ask `data` to approve it, or to make the change
        owners: data, web
        reach: 0 + 0"#]],
    );
}
