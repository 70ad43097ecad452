//! What a resource of a template is called, and where it lies.
//!
//! Leaves out what is written there (`deployment.rs`).

use ordain_action::Undecodable;
use serde_json::Value;

use super::body::{bad_at, member, text};
use super::expression::{Scope, UNKNOWN};
use super::id::{self, Frame, Path};

/// The type and the name of a resource; `within` are those of what it stands in.
pub(super) fn called(item: &Value, names: &Scope<'_>, within: Option<(&str, &str)>) -> (String, String) {
    let kind = text(item, "type").unwrap_or_default();
    let name = text(item, "name").map(|name| names.name(name)).unwrap_or_default();
    match within {
        Some((outer, outer_name)) if !kind.contains('.') => {
            (format!("{outer}/{kind}"), format!("{outer_name}/{name}"))
        }
        Some((outer, outer_name))
            if starts_with(kind, outer) && kind.matches('/').count() > name.matches('/').count() + 1 =>
        {
            (kind.to_owned(), format!("{outer_name}/{name}"))
        }
        Some(_) | None => (kind.to_owned(), name),
    }
}

/// What a resource lies in, which it may say itself.
///
/// # Errors
/// It says what is no scope.
pub(super) fn scope_of(item: &Value, scope: &Path, names: &Scope<'_>) -> Result<Path, Undecodable> {
    let Some(written) = member(item, "scope") else { return Ok(scope.clone()) };
    let said = written.as_str().map(|said| names.name(said)).unwrap_or_else(|| UNKNOWN.to_string());
    if said == "/" {
        return Ok(Path { frames: vec![Frame { provider: String::new(), parts: Vec::new() }] });
    }
    if said.contains(UNKNOWN) {
        return Ok(anywhere());
    }
    let found = if said.starts_with('/') {
        Path::of_id(&said)
    } else {
        let (kind, name): (Vec<&str>, Vec<&str>) =
            said.split_once('/').map_or_else(Default::default, |(provider, rest)| {
                let parts: Vec<&str> = rest.split('/').collect();
                let kinds = std::iter::once(provider).chain(parts.iter().step_by(2).copied()).collect();
                (kinds, parts.iter().skip(1).step_by(2).copied().collect())
            });
        place(scope, &kind.join("/"), &name.join("/"))
    };
    found.ok_or_else(|| bad_at("`{}` is no scope of a resource", &said))
}

fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|begun| begun.eq_ignore_ascii_case(start))
}

/// Where nobody knows where it is.
fn anywhere() -> Path {
    Path {
        frames: vec![Frame {
            provider: String::new(),
            parts: vec![UNKNOWN.to_string(), UNKNOWN.to_string()],
        }],
    }
}

/// Where a nested deployment is made: in another group or subscription, where it says one.
pub(super) fn nested(item: &Value, scope: &Path, names: &Scope<'_>) -> Path {
    let said = |name: &str| {
        let written = member(item, name)?;
        Some(written.as_str().map_or_else(|| UNKNOWN.to_string(), |written| names.name(written)))
    };
    let (group, subscription) = (said("resourceGroup"), said("subscriptionId"));
    if group.is_none() && subscription.is_none() {
        return scope.clone();
    }
    let known = |one: String| id::fold(&one).unwrap_or_else(|| UNKNOWN.to_string());
    let subscription = subscription.map(known).or_else(|| scope.subscription().map(str::to_owned));
    let mut parts = vec!["subscriptions".to_owned(), subscription.unwrap_or_else(|| UNKNOWN.to_string())];
    if let Some(group) = group {
        parts.extend(["resourcegroups".to_owned(), known(group)]);
    }
    Path { frames: vec![Frame { provider: String::new(), parts }] }
}

/// The path of a resource of a template.
///
/// # Errors
/// Its type and its name make none.
pub(super) fn path(scope: &Path, kind: &str, name: &str) -> Result<Path, Undecodable> {
    let found = place(scope, kind, name);
    found.ok_or_else(|| bad_at("`{}` is no type, or has no name of as many parts", kind))
}

/// Its types and the parts of its name in turn.
fn place(scope: &Path, kind: &str, name: &str) -> Option<Path> {
    let (provider, types) = kind.split_once('/')?;
    let types: Vec<&str> = types.split('/').collect();
    let unknown = UNKNOWN.to_string();
    let mut parts: Vec<&str> = name.split('/').collect();
    if parts.len() != types.len() {
        if !name.contains(UNKNOWN) {
            return None;
        }
        parts = types.iter().map(|_| unknown.as_str()).collect();
    }
    if provider.eq_ignore_ascii_case("Microsoft.Resources") && types.len() == 1 {
        let [only] = types.as_slice() else { return None };
        if only.eq_ignore_ascii_case("resourceGroups") {
            let mut path = scope.scope();
            let frame = path.frames.first_mut()?;
            frame.parts.truncate(2);
            frame.parts.extend(["resourcegroups".to_owned(), id::fold(parts.first()?)?]);
            return Some(path);
        }
    }
    let own: Vec<&str> = types.iter().zip(&parts).flat_map(|(kind, name)| [*kind, *name]).collect();
    Path::walk_on(scope, ["providers", provider].into_iter().chain(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_and_a_name_make_a_path() {
        let group =
            Path::of_id("/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/g").unwrap();
        let check = |kind: &str, name: &str, expected: Option<&str>| {
            let found = place(&group, kind, name).map(|path| path.name());
            let expected = expected.map(|end| format!("{}{end}", group.name()));
            assert_eq!(found, expected, "{kind} {name}");
        };
        check(
            "Microsoft.Sql/servers/databases",
            "S/d",
            Some("/providers/microsoft.sql/servers/s/databases/d"),
        );
        check(
            "Microsoft.Storage/storageAccounts/providers/roleAssignments",
            "a/Microsoft.Authorization/7",
            Some(
                "/providers/microsoft.storage/storageaccounts/a/providers/microsoft.authorization/roleassignments/7",
            ),
        );
        check("Microsoft.Sql/servers/databases", "d", None);
        assert_eq!(member(&serde_json::json!({"A": 1}), "a"), Some(&Value::from(1)));
    }
}
