//! One thing that sources know under several names: what a source has no canonical name for is what another source has one
//! for, where an identifier of it is that thing's alone.
//!
//! Leaves out what the sources say of it. Where an identifier is that of several things nothing is joined: that is said, and
//! whoever names it by that is told so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ordain_action::Plane;

use super::Finding;
use crate::resolve::is_made;

/// What is told of a thing beside its name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'d> {
    pub(super) name: &'d Arc<str>,
    /// The name is that of its plane, and not one that its source made.
    pub(super) is_canonical: bool,
    pub(super) plane: Option<Plane>,
    pub(super) kind: &'d str,
    pub(super) account: &'d str,
    pub(super) region: &'d str,
    pub(super) identifiers: &'d [Arc<str>],
}

/// Pairs of a name that a source made and the canonical name of the same thing, with what could not be told.
pub(super) fn joined<'d>(
    all: impl Iterator<Item = Known<'d>> + Clone,
) -> (BTreeMap<Arc<str>, Arc<str>>, Vec<Finding>) {
    let mut by_text: BTreeMap<&str, Vec<Known<'d>>> = BTreeMap::new();
    for known in all.clone().filter(|known| known.is_canonical) {
        let texts = std::iter::once(known.name).chain(known.identifiers);
        for text in texts {
            by_text.entry(text).or_default().push(known);
        }
    }
    let (mut joined, mut findings) = (BTreeMap::new(), Vec::new());
    for known in all.filter(|known| !known.is_canonical) {
        let meant = |text: &'d Arc<str>| {
            let others = by_text.get(&**text).into_iter().flatten();
            others.filter(move |other| is_same(&known, other, text)).map(move |other| (text, other.name))
        };
        let found: BTreeSet<(&Arc<str>, &Arc<str>)> = known.identifiers.iter().flat_map(meant).collect();
        let names: BTreeSet<&Arc<str>> = found.iter().map(|(_, name)| *name).collect();
        let mut names = names.into_iter();
        match (names.next(), names.next(), found.first()) {
            (Some(one), None, _) => drop(joined.insert(Arc::clone(known.name), Arc::clone(one))),
            (Some(one), Some(other), Some((text, _))) => findings.push(Finding {
                source: known.name.to_string(),
                text: format!(
                    "it is known by `{text}` and by more, which may be `{one}` or `{other}`; give it the full name of one"
                ),
            }),
            _ => {}
        }
    }
    (joined, findings)
}

/// Whether an identifier that two have says that they are one.
fn is_same(source: &Known<'_>, other: &Known<'_>, text: &str) -> bool {
    let agree = |left: &str, right: &str| left.is_empty() || right.is_empty() || left == right;
    let placed = agree(source.account, other.account) && agree(source.region, other.region);
    // A source with words of its own for types tells by what the provider made, or by the full name.
    let told = source.kind == other.kind || is_made(text) || *text == **other.name;
    let plane = source.plane.is_none() || source.plane == other.plane || source.plane == Some(Plane::Unknown);
    placed && told && plane
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ordain_action::Plane;

    use super::{Known, joined};

    #[test]
    fn what_one_identifier_means_is_joined_and_what_it_may_mean_twice_is_said() {
        let names: Vec<Arc<str>> =
            ["arn:a", "arn:b", "cmdb#1", "cmdb#2", "cmdb#3", "cmdb#4"].map(Arc::from).into();
        let identifiers: [Vec<Arc<str>>; 6] = [
            vec![Arc::from("i-0123456789abcdef0"), Arc::from("web")],
            vec![Arc::from("i-0123456789abcdef1"), Arc::from("web")],
            vec![Arc::from("i-0123456789abcdef0"), Arc::from("10.0.0.1")],
            vec![Arc::from("web")],
            vec![Arc::from("arn:b")],
            vec![Arc::from("i-0123456789abcdef0"), Arc::from("i-0123456789abcdef1")],
        ];
        let all = names.iter().zip(&identifiers).map(|(name, identifiers)| Known {
            name,
            is_canonical: name.starts_with("arn:"),
            plane: Some(Plane::Aws),
            kind: if name.starts_with("arn:") { "ec2:instance" } else { "cmdb_ci_server" },
            account: "",
            region: "",
            identifiers,
        });
        let (found, findings) = joined(all);
        let found: Vec<(&str, &str)> = found.iter().map(|(from, to)| (&**from, &**to)).collect();
        assert_eq!(found, [("cmdb#1", "arn:a"), ("cmdb#3", "arn:b")], "a name says too little of what it is");
        let told: Vec<String> =
            findings.iter().map(|finding| format!("{}: {}", finding.source, finding.text)).collect();
        assert_eq!(
            told,
            [
                "cmdb#4: it is known by `i-0123456789abcdef0` and by more, which may be `arn:a` or `arn:b`; give it the \
              full name of one"
            ]
        );
    }
}
