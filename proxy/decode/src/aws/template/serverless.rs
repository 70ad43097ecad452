//! What the serverless transform makes of its own types, by the names of the types that it writes.
//!
//! Leaves out their lesser properties: what the transform says in other words stays as it was written, and where it may
//! add something that lets anybody in, that is said to be unknown.

use super::node::Node;
use super::section::{Declared, Template};

/// One resource that the transform writes.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) id: String,
    pub(super) type_name: String,
    pub(super) node: Node,
}

/// Policies that the transform knows by name: each allows operations of one service, and none hands out authority.
const POLICIES: [&str; 81] = [
    "AMIDescribePolicy",
    "AWSSecretsManagerGetSecretValuePolicy",
    "AWSSecretsManagerRotationPolicy",
    "AcmGetCertificatePolicy",
    "AthenaQueryPolicy",
    "CloudFormationDescribeStacksPolicy",
    "CloudWatchDashboardPolicy",
    "CloudWatchDescribeAlarmHistoryPolicy",
    "CloudWatchPutMetricPolicy",
    "CodeCommitCrudPolicy",
    "CodeCommitReadPolicy",
    "CodePipelineLambdaExecutionPolicy",
    "CodePipelineReadOnlyPolicy",
    "ComprehendBasicAccessPolicy",
    "CostExplorerReadOnlyPolicy",
    "DynamoDBBackupFullAccessPolicy",
    "DynamoDBCrudPolicy",
    "DynamoDBReadPolicy",
    "DynamoDBReconfigurePolicy",
    "DynamoDBRestoreFromBackupPolicy",
    "DynamoDBStreamReadPolicy",
    "DynamoDBWritePolicy",
    "EC2CopyImagePolicy",
    "EC2DescribePolicy",
    "EFSWriteAccessPolicy",
    "EKSDescribePolicy",
    "EcsRunTaskPolicy",
    "ElasticMapReduceAddJobFlowStepsPolicy",
    "ElasticMapReduceCancelStepsPolicy",
    "ElasticMapReduceModifyInstanceFleetPolicy",
    "ElasticMapReduceModifyInstanceGroupsPolicy",
    "ElasticMapReduceSetTerminationProtectionPolicy",
    "ElasticMapReduceTerminateJobFlowsPolicy",
    "ElasticsearchHttpPostPolicy",
    "EventBridgePutEventsPolicy",
    "FilterLogEventsPolicy",
    "FirehoseCrudPolicy",
    "FirehoseWritePolicy",
    "KMSDecryptPolicy",
    "KMSEncryptPolicy",
    "KMSEncryptPolicy_v2",
    "KinesisCrudPolicy",
    "KinesisStreamReadPolicy",
    "LambdaInvokePolicy",
    "MobileAnalyticsWriteOnlyAccessPolicy",
    "OrganizationsListAccountsPolicy",
    "PinpointEndpointAccessPolicy",
    "PollyFullAccessPolicy",
    "RekognitionDetectOnlyPolicy",
    "RekognitionFacesManagementPolicy",
    "RekognitionFacesPolicy",
    "RekognitionLabelsPolicy",
    "RekognitionNoDataAccessPolicy",
    "RekognitionReadPolicy",
    "RekognitionWriteOnlyAccessPolicy",
    "Route53ChangeResourceRecordSetsPolicy",
    "S3CrudPolicy",
    "S3FullAccessPolicy",
    "S3ReadPolicy",
    "S3WritePolicy",
    "SESBulkTemplatedCrudPolicy",
    "SESBulkTemplatedCrudPolicy_v2",
    "SESCrudPolicy",
    "SESEmailTemplateCrudPolicy",
    "SESSendBouncePolicy",
    "SNSCrudPolicy",
    "SNSPublishMessagePolicy",
    "SQSPollerPolicy",
    "SQSSendMessagePolicy",
    "SSMParameterReadPolicy",
    "SSMParameterWithSlashPrefixReadPolicy",
    "SageMakerCreateEndpointConfigPolicy",
    "SageMakerCreateEndpointPolicy",
    "ServerlessRepoReadWriteAccessPolicy",
    "StepFunctionsCallbackPolicy",
    "StepFunctionsExecutionPolicy",
    "StepFunctionsExecutionPolicy_v2",
    "TextractDetectAnalyzePolicy",
    "TextractGetResultPolicy",
    "TextractPolicy",
    "VPCAccessPolicy",
];

/// Events of a function: who calls it then, and what is made for that.
const EVENTS: [(&str, &str, &str); 19] = [
    ("AlexaSkill", "alexa-appkit.amazon.com", ""),
    ("Api", "apigateway.amazonaws.com", "AWS::ApiGateway::RestApi"),
    ("CloudWatchEvent", "events.amazonaws.com", "AWS::Events::Rule"),
    ("CloudWatchLogs", "logs.amazonaws.com", "AWS::Logs::SubscriptionFilter"),
    ("Cognito", "cognito-idp.amazonaws.com", ""),
    ("DocumentDB", "", "AWS::Lambda::EventSourceMapping"),
    ("DynamoDB", "", "AWS::Lambda::EventSourceMapping"),
    ("EventBridgeRule", "events.amazonaws.com", "AWS::Events::Rule"),
    ("HttpApi", "apigateway.amazonaws.com", "AWS::ApiGatewayV2::Api"),
    ("IoTRule", "iot.amazonaws.com", "AWS::IoT::TopicRule"),
    ("Kinesis", "", "AWS::Lambda::EventSourceMapping"),
    ("MQ", "", "AWS::Lambda::EventSourceMapping"),
    ("MSK", "", "AWS::Lambda::EventSourceMapping"),
    ("S3", "s3.amazonaws.com", ""),
    ("SNS", "sns.amazonaws.com", "AWS::SNS::Subscription"),
    ("SQS", "", "AWS::Lambda::EventSourceMapping"),
    ("Schedule", "events.amazonaws.com", "AWS::Events::Rule"),
    ("ScheduleV2", "scheduler.amazonaws.com", "AWS::Scheduler::Schedule"),
    ("SelfManagedKafka", "", "AWS::Lambda::EventSourceMapping"),
];

fn text(text: &str) -> Node {
    Node::Text(text.to_owned())
}

fn map<const N: usize>(members: [(&str, Node); N]) -> Node {
    Node::Map(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// What stands for a value that only the transform knows.
fn unknown(written: Node) -> Node {
    map([("Fn::Transform", written)])
}

/// The resources that the transform writes for one of its own; `None` for any other.
pub(super) fn written(template: &Template, declared: &Declared<'_>) -> Option<Vec<Written>> {
    let short = declared.type_name.strip_prefix("AWS::Serverless::")?;
    let writer = Writer { declared, properties: properties(template, declared, short) };
    Some(match short {
        // Made of a template somewhere else, which is how it is read.
        "Application" => return None,
        "Function" => writer.function(),
        "StateMachine" => writer.state_machine(),
        "SimpleTable" => vec![writer.one("", "AWS::DynamoDB::Table", writer.properties.clone())],
        "LayerVersion" => vec![writer.one("", "AWS::Lambda::LayerVersion", writer.properties.clone())],
        "Api" => writer.api(["AWS::ApiGateway::RestApi", "AWS::ApiGateway::Stage"]),
        "HttpApi" => writer.api(["AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage"]),
        // Which types these come to hangs on what they say.
        _ => vec![writer.one("", declared.type_name, unknown(writer.properties.clone()))],
    })
}

/// Its own properties, with what holds for all of its type: lists and maps add up, its own scalars win.
fn properties(template: &Template, declared: &Declared<'_>, short: &str) -> Node {
    let own = declared.node.get("Properties").cloned().unwrap_or_else(|| Node::Map(Vec::new()));
    match template.member("Globals", short) {
        Some(global) => merged(global, &own),
        None => own,
    }
}

fn merged(global: &Node, own: &Node) -> Node {
    match (global, own) {
        (Node::Map(all), Node::Map(mine)) if global.function().is_none() && own.function().is_none() => {
            let mut members: Vec<(String, Node)> = mine
                .iter()
                .map(|(name, value)| {
                    let both = all.iter().find(|(other, _)| other == name);
                    (name.clone(), both.map_or_else(|| value.clone(), |(_, global)| merged(global, value)))
                })
                .collect();
            members.extend(all.iter().filter(|(name, _)| !mine.iter().any(|(own, _)| own == name)).cloned());
            Node::Map(members)
        }
        (Node::List(all), Node::List(mine)) => Node::List(all.iter().chain(mine).cloned().collect()),
        _ => own.clone(),
    }
}

struct Writer<'d> {
    declared: &'d Declared<'d>,
    properties: Node,
}

impl Writer<'_> {
    /// One resource with the attributes that the written one has.
    fn one(&self, more: &str, type_name: &str, properties: Node) -> Written {
        let mut members = vec![("Type".to_owned(), text(type_name)), ("Properties".to_owned(), properties)];
        for name in ["Condition", "DeletionPolicy", "UpdateReplacePolicy"] {
            members.extend(self.declared.node.get(name).map(|node| (name.to_owned(), node.clone())));
        }
        let id = format!("{}{more}", self.declared.id);
        Written { id, type_name: type_name.to_owned(), node: Node::Map(members) }
    }

    /// The properties but for some, and some under the names that they have in the type written.
    fn others(&self, left_out: &[&str], renamed: &[(&str, &str)]) -> Vec<(String, Node)> {
        let members = self.properties.members().iter().filter(|(name, _)| !left_out.contains(&name.as_str()));
        members
            .map(|(name, value)| {
                let other = renamed.iter().find(|(old, _)| old == name).map(|(_, new)| (*new).to_owned());
                (other.unwrap_or_else(|| name.clone()), value.clone())
            })
            .collect()
    }

    /// A role of its own, unless it is given one.
    fn role(
        &self,
        service: &str,
        managed: &[&str],
        properties: &mut Vec<(String, Node)>,
        member: &str,
    ) -> Option<Written> {
        if let Some(role) = self.properties.get("Role") {
            properties.push((member.to_owned(), role.clone()));
            return None;
        }
        let arn = vec![text(&format!("{}Role", self.declared.id)), text("Arn")];
        properties.push((member.to_owned(), map([("Fn::GetAtt", Node::List(arn))])));
        let statement = map([
            ("Effect", text("Allow")),
            ("Action", text("sts:AssumeRole")),
            ("Principal", map([("Service", text(service))])),
        ]);
        let trust = map([("Statement", Node::List(vec![statement]))]);
        let mut arns: Vec<Node> = managed.iter().map(|name| managed_policy(name)).collect();
        let mut documents = Vec::new();
        let given = self.properties.get("Policies");
        let list = match given {
            Some(Node::List(items)) => items.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        for policy in list {
            match policy {
                Node::Text(name) if name.starts_with("arn:") => arns.push(policy.clone()),
                Node::Text(name) => arns.push(managed_policy(name)),
                Node::Map(members) if policy.get("Statement").is_some() || !known(members) => {
                    // A function in the place of a policy may come to any.
                    let document = if policy.get("Statement").is_some() {
                        policy.clone()
                    } else {
                        unknown(policy.clone())
                    };
                    documents.push(map([("PolicyDocument", document)]));
                }
                Node::Map(_) => documents.push(map([("PolicyTemplate", policy.clone())])),
                Node::Null | Node::Bool(_) | Node::Number(_) | Node::List(_) => {
                    documents.push(map([("PolicyDocument", unknown(policy.clone()))]));
                }
            }
        }
        let mut role = vec![
            (
                "AssumeRolePolicyDocument".to_owned(),
                self.properties.get("AssumeRolePolicyDocument").cloned().unwrap_or(trust),
            ),
            ("ManagedPolicyArns".to_owned(), Node::List(arns)),
            ("Policies".to_owned(), Node::List(documents)),
        ];
        role.extend(
            self.properties
                .get("PermissionsBoundary")
                .map(|node| ("PermissionsBoundary".to_owned(), node.clone())),
        );
        role.extend(self.properties.get("RolePath").map(|node| ("Path".to_owned(), node.clone())));
        Some(self.one("Role", "AWS::IAM::Role", Node::Map(role)))
    }

    fn function(&self) -> Vec<Written> {
        let own = [
            "AssumeRolePolicyDocument",
            "Events",
            "FunctionUrlConfig",
            "PermissionsBoundary",
            "Policies",
            "Role",
            "RolePath",
        ];
        let renamed = [
            ("CodeUri", "Code"),
            ("DeadLetterQueue", "DeadLetterConfig"),
            ("ImageUri", "Code"),
            ("InlineCode", "Code"),
        ];
        let mut properties = self.others(&own, &renamed);
        let mut managed = vec!["service-role/AWSLambdaBasicExecutionRole"];
        if self.properties.get("VpcConfig").is_some() {
            managed.push("service-role/AWSLambdaVPCAccessExecutionRole");
        }
        if self.properties.get("Tracing").is_some() {
            managed.push("AWSXrayWriteOnlyAccess");
        }
        let events = self.properties.get("Events").map(Node::members).unwrap_or_default();
        managed.extend(events.iter().filter_map(|(_, event)| read_by(event.get("Type")?.text()?)));
        let role = self.role("lambda.amazonaws.com", &managed, &mut properties, "Role");
        let mut all = vec![self.one("", "AWS::Lambda::Function", Node::Map(properties))];
        all.extend(role);
        if let Some(config) = self.properties.get("FunctionUrlConfig") {
            all.push(self.one("Url", "AWS::Lambda::Url", config.clone()));
            if config.get("AuthType").and_then(Node::text) != Some("AWS_IAM") {
                let open = map([
                    ("Principal", text("*")),
                    ("FunctionUrlAuthType", text("NONE")),
                    ("Action", text("lambda:InvokeFunctionUrl")),
                ]);
                all.push(self.one("UrlPublicPermissions", "AWS::Lambda::Permission", open));
            }
        }
        match self.properties.get("Events") {
            None | Some(Node::Null) => {}
            Some(events) if events.members().is_empty() || events.function().is_some() => {
                all.push(self.one("Events", "AWS::Lambda::Permission", unknown(events.clone())));
            }
            Some(events) => {
                for (name, event) in events.members() {
                    all.extend(self.event(name, event));
                }
            }
        }
        all
    }

    fn event(&self, name: &str, event: &Node) -> Vec<Written> {
        let of_type = event.get("Type").and_then(Node::text).unwrap_or_default();
        let properties = event.get("Properties").cloned().unwrap_or_else(|| Node::Map(Vec::new()));
        let Some((_, caller, made)) = EVENTS.iter().find(|(known, _, _)| *known == of_type) else {
            return vec![self.one(name, "AWS::Lambda::Permission", unknown(event.clone()))];
        };
        let mut all = Vec::new();
        if !caller.is_empty() {
            let id = map([("Ref", text(self.declared.id))]);
            let permission = map([
                ("Action", text("lambda:InvokeFunction")),
                ("FunctionName", id),
                ("Principal", text(caller)),
            ]);
            all.push(self.one(&format!("{name}Permission"), "AWS::Lambda::Permission", permission));
        }
        // An interface that is named is made elsewhere.
        let named = ["RestApiId", "ApiId"].iter().any(|member| properties.get(member).is_some());
        if !made.is_empty() && !named {
            all.push(self.one(name, made, properties));
        }
        all
    }

    fn state_machine(&self) -> Vec<Written> {
        let own = ["Events", "PermissionsBoundary", "Policies", "Role", "RolePath"];
        let renamed = [
            ("Definition", "DefinitionString"),
            ("DefinitionUri", "DefinitionS3Location"),
            ("Name", "StateMachineName"),
            ("Type", "StateMachineType"),
            ("Logging", "LoggingConfiguration"),
            ("Tracing", "TracingConfiguration"),
        ];
        let mut properties = self.others(&own, &renamed);
        let role = self.role("states.amazonaws.com", &[], &mut properties, "RoleArn");
        let mut all = vec![self.one("", "AWS::StepFunctions::StateMachine", Node::Map(properties))];
        all.extend(role);
        if let Some(events) = self.properties.get("Events") {
            // Each comes with a role that starts the machine.
            all.push(self.one("Events", "AWS::IAM::Role", unknown(events.clone())));
        }
        all
    }

    fn api(&self, [api, stage]: [&str; 2]) -> Vec<Written> {
        let renamed = [("DefinitionBody", "Body"), ("DefinitionUri", "BodyS3Location")];
        let mut all = vec![self.one("", api, Node::Map(self.others(&[], &renamed)))];
        let named = self.properties.get("StageName").map(|name| ("StageName".to_owned(), name.clone()));
        all.push(self.one("Stage", stage, Node::Map(named.into_iter().collect())));
        if self.properties.get("Domain").is_some() {
            let domain = self.properties.get("Domain").cloned().unwrap_or(Node::Null);
            let type_name = if api.contains("V2") {
                "AWS::ApiGatewayV2::DomainName"
            } else {
                "AWS::ApiGateway::DomainName"
            };
            all.push(self.one("Domain", type_name, domain));
        }
        all
    }
}

/// A policy that is known by name, with what it is for.
fn known(members: &[(String, Node)]) -> bool {
    matches!(members, [(name, _)] if POLICIES.contains(&name.as_str()))
}

/// The policy that a function gets for what it reads.
fn read_by(event: &str) -> Option<&'static str> {
    Some(match event {
        "DynamoDB" => "service-role/AWSLambdaDynamoDBExecutionRole",
        "Kinesis" => "service-role/AWSLambdaKinesisExecutionRole",
        "MSK" => "service-role/AWSLambdaMSKExecutionRole",
        "SQS" => "service-role/AWSLambdaSQSQueueExecutionRole",
        _ => return None,
    })
}

/// The provider's own policy by its name.
fn managed_policy(name: &str) -> Node {
    text(&format!("arn:aws:iam::aws:policy/{name}"))
}
