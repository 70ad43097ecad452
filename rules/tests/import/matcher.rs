//! A matcher of recorded requests against a change, written apart from the judge's: what a change that is imported has to
//! take in.

#![expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "what is asked for is there, or the test fails"
)]

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value};

/// Members by which clients tell a repeat; the judge leaves them out.
const TOKENS: [&str; 4] = ["ClientToken", "ClientRequestToken", "clientToken", "clientRequestToken"];

/// A recorded request, as far as it is one effect.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Request {
    pub(crate) operation: String,
    pub(crate) resources: Vec<(String, String, String)>,
    pub(crate) parameters: Vec<(String, Value)>,
    /// Another effect of the request before it: it is not counted.
    #[serde(default)]
    pub(crate) also: bool,
}

/// What resources are known by, by the ids of items.
pub(crate) type Identities = BTreeMap<String, BTreeSet<String>>;

/// A change, with how often each of its calls has been used.
#[derive(Debug)]
pub(crate) struct Change {
    items: Vec<Value>,
    identities: Identities,
    used: BTreeMap<(usize, usize), u64>,
}

impl Change {
    pub(crate) fn read(text: &str, known: &Identities) -> Self {
        let document: Value = yaml_serde::from_str(text).unwrap();
        let items = document["spec"]["items"].as_array().unwrap().clone();
        let mut identities = Identities::new();
        for item in &items {
            let id = item["id"].as_str().unwrap().to_owned();
            let mut own = known.get(&id).cloned().unwrap_or_default();
            own.extend(item["name"].as_str().map(str::to_owned));
            let written = item["identifiers"].as_array().into_iter().flatten();
            own.extend(written.map(|text| text.as_str().unwrap().to_owned()));
            identities.insert(id, own);
        }
        Self { items, identities, used: BTreeMap::new() }
    }

    /// Takes in a request, or says why no call does.
    pub(crate) fn take(&mut self, request: &Request) -> Result<(), String> {
        let tree = tree(&request.parameters);
        let mut reasons = Vec::new();
        for (at, item) in self.items.iter().enumerate() {
            for (number, call) in item["calls"].as_array().unwrap().iter().enumerate() {
                if call["operation"] != request.operation {
                    continue;
                }
                let used = self.used.get(&(at, number)).copied().unwrap_or_default();
                if !request.also && call["reads"] != true && used >= call["times"].as_u64().unwrap_or(1) {
                    reasons.push(format!("{}: used up", item["id"]));
                    continue;
                }
                let named = |name: &str| self.identities[item["id"].as_str().unwrap()].contains(name);
                if call["partial"] == true && !request.resources.iter().any(|(_, _, name)| named(name)) {
                    reasons.push(format!("{}: another target", item["id"]));
                    continue;
                }
                match self.fits(&tree, call) {
                    Ok(()) => {
                        *self.used.entry((at, number)).or_default() += u64::from(!request.also);
                        return Ok(());
                    }
                    Err(reason) => reasons.push(format!("{}: {reason}", item["id"])),
                }
            }
        }
        Err(format!("{} {tree} has no call:\n    {}", request.operation, reasons.join("\n    ")))
    }

    fn fits(&self, tree: &Value, call: &Value) -> Result<(), String> {
        self.object(tree, &call["takes"], "", false)?;
        for path in call["must"].as_array().into_iter().flatten() {
            let path = path.as_str().unwrap();
            if !has(tree, &path.split('.').collect::<Vec<_>>()) {
                return Err(format!("`{path}` is missing"));
            }
        }
        Ok(())
    }

    fn object(&self, tree: &Value, takes: &Value, path: &str, whole: bool) -> Result<(), String> {
        let (Some(tree), Some(takes)) = (tree.as_object(), takes.as_object()) else {
            return Err(format!("`{path}` is another thing: {tree} for {takes}"));
        };
        for (name, value) in tree {
            if TOKENS.contains(&name.as_str()) {
                continue;
            }
            let path = format!("{path}.{name}");
            let planned = takes.get(name).ok_or_else(|| format!("`{path}={value}` was not planned"))?;
            self.value(value, planned, &path, whole)?;
        }
        // An element of a list is the planned one as a whole.
        match takes.keys().find(|name| whole && !tree.contains_key(*name)) {
            Some(name) => Err(format!("`{path}.{name}` is not there")),
            None => Ok(()),
        }
    }

    fn value(&self, value: &Value, planned: &Value, path: &str, whole: bool) -> Result<(), String> {
        let refused = || Err(format!("`{path}={value}` is not {planned}"));
        let text = value.as_str();
        let operator = planned.as_object().and_then(|map| map.iter().find(|(name, _)| name.starts_with('$')));
        if let Some((name, operand)) = operator {
            let items =
                || operand.as_array().unwrap().iter().map(|item| &self.identities[item.as_str().unwrap()]);
            let fits = match name.as_str() {
                "$of" => text.is_some_and(|text| self.identities[operand.as_str().unwrap()].contains(text)),
                "$any" => {
                    let all = value.to_string();
                    items().all(|known| known.iter().any(|one| all.contains(one.as_str())))
                }
                "$secret" => text.is_some_and(|text| text.starts_with("hmac-sha256:")),
                "$json" => text.is_some_and(|text| {
                    serde_json::from_str::<Value>(text).is_ok_and(|value| same(&value, operand))
                }),
                "$in" => {
                    operand.as_array().unwrap().iter().any(|one| self.value(value, one, path, whole).is_ok())
                }
                "$glob" => text.is_some_and(|text| glob(operand.as_str().unwrap(), text)),
                other => return Err(format!("`{other}` is no operator")),
            };
            return if fits { Ok(()) } else { refused() };
        }
        match planned {
            Value::Object(_) => self.object(value, planned, path, whole),
            Value::Array(all) => {
                let one = std::slice::from_ref(value);
                for element in value.as_array().map_or(one, Vec::as_slice) {
                    let reasons: Vec<String> = all
                        .iter()
                        .filter_map(|planned| self.value(element, planned, path, true).err())
                        .collect();
                    if reasons.len() == all.len() {
                        return Err(reasons.join("; "));
                    }
                }
                Ok(())
            }
            scalar => {
                let scalar = scalar.as_str().map_or_else(|| scalar.to_string(), str::to_owned);
                if text == Some(scalar.as_str()) { Ok(()) } else { refused() }
            }
        }
    }
}

fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, value)| right.get(name).is_some_and(|other| same(value, other)))
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (left, right) => left == right,
    }
}

fn has(tree: &Value, path: &[&str]) -> bool {
    match (path, tree) {
        ([], _) => true,
        (_, Value::Array(items)) => items.iter().all(|item| has(item, path)),
        ([name, rest @ ..], tree) => tree.get(name).is_some_and(|inner| has(inner, rest)),
    }
}

fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, "")) => text.starts_with(before),
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).filter(|at| rest.is_char_boundary(*at)).any(|at| glob(after, &rest[at..]))
        }),
    }
}

/// The parameters as a tree, without `member`, and with lists where numbers stand.
fn tree(parameters: &[(String, Value)]) -> Value {
    let mut root = Value::Object(Map::new());
    for (path, value) in parameters {
        let mut at = &mut root;
        for step in path.split('.').filter(|step| *step != "member") {
            at = match step.parse::<usize>() {
                Ok(number) => {
                    if !at.is_array() {
                        *at = Value::Array(Vec::new());
                    }
                    let items = at.as_array_mut().unwrap();
                    items.resize(items.len().max(number), Value::Object(Map::new()));
                    &mut items[number - 1]
                }
                Err(_) => {
                    if !at.is_object() {
                        *at = Value::Object(Map::new());
                    }
                    at.as_object_mut().unwrap().entry(step).or_insert_with(|| Value::Object(Map::new()))
                }
            };
        }
        *at = Value::from(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    root
}
