//! Expressions in templates, as far as a request itself says what they come to: parameters, variables, and texts put
//! together from them.
//!
//! Leaves out what only the plane knows, which comes to nothing here and makes a name a pattern.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::Value;

use super::body::{member, text};

/// How deep expressions lead to each other.
const DEPTH_MAX: usize = 16;

/// How much text the expressions of one request may come to, in bytes.
const TEXT_MAX: usize = 1 << 20;

/// How much more text there may be, in all templates of a request together.
#[derive(Debug, Clone)]
pub(super) struct Left(Rc<Cell<usize>>);

impl Left {
    /// All of it.
    pub(super) fn whole() -> Self {
        Self(Rc::new(Cell::new(TEXT_MAX)))
    }
}

/// Stands in a name for what is not known.
pub(super) const UNKNOWN: char = '\u{e000}';

/// What expressions of one template may refer to.
#[derive(Debug)]
pub(super) struct Scope<'v> {
    parameters: BTreeMap<String, Value>,
    variables: BTreeMap<String, &'v Value>,
    left: Left,
}

impl<'v> Scope<'v> {
    /// The scope of a template with the parameters that are given to it; `all_known` where none comes from elsewhere.
    pub(super) fn new(
        template: &'v Value,
        given: impl Iterator<Item = (String, Option<Value>)>,
        all_known: bool,
        left: Left,
    ) -> Self {
        let mut parameters = BTreeMap::new();
        let declared = member(template, "parameters").and_then(Value::as_object);
        if all_known {
            for (name, declared) in declared.into_iter().flatten() {
                if let Some(value) = member(declared, "defaultValue") {
                    parameters.insert(name.to_lowercase(), value.clone());
                }
            }
            for (name, value) in given {
                match value {
                    Some(value) => parameters.insert(name.to_lowercase(), value),
                    // What is given and not known is not what it would be if nothing were given.
                    None => parameters.remove(&name.to_lowercase()),
                };
            }
        }
        let variables = member(template, "variables").and_then(Value::as_object);
        let variables = variables.into_iter().flatten();
        let variables = variables.map(|(name, value)| (name.to_lowercase(), value)).collect();
        Self { parameters, variables, left }
    }

    /// A value with all its expressions replaced by what they come to, and whether every one of them was.
    pub(super) fn resolve(&self, value: &Value) -> (Value, bool) {
        let mut whole = true;
        (self.resolved(value, 0, &mut whole), whole)
    }

    fn resolved(&self, value: &Value, depth: usize, whole: &mut bool) -> Value {
        match value {
            Value::String(written) => match self.value(written, depth) {
                Some(value) => {
                    *whole &= !value.as_str().is_some_and(is_left);
                    value
                }
                None => {
                    *whole = false;
                    value.clone()
                }
            },
            Value::Array(items) => items.iter().map(|item| self.resolved(item, depth, whole)).collect(),
            Value::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|(key, value)| {
                        let key = match self.value(key, depth) {
                            Some(Value::String(key)) => key,
                            Some(_) | None => {
                                *whole = false;
                                key.clone()
                            }
                        };
                        (key, self.resolved(value, depth, whole))
                    })
                    .collect(),
            ),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    /// What a text comes to; `None` where it is an expression that only the plane can answer.
    fn value(&self, written: &str, depth: usize) -> Option<Value> {
        self.count(0)?;
        match inside(written) {
            Written::Literal(literal) => self.count(literal.len()).map(|()| Value::from(literal)),
            Written::Expression(expression) => {
                let mut reader = Reader { text: expression, scope: self, depth };
                let value = reader.value()?;
                reader.text.trim().is_empty().then_some(value)
            }
        }
    }

    /// Takes from what is left. What there is too much of leaves nothing, so that it is not looked at again and again.
    fn count(&self, bytes: usize) -> Option<()> {
        let left = self.left.0.get().checked_sub(bytes.saturating_add(1));
        self.left.0.set(left.unwrap_or_default());
        left.map(|_| ())
    }

    /// The same, for a whole value. It is looked at no further than what is left goes.
    fn count_all(&self, value: &Value) -> Option<()> {
        match value {
            Value::String(text) => self.count(text.len()),
            Value::Array(items) => {
                self.count(0)?;
                items.iter().try_for_each(|item| self.count_all(item))
            }
            Value::Object(members) => {
                self.count(0)?;
                members.iter().try_for_each(|(key, value)| {
                    self.count(key.len())?;
                    self.count_all(value)
                })
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => self.count(8),
        }
    }

    /// A name as far as it is known: [`UNKNOWN`] stands where it is not.
    pub(super) fn name(&self, written: &str) -> String {
        let name = match (self.value(written, 0), inside(written)) {
            (Some(Value::String(known)), _) => known,
            (_, Written::Expression(expression)) => {
                let mut reader = Reader { text: expression, scope: self, depth: 0 };
                reader.pieces().unwrap_or_else(|| UNKNOWN.to_string())
            }
            (_, Written::Literal(literal)) => literal.to_owned(),
        };
        if is_left(&name) { UNKNOWN.to_string() } else { name }
    }

    fn lookup(&self, function: &str, name: &str, depth: usize) -> Option<Value> {
        let name = name.to_lowercase();
        let found = match function {
            "parameters" => self.parameters.get(&name),
            "variables" => self.variables.get(&name).copied(),
            _ => None,
        }?;
        if depth >= DEPTH_MAX {
            return None;
        }
        self.count_all(found)?;
        let mut whole = true;
        let value = self.resolved(found, depth + 1, &mut whole);
        whole.then_some(value)
    }
}

/// What is left of an expression when it was worked out is one again, which a nested template works out: nobody says
/// here what it comes to there.
fn is_left(known: &str) -> bool {
    known.starts_with('[') && known.ends_with(']')
}

enum Written<'t> {
    Literal(&'t str),
    Expression(&'t str),
}

/// `[expression]`; `[[` begins a text that begins with one bracket.
fn inside(text: &str) -> Written<'_> {
    let between = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match between {
        Some(rest) if !rest.starts_with('[') => Written::Expression(rest),
        Some(_) => Written::Literal(text.strip_prefix('[').unwrap_or(text)),
        None => Written::Literal(text),
    }
}

/// Whether a text is an expression that has a function by which secrets are read. What is an expression only when
/// another template has worked it out is one too.
pub(super) fn reads_secrets(text: &str) -> bool {
    let Some(expression) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else {
        return false;
    };
    let (mut word, mut ended, mut quoted) = (String::new(), false, false);
    for one in expression.chars() {
        match one {
            '(' if word.starts_with("list") || word == "getsecret" => return true,
            // Between a function and its arguments there may be space, as anywhere outside of a text.
            _ if one.is_whitespace() && !quoted => ended = true,
            _ if one.is_ascii_alphanumeric() => {
                if std::mem::take(&mut ended) {
                    word.clear();
                }
                word.push(one.to_ascii_lowercase());
            }
            _ => {
                quoted ^= one == '\'';
                word.clear();
            }
        }
    }
    false
}

struct Reader<'t, 's, 'v> {
    text: &'t str,
    scope: &'s Scope<'v>,
    depth: usize,
}

impl<'t> Reader<'t, '_, '_> {
    fn take(&mut self, wanted: char) -> bool {
        let rest = self.text.trim_start().strip_prefix(wanted);
        self.text = rest.unwrap_or(self.text);
        rest.is_some()
    }

    fn word(&mut self) -> Option<&'t str> {
        let text = self.text.trim_start();
        let end = text.find(|one: char| !one.is_ascii_alphanumeric()).unwrap_or(text.len());
        let (word, rest) = text.split_at_checked(end).filter(|(word, _)| !word.is_empty())?;
        self.text = rest;
        Some(word)
    }

    /// A text in single quotes, in which two of them stand for one.
    fn quoted(&mut self) -> Option<String> {
        let mut known = String::new();
        let mut rest = self.text.trim_start().strip_prefix('\'')?;
        loop {
            let (before, after) = rest.split_once('\'')?;
            known.push_str(before);
            match after.strip_prefix('\'') {
                Some(more) => {
                    known.push('\'');
                    rest = more;
                }
                None => {
                    self.text = after;
                    return Some(known);
                }
            }
        }
    }

    /// One value that is known, with nothing behind it that would make it another.
    fn value(&mut self) -> Option<Value> {
        let found = if self.text.trim_start().starts_with('\'') {
            Value::from(self.quoted()?)
        } else {
            let function = self.word()?.to_lowercase();
            if !self.take('(') {
                return None;
            }
            match function.as_str() {
                "parameters" | "variables" => {
                    let name = self.quoted()?;
                    self.take(')').then_some(())?;
                    self.scope.lookup(&function, &name, self.depth)?
                }
                "concat" => {
                    let mut whole = String::new();
                    for one in self.arguments()? {
                        whole.push_str(one.as_str()?);
                    }
                    self.scope.count(whole.len())?;
                    Value::from(whole)
                }
                "tolower" | "toupper" => {
                    let [one] = <[Value; 1]>::try_from(self.arguments()?).ok()?;
                    let text = one.as_str()?;
                    Value::from(if function == "tolower" { text.to_lowercase() } else { text.to_uppercase() })
                }
                "format" => self.format()?,
                _ => return None,
            }
        };
        let after = self.text.trim_start();
        (after.is_empty() || after.starts_with([',', ')'])).then_some(found)
    }

    fn arguments(&mut self) -> Option<Vec<Value>> {
        if self.depth >= DEPTH_MAX {
            return None;
        }
        self.depth += 1;
        let mut all = Vec::new();
        loop {
            all.push(self.value()?);
            if self.take(')') {
                self.depth -= 1;
                return Some(all);
            }
            self.take(',').then_some(())?;
        }
    }

    /// `format('{0}-{1}', …)`, as far as it only puts texts in places.
    fn format(&mut self) -> Option<Value> {
        let arguments = self.arguments()?;
        let (pattern, rest) = arguments.split_first()?;
        let mut known = String::new();
        let mut left = pattern.as_str()?;
        while let Some((before, after)) = left.split_once('{') {
            let (number, after) = after.split_once('}')?;
            let one = rest.get(number.parse::<usize>().ok()?)?.as_str()?;
            self.scope.count(one.len())?;
            known.push_str(before);
            known.push_str(one);
            left = after;
        }
        known.push_str(left);
        (!known.contains('}')).then(|| Value::from(known))
    }

    /// What is known of a text that `concat` puts together; each part that is not known is [`UNKNOWN`].
    fn pieces(&mut self) -> Option<String> {
        let begun = self.text;
        let is_concat = self.word()?.eq_ignore_ascii_case("concat") && self.take('(');
        if !is_concat || !begun.trim_end().ends_with(')') {
            return None;
        }
        let mut known = String::new();
        loop {
            let start = self.text;
            match self.value() {
                Some(Value::String(text)) => known.push_str(&text),
                Some(_) => return None,
                None => {
                    self.text = start;
                    self.skip()?;
                    known.push(UNKNOWN);
                }
            }
            if self.take(')') {
                return self.text.trim().is_empty().then_some(known);
            }
            self.take(',').then_some(())?;
        }
    }

    /// Goes to the end of an argument.
    fn skip(&mut self) -> Option<()> {
        let (mut open, mut quoted) = (0_usize, false);
        for (at, one) in self.text.char_indices() {
            match one {
                '\'' => quoted = !quoted,
                '(' | '[' if !quoted => open += 1,
                ')' | ',' if !quoted && open == 0 => {
                    self.text = self.text.get(at..)?;
                    return Some(());
                }
                ')' | ']' if !quoted => open = open.checked_sub(1)?,
                _ => {}
            }
        }
        None
    }
}

/// The parameters that are given to a template, and those among them that stand in a vault.
pub(super) fn given(parameters: Option<&Value>) -> impl Iterator<Item = (String, Option<Value>)> + '_ {
    let members = parameters.and_then(Value::as_object);
    members.into_iter().flatten().map(|(name, given)| (name.clone(), member(given, "value").cloned()))
}

/// The names of a template's parameters that are secrets, in lower case.
pub(super) fn secure(template: &Value) -> BTreeSet<String> {
    let declared = member(template, "parameters").and_then(Value::as_object);
    let is_secure = |declared: &Value| {
        text(declared, "type").is_none_or(|kind| kind.to_lowercase().starts_with("secure"))
    };
    let members = declared.into_iter().flatten();
    members.filter(|(_, declared)| is_secure(declared)).map(|(name, _)| name.to_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(written: &str, expected: &str) {
        let template = json!({
            "parameters": {
                "env": {"type": "string", "defaultValue": "dev"},
                "none": {"type": "string", "defaultValue": "x"},
            },
            "variables": {"vm": "[concat('vm-', parameters('env'))]", "loop": "[variables('loop')]"},
        });
        let given = [("Env".to_owned(), Some(json!("prod"))), ("none".to_owned(), None)];
        let scope = Scope::new(&template, given.into_iter(), true, Left::whole());
        assert_eq!(scope.name(written).replace(UNKNOWN, "*"), expected, "{written}");
    }

    #[test]
    fn a_name_is_known_as_far_as_the_request_says() {
        check("plain", "plain");
        // A template around it may leave that to one in it, which works it out.
        check("[[concat('a', 'b')]", "*");
        check("[concat('[', 'x]')]", "*");
        check("[[plain", "[[plain");
        check("[parameters('env')]", "prod");
        check("[Variables('VM')]", "vm-prod");
        check("[concat('a''b', '/', toUpper(parameters('ENV')))]", "a'b/PROD");
        check("[format('{0}-{1}', variables('vm'), 'x')]", "vm-prod-x");
        check("[concat(parameters('none'), '/default')]", "*/default");
        check("[concat(uniqueString(resourceGroup().id, 'a,)'), '-', parameters('env'))]", "*-prod");
        check("[variables('loop')]", "*");
        check("[parameters('env')[0]]", "*");
        check("[concat('a', 'b')]x", "[concat('a', 'b')]x");
        check("[resourceId('a', 'b')]", "*");
    }

    #[test]
    fn texts_that_grow_without_end_are_not_known() {
        let mut variables = serde_json::Map::from_iter([("v0".to_owned(), json!("x".repeat(1_000)))]);
        for at in 1..15 {
            let before = at - 1;
            let twice = format!("[concat(variables('v{before}'), variables('v{before}'))]");
            variables.insert(format!("v{at}"), json!(twice));
        }
        let template = json!({"variables": variables});
        let scope = Scope::new(&template, std::iter::empty(), true, Left::whole());
        assert_eq!(scope.name("[variables('v14')]"), UNKNOWN.to_string());
    }

    #[test]
    fn what_is_too_much_is_not_walked_again() {
        let count = 20_000;
        let of = |at: usize| (format!("v{at}"), json!(format!("[variables('v{}')]", (at + 1) % count)));
        let mut variables: serde_json::Map<String, Value> = (0..count).map(of).collect();
        variables.insert("big".to_owned(), json!(vec![0; TEXT_MAX / 8]));
        let template = json!({"variables": variables});
        let left = Left::whole();
        let scope = Scope::new(&template, std::iter::empty(), true, left.clone());
        assert_eq!(scope.name("[variables('big')]"), UNKNOWN.to_string());
        assert_eq!(left.0.get(), 0, "what failed leaves nothing");
        for _ in 0..count {
            assert_eq!(scope.name("[variables('v0')]"), UNKNOWN.to_string());
        }
    }

    #[test]
    fn a_pattern_does_not_grow_before_it_is_counted() {
        let text = format!("[format('{}', '{}')]", "{0}".repeat(40_000), "x".repeat(40_000));
        let left = Left::whole();
        let scope = Scope::new(&Value::Null, std::iter::empty(), true, left.clone());
        assert_eq!(scope.name(&text), UNKNOWN.to_string());
        assert_eq!(left.0.get(), 0);
    }

    #[test]
    fn functions_that_read_secrets_are_seen() {
        for text in [
            "[listKeys(variables('id'), '2023-01-01').keys[0].value]",
            "[concat('x', LISTaccountSas('a'))]",
            "[listKeys (variables('id'), '2023-01-01').keys[0].value]",
            "[concat('it''s ', getSecret\n\t('a'))]",
            "[acct.listKeys( ).keys[0].value]",
            // What the outer template leaves, the inner one has worked out.
            "[[listKeys('a')]",
        ] {
            assert!(reads_secrets(text), "{text}");
        }
        for text in
            ["listKeys(x)", "[variables('list')]", "[reference('x').list]", "[concat('a list (of)', 'b')]"]
        {
            assert!(!reads_secrets(text), "{text}");
        }
    }
}
