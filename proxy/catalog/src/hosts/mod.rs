//! Which hosts serve which service, where, and under which name requests to them are signed.
//!
//! Leaves out what stands before a table host (buckets, account ids, endpoint names): the room reads that.

mod text;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::operation::Operation;

/// One of the forms in which a provider publishes an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Variant {
    /// The usual one.
    Plain,
    /// With validated cryptography.
    Fips,
    /// Over IPv4 and IPv6.
    Dualstack,
    /// Both.
    FipsDualstack,
}

impl Variant {
    /// All variants.
    pub const ALL: [Self; 4] = [Self::Plain, Self::Fips, Self::Dualstack, Self::FipsDualstack];

    /// The word used in the catalogue's text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Fips => "fips",
            Self::Dualstack => "dualstack",
            Self::FipsDualstack => "fips-dualstack",
        }
    }

    /// Reads the word written by [`Variant::as_str`]; `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|variant| variant.as_str() == word)
    }
}

/// A set of regions that share names and accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Its name, for example `aws-us-gov`.
    pub name: Arc<str>,
    /// What its usual hosts end in, for example `amazonaws.com`.
    pub suffix: Box<str>,
    /// What its dualstack hosts end in, for example `api.aws`.
    pub dualstack_suffix: Box<str>,
    /// Every region in it: the closed set that region labels match. Includes `aws-global` and its like.
    pub regions: BTreeSet<Arc<str>>,
}

/// Where a request is to be sent, and how it is signed for there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The host, without a host prefix.
    pub host: String,
    /// The region in the credential scope.
    pub signing_region: Arc<str>,
    /// The name in the credential scope, where it is not the service's own.
    pub signing_name: Option<Arc<str>>,
}

/// What a host says about a request sent to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostClaim<'h> {
    /// The services that the host serves, by the names botocore uses.
    pub services: Vec<Arc<str>>,
    /// The partition.
    pub partition: Arc<str>,
    /// The region in the host; `None` where it serves many.
    pub region: Option<Arc<str>>,
    /// The region that requests to it are signed for.
    pub signing_region: Arc<str>,
    /// The variant.
    pub variant: Variant,
    /// The labels before the table's host, without the dot: a bucket, an account id, a host prefix; or nothing.
    pub prefix: &'h str,
    /// The host is a private endpoint of a VPC.
    pub private: bool,
}

/// The table of hosts.
#[derive(Debug, Default)]
pub struct Hosts {
    partitions: Vec<Partition>,
    region_partition: HashMap<Arc<str>, usize>,
    rows: Vec<Row>,
    by_pattern: HashMap<Box<str>, Vec<usize>>,
    by_service: HashMap<Arc<str>, Vec<usize>>,
}

/// One line: a host template and the regions it is for.
#[derive(Debug)]
struct Row {
    service: Arc<str>,
    variant: Variant,
    template: Box<str>,
    signing_region: Option<Arc<str>>,
    signing_name: Option<Arc<str>>,
    /// By partition: every region of it, or these.
    places: BTreeMap<usize, Option<BTreeSet<Arc<str>>>>,
    /// Requests are never sent there, but may name it.
    also: bool,
}

impl Row {
    fn serves(&self, partition: usize, region: &str) -> bool {
        match self.places.get(&partition) {
            Some(Some(regions)) => regions.contains(region),
            Some(None) => true,
            None => false,
        }
    }
}

impl Hosts {
    /// All partitions.
    #[must_use]
    pub fn partitions(&self) -> &[Partition] {
        &self.partitions
    }

    /// The partition of a region, when the region is in the closed set.
    #[must_use]
    pub fn partition_of(&self, region: &str) -> Option<&Partition> {
        self.partitions.get(*self.region_partition.get(region)?)
    }

    /// Where requests to a service in a region go. `None` for a region outside the closed set, and where the vendor
    /// publishes no such variant.
    #[must_use]
    pub fn upstream(&self, service: &str, region: &str, variant: Variant) -> Option<Destination> {
        self.destination(self.by_service.get(service)?, region, variant)
    }

    /// Where requests for an operation in a region go: its own hosts where it has some, else the service's.
    #[must_use]
    pub fn upstream_of(&self, operation: &Operation, region: &str, variant: Variant) -> Option<Destination> {
        match &operation.endpoint {
            Some(own) => {
                let rows = self.by_service.get(format!("{}/{own}", operation.service).as_str())?;
                self.destination(rows, region, variant)
            }
            None => self.upstream(&operation.service, region, variant),
        }
    }

    fn destination(&self, rows: &[usize], region: &str, variant: Variant) -> Option<Destination> {
        let (region, at) = self.region_partition.get_key_value(region)?;
        let partition = self.partitions.get(*at)?;
        let row = rows
            .iter()
            .filter_map(|row| self.rows.get(*row))
            .find(|row| !row.also && row.variant == variant && row.serves(*at, region))?;
        Some(Destination {
            host: row.template.replace("{region}", region).replace("{suffix}", suffix(partition, variant)),
            signing_region: row.signing_region.clone().unwrap_or_else(|| region.clone()),
            signing_name: row.signing_name.clone(),
        })
    }

    /// What a host says, by its longest ending in the table. The host is in lower case and without a port.
    ///
    /// `None` for every host that is not the vendor's, and for regions outside the closed set.
    #[must_use]
    pub fn lookup<'h>(&self, host: &'h str) -> Option<HostClaim<'h>> {
        if let Some((endpoint, claim)) = self.private(host) {
            return Some(HostClaim { prefix: endpoint, private: true, ..claim });
        }
        let mut rest = host;
        loop {
            if let Some(claim) = self.exact(rest) {
                let prefix = host.strip_suffix(rest)?;
                return Some(HostClaim { prefix: prefix.strip_suffix('.').unwrap_or(prefix), ..claim });
            }
            rest = rest.split_once('.')?.1;
        }
    }

    /// `vpce-0123-abcd[-zone].service.region.vpce.amazonaws.com`, with the labels before the service's own.
    fn private<'h>(&self, host: &'h str) -> Option<(&'h str, HostClaim<'h>)> {
        let partition = self.partitions.iter().find(|partition| {
            host.strip_suffix(&*partition.suffix).is_some_and(|rest| rest.ends_with(".vpce."))
        })?;
        let public = host.strip_suffix(&format!(".vpce.{}", partition.suffix))?;
        let at = public.find("vpce-")?;
        let (before, named) = public.split_at_checked(at)?;
        if !before.is_empty() && !before.ends_with('.') {
            return None;
        }
        let (endpoint, service) = named.split_once('.')?;
        let claim = self.exact(&format!("{service}.{}", partition.suffix))?;
        let owned = HostClaim { prefix: "", ..claim };
        let prefix = host.get(..at + endpoint.len())?;
        Some((prefix, owned.detached()))
    }

    fn exact(&self, host: &str) -> Option<HostClaim<'static>> {
        self.regional(host).or_else(|| self.global(host))
    }

    /// A host with a region in it, as a label of its own or behind a dash.
    fn regional(&self, host: &str) -> Option<HostClaim<'static>> {
        let mut starts = vec![0];
        starts.extend(host.match_indices(['.', '-']).map(|(at, _)| at + 1));
        for start in starts {
            let after = host.get(start..)?;
            let label = after.split('.').next().unwrap_or_default();
            let Some((region, at)) = self.region_partition.get_key_value(label) else { continue };
            let partition = self.partitions.get(*at)?;
            let before = host.get(..start)?;
            let behind = after.strip_prefix(label)?;
            let pattern = format!("{before}{{region}}{behind}");
            if let Some(claim) = self.claimed(&pattern, partition, *at, Some(region)) {
                return Some(claim);
            }
        }
        None
    }

    fn global(&self, host: &str) -> Option<HostClaim<'static>> {
        self.partitions.iter().enumerate().find_map(|(at, partition)| self.claimed(host, partition, at, None))
    }

    fn claimed(
        &self,
        pattern: &str,
        partition: &Partition,
        at: usize,
        region: Option<&Arc<str>>,
    ) -> Option<HostClaim<'static>> {
        let mut services: Vec<Arc<str>> = Vec::new();
        let mut first: Option<&Row> = None;
        for ending in [&partition.suffix, &partition.dualstack_suffix] {
            let general = pattern.strip_suffix(&**ending).map(|before| format!("{before}{{suffix}}"));
            for key in [Some(pattern.to_owned()), general].into_iter().flatten() {
                for row in self.by_pattern.get(key.as_str()).into_iter().flatten() {
                    let Some(row) = self.rows.get(*row) else { continue };
                    let ends =
                        !row.template.contains("{suffix}") || suffix(partition, row.variant) == &**ending;
                    let here = region.map_or(row.places.contains_key(&at), |region| row.serves(at, region));
                    if ends && here && !services.contains(&row.service) {
                        services.push(row.service.clone());
                        first = first.or(Some(row));
                    }
                }
            }
        }
        let row = first?;
        services.sort();
        let signing_region = match (&row.signing_region, region) {
            (Some(signing), _) => signing.clone(),
            (None, Some(region)) => region.clone(),
            // A host without a region, for every region of its partition: signed for the partition's own default.
            (None, None) => {
                let named = row.places.get(&at)?.as_ref().and_then(BTreeSet::first);
                named
                    .or_else(|| partition.regions.get("us-east-1"))
                    .or_else(|| partition.regions.first())?
                    .clone()
            }
        };
        Some(HostClaim {
            services,
            partition: partition.name.clone(),
            region: region.cloned(),
            signing_region,
            variant: row.variant,
            prefix: "",
            private: false,
        })
    }
}

impl HostClaim<'_> {
    fn detached(self) -> HostClaim<'static> {
        HostClaim { prefix: "", ..self }
    }
}

fn suffix(partition: &Partition, variant: Variant) -> &str {
    match variant {
        Variant::Plain | Variant::Fips => &partition.suffix,
        Variant::Dualstack | Variant::FipsDualstack => &partition.dualstack_suffix,
    }
}
