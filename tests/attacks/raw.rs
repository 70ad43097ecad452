//! The raw requests of `cases/`, through the whole gate, in enforce mode and in shadow.
//!
//! Leaves out what the guard says to each, which the listener's own tests check word for word: here a request the
//! guard lets pass is denied for want of a credential.

use std::net::SocketAddr;
use std::path::Path;

use super::case::{Case, Expected, play, read_all};
use crate::harness::{Gate, Setup};

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/attacks/cases");
    let cases = read_all(&folder);
    assert!(cases.len() >= 150, "only {} cases are left", cases.len());
    cases
}

fn check(mode: &'static str) {
    // Every case ends with a wait for the other side, so that they are played side by side.
    let setup = Setup {
        mode,
        settings: "[limits]\nheader_timeout = \"3s\"\nbody_timeout = \"3s\"\nidle_timeout = \"3s\"\n"
            .to_owned(),
        ..Setup::default()
    };
    let gate = Gate::start(setup);
    let address = gate.address;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let offences = runtime.block_on(async move {
        let mut playing = tokio::task::JoinSet::new();
        let mut offences = Vec::new();
        for case in cases() {
            while playing.len() >= 64 {
                offences.extend(playing.join_next().await.unwrap().unwrap());
            }
            playing.spawn(async move { offence(&case, address).await });
        }
        while let Some(ended) = playing.join_next().await {
            offences.extend(ended.unwrap());
        }
        offences
    });
    let arrived = gate.recorder.arrived();
    assert!(arrived.is_empty(), "an attack reached the upstream: {arrived:?}");
    assert!(offences.is_empty(), "\n{}", offences.join("\n"));
    gate.finish();
}

async fn offence(case: &Case, address: SocketAddr) -> Option<String> {
    let answer = String::from_utf8_lossy(&play(case, address).await).into_owned();
    let answered: Vec<&str> = answer
        // A request of HTTP/1.0 is answered in HTTP/1.0.
        .split("HTTP/1.")
        .skip(1)
        .filter_map(|part| part.split(' ').nth(1))
        // A denial may name a version too.
        .filter(|status| status.parse::<u16>().is_ok_and(|status| status >= 200))
        .collect();
    let expected: Vec<&Expected> = case.expected.iter().filter(|one| **one != Expected::Silence).collect();
    if answered.len() != expected.len() {
        return Some(format!(
            "{}: {} answers, {} expected: {answered:?}",
            case.name,
            answered.len(),
            expected.len()
        ));
    }
    let wrong = answered.iter().zip(&expected).find(|(status, expected)| match expected {
        // A request whose head nobody may send is denied before its body is asked for.
        Expected::Refused(text) if text.contains(" body_") && matches!(**status, "400" | "403") => false,
        // Without a credential the gate need not wait to see that a body stops short.
        Expected::Refused(text) => {
            !(text.starts_with(**status) || (text.starts_with("408") && **status == "400"))
        }
        // Nothing in it says who asks.
        Expected::Passed(_) => !matches!(**status, "400" | "403" | "421"),
        Expected::Silence => true,
    });
    wrong.map(|(status, expected)| format!("{}: {status}, expected {expected:?}", case.name))
}

#[test]
fn no_raw_request_gets_past_the_gate_that_enforces() {
    check("enforce");
}

#[test]
fn no_raw_request_gets_past_the_gate_in_shadow() {
    check("shadow");
}
