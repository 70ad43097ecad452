//! How the plural of a kind is guessed that no list defines.
//!
//! Leaves out what every cluster has, which the catalogue knows.

/// The plural of a kind as the API server's own clients guess it.
pub(crate) fn guessed_plural(kind: &str) -> String {
    let singular = kind.to_lowercase();
    if singular.ends_with("endpoints") {
        return singular;
    }
    match singular.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if singular.ends_with('s') => format!("{singular}es"),
        None => format!("{singular}s"),
    }
}

#[cfg(test)]
mod tests {
    use ordain_catalog::ClusterKind;

    use super::guessed_plural;

    #[test]
    fn the_guess_agrees_with_every_plural_that_is_known() {
        for known in ClusterKind::all() {
            assert_eq!(guessed_plural(known.kind), known.resource);
        }
    }
}
