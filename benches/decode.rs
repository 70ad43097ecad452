//! Decoding: requests a second on one core, over every AWS operation as botocore sends it, and for a few that
//! stand for their wire form.
//!
//! `cargo bench -p ordain-benches --bench decode`.
#![expect(clippy::expect_used, reason = "a benchmark without its data must stop")]

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::LazyLock;

use divan::Bencher;
use divan::counter::ItemsCount;
use ordain_decode::line::decode_line;
use ordain_decode::{Rooms, RoomsConfig};

fn main() {
    divan::main();
}

static ROOMS: LazyLock<Rooms> =
    LazyLock::new(|| Rooms::new(RoomsConfig::default()).expect("the built in catalogue is whole"));

static LINES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let sweep = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/planes/aws/sweep/native.jsonl.zst");
    let file = File::open(sweep).expect("the sweep is committed");
    let reader = zstd::Decoder::new(file).expect("the sweep is compressed");
    BufReader::new(reader).lines().collect::<Result<_, _>>().expect("the sweep is text")
});

/// Every operation once, all services decoded from their blocks before.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn every_operation(bencher: Bencher<'_, '_>) {
    let lines: &[String] = &LINES;
    bencher.counter(ItemsCount::new(lines.len())).bench(|| {
        let mut out = String::new();
        for line in lines {
            out.clear();
            decode_line(&ROOMS, line, &mut out);
            divan::black_box(&out);
        }
    });
}

/// One request of each form.
#[divan::bench(args = [
    "ec2/TerminateInstances/full",
    "dynamodb/PutItem/full",
    "iam/CreateRole/full",
    "lambda/CreateFunction/full",
    "s3/DeleteObject/full",
    "cloudwatch/PutMetricData/full",
])]
fn one(bencher: Bencher<'_, '_>, id: &str) {
    let wanted = format!("{{\"id\":\"{id}\"");
    let line = LINES.iter().find(|line| line.starts_with(&wanted)).expect("the sweep has it");
    let mut out = String::new();
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| {
        out.clear();
        decode_line(&ROOMS, line, &mut out);
        divan::black_box(out.len())
    });
}
