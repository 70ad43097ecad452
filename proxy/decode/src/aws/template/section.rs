//! What a template declares: its resources, and what would change them before they are made.
//!
//! Leaves out the values of properties (`resolve.rs`).

use ordain_action::Undecodable;

use super::node::{Node, unread};
use crate::form::fields::clip;

/// The sections that a template may have.
const SECTIONS: [&str; 12] = [
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Globals",
    "Hooks",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
    "Rules",
    "Transform",
];

/// What may stand beside the type of a resource.
const ATTRIBUTES: [&str; 12] = [
    "Condition",
    "Connectors",
    "CreationPolicy",
    "DeletionPolicy",
    "DependsOn",
    "IgnoreGlobals",
    "Metadata",
    "Properties",
    "Type",
    "UpdatePolicy",
    "UpdateReplacePolicy",
    "Version",
];

/// The most resources of a template, which is the vendor's own bound.
const RESOURCES_MAX: usize = 500;

/// The transform whose results are known by name.
const SERVERLESS: &str = "AWS::Serverless-2016-10-31";

/// The transform that adds functions and loops, and changes nothing that uses neither.
const LANGUAGE: &str = "AWS::LanguageExtensions";

/// A template, its sections known.
#[derive(Debug)]
pub(super) struct Template {
    root: Node,
    /// Whether resources of the serverless transform are written in it.
    pub(super) serverless: bool,
    /// What changes the template before anything is made: macros and loops, by name.
    pub(super) macros: Vec<String>,
}

/// One resource as it is declared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Declared<'t> {
    pub(super) id: &'t str,
    pub(super) type_name: &'t str,
    pub(super) node: &'t Node,
}

impl<'t> Declared<'t> {
    /// A property as it is written.
    pub(super) fn property(&self, name: &str) -> Option<&'t Node> {
        self.node.get("Properties").and_then(|properties| properties.get(name))
    }

    /// The text of an attribute (`DeletionPolicy`).
    pub(super) fn attribute(&self, name: &str) -> Option<&'t str> {
        self.node.get(name).and_then(Node::text)
    }
}

impl Template {
    /// Takes a tree for a template.
    ///
    /// # Errors
    /// It has a section or an attribute that no template has, no resource, or more of them than there may be.
    pub(super) fn of(root: Node) -> Result<Self, Undecodable> {
        for (name, _) in root.members() {
            // A section given to a macro: what stands there is not read.
            if !SECTIONS.contains(&name.as_str()) && name != "Fn::Transform" {
                return Err(unread(&format!("`{}` is no section of one; leave it out", clip(name))));
            }
        }
        let (mut serverless, mut macros) = (false, Vec::new());
        for name in root.get("Transform").map(transforms).transpose()?.unwrap_or_default() {
            match name.as_str() {
                SERVERLESS => serverless = true,
                LANGUAGE => {}
                _ => macros.push(name),
            }
        }
        if root.calls("Fn::Transform") {
            let mut inner = Vec::new();
            transforms_in(&root, &mut inner);
            macros.push("Fn::Transform".to_owned());
            macros.extend(inner);
        }
        if root.calls("Fn::ForEach") {
            macros.push("Fn::ForEach".to_owned());
        }
        if root.get("Hooks").is_some() {
            macros.push("Hooks".to_owned());
        }
        let mut template = Self { root, serverless, macros };
        template.check()?;
        // A connector grants what its transform says.
        if template.resources().any(|declared| declared.node.get("Connectors").is_some()) {
            template.macros.push("AWS::Serverless::Connector".to_owned());
        }
        Ok(template)
    }

    fn check(&self) -> Result<(), Undecodable> {
        let resources = self.section("Resources").ok_or_else(|| unread("it has no resources; name some"))?;
        if resources.len() > RESOURCES_MAX {
            return Err(unread("it has more than 500 resources; make several stacks of it"));
        }
        for (id, node) in resources {
            if id.starts_with("Fn::") {
                continue;
            }
            if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return Err(unread(&format!(
                    "`{}` is no name of a resource; use letters and digits",
                    clip(id)
                )));
            }
            let Node::Map(members) = node else {
                return Err(unread(&format!("the resource `{}` is no map; give it a type", clip(id))));
            };
            let other = members.iter().find(|(name, _)| !ATTRIBUTES.contains(&name.as_str()));
            if let Some((name, _)) = other.filter(|(name, _)| !name.starts_with("Fn::")) {
                return Err(unread(&format!("`{}` is no attribute of a resource; leave it out", clip(name))));
            }
            let whole = node.get("Properties").is_none_or(|inner| matches!(inner, Node::Map(_) | Node::Null));
            if node.get("Type").and_then(Node::text).is_none_or(str::is_empty) || !whole {
                return Err(unread(&format!(
                    "the resource `{}` has no type, or no map of properties",
                    clip(id)
                )));
            }
        }
        let made = resources.iter().any(|(id, _)| !id.starts_with("Fn::"));
        if made || !self.macros.is_empty() { Ok(()) } else { Err(unread("it has no resources; name some")) }
    }

    /// The members of a section; `None` where it is none or no map.
    pub(super) fn section(&self, name: &str) -> Option<&[(String, Node)]> {
        match self.root.get(name)? {
            Node::Map(members) => Some(members),
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) | Node::List(_) => None,
        }
    }

    /// One member of a section.
    pub(super) fn member(&self, section: &str, name: &str) -> Option<&Node> {
        self.root.get(section)?.get(name)
    }

    /// All resources, in the order of their names.
    pub(super) fn resources(&self) -> impl Iterator<Item = Declared<'_>> {
        let all = self.section("Resources").unwrap_or_default().iter();
        all.filter_map(|(id, node)| {
            let type_name = node.get("Type").and_then(Node::text)?;
            Some(Declared { id, type_name, node })
        })
    }

    /// One resource.
    pub(super) fn resource(&self, id: &str) -> Option<Declared<'_>> {
        self.resources().find(|declared| declared.id == id)
    }

    /// Texts outside of properties, where a reference to a secret may stand.
    pub(super) fn texts_beside(&self) -> Vec<&str> {
        let mut found = Vec::new();
        for (name, node) in self.root.members().iter().filter(|(name, _)| name != "Resources") {
            if name != "Description" {
                node.texts(&mut found);
            }
        }
        for declared in self.resources() {
            for (_, node) in declared.node.members().iter().filter(|(name, _)| name != "Properties") {
                node.texts(&mut found);
            }
        }
        found
    }
}

/// The names of transforms that stand somewhere inside.
fn transforms_in(node: &Node, found: &mut Vec<String>) {
    for item in node.items() {
        transforms_in(item, found);
    }
    for (name, value) in node.members() {
        if name == "Fn::Transform" {
            let name = value.get("Name").and_then(Node::text).unwrap_or_default().to_owned();
            if !found.contains(&name) {
                found.push(name);
            }
        }
        transforms_in(value, found);
    }
}

/// The names of transforms: one, a list of them, each with its own parameters or without.
fn transforms(node: &Node) -> Result<Vec<String>, Undecodable> {
    let name = |node: &Node| node.text().or_else(|| node.get("Name")?.text()).map(str::to_owned);
    let items = match node {
        Node::List(items) => items.as_slice(),
        Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) | Node::Map(_) => {
            std::slice::from_ref(node)
        }
    };
    let all: Option<Vec<String>> = items.iter().map(name).collect();
    all.ok_or_else(|| unread("a transform has no name; name it"))
}

#[cfg(test)]
mod tests {
    use super::super::node::read;
    use super::*;

    fn template(text: &str) -> Result<Template, Undecodable> {
        Template::of(read(text).unwrap())
    }

    #[test]
    fn transforms_and_loops_are_seen_wherever_they_stand() {
        let of = |more: &str| {
            let resource = r#""Resources":{"Q":{"Type":"AWS::SQS::Queue"}}"#;
            let template = template(&format!("{{{resource},{more}}}")).unwrap();
            (template.serverless, template.macros.join(" "))
        };
        assert_eq!(of(r#""Transform":"AWS::Serverless-2016-10-31""#), (true, String::new()));
        assert_eq!(of(r#""Transform":["AWS::LanguageExtensions","Mine"]"#), (false, "Mine".to_owned()));
        assert_eq!(
            of(r#""Transform":{"Name":"AWS::Include","Parameters":{}}"#),
            (false, "AWS::Include".to_owned())
        );
        assert_eq!(
            of(r#""Outputs":{"a":{"Fn::Transform":{"Name":"x"}}}"#),
            (false, "Fn::Transform x".to_owned())
        );
        assert_eq!(of(r#""Mappings":{"Fn::ForEach::X":[]}"#), (false, "Fn::ForEach".to_owned()));
    }

    #[test]
    fn what_no_template_has_is_refused() {
        for text in [
            r#"{"resources":{"Q":{"Type":"AWS::SQS::Queue"}}}"#,
            r#"{"Resources":{}}"#,
            r#"{"Resources":[]}"#,
            r#"{"Resources":{"a-b":{"Type":"AWS::SQS::Queue"}}}"#,
            r#"{"Resources":{"Q":{"type":"AWS::SQS::Queue"}}}"#,
            r#"{"Resources":{"Q":{"Type":{"Ref":"P"}}}}"#,
            r#"{"Resources":{"Q":{"Type":"AWS::SQS::Queue","properties":{}}}}"#,
            r#"{"Resources":{"Q":{"Type":"AWS::SQS::Queue","Properties":[]}}}"#,
            r#"{"Resources":{"Q":"AWS::SQS::Queue"}}"#,
            r#"{"Statement":[],"Resources":{"Q":{"Type":"AWS::SQS::Queue"}}}"#,
            r#"{"Transform":[{"name":"x"}],"Resources":{"Q":{"Type":"AWS::SQS::Queue"}}}"#,
        ] {
            assert!(template(text).is_err(), "{text}");
        }
        let many: Vec<String> =
            (0..501).map(|at| format!(r#""Q{at}":{{"Type":"AWS::SQS::Queue"}}"#)).collect();
        assert!(template(&format!("{{\"Resources\":{{{}}}}}", many.join(","))).is_err());
    }
}
