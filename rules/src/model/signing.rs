//! The keys that people sign approvals with: whose each is, and that it is one person's only.
//!
//! Leaves out what a key is (`approval/key.rs`) and what is signed.

use std::collections::BTreeMap;
use std::sync::Arc;

use ordain_action::ActorKind;

use super::Problem;
use super::people::Person;
use super::text::{Body, Placed};
use crate::approval::Key;

/// Gives everybody their keys.
pub(super) fn read(
    documents: &[Placed],
    actors: &mut BTreeMap<Arc<str>, Person>,
    problems: &mut Vec<Problem>,
) {
    let mut holders: Vec<(Key, Arc<str>)> = Vec::new();
    for document in documents {
        let name = document.metadata.name.as_str();
        let keys = signing_keys(&document.body);
        let Some(person) = actors.get_mut(name).filter(|_| !keys.is_empty()) else { continue };
        if person.kind != ActorKind::Person {
            let text =
                format!("`{name}` is no person, and only people approve; remove `signingKeys` from `{name}`");
            problems.push(document.place.problem("signingKeys:", text));
            continue;
        }
        for written in keys {
            let key = match Key::read(written) {
                Ok(key) => key,
                Err(text) => {
                    problems.push(document.place.problem(written.trim(), text));
                    continue;
                }
            };
            // INVARIANT: a key is one person's. Were it two people's, one could approve what the other wrote, as both.
            match holders.iter().find(|(known, _)| *known == key) {
                Some((_, holder)) => {
                    let text = if **holder == *name {
                        format!("`{name}` has the key {} twice; remove one", key.fingerprint())
                    } else {
                        format!(
                            "`{name}` and `{holder}` have the same key {}; give each a key of their own",
                            key.fingerprint(),
                        )
                    };
                    problems.push(document.place.problem(written.trim(), text));
                }
                None => {
                    holders.push((key.clone(), Arc::from(name)));
                    person.keys.push(key);
                }
            }
        }
    }
}

fn signing_keys(body: &Body) -> &[String] {
    if let Body::User(spec) = body {
        return &spec.signing_keys;
    }
    if let Body::Actor(spec) = body { &spec.signing_keys } else { &[] }
}
