//! Whether a refusal by the upstream says that nothing happened.
//!
//! Leaves out what is done where it does not (`claim.rs`). A control plane that does several things one after the other
//! refuses a request when it meets the first that it will not do, and what came before it is done.

use ordain_action::{Access, Call, Effect, NameBasis, Plane, Reading, Resource, Role};

/// It is one effect on one resource, told by its name, and nothing that runs or talks.
pub(super) fn is_sole(reading: &Reading) -> bool {
    match reading {
        Reading::Call(call) => match call.effects.as_slice() {
            [effect] => !talks(call) && effect.access != Access::Execute && touches_one(effect),
            _ => false,
        },
        Reading::Undecodable { .. } => false,
    }
}

/// Its answer comes from something that was talked with, and what was said to that may have done anything.
fn talks(call: &Call) -> bool {
    let relayed = |effect: &Effect| {
        let parts = || effect.operation.split('/');
        let relays = parts().any(|part| matches!(part, "proxy" | "exec" | "attach" | "portforward"));
        call.plane == Plane::Kubernetes && (relays || parts().next() == Some("deletecollection"))
    };
    call.answer.streams || call.answer.upgrades || call.effects.iter().any(relayed)
}

fn touches_one(effect: &Effect) -> bool {
    let of = |role: Role| effect.resources.iter().filter(move |resource| resource.role == role);
    let is_one = |resource: &Resource| {
        !resource.pattern && !matches!(resource.basis, NameBasis::Scope | NameBasis::Unnamed)
    };
    let (targets, parents) = (of(Role::Target).count(), of(Role::Parent).count());
    if targets == 0 {
        // What is made has no name yet, and lies in one thing.
        return parents == 1
            && of(Role::Parent).all(|parent| !parent.pattern)
            && effect.access == Access::Create;
    }
    targets == 1 && of(Role::Target).all(is_one)
}

#[cfg(test)]
mod tests {
    use ordain_action::{Answer, Level, Parameters, Undecodable};

    use super::*;

    fn resource(role: Role, name: &str) -> Resource {
        Resource {
            role,
            kind: "ec2:instance".into(),
            name: name.to_owned(),
            basis: NameBasis::Reviewed,
            pattern: name.ends_with('*'),
            identifiers: Vec::new(),
        }
    }

    fn effect(operation: &str, access: Access, resources: Vec<Resource>) -> Effect {
        Effect {
            service: "ec2".into(),
            operation: operation.into(),
            iam_action: "ec2:Any".into(),
            access,
            level: Level::Control,
            resources,
            parameters: Parameters::default(),
        }
    }

    fn call(plane: Plane, effects: Vec<Effect>, answer: Answer) -> Reading {
        Reading::Call(Call { plane, effects, answer, region: "".into() })
    }

    #[test]
    fn a_refusal_says_something_only_of_one_effect_on_one_thing() {
        let target = |name: &str| resource(Role::Target, name);
        let of = |effects: Vec<Effect>| is_sole(&call(Plane::Aws, effects, Answer::default()));
        let delete = |resources: Vec<Resource>| effect("TerminateInstances", Access::Delete, resources);
        assert!(of(vec![delete(vec![target("i-1")])]));
        assert!(of(vec![delete(vec![
            target("i-1"),
            resource(Role::Uses, "subnet"),
            resource(Role::Parent, "vpc")
        ])]));
        assert!(of(vec![effect("CreateTags", Access::Create, vec![resource(Role::Parent, "vpc")])]));
        assert!(!of(vec![delete(vec![target("i-1"), target("i-2")])]), "of two zones one goes first");
        assert!(!of(vec![delete(vec![target("i-1")]), delete(vec![target("i-2")])]));
        assert!(!of(vec![delete(vec![target("i-*")])]));
        assert!(!of(vec![delete(vec![Resource { basis: NameBasis::Scope, ..target("account") }])]));
        assert!(!of(vec![delete(vec![Resource { basis: NameBasis::Unnamed, ..target("") }])]));
        assert!(!of(vec![delete(vec![resource(Role::Parent, "vpc")])]));
        assert!(!of(vec![effect("SendCommand", Access::Execute, vec![target("i-1")])]));
        let why = Undecodable::new("unknown_operation", "it is unknown");
        assert!(!is_sole(&Reading::Undecodable { plane: Plane::Aws, why }));
    }

    #[test]
    fn what_talks_with_something_hears_its_refusals() {
        let in_cluster = |operation: &str, answer: Answer| {
            let resources = vec![resource(Role::Target, "k8s://prod/core/namespaces/shop/pods/web")];
            is_sole(&call(Plane::Kubernetes, vec![effect(operation, Access::Delete, resources)], answer))
        };
        assert!(in_cluster("delete/pods", Answer::default()));
        for operation in
            ["deletecollection/pods", "delete/services/proxy", "create/pods/exec", "create/pods/attach"]
        {
            assert!(!in_cluster(operation, Answer::default()), "{operation}");
        }
        assert!(!in_cluster("delete/pods", Answer { streams: true, ..Answer::default() }));
        assert!(!in_cluster("delete/pods", Answer { upgrades: true, ..Answer::default() }));
    }
}
