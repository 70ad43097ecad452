//! Configuration items of AWS Config to an `Inventory` document: snapshots, and what its API answers.
//!
//! Leaves out the configuration itself, which is read for what it mentions of other resources and never kept. Who may
//! use something is no dependency: what stands in policies relates nothing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::aws::{self, LeftOut, Words};
use super::inventory::{Draft, Mentions, Relation, Thing, mentioned, texts};
use super::{ImportError, Imported};
use crate::grants;
use crate::model::Source;

/// What an import is told beside the configuration items.
#[derive(Debug, Clone, Copy, Default)]
pub struct AwsConfig<'t> {
    /// A name for what is imported, for example `prod-eu-west-1`; by default the account.
    pub name: Option<&'t str>,
    /// When the items were read.
    pub as_of: Option<Timestamp>,
}

/// What to give, where something else was given.
const GIVE: &str = "give a configuration snapshot, or the output of `aws configservice batch-get-resource-config`, \
                    `get-resource-config-history` or `select-resource-config`";

/// States of an item that say there is nothing, or nothing known.
const GONE: [&str; 3] = ["ResourceDeleted", "ResourceDeletedNotRecorded", "ResourceNotRecorded"];

/// Items that say how others are judged, and are no resource.
const JUDGED: &str = "AWS::Config::ResourceCompliance";

/// Reads configuration items.
///
/// # Errors
/// [`ImportError`] when a file holds no such items, or all of them no resource that exists.
pub fn aws_config(sources: &[Source], told: AwsConfig<'_>) -> Result<Imported, ImportError> {
    let first = sources.first().map_or("", |source| source.path.as_str());
    let mut left_out = LeftOut::default();
    let (mut items, mut snapshots) = (Vec::new(), BTreeSet::new());
    for source in sources {
        let refused = |text: String| ImportError { path: source.path.clone(), text };
        let file = read(&source.text).map_err(refused)?;
        snapshots.insert(file.snapshot);
        items.extend(file.items);
    }
    let items = present(items, &mut left_out);
    if items.is_empty() {
        let text = format!("it holds no resource that exists; {GIVE}");
        return Err(ImportError { path: first.to_owned(), text });
    }
    let words = Words::new();
    let account = aws::most(items.iter().map(|item| item.account()));
    let mut things: Vec<Thing> = items.iter().map(|item| thing(item, &words, account)).collect();
    let is_read = |item: &&Item| item.allowed.as_ref().is_some_and(|allowed| allowed.is_whole);
    let known: BTreeSet<String> = items.iter().filter(is_read).filter_map(|item| item.name.clone()).collect();
    for (thing, item) in things.iter_mut().zip(&items) {
        if let Some(allowed) = &item.allowed {
            grant(thing, allowed, &known);
        }
    }
    let relations = relations(&items, &things, &mut left_out);
    let revision = snapshots.first().filter(|_| snapshots.len() == 1).cloned().flatten();
    let default = if account.is_empty() { first } else { account };
    let draft = Draft {
        from: "aws-config",
        name: told.name.unwrap_or(default),
        revision,
        as_of: told.as_of,
        plane: "aws",
        account,
        relations,
        left_out: left_out.sentences(),
        things,
        ..Draft::default()
    };
    Ok(draft.imported())
}

/// One configuration item, in the words of snapshots or of the API.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Item {
    #[serde(alias = "ARN")]
    arn: Option<String>,
    #[serde(alias = "awsAccountId")]
    account_id: Option<String>,
    aws_region: Option<String>,
    resource_type: Option<String>,
    resource_id: Option<String>,
    resource_name: Option<String>,
    tags: Value,
    relationships: Option<Vec<Relationship>>,
    configuration_item_capture_time: Value,
    configuration_item_status: Option<String>,
    configuration_state_id: Value,
    configuration: Value,
    supplementary_configuration: Value,
    /// The ARN as requests write it.
    #[serde(skip)]
    name: Option<String>,
    /// What it lets its bearer act on.
    #[serde(skip)]
    allowed: Option<Allowed>,
}

/// What policies of an identity, or a policy by itself, allow.
#[derive(Debug, Default)]
struct Allowed {
    names: BTreeSet<String>,
    /// Policies that stand apart, by their ARNs.
    attached: Vec<String>,
    /// All that the item says could be read, and it has nothing from elsewhere.
    is_whole: bool,
}

/// What an item says of another.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Relationship {
    resource_type: Option<String>,
    resource_id: Option<String>,
    resource_name: Option<String>,
    #[serde(alias = "name")]
    relationship_name: Option<String>,
}

impl Item {
    fn written(&self) -> Option<&str> {
        self.arn.as_deref().filter(|arn| arn.starts_with("arn:"))
    }

    fn account(&self) -> &str {
        self.account_id.as_deref().unwrap_or_default()
    }

    fn region(&self) -> &str {
        self.aws_region.as_deref().unwrap_or_default()
    }

    fn resource_type(&self) -> &str {
        self.resource_type.as_deref().unwrap_or_default()
    }

    /// What relationships of other items call it.
    fn called(&self) -> impl Iterator<Item = &str> {
        [&self.resource_id, &self.resource_name].into_iter().filter_map(|text| text.as_deref())
    }

    /// What it is called within the document: nothing else in any account is.
    fn id(&self) -> String {
        let id = || self.called().next().unwrap_or_default();
        let placed = || format!("{}/{}/{}/{}", self.account(), self.region(), self.resource_type(), id());
        self.name.clone().unwrap_or_else(placed)
    }

    /// What all items of one resource share, whichever members they have beside.
    fn key(&self) -> String {
        let id = self.called().next().or(self.name.as_deref()).unwrap_or_default();
        format!("{}/{}/{}/{id}", self.account(), self.region(), self.resource_type())
    }

    fn says_what_it_is(&self) -> bool {
        !self.resource_type().is_empty() && (self.name.is_some() || self.called().next().is_some())
    }

    /// With the name that requests have, and the configuration without what relates nothing, as a value where the API
    /// has it as a text.
    fn unfold(mut self) -> Self {
        self.name = self.written().map(aws::canonical);
        let partition = self.written().and_then(|arn| arn.split(':').nth(1)).unwrap_or("aws").to_owned();
        let mut unfolded = [self.configuration, self.supplementary_configuration].map(|value| {
            let read = value.as_str().and_then(|text| serde_json::from_str(text).ok());
            read.unwrap_or(value)
        });
        let kind = self.resource_type.as_deref().unwrap_or_default();
        self.allowed = unfolded.first().and_then(|own| allowed(kind, own, &partition));
        unfolded.iter_mut().for_each(aws::without_policies);
        [self.configuration, self.supplementary_configuration] = unfolded;
        self
    }
}

/// What an identity or a policy says that it allows; `None` of anything else.
fn allowed(kind: &str, configuration: &Value, partition: &str) -> Option<Allowed> {
    let list = |member: &str| configuration.get(member).and_then(Value::as_array).into_iter().flatten();
    // What was not asked for is not nothing.
    let says = |member: &str| configuration.get(member).is_some_and(Value::is_array);
    let is_whole = match kind {
        "AWS::IAM::Role" => says("rolePolicyList") && says("attachedManagedPolicies"),
        "AWS::IAM::User" => says("userPolicyList") && says("attachedManagedPolicies"),
        "AWS::IAM::Group" => says("groupPolicyList") && says("attachedManagedPolicies"),
        _ => true,
    };
    let mut allowed = Allowed { is_whole, ..Allowed::default() };
    let documents: Vec<Option<&Value>> = match kind {
        "AWS::IAM::Role" => list("rolePolicyList").map(|policy| policy.get("policyDocument")).collect(),
        "AWS::IAM::User" => list("userPolicyList").map(|policy| policy.get("policyDocument")).collect(),
        "AWS::IAM::Group" => list("groupPolicyList").map(|policy| policy.get("policyDocument")).collect(),
        "AWS::IAM::Policy" => {
            let mut versions = list("policyVersionList");
            let default = |version: &&Value| version.get("isDefaultVersion") == Some(&Value::Bool(true));
            vec![versions.find(default).and_then(|version| version.get("document"))]
        }
        _ => return None,
    };
    for document in documents {
        match document.and_then(|document| grants::of_policy(document, partition)) {
            Some(names) => allowed.names.extend(names),
            None => allowed.is_whole = false,
        }
    }
    // What it has from its groups is not here.
    allowed.is_whole &= list("groupList").next().is_none();
    for policy in list("attachedManagedPolicies") {
        match policy.get("policyArn").and_then(Value::as_str) {
            Some(arn) => allowed.attached.push(arn.to_owned()),
            None => allowed.is_whole = false,
        }
    }
    Some(allowed)
}

/// Says of a thing what it may act on: all of it, where each policy that stands apart is known.
fn grant(thing: &mut Thing, allowed: &Allowed, known: &BTreeSet<String>) {
    let (mut names, mut is_whole) = (allowed.names.clone(), allowed.is_whole);
    for arn in &allowed.attached {
        match grants::of_managed(arn) {
            Some(managed) => names.extend(managed),
            None => is_whole &= known.contains(arn),
        }
    }
    if is_whole {
        thing.grants_only = Some(names);
    } else {
        thing.grants = names;
    }
}

/// What a file holds.
#[derive(Debug)]
struct File {
    snapshot: Option<String>,
    items: Vec<Item>,
}

fn read(text: &str) -> Result<File, String> {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Written {
        config_snapshot_id: Option<String>,
        configuration_items: Option<Vec<Item>>,
        base_configuration_items: Option<Vec<Item>>,
        #[serde(rename = "Results")]
        results: Option<Vec<String>>,
    }
    // What the reader says of a text may repeat it, and a text may be a secret.
    let unread = |error: serde_json::Error, what: &str| {
        format!("{what} cannot be read at line {} column {}; {GIVE}", error.line(), error.column())
    };
    let written: Written = serde_json::from_str(text).map_err(|error| unread(error, "it"))?;
    let mut items = match (written.configuration_items, written.base_configuration_items, &written.results) {
        (None, None, None) => return Err(format!("it holds no configuration items; {GIVE}")),
        (items, base, _) => [items, base].into_iter().flatten().flatten().collect::<Vec<Item>>(),
    };
    for (row, number) in written.results.iter().flatten().zip(1..) {
        let row: Item = serde_json::from_str(row)
            .map_err(|error| unread(error, &format!("row {number} of its results")))?;
        items.push(row);
    }
    Ok(File { snapshot: written.config_snapshot_id, items: items.into_iter().map(Item::unfold).collect() })
}

/// The resources that exist, each as it was last, in the order of their ids.
fn present(items: Vec<Item>, left_out: &mut LeftOut) -> Vec<Item> {
    let mut latest: BTreeMap<String, Item> = BTreeMap::new();
    for item in items {
        if item.resource_type() == JUDGED {
            left_out.count(format!("`{JUDGED}`: it says how a resource is judged"));
        } else if !item.says_what_it_is() {
            left_out.count("an item without its type and id; ask for `resourceType`, `resourceId` and `arn`");
        } else {
            let captured = |item: &Item| aws::time(&item.configuration_item_capture_time);
            let later = latest.get(&item.key()).is_none_or(|known| captured(known) <= captured(&item));
            if later {
                latest.insert(item.key(), item);
            }
        }
    }
    let mut kept: Vec<Item> = Vec::new();
    for item in latest.into_values() {
        match item.configuration_item_status.as_deref().filter(|status| GONE.contains(status)) {
            Some(status) => left_out.count(format!("`{status}`: it is not there, or not recorded")),
            None => kept.push(item),
        }
    }
    kept.sort_by_key(Item::id);
    kept
}

fn thing(item: &Item, words: &Words, account: &str) -> Thing {
    let kind = words.kind(item.resource_type());
    let is_name = |known: &str| Some(known) == item.written() || Some(known) == item.name.as_deref();
    let revision = match &item.configuration_state_id {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    Thing {
        id: item.id(),
        identifiers: item.called().filter(|known| !is_name(known)).map(str::to_owned).collect(),
        account: Some(item.account().to_owned()).filter(|own| !own.is_empty() && own != account),
        region: aws::region(&kind, item.name.as_deref(), item.aws_region.as_deref()),
        tags: aws::tags(&item.tags),
        revision,
        changed: aws::time(&item.configuration_item_capture_time).map(|time| time.to_string()),
        name: item.name.clone(),
        kind,
        ..Thing::default()
    }
}

/// What is related, by two places in the list, the lower first, and which of them depends on the other: what is said
/// first of a pair counts.
#[derive(Debug, Default)]
struct Pairs(BTreeMap<(usize, usize), usize>);

impl Pairs {
    fn join(&mut self, dependant: usize, dependency: usize) {
        if dependant != dependency {
            let pair = (dependant.min(dependency), dependant.max(dependency));
            self.0.entry(pair).or_insert(dependant);
        }
    }

    /// Joins one with another that it names; where their types tell who depends on whom, that counts.
    fn join_told(&mut self, own: usize, other: usize, first_depends: Option<bool>) {
        if first_depends.unwrap_or(true) { self.join(own, other) } else { self.join(other, own) }
    }
}

/// One relation for each pair of items, however often and from whichever end it is said.
fn relations(items: &[Item], things: &[Thing], left_out: &mut LeftOut) -> BTreeSet<Relation> {
    let (held, mut joined) = said(items, things, left_out);
    for (own, other, back) in mentions_between(items, things) {
        // Of two that mention each other, neither tells by that which depends on the other.
        let told = if back { aws::first_depends_of_joined } else { aws::first_depends };
        joined.join_told(own, other, told(kind(things, own), kind(things, other)));
    }
    // That one lies in the other counts before whatever else is said of the two.
    joined.0.extend(held.0);
    let edge = |((lower, upper), dependant): ((usize, usize), usize)| {
        let dependency = if dependant == lower { upper } else { lower };
        let (dependant, dependency) = (things.get(dependant)?, things.get(dependency)?);
        let kind = aws::relation(&dependant.kind, &dependency.kind);
        Some((dependant.id.clone(), kind, dependency.id.clone()))
    };
    joined.0.into_iter().filter_map(edge).collect()
}

/// What items say of each other: what lies in what, and what else belongs together.
fn said(items: &[Item], things: &[Thing], left_out: &mut LeftOut) -> (Pairs, Pairs) {
    let (mut held, mut joined) = (Pairs::default(), Pairs::default());
    let index = index(items);
    for (item, own) in items.iter().zip(0..) {
        for relationship in item.relationships.iter().flatten() {
            let Some(other) = find(&index, items, item, relationship) else {
                left_out.count("a relation to what is not in the import; import that too");
                continue;
            };
            let name = relationship.relationship_name.as_deref().unwrap_or_default().trim_start();
            // What holds something does not depend on it.
            if name.starts_with("Contains") {
                held.join(other, own);
            } else if name.starts_with("Is contained in") {
                held.join(own, other);
            } else {
                let told = aws::first_depends_of_joined(kind(things, own), kind(things, other));
                joined.join_told(own, other, told);
            }
        }
    }
    (held, joined)
}

fn kind(things: &[Thing], at: usize) -> &str {
    things.get(at).map_or("", |thing| thing.kind.as_str())
}

/// Who mentions whom in its configuration, and whether the other mentions it too.
fn mentions_between(items: &[Item], things: &[Thing]) -> Vec<(usize, usize, bool)> {
    let at: BTreeMap<&str, usize> = things.iter().map(|thing| thing.id.as_str()).zip(0..).collect();
    let mentions: Vec<Mentions<'_>> = items.iter().map(mentions).collect();
    let pair = |(own, _, other): Relation| Some((*at.get(own.as_str())?, *at.get(other.as_str())?));
    let pairs: BTreeSet<(usize, usize)> = mentioned(things, &mentions).into_iter().filter_map(pair).collect();
    pairs.iter().map(|(own, other)| (*own, *other, pairs.contains(&(*other, *own)))).collect()
}

/// Where the items are that a type and an id or name may mean.
type Index<'i> = BTreeMap<(&'i str, &'i str), Vec<usize>>;

fn index(items: &[Item]) -> Index<'_> {
    let mut index = Index::new();
    for (item, own) in items.iter().zip(0..) {
        for called in item.called().chain(item.written()).collect::<BTreeSet<&str>>() {
            index.entry((item.resource_type(), called)).or_default().push(own);
        }
    }
    index
}

/// The one item that a relationship means: in the same account, and in the same region where several are.
fn find(index: &Index<'_>, items: &[Item], from: &Item, relationship: &Relationship) -> Option<usize> {
    let kind = relationship.resource_type.as_deref()?;
    let called = [&relationship.resource_id, &relationship.resource_name];
    called.into_iter().filter_map(|text| text.as_deref()).find_map(|called| {
        let near = |same: &dyn Fn(&Item) -> bool| {
            let found = index.get(&(kind, called)).into_iter().flatten().copied();
            let mut found = found.filter(|at| items.get(*at).is_some_and(same));
            found.next().filter(|_| found.next().is_none())
        };
        let account = |item: &Item| item.account() == from.account();
        near(&|item| account(item) && item.region() == from.region()).or_else(|| near(&account))
    })
}

fn mentions(item: &Item) -> Mentions<'_> {
    let made = item.resource_id.as_deref().filter(|id| is_made(id));
    Mentions {
        known_by: item.name.as_deref().into_iter().chain(made).chain(item.written()).collect(),
        texts: texts(&item.configuration)
            .into_iter()
            .chain(texts(&item.supplementary_configuration))
            .collect(),
    }
}

/// Whether the provider made an id, such as `i-0abc12345678`, a UUID or `AROA…`. A name that somebody chose may stand in
/// a configuration for something else.
fn is_made(id: &str) -> bool {
    let tail = id.rsplit('-').next().unwrap_or_default();
    let digits = tail.bytes().any(|byte| byte.is_ascii_digit());
    let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let short = tail.len() < id.len() && tail.len() >= 8 && tail.bytes().all(hexadecimal) && digits;
    let long = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
    short || (tail.len() >= 16 && tail.bytes().all(long))
}

#[cfg(test)]
mod tests {
    use super::is_made;

    #[test]
    fn an_id_that_was_made_is_none_that_somebody_chose() {
        for id in [
            "i-0a1b2c3d4e5f60718",
            "sg-0a1b2c3d",
            "0a1b2c3d-0000-4000-8000-000000000001",
            "AROAEXAMPLEEXAMPLE12",
            "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            "tgw-rtb-0123456789abcdef0",
        ] {
            assert!(is_made(id), "{id}");
        }
        for id in ["web", "production", "orders-db", "shop-facade", "20260101", "ORDERS", ""] {
            assert!(!is_made(id), "{id}");
        }
    }
}
