//! Importers: what you have, as text, to documents that the model directory takes, as text.
//!
//! Leaves out reading and writing files. Every fact carries its source, the source's revision and the time
//! the import was told; nothing that the source marks as sensitive is kept.

mod asset_inventory;
mod aws;
mod aws_config;
mod azure;
mod backstage;
mod change;
mod cloudformation;
mod codeowners;
mod cyclonedx;
mod inventory;
mod kinds;
mod kubernetes;
mod mention;
mod resource_explorer;
mod resource_graph;
mod service_graph;
mod servicenow;
mod terraform;

use std::collections::BTreeSet;

use jiff::Timestamp;

pub use asset_inventory::{AssetInventory, asset_inventory};
pub use aws_config::{AwsConfig, aws_config};
pub use backstage::{Backstage, backstage};
pub use change::{
    ChangeKind, ChangeTold, ImportedChange, Recorded, change_set, recorded_request, terraform_plan,
};
pub use cloudformation::{CloudFormation, cloudformation};
pub use codeowners::codeowners;
pub use cyclonedx::{CycloneDx, cyclonedx};
pub use kubernetes::{Kubernetes, kubernetes};
pub use resource_explorer::{ResourceExplorer, resource_explorer};
pub use resource_graph::{ResourceGraph, resource_graph};
pub use service_graph::{ServiceGraph, service_graph};
pub use servicenow::{ServiceNow, servicenow};
pub use terraform::{Terraform, terraform};

/// A model document made from something else, and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The name that suits the document's file, without a folder, for example `terraform-network.yaml`.
    pub file: String,
    /// The document.
    pub text: String,
    /// What is in it.
    pub summary: ImportSummary,
}

/// What an import brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportSummary {
    /// Resources, or rules of a CODEOWNERS file.
    pub facts: usize,
    /// Relations among the resources.
    pub relations: usize,
    /// Resources that no tag and no folder says an owner of; a CODEOWNERS file or a scope may.
    pub unowned: usize,
    /// Owners that are named, to be declared as groups.
    pub owners: BTreeSet<String>,
    /// Accounts the resources are in, to be declared as accounts.
    pub accounts: BTreeSet<String>,
    /// What was left out, and why, a sentence each.
    pub left_out: Vec<String>,
}

/// Something that cannot be imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot import `{path}`: {text}")]
pub struct ImportError {
    /// The file.
    pub path: String,
    /// What is wrong and what to do.
    pub text: String,
}

/// When a fact was so, as the documents write it.
fn as_of_line(as_of: Option<Timestamp>) -> String {
    as_of.map(|time| format!("  asOf: {time}\n")).unwrap_or_default()
}

/// A scalar that YAML reads as exactly this text.
fn quoted(text: &str) -> String {
    flow(&serde_json::Value::from(text))
}

/// A value on one line that YAML reads as JSON does. What YAML takes for the end of a line, or not at all, JSON may have
/// as it stands: one such letter in one text would keep the whole model from loading.
fn flow(value: &serde_json::Value) -> String {
    let mut line = String::new();
    for letter in value.to_string().chars() {
        match letter {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                line.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            letter => line.push(letter),
        }
    }
    line
}

/// A name that an entity may have: letters, digits, `-`, `_` and `.`.
fn entity_name(text: &str) -> String {
    let fit =
        |letter: char| if letter.is_ascii_alphanumeric() || "-_.".contains(letter) { letter } else { '-' };
    let name: String = text.chars().map(fit).collect();
    name.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_quoted_text_is_read_as_it_was() {
        for text in [
            "",
            "a: {b} # c",
            "\u{7f}",
            "a\u{80}\u{85}b",
            "a\u{a0}b",
            "a \u{2028} \u{2029} b",
            "\u{feff}\u{fffe}\u{ffff}",
            "\u{1f600} \0\t\n\r \" \\ /",
            "\u{1fffe}\u{10ffff}\u{e000}",
        ] {
            let read: String = yaml_serde::from_str(&quoted(text)).unwrap();
            assert_eq!(read, text);
        }
    }
}
