//! What a record says, and that it is there before anything may be sent.

use std::sync::Arc;

use expect_test::expect;
use ordain_action::{Access, Created, DecisionId, Outcome, Reading};
use ordain_evidence::{AttemptRate, Decision, Filter, Ledger, Reader, Recorded, Reserved, SendableKind};
use ordain_proof::record::{self, DetailRecord, ReadingRecord, Record};
use ordain_rules::{Mode, PermitKind};
use std::ops::ControlFlow;

use crate::disk::Disk;
use crate::support::{
    Numbered, action, decision, id, judged, judged_read, note, open, own_host, record, sendable, settings,
    snapshot, strange, told,
};

#[tokio::test]
async fn a_statement_reads_as_written() {
    let disk = Disk::new();
    let ledger = open(disk.storage());
    let sendable = sendable(record(&ledger, Mode::Enforce, &own_host(), 7).await.unwrap());
    assert_eq!(sendable.kind(), SendableKind::Admitted);
    let found = Reader::new(disk.storage()).get(id(7)).unwrap().unwrap();
    assert_eq!(Some(found.decision.sequence), sendable.entry());
    expect![[r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"01935d00-0000-7000-8000-000000000007","digest":{"sha256":"a3eb8db89fc5123ccfd49585059f292bc40a1c0d550b860f24f84efb4760fbf2"}}],"predicateType":"urn:ordain:evidence:decision:v1","predicate":{"id":"01935d00-0000-7000-8000-000000000007","request":"a3eb8db89fc5123ccfd49585059f292bc40a1c0d550b860f24f84efb4760fbf2","time":"2026-11-24T10:00:00Z","actor":{"party":{"name":"alice","kind":"person"},"credential":"AKORTEST","proven":true,"on_behalf_of":[],"session":null,"upstream":{"name":"default","plane":"aws","account":"111122223333","partition":"aws"}},"head":{"method":"POST","host":"ec2.eu-west-1.amazonaws.com","path":"/"},"mode":"enforce","ruling":"admit","effect":"admitted","no_model":false,"live":0,"terms":{"mode":"enforce"},"digests":{"model":"9372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4","rules":"6c621d1a05138a7888d37d9269a9da8e2e11e4aced2f6cfd24b05ab1b9e61bb0","schema":"df0ad6e43880f09c90ebf95f19110178aba6890df0010ebda7485029e2b543b4","catalogue":"d2504e52b8b07484a2b690e7ffaedeabe91320c09012844d0f7c81c2ec72e882","program":"1310ca2c8932dbd118668bd97442558a3e1f546b5e15c69699dfbd6024f548d8"},"counters":[],"content":{"whole":{"reading":{"call":{"plane":"aws","region":"eu-west-1","effects":[{"service":"ec2","operation":"TerminateInstances","iam_action":"ec2:TerminateInstances","access":"delete","level":"control","resources":[{"role":"target","kind":"ec2:instance","name":"arn:aws:ec2:eu-west-1:111122223333:instance/i-0web","basis":"reviewed","identifiers":[["InstanceId","i-0web"]]}],"parameters":{"count":7,"completeness":"complete","leaves":[["InstanceId.1","text","i-0web"],["Force","bool","true"],["Count","number","1e400"],["Tags","empty",""],["Nothing","null",""],["Password","token","hmac:0123"],["ClientToken","text!","9f"]]}}]}},"reasons":[{"ruling":"admit","count":"ownership","code":"owner_changes_own","text":"`alice` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web`","rules":["owner-changes-own"],"effect":0}],"owners":["web"],"reach":{"direct":1,"dependants":0,"owners_crossed":[],"tier":null,"path":[]}}}}}"#]].assert_eq(&String::from_utf8(found.decision.statement).unwrap());
    assert_eq!(found.outcome, None);
}

#[tokio::test]
async fn a_life_of_decisions_reads_as_written() {
    let disk = Disk::new();
    let ledger = open(disk.storage());
    note(&ledger, "a first model").await.unwrap();
    let first = sendable(record(&ledger, Mode::Enforce, &own_host(), 1).await.unwrap());
    let (held, mut closing) = first.release().unwrap();
    assert_eq!(held.send(), Numbered(1));
    closing.started();
    let answered = Outcome::Answered {
        status: 200,
        request_id: "abc".to_owned(),
        error_code: None,
        created: Vec::new(),
    };
    assert_eq!(closing.close(&answered, drop).await.unwrap().unwrap().0, 3);
    let refused = record(&ledger, Mode::Enforce, &strange(), 2).await.unwrap();
    assert!(matches!(&refused, Recorded::Refused(refused) if refused.entry().is_some()));
    let shadowed = sendable(record(&ledger, Mode::Shadow, &strange(), 3).await.unwrap());
    assert_eq!(shadowed.kind(), SendableKind::Shadowed);
    let (_, mut closing) = shadowed.release().unwrap();
    closing.started();
    closing.close(&Outcome::Unknown { why: "upstream_reset" }, drop).await.unwrap();
    ledger.close().await;
    expect![[r#"
        0 change started: ordain 0.1.0
        1 change model: a first model
        2 decision 1 alice admitted
        3 outcome 1 of entry Some(2): answered 200
        4 decision 2 mallory refused
        5 decision 3 mallory shadowed
        6 outcome 3 of entry Some(5): unknown: upstream_reset
        7 change stopped: ordain 0.1.0"#]]
    .assert_eq(&told(disk.storage()));
}

#[tokio::test]
async fn there_is_another_of_a_read_and_of_nothing_else() {
    let disk = Disk::new();
    let ledger = open(disk.storage());
    let copy = |held: &Numbered| Some(Numbered(held.0));
    let describe = action("alice", "ec2:DescribeInstances", Access::Read, "i-0web");
    let permit = judged_read(snapshot(Mode::Enforce), &describe, 1).permit.unwrap();
    let (read, _closing) = ledger.read(permit, Numbered(1)).unwrap().release().unwrap();
    let signed = read.try_map(Ok::<_, ()>).unwrap();
    assert_eq!(signed.again(copy).unwrap().send(), Numbered(1));
    for (mode, number) in [(Mode::Enforce, 2), (Mode::Shadow, 3)] {
        let action = if mode == Mode::Enforce { own_host() } else { strange() };
        let recorded = sendable(record(&ledger, mode, &action, number).await.unwrap());
        let (change, _closing) = recorded.release().unwrap();
        assert!(change.try_map(Ok::<_, ()>).unwrap().again(copy).is_none(), "{mode:?}");
    }
}

#[tokio::test]
async fn reads_pass_counted_and_write_nothing() {
    let disk = Disk::new();
    let ledger = open(disk.storage());
    let before = disk.writes();
    let describe = action("alice", "ec2:DescribeInstances", Access::Read, "i-0web");
    let permit = judged_read(snapshot(Mode::Enforce), &describe, 1).permit.unwrap();
    let sendable = ledger.read(permit, Numbered(1)).unwrap();
    assert_eq!((sendable.kind(), sendable.entry()), (SendableKind::Read, None));
    let (held, closing) = sendable.release().unwrap();
    assert_eq!(held.send(), Numbered(1));
    drop(closing);
    assert_eq!((ledger.status().reads, disk.writes()), (1, before));

    let change = judged(snapshot(Mode::Enforce), &own_host(), 2).permit.unwrap();
    assert_eq!(change.kind(), PermitKind::Admitted);
    assert!(ledger.read(change, Numbered(2)).is_err(), "a change passed as a read");
}

/// A name as of so many minutes after the first.
fn minute(minutes: u128) -> DecisionId {
    DecisionId(uuid::Uuid::from_u128(((0x0193_5d00_0000 + minutes * 60_000) << 80) | (0x7000_8000 << 48)))
}

#[tokio::test]
async fn a_decision_is_found_by_its_time_and_what_was_long_before_is_not_read() {
    let disk = Disk::new();
    let ledger = open(disk.storage());
    let action = own_host();
    for minutes in 0..200_u64 {
        let reserved = Reserved::new(judged(snapshot(Mode::Enforce), &action, minutes), None);
        let decision = Decision { id: minute(u128::from(minutes)), ..decision(&action, minutes) };
        let recorded = ledger.record(reserved, decision, Numbered(minutes)).await.unwrap();
        let (_, closing) = sendable(recorded).release().unwrap();
        // The outcome of one comes long after it.
        if minutes == 120 {
            tokio::spawn(async move { drop(closing) }).await.unwrap();
        } else {
            closing.end(&Outcome::Unknown { why: "test" }).unwrap();
        }
    }
    ledger.close().await;
    let mut segments: Vec<String> = disk.storage().names().unwrap();
    segments.retain(|name| name.ends_with(".segment"));
    segments.sort();
    assert!(segments.len() > 5, "{segments:?}");
    let reader = Reader::new(disk.storage());
    for minutes in 0..200 {
        let found =
            reader.get(minute(minutes)).unwrap().unwrap_or_else(|| panic!("minute {minutes} is lost"));
        let statement = String::from_utf8(found.decision.statement).unwrap();
        assert!(statement.contains(&minute(minutes).to_string()), "{statement}");
        assert!(found.outcome.is_some(), "minute {minutes} has an outcome");
    }
    assert_eq!(reader.get(minute(10_000)).unwrap(), None);
    assert_eq!(reader.get(DecisionId(uuid::Uuid::from_u128(1))).unwrap(), None);
    // A ledger whose first segments lie elsewhere still tells what came later.
    for old in &segments[..2] {
        disk.storage().remove(old).unwrap();
    }
    assert!(reader.get(minute(150)).unwrap().is_some());
    assert_eq!(reader.get(minute(0)).unwrap(), None);
}

#[tokio::test]
async fn what_is_too_long_for_an_entry_lies_beside_it() {
    let disk = Disk::new();
    let ledger = open(disk.storage());
    let mut many = own_host();
    let Reading::Call(call) = &mut many.reading else { panic!("a call") };
    let one = call.effects[0].clone();
    call.effects = (0..300).map(|_| one.clone()).collect();
    drop(record(&ledger, Mode::Shadow, &many, 9).await.unwrap());
    ledger.close().await;

    let reader = Reader::new(disk.storage());
    let found = reader.get(id(9)).unwrap().unwrap();
    assert!(found.decision.statement.len() < 4096, "{}", found.decision.statement.len());
    let Record::Decision(decision) = record::read(&found.decision.statement).unwrap() else {
        panic!("a decision")
    };
    let effects = |detail: &DetailRecord<'_>| match &detail.reading {
        ReadingRecord::Call(call) => call.effects.len(),
        ReadingRecord::Undecodable(_) => 0,
    };
    assert_eq!(decision.with_detail(found.decision.blob.as_deref(), effects).unwrap(), 300);
    let filter = Filter { operation: Some("ec2:Terminate*".to_owned()), ..Filter::default() };
    let mut fitting = 0;
    reader
        .query(&filter, |_, _| {
            fitting += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(fitting, 1);
}

#[tokio::test]
async fn a_kept_action_reads_back_as_it_was_judged() {
    let disk = Disk::new();
    let ledger = open(disk.storage());
    let create = action("alice", "ec2:RunInstances", Access::Create, "i-*");
    let mut longer = create.clone();
    let Reading::Call(call) = &mut longer.reading else { panic!("a call") };
    let one = call.effects[0].clone();
    call.effects = (0..300).map(|_| one.clone()).collect();
    let created = Created {
        kind: Arc::from("ec2:instance"),
        member: Arc::from("InstanceId"),
        identifier: "i-1".to_owned(),
    };
    let answered = Outcome::Answered {
        status: 200,
        request_id: "abc".to_owned(),
        error_code: None,
        created: vec![created],
    };
    for (number, action) in [(1, &create), (2, &own_host()), (3, &longer)] {
        let (_, closing) =
            sendable(record(&ledger, Mode::Shadow, action, number).await.unwrap()).release().unwrap();
        closing.close(&answered, drop).await.unwrap();
    }
    ledger.close().await;
    let mut read_back = Vec::new();
    let collect = |action: &_, outcome: &_, _: Option<&_>, sequence: ordain_evidence::Sequence| {
        read_back.push((ordain_action::Action::clone(action), Outcome::clone(outcome), sequence.0));
    };
    Reader::new(disk.storage()).creations(collect).unwrap();
    assert_eq!(read_back, [(create, answered.clone(), 2), (longer, answered, 6)]);
}

#[tokio::test]
async fn a_flood_of_refusals_is_counted_and_admits_go_on() {
    let disk = Disk::new();
    let mut settings = settings();
    settings.attempts = AttemptRate { burst: 3, per_second: 1, ..AttemptRate::default() };
    let ledger = Ledger::open(settings, disk.storage()).unwrap();
    for number in 1..=50 {
        assert!(matches!(
            record(&ledger, Mode::Enforce, &strange(), number).await.unwrap(),
            Recorded::Refused(_)
        ));
    }
    drop(record(&ledger, Mode::Enforce, &own_host(), 51).await.unwrap());
    assert_eq!(ledger.status().coalesced, 47);
    ledger.close().await;
    expect![[r#"
        0 change started: ordain 0.1.0
        1 decision 1 mallory refused
        2 decision 2 mallory refused
        3 decision 3 mallory refused
        4 decision 33 alice admitted
        5 outcome 33 of entry Some(4): not sent: dropped
        6 attempts mallory 47: unknown_actor 47
        7 change stopped: ordain 0.1.0"#]]
    .assert_eq(&told(disk.storage()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_records_become_durable_with_one_sync() {
    let disk = Disk::new();
    let ledger = open(disk.storage());
    // While one batch is synced the next one gathers.
    disk.slow();
    let before = ledger.status();
    let snapshot = snapshot(Mode::Enforce);
    let tasks: Vec<_> = (0..64)
        .map(|task| {
            let ledger = ledger.clone();
            tokio::spawn(async move {
                for turn in 0..16 {
                    let number = task * 16 + turn;
                    let action = own_host();
                    let reserved = Reserved::new(judged(snapshot, &action, number), None);
                    let recorded =
                        ledger.record(reserved, decision(&action, number), Numbered(number)).await.unwrap();
                    let (_, closing) = sendable(recorded).release().unwrap();
                    closing.close(&Outcome::NotSent { why: "test" }, drop).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let after = ledger.status();
    let (entries, syncs) = (after.entries - before.entries, after.syncs - before.syncs);
    assert_eq!(entries, 2 * 64 * 16);
    assert!(syncs * 4 < entries, "{syncs} syncs for {entries} entries");
    assert_eq!((after.waiting, after.open), (0, 0));
    ledger.close().await;
    let segments = disk.contents().into_keys().filter(|name| name.ends_with(".segment"));
    assert!(segments.count() > 10);
}
