//! Blueprints as documents say them, and as the library does.
//!
//! Leaves out what they mean for a request (`blueprint/`) and whom they bind (`judge/blueprints.rs`).

use std::sync::Arc;

use super::build::{Places, globs};
use super::circumstances::covered;
use super::text::{Body, Place, Placed, nearest};
use crate::blueprint::library::{Fault, LIBRARY, LibraryEntry};
use crate::blueprint::written::{BlueprintSpec, ConstraintSpec, TagSpec, WidestSpec, Words};
use crate::blueprint::{
    Allowed, Asks, Blueprint, Blueprints, Bound, Constraint, Given, Number, PREFIX, Path, Presence, Tag,
    Widest, has_unit, network,
};
use crate::glob::Glob;

/// How deep conditions and items may be nested: nobody can read what is deeper.
const DEPTH_MAX: usize = 4;

impl Places<'_> {
    /// The blueprints of a model, by name.
    pub(super) fn blueprints(&mut self, placed: &[Placed]) -> Blueprints {
        let mut all: Vec<Blueprint> = Vec::new();
        for document in placed {
            let Body::Blueprint(spec) = &document.body else { continue };
            let name = document.metadata.name.as_str();
            if all.iter().any(|other| *other.name == *name) {
                let text = format!("blueprint `{name}` is declared twice; give each its own name");
                self.problems.push(document.place.problem("name:", text));
                continue;
            }
            all.extend(self.blueprint(&document.place, name, spec));
        }
        all.sort_by(|left, right| left.name.cmp(&right.name));
        Blueprints::new(all)
    }

    fn blueprint(&mut self, place: &Place, name: &str, own: &BlueprintSpec) -> Option<Blueprint> {
        let taken = own.uses.as_deref().map(|uses| self.taken(place, name, uses, own));
        let said = match &taken {
            Some(taken) => taken.as_ref()?,
            None => own,
        };
        if own.uses.is_none() && !own.with.is_empty() {
            let text = format!(
                "blueprint `{name}` gives values to no entry; name the entry of the library in `use`"
            );
            self.problems.push(place.problem("with:", text));
        }
        let why = own.why.as_ref().or(said.why.as_ref());
        let mut reading = Reading { place, name, problems: self.problems };
        reading.whole(said, why.is_some_and(|why| !why.trim().is_empty()));
        let parameters =
            said.parameters.iter().filter_map(|spec| reading.constraint(spec, Where::Top, 0)).collect();
        let tags = said.tags.iter().filter_map(|spec| reading.tag(spec)).collect();
        let only =
            said.only.as_ref().map(|paths| paths.iter().filter_map(|path| reading.path(path)).collect());
        Some(Blueprint {
            name: Arc::from(name),
            id: Arc::from(format!("{PREFIX}{name}")),
            uses: own.uses.as_deref().map(Arc::from),
            place: (Arc::from(place.path.as_str()), place.line),
            why: why.cloned().unwrap_or_default(),
            remedy: own.remedy.clone().or_else(|| said.remedy.clone()),
            operations: globs(&said.operations),
            refuses: globs(&said.refuses),
            access: own.access.as_deref().or(said.access.as_deref()).map(|words| self.classes(words, place)),
            types: said.types.as_deref().map(globs),
            actor_kinds: own.actor_kinds.as_deref().map(|words| self.actor_kinds(words, place)),
            holds: self.holds(own.ruling.as_deref(), place),
            covers: covered(&own.covers),
            parameters,
            tags,
            only,
        })
    }

    /// What an entry of the library says, with the model's values in its places.
    fn taken(&mut self, place: &Place, name: &str, uses: &str, own: &BlueprintSpec) -> Option<BlueprintSpec> {
        let mut wrong = |words: &str, text: String| self.problems.push(place.problem(words, text));
        let BlueprintSpec { operations, refuses, types, parameters, tags, only, .. } = own;
        let says_more = !operations.is_empty()
            || !refuses.is_empty()
            || types.is_some()
            || !parameters.is_empty()
            || !tags.is_empty()
            || only.is_some();
        if says_more {
            let text = format!(
                "blueprint `{name}` takes what it asks from `{uses}`; ask for more in a blueprint of its own"
            );
            wrong("use:", text);
        }
        let Some(entry) = LibraryEntry::named(uses) else {
            let known: Vec<&str> = LIBRARY.iter().map(|entry| entry.name).collect();
            wrong(uses, format!("the library has no blueprint `{uses}`; {}", nearest(uses, &known)));
            return None;
        };
        let read = entry.read().map_err(|error| ("use:".to_owned(), error.to_string()));
        let filled = read.and_then(|entry| {
            entry.filled(&own.with).map_err(|(word, fault)| {
                let known: Vec<&str> = entry.with.keys().map(String::as_str).collect();
                let text = match fault {
                    Fault::Unknown if known.is_empty() => {
                        format!("`{uses}` takes no values; remove `{word}`")
                    }
                    Fault::Unknown => {
                        format!("`{uses}` has no place for `{word}`; {}", nearest(&word, &known))
                    }
                    Fault::NoList => format!("`{word}` of `{uses}` is a list; write `[…]`"),
                    Fault::NoValue => format!("`{word}` of `{uses}` is one value; write a text or a number"),
                };
                (word, text)
            })
        });
        let spec = filled.and_then(|value| {
            yaml_serde::from_value::<BlueprintSpec>(value).map_err(|error| {
                (
                    "with:".to_owned(),
                    format!("the values in `with` do not fit `{uses}`: {error}; correct them"),
                )
            })
        });
        spec.map_err(|(words, text)| wrong(&words, text)).ok()
    }
}

/// Where a constraint stands: what it may say there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Where {
    Top,
    Within,
    Condition,
}

struct Reading<'r> {
    place: &'r Place,
    name: &'r str,
    problems: &'r mut Vec<crate::Problem>,
}

impl Reading<'_> {
    fn wrong(&mut self, words: &str, text: String) {
        self.problems.push(self.place.problem(words, text));
    }

    /// What a blueprint has to say at all.
    fn whole(&mut self, said: &BlueprintSpec, has_why: bool) {
        let name = self.name;
        if said.operations.is_empty() && said.refuses.is_empty() {
            let text = format!(
                "blueprint `{name}` is about no operation; name some in `operations`, or an entry of the library in `use`"
            );
            self.wrong("spec:", text);
        }
        if !said.operations.is_empty()
            && said.parameters.is_empty()
            && said.tags.is_empty()
            && said.only.is_none()
        {
            let text =
                format!("blueprint `{name}` asks for nothing; say what in `parameters`, `tags` or `only`");
            self.wrong("spec:", text);
        }
        if !has_why {
            let text = format!(
                "blueprint `{name}` does not say why; say it in `why`, which whoever is refused reads"
            );
            self.wrong("why:", text);
        }
        for pattern in said.operations.iter().chain(&said.refuses) {
            if !pattern.contains([':', '*']) {
                let text = format!(
                    "`{pattern}` is no operation; write `service:operation`, for example `s3:CreateBucket`"
                );
                self.wrong(pattern, text);
            }
        }
    }

    fn constraint(&mut self, spec: &ConstraintSpec, at: Where, depth: usize) -> Option<Constraint> {
        if depth > DEPTH_MAX {
            let text = format!("blueprint `{}` is nested too deep; write it in several", self.name);
            self.wrong("parameters:", text);
            return None;
        }
        let word = spec
            .path
            .0
            .iter()
            .chain(&spec.each.0)
            .chain(&spec.some.0)
            .next()
            .map_or("parameters:", String::as_str)
            .to_owned();
        self.misplaced(spec, at, &word);
        let items = if spec.some.0.is_empty() { &spec.each } else { &spec.some };
        let given = [
            !spec.path.0.is_empty(),
            !spec.each.0.is_empty(),
            !spec.some.0.is_empty(),
            !spec.any_of.is_empty(),
        ];
        if given.iter().filter(|is_given| **is_given).count() != 1 {
            let text = format!(
                "a constraint of blueprint `{}` is about one of `path`, `each`, `some` and `anyOf`; give it one",
                self.name
            );
            self.wrong(&word, text);
            return None;
        }
        let mut nested = |all: &[ConstraintSpec], at| {
            all.iter().filter_map(|one| self.constraint(one, at, depth + 1)).collect::<Vec<_>>()
        };
        let when = nested(&spec.when, Where::Condition);
        let inner = if at == Where::Condition { Where::Condition } else { Where::Within };
        let parameters = nested(&spec.parameters, inner);
        let any_of = spec.any_of.iter().map(|all| nested(all, inner)).collect();
        let presence = self.presence(spec, &word);
        let allowed = self.allowed(spec, &word)?;
        let asks = if !spec.path.0.is_empty() {
            let paths = self.paths(&spec.path)?;
            if allowed.is_anything() && presence == Presence::Optional {
                let text = format!(
                    "nothing is asked of `{word}`; say what it may be, or `present: true` or `required: true`"
                );
                self.wrong(&word, text);
            }
            Asks::Value { paths, presence, allowed: Box::new(allowed) }
        } else if items.0.is_empty() {
            Asks::AnyOf(any_of)
        } else {
            Asks::Each { paths: self.paths(items)?, presence, parameters, one: !spec.some.0.is_empty() }
        };
        Some(Constraint { operations: spec.operations.as_deref().map(globs), when, asks })
    }

    /// Keys that mean nothing where they stand.
    fn misplaced(&mut self, spec: &ConstraintSpec, at: Where, word: &str) {
        let is_value = !spec.path.0.is_empty();
        let is_items = !spec.each.0.is_empty() || !spec.some.0.is_empty();
        let asks_value = !allows_anything(spec);
        let wrong = [
            (
                spec.key.is_some() || spec.optional,
                "`key` and `optional` are for `tags`; name a parameter by `path`",
            ),
            (
                at != Where::Top && spec.operations.is_some(),
                "`operations` may be narrowed only at the top of `parameters`; move it there",
            ),
            (at == Where::Condition && spec.required, "a condition is not `required`; write `present: true`"),
            (!is_value && asks_value, "values are asked for at a `path`; put it there"),
            (
                !is_items && !spec.parameters.is_empty(),
                "`parameters` within a constraint are of each item; name the list in `each` or `some`",
            ),
            (
                is_items && spec.parameters.is_empty() && spec.present != Some(false),
                "nothing is asked of the items; say it in `parameters`",
            ),
            (
                !spec.any_of.is_empty() && (spec.required || spec.present.is_some()),
                "`anyOf` is not there or not by itself; say so of what is in it",
            ),
            (spec.required && spec.present.is_some(), "`required` and `present` say two things; keep one"),
            (
                spec.present == Some(false) && asks_value,
                "what is not to be there is asked for no value; keep `present: false` alone",
            ),
        ];
        for (_, text) in wrong.iter().filter(|(is_wrong, _)| *is_wrong) {
            self.wrong(word, format!("in blueprint `{}`: {text}", self.name));
        }
    }

    fn presence(&mut self, spec: &ConstraintSpec, _word: &str) -> Presence {
        match (spec.present, spec.required) {
            (Some(true), _) => Presence::Always,
            (Some(false), _) => Presence::Never,
            (None, true) => Presence::Required,
            (None, false) => Presence::Optional,
        }
    }

    fn paths(&mut self, words: &Words) -> Option<Vec<Path>> {
        let paths: Vec<Path> = words.0.iter().filter_map(|text| self.path(text)).collect();
        (paths.len() == words.0.len()).then_some(paths)
    }

    fn path(&mut self, text: &str) -> Option<Path> {
        Path::parse(text).map_err(|why| self.wrong(text, format!("in blueprint `{}`: {why}", self.name))).ok()
    }

    fn tag(&mut self, TagSpec(spec): &TagSpec) -> Option<Tag> {
        let Some(key) = spec.key.clone() else {
            let text = format!("a tag of blueprint `{}` has no `key`; add it", self.name);
            self.wrong("tags:", text);
            return None;
        };
        let is_more = !spec.path.0.is_empty()
            || !spec.each.0.is_empty()
            || !spec.some.0.is_empty()
            || !spec.any_of.is_empty()
            || !spec.when.is_empty()
            || !spec.parameters.is_empty()
            || spec.operations.is_some()
            || spec.required
            || spec.present.is_some();
        if is_more {
            let text = format!(
                "tag `{key}` of blueprint `{}` has a `key`, may be `optional`, and says what its value may be; remove the rest",
                self.name
            );
            self.wrong(&key, text);
        }
        let allowed = self.allowed(spec, &key)?;
        Some(Tag { key, allowed, optional: spec.optional })
    }

    /// What a value may be.
    fn allowed(&mut self, spec: &ConstraintSpec, word: &str) -> Option<Allowed> {
        let named = spec.equals.iter().chain(spec.one_of.iter().flatten()).cloned().collect();
        let empty = spec.one_of.as_ref().is_some_and(Vec::is_empty)
            || spec.not_in.as_ref().is_some_and(Vec::is_empty)
            || [&spec.matches, &spec.not_matches, &spec.within]
                .into_iter()
                .flatten()
                .any(|words| words.0.is_empty());
        if empty {
            let text = format!(
                "blueprint `{}` has an empty list for `{word}`; name something, or write `present: false`",
                self.name
            );
            self.wrong(word, text);
        }
        let mut networks = Vec::new();
        for text in spec.within.iter().flat_map(|words| &words.0) {
            match network(text) {
                Some(found) => networks.push(found),
                None => self.wrong(text, format!("`{text}` is no network; write for example `10.0.0.0/8`")),
            }
        }
        let widest = spec.not_wider.map(|spec| self.widest(spec, word));
        let minimum = self.bound(spec.minimum.as_ref(), word);
        let maximum = self.bound(spec.maximum.as_ref(), word);
        if let (Some(minimum), Some(maximum)) = (&minimum, &maximum)
            && minimum.number > maximum.number
        {
            let text = format!(
                "of `{word}` the minimum `{}` is more than the maximum `{}`; correct one",
                minimum.text, maximum.text
            );
            self.wrong(word, text);
        }
        let units = [&minimum, &maximum].into_iter().flatten().any(|bound| has_unit(&bound.text));
        let patterns = |words: &Option<Words>| -> Vec<Glob> {
            words.iter().flat_map(|words| &words.0).map(|text| Glob::new(text)).collect()
        };
        Some(Allowed {
            named,
            patterns: patterns(&spec.matches),
            networks,
            widest,
            units,
            minimum,
            maximum,
            excluded: spec.not_in.iter().flatten().cloned().collect(),
            excluded_patterns: patterns(&spec.not_matches),
        })
    }

    fn widest(&mut self, WidestSpec { ipv4, ipv6 }: WidestSpec, word: &str) -> Widest {
        let too_long = ipv4.is_some_and(|length| length > 32) || ipv6.is_some_and(|length| length > 128);
        if too_long || (ipv4.is_none() && ipv6.is_none()) {
            let text = format!(
                "`notWider` of `{word}` has the shortest prefix of each family; write for example `{{ipv4: 24, ipv6: 56}}`"
            );
            self.wrong("notWider:", text);
        }
        Widest { ipv4, ipv6 }
    }

    fn bound(&mut self, given: Option<&Given>, word: &str) -> Option<Bound> {
        let text = match given? {
            Given::Text(text) | Given::Number(text) => text.clone(),
            Given::Bool(_) | Given::Null => String::new(),
        };
        let number = Number::quantity(&text);
        if number.is_none() {
            let told = format!("a bound of `{word}` is no number; write for example `7` or `2Gi`");
            self.wrong(word, told);
        }
        Some(Bound { number: number?, text })
    }
}

fn allows_anything(spec: &ConstraintSpec) -> bool {
    spec.equals.is_none()
        && spec.one_of.is_none()
        && spec.not_in.is_none()
        && spec.matches.is_none()
        && spec.not_matches.is_none()
        && spec.within.is_none()
        && spec.not_wider.is_none()
        && spec.minimum.is_none()
        && spec.maximum.is_none()
}
