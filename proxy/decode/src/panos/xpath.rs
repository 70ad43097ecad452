//! The part of `XPath` by which the API names one node of the configuration, or some entries of one list, in its one spelling.
//!
//! Whatever else `XPath` can say is no path here: wildcards, unions, axes, functions, positions. Leaves out what is done.

use std::sync::Arc;

use ordain_action::{Identifier, NameBasis, Resource, Role, Undecodable};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::form::fields::clip;
use crate::rest::Names;

/// What would make a name a pattern, or end it.
const VALUE: &AsciiSet = &CONTROLS.add(b'%').add(b'*').add(b'?').add(b'/').add(b':').add(b'\'');

/// What tells one element from others of its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Which {
    /// Nothing: there is one.
    Only,
    /// Its attribute `name`.
    Named(String),
    /// Its text.
    Text(String),
    /// All of them.
    All,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) element: String,
    pub(super) which: Which,
}

/// A node by its steps; the first is `config`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node(pub(super) Vec<Step>);

/// What is meant of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// It.
    Own,
    /// All that lies below it, and not itself.
    Below,
}

/// Whose configuration it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Device<'a> {
    pub(super) names: Names<'a>,
    /// The serial number of the firewall that a manager hands the request on to.
    pub(super) target: Option<&'a str>,
}

impl Device<'_> {
    fn begin(self) -> String {
        let whole = self.names.whole(Role::Target).name;
        self.target.map_or_else(|| whole.clone(), |serial| format!("{whole}/target/{serial}"))
    }

    /// All of it.
    pub(super) fn whole(self, role: Role) -> Resource {
        match self.target {
            None => self.names.whole(role),
            Some(serial) => self.names.one(role, "firewall", &["target", serial]),
        }
    }

    /// All that it has.
    pub(super) fn everything(self, role: Role) -> Resource {
        let whole = self.whole(role);
        Resource { name: format!("{}/*", whole.name), pattern: true, identifiers: Vec::new(), ..whole }
    }
}

impl Node {
    /// The node that holds it.
    pub(super) fn parent(&self) -> Self {
        Self(self.0.split_last().map(|(_, before)| before.to_vec()).unwrap_or_default())
    }

    /// A node right below it.
    pub(super) fn child(&self, element: &str, which: Which) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step { element: element.to_owned(), which });
        let mut node = Self(steps);
        node.settle();
        node
    }

    /// Beside it, under another name.
    pub(super) fn renamed(&self, name: &str) -> Self {
        self.parent().child("entry", Which::Named(name.to_owned()))
    }

    /// The elements of the path, without the names of entries.
    pub(super) fn schema(&self) -> String {
        let own = |step: &&Step| step.element != "entry";
        self.0.iter().skip(1).filter(own).map(|step| step.element.as_str()).collect::<Vec<_>>().join("/")
    }

    /// What the node is: the last element that is no entry.
    fn kind(&self) -> &str {
        let own = |step: &&Step| step.element != "entry" && step.element != "member";
        self.0.iter().rev().find(own).map_or("config", |step| step.element.as_str())
    }

    /// A device has one entry, whose name is known: named or not, it is the same.
    fn settle(&mut self) {
        let mut before = "";
        for (depth, step) in self.0.iter_mut().enumerate() {
            if depth == 2 && before == "devices" && step.element == "entry" && step.which == Which::All {
                step.which = Which::Named("localhost.localdomain".to_owned());
            }
            before = &step.element;
        }
    }

    fn path(&self) -> String {
        let mut text = String::new();
        for step in &self.0 {
            text.push('/');
            text.push_str(&step.element);
            let (attribute, value) = match &step.which {
                Which::Only => continue,
                Which::Named(name) => ("@name", utf8_percent_encode(name, VALUE).to_string()),
                Which::Text(value) => ("text()", utf8_percent_encode(value, VALUE).to_string()),
                Which::All => ("@name", "*".to_owned()),
            };
            text.push_str(&format!("[{attribute}='{value}']"));
        }
        text
    }

    /// It, or what lies below it, as a resource.
    pub(super) fn resource(&self, device: Device<'_>, role: Role, reach: Reach) -> Resource {
        let path = self.path();
        let below = if reach == Reach::Below { "/*" } else { "" };
        let pattern = reach == Reach::Below || self.0.iter().any(|step| step.which == Which::All);
        let identifier = Identifier { name: Arc::from("xpath"), value: path.clone() };
        Resource {
            role,
            kind: Arc::from(format!("{}:{}", device.names.plane, self.kind())),
            name: format!("{}{path}{below}", device.begin()),
            basis: NameBasis::Carried,
            pattern,
            identifiers: if pattern { Vec::new() } else { vec![identifier] },
        }
    }
}

/// Reads a path: one node, or several entries of one list by their names.
///
/// # Errors
/// It says anything else.
pub(super) fn read(text: &str) -> Result<Vec<Node>, Undecodable> {
    let mut reader = Reader { text, rest: text };
    let mut nodes = vec![Node(Vec::new())];
    if text.is_empty() {
        return Err(reader.bad("is empty"));
    }
    while !reader.rest.is_empty() {
        if nodes.len() > 1 {
            return Err(reader.bad("goes on behind several entries"));
        }
        if !reader.take("/") || reader.rest.starts_with('/') {
            return Err(reader.bad("is not a plain path from the root"));
        }
        let element = reader.element()?;
        let which = reader.predicate()?;
        let before = nodes.pop().unwrap_or(Node(Vec::new()));
        nodes = match which {
            None if element == "entry" => vec![before.child(&element, Which::All)],
            None => vec![before.child(&element, Which::Only)],
            Some(several) => several.into_iter().map(|one| before.child(&element, one)).collect(),
        };
    }
    let begins = nodes
        .iter()
        .all(|node| node.0.first() == Some(&Step { element: "config".to_owned(), which: Which::Only }));
    if begins { Ok(nodes) } else { Err(reader.bad("does not begin with `/config`")) }
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn bad(&self, what: &str) -> Undecodable {
        Undecodable::new(
            "bad_xpath",
            format!("the xpath `{}` {what}; name nodes as `/config/…/entry[@name='…']`", clip(self.text)),
        )
    }

    fn take(&mut self, wanted: &str) -> bool {
        let rest = self.rest.strip_prefix(wanted);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn element(&mut self) -> Result<String, Undecodable> {
        let end = self.rest.find(|letter: char| !is_name(letter)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        if !name.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_') {
            return Err(self.bad("has a step that is no name"));
        }
        self.rest = rest;
        Ok(name.to_owned())
    }

    fn predicate(&mut self) -> Result<Option<Vec<Which>>, Undecodable> {
        if !self.take("[") {
            return Ok(None);
        }
        let mut several: Vec<Which> = Vec::new();
        loop {
            self.space();
            let by_name = self.take("@name");
            if !by_name && !self.take("text()") {
                return Err(self.bad("has a predicate on something else than a name"));
            }
            self.space();
            if !self.take("=") {
                return Err(self.bad("has a predicate that does not compare"));
            }
            self.space();
            let value = self.literal()?;
            let one = if by_name { Which::Named(value) } else { Which::Text(value) };
            if !several.contains(&one) {
                several.push(one);
            }
            self.space();
            if self.take("]") {
                return Ok(Some(several));
            }
            if !self.take("or") || !self.rest.starts_with([' ', '\t']) {
                return Err(self.bad("has a predicate of several parts that are not `or`"));
            }
        }
    }

    fn literal(&mut self) -> Result<String, Undecodable> {
        let quote = self.rest.chars().next().filter(|quote| matches!(quote, '\'' | '"'));
        let inside = quote.and_then(|quote| self.rest.strip_prefix(quote)?.split_once(quote));
        let Some((value, rest)) = inside else { return Err(self.bad("has a value that is not in quotes")) };
        self.rest = rest;
        Ok(value.to_owned())
    }
}

const fn is_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> String {
        match read(text) {
            Ok(nodes) => nodes.iter().map(Node::path).collect::<Vec<_>>().join(" and "),
            Err(why) => why.reason_code.to_owned(),
        }
    }

    #[test]
    fn one_node_has_one_name() {
        let vsys = "/config/devices/entry[@name='localhost.localdomain']/vsys/entry[@name='vsys1']";
        for text in [
            "/config/devices/entry[@name='localhost.localdomain']/vsys/entry[@name='vsys1']",
            "/config/devices/entry[@name=\"localhost.localdomain\"]/vsys/entry[ @name = 'vsys1' ]",
            "/config/devices/entry/vsys/entry[@name='vsys1']",
        ] {
            assert_eq!(path(text), vsys);
        }
        assert_eq!(path("/config/shared/address/entry"), "/config/shared/address/entry[@name='*']");
        assert_eq!(
            path("/config/shared/address/entry[@name='a/b:c*'  or @name=\"it's\"]"),
            "/config/shared/address/entry[@name='a%2Fb%3Ac%2A'] and /config/shared/address/entry[@name='it%27s']"
        );
        assert_eq!(path("/config/x/member[text()='a']"), "/config/x/member[text()='a']");
    }

    #[test]
    fn whatever_else_it_says_is_no_path() {
        for text in [
            "",
            "/",
            "config",
            "//config",
            "/config//entry",
            "/config/*",
            "/config/shared|/config/mgt-config",
            "/config/../config",
            "/config/./shared",
            "/config/entry[1]",
            "/config/entry[@name!='a']",
            "/config/entry[@name='a' and @uuid='b']",
            "/config/entry[contains(@name,'a')]",
            "/config/entry[@name=concat('a','b')]",
            "/config/entry[@name='a'][1]",
            "/config/entry[@name='a' or @name='b']/x",
            "/config/entry[@name='a'",
            "/config/child::shared",
            "/config/@version",
            "/predefined/x",
            "/config/shared ",
            "/config/entry[@name='a'or@name='b']",
        ] {
            assert_eq!(path(text), "bad_xpath", "{text}");
        }
    }
}
