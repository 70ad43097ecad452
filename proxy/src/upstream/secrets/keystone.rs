//! A token that Keystone gives to a user or to an application credential (Identity API v3, `POST /v3/auth/tokens`).
//!
//! Leaves out sending it (`plain::credential`), and ending it: it ends by itself, and another may be of the same user.

use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Failed, Refusals, Service};
use crate::config::{KeystoneLogin, KeystoneScope, KeystoneShows, Known, Within};
use crate::forward::{Asking, Asks, Outward};

/// The header that a token comes in.
const TOKEN: &str = "x-subject-token";

/// The header by which a second factor is asked for.
const RECEIPT: &str = "openstack-auth-receipt";

/// One user, or one application credential.
#[derive(Debug)]
pub(in crate::upstream) struct Keystone {
    config: KeystoneLogin,
    service: Service,
    refusals: Refusals,
}

/// What is posted.
#[derive(Serialize)]
struct Login<'a> {
    auth: Auth<'a>,
}

#[derive(Serialize)]
struct Auth<'a> {
    identity: Identity<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<Value>,
}

#[derive(Serialize)]
struct Identity<'a> {
    methods: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<Password<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    application_credential: Option<Application<'a>>,
}

#[derive(Serialize)]
struct Password<'a> {
    user: User<'a>,
}

#[derive(Serialize)]
struct User<'a> {
    #[serde(flatten)]
    who: Value,
    password: &'a str,
}

#[derive(Serialize)]
struct Application<'a> {
    #[serde(flatten)]
    who: Value,
    secret: &'a str,
}

impl Keystone {
    pub(in crate::upstream) fn new(config: &KeystoneLogin, outward: &Outward, refusals: &Refusals) -> Self {
        let service = Service {
            what: "identity service",
            address: config.tokens.clone(),
            trust: config.trust.clone(),
            outward: outward.clone(),
        };
        Self { config: config.clone(), service, refusals: refusals.clone() }
    }

    /// A token, and when it ends.
    pub(in crate::upstream) async fn token(
        &self,
        now: Timestamp,
    ) -> Result<(Zeroizing<String>, Timestamp), Failed> {
        let secret = self.refusals.in_file(&self.config.file, now)?;
        let asks = Asks::Post("application/json", self.asks(&secret)?);
        let asking = Asking { uri: self.config.tokens.clone(), headers: Vec::new(), asks };
        let answer = self.service.answer(asking).await?;
        let (status, headers) = (answer.head.status, &answer.head.headers);
        match status {
            StatusCode::CREATED | StatusCode::OK => self.handed_out(headers, &answer.body, now),
            StatusCode::UNAUTHORIZED if headers.contains_key(RECEIPT) => {
                Err(self.refused("asks for a second factor; use an application credential"))
            }
            StatusCode::UNAUTHORIZED => {
                let file = self.config.file.display();
                let failed = self.refused(&format!("answers with status 401; look at what `{file}` holds"));
                Err(self.refusals.keep(&secret, now, failed))
            }
            busy if busy.is_server_error() || busy == StatusCode::TOO_MANY_REQUESTS => {
                Err(self.service.away(&format!("answers with status {}", busy.as_u16())))
            }
            lost if lost.is_redirection() || lost == StatusCode::NOT_FOUND => {
                Err(self.refused(&format!("answers with status {}; correct `auth_url`", lost.as_u16())))
            }
            other => Err(self.refused(&format!("answers with status {}", other.as_u16()))),
        }
    }

    fn handed_out(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(Zeroizing<String>, Timestamp), Failed> {
        #[derive(Deserialize)]
        struct Answer {
            token: Token,
        }
        #[derive(Deserialize)]
        struct Token {
            expires_at: Timestamp,
        }
        let token =
            headers.get(TOKEN).and_then(|token| token.to_str().ok()).filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| self.refused("answers without a token (`X-Subject-Token`)"))?;
        let answer: Answer =
            serde_json::from_slice(body).map_err(|_| self.refused("does not say when the token ends"))?;
        let until = answer.token.expires_at;
        if until <= now {
            return Err(self
                .refused(&format!("hands out a token that ended at {until}; set the clock here or there")));
        }
        Ok((Zeroizing::new(token.to_owned()), until))
    }

    fn asks(&self, secret: &str) -> Result<Zeroizing<String>, Failed> {
        let identity = match &self.config.shows {
            KeystoneShows::Password(user) => Identity {
                methods: ["password"],
                password: Some(Password { user: User { who: within(user), password: secret } }),
                application_credential: None,
            },
            KeystoneShows::Application(id) => application(json!({"id": id}), secret),
            KeystoneShows::ApplicationOf(name, user) => {
                application(json!({"name": name, "user": within(user)}), secret)
            }
        };
        let scope = match &self.config.scope {
            KeystoneScope::Own => None,
            KeystoneScope::Project(project) => Some(json!({"project": within(project)})),
            KeystoneScope::Domain(domain) => Some(json!({"domain": known(domain)})),
            KeystoneScope::System => Some(json!({"system": {"all": true}})),
        };
        let login = Login { auth: Auth { identity, scope } };
        let written = serde_json::to_string(&login).map(Zeroizing::new);
        written.map_err(|_| Failed::refused("a login cannot be written"))
    }

    fn refused(&self, why: &str) -> Failed {
        let Self { config, service, .. } = self;
        let asked =
            format!("the {} `{}`, asked for a token of {}", service.what, config.tokens, config.shows);
        Failed::refused(format!("{asked}, {why}"))
    }
}

fn application(who: Value, secret: &str) -> Identity<'_> {
    Identity {
        methods: ["application_credential"],
        password: None,
        application_credential: Some(Application { who, secret }),
    }
}

fn known(one: &Known) -> Value {
    match one {
        Known::Id(id) => json!({"id": id}),
        Known::Name(name) => json!({"name": name}),
    }
}

fn within(one: &Within) -> Value {
    match one {
        Within::Id(id) => json!({"id": id}),
        Within::Name { name, domain } => json!({"name": name, "domain": known(domain)}),
    }
}
