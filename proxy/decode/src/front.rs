//! What clients send before anybody knows who they are, and after: they look at what their plane shows to anybody, sign
//! in with a name and a password, and sign out.
//!
//! Whoever has an issued token in the place of a password is known by it, so that the gate answers a sign-in itself, as the
//! plane would. Leaves out whose token it is, and sending.

use std::fmt;

/// A request by which no work is done.
#[derive(Clone, PartialEq, Eq)]
pub enum Front {
    /// It reads what the plane shows to anybody, such as which versions there are.
    Open,
    /// It signs in.
    SignIn {
        /// The name, as it was given.
        user: String,
        /// The password; none where it stands in the head, where issued tokens are found anyway.
        password: Option<String>,
    },
    /// It signs out of the session that it shows in its head, or of one that it names.
    SignOut {
        /// The name of the session ([`Session::name`]), where the request says which.
        session: Option<String>,
    },
}

impl fmt::Debug for Front {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "Open",
            Self::SignIn { .. } => "SignIn",
            Self::SignOut { .. } => "SignOut",
        })
    }
}

/// What somebody is told who has signed in.
#[derive(Clone, Copy)]
pub struct Session<'a> {
    /// Whom they called themselves.
    pub user: &'a str,
    /// The issued token, which is the session from now on.
    pub token: &'a str,
    /// The token's id, which may be told.
    pub name: &'a str,
    /// The time, as RFC 3339 has it.
    pub now: &'a str,
    /// The connection is one over TLS: cookies are kept to such.
    pub is_tls: bool,
}

impl fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("name", &self.name).finish_non_exhaustive()
    }
}
