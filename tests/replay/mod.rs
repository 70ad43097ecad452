//! `ordain replay`: what a gate decided and recorded is judged again, to the same last word; and what another model, or
//! other rules, would have said.
//!
//! The traffic is of two planes, three actors and two modes, with what is made through the gate among it. Leaves out how
//! a record is read back, which stands beside it (`proxy/evidence/tests/ledger`).

mod long;

use std::collections::BTreeSet;
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::harness::{Answer, Gate, Sent, eventually, said};
use crate::identity::Cluster;

/// Two rules more: one that has a say, and one that never does.
const RULES: &str = r#"
@id("no-stops-by-hand")
@class("gate")
@count("legitimacy")
@reason("`{actor}` stops `{resource}` by hand")
@remedy("have the pipeline do it")
forbid (principal, action in Action::"change", resource)
when { context.operation == Operation::"ec2:StopInstances" && principal.name == "alice" };

@id("never-asked")
@class("gate")
@count("legitimacy")
@reason("`{actor}` may not touch `{resource}`")
@remedy("leave it")
forbid (principal, action == Action::"delete", resource)
when { resource.kind == "nothing:at-all" };
"#;

fn replay(gate: &Gate, arguments: &[&str]) -> (i32, Value) {
    let output = gate.run(&[&["-o", "json", "replay"], arguments].concat());
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
    (output.status.code().unwrap(), report)
}

fn json_call(service: &'static str, target: &str, version: &str, body: &Value) -> Sent {
    Sent {
        service,
        method: "POST",
        target: "/".to_owned(),
        headers: vec![
            ("content-type", format!("application/x-amz-json-{version}")),
            ("x-amz-target", target.to_owned()),
        ],
        body: body.to_string().into_bytes(),
    }
}

fn form(service: &'static str, version: &str, call: &str) -> Sent {
    Sent::form(service, &format!("Action={call}&Version={version}"))
}

/// What one turn asks of AWS.
fn asked(turn: usize) -> Vec<(&'static str, Sent)> {
    let id = format!("i-{turn:017x}");
    let iam = |call: &str| form("iam", "2010-05-08", call);
    let acl = Sent {
        headers: vec![("x-amz-acl", "public-read".to_owned())],
        ..Sent::s3("PUT", &format!("/carts/{turn}?acl"), b"")
    };
    let many: String =
        (1..=300).map(|number| format!("&InstanceId.{number}=i-{:017x}", turn * 1000 + number)).collect();
    let mut all = vec![
        ("alice", Sent::ec2(&format!("StopInstances&InstanceId.1={id}"))),
        ("robot", Sent::ec2(&format!("StopInstances&InstanceId.1={id}"))),
        ("mallory", Sent::ec2(&format!("TerminateInstances&InstanceId.1={id}"))),
        // What is made is known from then on: the same request before and after is judged with what there is.
        ("robot", Sent::ec2(&format!("StopInstances&InstanceId.1=i-made{turn:013x}"))),
        (
            "alice",
            Sent::ec2(&format!("RunInstances&ImageId=ami-1&MinCount=1&MaxCount=1&ClientToken=t{turn}")),
        ),
        ("robot", Sent::ec2(&format!("StopInstances&InstanceId.1=i-made{turn:013x}"))),
        (
            "alice",
            Sent::ec2(&format!(
                "AuthorizeSecurityGroupIngress&GroupId=sg-{turn}&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=22&IpPermissions.1.ToPort=22&IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0"
            )),
        ),
        ("alice", Sent::ec2(&format!("CreateTags&ResourceId.1={id}&Tag.1.Key=owner&Tag.1.Value=payments"))),
        (
            "robot",
            iam(&format!(
                "AttachRolePolicy&RoleName=r{turn}&PolicyArn=arn:aws:iam::aws:policy/AdministratorAccess"
            )),
        ),
        ("alice", iam(&format!("CreateLoginProfile&UserName=u{turn}&Password=hush-{turn}"))),
        ("alice", Sent::s3("PUT", &format!("/carts/{turn}"), b"eggs")),
        ("mallory", Sent::s3("DELETE", &format!("/carts/{turn}"), b"")),
        ("robot", acl),
        (
            "robot",
            json_call(
                "secretsmanager",
                "secretsmanager.GetSecretValue",
                "1.1",
                &json!({"SecretId": format!("s{turn}")}),
            ),
        ),
        (
            "alice",
            json_call(
                "dynamodb",
                "DynamoDB_20120810.PutItem",
                "1.0",
                &json!({"TableName": "carts", "Item": {"id": {"S": "1"}}}),
            ),
        ),
        ("alice", Sent::ec2("StopInstances&InstanceId.1=i-1&InstanceId.1=i-2")),
        // Nobody's: what it may not read is refused, and recorded.
        ("mallory", Sent::ec2("DescribeInstances")),
    ];
    if turn.is_multiple_of(8) {
        all.push(("alice", Sent::ec2(&format!("TerminateInstances{many}"))));
    }
    all
}

/// What one turn asks of the cluster: who, how and what.
fn asked_of_cluster(turn: usize) -> Vec<(&'static str, String, Value)> {
    let path = |group: &str, rest: &str| format!("/{group}/namespaces/shop/{rest}");
    let rbac = "apis/rbac.authorization.k8s.io/v1";
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": format!("b{turn}"), "namespace": "shop"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "robot"}],
    });
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": format!("p{turn}"), "namespace": "shop"},
        "spec": {"hostPID": true, "containers": [{"name": "a", "image": "a", "securityContext": {"privileged": true}}]},
    });
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": format!("s{turn}"), "namespace": "shop"}, "stringData": {"password": "hush"}});
    vec![
        ("alice", format!("POST {}", path(rbac, "rolebindings")), binding.clone()),
        ("alice", format!("PUT {}", path(rbac, &format!("rolebindings/b{turn}"))), binding),
        ("robot", format!("POST {}", path("api/v1", "pods")), pod.clone()),
        ("alice", format!("POST {}", path("api/v1", "pods")), pod),
        ("alice", format!("POST {}", path("api/v1", "secrets")), secret),
        ("robot", format!("DELETE {}", path("api/v1", &format!("pods/p{turn}"))), Value::Null),
    ]
}

fn answers_with_what_it_made(one: &crate::harness::Arrived) -> Answer {
    let text = one.body_text();
    let Some(token) = text.split("ClientToken=t").nth(1) else { return Answer::well() };
    let turn: usize = token.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap();
    Answer::Body(
        200,
        format!(
            "<RunInstancesResponse><requestId>r</requestId><instancesSet><item><instanceId>i-made{turn:013x}</instanceId></item></instancesSet></RunInstancesResponse>"
        ),
    )
}

/// A cluster and an account, with a gate that lets pass what it would deny.
fn start() -> Cluster {
    let cluster = Cluster::start_with("", |setup| setup.mode = "shadow");
    cluster.gate.recorder.answer(answers_with_what_it_made);
    cluster.stub.answer(|one| {
        let body = serde_json::from_slice::<Value>(&one.body).unwrap_or_default();
        if body["kind"].is_string() {
            return Answer::Body(if one.method == "POST" { 201 } else { 200 }, body.to_string());
        }
        Answer::Body(
            200,
            json!({"kind": "Namespace", "metadata": {"name": "kube-system", "uid": "u-1"}}).to_string(),
        )
    });
    cluster
}

fn drive(cluster: &Cluster, turns: std::ops::Range<usize>) {
    let tokens: Vec<(&str, String)> = [("alice", "person"), ("robot", "agent")]
        .into_iter()
        .map(|(name, kind)| (name, cluster.gate.bearer("live", name, kind)))
        .collect();
    for turn in turns {
        for (actor, sent) in asked(turn) {
            let reply = cluster.gate.client(actor).send(&sent);
            assert!(reply.status < 500, "{actor}: {}", reply.text());
        }
        for (actor, line, body) in asked_of_cluster(turn) {
            let token = &tokens.iter().find(|(name, _)| *name == actor).unwrap().1;
            let stream = TcpStream::connect(cluster.gate.address).unwrap();
            let body = if body.is_null() { String::new() } else { body.to_string() };
            let reply = cluster.sent(stream, &line, &format!("authorization: Bearer {token}\r\n"), &body);
            assert!(reply.status < 500, "{actor} {line}: {}", reply.text());
        }
    }
}

fn decisions(gate: &Gate) -> Vec<crate::harness::Entry> {
    gate.ledger().refresh().iter().filter(|entry| entry.is_decision()).cloned().collect()
}

fn enforce(gate: &Gate) {
    gate.edit(|text| text.replace("mode = \"shadow\"", "mode = \"enforce\""));
    gate.hang_up();
    eventually("the mode goes up", || gate.log().contains("mode from shadow to enforce"));
}

#[test]
fn what_was_decided_is_decided_again_to_the_last_word() {
    let mut cluster = start();
    drive(&cluster, 0..12);
    enforce(&cluster.gate);
    drive(&cluster, 12..16);
    // What had been created before is folded anew by a gate that starts.
    assert!(cluster.gate.stop());
    cluster.gate.restart();
    drive(&cluster, 16..19);

    let all = decisions(&cluster.gate);
    let (code, report) = replay(&cluster.gate, &[]);
    assert_eq!((code, &report["equal"]), (0, &report["decisions"]), "{report:#}");
    assert_eq!(report["decisions"], all.len(), "{report:#}");
    assert_eq!((&report["other_model"], &report["without_terms"]), (&json!(0), &json!(0)));
    assert_eq!(report["not_judged"], json!([]));
    // It is a replay of much, and not of one thing many times.
    assert!(all.len() > 350, "{} decisions", all.len());
    let values = |pointer: &str| -> BTreeSet<String> {
        all.iter().filter_map(|entry| entry.says.pointer(pointer)?.as_str().map(str::to_owned)).collect()
    };
    assert_eq!(values("/effect"), ["admitted", "refused", "shadowed"].map(str::to_owned).into());
    assert_eq!(values("/terms/mode"), ["enforce", "shadow"].map(str::to_owned).into());
    assert_eq!(values("/actor/upstream/plane"), ["aws", "kubernetes"].map(str::to_owned).into());
    let codes = values("/content/whole/reasons/0/code");
    assert!(codes.len() >= 10, "{codes:?}");
    assert!(all.iter().any(|entry| entry.has_blob), "some are too long for one entry");
    let lives: BTreeSet<u64> = all.iter().filter_map(|entry| entry.says["live"].as_u64()).collect();
    assert!(lives.len() > 30, "{} inventories", lives.len());
    // The robot stops what nobody knows, and then what was made through the gate.
    let made = |entry: &&crate::harness::Entry| {
        let text = entry.says.to_string();
        entry.says["actor"]["party"]["name"] == "robot" && text.contains("i-made0000000000011")
    };
    let rulings: Vec<&str> = all.iter().filter(made).map(|entry| entry.text("ruling")).collect();
    assert_eq!(rulings, ["deny", "admit"]);
    cluster.gate.finish();
}

#[test]
fn other_rules_differ_where_they_are_meant_to_and_a_rule_without_a_say_is_dead() {
    let cluster = start();
    drive(&cluster, 0..3);
    let gate = &cluster.gate;
    let all = decisions(gate);
    let rules = gate.folder.path().join("new.cedar");
    std::fs::write(&rules, RULES).unwrap();
    let (code, report) = replay(gate, &["--rules", rules.to_str().unwrap()]);
    let by_hand = all.iter().filter(|entry| {
        entry.says["actor"]["party"]["name"] == "alice" && entry.operations() == ["ec2:StopInstances"]
    });
    let by_hand: Vec<&str> = by_hand.map(|entry| entry.text("id")).collect();
    assert_eq!(by_hand.len(), 3);
    assert_eq!(
        (code, &report["differ"], &report["must_not_happen"]),
        (1, &json!(3), &json!(0)),
        "{report:#}"
    );
    assert_eq!(report["changes"], json!({"admit → deny": 3}));
    assert_eq!(report["other_model"], all.len(), "the rules are others than those it was judged by");
    for group in report["differences"].as_array().unwrap() {
        assert_eq!((&group["actor"], &group["owner"]), (&json!("alice"), &json!("platform")), "{group}");
        assert_eq!(group["is"], "no_stops_by_hand", "{group}");
        assert!(group["was"].as_str().unwrap().contains("owner_changes_own"), "{group}");
        assert!(group["resource"].as_str().unwrap().contains(":instance/i-"), "{group}");
        assert!(by_hand.contains(&group["example"].as_str().unwrap()), "{group}");
    }
    let hits = |rule: &str| {
        let all = report["rule_hits"].as_array().unwrap();
        all.iter().find(|one| one["rule"] == rule).unwrap_or_else(|| panic!("no `{rule}`")).clone()
    };
    assert_eq!((&hits("no-stops-by-hand")["hits"], &hits("never-asked")["hits"]), (&json!(3), &json!(0)));
    assert_eq!(hits("no-stops-by-hand")["place"], "new.cedar:2");
    assert!(hits("owner-changes-own")["hits"].as_u64().unwrap() > 3);
    let dead = report["dead_rules"].as_array().unwrap();
    assert!(dead.contains(&json!("never-asked")) && !dead.contains(&json!("no-stops-by-hand")));

    // To a person the same is told in a few lines.
    let told = said(&gate.run(&["replay", "--rules", rules.to_str().unwrap()]));
    let first = format!("{} of {} verdicts are equal\n3: admit → deny\n", all.len() - 3, all.len());
    assert!(told.starts_with(&first), "{told}");
    assert!(told.contains("rules were no reason of any decision here:"), "{told}");

    // What is asked for of an actor or a period is that.
    let robots = all.iter().filter(|entry| entry.says["actor"]["party"]["name"] == "robot").count();
    assert_eq!(replay(gate, &["--actor", "robot"]).1["decisions"], robots);
    let middle = all[all.len() / 2].text("time");
    let (_, late) = replay(gate, &["--since", middle]);
    let (_, early) = replay(gate, &["--until", middle]);
    assert_eq!(late["equal"], all.len() - all.len() / 2, "what was created before counts: {late:#}");
    assert_eq!(early["equal"], all.len() / 2, "{early:#}");

    // A model that has changed since says something else, and that is no fault.
    let model = gate.folder.path().join("model/model.yaml");
    let text = std::fs::read_to_string(&model).unwrap();
    std::fs::write(
        &model,
        text.replace("account: 123456789012, owner: platform", "account: 123456789012, owner: payments"),
    )
    .unwrap();
    let (code, report) = replay(gate, &[]);
    assert_eq!((code, &report["other_model"], &report["must_not_happen"]), (1, &json!(all.len()), &json!(0)));
    assert!(report["changes"]["admit → deny"].as_u64().unwrap() > 5, "{report:#}");

    for (arguments, why) in [
        (["--rules", "/nowhere.cedar"], "cannot read `/nowhere.cedar`"),
        (["--model", "/nowhere"], "there is no folder `/nowhere`; give `--model` a model's folder"),
        (["--rules", gate.folder.path().join("state").to_str().unwrap()], "holds no `.cedar` file"),
    ] {
        let output = gate.run(&[&["replay"], &arguments[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(why), "{}", said(&output));
    }
    cluster.gate.finish();
}

#[test]
fn what_cannot_be_judged_again_is_counted_and_said() {
    let gate = Gate::start(crate::harness::Setup::default());
    let mallory = gate.client("mallory");
    for number in 0..160 {
        assert_eq!(mallory.send(&crate::harness::a_change(number)).status, 403);
    }
    let counted = || gate.ledger().refresh().iter().filter(|entry| entry.sort == "attempts").count() > 0;
    eventually("refusals of a burst are counted", counted);
    let recorded = decisions(&gate).len();
    let (code, report) = replay(&gate, &[]);
    assert_eq!((code, &report["equal"]), (0, &json!(recorded)), "{report:#}");
    let left_out = &report["not_judged"][0];
    assert_eq!(left_out["why"], "they were refused in a burst and only counted: see `ordain ledger query`");
    let counted = left_out["count"].as_u64().unwrap();
    assert!(counted > 0 && counted + recorded as u64 <= 160, "{report:#}");
    let told = said(&gate.run(&["replay"]));
    assert!(told.contains(&format!("{counted} not judged again: they were refused in a burst")), "{told}");
    gate.finish();
}
