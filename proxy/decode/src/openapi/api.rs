//! An API: the operations of its document, and what its operators say of them.
//!
//! Leaves out reading a request (`call.rs`).

use std::collections::{BTreeMap, BTreeSet};

use ordain_action::{Access, Undecodable};

use super::deny::Refuses;
use super::document::Document;
use super::form;
use super::operation::{self, Operation, Several};
use super::path::{Fit, Template};
use super::schema::Shape;
use super::secret;
use crate::described::{Described, Says, is_at};
use crate::form::fields::{Fields, segments, unescape};
use crate::form::names;
use crate::form::query::Pair;
use crate::setup::{ApiMethod, OpenApi};

/// An API.
#[derive(Debug)]
pub(super) struct Api {
    document: Document,
    methods: Vec<Method>,
    // By the method of HTTP: the paths, and whose they are.
    routes: BTreeMap<&'static str, Vec<Route>>,
    /// Names by which its clients show a credential of its own, each with where it stands.
    credentials: BTreeSet<(String, String)>,
    /// Parameters of queries beyond the document's.
    query: BTreeSet<String>,
    /// How it says no to what is no operation of it.
    pub(super) refuses: Refuses,
}

/// A path that an operation has.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) template: Template,
    method: usize,
}

/// An operation, and what it does.
#[derive(Debug)]
pub(super) struct Method {
    pub(super) operation: Operation,
    /// By its operators; none where they say nothing.
    pub(super) says: Option<Says>,
    /// What its permission belongs to.
    pub(super) service: String,
}

impl Api {
    /// Reads the document, and holds against it what is said of it.
    ///
    /// # Errors
    /// One of them cannot be read, or they do not fit.
    pub(super) fn new(given: OpenApi) -> Result<Self, String> {
        let document = Document::read(&given.document)?;
        let operations = operation::all(&document, given.bases.is_some())?;
        let bases = match &given.bases {
            Some(said) => said.iter().map(|base| operation::base(base)).collect::<Result<_, _>>()?,
            None => operation::bases(&document)?,
        };
        let mut greedy: BTreeMap<String, &str> =
            given.greedy.iter().map(|path| (path.replace("+}", "}"), path.as_str())).collect();
        let query: BTreeSet<String> = given.query.iter().cloned().collect();
        let mut said = said(&given.methods, &operations)?;
        let (mut methods, mut routes) = (Vec::new(), BTreeMap::<&'static str, Vec<Route>>::new());
        let mut used = BTreeSet::new();
        for (at, operation) in operations.into_iter().enumerate() {
            let text = match greedy.get_key_value(&operation.path) {
                Some((path, text)) => {
                    used.insert(path.clone());
                    (*text).to_owned()
                }
                None => operation.path.clone(),
            };
            let mut labels = BTreeSet::new();
            for base in &bases {
                let template = Template::new(base, &text)?;
                labels = template.labels().map(str::to_owned).collect();
                routes.entry(operation.method).or_default().push(Route { template, method: at });
            }
            let known =
                Request { document: &document, operation: &operation, labels: &labels, query: &query };
            let says = said.remove(&at).map(|said| checked(said, &known)).transpose()?;
            let first = Template::new("", &text)?;
            let service = operation.tag.as_deref().or(first.first()).unwrap_or("api").to_owned();
            methods.push(Method { operation, says, service });
        }
        greedy.retain(|path, _| !used.contains(path));
        if let Some(path) = greedy.values().next() {
            return Err(format!(
                "`greedy` has `{path}`, and the description has no such path; write it as there"
            ));
        }
        for routes in routes.values() {
            told_apart(routes, &methods)?;
        }
        let credentials = operation::credentials(&document);
        let mut all = methods.iter().map(|method| &method.operation.refuses);
        let refuses = all.find(|refuses| **refuses != Refuses::Unsaid).cloned().unwrap_or_default();
        Ok(Self { document, methods, routes, credentials, query, refuses })
    }

    /// How many operations it has.
    pub(super) fn operations(&self) -> usize {
        self.methods.len()
    }

    /// Of how many nothing is said, and their own names do not say that they only read.
    pub(super) fn unsaid(&self) -> usize {
        let unsaid = |method: &&Method| method.says.is_none() && !method.operation.only_reads;
        self.methods.iter().filter(unsaid).count()
    }

    /// The operation that a path is for, and how it fits.
    ///
    /// # Errors
    /// It is for none, or may be for another one.
    pub(super) fn find(
        &self,
        method: &str,
        path: &[&str],
        trailing_slash: bool,
    ) -> Option<Result<(&Method, &Route, Fit), Undecodable>> {
        let routes = self.routes.get(method)?;
        let fits = |any_case: bool| {
            routes
                .iter()
                .filter_map(move |route| Some((route, route.template.fit(path, trailing_slash, any_case)?)))
        };
        let exact: Vec<(&Route, Fit)> = fits(false).collect();
        let closest = exact
            .iter()
            .find(|(_, fit)| exact.iter().all(|(_, other)| fit.is_closer_than(other)))
            .or(exact.first())?;
        let (route, fit) = closest;
        // A server that knows no capitals would take the other one.
        let other = fits(true).find(|(other, close)| {
            !std::ptr::eq(*other, *route) && (!fit.is_closer_than(close) || close.is_closer_than(fit))
        });
        if let Some((other, _)) = other {
            let text = format!(
                "the path may be `{}` or `{}`, and servers do not agree which; send one that fits one of them",
                route.template, other.template
            );
            return Some(Err(Undecodable::new("ambiguous_operation", text)));
        }
        let method = self.methods.get(route.method)?;
        Some(Ok((method, route, fit.clone())))
    }

    /// Whether a parameter of a query is one that changes nothing.
    pub(super) fn knows_query(&self, name: &str) -> bool {
        self.query.contains(name)
    }

    /// Whether clients show a credential of the API itself there.
    pub(super) fn is_credential(&self, place: &str, name: &str) -> bool {
        self.credentials.iter().any(|(known, of)| known == place && of == name)
    }

    /// The names of its credentials in headers or in cookies.
    pub(super) fn credentials(&self, place: &str) -> impl Iterator<Item = &str> {
        self.credentials.iter().filter(move |(known, _)| known == place).map(|(_, name)| name.as_str())
    }

    /// Whether what stands at a path of a request is a secret.
    pub(super) fn is_secret(&self, method: &Method, path: &str) -> bool {
        let none = BTreeSet::new();
        let said = method.says.as_ref().map_or(&none, |says| &says.secrets);
        is_secret(&self.document, &method.operation, said, path)
    }

    /// Refuses names in a form that servers may take for others.
    ///
    /// # Errors
    /// The first such name.
    pub(super) fn check_form(&self, method: &Method, pairs: &[Pair<'_>]) -> Result<(), Undecodable> {
        let shapes = bodies(&self.document, &method.operation);
        let of_form = |field: &serde_json::Value| Some(field.get("name")?.as_str()?.to_owned());
        let own: Vec<String> = method.operation.form.iter().filter_map(of_form).collect();
        let members = shapes.iter().flat_map(Shape::members).chain(own.iter().map(String::as_str));
        form::check(&method.operation, &members.collect(), pairs)
    }

    /// Refuses members that the document has in another case, and names that those of other places have here.
    ///
    /// # Errors
    /// The first such member.
    pub(super) fn check_members(&self, method: &Method, body: &Fields) -> Result<(), Undecodable> {
        body.refuse_keys_that_differ_in_case()?;
        let shape = bodies(&self.document, &method.operation);
        for (path, _) in body.iter() {
            if path.starts_with(['/', '?', '@']) {
                return Err(Undecodable::new(
                    "unread_member",
                    "the body has a member whose name begins with `/`, `?` or `@`, which stands for another place here; \
                     leave it out",
                ));
            }
            let first = segments(path).next().map(unescape).unwrap_or_default();
            if names::rewrites(&first) {
                return Err(Undecodable::new(
                    "unread_member",
                    format!(
                        "servers are known to take `{first}` for another method than the request has; leave it out"
                    ),
                ));
            }
            for shape in &shape {
                let mut at = shape.clone();
                for segment in segments(path) {
                    let key = unescape(segment);
                    if let Some(name) = at.other_case(&key) {
                        return Err(Undecodable::new(
                            "other_spelling",
                            format!(
                                "the body has `{name}` in another spelling, which servers may take for it; write it so"
                            ),
                        ));
                    }
                    at = at.step(&key);
                }
            }
        }
        Ok(())
    }
}

/// What is said, by the place of the operation of which it is.
fn said<'m>(
    methods: &'m [ApiMethod],
    operations: &[Operation],
) -> Result<BTreeMap<usize, &'m ApiMethod>, String> {
    let mut all = BTreeMap::new();
    for method in methods {
        let called = |operation: &Operation| {
            operation.name == method.name
                || method.name.split_once(' ') == Some((operation.method, operation.path.as_str()))
        };
        let mut found = operations.iter().enumerate().filter(|(_, operation)| called(operation));
        let Some((at, operation)) = found.next() else {
            return Err(format!(
                "`{}` is no operation of the description; name one by its `operationId` or as `METHOD /path`",
                method.name
            ));
        };
        if let Some((_, other)) = found.next() {
            return Err(format!(
                "`{}` is the name of `{} {}` and of `{} {}`; name one of them so",
                method.name, operation.method, operation.path, other.method, other.path
            ));
        }
        if all.insert(at, method).is_some() {
            return Err("something is said of one method twice; say it once".to_owned());
        }
    }
    Ok(all)
}

fn checked(said: &ApiMethod, known: &Request<'_>) -> Result<Says, String> {
    let method = known.operation.method;
    if said.access == Access::Read && matches!(method, "DELETE" | "PATCH" | "PUT") {
        return Err(format!(
            "what is said of `{}`: it is a `{method}`, which changes something; say what, or take it out",
            said.name
        ));
    }
    Says::new(said, known)
}

/// Refuses two templates of which every path fits both as closely.
fn told_apart(routes: &[Route], methods: &[Method]) -> Result<(), String> {
    let mut rest = routes;
    while let Some((one, others)) = rest.split_first() {
        if let Some(other) = others.iter().find(|other| one.template.equals(&other.template)) {
            let named = |route: &Route| {
                let method = methods.get(route.method).map_or("", |method| method.operation.method);
                format!("`{method} {}`", route.template)
            };
            return Err(format!(
                "{} and {} are for the same paths; take one of them out",
                named(one),
                named(other)
            ));
        }
        rest = others;
    }
    Ok(())
}

/// The schemas of the bodies that are read.
fn bodies<'d>(document: &'d Document, operation: &'d Operation) -> Vec<Shape<'d>> {
    operation.body.iter().filter_map(|(_, schema)| Some(Shape::of(document, schema.as_ref()?))).collect()
}

fn is_secret(document: &Document, operation: &Operation, said: &BTreeSet<String>, path: &str) -> bool {
    if said.iter().any(|secret| is_at(path, secret)) || secret::is_likely(path) {
        return true;
    }
    let in_form = operation.form.iter().any(|field| {
        let is = |key: &str, text: &str| field.get(key).and_then(serde_json::Value::as_str) == Some(text);
        is("format", "password") && is("name", path)
    });
    in_form
        || bodies(document, operation).into_iter().any(|mut shape| {
            segments(path).any(|segment| {
                shape = shape.step(&unescape(segment));
                shape.is_secret()
            })
        })
}

/// What is known of an operation's requests.
struct Request<'a> {
    document: &'a Document,
    operation: &'a Operation,
    labels: &'a BTreeSet<String>,
    query: &'a BTreeSet<String>,
}

/// A name as it stands among the fields of a request, in the place that the mark says.
pub(super) fn placed(mark: char, name: &str) -> String {
    let mut path = String::from(mark);
    for character in name.chars() {
        if matches!(character, '.' | '\\') {
            path.push('\\');
        }
        path.push(character);
    }
    path
}

impl Request<'_> {
    /// What the document says of a member of the body, its lists walked into; none where it says nothing.
    fn member(&self, path: &str) -> Result<Option<Shape<'_>>, String> {
        let no_field = || {
            format!(
                "`{path}` is no field of `{}`; name a label, `?parameter`, `@header` or member",
                self.operation.name
            )
        };
        if self.operation.body.is_empty() {
            return Err(no_field());
        }
        let form: Vec<&str> = self
            .operation
            .form
            .iter()
            .filter_map(|field| field.get("name").and_then(serde_json::Value::as_str))
            .collect();
        if !form.is_empty() {
            return if form.contains(&path) { Ok(None) } else { Err(no_field()) };
        }
        let mut found = None;
        let shapes = bodies(self.document, self.operation);
        for shape in &shapes {
            let mut at = shape.clone();
            let mut open = false;
            for segment in segments(path) {
                while at.is_list() && !at.item().is_unknown() {
                    at = at.item();
                }
                let next = at.member(&unescape(segment));
                open |= next.is_unknown() && at.members().is_empty();
                at = next;
            }
            if open || !at.is_unknown() {
                found = Some(at);
            }
        }
        if found.is_none() && !shapes.is_empty() {
            return Err(no_field());
        }
        Ok(found)
    }
}

impl Described for Request<'_> {
    fn field(&self, path: &str) -> Result<String, String> {
        let unknown = |what: &str| {
            format!("`{path}` is no {what} of `{}`; name one as the description has it", self.operation.name)
        };
        if self.labels.contains(path) {
            return Ok(placed('/', path));
        }
        if let Some(name) = path.strip_prefix('?') {
            let known = self.operation.query.contains_key(name) || self.query.contains(name);
            return if known { Ok(placed('?', name)) } else { Err(unknown("parameter")) };
        }
        if let Some(name) = path.strip_prefix('@') {
            let name = name.to_ascii_lowercase();
            return if self.operation.headers.contains(&name) {
                Ok(placed('@', &name))
            } else {
                Err(unknown("header"))
            };
        }
        self.member(path).map(|_| path.to_owned())
    }

    fn is_secret(&self, said: &BTreeSet<String>, path: &str) -> bool {
        is_secret(self.document, self.operation, said, path)
    }

    fn holds_others(&self, path: &str) -> bool {
        !path.starts_with(['/', '?', '@'])
            && self.member(path).ok().flatten().is_some_and(|shape| shape.is_object())
    }
}

impl Operation {
    /// How often a parameter of the query may stand; none where there is no such parameter.
    pub(super) fn several(&self, name: &str) -> Option<Several> {
        self.query.get(name).copied().or_else(|| {
            let (of, rest) = name.split_once('[')?;
            let known = self.query.get(of).copied().filter(|several| *several == Several::Members)?;
            rest.ends_with(']').then_some(known)
        })
    }
}
