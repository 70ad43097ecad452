//! What people and tools write: model documents, Terraform states, CODEOWNERS files. Nothing panics, the same text is
//! the same model, and what an import writes is a document that the model can read.

use ordain_rules::import::{Terraform, codeowners, terraform};
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
            let told = Terraform { name: Some("fuzz"), folder: "infra", modules: None, as_of: None };
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
