//! Parameters in an order that does not depend on the one they were sent in, so that the same request sent again is the same.
//!
//! Clients write the members of an object in any order, and the lists that stand for one in AWS's forms (`entry.1.key`,
//! `entry.1.value`) and tags too: the Go SDKs in another one each time. Leaves out what is not a parameter, and any other
//! list: its order may mean something, as that of a container's variables does.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::{Leaf, Parameters, Scalar};

/// What the members of a list's elements are called, where it stands for an object: the name, and its value.
const PAIRS: [(&str, &str); 3] = [("Key", "Value"), ("key", "value"), ("TagKey", "TagValue")];

/// A list that may stand for an object.
#[derive(Debug, Default)]
struct List<'p> {
    /// Its elements by their place, with the name that each has.
    elements: BTreeMap<&'p str, Option<&'p str>>,
    /// Leaves of its elements that are names or values.
    leaves: usize,
}

impl Parameters {
    /// All of them but what clients make up anew for each try, by path, with their paths: the elements of a list that stands
    /// for an object by their names.
    #[must_use]
    pub fn canonical(&self) -> Vec<(Cow<'_, str>, Scalar<'_>)> {
        let mut leaves: Vec<Leaf<'_>> = self.iter().filter(|leaf| !leaf.idempotency).collect();
        // A path that is there twice keeps its order, which is all that tells the two apart.
        leaves.sort_by(|left, right| left.path.cmp(right.path));
        let places = places(&leaves);
        let moved = |leaf: &Leaf<'_>| {
            let (list, place, member) = parts(leaf.path)?;
            let place = places.get(list)?.get(place)?;
            Some(format!("{list}.{place}.{member}"))
        };
        let mut all: Vec<(Cow<'_, str>, Scalar<'_>)> = leaves
            .iter()
            .map(|leaf| (moved(leaf).map_or(Cow::Borrowed(leaf.path), Cow::Owned), leaf.value))
            .collect();
        if !places.is_empty() {
            all.sort_by(|left, right| left.0.cmp(&right.0));
        }
        all
    }
}

/// Of each list that stands for an object, where its elements would be if they were sent by name.
fn places<'p>(leaves: &[Leaf<'p>]) -> BTreeMap<&'p str, BTreeMap<&'p str, &'p str>> {
    let mut lists: BTreeMap<&str, List<'_>> = BTreeMap::new();
    for leaf in leaves {
        let Some((list, place, member)) = parts(leaf.path) else { continue };
        let named = PAIRS.iter().any(|(name, _)| *name == member);
        if !named && !PAIRS.iter().any(|(_, value)| *value == member) {
            continue;
        }
        let list = lists.entry(list).or_default();
        list.leaves += 1;
        let name = list.elements.entry(place).or_default();
        if let Scalar::Text(text) = leaf.value
            && named
        {
            *name = Some(text);
        }
    }
    lists.retain(|path, list| list.elements.len() > 1 && stands_for_object(path, list, leaves));
    lists.into_iter().map(|(path, list)| (path, list.by_name())).collect()
}

impl<'p> List<'p> {
    fn by_name(&self) -> BTreeMap<&'p str, &'p str> {
        let mut names: Vec<(&str, &str)> =
            self.elements.iter().filter_map(|(place, name)| Some(((*name)?, *place))).collect();
        names.sort_unstable();
        // The places that there are, each for the element that comes there.
        names.iter().zip(self.elements.keys()).map(|((_, from), to)| (*from, *to)).collect()
    }
}

/// Whether each element is a name and its value and nothing else, and no name is there twice.
fn stands_for_object(path: &str, list: &List<'_>, leaves: &[Leaf<'_>]) -> bool {
    let (below, behind) = (format!("{path}."), format!("{path}/"));
    let from = leaves.partition_point(|leaf| leaf.path < below.as_str());
    let to = leaves.partition_point(|leaf| leaf.path < behind.as_str());
    let of_list = leaves.get(from..to).unwrap_or_default();
    let mut names: Vec<&str> = list.elements.values().filter_map(|name| *name).collect();
    names.sort_unstable();
    names.dedup();
    let pairs = |(name, value): &(&str, &str)| {
        list.elements.keys().all(|place| {
            let has = |member: &str| {
                let path = format!("{path}.{place}.{member}");
                of_list.iter().filter(|leaf| leaf.path == path).count() == 1
            };
            has(name) && has(value)
        })
    };
    names.len() == list.elements.len()
        && of_list.len() == list.leaves
        && list.leaves == 2 * list.elements.len()
        && PAIRS.iter().any(pairs)
}

/// The list that a leaf may be of, its place there, and the member of the element that it is; of lists that are maps or sets
/// of tags alone.
fn parts(path: &str) -> Option<(&str, &str, &str)> {
    // A name with a dot in it is written with a backslash, and is no border.
    if path.contains('\\') {
        return None;
    }
    let (element, member) = path.rsplit_once('.')?;
    let (list, place) = element.rsplit_once('.')?;
    let is_place = !place.is_empty() && place.bytes().all(|byte| byte.is_ascii_digit());
    let mut names = list.rsplit('.');
    let (last, above) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
    let of_tags = |name: &str| name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("tag"));
    // Of AWS's query protocol, and tags under whatever else a list of theirs is called (`Tags.member`, `Tagging.TagSet.Tag`).
    let is_map = last == "entry" || of_tags(last) || (last == "member" && of_tags(above));
    (is_place && is_map).then_some((list, place, member))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(leaves: &[(&str, &str)]) -> Vec<String> {
        let mut parameters = Parameters::new();
        for (path, value) in leaves {
            parameters.push(path, Scalar::Text(value)).unwrap();
        }
        parameters
            .canonical()
            .iter()
            .map(|(path, value)| {
                let Scalar::Text(text) = value else { panic!("{value:?}") };
                format!("{path}={text}")
            })
            .collect()
    }

    fn same(left: &[(&str, &str)], right: &[(&str, &str)]) -> bool {
        canonical(left) == canonical(right)
    }

    #[test]
    fn members_of_an_object_are_the_same_in_any_order() {
        assert!(same(&[("A", "1"), ("B.C", "2")], &[("B.C", "2"), ("A", "1")]));
        assert!(!same(&[("A", "1"), ("B", "2")], &[("A", "2"), ("B", "1")]));
    }

    #[test]
    fn a_list_of_names_and_values_is_an_object() {
        let tags = |first: (&str, &str), second: (&str, &str)| {
            canonical(&[
                ("T.1.Tag.1.Key", first.0),
                ("T.1.Tag.1.Value", first.1),
                ("T.1.Tag.2.Key", second.0),
                ("T.1.Tag.2.Value", second.1),
            ])
        };
        assert_eq!(tags(("team", "web"), ("env", "prod")), tags(("env", "prod"), ("team", "web")));
        assert_ne!(tags(("team", "web"), ("env", "prod")), tags(("team", "prod"), ("env", "web")));
        // Which of two of one name holds is for the upstream to say.
        assert_ne!(tags(("a", "1"), ("a", "2")), tags(("a", "2"), ("a", "1")));
    }

    #[test]
    fn more_than_nine_elements_are_told_apart() {
        let entry = |place: usize, name: usize| {
            [
                (format!("Attributes.entry.{place}.key"), format!("name-{name:02}")),
                (format!("Attributes.entry.{place}.value"), format!("value-{name:02}")),
            ]
        };
        let list = |names: &[usize]| {
            let leaves: Vec<(String, String)> =
                names.iter().enumerate().flat_map(|(place, name)| entry(place + 1, *name)).collect();
            let leaves: Vec<(&str, &str)> =
                leaves.iter().map(|(path, value)| (path.as_str(), value.as_str())).collect();
            canonical(&leaves)
        };
        let forward: Vec<usize> = (0..12).collect();
        let backward: Vec<usize> = (0..12).rev().collect();
        assert_eq!(list(&forward), list(&backward));
        assert_ne!(list(&forward), list(&forward[1..]));
    }

    #[test]
    fn any_other_list_has_its_order() {
        // One variable of a container may be made of those before it.
        let variables = |first: (&str, &str), second: (&str, &str)| {
            canonical(&[
                ("spec.containers.1.env.1.name", first.0),
                ("spec.containers.1.env.1.value", first.1),
                ("spec.containers.1.env.2.name", second.0),
                ("spec.containers.1.env.2.value", second.1),
            ])
        };
        let (folder, command) = (("DIR", "/srv"), ("CMD", "rm $(DIR)"));
        assert_ne!(variables(folder, command), variables(command, folder));
        // Names with dots are names, whatever they look like.
        let addresses = |first: &str, second: &str| {
            canonical(&[
                ("tags.10\\.0\\.0\\.1.key", "a"),
                ("tags.10\\.0\\.0\\.1.value", first),
                ("tags.10\\.0\\.0\\.2.key", "b"),
                ("tags.10\\.0\\.0\\.2.value", second),
            ])
        };
        assert_ne!(addresses("x", "y"), addresses("y", "x"));
        assert!(!same(&[("C.1", "rm"), ("C.2", "ls")], &[("C.1", "ls"), ("C.2", "rm")]));
        // An element with a member more is no pair.
        let rules = |first: &str, second: &str| {
            canonical(&[
                ("Tags.1.Key", first),
                ("Tags.1.Value", "1"),
                ("Tags.1.Priority", "5"),
                ("Tags.2.Key", second),
                ("Tags.2.Value", "2"),
            ])
        };
        assert_ne!(rules("a", "b"), rules("b", "a"));
        // Nor is one with a member less.
        let half = |first: &str, second: &str| {
            canonical(&[
                ("Tags.1.Key", first),
                ("Tags.1.Value", "1"),
                ("Tags.2.Key", second),
                ("Tags.3.Value", "1"),
            ])
        };
        assert_ne!(half("a", "b"), half("b", "a"));
    }

    #[test]
    fn a_number_that_no_list_has_is_a_name_as_any_other() {
        assert_eq!(canonical(&[("1.Key", "a"), ("1.Value", "b")]), ["1.Key=a", "1.Value=b"]);
    }
}
