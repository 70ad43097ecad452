//! Terraform's resource types in the provider's own vocabulary, and the identifiers requests carry.
//!
//! Leaves out types that no request names directly; they keep Terraform's name.

/// One type: Terraform's name, the provider's, the ARN's resource part where the state has no ARN, and the
/// attributes that requests know the resource by, beside `id`.
pub(super) struct Word {
    pub(super) terraform: &'static str,
    pub(super) kind: &'static str,
    pub(super) path: Option<&'static str>,
    pub(super) identifiers: &'static [&'static str],
}

const fn word(
    terraform: &'static str,
    kind: &'static str,
    path: Option<&'static str>,
    identifiers: &'static [&'static str],
) -> Word {
    Word { terraform, kind, path, identifiers }
}

/// Sorted by Terraform's name.
const WORDS: [Word; 78] = [
    word("aws_acm_certificate", "acm:certificate", None, &[]),
    word("aws_alb", "elasticloadbalancing:loadbalancer", None, &["name"]),
    word("aws_ami", "ec2:image", None, &[]),
    word("aws_api_gateway_rest_api", "apigateway:RestApis", None, &[]),
    word("aws_apigatewayv2_api", "apigateway:Apis", None, &[]),
    word("aws_appautoscaling_target", "application-autoscaling:scalable-target", None, &[]),
    word("aws_athena_workgroup", "athena:workgroup", None, &["name"]),
    word("aws_autoscaling_group", "autoscaling:autoScalingGroup", None, &["name"]),
    word("aws_backup_vault", "backup:backupVault", None, &["name"]),
    word("aws_cloudformation_stack", "cloudformation:stack", None, &["name"]),
    word("aws_cloudfront_distribution", "cloudfront:distribution", None, &[]),
    word("aws_cloudtrail", "cloudtrail:trail", None, &["name"]),
    word("aws_cloudwatch_event_rule", "events:rule-on-default-event-bus", None, &["name"]),
    word("aws_cloudwatch_log_group", "logs:log-group", None, &["name"]),
    word("aws_cloudwatch_metric_alarm", "cloudwatch:alarm", None, &["alarm_name"]),
    word("aws_codebuild_project", "codebuild:project", None, &["name"]),
    word("aws_codepipeline", "codepipeline:pipeline", None, &["name"]),
    word("aws_cognito_user_pool", "cognito-idp:userpool", None, &[]),
    word("aws_customer_gateway", "ec2:customer-gateway", None, &[]),
    word("aws_db_instance", "rds:db", None, &["identifier"]),
    word("aws_db_parameter_group", "rds:pg", None, &["name"]),
    word("aws_db_snapshot", "rds:snapshot", None, &["db_snapshot_identifier"]),
    word("aws_db_subnet_group", "rds:subgrp", None, &["name"]),
    word("aws_dynamodb_table", "dynamodb:table", None, &["name"]),
    word("aws_ebs_snapshot", "ec2:snapshot", None, &[]),
    word("aws_ebs_volume", "ec2:volume", None, &[]),
    word("aws_ecr_repository", "ecr:repository", None, &["name"]),
    word("aws_ecs_cluster", "ecs:cluster", None, &["name"]),
    word("aws_ecs_service", "ecs:service", None, &["name"]),
    word("aws_ecs_task_definition", "ecs:task-definition", None, &["family"]),
    word("aws_efs_file_system", "elasticfilesystem:file-system", None, &[]),
    word("aws_eip", "ec2:elastic-ip", Some("elastic-ip"), &["allocation_id", "public_ip"]),
    word("aws_eks_cluster", "eks:cluster", None, &["name"]),
    word("aws_eks_node_group", "eks:nodegroup", None, &["node_group_name"]),
    word("aws_elasticache_cluster", "elasticache:cluster", None, &["cluster_id"]),
    word(
        "aws_elasticache_replication_group",
        "elasticache:replicationgroup",
        None,
        &["replication_group_id"],
    ),
    word("aws_elb", "elasticloadbalancing:loadbalancer", None, &["name"]),
    word("aws_flow_log", "ec2:vpc-flow-log", None, &[]),
    word("aws_glue_job", "glue:job", None, &["name"]),
    word("aws_iam_group", "iam:group", None, &["name"]),
    word("aws_iam_instance_profile", "iam:instance-profile", None, &["name"]),
    word("aws_iam_policy", "iam:policy", None, &["name"]),
    word("aws_iam_role", "iam:role", None, &["name"]),
    word("aws_iam_user", "iam:user", None, &["name"]),
    word("aws_instance", "ec2:instance", None, &[]),
    word("aws_internet_gateway", "ec2:internet-gateway", None, &[]),
    word("aws_key_pair", "ec2:key-pair", None, &["key_name", "key_pair_id"]),
    word("aws_kinesis_stream", "kinesis:stream", None, &["name"]),
    word("aws_kms_alias", "kms:alias", None, &["name"]),
    word("aws_kms_key", "kms:key", None, &["key_id"]),
    word("aws_lambda_function", "lambda:function", None, &["function_name"]),
    word("aws_launch_template", "ec2:launch-template", None, &["name"]),
    word("aws_lb", "elasticloadbalancing:loadbalancer", None, &["name"]),
    word("aws_lb_listener", "elasticloadbalancing:listener", None, &[]),
    word("aws_lb_target_group", "elasticloadbalancing:targetgroup", None, &["name"]),
    word("aws_msk_cluster", "kafka:cluster", None, &["cluster_name"]),
    word("aws_nat_gateway", "ec2:natgateway", Some("natgateway"), &[]),
    word("aws_network_acl", "ec2:network-acl", None, &[]),
    word("aws_network_interface", "ec2:network-interface", None, &[]),
    word("aws_opensearch_domain", "es:domain", None, &["domain_name"]),
    word("aws_rds_cluster", "rds:cluster", None, &["cluster_identifier"]),
    word("aws_redshift_cluster", "redshift:cluster", None, &["cluster_identifier"]),
    word("aws_route53_zone", "route53:hostedzone", None, &["zone_id"]),
    word("aws_route_table", "ec2:route-table", None, &[]),
    word("aws_s3_bucket", "s3:bucket", None, &["bucket"]),
    word("aws_secretsmanager_secret", "secretsmanager:Secret", None, &["name"]),
    word("aws_security_group", "ec2:security-group", None, &["name"]),
    word("aws_security_group_rule", "ec2:security-group-rule", None, &["security_group_rule_id"]),
    word("aws_sfn_state_machine", "states:stateMachine", None, &["name"]),
    word("aws_sns_topic", "sns:topic", None, &["name"]),
    word("aws_spot_instance_request", "ec2:spot-instances-request", None, &[]),
    word("aws_sqs_queue", "sqs:queue", None, &["name", "url"]),
    word("aws_ssm_parameter", "ssm:parameter", None, &["name"]),
    word("aws_subnet", "ec2:subnet", None, &[]),
    word("aws_vpc", "ec2:vpc", None, &[]),
    word("aws_vpc_endpoint", "ec2:vpc-endpoint", None, &[]),
    word("aws_vpc_security_group_egress_rule", "ec2:security-group-rule", None, &["security_group_rule_id"]),
    word("aws_vpc_security_group_ingress_rule", "ec2:security-group-rule", None, &["security_group_rule_id"]),
];

/// What a type is called by the provider.
pub(super) fn find(terraform: &str) -> Option<&'static Word> {
    let at = WORDS.binary_search_by(|word| word.terraform.cmp(terraform)).ok()?;
    WORDS.get(at)
}

#[cfg(test)]
mod tests {
    use super::WORDS;

    #[test]
    fn words_are_sorted_so_that_all_are_found() {
        assert!(WORDS.is_sorted_by(|left, right| left.terraform < right.terraform));
    }
}
