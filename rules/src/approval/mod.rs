//! Approvals: who signed for which change, and that it is their signature. A signature is for one text of one change.
//!
//! Leaves out what a change is, who may approve it and how many have to (`change/`), and the clock.

mod key;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use ordain_action::{ActorKind, Digest};
use serde::Deserialize;

pub(crate) use self::key::Key;
use self::key::{NAMESPACE, Signature};
use crate::Snapshot;
use crate::model::{Body, Finding, People, Placed, Problem, nearest};

/// An approval as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApprovalSpec {
    /// The name of the change.
    change: String,
    /// The digest of the change's body, as `sha256:…`.
    digest: String,
    /// The person.
    by: String,
    at: Timestamp,
    /// As `ssh-keygen -Y sign -n ordain-approval` wrote it.
    signature: String,
}

/// A change approved by a person, in that person's own hand: the signature was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The document's own name.
    pub name: Arc<str>,
    /// The change.
    pub change: Arc<str>,
    /// The digest of the change's body that was approved, as `sha256:…`.
    pub digest: Arc<str>,
    /// The person.
    pub by: Arc<str>,
    /// When, by the person's own word. It may lie in the future: until then it counts for nothing.
    pub at: Timestamp,
    /// The fingerprint of the key it was verified with.
    pub verified: String,
    /// The file it stands in.
    pub path: String,
}

/// The approvals of a model by change and digest, all of them verified.
#[derive(Debug, Default)]
pub(crate) struct Approvals {
    by_change: BTreeMap<(Arc<str>, Arc<str>), ByPerson>,
}

/// The earliest of each person.
type ByPerson = BTreeMap<Arc<str>, Approval>;

/// What a person signs, byte for byte.
#[must_use]
pub fn statement(change: &str, digest: &str, by: &str, at: Timestamp) -> String {
    format!("ordain approval v1\nchange {change}\ndigest {digest}\nby {by}\nat {at}\n")
}

/// What a person signs to approve what waits under a hold, byte for byte. `question` is the digest of its question, in
/// hexadecimal digits.
#[must_use]
pub fn hold_statement(hold: &str, question: &str, by: &str, at: Timestamp) -> String {
    format!("ordain hold approval v1\nhold {hold}\nquestion sha256:{question}\nby {by}\nat {at}\n")
}

impl Approvals {
    /// Reads and verifies every approval; one that is not as it should be is a problem of the model.
    pub(crate) fn read(documents: &[Placed], people: &People, problems: &mut Vec<Problem>) -> Self {
        let mut approvals = Self::default();
        for document in documents {
            let Body::Approval(spec) = &document.body else { continue };
            let name = document.metadata.name.as_str();
            let ApprovalSpec { change, digest, by, at, signature } = spec;
            match verify(people, change, digest, by, *at, signature) {
                Ok(verified) => approvals.add(Approval {
                    name: Arc::from(name),
                    change: Arc::from(change.as_str()),
                    digest: Arc::from(digest.as_str()),
                    by: Arc::from(by.as_str()),
                    at: *at,
                    verified,
                    path: document.place.path.clone(),
                }),
                Err(fault) => {
                    let text = format!("approval `{name}`: {}", fault.text);
                    problems.push(document.place.problem(fault.words, text));
                }
            }
        }
        approvals
    }

    fn add(&mut self, approval: Approval) {
        let of = (Arc::clone(&approval.change), Arc::clone(&approval.digest));
        let by_person = self.by_change.entry(of).or_default();
        match by_person.get(&approval.by) {
            Some(known) if known.at <= approval.at => {}
            Some(_) | None => {
                by_person.insert(Arc::clone(&approval.by), approval);
            }
        }
    }

    /// Who approved a change as it is by this digest, each once, by name.
    pub(crate) fn of(&self, change: &str, digest: &str) -> impl Iterator<Item = &Approval> {
        self.by_change.get(&(Arc::from(change), Arc::from(digest))).into_iter().flat_map(BTreeMap::values)
    }

    /// Those that are for nothing, where `digest` tells the digest of a change as it is now.
    pub(crate) fn void(&self, digest: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for approval in self.by_change.values().flat_map(BTreeMap::values) {
            let Approval { name, change, by, path, .. } = approval;
            let text = match digest(change) {
                Some(current) if *current == *approval.digest => continue,
                Some(_) => format!(
                    "approval `{name}` is for `{change}` as it was before and counts for nothing; have `{by}` \
                     look at it again, or remove the approval"
                ),
                None => format!(
                    "approval `{name}` is for the change `{change}`, which is not there, and counts for nothing; \
                     remove the approval"
                ),
            };
            findings.push(Finding { source: path.clone(), text });
        }
        findings
    }
}

impl Snapshot {
    /// Who approved a change as it is by a digest, each once and by name; those of the future too.
    pub fn approvals<'s>(&'s self, change: &str, digest: &str) -> impl Iterator<Item = &'s Approval> {
        let model = self.model();
        model.into_iter().flat_map(move |model| model.approvals.of(change, digest))
    }

    /// The public keys that a person of the model signs approvals with, each as a line of a `.pub` file.
    ///
    /// # Errors
    /// Why this is nobody who can approve, and what to do.
    pub fn signing_keys(&self, by: &str) -> Result<Vec<String>, String> {
        let keys = keys(self.people()?, by).map_err(|fault| fault.text)?;
        Ok(keys.iter().filter_map(Key::line).collect())
    }

    /// Whether a signature approves just this, as a document of the model would: the fingerprint of the key it is by.
    ///
    /// # Errors
    /// Why it does not, and what to do.
    pub fn verify_approval(
        &self,
        (change, digest): (&str, &str),
        (by, at): (&str, Timestamp),
        signature: &str,
    ) -> Result<String, String> {
        verify(self.people()?, change, digest, by, at, signature).map_err(|fault| fault.text)
    }

    fn people(&self) -> Result<&People, String> {
        let model = self.model().ok_or("there is no model; approvals are by the people of a model")?;
        Ok(&model.people)
    }
}

/// Whether a person signed for one hold and nothing else: the fingerprint of the key it is by.
pub(crate) fn verify_hold(
    people: &People,
    (hold, question): (&str, &str),
    (by, at): (&str, Timestamp),
    signature: &str,
) -> Result<String, String> {
    let signed = || {
        let keys = keys(people, by)?;
        well_formed(hold, &format!("sha256:{question}"), by)?;
        let sign = format!("ordain hold approve {hold} --as {by}");
        let over = "this hold, question, person and time";
        is_by(keys, (by, &sign, over), &hold_statement(hold, question, by, at), signature)
    };
    signed().map_err(|fault| fault.text)
}

/// Why something is no approval, and which words of its document to point at.
#[derive(Debug)]
struct Fault {
    words: &'static str,
    text: String,
}

/// Whether it is a person's own signature, for just this: the fingerprint of the key that it is by.
fn verify(
    people: &People,
    change: &str,
    digest: &str,
    by: &str,
    at: Timestamp,
    signature: &str,
) -> Result<String, Fault> {
    let keys = keys(people, by)?;
    well_formed(change, digest, by)?;
    let sign = format!("ordain change approve {change} --as {by}");
    let over = "these `change`, `digest`, `by` and `at`";
    is_by(keys, (by, &sign, over), &statement(change, digest, by, at), signature)
}

/// Whether a statement is signed with one of a person's keys: the fingerprint of that. `sign` is the command that signs it,
/// and `over` what it is over, for whoever is told that it is not.
fn is_by(
    keys: &[Key],
    (by, sign, over): (&str, &str, &str),
    statement: &str,
    signature: &str,
) -> Result<String, Fault> {
    let fault = |text: String| Fault { words: "signature:", text };
    let Some(signature) = Signature::read(signature) else {
        let text = format!("this is no signature of `ssh-keygen -Y sign`; sign it with `{sign}`");
        return Err(fault(text));
    };
    if signature.namespace() != NAMESPACE {
        return Err(fault(format!(
            "it was signed for `{}`; sign it again with `ssh-keygen -Y sign -n {NAMESPACE}`",
            signature.namespace().escape_debug(),
        )));
    }
    let signer = signature.key();
    let Some(key) = keys.iter().find(|key| **key == signer) else {
        return Err(fault(format!(
            "it was signed with the key {}, which is none of `signingKeys` of `{by}`; sign it with one that is, or \
             have the key added there",
            signer.fingerprint(),
        )));
    };
    if !key.signed(statement, &signature) {
        return Err(fault(format!(
            "the signature is not over {over}; restore what was signed, or have `{by}` approve it again"
        )));
    }
    if !signature.was_touched() {
        return Err(fault(format!(
            "it was signed with a security key that nobody touched; have `{by}` sign it with a key that asks for a touch"
        )));
    }
    Ok(key.fingerprint())
}

/// The keys of somebody who may approve at all.
fn keys<'p>(people: &'p People, by: &str) -> Result<&'p [Key], Fault> {
    let text = match people.actors.get(by) {
        None => format!("`{by}` is not declared; {}", nearest(by, &people.names())),
        Some(person) if person.kind != ActorKind::Person => {
            format!("`{by}` is no person; have a person approve it")
        }
        Some(person) if person.keys.is_empty() => {
            format!("`{by}` has no keys to sign with; add `signingKeys` to the document of `{by}`")
        }
        Some(person) => return Ok(&person.keys),
    };
    Err(Fault { words: "by:", text })
}

/// INVARIANT: no part of a statement has a line break in it, so that no two approvals have the same statement.
fn well_formed(change: &str, digest: &str, by: &str) -> Result<(), Fault> {
    let is_word = |text: &str| {
        !text.is_empty() && !text.contains(|letter: char| letter.is_control() || letter.is_whitespace())
    };
    if !is_word(change) {
        let text = "`change` is not a name in one word; give the name of the change".to_owned();
        return Err(Fault { words: "change:", text });
    }
    if !is_word(by) {
        let text = format!("`{by}` has blanks in it and cannot approve; give the person a name in one word");
        return Err(Fault { words: "by:", text });
    }
    let digits = digest.strip_prefix("sha256:");
    if digits.and_then(Digest::from_hex).is_none_or(|read| Some(read.to_hex().as_str()) != digits) {
        let text = format!(
            "`{}` is not a digest; give it as `sha256:` and 64 hexadecimal digits, as `ordain change show {change}` \
             prints it",
            digest.escape_debug(),
        );
        return Err(Fault { words: "digest:", text });
    }
    Ok(())
}
