//! Copies of what belongs to others, by the provider's own means.
//!
//! Leaves out objects, whose copies are tested with what else is owned (`ownership.rs`).

use ordain_rules::Snapshot;

use crate::support::{SHOP, codes_on, model};

/// The shop, where payroll has a snapshot, and everything of its kinds that is said to be public is.
fn shop() -> Snapshot {
    model(&format!(
        "{SHOP}
---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {{name: payroll-snapshot}}
spec:
  type: ec2:snapshot
  owner: payroll
  name: arn:aws:ec2:eu-west-1::snapshot/snap-0pay
---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {{name: payroll-image}}
spec:
  type: ec2:image
  owner: payroll
  name: arn:aws:ec2:eu-west-1::image/ami-0pay
---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {{name: web-image}}
spec:
  type: ec2:image
  owner: web
  name: arn:aws:ec2:eu-west-1::image/ami-0web
---
apiVersion: ordain/v1
kind: Scope
metadata: {{name: of-data}}
spec:
  names: ['arn:aws:*:eu-west-1:111122223333:*/data-*', 'arn:aws:rds:eu-west-1:111122223333:*:data-*', 'arn:aws:redshift:eu-west-1:111122223333:snapshot:data/*']
  owner: data
---
apiVersion: ordain/v1
kind: Scope
metadata: {{name: samples}}
spec:
  names: ['arn:aws:rds:eu-west-1:111122223333:snapshot:sample-*']
  owner: data
  public: true
"
    ))
}

#[track_caller]
fn check_copy(operation: &str, access: &str, uses: &str, expected: &str) {
    let text = format!("person alice\neffect {operation} {access}\ntarget x:y account scope\nuses {uses}");
    assert_eq!(codes_on(&shop(), &text), expected, "{operation} {uses}");
}

#[test]
fn what_belongs_to_others_is_not_copied_by_the_provider_either() {
    const RDS: &str = "arn:aws:rds:eu-west-1:111122223333";
    const NO: &str = "foreign_copy";
    let create = |operation: &str, uses: &str| check_copy(operation, "create", uses, NO);
    create("rds:CreateDBInstanceReadReplica", &format!("rds:db {RDS}:db:warehouse"));
    create("rds:RestoreDBInstanceToPointInTime", &format!("rds:db {RDS}:db:warehouse"));
    create("rds:CopyDBSnapshot", &format!("rds:snapshot {RDS}:snapshot:data-1"));
    create(
        "rds:RestoreDBClusterFromSnapshot",
        &format!("rds:cluster-snapshot {RDS}:cluster-snapshot:data-1"),
    );
    check_copy("rds:StartExportTask", "update", &format!("rds:source {RDS}:snapshot:data-1 carried"), NO);
    create(
        "dynamodb:RestoreTableToPointInTime",
        "dynamodb:table arn:aws:dynamodb:eu-west-1:111122223333:table/data-1",
    );
    create(
        "dynamodb:RestoreTableFromBackup",
        "dynamodb:backup arn:aws:dynamodb:eu-west-1:111122223333:table/data-1/backup/1 carried",
    );
    check_copy("backup:StartBackupJob", "update", &format!("backup:resource {RDS}:db:warehouse carried"), NO);
    create(
        "redshift:RestoreFromClusterSnapshot",
        "redshift:snapshot arn:aws:redshift:eu-west-1:111122223333:snapshot:data/1",
    );
    create("fsx:CreateBackup", "fsx:file-system arn:aws:fsx:eu-west-1:111122223333:file-system/data-1");
    create("ec2:CreateVolume", "ec2:snapshot arn:aws:ec2:eu-west-1::snapshot/snap-0pay");
    create("ec2:CopySnapshot", "ec2:snapshot arn:aws:ec2:eu-west-1::snapshot/snap-0pay");
    create("ec2:CopyImage", "ec2:image arn:aws:ec2:eu-west-1::image/ami-0pay");
    // Not known, and in an account that nothing is known of.
    create("rds:CopyDBSnapshot", "rds:snapshot arn:aws:rds:eu-west-1:999999999999:snapshot:a carried");
}

#[test]
fn what_is_ones_own_or_public_or_holds_no_data_is_used() {
    const RDS: &str = "arn:aws:rds:eu-west-1:111122223333";
    let create = |operation: &str, uses: &str| check_copy(operation, "create", uses, "");
    create("ec2:RunInstances", "ec2:image arn:aws:ec2:eu-west-1::image/ami-0web");
    create("ec2:RunInstances", "ec2:image arn:aws:ec2:eu-west-1::image/ami-0pay");
    create("ec2:RunInstances", "ec2:image arn:aws:ec2:eu-west-1::image/ami-0public");
    create("ec2:CopyImage", "ec2:image arn:aws:ec2:eu-west-1::image/ami-0web");
    create("ec2:CopyImage", "ec2:image arn:aws:ec2:eu-west-1::image/ami-0public");
    create("ec2:CreateVolume", "ec2:snapshot arn:aws:ec2:eu-west-1::snapshot/snap-0public");
    create("rds:RestoreDBInstanceFromDBSnapshot", &format!("rds:snapshot {RDS}:snapshot:sample-1"));
    create("rds:RestoreDBInstanceFromDBSnapshot", &format!("rds:snapshot {RDS}:snapshot:of-web"));
    create("rds:CreateDBInstance", &format!("rds:subgrp {RDS}:subgrp:data-1"));
}
