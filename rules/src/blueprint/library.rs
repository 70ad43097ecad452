//! Blueprints that come with the program, by name; what stands in their places is the model's to say.
//!
//! Leaves out reading them as blueprints (`model/blueprints.rs`).

use std::collections::BTreeMap;

use serde::Deserialize;
use yaml_serde::Value;

/// An entry of the library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LibraryEntry {
    /// Its name, for example `aws/s3-bucket-private`.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// An entry as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// What a model may put in its places.
    #[serde(default)]
    pub(crate) with: BTreeMap<String, Place>,
    pub(crate) spec: Value,
}

/// What a model may say of an entry, and what holds where it does not.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    /// What it is, for people.
    pub(crate) is: String,
    pub(crate) default: Value,
}

/// The list of entries: a name for each file.
macro_rules! library {
    ($($name:literal),* $(,)?) => {
        /// All entries, by name.
        pub const LIBRARY: &[LibraryEntry] = &[
            $(LibraryEntry { name: $name, text: include_str!(concat!("../../blueprints/", $name, ".yaml")) }),*
        ];
    };
}

library! {
    "aws/dynamodb-protected",
    "aws/ec2-encrypted-volumes",
    "aws/ec2-imdsv2",
    "aws/ec2-instance-types",
    "aws/ec2-no-public-ip",
    "aws/ecr-immutable",
    "aws/eks-private-endpoint",
    "aws/elb-internal",
    "aws/iam-permissions-boundary",
    "aws/iam-role-sessions",
    "aws/kms-deletion-window",
    "aws/kms-rotation",
    "aws/lambda-limits",
    "aws/lambda-runtimes",
    "aws/logs-retention",
    "aws/rds-backups",
    "aws/rds-encrypted",
    "aws/rds-multi-az",
    "aws/rds-not-public",
    "aws/required-tags",
    "aws/s3-bucket-encrypted",
    "aws/s3-bucket-private",
    "aws/s3-bucket-versioned",
    "aws/secrets-rotation",
    "aws/security-group-admin-ports",
    "aws/security-group-sources",
    "aws/sns-encrypted",
    "aws/sqs-encrypted",
    "azure/key-vault-protected",
    "azure/locations",
    "azure/nsg-sources",
    "azure/required-tags",
    "azure/sql-private",
    "azure/storage-private",
    "azure/storage-secure",
    "azure/vm-sizes",
    "google/bucket-locations",
    "google/bucket-not-public",
    "google/bucket-uniform-access",
    "google/firewall-sources",
    "google/machine-types",
    "google/no-external-ip",
    "google/required-labels",
    "google/shielded-vm",
    "google/sql-private",
    "kubernetes/image-registries",
    "kubernetes/image-tags",
    "kubernetes/ingress-tls",
    "kubernetes/pods-not-privileged",
    "kubernetes/pods-not-root",
    "kubernetes/pods-without-host",
    "kubernetes/replicas",
    "kubernetes/required-labels",
    "kubernetes/resource-limits",
    "kubernetes/service-types",
}

impl LibraryEntry {
    /// The entry of a name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        LIBRARY.iter().find(|entry| entry.name == name)
    }

    /// Why it is.
    #[must_use]
    pub fn why(&self) -> String {
        let said = self.read().ok().and_then(|entry| entry.spec.get("why")?.as_str().map(str::to_owned));
        said.unwrap_or_default()
    }

    /// What a model may say of it, each with what it is.
    #[must_use]
    pub fn takes(&self) -> Vec<String> {
        let places = self.read().map(|entry| entry.with).unwrap_or_default();
        places.into_iter().map(|(name, place)| format!("{name}: {}", place.is)).collect()
    }

    pub(crate) fn read(&self) -> Result<Entry, yaml_serde::Error> {
        yaml_serde::from_str(self.text)
    }
}

impl Entry {
    /// What it says with values in its places; what is wrong with them otherwise, with the word it is about.
    pub(crate) fn filled(&self, with: &BTreeMap<String, Value>) -> Result<Value, (String, Fault)> {
        if let Some(unknown) = with.keys().find(|key| !self.with.contains_key(*key)) {
            return Err((unknown.clone(), Fault::Unknown));
        }
        let mut values = BTreeMap::new();
        for (name, place) in &self.with {
            let value = with.get(name).unwrap_or(&place.default);
            let value = match (&place.default, value) {
                (Value::Sequence(_), Value::Sequence(_)) => value.clone(),
                (Value::Sequence(_), single) if is_scalar(single) => Value::Sequence(vec![single.clone()]),
                (_, single) if is_scalar(single) && !place.default.is_sequence() => single.clone(),
                (Value::Sequence(_), _) => return Err((name.clone(), Fault::NoList)),
                _ => return Err((name.clone(), Fault::NoValue)),
            };
            drop(values.insert(name.as_str(), value));
        }
        Ok(put(&self.spec, &values))
    }
}

/// What is wrong with a value for an entry's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Unknown,
    NoList,
    NoValue,
}

const fn is_scalar(value: &Value) -> bool {
    matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null)
}

/// The name of `${name}`.
fn named(text: &str) -> Option<&str> {
    text.strip_prefix("${")?.strip_suffix('}')
}

/// A value with others in its places; a list in a list's place is put there item by item.
fn put(value: &Value, values: &BTreeMap<&str, Value>) -> Value {
    match value {
        Value::String(text) => {
            named(text).and_then(|name| values.get(name)).cloned().unwrap_or_else(|| value.clone())
        }
        Value::Sequence(items) => {
            let mut all = Vec::with_capacity(items.len());
            for item in items {
                match (item, put(item, values)) {
                    (Value::String(_), Value::Sequence(several)) => all.extend(several),
                    (_, one) => all.push(one),
                }
            }
            Value::Sequence(all)
        }
        Value::Mapping(members) => {
            Value::Mapping(members.iter().map(|(key, value)| (key.clone(), put(value, values))).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Tagged(_) => value.clone(),
    }
}
