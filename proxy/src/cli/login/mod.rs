//! `ordain login`, `ordain logout` and `ordain whoami`: a person's session at the admin address of a gate.
//!
//! Leaves out where it is kept (`session`) and signing in at a provider (`browser`).

mod browser;

use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use http::StatusCode;
use ordain_sigv4::Secret;
use serde::Serialize;
use zeroize::Zeroizing;

use super::output::Rows;
use super::session::{Server, Session, runtime};
use super::{Context, Exit};
use crate::people::wire::{Begun, ByPassword, ByToken, LOGIN, LOGIN_OIDC, LOGOUT, ME, Me};
use crate::settings::environment;

/// Log in.
#[derive(Debug, clap::Args)]
pub(super) struct LoginArguments {
    /// The gate's admin address as a URL; by default that of the gate of this machine.
    #[arg(long)]
    server: Option<String>,
    /// A PEM file of the authorities that the gate's certificate must come from; by default the system's.
    #[arg(long)]
    trust: Option<PathBuf>,
    /// Who logs in, by the name the model knows; by default the name of this machine's user.
    #[arg(long = "as", conflicts_with_all = ["oidc", "token_file"])]
    person: Option<String>,
    /// A file that holds the password and nothing else; by default it is asked for, or read from standard input, a line
    /// before the code.
    #[arg(long, conflicts_with_all = ["oidc", "token_file"])]
    password_file: Option<PathBuf>,
    /// Sign in at a provider, in a browser of this machine; which one has to be said where the gate takes several.
    #[arg(long, value_name = "ISSUER", num_args = 0..=1, conflicts_with = "token_file")]
    oidc: Option<Option<String>>,
    /// A PEM file of the authorities that the provider's certificate must come from; by default the system's.
    #[arg(long, requires = "oidc")]
    provider_trust: Option<PathBuf>,
    /// A file that holds a provider's ID token and nothing else; `-` is standard input.
    #[arg(long)]
    token_file: Option<PathBuf>,
}

/// Log out.
#[derive(Debug, clap::Args)]
pub(super) struct LogoutArguments {}

/// Tell who is logged in.
#[derive(Debug, clap::Args)]
pub(super) struct WhoamiArguments {}

/// A session as it is shown.
#[derive(Serialize)]
struct Shown<'a> {
    person: &'a str,
    roles: &'a [String],
    shown_by: &'a str,
    server: &'a str,
    expires: String,
}

pub(super) fn run(context: &Context, arguments: LoginArguments) -> anyhow::Result<Exit> {
    let server = Server::of(context, arguments.server, arguments.trust)?;
    runtime()?.block_on(async {
        let (path, posted) = match (arguments.oidc, arguments.token_file) {
            (Some(issuer), _) => {
                let shown = browser::sign_in(
                    context,
                    &server,
                    issuer.as_deref(),
                    arguments.provider_trust.as_deref(),
                );
                (LOGIN_OIDC, serde_json::to_vec(&shown.await?)?)
            }
            (None, Some(path)) => {
                let id_token = line_of(&text_of(&path)?)?;
                (LOGIN_OIDC, serde_json::to_vec(&ByToken { id_token, nonce: None })?)
            }
            (None, None) => {
                let shown = ask_for(context, arguments.person, arguments.password_file.as_deref())?;
                (LOGIN, serde_json::to_vec(&shown)?)
            }
        };
        let (status, text) = server.ask(path, None, Some(posted)).await?;
        if status != StatusCode::OK {
            context.output.complain(&format!("not logged in at `{}`: {}", server.url(), text.escape_debug()));
            return Ok(Exit::No);
        }
        let begun: Begun = serde_json::from_str(&text)
            .with_context(|| format!("`{}` answers what no gate does; check `--server`", server.url()))?;
        let session = Session::new(server, begun.person, Secret::new(begun.token), begun.expires);
        session.keep()?;
        context.output.line(&format!(
            "logged in as `{}` at `{}`, as {}, until {} or an hour without use",
            session.person,
            session.server.url(),
            begun.roles.join(" and "),
            session.expires
        ))?;
        Ok(Exit::Ok)
    })
}

pub(super) fn log_out(context: &Context, _: LogoutArguments) -> anyhow::Result<Exit> {
    let session = Session::read()?;
    let ended = runtime()?.block_on(session.ask(LOGOUT, Some(Vec::new())));
    // Whatever the gate says, nobody is to find it here.
    Session::forget()?;
    match ended {
        // The second: it was over already.
        Ok((StatusCode::OK | StatusCode::UNAUTHORIZED, _)) => {
            context.output.line(&format!("logged out at `{}`", session.server.url()))?;
            Ok(Exit::Ok)
        }
        Ok((_, why)) => bail!("the session is forgotten here, and could not be ended at the gate: {why}"),
        Err(why) => bail!(
            "the session is forgotten here, and could not be ended at the gate, where it ends after an hour without use: {why}"
        ),
    }
}

pub(super) fn who_am_i(context: &Context, _: WhoamiArguments) -> anyhow::Result<Exit> {
    let session = Session::read()?;
    let (status, text) = runtime()?.block_on(session.ask(ME, None))?;
    if status == StatusCode::UNAUTHORIZED {
        let text = format!(
            "the session of `{}` at `{}` is over; log in again with `ordain login`",
            session.person,
            session.server.url()
        );
        context.output.complain(&text);
        return Ok(Exit::No);
    }
    let me: Option<Me> = serde_json::from_str(&text).ok().filter(|_| status == StatusCode::OK);
    let me =
        me.with_context(|| format!("`{}` does not say who is logged in: {text}", session.server.url()))?;
    let shown = Shown {
        person: me.person.as_deref().unwrap_or(&session.person),
        roles: &me.roles,
        shown_by: &me.shown_by,
        server: session.server.url(),
        expires: me.expires.unwrap_or(session.expires).to_string(),
    };
    context.output.show(context.format, &shown, || {
        let mut rows = Rows::new(&["what", "value"]);
        rows.push(vec!["person".to_owned(), shown.person.to_owned()]);
        rows.push(vec!["roles".to_owned(), shown.roles.join(", ")]);
        rows.push(vec!["shown by".to_owned(), shown.shown_by.to_owned()]);
        rows.push(vec!["server".to_owned(), shown.server.to_owned()]);
        rows.push(vec!["ends".to_owned(), shown.expires.clone()]);
        rows
    })?;
    Ok(Exit::Ok)
}

/// Asks for what an account is logged in to with, on the terminal; where there is none, reads it from standard input.
fn ask_for(context: &Context, person: Option<String>, file: Option<&Path>) -> anyhow::Result<ByPassword> {
    let name = person.or_else(|| environment("USER")).context("give the person's name with `--as`")?;
    let password = password(&format!("password of {name}: "), file)?;
    if io::stdin().is_terminal() {
        context.output.complain("the code that your authenticator shows:");
    }
    let mut code = String::new();
    io::stdin().read_line(&mut code)?;
    Ok(ByPassword { name, password: password.to_string(), code: code.trim().to_owned() })
}

/// A password: of a file, from the terminal without showing it, or a line of standard input.
pub(super) fn password(prompt: &str, file: Option<&Path>) -> anyhow::Result<Zeroizing<String>> {
    if let Some(path) = file {
        return Ok(Zeroizing::new(line_of(&text_of(path)?)?));
    }
    if io::stdin().is_terminal() {
        return Ok(Zeroizing::new(rpassword::prompt_password(prompt)?));
    }
    let mut line = Zeroizing::new(String::new());
    io::stdin().read_line(&mut line)?;
    Ok(Zeroizing::new(line_of(&line)?))
}

fn text_of(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    let read =
        if path == Path::new("-") { io::read_to_string(io::stdin()) } else { fs::read_to_string(path) };
    read.map(Zeroizing::new).with_context(|| format!("cannot read `{}`", path.display()))
}

/// The one line of a text, without its end.
fn line_of(text: &str) -> anyhow::Result<String> {
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() || line.contains('\n') {
        bail!("what was given is empty or has several lines; give the secret alone, in one line");
    }
    Ok(line.to_owned())
}
