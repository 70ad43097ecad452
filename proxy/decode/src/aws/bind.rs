//! The resources that a request names, by the catalogue's bindings.
//!
//! Leaves out resources that only the value betrays (`authority.rs`) and those of batches (`batch.rs`).

use std::collections::{HashMap, HashSet};

use ordain_action::{Identifier, NameBasis, Resource, Role, Undecodable};
use ordain_catalog::{Binding, BoundMember, Location, Operation, Protocol};

use super::gather;
use super::resource::Place;
use super::secret;
use super::wire::{Leaf, Wire};
use crate::form::fields::clip;

/// The most resources a read may name: beyond, some would go unseen.
const RESOURCES_READ_MAX: usize = 4_096;

/// The most resources a change may name. Each is resolved, judged and recorded, so that a list has to end; the
/// vendor's own lists end at a thousand, and what they lie in stands beside them.
pub(super) const RESOURCES_MAX: usize = 1_024;

struct Match<'w> {
    items: Vec<&'w str>,
    value: &'w str,
}

/// All resources that the bindings find, each once, in the order of the bindings and the request.
///
/// A secret names nothing: names and identifiers are kept as they are.
pub(super) fn resources(
    operation: &Operation,
    protocol: Protocol,
    wire: &Wire,
    place: &Place<'_>,
) -> Vec<Resource> {
    let is_secret = |location, path: &str| secret::is_secret(operation, protocol, location, path);
    by_bindings(&operation.bindings, protocol, wire, place, &is_secret)
}

/// Refuses a change in which a leaf beside those that were read could name another target to a reader that takes
/// names in other letters, or lists in another form.
pub(super) fn refuse_other_spelling(
    operation: &Operation,
    protocol: Protocol,
    wire: &Wire,
) -> Result<(), Undecodable> {
    let lists = matches!(protocol, Protocol::Query | Protocol::Ec2);
    let members: Vec<&BoundMember> = operation
        .bindings
        .iter()
        .filter(|binding| binding.role != Role::Uses)
        .flat_map(|binding| &binding.members)
        .filter(|member| member.only.is_none_or(|only| only == protocol) && member.location == Location::Body)
        .collect();
    let first = |text: &str| text.bytes().next().map(|byte| byte.to_ascii_lowercase());
    for leaf in wire.iter().filter(|leaf| leaf.location == Location::Body) {
        let near: Vec<&BoundMember> = members
            .iter()
            .copied()
            .filter(|member| first(member.path.as_str()) == first(leaf.path))
            .collect();
        if near.iter().any(|member| member.path.matches(leaf.path)) {
            continue;
        }
        if near.iter().any(|member| member.path.resembles(leaf.path, lists)) {
            return Err(other_spelling(leaf.path));
        }
    }
    Ok(())
}

/// Refuses a member of a change in other letters: a reader that takes it does what nobody judged, and what it changes
/// here is changed by its own name alone.
pub(super) fn refuse_other_member(
    operation: &Operation,
    protocol: Protocol,
    wire: &Wire,
) -> Result<(), Undecodable> {
    if matches!(protocol, Protocol::RestJson | Protocol::RestXml) {
        return Ok(());
    }
    let other = |leaf: &Leaf<'_>| {
        let first = leaf.path.split('.').next().unwrap_or(leaf.path);
        let mut names = operation.members.iter().flat_map(|member| [&*member.wire, &*member.name]);
        leaf.location == Location::Body
            && !gather::knows(operation, first)
            && names.any(|name| name.eq_ignore_ascii_case(first))
    };
    wire.iter().find(other).map_or(Ok(()), |leaf| Err(other_spelling(leaf.path)))
}

/// Refuses the id of an access key under a name in other letters: only the member itself is exchanged for the real id,
/// and an issued one is for nobody else to see.
pub(super) fn refuse_other_key(operation: &Operation, wire: &Wire) -> Result<(), Undecodable> {
    const MEMBER: &str = "AccessKeyId";
    if !matches!(&*operation.service, "iam" | "sts") {
        return Ok(());
    }
    let other = |leaf: &Leaf<'_>| {
        let name = leaf.path.rsplit('.').next().unwrap_or(leaf.path);
        name.eq_ignore_ascii_case(MEMBER) && leaf.path != MEMBER
    };
    wire.iter().find(other).map_or(Ok(()), |leaf| Err(other_spelling(leaf.path)))
}

fn other_spelling(path: &str) -> Undecodable {
    let text = format!("`{}` is not how the service spells it; use the service's own names", clip(path));
    Undecodable::new("other_spelling", text)
}

/// The most resources that an effect of the operation may name.
pub(super) fn limit(operation: &Operation) -> usize {
    if operation.access.is_change() { RESOURCES_MAX } else { RESOURCES_READ_MAX }
}

/// The matches of one member by the items that they stand in, so that a long list is walked once.
struct Beside<'m, 'w> {
    all: &'m [Match<'w>],
    // `None` where two matches stand at different depths, which no member of one path does.
    by_items: Option<(usize, HashMap<&'m [&'w str], &'m Match<'w>>)>,
}

impl<'m, 'w> Beside<'m, 'w> {
    fn new(all: &'m [Match<'w>]) -> Self {
        let depth = all.first().map_or(0, |first| first.items.len());
        let even = all.iter().all(|one| one.items.len() == depth);
        let by_items = even.then(|| {
            let mut map: HashMap<&[&str], &Match<'_>> = HashMap::with_capacity(all.len());
            for one in all {
                map.entry(one.items.as_slice()).or_insert(one);
            }
            (depth, map)
        });
        Self { all, by_items }
    }

    /// The match that stands in the same items as another, as far as both go.
    fn fitting(&self, lead: &Match<'w>) -> Option<&'m Match<'w>> {
        if let Some((depth, map)) = &self.by_items
            && let Some(items) = lead.items.get(..*depth)
        {
            return map.get(items).copied();
        }
        self.all.iter().find(|one| one.items.iter().zip(&lead.items).all(|(one, other)| one == other))
    }
}

fn by_bindings(
    bindings: &[Binding],
    protocol: Protocol,
    wire: &Wire,
    place: &Place<'_>,
    is_secret: &dyn Fn(Location, &str) -> bool,
) -> Vec<Resource> {
    let mut resources: Vec<Resource> = Vec::new();
    let mut seen: HashSet<Resource> = HashSet::new();
    let leaves: Vec<Leaf<'_>> = wire.iter().collect();
    for (at, binding) in bindings.iter().enumerate() {
        let matches: Vec<Vec<Match<'_>>> =
            binding.members.iter().map(|member| matches(member, protocol, &leaves, is_secret)).collect();
        // The member with the most list items decides how many resources there are.
        let driver = (0..matches.len()).rev().max_by_key(|index| {
            matches.get(*index).and_then(|found| found.first()).map_or(0, |first| first.items.len() + 1)
        });
        let Some(driver) = driver.and_then(|index| matches.get(index)) else { continue };
        let beside: Vec<Beside<'_, '_>> = matches.iter().map(|found| Beside::new(found)).collect();
        for lead in driver {
            if !lead.value.starts_with(&*binding.value_prefix)
                || taken(bindings.get(..at), binding, lead.value)
            {
                continue;
            }
            let mut variables: Vec<(&str, &str)> = Vec::new();
            let mut identifiers = Vec::new();
            for (member, found) in binding.members.iter().zip(&beside) {
                let Some(fitting) = found.fitting(lead) else { continue };
                variables.push((&member.variable, fitting.value));
                identifiers.push(Identifier { name: member.name.clone(), value: fitting.value.to_owned() });
            }
            let resource = named(binding, lead.value, &variables, identifiers, place);
            if seen.insert(resource.clone()) {
                resources.push(resource);
            }
            if resources.len() > RESOURCES_READ_MAX {
                return resources;
            }
        }
    }
    resources
}

/// Whether an earlier binding of the same member, narrower in its values, has named it already.
fn taken(earlier: Option<&[Binding]>, binding: &Binding, value: &str) -> bool {
    let Some(first) = binding.members.first() else { return false };
    earlier.unwrap_or_default().iter().any(|other| {
        !other.value_prefix.is_empty()
            && other.role == binding.role
            && value.starts_with(&*other.value_prefix)
            && other
                .members
                .first()
                .is_some_and(|member| member.path == first.path && member.location == first.location)
    })
}

fn matches<'w>(
    member: &BoundMember,
    protocol: Protocol,
    leaves: &[Leaf<'w>],
    is_secret: &dyn Fn(Location, &str) -> bool,
) -> Vec<Match<'w>> {
    if member.only.is_some_and(|only| only != protocol) {
        return Vec::new();
    }
    let rest = matches!(protocol, Protocol::RestJson | Protocol::RestXml);
    let location = if rest { member.location } else { Location::Body };
    let first = member.path.as_str().bytes().next();
    let mut found = Vec::new();
    for leaf in leaves {
        // Most leaves and members part at their first byte, and there are many of both.
        let parts = first != Some(b'*') && leaf.path.bytes().next() != first;
        if parts || leaf.location != location {
            continue;
        }
        let Some(items) = member.path.items(leaf.path) else { continue };
        // EC2 cuts blanks off what it is given.
        let text = leaf.text().map(|text| if protocol == Protocol::Ec2 { text.trim() } else { text });
        let Some(value) = text.filter(|value| !value.is_empty()) else { continue };
        if !is_secret(location, leaf.path) {
            found.push(Match { items, value });
        }
    }
    found
}

fn named(
    binding: &Binding,
    lead: &str,
    variables: &[(&str, &str)],
    identifiers: Vec<Identifier>,
    place: &Place<'_>,
) -> Resource {
    // The last variable is what the resource itself is called. An ARN in an earlier one (a cluster beside its service)
    // names what it lives in, and builds no name for what lives there.
    let outer = variables.split_last().map_or(&[][..], |(_, outer)| outer);
    let whole = variables.len() == binding.members.len();
    let itself = variables.last().filter(|_| whole).map(|(_, value)| *value);
    let (name, basis) = match itself.filter(|value| is_arn(value)) {
        Some(arn) => (arn.to_owned(), NameBasis::Carried),
        None if outer.iter().any(|(_, value)| is_arn(value)) => (String::new(), NameBasis::Unnamed),
        None => match fill(&binding.template, variables, place) {
            Some(name) => (name, binding.basis),
            None => (String::new(), NameBasis::Unnamed),
        },
    };
    // The provider's own part of a name stands as a wildcard in the template.
    let unsure = basis != NameBasis::Carried && binding.template.contains('?');
    let pattern = unsure
        || lead.contains('*')
        || variables.iter().any(|(_, value)| value.contains('*'))
        || name.contains('*');
    Resource { role: binding.role, kind: binding.kind.clone(), name, basis, pattern, identifiers }
}

/// Whether a text is a whole ARN: six parts, the resource not empty.
pub(super) fn is_arn(text: &str) -> bool {
    let mut parts = text.splitn(6, ':');
    parts.next() == Some("arn")
        && parts.next().is_some_and(|partition| partition.starts_with("aws") || partition == "*")
        && parts.nth(3).is_some_and(|resource| !resource.is_empty())
        && !text.bytes().any(|byte| byte.is_ascii_control() || byte == b' ')
}

/// A template with its variables put in; `None` when one is missing or the template is empty.
pub(super) fn fill(template: &str, variables: &[(&str, &str)], place: &Place<'_>) -> Option<String> {
    if template.is_empty() {
        return None;
    }
    let mut name = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (variable, tail) = after.split_once('}')?;
        name.push_str(before);
        name.push_str(match variable {
            "partition" => place.partition,
            "region" => place.region,
            "account" => place.account,
            other => variables.iter().find(|(known, _)| *known == other).map(|(_, value)| *value)?,
        });
        rest = tail;
    }
    name.push_str(rest);
    Some(name)
}

#[cfg(test)]
mod tests {
    use ordain_action::Scalar;
    use ordain_catalog::Path;

    use super::*;

    fn member(variable: &str, path: &str) -> BoundMember {
        BoundMember {
            variable: variable.into(),
            name: variable.into(),
            only: None,
            location: Location::Body,
            path: Path::new(path),
        }
    }

    fn binding(template: &str, value_prefix: &str, members: Vec<BoundMember>) -> Binding {
        Binding {
            role: Role::Target,
            kind: "x:y".into(),
            basis: NameBasis::Reviewed,
            template: template.into(),
            value_prefix: value_prefix.into(),
            members,
        }
    }

    fn names(bindings: &[Binding], leaves: &[(&str, &str)]) -> Vec<String> {
        let mut wire = Wire::default();
        let fields = wire.at(Location::Body);
        for (path, value) in leaves {
            fields.put_at(path, Scalar::Text(value));
        }
        let place = Place { partition: "aws", region: "eu-west-1", account: "123456789012" };
        by_bindings(bindings, Protocol::Json, &wire, &place, &|_, path| path == "Secret")
            .into_iter()
            .map(|resource| format!("{} {} {}", resource.basis.as_str(), resource.name, resource.pattern))
            .collect()
    }

    #[test]
    fn every_item_of_a_list_is_a_resource() {
        let by_id = binding("arn:{partition}:x:{region}:{account}:y/{Id}", "", vec![member("Id", "Ids.*")]);
        assert_eq!(
            names(
                &[by_id],
                &[("Ids.1", "a"), ("Ids.2", "arn:aws:x:eu-west-1:1:y/b"), ("Ids.3", "a"), ("Other.1", "c")]
            ),
            [
                "reviewed arn:aws:x:eu-west-1:123456789012:y/a false",
                "carried arn:aws:x:eu-west-1:1:y/b false"
            ]
        );
    }

    #[test]
    fn members_of_one_item_belong_together() {
        let both = binding(
            "{Outer}/{Bucket}/{Key}",
            "",
            vec![member("Outer", "Outer"), member("Bucket", "Items.*.B"), member("Key", "Items.*.K")],
        );
        assert_eq!(
            names(
                &[both],
                &[
                    ("Outer", "o"),
                    ("Items.1.B", "b1"),
                    ("Items.1.K", "k1"),
                    ("Items.2.B", "b2"),
                    ("Items.2.K", "k*")
                ]
            ),
            ["reviewed o/b1/k1 false", "reviewed o/b2/k* true"]
        );
    }

    #[test]
    fn a_missing_variable_builds_no_name() {
        let both = binding("{A}/{B}", "", vec![member("A", "A"), member("B", "B")]);
        assert_eq!(names(std::slice::from_ref(&both), &[("A", "a")]), ["unnamed  false"]);
        assert!(names(&[both], &[("C", "c")]).is_empty());
    }

    #[test]
    fn the_name_of_what_something_lives_in_is_not_its_own() {
        let service = binding(
            "arn:{partition}:ecs:{region}:{account}:service/{C}/{S}",
            "",
            vec![member("C", "cluster"), member("S", "service")],
        );
        let cluster = "arn:aws:ecs:eu-west-1:1:cluster/c";
        assert_eq!(
            names(std::slice::from_ref(&service), &[("cluster", cluster), ("service", "s")]),
            ["unnamed  false"]
        );
        let full = "arn:aws:ecs:eu-west-1:1:service/c/s";
        assert_eq!(
            names(&[service], &[("cluster", cluster), ("service", full)]),
            [format!("carried {full} false")]
        );
    }

    #[test]
    fn a_secret_names_nothing() {
        let by_secret = binding("x/{Id}", "", vec![member("Id", "*")]);
        assert_eq!(names(&[by_secret], &[("Secret", "hunter2"), ("Plain", "a")]), ["reviewed x/a false"]);
    }

    #[test]
    fn the_first_binding_that_fits_a_value_holds() {
        let bindings = [
            binding("alias {Id}", "alias/", vec![member("Id", "Id")]),
            binding("key {Id}", "", vec![member("Id", "Id")]),
        ];
        assert_eq!(names(&bindings, &[("Id", "alias/a")]), ["reviewed alias alias/a false"]);
        assert_eq!(names(&bindings, &[("Id", "k")]), ["reviewed key k false"]);
    }
}
