//! Break-glass: whose, for how long, what it lifts and what not, and that it is told and looked at.
//!
//! Leaves out the verb that writes it (`tests/break_glass.rs`).

use expect_test::{Expect, expect};
use jiff::SignedDuration;
use ordain_rules::portrait::lint;
use ordain_rules::{Ruling, Snapshot};

use crate::support::{SHOP, action, check_at, check_problems, judged, models};

const STOP: &str = "person alice
     effect ec2:StopInstances update
     target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web";

const FROZEN: &str = "apiVersion: ordain/v1
kind: Freeze
metadata: {name: all}
spec: {from: 2026-11-01T00:00:00Z, until: 2026-12-01T00:00:00Z, why: the year ends}
";

const GLASS: &str = "apiVersion: ordain/v1
kind: BreakGlass
metadata: {name: incident-7}
spec:
  by: alice
  lifts: [frozen]
  covers: {systems: [storefront]}
  owner: web
  why: customers cannot pay
  from: 2026-11-24T09:30:00Z
  until: 2026-11-24T10:30:00Z
";

fn shop(glass: &str) -> Snapshot {
    models(&[("shop.yaml", SHOP), ("frozen.yaml", FROZEN), ("glass.yaml", glass)])
}

fn refusals(snapshot: &Snapshot, now: &str, text: &str) -> String {
    let verdict = judged(snapshot, now, &action(text)).verdict;
    let refusals = verdict.reasons.iter().filter(|reason| reason.ruling != Ruling::Admit);
    refusals.map(|reason| reason.code.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_person_lifts_a_freeze_for_hours_and_every_decision_says_so() {
    let snapshot = shop(GLASS);
    check_at(
        &snapshot,
        "2026-11-24T10:00:00Z",
        STOP,
        expect![[r#"
        admit (enforce), permit Admitted
        admit legitimacy break_glass: `alice` broke the glass (`incident-7` of `web`) until 2026-11-24T10:30:00Z: `frozen` is lifted on `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web`: customers cannot pay
        admit ownership owner_changes_own: `alice` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web`
        owners: web
        reach: 1 + 1, tier high"#]],
    );
    let at = |now: &str| refusals(&snapshot, now, STOP);
    assert_eq!(at("2026-11-24T09:29:59Z"), "frozen");
    assert_eq!(at("2026-11-24T10:29:59Z"), "");
    assert_eq!(at("2026-11-24T10:30:00Z"), "frozen");
}

/// It is that person's own: not a colleague's, not what an agent does for them, and of nothing else.
#[test]
fn it_is_nobody_elses_and_of_nothing_else() {
    let snapshot = shop(GLASS);
    let now = "2026-11-24T10:00:00Z";
    let by = |who: &str| refusals(&snapshot, now, &STOP.replace("person alice", who));
    assert!(by("pipeline deploy").contains("frozen"));
    assert!(by("agent cleaner for person alice").contains("frozen"));
    let elsewhere = "person alice
     effect ec2:CreateTags tag
     target ec2:vpc arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-9";
    assert!(refusals(&snapshot, now, elsewhere).contains("frozen"));
    // Whatever is not named stays.
    let opens = "person alice
     effect ec2:AuthorizeSecurityGroupIngress expose
     target ec2:security-group arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0web
     IpPermissions.1.FromPort = 22
     IpPermissions.1.ToPort = 22
     IpPermissions.1.IpProtocol = tcp
     IpPermissions.1.IpRanges.1.CidrIp = 0.0.0.0/0";
    assert!(refusals(&snapshot, now, opens).contains("world_open_admin_port"));
}

#[test]
fn somebody_else_looks_at_it_afterwards() {
    let due = |glass: &str, now: &str| {
        let flaws = lint(
            &shop(glass),
            &std::collections::BTreeMap::new(),
            now.parse().unwrap(),
            SignedDuration::from_hours(24 * 365),
        );
        let flaws = flaws.iter().filter(|flaw| flaw.about.starts_with("break-glass"));
        flaws.map(|flaw| format!("{}: {}", flaw.kind.as_str(), flaw.text)).collect::<Vec<_>>().join("\n")
    };
    let unseen = "due: `alice` broke the glass, and nobody has looked at what was done: `ordain break-glass review incident-7`";
    assert_eq!(due(GLASS, "2026-11-24T10:00:00Z"), unseen);
    assert_eq!(due(GLASS, "2026-11-30T10:00:00Z"), unseen);
    let seen = format!("{GLASS}  reviewed: {{by: dora, found: a host was stopped}}\n");
    assert_eq!(due(&seen, "2026-11-24T10:00:00Z"), "");
    assert_eq!(
        due(&seen, "2026-11-30T10:00:00Z"),
        "over: it has ended and was looked at; `web` should remove it"
    );
}

fn wrong(from: &str, to: &str, expected: Expect) {
    assert!(GLASS.contains(from), "{from}");
    check_problems(&[("shop.yaml", SHOP), ("x.yaml", &GLASS.replace(from, to))], expected);
}

#[test]
fn what_is_written_of_it_has_to_be_right() {
    wrong("by: alice", "by: alcie", expect!["x.yaml:5: `alcie` is not declared; did you mean `alice`"]);
    wrong(
        "by: alice",
        "by: deploy",
        expect![
            "x.yaml:5: `deploy` is no person, and break-glass `incident-7` is a person's; have a person do it"
        ],
    );
    wrong(
        "by: alice",
        "by: dora",
        expect![
            "x.yaml:5: `dora` is none of `web`, which answers for break-glass `incident-7`; have somebody of `web` do it"
        ],
    );
    wrong(
        "lifts: [frozen]",
        "lifts: []",
        expect!["x.yaml:6: break-glass `incident-7` lifts nothing; name gates in `lifts`"],
    );
    wrong(
        "lifts: [frozen]",
        "lifts: [claimed-identity]",
        expect![[
            r#"x.yaml:6: gate `claimed-identity` cannot be lifted: it has no `unless { context.lifted.contains("claimed-identity") }`; remove it"#
        ]],
    );
    wrong(
        "{systems: [storefront]}",
        "{}",
        expect![
            "x.yaml:7: break-glass `incident-7` would lift gates everywhere; name what it is for in `covers`"
        ],
    );
    wrong(
        "{systems: [storefront]}",
        "{names: ['*']}",
        expect![
            "x.yaml:7: break-glass `incident-7` would lift gates everywhere; name what it is for in `covers`"
        ],
    );
    wrong(
        "{systems: [storefront]}",
        "{systems: [storefront], owners: [web]}",
        expect![
            "x.yaml:7: break-glass `incident-7` covers what lies in any of several, not in all of them; keep one of them"
        ],
    );
    wrong(
        "why: customers cannot pay",
        "why: ' '",
        expect!["x.yaml:9: break-glass `incident-7` does not say why it is needed; say it in `why`"],
    );
    wrong(
        "T10:30:00Z",
        "T13:30:01Z",
        expect![
            "x.yaml:11: break-glass `incident-7` lasts more than 4 h; end it earlier, and break it again if it has to be"
        ],
    );
    wrong(
        "  until:",
        "  reviewed: {by: alice, found: well}\n  until:",
        expect![
            "x.yaml:11: `alice` did what break-glass `incident-7` is for; have another person look at it"
        ],
    );
    wrong(
        "  until:",
        "  reviewed: {by: deploy, found: well}\n  until:",
        expect!["x.yaml:11: `deploy` is no person; have a person look at break-glass `incident-7`"],
    );
    wrong(
        "  until:",
        "  reviewed: {by: dora, found: ''}\n  until:",
        expect![
            "x.yaml:11: `dora` does not say what they found of break-glass `incident-7`; say it in `found`"
        ],
    );
}
