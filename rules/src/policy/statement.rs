//! Rule text to rules: one statement at a time, each with its annotations and its place.
//!
//! Leaves out whether it fits the schema. A rule that cannot say why it refuses, or what to do then, is
//! not a rule: every one needs `@id`, `@class`, `@reason` and `@remedy`.

use std::collections::BTreeMap;
use std::sync::Arc;

use cedar_policy::{Effect, Policy, PolicyId};
use ordain_action::ReasonCode;
use serde_json::Value;

use super::{Class, Rule};
use crate::Count;
use crate::model::{Problem, Source, nearest};

const ANNOTATIONS: [&str; 6] = ["id", "class", "count", "code", "reason", "remedy"];

/// What a reason may name, in braces.
const PLACES: [&str; 13] = [
    "actor",
    "owner",
    "resource",
    "system",
    "operation",
    "access",
    "change",
    "unplanned",
    "freeze",
    "window",
    "dependants",
    "environment",
    "tier",
];

/// A sentence with places to fill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wording(String);

impl Wording {
    /// Refuses a place that nothing fills.
    fn parse(text: &str) -> Result<Self, String> {
        for part in text.split('{').skip(1) {
            let place = part.split('}').next().unwrap_or_default();
            if !PLACES.contains(&place) {
                return Err(format!("unknown place `{{{place}}}`; {}", nearest(place, &PLACES)));
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// The sentence with its places filled.
    pub(crate) fn fill(&self, value: &dyn Fn(&str) -> String) -> String {
        let mut whole = String::with_capacity(self.0.len() + 64);
        let mut parts = self.0.split('{');
        whole.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let (place, rest) = part.split_once('}').unwrap_or((part, ""));
            whole.push_str(&value(place));
            whole.push_str(rest);
        }
        whole
    }
}

/// Every rule of a file.
pub(super) fn rules(source: &Source, problems: &mut Vec<Problem>) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (line, text) in statements(&source.text) {
        match rule(source, line, text) {
            Ok(rule) => rules.push(rule),
            Err(text) => problems.push(Problem { path: source.path.clone(), line, text }),
        }
    }
    rules
}

fn rule(source: &Source, line: usize, text: &str) -> Result<Rule, String> {
    let policy = Policy::parse(None, text).map_err(|errors| {
        let all: Vec<String> = errors.iter().map(ToString::to_string).collect();
        format!("not a rule that can be read: {}; correct it", all.join(", "))
    })?;
    let given: BTreeMap<&str, &str> = policy.annotations().collect();
    if let Some(unknown) = given.keys().find(|key| !ANNOTATIONS.contains(key)) {
        return Err(format!("unknown annotation `@{unknown}`; {}", nearest(unknown, &ANNOTATIONS)));
    }
    let needed = |key: &str| given.get(key).copied().ok_or(format!("the rule has no `@{key}`; add one"));
    let id = needed("id")?;
    let class = match (needed("class")?, policy.effect()) {
        ("ground", Effect::Permit) => Class::Ground,
        ("gate", Effect::Forbid) => Class::Gate,
        ("hold", Effect::Forbid) => Class::Hold,
        ("ground", Effect::Forbid) => {
            return Err(format!("`{id}` is a ground and forbids; a ground permits"));
        }
        (class @ ("gate" | "hold"), Effect::Permit) => {
            return Err(format!("`{id}` is a {class} and permits; a {class} forbids"));
        }
        (other, _) => return Err(format!("unknown class `{other}`; it is `ground`, `gate` or `hold`")),
    };
    let count = match given.get("count").copied() {
        None | Some("legitimacy") => Count::Legitimacy,
        Some("ownership") => Count::Ownership,
        Some("blast_radius") => Count::BlastRadius,
        Some(other) => {
            let known = nearest(other, &["legitimacy", "ownership", "blast_radius"]);
            return Err(format!("unknown count `{other}`; {known}"));
        }
    };
    let code = given.get("code").map_or_else(|| id.replace('-', "_"), |code| (*code).to_owned());
    let code = ReasonCode::new(&code).ok_or_else(|| {
        format!("`{code}` is no reason code; use small letters, digits and `_`, or set `@code`")
    })?;
    let (reason, remedy) = (needed("reason")?, needed("remedy")?);
    if reason.is_empty() || (class != Class::Ground && remedy.is_empty()) {
        return Err(format!("`{id}` gives no reason or no remedy; say why it refuses and what to do"));
    }
    let liftable = policy.to_json().is_ok_and(|json| is_lifted(&json, id));
    let reads_parameters = policy.to_json().map_or(true, |json| json.to_string().contains("\"parameters\""));
    Ok(Rule {
        id: Arc::from(id),
        class,
        count,
        code,
        reason: Wording::parse(reason)?,
        remedy: Wording::parse(remedy)?,
        reads_parameters,
        liftable,
        policy: policy.new_id(PolicyId::new(id)),
        place: (source.path.clone(), line),
    })
}

/// Whether `context.lifted.contains(…)` of its own id stands anywhere in it.
fn is_lifted(json: &Value, id: &str) -> bool {
    let asks = |json: &Value| {
        let test = json.get("contains")?;
        let set = test.get("left")?.get(".")?;
        let lifted = set.get("left")?.get("Var")? == "context" && set.get("attr")? == "lifted";
        Some(lifted && test.get("right")?.get("Value")? == id)
    };
    asks(json).unwrap_or_default()
        || match json {
            Value::Object(members) => members.values().any(|member| is_lifted(member, id)),
            Value::Array(items) => items.iter().any(|item| is_lifted(item, id)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        }
}

/// Cuts a file at the semicolons that end its statements; each with the number of its first line.
fn statements(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let (mut start, mut quoted, mut escaped, mut comment) = (0, false, false, false);
    let mut previous = '\n';
    for (at, character) in text.char_indices() {
        match character {
            '\n' => comment = false,
            _ if comment => {}
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '/' if !quoted && previous == '/' => comment = true,
            ';' if !quoted => {
                found.extend(statement(text, start, at + 1));
                start = at + 1;
            }
            _ => {}
        }
        previous = character;
    }
    found.extend(statement(text, start, text.len()));
    found
}

/// A statement without the blank and comment lines before it; `None` where nothing else is there.
fn statement(text: &str, start: usize, end: usize) -> Option<(usize, &str)> {
    let mut from = start;
    for line in text.get(start..end)?.split_inclusive('\n') {
        let bare = line.trim();
        if !bare.is_empty() && !bare.starts_with("//") {
            let number = text.get(..from)?.matches('\n').count() + 1;
            return Some((number, text.get(from..end)?));
        }
        from += line.len();
    }
    None
}
