//! Which of Google's hosts a request is for.
//!
//! Leaves out paths. A host is one of those that the catalogue names, and nothing else is built from what a caller sends.

use ordain_action::Undecodable;
use ordain_catalog::{GoogleSite, google};

use crate::form::fields::clip;
use crate::{Head, WayIn};

/// What all of Google's hosts end in.
const DOMAIN: &str = ".googleapis.com";

/// The host that a request is for, and what it serves.
#[derive(Debug, Clone)]
pub(super) struct Host {
    /// Its name, in lower case.
    pub(super) name: String,
    /// What it serves; never empty.
    pub(super) sites: Vec<&'static GoogleSite>,
}

impl Host {
    /// By the host itself where it is Google's, and by what stands before ours where the gate is asked under its own name:
    /// `compute.googleapis.com.gate.internal`.
    ///
    /// # Errors
    /// It is none that the catalogue names.
    pub(super) fn of(head: &Head<'_>) -> Result<Self, Undecodable> {
        let host = head.host().to_ascii_lowercase();
        let name = match head.way_in {
            WayIn::Egress => host.as_str(),
            WayIn::Reverse => {
                let end = host.find(&format!("{DOMAIN}.")).map(|at| at + DOMAIN.len());
                end.and_then(|end| host.get(..end)).ok_or_else(|| {
                    Undecodable::new(
                        "unknown_service",
                        "the request does not say which of Google's services it is for; put the service's host before \
                         the gate's own, as in `compute.googleapis.com.gate.internal`",
                    )
                })?
            }
        };
        let sites = google().sites(name);
        if sites.is_empty() {
            return Err(Undecodable::new(
                "unknown_host",
                format!(
                    "`{}` is no host of an API of Google's that is known here; use the API's own host",
                    clip(name)
                ),
            ));
        }
        Ok(Self { name: name.to_owned(), sites })
    }

    /// The place that the host is in, where it is one of a place.
    pub(super) fn place(&self) -> Option<&str> {
        let label = self.name.strip_suffix(DOMAIN)?;
        if let Some(label) = label.strip_suffix(".rep") {
            return label.rsplit_once('.').map(|(_, place)| place);
        }
        let own = self.sites.first()?.host().strip_suffix(DOMAIN)?;
        label.strip_suffix(own)?.strip_suffix('-')
    }

    /// The word that a request is known by where nothing narrower is: the first label of the host.
    pub(super) fn word(&self) -> &str {
        let own = self.sites.first().map_or(self.name.as_str(), |site| site.host());
        own.split('.').next().unwrap_or_default()
    }
}
