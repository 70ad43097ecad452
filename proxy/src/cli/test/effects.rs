//! Effects written by hand, to those that are judged, and back: what a request would do, without the request.
//!
//! Leaves out who asks.

use std::collections::BTreeMap;
use std::sync::Arc;

use ordain_action::{
    Access, Completeness, Effect, Identifier, Leaf, Level, NameBasis, Parameters, Resource, Role, Scalar,
};
use ordain_rules::nearest;
use yaml_serde::{Mapping, Value};

use super::written;

/// A single key of a map that says what its text is.
const SECRET: &str = "$secret";
const NUMBER: &str = "$number";

const LEVELS: [Level; 2] = [Level::Control, Level::Data];
const ROLES: [Role; 3] = [Role::Target, Role::Parent, Role::Uses];
const BASES: [NameBasis; 5] =
    [NameBasis::Carried, NameBasis::Reviewed, NameBasis::Bound, NameBasis::Scope, NameBasis::Unnamed];

/// What is wrong: the words to point at, and what to say.
pub(super) type Fault = (String, String);

/// What is meant by a word, where it is one of these.
pub(super) fn one_of<T: Copy>(
    what: &str,
    word: &str,
    all: &[T],
    as_str: impl Fn(T) -> &'static str,
) -> Result<T, Fault> {
    let known: Vec<&str> = all.iter().map(|one| as_str(*one)).collect();
    all.iter()
        .copied()
        .find(|one| as_str(*one) == word)
        .ok_or_else(|| (word.to_owned(), format!("unknown {what} `{word}`; {}", nearest(word, &known))))
}

/// An effect as it is judged.
pub(super) fn effect(written: &written::Effect) -> Result<Effect, Fault> {
    let operation = written.operation.as_str();
    let fault = |text: &str| (operation.to_owned(), format!("`{operation}` {text}"));
    let (service, call) = operation
        .split_once(':')
        .filter(|(service, call)| !service.is_empty() && !call.is_empty())
        .ok_or_else(|| fault("is no operation; write it as `service:Operation`"))?;
    if written.access.is_empty() {
        return Err(fault("says no `access`; give the class of what it does, for example `access: delete`"));
    }
    if written.resources.is_empty() {
        return Err(fault("touches nothing; give what it does in `resources`"));
    }
    let level = match &written.level {
        Some(word) => one_of("level", word, &LEVELS, Level::as_str)?,
        None => Level::Control,
    };
    let mut parameters = Parameters::new();
    for (path, value) in &written.parameters {
        let path = key(path)?;
        put(&mut parameters, &path, value)?;
    }
    match written.incomplete.as_deref() {
        None => {}
        Some("partial") => parameters.incomplete(Completeness::Partial("the case says so")),
        Some("opaque") => parameters.incomplete(Completeness::Opaque("the case says so")),
        Some(word) => {
            let known = nearest(word, &["partial", "opaque"]);
            return Err((word.to_owned(), format!("unknown word `{word}` of `incomplete`; {known}")));
        }
    }
    Ok(Effect {
        service: Arc::from(service),
        operation: Arc::from(call),
        iam_action: Arc::from(written.iam_action.as_deref().unwrap_or(operation)),
        access: one_of("access", &written.access, &Access::ALL, Access::as_str)?,
        level,
        resources: written.resources.iter().map(resource).collect::<Result<_, _>>()?,
        parameters,
    })
}

fn resource(written: &written::Resource) -> Result<Resource, Fault> {
    let name = written.name.clone().unwrap_or_default();
    let basis = match &written.basis {
        Some(word) => one_of("basis", word, &BASES, NameBasis::as_str)?,
        None if name.is_empty() => NameBasis::Unnamed,
        None => NameBasis::Reviewed,
    };
    let says_nothing = name.is_empty() && written.identifiers.is_empty() && written.basis.is_none();
    if says_nothing || name.is_empty() != (basis == NameBasis::Unnamed) {
        let text = format!("a resource of type `{}` has no name; give `name` or `identifiers`", written.kind);
        return Err((written.kind.clone(), text));
    }
    let identifiers = written.identifiers.iter();
    Ok(Resource {
        role: match &written.role {
            Some(word) => one_of("role", word, &ROLES, Role::as_str)?,
            None => Role::Target,
        },
        kind: Arc::from(written.kind.as_str()),
        name,
        basis,
        pattern: written.pattern,
        identifiers: identifiers
            .map(|(member, value)| Identifier { name: Arc::from(member.as_str()), value: value.clone() })
            .collect(),
    })
}

fn key(key: &Value) -> Result<String, Fault> {
    let text = match key {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) | Value::Tagged(_) => None,
    };
    text.ok_or_else(|| {
        ("parameters:".to_owned(), "a parameter's name is no text; write it as text".to_owned())
    })
}

fn put(parameters: &mut Parameters, path: &str, value: &Value) -> Result<(), Fault> {
    let pushed = match value {
        Value::Null => parameters.push(path, Scalar::Null),
        Value::Bool(truth) => parameters.push(path, Scalar::Bool(*truth)),
        Value::Number(number) => parameters.push(path, Scalar::Number(&number.to_string())),
        Value::String(text) => parameters.push(path, Scalar::Text(text)),
        Value::Sequence(all) if all.is_empty() => parameters.push(path, Scalar::Empty),
        Value::Mapping(all) if all.is_empty() => parameters.push(path, Scalar::Empty),
        Value::Sequence(all) => {
            for (one, position) in all.iter().zip(1_usize..) {
                put(parameters, &format!("{path}.{position}"), one)?;
            }
            Ok(())
        }
        Value::Mapping(all) => match said(all) {
            Some((SECRET, text)) => parameters.push(path, Scalar::Token(text)),
            Some((NUMBER, text)) => parameters.push(path, Scalar::Number(text)),
            Some((word, _)) => {
                let known = nearest(word, &[SECRET, NUMBER]);
                return Err((word.to_owned(), format!("`{path}` has the unknown key `{word}`; {known}")));
            }
            None => {
                for (member, one) in all {
                    put(parameters, &format!("{path}.{}", key(member)?), one)?;
                }
                Ok(())
            }
        },
        Value::Tagged(tagged) => {
            let text = format!("`{path}` has the tag `{}`, which means nothing here; remove it", tagged.tag);
            return Err((path.to_owned(), text));
        }
    };
    pushed.map_err(|_| (path.to_owned(), "there are more parameters than any request may have".to_owned()))
}

/// The one key of a map, where it says what its text is.
fn said(map: &Mapping) -> Option<(&str, &str)> {
    let (key, value) = map.iter().next().filter(|_| map.len() == 1)?;
    Some((key.as_str().filter(|key| key.starts_with('$'))?, value.as_str()?))
}

/// An effect as it would be written by hand; `None` where that would lose something.
pub(super) fn written(effect: &Effect) -> Option<written::Effect> {
    let mut parameters = Mapping::new();
    for leaf in effect.parameters.iter() {
        // The same path in the query and in the body is two parameters, and has no place in a map.
        if parameters.insert(Value::from(leaf.path), value(&leaf)).is_some() {
            return None;
        }
    }
    let operation = format!("{}:{}", effect.service, effect.operation);
    let written = written::Effect {
        iam_action: Some(effect.iam_action.to_string()).filter(|action| *action != operation),
        operation,
        access: effect.access.as_str().to_owned(),
        level: (effect.level != Level::Control).then(|| effect.level.as_str().to_owned()),
        resources: effect.resources.iter().map(written_resource).collect::<Option<_>>()?,
        parameters,
        incomplete: match effect.parameters.completeness() {
            Completeness::Complete => None,
            Completeness::Partial(_) => Some("partial".to_owned()),
            Completeness::Opaque(_) => Some("opaque".to_owned()),
        },
    };
    // What would be read back as anything else is no record of what was decided.
    self::effect(&written).is_ok_and(|again| is_same(&again, effect)).then_some(written)
}

/// The same to the judge: the order of identifiers, why parameters are missing and which the digest leaves out are not.
fn is_same(one: &Effect, other: &Effect) -> bool {
    let plain = |effect: &Effect| {
        let mut resources = effect.resources.clone();
        resources.iter_mut().for_each(|resource| resource.identifiers.sort());
        let incomplete = match effect.parameters.completeness() {
            Completeness::Complete => 0,
            Completeness::Partial(_) => 1,
            Completeness::Opaque(_) => 2,
        };
        let leaves: Vec<(String, String)> = effect
            .parameters
            .iter()
            .map(|leaf| (leaf.path.to_owned(), format!("{:?}", leaf.value)))
            .collect();
        (Effect { resources, parameters: Parameters::new(), ..effect.clone() }, leaves, incomplete)
    };
    plain(one) == plain(other)
}

fn value(leaf: &Leaf<'_>) -> Value {
    let said = |key: &str, text: &str| {
        Value::Mapping([(Value::from(key), Value::from(text))].into_iter().collect::<Mapping>())
    };
    match leaf.value {
        Scalar::Text(text) => Value::from(text),
        Scalar::Number(text) => match text.parse::<i64>() {
            Ok(number) if number.to_string() == text => Value::from(number),
            // No reader of the file may round it.
            Ok(_) | Err(_) => said(NUMBER, text),
        },
        Scalar::Bool(truth) => Value::from(truth),
        Scalar::Null => Value::Null,
        Scalar::Empty => Value::Mapping(Mapping::new()),
        Scalar::Token(text) => said(SECRET, text),
    }
}

fn written_resource(resource: &Resource) -> Option<written::Resource> {
    let identifiers: BTreeMap<String, String> =
        resource.identifiers.iter().map(|one| (one.name.to_string(), one.value.clone())).collect();
    let usual = if resource.name.is_empty() { NameBasis::Unnamed } else { NameBasis::Reviewed };
    // Of two identifiers by one member a map would keep the last.
    (identifiers.len() == resource.identifiers.len()).then(|| written::Resource {
        role: (resource.role != Role::Target).then(|| resource.role.as_str().to_owned()),
        kind: resource.kind.to_string(),
        name: Some(resource.name.clone()).filter(|name| !name.is_empty()),
        basis: (resource.basis != usual || resource.name.is_empty())
            .then(|| resource.basis.as_str().to_owned()),
        pattern: resource.pattern,
        identifiers,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_yaml(text: &str) -> Effect {
        effect(&yaml_serde::from_str(text).unwrap()).unwrap_or_else(|(_, text)| panic!("{text}"))
    }

    const WHOLE: &str = "
operation: ec2:ModifySomething
iam_action: ec2:Modify
access: expose
level: data
resources:
- {role: parent, type: ec2:vpc, name: vpc-1, basis: bound, pattern: true, identifiers: {VpcId: vpc-1}}
- {type: ec2:instance, identifiers: {InstanceId: i-1}}
- {role: uses, type: iam:role, basis: unnamed}
parameters:
  Text: \"1\"
  Number: 1
  Exact: {$number: \"1.50\"}
  Truth: true
  Void: null
  Nothing: {}
  Secret: {$secret: abc}
  List: [{Deep: [a, b]}]
  List.1.Other: x
incomplete: partial
";

    #[test]
    fn an_effect_by_hand_is_flat_and_written_again_the_same() {
        let read = of_yaml(WHOLE);
        let paths: Vec<(&str, Scalar<'_>)> =
            read.parameters.iter().map(|leaf| (leaf.path, leaf.value)).collect();
        assert_eq!(
            paths,
            [
                ("Text", Scalar::Text("1")),
                ("Number", Scalar::Number("1")),
                ("Exact", Scalar::Number("1.50")),
                ("Truth", Scalar::Bool(true)),
                ("Void", Scalar::Null),
                ("Nothing", Scalar::Empty),
                ("Secret", Scalar::Token("abc")),
                ("List.1.Deep.1", Scalar::Text("a")),
                ("List.1.Deep.2", Scalar::Text("b")),
                ("List.1.Other", Scalar::Text("x")),
            ]
        );
        let text = yaml_serde::to_string(&written(&read).unwrap()).unwrap();
        assert_eq!(of_yaml(&text), read, "{text}");
    }

    #[test]
    fn what_a_map_cannot_hold_is_not_written_down() {
        let mut read = of_yaml(WHOLE);
        read.parameters.push("Text", Scalar::Text("2")).unwrap();
        assert!(written(&read).is_none());
        let mut read = of_yaml(WHOLE);
        let twice = Identifier { name: Arc::from("VpcId"), value: "vpc-2".to_owned() };
        read.resources[0].identifiers.push(twice);
        assert!(written(&read).is_none());
    }
}
