//! The effects of a request that is known.
//!
//! Leaves out which paths there are (`route.rs`) and what members mean (`member.rs`).

use std::collections::BTreeSet;
use std::sync::Arc;

use ordain_action::{
    Access, Call, Completeness, Effect, Identifier, Minted, NewIdentifier, OwnToken, Parameters, Resource,
    Role, Scalar, Undecodable,
};

use super::body::{self, Said};
use super::kind::{self, Thing};
use super::member::{self, For};
use super::route::{self, Flag, Found, Operation, Part};
use super::service::Service;
use super::{Asked, SUBJECT, What, header};
use crate::form::Fields;
use crate::form::fields::clip;
use crate::rest::{Names, Whole, effect, is_secret};

/// The most that one request makes.
const ITEMS_MAX: usize = 1_000;

/// What a request does.
///
/// # Errors
/// It cannot be said exactly.
pub(super) fn call(asked: &Asked, whole: &Whole<'_>) -> Result<Call, Undecodable> {
    let found = match &asked.what {
        What::Known(found) => found,
        What::Unread(why) => return Err(why.clone()),
        What::Versions => {
            let parameters = parameters(whole, asked.service)?;
            let target = whole.names().whole(Role::Target);
            let said = (asked.name(), "versions:list");
            return Ok(whole.names().call(vec![effect(said, Access::Read, vec![target], parameters)]));
        }
    };
    let is_patch =
        found.method == "PATCH" && matches!(found.route.service, Service::Image | Service::Baremetal);
    let unread = found.operation().is_some_and(|one| one.has(&Flag::Raw) || one.has(&Flag::Stream));
    let fields = if unread { None } else { Said::fields(whole, found.route.service, is_patch)? };
    let said = match &fields {
        Some(fields) if is_patch => Said::patch(fields)?,
        Some(fields) => Said::object(fields),
        None => Said::default(),
    };
    let operation = choose(found, fields.as_ref(), &said)?;
    let request = Request { whole, found, operation, path: shape(found) };
    let items = if operation.has(&Flag::Bulk) { request.items(&said)? } else { vec![said] };
    let mut effects = Vec::new();
    for item in &items {
        effects.extend(request.effects(item)?);
    }
    let is_made = effects.iter().any(|effect| effect.access == Access::Create);
    let mut call = whole.names().call(effects);
    if operation.has(&Flag::Mints) && !is_passcode(&request, &items) {
        let can = operation.has(&Flag::Token);
        call.answer.mints = Some(if can { Minted::Bearer } else { Minted::Unrewritable });
    }
    if operation.has(&Flag::Subject) {
        let ends = found.method == "DELETE";
        call.answer.own = Some(if ends { OwnToken::Ended } else { OwnToken::Shown });
    }
    call.answer.creates.extend(request.creates(&items).filter(|_| is_made));
    Ok(call)
}

/// What is asked for: the method's own, or the action that a body names.
fn choose<'f>(
    found: &'f Found,
    fields: Option<&Fields>,
    said: &Said<'_>,
) -> Result<&'f Operation, Undecodable> {
    let is_action = found.method == "POST" && found.route.has_actions();
    if !is_action {
        return found
            .operation()
            .ok_or_else(|| Undecodable::new("unknown_operation", "there is none such; ask for another"));
    }
    fields.ok_or_else(body::missing)?;
    let keys = said.keys();
    let [name] = keys.as_slice() else {
        return Err(Undecodable::new(
            "not_one_action",
            "the body has to name one action, by its one member; send each in a request of its own",
        ));
    };
    found.route.action(name).ok_or_else(|| {
        Undecodable::new(
            "unknown_action",
            format!("`{}` is no action that is known here; ask for another", clip(name)),
        )
    })
}

/// A path with `{}` for each id in it.
fn shape(found: &Found) -> String {
    let part = |part: &Part| match part {
        Part::Word(word) => *word,
        Part::Id(_) | Part::Name(_) | Part::IdOrName(_) => "{}",
    };
    found.route.parts.iter().map(part).collect::<Vec<_>>().join("/")
}

/// A one-time password is no credential that the plane hands out.
fn is_passcode(request: &Request<'_>, items: &[Said<'_>]) -> bool {
    request.path.starts_with("credentials") && items.iter().any(|said| said.text("type", 2) == Some("totp"))
}

/// The parameters in headers and in the query.
fn parameters(whole: &Whole<'_>, service: Option<Service>) -> Result<Parameters, Undecodable> {
    let mut parameters = Parameters::new();
    let too_many = || Undecodable::new("too_many_parameters", "there are too many parameters; send fewer");
    for (name, value) in
        service.map(|service| header::parameters(whole.line, service)).transpose()?.into_iter().flatten()
    {
        parameters.push(name, Scalar::Text(value)).map_err(|_| too_many())?;
    }
    if let Some(subject) = whole.line.head.header(SUBJECT) {
        let mut token = String::new();
        let value = whole.tokens.cover(Scalar::Text(subject), || true, &mut token);
        parameters.push(SUBJECT, value).map_err(|_| too_many())?;
    }
    for pair in &whole.line.query {
        let path = format!("?{}", pair.name);
        let mut token = String::new();
        let value =
            whole.tokens.cover(Scalar::Text(&pair.value), || is_secret(&path, &["token"]), &mut token);
        parameters.push(&path, value).map_err(|_| too_many())?;
    }
    Ok(parameters)
}

/// A request with all that is known of it.
struct Request<'r> {
    whole: &'r Whole<'r>,
    found: &'r Found,
    operation: &'r Operation,
    path: String,
}

impl Request<'_> {
    fn names(&self) -> Names<'_> {
        self.whole.names()
    }

    fn asked(&self) -> For<'_> {
        let word = match self.found.route.parts.first() {
            Some(Part::Word(word)) => word,
            Some(Part::Id(_) | Part::Name(_) | Part::IdOrName(_)) | None => "",
        };
        For { service: self.found.route.service, word, path: &self.path, operation: self.operation }
    }

    /// What one body has several of, each for itself.
    fn items<'f>(&self, said: &Said<'f>) -> Result<Vec<Said<'f>>, Undecodable> {
        let keys = said.keys();
        let [_only] = keys.as_slice() else {
            return Err(body::bad("has to have one member, which says what it makes"));
        };
        let items = said.items().unwrap_or_else(|| vec![said.clone()]);
        if items.len() > ITEMS_MAX {
            return Err(Undecodable::new(
                "unread_batch",
                "the list is longer than what is read; send less at once",
            ));
        }
        Ok(items)
    }

    /// The operation, as the plane's people would say it: the words of its path and what is done.
    fn name(&self) -> String {
        let words: Vec<&str> = self
            .found
            .route
            .parts
            .iter()
            .filter_map(|part| match part {
                Part::Word(word) => Some(*word),
                Part::Id(_) | Part::Name(_) | Part::IdOrName(_) => None,
            })
            .filter(|word| *word != self.operation.verb && !(self.operation.is_action && *word == "action"))
            // More of what a list has, and no other list.
            .filter(|word| *word != "detail" && *word != "actions")
            .collect();
        if words.is_empty() {
            return self.operation.verb.to_owned();
        }
        format!("{}:{}", words.join("/"), self.operation.verb)
    }

    /// The effects of one body, or of one item of it.
    fn effects(&self, said: &Said<'_>) -> Result<Vec<Effect>, Undecodable> {
        let names = self.names();
        let asked = self.asked();
        let mut accesses: BTreeSet<Access> = self.operation.accesses.iter().copied().collect();
        let states = ["nodes/{}/states/power", "nodes/{}/states/provision"];
        if self.found.method == "PUT" && states.contains(&self.path.as_str()) {
            let set = member::state(&self.path, said).ok_or_else(|| {
                Undecodable::new(
                    "unknown_state",
                    "the body names no state that is known here as its `target`; name one that is",
                )
            })?;
            accesses = set.into_iter().collect();
        }
        if self.operation.has(&Flag::Dry) && self.is_dry() {
            accesses = BTreeSet::from([Access::Read]);
        }
        if self.operation.verb == "restore"
            && said.text("volume_id", 2).is_none()
            && !self.operation.is_action
        {
            // Not over a volume that is there: to a new one.
            accesses = BTreeSet::from([Access::Create]);
        }
        if self.operation.has(&Flag::Call) && self.whole.line.query("method").is_none_or(str::is_empty) {
            return Err(Undecodable::new(
                "no_method",
                "a driver's own method has to be named by the parameter `method`; name it there",
            ));
        }
        let mut resources = self.resources(&accesses);
        if !self.operation.reads() {
            accesses.extend(member::accesses(asked, said));
            self.add(&mut resources, member::resources(names, asked, said));
        }
        if self.found.method == "DELETE"
            && self.path == "volumes/{}"
            && self.whole.line.query("cascade").is_some()
        {
            resources.push(names.all(
                Role::Target,
                "block-storage/snapshots",
                &["block-storage", "snapshots"],
            ));
        }
        let creates = accesses.contains(&Access::Create);
        let mut parameters = parameters(self.whole, Some(self.found.route.service))?;
        said.put(self.whole, &mut parameters)?;
        if self.operation.has(&Flag::Raw) || self.operation.has(&Flag::Stream) {
            parameters.incomplete(Completeness::Opaque("the body is of a form that is not read"));
        }
        if creates {
            self.called(&mut resources, said);
        }
        if resources.iter().all(|resource| resource.role == Role::Uses) {
            resources.push(names.whole(if creates { Role::Parent } else { Role::Target }));
        }
        if creates && !resources.iter().any(|resource| resource.role == Role::Parent) {
            resources.push(names.whole(Role::Parent));
        }
        let name = self.name();
        let said = (self.found.route.service.as_str(), name.as_str());
        let mut effects: Vec<Effect> = accesses
            .into_iter()
            .map(|access| effect(said, access, resources.clone(), parameters.clone()))
            .collect();
        if self.operation.is_action && self.operation.verb == "createBackup" {
            // The oldest backups go where there are more than the rotation says, which ones nobody says.
            for rotated in effects.iter_mut().filter(|effect| effect.access == Access::Delete) {
                rotated.resources = vec![names.all(Role::Target, "image/images", &["image", "images"])];
            }
        }
        Ok(effects)
    }

    /// Only where it says so and nothing else, nothing is made.
    fn is_dry(&self) -> bool {
        let mut fields = self.whole.line.query.iter().filter(|pair| pair.name == "fields");
        fields.next().is_some_and(|pair| pair.value == "dry-run") && fields.next().is_none()
    }

    /// What the path names, in the parts that it plays.
    fn resources(&self, accesses: &BTreeSet<Access>) -> Vec<Resource> {
        let names = self.names();
        let (things, collection) = kind::things(self.found);
        let role = Role::Target;
        let parts: Vec<&str> = collection.iter().map(String::as_str).collect();
        let kind = kind::kind_of(&collection);
        let creates = accesses.contains(&Access::Create);
        let removes = accesses.contains(&Access::Delete) && self.found.method == "DELETE";
        let mut found = Vec::new();
        let of_project = things.first().filter(|thing| ["quota", "topology"].contains(&thing.word));
        if let Some(thing) = of_project.filter(|_| !self.operation.reads()) {
            let project = ["identity", "projects", &thing.value];
            found.push(names.one(Role::Parent, "identity/projects", &project));
        }
        if self.operation.has(&Flag::Whole) {
            found.push(names.whole(role));
            found.extend(things.iter().map(|thing| thing.resource(names, Role::Uses)));
        } else if self.operation.has(&Flag::All) {
            match parts.split_last() {
                Some((_, above)) if !self.path.contains("{}") && above.len() > 1 => {
                    found.push(names.all(role, &above.join("/"), above));
                }
                _ if parts.is_empty() => found.push(names.whole(role)),
                _ => found.push(names.all(role, &kind, &parts)),
            }
        } else if self.operation.has(&Flag::In) {
            found.extend(self.inside(&things));
        } else if !collection.is_empty() && creates {
            let new = made(self.operation).unwrap_or(&kind);
            found.push(names.unnamed(new, None));
            found.extend(things.last().map(|thing| thing.resource(names, Role::Parent)));
        } else if removes && !collection.is_empty() {
            found.push(names.all(role, &kind, &parts));
            found.extend(things.last().map(|thing| thing.resource(names, Role::Parent)));
        } else if let (false, Some(holder)) = (self.operation.reads() && self.lists(), things.last()) {
            found.push(holder.resource(names, role));
            let above = things.len().checked_sub(2).and_then(|at| things.get(at));
            let above = above.filter(|_| collection.is_empty() && !self.operation.reads());
            found.extend(above.map(|thing| thing.resource(names, Role::Parent)));
        } else if !collection.is_empty() {
            found.push(names.all(role, &kind, &parts));
        }
        if let Some(project) = self.found.project.as_deref().filter(|_| creates && things.is_empty()) {
            found.push(names.one(Role::Parent, "identity/projects", &["identity", "projects", project]));
        }
        found
    }

    /// It is asked for what a collection holds.
    fn lists(&self) -> bool {
        self.operation.verb == "list" && matches!(self.found.route.parts.last(), Some(Part::Word(_)))
    }

    /// What the first id names, and what the others do there.
    fn inside(&self, things: &[Thing]) -> Vec<Resource> {
        let names = self.names();
        let Some((first, others)) = things.split_first() else { return Vec::new() };
        let mut target = first.resource(names, Role::Target);
        let (known, called): (Vec<&Thing>, Vec<&Thing>) = others.iter().partition(|thing| thing.is_known);
        let called = called
            .into_iter()
            .map(|thing| Identifier { name: Arc::from(thing.word), value: thing.value.clone() });
        target.identifiers.extend(called);
        // What is put somewhere or taken from there is changed too.
        let moved = |thing: &Thing| ["network", "port", "router", "volume"].contains(&thing.word);
        let role = |thing: &Thing| {
            let is_changed = moved(thing) && !self.operation.reads();
            if is_changed { Role::Target } else { Role::Uses }
        };
        let others = known.into_iter().map(|thing| thing.resource(names, role(thing)));
        std::iter::once(target).chain(others).collect()
    }

    /// Puts what a body names beside what the path does.
    fn add(&self, resources: &mut Vec<Resource>, named: Vec<Resource>) {
        let held = named.iter().any(|one| one.role == Role::Target);
        // Where a body says what is changed, the collection of it is no more than its place.
        if held && !self.path.contains("{}") && !self.operation.accesses.contains(&Access::Create) {
            resources.retain(|resource| resource.role != Role::Target);
        }
        let known = resources.len();
        for one in named {
            let is_same = |known: &Resource| known.name == one.name && !known.name.is_empty() && !one.pattern;
            if !resources.iter().take(known).any(is_same) {
                resources.push(one);
            }
        }
    }

    /// What something new calls itself.
    fn called(&self, resources: &mut [Resource], said: &Said<'_>) {
        let name = ["name", "display_name", "namespace", "id"]
            .iter()
            .find_map(|member| said.text(member, 3).map(|text| (*member, text)));
        let new = resources.iter_mut().find(|resource| resource.name.is_empty());
        if let (Some(new), Some((member, text))) = (new, name) {
            new.identifiers.push(Identifier { name: Arc::from(member), value: text.to_owned() });
        }
    }

    /// Where the answer has the identifiers of what is made.
    fn creates(&self, items: &[Said<'_>]) -> Option<NewIdentifier> {
        let (_, collection) = kind::things(self.found);
        if collection.is_empty() {
            return None;
        }
        let kind = made(self.operation).map_or_else(|| kind::kind_of(&collection), str::to_owned);
        let key = self.operation.key();
        let path: Vec<Arc<str>> = match (self.found.route.service, self.operation.verb) {
            (_, "createImage" | "createBackup") => vec![Arc::from("image_id")],
            (_, verb @ "os-volume_upload_image") => vec![Arc::from(verb), Arc::from("image_id")],
            (Service::Image | Service::Baremetal, _) => vec![Arc::from(key)],
            (_, verb @ "restore") => vec![Arc::from(verb), Arc::from("volume_id")],
            _ => {
                let wrapper = items.first().and_then(Said::wrapper).map(Arc::from);
                wrapper.into_iter().chain([Arc::from(key)]).collect()
            }
        };
        let member = path.last().cloned().unwrap_or_else(|| Arc::from(key));
        Some(NewIdentifier { kind: Arc::from(format!("openstack:{kind}")), member, path })
    }
}

/// What an action makes, which is of another kind than what it is done to.
fn made(operation: &Operation) -> Option<&'static str> {
    match operation.verb {
        "createImage" | "createBackup" | "os-volume_upload_image" => Some("image/images"),
        "create-from-src" => Some("block-storage/groups"),
        "create_from_src" => Some("block-storage/consistencygroups"),
        "restore" => Some("block-storage/volumes"),
        "import_record" => Some("block-storage/backups"),
        _ => None,
    }
}

/// Whether every place of a path holds what may stand there.
///
/// # Errors
/// One does not.
pub(super) fn check(found: &Found) -> Result<(), Undecodable> {
    let places = found.route.parts.iter().filter(|part| !matches!(part, Part::Word(_)));
    places.zip(&found.values).try_for_each(|(part, value)| route::check(*part, value))
}
