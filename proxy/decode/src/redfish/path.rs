//! What a method and a path ask for (DSP0266 sections 6 and 7).
//!
//! Leaves out bodies. Words of the schemas are read in any case and kept in their own; identifiers are kept as they are
//! sent, but for UUIDs, which have one spelling.

use ordain_action::Undecodable;

use super::vocabulary::{self, Does};
use crate::form::fields::clip;
use crate::rest::Line;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(super) verb: Verb,
    pub(super) place: Place,
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verb {
    /// Reads, this far.
    Get(Reach),
    Create,
    Update,
    Replace,
    Delete,
    /// An action by its name.
    Act(String, Does),
    /// Software, sent as it is.
    Push,
}

/// How much one read shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// The resource.
    Own,
    /// All that a collection holds (`$expand=.`).
    Members,
    /// What it refers to itself (`$expand=.`), which may lie in another part of the tree.
    Next,
    /// Whatever it refers to, which may lie anywhere.
    All,
}

/// What it is done to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Below `/redfish/v1`; empty is the root.
    pub segments: Vec<String>,
    /// The type; of a collection, that of what it holds.
    pub kind: String,
    /// All of a type, and not one.
    pub is_collection: bool,
    /// It lies where no schema of the specification says what things are.
    pub is_oem: bool,
}

/// What is asked of the root and of collections alike, and tells nothing of one resource.
const DOCUMENTS: [&str; 4] = ["$metadata", "odata", "openapi.yaml", "openapi.json"];

/// What is called so is what a resource will be, once its machine starts again.
const PENDING: [&str; 3] = ["Pending", "SD", "Settings"];

/// Parameters of a query (section 7.3), and `page`, by which one vendor's collections go on.
const PARAMETERS: [&str; 10] = [
    "$expand",
    "$filter",
    "$select",
    "$skip",
    "$skiptoken",
    "$top",
    "excerpt",
    "includeoriginofcondition",
    "only",
    "page",
];

impl Verb {
    /// The word of its operation.
    pub(super) fn word(&self) -> &str {
        match self {
            Self::Get(_) => "get",
            Self::Create => "create",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Act(name, _) => name,
            Self::Push => "push",
        }
    }
}

impl Asked {
    /// The part of the tree, by which read scopes tell resources apart.
    pub(super) fn service(&self) -> &str {
        match (&self.verb, self.place.segments.first()) {
            // What is shown then is not of one part.
            (Verb::Get(Reach::Next | Reach::All), _) => "$expand",
            (_, Some(first)) => first,
            (_, None) => "ServiceRoot",
        }
    }

    /// The operation, in the words of the schemas.
    pub(super) fn operation(&self) -> String {
        let Place { kind, is_collection, .. } = &self.place;
        match &self.verb {
            Verb::Act(name, _) => name.clone(),
            Verb::Push => "push/UpdateService".to_owned(),
            Verb::Create => format!("create/{kind}"),
            Verb::Get(_) | Verb::Update | Verb::Replace | Verb::Delete => {
                let word = self.verb.word();
                if *is_collection { format!("{word}/{kind}Collection") } else { format!("{word}/{kind}") }
            }
        }
    }
}

impl Place {
    fn root() -> Self {
        Self { kind: "ServiceRoot".to_owned(), ..Self::default() }
    }

    /// The first part of the tree it lies in.
    pub(super) fn top(&self) -> &str {
        self.segments.first().map_or("", String::as_str)
    }

    /// Whether one of its parts is that word.
    pub(super) fn has(&self, word: &str) -> bool {
        self.segments.iter().any(|segment| segment == word)
    }
}

/// Reads the head of a request.
///
/// # Errors
/// It asks for nothing that the specification has, or for what could be two things.
pub(super) fn read(line: &Line<'_>) -> Result<Asked, Undecodable> {
    let path = line.path();
    let rest = match path.as_slice() {
        // The list of versions.
        ["redfish"] if line.is_safe() => return Ok(get(Reach::Own, Place::root())),
        ["redfish", "v1"] if line.is_safe() => &[],
        ["redfish", "v1", document] if line.is_safe() && DOCUMENTS.contains(document) => &[],
        ["redfish", "v1", rest @ ..] if !rest.is_empty() => rest,
        _ => return Err(line.unknown()),
    };
    let (place, action) = walk(rest)?;
    let reach = parameters(line, &place)?;
    match (line.method, action) {
        // What an action takes is described beside it, by a name that ends so.
        ("GET" | "HEAD", Some(name)) if name.ends_with("ActionInfo") => {
            Ok(get(reach, Place { kind: "ActionInfo".to_owned(), ..place }))
        }
        ("GET" | "HEAD", None) => Ok(get(reach, place)),
        ("POST", Some(name)) => {
            let (name, does) = known(&place, &name);
            Ok(Asked { verb: Verb::Act(name, does), place })
        }
        ("POST", None) if is_software(line) => match place.top() {
            "UpdateService" => Ok(Asked { verb: Verb::Push, place }),
            _ => Err(line.unknown()),
        },
        ("POST", None) if place.is_collection => Ok(Asked { verb: Verb::Create, place }),
        ("PATCH" | "PUT" | "DELETE", None) if !place.is_collection && !place.segments.is_empty() => {
            let verb = match line.method {
                "PATCH" => Verb::Update,
                "PUT" => Verb::Replace,
                _ => Verb::Delete,
            };
            Ok(Asked { verb, place })
        }
        _ => Err(line.unknown()),
    }
}

/// An action by its name; that of its resource's own type may be left out of it.
fn known(place: &Place, name: &str) -> (String, Does) {
    if !name.contains(['.', '/']) {
        let (whole, does) = vocabulary::action(&format!("{}.{name}", place.kind));
        if does != Does::Unknown {
            return (whole, does);
        }
    }
    vocabulary::action(name)
}

fn get(reach: Reach, place: Place) -> Asked {
    Asked { verb: Verb::Get(reach), place }
}

/// Whether the body is software, and no JSON.
fn is_software(line: &Line<'_>) -> bool {
    let media = line.head.header("content-type").unwrap_or_default().to_ascii_lowercase();
    let media = media.split(';').next().unwrap_or_default().trim();
    matches!(media, "multipart/form-data" | "application/octet-stream")
}

/// Follows a path from the root; the name of an action is apart.
///
/// # Errors
/// Something in it could be taken for something else.
pub(super) fn walk(path: &[&str]) -> Result<(Place, Option<String>), Undecodable> {
    let mut place = Place::root();
    let mut rest = path.iter();
    while let Some(segment) = rest.next() {
        if segment.starts_with('$') || segment.contains(['#', '?', '(', ')', '\'', '"', '*']) {
            return Err(bad(&format!("`{}` is no part of a path here", clip(segment))));
        }
        if segment.eq_ignore_ascii_case("Actions") {
            let name: Vec<&str> = rest.copied().collect();
            let is_oem = name.first().is_some_and(|first| first.eq_ignore_ascii_case("Oem"));
            let fits = if is_oem { (2..=4).contains(&name.len()) } else { name.len() == 1 };
            if !fits {
                return Err(bad("an action has one name, or one below `Oem`"));
            }
            return Ok((place, Some(name.join("/"))));
        }
        if place.is_collection {
            // Section 7.9: what holds the members is the collection by another path.
            if segment.eq_ignore_ascii_case("Members") {
                let is_last = *segment == "Members" && rest.len() == 0;
                return if is_last { Ok((place, None)) } else { Err(bad("`Members` is the end of a path")) };
            }
            place.is_collection = false;
            let identifier = identifier(segment, place.top(), place.segments.len())?;
            place.segments.push(identifier);
            continue;
        }
        enter(&mut place, segment);
    }
    Ok((place, None))
}

fn enter(place: &mut Place, segment: &str) {
    let is_first = place.segments.is_empty();
    if let Some((word, kind)) = vocabulary::collection(segment) {
        place.segments.push(word.to_owned());
        kind.clone_into(&mut place.kind);
        place.is_collection = true;
    } else if let Some(word) = PENDING.iter().find(|word| word.eq_ignore_ascii_case(segment) && !is_first) {
        // What a resource will be: of the same type.
        place.segments.push((*word).to_owned());
    } else if let Some((word, kind)) = vocabulary::single(segment) {
        place.segments.push(word.to_owned());
        kind.clone_into(&mut place.kind);
        place.is_oem |= word == "Oem";
    } else {
        place.segments.push(segment.to_owned());
        // The words below are the vendor's, and so may be identifiers as well as types.
        let word = if is_first || place.kind == "Oem" { "Oem" } else { segment };
        word.clone_into(&mut place.kind);
        place.is_oem = true;
    }
}

/// The identifier of a member. A UUID has one spelling, as RFC 9562 writes it; servers take others for the same.
fn identifier(text: &str, top: &str, depth: usize) -> Result<String, Undecodable> {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    if lengths == [8, 4, 4, 4, 12] && groups.iter().all(|group| is_hex(group)) {
        return Ok(text.to_ascii_lowercase());
    }
    let digits = text.bytes().filter(u8::is_ascii_hexdigit).count();
    let lower = text.to_ascii_lowercase();
    let bare: String = lower.replace("urn:", "").replace("uuid:", "").replace(['{', '}', '-'], "");
    let is_machine = depth == 1 && matches!(top, "Systems" | "Managers" | "Chassis");
    if text.contains(['{', '}']) || (is_machine && digits >= 32 && bare.len() == 32 && is_hex(&bare)) {
        return Err(bad(&format!("`{}` may be a UUID in another spelling", clip(text))));
    }
    Ok(text.to_owned())
}

/// What a query asks for beside the path; only what reads has one.
fn parameters(line: &Line<'_>, place: &Place) -> Result<Reach, Undecodable> {
    let mut reach = Reach::Own;
    for pair in &line.query {
        let name = pair.name.as_ref();
        if !line.is_safe() || !PARAMETERS.contains(&name) {
            return Err(Undecodable::new(
                "unread_parameter",
                format!("`{}` is no parameter of this request; take it out", clip(name)),
            ));
        }
        if name == "$expand" {
            reach = match pair.value.as_ref() {
                // What a collection holds lies below it; what that refers to may lie anywhere.
                "." | ".($levels=1)" if place.is_collection => Reach::Members,
                "." | ".($levels=1)" => Reach::Next,
                other if other.starts_with(['.', '*', '~']) => Reach::All,
                _ => {
                    return Err(Undecodable::new(
                        "unread_parameter",
                        "`$expand` begins with `.`, `~` or `*`; send one of them",
                    ));
                }
            };
        }
    }
    Ok(reach)
}

/// What a reference in a body names: a path of this service, perhaps with a place inside of the resource behind `#`.
///
/// # Errors
/// It is no such path.
pub(super) fn reference(text: &str) -> Result<Place, Undecodable> {
    let whole = text.split('#').next().unwrap_or_default();
    let plain = whole.strip_suffix('/').unwrap_or(whole);
    let rest = plain.strip_prefix("/redfish/v1").filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let rest = rest.filter(|rest| !rest.contains(['?', '%', '\\', ';']));
    let Some(rest) = rest else { return Err(bad_reference(text)) };
    let segments: Vec<&str> = rest.split('/').skip(1).collect();
    if segments.iter().any(|segment| matches!(*segment, "" | "." | "..")) {
        return Err(bad_reference(text));
    }
    match walk(&segments) {
        Ok((place, None)) => Ok(place),
        Ok((_, Some(_))) | Err(_) => Err(bad_reference(text)),
    }
}

fn bad_reference(text: &str) -> Undecodable {
    Undecodable::new(
        "bad_reference",
        format!(
            "`{}` names no resource of this service; name it by its path below `/redfish/v1`",
            clip(text)
        ),
    )
}

fn bad(what: &str) -> Undecodable {
    Undecodable::new("bad_path", format!("{what}; send the path as the service writes it"))
}
