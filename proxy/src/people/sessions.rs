//! Sessions of people who logged in: random tokens, of which only hashes are kept, in memory alone.
//!
//! They end by time here, and all of them with the program. Leaves out what else ends one (`people`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use ordain_action::Digest;
use ordain_sigv4::Secret;
use zeroize::Zeroizing;

use super::role::Roles;
use crate::identity::LoginRules;

/// The longest that a session lasts.
const LASTS: SignedDuration = SignedDuration::from_hours(12);

/// How long one lasts that nobody uses.
const IDLE: SignedDuration = SignedDuration::from_hours(1);

/// The most sessions of one person: the one unused for longest makes room.
const EACH_MAX: usize = 16;

/// What a token begins with, so that one that lies about is known for what it is.
const BEGINNING: &str = "ordain-session.";

/// What a person logged in with, which has to be as it was for the session to go on.
#[derive(Debug, Clone)]
pub(super) enum Ground {
    /// The account, by what it was like.
    Account(Digest),
    /// A token of an issuer, under the settings of then; what it said the person may do.
    Issuer { issuer: Arc<str>, under: Arc<LoginRules>, roles: Roles },
}

/// A session.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) person: Arc<str>,
    pub(super) ground: Ground,
    begun: Timestamp,
    used: Timestamp,
}

impl Session {
    fn ends(&self) -> Timestamp {
        self.lasts_until().min(after(self.used, IDLE))
    }

    /// When it ends at the latest.
    pub(super) fn lasts_until(&self) -> Timestamp {
        after(self.begun, LASTS)
    }
}

fn after(from: Timestamp, time: SignedDuration) -> Timestamp {
    from.checked_add(time).unwrap_or(from)
}

/// All sessions.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<HashMap<Digest, Session>>);

impl Sessions {
    /// Begins one. The token is nowhere but in what is returned.
    ///
    /// # Errors
    /// The system's cryptography failed.
    pub(super) fn begin(
        &self,
        person: &Arc<str>,
        ground: Ground,
        now: Timestamp,
    ) -> Result<(Secret, Timestamp), String> {
        let mut random = Zeroizing::new([0; 32]);
        aws_lc_rs::rand::fill(random.as_mut_slice())
            .map_err(|_| "the system's cryptography failed; try again".to_owned())?;
        let token = format!("{BEGINNING}{}", URL_SAFE_NO_PAD.encode(random.as_slice()));
        let session = Session { person: Arc::clone(person), ground, begun: now, used: now };
        let mut all = self.all();
        all.retain(|_, session| now < session.ends());
        let theirs = all.iter().filter(|(_, session)| session.person == *person);
        let oldest = theirs.clone().min_by_key(|(_, session)| session.used).map(|(hash, _)| *hash);
        if let Some(oldest) = oldest.filter(|_| theirs.count() >= EACH_MAX) {
            all.remove(&oldest);
        }
        let until = session.lasts_until();
        all.insert(Digest::of(token.as_bytes()), session);
        Ok((Secret::new(token), until))
    }

    /// The session of a token, which is used with this.
    pub(super) fn find(&self, token: &str, now: Timestamp) -> Option<Session> {
        let hash = Digest::of(token.strip_prefix(BEGINNING).map(|_| token)?.as_bytes());
        let mut all = self.all();
        let session = all.get_mut(&hash)?;
        if now >= session.ends() {
            all.remove(&hash);
            return None;
        }
        session.used = now;
        Some(session.clone())
    }

    /// Ends one; whose it was.
    pub(super) fn end(&self, token: &str) -> Option<Arc<str>> {
        self.all().remove(&Digest::of(token.as_bytes())).map(|session| session.person)
    }

    /// All that are not over by time, which are not used with this.
    pub(super) fn lasting(&self, now: Timestamp) -> Vec<(Digest, Session)> {
        let mut all = self.all();
        all.retain(|_, session| now < session.ends());
        all.iter().map(|(hash, session)| (*hash, session.clone())).collect()
    }

    /// Ends one that was found so.
    pub(super) fn end_found(&self, hash: Digest) {
        self.all().remove(&hash);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Digest, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap()
    }

    fn begun(sessions: &Sessions, person: &str, minutes: i64) -> String {
        let ground = Ground::Account(Digest::of(b""));
        sessions.begin(&person.into(), ground, at(minutes)).unwrap().0.expose().to_owned()
    }

    #[test]
    fn a_session_ends_when_nobody_uses_it_and_after_half_a_day_anyway() {
        let sessions = Sessions::default();
        let idle = begun(&sessions, "alice", 0);
        assert!(sessions.find(&idle, at(59)).is_some());
        assert!(sessions.find(&idle, at(59 + 60)).is_none());
        let used = begun(&sessions, "alice", 0);
        for minutes in (0..12 * 60).step_by(30) {
            assert!(sessions.find(&used, at(minutes)).is_some(), "{minutes}");
        }
        assert!(sessions.find(&used, at(12 * 60)).is_none());
    }

    #[test]
    fn a_token_is_of_one_session_and_kept_as_a_hash() {
        let sessions = Sessions::default();
        let (one, other) = (begun(&sessions, "alice", 0), begun(&sessions, "bob", 0));
        assert_eq!(&*sessions.find(&one, at(1)).unwrap().person, "alice");
        assert_eq!(&*sessions.find(&other, at(1)).unwrap().person, "bob");
        let secret = one.strip_prefix(BEGINNING).unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(secret).unwrap().len(), 32);
        assert!(!format!("{sessions:?}").contains(secret));
        assert!(sessions.find(secret, at(1)).is_none());
        assert!(sessions.find(&format!("{one}A"), at(1)).is_none());
        assert_eq!(sessions.end(&one).as_deref(), Some("alice"));
        assert!(sessions.find(&one, at(1)).is_none() && sessions.find(&other, at(1)).is_some());
    }

    #[test]
    fn a_person_has_so_many_sessions_and_the_one_unused_for_longest_makes_room() {
        let sessions = Sessions::default();
        let all: Vec<String> = (0..16).map(|minute| begun(&sessions, "alice", minute)).collect();
        let bobs = begun(&sessions, "bob", 0);
        assert!(sessions.find(&all[0], at(17)).is_some());
        begun(&sessions, "alice", 18);
        assert!(sessions.find(&all[0], at(19)).is_some() && sessions.find(&all[1], at(19)).is_none());
        assert!(sessions.find(&bobs, at(19)).is_some());
    }
}
