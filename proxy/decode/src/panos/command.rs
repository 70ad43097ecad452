//! Everything but the configuration: commands, commits, keys, files, logs, reports, who is where.
//!
//! A command only reads where it is `show` and shows what only shows. Leaves out the configuration (`config.rs`).

use ordain_action::{Access, Call, Completeness, Minted, Resource, Role, Undecodable};

use super::asked::{Said, bad, command};
use super::words;
use super::xpath::{Device, Node, Step, Which};
use crate::form::Fields;
use crate::form::fields::{clip, segments, unescape};
use crate::rest::effect;

/// What a command does: its operation, and each of its classes with what it touches.
type Does = (String, Vec<(Access, Vec<Resource>)>);

/// `type=op`.
///
/// # Errors
/// It is no command, or not exactly one.
pub(super) fn op(said: &Said<'_, '_>, device: Device<'_>) -> Result<Call, Undecodable> {
    said.only(&["cmd"])?;
    let (root, fields) = command(said.need("cmd")?)?;
    let words = words_of(&root, &fields);
    let operation = words.iter().take(4).map(String::as_str).collect::<Vec<_>>().join("/");
    let all: Vec<String> = every_word(&root, &fields);
    let says = |of: fn(&str) -> bool| all.iter().any(|word| of(word));
    let whole = vec![device.whole(Role::Target)];
    let everything = vec![device.whole(Role::Target), device.everything(Role::Target)];
    let second = words.get(1).map_or("", String::as_str);
    let does: Vec<(Access, Vec<Resource>)> = match root.as_str() {
        "show" if words::is_shown(second) && !says(words::is_secret) => vec![(Access::Read, whole)],
        "check" if matches!(second, "pending-changes" | "full-commit-required") => {
            vec![(Access::Read, whole)]
        }
        "show" if second == "config" || says(words::is_secret) => vec![(Access::SecretRead, whole)],
        // A whole configuration in the place of another: whatever there was is not.
        "load" | "revert" => [Access::Execute, Access::Update, Access::Delete, Access::Grant, Access::Expose]
            .map(|access| (access, everything.clone()))
            .to_vec(),
        "clear" | "delete" => vec![(Access::Delete, whole.clone()), (Access::Execute, whole)],
        _ => {
            let mut does = vec![(Access::Execute, whole.clone())];
            let also = [
                (Access::Update, root == "set"),
                (Access::Delete, says(words::stops)),
                (Access::Grant, says(words::grants)),
                (Access::SecretRead, says(words::is_secret) || says(sends_away)),
            ];
            does.extend(
                also.into_iter().filter(|(_, also)| *also).map(|(access, _)| (access, whole.clone())),
            );
            does
        }
    };
    Ok(made(said, device, ("op", operation, does), &[("cmd", &fields)]))
}

/// Words of commands that send files elsewhere.
fn sends_away(word: &str) -> bool {
    matches!(word, "export" | "scp" | "tftp" | "upload" | "tech-support")
}

/// The elements of a command on the way down to where it divides.
fn words_of(root: &str, fields: &Fields) -> Vec<String> {
    let paths: Vec<Vec<String>> =
        fields.iter().map(|(path, _)| segments(path).map(unescape).collect()).collect();
    let mut words = vec![root.to_owned()];
    if let Some((first, rest)) = paths.split_first() {
        for (depth, part) in first.iter().enumerate() {
            let shared = rest.iter().all(|path| path.get(depth) == Some(part));
            if !shared || part.starts_with('@') || part.bytes().all(|byte| byte.is_ascii_digit()) {
                break;
            }
            words.push(part.clone());
        }
    }
    words
}

fn every_word(root: &str, fields: &Fields) -> Vec<String> {
    let mut all = vec![root.to_owned()];
    for (path, _) in fields.iter() {
        for part in segments(path).map(unescape) {
            if !all.contains(&part) {
                all.push(part);
            }
        }
    }
    all
}

fn made(
    said: &Said<'_, '_>,
    device: Device<'_>,
    (service, operation, does): (&str, String, Vec<(Access, Vec<Resource>)>),
    parsed: &[(&str, &Fields)],
) -> Call {
    let mut parameters = said.parameters(parsed);
    if said.has_file {
        parameters.incomplete(Completeness::Opaque("the file is not read"));
    }
    let each = does
        .into_iter()
        .map(|(access, resources)| effect((service, &operation), access, resources, parameters.clone()));
    device.names.call(each.collect())
}

/// `type=commit`: all that waits, whosever it is, becomes what runs.
///
/// # Errors
/// It is no commit.
pub(super) fn commit(said: &Said<'_, '_>, device: Device<'_>) -> Result<Call, Undecodable> {
    said.only(&["action", "cmd"])?;
    let (root, fields) = command(said.need("cmd")?)?;
    let fits = match said.get("action") {
        None => matches!(root.as_str(), "commit" | "commit-all"),
        Some("all") => root == "commit-all",
        Some("partial" | "force") => root == "commit",
        Some(_) => false,
    };
    if !fits {
        return Err(bad(
            "`cmd` is no commit of that action; send `<commit/>`, or `<commit-all/>` with `action=all`",
        ));
    }
    let is_only =
        |word: &str| !fields.is_empty() && fields.iter().all(|(path, _)| segments(path).next() == Some(word));
    let whole = vec![device.whole(Role::Target)];
    let (operation, does) = if is_only("validate") {
        (format!("{root}/validate"), vec![(Access::Execute, whole)])
    } else {
        let scope = if root == "commit-all" {
            vec![device.whole(Role::Target), device.everything(Role::Target)]
        } else {
            whole
        };
        let operation = match ["force", "partial"].into_iter().find(|word| is_only(word)) {
            Some(word) => format!("{root}/{word}"),
            None => root,
        };
        (operation, vec![(Access::Update, scope.clone()), (Access::Execute, scope)])
    };
    Ok(made(said, device, ("commit", operation, does), &[("cmd", &fields)]))
}

/// `type=keygen`: a key for whoever has a password.
///
/// # Errors
/// It names nobody.
pub(super) fn keygen(said: &Said<'_, '_>, device: Device<'_>) -> Result<Call, Undecodable> {
    said.only(&["user", "password"])?;
    let whole = device.whole(Role::Target);
    let mut resources = vec![whole];
    if let Some(user) = said.get("user") {
        let step = |element: &str| Step { element: element.to_owned(), which: Which::Only };
        let users = Node(vec![step("config"), step("mgt-config"), step("users")]);
        let own = users.child("entry", Which::Named(user.to_owned()));
        resources.push(own.resource(device, Role::Uses, super::xpath::Reach::Own));
    }
    let mut call =
        made(said, device, ("keygen", "keygen".to_owned(), vec![(Access::SecretRead, resources)]), &[]);
    call.answer.mints = Some(Minted::Unrewritable);
    Ok(call)
}

/// `type=user-id`: who is behind which address, and what that address is tagged with: rules let through by both.
///
/// # Errors
/// It says nothing of the sort.
pub(super) fn user_id(said: &Said<'_, '_>, device: Device<'_>) -> Result<Call, Undecodable> {
    said.only(&["action", "cmd"])?;
    if said.get("action").is_some_and(|action| action != "set") {
        return Err(bad("`action` is not one of this type; leave it out"));
    }
    let (root, fields) = command(said.need("cmd")?)?;
    if root != "uid-message" {
        return Err(bad("`cmd` is no `<uid-message>`; send one"));
    }
    let mut told = fields.iter().filter_map(|(path, _)| {
        let mut parts = segments(path);
        (parts.next() == Some("payload")).then(|| parts.next().map(unescape)).flatten()
    });
    let first = told.next();
    // Several at once are told apart by their parameters.
    let only = first.filter(|first| told.all(|other| other == *first));
    let operation = only.unwrap_or(root);
    let mut whole = device.whole(Role::Target);
    if device.target.is_none() {
        whole = device.names.one(Role::Target, "user-id", &["user-id"]);
    }
    let does = vec![(Access::Grant, vec![whole.clone()]), (Access::Expose, vec![whole])];
    Ok(made(said, device, ("user-id", operation, does), &[("cmd", &fields)]))
}

/// `type=import`, `export`, `log`, `report` and `version`.
///
/// # Errors
/// It is none of them, or not as they are.
pub(super) fn other(said: &Said<'_, '_>, device: Device<'_>, kind: &str) -> Result<Call, Undecodable> {
    let (operation, does) = match kind {
        "version" => {
            said.only(&[])?;
            ("version".to_owned(), vec![(Access::Read, vec![device.whole(Role::Target)])])
        }
        "log" => log(said, device)?,
        "report" => report(said, device)?,
        "export" => export(said, device)?,
        "import" => import(said, device)?,
        other => {
            return Err(Undecodable::new(
                "unknown_operation",
                format!("`{}` is no type of request of this API; send one that it has", clip(other)),
            ));
        }
    };
    Ok(made(said, device, (kind, operation, does), &[]))
}

fn log(said: &Said<'_, '_>, device: Device<'_>) -> Result<Does, Undecodable> {
    said.only(&["action", "dir", "job-id", "log-type", "nlogs", "query", "skip", "uniq-id"])?;
    let whole = vec![device.whole(Role::Target)];
    match (said.get("action"), said.get("log-type")) {
        (None, Some(name)) if words::is_log(name) => {
            Ok((format!("query/{name}"), vec![(Access::Read, whole)]))
        }
        (Some("get"), None) if said.get("job-id").is_some() => {
            Ok(("get".to_owned(), vec![(Access::Read, whole)]))
        }
        // It ends the query, which may be another's.
        (Some("finish"), None) => Ok(("finish".to_owned(), vec![(Access::Execute, whole)])),
        _ => Err(bad("neither a log to ask for nor a job to see the answer of is named; name one")),
    }
}

fn report(said: &Said<'_, '_>, device: Device<'_>) -> Result<Does, Undecodable> {
    said.only(&[
        "action",
        "async",
        "endtime",
        "job-id",
        "period",
        "reportname",
        "reporttype",
        "starttime",
        "topn",
    ])?;
    let whole = vec![device.whole(Role::Target)];
    match (said.get("action"), said.get("reporttype")) {
        (None, Some(kind @ ("custom" | "dynamic" | "predefined"))) => {
            Ok((format!("run/{kind}"), vec![(Access::Read, whole)]))
        }
        (Some("get"), None) if said.get("job-id").is_some() => {
            Ok(("get".to_owned(), vec![(Access::Read, whole)]))
        }
        _ => Err(bad("neither a report nor a job to see the answer of is named; name one")),
    }
}

fn export(said: &Said<'_, '_>, device: Device<'_>) -> Result<Does, Undecodable> {
    said.only(&[
        "action",
        "category",
        "certificate-name",
        "device_name",
        "dlp-password",
        "format",
        "from",
        "include-key",
        "include-keys",
        "job-id",
        "passphrase",
        "pcap-id",
        "pcapid",
        "search-time",
        "serialno",
        "session-id",
        "sessionid-pcap",
        "to",
    ])?;
    let category = plain(said.need("category")?)?;
    let access = if words::is_page(category) { Access::Read } else { Access::SecretRead };
    Ok((category.to_owned(), vec![(access, vec![device.whole(Role::Target)])]))
}

/// The word of a category, which becomes part of an operation's name.
fn plain(category: &str) -> Result<&str, Undecodable> {
    if category.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
        Ok(category)
    } else {
        Err(bad("`category` is none that there is; name one"))
    }
}

fn import(said: &Said<'_, '_>, device: Device<'_>) -> Result<Does, Undecodable> {
    said.only(&[
        "category",
        "certificate-name",
        "client",
        "file-name",
        "format",
        "passphrase",
        "profile",
        "profile-name",
    ])?;
    if !said.has_file {
        return Err(bad("there is no file to import; send one in a form with the one part `file`"));
    }
    let category = plain(said.need("category")?)?;
    let whole = vec![device.whole(Role::Target)];
    let everything = vec![device.whole(Role::Target), device.everything(Role::Target)];
    let keys = ["certificate", "high-availability-key", "idp-metadata", "keypair", "private-key"];
    let mut does = vec![(Access::Create, whole.clone()), (Access::Execute, whole.clone())];
    if keys.contains(&category) {
        does.push((Access::Grant, whole));
    } else if category == "device-state" {
        does = [Access::Update, Access::Delete, Access::Grant, Access::Expose, Access::Execute]
            .map(|access| (access, everything.clone()))
            .to_vec();
    }
    Ok((category.to_owned(), does))
}
