//! What a method and a path ask for.
//!
//! Leaves out bodies, and what an operation's effect is (`class.rs`).

use ordain_action::Undecodable;

use super::class;
use super::expression::UNKNOWN;
use super::id::{Path, ROOT, or_root};
use super::words::Words;
use crate::form::fields::{clip, duplicate};
use crate::form::query::Pair;
use crate::rest::Line;

/// What is asked for.
#[derive(Debug)]
pub(crate) enum Asked {
    /// Several requests in one.
    Batch,
    One(Box<One>),
}

/// One request.
#[derive(Debug)]
pub(crate) struct One {
    pub(super) verb: Verb,
    /// What it is asked of.
    pub(super) place: Place,
    /// The provider, as it is spelled.
    pub(super) service: String,
    /// The operation without the provider, as it is spelled: `virtualMachines/restart/action`.
    pub(super) operation: String,
    /// Provider, types and action in lower case: `microsoft.compute/virtualmachines/restart`.
    pub(super) key: String,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Put,
    Patch,
    Delete,
    /// A POST.
    Act,
}

/// What it is done to.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// One resource or scope.
    One(Path),
    /// All of a type: the path ends in the type.
    All(Path),
}

/// POST actions behind which stands an argument, and not in a body.
const WITH_ARGUMENT: [&str; 5] =
    ["arptables", "createquerykey", "regenerateadminkey", "routetables", "routetablessummary"];

/// Actions of a type that has no name of its own before them, by provider, types and action.
const NAMELESS: [&str; 20] = [
    "microsoft.apimanagement/service/tenant/git/regenerateprimarykey",
    "microsoft.apimanagement/service/tenant/git/regeneratesecondarykey",
    "microsoft.authorization/rolemanagementalerts/refresh",
    "microsoft.automation/automationaccounts/agentregistrationinformation/regeneratekey",
    "microsoft.automation/automationaccounts/runbooks/draft/undoedit",
    "microsoft.automation/automationaccounts/webhooks/generateuri",
    "microsoft.compute/virtualmachinescalesets/rollingupgrades/cancel",
    "microsoft.eventhub/namespaces/disasterrecoveryconfigs/checknameavailability",
    "microsoft.network/connections/sharedkey/reset",
    "microsoft.operationalinsights/querypacks/queries/search",
    "microsoft.servicebus/namespaces/disasterrecoveryconfigs/checknameavailability",
    "microsoft.web/hostingenvironments/recommendations/disable",
    "microsoft.web/hostingenvironments/recommendations/reset",
    "microsoft.web/recommendations/reset",
    "microsoft.web/sites/networktrace/start",
    "microsoft.web/sites/networktrace/startoperation",
    "microsoft.web/sites/networktrace/stop",
    "microsoft.web/sites/recommendations/disable",
    "microsoft.web/sites/recommendations/reset",
    "microsoft.web/sites/slots/networktrace/start",
];

/// What is written without a name of its own.
const NAMELESS_WRITTEN: [&str; 8] = [
    "microsoft.network/connections/sharedkey",
    "microsoft.operationalinsights/querypacks",
    "microsoft.sql/managedinstances/databases/currentsensitivitylabels",
    "microsoft.sql/managedinstances/databases/recommendedsensitivitylabels",
    "microsoft.sql/servers/databases/currentsensitivitylabels",
    "microsoft.sql/servers/databases/recommendedsensitivitylabels",
    "microsoft.sql/servers/firewallrules",
    "microsoft.web/sites/migrate",
];

/// Headers by which a request is made with the authority of others too.
const AUTHORITY: [&str; 1] = ["x-ms-authorization-auxiliary"];

/// Reads the head of a request.
///
/// # Errors
/// It asks for nothing that the plane has, or could be taken for something else.
pub(super) fn read(line: &Line<'_>, words: &Words) -> Result<Asked, Undecodable> {
    if let Some(name) = AUTHORITY.into_iter().find(|name| line.head.headers.contains_key(*name)) {
        return Err(Undecodable::new(
            "unread_header",
            format!("`{name}` lends the request the authority of other tenants; take it out"),
        ));
    }
    version(&line.query)?;
    let path = line.path();
    let slashed =
        line.head.target.split('?').next().is_some_and(|path| path.len() > 1 && path.ends_with('/'));
    if let [only] = path.as_slice()
        && only.eq_ignore_ascii_case("batch")
    {
        let is_batch = line.method == "POST" && !slashed;
        return is_batch.then_some(Asked::Batch).ok_or_else(|| line.unknown());
    }
    let one = one(line.method, &path, words).ok_or_else(|| line.unknown())?;
    // Some libraries end what they read with a slash, which is the same to the plane. A change is written as it is.
    if slashed && !one.reads(words) {
        return Err(Undecodable::new(
            "bad_path",
            format!("the path `{}` ends in a slash; leave it out", clip(line.head.target)),
        ));
    }
    Ok(Asked::One(Box::new(one)))
}

/// Every request says once by which version of the API it is to be read.
pub(super) fn version(query: &[Pair<'_>]) -> Result<(), Undecodable> {
    let mut names: Vec<String> = query.iter().map(|pair| pair.name.to_lowercase()).collect();
    names.sort_unstable();
    if let Some((name, _)) = names.iter().zip(names.iter().skip(1)).find(|(one, next)| one == next) {
        return Err(duplicate(name));
    }
    let given = query.iter().find(|pair| pair.name.eq_ignore_ascii_case("api-version"));
    let is_version = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
    };
    if given.is_some_and(|pair| is_version(&pair.value)) {
        return Ok(());
    }
    Err(Undecodable::new(
        "no_api_version",
        "the query has no `api-version`, by which the request would be read; add the one it is written for",
    ))
}

/// Reads a method and the segments of a path; `None` where the plane has none such.
pub(super) fn one(method: &str, path: &[&str], words: &Words) -> Option<One> {
    let verb = match method {
        "GET" | "HEAD" => Verb::Get,
        "PUT" => Verb::Put,
        "PATCH" => Verb::Patch,
        "DELETE" => Verb::Delete,
        "POST" => Verb::Act,
        _ => return None,
    };
    // Some libraries escape the scope that they were given: it can be nothing but what it says.
    let (first, rest) = path.split_first()?;
    let first = first.strip_prefix('/').unwrap_or(first);
    let segments: Vec<&str> = first.split('/').chain(rest.iter().copied()).collect();
    // Stands for what is not known, and nobody may write it.
    if segments.iter().any(|segment| segment.contains(UNKNOWN)) {
        return None;
    }
    let walked = Path::walk(segments.iter().copied())?;
    let last = walked.last();
    if last.parts.is_empty() {
        return (verb == Verb::Get).then(|| provider(&walked, words));
    }
    if last.provider.is_empty() {
        return of_the_root(verb, walked, words);
    }
    let odd = last.parts.len() % 2 == 1;
    match (verb, odd) {
        (Verb::Act, _) => action(walked, words),
        (Verb::Get, true) if class::acts(last.parts.last()?) => None,
        (Verb::Put | Verb::Patch, true) if NAMELESS_WRITTEN.contains(&walked.key().as_str()) => {
            Some(made(verb, Place::All(walked), words))
        }
        (Verb::Put | Verb::Patch | Verb::Delete, true) => None,
        (Verb::Get, true) => Some(made(verb, Place::All(walked), words)),
        (Verb::Get | Verb::Put | Verb::Patch | Verb::Delete, false) => {
            Some(made(verb, Place::One(walked), words))
        }
    }
}

/// What lies outside of every provider: subscriptions, resource groups, tags and lists of all sorts.
fn of_the_root(verb: Verb, path: Path, words: &Words) -> Option<One> {
    let parts: Vec<&str> = path.last().parts.iter().map(String::as_str).collect();
    match (verb, parts.as_slice()) {
        (Verb::Act, ["subscriptions", _, "resourcegroups", _, act]) => {
            let known = ["exporttemplate", "moveresources", "validatemoveresources"].contains(act);
            known.then(|| action(path, words)).flatten()
        }
        (Verb::Get, ["subscriptions" | "tenants" | "providers" | "locations" | "operations"])
        | (
            Verb::Get,
            ["subscriptions", _, "resourcegroups" | "resources" | "locations" | "tagnames" | "providers"]
            | ["subscriptions", _, "resourcegroups", _, "resources" | "providers"]
            | ["subscriptions", _, "resourcegroups", _, "deployments", _, "operations"],
        ) => Some(made(verb, Place::All(path), words)),
        (Verb::Get, ["metadata", "endpoints"])
        | (
            Verb::Get,
            ["subscriptions", _]
            | ["subscriptions", _, "operationresults", _]
            | ["subscriptions", _, "resourcegroups", _, "deployments", _]
            | ["subscriptions", _, "resourcegroups", _, "deployments", _, "operations", _],
        )
        | (Verb::Get | Verb::Put | Verb::Patch | Verb::Delete, ["subscriptions", _, "resourcegroups", _])
        | (
            Verb::Get | Verb::Put | Verb::Delete,
            ["subscriptions", _, "tagnames", _] | ["subscriptions", _, "tagnames", _, "tagvalues", _],
        ) => Some(made(verb, Place::One(path), words)),
        _ => None,
    }
}

/// What there is to know of a provider.
fn provider(path: &Path, words: &Words) -> One {
    let scope = path.without(0).scope();
    let inside = scope.last().parts.iter().step_by(2).fold(String::new(), |mut types, word| {
        types.push_str(&words.word(ROOT, word));
        types.push('/');
        types
    });
    One {
        verb: Verb::Get,
        operation: format!("{inside}providers/read"),
        key: "microsoft.resources/providers".to_owned(),
        service: ROOT.to_owned(),
        place: Place::One(path.clone()),
    }
}

/// A POST: its last segment is an action, on what stands before it.
fn action(path: Path, words: &Words) -> Option<One> {
    let parts = &path.last().parts;
    let namespace = or_root(&path.last().provider).to_owned();
    let odd = parts.len() % 2 == 1;
    let word = |at: usize| parts.get(parts.len().checked_sub(at)?).map(String::as_str);
    let (name, cut) = match (odd, word(1), word(2)) {
        (true, Some(own), _) => (own.to_owned(), 1),
        (false, _, Some(before)) if WITH_ARGUMENT.contains(&before) => (before.to_owned(), 2),
        (false, Some(own), _) => (own.to_owned(), 2),
        _ => return None,
    };
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"$_-".contains(&byte)) {
        return None;
    }
    // The types, with the one that has no name where there is one.
    let mut types: Vec<String> = parts.iter().step_by(2).cloned().collect();
    if odd || types.last().is_some_and(|last| *last == name) {
        types.pop();
    }
    let lower = namespace.to_ascii_lowercase();
    let mut key = lower.clone();
    for one in types.iter().chain([&name]) {
        key.push('/');
        key.push_str(one);
    }
    let argument = word(2).is_some_and(|before| WITH_ARGUMENT.contains(&before));
    let nameless = NAMELESS.contains(&key.as_str())
        || (key.starts_with("microsoft.web/sites/slots/")
            && NAMELESS.contains(&key.replacen("/slots", "", 1).as_str()));
    if !odd && !argument && !nameless {
        return None;
    }
    let mut operation = String::new();
    for one in types.iter().chain([&name]) {
        operation.push_str(&words.word(&namespace, one));
        operation.push('/');
    }
    operation.push_str("action");
    let place = match (parts.len() - cut, path.last().provider.is_empty()) {
        // What a provider is asked as a whole is asked of the scope; what it is made to be there, of itself.
        (0, false) if matches!(name.as_str(), "register" | "unregister") => Place::One(Path {
            frames: path
                .frames
                .iter()
                .cloned()
                .map(|mut frame| {
                    if frame.provider == path.last().provider {
                        frame.parts.clear();
                    }
                    frame
                })
                .collect(),
        }),
        _ => Place::One(path.without(cut)),
    };
    Some(One { verb: Verb::Act, operation, key, service: words.namespace(&namespace), place })
}

fn made(verb: Verb, place: Place, words: &Words) -> One {
    let (Place::One(path) | Place::All(path)) = &place;
    let last = path.last();
    let namespace = or_root(&last.provider);
    let mut operation = String::new();
    for word in last.parts.iter().step_by(2) {
        operation.push_str(&words.word(namespace, word));
        operation.push('/');
    }
    operation.push_str(match verb {
        Verb::Get => "read",
        Verb::Put | Verb::Patch => "write",
        Verb::Delete => "delete",
        Verb::Act => "action",
    });
    One { verb, operation, key: path.key(), service: words.namespace(namespace), place }
}

/// A PUT of one resource, as a template writes it.
pub(super) fn put(path: Path, words: &Words) -> One {
    made(Verb::Put, Place::One(path), words)
}

impl One {
    /// Whether it only reads, by its method and its name both. A POST has to be known as well.
    pub(super) fn reads(&self, words: &Words) -> bool {
        let path = self.key.split_once('/').map_or("", |(_, path)| path);
        match self.verb {
            Verb::Get => !class::hands_out(&self.key) && !class::passes_on(&self.key),
            Verb::Act => {
                words.is_read(&self.service, path)
                    && !class::acts(&self.key)
                    && !class::hands_out(&self.key)
                    && !class::passes_on(&self.key)
            }
            Verb::Put | Verb::Patch | Verb::Delete => false,
        }
    }
}
