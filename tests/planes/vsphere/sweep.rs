//! Every method of vim25 and every operation of the Automation API, as their own clients write them, must be read as what
//! those call them.
//!
//! The requests are made by `sweep.py`. Leaves out parameters, which the room's own cases show.

use ordain_action::Plane;
use serde::Deserialize;

use crate::planes::sweeps::{self, Decoded, Reader, ensure};

/// What `sweep.py` says of a request.
#[derive(Deserialize)]
struct Expected {
    expect_operation: String,
    /// `read` or `change`, where the client's name for it says so.
    expect_hint: String,
    /// The ids of the objects that it is called on, and with.
    expect_objects: Vec<String>,
    /// Why it must be refused.
    expect_refused: String,
}

fn check(expected: &Expected, decoded: &Decoded) -> Result<(), String> {
    if !expected.expect_refused.is_empty() && decoded.is_refused(&expected.expect_refused) {
        return Ok(());
    }
    let first = decoded.first()?;
    ensure(expected.expect_refused.is_empty(), || "it is read, and has to be refused".to_owned())?;
    ensure(first.operation == expected.expect_operation, || format!("read as {}", first.operation))?;
    let shows = decoded.accesses().iter().all(|access| matches!(*access, "read" | "secret_read"));
    match expected.expect_hint.as_str() {
        "change" => decoded.fits("change")?,
        "read" => ensure(shows, || format!("a read is read as {}", first.access))?,
        _ => {}
    }
    let named: Vec<&str> = first.resources.iter().map(|resource| resource.name.as_str()).collect();
    // What things are only reached by has no name of its own.
    let is_thing = |id: &&String| {
        let beginning = id.split('-').next().unwrap_or_default();
        [
            "vm",
            "host",
            "domain",
            "datastore",
            "datacenter",
            "group",
            "resgroup",
            "network",
            "dvportgroup",
            "dvs",
        ]
        .contains(&beginning)
            && !id.ends_with("-7")
    };
    let mut missing = expected.expect_objects.iter().filter(is_thing);
    let missing = missing.find(|id| !named.iter().any(|name| name.ends_with(&format!("/{id}"))));
    missing.map_or(Ok(()), |id| Err(format!("`{id}` is not among {}", named.join(", "))))
}

#[test]
fn the_sweep_of_pyvmomi_and_of_the_automation_api() {
    let mut changes = 0;
    let reader = Reader::new(Plane::Vsphere, "vc");
    let swept = reader.sweep(sweeps::requests(Plane::Vsphere), |expected: &Expected, decoded| {
        changes += usize::from(expected.expect_hint == "change");
        check(expected, decoded)
    });
    sweeps::at_least(1_000, changes, "changes");
    swept.holds(3_500);
}
