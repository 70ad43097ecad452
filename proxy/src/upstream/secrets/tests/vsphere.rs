//! A vCenter's sessions, as its APIs are documented: opening, asking whether one still is one, opening another.
//!
//! Leaves out a server that others wrote (`tests/planes/vsphere/`).

use super::*;

const CONTENT: &str = "<Envelope xmlns=\"http://schemas.xmlsoap.org/soap/envelope/\"><Body><RetrieveServiceContentResponse \
    xmlns=\"urn:vim25\"><returnval><propertyCollector type=\"PropertyCollector\">ha-property-collector</propertyCollector><sessionManager type=\"SessionManager\">ha-sessionmgr</sessionManager></returnval>\
    </RetrieveServiceContentResponse></Body></Envelope>";

const CURRENT: &str = "<Body><RetrievePropertiesResponse xmlns=\"urn:vim25\"><returnval><propSet><name>currentSession</name>\
    <val><key>52d9</key></val></propSet></returnval></RetrievePropertiesResponse></Body>";

fn fault(name: &str) -> Answer {
    let text = format!(
        "<Envelope xmlns=\"http://schemas.xmlsoap.org/soap/envelope/\"><Body><Fault><faultcode>x</faultcode><faultstring>s3cret\
         </faultstring><detail><{name}Fault xmlns=\"urn:vim25\"/></detail></Fault></Body></Envelope>"
    );
    Answer::new(500, &[], text)
}

fn well() -> Answer {
    Answer::new(200, &[], "<Envelope xmlns=\"http://schemas.xmlsoap.org/soap/envelope/\"><Body/></Envelope>")
}

fn cookie(value: &str) -> Answer {
    Answer::new(
        200,
        &[("Set-Cookie", &format!("vmware_soap_session={value}; Path=/; HttpOnly; Secure"))],
        well().body,
    )
}

/// A vCenter whose sessions are numbered, and of which the last one alone is one.
struct Center {
    opened: Arc<Lock<(u32, u32)>>,
    // Before 7.0 U2 the Automation API was elsewhere.
    older: bool,
}

impl Center {
    fn answer(&self, asked: &str) -> Answer {
        let mut opened = self.opened.lock().unwrap();
        let line = asked.lines().next().unwrap();
        let has = |text: String| asked.to_ascii_lowercase().contains(&text.to_ascii_lowercase());
        let sessions = if self.older { "/rest/com/vmware/cis/session" } else { "/api/session" };
        let known = has(format!("vmware-api-session-id: auto-{}\r\n", opened.1));
        match line {
            "POST /sdk HTTP/1.1" if asked.contains("<RetrieveServiceContent ") => {
                Answer::new(200, &[], CONTENT)
            }
            "POST /sdk HTTP/1.1" if asked.contains("<Login ") => {
                opened.0 += 1;
                cookie(&format!("\"vim-{}\"", opened.0))
            }
            "POST /sdk HTTP/1.1" => {
                assert!(asked.contains(">ha-property-collector</_this><specSet>"), "{asked}");
                match has(format!("cookie: vmware_soap_session=\"vim-{}\"\r\n", opened.0)) {
                    true => Answer::new(200, &[], well().body.replace("<Body/>", CURRENT)),
                    // Some refuse whoever has no session, some have nothing to say of it.
                    false if self.older => well(),
                    false => fault("NotAuthenticated"),
                }
            }
            _ if !line.contains(sessions) => Answer::new(404, &[], ""),
            _ if line.starts_with("GET ") || line.contains("~action=get") => {
                Answer::new(if known { 200 } else { 401 }, &[], json!({"user": "gate"}))
            }
            // `gate@vsphere.local:s3 & cret`
            _ if has("authorization: Basic Z2F0ZUB2c3BoZXJlLmxvY2FsOnMzICYgY3JldA==\r\n".to_owned()) => {
                opened.1 += 1;
                let id = json!(format!("auto-{}", opened.1));
                if self.older {
                    Answer::new(200, &[], json!({"value": id}))
                } else {
                    Answer::new(201, &[], id)
                }
            }
            _ => Answer::new(401, &[], json!({})),
        }
    }
}

async fn center(older: bool) -> (Stub, Arc<Lock<(u32, u32)>>) {
    let opened = Arc::new(Lock::new((0, 0)));
    let center = Center { opened: Arc::clone(&opened), older };
    (Stub::start(move |asked| center.answer(asked)).await, opened)
}

async fn upstreams(stub: &Stub, folder: &Path) -> Upstreams {
    let password = file(folder, "p", "s3 & cret\n");
    let login = format!("vsphere = {{ user = \"gate@vsphere.local\", password_file = {password:?} }}");
    stub.upstreams_of("vsphere", &login).await
}

async fn vim(upstreams: &Upstreams, seconds: i64) -> String {
    leaves_with(upstreams, after(seconds)).await
}

async fn automation(upstreams: &Upstreams, seconds: i64) -> String {
    let header = leaves_for(upstreams, Api::Automation, after(seconds)).await;
    header.map_or_else(|why| why, |(name, value)| format!("{name}: {value}"))
}

#[tokio::test]
async fn each_api_has_a_session_of_its_own_that_is_kept_for_as_long_as_it_is_one() {
    let folder = tempfile::tempdir().unwrap();
    for older in [false, true] {
        let (stub, opened) = center(older).await;
        let upstreams = upstreams(&stub, folder.path()).await;
        let login = stub.asked.lock().unwrap()[1].clone();
        let says = "<Login xmlns=\"urn:vim25\"><_this type=\"SessionManager\">ha-sessionmgr</_this><userName>gate@vsphere.local\
                    </userName><password>s3 &amp; cret</password></Login>";
        assert!(login.contains(says), "{login}");
        let first = ("cookie".to_owned(), "vmware_soap_session=\"vim-1\"".to_owned());
        assert_eq!(leaves_for(&upstreams, Api::Main, now()).await, Ok(first));
        // The other is opened when somebody asks for it.
        assert_eq!(*opened.lock().unwrap(), (1, 0));
        assert_eq!(automation(&upstreams, 0).await, "vmware-api-session-id: auto-1");
        stub.asked();
        // Nobody asks within a minute; later it is asked whether it still is one, and that is a use of it.
        assert_eq!(vim(&upstreams, 59).await, "vmware_soap_session=\"vim-1\"");
        assert_eq!(automation(&upstreams, 59).await, "vmware-api-session-id: auto-1");
        assert_eq!(stub.asked().len(), 0);
        for minute in 1..6 {
            assert_eq!(vim(&upstreams, minute * 60).await, "vmware_soap_session=\"vim-1\"");
            assert_eq!(automation(&upstreams, minute * 60).await, "vmware-api-session-id: auto-1");
            let asked = stub.asked();
            let again = if older {
                "POST /rest/com/vmware/cis/session?~action=get HTTP/1.1"
            } else {
                "GET /api/session HTTP/1.1"
            };
            assert_eq!(asked, ["POST /sdk HTTP/1.1", again], "{minute}");
        }
        // Somebody ended both.
        *opened.lock().unwrap() = (5, 7);
        assert_eq!(vim(&upstreams, 360).await, "vmware_soap_session=\"vim-6\"");
        assert_eq!(automation(&upstreams, 360).await, "vmware-api-session-id: auto-8");
    }
}

#[tokio::test]
async fn a_vcenter_that_is_away_takes_nothing_back_for_as_long_as_a_session_lasts() {
    let folder = tempfile::tempdir().unwrap();
    let (stub, opened) = center(false).await;
    let upstreams = upstreams(&stub, folder.path()).await;
    stub.answer(|_| Answer::new(503, &[], "no healthy upstream"));
    assert_eq!(vim(&upstreams, 60).await, "vmware_soap_session=\"vim-1\"");
    assert_eq!(vim(&upstreams, 239).await, "vmware_soap_session=\"vim-1\"");
    let over = vim(&upstreams, 240).await;
    assert!(
        over.contains("the vCenter `http://127.0.0.1:") && over.contains("answers at `/sdk` with status 503"),
        "{over}"
    );
    // It is the same session when it comes back, where that is one.
    let center = Center { opened: Arc::clone(&opened), older: false };
    stub.answer(move |asked| center.answer(asked));
    assert_eq!(vim(&upstreams, 260).await, "vmware_soap_session=\"vim-1\"");
}

#[tokio::test]
async fn what_a_vcenter_answers_otherwise_is_said_without_what_is_secret() {
    let folder = tempfile::tempdir().unwrap();
    let (stub, _) = center(false).await;
    let file = folder.path().join("p");
    let look = format!("does not take the password (InvalidLogin); look at what `{}` holds", file.display());
    for (content, login, says) in [
        (Answer::new(200, &[], CONTENT), fault("InvalidLogin"), look.as_str()),
        (Answer::new(200, &[], CONTENT), fault("NoPermission"), "answers with the fault `NoPermission`"),
        (Answer::new(200, &[], CONTENT), well(), "opens no session (`vmware_soap_session`)"),
        (Answer::new(200, &[], CONTENT), cookie("\"\""), "opens no session (`vmware_soap_session`)"),
        (Answer::new(200, &[], CONTENT), cookie("s3 cret"), "opens no session (`vmware_soap_session`)"),
        (well(), well(), "does not answer as a vCenter or a host does; correct the upstream's `endpoint`"),
        (Answer::new(200, &[], "s3cret"), well(), "does not answer as a vCenter or a host does"),
        (
            Answer::new(301, &[], "s3cret"),
            well(),
            "answers at `/sdk` with status 301; correct the upstream's `endpoint`",
        ),
        (
            Answer::new(404, &[], "s3cret"),
            well(),
            "answers at `/sdk` with status 404; correct the upstream's `endpoint`",
        ),
        (Answer::new(200, &[], "x".repeat(9 << 20)), well(), "its answer did not come whole"),
    ] {
        stub.answer(move |asked| if asked.contains("<Login ") { login.clone() } else { content.clone() });
        let why = upstreams(&stub, folder.path()).await.why_unverified("live").unwrap_or_default();
        assert!(
            why.starts_with("upstream `live` has no credential: ") && why.contains(says),
            "{says}: {why}"
        );
        assert!(!why.contains("s3cret") && !why.contains("s3 "), "{why}");
    }
    assert!(stub.asked().iter().all(|line| !line.contains("elsewhere")));
}

#[tokio::test]
async fn a_host_without_the_automation_api_is_served_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (stub, _) = center(false).await;
    let upstreams = upstreams(&stub, folder.path()).await;
    for (answer, says) in [
        (Answer::new(404, &[], ""), "with status 404: it has no Automation API, as hosts have none"),
        (Answer::new(302, &[], ""), "with status 302: it has no Automation API"),
        (Answer::new(201, &[], "{\"value\": 1}"), "opens no session at `/api/session`"),
        (Answer::new(503, &[], ""), "answers at `/api/session` with status 503"),
        (Answer::new(403, &[], ""), "does not let the user in (status 403)"),
        // This is the last: what was refused is not tried again.
        (Answer::new(401, &[], ""), "does not take the password (status 401)"),
    ] {
        stub.answer(move |_| answer.clone());
        let why = automation(&upstreams, 10).await;
        assert!(why.contains(says), "{why}");
        assert_eq!(vim(&upstreams, 10).await, "vmware_soap_session=\"vim-1\"");
    }
    assert!(stub.asked().iter().all(|line| !line.contains("elsewhere")));
}

#[tokio::test]
async fn a_session_that_is_needed_no_more_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let (stub, _) = center(false).await;
    let upstreams = upstreams(&stub, folder.path()).await;
    assert_eq!(automation(&upstreams, 0).await, "vmware-api-session-id: auto-1");
    stub.asked();
    upstreams.end().await;
    let asked = stub.asked.lock().unwrap().clone();
    let has = |line: &str, what: &str| asked.iter().any(|one| one.starts_with(line) && one.contains(what));
    assert!(
        has(
            "POST /sdk ",
            "<Logout xmlns=\"urn:vim25\"><_this type=\"SessionManager\">ha-sessionmgr</_this></Logout>"
        ),
        "{asked:?}"
    );
    assert!(has("DELETE /api/session ", "vmware-api-session-id: auto-1\r\n"), "{asked:?}");
    assert_eq!(asked.len(), 2);
}
