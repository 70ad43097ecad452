//! A table of a CMDB as ServiceNow exports it, in CSV, to an `Inventory` document: what exists, who supports it, how
//! critical it is. The columns of any other table are told.
//!
//! Leaves out every column that is not named here or by the import. Owners go along as tags: a group that nobody
//! declares is then a finding, and does not keep the model from loading. Relations are read from a column of ids or
//! names only; ServiceNow's own table of them is not.

use std::collections::{BTreeMap, BTreeSet};

use csv::StringRecord;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use ordain_action::Plane;

use super::inventory::{Draft, Relation, Thing};
use super::{ImportError, Imported, entity_name};
use crate::azure;
use crate::inventory::{EdgeKind, Tier};
use crate::model::{Source, account_and_region, nearest};

/// What an import is told beside the table.
#[derive(Debug, Clone, Copy, Default)]
pub struct ServiceNow<'t> {
    /// A name for what is imported, for example `cmdb`; by default the first file's path.
    pub name: Option<&'t str>,
    /// Pairs of our word and the column that holds it. Where there are none, the columns are ServiceNow's usual ones.
    pub columns: &'t [(String, String)],
    /// The plane of what has no canonical name, in the word of configuration; by default none that is known.
    pub plane: Option<&'t str>,
    /// The account that most of it is in.
    pub account: Option<&'t str>,
    /// When the table was exported.
    pub as_of: Option<Timestamp>,
}

const GIVE: &str = "give an export in CSV with a line of headers";

/// What a column can be.
const WORDS: [&str; 14] = [
    "id",
    "type",
    "name",
    "identifier",
    "owner",
    "system",
    "environment",
    "tier",
    "account",
    "region",
    "path",
    "updated",
    "status",
    "depends-on",
];

/// The columns that ServiceNow's own tables have. Of several for one word the first that is there counts, but for
/// identifiers, which all do.
const USUAL: [(&str, &str); 19] = [
    ("id", "sys_id"),
    ("type", "sys_class_name"),
    ("identifier", "name"),
    ("identifier", "object_id"),
    ("identifier", "fqdn"),
    ("identifier", "ip_address"),
    ("identifier", "serial_number"),
    ("owner", "support_group"),
    ("owner", "owned_by"),
    ("owner", "assignment_group"),
    ("system", "u_application"),
    ("system", "business_service"),
    ("environment", "environment"),
    ("environment", "used_for"),
    ("tier", "busines_criticality"),
    ("tier", "business_criticality"),
    ("updated", "sys_updated_on"),
    ("status", "install_status"),
    ("status", "operational_status"),
];

/// What ServiceNow calls tiers, after the number that it puts before them.
const TIERS: [(&str, &str); 4] = [
    ("most critical", "critical"),
    ("somewhat critical", "high"),
    ("less critical", "medium"),
    ("not critical", "low"),
];

/// What ends a thing, in words and in the numbers of the two columns that say so.
const GONE: [&str; 3] = ["retired", "absent", "stolen"];

/// Where each of our words stands in a table.
#[derive(Debug)]
struct Columns {
    /// By our word, the positions and the headers.
    at: BTreeMap<&'static str, Vec<(usize, String)>>,
}

/// A row with everything that is kept of it.
#[derive(Debug)]
struct Row {
    thing: Thing,
    depends_on: String,
    owner: String,
}

/// What was gathered from all files.
#[derive(Debug, Default)]
struct Table {
    rows: BTreeMap<String, Row>,
    /// Why something was left out, and how often.
    left_out: BTreeMap<String, usize>,
    twice: BTreeSet<String>,
    /// Owners by the names they get, as they are written.
    owners: BTreeMap<String, BTreeSet<String>>,
}

/// Reads tables.
///
/// # Errors
/// [`ImportError`] when a file is no table, has not the columns it is told to have, or none holds a row that is kept.
pub fn servicenow(sources: &[Source], told: ServiceNow<'_>) -> Result<Imported, ImportError> {
    let first = sources.first().map_or("", |source| source.path.as_str());
    if let Some(word) = told.plane.filter(|word| Plane::parse(word).is_none()) {
        let known: Vec<&str> = Plane::ALL.iter().map(|plane| plane.as_str()).collect();
        let text = format!("unknown plane `{word}`; {}", nearest(word, &known));
        return Err(ImportError { path: first.to_owned(), text });
    }
    let mut table = Table::default();
    for source in sources {
        let refused = |text: String| ImportError { path: source.path.clone(), text };
        table.read(&source.text, told.columns).map_err(refused)?;
    }
    if table.rows.is_empty() {
        let text = format!("it holds no row of something that still is; {GIVE}");
        return Err(ImportError { path: first.to_owned(), text });
    }
    Ok(table.imported(&told, told.name.unwrap_or(first)))
}

impl Columns {
    fn of(headers: &StringRecord, told: &[(String, String)]) -> Result<Self, String> {
        let known: Vec<&str> = headers.iter().map(str::trim).collect();
        let mut at: BTreeMap<&'static str, Vec<(usize, String)>> = BTreeMap::new();
        for (word, column) in told {
            let Some(word) = WORDS.iter().find(|known| *known == word) else {
                return Err(format!("`{word}` is nothing that a column can be; {}", nearest(word, &WORDS)));
            };
            let Some(place) = place(&known, column)? else {
                return Err(format!("it has no column `{column}`; {}", nearest(column, &known)));
            };
            let places = at.entry(*word).or_default();
            if *word != "identifier" && !places.is_empty() {
                return Err(format!("`{word}` is told of two columns; keep one"));
            }
            places.push(place);
        }
        for (word, column) in USUAL.iter().filter(|_| told.is_empty()) {
            let places = at.entry(*word).or_default();
            if *word == "identifier" || places.is_empty() {
                places.extend(place(&known, column)?);
            }
        }
        if at.get("id").is_none_or(Vec::is_empty) {
            let text =
                if told.is_empty() { "it has no column `sys_id`" } else { "no column is told to be `id`" };
            return Err(format!("{text}; say which column is `id`, and {GIVE}"));
        }
        Ok(Self { at })
    }

    /// What stands in the columns of a word, without what is empty.
    fn values<'r>(&self, word: &str, record: &'r StringRecord) -> Vec<(&str, &'r str)> {
        let places = self.at.get(word).into_iter().flatten();
        let value = |(at, header)| Some((header, record.get(at)?.trim()));
        places
            .filter_map(|(at, header)| value((*at, header.as_str())))
            .filter(|(_, value)| !value.is_empty())
            .collect()
    }

    fn value<'r>(&self, word: &str, record: &'r StringRecord) -> Option<&'r str> {
        self.values(word, record).first().map(|(_, value)| *value)
    }
}

/// Where a column is, whatever the case of its header.
fn place(headers: &[&str], column: &str) -> Result<Option<(usize, String)>, String> {
    let column = column.trim();
    let mut found = headers.iter().enumerate().filter(|(_, header)| header.eq_ignore_ascii_case(column));
    let first = found.next().map(|(at, header)| (at, (*header).to_owned()));
    match found.next() {
        Some(_) => Err(format!("it has two columns `{column}`; rename one")),
        None => Ok(first),
    }
}

/// What stands between the columns: whichever of the usual three the line of headers has most of.
fn delimiter(text: &str) -> u8 {
    let line = text.lines().next().unwrap_or_default();
    let mut quoted = false;
    let mut counts = [(b',', 0_usize), (b';', 0), (b'\t', 0)];
    for byte in line.bytes() {
        quoted ^= byte == b'"';
        for (_, count) in counts.iter_mut().filter(|(delimiter, _)| !quoted && *delimiter == byte) {
            *count += 1;
        }
    }
    // Of two that are as many, the usual one: the last that is greatest counts.
    counts.iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(delimiter, _)| *delimiter)
}

impl Table {
    fn read(&mut self, text: &str, told: &[(String, String)]) -> Result<(), String> {
        let text = text.trim_start_matches('\u{feff}');
        let unread = |error: csv::Error| format!("it is not a table that can be read: {error}; {GIVE}");
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter(text)).from_reader(text.as_bytes());
        let columns = Columns::of(reader.headers().map_err(unread)?, told)?;
        for record in reader.records() {
            self.add(&columns, &record.map_err(unread)?);
        }
        Ok(())
    }

    fn leave_out(&mut self, text: String) {
        *self.left_out.entry(text).or_default() += 1;
    }

    fn add(&mut self, columns: &Columns, record: &StringRecord) {
        let Some(id) = columns.value("id", record) else {
            return self.leave_out("a row without an id".to_owned());
        };
        if let Some((header, status)) =
            columns.values("status", record).into_iter().find(|(header, status)| is_gone(header, status))
        {
            if self.rows.remove(id).is_some() {
                self.twice.insert(id.to_owned());
            }
            return self.leave_out(format!("a row whose `{header}` is `{status}`: it is no more"));
        }
        let text = |word: &str| columns.value(word, record).map(str::to_owned);
        let (name, identifiers) = names(columns, record);
        // A canonical name knows better than a column where it is.
        let (account, _) = account_and_region(name.as_deref().unwrap_or_default());
        let account = Some(account.to_string()).filter(|account| !account.is_empty());
        let region = text("region").filter(|_| !name.as_deref().is_some_and(is_arn));
        let thing = Thing {
            id: id.to_owned(),
            kind: text("type").unwrap_or_else(|| "cmdb_ci".to_owned()),
            name,
            identifiers,
            account: account.or_else(|| text("account")),
            region,
            system: text("system").map(|system| group_name(&system)).filter(|system| !system.is_empty()),
            environment: text("environment").map(|environment| environment.to_lowercase()),
            tier: self.tier(columns.value("tier", record)),
            path: text("path"),
            changed: self.changed(columns.value("updated", record)),
            ..Thing::default()
        };
        let owner = self.owner(columns.value("owner", record));
        let row = Row { thing, owner, depends_on: text("depends-on").unwrap_or_default() };
        if self.rows.insert(id.to_owned(), row).is_some() {
            self.twice.insert(id.to_owned());
        }
    }

    /// The name of a group that a row names as its owner.
    fn owner(&mut self, written: Option<&str>) -> String {
        let Some(written) = written else { return String::new() };
        let name = group_name(written);
        if name.is_empty() {
            self.leave_out(format!("the owner `{written}`, of which no name of a group can be made"));
            return name;
        }
        self.owners.entry(name.clone()).or_default().insert(written.to_lowercase());
        name
    }

    fn tier(&mut self, written: Option<&str>) -> Option<String> {
        let written = written?;
        let said = written.to_lowercase();
        let words = said.trim_start_matches(|letter: char| letter.is_ascii_digit() || " -".contains(letter));
        let ours = TIERS.iter().find(|(theirs, _)| *theirs == words).map(|(_, ours)| *ours);
        let tier = ours.or_else(|| Tier::WORDS.into_iter().find(|word| *word == said));
        if tier.is_none() {
            self.leave_out(format!("the tier `{written}`, which is none that is known"));
        }
        tier.map(str::to_owned)
    }

    /// When a row was last changed; the times of the API, which this takes them for, are in UTC.
    fn changed(&mut self, written: Option<&str>) -> Option<String> {
        let written = written?;
        let with_zone = written.parse::<Timestamp>().ok();
        let civil = || DateTime::strptime("%Y-%m-%d %H:%M:%S", written).ok();
        let in_utc = || TimeZone::UTC.to_timestamp(civil()?).ok();
        let changed = with_zone.or_else(in_utc);
        if changed.is_none() {
            self.leave_out("a time that is not written as `2026-11-24 10:00:00`".to_owned());
        }
        changed.map(|changed| changed.to_string())
    }

    fn imported(mut self, told: &ServiceNow<'_>, name: &str) -> Imported {
        let relations = self.relations();
        // Two groups must not become one by their spelling: neither would be asked for what is its own.
        let confused: BTreeMap<String, BTreeSet<String>> =
            std::mem::take(&mut self.owners).into_iter().filter(|(_, written)| written.len() > 1).collect();
        let mut left_out: Vec<String> =
            self.left_out.iter().map(|(text, count)| format!("{count} × {text}")).collect();
        left_out
            .extend(self.twice.iter().map(|id| format!("`{id}` is there twice, and the later row counts")));
        left_out.extend(confused.iter().map(|(name, written)| {
            let written: Vec<&str> = written.iter().map(String::as_str).collect();
            format!(
                "the owners `{}`, which would all be called `{name}`; rename one",
                written.join("` and `")
            )
        }));
        let mut things: Vec<Thing> = Vec::new();
        for row in self.rows.into_values() {
            let mut thing = row.thing;
            if !row.owner.is_empty() && !confused.contains_key(&row.owner) {
                thing.tags.insert("owner".to_owned(), row.owner);
            }
            things.push(thing);
        }
        drafts(things, relations, told, name, left_out)
    }

    /// Relations to what a row names by its id, or by an identifier that it alone has.
    fn relations(&mut self) -> BTreeSet<Relation> {
        let mut meaning: BTreeMap<&str, Option<&str>> = BTreeMap::new();
        for row in self.rows.values() {
            for text in row.thing.identifiers.iter().chain(&row.thing.name) {
                let one = meaning.entry(text).or_insert(Some(&row.thing.id));
                *one = one.filter(|other| *other == row.thing.id);
            }
        }
        for id in self.rows.keys() {
            meaning.insert(id, Some(id));
        }
        let mut found = BTreeSet::new();
        let mut missing = 0_usize;
        for (id, row) in &self.rows {
            // A name may have a comma in it.
            let whole = [row.depends_on.as_str()];
            let parts = row.depends_on.split([',', ';', '\n']).map(str::trim).filter(|part| !part.is_empty());
            let parts: Vec<&str> =
                if meaning.contains_key(row.depends_on.as_str()) { whole.to_vec() } else { parts.collect() };
            for part in parts {
                match meaning.get(part).copied().flatten() {
                    Some(other) if other == id => {}
                    Some(other) => drop(found.insert((id.clone(), EdgeKind::DependsOn, other.to_owned()))),
                    None => missing += 1,
                }
            }
        }
        if missing > 0 {
            let text = "a relation to what no row, or more than one, is called; import that too".to_owned();
            self.left_out.insert(text, missing);
        }
        found
    }
}

/// The canonical name that a row gives, and what else it is known by.
fn names(columns: &Columns, record: &StringRecord) -> (Option<String>, BTreeSet<String>) {
    let given = columns.values("name", record).into_iter().chain(columns.values("identifier", record));
    let mut identifiers: BTreeSet<String> = given.clone().map(|(_, value)| value.to_owned()).collect();
    let canonical = given.map(|(_, value)| value).find(|value| is_canonical(value));
    if let Some(canonical) = canonical {
        identifiers.remove(canonical);
    }
    (canonical.map(|name| azure::id(name).into_owned()), identifiers)
}

/// Whether something is a name as its plane writes it.
fn is_canonical(text: &str) -> bool {
    is_arn(text) || Plane::of_name(&azure::id(text)).is_some()
}

fn is_arn(text: &str) -> bool {
    text.starts_with("arn:") && text.split(':').nth(5).is_some_and(|rest| !rest.is_empty())
}

/// A name as groups and systems have them.
fn group_name(written: &str) -> String {
    entity_name(&written.trim().to_lowercase())
}

/// Whether a status says that something is no more. What a number says depends on the column.
fn is_gone(header: &str, status: &str) -> bool {
    let numbers: &[&str] = match header.to_ascii_lowercase().as_str() {
        "install_status" => &["7", "8", "100"],
        "operational_status" => &["6"],
        _ => &["7"],
    };
    GONE.contains(&status.to_lowercase().as_str()) || numbers.contains(&status)
}

/// The document; one more, of the same source, for what ARNs name. They do not say their plane themselves, as other
/// canonical names do, so that it stands at the head.
fn drafts(
    things: Vec<Thing>,
    relations: BTreeSet<Relation>,
    told: &ServiceNow<'_>,
    name: &str,
    left_out: Vec<String>,
) -> Imported {
    let aws = Plane::Aws.as_str();
    let plane = told.plane.unwrap_or(Plane::Unknown.as_str());
    let in_aws = |thing: &Thing| plane == aws || thing.name.as_deref().is_some_and(is_arn);
    let (amazons, others): (Vec<Thing>, Vec<Thing>) = things.into_iter().partition(in_aws);
    let account = told.account.unwrap_or_default();
    let draft = Draft { from: "servicenow", name, as_of: told.as_of, ..Draft::default() };
    if others.is_empty() {
        return Draft { plane: aws, account, things: amazons, relations, left_out, ..draft }.imported();
    }
    let head = Draft { plane, account, things: others, relations, left_out, ..draft }.imported();
    if amazons.is_empty() {
        return head;
    }
    let account = if told.plane.is_none() { account } else { "" };
    let draft = Draft { from: "servicenow", name, as_of: told.as_of, ..Draft::default() };
    let tail = Draft { plane: aws, account, things: amazons, ..draft }.imported();
    joined(head, tail)
}

/// Two documents in one file, with what is in both.
fn joined(mut head: Imported, tail: Imported) -> Imported {
    let rest = tail.text.split_once('\n').map_or("", |(_, rest)| rest);
    head.text = format!("{}---\n{rest}", head.text);
    head.summary.facts += tail.summary.facts;
    head.summary.relations += tail.summary.relations;
    head.summary.unowned += tail.summary.unowned;
    head.summary.owners.extend(tail.summary.owners);
    head.summary.accounts.extend(tail.summary.accounts);
    head
}
