//! JSON, read once and strictly: a key given twice after unescaping, a lone surrogate, a number that would be
//! rounded, bytes after the end: each is refused or kept as text, never repaired.
//!
//! Leaves out what the members mean, and JSON's extensions.

use std::borrow::Cow;

use ordain_action::{Scalar, Undecodable};

use super::DEPTH_MAX;
use super::fields::{Fields, duplicate};

/// Reads one JSON value into `fields`, where their path stands.
///
/// # Errors
/// Anything that is not exactly one JSON value in UTF-8, or nests deeper than [`DEPTH_MAX`].
pub fn read(body: &[u8], fields: &mut Fields) -> Result<(), Undecodable> {
    let text = std::str::from_utf8(body)
        .map_err(|_| Undecodable::new("not_utf8", "the JSON body is not UTF-8; send UTF-8"))?;
    let mut reader = Reader { text, at: 0, keys: Vec::new() };
    reader.space();
    reader.value(fields, 0)?;
    reader.space();
    if reader.at < text.len() {
        return Err(reader.bad("something follows the JSON value; send one value"));
    }
    Ok(())
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    // The keys of all open objects; each object owns the tail from where it began.
    keys: Vec<Cow<'a, str>>,
}

impl<'a> Reader<'a> {
    fn bad(&self, what: &str) -> Undecodable {
        Undecodable::new("bad_json", format!("at byte {} of the JSON body: {what}", self.at))
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += 1;
        }
        found
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn value(&mut self, fields: &mut Fields, depth: usize) -> Result<(), Undecodable> {
        if depth > DEPTH_MAX {
            return Err(Undecodable::new("nested_too_deep", "the body nests too deep; send it flatter"));
        }
        match self.peek() {
            Some(b'{') => self.object(fields, depth),
            Some(b'[') => self.list(fields, depth),
            Some(b'"') => {
                let text = self.string()?;
                fields.put(Scalar::Text(&text));
                Ok(())
            }
            Some(b'-' | b'0'..=b'9') => {
                let number = self.number()?;
                fields.put(Scalar::Number(number));
                Ok(())
            }
            Some(b't') => self.word("true", fields, Scalar::Bool(true)),
            Some(b'f') => self.word("false", fields, Scalar::Bool(false)),
            Some(b'n') => self.word("null", fields, Scalar::Null),
            Some(_) | None => Err(self.bad("a value is missing; send valid JSON")),
        }
    }

    fn word(&mut self, word: &str, fields: &mut Fields, value: Scalar<'_>) -> Result<(), Undecodable> {
        if !self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(self.bad("a value is missing; send valid JSON"));
        }
        self.at += word.len();
        fields.put(value);
        Ok(())
    }

    fn object(&mut self, fields: &mut Fields, depth: usize) -> Result<(), Undecodable> {
        self.at += 1;
        self.space();
        if self.take(b'}') {
            empty(fields, depth);
            return Ok(());
        }
        let first_key = self.keys.len();
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.bad("a key is missing; send valid JSON"));
            }
            let key = self.string()?;
            self.space();
            if !self.take(b':') {
                return Err(self.bad("a colon is missing; send valid JSON"));
            }
            self.space();
            let mark = fields.enter(&key);
            self.keys.push(key);
            self.value(fields, depth + 1)?;
            fields.leave(mark);
            self.space();
            if self.take(b'}') {
                break;
            }
            if !self.take(b',') {
                return Err(self.bad("a comma or the end of the object is missing; send valid JSON"));
            }
            self.space();
        }
        let keys = self.keys.get_mut(first_key..).unwrap_or_default();
        keys.sort_unstable();
        if let Some((key, _)) = keys.iter().zip(keys.iter().skip(1)).find(|(one, next)| one == next) {
            return Err(duplicate(key));
        }
        self.keys.truncate(first_key);
        Ok(())
    }

    fn list(&mut self, fields: &mut Fields, depth: usize) -> Result<(), Undecodable> {
        self.at += 1;
        self.space();
        if self.take(b']') {
            empty(fields, depth);
            return Ok(());
        }
        for number in 1.. {
            let mark = fields.enter_item(number);
            self.value(fields, depth + 1)?;
            fields.leave(mark);
            self.space();
            if self.take(b']') {
                break;
            }
            if !self.take(b',') {
                return Err(self.bad("a comma or the end of the list is missing; send valid JSON"));
            }
            self.space();
        }
        Ok(())
    }

    fn number(&mut self) -> Result<&'a str, Undecodable> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            if !self.take(b'+') {
                self.take(b'-');
            }
            self.digits()?;
        }
        Ok(self.since(start))
    }

    fn digits(&mut self) -> Result<(), Undecodable> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.bad("a digit is missing; send valid JSON"));
        }
        Ok(())
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Undecodable> {
        self.at += 1;
        let start = self.at;
        loop {
            match self.peek() {
                Some(b'"') => {
                    let text = self.since(start);
                    self.at += 1;
                    return Ok(Cow::Borrowed(text));
                }
                Some(b'\\') => break,
                Some(0..=0x1f) | None => return Err(self.bad("a string does not end; send valid JSON")),
                Some(_) => self.at += 1,
            }
        }
        let mut text = self.since(start).to_owned();
        loop {
            let plain = self.at;
            while !matches!(self.peek(), Some(b'"' | b'\\' | 0..=0x1f) | None) {
                self.at += 1;
            }
            text.push_str(self.since(plain));
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Owned(text));
                }
                Some(b'\\') => {
                    self.at += 1;
                    text.push(self.escape()?);
                }
                Some(_) | None => return Err(self.bad("a string does not end; send valid JSON")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Undecodable> {
        let escaped = self.peek();
        self.at += 1;
        Ok(match escaped {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            Some(_) | None => return Err(self.bad("an escape is unknown; send valid JSON")),
        })
    }

    fn unicode(&mut self) -> Result<char, Undecodable> {
        let first = self.code_unit()?;
        let code = match first {
            0xd800..=0xdbff => {
                // A lone surrogate is no character: parsers replace, keep or refuse it.
                let second = if self.take(b'\\') && self.take(b'u') { self.code_unit()? } else { 0 };
                match second {
                    0xdc00..=0xdfff => 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00),
                    _ => return Err(self.bad("a surrogate stands alone; send whole characters")),
                }
            }
            other => other,
        };
        char::from_u32(code).ok_or_else(|| self.bad("a surrogate stands alone; send whole characters"))
    }

    fn code_unit(&mut self) -> Result<u32, Undecodable> {
        let start = self.at;
        let digits =
            self.text.get(start..start + 4).filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let code = digits.and_then(|text| u32::from_str_radix(text, 16).ok());
        self.at += 4;
        code.ok_or_else(|| {
            Undecodable::new(
                "bad_json",
                format!("at byte {start} of the JSON body: an escape is incomplete; send valid JSON"),
            )
        })
    }
}

/// Nothing at the root is no parameters at all; further in it is a value of its own.
fn empty(fields: &mut Fields, depth: usize) {
    if depth > 0 {
        fields.put(Scalar::Empty);
    }
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
    fn a_body_becomes_flat_leaves() {
        check(
            r#"{"TableName":"t","Item":{"id":{"N":"1"},"a.b":[true,null,{},-1.50e+2]},"x":"\u00e9\ud83d\ude00\n"}"#,
            expect![[r#"
                TableName=Text("t")
                Item.id.N=Text("1")
                Item.a\.b.1=Bool(true)
                Item.a\.b.2=Null
                Item.a\.b.3=Empty
                Item.a\.b.4=Number("-1.50e+2")
                x=Text("é😀\n")
            "#]],
        );
        check("{}", expect![""]);
    }

    #[test]
    fn numbers_are_never_rounded() {
        check(
            r#"{"n":18446744073709551617}"#,
            expect![[r#"
            n=Number("18446744073709551617")
        "#]],
        );
    }

    #[test]
    fn a_key_given_twice_is_not_guessed_at() {
        check(
            r#"{"a":1,"b":2,"\u0061":3}"#,
            expect!["duplicate_parameter: `a` is given twice; send it once"],
        );
        check(r#"{"o":{"k":{},"k":[]}}"#, expect!["duplicate_parameter: `k` is given twice; send it once"]);
    }

    #[test]
    fn what_is_not_exactly_json_is_refused() {
        check(
            r#"{"a":1} {"a":2}"#,
            expect!["bad_json: at byte 8 of the JSON body: something follows the JSON value; send one value"],
        );
        check(
            r#"{"a":01}"#,
            expect![
                "bad_json: at byte 6 of the JSON body: a comma or the end of the object is missing; send valid JSON"
            ],
        );
        check(
            r#"{"a":"\ud800"}"#,
            expect!["bad_json: at byte 12 of the JSON body: a surrogate stands alone; send whole characters"],
        );
        check(
            "\u{feff}{}",
            expect!["bad_json: at byte 0 of the JSON body: a value is missing; send valid JSON"],
        );
        check("", expect!["bad_json: at byte 0 of the JSON body: a value is missing; send valid JSON"]);
        check(
            &format!("{}1{}", "[".repeat(100), "]".repeat(100)),
            expect!["nested_too_deep: the body nests too deep; send it flatter"],
        );
    }

    fn flatten(value: &serde_json::Value, fields: &mut Fields, depth: usize) {
        match value {
            serde_json::Value::Null => fields.put(Scalar::Null),
            serde_json::Value::Bool(value) => fields.put(Scalar::Bool(*value)),
            serde_json::Value::Number(number) => fields.put(Scalar::Number(&number.to_string())),
            serde_json::Value::String(text) => fields.put(Scalar::Text(text)),
            serde_json::Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let mark = fields.enter_item(index + 1);
                    flatten(item, fields, depth + 1);
                    fields.leave(mark);
                }
                if items.is_empty() {
                    empty(fields, depth);
                }
            }
            serde_json::Value::Object(members) => {
                for (key, member) in members {
                    let mark = fields.enter(key);
                    flatten(member, fields, depth + 1);
                    fields.leave(mark);
                }
                if members.is_empty() {
                    empty(fields, depth);
                }
            }
        }
    }

    fn sorted(fields: &Fields) -> Vec<String> {
        let mut lines: Vec<_> = fields.iter().map(|(path, value)| format!("{path}={value:?}")).collect();
        lines.sort();
        lines
    }

    fn confusing_value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::json!(null)),
            Just(serde_json::json!({})),
            Just(serde_json::json!("x"))
        ];
        let key = prop_oneof![Just(""), Just("."), Just("\\"), Just("1"), Just("2"), Just("a")];
        leaf.prop_recursive(3, 16, 3, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 1..3).prop_map(serde_json::Value::from),
                prop::collection::btree_map(key.clone(), inner, 1..3).prop_map(|members| members
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value))
                    .collect()),
            ]
        })
    }

    fn json_text() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            any::<i64>().prop_map(|number| number.to_string()),
            any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6)
                    .prop_map(|items| format!("[{}]", items.join(" , "))),
                prop::collection::vec(("[a-c.]{1,2}", inner), 0..6).prop_map(|members| {
                    let members: Vec<_> =
                        members.iter().map(|(key, value)| format!("{key:?} : {value}")).collect();
                    format!("{{{}}}", members.join(","))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn two_values_have_the_same_leaves_only_if_they_are_the_same(values in prop::collection::vec(confusing_value(), 64)) {
            let mut known = std::collections::HashMap::new();
            for value in values {
                let mut fields = Fields::new();
                let inside = fields.enter("at");
                flatten(&value, &mut fields, 2);
                fields.leave(inside);
                let first = known.entry(sorted(&fields)).or_insert_with(|| value.clone());
                prop_assert_eq!(&*first, &value);
            }
        }

        #[test]
        fn what_we_accept_another_parser_reads_the_same(text in json_text()) {
            let mut ours = Fields::new();
            match read(text.as_bytes(), &mut ours) {
                Ok(()) => {
                    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
                    let mut theirs = Fields::new();
                    flatten(&value, &mut theirs, 0);
                    prop_assert_eq!(sorted(&ours), sorted(&theirs));
                }
                Err(why) => prop_assert_eq!(why.reason_code, "duplicate_parameter"),
            }
        }

        #[test]
        fn no_bytes_panic_and_none_is_accepted_that_another_parser_refuses(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if read(&bytes, &mut Fields::new()).is_ok() {
                prop_assert!(serde_json::from_slice::<serde_json::Value>(&bytes).is_ok());
            }
        }

        #[test]
        fn damaged_json_does_not_panic(text in json_text(), cut in any::<prop::sample::Index>()) {
            let at = cut.index(text.len());
            let bytes = &text.as_bytes()[..at];
            if read(bytes, &mut Fields::new()).is_ok() {
                prop_assert!(serde_json::from_slice::<serde_json::Value>(bytes).is_ok());
            }
        }
    }
}
