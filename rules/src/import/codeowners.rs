//! A CODEOWNERS file to an `Ownership` document.
//!
//! Leaves out who the owners are: groups and users are declared in the model. Its patterns are joined to
//! resources by the folder that declares them, which the Terraform importer writes beside each.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::{ImportError, ImportSummary, Imported, as_of_line, entity_name, quoted};
use crate::model::Source;

/// Reads a CODEOWNERS file of GitHub or GitLab.
///
/// # Errors
/// [`ImportError`] when there is no rule in it at all.
pub fn codeowners(
    source: &Source,
    revision: Option<&str>,
    as_of: Option<Timestamp>,
) -> Result<Imported, ImportError> {
    let mut summary = ImportSummary::default();
    let mut rules = String::new();
    for (line, text) in source.text.lines().zip(1..).map(|(text, line): (&str, usize)| (line, text)) {
        let Some((pattern, owners)) = rule(text) else { continue };
        if pattern.starts_with('!') || pattern.contains(['[', ']']) {
            summary.left_out.push(format!("line {line}: `{pattern}` is no pattern that owns anything"));
            continue;
        }
        let list: Vec<String> = owners.iter().map(|owner| quoted(owner)).collect();
        summary.owners.extend(owners);
        summary.facts += 1;
        writeln!(rules, "    - {{pattern: {}, owners: [{}]}}", quoted(&pattern), list.join(", "))
            .map_err(|_| ImportError { path: source.path.clone(), text: "out of memory".to_owned() })?;
    }
    if summary.facts == 0 {
        let text = "it holds no rule; give a CODEOWNERS file".to_owned();
        return Err(ImportError { path: source.path.clone(), text });
    }
    let revision = revision.map(|text| format!("  revision: {}\n", quoted(text))).unwrap_or_default();
    let name = entity_name(&format!("codeowners-{}", source.path));
    let text = format!(
        "# Imported: change the source and import again.\napiVersion: ordain/v1\nkind: Ownership\nmetadata:\n  \
         name: {}\nspec:\n  source: {}\n{revision}{}  rules:\n{rules}",
        quoted(&name),
        quoted(&source.path),
        as_of_line(as_of),
    );
    Ok(Imported { file: "codeowners.yaml".to_owned(), text, summary })
}

/// Pattern and owners of a line; none for blank lines, comments and section headings.
fn rule(line: &str) -> Option<(String, Vec<String>)> {
    let line = line.trim();
    let heading = line.starts_with('[') || line.starts_with("^[");
    if line.is_empty() || line.starts_with('#') || heading {
        return None;
    }
    // A space in a path is written `\ `, a comment at the end begins with ` #`.
    let line = line.replace("\\ ", "\u{0}");
    let line = line.split(" #").next().unwrap_or_default();
    let mut words = line.split_whitespace().map(|word| word.replace('\u{0}', " "));
    let pattern = words.next()?;
    Some((pattern, words.collect()))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::codeowners;
    use crate::model::Source;

    #[test]
    fn rules_keep_their_order_and_comments_go() {
        let source = Source {
            path: "CODEOWNERS".to_owned(),
            text: "# who owns what\n* @acme/platform\n\n/infra/network/ @acme/network @dora # the network\n\
                   [Section]\ndocs/with\\ space alice@example.com\n!not @a\n/infra/nobody/\n"
                .to_owned(),
        };
        let imported =
            codeowners(&source, Some("4f1c"), Some("2026-11-24T10:00:00Z".parse().unwrap())).unwrap();
        expect![[r##"
            # Imported: change the source and import again.
            apiVersion: ordain/v1
            kind: Ownership
            metadata:
              name: "codeowners-CODEOWNERS"
            spec:
              source: "CODEOWNERS"
              revision: "4f1c"
              asOf: 2026-11-24T10:00:00Z
              rules:
                - {pattern: "*", owners: ["@acme/platform"]}
                - {pattern: "/infra/network/", owners: ["@acme/network", "@dora"]}
                - {pattern: "docs/with space", owners: ["alice@example.com"]}
                - {pattern: "/infra/nobody/", owners: []}
        "##]]
        .assert_eq(&imported.text);
        expect![[r#"
            ImportSummary {
                facts: 4,
                relations: 0,
                unowned: 0,
                owners: {
                    "@acme/network",
                    "@acme/platform",
                    "@dora",
                    "alice@example.com",
                },
                accounts: {},
                left_out: [
                    "line 7: `!not` is no pattern that owns anything",
                ],
            }
        "#]]
        .assert_debug_eq(&imported.summary);
    }

    #[test]
    fn a_file_without_rules_is_refused() {
        let source = Source { path: "CODEOWNERS".to_owned(), text: "# nothing\n".to_owned() };
        let error = codeowners(&source, None, None).unwrap_err();
        expect!["cannot import `CODEOWNERS`: it holds no rule; give a CODEOWNERS file"]
            .assert_eq(&error.to_string());
    }
}
