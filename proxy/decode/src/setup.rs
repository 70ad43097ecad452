//! What rooms are set up with.
//!
//! Leaves out the rooms.

/// What rooms have to know before the first request.
#[derive(Clone, Default)]
pub struct RoomsConfig {
    /// The key under which secrets become tokens: the same secret is the same token, and nothing else shows.
    pub token_key: [u8; 32],
    /// Our own names, without ports and in lower case: a request to one of them came by a reverse listener.
    pub own_hosts: Vec<String>,
    /// Operations beyond those built in, in the catalogue's own text form.
    pub aws_overlay: Option<String>,
}

impl std::fmt::Debug for RoomsConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RoomsConfig").field("own_hosts", &self.own_hosts).finish_non_exhaustive()
    }
}

/// A room cannot be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoomsError {
    /// The overlay has a fault, which the text names with its line.
    #[error("the catalogue overlay cannot be used: {0}")]
    Overlay(String),
}
