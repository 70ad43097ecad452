//! The command line: its words, one file a verb, and what each exit code means.
//!
//! Leaves out what the verbs do.

mod account;
mod actor;
mod asked;
mod blueprint;
mod break_glass;
mod budget;
mod ca;
mod change;
mod check;
mod credentials;
mod decode;
mod doctor;
mod env;
mod exception;
mod explain;
mod freeze;
mod hold;
mod isolated;
mod key;
mod kubeconfig;
mod ledger;
mod login;
mod model;
mod output;
mod planes;
mod replay;
mod report;
mod run;
mod serve;
mod session;
mod signing;
mod test;
mod tunnels;
mod validate;
mod way;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

pub use output::{Output, Rows};

use crate::config::Config;
use crate::settings::Settings;

/// Says what should be allowed to happen to your infrastructure, before it does.
#[derive(Debug, Parser)]
#[command(name = "ordain", version, about, arg_required_else_help = true)]
struct Arguments {
    /// The settings file; without one every setting has its default.
    #[arg(long, short, global = true, env = "ORDAIN_CONFIG", help_heading = EVERYWHERE)]
    config: Option<PathBuf>,

    /// How results are written.
    #[arg(long, short, global = true, value_enum, default_value_t = Format::Table, help_heading = EVERYWHERE)]
    output: Format,

    #[command(subcommand)]
    verb: Verb,
}

/// Where the help of each verb lists what all verbs take, so that its own options stand together.
const EVERYWHERE: &str = "Options of every verb";

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For programs and people.
    Yaml,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the gate.
    Serve(serve::Arguments),
    /// Print the variables that send a client through the gate.
    Env(env::Arguments),
    /// Run a program with its calls of control planes sent through the gate.
    Run(run::Arguments),
    /// Become an isolated program: the half of `ordain run --isolate` that it starts itself.
    #[command(hide = true)]
    Isolated(isolated::Arguments),
    /// Read requests and say what they would do; judges nothing and sends nothing.
    Decode(decode::Arguments),
    /// List the planes that are read, with their catalogues and what each deliberately does not do.
    Planes(planes::Arguments),
    /// Judge requests against the model without sending them.
    Check(check::Arguments),
    /// Tell why a decision was made, from its record.
    Explain(explain::Arguments),
    /// Summarise the ledger.
    Report(report::Arguments),
    /// Judge recorded decisions again by a model or by other rules: what changes, and which rules are dead.
    Replay(replay::Arguments),
    /// Judge the cases of a model, and say which are not judged as they should be.
    Test(test::Arguments),
    /// Create, import, list and revoke the keys that actors hold.
    Key(key::Arguments),
    /// Revoke an actor with all that shows it, allow it again, and list those that are revoked.
    Actor(actor::Arguments),
    /// Show the blueprints of the model and of the library: what the parameters of requests have to be.
    Blueprint(blueprint::Arguments),
    /// Show what is used of the budgets of the model.
    Budget(budget::Arguments),
    /// Add, list and change the accounts of people who log in to the admin address.
    Account(account::Arguments),
    /// Log in to the admin address of a gate, as a person.
    Login(login::LoginArguments),
    /// End the session that was logged in to.
    Logout(login::LogoutArguments),
    /// Tell who is logged in, where, and what that person may do.
    Whoami(login::WhoamiArguments),
    /// Print a key that ends by itself, as the provider's `credential_process` is to print it.
    Credentials(credentials::Arguments),
    /// Create, show, export and rotate the authorities that clients of the egress gateway trust.
    Ca(ca::Arguments),
    /// Import into the intent model, and show it.
    Model(model::Arguments),
    /// List freezes and windows, begin a freeze and end one.
    Freeze(freeze::Arguments),
    /// List changes that were planned, show one, approve it, and take it away.
    Change(change::Arguments),
    /// Lift gates for yourself in an emergency, a freeze among them, and have somebody else look at it.
    BreakGlass(break_glass::Arguments),
    /// List what waits for its owners, show it, approve or deny it, and wait for it.
    Hold(hold::Arguments),
    /// List the exceptions: which gates are lifted for whom, and until when.
    Exception(exception::Arguments),
    /// Check the settings and the model, as `serve` would load them.
    Validate(validate::Arguments),
    /// Verify, prove and query the evidence.
    Ledger(ledger::Arguments),
    /// Look for what would keep the gate from working here.
    Doctor(doctor::Arguments),
}

/// How a verb ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Ok,
    /// Policy says no, or doctor found something.
    No,
    /// Usage or configuration.
    Usage,
    /// It waits still.
    Waiting,
    /// The ledger does not verify.
    Ledger,
    /// As the program ended that was run.
    Child(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Ok => 0,
            Exit::No => 1,
            Exit::Usage => 2,
            Exit::Waiting => 3,
            Exit::Ledger => 4,
            Exit::Child(code) => code,
        })
    }
}

/// A point in time on the command line.
fn time(text: &str) -> Result<jiff::Timestamp, String> {
    text.parse().map_err(|_| "give a time such as `2026-01-31T18:00:00Z`".to_owned())
}

/// What every verb is given.
#[derive(Debug)]
pub struct Context {
    settings: Option<PathBuf>,
    format: Format,
    output: Output,
}

impl Context {
    /// The configuration that `serve` would run with.
    ///
    /// # Errors
    /// The loader's own message.
    pub fn config(&self) -> anyhow::Result<Config> {
        Ok(Config::resolve(Settings::read(self.settings.as_deref())?)?)
    }
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // clap prints help to standard output with code 0 and usage errors to standard error with 2.
            let code = if error.use_stderr() { Exit::Usage } else { Exit::Ok };
            drop(error.print());
            return code.into();
        }
    };
    let context =
        Context { settings: arguments.config, format: arguments.output, output: Output::standard() };
    match run(&context, arguments.verb) {
        Ok(exit) => exit.into(),
        Err(error) => {
            context.output.complain(&format!("error: {error:#}"));
            Exit::Usage.into()
        }
    }
}

fn run(context: &Context, verb: Verb) -> anyhow::Result<Exit> {
    match verb {
        Verb::Serve(arguments) => serve::run(context, arguments),
        Verb::Env(arguments) => env::run(context, arguments),
        Verb::Run(arguments) => run::run(context, arguments),
        Verb::Isolated(arguments) => isolated::run(&arguments),
        Verb::Decode(arguments) => decode::run(context, arguments),
        Verb::Planes(arguments) => planes::run(context, arguments),
        Verb::Check(arguments) => check::run(context, arguments),
        Verb::Explain(arguments) => explain::run(context, arguments),
        Verb::Report(arguments) => report::run(context, arguments),
        Verb::Replay(arguments) => replay::run(context, arguments),
        Verb::Test(arguments) => test::run(context, arguments),
        Verb::Key(arguments) => key::run(context, arguments),
        Verb::Actor(arguments) => actor::run(context, arguments),
        Verb::Blueprint(arguments) => blueprint::run(context, arguments),
        Verb::Budget(arguments) => budget::run(context, arguments),
        Verb::Account(arguments) => account::run(context, arguments),
        Verb::Login(arguments) => login::run(context, arguments),
        Verb::Logout(arguments) => login::log_out(context, arguments),
        Verb::Whoami(arguments) => login::who_am_i(context, arguments),
        Verb::Credentials(arguments) => credentials::run(context, arguments),
        Verb::Ca(arguments) => ca::run(context, arguments),
        Verb::Model(arguments) => model::run(context, arguments),
        Verb::Freeze(arguments) => freeze::run(context, arguments),
        Verb::Change(arguments) => change::run(context, arguments),
        Verb::BreakGlass(arguments) => break_glass::run(context, arguments),
        Verb::Hold(arguments) => hold::run(context, &arguments),
        Verb::Exception(arguments) => exception::run(context, &arguments),
        Verb::Validate(arguments) => validate::run(context, arguments),
        Verb::Ledger(arguments) => ledger::run(context, arguments),
        Verb::Doctor(arguments) => doctor::run(context, arguments),
    }
}
