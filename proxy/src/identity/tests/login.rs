//! Tokens that people log in to the admin address with: whose they are, and what is not taken.

use serde_json::{Value, json};

use super::issuers::{Provider, Signer, head};
use super::*;
use crate::identity::{ALGORITHMS, LoginIssuers, LoginRule, LoginRules, Pattern, Source, Template};
use crate::people::Role;

/// Everything that a token is held against.
struct World {
    provider: Provider,
    signer: Signer,
    issuers: LoginIssuers,
    upstreams: Arc<Upstreams>,
}

impl World {
    async fn new() -> Self {
        Self::with(|_| ()).await
    }

    async fn with(change: impl FnOnce(&mut LoginRule)) -> Self {
        let (provider, signer) = (Provider::start().await, Signer::ec());
        provider.publish(&[(&signer, "k1")]);
        let of = |name: &str, pattern: &str| [(name.to_owned(), Pattern::new(pattern))].into();
        let mut rule = LoginRule {
            issuer: provider.issuer.clone(),
            audience: "ordain".to_owned(),
            keys: Source::Discovery { issuer: provider.issuer.clone(), trust: None },
            algorithms: ALGORITHMS.into_iter().map(|(_, algorithm)| algorithm).collect(),
            matches: of("hd", "acme.example"),
            person: Template::parse("{preferred_username}").unwrap(),
            roles: vec![(Role::Viewer, of("groups", "staff")), (Role::Approver, of("groups", "change-*"))],
        };
        change(&mut rule);
        let outward = Outward::new(Vec::new(), Duration::from_secs(5));
        let issuers = LoginIssuers::new(LoginRules(vec![rule]), &LoginIssuers::default(), &outward);
        let upstreams = Upstreams::start(Vec::new(), &Own::default(), &outward, now()).await.unwrap();
        Self { provider, signer, issuers, upstreams: Arc::new(upstreams) }
    }

    /// A token with a few of its claims changed, signed as it should be.
    fn token(&self, changes: &Value) -> String {
        let at = now().as_second();
        let mut claims = json!({
            "iss": self.provider.issuer, "aud": "ordain", "sub": "0-1", "exp": at + 300, "iat": at - 5, "nonce": "n1",
            "preferred_username": "alice", "email": "alice@acme.example", "hd": "acme.example",
            "groups": ["staff", "change-approvers"]
        });
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
                value => claims[name] = value.clone(),
            }
        }
        self.signer.sign(&head(), &claims)
    }

    async fn ask(&self, token: &str, nonce: Option<&str>) -> String {
        match self.issuers.claim(token, nonce, &self.upstreams, now()).await {
            Ok(shown) => format!("{} is {}", shown.person, shown.roles.words().join(" and ")),
            Err(fault) => fault.reason_code().as_str().to_owned(),
        }
    }

    async fn said(&self, changes: Value) -> String {
        self.ask(&self.token(&changes), Some("n1")).await
    }
}

const GOOD: &str = "alice is viewer and approver";

#[tokio::test]
async fn a_token_shows_a_person_and_what_the_person_may_do() {
    let world = World::new().await;
    assert_eq!(world.said(json!({})).await, GOOD);
    assert_eq!(world.said(json!({"groups": ["staff"]})).await, "alice is viewer");
    assert_eq!(world.said(json!({"groups": "change-leads"})).await, "alice is approver");
    assert_eq!(world.said(json!({"aud": ["other", "ordain"], "azp": "ordain"})).await, GOOD);
    assert_eq!(world.ask(&world.token(&json!({"jti": "without a nonce"})), None).await, GOOD);
}

#[tokio::test]
async fn a_token_that_is_not_for_this_login_is_not_taken() {
    let world = World::new().await;
    let at = now().as_second();
    for (changes, expected) in [
        (json!({"aud": "other"}), "wrong_audience"),
        (json!({"aud": Value::Null}), "wrong_audience"),
        (json!({"azp": "other"}), "wrong_audience"),
        (json!({"aud": ["ordain", "other"], "azp": "other"}), "wrong_audience"),
        (json!({"iss": "https://login.example"}), "unknown_issuer"),
        (json!({"exp": at - 60}), "token_expired"),
        (json!({"exp": Value::Null}), "invalid_token"),
        (json!({"iat": Value::Null}), "invalid_token"),
        (json!({"iat": at - 10 * 60 - 61}), "token_too_old"),
        (json!({"iat": at + 61}), "token_not_yet"),
        (json!({"nonce": "n2"}), "invalid_token"),
        (json!({"nonce": Value::Null}), "invalid_token"),
        (json!({"nonce": ["n1"]}), "invalid_token"),
        (json!({"hd": "evil.example"}), "claims_not_allowed"),
        (json!({"groups": []}), "claims_not_allowed"),
        (json!({"groups": {"staff": true}}), "claims_not_allowed"),
        (json!({"preferred_username": Value::Null}), "claim_missing"),
        (json!({"preferred_username": "a b"}), "bad_actor"),
    ] {
        assert_eq!(world.said(changes.clone()).await, expected, "{changes}");
    }
    let stranger = World { signer: Signer::ec(), ..world };
    assert_eq!(stranger.said(json!({})).await, "invalid_token", "of nobody's signature");
    assert_eq!(stranger.ask("a.b.c", None).await, "invalid_token");
}

#[tokio::test]
async fn an_empty_nonce_is_none_that_was_asked_for_with() {
    let world = World::new().await;
    for nonce in [json!(""), Value::Null] {
        let token = world.token(&json!({"nonce": nonce}));
        assert_eq!(world.ask(&token, Some("")).await, "invalid_token");
    }
}

#[tokio::test]
async fn an_address_names_a_person_once_the_provider_has_verified_it() {
    let world = World::with(|rule| rule.person = Template::parse("{email}").unwrap()).await;
    for (verified, expected) in [
        (json!(true), "alice@acme.example is viewer and approver"),
        (json!("true"), "alice@acme.example is viewer and approver"),
        (json!(false), "email_not_verified"),
        (json!("yes"), "email_not_verified"),
        (json!(1), "email_not_verified"),
        (Value::Null, "email_not_verified"),
    ] {
        assert_eq!(world.said(json!({"email_verified": verified})).await, expected, "{verified}");
    }
}

#[tokio::test]
async fn a_token_is_logged_in_with_once() {
    let world = World::new().await;
    let token = world.token(&json!({}));
    assert_eq!(world.ask(&token, Some("n1")).await, GOOD);
    assert_eq!(world.ask(&token, Some("n1")).await, "invalid_token");
    // What is known of used ones outlasts other settings, and a token that was refused is not used up.
    let other = world.token(&json!({"jti": "another"}));
    assert_eq!(world.ask(&other, Some("n2")).await, "invalid_token");
    let outward = Outward::new(Vec::new(), Duration::from_secs(5));
    let rules = LoginRules::clone(world.issuers.rules());
    let issuers = LoginIssuers::new(rules, &world.issuers, &outward);
    let world = World { issuers, ..world };
    assert_eq!(world.ask(&token, Some("n1")).await, "invalid_token");
    assert_eq!(world.ask(&other, Some("n1")).await, GOOD);
}

#[tokio::test]
async fn an_algorithm_that_is_not_allowed_shows_nobody() {
    let world = World::with(|rule| rule.algorithms = vec![jsonwebtoken::Algorithm::RS256]).await;
    assert_eq!(world.said(json!({})).await, "wrong_audience");
}
