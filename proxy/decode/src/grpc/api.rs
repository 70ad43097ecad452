//! The methods of an API, and what its operators say of them.
//!
//! Leaves out reading a request (`call.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ordain_action::{Access, Level};
use prost_reflect::{DescriptorPool, FieldDescriptor, MessageDescriptor};

use crate::described::{Described, Says, is_at};
use crate::form::fields::segments;
use crate::setup::GrpcApi;
use crate::tokens::looks_secret;

/// Methods that mean the same in every API: they say how a server is, and what it serves.
const EVERYWHERE: [(&str, &str, bool); 5] = [
    ("grpc.health.v1.Health", "Check", false),
    ("grpc.health.v1.Health", "List", false),
    ("grpc.health.v1.Health", "Watch", false),
    ("grpc.reflection.v1.ServerReflection", "ServerReflectionInfo", true),
    ("grpc.reflection.v1alpha.ServerReflection", "ServerReflectionInfo", true),
];

/// An API.
#[derive(Debug)]
pub(super) struct Api {
    // By the path of a request.
    methods: BTreeMap<String, Method>,
}

/// A method.
#[derive(Debug)]
pub(super) struct Method {
    /// The service, for example `etcdserverpb.KV`.
    pub(super) service: Arc<str>,
    /// Its own name, for example `Put`.
    pub(super) name: Arc<str>,
    /// What it is called with; none where the descriptors do not say.
    pub(super) input: Option<MessageDescriptor>,
    /// The caller sends messages for as long as it likes.
    pub(super) takes_stream: bool,
    /// The answer is messages for as long as the server likes.
    pub(super) gives_stream: bool,
    /// The fields of all messages that their author marks as not to be shown, by their full names.
    pub(super) redacted: Arc<BTreeSet<String>>,
    /// What it does, by its operators; none where they say nothing.
    pub(super) says: Option<Says>,
}

impl Api {
    /// How many methods it has.
    pub(super) fn methods(&self) -> usize {
        self.methods.len()
    }

    pub(super) fn new(given: GrpcApi) -> Result<Self, String> {
        let pool = DescriptorPool::decode(given.descriptors.as_slice())
            .map_err(|error| format!("the descriptors cannot be read: {error}"))?;
        let fields = pool.all_messages().flat_map(|message| message.fields().collect::<Vec<_>>());
        let redacted = fields.filter(is_redacted).map(|field| field.full_name().to_owned());
        let redacted: Arc<BTreeSet<String>> = Arc::new(redacted.collect());
        let mut methods = BTreeMap::new();
        for (service, name, streams) in EVERYWHERE {
            let says = Says {
                access: Access::Read,
                level: Level::Control,
                resources: Vec::new(),
                secrets: BTreeSet::new(),
                mints: false,
                also: Vec::new(),
                stream: false,
            };
            let method = Method {
                service: Arc::from(service),
                name: Arc::from(name),
                input: None,
                takes_stream: streams,
                gives_stream: streams || name == "Watch",
                redacted: Arc::default(),
                says: Some(says),
            };
            methods.insert(format!("/{service}/{name}"), method);
        }
        let mut unused: BTreeSet<&str> = given.methods.iter().map(|said| said.name.as_str()).collect();
        if unused.len() < given.methods.len() {
            return Err("something is said of one method twice; say it once".to_owned());
        }
        if let Some(said) = given.methods.iter().find(|said| said.stream) {
            let name = &said.name;
            return Err(format!(
                "`stream` is said of `{name}`, and the descriptors say which methods are; take it out"
            ));
        }
        for service in pool.services() {
            for method in service.methods() {
                let names = [
                    format!("{}/{}", service.full_name(), method.name()),
                    format!("{}/*", service.full_name()),
                ];
                let mut said =
                    names.iter().filter_map(|name| given.methods.iter().find(|said| said.name == *name));
                let said = said.next();
                for name in &names {
                    unused.remove(name.as_str());
                }
                let all = said.is_some_and(|said| said.name.ends_with("/*"));
                let messages = Messages { input: &method.input(), redacted: &redacted, all };
                let says = said.map(|said| Says::new(said, &messages)).transpose()?;
                let of = Method {
                    service: Arc::from(service.full_name()),
                    name: Arc::from(method.name()),
                    input: Some(method.input()),
                    takes_stream: method.is_client_streaming(),
                    gives_stream: method.is_server_streaming(),
                    redacted: Arc::clone(&redacted),
                    says,
                };
                let path = format!("/{}/{}", service.full_name(), method.name());
                // What every API means by it stands.
                methods.entry(path).or_insert(of);
            }
        }
        match unused.first() {
            Some(name) => {
                Err(format!("`{name}` is no method of the descriptors; name one as `package.Service/Method`"))
            }
            None => Ok(Self { methods }),
        }
    }

    /// The method that a path names.
    pub(super) fn method(&self, path: &str) -> Option<&Method> {
        self.methods.get(path)
    }
}

/// What is known of the messages that a method is called with, where something is said of it.
struct Messages<'a> {
    input: &'a MessageDescriptor,
    redacted: &'a BTreeSet<String>,
    /// What is said is said of all methods of a service, and may name what only some of them take.
    all: bool,
}

impl Described for Messages<'_> {
    fn field(&self, path: &str) -> Result<String, String> {
        if self.all || field(self.input, path).is_some() {
            return Ok(path.to_owned());
        }
        let name = self.input.full_name();
        Err(format!("`{path}` is no field of `{name}`; name one by its path in the message"))
    }

    fn is_secret(&self, said: &BTreeSet<String>, path: &str) -> bool {
        is_secret((said, self.redacted), Some(self.input), path)
    }

    fn holds_others(&self, path: &str) -> bool {
        field(self.input, path).is_some_and(|field| field.kind().as_message().is_some())
    }
}

/// Whether a field's author marks it with `debug_redact`, which is the sixteenth of a field's options.
fn is_redacted(field: &FieldDescriptor) -> bool {
    let options = field.options();
    let known = options.get_field_by_name("debug_redact").and_then(|marked| marked.as_bool());
    let newer = options.unknown_fields().filter(|option| option.number() == 16).any(|option| {
        let mut bytes = Vec::new();
        option.encode(&mut bytes);
        bytes == [0x80, 0x01, 0x01]
    });
    known.unwrap_or(newer)
}

/// The field of a message at a path, through lists.
fn field(of: &MessageDescriptor, path: &str) -> Option<FieldDescriptor> {
    let mut at = Some(of.clone());
    let mut found = None;
    for part in segments(path) {
        let field = at?.get_field_by_name(part)?;
        at = field.kind().as_message().filter(|_| !field.is_map()).cloned();
        found = Some(field);
    }
    found
}

impl Method {
    /// Whether what stands at a path is a secret.
    pub(super) fn is_secret(&self, path: &str) -> bool {
        let none = BTreeSet::new();
        let said = self.says.as_ref().map_or(&none, |says| &says.secrets);
        is_secret((said, &self.redacted), self.input.as_ref(), path)
    }
}

/// Whether what stands at a path is a secret: its operators say so, its author does, or its name.
fn is_secret(
    (said, redacted): (&BTreeSet<String>, &BTreeSet<String>),
    input: Option<&MessageDescriptor>,
    path: &str,
) -> bool {
    let marked = || input.is_some_and(|input| passes_by(input, redacted, path));
    said.iter().any(|secret| is_at(path, secret)) || looks_secret(path) || marked()
}

/// Whether one of those fields is on the way to a leaf.
fn passes_by(input: &MessageDescriptor, fields: &BTreeSet<String>, path: &str) -> bool {
    let mut at = Some(input.clone());
    for part in segments(path) {
        let Some(of) = &at else { return false };
        // An item's number, or a key of a map.
        let Some(field) = of.get_field_by_name(part) else { continue };
        if fields.contains(field.full_name()) {
            return true;
        }
        let kind = field.kind();
        at = match kind.as_message() {
            Some(of) if field.is_map() => of.map_entry_value_field().kind().as_message().cloned(),
            of => of.cloned(),
        };
    }
    false
}
