//! What a body refers to: resources by name or address, and service accounts that something will run as.
//!
//! Found by what the values are, so that a method which nobody has looked at is covered too. Leaves out what the path names.

use std::collections::BTreeSet;
use std::sync::Arc;

use ordain_action::{Identifier, NameBasis, Resource, Role, Scalar};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::resource::{is_version, project_of};
use super::system::fold;
use crate::form::Fields;
use crate::form::query::Pair;

const NAME: &AsciiSet = &CONTROLS.add(b'%').add(b'*').add(b'?');

/// Collections that one service alone has, so that a name without its service is known in full.
const OWNERS: [(&str, &str); 23] = [
    ("logs", "logging"),
    ("cryptoKeys", "cloudkms"),
    ("keyRings", "cloudkms"),
    ("secrets", "secretmanager"),
    ("serviceAccounts", "iam"),
    ("workloadIdentityPools", "iam"),
    ("roles", "iam"),
    ("topics", "pubsub"),
    ("subscriptions", "pubsub"),
    ("subnetworks", "compute"),
    ("networks", "compute"),
    ("machineTypes", "compute"),
    ("instanceTemplates", "compute"),
    ("images", "compute"),
    ("snapshots", "compute"),
    ("disks", "compute"),
    ("networkAttachments", "compute"),
    ("datasets", "bigquery"),
    ("queues", "cloudtasks"),
    ("certificates", "certificatemanager"),
    ("certificateMaps", "certificatemanager"),
    ("buckets", "storage"),
    ("managedZones", "dns"),
];

/// Everything that a query and a body name, each once.
pub(super) fn uses(
    (service, host): (&str, &str),
    holder: Option<(&str, &str)>,
    query: &[Pair<'_>],
    body: Option<&Fields>,
) -> Vec<Resource> {
    let mut known = BTreeSet::new();
    let mut uses = Vec::new();
    let asked = query.iter().map(|pair| (pair.name.as_ref(), Scalar::Text(&pair.value)));
    for (path, value) in asked.chain(body.iter().flat_map(|body| body.iter())) {
        let Scalar::Text(text) = value else { continue };
        if let Some(mut resource) = named(service, host, holder, text)
            && known.insert(resource.name.clone())
        {
            let member = path.rsplit('.').find(|part| !part.bytes().all(|byte| byte.is_ascii_digit()));
            let name = Arc::from(member.unwrap_or(path));
            resource.identifiers = vec![Identifier { name, value: text.to_owned() }];
            uses.push(resource);
        }
    }
    uses
}

/// A resource, where a text is the name or the address of one.
fn named(service: &str, host: &str, holder: Option<(&str, &str)>, text: &str) -> Option<Resource> {
    if text.len() > 1_024 || text.contains(|one: char| one.is_whitespace() || one.is_control()) {
        return None;
    }
    if text.starts_with("gs://") {
        return file(text);
    }
    if let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("//")) {
        let (at, path) = rest.split_once('/')?;
        at.strip_suffix(".googleapis.com")?;
        // What a token is good for, which is no resource.
        if at == "www.googleapis.com" && path.starts_with("auth/") {
            return None;
        }
        let mut path = path;
        let mut owner = at;
        // The version, and the word of the API before it where several share a host.
        if let Some((first, after)) = path.split_once('/')
            && !matches!(first, "projects" | "folders" | "organizations")
        {
            match after.split_once('/') {
                _ if is_version(first) => path = after,
                Some((second, after)) if is_version(second) => {
                    path = after;
                    if at == "www.googleapis.com" {
                        owner = first;
                    }
                }
                Some(_) | None => {}
            }
        }
        let owner = if owner.contains('.') { owner.to_owned() } else { format!("{owner}.googleapis.com") };
        let word = owner.split('.').next().unwrap_or_default().to_owned();
        let path = path.trim_end_matches('/');
        return (path.contains('/')).then(|| of(&word, path, full(&owner, path), NameBasis::Carried));
    }
    let mut segments = text.split('/');
    let (first, second) = (segments.next()?, segments.next()?);
    if second.is_empty() || text.split('/').any(str::is_empty) {
        return None;
    }
    match first {
        "projects" | "folders" | "organizations" => {
            let collection = text.split('/').rev().nth(1).unwrap_or_default();
            let all: Vec<&str> = text.split('/').collect();
            if all.len() == 2 {
                let name = full("cloudresourcemanager.googleapis.com", text);
                return Some(of("cloudresourcemanager", text, name, NameBasis::Reviewed));
            }
            let owner =
                OWNERS.iter().find(|(of, _)| all.contains(of) && (*of == collection || all.len() > 4));
            Some(match owner {
                Some((_, owner)) => {
                    let name = full(&format!("{owner}.googleapis.com"), text);
                    of(owner, text, name, NameBasis::Reviewed)
                }
                None => of(host.split('.').next()?, text, full(host, text), NameBasis::Bound),
            })
        }
        "zones" | "regions" | "global" if service == "compute" => {
            let (kind, id) = holder?;
            let path = format!("{kind}/{id}/{text}");
            Some(of("compute", &path, full(host, &path), NameBasis::Reviewed))
        }
        _ => None,
    }
}

/// A bucket, or something in it, by the address that files have.
pub(super) fn file(text: &str) -> Option<Resource> {
    let rest = text.strip_prefix("gs://")?;
    let (bucket, object) = rest.split_once('/').unwrap_or((rest, ""));
    let path = match (bucket, object) {
        ("", _) => return None,
        (bucket, "") => format!("projects/_/buckets/{bucket}"),
        (bucket, object) => format!("projects/_/buckets/{bucket}/objects/{object}"),
    };
    let pattern = object.contains('*');
    let name = if pattern {
        format!("//storage.googleapis.com/projects/_/buckets/{bucket}/objects/*")
    } else {
        full("storage.googleapis.com", &path)
    };
    Some(Resource { pattern, ..of("storage", &path, name, NameBasis::Reviewed) })
}

fn full(host: &str, path: &str) -> String {
    format!("//{host}/{}", utf8_percent_encode(path, NAME))
}

fn of(service: &str, path: &str, name: String, basis: NameBasis) -> Resource {
    let collection = path.split('/').rev().nth(1).unwrap_or_default();
    Resource {
        role: Role::Uses,
        kind: Arc::from(format!("gcp:{service}/{collection}")),
        name,
        basis,
        pattern: false,
        identifiers: Vec::new(),
    }
}

/// The service accounts that a request makes something run as, or hands out the authority of.
pub(super) fn accounts(
    word: &str,
    holder: Option<(&str, &str)>,
    query: &[Pair<'_>],
    body: Option<&Fields>,
) -> Vec<Resource> {
    let mut known = BTreeSet::new();
    let mut found = Vec::new();
    let asked = query.iter().map(|pair| (pair.name.as_ref(), Scalar::Text(&pair.value)));
    for (path, value) in asked.chain(body.iter().flat_map(|body| body.iter())) {
        let Scalar::Text(text) = value else { continue };
        let folded = fold(path);
        let asked =
            folded.contains("serviceaccount") || folded.contains("runas") || word == "setServiceAccount";
        let address = text.rsplit('/').next().unwrap_or_default();
        let is_address =
            address.ends_with(".gserviceaccount.com") && address.contains('@') && !address.contains(':');
        let is_default = asked && text == "default";
        // Its number is as good as its address, and says nothing of the project that it is of.
        let is_number = (asked || text.contains("/serviceAccounts/"))
            && !address.is_empty()
            && address.bytes().all(|byte| byte.is_ascii_digit());
        if !is_address && !is_default && !is_number {
            continue;
        }
        let own = holder.filter(|(kind, _)| *kind == "projects").map(|(_, id)| id);
        let project = project_of(address).or(own).unwrap_or("-");
        let name = if is_number {
            "//iam.googleapis.com/projects/*/serviceAccounts/*".to_owned()
        } else if is_default {
            format!("//iam.googleapis.com/projects/{}/serviceAccounts/*", utf8_percent_encode(project, NAME))
        } else {
            full("iam.googleapis.com", &format!("projects/{project}/serviceAccounts/{address}"))
        };
        if known.insert(name.clone()) {
            found.push(Resource {
                role: Role::Target,
                kind: Arc::from("gcp:iam/serviceAccounts"),
                name,
                basis: NameBasis::Reviewed,
                pattern: is_default || is_number,
                identifiers: vec![Identifier {
                    name: Arc::from(if is_number { "uniqueId" } else { "email" }),
                    value: address.to_owned(),
                }],
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses() {
        for (text, expected) in [
            (
                "https://www.googleapis.com/compute/v1/projects/p/global/networks/n",
                "//compute.googleapis.com/projects/p/global/networks/n",
            ),
            (
                "https://compute.googleapis.com/compute/beta/projects/p/zones/z/disks/d",
                "//compute.googleapis.com/projects/p/zones/z/disks/d",
            ),
            (
                "//run.googleapis.com/projects/p/locations/l/services/s",
                "//run.googleapis.com/projects/p/locations/l/services/s",
            ),
            ("zones/z/machineTypes/e2", "//compute.googleapis.com/projects/shop/zones/z/machineTypes/e2"),
            ("projects/p/secrets/s", "//secretmanager.googleapis.com/projects/p/secrets/s"),
            (
                "projects/p/locations/l/keyRings/r/cryptoKeys/k",
                "//cloudkms.googleapis.com/projects/p/locations/l/keyRings/r/cryptoKeys/k",
            ),
            ("projects/p/things/t", "//compute.googleapis.com/projects/p/things/t"),
            ("projects/p", "//cloudresourcemanager.googleapis.com/projects/p"),
            ("gs://b/x/y", "//storage.googleapis.com/projects/_/buckets/b/objects/x/y"),
            ("gs://b/x*", "//storage.googleapis.com/projects/_/buckets/b/objects/*"),
        ] {
            let found = named("compute", "compute.googleapis.com", Some(("projects", "shop")), text);
            assert_eq!(found.map(|found| found.name).as_deref(), Some(expected), "{text}");
        }
        for other in [
            "hello",
            "a/b",
            "https://evil.example/projects/p",
            "projects/",
            "zones",
            "projects//x/y",
            "e2-micro",
        ] {
            assert!(named("compute", "compute.googleapis.com", None, other).is_none(), "{other}");
        }
    }
}
