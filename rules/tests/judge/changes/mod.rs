//! Changes: what is admitted because it was planned and approved, and what is not although it nearly was.
//!
//! Leaves out counting uses, which the state engines are tested for, and where changes come from.

mod differs;
mod names;
mod whose;

use expect_test::expect;
use jiff::Timestamp;
use ordain_action::{Action, Created, Digest, Outcome};
use ordain_rules::{Counters, Judged, LiveInventory, Ruling, Snapshot, Used, judge};
use ssh_key::private::{Ed25519Keypair, PrivateKey};
use ssh_key::{HashAlg, LineEnding};

use crate::support::{NOW, SHOP, action, check_problems, model, told};

/// A change that makes a group of the network and opens it, and one of things that are there.
const CHANGE: &str = r#"
---
apiVersion: ordain/v1
kind: Change
metadata: {name: web-42}
spec:
  type: normal
  why: the shop gets a second firewall
  author: paul
  actors: [outside]
  from: 2026-11-24T09:00:00Z
  until: 2026-11-24T12:00:00Z
  account: "111122223333"
  region: eu-west-1
  items:
  - id: aws_security_group.web
    type: ec2:security-group
    action: create
    calls:
    - operation: ec2:CreateSecurityGroup
      creates: true
      takes:
        GroupName: web
        GroupDescription: {$in: [for the shop, shop]}
        VpcId: vpc-1
        TagSpecification: [{ResourceType: security-group, Tag: [{Key: team, Value: web}]}]
      must: [GroupName]
    - operation: ec2:AuthorizeSecurityGroupIngress
      takes:
        GroupId: {$of: aws_security_group.web}
        IpPermissions:
        - {FromPort: 443, ToPort: 443, IpProtocol: tcp, IpRanges: [{CidrIp: 10.0.0.0/8, Description: {$may: tls}}]}
        - {FromPort: 22, ToPort: 22, IpProtocol: tcp, IpRanges: [{CidrIp: 10.1.0.0/16}]}
      must: [IpPermissions]
  - id: aws_instance.web
    type: ec2:instance
    action: update
    name: arn:aws:ec2:eu-west-1:111122223333:instance/i-0web
    identifiers: [i-0web]
    calls:
    - operation: ec2:TerminateInstances
      takes: {InstanceId: [{$of: aws_instance.web}]}
    - operation: ec2:ModifyInstanceAttribute
      takes: {InstanceId: {$of: aws_instance.web}, UserData: {Value: {$secret: true}}}
  - id: aws_iam_role_policy.app
    type: iam:role
    action: update
    name: arn:aws:iam::111122223333:role/web
    calls:
    - operation: iam:PutRolePolicy
      takes:
        RoleName: web
        PolicyName: inline
        PolicyDocument: {$json: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "*"}]}}
"#;

/// A pipeline that has nothing of its own, and keys of three people.
fn people() -> String {
    let user = |name: &str, team: &str| {
        format!(
            "---\napiVersion: ordain/v1\nkind: Actor\nmetadata: {{name: {name}}}\nspec: {{kind: person, memberOf: [{team}], signingKeys: [\"{}\"]}}\n",
            key(name).public_key().to_openssh().unwrap()
        )
    };
    [
        "---\napiVersion: ordain/v1\nkind: Actor\nmetadata: {name: outside}\nspec: {kind: pipeline, memberOf: [payroll], onlyPlanned: true}\n".to_owned(),
        user("olivia", "web"),
        user("omar", "data"),
        user("pia", "payroll"),
    ]
    .concat()
}

pub(crate) fn key(name: &str) -> PrivateKey {
    let mut seed = [7; 32];
    seed[..name.len()].copy_from_slice(name.as_bytes());
    PrivateKey::from(Ed25519Keypair::from_seed(&seed))
}

/// The shop with changes, each approved by these people.
fn approved(changes: &str, by: &[&str]) -> Snapshot {
    let text = [SHOP, &people(), changes].concat();
    let unapproved = model(&text);
    let mut approvals = String::new();
    for change in unapproved.changes(now(NOW)) {
        for person in by {
            let at = "2026-11-24T08:00:00Z";
            let said = format!(
                "ordain approval v1\nchange {}\ndigest {}\nby {person}\nat {at}\n",
                change.name, change.digest
            );
            let signed = key(person).sign("ordain-approval", HashAlg::Sha512, said.as_bytes()).unwrap();
            let signed = signed.to_pem(LineEnding::LF).unwrap().trim_end().replace('\n', "\n    ");
            approvals.push_str(&format!(
                "---\napiVersion: ordain/v1\nkind: Approval\nmetadata: {{name: {}-{person}}}\nspec:\n  change: {}\n  digest: {}\n  by: {person}\n  at: {at}\n  signature: |\n    {signed}\n",
                change.name, change.name, change.digest,
            ));
        }
    }
    model(&[text, approvals].concat())
}

fn now(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn judged_at(snapshot: &Snapshot, at: &str, action: &Action, counters: &Counters) -> Judged {
    judge(snapshot, action, Digest::of(b"request"), counters, now(at))
}

fn judged(snapshot: &Snapshot, text: &str) -> Judged {
    judged_at(snapshot, NOW, &action(text), &Counters::new())
}

/// The refusals of an action, in words.
fn refused(snapshot: &Snapshot, text: &str) -> String {
    let judged = judged(snapshot, text);
    let refusals = judged.verdict.reasons.iter().filter(|reason| reason.ruling != Ruling::Admit);
    let lines: Vec<String> =
        refusals.map(|reason| format!("{}: {}", reason.code.as_str(), reason.text)).collect();
    lines.join("\n")
}

const CREATE: &str = "pipeline outside
    effect ec2:CreateSecurityGroup create
    parent ec2:vpc arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-1 VpcId=vpc-1
    GroupName = web
    GroupDescription = shop
    VpcId = vpc-1
    TagSpecification.1.ResourceType = security-group
    TagSpecification.1.Tag.1.Key = team
    TagSpecification.1.Tag.1.Value = web";

const AUTHORIZE: &str = "pipeline outside
    effect ec2:AuthorizeSecurityGroupIngress update
    target ec2:security-group arn:aws:ec2:eu-west-1:111122223333:security-group/sg-77 GroupId=sg-77
    GroupId = sg-77
    IpPermissions.1.FromPort = 443
    IpPermissions.1.ToPort = 443
    IpPermissions.1.IpProtocol = tcp
    IpPermissions.1.IpRanges.1.CidrIp = 10.0.0.0/8
    IpPermissions.2.FromPort = 22
    IpPermissions.2.ToPort = 22
    IpPermissions.2.IpProtocol = tcp
    IpPermissions.2.IpRanges.1.CidrIp = 10.1.0.0/16";

const TERMINATE: &str = "pipeline outside
    effect ec2:TerminateInstances delete
    target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web InstanceId=i-0web
    InstanceId.1 = i-0web";

#[test]
fn what_was_planned_and_approved_is_admitted_and_uses_it() {
    let shop = approved(CHANGE, &["olivia"]);
    let judged = judged(&shop, CREATE);
    let used = judged.uses.iter().map(|used| {
        let (source, _) = used.key.source.split_once('@').unwrap();
        format!("{source} {} {} of {}", used.key.subject, used.request == Digest::of(b"request"), used.uses)
    });
    expect![[r#"
        admit (enforce), permit Admitted
        admit legitimacy approved_change: change `web-42` plans this, and `web` approved it
        owners: web
        reach: 0 + 0
        uses change:web-42 aws_security_group.web 0 ec2:CreateSecurityGroup true of 1
        carries out Some(("aws_security_group.web", 0, true))"#]]
    .assert_eq(&format!(
        "{}\nuses {}\ncarries out {:?}",
        told(&judged),
        used.collect::<Vec<_>>().join(", "),
        judged.verdict.change.as_ref().map(|carried| (
            carried.item.to_string(),
            carried.call,
            carried.creates
        )),
    ));
}

#[test]
fn what_was_planned_waits_for_everybody_whose_it_is() {
    // Nobody, somebody whose it is not, and who wrote it.
    expect![[r#"
        deny (enforce), no permit
        deny legitimacy unplanned: `outside` makes planned changes only: change `web-42` is not approved by all whose it is
            → carry out what was planned, or add it to a change that `web` approves
        hold ownership change_not_approved: change `web-42` plans this as `aws_instance.web`, and `web` has not approved it
            → have somebody of `web` other than `paul` approve it: `ordain change approve web-42`
        owners: web
        reach: 1 + 1, tier high, crosses web"#]].assert_eq(&told(&judged(&approved(CHANGE, &[]), TERMINATE)));
    assert_eq!(
        refused(&approved(CHANGE, &["omar"]), TERMINATE),
        refused(&approved(CHANGE, &[]), TERMINATE),
        "an approval by somebody else is none"
    );
    let own = CHANGE.replace("author: paul", "author: olivia");
    expect![[r#"
        unplanned: `outside` makes planned changes only: change `web-42` is not approved by all whose it is
        change_not_approved: change `web-42` plans this as `aws_instance.web`, and `web` has not approved it"#]].assert_eq(&refused(&approved(&own, &["olivia"]), TERMINATE));
    let asked = TERMINATE.replace("pipeline outside", "pipeline outside for person olivia");
    let both = CHANGE.replace("actors: [outside]", "actors: [outside, olivia]");
    expect![[r#"
        unplanned: `outside` makes planned changes only: change `web-42` is not approved by all whose it is
        change_not_approved: change `web-42` plans this as `aws_instance.web`, and `web` has not approved it"#]].assert_eq(&refused(&approved(&both, &["olivia"]), &asked));
}

#[test]
fn what_differs_in_anything_is_refused_by_its_name() {
    let shop = approved(CHANGE, &["olivia"]);
    let mut said = String::new();
    for (from, to) in [
        ("GroupName = web", "GroupName = other"),
        ("GroupName = web\n", "\n"),
        ("VpcId = vpc-1", "VpcId = vpc-2"),
        ("Tag.1.Value = web", "Tag.1.Value = data"),
        (
            "Tag.1.Value = web",
            "Tag.1.Value = web\n    TagSpecification.1.Tag.2.Key = more\n    TagSpecification.1.Tag.2.Value = x",
        ),
        ("GroupName = web", "GroupName = web\n    DryRun := false"),
        ("GroupName = web", "GroupName = web\n    GroupName.1 = web"),
        ("ec2:CreateSecurityGroup", "ec2:CreateVpc"),
    ] {
        let refused = refused(&shop, &CREATE.replace(from, to));
        let planned = refused.lines().find(|line| line.starts_with("unplanned")).unwrap();
        said.push_str(&format!("{}\n  {planned}\n", to.trim().replace('\n', " ")));
    }
    expect![[r#"
        GroupName = other
          unplanned: `outside` makes planned changes only: `GroupName=other` was not planned: it is `web` (change `web-42`, item `aws_security_group.web`)

          unplanned: `outside` makes planned changes only: `GroupName` was planned as `web` and is missing (change `web-42`, item `aws_security_group.web`)
        VpcId = vpc-2
          unplanned: `outside` makes planned changes only: `VpcId=vpc-2` was not planned: it is `vpc-1` (change `web-42`, item `aws_security_group.web`)
        Tag.1.Value = data
          unplanned: `outside` makes planned changes only: `TagSpecification.Tag.Value=data` was not planned: it is `web` (change `web-42`, item `aws_security_group.web`)
        Tag.1.Value = web     TagSpecification.1.Tag.2.Key = more     TagSpecification.1.Tag.2.Value = x
          unplanned: `outside` makes planned changes only: `TagSpecification.Tag.Key=more` was not planned: it is `team` (change `web-42`, item `aws_security_group.web`)
        GroupName = web     DryRun := false
          unplanned: `outside` makes planned changes only: `DryRun=false` was not planned (change `web-42`, item `aws_security_group.web`)
        GroupName = web     GroupName.1 = web
          unplanned: `outside` makes planned changes only: `GroupName=web` was not planned: it is `web` (change `web-42`, item `aws_security_group.web`)
        ec2:CreateVpc
          unplanned: `outside` makes planned changes only: `ec2:CreateVpc` was not planned (change `web-42`)
    "#]].assert_eq(&said);
}

/// The inventory after the group was made for the change, as the upstream answered.
fn made(shop: &Snapshot, identifier: &str) -> Snapshot {
    let create = action(CREATE);
    let carried = judged(shop, CREATE).verdict.change;
    let created = Created {
        kind: "ec2:security-group".into(),
        member: "GroupId".into(),
        identifier: identifier.to_owned(),
    };
    let outcome = Outcome::Answered {
        status: 200,
        request_id: String::new(),
        error_code: None,
        created: vec![created],
    };
    let mut live = LiveInventory::new();
    live.apply_outcome(&create, &outcome, carried.as_ref(), 1);
    shop.with_live(&live)
}

#[test]
fn an_identity_comes_from_the_upstreams_answer_and_from_nobody_else() {
    let shop = approved(CHANGE, &["olivia"]);
    // Nothing was made yet: whoever names a group names one of their choice.
    let before = refused(&shop, AUTHORIZE);
    assert!(
        before.contains("`GroupId=sg-77` was not planned: it is what `aws_security_group.web` is known by"),
        "{before}"
    );
    assert_eq!(refused(&made(&shop, "sg-77"), AUTHORIZE), "");
    let other = refused(&made(&shop, "sg-78"), AUTHORIZE);
    assert!(other.contains("`GroupId=sg-77` was not planned"), "{other}");
    // What was made by the same request without the change is none of its items.
    let unplanned = {
        let mut live = LiveInventory::new();
        let created = Created {
            kind: "ec2:security-group".into(),
            member: "GroupId".into(),
            identifier: "sg-77".to_owned(),
        };
        let outcome = Outcome::Answered {
            status: 200,
            request_id: String::new(),
            error_code: None,
            created: vec![created],
        };
        live.apply_outcome(&action(CREATE), &outcome, None, 1);
        shop.with_live(&live)
    };
    assert!(refused(&unplanned, AUTHORIZE).contains("`GroupId=sg-77` was not planned"));
}

#[test]
fn what_belongs_together_is_planned_together() {
    let shop = made(&approved(CHANGE, &["olivia"]), "sg-77");
    let mut said = String::new();
    for (from, to) in [
        // Each value stands in the plan, and not with the others.
        ("IpPermissions.1.IpRanges.1.CidrIp = 10.0.0.0/8", "IpPermissions.1.IpRanges.1.CidrIp = 10.1.0.0/16"),
        ("IpPermissions.2.FromPort = 22", "IpPermissions.2.FromPort = 443"),
        // Wider, and more of it.
        ("10.0.0.0/8", "0.0.0.0/0"),
        ("IpPermissions.1.ToPort = 443", "IpPermissions.1.ToPort = 65535"),
        ("CidrIp = 10.0.0.0/8", "CidrIp = 10.0.0.0/8\n    IpPermissions.1.IpRanges.2.CidrIp = 0.0.0.0/0"),
        ("CidrIp = 10.0.0.0/8", "CidrIp = 10.0.0.0/8\n    IpPermissions.1.Ipv6Ranges.1.CidrIpv6 = ::/0"),
        // Less of one, which may mean more.
        ("    IpPermissions.1.FromPort = 443\n", ""),
    ] {
        let changed = AUTHORIZE.replace(from, to);
        assert_ne!(changed, AUTHORIZE, "{from}");
        let refused = refused(&shop, &changed);
        let planned = refused.lines().find(|line| line.starts_with("unplanned")).unwrap();
        said.push_str(&format!("{planned}\n"));
    }
    expect![[r#"
        unplanned: `outside` makes planned changes only: `IpPermissions.IpRanges.CidrIp=10.1.0.0/16` was not planned: it is `10.0.0.0/8` (change `web-42`, item `aws_security_group.web`)
        unplanned: `outside` makes planned changes only: `IpPermissions.FromPort=443` was not planned: it is `22` (change `web-42`, item `aws_security_group.web`)
        unplanned: `outside` makes planned changes only: `IpPermissions.IpRanges.CidrIp=0.0.0.0/0` was not planned: it is `10.0.0.0/8` (change `web-42`, item `aws_security_group.web`)
        unplanned: `outside` makes planned changes only: `IpPermissions.ToPort=65535` was not planned: it is `443` (change `web-42`, item `aws_security_group.web`)
        unplanned: `outside` makes planned changes only: `IpPermissions.IpRanges.CidrIp=0.0.0.0/0` was not planned: it is `10.0.0.0/8` (change `web-42`, item `aws_security_group.web`)
        unplanned: `outside` makes planned changes only: `IpPermissions.Ipv6Ranges.CidrIpv6=::/0` was not planned (change `web-42`, item `aws_security_group.web`)
        unplanned: `outside` makes planned changes only: `IpPermissions.FromPort` was planned as `443` and is missing (change `web-42`, item `aws_security_group.web`)
    "#]].assert_eq(&said);
    let told = AUTHORIZE.replace(
        "CidrIp = 10.0.0.0/8",
        "CidrIp = 10.0.0.0/8\n    IpPermissions.1.IpRanges.1.Description = tls",
    );
    assert_eq!(refused(&shop, &told), "", "what may be there may be there");
}

#[test]
fn a_document_is_compared_by_what_it_says_and_a_secret_is_not() {
    let shop = approved(CHANGE, &["olivia"]);
    let put = |policy: &str| {
        format!(
            "pipeline outside
    effect iam:PutRolePolicy grant
    target iam:role arn:aws:iam::111122223333:role/web RoleName=web
    RoleName = web
    PolicyName = inline
    PolicyDocument = {policy}"
        )
    };
    let same = r#"{"Statement":[{"Action":"sqs:SendMessage","Resource":"*","Effect":"Allow"}],"Version":"2012-10-17"}"#;
    assert_eq!(refused(&shop, &put(same)), "");
    for wider in [
        same.replace("sqs:SendMessage", "sqs:*"),
        same.replace("\"Effect\"", "\"Effect\":\"Deny\",\"Effect\""),
    ] {
        let refused = refused(&shop, &put(&wider));
        assert!(refused.contains("unplanned: "), "{wider}: {refused}");
    }
}

#[test]
fn a_change_is_for_its_time_its_actors_its_account_and_its_uses() {
    let shop = approved(CHANGE, &["olivia"]);
    let at = |at: &str, text: &str, counters: &Counters| {
        let judged = judged_at(&shop, at, &action(text), counters);
        let of = |code: &str| {
            judged
                .verdict
                .reasons
                .iter()
                .find(|reason| reason.code.as_str() == code)
                .map(|reason| reason.text.clone())
        };
        let told = ["change_closed", "change_used", "not_planned", "unplanned"].into_iter().find_map(of);
        told.unwrap_or_else(|| "nothing of changes".to_owned())
    };
    let key = judged(&shop, TERMINATE).uses[0].key.clone();
    let mut said = vec![
        at("2026-11-24T08:59:59Z", TERMINATE, &Counters::new()),
        at("2026-11-24T12:00:00Z", TERMINATE, &Counters::new()),
        at(NOW, &TERMINATE.replace("outside", "cleaner").replace("pipeline", "agent"), &Counters::new()),
    ];
    for why in [Used::Up, Used::InFlight, Used::Unknown, Used::Uncounted] {
        let mut counters = Counters::new();
        counters.refuse(key.clone(), why);
        said.push(at(NOW, TERMINATE, &counters));
    }
    expect![[r#"
        `outside` makes planned changes only: change `web-42`, which plans this as `aws_instance.web`, opens 2026-11-24T09:00:00Z
        `outside` makes planned changes only: change `web-42`, which plans this as `aws_instance.web`, is over
        nothing of changes
        `outside` makes planned changes only: `ec2:TerminateInstances` of item `aws_instance.web` of change `web-42` was carried out already, as often as it may be (1)
        `outside` makes planned changes only: `ec2:TerminateInstances` of item `aws_instance.web` of change `web-42` is being carried out by the same request
        `outside` makes planned changes only: `ec2:TerminateInstances` of item `aws_instance.web` of change `web-42` was sent before by the same request, and what became of that is not known
        `outside` makes planned changes only: `ec2:TerminateInstances` of item `aws_instance.web` of change `web-42` cannot be counted now"#]].assert_eq(&said.join("\n"));
}

#[test]
fn one_changed_byte_voids_every_approval() {
    let shop = approved(CHANGE, &["olivia"]);
    let digest = shop.change("web-42", now(NOW)).unwrap().digest;
    for (from, to) in [
        ("the shop gets", "the Shop gets"),
        ("CidrIp: 10.0.0.0/8", "CidrIp: 0.0.0.0/0"),
        ("until: 2026-11-24T12:00:00Z", "until: 2026-11-24T13:00:00Z"),
        ("actors: [outside]", "actors: [outside, cleaner]"),
        ("{name: web-42}", "{name: web-43}"),
        ("must: [GroupName]", "must: [VpcId]"),
    ] {
        let changed = CHANGE.replace(from, to);
        assert_ne!(changed, CHANGE, "{from}");
        let other = approved(&changed, &[]);
        assert_ne!(other.changes(now(NOW))[0].digest, digest, "{to}");
    }
    let commented = CHANGE.replace("  items:", "  # what it is\n  items:");
    assert_eq!(
        approved(&commented, &[]).changes(now(NOW))[0].digest,
        digest,
        "what says nothing changes nothing"
    );
}

#[test]
fn an_agent_may_do_what_the_owner_approved() {
    let grants = CHANGE.replace("actors: [outside]", "actors: [cleaner]");
    let put = r#"agent cleaner
    effect iam:PutRolePolicy grant
    target iam:role arn:aws:iam::111122223333:role/web RoleName=web
    RoleName = web
    PolicyName = inline
    PolicyDocument = {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"*"}]}"#;
    let without = refused(&approved("", &[]), put);
    assert!(without.contains("agents grant nothing"), "{without}");
    let approved = refused(&approved(&grants, &["olivia"]), put);
    assert!(!approved.contains("agents grant nothing"), "{approved}");
}

#[test]
fn what_is_wrong_with_a_change_is_said_with_its_place() {
    let wrong = CHANGE.replace("type: normal", "type: usual").replace("author: paul", "author: outside");
    let with = |change: &str| [SHOP, &people(), change].concat();
    check_problems(
        &[("shop.yaml", &with(&wrong))],
        expect![
            "shop.yaml:154: unknown type of change `usual`; known here are `standard`, `normal`, `emergency`"
        ],
    );
    let wrong = CHANGE
        .replace("author: paul", "author: outside")
        .replace("VpcId: vpc-1", "VpcId: {$off: x}")
        .replace("GroupId: {$of: aws_security_group.web}", "GroupId: {$of: aws_security_group.wed}")
        .replace("must: [IpPermissions]", "must: [IpPermission]")
        .replace("ec2:TerminateInstances", "TerminateInstances")
        .replace("until: 2026-11-24T12", "until: 2027-11-24T12")
        .replace("  - id: aws_iam_role_policy.app", "  - id: aws_instance.web");
    check_problems(
        &[("shop.yaml", &with(&wrong))],
        expect![[r#"
        shop.yaml:156: `outside`, who wrote change `web-42`, is no person; name one who answers for it
        shop.yaml:159: change `web-42` is `normal` and open for more than 2160 hours; give it an earlier `until`
        shop.yaml:167: in `takes` of `ec2:CreateSecurityGroup` of item `aws_security_group.web`: unknown form `$off`; did you mean `$of`
        shop.yaml:177: item `aws_security_group.web` refers to `aws_security_group.wed`, which is no item of the change; did you mean `aws_security_group.web`
        shop.yaml:178: `IpPermission` has to be in `ec2:AuthorizeSecurityGroupIngress` of item `aws_security_group.web`, and `takes` has no such parameter; add it there
        shop.yaml:182: change `web-42` has two items `aws_instance.web`; give each its own id
        shop.yaml:188: `TerminateInstances` of item `aws_instance.web` is no operation; write it as `service:Operation`"#]],
    );
    let twice = CHANGE.replace("GroupName: web", "GroupName: web\n        GroupName: other");
    check_problems(
        &[("shop.yaml", &with(&twice))],
        expect!["shop.yaml:170: in `spec.items[0].calls[0].takes`: `GroupName` is given twice; remove one"],
    );
}

#[test]
fn a_budget_may_be_of_each_change() {
    let budget = "---\napiVersion: ordain/v1\nkind: Budget\nmetadata: {name: of-changes}\nspec: {per: change, within: 1h, limit: 1}\n";
    let shop = approved(&[CHANGE, budget].concat(), &["olivia"]);
    let needed = |text: &str| {
        let needs = ordain_rules::needs(&shop, &action(text));
        needs.keys().map(|key| format!("{} {}", key.source, key.subject)).collect::<Vec<_>>()
    };
    assert_eq!(needed(TERMINATE), ["budget:of-changes web-42"]);
    let other = TERMINATE.replace("i-0web", "i-0other");
    assert_eq!(needed(&other), [""; 0], "what carries out no change is none of theirs");
    let mut counters = Counters::new();
    let key = ordain_rules::needs(&shop, &action(TERMINATE)).keys().next().unwrap().clone();
    counters.set(key.clone(), ordain_rules::Counted { value: 0, until: None });
    let fits = judged_at(&shop, NOW, &action(TERMINATE), &counters);
    assert_eq!((fits.charges.len(), fits.uses.len()), (1, 1), "{}", told(&fits));
    counters.set(key, ordain_rules::Counted { value: 1, until: None });
    let over = judged_at(&shop, NOW, &action(TERMINATE), &counters);
    assert_eq!((over.charges.len(), over.uses.len()), (0, 0), "what is refused uses nothing");
    expect![[r#"
        deny (enforce), no permit
        deny blast_radius budget_exceeded: change `web-42` has used 1 of 1 changes within 1h (budget `of-changes`), and this takes 1 more
            → wait, or have whoever keeps the model raise `limit` of budget `of-changes`
        admit legitimacy approved_change: change `web-42` plans this, and `web` approved it
        owners: web
        reach: 1 + 1, tier high, crosses web"#]].assert_eq(&told(&over));
}

#[test]
fn what_waits_or_is_over_is_told() {
    use ordain_rules::portrait::lint;
    let told = |snapshot: &Snapshot, at: &str| {
        let flaws = lint(
            snapshot,
            &std::collections::BTreeMap::new(),
            now(at),
            jiff::SignedDuration::from_hours(9000),
        );
        let of_changes = flaws.into_iter().filter(|flaw| flaw.about.starts_with("change "));
        of_changes
            .map(|flaw| format!("{} {}: {}\n", flaw.kind.as_str(), flaw.about, flaw.text))
            .collect::<String>()
    };
    let emergency = CHANGE.replace("type: normal", "type: emergency\n  review: 2026-11-25T09:00:00Z");
    let (waits, approved) = (approved(CHANGE, &[]), approved(&emergency, &["olivia"]));
    let said = [
        told(&waits, NOW),
        told(&waits, "2026-11-24T12:00:00Z"),
        told(&approved, NOW),
        told(&approved, "2026-11-24T12:00:00Z"),
        told(&approved, "2026-11-25T09:00:00Z"),
    ];
    expect![[r#"
        due change web-42: nobody has approved it as it is; `ordain change approve web-42`

        over change web-42: it is over; take it away with `ordain change withdraw web-42`



        due change web-42: its review is due; somebody other than `paul` should look at what was done, and withdraw it
    "#]].assert_eq(&said.join("\n"));
}
