//! CloudFormation's types: which resource each is, and how its primary identifier makes the resource's name.
//!
//! Names are found by comparing words, as bindings are: they widen what is judged and permit nothing. Leaves out
//! what lies inside of a property.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::bind::Template;
use crate::iam::{Iam, ResourceType};
use crate::source::Package;
use crate::words::{dashed, plain};

const FOLDER: &str = "cfnlint/data/schemas/resources/";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Schema {
    type_name: String,
    #[serde(default)]
    primary_identifier: Vec<String>,
    #[serde(default)]
    handlers: BTreeMap<String, Handler>,
    #[serde(default)]
    properties: BTreeMap<String, IgnoredAny>,
    #[serde(default)]
    create_only_properties: Vec<String>,
    #[serde(default)]
    conditional_create_only_properties: Vec<String>,
    #[serde(default)]
    read_only_properties: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Handler {
    #[serde(default)]
    permissions: Vec<String>,
}

/// One line a type: its name, the resource it is, its name in full with `{1}` for the first part of its identifier
/// (`@1` where that part is the name, `-` where none can be built), and its properties. Behind a property stand `!`
/// where another value makes another resource, `~` where only the provider sets it, `#` and its place in the identifier.
pub(crate) fn text(package: &mut Package, iam: &Iam) -> Result<String> {
    let names: Vec<String> = package
        .names()
        .iter()
        .filter(|name| name.starts_with(FOLDER) && name.ends_with(".json"))
        .cloned()
        .collect();
    let mut lines = BTreeMap::new();
    for name in names {
        let schema: Schema = serde_json::from_slice(&package.read(&name)?).with_context(|| name.clone())?;
        let mut words = schema.type_name.split("::");
        let (Some("AWS"), Some(service), Some(resource), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            continue;
        };
        let (kind, name) = match prefix(iam, service, &schema) {
            Some(prefix) => {
                let (kind, name) = named(iam, &prefix, resource, &schema.primary_identifier);
                (format!("{prefix}:{kind}"), name)
            }
            None => (format!("cloudformation:{}", schema.type_name), "-".to_owned()),
        };
        let properties = properties(&schema);
        lines.insert(schema.type_name.clone(), format!("{} {kind} {name} {properties}\n", schema.type_name));
    }
    Ok(lines.into_values().collect())
}

/// All properties with their marks, `-` for none.
fn properties(schema: &Schema) -> String {
    let first = |path: &String| -> Option<String> {
        Some(path.strip_prefix("/properties/")?.split('/').next()?.to_owned())
    };
    let among = |paths: &[String], name: &str| paths.iter().any(|path| first(path).as_deref() == Some(name));
    let mut words = Vec::new();
    for name in schema.properties.keys() {
        let mut word = name.clone();
        if among(&schema.create_only_properties, name)
            || among(&schema.conditional_create_only_properties, name)
        {
            word.push('!');
        }
        // What the provider sets inside of a property leaves the rest of it to whoever writes it.
        if schema.read_only_properties.contains(&format!("/properties/{name}")) {
            word.push('~');
        }
        let whole = format!("/properties/{name}");
        if let Some(at) = schema.primary_identifier.iter().position(|path| *path == whole) {
            word.push_str(&format!("#{}", at + 1));
        }
        words.push(word);
    }
    if words.is_empty() { "-".to_owned() } else { words.join(",") }
}

/// The prefix of its permissions: the service's own word, else the one its handlers use most.
fn prefix(iam: &Iam, service: &str, schema: &Schema) -> Option<String> {
    let own = service.to_lowercase();
    if iam.kinds(&own).next().is_some() {
        return Some(own);
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for permission in schema.handlers.values().flat_map(|handler| &handler.permissions) {
        if let Some((prefix, _)) = permission.split_once(':')
            && iam.kinds(prefix).next().is_some()
        {
            *counts.entry(prefix).or_default() += 1;
        }
    }
    let most = counts.into_iter().max_by_key(|(prefix, count)| (*count, std::cmp::Reverse(*prefix)));
    most.map(|(prefix, _)| prefix.to_owned())
}

fn named(iam: &Iam, prefix: &str, resource: &str, identifier: &[String]) -> (String, String) {
    let parts: Vec<String> =
        identifier.iter().map(|path| plain(path.rsplit('/').next().unwrap_or(path))).collect();
    let kind = iam.kinds(prefix).find(|kind| plain(&kind.key) == plain(resource));
    let key = kind.map_or_else(|| dashed(resource), |kind| kind.key.replace(' ', "-"));
    let arn = parts.iter().position(|part| part.ends_with("arn"));
    let name = match (arn, kind) {
        (Some(at), _) => format!("@{}", at + 1),
        (None, Some(kind)) => built(kind, &parts).unwrap_or_else(|| "-".to_owned()),
        (None, None) => "-".to_owned(),
    };
    (key, name)
}

/// The template with the parts of the identifier in place of its variables, where both come in one order.
fn built(kind: &ResourceType, parts: &[String]) -> Option<String> {
    let template = Template::parse(&kind.arn);
    if template.variables.len() != parts.len() {
        return None;
    }
    let one = parts.len() == 1;
    let mut text = template.text.clone();
    for (number, (variable, part)) in template.variables.iter().zip(parts).enumerate() {
        if !one && stem(&plain(variable)) != stem(part) {
            return None;
        }
        text = text.replacen(&format!("{{{variable}}}"), &format!("{{{}}}", number + 1), 1);
    }
    Some(text)
}

fn stem(name: &str) -> &str {
    let endings = ["identifier", "name", "id"];
    endings
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .filter(|stem| !stem.is_empty())
        .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_carry_what_is_known_of_each() {
        let schema: Schema = serde_json::from_str(
            r#"{"typeName":"AWS::A::B","primaryIdentifier":["/properties/Id","/properties/Name"],
                "properties":{"Id":{},"Name":{},"Size":{},"Inner":{}},"readOnlyProperties":["/properties/Id",
                "/properties/Inner/State"],"createOnlyProperties":["/properties/Name"],
                "conditionalCreateOnlyProperties":["/properties/Inner/Zone"]}"#,
        )
        .unwrap();
        assert_eq!(properties(&schema), "Id~#1,Inner!,Name!#2,Size");
    }

    #[test]
    fn parts_in_another_order_build_no_name() {
        let kind = ResourceType {
            key: "route".into(),
            arn: "arn:${Partition}:x:${Region}:${Account}:mesh/${MeshName}/route/${RouteId}".into(),
        };
        let parts = |parts: [&str; 2]| parts.map(str::to_owned);
        let name = "arn:{partition}:x:{region}:{account}:mesh/{1}/route/{2}";
        assert_eq!(built(&kind, &parts(["meshid", "routename"])).as_deref(), Some(name));
        assert_eq!(built(&kind, &parts(["routename", "meshid"])), None);
    }
}
