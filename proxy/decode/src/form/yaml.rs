//! YAML, read strictly: one document of maps, lists and scalars, whose meaning does not hang on the version of YAML.
//!
//! The API server of Kubernetes reads YAML 1.1 as one library does, others read 1.2. What they read in two ways is
//! refused: a key given twice, anchors, tags, merge keys, `yes` and `on`, octal numbers, times. Leaves out what the
//! members mean.

use libyaml_safer::{Encoding, Event, EventData, Parser, ScalarStyle};
use ordain_action::{Scalar, Undecodable};

use super::DEPTH_MAX;
use super::fields::{Fields, clip, duplicate};

/// Characters that are line ends for some readers and text for others.
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
    let mut input = body;
    let mut parser = Parser::new();
    parser.set_encoding(Encoding::Utf8);
    parser.set_input_string(&mut input);
    let mut reader = Reader { parser, flow: 0 };
    reader.document(fields)
}

struct Reader<'p> {
    parser: Parser<&'p mut &'p [u8]>,
    flow: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Result<EventData, Undecodable> {
        let Event { data, .. } =
            self.parser.parse().map_err(|_| bad("it is not valid YAML; send valid YAML"))?;
        Ok(data)
    }

    fn document(&mut self, fields: &mut Fields) -> Result<(), Undecodable> {
        let EventData::StreamStart { .. } = self.next()? else {
            return Err(bad("it does not begin; send a map"));
        };
        let EventData::DocumentStart { version_directive, tag_directives, .. } = self.next()? else {
            return Err(bad("it is empty; send a map"));
        };
        if version_directive.is_some() || !tag_directives.is_empty() {
            return Err(ambiguous("a directive"));
        }
        let EventData::MappingStart { anchor: None, tag: None, style, .. } = self.next()? else {
            return Err(bad("its root is no plain map; send a map"));
        };
        let flow = style == libyaml_safer::MappingStyle::Flow;
        self.map(fields, flow, 0)?;
        let EventData::DocumentEnd { .. } = self.next()? else { return Err(bad("it goes on; send one map")) };
        let EventData::StreamEnd = self.next()? else {
            return Err(bad("a second document follows; send one"));
        };
        Ok(())
    }

    fn value(&mut self, event: EventData, fields: &mut Fields, depth: usize) -> Result<(), Undecodable> {
        if depth > DEPTH_MAX {
            return Err(Undecodable::new("nested_too_deep", "the body nests too deep; send it flatter"));
        }
        match event {
            EventData::Scalar { anchor: None, tag: None, value, style, .. } => {
                fields.put(scalar(&value, style, self.flow > 0)?);
                Ok(())
            }
            EventData::SequenceStart { anchor: None, tag: None, style, .. } => {
                self.list(fields, style == libyaml_safer::SequenceStyle::Flow, depth)
            }
            EventData::MappingStart { anchor: None, tag: None, style, .. } => {
                self.map(fields, style == libyaml_safer::MappingStyle::Flow, depth)
            }
            EventData::Alias { .. } => Err(ambiguous("an alias")),
            EventData::Scalar { .. } | EventData::SequenceStart { .. } | EventData::MappingStart { .. } => {
                Err(ambiguous("an anchor or a tag"))
            }
            EventData::StreamStart { .. }
            | EventData::StreamEnd
            | EventData::DocumentStart { .. }
            | EventData::DocumentEnd { .. }
            | EventData::SequenceEnd
            | EventData::MappingEnd => Err(bad("a value is missing; send valid YAML")),
        }
    }

    fn list(&mut self, fields: &mut Fields, flow: bool, depth: usize) -> Result<(), Undecodable> {
        self.flow += usize::from(flow);
        let mut count = 0;
        loop {
            let event = self.next()?;
            if event == EventData::SequenceEnd {
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
        self.flow -= usize::from(flow);
        Ok(())
    }

    fn map(&mut self, fields: &mut Fields, flow: bool, depth: usize) -> Result<(), Undecodable> {
        self.flow += usize::from(flow);
        let mut keys = Vec::new();
        loop {
            let event = self.next()?;
            if event == EventData::MappingEnd {
                break;
            }
            let EventData::Scalar { anchor: None, tag: None, value: key, style, .. } = event else {
                return Err(ambiguous("a key that is no plain text"));
            };
            if key == "<<" {
                return Err(ambiguous("a merge key"));
            }
            if !matches!(scalar(&key, style, self.flow > 0)?, Scalar::Text(_)) {
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
        if let Some((key, _)) = keys.iter().zip(keys.iter().skip(1)).find(|(one, next)| one == next) {
            return Err(duplicate(key));
        }
        self.flow -= usize::from(flow);
        Ok(())
    }
}

/// What a scalar is, where every version of YAML says the same.
fn scalar(text: &str, style: ScalarStyle, flow: bool) -> Result<Scalar<'_>, Undecodable> {
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
    let unclear = flow && text.contains([':', '?', '#']);
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
            "a: text\nb:\n- 1\n- -2.5\n- {}\n- []\nc: {\"d\": \"on\", e: 'yes'}\nf: |\n  two\n  lines\ng: ~\nh:\ni: 100m\nj: nginx:1.2\n",
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

    fn flatten(value: &yaml_serde::Value, fields: &mut Fields, root: bool) {
        match value {
            yaml_serde::Value::Null => fields.put(Scalar::Null),
            yaml_serde::Value::Bool(truth) => fields.put(Scalar::Bool(*truth)),
            yaml_serde::Value::Number(number) => fields.put(Scalar::Number(&number.to_string())),
            yaml_serde::Value::String(text) => fields.put(Scalar::Text(text)),
            yaml_serde::Value::Sequence(items) => {
                for (at, item) in items.iter().enumerate() {
                    let mark = fields.enter_item(at + 1);
                    flatten(item, fields, false);
                    fields.leave(mark);
                }
                if items.is_empty() {
                    fields.put(Scalar::Empty);
                }
            }
            yaml_serde::Value::Mapping(members) => {
                for (key, member) in members {
                    let mark = fields.enter(key.as_str().unwrap());
                    flatten(member, fields, false);
                    fields.leave(mark);
                }
                if members.is_empty() && !root {
                    fields.put(Scalar::Empty);
                }
            }
            yaml_serde::Value::Tagged(_) => panic!("a tag was accepted"),
        }
    }

    fn lines(fields: &Fields) -> Vec<String> {
        let line = |(path, value): (&str, Scalar<'_>)| {
            // The other reader writes a number of its own.
            if let Scalar::Number(number) = value {
                return format!("{path}={}", number.parse::<f64>().unwrap());
            }
            format!("{path}={value:?}")
        };
        fields.iter().map(line).collect()
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
        fn what_we_accept_another_reader_reads_the_same(text in yaml()) {
            let mut ours = Fields::new();
            if read(text.as_bytes(), &mut ours).is_ok() {
                let value: yaml_serde::Value = yaml_serde::from_str(&text).unwrap();
                let mut theirs = Fields::new();
                flatten(&value, &mut theirs, true);
                prop_assert_eq!(lines(&ours), lines(&theirs));
            }
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = read(&bytes, &mut Fields::new());
        }
    }
}
