//! From messages to a call: what each method of the protocol does, and what the tool does that one of them calls.
//!
//! Leaves out how a message is read.

use std::sync::Arc;

use ordain_action::{
    Access, Answer, Call, Completeness, Effect, Level, Minted, Parameters, Plane, Resource, Role, Scalar,
    Undecodable,
};

use super::message::{Kind, Message, bad};
use super::tools::Server;
use crate::described;
use crate::form::Fields;
use crate::form::fields::clip;
use crate::rest::Names;
use crate::tokens::{Tokens, looks_secret};

/// What a method does, and to what.
struct Does {
    service: &'static str,
    operation: &'static str,
    access: Access,
    level: Level,
}

const fn reads(service: &'static str, operation: &'static str) -> Does {
    Does { service, operation, access: Access::Read, level: Level::Control }
}

/// What changes nothing but the session of whoever asks.
const fn own(operation: &'static str, access: Access) -> Does {
    Does { service: "session", operation, access, level: Level::Data }
}

/// The methods of the protocol but `tools/call`; a notification is told by its name.
fn does(method: &str) -> Option<Does> {
    Some(match method {
        "initialize" => reads("session", "initialize"),
        "ping" => reads("session", "ping"),
        "notifications/initialized" => reads("session", "initialized"),
        "notifications/progress" => reads("session", "progress"),
        "notifications/roots/list_changed" => reads("session", "roots_list_changed"),
        "notifications/cancelled" => own("cancelled", Access::Delete),
        "logging/setLevel" => own("set_level", Access::Update),
        "completion/complete" => reads("completion", "complete"),
        "tools/list" => reads("tools", "list"),
        "prompts/list" => reads("prompts", "list"),
        "prompts/get" => reads("prompts", "get"),
        "resources/list" => reads("resources", "list"),
        "resources/templates/list" => reads("resources", "templates_list"),
        "resources/read" => reads("resources", "read"),
        "resources/subscribe" => reads("resources", "subscribe"),
        "resources/unsubscribe" => reads("resources", "unsubscribe"),
        "tasks/list" => reads("tasks", "list"),
        "tasks/get" => reads("tasks", "get"),
        "tasks/result" => reads("tasks", "result"),
        "tasks/cancel" => {
            Does { service: "tasks", operation: "cancel", access: Access::Delete, level: Level::Control }
        }
        _ => return None,
    })
}

/// Makes the call.
///
/// # Errors
/// One of the messages asks for what the protocol does not have: then none is read.
pub(super) fn make(
    tokens: &Tokens,
    server: &Server,
    messages: &[Message],
    (account, session): (&str, &Resource),
) -> Result<Call, Undecodable> {
    let names = Names { plane: Plane::Mcp, account };
    let (mut effects, mut mints) = (Vec::new(), false);
    for message in messages {
        match &message.kind {
            Kind::Answers => {
                let does = own("respond", Access::Update);
                effects.push(effect(tokens, &does, session.clone(), &message.members));
            }
            Kind::Asks { method, .. } if method == "tools/call" => {
                let (called, hands_out) = tool(tokens, server, message, account)?;
                effects.extend(called);
                mints |= hands_out;
            }
            Kind::Asks { method, .. } => {
                let does = does(method).ok_or_else(|| {
                    let text = format!("`{}` is no method of the protocol; use one that is", clip(method));
                    Undecodable::new("unknown_operation", text)
                })?;
                let target = target(names, session, method, message)?;
                effects.push(effect(tokens, &does, target, &message.members));
            }
        }
    }
    let answer = Answer { mints: mints.then_some(Minted::Unrewritable), ..Answer::default() };
    Ok(Call { plane: Plane::Mcp, effects, answer, region: Arc::from("") })
}

/// What a message other than a tool's call is for.
fn target(
    names: Names<'_>,
    session: &Resource,
    method: &str,
    message: &Message,
) -> Result<Resource, Undecodable> {
    let named = |member: &str| {
        message.text(member).ok_or_else(|| bad(&format!("`{method}` does not say `{member}`, a text")))
    };
    Ok(match method {
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => {
            names.one(Role::Target, "resource", &["resource", named("uri")?])
        }
        "prompts/get" => names.one(Role::Target, "prompt", &["prompt", named("name")?]),
        "tasks/get" | "tasks/result" | "tasks/cancel" => {
            names.one(Role::Target, "task", &["task", named("taskId")?])
        }
        "notifications/cancelled" | "logging/setLevel" => session.clone(),
        _ => names.whole(Role::Target),
    })
}

fn effect(tokens: &Tokens, does: &Does, target: Resource, members: &Fields) -> Effect {
    Effect {
        service: Arc::from(does.service),
        operation: Arc::from(does.operation),
        iam_action: Arc::from(format!("{}/{}", does.service, does.operation)),
        access: does.access,
        level: does.level,
        resources: vec![target],
        parameters: parameters(tokens, members, looks_secret),
    }
}

/// A tool that is called, and whether what it gives back is a credential.
fn tool(
    tokens: &Tokens,
    server: &Server,
    message: &Message,
    account: &str,
) -> Result<(Vec<Effect>, bool), Undecodable> {
    let name = message.text("name").ok_or_else(|| bad("calls a tool and does not say which"))?;
    let mut arguments = Fields::new();
    let mut others = Fields::new();
    for (path, value) in message.members.iter() {
        match path.strip_prefix("params.arguments") {
            Some("") if matches!(value, Scalar::Empty | Scalar::Null) => {}
            Some(rest) if rest.starts_with('.') => {
                arguments.put_at(rest.get(1..).unwrap_or_default(), value);
            }
            Some("") => return Err(bad("calls a tool with arguments that are no object")),
            _ => others.put_at(path, value),
        }
    }
    if let Some(argument) = server.in_other_letters(name, &arguments) {
        let text = format!("has an argument `{}`, which the tool has in other letters", clip(&argument));
        return Err(bad(&text));
    }
    let says = server.says(name);
    let at = (Plane::Mcp, account);
    let named = match says {
        Some(says) => says.named(&arguments, at, true)?,
        None => Vec::new(),
    };
    // What nobody says anything of may do anything to the server; what is said of a tool alone, to what it is for.
    let resources = match (says, named.is_empty()) {
        (Some(_), false) => named,
        (Some(_), true) => {
            vec![Names { plane: Plane::Mcp, account }.one(Role::Target, "tool", &["tool", name])]
        }
        (None, _) => vec![described::whole(at)],
    };
    let secret =
        |path: &str| looks_secret(path) || says.is_some_and(|says| says.secrets.contains(&plain(path)));
    let mut known = parameters(tokens, &arguments, secret);
    for (path, value) in others.iter().filter(|(path, _)| *path != "params.name") {
        let mut token = String::new();
        let value = tokens.cover(value, || looks_secret(path), &mut token);
        if known.push(path, value).is_err() {
            known.incomplete(TOO_MANY);
        }
    }
    let effect = Effect {
        service: Arc::from("tools"),
        operation: Arc::from(name),
        iam_action: Arc::from(format!("tools/{name}")),
        access: says.map_or(Access::Execute, |says| says.access),
        level: says.map_or(Level::Control, |says| says.level),
        resources,
        parameters: known,
    };
    Ok(match says {
        Some(says) => (says.effects(effect, &arguments, (true, false)), says.mints),
        None => (vec![effect], false),
    })
}

const TOO_MANY: Completeness = Completeness::Partial("there are more parameters than are kept");

/// A path without the numbers of lists, as operators write it.
fn plain(path: &str) -> String {
    let parts: Vec<&str> =
        path.split('.').filter(|part| !part.bytes().all(|byte| byte.is_ascii_digit())).collect();
    parts.join(".")
}

fn parameters(tokens: &Tokens, fields: &Fields, is_secret: impl Fn(&str) -> bool) -> Parameters {
    let mut parameters = Parameters::new();
    for (path, value) in fields.iter() {
        let mut token = String::new();
        let value = tokens.cover(value, || is_secret(path), &mut token);
        if parameters.push(path, value).is_err() {
            parameters.incomplete(TOO_MANY);
        }
    }
    parameters
}
