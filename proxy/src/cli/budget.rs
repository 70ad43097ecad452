//! `ordain budget`: what is used of each budget of the model, and by whom.
//!
//! Leaves out counting (`state`). It reads beside the running gate, and changes nothing.

use anyhow::Context as _;
use ordain_rules::{BudgetFigures, Counted, LiveInventory};
use serde::Serialize;

use super::output::Rows;
use super::{Context, Exit};
use crate::clock::Clock;
use crate::config::Config;
use crate::model::Model;
use crate::state::StoreError;

/// Show what is used of the budgets.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List the budgets of the model with what is used of each, by whom, and when the first of it counts no more.
    List,
}

#[derive(Serialize)]
struct Listed {
    budget: String,
    of: String,
    used: u64,
    limit: u64,
    counts: &'static str,
    within: String,
    until: Option<String>,
}

pub(super) fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let config = context.config()?;
    match arguments.verb {
        Verb::List => list(context, &config),
    }
}

fn list(context: &Context, config: &Config) -> anyhow::Result<Exit> {
    let model = Model::open(config.model.clone(), config.modes(), LiveInventory::new())?;
    let budgets: Vec<BudgetFigures> = model.snapshot().budgets().collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let used =
        runtime.block_on(used(config, &budgets)).context("what is used of the budgets cannot be read")?;
    let mut all = Vec::new();
    for (budget, used) in budgets.iter().zip(used) {
        let nobody = used.is_empty().then(|| ("nobody".to_owned(), Counted::default()));
        for (of, counted) in used.into_iter().chain(nobody) {
            all.push(Listed {
                budget: budget.name.to_string(),
                of,
                used: counted.value,
                limit: budget.limit,
                counts: budget.counts,
                within: budget.within.to_string(),
                until: counted.until.map(|until| until.to_string()),
            });
        }
    }
    context.output.show(context.format, &all, || {
        let mut rows = Rows::new(&["budget", "of", "used", "limit", "within", "the first is free at"]);
        for one in &all {
            rows.push(vec![
                one.budget.clone(),
                one.of.clone(),
                one.used.to_string(),
                format!("{} {}", one.limit, one.counts),
                one.within.clone(),
                one.until.clone().unwrap_or_default(),
            ]);
        }
        rows
    })?;
    Ok(Exit::Ok)
}

async fn used(config: &Config, budgets: &[BudgetFigures]) -> Result<Vec<Vec<(String, Counted)>>, StoreError> {
    // A file that is not there holds nothing, and none is made by looking.
    if budgets.is_empty() || !config.counted.is_there() {
        return Ok(budgets.iter().map(|_| Vec::new()).collect());
    }
    let (store, now) = (config.counted.open().await?, Clock::system().now());
    let mut all = Vec::new();
    for budget in budgets {
        all.push(store.all(&budget.source, now).await?);
    }
    Ok(all)
}
