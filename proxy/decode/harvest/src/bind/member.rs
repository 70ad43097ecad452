//! Bindings by members whose meaning in a service a person has reviewed.
//!
//! Leaves out members that nobody has looked at.

use anyhow::{Context as _, Result};

use super::{Binding, Subject, Template, known, noun};
use crate::words::plain;

impl Subject<'_> {
    /// One binding for every reviewed member that the operation has.
    ///
    /// What the operation's own name begins with is its target. Of the rest, what a request must carry is what a
    /// create lives in and what any other change is about; what it may carry is only used.
    pub(super) fn by_member(&self) -> Result<Vec<Binding>> {
        let noun = noun(self.name);
        let mut bindings = Vec::new();
        for (number, name) in self.candidates(3) {
            let Some(kind) = self.members.get(&name) else { continue };
            let visit = self.places.visits().get(number);
            let top = visit.and_then(|visit| visit.names.first().copied()).unwrap_or_default();
            let outer = visit.is_some_and(|visit| visit.names.len() == 1);
            let required = outer && self.required.iter().any(|name| name == top);
            let own = noun.starts_with(stem(&plain(&name)));
            let role = match (own && outer, self.creates, required) {
                (true, _, _) | (false, false, true) => "target",
                (false, true, true) => "parent",
                (false, _, false) => "uses",
            };
            bindings.extend(self.member(role, &name, kind, number)?);
        }
        if !self.creates && !bindings.iter().any(|binding| binding.role == "target") {
            // Optional members that alternate, as an id or a name: each is the target where it is given.
            for binding in &mut bindings {
                let outer = binding.members.iter().all(|(_, number)| {
                    self.places.visits().get(*number).is_some_and(|visit| visit.names.len() == 1)
                });
                if outer {
                    binding.role = "target";
                }
            }
        }
        Ok(bindings)
    }

    /// `type` by its template, `=type` where the value is the name, `-type` where no name can be built.
    fn member(&self, role: &'static str, name: &str, kind: &str, number: usize) -> Result<Vec<Binding>> {
        let (sign, kind) = match kind.strip_prefix('=') {
            Some(kind) => ('=', kind),
            None => kind.strip_prefix('-').map_or((' ', kind), |kind| ('-', kind)),
        };
        let (prefix, kind) = kind.split_once(':').unwrap_or((self.prefix, kind));
        let full = format!("{prefix}:{}", kind.replace(' ', "-"));
        if full == "kms:key" {
            return Ok(known::key(role, "reviewed", number));
        }
        let plainly = |basis| Binding {
            role,
            kind: full.clone(),
            basis,
            template: String::new(),
            value_prefix: String::new(),
            members: vec![(name.to_owned(), number)],
        };
        match sign {
            '=' => return Ok(vec![plainly("carried")]),
            '-' => return Ok(vec![plainly("unnamed")]),
            _ => {}
        }
        let arn = self
            .kinds
            .get(kind)
            .cloned()
            .or_else(|| self.iam.kind(prefix, kind).map(|kind| kind.arn.clone()))
            .with_context(|| format!("`{name}` is said to be `{full}`, which is no type"))?;
        let template = Template::parse(&arn);
        // A name of several parts needs more than this member: what it is is known, its name is not.
        let [variable] = template.variables.as_slice() else { return Ok(vec![plainly("unnamed")]) };
        Ok(vec![Binding {
            members: vec![(variable.clone(), number)],
            template: template.text.clone(),
            ..plainly("reviewed")
        }])
    }
}

fn stem(name: &str) -> &str {
    for ending in ["identifiers", "identifier", "names", "name", "arns", "arn", "ids", "id", "url"] {
        if let Some(stem) = name.strip_suffix(ending).filter(|stem| !stem.is_empty()) {
            return stem;
        }
    }
    name
}
