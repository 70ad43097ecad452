//! Whatever differs from what was approved, by random differences.
//!
//! Leaves out what is said of it (`mod.rs`).

use std::sync::LazyLock;

use ordain_action::{Action, Parameters, Reading, Scalar};
use ordain_rules::{Counters, Ruling, Snapshot};
use proptest::prelude::*;

use super::{AUTHORIZE, CHANGE, CREATE, TERMINATE, approved, judged_at, made};
use crate::support::{NOW, action};

/// One way in which a request differs from what was approved.
#[derive(Debug, Clone)]
enum Differs {
    /// A byte of a value.
    Value(usize, usize),
    /// A byte of a name.
    Path(usize, usize),
    /// A parameter more.
    More(String, String),
    /// Who asks, where, and what for.
    Actor,
    Account,
    Region,
    Operation,
    /// What it is about.
    Target(usize),
}

fn differs() -> impl Strategy<Value = Differs> {
    prop_oneof![
        8 => (any::<usize>(), any::<usize>()).prop_map(|(leaf, byte)| Differs::Value(leaf, byte)),
        4 => (any::<usize>(), any::<usize>()).prop_map(|(leaf, byte)| Differs::Path(leaf, byte)),
        4 => ("[A-Z][a-zA-Z.1]{0,12}", "[a-z0-9*/:.-]{0,12}").prop_map(|(path, value)| Differs::More(path, value)),
        1 => Just(Differs::Actor),
        1 => Just(Differs::Account),
        1 => Just(Differs::Region),
        1 => Just(Differs::Operation),
        2 => any::<usize>().prop_map(Differs::Target),
    ]
}

/// The text with another letter at a place.
fn another(text: &str, at: usize) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    if letters.is_empty() {
        return "x".to_owned();
    }
    let at = at % letters.len();
    letters[at] = if letters[at] == 'x' { 'y' } else { 'x' };
    letters.into_iter().collect()
}

fn differing(asked: &Action, differs: &Differs) -> Action {
    let mut changed = asked.clone();
    let Reading::Call(call) = &mut changed.reading else { panic!("a call") };
    let effect = &mut call.effects[0];
    let leaves: Vec<(String, String)> =
        effect.parameters.iter().map(|leaf| (leaf.path.to_owned(), text_of(leaf.value))).collect();
    let mut said = leaves.clone();
    match differs {
        Differs::Value(leaf, byte) => {
            let leaf = leaf % said.len();
            said[leaf].1 = another(&said[leaf].1, *byte);
        }
        Differs::Path(leaf, byte) => {
            let leaf = leaf % said.len();
            said[leaf].0 = another(&said[leaf].0, *byte);
        }
        Differs::More(path, value) => said.push((path.clone(), value.clone())),
        Differs::Actor => changed.actor.party.name = "cleaner".into(),
        Differs::Account => changed.actor.upstream.account = "444455556666".into(),
        Differs::Region => call.region = "eu-west-2".into(),
        Differs::Operation => effect.operation = format!("{}s", effect.operation).into(),
        Differs::Target(byte) => {
            let resource = &mut effect.resources[0];
            resource.name = another(&resource.name, *byte);
            resource.identifiers.clear();
        }
    }
    let Reading::Call(call) = &mut changed.reading else { panic!("a call") };
    let mut parameters = Parameters::new();
    for (path, value) in said {
        parameters.push(&path, Scalar::Text(&value)).unwrap();
    }
    call.effects[0].parameters = parameters;
    changed
}

fn text_of(value: Scalar<'_>) -> String {
    match value {
        Scalar::Text(text) | Scalar::Number(text) => text.to_owned(),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// Whatever differs, what was approved admits only itself.
    #[test]
    fn what_was_approved_admits_nothing_else(which in 0..3_usize, differs in differs()) {
        static SHOP_MADE: LazyLock<Snapshot> = LazyLock::new(|| made(&approved(CHANGE, &["olivia"]), "sg-77"));
        let asked = action([CREATE, AUTHORIZE, TERMINATE][which]);
        let counters = Counters::new();
        prop_assert_eq!(judged_at(&SHOP_MADE, NOW, &asked, &counters).verdict.ruling, Ruling::Admit);
        // A network is told by a parameter as well, and two of its parents' names are nobody's to tell apart here.
        prop_assume!(!(which == 0 && matches!(differs, Differs::Target(_))));
        let other = differing(&asked, &differs);
        let verdict = judged_at(&SHOP_MADE, NOW, &other, &counters).verdict;
        prop_assert_ne!(verdict.ruling, Ruling::Admit, "{:?}", other);
        prop_assert_eq!(verdict.change, None);
    }
}
