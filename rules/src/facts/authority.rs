//! What a policy of an identity would let it do to who may do what.
//!
//! Leaves out policies of resources, and what other documents add. Some of these operations on one named thing is
//! delegation; any of them on everything of its sort is administration, since with each an identity gives itself
//! the rest.

use std::collections::BTreeSet;

use super::json::Json;
use crate::glob::Glob;

/// Operations with which an identity gives itself, or whom it likes, whatever it lacks.
const PRIVILEGED: [&str; 46] = [
    "iam:addroletoinstanceprofile",
    "iam:addusertogroup",
    "iam:attachgrouppolicy",
    "iam:attachrolepolicy",
    "iam:attachuserpolicy",
    "iam:createaccesskey",
    "iam:createloginprofile",
    "iam:createopenidconnectprovider",
    "iam:createpolicyversion",
    "iam:createsamlprovider",
    "iam:createservicespecificcredential",
    "iam:deactivatemfadevice",
    "iam:deletegrouppolicy",
    "iam:deleterolepermissionsboundary",
    "iam:deleterolepolicy",
    "iam:deleteuserpermissionsboundary",
    "iam:deleteuserpolicy",
    "iam:detachgrouppolicy",
    "iam:detachrolepolicy",
    "iam:detachuserpolicy",
    "iam:passrole",
    "iam:putgrouppolicy",
    "iam:putrolepermissionsboundary",
    "iam:putrolepolicy",
    "iam:putuserpermissionsboundary",
    "iam:putuserpolicy",
    "iam:resetservicespecificcredential",
    "iam:setdefaultpolicyversion",
    "iam:updateaccesskey",
    "iam:updateassumerolepolicy",
    "iam:updateloginprofile",
    "iam:updatesamlprovider",
    "iam:uploadsigningcertificate",
    "iam:uploadsshpublickey",
    "organizations:attachpolicy",
    "organizations:createaccount",
    "organizations:deletepolicy",
    "organizations:detachpolicy",
    "organizations:disablepolicytype",
    "organizations:leaveorganization",
    "organizations:moveaccount",
    "organizations:registerdelegatedadministrator",
    "organizations:updatepolicy",
    "sts:assumerole",
    "sts:assumeroot",
    "sts:getfederationtoken",
];

/// The services of those operations: what is everything of their sort.
const SERVICES: [&str; 3] = ["iam", "organizations", "sts"];

/// Letters of a name that the beginnings of patterns are measured by.
const ALPHABET: u64 = 26;

/// Beginnings of more letters than this stand for a share of all names that is too small to be counted.
const COUNTED: usize = 4;

/// What all names are, in shares of one beginning of `COUNTED` letters.
const ALL_NAMES: u64 = ALPHABET * ALPHABET * ALPHABET * ALPHABET;

/// How far the statements of one document reach that hand out authority.
///
/// A pattern that names something (`role/web-*`) is delegation. One that names nothing is administration, and so
/// are patterns that come to it together, over as many statements as they like: those that stand for as many names
/// as begin with one letter of the alphabet.
#[derive(Debug, Default)]
pub(super) struct Authority {
    everything: bool,
    beginnings: BTreeSet<String>,
}

/// What a pattern of resources says of the identities that it stands for.
enum Reach<'a> {
    /// Nothing: it stands for all of a sort.
    Everything,
    /// How their names begin.
    Beginning(&'a str),
    /// One of them, or none.
    One,
}

impl Authority {
    /// Adds what a statement allows.
    pub(super) fn add(&mut self, statement: &Json) {
        let privileged = statement.get("NotAction").is_some()
            || texts(statement, "Action").any(|action| action.is_none_or(is_privileged));
        if !privileged {
            return;
        }
        self.everything |= statement.get("NotResource").is_some();
        for resource in texts(statement, "Resource") {
            match resource.map_or(Reach::Everything, reach) {
                Reach::Everything => self.everything = true,
                Reach::Beginning(name) => {
                    self.beginnings.insert(name.to_owned());
                }
                Reach::One => {}
            }
        }
    }

    /// Whether it comes to authority over everything of a sort.
    pub(super) fn administers(&self) -> bool {
        let mut share: u64 = 0;
        let mut counted: Option<&str> = None;
        // In order, so that what begins with another beginning stands behind it.
        for beginning in &self.beginnings {
            if !counted.is_some_and(|counted| beginning.starts_with(counted)) {
                counted = Some(beginning);
                share = share.saturating_add(share_of(beginning));
            }
        }
        self.everything || share >= ALL_NAMES / ALPHABET
    }
}

/// The share of all names that begin so.
fn share_of(beginning: &str) -> u64 {
    beginning.chars().take(COUNTED + 1).fold(ALL_NAMES, |share, _| share / ALPHABET)
}

/// The items of a member of a statement; `None` for one that is no text.
fn texts<'a>(statement: &'a Json, member: &str) -> impl Iterator<Item = Option<&'a str>> {
    statement.get(member).map(Json::items).unwrap_or_default().into_iter().map(|item| match item {
        Json::Text(text) => Some(text.as_str()),
        Json::Object(_) | Json::Array(_) | Json::Other => None,
    })
}

fn is_privileged(action: &str) -> bool {
    let pattern = Glob::new(&action.to_ascii_lowercase());
    let literal = pattern.literal_prefix();
    PRIVILEGED.iter().any(|operation| operation.starts_with(literal) && pattern.matches(operation))
}

fn reach(resource: &str) -> Reach<'_> {
    let wild = |text: &str| text.contains(['*', '?']);
    let parts: Vec<&str> = resource.splitn(6, ':').collect();
    let [_, _, service, _, _, own] = parts.as_slice() else {
        // Fewer parts: a wildcard stands for the others too.
        let pattern = Glob::new(resource);
        let of_sort = SERVICES.iter().any(|name| pattern.overlaps(&Glob::new(&format!("arn:aws:{name}:*"))));
        return if wild(resource) && of_sort { Reach::Everything } else { Reach::One };
    };
    let service = Glob::new(service);
    let of = |name: &str| service.matches(name);
    let (sort, name) = own.split_once('/').unwrap_or((own, own));
    if !SERVICES.iter().any(|name| of(name)) || !wild(own) {
        return Reach::One;
    }
    // What an organization holds is numbered: a pattern of numbers names nothing.
    let numbered = !of("iam") && !of("sts");
    let beginning = name.split(['*', '?']).next().unwrap_or_default();
    // A wildcard within a variable is its default, or stands for itself: what is before it is no name either.
    let beginning = match beginning.rsplit_once("${") {
        Some((before, variable)) if !variable.contains('}') => before,
        _ => beginning,
    };
    if numbered || wild(sort) || beginning.is_empty() {
        return Reach::Everything;
    }
    Reach::Beginning(beginning)
}

#[cfg(test)]
mod tests {
    use super::{Authority, Reach, reach};

    #[test]
    fn a_resource_is_everything_when_it_names_none_of_its_sort() {
        for wide in [
            "*",
            "arn:*",
            "arn:aws:iam::*",
            "arn:aws:iam::111122223333:*",
            "arn:aws:iam::*:role/*",
            "arn:aws:iam::111122223333:role/?*",
            "arn:aws:i*::111122223333:r*",
            "arn:aws:iam::111122223333:rol?/web",
            "arn:aws:iam::111122223333:role/${aws:PrincipalTag/team, '*'}",
            "arn:aws:organizations::111122223333:account/o-a1b2c3d4e5/*",
            "arn:*:*:*:*:*",
        ] {
            assert!(matches!(reach(wide), Reach::Everything), "{wide}");
        }
        for narrow in [
            "arn:aws:iam::111122223333:role/web",
            "arn:aws:iam::111122223333:user/${aws:username}",
            "arn:aws:organizations::111122223333:account/o-a1b2c3d4e5/444455556666",
            "arn:aws:s3:::*",
            "arn:aws:s3*",
            "",
        ] {
            assert!(matches!(reach(narrow), Reach::One), "{narrow}");
        }
        for (named, by) in [
            ("arn:aws:iam::111122223333:role/app-*", "app-"),
            ("arn:aws:iam::*:role/app-?-*", "app-"),
            ("arn:aws:iam::*:role/service/*", "service/"),
            ("arn:aws:iam::*:role/${aws:PrincipalTag/team}-*", "${aws:PrincipalTag/team}-"),
        ] {
            assert!(matches!(reach(named), Reach::Beginning(name) if name == by), "{named}");
        }
    }

    #[track_caller]
    fn check(beginnings: &[&str], administers: bool) {
        let beginnings = beginnings.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(Authority { everything: false, beginnings }.administers(), administers);
    }

    #[test]
    fn beginnings_are_counted_by_how_many_names_they_stand_for() {
        check(&[], false);
        check(&["a"], true);
        check(&["ci", "db", "ci-runner-", "cix"], false);
        let pairs: Vec<String> = ('a'..='z').map(|letter| format!("{letter}x")).collect();
        let pairs: Vec<&str> = pairs.iter().map(String::as_str).collect();
        check(&pairs, true);
        check(&pairs[1..], false);
        let teams: Vec<String> = (0..2_000).map(|team| format!("team-{team}-")).collect();
        check(&teams.iter().map(String::as_str).collect::<Vec<_>>(), false);
    }
}
