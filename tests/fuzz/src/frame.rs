//! The ledger's frames: what is read of any bytes is what writing makes again, and of a segment that was changed only
//! frames that were written are read.

use ordain_proof::frame::{HEAD, Kind, Scan, Tail, push, scan, seal};

/// The first byte says whether the others are a segment, or what is written into one and changed.
pub fn check(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    if kind & 1 == 0 {
        consistent(rest, u64::from(kind >> 1));
    } else {
        written(rest);
    }
}

/// Frames follow one another without a gap, and each is as it would be written.
fn consistent(segment: &[u8], before: u64) {
    let scan = scan(segment, before);
    let mut at = 0;
    for frame in &scan.frames {
        assert_eq!((frame.start, frame.bytes.start), (at, at + HEAD));
        at = frame.bytes.end;
        let mut again = Vec::new();
        assert_eq!(push(&mut again, frame.kind, &segment[frame.bytes.clone()]), Some(frame.hash));
        seal(&mut again, frame.batch);
        assert!(again == segment[frame.start..frame.bytes.end], "a frame is read that nobody writes");
    }
    assert_eq!(at, scan.end);
    let zeros = segment[scan.end..].iter().all(|byte| *byte == 0);
    assert_eq!(scan.tail == Tail::Clean, zeros);
}

/// Eight bytes say what is changed; the others are cut into entries.
fn written(data: &[u8]) {
    let Some((change, rest)) = data.split_first_chunk::<8>() else { return };
    let mut segment = Vec::new();
    for (number, entry) in rest.chunks(usize::from(change[0]) + 1).enumerate() {
        let kind = if number % 5 == 4 { Kind::Blob } else { Kind::Entry };
        let mut one = Vec::new();
        push(&mut one, kind, entry).expect("a short entry is written");
        seal(&mut one, number as u64 / (u64::from(change[1]) % 4 + 1) + 1);
        segment.extend(one);
    }
    segment.extend([0; 100]);
    let whole = scan(&segment, 0);
    assert_eq!(whole.tail, Tail::Clean, "what was written is not read");
    let at = usize::from(u16::from_be_bytes([change[2], change[3]])) % segment.len();
    let mut other = segment.clone();
    match change[4] % 4 {
        0 => other[at] ^= change[5] | 1,
        1 => other.truncate(at),
        2 => drop(other.remove(at)),
        _ => other.insert(at, change[5]),
    }
    consistent(&other, 0);
    let read = scan(&other, 0);
    for (one, of_whole) in read.frames.iter().zip(&whole.frames) {
        if one.bytes.end <= at {
            assert_eq!(one, of_whole, "a frame before the change is read as another");
        }
    }
    // A zero taken out of the last entry's end is made up for by the zeros after it.
    if other.get(..whole.end) != segment.get(..whole.end) && !is_cut_between(&whole, at, change[4]) {
        let all = read.frames.len() >= whole.frames.len() && read.tail == Tail::Clean;
        assert!(!all, "a change within the frames is not seen");
    }
}

/// What is cut off between two frames leaves a shorter segment, which only the checkpoint tells from the whole one.
fn is_cut_between(whole: &Scan, at: usize, what: u8) -> bool {
    what % 4 == 1 && (at == 0 || whole.frames.iter().any(|one| one.bytes.end == at))
}
