//! Okta: what its SDK for Node.js sends is read as what the SDK calls it.
//!
//! Leaves out a server: nobody runs Okta in a test.

use ordain_action::Plane;

use crate::planes::sweeps;

#[test]
fn the_sweep_of_the_sdk_for_node() {
    sweeps::named(Plane::Okta, 800);
}
