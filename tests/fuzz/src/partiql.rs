//! PartiQL: only a single statement that begins with `SELECT`, or asks whether one finds something, is a read.

use http::HeaderMap;
use ordain_action::Reading;
use ordain_decode::{Head, WayIn};

use crate::room::{rooms, upstream};

/// Sends the bytes as a statement of DynamoDB.
pub fn check(data: &[u8]) {
    let Ok(statement) = std::str::from_utf8(data) else { return };
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/dynamodb/aws4_request, Signature=0",
        ),
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-target", "DynamoDB_20120810.ExecuteStatement"),
    ] {
        headers.insert(name, http::HeaderValue::from_static(value));
    }
    let body = serde_json::json!({ "Statement": statement }).to_string();
    let head = Head {
        method: "POST",
        target: "/",
        authority: "gate.internal:8080",
        headers: &headers,
        way_in: WayIn::Reverse,
        plane: None,
        upstream: None,
    };
    let claim = rooms().claim(&head).expect("the head is DynamoDB's");
    let Reading::Call(call) = claim.decode(&upstream(), &head, body.as_bytes(), None) else { return };
    if call.is_change() {
        return;
    }
    let bare = unquoted(statement);
    let words: Vec<String> = bare
        .split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_' || letter == '-'))
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_uppercase)
        .collect();
    assert!(matches!(words.first().map(String::as_str), Some("SELECT" | "EXISTS")), "a read: {statement}");
    assert!(!bare.trim().trim_end_matches(';').contains(';'), "two statements are a read: {statement}");
    assert!(!bare.contains("--") && !bare.contains("/*"), "a comment is a read: {statement}");
    for pair in words.windows(2) {
        let changes = matches!(
            (pair[0].as_str(), pair[1].as_str()),
            ("INSERT", "INTO") | ("DELETE", "FROM") | ("DROP" | "CREATE" | "ALTER", "TABLE")
        );
        assert!(!changes, "a change is a read: {statement}");
    }
}

/// The statement with what stands in quotes left out.
fn unquoted(statement: &str) -> String {
    let mut bare = String::new();
    let mut open = None;
    for letter in statement.chars() {
        match open {
            Some(quote) if letter == quote => open = None,
            Some(_) => {}
            None if letter == '\'' || letter == '"' => {
                open = Some(letter);
                bare.push(' ');
            }
            None => bare.push(letter),
        }
    }
    bare
}
