//! The catalogue in hand: built-in data, and an overlay where an operator has one.
//!
//! Leaves out files: the overlay comes as text.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{LazyLock, OnceLock};

use sha2::{Digest as _, Sha256};

use crate::hosts::Hosts;
use crate::index::Index;
use crate::messages::Messages;
use crate::rest_table::RestTable;
use crate::service::{Head, Service};
use crate::text::{self, Part, TextError};
use crate::types::{TypeName, Types};
use crate::vim::Vim;

include!(concat!(env!("OUT_DIR"), "/blocks.rs"));

/// An overlay cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the overlay: {text}")]
pub struct OverlayError {
    /// The line, counted from one.
    pub line: usize,
    /// What is wrong with it, and what to write instead.
    pub text: String,
}

impl From<TextError> for OverlayError {
    fn from(error: TextError) -> Self {
        Self { line: error.line, text: error.text }
    }
}

/// Every operation that is known, decoded service by service as they are asked for.
pub struct Catalog {
    index: Index,
    overlay: BTreeMap<String, Service>,
    overlay_hosts: String,
    decoded: Vec<OnceLock<Option<Service>>>,
    hosts: OnceLock<Hosts>,
    types: OnceLock<Types>,
    digest: String,
}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalog")
            .field("services", &self.index.heads().len())
            .field("overlay", &self.overlay.len())
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

impl Default for Catalog {
    fn default() -> Self {
        Self::new()
    }
}

impl Catalog {
    /// The catalogue as built in.
    #[must_use]
    pub fn new() -> Self {
        Self::of(built_in_heads(), BTreeMap::new(), String::new(), DIGEST.to_owned())
    }

    /// The built-in catalogue with operations, services and hosts of an overlay added.
    ///
    /// The text is that of the catalogue's own files. A service that is built in needs only its `service` line and
    /// the operations to add; an operation given replaces the one built in. An overlay cannot say that what is
    /// built in as a change is a read.
    ///
    /// # Errors
    /// The first line that cannot be read, or that would loosen what is built in.
    pub fn with_overlay(overlay: &str) -> Result<Self, OverlayError> {
        let base = Self::new();
        let mut heads = base.index.heads().to_vec();
        let mut services = BTreeMap::new();
        let mut hosts = String::new();
        for part in text::parts(overlay)? {
            match part {
                Part::Hosts { line, text } => {
                    // Empty lines before it keep its number.
                    let missing = line.saturating_sub(1).saturating_sub(hosts.lines().count());
                    hosts.extend(std::iter::repeat_n('\n', missing));
                    hosts.push_str(text);
                    hosts.push('\n');
                }
                Part::Service { line, text } => {
                    let name = text::service_name(line, text)?;
                    let built_in = base.service(name);
                    let given = text::service(line, text, built_in.map(Service::head))?;
                    if let Some(built_in) = built_in {
                        stays_strict(line, built_in, &given)?;
                    }
                    let service = built_in.map_or(given.clone(), |built_in| built_in.merged(&given));
                    match heads.iter_mut().find(|head| head.name == service.head().name) {
                        Some(head) => *head = service.head().clone(),
                        None => heads.push(service.head().clone()),
                    }
                    services.insert(service.name().to_string(), service);
                }
            }
        }
        let built_in = unpack(HOSTS.0, HOSTS.1).unwrap_or_default();
        let first = built_in.lines().count();
        Hosts::parse(&(built_in + &hosts))
            .map_err(|error| OverlayError { line: error.line.saturating_sub(first), text: error.text })?;
        let mut digest = Sha256::new();
        digest.update(DIGEST);
        digest.update(overlay);
        Ok(Self::of(heads, services, hosts, hex::encode(digest.finalize())))
    }

    fn of(
        heads: Vec<Head>,
        overlay: BTreeMap<String, Service>,
        overlay_hosts: String,
        digest: String,
    ) -> Self {
        let decoded = heads.iter().map(|_| OnceLock::new()).collect();
        Self {
            index: Index::new(heads),
            overlay,
            overlay_hosts,
            decoded,
            hosts: OnceLock::new(),
            types: OnceLock::new(),
            digest,
        }
    }

    /// The heads of all services, in the order of their names, built in before overlaid.
    #[must_use]
    pub fn heads(&self) -> &[Head] {
        self.index.heads()
    }

    /// The service with the name botocore uses. Its block is decoded on first use.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&Service> {
        if let Some(service) = self.overlay.get(name) {
            return Some(service);
        }
        let at = self.index.position(name)?;
        self.decoded.get(at)?.get_or_init(|| decode(name)).as_ref()
    }

    /// Services whose requests are signed under that name. Decodes nothing.
    pub fn by_signing_name(&self, name: &str) -> impl Iterator<Item = &Head> {
        self.index.by_signing_name(name)
    }

    /// Services whose usual hosts begin with that. Decodes nothing.
    pub fn by_endpoint_prefix(&self, prefix: &str) -> impl Iterator<Item = &Head> {
        self.index.by_endpoint_prefix(prefix)
    }

    /// Services whose `X-Amz-Target` begins with that, without the dot. Decodes nothing.
    pub fn by_target_prefix(&self, prefix: &str) -> impl Iterator<Item = &Head> {
        self.index.by_target_prefix(prefix)
    }

    /// Services with that name in a Smithy RPC path. Decodes nothing.
    pub fn by_rpc_name(&self, name: &str) -> impl Iterator<Item = &Head> {
        self.index.by_rpc_name(name)
    }

    /// Services that read query requests of that `Version`. Decodes nothing.
    pub fn by_version(&self, version: &str) -> impl Iterator<Item = &Head> {
        self.index.by_version(version)
    }

    /// A type of CloudFormation by its whole name, as `AWS::S3::Bucket`.
    #[must_use]
    pub fn resource_type(&self, name: &str) -> Option<TypeName<'_>> {
        self.types.get_or_init(|| Types::parse(unpack(TYPES.0, TYPES.1).unwrap_or_default())).get(name)
    }

    /// Hosts, regions and partitions. Decoded on first use.
    #[must_use]
    pub fn hosts(&self) -> &Hosts {
        self.hosts.get_or_init(|| {
            let mut text = unpack(HOSTS.0, HOSTS.1).unwrap_or_default();
            text.push_str(&self.overlay_hosts);
            // The built-in text is covered by a test and the overlay was read when it was loaded: what cannot be
            // read here leaves no hosts at all, and nothing is forwarded.
            Hosts::parse(&text).unwrap_or_default()
        })
    }

    /// SHA-256 of all data, overlay included, in hexadecimal: a record carries it.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

fn stays_strict(line: usize, built_in: &Service, given: &Service) -> Result<(), TextError> {
    let looser = given.operations().iter().find(|operation| {
        !operation.access.is_change()
            && built_in.operation(&operation.name).is_some_and(|known| known.access.is_change())
    });
    match looser {
        Some(operation) => Err(TextError::new(
            line,
            format!(
                "`{}` is built in as a change and cannot become a read; give it the access it has",
                operation.name
            ),
        )),
        None => Ok(()),
    }
}

fn built_in_heads() -> Vec<Head> {
    // A head that cannot be read is a service that is not known: its operations are undecodable, never reads.
    // A test reads every one.
    text::parts(HEADS)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|part| match part {
            Part::Service { line, text } => text::service(line, text, None).ok(),
            Part::Hosts { .. } => None,
        })
        .map(|service| service.head().clone())
        .collect()
}

fn decode(name: &str) -> Option<Service> {
    // A test reads every block. One that cannot be read is a service that is not known.
    text::service(1, &block(name)?, None).ok()
}

/// The text of a built-in service.
pub(crate) fn block(name: &str) -> Option<String> {
    let at = BLOCKS.binary_search_by(|block| block.0.cmp(name)).ok()?;
    let (_, block, length) = BLOCKS.get(at)?;
    unpack(block, *length)
}

/// The messages of the Kubernetes API, unpacked on first use.
///
/// None are known where the table cannot be read: no object is read in full then.
pub fn messages() -> &'static Messages {
    static READ: LazyLock<Messages> = LazyLock::new(|| {
        unpack(MESSAGES.0, MESSAGES.1).and_then(|text| Messages::parse(&text)).unwrap_or_default()
    });
    &READ
}

/// The digest of what is known of vSphere.
pub const VSPHERE_SUM: &str = VSPHERE_DIGEST;

/// The methods and types of vim25, decoded on first use.
///
/// None are known where the table cannot be read: every request is refused then.
pub fn vim() -> &'static Vim {
    static TEXT: LazyLock<String> = LazyLock::new(|| unpack(VIM.0, VIM.1).unwrap_or_default());
    static READ: LazyLock<Vim> = LazyLock::new(|| Vim::parse(&TEXT).unwrap_or_default());
    &READ
}

/// The operations of the Automation API of vSphere, decoded on first use.
///
/// None are known where the table cannot be read.
pub fn automation() -> &'static RestTable {
    static TEXT: LazyLock<String> = LazyLock::new(|| unpack(AUTOMATION.0, AUTOMATION.1).unwrap_or_default());
    static READ: LazyLock<RestTable> = LazyLock::new(|| RestTable::parse(&TEXT).unwrap_or_default());
    &READ
}

fn unpack(block: &[u8], length: usize) -> Option<String> {
    String::from_utf8(zstd::bulk::decompress(block, length).ok()?).ok()
}
