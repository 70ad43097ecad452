//! Rows that say what a path does, and how a path is compared with them.
//!
//! Leaves out the rows themselves.

use ordain_action::{Access, Level, Minted};

/// What an operation on a path does.
///
/// `ops` are letters: `R` reads, `L` lists, `W` writes, `P` patches, `D` deletes. In a path `*` is one part and `**` one or
/// more. `does` are letters of [`Row::accesses`]; with `!` the answer hands out a credential of the cluster, or the gate's
/// own is ended; with `^` that is a token in its one place; with `~` it is data that changes. `name` is the name of what it is done to, within the mount or, with `/` before it, within the
/// namespace: the parts of the path stand in the place of `*` and `**` in their order, and members of the body in
/// braces; a `*` that is left is all of them, and `/` alone is the cluster. It is empty where it is the path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub ops: &'static str,
    pub path: &'static str,
    pub does: &'static str,
    pub kind: &'static str,
    pub name: &'static str,
}

/// A row whose name is its path.
pub(super) const fn row(
    ops: &'static str,
    path: &'static str,
    does: &'static str,
    kind: &'static str,
) -> Row {
    named(ops, path, does, kind, "")
}

/// A row with a name.
pub(super) const fn named(
    ops: &'static str,
    path: &'static str,
    does: &'static str,
    kind: &'static str,
    name: &'static str,
) -> Row {
    Row { ops, path, does, kind, name }
}

impl Row {
    /// Every class of what it does.
    pub(super) fn accesses(&self) -> Vec<Access> {
        let of = |letter| match letter {
            'r' => Some(Access::Read),
            'c' => Some(Access::Create),
            'u' => Some(Access::Update),
            'd' => Some(Access::Delete),
            'g' => Some(Access::Grant),
            'x' => Some(Access::Expose),
            'e' => Some(Access::Execute),
            's' => Some(Access::SecretRead),
            _ => None,
        };
        self.does.chars().filter_map(of).collect()
    }

    /// Whether its answer hands out a credential of the cluster, and which.
    pub(super) fn mints(&self) -> Option<Minted> {
        let kind = if self.does.contains('^') { Minted::Bearer } else { Minted::Unrewritable };
        self.does.contains('!').then_some(kind)
    }

    /// Infrastructure, or the data that runs through it.
    pub(super) fn level(&self) -> Level {
        if self.does.contains('~') { Level::Data } else { Level::Control }
    }

    /// The words of its path that are always there: the name of its operation.
    pub(super) fn words(&self) -> String {
        let words: Vec<&str> = self.path.split('/').filter(|part| !part.starts_with('*')).collect();
        words.join("/")
    }
}

/// A row that fits, with what stood in the place of its stars.
#[derive(Debug)]
pub(super) struct Fit<'a> {
    pub row: Row,
    pub stars: Vec<Vec<&'a str>>,
}

/// The first row that fits a path.
pub(super) fn find<'a>(rows: &[Row], op: char, path: &[&'a str]) -> Option<Fit<'a>> {
    rows.iter().filter(|row| row.ops.contains(op)).find_map(|row| {
        let parts: Vec<&str> = row.path.split('/').collect();
        let mut stars = Vec::new();
        fits(&parts, path, &mut stars).then_some(Fit { row: *row, stars })
    })
}

fn fits<'a>(parts: &[&str], path: &[&'a str], stars: &mut Vec<Vec<&'a str>>) -> bool {
    match (parts.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), Some(_)) => {
            // What follows is fixed in length, so that one split alone can fit.
            let Some(length) = path.len().checked_sub(rest.len()).filter(|length| *length > 0) else {
                return false;
            };
            let (taken, after) = path.split_at_checked(length).unwrap_or((path, &[]));
            stars.push(taken.to_vec());
            fits(rest, after, stars)
        }
        (Some((&"*", rest)), Some((first, after))) => {
            stars.push(vec![first]);
            fits(rest, after, stars)
        }
        (Some((part, rest)), Some((first, after))) if part == first => fits(rest, after, stars),
        (Some(_) | None, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_fits_whole() {
        let rows = [row("W", "mounts/**/tune", "u", "mount"), row("W", "mounts/**", "c", "mount")];
        let stars = |path: &[&str]| {
            find(&rows, 'W', path).map(|fit| (fit.row.does, fit.stars.first().map(|star| star.join("/"))))
        };
        assert_eq!(stars(&["mounts", "a", "b", "tune"]), Some(("u", Some("a/b".to_owned()))));
        assert_eq!(stars(&["mounts", "a"]), Some(("c", Some("a".to_owned()))));
        assert_eq!(stars(&["mounts"]), None);
        assert!(find(&rows, 'R', &["mounts", "a"]).is_none());
    }

    /// A row that another stands before is never found: what it says is not so.
    #[test]
    fn the_more_exact_stands_before_the_less() {
        use super::super::{engine, identity, system};
        let tables = [system::ROWS, identity::IDENTITY, identity::TOKENS, identity::SIGNING_IN];
        for rows in tables.into_iter().chain(engine::ALL) {
            for row in rows {
                let path: Vec<&str> = row.path.split('/').collect();
                for op in row.ops.chars() {
                    let found = find(rows, op, &path).unwrap().row;
                    assert_eq!((found.path, found.does), (row.path, row.does), "{op} {}", row.path);
                }
            }
        }
    }
}
