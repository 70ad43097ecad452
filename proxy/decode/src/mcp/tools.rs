//! What is known of a server's tools: the list that its operator keeps of them, and what the operator says they do.
//!
//! Leaves out messages (`message.rs`).

use std::collections::{BTreeMap, BTreeSet};

use ordain_action::Access;
use serde::Deserialize;

use crate::described::{Described, Says};
use crate::form::Fields;
use crate::form::fields::{folded, segments, unescape};
use crate::setup::McpServer;
use crate::tokens::looks_secret;

/// One server.
#[derive(Debug)]
pub(super) struct Server {
    said: BTreeMap<String, Says>,
    listed: BTreeMap<String, Tool>,
}

/// The answer to `tools/list`, or its result alone, as far as it is needed.
#[derive(Debug, Default, Deserialize)]
struct Listed {
    result: Option<Box<Listed>>,
    #[serde(default)]
    tools: Vec<Tool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tool {
    name: String,
    #[serde(default)]
    annotations: Annotations,
    input_schema: Schema,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Annotations {
    read_only_hint: bool,
}

#[derive(Debug, Deserialize)]
struct Schema {
    #[serde(default)]
    properties: BTreeMap<String, serde_json::Value>,
}

impl Described for Tool {
    fn field(&self, path: &str) -> Result<String, String> {
        let first = path.split('.').next().unwrap_or(path);
        if self.input_schema.properties.contains_key(first) {
            return Ok(path.to_owned());
        }
        let known: Vec<&str> = self.input_schema.properties.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "none".to_owned() } else { format!("`{}`", known.join("`, `")) };
        Err(format!("the tool has no argument `{first}`; it has {known}"))
    }

    fn is_secret(&self, said: &BTreeSet<String>, path: &str) -> bool {
        said.contains(path) || looks_secret(path)
    }

    fn holds_others(&self, path: &str) -> bool {
        let schema = self.input_schema.properties.get(path);
        schema.and_then(|schema| schema.get("type")).is_some_and(|kind| kind == "object")
    }
}

impl Schema {
    /// The part of a path that is in other letters than the schema has it, as far as that says what there is.
    fn in_other_letters(&self, path: &str) -> Option<String> {
        let mut parts = segments(path);
        let first = unescape(parts.next()?);
        let Some(mut at) = self.properties.get(&first) else {
            return only_folded(first, self.properties.keys());
        };
        for part in parts {
            if let Some(items) = at.get("items")
                && part.bytes().all(|byte| byte.is_ascii_digit())
            {
                at = items;
                continue;
            }
            let name = unescape(part);
            let properties = at.get("properties")?.as_object()?;
            match properties.get(&name) {
                Some(next) => at = next,
                None => return only_folded(name, properties.keys()),
            }
        }
        None
    }
}

fn only_folded<'k>(name: String, mut known: impl Iterator<Item = &'k String>) -> Option<String> {
    let own = folded(&name);
    known.any(|known| folded(known) == own).then_some(name)
}

impl Server {
    /// What is said of a server, held against the list of its tools.
    ///
    /// # Errors
    /// The list is none, or what is said does not fit it.
    pub(super) fn new(server: &McpServer) -> Result<Self, String> {
        let mut listed = match &server.tools {
            Some(text) => serde_json::from_slice::<Listed>(text)
                .map_err(|error| format!("the list of tools is not what `tools/list` answers: {error}"))?,
            None => Listed::default(),
        };
        if let Some(result) = listed.result.take() {
            listed = *result;
        }
        let mut tools = BTreeMap::new();
        for tool in listed.tools {
            let name = tool.name.clone();
            if tools.insert(name.clone(), tool).is_some() {
                return Err(format!("the list of tools has `{name}` twice; take one of them out"));
            }
        }
        let mut said = BTreeMap::new();
        for method in &server.methods {
            let name = &method.name;
            let tool = tools.get(name).ok_or_else(|| {
                format!("`{name}` is no tool in the list; give the list that the server answers to `tools/list` now")
            })?;
            let says = Says::new(method, tool)?;
            if says.access == Access::Read && !tool.annotations.read_only_hint {
                return Err(format!(
                    "`{name}` is said to be a `read`, and the tool itself is not annotated so (`readOnlyHint`); say what \
                     it changes"
                ));
            }
            if says.stream {
                return Err(format!("`{name}` is said to be a stream, which no tool is; take it out"));
            }
            if said.insert(name.clone(), says).is_some() {
                return Err(format!("`{name}` is said twice; take one of them out"));
            }
        }
        Ok(Self { said, listed: tools })
    }

    /// What is said of a tool.
    pub(super) fn says(&self, tool: &str) -> Option<&Says> {
        self.said.get(tool)
    }

    /// An argument that is one of a tool's in other letters alone, which servers may take for that one.
    pub(super) fn in_other_letters(&self, tool: &str, arguments: &Fields) -> Option<String> {
        let schema = &self.listed.get(tool)?.input_schema;
        arguments.iter().find_map(|(path, _)| schema.in_other_letters(path))
    }

    /// Some tool's answer hands out a credential.
    pub(super) fn mints(&self) -> bool {
        self.said.values().any(|says| says.mints)
    }

    /// Of how many tools something is said.
    pub(super) fn said(&self) -> usize {
        self.said.len()
    }
}
