//! From a call over gRPC to what it does: the method of REST it amounts to, or, where none is known, anything.
//!
//! Leaves out how its message is split (`rule.rs`).

use std::borrow::Cow;
use std::sync::Arc;

use ordain_action::{
    Access, Answer, Call, Completeness, Effect, Level, Minted, Parameters, Plane, Role, Undecodable, Upstream,
};
use ordain_catalog::GoogleMethod;
use prost_reflect::MessageDescriptor;

use super::{Asked, Claim, Known, routing, rule};
use crate::Head;
use crate::form::Fields;
use crate::gcp::body::Carried;
use crate::gcp::{call, resource};
use crate::grpc::frame;
use crate::grpc::message::{self, Spelling};
use crate::rest::{Line, Names, Whole};

/// Reads a call.
///
/// # Errors
/// It is of no method that is known, or its message cannot be read exactly.
pub(super) fn make(
    claim: &Claim<'_>,
    upstream: &Upstream,
    head: &Head<'_>,
    body: &[u8],
) -> Result<Call, Undecodable> {
    let asked = claim.asked()?;
    let known = asked.known(head)?;
    let names = Names { plane: Plane::Gcp, account: &upstream.account };
    if known.call.takes_stream {
        return Ok(streamed(asked, known, names));
    }
    let host = (!known.everywhere).then(|| asked.site.host());
    let input = claim.pools.message(host, known.rpc, &known.call.input).ok_or_else(|| {
        Undecodable::new("unknown_message", "what the method is called with is not known; tell the operator")
    })?;
    let mut fields = Fields::new();
    message::read(&input, &frame::only(body, asked.encoding)?, &mut fields, Spelling::Json)?;
    if fields.overflowed() {
        return Err(Undecodable::new(
            "too_many_parameters",
            "there are too many parameters; send less at a time",
        ));
    }
    routing::check(head, &input, &fields)?;
    let mut request = rule::request(asked, known, &input, &fields)?;
    let route = request.route.take();
    let opaque = holds_any(&input, &fields);
    let line = Line {
        method: request.http,
        segments: request.path.iter().map(|segment| Cow::Borrowed(segment.as_str())).collect(),
        query: std::mem::take(&mut request.query),
        head,
    };
    let whole = Whole { plane: Plane::Gcp, upstream, line: &line, body: &[], tokens: claim.tokens };
    let mut made = match route {
        Some(route) => {
            let carried = Carried { body: request.body.take(), form: Vec::new() };
            call::made(&route, asked.host.place(), &whole, carried)?
        }
        None => {
            let parameters = whole.parameters(request.body.as_ref(), &call::SECRETS);
            anything(asked, known, names, parameters)
        }
    };
    if opaque {
        for effect in &mut made.effects {
            effect.parameters.incomplete(Completeness::Opaque("a message of a type of its own is not read"));
        }
    }
    made.answer.streams = known.call.gives_stream;
    // Answers are not read, and name nothing.
    made.answer.mints = made.answer.mints.map(|_| Minted::Unrewritable);
    made.answer.creates.clear();
    Ok(made)
}

/// What nothing is known of may do anything to all that there is.
fn anything(asked: &Asked, known: Known, names: Names<'_>, parameters: Parameters) -> Call {
    let service = known.call.service.rsplit('.').next().unwrap_or_default();
    let operation = format!("{service}.{}", known.call.name);
    let effect = Effect {
        service: Arc::from(asked.service()),
        iam_action: Arc::from(format!("{}.{operation}", asked.service())),
        operation: Arc::from(operation),
        access: Access::Execute,
        level: Level::Control,
        resources: vec![resource::whole(Role::Target, names)],
        parameters,
    };
    let answer = Answer {
        mints: asked.site.mints().then_some(Minted::Unrewritable),
        streams: known.call.takes_stream || known.call.gives_stream,
        ..Answer::default()
    };
    Call { answer, ..names.call(vec![effect]) }
}

/// A stream is judged before its first message, which names what it is about: by its method alone, on all that there is.
fn streamed(asked: &Asked, known: Known, names: Names<'_>) -> Call {
    let mut parameters = Parameters::new();
    parameters.incomplete(Completeness::Opaque("what is said in the stream is not read"));
    let mut call = anything(asked, known, names, parameters);
    let ids: Vec<&str> = known.call.rules.iter().filter_map(|rule| rule.id.as_deref()).collect();
    let method = asked.site.methods().iter().find(|method| ids.first() == Some(&&*method.id));
    if let (Some(method), Some(effect)) = (method, call.effects.first_mut()) {
        of_method(method, effect);
        call.answer.mints = method.mints.then_some(Minted::Unrewritable);
    }
    call
}

fn of_method(method: &GoogleMethod, effect: &mut Effect) {
    let (service, operation) = method.id.split_once('.').unwrap_or((&method.id, ""));
    effect.service = Arc::from(service);
    effect.operation = Arc::from(operation);
    effect.iam_action = Arc::from(&*method.id);
    // What a stream says may be more than its method's name: only a read is as narrow as that.
    if method.access == Access::Read {
        effect.access = method.access;
        effect.level = method.level;
    }
}

/// Whether something in the message is of a type that only itself says.
fn holds_any(input: &MessageDescriptor, fields: &Fields) -> bool {
    let pool = input.parent_pool();
    pool.get_message_by_name("google.protobuf.Any").is_some()
        && fields.iter().any(|(path, _)| path == "typeUrl" || path.ends_with(".typeUrl"))
}
