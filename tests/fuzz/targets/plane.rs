//! Hands the fuzzer's bytes to `ordain_fuzz::plane`, which says what must hold, for the plane that the run is for.
#![no_main]

use std::sync::LazyLock;

static PLANE: LazyLock<ordain_action::Plane> = LazyLock::new(ordain_fuzz::plane::asked);

libfuzzer_sys::fuzz_target!(|data: &[u8]| ordain_fuzz::plane::check(*PLANE, data));
