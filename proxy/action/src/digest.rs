//! The request digest: what an approval signs and a permit is bound to.
//!
//! A versioned canonical encoding of actor, upstream, operations, resources and all parameters, hashed
//! with SHA-256. Leaves out auto-generated idempotency members, the order of what has none, and transport noise, so that
//! an SDK's retry of a request has the digest of the request.

use std::fmt;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{Action, Completeness, Effect, Reading, Scalar};

/// The version of the canonical encoding, part of what is hashed.
pub const REQUEST_DIGEST_VERSION: u8 = 2;

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The SHA-256 of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest as 64 hexadecimal digits in lower case.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }

    /// Reads 64 hexadecimal digits; `None` for anything else.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

/// The name of a decision: a UUIDv7, which the caller sees. It joins denial, evidence and upstream log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DecisionId(pub Uuid);

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The digest of an action. `head_and_body` gives the SHA-256 of what was received, and is asked only where the
/// request could not be read whole: then the bytes are all there is to bind to.
#[must_use]
pub fn request_digest(action: &Action, head_and_body: impl Fn() -> Digest) -> Digest {
    // Gathered first and hashed at once: a request has many short fields.
    let mut encoder = Encoder { bytes: Vec::with_capacity(2048), head_and_body };
    encoder.text("ordain-request-digest");
    encoder.byte(REQUEST_DIGEST_VERSION);
    let actor = &action.actor;
    encoder.text(&actor.party.name);
    encoder.text(actor.party.kind.as_str());
    encoder.count(actor.on_behalf_of.len());
    for party in &actor.on_behalf_of {
        encoder.text(&party.name);
        encoder.text(party.kind.as_str());
    }
    encoder.text(actor.session.as_deref().unwrap_or_default());
    encoder.text(&actor.upstream.name);
    encoder.text(actor.upstream.plane.as_str());
    encoder.text(&actor.upstream.account);
    encoder.text(&actor.upstream.partition);
    match &action.reading {
        Reading::Call(call) => {
            encoder.byte(1);
            encoder.text(&call.region);
            encoder.count(call.effects.len());
            for effect in &call.effects {
                encoder.effect(effect);
            }
        }
        Reading::Undecodable { plane, why } => {
            encoder.byte(0);
            encoder.text(plane.as_str());
            encoder.text(why.reason_code);
            encoder.received();
        }
    }
    Digest::of(&encoder.bytes)
}

/// Length-prefixed fields, so that no two different actions encode to the same bytes.
struct Encoder<F> {
    bytes: Vec<u8>,
    head_and_body: F,
}

impl<F: Fn() -> Digest> Encoder<F> {
    fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    fn count(&mut self, count: usize) {
        self.bytes.extend_from_slice(&(count as u64).to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn received(&mut self) {
        let digest = (self.head_and_body)();
        self.bytes.extend_from_slice(&digest.0);
    }

    fn effect(&mut self, effect: &Effect) {
        self.text(&effect.service);
        self.text(&effect.operation);
        self.text(effect.access.as_str());
        self.count(effect.resources.len());
        for resource in &effect.resources {
            self.text(resource.role.as_str());
            self.text(&resource.kind);
            self.text(&resource.name);
            self.count(resource.identifiers.len());
            for identifier in &resource.identifiers {
                self.text(&identifier.name);
                self.text(&identifier.value);
            }
        }
        match effect.parameters.completeness() {
            Completeness::Complete => self.byte(0),
            // What could not be read is bound by its bytes: an approval never covers other ones.
            Completeness::Partial(_) => {
                self.byte(1);
                self.received();
            }
            Completeness::Opaque(_) => {
                self.byte(2);
                self.received();
            }
        }
        let counted = effect.parameters.canonical();
        self.count(counted.len());
        for (path, value) in counted {
            self.text(&path);
            match value {
                Scalar::Text(text) => self.tagged(b't', text),
                Scalar::Number(text) => self.tagged(b'n', text),
                Scalar::Bool(value) => self.tagged(b'b', if value { "true" } else { "false" }),
                Scalar::Null => self.tagged(b'0', ""),
                Scalar::Empty => self.tagged(b'e', ""),
                Scalar::Token(text) => self.tagged(b's', text),
            }
        }
    }

    fn tagged(&mut self, tag: u8, text: &str) {
        self.byte(tag);
        self.text(text);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use expect_test::{Expect, expect};

    use super::*;
    use crate::{
        Access, Actor, ActorKind, Answer, Call, Identifier, IdentityProof, Level, NameBasis, Parameters,
        Party, Plane, Resource, Role, Undecodable, Upstream,
    };

    fn actor() -> Actor {
        Actor {
            party: Party { name: "alice".into(), kind: ActorKind::Person },
            credential: "AKORAAAAAAAAAAAAAAAA".into(),
            proof: IdentityProof::Proven,
            on_behalf_of: Vec::new(),
            session: None,
            upstream: Upstream {
                name: "default".into(),
                plane: Plane::Aws,
                account: "123456789012".into(),
                partition: "aws".into(),
            },
        }
    }

    fn terminate(parameters: Parameters) -> Action {
        let effect = Effect {
            service: "ec2".into(),
            operation: "TerminateInstances".into(),
            iam_action: "ec2:TerminateInstances".into(),
            access: Access::Delete,
            level: Level::Control,
            resources: vec![Resource {
                role: Role::Target,
                kind: "ec2:instance".into(),
                name: "arn:aws:ec2:eu-west-1:123456789012:instance/i-0a".into(),
                basis: NameBasis::Reviewed,
                pattern: false,
                identifiers: vec![Identifier { name: "InstanceId.1".into(), value: "i-0a".into() }],
            }],
            parameters,
        };
        let call = Call {
            plane: Plane::Aws,
            effects: vec![effect],
            answer: Answer::default(),
            region: Arc::from("eu-west-1"),
        };
        Action { actor: actor(), reading: Reading::Call(call) }
    }

    fn one(path: &str, value: Scalar<'_>) -> Parameters {
        let mut parameters = Parameters::new();
        parameters.push(path, value).unwrap();
        parameters
    }

    fn digest(action: &Action) -> Digest {
        request_digest(action, || Digest::of(b"head and body"))
    }

    #[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
    fn check(action: &Action, expected: Expect) {
        expected.assert_eq(&digest(action).to_hex());
    }

    // Approvals sign these digests: a change of the encoding is a new version, never new values here.
    #[test]
    fn golden_vectors() {
        check(
            &terminate(Parameters::new()),
            expect!["aba73fbf243bdb900cff161a01891902424a0d0eb4c8ea86c7b233fc16d95d0e"],
        );
        check(
            &terminate(one("InstanceId.1", Scalar::Text("i-0a"))),
            expect!["fbed735ed471ba5b55e92ec870f9268a6d863aa437b645ac451542f63ca70cd8"],
        );
        let why = Undecodable::new("unknown_operation", "the operation is not known");
        check(
            &Action { actor: actor(), reading: Reading::Undecodable { plane: Plane::Aws, why } },
            expect!["da2dc075ced52441ac981f04d5bb3091a0a073f30715b0c1c04038ee27e2ca0d"],
        );
    }

    #[test]
    fn a_text_and_a_number_that_look_alike_differ() {
        let text = digest(&terminate(one("Size", Scalar::Text("1"))));
        assert_ne!(text, digest(&terminate(one("Size", Scalar::Number("1")))));
        assert_ne!(text, digest(&terminate(one("Size", Scalar::Token("1")))));
    }

    #[test]
    fn a_border_between_path_and_value_cannot_be_moved() {
        assert_ne!(
            digest(&terminate(one("ab", Scalar::Text("c")))),
            digest(&terminate(one("a", Scalar::Text("bc"))))
        );
    }

    #[test]
    fn the_order_of_members_does_not_count() {
        let mut other = one("Value", Scalar::Text("b"));
        other.push("Key", Scalar::Text("a")).unwrap();
        let mut first = one("Key", Scalar::Text("a"));
        first.push("Value", Scalar::Text("b")).unwrap();
        assert_eq!(digest(&terminate(first)), digest(&terminate(other)));
    }

    #[test]
    fn an_idempotency_member_does_not_count() {
        let mut with = one("InstanceId.1", Scalar::Text("i-0a"));
        with.push_idempotency("ClientToken", Scalar::Text("8f2c")).unwrap();
        assert_eq!(digest(&terminate(with)), digest(&terminate(one("InstanceId.1", Scalar::Text("i-0a")))));
    }

    #[test]
    fn what_could_not_be_read_is_bound_by_its_bytes() {
        let mut parameters = Parameters::new();
        parameters.incomplete(Completeness::Opaque("binary"));
        let action = terminate(parameters);
        assert_ne!(
            request_digest(&action, || Digest::of(b"one body")),
            request_digest(&action, || Digest::of(b"another body"))
        );
    }

    #[test]
    fn another_actor_or_upstream_is_another_request() {
        let action = terminate(Parameters::new());
        let mut other = action.clone();
        other.actor.party.name = "mallory".into();
        assert_ne!(digest(&action), digest(&other));
        let mut elsewhere = action.clone();
        elsewhere.actor.upstream.account = "210987654321".into();
        assert_ne!(digest(&action), digest(&elsewhere));
    }
}
