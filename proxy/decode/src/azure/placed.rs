//! What a resource of a template is called, and where it lies.
//!
//! Leaves out what is written there (`deployment.rs`).

use ordain_action::Undecodable;
use serde_json::Value;

use super::body::{bad, bad_at, member, text};
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
        return Ok(tenant());
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
pub(super) fn anywhere() -> Path {
    Path {
        frames: vec![Frame {
            provider: String::new(),
            parts: vec![UNKNOWN.to_string(), UNKNOWN.to_string()],
        }],
    }
}

/// The tenant, in which everything lies.
fn tenant() -> Path {
    Path { frames: vec![Frame { provider: String::new(), parts: Vec::new() }] }
}

/// Where a stack deploys to, which it says itself: its own scope where it says none.
///
/// # Errors
/// It says what is no scope.
pub(super) fn of_stack(
    properties: &Value,
    own: &Path,
    names: Option<&Scope<'_>>,
) -> Result<Path, Undecodable> {
    let Some(written) = member(properties, "deploymentScope").filter(|scope| !scope.is_null()) else {
        return Ok(own.clone());
    };
    let written = written.as_str().ok_or_else(|| bad("the `deploymentScope` of a stack is no text"))?;
    let said = names.map_or_else(|| written.to_owned(), |names| names.name(written));
    if said.contains(UNKNOWN) {
        return Ok(anywhere());
    }
    Path::of_id(&said).ok_or_else(|| bad_at("`{}` is no scope to deploy to", &said))
}

/// What a nested deployment says of a group or a subscription to be made in.
enum Said {
    Nothing,
    Known(String),
    /// It may come to anything, and to nothing as well.
    Unknown,
}

/// Where a nested deployment is made: in another group or subscription, where it says one.
pub(super) fn nested(item: &Value, scope: &Path, names: &Scope<'_>) -> Path {
    let said = |name: &str| {
        let Some(written) = member(item, name) else { return Said::Nothing };
        let known = written.as_str().map(|written| names.name(written));
        let known = known.filter(|known| !known.contains(UNKNOWN)).and_then(|known| id::fold(&known));
        known.map_or(Said::Unknown, Said::Known)
    };
    let (group, subscription) = (said("resourceGroup"), said("subscriptionId"));
    if let (Said::Nothing, Said::Nothing) = (&group, &subscription) {
        return scope.clone();
    }
    let unknown = || UNKNOWN.to_string();
    let subscription = match (subscription, scope.subscription()) {
        (Said::Known(known), _) if Path::walk(["subscriptions", known.as_str()]).is_some() => known,
        (Said::Nothing, Some(around)) => around.to_owned(),
        (Said::Known(_) | Said::Unknown, Some(_)) => unknown(),
        // It may be made where it stands, outside of every subscription.
        (Said::Nothing | Said::Known(_) | Said::Unknown, None) => return anywhere(),
    };
    let in_group = scope.frames.first().is_some_and(|first| first.parts.len() > 2);
    let parts = match group {
        Said::Known(group) => vec!["resourcegroups".to_owned(), group],
        // Only a deployment to a subscription has a location: another one goes to a group as the one around it does.
        Said::Nothing if !in_group || member(item, "location").is_some() => Vec::new(),
        Said::Nothing | Said::Unknown => vec![unknown(), unknown()],
    };
    let parts = ["subscriptions".to_owned(), subscription].into_iter().chain(parts).collect();
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
            let frame = path.frames.first_mut().filter(|frame| frame.parts.len() >= 2)?;
            frame.parts.truncate(2);
            frame.parts.extend(["resourcegroups".to_owned(), id::fold(parts.first()?)?]);
            return Some(path);
        }
    }
    // Subscriptions and groups have no such names, and would be others by them.
    if provider.eq_ignore_ascii_case("Microsoft.Resources")
        && types.first()?.eq_ignore_ascii_case("subscriptions")
    {
        return None;
    }
    // Management groups lie in the tenant, wherever they are named.
    let tenant = tenant();
    let of_tenant = provider.eq_ignore_ascii_case("Microsoft.Management")
        && types.first()?.eq_ignore_ascii_case("managementGroups");
    let scope = if of_tenant { &tenant } else { scope };
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
