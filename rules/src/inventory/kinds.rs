//! What types of things mean for what a change reaches: what is lost for good with them, what gives authority, what holds more
//! than its name says.
//!
//! Leaves out how two of them are related (`import/kinds.rs`).

/// What holds data that no other copy has: deleted, it is gone. In the planes' own words, in lower case, in order.
///
/// Left out is what its plane deletes only when it is empty (buckets) or keeps for a time in which it can be had back (keys,
/// vaults); where a request may ask for more, what it asks for counts (`blast/wave.rs`).
const DURABLE: [&str; 77] = [
    "azure:microsoft.cache/redis",
    "azure:microsoft.cognitiveservices/accounts",
    "azure:microsoft.compute/disks",
    "azure:microsoft.compute/snapshots",
    "azure:microsoft.dbformysql/flexibleservers",
    "azure:microsoft.dbformysql/servers",
    "azure:microsoft.dbforpostgresql/flexibleservers",
    "azure:microsoft.dbforpostgresql/servers",
    "azure:microsoft.documentdb/databaseaccounts",
    "azure:microsoft.eventhub/namespaces",
    "azure:microsoft.kusto/clusters",
    "azure:microsoft.recoveryservices/vaults",
    "azure:microsoft.servicebus/namespaces",
    "azure:microsoft.sql/managedinstances",
    "azure:microsoft.sql/servers",
    "azure:microsoft.sql/servers/databases",
    "azure:microsoft.storage/storageaccounts",
    "azure:microsoft.storage/storageaccounts/blobservices/containers",
    "azure:microsoft.storage/storageaccounts/fileservices/shares",
    "backup:backupvault",
    "backup:recoverypoint",
    "cassandra:keyspace",
    "cassandra:table",
    "cognito-identity:identitypool",
    "cognito-idp:userpool",
    "core:persistentvolumeclaims",
    "core:persistentvolumes",
    "dax:cluster",
    "docdb-elastic:cluster",
    "dsql:cluster",
    "dynamodb:backup",
    "dynamodb:table",
    "ec2:image",
    "ec2:snapshot",
    "ec2:volume",
    "ecr:repository",
    "elasticache:cluster",
    "elasticache:replicationgroup",
    "elasticache:serverlesscache",
    "elasticache:snapshot",
    "elasticfilesystem:file-system",
    "es:domain",
    "fsx:backup",
    "fsx:file-system",
    "gcp:alloydb/clusters",
    "gcp:bigquery/datasets",
    "gcp:bigquery/tables",
    "gcp:bigtable/instances",
    "gcp:bigtable/tables",
    "gcp:cloudsql/instances",
    "gcp:compute/disks",
    "gcp:compute/images",
    "gcp:compute/snapshots",
    "gcp:file/instances",
    "gcp:firestore/databases",
    "gcp:redis/instances",
    "gcp:secretmanager/secrets",
    "gcp:spanner/databases",
    "gcp:spanner/instances",
    "kafka:cluster",
    "kinesis:stream",
    "lightsail:database",
    "lightsail:disk",
    "lightsail:relationaldatabase",
    "logs:log-group",
    "memorydb:cluster",
    "memorydb:snapshot",
    "rds:auto-backup",
    "rds:cluster",
    "rds:cluster-snapshot",
    "rds:db",
    "rds:snapshot",
    "redshift-serverless:namespace",
    "redshift:cluster",
    "redshift:snapshot",
    "secretsmanager:secret",
    "timestream:table",
];

/// Whether deleting one of a type loses data that no other copy has.
pub(crate) fn is_durable(kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    DURABLE.binary_search(&kind.as_str()).is_ok()
}

/// Whether data that is encrypted with one of a type cannot be read without it.
pub(crate) fn is_key(kind: &str) -> bool {
    const KEYS: [&str; 4] = [
        "azure:microsoft.keyvault/vaults/keys",
        "gcp:cloudkms/cryptokeys",
        "gcp:cloudkms/cryptokeyversions",
        "kms:key",
    ];
    KEYS.iter().any(|key| key.eq_ignore_ascii_case(kind))
}

/// Whether a type is of those that give authority or have it: identities, roles, policies and what binds them.
pub(crate) fn is_principal(kind: &str) -> bool {
    // What Terraform alone has a name for, as the attachment of a policy, keeps that.
    const BEGINNINGS: [&str; 7] = [
        "iam:",
        "aws_iam_",
        "rbac.authorization.k8s.io:",
        "core:serviceaccounts",
        "azure:microsoft.managedidentity/",
        "azure:microsoft.authorization/",
        "gcp:iam/",
    ];
    BEGINNINGS.iter().any(|beginning| {
        kind.get(..beginning.len()).is_some_and(|begun| begun.eq_ignore_ascii_case(beginning))
    })
}

/// Whether deleting one of a type takes along what lies in it, so that one in which nothing is known to lie is not known.
pub(crate) fn expands(kind: &str) -> bool {
    const HOLDERS: [&str; 10] = [
        "apiextensions.k8s.io:customresourcedefinitions",
        "azure:microsoft.containerservice/managedclusters",
        "azure:microsoft.resources/subscriptions/resourcegroups",
        "cassandra:keyspace",
        "cloudformation:stack",
        "core:namespaces",
        "eks:cluster",
        "gcp:cloudresourcemanager/projects",
        "gcp:container/clusters",
        "kubernetes:cluster",
    ];
    HOLDERS.iter().any(|holder| holder.eq_ignore_ascii_case(kind))
}

#[cfg(test)]
mod tests {
    use super::{DURABLE, expands, is_durable, is_principal};

    #[test]
    fn types_are_sorted_so_that_all_are_found() {
        assert!(DURABLE.is_sorted_by(|left, right| left < right));
        assert!(DURABLE.iter().all(|kind| *kind == kind.to_ascii_lowercase()));
    }

    #[test]
    fn types_are_known_in_any_case() {
        assert!(is_durable("rds:db") && is_durable("azure:Microsoft.Compute/disks"));
        assert!(!is_durable("s3:bucket"), "it is deleted only when it is empty");
        assert!(
            is_principal("iam:role")
                && is_principal("azure:Microsoft.ManagedIdentity/userAssignedIdentities")
        );
        assert!(!is_principal("ec2:instance"));
        assert!(
            expands("core:namespaces") && expands("azure:Microsoft.Resources/subscriptions/resourceGroups")
        );
        assert!(!expands("ec2:vpc"));
    }
}
