//! What came of the cases: for people, for programs, and as JUnit's XML for what shows the tests of a build.
//!
//! Leaves out judging.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use ordain_rules::{Reason, Verdict};
use quick_xml::events::{BytesDecl, BytesText, Event};
use quick_xml::writer::Writer;
use serde::Serialize;

use super::resolved::Case;
use crate::cli::Context;
use crate::cli::output::Rows;

/// All cases.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) cases: usize,
    pub(super) failed: usize,
    pub(super) results: Vec<Judged>,
}

/// One case, and what was said.
#[derive(Debug, Serialize)]
pub(super) struct Judged {
    file: String,
    line: usize,
    name: String,
    pub(super) passed: bool,
    expected: Expected,
    verdict: &'static str,
    owners: Vec<String>,
    reasons: Vec<Said>,
    /// What is not as expected, each in one sentence.
    differs: Vec<String>,
    #[serde(skip)]
    took: Duration,
}

#[derive(Debug, Serialize)]
struct Expected {
    verdict: &'static str,
    reasons: Vec<String>,
    not_reasons: Vec<String>,
    owners: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
struct Said {
    ruling: &'static str,
    count: &'static str,
    code: String,
    text: String,
    remedy: String,
}

impl Judged {
    pub(super) fn of(case: &Case, verdict: &Verdict, took: Duration) -> Self {
        let differs = differs(case, verdict);
        Self {
            file: case.file.clone(),
            line: case.line,
            name: case.name.clone(),
            passed: differs.is_empty(),
            expected: Expected {
                verdict: case.ruling.as_str(),
                reasons: case.expect.reasons.clone(),
                not_reasons: case.expect.not_reasons.clone(),
                owners: case.expect.owners.clone(),
            },
            verdict: verdict.ruling.as_str(),
            owners: verdict.owners.iter().map(ToString::to_string).collect(),
            reasons: verdict.reasons.iter().map(said).collect(),
            differs,
            took,
        }
    }

    /// What was expected, what was said, and why, as lines.
    fn told(&self) -> String {
        let mut lines = self.differs.clone();
        let owners =
            if self.owners.is_empty() { String::new() } else { format!(", of {}", self.owners.join(", ")) };
        lines.push(format!("said: {}{owners}", self.verdict));
        lines.extend(self.reasons.iter().map(|reason| {
            let remedy = if reason.remedy.is_empty() { "" } else { "; " };
            format!("  {} {}: {}{remedy}{}", reason.ruling, reason.code, reason.text, reason.remedy)
        }));
        lines.join("\n")
    }

    /// The codes of the reasons that ruled.
    fn because(&self) -> String {
        let ruled = self.reasons.iter().filter(|reason| reason.ruling == self.verdict);
        let codes: BTreeSet<&str> = ruled.map(|reason| reason.code.as_str()).collect();
        codes.into_iter().collect::<Vec<_>>().join(", ")
    }
}

fn said(reason: &Reason) -> Said {
    Said {
        ruling: reason.ruling.as_str(),
        count: reason.count.as_str(),
        code: reason.code.as_str().to_owned(),
        text: reason.text.clone(),
        remedy: reason.remedy.clone(),
    }
}

fn differs(case: &Case, verdict: &Verdict) -> Vec<String> {
    let mut differs = Vec::new();
    if case.ruling != verdict.ruling {
        differs.push(format!("expected: {}", case.ruling.as_str()));
    }
    let is_reason = |code: &str| verdict.reasons.iter().any(|reason| reason.code.as_str() == code);
    let expect = &case.expect;
    differs.extend(
        expect.reasons.iter().filter(|code| !is_reason(code)).map(|code| format!("expected reason: {code}")),
    );
    differs.extend(
        expect.not_reasons.iter().filter(|code| is_reason(code)).map(|code| format!("not a reason: {code}")),
    );
    if let Some(owners) = &expect.owners {
        let (mut expected, mut said): (Vec<&str>, Vec<&str>) =
            (owners.iter().map(String::as_str).collect(), verdict.owners.iter().map(AsRef::as_ref).collect());
        expected.sort_unstable();
        said.sort_unstable();
        if expected != said {
            let nobody = if expected.is_empty() { "none" } else { "" };
            differs.push(format!("expected owners: {nobody}{}", expected.join(", ")));
        }
    }
    differs
}

impl Report {
    pub(super) fn new(results: Vec<Judged>) -> Self {
        let failed = results.iter().filter(|judged| !judged.passed).count();
        Self { cases: results.len(), failed, results }
    }

    /// For people: a line a case, and below it all about those that failed.
    pub(super) fn tell(&self, context: &Context) -> anyhow::Result<()> {
        let mut rows = Rows::new(&["", "case", "expected", "said", "because of"]);
        for judged in &self.results {
            rows.push(vec![
                if judged.passed { "ok" } else { "FAILED" }.to_owned(),
                judged.name.clone(),
                judged.expected.verdict.to_owned(),
                judged.verdict.to_owned(),
                judged.because(),
            ]);
        }
        context.output.table(&rows)?;
        for judged in self.results.iter().filter(|judged| !judged.passed) {
            let told = judged.told().replace('\n', "\n  ");
            context.output.line(&format!("\n{}:{}: {}\n  {told}", judged.file, judged.line, judged.name))?;
        }
        let as_expected = self.cases - self.failed;
        context.output.line(&format!("\n{as_expected} of {} cases are judged as expected", self.cases))?;
        Ok(())
    }

    /// For what shows the tests of a build: a suite a file.
    pub(super) fn junit(&self) -> io::Result<Vec<u8>> {
        let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
        writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let (tests, failures) = (self.cases.to_string(), self.failed.to_string());
        let all = writer.create_element("testsuites").with_attributes([
            ("name", "ordain"),
            ("tests", tests.as_str()),
            ("failures", failures.as_str()),
            ("errors", "0"),
        ]);
        all.write_inner_content(|writer| {
            for suite in self.results.chunk_by(|one, next| one.file == next.file) {
                junit_suite(writer, suite)?;
            }
            Ok(())
        })?;
        let mut bytes = writer.into_inner();
        bytes.push(b'\n');
        Ok(bytes)
    }
}

fn junit_suite(writer: &mut Writer<Vec<u8>>, suite: &[Judged]) -> io::Result<()> {
    let file = suite.first().map(|judged| legal(&judged.file)).unwrap_or_default();
    let failed = suite.iter().filter(|judged| !judged.passed).count().to_string();
    let (tests, time) = (suite.len().to_string(), seconds(suite.iter().map(|judged| judged.took).sum()));
    let element = writer.create_element("testsuite").with_attributes([
        ("name", file.as_str()),
        ("tests", tests.as_str()),
        ("failures", failed.as_str()),
        ("errors", "0"),
        ("time", time.as_str()),
    ]);
    element.write_inner_content(|writer| {
        for judged in suite {
            let (name, time, line) = (legal(&judged.name), seconds(judged.took), judged.line.to_string());
            let case = writer.create_element("testcase").with_attributes([
                ("name", name.as_str()),
                ("classname", file.as_str()),
                ("file", file.as_str()),
                ("line", line.as_str()),
                ("time", time.as_str()),
            ]);
            if judged.passed {
                case.write_empty()?;
                continue;
            }
            let (message, told) = (legal(&judged.differs.join("; ")), legal(&judged.told()));
            case.write_inner_content(|writer| {
                let failure = writer.create_element("failure").with_attribute(("message", message.as_str()));
                failure.with_attribute(("type", "verdict")).write_text_content(BytesText::new(&told))?;
                Ok(())
            })?;
        }
        Ok(())
    })?;
    Ok(())
}

fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}

/// Without the characters that no XML may have.
fn legal(text: &str) -> String {
    let is_legal = |letter: char| {
        matches!(letter, '\t' | '\n' | '\r')
            || !letter.is_control() && !matches!(letter, '\u{fffe}' | '\u{ffff}')
    };
    text.chars().map(|letter| if is_legal(letter) { letter } else { '\u{fffd}' }).collect()
}
