//! What a method does: its effects, with what its body does beside what its name says.
//!
//! Leaves out how it was found.

use std::collections::BTreeSet;
use std::sync::Arc;

use ordain_action::{
    Access, Call, Completeness, Effect, Level, Minted, NewIdentifier, Parameters, Resource, Role, Scalar,
    Undecodable,
};

use super::body::{self, Carried};
use super::path::{Media, Route};
use super::resource::{Named, Subject, holder, whole};
use super::{authority, refer, warehouse};
use crate::form::Fields;
use crate::form::query::Pair;
use crate::rest::{Names, Whole};

/// What hands out a token of a service account that is sent as it is.
pub(super) const ACCESS_TOKEN: &str = "iamcredentials.projects.serviceAccounts.generateAccessToken";

/// Members of bodies that hold secrets, beside those that look like it.
pub(super) const SECRETS: [&str; 18] = [
    "accessToken",
    "authString",
    "clientKey",
    "copySourceEncryptionKeyBytes",
    "encryptionKeyBytes",
    "hmacKey",
    "idToken",
    "keyMaterial",
    "keyString",
    "pfxData",
    "plaintext",
    "privateKeyData",
    "rawKey",
    "refreshToken",
    "rsaEncryptedKey",
    "sharedSecret",
    "subjectToken",
    "upload_id",
];

/// The most effects that one request may have.
const EFFECTS_MAX: usize = 4_096;

/// The most that the effects of one request name together.
const TOUCHED_MAX: usize = 16 * 1_024;

/// What a request to a method does.
///
/// # Errors
/// Its body cannot be read.
pub(super) fn call(route: &Route, place: Option<&str>, whole: &Whole<'_>) -> Result<Call, Undecodable> {
    made(route, place, whole, body::read(route, whole)?)
}

/// What a request to a method does that carries this.
///
/// # Errors
/// It names two things where one is meant, or too much.
pub(super) fn made(
    route: &Route,
    place: Option<&str>,
    whole: &Whole<'_>,
    carried: Carried<'_>,
) -> Result<Call, Undecodable> {
    let Carried { body, form } = carried;
    let names = whole.names();
    let subject = Subject::of(route, place);
    let method = route.method;
    if method.access.is_change() && body.as_ref().is_some_and(Fields::overflowed) {
        return Err(Undecodable::new(
            "too_many_parameters",
            "there are too many parameters; send less at a time",
        ));
    }
    let mut query = whole.line.query.clone();
    query.extend(form);
    same_name(route, &subject, body.as_ref(), &query)?;
    let parameters = parameters(route, whole, body.as_ref(), &query);
    let named = subject.named(route, names, &query, body.as_ref());
    let unnamed = named.unnamed && route.media != Media::Continue;
    let made = named.is_new;
    let resources = resources(route, &subject, named, (&query, body.as_ref()), names);

    let mut accesses = BTreeSet::from([method.access]);
    if method.access.is_change() {
        accesses.extend(authority::beside(route, body.as_ref(), &query));
        // What makes or takes away does that too, whatever else it does.
        if made && route.media != Media::Continue {
            accesses.insert(Access::Create);
        }
        if method.http == "DELETE" {
            accesses.insert(Access::Delete);
        }
        if accesses.len() > 1 && !authority::is_sql(route) {
            accesses.remove(&Access::Update);
        }
    }
    // Each of them names all that is touched.
    check(accesses.len(), resources.len() * accesses.len())?;
    let effect = |access| Effect {
        service: Arc::from(route.service()),
        operation: Arc::from(route.operation()),
        iam_action: Arc::from(&*method.id),
        access,
        level: if matches!(access, Access::Grant | Access::Expose) { Level::Control } else { method.level },
        resources: resources.clone(),
        parameters: parameters.clone(),
    };
    let mut effects: Vec<Effect> = accesses.into_iter().map(effect).collect();
    if method.access.is_change() {
        effects.extend(acting(route, &subject, &query, body.as_ref())?);
    }
    check(effects.len(), touched(&effects))?;
    let mut call = names.call(effects);
    call.region = Arc::from(subject.region().or_else(|| place.map(str::to_owned)).unwrap_or_default());
    if method.mints {
        let can = *method.id == *ACCESS_TOKEN;
        call.answer.mints = Some(if can { Minted::Bearer } else { Minted::Unrewritable });
    }
    if unnamed && made && !authority::is_sql(route) {
        let kind = resources.iter().find(|one| one.role == Role::Target).map(|one| Arc::clone(&one.kind));
        call.answer.creates.extend(kind.map(|kind| NewIdentifier {
            kind,
            member: Arc::from("name"),
            path: vec![Arc::from("name")],
        }));
    }
    Ok(call)
}

/// Refuses what does or names more than is judged at once.
pub(super) fn check(effects: usize, touched: usize) -> Result<(), Undecodable> {
    if effects > EFFECTS_MAX {
        return Err(Undecodable::new(
            "batch_too_large",
            "the request does too much at once; send less at a time",
        ));
    }
    if touched > TOUCHED_MAX {
        return Err(Undecodable::new(
            "too_many_resources",
            format!("the request names more than {TOUCHED_MAX} resources at once; name fewer"),
        ));
    }
    Ok(())
}

/// How many resources effects name together.
pub(super) fn touched(effects: &[Effect]) -> usize {
    effects.iter().map(|effect| effect.resources.len()).sum()
}

/// Refuses what is called one thing in the query and another in the body.
fn same_name(
    route: &Route,
    subject: &Subject,
    body: Option<&Fields>,
    query: &[Pair<'_>],
) -> Result<(), Undecodable> {
    let Some(body) = body else { return Ok(()) };
    let asked = query.iter().find(|pair| pair.name == "name").filter(|_| route.method.upload);
    let upload = asked.is_some_and(|pair| body.text("name").is_some_and(|said| pair.value != said));
    if upload || subject.named_twice(query, body) {
        return Err(Undecodable::new(
            "two_names",
            "the query and the body call what is made two things; name it once",
        ));
    }
    Ok(())
}

fn resources(
    route: &Route,
    subject: &Subject,
    named: Named,
    (query, body): (&[Pair<'_>], Option<&Fields>),
    names: Names<'_>,
) -> Vec<Resource> {
    let mut resources = Vec::new();
    let service = route.service();
    if route.media == Media::Continue {
        // What it is called was said when it began.
        resources.push(subject.all(Role::Target));
    } else if authority::is_sql(route) && subject.holder().is_some() {
        resources.push(subject.whole_of_service(Role::Target));
    } else {
        resources.extend(named.target);
        resources.extend(named.parent);
        resources.extend(named.uses);
    }
    let host = route.site.names();
    let stored = body.map(|body| warehouse::named(route, subject.holder(), body)).unwrap_or_default();
    if stored.anywhere {
        resources.push(whole(Role::Target, names));
    }
    let by_body = stored.resources;
    let mut uses = refer::uses((service, host), subject.holder(), query, body);
    // Where the path names nothing, what is named elsewhere is what it is about.
    if subject.names_nothing() && !named.is_new && !uses.is_empty() {
        resources.clear();
        for used in &mut uses {
            used.role = Role::Target;
        }
    }
    let project = query.iter().find(|pair| pair.name == "project" && service == "storage");
    let project = project.map(|pair| holder(Role::Parent, "projects", &pair.value));
    uses.extend(project.filter(|project| uses.iter().all(|used| used.name != project.name)));
    // What is read by its name in the query or the body is read as what the path names is.
    if !route.method.access.is_change() {
        for used in &mut uses {
            used.role = Role::Target;
        }
    }
    // What the path names are few, and of the others each is there once already.
    let by_path = resources.len();
    for used in by_body.into_iter().chain(uses) {
        if resources.iter().take(by_path).all(|known| known.name != used.name) {
            resources.push(used);
        }
    }
    if resources.is_empty() {
        resources.push(whole(Role::Target, names));
    }
    resources
}

fn parameters(route: &Route, whole: &Whole<'_>, body: Option<&Fields>, query: &[Pair<'_>]) -> Parameters {
    let mut secrets = SECRETS.to_vec();
    if route.service() == "secretmanager" || route.service() == "parametermanager" {
        secrets.push("data");
    }
    let mut parameters = whole.parameters(body, &secrets);
    let sent = whole.line.query.len();
    let too_many = Completeness::Partial("there are more parameters than are kept");
    for pair in query.iter().skip(sent) {
        if parameters.push(&format!("?{}", pair.name), Scalar::Text(&pair.value)).is_err() {
            parameters.incomplete(too_many);
        }
    }
    // Who pays, and whose limits count.
    if let Some(project) = whole.line.head.header("x-goog-user-project")
        && parameters.push("x-goog-user-project", Scalar::Text(project)).is_err()
    {
        parameters.incomplete(too_many);
    }
    if route.media == Media::Continue {
        parameters.incomplete(Completeness::Partial("what is uploaded was described when the upload began"));
    }
    if matches!(route.service(), "config" | "deploymentmanager") && route.method.access.is_change() {
        parameters.incomplete(Completeness::Partial("what the template makes is not read"));
    }
    parameters
}

/// What is made to run as a service account has the authority of that account.
fn acting(
    route: &Route,
    subject: &Subject,
    query: &[Pair<'_>],
    body: Option<&Fields>,
) -> Result<Vec<Effect>, Undecodable> {
    if matches!(route.service(), "iam" | "iamcredentials") || route.word() == "setIamPolicy" {
        return Ok(Vec::new());
    }
    let mut effects = Vec::new();
    for account in refer::accounts(route.word(), subject.holder(), query, body) {
        let mut parameters = Parameters::new();
        parameters.push("PassedToService", Scalar::Text(route.service())).map_err(|_| {
            Undecodable::new("too_many_parameters", "there are too many parameters; send less at a time")
        })?;
        effects.push(Effect {
            service: Arc::from("iam"),
            operation: Arc::from("serviceAccounts.actAs"),
            iam_action: Arc::from("iam.serviceAccounts.actAs"),
            access: Access::Execute,
            level: Level::Control,
            resources: vec![account],
            parameters,
        });
    }
    Ok(effects)
}
