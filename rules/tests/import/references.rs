//! References of a plan, through modules, loops and what a plan does not show.

#![expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "what is asked for is there, or the test fails"
)]

use expect_test::expect;
use jiff::Timestamp;
use ordain_rules::import::{ChangeTold, terraform_plan};
use serde_json::{Value, json};

use crate::source;

/// A resource that is created, with what is known of it and what is not.
fn created(address: &str, after: &Value, unknown: &[&str]) -> Value {
    let own = address.rsplit_once("module.").map_or(address, |(_, rest)| rest.split_once('.').unwrap().1);
    let (kind, rest) = own.split_once('.').unwrap();
    let unknown: serde_json::Map<String, Value> =
        unknown.iter().map(|name| ((*name).to_owned(), json!(true))).collect();
    json!({
        "address": address, "mode": "managed", "type": kind, "name": rest.split('[').next().unwrap(),
        "change": {"actions": ["create"], "before": null, "after": after, "after_unknown": unknown},
    })
}

fn written(own: &str, expressions: &Value) -> Value {
    let (kind, name) = own.split_once('.').unwrap();
    json!({"address": own, "mode": "managed", "type": kind, "name": name, "provider_config_key": "aws", "expressions": expressions})
}

fn refers(to: &[&str]) -> Value {
    json!({"references": to})
}

/// The items of a change, from the first of the ids on, without what comes of the plan for all.
fn items(changes: &[Value], root: &Value) -> String {
    let plan = json!({
        "format_version": "1.2", "resource_changes": changes,
        "configuration": {
            "provider_config": {"aws": {"expressions": {"region": {"constant_value": "eu-west-1"}}}},
            "root_module": root,
        },
    });
    let actors = ["deploy".to_owned()];
    let time = |text: &str| Some(text.parse::<Timestamp>().unwrap());
    let told = ChangeTold {
        name: "web",
        why: "w",
        author: "alice",
        actors: &actors,
        from: time("2026-11-28T10:00:00Z"),
        until: time("2026-11-29T10:00:00Z"),
        account: Some("111122223333"),
        ..ChangeTold::default()
    };
    let change = terraform_plan(&source("plan.json", &plan.to_string()), &told).unwrap();
    let items = change.text.split("  items:\n").nth(1).unwrap();
    items.lines().map(|line| format!("{}\n", &line[2..])).collect()
}

const ROUTE: &str = "aws_route_table_association.a";

/// What an association takes whose subnet is written by these references.
fn subnet(references: &[&str], resources: &[Value]) -> String {
    let mut changes = vec![
        created(ROUTE, &json!({"route_table_id": "rtb-1"}), &["id", "subnet_id"]),
        created("aws_subnet.one", &json!({"cidr_block": "10.0.0.0/24"}), &["id", "arn"]),
        created("aws_subnet.many[0]", &json!({"cidr_block": "10.0.1.0/24"}), &["id", "arn"]),
        created("aws_subnet.many[1]", &json!({"cidr_block": "10.0.2.0/24"}), &["id", "arn"]),
        created("aws_vpc.v", &json!({"cidr_block": "10.0.0.0/16"}), &["id", "arn", "owner_id"]),
    ];
    changes.extend(resources.iter().cloned());
    let root = json!({"resources": [written(ROUTE, &json!({"subnet_id": refers(references)}))]});
    let text = items(&changes, &root);
    let item = text.split("- id: ").find(|item| item.starts_with(ROUTE)).unwrap();
    let lines = item.lines().filter(|line| ["SubnetId", "`", "$in"].iter().any(|part| line.contains(part)));
    lines.map(str::trim).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_reference_is_an_item_or_several() {
    let all = [
        subnet(&["aws_subnet.one.id", "aws_subnet.one"], &[]),
        subnet(&["aws_subnet.many[1].id", "aws_subnet.many[1]", "aws_subnet.many"], &[]),
        // By an index that is known when applying, or by all of them.
        subnet(&["aws_subnet.many", "count.index"], &[]),
        subnet(
            &[
                "aws_subnet.one.id",
                "aws_subnet.one",
                "aws_subnet.many[0].id",
                "aws_subnet.many[0]",
                "aws_subnet.many",
            ],
            &[],
        ),
        // What requests do not know it by.
        subnet(&["aws_vpc.v.owner_id", "aws_vpc.v"], &[]),
        subnet(&["aws_vpc.v.owner_id", "aws_vpc.v", "aws_subnet.one.id", "aws_subnet.one"], &[]),
        // What is known is a part of a text.
        subnet(&["aws_vpc.v.cidr_block", "aws_vpc.v", "aws_subnet.one.id", "aws_subnet.one"], &[]),
        // A local may hold anything that there is.
        subnet(&["local.subnet"], &[]),
        subnet(&["random_pet.p.id", "random_pet.p"], &[]),
        subnet(&[], &[]),
    ];
    expect![[r#"
        takes: {RouteTableId: rtb-1, SubnetId: {$of: aws_subnet.one}}
        takes: {RouteTableId: rtb-1, SubnetId: {$of: "aws_subnet.many[1]"}}
        - "`subnet_id` is one of `aws_subnet.many[0]`, `aws_subnet.many[1]`: which, the plan does not show"
        SubnetId: {$in: [{$of: "aws_subnet.many[0]"}, {$of: "aws_subnet.many[1]"}]}
        - "`subnet_id` is chosen or put together at apply from `aws_subnet.many[0]`, `aws_subnet.one`: that it is or mentions them is all that is held against the plan"
        SubnetId:
        $in:
        - "`subnet_id` is put together at apply from `aws_vpc.v.owner_id` and is not held against the plan"
        takes: {RouteTableId: rtb-1, SubnetId: {$any: []}}
        - "`subnet_id` is chosen or put together at apply from `aws_vpc.v.owner_id`, `aws_subnet.one`: that it is or mentions them is all that is held against the plan"
        SubnetId: {$in: [{$of: aws_subnet.one}, {$any: [aws_subnet.one]}]}
        - "`subnet_id` is chosen or put together at apply from `aws_subnet.one`: that it is or mentions them is all that is held against the plan"
        SubnetId: {$in: [{$of: aws_subnet.one}, {$any: [aws_subnet.one]}]}
        - "`subnet_id` comes from `local.subnet`, which the plan does not show: it may be any of what this change makes there"
        SubnetId:
        $in: [{$of: "aws_subnet.many[0]"}, {$of: "aws_subnet.many[1]"}, {$of: aws_subnet.one}]
        - "`subnet_id` is put together at apply from `random_pet.p.id` and is not held against the plan"
        takes: {RouteTableId: rtb-1, SubnetId: {$any: []}}
        - "`subnet_id` is put together at apply from what the plan does not show and is not held against the plan"
        takes: {RouteTableId: rtb-1, SubnetId: {$any: []}}"#]].assert_eq(&all.join("\n"));
}

/// Two instances of a module with a subnet each, and what is in its outputs is referred to in three ways.
fn modules() -> (Vec<Value>, Value) {
    let changes = vec![
        created(
            "module.net[\"a\"].aws_subnet.s",
            &json!({"cidr_block": "10.0.0.0/24"}),
            &["id", "arn", "vpc_id"],
        ),
        created(
            "module.net[\"b\"].aws_subnet.s",
            &json!({"cidr_block": "10.0.1.0/24"}),
            &["id", "arn", "vpc_id"],
        ),
        created("aws_vpc.v", &json!({"cidr_block": "10.0.0.0/16"}), &["id", "arn"]),
        created("aws_route_table_association.a", &json!({"route_table_id": "rtb-1"}), &["id", "subnet_id"]),
        created("aws_route_table_association.b", &json!({"route_table_id": "rtb-1"}), &["id", "subnet_id"]),
        created(
            "aws_route_table_association.each[\"k\"]",
            &json!({"route_table_id": "rtb-1"}),
            &["id", "subnet_id"],
        ),
    ];
    let child = json!({
        "resources": [written("aws_subnet.s", &json!({"vpc_id": refers(&["var.vpc"])}))],
        "outputs": {"subnet": {"expression": refers(&["aws_subnet.s.id", "aws_subnet.s"])}},
    });
    let mut each =
        written("aws_route_table_association.each", &json!({"subnet_id": refers(&["each.value"])}));
    each["for_each_expression"] = refers(&["module.net[\"a\"].subnet", "module.net[\"a\"]", "module.net"]);
    let root = json!({
        "resources": [
            written("aws_route_table_association.a", &json!({"subnet_id": refers(&["module.net[\"a\"].subnet", "module.net[\"a\"]", "module.net"])})),
            written("aws_route_table_association.b", &json!({"subnet_id": refers(&["module.net", "each.key"])})),
            each,
        ],
        "module_calls": {"net": {"expressions": {"vpc": refers(&["aws_vpc.v.id", "aws_vpc.v"])}, "module": child}},
    });
    (changes, root)
}

#[test]
fn references_are_followed_through_modules() {
    let (changes, root) = modules();
    expect![[r#"
          - id: aws_route_table_association.a
            type: aws_route_table_association
            action: create
            calls:
            - operation: ec2:AssociateRouteTable
              creates: true
              takes: {RouteTableId: rtb-1, SubnetId: {$of: "module.net[\"a\"].aws_subnet.s"}}
              must: [RouteTableId]
          - id: aws_route_table_association.b
            type: aws_route_table_association
            action: create
            notes:
            - "`subnet_id` comes from `module.net`, which the plan does not show: it may be any of what this change makes there"
            calls:
            - operation: ec2:AssociateRouteTable
              creates: true
              takes:
                RouteTableId: rtb-1
                SubnetId:
                  $in: [{$of: "module.net[\"a\"].aws_subnet.s"}, {$of: "module.net[\"b\"].aws_subnet.s"}]
              must: [RouteTableId]
          - id: "aws_route_table_association.each[\"k\"]"
            type: aws_route_table_association
            action: create
            calls:
            - operation: ec2:AssociateRouteTable
              creates: true
              takes: {RouteTableId: rtb-1, SubnetId: {$of: "module.net[\"a\"].aws_subnet.s"}}
              must: [RouteTableId]
          - id: aws_vpc.v
            type: ec2:vpc
            action: create
            calls:
            - operation: ec2:CreateVpc
              creates: true
              takes:
                AmazonProvidedIpv6CidrBlock: false
                CidrBlock: "10.0.0.0/16"
                InstanceTenancy: default
          - id: "module.net[\"a\"].aws_subnet.s"
            type: ec2:subnet
            action: create
            calls:
            - operation: ec2:CreateSubnet
              creates: true
              takes: {CidrBlock: "10.0.0.0/24", VpcId: {$of: aws_vpc.v}}
              must: [VpcId]
          - id: "module.net[\"b\"].aws_subnet.s"
            type: ec2:subnet
            action: create
            calls:
            - operation: ec2:CreateSubnet
              creates: true
              takes: {CidrBlock: "10.0.1.0/24", VpcId: {$of: aws_vpc.v}}
              must: [VpcId]
    "#]].assert_eq(&items(&changes, &root));
}

#[test]
fn what_is_not_written_is_not_taken() {
    let changes = [created(
        "aws_instance.i",
        &json!({"ami": "ami-1", "instance_type": "t3.micro", "user_data": null}),
        &[
            "id",
            "arn",
            "iam_instance_profile",
            "subnet_id",
            "user_data_base64",
            "key_name",
            "vpc_security_group_ids",
        ],
    )];
    let root = json!({"resources": [written("aws_instance.i", &json!({"ami": {"constant_value": "ami-1"}, "instance_type": {"constant_value": "t3.micro"}}))]});
    expect![[r#"
          - id: aws_instance.i
            type: ec2:instance
            action: create
            calls:
            - operation: ec2:RunInstances
              creates: true
              takes:
                CreditSpecification: {CpuCredits: {$in: [standard, unlimited]}}
                DisableApiStop: false
                DisableApiTermination: false
                EbsOptimized: false
                HibernationOptions: {Configured: false}
                ImageId: ami-1
                InstanceType: t3.micro
                MaxCount: 1
                MinCount: 1
                Monitoring: {Enabled: false}
                Placement: {AvailabilityZone: ""}
    "#]]
    .assert_eq(&items(&changes, &root));
}

#[test]
fn blocks_of_a_group_stay_together() {
    let rule = |port: u64, groups: &Value| json!({"from_port": port, "to_port": port, "protocol": "tcp", "cidr_blocks": [], "ipv6_cidr_blocks": [], "prefix_list_ids": [], "description": "", "self": false, "security_groups": groups});
    let mut group = created(
        "aws_security_group.g",
        &json!({"name": "g", "description": "d", "ingress": [rule(80, &json!([null])), rule(443, &json!(["sg-1"]))], "egress": []}),
        &["id", "arn"],
    );
    group["change"]["after_unknown"]["ingress"] =
        json!([{"security_groups": [true]}, {"security_groups": [false]}]);
    let other = created("aws_security_group.lb", &json!({"name": "lb", "description": "d"}), &["id", "arn"]);
    let block =
        |port: u64, groups: &Value| json!({"from_port": {"constant_value": port}, "security_groups": groups});
    let groups = refers(&["aws_security_group.lb.id", "aws_security_group.lb"]);
    let root = json!({"resources": [written("aws_security_group.g", &json!({"ingress": [block(443, &json!({"constant_value": ["sg-1"]})), block(80, &groups)]}))]});
    let text = items(&[group, other], &root);
    expect![[r#"
          - id: aws_security_group.g
            type: ec2:security-group
            action: create
            identifiers: [g]
            calls:
            - operation: ec2:CreateSecurityGroup
              creates: true
              takes: {GroupDescription: d, GroupName: g}
              must: [GroupName]
            - operation: ec2:RevokeSecurityGroupEgress
              takes:
                GroupId: {$of: aws_security_group.g}
                IpPermissions:
                - {FromPort: 0, IpProtocol: "-1", IpRanges: [{CidrIp: "0.0.0.0/0"}], ToPort: 0}
                - {FromPort: 0, IpProtocol: "-1", Ipv6Ranges: [{CidrIpv6: "::/0"}], ToPort: 0}
              must: [GroupId, IpPermissions]
              times: 2
            - operation: ec2:AuthorizeSecurityGroupIngress
              takes:
                GroupId: {$of: aws_security_group.g}
                IpPermissions:
                - FromPort: 80
                  Groups: [{GroupId: {$of: aws_security_group.lb}}]
                  IpProtocol: tcp
                  ToPort: 80
                - {FromPort: 443, Groups: [{GroupId: sg-1}], IpProtocol: tcp, ToPort: 443}
              must: [GroupId, IpPermissions, IpPermissions.IpProtocol]
    "#]]
    .assert_eq(text.split("- id: aws_security_group.lb").next().unwrap());
}
