//! A notice as a message for people, in the form that incoming webhooks of Slack, Mattermost and Rocket.Chat take.
//!
//! What others wrote stands in code, which none of them looks through for links and mentions, and cannot end it. Leaves out
//! where it is sent.

use serde_json::json;

use super::notice::Told;
use crate::holds::{EventKind, State};

/// The longest text of others that is shown.
const LONGEST: usize = 400;

/// The message.
pub(super) fn body(told: &Told) -> String {
    let mut lines = Vec::new();
    let by = told.by.as_deref().map_or_else(String::new, |by| format!(" by {}", code(by)));
    lines.push(format!("Hold {}{by}: {}", told.kind.as_str(), code(&told.summary)));
    match (told.kind, &told.why) {
        (EventKind::Denied, Some(why)) if !why.is_empty() => lines.push(format!("because: {}", code(why))),
        (EventKind::Opened | EventKind::Approved | EventKind::Denied, _) => {}
    }
    match told.state {
        State::Waiting => {
            let of = |owner: &super::notice::Owner| match owner.at_least {
                1 => code(&owner.owner),
                many => format!("{} ({} of {many})", code(&owner.owner), owner.by.len()),
            };
            let missing = told.owners.iter().filter(|owner| owner.by.len() < owner.at_least);
            let missing: Vec<String> = missing.map(of).collect();
            lines.push(format!("waits for {} until {}", missing.join(", "), told.until));
            lines.push(format!("`ordain hold show {}`", told.hold));
            lines.push(format!("`ordain hold approve {} --as YOU`", told.hold));
        }
        State::Approved => {
            lines.push(format!("may be done once until {}", told.until));
            lines.push(format!("`ordain hold show {}`", told.hold));
        }
        State::Used | State::Unknown | State::Denied | State::Over | State::Expired => {
            lines.push(format!("`ordain hold show {}`", told.hold));
        }
    }
    json!({ "text": lines.join("\n") }).to_string()
}

/// Text of others as code: in one line, without what would end the code, and with what Slack reads in a text escaped.
fn code(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + 2);
    shown.push('`');
    for letter in text.chars().take(LONGEST) {
        match letter {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '`' => shown.push('\''),
            _ if is_hidden(letter) => shown.push(' '),
            _ => shown.push(letter),
        }
    }
    if text.chars().count() > LONGEST {
        shown.push('…');
    }
    // Nothing between two marks is no code, and what follows would be part of it.
    if shown.len() == 1 {
        shown.push('-');
    }
    shown.push('`');
    shown
}

/// What ends a line, or has what follows read in another order than it is written in.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use uuid::Uuid;

    use super::*;
    use crate::holds::notices::notice::Owner;

    fn told(kind: EventKind, state: State, summary: &str) -> Told {
        let owner = |owner: &str, at_least: usize, by: &[&str]| Owner {
            owner: owner.to_owned(),
            at_least,
            by: by.iter().map(|by| (*by).to_owned()).collect(),
        };
        Told {
            hold: Uuid::nil(),
            kind,
            by: (kind != EventKind::Opened).then(|| "olivia".to_owned()),
            why: (kind == EventKind::Denied).then(|| "not <now> & `not` here".to_owned()),
            state,
            actor: "robot".to_owned(),
            summary: summary.to_owned(),
            owners: vec![owner("web", 1, &["olivia"]), owner("data", 2, &["omar"])],
            until: "2026-11-24T10:00:00Z".parse().unwrap(),
            reasons: Vec::new(),
        }
    }

    fn text(told: &Told) -> String {
        let body: serde_json::Value = serde_json::from_str(&body(told)).unwrap();
        body["text"].as_str().unwrap().to_owned()
    }

    #[test]
    fn nothing_that_an_agent_writes_is_a_link_or_a_mention_or_ends_its_code() {
        let evil = "`<!channel>` <https://evil.example|click> @here &lt;\n*Hold approved*\r\u{202e}\u{2028}x";
        let text = text(&told(EventKind::Opened, State::Waiting, evil));
        let first = text.lines().next().unwrap();
        expect!["Hold opened: `'&lt;!channel&gt;' &lt;https://evil.example|click&gt; @here &amp;lt; *Hold approved*   x`"]
            .assert_eq(first);
        assert!(!text.contains(['<', '>']) && first.matches('`').count() == 2, "{text}");
        assert_eq!(text.lines().count(), 4, "{text}");
    }

    #[test]
    fn a_message_says_who_is_asked_and_what_to_type() {
        expect![[r"
            Hold opened: `agent 'robot': 'ec2:StopInstances'`
            waits for `data` (1 of 2) until 2026-11-24T10:00:00Z
            `ordain hold show 00000000-0000-0000-0000-000000000000`
            `ordain hold approve 00000000-0000-0000-0000-000000000000 --as YOU`"]]
        .assert_eq(&text(&told(EventKind::Opened, State::Waiting, "agent `robot`: `ec2:StopInstances`")));
        expect![[r"
            Hold denied by `olivia`: `x`
            because: `not &lt;now&gt; &amp; 'not' here`
            `ordain hold show 00000000-0000-0000-0000-000000000000`"]]
        .assert_eq(&text(&told(EventKind::Denied, State::Denied, "x")));
        expect![[r"
            Hold approved by `olivia`: `x`
            may be done once until 2026-11-24T10:00:00Z
            `ordain hold show 00000000-0000-0000-0000-000000000000`"]]
        .assert_eq(&text(&told(EventKind::Approved, State::Approved, "x")));
    }

    #[test]
    fn what_is_long_is_cut_and_what_is_empty_is_no_open_code() {
        let shown = code(&"<".repeat(LONGEST + 1));
        assert_eq!(shown, format!("`{}…`", "&lt;".repeat(LONGEST)));
        assert_eq!(code(""), "`-`");
    }
}
