//! `ordain model import --live PLANE`: what an upstream has now, asked with the gate's own credential, which reads alone.
//!
//! Leaves out asking (`crate::census`) and what the answers mean (`ordain-rules`).

use std::time::Duration;

use anyhow::{anyhow, bail};
use jiff::Timestamp;
use ordain_action::Plane;
use ordain_rules::import::{self, AssetInventory, Imported, Kubernetes, ResourceExplorer, ResourceGraph};

use crate::census::{self, Found, Scope};
use crate::chain::Outlet;
use crate::cli::Context;
use crate::clock::Clock;
use crate::config::{Config, UpstreamConfig};
use crate::forward::Outward;
use crate::upstream::{Own, Source, Upstreams};

/// How long a page is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// The planes that can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Live {
    /// An account, by its Resource Explorer.
    Aws,
    /// A tenant, by its Resource Graph.
    Azure,
    /// An organization, folder or project, by its Cloud Asset Inventory.
    Gcp,
    /// A cluster, by all that its API lists.
    Kubernetes,
}

impl Live {
    const fn plane(self) -> Plane {
        match self {
            Self::Aws => Plane::Aws,
            Self::Azure => Plane::Azure,
            Self::Gcp => Plane::Gcp,
            Self::Kubernetes => Plane::Kubernetes,
        }
    }
}

/// What is asked, and where.
#[derive(Debug, clap::Args)]
pub(super) struct Told {
    /// Which upstream, where there are several of the plane.
    #[arg(long, requires = "live")]
    upstream: Option<String>,
    /// A region of AWS whose Resource Explorer is asked; may be given again. One with an aggregator index knows all.
    #[arg(long = "region", requires = "live", value_name = "REGION")]
    regions: Vec<String>,
    /// What of Google Cloud is asked for: `organizations/NUMBER`, `folders/NUMBER` or `projects/ID`.
    #[arg(long, requires = "live")]
    scope: Option<String>,
    /// A subscription of Azure; may be given again. All that the credential sees, where none is said.
    #[arg(long = "subscription", requires = "live", value_name = "ID")]
    subscriptions: Vec<String>,
    /// A name for what is imported; by default that of the upstream.
    #[arg(long, requires = "live")]
    name: Option<String>,
    /// A tag or label that says who owns something, beside `owner` and `team`; may be given again.
    #[arg(long = "owner-label", requires = "live", value_name = "KEY")]
    owner_labels: Vec<String>,
}

impl Told {
    /// What is imported, by what was asked: another part of the same upstream is another import.
    fn whole_name(&self, upstream: &str) -> String {
        let parts = self.regions.iter().chain(&self.subscriptions).chain(&self.scope);
        parts.fold(upstream.to_owned(), |all, part| format!("{all}-{part}"))
    }
}

/// Asks an upstream for all that it has.
pub(super) fn imported(
    context: &Context,
    config: &Config,
    live: Live,
    told: &Told,
) -> anyhow::Result<Vec<Imported>> {
    let upstream = upstream(config, live.plane(), told.upstream.as_deref())?;
    if live == Live::Aws && !told.owner_labels.is_empty() {
        bail!(
            "Resource Explorer's tags are asked for by `owner` and `team` alone; leave `--owner-label` out"
        );
    }
    let now = Clock::system().now();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let found = runtime.block_on(ask(context, config, upstream, told))?;
    let Found { sources, left_out } = found;
    let name = &told.name.clone().unwrap_or_else(|| told.whole_name(&upstream.name));
    let mut one = match live {
        Live::Aws => {
            import::resource_explorer(&sources, ResourceExplorer { name: Some(name), as_of: Some(now) })?
        }
        Live::Azure => {
            let told = ResourceGraph { name: Some(name), owner_tags: &told.owner_labels, as_of: Some(now) };
            import::resource_graph(&sources, told)?
        }
        Live::Gcp => {
            let told = AssetInventory { name: Some(name), owner_tags: &told.owner_labels, as_of: Some(now) };
            import::asset_inventory(&sources, told)?
        }
        Live::Kubernetes => kubernetes(&sources, upstream, told, now)?,
    };
    one.summary.left_out.extend(left_out);
    Ok(vec![one])
}

fn kubernetes(
    sources: &[ordain_rules::Source],
    upstream: &UpstreamConfig,
    told: &Told,
    now: Timestamp,
) -> anyhow::Result<Imported> {
    let cluster = upstream.account.as_deref().unwrap_or(&upstream.name);
    let told = Kubernetes {
        cluster,
        name: told.name.as_deref(),
        owner_labels: &told.owner_labels,
        as_of: Some(now),
    };
    Ok(import::kubernetes(sources, told)?)
}

/// The one upstream that is meant.
fn upstream<'c>(config: &'c Config, plane: Plane, name: Option<&str>) -> anyhow::Result<&'c UpstreamConfig> {
    let all: Vec<&UpstreamConfig> =
        config.upstreams.iter().filter(|upstream| upstream.kind.plane() == plane).collect();
    let names = || all.iter().map(|upstream| format!("`{}`", upstream.name)).collect::<Vec<_>>().join(", ");
    match (name, all.as_slice()) {
        (_, []) => bail!("no upstream of plane `{plane}` is configured; add one"),
        (None, [one]) => Ok(one),
        (None, _) => {
            bail!("there are several upstreams of plane `{plane}`; say which with `--upstream`: {}", names())
        }
        (Some(name), _) => all.iter().find(|upstream| *upstream.name == *name).copied().ok_or_else(|| {
            anyhow!("no upstream of plane `{plane}` is called `{name}`; there are {}", names())
        }),
    }
}

async fn ask(
    context: &Context,
    config: &Config,
    upstream: &UpstreamConfig,
    told: &Told,
) -> anyhow::Result<Found> {
    let clock = Clock::system();
    let name = &upstream.name;
    let own = Own::of(config, config.data);
    let outlet = Outlet::new(config.outward.proxy.as_ref())?;
    let outward = Outward::new(own.addresses.clone(), PATIENCE).leaving_by(outlet);
    let upstreams = Upstreams::start(vec![Source::from(upstream)], &own, &outward, clock.now()).await?;
    let scope = Scope {
        regions: told.regions.clone(),
        parent: told.scope.clone(),
        subscriptions: told.subscriptions.clone(),
    };
    let progress =
        |what: &str, count: usize| context.output.complain(&format!("asking `{name}`: {count} {what}"));
    let found = match upstreams.verify(name, clock.now()).await {
        Ok(verified) => census::take(&upstreams, &verified, &scope, &clock, &progress).await,
        Err(error) => Err(error.to_string()),
    };
    upstreams.end().await;
    found.map_err(|why| anyhow!("cannot ask `{name}` for what it has: {why}"))
}
