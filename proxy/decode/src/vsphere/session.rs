//! What clients of vSphere send before they are known, and after: which versions there are, what a vCenter is called, and
//! the beginning and the end of a session, by either API.
//!
//! Leaves out every other way of beginning one (tickets, certificates, tokens of an identity provider).

use http::{HeaderMap, HeaderValue, header};
use serde_json::json;

use super::{Asked, automation, envelope, only_one_protocol, soap_head};
use crate::contract::NativeResponse;
use crate::form::xml;
use crate::front::{Front, Session};
use crate::rest::Whole;

pub(super) fn front(asked: &Asked, whole: &Whole<'_>) -> Option<Front> {
    only_one_protocol(whole.line).ok()?;
    match asked {
        Asked::Versions => whole.line.query.is_empty().then_some(Front::Open),
        Asked::Soap => {
            soap_head(whole).ok()?;
            of_method(&envelope::read(ordain_catalog::vim(), whole.body).ok()?)
        }
        Asked::Automation(asked) if whole.body.is_empty() || whole.body.trim_ascii() == b"{}" => {
            match automation::session(asked)? {
                // The name and the password stand in the head.
                automation::Does::Begin => Some(Front::SignIn { user: String::new(), password: None }),
                automation::Does::End => Some(Front::SignOut { session: None }),
            }
        }
        Asked::Automation(_) => None,
    }
}

fn of_method(message: &envelope::Message) -> Option<Front> {
    match (message.method.name, message.this.kind, message.this.id.as_str()) {
        // It is what tells clients where the rest is, and asks for the privilege that everybody has.
        ("RetrieveServiceContent", "ServiceInstance", "ServiceInstance") => Some(Front::Open),
        ("Login", "SessionManager", _) => {
            let user = message.fields.text("userName")?.to_owned();
            let password = message.fields.text("password")?.to_owned();
            Some(Front::SignIn { user, password: Some(password) })
        }
        ("Logout", "SessionManager", _) => Some(Front::SignOut { session: None }),
        _ => None,
    }
}

pub(super) fn signed_in(asked: &Asked, session: &Session<'_>) -> Option<NativeResponse> {
    match asked {
        Asked::Soap => {
            let user = xml::escape(session.user);
            let value = format!(
                "<LoginResponse xmlns=\"urn:vim25\"><returnval><key>{}</key><userName>{user}</userName>\
                 <fullName>{user}</fullName><loginTime>{now}</loginTime><lastActiveTime>{now}</lastActiveTime>\
                 <locale>en</locale><messageLocale>en</messageLocale></returnval></LoginResponse>",
                xml::escape(session.name),
                now = xml::escape(session.now),
            );
            let mut answer = soap(&value);
            let secure = if session.is_tls { "; Secure" } else { "" };
            let cookie = format!("vmware_soap_session=\"{}\"; Path=/; HttpOnly{secure}", session.token);
            answer.headers.insert(header::SET_COOKIE, sensitive(&cookie)?);
            Some(answer)
        }
        Asked::Automation(asked) => {
            let body = if asked.is_legacy { json!({ "value": session.token }) } else { json!(session.token) };
            let mut answer = json(if asked.is_legacy { 200 } else { 201 }, &body);
            answer.headers.insert("vmware-api-session-id", sensitive(session.token)?);
            Some(answer)
        }
        Asked::Versions => None,
    }
}

pub(super) fn signed_out(asked: &Asked) -> Option<NativeResponse> {
    match asked {
        Asked::Soap => Some(soap("<LogoutResponse xmlns=\"urn:vim25\"/>")),
        Asked::Automation(asked) if asked.is_legacy => Some(json(200, &json!({}))),
        Asked::Automation(_) => {
            Some(NativeResponse { status: 204, headers: HeaderMap::new(), body: Vec::new() })
        }
        Asked::Versions => None,
    }
}

fn soap(value: &str) -> NativeResponse {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Body>{value}\
         </soapenv:Body></soapenv:Envelope>"
    );
    answer(200, "text/xml; charset=utf-8", body)
}

fn json(status: u16, body: &serde_json::Value) -> NativeResponse {
    answer(status, "application/json", body.to_string())
}

fn answer(status: u16, media: &'static str, body: String) -> NativeResponse {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    NativeResponse { status, headers, body: body.into_bytes() }
}

fn sensitive(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}
