//! Policy documents carried by a request: whether one opens something to everybody, or grants at all.
//!
//! Leaves out what the statements allow: that is for rules to read from the parameters.

use serde_json::Value;

/// What a policy document does, as far as is certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Policy {
    /// It grants something to somebody named, or under a condition.
    Grants,
    /// It allows everybody something without a condition.
    Public,
}

/// Reads a text as a policy document; `None` when it is not one.
pub(crate) fn read(text: &str) -> Option<Policy> {
    if !text.trim_start().starts_with('{') {
        return None;
    }
    let document: Value = serde_json::from_str(text).ok()?;
    let statements = document.get("Statement")?;
    let public = match statements {
        Value::Array(statements) => statements.iter().any(is_public),
        Value::Object(_) => is_public(statements),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
    };
    Some(if public { Policy::Public } else { Policy::Grants })
}

fn is_public(statement: &Value) -> bool {
    let allows = statement.get("Effect").and_then(Value::as_str) == Some("Allow");
    let conditioned = match statement.get("Condition") {
        Some(Value::Object(conditions)) => !conditions.is_empty(),
        Some(_) | None => false,
    };
    let everybody = match statement.get("Principal") {
        Some(Value::Object(kinds)) => kinds.values().any(is_star),
        Some(principal) => is_star(principal),
        // Everybody but those named.
        None => statement.get("NotPrincipal").is_some(),
    };
    allows && everybody && !conditioned
}

fn is_star(value: &Value) -> bool {
    match value {
        Value::String(text) => text == "*",
        Value::Array(items) => items.iter().any(is_star),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_without_a_condition_is_public() {
        for text in [
            r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}]}"#,
            r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":["123456789012","*"]},"Action":"*"}}"#,
            r#"{"Statement":[{"Effect":"Allow","NotPrincipal":{"AWS":"x"},"Action":"*"}]}"#,
        ] {
            assert_eq!(read(text), Some(Policy::Public), "{text}");
        }
    }

    #[test]
    fn a_denial_a_condition_or_a_name_is_not() {
        for text in [
            r#"{"Statement":[{"Effect":"Deny","Principal":"*","Action":"*"}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Principal":"*","Condition":{"StringEquals":{"a":"b"}}}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"}}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
        ] {
            assert_eq!(read(text), Some(Policy::Grants), "{text}");
        }
        assert_eq!(read("{\"a\":1}"), None);
        assert_eq!(read("not a policy"), None);
    }
}
