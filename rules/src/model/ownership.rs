//! Owners by where something is declared in a source tree: the rules of a CODEOWNERS file.
//!
//! Leaves out reading such a file (`import/codeowners.rs`). A folder is matched as a file `main.tf` in it
//! would be, so that patterns such as `*.tf` and `/infra/**` mean what they mean to the forge.

use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};

use super::people::People;
use super::reference::owner;
use super::text::{Body, Placed};
use super::{Finding, Problem};

/// All rules of all such files; of each the last that matches decides, and the first file that knows.
#[derive(Debug, Default)]
pub(crate) struct Ownership {
    files: Vec<File>,
}

#[derive(Debug)]
struct File {
    source: Arc<str>,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    matchers: Vec<GlobMatcher>,
    owners: Vec<Arc<str>>,
}

impl Ownership {
    pub(crate) fn read(
        documents: &[Placed],
        people: &People,
        findings: &mut Vec<Finding>,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut files = Vec::new();
        for document in documents {
            let Body::Ownership(spec) = &document.body else { continue };
            let revision =
                spec.revision.as_deref().map(|revision| format!(" at {revision}")).unwrap_or_default();
            let source: Arc<str> = Arc::from(format!("`{}`{revision}", spec.source));
            let mut rules = Vec::new();
            for rule in &spec.rules {
                let owners = rule.owners.iter().map(|text| resolve(text, people)).collect::<Vec<_>>();
                for unknown in owners.iter().filter(|owner| !people.knows(owner)) {
                    findings.push(Finding {
                        source: document.place.path.clone(),
                        text: format!(
                            "`{unknown}` owns `{}` and is not declared; declare the group",
                            rule.pattern
                        ),
                    });
                }
                match matchers(&rule.pattern) {
                    Some(matchers) => rules.push(Rule { matchers, owners }),
                    None => problems.push(document.place.problem(
                        &rule.pattern,
                        format!("`{}` is not a pattern of CODEOWNERS; correct it", rule.pattern),
                    )),
                }
            }
            files.push(File { source, rules });
        }
        Self { files }
    }

    /// The owners of what a folder declares, and which file says so.
    pub(crate) fn of(&self, folder: &str) -> Option<(&[Arc<str>], Arc<str>)> {
        let folder = folder.trim_start_matches("./").trim_matches('/');
        let file = if folder.is_empty() || folder == "." {
            "main.tf".to_owned()
        } else {
            format!("{folder}/main.tf")
        };
        self.files.iter().find_map(|rules| {
            let matched = |rule: &&Rule| rule.matchers.iter().any(|matcher| matcher.is_match(&file));
            let last = rules.rules.iter().rev().find(matched)?;
            (!last.owners.is_empty()).then(|| (last.owners.as_slice(), Arc::clone(&rules.source)))
        })
    }
}

/// `@organisation/team`, `@user` or an e-mail address, as the forge writes them; or a group's name.
fn resolve(text: &str, people: &People) -> Arc<str> {
    if let Some(team) = text.strip_prefix('@').and_then(|rest| rest.split_once('/')) {
        return owner(team.1);
    }
    if let Some(user) = text.strip_prefix('@') {
        // A forge's user name may be the name of a group here, never the other way round.
        let group = owner(user);
        return if people.knows(&group) { group } else { owner(&format!("user:{user}")) };
    }
    if text.contains('@') {
        let known = people.emails.get(&text.to_lowercase());
        return known.cloned().unwrap_or_else(|| owner(&format!("user:{text}")));
    }
    owner(text)
}

fn matchers(pattern: &str) -> Option<Vec<GlobMatcher>> {
    if pattern.is_empty() || pattern.starts_with('!') || pattern.contains(['[', ']']) {
        return None;
    }
    let directory = pattern.ends_with('/');
    let body = pattern.trim_matches('/');
    // A pattern without a slash inside matches at any depth.
    let anchored = pattern.starts_with('/') || body.contains('/');
    let body = if anchored { body.to_owned() } else { format!("**/{body}") };
    // `docs/*` is the folder's own files and no deeper ones; everything else takes what lies below along.
    let mut texts = Vec::new();
    if !body.ends_with("/*") || body == "**/*" {
        texts.push(format!("{body}/**"));
    }
    if !directory {
        texts.push(body);
    }
    let build = |text: &String| {
        let glob = GlobBuilder::new(text).literal_separator(true).build();
        glob.ok().map(|glob| glob.compile_matcher())
    };
    texts.iter().map(build).collect()
}

#[cfg(test)]
mod tests {
    use super::matchers;

    #[track_caller]
    fn check(pattern: &str, file: &str, expected: bool) {
        let matched = matchers(pattern).is_some_and(|all| all.iter().any(|matcher| matcher.is_match(file)));
        assert_eq!(matched, expected, "{pattern} against {file}");
    }

    #[test]
    fn patterns_mean_what_they_mean_to_the_forge() {
        check("*", "infra/network/main.tf", true);
        check("*.tf", "infra/network/main.tf", true);
        check("/infra/", "infra/network/main.tf", true);
        check("infra/", "deploy/infra/main.tf", true);
        check("/infra/*", "infra/main.tf", true);
        check("/infra/*", "infra/network/main.tf", false);
        check("/infra/network", "infra/network/main.tf", true);
        check("docs/**", "infra/docs/main.tf", false);
        check("**/network/**", "a/b/network/main.tf", true);
        check("!infra", "infra/main.tf", false);
    }
}
