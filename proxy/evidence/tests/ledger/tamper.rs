//! Whatever is done to a closed ledger's bytes is found.

use std::collections::BTreeMap;

use ordain_evidence::{Ledger, Reader};
use ordain_proof::note::Verifier;
use ordain_proof::verify::{Demand, segments};
use ordain_rules::Mode;

use crate::disk::Disk;
use crate::support::{Chance, note, own_host, record, sendable, settings, strange};

/// A closed ledger of several segments, with blobs, refusals and outcomes.
async fn closed() -> (BTreeMap<String, Vec<u8>>, Verifier) {
    let disk = Disk::new();
    let mut settings = settings();
    settings.segment_bytes = 8 * 1024;
    let ledger = Ledger::open(settings, disk.storage()).unwrap();
    let verifier = Verifier::parse(&ledger.verifier()).unwrap();
    let mut long = own_host();
    let ordain_action::Reading::Call(call) = &mut long.reading else { panic!("a call") };
    let one = call.effects[0].clone();
    call.effects = (0..300).map(|_| one.clone()).collect();
    for number in 1..=12 {
        let action = match number % 6 {
            0 => long.clone(),
            1 => strange(),
            _ => own_host(),
        };
        let mode = if number % 6 == 1 { Mode::Enforce } else { Mode::Shadow };
        let recorded = record(&ledger, mode, &action, number).await.unwrap();
        if mode == Mode::Shadow {
            drop(sendable(recorded));
        }
        if number == 7 {
            note(&ledger, "another model").await.unwrap();
        }
    }
    ledger.close().await;
    (disk.contents(), verifier)
}

fn verifies(files: &BTreeMap<String, Vec<u8>>, verifier: &Verifier) -> bool {
    let mut firsts: Vec<u64> =
        files.keys().filter_map(|name| name.strip_suffix(".segment")?.parse().ok()).collect();
    firsts.sort_unstable();
    let read = |first: u64| Ok(files[&format!("{first:020}.segment")].clone());
    let note = std::str::from_utf8(&files["checkpoint"]);
    let demand = Demand { earlier: Vec::new(), closed: true };
    note.is_ok_and(|note| segments(&firsts, read, note, verifier, &demand).is_ok())
}

/// One thing done to the ledger; `false` when it happened to change nothing.
fn tamper(files: &mut BTreeMap<String, Vec<u8>>, chance: &Chance) -> bool {
    let names: Vec<String> =
        files.keys().filter(|name| name.ends_with(".segment") || *name == "checkpoint").cloned().collect();
    let pick = |bound: usize| usize::try_from(chance.below(bound as u64)).unwrap();
    let name = names[pick(names.len())].clone();
    let original = files.clone();
    let bytes = files.get_mut(&name).unwrap();
    let at = pick(bytes.len());
    let length = 1 + pick((bytes.len() - at).min(600));
    match chance.below(9) {
        0 => bytes[at] ^= 1 << chance.below(8),
        1 => bytes[at..at + length]
            .iter_mut()
            .for_each(|byte| *byte = u8::try_from(chance.below(256)).unwrap()),
        2 => bytes.truncate(at),
        3 => drop(bytes.drain(at..at + length)),
        4 => {
            let copy = bytes[at..at + length].to_vec();
            let into = pick(bytes.len());
            bytes.splice(into..into, copy);
        }
        5 => {
            let other = pick(bytes.len());
            bytes.swap(at, other);
        }
        6 => swap_frames(bytes, chance),
        7 => {
            let other = names[pick(names.len())].clone();
            let (one, two) = (files[&name].clone(), files[&other].clone());
            files.insert(name, two);
            files.insert(other, one);
        }
        _ => {
            bytes[at..at + length].fill(0);
        }
    }
    *files != original
}

/// Swaps, drops or doubles whole frames, which are each as they were written.
fn swap_frames(bytes: &mut Vec<u8>, chance: &Chance) {
    let scan = ordain_proof::frame::scan(bytes, 0);
    let frames: Vec<Vec<u8>> =
        scan.frames.iter().map(|frame| bytes[frame.start..frame.bytes.end].to_vec()).collect();
    if frames.len() < 2 {
        bytes[0] ^= 1;
        return;
    }
    let mut frames = frames;
    let pick = |bound: usize| usize::try_from(chance.below(bound as u64)).unwrap();
    let (one, two) = (pick(frames.len()), pick(frames.len()));
    match chance.below(3) {
        0 => frames.swap(one, two),
        1 => drop(frames.remove(one)),
        _ => frames.insert(two, frames[one].clone()),
    }
    *bytes = frames.concat();
}

#[tokio::test]
async fn ten_thousand_edits_cuts_and_swaps_are_all_found() {
    let (whole, verifier) = closed().await;
    assert!(verifies(&whole, &verifier), "the ledger as it was written");
    assert!(whole.keys().filter(|name| name.ends_with(".segment")).count() > 2);
    let chance = Chance::new(3);
    let mut done = 0;
    while done < 10_000 {
        let mut files = whole.clone();
        if tamper(&mut files, &chance) {
            done += 1;
            assert!(!verifies(&files, &verifier), "edit {done} was not found");
        }
    }
}

/// An attacker who can hash but not sign: every frame after the edit is made right again.
#[tokio::test]
async fn a_ledger_rewritten_whole_is_found_by_its_checkpoint() {
    let (whole, verifier) = closed().await;
    let mut forged = whole.clone();
    let mut firsts: Vec<String> = whole.keys().filter(|name| name.ends_with(".segment")).cloned().collect();
    firsts.sort();
    let mut before = 0;
    for (index, name) in firsts.iter().enumerate() {
        let bytes = &whole[name];
        let scan = ordain_proof::frame::scan(bytes, before);
        let mut rewritten = Vec::new();
        for frame in &scan.frames {
            let mut content = bytes[frame.bytes.clone()].to_vec();
            if index == 0 && frame.start == 0 {
                let text = String::from_utf8(content).unwrap();
                assert!(text.contains("ordain 0.1.0"));
                content = text.replace("ordain 0.1.0", "ordain 0.1.1").into_bytes();
            }
            let mut one = Vec::new();
            ordain_proof::frame::push(&mut one, frame.kind, &content).unwrap();
            ordain_proof::frame::seal(&mut one, frame.batch);
            rewritten.extend(one);
            before = frame.batch;
        }
        forged.insert(name.clone(), rewritten);
    }
    assert!(!verifies(&forged, &verifier));
    // The bytes alone are consistent: only what is signed tells them from what was written.
    let reader = Reader::new(Disk::of(forged).storage());
    assert!(reader.entries(|_| std::ops::ControlFlow::Continue(())).is_ok());
}
