//! Operations in the catalogue's text.
//!
//! Leaves out what a combination of facts means.

use std::sync::Arc;

use ordain_action::{Access, Level, Minted, NameBasis, NewIdentifier, Role};

use super::TextError;
use crate::operation::{
    Auth, Binding, BoundMember, Http, Kind, Location, Mark, Member, MintedAt, NewAt, Operation, Payload,
};
use crate::path::Path;
use crate::protocol::Protocol;

/// The operations read so far.
#[derive(Debug)]
pub(super) struct Operations {
    service: Arc<str>,
    done: Vec<Operation>,
    open: Option<Operation>,
}

impl Operations {
    pub(super) const fn new(service: Arc<str>) -> Self {
        Self { service, done: Vec::new(), open: None }
    }

    /// Reads a line when it is one of an operation's; says whether it was.
    pub(super) fn line(&mut self, number: usize, word: &str, rest: &str) -> Result<bool, TextError> {
        if word == "op" {
            let next = self.begin(number, rest)?;
            self.done.extend(self.open.replace(next));
            return Ok(true);
        }
        let Some(open) = self.open.as_mut() else { return Ok(false) };
        let line = Line { number, rest };
        match word {
            "http" => open.http = line.http()?,
            "need" => line.need(&mut open.http)?,
            "in" => line.members(&mut open.members)?,
            "secret" => line.marks(Kind::Sensitive, &mut open.marks)?,
            "token" => line.marks(Kind::Idempotency, &mut open.marks)?,
            "list" => line.marks(Kind::XmlList, &mut open.marks)?,
            "bind" => open.bindings.push(line.binding()?),
            "new" => open.creates.push(line.new_at()?),
            "mint" => open.mints = Some(line.minted()?),
            "auth" => open.auth = line.auth()?,
            "payload" => open.payload = line.payload()?,
            "host" => open.host_prefix = Some(rest.into()),
            "endpoint" => open.endpoint = Some(rest.into()),
            "event-stream" => open.event_stream = true,
            "dry-run" => open.dry_run = true,
            _ => {
                return Err(line.wrong(
                    "is not a fact of an operation",
                    word,
                    "the words are listed at the head",
                ));
            }
        }
        Ok(true)
    }

    pub(super) fn finish(mut self) -> Vec<Operation> {
        self.done.extend(self.open);
        self.done.sort_by(|one, other| one.name.cmp(&other.name));
        self.done
    }

    fn begin(&self, number: usize, rest: &str) -> Result<Operation, TextError> {
        let line = Line { number, rest };
        let mut words = rest.split(' ');
        let name = words.next().unwrap_or_default();
        let access = words.next().unwrap_or_default();
        let level = words.next().unwrap_or_default();
        let iam_actions: Vec<Arc<str>> = words.map(Arc::from).collect();
        if iam_actions.is_empty() {
            return Err(line.wrong("says too little", rest, "write `op NAME ACCESS LEVEL IAM-ACTION…`"));
        }
        Ok(Operation {
            service: self.service.clone(),
            name: name.into(),
            iam_actions,
            access: Access::parse(access).ok_or_else(|| {
                line.wrong(
                    "is not an access",
                    access,
                    "write `read`, `create`, `update`, `delete`, `grant`, …",
                )
            })?,
            level: match level {
                "control" => Level::Control,
                "data" => Level::Data,
                _ => return Err(line.wrong("is not a level", level, "write `control` or `data`")),
            },
            http: Http {
                method: "POST".into(),
                path: "/".into(),
                query: Vec::new(),
                required_query: Vec::new(),
                required_headers: Vec::new(),
            },
            auth: Auth::SigV4,
            payload: Payload::Held,
            event_stream: false,
            host_prefix: None,
            endpoint: None,
            dry_run: false,
            members: Vec::new(),
            marks: Vec::new(),
            bindings: Vec::new(),
            creates: Vec::new(),
            mints: None,
        })
    }
}

struct Line<'a> {
    number: usize,
    rest: &'a str,
}

impl Line<'_> {
    fn wrong(&self, what: &str, word: &str, remedy: &str) -> TextError {
        TextError::new(self.number, format!("`{word}` {what}; {remedy}"))
    }

    fn http(&self) -> Result<Http, TextError> {
        let (method, uri) = self
            .rest
            .split_once(' ')
            .ok_or_else(|| self.wrong("says too little", self.rest, "write `http METHOD PATH`"))?;
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let query = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| match pair.split_once('=') {
                Some((name, value)) => (name.into(), Some(value.into())),
                None => (pair.into(), None),
            })
            .collect();
        Ok(Http {
            method: method.into(),
            path: path.into(),
            query,
            required_query: Vec::new(),
            required_headers: Vec::new(),
        })
    }

    fn need(&self, http: &mut Http) -> Result<(), TextError> {
        let mut words = self.rest.split(' ');
        while let Some(place) = words.next() {
            let Some(name) = words.next() else {
                return Err(self.wrong(
                    "names nothing",
                    place,
                    "write `need query NAME` or `need header NAME`",
                ));
            };
            match place {
                "query" => http.required_query.push(name.into()),
                "header" => http.required_headers.push(name.into()),
                _ => return Err(self.wrong("is not a place", place, "write `query` or `header`")),
            }
        }
        Ok(())
    }

    fn members(&self, members: &mut Vec<Member>) -> Result<(), TextError> {
        for word in self.rest.split(' ') {
            let (named, shape) = word.rsplit_once(':').unwrap_or((word, ""));
            let mut shapes = shape.chars();
            let (Some(shape), None) = (shapes.next(), shapes.next()) else {
                return Err(self.wrong("has no shape", word, "write `NAME:SHAPE`, with one letter as shape"));
            };
            let (named, location) = named.rsplit_once('@').unwrap_or((named, "body"));
            let (name, wire) = match named.split_once('=') {
                Some((name, wire)) => (name, Some(wire)),
                None => (named, None),
            };
            let (name, required) = name.strip_suffix('!').map_or((name, false), |name| (name, true));
            let name: Arc<str> = name.into();
            members.push(Member {
                wire: wire.map_or_else(|| name.clone(), Arc::from),
                name,
                location: self.location(location)?,
                required,
                shape,
            });
        }
        Ok(())
    }

    fn marks(&self, kind: Kind, marks: &mut Vec<Mark>) -> Result<(), TextError> {
        for word in self.rest.split(' ') {
            let (location, path, only) = self.place(word)?;
            marks.push(Mark { kind, only, location, path });
        }
        Ok(())
    }

    fn binding(&self) -> Result<Binding, TextError> {
        let mut words = self.rest.split(' ');
        let role = words.next().unwrap_or_default();
        let kind = words.next().unwrap_or_default();
        let basis = words.next().unwrap_or_default();
        let template = words.next().unwrap_or_default();
        let role = match role {
            "target" => Role::Target,
            "parent" => Role::Parent,
            "uses" => Role::Uses,
            _ => return Err(self.wrong("is not a role", role, "write `target`, `parent` or `uses`")),
        };
        let basis = match basis {
            "carried" => NameBasis::Carried,
            "reviewed" => NameBasis::Reviewed,
            "bound" => NameBasis::Bound,
            "unnamed" => NameBasis::Unnamed,
            _ => {
                return Err(self.wrong(
                    "is not a basis",
                    basis,
                    "write `carried`, `reviewed`, `bound` or `unnamed`",
                ));
            }
        };
        let mut value_prefix = "";
        let mut members = Vec::new();
        for word in words {
            if let Some(prefix) = word.strip_prefix('^') {
                value_prefix = prefix;
                continue;
            }
            let (named, place) = word
                .split_once('=')
                .ok_or_else(|| self.wrong("is not a member", word, "write `VARIABLE=body:Path`"))?;
            let (variable, name) = named.split_once('/').unwrap_or((named, named));
            let (location, path, only) = self.place(place)?;
            members.push(BoundMember { variable: variable.into(), name: name.into(), only, location, path });
        }
        if members.is_empty() {
            return Err(self.wrong("reads no member", self.rest, "add `VARIABLE=body:Path`"));
        }
        Ok(Binding {
            role,
            kind: kind.into(),
            basis,
            template: if template == "-" { "".into() } else { template.into() },
            value_prefix: value_prefix.into(),
            members,
        })
    }

    fn new_at(&self) -> Result<NewAt, TextError> {
        let mut words = self.rest.split(' ');
        let (Some(kind), Some(member), Some(path)) = (words.next(), words.next(), words.next()) else {
            return Err(self.wrong("says too little", self.rest, "write `new KIND MEMBER PATH [TEMPLATE]`"));
        };
        let (path, only) = self.only(path)?;
        Ok(NewAt {
            only,
            identifier: NewIdentifier {
                kind: kind.into(),
                member: member.into(),
                path: Path::new(path).segments().filter(|segment| *segment != "*").map(Arc::from).collect(),
            },
            template: words.next().unwrap_or_default().into(),
        })
    }

    fn minted(&self) -> Result<MintedAt, TextError> {
        let mut words = self.rest.split(' ');
        let kind = match words.next().unwrap_or_default() {
            "session" => Minted::Session,
            "access-key" => Minted::AccessKey,
            "unrewritable" => Minted::Unrewritable,
            word => {
                return Err(self.wrong(
                    "is not a credential",
                    word,
                    "write `session`, `access-key` or `unrewritable`",
                ));
            }
        };
        let paths = words
            .map(|word| self.only(word).map(|(path, only)| (only, Path::new(path))))
            .collect::<Result<_, _>>()?;
        Ok(MintedAt { kind, paths })
    }

    fn auth(&self) -> Result<Auth, TextError> {
        Ok(match self.rest {
            "v4" => Auth::SigV4,
            "v4-unsigned-body" => Auth::SigV4UnsignedBody,
            "v4a" => Auth::SigV4a,
            "bearer" => Auth::Bearer,
            "none" => Auth::None,
            "v2" => Auth::SigV2,
            word => {
                return Err(self.wrong(
                    "is not a way to authenticate",
                    word,
                    "write `v4`, `v4-unsigned-body`, `v4a`, `bearer`, `none` or `v2`",
                ));
            }
        })
    }

    fn payload(&self) -> Result<Payload, TextError> {
        let wrong = || {
            self.wrong(
                "is not a payload",
                self.rest,
                "write `payload streamed MEMBER`, `payload blob MEMBER` or `payload document MEMBER`",
            )
        };
        let (kind, member) = self.rest.split_once(' ').ok_or_else(wrong)?;
        let member = member.into();
        match kind {
            "streamed" => Ok(Payload::Streamed { member }),
            "blob" => Ok(Payload::Blob { member }),
            "document" => Ok(Payload::Document { member }),
            _ => Err(wrong()),
        }
    }

    fn location(&self, word: &str) -> Result<Location, TextError> {
        Ok(match word {
            "uri" => Location::Uri,
            "query" => Location::Query,
            "header" => Location::Header,
            "headers" => Location::Headers,
            "body" => Location::Body,
            _ => {
                return Err(self.wrong(
                    "is not a location",
                    word,
                    "write `uri`, `query`, `header`, `headers` or `body`",
                ));
            }
        })
    }

    fn place(&self, word: &str) -> Result<(Location, Path, Option<Protocol>), TextError> {
        let (location, path) = word
            .split_once(':')
            .ok_or_else(|| self.wrong("has no location", word, "write `body:Path`, for example"))?;
        let (path, only) = self.only(path)?;
        Ok((self.location(location)?, Path::new(path), only))
    }

    fn only<'w>(&self, word: &'w str) -> Result<(&'w str, Option<Protocol>), TextError> {
        match word.rsplit_once('@') {
            None => Ok((word, None)),
            Some((path, protocol)) => match Protocol::parse(protocol) {
                Some(protocol) => Ok((path, Some(protocol))),
                None => Err(self.wrong("is not a protocol", protocol, "write the protocol behind `@`")),
            },
        }
    }
}
