//! Frames: what was written is read, nothing makes the reader panic, and a torn batch is told from damage.

#[cfg(test)]
mod frames {
    use ordain_proof::frame::{ENTRY_MAX, Kind, Scan, Tail, push, scan, seal};
    use proptest::prelude::*;

    /// Batches one after another, then zeros.
    fn segment(batches: &[Vec<Vec<u8>>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (number, batch) in (1..).zip(batches) {
            let mut frames = Vec::new();
            for content in batch {
                push(&mut frames, Kind::Entry, content).unwrap();
            }
            seal(&mut frames, number);
            bytes.extend(frames);
        }
        bytes.resize(bytes.len() + 4096, 0);
        bytes
    }

    fn contents(segment: &[u8], scan: &Scan) -> Vec<Vec<u8>> {
        scan.frames.iter().map(|frame| segment[frame.bytes.clone()].to_vec()).collect()
    }

    fn batches() -> impl Strategy<Value = Vec<Vec<Vec<u8>>>> {
        let content = prop::collection::vec(any::<u8>(), 1..300);
        prop::collection::vec(prop::collection::vec(content, 1..5), 1..6)
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(batches in batches()) {
            let segment = segment(&batches);
            let scan = scan(&segment, 0);
            prop_assert_eq!(contents(&segment, &scan), batches.concat());
            prop_assert_eq!(scan.tail, Tail::Clean);
        }

        #[test]
        fn nothing_makes_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000), before in any::<u64>()) {
            let read = scan(&bytes, before);
            prop_assert!(read.end <= bytes.len());
        }

        #[test]
        fn an_edit_is_never_read_as_something_else(batches in batches(), at in any::<prop::sample::Index>(), bit in 0..8_u32) {
            let whole = segment(&batches);
            let mut bent = whole.clone();
            let at = at.index(bent.len());
            bent[at] ^= 1_u8 << bit;
            let read = scan(&bent, 0);
            let (kept, all) = (contents(&bent, &read), batches.concat());
            prop_assert!(all.starts_with(&kept), "something that was not written was read");
            prop_assert!(kept.len() < all.len() || read.tail != Tail::Clean);
        }

        /// Only the last batch may be torn: an edit before it is damage, for it was synced.
        #[test]
        fn an_edit_before_the_last_but_one_batch_is_damage(batches in batches(), at in any::<prop::sample::Index>(), bit in 0..8_u32) {
            prop_assume!(batches.len() > 2);
            let durable = segment(&batches[..batches.len() - 2]).len() - 4096;
            let mut bent = segment(&batches);
            bent[at.index(durable)] ^= 1_u8 << bit;
            prop_assert_eq!(scan(&bent, 0).tail, Tail::Damaged);
        }

        #[test]
        fn a_batch_cut_short_is_torn(batches in batches(), at in any::<prop::sample::Index>()) {
            let whole = segment(&batches);
            let written = whole.len() - 4096;
            let before = segment(&batches[..batches.len() - 1]).len() - 4096;
            let cut = before + at.index(written - before);
            let mut torn = whole;
            torn[cut..].fill(0);
            let read = scan(&torn, 0);
            let kept = contents(&torn, &read);
            prop_assert!(batches.concat().starts_with(&kept));
            prop_assert!(kept.len() >= batches[..batches.len() - 1].concat().len());
            prop_assert_ne!(read.tail, Tail::Damaged);
        }
    }

    #[test]
    fn what_no_entry_may_be_is_not_written() {
        let mut frames = Vec::new();
        assert!(push(&mut frames, Kind::Entry, &vec![1; ENTRY_MAX + 1]).is_none());
        assert!(push(&mut frames, Kind::Entry, &[]).is_none());
        assert!(frames.is_empty());
    }
}
