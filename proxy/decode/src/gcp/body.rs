//! The body of a request, in the spelling that Google's documents have.
//!
//! Leaves out what its members mean.

use std::collections::HashMap;

use ordain_action::Undecodable;
use ordain_catalog::GoogleSite;

use super::multipart;
use super::path::{Media, Route};
use super::system;
use crate::form::fields::{clip, duplicate, segments, unescape};
use crate::form::query::{self, Pair, Plus};
use crate::form::{Fields, json};
use crate::grpc::message::camel;
use crate::rest::Whole;

const JSON: [&str; 1] = ["application/json"];

/// What a request carries beside its head.
#[derive(Debug, Default)]
pub(super) struct Carried<'a> {
    /// The members of its JSON.
    pub(super) body: Option<Fields>,
    /// Parameters that stand in the body because the query would be too long.
    pub(super) form: Vec<Pair<'a>>,
}

/// Reads the body of a method.
///
/// # Errors
/// It is in a form that Google's servers might read in another way.
pub(super) fn read<'a>(route: &Route, whole: &'a Whole<'_>) -> Result<Carried<'a>, Undecodable> {
    let body = match route.media {
        Media::Simple | Media::Continue => None,
        Media::Multipart => Some(described(whole)?),
        Media::None if route.overridden && route.method.http == "GET" && !whole.body.is_empty() => {
            return Ok(Carried { body: None, form: form(route, whole)? });
        }
        Media::None | Media::Begin => whole.json_of(&JSON)?,
    };
    let Some(body) = body else { return Ok(Carried::default()) };
    if route.method.http == "DELETE" || route.method.http == "GET" {
        return Err(Undecodable::new("unexpected_body", "the method takes no body; send none"));
    }
    spelled(&body, route.site)?;
    Ok(Carried { body: Some(body), form: Vec::new() })
}

/// What the first part of an upload calls it.
fn described(whole: &Whole<'_>) -> Result<Fields, Undecodable> {
    let boundary = multipart::boundary(whole.line.head.header("content-type"), "multipart/related")?;
    let pieces = multipart::pieces(whole.body, boundary)?;
    let [first, _] = pieces.as_slice() else {
        return Err(multipart::bad("has not one part that describes and one that is uploaded"));
    };
    if first.media() != "application/json" {
        return Err(multipart::bad("begins with a part that is not JSON"));
    }
    let mut fields = Fields::new();
    json::read(first.body.trim_ascii(), &mut fields)?;
    Ok(fields)
}

/// A long query, which Google's clients put into the body of a POST that says it is a GET.
fn form<'a>(route: &Route, whole: &'a Whole<'_>) -> Result<Vec<Pair<'a>>, Undecodable> {
    if whole.media_type()? != "application/x-www-form-urlencoded" {
        return Err(Undecodable::new(
            "unread_media_type",
            "a GET by another method has its query as its body; send it as `application/x-www-form-urlencoded`",
        ));
    }
    let text = std::str::from_utf8(whole.body)
        .map_err(|_| Undecodable::new("not_utf8", "the form is not UTF-8; send UTF-8"))?;
    query::refuse_semicolons(text)?;
    let pairs = query::parse(text, Plus::Space)?;
    if pairs.iter().any(|pair| pair.name == "$httpMethod") {
        return Err(Undecodable::new(
            "bad_method_override",
            "the method override is given twice; give it once",
        ));
    }
    let all: Vec<Pair<'_>> = whole.line.query.iter().chain(&pairs).cloned().collect();
    system::check(&all, &[route.site])?;
    Ok(pairs)
}

/// Refuses members that are spelled otherwise than the API's documents have them, and those that are given in two spellings.
///
/// Servers take `machine_type` for `machineType`; whoever judges by the one must not miss the other. Names that a caller
/// chooses, such as those of labels, stay as they are.
fn spelled(body: &Fields, site: &GoogleSite) -> Result<(), Undecodable> {
    let mut known: HashMap<String, &str> = HashMap::new();
    for (path, _) in body.iter() {
        let mut end = 0;
        let mut chosen = false;
        for segment in segments(path) {
            end += segment.len();
            let prefix = path.get(..end).unwrap_or(path);
            let name = unescape(segment);
            if !chosen {
                if name.contains('_') && !site.has_underscore(&name) {
                    return Err(Undecodable::new(
                        "other_spelling",
                        format!(
                            "`{}` is another spelling of a member of the API; write it without underscores, as the \
                             API's documents do",
                            clip(&name)
                        ),
                    ));
                }
                if let Some(other) = known.insert(camel(prefix), prefix)
                    && other != prefix
                {
                    return Err(duplicate(&name));
                }
            }
            chosen |= site.is_map(&name);
            end += 1;
        }
    }
    Ok(())
}
