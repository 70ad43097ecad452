//! S3's own ways: buckets in hosts and paths, keys whose bytes stay as sent, and its neighbours on the same name.
//!
//! Leaves out what its operations do. Websites, browser forms and multi-region access points are refused.

use std::borrow::Cow;

use ordain_action::Undecodable;
use ordain_catalog::{Operation, Service};

use super::found::is_query_member;
use super::marker::Markers;
use super::site::Site;
use crate::form::fields::{clip, duplicate};
use crate::form::percent;
use crate::form::uri::Segments;

/// Whether a service is S3 or one that shares its names.
pub(super) fn is_s3(service: &Service) -> bool {
    matches!(&**service.name(), "s3" | "s3control" | "s3outposts")
}

/// Whether a service keeps objects under keys whose bytes are not to be normalised.
pub(super) fn is_object_store(service: &Service) -> bool {
    &**service.name() == "s3"
}

/// S3, its control plane and Outposts share names: path, host and account header tell them apart.
///
/// A caller may add the header to a bucket's own path: then the control plane is read and the control plane's
/// host is what it is sent to.
pub(super) fn may_be(service: &Service, markers: &Markers<'_>, site: &Site) -> bool {
    let path = markers.target.path;
    let control = path.starts_with("/v20180820/")
        && (markers.names_account || site.table_host.starts_with("s3-control"));
    // No bucket has a capital letter in its name.
    let outposts = path.starts_with("/S3Outposts/");
    match &**service.name() {
        "s3" => !control && !outposts && !site.table_host.starts_with("s3-control"),
        "s3control" => control && !outposts,
        "s3outposts" => outposts,
        _ => true,
    }
}

/// The bucket that the host names, if it names one.
fn bucket_in_host(site: &Site) -> Result<Option<&str>, Undecodable> {
    if site.table_host.contains("accesspoint.s3-global") || site.prefix.ends_with(".mrap") {
        return Err(Undecodable::new(
            "multi_region_access_point",
            "a multi-region access point may lead to several buckets; name a bucket or a regional access point",
        ));
    }
    if site.table_host.starts_with("s3-website") || site.prefix.contains("s3-website") {
        return Err(Undecodable::new(
            "website_endpoint",
            "website hosts are not an API; use the bucket's API host",
        ));
    }
    // A VPC endpoint's name stands between bucket and service, in the provider's hosts only: before a name of ours
    // the whole prefix is the bucket, whatever letters it holds.
    let prefix = match site.prefix.split_once("vpce-") {
        Some((before, _)) if site.host.is_some() && (before.is_empty() || before.ends_with('.')) => {
            let before = before.trim_end_matches('.');
            before.strip_suffix("bucket").map_or(before, |before| before.trim_end_matches('.'))
        }
        Some(_) | None => site.prefix.as_str(),
    };
    if prefix.is_empty() {
        return Ok(None);
    }
    let is_bucket = prefix.len() <= 255
        && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    if !is_bucket {
        return Err(Undecodable::new(
            "bad_bucket",
            format!("`{}` is no bucket's name; use one in the host or in the path", clip(prefix)),
        ));
    }
    Ok(Some(prefix))
}

/// Bucket and key as two segments; the key keeps its slashes, empty and dotted segments.
pub(super) fn segments<'a>(markers: &Markers<'a>, site: &Site) -> Result<Segments<'a>, Undecodable> {
    let path = markers.target.path.strip_prefix('/').unwrap_or(markers.target.path);
    // A function answers a request for an object: the host names the route back, and no bucket.
    if markers.signing_name == "s3-object-lambda" && path == "WriteGetObjectResponse" {
        return Ok(Segments { decoded: vec![Cow::Borrowed(path)], trailing_slash: false });
    }
    let in_host = bucket_in_host(site)?;
    let (bucket, key) = match in_host {
        Some(bucket) => (Some(Cow::Owned(bucket.to_owned())), path),
        None if path.is_empty() => (None, ""),
        None => {
            let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
            if bucket.is_empty() {
                return Err(Undecodable::new("bad_bucket", "the path names no bucket; begin it with one"));
            }
            (Some(percent::decode(bucket)?), key)
        }
    };
    let mut decoded = Vec::new();
    if let Some(bucket) = bucket {
        let plain = !bucket.contains('/') || bucket.starts_with("arn:");
        if !plain || matches!(&*bucket, "." | "..") || bucket.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(Undecodable::new(
                "bad_bucket",
                format!("`{}` is no bucket's name; use one in the host or in the path", clip(&bucket)),
            ));
        }
        decoded.push(bucket);
    }
    if !key.is_empty() {
        decoded.push(percent::decode(key)?);
    }
    Ok(Segments { decoded, trailing_slash: false })
}

/// Refuses a query member that could make the request another operation than the one found.
pub(super) fn refuse_strange_query(operation: &Operation, markers: &Markers<'_>) -> Result<(), Undecodable> {
    for (at, pair) in markers.query.iter().enumerate() {
        let name = pair.name.as_ref();
        if markers.query.iter().skip(at + 1).any(|other| other.name == pair.name) {
            return Err(duplicate(name));
        }
        let own = operation.http.query.iter().any(|(literal, _)| **literal == *name)
            || is_query_member(operation, name);
        // The operation's own name as SDKs add it, and headers that a presigned URL carries in its query.
        let noise = name == "x-id" || name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("x-amz-"));
        if !own && !noise {
            return Err(Undecodable::new(
                "unknown_query",
                format!("`{}` does not belong to `{}`; leave it out", clip(name), operation.name),
            ));
        }
    }
    Ok(())
}
