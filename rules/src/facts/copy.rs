//! What an effect would take data out of.
//!
//! Leaves out who may. Reading what belongs to others is no less for being done by the provider, into a copy.

use ordain_action::{Access, Effect};

/// Types that hold data, as `service:type` or as `service:` with all that is not in `EMPTY`.
const DATA: [&str; 23] = [
    "backup:",
    "docdb-elastic:",
    "dynamodb:",
    "ec2:snapshot",
    "ec2:volume",
    "elasticache:cluster",
    "elasticache:globalreplicationgroup",
    "elasticache:replicationgroup",
    "elasticache:serverlesscache",
    "elasticache:snapshot",
    "elasticfilesystem:",
    "fsx:",
    "kinesis:stream",
    "lightsail:Disk",
    "lightsail:DiskSnapshot",
    "lightsail:Instance",
    "lightsail:InstanceSnapshot",
    "lightsail:RelationalDatabase",
    "lightsail:RelationalDatabaseSnapshot",
    "memorydb:snapshot",
    "rds:",
    "redshift-serverless:",
    "redshift:",
];

/// Types of those services that hold none.
const EMPTY: [&str; 22] = [
    "backup:backupPlan",
    "backup:destination-backup-vault",
    "backup:encryption-key",
    "backup:logically-air-gapped-backup-vault",
    "backup:target-logically-air-gapped-backup-vault",
    "dynamodb:stream",
    "rds:cluster-pg",
    "rds:es",
    "rds:og",
    "rds:pg",
    "rds:proxy",
    "rds:ri",
    "rds:secgrp",
    "rds:subgrp",
    "rds:tde-credential",
    "redshift:idc-instance",
    "redshift:parametergroup",
    "redshift:redshift-idc-application",
    "redshift:securitygroup",
    "redshift:subnetgroup",
    "redshift:target",
    "redshift:trusted-token-issuer",
];

/// Operations that copy, by what they begin with, beside all that create.
const COPYING: [&str; 9] = [
    "Clone",
    "Copy",
    "Export",
    "Replicate",
    "Restore",
    "StartBackup",
    "StartCopy",
    "StartExport",
    "StartRestore",
];

/// Whether an effect takes data out of what it uses of some type.
pub(crate) fn copies(effect: &Effect, kind: &str) -> bool {
    if kind.starts_with("s3:") {
        return true;
    }
    let copying = COPYING.iter().any(|verb| effect.operation.starts_with(verb));
    // An image is there to be launched from; a copy of it is another matter. So is a secret.
    let held = DATA.iter().any(|data| kind == *data || (data.ends_with(':') && kind.starts_with(data)));
    let by_copy = matches!(kind, "ec2:image" | "secretsmanager:secret");
    match effect.access {
        Access::Create => (held && !EMPTY.contains(&kind)) || (copying && by_copy),
        Access::Read
        | Access::Update
        | Access::Delete
        | Access::Grant
        | Access::Expose
        | Access::Execute
        | Access::Tag
        | Access::SecretRead => copying && ((held && !EMPTY.contains(&kind)) || by_copy),
    }
}
