//! The vendor's endpoint rules, evaluated.
//!
//! Leaves out what the result means: a host among others.

use std::collections::HashMap;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::functions::{self, Partitions};

/// What rules say about one set of parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// An endpoint, with its URL and its properties.
    Endpoint {
        /// The URL, scheme included.
        url: String,
        /// How requests to it are signed, first choice first.
        schemes: Vec<Scheme>,
    },
    /// The rules say that there is none.
    Error(String),
}

/// How requests to an endpoint are signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scheme {
    /// `sigv4`, `sigv4a`, …
    pub(crate) name: String,
    /// The name in the credential scope, where the rules say one.
    pub(crate) signing_name: Option<String>,
    /// The region in the credential scope, where the rules say one.
    pub(crate) signing_region: Option<String>,
}

/// Values by name while rules are evaluated.
pub(crate) type Scope = HashMap<String, Value>;

/// Evaluates a rule set. Parameters that are not given take their defaults.
pub(crate) fn evaluate(rule_set: &Value, partitions: &Partitions, given: &Scope) -> Result<Outcome> {
    let mut scope = Scope::new();
    if let Some(Value::Object(parameters)) = rule_set.get("parameters") {
        for (name, parameter) in parameters {
            let value = given.get(name).or_else(|| parameter.get("default"));
            if let Some(value) = value {
                scope.insert(name.clone(), value.clone());
            } else if parameter.get("required") == Some(&Value::Bool(true)) {
                bail!("`{name}` is required and not given");
            }
        }
    }
    let rules = rule_set.get("rules").and_then(Value::as_array).context("a rule set has rules")?;
    match first(rules, partitions, &scope)? {
        Some(outcome) => Ok(outcome),
        None => bail!("no rule fits"),
    }
}

fn first(rules: &[Value], partitions: &Partitions, scope: &Scope) -> Result<Option<Outcome>> {
    for rule in rules {
        let mut inner = scope.clone();
        if !conditions(rule, partitions, &mut inner)? {
            continue;
        }
        let kind = rule.get("type").and_then(Value::as_str).unwrap_or_default();
        match kind {
            "tree" => {
                let rules = rule.get("rules").and_then(Value::as_array).context("a tree has rules")?;
                // A tree whose conditions hold decides, even when nothing in it fits.
                return match first(rules, partitions, &inner)? {
                    Some(outcome) => Ok(Some(outcome)),
                    None => bail!("a tree has no rule that fits"),
                };
            }
            "error" => {
                let text = rule.get("error").map(|value| resolve(value, partitions, &inner)).transpose()?;
                return Ok(Some(Outcome::Error(string(text.as_ref().unwrap_or(&Value::Null)))));
            }
            "endpoint" => {
                let endpoint = rule.get("endpoint").context("an endpoint rule has an endpoint")?;
                return endpoint_of(endpoint, partitions, &inner).map(Some);
            }
            kind => bail!("`{kind}` is no kind of rule"),
        }
    }
    Ok(None)
}

fn conditions(rule: &Value, partitions: &Partitions, scope: &mut Scope) -> Result<bool> {
    for condition in rule.get("conditions").and_then(Value::as_array).into_iter().flatten() {
        let value = call(condition, partitions, scope)?;
        let holds = !matches!(value, Value::Null | Value::Bool(false));
        if !holds {
            return Ok(false);
        }
        if let Some(name) = condition.get("assign").and_then(Value::as_str) {
            scope.insert(name.to_owned(), value);
        }
    }
    Ok(true)
}

fn endpoint_of(endpoint: &Value, partitions: &Partitions, scope: &Scope) -> Result<Outcome> {
    let url = resolve(endpoint.get("url").context("an endpoint has a URL")?, partitions, scope)?;
    let mut schemes = Vec::new();
    let listed = endpoint.pointer("/properties/authSchemes").and_then(Value::as_array);
    for scheme in listed.into_iter().flatten() {
        let field = |name: &str| -> Result<Option<String>> {
            scheme
                .get(name)
                .map(|value| resolve(value, partitions, scope).map(|value| string(&value)))
                .transpose()
        };
        schemes.push(Scheme {
            name: field("name")?.unwrap_or_default(),
            signing_name: field("signingName")?,
            signing_region: field("signingRegion")?,
        });
    }
    Ok(Outcome::Endpoint { url: string(&url), schemes })
}

fn call(call: &Value, partitions: &Partitions, scope: &Scope) -> Result<Value> {
    let name = call.get("fn").and_then(Value::as_str).context("a condition is a call")?;
    let mut arguments = Vec::new();
    for argument in call.get("argv").and_then(Value::as_array).into_iter().flatten() {
        arguments.push(resolve(argument, partitions, scope)?);
    }
    functions::call(name, &arguments, partitions)
}

fn resolve(value: &Value, partitions: &Partitions, scope: &Scope) -> Result<Value> {
    match value {
        Value::String(text) => Ok(Value::String(template(text, scope)?)),
        Value::Object(object) => {
            if let Some(name) = object.get("ref").and_then(Value::as_str) {
                return Ok(scope.get(name).cloned().unwrap_or(Value::Null));
            }
            if object.contains_key("fn") {
                return call(value, partitions, scope);
            }
            Ok(value.clone())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => Ok(value.clone()),
    }
}

/// `{Region}` and `{PartitionResult#dnsSuffix}` in a text; `{{` is a brace.
fn template(text: &str, scope: &Scope) -> Result<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('{') {
            out.push('{');
            rest = after;
            continue;
        }
        let (name, behind) = after.split_once('}').with_context(|| format!("`{text}` has an open brace"))?;
        let value = match name.split_once('#') {
            Some((name, path)) => {
                functions::attribute(scope.get(name).with_context(|| format!("`{name}` is not set"))?, path)
            }
            None => scope.get(name).cloned().unwrap_or(Value::Null),
        };
        if value.is_null() {
            bail!("`{name}` in `{text}` is not set");
        }
        out.push_str(&string(&value));
        rest = behind;
    }
    out.push_str(&rest.replace("}}", "}"));
    Ok(out)
}

fn string(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn partitions() -> Partitions {
        Partitions::parse(&json!({"partitions": [{
            "id": "aws", "regionRegex": "^us-\\w+-\\d+$", "regions": {"us-east-1": {}},
            "outputs": {"name": "aws", "dnsSuffix": "amazonaws.com", "dualStackDnsSuffix": "api.aws",
                        "supportsFIPS": true, "supportsDualStack": true, "implicitGlobalRegion": "us-east-1"}
        }]}))
        .unwrap()
    }

    fn check(rules: Value, region: &str, expected: Outcome) {
        let rule_set = json!({"parameters": {"Region": {"type": "String"}}, "rules": rules});
        let given = Scope::from([("Region".to_owned(), json!(region))]);
        assert_eq!(evaluate(&rule_set, &partitions(), &given).unwrap(), expected);
    }

    #[test]
    fn a_partition_is_assigned_and_used() {
        check(
            json!([{"type": "endpoint",
                    "conditions": [{"fn": "aws.partition", "argv": [{"ref": "Region"}], "assign": "P"}],
                    "endpoint": {"url": "https://x.{Region}.{P#dnsSuffix}"}}]),
            "us-east-1",
            Outcome::Endpoint { url: "https://x.us-east-1.amazonaws.com".to_owned(), schemes: Vec::new() },
        );
    }

    #[test]
    fn a_condition_that_fails_leaves_the_next_rule() {
        check(
            json!([{"type": "error", "error": "first",
                    "conditions": [{"fn": "stringEquals", "argv": [{"ref": "Region"}, "nowhere"]}]},
                   {"type": "error", "error": "second in {Region}", "conditions": []}]),
            "us-east-1",
            Outcome::Error("second in us-east-1".to_owned()),
        );
    }
}
