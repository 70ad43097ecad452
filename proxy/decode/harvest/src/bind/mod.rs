//! Which resources an operation names: by review, else by matching member names with the vendor's templates.
//!
//! Leaves out trust: a binding made here is marked `bound`, and never the reason to permit.

mod known;
mod member;
mod template;

use anyhow::{Context as _, Result, bail};

use crate::iam::{Action, Iam};
use crate::places::Places;
use crate::words::{dashed, plain, singular, words};

pub(crate) use template::Template;

/// One binding, as a line of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) role: &'static str,
    pub(crate) kind: String,
    pub(crate) basis: &'static str,
    pub(crate) template: String,
    pub(crate) value_prefix: String,
    /// Variable, and the number of the member that fills it.
    pub(crate) members: Vec<(String, usize)>,
}

/// Everything that bindings of one operation are made from.
#[derive(Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) iam: &'a Iam,
    pub(crate) prefix: &'a str,
    pub(crate) kinds: &'a std::collections::BTreeMap<String, String>,
    /// Members whose meaning in this service is reviewed.
    pub(crate) members: &'a std::collections::BTreeMap<String, String>,
    pub(crate) name: &'a str,
    pub(crate) creates: bool,
    /// The top-level members that a request must carry.
    pub(crate) required: &'a [String],
    pub(crate) actions: &'a [&'a Action],
    pub(crate) places: &'a Places<'a>,
}

impl Subject<'_> {
    /// Reviewed bindings where there are any, and derived ones for what they do not name.
    pub(crate) fn bindings(&self, reviewed: Option<&Vec<String>>) -> Result<Vec<Binding>> {
        let mut bindings = Vec::new();
        for line in reviewed.into_iter().flatten() {
            bindings.extend(self.reviewed(line).with_context(|| format!("{}: `{line}`", self.name))?);
        }
        let mut taken: Vec<usize> =
            bindings.iter().flat_map(|binding| binding.members.iter().map(|member| member.1)).collect();
        if reviewed.is_none() {
            bindings.extend(self.by_member()?);
            taken.extend(bindings.iter().flat_map(|binding| binding.members.iter().map(|member| member.1)));
            let known = bindings.iter().any(|binding| binding.role != "uses");
            for mut binding in self.derived() {
                if binding.members.iter().any(|member| taken.contains(&member.1)) {
                    continue;
                }
                if known {
                    // Where members are reviewed, a guess beside them is more often wrong than of use.
                    if binding.basis == "bound" {
                        continue;
                    }
                    binding.role = "uses";
                }
                taken.extend(binding.members.iter().map(|member| member.1));
                bindings.push(binding);
            }
            if !bindings.iter().any(|binding| binding.role == "target") {
                let unnamed = self.unnamed(&taken);
                taken
                    .extend(unnamed.iter().flat_map(|binding| binding.members.iter().map(|member| member.1)));
                bindings.extend(unnamed);
            }
        }
        bindings.extend(self.uses(&taken));
        bindings.sort_by_key(|binding| (binding.role == "uses", binding.role != "target"));
        Ok(bindings)
    }

    /// `ROLE TYPE MEMBER[,MEMBER…] [^VALUE-PREFIX]`.
    fn reviewed(&self, line: &str) -> Result<Vec<Binding>> {
        let mut tokens = line.split_whitespace();
        let (Some(role), Some(kind), Some(members)) = (tokens.next(), tokens.next(), tokens.next()) else {
            bail!("write `ROLE TYPE MEMBER[,MEMBER]`");
        };
        let role = match role {
            "target" => "target",
            "parent" => "parent",
            "uses" => "uses",
            _ => bail!("`{role}` is not a role"),
        };
        let value_prefix = tokens.next().and_then(|token| token.strip_prefix('^')).unwrap_or_default();
        let numbers = members
            .split(',')
            .map(|path| self.places.find(path).with_context(|| format!("no member `{path}`")))
            .collect::<Result<Vec<usize>>>()?;
        // `TYPE=KEY` takes the template of another key than the type's own.
        let (kind, key) = kind.split_once('=').map_or((kind, None), |(kind, key)| (kind, Some(key)));
        let (prefix, kind) = kind.split_once(':').unwrap_or((self.prefix, kind));
        let full = format!("{prefix}:{}", kind.replace(' ', "-"));
        let kind = key.unwrap_or(kind);
        if let Some(basis) = key.and_then(|key| match key {
            "carried" => Some("carried"),
            "-" => Some("unnamed"),
            _ => None,
        }) {
            let members = numbers.into_iter().map(|number| (self.member_name(number), number)).collect();
            let (template, value_prefix) = (String::new(), value_prefix.to_owned());
            return Ok(vec![Binding { role, kind: full, basis, template, value_prefix, members }]);
        }
        if full == "kms:key" && value_prefix.is_empty() {
            return Ok(numbers.into_iter().flat_map(|number| known::key(role, "reviewed", number)).collect());
        }
        let template = match self.kinds.get(kind).filter(|_| prefix == self.prefix) {
            Some(arn) if arn == "-" => None,
            Some(arn) => Some(Template::parse(arn)),
            None => Some(Template::parse(
                &self.iam.kind(prefix, kind).with_context(|| format!("no type `{prefix}:{kind}`"))?.arn,
            )),
        };
        let Some(template) = template else {
            let members = numbers.into_iter().map(|number| (self.member_name(number), number)).collect();
            return Ok(vec![Binding {
                role,
                kind: full,
                basis: "unnamed",
                template: String::new(),
                value_prefix: value_prefix.to_owned(),
                members,
            }]);
        };
        if template.variables.len() != numbers.len() {
            bail!("the template has {} variables: {:?}", template.variables.len(), template.variables);
        }
        Ok(vec![Binding {
            role,
            kind: full,
            basis: "reviewed",
            template: template.text,
            value_prefix: value_prefix.to_owned(),
            members: template.variables.into_iter().zip(numbers).collect(),
        }])
    }

    fn member_name(&self, number: usize) -> String {
        self.places.visits().get(number).map(|visit| visit.name().to_owned()).unwrap_or_default()
    }

    /// Members that may be identifiers: texts, and items of lists of texts, not too deep, not in filters or tags.
    fn candidates(&self, depth: usize) -> impl Iterator<Item = (usize, String)> + '_ {
        self.places.visits().iter().enumerate().filter_map(move |(number, visit)| {
            let aside = visit
                .names
                .iter()
                .any(|name| matches!(*name, "Filters" | "Filter" | "filters" | "filter" | "Tags" | "tags"));
            let text = visit.shape.letter() == 's' && visit.shape.kind == "string";
            (text && !aside && visit.names.len() <= depth && !is_list_head(visit))
                .then(|| (number, visit.name().to_owned()))
        })
    }

    fn derived(&self) -> Vec<Binding> {
        let noun = noun(self.name);
        let mut matched: Vec<(String, Binding)> = Vec::new();
        let kinds = self.iam.kinds(self.prefix);
        for kind in kinds.filter(|kind| self.kinds.get(&kind.key).is_none_or(|arn| arn != "-")) {
            if let Some(binding) = self.matched(&noun, kind) {
                matched.push((kind.key.clone(), binding));
            }
        }
        // The type whose name says most of the operation's name is what the operation is about.
        let best = matched
            .iter()
            .filter(|(key, _)| in_noun(&noun, key))
            .map(|(key, binding)| (plain(key).len(), binding.members.len(), key.clone()))
            .max();
        let required = |key: &str| {
            self.actions
                .iter()
                .flat_map(|action| &action.resource_types)
                .any(|kind| kind.required && kind.name.eq_ignore_ascii_case(key))
        };
        // What is created is not there yet: what the request names is what it will live in, or uses.
        let first = matched.iter().find(|(key, _)| required(key)).or_else(|| matched.first());
        let other = first.filter(|_| !self.creates).map(|(key, _)| key.clone());
        let target = best.map(|(_, _, key)| key).or(other).unwrap_or_default();
        let target_members: Vec<usize> = matched
            .iter()
            .filter(|(key, _)| *key == target)
            .flat_map(|(_, binding)| binding.members.iter().map(|member| member.1))
            .collect();
        let mut bindings = Vec::new();
        for (key, mut binding) in matched {
            let inside =
                !target.is_empty() && binding.members.iter().all(|member| target_members.contains(&member.1));
            binding.role = if key == target {
                "target"
            } else if inside {
                // What the target's own name is built from is what it lives in.
                if binding.members.len() == target_members.len() { continue } else { "parent" }
            } else if self.creates && self.is_required(&binding) {
                "parent"
            } else if required(&key) && !self.creates {
                "target"
            } else {
                "uses"
            };
            bindings.push(binding);
        }
        bindings.sort_by_key(|binding| (binding.role != "target", binding.role, binding.kind.clone()));
        bindings
    }

    /// Every member of the binding is one that the request must carry.
    fn is_required(&self, binding: &Binding) -> bool {
        binding.members.iter().all(|(_, number)| {
            let top = self.places.visits().get(*number).and_then(|visit| visit.names.first().copied());
            top.is_some_and(|top| self.required.iter().any(|name| name == top))
        })
    }

    /// A type whose every variable is filled by a member, or whose ARN is carried.
    fn matched(&self, noun: &str, kind: &crate::iam::ResourceType) -> Option<Binding> {
        let key = plain(&kind.key);
        let own = in_noun(noun, &kind.key);
        let full = format!("{}:{}", self.prefix, kind.key.replace(' ', "-"));
        let template = Template::parse(&kind.arn);
        let carried = self.candidates(3).find(|(_, name)| {
            let name = singular(&plain(name));
            name == format!("{key}arn") || (own && name == "arn" && !self.creates)
        });
        if let Some((number, name)) = carried {
            return Some(Binding {
                role: "uses",
                kind: full,
                basis: "carried",
                template: String::new(),
                value_prefix: String::new(),
                members: vec![(name, number)],
            });
        }
        let mut members = Vec::new();
        for variable in &template.variables {
            let wanted = plain(variable);
            let last = members.len() + 1 == template.variables.len();
            let found = self.candidates(3).find(|(_, name)| {
                let name = plain(name);
                let one = singular(&name);
                [&name, &one].into_iter().any(|name| {
                    *name == wanted
                        || (last && *name == format!("{key}{}", ending(&wanted)))
                        || (last
                            && (*name == format!("{key}id") || *name == format!("{key}name") || *name == key))
                        || (last
                            && own
                            && matches!(name.as_str(), "id" | "name" | "identifier")
                            && wanted.ends_with(name.as_str()))
                })
            })?;
            members.push((variable.clone(), found.0));
        }
        if members.is_empty() {
            return None;
        }
        Some(Binding {
            role: "uses",
            kind: full,
            basis: "bound",
            template: template.text,
            value_prefix: String::new(),
            members,
        })
    }

    fn uses(&self, taken: &[usize]) -> Vec<Binding> {
        self.candidates(usize::MAX)
            .filter(|(number, _)| !taken.contains(number))
            .flat_map(|(number, name)| known::uses(self.prefix, number, &name))
            .collect()
    }

    /// With nothing better, the members that look like identifiers stand for the target, without a name.
    fn unnamed(&self, taken: &[usize]) -> Option<Binding> {
        if self.creates {
            return None;
        }
        // Roles, keys and networks are handed over; they are never what a change is about.
        let found: Vec<(usize, String)> = self
            .candidates(1)
            .filter(|(number, _)| !taken.contains(number))
            .filter(|(number, name)| {
                known::uses(self.prefix, *number, name).iter().all(|known| known.basis == "carried")
            })
            .collect();
        let arn = found.iter().find(|(_, name)| plain(name).trim_end_matches('s').ends_with("arn"));
        let kind =
            format!("{}:{}", self.prefix, dashed(&words(self.name).get(1..).unwrap_or_default().concat()));
        if let Some((number, name)) = arn {
            return Some(Binding {
                role: "target",
                kind,
                basis: "carried",
                template: String::new(),
                value_prefix: String::new(),
                members: vec![(name.clone(), *number)],
            });
        }
        let members: Vec<(String, usize)> = found
            .into_iter()
            .filter(|(_, name)| is_identifier(name))
            .map(|(number, name)| (name, number))
            .collect();
        (!members.is_empty()).then(|| Binding {
            role: "target",
            kind,
            basis: "unnamed",
            template: String::new(),
            value_prefix: String::new(),
            members,
        })
    }
}

/// A list of texts is met twice, as the member and as its items: only the items count.
fn is_list_head(visit: &crate::model::wire::Visit<'_>) -> bool {
    visit.shape.kind == "list"
}

/// What an operation is about: its name without its verb, plain and in the singular.
fn noun(name: &str) -> String {
    let words = words(name);
    let skip = if matches!(words.first().map(String::as_str), Some("Batch" | "Admin")) { 2 } else { 1 };
    singular(&plain(&words.get(skip..).unwrap_or_default().concat()))
}

fn in_noun(noun: &str, key: &str) -> bool {
    let key = singular(&plain(key));
    !key.is_empty() && noun.starts_with(&key)
}

fn ending(variable: &str) -> &'static str {
    ["identifier", "name", "arn", "id"].into_iter().find(|ending| variable.ends_with(ending)).unwrap_or("id")
}

fn is_identifier(name: &str) -> bool {
    let name = singular(&plain(name));
    let token = name.contains("token") || name.contains("request");
    !token && ["id", "name", "arn", "identifier", "key", "url"].iter().any(|ending| name.ends_with(ending))
}
