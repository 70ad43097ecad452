//! What a record was made from reads back, so that the same judge says the same of it again.
//!
//! Leaves out judging whole ledgers again (`ordain replay`).

use std::sync::Arc;

use ordain_action::{
    Access, Action, Created, Level, NameBasis, Outcome, Plane, Reading, Resource, Role, Scalar,
};
use ordain_evidence::{Decision, Ledger, Reader, Recalled, Reserved, Terms, says};
use ordain_proof::record::{self, Record};
use ordain_rules::{Counted, CounterKey, Mode};

use crate::disk::Disk;
use crate::support::{
    Numbered, action, decision, id, judged, open, own_host, record, sendable, snapshot, strange,
};

/// What a record of this number is read back as, and whether it says what is said of that now.
fn recalled(disk: &Disk, number: u64) -> (Recalled, bool) {
    let found = Reader::new(disk.storage()).get(id(number)).unwrap().unwrap();
    let Record::Decision(kept) = record::read(&found.decision.statement).unwrap() else {
        panic!("a decision")
    };
    let read = |detail: &record::DetailRecord<'_>| {
        let recalled = Recalled::of(&kept, detail).unwrap();
        let mode = recalled.terms.map_or(Mode::Enforce, |terms| terms.mode);
        let again = judged(snapshot(mode), &recalled.action, number).verdict;
        let same = says(&kept, detail, &again);
        (recalled, same)
    };
    kept.with_detail(found.decision.blob.as_deref(), read).unwrap()
}

async fn kept(ledger: &Ledger, action: &Action, number: u64, change: impl FnOnce(&mut Decision)) {
    let mut decision = decision(action, number);
    change(&mut decision);
    let reserved = Reserved::new(judged(snapshot(decision.terms.mode), action, number), None);
    drop(ledger.record(reserved, decision, Numbered(number)).await.unwrap());
}

#[tokio::test]
async fn all_that_a_verdict_was_reached_on_reads_back() {
    let disk = Disk::new();
    let ledger = open(disk.storage());
    let terms = Terms { mode: Mode::Shadow, control_only: true, nobody: true };
    let key = CounterKey { source: Arc::from("budget:deletes"), subject: Arc::from("alice") };
    kept(&ledger, &strange(), 1, |decision| {
        decision.terms = terms;
        let counted = Counted { value: 7, until: Some("2026-11-24T11:00:00Z".parse().unwrap()) };
        decision.counters.set(key.clone(), counted);
        decision.live = 12;
        decision.now = "2026-11-24T10:00:00.123456789Z".parse().unwrap();
    })
    .await;
    let (recalled, same) = recalled(&disk, 1);
    let expected = decision(&strange(), 1);
    assert!(same);
    assert_eq!((recalled.terms, recalled.live, recalled.request), (Some(terms), 12, expected.request));
    let counted = Counted { value: 7, until: Some("2026-11-24T11:00:00Z".parse().unwrap()) };
    assert_eq!(recalled.counters.get(&key), Some(counted));
    assert_eq!(recalled.now.to_string(), "2026-11-24T10:00:00.123456789Z");
    assert_eq!(recalled.action, *expected.action);
}

#[tokio::test]
async fn another_verdict_is_not_what_was_said() {
    let disk = Disk::new();
    let ledger = open(disk.storage());
    kept(&ledger, &own_host(), 1, |_| {}).await;
    assert!(recalled(&disk, 1).1);
    let found = Reader::new(disk.storage()).get(id(1)).unwrap().unwrap();
    let Record::Decision(kept) = record::read(&found.decision.statement).unwrap() else {
        panic!("a decision")
    };
    let verdict = judged(snapshot(Mode::Enforce), &own_host(), 1).verdict;
    let is_said = |verdict: &_| kept.with_detail(None, |detail| says(&kept, detail, verdict)).unwrap();
    assert!(is_said(&verdict));
    let mut others = vec![verdict.clone(); 6];
    others[0].ruling = ordain_rules::Ruling::Deny;
    others[1].mode = Mode::Warn;
    others[2].reasons[0].text.push('!');
    others[3].reasons.clear();
    others[4].owners.push(Arc::from("payments"));
    others[5].reach.dependants = None;
    for (number, other) in others.iter().enumerate() {
        assert!(!is_said(other), "{number}");
    }
}

/// Data that nobody judges by its parameters is kept without them; what hands over authority is not.
#[tokio::test]
async fn parameters_that_are_judged_are_kept_at_whatever_level() {
    let disk = Disk::new();
    let ledger = open(disk.storage());
    let of_data = |access| {
        let mut action = action("alice", "ec2:ModifyThing", access, "i-0web");
        let Reading::Call(call) = &mut action.reading else { panic!("a call") };
        call.effects[0].level = Level::Data;
        call.effects[0].parameters.push("CidrIp", Scalar::Text("0.0.0.0/0")).unwrap();
        action
    };
    let accesses = [Access::Grant, Access::Expose, Access::Execute, Access::SecretRead, Access::Update];
    for (access, number) in accesses.into_iter().zip(1..) {
        kept(&ledger, &of_data(access), number, |_| {}).await;
        let (recalled, same) = recalled(&disk, number);
        assert!(same, "{access:?}");
        assert_eq!(recalled.action == of_data(access), access != Access::Update, "{access:?}");
    }
}

#[test]
fn a_record_of_before_reads_without_terms() {
    let old = r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"01935d00-0000-7000-8000-000000000007","digest":{"sha256":"a3eb8db89fc5123ccfd49585059f292bc40a1c0d550b860f24f84efb4760fbf2"}}],"predicateType":"urn:ordain:evidence:decision:v1","predicate":{"id":"01935d00-0000-7000-8000-000000000007","request":"a3eb8db89fc5123ccfd49585059f292bc40a1c0d550b860f24f84efb4760fbf2","time":"2026-11-24T10:00:00Z","actor":{"party":{"name":"alice","kind":"person"},"credential":"AKORTEST","proven":true,"on_behalf_of":[],"session":null,"upstream":{"name":"default","plane":"aws","account":"111122223333","partition":"aws"}},"head":{"method":"POST","host":"ec2.eu-west-1.amazonaws.com","path":"/"},"mode":"enforce","ruling":"admit","effect":"admitted","no_model":false,"live":0,"digests":{"model":"9372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4","rules":"6c621d1a05138a7888d37d9269a9da8e2e11e4aced2f6cfd24b05ab1b9e61bb0","schema":"df0ad6e43880f09c90ebf95f19110178aba6890df0010ebda7485029e2b543b4","catalogue":"d2504e52b8b07484a2b690e7ffaedeabe91320c09012844d0f7c81c2ec72e882","program":"1310ca2c8932dbd118668bd97442558a3e1f546b5e15c69699dfbd6024f548d8"},"counters":[],"content":{"whole":{"reading":{"undecodable":{"plane":"aws","reason_code":"duplicate","text":"given twice"}},"reasons":[],"owners":[],"reach":{"direct":1,"dependants":0,"owners_crossed":[],"tier":null,"path":[]}}}}}"#;
    let Record::Decision(kept) = record::read(old.as_bytes()).unwrap() else { panic!("a decision") };
    let recalled = kept.with_detail(None, |detail| Recalled::of(&kept, detail)).unwrap().unwrap();
    assert_eq!(recalled.terms, None);
    let again = Record::Decision(kept).to_bytes().unwrap();
    assert_eq!(String::from_utf8(again).unwrap(), old);
}

/// A gate that starts knows of what was made before, of whatever class it was: a role binding is a grant.
#[tokio::test]
async fn what_a_grant_or_an_update_makes_in_a_cluster_is_told_of_at_the_next_start() {
    let disk = Disk::new();
    let ledger = open(disk.storage());
    let created = Created {
        kind: Arc::from("rbac.authorization.k8s.io:rolebindings"),
        member: Arc::from("name"),
        identifier: "b".to_owned(),
    };
    let answered = Outcome::Answered {
        status: 201,
        request_id: String::new(),
        error_code: None,
        created: vec![created],
    };
    let mut made = Vec::new();
    for (verb, number) in ["create", "update", "patch", "apply"].into_iter().zip(1..) {
        let mut action = action("alice", "ec2:Thing", Access::Grant, "b");
        let Reading::Call(call) = &mut action.reading else { panic!("a call") };
        call.plane = Plane::Kubernetes;
        call.effects[0].service = Arc::from("rbac.authorization.k8s.io");
        call.effects[0].operation = Arc::from(format!("{verb}/rolebindings"));
        call.effects[0].resources = vec![Resource {
            role: Role::Target,
            kind: Arc::from("rbac.authorization.k8s.io:rolebindings"),
            name: "k8s://live/rbac.authorization.k8s.io/namespaces/shop/rolebindings/b".to_owned(),
            basis: NameBasis::Carried,
            pattern: false,
            identifiers: Vec::new(),
        }];
        assert!(!ordain_rules::created_by(&action, &answered).is_empty(), "{verb} makes one");
        let recorded = sendable(record(&ledger, Mode::Shadow, &action, number).await.unwrap());
        let (_, closing) = recorded.release().unwrap();
        closing.close(&answered, drop).await.unwrap();
        made.push(verb);
    }
    ledger.close().await;
    let mut folded = Vec::new();
    Reader::new(disk.storage())
        .creations(|action, _, _, _| {
            let Reading::Call(call) = &action.reading else { panic!("a call") };
            folded.push(call.effects[0].operation.split('/').next().unwrap().to_owned());
        })
        .unwrap();
    assert_eq!(folded, made);
}
