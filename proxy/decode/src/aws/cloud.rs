//! Cloud Control: any resource by the name of its type and its primary identifier.
//!
//! Leaves out the properties, which are parameters like any other (`batch.rs` unfolds them).

use std::sync::Arc;

use ordain_action::{Access, Completeness, Effect, Identifier, NameBasis, Resource, Role, Scalar};
use ordain_catalog::Catalog;

use super::bind::is_arn;
use super::cloud_types::{NAMED, QUEUE, REVIEWED, grants, is_grant_alone, opens_nothing};
use super::queue;
use super::resource::Place;
use crate::form::fields::segments;

/// The members that say what is done, to what.
const MEMBERS: [&str; 4] = ["TypeName", "Identifier", "DesiredState", "PatchDocument"];

/// What a request to Cloud Control does to which resource.
pub(super) fn control(effect: &mut Effect, catalog: &Catalog, place: &Place<'_>) {
    let type_name = effect.parameters.text("TypeName").unwrap_or_default().to_owned();
    let identifier = effect.parameters.text("Identifier").unwrap_or_default().to_owned();
    effect.resources.retain(|resource| resource.role == Role::Uses);
    effect.access = match &*effect.operation {
        "CreateResource" => Access::Create,
        "DeleteResource" => Access::Delete,
        _ if effect.access == Access::Expose => Access::Expose,
        // A change of who may do what, whatever the way it comes.
        _ if grants(&type_name) => Access::Grant,
        _ => Access::Update,
    };
    if let Some(why) = unread(effect, &type_name) {
        effect.parameters.incomplete(Completeness::Partial(why));
    }
    let attached = attached_to(effect, &type_name, place);
    let (kind, name, basis) = named(&type_name, &identifier, catalog, place);
    let mut identifiers = vec![Identifier { name: Arc::from("TypeName"), value: type_name }];
    // Each part of an identifier may be known by itself.
    let parts = identifier.split('|').filter(|part| *part != identifier);
    identifiers.extend(parts.map(|part| Identifier { name: Arc::from("Part"), value: part.to_owned() }));
    if !identifier.is_empty() {
        identifiers.push(Identifier { name: Arc::from("Identifier"), value: identifier });
    }
    let pattern = name.contains(['*', '?']);
    effect.resources.push(Resource { role: Role::Target, kind, name, basis, pattern, identifiers });
    for resource in attached {
        if !effect.resources.iter().any(|known| known.role == resource.role && known.name == resource.name) {
            effect.resources.push(resource);
        }
    }
}

/// What else the request is: to make a policy is to create and to grant, and to take one away changes a grant.
pub(super) fn also(main: &Effect) -> Option<Vec<Effect>> {
    let type_name = main.parameters.text("TypeName").unwrap_or_default();
    let also_grants = match main.access {
        Access::Create => grants(type_name),
        Access::Delete => is_grant_alone(type_name),
        Access::Read
        | Access::SecretRead
        | Access::Update
        | Access::Tag
        | Access::Execute
        | Access::Grant
        | Access::Expose => false,
    };
    also_grants.then(|| vec![main.clone(), Effect { access: Access::Grant, ..main.clone() }])
}

/// Why the properties do not tell what they open or grant; `None` where nothing could.
fn unread(effect: &Effect, type_name: &str) -> Option<&'static str> {
    if &*effect.operation == "DeleteResource" {
        return None;
    }
    if !opens_nothing(type_name) {
        return Some(
            "what properties of this type open or grant is not decoded; use the operation of its service",
        );
    }
    let other_letters = |path: &str| {
        MEMBERS.iter().any(|member| path.eq_ignore_ascii_case(member)) && !MEMBERS.contains(&path)
    };
    if effect.parameters.iter().any(|leaf| segments(leaf.path).next().is_some_and(other_letters)) {
        return Some("a member's name is in other letters than the service's");
    }
    // A patch may say who owns something, or replace all there is.
    let retags = effect.parameters.iter().any(|leaf| {
        let mut parts = segments(leaf.path);
        let is_path = parts.next() == Some("PatchDocument")
            && parts.nth(1).is_some_and(|member| member.eq_ignore_ascii_case("path"));
        let property = match leaf.value {
            Scalar::Text(text) => text.strip_prefix('/').unwrap_or_default(),
            Scalar::Number(_) | Scalar::Bool(_) | Scalar::Null | Scalar::Empty | Scalar::Token(_) => "",
        };
        is_path && (property.is_empty() || property.to_ascii_lowercase().starts_with("tag"))
    });
    retags.then_some("a patch of tags is not decoded; use the operation of the service")
}

/// What is there already, and what the new resource is attached to: by the properties that name it.
pub(super) fn attached_to(effect: &Effect, type_name: &str, place: &Place<'_>) -> Vec<Resource> {
    let mut found = Vec::new();
    for leaf in effect.parameters.iter() {
        let mut parts = segments(leaf.path);
        let Scalar::Text(value) = leaf.value else { continue };
        let (Some("DesiredState"), Some(property)) = (parts.next(), parts.next()) else { continue };
        let named =
            NAMED.iter().find(|(start, name, _, _)| type_name.starts_with(start) && *name == property);
        let Some((_, _, kind, template)) = named.filter(|_| !value.is_empty()) else { continue };
        let (name, basis) = if is_arn(value) {
            (value.to_owned(), NameBasis::Carried)
        } else if *kind == QUEUE {
            queue::named(value, place)
        } else if template.is_empty() || value.contains(['{', '}']) {
            (String::new(), NameBasis::Unnamed)
        } else {
            (in_place(template, place).replace("{id}", value), NameBasis::Reviewed)
        };
        let pattern = name.contains(['*', '?']);
        let identifiers = vec![Identifier { name: Arc::from(property), value: value.to_owned() }];
        found.push(Resource {
            role: Role::Target,
            kind: Arc::from(*kind),
            name,
            basis,
            pattern,
            identifiers,
        });
    }
    found
}

pub(super) fn named(
    type_name: &str,
    identifier: &str,
    catalog: &Catalog,
    place: &Place<'_>,
) -> (Arc<str>, String, NameBasis) {
    let reviewed = REVIEWED.iter().find(|(name, _, _)| *name == type_name);
    let known = catalog.resource_type(type_name);
    let kind = match (reviewed, known) {
        (Some((_, kind, _)), _) => Arc::from(*kind),
        (None, Some(known)) => Arc::from(known.kind),
        (None, None) => Arc::from(format!("cloudformation:{type_name}")),
    };
    if identifier.is_empty() || identifier.contains(['{', '}']) {
        return (kind, String::new(), NameBasis::Unnamed);
    }
    if is_arn(identifier) && !identifier.contains('|') {
        return (kind, identifier.to_owned(), NameBasis::Carried);
    }
    if &*kind == QUEUE {
        let (name, basis) = queue::named(identifier, place);
        return (kind, name, basis);
    }
    if let Some((_, _, template)) = reviewed {
        let name = in_place(&template.replace("{id}", "{1}"), place);
        return (kind, name.replace("{1}", identifier), NameBasis::Reviewed);
    }
    let parts: Vec<&str> = identifier.split('|').collect();
    let template = known.and_then(|known| known.template).unwrap_or_default();
    let part =
        |number: &str| number.parse::<usize>().ok()?.checked_sub(1).and_then(|at| parts.get(at).copied());
    if let Some(carrying) = template.strip_prefix('@') {
        return match part(carrying).filter(|part| is_arn(part)) {
            Some(arn) => (kind, arn.to_owned(), NameBasis::Carried),
            None => (kind, String::new(), NameBasis::Unnamed),
        };
    }
    let mut name = in_place(template, place);
    for (number, part) in (1..).zip(&parts) {
        name = name.replacen(&format!("{{{number}}}"), part, 1);
    }
    // Fewer parts than the template has say another resource than it.
    let whole = !name.is_empty() && !template.contains(&format!("{{{}}}", parts.len() + 1));
    if whole { (kind, name, NameBasis::Bound) } else { (kind, String::new(), NameBasis::Unnamed) }
}

fn in_place(template: &str, place: &Place<'_>) -> String {
    let mut name = template.to_owned();
    for (variable, value) in [
        ("{p}", place.partition),
        ("{r}", place.region),
        ("{a}", place.account),
        ("{partition}", place.partition),
        ("{region}", place.region),
        ("{account}", place.account),
    ] {
        name = name.replace(variable, value);
    }
    name
}
