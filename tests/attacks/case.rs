//! Reads the cases of `attacks/cases` and plays them to an address. The format is in `cases/README.md`.
//!
//! Leaves out what an answer must be: a listener alone and the whole gate check different things.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// What one answer must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expected {
    /// This status and reason code, as `400 framing_target`.
    Refused(String),
    /// The guard lets it pass, as `POST /a 3`.
    Passed(String),
    /// The connection is closed without a further answer.
    Silence,
}

/// What a client does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Writes these bytes, in which `{gate}` is not filled in yet.
    Write(Vec<u8>),
    /// Waits for a moment.
    Pause,
    /// Closes its writing half.
    End,
}

/// One case.
#[derive(Debug)]
pub(crate) struct Case {
    /// File and name.
    pub(crate) name: String,
    /// One for each answer, in order.
    pub(crate) expected: Vec<Expected>,
    /// What the client does.
    pub(crate) steps: Vec<Step>,
}

/// All cases of a folder, in the order of their files.
pub(crate) fn read_all(folder: &Path) -> Vec<Case> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let topic = file.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        let mut parts = text.split("=== ");
        assert_eq!(parts.next(), Some(""), "{topic} begins with a case");
        cases.extend(parts.map(|part| read(&topic, part)));
    }
    cases
}

fn read(topic: &str, part: &str) -> Case {
    let (about, raw) =
        part.split_once("\n---\n").unwrap_or_else(|| panic!("{topic}: `---` is missing in {part}"));
    let mut lines = about.lines();
    let name = format!("{topic}: {}", lines.next().unwrap());
    let mut expected = Vec::new();
    for line in lines {
        match line.split_once(": ").unwrap() {
            ("why", _) => {}
            ("expect", "silence") => expected.push(Expected::Silence),
            ("expect", text) => expected.push(match text.strip_prefix("pass ") {
                Some(request) => Expected::Passed(request.to_owned()),
                None => Expected::Refused(text.to_owned()),
            }),
            (other, _) => panic!("{name}: `{other}` is neither `why` nor `expect`"),
        }
    }
    assert!(!expected.is_empty(), "{name} expects nothing");
    Case { name, expected, steps: steps(raw) }
}

fn steps(raw: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut bytes = Vec::new();
    for line in raw.strip_suffix('\n').unwrap_or(raw).split('\n') {
        let special = match line {
            "<pause>" => Some(Step::Pause),
            "<end>" => Some(Step::End),
            _ => None,
        };
        match special {
            Some(step) => {
                steps.push(Step::Write(std::mem::take(&mut bytes)));
                steps.push(step);
            }
            None => unescape(line, &mut bytes),
        }
    }
    steps.push(Step::Write(bytes));
    steps
}

fn unescape(line: &str, bytes: &mut Vec<u8>) {
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                None => return,
                Some('r') => bytes.push(b'\r'),
                Some('n') => bytes.push(b'\n'),
                Some('t') => bytes.push(b'\t'),
                Some('0') => bytes.push(0),
                Some('\\') => bytes.push(b'\\'),
                Some('x') => {
                    let digits: String = letters.by_ref().take(2).collect();
                    bytes.push(u8::from_str_radix(&digits, 16).unwrap());
                }
                Some(other) => panic!("`\\{other}` stands for nothing"),
            },
            '{' => {
                let word: String = letters.by_ref().take_while(|letter| *letter != '}').collect();
                match word.split_once(':') {
                    Some(("long", count)) => bytes.extend(std::iter::repeat_n(b'a', count.parse().unwrap())),
                    Some(("headers", count)) => {
                        let lines: Vec<String> =
                            (0..count.parse().unwrap()).map(|n: u32| format!("x-{n}: a")).collect();
                        bytes.extend(lines.join("\r\n").bytes());
                    }
                    _ => bytes.extend(format!("{{{word}}}").bytes()),
                }
            }
            other => bytes.extend(other.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    bytes.extend(b"\r\n");
}

/// Plays a case: everything that was answered until the other side closed, or said nothing for a while.
pub(crate) async fn play(case: &Case, address: SocketAddr) -> Vec<u8> {
    let mut socket = TcpStream::connect(address).await.unwrap();
    for step in &case.steps {
        match step {
            // The other side may have closed already; what it said before is still to be read.
            Step::Write(bytes) => drop(socket.write_all(&fill_in(bytes, address)).await),
            Step::Pause => sleep(Duration::from_millis(20)).await,
            Step::End => drop(socket.shutdown().await),
        }
    }
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(Ok(count)) = timeout(Duration::from_secs(10), socket.read(&mut piece)).await {
        if count == 0 {
            return answer;
        }
        answer.extend_from_slice(&piece[..count]);
    }
    answer
}

fn fill_in(bytes: &[u8], address: SocketAddr) -> Vec<u8> {
    let mut filled = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(6).position(|six| six == b"{gate}") {
        filled.extend_from_slice(&rest[..at]);
        filled.extend(address.to_string().bytes());
        rest = &rest[at + 6..];
    }
    filled.extend_from_slice(rest);
    filled
}
