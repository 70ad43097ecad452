//! What a request does, as a call: what its path does there, to what, and with which secrets.
//!
//! Leaves out answers.

use ordain_action::{
    Access, Call, Completeness, Effect, Minted, OwnToken, Parameters, Resource, Role, Scalar, Undecodable,
};

use super::mount::{Mounts, Place};
use super::path::{Asked, Op};
use super::table::{self, Fit, Row};
use super::{engine, identity, system};
use crate::form::Fields;
use crate::form::fields::{clip, segments, unescape};
use crate::rest::{Names, Whole, effect};

/// Members that hold secrets, by their names in lower case, beside those that look so.
const SECRETS: [&str; 32] = [
    "access_key",
    "binary_string",
    "bindpass",
    "certificate",
    "ciphertext",
    "client_secret",
    "client_token",
    "connection_url",
    "credentials",
    "hmac_key",
    "backup",
    "input",
    "jwt",
    "key",
    "otp",
    "passcode",
    "pem_bundle",
    "pem_keys",
    "pkcs7",
    "plaintext",
    "private_key",
    "role_id",
    "secret",
    "secret_id",
    "secret_key",
    "seed",
    "service_account_json",
    "signature",
    "subject_token",
    "token",
    "token_reviewer_jwt",
    "value",
];

/// Members that name policies, which whoever gets them may do what they say.
const POLICIES: [&str; 4] = ["allowed_policies", "identity_policies", "policies", "token_policies"];

/// Reads a request.
///
/// # Errors
/// There is no such path where it would be, or its body cannot be read.
pub(super) fn call(mounts: &Mounts, asked: &Asked, whole: &Whole<'_>) -> Result<Call, Undecodable> {
    let place = mounts.find(&whole.upstream.name, &asked.namespace, &asked.path)?;
    let names = whole.names();
    let body = body(asked, &place, whole)?;
    let (service, mut effects, mints) = if asked.op == Op::Help {
        let said = (asked.service(), "help");
        let parameters = whole.parameters(None, &[]);
        let target = resource(names, Role::Target, "path", &whole_path(asked, &asked.path), false);
        (asked.service(), vec![effect(said, Access::Read, vec![target], parameters)], None)
    } else {
        let fit = find(asked, &place).ok_or_else(|| whole.line.unknown())?;
        let effects = effects(asked, &place, &fit, whole, body.as_ref())?;
        (asked.service(), effects, fit.row.mints())
    };
    if asked.wraps {
        let parameters = whole.parameters(None, &[]);
        effects.push(effect(
            (service, "wrap"),
            Access::SecretRead,
            vec![names.whole(Role::Target)],
            parameters,
        ));
    }
    let mut call = names.call(effects);
    call.answer.mints = mints;
    if place.kind == "token" && names_itself(body.as_ref()) {
        call.answer.mints = mints.map(|_| Minted::Unrewritable);
    }
    call.answer.own = own(asked, &place);
    if asked.wraps {
        // Whoever unwraps it gets what nobody has read.
        call.answer.mints = Some(Minted::Unrewritable);
        call.answer.own = None;
    }
    Ok(call)
}

/// Whether a body says what the new token will be: whoever sends it knows the real one then. The server takes the name of
/// the member in any case.
fn names_itself(body: Option<&Fields>) -> bool {
    body.is_some_and(|body| body.iter().any(|(path, _)| path.eq_ignore_ascii_case("id")))
}

/// What becomes of the token that the request is made with.
fn own(asked: &Asked, place: &Place<'_>) -> Option<OwnToken> {
    match (place.kind, asked.op, place.path.as_slice()) {
        ("token", Op::Read | Op::Write, ["lookup-self"]) => Some(OwnToken::Shown),
        ("token", Op::Write, ["renew-self"]) => Some(OwnToken::Renewed),
        ("token", Op::Write, ["revoke-self"]) => Some(OwnToken::Ended),
        _ => None,
    }
}

/// The row that says what a path does where it is.
fn find<'a>(asked: &Asked, place: &Place<'a>) -> Option<Fit<'a>> {
    let letter = asked.op.letter();
    let tables: Vec<&'static [Row]> = match place.kind {
        "sys" => vec![system::ROWS],
        "identity" => vec![identity::IDENTITY],
        "token" => vec![identity::TOKENS],
        "auth" => vec![identity::SIGNING_IN],
        other => engine::tables(other),
    };
    // All that a mount holds.
    if place.path.is_empty() && asked.op == Op::List && !matches!(place.kind, "sys" | "identity" | "auth") {
        const ALL: Row = table::named("L", "", "r", "path", "*");
        return Some(Fit { row: ALL, stars: Vec::new() });
    }
    tables.into_iter().find_map(|rows| table::find(rows, letter, &place.path))
}

/// The body, which the server takes for JSON whatever is said of it, unless it is a form.
fn body(asked: &Asked, place: &Place<'_>, whole: &Whole<'_>) -> Result<Option<Fields>, Undecodable> {
    if whole.body.is_empty() || is_snapshot(place) {
        return Ok(None);
    }
    let media = whole.media_type()?;
    // The server looks for it in the first 512 bytes alone, and takes a body whose type is a form's for one where it is not.
    let first = whole.body.first();
    let fits = match asked.op {
        Op::Patch => media == "application/merge-patch+json",
        Op::Read | Op::List | Op::Help | Op::Delete | Op::Write => true,
    };
    if first != Some(&b'{') || !fits {
        return Err(Undecodable::new(
            "unread_body",
            "the body is no object of JSON, or the request takes none such; send one, a patch as \
             `application/merge-patch+json`",
        ));
    }
    let fields = whole.json()?;
    if fields.overflowed() {
        return Err(Undecodable::new(
            "too_many_parameters",
            "there are too many parameters; send fewer at once",
        ));
    }
    fields.refuse_keys_that_differ_in_case()?;
    Ok(Some(fields))
}

fn is_snapshot(place: &Place<'_>) -> bool {
    place.kind == "sys" && matches!(place.path.as_slice(), ["storage", "raft", "snapshot" | "snapshot-force"])
}

/// A path with its namespace before it.
fn whole_path(asked: &Asked, path: &[String]) -> Vec<String> {
    asked.namespace.iter().chain(path).cloned().collect()
}

fn resource(names: Names<'_>, role: Role, kind: &str, parts: &[String], is_all: bool) -> Resource {
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    if parts.is_empty() {
        return names.whole(role);
    }
    let one = if is_all { names.all(role, kind, &parts) } else { names.one(role, kind, &parts) };
    // What something is called is its own within its mount alone.
    Resource { identifiers: Vec::new(), ..one }
}

fn effects(
    asked: &Asked,
    place: &Place<'_>,
    fit: &Fit<'_>,
    whole: &Whole<'_>,
    body: Option<&Fields>,
) -> Result<Vec<Effect>, Undecodable> {
    let names = whole.names();
    let (parts, is_all) = named(asked, place, fit, body)?;
    let mut resources = vec![resource(names, Role::Target, fit.row.kind, &parts, is_all)];
    // What is mounted goes with all that it holds.
    if asked.op == Op::Delete && matches!(fit.row.kind, "mount" | "auth-mount" | "namespace") {
        resources.push(resource(names, Role::Target, "path", &parts, true));
    }
    resources.extend(used(asked, names, fit, body));
    let operation = match fit.row.words() {
        words if words.is_empty() => asked.op.word().to_owned(),
        words => format!("{}/{words}", asked.op.word()),
    };
    let mut parameters = parameters(place, whole, body);
    if is_snapshot(place) && asked.op == Op::Write {
        parameters.incomplete(Completeness::Opaque("the snapshot is sent as it is"));
    }
    let said = (asked.service(), operation.as_str());
    let level = fit.row.level();
    let effects = fit
        .row
        .accesses()
        .into_iter()
        .map(|access| Effect { level, ..effect(said, access, resources.clone(), parameters.clone()) });
    Ok(effects.collect())
}

/// The name of what a request is done to, and whether it is all below that name.
fn named(
    asked: &Asked,
    place: &Place<'_>,
    fit: &Fit<'_>,
    body: Option<&Fields>,
) -> Result<(Vec<String>, bool), Undecodable> {
    let own = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect::<Vec<String>>();
    let mut parts = asked.namespace.clone();
    if fit.row.name.is_empty() {
        parts.extend(own(&place.mount));
        parts.extend(own(&place.path));
        return Ok((canonical(parts, asked, fit), asked.op == Op::List));
    }
    let name = match fit.row.name.strip_prefix('/') {
        // All of the cluster.
        Some("") => return Ok((Vec::new(), false)),
        Some(absolute) => absolute,
        None => {
            parts.extend(own(&place.mount));
            fit.row.name
        }
    };
    let mut stars = fit.stars.iter();
    let mut is_all = false;
    for part in name.split('/') {
        let inner = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        match (part, inner) {
            ("*" | "**", _) => match stars.next() {
                Some(star) => parts.extend(own(star)),
                None => is_all = true,
            },
            (_, Some(number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                let at = number.parse::<usize>().unwrap_or(1).saturating_sub(1);
                parts.extend(fit.stars.get(at).map(|star| own(star)).unwrap_or_default());
            }
            (_, Some(member)) => parts.extend(from_body(member, body)?),
            _ => parts.push(part.to_owned()),
        }
    }
    Ok((canonical(parts, asked, fit), is_all || asked.op == Op::List))
}

/// A path in a body, part by part.
fn from_body(member: &str, body: Option<&Fields>) -> Result<Vec<String>, Undecodable> {
    let text = body.and_then(|body| body.text(member)).unwrap_or_default();
    let bare = text.trim_matches('/');
    let parts: Vec<String> = bare.split('/').map(str::to_owned).collect();
    if parts.iter().any(|part| part.is_empty() || part.starts_with('.')) {
        return Err(Undecodable::new(
            "bad_body",
            format!("`{member}` names nothing as `{}`; say in the body what is meant", clip(text)),
        ));
    }
    Ok(parts)
}

/// Names of policies and of users are the same in any case.
fn canonical(mut parts: Vec<String>, asked: &Asked, fit: &Fit<'_>) -> Vec<String> {
    let first = match fit.row.kind {
        "policy" => parts.len().saturating_sub(1),
        // The words before it are the mount's and `users`.
        "auth-user" | "auth-group" => asked.namespace.len() + 2,
        _ => parts.len(),
    };
    for part in parts.iter_mut().skip(first) {
        *part = part.to_lowercase();
    }
    parts
}

/// Members that name who is meant or who is made part of something, what each is called in paths, and its part.
const WHO: [(&str, [&str; 2], Role); 11] = [
    ("id", ["", "id"], Role::Target),
    ("name", ["", "name"], Role::Target),
    ("entity_ids", ["entity", "id"], Role::Target),
    ("from_entity_ids", ["entity", "id"], Role::Target),
    ("to_entity_id", ["entity", "id"], Role::Target),
    ("canonical_id", ["", "id"], Role::Uses),
    ("entity_id", ["entity", "id"], Role::Uses),
    ("member_entity_ids", ["entity", "id"], Role::Uses),
    ("member_group_ids", ["group", "id"], Role::Uses),
    ("conflicting_alias_ids_to_keep", ["entity-alias", "id"], Role::Uses),
    ("alias_id", ["entity-alias", "id"], Role::Uses),
];

/// Who of the identity store a member of a body names.
fn who(asked: &Asked, names: Names<'_>, fit: &Fit<'_>, member: &str, text: &str) -> Option<Resource> {
    let own = match fit.row.kind {
        kind @ ("entity" | "group" | "entity-alias" | "group-alias") => kind,
        _ => return None,
    };
    let (_, [kind, by], role) = WHO.into_iter().find(|(name, ..)| *name == member)?;
    let kind = match (kind, member) {
        ("", "canonical_id") => own.trim_end_matches("-alias"),
        // The name of an alias is that of somebody elsewhere.
        ("", "name") if own.ends_with("-alias") => return None,
        ("", _) => own,
        (kind, _) => kind,
    };
    let parts = ["identity", kind, by, text].map(str::to_owned);
    Some(resource(names, role, kind, &whole_path(asked, &parts), false))
}

/// What a body names beside: policies that are given, and where something is moved.
fn used(asked: &Asked, names: Names<'_>, fit: &Fit<'_>, body: Option<&Fields>) -> Vec<Resource> {
    let Some(body) = body else { return Vec::new() };
    let mut all = Vec::new();
    for (path, value) in body.iter() {
        let keys: Vec<String> = segments(path).map(unescape).collect();
        let is_policy = keys.first().is_some_and(|key| POLICIES.contains(&key.to_lowercase().as_str()));
        let Scalar::Text(text) = value else { continue };
        if is_policy && !matches!(fit.row.kind, "secret" | "path") {
            for policy in text.split(',').map(str::trim).filter(|policy| !policy.is_empty()) {
                let policy = policy.to_lowercase();
                let own = ["sys", "policies", "acl", policy.as_str()].map(str::to_owned);
                all.push(resource(names, Role::Uses, "policy", &whole_path(asked, &own), false));
            }
        }
        if let Some(first) = keys.first() {
            all.extend(who(asked, names, fit, first, text));
        }
        if fit.row.path == "remount" && path == "to" {
            let to: Vec<String> = text.trim_matches('/').split('/').map(str::to_owned).collect();
            all.push(resource(names, Role::Uses, "mount", &whole_path(asked, &to), false));
        }
    }
    all.truncate(1_024);
    all
}

/// The parameters. What is kept, and what is done where nothing is known, is secret member by member.
fn parameters(place: &Place<'_>, whole: &Whole<'_>, body: Option<&Fields>) -> Parameters {
    let plain = whole.parameters(body, &SECRETS);
    let all_secret = match place.kind {
        "sys" => place.path.first() == Some(&"raw"),
        "auth" | "identity" | "pki" | "token" | "transit" => false,
        _ => true,
    };
    let mut covered = Parameters::new();
    covered.incomplete(plain.completeness());
    for leaf in plain.iter() {
        let mut token = String::new();
        let is_secret = || match leaf.path.strip_prefix('?') {
            Some(name) => is_named_secret(name),
            // What a new token is to be.
            None if place.kind == "token" && leaf.path.eq_ignore_ascii_case("id") => true,
            None => (all_secret && !leaf.path.starts_with("options.")) || is_named_secret(leaf.path),
        };
        let value = whole.tokens.cover(leaf.value, is_secret, &mut token);
        if covered.push(leaf.path, value).is_err() {
            covered.incomplete(Completeness::Partial("there are more parameters than are kept"));
        }
    }
    covered
}

/// Whether a name ends as those of secrets do, whatever stands before: `api_token`, `leader_client_key`.
fn is_named_secret(path: &str) -> bool {
    let is_place = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    let last = segments(path).filter(|part| !is_place(part)).last().unwrap_or(path).to_lowercase();
    ["_jwt", "_key", "_secret", "_token", "code", "token"].iter().any(|end| last.ends_with(end))
}
