//! Sessions of a vCenter or of a host: of vim25, a cookie, and of the Automation API, a header. Neither is the other.
//!
//! When a session ends is told by nobody: after a time in which it is not used, and whenever somebody ends it. So it is
//! asked for again and again whether it is still one, which is a use of it too, and another is opened where it is not.
//! None is replaced that is one: what clients have made in it, as views and filters, would be gone with it. Leaves out how
//! often (`plain::credential`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use jiff::Timestamp;
use ordain_decode::Api;
use ordain_sigv4::Secret;
use roxmltree::{Document, Node, ParsingOptions};
use serde_json::Value;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::{Failed, Refusals, Service};
use crate::answer::HeldAnswer;
use crate::config::VsphereLogin;
use crate::forward::{Asking, Asks, Outward};
use crate::upstream::at;

/// The cookie of vim25.
const COOKIE: &str = "vmware_soap_session";

/// The header of the Automation API.
const HEADER: &str = "vmware-api-session-id";

/// Where sessions of the Automation API are opened; before vSphere 7.0 U2 elsewhere.
const SESSIONS: &str = "/api/session";
const SESSIONS_BEFORE: &str = "/rest/com/vmware/cis/session";

/// The fault of a method that a session has to ask for, and none does.
const NOBODY: &str = "NotAuthenticated";

/// The sessions of one API.
#[derive(Debug)]
pub(in crate::upstream) struct Session {
    config: VsphereLogin,
    api: Api,
    service: Service,
    refusals: Refusals,
    open: Mutex<Option<Open>>,
}

/// A session that was opened.
#[derive(Debug)]
enum Open {
    /// Of vim25: the cookie's value, as it was given, what sessions are managed by, and what is asked about it.
    Vim { cookie: Secret, manager: String, collector: String },
    /// Of the Automation API: the header's value, and where it was opened.
    Automation { id: Secret, at: &'static str },
}

/// What a method of vim25 came to: its answer, or a fault's name.
type Said = Result<HeldAnswer, String>;

impl Session {
    pub(in crate::upstream) fn new(
        config: &VsphereLogin,
        api: Api,
        outward: &Outward,
        refusals: &Refusals,
    ) -> Self {
        let service = Service {
            what: "vCenter",
            address: config.base.clone(),
            trust: config.trust.clone(),
            outward: outward.clone(),
        };
        Self { config: config.clone(), api, service, refusals: refusals.clone(), open: Mutex::new(None) }
    }

    /// The header that a session is sent in: the one that is open, where it still is one, else one that is opened now.
    pub(in crate::upstream) async fn header(
        &self,
        now: Timestamp,
    ) -> Result<(HeaderName, Zeroizing<String>), Failed> {
        let mut open = self.open.lock().await;
        if let Some(kept) = open.as_ref()
            && self.is_one(kept).await?
        {
            return Ok(kept.header());
        }
        *open = None;
        let opened = match self.api {
            Api::Main => self.open_vim(now).await?,
            Api::Automation => self.open_automation(now).await?,
        };
        Ok(open.insert(opened).header())
    }

    /// Ends the session that is open. Where that cannot be, it ends by itself later.
    pub(in crate::upstream) async fn end(&self) {
        let Some(open) = self.open.lock().await.take() else { return };
        let ended = match &open {
            Open::Vim { cookie, manager, .. } => {
                self.method("Logout", ("SessionManager", manager), "", Some(cookie)).await.map(drop)
            }
            Open::Automation { id, at } => self.end_automation(id, at).await,
        };
        drop(ended);
    }

    async fn end_automation(&self, id: &Secret, at: &str) -> Result<(), Failed> {
        let headers = vec![self.service.header(HEADER, id.expose())?];
        let asking = Asking { uri: self.at(at)?, headers, asks: Asks::End };
        self.service.answer(asking).await.map(drop)
    }

    /// Whether a session is still one.
    async fn is_one(&self, open: &Open) -> Result<bool, Failed> {
        match open {
            Open::Vim { cookie, manager, collector } => {
                let spec = format!(
                    "<specSet><propSet><type>SessionManager</type><pathSet>currentSession</pathSet></propSet>\
                     <objectSet><obj type=\"SessionManager\">{}</obj></objectSet></specSet>",
                    *escaped(manager)
                );
                let of = ("PropertyCollector", collector.as_str());
                let said = self.method("RetrieveProperties", of, &spec, Some(cookie)).await?;
                // It is nothing to who has none, where that is not refused.
                Ok(said.map_or_else(|fault| fault != NOBODY, |answer| has(&answer.body, "val")))
            }
            Open::Automation { id, at } => {
                let headers = vec![self.service.header(HEADER, id.expose())?];
                let asking = if *at == SESSIONS {
                    Asking { uri: self.at(SESSIONS)?, headers, asks: Asks::Get }
                } else {
                    Asking { uri: self.at(&format!("{at}?~action=get"))?, headers, asks: empty() }
                };
                let answer = self.service.answer(asking).await?;
                self.well(&answer, at)?;
                Ok(answer.head.status.is_success())
            }
        }
    }

    async fn open_vim(&self, now: Timestamp) -> Result<Open, Failed> {
        let password = self.refusals.in_file(&self.config.password, now)?;
        let instance = ("ServiceInstance", "ServiceInstance");
        let content = self.method("RetrieveServiceContent", instance, "", None).await?;
        let content = content.map_err(|fault| self.refused(&format!("answers with the fault `{fault}`")))?;
        let of = |name: &str| {
            let why = "does not answer as a vCenter or a host does; correct the upstream's `endpoint`";
            text(&content.body, name).ok_or_else(|| self.refused(why))
        };
        let (manager, collector) = (of("sessionManager")?, of("propertyCollector")?);
        // Some give a cookie to whoever asks, and make it a session's by the login.
        let before = cookie(&content.head.headers);
        let user = escaped(&self.config.user);
        let inner = Zeroizing::new(format!(
            "<userName>{}</userName><password>{}</password>",
            *user,
            *escaped(&password)
        ));
        let said = self.method("Login", ("SessionManager", &manager), &inner, before.as_ref()).await?;
        let answer = said.map_err(|fault| match fault.as_str() {
            "InvalidLogin" => self.wrong(&password, now, &fault),
            _ => self.refused(&format!("answers with the fault `{fault}`")),
        })?;
        let cookie = cookie(&answer.head.headers).or(before);
        let cookie = cookie.ok_or_else(|| self.refused("opens no session (`vmware_soap_session`)"))?;
        Ok(Open::Vim { cookie, manager, collector })
    }

    /// Calls a method of vim25 of an object, with a session or without.
    async fn method(
        &self,
        name: &str,
        (kind, id): (&str, &str),
        inner: &str,
        session: Option<&Secret>,
    ) -> Result<Said, Failed> {
        let envelope = Zeroizing::new(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <Envelope xmlns=\"http://schemas.xmlsoap.org/soap/envelope/\"><Body>\
             <{name} xmlns=\"urn:vim25\"><_this type=\"{kind}\">{}</_this>{inner}</{name}></Body></Envelope>",
            *escaped(id)
        ));
        let mut headers = vec![
            (HeaderName::from_static("soapaction"), HeaderValue::from_static("\"urn:vim25/6.0\"")),
            (http::header::ACCEPT, HeaderValue::from_static("text/xml")),
        ];
        if let Some(session) = session {
            let pair = Zeroizing::new(format!("{COOKIE}={}", session.expose()));
            headers.push(self.service.header("cookie", &pair)?);
        }
        let asks = Asks::Post("text/xml; charset=utf-8", envelope);
        let answer = self.service.answer(Asking { uri: self.at("/sdk")?, headers, asks }).await?;
        match (answer.head.status, fault(&answer.body)) {
            (StatusCode::OK, _) => Ok(Ok(answer)),
            (_, Some(fault)) => Ok(Err(fault)),
            (StatusCode::UNAUTHORIZED, None) => Ok(Err(NOBODY.to_owned())),
            (status, None) => {
                self.well(&answer, "/sdk")?;
                let why = format!(
                    "answers at `/sdk` with status {}; correct the upstream's `endpoint`",
                    status.as_u16()
                );
                Err(self.refused(&why))
            }
        }
    }

    async fn open_automation(&self, now: Timestamp) -> Result<Open, Failed> {
        let password = self.refusals.in_file(&self.config.password, now)?;
        let pair = Zeroizing::new(format!("{}:{}", self.config.user, *password));
        let basic = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
        let mut status = StatusCode::NOT_FOUND;
        for at in [SESSIONS, SESSIONS_BEFORE] {
            let headers = vec![self.service.header("authorization", &basic)?];
            let asking = Asking { uri: self.at(at)?, headers, asks: empty() };
            let answer = self.service.answer(asking).await?;
            self.well(&answer, at)?;
            status = answer.head.status;
            match status {
                StatusCode::OK | StatusCode::CREATED => {
                    let id = id(&answer.body);
                    let id = id.ok_or_else(|| self.refused(&format!("opens no session at `{at}`")))?;
                    return Ok(Open::Automation { id, at });
                }
                StatusCode::UNAUTHORIZED => return Err(self.wrong(&password, now, "status 401")),
                StatusCode::FORBIDDEN => return Err(self.refused("does not let the user in (status 403)")),
                other if other.is_redirection() => break,
                // It may be of before the one and know the other alone.
                _ => {}
            }
        }
        let why = format!(
            "answers at `{SESSIONS}` and `{SESSIONS_BEFORE}` with status {}: it has no Automation API, as hosts have none, or \
             the upstream's `endpoint` is another's",
            status.as_u16()
        );
        Err(self.refused(&why))
    }

    /// Refuses an answer that says that it is not itself now.
    fn well(&self, answer: &HeldAnswer, at: &str) -> Result<(), Failed> {
        match answer.head.status {
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Err(self.service.away(&format!("answers at `{at}` with status {}", status.as_u16())))
            }
            _ => Ok(()),
        }
    }

    fn wrong(&self, password: &str, now: Timestamp, said: &str) -> Failed {
        let file = self.config.password.display();
        let failed =
            self.refused(&format!("does not take the password ({said}); look at what `{file}` holds"));
        self.refusals.keep(password, now, failed)
    }

    fn refused(&self, why: &str) -> Failed {
        let VsphereLogin { base, user, .. } = &self.config;
        Failed::refused(format!("the vCenter `{base}`, asked for a session of `{user}`, {why}"))
    }

    fn at(&self, path: &str) -> Result<Uri, Failed> {
        at(&self.config.base, path).map_err(Failed::refused)
    }
}

impl Open {
    fn header(&self) -> (HeaderName, Zeroizing<String>) {
        match self {
            Self::Vim { cookie, .. } => {
                (http::header::COOKIE, Zeroizing::new(format!("{COOKIE}={}", cookie.expose())))
            }
            Self::Automation { id, .. } => {
                (HeaderName::from_static(HEADER), Zeroizing::new(id.expose().to_owned()))
            }
        }
    }
}

/// What is posted where a path says all.
fn empty() -> Asks {
    Asks::Post("application/json", Zeroizing::new(String::new()))
}

/// The session that an answer gives, as it is written there.
fn cookie(headers: &HeaderMap) -> Option<Secret> {
    let values = headers.get_all(SET_COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.filter_map(|value| value.split(';').next()?.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim() == COOKIE)?;
    let value = value.trim();
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b',';
    let is_one = !value.trim_matches('"').is_empty() && value.bytes().all(plain);
    is_one.then(|| Secret::new(value.to_owned()))
}

/// The id of a session of the Automation API: a text, which was wrapped before.
fn id(body: &[u8]) -> Option<Secret> {
    let said: Value = serde_json::from_slice(body).ok()?;
    let id = said.get("value").unwrap_or(&said).as_str()?;
    (!id.is_empty()).then(|| Secret::new(id.to_owned()))
}

/// Text between tags.
fn escaped(text: &str) -> Zeroizing<String> {
    let mut to = Zeroizing::new(String::with_capacity(text.len() * 2));
    for letter in text.chars() {
        match letter {
            '&' => to.push_str("&amp;"),
            '<' => to.push_str("&lt;"),
            '>' => to.push_str("&gt;"),
            // A parser makes a line's end of it.
            '\r' => to.push_str("&#13;"),
            other => to.push(other),
        }
    }
    to
}

fn document(body: &[u8]) -> Option<Document<'_>> {
    let options = ParsingOptions { allow_dtd: false, ..ParsingOptions::default() };
    Document::parse_with_options(std::str::from_utf8(body).ok()?, options).ok()
}

/// The text of the first element of a name.
fn text(body: &[u8], name: &str) -> Option<String> {
    let document = document(body)?;
    let found = document.descendants().find(|node| node.is_element() && node.tag_name().name() == name)?;
    found.text().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Whether there is an element of a name.
fn has(body: &[u8], name: &str) -> bool {
    document(body).is_some_and(|document| document.descendants().any(|node| node.tag_name().name() == name))
}

/// The name of an answer's fault, and nothing else of what was said.
fn fault(body: &[u8]) -> Option<String> {
    let document = document(body)?;
    let fault = document.descendants().find(|node| node.tag_name().name() == "Fault")?;
    let detail = fault.children().find(|node| node.tag_name().name() == "detail");
    let name = detail.and_then(|detail| detail.children().find(Node::is_element));
    let name = name.map_or("Fault", |name| name.tag_name().name());
    let name = name.strip_suffix("Fault").filter(|name| !name.is_empty()).unwrap_or(name);
    Some(name.chars().filter(char::is_ascii_alphanumeric).take(64).collect())
}
