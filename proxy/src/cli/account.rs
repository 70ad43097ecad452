//! `ordain account`: the accounts of people who log in to the admin address with a password and a code.
//!
//! Leaves out how accounts are kept (`people::accounts`). Each change is a ledger entry: by the running gate when there is
//! one to write it, else by this command.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use ordain_evidence::ChangeKind;
use ordain_rules::LiveInventory;
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde::Serialize;

use super::output::Rows;
use super::{Context, Exit, Format, login};
use crate::clock::Clock;
use crate::config::Config;
use crate::model::Model;
use crate::own;
use crate::people::accounts::{Account, AccountError, Accounts};
use crate::people::{CodeSecret, Role, Roles, password};

/// Add, list and change accounts of people.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Make an account for a person of the model: asks for a password, and shows what an authenticator needs.
    Add {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        given: Given,
    },
    /// List all accounts.
    List,
    /// Give an account other roles in place of those it has.
    Set(Of),
    /// Keep a person from logging in, and end the person's sessions.
    Disable(Who),
    /// Let a person log in again.
    Enable(Who),
    /// Take an account away, and end the person's sessions.
    Remove(Who),
    /// Give an account another password and another authenticator, and end the person's sessions.
    Reset {
        #[command(flatten)]
        who: Who,
        #[command(flatten)]
        given: Given,
    },
}

#[derive(Debug, clap::Args)]
struct Who {
    /// The person, by the name the model knows.
    name: String,
}

#[derive(Debug, clap::Args)]
struct Of {
    #[command(flatten)]
    who: Who,
    /// What the person may do: `viewer`, `approver`, `operator` or `admin`; may be given several times.
    #[arg(long = "role", required = true, value_parser = role)]
    roles: Vec<Role>,
}

#[derive(Debug, clap::Args)]
struct Given {
    /// A file that holds the password and nothing else; by default it is asked for, or read from standard input.
    #[arg(long)]
    password_file: Option<PathBuf>,
}

fn role(word: &str) -> Result<Role, String> {
    Role::parse(word).ok_or_else(|| "use `viewer`, `approver`, `operator` or `admin`".to_owned())
}

/// What is shown once, when factors are made.
#[derive(Serialize)]
struct Made<'a> {
    person: &'a str,
    roles: Vec<&'static str>,
    authenticator: &'a str,
}

#[derive(Serialize)]
struct Listed {
    person: String,
    roles: Vec<&'static str>,
    created: String,
    state: String,
}

pub(super) fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let config = context.config()?;
    let (accounts, clock) = (Accounts::of(&config)?, Clock::system());
    let record = |summary: String| own::record(&config, &clock, ChangeKind::Key, summary);
    match arguments.verb {
        Verb::Add { of: Of { who: Who { name }, roles }, given } => {
            let roles: Roles = roles.into_iter().collect();
            is_person(&config, &name)?;
            ensure!(!accounts.all()?.contains_key(name.as_str()), AccountError::Taken(name));
            let kept = new_password(&name, given.password_file.as_deref())?;
            let secret = CodeSecret::fresh().map_err(anyhow::Error::msg)?;
            record(format!("add an account for person `{name}`, as {}", roles.words().join(" and ")))?;
            accounts.add(Account::new(&name, roles.clone(), kept, secret.clone(), clock.now()))?;
            show(context, &name, &roles, &secret)?;
        }
        Verb::List => list(context, &accounts)?,
        Verb::Set(Of { who, roles }) => {
            let roles: Roles = roles.into_iter().collect();
            let words = roles.words().join(" and ");
            let before = who.account(&accounts)?.roles.words().join(" and ");
            record(format!("let the account of person `{}` be {words}, in place of {before}", who.name))?;
            accounts.set(&who.name, |account| account.roles = roles)?;
            context.output.line(&format!("`{}` is {words}", who.name))?;
        }
        Verb::Disable(who) => {
            who.account(&accounts)?;
            record(format!("disable the account of person `{}`", who.name))?;
            accounts.set(&who.name, |account| account.disable(clock.now()))?;
            context.output.line(&format!("`{}` cannot log in any more", who.name))?;
        }
        Verb::Enable(who) => {
            who.account(&accounts)?;
            record(format!("enable the account of person `{}`", who.name))?;
            accounts.set(&who.name, |account| account.enable(clock.now()))?;
            context.output.line(&format!("`{}` may log in again", who.name))?;
        }
        Verb::Remove(who) => {
            who.account(&accounts)?;
            record(format!("remove the account of person `{}`", who.name))?;
            accounts.remove(&who.name)?;
            context.output.line(&format!("`{}` has no account any more", who.name))?;
        }
        Verb::Reset { who, given } => {
            let account = who.account(&accounts)?;
            let kept = new_password(&who.name, given.password_file.as_deref())?;
            let secret = CodeSecret::fresh().map_err(anyhow::Error::msg)?;
            record(format!("give the account of person `{}` another password and authenticator", who.name))?;
            accounts.set(&who.name, |account| account.reset(kept, secret.clone(), clock.now()))?;
            show(context, &who.name, &account.roles, &secret)?;
        }
    }
    Ok(Exit::Ok)
}

impl Who {
    fn account(&self, accounts: &Accounts) -> anyhow::Result<Account> {
        let all = accounts.all()?;
        Ok(all.get(self.name.as_str()).ok_or_else(|| AccountError::Unknown(self.name.clone()))?.clone())
    }
}

/// Refuses a name that nobody could log in by.
fn is_person(config: &Config, name: &str) -> anyhow::Result<()> {
    let model = Model::open(config.model.clone(), config.modes(), LiveInventory::new())?;
    ensure!(
        model.snapshot().is_person(name),
        "the model in `{}` has no person `{name}`; add a `User` of that name there first",
        config.model.display()
    );
    Ok(())
}

/// What is kept of a password that is given twice on the terminal, or once otherwise.
fn new_password(name: &str, file: Option<&Path>) -> anyhow::Result<String> {
    let first = login::password(&format!("new password of {name}: "), file)?;
    if file.is_none() && std::io::stdin().is_terminal() {
        let again = login::password("the same again: ", None)?;
        ensure!(first == again, "the two passwords differ, and nothing was changed; begin again");
    }
    password::hash(&first).map_err(anyhow::Error::msg)
}

fn show(context: &Context, name: &str, roles: &Roles, secret: &CodeSecret) -> anyhow::Result<()> {
    let uri = secret.uri(name);
    let made = Made { person: name, roles: roles.words(), authenticator: uri.expose() };
    context.output.show(context.format, &made, || {
        let mut rows = Rows::new(&["what", "value"]);
        rows.push(vec!["person".to_owned(), name.to_owned()]);
        rows.push(vec!["roles".to_owned(), made.roles.join(", ")]);
        rows.push(vec!["authenticator".to_owned(), made.authenticator.to_owned()]);
        rows
    })?;
    // A program that asked for JSON knows what it does with it.
    if context.format != Format::Table {
        return Ok(());
    }
    if std::io::stdout().is_terminal() {
        let code = QrCode::new(uri.expose().as_bytes()).context("the address is too long for a picture")?;
        context.output.line(&code.render::<Dense1x2>().build())?;
    }
    context
        .output
        .complain("the authenticator's secret is shown this once; it is sealed in the state directory");
    Ok(())
}

fn list(context: &Context, accounts: &Accounts) -> anyhow::Result<()> {
    let all = accounts.all()?;
    let listed: Vec<Listed> = all
        .values()
        .map(|account| Listed {
            person: account.name.to_string(),
            roles: account.roles.words(),
            created: account.created.to_string(),
            state: account
                .disabled
                .map_or_else(|| "enabled".to_owned(), |since| format!("disabled since {since}")),
        })
        .collect();
    context.output.show(context.format, &listed, || {
        let mut rows = Rows::new(&["person", "roles", "created", "state"]);
        for one in &listed {
            rows.push(vec![one.person.clone(), one.roles.join(", "), one.created.clone(), one.state.clone()]);
        }
        rows
    })
}
