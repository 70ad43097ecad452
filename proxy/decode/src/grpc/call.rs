//! From a request to a call: its effect, its resources, its parameters without secrets.
//!
//! Leaves out how a message is read (`message.rs`).

use std::collections::BTreeSet;
use std::sync::Arc;

use ordain_action::{
    Access, Answer, Call, Completeness, Effect, Level, Minted, Parameters, Plane, Resource, Scalar,
    Undecodable,
};

use super::api::{Method, Named, Part, Says, is_at};
use super::claim::Asked;
use super::{frame, message, name};
use crate::form::Fields;
use crate::form::fields::segments;
use crate::tokens::Tokens;

/// The most resources of one call.
const RESOURCES_MAX: usize = 1024;

/// Makes the call.
pub(super) fn make(tokens: &Tokens, asked: &Asked<'_>, body: &[u8], api: &str) -> Result<Call, Undecodable> {
    let method = asked.method;
    let mut fields = Fields::new();
    let whole = match (&method.input, method.takes_stream) {
        (Some(input), false) => {
            message::read(input, &frame::only(body, asked.encoding)?, &mut fields)?;
            !fields.overflowed()
        }
        _ => false,
    };
    let mut parameters = Parameters::new();
    push(tokens, method, &fields, &mut parameters);
    if method.takes_stream {
        parameters.incomplete(Completeness::Opaque("what is said in the stream is not read"));
    } else if method.input.is_none() {
        parameters.incomplete(Completeness::Opaque("what it is called with is not read"));
    }
    let says = method.says.as_ref();
    let effect = Effect {
        service: Arc::clone(&method.service),
        operation: Arc::clone(&method.name),
        iam_action: Arc::from(format!("{}/{}", method.service, method.name)),
        // Of what nobody says anything, anything may be.
        access: says.map_or(Access::Execute, |says| says.access),
        level: says.map_or(Level::Control, |says| says.level),
        resources: resources(says, &fields, whole, api)?,
        parameters,
    };
    let answer = Answer {
        mints: says.is_some_and(|says| says.mints).then_some(Minted::Unrewritable),
        streams: method.takes_stream || method.gives_stream,
        ..Answer::default()
    };
    Ok(Call { plane: Plane::Grpc, effects: vec![effect], answer, region: Arc::from("") })
}

/// What the request touches: never nothing, and never less than cannot be told.
fn resources(
    says: Option<&Says>,
    fields: &Fields,
    whole: bool,
    api: &str,
) -> Result<Vec<Resource>, Undecodable> {
    let Some(says) = says.filter(|says| whole && !says.resources.is_empty()) else {
        return Ok(vec![name::whole(api)]);
    };
    let all: Vec<Resource> = says.resources.iter().flat_map(|named| named.of(fields, api)).collect();
    if all.len() > RESOURCES_MAX {
        let text = format!("the call is for more than {RESOURCES_MAX} resources at once; send fewer");
        return Err(Undecodable::new("too_many_resources", text));
    }
    Ok(all)
}

impl Named {
    fn of(&self, fields: &Fields, api: &str) -> Vec<Resource> {
        let all = || vec![name::all(api, &self.kind)];
        if self.all_if.iter().any(|path| says_something(fields, path)) {
            return all();
        }
        let several = self.parts.iter().filter(|part| matches!(part, Part::Field(_))).count() > 1;
        let mut names = vec![String::new()];
        for part in &self.parts {
            match part {
                Part::Text(text) => names.iter_mut().for_each(|name| name.push_str(text)),
                Part::Field(path) => {
                    // What names nothing may mean everything.
                    let Some(values) = named(fields, path) else { return all() };
                    let values: Vec<String> =
                        values.into_iter().map(|value| name::part(value, several)).collect();
                    match (values.as_slice(), names.len()) {
                        ([only], _) => names.iter_mut().for_each(|name| name.push_str(only)),
                        (many, 1) => {
                            let before = names.remove(0);
                            names.extend(many.iter().map(|value| format!("{before}{value}")));
                        }
                        (many, count) if many.len() == count => {
                            names.iter_mut().zip(many).for_each(|(name, value)| name.push_str(value));
                        }
                        _ => return all(),
                    }
                }
            }
        }
        names.iter().map(|name| name::one(api, &self.kind, name)).collect()
    }
}

/// The values at a path of a message, of all items where lists are on the way; none where one of them, or all, say
/// nothing.
fn named<'f>(fields: &'f Fields, path: &str) -> Option<Vec<&'f str>> {
    let leaves = fields.iter().filter(|(found, _)| is_at(found, path));
    let values: Option<Vec<&str>> = leaves.clone().map(|(_, value)| said(value)).collect();
    // Each item on the way has one.
    let whole = (1..segments(path).count()).all(|depth| {
        let of = |(found, _): (&str, Scalar<'_>)| within(found, path, depth).map(str::to_owned);
        let all: BTreeSet<String> = fields.iter().filter_map(of).collect();
        all == leaves.clone().filter_map(of).collect()
    });
    values.filter(|values| whole && !values.is_empty())
}

/// The beginning of a leaf's place that a path names by its first parts, with the numbers of items in it.
fn within<'p>(found: &'p str, path: &str, depth: usize) -> Option<&'p str> {
    let mut wanted = segments(path).take(depth).peekable();
    let mut end = 0;
    for part in segments(found) {
        let item = part.bytes().all(|byte| byte.is_ascii_digit());
        match wanted.peek() {
            _ if item => {}
            None => break,
            Some(next) if *next == part => drop(wanted.next()),
            Some(_) => return None,
        }
        end += part.len() + 1;
    }
    let ends = wanted.peek().is_none();
    found.get(..end.saturating_sub(1)).filter(|_| ends)
}

/// Whether something is said at a path of a message, or below it.
fn says_something(fields: &Fields, path: &str) -> bool {
    fields.iter().any(|(found, value)| is_at(found, path) && said(value).is_some())
}

/// What a value says; a default says nothing.
fn said(value: Scalar<'_>) -> Option<&str> {
    match value {
        Scalar::Text("") | Scalar::Number("0") | Scalar::Bool(false) | Scalar::Null => None,
        Scalar::Text(text) | Scalar::Number(text) | Scalar::Token(text) => Some(text),
        Scalar::Bool(true) | Scalar::Empty => Some("true"),
    }
}

/// All parameters, secrets as tokens.
fn push(tokens: &Tokens, method: &Method, fields: &Fields, parameters: &mut Parameters) {
    if fields.overflowed() {
        parameters.incomplete(Completeness::Partial("there are more parameters than are kept"));
    }
    for (path, value) in fields.iter() {
        let mut token = String::new();
        let value = tokens.cover(value, || method.is_secret(path), &mut token);
        if parameters.push(path, value).is_err() {
            parameters.incomplete(Completeness::Partial("there are more parameters than are kept"));
            return;
        }
    }
}
