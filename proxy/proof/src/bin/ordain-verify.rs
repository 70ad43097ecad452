//! `ordain-verify`: verifies evidence without the gate, its configuration or a network.
//!
//! Exit codes: 0 it verifies, 2 usage, 4 it does not verify. Leaves out all it verifies with
//! (`ordain_proof`).

use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::anyhow;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Parser, Subcommand};
use ordain_proof::inclusion::InclusionProof;
use ordain_proof::note::Verifier;
use ordain_proof::tiles;
use ordain_proof::tree::{Hash, verify_consistency};
use ordain_proof::verify::{self, Demand, VerifyError, Wanted};

/// Verifies Ordain's evidence, offline.
#[derive(Parser)]
#[command(name = "ordain-verify", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Verify a ledger's directory.
    Ledger {
        /// The directory.
        directory: PathBuf,
        /// The public key: its text, or a file that holds it. Without one, the key beside the ledger is used.
        #[arg(long)]
        key: Option<String>,
        /// A checkpoint kept elsewhere; the ledger must go on from it. May be given again.
        #[arg(long)]
        checkpoint: Vec<PathBuf>,
        /// The gate is stopped: the checkpoint must cover every entry.
        #[arg(long)]
        closed: bool,
    },
    /// Verify an export of tiles.
    Tiles {
        /// The directory.
        directory: PathBuf,
        /// The public key: its text, or a file that holds it.
        #[arg(long)]
        key: String,
    },
    /// Write a ledger out as tiles.
    Export {
        /// The ledger's directory.
        directory: PathBuf,
        /// Where to.
        into: PathBuf,
        /// The public key: its text, or a file that holds it. Without one, the key beside the ledger is used.
        #[arg(long)]
        key: Option<String>,
    },
    /// Write an entry and the proof that it is in the ledger.
    Prove {
        /// The ledger's directory.
        directory: PathBuf,
        /// The id of a decision or a tunnel, or the entry's number.
        entry: String,
        /// Where to: `PATH.json` and `PATH.tlog-proof`.
        #[arg(long)]
        out: PathBuf,
        /// The public key: its text, or a file that holds it. Without one, the key beside the ledger is used.
        #[arg(long)]
        key: Option<String>,
    },
    /// Verify a proof that was handed out.
    Proof {
        /// The proof.
        proof: PathBuf,
        /// The entry it is of.
        entry: PathBuf,
        /// The public key: its text, or a file that holds it.
        #[arg(long)]
        key: String,
    },
    /// Verify that one checkpoint goes on from another, by the ledger between them.
    Consistency {
        /// The ledger's directory.
        directory: PathBuf,
        /// The earlier checkpoint.
        earlier: PathBuf,
        /// The public key: its text, or a file that holds it.
        #[arg(long)]
        key: String,
    },
}

/// Something that was named on the command line cannot be used.
#[derive(Debug)]
struct Misasked(String);

impl fmt::Display for Misasked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Misasked {}

fn main() -> ExitCode {
    // A usage error exits with 2 from within.
    let arguments = Arguments::parse();
    let (text, code) = match run(&arguments.verb) {
        Ok(text) => (text, ExitCode::SUCCESS),
        // What was asked for is not there: nothing was found of the evidence, good or bad.
        Err(error) if error.is::<Misasked>() => {
            let _closed = writeln!(io::stderr().lock(), "error: {error:#}");
            return ExitCode::from(2);
        }
        Err(error) => (format!("does not verify: {error:#}\n"), ExitCode::from(4)),
    };
    // Whoever closed the pipe has read enough; the exit code still says what was found.
    let _closed = io::stdout().lock().write_all(text.as_bytes());
    code
}

fn run(verb: &Verb) -> anyhow::Result<String> {
    match verb {
        Verb::Ledger { directory, key, checkpoint, closed } => {
            ledger(directory, key.as_deref(), checkpoint, *closed)
        }
        Verb::Tiles { directory, key } => {
            let checkpoint = tiles::verify(directory, &key_of(key)?)?;
            Ok(format!("verifies: {} entries, root {}\n", checkpoint.size, checkpoint.root))
        }
        Verb::Export { directory, into, key } => {
            let (verifier, said) = key_or_own(directory, key.as_deref())?;
            let checkpoint = verify::export(directory, &verifier, into)?;
            Ok(format!("wrote {} entries to `{}`\n{said}", checkpoint.size, into.display()))
        }
        Verb::Prove { directory, entry, out, key } => prove(directory, entry, out, key.as_deref()),
        Verb::Proof { proof, entry, key } => {
            let proof = InclusionProof::parse(&text_of(proof)?)?;
            let entry = fs::read(entry).map_err(|error| unreadable(entry, &error))?;
            let checkpoint = proof.verify(&entry, &key_of(key)?)?;
            Ok(format!("verifies: entry {} of {} in `{}`\n", proof.index, checkpoint.size, checkpoint.origin))
        }
        Verb::Consistency { directory, earlier, key } => {
            let verifier = key_of(key)?;
            let old = verifier.open(&text_of(earlier)?)?;
            let (proof, new) = verify::prove_consistency(directory, &verifier, old.size)?;
            if !verify_consistency((old.size, old.root), (new.size, new.root), &proof) {
                return Err(anyhow!(
                    "the first {} entries are not those of `{}`",
                    old.size,
                    earlier.display()
                ));
            }
            Ok(format!("verifies: {} entries go on from {}\n{}", new.size, old.size, lines(&proof)))
        }
    }
}

fn ledger(directory: &Path, key: Option<&str>, earlier: &[PathBuf], closed: bool) -> anyhow::Result<String> {
    let (verifier, said) = key_or_own(directory, key)?;
    let notes = earlier.iter().map(|path| text_of(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let demand = Demand { earlier: notes.iter().map(String::as_str).collect(), closed };
    let verified = verify::directory(directory, &verifier, &demand)?;
    let mut text = format!(
        "verifies: {} entries, {} under the checkpoint, root {}\n{} decisions, {} without an outcome yet\n",
        verified.entries, verified.covered, verified.root, verified.decisions, verified.open
    );
    if verified.tunnels > 0 {
        text.push_str(&format!(
            "{} tunnels passed on unopened, {} without an end yet\n",
            verified.tunnels, verified.open_tunnels
        ));
    }
    if verified.torn {
        text.push_str("a batch that was being written follows: the gate is running, or was killed\n");
    }
    text.push_str(&said);
    Ok(text)
}

fn prove(directory: &Path, entry: &str, out: &Path, key: Option<&str>) -> anyhow::Result<String> {
    let (verifier, said) = key_or_own(directory, key)?;
    let wanted = entry.parse().map_or_else(|_| Wanted::Decision(entry.to_owned()), Wanted::Index);
    let proven = verify::prove(directory, &verifier, &wanted).map_err(|error| match error {
        VerifyError::NoEntry(_) => anyhow::Error::new(Misasked(error.to_string())),
        other => other.into(),
    })?;
    let statement = out.with_extension("json");
    let proof = out.with_extension("tlog-proof");
    for (path, bytes) in [(&statement, proven.entry.as_slice()), (&proof, proven.proof.to_text().as_bytes())]
    {
        fs::write(path, bytes)
            .map_err(|error| Misasked(format!("cannot write `{}`: {error}", path.display())))?;
    }
    Ok(format!("wrote `{}` and `{}`\n{said}", statement.display(), proof.display()))
}

fn lines(hashes: &[Hash]) -> String {
    hashes.iter().map(|hash| format!("{}\n", STANDARD.encode(hash.0))).collect()
}

/// The key given, or the one beside the ledger: whoever can write the ledger can write that too.
fn key_or_own(directory: &Path, key: Option<&str>) -> anyhow::Result<(Verifier, String)> {
    match key {
        Some(key) => Ok((key_of(key)?, String::new())),
        None => {
            let own = directory.join("verifier");
            let said = "the key is the one beside the ledger; give one kept elsewhere with `--key`\n";
            Ok((Verifier::parse(&text_of(&own)?)?, said.to_owned()))
        }
    }
}

fn key_of(text: &str) -> anyhow::Result<Verifier> {
    match Verifier::parse(text) {
        Ok(verifier) => Ok(verifier),
        Err(_) => Ok(Verifier::parse(&text_of(Path::new(text))?)?),
    }
}

fn text_of(path: &Path) -> anyhow::Result<String> {
    Ok(fs::read_to_string(path).map_err(|error| unreadable(path, &error))?)
}

fn unreadable(path: &Path, error: &io::Error) -> Misasked {
    Misasked(format!("cannot read `{}`: {error}; check the path", path.display()))
}
