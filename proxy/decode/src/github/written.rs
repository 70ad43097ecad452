//! What a body adds to an operation: something shown to the public, authority given, a workflow written.
//!
//! Leaves out what the operation does by itself, which the catalogue says.

use ordain_action::{Access, Scalar};

use super::path::Rest;
use crate::form::Fields;
use crate::form::fields::{segments, unescape};

/// Members of an organization's settings that say who may do what.
const ORG_GRANTS: [&str; 5] =
    ["default_repository_permission", "members_", "deploy_keys_", "two_factor", "web_commit_signoff"];

/// The classes that come to those of the operation.
pub(super) fn access(asked: &Rest, body: &Fields) -> Vec<Access> {
    let mut more = Vec::new();
    let has = |path: &str| body.iter().any(|(at, _)| at == path || at.starts_with(&format!("{path}.")));
    match asked.operation.name {
        "repos/update" if is_shown(body, false) => more.push(Access::Expose),
        "repos/create-in-org"
        | "repos/create-for-authenticated-user"
        | "repos/create-using-template"
        | "codespaces/publish-for-authenticated-user" => {
            if is_shown(body, true) {
                more.push(Access::Expose);
            }
            if has("team_id") {
                more.push(Access::Grant);
            }
        }
        "gists/create" | "gists/update" => {
            let closed = match body.get("public") {
                None | Some(Scalar::Bool(false)) => true,
                Some(Scalar::Text(text)) => text == "false",
                Some(_) => false,
            };
            if !closed {
                more.push(Access::Expose);
            }
        }
        "orgs/update" => {
            let grants = |path: &str| ORG_GRANTS.iter().any(|start| path.starts_with(start));
            if body.iter().any(|(path, _)| grants(path)) {
                more.push(Access::Grant);
            }
        }
        "pulls/create-review" | "pulls/submit-review"
            if body.text("event").is_some_and(|event| !matches!(event, "COMMENT" | "REQUEST_CHANGES")) =>
        {
            more.push(Access::Grant);
        }
        "repos/create-or-update-file-contents" | "repos/delete-file" => {
            more.extend(file(asked.value("path").unwrap_or_default()));
        }
        "git/create-tree" => {
            for (path, value) in body.iter() {
                let last = segments(path).last().map(unescape);
                if let (Some("path"), Scalar::Text(text)) = (last.as_deref(), value) {
                    more.extend(file(text.trim_start_matches("./")));
                }
            }
        }
        // Where it is sent is in `config` of most, and stands alone in the others.
        name if name.contains("webhook") && (has("config.url") || has("url")) => more.push(Access::Expose),
        _ => {}
    }
    more
}

/// Whether a repository is shown to others than those who were let in.
fn is_shown(body: &Fields, new: bool) -> bool {
    let private = body.get("private");
    match body.get("visibility") {
        Some(Scalar::Text("private")) => private.is_some_and(|private| private != Scalar::Bool(true)),
        Some(_) => true,
        None => match private {
            Some(private) => private != Scalar::Bool(true),
            None => new,
        },
    }
}

/// What writing or taking away a file does beside it: what runs, and who has to approve.
fn file(path: &str) -> Vec<Access> {
    let path = path.to_ascii_lowercase();
    // A folder is written or taken away with all that is in it.
    let path = path.trim_end_matches('/');
    let within =
        |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let mut found = Vec::new();
    if path == ".github" || within(".github/workflows") || within(".github/actions") {
        found.push(Access::Execute);
    }
    if matches!(path, "codeowners" | ".github/codeowners" | "docs/codeowners" | ".github" | "docs") {
        found.push(Access::Grant);
    }
    found
}
