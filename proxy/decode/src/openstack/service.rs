//! Which service a path belongs to: by the service type before its version, or by the version and what follows it.
//!
//! Leaves out what a path asks for (`route.rs`).

use std::fmt;

/// A service, by its type in the service types authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Service {
    /// Keystone.
    Identity,
    /// Nova.
    Compute,
    /// Neutron.
    Network,
    /// Cinder.
    BlockStorage,
    /// Glance.
    Image,
    /// Ironic.
    Baremetal,
}

impl Service {
    /// All of them.
    pub(super) const ALL: [Self; 6] =
        [Self::Identity, Self::Compute, Self::Network, Self::BlockStorage, Self::Image, Self::Baremetal];

    /// Its type, which begins the names of what it has.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Compute => "compute",
            Self::Network => "network",
            Self::BlockStorage => "block-storage",
            Self::Image => "image",
            Self::Baremetal => "baremetal",
        }
    }

    /// What may stand before its version: its type, and the aliases that deployments use.
    const fn prefixes(self) -> &'static [&'static str] {
        match self {
            Self::Identity => &["identity"],
            Self::Compute => &["compute"],
            Self::Network => &["network", "networking"],
            Self::BlockStorage => &["block-storage", "volume", "volumev3"],
            Self::Image => &["image"],
            Self::Baremetal => &["baremetal"],
        }
    }

    /// The versions that are read, as a path has them.
    const fn versions(self) -> &'static [&'static str] {
        match self {
            Self::Identity | Self::BlockStorage => &["v3"],
            Self::Compute => &["v2.1"],
            Self::Network => &["v2.0"],
            Self::Image => &["v2"],
            Self::Baremetal => &["v1"],
        }
    }

    /// What stands in the way of a version in its path: Nova and Cinder take the project there, where it is one.
    const fn has_project(self) -> bool {
        matches!(self, Self::Compute | Self::BlockStorage)
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A path below the version of a service that it may belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place<'p> {
    pub service: Service,
    /// The project that stands before the rest.
    pub project: Option<&'p str>,
    pub rest: &'p [&'p str],
}

/// Where a path may belong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Places<'p> {
    /// A document on which versions there are.
    Versions(Option<Service>),
    /// One of these, the first being as good as the next. What follows has to say.
    Below(Vec<Place<'p>>),
}

/// Every place where a path may belong.
pub(super) fn places<'p>(path: &'p [&'p str]) -> Places<'p> {
    let Some((first, after)) = path.split_first() else { return Places::Versions(None) };
    let named = Service::ALL.into_iter().find(|service| service.prefixes().contains(first));
    let (version, rest) = match (named, after.split_first()) {
        (Some(service), None) => return Places::Versions(Some(service)),
        (Some(_), Some((version, rest))) => (version, rest),
        (None, _) => (first, after),
    };
    let speaks = |service: &Service| service.versions().contains(version);
    let may: Vec<Service> = match named {
        Some(service) => Some(service).into_iter().filter(speaks).collect(),
        None => Service::ALL.into_iter().filter(speaks).collect(),
    };
    if rest.is_empty() && !may.is_empty() {
        return Places::Versions(named.or_else(|| may.first().copied().filter(|_| may.len() == 1)));
    }
    let mut below = Vec::new();
    for service in may {
        let project = rest.split_first().filter(|(first, _)| service.has_project() && is_project(first));
        match project {
            Some((project, rest)) => below.push(Place { service, project: Some(*project), rest }),
            None => below.push(Place { service, project: None, rest }),
        }
    }
    Places::Below(below)
}

/// Whether a segment is the id of a project: Nova and Cinder ask for hexadecimal digits and dashes there, which no
/// resource of theirs is called.
fn is_project(segment: &str) -> bool {
    matches!(segment.len(), 32 | 36)
        && segment.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: &str) {
        let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let shown = match places(&path) {
            Places::Versions(service) => format!("versions {service:?}"),
            Places::Below(below) => below
                .iter()
                .map(|place| format!("{} {:?} {}", place.service, place.project, place.rest.join("/")))
                .collect::<Vec<_>>()
                .join(", "),
        };
        assert_eq!(shown, expected, "{path:?}");
    }

    #[test]
    fn a_service_is_named_or_its_version_says_which_it_may_be() {
        const PROJECT: &str = "0123456789abcdef0123456789abcdef";
        check("/", "versions None");
        check("/identity", "versions Some(Identity)");
        check("/v2.1", "versions Some(Compute)");
        check("/v3", "versions None");
        check("/identity/v3/users", "identity None users");
        check("/v3/users", "identity None users, block-storage None users");
        check(&format!("/volume/v3/{PROJECT}/volumes"), &format!("block-storage Some({PROJECT:?}) volumes"));
        check(&format!("/v2.1/{PROJECT}/servers"), &format!("compute Some({PROJECT:?}) servers"));
        check("/networking/v2.0/networks", "network None networks");
        check("/compute/v3/servers", "");
        check("/v2.1/DEADBEEF/servers", "compute None DEADBEEF/servers");
        check("/identity/compute/v2.1/servers", "");
    }
}
