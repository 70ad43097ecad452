//! `ordain hold`: what waits for its owners, shown, answered and waited for.
//!
//! Leaves out what an answer means, which the running gate says. What is shown is what is signed: the question is hashed
//! here, and not taken from whoever sent it. Where it runs as a program that is judged by the gate, and not as its operator, it
//! sees what that program waits for itself (`own`).

mod desk;
mod own;
mod show;

use std::fs;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use ordain_rules::hold_statement;
use uuid::Uuid;

use self::desk::Desk;
use super::signing::{NAMESPACE, OPEN_SSH, sign};
use super::{Context, Exit, model};
use crate::admin::Answering;
use crate::clock::Clock;
use crate::holds::own::Seen;
use crate::holds::{Shown, State};

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(1);

/// How long the gate is asked to wait with its answer, where it does.
const LONGEST: Duration = Duration::from_secs(30);

/// List what waits for its owners, show it, approve or deny it, and wait for it.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// What waits, for whom, and until when.
    List {
        /// What is over too.
        #[arg(long)]
        all: bool,
    },
    /// All that one would do, why it waits, and who has answered.
    Show {
        /// The hold, as `list` or a refusal names it.
        id: Uuid,
    },
    /// Approve one: as whoever is logged in, or by signing it with your SSH key.
    Approve(Box<Approve>),
    /// Deny one: whoever asks is told why.
    Deny {
        /// The hold.
        id: Uuid,
        /// Why; whoever asks reads it.
        #[arg(long)]
        why: String,
    },
    /// Print what happens to holds, as it does, until it is stopped.
    Watch,
    /// Wait until one is answered; exits with 0 where it is approved, with 1 where it is not or was done already, with 3 where
    /// it waits still.
    Wait {
        /// The hold.
        id: Uuid,
        /// How long to wait, for example `10m`; by default until it is over.
        #[arg(long, value_name = "TIME", value_parser = lasting)]
        timeout: Option<Duration>,
    },
}

#[derive(Debug, clap::Args)]
struct Approve {
    /// The hold.
    id: Uuid,
    /// The person who signs it, as the model names them; where it is left out, whoever is logged in approves.
    #[arg(long = "as", value_name = "PERSON")]
    person: Option<String>,
    /// The key to sign with: its file, or its public half where an agent holds it. By default the first of the person's
    /// keys that the agent holds.
    #[arg(long, value_name = "FILE", requires = "person", conflicts_with_all = ["signature", "print"])]
    key: Option<PathBuf>,
    /// A signature that was made elsewhere, over what `--print` prints.
    #[arg(long, value_name = "FILE", conflicts_with = "print", requires_all = ["at", "person"])]
    signature: Option<PathBuf>,
    /// When it was approved (RFC 3339); by default now. As it was for `--print`.
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    at: Option<Timestamp>,
    /// Print what is to be signed, byte for byte, and sign nothing.
    #[arg(long, requires = "person")]
    print: bool,
    /// Approve what has this digest, which `show` told: nothing is asked then.
    #[arg(long, value_name = "sha256:…")]
    digest: Option<String>,
    /// Approve it without being asked whether it was read.
    #[arg(long)]
    yes: bool,
}

fn lasting(text: &str) -> Result<Duration, String> {
    let lasts = text.parse::<jiff::SignedDuration>().ok().and_then(|lasts| Duration::try_from(lasts).ok());
    lasts.ok_or_else(|| "give a time such as `10m`".to_owned())
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> anyhow::Result<Exit> {
    let config = context.config();
    if let Some(own) = own::Own::found(config.as_ref().ok())? {
        match &arguments.verb {
            Verb::List { all: false } => return show::own_list(context, &own.list()?),
            Verb::Show { id } => return show::own_one(context, &own.one(*id, Duration::ZERO)?),
            Verb::Wait { id, timeout } => {
                return wait(context, *timeout, &|lasts| own.one(*id, lasts));
            }
            // What is somebody else's is for the operator to list, and for people to answer.
            Verb::List { all: true } | Verb::Approve(_) | Verb::Deny { .. } | Verb::Watch => {}
        }
    }
    let desk = Desk::of(context)?;
    match &arguments.verb {
        Verb::List { all } => show::list(context, &desk.list(*all)?),
        Verb::Show { id } => show::one(context, &desk.one(*id)?),
        Verb::Approve(approve) => self::approve(context, &desk, approve),
        Verb::Deny { id, why } => deny(context, &desk, *id, why),
        Verb::Watch => watch(context, &desk),
        Verb::Wait { id, timeout } => wait(context, *timeout, &|lasts| {
            sleep(LOOK.min(lasts));
            Ok(show::seen(&desk.one(*id)?))
        }),
    }
}

/// Approves one: as whoever is logged in, or with a signature of whoever is named.
fn approve(context: &Context, desk: &Desk, approve: &Approve) -> anyhow::Result<Exit> {
    let hold = desk.one(approve.id)?;
    let question = show::read(&hold, approve.id)?;
    let told = show::whole(&hold, &question);
    let Some(by) = approve.person.as_deref() else {
        let Some(person) = desk.person() else {
            bail!("nobody is logged in; log in with `ordain login`, or sign with your SSH key: `--as YOU`");
        };
        context.output.line(&told)?;
        if !confirmed(context, approve, &hold)? {
            return Ok(Exit::No);
        }
        let answering = Answering { by: None, approves: true, at: None, signature: None, why: String::new() };
        let hold = desk.answer(approve.id, &answering)?;
        context.output.line(&show::answered(&hold, person))?;
        return Ok(Exit::Ok);
    };
    let at = Timestamp::from_second(approve.at.unwrap_or_else(|| Clock::system().now()).as_second())?;
    let statement = hold_statement(&approve.id.to_string(), &hold.digest, by, at);
    if approve.print {
        context.output.complain(&told);
        context.output.raw(statement.as_bytes())?;
        context.output.complain(&format!(
            "sign this with `ssh-keygen -Y sign -n {NAMESPACE} -f KEY FILE`, and give what it writes by `--signature \
             FILE.sig --at {at}`"
        ));
        return Ok(Exit::Ok);
    }
    let signature = match &approve.signature {
        Some(path) => {
            fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?
        }
        None => {
            let config = context.config()?;
            let snapshot = model::configured(&config)?;
            // Said before anybody is asked for the secret of a key.
            snapshot.may_answer(&question, by).map_err(anyhow::Error::msg)?;
            context.output.line(&format!("{told}\nThis is signed:\n{statement}"))?;
            if !confirmed(context, approve, &hold)? {
                return Ok(Exit::No);
            }
            sign(OPEN_SSH, &snapshot, &config.state, by, approve.key.as_deref(), &statement)?
        }
    };
    let answering = Answering {
        by: Some(by.to_owned()),
        approves: true,
        at: Some(at),
        signature: Some(signature),
        why: String::new(),
    };
    let hold = desk.answer(approve.id, &answering)?;
    context.output.line(&show::answered(&hold, by))?;
    Ok(Exit::Ok)
}

/// Whether whoever approves has read what they were shown: they say so on a terminal, or by `--yes` or the digest beforehand.
fn confirmed(context: &Context, approve: &Approve, hold: &Shown) -> anyhow::Result<bool> {
    if let Some(digest) = &approve.digest {
        if digest.strip_prefix("sha256:").unwrap_or(digest) != hold.digest {
            bail!(
                "hold `{}` asks for something else: its digest is `sha256:{}`; show it again",
                hold.id,
                hold.digest
            );
        }
        return Ok(true);
    }
    if approve.yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        bail!(
            "nobody is there to read this; give `--digest sha256:{}` once somebody has, or `--yes`",
            hold.digest
        );
    }
    context.output.complain("approve this? [y/N]");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}

fn deny(context: &Context, desk: &Desk, id: Uuid, why: &str) -> anyhow::Result<Exit> {
    if why.trim().is_empty() {
        bail!("say why: whoever asks reads it");
    }
    let answering =
        Answering { by: None, approves: false, at: None, signature: None, why: why.trim().to_owned() };
    let hold = desk.answer(id, &answering)?;
    context.output.line(&format!("hold `{}` is denied", hold.id))?;
    Ok(Exit::Ok)
}

fn watch(context: &Context, desk: &Desk) -> anyhow::Result<Exit> {
    context.output.complain("waiting for what happens to holds; stop it with ^C");
    let mut known = show::Known::default();
    loop {
        for line in known.news(&desk.list(true)?) {
            context.output.line(&line)?;
        }
        sleep(LOOK);
    }
}

/// Waits for a hold; `look` looks at it, at most so much later.
fn wait(
    context: &Context,
    timeout: Option<Duration>,
    look: &dyn Fn(Duration) -> anyhow::Result<Seen>,
) -> anyhow::Result<Exit> {
    let (began, mut said, mut lasts) = (Instant::now(), false, Duration::ZERO);
    loop {
        let hold = look(lasts)?;
        let ended = match hold.state {
            State::Approved => Some(Exit::Ok),
            // What was done is not to be done again by who waited for it.
            State::Used | State::Denied | State::Unknown | State::Over | State::Expired => Some(Exit::No),
            State::Waiting => None,
        };
        let left = timeout.map_or(LONGEST, |most| most.saturating_sub(began.elapsed()));
        if let Some(exit) = ended.or_else(|| left.is_zero().then_some(Exit::Waiting)) {
            context.output.line(&show::line(&hold))?;
            return Ok(exit);
        }
        if !said {
            context.output.complain(&show::line(&hold));
            said = true;
        }
        lasts = left.min(LONGEST);
    }
}
