//! The simulator of a vCenter that the gate signs in to itself, by one upstream for both of its APIs.
//!
//! Leaves out when it looks whether a session still is one, which is tried beside the code with a time that is told.

use super::*;

impl Simulator {
    fn signed_in(&self) -> Gate {
        let file = self.file("password");
        std::fs::write(&file, PASSWORD).unwrap();
        let login = format!("{{ vsphere = {{ user = \"user\", password_file = {file:?} }} }}");
        let base = format!("http://{}", self.server.address);
        let gate = served::gate("vsphere", &base, &login, "enforce");
        gate.must_not_write(PASSWORD);
        gate
    }

    /// How many sessions of vim25 there are, beside that of whoever counts.
    fn sessions(&self) -> usize {
        let counted = self.client(&self.server.address, PASSWORD, &["sessions"]);
        counted.trim().parse().unwrap_or_else(|_| panic!("{counted}"))
    }
}

#[test]
fn one_upstream_serves_pyvmomi_govmomi_and_rest_with_sessions_that_the_gate_opens() {
    let Some(direct) = Simulator::start() else { return };
    let without = direct.client(&direct.server.address, &direct.session(), &["tour"]);
    let behind = Simulator::start().unwrap();
    let before = behind.sessions();
    let gate = behind.signed_in();
    assert_eq!(behind.sessions(), before + 1);
    let address = gate.address.to_string();
    let token = gate.bearer("served", "alice", "person");
    assert_eq!(behind.client(&address, &token, &["tour"]), without, "{}", gate.log());
    let rest = behind.client(&address, &token, &["rest"]);
    for line in ["whose: user", "category: made", "categories: 1", "gone: "] {
        assert!(rest.lines().any(|own| own.starts_with(line)), "{rest}");
    }
    let mut govmomi = Command::new("timeout");
    govmomi.arg("60").arg(variable("ORDAIN_TEST_VCSIM").unwrap()).args(["client", &address, &token]);
    let govmomi = said(&govmomi.output().unwrap());
    assert_eq!(
        govmomi,
        "found: /DC0/vm/DC0_H0_VM0\noff: done\non: done\nreconfigure: done\n",
        "{}",
        gate.log()
    );
    // Filters and views are in the session: all of it was one, and nobody but the gate has it.
    assert_eq!(behind.sessions(), before + 1);
    let login = behind.client(&address, &token, &["login"]);
    assert!(login.contains("real credential"), "{login}");
    // Doctor has one of its own and leaves none behind, and neither does a gate that stops.
    let doctor = said(&gate.run(&["doctor"]));
    assert!(doctor.contains("`served` is "), "{doctor}");
    assert_eq!(behind.sessions(), before + 1, "{doctor}");
    gate.finish();
    assert_eq!(behind.sessions(), before);
}

#[test]
fn a_session_that_somebody_ended_is_opened_anew() {
    let Some(simulator) = Simulator::start() else { return };
    let gate = simulator.signed_in();
    let token = gate.bearer("served", "carol", "person");
    let power = || simulator.client(&gate.address.to_string(), &token, &["power", "DC0_H0_VM0"]);
    assert_eq!(power().trim(), "poweredOn");
    assert_eq!(simulator.client(&simulator.server.address, PASSWORD, &["terminate"]), "0\n");
    let ended = power();
    assert!(ended.contains("NotAuthenticated"), "{ended}");
    // It looks at a session once a minute. Told to look at its files, it opens another at once.
    if crate::harness::full() {
        std::thread::sleep(std::time::Duration::from_secs(61));
    } else {
        gate.hang_up();
        let doctor = said(&gate.run(&["doctor"]));
        assert!(doctor.contains("`served` is "), "{doctor}");
    }
    assert_eq!(power().trim(), "poweredOn", "{}", gate.log());
    gate.finish();
}

#[test]
fn a_password_that_the_vcenter_does_not_take_serves_nobody() {
    let Some(simulator) = Simulator::start() else { return };
    let file = simulator.file("password");
    std::fs::write(&file, "another-password-that-is-wrong").unwrap();
    let login = format!("{{ vsphere = {{ user = \"user\", password_file = {file:?} }} }}");
    let gate =
        served::gate_alone("vsphere", &format!("http://{}", simulator.server.address), &login, "enforce");
    gate.must_not_write("another-password-that-is-wrong");
    let says = format!("does not take the password (InvalidLogin); look at what `{file}` holds");
    assert!(gate.log().contains(&says), "{}", gate.log());
    gate.finish();
}
