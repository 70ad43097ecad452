//! Forms filled with what a plan says of a resource.
//!
//! Leaves out references that are known only when something exists (`open.rs`).

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::{Map, Value, json};

use super::block::Block;
use super::form::{Attribute, Form, Member, Which};
use super::plan::Resource;
use super::reference::Items;

/// A list of more texts than this is not tried in all its orders.
const ORDERS_MAX: usize = 4;

/// Where a change is made.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) partition: String,
}

/// What fills forms, for one phase of one resource.
#[derive(Debug)]
pub(super) struct Filler<'p> {
    pub(super) items: &'p Items<'p>,
    pub(super) resource: &'p Resource<'p>,
    pub(super) place: &'p Place,
    /// What forms mean where they say nothing else.
    pub(super) here: Block<'p>,
    pub(super) before: Block<'p>,
    pub(super) after: Block<'p>,
    /// What whoever approves has to know.
    pub(super) notes: &'p RefCell<BTreeSet<String>>,
}

impl<'p> Filler<'p> {
    /// The value of a form; none where the plan has none.
    pub(super) fn fill(&self, form: &Form, at: &Block<'p>) -> Option<Value> {
        match form {
            Form::Literal(Value::Null) => None,
            Form::Literal(value) => Some(value.clone()),
            Form::Attribute(attribute) => self.attribute(attribute, at),
            Form::Own => Some(json!({"$of": self.resource.id})),
            Form::Account => Some(Value::from(self.place.account.as_str())),
            Form::Region => Some(Value::from(self.place.region.as_str())),
            Form::Partition => Some(Value::from(self.place.partition.as_str())),
            Form::List(_) | Form::Each { .. } | Form::Keys(_) => {
                let all = self.all(form, at);
                (!all.is_empty()).then_some(Value::Array(all))
            }
            Form::Map(members) => self.map(members, at).map(Value::Object),
            Form::Json(inner) => self.json(inner, at),
            Form::Composed(inner) => self.composed(inner, at),
            Form::Data(inner) => self.data(inner, at),
            Form::Secret(inner) => self.fill(inner, at).map(|value| self.secret(value)),
            Form::None(forms) => {
                forms.iter().all(|form| self.fill(form, at).is_none()).then_some(Value::Bool(true))
            }
            Form::OneOf(forms) => one_of(forms.iter().filter_map(|form| self.fill(form, at)).collect()),
            Form::First(forms) => forms.iter().find_map(|form| self.fill(form, at)),
            Form::Case { of, cases, otherwise } => {
                let of = self.fill(of, at).and_then(|value| scalar(&value));
                let found = of.and_then(|of| cases.iter().find(|(text, _)| *text == of));
                self.fill(found.map_or(otherwise, |(_, form)| form), at)
            }
            Form::Join(inner) => self.join(inner, at),
            Form::Name(attribute) => Some(self.name(attribute, at)),
            Form::Format(parts) => self.format(parts, at),
            Form::Glob(pattern) => self.glob(pattern, at),
        }
    }

    /// The places that a form means, where it is a list or a map.
    pub(super) fn elements(&self, form: &Form, at: &Block<'p>) -> Vec<Block<'p>> {
        if let Form::Map(members) = form {
            let filled = |member: &Member| {
                self.fill(&member.form, at).map(|value| Block::made(Some(member.name.clone()), value))
            };
            return members.iter().filter_map(filled).collect();
        }
        let Form::Attribute(attribute) = form else {
            return self.fill(form, at).map(|value| Block::made(None, value).elements()).unwrap_or_default();
        };
        let (after, before) =
            (self.place_at(&self.after, &attribute.path), self.place_at(&self.before, &attribute.path));
        match attribute.which {
            Which::Gained => self.differing(&after, &before, true),
            Which::Lost => self.differing(&before, &after, false),
            Which::Here | Which::Around | Which::Changed | Which::Before => {
                let Some(block) = self.block(attribute, at) else { return Vec::new() };
                if block.is_unknown() {
                    return self.open_all(&block).into_iter().map(|value| Block::made(None, value)).collect();
                }
                block.elements()
            }
        }
    }

    /// Elements of one that the other has not: of maps also members that are not the same there, where they are gained.
    fn differing(&self, of: &Block<'p>, other: &Block<'p>, gained: bool) -> Vec<Block<'p>> {
        if gained && of.is_unknown() {
            return self.open_all(of).into_iter().map(|value| Block::made(None, value)).collect();
        }
        let others = other.elements();
        let same = |one: &Block<'p>| {
            others.iter().any(|other| match (&one.key, &other.key) {
                (Some(key), Some(other_key)) => key == other_key && (!gained || one.value() == other.value()),
                (Some(_), None) | (None, Some(_)) => false,
                (None, None) => one.value() == other.value(),
            })
        };
        let differs = |one: &Block<'p>| (gained && one.has_unknown()) || !same(one);
        of.elements().into_iter().filter(differs).collect()
    }

    /// A place; of tags with all that the provider adds, those that are written, where what it adds makes all unknown.
    fn place_at(&self, of: &Block<'p>, path: &[String]) -> Block<'p> {
        let found = of.at(path);
        match path {
            [one] if one == "tags_all" && found.is_unknown() => of.at(&["tags".to_owned()]),
            _ => found,
        }
    }

    /// The place that an attribute means; none where it is asked whether it changes and it does not.
    fn block(&self, attribute: &Attribute, at: &Block<'p>) -> Option<Block<'p>> {
        Some(match attribute.which {
            Which::Here => self.place_at(at, &attribute.path),
            Which::Around => at.around.as_deref().unwrap_or(&self.here).at(&attribute.path),
            Which::Before => self.place_at(&self.before, &attribute.path),
            Which::Changed | Which::Gained | Which::Lost => {
                let (after, before) = (
                    self.place_at(&self.after, &attribute.path),
                    self.place_at(&self.before, &attribute.path),
                );
                let changes =
                    if after.has_unknown() { after.is_written() } else { after.value() != before.value() };
                return changes.then_some(after);
            }
        })
    }

    fn attribute(&self, attribute: &Attribute, at: &Block<'p>) -> Option<Value> {
        let value = match attribute.which {
            Which::Gained | Which::Lost => {
                let all = self.elements(&Form::Attribute(attribute.clone()), at);
                let keyed = all.iter().any(|one| one.key.is_some());
                let pairs = all.iter().filter_map(|one| Some((one.key.clone(), self.leaf(one)?)));
                if keyed {
                    let pairs = pairs.filter_map(|(key, value)| Some((key?, value)));
                    self.plain_map(pairs.collect(), &attribute.path.join("."))
                } else {
                    Some(Value::Array(pairs.map(|(_, value)| value).collect()))
                }
            }
            Which::Here | Which::Around | Which::Changed | Which::Before => {
                self.leaf(&self.block(attribute, at)?)
            }
        }?;
        let empty = match &value {
            Value::String(text) => text.is_empty(),
            Value::Bool(truth) => !truth,
            Value::Number(number) => number.to_string() == "0",
            Value::Array(items) => items.is_empty(),
            Value::Object(map) => map.is_empty(),
            Value::Null => true,
        };
        (!(attribute.some && empty)).then_some(value)
    }

    /// What stands at a place.
    pub(super) fn leaf(&self, block: &Block<'p>) -> Option<Value> {
        if let Some(made) = &block.made {
            return Some(made.clone());
        }
        if block.is_sensitive() && block.value().as_str() != Some("") {
            let there = !block.value().is_null() || (block.is_unknown() && block.is_written());
            if block.value().is_object() || block.value().is_array() {
                self.note(format!(
                    "`{}` is sensitive as a whole, so that nothing of it is planned; mark values of it alone",
                    block.path
                ));
            }
            return there.then(|| json!({"$secret": true}));
        }
        if block.is_unknown() {
            return self.open(block);
        }
        match block.value() {
            Value::Null => None,
            value @ (Value::Bool(_) | Value::Number(_) | Value::String(_)) => Some(value.clone()),
            Value::Array(_) => {
                let all: Vec<Value> = block.elements().iter().filter_map(|one| self.leaf(one)).collect();
                (!all.is_empty()).then_some(Value::Array(all))
            }
            Value::Object(_) => {
                let pairs = block.elements().into_iter().filter_map(|one| {
                    let value = self.leaf(&one)?;
                    Some((one.key?, value))
                });
                self.plain_map(pairs.collect(), &block.path)
            }
        }
    }

    /// A map whose names are the plan's: one that a reader would take for more than a name is not written.
    fn plain_map(&self, map: Map<String, Value>, path: &str) -> Option<Value> {
        if let Some(name) = map.keys().find(|name| name.starts_with('$')) {
            self.note(format!(
                "`{path}` has `{name}`, which cannot be written here; whatever has it is not planned"
            ));
            return None;
        }
        (!map.is_empty()).then_some(Value::Object(map))
    }

    /// The values of a list.
    pub(super) fn all(&self, form: &Form, at: &Block<'p>) -> Vec<Value> {
        let mut all = self.laid_out(form, at);
        let mut seen = BTreeSet::new();
        all.retain(|one| seen.insert(one.to_string()));
        all
    }

    fn laid_out(&self, form: &Form, at: &Block<'p>) -> Vec<Value> {
        if let Form::List(forms) = form {
            return forms.iter().flat_map(|form| self.laid_out(form, at)).collect();
        }
        if let Form::Each { over, each } = form {
            let around = Rc::new(at.clone());
            let elements = self.elements(over, at).into_iter();
            return elements.filter_map(|one| self.fill(each, &one.within(&around))).collect();
        }
        if let Form::Keys(over) = form {
            return self.elements(over, at).into_iter().filter_map(|one| one.key).map(Value::from).collect();
        }
        if let Form::Attribute(attribute) = form
            && !matches!(attribute.which, Which::Gained | Which::Lost)
            && let Some(block) =
                self.block(attribute, at).filter(|block| block.is_unknown() && !block.is_sensitive())
        {
            return self.open_all(&block);
        }
        match self.fill(form, at) {
            Some(Value::Array(items)) => items,
            other => other.into_iter().collect(),
        }
    }

    /// The members that have values. What only says what it is, and has nothing to say it of, is none.
    pub(super) fn map(&self, members: &[Member], at: &Block<'p>) -> Option<Map<String, Value>> {
        let (mut map, mut asked, mut told) = (Map::new(), false, false);
        for member in members {
            let constant = matches!(
                member.form,
                Form::Literal(_) | Form::Own | Form::Account | Form::Region | Form::Partition
            );
            asked |= !constant;
            match self.fill(&member.form, at) {
                Some(value) => {
                    told |= !constant;
                    map.insert(member.name.clone(), value);
                }
                None if member.must => return None,
                None => {}
            }
        }
        map.sort_keys();
        (told || !asked).then_some(map)
    }

    fn json(&self, inner: &Form, at: &Block<'p>) -> Option<Value> {
        let value = self.composed(inner, at)?;
        match &value {
            // What is no JSON stands as it is.
            Value::String(text) => Some(
                super::super::strict::read(text)
                    .map_or_else(|_| value.clone(), |json| json!({"$json": json})),
            ),
            Value::Object(map) if !map.keys().any(|key| key.starts_with('$')) => {
                Some(json!({"$json": value}))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                Some(value)
            }
        }
    }

    /// The values in a text that is JSON, for what is written as a text and sent as values.
    fn data(&self, inner: &Form, at: &Block<'p>) -> Option<Value> {
        let value = self.composed(inner, at)?;
        let Some(text) = value.as_str() else {
            // Which of the values mentions what, is not shown.
            return Some(if value.get("$any").is_some() { json!({"$any": []}) } else { value });
        };
        let data = super::super::strict::read(text).ok()?;
        if has_operator(&data) {
            self.note("a text of JSON has a name with `$`, which cannot be written here".to_owned());
            return None;
        }
        Some(without_nothing(data))
    }

    fn composed(&self, inner: &Form, at: &Block<'p>) -> Option<Value> {
        if let Form::Attribute(attribute) = inner {
            let block = self.block(attribute, at)?;
            if block.made.is_none() && block.is_unknown() && !block.is_sensitive() {
                return self.open_text(&block);
            }
        }
        self.fill(inner, at)
    }

    fn join(&self, inner: &Form, at: &Block<'p>) -> Option<Value> {
        let all = self.all(inner, at);
        let texts: Option<Vec<String>> = all.iter().map(scalar).collect();
        match (all.as_slice(), texts) {
            ([], _) => None,
            ([one], _) => Some(one.clone()),
            (_, Some(texts)) if texts.len() <= ORDERS_MAX => {
                one_of(orders(&texts).into_iter().map(|order| Value::from(order.join(","))).collect())
            }
            (_, Some(texts)) => Some(Value::from(texts.join(","))),
            (_, None) => Some(json!({"$any": items_of(&Value::Array(all))})),
        }
    }

    fn name(&self, attribute: &Attribute, at: &Block<'p>) -> Value {
        if let Some(name) = self.attribute(attribute, at).filter(|name| name.as_str() != Some("")) {
            return name;
        }
        let last = attribute.path.last().map_or("name", String::as_str);
        let prefix = |name: String| {
            let value = self.leaf(&at.at(&[name]))?;
            value.as_str().filter(|prefix| !prefix.is_empty()).map(literally)
        };
        let prefix = prefix(format!("{last}_prefix")).or_else(|| prefix("name_prefix".to_owned()));
        // Made up by the client.
        json!({"$glob": format!("{}*", prefix.as_deref().unwrap_or("terraform-"))})
    }

    fn glob(&self, pattern: &Form, at: &Block<'p>) -> Option<Value> {
        let Form::Format(parts) = pattern else { return None };
        let mut text = String::new();
        for part in parts {
            if let Form::Literal(Value::String(literal)) = part {
                text.push_str(literal);
            } else {
                text.push_str(&literally(self.fill(part, at)?.as_str()?));
            }
        }
        Some(json!({"$glob": text}))
    }

    fn format(&self, parts: &[Form], at: &Block<'p>) -> Option<Value> {
        let values: Option<Vec<Value>> = parts.iter().map(|part| self.fill(part, at)).collect();
        let values: Vec<Value> = values?.into_iter().map(|value| self.foreseen(value)).collect();
        let texts: Option<Vec<String>> = values.iter().map(scalar).collect();
        match texts {
            Some(texts) => Some(Value::from(texts.concat())),
            None if values.iter().any(|value| value.get("$secret").is_some()) => {
                Some(json!({"$secret": true}))
            }
            None => Some(json!({"$any": items_of(&Value::Array(values))})),
        }
    }

    /// A secret for each value of a map.
    fn secret(&self, value: Value) -> Value {
        if let Value::Object(map) = &value
            && !map.keys().any(|key| key.starts_with('$'))
        {
            let secret = |(key, value): (&String, &Value)| (key.clone(), self.secret(value.clone()));
            return Value::Object(map.iter().map(secret).collect());
        }
        // The gate keeps no hash of an empty text.
        if value.as_str() == Some("") {
            return value;
        }
        json!({"$secret": true})
    }

    /// An identity as the text that it will be, where its type says so.
    fn foreseen(&self, value: Value) -> Value {
        let item = value.get("$of").and_then(Value::as_str);
        let known = item.and_then(|item| self.items.id_of(item)).map(Value::from);
        known.unwrap_or(value)
    }

    pub(super) fn note(&self, text: String) {
        self.notes.borrow_mut().insert(text);
    }
}

/// A pattern that only this text is of.
fn literally(text: &str) -> String {
    let mut pattern = String::new();
    for letter in text.chars() {
        match letter {
            '*' | '?' | '[' | ']' | '{' | '}' | '!' => pattern.extend(['[', letter, ']']),
            letter => pattern.push(letter),
        }
    }
    pattern
}

/// Whether a name in it would be taken for more than a name.
fn has_operator(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(key, value)| key.starts_with('$') || has_operator(value)),
        Value::Array(items) => items.iter().any(has_operator),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// The same without members that say nothing.
fn without_nothing(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let says = |value: &Value| !value.is_null() && !value.as_array().is_some_and(Vec::is_empty);
            let told = map.into_iter().filter(|(_, value)| says(value));
            let mut map: Map<String, Value> =
                told.map(|(key, value)| (key, without_nothing(value))).collect();
            map.sort_keys();
            Value::Object(map)
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nothing).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

/// A text, number or truth value by its text.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// One of these values; none where there are none.
pub(super) fn one_of(values: Vec<Value>) -> Option<Value> {
    let mut all: Vec<Value> = Vec::new();
    for value in values {
        match value.get("$in").and_then(Value::as_array) {
            Some(inner) => all.extend(inner.iter().cloned()),
            None => all.push(value),
        }
    }
    let mut seen = BTreeSet::new();
    all.retain(|one| seen.insert(one.to_string()));
    if all.len() < 2 { all.pop() } else { Some(json!({"$in": all})) }
}

/// The items that a value means, however deep.
fn items_of(value: &Value) -> BTreeSet<&str> {
    match value {
        Value::Array(items) => items.iter().flat_map(items_of).collect(),
        Value::Object(map) => match (map.get("$of"), map.get("$any")) {
            (Some(Value::String(item)), _) => BTreeSet::from([item.as_str()]),
            (_, Some(Value::Array(items))) => items.iter().filter_map(Value::as_str).collect(),
            // One of several: none of them has to be mentioned.
            _ => BTreeSet::new(),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => BTreeSet::new(),
    }
}

/// All orders of a few texts.
fn orders(texts: &[String]) -> Vec<Vec<String>> {
    let Some((first, rest)) = texts.split_first() else { return vec![Vec::new()] };
    let mut all = Vec::new();
    for order in orders(rest) {
        for at in 0..=order.len() {
            let mut longer = order.clone();
            longer.insert(at, first.clone());
            all.push(longer);
        }
    }
    all.sort();
    all
}
