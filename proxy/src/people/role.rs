//! What people may do at the admin address.
//!
//! Leaves out who they are, and what each endpoint asks for.

use std::collections::BTreeSet;

/// What somebody may do. Each is given by itself, but for looking, which goes with every other one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Look.
    Viewer,
    /// Decide on what waits for somebody's approval; people only.
    Approver,
    /// What the command line does with the token of the state directory.
    Operator,
    /// Manage accounts.
    Admin,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Approver, Self::Operator, Self::Admin];

    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Approver => "approver",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The role of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// What one person may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles(BTreeSet<Role>);

impl Roles {
    /// Whether a role is among them, or goes with one that is.
    #[must_use]
    pub fn cover(&self, role: Role) -> bool {
        match role {
            Role::Viewer => !self.0.is_empty(),
            Role::Approver | Role::Operator | Role::Admin => self.0.contains(&role),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their words, the least first.
    #[must_use]
    pub fn words(&self) -> Vec<&'static str> {
        self.0.iter().map(|role| role.as_str()).collect()
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Self(roles.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_gives_itself_and_looking_and_no_other() {
        for one in Role::ALL {
            let roles: Roles = [one].into_iter().collect();
            for asked in Role::ALL {
                assert_eq!(roles.cover(asked), asked == one || asked == Role::Viewer, "{one:?} {asked:?}");
            }
            assert_eq!(Role::parse(one.as_str()), Some(one));
        }
        assert!(!Roles::default().cover(Role::Viewer));
    }
}
