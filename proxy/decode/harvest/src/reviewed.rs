//! What people have reviewed, and what stands over what is derived.
//!
//! Leaves out checking names against the model: `service` does, and refuses a name that is not there.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

/// All reviewed facts, by service.
#[derive(Debug, Default)]
pub(crate) struct Reviewed {
    services: BTreeMap<String, Service>,
}

/// Reviewed facts of one service.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Service {
    /// The prefix of its permissions, where it is not the signing name.
    pub(crate) iam_prefix: Option<String>,
    /// Protocols that it reads besides those its model lists.
    #[serde(default)]
    pub(crate) also_protocols: Vec<String>,
    /// Every operation is at data level.
    #[serde(default)]
    pub(crate) data: bool,
    /// Operations at data level, where not all are.
    #[serde(default)]
    pub(crate) data_operations: Vec<String>,
    /// Operations by the class that they have in truth.
    #[serde(default)]
    pub(crate) access: BTreeMap<String, Vec<String>>,
    /// The permission of an operation, where its name is another.
    #[serde(default)]
    pub(crate) iam: BTreeMap<String, Vec<String>>,
    /// ARN templates in the form of the vendor's documents, by type.
    #[serde(default)]
    pub(crate) kinds: BTreeMap<String, String>,
    /// What members are, wherever they stand: `type`, `=type` (the value is its name), `-type` (no name can be
    /// built).
    #[serde(default)]
    pub(crate) members: BTreeMap<String, String>,
    /// Of all confirmed operations, those whose derived bindings are not to be trusted.
    #[serde(default)]
    pub(crate) doubtful: Vec<String>,
    /// Operations whose bindings are reviewed.
    #[serde(default)]
    pub(crate) bind: BTreeMap<String, Vec<String>>,
    /// Operations whose derived bindings a person has read and found right: they count as reviewed.
    /// `*` for all but the doubtful.
    #[serde(default)]
    pub(crate) confirmed: Vec<String>,
    /// Where answers carry new identifiers: `type Member.Path`.
    #[serde(default)]
    pub(crate) new: BTreeMap<String, Vec<String>>,
    /// Credentials of the plane in answers: `kind Member.Path…`.
    #[serde(default)]
    pub(crate) mint: BTreeMap<String, String>,
    /// Sensitive members that the vendor does not mark.
    #[serde(default)]
    pub(crate) secret: BTreeMap<String, Vec<String>>,
}

impl Reviewed {
    /// Reads every file of a folder.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut paths: Vec<_> = std::fs::read_dir(folder)
            .with_context(|| folder.display().to_string())?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
        paths.sort();
        let mut reviewed = Self::default();
        for path in paths {
            let text = std::fs::read_to_string(&path)?;
            let services: BTreeMap<String, Service> =
                toml::from_str(&text).with_context(|| path.display().to_string())?;
            for (name, service) in services {
                reviewed.services.entry(name.clone()).or_default().merge(service).with_context(|| name)?;
            }
        }
        Ok(reviewed)
    }

    /// What is reviewed of a service.
    pub(crate) fn service(&self, name: &str) -> Service {
        self.services.get(name).cloned().unwrap_or_default()
    }

    /// The names of all services with reviewed facts.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.services.keys().map(String::as_str)
    }
}

impl Service {
    fn merge(&mut self, other: Self) -> Result<()> {
        if other.iam_prefix.is_some() {
            if self.iam_prefix.is_some() {
                bail!("`iam_prefix` is given twice");
            }
            self.iam_prefix = other.iam_prefix;
        }
        self.data |= other.data;
        self.also_protocols.extend(other.also_protocols);
        self.data_operations.extend(other.data_operations);
        for (class, operations) in other.access {
            self.access.entry(class).or_default().extend(operations);
        }
        self.iam.extend(other.iam);
        self.kinds.extend(other.kinds);
        self.members.extend(other.members);
        self.doubtful.extend(other.doubtful);
        self.bind.extend(other.bind);
        self.confirmed.extend(other.confirmed);
        self.new.extend(other.new);
        self.mint.extend(other.mint);
        self.secret.extend(other.secret);
        Ok(())
    }

    /// The reviewed class of an operation.
    pub(crate) fn access_of(&self, operation: &str) -> Option<&str> {
        self.access
            .iter()
            .find(|(_, operations)| operations.iter().any(|name| name == operation))
            .map(|(class, _)| class.as_str())
    }

    /// Whether the derived bindings of an operation have been read and found right.
    pub(crate) fn is_confirmed(&self, operation: &str) -> bool {
        let named = |list: &[String], wanted: &str| list.iter().any(|name| name == wanted);
        named(&self.confirmed, operation)
            || (named(&self.confirmed, "*") && !named(&self.doubtful, operation))
    }

    /// Every operation that is named anywhere.
    pub(crate) fn named(&self) -> impl Iterator<Item = &String> {
        self.access
            .values()
            .flatten()
            .chain(&self.data_operations)
            .chain(self.iam.keys())
            .chain(self.bind.keys())
            .chain(self.confirmed.iter().filter(|name| *name != "*"))
            .chain(&self.doubtful)
            .chain(self.new.keys())
            .chain(self.mint.keys())
            .chain(self.secret.keys())
    }
}
