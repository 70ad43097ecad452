//! `ordain model import`: what you have, as files, into documents of the model.
//!
//! Leaves out what documents mean and how sources are read (`ordain-rules`). An import writes a file into the model directory,
//! and is a ledger entry before it does.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use flate2::read::MultiGzDecoder;
use jiff::Timestamp;
use ordain_rules::Source;
use ordain_rules::import::{
    self, AssetInventory, AwsConfig, Backstage, CloudFormation, CycloneDx, ImportSummary, Imported,
    Kubernetes, ResourceExplorer, ResourceGraph, ServiceGraph, ServiceNow, Terraform,
};
use serde::Serialize;

use super::keep::{self, Change};
use super::live::{self, Live};
use crate::cli::output::Rows;
use crate::cli::{Context, Exit};
use crate::clock::Clock;
use crate::config::Config;

/// What to import, and from when it is.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// When it was so, where the source does not say (RFC 3339); by default when the newest of the files was written.
    #[arg(long, global = true, value_parser = crate::cli::time)]
    as_of: Option<Timestamp>,
    /// Ask an upstream for what it has now, with the gate's own credential, which reads alone.
    #[arg(long, value_enum, value_name = "PLANE")]
    live: Option<Live>,
    #[command(flatten)]
    told: live::Told,
    #[command(subcommand)]
    from: Option<From>,
}

#[derive(Debug, clap::Subcommand)]
enum From {
    /// A state of Terraform or OpenTofu (version 4), or what `show -json` prints.
    Terraform {
        /// The state.
        state: PathBuf,
        /// A name for it; by default its path.
        #[arg(long)]
        name: Option<String>,
        /// The folder of the root module within the source tree, which CODEOWNERS patterns are matched with.
        #[arg(long, default_value = "")]
        folder: String,
        /// The working directory's `.terraform/modules/modules.json`.
        #[arg(long)]
        modules: Option<PathBuf>,
        /// The cluster that resources of the provider `kubernetes` are in, as configuration names it.
        #[arg(long)]
        cluster: Option<String>,
        /// A CODEOWNERS file to import with it.
        #[arg(long)]
        owners: Option<PathBuf>,
    },
    /// Objects of a cluster, as `kubectl get -o json` or `-o yaml` lists them.
    Kubernetes {
        /// The lists, or single objects.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The cluster, as configuration names it.
        #[arg(long)]
        cluster: String,
        /// A name for what is imported, where it is not the whole cluster; by default the cluster's.
        #[arg(long)]
        name: Option<String>,
        /// A label or annotation that says who owns an object, beside `owner` and `team`; may be given again.
        #[arg(long = "owner-label")]
        owner_labels: Vec<String>,
    },
    /// A CODEOWNERS file of GitHub or GitLab.
    Codeowners {
        /// The file.
        file: PathBuf,
        /// Its revision, for the provenance of what it says.
        #[arg(long)]
        revision: Option<String>,
    },
    /// Snapshots of AWS Config, as it delivers them, or what its queries answer.
    AwsConfig(Export),
    /// What `aws resource-explorer-2 list-resources` or `search` print.
    ResourceExplorer(Export),
    /// Stacks of CloudFormation: what `describe-stacks`, `describe-stack-resources`, `list-stack-resources` and
    /// `get-template` print, and templates.
    #[command(name = "cloudformation")]
    CloudFormation(Export),
    /// What `az graph query` or `az resource list` print as JSON.
    ResourceGraph(Labelled),
    /// Google's Cloud Asset Inventory: what `gcloud asset export` writes, or `asset list` and `search-all-resources` print as
    /// JSON.
    AssetInventory(Labelled),
    /// Catalogues of Backstage: `catalog-info.yaml` files, or what its API answers.
    Backstage {
        #[command(flatten)]
        export: Export,
        /// Take users along, and who is a member of which group: whoever may edit the catalogue says then who acts for whom.
        #[arg(long)]
        people: bool,
    },
    /// A table of ServiceNow's CMDB, or of another, as CSV.
    #[command(name = "servicenow")]
    ServiceNow {
        #[command(flatten)]
        export: Export,
        /// Which column says what, as `OURS=COLUMN`, for example `owner=support_group`; may be given again. Ours are `id`,
        /// `type`, `name`, `identifier`, `owner`, `system`, `environment`, `tier`, `account`, `region`, `path`, `updated`,
        /// `status` and `depends-on`. ServiceNow's own columns are known.
        #[arg(long = "column", value_name = "OURS=COLUMN", value_parser = column)]
        columns: Vec<(String, String)>,
        /// The plane that the rows are on, where they do not say it by a full name.
        #[arg(long)]
        plane: Option<String>,
        /// The account that the rows are in.
        #[arg(long)]
        account: Option<String>,
    },
    /// Services of CycloneDX bills of materials, as JSON.
    #[command(name = "cyclonedx")]
    CycloneDx(Export),
    /// Who was seen to call whom: OpenTelemetry's service graph, as Prometheus answers a query for it, or as it is exposed.
    ServiceGraph {
        #[command(flatten)]
        export: Export,
        /// How long what was seen is believed.
        #[arg(long, default_value = "14d", value_name = "TIME", value_parser = decays)]
        decays: String,
    },
}

/// Files, and what they are called together.
#[derive(Debug, clap::Args)]
struct Export {
    /// The files; one packed by gzip is unpacked.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// A name for what is imported: the next import of that name replaces it.
    #[arg(long)]
    name: String,
}

/// The same with tags or labels that say who owns something.
#[derive(Debug, clap::Args)]
struct Labelled {
    #[command(flatten)]
    export: Export,
    /// A tag or label that says who owns something, beside `owner` and `team`; may be given again.
    #[arg(long = "owner-label", value_name = "KEY")]
    owner_labels: Vec<String>,
}

fn column(text: &str) -> Result<(String, String), String> {
    let (ours, column) = text.split_once('=').ok_or("write it as `OURS=COLUMN`")?;
    Ok((ours.to_owned(), column.to_owned()))
}

fn decays(text: &str) -> Result<String, String> {
    let is_time = text.parse::<jiff::Span>().is_ok_and(|span| span.is_positive());
    if is_time { Ok(text.to_owned()) } else { Err("give a time such as `14d`".to_owned()) }
}

/// What an import brought, as it is shown.
#[derive(Serialize)]
struct Brought {
    file: String,
    facts: usize,
    relations: usize,
    unowned: usize,
    owners: Vec<String>,
    accounts: Vec<String>,
    left_out: Vec<String>,
}

/// Imports, and keeps what was brought.
pub(super) fn run(context: &Context, config: &Config, arguments: Arguments) -> anyhow::Result<Exit> {
    let Arguments { as_of, live, told, from } = arguments;
    let imported = match (live, from) {
        (Some(live), None) => live::imported(context, config, live, &told)?,
        (None, Some(from)) => imported(from, as_of)?,
        (Some(_), Some(_)) => bail!("files and `--live` are two imports; make one after the other"),
        (None, None) => bail!("say what to import: a source, or `--live` and a plane; `--help` lists them"),
    };
    keep(context, config, &imported)
}

fn imported(from: From, as_of: Option<Timestamp>) -> anyhow::Result<Vec<Imported>> {
    let one = match from {
        From::Terraform { state, name, folder, modules, cluster, owners } => {
            let modules = modules.as_deref().map(source).transpose()?;
            let mut told = Terraform {
                name: name.as_deref(),
                folder: &folder,
                modules: modules.as_ref(),
                cluster: cluster.as_deref(),
                as_of: None,
            };
            return terraform(&state, &mut told, owners, as_of);
        }
        From::Kubernetes { files, cluster, name, owner_labels } => {
            let Read { sources, as_of } = Read::of(&files, as_of)?;
            let told = Kubernetes {
                cluster: &cluster,
                name: name.as_deref(),
                owner_labels: &owner_labels,
                as_of: Some(as_of),
            };
            import::kubernetes(&sources, told)?
        }
        From::Codeowners { file, revision } => {
            let read = Read::of(std::slice::from_ref(&file), as_of)?;
            import::codeowners(read.one()?, revision.as_deref(), Some(read.as_of))?
        }
        From::AwsConfig(Export { files, name }) => {
            let Read { sources, as_of } = Read::of(&files, as_of)?;
            import::aws_config(&sources, AwsConfig { name: Some(name.as_str()), as_of: Some(as_of) })?
        }
        From::ResourceExplorer(Export { files, name }) => {
            let Read { sources, as_of } = Read::of(&files, as_of)?;
            import::resource_explorer(&sources, ResourceExplorer { name: Some(&name), as_of: Some(as_of) })?
        }
        From::CloudFormation(Export { files, name }) => {
            let Read { sources, as_of } = Read::of(&files, as_of)?;
            import::cloudformation(
                &sources,
                CloudFormation { name: Some(name.as_str()), as_of: Some(as_of) },
            )?
        }
        From::ResourceGraph(Labelled { export: Export { files, name }, owner_labels }) => {
            let Read { sources, as_of } = Read::of(&files, as_of)?;
            let name = Some(name.as_str());
            let told = ResourceGraph { name, owner_tags: &owner_labels, as_of: Some(as_of) };
            import::resource_graph(&sources, told)?
        }
        From::AssetInventory(Labelled { export: Export { files, name }, owner_labels }) => {
            let Read { sources, as_of } = Read::of(&files, as_of)?;
            let name = Some(name.as_str());
            let told = AssetInventory { name, owner_tags: &owner_labels, as_of: Some(as_of) };
            import::asset_inventory(&sources, told)?
        }
        From::Backstage { export: Export { files, name }, people } => {
            let told = Backstage { name: Some(name.as_str()), people };
            import::backstage(&Read::of(&files, as_of)?.sources, told)?
        }
        From::ServiceNow { export: Export { files, name }, columns, plane, account } => {
            let Read { sources, as_of } = Read::of(&files, as_of)?;
            let told = ServiceNow {
                name: Some(name.as_str()),
                columns: &columns,
                plane: plane.as_deref(),
                account: account.as_deref(),
                as_of: Some(as_of),
            };
            import::servicenow(&sources, told)?
        }
        From::CycloneDx(Export { files, name }) => {
            let Read { sources, as_of } = Read::of(&files, as_of)?;
            import::cyclonedx(&sources, CycloneDx { name: Some(name.as_str()), as_of: Some(as_of) })?
        }
        From::ServiceGraph { export: Export { files, name }, decays } => {
            let Read { sources, as_of } = Read::of(&files, as_of)?;
            let name = Some(name.as_str());
            let told = ServiceGraph { name, as_of: Some(as_of), decays: Some(&decays) };
            import::service_graph(&sources, told)?
        }
    };
    Ok(vec![one])
}

/// A state, and a CODEOWNERS file with it.
fn terraform(
    state: &PathBuf,
    told: &mut Terraform<'_>,
    owners: Option<PathBuf>,
    as_of: Option<Timestamp>,
) -> anyhow::Result<Vec<Imported>> {
    let read = Read::of(std::slice::from_ref(state), as_of)?;
    told.as_of = Some(read.as_of);
    let mut imported = vec![import::terraform(read.one()?, *told)?];
    if let Some(owners) = owners {
        let read = Read::of(std::slice::from_ref(&owners), as_of)?;
        imported.push(import::codeowners(read.one()?, None, Some(read.as_of))?);
    }
    Ok(imported)
}

/// Files that were read, and when what they say was so.
struct Read {
    sources: Vec<Source>,
    as_of: Timestamp,
}

impl Read {
    /// Reads files. Where nobody says when it was so, it was when the newest of them was written, and never later than now.
    fn of(paths: &[PathBuf], as_of: Option<Timestamp>) -> anyhow::Result<Self> {
        let now = Clock::system().now();
        let written = |path: &PathBuf| {
            let time = fs::metadata(path).and_then(|known| known.modified()).ok()?;
            Timestamp::try_from(time).ok()
        };
        let newest = paths.iter().filter_map(written).max();
        let sources = paths.iter().map(|path| source(path)).collect::<anyhow::Result<_>>()?;
        Ok(Self { sources, as_of: as_of.or(newest).unwrap_or(now).min(now) })
    }

    fn one(&self) -> anyhow::Result<&Source> {
        self.sources.first().context("give a file to import")
    }
}

/// The most that a compressed file may be: a snapshot of a large account has some hundred megabytes.
const UNPACKED_MAX: u64 = 4 << 30;

/// A file as text; one that is packed by gzip, as AWS Config and Google deliver theirs, unpacked.
fn source(path: &Path) -> anyhow::Result<Source> {
    let reading = || format!("cannot read `{}`", path.display());
    let mut bytes = fs::read(path).with_context(reading)?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut unpacked = Vec::new();
        let mut limited = MultiGzDecoder::new(bytes.as_slice()).take(UNPACKED_MAX + 1);
        limited.read_to_end(&mut unpacked).with_context(reading)?;
        if unpacked.len() as u64 > UNPACKED_MAX {
            bail!("`{}` unpacks to more than {} GiB; import it in parts", path.display(), UNPACKED_MAX >> 30);
        }
        bytes = unpacked;
    }
    let text = String::from_utf8(bytes).with_context(|| {
        format!("`{}` is no text in UTF-8; give the export as it was written", path.display())
    })?;
    Ok(Source { path: path.display().to_string(), text })
}

fn keep(context: &Context, config: &Config, imported: &[Imported]) -> anyhow::Result<Exit> {
    let changes: Vec<Change> = imported
        .iter()
        .map(|one| Change {
            file: one.file.clone(),
            text: Some(one.text.clone()),
            summary: format!("import {} facts into {}", one.summary.facts, one.file),
        })
        .collect();
    if let Some(error) = keep::would_break(config, &changes)? {
        context.output.complain(&format!("nothing was imported: with it the model would not load:\n{error}"));
        return Ok(Exit::Usage);
    }
    keep::keep(config, &changes)?;
    let brought: Vec<Brought> =
        imported.iter().map(|one| shown(&config.model.join(&one.file), &one.summary)).collect();
    context.output.show(context.format, &brought, || {
        let mut rows = Rows::new(&["file", "facts", "relations", "unowned", "owners", "accounts"]);
        for one in &brought {
            rows.push(vec![
                one.file.clone(),
                one.facts.to_string(),
                one.relations.to_string(),
                one.unowned.to_string(),
                one.owners.join(", "),
                one.accounts.join(", "),
            ]);
        }
        rows
    })?;
    for left_out in brought.iter().flat_map(|one| &one.left_out) {
        context.output.complain(&format!("left out: {left_out}"));
    }
    Ok(keep::loads(context, config))
}

fn shown(path: &Path, summary: &ImportSummary) -> Brought {
    Brought {
        file: path.display().to_string(),
        facts: summary.facts,
        relations: summary.relations,
        unowned: summary.unowned,
        owners: summary.owners.iter().cloned().collect(),
        accounts: summary.accounts.iter().cloned().collect(),
        left_out: summary.left_out.clone(),
    }
}
