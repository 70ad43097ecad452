//! Heads that no room may take for another request than they look, in any mode, and hosts that a request goes to.
//!
//! Leaves out what the guard refuses before any room is asked, but for the one header that it leaves to them.

use std::collections::BTreeMap;

use super::*;
use crate::form::REWRITING;
use crate::form::http1::read_head;

/// Where a request would go in a mode that lets pass what cannot be read; or why it goes nowhere.
fn unread(rooms: &Rooms, parsed: &Parsed) -> Result<String, &'static str> {
    let head = parsed.head();
    let claim = rooms.claim(&head).map_err(|why| why.reason_code)?;
    let reading = claim.decode(&parsed.upstream(), &head, &parsed.body, None);
    assert!(matches!(reading, Reading::Undecodable { .. }), "{} {}", parsed.method, parsed.target);
    claim.destination_unread(&parsed.upstream(), &head).map(|to| to.service).map_err(|why| why.reason_code)
}

fn plane(rooms: &Rooms, parsed: &Parsed) -> Plane {
    rooms.claim(&parsed.head()).unwrap().plane()
}

/// The guard leaves `x-http-method-override` to the rooms: all but Google Cloud's refuse it, whatever the mode is.
#[test]
fn a_request_by_another_method_goes_nowhere_on_every_plane_but_one() {
    let rooms = rooms();
    let mut refused: BTreeMap<Plane, usize> = BTreeMap::new();
    for case in all_cases() {
        if reading(&rooms, &request(&case.request)).is_none() {
            continue;
        }
        for name in REWRITING {
            for value in ["DELETE", "GET"] {
                let mut parsed = request(&case.request);
                let of = plane(&rooms, &parsed);
                if of == Plane::Gcp && name == "x-http-method-override" {
                    continue;
                }
                parsed.headers.insert(name, value.parse().unwrap());
                assert!(unread(&rooms, &parsed).is_err(), "{of}, {name}: {}", case.name);
                *refused.entry(of).or_default() += 1;
            }
        }
    }
    for plane in Plane::ALL {
        assert!(refused.get(plane).is_some_and(|count| *count > 20), "{plane}");
    }
}

/// What hands out a credential of the gate's, or ends it, may be spoilt so that it cannot be read: it goes nowhere in a mode
/// that lets pass what cannot be.
#[test]
fn what_hands_out_or_ends_a_credential_goes_nowhere_unread() {
    let rooms = rooms();
    let mut passing = BTreeSet::new();
    for case in all_cases() {
        let parsed = request(&case.request);
        let Some(call) = reading(&rooms, &parsed) else { continue };
        let head = parsed.head();
        let claim = rooms.claim(&head).unwrap();
        if call.answer.mints.is_some() && claim.destination_unread(&parsed.upstream(), &head).is_ok() {
            passing.insert(format!("{}: {}", claim.plane(), case.name));
        }
    }
    // Of these the body alone says it, and what tells the credential is another answer, or it is the caller's own.
    let by_body =
        ["aws: an access key, which outputs would tell", "kubernetes: a secret by which a machine joins"];
    assert_eq!(passing, by_body.map(str::to_owned).into());
}

/// As Google's client for Python sends a GET whose address is too long: by way of the guard, and of the room.
#[test]
fn googles_own_override_comes_through_the_guard_and_is_read() {
    let body = "alt=json&filter=name%3Dweb";
    let raw = format!(
        "POST /compute/v1/projects/shop/global/firewalls HTTP/1.1\r\nhost: compute.googleapis.com\r\n\
         x-http-method-override: GET\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let head = read_head(raw.as_bytes()).unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let lines = raw.lines().skip(1).take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
    let parsed = request(&format!("{} {}\n{lines}\n\n{body}", text(head.method), text(head.target)));
    let call = reading(&rooms(), &parsed).unwrap();
    assert_eq!(&*call.effects[0].operation, "firewalls.list");
    assert!(!call.is_change());
}

/// A second credential is for the server to choose from: it does not leave in a mode that only watches either.
#[test]
fn a_second_credential_goes_nowhere_in_any_mode() {
    let rooms = rooms();
    let at = |target: &str, headers: &str| {
        unread(&rooms, &request(&format!("GET {target}\nhost: compute.googleapis.com\n{headers}")))
    };
    let list = "/compute/v1/projects/shop/zones/z/instances";
    for name in ["access_token", "key", "$key", "oauth_token", "bearer_token"] {
        assert_eq!(at(&format!("{list}?{name}=x"), ""), Err("second_credential"), "{name}");
    }
    for name in ["x-goog-api-key", "x-goog-iam-authorization-token", "x-goog-iam-authority-selector"] {
        assert_eq!(at(list, &format!("{name}: x")), Err("second_credential"), "{name}");
    }
    // What is not read for another reason goes where it is for.
    assert_eq!(at(&format!("{list}?$ct=x"), ""), Ok("compute".to_owned()));
}

/// What was sent to one of the provider's hosts does not go to another.
#[test]
fn a_request_to_one_host_of_the_provider_does_not_go_to_another() {
    let rooms = rooms();
    let to_cloud = |request_text: &str, plane: Plane, cloud: &str| {
        let parsed = request(request_text);
        let head = parsed.head();
        assert_eq!(head.way_in, WayIn::Egress);
        let claim = rooms.claim(&head).unwrap();
        let upstream = Upstream { name: "x".into(), plane, account: "acme".into(), partition: cloud.into() };
        let Reading::Call(call) = claim.decode(&upstream, &head, &parsed.body, None) else {
            panic!("{request_text}")
        };
        let unread = claim.destination_unread(&upstream, &head).map(|to| to.host);
        let read = claim.destination(&upstream, &call).map(|to| to.host);
        assert_eq!(read, unread);
        read.map_err(|why| why.reason_code)
    };
    let to = |request_text: &str, plane: Plane| to_cloud(request_text, plane, "");
    let github = |host: &str, line: &str| to(&format!("{line}\nhost: {host}"), Plane::GitHub);
    let upload = "POST /repos/acme/web/releases/1/assets?name=a";
    assert_eq!(github("api.github.com", "GET /user"), Ok("api.github.com".to_owned()));
    assert_eq!(github("uploads.github.com", upload), Ok("uploads.github.com".to_owned()));
    assert_eq!(github("uploads.github.com", "GET /user"), Err("other_host"));
    assert_eq!(github("api.github.com", upload), Err("other_host"));
    let group =
        "GET /subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/Shop?api-version=2024-03-01";
    let azure = |host: &str| to(&format!("{group}\nhost: {host}"), Plane::Azure);
    assert_eq!(azure("management.azure.com"), Ok("management.azure.com".to_owned()));
    assert_eq!(azure("management.usgovcloudapi.net"), Err("other_host"));
    // Clouds of states: a tenant is in one of them.
    for (cloud, host) in [
        ("AzureUSGovernment", "management.usgovcloudapi.net"),
        ("AzureChinaCloud", "management.chinacloudapi.cn"),
        ("AzureCloud", "management.azure.com"),
    ] {
        let at = |host: &str| to_cloud(&format!("{group}\nhost: {host}"), Plane::Azure, cloud);
        assert_eq!(at(host), Ok(host.to_owned()));
        assert_eq!(at("management.sovcloud-api.fr"), Err("other_host"), "{cloud}");
    }
    let topics = "GET /v1/projects/shop/topics\nhost: pubsub.googleapis.com";
    assert_eq!(to(topics, Plane::Gcp), Ok("pubsub.googleapis.com".to_owned()));
}
