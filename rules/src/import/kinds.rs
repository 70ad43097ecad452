//! How one thing depends on another, told by their types in the planes' own words.
//!
//! Leaves out whether it does, and Terraform's words for types (`relation.rs`).

use crate::inventory::{EdgeKind, is_principal};

/// What other resources lie in, and go with.
const HOLDERS: [&str; 31] = [
    "apigateway:Api",
    "apigateway:Apis",
    "apigateway:RestApi",
    "apigateway:RestApis",
    "cloudformation:stack",
    "dynamodb:table",
    "ec2:route-table",
    "ec2:subnet",
    "ec2:vpc",
    "ecr:repository",
    "ecs:cluster",
    "eks:cluster",
    "elasticfilesystem:file-system",
    "elasticloadbalancing:loadbalancer",
    "kafka:cluster",
    "logs:log-group",
    "rds:cluster",
    "route53:hostedzone",
    "s3:bucket",
    "azure:microsoft.app/managedenvironments",
    "azure:microsoft.compute/virtualmachinescalesets",
    "azure:microsoft.network/virtualnetworks",
    "azure:microsoft.network/virtualnetworks/subnets",
    "gcp:bigquery/datasets",
    "gcp:bigtable/instances",
    "gcp:cloudsql/instances",
    "gcp:compute/networks",
    "gcp:compute/subnetworks",
    "gcp:container/clusters",
    "gcp:dns/managedzones",
    "gcp:spanner/instances",
];

/// What traffic to others passes.
const GUARDS: [&str; 8] = [
    "ec2:network-acl",
    "ec2:security-group",
    "azure:microsoft.network/applicationgatewaywebapplicationfirewallpolicies",
    "azure:microsoft.network/applicationsecuritygroups",
    "azure:microsoft.network/firewallpolicies",
    "azure:microsoft.network/networksecuritygroups",
    "gcp:compute/firewallpolicies",
    "gcp:compute/securitypolicies",
];

/// What others run on: they stop when it does.
const MACHINES: [&str; 5] = [
    "batch:compute-environment",
    "ec2:dedicated-host",
    "azure:microsoft.compute/hostgroups/hosts",
    "azure:microsoft.web/serverfarms",
    "gcp:compute/nodegroups",
];

/// What says who somebody is, and gives nobody anything.
const PROVERS: [&str; 5] = [
    "aws_iam_openid_connect_provider",
    "aws_iam_saml_provider",
    "iam:oidc-provider",
    "iam:saml-provider",
    "iam:server-certificate",
];

/// What others run under the authority of.
const AUTHORITIES: [&str; 4] = [
    "iam:instance-profile",
    "iam:role",
    "azure:microsoft.managedidentity/userassignedidentities",
    "gcp:iam/serviceaccounts",
];

/// What others are encrypted or signed with.
const KEYS: [&str; 7] = [
    "acm:certificate",
    "kms:alias",
    "kms:key",
    "azure:microsoft.compute/diskencryptionsets",
    "azure:microsoft.keyvault/vaults/keys",
    "gcp:cloudkms/cryptokeys",
    "gcp:cloudkms/cryptokeyversions",
];

/// What leads traffic to what it depends on.
const ROUTERS: [&str; 27] = [
    "cloudfront:distribution",
    "elasticloadbalancing:listener",
    "elasticloadbalancing:listener-rule",
    "elasticloadbalancing:loadbalancer",
    "elasticloadbalancing:targetgroup",
    "globalaccelerator:endpointgroup",
    "route53:recordset",
    "azure:microsoft.cdn/profiles",
    "azure:microsoft.network/applicationgateways",
    "azure:microsoft.network/dnszones",
    "azure:microsoft.network/frontdoors",
    "azure:microsoft.network/loadbalancers",
    "azure:microsoft.network/privatednszones",
    "azure:microsoft.network/privateendpoints",
    "azure:microsoft.network/trafficmanagerprofiles",
    "gcp:compute/backendservices",
    "gcp:compute/forwardingrules",
    "gcp:compute/globalforwardingrules",
    "gcp:compute/networkendpointgroups",
    "gcp:compute/targetgrpcproxies",
    "gcp:compute/targethttpproxies",
    "gcp:compute/targethttpsproxies",
    "gcp:compute/targetpools",
    "gcp:compute/targetsslproxies",
    "gcp:compute/targettcpproxies",
    "gcp:compute/urlmaps",
    "gcp:dns/resourcerecordsets",
];

/// What calls or reads what it depends on.
const CALLERS: [&str; 10] = [
    "events:rule",
    "events:rule-on-default-event-bus",
    "lambda:event-source-mapping",
    "lambda:eventsourcemapping",
    "scheduler:schedule",
    "sns:subscription",
    "azure:microsoft.eventgrid/eventsubscriptions",
    "gcp:cloudscheduler/jobs",
    "gcp:eventarc/triggers",
    "gcp:pubsub/subscriptions",
];

/// Whether something calls or reads what it depends on.
pub(super) fn calls(kind: &str) -> bool {
    CALLERS.iter().any(|caller| caller.eq_ignore_ascii_case(kind))
}

/// The relation of a dependant to what it depends on.
pub(super) fn relation(dependant: &str, dependency: &str) -> EdgeKind {
    let (dependant, dependency) = (dependant.to_ascii_lowercase(), dependency.to_ascii_lowercase());
    let is = |list: &[&str], kind: &str| list.iter().any(|one| one.eq_ignore_ascii_case(kind));
    // `…/virtualmachines/extensions` is a piece of `…/virtualmachines`.
    let part = dependant.strip_prefix(&dependency).is_some_and(|rest| rest.starts_with('/'));
    if part {
        EdgeKind::PartOf
    } else if gives(&dependant, &dependency) {
        EdgeKind::GrantsTo
    } else if is(&MACHINES, &dependency) {
        EdgeKind::RunsOn
    } else if is(&GUARDS, &dependency) {
        EdgeKind::GuardedBy
    } else if is(&AUTHORITIES, &dependency) {
        EdgeKind::RunsAs
    } else if is(&KEYS, &dependency) {
        EdgeKind::KeyedBy
    } else if is(&HOLDERS, &dependency) && !is(&ROUTERS, &dependant) {
        EdgeKind::PartOf
    } else if is(&ROUTERS, &dependant) {
        EdgeKind::RoutesTo
    } else if calls(&dependant) {
        EdgeKind::Consumes
    } else {
        EdgeKind::DependsOn
    }
}

/// Whether what names something lets its bearer act on it, and does not work with it itself.
pub(super) fn gives(dependant: &str, dependency: &str) -> bool {
    is_principal(dependant) && !is_principal(dependency) && !PROVERS.contains(&dependant)
}

#[cfg(test)]
mod tests {
    use super::{EdgeKind, relation};

    #[test]
    fn types_tell_the_relation() {
        for (dependant, dependency, expected) in [
            ("ec2:instance", "ec2:subnet", EdgeKind::PartOf),
            ("ec2:instance", "ec2:security-group", EdgeKind::GuardedBy),
            ("lambda:function", "iam:role", EdgeKind::RunsAs),
            ("rds:db", "kms:key", EdgeKind::KeyedBy),
            ("elasticloadbalancing:listener", "elasticloadbalancing:targetgroup", EdgeKind::RoutesTo),
            ("sns:subscription", "sqs:queue", EdgeKind::Consumes),
            ("lambda:eventSourceMapping", "sqs:queue", EdgeKind::Consumes),
            ("elasticloadbalancing:listener", "acm:certificate", EdgeKind::KeyedBy),
            ("apigateway:Resource", "apigateway:RestApi", EdgeKind::PartOf),
            ("ecs:service", "rds:db", EdgeKind::DependsOn),
            (
                "azure:Microsoft.Compute/virtualMachines/extensions",
                "azure:Microsoft.Compute/virtualMachines",
                EdgeKind::PartOf,
            ),
            (
                "azure:Microsoft.Network/networkInterfaces",
                "azure:Microsoft.Network/networkSecurityGroups",
                EdgeKind::GuardedBy,
            ),
            (
                "azure:Microsoft.Network/loadBalancers",
                "azure:Microsoft.Network/publicIPAddresses",
                EdgeKind::RoutesTo,
            ),
            ("gcp:compute/instances", "gcp:compute/subnetworks", EdgeKind::PartOf),
            ("gcp:compute/disks", "gcp:cloudkms/cryptoKeys", EdgeKind::KeyedBy),
            ("gcp:pubsub/subscriptions", "gcp:pubsub/topics", EdgeKind::Consumes),
            ("gcp:cloudscheduler/jobs", "gcp:pubsub/topics", EdgeKind::Consumes),
            ("gcp:compute/backendServices", "gcp:compute/securityPolicies", EdgeKind::GuardedBy),
            ("gcp:compute/targetGrpcProxies", "gcp:compute/urlMaps", EdgeKind::RoutesTo),
            (
                "azure:Microsoft.Network/applicationGateways",
                "azure:Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies",
                EdgeKind::GuardedBy,
            ),
            (
                "azure:Microsoft.Compute/disks",
                "azure:Microsoft.Compute/diskEncryptionSets",
                EdgeKind::KeyedBy,
            ),
            ("azure:Microsoft.Web/sites", "azure:Microsoft.Web/serverfarms", EdgeKind::RunsOn),
            ("ec2:instance", "ec2:dedicated-host", EdgeKind::RunsOn),
            ("iam:role", "dynamodb:table", EdgeKind::GrantsTo),
            ("iam:policy", "kms:key", EdgeKind::GrantsTo),
            ("iam:instance-profile", "iam:role", EdgeKind::RunsAs),
            ("iam:oidc-provider", "eks:cluster", EdgeKind::PartOf),
        ] {
            assert_eq!(relation(dependant, dependency), expected, "{dependant} of {dependency}");
        }
    }
}
