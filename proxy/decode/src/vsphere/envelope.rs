//! A SOAP envelope, read strictly: one method in one body, its parameters, and the references among them.
//!
//! Leaves out what the method does (`change.rs`).

use ordain_action::Undecodable;
use ordain_catalog::{Method, Vim};
use roxmltree::{Document, Node, ParsingOptions};

use super::object::{Object, resembles};
use crate::form::Fields;
use crate::form::fields::{clip, segments};
use crate::form::xml::{self, Form};

const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const VIM: &str = "urn:vim25";
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// How clients write the attribute that says what data is of.
const GO_TYPE: &str = "XMLSchema-instance:type";

/// What envelopes may have in their header: a name for the request, which servers write into their logs.
const HEADERS: [&str; 2] = ["operationID", "opID"];

/// The most references that one request may have.
const REFERENCES_MAX: usize = 1_024;

/// A reference among the parameters.
#[derive(Debug)]
pub(super) struct Reference {
    /// The parameter that it is, or is in.
    pub(super) parameter: String,
    /// The member that it is, in whatever depth.
    pub(super) member: String,
    /// It is a parameter itself, and not in one.
    pub(super) is_parameter: bool,
    pub(super) object: Object,
}

/// A request.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) method: &'static Method,
    pub(super) this: Object,
    pub(super) references: Vec<Reference>,
    /// The parameters, by their path below the method.
    pub(super) fields: Fields,
    /// The methods that are to be called later, by their names.
    pub(super) later: Vec<String>,
    /// The types that data says to be of.
    pub(super) types: Vec<String>,
}

/// Reads an envelope.
///
/// # Errors
/// It is anything else than one method of vim25 with its own parameters.
pub(super) fn read(vim: &'static Vim, body: &[u8]) -> Result<Message, Undecodable> {
    let mut all = Fields::new();
    let is_list = |path: &str| is_list(vim, path);
    let prefix = |namespace: Option<&str>| match namespace {
        Some(SOAP) => Some("soap".to_owned()),
        Some(VIM) => Some("vim".to_owned()),
        None => Some("bare".to_owned()),
        // What it is in it is refused below, in words of this plane.
        Some(_) => Some("other".to_owned()),
    };
    let form = Form { is_list: &is_list, prefix: Some(&prefix), attributes: &["type", "versionId", GO_TYPE] };
    let root = xml::read_as(body, form, &mut all)?;
    if root != "soap:Envelope" {
        return Err(bad("is no SOAP 1.1 envelope"));
    }
    if all.overflowed() {
        return Err(Undecodable::new(
            "too_many_parameters",
            "there are too many parameters; send fewer at once",
        ));
    }
    let text = std::str::from_utf8(body).unwrap_or_default();
    let options = ParsingOptions { allow_dtd: false, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|_| bad("is not well formed"))?;
    let element = method_of(document.root_element())?;
    let name = element.tag_name().name();
    let method = vim.method(name).ok_or_else(|| {
        let what = format!("`{}` is no method of vim25 that is known here; send one that is", clip(name));
        Undecodable::new("unknown_operation", what)
    })?;
    let mut message = Reading { vim, method, references: Vec::new(), later: Vec::new(), types: Vec::new() };
    let this = message.method(element)?;
    let Reading { references, later, types, .. } = message;
    Ok(Message { method, this, references, fields: below(&all, name)?, later, types })
}

/// Which elements may repeat: parameters as their method has them, members as some data type has them.
fn is_list(vim: &Vim, path: &str) -> bool {
    let mut parts = path.split('.').filter(|part| !part.bytes().all(|byte| byte.is_ascii_digit()));
    let (Some("Body"), Some(method), Some(first)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    match parts.next_back() {
        Some(member) => vim.is_list(member),
        None => {
            let method = method.strip_prefix("vim:").and_then(|name| vim.method(name));
            let own = |method: &Method| {
                method.parameters.iter().any(|parameter| parameter.name == first && parameter.several)
            };
            method.is_some_and(own)
        }
    }
}

/// The one element in the one body.
fn method_of<'a, 'i>(envelope: Node<'a, 'i>) -> Result<Node<'a, 'i>, Undecodable> {
    let mut bodies = Vec::new();
    for child in envelope.children().filter(Node::is_element) {
        match (child.tag_name().namespace(), child.tag_name().name()) {
            (Some(SOAP), "Body") => bodies.push(child),
            (Some(SOAP), "Header") => header(child)?,
            _ => return Err(bad("has more than a header and a body")),
        }
    }
    let [body] = bodies.as_slice() else { return Err(bad("has no body, or two")) };
    let mut methods = body.children().filter(Node::is_element);
    let (Some(method), None) = (methods.next(), methods.next()) else {
        return Err(bad("asks for no method, or for two"));
    };
    if method.tag_name().namespace() == Some(VIM) {
        Ok(method)
    } else {
        Err(Undecodable::new(
            "unknown_namespace",
            "the method is none of `urn:vim25`, which is all that is read at this endpoint",
        ))
    }
}

fn header(header: Node<'_, '_>) -> Result<(), Undecodable> {
    for child in header.children().filter(Node::is_element) {
        let plain = child.children().all(|inner| inner.is_text());
        if !plain || !HEADERS.contains(&child.tag_name().name()) {
            let what = format!(
                "the header `{}` of the envelope is not read here; leave it out",
                clip(child.tag_name().name())
            );
            return Err(Undecodable::new("unread_header", what));
        }
    }
    Ok(())
}

/// The parameters by their paths below the method.
fn below(all: &Fields, method: &str) -> Result<Fields, Undecodable> {
    let before = format!("Body.vim:{method}.");
    let mut fields = Fields::new();
    for (path, value) in all.iter() {
        let Some(path) = path.strip_prefix(&before) else { continue };
        if path.ends_with(".@versionId") {
            continue;
        }
        // A member in another namespace is none that a server knows.
        if segments(path).any(|part| part.contains(':') && part.strip_prefix('@') != Some(GO_TYPE)) {
            return Err(bad("has parameters in several namespaces"));
        }
        fields.put_at(path, value);
    }
    Ok(fields)
}

struct Reading {
    vim: &'static Vim,
    method: &'static Method,
    references: Vec<Reference>,
    later: Vec<String>,
    types: Vec<String>,
}

impl Reading {
    fn method(&mut self, element: Node<'_, '_>) -> Result<Object, Undecodable> {
        if element.attributes().next().is_some() {
            return Err(bad("has attributes at its method"));
        }
        let mut this = None;
        for child in element.children().filter(Node::is_element) {
            let name = child.tag_name().name();
            if name == "_this" {
                if this.is_some() {
                    return Err(bad("has two objects that the method is called on"));
                }
                let object = self.reference(child)?.ok_or_else(|| bad("has a `_this` without its type"))?;
                let object = object.declared(self.vim, self.method.of);
                if !self.vim.is_a(object.kind, self.method.of) && !self.vim.is_a(self.method.of, object.kind)
                {
                    return Err(Undecodable::new(
                        "bad_reference",
                        format!("`{}` is no method of a {}", self.method.name, object.kind),
                    ));
                }
                this = Some(object);
                continue;
            }
            let known = self.method.parameters.iter().find(|parameter| parameter.name == name);
            let Some(parameter) = known else {
                return Err(Undecodable::new(
                    "unread_parameter",
                    format!("`{}` is no parameter of `{}`; take it out", clip(name), self.method.name),
                ));
            };
            if let Some(kind) = parameter.refers {
                let object = self.reference(child)?.ok_or_else(|| without_type(name))?;
                let object = object.declared(self.vim, kind);
                if !self.vim.is_a(object.kind, kind) && !self.vim.is_a(kind, object.kind) {
                    return Err(Undecodable::new("bad_reference", format!("`{name}` is no {kind}")));
                }
                self.keep(name, name, true, object)?;
            } else {
                self.data(name, child)?;
            }
        }
        this.ok_or_else(|| bad("does not say what the method is called on"))
    }

    /// Reads data, and all that is in it.
    fn data(&mut self, parameter: &str, element: Node<'_, '_>) -> Result<(), Undecodable> {
        let name = element.tag_name().name();
        if let Some(object) = self.reference(element)? {
            return self.keep(parameter, name, false, object);
        }
        let children: Vec<Node<'_, '_>> = element.children().filter(Node::is_element).collect();
        let said = said_type(element)?;
        if is_other_server(name, said, &children) {
            return Err(Undecodable::new(
                "other_server",
                format!(
                    "`{}` leads to another vCenter, whose objects are not known here; leave it out",
                    clip(name)
                ),
            ));
        }
        if let Some(kind) = said {
            if !self.vim.is_data(kind) {
                let what =
                    format!("there is no type `{}` of data that is known here; send one that is", clip(kind));
                return Err(Undecodable::new("unknown_type", what));
            }
            if kind == "MethodAction" {
                let called = children.iter().find(|child| child.tag_name().name() == "name");
                let called = called.and_then(Node::text).unwrap_or_default();
                self.later.push(called.to_owned());
            }
            if !self.types.iter().any(|known| known == kind) {
                self.types.push(kind.to_owned());
            }
        }
        for child in children {
            self.says_type(child)?;
            self.data(parameter, child)?;
        }
        Ok(())
    }

    /// Refuses a member that is a reference and does not say what it is of, which a server may not need.
    fn says_type(&self, member: Node<'_, '_>) -> Result<(), Undecodable> {
        let name = member.tag_name().name();
        let text = member.text().unwrap_or_default().trim();
        let bare = member.attributes().all(|attribute| attribute.name() == "versionId")
            && !member.children().any(|child| child.is_element());
        let refers = name == "ManagedObjectReference" || self.vim.refers(name);
        // What may be text besides is one by its form alone.
        if bare && refers && !text.is_empty() && (!self.vim.is_text(name) || resembles(text)) {
            return Err(without_type(name));
        }
        Ok(())
    }

    /// The reference that an element is: one that says the type of an object.
    fn reference(&self, element: Node<'_, '_>) -> Result<Option<Object>, Undecodable> {
        let said = said_type(element)?;
        let own = |attribute: &roxmltree::Attribute<'_, '_>| {
            attribute.namespace().is_none() && attribute.name() == "type"
        };
        let Some(kind) = element.attributes().find(own).map(|attribute| attribute.value().to_owned()) else {
            return match said {
                Some("ManagedObjectReference") => Err(without_type(element.tag_name().name())),
                Some(_) | None => Ok(None),
            };
        };
        if said.is_some_and(|said| said != "ManagedObjectReference")
            || element.children().any(|child| child.is_element())
        {
            return Err(bad("has an element that is data and a reference at once"));
        }
        Object::read(self.vim, &kind, element.text().unwrap_or_default()).map(Some)
    }

    fn keep(
        &mut self,
        parameter: &str,
        member: &str,
        is_parameter: bool,
        object: Object,
    ) -> Result<(), Undecodable> {
        if self.references.len() >= REFERENCES_MAX {
            return Err(Undecodable::new(
                "too_many_resources",
                "there are too many objects in one request; send smaller ones",
            ));
        }
        let reference =
            Reference { parameter: parameter.to_owned(), member: member.to_owned(), is_parameter, object };
        self.references.push(reference);
        Ok(())
    }
}

/// Whether data says where another vCenter is, and who one is there.
fn is_other_server(name: &str, said: Option<&str>, children: &[Node<'_, '_>]) -> bool {
    let tells =
        |child: &Node<'_, '_>| matches!(child.tag_name().name(), "credential" | "instanceUuid" | "url");
    said == Some("ServiceLocator") || matches!(name, "service" | "managementVc") && children.iter().any(tells)
}

/// The type that an element says to be of, without the prefix of its namespace. Its attributes are those that are known.
fn said_type<'a>(element: Node<'a, '_>) -> Result<Option<&'a str>, Undecodable> {
    let mut said = None;
    for attribute in element.attributes() {
        match (attribute.namespace(), attribute.name()) {
            (None, "type" | "versionId") => {}
            (Some(INSTANCE), "type") => said = Some(attribute.value()),
            (_, name) => {
                let what = format!("the XML attribute `{}` is not known; leave it out", clip(name));
                return Err(Undecodable::new("unknown_attribute", what));
            }
        }
    }
    Ok(said.map(|kind| kind.split_once(':').map_or(kind, |(_, kind)| kind)))
}

fn without_type(name: &str) -> Undecodable {
    Undecodable::new(
        "bad_reference",
        format!("`{}` is a reference that does not say what it is of; send its type", clip(name)),
    )
}

/// What is wrong with an envelope.
pub(super) fn bad(what: &str) -> Undecodable {
    Undecodable::new(
        "bad_envelope",
        format!("the request {what}; send one method of vim25 in a plain envelope"),
    )
}
