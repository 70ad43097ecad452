//! Packs the catalogue's text: one zstd block a service of AWS and a host of Google, the heads of all, the hosts, the
//! types, the messages of the Kubernetes API, the paths of Microsoft Graph, and the methods and operations of vSphere.
//!
//! Leaves out reading it beyond its first lines: a fault in the text is found by the tests.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

/// How small blocks become, and how long that takes: a program that is only tried out need not be the smallest.
const LEVELS: [(&str, i32); 2] = [("release", 19), ("debug", 3)];

#[expect(clippy::disallowed_methods, reason = "cargo tells a build script its folder by the environment")]
fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=aws");
    println!("cargo::rerun-if-changed=gcp");
    println!("cargo::rerun-if-changed=graph");
    println!("cargo::rerun-if-changed=kubernetes");
    println!("cargo::rerun-if-changed=vsphere");
    let out = PathBuf::from(env::var("OUT_DIR").context("cargo sets OUT_DIR")?);
    let services = texts(Path::new("aws/services"))?;
    let hosts = fs::read_to_string("aws/hosts.txt").context("aws/hosts.txt")?;

    let mut digest = Sha256::new();
    let mut heads = String::new();
    let mut table = String::from("static BLOCKS: &[(&str, &[u8], usize)] = &[\n");
    for (name, text) in &services {
        digest.update(text);
        let head = text.split("\n\n").next().unwrap_or_default();
        writeln!(heads, "{head}\n")?;
        let file = pack(&out, name, text)?;
        writeln!(table, "    ({name:?}, include_bytes!({file:?}), {}),", text.len())?;
    }
    digest.update(&hosts);
    table.push_str("];\n");
    let file = pack(&out, "hosts", &hosts)?;
    writeln!(table, "static HOSTS: (&[u8], usize) = (include_bytes!({file:?}), {});", hosts.len())?;
    let types = fs::read_to_string("aws/types.txt").context("aws/types.txt")?;
    digest.update(&types);
    let file = pack(&out, "types", &types)?;
    writeln!(table, "static TYPES: (&[u8], usize) = (include_bytes!({file:?}), {});", types.len())?;
    let messages = fs::read_to_string("kubernetes/messages.txt").context("kubernetes/messages.txt")?;
    digest.update(&messages);
    let file = pack(&out, "messages", &messages)?;
    writeln!(table, "static MESSAGES: (&[u8], usize) = (include_bytes!({file:?}), {});", messages.len())?;
    let mut both = Sha256::new();
    for (name, constant) in [("vim", "VIM"), ("operations", "AUTOMATION")] {
        let from = format!("vsphere/{name}.txt");
        let text = fs::read_to_string(&from).context(from)?;
        both.update(&text);
        let file = pack(&out, &format!("vsphere-{name}"), &text)?;
        writeln!(table, "static {constant}: (&[u8], usize) = (include_bytes!({file:?}), {});", text.len())?;
    }
    writeln!(table, "static VSPHERE_DIGEST: &str = {:?};", hex::encode(both.finalize()))?;
    let file = out.join("heads.txt");
    fs::write(&file, heads)?;
    writeln!(table, "static HEADS: &str = include_str!({file:?});")?;
    writeln!(table, "static DIGEST: &str = {:?};", hex::encode(digest.finalize()))?;
    fs::write(out.join("blocks.rs"), table)?;
    graph(&out)?;
    google(&out)
}

fn graph(out: &Path) -> Result<()> {
    let shapes = fs::read_to_string("graph/shapes.txt").context("graph/shapes.txt")?;
    let file = pack(out, "shapes", &shapes)?;
    let mut table =
        format!("static SHAPES: (&[u8], usize) = (include_bytes!({file:?}), {});\n", shapes.len());
    writeln!(table, "static SHAPES_DIGEST: &str = {:?};", hex::encode(Sha256::digest(&shapes)))?;
    fs::write(out.join("shapes.rs"), table)?;
    Ok(())
}

fn google(out: &Path) -> Result<()> {
    let mut digest = Sha256::new();
    let mut table = String::from("static SITES: &[(&str, &[u8], usize)] = &[\n");
    let (mut apis, mut methods) = (0, 0);
    for (name, text) in &texts(Path::new("gcp/sites"))? {
        digest.update(text);
        let (head, rest) = text.split_once("\n\n").context("a host has a head and methods")?;
        let file = pack(out, &format!("gcp-{name}"), rest)?;
        writeln!(table, "    ({head:?}, include_bytes!({file:?}), {}),", rest.len())?;
        apis += rest.lines().filter(|line| line.starts_with("api ")).count();
        methods +=
            rest.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase())).count();
    }
    writeln!(table, "];\nstatic APIS: usize = {apis};\nstatic METHODS: usize = {methods};")?;
    table.push_str("static RPCS: &[(&str, &[u8], usize)] = &[\n");
    let mut calls = 0;
    for (name, text) in &texts(Path::new("gcp/grpc"))? {
        digest.update(text);
        let (head, rest) = text.split_once("\n\n").context("a host has a head and services")?;
        let host = head.strip_prefix("host ").context("a head names its host")?;
        let file = pack(out, &format!("gcp-grpc-{name}"), rest)?;
        writeln!(table, "    ({host:?}, include_bytes!({file:?}), {}),", rest.len())?;
        calls += rest.lines().filter(|line| line.starts_with("rpc ")).count();
    }
    writeln!(table, "];\nstatic CALLS: usize = {calls};")?;
    writeln!(table, "static DIGEST: &str = {:?};", hex::encode(digest.finalize()))?;
    fs::write(out.join("sites.rs"), table)?;
    Ok(())
}

fn texts(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut texts = BTreeMap::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if let Some(name) = path.file_stem().and_then(|name| name.to_str()) {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            texts.insert(name.to_owned(), text);
        }
    }
    Ok(texts)
}

#[expect(clippy::disallowed_methods, reason = "cargo tells a build script its profile by the environment")]
fn pack(out: &Path, name: &str, text: &str) -> Result<PathBuf> {
    let file = out.join(format!("{name}.zst"));
    let profile = env::var("PROFILE").context("cargo sets PROFILE")?;
    let level = LEVELS.iter().find(|(name, _)| *name == profile).map_or(3, |(_, level)| *level);
    fs::write(&file, zstd::bulk::compress(text.as_bytes(), level)?)?;
    Ok(file)
}
