//! Resources of Azure in a state: their ids are their names.
//!
//! Leaves out what is only set on something and has no id of its own, such as an association of two: it is known by what the
//! state calls it alone.

use super::state::Instance;
use super::{Placed, tags};
use crate::azure;
use crate::import::azure::Spelling;
use crate::model::account_and_region;

/// What a resource is in its tenant.
pub(super) fn placed(instance: &Instance, spelling: &Spelling) -> Placed {
    let id = instance.text("id").map(azure::id).filter(|id| azure::is_id(id) && !id.contains('|'));
    let kind = id.as_deref().and_then(|id| spelling.kind(id));
    let account = id.as_deref().map(|id| account_and_region(id).0.to_string());
    Placed {
        kind: kind.unwrap_or_else(|| instance.kind.clone()),
        name: id.map(|id| id.into_owned()),
        account: account.filter(|account| !account.is_empty()),
        region: instance.text("location").map(str::to_owned),
        tags: tags(instance, &["tags"]),
        ..Placed::default()
    }
}
