//! The messages of each host as descriptors, made of the catalogue on first use.
//!
//! Leaves out reading by them (`grpc/message.rs`).

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use ordain_catalog::{GoogleField, GoogleKind, GoogleRpc, GoogleType, GoogleTypeOf, google};
use prost_reflect::prost_types::field_descriptor_proto::{Label, Type};
use prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto,
    FileDescriptorProto, FileDescriptorSet, MessageOptions, OneofDescriptorProto,
};
use prost_reflect::{DescriptorPool, MessageDescriptor};

/// Where what many hosts have is kept.
const EVERYWHERE: &str = "";

/// The descriptors of all hosts.
#[derive(Debug)]
pub(crate) struct Pools(HashMap<&'static str, OnceLock<Option<DescriptorPool>>>);

impl Pools {
    pub(crate) fn new() -> Self {
        Self(google().rpc_hosts().chain([EVERYWHERE]).map(|host| (host, OnceLock::new())).collect())
    }

    /// A message by its full name, as a host has it or, where none is named, as many do.
    pub(super) fn message(
        &self,
        host: Option<&str>,
        rpc: &GoogleRpc,
        name: &str,
    ) -> Option<MessageDescriptor> {
        let kept = self.0.get(host.unwrap_or(EVERYWHERE))?;
        kept.get_or_init(|| pool(rpc.types())).as_ref()?.get_message_by_name(name)
    }
}

/// A message of any host's, for the cases.
#[cfg(test)]
pub(crate) fn message(name: &str) -> Option<MessageDescriptor> {
    static POOLS: std::sync::LazyLock<Pools> = std::sync::LazyLock::new(Pools::new);
    let pools = &*POOLS;
    let of = |host: &'static str| {
        let rpc = google().rpc(host)?;
        // Pools are made of those alone that have it.
        let is = |of: &GoogleType| format!("{}.{}", of.package, of.path) == name;
        rpc.types().iter().any(is).then(|| pools.message(Some(host), rpc, name))?
    };
    let everywhere = || pools.message(None, google().rpc_everywhere()?, name);
    google().rpc_hosts().find_map(of).or_else(everywhere)
}

/// A message with those that are in it.
#[derive(Default)]
struct Node {
    message: DescriptorProto,
    inner: BTreeMap<String, Node>,
    enums: Vec<EnumDescriptorProto>,
}

impl Node {
    fn at(&mut self, path: &[&str]) -> &mut Self {
        let mut at = self;
        for name in path {
            at = at.inner.entry((*name).to_owned()).or_default();
        }
        at
    }

    fn into_message(self, name: String) -> DescriptorProto {
        let mut message = self.message;
        message.name = Some(name);
        message.enum_type = self.enums;
        message.nested_type.extend(self.inner.into_iter().map(|(name, node)| node.into_message(name)));
        message
    }
}

/// Descriptors of the types; none where they do not fit each other.
fn pool(types: &[GoogleType]) -> Option<DescriptorPool> {
    let mut packages: BTreeMap<&str, Node> = BTreeMap::new();
    for of in types {
        let mut path: Vec<&str> = of.path.split('.').collect();
        let package = packages.entry(&of.package).or_default();
        match &of.of {
            GoogleTypeOf::Message(fields) => {
                let full = format!(".{}.{}", of.package, of.path);
                let node = package.at(&path);
                for field in fields {
                    add(&full, field, &mut node.message);
                }
            }
            GoogleTypeOf::Enum(values) => {
                let name = path.pop().map(str::to_owned);
                let value = |(number, name): &(i32, Box<str>)| EnumValueDescriptorProto {
                    name: Some(name.to_string()),
                    number: Some(*number),
                    options: None,
                };
                package.at(&path).enums.push(EnumDescriptorProto {
                    name,
                    value: values.iter().map(value).collect(),
                    ..EnumDescriptorProto::default()
                });
            }
        }
    }
    let names: Vec<String> = packages.keys().map(|package| format!("{package}.proto")).collect();
    let file = packages.into_iter().map(|(package, node)| FileDescriptorProto {
        name: Some(format!("{package}.proto")),
        // Each may name what stands in any other.
        dependency: names
            .iter()
            .filter(|name| name.strip_suffix(".proto") != Some(package))
            .cloned()
            .collect(),
        package: Some(package.to_owned()),
        enum_type: node.enums,
        message_type: node.inner.into_iter().map(|(name, node)| node.into_message(name)).collect(),
        ..FileDescriptorProto::default()
    });
    DescriptorPool::from_file_descriptor_set(FileDescriptorSet { file: file.collect() }).ok()
}

/// Adds a field to a message, with the entry that a map is a list of.
fn add(full: &str, field: &GoogleField, message: &mut DescriptorProto) {
    let mut made = plain(&field.name, field.number, &field.kind);
    made.json_name = field.json.as_deref().map(str::to_owned);
    if let Some(word) = &field.oneof {
        let known = message.oneof_decl.iter().position(|oneof| oneof.name.as_deref() == Some(word));
        let at = known.unwrap_or(message.oneof_decl.len());
        if known.is_none() {
            message.oneof_decl.push(OneofDescriptorProto { name: Some(word.to_string()), options: None });
        }
        made.oneof_index = i32::try_from(at).ok();
    }
    if field.list {
        made.set_label(Label::Repeated);
    }
    if let Some(key) = &field.key {
        let name = format!("Entry{}", field.number);
        message.nested_type.push(DescriptorProto {
            name: Some(name.clone()),
            field: vec![plain("key", 1, key), plain("value", 2, &field.kind)],
            options: Some(MessageOptions { map_entry: Some(true), ..MessageOptions::default() }),
            ..DescriptorProto::default()
        });
        made.set_label(Label::Repeated);
        made.set_type(Type::Message);
        made.type_name = Some(format!("{full}.{name}"));
    }
    message.field.push(made);
}

fn plain(name: &str, number: i32, kind: &GoogleKind) -> FieldDescriptorProto {
    let mut made = FieldDescriptorProto {
        name: Some(name.to_owned()),
        number: Some(number),
        ..FieldDescriptorProto::default()
    };
    made.set_label(Label::Optional);
    match kind {
        GoogleKind::Scalar(word) => {
            // A word that is none is no type, and what has it is not taken.
            made.r#type = Type::from_str_name(&format!("TYPE_{}", word.to_ascii_uppercase())).map(i32::from);
        }
        GoogleKind::Message(of) => {
            made.set_type(Type::Message);
            made.type_name = Some(format!(".{of}"));
        }
        GoogleKind::Enum(of) => {
            made.set_type(Type::Enum);
            made.type_name = Some(format!(".{of}"));
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_has_the_message_that_it_is_called_with() {
        let pools = Pools::new();
        let of = |host: Option<&str>, rpc: &GoogleRpc| {
            for call in rpc.calls() {
                let input = pools.message(host, rpc, &call.input);
                assert!(input.is_some(), "{host:?} {}/{}: {}", call.service, call.name, call.input);
            }
        };
        for host in google().rpc_hosts() {
            of(Some(host), google().rpc(host).unwrap());
        }
        of(None, google().rpc_everywhere().unwrap());
    }
}
