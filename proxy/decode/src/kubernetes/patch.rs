//! JSON patches (RFC 6902): what each operation comes to, at the place of the object that it names.
//!
//! Leaves out applying them: the object as it stands is not known here.

use ordain_action::{Scalar, Undecodable};

use crate::form::Fields;
use crate::form::fields::{clip, segments};

/// What a list of operations comes to.
#[derive(Debug, Default)]
pub(super) struct Patched {
    /// The values put in, and a null where something is taken away.
    pub(super) fields: Fields,
    /// Why not all of it is among them.
    pub(super) unseen: Option<&'static str>,
    /// The place in the object of each operation, in order.
    places: Vec<String>,
}

impl Patched {
    /// Where in the object a leaf of the patch's own text stands: `1.value.a` of an operation at `/spec` is `spec.a`.
    pub(super) fn place_of(&self, leaf: &str) -> Option<String> {
        let (number, rest) = leaf.split_once('.')?;
        let place = self.places.get(number.parse::<usize>().ok()?.checked_sub(1)?)?;
        let rest = rest.strip_prefix("value")?;
        Some(join(place, rest.strip_prefix('.').unwrap_or(rest)))
    }
}

/// One operation: its members and what stands below each, in the order of the request.
type Operation<'s> = Vec<(&'s str, Scalar<'s>)>;

/// Reads the operations of a patch from its leaves.
pub(super) fn read(sent: &Fields) -> Result<Patched, Undecodable> {
    let mut operations: Vec<Operation<'_>> = Vec::new();
    for (path, value) in sent.iter() {
        let (number, member) = path.split_once('.').ok_or_else(|| bad("an operation is no object"))?;
        // Leaves come in the order of the list.
        if number.parse() == Ok(operations.len() + 1) {
            operations.push(Vec::new());
        }
        let last = operations.last_mut().ok_or_else(|| bad("an operation is no object"))?;
        last.push((member, value));
    }
    let mut patched = Patched::default();
    for operation in &operations {
        apply(operation, &mut patched)?;
    }
    if patched.fields.overflowed() || sent.overflowed() {
        patched.unseen = Some("there are more parameters than are kept");
    }
    Ok(patched)
}

fn apply(operation: &Operation<'_>, patched: &mut Patched) -> Result<(), Undecodable> {
    let unknown = operation.iter().find(|(member, _)| {
        let first = segments(member).next().unwrap_or_default();
        !matches!(first, "op" | "path" | "from" | "value")
    });
    if let Some((member, _)) = unknown {
        return Err(bad(&format!("`{}` is no member of an operation", clip(member))));
    }
    let text = |name: &str| {
        operation.iter().find_map(|(member, value)| match value {
            Scalar::Text(text) if *member == name => Some(*text),
            Scalar::Text(_)
            | Scalar::Number(_)
            | Scalar::Bool(_)
            | Scalar::Null
            | Scalar::Empty
            | Scalar::Token(_) => None,
        })
    };
    let needed = |name: &str| text(name).ok_or_else(|| bad(&format!("an operation has no `{name}`")));
    let place = pointer(needed("path")?)?;
    patched.places.push(place.clone());
    match needed("op")? {
        "test" => {}
        "remove" => patched.fields.put_at(&place, Scalar::Null),
        "add" | "replace" => {
            // Servers take one that is not there for null.
            if !operation.iter().any(|(member, _)| *member == "value" || member.starts_with("value.")) {
                return Err(bad("an operation has no `value`"));
            }
            if operation.iter().any(|(member, _)| member.starts_with("value.")) {
                // What stood there is gone, whatever of it is put back.
                patched.fields.put_at(&place, Scalar::Null);
            }
            for (member, value) in operation {
                let Some(rest) = member.strip_prefix("value") else { continue };
                patched.fields.put_at(&join(&place, rest.strip_prefix('.').unwrap_or(rest)), *value);
            }
            if place.is_empty() {
                patched.unseen = Some("the patch puts a whole object in the place of another");
            }
        }
        "move" | "copy" => {
            let from = pointer(needed("from")?)?;
            patched.fields.put_at(&from, Scalar::Null);
            patched.fields.put_at(&place, Scalar::Null);
            patched.unseen = Some("the patch moves or copies what is not known here");
        }
        other => return Err(bad(&format!("`{}` is no operation", clip(other)))),
    }
    Ok(())
}

fn join(place: &str, rest: &str) -> String {
    match (place.is_empty(), rest.is_empty()) {
        (true, _) => rest.to_owned(),
        (_, true) => place.to_owned(),
        (false, false) => format!("{place}.{rest}"),
    }
}

/// A JSON pointer (RFC 6901) as a path of ours.
fn pointer(text: &str) -> Result<String, Undecodable> {
    let mut path = String::new();
    if text.is_empty() {
        return Ok(path);
    }
    let rest = text.strip_prefix('/').ok_or_else(|| bad(&format!("`{}` is no pointer", clip(text))))?;
    for part in rest.split('/') {
        // A position has one spelling here, and more where a server reads it.
        let digits = part.trim_start_matches(['+', '-']);
        let number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if number && (digits.len() < part.len() || (part.len() > 1 && part.starts_with('0'))) {
            return Err(bad(&format!("`{}` is no pointer", clip(text))));
        }
        if !path.is_empty() {
            path.push('.');
        }
        let mut characters = part.chars();
        while let Some(character) = characters.next() {
            let plain = match character {
                '~' => match characters.next() {
                    Some('0') => '~',
                    Some('1') => '/',
                    Some(_) | None => return Err(bad(&format!("`{}` is no pointer", clip(text)))),
                },
                other => other,
            };
            if matches!(plain, '.' | '\\') {
                path.push('\\');
            }
            path.push(plain);
        }
    }
    Ok(path)
}

fn bad(what: &str) -> Undecodable {
    Undecodable::new("bad_patch", format!("the JSON patch cannot be read: {what}; send it as RFC 6902 says"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::json;

    fn show(body: &str) -> String {
        let mut sent = Fields::new();
        json::read(body.as_bytes(), &mut sent).unwrap();
        match read(&sent) {
            Ok(patched) => {
                let leaves: Vec<String> =
                    patched.fields.iter().map(|(path, value)| format!("{path}={value:?}")).collect();
                format!("{}{}", leaves.join(" "), if patched.unseen.is_some() { " …" } else { "" })
            }
            Err(why) => why.reason_code.to_owned(),
        }
    }

    #[test]
    fn operations_come_to_leaves_of_the_object() {
        for (body, expected) in [
            (
                r#"[{"op":"add","path":"/metadata/labels/a.b~1c","value":"x"}]"#,
                r#"metadata.labels.a\.b/c=Text("x")"#,
            ),
            (
                r#"[{"op":"replace","path":"/spec","value":{"a":[1],"b":{}}}]"#,
                r#"spec=Null spec.a.1=Number("1") spec.b=Empty"#,
            ),
            (r#"[{"op":"remove","path":"/spec/x"},{"op":"test","path":"/a","value":1}]"#, "spec.x=Null"),
            (r#"[{"op":"copy","from":"/a","path":"/b"}]"#, "a=Null b=Null …"),
            (r#"[{"op":"replace","path":"","value":{"kind":"X"}}]"#, r#"=Null kind=Text("X") …"#),
        ] {
            assert_eq!(show(body), expected, "{body}");
        }
        for body in [
            r#"[{"op":"frob","path":"/a"}]"#,
            r#"[{"path":"/a"}]"#,
            r#"[{"op":"add","path":"a","value":1}]"#,
            r#"[{"op":"add","path":"/~2","value":1}]"#,
            r#"[{"op":"add","Op":"remove","path":"/a","value":1}]"#,
            r#"[1]"#,
            r#"[{"op":"remove","path":"/a"},{}]"#,
        ] {
            assert_eq!(show(body), "bad_patch", "{body}");
        }
    }

    #[test]
    fn a_leaf_of_the_text_is_found_in_the_object() {
        let mut sent = Fields::new();
        json::read(br#"[{"op":"add","path":"/data","value":{"k":"v"}}]"#, &mut sent).unwrap();
        let patched = read(&sent).unwrap();
        assert_eq!(patched.place_of("1.value.k").as_deref(), Some("data.k"));
        assert_eq!(patched.place_of("1.op"), None);
    }
}
