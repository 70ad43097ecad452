//! Budgets: what has to be counted for an action, what it is charged, and what is said when it no longer fits.
//!
//! Leaves out counting itself, which the state engines are tested for.

use expect_test::expect;
use jiff::Timestamp;
use ordain_action::Digest;
use ordain_rules::{
    Charge, Counted, CounterKey, CounterNeeds, Counters, Judged, Mode, Modes, Snapshot, judge, needs,
};

use crate::support::{NOW, SHOP, action, check_problems, model, told};

const DELETES: &str = "
---
apiVersion: ordain/v1
kind: Budget
metadata: {name: agent-deletes}
spec: {actorKinds: [agent], access: [delete], within: 1h, limit: 3}
";

const TERMINATE: &str = "agent cleaner
    effect ec2:TerminateInstances delete
    target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web";

fn shop(more: &str) -> Snapshot {
    model(&format!("{SHOP}{more}"))
}

fn key(text: &str) -> CounterKey {
    let (source, subject) = text.split_once(' ').unwrap();
    CounterKey { source: source.into(), subject: subject.into() }
}

/// What is counted, as `source subject = value`.
fn counted(all: &[(&str, u64)]) -> Counters {
    let mut counters = Counters::new();
    let until: Timestamp = "2026-11-24T10:20:00Z".parse().unwrap();
    for (text, value) in all {
        counters.set(key(text), Counted { value: *value, until: (*value > 0).then_some(until) });
    }
    counters
}

fn judged(snapshot: &Snapshot, text: &str, all: &[(&str, u64)]) -> Judged {
    judge(snapshot, &action(text), Digest::of(b"request"), &counted(all), NOW.parse().unwrap())
}

fn charged(snapshot: &Snapshot, text: &str) -> String {
    let keys = |needs: &CounterNeeds| needs.keys().map(text_of).collect::<Vec<_>>().join(", ");
    let action = action(text);
    let needs = needs(snapshot, &action);
    let mut counters = Counters::new();
    needs.keys().for_each(|key| counters.set(key.clone(), Counted::default()));
    let judged = judge(snapshot, &action, Digest::of(b"request"), &counters, NOW.parse().unwrap());
    let charges = judged
        .charges
        .iter()
        .map(|Charge { key, amount, limit, .. }| format!("{} {amount} of {limit}", text_of(key)));
    format!(
        "{} | needs {} | charges {}",
        judged.verdict.ruling.as_str(),
        keys(&needs),
        charges.collect::<Vec<_>>().join(", ")
    )
}

fn text_of(key: &CounterKey) -> String {
    format!("{}/{}", key.source, key.subject)
}

#[test]
fn a_model_without_budgets_needs_nothing_counted() {
    assert!(needs(&shop(""), &action(TERMINATE)).is_empty());
    assert!(judged(&shop(""), TERMINATE, &[]).charges.is_empty());
}

#[test]
fn what_no_budget_is_about_needs_nothing_counted() {
    let shop = shop(DELETES);
    let stop = TERMINATE.replace("TerminateInstances delete", "StopInstances update");
    assert!(needs(&shop, &action(&stop)).is_empty());
    assert!(needs(&shop, &action(&TERMINATE.replace("agent cleaner", "person alice"))).is_empty());
}

#[test]
fn the_last_that_fits_is_admitted_and_charged() {
    let judged = judged(&shop(DELETES), TERMINATE, &[("budget:agent-deletes cleaner", 2)]);
    expect![[r#"
        admit (enforce), permit Admitted
        admit ownership owner_changes_own: `cleaner` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web`
        owners: web
        reach: 1 + 1, tier high"#]].assert_eq(&told(&judged));
    assert_eq!(judged.charges.len(), 1);
    assert_eq!(judged.charges[0].amount, 1);
}

#[test]
fn what_no_longer_fits_is_denied_with_what_was_used_and_until_when() {
    let judged = judged(&shop(DELETES), TERMINATE, &[("budget:agent-deletes cleaner", 3)]);
    expect![[r#"
        deny (enforce), no permit
        deny blast_radius budget_exceeded: `cleaner` has used 3 of 3 changes within 1h (budget `agent-deletes`), and this takes 1 more; the first of them counts no more from 2026-11-24T10:20:00Z
            → wait, or have whoever keeps the model raise `limit` of budget `agent-deletes`
        admit ownership owner_changes_own: `cleaner` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web`
        owners: web
        reach: 1 + 1, tier high"#]].assert_eq(&told(&judged));
    assert!(judged.charges.is_empty(), "what is refused is charged nothing");
}

#[test]
fn what_cannot_be_counted_is_denied() {
    let judged = judged(&shop(DELETES), TERMINATE, &[]);
    expect![[r#"
        deny (enforce), no permit
        deny blast_radius counted_state_unavailable: budget `agent-deletes` limits this, and what was used of it cannot be read now
            → try again in a moment; tell the operator if it stays so
        admit ownership owner_changes_own: `cleaner` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web`
        owners: web
        reach: 1 + 1, tier high"#]].assert_eq(&told(&judged));
}

#[test]
fn in_shadow_what_would_be_refused_goes_on_and_is_charged_nothing() {
    let shadow = shop(DELETES).with_modes(Modes::new(Mode::Shadow));
    let over = judged(&shadow, TERMINATE, &[("budget:agent-deletes cleaner", 3)]);
    assert_eq!(over.verdict.reasons[0].code.as_str(), "budget_exceeded");
    assert!(over.permit.is_some() && over.charges.is_empty());
    let fits = judged(&shadow, TERMINATE, &[("budget:agent-deletes cleaner", 2)]);
    assert_eq!(fits.charges.len(), 1, "what would be admitted is charged as in enforce");
}

#[test]
fn all_for_whom_it_is_done_are_charged_and_a_shared_budget_once() {
    let all = "
---
apiVersion: ordain/v1
kind: Budget
metadata: {name: deletes}
spec: {access: [delete], within: 1h, limit: 3}
---
apiVersion: ordain/v1
kind: Budget
metadata: {name: deletes-of-all}
spec: {access: [delete], per: all, within: 1d, limit: 50}
";
    let text = charged(&shop(all), &TERMINATE.replace("agent cleaner", "agent cleaner for person alice"));
    expect!["admit | needs budget:deletes/alice, budget:deletes/cleaner, budget:deletes-of-all/all | charges budget:deletes/alice 1 of 3, budget:deletes/cleaner 1 of 3, budget:deletes-of-all/all 1 of 50"].assert_eq(&text);
}

#[test]
fn targets_and_dependants_are_charged_by_their_number() {
    let of = |counts: &str| {
        format!(
            "
---
apiVersion: ordain/v1
kind: Budget
metadata: {{name: reach}}
spec: {{counts: {counts}, per: all, within: 1d, limit: 5}}
"
        )
    };
    let two =
        format!("{TERMINATE}\n    target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0two");
    let two = two.replace("agent cleaner", "person alice");
    expect!["admit | needs budget:reach/all | charges budget:reach/all 2 of 5"]
        .assert_eq(&charged(&shop(&of("targets")), &two));
    expect!["admit | needs budget:reach/all | charges budget:reach/all 1 of 5"]
        .assert_eq(&charged(&shop(&of("dependants")), &TERMINATE.replace("agent cleaner", "person alice")));
    // Of what nobody declared nobody knows what depends on it.
    expect![[r#"
        deny (enforce), no permit
        deny blast_radius budget_unknown: budget `reach` counts what depends on what `alice` changes, and for this that is not known
            → declare in the model what it is and what depends on it
        admit ownership owner_changes_own: `alice` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-0two`
        admit ownership owner_changes_own: `alice` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web`
        admit blast_radius reach_unknown: what depends on `arn:aws:ec2:eu-west-1:111122223333:instance/i-0two` is not known
        owners: web
        reach: 2 + unknown, tier high"#]].assert_eq(&told(&judged(&shop(&of("dependants")), &two, &[("budget:reach all", 0)])));
}

#[test]
fn a_budget_counts_where_it_covers() {
    let in_place = |covers: &str| {
        shop(&format!(
            "
---
apiVersion: ordain/v1
kind: Budget
metadata: {{name: here}}
spec: {{covers: {covers}, within: 1h, limit: 1, operations: ['ec2:Terminate*'], groups: [web]}}
"
        ))
    };
    let used = [("budget:here cleaner", 1)];
    let first = |shop: &Snapshot| judged(shop, TERMINATE, &used).verdict.reasons[0].code.as_str().to_owned();
    assert_eq!(first(&in_place("{environments: [production]}")), "budget_exceeded");
    assert_eq!(first(&in_place("{names: ['arn:aws:ec2:*:*:instance/*']}")), "budget_exceeded");
    assert_ne!(first(&in_place("{environments: [staging]}")), "budget_exceeded");
}

#[test]
fn sessions_have_budgets_of_their_own() {
    let shop = shop(&DELETES.replace("access:", "per: session, access:"));
    let mut action = action(TERMINATE);
    assert_eq!(needs(&shop, &action).keys().map(text_of).collect::<String>(), "budget:agent-deletes/cleaner");
    action.actor.session = Some("arn:aws:sts::111122223333:assumed-role/r/one".into());
    assert_eq!(
        needs(&shop, &action).keys().map(text_of).collect::<String>(),
        "budget:agent-deletes/cleaner in arn:aws:sts::111122223333:assumed-role/r/one"
    );
}

#[test]
fn a_budget_that_says_nothing_sensible_is_not_loaded() {
    let wrong = "
---
apiVersion: ordain/v1
kind: Budget
metadata: {name: wrong}
spec:
  actors: [nobody]
  groups: [nowhere]
  actorKinds: [robot]
  access: [read, remove]
  per: team
  counts: money
  within: soon
  limit: 1000000000
---
apiVersion: ordain/v1
kind: Budget
metadata: {name: wrong}
spec: {within: 1h, limit: 1}
";
    check_problems(
        &[("shop.yaml", &format!("{SHOP}{wrong}"))],
        expect![[r#"
            shop.yaml:134: actor `nobody` is not declared; known here are `alice`, `cleaner`, `deploy`, `dora`, `paul`
            shop.yaml:135: group `nowhere` is not declared; known here are `data`, `payroll`, `shop`, `web`
            shop.yaml:136: unknown actor kind `robot`; known here are `person`, `pipeline`, `agent`
            shop.yaml:137: reads are not counted; take `read` out of `access`
            shop.yaml:137: unknown effect class `remove`; known here are `read`, `create`, `update`, `delete`, `grant`, `expose`, `execute`, `tag`, `secret_read`
            shop.yaml:138: `per` is `team`; known here are `actor`, `session`, `change`, `all`
            shop.yaml:139: `counts` is `money`; known here are `changes`, `targets`, `dependants`
            shop.yaml:140: `soon` is no window of a budget; write for example `1h` or `30d`, of at most `366d`
            shop.yaml:141: budget `wrong` counts to 1000000000; give it at most 100000
            shop.yaml:145: budget `wrong` is declared twice; give each its own name"#]],
    );
}
