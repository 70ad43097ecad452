//! The XML API of PAN-OS: firewalls and their managers, asked by `type` and `action`, with `GET` and `POST` alike.
//!
//! - Claims: what came to a firewall, at `/api/`.
//! - Reads: the configuration by xpath, commands, commits, files, logs, reports, User-ID.
//! - Catalogue: none; words of the configuration and of commands that grant, open, stop, or hold secrets.
//! - Denies as: `<response status="error" code="16">` with status 200, as firewalls say no themselves: their own client takes
//!   any other status for a lost connection, tells nothing of the body, and asks the other firewall of a pair.
//! - Absent on purpose: the REST API below `/restapi`, keys in parameters, files over the cap.
//!
//! Sources: the vendor's API guide as its own clients show it (`pan-python`, `pan-os-python`).

mod asked;
mod command;
mod config;
mod multipart;
mod words;
mod xpath;

use ordain_action::{Call, Denial, DenialKind, Plane, Undecodable};

use crate::Head;
use crate::about::About;
use crate::answer::{AnswerHead, AnswerRead};
use crate::contract::{Destination, NativeResponse, Needs};
use crate::form::fields::clip;
use crate::form::xml;
use crate::rest::{self, BODY_MAX, Grammar, Line, RestRoom, Rules, Whole};
use crate::room::Card;
use crate::setup::{RoomsConfig, RoomsError};
use asked::{Asked, Said, bad};
use xpath::Device;

/// What is known of the plane without the room.
pub(crate) const CARD: Card =
    Card { anchor: Some("/api/?type=version"), stranger: 403, token_parameter: Some("key"), ..Card::PLAIN };

/// The room.
pub(crate) type Room = RestRoom<Panos>;

/// The types of requests.
const TYPES: [&str; 10] =
    ["commit", "config", "export", "import", "keygen", "log", "op", "report", "user-id", "version"];

/// What the API's requests mean.
#[derive(Debug)]
pub(crate) struct Panos;

impl Grammar for Panos {
    type Asked = Asked;

    const PLANE: Plane = Plane::Panos;

    const RULES: Rules = Rules { methods: &["GET", "POST"], trailing_slash: true, ..Rules::USUAL };

    fn new(_config: &RoomsConfig) -> Result<Self, RoomsError> {
        Ok(Self)
    }

    fn about(&self) -> About {
        About {
            plane: Plane::Panos,
            reads: "configuration by xpath, commands, commits, files, logs, reports, User-ID",
            known: Vec::new(),
            sources: "",
            page: include_str!("README.md"),
            absent: &[
                "the REST API below /restapi",
                "keys in parameters: X-PAN-KEY carries them where nobody else reads them",
                "what a name stands for: an address group by its members, a rule by its objects",
            ],
        }
    }

    fn read(&self, line: &Line<'_>) -> Result<Asked, Undecodable> {
        if line.path() != ["api"] {
            return Err(line.unknown());
        }
        let is_post = line.method == "POST";
        let keygen = line.query("type") == Some("keygen");
        Ok(Asked { is_post, may_hand_out: is_post || keygen })
    }

    fn needs(&self, asked: &Asked) -> Needs {
        if asked.is_post { Needs::Held { cap: BODY_MAX } } else { Needs::Nothing }
    }

    /// The same for all: by `POST` no head says which it is, and `GET` is the same request.
    fn service<'a>(&'a self, _asked: &'a Asked) -> &'a str {
        "xml-api"
    }

    fn call(&self, _asked: &Asked, whole: &Whole<'_>) -> Result<Call, Undecodable> {
        let said = Said::read(whole)?;
        let device = Device { names: whole.names(), target: said.target()? };
        let kind = said.need("type")?;
        if said.has_file && kind != "import" {
            return Err(bad("a file comes with a request that takes none; send a form"));
        }
        match kind {
            "config" => config::call(&said, device),
            "op" => command::op(&said, device),
            "commit" => command::commit(&said, device),
            "keygen" => command::keygen(&said, device),
            "user-id" => command::user_id(&said, device),
            other => command::other(&said, device, other),
        }
    }

    fn destination(
        &self,
        asked: &Asked,
        _upstream: &ordain_action::Upstream,
    ) -> Result<Destination, Undecodable> {
        Ok(Destination::at_its_address(self.service(asked)))
    }

    fn hands_out(&self, asked: &Asked) -> bool {
        asked.may_hand_out
    }

    fn deny(&self, _asked: Option<&Asked>, denial: &Denial) -> NativeResponse {
        let (status, code) = error(denial.kind);
        let body = format!(
            "<response status=\"error\" code=\"{code}\"><msg><line>{}</line></msg></response>",
            xml::escape(&denial.text)
        );
        rest::refusal(status, "application/xml; charset=UTF-8", body.into_bytes(), denial)
    }

    fn read_answer(&self, _answer: &AnswerHead<'_>, body: &[u8]) -> AnswerRead {
        let start = body.get(..512).unwrap_or(body);
        let text = String::from_utf8_lossy(start);
        let root =
            text.split_once("<response").and_then(|(_, rest)| rest.split('>').next()).unwrap_or_default();
        let attribute = |name: &str| {
            let (_, rest) = root.split_once(&format!(" {name}"))?;
            let rest = rest.trim_start().strip_prefix('=')?.trim_start();
            let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
            rest.strip_prefix(quote)?.split(quote).next().map(clip)
        };
        let failed = attribute("status").is_some_and(|status| status == "error");
        let code = attribute("code").filter(|_| failed);
        let status = failed.then_some(match code.as_deref() {
            Some("16" | "22" | "403") => 403,
            Some("7") => 404,
            _ => 400,
        });
        AnswerRead { request_id: String::new(), error_code: code, status }
    }

    fn looks_like(&self, head: &Head<'_>) -> bool {
        let (path, query) = head.target.split_once('?').unwrap_or((head.target, ""));
        let kind = query.split('&').find_map(|pair| pair.strip_prefix("type="));
        matches!(path, "/api" | "/api/")
            && (kind.is_some_and(|kind| TYPES.contains(&kind)) || head.headers.contains_key("x-pan-key"))
    }
}

/// The HTTP status and the API's own code of a refusal.
const fn error(kind: DenialKind) -> (u16, u16) {
    match kind {
        DenialKind::Forbidden | DenialKind::Unauthenticated | DenialKind::Unrecordable => (200, 16),
        DenialKind::Malformed | DenialKind::Encoding | DenialKind::Expectation => (200, 17),
        DenialKind::TooLarge => (200, 18),
        // These are to be tried again, which clients do after what they take for a lost connection.
        DenialKind::ProxyUnauthenticated
        | DenialKind::Misdirected
        | DenialKind::Timeout
        | DenialKind::Busy
        | DenialKind::Throttled
        | DenialKind::BadGateway
        | DenialKind::GatewayTimeout => (kind.status(), 1),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use ordain_action::ReasonCode;

    use super::*;
    use crate::{Rooms, WayIn};

    #[test]
    fn a_refusal_is_an_answer_that_clients_read() {
        let headers = HeaderMap::new();
        let head = Head {
            method: "GET",
            target: "/api/?type=version",
            authority: "gate",
            headers: &headers,
            way_in: WayIn::Reverse,
            plane: Some(Plane::Panos),
            upstream: None,
        };
        let rooms = Rooms::new(RoomsConfig::default()).unwrap();
        let deny = |kind| {
            let denial = Denial {
                kind,
                reason_code: ReasonCode::new("not_owned").unwrap(),
                text: "alice may not delete <a> & more".to_owned(),
                decision: None,
            };
            let response = rooms.claim(&head).unwrap().deny(&denial);
            format!("{} {}", response.status, String::from_utf8(response.body).unwrap())
        };
        expect_test::expect![[r#"
            200 <response status="error" code="16"><msg><line>alice may not delete &lt;a&gt; &amp; more</line></msg></response>
            503 <response status="error" code="1"><msg><line>alice may not delete &lt;a&gt; &amp; more</line></msg></response>
        "#]]
        .assert_eq(&format!("{}\n{}\n", deny(DenialKind::Forbidden), deny(DenialKind::Busy)));
    }

    #[test]
    fn an_answer_says_how_a_call_went_in_its_root() {
        let headers = HeaderMap::new();
        let read = |body: &str| {
            let answer = AnswerHead { status: 200, headers: &headers };
            let read = Panos.read_answer(&answer, body.as_bytes());
            (read.error_code, read.status)
        };
        let code = |text: &str| Some(text.to_owned());
        assert_eq!(read("<response status=\"success\" code=\"20\"><msg/></response>"), (None, None));
        assert_eq!(read("<response status=\"error\" code=\"16\"/>"), (code("16"), Some(403)));
        assert_eq!(
            read("<response status = 'error' code = '403'><result/></response>"),
            (code("403"), Some(403))
        );
        assert_eq!(read("<response code='7' status='error'/>"), (code("7"), Some(404)));
        assert_eq!(read("PK"), (None, None));
    }
}
