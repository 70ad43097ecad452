//! Every method of the official Python client, as that client itself sends it, must be read as what its name says.
//!
//! The requests are made by `sweep.py`. Leaves out resources and parameters, which the room's own cases show.

use std::collections::BTreeSet;

use ordain_action::Plane;
use ordain_decode::line::NO_ACCOUNT;
use serde::Deserialize;

use crate::planes::sweeps::{self, Decoded, Reader, ensure};

/// What `sweep.py` says of a request.
#[derive(Deserialize)]
struct Expected {
    expect_service: String,
    expect_operation: String,
    expect_hint: String,
}

fn check(expected: &Expected, decoded: &Decoded) -> Result<(), String> {
    let first = decoded.first()?;
    let called = (&first.service, &first.operation) == (&expected.expect_service, &expected.expect_operation);
    ensure(called, || format!("read as {} {}", first.service, first.operation))?;
    // A trial changes nothing, and may be read as what it tries.
    if expected.expect_hint == "any" { Ok(()) } else { decoded.fits(&expected.expect_hint) }
}

#[test]
fn the_sweep_of_the_python_client() {
    let reader = Reader { served: false, ..Reader::new(Plane::Kubernetes, NO_ACCOUNT) };
    let mut methods = BTreeSet::new();
    let swept = reader.sweep(sweeps::requests(Plane::Kubernetes), |expected, decoded| {
        methods.insert(decoded.id.split('/').next().map(str::to_owned));
        check(expected, decoded)
    });
    sweeps::at_least(930, methods.len(), "methods");
    swept.holds(2_900);
}
