//! Hands the fuzzer's bytes to `ordain_fuzz::model::import`, which says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ordain_fuzz::model::import(data));
