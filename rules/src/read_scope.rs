//! What an actor may read: planes, accounts, services, and of clusters the namespaces.
//!
//! Leaves out how it is compiled from the model (`model/`). Empty is none.

use std::collections::BTreeSet;
use std::sync::Arc;

use ordain_action::Plane;

use crate::glob::Glob;

/// What an actor may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadScope {
    planes: Allowed,
    accounts: Accounts,
    services: Allowed,
    namespaces: Namespaces,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Allowed {
    All,
    Only(BTreeSet<Arc<str>>),
}

/// Accounts as the model names them, on whatever plane; or those in which something is owned, each on its plane.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Accounts {
    All,
    Only(BTreeSet<Arc<str>>),
    Owned(BTreeSet<(Plane, Arc<str>)>),
}

/// Namespaces as patterns of `{cluster}/{namespace}`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Namespaces {
    All,
    Only(BTreeSet<Glob>),
}

/// What is owned, as far as reading goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Owned {
    pub(crate) accounts: BTreeSet<(Plane, Arc<str>)>,
    /// Patterns of `{cluster}/{namespace}`.
    pub(crate) namespaces: BTreeSet<Glob>,
}

/// Everything that the credential is bound to: in force as long as there is no model.
pub(crate) static EVERYTHING: ReadScope = ReadScope {
    planes: Allowed::All,
    accounts: Accounts::All,
    services: Allowed::All,
    namespaces: Namespaces::All,
};

/// Nothing: in force for an actor that the model does not name.
pub(crate) static NOTHING: ReadScope = ReadScope {
    planes: Allowed::Only(BTreeSet::new()),
    accounts: Accounts::Only(BTreeSet::new()),
    services: Allowed::Only(BTreeSet::new()),
    namespaces: Namespaces::Only(BTreeSet::new()),
};

impl ReadScope {
    /// A list left out is everything of its sort, but for accounts: then it is what is owned. Namespaces left out
    /// are all of the accounts that are named, or those that are owned.
    pub(crate) fn new(
        planes: Option<Vec<String>>,
        accounts: Option<Vec<String>>,
        services: Option<Vec<String>>,
        namespaces: Option<Vec<String>>,
        owned: impl FnOnce() -> Owned,
    ) -> Self {
        let whole = |word: &String| if word.contains('/') { word.clone() } else { format!("*/{word}") };
        let written = namespaces
            .map(|words| Namespaces::Only(words.iter().map(|word| Glob::new(&whole(word))).collect()));
        let (accounts, default) = match accounts {
            Some(words) => (Accounts::Only(set(&words)), Namespaces::All),
            None => {
                let Owned { accounts, namespaces } = owned();
                (Accounts::Owned(accounts), Namespaces::Only(namespaces))
            }
        };
        Self {
            planes: Allowed::of(planes),
            accounts,
            services: Allowed::of(services),
            namespaces: written.unwrap_or(default),
        }
    }

    /// Whether all of a service of an account may be read, of a cluster in every namespace.
    #[must_use]
    pub fn covers(&self, plane: &str, account: &str, service: &str) -> bool {
        let plane = Plane::parse(plane).unwrap_or(Plane::Unknown);
        let whole = plane != Plane::Kubernetes || self.covers_namespace(account, "*");
        self.reaches(plane, account, service) && whole
    }

    /// Whether something of a service of an account may be read.
    pub(crate) fn reaches(&self, plane: Plane, account: &str, service: &str) -> bool {
        let accounts = match &self.accounts {
            Accounts::All => true,
            Accounts::Only(only) => only.contains(account),
            Accounts::Owned(owned) => owned.contains(&(plane, Arc::from(account))),
        };
        self.planes.has(plane.as_str()) && accounts && self.services.has(service)
    }

    /// Whether a namespace of a cluster may be read; `*` is all of them.
    pub(crate) fn covers_namespace(&self, cluster: &str, namespace: &str) -> bool {
        let name = [cluster, "/", namespace].concat();
        match &self.namespaces {
            Namespaces::All => true,
            // A pattern of some namespaces is not matched by the star that stands for all.
            Namespaces::Only(only) if namespace == "*" => {
                only.iter().any(|glob| glob.as_str().ends_with("/*") && glob.matches(&name))
            }
            Namespaces::Only(only) => only.iter().any(|glob| glob.matches(&name)),
        }
    }

    /// Nothing may be read.
    #[must_use]
    pub fn is_none(&self) -> bool {
        let no_account = match &self.accounts {
            Accounts::All => false,
            Accounts::Only(only) => only.is_empty(),
            Accounts::Owned(owned) => owned.is_empty(),
        };
        let none = |allowed: &Allowed| matches!(allowed, Allowed::Only(only) if only.is_empty());
        no_account || none(&self.planes) || none(&self.services)
    }
}

fn set(words: &[String]) -> BTreeSet<Arc<str>> {
    words.iter().map(|word| Arc::from(word.as_str())).collect()
}

impl Allowed {
    fn of(words: Option<Vec<String>>) -> Self {
        words.map_or(Self::All, |words| Self::Only(set(&words)))
    }

    fn has(&self, word: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(only) => only.contains(word),
        }
    }
}
