//! The parameters of one request with the place where each stands: path, query, header or body.
//!
//! Leaves out how they are read (`gather.rs`) and which of them are secret (`call.rs`).

use ordain_action::Scalar;
use ordain_catalog::Location;

use crate::form::Fields;

/// All parameters of a request, before secrets are taken out.
#[derive(Debug, Default)]
pub(super) struct Wire {
    pub(super) fields: Fields,
    // From which leaf on which place holds.
    places: Vec<(usize, Location)>,
    /// Why some parameters are missing, when they are.
    pub(super) partial: Option<&'static str>,
    /// Why no parameter can be read, when none can.
    pub(super) opaque: Option<&'static str>,
}

/// One leaf and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaf<'w> {
    pub(super) location: Location,
    pub(super) path: &'w str,
    pub(super) value: Scalar<'w>,
}

impl<'w> Leaf<'w> {
    /// The text of a value that can name something.
    pub(super) const fn text(&self) -> Option<&'w str> {
        match self.value {
            Scalar::Text(text) | Scalar::Number(text) => Some(text),
            Scalar::Bool(_) | Scalar::Null | Scalar::Empty | Scalar::Token(_) => None,
        }
    }
}

impl Wire {
    /// What follows stands there.
    pub(super) fn at(&mut self, location: Location) -> &mut Fields {
        self.places.push((self.fields.len(), location));
        &mut self.fields
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Leaf<'_>> + Clone {
        let mut places = self.places.iter().peekable();
        let mut location = Location::Body;
        self.fields.iter().enumerate().map(move |(index, (path, value))| {
            while let Some((_, next)) = places.next_if(|(from, _)| *from <= index) {
                location = *next;
            }
            Leaf { location, path, value }
        })
    }

    /// The text of the leaf at that place and path.
    pub(super) fn text(&self, location: Location, path: &str) -> Option<&str> {
        self.iter().find(|leaf| leaf.location == location && leaf.path == path).and_then(|leaf| leaf.text())
    }
}
