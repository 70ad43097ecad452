//! What the command line prints of stacks, and templates, read from JSON or YAML.
//!
//! Leaves out parameters and outputs of stacks, which may be secret: there is no member for them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use yaml_serde::Value as Yaml;

use super::template::Template;
use crate::import::ImportError;
use crate::model::Source;

/// What to give, where something else was given.
pub(super) const GIVE: &str = "give the output of `aws cloudformation describe-stacks`, `describe-stack-resources`, \
                               `list-stack-resources` or `get-template`, or a template";

/// A stack.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Stack {
    pub(super) stack_id: String,
    pub(super) stack_name: String,
    pub(super) stack_status: Option<String>,
    pub(super) tags: Value,
    pub(super) parent_id: Option<String>,
    #[serde(rename = "RoleARN")]
    pub(super) role_arn: Option<String>,
    pub(super) creation_time: Value,
    pub(super) last_updated_time: Value,
}

impl Stack {
    /// What a resource says of its stack.
    pub(super) fn of(stack_id: &str, resource: &StackResource) -> Self {
        let stack_name = resource.stack_name.clone().unwrap_or_default();
        Self { stack_id: stack_id.to_owned(), stack_name, ..Self::default() }
    }
}

/// A resource of a stack.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct StackResource {
    pub(super) stack_name: Option<String>,
    pub(super) stack_id: Option<String>,
    pub(super) logical_resource_id: String,
    pub(super) physical_resource_id: Option<String>,
    pub(super) resource_type: String,
    pub(super) resource_status: Option<String>,
    #[serde(alias = "LastUpdatedTimestamp")]
    pub(super) timestamp: Value,
}

/// Everything that the files of an import hold.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pub(super) stacks: Vec<Stack>,
    pub(super) resources: Vec<StackResource>,
    /// Resources that do not say their stack, by the file.
    pub(super) summaries: BTreeMap<String, Vec<StackResource>>,
    pub(super) templates: Vec<Template>,
}

impl Answers {
    pub(super) fn read(sources: &[Source]) -> Result<Self, ImportError> {
        let mut answers = Self::default();
        for source in sources {
            let refused = |text: String| ImportError { path: source.path.clone(), text };
            let known =
                parse(&source.text).and_then(|value| answers.add(&source.path, value)).map_err(refused)?;
            if !known {
                return Err(refused(format!("it says nothing of stacks; {GIVE}")));
            }
        }
        Ok(answers)
    }

    /// Takes in one file; whether there was something in it to take in.
    fn add(&mut self, path: &str, value: Value) -> Result<bool, String> {
        let Value::Object(mut members) = value else { return Ok(false) };
        let mut known = false;
        if let Some(stacks) = list(&mut members, "Stacks")? {
            self.stacks.extend(stacks);
            known = true;
        }
        if let Some(resources) = list(&mut members, "StackResources")? {
            self.resources.extend(resources);
            known = true;
        }
        if let Some(resources) = list(&mut members, "StackResourceSummaries")? {
            self.summaries.entry(path.to_owned()).or_default().extend(resources);
            known = true;
        }
        let template = match members.remove("TemplateBody") {
            Some(Value::String(text)) => parse(&text)?,
            Some(body) => body,
            None => Value::Object(members),
        };
        if let Some(template) = Template::of(path, template) {
            self.templates.push(template);
            known = true;
        }
        Ok(known)
    }
}

fn list<T: DeserializeOwned>(members: &mut Map<String, Value>, name: &str) -> Result<Option<Vec<T>>, String> {
    let Some(value) = members.remove(name) else { return Ok(None) };
    // What the reader says of a text may repeat it, and a text may be a secret.
    let read = serde_json::from_value(value);
    read.map(Some).map_err(|_| format!("its `{name}` are in no form that is known; {GIVE}"))
}

fn parse(text: &str) -> Result<Value, String> {
    if let Ok(value) = serde_json::from_str(text) {
        return Ok(value);
    }
    match yaml_serde::from_str(text) {
        Ok(value) => Ok(json(value)),
        Err(error) => {
            let place = error.location().map(|at| format!(" at line {} column {}", at.line(), at.column()));
            Err(format!("it is neither JSON nor YAML that can be read{}; {GIVE}", place.unwrap_or_default()))
        }
    }
}

/// The same in JSON, which has functions as maps of one member where YAML may have tags.
fn json(value: Yaml) -> Value {
    match value {
        Yaml::Null => Value::Null,
        Yaml::Bool(truth) => Value::Bool(truth),
        // No number is of interest here.
        Yaml::Number(number) => Value::String(number.to_string()),
        Yaml::String(text) => Value::String(text),
        Yaml::Sequence(items) => items.into_iter().map(json).collect(),
        Yaml::Mapping(members) => {
            let member = |(key, value): (Yaml, Yaml)| Some((key.as_str()?.to_owned(), json(value)));
            Value::Object(members.into_iter().filter_map(member).collect())
        }
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let short = tag.trim_start_matches('!');
            let plain = matches!(short, "Ref" | "Condition");
            let name = if plain { short.to_owned() } else { format!("Fn::{short}") };
            Value::Object(Map::from_iter([(name, json(tagged.value))]))
        }
    }
}
