//! A Kubernetes cluster before the judge: whose what is, how far a change reaches, what gates read.

mod gates;
mod live;
mod ownership;
mod reach;
mod reads;

use expect_test::Expect;
use ordain_rules::Snapshot;

use crate::support::{NOW, action, judged, model, told};

/// Three teams in one cluster.
const CLUSTER: &str = include_str!("../cluster.yaml");

/// The cluster's model.
pub(super) fn cluster() -> Snapshot {
    model(CLUSTER)
}

/// What the judge says of an action in the cluster.
#[track_caller]
pub(super) fn check(action_text: &str, expected: Expect) {
    expected.assert_eq(&told(&judged(&cluster(), NOW, &action(action_text))));
}

/// The first line of what the judge says, and the codes of all refusals.
#[track_caller]
pub(super) fn ruling(action_text: &str) -> String {
    ruling_on(&cluster(), action_text)
}

/// The same on another model.
#[track_caller]
pub(super) fn ruling_on(snapshot: &Snapshot, action_text: &str) -> String {
    let ruling = judged(snapshot, NOW, &action(action_text)).verdict.ruling;
    let codes = crate::support::codes_on(snapshot, action_text);
    [ruling.as_str(), &codes].join(" ").trim_end().to_owned()
}
