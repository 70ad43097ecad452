//! The body of a request: its leaves, and that it speaks of the object that the path names.
//!
//! Leaves out what the leaves mean for the seriousness of the request (`class.rs`, `authority.rs`).

use ordain_action::{Completeness, Scalar, Undecodable};
use ordain_catalog::ClusterKind;

use super::path::{ObjectPath, is_name};
use super::request::{Form, Request, Verb};
use super::{patch, protobuf};
use crate::Head;
use crate::form::fields::{clip, segments, unescape};
use crate::form::{Fields, cbor, json, yaml};

/// The largest body that is held and read. The server itself takes no more than 3 MiB.
pub(super) const BODY_MAX: u64 = 16 << 20;

/// A body.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// The leaves as sent.
    pub(super) sent: Fields,
    /// What a list of patches comes to, at the places of the object that they name.
    pub(super) patched: Option<patch::Patched>,
    /// Some of what the body says is not among the leaves.
    pub(super) unseen: Option<Completeness>,
    /// There is a body.
    pub(super) present: bool,
}

impl Content {
    /// Reads a body.
    pub(super) fn read(
        request: &Request,
        object: &ObjectPath,
        head: &Head<'_>,
        body: &[u8],
    ) -> Result<Self, Undecodable> {
        // The server looks at no content encoding: it would read the bytes as they are.
        if let Some(encoding) = head.headers.get("content-encoding")
            && !encoding.is_empty()
            && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
        {
            return Err(Undecodable::new(
                "unknown_encoding",
                "the body has a content encoding, which the API server does not read; send it plain",
            ));
        }
        if body.is_empty() {
            return Ok(Self::default());
        }
        let form = request.form.clone()?;
        let mut content = Self { present: true, ..Self::default() };
        match form {
            Form::Json | Form::MergePatch => map(body, &mut content.sent)?,
            Form::StrategicPatch => {
                map(body, &mut content.sent)?;
                content.unseen = replaces_what_is_there(&content.sent);
            }
            // All that is JSON reads the same as YAML.
            Form::Yaml | Form::ApplyYaml if body.trim_ascii_start().starts_with(b"{") => {
                map(body, &mut content.sent)?
            }
            Form::Yaml | Form::ApplyYaml => yaml::read(body, &mut content.sent)?,
            Form::JsonPatch => {
                if !body.trim_ascii_start().starts_with(b"[") {
                    return Err(Undecodable::new("bad_patch", "a JSON patch is a list; send one"));
                }
                json::read(body, &mut content.sent)?;
                let patched = patch::read(&content.sent)?;
                content.unseen = patched.unseen.map(Completeness::Partial);
                content.patched = Some(patched);
            }
            Form::Cbor | Form::ApplyCbor => cbor::read_kubernetes(body, &mut content.sent)?,
            Form::Protobuf => {
                content.unseen = protobuf::read(body, &mut content.sent)?.map(Completeness::Partial);
            }
        }
        if content.sent.overflowed() {
            content.unseen = Some(Completeness::Partial("there are more parameters than are kept"));
        }
        content.agree(request, object)?;
        Ok(content)
    }

    /// What the body says of the object, at the object's own places.
    pub(super) fn of_object(&self) -> &Fields {
        self.patched.as_ref().map_or(&self.sent, |patched| &patched.fields)
    }

    /// The text at a place of the object; an explicit null counts as nothing.
    pub(super) fn text(&self, path: &str) -> Result<Option<&str>, Undecodable> {
        match self.of_object().get(path) {
            None | Some(Scalar::Null | Scalar::Text("")) => Ok(None),
            Some(Scalar::Text(text)) => Ok(Some(text)),
            Some(Scalar::Number(_) | Scalar::Bool(_) | Scalar::Empty | Scalar::Token(_)) => {
                Err(Undecodable::new("bad_object", format!("`{path}` is no text; write it as one")))
            }
        }
    }

    /// The name of what is created, where the body says it.
    pub(super) fn name(&self) -> Result<Option<&str>, Undecodable> {
        let name = self.text("metadata.name")?;
        match name {
            Some(name) if !is_name(name) => Err(Undecodable::new(
                "unusual_name",
                format!(
                    "`{}` is no name that is read here; use letters, digits, `-`, `.` and `:`",
                    clip(name)
                ),
            )),
            name => Ok(name),
        }
    }

    /// The body speaks of what the path names: the server would refuse it else, or one of its versions would not.
    fn agree(&self, request: &Request, object: &ObjectPath) -> Result<(), Undecodable> {
        self.refuse_other_spelling()?;
        if matches!(request.verb, Verb::Delete | Verb::DeleteCollection) {
            return match self.text("kind")? {
                None | Some("DeleteOptions") => Ok(()),
                Some(other) => Err(disagrees("kind", other)),
            };
        }
        if let Some(kind) = self.text("kind")? {
            let expected = match (object.group.as_str(), object.subresource.as_deref()) {
                (_, Some("scale")) => Some("Scale"),
                ("", Some("eviction")) => Some("Eviction"),
                ("", Some("binding")) => Some("Binding"),
                ("", Some("token")) => Some("TokenRequest"),
                ("extensions" | "apps", Some("rollback")) => Some("DeploymentRollback"),
                (group, _) => ClusterKind::of(group, &object.resource).map(|known| known.kind),
            };
            if expected.is_some_and(|expected| expected != kind) {
                return Err(disagrees("kind", kind));
            }
        }
        let own_version = !matches!(
            object.subresource.as_deref(),
            Some("scale" | "eviction" | "binding" | "token" | "rollback")
        );
        if let Some(version) = self.text("apiVersion")?.filter(|_| own_version) {
            let expected = match object.group.as_str() {
                "" => object.version.clone(),
                group => format!("{group}/{}", object.version),
            };
            if version != expected {
                return Err(disagrees("apiVersion", version));
            }
        }
        if let Some(namespace) = self.text("metadata.namespace")? {
            // A namespace is no part of itself, whatever its own object says.
            if object.namespace.as_deref() != Some(namespace) {
                return Err(disagrees("metadata.namespace", namespace));
            }
        }
        if let (Some(name), Some(named)) = (self.name()?, &object.name)
            && name != named
        {
            return Err(disagrees("metadata.name", name));
        }
        Ok(())
    }

    /// A reader that does not look at the case of letters would read a second value.
    fn refuse_other_spelling(&self) -> Result<(), Undecodable> {
        let root =
            ["apiVersion", "kind", "metadata", "spec", "status", "data", "stringData", "type", "dryRun"];
        let meta = [
            "name",
            "namespace",
            "generateName",
            "labels",
            "annotations",
            "finalizers",
            "ownerReferences",
            "uid",
            "resourceVersion",
        ];
        let mut seen = (String::new(), None);
        for (path, _) in self.of_object().iter() {
            let mut parts = segments(path);
            let first = unescape(parts.next().unwrap_or_default());
            let second = if first == "metadata" { parts.next().map(unescape) } else { None };
            if seen == (first.clone(), second.clone()) {
                continue;
            }
            for (part, known) in [(Some(&first), root.as_slice()), (second.as_ref(), meta.as_slice())] {
                let Some(part) = part else { continue };
                let folded = folded(part);
                if known.iter().any(|known| known != part && known.eq_ignore_ascii_case(&folded)) {
                    return Err(Undecodable::new(
                        "other_spelling",
                        format!("`{}` is known in another spelling; write it so", clip(part)),
                    ));
                }
            }
            seen = (first, second);
        }
        Ok(())
    }
}

/// A directive of a strategic patch by which the object, its metadata or its whole specification is replaced or cut down:
/// what is gone then is not said.
fn replaces_what_is_there(sent: &Fields) -> Option<Completeness> {
    let found = sent.iter().any(|(path, _)| {
        let mut parts = segments(path);
        let first = parts.next().unwrap_or_default();
        let second = parts.next().unwrap_or_default();
        let directive = |part: &str| part == "$patch" || part == "$retainKeys";
        directive(first) || (matches!(first, "metadata" | "spec") && directive(second))
    });
    found.then_some(Completeness::Partial("the patch replaces what is not known here"))
}

/// Letters that are the same but for their case, as Unicode sees it.
fn folded(text: &str) -> String {
    text.to_uppercase().to_lowercase()
}

fn map(body: &[u8], fields: &mut Fields) -> Result<(), Undecodable> {
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(Undecodable::new("bad_object", "the body is no object; send one"));
    }
    json::read(body, fields)
}

fn disagrees(what: &str, says: &str) -> Undecodable {
    Undecodable::new(
        "path_mismatch",
        format!(
            "`{what}` of the body is `{}`, and the path names something else; name one object",
            clip(says)
        ),
    )
}
