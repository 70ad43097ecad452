//! Lists and objects as `kubectl get` writes them, in JSON or YAML.
//!
//! Leaves out everything that is not declared here: what a secret or a config map holds is never read.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// One object, as far as it is read.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Object {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) metadata: Metadata,
    pub(super) spec: Value,
    pub(super) role_ref: Value,
    pub(super) subjects: Value,
    pub(super) rules: Value,
    pub(super) webhooks: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) uid: String,
    pub(super) resource_version: String,
    pub(super) creation_timestamp: Option<String>,
    pub(super) labels: Option<BTreeMap<String, String>>,
    pub(super) annotations: Option<BTreeMap<String, String>>,
    pub(super) owner_references: Option<Vec<OwnerReference>>,
    pub(super) managed_fields: Option<Vec<Managed>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OwnerReference {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) uid: String,
}

/// Who set some members, and when; which they are is not read.
#[derive(Debug, Deserialize)]
pub(super) struct Managed {
    #[serde(default)]
    pub(super) manager: String,
    #[serde(default)]
    pub(super) time: Option<String>,
}

/// What stands in a file: an object, or a list of them.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Document {
    api_version: String,
    kind: String,
    metadata: Metadata,
    spec: Value,
    role_ref: Value,
    subjects: Value,
    rules: Value,
    webhooks: Value,
    items: Option<Vec<Object>>,
}

/// All objects of a file: of a list, of one object, or of several after one another.
pub(super) fn read(text: &str) -> Result<Vec<Object>, String> {
    const GIVE: &str = "give the output of `kubectl get -o json` or `-o yaml`";
    let mut objects = Vec::new();
    if text.trim_start().starts_with(['{', '[']) {
        for document in serde_json::Deserializer::from_str(text).into_iter::<Document>() {
            let document =
                document.map_err(|error| format!("it is not a list that can be read: {error}; {GIVE}"))?;
            objects.extend(document.objects()?);
        }
    } else {
        for (line, text) in crate::model::split(text) {
            let is_blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
            if text.lines().all(is_blank) {
                continue;
            }
            let document: Document = yaml_serde::from_str(text).map_err(|error| {
                format!("the document at line {line} is not a list that can be read: {error}; {GIVE}")
            })?;
            objects.extend(document.objects()?);
        }
    }
    Ok(objects)
}

impl Document {
    fn objects(self) -> Result<Vec<Object>, String> {
        let Self { api_version, kind, metadata, spec, role_ref, subjects, rules, webhooks, items } = self;
        let of_list = kind.strip_suffix("List");
        match (of_list, items) {
            (Some(of), Some(mut items)) => {
                // The API's own lists leave out what all items share.
                for item in &mut items {
                    if item.kind.is_empty() {
                        of.clone_into(&mut item.kind);
                    }
                    if item.api_version.is_empty() && !of.is_empty() {
                        item.api_version.clone_from(&api_version);
                    }
                }
                Ok(items)
            }
            (Some(_), None) => Ok(Vec::new()),
            (None, None) => {
                Ok(vec![Object { api_version, kind, metadata, spec, role_ref, subjects, rules, webhooks }])
            }
            (None, Some(_)) => Err(format!(
                "`{kind}` holds `items` and is no list; give the output of `kubectl get -o json` or `-o yaml`"
            )),
        }
    }
}

impl Object {
    /// The group, `core` for the one that has no name.
    pub(super) fn group(&self) -> &str {
        group(&self.api_version)
    }

    /// A label, or an annotation where there is no such label, in whatever case the key is written.
    pub(super) fn says(&self, key: &str) -> Option<(&str, &str)> {
        let metadata = &self.metadata;
        let said = metadata.labels.iter().flatten().chain(metadata.annotations.iter().flatten());
        said.map(|(known, value)| (known.as_str(), value.as_str()))
            .find(|(known, _)| known.eq_ignore_ascii_case(key))
    }

    /// Who manages it, the last first, and when it was last changed.
    pub(super) fn managed(&self) -> (Vec<&str>, Option<Timestamp>) {
        let metadata = &self.metadata;
        let parse = |text: &String| text.parse::<Timestamp>().ok();
        let mut all: Vec<(Option<Timestamp>, &str)> = metadata
            .managed_fields
            .iter()
            .flatten()
            .map(|managed| (managed.time.as_ref().and_then(parse), managed.manager.as_str()))
            .collect();
        all.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
        let created = metadata.creation_timestamp.as_ref().and_then(parse);
        let changed = all.iter().filter_map(|(time, _)| *time).chain(created).max();
        let mut managers: Vec<&str> = Vec::new();
        for (_, manager) in all {
            if !manager.is_empty() && !managers.contains(&manager) {
                managers.push(manager);
            }
        }
        (managers, changed)
    }

    /// The pod that it is or makes, where there is one; custom objects make them as the known ones do.
    pub(super) fn pod(&self) -> Option<Pod<'_>> {
        const WHERE: [&str; 2] = ["/template", "/jobTemplate/spec/template"];
        let has = |spec: &Value| spec.get("containers").is_some_and(Value::is_array);
        if self.group() == "core" && self.kind == "Pod" {
            let labels = self.metadata.labels.iter().flatten();
            let labels = labels.map(|(key, value)| (key.as_str(), value.as_str())).collect();
            return Some(Pod { spec: &self.spec, labels });
        }
        let template = WHERE.iter().filter_map(|place| self.spec.pointer(place));
        template
            .filter_map(|template| Some((template, template.get("spec")?)))
            .find(|(_, spec)| has(spec))
            .map(|(template, spec)| Pod { spec, labels: labels_of(template.pointer("/metadata/labels")) })
    }
}

/// A pod, or the template of some.
#[derive(Debug)]
pub(super) struct Pod<'o> {
    pub(super) spec: &'o Value,
    pub(super) labels: Labels<'o>,
}

/// Labels by their keys.
pub(super) type Labels<'o> = BTreeMap<&'o str, &'o str>;

/// Labels as they stand in a member of an object.
pub(super) fn labels_of(value: Option<&Value>) -> Labels<'_> {
    let written = value.and_then(Value::as_object).into_iter().flatten();
    written.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?))).collect()
}

/// The group of an API version.
pub(super) fn group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("core", |(group, _)| group)
}
