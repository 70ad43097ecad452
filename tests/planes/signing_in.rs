//! Clients that sign in before they work: what is shown to nobody in particular, and how far nobody gets.
//!
//! Leaves out others' clients, which sign in in `redfish` and `vsphere`.

use std::io::Write as _;
use std::net::TcpStream;

use crate::harness::{Answer, Arrived, Gate, Recorder, Reply, eventually, read_reply, said};
use crate::planes::served;

const CREDENTIALS: &str = "{ basic = { user = \"admin\", password_file = {token} } }";

const SESSIONS: &str = "POST /redfish/v1/SessionService/Sessions";

fn gate(plane: &'static str, upstream: &Recorder, sign_in: bool, mode: &'static str) -> Gate {
    upstream.answer(|_| Answer::With("set-cookie", "sid=the-gates".to_owned(), "{}".to_owned()));
    let credentials = format!("{CREDENTIALS}\nsign_in = {sign_in}");
    served::gate_alone(plane, &format!("http://{}", upstream.address), &credentials, mode)
}

fn ask(gate: &Gate, asked: &str, headers: &str, body: &str) -> Reply {
    let request = format!(
        "{asked} HTTP/1.1\r\nhost: {}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        gate.address,
        body.len()
    );
    let mut stream = TcpStream::connect(gate.address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    read_reply(&mut stream, false).unwrap()
}

const JSON: &str = "content-type: application/json\r\n";

fn signs(user: &str, password: &str) -> String {
    format!(r#"{{"UserName":"{user}","Password":"{password}"}}"#)
}

/// What was asked of the upstream by somebody else than the gate itself.
fn arrived(upstream: &Recorder) -> Vec<String> {
    let all = upstream.arrived().into_iter().filter(|one| one.decision.is_some());
    let one = |one: &Arrived| {
        let shown = ["authorization", "cookie", "x-auth-token"].iter().any(|name| one.header(name).is_some());
        format!("{} {}{}", one.method, one.target, if shown { " with a credential" } else { "" })
    };
    all.map(|arrived| one(&arrived)).collect()
}

#[test]
fn nobody_gets_further_than_to_what_is_shown_to_anybody() {
    let upstream = Recorder::start();
    // In shadow too: whoever is not known is not judged.
    let gate = gate("redfish", &upstream, true, "shadow");
    for open in ["/redfish", "/redfish/v1", "/redfish/v1/", "/redfish/v1/$metadata", "/redfish/v1/odata"] {
        let reply = ask(&gate, &format!("GET {open}"), "cookie: sid=x\r\n", "");
        assert_eq!((reply.status, reply.header("set-cookie")), (200, None), "{open}: {}", reply.text());
    }
    let open = arrived(&upstream);
    assert_eq!(open.len(), 5, "{open:?}");
    assert!(!open.iter().any(|one| one.contains("credential")), "{open:?}");
    for closed in [
        "GET /redfish/v1/Systems",
        "GET /redfish/v1?$expand=.",
        "GET /redfish/v1/SessionService",
        "GET /redfish/v1/SessionService/Sessions",
        "GET /redfish/v1//",
        "GET /redfish/v1/%24metadata",
        "POST /redfish/v1",
        "DELETE /redfish/v1/SessionService/Sessions/1",
        "POST /redfish/v1/Systems/1/Actions/ComputerSystem.Reset",
        SESSIONS,
    ] {
        let reply = ask(&gate, closed, JSON, "");
        assert_eq!(reply.status, 403, "{closed}: {}", reply.text());
    }
    for (body, reason) in [
        (signs("admin", served::REAL), "unknown_token"),
        (signs("admin", "ordain.TKORAAAAAAAAAAAAAAAA.x"), "unknown_token"),
        (r#"{"UserName":"a","Password":"ordain.x.y","Password":"z"}"#.to_owned(), "missing_authentication"),
        (format!("{}{}", signs("admin", "x"), " ".repeat(65 * 1024)), "body_too_large"),
    ] {
        let reply = ask(&gate, SESSIONS, JSON, &body);
        assert_eq!(reply.reason(), reason, "{}", reply.text());
        assert!(matches!(reply.status, 403 | 413), "{}", reply.text());
    }
    assert_eq!(arrived(&upstream), open);
    gate.finish();
}

#[test]
fn a_session_is_the_token_that_it_was_asked_for_with_and_ends_with_it() {
    let upstream = Recorder::start();
    let gate = gate("redfish", &upstream, true, "enforce");
    let token = gate.bearer("served", "alice", "person");
    let id = token.split('.').nth(1).unwrap().to_owned();
    let session = ask(&gate, SESSIONS, JSON, &signs("whoever", &token));
    assert_eq!((session.status, session.header("x-auth-token")), (201, Some(token.as_str())));
    let path = format!("/redfish/v1/SessionService/Sessions/{id}");
    assert_eq!(session.header("location"), Some(path.as_str()));
    assert!(session.text().contains("\"UserName\":\"whoever\""), "{}", session.text());
    let own = format!("x-auth-token: {token}\r\n");
    assert_eq!(ask(&gate, "GET /redfish/v1/Systems", &own, "").status, 200);
    assert_eq!(arrived(&upstream), ["GET /redfish/v1/Systems with a credential"]);
    // A session that is ended here is ended nowhere else; one of another's is judged as what it is.
    assert_eq!(ask(&gate, &format!("DELETE {path}"), &own, "").status, 204);
    let other = ask(&gate, "DELETE /redfish/v1/SessionService/Sessions/7", &own, "");
    assert_eq!(other.status, 200, "{}", other.text());
    assert_eq!(arrived(&upstream).len(), 2);
    drop(said(&gate.run(&["key", "revoke", &id])));
    eventually("the token is revoked", || {
        let again = ask(&gate, SESSIONS, JSON, &signs("whoever", &token));
        (again.status, again.reason()) == (403, "key_revoked")
    });
    gate.finish();
}

#[test]
fn nobody_is_shown_anything_where_clients_do_not_sign_in() {
    let upstream = Recorder::start();
    let gate = gate("redfish", &upstream, false, "enforce");
    let token = gate.bearer("served", "alice", "person");
    assert_eq!(ask(&gate, "GET /redfish/v1", "", "").status, 403);
    let session = ask(&gate, SESSIONS, JSON, &signs("alice", &token));
    assert_eq!((session.status, session.reason()), (403, "missing_authentication"));
    assert_eq!(arrived(&upstream), Vec::<String>::new());
    gate.finish();
}

/// One method is open and two are answered here; whichever others a body asks for are nobody's.
#[test]
fn nobody_asks_for_another_method_of_vim25() {
    let upstream = Recorder::start();
    let gate = gate("vsphere", &upstream, true, "shadow");
    let soap = "content-type: text/xml\r\nsoapaction: \"urn:vim25/8.0\"\r\n";
    let of = |name: &str, kind: &str, id: &str| {
        format!(
            "<Envelope xmlns=\"http://schemas.xmlsoap.org/soap/envelope/\"><Body><{name} xmlns=\"urn:vim25\">\
             <_this type=\"{kind}\">{id}</_this></{name}></Body></Envelope>"
        )
    };
    let content = of("RetrieveServiceContent", "ServiceInstance", "ServiceInstance");
    assert_eq!(ask(&gate, "POST /sdk", soap, &content).status, 200);
    assert_eq!(arrived(&upstream), ["POST /sdk"]);
    for (name, kind, id) in [
        ("CurrentTime", "ServiceInstance", "ServiceInstance"),
        ("Logout", "SessionManager", "SessionManager"),
        ("PowerOffVM_Task", "VirtualMachine", "vm-42"),
        ("RetrieveServiceContent", "VirtualMachine", "vm-42"),
    ] {
        let reply = ask(&gate, "POST /sdk", soap, &of(name, kind, id));
        assert!(reply.text().contains("NotAuthenticated"), "{name}: {}", reply.text());
    }
    assert_eq!(arrived(&upstream).len(), 1);
    gate.finish();
}
