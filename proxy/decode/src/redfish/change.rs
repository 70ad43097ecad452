//! The effects of what changes something.
//!
//! What also runs something, opens something or says who may do what is that effect too, beside the one of its verb.
//! Leaves out reads.

use std::collections::BTreeSet;
use std::sync::Arc;

use ordain_action::{
    Access, Call, Completeness, Effect, Minted, NewIdentifier, Parameters, Resource, Role, Scalar,
    Undecodable,
};

use super::body::{self, Body};
use super::member::{self, SECRETS};
use super::path::{Asked, Place, Reach, Verb};
use super::vocabulary::Does;
use crate::form::Fields;
use crate::form::fields::{clip, segments};
use crate::rest::{Names, Whole, effect};

/// Of a vendor's own actions, the words in whose names say that their answers hold a credential of the service.
const MINTING: [&str; 3] = ["credential", "session", "token"];

/// And those that say that they hold other secrets.
const SECRET: [&str; 6] = ["backup", "certificate", "export", "key", "password", "secret"];

/// Reads a request that changes something.
///
/// # Errors
/// Its body is missing, changes something else, or says what is not known.
pub(super) fn call(asked: &Asked, whole: &Whole<'_>) -> Result<Call, Undecodable> {
    if asked.verb == Verb::Push {
        return Ok(push(asked, whole));
    }
    let fields = body::fields(whole)?;
    if fields.is_none() && !matches!(asked.verb, Verb::Delete | Verb::Act(..)) {
        return Err(body::missing());
    }
    let fields = fields.unwrap_or_default();
    let body = Body::read(asked, &fields)?;
    let names = whole.names();
    let accesses = accesses(asked, &body)?;
    let mut parameters = whole.parameters(Some(&fields), &SECRETS);
    cover_others(whole, &fields, &mut parameters);
    if body.members.iter().any(member::Member::is_oem) || asked.place.is_oem {
        parameters
            .incomplete(Completeness::Partial("what a vendor's own members mean is for the vendor to say"));
    }
    let resources = resources(names, asked, &body);
    let operation = asked.operation();
    let said = (asked.service(), operation.as_str());
    let effects = accesses
        .into_iter()
        .map(|access| effect(said, access, resources.clone(), parameters.clone()))
        .collect();
    Ok(answered(names.call(effects), asked))
}

/// Secrets that no name of a member tells of: headers that events are sent with, and credentials inside of a URL.
fn cover_others(whole: &Whole<'_>, fields: &Fields, parameters: &mut Parameters) {
    let in_headers = |path: &str| {
        let parts: Vec<String> = segments(path).map(str::to_lowercase).collect();
        parts.len() > 1 && parts.iter().any(|part| part == "httpheaders")
    };
    let in_url = |value: Scalar<'_>| match value {
        Scalar::Text(text) => text
            .split_once("://")
            .and_then(|(_, rest)| rest.split(['/', '?', '#']).next())
            .is_some_and(|authority| authority.contains('@')),
        Scalar::Number(_) | Scalar::Bool(_) | Scalar::Null | Scalar::Empty | Scalar::Token(_) => false,
    };
    if !fields.iter().any(|(path, value)| in_headers(path) || in_url(value)) {
        return;
    }
    let mut covered = Parameters::new();
    covered.incomplete(parameters.completeness());
    for leaf in parameters.iter() {
        let mut token = String::new();
        let is_secret = || in_headers(leaf.path) || in_url(leaf.value);
        let value = whole.tokens.cover(leaf.value, is_secret, &mut token);
        if covered.push(leaf.path, value).is_err() {
            covered.incomplete(Completeness::Partial("there are more parameters than are kept"));
        }
    }
    *parameters = covered;
}

/// Software runs wherever it is for, which stands in what is sent.
fn push(asked: &Asked, whole: &Whole<'_>) -> Call {
    let names = whole.names();
    let mut parameters = whole.parameters(None, &[]);
    parameters.incomplete(Completeness::Opaque("the software is sent as it is"));
    let operation = asked.operation();
    let resources = vec![names.whole(Role::Target), place(names, Role::Uses, &asked.place)];
    names.call(vec![effect((asked.service(), &operation), Access::Execute, resources, parameters)])
}

/// One place by its name. Identifiers are those of one collection alone, so that the name is all that says which it is.
pub(super) fn place(names: Names<'_>, role: Role, place: &Place) -> Resource {
    let parts: Vec<&str> = place.segments.iter().map(String::as_str).collect();
    if parts.is_empty() {
        return names.whole(role);
    }
    let kind = if place.is_collection { format!("{}Collection", place.kind) } else { place.kind.clone() };
    Resource { identifiers: Vec::new(), ..names.one(role, &kind, &parts) }
}

fn resources(names: Names<'_>, asked: &Asked, body: &Body<'_>) -> Vec<Resource> {
    let mut resources = Vec::new();
    let targets: Vec<Resource> =
        body.references.iter().filter(|(_, is_target)| *is_target).map(|(to, _)| target(names, to)).collect();
    match &asked.verb {
        Verb::Create => {
            let called =
                ["Name", "UserName"].iter().find_map(|name| Some((*name, body.text(&name.to_lowercase())?)));
            let called = called.filter(|_| asked.place.kind != "Session");
            resources.push(names.unnamed(&asked.place.kind, called));
            resources.push(place(names, Role::Parent, &asked.place));
        }
        // What it is done to is named in the body, or is all that there is.
        Verb::Act(name, _) if is_for_others(name) => {
            if targets.is_empty() {
                resources.push(names.whole(Role::Target));
            }
            resources.extend(targets);
            resources.push(place(names, Role::Uses, &asked.place));
        }
        Verb::Act(name, _) => {
            resources.push(place(names, Role::Target, &asked.place));
            resources.extend(targets);
            if name == "LogService.ClearLog" {
                let mut parts: Vec<&str> = asked.place.segments.iter().map(String::as_str).collect();
                parts.push("Entries");
                resources.push(names.all(Role::Target, "LogEntry", &parts));
            }
            // Its members are not in the request.
            if name.starts_with("Aggregate.") || name == "JobService.CancelAllJobs" {
                resources.push(names.all(Role::Target, "Resource", &[]));
            }
        }
        Verb::Update | Verb::Replace | Verb::Delete => {
            resources.push(place(names, Role::Target, &asked.place))
        }
        Verb::Get(_) | Verb::Push => resources.push(names.whole(Role::Target)),
    }
    for role in
        body.members.iter().filter(|member| member.last().ends_with("roleid") || member.last() == "localrole")
    {
        if let Some(role) = role.text() {
            resources.push(Resource {
                identifiers: Vec::new(),
                ..names.one(Role::Uses, "Role", &["AccountService", "Roles", role])
            });
        }
    }
    for (to, _) in body.references.iter().filter(|(_, is_target)| !is_target) {
        resources.push(target(names, to).with(Role::Uses));
    }
    resources
}

/// Gives a resource another part to play.
trait With {
    fn with(self, role: Role) -> Self;
}

impl With for Resource {
    fn with(self, role: Role) -> Self {
        Self { role, ..self }
    }
}

/// What a reference names; a collection is all that it holds.
fn target(names: Names<'_>, to: &Place) -> Resource {
    let parts: Vec<&str> = to.segments.iter().map(String::as_str).collect();
    if to.is_collection { names.all(Role::Target, &to.kind, &parts) } else { place(names, Role::Target, to) }
}

/// Actions of a service that are done to what their body names.
fn is_for_others(name: &str) -> bool {
    [
        "AggregationService.Reset",
        "AggregationService.SetDefaultBootOrder",
        "CertificateService.GenerateCSR",
        "CertificateService.ReplaceCertificate",
        "CompositionService.Compose",
        "UpdateService.Activate",
        "UpdateService.SimpleUpdate",
        "UpdateService.StartUpdate",
    ]
    .contains(&name)
}

/// Every class of what a request does.
fn accesses(asked: &Asked, body: &Body<'_>) -> Result<BTreeSet<Access>, Undecodable> {
    let mut all = BTreeSet::new();
    let written = || body.members.iter().map(|one| member::access(&asked.place, one));
    match &asked.verb {
        Verb::Get(_) => {}
        Verb::Push => drop(all.insert(Access::Execute)),
        Verb::Delete => drop(all.insert(Access::Delete)),
        Verb::Create => {
            // What is made switched off was not on before.
            all.extend(written().filter(|access| !matches!(access, Access::Update | Access::Delete)));
            all.insert(Access::Create);
            all.extend(beside_create(asked));
        }
        Verb::Update | Verb::Replace => {
            all.extend(written());
            // What a machine will be may lie at a path that no schema has.
            if (asked.place.kind == "ComputerSystem" || asked.place.is_oem)
                && member::boots_other(&body.members)
            {
                all.insert(Access::Execute);
            }
            // What is only more of the same is told by the stronger word.
            if all.len() > 1 {
                all.remove(&Access::Update);
            }
            if all.is_empty() || asked.verb == Verb::Replace {
                all.insert(Access::Update);
            }
            if asked.verb == Verb::Replace && member::grants(&asked.place) {
                all.insert(Access::Grant);
            }
        }
        Verb::Act(name, does) => all.extend(acts(name, *does, asked, body)?),
    }
    Ok(all)
}

/// What making something of a type is beside making it.
fn beside_create(asked: &Asked) -> Option<Access> {
    match asked.place.kind.as_str() {
        "Session" => Some(Access::SecretRead),
        "EventDestination" => Some(Access::Expose),
        "Job" => Some(Access::Execute),
        _ if member::grants(&asked.place) => Some(Access::Grant),
        _ => None,
    }
}

fn acts(name: &str, does: Does, asked: &Asked, body: &Body<'_>) -> Result<BTreeSet<Access>, Undecodable> {
    let mut all = BTreeSet::new();
    match does {
        Does::Always(access) => {
            all.insert(access);
        }
        Does::Reset => {
            all.insert(power(body, "resettype")?);
        }
        Does::Power => {
            all.insert(power(body, "powerstate")?);
        }
        // It does whatever its vendor made it do.
        Does::Unknown => {
            all.insert(Access::Execute);
            let name = name.to_lowercase();
            if SECRET.iter().chain(&MINTING).any(|word| name.contains(word)) {
                all.insert(Access::SecretRead);
            }
        }
    }
    if name == "ManagerAccount.GenerateSecretKey" {
        all.insert(Access::SecretRead);
    }
    // Whom the service trusts, and whom it lets in.
    let trusts = body.references.iter().any(|(to, is_target)| *is_target && member::grants(to));
    if trusts || (all.contains(&Access::Update) && member::grants(&asked.place)) {
        all.insert(Access::Grant);
    }
    if let Does::Always(Access::Delete) = does
        && ["SecureBoot.ResetKeys", "SecureBootDatabase.ResetKeys"].contains(&name)
    {
        all.insert(Access::Grant);
    }
    if does != Does::Unknown && body.members.iter().any(member::Member::is_oem) {
        all.insert(Access::Execute);
    }
    Ok(all)
}

/// What becomes of something that is switched; without a word of it, the service chooses.
fn power(body: &Body<'_>, member: &str) -> Result<Access, Undecodable> {
    let said = body.members.iter().find(|one| one.is_at(&[member]));
    let Some(said) = said else { return Ok(Access::Delete) };
    let goes_on = [
        "On",
        "ForceOn",
        "Resume",
        "GracefulRestart",
        "ForceRestart",
        "PowerCycle",
        "FullPowerCycle",
        "PauseResume",
    ];
    let stops = ["Off", "ForceOff", "GracefulShutdown", "PushPowerButton", "Nmi", "Suspend", "Pause"];
    match said.value {
        Scalar::Text(text) if goes_on.contains(&text) => Ok(Access::Update),
        Scalar::Text(text) if stops.contains(&text) => Ok(Access::Delete),
        Scalar::Text(text) => Err(unknown(text)),
        Scalar::Number(_) | Scalar::Bool(_) | Scalar::Null | Scalar::Empty | Scalar::Token(_) => {
            Err(unknown("what is no text"))
        }
    }
}

fn unknown(value: &str) -> Undecodable {
    Undecodable::new(
        "unknown_value",
        format!("`{}` is no way of the specification to switch something; send one that is", clip(value)),
    )
}

/// A call that says what to look for in its answer.
fn answered(mut call: Call, asked: &Asked) -> Call {
    if asked.verb == Verb::Create {
        call.answer.creates.push(NewIdentifier {
            kind: Arc::from(format!("redfish:{}", asked.place.kind)),
            member: Arc::from("Id"),
            path: vec![Arc::from("Id")],
        });
    }
    if mints(asked) {
        call.answer.mints = Some(Minted::Unrewritable);
    }
    call
}

/// Whether the answer hands out a credential of the service.
pub(super) fn mints(asked: &Asked) -> bool {
    match &asked.verb {
        Verb::Create => asked.place.kind == "Session",
        Verb::Act(name, Does::Unknown) => {
            let name = name.to_lowercase();
            MINTING.iter().any(|word| name.contains(word))
        }
        Verb::Act(name, _) => name == "ManagerAccount.GenerateSecretKey",
        Verb::Get(_) | Verb::Update | Verb::Replace | Verb::Delete | Verb::Push => false,
    }
}

/// Every effect of what only reads.
pub(super) fn read(asked: &Asked, whole: &Whole<'_>, reach: Reach) -> Vec<Effect> {
    let names = whole.names();
    let resource = match reach {
        Reach::Next | Reach::All => names.whole(Role::Target),
        Reach::Own | Reach::Members => target(names, &asked.place),
    };
    let operation = asked.operation();
    let access = if shows_secrets(asked, reach) { Access::SecretRead } else { Access::Read };
    let parameters = whole.parameters(None, &[]);
    vec![effect((asked.service(), &operation), access, vec![resource], parameters)]
}

/// Keys, the communities of SNMP, and what lies below the entry of a log: dumps of memory and of settings.
fn shows_secrets(asked: &Asked, reach: Reach) -> bool {
    let segments = &asked.place.segments;
    let entry = segments.iter().position(|segment| segment == "Entries");
    reach == Reach::All
        || (reach == Reach::Next && !matches!(asked.place.top(), "Chassis" | "Fabrics" | "Systems"))
        || entry.is_some_and(|at| segments.len() > at + 2)
        || (asked.place.top() == "KeyService" && segments.len() > 1)
        || asked.place.kind == "ManagerNetworkProtocol"
}
