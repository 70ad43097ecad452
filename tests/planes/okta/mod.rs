//! Okta: what its SDKs for Node.js and Python send is read as what the SDK calls it.
//!
//! Leaves out a server: nobody runs Okta in a test.

use ordain_action::Plane;

use crate::planes::sweeps;

#[test]
fn the_sweep_of_both_sdks() {
    sweeps::named(Plane::Okta, 1_500);
}
