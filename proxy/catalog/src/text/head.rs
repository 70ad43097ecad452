//! Services in the catalogue's text: where each begins, and its head.
//!
//! Leaves out operations (`operation`).

use std::sync::Arc;

use super::operation::Operations;
use super::{TextError, lines};
use crate::protocol::Protocol;
use crate::service::{Head, Service};

/// A piece of a text that holds several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// A service, from its `service` line to the next.
    Service {
        /// The number of its first line.
        line: usize,
        /// Its lines.
        text: &'a str,
    },
    /// A line about hosts.
    Hosts {
        /// Its number.
        line: usize,
        /// The line.
        text: &'a str,
    },
}

/// Cuts a text into its services and its lines about hosts.
pub(crate) fn parts(text: &str) -> Result<Vec<Part<'_>>, TextError> {
    let mut parts = Vec::new();
    let mut start: Option<(usize, usize)> = None;
    let mut offset = 0;
    for (at, line) in text.split_inclusive('\n').enumerate() {
        let number = at + 1;
        let trimmed = line.trim();
        let word = trimmed.split(' ').next().unwrap_or_default();
        let hosts = matches!(word, "partition" | "host" | "also");
        if word == "service" || hosts {
            parts.extend(start.take().and_then(|from| piece(text, from, offset)));
        }
        if hosts {
            parts.push(Part::Hosts { line: number, text: trimmed });
        } else if word == "service" {
            start = Some((number, offset));
        } else if start.is_none() && !trimmed.is_empty() && !trimmed.starts_with('#') {
            return Err(TextError::new(
                number,
                format!("`{word}` stands outside a service; write a line `service NAME` before it"),
            ));
        }
        offset += line.len();
    }
    parts.extend(start.and_then(|from| piece(text, from, offset)));
    Ok(parts)
}

fn piece(text: &str, (line, from): (usize, usize), to: usize) -> Option<Part<'_>> {
    text.get(from..to).map(|text| Part::Service { line, text })
}

/// The name in the `service` line, which comes first.
pub(crate) fn service_name(first: usize, text: &str) -> Result<&str, TextError> {
    lines(first, text)
        .next()
        .and_then(|(_, line)| line.strip_prefix("service "))
        .ok_or_else(|| TextError::new(first, "a service begins with a line `service NAME`; write one"))
}

/// Reads one service. What `base` says stands where the text says nothing.
pub(crate) fn service(first: usize, text: &str, base: Option<&Head>) -> Result<Service, TextError> {
    let name: Arc<str> = service_name(first, text)?.into();
    let mut head = match base {
        Some(base) => base.clone(),
        None => Head {
            name: name.clone(),
            id: "".into(),
            signing_name: "".into(),
            endpoint_prefix: "".into(),
            version: "".into(),
            target_prefix: "".into(),
            rpc_name: "".into(),
            iam_prefix: "".into(),
            json_version: "".into(),
            protocols: Vec::new(),
        },
    };
    let mut operations = Operations::new(name);
    for (number, line) in lines(first, text).skip(1) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        if operations.line(number, word, rest)? {
            continue;
        }
        match word {
            "id" => head.id = rest.into(),
            "signing" => head.signing_name = rest.into(),
            "endpoint" => head.endpoint_prefix = rest.into(),
            "version" => head.version = rest.into(),
            "target" => head.target_prefix = rest.into(),
            "rpc" => head.rpc_name = rest.into(),
            "json" => head.json_version = rest.into(),
            "iam" => head.iam_prefix = rest.into(),
            "protocols" => head.protocols = protocols(number, rest)?,
            _ => {
                return Err(TextError::new(
                    number,
                    format!("`{word}` is not a word of the catalogue; the words are listed at its head"),
                ));
            }
        }
    }
    if head.signing_name.is_empty() || head.protocols.is_empty() {
        return Err(TextError::new(
            first,
            format!("`{}` is not built in and says too little; add `signing` and `protocols`", head.name),
        ));
    }
    Ok(Service::new(head, operations.finish()))
}

fn protocols(number: usize, text: &str) -> Result<Vec<Protocol>, TextError> {
    text.split(' ')
        .map(|word| {
            Protocol::parse(word).ok_or_else(|| {
                TextError::new(
                    number,
                    format!(
                        "`{word}` is not a protocol; write `query`, `ec2`, `json`, `rest-json`, `rest-xml` or \
                         `rpc-v2-cbor`"
                    ),
                )
            })
        })
        .collect()
}
