//! Keycloak: what a client that we did not write sends is read as what the client calls it.
//!
//! Leaves out a server.

use ordain_action::Plane;

use crate::planes::sweeps;

#[test]
fn the_sweep_of_python_keycloak() {
    sweeps::named(Plane::Keycloak, 225);
}
