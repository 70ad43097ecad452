//! Where the members of a request or an answer stand on the wire, under each protocol.
//!
//! Leaves out values: only names and the structure of paths.

use super::{Model, Operation, Reference, Shape};

/// How deep a request is looked into. Vendors' own clients go no deeper than a few levels.
const DEPTH_MAX: usize = 12;
/// The most members looked at in one operation: a guard against shapes that multiply.
const VISITS_MAX: usize = 60_000;

/// How a protocol writes members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Form {
    /// JSON and CBOR: names as they are, items by number.
    Tree,
    /// XML elements.
    Xml,
    /// AWS query.
    Query,
    /// EC2 query.
    Ec2,
}

impl Form {
    /// How a protocol, in the words of the catalogue, writes requests.
    pub(crate) fn of(protocol: &str) -> Self {
        match protocol {
            "query" => Self::Query,
            "ec2" => Self::Ec2,
            "rest-xml" => Self::Xml,
            _ => Self::Tree,
        }
    }

    /// How it writes answers: the query protocols answer in XML.
    pub(crate) fn answer(self) -> Self {
        match self {
            Self::Tree => Self::Tree,
            Self::Xml | Self::Query | Self::Ec2 => Self::Xml,
        }
    }
}

/// A member met on the way through a shape.
#[derive(Debug, Clone)]
pub(crate) struct Visit<'m> {
    /// Its path on the wire.
    pub(crate) path: String,
    /// The names of the members down to it, in the vendor's model.
    pub(crate) names: Vec<&'m str>,
    /// Its reference.
    pub(crate) reference: &'m Reference,
    /// Its shape.
    pub(crate) shape: &'m Shape,
    /// Where it stands: `uri`, `query`, `header`, `headers` or `body`.
    pub(crate) location: &'static str,
    /// Its shape is one that it is itself part of: what is below it is not visited again.
    pub(crate) recursive: bool,
    /// It is an item of a list or a value of a map.
    pub(crate) item: bool,
}

impl Visit<'_> {
    /// The name of the nearest member.
    pub(crate) fn name(&self) -> &str {
        self.names.last().copied().unwrap_or_default()
    }
}

struct Walk<'m> {
    model: &'m Model,
    form: Form,
    visits: Vec<Visit<'m>>,
    names: Vec<&'m str>,
    open: Vec<&'m str>,
    answer: bool,
}

/// Every member of an operation's input, with its path.
pub(crate) fn input<'m>(model: &'m Model, operation: &'m Operation, form: Form) -> Vec<Visit<'m>> {
    let Some(shape) = model.input(operation) else { return Vec::new() };
    let mut walk =
        Walk { model, form, visits: Vec::new(), names: Vec::new(), open: Vec::new(), answer: false };
    walk.top(shape);
    walk.visits
}

/// Every member of an operation's output, with its path from the root of the answer.
pub(crate) fn output<'m>(
    model: &'m Model,
    name: &str,
    operation: &'m Operation,
    form: Form,
) -> Vec<Visit<'m>> {
    let (Some(shape), Some(reference)) = (model.output(operation), operation.output.as_ref()) else {
        return Vec::new();
    };
    let root = match (form, &reference.result_wrapper) {
        (Form::Tree, _) => String::new(),
        (Form::Query, Some(wrapper)) => format!("{name}Response.{wrapper}"),
        (Form::Query | Form::Ec2, _) => format!("{name}Response"),
        (Form::Xml, _) => shape
            .payload
            .as_ref()
            .and_then(|payload| shape.members.get(payload))
            .map(|member| member.location_name.clone().unwrap_or_else(|| member.shape.clone()))
            .or_else(|| shape.location_name.clone())
            .unwrap_or_else(|| reference.shape.clone()),
    };
    let mut walk = Walk {
        model,
        form: form.answer(),
        visits: Vec::new(),
        names: Vec::new(),
        open: Vec::new(),
        answer: true,
    };
    match shape.payload.as_ref().and_then(|payload| shape.members.get_key_value(payload)) {
        Some((payload, member)) if model.is_rest() => {
            if let Some(inner) = model.shape(member).filter(|inner| inner.kind == "structure") {
                walk.names.push(payload);
                walk.structure(&root, inner, "body");
            }
        }
        _ => walk.structure(&root, shape, "body"),
    }
    walk.visits
}

impl<'m> Walk<'m> {
    /// The members of the whole input, of which one may be the body itself.
    fn top(&mut self, shape: &'m Shape) {
        for (name, member) in &shape.members {
            let Some(inner) = self.model.shape(member) else { continue };
            let location = self.location(member);
            if self.model.is_rest() && shape.payload.as_deref() == Some(name) {
                if inner.kind == "structure" {
                    self.names.push(name);
                    self.structure("", inner, "body");
                    self.names.pop();
                } else {
                    self.see(name.clone(), name, member, inner, "body");
                }
                continue;
            }
            let path = self.named(name, member, inner, location);
            self.see(path, name, member, inner, location);
        }
    }

    fn location(&self, member: &Reference) -> &'static str {
        if !self.model.is_rest() {
            return "body";
        }
        match member.location.as_deref() {
            Some("uri") => "uri",
            Some("querystring") => "query",
            Some("header") => "header",
            Some("headers") => "headers",
            _ => "body",
        }
    }

    fn named(&self, name: &str, member: &Reference, shape: &Shape, location: &str) -> String {
        match (location, &member.location_name) {
            ("header" | "headers", Some(wire)) => return wire.to_lowercase(),
            ("uri" | "query", Some(wire)) => return escaped(wire),
            _ => {}
        }
        let wire = member.location_name.as_deref().unwrap_or(name);
        match self.form {
            Form::Ec2 => member.query_name.clone().unwrap_or_else(|| first_upper(wire)),
            Form::Query if self.is_flat(member, shape) => {
                let item = shape.member.as_ref().and_then(|item| item.location_name.clone());
                item.unwrap_or_else(|| wire.to_owned())
            }
            Form::Tree | Form::Xml | Form::Query => escaped(wire),
        }
    }

    fn is_flat(&self, member: &Reference, shape: &Shape) -> bool {
        shape.kind == "list" && (self.form == Form::Ec2 || member.flattened || shape.flattened)
    }

    fn structure(&mut self, path: &str, shape: &'m Shape, location: &'static str) {
        for (name, member) in &shape.members {
            let Some(inner) = self.model.shape(member) else { continue };
            if self.answer && self.model.is_rest() && member.location.is_some() {
                continue;
            }
            let wire = self.named(name, member, inner, "body");
            self.see(join(path, &wire), name, member, inner, location);
        }
    }

    fn see(
        &mut self,
        path: String,
        name: &'m str,
        reference: &'m Reference,
        shape: &'m Shape,
        location: &'static str,
    ) {
        self.names.push(name);
        self.visit(path.clone(), reference, shape, location, false);
        self.below(&path, reference, shape, location);
        self.names.pop();
    }

    fn visit(
        &mut self,
        path: String,
        reference: &'m Reference,
        shape: &'m Shape,
        location: &'static str,
        item: bool,
    ) {
        let recursive = self.open.contains(&reference.shape.as_str());
        self.visits.push(Visit {
            path,
            names: self.names.clone(),
            reference,
            shape,
            location,
            recursive,
            item,
        });
    }

    fn below(&mut self, path: &str, reference: &'m Reference, shape: &'m Shape, location: &'static str) {
        let name = reference.shape.as_str();
        if self.open.contains(&name) || self.open.len() > DEPTH_MAX || self.visits.len() > VISITS_MAX {
            return;
        }
        self.open.push(name);
        match shape.kind.as_str() {
            "structure" => self.structure(path, shape, location),
            "list" => self.list(path, reference, shape, location),
            "map" => self.map(path, reference, shape, location),
            _ => {}
        }
        self.open.pop();
    }

    fn list(&mut self, path: &str, reference: &'m Reference, shape: &'m Shape, location: &'static str) {
        let Some(member) = shape.member.as_ref() else { return };
        let Some(inner) = self.model.shape(member) else { return };
        let flat = self.is_flat(reference, shape);
        let items = match self.form {
            Form::Xml if !flat => join(path, member.location_name.as_deref().unwrap_or("member")),
            Form::Query if !flat => join(path, member.location_name.as_deref().unwrap_or("member")),
            Form::Tree | Form::Xml | Form::Query | Form::Ec2 => path.to_owned(),
        };
        self.visit_below(format!("{items}.*"), member, inner, location);
    }

    fn map(&mut self, path: &str, reference: &'m Reference, shape: &'m Shape, location: &'static str) {
        let Some(value) = shape.value.as_ref() else { return };
        let Some(inner) = self.model.shape(value) else { return };
        let entry = match self.form {
            Form::Tree => format!("{path}.*"),
            Form::Xml | Form::Query | Form::Ec2 => {
                let name = value.location_name.as_deref().unwrap_or("value");
                let flat = reference.flattened || shape.flattened;
                if flat { format!("{path}.*.{name}") } else { format!("{path}.entry.*.{name}") }
            }
        };
        self.visit_below(entry, value, inner, location);
    }

    fn visit_below(
        &mut self,
        path: String,
        reference: &'m Reference,
        shape: &'m Shape,
        location: &'static str,
    ) {
        self.visit(path.clone(), reference, shape, location, true);
        self.below(&path, reference, shape, location);
    }
}

/// Paths of the elements of an XML body that may repeat, with the items of the lists around them.
pub(crate) fn xml_lists(visits: &[Visit<'_>]) -> Vec<String> {
    let mut lists: Vec<String> = visits
        .iter()
        .filter(|visit| visit.item && visit.location == "body")
        .filter_map(|visit| {
            let at = visit.path.rfind(".*")?;
            visit.path.get(..at)
        })
        .map(|path| format!("body:{path}"))
        .collect();
    lists.sort();
    lists.dedup();
    lists
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn escaped(name: &str) -> String {
    name.replace('\\', "\\\\").replace('.', "\\.")
}

fn first_upper(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
