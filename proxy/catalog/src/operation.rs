//! One operation: how it looks on the wire, what class of effect it has, which resources it names.
//!
//! Leaves out shapes: only the members that something reads are kept.

use std::sync::Arc;

use ordain_action::{Access, Answer, Level, Minted, NameBasis, NewIdentifier, Role};

use crate::path::Path;
use crate::protocol::Protocol;

/// One operation of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The service, by the name botocore uses.
    pub service: Arc<str>,
    /// The API operation, for example `TerminateInstances`.
    pub name: Arc<str>,
    /// The permissions that AWS checks, the main one first; never empty. Where AWS documents none it is
    /// `prefix:Operation`.
    pub iam_actions: Vec<Arc<str>>,
    /// The class of its effect.
    pub access: Access,
    /// Infrastructure or data.
    pub level: Level,
    /// Method and path under a REST protocol; other protocols post to one path.
    pub http: Http,
    /// How requests are authenticated.
    pub auth: Auth,
    /// Whether the body is a payload that is streamed, or is held whole.
    pub payload: Payload,
    /// The request or the answer is an event stream.
    pub event_stream: bool,
    /// The labels that the vendor's clients put before the host, with `{Member}` in them, for example
    /// `{AccountId}.` or `data.`.
    pub host_prefix: Option<Box<str>>,
    /// The name of its own hosts in the host table, where it does not go to the service's usual ones.
    pub endpoint: Option<Box<str>>,
    /// It has a `DryRun` member that the vendor guarantees to change nothing.
    pub dry_run: bool,
    /// Top-level members of the request, in the vendor's order.
    pub members: Vec<Member>,
    /// Sensitive members, idempotency tokens, and lists in XML bodies, at any depth.
    pub marks: Vec<Mark>,
    /// The resources that the request names.
    pub bindings: Vec<Binding>,
    /// Where the answer to a create carries new identifiers.
    pub creates: Vec<NewAt>,
    /// Where the answer hands out credentials of the plane.
    pub mints: Option<MintedAt>,
}

impl Operation {
    /// What to look for in the answer under a protocol.
    #[must_use]
    pub fn answer(&self, protocol: Protocol) -> Answer {
        Answer {
            creates: self
                .creates
                .iter()
                .filter(|new| new.only.is_none_or(|only| only == protocol))
                .map(|new| new.identifier.clone())
                .collect(),
            mints: self.mints.as_ref().map(|minted| minted.kind),
            ..Answer::default()
        }
    }

    /// Whether a member at a concrete path is sensitive by the vendor's own trait.
    #[must_use]
    pub fn is_sensitive(&self, protocol: Protocol, location: Location, path: &str) -> bool {
        self.is_marked(Kind::Sensitive, protocol, location, path)
    }

    /// Whether a member at a concrete path is a token that clients generate for every attempt.
    #[must_use]
    pub fn is_idempotency_token(&self, protocol: Protocol, location: Location, path: &str) -> bool {
        self.is_marked(Kind::Idempotency, protocol, location, path)
    }

    /// Whether the element at a concrete path of an XML body may repeat.
    #[must_use]
    pub fn is_xml_list(&self, path: &str) -> bool {
        self.is_marked(Kind::XmlList, Protocol::RestXml, Location::Body, path)
    }

    fn is_marked(&self, kind: Kind, protocol: Protocol, location: Location, path: &str) -> bool {
        self.marks.iter().any(|mark| {
            mark.kind == kind
                && mark.location == location
                && mark.only.is_none_or(|only| only == protocol)
                && mark.path.matches(path)
        })
    }
}

/// How an operation looks under a REST protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// The method.
    pub method: Box<str>,
    /// The path as a template: `{Name}` is one segment, `{Name+}` one or more. A trailing slash counts. The names
    /// are wire names of members. Without the literal query.
    pub path: Box<str>,
    /// Literal query that belongs to the template: names with their value, or with none.
    pub query: Vec<(Box<str>, Option<Box<str>>)>,
    /// Query parameters that a request must carry.
    pub required_query: Vec<Box<str>>,
    /// Headers that a request must carry, in lower case.
    pub required_headers: Vec<Box<str>>,
}

/// How requests are authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Auth {
    /// `SigV4`.
    SigV4,
    /// `SigV4`, with the body left out of the signature.
    SigV4UnsignedBody,
    /// `SigV4` in the asymmetric form only, or by preference.
    SigV4a,
    /// A bearer token.
    Bearer,
    /// Nothing: anybody may call it.
    None,
    /// The first version with a query signature, `SigV2`.
    SigV2,
}

/// What becomes of the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// It is held whole and judged.
    Held,
    /// It is one blob that is streamed and judged by the head alone.
    Streamed {
        /// The member it is.
        member: Box<str>,
    },
    /// It is one blob or text, not a document of members, and is held.
    Blob {
        /// The member it is.
        member: Box<str>,
    },
    /// It is a document of one member's own members: their paths begin below that member.
    Document {
        /// The member it is.
        member: Box<str>,
    },
}

/// Where a member of a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Location {
    /// In the path; the name is that of the label.
    Uri,
    /// In the query string.
    Query,
    /// In a header, in lower case.
    Header,
    /// In all headers that begin with the name, in lower case.
    Headers,
    /// In the body.
    Body,
}

/// A top-level member of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name in the vendor's model.
    pub name: Arc<str>,
    /// Its name on the wire.
    pub wire: Arc<str>,
    /// Where it stands under a REST protocol; in the body under every other.
    pub location: Location,
    /// The request is not valid without it.
    pub required: bool,
    /// The shape: `s` text, `n` number, `b` truth value, `l` list, `m` map, `o` structure, `B` blob, `t` time,
    /// `d` document.
    pub shape: char,
}

/// What a marked member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Sensitive by the vendor's own trait, or by review.
    Sensitive,
    /// A token that clients generate for every attempt.
    Idempotency,
    /// An element of an XML body that may repeat.
    XmlList,
}

/// A member with a property that the room has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The property.
    pub kind: Kind,
    /// The only protocol under which the path is so; `None` for each that the service reads.
    pub only: Option<Protocol>,
    /// Where the member stands under a REST protocol; in the body under every other.
    pub location: Location,
    /// Its path, as on the wire. A path to a structure means all below it only when it ends in `**`.
    pub path: Path,
}

/// A resource that a request names.
///
/// Every match of the paths is a resource of its own; a member without items in its path (a bucket beside many keys)
/// belongs to all of them. A value that begins with `arn:` is the name itself, whatever
/// the template says. Where no member of a binding is given, it names nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The part the resource plays.
    pub role: Role,
    /// Its type, for example `ec2:instance`.
    pub kind: Arc<str>,
    /// How its name comes to be. Never [`NameBasis::Scope`].
    pub basis: NameBasis,
    /// The name with `{partition}`, `{region}`, `{account}` and the members' variables in it. Empty where the
    /// value itself is the name, or no name can be built.
    pub template: Box<str>,
    /// The binding holds only for values that begin so, for example `alias/`; of several bindings of one member
    /// the first that fits holds. Empty for any.
    pub value_prefix: Box<str>,
    /// The members it is read from.
    pub members: Vec<BoundMember>,
}

/// A member that a binding reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundMember {
    /// The variable of the template it fills.
    pub variable: Arc<str>,
    /// The member's own name, for raw identifiers.
    pub name: Arc<str>,
    /// The only protocol under which the path is so; `None` for each that the service reads.
    pub only: Option<Protocol>,
    /// Where it stands under a REST protocol; in the body under every other.
    pub location: Location,
    /// Its path, as on the wire.
    pub path: Path,
}

/// Where an answer carries the identifier of something new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAt {
    /// The only protocol under which the path is so; `None` for each that the service reads.
    pub only: Option<Protocol>,
    /// What it is, and its path.
    pub identifier: NewIdentifier,
    /// How the new resource is called when the identifier is not its name: a template with `{partition}`,
    /// `{region}`, `{account}` and `{id}`. Empty where the identifier is the name, or none can be built.
    pub template: Box<str>,
}

/// Where an answer hands out credentials of the plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MintedAt {
    /// What they are.
    pub kind: Minted,
    /// Paths to the structures that hold them, with the only protocol under which each is so.
    pub paths: Vec<(Option<Protocol>, Path)>,
}
