//! The room of Azure Resource Manager: what a tenant of Azure has, and who may do what to it.
//!
//! - **Claims** every request that comes to a place where configuration serves this plane, and those to the hosts of
//!   Resource Manager in every cloud.
//! - **Reads** all of the grammar of its paths: the tenant, management groups, subscriptions, resource groups,
//!   resources in resources and resources that extend others, of every provider, known or not; POST actions; `/batch`,
//!   each of whose requests is read as one of its own; deployments and stacks, whose templates are read into the
//!   resources that they write; moves, locks, labels, and what hands out keys.
//! - **A PUT** makes what is not there and replaces what is, and a request does not say which: it is a create and an
//!   update, so that no rule on either is got round.
//! - **A read** is a GET whose path ends in no action, or a POST that a person found to read and whose name says so.
//!   Every other POST is a change. A read that hands out a secret is told as that.
//! - **Catalogue**: how namespaces, types and actions are spelled, and which actions read. Paths mean the same in any
//!   case: operations are told in this one spelling, and names of resources in lower case. A word that the catalogue
//!   does not have is in lower case in both.
//! - **Denies as** the error of Resource Manager.
//! - **Absent on purpose**: `x-ms-authorization-auxiliary`, which lends the authority of other tenants; templates that
//!   are fetched, which are told as execution in the scope; what a provider makes by itself of what is written, such as
//!   what it opens where a body says nothing of it; escaped slashes anywhere but in the scope that a path begins with;
//!   the classic management API.
//!
//! Sources: the URLs of the management libraries, see `proxy/catalog/azure/SOURCE.toml`.

mod asked;
mod batch;
mod body;
mod call;
mod class;
mod deny;
mod deployment;
mod expression;
mod id;
mod placed;
mod words;

use std::sync::Arc;

use ordain_action::{Answer, Call, Completeness, Denial, Digest, Plane, Undecodable, Upstream};
use serde_json::Value;

use crate::about::About;
use crate::answer::{AnswerHead, AnswerRead};
use crate::contract::{Destination, Leads, NativeResponse, Needs};
use crate::rest::{self, BODY_MAX, Grammar, Line, RestRoom, Rules, Whole};
use crate::room::Card;
use crate::setup::{RoomsConfig, RoomsError};
use asked::{Asked, Verb};
use words::Words;

/// What is known of the plane without the room.
pub(crate) const CARD: Card = Card {
    domains: &HOSTS,
    anchor: Some("/subscriptions?api-version=2022-12-01"),
    variables: &[("IDENTITY_ENDPOINT", "{admin}/v1/identity/azure"), ("IDENTITY_HEADER", "{token}")],
    ..Card::PLAIN
};

/// The hosts of Resource Manager in the clouds that there are, the public one first.
const HOSTS: [&str; 5] = [
    "management.azure.com",
    "management.chinacloudapi.cn",
    "management.usgovcloudapi.net",
    "management.microsoftazure.de",
    "management.sovcloud-api.fr",
];

/// The words by which a cloud is called, with its host.
const CLOUDS: [(&str, &str); 6] = [
    ("azurecloud", HOSTS[0]),
    ("public", HOSTS[0]),
    ("azurechinacloud", HOSTS[1]),
    ("azureusgovernment", HOSTS[2]),
    ("azuregermancloud", HOSTS[3]),
    ("azurebleucloud", HOSTS[4]),
];

/// How heads are written. What ends in a slash and changes something is refused by the room.
const RULES: Rules = Rules { trailing_slash: true, in_segments: &['/'], ..Rules::USUAL };

/// The media types of bodies.
const MEDIA: [&str; 3] = ["application/json", "text/json", "application/merge-patch+json"];

/// The room.
pub(crate) type Room = RestRoom<Azure>;

/// What requests to Azure Resource Manager mean.
#[derive(Debug)]
pub(crate) struct Azure {
    words: Words,
}

impl Grammar for Azure {
    type Asked = Asked;

    const PLANE: Plane = Plane::Azure;

    const RULES: Rules = RULES;

    // Pages, and where an operation is asked about.
    const LEADS: Leads = Leads { headers: &["location", "azure-asyncoperation"], members: &["nextLink"] };

    fn new(_config: &RoomsConfig) -> Result<Self, RoomsError> {
        Ok(Self { words: Words::read(ordain_catalog::AZURE_NAMES) })
    }

    fn about(&self) -> About {
        let (providers, words) = self.words.counts();
        About {
            plane: Plane::Azure,
            reads: "resources of every provider and scope, actions, /batch, deployments and stacks with their templates",
            known: vec![(providers, "providers"), (words, "types and actions")],
            sources: ordain_catalog::AZURE_SOURCES,
            page: include_str!("README.md"),
            absent: &[
                "x-ms-authorization-auxiliary: the authority of other tenants",
                "templates that the plane fetches: they are execution in their scope",
                "the classic management API",
            ],
        }
    }

    fn catalog_digest(&self) -> Option<String> {
        Some(Digest::of(ordain_catalog::AZURE_NAMES.as_bytes()).to_hex())
    }

    fn read(&self, line: &Line<'_>) -> Result<Asked, Undecodable> {
        asked::read(line, &self.words)
    }

    fn needs(&self, asked: &Asked) -> Needs {
        match asked {
            Asked::One(one) if matches!(one.verb, Verb::Get | Verb::Delete) => Needs::Nothing,
            Asked::One(_) | Asked::Batch => Needs::Held { cap: BODY_MAX },
        }
    }

    fn service<'a>(&'a self, asked: &'a Asked) -> &'a str {
        match asked {
            Asked::One(one) => &one.service,
            Asked::Batch => "batch",
        }
    }

    fn call(&self, asked: &Asked, whole: &Whole<'_>) -> Result<Call, Undecodable> {
        let body = body_of(asked, whole)?;
        let mut effects = match asked {
            Asked::One(one) => {
                let shown = body::Shown { tokens: whole.tokens, query: &whole.line.query };
                call::effects(one, call::Request { words: &self.words, shown, body: body.as_ref() })?
            }
            Asked::Batch => {
                let body = body.ok_or_else(|| body::bad("the batch has no body"))?;
                batch::effects(&body, &self.words, whole.tokens)?
            }
        };
        if is_script(asked, &whole.media_type()?) {
            for effect in &mut effects {
                effect.parameters.incomplete(Completeness::Opaque("the body is a script and not read"));
            }
        }
        Ok(Call { plane: Plane::Azure, effects, answer: Answer::default(), region: Arc::from("") })
    }

    /// The host of the upstream's cloud; of the public one where it says none.
    fn destination(&self, asked: &Asked, upstream: &Upstream) -> Result<Destination, Undecodable> {
        let said = upstream.partition.to_ascii_lowercase();
        let known = CLOUDS.iter().find(|(word, host)| *word == said || *host == said).map(|(_, host)| *host);
        let host = match known {
            Some(host) => host,
            None if said.is_empty() => HOSTS[0],
            None => {
                return Err(Undecodable::new(
                    "unknown_partition",
                    format!(
                        "`{said}` is no cloud of Azure that this gate knows; name the upstream's address"
                    ),
                ));
            }
        };
        Ok(Destination { host: host.to_owned(), ..Destination::at_its_address(self.service(asked)) })
    }

    fn deny(&self, _asked: Option<&Asked>, denial: &Denial) -> NativeResponse {
        deny::deny(denial)
    }

    fn read_answer(&self, answer: &AnswerHead<'_>, body: &[u8]) -> AnswerRead {
        let names = ["x-ms-correlation-request-id", "x-ms-request-id", "x-ms-arm-service-request-id"];
        rest::told(answer, body, &names, |error| {
            Some(body::text(body::member(error, "error")?, "code")?.to_owned())
        })
    }
}

/// What is written as it stands, and not as JSON.
const SCRIPTS: [&str; 1] = ["microsoft.automation/automationaccounts/runbooks/draft"];

/// A body that is a script.
fn is_script(asked: &Asked, media: &str) -> bool {
    let Asked::One(one) = asked else { return false };
    SCRIPTS.contains(&one.key.as_str()) && media.starts_with("text/") && media != "text/json"
}

/// The body, where there is one that is JSON.
fn body_of(asked: &Asked, whole: &Whole<'_>) -> Result<Option<Value>, Undecodable> {
    let media = whole.media_type()?;
    if whole.body.is_empty() || is_script(asked, &media) {
        return Ok(None);
    }
    if !MEDIA.contains(&media.as_str()) {
        // For the refusal alone, which names the types that there are.
        whole.json_of(&MEDIA)?;
    }
    body::read(whole.body).map(Some)
}
