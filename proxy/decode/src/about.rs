//! What a room says of itself to whoever asks what is read here.
//!
//! Leaves out reading.

use ordain_action::Plane;

/// A room, as it is shown.
#[derive(Debug, Clone)]
pub struct About {
    /// The plane that it reads.
    pub plane: Plane,
    /// What it reads, in a few words.
    pub reads: &'static str,
    /// How much of it is known by name, for example `(439, "services")`; the grammar says the rest.
    pub known: Vec<(usize, &'static str)>,
    /// Where its data comes from: the text of the catalogue's `SOURCE.toml`; empty where it has none of its own.
    pub sources: &'static str,
    /// The room's own page, for whoever sets it up: the text of its `README.md`.
    pub page: &'static str,
    /// What it does not do, on purpose.
    pub absent: &'static [&'static str],
}
