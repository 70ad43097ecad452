//! What operators say of an API over gRPC, as files: its descriptors, and what its methods do.
//!
//! Leaves out what is made of them (`ordain-decode`).

use std::fs;

use anyhow::Context;
use ordain_action::{Access, Level};
use ordain_decode::{GrpcApi, GrpcMethod, GrpcResource};
use serde::Deserialize;

use crate::config::{Config, UpstreamKind};

/// A file of methods.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Methods {
    #[serde(default)]
    method: Vec<Method>,
}

/// What a method does.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Method {
    /// `package.Service/Method`, or `package.Service/*`.
    name: String,
    /// `read`, `create`, `update`, `delete`, `grant`, `expose`, `execute`, `tag` or `secret_read`.
    access: String,
    /// It changes what runs through the infrastructure, and not that.
    #[serde(default)]
    data: bool,
    #[serde(default)]
    resources: Vec<Resource>,
    #[serde(default)]
    secrets: Vec<String>,
    #[serde(default)]
    mints: bool,
}

/// How a message names what it touches.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Resource {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    #[serde(default)]
    all_if: Vec<String>,
}

/// The APIs over gRPC of a configuration.
///
/// # Errors
/// A file cannot be read, or is not what it should be.
pub fn all(config: &Config) -> anyhow::Result<Vec<GrpcApi>> {
    let mut all = Vec::new();
    for upstream in &config.upstreams {
        let UpstreamKind::Grpc(api) = &upstream.kind else { continue };
        let shown = api.descriptors.display();
        let descriptors = fs::read(&api.descriptors).with_context(|| {
            format!("cannot read the descriptors `{shown}` of upstream `{}`", upstream.name)
        })?;
        let methods = match &api.methods {
            None => Vec::new(),
            Some(path) => {
                let shown = path.display();
                let text = fs::read_to_string(path).with_context(|| format!("cannot read `{shown}`"))?;
                methods(&text).with_context(|| format!("`{shown}` does not say what methods do"))?
            }
        };
        all.push(GrpcApi { upstream: upstream.name.clone(), descriptors, methods });
    }
    Ok(all)
}

fn methods(text: &str) -> anyhow::Result<Vec<GrpcMethod>> {
    let written: Methods = toml::from_str(text)?;
    written.method.into_iter().map(Method::resolve).collect()
}

impl Method {
    fn resolve(self) -> anyhow::Result<GrpcMethod> {
        let access = Access::parse(&self.access).with_context(|| {
            let known = Access::ALL.map(Access::as_str).join("`, `");
            format!("`{}` of `{}` is no access; it is one of `{known}`", self.access, self.name)
        })?;
        let resources = self.resources.into_iter().map(|resource| GrpcResource {
            kind: resource.kind,
            name: resource.name,
            all_if: resource.all_if,
        });
        Ok(GrpcMethod {
            name: self.name,
            access,
            level: if self.data { Level::Data } else { Level::Control },
            resources: resources.collect(),
            secrets: self.secrets,
            mints: self.mints,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_methods_do_is_said_in_words_that_are_known() {
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
