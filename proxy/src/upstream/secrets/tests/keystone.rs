//! Keystone, as its API is documented: what it is asked, when again, and what it may answer.
//!
//! Leaves out a real one (`tests/planes/openstack/`).

use super::*;

fn given(token: &str, ends: &str) -> Answer {
    Answer::new(
        201,
        &[("X-Subject-Token", token)],
        json!({"token": {"expires_at": ends, "methods": ["password"]}}),
    )
}

async fn cloud(stub: &Stub, login: &str) -> Upstreams {
    stub.upstreams_of("openstack", &format!("keystone = {{ {login} }}")).await
}

fn posted(stub: &Stub) -> Value {
    let asked = stub.asked.lock().unwrap().pop().unwrap();
    serde_json::from_str(asked.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[tokio::test]
async fn a_token_is_asked_for_anew_before_it_ends_and_goes_in_its_own_header() {
    let folder = tempfile::tempdir().unwrap();
    let stub = Stub::start(|_| given("gAAAA-first", "2026-11-23T22:00:00.000000Z")).await;
    let password = file(folder.path(), "p", "a p\"ssword\n");
    let login = format!("user = \"gate\", password_file = {password:?}, project = \"ops\"");
    let upstreams = cloud(&stub, &login).await;
    assert!(stub.asked.lock().unwrap()[0].starts_with("POST /identity/v3/auth/tokens HTTP/1.1\r\n"));
    let first = ("x-auth-token".to_owned(), "gAAAA-first".to_owned());
    assert_eq!(leaves_for(&upstreams, Api::Main, after(3539)).await, Ok(first));
    assert_eq!(stub.asked().len(), 1);
    stub.answer(|_| given("gAAAA-second", "2026-11-23T23:00:00Z"));
    assert_eq!(leaves_with(&upstreams, after(3540)).await, "gAAAA-second");
    // What lasts is used while Keystone is away, and no longer.
    stub.answer(|_| (503, json!({})));
    assert_eq!(leaves_with(&upstreams, after(7199)).await, "gAAAA-second");
    let over = leaves_with(&upstreams, after(7200)).await;
    assert!(over.contains("answers with status 503"), "{over}");
}

#[tokio::test]
async fn a_user_and_what_the_token_is_for_are_written_as_keystone_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let stub = Stub::start(|_| given("t", "2026-11-23T22:00:00Z")).await;
    let secret = file(folder.path(), "p", "s3cret\n");
    let user = |who: Value| json!({"methods": ["password"], "password": {"user": who}});
    let gate = json!({"name": "gate", "domain": {"id": "default"}, "password": "s3cret"});
    let of = json!({"name": "gate", "domain": {"name": "corp"}});
    let application =
        |who: Value| json!({"methods": ["application_credential"], "application_credential": who});
    for (login, identity, scope) in [
        (
            "user = \"gate\", password_file = FILE, project = \"ops\"",
            user(gate.clone()),
            json!({"project": {"name": "ops", "domain": {"id": "default"}}}),
        ),
        (
            "user = \"gate\", user_domain = \"corp\", password_file = FILE, project = \"ops\"",
            user(json!({"name": "gate", "domain": {"name": "corp"}, "password": "s3cret"})),
            json!({"project": {"name": "ops", "domain": {"name": "corp"}}}),
        ),
        (
            "user_id = \"u1\", password_file = FILE, project_id = \"p1\"",
            user(json!({"id": "u1", "password": "s3cret"})),
            json!({"project": {"id": "p1"}}),
        ),
        (
            "user = \"gate\", password_file = FILE, domain_id = \"d\"",
            user(gate.clone()),
            json!({"domain": {"id": "d"}}),
        ),
        (
            "user = \"gate\", password_file = FILE, system = true",
            user(gate),
            json!({"system": {"all": true}}),
        ),
        (
            "application_credential_id = \"a1\", secret_file = FILE",
            application(json!({"id": "a1", "secret": "s3cret"})),
            Value::Null,
        ),
        (
            "application_credential = \"ci\", user = \"gate\", user_domain = \"corp\", secret_file = FILE",
            application(json!({"name": "ci", "user": of, "secret": "s3cret"})),
            Value::Null,
        ),
    ] {
        let upstreams = cloud(&stub, &login.replace("FILE", &format!("{secret:?}"))).await;
        assert_eq!(upstreams.why_unverified("live"), None);
        let auth = posted(&stub)["auth"].clone();
        assert_eq!((&auth["identity"], &auth["scope"]), (&identity, &scope), "{login}");
        assert_eq!(auth.as_object().unwrap().contains_key("scope"), !scope.is_null(), "{login}");
    }
}

#[tokio::test]
async fn keystone_is_asked_where_it_is_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let stub = Stub::start(|_| given("t", "2026-11-23T22:00:00Z")).await;
    let secret = file(folder.path(), "p", "s3cret");
    for (path, asked) in [
        ("", "POST /v3/auth/tokens HTTP/1.1"),
        ("/v3", "POST /v3/auth/tokens HTTP/1.1"),
        ("/keystone/v3/", "POST /keystone/v3/auth/tokens HTTP/1.1"),
        ("/identity/", "POST /identity/v3/auth/tokens HTTP/1.1"),
    ] {
        let at = format!("auth_url = \"http://127.0.0.1:{}{path}\"", stub.port);
        let login = format!("{at}, application_credential_id = \"a\", secret_file = {secret:?}");
        assert_eq!(cloud(&stub, &login).await.why_unverified("live"), None);
        assert_eq!(stub.asked(), [asked], "{path}");
    }
}

#[tokio::test]
async fn what_keystone_answers_otherwise_is_said_without_what_is_secret() {
    let folder = tempfile::tempdir().unwrap();
    let stub = Stub::start(|_| given("t", "2026-11-23T22:00:00Z")).await;
    let secret = file(folder.path(), "p", "s3cret");
    let ends = |at: &str| json!({"token": {"expires_at": at}, "s3cret": 1});
    let token = [("x-subject-token", "s3cret-token")];
    for (answer, says) in [
        (
            Answer::new(401, &[], json!({"error": {"message": "s3cret"}})),
            format!("status 401; look at what `{secret}` holds"),
        ),
        (
            Answer::new(401, &[("openstack-auth-receipt", "s3cret")], json!({})),
            "asks for a second factor; use an application credential".to_owned(),
        ),
        (Answer::new(300, &[], json!({})), "answers with status 300; correct `auth_url`".to_owned()),
        (Answer::new(302, &[], json!({})), "answers with status 302; correct `auth_url`".to_owned()),
        (Answer::new(404, &[], json!({})), "answers with status 404; correct `auth_url`".to_owned()),
        (
            Answer::new(400, &[], json!({})),
            "of user gate of domain id default, answers with status 400".to_owned(),
        ),
        (
            Answer::new(201, &[], ends("2026-11-23T22:00:00Z")),
            "answers without a token (`X-Subject-Token`)".to_owned(),
        ),
        (
            Answer::new(201, &token, json!({"token": {"s3cret": 1}})),
            "does not say when the token ends".to_owned(),
        ),
        (Answer::new(201, &token, ends("s3cret")), "does not say when the token ends".to_owned()),
        (
            Answer::new(201, &token, ends("2026-11-23T21:00:00Z")),
            "hands out a token that ended at 2026-11-23T21:00:00Z; set the clock here or there".to_owned(),
        ),
        (
            Answer::new(201, &[("x-subject-token", "s3 cret")], ends("2026-11-23T22:00:00Z")),
            "what is given is no token".to_owned(),
        ),
        (Answer::new(201, &token, "x".repeat(9 << 20)), "its answer did not come whole".to_owned()),
    ] {
        let (status, said) = (answer.status, answer.clone());
        stub.answer(move |_| said.clone());
        let login = format!("user = \"gate\", password_file = {secret:?}, system = true");
        let upstreams = cloud(&stub, &login).await;
        let why = upstreams.why_unverified("live").unwrap_or_default();
        assert!(
            why.starts_with("upstream `live` has no credential: ") && why.contains(&says),
            "{status} {says}: {why}"
        );
        assert!(!why.contains("s3cret"), "{why}");
        assert_eq!(upstreams.get("live"), None);
    }
    assert!(stub.asked().iter().all(|line| !line.contains("elsewhere")));
}

#[tokio::test]
async fn a_password_that_was_refused_is_not_tried_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let stub = Stub::start(|_| Answer::new(401, &[], json!({}))).await;
    let secret = file(folder.path(), "p", "wrong");
    let upstreams =
        cloud(&stub, &format!("user = \"gate\", password_file = {secret:?}, system = true")).await;
    for at in [1, 10, 299] {
        let why = upstreams.verify("live", after(at)).await.unwrap_err().to_string();
        assert!(why.contains("answers with status 401"), "{why}");
    }
    assert_eq!(stub.asked().len(), 1, "whoever tries again and again has the user locked");
    assert!(upstreams.verify("live", after(300)).await.is_err());
    assert_eq!(stub.asked().len(), 1);
    // Another password is another matter, and so is what the operator asks for.
    file(folder.path(), "p", "wrong too");
    assert!(upstreams.verify("live", after(301)).await.is_err());
    assert_eq!(stub.asked().len(), 1);
    stub.answer(|_| given("t", "2026-11-23T22:00:00Z"));
    assert!(upstreams.verify("live", after(302)).await.is_err());
    upstreams.look_anew();
    assert!(upstreams.verify("live", after(303)).await.is_ok());
    assert_eq!(leaves_with(&upstreams, after(303)).await, "t");
}
