//! Forms: what ours accepts, the WHATWG parser reads as the same names and values in the same order.

use ordain_decode::form::query::{Plus, parse, refuse_duplicates};

/// Reads the bytes twice and compares.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let theirs: Vec<(String, String)> =
        form_urlencoded::parse(data).map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    for plus in [Plus::Space, Plus::Refused] {
        let Ok(pairs) = parse(text, plus) else { continue };
        let ours: Vec<(String, String)> =
            pairs.iter().map(|pair| (pair.name.to_string(), pair.value.to_string())).collect();
        assert_eq!(ours, theirs);
        let mut names: Vec<&String> = theirs.iter().map(|(name, _)| name).collect();
        names.sort();
        names.dedup();
        assert_eq!(refuse_duplicates(&pairs).is_ok(), names.len() == theirs.len());
    }
}
