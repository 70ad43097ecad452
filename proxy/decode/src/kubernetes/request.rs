//! The head of a request as this plane reads it: what is asked for, of which object, in whose name, in which form.
//!
//! Leaves out the body (`content.rs`) and how serious it is (`class.rs`).

use http::HeaderMap;
use ordain_action::Undecodable;

use super::path::{self, ObjectPath, Place, is_name};
use crate::Head;
use crate::form::REWRITING;
use crate::form::fields::{clip, duplicate};
use crate::form::query::{self, Plus};
use crate::form::uri::Target;

/// Headers that may stand once only: servers take the first, the last, or join them.
const SINGLE: [&str; 8] = [
    "authorization",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "impersonate-uid",
    "impersonate-user",
    "upgrade",
];

/// Query members that decide something; the server knows them in this spelling alone.
const QUERY: [&str; 20] = [
    "allowWatchBookmarks",
    "command",
    "container",
    "continue",
    "dryRun",
    "fieldManager",
    "fieldSelector",
    "fieldValidation",
    "force",
    "gracePeriodSeconds",
    "labelSelector",
    "limit",
    "orphanDependents",
    "ports",
    "propagationPolicy",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeoutSeconds",
    "watch",
];

/// What is asked for, in the API's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
    DeleteCollection,
}

impl Verb {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
        }
    }

    /// By its method and its verb a request reads: both say so.
    pub(super) const fn reads(self) -> bool {
        matches!(self, Self::Get | Self::List | Self::Watch)
    }
}

/// A connection to something in the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Connect {
    /// `exec`, `attach` and `portforward`: a stream, whatever the method.
    Stream,
    /// `proxy`: any request, and streams.
    Proxy,
}

/// The form of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Yaml,
    Cbor,
    Protobuf,
    JsonPatch,
    MergePatch,
    StrategicPatch,
    ApplyYaml,
    ApplyCbor,
}

impl Form {
    /// The body says what an object is to be, whether it is there or not.
    pub(super) const fn applies(self) -> bool {
        matches!(self, Self::ApplyYaml | Self::ApplyCbor)
    }
}

/// Somebody in whose name the request wants to be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Impersonated {
    User(String),
    Group(String),
    Uid(String),
    Extra { key: String, value: String },
}

/// The head of a request.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) place: Place,
    pub(super) verb: Verb,
    /// What the plane's own authorizer calls it, where that differs.
    pub(super) asked: Verb,
    pub(super) connect: Option<Connect>,
    /// Names and values, in the order given.
    pub(super) query: Vec<(String, String)>,
    pub(super) form: Result<Form, Undecodable>,
    pub(super) impersonates: Vec<Impersonated>,
}

impl Request {
    /// Reads a head.
    pub(super) fn read(head: &Head<'_>) -> Result<Self, Undecodable> {
        refuse_headers(head)?;
        let target = Target::split(head.target)?;
        let place = path::read(target.path)?;
        let connect = match &place {
            Place::Object(object) => connect(object),
            Place::Url(_) => None,
        };
        if connect.is_none() && head.headers.contains_key("upgrade") {
            return Err(Undecodable::new(
                "unexpected_upgrade",
                "only `exec`, `attach`, `portforward` and `proxy` are streams here; ask without `Upgrade`",
            ));
        }
        let query = if connect == Some(Connect::Proxy) {
            vec![("query".to_owned(), target.query.to_owned())]
                .into_iter()
                .filter(|one| !one.1.is_empty())
                .collect()
        } else {
            members(&place, target.query, connect)?
        };
        let asked = verb(head.method, &place, &query, connect)?;
        let verb = if connect == Some(Connect::Stream) { Verb::Create } else { asked };
        let form = form(head, verb);
        let impersonates = impersonated(head.headers)?;
        Ok(Self { place, verb, asked, connect, query, form, impersonates })
    }

    /// The value of a query member.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The one name that a list or a watch is narrowed to, as the server's own authorizer sees it.
    pub(super) fn selected_name(&self) -> Option<&str> {
        let selector = self.query("fieldSelector")?;
        // A comma that is escaped belongs to a value: what then looks like a name's term is none.
        if selector.contains('\\') {
            return None;
        }
        selector.split(',').find_map(|term| {
            let value = term.strip_prefix("metadata.name=")?;
            let value = value.strip_prefix('=').unwrap_or(value);
            is_name(value).then_some(value)
        })
    }
}

fn connect(object: &ObjectPath) -> Option<Connect> {
    if !object.group.is_empty() {
        return None;
    }
    match (&*object.resource, object.subresource.as_deref()?) {
        ("pods", "exec" | "attach" | "portforward") => Some(Connect::Stream),
        ("pods" | "services" | "nodes", "proxy") => Some(Connect::Proxy),
        _ => None,
    }
}

fn refuse_headers(head: &Head<'_>) -> Result<(), Undecodable> {
    for name in SINGLE {
        if head.headers.get_all(name).iter().nth(1).is_some() {
            return Err(Undecodable::new(
                "duplicate_header",
                format!("the header `{name}` is given twice; send it once"),
            ));
        }
    }
    for name in head.headers.keys() {
        let name = name.as_str();
        if REWRITING.contains(&name) {
            return Err(Undecodable::new(
                "rewriting_header",
                format!("the header `{name}` asks for another request than the one sent; leave it out"),
            ));
        }
        if name.starts_with("x-remote-") {
            return Err(Undecodable::new(
                "front_proxy_header",
                format!("`{}` says who somebody is in the place of a proxy; leave it out", clip(name)),
            ));
        }
    }
    // A token beside the one that was checked: whose request it is would be for the server to choose.
    let hidden = head.headers.get_all("sec-websocket-protocol").iter().any(|value| {
        crate::tokens::contains_word(&String::from_utf8_lossy(value.as_bytes()), "bearer.authorization")
    });
    if hidden {
        return Err(Undecodable::new(
            "two_credentials",
            "a WebSocket protocol carries a token; send it in `Authorization`",
        ));
    }
    Ok(())
}

/// The members of a query: each once, in the server's own spelling.
fn members(
    place: &Place,
    text: &str,
    connect: Option<Connect>,
) -> Result<Vec<(String, String)>, Undecodable> {
    if text.contains(';') {
        return Err(Undecodable::new(
            "bad_query_byte",
            "`;` stands unescaped in the query, and servers drop what has it; write `%3B`",
        ));
    }
    let pairs = query::parse(text, Plus::Space)?;
    let mut read: Vec<(String, String)> = Vec::with_capacity(pairs.len());
    for pair in pairs {
        let lists = match (place, pair.name.as_ref()) {
            (Place::Object(_), "command" | "ports") => connect == Some(Connect::Stream),
            (Place::Url(_), "exclude") => true,
            _ => false,
        };
        if !lists && read.iter().any(|(name, _)| *name == pair.name) {
            return Err(duplicate(&pair.name));
        }
        if QUERY.iter().any(|known| known.eq_ignore_ascii_case(&pair.name) && *known != pair.name) {
            return Err(Undecodable::new(
                "other_spelling",
                format!("the query member `{}` is known in another spelling; write it so", clip(&pair.name)),
            ));
        }
        read.push((pair.name.into_owned(), pair.value.into_owned()));
    }
    Ok(read)
}

/// A truth value as the server reads it, but for what it takes for true without its being said.
fn truth(query: &[(String, String)], name: &str) -> Result<bool, Undecodable> {
    let Some((_, value)) = query.iter().find(|(known, _)| known == name) else { return Ok(false) };
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(Undecodable::new(
            "ambiguous_truth",
            format!("`{name}={}` is neither true nor false; write one of them", clip(value)),
        )),
    }
}

fn verb(
    method: &str,
    place: &Place,
    query: &[(String, String)],
    connect: Option<Connect>,
) -> Result<Verb, Undecodable> {
    let unfit = || {
        Undecodable::new(
            "unknown_operation",
            format!("`{}` does nothing at this path; see the API", clip(method)),
        )
    };
    let object = match place {
        Place::Url(_) => return if matches!(method, "GET" | "HEAD") { Ok(Verb::Get) } else { Err(unfit()) },
        Place::Object(object) => object,
    };
    let named = object.name.is_some();
    if connect == Some(Connect::Stream) && !matches!(method, "GET" | "POST") {
        return Err(unfit());
    }
    match method {
        _ if object.watch => {
            let plain = method == "GET" && object.subresource.is_none();
            if plain && (query.iter().all(|(name, _)| name != "watch") || truth(query, "watch")?) {
                Ok(Verb::Watch)
            } else {
                Err(unfit())
            }
        }
        // Behind a proxy it is as any other request; elsewhere it is none of the API.
        "OPTIONS" if connect == Some(Connect::Proxy) => Ok(Verb::Get),
        "GET" | "HEAD" if named => {
            if connect.is_none() && truth(query, "watch")? {
                return Err(Undecodable::new(
                    "ambiguous_watch",
                    "one object is asked for and a watch too; watch the list with `fieldSelector=metadata.name=…`",
                ));
            }
            Ok(Verb::Get)
        }
        "GET" if truth(query, "watch")? => Ok(Verb::Watch),
        "HEAD" if truth(query, "watch")? => Err(unfit()),
        "GET" | "HEAD" => Ok(Verb::List),
        "POST" if !named || object.subresource.is_some() => Ok(Verb::Create),
        "PUT" if named => Ok(Verb::Update),
        "PATCH" if named => Ok(Verb::Patch),
        "DELETE" if named => Ok(Verb::Delete),
        "DELETE" => Ok(Verb::DeleteCollection),
        _ => Err(unfit()),
    }
}

/// The form of the body: by its media type alone, which for patches has to stand there as the server compares it.
fn form(head: &Head<'_>, verb: Verb) -> Result<Form, Undecodable> {
    let value = match head.headers.get("content-type") {
        None => "",
        Some(value) => value.to_str().map_err(|_| unknown_media("…"))?,
    };
    let (media, parameters) = value.split_once(';').unwrap_or((value, ""));
    let plain = match parameters.trim() {
        "" => true,
        charset => charset.eq_ignore_ascii_case("charset=utf-8"),
    };
    if !plain {
        return Err(unknown_media(value));
    }
    if verb == Verb::Patch {
        return match media {
            "application/json-patch+json" => Ok(Form::JsonPatch),
            "application/merge-patch+json" => Ok(Form::MergePatch),
            "application/strategic-merge-patch+json" => Ok(Form::StrategicPatch),
            "application/apply-patch+yaml" => Ok(Form::ApplyYaml),
            "application/apply-patch+cbor" => Ok(Form::ApplyCbor),
            other => Err(unknown_media(other)),
        };
    }
    match media.trim().to_ascii_lowercase().as_str() {
        // The first form that the server lists is what it takes a body for that says nothing.
        "" | "application/json" => Ok(Form::Json),
        "application/yaml" => Ok(Form::Yaml),
        "application/cbor" => Ok(Form::Cbor),
        "application/vnd.kubernetes.protobuf" => Ok(Form::Protobuf),
        other => Err(unknown_media(other)),
    }
}

fn unknown_media(media: &str) -> Undecodable {
    Undecodable::new(
        "unknown_media_type",
        format!("a body of type `{}` is not read here; send JSON or a patch type of the API", clip(media)),
    )
}

/// In whose name the request wants to be served.
fn impersonated(headers: &HeaderMap) -> Result<Vec<Impersonated>, Undecodable> {
    let mut found = Vec::new();
    for (name, value) in headers {
        let Some(what) = name.as_str().strip_prefix("impersonate-") else { continue };
        let value = value.to_str().ok().filter(|value| is_name(value)).ok_or_else(|| odd(what))?.to_owned();
        found.push(match what {
            "user" => Impersonated::User(value),
            "group" => Impersonated::Group(value),
            "uid" => Impersonated::Uid(value),
            other => {
                // The server unescapes the key; one that needs it is not guessed at.
                let key = other.strip_prefix("extra-").filter(|key| is_name(key)).ok_or_else(|| odd(what))?;
                Impersonated::Extra { key: key.to_owned(), value }
            }
        });
    }
    if !found.is_empty() && !found.iter().any(|one| matches!(one, Impersonated::User(_))) {
        return Err(odd("group"));
    }
    Ok(found)
}

fn odd(what: &str) -> Undecodable {
    Undecodable::new(
        "odd_impersonation",
        format!(
            "`Impersonate-{}` cannot be read exactly; name a user in plain letters, or leave it out",
            clip(what)
        ),
    )
}
