//! Ids of Azure Resource Manager, which mean the same in any case and say by themselves what lies in what.
//!
//! Leaves out reading requests, whose ids come in their one spelling: in lower case, and what is not ASCII, or would be
//! a pattern, escaped.

use std::borrow::Cow;

/// What ids begin with, and patterns of them. No other plane has such names.
const BEGINNINGS: [&str; 3] = ["/subscriptions/", "/providers/", "*/providers/"];

/// The one spelling of an id; any other name as it stands.
pub(crate) fn id(name: &str) -> Cow<'_, str> {
    spelled(name, |one| matches!(one, '*' | '?' | '{' | '}'))
}

/// The one spelling of a pattern of ids; any other pattern as it stands.
pub(crate) fn pattern(pattern: &str) -> Cow<'_, str> {
    spelled(pattern, |one| matches!(one, '{' | '}'))
}

/// Whether a name is an id in its one spelling.
pub(crate) fn is_id(name: &str) -> bool {
    name.starts_with("/subscriptions/") || name.starts_with("/providers/")
}

/// What may hold an id by its name, the nearest first.
pub(crate) fn holders(name: &str) -> impl Iterator<Item = &str> {
    let ends = if is_id(name) { name } else { "" };
    ends.rmatch_indices('/').filter_map(|(at, _)| ends.get(..at)).filter(|holder| is_id(holder))
}

fn spelled(name: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    let begins = |beginning: &&str| {
        name.get(..beginning.len()).is_some_and(|begun| begun.eq_ignore_ascii_case(beginning))
    };
    if !BEGINNINGS.iter().any(begins) {
        return Cow::Borrowed(name);
    }
    let mut spelling = String::with_capacity(name.len());
    for one in name.chars() {
        if one.is_ascii() && !is_escaped(one) {
            spelling.push(one.to_ascii_lowercase());
            continue;
        }
        // A letter beyond ASCII that has one within it as its small one is another letter all the same.
        let small = one.to_lowercase().filter(|small| one.is_ascii() || !small.is_ascii());
        let bytes = small.collect::<String>().into_bytes();
        spelling.extend(bytes.iter().map(|byte| format!("%{byte:02x}")));
    }
    Cow::Owned(spelling)
}

#[cfg(test)]
mod tests {
    use super::{holders, id, pattern};

    #[test]
    fn an_id_has_one_spelling_and_another_name_its_own() {
        assert_eq!(id("/Subscriptions/7A/resourceGroups/Shöp"), "/subscriptions/7a/resourcegroups/sh%c3%b6p");
        assert_eq!(
            id("/providers/Microsoft.Network/dnsZones/z/A/*"),
            "/providers/microsoft.network/dnszones/z/a/%2a"
        );
        assert_eq!(
            pattern("/subscriptions/7A/resourceGroups/Shop*"),
            "/subscriptions/7a/resourcegroups/shop*"
        );
        assert_eq!(pattern("*/providers/Microsoft.Sql/*"), "*/providers/microsoft.sql/*");
        for other in ["arn:aws:s3:::Shop", "//storage.googleapis.com/A", "/Subscription/A", "*"] {
            assert_eq!(pattern(other), other);
        }
    }

    #[test]
    fn what_holds_an_id_is_what_it_begins_with() {
        let all: Vec<&str> = holders("/subscriptions/7/resourcegroups/g/providers/a.b/c/d").collect();
        assert_eq!(
            all,
            [
                "/subscriptions/7/resourcegroups/g/providers/a.b/c",
                "/subscriptions/7/resourcegroups/g/providers/a.b",
                "/subscriptions/7/resourcegroups/g/providers",
                "/subscriptions/7/resourcegroups/g",
                "/subscriptions/7/resourcegroups",
                "/subscriptions/7",
            ]
        );
        assert_eq!(holders("arn:aws:s3:::a/b").count(), 0);
    }
}
