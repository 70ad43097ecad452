//! From a request to a call: its effect, its resources, its parameters without secrets.
//!
//! Leaves out how a message is read (`message.rs`).

use std::sync::Arc;

use ordain_action::{
    Access, Answer, Call, Completeness, Effect, Level, Minted, Parameters, Plane, Resource, Undecodable,
};

use super::api::Method;
use super::claim::Asked;
use super::{frame, message};
use crate::described::{self, Says};
use crate::form::Fields;
use crate::tokens::Tokens;

/// Makes the call.
pub(super) fn make(tokens: &Tokens, asked: &Asked<'_>, body: &[u8], api: &str) -> Result<Call, Undecodable> {
    let method = asked.method;
    let mut fields = Fields::new();
    let whole = match (&method.input, method.takes_stream) {
        (Some(input), false) => {
            message::read(input, &frame::only(body, asked.encoding)?, &mut fields, message::Spelling::Own)?;
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
    let effects = match says {
        Some(says) => says.effects(effect, &fields, (whole, false)),
        None => vec![effect],
    };
    Ok(Call { plane: Plane::Grpc, effects, answer, region: Arc::from("") })
}

/// What the request touches: never nothing, and never less than cannot be told.
fn resources(
    says: Option<&Says>,
    fields: &Fields,
    whole: bool,
    api: &str,
) -> Result<Vec<Resource>, Undecodable> {
    let at = (Plane::Grpc, api);
    match says.filter(|says| whole && !says.resources.is_empty()) {
        Some(says) => says.named(fields, at, whole),
        None => Ok(vec![described::whole(at)]),
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
