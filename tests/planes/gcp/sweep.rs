//! Every method of every discovery document, as Google's own Python client asks for it, must be read as what that client
//! calls it.
//!
//! The requests are made by `sweep.py`. Leaves out resources and parameters, which the room's own cases show.

use std::collections::BTreeSet;

use ordain_action::Plane;
use serde::Deserialize;

use crate::planes::sweeps::{self, Decoded, Reader, ensure};

/// What `sweep.py` says of a request: the ids of the methods, and what their descriptions say of them.
#[derive(Deserialize)]
struct Expected {
    expect: Vec<String>,
    hint: String,
}

fn check(expected: &Expected, decoded: &Decoded) -> Result<(), String> {
    decoded.first()?;
    let names = decoded.effects.iter().map(|effect| format!("{}.{}", effect.service, effect.operation));
    let mut found: Vec<String> = names.filter(|name| name != "iam.serviceAccounts.actAs").collect();
    found.dedup();
    let mut wanted = expected.expect.clone();
    wanted.dedup();
    ensure(found == wanted, || format!("read as {}", found.join(", ")))?;
    if expected.hint == "change" { decoded.fits("change") } else { Ok(()) }
}

#[test]
fn the_sweep_of_the_python_client() {
    let mut methods = BTreeSet::new();
    let reader = Reader::new(Plane::Gcp, "1");
    let swept = reader.sweep(sweeps::requests(Plane::Gcp), |expected: &Expected, decoded| {
        methods.extend(expected.expect.clone());
        check(expected, decoded).map_err(|wrong| format!("{}: {wrong}", expected.expect.join(", ")))
    });
    sweeps::at_least(16_900, methods.len(), "methods");
    swept.holds(45_000);
}
