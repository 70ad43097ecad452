//! The Automation API: what a method and a path ask for, and what that does.
//!
//! `/api` has the paths of the catalogue, `/rest` the same and those of services by their names, `/com/vmware/…/id:VALUE`.
//! Leaves out vim25.

use std::sync::Arc;

use ordain_action::{Access, Call, Effect, Minted, NewIdentifier, Resource, Role, Scalar, Undecodable};
use ordain_catalog::{RestOperation, RestPart};

use super::object::{self, Object};
use super::{SECRETS, secret};
use crate::form::Fields;
use crate::form::fields::{clip, duplicate, segments};
use crate::rest::{Line, Names, Whole, effect};

/// What an operation that `action` names stands below in the catalogue.
const ACTION: &str = "~action=";

/// And what one that a parameter tells from another.
const PARAMETER: &str = "~?";

/// Parameters that change nothing of what is done: whether the answer waits for it.
const PLAIN: [&str; 1] = ["vmw-task"];

/// Members of bodies that name objects of vim25, with their types; as they are, with `_id` behind them, and several.
const MEMBERS: [(&str, &str); 9] = [
    ("cluster", "ClusterComputeResource"),
    ("datacenter", "Datacenter"),
    ("datastore", "Datastore"),
    ("default_datastore", "Datastore"),
    ("folder", "Folder"),
    ("host", "HostSystem"),
    ("network", "Network"),
    ("resource_pool", "ResourcePool"),
    ("vm", "VirtualMachine"),
];

/// Members of bodies that name files: what is hooked up or taken over is another's until its owner says otherwise.
const FILES: [(&str, Role); 5] = [
    ("datastore_path", Role::Target),
    ("file", Role::Uses),
    ("image_file", Role::Uses),
    ("iso_file", Role::Uses),
    ("vmdk_file", Role::Target),
];

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(super) operation: &'static RestOperation,
    values: Vec<(&'static str, String)>,
    /// By the older of the two ways, whose errors are others.
    pub(super) is_legacy: bool,
}

impl Asked {
    pub(super) fn reads(&self) -> bool {
        self.operation.access.iter().all(|access| *access == Access::Read)
    }

    /// The word before the operation.
    pub(super) fn service(&self) -> &'static str {
        self.operation.name.split('/').next().unwrap_or_default()
    }
}

/// Reads a head below `/api` or `/rest`.
///
/// # Errors
/// It asks for no operation of the catalogue, or for two.
pub(super) fn read(line: &Line<'_>) -> Result<Asked, Undecodable> {
    let path = line.path();
    let (first, rest) = path.split_first().ok_or_else(|| line.unknown())?;
    let is_legacy = *first == "rest";
    let mut parts: Vec<&str> = Vec::new();
    for part in rest {
        match part.strip_prefix("id:").filter(|_| rest.first() == Some(&"com")) {
            Some("") => return Err(line.unknown()),
            Some(value) => parts.extend(["id:", value]),
            // What stands so in the catalogue stands in no path.
            None if part.starts_with('~') => return Err(line.unknown()),
            None => parts.push(part),
        }
    }
    let named = action(line, is_legacy)?.map(|action| format!("{ACTION}{action}"));
    parts.extend(named.as_deref());
    let method = if line.method == "HEAD" { "GET" } else { line.method };
    let table = ordain_catalog::automation();
    // What is told from another operation by a parameter that it has.
    let marks: Vec<String> = line.query.iter().map(|pair| format!("{PARAMETER}{}", pair.name)).collect();
    let with = marks.iter().map(|mark| [parts.as_slice(), &[mark.as_str()]].concat());
    let told = with
        .into_iter()
        .find(|parts| table.find(method, parts).is_some_and(|fit| is_told(fit.operation, parts)));
    let parts = told.as_deref().unwrap_or(&parts);
    let fit = table
        .find(method, parts)
        .filter(|fit| is_told(fit.operation, parts))
        .ok_or_else(|| line.unknown())?;
    let values = fit.values.into_iter().map(|(name, value)| (name, value.into_owned())).collect();
    let asked = Asked { operation: fit.operation, values, is_legacy };
    if !is_legacy && rest.first() == Some(&"com") {
        return Err(line.unknown());
    }
    let known = |name: &str| {
        PLAIN.contains(&name)
            || asked.operation.query.contains(&name)
            || ["action", "~action"].contains(&name)
    };
    if !asked.reads()
        && let Some(pair) = line.query.iter().find(|pair| !known(&pair.name))
    {
        return Err(Undecodable::new(
            "unread_parameter",
            format!("`{}` is no parameter of this operation; take it out", clip(&pair.name)),
        ));
    }
    let mut names: Vec<&str> = line.query.iter().map(|pair| pair.name.as_ref()).collect();
    names.sort_unstable();
    if !asked.reads()
        && let Some((name, _)) = names.iter().zip(names.iter().skip(1)).find(|(one, next)| one == next)
    {
        return Err(duplicate(name));
    }
    Ok(asked)
}

/// What is done to the session of whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Does {
    Begin,
    End,
}

/// What is done to the session of whoever asks, where that is what is asked for.
pub(super) fn session(asked: &Asked) -> Option<Does> {
    if asked.service() != "cis.session" {
        return None;
    }
    if asked.operation.access.contains(&Access::Delete) {
        return Some(Does::End);
    }
    asked.operation.mints.then_some(Does::Begin)
}

/// Whether what the query says stands in the place that the catalogue has for it, and is no value of a path.
fn is_told(operation: &RestOperation, parts: &[&str]) -> bool {
    let Some(said) = parts.last().filter(|part| part.starts_with('~')) else { return true };
    matches!(operation.parts.last(), Some(RestPart::Literal(own)) if own == said)
}

/// The operation that the query names.
fn action<'l>(line: &'l Line<'_>, is_legacy: bool) -> Result<Option<&'l str>, Undecodable> {
    let mut found = None;
    for pair in &line.query {
        let name = pair.name.as_ref();
        let names_one = name == "action" || name == "~action" && is_legacy;
        // `~method` and the like make another request of it.
        if name.starts_with('~') && !names_one || names_one && found.is_some() {
            return Err(Undecodable::new(
                "unread_parameter",
                format!("`{}` makes another request of it, or a second one; take it out", clip(name)),
            ));
        }
        if names_one {
            found = Some(pair.value.as_ref());
        }
    }
    match found {
        Some(action) if action.is_empty() || action.contains('/') => Err(line.unknown()),
        other => Ok(other),
    }
}

/// What it does.
///
/// # Errors
/// Its body is no JSON, or an id is of something else.
pub(super) fn call(asked: &Asked, whole: &Whole<'_>) -> Result<Call, Undecodable> {
    if session(asked) == Some(Does::End) {
        return Err(super::own_session());
    }
    let operation = asked.operation;
    let names = whole.names();
    let body = whole.json_of(&["application/json"])?.unwrap_or_default();
    if body.overflowed() {
        return Err(Undecodable::new(
            "too_many_parameters",
            "there are more parameters than are judged; send fewer",
        ));
    }
    let parameters = whole.parameters(Some(&secret::covered(&body, whole.tokens)), &SECRETS);
    let (resources, made) = resources(asked, names, &body)?;
    let mut accesses = operation.access.clone();
    if !asked.reads() {
        for access in body.iter().flat_map(|(path, _)| segments(path)).filter_map(|part| adds(asked, part)) {
            if !accesses.contains(&access) {
                accesses.push(access);
            }
        }
    }
    let effects = accesses.iter().map(|access| {
        let mut resources = resources.clone();
        if *access != Access::Create && resources.len() > 1 {
            resources.retain(|resource| !resource.name.is_empty());
        }
        let (service, name) = (asked.service(), operation.name);
        let one = effect((service, name), *access, resources, parameters.clone());
        Effect { iam_action: Arc::from(name), ..one }
    });
    let mut call = names.call(effects.collect());
    if operation.mints {
        call.answer.mints = Some(Minted::Unrewritable);
    }
    if let Some(kind) = made {
        call.answer.creates.push(NewIdentifier {
            kind: Arc::from(format!("{}:{kind}", names.plane)),
            member: Arc::from("id"),
            path: vec![Arc::from("value")],
        });
    }
    Ok(call)
}

/// What a member of a body adds to the classes of a change.
fn adds(asked: &Asked, member: &str) -> Option<Access> {
    match member {
        "access_list" | "permissions" | "principal" | "role" | "roles" => Some(Access::Grant),
        // A port that listens, or that connects to somewhere.
        "network_location" => Some(Access::Expose),
        // A library that anybody may take from.
        "publish_info" => Some(Access::Expose),
        // What the software inside of a machine is set up by, and told to run.
        "properties" if matches!(asked.service(), "vcenter.ovf.library_item" | "vcenter.ovfs") => {
            Some(Access::Execute)
        }
        _ if member.starts_with("guest_customization") => Some(Access::Execute),
        _ => None,
    }
}

/// The path as the names of what is on it, from the outside in.
#[derive(Debug, Default)]
struct Way {
    /// The parts of the name so far, and which of them are words of the API.
    parts: Vec<String>,
    kind: String,
    /// What variables name.
    things: Vec<(String, Vec<String>)>,
}

fn way(asked: &Asked) -> Result<Way, Undecodable> {
    let vim = ordain_catalog::vim();
    let mut way = Way::default();
    let mut values = asked.values.iter();
    for part in &asked.operation.parts {
        match part {
            RestPart::Literal("com" | "vmware") if way.parts.is_empty() => {}
            RestPart::Literal("id:") => {}
            RestPart::Literal(_) if is_mark(part) => {}
            RestPart::Literal(word) => {
                way.parts.push((*word).to_owned());
                way.kind = (*word).to_owned();
            }
            RestPart::Number(name)
            | RestPart::Text(name)
            | RestPart::Slashes(name)
            | RestPart::Several(name) => {
                let value = values.next().map_or("", |(_, value)| value.as_str());
                if vim.managed(name).is_some() {
                    let object = Object::read(vim, name, value)?;
                    way.kind = object.kind.to_owned();
                    way.parts = vec![object.kind.to_owned(), object.id];
                } else {
                    way.parts.push(value.to_owned());
                }
                way.things.push((way.kind.clone(), way.parts.clone()));
            }
        }
    }
    Ok(way)
}

/// What is touched, and the type of what is made.
type Touched = (Vec<Resource>, Option<String>);

fn resources(asked: &Asked, names: Names<'_>, body: &Fields) -> Result<Touched, Undecodable> {
    let one = |role: Role, kind: &str, parts: &[String]| {
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        names.one(role, kind, &parts)
    };
    let way = way(asked)?;
    let mut all = Vec::new();
    let ends_in_word = matches!(
        asked.operation.parts.iter().rfind(|part| !is_mark(part)),
        Some(RestPart::Literal(_)) | None
    );
    let makes =
        asked.operation.access.contains(&Access::Create) && asked.operation.method == "POST" && ends_in_word;
    let mut made = None;
    if makes {
        let kind = match asked.service() {
            "vcenter.vm" => "VirtualMachine",
            "vcenter.host" => "HostSystem",
            "vcenter.datacenter" => "Datacenter",
            "vcenter.resource_pool" => "ResourcePool",
            _ => way.kind.as_str(),
        };
        let called = ["name", "spec.name", "create_spec.name", "deployment_spec.name"];
        let called = called.iter().find_map(|path| Some(("name", body.text(path)?)));
        all.push(names.unnamed(kind, called));
        made = Some(kind.to_owned());
    }
    let on_things = if makes { Role::Parent } else { Role::Target };
    for (kind, parts) in way.things.iter().rev() {
        all.push(one(on_things, kind, parts));
    }
    members(asked, names, body, makes, &mut all)?;
    let is_named = |resource: &Resource| {
        matches!(resource.role, Role::Target | Role::Parent) && !resource.name.is_empty()
    };
    if !all.iter().any(is_named) {
        all.push(match makes {
            true => names.whole(Role::Parent),
            // Words alone tell nothing apart.
            false => Resource { identifiers: Vec::new(), ..one(Role::Target, &way.kind, &way.parts) },
        });
    }
    Ok((all, made))
}

fn is_mark(part: &RestPart) -> bool {
    matches!(part, RestPart::Literal(word) if word.starts_with(ACTION) || word.starts_with(PARAMETER))
}

/// What a body names besides.
fn members(
    asked: &Asked,
    names: Names<'_>,
    body: &Fields,
    makes: bool,
    all: &mut Vec<Resource>,
) -> Result<(), Undecodable> {
    let vim = ordain_catalog::vim();
    let mut put = |one: Resource| match all.iter_mut().find(|known| known.name == one.name) {
        Some(known) if known.role == Role::Uses => known.role = one.role,
        Some(_) => {}
        None => all.push(one),
    };
    let of_machines = asked.service() == "vcenter.vm";
    for (path, value) in body.iter() {
        let Scalar::Text(id) = value else { continue };
        let Some(last) = segments(path).filter(|part| !part.bytes().all(|byte| byte.is_ascii_digit())).last()
        else {
            continue;
        };
        // An object by its type and its id, as tags and permissions have it.
        if last == "id"
            && let Some(before) = path.strip_suffix("id")
            && let Some(kind) = body.text(&format!("{before}type"))
            && (vim.managed(kind).is_some() || object::resembles(id))
        {
            put(Object::read(vim, kind, id)?.resource(names, Role::Target));
            continue;
        }
        if last == "source" && of_machines {
            put(Object::read(vim, "VirtualMachine", id)?.resource(names, Role::Target));
            continue;
        }
        let file = FILES.iter().find(|(name, _)| *name == last && (last != "file" || id.starts_with('[')));
        if let Some((_, role)) = file {
            object::file_in_passing(names, *role, id)?.into_iter().for_each(&mut put);
            continue;
        }
        let bare = last.strip_suffix("_ids").or_else(|| last.strip_suffix("_id")).unwrap_or(last);
        let bare = bare.strip_suffix('s').unwrap_or(bare);
        let Some((_, kind)) = MEMBERS.iter().find(|(name, _)| *name == bare) else { continue };
        // A member of that name may be something else: a name, or the address of a host.
        if !object::resembles(id) {
            continue;
        }
        let role = match bare {
            "folder" if makes => Role::Parent,
            "folder" | "vm" => Role::Target,
            _ => Role::Uses,
        };
        // A port group is a network too.
        let kind = if *kind == "Network" && id.starts_with("dvportgroup-") {
            "DistributedVirtualPortgroup"
        } else {
            kind
        };
        put(Object::read(vim, kind, id)?.resource(names, role));
    }
    Ok(())
}
