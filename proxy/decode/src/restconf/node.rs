//! A node of the data tree, as an api-path names it (RFC 8040 section 3.5.3), in its one spelling.
//!
//! Leaves out which modules there are: without a schema nothing says which node is a list or of which type a key is. A key
//! that servers of some type store in another spelling stands for every entry of its list therefore.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use ordain_action::{Identifier, NameBasis, Resource, Role, Undecodable};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::form::fields::clip;
use crate::form::percent;
use crate::rest::Names;

/// What would make a key a pattern, two keys, two nodes, or the end of what holds it.
const KEY: &AsciiSet = &CONTROLS.add(b'%').add(b'*').add(b'?').add(b'/').add(b',').add(b':').add(b' ');

/// Which entry of a list a step names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Keys {
    /// It names none: a container, a leaf, or all of a list.
    None,
    /// The entry with these keys.
    Exact(Vec<String>),
    /// An entry that cannot be told from others.
    Any,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) module: String,
    pub(super) name: String,
    pub(super) keys: Keys,
}

/// A node, by its steps from the root; none is the datastore itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Node(pub(super) Vec<Step>);

/// What is meant beside a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Nothing.
    Own,
    /// All that lies below it, and not itself.
    Below,
    /// All entries, where it is a list.
    Entries,
}

impl Node {
    /// Reads the steps of an api-path, still percent-encoded, below this node.
    ///
    /// # Errors
    /// It is none, or could be taken for another.
    pub(super) fn join<'s>(&self, steps: impl Iterator<Item = &'s str>) -> Result<Self, Undecodable> {
        let mut node = self.clone();
        for text in steps {
            // Some servers take what follows for parameters of the path, or a plus for a space.
            if text.contains([';', '+']) {
                return Err(bad(
                    text,
                    "has a `;` or a `+`, which servers take for two things; percent-encode it",
                ));
            }
            let (name, keys) = text.split_once('=').map_or((text, None), |(name, keys)| (name, Some(keys)));
            let name = percent::decode(name)?;
            let (module, name) = qualified(&name, node.module())?;
            let keys = match keys {
                None => Keys::None,
                Some(text) => keys_of(text)?,
            };
            node.0.push(Step { module, name, keys });
        }
        Ok(node)
    }

    /// The module of the last step: what stands below without a module is of the same.
    pub(super) fn module(&self) -> Option<&str> {
        self.0.last().map(|step| step.module.as_str())
    }

    /// The node that holds it.
    pub(super) fn parent(&self) -> Self {
        Self(self.0.split_last().map(|(_, before)| before.to_vec()).unwrap_or_default())
    }

    /// A node right below it.
    pub(super) fn child(&self, module: &str, name: &str, keys: Keys) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step { module: module.to_owned(), name: name.to_owned(), keys });
        Self(steps)
    }

    /// Whether its last step names no entry of a list.
    pub(super) fn is_bare(&self) -> bool {
        self.0.last().is_none_or(|step| step.keys == Keys::None)
    }

    /// The path without keys, in the spelling of RFC 7951: a module where it is not the one before.
    pub(super) fn schema(&self) -> String {
        self.spell(false)
    }

    /// The path with its keys.
    pub(super) fn path(&self) -> String {
        self.spell(true)
    }

    fn spell(&self, with_keys: bool) -> String {
        let mut text = String::new();
        let mut module = "";
        for step in &self.0 {
            if !text.is_empty() {
                text.push('/');
            }
            if module != step.module && (with_keys || !module.is_empty()) {
                text.push_str(&step.module);
                text.push(':');
            }
            module = &step.module;
            text.push_str(&step.name);
            match &step.keys {
                Keys::Exact(keys) if with_keys => {
                    for (at, key) in keys.iter().enumerate() {
                        text.push(if at == 0 { '=' } else { ',' });
                        text.extend(utf8_percent_encode(key, KEY));
                    }
                }
                Keys::Any if with_keys => text.push_str("=*"),
                Keys::Exact(_) | Keys::Any | Keys::None => {}
            }
        }
        text
    }

    /// It, or what lies around it, as a resource.
    pub(super) fn resource(&self, names: Names<'_>, role: Role, reach: Reach) -> Resource {
        let whole = names.whole(role);
        let Some(last) = self.0.last() else {
            return match reach {
                Reach::Own => whole,
                Reach::Below | Reach::Entries => {
                    Resource { name: format!("{}/*", whole.name), pattern: true, ..whole }
                }
            };
        };
        let path = self.path();
        let mut name = format!("{}/{path}", whole.name);
        let _infallible = name.write_str(match reach {
            Reach::Own => "",
            Reach::Below => "/*",
            Reach::Entries => "=*",
        });
        let pattern = reach != Reach::Own || self.0.iter().any(|step| step.keys == Keys::Any);
        let identifier = Identifier { name: Arc::from("path"), value: format!("/{path}") };
        Resource {
            role,
            kind: self.kind(names, last),
            name,
            basis: NameBasis::Carried,
            pattern,
            identifiers: if pattern { Vec::new() } else { vec![identifier] },
        }
    }

    fn kind(&self, names: Names<'_>, last: &Step) -> Arc<str> {
        Arc::from(format!("{}:{}:{}", names.plane, last.module, last.name))
    }

    /// Something new below another node, whose name the request does not say.
    pub(super) fn unnamed(&self, names: Names<'_>) -> Resource {
        let kind = self.0.last().map(|step| format!("{}:{}", step.module, step.name)).unwrap_or_default();
        names.unnamed(&kind, None)
    }
}

/// The module and the name of an identifier; the module is that of what holds it where none is said.
///
/// # Errors
/// It is none, or has no module at all.
pub(super) fn qualified(text: &str, within: Option<&str>) -> Result<(String, String), Undecodable> {
    let (module, name) = text.split_once(':').map_or((within, text), |(module, name)| (Some(module), name));
    let Some(module) = module else {
        return Err(bad(
            text,
            "has no module before it; write `module:name`, as the top of a tree is written",
        ));
    };
    if !is_identifier(module) || !is_identifier(name) {
        return Err(bad(text, "is no name of a node; write it as its module has it"));
    }
    Ok((module.to_owned(), name.to_owned()))
}

/// An identifier of YANG (RFC 7950 section 6.2).
pub(super) fn is_identifier(text: &str) -> bool {
    text.bytes().next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

fn keys_of(text: &str) -> Result<Keys, Undecodable> {
    let mut keys = Vec::new();
    for part in text.split(',') {
        keys.push(percent::decode(part)?.into_owned());
    }
    Ok(keys_from(keys))
}

/// The entry with these keys, or any where one of them has other spellings.
pub(super) fn keys_from(keys: Vec<String>) -> Keys {
    if keys.iter().any(|key| has_other_spellings(key)) { Keys::Any } else { Keys::Exact(keys) }
}

/// Whether a server may know a key by another spelling than this one: those of a number, of an address, of an identity with
/// or without its module (RFC 7950 section 9, RFC 7951 section 6.8, RFC 6991).
fn has_other_spellings(key: &str) -> bool {
    key.trim() != key
        || is_other_number(key)
        || is_other_address(key)
        || is_other_hexadecimal(key)
        || key.split_once(':').is_some_and(|(module, name)| is_identifier(module) && is_identifier(name))
}

fn is_other_number(key: &str) -> bool {
    let signed = key.starts_with(['+', '-']);
    let plain = key.strip_prefix(['+', '-']).unwrap_or(key);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(rest) = plain.strip_prefix("0x").or_else(|| plain.strip_prefix("0X")) {
        return !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    let (whole, fraction) = plain.split_once('.').map_or((plain, None), |(whole, part)| (whole, Some(part)));
    if !digits(whole) || fraction.is_some_and(|part| !digits(part)) {
        return false;
    }
    let zeros = whole.len() > 1 && whole.starts_with('0');
    let trailing = fraction.is_some_and(|part| part.len() > 1 && part.ends_with('0'));
    key.starts_with('+') || zeros || trailing || (signed && whole == "0")
}

fn is_other_address(key: &str) -> bool {
    let (address, length) = key.split_once('/').map_or((key, None), |(text, length)| (text, Some(length)));
    let length: Option<u32> = length.and_then(|text| text.parse().ok());
    if let Ok(four) = address.parse::<Ipv4Addr>() {
        let host = |length: u32| u32::MAX.checked_shr(length).unwrap_or(0);
        return length.is_some_and(|length| four.to_bits() & host(length) != 0);
    }
    let plain = address.split('%').next().unwrap_or(address);
    let Ok(six) = plain.parse::<Ipv6Addr>() else { return false };
    let host = |length: u32| u128::MAX.checked_shr(length).unwrap_or(0);
    six.to_string() != plain || length.is_some_and(|length| six.to_bits() & host(length) != 0)
}

/// A hardware address or a UUID in capitals.
fn is_other_hexadecimal(key: &str) -> bool {
    let groups: Vec<&str> = key.split([':', '-']).collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let address = groups.len() >= 6 && lengths.iter().all(|length| *length == 2);
    (address || lengths == [8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
        && key.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn bad(text: &str, what: &str) -> Undecodable {
    Undecodable::new("bad_path", format!("`{}` {what}", clip(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str) -> String {
        match Node::default().join(path.split('/')) {
            Ok(node) => node.path(),
            Err(why) => why.reason_code.to_owned(),
        }
    }

    #[test]
    fn one_node_has_one_name() {
        for (path, expected) in [
            ("ietf-interfaces:interfaces/interface=eth0", "ietf-interfaces:interfaces/interface=eth0"),
            (
                "ietf-interfaces:interfaces/ietf-interfaces:interface=eth0",
                "ietf-interfaces:interfaces/interface=eth0",
            ),
            ("ietf-interfaces%3Ainterfaces/interface=%65th0", "ietf-interfaces:interfaces/interface=eth0"),
            ("m:l=a%2Fb%2Cc,d", "m:l=a%2Fb%2Cc,d"),
            ("m:l=a%2fb%2cc,d/n:x/n:y", "m:l=a%2Fb%2Cc,d/n:x/y"),
            ("m:l=", "m:l="),
            ("m:l=,,x", "m:l=,,x"),
            ("m:l=2001%3Adb8%3A%3A1", "m:l=2001%3Adb8%3A%3A1"),
            ("m:l=a=b", "m:l=a=b"),
        ] {
            assert_eq!(read(path), expected, "{path}");
        }
        for path in ["interfaces", "m:a=b;c=d", "m:a%3Db", "m:a=b+c", "m:n:o", "m:", ":a", "m:1", "m:a*"] {
            assert_eq!(read(path), "bad_path", "{path}");
        }
    }

    #[test]
    fn a_key_in_a_spelling_of_several_is_any_of_them() {
        for key in [
            "010",
            "+10",
            "0xA",
            "-0",
            "1.10",
            "2001:DB8::1",
            "2001:db8:0::1",
            "10.1.2.3/8",
            "2001:db8::1/32",
            " a",
            "iana-if-type:ethernetCsmacd",
            "AA:BB:CC:DD:EE:FF",
            "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6",
        ] {
            assert!(has_other_spellings(key), "{key}");
        }
        for key in [
            "10",
            "0",
            "-10",
            "1.5",
            "eth0",
            "GigabitEthernet1/0/1",
            "2001:db8::1",
            "10.0.0.0/8",
            "::/0",
            "eth0:1",
            "aa:bb:cc:dd:ee:ff",
            "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
            "",
            "fe80::1%eth0",
        ] {
            assert!(!has_other_spellings(key), "{key}");
        }
    }
}
