//! The authorities of a gate over time: which one signs now, and which ones clients are given to trust.
//!
//! Leaves out when a new one is made. A client learns of a new authority by being given a new bundle, which takes
//! its time: so a new one is trusted first and signs later, and an old one is trusted until it ends.

use std::sync::Arc;

use jiff::Timestamp;

use crate::authority::Authority;
use crate::trust::{Certificate, Fingerprint};

/// Why an authority cannot take a turn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddError {
    /// It would have ended before its turn.
    #[error(
        "the authority `{name}` ends at `{not_after}` and would sign from `{signs_from}`; let it sign earlier"
    )]
    NeverSigns {
        /// Its name.
        name: String,
        /// When it ends.
        not_after: Timestamp,
        /// When its turn was to begin.
        signs_from: Timestamp,
    },
    /// It has a turn already.
    #[error("the authority `{0}` is there already; give each authority one turn")]
    Twice(String),
}

/// Why no authority signs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoneSigns {
    /// There is none.
    #[error("there is no certificate authority to sign with; make one")]
    Empty,
    /// The next one's turn has not come.
    #[error(
        "the authority `{name}` signs from `{signs_from}` on and the time is `{now}`; let it sign earlier"
    )]
    Waiting {
        /// Its name.
        name: String,
        /// When its turn begins.
        signs_from: Timestamp,
        /// The time it is.
        now: Timestamp,
    },
    /// All have ended.
    #[error("the authority `{name}` ended at `{not_after}` and the time is `{now}`; make a new one")]
    Ended {
        /// The name of the last one.
        name: String,
        /// When it ended.
        not_after: Timestamp,
        /// The time it is.
        now: Timestamp,
    },
}

/// The authorities of a gate: each signs from its time on, until the next one does.
#[derive(Debug, Clone, Default)]
pub struct Authorities {
    /// By the time of their turn; among equals, the one that was added last comes last.
    turns: Vec<Turn>,
    trusted: Vec<Certificate>,
}

#[derive(Debug, Clone)]
struct Turn {
    authority: Arc<Authority>,
    signs_from: Timestamp,
}

impl Authorities {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an authority that is trusted at once and signs from a time on.
    pub fn add(&mut self, authority: Arc<Authority>, signs_from: Timestamp) -> Result<(), AddError> {
        let certificate = authority.certificate();
        let (name, not_after) = (certificate.name().to_owned(), certificate.not_after());
        if signs_from >= not_after {
            return Err(AddError::NeverSigns { name, not_after, signs_from });
        }
        if self.turns.iter().any(|turn| turn.fingerprint() == certificate.fingerprint()) {
            return Err(AddError::Twice(name));
        }
        let place = self.turns.partition_point(|turn| turn.signs_from <= signs_from);
        self.turns.insert(place, Turn { authority, signs_from });
        Ok(())
    }

    /// Adds one that is trusted and never signs: of an earlier authority, the key need not be kept.
    pub fn trust(&mut self, certificate: Certificate) {
        self.trusted.push(certificate);
    }

    /// The one that signs now: of those that hold, the one whose turn came last.
    pub fn signing(&self, now: Timestamp) -> Result<&Arc<Authority>, NoneSigns> {
        let signing = self.turns.iter().rfind(|turn| turn.signs_from <= now && turn.holds_at(now));
        signing.map(|turn| &turn.authority).ok_or_else(|| self.why_none(now))
    }

    /// What clients are to trust: the one that signs now, then the others, the latest first, then those that never
    /// sign. What has ended is not among them.
    #[must_use]
    pub fn bundle(&self, now: Timestamp) -> Vec<&Certificate> {
        let signing = self.signing(now).ok().map(|authority| authority.certificate());
        let turns = self.turns.iter().rev().map(|turn| turn.authority.certificate());
        let mut bundle: Vec<&Certificate> = Vec::new();
        for certificate in signing.into_iter().chain(turns).chain(&self.trusted) {
            let is_there = bundle.iter().any(|there| there.fingerprint() == certificate.fingerprint());
            if !is_there && now <= certificate.not_after() {
                bundle.push(certificate);
            }
        }
        bundle
    }

    /// [`Self::bundle`] as clients read it.
    #[must_use]
    pub fn bundle_pem(&self, now: Timestamp) -> String {
        self.bundle(now).into_iter().map(Certificate::pem).collect()
    }

    fn why_none(&self, now: Timestamp) -> NoneSigns {
        let waiting = self.turns.iter().find(|turn| turn.signs_from > now);
        if let Some(turn) = waiting {
            return NoneSigns::Waiting { name: turn.name(), signs_from: turn.signs_from, now };
        }
        let last = self.turns.iter().max_by_key(|turn| turn.authority.certificate().not_after());
        match last {
            Some(turn) => {
                let not_after = turn.authority.certificate().not_after();
                NoneSigns::Ended { name: turn.name(), not_after, now }
            }
            None => NoneSigns::Empty,
        }
    }
}

impl Turn {
    fn name(&self) -> String {
        self.authority.certificate().name().to_owned()
    }

    fn fingerprint(&self) -> Fingerprint {
        self.authority.certificate().fingerprint()
    }

    fn holds_at(&self, now: Timestamp) -> bool {
        self.authority.certificate().is_valid_at(now)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use jiff::SignedDuration;

    use super::*;
    use crate::constraints::Constraints;

    fn day(day: i64) -> Timestamp {
        "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(24 * day)
    }

    fn authority(name: &str, made: i64, ends: i64) -> Arc<Authority> {
        let constraints = Constraints::permitting(["example.com"]).unwrap();
        let valid_for = SignedDuration::from_hours(24 * (ends - made));
        Arc::new(Authority::create(name, &constraints, day(made), valid_for).unwrap())
    }

    /// Who signs and who is trusted, day by day.
    fn check(authorities: &Authorities, days: &[i64], expected: &Expect) {
        let said: Vec<String> = days
            .iter()
            .map(|at| {
                let now = day(*at);
                let signs = match authorities.signing(now) {
                    Ok(authority) => authority.certificate().name().to_owned(),
                    Err(error) => error.to_string(),
                };
                let trusted: Vec<&str> = authorities.bundle(now).into_iter().map(Certificate::name).collect();
                format!("{at}: {signs}; trusted: {}\n", trusted.join(", "))
            })
            .collect();
        expected.assert_eq(&said.concat());
    }

    #[test]
    fn a_new_authority_is_trusted_first_and_signs_later() {
        let mut authorities = Authorities::new();
        authorities.add(authority("old", 0, 100), day(0)).unwrap();
        authorities.add(authority("new", 70, 170), day(80)).unwrap();
        authorities.trust(authority("oldest", -50, 50).certificate().clone());
        check(
            &authorities,
            &[0, 50, 51, 79, 80, 100, 101, 170, 171],
            &expect![[r"
            0: old; trusted: old, new, oldest
            50: old; trusted: old, new, oldest
            51: old; trusted: old, new
            79: old; trusted: old, new
            80: new; trusted: new, old
            100: new; trusted: new, old
            101: new; trusted: new
            170: new; trusted: new
            171: the authority `new` ended at `2026-06-20T00:00:00Z` and the time is `2026-06-21T00:00:00Z`; make a new one; trusted: 
        "]],
        );
    }

    #[test]
    fn the_order_in_which_they_are_added_decides_nothing() {
        let (old, new) = (authority("old", 0, 100), authority("new", 0, 100));
        let mut authorities = Authorities::new();
        authorities.add(Arc::clone(&new), day(20)).unwrap();
        authorities.add(Arc::clone(&old), day(10)).unwrap();
        check(
            &authorities,
            &[5, 10, 20],
            &expect![[r"
            5: the authority `old` signs from `2026-01-11T00:00:00Z` on and the time is `2026-01-06T00:00:00Z`; let it sign earlier; trusted: new, old
            10: old; trusted: old, new
            20: new; trusted: new, old
        "]],
        );
    }

    #[test]
    fn where_the_last_has_ended_an_earlier_one_that_holds_signs() {
        let mut authorities = Authorities::new();
        authorities.add(authority("long", 0, 100), day(0)).unwrap();
        authorities.add(authority("short", 0, 20), day(10)).unwrap();
        check(
            &authorities,
            &[9, 10, 20, 21],
            &expect![[r"
            9: long; trusted: long, short
            10: short; trusted: short, long
            20: short; trusted: short, long
            21: long; trusted: long
        "]],
        );
    }

    #[test]
    fn without_authorities_none_signs() {
        check(
            &Authorities::new(),
            &[0],
            &expect![[r"
            0: there is no certificate authority to sign with; make one; trusted: 
        "]],
        );
    }

    #[test]
    fn an_authority_takes_one_turn_and_before_its_end() {
        let (one, mut authorities) = (authority("one", 0, 10), Authorities::new());
        authorities.add(Arc::clone(&one), day(0)).unwrap();
        let errors: Vec<String> = [(Arc::clone(&one), day(5)), (authority("late", 0, 10), day(10))]
            .into_iter()
            .map(|(authority, from)| format!("{}\n", authorities.add(authority, from).unwrap_err()))
            .collect();
        expect![[r"
            the authority `one` is there already; give each authority one turn
            the authority `late` ends at `2026-01-11T00:00:00Z` and would sign from `2026-01-11T00:00:00Z`; let it sign earlier
        "]].assert_eq(&errors.concat());
    }

    #[test]
    fn the_bundle_is_what_clients_read_each_once_and_the_signing_one_first() {
        let (old, new) = (authority("old", 0, 100), authority("new", 0, 100));
        let mut authorities = Authorities::new();
        authorities.add(Arc::clone(&old), day(0)).unwrap();
        authorities.add(Arc::clone(&new), day(10)).unwrap();
        authorities.trust(old.certificate().clone());
        assert_eq!(authorities.bundle_pem(day(0)), [old.certificate_pem(), new.certificate_pem()].concat());
        assert_eq!(authorities.bundle_pem(day(10)), [new.certificate_pem(), old.certificate_pem()].concat());
    }
}
