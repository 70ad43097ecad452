//! XML bodies: UTF-8, no document type, no comments, every element once unless it is a list; one namespace, or as many as
//! are known by a name of their own.
//!
//! Leaves out mixed content and processing instructions, which no control plane's body has and which parsers
//! join or drop as they like.

use std::borrow::Cow;
use std::collections::HashMap;

use ordain_action::{Scalar, Undecodable};
use quick_xml::NsReader;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use roxmltree::ParsingOptions;

use super::DEPTH_MAX;
use super::fields::{Fields, clip, duplicate};

/// The most elements, attributes and texts of a body; a change may not name as many things by far.
const NODES_MAX: u32 = 65_536;

/// The most bytes of the path of an element below the root, all of which are looked at for each.
const PATH_MAX: usize = 8_192;

/// Whether an element may repeat, by its path below the root, with the item numbers of the lists around it.
pub type IsList<'a> = &'a dyn Fn(&str) -> bool;

/// What a namespace is called before the names of its elements; `None` where it is not known.
pub type Prefix<'a> = &'a dyn Fn(Option<&str>) -> Option<String>;

/// How the documents of a plane are written.
#[derive(Clone, Copy)]
pub struct Form<'a> {
    /// Which elements may repeat.
    pub is_list: IsList<'a>,
    /// The names of namespaces: an element in another one than its parent is `name:element` then, as the root always is.
    /// Where there is none, a document has one namespace, whichever that is.
    pub prefix: Option<Prefix<'a>>,
    /// The attributes that elements may have besides `xsi:type`; each is a leaf `@name`.
    pub attributes: &'a [&'a str],
}

impl std::fmt::Debug for Form<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Form").field("attributes", &self.attributes).finish_non_exhaustive()
    }
}

/// Reads one document into `fields`, where their path stands, and returns the name of its root.
///
/// An element that is a list gets an item number, be there one or many.
///
/// # Errors
/// Anything that is not exactly one well-formed document of elements in one namespace.
pub fn read(body: &[u8], is_list: IsList<'_>, fields: &mut Fields) -> Result<String, Undecodable> {
    read_as(body, Form { is_list, prefix: None, attributes: &[] }, fields)
}

/// Reads one document of that form, as [`read`] does.
///
/// # Errors
/// Anything that is not exactly one well-formed document of that form.
pub fn read_as(body: &[u8], form: Form<'_>, fields: &mut Fields) -> Result<String, Undecodable> {
    let text = std::str::from_utf8(body)
        .map_err(|_| Undecodable::new("not_utf8", "the XML body is not UTF-8; send UTF-8"))?;
    // Some parsers stop at a NUL, some drop it, some refuse the document.
    if !text.chars().all(is_character) {
        return Err(bad("it holds a character that XML does not have"));
    }
    let mut reader = NsReader::from_str(text);
    reader.config_mut().allow_dangling_amp = false;
    let mut document = Document::new(form);
    loop {
        let (resolved, event) = reader.read_resolved_event().map_err(|_| bad("it is not well formed"))?;
        let namespace = match resolved {
            ResolveResult::Bound(namespace) => Some(namespace.into_inner().to_owned()),
            ResolveResult::Unbound => None,
            ResolveResult::Unknown(_) => return Err(bad("a namespace prefix is not declared")),
        };
        match event {
            Event::Start(start) => document.start(&start, namespace, fields)?,
            Event::Empty(start) => {
                document.start(&start, namespace, fields)?;
                document.end(fields)?;
            }
            Event::End(_) => document.end(fields)?,
            Event::Text(text) => document.text(&text.xml10_content())?,
            Event::CData(text) => document.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let character = match reference.resolve_char_ref() {
                    Ok(Some(character)) if is_character(character) => character.to_string(),
                    Ok(None) => predefined(&reference.xml10_content())?.to_owned(),
                    Ok(Some(_)) | Err(_) => return Err(bad("a character reference is not a character")),
                };
                document.text(&character)?;
            }
            Event::Decl(declaration) => {
                if document.root.is_some() || !document.open.is_empty() {
                    return Err(bad("the declaration does not come first"));
                }
                if let Some(encoding) = declaration.encoding() {
                    let utf8 = encoding.is_ok_and(|encoding| encoding.eq_ignore_ascii_case("utf-8"));
                    if !utf8 {
                        return Err(Undecodable::new(
                            "not_utf8",
                            "the XML body declares another encoding; send UTF-8",
                        ));
                    }
                }
            }
            Event::DocType(_) => return Err(bad("it has a document type")),
            Event::Comment(_) => return Err(bad("it has a comment")),
            Event::PI(_) => return Err(bad("it has a processing instruction")),
            Event::Eof => break,
        }
    }
    if !document.open.is_empty() {
        return Err(bad("it is cut short"));
    }
    let root = document.root.ok_or_else(|| bad("it has no element"))?;
    // The reader above takes some of what is not XML: attributes that nothing divides, for one. A parser that takes
    // none of it has to take the body too; that both read the same in it is what the fuzzer looks at.
    let strict = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    if roxmltree::Document::parse_with_options(text, strict).is_err() {
        return Err(bad("it is not well formed, or has too many elements"));
    }
    Ok(root)
}

fn bad(what: &str) -> Undecodable {
    Undecodable::new("bad_xml", format!("the XML body cannot be read: {what}; send one plain document"))
}

/// What XML 1.0 calls a character.
const fn is_character(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

fn predefined(name: &str) -> Result<&'static str, Undecodable> {
    match name {
        "lt" => Ok("<"),
        "gt" => Ok(">"),
        "amp" => Ok("&"),
        "quot" => Ok("\""),
        "apos" => Ok("'"),
        _ => Err(bad("it uses an entity of its own")),
    }
}

struct Open {
    marks: Vec<super::fields::Mark>,
    path_end: usize,
    text: String,
    has_children: bool,
    has_attributes: bool,
    namespace: Option<String>,
    // Names of the children so far, with how many there were.
    children: HashMap<String, usize>,
}

struct Document<'l> {
    form: Form<'l>,
    open: Vec<Open>,
    // The path below the root, item numbers included.
    path: String,
    root: Option<String>,
    namespace: Option<Option<String>>,
    elements: u32,
}

impl<'l> Document<'l> {
    const fn new(form: Form<'l>) -> Self {
        Self { form, open: Vec::new(), path: String::new(), root: None, namespace: None, elements: 0 }
    }

    fn start(
        &mut self,
        start: &BytesStart<'_>,
        namespace: Option<String>,
        fields: &mut Fields,
    ) -> Result<(), Undecodable> {
        if self.open.len() > DEPTH_MAX {
            return Err(Undecodable::new("nested_too_deep", "the body nests too deep; send it flatter"));
        }
        self.elements += 1;
        if self.elements > NODES_MAX {
            return Err(bad("it has too many elements"));
        }
        let local = start.local_name();
        let name = self.name(local.into_inner(), namespace.as_deref())?;
        let name = name.as_ref();
        let mut marks = Vec::new();
        let path_end = self.path.len();
        match self.open.last_mut() {
            None if self.root.is_some() => return Err(bad("it has two roots")),
            None => self.root = Some(name.to_owned()),
            Some(parent) => {
                if !parent.text.trim().is_empty() {
                    return Err(bad("text and elements are mixed"));
                }
                parent.has_children = true;
                if !self.path.is_empty() {
                    self.path.push('.');
                }
                self.path.push_str(name);
                if self.path.len() > PATH_MAX {
                    return Err(bad("the names of its elements are too long"));
                }
                let number = parent.count(name);
                let list = (self.form.is_list)(&self.path);
                if number > 1 && !list {
                    return Err(duplicate(name));
                }
                marks.push(fields.enter(name));
                if list {
                    marks.push(fields.enter_item(number));
                    self.path.push('.');
                    self.path.push_str(&number.to_string());
                }
            }
        }
        self.open.push(Open {
            marks,
            path_end,
            text: String::new(),
            has_children: false,
            has_attributes: false,
            namespace,
            children: HashMap::new(),
        });
        let has_attributes = attributes(start, self.form.attributes, fields)?;
        if let Some(open) = self.open.last_mut() {
            open.has_attributes = has_attributes;
        }
        Ok(())
    }

    /// The name of an element in that namespace.
    fn name<'n>(&mut self, local: &'n str, namespace: Option<&str>) -> Result<Cow<'n, str>, Undecodable> {
        let Some(prefix) = self.form.prefix else {
            let first = self.namespace.get_or_insert_with(|| namespace.map(str::to_owned));
            return if first.as_deref() == namespace {
                Ok(Cow::Borrowed(local))
            } else {
                Err(bad("it mixes namespaces"))
            };
        };
        if self.open.last().is_some_and(|parent| parent.namespace.as_deref() == namespace) {
            return Ok(Cow::Borrowed(local));
        }
        let prefix = prefix(namespace).ok_or_else(|| {
            Undecodable::new(
                "unknown_namespace",
                format!(
                    "what the namespace `{}` is called is not known; send the body in JSON",
                    clip(namespace.unwrap_or_default())
                ),
            )
        })?;
        Ok(Cow::Owned(format!("{prefix}:{local}")))
    }

    fn text(&mut self, text: &str) -> Result<(), Undecodable> {
        match self.open.last_mut() {
            Some(open) if open.has_children && !text.trim().is_empty() => {
                Err(bad("text and elements are mixed"))
            }
            Some(open) => {
                open.text.push_str(text);
                Ok(())
            }
            None if text.trim_start_matches('\u{feff}').trim().is_empty() => Ok(()),
            None => Err(bad("there is text outside the root")),
        }
    }

    fn end(&mut self, fields: &mut Fields) -> Result<(), Undecodable> {
        let Some(open) = self.open.pop() else { return Err(bad("an element ends that did not begin")) };
        let root = self.open.is_empty();
        let nothing_at_root = root && open.text.trim().is_empty();
        // An attribute says already that the element is there; what is no more than blanks divides it from the next.
        let only_attributes = open.has_attributes && open.text.trim().is_empty();
        if !open.has_children && !nothing_at_root && !only_attributes {
            fields.put(if open.text.is_empty() { Scalar::Empty } else { Scalar::Text(&open.text) });
        }
        for mark in open.marks.into_iter().rev() {
            fields.leave(mark);
        }
        self.path.truncate(open.path_end);
        Ok(())
    }
}

impl Open {
    fn count(&mut self, name: &str) -> usize {
        let count = self.children.entry(name.to_owned()).or_default();
        *count += 1;
        *count
    }
}

/// Reads the attributes of an element; whether it has some of those that its form has.
fn attributes(start: &BytesStart<'_>, known: &[&str], fields: &mut Fields) -> Result<bool, Undecodable> {
    let mut some = false;
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| bad("an attribute is given twice or is damaged"))?;
        let name = attribute.key.into_inner();
        let value: &str = attribute.value.as_ref();
        if value.contains(['&', '<']) {
            return Err(bad("an attribute holds a reference or a tag"));
        }
        // Whoever keeps to XML 1.0 section 3.3.3 reads a space in their place, and whoever does not reads them.
        if value.contains(['\t', '\n', '\r']) {
            return Err(bad("an attribute holds a tab or a line end"));
        }
        if name == "xmlns" || name.starts_with("xmlns:") {
            continue;
        }
        if known.contains(&name) {
            let mark = fields.enter(&format!("@{name}"));
            fields.put(Scalar::Text(value));
            fields.leave(mark);
            some = true;
            continue;
        }
        if name != "xsi:type" {
            return Err(Undecodable::new(
                "unknown_attribute",
                format!("the XML attribute `{}` is not known; leave it out", clip(name)),
            ));
        }
        let mark = fields.enter("@type");
        fields.put(Scalar::Text(value));
        fields.leave(mark);
    }
    Ok(some)
}

/// Text as it stands between tags: what is no character of XML is shown as one that is.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\t' | '\n' | '\r' => escaped.push(' '),
            control if control.is_control() => escaped.push('\u{fffd}'),
            plain => escaped.push(plain),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    fn show(body: &str) -> String {
        let mut fields = Fields::new();
        match read(body.as_bytes(), &|path| path == "Object" || path == "Tags.Tag", &mut fields) {
            Ok(root) => {
                let leaves = fields.iter().map(|(path, value)| format!("{path}={value:?}\n"));
                format!("<{root}>\n{}", leaves.collect::<String>())
            }
            Err(why) => format!("{}: {}", why.reason_code, why.text),
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
    fn check(body: &str, expected: Expect) {
        expected.assert_eq(&show(body));
    }

    #[test]
    fn elements_become_flat_leaves() {
        check(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n\
             <Object><Key>a&amp;b&#x20;c</Key></Object><Object><Key><![CDATA[d<e]]></Key><VersionId/></Object>\n\
             <Quiet>true</Quiet></Delete>",
            expect![[r#"
                <Delete>
                Object.1.Key=Text("a&b c")
                Object.2.Key=Text("d<e")
                Object.2.VersionId=Empty
                Quiet=Text("true")
            "#]],
        );
        check(
            "<A xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><Grantee xsi:type=\"Group\"><URI>u</URI></Grantee></A>",
            expect![[r#"
                <A>
                Grantee.@type=Text("Group")
                Grantee.URI=Text("u")
            "#]],
        );
    }

    #[test]
    fn an_attribute_is_on_one_line() {
        check(
            "<A xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"Group\n\"/>",
            expect![
                "bad_xml: the XML body cannot be read: an attribute holds a tab or a line end; send one plain document"
            ],
        );
    }

    #[test]
    fn what_parsers_read_differently_is_refused() {
        check(
            "<A xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"xsi:type=\"B\"/>",
            expect![
                "bad_xml: the XML body cannot be read: it is not well formed, or has too many elements; send one plain document"
            ],
        );
        check("<A><B>1</B><B>2</B></A>", expect!["duplicate_parameter: `B` is given twice; send it once"]);
        check(
            "<!DOCTYPE A [<!ENTITY x \"y\">]><A>&x;</A>",
            expect!["bad_xml: the XML body cannot be read: it has a document type; send one plain document"],
        );
        check(
            "<A>&x;</A>",
            expect![
                "bad_xml: the XML body cannot be read: it uses an entity of its own; send one plain document"
            ],
        );
        check(
            "<A><B>a<!-- x -->b</B></A>",
            expect!["bad_xml: the XML body cannot be read: it has a comment; send one plain document"],
        );
        check(
            "<A>a<B/></A>",
            expect![
                "bad_xml: the XML body cannot be read: text and elements are mixed; send one plain document"
            ],
        );
        check(
            "<A><B/>a</A>",
            expect![
                "bad_xml: the XML body cannot be read: text and elements are mixed; send one plain document"
            ],
        );
        check(
            "<A/><B/>",
            expect!["bad_xml: the XML body cannot be read: it has two roots; send one plain document"],
        );
        check(
            "<A><B>",
            expect!["bad_xml: the XML body cannot be read: it is cut short; send one plain document"],
        );
        check(
            "<A xmlns=\"a\"><B xmlns=\"b\"/></A>",
            expect!["bad_xml: the XML body cannot be read: it mixes namespaces; send one plain document"],
        );
        check(
            "<x:A/>",
            expect![
                "bad_xml: the XML body cannot be read: a namespace prefix is not declared; send one plain document"
            ],
        );
        let no_character = "bad_xml: the XML body cannot be read: it holds a character that XML does not have; send one plain document";
        for body in ["<A>a\0b</A>", "<A>\u{1}</A>", "<A>\u{fffe}</A>"] {
            assert_eq!(show(body), no_character);
        }
        check(
            "<A>&#1;</A>",
            expect![
                "bad_xml: the XML body cannot be read: a character reference is not a character; send one plain document"
            ],
        );
        check(
            "<A xmlns=\"a<b\"/>",
            expect![
                "bad_xml: the XML body cannot be read: an attribute holds a reference or a tag; send one plain document"
            ],
        );
        check("<A b=\"1\"/>", expect!["unknown_attribute: the XML attribute `b` is not known; leave it out"]);
        check(
            "<?xml version=\"1.0\" encoding=\"utf-16\"?><A/>",
            expect!["not_utf8: the XML body declares another encoding; send UTF-8"],
        );
        check(
            "",
            expect!["bad_xml: the XML body cannot be read: it has no element; send one plain document"],
        );
    }

    #[test]
    fn what_takes_long_is_refused_where_it_is_too_much() {
        let names = (0..70_000).map(|number| format!("<B{number}/>")).collect::<String>();
        // Not closed: what comes after is not looked at any more.
        check(
            &format!("<A>{names}"),
            expect![
                "bad_xml: the XML body cannot be read: it has too many elements; send one plain document"
            ],
        );
        let long = "B".repeat(9_000);
        check(
            &format!("<A><{long}/></A>"),
            expect![
                "bad_xml: the XML body cannot be read: the names of its elements are too long; send one plain document"
            ],
        );
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "(<[AB/]{0,2}>|&[a-z#0-9]{0,4};|<!--|-->|[ a-z]|<A>|</A>|<Object>|</Object>){0,24}") {
            let _ = show(&text);
        }
    }
}
