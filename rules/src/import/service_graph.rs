//! Edges that a service graph of OpenTelemetry observed, to an `Inventory` document: which service called which.
//!
//! Reads what Prometheus answers to an instant query, and the text that is exposed to it. Leaves out every label but
//! `client`, `server` and `connection_type`, and how often was called: once is enough to depend on something.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::inventory::{Draft, Relation, Thing};
use super::{ImportError, Imported};
use crate::inventory::EdgeKind;
use crate::model::Source;

/// What an import is told beside the graph.
#[derive(Debug, Clone, Copy, Default)]
pub struct ServiceGraph<'t> {
    /// A name for what is imported, for example `shop`; by default the first file's path.
    pub name: Option<&'t str>,
    /// When the edges were observed, where no sample says it.
    pub as_of: Option<Timestamp>,
    /// How long what was seen is believed, for example `14d`; for ever, where nothing is said.
    pub decays: Option<&'t str>,
}

const METRIC: &str = "traces_service_graph_request_total";

const GIVE: &str = "give what Prometheus answers to the instant query `traces_service_graph_request_total`, or the text \
                    that it scrapes";

/// Who called whom, one time series of it.
#[derive(Debug, Default)]
struct Edge {
    client: String,
    server: String,
    connection: String,
    value: f64,
    at: Option<Timestamp>,
}

/// What Prometheus answers.
#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(default)]
    status: String,
    #[serde(default)]
    data: Data,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Data {
    result_type: String,
    result: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Series {
    metric: Labels,
    value: Option<(serde_json::Number, String)>,
}

/// The labels that are read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Labels {
    client: Option<String>,
    server: Option<String>,
    connection_type: String,
}

/// How far apart the samples of one graph are.
const TOGETHER: SignedDuration = SignedDuration::from_hours(24);

/// Reads answers and exposed text.
///
/// # Errors
/// [`ImportError`] when a file is neither, or none has an edge.
pub fn service_graph(sources: &[Source], told: ServiceGraph<'_>) -> Result<Imported, ImportError> {
    let mut edges = Vec::new();
    for source in sources {
        let is_answer = source.text.trim_start().starts_with('{');
        let read = if is_answer { answer(&source.text) } else { exposition(&source.text) };
        edges.extend(read.map_err(|text| ImportError { path: source.path.clone(), text })?);
    }
    let first = sources.first().map_or("", |source| source.path.as_str());
    if edges.is_empty() {
        let text = format!("it has no series with the labels `client` and `server`; {GIVE}");
        return Err(ImportError { path: first.to_owned(), text });
    }
    // One series that nobody has written to for long would let all others fade with it.
    let newest = edges.iter().filter_map(|edge| edge.at).max();
    let before = edges.len();
    edges.retain(|edge| edge.at.zip(newest).is_none_or(|(at, newest)| newest.duration_since(at) <= TOGETHER));
    let stale = before - edges.len();
    let graph = Graph::of(&edges);
    if graph.things.is_empty() {
        let text = format!("none of its edges names a service; {GIVE}");
        return Err(ImportError { path: first.to_owned(), text });
    }
    let draft = Draft {
        from: "service-graph",
        name: told.name.unwrap_or(first),
        // Of several times the earliest: what all of them say was so by then.
        as_of: edges.iter().filter_map(|edge| edge.at).min().or(told.as_of),
        decays: told.decays,
        // What traces call a service is on no plane: no request is to be taken for one of it by its name.
        plane: ordain_action::Plane::Unknown.as_str(),
        things: graph.things.into_values().collect(),
        relations: graph.relations,
        left_out: graph
            .left_out
            .iter()
            .map(|(text, count)| format!("{count} × {text}"))
            .chain(
                (stale > 0)
                    .then(|| format!("{stale} × an edge that was seen more than a day before the others")),
            )
            .collect(),
        ..Draft::default()
    };
    Ok(draft.imported())
}

/// Edges put together.
#[derive(Debug, Default)]
struct Graph {
    things: BTreeMap<String, Thing>,
    relations: BTreeSet<Relation>,
    left_out: BTreeMap<&'static str, usize>,
}

impl Graph {
    fn of(edges: &[Edge]) -> Self {
        // What calls, or is called as a service, is one, whatever else has its name.
        let clients = edges.iter().map(|edge| edge.client.as_str()).filter(|client| *client != "user");
        let servers = edges.iter().filter(|edge| kind(&edge.connection) == SERVICE);
        let services: BTreeSet<&str> = clients.chain(servers.map(|edge| edge.server.as_str())).collect();
        let mut graph = Self::default();
        for edge in edges {
            graph.add(edge, &services);
        }
        graph
    }

    fn add(&mut self, edge: &Edge, services: &BTreeSet<&str>) {
        let named = |name: &str| !name.is_empty();
        let client = Some(edge.client.as_str()).filter(|client| named(client) && *client != "user");
        let from = client.map(|client| self.thing(client, SERVICE, services));
        let to = named(&edge.server).then(|| self.thing(&edge.server, kind(&edge.connection), services));
        let (Some(from), Some(to)) = (from, to) else {
            let text = match edge.client.as_str() {
                "user" => "an edge from `user`, who is no service",
                _ => "an edge with one end only",
            };
            return self.leave_out(text);
        };
        if from == to {
            return self.leave_out("an edge of a service to itself");
        }
        if edge.value > 0.0 {
            let kind = if edge.connection == "database" { EdgeKind::DependsOn } else { EdgeKind::Consumes };
            self.relations.insert((from, kind, to));
        } else {
            self.leave_out("an edge that nothing passed");
        }
    }

    fn leave_out(&mut self, text: &'static str) {
        *self.left_out.entry(text).or_default() += 1;
    }

    /// The id of what has a name, which is put among the things.
    fn thing(&mut self, name: &str, kind: &str, services: &BTreeSet<&str>) -> String {
        // A queue that also acts is a service. A database is named as its service often is, and is none.
        let kind = if kind == MESSAGING && services.contains(name) { SERVICE } else { kind };
        let id = if kind == DATABASE && services.contains(name) {
            format!("database/{name}")
        } else {
            name.to_owned()
        };
        let thing = self.things.entry(id.clone()).or_insert_with(|| Thing {
            id: id.clone(),
            kind: kind.to_owned(),
            identifiers: BTreeSet::from([name.to_owned()]),
            ..Thing::default()
        });
        // What is both a queue and a database by its edges is kept for the graver of the two.
        if kind == DATABASE {
            kind.clone_into(&mut thing.kind);
        }
        id
    }
}

const SERVICE: &str = "otel:service";
const DATABASE: &str = "otel:database";
const MESSAGING: &str = "otel:messaging";

/// The type of what is called.
fn kind(connection: &str) -> &'static str {
    match connection {
        "database" => DATABASE,
        "messaging" | "messaging_system" => MESSAGING,
        _ => SERVICE,
    }
}

/// Edges of an answer of Prometheus.
fn answer(text: &str) -> Result<Vec<Edge>, String> {
    let unread = |error: serde_json::Error| format!("it is not an answer that can be read: {error}; {GIVE}");
    let answer: Answer = serde_json::from_str(text).map_err(unread)?;
    if answer.status != "success" {
        return Err(format!("it is no answer of Prometheus that succeeded; {GIVE}"));
    }
    if answer.data.result_type != "vector" {
        return Err(format!("it answers with a `{}`, not with a `vector`; {GIVE}", answer.data.result_type));
    }
    let series: Vec<Series> = serde_json::from_value(answer.data.result).map_err(unread)?;
    let edges = series.into_iter().filter_map(|series| {
        let (time, value) = series.value?;
        series.metric.edge(&value, seconds(&time.to_string()))
    });
    Ok(edges.collect())
}

impl Labels {
    /// The edge of these labels; nothing where they are of something else.
    fn edge(self, value: &str, at: Option<Timestamp>) -> Option<Edge> {
        let value = value.parse::<f64>().unwrap_or_default();
        Some(Edge { client: self.client?, server: self.server?, connection: self.connection_type, value, at })
    }
}

/// A time in seconds and parts of them.
fn seconds(text: &str) -> Option<Timestamp> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = part.chars().chain(std::iter::repeat('0')).take(9).collect::<String>();
    Timestamp::new(whole.parse().ok()?, digits.parse().ok()?).ok()
}

/// Edges of exposed text.
fn exposition(text: &str) -> Result<Vec<Edge>, String> {
    // `OpenMetrics` ends so, and has times in seconds where the older text has thousandths of them.
    let open_metrics = text.lines().any(|line| line.trim_end() == "# EOF");
    let mut edges = Vec::new();
    for (line, number) in text.lines().zip(1_usize..) {
        let Some(rest) = line.trim_start().strip_prefix(METRIC) else { continue };
        let Some(rest) = rest.trim_start().strip_prefix('{') else { continue };
        let unread = || format!("line {number} is no sample that can be read; {GIVE}");
        let (labels, rest) = labels(rest).ok_or_else(unread)?;
        let mut words = rest.split(" # ").next().unwrap_or_default().split_whitespace();
        let value = words.next().filter(|value| value.parse::<f64>().is_ok()).ok_or_else(unread)?;
        let at = words.next().and_then(|time| {
            if open_metrics { seconds(time) } else { Timestamp::from_millisecond(time.parse().ok()?).ok() }
        });
        edges.extend(labels.edge(value, at));
    }
    Ok(edges)
}

/// The labels that a sample begins with, and what follows them.
fn labels(text: &str) -> Option<(Labels, &str)> {
    let mut labels = Labels::default();
    let mut rest = text.trim_start();
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return Some((labels, after));
        }
        let (name, after) = rest.split_once('=')?;
        let (value, after) = quoted_value(after.trim_start().strip_prefix('"')?)?;
        match name.trim() {
            "client" => labels.client = Some(value),
            "server" => labels.server = Some(value),
            "connection_type" => labels.connection_type = value,
            _ => {}
        }
        rest = after.trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    }
}

/// A label's value up to its closing quote, and what follows that.
fn quoted_value(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.chars();
    loop {
        match letters.next()? {
            '"' => return Some((value, letters.as_str())),
            '\\' => match letters.next()? {
                'n' => value.push('\n'),
                other @ ('\\' | '"') => value.push(other),
                // Any other letter stands for itself, and so does the sign before it.
                other => value.extend(['\\', other]),
            },
            letter => value.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{quoted_value, seconds};

    #[test]
    fn escapes_of_a_label_are_read() {
        let read = |text| quoted_value(text).map(|(value, rest)| (value, rest.to_owned()));
        assert_eq!(read(r#"a\\b\"c\nd\e",x"#), Some(("a\\b\"c\nd\\e".to_owned(), ",x".to_owned())));
        assert_eq!(read("open"), None);
        assert_eq!(read("open\\"), None);
    }

    #[test]
    fn a_time_has_parts_of_seconds() {
        assert_eq!(seconds("1700000000.1").unwrap().to_string(), "2023-11-14T22:13:20.1Z");
        assert_eq!(seconds("1700000000").unwrap().to_string(), "2023-11-14T22:13:20Z");
        assert_eq!(seconds("soon"), None);
    }
}
