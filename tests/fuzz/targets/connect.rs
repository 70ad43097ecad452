//! Hands the fuzzer's bytes to `ordain_fuzz::connect`, which says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ordain_fuzz::connect::check(data));
