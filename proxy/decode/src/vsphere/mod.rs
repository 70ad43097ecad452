//! The room of vSphere: a vCenter, or an ESXi host, by vim25 over SOAP and by the Automation API.
//!
//! - **Claims** every request that comes to a place where configuration serves this plane.
//! - **Reads** the methods of vim25 at `/sdk`, with the objects that they name, and the operations of the Automation API
//!   below `/api` and `/rest`.
//! - **Catalogue**: `proxy/catalog/vsphere`. A method or an operation that is not there is not read.
//! - **Denies as** the fault `NoPermission`, and the error `UNAUTHORIZED`.
//! - **Absent on purpose**: the endpoints of vSAN, storage policies, storage monitoring and agents; vim25 in JSON; JSON-RPC;
//!   files of datastores and consoles; whoever the gate's own session is, in changes.
//!
//! Sources: the packages that the catalogue is made from; their own clients.

mod automation;
mod besides;
mod change;
mod deny;
mod envelope;
mod object;
mod secret;
mod session;

use ordain_action::{Call, Created, Denial, Plane, Undecodable};
use roxmltree::{Document, ParsingOptions};

use crate::Head;
use crate::about::About;
use crate::answer::{AnswerHead, AnswerRead};
use crate::contract::{Api, NativeResponse, Needs};
use crate::form::fields::clip;
use crate::front::{Front, Session};
use crate::rest::{self, BODY_MAX, Grammar, Line, Location, RestRoom, Rules, Whole};
use crate::room::Card;
use crate::setup::{RoomsConfig, RoomsError};

/// What is known of the plane without the room. A session of vim25 is none of the Automation API: no path tells of both.
pub(crate) const CARD: Card = Card { signs_in: true, ..Card::PLAIN };

/// The room.
pub(crate) type Room = RestRoom<Vsphere>;

/// What the methods of vim25 are called as a whole.
const SOAP_SERVICE: &str = "vim25";

/// Members that hold secrets, beside those that look like it.
const SECRETS: [&str; 13] = [
    "pwd",
    "token",
    "samltoken",
    "base64token",
    "clonetoken",
    "ticket",
    "sessionid",
    "licensekey",
    "secret",
    "credential",
    "privkey",
    "passcode",
    "userdata",
];

/// What vSphere's requests mean.
#[derive(Debug)]
pub(crate) struct Vsphere;

/// What is asked for, as far as the head says.
#[derive(Debug)]
pub(crate) enum Asked {
    /// A method of vim25, which the body names.
    Soap,
    /// Which versions there are, and what is there in them.
    Versions,
    /// An operation of the Automation API.
    Automation(automation::Asked),
}

impl Grammar for Vsphere {
    type Asked = Asked;

    const PLANE: Plane = Plane::Vsphere;

    // A filter of the Automation API may be given several times; the room looks at what is none.
    const RULES: Rules = Rules { trailing_slash: true, repeats: &["*"], ..Rules::USUAL };

    fn new(_config: &RoomsConfig) -> Result<Self, RoomsError> {
        Ok(Self)
    }

    fn about(&self) -> About {
        About {
            plane: Plane::Vsphere,
            reads: "vim25 over SOAP, and the Automation API, of a vCenter or a host",
            known: vec![
                (ordain_catalog::vim().methods().count(), "methods"),
                (ordain_catalog::automation().len(), "operations"),
            ],
            sources: ordain_catalog::VSPHERE_SOURCES,
            page: include_str!("README.md"),
            absent: &[
                "vSAN, storage policies, storage monitoring, agents: endpoints of their own",
                "vim25 in JSON, and the Automation API by JSON-RPC, which has its session in the body",
                "files of datastores, consoles and leases, which have URLs of their own",
                "sessions that a vCenter hands out, and the end of the gate's own",
                "linked vCenters: an object of another server",
            ],
        }
    }

    fn catalog_digest(&self) -> Option<String> {
        Some(ordain_catalog::VSPHERE_SUM.to_owned())
    }

    fn read(&self, line: &Line<'_>) -> Result<Asked, Undecodable> {
        match (line.method, line.path().as_slice()) {
            ("POST", ["sdk"] | ["sdk", "vimService"]) if line.query.is_empty() => Ok(Asked::Soap),
            ("GET" | "HEAD", ["sdk", "vimServiceVersions.xml" | "vimService.wsdl" | "vim.wsdl"]) => {
                Ok(Asked::Versions)
            }
            (_, ["api" | "rest", ..]) => automation::read(line).map(Asked::Automation),
            _ => Err(line.unknown()),
        }
    }

    fn needs(&self, asked: &Asked) -> Needs {
        match asked {
            Asked::Soap => Needs::Held { cap: BODY_MAX },
            Asked::Automation(asked) if asked.operation.method != "GET" => Needs::Held { cap: BODY_MAX },
            Asked::Versions | Asked::Automation(_) => Needs::Nothing,
        }
    }

    fn service<'a>(&'a self, asked: &'a Asked) -> &'a str {
        match asked {
            Asked::Soap | Asked::Versions => SOAP_SERVICE,
            Asked::Automation(asked) => asked.service(),
        }
    }

    fn call(&self, asked: &Asked, whole: &Whole<'_>) -> Result<Call, Undecodable> {
        only_one_session(whole.line)?;
        only_one_protocol(whole.line)?;
        match asked {
            Asked::Soap => {
                soap_head(whole)?;
                change::call(&envelope::read(ordain_catalog::vim(), whole.body)?, whole)
            }
            Asked::Versions => {
                let names = whole.names();
                let resources = vec![names.whole(ordain_action::Role::Target)];
                let said = (SOAP_SERVICE, "versions");
                let access = ordain_action::Access::Read;
                Ok(names.call(vec![rest::effect(said, access, resources, whole.parameters(None, &[]))]))
            }
            Asked::Automation(asked) => automation::call(asked, whole),
        }
    }

    /// No head says which method it is, and the gate's own session is nobody's to end.
    fn hands_out(&self, asked: &Asked) -> bool {
        match asked {
            Asked::Soap => true,
            Asked::Versions => false,
            Asked::Automation(asked) => {
                asked.operation.mints || automation::session(asked) == Some(automation::Does::End)
            }
        }
    }

    fn front(&self, asked: &Asked, whole: &Whole<'_>) -> Option<Front> {
        session::front(asked, whole)
    }

    fn signed_in(&self, asked: &Asked, session: &Session<'_>) -> Option<NativeResponse> {
        session::signed_in(asked, session)
    }

    fn signed_out(&self, asked: &Asked) -> Option<NativeResponse> {
        session::signed_out(asked)
    }

    fn api(&self, asked: &Asked) -> Api {
        match asked {
            Asked::Soap | Asked::Versions => Api::Main,
            Asked::Automation(_) => Api::Automation,
        }
    }

    fn deny(&self, asked: Option<&Asked>, denial: &Denial) -> NativeResponse {
        match asked {
            Some(Asked::Soap | Asked::Versions) => deny::soap(denial),
            Some(Asked::Automation(asked)) => deny::automation(denial, asked.is_legacy),
            None => deny::automation(denial, false),
        }
    }

    fn read_answer(&self, answer: &AnswerHead<'_>, body: &[u8]) -> AnswerRead {
        let request_id = rest::request_id(answer, &["x-vmware-vapi-opid", "vmware-opid"]);
        if answer.status < 400 {
            return AnswerRead { request_id, error_code: None, status: None };
        }
        let value: Option<serde_json::Value> = serde_json::from_slice(body).ok();
        let own = |value: &serde_json::Value| {
            let code = value.get("error_type").or_else(|| value.get("type"))?.as_str()?;
            Some(clip(code.rsplit('.').next().unwrap_or(code)))
        };
        let code = value.as_ref().and_then(own).or_else(|| fault(body));
        // Faults have one status, whatever they say; these are told before anything is done.
        let status = match code.as_deref() {
            Some("NoPermission") => Some(403),
            Some("NotAuthenticated" | "InvalidLogin") => Some(401),
            Some("ManagedObjectNotFound") => Some(404),
            Some("InvalidRequest" | "MethodNotFound" | "InvalidType") => Some(400),
            Some(_) | None => None,
        };
        AnswerRead { request_id, error_code: code, status }
    }

    /// What is new, where the answer is it and no task that will make it.
    fn created(&self, call: &Call, answer: &AnswerHead<'_>, body: &[u8]) -> Vec<Created> {
        let Some(new) = call.answer.creates.first() else { return Vec::new() };
        if !(200..300).contains(&answer.status) {
            return Vec::new();
        }
        if call.effects.first().is_some_and(|effect| &*effect.service == SOAP_SERVICE) {
            let created = returned(body).filter(|(kind, _)| *new.kind == format!("vsphere:{kind}"));
            let created = created.map(|(_, identifier)| Created {
                kind: new.kind.clone(),
                member: new.member.clone(),
                identifier,
            });
            return created.into_iter().collect();
        }
        rest::identifier(&new.kind, "id", answer, body, &[Location::Member(""), Location::Member("/value")])
    }

    fn looks_like(&self, head: &Head<'_>) -> bool {
        let path = head.target.split('?').next().unwrap_or_default();
        let has = |name: &str| head.headers.contains_key(name);
        let is_vim = head.header("soapaction").is_some_and(|action| action.contains("urn:vim25"));
        path == "/sdk" && (is_vim || has("soapaction"))
            || path == "/sdk/vimServiceVersions.xml"
            || has("vmware-api-session-id")
    }
}

/// The first fault in the detail of an answer.
fn fault(body: &[u8]) -> Option<String> {
    let options = ParsingOptions { allow_dtd: false, ..ParsingOptions::default() };
    let document = Document::parse_with_options(std::str::from_utf8(body).ok()?, options).ok()?;
    let detail = document.descendants().find(|node| node.tag_name().name() == "detail")?;
    let name = detail.children().find(roxmltree::Node::is_element)?.tag_name().name();
    Some(clip(name.strip_suffix("Fault").unwrap_or(name)))
}

/// The reference that a method gives back.
fn returned(body: &[u8]) -> Option<(String, String)> {
    let options = ParsingOptions { allow_dtd: false, ..ParsingOptions::default() };
    let document = Document::parse_with_options(std::str::from_utf8(body).ok()?, options).ok()?;
    let value = document.descendants().find(|node| node.tag_name().name() == "returnval")?;
    let kind =
        value.attributes().find(|attribute| attribute.namespace().is_none() && attribute.name() == "type")?;
    let object = object::Object::read(ordain_catalog::vim(), kind.value(), value.text()?).ok()?;
    Some((object.kind.to_owned(), object.id))
}

/// Refuses cookies: a session of the vCenter's own beside the gate's credential is for the server to choose from.
fn only_one_session(line: &Line<'_>) -> Result<(), Undecodable> {
    let mut cookies = line.head.headers.get_all("cookie").iter();
    if cookies.any(|cookie| !cookie.as_bytes().trim_ascii().is_empty()) {
        return Err(Undecodable::new(
            "unread_header",
            "a cookie may carry a session of its own; send an issued token in its place, and nothing else",
        ));
    }
    Ok(())
}

/// Refuses headers by which JSON-RPC says which operation it is, and whose: they belong to another way of asking.
fn only_one_protocol(line: &Line<'_>) -> Result<(), Undecodable> {
    let mut names = line.head.headers.keys().map(http::HeaderName::as_str);
    match names.find(|name| name.replace('_', "-").starts_with("vapi-")) {
        Some(name) => Err(Undecodable::new(
            "unread_header",
            format!("`{}` says what is asked for in another way; leave it out", clip(name)),
        )),
        None => Ok(()),
    }
}

/// What the head says of a method: its namespace, and that its body is one document of XML.
fn soap_head(whole: &Whole<'_>) -> Result<(), Undecodable> {
    let actions: Vec<_> = whole.line.head.headers.get_all("soapaction").iter().collect();
    let plain = |action: &str| {
        let action = action.trim().trim_matches('"');
        let version = |version: &str| {
            !version.is_empty()
                && version
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
        };
        action.is_empty() || action == "urn:vim25" || action.strip_prefix("urn:vim25/").is_some_and(version)
    };
    let fits = match actions.as_slice() {
        [] => true,
        [one] => one.to_str().is_ok_and(plain),
        _ => false,
    };
    if !fits {
        return Err(Undecodable::new(
            "unknown_namespace",
            "`SOAPAction` names no version of `urn:vim25`, which is all that is read at this endpoint",
        ));
    }
    match whole.media_type()?.as_str() {
        "text/xml" | "application/xml" => Ok(()),
        other => Err(Undecodable::new(
            "unread_media_type",
            format!("a body of the type `{}` is not read here; send `text/xml`", clip(other)),
        )),
    }
}

/// The gate's session is nobody's to end.
fn own_session() -> Undecodable {
    Undecodable::new(
        "own_account",
        "the session is the gate's own, which others use too; leave it, an issued token needs no end",
    )
}

#[cfg(test)]
mod tests;
