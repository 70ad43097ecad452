//! Secrets that the name of their member does not tell: values beside the name of a setting, and what is in a password.
//!
//! Leaves out those that it does tell, which every room covers.

use crate::form::Fields;
use crate::form::fields::segments;
use crate::tokens::{Tokens, looks_secret};

/// Members by which a value says what it is of.
const NAMES: [&str; 3] = ["key", "id", "name"];

/// The fields, such secrets as tokens.
pub(super) fn covered(fields: &Fields, tokens: &Tokens) -> Fields {
    let mut covered = Fields::new();
    for (path, value) in fields.iter() {
        let mut token = String::new();
        covered.put_at(path, tokens.cover(value, || is_secret(fields, path), &mut token));
    }
    covered
}

fn is_secret(fields: &Fields, path: &str) -> bool {
    let value = path.trim_end_matches(|character: char| character.is_ascii_digit() || character == '.');
    let around = value.strip_suffix("value").or_else(|| value.strip_suffix("defaultValue"));
    let Some(around) = around.filter(|around| around.is_empty() || around.ends_with('.')) else {
        return false;
    };
    // What software inside of a machine is set up by holds its passwords, whatever it is called.
    let is_of_appliance = segments(around)
        .any(|part| part.starts_with("vAppConfig") || matches!(part, "property" | "properties"));
    let names_one = |name: &str| {
        looks_secret(&name.replace('.', "_")) || name.trim().to_ascii_lowercase().starts_with("guestinfo.")
    };
    is_of_appliance
        || segments(around).any(looks_secret)
        || NAMES.iter().filter_map(|name| fields.text(&format!("{around}{name}"))).any(names_one)
}
