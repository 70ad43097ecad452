//! Tokens of issuers and clusters, signed for real, against a provider of our own on this machine.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::config::Config;
use crate::identity::jwks::Jwks;
use crate::identity::jwt::Read;
use crate::identity::{ALGORITHMS, Form, Grant, IssuerRule, Pattern, Rules, Source, Template};
use crate::keys::Named;
use crate::settings::Settings;

pub(super) enum Signer {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    Ed(Ed25519KeyPair),
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Signer {
    pub(super) fn ec() -> Self {
        Self::Ec(EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    fn rsa() -> Self {
        Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    fn ed() -> Self {
        Self::Ed(Ed25519KeyPair::generate().unwrap())
    }

    fn jwk(&self, kid: &str) -> Value {
        match self {
            Self::Ec(pair) => {
                let point = pair.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "kid": kid, "x": b64(&point[1..33]), "y": b64(&point[33..])})
            }
            Self::Rsa(pair) => {
                let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
                let (n, e) = (n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero());
                json!({"kty": "RSA", "use": "sig", "kid": kid, "n": b64(n), "e": b64(e)})
            }
            Self::Ed(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": b64(pair.public_key().as_ref())})
            }
        }
    }

    pub(super) fn sign(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
        let random = SystemRandom::new();
        let signature = match self {
            Self::Ec(pair) => pair.sign(&random, signed.as_bytes()).unwrap().as_ref().to_vec(),
            Self::Ed(pair) => pair.sign(signed.as_bytes()).as_ref().to_vec(),
            Self::Rsa(pair) => {
                let padding: &dyn signature::RsaEncoding = match header["alg"].as_str() {
                    Some("PS256") => &signature::RSA_PSS_SHA256,
                    _ => &signature::RSA_PKCS1_SHA256,
                };
                let mut made = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, signed.as_bytes(), &mut made).unwrap();
                made
            }
        };
        format!("{signed}.{}", b64(signature))
    }
}

/// A provider on this machine, which answers what it is given.
pub(super) struct Provider {
    pub(super) issuer: String,
    keys: Arc<Mutex<Vec<Value>>>,
    documents: Arc<Mutex<BTreeMap<String, (u16, String)>>>,
    asked: Arc<AtomicUsize>,
    // It takes questions for its keys and answers none.
    hangs: Arc<AtomicBool>,
}

impl Provider {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let (keys, documents) = (Arc::default(), Arc::default());
        let made = Self { issuer, keys, documents, asked: Arc::default(), hangs: Arc::default() };
        made.answer("/.well-known/openid-configuration", 200, &made.discovery(&made.issuer));
        let (keys, documents) = (Arc::clone(&made.keys), Arc::clone(&made.documents));
        let (asked, hangs) = (Arc::clone(&made.asked), Arc::clone(&made.hangs));
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let (keys, documents) = (Arc::clone(&keys), Arc::clone(&documents));
                let (asked, hangs) = (Arc::clone(&asked), Arc::clone(&hangs));
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n")
                        && socket.read_buf(&mut head).await.is_ok_and(|read| read > 0)
                    {}
                    let head = String::from_utf8(head).unwrap();
                    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                    let known = documents.lock().unwrap().get(&path).cloned();
                    let (status, body) = match known {
                        Some(answer) => answer,
                        None => {
                            asked.fetch_add(1, Ordering::Relaxed);
                            while hangs.load(Ordering::Relaxed) {
                                tokio::time::sleep(Duration::from_millis(5)).await;
                            }
                            (200, json!({"keys": &*keys.lock().unwrap()}).to_string())
                        }
                    };
                    let answer = format!(
                        "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nlocation: /keys\r\nconnection: close\r\n\r\n{body}",
                        body.len()
                    );
                    drop(socket.write_all(answer.as_bytes()).await);
                });
            }
        });
        made
    }

    fn discovery(&self, issuer: &str) -> String {
        json!({"issuer": issuer, "jwks_uri": format!("{}/keys", self.issuer)}).to_string()
    }

    fn answer(&self, path: &str, status: u16, body: &str) {
        self.documents.lock().unwrap().insert(path.to_owned(), (status, body.to_owned()));
    }

    pub(super) fn publish(&self, keys: &[(&Signer, &str)]) {
        *self.keys.lock().unwrap() = keys.iter().map(|(signer, kid)| signer.jwk(kid)).collect();
    }

    fn rule(&self) -> IssuerRule {
        IssuerRule {
            issuer: self.issuer.clone(),
            audience: "ordain".to_owned(),
            keys: Source::Discovery { issuer: self.issuer.clone(), trust: None },
            algorithms: ALGORITHMS.into_iter().map(|(_, algorithm)| algorithm).collect(),
            form: Form::Plain,
            matches: [("repository".to_owned(), Pattern::new("acme/*"))].into(),
            act: None,
            grant: Grant {
                actor: Template::parse("ci:{repository}").unwrap(),
                kind: ActorKind::Pipeline,
                upstreams: vec!["staging".into()],
                on_behalf_of: Vec::new(),
            },
        }
    }

    fn claims(&self) -> Value {
        let at = now().as_second();
        json!({
            "iss": self.issuer, "aud": "ordain", "sub": "repo:acme/shop:ref:refs/heads/main", "exp": at + 300,
            "nbf": at - 5, "iat": at - 5, "jti": "one", "repository": "acme/shop", "ref": "refs/heads/main"
        })
    }
}

/// Everything that a token is held against.
struct World {
    _state: tempfile::TempDir,
    store: KeyStore,
    provider: Provider,
    signer: Signer,
    schemes: Schemes,
}

impl World {
    async fn new() -> Self {
        Self::with(|_| ()).await
    }

    async fn with(change: impl FnOnce(&mut IssuerRule)) -> Self {
        let state = tempfile::tempdir().unwrap();
        let (store, provider, signer) = (open(state.path()), Provider::start().await, Signer::ec());
        provider.publish(&[(&signer, "k1")]);
        let mut rule = provider.rule();
        change(&mut rule);
        let schemes = schemes(vec![rule]);
        Self { _state: state, store, provider, signer, schemes }
    }

    async fn ask_at(&self, token: &str, place: Place, at: Timestamp) -> String {
        let arrival = Arrival { place, ..arrival() };
        let shown = bearer(token);
        asked_of(&self.store, &self.schemes, &arrival, "/api", &[("authorization", &shown)], at).await
    }

    async fn ask(&self, token: &str) -> String {
        self.ask_at(token, Place::default(), now()).await
    }

    /// The claims with a few of them changed, signed as they should be.
    async fn said(&self, changes: Value) -> String {
        let mut claims = self.provider.claims();
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
                value => claims[name] = value.clone(),
            }
        }
        self.ask(&self.signer.sign(&head(), &claims)).await
    }
}

fn schemes(issuers: Vec<IssuerRule>) -> Schemes {
    let outward = Outward::new(Vec::new(), Duration::from_secs(5));
    Schemes::new(Rules { issuers, ..Rules::default() }, None, &outward)
}

pub(super) fn head() -> Value {
    json!({"alg": "ES256", "typ": "JWT", "kid": "k1"})
}

const GOOD: &str = "pipeline ci:acme/shop on staging, repository=acme/shop ref=refs/heads/main jti=one";

fn code(said: &str) -> &str {
    said.split_once(':').map_or(said, |(code, _)| code)
}

#[tokio::test]
async fn a_token_of_an_issuer_is_who_its_claims_make_it() {
    let world = World::new().await;
    assert_eq!(world.said(json!({})).await, GOOD);
    assert_eq!(world.said(json!({"aud": ["other", "ordain"]})).await, GOOD);
    assert_eq!(world.provider.asked.load(Ordering::Relaxed), 1, "the keys are kept");
}

#[tokio::test]
async fn a_signature_of_each_kind_is_verified() {
    let world = World::new().await;
    let (rsa, ed) = (Signer::rsa(), Signer::ed());
    world.provider.publish(&[(&world.signer, "k1"), (&rsa, "r"), (&ed, "e")]);
    for (signer, alg, kid) in [(&rsa, "RS256", "r"), (&rsa, "PS256", "r"), (&ed, "EdDSA", "e")] {
        let token = signer.sign(&json!({"alg": alg, "kid": kid}), &world.provider.claims());
        assert_eq!(world.ask(&token).await, GOOD, "{alg}");
    }
}

#[tokio::test]
async fn a_token_that_its_issuer_did_not_sign_is_nobodys() {
    let world = World::new().await;
    let (claims, stranger, rsa) = (world.provider.claims(), Signer::ec(), Signer::rsa());
    world.provider.publish(&[(&world.signer, "k1"), (&rsa, "r")]);
    let signed = world.signer.sign(&head(), &claims);
    let (before, signature) = signed.rsplit_once('.').unwrap();
    let unsigned = |header: Value| format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
    // With the public key as the secret of a symmetric signature.
    let confused = unsigned(json!({"alg": "HS256", "kid": "r"}));
    let public = rsa.jwk("r")["n"].as_str().unwrap().to_owned();
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, public.as_bytes());
    let mac = aws_lc_rs::hmac::sign(&key, confused.as_bytes());
    let mut other = claims.clone();
    other["repository"] = json!("acme/other");
    for (token, why) in [
        (format!("{}.", unsigned(json!({"alg": "none", "kid": "k1"}))), "alg none"),
        (format!("{}.", unsigned(json!({"alg": "None"}))), "alg None"),
        (format!("{before}."), "no signature"),
        (format!("{confused}.{}", b64(mac)), "HS256 under the public key"),
        (stranger.sign(&head(), &claims), "a stranger's key under the issuer's kid"),
        (
            stranger.sign(&json!({"alg": "ES256", "kid": "k1", "jwk": stranger.jwk("k1")}), &claims),
            "a key in the token",
        ),
        (
            stranger.sign(&json!({"alg": "ES256", "kid": "k1", "jku": "http://127.0.0.1:1/"}), &claims),
            "a key elsewhere",
        ),
        (world.signer.sign(&json!({"alg": "ES256", "kid": "r"}), &claims), "another key's kid"),
        (rsa.sign(&json!({"alg": "RS256", "kid": "k1"}), &claims), "another key's kind"),
        (format!("{}.{}.{signature}", b64(head().to_string()), b64(other.to_string())), "other claims"),
        (world.signer.sign(&json!({"alg": "ES256", "kid": "k1", "crit": ["exp"]}), &claims), "crit"),
        (world.signer.sign(&json!({"alg": "ES256", "kid": "k1", "typ": "logout+jwt"}), &claims), "typ"),
        (format!("{signed}.x"), "four parts"),
        ("a.b.c".to_owned(), "no parts"),
        (format!("{before}.{}A", signature), "a longer signature"),
    ] {
        let said = world.ask(&token).await;
        assert_eq!(code(&said), "invalid_token", "{why}: {said}");
    }
}

#[tokio::test]
async fn a_token_is_taken_in_its_time_only() {
    let world = World::new().await;
    let at = now().as_second();
    for (changes, expected) in [
        (json!({"exp": at - 59}), "pipeline ci"),
        (json!({"exp": at - 60}), "token_expired"),
        (json!({"exp": Value::Null}), "invalid_token"),
        (json!({"exp": "never"}), "invalid_token"),
        (json!({"exp": 1.5e300}), "invalid_token"),
        (json!({"exp": 2.5e9}), "pipeline ci"),
        (json!({"nbf": 1.5e300}), "invalid_token"),
        (json!({"nbf": at + 60}), "pipeline ci"),
        (json!({"nbf": at + 61}), "token_not_yet"),
        (json!({"iat": at + 61}), "token_not_yet"),
    ] {
        let said = world.said(changes.clone()).await;
        assert_eq!(code(&said), expected, "{changes}: {said}");
    }
}

#[tokio::test]
async fn a_token_for_others_or_of_others_is_refused() {
    let world = World::new().await;
    let issuer = world.provider.issuer.clone();
    for (changes, expected) in [
        (json!({"aud": "other"}), "wrong_audience"),
        (json!({"aud": "ordain2"}), "wrong_audience"),
        (json!({"aud": Value::Null}), "wrong_audience"),
        (json!({"aud": {"ordain": 1}}), "wrong_audience"),
        (json!({"iss": format!("{issuer}/")}), "unknown_issuer"),
        (json!({"iss": "https://token.actions.githubusercontent.com"}), "unknown_issuer"),
        (json!({"iss": Value::Null}), "unknown_issuer"),
        (json!({"sub": Value::Null}), "invalid_token"),
        (json!({"sub": ""}), "invalid_token"),
        (json!({"repository": "acme2/shop"}), "claims_not_allowed"),
        (json!({"repository": "acme/shop/x"}), "claims_not_allowed"),
        (json!({"repository": Value::Null}), "claims_not_allowed"),
        (json!({"repository": ["acme/shop"]}), "claims_not_allowed"),
        (json!({"repository": "acme/a b"}), "bad_actor"),
        (json!({"act": {"sub": "robot"}}), "delegation_not_allowed"),
    ] {
        let said = world.said(changes.clone()).await;
        assert_eq!(code(&said), expected, "{changes}: {said}");
    }
}

#[tokio::test]
async fn a_token_of_one_issuer_is_none_of_another() {
    let world = World::new().await;
    let (other, theirs) = (Provider::start().await, Signer::ec());
    other.publish(&[(&theirs, "k1")]);
    let both = schemes(vec![world.provider.rule(), other.rule()]);
    let world = World { schemes: both, ..world };
    assert_eq!(world.said(json!({})).await, GOOD);
    let own = theirs.sign(&head(), &other.claims());
    assert_eq!(world.ask(&own).await, GOOD);
    let replayed = theirs.sign(&head(), &world.provider.claims());
    assert_eq!(code(&world.ask(&replayed).await), "invalid_token");
}

#[tokio::test]
async fn whoever_acts_for_others_is_said_with_all_of_them() {
    let world = World::with(|rule| {
        rule.act = Some(ActorKind::Agent);
        rule.grant.kind = ActorKind::Person;
        rule.grant.on_behalf_of = vec![(ActorKind::Person, Template::parse("owner-of-{ref}").unwrap())];
    })
    .await;
    let told = "repository=acme/shop ref=refs/heads/main jti=one";
    let alone = format!("person ci:acme/shop on staging for owner-of-refs/heads/main, {told}");
    assert_eq!(world.said(json!({})).await, alone);
    let acts = json!({"act": {"sub": "robot", "act": {"sub": "planner"}}});
    let chain =
        format!("agent robot on staging for planner for ci:acme/shop for owner-of-refs/heads/main, {told}");
    assert_eq!(world.said(acts).await, chain);
    for wrong in [json!({}), json!({"sub": ""}), json!({"sub": "a b"}), json!("robot")] {
        assert_eq!(code(&world.said(json!({"act": wrong})).await), "invalid_token");
    }
    let deep = (0..6).fold(json!({"sub": "last"}), |inner, _| json!({"sub": "x", "act": inner}));
    assert_eq!(code(&world.said(json!({"act": deep})).await), "invalid_token");
}

#[tokio::test]
async fn a_revoked_actor_is_shown_by_no_issuer() {
    let world = World::new().await;
    let named = Named { name: "ci:acme/shop".into(), kind: None };
    assert_eq!(world.said(json!({})).await, GOOD);
    world.store.set_revoked(&named, true, now()).unwrap();
    assert_eq!(code(&world.said(json!({})).await), "actor_revoked");
    world.store.set_revoked(&named, false, now()).unwrap();
    assert_eq!(world.said(json!({})).await, GOOD);
}

#[tokio::test]
async fn a_new_key_is_fetched_once_and_strangers_fetch_nothing() {
    let world = World::new().await;
    let (next, claims) = (Signer::ec(), world.provider.claims());
    let named = |kid: &str| json!({"alg": "ES256", "kid": kid});
    let asked = || world.provider.asked.load(Ordering::Relaxed);
    assert_eq!(world.said(json!({})).await, GOOD);
    world.provider.publish(&[(&world.signer, "k1"), (&next, "k2")]);
    let token = next.sign(&named("k2"), &claims);
    // Within the pause nobody has keys fetched; after it the first who needs one does, once.
    for kid in 0..8 {
        let said = world.ask(&next.sign(&named(&format!("made-up-{kid}")), &claims)).await;
        assert_eq!(code(&said), "invalid_token");
    }
    assert_eq!((code(&world.ask(&token).await), asked()), ("invalid_token", 1));
    let later = now() + SignedDuration::from_secs(30);
    assert_eq!(world.ask_at(&token, Place::default(), later).await, GOOD);
    assert_eq!(world.ask_at(&token, Place::default(), later).await, GOOD);
    assert_eq!(asked(), 2);
    // A key that the issuer took back is not taken for long.
    world.provider.publish(&[(&next, "k2")]);
    let much_later = later + SignedDuration::from_mins(15);
    let mut lasting = claims.clone();
    lasting["exp"] = json!(now().as_second() + 86_400);
    let old = world.signer.sign(&head(), &lasting);
    assert_eq!(code(&world.ask_at(&old, Place::default(), much_later).await), "invalid_token");
    assert_eq!(asked(), 3);
}

#[tokio::test]
async fn whoever_goes_away_in_the_middle_has_keys_fetched_no_more_often() {
    let world = World::new().await;
    assert_eq!(world.said(json!({})).await, GOOD);
    let later = now() + SignedDuration::from_secs(30);
    let made_up = |kid: usize| {
        let head = json!({"alg": "ES256", "kid": format!("made-up-{kid}")});
        Signer::ec().sign(&head, &world.provider.claims())
    };
    world.provider.hangs.store(true, Ordering::Relaxed);
    for kid in 0..5 {
        let token = made_up(kid);
        let asked = world.ask_at(&token, Place::default(), later);
        assert!(tokio::time::timeout(Duration::from_millis(50), asked).await.is_err());
    }
    world.provider.hangs.store(false, Ordering::Relaxed);
    assert_eq!(code(&world.ask_at(&made_up(5), Place::default(), later).await), "invalid_token");
    assert_eq!(world.provider.asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn nobody_whose_key_is_known_waits_for_an_issuer() {
    let world = World::new().await;
    assert_eq!(world.said(json!({})).await, GOOD);
    let later = now() + SignedDuration::from_mins(15);
    let mut lasting = world.provider.claims();
    lasting["exp"] = json!(now().as_second() + 86_400);
    let token = world.signer.sign(&head(), &lasting);
    world.provider.hangs.store(true, Ordering::Relaxed);
    let first = world.ask_at(&token, Place::default(), later);
    let others = async {
        while world.provider.asked.load(Ordering::Relaxed) < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let asked = world.ask_at(&token, Place::default(), later);
        let said = tokio::time::timeout(Duration::from_secs(1), asked).await;
        world.provider.hangs.store(false, Ordering::Relaxed);
        said
    };
    let (first, others) = tokio::join!(first, others);
    assert_eq!((first.as_str(), others.as_deref()), (GOOD, Ok(GOOD)));
    assert_eq!(world.provider.asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_cluster_that_is_asked_in_plain_text_elsewhere_says_nothing_of_its_keys() {
    let provider = Provider::start().await;
    let signer = Signer::ec();
    provider.publish(&[(&signer, "k1")]);
    let token = signer.sign(&head(), &provider.claims());
    let outward = Outward::new(Vec::new(), Duration::from_secs(5));
    for (at, expected) in [("http://127.0.0.1", "1"), ("http://LOCALHOST", "is not served over TLS")] {
        // A name in capitals is not known for this machine's, and leads to it all the same.
        let endpoint = provider.issuer.replace("http://127.0.0.1", at);
        provider.answer(
            "/api/v1/namespaces/kube-system",
            200,
            r#"{"kind":"Namespace","metadata":{"name":"kube-system","uid":"u"}}"#,
        );
        let text = format!(
            "[[upstream]]\nname = \"live\"\nplane = \"kubernetes\"\nendpoint = {endpoint:?}\npass_through = true\n"
        );
        let config = Config::resolve(Settings::parse("gate.toml", &text).unwrap()).unwrap();
        let sources = config.upstreams.iter().map(crate::upstream::Source::from).collect();
        let upstreams = Upstreams::start(sources, &Own::default(), &outward, now()).await.unwrap();
        assert!(upstreams.get("live").is_some(), "{:?}", upstreams.why_unverified("live"));
        let jwks = Arc::new(Jwks::new(Source::Upstream("live".into()), outward.clone()));
        let read = Read::new(&token).unwrap();
        let known = jwks.with(read, &Arc::new(upstreams), now(), |_, keys| keys.len()).await;
        let said = known.map_or_else(|fault| fault.log_text(), |keys| keys.to_string());
        assert!(said.ends_with(expected), "{said}");
    }
}

#[tokio::test]
async fn keys_come_from_the_issuers_own_documents_only() {
    let world = World::new().await;
    let document = "/.well-known/openid-configuration";
    for (status, body) in [
        (200, world.provider.discovery("https://another.example")),
        (200, "no document".to_owned()),
        (302, world.provider.discovery(&world.provider.issuer)),
        (500, String::new()),
        (200, json!({"issuer": world.provider.issuer, "jwks_uri": "http://192.0.2.1/keys"}).to_string()),
    ] {
        world.provider.answer(document, status, &body);
        let schemes = schemes(vec![world.provider.rule()]);
        let shown = bearer(&world.signer.sign(&head(), &world.provider.claims()));
        let headers = [("authorization", shown.as_str())];
        let said = asked_of(&world.store, &schemes, &arrival(), "/api", &headers, now()).await;
        assert_eq!(code(&said), "issuer_unreachable", "{status} {body}: {said}");
    }
    assert_eq!(world.provider.asked.load(Ordering::Relaxed), 0, "no redirect is followed");
}

#[tokio::test]
async fn an_algorithm_that_is_not_allowed_is_refused() {
    let world = World::with(|rule| rule.algorithms = vec![Algorithm::RS256]).await;
    assert_eq!(code(&world.said(json!({})).await), "invalid_token");
    // What one entry takes is not taken by another of the same issuer.
    let (mut strict, mut other) = (world.provider.rule(), world.provider.rule());
    strict.algorithms = vec![Algorithm::RS256];
    other.matches = [("repository".to_owned(), Pattern::new("other/*"))].into();
    let world = World { schemes: schemes(vec![strict, other]), ..world };
    assert_eq!(code(&world.said(json!({})).await), "claims_not_allowed");
}

#[tokio::test]
async fn the_upstream_is_the_one_of_the_place_or_the_only_one() {
    let at = |name: &str| Place { plane: Some(Plane::Kubernetes), upstream: Some(name.into()) };
    let world = World::with(|rule| rule.grant.upstreams.push("live".into())).await;
    let token = world.signer.sign(&head(), &world.provider.claims());
    assert_eq!(code(&world.ask(&token).await), "upstream_ambiguous");
    assert_eq!(world.ask_at(&token, at("staging"), now()).await, GOOD);
    assert_eq!(world.ask_at(&token, at("live"), now()).await, GOOD.replace("staging", "live"));
    let world = World::new().await;
    let token = world.signer.sign(&head(), &world.provider.claims());
    assert_eq!(code(&world.ask_at(&token, at("live"), now()).await), "upstream_not_allowed");
    let world = World::with(|rule| rule.grant.upstreams = vec!["gone".into()]).await;
    let token = world.signer.sign(&head(), &world.provider.claims());
    assert_eq!(code(&world.ask(&token).await), "unknown_upstream");
}

#[tokio::test]
async fn a_service_account_is_what_its_cluster_says_twice() {
    let world = World::with(|rule| {
        rule.form = Form::ServiceAccount;
        rule.matches = [("namespace".to_owned(), Pattern::new("ci"))].into();
        rule.grant.actor = Template::parse("{sub}").unwrap();
    })
    .await;
    let about = |namespace: &str, name: &str| {
        let account = json!({"name": name, "uid": "0-1"});
        json!({"namespace": namespace, "serviceaccount": account, "pod": {"name": "runner-1", "uid": "2"}})
    };
    let account = "system:serviceaccount:ci:runner";
    let good = json!({"sub": account, "kubernetes.io": about("ci", "runner")});
    assert_eq!(
        world.said(good).await,
        "pipeline system:serviceaccount:ci:runner on staging, pod=runner-1 jti=one"
    );
    for (changes, expected) in [
        (json!({"sub": account, "kubernetes.io": about("kube-system", "runner")}), "invalid_token"),
        (json!({"sub": account, "kubernetes.io": about("ci", "admin")}), "invalid_token"),
        (json!({"sub": account}), "invalid_token"),
        (
            json!({"sub": "system:serviceaccount:dev:runner", "kubernetes.io": about("dev", "runner")}),
            "claims_not_allowed",
        ),
    ] {
        let said = world.said(changes.clone()).await;
        assert_eq!(code(&said), expected, "{changes}: {said}");
    }
}

#[tokio::test]
async fn a_token_of_an_issuer_says_which_plane_a_request_came_to() {
    let world = World::new().await;
    let token = world.signer.sign(&head(), &world.provider.claims());
    let hinted = |shown: &str, uri: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_str(shown).unwrap());
        let all = world.schemes.upstreams(&arrival().connection, &headers, &uri.parse().unwrap());
        all.into_iter().map(|name| name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(hinted(&bearer(&token), "/api"), ["staging"]);
    assert!(hinted("Bearer a.b.c", "/api").is_empty());
    assert!(hinted("AWS4-HMAC-SHA256 Credential=x", "/").is_empty());
}
