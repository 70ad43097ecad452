//! A tunnel is an entry before its first byte and another at its end, whatever ends it.

use std::sync::Arc;
use std::time::Duration;

use expect_test::expect;
use ordain_action::{ActorKind, Party};
use ordain_evidence::{Ledger, Opening};

use crate::disk::Disk;
use crate::support::{now, open, settings, told};

fn opening(number: u128) -> Opening {
    let alice = Party { name: Arc::from("alice"), kind: ActorKind::Person };
    Opening {
        id: uuid::Uuid::from_u128(0x0193_5d00_0000_7000_8000_0000_0000_0000 + number),
        now: now(),
        peer: "10.0.0.1:5000".parse().unwrap(),
        actor: (number > 1).then(|| (alice, Arc::from("AKORTEST"), Vec::new())),
        way: "connect",
        host: "mirror.example".to_owned(),
        port: 443,
        rule: "*.example".to_owned(),
        addresses: vec!["192.0.2.1:443".parse().unwrap()],
        through: None,
    }
}

#[tokio::test]
async fn every_tunnel_has_an_end() {
    let disk = Disk::new();
    let ledger = open(disk.storage());
    let first = ledger.tunnel(opening(1)).await.unwrap();
    assert_eq!(first.entry().unwrap().0, 1, "its opening is durable before anything can go through");
    first.sent(10);
    first.received(300);
    first.sent(5);
    assert_eq!(first.moved(), 315);
    first.end("closed").unwrap();
    let second = ledger.tunnel(opening(2)).await.unwrap();
    second.sent(7);
    drop(second);
    std::mem::forget(ledger.tunnel(opening(3)).await.unwrap());
    ledger.checkpoint().unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    // As after a kill: whose end nobody gave, ends when the next one starts.
    drop(open(Disk::of(disk.contents()).storage()));
    let again = Disk::of(disk.contents());
    drop(open(again.storage()));
    expect![[r#"
        0 change started: ordain 0.1.0
        1 tunnel 1 of nobody to mirror.example:443
        2 end of tunnel 1 of entry Some(1): closed, Some(15) sent, Some(300) received
        3 tunnel 2 of alice to mirror.example:443
        4 end of tunnel 2 of entry Some(3): cut, Some(7) sent, Some(0) received
        5 tunnel 3 of alice to mirror.example:443
        6 end of tunnel 3 of entry Some(5): gate_stopped, None sent, None received
        7 change started: ordain 0.1.0"#]]
    .assert_eq(&told(again.storage()));
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_opened() {
    let disk = Disk::new();
    let mut few = settings();
    few.open_tunnels = 1;
    let ledger = Ledger::open(few, disk.storage()).unwrap();
    let stands = ledger.tunnel(opening(1)).await.unwrap();
    let refused = ledger.tunnel(opening(2)).await.unwrap_err().to_string();
    assert!(refused.starts_with("too many tunnels stand open"), "{refused}");
    stands.end("closed").unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    ledger.tunnel(opening(3)).await.unwrap().end("closed").unwrap();
    ledger.clone().close().await;
    assert!(ledger.tunnel(opening(4)).await.is_err(), "a closed ledger records nothing");
}
