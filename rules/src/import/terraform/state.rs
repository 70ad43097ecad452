//! The forms in which Terraform and OpenTofu tell their state, read into one: state files of version 4,
//! and the output of `show -json`.
//!
//! Leaves out what the attributes mean (`terraform.rs`). Values are only borrowed while a state is read.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value};

/// A state with all instances of all its resources.
#[derive(Debug)]
pub(super) struct State {
    pub(super) revision: String,
    pub(super) instances: Vec<Instance>,
}

/// One instance of a resource.
#[derive(Debug)]
pub(super) struct Instance {
    /// With the module and the index, for example `module.network.aws_subnet.a[0]`.
    pub(super) address: String,
    /// The address that dependencies use: without the instance's own index.
    pub(super) base: String,
    /// The module, for example `module.network`; empty for the root.
    pub(super) module: String,
    pub(super) managed: bool,
    pub(super) kind: String,
    pub(super) attributes: Map<String, Value>,
    /// Attributes that are sensitive, by their first name.
    pub(super) sensitive: BTreeSet<String>,
    pub(super) dependencies: Vec<String>,
}

pub(super) fn read(text: &str) -> Result<State, String> {
    #[derive(Deserialize)]
    struct Version {
        version: Option<u64>,
        format_version: Option<String>,
    }
    let malformed = |error: serde_json::Error| format!("it is not a state that can be read: {error}");
    let version: Version = serde_json::from_str(text).map_err(malformed)?;
    match (version.version, version.format_version) {
        (Some(4), _) => serde_json::from_str::<Stored>(text).map(Stored::instances).map_err(malformed),
        (_, Some(version)) if version.starts_with("1.") => {
            serde_json::from_str::<Shown>(text).map(Shown::instances).map_err(malformed)
        }
        (Some(other), _) => {
            Err(format!("it is a state of version {other}; write it again with a present release"))
        }
        (None, _) => {
            Err("it is no state; give a `terraform.tfstate` or the output of `show -json`".to_owned())
        }
    }
}

#[derive(Deserialize)]
struct Stored {
    #[serde(default)]
    serial: u64,
    #[serde(default)]
    resources: Vec<StoredResource>,
}

#[derive(Deserialize)]
struct StoredResource {
    #[serde(default)]
    module: String,
    mode: String,
    #[serde(rename = "type")]
    kind: String,
    name: String,
    #[serde(default)]
    instances: Vec<StoredInstance>,
}

#[derive(Deserialize)]
struct StoredInstance {
    #[serde(default)]
    index_key: Option<Value>,
    #[serde(default)]
    attributes: Option<Map<String, Value>>,
    #[serde(default)]
    sensitive_attributes: Value,
    #[serde(default)]
    dependencies: Vec<String>,
}

impl Stored {
    fn instances(self) -> State {
        let mut instances = Vec::new();
        for resource in self.resources {
            let managed = resource.mode == "managed";
            let data = if managed { "" } else { "data." };
            let own = format!("{data}{}.{}", resource.kind, resource.name);
            let base = if resource.module.is_empty() { own } else { format!("{}.{own}", resource.module) };
            for instance in resource.instances {
                let index = instance.index_key.as_ref().map(|key| format!("[{key}]")).unwrap_or_default();
                instances.push(Instance {
                    address: format!("{base}{index}"),
                    base: base.clone(),
                    module: resource.module.clone(),
                    managed,
                    kind: resource.kind.clone(),
                    attributes: instance.attributes.unwrap_or_default(),
                    sensitive: sensitive_paths(&instance.sensitive_attributes),
                    dependencies: instance.dependencies,
                });
            }
        }
        State { revision: self.serial.to_string(), instances }
    }
}

/// `[[{"type": "get_attr", "value": "password"}]]`: the first step of each path. In a form that is not
/// known everything is sensitive, which `*` stands for.
fn sensitive_paths(value: &Value) -> BTreeSet<String> {
    let Some(paths) = value.as_array() else {
        return if value.is_null() { BTreeSet::new() } else { BTreeSet::from(["*".to_owned()]) };
    };
    let first = |path: &Value| {
        let step = path.as_array().and_then(|steps| steps.first()).unwrap_or(path);
        let name = step.get("value").and_then(Value::as_str).or_else(|| step.as_str());
        name.map_or_else(|| "*".to_owned(), str::to_owned)
    };
    paths.iter().map(first).collect()
}

#[derive(Deserialize)]
struct Shown {
    #[serde(default)]
    values: Option<ShownValues>,
}

#[derive(Deserialize)]
struct ShownValues {
    root_module: ShownModule,
}

#[derive(Deserialize)]
struct ShownModule {
    #[serde(default)]
    address: String,
    #[serde(default)]
    resources: Vec<ShownResource>,
    #[serde(default)]
    child_modules: Vec<Self>,
}

#[derive(Deserialize)]
struct ShownResource {
    address: String,
    mode: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    index: Option<Value>,
    #[serde(default)]
    values: Option<Map<String, Value>>,
    #[serde(default)]
    sensitive_values: Value,
    #[serde(default)]
    depends_on: Vec<String>,
}

impl Shown {
    fn instances(self) -> State {
        let mut instances = Vec::new();
        let mut open: Vec<ShownModule> = self.values.into_iter().map(|values| values.root_module).collect();
        while let Some(module) = open.pop() {
            for resource in module.resources {
                let index = resource.index.as_ref().map(|key| format!("[{key}]")).unwrap_or_default();
                let base = resource.address.strip_suffix(&index).unwrap_or(&resource.address).to_owned();
                let sensitive = match &resource.sensitive_values {
                    // Marked true, or holding something that is.
                    Value::Object(members) => {
                        let marked = |value: &Value| *value != Value::Bool(false) && !is_empty(value);
                        members
                            .iter()
                            .filter(|(_, value)| marked(value))
                            .map(|(name, _)| name.clone())
                            .collect()
                    }
                    Value::Null | Value::Bool(false) => BTreeSet::new(),
                    Value::Bool(true) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                        BTreeSet::from(["*".to_owned()])
                    }
                };
                instances.push(Instance {
                    base,
                    module: module.address.clone(),
                    managed: resource.mode == "managed",
                    kind: resource.kind,
                    attributes: resource.values.unwrap_or_default(),
                    sensitive,
                    dependencies: resource.depends_on,
                    address: resource.address,
                });
            }
            open.extend(module.child_modules);
        }
        instances.sort_by(|left, right| left.address.cmp(&right.address));
        State { revision: String::new(), instances }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.values().all(is_empty),
        Value::Array(items) => items.iter().all(is_empty),
        Value::Bool(marked) => !marked,
        Value::Null | Value::Number(_) | Value::String(_) => false,
    }
}

impl Instance {
    /// The text of an attribute that is not sensitive.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let value = self.plain(name)?.as_str()?;
        (!value.is_empty()).then_some(value)
    }

    /// An attribute that is not sensitive.
    pub(super) fn plain(&self, name: &str) -> Option<&Value> {
        let hidden = self.sensitive.contains("*") || self.sensitive.contains(name);
        if hidden { None } else { self.attributes.get(name) }
    }

    /// Whether some attribute has exactly this text: the evidence of a direct reference.
    pub(super) fn mentions(&self, wanted: &str) -> bool {
        let mut open: Vec<&Value> = self.attributes.values().collect();
        while let Some(value) = open.pop() {
            match value {
                Value::String(text) if text == wanted => return true,
                Value::Array(items) => open.extend(items),
                Value::Object(members) => open.extend(members.values()),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        false
    }
}
