//! The decision on a slice is the decision on the whole estate: for random estates, every actor, resource
//! and effect class, and rules that follow every reference there is.
//!
//! The whole estate is built apart, with direct parents only, and asked without the index.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityUid, PolicySet, Request, RestrictedExpression,
    Schema,
};
use ordain_action::{Access, Effect, Level, Parameters, Party, Plane, Scalar, Upstream};
use proptest::prelude::*;

use super::{Figures, Question, types, uid};
use crate::facts::Facts;
use crate::model::{Model, Source};
use crate::policy::Answer;
use crate::resolve::{Estate, Site};
use crate::{LiveInventory, Modes};

/// One rule for every way to follow a reference, each about few things, so that the index leaves most out.
const RULES: &str = r#"
@id("t-1") @class("gate") @reason("r") @remedy("m")
forbid (principal in Group::"g1", action == Action::"update", resource in System::"system:s1");
@id("t-2") @class("gate") @reason("r") @remedy("m")
forbid (principal, action in Action::"change", resource in Scope::"x1") when { principal in Group::"g2" };
@id("t-3") @class("gate") @reason("r") @remedy("m")
forbid (principal in Group::"g0", action, resource) when { resource.owners.contains(Group::"g3") };
@id("t-4") @class("gate") @reason("r") @remedy("m")
forbid (principal, action == Action::"delete", resource) when { !(principal in resource.owners) && resource.known };
@id("t-5") @class("gate") @reason("r") @remedy("m")
forbid (principal == Actor::"a1", action, resource in Account::"111122223333")
when { resource has tier && resource.tier == "critical" };
@id("t-6") @class("gate") @reason("r") @remedy("m")
forbid (principal, action, resource is Resource in Environment::"e1") when { resource.hasTag("k") && resource.getTag("k") == "v" };
@id("t-7") @class("gate") @reason("r") @remedy("m")
forbid (principal, action, resource == Resource::"arn:aws:ec2:eu-west-1:111122223333:instance/r2");
@id("t-8") @class("gate") @reason("r") @remedy("m")
forbid (principal, action, resource) when { context.operation in Service::"rds" };
@id("t-9") @class("gate") @reason("r") @remedy("m")
forbid (principal, action, resource)
when { context.operation in [Operation::"ec2:StopInstances", Operation::"ec2:RebootInstances"] && principal.deploys.contains(System::"system:s2") };
@id("t-10") @class("gate") @reason("r") @remedy("m")
forbid (principal in Group::"g3", action, resource) when { context.parameters.hasTag("A.B") && context.parameters.getTag("A.B").contains("x") };
@id("t-11") @class("gate") @reason("r") @remedy("m")
forbid (principal in Group::"g2", action, resource) when { context.reach.dependants + 9223372036854775807 > 0 };
@id("t-13") @class("gate") @reason("r") @remedy("m")
forbid (principal, action, resource) when { context.reach.dependants > 5 };
@id("t-12") @class("ground") @reason("r") @remedy("")
permit (principal in Group::"g1", action in [Action::"update", Action::"tag"], resource in System::"system:s0");
"#;

/// Circumstances that differ by one: frozen, dependants, acting for the owner, what is lifted.
const UNDER: [(bool, u64, bool, Option<&str>); 6] = [
    (false, 1, true, None),
    (true, 1, true, None),
    (true, 1, true, Some("frozen")),
    (false, 9, true, None),
    (false, 1, false, None),
    (false, 1, false, Some("outside-window")),
];

const SERVICES: [(&str, &str); 3] =
    [("ec2", "StopInstances"), ("ec2", "ModifyInstanceAttribute"), ("rds", "ModifyDBInstance")];

/// A random estate: who is in which group, which group in which, what is where.
#[derive(Debug, Clone)]
struct Shape {
    parents: [Option<usize>; 4],
    actors: Vec<(usize, Option<usize>, Option<usize>)>,
    resources: Vec<(usize, Option<usize>, usize, bool)>,
}

fn shapes() -> impl Strategy<Value = Shape> {
    let parent = proptest::option::of(0..4_usize);
    let actor = (0..4_usize, proptest::option::of(0..4_usize), proptest::option::of(0..3_usize));
    let resource = (0..4_usize, proptest::option::of(0..3_usize), 0..5_usize, any::<bool>());
    (
        proptest::array::uniform4(parent),
        proptest::collection::vec(actor, 1..4),
        proptest::collection::vec(resource, 1..5),
    )
        .prop_map(|(mut parents, actors, resources)| {
            // A group that is part of itself is refused when the model is read.
            for (group, parent) in parents.iter_mut().enumerate() {
                *parent = parent.filter(|parent| *parent < group);
            }
            Shape { parents, actors, resources }
        })
}

fn documents(shape: &Shape) -> String {
    let mut text = String::from(
        "apiVersion: ordain/v1\nkind: Scope\nmetadata: {name: x1}\nspec: {names: ['*instance/r1', '*instance/r3'], environment: e1}\n---\n\
         apiVersion: ordain/v1\nkind: Scope\nmetadata: {name: x2}\nspec: {tags: {k: v}, tier: critical}\n",
    );
    for (group, parent) in shape.parents.iter().enumerate() {
        let parent = parent.map(|parent| format!("parent: g{parent}")).unwrap_or_default();
        let _ = write!(
            text,
            "---\napiVersion: ordain/v1\nkind: Group\nmetadata: {{name: g{group}}}\nspec: {{{parent}}}\n"
        );
    }
    for system in 0..3 {
        let _ = write!(
            text,
            "---\napiVersion: ordain/v1\nkind: System\nmetadata: {{name: s{system}}}\nspec: {{owner: g{system}}}\n"
        );
    }
    for (actor, (first, second, deploys)) in shape.actors.iter().enumerate() {
        let second = second.map(|second| format!(", g{second}")).unwrap_or_default();
        let deploys = deploys.map(|system| format!("s{system}")).unwrap_or_default();
        let _ = write!(
            text,
            "---\napiVersion: ordain/v1\nkind: Actor\nmetadata: {{name: a{actor}}}\nspec: {{kind: pipeline, memberOf: [g{first}{second}], deploys: [{deploys}]}}\n"
        );
    }
    for (resource, (owner, system, tag, owned)) in shape.resources.iter().enumerate() {
        let system = system.map(|system| format!(", system: s{system}")).unwrap_or_default();
        let value = if *tag == 0 { "v" } else { "w" };
        let environment = if *owned { ", environment: e1" } else { "" };
        let _ = write!(
            text,
            "---\napiVersion: ordain/v1\nkind: Resource\nmetadata: {{name: r{resource}}}\n\
             spec: {{type: 'ec2:instance', owner: g{owner}{system}, tags: {{k: {value}}}{environment}, name: 'arn:aws:ec2:eu-west-1:111122223333:instance/r{resource}'}}\n"
        );
    }
    text
}

fn model(shape: &Shape) -> Arc<Model> {
    let sources = [
        Source { path: "estate.yaml".to_owned(), text: documents(shape) },
        Source { path: "rules/t.cedar".to_owned(), text: RULES.to_owned() },
    ];
    let snapshot = crate::Snapshot::load(&sources, Modes::new(crate::Mode::Enforce)).unwrap();
    Arc::clone(snapshot.model().unwrap())
}

/// Every entity there is, each with its direct parents only.
fn whole(model: &Model, shape: &Shape, question: &Question<'_>) -> Entities {
    let types = types().unwrap();
    let mut all: HashMap<EntityUid, Entity> = HashMap::new();
    let mut add = |entity: Entity| drop(all.insert(entity.uid(), entity));
    for (group, parent) in shape.parents.iter().enumerate() {
        let above = parent.iter().map(|parent| uid(&types.group, &format!("g{parent}"))).collect();
        add(Entity::new_no_attrs(uid(&types.group, &format!("g{group}")), above));
    }
    for (name, person) in &model.people.actors {
        let groups = person.teams.iter().map(|team| uid(&types.group, team)).collect();
        let attributes = HashMap::from([
            ("name".to_owned(), super::text(name)),
            ("kind".to_owned(), super::text(person.kind.as_str())),
            ("deploys".to_owned(), super::references(&types.system, &person.deploys)),
        ]);
        add(Entity::new(uid(&types.actor, name), attributes, groups).unwrap());
    }
    for access in Access::ALL {
        let change = HashSet::from([uid(&types.action, "change")]);
        add(Entity::new_no_attrs(uid(&types.action, access.as_str()), change));
    }
    for (service, operation) in SERVICES {
        let service_uid = HashSet::from([uid(&types.service, service)]);
        add(Entity::new_no_attrs(uid(&types.operation, &format!("{service}:{operation}")), service_uid));
    }
    for entry in model.inventory.entries() {
        let standing = &entry.standing;
        let mut attributes = HashMap::from([
            ("name".to_owned(), super::text(&entry.name)),
            ("kind".to_owned(), super::text(&entry.kind)),
            ("account".to_owned(), super::text(&entry.account)),
            ("region".to_owned(), super::text(&entry.region)),
            ("known".to_owned(), RestrictedExpression::new_bool(true)),
            ("owners".to_owned(), super::references(&types.group, &standing.owners)),
        ]);
        attributes.extend(standing.tier.map(|tier| ("tier".to_owned(), super::text(tier.as_str()))));
        attributes
            .extend(standing.environment.iter().map(|name| ("environment".to_owned(), super::text(name))));
        let mut holders = HashSet::from([uid(&types.account, &entry.account)]);
        holders.extend(standing.system.iter().map(|system| uid(&types.system, system)));
        holders.extend(standing.environment.iter().map(|name| uid(&types.environment, name)));
        holders.extend(standing.scopes.iter().map(|scope| uid(&types.scope, scope)));
        let tags = entry.tags.iter().map(|(key, value)| (key.to_string(), super::text(value)));
        add(Entity::new_with_tags(uid(&types.resource, &entry.name), attributes, holders, tags).unwrap());
    }
    add(question.parameters(types).unwrap());
    Entities::from_entities(all.into_values(), None).unwrap()
}

/// Everything that does not change from one question to the next.
struct Whole {
    policies: PolicySet,
    entities: Entities,
    schema: Schema,
}

/// What is decided without slice and index: whether it is admitted, and what failed.
fn on_the_whole(whole: &Whole, question: &Question<'_>) -> (bool, Vec<String>) {
    let types = types().unwrap();
    let request = Request::new(
        uid(&types.actor, &question.party.name),
        uid(&types.action, question.access.as_str()),
        uid(&types.resource, &question.site.name),
        Context::from_pairs(question.context(types)).unwrap(),
        Some(&whole.schema),
    );
    let response = Authorizer::new().is_authorized(&request.unwrap(), &whole.policies, &whole.entities);
    let failed = response.diagnostics().errors().map(|error| {
        let cedar_policy::AuthorizationError::PolicyEvaluationError(error) = error;
        error.policy_id().to_string()
    });
    let failed: BTreeSet<String> = failed.collect();
    (response.decision() == Decision::Allow && failed.is_empty(), failed.into_iter().collect())
}

fn on_the_slice(model: &Model, question: &Question<'_>) -> (bool, Vec<String>) {
    let candidates = model.rules.candidates(question.access, &question.asked().unwrap());
    let (request, entities) = question.slice().unwrap();
    assert!(entities.len() <= 20, "{} entities", entities.len());
    let answer = model.rules.ask(&candidates, &request, &entities);
    let admitted = !answer.grounds.is_empty() && answer.gates.is_empty() && answer.failed.is_empty();
    (admitted, answer.failed.iter().map(ToString::to_string).collect())
}

/// What the rules say now, whatever they said before.
fn asked_now(question: &mut Question<'_>) -> Result<Answer, Infallible> {
    let rules = &question.model.rules;
    let candidates = rules.candidates(question.access, &question.asked().unwrap());
    question.with_parameters = candidates.read_parameters();
    let (request, entities) = question.slice().unwrap();
    Ok(rules.ask(&candidates, &request, &entities))
}

fn effect(service: &str, operation: &str, access: Access) -> Effect {
    let mut parameters = Parameters::new();
    parameters.push("A.1.B", Scalar::Text("x")).unwrap();
    if access == Access::Expose {
        parameters.push("PubliclyAccessible", Scalar::Bool(true)).unwrap();
    }
    Effect {
        service: Arc::from(service),
        operation: Arc::from(operation),
        iam_action: Arc::from(""),
        access,
        level: Level::Control,
        resources: Vec::new(),
        parameters,
    }
}

/// What every question begins with.
const REACH: Figures = Figures { known: true, targets: 1, dependants: 1, owners_crossed: 0, irreversible: 0 };

/// All that there is, and all rules.
fn all(model: &Model, shape: &Shape, question: &Question<'_>) -> Whole {
    let rules = model.rules.all().iter().map(|rule| rule.policy().clone());
    Whole {
        policies: PolicySet::from_policies(rules).unwrap(),
        entities: whole(model, shape, question),
        schema: crate::policy::schema().unwrap(),
    }
}

fn check(shape: &Shape) -> Result<(), TestCaseError> {
    let model = model(shape);
    let live = LiveInventory::new();
    let upstream = Upstream {
        name: Arc::from("default"),
        plane: Plane::Aws,
        account: Arc::from("111122223333"),
        partition: Arc::from("aws"),
    };
    let region = Arc::from("eu-west-1");
    let estate = Estate {
        model: &model,
        live: &live,
        upstream: &upstream,
        plane: Plane::Aws,
        region: &region,
        now: jiff::Timestamp::UNIX_EPOCH,
    };
    let mut sites: Vec<Site> = Vec::new();
    for number in 0..shape.resources.len() {
        sites.extend(estate.named(&format!("arn:aws:ec2:eu-west-1:111122223333:instance/r{number}")));
    }
    let mut whole_estate: Option<Whole> = None;
    for (name, person) in &model.people.actors {
        let party = Party { name: Arc::clone(name), kind: person.kind };
        for (site, access) in sites.iter().flat_map(|site| Access::ALL.map(|access| (site, access))) {
            if access == Access::Read {
                continue;
            }
            for (service, operation) in SERVICES {
                let effect = effect(service, operation, access);
                let facts = Facts::read(Plane::Aws, &effect);
                let standing = crate::owner::Standing::of(person, site);
                let mut question = Question {
                    model: &model,
                    party: &party,
                    person,
                    effect: &effect,
                    access,
                    region: "eu-west-1",
                    site,
                    facts: &facts,
                    proven: true,
                    on_behalf_of: false,
                    acts_for_owner: standing.acts_for_owner,
                    deploys: standing.deploys,
                    declared: access == Access::Grant,
                    change: (access == Access::Update).then(|| Arc::from("change")),
                    approved: access == Access::Update,
                    unplanned: access == Access::Execute,
                    outside: if access == Access::Tag { vec![Arc::from("window")] } else { Vec::new() },
                    lifted: Vec::new(),
                    frozen: if access == Access::Delete { vec![Arc::from("freeze")] } else { Vec::new() },
                    reach: REACH,
                    with_parameters: true,
                };
                let whole = whole_estate.get_or_insert_with(|| all(&model, shape, &question));
                prop_assert_eq!(on_the_slice(&model, &question), on_the_whole(whole, &question));
                // The same thing is asked of under other circumstances, one at a time, so that an answer that was kept
                // for others would be told here.
                for (frozen, dependants, acts, lifted) in UNDER {
                    question.with_parameters = false;
                    question.acts_for_owner = acts;
                    question.reach.dependants = dependants;
                    question.frozen = if frozen { vec![Arc::from("another")] } else { Vec::new() };
                    question.approved = acts;
                    question.unplanned = frozen;
                    question.change = acts.then(|| Arc::from("another"));
                    question.outside = if acts { Vec::new() } else { vec![Arc::from("a window")] };
                    question.lifted = lifted.into_iter().map(Arc::from).collect();
                    let kept = question.answer(asked_now).unwrap();
                    let now = asked_now(&mut question).unwrap();
                    prop_assert_eq!(&*kept, &now);
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn a_slice_decides_as_the_whole_estate_would(shape in shapes()) {
        check(&shape)?;
    }
}
