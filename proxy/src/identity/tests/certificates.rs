//! Client certificates that were made for the test, and who they are.

use rcgen::string::Ia5String;
use rcgen::{CertificateParams, DnType, KeyPair as CertKey, SanType};

use super::*;
use crate::identity::{CertificateRule, Certificates, Grant, NameKind, Pattern, Rules, Template};
use crate::keys::Named;
use crate::listen::TlsInfo;

fn uri(text: &str) -> SanType {
    SanType::URI(Ia5String::try_from(text).unwrap())
}

fn dns(text: &str) -> SanType {
    SanType::DnsName(Ia5String::try_from(text).unwrap())
}

fn certificate(names: Vec<SanType>, common: &str) -> Arc<[u8]> {
    let mut params = CertificateParams::default();
    params.subject_alt_names = names;
    params.distinguished_name.push(DnType::CommonName, common);
    let day = |text: &str| {
        let at: Timestamp = text.parse().unwrap();
        time::OffsetDateTime::from_unix_timestamp(at.as_second()).unwrap()
    };
    params.not_before = day("2026-11-01T00:00:00Z");
    params.not_after = day("2026-11-30T00:00:00Z");
    let key = CertKey::generate().unwrap();
    Arc::from(params.self_signed(&key).unwrap().der().as_ref())
}

fn rules() -> Schemes {
    let rule = |of, is: Pattern, actor: &str| CertificateRule {
        of,
        is,
        grant: Grant {
            actor: Template::parse(actor).unwrap(),
            kind: ActorKind::Pipeline,
            upstreams: vec!["staging".into()],
            on_behalf_of: Vec::new(),
        },
    };
    let rules = vec![
        rule(
            NameKind::Spiffe,
            Pattern::new("spiffe://acme/ns/ci/sa/*"),
            "{namespace}/{service_account}@{trust_domain}",
        ),
        rule(NameKind::Spiffe, Pattern::new("spiffe://acme/vm/*"), "{name}"),
        rule(NameKind::Dns, Pattern::of_dns("*.ci.acme.example"), "{name}"),
        rule(NameKind::Common, Pattern::new("robot"), "{name}"),
    ];
    let certificates = Some(Certificates { trust: "ca.pem".into(), revoked: None, rules });
    let outward = Outward::new(Vec::new(), Duration::from_secs(1));
    Schemes::new(Rules { certificates, ..Rules::default() }, None, &outward)
}

fn shown(client: Option<Arc<[u8]>>) -> Arrival {
    let mut arrival = arrival();
    arrival.connection.tls = Some(Arc::new(TlsInfo { server_name: None, http2: false, client }));
    arrival
}

fn ask(
    store: &KeyStore,
    schemes: &Schemes,
    der: &Arc<[u8]>,
    headers: &[(&str, &str)],
    at: Timestamp,
) -> String {
    now_or_never(asked_of(store, schemes, &shown(Some(Arc::clone(der))), "/api", headers, at))
}

fn check(names: Vec<SanType>, common: &str, expected: &str) {
    let state = tempfile::tempdir().unwrap();
    let said = ask(&open(state.path()), &rules(), &certificate(names, common), &[], now());
    let code = said.split_once(": ").map_or(&*said, |(code, _)| code);
    assert_eq!(code, expected, "{said}");
}

#[test]
fn a_certificate_is_who_its_name_makes_it() {
    let id = "spiffe://acme/ns/ci/sa/runner";
    check(vec![uri(id)], "x", "pipeline ci/runner@acme on staging, spiffe://acme/ns/ci/sa/runner");
    check(vec![uri("spiffe://acme/vm/7")], "x", "pipeline spiffe://acme/vm/7 on staging, spiffe://acme/vm/7");
    check(
        vec![dns("Web.CI.acme.example")],
        "x",
        "pipeline web.ci.acme.example on staging, web.ci.acme.example",
    );
    check(vec![], "robot", "pipeline robot on staging, robot");
}

#[test]
fn a_certificate_with_another_name_is_nobodys() {
    let refused = "certificate_not_allowed";
    check(vec![uri("spiffe://acme/ns/prod/sa/runner")], "x", refused);
    check(vec![uri("spiffe://evil/ns/ci/sa/runner")], "x", refused);
    check(vec![uri("spiffe://acme/ns/ci/sa/runner/x")], "x", refused);
    check(vec![uri("https://acme/ns/ci/sa/runner")], "x", refused);
    check(vec![uri("spiffe://acme/vm/7"), uri("spiffe://acme/ns/ci/sa/runner")], "x", refused);
    check(vec![dns("a.b.ci.acme.example")], "x", refused);
    check(vec![dns("*.ci.acme.example")], "x", refused);
    check(vec![dns("a.ci.acme.example"), dns("b.ci.acme.example")], "x", refused);
    // A name of one kind is none of another.
    check(vec![dns("robot")], "spiffe://acme/vm/7", refused);
    check(vec![], "web.ci.acme.example", refused);
}

#[test]
fn a_certificate_is_taken_in_its_time_while_its_actor_is_not_revoked() {
    let state = tempfile::tempdir().unwrap();
    let (store, schemes) = (open(state.path()), rules());
    let der = certificate(vec![], "robot");
    let good = "pipeline robot on staging, robot";
    let last: Timestamp = "2026-11-30T00:00:00Z".parse().unwrap();
    assert_eq!(ask(&store, &schemes, &der, &[], last), good);
    let over = ask(&store, &schemes, &der, &[], last + SignedDuration::from_secs(1));
    assert!(over.starts_with("certificate_expired: "), "{over}");
    let early = ask(&store, &schemes, &der, &[], "2026-10-31T23:59:59Z".parse().unwrap());
    assert!(early.starts_with("certificate_expired: "), "{early}");
    store.set_revoked(&Named { name: "robot".into(), kind: None }, true, now()).unwrap();
    assert!(ask(&store, &schemes, &der, &[], now()).starts_with("actor_revoked: "));
}

#[test]
fn a_token_that_is_not_right_is_not_made_good_by_a_certificate() {
    let state = tempfile::tempdir().unwrap();
    let (store, schemes) = (open(state.path()), rules());
    let der = certificate(vec![], "robot");
    let said = ask(&store, &schemes, &der, &[("authorization", "Bearer ordain.TKOR.x")], now());
    assert!(said.starts_with("unknown_token: "), "{said}");
    let said = ask(&store, &schemes, &der, &[("authorization", "Bearer a.b.c")], now());
    assert!(said.starts_with("unknown_token: "), "{said}");
    let said = now_or_never(asked_of(
        &store,
        &schemes,
        &shown(None),
        "/api",
        &[("x-forwarded-client-cert", "robot")],
        now(),
    ));
    assert!(said.starts_with("missing_authentication: "), "{said}");
    assert!(said.contains("or connect with a client certificate"), "{said}");
}
