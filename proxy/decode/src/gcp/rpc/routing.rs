//! What the header says of a call by which Google's front ends route it: `x-goog-request-params`.
//!
//! Leaves out fields that are no texts, and words that are none of the message's fields: those only route.

use ordain_action::Undecodable;
use prost_reflect::{Kind, MessageDescriptor};

use super::rule::json_path;
use crate::Head;
use crate::form::Fields;
use crate::form::fields::clip;
use crate::form::query::{self, Plus};

const NAME: &str = "x-goog-request-params";

/// Refuses a header that names another thing than the message does.
///
/// # Errors
/// It does, or it cannot be read.
pub(super) fn check(head: &Head<'_>, input: &MessageDescriptor, fields: &Fields) -> Result<(), Undecodable> {
    if !head.headers.contains_key(NAME) {
        return Ok(());
    }
    let said = head.header(NAME).ok_or_else(|| {
        Undecodable::new("unread_header", format!("`{NAME}` is no plain text; leave it out"))
    })?;
    for pair in query::parse(said, Plus::Space)? {
        let Some((path, field)) = json_path(input, &pair.name) else { continue };
        if field.is_list() || field.is_map() || !matches!(field.kind(), Kind::String) {
            continue;
        }
        if fields.text(&path).unwrap_or_default() != pair.value {
            return Err(Undecodable::new(
                "two_names",
                format!("`{NAME}` says another `{}` than the message does; name it once", clip(&pair.name)),
            ));
        }
    }
    Ok(())
}
