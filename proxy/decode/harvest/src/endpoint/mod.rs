//! The host table: the vendor's endpoint rules over every service, partition, region and variant.
//!
//! Leaves out endpoints that depend on a resource in the request: the room reads what stands before a host.

mod functions;
mod legacy;
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::Result;
use serde_json::{Value, json};

use crate::model::{Model, Operation};
use crate::service::Facets;
use crate::source::Package;
use functions::Partitions;
use rules::{Outcome, Scope};

const VARIANTS: [(&str, bool, bool); 4] = [
    ("plain", false, false),
    ("fips", true, false),
    ("dualstack", false, true),
    ("fips-dualstack", true, true),
];

/// All hosts, as far as services have been added.
#[derive(Debug)]
pub(crate) struct Table {
    partitions: Partitions,
    legacy: legacy::Legacy,
    lines: Vec<String>,
}

/// A host and how requests to it are signed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Host {
    host: String,
    region: String,
    name: Option<String>,
}

/// Hosts by variant, partition and region.
type Grid = BTreeMap<(&'static str, String, String), Host>;

/// What operations of one service go to hosts of their own.
#[derive(Debug, Default)]
pub(crate) struct OwnHosts {
    facets: BTreeMap<String, String>,
}

impl Facets for OwnHosts {
    fn of(&self, operation: &Operation) -> Option<String> {
        self.facets.get(&key(operation)).cloned()
    }
}

impl Table {
    /// Begins a table with the vendor's partitions.
    pub(crate) fn new(package: &mut Package) -> Result<Self> {
        let partitions: Value = serde_json::from_slice(&package.read("botocore/data/partitions.json")?)?;
        let partitions = Partitions::parse(&partitions)?;
        let endpoints: Value = serde_json::from_slice(&package.read("botocore/data/endpoints.json")?)?;
        let legacy = legacy::Legacy::read(&endpoints)?;
        Ok(Self { partitions, legacy, lines: Vec::new() })
    }

    /// Adds a service's hosts.
    pub(crate) fn add(
        &mut self,
        package: &mut Package,
        name: &str,
        folder: &str,
        model: &Model,
    ) -> Result<OwnHosts> {
        let rule_set = package.read(&format!("{folder}/endpoint-rule-set-1.json.gz"))?;
        let rule_set: Value = serde_json::from_slice(&rule_set)?;
        let signing_name = model.signing_name();
        let usual = self.grid(&rule_set, signing_name, &Scope::new())?;
        self.rows("host", name, &usual);

        let mut known: BTreeSet<String> = usual.values().map(|host| host.host.clone()).collect();
        let account = self.with_account(&rule_set, signing_name)?;
        self.rows("also", name, &unknown(&account, &mut known));
        let legacy = self.legacy.hosts(&model.metadata.endpoint_prefix, &self.partitions);
        self.rows("also", name, &unknown(&legacy, &mut known));

        let mut own = OwnHosts::default();
        for operation in model.operations.values() {
            let key = key(operation);
            if operation.static_context_params.is_empty() || own.facets.contains_key(&key) {
                continue;
            }
            let given: Scope = operation
                .static_context_params
                .iter()
                .map(|(name, value)| (name.clone(), value.value.clone()))
                .collect();
            let grid = self.grid(&rule_set, signing_name, &given)?;
            if !grid.is_empty() && grid != usual {
                self.rows("host", &format!("{name}/{key}"), &grid);
                own.facets.insert(key.clone(), key);
            }
        }
        Ok(own)
    }

    /// The whole text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for partition in &self.partitions.all {
            let regions = partition.regions.join(" ");
            let (suffix, dualstack) = (partition.suffix(), partition.dualstack_suffix());
            // Writing to a text does not fail.
            let _ = writeln!(text, "partition {} {suffix} {dualstack} {regions}", partition.name);
        }
        for line in self.lines.iter().map(String::as_str).chain(legacy::WRITTEN.iter().copied()) {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    fn grid(&self, rule_set: &Value, signing_name: &str, given: &Scope) -> Result<Grid> {
        let mut grid = Grid::new();
        for partition in &self.partitions.all {
            for region in &partition.regions {
                for (variant, fips, dualstack) in VARIANTS {
                    let mut scope = given.clone();
                    scope.insert("Region".to_owned(), json!(region));
                    scope.insert("UseFIPS".to_owned(), json!(fips));
                    scope.insert("UseDualStack".to_owned(), json!(dualstack));
                    // The rules end in an error where a service does not publish a variant.
                    let Ok(Outcome::Endpoint { url, schemes }) =
                        rules::evaluate(rule_set, &self.partitions, &scope)
                    else {
                        continue;
                    };
                    let host = url.split_once("://").map_or(url.as_str(), |(_, host)| host);
                    let host = host.split('/').next().unwrap_or_default().to_owned();
                    let scheme = schemes.iter().find(|scheme| scheme.name == "sigv4");
                    let signing_region = scheme.and_then(|scheme| scheme.signing_region.clone());
                    let name = scheme
                        .and_then(|scheme| scheme.signing_name.clone())
                        .filter(|name| name != signing_name);
                    let host = Host { host, region: signing_region.unwrap_or_else(|| region.clone()), name };
                    grid.insert((variant, partition.name.clone(), region.clone()), host);
                }
            }
        }
        Ok(grid)
    }

    /// Hosts that begin with the account, without it.
    fn with_account(&self, rule_set: &Value, signing_name: &str) -> Result<Grid> {
        let account = "000000000000";
        if rule_set.pointer("/parameters/AccountId").is_none() {
            return Ok(Grid::new());
        }
        let given = Scope::from([
            ("AccountId".to_owned(), json!(account)),
            ("AccountIdEndpointMode".to_owned(), json!("preferred")),
        ]);
        let mut grid = self.grid(rule_set, signing_name, &given)?;
        grid.retain(|_, host| {
            match host.host.strip_prefix(account).and_then(|rest| rest.strip_prefix('.')) {
                Some(rest) => {
                    host.host = rest.to_owned();
                    true
                }
                None => false,
            }
        });
        Ok(grid)
    }

    /// Regions with one template and one way of signing share a line.
    fn rows(&mut self, word: &str, service: &str, grid: &Grid) {
        let mut rows: BTreeMap<(usize, String, String), BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
        for ((variant, partition, region), host) in grid {
            let order = VARIANTS.iter().position(|known| known.0 == *variant).unwrap_or_default();
            let template = self.template(variant, partition, region, &host.host);
            let signing = if host.region == *region { "-" } else { host.region.as_str() };
            let signing = match &host.name {
                Some(name) => format!("{signing}/{name}"),
                None => signing.to_owned(),
            };
            let places = rows.entry((order, template, signing)).or_default();
            places.entry(partition).or_default().insert(region);
        }
        for ((order, template, signing), places) in rows {
            let variant = VARIANTS.get(order).map_or("plain", |known| known.0);
            let mut line = format!("{word} {service} {variant} {template} {signing}");
            for (partition, regions) in places {
                let all = self.partitions.all.iter().find(|known| known.name == partition);
                let whole = all.is_some_and(|known| known.regions.len() == regions.len());
                let regions = regions.into_iter().collect::<Vec<_>>().join(",");
                line.push(' ');
                line.push_str(partition);
                if !whole {
                    line.push('/');
                    line.push_str(&regions);
                }
            }
            self.lines.push(line);
        }
    }

    fn template(&self, variant: &str, partition: &str, region: &str, host: &str) -> String {
        let partition = self.partitions.all.iter().find(|known| known.name == partition);
        let suffix = partition.map_or("", |known| {
            if variant.ends_with("dualstack") { known.dualstack_suffix() } else { known.suffix() }
        });
        let host = match host.strip_suffix(suffix).and_then(|before| before.strip_suffix('.')) {
            Some(before) if !suffix.is_empty() => format!("{before}.{{suffix}}"),
            _ => host.to_owned(),
        };
        replace_region(&host, region)
    }
}

/// The region where it is a label of its own, or one behind a dash.
fn replace_region(host: &str, region: &str) -> String {
    for (at, _) in host.match_indices(region) {
        let (Some(before), Some(after)) = (host.get(..at), host.get(at + region.len()..)) else { continue };
        let begins = before.is_empty() || before.ends_with('.') || before.ends_with('-');
        let ends = after.is_empty() || after.starts_with('.');
        if begins && ends {
            return format!("{before}{{region}}{after}");
        }
    }
    host.to_owned()
}

/// The hosts not met before.
fn unknown(grid: &Grid, known: &mut BTreeSet<String>) -> Grid {
    let new: Grid = grid
        .iter()
        .filter(|(_, host)| !known.contains(&host.host))
        .map(|(place, host)| (place.clone(), host.clone()))
        .collect();
    known.extend(new.values().map(|host| host.host.clone()));
    new
}

/// The static parameters of an operation, as one word.
fn key(operation: &Operation) -> String {
    operation
        .static_context_params
        .iter()
        .map(|(name, value)| match value.value.as_str() {
            Some(text) => format!("{name}={text}"),
            None => format!("{name}={}", value.value),
        })
        .collect::<Vec<_>>()
        .join("+")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_a_label_or_the_end_of_one() {
        assert_eq!(replace_region("ec2.us-east-1.{suffix}", "us-east-1"), "ec2.{region}.{suffix}");
        assert_eq!(replace_region("s3-us-east-1.{suffix}", "us-east-1"), "s3-{region}.{suffix}");
        assert_eq!(replace_region("us-east-1a.x", "us-east-1"), "us-east-1a.x");
    }
}
