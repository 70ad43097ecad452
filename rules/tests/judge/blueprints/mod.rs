//! Blueprints: what each constraint says of a request, whom they bind, and what lifts them.
//!
//! Leaves out the entries of the library, which are tested with requests as they are sent.

mod bound;
mod constraints;
mod oracle;
mod written;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Mutex;

use ordain_rules::{Ruling, Snapshot};

use crate::support::{NOW, SHOP, action, judged, models};

/// The shop with one blueprint, `golden`, of everything of EC2.
pub(crate) fn golden(spec: &str) -> Snapshot {
    blueprint(&format!(
        "kind: Blueprint\nmetadata: {{name: golden}}\nspec:\n  why: it has proved itself\n  operations: ['ec2:*']\n{spec}"
    ))
}

/// The shop with documents of `ordain/v1`.
pub(crate) fn blueprint(documents: &str) -> Snapshot {
    // To load a model takes far longer than to ask it.
    static LOADED: Mutex<Option<HashMap<String, Snapshot>>> = Mutex::new(None);

    let mut loaded = LOADED.lock().unwrap();
    let loaded = loaded.get_or_insert_default();
    if let Some(snapshot) = loaded.get(documents) {
        return snapshot.clone();
    }
    let parts: Vec<String> =
        documents.split("---\n").map(|one| format!("apiVersion: ordain/v1\n{one}")).collect();
    let snapshot = models(&[("shop.yaml", SHOP), ("blue.yaml", &parts.join("---\n"))]);
    loaded.entry(documents.to_owned()).or_insert(snapshot).clone()
}

/// What blueprints say of an action, a line each.
pub(crate) fn said_of(snapshot: &Snapshot, text: &str) -> String {
    let mut said = String::new();
    for reason in judged(snapshot, NOW, &action(text)).verdict.reasons {
        if reason.rules.iter().any(|rule| rule.starts_with("blueprint:")) {
            let ruling = if reason.ruling == Ruling::Deny { "" } else { "admit " };
            writeln!(said, "{ruling}{}: {}", reason.code.as_str(), reason.text).unwrap();
        }
    }
    said.trim_end().to_owned()
}

/// What `golden` says of the parameters of a create, without what every violation ends with.
pub(crate) fn said(spec: &str, parameters: &str) -> String {
    let text = said_of(&golden(spec), &format!("person alice\neffect ec2:RunInstances create\n{parameters}"));
    text.replace("blueprint_violated: ", "").replace(": it has proved itself", "")
}

/// The same of an update.
pub(crate) fn said_of_update(spec: &str, parameters: &str) -> String {
    let what = "person alice\neffect ec2:ModifyInstanceAttribute update\n\
                target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0web";
    let text = said_of(&golden(spec), &format!("{what}\n{parameters}"));
    text.replace("blueprint_violated: ", "").replace(": it has proved itself", "")
}
