//! YAML, read strictly: one document of maps, lists and scalars, whose meaning does not hang on the version of YAML.
//!
//! The API server of Kubernetes reads YAML 1.1 as one library does, others read 1.2. What they read in two ways is
//! refused: a key given twice, anchors, tags, merge keys, `yes` and `on`, octal numbers, times. Two parsers have to read
//! the same: ours is made on one that says how a scalar was written, the other has the grammar of the server's own.
//! Leaves out what the members mean.

use ordain_action::{Scalar, Undecodable};
use saphyr_parser::{Event, Parser, ScalarStyle, StrInput};
use yaml_serde::Value;

use super::DEPTH_MAX;
use super::fields::{Fields, clip, duplicate};

/// Characters that are line ends for some readers and text for others, or the mark of an encoding.
const LINE_ENDS: [char; 4] = ['\u{85}', '\u{2028}', '\u{2029}', '\u{feff}'];

/// More digits than a whole number of 64 bits surely has room for.
const DIGITS_MAX: usize = 18;

/// Reads one YAML document, whose root is a map, into `fields`, where their path stands.
///
/// # Errors
/// Anything that is not exactly one such document, or that two readers could read in two ways.
pub fn read(body: &[u8], fields: &mut Fields) -> Result<(), Undecodable> {
    let text = std::str::from_utf8(body)
        .map_err(|_| Undecodable::new("not_utf8", "the YAML body is not UTF-8; send UTF-8"))?;
    if text.contains(LINE_ENDS) || text.replace("\r\n", "\n").contains('\r') {
        return Err(ambiguous("an unusual line end"));
    }
    if text.starts_with('%') || text.contains("\n%") {
        return Err(ambiguous("a directive"));
    }
    let mut first = Fields::new();
    Reader::new(text).document(&mut first)?;
    let value: Value =
        yaml_serde::from_str(text).map_err(|_| bad("it is not valid YAML; send valid YAML"))?;
    let mut second = Fields::new();
    flatten(&value, &mut second, true)?;
    let same = first.len() == second.len()
        && first.overflowed() == second.overflowed()
        && first.iter().zip(second.iter()).all(|(one, other)| one.0 == other.0 && same_value(one.1, other.1));
    if !same {
        return Err(ambiguous("something"));
    }
    Reader::new(text).document(fields)
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    /// Lists or maps are written in brackets: there, readers do not agree on where a plain text ends.
    brackets: bool,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        let brackets = text.replace("{}", "").replace("[]", "").contains(['{', '[']);
        Self { parser: Parser::new_from_str(text), brackets }
    }

    fn next(&mut self) -> Result<Event<'t>, Undecodable> {
        let event = self.parser.next_event().and_then(Result::ok);
        event.map(|(event, _)| event).ok_or_else(|| bad("it is not valid YAML; send valid YAML"))
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

    fn value(&mut self, event: Event<'t>, fields: &mut Fields, depth: usize) -> Result<(), Undecodable> {
        if depth > DEPTH_MAX {
            return Err(Undecodable::new("nested_too_deep", "the body nests too deep; send it flatter"));
        }
        match event {
            Event::Scalar(text, style, 0, None) => {
                fields.put(scalar(&text, style, self.brackets)?);
                Ok(())
            }
            Event::SequenceStart(0, None) => self.list(fields, depth),
            Event::MappingStart(0, None) => self.map(fields, depth),
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
            let event = self.next()?;
            if event == Event::SequenceEnd {
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
            if !matches!(scalar(&key, style, self.brackets)?, Scalar::Text(_)) {
                return Err(ambiguous("a key that is no text"));
            }
            let event = self.next()?;
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

/// What the second parser read, in the same flat form.
fn flatten(value: &Value, fields: &mut Fields, root: bool) -> Result<(), Undecodable> {
    match value {
        Value::Null => fields.put(Scalar::Null),
        Value::Bool(truth) => fields.put(Scalar::Bool(*truth)),
        Value::Number(number) => fields.put(Scalar::Number(&number.to_string())),
        Value::String(text) => fields.put(Scalar::Text(text)),
        Value::Sequence(items) if items.is_empty() => fields.put(Scalar::Empty),
        Value::Sequence(items) => {
            for (at, item) in items.iter().enumerate() {
                let mark = fields.enter_item(at + 1);
                flatten(item, fields, false)?;
                fields.leave(mark);
            }
        }
        Value::Mapping(members) if members.is_empty() && !root => fields.put(Scalar::Empty),
        Value::Mapping(members) => {
            for (key, member) in members {
                let key = key.as_str().ok_or_else(|| ambiguous("a key that is no text"))?;
                let mark = fields.enter(key);
                flatten(member, fields, false)?;
                fields.leave(mark);
            }
        }
        Value::Tagged(_) => return Err(ambiguous("an anchor or a tag")),
    }
    Ok(())
}

/// The second parser writes a number of its own.
fn same_value(one: Scalar<'_>, other: Scalar<'_>) -> bool {
    match (one, other) {
        (Scalar::Number(one), Scalar::Number(other)) => one.parse::<f64>() == other.parse::<f64>(),
        (one, other) => one == other,
    }
}

/// What a scalar is, where every version of YAML says the same.
fn scalar(text: &str, style: ScalarStyle, brackets: bool) -> Result<Scalar<'_>, Undecodable> {
    if style != ScalarStyle::Plain {
        return Ok(Scalar::Text(text));
    }
    match text {
        "" | "~" | "null" => return Ok(Scalar::Null),
        "true" => return Ok(Scalar::Bool(true)),
        "false" => return Ok(Scalar::Bool(false)),
        _ => {}
    }
    if is_plain_number(text) {
        return Ok(Scalar::Number(text));
    }
    let word = text.to_ascii_lowercase();
    let words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "=", "<<"];
    let numeric = text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first))
        && (word.bytes().all(|byte| byte.is_ascii_hexdigit() || b"xo_:.,+- tz".contains(&byte))
            || word.ends_with(".inf")
            || word.ends_with(".nan"));
    // Within brackets, readers do not agree on where a plain text with these ends.
    let unclear = brackets && text.contains([':', '?', '#']);
    if words.contains(&word.as_str()) || numeric || unclear {
        return Err(ambiguous(&format!("`{}` without quotes", clip(text))));
    }
    Ok(Scalar::Text(text))
}

/// A decimal number that every reader takes for the same one.
fn is_plain_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
    let all = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    all(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && text != "-0"
        && part.is_none_or(all)
        && digits.len() <= DIGITS_MAX
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

    fn show(body: &str) -> String {
        let mut fields = Fields::new();
        match read(body.as_bytes(), &mut fields) {
            Ok(()) => fields.iter().map(|(path, value)| format!("{path}={value:?}\n")).collect(),
            Err(why) => format!("{}: {}", why.reason_code, why.text),
        }
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
                flatten(&value, &mut theirs, true).unwrap();
                prop_assert_eq!(ours.len(), theirs.len());
            }
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = read(&bytes, &mut Fields::new());
        }
    }
}
