//! Overlays: what they may add, and how their faults are told.

use expect_test::{Expect, expect};
use ordain_action::Access;

use crate::{Catalog, Variant};

fn check(overlay: &str, expected: Expect) {
    let said = match Catalog::with_overlay(overlay) {
        Ok(catalog) => format!("{} services", catalog.heads().len()),
        Err(error) => error.to_string(),
    };
    expected.assert_eq(&said);
}

#[test]
fn an_operation_is_added_to_a_service_that_is_built_in() {
    let overlay = "service ec2\nop NewThing create control ec2:NewThing\nin Name!:s\n";
    let catalog = Catalog::with_overlay(overlay).unwrap();
    let service = catalog.service("ec2").unwrap();
    assert_eq!(service.operation("NewThing").unwrap().access, Access::Create);
    assert!(service.operation("TerminateInstances").is_some());
    assert_ne!(catalog.digest(), Catalog::new().digest());
}

#[test]
fn a_service_is_added_with_its_hosts() {
    let overlay = "service moon\nid Moon\nsigning moon\nendpoint moon\nversion 2027-01-01\niam moon\n\
                   protocols rest-json\n\nop Land create control moon:Land\nhttp PUT /land/{Place}\nin Place!@uri:s\n\n\
                   host moon plain moon.{region}.{suffix} - aws\n";
    let catalog = Catalog::with_overlay(overlay).unwrap();
    assert_eq!(catalog.by_signing_name("moon").count(), 1);
    let to = catalog.hosts().upstream("moon", "us-east-1", Variant::Plain).unwrap();
    assert_eq!(to.host, "moon.us-east-1.amazonaws.com");
}

#[test]
fn a_change_cannot_become_a_read() {
    check(
        "service ec2\nop TerminateInstances read control ec2:TerminateInstances\n",
        expect![
            "line 1 of the overlay: `TerminateInstances` is built in as a change and cannot become a read; give it the access it has"
        ],
    );
}

#[test]
fn faults_name_their_line_and_what_to_write() {
    check(
        "service ec2\n\nop NewThing make control ec2:NewThing\n",
        expect![
            "line 3 of the overlay: `make` is not an access; write `read`, `create`, `update`, `delete`, `grant`, …"
        ],
    );
    check(
        "op NewThing create control ec2:NewThing\n",
        expect![
            "line 1 of the overlay: `op` stands outside a service; write a line `service NAME` before it"
        ],
    );
    check(
        "service moon\nop Land create control moon:Land\n",
        expect![
            "line 1 of the overlay: `moon` is not built in and says too little; add `signing` and `protocols`"
        ],
    );
    check(
        "service ec2\n\nhost ec2 plain ec2.{region}.{suffix} - mars\n",
        expect!["line 3 of the overlay: `mars` is not a partition; write a `partition` line before it"],
    );
}
