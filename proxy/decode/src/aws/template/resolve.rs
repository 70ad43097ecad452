//! Values of a template: functions that the request itself decides are carried out, others stay as they are written.
//!
//! Leaves out conditions (`condition.rs`), and what a value is for.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ordain_action::Undecodable;
use ordain_catalog::Catalog;

use super::given::Given;
use super::node::{Node, unread};
use super::section::{Declared, Template};
use super::value::{Made, Text, Value};
use crate::aws::resource::Place;
use crate::tokens::looks_secret;

/// How often values may be made, and how many bytes of text and of what is taken over as it is written, so that functions
/// within functions stay small.
const STEPS_MAX: usize = 200_000;
const BYTES_MAX: usize = 8 << 20;

/// How deep references to references go.
const DEPTH_MAX: usize = 24;

/// Everything that values are found in.
#[derive(Debug)]
pub(super) struct Scope<'t> {
    pub(super) template: &'t Template,
    pub(super) catalog: &'t Catalog,
    pub(super) place: Place<'t>,
    /// The stack's name; `None` for stacks that are named later.
    pub(super) stack: Option<&'t str>,
    pub(super) given: BTreeMap<String, Given>,
    /// Parameters that are not given have their defaults.
    pub(super) defaults: bool,
    /// Conditions that are taken to be so.
    pub(super) assumed: BTreeMap<String, bool>,
    /// Conditions that could not be decided.
    pub(super) undecided: RefCell<BTreeSet<String>>,
    /// Parameters of Systems Manager that values are read from.
    pub(super) read: RefCell<BTreeSet<String>>,
    pub(super) steps: Cell<usize>,
    pub(super) bytes: Cell<usize>,
}

impl Scope<'_> {
    /// What a value comes to.
    ///
    /// # Errors
    /// It would take too long, or come to too much.
    pub(super) fn value(&self, node: &Node) -> Result<Value, Undecodable> {
        self.resolve(node, 0)
    }

    pub(super) fn resolve(&self, node: &Node, depth: usize) -> Result<Value, Undecodable> {
        self.step()?;
        if let Some((name, given)) = node.function() {
            if depth > DEPTH_MAX {
                return self.unknown(node);
            }
            return self.function(node, name, given, depth + 1);
        }
        Ok(match node {
            Node::Null => Value::Null,
            Node::Bool(truth) => Value::Bool(*truth),
            Node::Number(text) => {
                self.charge(text.len())?;
                Value::Number(text.clone())
            }
            Node::Text(text) => self.text(text.clone(), false, Made::Here)?,
            Node::List(items) => {
                let mut all = Vec::with_capacity(items.len());
                for item in items {
                    let value = self.resolve(item, depth)?;
                    if value != Value::Absent {
                        all.push(value);
                    }
                }
                Value::List(all)
            }
            // A function beside something else is none that is carried out.
            Node::Map(members) if members.iter().any(|(name, _)| name.starts_with("Fn::")) => {
                self.unknown(node)?
            }
            Node::Map(members) => {
                let mut all = Vec::with_capacity(members.len());
                for (name, member) in members {
                    let value = self.resolve(member, depth)?;
                    if value != Value::Absent {
                        self.charge(name.len())?;
                        all.push((name.clone(), value));
                    }
                }
                Value::Map(all)
            }
        })
    }

    /// Counts one step.
    pub(super) fn step(&self) -> Result<(), Undecodable> {
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > STEPS_MAX { Err(too_much()) } else { Ok(()) }
    }

    /// Counts bytes that a value takes.
    fn charge(&self, bytes: usize) -> Result<(), Undecodable> {
        self.bytes.set(self.bytes.get().saturating_add(bytes));
        if self.bytes.get() > BYTES_MAX { Err(too_much()) } else { Ok(()) }
    }

    /// What is written, as it is.
    fn unknown(&self, node: &Node) -> Result<Value, Undecodable> {
        self.charge(node.size())?;
        Ok(Value::Unknown(node.clone()))
    }

    fn text(&self, text: String, secret: bool, made: Made) -> Result<Value, Undecodable> {
        self.charge(text.len())?;
        Ok(Value::Text(Text { text, secret, made }))
    }

    fn function(&self, node: &Node, name: &str, given: &Node, depth: usize) -> Result<Value, Undecodable> {
        let found = match name {
            "Ref" => match given.text() {
                Some(name) => self.reference(name, depth)?,
                None => None,
            },
            "Fn::GetAtt" => self.attribute(given, depth)?,
            "Fn::Sub" => self.substituted(given, depth)?,
            "Fn::Join" => self.joined(given, depth)?,
            "Fn::Select" => self.selected(given, depth)?,
            "Fn::Split" => self.split(given, depth)?,
            "Fn::If" => self.either(given, depth)?,
            "Fn::FindInMap" => self.mapped(given, depth)?,
            "Fn::Base64" => match self.resolve(given, depth)?.scalar() {
                Some(text) => Some(self.text(STANDARD.encode(&text.text), text.secret, text.made)?),
                None => None,
            },
            // Zones of the region, and parts of a network of the stack's own.
            "Fn::GetAZs" | "Fn::Cidr" => Some(Value::symbol(name, Made::Any)),
            _ => None,
        };
        match found {
            // A name stands once in the template, and as often here as it is asked for.
            Some(Value::Text(text)) if text.made != Made::Here => {
                self.charge(text.text.len())?;
                Ok(Value::Text(text))
            }
            Some(value) => Ok(value),
            None => self.unknown(node),
        }
    }

    /// What `Ref` stands for; `None` where the request does not tell.
    fn reference(&self, name: &str, depth: usize) -> Result<Option<Value>, Undecodable> {
        if let Some(pseudo) = name.strip_prefix("AWS::") {
            return Ok(self.pseudo(pseudo));
        }
        if let Some(declared) = self.template.member("Parameters", name) {
            return self.parameter(name, declared);
        }
        let Some(declared) = self.template.resource(name) else { return Ok(None) };
        if tells_anything(declared.type_name) {
            return Ok(None);
        }
        let Some(known) = self.catalog.resource_type(declared.type_name) else { return Ok(None) };
        let parts: Vec<_> = known.properties().filter(|property| property.part.is_some()).collect();
        let [part] = parts.as_slice() else { return Ok(Some(Value::symbol(name, Made::Any))) };
        // In a default network a group is known by its name, which may have any letters.
        if declared.type_name == "AWS::EC2::SecurityGroup" && declared.property("VpcId").is_none() {
            return Ok(Some(Value::symbol(name, Made::Any)));
        }
        let Some(own) = declared.property(part.name).filter(|_| !part.read_only) else {
            return Ok(Some(Value::symbol(name, Made::Sure)));
        };
        if depth > DEPTH_MAX {
            return Ok(None);
        }
        match self.resolve(own, depth + 1)?.scalar() {
            Some(text) => Ok(Some(Value::Text(text))),
            None => Ok(None),
        }
    }

    fn pseudo(&self, name: &str) -> Option<Value> {
        // Of a set of stacks, account and region are each stack's own.
        let own = |text: &str| {
            if text.contains('*') {
                Value::symbol(&format!("AWS::{name}"), Made::Sure)
            } else {
                Value::plain(text)
            }
        };
        match name {
            "NoValue" => Some(Value::Absent),
            "AccountId" => Some(own(self.place.account)),
            "Region" => Some(own(self.place.region)),
            "Partition" => Some(Value::plain(self.place.partition)),
            "StackName" => {
                Some(self.stack.map_or_else(|| Value::symbol("AWS::StackName", Made::Sure), Value::plain))
            }
            "StackId" => Some(Value::symbol("AWS::StackId", Made::Sure)),
            "URLSuffix" => match self.place.partition {
                "aws" | "aws-us-gov" => Some(Value::plain("amazonaws.com")),
                "aws-cn" => Some(Value::plain("amazonaws.com.cn")),
                _ => None,
            },
            _ => None,
        }
    }

    fn parameter(&self, name: &str, declared: &Node) -> Result<Option<Value>, Undecodable> {
        let kind = declared.get("Type").and_then(Node::text).unwrap_or_default();
        let value = match self.given.get(name) {
            Some(Given::Value(value)) => Some(value.as_str()),
            Some(Given::Previous) => None,
            None if self.defaults => declared.get("Default").and_then(Node::as_text),
            None => None,
        };
        let Some(value) = value else { return Ok(None) };
        if kind.starts_with("AWS::SSM::Parameter::Value") {
            self.read.borrow_mut().insert(value.to_owned());
            return Ok(None);
        }
        let secret = declared.get("NoEcho").and_then(Node::as_text).is_some_and(|echo| echo != "false")
            || looks_secret(name);
        if kind == "CommaDelimitedList" || kind.starts_with("List<") {
            let items = value.split(',').map(|item| self.text(item.trim().to_owned(), secret, Made::Here));
            return Ok(Some(Value::List(items.collect::<Result<_, _>>()?)));
        }
        self.text(value.to_owned(), secret, Made::Here).map(Some)
    }

    fn attribute(&self, given: &Node, depth: usize) -> Result<Option<Value>, Undecodable> {
        let (id, attribute) = match given {
            Node::Text(text) => match text.split_once('.') {
                Some((id, attribute)) => (id.to_owned(), attribute.to_owned()),
                None => return Ok(None),
            },
            Node::List(items) => match items.as_slice() {
                [id, attribute] => {
                    let attribute = self.resolve(attribute, depth)?.known();
                    match (id.text(), attribute) {
                        (Some(id), Some(attribute)) => (id.to_owned(), attribute),
                        _ => return Ok(None),
                    }
                }
                _ => return Ok(None),
            },
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::Map(_) => return Ok(None),
        };
        self.attribute_of(&id, &attribute, depth)
    }

    fn attribute_of(&self, id: &str, attribute: &str, depth: usize) -> Result<Option<Value>, Undecodable> {
        let symbol = format!("{id}.{attribute}");
        let made_by_provider = ["Arn", "ARN", "Id", "ID"].iter().any(|end| attribute.ends_with(end));
        let Some(declared) = self.template.resource(id) else {
            // What the serverless transform adds has names that begin with those of what it adds to.
            let added = |declared: Declared<'_>| {
                declared.type_name.starts_with("AWS::Serverless::") && id.starts_with(declared.id)
            };
            let made = self.template.serverless && made_by_provider && self.template.resources().any(added);
            return Ok(made.then(|| Value::symbol(&symbol, Made::Sure)));
        };
        if tells_anything(declared.type_name) || self.catalog.resource_type(declared.type_name).is_none() {
            return Ok(None);
        }
        // What is written for the resource is what it tells.
        if let Some(own) = declared.property(attribute) {
            if depth > DEPTH_MAX {
                return Ok(None);
            }
            return Ok(self.resolve(own, depth + 1)?.scalar().map(Value::Text));
        }
        Ok(Some(Value::symbol(&symbol, if made_by_provider { Made::Sure } else { Made::Any })))
    }

    fn substituted(&self, given: &Node, depth: usize) -> Result<Option<Value>, Undecodable> {
        let (text, own): (&str, &[(String, Node)]) = match given {
            Node::Text(text) => (text, &[]),
            Node::List(items) => match items.as_slice() {
                [Node::Text(text)] => (text, &[]),
                [Node::Text(text), Node::Map(own)] => (text, own),
                _ => return Ok(None),
            },
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::Map(_) => return Ok(None),
        };
        let (mut whole, mut secret, mut made) = (String::new(), false, Made::Here);
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            whole.push_str(before);
            let Some((name, behind)) = after.split_once('}') else { return Ok(None) };
            rest = behind;
            if let Some(literal) = name.strip_prefix('!') {
                whole.push_str(&format!("${{{literal}}}"));
                continue;
            }
            let name = name.trim();
            let value = match own.iter().find(|(known, _)| known == name) {
                Some((_, node)) => Some(self.resolve(node, depth)?),
                None => match name.split_once('.') {
                    Some((id, attribute)) => self.attribute_of(id, attribute, depth)?,
                    None => self.reference(name, depth)?,
                },
            };
            let Some(part) = value.and_then(|value| value.scalar()) else { return Ok(None) };
            whole.push_str(&part.text);
            secret |= part.secret;
            made = made.max(part.made);
            if whole.len() > BYTES_MAX {
                return Err(too_much());
            }
        }
        whole.push_str(rest);
        self.text(whole, secret, made).map(Some)
    }

    /// The items of a list, all scalars.
    fn scalars(&self, node: &Node, depth: usize) -> Result<Option<Vec<Text>>, Undecodable> {
        Ok(match self.resolve(node, depth)? {
            Value::List(items) => items.iter().map(Value::scalar).collect(),
            Value::Absent
            | Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::Map(_)
            | Value::Either(..)
            | Value::Unknown(_) => None,
        })
    }

    fn joined(&self, given: &Node, depth: usize) -> Result<Option<Value>, Undecodable> {
        let [between, list] = given.items() else { return Ok(None) };
        let (Some(between), Some(items)) = (between.text(), self.scalars(list, depth)?) else {
            return Ok(None);
        };
        let secret = items.iter().any(|item| item.secret);
        let made = items.iter().map(|item| item.made).max().unwrap_or(Made::Here);
        let size: usize = items.iter().map(|item| item.text.len() + between.len()).sum();
        if size > BYTES_MAX {
            return Err(too_much());
        }
        let texts: Vec<&str> = items.iter().map(|item| item.text.as_str()).collect();
        self.text(texts.join(between), secret, made).map(Some)
    }

    fn selected(&self, given: &Node, depth: usize) -> Result<Option<Value>, Undecodable> {
        let [at, list] = given.items() else { return Ok(None) };
        let at = self.resolve(at, depth)?.known().and_then(|at| at.parse::<usize>().ok());
        Ok(match (at, self.resolve(list, depth)?) {
            (Some(at), Value::List(items)) => items.get(at).cloned(),
            // One of what something in the stack tells.
            (_, Value::Text(text)) if text.made == Made::Any => Some(Value::Text(text)),
            _ => None,
        })
    }

    fn split(&self, given: &Node, depth: usize) -> Result<Option<Value>, Undecodable> {
        let [at, text] = given.items() else { return Ok(None) };
        let Some(at) = at.text().filter(|at| !at.is_empty()) else { return Ok(None) };
        let Some(text) = self.resolve(text, depth)?.scalar() else { return Ok(None) };
        if text.made != Made::Here {
            return Ok(Some(Value::symbol("Fn::Split", Made::Any)));
        }
        let parts = text.text.split(at).map(|part| self.text(part.to_owned(), text.secret, Made::Here));
        Ok(Some(Value::List(parts.collect::<Result<_, _>>()?)))
    }

    fn either(&self, given: &Node, depth: usize) -> Result<Option<Value>, Undecodable> {
        let [condition, yes, no] = given.items() else { return Ok(None) };
        let Some(condition) = condition.text() else { return Ok(None) };
        match self.holds(condition, depth)? {
            Some(true) => self.resolve(yes, depth).map(Some),
            Some(false) => self.resolve(no, depth).map(Some),
            None => {
                self.undecided.borrow_mut().insert(condition.to_owned());
                let both = (self.resolve(yes, depth)?, self.resolve(no, depth)?);
                Ok(Some(Value::Either(Box::new(both.0), Box::new(both.1))))
            }
        }
    }

    fn mapped(&self, given: &Node, depth: usize) -> Result<Option<Value>, Undecodable> {
        let (map, first, second, default) = match given.items() {
            [map, first, second] => (map, first, second, None),
            [map, first, second, other] => (map, first, second, other.get("DefaultValue")),
            _ => return Ok(None),
        };
        let key =
            |node: &Node| -> Result<Option<String>, Undecodable> { Ok(self.resolve(node, depth)?.known()) };
        let (Some(map), Some(first), Some(second)) = (key(map)?, key(first)?, key(second)?) else {
            return Ok(None);
        };
        let found = self.template.member("Mappings", &map);
        match found.and_then(|map| map.get(&first)).and_then(|inner| inner.get(&second)).or(default) {
            Some(node) => self.resolve(node, depth).map(Some),
            None => Ok(None),
        }
    }
}

/// Types whose attributes are whatever somebody else says.
pub(super) fn tells_anything(type_name: &str) -> bool {
    const TELLING: [&str; 8] = [
        "AWS::CloudFormation::CustomResource",
        "AWS::CloudFormation::Macro",
        "AWS::CloudFormation::Stack",
        "AWS::CloudFormation::WaitCondition",
        "AWS::Lambda::Invocation",
        "AWS::Serverless::Application",
        "AWS::ServiceCatalog::CloudFormationProvisionedProduct",
        "AWS::ServiceCatalogAppRegistry::Application",
    ];
    !type_name.starts_with("AWS::") || TELLING.contains(&type_name) || type_name.ends_with("::MODULE")
}

fn too_much() -> Undecodable {
    unread("its functions come to more than is read at once; write it with fewer")
}
