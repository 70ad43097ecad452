//! What each constraint allows, and what is said where it does not.
//!
//! Leaves out whom a blueprint binds (`bound.rs`).

use expect_test::expect;

use super::{blueprint, said, said_of, said_of_update};

/// A constraint of one parameter, held against some values: those that pass.
fn passing<'v>(constraint: &str, values: &[&'v str]) -> Vec<&'v str> {
    let spec = format!("  parameters:\n  - {{path: P, {constraint}}}");
    values.iter().filter(|value| said(&spec, &format!("P {value}")).is_empty()).copied().collect()
}

#[test]
fn a_value_that_is_not_allowed_is_told_with_what_is() {
    let spec = "  parameters:\n  - {path: InstanceType, matches: ['t3.*', 'm6i.large']}";
    expect!["`InstanceType` is `m5.24xlarge`, and blueprint `golden` allows `t3.*`, `m6i.large`"]
        .assert_eq(&said(spec, "InstanceType = m5.24xlarge"));
    assert_eq!(said(spec, "InstanceType = t3.micro"), "");
    assert_eq!(said(spec, "InstanceType = m6i.large"), "");
    assert_eq!(said(spec, "Other = x"), "", "what is not given is not asked about");
}

#[test]
fn equals_and_in_name_values() {
    let all = ["= true", "= TRUE", "= yes", ":= true", ":= false", ":= 1", ":= null", ":= {}", ":= secret"];
    assert_eq!(passing("equals: true", &all), ["= true", "= TRUE", ":= true"]);
    assert_eq!(passing("equals: null", &all), [":= null"]);
    let all = ["= 7", ":= 7", ":= 7.0", ":= 70e-1", "= 07", ":= 8", "= seven", ":= true"];
    assert_eq!(passing("equals: 7", &all), ["= 7", ":= 7", ":= 7.0", ":= 70e-1", "= 07"]);
    assert_eq!(passing("equals: '7'", &all), ["= 7", ":= 7"], "a text is compared as it is");
    let all = ["= a", "= A", "= b", ":= null", ":= {}"];
    assert_eq!(passing("in: [a, null]", &all), ["= a", ":= null"]);
}

#[test]
fn not_in_and_not_matches_exclude_and_say_nothing_of_other_types() {
    let all = ["= a", "= ab", "= c", ":= 5", ":= true", ":= null", ":= {}", ":= secret"];
    assert_eq!(passing("notIn: [a, ab]", &all), ["= c", ":= 5", ":= true"]);
    assert_eq!(passing("notMatches: 'a*'", &all), ["= c", ":= 5"]);
    assert_eq!(passing("notIn: [true]", &["= TRUE", ":= true", "= false", "= maybe"]), ["= false"]);
    assert_eq!(
        passing("matches: 'a*', notIn: [ab]", &all),
        ["= a"],
        "what is excluded is, whatever allows it"
    );
}

#[test]
fn bounds_are_numbers_and_compared_exactly() {
    let all = [
        "= 6",
        "= 7",
        ":= 7.00000000000000000001",
        ":= 35",
        ":= 35.5",
        "= many",
        ":= true",
        ":= null",
        "= 10m",
    ];
    assert_eq!(passing("minimum: 7", &all), ["= 7", ":= 7.00000000000000000001", ":= 35", ":= 35.5"]);
    assert_eq!(passing("minimum: 7, maximum: 35", &all), ["= 7", ":= 7.00000000000000000001", ":= 35"]);
    let big = [":= 9007199254740993", ":= 9007199254740992"];
    assert_eq!(passing("maximum: 9007199254740992", &big), [":= 9007199254740992"]);
    assert_eq!(passing("maximum: '0.1'", &[":= 0.1", ":= 0.10000000000000000001"]), [":= 0.1"]);
    assert_eq!(passing("minimum: 7, in: [-1]", &["= -1", "= 0", "= 8"]), ["= -1", "= 8"]);
}

#[test]
fn quantities_are_compared_where_the_bound_is_one() {
    let all = ["= 500m", ":= 1", "= 2", "= 2001m", "= 1Ki"];
    assert_eq!(passing("maximum: 2000m", &all), ["= 500m", ":= 1", "= 2"]);
    assert_eq!(passing("maximum: 2", &all), [":= 1", "= 2"], "without a unit nothing else has one");
}

#[test]
fn networks_lie_within_others_and_are_no_wider_than_is_said() {
    let all = [
        "= 10.1.0.0/16",
        "= 10.0.0.0/8",
        "= 10.0.0.1",
        "= 0.0.0.0/0",
        "= 10.9.9.9/0",
        "= fd00::/64",
        "= any",
        ":= {}",
    ];
    assert_eq!(passing("within: 10.0.0.0/8", &all), ["= 10.1.0.0/16", "= 10.0.0.0/8", "= 10.0.0.1"]);
    assert_eq!(passing("within: [10.0.0.0/8, 'fd00::/8']", &all).len(), 4);
    assert_eq!(passing("notWider: {ipv4: 16}", &all), ["= 10.1.0.0/16", "= 10.0.0.1"]);
    assert_eq!(
        passing("within: 10.0.0.0/8, notWider: {ipv4: 16}, in: [any]", &all),
        ["= 10.1.0.0/16", "= 10.0.0.1", "= any"]
    );
    expect!["`P` is `0.0.0.0/0`, and blueprint `golden` allows networks in `10.0.0.0/8` and networks no wider than IPv4 `/16` or IPv6 `/56`"]
        .assert_eq(&said("  parameters:\n  - {path: P, within: 10.0.0.0/8, notWider: {ipv4: 16, ipv6: 56}}", "P = 0.0.0.0/0"));
}

#[test]
fn what_cannot_be_compared_is_refused_and_that_is_said() {
    let spec = "  parameters:\n  - {path: P, equals: x}";
    expect!["`P` is a secret, which cannot be compared, and blueprint `golden` allows `x`"]
        .assert_eq(&said(spec, "P := secret"));
    expect!["`P` is null, and blueprint `golden` allows `x`"].assert_eq(&said(spec, "P := null"));
    expect!["`P` is empty, and blueprint `golden` allows `x`"].assert_eq(&said(spec, "P := {}"));
    expect!["`P` is no single value, and blueprint `golden` allows `x`"].assert_eq(&said(spec, "P.Q = x"));
    let inner = "  parameters:\n  - {path: P.Q, equals: x}";
    expect!["`P` stands where blueprint `golden` looks for `P.Q`, and what it means there cannot be told"]
        .assert_eq(&said(inner, "P = {\"Q\":\"y\"}"));
    assert_eq!(said(inner, "P := {}"), "", "nothing is in it");
}

#[test]
fn another_spelling_is_refused_where_nobody_knows_what_the_api_makes_of_it() {
    let spec = "  parameters:\n  - {path: Encrypted, equals: true}";
    expect!["`encrypted` stands where blueprint `golden` looks for `Encrypted`, and what it means there cannot be told"]
        .assert_eq(&said(spec, "encrypted := false"));
    let azure = "kind: Blueprint\nmetadata: {name: golden}\nspec:\n  why: so\n  operations: ['Microsoft.Storage:*']\n  parameters:\n  - {path: properties.allowBlobPublicAccess, equals: false, required: true}";
    let write = |path: &str, value: &str| {
        said_of(
            &blueprint(azure),
            &format!(
                "person alice\neffect Microsoft.Storage:storageAccounts/write create\ntarget azure:Microsoft.Storage/storageAccounts /subscriptions/1/resourcegroups/a/providers/microsoft.storage/storageaccounts/b\n{path} := {value}"
            ),
        )
    };
    assert_eq!(write("Properties.AllowBlobPublicAccess", "false"), "", "there the case does not matter");
    expect!["blueprint_violated: `Properties.AllowBlobPublicAccess` is `true`, and blueprint `golden` allows `false`: so"]
        .assert_eq(&write("Properties.AllowBlobPublicAccess", "true"));
}

#[test]
fn each_value_of_a_list_is_held_in_whatever_form_it_is_sent() {
    let spec = "  parameters:\n  - {path: BlockDeviceMapping.Ebs.Encrypted, equals: true}";
    for list in
        ["BlockDeviceMapping.1.Ebs", "BlockDeviceMapping.member.1.Ebs", "BlockDeviceMapping.item.1.Ebs"]
    {
        let other = list.replace('1', "12");
        let text = said(spec, &format!("{list}.Encrypted = true\n{other}.Encrypted = false"));
        assert_eq!(text, format!("`{other}.Encrypted` is `false`, and blueprint `golden` allows `true`"));
    }
    let spec = "  parameters:\n  - {path: Groups, matches: 'sg-0*'}";
    expect!["`Groups.2` is `sg-1`, and blueprint `golden` allows `sg-0*`"]
        .assert_eq(&said(spec, "Groups.1 = sg-01\nGroups.2 = sg-1"));
}

#[test]
fn a_star_stands_for_one_member() {
    let spec = "  parameters:\n  - {path: 'Volumes.*.Size', maximum: 100}";
    expect!["`Volumes.data.Size` is `200`, and blueprint `golden` allows at most `100`"].assert_eq(&said(
        spec,
        "Volumes.root.Size := 20\nVolumes.data.Size := 200\nVolumes.kind = x\nVolumes.a.b.Size := 300",
    ));
}

#[test]
fn a_path_may_have_several_spellings() {
    let spec =
        "  parameters:\n  - {path: [Attributes.KmsMasterKeyId, Attribute.Value], equals: k, required: true}";
    assert_eq!(said(spec, "Attributes.KmsMasterKeyId = k"), "");
    assert_eq!(said(spec, "Attribute.1.Value = k"), "");
    expect!["`Attribute.1.Value` is `j`, and blueprint `golden` allows `k`"]
        .assert_eq(&said(spec, "Attributes.KmsMasterKeyId = k\nAttribute.1.Value = j"));
    expect!["`Attributes.KmsMasterKeyId` is not given, and blueprint `golden` requires it to be `k`"]
        .assert_eq(&said(spec, "Name = q"));
    let dotted = "  parameters:\n  - {path: 'Labels.a\\.io/b', equals: k}";
    expect!["`Labels.a\\.io/b` is `j`, and blueprint `golden` allows `k`"]
        .assert_eq(&said(dotted, "Labels.a\\.io/b = j"));
}

#[test]
fn what_is_required_is_there_when_something_is_made_and_never_taken_away() {
    let spec = "  parameters:\n  - {path: MetadataOptions.HttpTokens, equals: required, required: true}";
    expect!["`MetadataOptions.HttpTokens` is not given, and blueprint `golden` requires it to be `required`"]
        .assert_eq(&said(spec, "ImageId = ami-1"));
    assert_eq!(said(spec, "MetadataOptions.HttpTokens = required"), "");
    assert_eq!(said_of_update(spec, "Name = x"), "", "an update may leave it as it is");
    expect!["`MetadataOptions.HttpTokens` is `optional`, and blueprint `golden` allows `required`"]
        .assert_eq(&said_of_update(spec, "MetadataOptions.HttpTokens = optional"));
    expect!["`MetadataOptions.HttpTokens` is not given, and blueprint `golden` requires it to be `required`"]
        .assert_eq(&said_of_update(spec, "MetadataOptions := null"));
    expect!["`MetadataOptions.HttpTokens` is null, and blueprint `golden` allows `required`"]
        .assert_eq(&said_of_update(spec, "MetadataOptions.HttpTokens := null"));
}

#[test]
fn what_is_present_is_there_always_and_what_is_not_never() {
    let always = "  parameters:\n  - {path: Reason, present: true}";
    expect!["`Reason` is not given, and blueprint `golden` requires it"]
        .assert_eq(&said_of_update(always, "Name = x"));
    assert_eq!(said_of_update(always, "Reason := secret"), "");
    expect!["`Reason` is not given, and blueprint `golden` requires it"]
        .assert_eq(&said_of_update(always, "Reason := null"));
    let never = "  parameters:\n  - {path: Spec.Host, present: false}";
    expect!["`Spec.1.Host` is given, and blueprint `golden` leaves it out"]
        .assert_eq(&said(never, "Spec.1.Host.Path = /\nSpec.2.Name = x"));
    expect!["`Spec.Host` is given, and blueprint `golden` leaves it out"]
        .assert_eq(&said(never, "Spec.Host := {}"));
    assert_eq!(said(never, "Spec.Host := null"), "", "it is taken away");
}

/// Sources of whatever lets SSH in, rule by rule.
const SSH: &str = "  parameters:
  - each: IpPermissions
    parameters:
    - path: IpRanges.CidrIp
      within: 10.0.0.0/8
      when:
      - {path: FromPort, maximum: 22}
      - {path: ToPort, minimum: 22}";

#[test]
fn a_condition_is_asked_of_the_same_item() {
    let https = "IpPermissions.1.FromPort = 443\nIpPermissions.1.ToPort = 443\nIpPermissions.1.IpRanges.1.CidrIp = 0.0.0.0/0";
    let ssh = |from: &str, to: &str, network: &str| {
        format!(
            "{https}\nIpPermissions.2.FromPort = {from}\nIpPermissions.2.ToPort = {to}\nIpPermissions.2.IpRanges.1.CidrIp = {network}"
        )
    };
    assert_eq!(said(SSH, https), "");
    assert_eq!(said(SSH, &ssh("22", "22", "10.1.0.0/16")), "");
    expect!["`IpPermissions.2.IpRanges.1.CidrIp` is `192.0.2.0/24`, and blueprint `golden` allows networks in `10.0.0.0/8`"]
        .assert_eq(&said(SSH, &ssh("0", "65535", "192.0.2.0/24")));
    assert_eq!(said(SSH, &ssh("23", "65535", "192.0.2.0/24")), "");
}

#[test]
fn a_condition_that_the_request_does_not_answer_is_taken_to_hold() {
    let open = "IpPermissions.1.IpRanges.1.CidrIp = 0.0.0.0/0";
    assert!(said(SSH, open).contains("`0.0.0.0/0`"), "no ports are all ports");
    for port in [":= null", ":= secret", "= ssh", ":= {}"] {
        let text =
            said(SSH, &format!("{open}\nIpPermissions.1.FromPort {port}\nIpPermissions.1.ToPort = 22"));
        assert!(text.contains("`0.0.0.0/0`"), "{port}");
    }
    let named = SSH.replace("{path: FromPort, maximum: 22}", "{path: FromPort, maximum: 22, present: true}");
    assert_eq!(said(&named, open), "", "what is to be there for the condition is not");
}

#[test]
fn items_of_their_own_are_asked_by_themselves() {
    let spec = "  parameters:\n  - each: Disks\n    present: true\n    parameters:\n    - {path: Encrypted, equals: true, present: true}";
    expect!["`Disks.2.Encrypted` is not given, and blueprint `golden` requires it to be `true`"]
        .assert_eq(&said(spec, "Disks.1.Encrypted := true\nDisks.2.Size := 5"));
    expect!["`Disks` is not given, and blueprint `golden` requires it"].assert_eq(&said(spec, "Name = x"));
    expect!["`Disks.1` stands where blueprint `golden` looks for `Disks.1.Encrypted`, and what it means there cannot be told"]
        .assert_eq(&said(spec, "Disks.1 = vol-1"));
}

#[test]
fn one_item_of_several_has_to_be_so() {
    let spec = "  parameters:\n  - some: Attributes\n    present: true\n    parameters: [{path: Name, equals: Key, present: true}, {path: Value, matches: '?*', present: true}]";
    let other = "Attributes.1.Name = Other\nAttributes.1.Value = x";
    assert_eq!(said(spec, &format!("{other}\nAttributes.2.Name = Key\nAttributes.2.Value = k")), "");
    expect![
        "`Attributes.1.Name` is `Other`, and blueprint `golden` allows `Key`; and no other item is as it asks"
    ]
    .assert_eq(&said(spec, &format!("{other}\nAttributes.2.Name = Key")));
    expect!["`Attributes` is not given, and blueprint `golden` requires it"]
        .assert_eq(&said(spec, "Name = x"));
}

#[test]
fn one_of_several_has_to_hold() {
    let spec = "  parameters:
  - anyOf:
    - [{path: Pod.NonRoot, equals: true, present: true}]
    - [{path: Container.NonRoot, equals: true, present: true}, {path: Container.User, minimum: 1, present: true}]";
    assert_eq!(said(spec, "Pod.NonRoot := true"), "");
    assert_eq!(said(spec, "Container.NonRoot := true\nContainer.User := 5"), "");
    expect!["`Pod.NonRoot` is not given, and blueprint `golden` requires it to be `true`; and else `Container.User` is `0`, and blueprint `golden` allows at least `1`"]
        .assert_eq(&said(spec, "Container.NonRoot := true\nContainer.User := 0"));
}

#[test]
fn a_closed_blueprint_has_no_other_parameters() {
    let spec = "  parameters:\n  - {path: InstanceType, matches: 't3.*'}\n  only: [ImageId, 'Network.*.Subnet']\n  tags: [team]";
    assert_eq!(
        said(
            spec,
            "ImageId = ami-1\nInstanceType = t3.micro\nNetwork.a.Subnet.1.Id = s\nTagSpecification.1.ResourceType = instance\nTagSpecification.1.Tag.1.Key = team\nTagSpecification.1.Tag.1.Value = web"
        ),
        ""
    );
    expect![[r#"
        `Network.a.Public` is given, and blueprint `golden` has no such parameter
        `UserData` is given, and blueprint `golden` has no such parameter
        tag `team` is not given, and blueprint `golden` requires it"#]]
    .assert_eq(&said(spec, "ImageId = ami-1\nUserData := secret\nNetwork.a.Public := true"));
}

#[test]
fn many_violations_are_counted_and_not_all_told() {
    let spec = "  parameters:\n  - {path: Groups, equals: a}";
    let groups: Vec<String> = (1..=40).map(|at| format!("Groups.{at} = b")).collect();
    let text = said(spec, &groups.join("\n"));
    assert_eq!(text.lines().count(), 17);
    assert!(text.contains("24 more of the request are not as blueprint `golden` has them"), "{text}");
}

#[test]
fn what_was_not_read_matters_where_something_is_asked_of_it() {
    let spec = "  parameters:\n  - {path: A, equals: b, when: [{path: TypeName, equals: AWS::S3::Bucket}]}";
    assert_eq!(said(spec, "TypeName = AWS::SQS::Queue\npartial"), "");
    for parameters in ["TypeName = AWS::S3::Bucket\npartial", "partial"] {
        assert!(said(spec, parameters).starts_with("parameters_incomplete"), "{parameters}");
    }
    let document = "  parameters:\n  - {path: DesiredState.A, equals: b, required: true}";
    assert_eq!(said(document, "DesiredState := secret\nDesiredState.A = b"), "", "it was read beside");
    assert!(said(document, "DesiredState := secret").contains("cannot be told"));
}

#[test]
fn an_operation_may_be_no_part_of_it() {
    let spec = "  parameters:\n  - {path: A, equals: b}\n  refuses: ['ec2:Run*']";
    expect!["`ec2:RunInstances` is no part of blueprint `golden`"].assert_eq(&said(spec, "A = b"));
    assert_eq!(said_of_update(spec, "A = b"), "");
    let narrowed = "  parameters:\n  - {path: A, equals: b, operations: ['ec2:Run*']}";
    expect!["`A` is `c`, and blueprint `golden` allows `b`"].assert_eq(&said(narrowed, "A = c"));
    assert_eq!(said_of_update(narrowed, "A = c"), "");
}

/// A form may have a name of any length: a tree as deep as that would be the end of the program.
#[test]
fn a_path_without_end_is_not_read() {
    let spec = "  parameters:\n  - {path: A, equals: b}";
    let deep = format!("A{} = b", ".1".repeat(500_000));
    assert!(said(spec, &deep).starts_with("parameters_incomplete"));
    assert_eq!(said(spec, &format!("A{} = b", ".1".repeat(127))), "");
}

#[test]
fn parameters_that_could_not_be_read_are_refused() {
    for word in ["partial", "opaque"] {
        let text = said("  parameters:\n  - {path: A, equals: b}", &format!("A = b\n{word}"));
        assert_eq!(
            text,
            "parameters_incomplete: blueprint `golden` reads the parameters of `ec2:RunInstances`, and not all of them could be read"
        );
    }
}
