//! The kinds of entities that the model takes from a catalogue, and how the members of each are read.
//!
//! Leaves out members that the model has no place for: what is not in these lists is not written.

use ordain_action::Plane;
use serde_json::Value;

use crate::inventory::Tier;

/// What a member of a specification is, to the model.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    Text,
    Texts,
    TextMap,
    /// A group or a user; the model does not load where nobody declares it.
    Owner,
    /// Groups, which the model wants declared as well.
    Teams,
    /// Users, likewise.
    Members,
    /// An entity of some kind where none is said.
    Reference(&'static str),
    References(&'static str),
    Tier,
    Plane,
    Profile,
}

/// A kind of entity that the model takes, with the members of its specification.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) word: &'static str,
    pub(super) required: &'static [&'static str],
    pub(super) members: &'static [(&'static str, Shape)],
}

pub(super) const KINDS: [Kind; 7] = [
    Kind {
        word: "API",
        required: &["type", "owner"],
        members: &[
            ("type", Shape::Text),
            ("lifecycle", Shape::Text),
            ("owner", Shape::Owner),
            ("system", Shape::Reference("system")),
        ],
    },
    Kind {
        word: "Component",
        required: &["type", "owner"],
        members: &[
            ("type", Shape::Text),
            ("lifecycle", Shape::Text),
            ("owner", Shape::Owner),
            ("system", Shape::Reference("system")),
            ("subcomponentOf", Shape::Reference("component")),
            ("providesApis", Shape::References("api")),
            ("consumesApis", Shape::References("api")),
            ("dependsOn", Shape::References("component")),
            ("dependencyOf", Shape::References("component")),
            ("environment", Shape::Text),
            ("tier", Shape::Tier),
        ],
    },
    Kind {
        word: "Domain",
        required: &["owner"],
        members: &[
            ("type", Shape::Text),
            ("owner", Shape::Owner),
            ("subdomainOf", Shape::Reference("domain")),
        ],
    },
    Kind {
        word: "Group",
        required: &[],
        members: &[
            ("type", Shape::Text),
            ("profile", Shape::Profile),
            ("parent", Shape::Reference("group")),
            ("children", Shape::References("group")),
            ("members", Shape::Members),
        ],
    },
    Kind {
        word: "Resource",
        required: &["type", "owner"],
        members: &[
            ("type", Shape::Text),
            ("owner", Shape::Owner),
            ("system", Shape::Reference("system")),
            ("dependsOn", Shape::References("resource")),
            ("dependencyOf", Shape::References("component")),
            ("name", Shape::Text),
            ("identifiers", Shape::Texts),
            ("plane", Shape::Plane),
            ("account", Shape::Text),
            ("region", Shape::Text),
            ("environment", Shape::Text),
            ("tier", Shape::Tier),
            ("tags", Shape::TextMap),
            ("partOf", Shape::References("resource")),
        ],
    },
    Kind {
        word: "System",
        required: &["owner"],
        members: &[
            ("type", Shape::Text),
            ("owner", Shape::Owner),
            ("domain", Shape::Reference("domain")),
            ("environment", Shape::Text),
            ("tier", Shape::Tier),
        ],
    },
    Kind { word: "User", required: &[], members: &[("profile", Shape::Profile), ("memberOf", Shape::Teams)] },
];

impl Shape {
    /// A member as the model takes it; nothing where it is something else.
    pub(super) fn read(self, value: &Value, namespace: &str) -> Option<Value> {
        let all = |default: &str| -> Option<Value> {
            let items = value.as_array()?.iter();
            items.map(|item| Some(Value::from(named(item.as_str()?, default, namespace)))).collect()
        };
        match self {
            Self::Text => value.as_str().map(Value::from),
            Self::Texts => value.as_array()?.iter().all(Value::is_string).then(|| value.clone()),
            Self::TextMap => value.as_object()?.values().all(Value::is_string).then(|| value.clone()),
            Self::Owner => {
                let owner = named(value.as_str()?, "group", namespace);
                let is_owner = owner.split_once(':').is_none_or(|(kind, _)| kind == "user");
                (is_owner && !owner.is_empty()).then(|| owner.into())
            }
            Self::Teams => {
                let teams = all("group")?;
                let is_group = |team: &Value| team.as_str().is_some_and(|team| !team.contains(':'));
                teams.as_array()?.iter().all(is_group).then(|| teams.clone())
            }
            Self::Members => all("user"),
            Self::Reference(default) => Some(reference(value.as_str()?, default, namespace).into()),
            Self::References(default) => {
                let items = value.as_array()?.iter();
                items.map(|item| Some(Value::from(reference(item.as_str()?, default, namespace)))).collect()
            }
            Self::Tier => {
                let tier = value.as_str()?.to_lowercase();
                Tier::WORDS.contains(&tier.as_str()).then(|| tier.into())
            }
            Self::Plane => Plane::parse(value.as_str()?).map(|plane| plane.as_str().into()),
            Self::Profile => {
                let kept = ["displayName", "email"].into_iter();
                let kept = kept.filter_map(|key| Some((key.to_owned(), value.get(key)?.as_str()?.into())));
                Some(Value::Object(kept.collect()))
            }
        }
    }

    /// Why a member was not taken.
    pub(super) const fn is_not(self) -> &'static str {
        match self {
            Self::Text | Self::Reference(_) => "is no text",
            Self::Texts | Self::References(_) | Self::Members => "is no list of texts",
            Self::TextMap => "is no map of text to text",
            Self::Owner => "is no group and no user",
            Self::Teams => "is no list of groups",
            Self::Tier => "is none of `critical`, `high`, `medium` and `low`",
            Self::Plane => "is no plane that is known",
            Self::Profile => "is no profile",
        }
    }
}

/// A reference in its one spelling, as the model and Backstage compare them.
pub(super) fn reference(text: &str, default_kind: &str, namespace: &str) -> String {
    let text = text.trim().to_lowercase();
    let (kind, rest) = text.split_once(':').unwrap_or((default_kind, &text));
    let (namespace, name) = rest.split_once('/').unwrap_or((namespace, rest));
    match namespace.to_lowercase().as_str() {
        "default" => format!("{kind}:{name}"),
        namespace => format!("{kind}:{namespace}/{name}"),
    }
}

/// A reference without its kind, where that is the usual one.
fn named(text: &str, default_kind: &str, namespace: &str) -> String {
    let whole = reference(text, default_kind, namespace);
    match whole.split_once(':') {
        Some((kind, name)) if kind == default_kind => name.to_owned(),
        Some(_) | None => whole,
    }
}
