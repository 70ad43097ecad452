//! A call as REST asks for the same: which of its fields are the path, the query and the body.
//!
//! Leaves out what the method does.

use ordain_action::{Scalar, Undecodable};
use ordain_catalog::{GoogleCall, GooglePart, GoogleRule, GoogleSegment};
use prost_reflect::{FieldDescriptor, MessageDescriptor};

use super::{Asked, Known};
use crate::form::Fields;
use crate::form::fields::{segments, unescape};
use crate::form::query::Pair;
use crate::gcp::path::{self, Route};
use crate::gcp::system::fold;

/// A call as a request of REST.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) http: &'static str,
    pub(super) path: Vec<String>,
    pub(super) query: Vec<Pair<'static>>,
    pub(super) body: Option<Fields>,
    /// The method that it asks for; none where the documents have none.
    pub(super) route: Option<Route>,
}

/// Finds the first rule that the message fits.
///
/// # Errors
/// It fits none, or the documents have two methods for it.
pub(super) fn request(
    asked: &Asked,
    known: Known,
    input: &MessageDescriptor,
    fields: &Fields,
) -> Result<Request, Undecodable> {
    let mut first = None;
    for rule in &known.call.rules {
        for version in versions(asked, known) {
            let Some((path, taken)) = filled(rule, input, fields, version) else { continue };
            if path.iter().any(|segment| matches!(segment.as_str(), "" | "." | "..")) {
                return Err(unfit(known.call));
            }
            only_so(known.call, rule, input, fields)?;
            let route = route(asked, known, rule, &path)?;
            let is_known = route.is_some();
            let made = || made(rule, (path, taken), input, fields, route);
            if is_known {
                return Ok(made());
            }
            first = first.or_else(|| Some(made()));
        }
    }
    match first {
        Some(request) => Ok(request),
        // It has none: nothing in it has to fit.
        None if known.call.rules.is_empty() => Ok(Request {
            http: "POST",
            path: Vec::new(),
            query: Vec::new(),
            body: Some(copied(fields, &[])),
            route: None,
        }),
        None => Err(unfit(known.call)),
    }
}

/// Refuses a message that names what is meant in the fields of another rule too: which of them counts is for the server to
/// choose.
fn only_so(
    call: &GoogleCall,
    rule: &GoogleRule,
    input: &MessageDescriptor,
    fields: &Fields,
) -> Result<(), Undecodable> {
    let own: Vec<&str> = names(rule).collect();
    for other in &call.rules {
        let others: Vec<&str> = names(other).collect();
        if own.iter().all(|name| others.contains(name)) {
            continue;
        }
        let said = |name: &&&str| {
            let at = json_path(input, name).map(|(path, _)| path);
            !own.contains(*name) && at.is_some_and(|at| fields.text(&at).is_some_and(|text| !text.is_empty()))
        };
        if let Some(name) = others.iter().find(said) {
            return Err(Undecodable::new(
                "two_names",
                format!("`{name}` names again what another field names; name it once"),
            ));
        }
    }
    Ok(())
}

/// The fields that stand in a rule's path.
fn names(rule: &GoogleRule) -> impl Iterator<Item = &str> {
    rule.path.iter().filter_map(|part| match part {
        GooglePart::Field(name, _) => Some(&**name),
        GooglePart::Word(_) => None,
    })
}

fn unfit(call: &GoogleCall) -> Undecodable {
    Undecodable::new(
        "unread_name",
        format!(
            "`{}` names nothing in a form that the API has; give it the full name of what is meant",
            call.name
        ),
    )
}

/// The word that stands for a version in rules of methods that many hosts have.
fn versions(asked: &Asked, known: Known) -> Vec<&str> {
    if !known.everywhere {
        return vec![""];
    }
    let mut all: Vec<&str> = asked.site.apis().iter().map(|api| &*api.version).collect();
    // Where an API's own version is not that of its path.
    all.extend(["v1", "v2", "v3"]);
    all.sort_unstable();
    all.dedup();
    all
}

/// The path that the message gives a rule, and the fields that are in it; none where it does not fit.
fn filled(
    rule: &GoogleRule,
    input: &MessageDescriptor,
    fields: &Fields,
    version: &str,
) -> Option<(Vec<String>, Vec<String>)> {
    let (mut path, mut taken) = (Vec::new(), Vec::new());
    for part in &rule.path {
        match part {
            GooglePart::Word(word) if **word == *"*" => path.push(version.to_owned()),
            GooglePart::Word(word) => path.push(word.to_string()),
            GooglePart::Field(name, form) => {
                let (at, _) = json_path(input, name)?;
                let value = fields.text(&at)?;
                if !fits(form, value) {
                    return None;
                }
                path.extend(value.split('/').map(str::to_owned));
                taken.push(at);
            }
        }
    }
    Some((path, taken))
}

/// Whether a name is of a form.
fn fits(form: &[GoogleSegment], value: &str) -> bool {
    let given: Vec<&str> = value.split('/').collect();
    let mut given = given.as_slice();
    for (at, segment) in form.iter().enumerate() {
        let Some((first, rest)) = given.split_first() else { return false };
        match segment {
            GoogleSegment::Literal(word) if **word != **first => return false,
            GoogleSegment::One | GoogleSegment::Slashed if first.is_empty() => return false,
            GoogleSegment::Literal(_) | GoogleSegment::One | GoogleSegment::Slashed => given = rest,
            GoogleSegment::Many => {
                let after = form.len().saturating_sub(at + 1);
                let Some(take) = given.len().checked_sub(after).filter(|take| *take > 0) else {
                    return false;
                };
                given = given.get(take..).unwrap_or_default();
            }
        }
    }
    given.is_empty()
}

/// The method of the documents that a rule asks for: the one that it names, or the one at its path whose word the call has
/// too.
fn route(
    asked: &Asked,
    known: Known,
    rule: &GoogleRule,
    path: &[String],
) -> Result<Option<Route>, Undecodable> {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let at = (path.as_slice(), rule.verb.as_deref());
    let own = fold(&known.call.name);
    let among = match &*known.call.service {
        _ if !known.everywhere => "",
        "google.longrunning.Operations" => ".operations.",
        "google.cloud.location.Locations" => ".locations.",
        _ => "",
    };
    path::meant(&asked.host, rule.http, at, |method| match &rule.id {
        // Where one with more words of its own stands at the same path, REST asks for that.
        Some(id) => method.id.rsplit('.').next() == id.rsplit('.').next(),
        None => {
            let word = method.id.rsplit('.').next().unwrap_or_default();
            own.starts_with(&fold(word)) && method.id.contains(among)
        }
    })
}

fn made(
    rule: &GoogleRule,
    (path, taken): (Vec<String>, Vec<String>),
    input: &MessageDescriptor,
    fields: &Fields,
    route: Option<Route>,
) -> Request {
    let mut query = Vec::new();
    let body = match rule.body.as_deref() {
        Some("*") => Some(copied(fields, &taken)),
        of => {
            let of = of.and_then(|of| json_path(input, of)).map(|(path, _)| path);
            let mut inner = Fields::new();
            for (at, value) in fields.iter().filter(|(at, _)| !taken.iter().any(|taken| taken == at)) {
                let within = of.as_deref().and_then(|of| at.strip_prefix(of));
                match within.map(|rest| rest.strip_prefix('.')) {
                    Some(Some(rest)) => inner.put_at(rest, value),
                    Some(None) if within == Some("") => {}
                    Some(None) | None => query.push(pair(at, value)),
                }
            }
            of.map(|_| inner)
        }
    };
    Request { http: rule.http, path, query, body, route }
}

fn copied(fields: &Fields, without: &[String]) -> Fields {
    let mut copy = Fields::new();
    for (at, value) in fields.iter().filter(|(at, _)| !without.iter().any(|taken| taken == at)) {
        copy.put_at(at, value);
    }
    copy
}

/// A field as a parameter: items of a list stand under one name.
fn pair(at: &str, value: Scalar<'_>) -> Pair<'static> {
    let is_item = |segment: &&str| segment.bytes().all(|byte| byte.is_ascii_digit());
    let name: Vec<String> = segments(at).filter(|segment| !is_item(segment)).map(unescape).collect();
    let value = match value {
        Scalar::Text(text) | Scalar::Number(text) | Scalar::Token(text) => text.to_owned(),
        Scalar::Bool(truth) => truth.to_string(),
        Scalar::Null | Scalar::Empty => String::new(),
    };
    Pair { name: name.join(".").into(), value: value.into(), bare: false }
}

/// The path of a field as JSON has it, by its path in the description.
pub(super) fn json_path(input: &MessageDescriptor, path: &str) -> Option<(String, FieldDescriptor)> {
    let (mut at, mut found) = (Some(input.clone()), None);
    let mut written = String::new();
    for name in path.split('.') {
        let field: FieldDescriptor = at?.get_field_by_name(name)?;
        at = field.kind().as_message().cloned();
        if !written.is_empty() {
            written.push('.');
        }
        written.push_str(field.json_name());
        found = Some(field);
    }
    Some((written, found?))
}
