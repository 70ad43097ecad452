//! What a request does, by its method and its place in the catalogue.
//!
//! A read is a `GET`, or an action that a person found to look and whose answer the catalogue knows. Leaves out what a body
//! adds to it (`body.rs`).

use std::collections::BTreeSet;

use ordain_action::{Access, Level};
use ordain_catalog::GraphSort;

use super::path::{One, Step, Verb};
use super::words::{
    ACTIONS, DATA, EXECUTING, EXPOSING, GRANTING, IDENTITY, LOOKING, PEOPLE, SECRET_FUNCTIONS,
    SECRET_HOLDERS, SECRET_MEMBERS, SECRET_ONES, SECRET_WORDS, SHOWING, SILENT,
};
use crate::form::query::Pair;

/// What a request does by its head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Class {
    pub accesses: BTreeSet<Access>,
    /// Its answer hands out a credential of the plane.
    pub mints: bool,
    /// Where it makes, changes or takes away something, that is data.
    pub data: bool,
}

impl Class {
    fn of(accesses: impl IntoIterator<Item = Access>) -> Self {
        Self { accesses: accesses.into_iter().collect(), mints: false, data: false }
    }

    /// The level of an effect of this class.
    pub(super) fn level(&self, access: Access) -> Level {
        match access {
            Access::Create | Access::Update | Access::Delete | Access::Tag if self.data => Level::Data,
            Access::Create
            | Access::Update
            | Access::Delete
            | Access::Tag
            | Access::Read
            | Access::Grant
            | Access::Expose
            | Access::Execute
            | Access::SecretRead => Level::Control,
        }
    }
}

/// What a request does by its head alone.
pub(super) fn of(one: &One, query: &[Pair<'_>]) -> Class {
    let words = one.way.words();
    let last = words.last().map_or("", String::as_str);
    let bare = last.rsplit('.').next().unwrap_or_default();
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let mut class = match one.verb {
        Verb::Get => return Class::of([shown(one, &words, bare, query)]),
        Verb::Post if one.way.place.sort == GraphSort::Action => acted(one, &words, bare),
        Verb::Post | Verb::Put | Verb::Patch if last == "$ref" => Class::of([Access::Update, Access::Grant]),
        Verb::Delete if last == "$ref" => Class::of([Access::Update, Access::Grant]),
        Verb::Post => Class::of([Access::Create]),
        Verb::Patch => Class::of([Access::Update]),
        Verb::Put => Class::of([Access::Create, Access::Update]),
        Verb::Delete => Class::of([Access::Delete]),
    };
    // Another key may be of something that is not there yet.
    if one.verb == Verb::Patch && matches!(one.way.steps.last(), Some(Step::Other(_))) {
        class.accesses.insert(Access::Create);
    }
    if class.accesses == BTreeSet::from([Access::Read]) {
        return class;
    }
    let first = words.first().map_or("", String::as_str);
    // The users themselves grant by what is written of them, and so do their devices.
    let new_one = one.verb == Verb::Post
        && (matches!(last, "users" | "groups" | "classes")
            || matches!(words.as_slice(), [only] if only == "devices"));
    // What guests may do in a group.
    let settings = first == "groups" && last == "settings";
    if IDENTITY.contains(&first) || has(GRANTING) || new_one || settings {
        class.accesses.insert(Access::Grant);
    }
    if has(EXPOSING) && one.verb != Verb::Delete {
        class.accesses.insert(Access::Expose);
    }
    if has(EXECUTING) && one.verb != Verb::Delete {
        class.accesses.insert(Access::Execute);
    }
    if one.verb != Verb::Delete && words.iter().any(|word| SECRET_WORDS.contains(&word.as_str())) {
        class.accesses.insert(Access::Grant);
    }
    // The pass is shown in the answer, and never again.
    if one.verb == Verb::Post && last == "temporaryaccesspassmethods" {
        class.mints = true;
        class.accesses.insert(Access::SecretRead);
    }
    class.data = PEOPLE.contains(&first) && has(DATA) && !has(GRANTING) && !has(EXPOSING);
    class
}

/// What a `GET` shows.
fn shown(one: &One, words: &[String], bare: &str, query: &[Pair<'_>]) -> Access {
    if one.way.place.sort == GraphSort::Function && SECRET_FUNCTIONS.contains(&bare) {
        return Access::SecretRead;
    }
    let by_id = matches!(one.way.steps.last(), Some(Step::Id(_) | Step::Other(_)));
    let secret = words.iter().any(|word| SECRET_WORDS.contains(&word.as_str()))
        || words.iter().any(|word| SECRET_FUNCTIONS.contains(&word.as_str()))
        || by_id
            && matches!(words, [.., versions, files] if versions == "contentversions" && files == "files")
        || by_id && words.last().is_some_and(|last| SECRET_ONES.contains(&last.as_str()))
        || query.iter().any(|pair| asks_for_secret(one, pair));
    if secret { Access::SecretRead } else { Access::Read }
}

/// Whether a parameter asks for what holds secrets, by name or among all that there is.
fn asks_for_secret(one: &One, pair: &Pair<'_>) -> bool {
    let name = pair.name.trim_start_matches('$').to_ascii_lowercase();
    // What has a name with `@` stands for a part of another parameter.
    if !matches!(name.as_str(), "select" | "expand" | "compute" | "apply") && !name.starts_with('@') {
        return false;
    }
    let holds =
        |member: &str| [SECRET_MEMBERS, SECRET_WORDS, SECRET_ONES].iter().any(|list| list.contains(&member));
    let value = pair.value.to_ascii_lowercase();
    if value.split(|one: char| !one.is_ascii_alphanumeric()).any(holds) {
        return true;
    }
    let all = value.split([',', '(', ')', ';', '=']).any(|part| part.trim() == "*");
    all && (one.way.words().iter().any(|word| SECRET_HOLDERS.contains(&word.as_str()))
        || one.way.inside().any(|word| holds(&word.to_ascii_lowercase())))
}

fn acted(one: &One, words: &[String], bare: &str) -> Class {
    if looks(one, words, bare) {
        return Class::of([Access::Read]);
    }
    let Some((_, letters)) = ACTIONS.iter().find(|(name, _)| *name == bare) else {
        return Class::of([Access::Update]);
    };
    let access = |letter: char| match letter {
        'C' => Some(Access::Create),
        'D' => Some(Access::Delete),
        'G' => Some(Access::Grant),
        'R' => Some(Access::Execute),
        'S' => Some(Access::SecretRead),
        'U' => Some(Access::Update),
        'X' => Some(Access::Expose),
        _ => None,
    };
    let mut class = Class::of(letters.chars().filter_map(access));
    class.mints = letters.contains('M');
    class
}

/// Whether an action only looks: a person has said so, and it answers with something.
fn looks(one: &One, words: &[String], bare: &str) -> bool {
    if SILENT.contains(&bare) {
        return true;
    }
    // The functions of a sheet compute on what they are given.
    let computes = words.windows(3).any(|three| three.first().is_some_and(|word| word == "workbook"))
        && words.iter().rev().nth(1).is_some_and(|word| word == "functions");
    let reports = words.iter().any(|word| word == "reports")
        && SHOWING.iter().any(|start| bare.starts_with(start))
        && (bare.contains("report") || bare.contains("summary") || bare.contains("trend"));
    one.way.place.answers && (computes || reports || LOOKING.contains(&bare))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ordain_catalog::{GraphPlace, graph};

    use super::*;

    /// The last words of what is called, in lower case.
    fn called(sort: GraphSort) -> BTreeSet<String> {
        let last =
            |place: &GraphPlace| place.name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        graph().places().filter(|place| place.sort == sort).map(last).collect()
    }

    #[test]
    fn what_is_said_of_words_is_said_of_words_that_there_are() {
        let (actions, functions) = (called(GraphSort::Action), called(GraphSort::Function));
        for name in ACTIONS.iter().map(|(name, _)| name).chain(LOOKING).chain(SILENT) {
            assert!(actions.contains(*name), "{name}");
        }
        for name in SECRET_FUNCTIONS {
            assert!(functions.contains(*name), "{name}");
        }
        let words: BTreeSet<String> = graph().places().map(|place| place.name.to_ascii_lowercase()).collect();
        for list in
            [DATA, EXECUTING, EXPOSING, GRANTING, IDENTITY, PEOPLE, SECRET_HOLDERS, SECRET_ONES, SECRET_WORDS]
        {
            assert_eq!(list.iter().find(|word| !words.contains(**word)), None);
        }
    }

    /// A function has no effects, by what OData says of functions: a name that says otherwise is looked at by a person.
    #[test]
    fn no_function_has_a_name_that_acts() {
        let acting = [
            "add",
            "approve",
            "assign",
            "cancel",
            "clear",
            "convert",
            "create",
            "delete",
            "disable",
            "enable",
            "grant",
            "move",
            "post",
            "put",
            "refresh",
            "regenerate",
            "remove",
            "reset",
            "restore",
            "revoke",
            "rotate",
            "run",
            "send",
            "set",
            "start",
            "stop",
            "sync",
            "trigger",
            "update",
            "upload",
            "wipe",
        ];
        let known = [
            "additionalaccess",
            "assignedprincipals",
            "convertfrommobileappcatalogpackage",
            "refreshstatus",
            "run",
        ];
        let acts = |name: &&String| acting.iter().any(|verb| name.starts_with(verb));
        let functions = called(GraphSort::Function);
        let found: Vec<&String> = functions.iter().filter(acts).collect();
        assert_eq!(found, known);
    }

    /// What a person found to look is looked at again where a new action has a name that acts.
    #[test]
    fn no_action_that_looks_has_a_name_that_acts() {
        let looking = [
            "check",
            "compute",
            "evaluate",
            "extractcontentlabel",
            "extractlabel",
            "find",
            "get",
            "has",
            "parse",
            "query",
            "retrieve",
            "runhuntingquery",
            "search",
            "translate",
            "validate",
            "verify",
        ];
        for name in LOOKING.iter().chain(SILENT) {
            assert!(looking.iter().any(|start| name.starts_with(start)), "{name}");
            assert!(!ACTIONS.iter().any(|(acts, _)| acts == name), "{name}");
        }
    }
}
