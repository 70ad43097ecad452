//! A real Keystone that the gate signs in to itself, with openstacksdk in front of it.
//!
//! Leaves out when it signs in again, which is tried beside the code with a time that is told.

use super::*;

/// What must be seen nowhere, beside tokens.
const FIRST: &str = "the-first-password-of-the-gate";
const ADMIN: &str = "a-password-of-a-test-that-nobody-else-has";
const SECOND: &str = "the-second-password-of-the-gate";

impl Keystone {
    /// Makes a user and an application credential for the gate.
    fn prepared(self) -> Self {
        let folder = self.server.folder.path().display().to_string();
        assert_eq!(steps("gate", &self.base(), &self.token, &[&folder]), "");
        std::fs::write(self.server.folder.path().join("password"), FIRST).unwrap();
        self
    }

    fn file(&self, name: &str) -> String {
        self.server.folder.path().join(name).display().to_string()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap().trim().to_owned()
    }

    /// How often somebody signed in.
    fn logins(&self) -> usize {
        self.server.log().matches("\"POST /identity/v3/auth/tokens HTTP/1.1\" 201").count()
    }

    fn signed_in(&self, login: &str) -> Gate {
        let gate =
            served::gate("openstack", &self.base(), &format!("{{ keystone = {{ {login} }} }}"), "enforce");
        for secret in [FIRST, SECOND, ADMIN] {
            gate.must_not_write(secret);
        }
        // What every token of this Keystone begins with.
        gate.must_not_write("gAAAA");
        gate
    }

    fn by_password(&self) -> Gate {
        self.signed_in(&format!(
            "user = \"gate\", password_file = {:?}, project = \"admin\"",
            self.file("password")
        ))
    }
}

#[test]
fn the_gate_signs_in_by_a_password_and_clients_work_as_ever() {
    let Some(keystone) = Keystone::start().map(Keystone::prepared) else { return };
    let before = keystone.logins();
    let gate = keystone.by_password();
    let token = gate.bearer("served", "alice", "person");
    let day = steps("day", &format!("http://{}", gate.address), &token, &[]);
    assert!(day.lines().count() == 17 && !day.contains("Exception"), "{day}");
    assert_eq!(keystone.logins(), before + 1, "{}", keystone.server.log());
    // The user is another one now as far as its tokens go. The gate says so, and finds the new password.
    assert_eq!(steps("password", &keystone.base(), &keystone.token, &[SECOND]), "");
    let through = format!("http://{}", gate.address);
    let refused = steps("try", &through, &token, &["domains"]);
    assert!(refused.contains("HttpException 401: "), "{refused}");
    let doctor = said(&gate.run(&["doctor"]));
    let file = keystone.file("password");
    let says =
        format!("of user gate of domain id default, answers with status 401; look at what `{file}` holds");
    assert!(doctor.contains("upstream `served` has no credential: ") && doctor.contains(&says), "{doctor}");
    std::fs::write(&file, SECOND).unwrap();
    gate.hang_up();
    let doctor = said(&gate.run(&["doctor"]));
    assert!(doctor.contains("`served` is cloud acme"), "{doctor}");
    assert_eq!(steps("try", &through, &token, &["domains"]), "domains: ['Default']\n", "{}", gate.log());
    gate.finish();
}

#[test]
fn the_gate_signs_in_by_an_application_credential() {
    let Some(keystone) = Keystone::start().map(Keystone::prepared) else { return };
    let secret = keystone.file("application-secret");
    let id = keystone.read("application-id");
    let of = [
        format!("application_credential_id = {id:?}, secret_file = {secret:?}"),
        format!(
            "application_credential = \"ci\", user = \"admin\", user_domain = \"Default\", secret_file = {secret:?}, \
             auth_url = \"{}/identity/v3\"",
            keystone.base()
        ),
    ];
    for login in of {
        let gate = keystone.signed_in(&login);
        gate.must_not_write(&keystone.read("application-secret"));
        let token = gate.bearer("served", "alice", "person");
        let through = format!("http://{}", gate.address);
        let made = steps("try", &through, &token, &["domains", "project", "role", "group"]);
        assert!(made.contains("project: shop") && !made.contains("Exception"), "{made}");
        gate.finish();
        let direct = steps("clear", &keystone.base(), &keystone.token, &[]);
        assert_eq!(direct, "", "{direct}");
    }
}

#[test]
fn a_token_that_ends_is_replaced_while_clients_go_on() {
    let Some(keystone) = Keystone::start_with(Some(10)) else { return };
    let file = keystone.file("password");
    std::fs::write(&file, ADMIN).unwrap();
    let gate =
        keystone.signed_in(&format!("user = \"admin\", password_file = {file:?}, project = \"admin\""));
    let token = gate.bearer("served", "carol", "person");
    let before = keystone.logins();
    let until = Instant::now() + Duration::from_secs(120);
    let (mut asked, mut late) = (0, 0);
    while keystone.logins() < before + 2 {
        assert!(Instant::now() < until, "{asked} {late} {}", keystone.server.log());
        let answer = served::ask(&gate, &token, "GET /identity/v3/domains", "");
        // What leaves in the last moment of a token may arrive after it.
        late += usize::from(answer.status == 401);
        assert!([200, 401].contains(&answer.status), "{} {}", answer.text(), gate.log());
        asked += 1;
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(late <= 2 && asked > late + 2, "{asked} {late}");
    gate.finish();
}
