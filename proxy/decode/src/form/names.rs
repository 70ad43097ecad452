//! Names of members of forms, as servers take them that make variables of them.
//!
//! PHP takes `us.er`, `us er` and `us[er` for `us_er`, and what stands before a bracket for the name of all in it. Leaves
//! out which names there are.

/// Members of a body by which some servers take another method than the request line says.
const REWRITING: [&str; 5] =
    ["_method", "_http_method", "x_http_method", "x_http_method_override", "x_method_override"];

/// Whether servers are known to take a member for another method than the request has.
pub(crate) fn rewrites(name: &str) -> bool {
    let is = |name: String| REWRITING.iter().any(|known| name.replace('-', "_").eq_ignore_ascii_case(known));
    is(folded(name)) || is(folded(head(name)))
}

/// What stands before a bracket.
pub(crate) fn head(name: &str) -> &str {
    match name.split_once('[') {
        Some((head, _)) if !head.is_empty() => head,
        Some(_) | None => name,
    }
}

/// A name as servers spell it that make a variable of it.
pub(crate) fn folded(name: &str) -> String {
    let name = name.trim_start().split('\0').next().unwrap_or_default();
    let one = |character| if matches!(character, '.' | ' ' | '[') { '_' } else { character };
    name.trim_end_matches(']').chars().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_method_is_found_in_every_spelling() {
        for name in [
            "_method",
            "_METHOD",
            ".method",
            " _method",
            "_method[]",
            "[method",
            "_method\0x",
            "X-HTTP-Method",
        ] {
            assert!(rewrites(name), "{name}");
        }
        for name in ["method", "payment_method", "_methods", "a[_method]", ""] {
            assert!(!rewrites(name), "{name}");
        }
    }
}
