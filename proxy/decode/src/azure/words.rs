//! How the plane spells its names. Its paths mean the same in any case, and are known here by one spelling.
//!
//! A word that no library has is written in lower case: so it too has one spelling. Leaves out what an operation does.

use std::collections::{HashMap, HashSet};

/// What one provider of resources has.
#[derive(Debug, Default)]
struct Namespace {
    name: &'static str,
    words: HashMap<String, &'static str>,
    reads: HashSet<&'static str>,
}

/// The names of all providers that are known.
#[derive(Debug)]
pub(super) struct Words(HashMap<String, Namespace>);

impl Words {
    /// Reads the catalogue's text: lines of `namespace`, `words` and `reads`.
    pub(super) fn read(text: &'static str) -> Self {
        let mut all: HashMap<String, Namespace> = HashMap::new();
        let mut current = String::new();
        for (what, rest) in text.lines().filter_map(|line| line.split_once(' ')) {
            if what == "namespace" {
                current = rest.to_ascii_lowercase();
            }
            let namespace = all.entry(current.clone()).or_default();
            match what {
                "namespace" => namespace.name = rest,
                "words" => {
                    namespace.words = rest.split(' ').map(|word| (word.to_ascii_lowercase(), word)).collect();
                }
                "reads" => namespace.reads = rest.split(' ').collect(),
                _ => {}
            }
        }
        Self(all)
    }

    /// How many providers and how many words are known.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.0.len(), self.0.values().map(|namespace| namespace.words.len()).sum())
    }

    /// A provider's name as it is spelled.
    pub(super) fn namespace(&self, name: &str) -> String {
        let lower = name.to_ascii_lowercase();
        self.0.get(&lower).map_or(lower, |namespace| namespace.name.to_owned())
    }

    /// A type or an action of a provider as it is spelled.
    pub(super) fn word(&self, namespace: &str, word: &str) -> String {
        let lower = word.to_ascii_lowercase();
        let known = self.0.get(&namespace.to_ascii_lowercase());
        known.and_then(|namespace| namespace.words.get(&lower)).map_or(lower, |word| (*word).to_owned())
    }

    /// Whether an action is among those that a person found to read: `path` is its types and its own word, in lower
    /// case.
    pub(super) fn is_read(&self, namespace: &str, path: &str) -> bool {
        let known = self.0.get(&namespace.to_ascii_lowercase());
        known.is_some_and(|namespace| namespace.reads.contains(path))
    }
}
