//! The vendor's packages: found by `SOURCE.toml`, verified by hash, read where they lie.
//!
//! Leaves out the network: `run` fetches what is missing.

use std::fs::File;
use std::io::{Cursor, Read as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use zip::ZipArchive;

#[derive(Debug, Deserialize)]
struct Source {
    package: Vec<Pinned>,
}

#[derive(Debug, Deserialize)]
struct Pinned {
    name: String,
    file: String,
    sha256: String,
}

/// A package whose hash is the pinned one.
#[derive(Debug)]
pub(crate) struct Package {
    archive: ZipArchive<Cursor<Vec<u8>>>,
    names: Vec<String>,
}

/// Opens a package by its name in `SOURCE.toml`.
pub(crate) fn open(source: &Path, folder: &Path, name: &str) -> Result<Package> {
    let text = std::fs::read_to_string(source).with_context(|| source.display().to_string())?;
    let source: Source = toml::from_str(&text)?;
    let pinned = source
        .package
        .iter()
        .find(|package| package.name == name)
        .with_context(|| format!("`{name}` is not pinned; add it to SOURCE.toml"))?;
    let path = folder.join(&pinned.file);
    let mut bytes = Vec::new();
    File::open(&path).with_context(|| path.display().to_string())?.read_to_end(&mut bytes)?;
    let found = hex::encode(Sha256::digest(&bytes));
    if found != pinned.sha256 {
        bail!("`{}` has the hash {found}, not the pinned {}; fetch it again", pinned.file, pinned.sha256);
    }
    let archive = ZipArchive::new(Cursor::new(bytes))?;
    let mut names: Vec<String> =
        archive.file_names().map(|name| name.map(|name| name.into_owned())).collect::<Result<_, _>>()?;
    names.sort();
    Ok(Package { archive, names })
}

impl Package {
    /// All file names, sorted.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// A file of the package, unpacked when it is gzip.
    pub(crate) fn read(&mut self, name: &str) -> Result<Vec<u8>> {
        let mut packed = Vec::new();
        self.archive.by_name(name).with_context(|| name.to_owned())?.read_to_end(&mut packed)?;
        if !name.to_lowercase().ends_with(".gz") {
            return Ok(packed);
        }
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// The newest version of every service: its name and the folder of its files.
    pub(crate) fn services(&self) -> Vec<(String, String)> {
        let mut services: Vec<(String, String)> = Vec::new();
        for name in &self.names {
            let Some(folder) = name.strip_suffix("/service-2.json.gz") else { continue };
            let Some((service, _)) =
                folder.strip_prefix("botocore/data/").and_then(|rest| rest.split_once('/'))
            else {
                continue;
            };
            match services.last_mut() {
                // Names are sorted, and versions are dates: the last is the newest.
                Some(last) if last.0 == service => folder.clone_into(&mut last.1),
                _ => services.push((service.to_owned(), folder.to_owned())),
            }
        }
        services
    }
}
