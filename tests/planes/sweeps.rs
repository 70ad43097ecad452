//! Requests that a plane's own clients made without sending them: where they lie, what is read from each, what came of
//! all; and the two sorts of scripts that several planes have, by what they say of a request.
//!
//! They lie compressed beside the script that made them; `ORDAIN_TEST_WORD_SWEEP`, with the plane's word, names a folder
//! of fresh ones. Leaves out what the other planes' scripts say, which those planes' sweeps know.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use ordain_action::{Plane, Reading, Upstream};
use ordain_decode::line::{At, decode_line_at, read_request};
use ordain_decode::{Rooms, RoomsConfig};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// What is kept compressed below `tests/planes`.
pub(crate) fn kept(name: &str) -> impl Read + use<> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../tests/planes/{name}.zst"));
    let file = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    zstd::Decoder::new(file).expect("it is a zstd stream")
}

/// The lines of what is kept; where the variable names a folder of fresh files, those of one of them.
pub(crate) fn lines(name: &str, variable: &str, fresh: &str) -> impl Iterator<Item = String> + use<> {
    let plain: Box<dyn Read> = match crate::harness::variable(variable) {
        Some(folder) => {
            Box::new(File::open(Path::new(&folder).join(fresh)).expect("the folder of fresh ones has it"))
        }
        None => Box::new(kept(name)),
    };
    BufReader::new(plain).lines().map(|line| line.expect("the file is text"))
}

/// The requests that a plane's clients made.
pub(crate) fn requests(plane: Plane) -> impl Iterator<Item = String> + use<> {
    let variable = format!("ORDAIN_TEST_{}_SWEEP", plane.as_str().to_uppercase());
    lines(&format!("{plane}/sweep/requests.jsonl"), &variable, "requests.jsonl")
}

/// What is wrong, if it does not hold.
pub(crate) fn ensure(holds: bool, wrong: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(wrong()) }
}

/// Says how many there are, which must not become fewer.
pub(crate) fn at_least(least: usize, count: usize, of: &str) {
    eprintln!("{count} {of}");
    assert!(count >= least, "the sweep has shrunk to {count} {of}");
}

/// What the decoder says of a request.
#[derive(Deserialize)]
pub(crate) struct Decoded {
    pub(crate) id: String,
    #[serde(default)]
    plane: String,
    #[serde(default)]
    pub(crate) effects: Vec<Effect>,
    pub(crate) undecodable: Option<Refusal>,
    /// The whole line.
    #[serde(skip)]
    pub(crate) answer: String,
}

#[derive(Deserialize)]
pub(crate) struct Effect {
    pub(crate) service: String,
    pub(crate) operation: String,
    pub(crate) access: String,
    pub(crate) resources: Vec<Resource>,
}

#[derive(Deserialize)]
pub(crate) struct Resource {
    pub(crate) role: String,
    pub(crate) r#type: String,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) pattern: bool,
}

#[derive(Deserialize)]
pub(crate) struct Refusal {
    pub(crate) reason_code: String,
    text: String,
}

impl Decoded {
    /// The first effect; why there is none, where a sweep does not know that it has to be refused.
    pub(crate) fn first(&self) -> Result<&Effect, String> {
        self.effects.first().ok_or_else(|| match &self.undecodable {
            Some(why) => format!("undecodable {}: {}", why.reason_code, why.text),
            None => "no effect".to_owned(),
        })
    }

    /// It is refused, for this.
    pub(crate) fn is_refused(&self, reason_code: &str) -> bool {
        self.undecodable.as_ref().is_some_and(|why| why.reason_code == reason_code)
    }

    /// The resources of all effects.
    pub(crate) fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.effects.iter().flat_map(|effect| &effect.resources)
    }

    /// What its effects do, in their order.
    pub(crate) fn accesses(&self) -> Vec<&str> {
        self.effects.iter().map(|effect| effect.access.as_str()).collect()
    }

    /// It changes nothing, and hands out no secret.
    pub(crate) fn is_read(&self) -> bool {
        self.accesses().iter().all(|access| *access == "read")
    }

    /// It is a `read` or a `change`, as the client's name for it says.
    pub(crate) fn fits(&self, hint: &str) -> Result<(), String> {
        match (hint, self.is_read()) {
            ("change", true) => Err("a change is read as a read".to_owned()),
            ("read", false) => Err(format!("a read is read as {}", self.accesses().join(", "))),
            ("change", false) | ("read", true) => Ok(()),
            (other, _) => Err(format!("`{other}` says nothing of what is meant")),
        }
    }

    /// What holds of everything that is read, whatever was meant.
    fn is_whole(&self, plane: Plane) -> Result<(), String> {
        if self.undecodable.is_some() {
            return Ok(());
        }
        ensure(self.plane == plane.as_str(), || format!("taken for `{}`", self.plane))?;
        ensure(!self.effects.is_empty(), || "no effect".to_owned())?;
        let bare = self.effects.iter().any(|effect| effect.resources.is_empty());
        ensure(!bare, || "an effect touches nothing".to_owned())
    }
}

/// What reads the requests.
pub(crate) struct Reader {
    pub(crate) rooms: Rooms,
    /// Where they are taken to have come.
    pub(crate) upstream: Upstream,
    /// Else a request has to say itself of which plane it is.
    pub(crate) served: bool,
}

impl Reader {
    /// The built-in rooms, before one account of a plane.
    pub(crate) fn new(plane: Plane, account: &str) -> Self {
        let partition = if plane == Plane::Aws { "aws" } else { "" };
        Self {
            rooms: Rooms::new(RoomsConfig::default()).expect("the built-in rooms load"),
            upstream: Upstream {
                name: "default".into(),
                plane,
                account: account.into(),
                partition: partition.into(),
            },
            served: true,
        }
    }

    fn at(&self) -> At<'_> {
        At { upstream: &self.upstream, served: self.served }
    }

    /// The line that the decoder writes.
    pub(crate) fn answer(&self, line: &str) -> String {
        let mut answer = String::new();
        decode_line_at(&self.rooms, self.at(), line, &mut answer);
        answer
    }

    /// What is read, where a sweep asks for more than the decoder writes.
    pub(crate) fn reading(&self, line: &str) -> Reading {
        read_request(&self.rooms, self.at(), line).expect("the line is a request").1
    }

    /// What the script says of a request, and what the decoder says of it.
    pub(crate) fn decoded<Expected: DeserializeOwned>(&self, line: &str) -> (Expected, Decoded) {
        let answer = self.answer(line);
        let decoded: Decoded = serde_json::from_str(&answer).expect("the decoder writes JSON lines");
        assert_eq!(parsed::<Named>(line).id, decoded.id, "answers come in the order of the requests");
        (parsed(line), Decoded { answer, ..decoded })
    }

    /// Holds every request against what the script says of it.
    pub(crate) fn sweep<Expected: DeserializeOwned>(
        &self,
        lines: impl Iterator<Item = String>,
        mut check: impl FnMut(&Expected, &Decoded) -> Result<(), String>,
    ) -> Swept {
        let mut swept = Swept::default();
        for line in lines {
            let (expected, decoded) = self.decoded(&line);
            let held = decoded.is_whole(self.upstream.plane).and_then(|()| check(&expected, &decoded));
            swept.add(&decoded.id, held);
        }
        swept
    }
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

/// What a line of a sweep says.
pub(crate) fn parsed<Expected: DeserializeOwned>(line: &str) -> Expected {
    serde_json::from_str(line).expect("the sweep is JSON lines")
}

/// What came of a sweep.
#[derive(Default)]
pub(crate) struct Swept {
    requests: usize,
    faults: Vec<String>,
}

impl Swept {
    pub(crate) fn add(&mut self, id: &str, held: Result<(), String>) {
        self.requests += 1;
        self.faults.extend(held.err().map(|fault| format!("{id}: {fault}")));
    }

    /// There are at least so many requests, and each is what it was meant to be.
    pub(crate) fn holds(&self, least: usize) {
        let misread = format!("{} misread", self.faults.len());
        at_least(least, self.requests, &format!("requests, {misread}"));
        let first: Vec<&str> = self.faults.iter().take(40).map(String::as_str).collect();
        assert!(self.faults.is_empty(), "{misread}:\n{}", first.join("\n"));
    }
}

/// Requests that a script has the client's own names for.
pub(crate) fn named(plane: Plane, least: usize) {
    /// What the script says of a request.
    #[derive(Deserialize)]
    struct Expected {
        /// The operation, where the client has a name for it that is the plane's own too.
        expect_operation: Option<String>,
        /// The same without the service before it, in any case.
        expect_name: Option<String>,
        /// `read` or `change`.
        expect_hint: String,
    }
    let check = |expected: &Expected, decoded: &Decoded| {
        let operation = &decoded.first()?.operation;
        let name = operation.rsplit('/').next().unwrap_or_default();
        let called = expected.expect_operation.as_ref().is_none_or(|meant| meant == operation)
            && expected.expect_name.as_ref().is_none_or(|meant| meant.eq_ignore_ascii_case(name));
        ensure(called, || format!("read as {operation}"))?;
        decoded.fits(&expected.expect_hint)
    };
    Reader::new(plane, "acme").sweep(requests(plane), check).holds(least);
}

/// Requests that a script has classes for, and what they name.
pub(crate) fn classed(plane: Plane, least: usize) {
    /// What the script says of a request.
    #[derive(Deserialize)]
    struct Expected {
        /// The class that one of the effects has; for a read, all of them, secrets read out included; or `refused` and
        /// why.
        expect: String,
        /// A resource that is named; empty where the script says nothing of it.
        name: String,
    }
    let check = |expected: &Expected, decoded: &Decoded| {
        if expected.expect.strip_prefix("refused ").is_some_and(|code| decoded.is_refused(code)) {
            return Ok(());
        }
        decoded.first()?;
        let accesses = decoded.accesses();
        let fits = match expected.expect.as_str() {
            "read" => accesses.iter().all(|access| matches!(*access, "read" | "secret_read")),
            other => accesses.contains(&other) && !decoded.is_read(),
        };
        ensure(fits, || format!("{} is read as {}", expected.expect, accesses.join(", ")))?;
        let named = expected.name.is_empty() || decoded.resources().any(|one| one.name == expected.name);
        ensure(named, || format!("`{}` is not named", expected.name))
    };
    Reader::new(plane, "acme").sweep(requests(plane), check).holds(least);
}
