//! Clients that vanish at every stage: what left is recorded and closed, what did not leave never leaves.
//!
//! Leaves out the program's own death (`kill.rs`).

use std::io::{Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use crate::harness::{Answer, Client, Gate, Setup, a_change, full};

/// Where the client leaves.
#[derive(Debug, Clone, Copy)]
enum Stage {
    Connected,
    MidHead,
    AfterHead,
    MidBody,
    AfterBody,
    /// While the upstream takes its time.
    WhileForwarded,
    MidAnswer,
    /// Says that it has no more to say, and waits: it still gets its answer.
    HalfClosed,
    Reset,
}

const STAGES: [Stage; 9] = [
    Stage::Connected,
    Stage::MidHead,
    Stage::AfterHead,
    Stage::MidBody,
    Stage::AfterBody,
    Stage::WhileForwarded,
    Stage::MidAnswer,
    Stage::HalfClosed,
    Stage::Reset,
];

fn leave(client: &Client, stage: Stage, number: usize) -> std::io::Result<()> {
    let mut stream = client.connect()?;
    let (head, body) = client.bytes(&a_change(number));
    let whole =
        |stream: &mut std::net::TcpStream| stream.write_all(&head).and_then(|()| stream.write_all(&body));
    match stage {
        Stage::Connected => {}
        Stage::MidHead => stream.write_all(&head[..head.len() / 2])?,
        Stage::AfterHead => stream.write_all(&head)?,
        Stage::MidBody => {
            stream.write_all(&head)?;
            stream.write_all(&body[..body.len() / 2])?;
        }
        Stage::AfterBody => whole(&mut stream)?,
        Stage::WhileForwarded => {
            whole(&mut stream)?;
            std::thread::sleep(Duration::from_millis(15));
        }
        Stage::MidAnswer => {
            whole(&mut stream)?;
            stream.read_exact(&mut [0; 20])?;
        }
        Stage::HalfClosed => {
            whole(&mut stream)?;
            stream.shutdown(Shutdown::Write)?;
            let mut start = [0; 12];
            stream.read_exact(&mut start)?;
            assert_eq!(&start, b"HTTP/1.1 200", "a half-closed client gets its answer");
        }
        Stage::Reset => {
            whole(&mut stream)?;
            socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
        }
    }
    Ok(())
}

#[test]
fn serial_clients_that_vanish_at_every_stage() {
    let rounds = if full() { 1_000 } else { 15 };
    let gate = Gate::start(Setup::default());
    // A third of the answers takes a while, so that clients leave before, during and after.
    gate.recorder.answer(|one| {
        if one.body.last().is_some_and(|digit| digit % 3 == 0) {
            Answer::Late(Duration::from_millis(30))
        } else {
            Answer::well()
        }
    });
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let client = gate.client("alice");
            scope.spawn(move || {
                for round in (worker..rounds).step_by(4) {
                    for (place, stage) in STAGES.into_iter().enumerate() {
                        leave(&client, stage, round * STAGES.len() + place)
                            .expect("the gate takes connections");
                    }
                }
            });
        }
    });
    // Nothing is left behind: the next change goes through at once, and no body is held any more.
    assert_eq!(gate.client("alice").send(&a_change(0)).status, 200);
    std::thread::sleep(Duration::from_millis(200));
    let (status, metrics) = gate.admin_page("/metrics");
    assert_eq!(status, 200);
    for name in ["ordain_held_bytes", "ordain_changes_in_flight"] {
        for line in metrics.lines().filter(|line| line.starts_with(name)) {
            assert!(line.ends_with(" 0"), "something is left behind: {line}");
        }
    }
    let arrived = gate.recorder.arrived().len();
    assert!(arrived >= rounds * 3, "only {arrived} changes arrived");
    gate.finish();
}

#[test]
fn an_upstream_that_resets_cuts_or_fails_leaves_a_closed_record() {
    let gate = Gate::start(Setup::default());
    let client = gate.client("alice");
    for (number, answer) in [
        Answer::Reset,
        Answer::Cut,
        Answer::Body(503, "<busy/>".to_owned()),
        Answer::Body(400, "<no/>".to_owned()),
    ]
    .into_iter()
    .enumerate()
    {
        gate.recorder.answer(move |_| answer.clone());
        drop(client.try_send(&a_change(number)));
    }
    let arrived = gate.recorder.arrived();
    assert_eq!(arrived.len(), 4, "a change that was started is never started again");
    gate.finish();
}

#[test]
fn an_upstream_that_never_answers_is_given_up_and_its_outcome_is_unknown() {
    let settings = "[limits]\nupstream_timeout = \"1s\"\n".to_owned();
    let gate = Gate::start(Setup { settings, ..Setup::default() });
    gate.recorder.answer(|_| Answer::Never);
    let reply = gate.client("alice").send(&a_change(1));
    assert_eq!(reply.status, 504, "{}", reply.text());
    assert_eq!(gate.recorder.arrived().len(), 1);
    gate.finish();
}
