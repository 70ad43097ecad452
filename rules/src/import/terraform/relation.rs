//! How one Terraform resource depends on another, told by their types.
//!
//! Leaves out whether it does: that is what the state's dependencies say.

use crate::import::kinds::gives;
use crate::inventory::EdgeKind;

/// Types that other resources lie in.
const HOLDERS: [&str; 20] = [
    "aws_vpc",
    "aws_subnet",
    "aws_ecs_cluster",
    "aws_eks_cluster",
    "aws_rds_cluster",
    "aws_route53_zone",
    "aws_s3_bucket",
    "aws_lb",
    "aws_alb",
    "aws_api_gateway_rest_api",
    "aws_apigatewayv2_api",
    "aws_cloudwatch_log_group",
    "aws_ecr_repository",
    "aws_efs_file_system",
    "aws_elasticache_replication_group",
    "aws_dynamodb_table",
    "aws_msk_cluster",
    "aws_organizations_organizational_unit",
    "aws_route_table",
    "aws_transfer_server",
];

const GUARDS: [&str; 3] = ["aws_security_group", "aws_network_acl", "aws_default_security_group"];

const AUTHORITIES: [&str; 2] = ["aws_iam_role", "aws_iam_instance_profile"];

const KEYS: [&str; 2] = ["aws_kms_key", "aws_kms_alias"];

/// Types that lead traffic to what they depend on.
const ROUTERS: [&str; 9] = [
    "aws_route53_record",
    "aws_lb_target_group_attachment",
    "aws_alb_target_group_attachment",
    "aws_lb_listener",
    "aws_lb_listener_rule",
    "aws_cloudfront_distribution",
    "aws_eip_association",
    "aws_route",
    "aws_autoscaling_attachment",
];

/// Types that call what they depend on.
const CALLERS: [&str; 4] = [
    "aws_lambda_event_source_mapping",
    "aws_sns_topic_subscription",
    "aws_cloudwatch_event_target",
    "aws_scheduler_schedule",
];

/// The relation of a dependant to what it depends on.
pub(super) fn kind(dependant: &str, dependency: &str) -> EdgeKind {
    let part = is_part(dependant, dependency);
    if part {
        EdgeKind::PartOf
    } else if gives(dependant, dependency) {
        EdgeKind::GrantsTo
    } else if GUARDS.contains(&dependency) {
        EdgeKind::GuardedBy
    } else if AUTHORITIES.contains(&dependency) {
        EdgeKind::RunsAs
    } else if KEYS.contains(&dependency) {
        EdgeKind::KeyedBy
    } else if HOLDERS.contains(&dependency) && !ROUTERS.contains(&dependant) {
        EdgeKind::PartOf
    } else if ROUTERS.contains(&dependant) {
        EdgeKind::RoutesTo
    } else if CALLERS.contains(&dependant) {
        EdgeKind::Consumes
    } else {
        EdgeKind::DependsOn
    }
}

/// `aws_iam_role_policy` of `aws_iam_role`, `aws_security_group_rule` of `aws_security_group`: what is
/// named after something is a piece of it.
fn is_part(dependant: &str, dependency: &str) -> bool {
    let named_after = dependant.strip_prefix(dependency).is_some_and(|rest| rest.starts_with('_'));
    named_after || (dependency == "aws_security_group" && dependant.starts_with("aws_vpc_security_group_"))
}

#[cfg(test)]
mod tests {
    use super::{EdgeKind, kind};

    #[test]
    fn types_tell_the_relation() {
        assert_eq!(kind("aws_instance", "aws_subnet"), EdgeKind::PartOf);
        assert_eq!(kind("aws_instance", "aws_security_group"), EdgeKind::GuardedBy);
        assert_eq!(kind("aws_security_group_rule", "aws_security_group"), EdgeKind::PartOf);
        assert_eq!(kind("aws_vpc_security_group_ingress_rule", "aws_security_group"), EdgeKind::PartOf);
        assert_eq!(kind("aws_lambda_function", "aws_iam_role"), EdgeKind::RunsAs);
        assert_eq!(kind("aws_iam_role_policy_attachment", "aws_iam_role"), EdgeKind::PartOf);
        assert_eq!(kind("aws_iam_role_policy", "aws_s3_bucket"), EdgeKind::GrantsTo);
        assert_eq!(kind("aws_iam_policy", "aws_kms_key"), EdgeKind::GrantsTo);
        assert_eq!(kind("aws_iam_role_policy_attachment", "aws_iam_policy"), EdgeKind::DependsOn);
        assert_eq!(kind("aws_ebs_volume", "aws_kms_key"), EdgeKind::KeyedBy);
        assert_eq!(kind("aws_route53_record", "aws_instance"), EdgeKind::RoutesTo);
        assert_eq!(kind("aws_route53_record", "aws_route53_zone"), EdgeKind::RoutesTo);
        assert_eq!(kind("aws_lambda_event_source_mapping", "aws_sqs_queue"), EdgeKind::Consumes);
        assert_eq!(kind("aws_ecs_service", "aws_db_instance"), EdgeKind::DependsOn);
    }
}
