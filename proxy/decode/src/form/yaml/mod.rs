//! YAML, read strictly: one document of maps, lists and scalars, whose meaning does not hang on the version of YAML.
//!
//! The API server of Kubernetes reads YAML 1.1 as one library does, others read 1.2. What they read in two ways is
//! refused: a key given twice, anchors, tags, merge keys, `yes` and `on`, octal numbers, times. Two parsers have to read
//! the same: ours is made on one that says how a scalar was written, the other has the grammar of the server's own.
//! Leaves out what the members mean.

mod scalar;

use std::borrow::Cow;

use ordain_action::{Scalar, Undecodable};
use saphyr_parser::{Event, Parser, StrInput, Tag};
use yaml_serde::Value;

use super::DEPTH_MAX;
use super::fields::{Fields, duplicate};

/// Characters that are line ends for some readers and text for others, or the mark of an encoding.
const LINE_ENDS: [char; 4] = ['\u{85}', '\u{2028}', '\u{2029}', '\u{feff}'];

/// Reads one YAML document, whose root is a map, into `fields`, where their path stands.
///
/// # Errors
/// Anything that is not exactly one such document, or that two readers could read in two ways.
pub fn read(body: &[u8], fields: &mut Fields) -> Result<(), Undecodable> {
    let text = std::str::from_utf8(body)
        .map_err(|_| Undecodable::new("not_utf8", "the YAML body is not UTF-8; send UTF-8"))?;
    agreed(text, None)?;
    Reader::new(text, None).document(fields)
}

/// Reads one YAML document whose root is a map, with local tags from a list and no others. Beside those it may have
/// dates, which are text, and numbers for keys.
///
/// # Errors
/// Anything that is not exactly one such document, that two readers could read in two ways, or that has more values
/// than are compared.
pub(crate) fn read_tagged(text: &str, tags: &[&str]) -> Result<Value, Undecodable> {
    let (fields, value) = agreed(text, Some(tags))?;
    if fields.overflowed() {
        return Err(bad("it has more values than are read at once; send fewer"));
    }
    Ok(value)
}

/// What two parsers read alike.
fn agreed(text: &str, tags: Option<&[&str]>) -> Result<(Fields, Value), Undecodable> {
    if text.contains(LINE_ENDS) || text.replace("\r\n", "\n").contains('\r') {
        return Err(ambiguous("an unusual line end"));
    }
    if text.starts_with('%') || text.contains("\n%") {
        return Err(ambiguous("a directive"));
    }
    let mut first = Fields::new();
    Reader::new(text, tags).document(&mut first)?;
    let value: Value =
        yaml_serde::from_str(text).map_err(|_| bad("it is not valid YAML; send valid YAML"))?;
    let mut second = Fields::new();
    flatten(&value, &mut second, true, tags.is_some())?;
    let same = first.len() == second.len()
        && first.overflowed() == second.overflowed()
        && first.iter().zip(second.iter()).all(|(one, other)| one.0 == other.0 && same_value(one.1, other.1));
    if same { Ok((first, value)) } else { Err(ambiguous("something")) }
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    /// Lists or maps are written in brackets: there, readers do not agree on where a plain text ends.
    brackets: bool,
    /// The local tags that may stand before a value; with some, where brackets are is known exactly.
    tags: Option<&'t [&'t str]>,
    /// The text in characters, which is how the parser counts.
    letters: Vec<char>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, tags: Option<&'t [&'t str]>) -> Self {
        let brackets = tags.is_none() && text.replace("{}", "").replace("[]", "").contains(['{', '[']);
        let letters = if tags.is_some() { text.chars().collect() } else { Vec::new() };
        Self { parser: Parser::new_from_str(text), brackets, tags, letters }
    }

    fn next(&mut self) -> Result<Event<'t>, Undecodable> {
        Ok(self.next_with_brackets()?.0)
    }

    /// The next event, and whether what it begins is written in brackets.
    fn next_with_brackets(&mut self) -> Result<(Event<'t>, bool), Undecodable> {
        let event = self.parser.next_event().and_then(Result::ok);
        let (event, span) = event.ok_or_else(|| bad("it is not valid YAML; send valid YAML"))?;
        let brackets = self.is_bracket(span.start.index());
        Ok((event, brackets))
    }

    /// Whether what begins there begins with a bracket, behind its tag where it has one.
    fn is_bracket(&self, start: usize) -> bool {
        let mut rest = self.letters.get(start..).unwrap_or_default().iter();
        let first = rest.as_slice().first();
        if first == Some(&'!') {
            let mut untagged = rest.skip_while(|letter| !letter.is_whitespace());
            return untagged
                .find(|letter| !letter.is_whitespace())
                .is_some_and(|letter| matches!(letter, '[' | '{'));
        }
        rest.next().is_some_and(|letter| matches!(letter, '[' | '{'))
    }

    /// The segment that a tag is written as in a path; `None` without one.
    fn tag(&self, tag: Option<&Tag>) -> Result<Option<String>, Undecodable> {
        let Some(tag) = tag else { return Ok(None) };
        let known = tag.handle == "!" && self.tags.is_some_and(|tags| tags.contains(&tag.suffix.as_str()));
        if known { Ok(Some(format!("!{}", tag.suffix))) } else { Err(ambiguous("an anchor or a tag")) }
    }

    fn document(&mut self, fields: &mut Fields) -> Result<(), Undecodable> {
        if self.next()? != Event::StreamStart || !matches!(self.next()?, Event::DocumentStart(_)) {
            return Err(bad("it is empty; send a map"));
        }
        match self.next()? {
            Event::MappingStart(0, None) => self.map(fields, 0)?,
            Event::MappingStart(..) => return Err(ambiguous("an anchor or a tag")),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::Alias(_)
            | Event::Scalar(..)
            | Event::SequenceStart(..)
            | Event::SequenceEnd
            | Event::MappingEnd => return Err(bad("its root is no map; send a map")),
        }
        if self.next()? != Event::DocumentEnd {
            return Err(bad("it goes on; send one map"));
        }
        if self.next()? != Event::StreamEnd {
            return Err(bad("a second document follows; send one"));
        }
        Ok(())
    }

    fn value(
        &mut self,
        (event, brackets): (Event<'t>, bool),
        fields: &mut Fields,
        depth: usize,
    ) -> Result<(), Undecodable> {
        if depth > DEPTH_MAX {
            return Err(Undecodable::new("nested_too_deep", "the body nests too deep; send it flatter"));
        }
        let tag = match &event {
            Event::Scalar(.., tag) | Event::SequenceStart(_, tag) | Event::MappingStart(_, tag) => {
                tag.as_deref()
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::Alias(_)
            | Event::SequenceEnd
            | Event::MappingEnd => None,
        };
        let mark = self.tag(tag)?.map(|tag| fields.enter(&tag));
        let outside = self.brackets;
        self.brackets |= brackets;
        self.untagged(event, fields, depth)?;
        self.brackets = outside;
        if let Some(mark) = mark {
            fields.leave(mark);
        }
        Ok(())
    }

    fn untagged(&mut self, event: Event<'t>, fields: &mut Fields, depth: usize) -> Result<(), Undecodable> {
        match event {
            Event::Scalar(text, style, 0, _) => {
                fields.put(self.scalar(&text, style)?);
                Ok(())
            }
            Event::SequenceStart(0, _) => self.list(fields, depth),
            Event::MappingStart(0, _) => self.map(fields, depth),
            Event::Alias(_) => Err(ambiguous("an alias")),
            Event::Scalar(..) | Event::SequenceStart(..) | Event::MappingStart(..) => {
                Err(ambiguous("an anchor or a tag"))
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => Err(bad("a value is missing; send valid YAML")),
        }
    }

    fn list(&mut self, fields: &mut Fields, depth: usize) -> Result<(), Undecodable> {
        let mut count = 0;
        loop {
            let event = self.next_with_brackets()?;
            if event.0 == Event::SequenceEnd {
                break;
            }
            count += 1;
            let mark = fields.enter_item(count);
            self.value(event, fields, depth + 1)?;
            fields.leave(mark);
        }
        if count == 0 {
            fields.put(Scalar::Empty);
        }
        Ok(())
    }

    fn map(&mut self, fields: &mut Fields, depth: usize) -> Result<(), Undecodable> {
        let mut keys = Vec::new();
        loop {
            let event = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let Event::Scalar(key, style, 0, None) = event else {
                return Err(ambiguous("a key that is no plain text"));
            };
            if key == "<<" {
                return Err(ambiguous("a merge key"));
            }
            match self.scalar(&key, style)? {
                Scalar::Text(_) => {}
                Scalar::Number(number) if self.tags.is_some() && is_key(number) => {}
                Scalar::Number(_) | Scalar::Bool(_) | Scalar::Null | Scalar::Empty | Scalar::Token(_) => {
                    return Err(ambiguous("a key that is no text"));
                }
            }
            let event = self.next_with_brackets()?;
            let mark = fields.enter(&key);
            self.value(event, fields, depth + 1)?;
            fields.leave(mark);
            keys.push(key);
        }
        if keys.is_empty() && depth > 0 {
            fields.put(Scalar::Empty);
        }
        keys.sort_unstable();
        match keys.iter().zip(keys.iter().skip(1)).find(|(one, next)| one == next) {
            Some((key, _)) => Err(duplicate(key)),
            None => Ok(()),
        }
    }
}

/// Digits that every reader writes the same way again.
fn is_key(number: &str) -> bool {
    number.bytes().all(|byte| byte.is_ascii_digit())
}

/// What the second parser read, in the same flat form.
fn flatten(value: &Value, fields: &mut Fields, root: bool, tagged: bool) -> Result<(), Undecodable> {
    match value {
        Value::Null => fields.put(Scalar::Null),
        Value::Bool(truth) => fields.put(Scalar::Bool(*truth)),
        Value::Number(number) => fields.put(Scalar::Number(&number.to_string())),
        Value::String(text) => fields.put(Scalar::Text(text)),
        Value::Sequence(items) if items.is_empty() => fields.put(Scalar::Empty),
        Value::Sequence(items) => {
            for (at, item) in items.iter().enumerate() {
                let mark = fields.enter_item(at + 1);
                flatten(item, fields, false, tagged)?;
                fields.leave(mark);
            }
        }
        Value::Mapping(members) if members.is_empty() && !root => fields.put(Scalar::Empty),
        Value::Mapping(members) => {
            for (key, member) in members {
                let key = key_of(key, tagged).ok_or_else(|| ambiguous("a key that is no text"))?;
                let mark = fields.enter(&key);
                flatten(member, fields, false, tagged)?;
                fields.leave(mark);
            }
        }
        Value::Tagged(inner) if tagged && !root => {
            let mark = fields.enter(&inner.tag.to_string());
            flatten(&inner.value, fields, false, tagged)?;
            fields.leave(mark);
        }
        Value::Tagged(_) => return Err(ambiguous("an anchor or a tag")),
    }
    Ok(())
}

/// A key as text: with tags, numbers are keys too.
pub(crate) fn key_of(key: &Value, tagged: bool) -> Option<Cow<'_, str>> {
    match key {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) if tagged => Some(Cow::Owned(number.to_string())),
        Value::Number(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Sequence(_)
        | Value::Mapping(_)
        | Value::Tagged(_) => None,
    }
}

/// The second parser writes a number of its own.
fn same_value(one: Scalar<'_>, other: Scalar<'_>) -> bool {
    match (one, other) {
        (Scalar::Number(one), Scalar::Number(other)) => one.parse::<f64>() == other.parse::<f64>(),
        (one, other) => one == other,
    }
}

fn bad(what: &str) -> Undecodable {
    Undecodable::new("bad_yaml", format!("the YAML body cannot be read: {what}"))
}

fn ambiguous(what: &str) -> Undecodable {
    Undecodable::new(
        "ambiguous_yaml",
        format!("{what} is read in two ways in the YAML body; write it in quotes and in full, or send JSON"),
    )
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;
    use crate::form::fields::shown;

    fn show(body: &str) -> String {
        shown(|fields| read(body.as_bytes(), fields))
    }

    #[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
    fn check(body: &str, expected: Expect) {
        expected.assert_eq(&show(body));
    }

    #[test]
    fn a_document_becomes_flat_leaves() {
        check(
            "a: text\nb:\n- 1\n- -2.5\n- {}\n- []\nc:\n  \"d\": \"on\"\n  e: 'yes'\nf: |\n  two\n  lines\ng: ~\nh:\ni: 100m\nj: nginx:1.2\n",
            expect![[r#"
                a=Text("text")
                b.1=Number("1")
                b.2=Number("-2.5")
                b.3=Empty
                b.4=Empty
                c.d=Text("on")
                c.e=Text("yes")
                f=Text("two\nlines\n")
                g=Null
                h=Null
                i=Text("100m")
                j=Text("nginx:1.2")
            "#]],
        );
    }

    #[test]
    fn what_versions_of_yaml_read_in_two_ways_is_refused() {
        for body in [
            "a: on",
            "a: Yes",
            "a: n",
            "on: 1",
            "a: 012",
            "a: 0x1f",
            "a: 0o17",
            "a: 1_000",
            "a: 1:30",
            "a: 1e3",
            "a: 2020-01-01",
            "a: .inf",
            "a: +1",
            "a: 18446744073709551617",
            "a: True",
            "a: NULL",
            "a: &x 1",
            "a: &x 1\nb: *x",
            "a: !!str 1",
            "<<: {a: 1}",
            "\"<<\": {a: 1}",
            "? {a: 1}\n: 2",
            "1: a",
            "true: a",
            "%YAML 1.1\n---\na: b",
            "%TAG ! tag:x,1:\n---\na: b",
            "a: b\u{85}c: d",
            "a: b\rc: d",
            "{a: b:c}",
        ] {
            let said = show(body);
            assert!(said.starts_with("ambiguous_yaml"), "{body}: {said}");
        }
    }

    #[test]
    fn what_is_not_one_map_is_refused() {
        for body in ["", "a", "- 1", "a: 1\n---\nb: 2", "a: [1", "a: {b: 1", "\t- a", "a: x\n  b: y", "\u{0}"]
        {
            let said = show(body);
            assert!(said.starts_with("bad_yaml"), "{body:?}: {said}");
        }
        check("a: 1\nb: 2\n\"a\": 3\n", expect!["duplicate_parameter: `a` is given twice; send it once"]);
        let deep = format!("a: {}1{}", "[".repeat(100), "]".repeat(100));
        check(&deep, expect!["nested_too_deep: the body nests too deep; send it flatter"]);
        assert_eq!(read(b"a: \xff", &mut Fields::new()).unwrap_err().reason_code, "not_utf8");
    }

    fn tagged(body: &str) -> String {
        let mut fields = Fields::new();
        match read_tagged(body, &["Ref", "Sub", "Join", "GetAtt", "If"]) {
            Ok(value) => {
                flatten(&value, &mut fields, true, true).unwrap();
                fields.iter().map(|(path, value)| format!("{path}={value:?}\n")).collect()
            }
            Err(why) => format!("{}: {}", why.reason_code, why.text),
        }
    }

    #[test]
    fn tags_of_a_list_are_keys_of_their_own() {
        expect![[r#"
            Version=Text("2010-09-09")
            a.!Ref=Text("AWS::Region")
            b.1=Text("x")
            b.2.!Sub=Text("${A}-b")
            b.3.!Join.1=Text(":")
            b.3.!Join.2.1=Text("arn:aws:s3")
            b.3.!Join.2.2.!Ref=Text("AWS::Region")
            c.!If.1=Text("Prod")
            c.!If.2.d=Number("1")
            c.!If.3=Null
            e.\123456789012=Text("x:y")
            f.!GetAtt=Text("Role.Arn")
            h=Text("1.2.3")
            i=Text("1234abcd-12ab-34cd")
            j=Text("03:00-04:00")
            k=Bool(true)
            g.!Sub.1=Text("two\nlines ${X}\n")
            g.!Sub.2.X=Text("on")
        "#]]
        .assert_eq(&tagged(
            "Version: 2010-09-09\na: !Ref AWS::Region\nb:\n- x\n- !Sub '${A}-b'\n- !Join [':', [arn:aws:s3, !Ref AWS::Region]]\nc: !If\n- Prod\n- d: 1\n- \ne:\n  123456789012: x:y\nf: !GetAtt Role.Arn\nh: 1.2.3\ni: 1234abcd-12ab-34cd\nj: 03:00-04:00\nk: True\ng: !Sub\n- |\n  two\n  lines ${X}\n- X: 'on'\n",
        ));
        for body in [
            "a: !Other x",
            "a: !!str x",
            "a: !<tag:yaml.org,2002:str> x",
            "!Ref a: x",
            "!Ref a",
            "a: ! x",
            "a: !Ref &x b",
            "a: !Ref yes",
            "a: [b: c, d:]",
            "a: [b:, c]",
            "a: 2020-01-01T00:00:00Z",
            "a: 012345678901",
            "0x1f: a",
            "01: a",
            "1.5: a",
            "a: !e!Ref x",
            "a: !Join [x, b#c]",
            "a: !If {b: c?d}",
            "a: !Sub [{b: c:}]",
        ] {
            let said = tagged(body);
            assert!(said.starts_with("ambiguous_yaml") || said.starts_with("bad_yaml"), "{body}: {said}");
        }
        expect!["duplicate_parameter: `1` is given twice; send it once"]
            .assert_eq(&tagged("a:\n  1: x\n  '1': z\n"));
    }

    fn yaml() -> impl Strategy<Value = String> {
        let word = || prop_oneof!["[a-c]{1,2}", "[0-9.:+-]{1,4}", "[ -~]{0,6}", "(on|no|true|~|null|y)"];
        prop::collection::vec((0_usize..4, word(), word()), 1..6).prop_map(|lines| {
            let line = |(indent, key, value): (usize, String, String)| {
                format!("{}{key}: {value}\n", " ".repeat(indent))
            };
            lines.into_iter().map(line).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn lines_are_read_as_one_and_the_same_or_not_at_all(text in yaml()) {
            let mut ours = Fields::new();
            if read(text.as_bytes(), &mut ours).is_ok() {
                let value: Value = yaml_serde::from_str(&text).unwrap();
                let mut theirs = Fields::new();
                flatten(&value, &mut theirs, true, false).unwrap();
                prop_assert_eq!(ours.len(), theirs.len());
            }
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = read(&bytes, &mut Fields::new());
        }
    }
}
