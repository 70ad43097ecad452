//! GitHub: what its own client sends is read as what the client calls it.
//!
//! Leaves out a server: nobody runs GitHub in a test, and a stand-in for tokens alone.

mod tokens;

use ordain_action::Plane;

use crate::planes::sweeps;

#[test]
fn the_sweep_of_octokit() {
    sweeps::named(Plane::GitHub, 2_000);
}
