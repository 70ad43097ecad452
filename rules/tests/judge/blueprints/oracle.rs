//! Constraints on random parameters, against a second reading that knows flat paths and no tree.
//!
//! Leaves out how a violation is told, networks and tags.

use proptest::prelude::*;

use super::said;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Value {
    Text(&'static str),
    Number(i32),
    Bool(bool),
    Null,
    Empty,
    Secret,
}

#[derive(Debug, Clone)]
enum Check {
    Equals(Value),
    In(Vec<Value>),
    NotIn(Vec<Value>),
    Matches(&'static str),
    Minimum(i32),
    Maximum(i32),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Presence {
    Optional,
    Required,
    Always,
    Never,
}

#[derive(Debug, Clone)]
struct Asked {
    path: Vec<&'static str>,
    check: Option<Check>,
    presence: Presence,
}

/// A constraint of a value, or of each item with a condition.
#[derive(Debug, Clone)]
enum Constraint {
    Value(Asked),
    Each(Vec<&'static str>, Asked, Asked),
}

type Leaf = (Vec<&'static str>, Value);

const NAMES: [&str; 3] = ["A", "B", "C"];

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => prop::sample::select(vec!["a", "ab", "b", "1", "true"]).prop_map(Value::Text),
        3 => (-1..3_i32).prop_map(Value::Number),
        2 => any::<bool>().prop_map(Value::Bool),
        1 => Just(Value::Null),
        1 => Just(Value::Empty),
        1 => Just(Value::Secret),
    ]
}

fn plain() -> impl Strategy<Value = Value> {
    value().prop_filter("a document can name it", |value| !matches!(value, Value::Empty | Value::Secret))
}

fn check() -> impl Strategy<Value = Check> {
    prop_oneof![
        plain().prop_map(Check::Equals),
        prop::collection::vec(plain(), 1..3).prop_map(Check::In),
        prop::collection::vec(plain(), 1..3).prop_map(Check::NotIn),
        prop::sample::select(vec!["a*", "*b", "?"]).prop_map(Check::Matches),
        (-1..3_i32).prop_map(Check::Minimum),
        (-1..3_i32).prop_map(Check::Maximum),
    ]
}

fn path() -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(NAMES.to_vec()), 1..3)
}

fn asked(is_condition: bool) -> impl Strategy<Value = Asked> {
    let presence =
        prop::sample::select(vec![Presence::Optional, Presence::Required, Presence::Always, Presence::Never]);
    (path(), check(), presence).prop_map(move |(path, check, presence)| {
        let presence =
            if is_condition && presence == Presence::Required { Presence::Optional } else { presence };
        Asked { path, check: (presence != Presence::Never).then_some(check), presence }
    })
}

fn constraint() -> impl Strategy<Value = Constraint> {
    prop_oneof![
        asked(false).prop_map(Constraint::Value),
        (path(), asked(true), asked(false)).prop_map(|(path, when, then)| Constraint::Each(path, when, then)),
    ]
}

fn leaves() -> impl Strategy<Value = Vec<Leaf>> {
    let part = prop::sample::select(vec!["A", "B", "C", "1", "2"]);
    let path = (prop::sample::select(NAMES.to_vec()), prop::collection::vec(part, 0..4))
        .prop_map(|(first, rest)| std::iter::once(first).chain(rest).collect::<Vec<_>>());
    prop::collection::vec((path, value()), 0..6)
}

fn told(value: Value) -> String {
    match value {
        Value::Text(text) => format!("'{text}'"),
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Null | Value::Empty | Value::Secret => "null".to_owned(),
    }
}

fn written(asked: &Asked) -> String {
    let list = |all: &[Value]| all.iter().map(|one| told(*one)).collect::<Vec<_>>().join(", ");
    let check = asked.check.as_ref().map(|check| match check {
        Check::Equals(value) => format!(", equals: {}", told(*value)),
        Check::In(all) => format!(", in: [{}]", list(all)),
        Check::NotIn(all) => format!(", notIn: [{}]", list(all)),
        Check::Matches(glob) => format!(", matches: '{glob}'"),
        Check::Minimum(bound) => format!(", minimum: {bound}"),
        Check::Maximum(bound) => format!(", maximum: {bound}"),
    });
    let presence = match asked.presence {
        Presence::Optional => "",
        Presence::Required => ", required: true",
        Presence::Always => ", present: true",
        Presence::Never => ", present: false",
    };
    format!("path: {}{}{presence}", asked.path.join("."), check.unwrap_or_default())
}

fn document(constraint: &Constraint) -> String {
    match constraint {
        Constraint::Value(asked) => format!("  parameters:\n  - {{{}}}", written(asked)),
        Constraint::Each(path, when, then) => format!(
            "  parameters:\n  - {{each: {}, parameters: [{{when: [{{{}}}], {}}}]}}",
            path.join("."),
            written(when),
            written(then)
        ),
    }
}

/// Is it so; `None` where it cannot be told.
fn is(wanted: Value, value: Value) -> Option<bool> {
    match (wanted, value) {
        (Value::Null, value) => Some(value == Value::Null),
        (Value::Text(wanted), Value::Text(text)) => Some(wanted == text),
        (Value::Text(wanted), Value::Number(number)) => Some(wanted == number.to_string()),
        (Value::Text(wanted), Value::Bool(value)) => Some(wanted == value.to_string()),
        (Value::Number(wanted), Value::Number(number)) => Some(wanted == number),
        (Value::Number(wanted), Value::Text(text)) => text.parse().ok().map(|number: i32| wanted == number),
        (Value::Bool(wanted), Value::Bool(value)) => Some(wanted == value),
        (Value::Bool(wanted), Value::Text("true")) => Some(wanted),
        _ => None,
    }
}

fn number(value: Value) -> Option<i32> {
    match value {
        Value::Number(number) => Some(number),
        Value::Text(text) => text.parse().ok(),
        _ => None,
    }
}

fn allowed(check: &Check, value: Value) -> Option<bool> {
    let one_of = |all: &[Value]| {
        let each: Vec<Option<bool>> = all.iter().map(|one| is(*one, value)).collect();
        if each.contains(&Some(true)) { Some(true) } else { each.into_iter().flatten().next() }
    };
    match check {
        Check::Equals(wanted) => is(*wanted, value),
        Check::In(all) => one_of(all),
        Check::NotIn(all) => one_of(all).map(|is| !is),
        Check::Matches(glob) => {
            let text = match value {
                Value::Text(text) => text.to_owned(),
                Value::Number(number) => number.to_string(),
                _ => return None,
            };
            Some(match *glob {
                "a*" => text.starts_with('a'),
                "*b" => text.ends_with('b'),
                _ => text.len() == 1,
            })
        }
        Check::Minimum(bound) => number(value).map(|number| number >= *bound),
        Check::Maximum(bound) => number(value).map(|number| number <= *bound),
    }
}

fn names(path: &[&'static str]) -> Vec<&'static str> {
    path.iter().copied().filter(|part| NAMES.contains(part)).collect()
}

/// What some flat parameters say at a path.
#[derive(Default)]
struct Flat {
    values: Vec<Value>,
    inner: bool,
    odd: bool,
    taken: bool,
}

fn flat(path: &[&str], leaves: &[Leaf]) -> Flat {
    let mut flat = Flat::default();
    for (place, value) in leaves {
        let at = names(place);
        // A document that is kept as a secret may be read beside.
        let is_read =
            || leaves.iter().any(|(other, _)| other.len() > place.len() && other.starts_with(place));
        if at == path {
            flat.values.push(*value);
        } else if at.starts_with(path) {
            flat.inner = true;
        } else if path.starts_with(&at) {
            match value {
                Value::Null => flat.taken = true,
                Value::Empty => {}
                Value::Secret if is_read() => {}
                _ => flat.odd = true,
            }
        }
    }
    flat
}

fn violated(asked: &Asked, leaves: &[Leaf]) -> bool {
    let flat = flat(&asked.path, leaves);
    let given = flat.inner || flat.values.iter().any(|value| *value != Value::Null);
    let missing = !given && !flat.odd;
    let has_to_be = matches!(asked.presence, Presence::Required | Presence::Always);
    let Some(check) = &asked.check else { return given || flat.odd };
    flat.odd
        || (has_to_be && missing)
        || flat.inner
        || flat.values.iter().any(|value| allowed(check, *value) != Some(true))
}

fn may_hold(asked: &Asked, leaves: &[Leaf]) -> bool {
    let flat = flat(&asked.path, leaves);
    let given = flat.inner || flat.values.iter().any(|value| *value != Value::Null);
    let Some(check) = &asked.check else { return !given };
    if asked.presence == Presence::Always && !given && !flat.odd {
        return false;
    }
    flat.odd
        || flat.inner
        || flat.values.is_empty()
        || flat.values.iter().any(|value| allowed(check, *value) != Some(false))
}

fn naive(constraint: &Constraint, leaves: &[Leaf]) -> bool {
    let (each, when, then) = match constraint {
        Constraint::Value(asked) => return violated(asked, leaves),
        Constraint::Each(each, when, then) => (each, when, then),
    };
    let whole = flat(each, leaves);
    let mut items: Vec<&[&str]> = Vec::new();
    for (at, _) in leaves.iter().filter(|(at, _)| names(at).starts_with(each)) {
        // An item is the list, and the positions behind its name.
        let mut end = 0;
        let mut left = each.len();
        while end < at.len() && (left > 0 || !NAMES.contains(&at[end])) {
            left -= usize::from(NAMES.contains(&at[end]));
            end += 1;
        }
        items.push(&at[..end]);
    }
    let own = |item: &[&str]| -> Vec<Leaf> {
        let own = leaves.iter().filter(|(at, _)| at.starts_with(item));
        own.map(|(at, value)| (at[item.len()..].to_vec(), *value)).collect()
    };
    whole.odd || items.iter().any(|item| may_hold(when, &own(item)) && violated(then, &own(item)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn constraints_say_what_flat_paths_do(
        constraint in constraint(),
        requests in prop::collection::vec(leaves(), 64),
    ) {
        let document = document(&constraint);
        for leaves in requests {
            let parameters: Vec<String> = leaves
                .iter()
                .map(|(path, value)| {
                    let path = path.join(".");
                    match value {
                        Value::Text(text) => format!("{path} = {text}"),
                        Value::Empty => format!("{path} := {{}}"),
                        Value::Secret => format!("{path} := secret"),
                        other => format!("{path} := {}", told(*other)),
                    }
                })
                .collect();
            let said = said(&document, &parameters.join("\n"));
            prop_assert_eq!(!said.is_empty(), naive(&constraint, &leaves), "{}\n{:?}\n{}", document, leaves, said);
        }
    }
}
