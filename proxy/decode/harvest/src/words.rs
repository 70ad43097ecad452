//! Names cut into words, and compared.
//!
//! Leaves out meaning.

/// `GetWebACLForResource` as `Get`, `Web`, `ACL`, `For`, `Resource`.
pub(crate) fn words(name: &str) -> Vec<String> {
    let characters: Vec<char> = name.chars().collect();
    let mut words: Vec<String> = Vec::new();
    for (at, character) in characters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| characters.get(at));
        let after = characters.get(at + 1);
        let starts = match before {
            None => true,
            Some(before) if !before.is_alphanumeric() => true,
            Some(before) if character.is_uppercase() => {
                !before.is_uppercase() || after.is_some_and(|after| after.is_lowercase())
            }
            Some(_) => false,
        };
        if !character.is_alphanumeric() {
            continue;
        }
        match words.last_mut() {
            Some(word) if !starts => word.push(*character),
            _ => words.push(character.to_string()),
        }
    }
    words
}

/// The words joined by dashes, in lower case: `TransitGateway` as `transit-gateway`.
pub(crate) fn dashed(name: &str) -> String {
    words(name).iter().map(|word| word.to_lowercase()).collect::<Vec<_>>().join("-")
}

/// Only letters and digits, in lower case: names that differ in spelling alone become equal.
pub(crate) fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|character| character.to_ascii_lowercase()).collect()
}

/// The singular of a plain name, as far as spelling tells.
pub(crate) fn singular(name: &str) -> String {
    if let Some(stem) = name.strip_suffix("ies").filter(|stem| stem.len() > 2) {
        return format!("{stem}y");
    }
    for ending in ["sses", "xes", "ches", "shes"] {
        if name.ends_with(ending) {
            return name.strip_suffix("es").unwrap_or(name).to_owned();
        }
    }
    match name.strip_suffix('s') {
        Some(stem) if !stem.ends_with('s') && !stem.ends_with('u') && stem.len() > 2 => stem.to_owned(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acronyms_are_words() {
        assert_eq!(words("GetWebACLForResource"), ["Get", "Web", "ACL", "For", "Resource"]);
        assert_eq!(words("ModifyDBInstance"), ["Modify", "DB", "Instance"]);
        assert_eq!(words("GetOauth2Token"), ["Get", "Oauth2", "Token"]);
        assert_eq!(dashed("TransitGatewayVpcAttachment"), "transit-gateway-vpc-attachment");
    }

    #[test]
    fn plurals_lose_their_ending() {
        for (plural, one) in [
            ("instances", "instance"),
            ("policies", "policy"),
            ("addresses", "address"),
            ("status", "status"),
        ] {
            assert_eq!(singular(plural), one);
        }
    }
}
