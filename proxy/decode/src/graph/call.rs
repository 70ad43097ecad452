//! The effects of one request: what it does, to what, and what its answer has.
//!
//! Leaves out requests in requests (`batch.rs`).

use std::collections::BTreeSet;
use std::sync::Arc;

use ordain_action::{
    Access, Call, Completeness, Effect, Minted, NewIdentifier, Parameters, Resource, Role, Scalar,
    Undecodable,
};
use ordain_catalog::GraphSort;

use super::name::{self, Name};
use super::path::{One, Step, Verb, Way};
use super::{bad, body, class};
use crate::form::Fields;
use crate::form::fields::clip;
use crate::rest::{Line, Names, Whole, effect};

/// The media types of bodies that are read.
pub(super) const JSON: [&str; 1] = ["application/json"];

/// Where a mail may be given as a text.
const MAILING: [&str; 8] = [
    "createforward",
    "createreply",
    "createreplyall",
    "forward",
    "messages",
    "reply",
    "replyall",
    "sendmail",
];

/// What a request has as its body.
pub(super) enum Body {
    Json(Fields),
    /// Something that has no members.
    Other(&'static str),
}

/// What one request does.
#[derive(Debug)]
pub(super) struct Done {
    pub effects: Vec<Effect>,
    pub mints: bool,
    pub creates: Option<String>,
}

/// Reads one request.
///
/// # Errors
/// Its body cannot be read, or names what is not known.
pub(super) fn call(one: &One, whole: &Whole<'_>) -> Result<Call, Undecodable> {
    let body = body_of(one, whole)?;
    let done = done(one, whole, &body)?;
    let mut call = whole.names().call(done.effects);
    if done.mints {
        call.answer.mints = Some(Minted::Unrewritable);
    }
    if let Some(kind) = done.creates {
        call.answer.creates.push(NewIdentifier {
            kind: Arc::from(format!("graph:{kind}")),
            member: Arc::from("id"),
            path: vec![Arc::from("id")],
        });
    }
    Ok(call)
}

/// The body, where there is one.
fn body_of(one: &One, whole: &Whole<'_>) -> Result<Body, Undecodable> {
    if one.streams() {
        return Ok(Body::Other("the body is a file"));
    }
    if whole.body.is_empty() {
        return Ok(Body::Json(Fields::new()));
    }
    let media = whole.media_type()?;
    if one.takes(&media) {
        return Ok(Body::Other("the body is a text or a file"));
    }
    Ok(Body::Json(whole.json_of(&JSON)?.unwrap_or_default()))
}

impl One {
    /// Its body is a file, which is not held.
    pub(super) fn streams(&self) -> bool {
        self.verb == Verb::Put && self.way.place.stream
    }

    /// Whether a body of another media type than JSON is taken: of a mail as it goes over the wire, and of a page of notes.
    pub(super) fn takes(&self, media: &str) -> bool {
        let words = self.way.words();
        let last = words.last().map_or("", String::as_str);
        let page = last == "pages" && words.iter().any(|word| word == "onenote");
        let mail = words.first().is_some_and(|first| first == "users") && MAILING.contains(&last);
        self.verb == Verb::Post
            && match media {
                "text/plain" => mail,
                "text/html" | "application/xhtml+xml" | "multipart/form-data" => page,
                _ => false,
            }
    }
}

/// What one request does, with its body in hand.
///
/// # Errors
/// As [`call`].
pub(super) fn done(one: &One, whole: &Whole<'_>, body: &Body) -> Result<Done, Undecodable> {
    let changes_own = one.way.own && one.verb != Verb::Get;
    let (names, line) = (whole.names(), whole.line);
    one_spelling(line)?;
    let mut class = class::of(one, &line.query);
    if changes_own && !class.accesses.contains(&Access::Read) {
        return Err(Undecodable::new(
            "own_account",
            "`me` is whoever the gate's own credential is; name the user by its id",
        ));
    }
    let none = Fields::new();
    let fields = match body {
        Body::Json(fields) => fields,
        Body::Other(_) => &none,
    };
    if fields.overflowed() {
        return Err(Undecodable::new(
            "too_many_parameters",
            "there are more parameters than are judged; send fewer",
        ));
    }
    fields.refuse_keys_that_differ_in_case()?;
    let mut parameters = whole.parameters(Some(fields), &body::SECRETS);
    if let Body::Other(why) = body {
        parameters.incomplete(Completeness::Opaque(why));
    }
    let beside = body::read(one, fields, &line.query, names, &mut class)?;
    if one.verb == Verb::Patch && prefers(line, "create-if-missing") {
        class.accesses.insert(Access::Create);
    }
    // Whoever looks at a link so may open what it leads to from then on.
    if prefers(line, "redeemsharinglink") {
        class.accesses.insert(Access::Grant);
    }
    let (mut resources, creates) = touched(one, fields, names, &class.accesses);
    for more in beside {
        if !resources.iter().any(|known| known.name == more.name && known.role == more.role) {
            resources.push(more);
        }
    }
    let effects = class.accesses.iter().map(|access| {
        let mut effect = effects_of(one, *access, resources.clone(), parameters.clone());
        effect.level = class.level(*access);
        effect
    });
    Ok(Done { effects: effects.collect(), mints: class.mints, creates })
}

/// Whether a request asks to be answered in a way, by a word in lower case.
fn prefers(line: &Line<'_>, way: &str) -> bool {
    let is_it = |word: &str| word.split('=').next().is_some_and(|word| word.trim().eq_ignore_ascii_case(way));
    line.head
        .headers
        .get_all("prefer")
        .iter()
        .any(|value| String::from_utf8_lossy(value.as_bytes()).split([',', ';']).any(is_it))
}

fn effects_of(one: &One, access: Access, resources: Vec<Resource>, parameters: Parameters) -> Effect {
    let operation = operation(one);
    let mut effect = effect((one.way.service(), &operation), access, resources, parameters);
    effect.iam_action = Arc::from(operation.as_str());
    effect
}

/// The words of the path, and what is done there where they do not say it.
fn operation(one: &One) -> String {
    let words = one.way.steps.iter().filter_map(|step| match step {
        Step::Word(word) | Step::Call(word, _) => Some(*word),
        Step::Id(_) | Step::Other(_) => None,
    });
    let mut operation = words.collect::<Vec<_>>().join("/");
    if matches!(one.way.place.sort, GraphSort::Action | GraphSort::Function) {
        return operation;
    }
    operation.push_str(match one.verb {
        Verb::Get if one.way.is_many() => "/list",
        Verb::Get => "/get",
        Verb::Post => "/create",
        Verb::Patch => "/update",
        Verb::Put => "/put",
        Verb::Delete => "/delete",
    });
    operation
}

/// A parameter of a query means the same with and without its `$`, and in any case: given twice it is not read.
fn one_spelling(line: &Line<'_>) -> Result<(), Undecodable> {
    let mut names: Vec<String> =
        line.query.iter().map(|pair| pair.name.trim_start_matches('$').to_ascii_lowercase()).collect();
    names.sort_unstable();
    match names.iter().zip(names.iter().skip(1)).find(|(one, next)| one == next) {
        Some((name, _)) => Err(Undecodable::new(
            "duplicate_parameter",
            format!("`{}` is given twice, and which one counts is not known; give it once", clip(name)),
        )),
        None => Ok(()),
    }
}

/// What a request touches, and the type of what it makes.
fn touched(
    one: &One,
    fields: &Fields,
    names: Names<'_>,
    accesses: &BTreeSet<Access>,
) -> (Vec<Resource>, Option<String>) {
    let way = &one.way;
    let changes = *accesses != BTreeSet::from([Access::Read]);
    let last = way.steps.last();
    if matches!(last, Some(Step::Word("$ref"))) && one.verb != Verb::Get {
        return (bound(way, names), None);
    }
    if matches!(way.place.sort, GraphSort::Action | GraphSort::Function) {
        return acted(way, names, changes);
    }
    if one.verb == Verb::Post {
        let new = name::of(way, changes);
        let called =
            ["displayName", "userPrincipalName", "name", "subject", "mailNickname", "appId", "principalId"];
        let called = called.iter().find_map(|name| match fields.get(name) {
            Some(Scalar::Text(text)) if !text.is_empty() => Some((*name, text)),
            Some(_) | None => None,
        });
        // Where nobody knows where that is, it is still known what is made.
        let kind = match last {
            Some(Step::Word(word)) => (*word).to_owned(),
            Some(Step::Id(_) | Step::Other(_) | Step::Call(..)) | None => new.kind.clone(),
        };
        let parent = if new.loose { new } else { name::of(&name::without(way, 1), changes) };
        return (vec![names.unnamed(&kind, called), parent.one(names, Role::Parent)], Some(kind));
    }
    // A file or a picture is of what it stands behind; so are a count and a value.
    let media = matches!(last, Some(Step::Word("content" | "$value" | "$count" | "$ref")));
    let shorter = name::without(way, usize::from(media));
    let named = name::of(&shorter, changes);
    let many = way.is_many()
        || matches!(last, Some(Step::Word("$count" | "$ref")))
            && !matches!(shorter.steps.last(), Some(Step::Id(_)));
    (
        vec![if many && !named.loose {
            named.all(names, Role::Target)
        } else {
            named.one(names, Role::Target)
        }],
        None,
    )
}

/// What a reference is put to or taken from, and what it leads to where the path says that.
fn bound(way: &Way, names: Names<'_>) -> Vec<Resource> {
    let id = match way.steps.iter().rev().nth(1) {
        Some(Step::Id(id)) => Some(id),
        Some(Step::Word(_) | Step::Other(_) | Step::Call(..)) | None => None,
    };
    let holder = name::of(&name::without(way, if id.is_some() { 3 } else { 2 }), true);
    let mut all = vec![holder.one(names, Role::Target)];
    if let Some(id) = id {
        all.push(Name::of_object(id).one(names, Role::Target));
    }
    all
}

/// What an action is done to, or a function asked of.
fn acted(way: &Way, names: Names<'_>, changes: bool) -> (Vec<Resource>, Option<String>) {
    let holder = name::without(way, 1);
    let named = name::of(&holder, changes);
    // It is called on all of a list, or on something that has no id of its own.
    let many = way.is_in_many() && matches!(holder.steps.last(), Some(Step::Word(_)));
    let mut all = vec![if many && !named.loose {
        named.all(names, Role::Target)
    } else {
        named.one(names, Role::Target)
    }];
    let last = match way.steps.last() {
        Some(Step::Word(word)) => *word,
        Some(Step::Id(_) | Step::Other(_) | Step::Call(..)) | None => "",
    };
    if last == "instantiate" {
        // An application and its service principal are made, both in the tenant.
        let made = [names.unnamed("applications", None), names.unnamed("servicePrincipals", None)];
        all = made
            .into_iter()
            .chain([names.whole(Role::Parent)])
            .chain(all.into_iter().map(|template| Resource { role: Role::Uses, ..template }))
            .collect();
    }
    (all, None)
}

/// A reason why a batch's request is none.
pub(super) fn no_body() -> Undecodable {
    bad("a request has a body that its method does not take; leave it out")
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::*;
    use crate::rest::Rules;
    use crate::{Head, WayIn};

    #[test]
    fn what_is_preferred_is_found_among_other_things() {
        let check = |value: &[u8], expected: bool| {
            let mut headers = HeaderMap::new();
            headers.append("prefer", HeaderValue::from_static("respond-async"));
            headers.append("prefer", HeaderValue::from_bytes(value).unwrap());
            let head = Head {
                method: "GET",
                target: "/v1.0/shares/u!1",
                authority: "gate.internal",
                headers: &headers,
                way_in: WayIn::Reverse,
                plane: None,
                upstream: None,
            };
            let line = Line::read(&head, &Rules::USUAL).unwrap();
            assert_eq!(prefers(&line, "redeemsharinglink"), expected);
        };
        check(b"redeemSharingLink", true);
        check(b"wait=1, RedeemSharingLink ;x=1", true);
        check(b"redeemSharingLink, x=\xff", true);
        check(b"redeemSharingLinkIfNecessary", false);
    }
}
