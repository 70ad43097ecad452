//! The type of a resource by its id, as requests are read: in the plane's own spelling.
//!
//! Leaves out the types that exports write, which are in lower case, and of resource groups are two. What no library
//! has a spelling of is in lower case with requests too.

use std::collections::BTreeMap;

use ordain_catalog::AZURE_NAMES;

/// What lies outside of every provider is of this one.
const ROOT: &str = "microsoft.resources";

/// How providers and their types are spelled, by their spelling in lower case.
#[derive(Debug)]
pub(super) struct Spelling(BTreeMap<String, Provider>);

#[derive(Debug, Default)]
struct Provider {
    name: &'static str,
    words: BTreeMap<String, &'static str>,
}

impl Spelling {
    /// As the catalogue has it.
    pub(super) fn known() -> Self {
        let mut all: BTreeMap<String, Provider> = BTreeMap::new();
        let mut current = String::new();
        for (what, rest) in AZURE_NAMES.lines().filter_map(|line| line.split_once(' ')) {
            if what == "namespace" {
                current = rest.to_ascii_lowercase();
                all.entry(current.clone()).or_default().name = rest;
            } else if what == "words" {
                let words = rest.split(' ').map(|word| (word.to_ascii_lowercase(), word)).collect();
                all.entry(current.clone()).or_default().words = words;
            }
        }
        Self(all)
    }

    /// The type of what an id in its one spelling names; `None` for an id that names no resource.
    pub(super) fn kind(&self, id: &str) -> Option<String> {
        let (provider, types) = last_frame(id)?;
        let known = self.0.get(provider);
        let mut kind = format!("azure:{}", known.map_or(provider, |known| known.name));
        for word in types {
            kind.push('/');
            kind.push_str(known.and_then(|known| known.words.get(word)).copied().unwrap_or(word));
        }
        Some(kind)
    }
}

/// The last provider along an id, and the types of what it has there.
fn last_frame(id: &str) -> Option<(&str, Vec<&str>)> {
    let (mut provider, mut types) = (ROOT, Vec::new());
    let mut segments = id.strip_prefix('/')?.split('/');
    while let Some(segment) = segments.next() {
        // Types and names stand in turn.
        let next = segments.next().filter(|next| !next.is_empty())?;
        if segment == "providers" {
            (provider, types) = (next, Vec::new());
        } else {
            types.push(segment);
        }
    }
    (!types.is_empty() && !types.contains(&"")).then_some((provider, types))
}

#[cfg(test)]
mod tests {
    use super::Spelling;

    #[test]
    fn a_type_is_spelled_as_requests_have_it() {
        let spelling = Spelling::known();
        for (id, expected) in [
            ("/subscriptions/7", Some("azure:Microsoft.Resources/subscriptions")),
            (
                "/subscriptions/7/resourcegroups/g",
                Some("azure:Microsoft.Resources/subscriptions/resourceGroups"),
            ),
            (
                "/subscriptions/7/resourcegroups/g/providers/microsoft.network/virtualnetworks/n/subnets/s",
                Some("azure:Microsoft.Network/virtualNetworks/subnets"),
            ),
            (
                "/subscriptions/7/resourcegroups/g/providers/microsoft.compute/virtualmachines/v/providers/microsoft.authorization/locks/l",
                Some("azure:Microsoft.Authorization/locks"),
            ),
            (
                "/providers/microsoft.management/managementgroups/m",
                Some("azure:Microsoft.Management/managementGroups"),
            ),
            (
                "/subscriptions/7/resourcegroups/g/providers/contoso.unknown/things/t",
                Some("azure:contoso.unknown/things"),
            ),
            ("/subscriptions/7/resourcegroups/g/providers/microsoft.compute", None),
            ("/subscriptions/7/resourcegroups", None),
            ("/subscriptions//resourcegroups/g", None),
            ("web", None),
        ] {
            assert_eq!(spelling.kind(id).as_deref(), expected, "{id}");
        }
    }
}
