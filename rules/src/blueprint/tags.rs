//! Tags and labels of a request, however its plane writes them.
//!
//! Leaves out taking tags away by a request of its own.

use ordain_action::{Effect, Plane, Scalar};

use super::allowed::{Allowed, Truth, told};
use super::constraint::Asked;
use super::path::Path;
use super::tree::Node;
use crate::refusal::shown;

/// Where tags stand, by plane.
const AWS: [&str; 9] = [
    "tags",
    "tag",
    "tagset",
    "taglist",
    "tagspecification",
    "tagspecifications",
    "tagging",
    "x-amz-tagging",
    "tagsmap",
];
const GCP: [&str; 3] = ["labels", "userLabels", "resourceLabels"];

/// Members that lead from a list of tags to its items.
const LISTS: [&str; 3] = ["tag", "tags", "tagset"];

/// A tag that has to be there.
#[derive(Debug)]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) allowed: Allowed,
    /// A tag may be left out.
    pub(crate) optional: bool,
}

/// What a request says of tags.
#[derive(Debug, Default)]
struct Tags<'t> {
    all: Vec<(&'t str, Scalar<'t>)>,
    /// Some place for them is named, though it may be empty.
    named: bool,
    /// All of them are taken away.
    taken: bool,
    /// Something stands in it that is not understood.
    unread: Option<&'t str>,
}

/// Adds what is not as it is asked for.
pub(super) fn hold(
    tags: &[Tag],
    plane: Plane,
    effect: &Effect,
    asked: Asked<'_>,
    root: &Node<'_>,
    violations: &mut Vec<String>,
) {
    if tags.is_empty() {
        return;
    }
    let found = Tags::of(plane, effect, root);
    let name = asked.blueprint;
    if let Some(path) = found.unread {
        violations.push(format!("`{}` says tags in a form that blueprint `{name}` cannot read", shown(path)));
        return;
    }
    // Azure and Google put the tags that are sent in the place of all.
    let all_at_once = found.named && matches!(plane, Plane::Azure | Plane::Gcp);
    let patched = asked.sent.is_replaced(["metadata", "labels", "*"].into_iter());
    let replaces = all_at_once || found.taken || patched;
    for tag in tags {
        let values = found.all.iter().filter(|(key, _)| is_key(plane, &tag.key, key));
        let values: Vec<Scalar<'_>> = values.map(|(_, value)| *value).collect();
        let has_to_be = !tag.optional && (asked.is_whole || replaces);
        if values.is_empty() && has_to_be {
            violations.push(format!("tag `{}` is not given, and blueprint `{name}` requires it", tag.key));
        }
        for value in values {
            let is_taken = matches!(value, Scalar::Null | Scalar::Text("")) && !tag.optional;
            if is_taken || tag.allowed.allows(value) != Truth::Yes {
                let allows =
                    if tag.allowed.is_anything() { "some text".to_owned() } else { tag.allowed.told() };
                violations.push(format!(
                    "tag `{}` is {}, and blueprint `{name}` allows {allows}",
                    tag.key,
                    told(value)
                ));
            }
        }
    }
}

/// Paths at which tags may stand.
pub(super) fn paths() -> Vec<Path> {
    const PLACES: [&str; 12] = [
        "Tags",
        "Tag",
        "TagSet",
        "TagList",
        "TagSpecification",
        "TagSpecifications",
        "x-amz-tagging",
        "tags",
        "tagging",
        "labels",
        "settings.userLabels",
        "metadata.labels",
    ];
    PLACES.iter().filter_map(|text| Path::parse(text).ok()).collect()
}

/// Azure tells keys of tags apart by more than their case.
fn is_key(plane: Plane, wanted: &str, key: &str) -> bool {
    if plane == Plane::Azure { wanted.eq_ignore_ascii_case(key) } else { wanted == key }
}

impl<'t> Tags<'t> {
    fn of(plane: Plane, effect: &Effect, root: &'t Node<'t>) -> Self {
        let mut tags = Self::default();
        if plane == Plane::Kubernetes {
            let metadata = root.members.get("metadata");
            tags.map(metadata.and_then(|metadata| metadata.members.get("labels")));
        } else if plane == Plane::Azure {
            let own = root.members.iter().filter(|(name, _)| name.eq_ignore_ascii_case("tags"));
            own.for_each(|(_, node)| tags.map(Some(node)));
        } else if plane == Plane::Gcp {
            tags.places(root, |name| GCP.contains(&name), |tags, node| tags.map(Some(node)));
        } else {
            let kind = tagged_kind(&effect.operation);
            let is_place = |name: &str| AWS.contains(&name.to_ascii_lowercase().as_str());
            tags.places(root, is_place, |tags, node| tags.list(node, kind.as_deref()));
        }
        tags
    }

    /// Looks at the top and one level below it, where APIs wrap what they make in a member of its own.
    fn places(
        &mut self,
        root: &'t Node<'t>,
        is_place: impl Fn(&str) -> bool,
        mut read: impl FnMut(&mut Self, &'t Node<'t>),
    ) {
        for (name, node) in &root.members {
            if is_place(name) {
                read(self, node);
                continue;
            }
            for (_, inner) in node.members.iter().filter(|(name, _)| is_place(name)) {
                read(self, inner);
            }
        }
    }

    /// A map of keys to values.
    fn map(&mut self, node: Option<&'t Node<'t>>) {
        let Some(node) = node else { return };
        self.named = true;
        self.taken |= node.values.contains(&Scalar::Null);
        for (key, value) in node.members.iter().chain(&node.items) {
            self.all.extend(value.values.iter().map(|value| (key.as_str(), *value)));
        }
    }

    /// A list of pairs, one within a list of what they are for, a map, or the text of a header.
    fn list(&mut self, node: &'t Node<'t>, kind: Option<&str>) {
        self.named = true;
        if let Some(of) = said(node, &["ResourceType", "resourceType"])
            && let Scalar::Text(of) = of
            && kind.is_some_and(|kind| !is_kind(kind, of))
        {
            return;
        }
        if let Some(Scalar::Text(key)) = said(node, &["Key", "key", "TagKey", "tagKey"]) {
            let value = said(node, &["Value", "value", "TagValue", "tagValue"]);
            self.all.push((key, value.unwrap_or(Scalar::Text(""))));
            return;
        }
        for value in &node.values {
            match value {
                Scalar::Text(text) => self.header(node.path, text),
                Scalar::Empty | Scalar::Null => {}
                Scalar::Number(_) | Scalar::Bool(_) | Scalar::Token(_) => self.unread = Some(node.path),
            }
        }
        node.items.values().for_each(|item| self.list(item, kind));
        for (name, member) in &node.members {
            if LISTS.contains(&name.to_ascii_lowercase().as_str()) && member.values.is_empty() {
                self.list(member, kind);
            } else {
                self.all.extend(member.values.iter().map(|value| (name.as_str(), *value)));
            }
        }
    }

    /// `team=web&cost-center=42`, as S3 has it in a header. What is escaped there is not read.
    fn header(&mut self, path: &'t str, text: &'t str) {
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some((key, value)) if !pair.contains(['%', '+']) => self.all.push((key, Scalar::Text(value))),
                Some(_) | None => self.unread = Some(path),
            }
        }
    }
}

fn said<'t>(node: &Node<'t>, names: &[&str]) -> Option<Scalar<'t>> {
    names.iter().find_map(|name| node.members.get(*name)?.values.first().copied())
}

/// What a request that tags several types at once makes itself: `security-group` of `CreateSecurityGroup`.
fn tagged_kind(operation: &str) -> Option<String> {
    if operation == "RunInstances" {
        return Some("instance".to_owned());
    }
    let name = operation.strip_prefix("Create")?;
    let mut kind = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !kind.is_empty() {
            kind.push('-');
        }
        kind.push(letter.to_ascii_lowercase());
    }
    Some(kind)
}

/// `snapshot` of `CreateSnapshots` too.
fn is_kind(kind: &str, of: &str) -> bool {
    kind == of || kind.strip_suffix('s') == Some(of)
}
