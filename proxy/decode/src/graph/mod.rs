//! The room of Microsoft Graph: what a tenant of Entra has and who may do what there, its devices, and its people's work.
//!
//! - **Claims** every request that comes to a place where configuration serves this plane, and those to the hosts of
//!   Graph in every cloud.
//! - **Reads** every path of v1.0 and of the beta by its words and ids (`path.rs`): ids in a segment of their own and in
//!   parentheses, other keys, functions and actions, `$ref`, `$count` and `$value`, `/me`, files by where they lie; what a
//!   body binds and names (`body.rs`); `$batch`, each of whose requests is read as one of its own.
//! - **A read** is a `GET`, or an action that a person found to look and that answers with something. Every other `POST` is
//!   a change. A `GET` that shows a secret is told as that.
//! - **Catalogue**: `proxy/catalog/graph`. A path that is not there is not read; paths mean the same in any case.
//! - **Denies as** the error of Graph, which its clients raise as `ODataError`.
//! - **Absent on purpose**: changes of `/me`, which is whoever the gate's own credential is; single properties as paths;
//!   XML batches; what a drive is that is named as somebody's; which sort of object an id of the directory is of.
//!
//! Sources: the vendor's client libraries, see `proxy/catalog/graph/SOURCE.toml`.

mod batch;
mod body;
mod call;
mod class;
mod deny;
mod name;
mod path;
mod words;

use ordain_action::{Access, Call, Created, Denial, Plane, Role, Undecodable, Upstream};
use ordain_catalog::{GraphVersion, graph, graph_digest};

use crate::about::About;
use crate::answer::{AnswerHead, AnswerRead};
use crate::contract::{Destination, Leads, NativeResponse, Needs};
use crate::rest::{self, BODY_MAX, Grammar, Line, Location, RestRoom, Rules, Whole, effect};
use crate::room::Card;
use crate::setup::{RoomsConfig, RoomsError};
use path::{Asked, Verb};

/// What is known of the plane without the room.
pub(crate) const CARD: Card = Card {
    domains: &HOSTS,
    anchor: Some("/v1.0/organization?$select=id"),
    // Graph's clients take their credentials from Azure's library of identities.
    variables: &[("IDENTITY_ENDPOINT", "{admin}/v1/identity/azure"), ("IDENTITY_HEADER", "{token}")],
    ..Card::PLAIN
};

/// The hosts of Graph in the clouds that there are, the public one first.
const HOSTS: [&str; 4] = [
    "graph.microsoft.com",
    "graph.microsoft.us",
    "dod-graph.microsoft.us",
    "microsoftgraph.chinacloudapi.cn",
];

/// The words by which a cloud is called, with its host.
const CLOUDS: [(&str, &str); 6] = [
    ("azurecloud", HOSTS[0]),
    ("public", HOSTS[0]),
    ("azureusgovernment", HOSTS[1]),
    ("usgovernment", HOSTS[1]),
    ("usgovernmentdod", HOSTS[2]),
    ("azurechinacloud", HOSTS[3]),
];

/// How heads are written. A look's values in quotes may hold a slash, and nothing else has one (`path.rs`).
const RULES: Rules = Rules { in_segments: &['/'], ..Rules::USUAL };

/// The room.
pub(crate) type Room = RestRoom<Graph>;

/// What requests to Microsoft Graph mean.
#[derive(Debug)]
pub(crate) struct Graph;

impl Grammar for Graph {
    type Asked = Asked;

    const PLANE: Plane = Plane::Graph;

    const RULES: Rules = RULES;

    // Pages, what has changed since, and where an operation is asked about.
    const LEADS: Leads = Leads { headers: &["location"], members: &["@odata.nextLink", "@odata.deltaLink"] };

    fn new(_config: &RoomsConfig) -> Result<Self, RoomsError> {
        Ok(Self)
    }

    fn about(&self) -> About {
        About {
            plane: Plane::Graph,
            reads: "Microsoft Graph v1.0 and beta: things, references, functions and actions, $batch",
            known: vec![
                (graph().count(GraphVersion::V1), "operations"),
                (graph().count(GraphVersion::Beta), "operations of the beta"),
            ],
            sources: ordain_catalog::GRAPH_SOURCES,
            page: include_str!("README.md"),
            absent: &[
                "changes of /me, which is whoever the gate's own credential is",
                "single properties as paths",
                "which sort of object an id of the directory is of",
                "what is put to a URL that an upload session hands out",
            ],
        }
    }

    fn catalog_digest(&self) -> Option<String> {
        Some(graph_digest().to_owned())
    }

    fn read(&self, line: &Line<'_>) -> Result<Asked, Undecodable> {
        path::read(line)
    }

    fn needs(&self, asked: &Asked) -> Needs {
        match asked {
            Asked::About => Needs::Nothing,
            Asked::Batch(_) => Needs::Held { cap: BODY_MAX },
            Asked::One(one) if matches!(one.verb, Verb::Get | Verb::Delete) => Needs::Nothing,
            Asked::One(one) if one.streams() => Needs::Payload,
            Asked::One(_) => Needs::Held { cap: BODY_MAX },
        }
    }

    fn service<'a>(&'a self, asked: &'a Asked) -> &'a str {
        match asked {
            Asked::One(one) => one.way.service(),
            Asked::Batch(_) => "batch",
            Asked::About => "metadata",
        }
    }

    fn call(&self, asked: &Asked, whole: &Whole<'_>) -> Result<Call, Undecodable> {
        match asked {
            Asked::One(one) => call::call(one, whole),
            Asked::Batch(version) => batch::call(*version, whole),
            Asked::About => {
                let names = whole.names();
                let all = vec![names.whole(Role::Target)];
                let parameters = whole.parameters(None, &[]);
                Ok(names.call(vec![effect(("metadata", "metadata/get"), Access::Read, all, parameters)]))
            }
        }
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
                        "`{said}` is no cloud of Graph that this gate knows; name the upstream's address"
                    ),
                ));
            }
        };
        Ok(Destination { host: host.to_owned(), ..Destination::at_its_address(self.service(asked)) })
    }

    /// Whatever may make a password or a pass: what its body says decides, and a body that is not read says nothing.
    fn hands_out(&self, asked: &Asked) -> bool {
        match asked {
            Asked::One(one) => {
                let words = one.way.words();
                let makes = ["applications", "directoryobjects", "serviceprincipals"];
                class::of(one, &[]).mints
                    || one.verb != Verb::Get && words.iter().any(|word| makes.contains(&word.as_str()))
            }
            Asked::Batch(_) => true,
            Asked::About => false,
        }
    }

    fn deny(&self, _asked: Option<&Asked>, denial: &Denial) -> NativeResponse {
        deny::deny(denial)
    }

    fn read_answer(&self, answer: &AnswerHead<'_>, body: &[u8]) -> AnswerRead {
        rest::told(answer, body, &["request-id"], |error| {
            error.get("error")?.get("code")?.as_str().map(str::to_owned)
        })
    }

    fn created(&self, call: &Call, answer: &AnswerHead<'_>, body: &[u8]) -> Vec<Created> {
        let Some(new) = call.answer.creates.first() else { return Vec::new() };
        rest::identifier(&new.kind, "id", answer, body, &[Location::Member("/id")])
    }
}

/// A request that is written in no way that is read here.
fn bad(text: &str) -> Undecodable {
    Undecodable::new("bad_request", text)
}
