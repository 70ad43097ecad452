//! The rules: Cedar policies, built in and from the model, indexed so that a decision evaluates few.
//!
//! Leaves out what they are asked about (`slice.rs`). Grounds and gates are evaluated apart, so that a
//! refusal names every gate that says no and also whether there was a ground at all.

mod index;
mod statement;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use cedar_policy::{
    Authorizer, Decision, Entities, PolicyId, PolicySet, Request, Schema, ValidationMode, Validator,
};
use ordain_action::{Access, Digest, ReasonCode};

use crate::Count;
use crate::model::{Problem, Source};
use index::Index;

pub(crate) use index::{Asked, word};
pub(crate) use statement::Wording;

/// The schema of every rule.
const SCHEMA: &str = include_str!("../../schema/ordain.cedarschema");

/// The rules that hold in every model.
const BUILT_IN: [(&str, &str); 5] = [
    ("built-in/grounds.cedar", include_str!("../../policies/grounds.cedar")),
    ("built-in/agents.cedar", include_str!("../../policies/agents.cedar")),
    ("built-in/exposure.cedar", include_str!("../../policies/exposure.cedar")),
    ("built-in/kubernetes.cedar", include_str!("../../policies/kubernetes.cedar")),
    ("built-in/circumstances.cedar", include_str!("../../policies/circumstances.cedar")),
];

/// How far a rule may follow references from what it is asked about; the slice holds that much.
const LEVEL: u32 = 2;

/// The most sets of rules kept ready.
const SETS_MAX: usize = 4_096;

/// The most rules that all sets kept ready hold together: who asks chooses what comes together.
const SET_RULES_MAX: usize = 65_536;

/// Whether a rule permits or forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// Why a change may be.
    Ground,
    /// Each alone denies.
    Gate,
    /// Each alone holds, until the owners of what it is about have approved the request.
    Hold,
}

impl Class {
    /// The word used in output.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ground => "ground",
            Self::Gate => "gate",
            Self::Hold => "hold",
        }
    }
}

/// One rule.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: Arc<str>,
    pub(crate) class: Class,
    pub(crate) count: Count,
    pub(crate) code: ReasonCode,
    pub(crate) reason: Wording,
    pub(crate) remedy: Wording,
    /// It asks for parameters themselves, not only for what was read from them.
    pub(crate) reads_parameters: bool,
    /// It says of itself that it may be lifted.
    pub(crate) liftable: bool,
    policy: cedar_policy::Policy,
    place: (String, usize),
}

impl Rule {
    /// The file it stands in, and the line.
    pub(crate) fn place(&self) -> (&str, usize) {
        (&self.place.0, self.place.1)
    }

    /// The rule as its file has it.
    pub(crate) fn text(&self) -> String {
        self.policy.to_string()
    }
}

#[cfg(test)]
impl Rule {
    pub(crate) const fn policy(&self) -> &cedar_policy::Policy {
        &self.policy
    }
}

/// All rules of a model.
#[derive(Debug)]
pub(crate) struct Rules {
    rules: Vec<Rule>,
    by_id: HashMap<PolicyId, u32>,
    index: Index,
    digest: Digest,
    /// Sets put together before, by the rules in them: the same few come up again and again.
    sets: Mutex<Ready>,
}

/// Sets kept ready, and how many rules they hold together.
#[derive(Debug, Default)]
struct Ready {
    sets: HashMap<Box<[u32]>, Arc<Sets>>,
    rules: usize,
}

impl Ready {
    fn keep(&mut self, numbers: Vec<u32>, together: &Arc<Sets>) {
        if numbers.len() > SET_RULES_MAX {
            return;
        }
        if self.sets.len() >= SETS_MAX || self.rules + numbers.len() > SET_RULES_MAX {
            *self = Self::default();
        }
        self.rules += numbers.len();
        self.sets.insert(numbers.into(), Arc::clone(together));
    }
}

#[derive(Debug, Default)]
struct Sets {
    grounds: PolicySet,
    gates: PolicySet,
    reads_parameters: bool,
}

/// The rules that may have a say, put together.
#[derive(Debug, Clone)]
pub(crate) struct Candidates(Arc<Sets>);

impl Candidates {
    /// Some of them ask for parameters themselves.
    pub(crate) fn read_parameters(&self) -> bool {
        self.0.reads_parameters
    }
}

/// What the rules said.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Grounds that hold, sorted.
    pub(crate) grounds: Vec<u32>,
    /// Gates that say no and holds that ask, sorted.
    pub(crate) gates: Vec<u32>,
    /// Rules that could not be evaluated, sorted. Any denies: a gate that fails does not forbid.
    pub(crate) failed: Vec<Arc<str>>,
}

/// The schema, parsed.
pub(crate) fn schema() -> Result<Schema, String> {
    Schema::from_cedarschema_str(SCHEMA).map(|(schema, _)| schema).map_err(|error| error.to_string())
}

/// The digest of the schema.
pub(crate) fn schema_digest() -> Digest {
    static DIGEST: LazyLock<Digest> = LazyLock::new(|| Digest::of(SCHEMA.as_bytes()));
    *DIGEST
}

impl Rules {
    /// Reads the built in rules and those of a model's files. Problems found are added to those given.
    pub(crate) fn load(sources: &[&Source], problems: &mut Vec<Problem>) -> Self {
        let mut rules: Vec<Rule> = Vec::new();
        let mut places: HashMap<Arc<str>, (String, usize)> = HashMap::new();
        let built_in = BUILT_IN.map(|(path, text)| Source { path: path.to_owned(), text: text.to_owned() });
        for source in built_in.iter().chain(sources.iter().copied()) {
            for rule in statement::rules(source, problems) {
                match places.get(&rule.id) {
                    None => {
                        places.insert(Arc::clone(&rule.id), rule.place.clone());
                        rules.push(rule);
                    }
                    Some((path, line)) => problems.push(Problem {
                        text: format!(
                            "a rule with the id `{}` is in `{path}` line {line} already; give one of them another id",
                            rule.id
                        ),
                        path: rule.place.0,
                        line: rule.place.1,
                    }),
                }
            }
        }
        rules.sort_by(|left, right| left.id.cmp(&right.id));
        // The built in ones were validated when they were tested; to do it again would double the start.
        let own: Vec<&Rule> = rules.iter().filter(|rule| !rule.place.0.starts_with("built-in/")).collect();
        if !own.is_empty() {
            validate(&own, problems);
        }
        let digest = super::model::digest(built_in.iter().chain(sources.iter().copied()));
        Self {
            by_id: rules.iter().zip(0..).map(|(rule, number)| (rule.policy.id().clone(), number)).collect(),
            index: Index::new(rules.iter().map(|rule| &rule.policy)),
            rules,
            digest,
            sets: Mutex::default(),
        }
    }

    pub(crate) const fn digest(&self) -> Digest {
        self.digest
    }

    pub(crate) fn get(&self, number: u32) -> Option<&Rule> {
        self.rules.get(number as usize)
    }

    /// The rule of an id.
    pub(crate) fn by_id(&self, id: &str) -> Option<&Rule> {
        let found = self.rules.binary_search_by(|rule| rule.id.as_ref().cmp(id)).ok();
        found.and_then(|at| self.rules.get(at))
    }

    pub(crate) fn all(&self) -> &[Rule] {
        &self.rules
    }

    /// The rules that may have a say on an effect class and what is asked about.
    pub(crate) fn candidates(&self, access: Access, asked: &Asked) -> Candidates {
        let numbers = self.index.candidates(access, asked);
        let mut ready = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = ready.sets.get(numbers.as_slice()) {
            return Candidates(Arc::clone(known));
        }
        let mut together = Sets::default();
        for rule in numbers.iter().filter_map(|number| self.get(*number)) {
            let set = match rule.class {
                Class::Ground => &mut together.grounds,
                Class::Gate | Class::Hold => &mut together.gates,
            };
            // INVARIANT: ids are unique (`load` refuses others), so that adding one cannot fail.
            let _ = set.add(rule.policy.clone());
            together.reads_parameters |= rule.reads_parameters;
        }
        let together = Arc::new(together);
        ready.keep(numbers, &together);
        Candidates(together)
    }

    /// Evaluates rules; both classes in full.
    pub(crate) fn ask(&self, candidates: &Candidates, request: &Request, entities: &Entities) -> Answer {
        let authorizer = Authorizer::new();
        let mut answer = Answer::default();
        for (class, set) in [(Class::Ground, &candidates.0.grounds), (Class::Gate, &candidates.0.gates)] {
            if set.is_empty() {
                continue;
            }
            let response = authorizer.is_authorized(request, set, entities);
            let said = response.diagnostics().reason().filter_map(|id| self.by_id.get(id).copied());
            match class {
                Class::Ground if response.decision() == Decision::Allow => answer.grounds.extend(said),
                Class::Ground => {}
                Class::Gate | Class::Hold => answer.gates.extend(said),
            }
            for error in response.diagnostics().errors() {
                let cedar_policy::AuthorizationError::PolicyEvaluationError(error) = error;
                answer.failed.push(Arc::from(AsRef::<str>::as_ref(error.policy_id())));
            }
        }
        answer.grounds.sort_unstable();
        answer.gates.sort_unstable();
        answer.failed.sort_unstable();
        answer
    }
}

fn validate(rules: &[&Rule], problems: &mut Vec<Problem>) {
    let schema = match schema() {
        Ok(schema) => schema,
        Err(text) => {
            problems.push(Problem { path: "built-in/ordain.cedarschema".to_owned(), line: 1, text });
            return;
        }
    };
    let mut set = PolicySet::new();
    for rule in rules {
        let _ = set.add(rule.policy.clone());
    }
    let result = Validator::new(schema).validate_with_level(&set, ValidationMode::Strict, LEVEL);
    for error in result.validation_errors() {
        let id: &str = error.policy_id().as_ref();
        let found = rules.binary_search_by(|rule| rule.id.as_ref().cmp(id)).ok().and_then(|at| rules.get(at));
        let (path, line) = found.map(|rule| rule.place.clone()).unwrap_or_default();
        let text = format!("rule `{id}` does not fit the schema: {error}; correct the rule");
        problems.push(Problem { path, line, text });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Ready, Rules, SET_RULES_MAX, SETS_MAX, Sets, validate};

    #[test]
    fn sets_kept_ready_are_bounded_by_number_and_by_what_they_hold() {
        let together = Arc::new(Sets::default());
        for size in [1u32, 1_000, 100_000] {
            let mut ready = Ready::default();
            for first in 0..5_000u32.min(10_000_000 / size) {
                ready.keep((first..first + size).collect(), &together);
                assert!(ready.sets.len() <= SETS_MAX && ready.rules <= SET_RULES_MAX);
                assert_eq!(ready.rules, ready.sets.keys().map(|set| set.len()).sum::<usize>());
            }
        }
    }

    #[test]
    fn the_built_in_rules_fit_the_schema() {
        let mut problems = Vec::new();
        let rules = Rules::load(&[], &mut problems);
        validate(&rules.all().iter().collect::<Vec<_>>(), &mut problems);
        assert_eq!(problems, []);
        assert!(rules.all().len() >= 23, "{} rules", rules.all().len());
    }
}
