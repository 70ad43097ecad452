//! Tags that say who owns something, or which scope it lies in: to change one is a grant.
//!
//! Leaves out labels of clusters (`cluster.rs`).

use ordain_action::{Access, Completeness, Effect, Plane, Role, Scalar};

use crate::facts::member;
use crate::resolve::{Estate, Known};

/// The effect changes such a tag.
pub(super) fn retags(estate: &Estate<'_>, effect: &Effect) -> bool {
    /// Operations that replace all tags at once, and so can take such a tag away without naming it.
    const REPLACE: [&str; 2] = ["PutBucketTagging", "DeleteBucketTagging"];
    if effect.access != Access::Tag {
        return false;
    }
    let unread = effect.parameters.completeness() != Completeness::Complete;
    unread
        || REPLACE.contains(&effect.operation.as_ref())
        || effect.parameters.iter().any(|leaf| {
            let as_value = match leaf.value {
                Scalar::Text(text) => says(estate, text) && !matches!(member(leaf.path).as_str(), "value"),
                Scalar::Number(_) | Scalar::Bool(_) | Scalar::Null | Scalar::Empty | Scalar::Token(_) => {
                    false
                }
            };
            // A name is looked for as it stands, and as what is left of it between dots.
            as_value
                || leaf.path.split('.').any(|part| says(estate, part))
                || names(leaf.path).iter().any(|name| says(estate, name))
        })
}

/// The effect puts all that something is in its place, labels included, and does not name such a tag that it has. Of
/// the planes that are read, Azure alone has that: its labels stand in the body of whatever has them.
pub(super) fn takes_away(estate: &Estate<'_>, effect: &Effect) -> bool {
    if estate.plane != Plane::Azure {
        return false;
    }
    let is_kept = |key: &str| {
        let leaves = effect.parameters.iter().map(|leaf| names(leaf.path));
        leaves.into_iter().any(|path| match path.as_slice() {
            [tags, own] => tags.eq_ignore_ascii_case("tags") && own.eq_ignore_ascii_case(key),
            _ => false,
        })
    };
    let targets = effect.resources.iter().filter(|resource| resource.role == Role::Target);
    targets.flat_map(|target| estate.sites(target)).any(|site| {
        let Known::Entry(index) = site.known else { return false };
        let entry = estate.model.inventory.get(index);
        let tags = entry.into_iter().flat_map(|entry| &entry.tags);
        tags.map(|(key, _)| key).any(|key| says(estate, key) && !is_kept(key))
    })
}

fn says(estate: &Estate<'_>, key: &str) -> bool {
    estate.model.ownership_tags.contains(&key.to_lowercase())
}

/// The names that a path leads along. A dot in a name is escaped there.
fn names(path: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut letters = path.chars();
    while let Some(letter) = letters.next() {
        match (letter, names.last_mut()) {
            ('.', _) | (_, None) => names.push(String::new()),
            ('\\', Some(name)) => name.extend(letters.next()),
            (other, Some(name)) => name.push(other),
        }
    }
    names
}
