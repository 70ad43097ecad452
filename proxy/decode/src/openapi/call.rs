//! From a request to a call: its effects, its resources, its parameters without secrets.
//!
//! Leaves out which operation it is (`claim.rs`).

use std::collections::HashMap;
use std::sync::Arc;

use ordain_action::{
    Access, Answer, Call, Completeness, Effect, Identifier, Level, Minted, NewIdentifier, Parameters, Plane,
    Resource, Role, Scalar, Undecodable,
};

use super::api::placed;
use super::claim::{Asked, Form};
use super::operation::Several;
use crate::described::{self, Says};
use crate::form::query::{self, Plus};
use crate::form::{Fields, json};
use crate::rest::Line;
use crate::tokens::Tokens;

/// Makes the call.
pub(super) fn make(
    tokens: &Tokens,
    asked: &Asked<'_>,
    line: &Line<'_>,
    body: &[u8],
    api: &str,
) -> Result<Call, Undecodable> {
    let method = asked.method;
    let mut fields = head(asked, line);
    read_body(asked, line, body, &mut fields)?;
    let says = method.says.as_ref();
    // Whoever says that it only reads has not seen what was not kept.
    if fields.overflowed() && says.is_some_and(|says| says.access == Access::Read) {
        return Err(Undecodable::new("too_many_parameters", "there are too many parameters; send fewer"));
    }
    let opaque = asked.form == Form::Opaque;
    // What a patch in operations writes stands in none of its own members.
    let whole = !opaque && asked.form != Form::Operations && !fields.overflowed();
    let mut parameters = covered(tokens, asked, &fields);
    if opaque {
        parameters.incomplete(Completeness::Opaque("the body is of a form that is not read"));
    }
    let at = (Plane::Openapi, api);
    let access = match says {
        Some(says) => says.access,
        None if method.operation.only_reads && whole => Access::Read,
        // Of what nobody says anything, anything may be.
        None => Access::Execute,
    };
    let resources = match says {
        Some(says) if !says.resources.is_empty() => named(says, &fields, at, whole)?,
        Some(_) => by_path(asked, access, at),
        None if access == Access::Read => by_path(asked, access, at),
        None => vec![described::whole(at)],
    };
    let new = resources.iter().find(|resource| resource.name.is_empty());
    let creates = new.map(|new| NewIdentifier {
        kind: Arc::clone(&new.kind),
        member: Arc::from("id"),
        path: vec![Arc::from("id")],
    });
    let upgrade = line.head.headers.contains_key("upgrade");
    let answer = Answer {
        creates: creates.into_iter().collect(),
        mints: says.is_some_and(|says| says.mints).then_some(Minted::Unrewritable),
        upgrades: upgrade && says.is_some_and(|says| says.stream),
        ..Answer::default()
    };
    let effect = Effect {
        service: Arc::from(method.service.as_str()),
        operation: Arc::from(method.operation.name.as_str()),
        iam_action: Arc::from(format!("{}:{}", method.service, method.operation.name)),
        access,
        level: says.map_or(Level::Control, |says| says.level),
        resources,
        parameters,
    };
    let effects = match says {
        Some(says) => says.effects(effect, &fields, (whole, method.operation.method == "PATCH")),
        None => vec![effect],
    };
    Ok(Call { plane: Plane::Openapi, effects, answer, region: Arc::from("") })
}

/// Labels, parameters and headers, each in its own place.
fn head(asked: &Asked<'_>, line: &Line<'_>) -> Fields {
    let operation = &asked.method.operation;
    let mut fields = Fields::new();
    for (name, value) in &asked.fit.labels {
        let path = placed('/', name);
        if operation.lists.contains(name) {
            for (number, item) in value.split(',').enumerate() {
                fields.put_at(&format!("{path}.{}", number + 1), Scalar::Text(item));
            }
        } else {
            fields.put_at(&path, Scalar::Text(value));
        }
    }
    let mut times: HashMap<&str, usize> = HashMap::new();
    for pair in &line.query {
        let path = placed('?', &pair.name);
        match operation.several(&pair.name) {
            Some(Several::Repeated) => {
                let time = times.entry(&pair.name).or_default();
                *time += 1;
                fields.put_at(&format!("{path}.{time}"), Scalar::Text(&pair.value));
            }
            Some(Several::Divided(by)) => {
                for (number, item) in pair.value.split(by).enumerate() {
                    fields.put_at(&format!("{path}.{}", number + 1), Scalar::Text(item));
                }
            }
            Some(Several::No | Several::Members) | None => fields.put_at(&path, Scalar::Text(&pair.value)),
        }
    }
    for name in &operation.headers {
        for value in line.head.headers.get_all(name.as_str()) {
            fields.put_at(&placed('@', name), Scalar::Text(&String::from_utf8_lossy(value.as_bytes())));
        }
    }
    fields
}

/// Reads the body after them.
fn read_body(
    asked: &Asked<'_>,
    line: &Line<'_>,
    body: &[u8],
    fields: &mut Fields,
) -> Result<(), Undecodable> {
    if body.is_empty() {
        return Ok(());
    }
    let mut read = Fields::new();
    match asked.form {
        // It streams.
        Form::Opaque => {}
        // Clients that always send an object say nothing with it.
        Form::Nothing if is_empty_object(line, body)? => {}
        Form::Nothing => {
            return Err(Undecodable::new(
                "unexpected_body",
                "the operation takes no body as the API is described; send none",
            ));
        }
        Form::Unsaid | Form::Undeclared => {
            let media: Vec<&str> =
                asked.method.operation.body.iter().map(|(media, _)| media.as_str()).collect();
            return Err(Undecodable::new(
                "unread_media_type",
                format!(
                    "the operation takes a body of the type `{}`; send it so, and say so",
                    media.join("` or `")
                ),
            ));
        }
        Form::Json | Form::Operations => {
            json::read(body, &mut read)?;
            asked.api.check_members(asked.method, &read)?;
        }
        Form::Pairs => {
            let text = std::str::from_utf8(body)
                .map_err(|_| Undecodable::new("not_utf8", "the form is not UTF-8; send UTF-8"))?;
            query::refuse_semicolons(text)?;
            let pairs = query::parse(text, Plus::Space)?;
            query::refuse_duplicates(&pairs)?;
            asked.api.check_form(asked.method, &pairs)?;
            for pair in &pairs {
                let mark = read.enter(&pair.name);
                read.put(Scalar::Text(&pair.value));
                read.leave(mark);
            }
            asked.api.check_members(asked.method, &read)?;
        }
    }
    for (path, value) in read.iter() {
        fields.put_at(path, value);
    }
    // What is too much for the body alone is too much for both: one more says so.
    if read.overflowed() {
        fields.put_at("", Scalar::Empty);
    }
    Ok(())
}

/// Whether a body is JSON, and an object without members.
fn is_empty_object(line: &Line<'_>, body: &[u8]) -> Result<bool, Undecodable> {
    let is = |wanted: u8| move |byte: &u8| *byte == wanted;
    let mut rest = body.iter().filter(|byte| !byte.is_ascii_whitespace());
    let empty =
        rest.next().is_some_and(is(b'{')) && rest.next().is_some_and(is(b'}')) && rest.next().is_none();
    Ok(empty && line.media_type()? == "application/json")
}

/// What its operators name; something new that the request has no name for is as the API will call it.
fn named(says: &Says, fields: &Fields, at: (Plane, &str), whole: bool) -> Result<Vec<Resource>, Undecodable> {
    let new = says.resources.iter().find(|named| named.is_target() && !named.is_said(fields));
    match new.filter(|_| whole && says.access == Access::Create) {
        Some(new) => {
            let parent = Resource { role: Role::Parent, ..described::whole(at) };
            let others =
                says.named(fields, at, whole)?.into_iter().filter(|other| other.role != Role::Target);
            Ok([described::unnamed(at.1, new.kind()), parent].into_iter().chain(others).collect())
        }
        None => says.named(fields, at, whole),
    }
}

/// What the path names where nobody says more: what its last label is for, what is made below it, or all that is there.
fn by_path(asked: &Asked<'_>, access: Access, at: (Plane, &str)) -> Vec<Resource> {
    let fit = &asked.fit;
    // What is a secret stands in no name.
    if fit.labels.iter().any(|(name, _)| asked.api.is_secret(asked.method, &placed('/', name))) {
        return vec![described::whole(at)];
    }
    let label = fit.labels.last();
    let identifier =
        label.map(|(name, value)| Identifier { name: Arc::from(name.as_str()), value: value.clone() });
    if access == Access::Create && asked.ends_in_literal {
        let last = asked.method.operation.path.trim_end_matches('/').rsplit('/').next();
        let kind = last.filter(|last| !last.is_empty()).unwrap_or("api");
        let parent = described::at_path(at, fit.kind.as_deref(), &fit.below, identifier);
        return vec![described::unnamed(at.1, kind), Resource { role: Role::Parent, ..parent }];
    }
    let one = described::at_path(at, fit.kind.as_deref(), &fit.below, identifier);
    // A list is several, which one name is none of.
    let several = fit
        .labels
        .iter()
        .any(|(name, value)| asked.method.operation.lists.contains(name) && value.contains(','));
    if several {
        return vec![described::whole(at)];
    }
    match (label, fit.below.is_empty()) {
        (Some(_), _) => vec![one],
        (None, true) => vec![described::whole(at)],
        (None, false) => vec![Resource { name: format!("{}/*", one.name), pattern: true, ..one }],
    }
}

/// All parameters, secrets as tokens.
fn covered(tokens: &Tokens, asked: &Asked<'_>, fields: &Fields) -> Parameters {
    let too_many = Completeness::Partial("there are more parameters than are kept");
    let mut parameters = Parameters::new();
    if fields.overflowed() {
        parameters.incomplete(too_many);
    }
    for (path, value) in fields.iter() {
        let mut token = String::new();
        let value = tokens.cover(value, || asked.api.is_secret(asked.method, path), &mut token);
        if parameters.push(path, value).is_err() {
            parameters.incomplete(too_many);
            break;
        }
    }
    parameters
}
