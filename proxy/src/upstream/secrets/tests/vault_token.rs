//! Vault as the plane: signing in there, renewing what was given, and what it may answer.
//!
//! Leaves out its secrets, which are read with a login of the same sort (`super`).

use super::*;

fn given(token: &str, lease: i64, renewable: bool) -> (u16, Value) {
    (
        200,
        json!({"auth": {"client_token": token, "lease_duration": lease, "renewable": renewable, "num_uses": 0}}),
    )
}

async fn vault(stub: &Stub, login: &str) -> Upstreams {
    stub.upstreams_of("vault", &format!("vault_token = {{ {login} }}")).await
}

#[tokio::test]
async fn a_token_is_renewed_while_that_helps_and_made_anew_when_it_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let stub = Stub::start(|_| given("hvs.first", 3600, true)).await;
    let id = file(folder.path(), "id", "the-secret-id\n");
    let upstreams =
        vault(&stub, &format!("login = {{ approle = {{ role_id = \"gate\", secret_id_file = {id:?} }} }}"))
            .await;
    {
        let asked = stub.asked.lock().unwrap();
        assert!(asked[0].starts_with("POST /v1/auth/approle/login HTTP/1.1\r\n"), "{}", asked[0]);
        assert!(asked[0].ends_with(r#"{"role_id":"gate","secret_id":"the-secret-id"}"#), "{}", asked[0]);
        assert!(asked[1].starts_with("GET /v1/auth/token/lookup-self HTTP/1.1\r\n"), "{}", asked[1]);
        assert!(asked[1].contains("x-vault-token: hvs.first\r\n"), "{}", asked[1]);
    }
    stub.asked();
    let first = ("x-vault-token".to_owned(), "hvs.first".to_owned());
    assert_eq!(leaves_for(&upstreams, Api::Main, after(3539)).await, Ok(first));
    assert_eq!(stub.asked().len(), 0);
    // What was leased to clients under a token ends with it: it is kept for as long as it can be.
    assert_eq!(leaves_with(&upstreams, after(3540)).await, "hvs.first");
    assert!(stub.asked.lock().unwrap()[0].contains("x-vault-token: hvs.first\r\n"));
    assert_eq!(stub.asked(), ["POST /v1/auth/token/renew-self HTTP/1.1"]);
    assert_eq!(leaves_with(&upstreams, after(7079)).await, "hvs.first");
    assert_eq!(stub.asked().len(), 0);
    // At its last a renewal gives what is left, and where it was revoked, nothing.
    for (renewal, at, next) in
        [(given("hvs.first", 100, true), 7080, "hvs.2"), ((403, json!({})), 10620, "hvs.3")]
    {
        stub.answer(
            move |asked| {
                if asked.contains("renew-self") { renewal.clone() } else { given(next, 3600, true) }
            },
        );
        assert_eq!(leaves_with(&upstreams, after(at)).await, next);
        assert_eq!(
            stub.asked(),
            ["POST /v1/auth/token/renew-self HTTP/1.1", "POST /v1/auth/approle/login HTTP/1.1"]
        );
    }
    // A store that is away leaves what lasts.
    stub.answer(|_| (503, json!({})));
    assert_eq!(leaves_with(&upstreams, after(14200)).await, "hvs.3");
    let over = leaves_with(&upstreams, after(14220)).await;
    assert!(over.contains("answers with status 503"), "{over}");
}

#[tokio::test]
async fn a_token_of_another_service_is_shown_in_the_namespace_that_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let stub = Stub::start(|_| given("hvs.first", 3600, false)).await;
    let jwt = file(folder.path(), "jwt", "a.b.c\n");
    for (login, asked) in [
        (format!("jwt = {{ role = \"gate\", token_file = {jwt:?} }}"), "POST /v1/auth/jwt/login HTTP/1.1"),
        (
            format!("jwt = {{ role = \"gate\", mount = \"oidc/ci\", token_file = {jwt:?} }}"),
            "POST /v1/auth/oidc/ci/login HTTP/1.1",
        ),
        (
            format!("kubernetes = {{ role = \"gate\", token_file = {jwt:?} }}"),
            "POST /v1/auth/kubernetes/login HTTP/1.1",
        ),
    ] {
        let upstreams = vault(&stub, &format!("namespace = \"team/a\", login = {{ {login} }}")).await;
        assert_eq!(upstreams.why_unverified("live"), None);
        {
            let all = stub.asked.lock().unwrap();
            assert!(all[0].contains("x-vault-namespace: team/a\r\n"), "{}", all[0]);
            assert!(all[0].ends_with(r#"{"jwt":"a.b.c","role":"gate"}"#), "{}", all[0]);
        }
        // It is known there alone.
        assert_eq!(stub.asked(), [asked, "GET /v1/team/a/auth/token/lookup-self HTTP/1.1"]);
        // One that cannot be renewed is not asked about.
        assert_eq!(leaves_with(&upstreams, after(3540)).await, "hvs.first");
        assert_eq!(stub.asked(), [asked]);
    }
}

#[tokio::test]
async fn what_vault_answers_otherwise_is_said_without_what_is_secret() {
    let folder = tempfile::tempdir().unwrap();
    let stub = Stub::start(|_| given("hvs.first", 3600, true)).await;
    let id = file(folder.path(), "id", "s3cret");
    let at = format!("the login at `auth/approle` of `http://127.0.0.1:{}/` ", stub.port);
    for (answer, says) in [
        ((400, json!({"errors": ["s3cret"]})), format!("{at}is refused with status 400")),
        ((307, json!({})), format!("{at}is refused with status 307")),
        (
            (200, json!({"auth": null, "wrap_info": {"token": "s3cret"}})),
            format!("{at}is answered without a token"),
        ),
        (
            (200, json!({"auth": {"client_token": "", "mfa_requirement": {}}})),
            format!("{at}is answered without a token"),
        ),
        (
            (200, json!({"auth": {"client_token": "s3cret", "lease_duration": -1}})),
            format!("{at}gives a token that has ended"),
        ),
        (
            (200, json!({"auth": {"client_token": "s3cret", "lease_duration": 60, "num_uses": 3}})),
            format!("{at}gives a token for 3 uses alone; set the role's `token_num_uses` to 0"),
        ),
        (
            (200, json!({"auth": {"client_token": "s3 cret", "lease_duration": 60}})),
            "what is given is no token".to_owned(),
        ),
    ] {
        let said = answer.clone();
        stub.answer(move |_| said.clone());
        let login = format!("login = {{ approle = {{ role_id = \"gate\", secret_id_file = {id:?} }} }}");
        let why = vault(&stub, &login).await.why_unverified("live").unwrap_or_default();
        assert!(
            why.starts_with("upstream `live` has no credential: ") && why.contains(&says),
            "{answer:?}: {why}"
        );
        assert!(!why.contains("s3cret"), "{why}");
    }
    assert!(stub.asked().iter().all(|line| !line.contains("elsewhere")));
}
