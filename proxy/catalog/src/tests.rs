//! The data itself: every file is read, and what must never be is looked for.

use std::collections::BTreeSet;

use ordain_action::{Access, Minted, Role};

use crate::{Catalog, Hosts, Variant};

#[test]
fn every_file_reads() {
    let catalog = Catalog::new();
    let mut operations = 0;
    for head in catalog.heads() {
        let text = crate::catalog::block(&head.name).unwrap();
        let service =
            crate::text::service(1, &text, None).unwrap_or_else(|error| panic!("{}: {error}", head.name));
        assert_eq!(service.head(), head);
        assert!(!service.operations().is_empty(), "{}", head.name);
        operations += service.operations().len();
    }
    assert_eq!((catalog.heads().len(), operations), (439, 19_796));
}

#[test]
fn the_digest_is_of_this_data() {
    let catalog = Catalog::new();
    assert_eq!(catalog.digest().len(), 64);
    let more = Catalog::with_overlay("service ec2\nop NewThing create control ec2:NewThing\n").unwrap();
    assert_ne!(catalog.digest(), more.digest());
}
