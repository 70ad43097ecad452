//! The buckets, objects and access points that an S3 request names: exactly, whatever the way of addressing.
//!
//! Leaves out which operation it is, and policies inside bodies.

use std::collections::HashSet;
use std::sync::Arc;

use ordain_action::{Effect, Identifier, NameBasis, Resource, Role, Scalar};

use super::bind::is_arn;
use super::resource::Place;
use super::site::Site;
use crate::form::percent;

/// Replaces what was bound by member names with what S3's own addressing says.
pub(super) fn name(effect: &mut Effect, site: &Site, place: &Place<'_>) {
    let Some(bucket) = effect.parameters.text("Bucket").map(str::to_owned) else { return };
    let holder = Holder::of(&bucket, site, place);
    effect.resources.retain(|resource| !(resource.kind.starts_with("s3:") && resource.role != Role::Uses));
    let mut keys: Vec<String> = Vec::new();
    if let Some(key) = effect.parameters.text("Key") {
        keys.push(key.to_owned());
    } else if &*effect.operation == "DeleteObjects" {
        keys.extend(effect.parameters.iter().filter(|leaf| leaf.path.ends_with(".Key")).filter_map(|leaf| {
            match leaf.value {
                Scalar::Text(key) => Some(key.to_owned()),
                Scalar::Number(_) | Scalar::Bool(_) | Scalar::Null | Scalar::Empty | Scalar::Token(_) => None,
            }
        }));
    }
    // A request may name one object twice; it is one target.
    let mut seen = HashSet::new();
    let once: Vec<&String> = keys.iter().filter(|key| seen.insert(key.as_str())).collect();
    let mut named: Vec<Resource> = once.into_iter().map(|key| holder.object(key, &bucket)).collect();
    let role = if keys.is_empty() { Role::Target } else { Role::Parent };
    named.push(holder.resource(role, &bucket));
    named.append(&mut effect.resources);
    effect.resources = named;
    if let Some(source) = effect.parameters.text("x-amz-copy-source").map(str::to_owned) {
        effect.resources.retain(|resource| resource.role != Role::Uses || !resource.kind.starts_with("s3:"));
        effect.resources.push(copy_source(&source, place));
    }
}

/// What keeps the objects: a bucket, or an access point to one.
struct Holder {
    kind: &'static str,
    /// Empty where an alias hides the bucket.
    name: String,
    object_kind: &'static str,
    object_prefix: String,
}

impl Holder {
    fn of(bucket: &str, site: &Site, place: &Place<'_>) -> Self {
        let point = |name: String| Self {
            kind: "s3:accesspoint",
            object_kind: "s3:accesspointobject",
            object_prefix: format!("{name}/object/"),
            name,
        };
        if is_arn(bucket) {
            return point(bucket.to_owned());
        }
        let by_point_host =
            ["s3-accesspoint", "s3-object-lambda"].iter().any(|start| site.table_host.starts_with(start));
        if by_point_host && let Some((name, account)) = bucket.rsplit_once('-') {
            let partition = place.partition;
            let service =
                if site.table_host.starts_with("s3-object-lambda") { "s3-object-lambda" } else { "s3" };
            return point(format!("arn:{partition}:{service}:{}:{account}:accesspoint/{name}", place.region));
        }
        if site.table_host.starts_with("s3-outposts")
            || bucket.ends_with("-s3alias")
            || bucket.ends_with("--ol-s3")
        {
            return Self {
                kind: "s3:accesspoint",
                name: String::new(),
                object_kind: "s3:accesspointobject",
                object_prefix: String::new(),
            };
        }
        if bucket.ends_with("--x-s3") {
            let name = place.arn("s3express", &format!("bucket/{bucket}"));
            return Self {
                kind: "s3express:bucket",
                object_kind: "s3express:object",
                object_prefix: format!("{name}/"),
                name,
            };
        }
        let name = format!("arn:{}:s3:::{bucket}", place.partition);
        Self { kind: "s3:bucket", object_kind: "s3:object", object_prefix: format!("{name}/"), name }
    }

    fn resource(&self, role: Role, bucket: &str) -> Resource {
        Resource {
            role,
            kind: Arc::from(self.kind),
            name: self.name.clone(),
            basis: basis(&self.name, bucket),
            pattern: false,
            identifiers: vec![Identifier { name: Arc::from("Bucket"), value: bucket.to_owned() }],
        }
    }

    fn object(&self, key: &str, bucket: &str) -> Resource {
        let name = if self.name.is_empty() { String::new() } else { format!("{}{key}", self.object_prefix) };
        Resource {
            role: Role::Target,
            kind: Arc::from(self.object_kind),
            basis: basis(&name, bucket),
            name,
            // A star in a key is a star: S3 has no patterns here.
            pattern: false,
            identifiers: vec![
                Identifier { name: Arc::from("Bucket"), value: bucket.to_owned() },
                Identifier { name: Arc::from("Key"), value: key.to_owned() },
            ],
        }
    }
}

fn basis(name: &str, bucket: &str) -> NameBasis {
    if name.is_empty() {
        NameBasis::Unnamed
    } else if is_arn(bucket) {
        NameBasis::Carried
    } else {
        NameBasis::Reviewed
    }
}

/// `/bucket/key?versionId=…`, percent-encoded, or an access point's ARN.
fn copy_source(source: &str, place: &Place<'_>) -> Resource {
    let path = source.split_once("?versionId=").map_or(source, |(path, _)| path);
    let decoded =
        percent::decode(path).map(|path| path.trim_start_matches('/').to_owned()).unwrap_or_default();
    let (name, basis) = if is_arn(&decoded) {
        (decoded, NameBasis::Carried)
    } else if decoded.contains('/') && !decoded.starts_with('/') {
        (format!("arn:{}:s3:::{decoded}", place.partition), NameBasis::Reviewed)
    } else {
        (String::new(), NameBasis::Unnamed)
    };
    Resource {
        role: Role::Uses,
        kind: Arc::from("s3:object"),
        name,
        basis,
        pattern: false,
        identifiers: vec![Identifier { name: Arc::from("CopySource"), value: source.to_owned() }],
    }
}
