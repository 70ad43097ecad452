//! Every operation of every AWS service, as botocore itself sends it, must be read as what it is.
//!
//! The requests are made by `sweep.py` and kept compressed in `sweep/`; `ORDAIN_TEST_SWEEP` names a folder of
//! fresh ones. Leaves out resources and parameters, which the room's own cases show.

use std::collections::{BTreeMap, BTreeSet};

use ordain_action::Plane;
use ordain_decode::line::NO_ACCOUNT;
use serde::Deserialize;

use crate::planes::sweeps::{self, Decoded, Effect, Reader};

/// What `sweep.py` says of a request.
#[derive(Deserialize)]
struct Expected {
    id: String,
    expect_service: String,
    expect_operation: String,
    expect_readonly_hint: String,
}

/// What a whole file came to.
#[derive(Default)]
struct Tally {
    requests: usize,
    exact: usize,
    /// Read as an operation of another service that is the same request, byte for byte.
    tied: usize,
    undecodable: usize,
    /// Another service of the same name on the wire, or another operation: grouped, counted.
    misses: BTreeMap<String, usize>,
    /// Changes that would have gone on as reads, by id.
    changes_read: Vec<String>,
    /// Effects without a resource, by id.
    bare: Vec<String>,
}

impl Tally {
    fn add(&mut self, expected: &Expected, decoded: &Decoded, twins: &Twins) {
        self.requests += 1;
        if let Some(refusal) = &decoded.undecodable {
            self.undecodable += 1;
            self.miss(format!("{}: undecodable, {}", expected.expect_service, refusal.reason_code));
            return;
        }
        let first = decoded.effects.first().expect("a decoded request has an effect");
        if first.service == expected.expect_service && first.operation == expected.expect_operation {
            self.exact += 1;
        } else if twins.are(expected, first) {
            self.tied += 1;
        } else {
            let what = if first.operation == expected.expect_operation { "service" } else { "operation" };
            self.miss(format!("{}: read as another {what}, {}", expected.expect_service, first.service));
        }
        // What nobody doubts is a change must not pass as a read, exact or not.
        if expected.expect_readonly_hint == "change" && decoded.is_read() {
            self.changes_read.push(expected.id.clone());
        }
        if decoded.effects.iter().any(|effect| effect.resources.is_empty()) {
            self.bare.push(expected.id.clone());
        }
    }

    fn miss(&mut self, group: String) {
        *self.misses.entry(group).or_default() += 1;
    }

    fn merge(&mut self, other: Self) {
        self.requests += other.requests;
        self.exact += other.exact;
        self.tied += other.tied;
        self.undecodable += other.undecodable;
        for (group, count) in other.misses {
            *self.misses.entry(group).or_default() += count;
        }
        self.changes_read.extend(other.changes_read);
        self.bare.extend(other.bare);
    }

    fn report(&self, name: &str) {
        let exact = 100.0 * share(self.exact, self.requests);
        let tied = 100.0 * share(self.tied, self.requests);
        eprintln!(
            "{name}: {} requests, {exact:.2} % exact, {tied:.2} % tied, {} undecodable",
            self.requests, self.undecodable
        );
        let mut groups: Vec<_> = self.misses.iter().collect();
        groups.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (group, count) in groups.iter().take(40) {
            eprintln!("  {count:6}  {group}");
        }
        for id in self.changes_read.iter().take(20) {
            eprintln!("  a change decoded as a read: {id}");
        }
    }
}

/// Operations of different services that are the same on the wire: nobody could tell them apart.
#[derive(Default)]
struct Twins(BTreeMap<(bool, String), BTreeSet<String>>);

impl Twins {
    fn read() -> Self {
        let mut twins = Self::default();
        for line in lines("twins.txt") {
            let (kind, names) = line.split_once(' ').expect("a kind and names");
            let names: BTreeSet<String> = names.split(' ').map(str::to_owned).collect();
            for name in &names {
                twins.0.entry((kind == "override", name.clone())).or_default().extend(names.clone());
            }
        }
        twins
    }

    fn are(&self, expected: &Expected, read: &Effect) -> bool {
        let key = format!("{}/{}", expected.expect_service, expected.expect_operation);
        let other = format!("{}/{}", read.service, read.operation);
        // The host says nothing under an override, so that more is the same.
        let group = self.0.get(&(expected.id.contains("override"), key));
        group.is_some_and(|group| group.contains(&other))
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^52")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

fn lines(name: &str) -> impl Iterator<Item = String> + use<> {
    sweeps::lines(&format!("aws/sweep/{name}"), "ORDAIN_TEST_SWEEP", name)
}

fn replay(name: &str) -> Tally {
    let reader = Reader { served: false, ..Reader::new(Plane::Aws, NO_ACCOUNT) };
    let twins = Twins::read();
    let lines: Vec<String> = lines(&format!("{name}.jsonl")).collect();
    let half = lines.len().div_ceil(2).max(1);
    let mut tally = Tally::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> =
            lines.chunks(half).map(|lines| scope.spawn(|| decode_all(&reader, &twins, lines))).collect();
        for worker in workers {
            tally.merge(worker.join().expect("no request stops the decoder"));
        }
    });
    tally.report(name);
    tally
}

fn decode_all(reader: &Reader, twins: &Twins, lines: &[String]) -> Tally {
    let mut tally = Tally::default();
    for line in lines {
        let (expected, decoded) = reader.decoded(line);
        tally.add(&expected, &decoded, twins);
    }
    tally
}

fn check(name: &str, least_requests: usize, least_exact: f64) {
    let tally = replay(name);
    assert!(tally.requests >= least_requests, "the sweep has shrunk to {} requests", tally.requests);
    assert!(tally.changes_read.is_empty(), "{} changes were decoded as reads", tally.changes_read.len());
    assert!(tally.bare.is_empty(), "an effect without a resource: {:?}", tally.bare.first());
    let exact = share(tally.exact + tally.tied, tally.requests);
    assert!(exact >= least_exact, "{:.3} % exact, {:.3} % wanted", exact * 100.0, least_exact * 100.0);
}

#[test]
fn the_sweep_with_native_hosts() {
    check("native", 39_000, 0.995);
}

#[test]
fn the_sweep_under_endpoint_override() {
    check("override", 39_000, 0.99);
}

#[test]
fn the_sweep_of_presigned_urls() {
    check("presigned", 4_500, 0.99);
}

#[test]
fn the_sweep_of_other_protocols_regions_and_hosts() {
    check("variants", 14_500, 0.99);
}
