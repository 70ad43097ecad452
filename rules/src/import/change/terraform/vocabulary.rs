//! The vocabulary: which requests the provider makes for each of Terraform's types, and where their parameters come
//! from.
//!
//! Leaves out how a form is filled (`fill.rs`). The words themselves are data (`vocabulary/`), and whoever uses the
//! program adds files of their own, of which the later replaces an earlier's types.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::form::{Form, Member};
use crate::model::Source;

/// The words that come with the program.
const OWN: [(&str, &str); 8] = [
    ("balancers.yaml", include_str!("vocabulary/balancers.yaml")),
    ("compute.yaml", include_str!("vocabulary/compute.yaml")),
    ("containers.yaml", include_str!("vocabulary/containers.yaml")),
    ("databases.yaml", include_str!("vocabulary/databases.yaml")),
    ("identity.yaml", include_str!("vocabulary/identity.yaml")),
    ("network.yaml", include_str!("vocabulary/network.yaml")),
    ("operations.yaml", include_str!("vocabulary/operations.yaml")),
    ("storage.yaml", include_str!("vocabulary/storage.yaml")),
];

/// All types that are known.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    types: BTreeMap<String, Entry>,
}

/// One type.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// What the provider calls it.
    pub(super) kind: Option<String>,
    /// Its canonical name, where that can be told before it exists.
    pub(super) name: Option<Form>,
    /// The attribute that the `id` will be, where it is one that is known before.
    pub(super) id: Option<String>,
    /// The attributes that requests know it by, beside `id` and `arn`.
    pub(super) known_by: Vec<String>,
    pub(super) create: Vec<CallForm>,
    pub(super) update: Vec<CallForm>,
    pub(super) delete: Vec<CallForm>,
    /// What refreshing it hands out.
    pub(super) read: Vec<CallForm>,
}

/// One request that the provider makes.
#[derive(Debug, Default)]
pub(super) struct CallForm {
    pub(super) operation: String,
    pub(super) creates: bool,
    pub(super) partial: bool,
    pub(super) times: Option<u64>,
    /// The request is made where one of these has a value; always, where there are none.
    pub(super) when: Vec<Form>,
    /// The request is made once for each of these.
    pub(super) each: Option<Form>,
    pub(super) takes: Vec<Member>,
}

/// What is wrong with a vocabulary: where, and what to do.
#[derive(Debug)]
pub(super) struct BadVocabulary {
    pub(super) path: String,
    pub(super) text: String,
}

impl Vocabulary {
    /// The program's own words, and those of the files given.
    pub(super) fn load(more: &[Source]) -> Result<Self, BadVocabulary> {
        let mut all = Self::default();
        for (path, text) in OWN {
            all.add(path, text)?;
        }
        for source in more {
            all.add(&source.path, &source.text)?;
        }
        Ok(all)
    }

    pub(super) fn get(&self, kind: &str) -> Option<&Entry> {
        self.types.get(kind)
    }

    fn add(&mut self, path: &str, text: &str) -> Result<(), BadVocabulary> {
        let bad = |text: String| BadVocabulary { path: path.to_owned(), text };
        let read: yaml_serde::Value =
            yaml_serde::from_str(text).map_err(|error| bad(format!("it cannot be read: {error}")))?;
        let Value::Object(types) = plain(&read).map_err(bad)? else {
            return Err(bad("it has to be a map of Terraform's types to what is known of each".to_owned()));
        };
        for (kind, written) in types {
            // What is only there to be written once and meant often.
            if kind.starts_with('_') {
                continue;
            }
            let entry = entry(&written).map_err(|text| bad(format!("`{kind}`: {text}")))?;
            self.types.insert(kind, entry);
        }
        Ok(())
    }
}

/// YAML as JSON: what is no text as a key is taken by its text.
fn plain(value: &yaml_serde::Value) -> Result<Value, String> {
    use yaml_serde::Value as Yaml;
    Ok(match value {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => Value::Bool(*value),
        Yaml::Number(number) => {
            number.to_string().parse().map_or_else(|_| Value::from(number.to_string()), Value::Number)
        }
        Yaml::String(text) => Value::from(text.as_str()),
        Yaml::Sequence(items) => Value::Array(items.iter().map(plain).collect::<Result<_, _>>()?),
        Yaml::Mapping(map) => {
            let mut members = Map::new();
            for (key, value) in map {
                let key = match plain(key)? {
                    Value::String(text) => text,
                    other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => other.to_string(),
                    Value::Array(_) | Value::Object(_) => {
                        return Err("a key has to be a text; write it without brackets".to_owned());
                    }
                };
                if members.insert(key.clone(), plain(value)?).is_some() {
                    return Err(format!("`{key}` is given twice; remove one"));
                }
            }
            Value::Object(members)
        }
        Yaml::Tagged(_) => return Err("a tag of YAML says nothing here; remove it".to_owned()),
    })
}

fn entry(written: &Value) -> Result<Entry, String> {
    let mut entry = Entry::default();
    let members = map(written, "`type`, `name`, `id`, `knownBy`, `create`, `update`, `delete` and `read`")?;
    for (member, value) in members {
        match member.as_str() {
            "type" => entry.kind = Some(text(value, member)?),
            "name" => {
                let name = text(value, member)?;
                entry.name = Some(Form::format(&name).map_err(|error| format!("`name`: {error}"))?);
            }
            "id" => entry.id = Some(text(value, member)?),
            "knownBy" => entry.known_by = texts(value, member)?,
            "create" => entry.create = calls(value, member)?,
            "update" => entry.update = calls(value, member)?,
            "delete" => entry.delete = calls(value, member)?,
            "read" => entry.read = calls(value, member)?,
            other => {
                return Err(format!(
                    "`{other}` is not known; of a type there may be `type`, `name`, `id`, `knownBy`, `create`, \
                     `update`, `delete` and `read`"
                ));
            }
        }
    }
    Ok(entry)
}

fn calls(value: &Value, phase: &str) -> Result<Vec<CallForm>, String> {
    let Value::Array(items) = value else {
        return Err(format!("`{phase}` has to be a list of calls; begin each with a dash"));
    };
    let mut all = Vec::new();
    for item in items {
        if item.is_array() {
            all.extend(calls(item, phase)?);
        } else {
            all.push(call(item).map_err(|error| format!("`{phase}`: {error}"))?);
        }
    }
    Ok(all)
}

fn call(written: &Value) -> Result<CallForm, String> {
    let may = "`call`, `creates`, `partial`, `times`, `when`, `each` and `takes`";
    let mut call = CallForm::default();
    let members = map(written, may)?;
    let operation = members.get("call").and_then(Value::as_str).unwrap_or_default();
    let whole =
        operation.split_once(':').is_some_and(|(service, name)| !service.is_empty() && !name.is_empty());
    if !whole {
        return Err("a call has no `call`; write the operation, for example `call: ec2:CreateVpc`".to_owned());
    }
    operation.clone_into(&mut call.operation);
    for (member, value) in members {
        let at = |error: String| format!("`{operation}`: {error}");
        match member.as_str() {
            "call" => {}
            "creates" => call.creates = truth(value, member).map_err(at)?,
            "partial" => call.partial = truth(value, member).map_err(at)?,
            "times" => {
                let times = value.as_u64().filter(|times| *times > 0);
                call.times =
                    Some(times.ok_or("`times` has to be a whole number from 1 on".to_owned()).map_err(at)?);
            }
            "when" => {
                let forms = match value {
                    Value::Array(items) => items.iter().map(|item| Form::read(item, "when")).collect(),
                    Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                        Form::read(value, "when").map(|form| vec![form])
                    }
                };
                call.when = forms.map_err(at)?;
            }
            "each" => call.each = Some(Form::read(value, "each").map_err(at)?),
            "takes" => call.takes = Form::members(value, "takes").map_err(at)?,
            other => return Err(at(format!("`{other}` is not known; of a call there may be {may}"))),
        }
    }
    Ok(call)
}

fn map<'v>(value: &'v Value, may: &str) -> Result<&'v Map<String, Value>, String> {
    value.as_object().ok_or_else(|| format!("a map is expected here, with {may}"))
}

fn text(value: &Value, member: &str) -> Result<String, String> {
    value.as_str().map(str::to_owned).ok_or_else(|| format!("`{member}` has to be a text"))
}

fn texts(value: &Value, member: &str) -> Result<Vec<String>, String> {
    let items = value.as_array().ok_or_else(|| format!("`{member}` has to be a list of texts"))?;
    items.iter().map(|item| text(item, member)).collect()
}

fn truth(value: &Value, member: &str) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| format!("`{member}` has to be `true` or `false`"))
}
