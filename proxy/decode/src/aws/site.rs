//! Where a request goes, as far as its host and its credential scope say.
//!
//! Region and host match closed sets: a name that is not the provider's builds nothing. Leaves out which operation
//! is meant, and S3's buckets in hosts (`bucket.rs`).

use std::sync::Arc;

use ordain_action::Undecodable;
use ordain_catalog::Hosts;

use super::Room;
use super::marker::Markers;
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
    /// The labels before the provider's host, or before our own.
    pub(super) prefix: String,
    /// The provider's host without them; empty where the host is ours.
    pub(super) table_host: String,
    /// The host as received, in lower case, where it is the provider's.
    pub(super) host: Option<String>,
}

impl Site {
    pub(super) fn read(room: &Room, head: &Head<'_>, markers: &Markers<'_>) -> Result<Self, Undecodable> {
        let host = head.host().to_ascii_lowercase();
        match head.way_in {
            WayIn::Egress => Self::of_provider(room.catalog.hosts(), host, markers),
            WayIn::Reverse => {
                let region = if markers.region.is_empty() {
                    Arc::from("")
                } else {
                    known_region(room.catalog.hosts(), &markers.region)?
                };
                Ok(Self {
                    services: None,
                    signing_region: Arc::clone(&region),
                    region,
                    prefix: room.own_prefix(&host).to_owned(),
                    table_host: String::new(),
                    host: None,
                })
            }
        }
    }

    fn of_provider(hosts: &Hosts, host: String, markers: &Markers<'_>) -> Result<Self, Undecodable> {
        let claim = hosts.lookup(&host).ok_or_else(|| unknown_host(&host))?;
        let signed = markers.region.as_ref();
        if !signed.is_empty() {
            known_region(hosts, signed)?;
            // A host of one region takes no signature for another; one without a region takes what it is told.
            let elsewhere = claim.region.as_ref().is_some_and(|region| &**region != signed);
            if elsewhere && &*claim.signing_region != signed {
                return Err(Undecodable::new(
                    "region_mismatch",
                    format!(
                        "host `{}` does not belong to region `{signed}`; sign for the host's region",
                        clip(&host)
                    ),
                ));
            }
        }
        let signing_region =
            if signed.is_empty() { Arc::clone(&claim.signing_region) } else { known_region(hosts, signed)? };
        let region = claim.region.clone().unwrap_or_else(|| Arc::clone(&signing_region));
        let table_host = if claim.private {
            host.strip_prefix(claim.prefix).unwrap_or(&host).trim_start_matches('.').to_owned()
        } else if claim.prefix.is_empty() {
            host.clone()
        } else {
            host.strip_prefix(claim.prefix).unwrap_or(&host).trim_start_matches('.').to_owned()
        };
        Ok(Self {
            services: Some(claim.services),
            region,
            signing_region,
            prefix: claim.prefix.to_owned(),
            table_host,
            host: Some(host),
        })
    }
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

fn unknown_host(host: &str) -> Undecodable {
    Undecodable::new(
        "unknown_host",
        format!(
            "host `{}` is not one of the provider's in the catalogue; use a regional endpoint",
            clip(host)
        ),
    )
}

/// Whether a host ends as the provider's hosts do, and must therefore be in the table.
pub(crate) fn is_provider_host(host: &str) -> bool {
    const ENDINGS: [&str; 16] = [
        "amazonaws.com",
        "amazonaws.com.cn",
        "amazonaws.eu",
        "api.aws",
        "on.aws",
        "signin.aws",
        "api.amazonwebservices.com.cn",
        "on.amazonwebservices.com.cn",
        "api.amazonwebservices.eu",
        "c2s.ic.gov",
        "sc2s.sgov.gov",
        "cloud.adc-e.uk",
        "csp.hci.ic.gov",
        "aws.ic.gov",
        "aws.scloud",
        "awsapps.com",
    ];
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host.ends_with(".aws")
        || ENDINGS.iter().any(|ending| {
            host.strip_suffix(ending).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        })
}
