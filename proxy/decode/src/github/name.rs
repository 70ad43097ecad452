//! What a request touches, by name.
//!
//! The names of GitHub are its own paths. Logins, repositories, teams, labels and environments are the same in any
//! case, and stand in lower case here; secrets and variables in upper case, as GitHub shows them. Refs under `heads/` are the
//! branches, and refs under `tags/` the tags, that they are. Leaves out what is done to it.

use std::borrow::Cow;
use std::sync::Arc;

use ordain_action::{Access, Identifier, Level, Resource, Role, Scalar, Undecodable};
use ordain_catalog::RestPart;

use super::path::Rest;
use crate::form::Fields;
use crate::form::fields::clip;
use crate::rest::{Named, Names, Place, place};

/// What a request touches, and where its answer tells what it has made: the type, the member, and where that stands.
pub(super) struct Touched {
    pub(super) all: Vec<Resource>,
    pub(super) creates: Option<(String, &'static str, &'static str)>,
}

/// What an operation touches.
///
/// # Errors
/// Its body does not name what it is about.
pub(super) fn resources(names: Names<'_>, asked: &Rest, body: &Fields) -> Result<Touched, Undecodable> {
    let operation = asked.operation;
    let named = named(asked)?;
    let is_read = operation.method == "GET";
    let mut touched = Touched { all: Vec::new(), creates: None };
    if let Some(own) = own(names, asked, body, &named)? {
        touched.all = own;
    } else {
        match place(operation, &named) {
            Place::New => new(names, asked, body, &named, &mut touched),
            Place::List => touched.all.push(named.all(names, Role::Target)),
            Place::Around => touched.all.push(container(&named).one(names, Role::Target)),
            Place::Itself => touched.all.push(named.one(names, Role::Target)),
        }
    }
    // A name that could be any of them.
    let any = asked.value("workflow_id").filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()));
    if let (Some(_), false, Some(first)) = (any, is_read, touched.all.first_mut()) {
        let mut parts = container(&named);
        parts.pop();
        *first = parts.all(names, Role::Target);
    }
    if let Some(first) = touched.all.first_mut() {
        as_written(first, asked);
    }
    beside(names, asked, body, &named, &mut touched.all);
    Ok(touched)
}

/// The path as a name.
fn named(asked: &Rest) -> Result<Named, Undecodable> {
    let mut named = Named::default();
    let mut values = asked.values.iter();
    let mut parts = asked.operation.parts.as_slice();
    if let Some((word, number)) = &asked.numbered {
        // A word and a number stand where the owner, and the repository, would.
        let names = match *word {
            "repositories" => 3,
            "organizations" if asked.operation.path.starts_with("/teams") => 0,
            _ => 2,
        };
        named.push(*word, true);
        named.push(number.as_str(), false);
        parts = parts.get(names..).unwrap_or_default();
        for _ in 1..names {
            values.next();
        }
    }
    let mut before = "";
    for part in parts {
        match part {
            RestPart::Literal(text) => {
                // Two words of one thing, where a name stands behind them.
                let same = *text == "organizations" && named.parts().is_empty() && asked.numbered.is_none();
                named.push(if same { "orgs" } else { text }, true);
                before = text;
            }
            RestPart::Number(name) | RestPart::Text(name) | RestPart::Slashes(name) => {
                let value = values.next().map_or("", |(_, value)| value.as_str());
                named.push(folded(before, name, value), false);
            }
            RestPart::Several(name) => {
                let value = values.next().map_or("", |(_, value)| value.as_str());
                several(&mut named, name, value)?;
            }
        }
    }
    Ok(named)
}

/// A value as GitHub compares it.
fn folded<'v>(before: &str, name: &str, value: &'v str) -> Cow<'v, str> {
    match (before, name) {
        ("variables", "name") | (_, "secret_name") => Cow::Owned(value.to_uppercase()),
        (
            _,
            "owner"
            | "repo"
            | "template_owner"
            | "template_repo"
            | "org"
            | "enterprise"
            | "username"
            | "team_slug"
            | "enterprise-team"
            | "assignee"
            | "target_user"
            | "app_slug"
            | "environment_name"
            | "package_name"
            | "repo_name"
            | "custom_property_name"
            | "name",
        ) => Cow::Owned(value.to_lowercase()),
        _ => Cow::Borrowed(value),
    }
}

/// What goes over several segments: a file, or a ref.
fn several(named: &mut Named, name: &str, value: &str) -> Result<(), Undecodable> {
    let is_git = named.parts().iter().rev().nth(1).is_some_and(|part| *part == "git");
    if name != "ref" || !is_git {
        for part in value.split('/') {
            named.push(part, false);
        }
        return Ok(());
    }
    let matching = named.parts().last().is_some_and(|last| *last == "matching-refs");
    // The words `git` and `refs` before it say no more than the ref itself.
    named.pop();
    named.pop();
    if matching {
        named.push("git", true);
        named.push("matching-refs", true);
        named.push(value, false);
        return Ok(());
    }
    by_ref(named, value)
}

/// What something is in. What belongs to whoever the credential is, is in that.
fn container(named: &Named) -> Named {
    named.container(&["app", "installation", "user"])
}

/// A branch, a tag, or another ref.
fn by_ref(named: &mut Named, value: &str) -> Result<(), Undecodable> {
    match value.split_once('/') {
        Some(("heads", branch)) => {
            named.push("branches", true);
            named.push(branch, false);
        }
        Some(("tags", tag)) => {
            named.push("tags", true);
            named.push(tag, false);
        }
        Some(("refs", _)) | None => {
            return Err(bad(&format!("`{}` is no full ref, without `refs/` before it", clip(value))));
        }
        Some(_) => {
            named.push("git", true);
            named.push("refs", true);
            named.push(value, false);
        }
    }
    Ok(())
}

/// A new thing in a list: by the name that the body gives it where that is its name, else by what it is called there.
fn new(names: Names<'_>, asked: &Rest, body: &Fields, named: &Named, touched: &mut Touched) {
    let item = asked.operation.item.unwrap_or("id");
    let parent = container(named).one(names, Role::Parent);
    if let ("name", Some(Scalar::Text(name))) = (item, body.get("name")) {
        let mut own = named.clone();
        own.push(folded(named.kind(), "name", name), false);
        touched.all = vec![own.one(names, Role::Target), parent];
        return;
    }
    let called = ["name", "title", "key", "login", "tag_name", "environment"];
    let called = called.iter().find_map(|name| match body.get(name)? {
        Scalar::Text(text) if text.len() <= 200 => Some((*name, text)),
        Scalar::Text(_)
        | Scalar::Number(_)
        | Scalar::Bool(_)
        | Scalar::Null
        | Scalar::Empty
        | Scalar::Token(_) => None,
    });
    touched.all = vec![names.unnamed(named.kind(), called), parent];
    let member = match item.rsplit(['_', '-']).next() {
        Some("number") => "number",
        Some("sha") => "sha",
        Some("slug") => "slug",
        Some("name") => "name",
        Some(_) | None => "id",
    };
    touched.creates = Some((named.kind().to_owned(), item, member));
}

/// Operations whose body or path names something in a way of its own.
fn own(
    names: Names<'_>,
    asked: &Rest,
    body: &Fields,
    named: &Named,
) -> Result<Option<Vec<Resource>>, Undecodable> {
    let text = |path: &str| match body.get(path) {
        Some(Scalar::Text(text)) if !text.is_empty() => Some(text),
        Some(_) | None => None,
    };
    let branch = |role: Role, name: &str| {
        let mut repo = repo(asked);
        repo.push("branches", true);
        repo.push(name.strip_prefix("refs/heads/").unwrap_or(name), false);
        repo.one(names, role)
    };
    let missing = |member: &str| bad(&format!("the body has no `{member}`"));
    Ok(Some(match asked.operation.name {
        "repos/list-for-org" => match asked.value("org") {
            Some(org) if asked.numbered.is_none() => {
                vec![names.all(Role::Target, "repos", &["repos", &org.to_lowercase()])]
            }
            Some(_) | None => return Ok(None),
        },
        "repos/create-in-org" => new_repo(names, asked.value("org"), text("name"), None),
        "repos/create-for-authenticated-user" => new_repo(names, None, text("name"), None),
        "codespaces/publish-for-authenticated-user" => {
            new_repo(names, None, text("name"), Some(container(named).one(names, Role::Uses)))
        }
        "repos/create-fork" => {
            new_repo(names, text("organization"), text("name"), Some(repo(asked).one(names, Role::Uses)))
        }
        "repos/create-using-template" => {
            new_repo(names, text("owner"), text("name"), Some(repo(asked).one(names, Role::Uses)))
        }
        "git/create-ref" => {
            let value = text("ref").ok_or_else(|| missing("ref"))?;
            let value = value
                .strip_prefix("refs/")
                .filter(|rest| !rest.split('/').any(|part| matches!(part, "" | "." | "..")))
                .ok_or_else(|| bad(&format!("`{}` is no ref, which begins with `refs/`", clip(value))))?;
            let mut own = repo(asked);
            by_ref(&mut own, value)?;
            vec![own.one(names, Role::Target), repo(asked).one(names, Role::Parent)]
        }
        "repos/merge" => vec![
            branch(Role::Target, text("base").ok_or_else(|| missing("base"))?),
            branch(Role::Uses, text("head").ok_or_else(|| missing("head"))?),
        ],
        "repos/merge-upstream" => {
            vec![branch(Role::Target, text("branch").ok_or_else(|| missing("branch"))?)]
        }
        "repos/rename-branch" => {
            let old = asked.value("branch").unwrap_or_default();
            let new = text("new_name").ok_or_else(|| missing("new_name"))?;
            vec![branch(Role::Target, old), branch(Role::Target, new)]
        }
        "pulls/merge" => vec![container(named).one(names, Role::Target)],
        "repos/create-or-update-file-contents" | "repos/delete-file" => {
            let mut own = vec![named.one(names, Role::Target)];
            own.extend(text("branch").map(|name| branch(Role::Target, name)));
            own.push(repo(asked).one(names, Role::Parent));
            own
        }
        _ => return Ok(None),
    }))
}

/// The repository in the path.
fn repo(asked: &Rest) -> Named {
    let mut named = Named::default();
    named.push("repos", true);
    for name in [["owner", "template_owner"], ["repo", "template_repo"]] {
        let value = name.iter().find_map(|name| asked.value(name)).unwrap_or_default();
        named.push(value.to_lowercase(), false);
    }
    named
}

/// A new repository: by its name where both its owner and its name are known as they will be.
fn new_repo(
    names: Names<'_>,
    owner: Option<&str>,
    name: Option<&str>,
    uses: Option<Resource>,
) -> Vec<Resource> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let as_is = name.filter(|name| name.bytes().all(plain) && !name.to_lowercase().ends_with(".git"));
    let owner = owner.map(str::to_lowercase);
    let target = match (&owner, as_is) {
        (Some(owner), Some(name)) => {
            names.one(Role::Target, "repos", &["repos", owner, &name.to_lowercase()])
        }
        (Some(_), None) | (None, _) => names.unnamed("repos", name.map(|name| ("name", name))),
    };
    let parent = match &owner {
        Some(owner) => names.one(Role::Parent, "orgs", &["orgs", owner]),
        None => names.one(Role::Parent, "user", &["user"]),
    };
    [Some(target), Some(parent), uses].into_iter().flatten().collect()
}

/// The values in the path stand beside the name as they were written.
fn as_written(resource: &mut Resource, asked: &Rest) {
    if resource.name.is_empty() {
        return;
    }
    resource.identifiers = asked
        .values
        .iter()
        .filter(|_| asked.numbered.is_none())
        .map(|(name, value)| Identifier { name: Arc::from(*name), value: value.clone() })
        .collect();
}

/// What else is touched: a repository that a team is let into or an agent works on, somebody who is let in, and where
/// something is deployed.
fn beside(names: Names<'_>, asked: &Rest, body: &Fields, named: &Named, all: &mut Vec<Resource>) {
    let operation = asked.operation;
    if operation.method == "GET" {
        return;
    }
    let in_repo = named.parts().first().is_some_and(|first| *first == "repos");
    if asked.value("repo").is_some() && !in_repo && operation.level == Level::Control {
        all.push(repo(asked).one(names, Role::Target));
    }
    let of_user = named.parts().first().is_some_and(|first| *first == "users");
    if let (Some(user), false, true) =
        (asked.value("username"), of_user, operation.access.contains(&Access::Grant))
        && operation.method != "DELETE"
    {
        all.push(names.one(Role::Uses, "users", &["users", &user.to_lowercase()]));
    }
    if let ("repos/create-deployment", Some(Scalar::Text(name))) = (operation.name, body.get("environment")) {
        let mut own = repo(asked);
        own.push("environments", true);
        own.push(name.to_lowercase(), false);
        all.push(own.one(names, Role::Uses));
    }
}

fn bad(what: &str) -> Undecodable {
    Undecodable::new("bad_request", format!("{what}; send it as the description of the API has it"))
}
