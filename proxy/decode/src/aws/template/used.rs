//! What a resource of a template refers to that is there already: parts of networks by their ids, and what it copies.
//!
//! Leaves out roles, keys, and what it is attached to by name (`cloud.rs`).

use std::collections::HashSet;
use std::sync::Arc;

use ordain_action::{Identifier, NameBasis, Resource, Role};

use super::leaf::Leaves;
use super::word::Path;
use crate::aws::bind::is_arn;
use crate::aws::resource::Place;
use crate::aws::stored;

/// Ids that the provider makes, by what they begin with.
const MADE: [(&str, &str); 18] = [
    ("acl", "network-acl"),
    ("ami", "image"),
    ("dopt", "dhcp-options"),
    ("eipalloc", "elastic-ip"),
    ("eni", "network-interface"),
    ("i", "instance"),
    ("igw", "internet-gateway"),
    ("lt", "launch-template"),
    ("nat", "natgateway"),
    ("pl", "prefix-list"),
    ("rtb", "route-table"),
    ("sg", "security-group"),
    ("snap", "snapshot"),
    ("subnet", "subnet"),
    ("tgw", "transit-gateway"),
    ("vgw", "vpn-gateway"),
    ("vol", "volume"),
    ("vpc", "vpc"),
];

/// Types that change whatever they name, by words of their names.
const CHANGING: [&str; 7] = ["Association", "Attachment", "CidrBlock", "Egress", "Entry", "Ingress", "Route"];

/// Properties that name what is copied, by what the names of their types begin with.
const COPIED: [(&str, &str, &str, &str, &str); 13] = [
    ("AWS::DocDB::", "snapshotidentifier", "rds:cluster-snapshot", "rds", "cluster-snapshot:"),
    ("AWS::DocDB::", "sourcedbclusteridentifier", "rds:cluster", "rds", "cluster:"),
    ("AWS::DynamoDB::", "s3bucket", "s3:bucket", "s3", ""),
    ("AWS::ElastiCache::", "snapshotname", "elasticache:snapshot", "elasticache", "snapshot:"),
    ("AWS::FSx::", "backupid", "fsx:backup", "fsx", "backup/"),
    ("AWS::MemoryDB::", "snapshotname", "memorydb:snapshot", "memorydb", "snapshot/"),
    ("AWS::Neptune::", "dbsnapshotidentifier", "rds:snapshot", "rds", "snapshot:"),
    ("AWS::Neptune::", "snapshotidentifier", "rds:cluster-snapshot", "rds", "cluster-snapshot:"),
    ("AWS::RDS::", "dbsnapshotidentifier", "rds:snapshot", "rds", "snapshot:"),
    ("AWS::RDS::", "snapshotidentifier", "rds:cluster-snapshot", "rds", "cluster-snapshot:"),
    ("AWS::RDS::", "sourcedbclusteridentifier", "rds:cluster", "rds", "cluster:"),
    ("AWS::RDS::", "sourcedbinstanceidentifier", "rds:db", "rds", "db:"),
    ("AWS::Redshift::", "snapshotidentifier", "redshift:snapshot", "redshift", "snapshot:"),
];

/// What the values of a resource name.
pub(super) fn named(type_name: &str, leaves: &Leaves, place: &Place<'_>) -> Vec<Resource> {
    let changes = type_name.starts_with("AWS::EC2::") && CHANGING.iter().any(|word| type_name.contains(word));
    let mut found: Vec<Resource> = Vec::new();
    let mut seen: HashSet<Resource> = HashSet::new();
    for leaf in &leaves.all {
        let Some(text) = leaf.text().filter(|text| !text.is_empty()) else { continue };
        let path = Path::of(&leaf.path);
        let one = made(text, changes, place)
            .or_else(|| copied(type_name, &path, text, place))
            .or_else(|| whole(text));
        found.extend(one.filter(|one| seen.insert(one.clone())));
    }
    for path in &leaves.unknown {
        let path = Path::of(path);
        if let Some((_, _, kind, _, _)) = copying(type_name, &path) {
            found.push(used(kind, String::new(), NameBasis::Unnamed, "<unknown>", Role::Uses));
        }
    }
    found
}

/// What a value names whole, but for roles and keys, which are found by what they are for.
fn whole(text: &str) -> Option<Resource> {
    let service = text.strip_prefix("arn:")?.split(':').nth(1)?;
    let others = matches!(service, "automate" | "iam" | "kms" | "sts" | "swf") || text.contains("${");
    if others { None } else { stored::used(text) }
}

fn made(text: &str, changes: bool, place: &Place<'_>) -> Option<Resource> {
    let (start, digits) = text.rsplit_once('-')?;
    let hexadecimal = matches!(digits.len(), 8 | 17) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (_, kind) = MADE.iter().find(|(known, _)| *known == start && hexadecimal)?;
    let role = if changes { Role::Target } else { Role::Uses };
    let name = match *kind {
        // Images and snapshots may be anybody's.
        "image" | "snapshot" => format!("arn:{}:ec2:{}::{kind}/{text}", place.partition, place.region),
        kind => place.arn("ec2", &format!("{kind}/{}", text.to_ascii_lowercase())),
    };
    Some(used(&format!("ec2:{kind}"), name, NameBasis::Reviewed, text, role))
}

type Copied = (&'static str, &'static str, &'static str, &'static str, &'static str);

fn copying(type_name: &str, path: &Path) -> Option<&'static Copied> {
    COPIED.iter().find(|(start, property, _, _, _)| type_name.starts_with(start) && path.last() == *property)
}

fn copied(type_name: &str, path: &Path, text: &str, place: &Place<'_>) -> Option<Resource> {
    let (_, _, kind, service, word) = copying(type_name, path)?;
    if text.contains("${") {
        return None;
    }
    let (name, basis) = if is_arn(text) {
        (text.to_owned(), NameBasis::Carried)
    } else if *service == "s3" {
        (format!("arn:{}:s3:::{text}", place.partition), NameBasis::Reviewed)
    } else {
        (place.arn(service, &format!("{word}{text}")), NameBasis::Reviewed)
    };
    let lower = matches!(*service, "rds" | "redshift");
    let name = if lower { name.to_ascii_lowercase() } else { name };
    Some(used(kind, name, basis, text, Role::Uses))
}

fn used(kind: &str, name: String, basis: NameBasis, value: &str, role: Role) -> Resource {
    let pattern = name.contains(['*', '?']);
    let identifiers = vec![Identifier { name: Arc::from("Id"), value: value.to_owned() }];
    Resource { role, kind: Arc::from(kind), name, basis, pattern, identifiers }
}
