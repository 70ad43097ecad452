//! One test a source: what it is given, and that requests leave with what it hands out.
//!
//! Leaves out what happens when a credential ends (`end`).

use super::*;

const PROFILE: &str = "{ profile = \"gate\" }";

#[test]
fn the_environment() {
    let home = Home::new("");
    let variables = [
        ("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "a-secret".to_owned()),
        ("AWS_SESSION_TOKEN", "a-token".to_owned()),
    ];
    check(setup("\"default\"", &home, &variables), "AKIAENVIRONMENT", Some("a-token")).finish();
}

#[test]
fn a_profile_with_a_key() {
    let home =
        Home::new("[profile gate]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = a-secret\n");
    check(setup(PROFILE, &home, &[]), "AKIAPROFILE", None).finish();
}

#[test]
fn a_profile_with_a_role_and_another_profile_behind_it() {
    let home = Home::new(
        "[profile gate]\nrole_arn = arn:aws:iam::123456789012:role/gate\nsource_profile = base\n\
         [profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = a-secret\n",
    );
    let service = stub(|_| in_xml("AssumeRole", "ASIAOFTHEPROFILE"));
    let variables = [("AWS_ENDPOINT_URL_STS", format!("http://{}", service.address))];
    let gate =
        check(setup(PROFILE, &home, &variables), "ASIAOFTHEPROFILE", Some("token-of-ASIAOFTHEPROFILE"));
    let asked = service.own_questions();
    assert_eq!(asked[0].signed_with(), "AKIABASE");
    assert!(asked[0].body_text().contains("RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fgate"));
    gate.finish();
}

#[test]
fn a_profile_with_a_credential_process() {
    let home = Home::new("");
    let said = serde_json::json!({
        "Version": 1, "AccessKeyId": "ASIAPROCESS", "SecretAccessKey": "a-secret", "SessionToken": "a-token",
        "Expiration": in_an_hour().to_string(),
    });
    let said = home.write("said.json", &said.to_string());
    home.write("config", &format!("[profile gate]\ncredential_process = cat {said}\n"));
    check(setup(PROFILE, &home, &[]), "ASIAPROCESS", Some("a-token")).finish();
}

#[test]
fn a_profile_of_single_sign_on() {
    let home = Home::new(
        "[profile gate]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Admin\n\
         [sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.example/start\n",
    );
    let token = serde_json::json!({
        "accessToken": "the-token-of-the-sign-on", "expiresAt": in_an_hour().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "region": "eu-west-1", "startUrl": "https://corp.example/start",
    });
    // The file is named by the SHA-1 of the session's name.
    home.write(".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json", &token.to_string());
    let portal = stub(|_| {
        let credentials = serde_json::json!({"roleCredentials": {
            "accessKeyId": "ASIASIGNON", "secretAccessKey": "a-secret", "sessionToken": "a-token",
            "expiration": in_an_hour().as_millisecond(),
        }});
        Answer::Body(200, credentials.to_string())
    });
    let variables = [("AWS_ENDPOINT_URL_SSO", format!("http://{}", portal.address))];
    let gate = check(setup(PROFILE, &home, &variables), "ASIASIGNON", Some("a-token"));
    let asked = portal.arrived();
    assert_eq!(asked[0].header("x-amz-sso_bearer_token"), Some("the-token-of-the-sign-on"));
    assert!(
        asked[0].target.contains("role_name=Admin") && asked[0].target.contains("account_id=123456789012")
    );
    gate.finish();
}

#[test]
fn a_profile_that_signed_in_on_the_command_line() {
    const SESSION: &str = "arn:aws:iam::123456789012:user/Admin";
    let home = Home::new(&format!("[profile gate]\nlogin_session = {SESSION}\n"));
    let token = serde_json::json!({
        "accessToken": {
            "accessKeyId": "ASIALOGIN", "secretAccessKey": "a-secret", "sessionToken": "a-token",
            "accountId": "123456789012", "expiresAt": in_an_hour().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        },
        "tokenType": "aws_sigv4", "refreshToken": "r", "clientId": "arn:aws:signin:::devtools/same-device",
        "dpopKey": "used only to refresh",
    });
    let name = crate::harness::sha256(SESSION.as_bytes());
    home.write(&format!(".aws/login/cache/{name}.json"), &token.to_string());
    check(setup(PROFILE, &home, &[]), "ASIALOGIN", Some("a-token")).finish();
}

#[test]
fn a_web_identity() {
    let home = Home::new("");
    let token = home.write("token", "header.claims.signature");
    let service = stub(|_| in_xml("AssumeRoleWithWebIdentity", "ASIAWEBIDENTITY"));
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/gate".to_owned()),
        ("AWS_ENDPOINT_URL_STS", format!("http://{}", service.address)),
    ];
    let gate =
        check(setup("\"default\"", &home, &variables), "ASIAWEBIDENTITY", Some("token-of-ASIAWEBIDENTITY"));
    assert!(service.arrived()[0].body_text().contains("WebIdentityToken=header.claims.signature"));
    gate.finish();
}

#[test]
fn a_container() {
    let home = Home::new("");
    let agent = stub(|_| Answer::Body(200, in_json("ASIACONTAINER", in_an_hour())));
    let variables = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("http://{}/credentials", agent.address)),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "the-token-of-the-container".to_owned()),
    ];
    let gate =
        check(setup("\"default\"", &home, &variables), "ASIACONTAINER", Some("token-of-ASIACONTAINER"));
    let asked = agent.arrived();
    assert_eq!(asked.len(), 1, "asked once for both requests");
    assert_eq!(asked[0].header("authorization"), Some("the-token-of-the-container"));
    gate.finish();
}

#[test]
fn an_instance_with_a_role() {
    let home = Home::new("");
    let metadata = stub(|target| match target {
        "/latest/api/token" => Answer::With(
            "x-aws-ec2-metadata-token-ttl-seconds",
            "21600".to_owned(),
            "a-metadata-token".to_owned(),
        ),
        "/latest/meta-data/iam/security-credentials/the-role" => {
            Answer::Body(200, in_json("ASIAINSTANCE", in_an_hour()))
        }
        "/latest/meta-data/iam/security-credentials/" => Answer::Body(200, "the-role".to_owned()),
        _ => Answer::Body(404, String::new()),
    });
    let variables = [
        ("AWS_EC2_METADATA_DISABLED", "false".to_owned()),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", format!("http://{}", metadata.address)),
    ];
    let gate = check(setup("\"default\"", &home, &variables), "ASIAINSTANCE", Some("token-of-ASIAINSTANCE"));
    let asked = metadata.arrived();
    let reads = asked.iter().filter(|one| one.method == "GET");
    assert!(asked[0].method == "PUT" && reads.clone().count() > 0);
    for read in reads {
        assert_eq!(read.header("x-aws-ec2-metadata-token"), Some("a-metadata-token"), "{}", read.target);
    }
    gate.finish();
}

#[test]
fn a_role_for_each_actor() {
    let gate = Gate::start(Setup {
        upstream: "role = \"arn:aws:iam::123456789012:role/ordain-{actor}\"".to_owned(),
        ..Setup::default()
    });
    gate.recorder.answer(|one| {
        let text = one.body_text();
        match text.split("RoleSessionName=").nth(1).and_then(|rest| rest.split('&').next()) {
            Some(name) if one.is_own_question() => {
                in_xml("AssumeRole", &format!("ASIAOF{}", name.to_uppercase()))
            }
            _ => Answer::well(),
        }
    });
    for actor in ["alice", "robot", "alice"] {
        let reply = gate.client(actor).send(&Sent::ec2("DescribeInstances"));
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    let left: Vec<String> = gate.recorder.arrived().iter().map(|one| one.signed_with()).collect();
    assert_eq!(left, ["ASIAOFALICE", "ASIAOFROBOT", "ASIAOFALICE"]);
    let questions = gate.recorder.own_questions();
    let assumed: Vec<&str> = ["alice", "robot"]
        .into_iter()
        .filter(|name| {
            let kind = if *name == "alice" { "person" } else { "agent" };
            questions.iter().any(|one| {
                let text = one.body_text();
                [
                    format!("RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fordain-{name}"),
                    format!("SourceIdentity={name}"),
                    format!("Tags.member.1.Key=ordain-actor&Tags.member.1.Value={name}"),
                    format!("Tags.member.2.Key=ordain-kind&Tags.member.2.Value={kind}"),
                    "TransitiveTagKeys.member.1=ordain-actor".to_owned(),
                ]
                .iter()
                .all(|part| text.contains(part))
            })
        })
        .collect();
    assert_eq!(assumed, ["alice", "robot"]);
    assert_eq!(questions.len(), 3, "whose account it is, and one role for each actor");
    gate.finish();
}
