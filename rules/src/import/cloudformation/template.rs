//! A template: its resources by their logical ids, and which of them each refers to.
//!
//! Leaves out what properties are, conditions, and policies: who may use something is no dependency.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::import::aws;

/// A template of a stack.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) path: String,
    resources: BTreeMap<String, Declared>,
}

/// A resource that a template declares.
#[derive(Debug)]
struct Declared {
    resource_type: String,
    refers_to: BTreeSet<String>,
    /// It lies in a folder of IAM, which is part of its name and not of its identifier.
    in_folder: bool,
}

impl Template {
    /// Reads a template; none where it is none.
    pub(super) fn of(path: &str, value: Value) -> Option<Self> {
        let Value::Object(mut members) = value else { return None };
        let Some(Value::Object(resources)) = members.remove("Resources") else { return None };
        let declared = |(name, resource): (String, Value)| Some((name, Declared::of(resource)?));
        Some(Self { path: path.to_owned(), resources: resources.into_iter().filter_map(declared).collect() })
    }

    /// Whether a stack with these resources, by logical id and type, may be made of it: it declares them all. It may
    /// declare more, under conditions.
    pub(super) fn declares(&self, resources: &[(&str, &str)]) -> bool {
        resources.iter().all(|(name, resource_type)| {
            self.resources.get(*name).is_some_and(|declared| declared.resource_type == *resource_type)
        })
    }

    /// Who refers to whom, by logical ids.
    pub(super) fn references(&self) -> impl Iterator<Item = (&str, &str)> {
        self.resources.iter().flat_map(|(name, declared)| {
            declared.refers_to.iter().map(move |other| (name.as_str(), other.as_str()))
        })
    }

    /// Whether the name of a resource has a folder in it that its identifier does not.
    pub(super) fn in_folder(&self, name: &str) -> bool {
        self.resources.get(name).is_some_and(|declared| declared.in_folder)
    }
}

impl Declared {
    fn of(mut resource: Value) -> Option<Self> {
        let resource_type = resource.get("Type")?.as_str()?.to_owned();
        let folder = resource.pointer("/Properties/Path");
        let in_folder = resource_type.starts_with("AWS::IAM::")
            && folder.is_some_and(|folder| folder.as_str() != Some("/"));
        let mut refers_to = BTreeSet::new();
        if let Some(after) = resource.get("DependsOn") {
            refers_to.extend(one_or_more(after).map(str::to_owned));
        }
        aws::without_policies(&mut resource);
        let mut open = vec![&resource];
        while let Some(value) = open.pop() {
            match value {
                Value::Array(items) => open.extend(items),
                Value::Object(members) => {
                    for (name, given) in members {
                        refers_to.extend(referred(name, given));
                        open.push(given);
                    }
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        Some(Self { resource_type, refers_to, in_folder })
    }
}

fn one_or_more(value: &Value) -> impl Iterator<Item = &str> {
    value.as_str().into_iter().chain(value.as_array().into_iter().flatten().filter_map(Value::as_str))
}

/// Logical ids that a function names itself; what it is given may hold others.
fn referred(function: &str, given: &Value) -> Vec<String> {
    let first = one_or_more(given).next().unwrap_or_default();
    match function {
        "Ref" => vec![first.to_owned()],
        // An attribute of a nested stack has dots of its own.
        "Fn::GetAtt" => vec![first.split('.').next().unwrap_or_default().to_owned()],
        "Fn::Sub" => {
            let own = given.as_array().and_then(|items| items.get(1)).and_then(Value::as_object);
            let declared_here = |name: &String| own.is_some_and(|own| own.contains_key(name));
            substituted(first).into_iter().filter(|name| !declared_here(name)).collect()
        }
        _ => Vec::new(),
    }
}

/// The names in a text that values stand in for: `web` of `${web.Arn}`, and nothing of `${!web}`.
fn substituted(text: &str) -> Vec<String> {
    let variables = text.split("${").skip(1).filter_map(|rest| rest.split_once('}'));
    let names = variables.map(|(name, _)| name.trim()).filter(|name| !name.starts_with('!'));
    names.map(|name| name.split('.').next().unwrap_or_default().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::substituted;

    #[test]
    fn a_text_names_what_stands_in_it() {
        assert_eq!(
            substituted("arn:${AWS::Partition}:x/${Web.Arn}/${ Db }/${!Literal}/$Other"),
            ["AWS::Partition", "Web", "Db"]
        );
        assert!(substituted("${unfinished").is_empty());
    }
}
