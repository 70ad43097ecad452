//! Every method of sushy's classes, as sushy itself sends it, must be read as what its name says.
//!
//! The requests are made by `sweep.py`. Leaves out parameters, which the room's own cases show.

use ordain_action::Plane;
use serde::Deserialize;

use crate::planes::sweeps::{self, Decoded, Reader, Resource, ensure};

/// What `sweep.py` says of a request.
#[derive(Deserialize)]
struct Expected {
    url: String,
    expect_operation: String,
    expect_access: String,
}

fn check(expected: &Expected, decoded: &Decoded) -> Result<(), String> {
    let first = decoded.first()?;
    let (operation, access) = (&expected.expect_operation, &expected.expect_access);
    // A path that no document has says no type.
    let called = operation.is_empty() || first.operation == *operation;
    ensure(called, || format!("read as {}, not {operation}", first.operation))?;
    ensure(decoded.accesses().contains(&access.as_str()), || {
        format!("read as {}, not {access}", first.access)
    })?;
    // What an effect is on lies in the path, but for the actions of services that name others.
    let path = expected.url.split('?').next().unwrap_or_default().trim_end_matches('/');
    let Some(path) = path.strip_prefix("https://bmc.example/redfish/v1") else {
        return Err(format!("`{path}` is no address of the sweep"));
    };
    let path = path.split("/Actions/").next().unwrap_or_default();
    let of_others = ["ReplaceCertificate", "SimpleUpdate"].iter().any(|name| first.operation.ends_with(name));
    let is_whole = |resource: &Resource| resource.name == "redfish://bmc";
    let on_it = |resource: &Resource| {
        let name = resource.name.strip_prefix("redfish://bmc").unwrap_or_default();
        ["target", "parent"].contains(&resource.role.as_str())
            && name.trim_end_matches("/*").eq_ignore_ascii_case(path)
    };
    // What is shown beside the resource may be anything.
    let of_others = of_others || expected.url.contains("$expand=.") && first.resources.iter().any(is_whole);
    ensure(of_others || first.resources.iter().any(on_it), || format!("nothing of it is `{path}`"))
}

#[test]
fn the_sweep_of_sushy() {
    let mut changes = 0;
    let reader = Reader::new(Plane::Redfish, "bmc");
    let swept = reader.sweep(sweeps::requests(Plane::Redfish), |expected: &Expected, decoded| {
        changes += usize::from(expected.expect_access != "read");
        check(expected, decoded)
    });
    sweeps::at_least(140, changes, "changes");
    swept.holds(430);
}
