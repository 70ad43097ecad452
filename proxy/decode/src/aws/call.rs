//! From an operation and its parameters to a call: effects, resources, parameters without secrets.
//!
//! Leaves out where the parameters stood (`gather.rs`) and operations that do many things at once (`batch.rs`).

use std::sync::Arc;

use ordain_action::{
    Access, Answer, Call, Completeness, Effect, Level, Minted, NameBasis, Parameters, Plane, Resource, Role,
    Scalar, Undecodable, Upstream,
};
use ordain_catalog::{Location, Operation, Protocol};

use super::found::{Found, strictness};
use super::resource::Place;
use super::site::Site;
use super::wire::Wire;
use super::{
    Room, authority, batch, bind, experiment, indirect, names, objects, outside, secret, sharpen, stored,
    template,
};

/// What a call is made from, but for its parameters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a, 'r> {
    pub(super) room: &'r Room,
    pub(super) site: &'a Site,
    pub(super) found: &'a Found<'r>,
    pub(super) payload_sha256: Option<&'a str>,
}

/// Makes the call.
pub(super) fn make(
    request: &Request<'_, '_>,
    upstream: &Upstream,
    mut wire: Wire,
) -> Result<Call, Undecodable> {
    let found = request.found;
    let operation = found.operation;
    let region = call_region(&request.site.region);
    // A region belongs to one partition, and a name with another one in it names nothing.
    let partition = request.room.catalog.hosts().partition_of(&request.site.region);
    let partition = partition.map_or(&upstream.partition, |partition| &partition.name);
    let place = Place { partition, region: &region, account: &upstream.account };
    batch::unfold(operation, &mut wire);
    refuse_overflow(operation, &wire)?;
    bind::refuse_other_key(operation, &wire)?;
    if operation.access.is_change() {
        bind::refuse_other_spelling(operation, found.protocol, &wire)?;
        bind::refuse_other_member(operation, found.protocol, &wire)?;
    }
    let template = template::read(operation, &wire)?;
    let dry = is_dry_run(operation, found.protocol, &wire);
    let mut resources = bind::resources(operation, found.protocol, &wire, &place);
    if operation.access.is_change() {
        for key in authority::used_keys(&operation.service, &wire.fields, &place) {
            resources.retain(|known| known.role != Role::Uses || known.name != key.name);
            resources.push(key);
        }
    }
    let sharpened = if operation.access.is_change() && !dry {
        let by_parameters = sharpen::by_parameters(&operation.service, &operation.name, &wire.fields);
        sharpen::strictest(by_parameters, outside::leads_out(operation, &wire, &place))
    } else {
        None
    };
    let access = class(operation.access, sharpened, dry);
    let parameters = parameters(request, &wire, template.as_ref())?;
    let mut main = Effect {
        service: operation.service.clone(),
        operation: operation.name.clone(),
        iam_action: iam_action(operation),
        access,
        level: operation.level,
        resources,
        parameters,
    };
    batch::adjust(&mut main, &wire, &request.room.catalog, &place);
    names::canonical(&mut main, operation, &place);
    of_service(&mut main, request, &wire, &place);
    stored::adjust(&mut main, &wire, &place);
    if main.resources.len() > bind::limit(operation) {
        return Err(too_many_resources());
    }
    let mut effects = match &template {
        Some(template) => template.effects(request.room, main, &wire, &place)?,
        None => batch::split(&main, &wire, &place)?.unwrap_or_else(|| vec![main]),
    };
    for effect in &mut effects {
        scope(effect, &place);
    }
    if let Some(extra) = sharpened
        && access == Access::Create
    {
        // A create that also opens or grants is judged as both.
        let twins: Vec<Effect> = effects
            .iter()
            .filter(|effect| effect.access == Access::Create)
            .map(|effect| Effect { access: extra, ..effect.clone() })
            .collect();
        effects.extend(twins);
    }
    if access.is_change() {
        effects.extend(passed(&operation.service, &wire, &place)?);
    }
    let mut answer = if dry { Answer::default() } else { operation.answer(found.protocol) };
    if template.is_some_and(|template| template.hands_out()) {
        answer.mints = Some(Minted::Unrewritable);
    }
    Ok(Call { plane: Plane::Aws, effects, answer, region })
}

/// What single services say in ways of their own.
fn of_service(main: &mut Effect, request: &Request<'_, '_>, wire: &Wire, place: &Place<'_>) {
    match &*main.service {
        "s3" => objects::name(main, request.site, place),
        "cloudwatch" | "application-autoscaling" | "autoscaling-plans" => indirect::adjust(main, wire, place),
        "fis" => experiment::adjust(main, wire, place),
        // Buckets of Outposts are not buckets of S3, whatever a template says.
        "s3control" => main
            .resources
            .iter_mut()
            .filter(|one| one.basis == NameBasis::Bound && &*one.kind == "s3:bucket")
            .for_each(|one| {
                one.name.clear();
                one.basis = NameBasis::Unnamed;
            }),
        _ => {}
    }
}

/// The vendor's pseudo regions stand for no region.
fn call_region(region: &Arc<str>) -> Arc<str> {
    if region.ends_with("-global") { Arc::from("") } else { Arc::clone(region) }
}

fn class(access: Access, sharpened: Option<Access>, dry: bool) -> Access {
    match (access, sharpened) {
        _ if dry => Access::Read,
        (Access::Update | Access::Tag | Access::Grant | Access::Execute, Some(sharper))
            if strictness(sharper) > strictness(access) || sharper == Access::Expose =>
        {
            sharper
        }
        (access, _) => access,
    }
}

fn iam_action(operation: &Operation) -> Arc<str> {
    operation
        .iam_actions
        .first()
        .cloned()
        .unwrap_or_else(|| Arc::from(format!("{}:{}", operation.service, operation.name)))
}

/// `DryRun=true`, once, on an operation that has the member, with nothing beside it that is not understood or
/// looks like a second answer to the same question.
fn is_dry_run(operation: &Operation, protocol: Protocol, wire: &Wire) -> bool {
    operation.dry_run
        && protocol == Protocol::Ec2
        && wire.partial.is_none()
        && wire.text(Location::Body, "DryRun") == Some("true")
        && !wire
            .iter()
            .any(|leaf| leaf.path != "DryRun" && leaf.path.to_ascii_lowercase().starts_with("dryrun"))
}

fn too_many() -> Undecodable {
    Undecodable::new("too_many_parameters", "there are more parameters than are judged at once; send fewer")
}

fn too_many_resources() -> Undecodable {
    Undecodable::new("too_many_resources", "there are more resources than are judged at once; name fewer")
}

/// What was not kept must not hold a target: data operations that name theirs elsewhere may go on.
fn refuse_overflow(operation: &Operation, wire: &Wire) -> Result<(), Undecodable> {
    if !wire.fields.overflowed() {
        return Ok(());
    }
    let in_lists = operation
        .bindings
        .iter()
        .flat_map(|binding| &binding.members)
        .any(|member| member.path.as_str().contains('*'));
    let in_lists = in_lists || batch::is_batch(operation);
    let harmless = !operation.access.is_change() || (operation.level == Level::Data && !in_lists);
    if harmless { Ok(()) } else { Err(too_many()) }
}

/// All parameters, secrets as tokens.
fn parameters(
    request: &Request<'_, '_>,
    wire: &Wire,
    template: Option<&template::Read>,
) -> Result<Parameters, Undecodable> {
    let Found { operation, protocol, .. } = request.found;
    let rest = matches!(protocol, Protocol::RestJson | Protocol::RestXml);
    let tokens = &request.room.tokens;
    let mut parameters = Parameters::new();
    for leaf in wire.iter() {
        let location = if rest { leaf.location } else { Location::Body };
        let secret = secret::is_secret(operation, *protocol, location, leaf.path)
            || template::is_secret(template, leaf.path);
        let mut token = String::new();
        let value = tokens.cover(leaf.value, || secret, &mut token);
        let pushed = if operation.is_idempotency_token(*protocol, location, leaf.path) {
            parameters.push_idempotency(leaf.path, value)
        } else {
            parameters.push(leaf.path, value)
        };
        pushed.map_err(|_| too_many())?;
    }
    // Where the list is full, the digest of the action binds the bytes all the same.
    if let (true, false, Some(hash)) =
        (wire.partial.is_some(), wire.fields.overflowed(), request.payload_sha256)
    {
        let pushed = parameters.push("payload_sha256", Scalar::Text(hash));
        pushed.map_err(|_| too_many())?;
    }
    if let Some(why) = wire.partial {
        parameters.incomplete(Completeness::Partial(why));
    }
    if let Some(why) = wire.opaque {
        parameters.incomplete(Completeness::Opaque(why));
    }
    Ok(parameters)
}

/// An effect never has zero resources: the account stands in where nothing narrower is named.
fn scope(effect: &mut Effect, place: &Place<'_>) {
    let has = |role: Role| effect.resources.iter().any(|resource| resource.role == role);
    if effect.access == Access::Create {
        if !has(Role::Parent) {
            effect.resources.push(place.account_scope(Role::Parent));
        }
    } else if !has(Role::Target) && !has(Role::Parent) {
        effect.resources.push(place.account_scope(Role::Target));
    }
}

/// Roles handed over are effects of their own: whoever passes a role acts with it.
fn passed(service: &Arc<str>, wire: &Wire, place: &Place<'_>) -> Result<Vec<Effect>, Undecodable> {
    let roles = authority::passed_roles(service, &wire.fields, place);
    if roles.len() > batch::EFFECTS_MAX {
        return Err(too_many_resources());
    }
    roles.into_iter().map(|role| passed_role(service, role)).collect()
}

fn passed_role(service: &Arc<str>, role: Resource) -> Result<Effect, Undecodable> {
    let mut parameters = Parameters::new();
    parameters.push("PassedToService", Scalar::Text(service)).map_err(|_| too_many())?;
    Ok(Effect {
        service: Arc::from("iam"),
        operation: Arc::from("PassRole"),
        iam_action: Arc::from("iam:PassRole"),
        access: Access::Execute,
        level: Level::Control,
        resources: vec![role],
        parameters,
    })
}
