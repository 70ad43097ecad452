//! What people and tools write: model documents, and what is imported. Nothing panics, the same text is the same model, and
//! what an import writes is a document that the model can read.

use ordain_rules::import::{
    self, AssetInventory, AwsConfig, Backstage, CloudFormation, CycloneDx, ImportError, Imported, Kubernetes,
    ResourceExplorer, ResourceGraph, ServiceGraph, ServiceNow, Terraform, codeowners, terraform,
};
use ordain_rules::{Mode, Modes, Snapshot, Source};

/// The first byte says what the text is.
pub fn check(data: &[u8]) {
    let Some((kind, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let source = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
    match kind % 3 {
        0 => {
            drop(load(&[source("model.yaml", text)]));
        }
        1 => {
            let told = Terraform { name: Some("fuzz"), folder: "infra", modules: None, ..Terraform::default() };
            if let Ok(imported) = terraform(&source("terraform.tfstate", text), told) {
                readable(source(&imported.file, &imported.text));
            }
        }
        _ => {
            if let Ok(imported) = codeowners(&source("CODEOWNERS", text), None, None) {
                readable(source(&imported.file, &imported.text));
            }
        }
    }
}

/// How many importers [`import`] knows.
const IMPORTERS: u8 = 12;

/// The first byte says which importer reads the text. What it writes is YAML, as whoever else reads it has it, each line a
/// line of the model's; the model itself is asked in [`check`], which takes a thousand times as long.
pub fn import(data: &[u8]) {
    let Some((kind, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Ok(imported) = imported(kind % IMPORTERS, text) else { return };
    for document in imported.text.split("\n---\n") {
        let read: Result<yaml_serde::Value, _> = yaml_serde::from_str(document);
        let read = read.unwrap_or_else(|error| panic!("{error}: {}", imported.text));
        let said = |name: &str| read.get(name).and_then(yaml_serde::Value::as_str).map(str::to_owned);
        let kind = said("kind").unwrap_or_default();
        assert!(!kind.is_empty() && said("apiVersion").is_some(), "{}", imported.text);
        let lines = read.get("spec").and_then(|spec| spec.get("resources"));
        let lines = lines.and_then(yaml_serde::Value::as_sequence).map_or(0, Vec::len);
        assert!(kind != "Inventory" || lines <= imported.summary.facts, "{}", imported.text);
    }
    assert!(!imported.file.contains(['/', '\\', '\0']), "{}", imported.file);
}

fn imported(kind: u8, text: &str) -> Result<Imported, ImportError> {
    let one = Source { path: "export".to_owned(), text: text.to_owned() };
    let all = std::slice::from_ref(&one);
    let name = Some("fuzz");
    match kind {
        0 => terraform(&one, Terraform { name, cluster: Some("prod"), ..Terraform::default() }),
        1 => codeowners(&one, None, None),
        2 => import::kubernetes(all, Kubernetes { cluster: "prod", ..Kubernetes::default() }),
        3 => import::aws_config(all, AwsConfig { name, as_of: None }),
        4 => import::resource_explorer(all, ResourceExplorer { name, as_of: None }),
        5 => import::cloudformation(all, CloudFormation { name, as_of: None }),
        6 => import::resource_graph(all, ResourceGraph { name, owner_tags: &[], as_of: None }),
        7 => import::asset_inventory(all, AssetInventory { name, owner_tags: &[], as_of: None }),
        8 => import::backstage(all, Backstage { name, people: true }),
        9 => {
            let told = ServiceNow { name, columns: &[], plane: None, account: None, as_of: None };
            import::servicenow(all, told)
        }
        10 => import::cyclonedx(all, CycloneDx { name, as_of: None }),
        _ => import::service_graph(all, ServiceGraph { name, as_of: None, decays: Some("14d") }),
    }
}

fn load(sources: &[Source]) -> Result<Snapshot, Vec<ordain_rules::Problem>> {
    let one = Snapshot::load(sources, Modes::new(Mode::Enforce));
    let two = Snapshot::load(sources, Modes::new(Mode::Enforce));
    match (&one, &two) {
        (Ok(one), Ok(two)) => assert_eq!(one.digest(), two.digest(), "the same text is two models"),
        (Err(one), Err(two)) => {
            assert_eq!(format!("{one:?}"), format!("{two:?}"), "the same text has other problems")
        }
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => panic!("the same text is a model and is none"),
    }
    one
}

/// What an import wrote may name owners that nobody declared; it is never a document that cannot be read.
fn readable(written: Source) {
    if let Err(problems) = load(std::slice::from_ref(&written)) {
        for problem in problems {
            let text = problem.to_string();
            assert!(!text.contains("YAML") && !text.contains("unknown field"), "{text}\n{}", written.text);
        }
    }
}
