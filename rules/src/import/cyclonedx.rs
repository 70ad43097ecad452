//! The services that a bill of materials of CycloneDX declares, to an `Inventory` document: what is called, where, and
//! which needs which.
//!
//! Leaves out components, which are parts of a program and on no control plane, and of services everything but their
//! names, the hosts of their endpoints, and who provides them: no property and no data comes along.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;

use super::inventory::{Draft, Relation, Thing};
use super::{ImportError, Imported};
use crate::inventory::EdgeKind;
use crate::model::Source;

/// What an import is told beside the bill.
#[derive(Debug, Clone, Copy, Default)]
pub struct CycloneDx<'t> {
    /// A name for what is imported, for example `shop`; by default the first file's path.
    pub name: Option<&'t str>,
    /// When it was so, where no bill says it.
    pub as_of: Option<Timestamp>,
}

const GIVE: &str = "give a bill of materials of CycloneDX in JSON";

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Bill {
    bom_format: String,
    serial_number: String,
    version: Option<u64>,
    metadata: Metadata,
    services: Vec<Service>,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    timestamp: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Service {
    #[serde(rename = "bom-ref")]
    reference: String,
    provider: Provider,
    group: String,
    name: String,
    endpoints: Vec<String>,
    services: Vec<Self>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Provider {
    name: String,
}

/// What something needs to work; what it `provides` is no such thing, and not read.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Dependency {
    #[serde(rename = "ref")]
    of: String,
    depends_on: Vec<String>,
}

/// A service, its name with its group, and the file that declares it.
#[derive(Debug)]
struct Declared {
    thing: Thing,
    full: String,
    path: String,
}

/// What was gathered from all files.
#[derive(Debug, Default)]
struct Services {
    things: BTreeMap<String, Declared>,
    relations: BTreeSet<Relation>,
    revisions: BTreeSet<String>,
    as_of: Option<Timestamp>,
    /// Dependencies of services on what is none, or of what is none on services.
    with_others: usize,
}

/// Reads bills of materials.
///
/// # Errors
/// [`ImportError`] when a file is no such bill, or none declares a service, or two mean different ones by one
/// reference.
pub fn cyclonedx(sources: &[Source], told: CycloneDx<'_>) -> Result<Imported, ImportError> {
    let mut services = Services::default();
    for source in sources {
        services.read(source).map_err(|text| ImportError { path: source.path.clone(), text })?;
    }
    let first = sources.first().map_or("", |source| source.path.as_str());
    if services.things.is_empty() {
        let text = format!("it declares no service; {GIVE} that has `services`");
        return Err(ImportError { path: first.to_owned(), text });
    }
    let left_out = (services.with_others > 0)
        .then(|| format!("{} × a dependency with what is no service", services.with_others));
    let revisions: Vec<String> = services.revisions.into_iter().collect();
    let draft = Draft {
        from: "cyclonedx",
        name: told.name.unwrap_or(first),
        revision: Some(revisions.join(" ")),
        as_of: services.as_of.or(told.as_of),
        // A service is declared on no plane: no request is to be taken for one of it by its name.
        plane: ordain_action::Plane::Unknown.as_str(),
        things: services.things.into_values().map(|declared| declared.thing).collect(),
        relations: services.relations,
        left_out: left_out.into_iter().collect(),
        ..Draft::default()
    };
    Ok(draft.imported())
}

impl Services {
    fn read(&mut self, source: &Source) -> Result<(), String> {
        let text = source.text.trim_start_matches('\u{feff}');
        if text.trim_start().starts_with('<') {
            return Err("it is a bill in XML; convert it, for example with `cyclonedx convert`, and give that in JSON"
                .to_owned());
        }
        let bill: Bill = serde_json::from_str(text)
            .map_err(|error| format!("it is not a bill that can be read: {error}; {GIVE}"))?;
        if bill.bom_format != "CycloneDX" {
            return Err(format!("it has no `bomFormat` of `CycloneDX`; {GIVE}"));
        }
        let version = bill.version.map(|version| version.to_string());
        let revision: Vec<String> = [bill.serial_number, version.unwrap_or_default()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect();
        self.revisions.extend(Some(revision.join("/")).filter(|revision| !revision.is_empty()));
        let time = bill.metadata.timestamp.and_then(|text| text.parse::<Timestamp>().ok());
        // Of several times the earliest: what all of them say was so by then.
        self.as_of = [self.as_of, time].into_iter().flatten().min();
        let mut own = BTreeSet::new();
        let mut open: Vec<(Option<String>, Service)> =
            bill.services.into_iter().map(|service| (None, service)).collect();
        while let Some((outer, mut service)) = open.pop() {
            let inner = std::mem::take(&mut service.services);
            let id = self.add(&service, &source.path)?;
            if let Some(outer) = outer {
                self.relations.insert((id.clone(), EdgeKind::PartOf, outer));
            }
            open.extend(inner.into_iter().map(|inner| (Some(id.clone()), inner)));
            own.insert(id);
        }
        for dependency in &bill.dependencies {
            for needed in &dependency.depends_on {
                self.depend(&own, &dependency.of, needed);
            }
        }
        Ok(())
    }

    /// Takes a service; the id it has now.
    fn add(&mut self, service: &Service, path: &str) -> Result<String, String> {
        let full = [service.group.as_str(), service.name.as_str()];
        let full: Vec<&str> = full.into_iter().filter(|part| !part.is_empty()).collect();
        let full = full.join("/");
        let id = if service.reference.is_empty() { full.clone() } else { service.reference.clone() };
        if service.name.is_empty() {
            return Err(format!("it declares a service without a `name`, `{id}`; {GIVE}"));
        }
        let mut identifiers: BTreeSet<String> =
            service.endpoints.iter().filter_map(|text| host(text)).collect();
        identifiers.insert(service.name.clone());
        let named = Some(service.provider.name.clone()).filter(|provider| !provider.is_empty());
        let thing = Thing {
            id: id.clone(),
            kind: "cyclonedx:service".to_owned(),
            identifiers,
            tags: named.map(|provider| ("provider".to_owned(), provider)).into_iter().collect(),
            ..Thing::default()
        };
        match self.things.get_mut(&id) {
            None => drop(self.things.insert(id.clone(), Declared { thing, full, path: path.to_owned() })),
            Some(other) if other.path == path => {
                return Err(format!("it declares two services `{id}`; give each a `bom-ref` of its own"));
            }
            // References are unique within one bill only.
            Some(other) if other.full != full => {
                return Err(format!(
                    "it calls `{full}` by the `bom-ref` `{id}`, which is `{}` in `{}`; import each with a name of its own",
                    other.full, other.path
                ));
            }
            Some(other) => other.thing.identifiers.extend(thing.identifiers),
        }
        Ok(id)
    }

    /// Takes a dependency between what one bill declares.
    fn depend(&mut self, own: &BTreeSet<String>, of: &str, on: &str) {
        match (own.contains(of), own.contains(on)) {
            (true, true) if of != on => {
                self.relations.insert((of.to_owned(), EdgeKind::DependsOn, on.to_owned()));
            }
            (true, false) | (false, true) => self.with_others += 1,
            (true, true) | (false, false) => {}
        }
    }
}

/// The host of an endpoint, without who signs in there.
fn host(endpoint: &str) -> Option<String> {
    let rest = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    // A slash within a password ends the authority before its host.
    if rest.contains('@') && !authority.contains('@') {
        return None;
    }
    let authority = authority.rsplit('@').next()?;
    let host = match authority.strip_prefix('[') {
        Some(address) => address.split_once(']')?.0,
        None => authority.split(':').next()?,
    };
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-._:".contains(letter);
    (!host.is_empty() && host.chars().all(fits)).then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn an_endpoint_has_a_host_and_nothing_else_of_it_is_kept() {
        for (endpoint, expected) in [
            ("https://Orders.example.com:8443/v1?key=hunter2", Some("orders.example.com")),
            ("https://user:hunter2@orders.example.com/", Some("orders.example.com")),
            ("https://user:hun@ter2@orders.example.com", Some("orders.example.com")),
            ("https://user:hun/ter2@orders.example.com", None),
            ("grpc://[2001:db8::1]:50051", Some("2001:db8::1")),
            ("orders.example.com/v1", Some("orders.example.com")),
            ("orders:8080", Some("orders")),
            ("https://{tenant}.example.com/", None),
            ("/v1/orders", None),
            ("", None),
        ] {
            assert_eq!(host(endpoint).as_deref(), expected, "{endpoint}");
        }
    }
}
