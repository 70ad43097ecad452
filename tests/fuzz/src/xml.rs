//! XML: what ours accepts, roxmltree accepts, with the same elements, texts and types.

use std::collections::BTreeMap;

use ordain_decode::form::{Fields, xml};
use roxmltree::{Document, Node, NodeType};

use crate::flat::{self, Flat, Value, below, item, written};

/// Elements of these names may repeat, as in an S3 or Route 53 body.
fn is_list(path: &str) -> bool {
    matches!(path.rsplit('.').next(), Some("Object" | "item" | "Tag"))
}

/// Reads the bytes twice and compares.
pub fn check(data: &[u8]) {
    let mut fields = Fields::new();
    let Ok(root) = xml::read(data, &is_list, &mut fields) else { return };
    let text = std::str::from_utf8(data).expect("only UTF-8 is accepted");
    // Before a reference roxmltree leaves a carriage return as it is, where XML 1.0 section 2.11 makes a line feed of it.
    if data.contains(&b'\r') {
        return;
    }
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => panic!("we accept what roxmltree does not: {error}"),
    };
    assert_eq!(document.root_element().tag_name().name(), root);
    let Some(ours) = flat::of(&fields) else { return };
    let mut theirs = Flat::new();
    flatten(document.root_element(), String::new(), true, &mut theirs);
    assert_eq!(ours, written(theirs));
}

fn flatten(element: Node<'_, '_>, path: String, root: bool, flat: &mut Flat) {
    for attribute in element.attributes() {
        assert_eq!(attribute.name(), "type", "an attribute that nobody knows was accepted");
        flat.push((below(&path, "@type"), Value::Text(attribute.value().to_owned())));
    }
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut text = String::new();
    let mut children = 0;
    for child in element.children() {
        match child.node_type() {
            NodeType::Text => text.push_str(child.text().unwrap_or_default()),
            NodeType::Element => {
                children += 1;
                let name = child.tag_name().name();
                let number = seen.entry(name).or_default();
                *number += 1;
                let mut inner = below(&path, name);
                // Our paths escape a dot in a name; whether an element may repeat is asked for without.
                let plain = if name.contains('.') { "" } else { name };
                if is_list(plain) {
                    inner = item(&inner, *number);
                } else {
                    assert_eq!(*number, 1, "`{name}` was accepted twice");
                }
                flatten(child, inner, false, flat);
            }
            other => panic!("{other:?} was accepted"),
        }
    }
    if children > 0 {
        assert!(text.trim().is_empty(), "text and elements were accepted side by side");
    } else if !(root && text.trim().is_empty()) {
        flat.push((path, if text.is_empty() { Value::Empty } else { Value::Text(text) }));
    }
}
