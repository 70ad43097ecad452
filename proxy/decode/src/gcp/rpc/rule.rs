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
use crate::gcp::path::{self, Media, Route};
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
            let Some(filled) = filled(rule, input, fields, version) else { continue };
            if filled.path.iter().any(|segment| matches!(segment.as_str(), "" | "." | "..")) {
                return Err(unfit(known.call));
            }
            only_so(known.call, rule, input, fields)?;
            let route = route(asked, known, rule, &filled.path)?;
            let is_known = route.is_some();
            let made = || made(rule, filled, input, fields, route);
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

/// The fields that a rule's path and query are made of.
fn names(rule: &GoogleRule) -> impl Iterator<Item = &str> {
    let in_path = rule.path.iter().filter_map(|part| match part {
        GooglePart::Field(name, _) => Some(&**name),
        GooglePart::Word(_) | GooglePart::Wildcard(_) => None,
    });
    in_path.chain(rule.fields.iter().map(|(name, _)| &**name))
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

/// What a message gives a rule.
struct Filled {
    path: Vec<String>,
    query: Vec<Pair<'static>>,
    /// The fields that are in it.
    taken: Vec<String>,
}

/// The path and the query that the message gives a rule; none where it does not fit.
fn filled(rule: &GoogleRule, input: &MessageDescriptor, fields: &Fields, version: &str) -> Option<Filled> {
    let (mut path, mut taken, mut wildcards) = (Vec::new(), Vec::new(), Vec::new());
    for (name, form) in &rule.fields {
        let (at, _) = json_path(input, name)?;
        wildcards.extend(captured(form, fields.text(&at)?)?);
        taken.push(at);
    }
    for part in &rule.path {
        match part {
            GooglePart::Word(word) if **word == *"*" => path.push(version.to_owned()),
            GooglePart::Word(word) => path.push(word.to_string()),
            GooglePart::Wildcard(at) => path.push((*wildcards.get(*at)?).to_owned()),
            GooglePart::Field(name, form) => {
                let (at, _) = json_path(input, name)?;
                let value = fields.text(&at)?;
                captured(form, value)?;
                path.extend(value.split('/').map(str::to_owned));
                taken.push(at);
            }
        }
    }
    let mut query = Vec::new();
    for (name, at) in &rule.query {
        let value = (*wildcards.get(*at)?).to_owned();
        query.push(Pair { name: name.to_string().into(), value: value.into(), bare: false });
    }
    Some(Filled { path, query, taken })
}

/// What stands for the wildcards of a form in a name; none where it is not of that form.
fn captured<'v>(form: &[GoogleSegment], value: &'v str) -> Option<Vec<&'v str>> {
    let mut found = Vec::new();
    let mut given = Some(value);
    for (at, segment) in form.iter().enumerate() {
        let left = given?;
        let (first, rest) = left.split_once('/').map_or((left, None), |(first, rest)| (first, Some(rest)));
        match segment {
            GoogleSegment::Literal(word) if **word != *first => return None,
            GoogleSegment::One if first.is_empty() => return None,
            GoogleSegment::Slashed if left.is_empty() => return None,
            GoogleSegment::Literal(_) => given = rest,
            GoogleSegment::One => {
                found.push(first);
                given = rest;
            }
            GoogleSegment::Slashed => {
                found.push(left);
                given = None;
            }
            GoogleSegment::Many => {
                let after = form.len().saturating_sub(at + 1);
                // It ends before what has to stand behind it.
                let end = (0..after).try_fold(left.len(), |end, _| left.get(..end)?.rfind('/'))?;
                found.push(left.get(..end)?);
                given = left.get(end..)?.strip_prefix('/');
            }
        }
    }
    given.is_none().then_some(found)
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
    // By hand alone, for what goes on with an upload.
    let goes_on = path.strip_prefix(&["upload"]);
    let at = (goes_on.unwrap_or(&path), rule.verb.as_deref());
    let own = fold(&known.call.name);
    let among = match &*known.call.service {
        _ if !known.everywhere => "",
        "google.longrunning.Operations" => ".operations.",
        "google.cloud.location.Locations" => ".locations.",
        _ => "",
    };
    let found = path::meant(&asked.host, rule.http, at, |method| match &rule.id {
        // Where one with more words of its own stands at the same path, REST asks for that.
        Some(id) => method.id.rsplit('.').next() == id.rsplit('.').next(),
        None => {
            let word = method.id.rsplit('.').next().unwrap_or_default();
            own.starts_with(&fold(word)) && method.id.contains(among)
        }
    })?;
    let media = if goes_on.is_some() { Media::Continue } else { Media::None };
    Ok(found.map(|route| Route { media, ..route }))
}

fn made(
    rule: &GoogleRule,
    Filled { path, mut query, taken }: Filled,
    input: &MessageDescriptor,
    fields: &Fields,
    route: Option<Route>,
) -> Request {
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
