//! What operators say of APIs that they describe, as files: the descriptors of one over gRPC or the `OpenAPI`
//! document of another, and what their methods do, in one form for both.
//!
//! Leaves out what is made of them (`ordain-decode`).

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use ordain_action::{Access, Level, Plane, Role};
use ordain_decode::{
    ApiEffect, ApiMethod, ApiResource, GrpcApi, McpServer, OpenApi, RoomsConfig, VaultMount,
};
use serde::Deserialize;

use crate::config::{Config, UpstreamKind};

/// A file of methods.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Methods {
    /// For OpenAPI the paths before those of the description, in place of what it says itself.
    bases: Option<Vec<String>>,
    /// For OpenAPI paths whose labels hold slashes, with `+` behind those labels.
    #[serde(default)]
    greedy: Vec<String>,
    /// For OpenAPI parameters of queries that the description does not have, and that change nothing of what a call
    /// does.
    #[serde(default)]
    query: Vec<String>,
    #[serde(default)]
    method: Vec<Method>,
}

/// What a method does.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Method {
    /// Over gRPC `package.Service/Method`, or `package.Service/*`; by OpenAPI the `operationId`, or `METHOD /path`.
    name: String,
    /// `read`, `create`, `update`, `delete`, `grant`, `expose`, `execute`, `tag` or `secret_read`.
    access: String,
    /// It changes what runs through the infrastructure, and not that.
    #[serde(default)]
    data: bool,
    #[serde(default)]
    resources: Vec<Resource>,
    /// What else it does, by what a request says.
    #[serde(default)]
    also: Vec<Also>,
    #[serde(default)]
    secrets: Vec<String>,
    #[serde(default)]
    mints: bool,
    /// For OpenAPI: its connection may become a stream.
    #[serde(default)]
    stream: bool,
}

/// How a request names what it touches.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Resource {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    #[serde(default)]
    all_if: Vec<String>,
    /// `target`, `parent` or `uses`.
    #[serde(default)]
    role: RoleWord,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RoleWord {
    #[default]
    Target,
    Parent,
    Uses,
}

/// An effect that a method has by what a request says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Also {
    access: String,
    field: Option<String>,
    #[serde(default)]
    values: Vec<String>,
}

/// What rooms are set up with of all APIs of a configuration that are described in files.
///
/// # Errors
/// A file cannot be read, or is not what it should be.
pub fn all(config: &Config) -> anyhow::Result<RoomsConfig> {
    let (grpc, openapi, mcp) = (grpc(config)?, openapi(config)?, mcp(config)?);
    Ok(RoomsConfig { grpc, openapi, mcp, vault: mounts(config), ..RoomsConfig::default() })
}

/// The servers of tools of a configuration.
fn mcp(config: &Config) -> anyhow::Result<Vec<McpServer>> {
    let mut all = Vec::new();
    for upstream in &config.upstreams {
        let UpstreamKind::Single(single) = &upstream.kind else { continue };
        if single.plane != Plane::Mcp {
            continue;
        }
        let tools = single.description.as_ref().map(|path| {
            fs::read(path).with_context(|| {
                format!("cannot read the description `{}` of upstream `{}`", path.display(), upstream.name)
            })
        });
        let written = methods(single.methods.as_deref())?;
        without_paths(&written, single.methods.as_deref(), "a server of tools")?;
        let methods = resolved(written.method, single.methods.as_deref())?;
        all.push(McpServer { upstream: upstream.name.clone(), tools: tools.transpose()?, methods });
    }
    Ok(all)
}

/// Refuses what only paths have.
fn without_paths(written: &Methods, file: Option<&Path>, of: &str) -> anyhow::Result<()> {
    let paths = written.bases.is_some() || !written.greedy.is_empty() || !written.query.is_empty();
    if paths && let Some(path) = file {
        bail!("`{}` has `bases`, `greedy` or `query`, of which {of} has none; take them out", path.display());
    }
    Ok(())
}

/// The APIs over gRPC of a configuration.
///
/// # Errors
/// A file cannot be read, or is not what it should be.
fn grpc(config: &Config) -> anyhow::Result<Vec<GrpcApi>> {
    let mut all = Vec::new();
    for upstream in &config.upstreams {
        let UpstreamKind::Grpc(api) = &upstream.kind else { continue };
        let shown = api.descriptors.display();
        let descriptors = fs::read(&api.descriptors).with_context(|| {
            format!("cannot read the descriptors `{shown}` of upstream `{}`", upstream.name)
        })?;
        let written = methods(api.methods.as_deref())?;
        without_paths(&written, api.methods.as_deref(), "an API over gRPC")?;
        let methods = resolved(written.method, api.methods.as_deref())?;
        all.push(GrpcApi { upstream: upstream.name.clone(), descriptors, methods });
    }
    Ok(all)
}

/// The APIs of a configuration that OpenAPI documents describe.
///
/// # Errors
/// A file cannot be read, or is not what it should be.
fn openapi(config: &Config) -> anyhow::Result<Vec<OpenApi>> {
    let mut all = Vec::new();
    for upstream in &config.upstreams {
        let UpstreamKind::Openapi(api) = &upstream.kind else { continue };
        let shown = api.description.display();
        let document = fs::read(&api.description).with_context(|| {
            format!("cannot read the description `{shown}` of upstream `{}`", upstream.name)
        })?;
        all.push(described(&upstream.name, document, api.methods.as_deref())?);
    }
    Ok(all)
}

/// An API that a document describes, with what a file of methods says of it.
///
/// # Errors
/// The file cannot be read, or is not what it should be.
pub fn described(upstream: &str, document: Vec<u8>, file: Option<&Path>) -> anyhow::Result<OpenApi> {
    let Methods { bases, greedy, query, method } = methods(file)?;
    let methods = resolved(method, file)?;
    Ok(OpenApi { upstream: upstream.to_owned(), document, methods, bases, greedy, query })
}

fn methods(file: Option<&Path>) -> anyhow::Result<Methods> {
    let Some(path) = file else { return Ok(Methods::default()) };
    let shown = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("cannot read `{shown}`"))?;
    toml::from_str(&text).with_context(|| format!("`{shown}` does not say what methods do"))
}

fn resolved(written: Vec<Method>, file: Option<&Path>) -> anyhow::Result<Vec<ApiMethod>> {
    let all: anyhow::Result<Vec<ApiMethod>> = written.into_iter().map(Method::resolve).collect();
    let shown = file.map_or_else(String::new, |path| path.display().to_string());
    all.with_context(|| format!("`{shown}` does not say what methods do"))
}

fn access(word: &str, of: &str) -> anyhow::Result<Access> {
    Access::parse(word).with_context(|| {
        let known = Access::ALL.map(Access::as_str).join("`, `");
        format!("`{word}` of `{of}` is no access; it is one of `{known}`")
    })
}

impl Method {
    fn resolve(self) -> anyhow::Result<ApiMethod> {
        let resources = self.resources.into_iter().map(|resource| ApiResource {
            kind: resource.kind,
            name: resource.name,
            all_if: resource.all_if,
            role: match resource.role {
                RoleWord::Target => Role::Target,
                RoleWord::Parent => Role::Parent,
                RoleWord::Uses => Role::Uses,
            },
        });
        let mut also = Vec::new();
        for effect in self.also {
            let access = access(&effect.access, &self.name)?;
            also.push(ApiEffect { access, field: effect.field, values: effect.values });
        }
        Ok(ApiMethod {
            access: access(&self.access, &self.name)?,
            level: if self.data { Level::Data } else { Level::Control },
            resources: resources.collect(),
            also,
            secrets: self.secrets,
            mints: self.mints,
            stream: self.stream,
            name: self.name,
        })
    }
}

/// What is mounted in clusters of Vault, as configuration says.
#[must_use]
pub fn mounts(config: &Config) -> Vec<VaultMount> {
    let single = config.upstreams.iter().filter_map(|upstream| match &upstream.kind {
        UpstreamKind::Single(single) => Some((upstream, single)),
        UpstreamKind::Aws(_)
        | UpstreamKind::Grpc(_)
        | UpstreamKind::Kubernetes(_)
        | UpstreamKind::Openapi(_) => None,
    });
    let mount = |upstream: &str, (path, kind): (&String, &String)| VaultMount {
        upstream: upstream.to_owned(),
        path: path.clone(),
        kind: kind.clone(),
    };
    single.flat_map(|(upstream, single)| single.mounts.iter().map(|one| mount(&upstream.name, one))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_methods_do_is_said_in_words_that_are_known() {
        let methods = |text: &str| -> anyhow::Result<Vec<ApiMethod>> {
            resolved(toml::from_str::<Methods>(text)?.method, None)
        };
        let said = methods(
            "[[method]]\nname = \"a.B/C\"\naccess = \"delete\"\ndata = true\n\
             resources = [{ type = \"key\", name = \"{key}\", all_if = [\"end\"] }]\n",
        );
        let said = said.unwrap();
        assert_eq!((said[0].access, said[0].level), (Access::Delete, Level::Data));
        assert_eq!(said[0].resources[0].all_if, ["end"]);
        for (text, why) in [
            (
                "[[method]]\nname = \"a\"\naccess = \"reads\"",
                "`reads` of `a` is no access; it is one of `read`",
            ),
            ("[[method]]\nname = \"a\"\naccess = \"read\"\nlevel = \"data\"", "unknown field `level`"),
            ("[[method]]\naccess = \"read\"", "missing field `name`"),
        ] {
            let error = format!("{:#}", methods(text).unwrap_err());
            assert!(error.contains(why), "{error}");
        }
    }
}
