//! What an actor may read: planes, accounts, services.
//!
//! Leaves out how it is compiled from the model (`model/`). Empty is none.

use std::collections::BTreeSet;
use std::sync::Arc;

/// What an actor may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadScope {
    planes: Allowed,
    accounts: Allowed,
    services: Allowed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Allowed {
    All,
    Only(BTreeSet<Arc<str>>),
}

/// Everything that the credential is bound to: in force as long as there is no model.
pub(crate) static EVERYTHING: ReadScope =
    ReadScope { planes: Allowed::All, accounts: Allowed::All, services: Allowed::All };

/// Nothing: in force for an actor that the model does not name.
pub(crate) static NOTHING: ReadScope = ReadScope {
    planes: Allowed::Only(BTreeSet::new()),
    accounts: Allowed::Only(BTreeSet::new()),
    services: Allowed::Only(BTreeSet::new()),
};

impl ReadScope {
    /// A list left out is everything of its sort; an empty one is nothing.
    pub(crate) fn new(
        planes: Option<Vec<String>>,
        accounts: Vec<String>,
        services: Option<Vec<String>>,
    ) -> Self {
        Self {
            planes: Allowed::of(planes),
            accounts: Allowed::of(Some(accounts)),
            services: Allowed::of(services),
        }
    }
    /// Whether a service of an account may be read.
    #[must_use]
    pub fn covers(&self, plane: &str, account: &str, service: &str) -> bool {
        self.planes.has(plane) && self.accounts.has(account) && self.services.has(service)
    }

    /// Nothing may be read.
    #[must_use]
    pub fn is_none(&self) -> bool {
        [&self.planes, &self.accounts, &self.services]
            .into_iter()
            .any(|allowed| matches!(allowed, Allowed::Only(only) if only.is_empty()))
    }
}

impl Allowed {
    fn of(words: Option<Vec<String>>) -> Self {
        words.map_or(Self::All, |words| {
            Self::Only(words.iter().map(|word| Arc::from(word.as_str())).collect())
        })
    }
    fn has(&self, word: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(only) => only.contains(word),
        }
    }
}
