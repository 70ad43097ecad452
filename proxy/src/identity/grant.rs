//! Who somebody is by what was said of them: names made from what a credential says, and conditions on it.
//!
//! Leaves out whether it was said by somebody who is believed (`jwt`, `certificate`, `local`).

use std::sync::Arc;

use ordain_action::{ActorKind, DenialKind, Party, Plane, Upstream};

use super::presented::unauthenticated;
use crate::fault::Fault;
use crate::place::Place;

/// The longest name that is made: it stands in every record.
const NAME_MAX: usize = 256;

/// Values by name, as a credential says them.
pub(super) type Said = std::collections::BTreeMap<String, String>;

/// What a rule makes of a credential that fits it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The actor's name.
    pub actor: Template,
    /// The actor's kind, which no credential says.
    pub kind: ActorKind,
    /// The upstreams it may use, at least one.
    pub upstreams: Vec<Arc<str>>,
    /// For whom it acts, nearest first.
    pub on_behalf_of: Vec<(ActorKind, Template)>,
}

/// A text with values in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Value(String),
}

/// A text in which `*` stands for anything but what parts a name, and `**` for anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    stops: &'static [u8],
}

impl Template {
    /// Reads a template; says what is wrong with it otherwise.
    ///
    /// # Errors
    /// A brace without its other one, or nothing between them.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) = after.split_once('}').ok_or("close each `{` with a `}`")?;
            if name.is_empty() || name.contains('{') || before.contains('}') {
                return Err("put the name of a claim between `{` and `}`");
            }
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(Piece::Value(name.to_owned()));
            rest = behind;
        }
        if rest.contains('}') {
            return Err("open each `}` with a `{`");
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Self(pieces))
    }

    /// As it was written.
    #[must_use]
    pub fn as_text(&self) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Value(name) => format!("{{{name}}}"),
        };
        self.0.iter().map(piece).collect()
    }

    /// The values that it asks for.
    pub fn asks_for(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Value(name) => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// The name that it makes of what was said.
    pub(super) fn name(&self, said: &Said) -> Result<Arc<str>, Fault> {
        let mut name = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => name.push_str(text),
                Piece::Value(value) => {
                    name.push_str(said.get(value).filter(|value| !value.is_empty()).ok_or_else(|| {
                        let text = format!(
                            "the credential says no `{value}`, which the actor is named by; ask the operator"
                        );
                        unauthenticated("claim_missing", text)
                    })?);
                }
            }
        }
        let plain = |character: char| !character.is_whitespace() && !character.is_control();
        if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(plain) {
            let text = format!(
                "the name that the credential makes is empty, longer than {NAME_MAX} bytes or holds blanks; ask the operator"
            );
            return Err(unauthenticated("bad_actor", text));
        }
        Ok(name.into())
    }
}

impl Pattern {
    /// A pattern of texts that `/` and `:` part.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), stops: b"/:" }
    }

    /// A pattern of DNS names, which dots part, in lower case.
    #[must_use]
    pub fn of_dns(text: &str) -> Self {
        Self { text: text.to_ascii_lowercase(), stops: b"." }
    }

    /// Whether a text fits, letter for letter and from end to end.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        fits(self.text.as_bytes(), self.stops, text.as_bytes())
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Follows all ways through the pattern at once, so that no text takes longer than its length times the pattern's.
fn fits(pattern: &[u8], stops: &[u8], text: &[u8]) -> bool {
    // The states that a prefix of the text leads to: how much of the pattern it has used.
    let end = pattern.len();
    let mut reached = vec![false; end + 1];
    let star = |at: usize| pattern.get(at) == Some(&b'*');
    let double = |at: usize| star(at) && star(at + 1);
    let close = |reached: &mut Vec<bool>| {
        for at in 0..end {
            let skipped = if double(at) { at + 2 } else { at + 1 };
            if reached.get(at) == Some(&true)
                && star(at)
                && let Some(next) = reached.get_mut(skipped)
            {
                *next = true;
            }
        }
    };
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    close(&mut reached);
    for byte in text {
        let mut next = vec![false; end + 1];
        for (at, _) in reached.iter().enumerate().filter(|(_, here)| **here) {
            let to = match pattern.get(at) {
                Some(b'*') if double(at) || !stops.contains(byte) => at,
                Some(b'*') | None => continue,
                Some(same) if same == byte => at + 1,
                Some(_) => continue,
            };
            if let Some(slot) = next.get_mut(to) {
                *slot = true;
            }
        }
        close(&mut next);
        reached = next;
    }
    reached.get(end) == Some(&true)
}

impl Grant {
    /// In words.
    #[must_use]
    pub fn shown(&self) -> String {
        let mut text = format!("{} `{}`", self.kind.as_str(), self.actor.as_text());
        for (kind, name) in &self.on_behalf_of {
            text.push_str(&format!(" on behalf of {} `{}`", kind.as_str(), name.as_text()));
        }
        text.push_str(&format!(" on {}", self.upstreams.join(", ")));
        text
    }

    /// Who it is, and for whom.
    ///
    /// # Errors
    /// A [`Fault`] where what was said makes no name.
    pub fn parties(&self, said: &Said) -> Result<(Party, Vec<Party>), Fault> {
        let party = Party { name: self.actor.name(said)?, kind: self.kind };
        let others = self.on_behalf_of.iter();
        let others = others.map(|(kind, template)| Ok(Party { name: template.name(said)?, kind: *kind }));
        Ok((party, others.collect::<Result<_, Fault>>()?))
    }

    /// The upstream that it uses where a request came to `place`: the one of that place, or the only one there is.
    ///
    /// # Errors
    /// A [`Fault`]: it may not use that one, or it is not clear which one is meant.
    pub fn upstream(
        &self,
        (place, plane): (&Place, Plane),
        upstream: impl Fn(&str) -> Option<Upstream>,
    ) -> Result<Upstream, Fault> {
        let served = |name: &Arc<str>| {
            upstream(name).ok_or_else(|| {
                let text = format!(
                    "the upstream `{name}` is not served here, or not verified yet; ask the operator"
                );
                unauthenticated("unknown_upstream", text)
            })
        };
        if let Some(name) = &place.upstream {
            if self.upstreams.contains(name) {
                return served(name);
            }
            let text = format!(
                "the credential is right, and its holder may not use the upstream `{name}`; ask the operator"
            );
            return Err(Fault::new(DenialKind::Forbidden, "upstream_not_allowed", text));
        }
        // One that is not verified cannot be told from the others by its plane, and might be meant.
        let all: Vec<Upstream> = self.upstreams.iter().map(served).collect::<Result<_, _>>()?;
        let mut fitting = all.into_iter().filter(|upstream| upstream.plane == plane);
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => {
                let text = "the credential is right, and its holder may use no upstream of this plane; ask the operator";
                Err(Fault::new(DenialKind::Forbidden, "upstream_not_allowed", text))
            }
            (Some(_), Some(_)) => {
                let text = "it is not clear which upstream is meant; send the request to one of the `names` of the upstream, \
                            or through the egress gateway";
                Err(Fault::new(DenialKind::Malformed, "upstream_ambiguous", text))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stops_at_what_parts_a_name_and_two_do_not() {
        for (pattern, text, expected) in [
            ("acme/*", "acme/shop", true),
            ("acme/*", "acme/", true),
            ("acme/*", "acme/shop/evil", false),
            ("acme/*", "acmex/shop", false),
            ("acme/*", "evil/acme/shop", false),
            ("refs/heads/main", "refs/heads/main2", false),
            ("refs/heads/*", "refs/heads/feature/x", false),
            ("refs/heads/**", "refs/heads/feature/x", true),
            ("repo:acme/*:ref:refs/heads/main", "repo:acme/shop:ref:refs/heads/main", true),
            ("repo:acme/*:ref:refs/heads/main", "repo:acme/shop:environment:x:ref:refs/heads/main", false),
            ("*", "", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("**", "a/b:c", true),
            ("**/x", "a/b/x", true),
            ("", "", true),
            ("", "a", false),
            ("Main", "main", false),
        ] {
            assert_eq!(Pattern::new(pattern).fits(text), expected, "{pattern} {text}");
        }
        assert!(!Pattern::new(&"*a".repeat(64)).fits(&"a".repeat(4096).replace("aaaa", "aab:")));
    }

    #[test]
    fn a_name_is_made_of_what_was_said_and_of_nothing_else() {
        let said: Said = [("repository", "acme/shop"), ("empty", ""), ("blank", "a b")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into();
        let name = |text: &str| {
            let template = Template::parse(text).unwrap();
            template
                .name(&said)
                .map_or_else(|fault| fault.reason_code().as_str().to_owned(), |name| name.to_string())
        };
        assert_eq!(name("ci:{repository}"), "ci:acme/shop");
        assert_eq!(name("{missing}"), "claim_missing");
        assert_eq!(name("{empty}"), "claim_missing");
        assert_eq!(name("{blank}"), "bad_actor");
        assert_eq!(name(&"x".repeat(257)), "bad_actor");
        for wrong in ["{", "}", "{}", "a}b{c}", "{a{b}}"] {
            assert!(Template::parse(wrong).is_err(), "{wrong}");
        }
    }
}
