//! What answers carry that matters afterwards: new identifiers, credentials of the plane, secrets.
//!
//! Leaves out reading answers.

use anyhow::{Context as _, Result, bail};

use crate::access::is_secret_name;
use crate::bind::{Subject, Template};
use crate::places::Places;
use crate::words::{plain, singular, words};

/// Whether the answer has a member that is named like a secret.
pub(crate) fn hands_out_secrets(output: &Places<'_>) -> bool {
    output.visits().iter().any(|visit| {
        // Changes not yet applied name a password that the service masks.
        let pending = visit.names.iter().any(|name| name.starts_with("Pending"));
        let whole = visit.shape.sensitive && plain(visit.name()).ends_with("credentials");
        let scalar = whole || matches!(visit.shape.kind.as_str(), "string" | "blob");
        scalar && !pending && is_secret_name(visit.name(), visit.shape.sensitive)
    })
}

/// Lines that say where the answer carries new identifiers.
pub(crate) fn creates(
    subject: &Subject<'_>,
    output: &Places<'_>,
    reviewed: Option<&Vec<String>>,
) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    if let Some(reviewed) = reviewed {
        for line in reviewed {
            let (kind, path) =
                line.split_once(' ').with_context(|| format!("`{line}`: write `TYPE PATH`"))?;
            let number = output.find(path).with_context(|| format!("no member `{path}` in the answer"))?;
            lines.extend(new(subject, output, kind, number)?);
        }
        return Ok(lines);
    }
    if !subject.creates {
        return Ok(lines);
    }
    let words = words(subject.name);
    let noun = singular(&plain(&words.get(1..).unwrap_or_default().concat()));
    let kind = subject
        .iam
        .kinds(subject.prefix)
        .filter(|kind| noun.starts_with(&singular(&plain(&kind.key))))
        .max_by_key(|kind| kind.key.len());
    let Some(kind) = kind else { return Ok(lines) };
    let key = singular(&plain(&kind.key));
    let found = output.visits().iter().enumerate().find(|(_, visit)| {
        let name = singular(&plain(visit.name()));
        let inside = visit.names.len() == 1
            || visit.names.iter().rev().nth(1).is_some_and(|outer| singular(&plain(outer)).starts_with(&key));
        let own = ["arn", "id"]
            .iter()
            .any(|ending| name == format!("{key}{ending}") || name == format!("{noun}{ending}"));
        visit.shape.kind == "string"
            && visit.names.len() <= 3
            && (own || (inside && matches!(name.as_str(), "arn" | "id")))
    });
    if let Some((number, _)) = found {
        lines.extend(new(subject, output, &kind.key, number)?);
    }
    Ok(lines)
}

fn new(subject: &Subject<'_>, output: &Places<'_>, kind: &str, number: usize) -> Result<Vec<String>> {
    let name = output.visits().get(number).map(|visit| visit.name().to_owned()).unwrap_or_default();
    let (prefix, key) = kind.split_once(':').unwrap_or((subject.prefix, kind));
    let carried = plain(&name).ends_with("arn");
    let arn = match subject.kinds.get(key).filter(|_| prefix == subject.prefix) {
        Some(arn) => Some(arn.clone()),
        None => subject.iam.kind(prefix, key).map(|kind| kind.arn.clone()),
    };
    let template = match arn.map(|arn| Template::parse(&arn)) {
        Some(template) if !carried && template.variables.len() == 1 => {
            let variable = template.variables.first().cloned().unwrap_or_default();
            template.text.replace(&format!("{{{variable}}}"), "{id}")
        }
        _ => String::new(),
    };
    Ok(output
        .paths(number)
        .into_iter()
        .map(|path| {
            format!("new {prefix}:{} {name} {path} {template}", key.replace(' ', "-")).trim_end().to_owned()
        })
        .collect())
}

/// The line that says where the answer hands out credentials of the plane.
pub(crate) fn mints(output: &Places<'_>, reviewed: Option<&String>) -> Result<Option<String>> {
    let Some(reviewed) = reviewed else { return Ok(unrewritable(output)) };
    let mut tokens = reviewed.split(' ');
    let kind = tokens.next().unwrap_or_default();
    if !matches!(kind, "session" | "access-key" | "unrewritable") {
        bail!("`{kind}` is no kind of credential; write `session`, `access-key` or `unrewritable`");
    }
    let mut line = format!("mint {kind}");
    for path in tokens {
        let number = output.find(path).with_context(|| format!("no member `{path}` in the answer"))?;
        for path in output.paths(number) {
            line.push(' ');
            line.push_str(&path);
        }
    }
    Ok(Some(line))
}

/// A structure that holds an access key and its secret is a credential of the plane, whoever hands it out.
fn unrewritable(output: &Places<'_>) -> Option<String> {
    let secret = output.visits().iter().any(|visit| {
        matches!(plain(visit.name()).as_str(), "secretaccesskey" | "secretkey" | "awssecretaccesskey")
            && visit.shape.kind == "string"
    });
    let key = output
        .visits()
        .iter()
        .any(|visit| matches!(plain(visit.name()).as_str(), "accesskeyid" | "accesskey" | "awsaccesskeyid"));
    (secret && key).then(|| "mint unrewritable".to_owned())
}
