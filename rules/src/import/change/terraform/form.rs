//! Forms: how a parameter's value comes from the attributes of a resource, as a vocabulary writes it.
//!
//! | written | means |
//! |---|---|
//! | `.a.b` | the attribute as planned, of the block at hand (of the resource, where there is none) |
//! | `.a?` | the same, and nothing where it is empty, zero or false |
//! | `^.a` | the same, of what the block at hand is in |
//! | `~.a` | as planned, where the plan changes it |
//! | `<.a` | as it was before |
//! | `+.a`, `-.a` | what a list or map gains, and what it loses |
//! | `.key`, `.value` | of the member or element at hand |
//! | `@self`, `@account`, `@region`, `@partition` | an identity of the item, and where the change is made |
//! | `Name!: …` | the request has to have it, and is not made where the plan has no value |
//! | `[…]` | a list; what is a list itself is laid out in it |
//! | `{$each: list, as: …}` | a list with a value for each element of a list, map or block |
//! | `{$tags: map}` | `{$each: map, as: {Key: .key, Value: .value}}`; `key` and `value` rename the two |
//! | `{$keys: map}` | the names of a map's members |
//! | `{$json: …}` | a text that is JSON |
//! | `{$data: …}` | the values in a text that is JSON |
//! | `{$secret: …}` | something that the gate keeps as a keyed hash |
//! | `{$in: […]}` | one of these |
//! | `{$first: […]}` | the first of these that has a value |
//! | `{$case: …, of: {text: …}, else: …}` | by a text |
//! | `{$none: […]}` | `true` where none of these has a value |
//! | `{$join: …}` | a list as one text with commas |
//! | `{$name: .name}` | a name, or one that the client makes up from `name_prefix` or out of nothing |
//! | `{$composed: …}` | a text that most write by putting others together |
//! | `{$format: "a{.b}"}` | a text with values in it |
//! | `{$glob: "a{.b}*"}` | a text that the client makes up |
//! | `{$any: []}` | anything |
//! | `{$literal: …}` | exactly this |
//!
//! Leaves out what a plan says of attributes (`fill.rs`).

use serde_json::{Map, Value, json};

/// One form.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Form {
    Literal(Value),
    Attribute(Attribute),
    Own,
    Account,
    Region,
    Partition,
    List(Vec<Self>),
    Map(Vec<Member>),
    Each { over: Box<Self>, each: Box<Self> },
    Keys(Box<Self>),
    Json(Box<Self>),
    Data(Box<Self>),
    Secret(Box<Self>),
    OneOf(Vec<Self>),
    First(Vec<Self>),
    Case { of: Box<Self>, cases: Vec<(String, Self)>, otherwise: Box<Self> },
    Join(Box<Self>),
    Name(Attribute),
    Composed(Box<Self>),
    Format(Vec<Self>),
    Glob(Box<Self>),
    None(Vec<Self>),
}

/// An attribute, and which of its values is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attribute {
    pub(super) which: Which,
    pub(super) path: Vec<String>,
    /// What is empty, zero or false is no value.
    pub(super) some: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// As planned, of the block at hand.
    Here,
    /// As planned, of what the block at hand is in.
    Around,
    Changed,
    Before,
    Gained,
    Lost,
}

/// A member of a map.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) must: bool,
    pub(super) form: Form,
}

impl Form {
    /// Reads a form; `place` is where it stands, for messages.
    pub(super) fn read(value: &Value, place: &str) -> Result<Self, String> {
        Ok(match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => Self::Literal(value.clone()),
            Value::String(text) => match text.as_str() {
                "@self" => Self::Own,
                "@account" => Self::Account,
                "@region" => Self::Region,
                "@partition" => Self::Partition,
                text if text.starts_with('@') => {
                    return Err(format!(
                        "`{place}`: `{text}` is not known; there are `@self`, `@account`, `@region` and `@partition`"
                    ));
                }
                text => match attribute(text).map_err(|error| format!("`{place}`: {error}"))? {
                    Some(attribute) => Self::Attribute(attribute),
                    None => Self::Literal(value.clone()),
                },
            },
            Value::Array(_) => Self::List(Self::list(value, place)?),
            Value::Object(map) => match map.keys().find(|key| key.starts_with('$')) {
                Some(operator) => Self::operator(operator, map, place)?,
                None => Self::Map(Self::members(value, place)?),
            },
        })
    }

    /// Reads the members of a map.
    pub(super) fn members(value: &Value, place: &str) -> Result<Vec<Member>, String> {
        let map = value.as_object().ok_or_else(|| format!("`{place}` has to be a map of parameters"))?;
        let member = |(written, value): (&String, &Value)| {
            let name = written.strip_suffix('!').unwrap_or(written);
            let form = Self::read(value, &format!("{place}.{name}"))?;
            Ok(Member { name: name.to_owned(), must: name.len() < written.len(), form })
        };
        map.iter().map(member).collect()
    }

    fn list(value: &Value, place: &str) -> Result<Vec<Self>, String> {
        let items = value.as_array().ok_or_else(|| format!("`{place}` has to be a list"))?;
        items.iter().map(|item| Self::read(item, place)).collect()
    }

    fn operator(operator: &str, map: &Map<String, Value>, place: &str) -> Result<Self, String> {
        let more: &[&str] = match operator {
            "$each" => &["as"],
            "$tags" => &["key", "value"],
            "$case" => &["of", "else"],
            _ => &[],
        };
        if let Some(other) = map.keys().find(|key| *key != operator && !more.contains(&key.as_str())) {
            return Err(format!("`{place}`: `{other}` does not go with `{operator}`; remove it"));
        }
        let value = map.get(operator).unwrap_or(&Value::Null);
        let inner = || Self::read(value, place).map(Box::new);
        Ok(match operator {
            "$each" => {
                let each = map
                    .get("as")
                    .ok_or_else(|| format!("`{place}`: `$each` has no `as`; say what each is"))?;
                Self::Each { over: inner()?, each: Box::new(Self::read(each, place)?) }
            }
            "$tags" => {
                let name = |member: &str, default: &str| {
                    map.get(member).and_then(Value::as_str).unwrap_or(default).to_owned()
                };
                let member = |name: String, path: &str| Member {
                    name,
                    must: false,
                    form: Self::Attribute(Attribute {
                        which: Which::Here,
                        path: vec![path.to_owned()],
                        some: false,
                    }),
                };
                let tag = vec![member(name("key", "Key"), "key"), member(name("value", "Value"), "value")];
                Self::Each { over: inner()?, each: Box::new(Self::Map(tag)) }
            }
            "$keys" => Self::Keys(inner()?),
            "$json" => Self::Json(inner()?),
            "$data" => Self::Data(inner()?),
            "$none" => Self::None(Self::list(value, place)?),
            "$any" => Self::Literal(json!({"$any": value})),
            "$secret" => Self::Secret(inner()?),
            "$in" => Self::OneOf(Self::list(value, place)?),
            "$first" => Self::First(Self::list(value, place)?),
            "$case" => Self::case(map, inner()?, place)?,
            "$join" => Self::Join(inner()?),
            "$name" => {
                let Self::Attribute(attribute) = *inner()? else {
                    return Err(format!("`{place}`: `$name` is of an attribute; write it as `.name`"));
                };
                Self::Name(attribute)
            }
            "$composed" => Self::Composed(inner()?),
            "$format" => {
                let text = value.as_str().ok_or_else(|| format!("`{place}`: `$format` has to be a text"))?;
                Self::format(text).map_err(|error| format!("`{place}`: {error}"))?
            }
            "$glob" => {
                let text = value.as_str().ok_or_else(|| format!("`{place}`: `$glob` has to be a text"))?;
                Self::Glob(Box::new(Self::format(text).map_err(|error| format!("`{place}`: {error}"))?))
            }
            "$literal" => Self::Literal(value.clone()),
            other => {
                return Err(format!(
                    "`{place}`: `{other}` is not known; there are `$any`, `$case`, `$composed`, `$data`, `$each`, \
                     `$first`, `$format`, `$glob`, `$in`, `$join`, `$json`, `$keys`, `$literal`, `$name`, `$none`, `$secret` \
                     and `$tags`"
                ));
            }
        })
    }

    fn case(map: &Map<String, Value>, of: Box<Self>, place: &str) -> Result<Self, String> {
        let cases = map.get("of").and_then(Value::as_object);
        let cases =
            cases.ok_or_else(|| format!("`{place}`: `$case` has no `of`; say what is for which text"))?;
        let cases = cases.iter().map(|(text, form)| Ok((text.clone(), Self::read(form, place)?)));
        let otherwise = Self::read(map.get("else").unwrap_or(&Value::Null), place)?;
        Ok(Self::Case { of, cases: cases.collect::<Result<_, String>>()?, otherwise: Box::new(otherwise) })
    }

    /// Reads a text with values in braces.
    pub(super) fn format(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (inner, tail) = after.split_once('}').ok_or("a brace is not closed; add `}`")?;
            parts.push(Self::Literal(Value::from(before)));
            parts.push(Self::read(&Value::from(inner), "{}")?);
            rest = tail;
        }
        parts.push(Self::Literal(Value::from(rest)));
        Ok(Self::Format(parts))
    }

    /// Whether the form asks for what the plan changes, so that a call is made only where something does.
    pub(super) fn asks_for_change(&self) -> bool {
        match self {
            Self::Attribute(attribute) | Self::Name(attribute) => {
                matches!(attribute.which, Which::Changed | Which::Gained | Which::Lost)
            }
            Self::Literal(_) | Self::Own | Self::Account | Self::Region | Self::Partition => false,
            Self::List(forms)
            | Self::OneOf(forms)
            | Self::First(forms)
            | Self::Format(forms)
            | Self::None(forms) => forms.iter().any(Self::asks_for_change),
            Self::Map(members) => members.iter().any(|member| member.form.asks_for_change()),
            Self::Each { over, each } => over.asks_for_change() || each.asks_for_change(),
            Self::Keys(form)
            | Self::Json(form)
            | Self::Data(form)
            | Self::Secret(form)
            | Self::Join(form)
            | Self::Composed(form)
            | Self::Glob(form) => form.asks_for_change(),
            Self::Case { of, cases, otherwise } => {
                of.asks_for_change()
                    || cases.iter().any(|(_, form)| form.asks_for_change())
                    || otherwise.asks_for_change()
            }
        }
    }
}

/// An attribute, where a text is one.
fn attribute(text: &str) -> Result<Option<Attribute>, String> {
    let (which, path) = match text.split_once('.') {
        Some(("", path)) => (Which::Here, path),
        Some(("^", path)) => (Which::Around, path),
        Some(("~", path)) => (Which::Changed, path),
        Some(("<", path)) => (Which::Before, path),
        Some(("+", path)) => (Which::Gained, path),
        Some(("-", path)) => (Which::Lost, path),
        Some(_) | None => return Ok(None),
    };
    let some = path.ends_with('?');
    let path: Vec<String> = path.trim_end_matches('?').split('.').map(str::to_owned).collect();
    let fit = |name: &String| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    if !path.iter().all(fit) {
        return Err(format!(
            "`{text}` is no attribute; what is meant as it stands is written `{{$literal: {text}}}`"
        ));
    }
    Ok(Some(Attribute { which, path, some }))
}
