//! The room of Google Cloud: every API of Google's that its discovery documents or its `.proto` files describe.
//!
//! - **Claims** `*.googleapis.com` in egress; under the gate's own name it has to be said which service is meant, by its
//!   host before the gate's: `https://compute.googleapis.com.gate.internal/compute/v1/…`.
//! - **Reads** every method over REST in every version that is known, system parameters, `x-http-method-override`,
//!   uploads (`media`, `multipart`, `resumable`), downloads, and batches, each of whose requests is read as if it came
//!   alone. Hosts of places and of clients with certificates are those of the documents. Calls over gRPC (`rpc/`) are
//!   read whole by the descriptions of their messages, as the method of REST that each amounts to; a stream that the
//!   caller sends by its method alone, on all that there is.
//! - **Catalogue**: `proxy/catalog/gcp`, one block a host, and one for gRPC. A read there is what two signals agree on.
//! - **Denies as** the error of Google's JSON APIs, which no client tries again, or a status of gRPC.
//! - **Absent on purpose**: gRPC-Web; what is said in streams; calls over gRPC of methods that REST has
//!   otherwise (Cloud Storage), which may do anything; Google Ads over gRPC; the XML API of Cloud Storage;
//!   `application/x-protobuf`; versions and methods that neither describes; bodies in another spelling than the documents';
//!   which project a number is of.
//!
//! Sources: the discovery documents in `google-api-python-client`; the descriptions in `google-proto-files`; <https://cloud.google.com/apis/docs/system-parameters>;
//! <https://cloud.google.com/asset-inventory/docs/asset-names>; AIP-122, AIP-127, AIP-136.

mod authority;
mod batch;
mod body;
mod call;
mod deny;
mod host;
mod multipart;
mod path;
mod refer;
mod resource;
mod rpc;
mod sql;
mod system;
mod warehouse;

#[cfg(test)]
pub(crate) use rpc::message;

use ordain_action::{Call, Created, Denial, Plane, Undecodable, Upstream};
use ordain_catalog::{GCP_SOURCES, google};

use std::sync::Arc;

use crate::about::About;
use crate::answer::{AnswerHead, AnswerRead, TokenPlace};
use crate::contract::{Destination, NativeResponse, Needs};
use crate::grpc::is_grpc;
use crate::rest::{self, BODY_MAX, Ends, Grammar, Handed, Line, Location, RestRoom, Rules, Whole};
use crate::room::{Card, Claimed};
use crate::setup::{RoomsConfig, RoomsError};
use crate::tokens::Tokens;
use crate::{Head, room};
use host::Host;
use path::{Media, Route};

/// What is known of the plane without the room.
pub(crate) const CARD: Card = Card {
    domains: &["googleapis.com"],
    anchor: None,
    variables: &[
        ("GCE_METADATA_HOST", "{admin_host}/v1/identity/google/{token}"),
        ("GCE_METADATA_IP", "{admin_host}/v1/identity/google/{token}"),
    ],
    ..Card::PLAIN
};

/// The room: REST, and gRPC beside it.
#[derive(Debug)]
pub(crate) struct Room {
    rest: RestRoom<Gcp>,
    tokens: Tokens,
    pools: rpc::Pools,
}

impl Room {
    /// Sets the room up.
    ///
    /// # Errors
    /// [`RoomsError`].
    pub(crate) fn new(config: &RoomsConfig) -> Result<Self, RoomsError> {
        let tokens = Tokens::new(config.token_key);
        Ok(Self { rest: RestRoom::new(config)?, tokens, pools: rpc::Pools::new() })
    }
}

impl room::Room for Room {
    fn about(&self) -> About {
        self.rest.about()
    }

    fn catalog_digest(&self) -> Option<&str> {
        self.rest.catalog_digest()
    }

    fn claim<'r>(&'r self, head: &Head<'_>) -> Result<Arc<dyn Claimed + 'r>, Undecodable> {
        if is_grpc(head) {
            return Ok(Arc::new(rpc::Claim::make((&self.tokens, &self.pools), head)));
        }
        self.rest.claim(head)
    }
}

/// What requests to Google's APIs mean.
#[derive(Debug)]
pub(crate) struct Gcp;

/// What a head was read as.
#[derive(Debug)]
pub(crate) struct Asked {
    host: Host,
    what: What,
}

#[derive(Debug)]
enum What {
    Method(Box<Route>),
    /// Several requests, to the APIs that take them there.
    Batch(String),
    /// It goes to a host that is known, and cannot be read.
    Unread(Undecodable),
}

impl Asked {
    fn of(host: Host, line: &Line<'_>) -> Self {
        let read = || {
            system::check_headers(line.head)?;
            system::check(&line.query, &host.sites)?;
            let path = line.path().join("/");
            let is_batch = host.sites.iter().flat_map(|site| site.apis()).any(|api| *api.batch == *path);
            if is_batch && line.method == "POST" && line.query.is_empty() {
                if line.head.headers.contains_key("x-http-method-override") {
                    return Err(line.unknown());
                }
                return Ok(What::Batch(path));
            }
            let route = path::route(line, &host)?;
            let uploads = ["uploadtype", "uploadid", "uploadprotocol"];
            let says = |name: &str| uploads.contains(&system::fold(name).as_str());
            if route.media == Media::None && line.query.iter().any(|pair| says(&pair.name)) {
                return Err(Undecodable::new(
                    "unread_upload",
                    "an upload is asked for where none is taken; put `/upload` before the path",
                ));
            }
            Ok(What::Method(Box::new(route)))
        };
        let what = read().unwrap_or_else(What::Unread);
        Self { host, what }
    }
}

impl Grammar for Gcp {
    type Asked = Asked;

    const PLANE: Plane = Plane::Gcp;

    // Which of the characters may stand in a segment, and which parameters may be repeated, the catalogue says.
    const RULES: Rules = Rules {
        repeats: &["*"],
        in_segments: &['/', ';', '%', '\\'],
        rewriting: &["x-http-method-override"],
        ..Rules::USUAL
    };

    fn new(_config: &RoomsConfig) -> Result<Self, RoomsError> {
        Ok(Self)
    }

    fn about(&self) -> About {
        About {
            plane: Plane::Gcp,
            reads: "every method of Google's discovery documents and .proto files over REST and gRPC, uploads, batches",
            known: vec![
                (google().hosts().count(), "hosts"),
                (google().apis(), "APIs"),
                (google().methods(), "methods"),
                (google().rpc_calls(), "methods over gRPC"),
            ],
            sources: GCP_SOURCES,
            page: include_str!("README.md"),
            absent: &[
                "gRPC-Web, and what is said in streams of gRPC",
                "methods over gRPC that REST does not have, which may do anything",
                "the XML API of Cloud Storage",
                "bodies in Protocol Buffers, or spelled otherwise than the documents do",
                "which project a number is of",
            ],
        }
    }

    fn catalog_digest(&self) -> Option<String> {
        Some(google().digest().to_owned())
    }

    fn read(&self, line: &Line<'_>) -> Result<Asked, Undecodable> {
        // Which of two credentials counts is for the server to choose: in no mode it is asked to.
        system::check_credentials(line.head, &line.query)?;
        Ok(Asked::of(Host::of(line.head)?, line))
    }

    fn needs(&self, asked: &Asked) -> Needs {
        match &asked.what {
            What::Method(route) => match route.media {
                Media::Simple | Media::Continue => Needs::Payload,
                Media::None if !route.overridden && matches!(route.method.http, "GET" | "DELETE") => {
                    Needs::Nothing
                }
                Media::None | Media::Multipart | Media::Begin => Needs::Held { cap: BODY_MAX },
            },
            What::Batch(_) | What::Unread(_) => Needs::Held { cap: BODY_MAX },
        }
    }

    fn service<'a>(&'a self, asked: &'a Asked) -> &'a str {
        match &asked.what {
            What::Method(route) => route.service(),
            What::Batch(_) | What::Unread(_) => asked.host.word(),
        }
    }

    fn call(&self, asked: &Asked, whole: &Whole<'_>) -> Result<Call, Undecodable> {
        match &asked.what {
            What::Method(route) => call::call(route, asked.host.place(), whole),
            What::Batch(path) => batch::call(&asked.host, path, whole),
            What::Unread(why) => Err(why.clone()),
        }
    }

    fn destination(&self, asked: &Asked, _upstream: &Upstream) -> Result<Destination, Undecodable> {
        Ok(Destination {
            service: self.service(asked).to_owned(),
            host: asked.host.name.clone(),
            ..Destination::default()
        })
    }

    fn hands_out(&self, asked: &Asked) -> bool {
        match &asked.what {
            What::Method(route) => route.method.mints,
            What::Batch(_) | What::Unread(_) => asked.host.sites.iter().any(|site| site.mints()),
        }
    }

    fn handed(&self, asked: &Asked) -> Option<Handed> {
        match &asked.what {
            What::Method(route) if *route.method.id == *call::ACCESS_TOKEN => Some(Handed {
                at: TokenPlace::Member("accessToken"),
                ends: Some(Ends::At("expireTime")),
                principal: None,
            }),
            What::Method(_) | What::Batch(_) | What::Unread(_) => None,
        }
    }

    fn deny(&self, _asked: Option<&Asked>, denial: &Denial) -> NativeResponse {
        deny::deny(denial)
    }

    fn read_answer(&self, answer: &AnswerHead<'_>, body: &[u8]) -> AnswerRead {
        deny::read_answer(answer, body)
    }

    fn created(&self, call: &Call, answer: &AnswerHead<'_>, body: &[u8]) -> Vec<Created> {
        let Some(new) = call.answer.creates.first() else { return Vec::new() };
        let mut found = rest::identifier(&new.kind, "name", answer, body, &[Location::Member("/name")]);
        // Work that goes on: what it makes is not named yet.
        found.retain(|new| !new.identifier.split('/').any(|part| part == "operations"));
        found
    }
}
