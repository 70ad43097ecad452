//! Holds: what waits for its owners, whose answers count, and that they count for nothing else.
//!
//! Leaves out keeping answers, and counting that what was approved is done once, which the program is tested for.

use std::sync::{Arc, LazyLock};

use expect_test::{Expect, expect};
use jiff::Timestamp;
use ordain_action::{Action, Digest, Scalar, request_digest};
use ordain_rules::hold::Question;
use ordain_rules::{
    CounterKey, Counters, Endorsement, Granted, Judged, Proof, Ruling, Snapshot, Used, hold_statement, judge,
};
use proptest::prelude::*;
use ssh_key::{HashAlg, LineEnding};

use crate::changes::key;
use crate::support::{NOW, SHOP, action, check_problems, model, told};

const HOLD: &str = "01999999-0000-7000-8000-000000000001";

/// Alice's team and the owners of the warehouse are parts of one shop.
const DELETE: &str = "person alice
    effect rds:DeleteDBInstance delete
    target rds:db arn:aws:rds:eu-west-1:111122223333:db:warehouse DBInstanceIdentifier=warehouse
    DBInstanceIdentifier = warehouse";

const TERMINATE: &str = "person alice
    effect ec2:TerminateInstances delete
    target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web InstanceId=i-0web
    InstanceId.1 = i-0web";

/// People who sign, and a machine of Olivia's.
fn people() -> String {
    let user = |name: &str, team: &str| {
        format!(
            "---\napiVersion: ordain/v1\nkind: Actor\nmetadata: {{name: {name}}}\nspec: {{kind: person, memberOf: [{team}], signingKeys: [\"{}\"]}}\n",
            key(name).public_key().to_openssh().unwrap()
        )
    };
    let robot = "---\napiVersion: ordain/v1\nkind: Actor\nmetadata: {name: robot}\nspec: {kind: agent, memberOf: [web], operators: [olivia]}\n";
    let machine = "---\napiVersion: ordain/v1\nkind: Actor\nmetadata: {name: machine}\nspec: {kind: pipeline, memberOf: [data]}\n";
    [user("olivia", "web"), user("omar", "data"), user("dan", "data"), robot.to_owned(), machine.to_owned()]
        .concat()
}

fn shop(more: &str) -> Snapshot {
    model(&[SHOP, &people(), more].concat())
}

/// A rule that holds: what is deleted is somebody else's to approve, even of one's own.
const FOUR_EYES: &str = r#"
@id("four-eyes-on-deletes")
@class("hold")
@reason("`{actor}` would delete `{resource}`, which two of `{owner}` have to want")
@remedy("ask another of `{owner}`")
forbid (principal, action == Action::"delete", resource);
"#;

fn with_rule() -> Snapshot {
    let text = [SHOP, &people()].concat();
    crate::support::models(&[("shop.yaml", &text), ("rules.cedar", FOUR_EYES)])
}

fn digest_of(action: &Action) -> Digest {
    request_digest(action, || Digest::of(b"whole"))
}

fn judged(snapshot: &Snapshot, action: &Action, counters: &Counters) -> Judged {
    judge(snapshot, action, digest_of(action), counters, NOW.parse().unwrap())
}

/// The question of what waits.
fn question(snapshot: &Snapshot, text: &str) -> (Digest, Question) {
    let waits = judged(snapshot, &action(text), &Counters::new()).waits.unwrap();
    assert_eq!(Digest::of(waits.text.as_bytes()), waits.digest);
    (waits.digest, Question::read(&waits.text).unwrap())
}

fn at() -> Timestamp {
    "2026-11-24T09:59:00Z".parse().unwrap()
}

fn login(by: &str) -> Endorsement {
    Endorsement { by: Arc::from(by), at: at(), proof: Proof::Login(Arc::from("password and code")) }
}

fn signed(question: Digest, by: &str) -> Endorsement {
    let said = hold_statement(HOLD, &question.to_hex(), by, at());
    let signature = key(by).sign("ordain-approval", HashAlg::Sha512, said.as_bytes()).unwrap();
    let signature = signature.to_pem(LineEnding::LF).unwrap();
    Endorsement { by: Arc::from(by), at: at(), proof: Proof::Signed(Arc::from(signature)) }
}

fn granted(question: Digest, approvals: Vec<Endorsement>) -> Counters {
    let until = "2026-11-24T11:00:00Z".parse().unwrap();
    let mut counters = Counters::new();
    let lasts = std::time::Duration::from_secs(1800);
    let granted = Granted { hold: Arc::from(HOLD), question, approvals, denied: None, until, lasts };
    counters.grant(Some(Box::new(granted)));
    counters
}

/// What is said of a request once these people have approved it.
fn after(snapshot: &Snapshot, text: &str, by: &[&str]) -> Judged {
    let (digest, _) = question(snapshot, text);
    let approvals = by.iter().map(|by| login(by)).collect();
    judged(snapshot, &action(text), &granted(digest, approvals))
}

fn ruling(snapshot: &Snapshot, text: &str, by: &[&str]) -> Ruling {
    after(snapshot, text, by).verdict.ruling
}

#[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
fn check(judged: &Judged, expected: Expect) {
    let used = judged.uses.iter().map(|used| match used.key.source.strip_prefix("held:") {
        Some(request) => {
            assert_eq!((request, used.uses), (used.request.to_hex().as_str(), u64::MAX));
            "held of any".to_owned()
        }
        None => format!("{} of {}", used.key.source, used.uses),
    });
    expected.assert_eq(&format!("{}\nuses {}", told(judged), used.collect::<Vec<_>>().join(", ")));
}

#[test]
fn what_belongs_to_others_waits_for_them_and_is_done_once_they_agree() {
    let shop = shop("");
    let (_, asked) = question(&shop, DELETE);
    assert_eq!(asked.asks(), ["data"]);
    check(
        &judged(&shop, &action(DELETE), &Counters::new()),
        expect![[r#"
        hold (enforce), no permit
        hold ownership approval_required: `arn:aws:rds:eu-west-1:111122223333:db:warehouse` belongs to `data`, which has to approve what `alice` would do to it
            → ask `data` to approve it, or to make the change
        owners: data
        reach: 1 + 0, tier high, crosses data
        uses "#]],
    );
    check(
        &after(&shop, DELETE, &["omar"]),
        expect![[r#"
            admit (enforce), permit Admitted
            admit ownership hold_approved: `data` approved hold `01999999-0000-7000-8000-000000000001`: `omar`
            owners: data
            reach: 1 + 0, tier high, crosses data
            uses held of any, hold:01999999-0000-7000-8000-000000000001 of 1"#]],
    );
}

#[test]
fn only_people_of_the_owner_approve_and_none_of_those_whose_request_it_is() {
    let shop = shop("");
    for nobody in ["alice", "olivia", "paul", "machine", "who"] {
        assert_eq!(ruling(&shop, DELETE, &[nobody]), Ruling::Hold, "{nobody}");
    }
    // Whom an agent acts for, and who runs it, are no second pair of eyes.
    let rules = with_rule();
    let by = |text: &str| text.replace("person alice", "agent robot for person alice");
    let robots = by(TERMINATE).replace("delete", "update").replace("Terminate", "Start");
    assert_ne!(judged(&rules, &action(&robots), &Counters::new()).verdict.ruling, Ruling::Hold);
    let delete = TERMINATE.replace("person alice", "pipeline machine for person dora");
    let waiting = |text: &str, by: &[&str]| ruling(&rules, text, by);
    assert_eq!(waiting(TERMINATE, &["alice"]), Ruling::Hold);
    assert_eq!(waiting(TERMINATE, &["olivia"]), Ruling::Admit);
    let (digest, asked) = question(&rules, &delete);
    let of = |by: &str| {
        let judged = judged(&rules, &action(&delete), &granted(digest, vec![login("olivia"), login(by)]));
        judged.verdict.ruling
    };
    assert_eq!(asked.asks(), ["web"]);
    assert_eq!(of("dora"), Ruling::Admit);
    for (person, why) in [
        ("alice", "asks for it"),
        ("omar", "is none of `web`"),
        ("robot", "is no person"),
        ("nobody", "is not declared"),
    ] {
        let (_, asked) = question(&rules, TERMINATE);
        let said = rules.may_answer(&asked, person).unwrap_err();
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn who_runs_an_agent_approves_nothing_that_it_asks_for() {
    let rules = with_rule();
    let robot = "agent robot
    effect ec2:DeleteSecurityGroup delete
    target ec2:security-group arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0web GroupId=sg-0web
    GroupId = sg-0web";
    let said = judged(&rules, &action(robot), &Counters::new());
    assert_eq!(said.verdict.ruling, Ruling::Hold, "{}", told(&said));
    assert_eq!(ruling(&rules, robot, &["olivia"]), Ruling::Hold);
    assert_eq!(ruling(&rules, robot, &["alice"]), Ruling::Admit);
    let (_, asked) = question(&rules, robot);
    assert!(rules.may_answer(&asked, "olivia").unwrap_err().contains("runs who asks for it"));
}

#[test]
fn a_team_says_how_many_of_it_have_to_agree_and_whether_they_sign() {
    let two = "---\napiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: data}\nspec: {type: team, parent: shop, children: [], approvals: {atLeast: 2, signed: true}}\n";
    let text = [SHOP, &people()].concat();
    let before = text
        .split_once("---\napiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: data}")
        .unwrap();
    let rest = before.1.split_once("---\n").unwrap().1;
    let shop = model(&[before.0, two, "---\n", rest].concat());
    let (digest, _) = question(&shop, DELETE);
    let by = |approvals: Vec<Endorsement>| {
        judged(&shop, &action(DELETE), &granted(digest, approvals)).verdict.ruling
    };
    assert_eq!(by(vec![signed(digest, "omar")]), Ruling::Hold);
    assert_eq!(by(vec![signed(digest, "omar"), signed(digest, "omar")]), Ruling::Hold, "one person twice");
    assert_eq!(by(vec![signed(digest, "omar"), login("dan")]), Ruling::Hold, "one did not sign");
    assert_eq!(by(vec![signed(digest, "omar"), signed(digest, "dan")]), Ruling::Admit);
    // A signature of somebody else, or over something else, is none.
    let forged = Endorsement { by: Arc::from("dan"), ..signed(digest, "omar") };
    assert_eq!(by(vec![signed(digest, "omar"), forged]), Ruling::Hold);
    let other = Endorsement { at: at(), ..signed(Digest::of(b"another question"), "dan") };
    assert_eq!(by(vec![signed(digest, "omar"), other]), Ruling::Hold);
}

#[test]
fn a_signature_that_is_none_counts_as_no_approval_wherever() {
    let shop = shop("");
    let (digest, _) = question(&shop, DELETE);
    let broken = Endorsement {
        by: Arc::from("omar"),
        at: at(),
        proof: Proof::Signed(Arc::from("-----BEGIN SSH SIGNATURE-----\n")),
    };
    let later = Endorsement { at: "2026-11-24T10:00:01Z".parse().unwrap(), ..login("omar") };
    for endorsement in [broken, later] {
        let said = judged(&shop, &action(DELETE), &granted(digest, vec![endorsement]));
        assert_eq!(said.verdict.ruling, Ruling::Hold);
    }
}

#[test]
fn what_was_done_waits_anew_and_what_is_being_done_is_denied() {
    let shop = shop("");
    let (digest, _) = question(&shop, DELETE);
    let with = |why: Used| {
        let mut counters = granted(digest, vec![login("omar")]);
        let key = counters.granted().unwrap().key();
        counters.refuse(key, why);
        judged(&shop, &action(DELETE), &counters)
    };
    // Under whatever hold: while nobody knows what became of the request, no approval sends it again.
    let mut elsewhere = granted(digest, vec![login("omar")]);
    let request = digest_of(&action(DELETE)).to_hex();
    let key = CounterKey { source: Arc::from(format!("held:{request}")), subject: Arc::from("request") };
    elsewhere.refuse(key, Used::Unknown);
    let said = judged(&shop, &action(DELETE), &elsewhere);
    assert_eq!((said.verdict.ruling, said.verdict.reasons[0].code.as_str()), (Ruling::Deny, "hold_used"));
    let again = with(Used::Up);
    assert_eq!(again.verdict.ruling, Ruling::Hold);
    assert!(again.waits.is_some(), "it can be asked for anew");
    for (why, told) in [
        (Used::InFlight, "is being carried out"),
        (Used::Unknown, "what became of that is not known"),
        (Used::Uncounted, "cannot be counted now"),
    ] {
        let said = with(why);
        assert_eq!(said.verdict.ruling, Ruling::Deny);
        assert!(said.verdict.reasons[0].text.contains(told), "{}", said.verdict.reasons[0].text);
        assert!(said.waits.is_none() && said.uses.is_empty());
    }
}

#[test]
fn a_no_is_told_and_a_yes_ends() {
    let shop = shop("");
    let (digest, _) = question(&shop, DELETE);
    let mut counters = granted(digest, vec![login("omar")]);
    let mut no = counters.granted().unwrap().clone();
    no.denied = Some((Arc::from("dan"), Arc::from("we need it for the audit")));
    counters.grant(Some(Box::new(no.clone())));
    let said = judged(&shop, &action(DELETE), &counters);
    assert_eq!(said.verdict.ruling, Ruling::Deny);
    assert!(said.verdict.reasons[0].text.contains("`dan` denied hold"), "{}", said.verdict.reasons[0].text);
    let over = Granted { denied: None, until: NOW.parse().unwrap(), ..no };
    counters.grant(Some(Box::new(over)));
    assert_eq!(judged(&shop, &action(DELETE), &counters).verdict.ruling, Ruling::Hold);
}

#[test]
fn a_gate_is_opened_by_nobodys_approval() {
    let shop = shop("");
    let opens = "person alice
    effect ec2:AuthorizeSecurityGroupIngress expose
    target ec2:security-group arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0data GroupId=sg-0data
    GroupId = sg-0data
    IpPermissions.1.FromPort = 22
    IpPermissions.1.ToPort = 22
    IpPermissions.1.IpProtocol = tcp
    IpPermissions.1.IpRanges.1.CidrIp = 0.0.0.0/0";
    let said = judged(&shop, &action(opens), &Counters::new());
    assert_eq!(said.verdict.ruling, Ruling::Deny, "{}", told(&said));
    assert!(said.waits.is_none(), "what is denied is nobody's question");
}

#[test]
fn a_limit_that_holds_asks_everybody_whose_it_reaches() {
    let limit = "---\napiVersion: ordain/v1\nkind: Limits\nmetadata: {name: people}\nspec: {actorKind: person, dependants: 0, ruling: hold}\n";
    let shop = shop(limit);
    let (_, asked) = question(&shop, TERMINATE);
    assert_eq!(asked.waits[0].code, "blast_radius_exceeded");
    assert_eq!(asked.asks(), ["web"]);
    assert_eq!(ruling(&shop, TERMINATE, &["omar"]), Ruling::Hold);
    assert_eq!(ruling(&shop, TERMINATE, &["olivia"]), Ruling::Admit);
}

/// What README proposes as a rule is one, and holds.
#[test]
fn the_rule_that_the_readme_proposes_holds() {
    let readme = include_str!("../../../README.md");
    let rule = readme.split("```cedar\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let text = [SHOP, &people()].concat();
    let shop = crate::support::models(&[("shop.yaml", &text), ("rules.cedar", rule)]);
    let said = judged(&shop, &action(TERMINATE), &Counters::new());
    assert_eq!(said.verdict.ruling, Ruling::Hold, "{}", told(&said));
    assert!(said.verdict.reasons[0].text.contains("of production"), "{}", told(&said));
    assert_eq!(ruling(&shop, TERMINATE, &["olivia"]), Ruling::Admit);
}

/// What a blueprint holds waits for whoever owns the place; what could not be read of it is denied.
#[test]
fn a_blueprint_that_holds_asks_the_owners() {
    let blueprint = "---\napiVersion: ordain/v1\nkind: Blueprint\nmetadata: {name: small}\nspec:\n  ruling: hold\n  why: nobody needs more\n  operations: ['ec2:RunInstances']\n  parameters:\n  - {path: InstanceType, matches: 't3.*'}\n";
    let shop = shop(blueprint);
    let run = "person alice
    effect ec2:RunInstances create
    parent ec2:subnet arn:aws:ec2:eu-west-1:111122223333:subnet/s
    InstanceType = m5.large";
    let (_, asked) = question(&shop, run);
    assert_eq!((asked.waits[0].code.as_str(), asked.asks()), ("blueprint_violated", vec!["web"]));
    assert_eq!(ruling(&shop, run, &["alice"]), Ruling::Hold);
    assert_eq!(ruling(&shop, run, &["olivia"]), Ruling::Admit);
    let unread = judged(&shop, &action(&format!("{run}\n    partial")), &Counters::new());
    assert_eq!(unread.verdict.ruling, Ruling::Deny, "{}", told(&unread));
}

#[test]
fn what_is_over_a_limit_is_denied_where_nothing_else_is_said() {
    let limit = "---\napiVersion: ordain/v1\nkind: Limits\nmetadata: {name: people}\nspec: {actorKind: person, dependants: 0}\n";
    let said = judged(&shop(limit), &action(TERMINATE), &Counters::new());
    assert_eq!(said.verdict.ruling, Ruling::Deny, "{}", told(&said));
}

#[test]
fn what_the_model_says_of_approvals_has_to_be_right() {
    let text = "apiVersion: ordain/v1
kind: Limits
metadata: {name: people}
spec: {actorKind: person, ruling: holds}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: web}
spec: {type: team, children: [], approvals: {atLeast: 0}}
---
apiVersion: ordain/v1
kind: Actor
metadata: {name: robot}
spec: {kind: agent, operators: [alicia, robot]}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: alice}
spec: {}
";
    check_problems(
        &[("m.yaml", text)],
        expect![[r#"
        m.yaml:4: unknown ruling `holds`; did you mean `hold`
        m.yaml:9: `atLeast: 0` would let nobody's approval suffice; give the number of people, 1 or more
        m.yaml:13: operator `robot` is no person of the model; known here are `alice`
        m.yaml:14: operator `alicia` is no person of the model; did you mean `alice`"#]],
    );
    let permits = FOUR_EYES.replace("forbid", "permit");
    check_problems(
        &[("m.cedar", &permits)],
        expect!["m.cedar:2: `four-eyes-on-deletes` is a hold and permits; a hold forbids"],
    );
}

/// The same request with what clients make up anew for each try is the same question, and at another time too.
#[test]
fn a_retry_is_the_same_question() {
    let shop = shop("");
    let (first, _) = question(&shop, DELETE);
    let mut again = action(DELETE);
    let ordain_action::Reading::Call(call) = &mut again.reading else { panic!("it is a call") };
    call.effects[0].parameters.push_idempotency("ClientToken", Scalar::Text("8f2c")).unwrap();
    let said =
        judge(&shop, &again, digest_of(&again), &Counters::new(), "2026-11-24T15:00:00Z".parse().unwrap());
    assert_eq!(said.waits.unwrap().digest, first);
}

/// An approval is for what was shown, under the model that it was shown by.
#[test]
fn what_reaches_further_or_is_anothers_by_now_is_asked_anew() {
    let before = shop("");
    let (digest, _) = question(&before, DELETE);
    let yes = granted(digest, vec![login("omar"), login("dan"), login("dora")]);
    assert_eq!(judged(&before, &action(DELETE), &yes).verdict.ruling, Ruling::Admit);
    // One more thing depends on it.
    let further = shop(
        "---\napiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: reports}\nspec: {type: service, lifecycle: production, owner: web, system: storefront, dependsOn: [\"resource:warehouse\"]}\n",
    );
    let said = judged(&further, &action(DELETE), &yes);
    assert_eq!(said.verdict.ruling, Ruling::Hold, "{}", told(&said));
    assert_ne!(said.waits.unwrap().digest, digest);
    // It is also web's, whose people were not asked.
    let shared = shop(
        "---\napiVersion: ordain/v1\nkind: Inventory\nmetadata: {name: shared}\nspec:\n  source: shared\n  account: \"111122223333\"\n  resources:\n  - {id: two, type: \"rds:db\", name: \"arn:aws:rds:eu-west-1:111122223333:db:warehouse\", identifiers: [warehouse], owner: payroll}\n",
    );
    assert_ne!(judged(&shared, &action(DELETE), &yes).verdict.ruling, Ruling::Admit);
}

/// What was approved is so for a time from the last approval on that was missing, whoever says that it waits longer.
#[test]
fn an_approval_lasts_for_so_long() {
    let shop = shop("");
    let (digest, _) = question(&shop, DELETE);
    let at = |time: &str| {
        let counters = granted(digest, vec![signed(digest, "omar")]);
        judge(&shop, &action(DELETE), digest_of(&action(DELETE)), &counters, time.parse().unwrap())
            .verdict
            .ruling
    };
    assert_eq!(at("2026-11-24T10:28:59Z"), Ruling::Admit);
    assert_eq!(at("2026-11-24T10:29:00Z"), Ruling::Hold);
}

/// Names are told in a line that is no command of a terminal's, and not a long one.
#[test]
fn what_is_told_in_a_line_is_plain() {
    let shop = shop("");
    let (_, mut asked) = question(&shop, DELETE);
    asked.effects[0].resources[0].name = format!("db\u{1b}[2J\u{202e}{}", "x".repeat(9_000));
    let told = asked.told();
    assert!(told.contains("db\\u{1b}[2J\\u{202e}xxx"), "{told}");
    assert!(told.len() < 400, "{}", told.len());
}

/// A request, as generated: who, for whom, which operation, on what, with which parameters.
#[derive(Debug, Clone, PartialEq)]
struct Asked {
    who: &'static str,
    operation: &'static str,
    database: &'static str,
    account: &'static str,
    session: Option<&'static str>,
    parameters: Vec<(String, String)>,
    numbers: bool,
}

impl Asked {
    fn action(&self) -> Action {
        let Self { who, operation, database, .. } = self;
        let text = format!(
            "{who}
            effect {operation} delete
            target rds:db arn:aws:rds:eu-west-1:111122223333:db:{database} DBInstanceIdentifier={database}
            DBInstanceIdentifier = {database}"
        );
        let mut action = action(&text);
        action.actor.upstream.account = Arc::from(self.account);
        action.actor.session = self.session.map(Arc::from);
        let ordain_action::Reading::Call(call) = &mut action.reading else { panic!("it is a call") };
        for (path, value) in &self.parameters {
            let value = if self.numbers { Scalar::Number(value) } else { Scalar::Text(value) };
            call.effects[0].parameters.push(path, value).unwrap();
        }
        action
    }
}

fn asked() -> impl Strategy<Value = Asked> {
    let who = prop_oneof![
        Just("person alice"),
        Just("person olivia"),
        Just("pipeline deploy for person alice"),
        Just("person alice for person olivia"),
    ];
    let operation = prop_oneof![Just("rds:DeleteDBInstance"), Just("rds:RebootDBInstance")];
    let database = prop_oneof![Just("warehouse"), Just("orders")];
    let account = prop_oneof![3 => Just("111122223333"), 1 => Just("111122223334")];
    let session = prop_oneof![2 => Just(None), 1 => Just(Some("s-1")), 1 => Just(Some("s-2"))];
    let parameters = prop::collection::vec(("[A-C]", "[0-2]{1,2}"), 0..3);
    (who, operation, database, account, session, parameters, any::<bool>()).prop_map(
        |(who, operation, database, account, session, mut parameters, numbers)| {
            parameters.sort();
            parameters.dedup_by(|left, right| left.0 == right.0);
            Asked { who, operation, database, account, session, parameters, numbers }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever was approved admits itself at most, and nothing that differs from it in anything.
    #[test]
    fn an_approval_of_one_request_admits_no_other(one in asked(), other in asked()) {
        static SHOP: LazyLock<Snapshot> = LazyLock::new(|| shop(""));
        let shop = &*SHOP;
        let first = one.action();
        let Some(waits) = judged(shop, &first, &Counters::new()).waits else { return Ok(()) };
        let all = ["omar", "dan", "dora", "olivia", "alice", "paul"].map(login).to_vec();
        let yes = granted(waits.digest, all);
        prop_assert_eq!(judged(shop, &first, &yes).verdict.ruling, Ruling::Admit);
        let second = other.action();
        let same = first == second;
        let said = judged(shop, &second, &yes);
        let by_hold = said.uses.iter().any(|used| used.key.source.starts_with("hold:"));
        prop_assert_eq!(by_hold, same, "{:?} and {:?}", one, other);
    }
}
