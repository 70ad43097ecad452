//! Where a request goes, as far as its host and its credential scope say.
//!
//! Region and host match closed sets: a name that is not the provider's builds nothing. Leaves out which operation
//! is meant, and S3's buckets in hosts (`bucket.rs`).

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use ordain_action::Undecodable;
use ordain_catalog::{HostClaim, Hosts, Service};

use super::Room;
use super::marker::{Markers, is_label};
use crate::form::fields::clip;
use crate::{Head, WayIn};

/// What host and scope say.
#[derive(Debug, Clone)]
pub(super) struct Site {
    /// The services the host serves; `None` where the host is ours and says nothing.
    pub(super) services: Option<Vec<Arc<str>>>,
    /// The region; empty where neither host nor scope names one.
    pub(super) region: Arc<str>,
    /// The region that the request is signed for.
    pub(super) signing_region: Arc<str>,
    /// The signing name of the credential scope; empty where there is none.
    pub(super) signing_name: String,
    /// The labels before the provider's host, or before our own.
    pub(super) prefix: String,
    /// The provider's host without them; empty where the host is ours.
    pub(super) table_host: String,
    /// The host as received, in lower case, where it is the provider's.
    pub(super) host: Option<String>,
    /// The host is a private endpoint of a VPC.
    pub(super) is_private: bool,
}

impl Site {
    pub(super) fn read(room: &Room, head: &Head<'_>, markers: &Markers<'_>) -> Result<Self, Undecodable> {
        let host = head.host().to_ascii_lowercase();
        match head.way_in {
            WayIn::Egress => Self::of_provider(room, host, markers),
            WayIn::Reverse => {
                let region = if markers.region.is_empty() {
                    Arc::from("")
                } else {
                    known_region(room.catalog.hosts(), &markers.region)?
                };
                let prefix = room.own_prefix(&host);
                if !prefix.is_empty() && !has_plain_labels(prefix) {
                    return Err(unknown_host(&host));
                }
                Ok(Self {
                    services: None,
                    signing_region: Arc::clone(&region),
                    signing_name: markers.signing_name.to_string(),
                    region,
                    prefix: prefix.to_owned(),
                    table_host: String::new(),
                    host: None,
                    is_private: false,
                })
            }
        }
    }

    fn of_provider(room: &Room, host: String, markers: &Markers<'_>) -> Result<Self, Undecodable> {
        let hosts = room.catalog.hosts();
        let signed = markers.region.as_ref();
        let found = find(room, &host, &markers.signing_name)?;
        let Found { claim, prefix, table_host } = &*found;
        // What stands before the provider's host is sent on as it is, and not every resolver takes the same for one.
        if !has_plain_labels(&host) {
            return Err(unknown_host(&host));
        }
        let signing_region =
            if signed.is_empty() { Arc::clone(&claim.signing_region) } else { known_region(hosts, signed)? };
        let elsewhere =
            hosts.partition_of(&signing_region).is_none_or(|partition| partition.name != claim.partition);
        if elsewhere {
            return Err(Undecodable::new(
                "region_mismatch",
                format!(
                    "host `{}` is not in the partition of region `{signed}`; sign for the host's region",
                    clip(&host)
                ),
            ));
        }
        // What the request does, it does where its host is; a signature for elsewhere is the upstream's to refuse.
        let region = claim.region.clone().unwrap_or_else(|| Arc::clone(&signing_region));
        Ok(Self {
            services: Some(claim.services.clone()),
            region,
            signing_region,
            signing_name: markers.signing_name.to_string(),
            prefix: prefix.clone(),
            table_host: table_host.clone(),
            host: Some(host),
            is_private: claim.private,
        })
    }
}

/// A host cut in two: what stands before, and what the table has.
#[derive(Debug)]
struct Found {
    claim: HostClaim<'static>,
    prefix: String,
    table_host: String,
}

fn find(room: &Room, host: &str, signing_name: &str) -> Result<Arc<Found>, Undecodable> {
    if let Some(known) = room.hosts_seen.get(host, signing_name) {
        return Ok(known);
    }
    let found = Arc::new(look_up(room, host, signing_name)?);
    room.hosts_seen.keep(host, signing_name, &found);
    Ok(found)
}

/// Hosts found before: a client asks for few of them, many times.
#[derive(Debug, Default)]
pub(super) struct HostsSeen(RwLock<HashMap<(String, String), Arc<Found>>>);

impl HostsSeen {
    /// Beyond that many all are forgotten: bucket names are the caller's to make up.
    const MAX: usize = 1_024;

    fn get(&self, host: &str, signing_name: &str) -> Option<Arc<Found>> {
        let key = (host.to_owned(), signing_name.to_owned());
        self.0.read().ok()?.get(&key).cloned()
    }

    fn keep(&self, host: &str, signing_name: &str, found: &Arc<Found>) {
        if let Ok(mut seen) = self.0.write() {
            if seen.len() >= Self::MAX {
                seen.clear();
            }
            seen.insert((host.to_owned(), signing_name.to_owned()), Arc::clone(found));
        }
    }
}

fn look_up(room: &Room, host: &str, signing_name: &str) -> Result<Found, Undecodable> {
    let cut = |claim: HostClaim<'_>| {
        let rest = host.strip_prefix(claim.prefix).unwrap_or(host).trim_start_matches('.');
        Found {
            prefix: claim.prefix.to_owned(),
            table_host: rest.to_owned(),
            claim: HostClaim { prefix: "", ..claim },
        }
    };
    let direct = room.catalog.hosts().lookup(host);
    let agrees = direct.as_ref().is_some_and(|claim| {
        signing_name.is_empty() || room.signed_as(signing_name).any(|name| claim.services.contains(name))
    });
    let direct = direct.filter(may_be_named);
    match direct {
        Some(claim) if agrees => Ok(cut(claim)),
        // Some operations put words before the host that make it look like another one, or join it with a dash.
        direct => match prefixed(room, host, signing_name) {
            Some(found) => Ok(found),
            None => direct.map(cut).ok_or_else(|| unknown_host(host)),
        },
    }
}

/// Services whose hosts have a name before them that no operation asks for, and that is no customer's: the provider
/// hands it out to an account, and who is meant is told by the credential.
const HANDED_OUT: [&str; 7] = [
    "iot-jobs-data",
    "kinesis-video-archived-media",
    "kinesis-video-media",
    "kinesis-video-signaling",
    "kinesis-video-webrtc-storage",
    "kinesisvideo",
    "mediaconvert",
];

/// Whether what stands before a host may stand there. Below the hosts of some services customers have hosts of their
/// own (an API behind `execute-api`, a broker, a gateway): what is sent there is not done in the account that is judged.
fn may_be_named(claim: &HostClaim<'_>) -> bool {
    // A bucket is judged by its name, wherever it stands; a private endpoint is the service itself.
    claim.prefix.is_empty()
        || claim.private
        || claim
            .services
            .iter()
            .any(|name| matches!(&**name, "s3" | "s3control" | "s3outposts") || HANDED_OUT.contains(&&**name))
}

/// A host behind the host prefix of an operation, such as `control-storage-omics.…` or `routes.geo.…`.
fn prefixed(room: &Room, host: &str, signing_name: &str) -> Option<Found> {
    host.match_indices(['.', '-']).take(12).find_map(|(at, _)| {
        let (before, rest) = host.split_at_checked(at + 1)?;
        let claim = room.catalog.hosts().lookup(rest).filter(|claim| claim.prefix.is_empty())?;
        let asked_for = claim.services.iter().any(|name| {
            let signed = signing_name.is_empty() || room.signed_as(signing_name).any(|known| known == name);
            signed && room.catalog.service(name).is_some_and(|service| has_prefix(service, before))
        });
        asked_for.then(|| Found {
            prefix: before.trim_end_matches('.').to_owned(),
            table_host: rest.to_owned(),
            claim: HostClaim { prefix: "", ..claim },
        })
    })
}

/// What the vendor's endpoint rules, and no operation, put before some hosts: an account and a dash.
const RULED: [(&str, &str); 5] = [
    ("dynamodb", "{AccountId}."),
    ("dynamodb", "{AccountId}.search-"),
    ("dynamodb", "{AccountId}.streams-"),
    ("kinesis", "{AccountId}.control-"),
    ("kinesis", "{AccountId}.data-"),
];

/// Whether the service is asked for by that text before its host; labels stand for one word each.
fn has_prefix(service: &Service, before: &str) -> bool {
    let by_operations = service.operations().iter().filter_map(|operation| operation.host_prefix.as_deref());
    let by_rules = RULED.iter().filter(|(name, _)| *name == &**service.name()).map(|(_, template)| *template);
    by_operations.chain(by_rules).any(|template| match template.split_once('{') {
        None => template == before,
        Some((start, rest)) => rest.split_once('}').is_some_and(|(_, end)| {
            before
                .strip_prefix(start)
                .and_then(|inner| inner.strip_suffix(end))
                .is_some_and(|word| !word.is_empty() && is_label(word))
        }),
    })
}

fn known_region(hosts: &Hosts, region: &str) -> Result<Arc<str>, Undecodable> {
    let partition = hosts.partition_of(region).and_then(|partition| partition.regions.get(region));
    partition.cloned().ok_or_else(|| {
        Undecodable::new(
            "unknown_region",
            format!("region `{}` is not in the catalogue; name a region of the provider", clip(region)),
        )
    })
}

fn has_plain_labels(host: &str) -> bool {
    host.split('.').all(|label| !label.is_empty() && is_label(label))
}

fn unknown_host(host: &str) -> Undecodable {
    Undecodable::new(
        "unknown_host",
        format!(
            "host `{}` is not one of the provider's in the catalogue; use a regional endpoint",
            clip(host)
        ),
    )
}

/// What the provider's hosts end in. The whole of `.aws` is the provider's.
pub(crate) const ENDINGS: [&str; 14] = [
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "api.amazonwebservices.com.cn",
    "api.amazonwebservices.eu",
    "aws",
    "aws.ic.gov",
    "aws.scloud",
    "awsapps.com",
    "c2s.ic.gov",
    "cloud.adc-e.uk",
    "csp.hci.ic.gov",
    "on.amazonwebservices.com.cn",
    "sc2s.sgov.gov",
];
