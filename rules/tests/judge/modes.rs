//! What a mode does to a verdict, and what no mode lets through.

use expect_test::{Expect, expect};
use ordain_action::Digest;
use ordain_rules::{Mode, Modes, PermitKind, Snapshot, open, read};

use crate::support::{NOW, SHOP, action, check_on, judged, model, models, told};

const FOREIGN: &str = "person paul
    effect ec2:StopInstances update
    target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web";

fn in_mode(mode: Mode) -> Snapshot {
    model(SHOP).with_modes(Modes::new(mode))
}

#[test]
fn a_refusal_is_forwarded_in_shadow_and_warn_and_said_all_the_same() {
    for mode in [Mode::Shadow, Mode::Warn] {
        let judged = judged(&in_mode(mode), NOW, &action(FOREIGN));
        assert_eq!(judged.verdict.ruling, ordain_rules::Ruling::Deny);
        assert_eq!(judged.permit.map(|permit| permit.kind()), Some(PermitKind::Shadowed));
    }
    assert!(judged(&in_mode(Mode::Enforce), NOW, &action(FOREIGN)).permit.is_none());
}

#[test]
fn a_real_credential_that_cannot_be_exchanged_is_handed_out_in_no_mode() {
    let mut handing_out = action(
        "person alice
    effect iam:CreateServiceSpecificCredential grant
    target iam:user arn:aws:iam::111122223333:user/alice",
    );
    if let ordain_action::Reading::Call(call) = &mut handing_out.reading {
        call.answer.mints = Some(ordain_action::Minted::Unrewritable);
    }
    for snapshot in [in_mode(Mode::Shadow), in_mode(Mode::Enforce), Snapshot::empty(Modes::new(Mode::Shadow))]
    {
        let judged = judged(&snapshot, NOW, &handing_out);
        assert_eq!(judged.verdict.reasons[0].code.as_str(), "custody_leak");
        assert!(judged.permit.is_none(), "no mode lets it through");
    }
}

/// What its operators call a read hands out a credential all the same.
#[test]
fn a_read_that_hands_out_a_real_credential_passes_in_no_mode() {
    let mut handing_out =
        action("person alice\neffect iam:GetUser read\ntarget iam:user arn:aws:iam::111122223333:user/alice");
    if let ordain_action::Reading::Call(call) = &mut handing_out.reading {
        call.answer.mints = Some(ordain_action::Minted::Unrewritable);
    }
    for snapshot in [in_mode(Mode::Shadow), in_mode(Mode::Enforce), Snapshot::empty(Modes::new(Mode::Shadow))]
    {
        let changed = judged(&snapshot, NOW, &handing_out);
        let read = ordain_rules::read(&snapshot, &handing_out, ordain_action::Digest([0; 32]));
        for judged in [changed, read] {
            assert_eq!(judged.verdict.reasons[0].code.as_str(), "custody_leak");
            assert!(judged.permit.is_none(), "no mode lets it through");
        }
    }
}

/// Somebody whom nothing shows is refused in every mode whatever is no read, and asked for no scope for what is.
#[test]
fn nobody_gets_more_than_a_read_in_any_mode() {
    let of = |access: &str| {
        action(&format!(
            "person anonymous\neffect ec2:Some {access}\ntarget ec2:instance arn:aws:ec2:eu-west-1:999999999999:instance/i-1"
        ))
    };
    let mut handing_out = of("read");
    if let ordain_action::Reading::Call(call) = &mut handing_out.reading {
        call.answer.mints = Some(ordain_action::Minted::Bearer);
    }
    for snapshot in [in_mode(Mode::Shadow), in_mode(Mode::Enforce), Snapshot::empty(Modes::new(Mode::Shadow))]
    {
        let read = of("read");
        let passed = open(&snapshot, &read, Digest([0; 32]));
        assert_eq!(passed.permit.map(|permit| permit.kind()), Some(PermitKind::Read));
        for refused in &[of("update"), of("secret_read"), handing_out.clone()] {
            let judged = open(&snapshot, refused, Digest([0; 32]));
            assert_eq!(judged.verdict.reasons[0].code.as_str(), "not_a_read");
            assert!(judged.permit.is_none(), "no mode lets it through");
        }
    }
}

const ENFORCED: &str = "---
apiVersion: ordain/v1
kind: Scope
metadata: {name: hosts}
spec: {names: ['arn:aws:ec2:*:111122223333:instance/*'], mode: enforce}
";

#[test]
fn the_strictest_mode_among_the_scopes_touched_is_in_force() {
    let snapshot = model(&format!("{SHOP}{ENFORCED}")).with_modes(Modes::new(Mode::Shadow));
    let mode = |text: &str| judged(&snapshot, NOW, &action(text)).verdict.mode;
    assert_eq!(mode(FOREIGN), Mode::Enforce);
    let role = "effect iam:TagRole tag\ntarget iam:role arn:aws:iam::111122223333:role/web";
    assert_eq!(mode(&format!("person paul\n{role}")), Mode::Shadow);
    assert_eq!(mode(&format!("{FOREIGN}\n{role}")), Mode::Enforce);
}

#[test]
fn what_cannot_be_told_apart_is_in_the_strictest_mode_there_is() {
    let snapshot = model(&format!("{SHOP}{ENFORCED}")).with_modes(Modes::new(Mode::Shadow));
    check_on(
        &snapshot,
        "person alice\nundecodable a parameter is given twice; send it once",
        expect![[r#"
        deny (enforce), no permit
        deny identity unknown_operation: what the request would do cannot be told: a parameter is given twice; send it once
            → send it in a form the provider's own clients use
        reach: 0 + unknown"#]],
    );
    check_on(
        &snapshot,
        "person paul
         effect ec2:StopInstances update
         target ec2:instance - Name=anything",
        expect![[r#"
            deny (enforce), no permit
            deny ownership not_owner: `anything` belongs to `web`, for which `paul` does not act
                → ask `web` to make the change
            admit blast_radius reach_unknown: what depends on `anything` is not known
            owners: web
            reach: 1 + unknown, tier high, crosses web"#]],
    );
}

#[track_caller]
fn check_read(snapshot: &Snapshot, text: &str, expected: Expect) {
    expected.assert_eq(&told(&read(snapshot, &action(text), Digest::of(b"request"))));
}

const DESCRIBE: &str = "effect ec2:DescribeInstances read\ntarget account 111122223333 scope";

#[test]
fn reads_are_bound_by_what_the_actors_teams_own() {
    let snapshot = model(SHOP);
    check_read(
        &snapshot,
        &format!("person alice\n{DESCRIBE}"),
        expect![[r#"
        admit (enforce), permit Read
        reach: 0 + unknown"#]],
    );
    check_read(
        &snapshot,
        "person alice
         effect s3:GetBucketPolicy read
         target s3:accesspoint arn:aws:s3:eu-west-1:444455556666:accesspoint/a carried",
        expect![[r#"
            deny (enforce), no permit
            deny identity outside_read_scope: `alice` may not read `s3` in account `444455556666`
                → ask for `reads` of the actor to be widened in the model
            reach: 0 + unknown"#]],
    );
    let owner_of_nothing = "---
apiVersion: ordain/v1
kind: Actor
metadata: {name: guest}
spec: {kind: agent}
";
    let snapshot = model(&format!("{SHOP}{owner_of_nothing}"));
    check_read(
        &snapshot,
        &format!("agent guest\n{DESCRIBE}"),
        expect![[r#"
        deny (enforce), no permit
        deny identity outside_read_scope: `guest` may not read `ec2` in account `111122223333`
            → ask for `reads` of the actor to be widened in the model
        reach: 0 + unknown"#]],
    );
    check_read(
        &snapshot,
        &format!("person nobody\n{DESCRIBE}"),
        expect![[r#"
        deny (enforce), no permit
        deny identity outside_read_scope: `nobody` may not read `ec2` in account `111122223333`
            → ask for `reads` of the actor to be widened in the model
        reach: 0 + unknown"#]],
    );
}

#[test]
fn no_mode_lets_a_foreign_read_through() {
    let snapshot = in_mode(Mode::Shadow);
    check_read(
        &snapshot,
        &format!("person nobody\n{DESCRIBE}"),
        expect![[r#"
        deny (shadow), no permit
        deny identity outside_read_scope: `nobody` may not read `ec2` in account `111122223333`
            → ask for `reads` of the actor to be widened in the model
        reach: 0 + unknown"#]],
    );
    check_on(
        &snapshot,
        "person alice
         effect s3:GetObject read
         target s3:accesspoint arn:aws:s3:eu-west-1:444455556666:accesspoint/a carried
         effect s3:CopyObject update data
         target s3:object arn:aws:s3:::shop-web-a/1",
        expect![[r#"
            deny (shadow), no permit
            deny identity outside_read_scope: `alice` may not read `s3` in account `444455556666`
                → ask for `reads` of the actor to be widened in the model
            admit ownership owner_data: `alice` acts for `web`, which owns `arn:aws:s3:::shop-web-a/1`
            owners: web
            reach: 0 + 0"#]],
    );
}

#[test]
fn a_change_is_no_read() {
    check_read(
        &model(SHOP),
        FOREIGN,
        expect![[r#"
        deny (enforce), no permit
        deny identity not_a_read: what the request would do cannot be told: this is no read; it has to be judged as a change
            → send it in a form the provider's own clients use
        reach: 0 + unknown"#]],
    );
}

#[test]
fn a_read_scope_names_services() {
    let reader = "
apiVersion: ordain/v1
kind: Actor
metadata: {name: reader}
spec: {kind: agent, reads: {accounts: ['111122223333'], services: [s3]}}
";
    let snapshot = models(&[("shop.yaml", SHOP), ("reader.yaml", reader)]);
    check_read(
        &snapshot,
        &format!("agent reader\n{DESCRIBE}"),
        expect![[r#"
        deny (enforce), no permit
        deny identity outside_read_scope: `reader` may not read `ec2` in account `111122223333`
            → ask for `reads` of the actor to be widened in the model
        reach: 0 + unknown"#]],
    );
    check_read(
        &snapshot,
        "agent reader\neffect s3:ListBuckets read\ntarget account 111122223333 scope",
        expect![[r#"
            admit (enforce), permit Read
            reach: 0 + unknown"#]],
    );
}

/// Whatever project has it is more than those that may be read.
#[test]
fn a_read_of_whatever_project_is_one_of_all() {
    let reader = "
apiVersion: ordain/v1
kind: Actor
metadata: {name: some}
spec: {kind: agent, reads: {planes: [gcp], accounts: [acme, shop]}}
";
    let snapshot = models(&[("shop.yaml", SHOP), ("reader.yaml", reader)]);
    let keys = |project: &str| {
        format!(
            "agent some\neffect iam:projects.serviceAccounts.keys.list read\ntarget gcp:iam/keys //iam.googleapis.com/projects/{project}/serviceAccounts/1/keys/* carried pattern"
        )
    };
    check_read(
        &snapshot,
        &keys("shop"),
        expect![[r#"
        admit (enforce), permit Read
        reach: 0 + unknown"#]],
    );
    check_read(
        &snapshot,
        &keys("*"),
        expect![[r#"
        deny (enforce), no permit
        deny identity outside_read_scope: `some` may not read `iam` in account `*`
            → ask for `reads` of the actor to be widened in the model
        reach: 0 + unknown"#]],
    );
}

#[test]
fn data_passes_counted_where_only_control_is_judged() {
    let snapshot = model(SHOP).with_modes(Modes::new(Mode::Enforce).with_control_only("default"));
    let put = "person alice\neffect s3:PutObject update data\ntarget s3:object arn:aws:s3:::shop-data-a/1";
    check_on(
        &snapshot,
        put,
        expect![[r#"
        admit (enforce), permit PassThrough
        reach: 0 + unknown"#]],
    );
    let grant =
        "person alice\neffect s3:PutObjectAcl grant data\ntarget s3:object arn:aws:s3:::shop-data-a/1";
    check_on(
        &snapshot,
        grant,
        expect![[r#"
        hold (enforce), no permit
        hold ownership approval_required: `arn:aws:s3:::shop-data-a/1` belongs to `data`, which has to approve what `alice` would do to it
            → ask `data` to approve it, or to make the change
        admit blast_radius reach_unknown: what depends on `arn:aws:s3:::shop-data-a/1` is not known
        owners: data
        reach: 1 + unknown, crosses data"#]],
    );
}

#[test]
fn the_same_inputs_make_the_same_verdict() {
    let first = judged(&model(SHOP), NOW, &action(FOREIGN));
    for _ in 0..3 {
        let again = judged(&model(SHOP), NOW, &action(FOREIGN));
        assert_eq!(first.verdict, again.verdict);
    }
    assert_eq!(model(SHOP).digest(), model(SHOP).digest());
    assert_ne!(model(SHOP).digest(), model(&format!("{SHOP}# a word\n")).digest());
}
