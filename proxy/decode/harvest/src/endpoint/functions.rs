//! The functions of the vendor's endpoint rules.
//!
//! Leaves out those that no rule set of the pinned package uses.

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};

/// The partitions that `aws.partition` answers from.
#[derive(Debug, Clone)]
pub(crate) struct Partitions {
    pub(crate) all: Vec<Partition>,
}

/// One partition.
#[derive(Debug, Clone)]
pub(crate) struct Partition {
    pub(crate) name: String,
    pub(crate) regions: Vec<String>,
    outputs: Map<String, Value>,
}

impl Partition {
    /// What its usual hosts end in.
    pub(crate) fn suffix(&self) -> &str {
        self.outputs.get("dnsSuffix").and_then(Value::as_str).unwrap_or_default()
    }

    /// What its dualstack hosts end in.
    pub(crate) fn dualstack_suffix(&self) -> &str {
        self.outputs.get("dualStackDnsSuffix").and_then(Value::as_str).unwrap_or_default()
    }
}

impl Partitions {
    /// Reads `partitions.json`.
    pub(crate) fn parse(value: &Value) -> Result<Self> {
        let mut all = Vec::new();
        for partition in value.get("partitions").and_then(Value::as_array).context("no partitions")? {
            let regions = partition.get("regions").and_then(Value::as_object).context("no regions")?;
            let mut regions: Vec<String> = regions.keys().cloned().collect();
            regions.sort();
            all.push(Partition {
                name: partition.get("id").and_then(Value::as_str).context("no id")?.to_owned(),
                regions,
                outputs: partition.get("outputs").and_then(Value::as_object).context("no outputs")?.clone(),
            });
        }
        Ok(Self { all })
    }

    /// The partition of a region of the closed set; the first one for any other, as the vendor does.
    fn of(&self, region: &str) -> Option<&Partition> {
        let known = |partition: &&Partition| partition.regions.iter().any(|known| known == region);
        self.all.iter().find(known).or_else(|| self.all.first())
    }
}

/// Calls a function.
pub(crate) fn call(name: &str, arguments: &[Value], partitions: &Partitions) -> Result<Value> {
    let argument = |at: usize| arguments.get(at).unwrap_or(&Value::Null);
    let text = |at: usize| argument(at).as_str();
    Ok(match name {
        "isSet" => Value::Bool(!argument(0).is_null()),
        "not" => Value::Bool(matches!(argument(0), Value::Null | Value::Bool(false))),
        "booleanEquals" | "stringEquals" => Value::Bool(argument(0) == argument(1)),
        "getAttr" => attribute(argument(0), text(1).context("getAttr takes a path")?),
        "aws.partition" => match text(0).and_then(|region| partitions.of(region)) {
            Some(partition) => Value::Object(partition.outputs.clone()),
            None => Value::Null,
        },
        "aws.parseArn" => text(0).map_or(Value::Null, arn),
        "aws.isVirtualHostableS3Bucket" => {
            Value::Bool(text(0).is_some_and(|name| bucket_label(name, argument(1) == &Value::Bool(true))))
        }
        "isValidHostLabel" => {
            Value::Bool(text(0).is_some_and(|label| host_label(label, argument(1) == &Value::Bool(true))))
        }
        "parseURL" => text(0).map_or(Value::Null, url),
        "substring" => substring(arguments),
        "uriEncode" => text(0).map_or(Value::Null, |text| Value::String(encode(text))),
        name => bail!("`{name}` is a function that is not known; add it"),
    })
}

/// `resourceId[1]` or `a.b` in a value; null where there is none.
pub(crate) fn attribute(value: &Value, path: &str) -> Value {
    let mut here = value;
    for part in path.split('.') {
        let (name, index) = part.split_once('[').map_or((part, None), |(name, rest)| {
            (name, rest.strip_suffix(']').and_then(|index| index.parse::<usize>().ok()))
        });
        if !name.is_empty() {
            here = here.get(name).unwrap_or(&Value::Null);
        }
        if let Some(index) = index {
            here = here.get(index).unwrap_or(&Value::Null);
        }
    }
    here.clone()
}

fn arn(text: &str) -> Value {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [scheme, partition, service, region, account, resource] = parts.as_slice() else {
        return Value::Null;
    };
    if *scheme != "arn" || partition.is_empty() || service.is_empty() || resource.is_empty() {
        return Value::Null;
    }
    let resource: Vec<&str> = resource.split([':', '/']).collect();
    json!({"partition": partition, "service": service, "region": region, "accountId": account, "resourceId": resource})
}

fn host_label(label: &str, dots: bool) -> bool {
    if dots {
        return !label.is_empty() && label.split('.').all(|label| host_label(label, false));
    }
    let letter = |byte: u8| byte.is_ascii_alphanumeric();
    (1..=63).contains(&label.len())
        && label.bytes().next().is_some_and(letter)
        && label.bytes().all(|byte| letter(byte) || byte == b'-')
}

fn bucket_label(name: &str, dots: bool) -> bool {
    if dots {
        return name.split('.').all(|label| bucket_label(label, false)) && !is_address(name);
    }
    (3..=63).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
}

fn is_address(name: &str) -> bool {
    name.parse::<std::net::Ipv4Addr>().is_ok()
}

fn url(text: &str) -> Value {
    let Some((scheme, rest)) = text.split_once("://") else { return Value::Null };
    if !matches!(scheme, "http" | "https") || rest.contains('?') {
        return Value::Null;
    }
    let (authority, path) = rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
    let path = if path.is_empty() { String::new() } else { format!("/{path}") };
    let normalized = if path.ends_with('/') { path.clone() } else { format!("{path}/") };
    let is_ip = authority.starts_with('[') || is_address(authority.split(':').next().unwrap_or_default());
    json!({"scheme": scheme, "authority": authority, "path": path, "normalizedPath": normalized, "isIp": is_ip})
}

fn substring(arguments: &[Value]) -> Value {
    let text = arguments.first().and_then(Value::as_str);
    let number =
        |at: usize| arguments.get(at).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
    let (Some(text), Some(start), Some(stop)) = (text, number(1), number(2)) else { return Value::Null };
    if start >= stop || text.len() < stop || !text.is_ascii() {
        return Value::Null;
    }
    let (start, stop) = match arguments.get(3) {
        Some(Value::Bool(true)) => (text.len() - stop, text.len() - start),
        _ => (start, stop),
    };
    text.get(start..stop).map_or(Value::Null, |part| Value::String(part.to_owned()))
}

fn encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn substrings_count_from_either_end() {
        let arguments = |reverse: bool| [json!("bucket--x-s3"), json!(0), json!(6), json!(reverse)];
        assert_eq!(substring(&arguments(false)), json!("bucket"));
        assert_eq!(substring(&arguments(true)), json!("--x-s3"));
        assert_eq!(substring(&[json!("abc"), json!(0), json!(6), json!(false)]), Value::Null);
    }

    #[test]
    fn an_arn_has_six_parts() {
        let value = arn("arn:aws:s3:us-west-2:1:accesspoint:x");
        assert_eq!(attribute(&value, "resourceId[1]"), json!("x"));
        assert_eq!(arn("arn:aws:s3"), Value::Null);
    }

    #[test]
    fn labels_are_checked() {
        assert!(host_label("us-east-1", false));
        assert!(!host_label("us-east-1.evil.example", false));
        assert!(host_label("a.b", true));
        assert!(!bucket_label("My_Bucket", true));
        assert!(!bucket_label("192.168.0.1", true));
    }
}
