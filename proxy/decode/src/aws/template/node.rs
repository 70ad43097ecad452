//! A template as a tree: JSON, or YAML with the short forms of the functions, which read the same.
//!
//! Leaves out what sections and functions mean (`section.rs`, `resolve.rs`).

use ordain_action::Undecodable;
use yaml_serde::Value as Yaml;

use crate::form::fields::Fields;
use crate::form::{json, yaml};

/// The longest template that is read, in bytes: more than the vendor takes in a request.
const TEMPLATE_MAX: usize = 256 * 1024;

/// Short forms, which stand for a map of one member. All but the first two have `Fn::` before their name there.
const TAGS: [&str; 20] = [
    "Ref",
    "Condition",
    "And",
    "Base64",
    "Cidr",
    "Equals",
    "FindInMap",
    "GetAZs",
    "GetAtt",
    "If",
    "ImportValue",
    "Join",
    "Length",
    "Not",
    "Or",
    "Select",
    "Split",
    "Sub",
    "ToJsonString",
    "Transform",
];

/// One value of a template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    /// A number, as its text.
    Number(String),
    Text(String),
    List(Vec<Node>),
    /// Members, each name once.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// The member of a map.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        self.members().iter().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// The members of a map; none of anything else.
    pub(super) fn members(&self) -> &[(String, Self)] {
        match self {
            Self::Map(members) => members,
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => &[],
        }
    }

    /// The items of a list; none of anything else.
    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Map(_) => &[],
        }
    }

    /// A text.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// A scalar as the plane turns it into text.
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            Self::Bool(true) => Some("true"),
            Self::Bool(false) => Some("false"),
            Self::Null | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// How many bytes it takes, about.
    pub(super) fn size(&self) -> usize {
        let below = match self {
            Self::Null | Self::Bool(_) => 0,
            Self::Number(text) | Self::Text(text) => text.len(),
            Self::List(items) => items.iter().map(Self::size).sum(),
            Self::Map(members) => {
                let member = |(name, value): &(String, Self)| size_of::<String>() + name.len() + value.size();
                members.iter().map(member).sum()
            }
        };
        size_of::<Self>() + below
    }

    /// A function by its full name, and what it is given: a map of one member that is one.
    pub(super) fn function(&self) -> Option<(&str, &Self)> {
        match self.members() {
            [(name, given)] if name == "Ref" || name.starts_with("Fn::") => Some((name, given)),
            _ => None,
        }
    }

    /// Every text in it, names of members aside.
    pub(super) fn texts<'n>(&'n self, found: &mut Vec<&'n str>) {
        match self {
            Self::Text(text) => found.push(text),
            Self::List(items) => items.iter().for_each(|item| item.texts(found)),
            Self::Map(members) => members.iter().for_each(|(_, value)| value.texts(found)),
            Self::Null | Self::Bool(_) | Self::Number(_) => {}
        }
    }

    /// Whether a function of that name, or of a name that begins so, stands anywhere in it.
    pub(super) fn calls(&self, name: &str) -> bool {
        match self {
            Self::List(items) => items.iter().any(|item| item.calls(name)),
            Self::Map(members) => {
                members.iter().any(|(member, value)| member.starts_with(name) || value.calls(name))
            }
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => false,
        }
    }
}

/// Reads a template.
///
/// # Errors
/// It is neither JSON nor YAML that every reader reads alike, or too long.
pub(super) fn read(text: &str) -> Result<Node, Undecodable> {
    if text.len() > TEMPLATE_MAX {
        return Err(Undecodable::new(
            "template_too_long",
            "the template is longer than is read; send a shorter one",
        ));
    }
    let root = if text.trim_start().starts_with('{') {
        let mut fields = Fields::new();
        json::read(text.as_bytes(), &mut fields).map_err(|why| in_template(&why))?;
        if fields.overflowed() {
            return Err(unread("it has more values than are read at once; send fewer"));
        }
        let value =
            serde_json::from_str(text).map_err(|_| unread("it is not valid JSON; send valid JSON"))?;
        of_json(value)
    } else {
        of_yaml(yaml::read_tagged(text, &TAGS).map_err(|why| in_template(&why))?)?
    };
    match root {
        Node::Map(_) => Ok(root),
        Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) | Node::List(_) => {
            Err(unread("its root is no map; send a map"))
        }
    }
}

/// A template that cannot be read says nothing of what it makes.
pub(super) fn unread(what: &str) -> Undecodable {
    Undecodable::new("unread_template", format!("the template cannot be read: {what}"))
}

fn in_template(why: &Undecodable) -> Undecodable {
    Undecodable::new(why.reason_code, format!("in the template: {}", why.text))
}

fn of_json(value: serde_json::Value) -> Node {
    match value {
        serde_json::Value::Null => Node::Null,
        serde_json::Value::Bool(truth) => Node::Bool(truth),
        serde_json::Value::Number(number) => Node::Number(number.to_string()),
        serde_json::Value::String(text) => Node::Text(text),
        serde_json::Value::Array(items) => Node::List(items.into_iter().map(of_json).collect()),
        serde_json::Value::Object(members) => {
            in_order(members.into_iter().map(|(name, value)| (name, of_json(value))).collect())
        }
    }
}

/// One order for both notations, whatever their readers keep.
fn in_order(mut members: Vec<(String, Node)>) -> Node {
    members.sort_by(|one, other| one.0.cmp(&other.0));
    Node::Map(members)
}

fn of_yaml(value: Yaml) -> Result<Node, Undecodable> {
    Ok(match value {
        Yaml::Null => Node::Null,
        Yaml::Bool(truth) => Node::Bool(truth),
        Yaml::Number(number) => Node::Number(number.to_string()),
        Yaml::String(text) => Node::Text(text),
        Yaml::Sequence(items) => Node::List(items.into_iter().map(of_yaml).collect::<Result<_, _>>()?),
        Yaml::Mapping(members) => {
            let mut all = Vec::with_capacity(members.len());
            for (key, value) in members {
                let name = yaml::key_of(&key, true).ok_or_else(|| unread("a key is no text; quote it"))?;
                all.push((name.into_owned(), of_yaml(value)?));
            }
            in_order(all)
        }
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let short = tag.trim_start_matches('!');
            let name =
                if matches!(short, "Ref" | "Condition") { short.to_owned() } else { format!("Fn::{short}") };
            Node::Map(vec![(name, of_yaml(tagged.value)?)])
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_notations_read_the_same() {
        let json = r#"{"Resources":{"Q":{"Type":"AWS::SQS::Queue","Properties":{"A":{"Fn::Sub":"${AWS::Region}"},
            "B":{"Ref":"P"},"C":[1,true,{"Fn::GetAtt":"R.Arn"}],"D":{"Fn::If":["X",{"Ref":"AWS::NoValue"},"z"]}}}}}"#;
        let yaml = "Resources:\n  Q:\n    Type: AWS::SQS::Queue\n    Properties:\n      A: !Sub ${AWS::Region}\n      B: !Ref P\n      C: [1, true, !GetAtt R.Arn]\n      D: !If [X, !Ref AWS::NoValue, z]\n";
        assert_eq!(read(json).unwrap(), read(yaml).unwrap());
    }

    /// A value in both notations: in the second, functions are tags and texts are quoted.
    fn value() -> impl Strategy<Value = (String, String)> {
        let text = "[ -~]{0,8}".prop_map(|text| {
            (serde_json::to_string(&text).unwrap(), format!("'{}'", text.replace('\'', "''")))
        });
        let number = (0_u32..100_000).prop_map(|number| (number.to_string(), number.to_string()));
        let leaf = prop_oneof![
            text,
            number,
            any::<bool>().prop_map(|truth| (truth.to_string(), truth.to_string())),
            "[A-Za-z]{1,6}".prop_map(|name| (format!("{{\"Ref\":\"{name}\"}}"), format!("!Ref '{name}'"))),
        ];
        leaf.prop_recursive(4, 48, 5, |inner| {
            let items = prop::collection::vec(inner.clone(), 0..5);
            let members = prop::collection::btree_map("[A-Za-z]{1,5}", inner, 1..5);
            let list = |items: &[(String, String)]| -> (String, String) {
                let of = |at: fn(&(String, String)) -> &String| {
                    items.iter().map(at).cloned().collect::<Vec<_>>().join(", ")
                };
                (format!("[{}]", of(|item| &item.0)), format!("[{}]", of(|item| &item.1)))
            };
            prop_oneof![
                items.clone().prop_map(move |items| list(&items)),
                (prop::sample::select(&["Join", "If", "Select", "Sub"][..]), items).prop_map(
                    move |(name, items)| {
                        let (json, yaml) = list(&items);
                        (format!("{{\"Fn::{name}\":{json}}}"), format!("!{name} {yaml}"))
                    }
                ),
                members.prop_map(|members| {
                    let json: Vec<String> =
                        members.iter().map(|(name, value)| format!("\"{name}\":{}", value.0)).collect();
                    let yaml: Vec<String> =
                        members.iter().map(|(name, value)| format!("'{name}': {}", value.1)).collect();
                    (format!("{{{}}}", json.join(",")), format!("{{{}}}", yaml.join(", ")))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_template_reads_the_same_in_both_notations((json, yaml) in value()) {
            let json = read(&format!("{{\"Resources\":{json}}}"));
            let yaml = read(&format!("Resources: {yaml}\n"));
            prop_assert_eq!(json.unwrap(), yaml.unwrap());
        }

        #[test]
        fn no_text_panics(text in "[ -~\n]{0,80}") {
            let _ = read(&text).map(super::super::section::Template::of);
        }
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for text in
            ["", "[]", "a", "{\"a\":1,\"a\":2}", "{a: 1}", "a: !Unknown x", "a: &x 1\nb: *x", "a: 1\na: 2"]
        {
            assert!(read(text).is_err(), "{text}");
        }
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(TEMPLATE_MAX));
        assert_eq!(read(&long).unwrap_err().reason_code, "template_too_long");
        let many = format!("{{\"a\":[{}1]}}", "1,".repeat(5_000));
        assert_eq!(read(&many).unwrap_err().reason_code, "unread_template");
    }

    #[test]
    fn a_function_is_a_map_of_one_member() {
        let node = read(r#"{"a":{"Ref":"b"},"c":{"Ref":"b","d":1},"e":{"Fn::Sub":"x"}}"#).unwrap();
        assert_eq!(node.get("a").and_then(Node::function).map(|(name, _)| name), Some("Ref"));
        assert_eq!(node.get("c").and_then(Node::function), None);
        assert!(node.calls("Fn::Sub") && !node.calls("Fn::Transform"));
    }
}
