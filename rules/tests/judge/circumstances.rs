//! Freezes that come round, windows and exceptions: who is refused when, and what is said of whoever is not.
//!
//! Leaves out when a rule comes round (`src/calendar/tests.rs`).

use expect_test::{Expect, expect};
use jiff::{SignedDuration, Timestamp};
use ordain_rules::portrait::lint;
use ordain_rules::{Ruling, Snapshot};

use crate::support::{SHOP, action, check_at, check_problems, judged, models};

const HOST: &str = "target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web";

const STOP: &str = "person alice
     effect ec2:StopInstances update
     target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web";

fn shop(document: &str) -> Snapshot {
    models(&[("shop.yaml", SHOP), ("more.yaml", document)])
}

/// The codes of all refusals at a time.
fn refusals(snapshot: &Snapshot, now: &str, text: &str) -> String {
    let verdict = judged(snapshot, now, &action(text)).verdict;
    let refusals = verdict.reasons.iter().filter(|reason| reason.ruling != Ruling::Admit);
    refusals.map(|reason| reason.code.as_str()).collect::<Vec<_>>().join(" ")
}

const FRIDAYS: &str = "apiVersion: ordain/v1
kind: Freeze
metadata: {name: fridays}
spec:
  from: 2006-01-01T00:00
  timeZone: Europe/Berlin
  recurs: FREQ=WEEKLY;BYDAY=FR
  lasts: 1d
  except: [2026-12-11]
  why: nobody is there on Saturday
  owner: web
  covers: {environments: [production]}
";

#[test]
fn a_freeze_comes_round() {
    let snapshot = shop(FRIDAYS);
    check_at(
        &snapshot,
        "2026-11-27T10:00:00Z",
        STOP,
        expect![[r#"
        deny (enforce), no permit
        deny legitimacy frozen: `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web` is frozen: nobody is there on Saturday (`fridays` until 2026-11-28 00:00 Europe/Berlin)
            → wait until the freeze ends, or ask `web` for break-glass
        admit ownership owner_changes_own: `alice` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web`
        owners: web
        reach: 1 + 1, tier high"#]],
    );
    assert_eq!(refusals(&snapshot, "2026-11-26T22:59:59Z", STOP), "");
    assert_eq!(refusals(&snapshot, "2026-11-26T23:00:00Z", STOP), "frozen");
    assert_eq!(refusals(&snapshot, "2026-11-27T23:00:00Z", STOP), "");
    assert_eq!(refusals(&snapshot, "2026-12-11T10:00:00Z", STOP), "", "a day that is excepted");
    // What may be anything lies in what is frozen too.
    let any = STOP.replace("i-0web", "* pattern");
    assert!(refusals(&snapshot, "2026-11-27T10:00:00Z", &any).contains("frozen"));
}

const WINDOWS: &str = "apiVersion: ordain/v1
kind: Window
metadata: {name: evenings}
spec:
  from: 2026-01-01T20:00
  timeZone: Europe/Berlin
  recurs: FREQ=WEEKLY;BYDAY=FR
  lasts: 4h
  why: releases are on Friday evening
  covers: {systems: [storefront]}
---
apiVersion: ordain/v1
kind: Window
metadata: {name: patch-day}
spec:
  from: 2026-01-13T09:00:00Z
  recurs: FREQ=MONTHLY;BYDAY=2TU
  lasts: 2h
  why: patches are put in on the second Tuesday
  access: [update]
  covers: {names: ['arn:aws:ec2:*:instance/i-0web']}
---
apiVersion: ordain/v1
kind: Window
metadata: {name: agents-by-day}
spec:
  from: 2026-01-01T09:00
  timeZone: Europe/Berlin
  recurs: FREQ=DAILY
  lasts: 8h
  why: agents work while somebody looks
  actorKinds: [agent]
  covers: {owners: [data]}
";

#[test]
fn what_has_windows_changes_in_one_of_them_only() {
    let snapshot = shop(WINDOWS);
    check_at(
        &snapshot,
        "2026-11-28T07:00:00Z",
        STOP,
        expect![[r#"
        deny (enforce), no permit
        deny legitimacy outside_window: `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web` is changed only in its windows: releases are on Friday evening (`evenings` opens 2026-12-04 20:00 Europe/Berlin); patches are put in on the second Tuesday (`patch-day` opens 2026-12-08T09:00:00Z)
            → wait until a window opens, or ask `web` for an exception
        admit ownership owner_changes_own: `alice` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web`
        owners: web
        reach: 1 + 1, tier high"#]],
    );
    let stop = |now| refusals(&snapshot, now, STOP);
    assert_eq!(stop("2026-11-27T18:59:59Z"), "outside_window");
    assert_eq!(stop("2026-11-27T19:00:00Z"), "", "the one is open");
    assert_eq!(stop("2026-12-08T09:30:00Z"), "", "the other is");
    assert_eq!(stop("2026-12-08T11:00:00Z"), "outside_window");
    // A window for updates is none to delete in.
    let delete = STOP.replace("StopInstances update", "TerminateInstances delete");
    assert_eq!(refusals(&snapshot, "2026-12-08T09:30:00Z", &delete), "outside_window");
    // What no window covers waits for none, and what agents wait for nobody else does.
    let warehouse = |who: &str| {
        let name = "arn:aws:rds:eu-west-1:111122223333:db:warehouse";
        format!("{who}\neffect rds:ModifyDBInstance update\ntarget rds:db {name}")
    };
    assert_eq!(refusals(&snapshot, "2026-11-28T02:00:00Z", &warehouse("person dora")), "");
    let agent = refusals(&snapshot, "2026-11-28T02:00:00Z", &warehouse("agent cleaner"));
    assert!(agent.contains("outside_window"), "{agent}");
    let agent = refusals(&snapshot, "2026-11-28T10:00:00Z", &warehouse("agent cleaner"));
    assert!(!agent.contains("outside_window"), "{agent}");
    // Nobody is exempt: not who deploys it, and not for whom somebody asks.
    let deploy = format!("pipeline deploy\neffect ec2:StopInstances update\n{HOST}");
    assert_eq!(refusals(&snapshot, "2026-11-28T07:00:00Z", &deploy), "outside_window");
    // What may be anything may lie in what is closed, whatever else is open.
    let any = STOP.replace("i-0web", "* pattern");
    assert!(refusals(&snapshot, "2026-11-27T19:00:00Z", &any).contains("outside_window"));
}

const EXCEPTION: &str = "apiVersion: ordain/v1
kind: Exception
metadata: {name: night-migration}
spec:
  lifts: [outside-window, world-open-admin-port]
  actors: [alice]
  covers: {systems: [storefront]}
  operations: ['ec2:*']
  access: [update]
  owner: web
  approvedBy: dora
  why: the old host moves
  from: 2026-11-27T00:00:00Z
  until: 2026-12-01T00:00:00Z
  review: 2026-11-29T00:00:00Z
---
";

#[test]
fn an_exception_lifts_what_it_names_and_is_told() {
    let snapshot = shop(&format!("{EXCEPTION}{WINDOWS}"));
    check_at(
        &snapshot,
        "2026-11-28T07:00:00Z",
        STOP,
        expect![[r#"
        admit (enforce), permit Admitted
        admit legitimacy exception_lifted: exception `night-migration` of `web` lifts `outside-window` for `alice` on `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web` until 2026-12-01T00:00:00Z, approved by `dora`: the old host moves
        admit ownership owner_changes_own: `alice` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web`
        owners: web
        reach: 1 + 1, tier high"#]],
    );
    let at = |now, text: &str| refusals(&snapshot, now, text);
    // It begins and ends.
    assert_eq!(at("2026-11-26T23:59:59Z", STOP), "outside_window");
    assert_eq!(at("2026-11-27T00:00:00Z", STOP), "");
    assert_eq!(at("2026-11-30T23:59:59Z", STOP), "");
    assert_eq!(at("2026-12-01T00:00:00Z", STOP), "outside_window");
    // It is for nobody else, nothing else, no other operation, and nothing that may be anything.
    let now = "2026-11-28T07:00:00Z";
    let others = format!("pipeline deploy\neffect ec2:StopInstances update\n{HOST}");
    assert_eq!(at(now, &others), "outside_window");
    assert_eq!(at(now, &STOP.replace("StopInstances update", "TerminateInstances delete")), "outside_window");
    assert_eq!(at(now, &STOP.replace("ec2:Stop", "ssm:Stop")), "outside_window");
    assert!(at(now, &STOP.replace("i-0web", "* pattern")).contains("outside_window"));
    // Who acts for somebody is judged for both.
    let for_alice = format!("agent cleaner for person alice\neffect ec2:StopInstances update\n{HOST}");
    assert_eq!(at(now, &for_alice), "outside_window");
    // What nobody would have refused is not told.
    let quiet = judged(&snapshot, "2026-11-27T19:30:00Z", &action(STOP)).verdict;
    assert!(quiet.reasons.iter().all(|reason| reason.code.as_str() != "exception_lifted"), "{quiet:?}");
}

#[test]
fn an_exception_lifts_one_gate_and_no_other() {
    let firewall = "person alice
         effect ec2:AuthorizeSecurityGroupIngress update
         target ec2:security-group arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0web GroupId=sg-0web
         IpProtocol = tcp
         FromPort = 22
         ToPort = 22
         CidrIp = 0.0.0.0/0";
    let snapshot = shop(EXCEPTION);
    check_at(
        &snapshot,
        "2026-11-28T07:00:00Z",
        firewall,
        expect![[r#"
        admit (enforce), permit Admitted
        admit legitimacy exception_lifted: exception `night-migration` of `web` lifts `world-open-admin-port` for `alice` on `arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0web` until 2026-12-01T00:00:00Z, approved by `dora`: the old host moves
        admit ownership owner_changes_own: `alice` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0web`
        owners: web
        reach: 1 + 0, tier high"#]],
    );
    assert_eq!(refusals(&snapshot, "2026-12-28T07:00:00Z", firewall), "world_open_admin_port");
    // A freeze is none of its business, and no ground comes of it.
    let frozen = shop(&format!("{EXCEPTION}{FRIDAYS}"));
    assert_eq!(refusals(&frozen, "2026-11-27T07:00:00Z", firewall), "frozen");
    let stranger = shop(&EXCEPTION.replace("actors: [alice]", "groups: [payroll]"));
    let paul = firewall.replace("person alice", "person paul");
    assert_eq!(refusals(&stranger, "2026-11-28T07:00:00Z", &paul), "not_owner");
    let parts = refusals(&snapshot, "2026-11-28T07:00:00Z", &format!("{firewall}\npartial"));
    assert_eq!(parts, "unreadable_parameters");
}

/// What is wrong with an exception where one line says something else.
#[track_caller]
fn check_exception(line: &str, instead: &str, expected: Expect) {
    let text = EXCEPTION.replace(line, instead);
    assert_ne!(text, EXCEPTION, "{line}");
    check_problems(&[("shop.yaml", SHOP), ("x.yaml", &text)], expected);
}

#[test]
fn what_no_exception_may_be() {
    let lifts = "[outside-window, world-open-admin-port]";
    check_exception(
        lifts,
        "[frozen]",
        expect!["x.yaml:5: a freeze is lifted only by break-glass; remove `frozen`, or end the freeze"],
    );
    check_exception(
        lifts,
        "[outside-windows]",
        expect!["x.yaml:5: there is no gate `outside-windows`; did you mean `outside-window`"],
    );
    check_exception(
        lifts,
        "[claimed-identity]",
        expect![[
            r#"x.yaml:5: gate `claimed-identity` cannot be lifted: it has no `unless { context.lifted.contains("claimed-identity") }`; remove it"#
        ]],
    );
    check_exception(
        lifts,
        "[owner-changes-own]",
        expect![
            "x.yaml:5: `owner-changes-own` is a ground and denies nothing; known here are `admin-grant`, `agent-executes`, `agent-exposes`, `agent-grants`, `agent-reads-secrets`, `agent-silences-audit`, `escalation-grant`, `external-address`, `host-path`, `open-trust`, `outside-window`, `pod-security-off`, `privileged-pod`, `public-load-balancer`, `public-storage`, `publicly-accessible`, `shared-with-everyone`, `unplanned`, `world-open-admin-port`"
        ],
    );
    check_exception(
        lifts,
        "[]",
        expect!["x.yaml:5: exception `night-migration` lifts nothing; name gates in `lifts`"],
    );
}

#[test]
fn what_is_created_is_frozen_by_its_own_name() {
    let frozen = |name: &str| {
        let freeze = format!(
            "apiVersion: ordain/v1\nkind: Freeze\nmetadata: {{name: f}}\nspec: {{from: 2026-11-01T00:00:00Z, until: 2026-12-01T00:00:00Z, why: no, covers: {{names: [\"{name}\"]}}}}\n"
        );
        let snapshot = models(&[("shop.yaml", SHOP), ("f.yaml", &freeze)]);
        let create = "person alice\neffect rds:CreateDBInstance create\n\
                      target rds:db arn:aws:rds:eu-west-1:111122223333:db:prod-x\n\
                      parent aws:account arn:aws:iam::111122223333:root scope";
        refusals(&snapshot, "2026-11-24T10:00:00Z", create)
    };
    assert!(frozen("arn:aws:rds:*:db:prod-*").contains("frozen"));
    assert!(!frozen("arn:aws:rds:*:db:test-*").contains("frozen"));
}

#[test]
fn an_exception_is_for_somebody_somewhere_and_for_a_while() {
    check_exception(
        "{systems: [storefront]}",
        "{systems: [storefront], owners: [web]}",
        expect![
            "x.yaml:7: exception `night-migration` covers what lies in any of several, not in all of them; keep one of `accounts`, `environments`, `systems`, `owners` and `names`"
        ],
    );
    check_exception(
        "{systems: [storefront]}",
        "{names: [\"*\"]}",
        expect![
            "x.yaml:7: exception `night-migration` would lift gates everywhere; name what it is for in `covers`"
        ],
    );
    check_exception(
        "actors: [alice]",
        "actors: []",
        expect!["x.yaml:4: exception `night-migration` is for nobody; name `actors` or `groups`"],
    );
    check_exception(
        "actors: [alice]",
        "actors: [alcie]",
        expect!["x.yaml:6: actor `alcie` is not declared; did you mean `alice`"],
    );
    check_exception(
        "{systems: [storefront]}",
        "{}",
        expect![
            "x.yaml:7: exception `night-migration` would lift gates everywhere; name what it is for in `covers`"
        ],
    );
    check_exception(
        "until: 2026-12-01",
        "until: 2027-12-01",
        expect![
            "x.yaml:14: exception `night-migration` lasts more than 90 days; end it earlier, and renew it after a review"
        ],
    );
    check_exception(
        "until: 2026-12-01",
        "until: 2026-11-01",
        expect!["x.yaml:14: exception `night-migration` ends before it begins; correct `until`"],
    );
    check_exception(
        "review: 2026-11-29",
        "review: 2026-12-29",
        expect![
            "x.yaml:15: the review of exception `night-migration` is no time before it ends; correct `review`"
        ],
    );
}

#[test]
fn an_exception_is_approved_by_another_person() {
    check_exception(
        "approvedBy: dora",
        "approvedBy: alice",
        expect!["x.yaml:11: `alice` approved what is for `alice`; have another person approve it"],
    );
    check_exception(
        "approvedBy: dora",
        "approvedBy: deploy",
        expect!["x.yaml:11: `deploy` is no person; have a person approve exception `night-migration`"],
    );
    check_exception(
        "approvedBy: dora",
        "approvedBy: nobody",
        expect![
            "x.yaml:11: `nobody`, who approved it, is not declared; known here are `alice`, `cleaner`, `deploy`, `dora`, `paul`"
        ],
    );
    check_exception(
        "actors: [alice]",
        "groups: [shop]",
        expect!["x.yaml:11: `dora` approved what is for `dora`; have another person approve it"],
    );
    check_exception(
        "owner: web",
        "owner: wbe",
        expect!["x.yaml:10: group `wbe` is not declared; known here are `data`, `payroll`, `shop`, `web`"],
    );
    check_exception(
        "  until: 2026-12-01T00:00:00Z\n",
        "",
        expect!["x.yaml:5: in `spec`: `until` is missing; add it"],
    );
}

#[test]
fn a_time_that_cannot_be_read_is_a_problem_with_its_place() {
    let freeze = |line: &str, instead: &str| FRIDAYS.replace(line, instead);
    let texts = [
        ("a.yaml", freeze("Europe/Berlin", "Europe/Berln")),
        ("b.yaml", freeze("FREQ=WEEKLY;BYDAY=FR", "FREQ=WEEKLY;BYDAY=FT")),
        ("c.yaml", freeze("  lasts: 1d\n", "")),
        ("d.yaml", freeze("  timeZone: Europe/Berlin\n", "")),
        ("e.yaml", freeze("2026-12-11", "christmas")),
        ("f.yaml", WINDOWS.replace("[update]", "[updates]").replace("[agent]", "[robot]")),
    ];
    let mut files: Vec<(&str, &str)> = vec![("shop.yaml", SHOP)];
    files.extend(texts.iter().map(|(path, text)| (*path, text.as_str())));
    check_problems(
        &files,
        expect![[r#"
        a.yaml:6: unknown time zone `Europe/Berln`; did you mean `Europe/Berlin`
        b.yaml:7: freeze `fridays`: `FREQ=WEEKLY;BYDAY=FT` cannot be read as a recurrence: RRule parsing error: `FT` is not a valid weekday. Valid values are `MO`, `TU`, `WE`, `TH`, `FR`, `SA` and `SU`; correct it as RFC 5545 has it
        c.yaml:7: freeze `fridays` recurs, and does not say how long each time lasts; add `lasts`
        d.yaml:5: `2006-01-01T00:00` is a time of no zone; add `timeZone`, or end it with `Z`
        e.yaml:9: `christmas` is no time; write it as `2026-12-04T20:00` or `2026-12-04T20:00:00Z`
        f.yaml:20: unknown effect class `updates`; did you mean `update`
        f.yaml:32: unknown actor kind `robot`; known here are `person`, `pipeline`, `agent`"#]],
    );
}

#[test]
fn what_is_over_or_due_is_told() {
    let freeze = FRIDAYS.replace("FREQ=WEEKLY;BYDAY=FR", "FREQ=WEEKLY;BYDAY=FR;UNTIL=20070101");
    let window = WINDOWS.replace("  recurs: FREQ=MONTHLY;BYDAY=2TU\n", "");
    let snapshot = shop(&format!("{EXCEPTION}{freeze}---\n{window}"));
    let told = |now: &str| {
        let now: Timestamp = now.parse().unwrap();
        let flaws = lint(&snapshot, &std::collections::BTreeMap::new(), now, SignedDuration::from_hours(24));
        let flaws = flaws.iter().filter(|flaw| ["over", "due"].contains(&flaw.kind.as_str()));
        let lines = flaws.map(|flaw| format!("{} {}: {}", flaw.kind.as_str(), flaw.about, flaw.text));
        lines.collect::<Vec<_>>().join("\n")
    };
    expect![[r#"
        over freeze fridays: it is never in force again; remove it
        over window patch-day: it never opens again, and what it covers can change no more; remove it"#]]
    .assert_eq(&told("2026-11-20T00:00:00Z"));
    expect![[r#"
        over freeze fridays: it is never in force again; remove it
        over window patch-day: it never opens again, and what it covers can change no more; remove it
        due exception night-migration: it expires within 7 days; `web` should do without it, or have it renewed
        due exception night-migration: its review is due; `web` should say whether it is still needed"#]].assert_eq(&told("2026-11-29T00:00:00Z"));
    expect![[r#"
        over exception night-migration: it has expired, and lifts nothing more; `web` should remove it
        over freeze fridays: it is never in force again; remove it
        over window patch-day: it never opens again, and what it covers can change no more; remove it"#]]
    .assert_eq(&told("2026-12-01T00:00:00Z"));
}

#[test]
fn what_is_in_force_and_what_comes_next_is_listed() {
    let snapshot = shop(&format!("{EXCEPTION}{FRIDAYS}---\n{WINDOWS}"));
    let lines: Vec<String> = snapshot
        .planned("2026-11-28T07:00:00Z".parse().unwrap())
        .iter()
        .map(|one| {
            let state = if one.in_force { "in until" } else { "out until" };
            format!("{} {} {state} {}, covers {}", one.kind.as_str(), one.name, one.told, one.covers)
        })
        .collect();
    expect![[r#"
        exception night-migration in until 2026-12-01T00:00:00Z, covers system storefront
        window agents-by-day out until 2026-11-28 09:00 Europe/Berlin, covers owner data
        freeze fridays out until 2026-12-04 00:00 Europe/Berlin, covers environment production
        window evenings out until 2026-12-04 20:00 Europe/Berlin, covers system storefront
        window patch-day out until 2026-12-08T09:00:00Z, covers arn:aws:ec2:*:instance/i-0web"#]]
    .assert_eq(&lines.join("\n"));
}
