//! Users of this machine, and the single user.

use super::*;
use crate::identity::{Grant, Rules, SingleUserRule, Template, UserRule};

fn grant(name: &str) -> Grant {
    Grant {
        actor: Template::parse(name).unwrap(),
        kind: ActorKind::Person,
        upstreams: vec!["staging".into()],
        on_behalf_of: Vec::new(),
    }
}

fn ask(rules: Rules, change: impl FnOnce(&mut Arrival), headers: &[(&str, &str)]) -> String {
    let state = tempfile::tempdir().unwrap();
    let schemes = Schemes::new(rules, None, &Outward::new(Vec::new(), Duration::from_secs(1)));
    let mut arrival = arrival();
    change(&mut arrival);
    let said = now_or_never(asked_of(&open(state.path()), &schemes, &arrival, "/api", headers, now()));
    said.split_once(": ").map_or(said.clone(), |(code, _)| code.to_owned())
}

#[test]
fn a_user_of_this_machine_is_who_the_system_says() {
    let rules = || Rules { users: vec![UserRule { uid: 1000, grant: grant("alice") }], ..Rules::default() };
    let by = |uid: Option<u32>| move |arrival: &mut Arrival| arrival.connection.uid = uid;
    assert_eq!(ask(rules(), by(Some(1000)), &[]), "person alice on staging");
    assert_eq!(ask(rules(), by(Some(0)), &[]), "user_not_allowed");
    assert_eq!(ask(rules(), by(None), &[]), "missing_authentication");
    assert_eq!(ask(rules(), by(Some(1000)), &[("authorization", "Bearer ordain.x.y")]), "unknown_token");
}

#[test]
fn a_single_user_is_on_this_machine_and_nothing_proves_it() {
    let rule = || SingleUserRule { grant: grant("me"), names: vec!["cluster.internal".to_owned()] };
    let rules = || Rules { single_user: Some(rule()), ..Rules::default() };
    const HERE: (&str, &str) = ("host", "127.0.0.1:7070");
    for host in ["127.0.0.1", "[::1]:7070", "localhost:7070", "a.LOCALHOST", "Cluster.internal:7070"] {
        let said = ask(rules(), |_| (), &[("host", host)]);
        assert_eq!(said, "person me on staging, unproven, advisory", "{host}");
    }
    // A page in a browser whose own name was made to stand for this machine.
    for host in ["rebound.example:7070", "localhost.rebound.example", "10.0.0.5", "[::2]:7070", ""] {
        assert_eq!(ask(rules(), |_| (), &[("host", host)]), "missing_authentication", "{host}");
    }
    assert_eq!(ask(rules(), |_| (), &[]), "missing_authentication");
    let elsewhere = |arrival: &mut Arrival| arrival.connection.peer = "192.0.2.1:1".parse().unwrap();
    assert_eq!(ask(rules(), elsewhere, &[HERE]), "missing_authentication");
    // A page in a browser reaches this machine as well, and so does what a proxy passes on.
    for name in ["origin", "sec-fetch-site", "x-forwarded-for", "forwarded"] {
        assert_eq!(ask(rules(), |_| (), &[HERE, (name, "x")]), "missing_authentication", "{name}");
    }
    assert_eq!(ask(rules(), |_| (), &[HERE, ("authorization", "Bearer x")]), "unknown_token");
    assert_eq!(ask(Rules::default(), |_| (), &[HERE]), "missing_authentication");
}
