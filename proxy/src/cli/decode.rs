//! `ordain decode`: requests in, what they would do out, one JSON line each, in order.
//!
//! Leaves out reading and writing the lines themselves (`ordain-decode`); judges nothing, sends nothing,
//! and looks at no signature.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::Context as _;
use ordain_action::{Plane, Upstream};
use ordain_decode::Rooms;
use ordain_decode::line::{At, decode_line_at, decode_raw};

use super::asked::{self, LINES};
use super::{Context, Exit};

/// The most lines that are decoded together.
const BATCH: usize = 2_048;

/// Bytes read at once: enough for a batch to fill up.
const BUFFER: usize = 1 << 18;

/// Read requests and say what they would do.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{LINES}\n\nThe answer is always JSON, a line for each request."))]
pub(super) struct Arguments {
    /// Files of JSON lines, or of one raw HTTP request each; `-` is standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The account that the requests are for, or the name of the cluster or API; the upstream's own where one is given.
    #[arg(long)]
    account: Option<String>,
    /// The upstream that serves them, by its name in the settings: its room reads them, whatever they look like.
    #[arg(long)]
    upstream: Option<String>,
    /// The plane whose room reads them, whatever they look like (`ordain planes` lists them).
    #[arg(long, conflicts_with = "upstream")]
    plane: Option<String>,
}

pub(super) fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let config = context.config()?;
    let (rooms, upstream) = match &arguments.upstream {
        Some(name) => (asked::all_rooms(&config)?, asked::upstream(&config, Some(name), arguments.account)?),
        None => {
            let plane = arguments.plane.as_deref().map(asked::plane).transpose()?.unwrap_or(Plane::Aws);
            let (account, partition) =
                if plane == Plane::Aws { ("123456789012", "aws") } else { ("default", "") };
            let upstream = Upstream {
                name: "decode".into(),
                plane,
                account: arguments.account.as_deref().unwrap_or(account).into(),
                partition: partition.into(),
            };
            (asked::rooms(&config)?, upstream)
        }
    };
    // What is signed says itself what it is for.
    let served = arguments.upstream.is_some() || upstream.plane != Plane::Aws;
    let at = At { upstream: &upstream, served };
    let decoder = Decoder { rooms: &rooms, at };
    let out = io::stdout().lock();
    let mut out = io::BufWriter::with_capacity(1 << 16, out);
    for path in &arguments.files {
        let result = if path == Path::new("-") {
            file(decoder, "standard input", BufReader::with_capacity(BUFFER, io::stdin().lock()), &mut out)
        } else {
            let opened = File::open(path).with_context(|| format!("cannot read `{}`", path.display()))?;
            let name = path.display().to_string();
            file(decoder, &name, BufReader::with_capacity(BUFFER, opened), &mut out)
        };
        match result {
            // The reader of our output has gone: nothing is left to do, and nothing is wrong.
            Err(error) if is_broken_pipe(&error) => return Ok(Exit::Ok),
            other => other?,
        }
    }
    match out.flush() {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(Exit::Ok),
    }
}

#[derive(Clone, Copy)]
struct Decoder<'r> {
    rooms: &'r Rooms,
    at: At<'r>,
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// A file is JSON lines when its first byte opens an object, and one raw request otherwise.
fn file(
    decoder: Decoder<'_>,
    name: &str,
    mut input: BufReader<impl Read>,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let first = input.fill_buf().with_context(|| format!("cannot read `{name}`"))?.first().copied();
    match first {
        None => Ok(()),
        Some(b'{') => lines(decoder, input, out),
        Some(_) => {
            let mut raw = Vec::new();
            input.read_to_end(&mut raw)?;
            let mut line = String::new();
            decode_raw(decoder.rooms, decoder.at, name, &raw, &mut line);
            out.write_all(line.as_bytes())?;
            Ok(())
        }
    }
}

/// Decodes on all cores and writes in order. A batch ends early when no whole line is waiting, so that a
/// caller that sends one request and waits gets its answer.
fn lines(decoder: Decoder<'_>, mut input: BufReader<impl Read>, out: &mut impl Write) -> anyhow::Result<()> {
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        batch.clear();
        while batch.len() < BATCH {
            let mut line = String::new();
            if input.read_line(&mut line)? == 0 {
                break;
            }
            if !line.trim().is_empty() {
                batch.push(line);
            }
            if !input.buffer().contains(&b'\n') {
                break;
            }
        }
        if batch.is_empty() {
            return Ok(());
        }
        decode_batch(decoder, &batch, workers, out)?;
        out.flush()?;
    }
}

fn decode_batch(
    decoder: Decoder<'_>,
    batch: &[String],
    workers: usize,
    out: &mut impl Write,
) -> io::Result<()> {
    if batch.len() < 64 || workers < 2 {
        return out.write_all(decode_some(decoder, batch).as_bytes());
    }
    let share = batch.len().div_ceil(workers);
    thread::scope(|scope| {
        let started: Vec<_> =
            batch.chunks(share).map(|some| scope.spawn(move || decode_some(decoder, some))).collect();
        for worker in started {
            let text = worker.join().map_err(|_| io::Error::other("a decoder stopped"))?;
            out.write_all(text.as_bytes())?;
        }
        Ok(())
    })
}

fn decode_some(decoder: Decoder<'_>, lines: &[String]) -> String {
    // Each answer ends its own line.
    let mut text = String::with_capacity(lines.len() * 512);
    for line in lines {
        decode_line_at(decoder.rooms, decoder.at, line, &mut text);
    }
    text
}
