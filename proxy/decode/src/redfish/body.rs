//! A body as it is judged: an object that changes one resource, with what it refers to.
//!
//! Leaves out what it does (`change.rs`).

use ordain_action::{Scalar, Undecodable};

use super::member::Member;
use super::path::{self, Asked, Place, Verb};
use super::vocabulary::{self, Does};
use crate::form::Fields;
use crate::form::fields::{segments, unescape};
use crate::rest::Whole;

/// The most resources that one body may name.
const REFERENCES_MAX: usize = 1_024;

/// Members that may name what an action is done to; by whatever other way they name it, it is not known.
const TARGETS: [&str; 8] = [
    "certificatecollection",
    "certificateuri",
    "systems",
    "targets",
    "targeturi",
    "targeturis",
    "targetvolume",
    "replicatarget",
];

/// A body.
#[derive(Debug, Default)]
pub(super) struct Body<'a> {
    pub members: Vec<Member<'a>>,
    /// What it refers to, and whether as what it is done to.
    pub references: Vec<(Place, bool)>,
}

/// The fields of a body that has to be one object of JSON; none where there is no body.
///
/// # Errors
/// It is something else.
pub(super) fn fields(whole: &Whole<'_>) -> Result<Option<Fields>, Undecodable> {
    let Some(fields) = whole.json_of(&["application/json"])? else { return Ok(None) };
    if whole.body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(bad("is no object"));
    }
    if fields.overflowed() {
        return Err(Undecodable::new(
            "too_many_parameters",
            "there are too many parameters; send fewer at once",
        ));
    }
    fields.refuse_keys_that_differ_in_case()?;
    Ok(Some(fields))
}

impl<'a> Body<'a> {
    /// Reads what a body says of one resource.
    ///
    /// # Errors
    /// It changes others too, or names something that there is not.
    pub(super) fn read(asked: &Asked, fields: &'a Fields) -> Result<Self, Undecodable> {
        let mut body = Self::default();
        for (path, value) in fields.iter() {
            let keys: Vec<String> = segments(path).map(unescape).collect();
            refuse_other_resources(&asked.place, &keys, value)?;
            body.refer(asked, &keys, value)?;
            let is_place = |key: &String| key.bytes().all(|byte| byte.is_ascii_digit());
            let path = keys.iter().filter(|key| !is_place(key)).map(|key| key.to_lowercase()).collect();
            body.members.push(Member { path, value });
        }
        body.own_action(asked)?;
        refuse_changes_beside_references(asked, fields)?;
        Ok(body)
    }

    /// The text of a member of the object itself.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.members.iter().find(|member| member.is_at(&[name])).and_then(Member::text)
    }

    /// Whether it has such a member.
    pub(super) fn has(&self, name: &str) -> bool {
        self.members.iter().any(|member| member.first() == name)
    }

    fn refer(&mut self, asked: &Asked, keys: &[String], value: Scalar<'_>) -> Result<(), Undecodable> {
        let is_id = keys.last().is_some_and(|key| key.eq_ignore_ascii_case("@odata.id"));
        let is_target = keys.first().is_some_and(|key| TARGETS.contains(&key.to_lowercase().as_str()))
            && matches!(&asked.verb, Verb::Act(_, does) if *does != Does::Unknown);
        let Scalar::Text(text) = value else {
            return if is_id { Err(bad("has an `@odata.id` that is no text")) } else { Ok(()) };
        };
        if is_id && keys.len() == 1 && !matches!(asked.verb, Verb::Act(..)) {
            let same = path::reference(text)?.segments == asked.place.segments;
            return if same {
                Ok(())
            } else {
                Err(bad("has an `@odata.id` of another resource than its path"))
            };
        }
        if !is_id && !is_target && !text.starts_with("/redfish/") {
            return Ok(());
        }
        let place = path::reference(text)?;
        if self.references.len() >= REFERENCES_MAX {
            return Err(Undecodable::new(
                "too_many_resources",
                "there are too many resources in one request; send smaller ones",
            ));
        }
        if !self.references.iter().any(|(known, as_target)| *known == place && *as_target == is_target) {
            self.references.push((place, is_target));
        }
        Ok(())
    }

    /// Old services took the action from the body, whatever the path was.
    fn own_action(&self, asked: &Asked) -> Result<(), Undecodable> {
        let said = self.members.iter().find(|member| member.is_at(&["action"]));
        let Some(said) = said.and_then(Member::text) else {
            return if self.has("action") { Err(bad("has an `Action` that is no text")) } else { Ok(()) };
        };
        let agrees = match &asked.verb {
            Verb::Act(name, _) => {
                let name = name.rsplit('/').next().unwrap_or(name);
                said.trim_start_matches('#') == name || name.rsplit('.').next() == Some(said)
            }
            Verb::Get(_) | Verb::Create | Verb::Update | Verb::Replace | Verb::Delete | Verb::Push => false,
        };
        if agrees { Ok(()) } else { Err(bad("says another `Action` than its path")) }
    }
}

/// Refuses what changes resources below the one of the path (section 7.11, deep operations): each has a path of its own.
fn refuse_other_resources(place: &Place, keys: &[String], value: Scalar<'_>) -> Result<(), Undecodable> {
    if keys.iter().any(|key| key.eq_ignore_ascii_case("Members")) {
        return Err(deep());
    }
    // The settings of protocols have their names.
    if place.kind == "ManagerNetworkProtocol" {
        return Ok(());
    }
    let own = keys.iter().take_while(|key| !key.eq_ignore_ascii_case("Oem"));
    for (at, key) in own.enumerate() {
        let is_navigation = vocabulary::collection(key).is_some() || vocabulary::single(key).is_some();
        let before = at.checked_sub(1).and_then(|at| keys.get(at));
        let is_embedded = before.is_some_and(|before| before.eq_ignore_ascii_case("Links"))
            || ["LDAP", "ActiveDirectory"].iter().any(|word| key.eq_ignore_ascii_case(word));
        let next = keys.get(at + 1);
        let in_list = next.is_some_and(|next| next.bytes().all(|byte| byte.is_ascii_digit()));
        let refers = next.is_none_or(|next| next.starts_with('@')) || matches!(value, Scalar::Empty);
        if is_navigation && !is_embedded && !in_list && !refers {
            return Err(deep());
        }
    }
    Ok(())
}

/// An object that names another resource and says more than that changes it, whatever it is called.
fn refuse_changes_beside_references(asked: &Asked, fields: &Fields) -> Result<(), Undecodable> {
    if matches!(asked.verb, Verb::Act(..)) {
        return Ok(());
    }
    let id = "@odata\\.id";
    let others = fields.iter().filter_map(|(path, value)| match value {
        Scalar::Text(text) => Some((path.strip_suffix(id)?.strip_suffix('.')?, text)),
        Scalar::Number(_) | Scalar::Bool(_) | Scalar::Null | Scalar::Empty | Scalar::Token(_) => None,
    });
    for (object, text) in others {
        // A place inside of the resource itself is its own.
        let is_own = path::reference(text)?.segments == asked.place.segments;
        let beside = |path: &str| {
            let member = path.strip_prefix(object).and_then(|rest| rest.strip_prefix('.'));
            member.is_some_and(|member| !member.starts_with('@'))
        };
        let in_oem = segments(object).any(|key| key.eq_ignore_ascii_case("Oem"));
        if !is_own && !in_oem && fields.iter().any(|(path, _)| beside(path)) {
            return Err(deep());
        }
    }
    Ok(())
}

fn deep() -> Undecodable {
    Undecodable::new(
        "deep_operation",
        "the body changes other resources than the one of its path; send each its own request",
    )
}

/// A request whose body is missing.
pub(super) fn missing() -> Undecodable {
    bad("is missing")
}

fn bad(what: &str) -> Undecodable {
    Undecodable::new("bad_body", format!("the body {what}; send it as DSP0266 section 7 has it"))
}
