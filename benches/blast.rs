//! The blast radius alone, on an estate of 100,000 things in 500,000 relations: what a question costs by how much it reaches, and
//! what the relations cost in memory.
//!
//! Leaves out the rest of a decision (`judge.rs`). `cargo bench -p ordain-benches --bench blast` prints percentiles; questions of all sorts are
//! asked in turn, so that noise falls on all alike.

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;
use std::time::Instant;

use ordain_rules::{Mode, Modes, Snapshot, Source, reach_of_deleting};

const ACCOUNT: &str = "111122223333";
const THINGS: u64 = 100_000;
const RELATIONS: u64 = 500_000;
const TEAMS: u64 = 200;
const ROUNDS: usize = 2_000;

/// Numbers that are the same in every run (a linear congruential generator, Knuth's MMIX).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

fn name(number: u64) -> String {
    format!("arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/i-{number:08x}")
}

/// Things in groups of fifty, as services are: most of what depends on something is of its own group, a little is of another,
/// and ten things are what nearly everything stands on.
fn estate(relations: u64) -> String {
    let mut text = String::new();
    for team in 0..TEAMS {
        let _ = write!(
            text,
            "apiVersion: ordain/v1\nkind: Group\nmetadata: {{name: team-{team}}}\nspec: {{}}\n---\n"
        );
    }
    let _ = write!(
        text,
        "apiVersion: ordain/v1\nkind: Account\nmetadata: {{name: shop}}\nspec: {{account: \"{ACCOUNT}\", owner: team-0}}\n---\n\
         apiVersion: ordain/v1\nkind: Inventory\nmetadata: {{name: estate}}\nspec:\n  source: bench\n  resources:\n"
    );
    for number in 0..THINGS {
        let _ = writeln!(
            text,
            "    - {{\"id\":\"r{number}\",\"type\":\"ec2:instance\",\"name\":\"{}\",\"owner\":\"team-{}\",\"tier\":\"{}\"}}",
            name(number),
            number / 50 % TEAMS,
            if number % 7 == 0 { "critical" } else { "medium" }
        );
    }
    if relations > 0 {
        text.push_str("  relations:\n");
    }
    let mut numbers = Numbers(7);
    for number in 0..relations {
        let from = numbers.below(THINGS);
        let group = from / 50 * 50;
        // Upwards only within a group, so that groups are layered and not one knot.
        let to = match number % 100 {
            0..=97 => group + numbers.below(from - group + 1),
            98 => numbers.below(10),
            _ => from.saturating_sub(50 + numbers.below(5_000)),
        };
        let kind = ["dependsOn", "partOf", "guardedBy", "runsAs", "keyedBy", "consumes", "routesTo"];
        let kind = kind.get(usize::try_from(numbers.below(7)).unwrap_or_default()).unwrap_or(&"dependsOn");
        let _ = writeln!(text, "    - {{from: r{from}, type: {kind}, to: r{to}}}");
    }
    text
}

/// What the process holds in memory, in bytes.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or_default();
    pages * 4_096
}

fn load(relations: u64) -> Option<Snapshot> {
    let source = Source { path: "estate.yaml".to_owned(), text: estate(relations) };
    Snapshot::load(&[source], Modes::new(Mode::Enforce)).ok()
}

fn main() {
    let mut out = std::io::stdout().lock();
    // What loading leaves behind in the allocator is there before anything is compared.
    drop(load(0));
    let before = resident();
    let bare = load(0);
    let without = resident().saturating_sub(before);
    let before = resident();
    let began = Instant::now();
    let Some(snapshot) = load(RELATIONS) else { return };
    let took = began.elapsed();
    let with = resident().saturating_sub(before);
    let summary = snapshot.summary();
    let _ = writeln!(
        out,
        "{} things and {} relations, loaded in {took:.2?}; {} MB without relations, {} MB with",
        summary.entries,
        summary.relations,
        without / 1_000_000,
        with / 1_000_000
    );
    drop(bare);

    // By how much is reached, a thousand of each sort at most.
    let now = jiff::Timestamp::UNIX_EPOCH;
    let mut sorts: Vec<(&str, u64, Vec<String>)> = vec![
        ("0", 0, Vec::new()),
        ("1 to 9", 9, Vec::new()),
        ("10 to 99", 99, Vec::new()),
        ("100 to 9,999", 9_999, Vec::new()),
        ("10,000, the cap", u64::MAX, Vec::new()),
    ];
    for number in (0..10).chain((10..THINGS).step_by(13)) {
        let name = name(number);
        let Some(reached) = reach_of_deleting(&snapshot, &name, now).and_then(|reach| reach.dependants)
        else {
            continue;
        };
        if let Some((_, _, names)) =
            sorts.iter_mut().find(|(_, most, _)| reached <= *most && (reached < 10_000 || *most == u64::MAX))
            && names.len() < 1_000
        {
            names.push(name);
        }
    }
    let mut times: Vec<Vec<u64>> = vec![Vec::with_capacity(ROUNDS); sorts.len()];
    for round in 0..ROUNDS {
        for ((_, _, names), times) in sorts.iter().zip(&mut times) {
            let Some(name) = names.get(round % names.len().max(1)) else { continue };
            let began = Instant::now();
            black_box(reach_of_deleting(&snapshot, name, now));
            times.push(u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX));
        }
    }
    for ((reached, _, names), mut times) in sorts.into_iter().zip(times) {
        times.sort_unstable();
        let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
        let micros = |nanos: u64| format!("{}.{} µs", nanos / 1_000, nanos % 1_000 / 100);
        let _ = writeln!(
            out,
            "reaches {reached:>16} ({:>4} things asked): p50 {:>10}, p99 {:>10}",
            names.len(),
            micros(at(50)),
            micros(at(99))
        );
    }
}
