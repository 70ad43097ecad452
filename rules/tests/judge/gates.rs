//! Every gate and every ground that is built in: what each says, and that it says nothing else.

use expect_test::{Expect, expect};

use crate::support::{NOW, SHOP, action, check, check_at, check_on, codes, judged, models, told};

const FIREWALL: &str =
    "target ec2:security-group arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0web GroupId=sg-0web";

/// The refusals of a change of the web team's firewall, by code.
#[track_caller]
fn check_firewall(parameters: &str, expected: &str) {
    let text =
        format!("person alice\neffect ec2:AuthorizeSecurityGroupIngress update\n{FIREWALL}\n{parameters}");
    assert_eq!(codes(&text), expected, "{parameters}");
}

#[test]
fn opening_ssh_to_the_world_is_denied_to_the_owner_too() {
    check(
        &format!(
            "person alice
             effect ec2:AuthorizeSecurityGroupIngress update
             {FIREWALL}
             GroupId = sg-0web
             IpPermissions.1.IpProtocol = tcp
             IpPermissions.1.FromPort = 22
             IpPermissions.1.ToPort = 22
             IpPermissions.1.IpRanges.1.CidrIp = 0.0.0.0/0"
        ),
        expect![[r#"
            deny (enforce), no permit
            deny legitimacy world_open_admin_port: `ec2:AuthorizeSecurityGroupIngress` would open an administration port of `arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0web` to the whole internet
                → name the networks that need it in place of `0.0.0.0/0` or `::/0`, or reach it through a session service
            admit ownership owner_changes_own: `alice` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0web`
            owners: web
            reach: 1 + 0, tier high"#]],
    );
}

#[test]
fn every_form_of_an_open_administration_port_is_seen() {
    let closed = "";
    let open = "world_open_admin_port";
    check_firewall(
        "IpPermissions.1.IpProtocol = tcp\nIpPermissions.1.FromPort = 443\nIpPermissions.1.ToPort = 443\nIpPermissions.1.IpRanges.1.CidrIp = 0.0.0.0/0",
        closed,
    );
    check_firewall(
        "IpPermissions.1.IpProtocol = tcp\nIpPermissions.1.FromPort = 0\nIpPermissions.1.ToPort = 1024\nIpPermissions.1.Ipv6Ranges.1.CidrIpv6 = ::/0",
        open,
    );
    check_firewall("IpPermissions.1.IpProtocol = -1\nIpPermissions.1.IpRanges.1.CidrIp = 0.0.0.0/0", open);
    check_firewall("IpProtocol = tcp\nFromPort = 3389\nToPort = 3389\nCidrIp = 0.0.0.0/0", open);
    check_firewall("IpProtocol = tcp\nFromPort = 22\nToPort = 22\nCidrIp = 0.0.0.0/1", open);
    check_firewall("IpProtocol = tcp\nFromPort = 22\nToPort = 22\nCidrIp = 10.0.0.0/8", closed);
    check_firewall("IpProtocol = icmp\nFromPort = -1\nToPort = -1\nCidrIp = 0.0.0.0/0", closed);
    // Two rules in one request: the world may not borrow the other's port.
    check_firewall(
        "IpPermissions.1.IpProtocol = tcp\nIpPermissions.1.FromPort = 22\nIpPermissions.1.ToPort = 22\nIpPermissions.1.IpRanges.1.CidrIp = 10.0.0.0/8\n\
         IpPermissions.2.IpProtocol = tcp\nIpPermissions.2.FromPort = 443\nIpPermissions.2.ToPort = 443\nIpPermissions.2.IpRanges.1.CidrIp = 0.0.0.0/0",
        closed,
    );
    check_firewall("SecurityGroupRule.1.SecurityGroupRule.IpProtocol = tcp", closed);
}

#[test]
fn what_a_request_leaves_to_a_reference_is_not_guessed() {
    check(
        &format!("person alice\neffect ec2:AuthorizeSecurityGroupIngress update\n{FIREWALL}\npartial"),
        expect![[r#"
            deny (enforce), no permit
            deny legitimacy unreadable_parameters: not every parameter of `ec2:AuthorizeSecurityGroupIngress` can be read, and what it opens or grants depends on them
                → send the parameters in the request itself, not by reference
            admit ownership owner_changes_own: `alice` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0web`
            owners: web
            reach: 1 + 0, tier high"#]],
    );
}

#[track_caller]
fn check_bucket(operation: &str, access: &str, parameters: &str, expected: &str) {
    let text = format!(
        "person alice\neffect s3:{operation} {access}\ntarget s3:bucket arn:aws:s3:::shop-web-a Bucket=shop-web-a\n{parameters}"
    );
    assert_eq!(codes(&text), expected, "{operation} {parameters}");
}

#[test]
fn storage_stays_private() {
    check(
        "person alice
         effect s3:PutBucketAcl expose
         target s3:bucket arn:aws:s3:::shop-web-a Bucket=shop-web-a
         x-amz-acl = public-read",
        expect![[r#"
            deny (enforce), no permit
            deny legitimacy public_storage: `s3:PutBucketAcl` would make `arn:aws:s3:::shop-web-a` readable or writable by anybody
                → grant to named principals, and keep the public access block on
            admit ownership owner_grants_own: `alice` acts for `web`, which owns `arn:aws:s3:::shop-web-a`, and is no agent
            admit blast_radius reach_unknown: what depends on `arn:aws:s3:::shop-web-a` is not known
            owners: web
            reach: 1 + unknown"#]],
    );
    check_bucket("PutBucketAcl", "expose", "x-amz-acl = private", "");
    check_bucket(
        "PutBucketAcl",
        "expose",
        "AccessControlPolicy.AccessControlList.Grant.1.Grantee.URI = http://acs.amazonaws.com/groups/global/AllUsers",
        "public_storage",
    );
    check_bucket("DeletePublicAccessBlock", "expose", "", "public_storage");
    check_bucket(
        "PutPublicAccessBlock",
        "expose",
        "PublicAccessBlockConfiguration.BlockPublicAcls = true",
        "public_storage",
    );
    check_bucket(
        "PutPublicAccessBlock",
        "expose",
        "P.BlockPublicAcls = true\nP.IgnorePublicAcls = true\nP.BlockPublicPolicy = true\nP.RestrictPublicBuckets = true",
        "",
    );
    let open = r#"Policy = {"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}]}"#;
    check_bucket("PutBucketPolicy", "expose", open, "public_storage");
    let within = r#"Policy = {"Statement":{"Effect":"Allow","Principal":{"AWS":["*"]},"Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}}}"#;
    check_bucket("PutBucketPolicy", "expose", within, "");
    let twice = r#"Policy = {"Statement":[],"Statement":[{"Effect":"Allow","Principal":"*","Action":"*"}]}"#;
    check_bucket("PutBucketPolicy", "expose", twice, "unreadable_policy");
}

#[test]
fn databases_get_no_public_address() {
    check(
        "person dora
         effect rds:ModifyDBInstance update
         target rds:db arn:aws:rds:eu-west-1:111122223333:db:warehouse DBInstanceIdentifier=warehouse
         PubliclyAccessible = true",
        expect![[r#"
            deny (enforce), no permit
            deny legitimacy publicly_accessible: `rds:ModifyDBInstance` would give `arn:aws:rds:eu-west-1:111122223333:db:warehouse` an address that the whole internet reaches
                → leave `PubliclyAccessible` false, and reach it from inside its network
            admit ownership owner_changes_own: `dora` acts for `data`, which owns `arn:aws:rds:eu-west-1:111122223333:db:warehouse`
            owners: data
            reach: 1 + 0, tier high"#]],
    );
}

#[test]
fn images_are_not_shared_with_everybody() {
    check(
        "person alice
         effect ec2:ModifyImageAttribute expose
         target ec2:image arn:aws:ec2:eu-west-1:111122223333:image/ami-0a ImageId=ami-0a
         LaunchPermission.Add.1.Group = all",
        expect![[r#"
            deny (enforce), no permit
            deny legitimacy shared_with_everyone: `ec2:ModifyImageAttribute` would share `arn:aws:ec2:eu-west-1:111122223333:image/ami-0a` with every account there is
                → share with the accounts that need it, by their numbers
            admit ownership owner_grants_own: `alice` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:image/ami-0a`, and is no agent
            admit blast_radius reach_unknown: what depends on `arn:aws:ec2:eu-west-1:111122223333:image/ami-0a` is not known
            owners: web
            reach: 1 + unknown, tier high"#]],
    );
}

const ROLE: &str = "target iam:role arn:aws:iam::111122223333:role/web RoleName=web";

#[test]
fn administration_is_not_handed_out() {
    check(
        &format!(
            "person alice
             effect iam:AttachRolePolicy grant
             {ROLE}
             PolicyArn = arn:aws:iam::aws:policy/AdministratorAccess"
        ),
        expect![[r#"
            deny (enforce), no permit
            deny legitimacy admin_grant: `iam:AttachRolePolicy` would hand administration of the whole account or cluster to `arn:aws:iam::111122223333:role/web`
                → grant the operations that are needed, on the resources they are needed on
            admit ownership owner_grants_own: `alice` acts for `web`, which owns `arn:aws:iam::111122223333:role/web`, and is no agent
            admit blast_radius reach_unknown: what `arn:aws:iam::111122223333:role/web` lets whoever gets it do is not known
            owners: web
            reach: 1 + unknown, tier high"#]],
    );
    let inline = |document: &str| {
        codes(&format!("person alice\neffect iam:PutRolePolicy grant\n{ROLE}\nPolicyDocument = {document}"))
    };
    assert_eq!(inline(r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#), "admin_grant");
    assert_eq!(
        inline(r#"{"Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*"}]}"#),
        "admin_grant"
    );
    assert_eq!(
        inline(r#"{"Statement":[{"Effect":"Allow","NotAction":"s3:*","Resource":"*"}]}"#),
        "admin_grant"
    );
    assert_eq!(inline(r#"{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#), "");
    assert_eq!(inline(r#"{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#), "");
    assert_eq!(inline("{\"Statement\":["), "unreadable_policy");
}

#[test]
fn a_role_is_not_for_anybody_to_assume() {
    check(
        &format!(
            r#"person alice
            effect iam:UpdateAssumeRolePolicy grant
            {ROLE}
            PolicyDocument = {{"Statement":[{{"Effect":"Allow","Principal":{{"AWS":"*"}},"Action":"sts:AssumeRole"}}]}}"#
        ),
        expect![[r#"
            deny (enforce), no permit
            deny legitimacy open_trust: `iam:UpdateAssumeRolePolicy` would let anybody assume `arn:aws:iam::111122223333:role/web`, or use what it grants
                → name the principals it is for, or add a condition that names them
            admit ownership owner_grants_own: `alice` acts for `web`, which owns `arn:aws:iam::111122223333:role/web`, and is no agent
            owners: web
            reach: 1 + 0, tier high"#]],
    );
}

#[test]
fn agents_grant_nothing() {
    check(
        &format!(
            "agent cleaner\neffect iam:AttachRolePolicy grant\n{ROLE}\nPolicyArn = arn:aws:iam::aws:policy/ReadOnlyAccess"
        ),
        expect![[r#"
            deny (enforce), no permit
            deny legitimacy agent_grants: `cleaner` is an agent, and agents grant nothing: `iam:AttachRolePolicy` changes who may do what on `arn:aws:iam::111122223333:role/web`
                → have a person or a pipeline of `web` do it, or declare `AgentBounds` for it
            deny legitimacy no_ground: no rule gives `cleaner` a ground to change who may do what on `arn:aws:iam::111122223333:role/web`
                → ask `web` for a rule or for bounds that allow it
            deny blast_radius reach_unknown: what `arn:aws:iam::111122223333:role/web` lets whoever gets it do is not known, and agent `cleaner` has to know
                → import it into the model, declare `AgentBounds` for it, or have a person or a pipeline do it
            owners: web
            reach: 1 + unknown, tier high"#]],
    );
}

#[test]
fn agents_open_nothing() {
    check(
        &format!(
            "agent cleaner
             effect ec2:AuthorizeSecurityGroupIngress update
             {FIREWALL}
             IpProtocol = tcp
             FromPort = 443
             ToPort = 443
             CidrIp = 0.0.0.0/0"
        ),
        expect![[r#"
            deny (enforce), no permit
            deny legitimacy agent_exposes: `cleaner` is an agent, and agents open nothing: `ec2:AuthorizeSecurityGroupIngress` would open `arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0web` to others
                → have a person or a pipeline of `web` do it, or declare `AgentBounds` for it
            admit ownership owner_changes_own: `cleaner` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0web`
            owners: web
            reach: 1 + 0, tier high"#]],
    );
}

#[test]
fn agents_run_nothing_and_read_no_secrets() {
    check(
        "agent cleaner
         effect ssm:SendCommand execute
         target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web
         effect rds:GenerateToken secret_read
         target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web",
        expect![[r#"
            deny (enforce), no permit
            deny legitimacy agent_executes: `cleaner` is an agent, and `ssm:SendCommand` runs something under another authority on `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web`
                → have a person or a pipeline of `web` do it, or declare `AgentBounds` for it
            deny legitimacy no_ground: no rule gives `cleaner` a ground to run something on `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web`
                → ask `web` for a rule or for bounds that allow it
            deny blast_radius reach_unknown: what would run on or as `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web` may reach all that its authority does, which is not known, and agent `cleaner` has to know
                → declare `AgentBounds` for it, or have a person or a pipeline do it
            deny legitimacy agent_reads_secrets: `cleaner` is an agent, and `rds:GenerateToken` would hand it a secret of `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web`
                → have a person or a pipeline of `web` do it, or declare `AgentBounds` for it
            deny legitimacy no_ground: no rule gives `cleaner` a ground to read secrets of `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web`
                → ask `web` for a rule or for bounds that allow it
            owners: web
            reach: 1 + unknown, tier high"#]],
    );
}

#[test]
fn agents_do_not_silence_the_audit() {
    check(
        "agent cleaner
         effect ec2:DeleteFlowLogs delete
         target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web",
        expect![[r#"
            deny (enforce), no permit
            deny legitimacy agent_silences_audit: `cleaner` is an agent, and `ec2:DeleteFlowLogs` would stop what records or checks changes
                → have a person of `web` do it, or declare `AgentBounds` for it
            admit ownership owner_changes_own: `cleaner` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web`
            owners: web
            reach: 1 + 1, tier high"#]],
    );
}

#[test]
fn bounds_of_the_model_are_the_ground_that_agents_need() {
    let bounds = "
apiVersion: ordain/v1
kind: AgentBounds
metadata: {name: cleaner-runs-commands}
spec:
  actors: [cleaner]
  access: [execute]
  operations: [\"ssm:*\"]
  names: [\"arn:aws:ec2:*:111122223333:instance/i-0web\"]
  until: 2026-12-01T00:00:00Z
";
    let snapshot = models(&[("shop.yaml", SHOP), ("bounds.yaml", bounds)]);
    let command = "agent cleaner
         effect ssm:SendCommand execute
         target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web";
    check_on(
        &snapshot,
        command,
        expect![[r#"
            admit (enforce), permit Admitted
            admit legitimacy agent_within_its_bounds: bounds of the model declare that `cleaner` may run something on `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web`
            owners: web
            reach: 1 + unknown, tier high"#]],
    );
    let refused = |now: &str| told(&judged(&snapshot, now, &action(command))).contains("agent_executes");
    assert!(!refused(NOW));
    assert!(refused("2026-12-01T00:00:00Z"), "bounds end when they say");
}

#[test]
fn a_claimed_identity_grants_nothing() {
    check(
        &format!("person alice claimed\neffect iam:TagRole grant\n{ROLE}"),
        expect![[r#"
            deny (enforce), no permit
            deny legitimacy claimed_identity: who `alice` is was only claimed, and `iam:TagRole` asks for a verified identity
                → use a credential that the gate issued
            admit ownership owner_grants_own: `alice` acts for `web`, which owns `arn:aws:iam::111122223333:role/web`, and is no agent
            admit blast_radius reach_unknown: what `arn:aws:iam::111122223333:role/web` lets whoever gets it do is not known
            owners: web
            reach: 1 + unknown, tier high"#]],
    );
}

#[test]
fn pipelines_deploy_their_systems() {
    check(
        &format!(
            "pipeline deploy\neffect iam:PutRolePolicy grant\n{ROLE}\nPolicyDocument = {{\"Statement\":[]}}"
        ),
        expect![[r#"
            admit (enforce), permit Admitted
            admit ownership pipeline_deploys_its_systems: `deploy` is declared to deploy `system:storefront`, to which `arn:aws:iam::111122223333:role/web` belongs
            owners: web
            reach: 1 + 0, tier high, crosses web"#]],
    );
}

#[test]
fn changing_a_tag_that_says_who_owns_something_is_a_grant() {
    let tag = |key: &str| {
        codes(&format!(
            "agent cleaner\neffect ec2:CreateTags tag\ntarget ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web\nTag.1.Key = {key}\nTag.1.Value = owner"
        ))
    };
    assert_eq!(tag("Owner"), "agent_grants no_ground");
    assert_eq!(tag("colour"), "");
}

const FREEZE: &str = "
apiVersion: ordain/v1
kind: Freeze
metadata: {name: year-end}
spec:
  from: 2026-12-20T00:00:00Z
  until: 2027-01-02T00:00:00Z
  why: no changes over the year's end
  covers: {environments: [production]}
";

#[test]
fn nothing_changes_in_a_freeze() {
    let snapshot = models(&[("shop.yaml", SHOP), ("freeze.yaml", FREEZE)]);
    let stop = "person alice
         effect ec2:StopInstances update
         target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web";
    check_at(
        &snapshot,
        "2026-12-24T10:00:00Z",
        stop,
        expect![[r#"
        deny (enforce), no permit
        deny legitimacy frozen: `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web` is frozen: no changes over the year's end (`year-end` until 2027-01-02T00:00:00Z)
            → wait until the freeze ends, or ask `web` for break-glass
        admit ownership owner_changes_own: `alice` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web`
        owners: web
        reach: 1 + 1, tier high"#]],
    );
    let frozen = |now: &str| told(&judged(&snapshot, now, &action(stop))).contains("frozen");
    assert!(!frozen("2026-12-19T23:59:59Z"));
    assert!(frozen("2026-12-20T00:00:00Z"));
    assert!(!frozen("2027-01-02T00:00:00Z"));
}

/// A model with one more rule.
#[track_caller]
fn check_rule(rule: &str, text: &str, expected: Expect) {
    let snapshot = models(&[("shop.yaml", SHOP), ("rules/own.cedar", rule)]);
    check_on(&snapshot, text, expected);
}

#[test]
fn a_rule_of_the_model_reads_parameters_and_denies_when_they_are_not_complete() {
    let rule = r#"
        @id("small-only") @class("gate")
        @reason("`{operation}` asks for a size that is not small") @remedy("ask for `t3.micro`")
        forbid (principal, action == Action::"create", resource)
        when { context.operation == Operation::"ec2:RunInstances" &&
               !(context.parameters.hasTag("InstanceType") && context.parameters.getTag("InstanceType") == ["t3.micro"]) };"#;
    let run = |rest: &str| {
        format!("person alice\neffect ec2:RunInstances create\nparent ec2:vpc - carried\n{rest}")
    };
    check_rule(
        rule,
        &run("InstanceType = t3.micro"),
        expect![[r#"
        admit (enforce), permit Admitted
        admit ownership owner_changes_own: `alice` acts for `web`, which owns `ec2:vpc in account 111122223333`
        owners: web
        reach: 0 + 0"#]],
    );
    check_rule(
        rule,
        &run("InstanceType = x1.32xlarge"),
        expect![[r#"
        deny (enforce), no permit
        deny legitimacy small_only: `ec2:RunInstances` asks for a size that is not small
            → ask for `t3.micro`
        admit ownership owner_changes_own: `alice` acts for `web`, which owns `ec2:vpc in account 111122223333`
        owners: web
        reach: 0 + 0"#]],
    );
    check_rule(
        rule,
        &run("partial"),
        expect![[r#"
            deny (enforce), no permit
            deny legitimacy parameters_incomplete: a rule reads the parameters of `ec2:RunInstances`, and not all of them could be read
                → send the parameters in the request itself, not by reference
            owners: web
            reach: 0 + 0"#]],
    );
}

#[test]
fn a_rule_that_fails_denies() {
    let rule = r#"
        @id("too-much") @class("gate") @reason("too much") @remedy("do less")
        forbid (principal, action == Action::"update", resource)
        when { context.reach.dependants + 9223372036854775807 > 1 };"#;
    check_rule(
        rule,
        "person alice
         effect ec2:StopInstances update
         target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web",
        expect![[r#"
            deny (enforce), no permit
            deny legitimacy policy_error: `too-much` could not be evaluated, and a rule that fails denies
                → have the rule corrected; `ordain validate` shows where it is
            admit ownership owner_changes_own: `alice` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web`
            owners: web
            reach: 1 + 1, tier high"#]],
    );
}

#[test]
fn a_resource_of_a_type_that_is_not_decoded_is_made_by_nobody() {
    let text = |operation: &str, access: &str| {
        format!("person alice\neffect cloudcontrol:{operation} {access}\n{FIREWALL}\npartial")
    };
    for (operation, access) in
        [("CreateResource", "create"), ("UpdateResource", "update"), ("UpdateResource", "grant")]
    {
        assert_eq!(codes(&text(operation, access)), "unreadable_parameters", "{operation} {access}");
    }
    assert_eq!(codes(&text("DeleteResource", "delete")), "");
}
