//! The data itself: every file is read, and what must never be is looked for.

use ordain_action::{Access, Level, Minted, NameBasis, Role};

use crate::{Auth, Catalog, Location, Payload, Protocol, Variant};

/// What acts under a name that reads, as REFERENCE lists them, and what hands out secrets.
const NEVER_READS: &[(&str, &[&str])] = &[
    ("bedrock-agent-runtime", &["InvokeAgent", "InvokeFlow", "InvokeInlineAgent"]),
    (
        "bedrock-agentcore",
        &[
            "GetWorkloadAccessToken",
            "GetWorkloadAccessTokenForJWT",
            "GetWorkloadAccessTokenForUserId",
            "GetResourceApiKey",
            "GetResourceOauth2Token",
            "CompleteResourceTokenAuth",
        ],
    ),
    ("codeartifact", &["GetAuthorizationToken"]),
    ("codepipeline", &["GetJobDetails", "GetThirdPartyJobDetails", "PollForJobs"]),
    ("cognito-identity", &["GetCredentialsForIdentity", "GetId", "GetOpenIdToken"]),
    ("config", &["DeliverConfigSnapshot"]),
    ("connect", &["GetFederationToken"]),
    ("datazone", &["GetIamPortalLoginUrl"]),
    ("ec2", &["GetPasswordData", "TerminateInstances", "RunInstances"]),
    ("ecr", &["GetAuthorizationToken"]),
    ("eks-auth", &["AssumeRoleForPodIdentity"]),
    ("emr", &["GetClusterSessionCredentials", "GetOnClusterAppUIPresignedURL"]),
    ("emr-containers", &["GetManagedEndpointSessionCredentials"]),
    ("gamelift", &["RequestUploadCredentials", "GetComputeAuthToken", "GetInstanceAccess"]),
    ("iam", &["GenerateCredentialReport", "CreateAccessKey"]),
    ("iot-data", &["GetConnection"]),
    ("ivs", &["StartViewerSessionRevocation", "GetStreamKey"]),
    ("kinesis", &["SubscribeToShard"]),
    ("kms", &["Decrypt", "GenerateDataKey"]),
    ("lakeformation", &["GetTemporaryGlueTableCredentials", "GetTemporaryGluePartitionCredentials"]),
    ("license-manager", &["GetAccessToken", "CheckInLicense"]),
    ("lightsail", &["GetInstanceAccessDetails", "GetRelationalDatabaseMasterUserPassword"]),
    ("quicksight", &["GetDashboardEmbedUrl", "GetSessionEmbedUrl"]),
    ("redshift", &["GetClusterCredentials", "GetClusterCredentialsWithIAM"]),
    ("redshift-serverless", &["GetCredentials"]),
    ("s3", &["CreateSession", "PutObject"]),
    ("s3control", &["GetDataAccess"]),
    ("secretsmanager", &["GetSecretValue", "BatchGetSecretValue"]),
    ("signin", &["CreateOAuth2Token"]),
    ("sqs", &["ReceiveMessage"]),
    (
        "ssm",
        &["GetParameter", "GetParameters", "GetParametersByPath", "GetParameterHistory", "GetAccessToken"],
    ),
    ("sso", &["GetRoleCredentials"]),
    ("stepfunctions", &["GetActivityTask"]),
    ("sts", &["GetFederationToken", "GetSessionToken", "AssumeRole", "AssumeRoleWithWebIdentity"]),
    ("swf", &["PollForActivityTask", "PollForDecisionTask"]),
    ("wafv2", &["GetDecryptedAPIKey"]),
];

/// What everybody reads all day.
const READS: &[(&str, &[&str])] = &[
    ("dynamodb", &["GetItem", "Query", "Scan", "DescribeTable", "TransactGetItems"]),
    ("ec2", &["DescribeInstances", "DescribeVpcs", "GetConsoleOutput"]),
    ("iam", &["GetRole", "ListUsers", "GetCredentialReport"]),
    ("lambda", &["GetFunction", "ListFunctions"]),
    ("rds", &["DescribeDBInstances"]),
    ("s3", &["GetObject", "HeadObject", "HeadBucket", "ListBuckets", "ListObjectsV2", "GetBucketLocation"]),
    ("sqs", &["GetQueueUrl", "GetQueueAttributes", "ListQueues"]),
    ("sts", &["GetCallerIdentity"]),
];

#[test]
fn every_file_reads() {
    let catalog = Catalog::new();
    let mut operations = 0;
    for head in catalog.heads() {
        let text = crate::catalog::block(&head.name).unwrap();
        let service =
            crate::text::service(1, &text, None).unwrap_or_else(|error| panic!("{}: {error}", head.name));
        assert_eq!(service.head(), head);
        for operation in service.operations() {
            assert!(!operation.iam_actions.is_empty(), "{}:{}", head.name, operation.name);
        }
        operations += service.operations().len();
    }
    assert_eq!((catalog.heads().len(), operations), (439, 19_796));
}

#[test]
fn what_acts_or_mints_is_never_a_read() {
    let catalog = Catalog::new();
    for (service, names) in NEVER_READS {
        for name in *names {
            let operation = catalog.service(service).unwrap().operation(name);
            let operation = operation.unwrap_or_else(|| panic!("{service}:{name} is not in the catalogue"));
            assert!(operation.access.is_change(), "{service}:{name} is a read");
        }
    }
}

#[test]
fn what_only_reads_is_a_read() {
    let catalog = Catalog::new();
    for (service, names) in READS {
        for name in *names {
            let operation = catalog.service(service).unwrap().operation(name).unwrap();
            assert_eq!(operation.access, Access::Read, "{service}:{name}");
        }
    }
}

#[test]
fn no_verb_that_changes_is_a_read() {
    let verbs = [
        "Accept",
        "Add",
        "Associate",
        "Assume",
        "Attach",
        "Authorize",
        "Cancel",
        "Copy",
        "Create",
        "Delete",
        "Detach",
        "Disable",
        "Enable",
        "Execute",
        "Invoke",
        "Modify",
        "Put",
        "Reboot",
        "Remove",
        "Reset",
        "Revoke",
        "Run",
        "Send",
        "Set",
        "Start",
        "Stop",
        "Tag",
        "Terminate",
        "Untag",
        "Update",
        "Upload",
    ];
    let catalog = Catalog::new();
    let mut seen = 0;
    for head in catalog.heads() {
        for operation in catalog.service(&head.name).unwrap().operations() {
            let rest = verbs.iter().find_map(|verb| operation.name.strip_prefix(verb));
            if rest.is_some_and(|rest| rest.starts_with(|letter: char| letter.is_uppercase())) {
                assert!(operation.access.is_change(), "{}:{}", head.name, operation.name);
                seen += 1;
            }
        }
    }
    assert!(seen > 9_000, "{seen}");
}

#[test]
fn terminate_instances_names_each_instance() {
    let catalog = Catalog::new();
    let operation = catalog.service("ec2").unwrap().operation("TerminateInstances").unwrap();
    assert_eq!((operation.access, operation.level), (Access::Delete, Level::Control));
    assert!(operation.dry_run);
    let binding = operation.bindings.first().unwrap();
    assert_eq!(
        (binding.role, &*binding.kind, binding.basis),
        (Role::Target, "ec2:instance", NameBasis::Reviewed)
    );
    assert_eq!(&*binding.template, "arn:{partition}:ec2:{region}:{account}:instance/{InstanceId}");
    let member = binding.members.first().unwrap();
    assert_eq!(member.path.items("InstanceId.2"), Some(vec!["2"]));
}

#[test]
fn a_launch_lives_in_its_subnet_and_tells_its_instances() {
    let catalog = Catalog::new();
    let operation = catalog.service("ec2").unwrap().operation("RunInstances").unwrap();
    assert_eq!(operation.access, Access::Create);
    let roles: Vec<_> = operation.bindings.iter().map(|binding| (binding.role, &*binding.kind)).collect();
    assert!(roles.contains(&(Role::Parent, "ec2:subnet")));
    assert!(roles.contains(&(Role::Uses, "ec2:image")));
    assert!(roles.contains(&(Role::Uses, "ec2:security-group")));
    assert!(!roles.iter().any(|(role, _)| *role == Role::Target));
    let answer = operation.answer(Protocol::Ec2);
    let path: Vec<&str> = answer.creates.first().unwrap().path.iter().map(|name| &**name).collect();
    assert_eq!(path, ["RunInstancesResponse", "instancesSet", "item", "instanceId"]);
    assert!(operation.is_idempotency_token(Protocol::Ec2, Location::Body, "ClientToken"));
}

#[test]
fn payloads_tokens_and_secrets_are_marked() {
    let catalog = Catalog::new();
    let put = catalog.service("s3").unwrap().operation("PutObject").unwrap();
    assert_eq!(put.payload, Payload::Streamed { member: "Body".into() });
    assert_eq!(put.level, Level::Data);
    let delete = catalog.service("s3").unwrap().operation("DeleteObjects").unwrap();
    assert!(delete.is_xml_list("Object"));
    let secret = catalog.service("secretsmanager").unwrap().operation("CreateSecret").unwrap();
    assert!(secret.is_sensitive(Protocol::Json, Location::Body, "SecretString"));
    assert!(!secret.is_sensitive(Protocol::Json, Location::Body, "Name"));
    let assume = catalog.service("sts").unwrap().operation("AssumeRole").unwrap();
    assert_eq!(assume.mints.as_ref().unwrap().kind, Minted::Session);
    let web = catalog.service("sts").unwrap().operation("AssumeRoleWithWebIdentity").unwrap();
    assert_eq!(web.auth, Auth::None);
}

#[test]
fn names_on_the_wire_lead_to_services() {
    fn names<'a>(heads: impl Iterator<Item = &'a crate::Head>) -> Vec<&'a str> {
        heads.map(|head| &*head.name).collect()
    }
    let catalog = Catalog::new();
    assert_eq!(names(catalog.by_target_prefix("DynamoDB_20120810")), ["dynamodb"]);
    for prefix in ["CloudTrail_20131101", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101"] {
        assert_eq!(names(catalog.by_target_prefix(prefix)), ["cloudtrail"]);
    }
    assert_eq!(names(catalog.by_version("2016-11-15")), ["ec2"]);
    assert_eq!(names(catalog.by_rpc_name("GraniteServiceVersion20100801")), ["cloudwatch"]);
    assert!(names(catalog.by_signing_name("rds")).contains(&"neptune"));
    assert_eq!(names(catalog.by_signing_name("no-such-service")), Vec::<&str>::new());
}

#[test]
fn hosts_say_service_region_and_variant() {
    let catalog = Catalog::new();
    let hosts = catalog.hosts();
    let says = |host: &str| {
        hosts.lookup(host).map(|claim| {
            let region = claim.region.as_deref().unwrap_or("-").to_owned();
            (claim.services.join(","), region, claim.variant, claim.prefix.to_owned(), claim.private)
        })
    };
    let plain = |service: &str, region: &str, prefix: &str| {
        Some((service.to_owned(), region.to_owned(), Variant::Plain, prefix.to_owned(), false))
    };
    assert_eq!(says("ec2.eu-west-1.amazonaws.com"), plain("ec2", "eu-west-1", ""));
    assert_eq!(says("my.bucket.s3.eu-west-1.amazonaws.com"), plain("s3", "eu-west-1", "my.bucket"));
    assert_eq!(says("s3-eu-west-1.amazonaws.com"), plain("s3", "eu-west-1", ""));
    assert_eq!(says("iam.amazonaws.com"), plain("iam", "-", ""));
    assert_eq!(says("eu-west-1.queue.amazonaws.com"), plain("sqs", "eu-west-1", ""));
    assert_eq!(
        says("123456789012.ddb.us-east-1.amazonaws.com"),
        plain("dynamodb", "us-east-1", "123456789012")
    );
    let private = says("vpce-0a1b-2c3d.ec2.us-east-1.vpce.amazonaws.com").unwrap();
    assert_eq!((private.0.as_str(), private.3.as_str(), private.4), ("ec2", "vpce-0a1b-2c3d", true));
    assert_eq!(says("ec2-fips.us-east-1.api.aws").unwrap().2, Variant::FipsDualstack);
    for foreign in [
        "ec2.us-east-1.amazonaws.com.evil.example",
        "ec2.us-east-1.evil.example.amazonaws.com",
        "ec2.no-such-1.amazonaws.com",
        "amazonaws.com",
        "evilec2.us-east-1.amazonaws.com",
        "",
    ] {
        assert_eq!(says(foreign), None, "{foreign}");
    }
}

#[test]
fn upstream_hosts_come_from_the_closed_set() {
    let catalog = Catalog::new();
    let hosts = catalog.hosts();
    let host = |service: &str, region: &str| {
        hosts.upstream(service, region, Variant::Plain).map(|to| (to.host, to.signing_region.to_string()))
    };
    let pair = |host: &str, region: &str| Some((host.to_owned(), region.to_owned()));
    assert_eq!(host("ec2", "us-east-1"), pair("ec2.us-east-1.amazonaws.com", "us-east-1"));
    assert_eq!(host("iam", "eu-west-1"), pair("iam.amazonaws.com", "us-east-1"));
    assert_eq!(host("ec2", "cn-north-1"), pair("ec2.cn-north-1.amazonaws.com.cn", "cn-north-1"));
    assert_eq!(host("ec2", "us-east-1.evil.example"), None);
    assert_eq!(host("ec2", ""), None);
    assert_eq!(host("no-such-service", "us-east-1"), None);
}
