//! The raw requests of `tests/attacks`, played to the listener alone: what is refused, and what passes.

use std::path::Path;

use super::case::{self, Expected};
use super::harness::{Gate, answers, quick};

#[tokio::test]
async fn attacks_are_refused_in_the_words_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/attacks/cases");
    let cases = case::read_all(&folder);
    assert!(cases.len() >= 150, "there are {} cases", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let gate = Gate::start(quick()).await;
        let raw = case::play(case, gate.address).await;
        let answered = answers(&String::from_utf8_lossy(&raw));
        let expected: Vec<String> =
            case.expected.iter().filter_map(|expected| line(expected, &gate)).collect();
        if answered != expected.join("\n") {
            wrong.push(format!("{}\n  expected {expected:?}\n  answered {answered:?}", case.name));
        }
        let passed = case.expected.iter().filter(|expected| matches!(expected, Expected::Passed(_))).count();
        assert_eq!(gate.passed().len(), passed, "{}: {:?}", case.name, gate.passed());
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// The answer of this service where one is expected.
fn line(expected: &Expected, gate: &Gate) -> Option<String> {
    match expected {
        Expected::Refused(text) => Some(text.clone()),
        Expected::Silence => None,
        Expected::Passed(request) => {
            // Two hosts of the cases are not ours; the rest is the address.
            let passed = gate
                .passed()
                .into_iter()
                .find(|line| line.starts_with(request.rsplit_once(' ').unwrap().0))?;
            let length = passed.rsplit(' ').next().unwrap();
            assert_eq!(Some(length), request.rsplit(' ').next(), "{passed}");
            Some(format!("200 {passed}"))
        }
    }
}
