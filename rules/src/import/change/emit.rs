//! A value as YAML for people: a line each where that is short, members in the order given.
//!
//! Leaves out what the value says. What is read back is exactly what was given: a text that YAML would read as
//! something else stands in quotes.

use serde_json::{Map, Value};

use super::super::{flow, quoted};

/// The longest line that holds a value as a whole.
const LINE: usize = 100;

/// The members of a document, one after the other.
pub(super) fn members(map: &Map<String, Value>, indent: usize, lines: &mut Vec<String>) {
    for (name, value) in map {
        let head = format!("{:indent$}{}:", "", text(name));
        put(head, value, indent, lines);
    }
}

fn put(head: String, value: &Value, indent: usize, lines: &mut Vec<String>) {
    let short = line(value);
    match value {
        Value::Object(map) if !map.is_empty() && head.len() + short.len() >= LINE => {
            lines.push(head);
            members(map, indent + 2, lines);
        }
        Value::Array(items) if !items.is_empty() && head.len() + short.len() >= LINE => {
            lines.push(head);
            for item in items {
                element(item, indent, lines);
            }
        }
        Value::Array(items) if items.iter().any(|item| item.get("calls").is_some()) => {
            lines.push(head);
            for item in items {
                element(item, indent, lines);
            }
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => lines.push(format!("{head} {short}")),
    }
}

/// One element of a list: the first member of a map stands beside the dash.
fn element(item: &Value, indent: usize, lines: &mut Vec<String>) {
    let short = line(item);
    let at = lines.len();
    match item {
        Value::Object(map) if indent + short.len() + 2 >= LINE => members(map, indent + 2, lines),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => {
            lines.push(format!("{:indent$}- {short}", ""));
            return;
        }
    }
    if let Some(first) = lines.get_mut(at) {
        *first = format!("{:indent$}- {}", "", first.trim_start());
    }
}

/// A value on one line.
fn line(value: &Value) -> String {
    match value {
        Value::String(found) => text(found),
        Value::Number(number) => number_text(&number.to_string()),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(line).collect::<Vec<_>>().join(", "))
        }
        Value::Object(map) => {
            let member = |(name, value): (&String, &Value)| format!("{}: {}", text(name), line(value));
            format!("{{{}}}", map.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) => flow(value),
    }
}

/// A number by its text: one that a reader may write another way stands in quotes.
fn number_text(digits: &str) -> String {
    let whole = digits.strip_prefix('-').unwrap_or(digits);
    let plain = whole.len() <= 15 && whole.bytes().all(|digit| digit.is_ascii_digit());
    if plain { digits.to_owned() } else { quoted(digits) }
}

/// A text without quotes where no reader can take it for anything else.
fn text(found: &str) -> String {
    const WORDS: [&str; 12] =
        ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "inf", "nan", "undefined"];
    let fit = |letter: char| letter.is_ascii_alphanumeric() || "_-./:@".contains(letter);
    let begins = found.starts_with(|letter: char| letter.is_ascii_alphabetic());
    let word = WORDS.iter().any(|word| found.eq_ignore_ascii_case(word));
    let operator = found
        .strip_prefix('$')
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_lowercase()));
    let ends = found.ends_with(':');
    if operator || (begins && !word && !ends && found.chars().all(fit)) {
        found.to_owned()
    } else {
        quoted(found)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{LINE, members};

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let long = "x".repeat(LINE);
        let value = json!({
            "a": "b:c", "on": "off", "time": "2026-01-01", "n": "0x1f", "e": "", "t": "a: b", "h": "a #b",
            "colon:": "x:", "$of": "$glob", "tilde": "~", "é": "\u{2028}", "$a b": ["-1", "1", 1, true],
            "long": [{"k": long, "l": {"m": [], "n": {}}}, [long.clone(), "y"], long],
            "deep": {"x": {"y": {"z": long, "w": "1e3"}}},
        });
        let mut lines = Vec::new();
        members(value.as_object().unwrap(), 0, &mut lines);
        let read: Value = yaml_serde::from_str(&lines.join("\n")).unwrap();
        assert_eq!(read, value);
    }

    #[test]
    fn a_number_keeps_its_text() {
        let value: Value =
            serde_json::from_str(r#"{"a": 0.50, "b": 443, "c": 12345678901234567890}"#).unwrap();
        let mut lines = Vec::new();
        members(value.as_object().unwrap(), 0, &mut lines);
        assert_eq!(lines, ["a: \"0.50\"", "b: 443", "c: \"12345678901234567890\""]);
    }
}
