//! Settings as people write them, and what they are told of what cannot be read.

use expect_test::{Expect, expect};

use super::*;

#[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
fn check(text: &str, expected: Expect) {
    let message = Settings::parse("gate.toml", text).map_or_else(|e| e.to_string(), |_| "read".to_owned());
    expected.assert_eq(&message);
}

#[test]
fn an_empty_file_is_the_defaults() {
    check("", expect!["read"]);
}

#[test]
fn an_unknown_key_names_the_nearest_known_one_and_its_place() {
    check(
        "mode = \"shadow\"\n\n[listen]\ndatta = \"127.0.0.1:1\"\n",
        expect!["`gate.toml` line 4, column 1: unknown key `datta`; did you mean `data`"],
    );
}

#[test]
fn a_key_like_nothing_known_lists_what_is() {
    check(
        "[ledger]\nzzz = 1\n",
        expect!["`gate.toml` line 2, column 1: unknown key `zzz`; known here are `directory`, `origin`"],
    );
}

#[test]
fn a_value_of_another_kind_is_told_in_the_words_of_the_file() {
    check("[limits]\nbody = -1\n", expect!["`gate.toml` line 2, column 8: give a size such as `16MiB`"]);
    check(
        "[limits]\nconnections = \"many\"\n",
        expect![[r#"`gate.toml` line 2, column 15: invalid type: string "many", expected a number"#]],
    );
}

#[test]
fn an_upstream_says_what_it_lacks_and_which_credentials_there_are() {
    check(
        "[[upstream]]\nplane = \"aws\"\n",
        expect!["`gate.toml` line 1, column 1: `name` is missing; add it"],
    );
    check(
        "[[upstream]]\nname = \"a\"\nplane = \"aws\"\ncredentials = \"defualt\"\n",
        expect![
            "`gate.toml` line 4, column 15: `defualt` is not known here; use `default`, `profile`, `none`, `file`, `kubeconfig`, `token_file`, `token_variable`, `command`, `basic`, `header`, `certificate`, `vault`, `oauth`, `google`, `keystone`, `vsphere`, `vault_token`"
        ],
    );
}

#[test]
fn a_file_that_is_not_there_is_told_once() {
    let error = anyhow::Error::new(Settings::read(Some(Path::new("no-such.toml"))).unwrap_err());
    let expected = expect![
        "cannot read `no-such.toml`: No such file or directory (os error 2); check the path given with `--config`"
    ];
    expected.assert_eq(&format!("{error:#}"));
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
fn check_variables(names: &[&str], expected: Expect) {
    let named: Vec<_> =
        names.iter().map(|name| ((*name).to_owned(), "tcp://10.0.0.1:7070".to_owned())).collect();
    let found = unknown_variable(&named);
    expected.assert_eq(&found.unwrap_or_else(|| "known".to_owned()));
}

#[test]
fn a_variable_that_nobody_reads_is_told_with_the_nearest_one_that_somebody_does() {
    check_variables(&["ORDAIN_MOED"], expect!["unknown variable `ORDAIN_MOED`; did you mean `ORDAIN_MODE`"]);
    check_variables(
        &["ORDAIN_STATE", "ORDAIN_LEDGER_DIR"],
        expect!["unknown variable `ORDAIN_LEDGER_DIR`; did you mean `ORDAIN_LEDGER_DIRECTORY`"],
    );
    let plain = [("ORDAIN_LISTEN_PORT".to_owned(), "7070".to_owned())];
    assert!(unknown_variable(&plain).is_some(), "a port that nobody listens on");
    check_variables(
        &["ORDAIN_XYZ"],
        expect![
            "unknown variable `ORDAIN_XYZ`; unset it, known are `ORDAIN_CONFIG`, `ORDAIN_LEDGER_DIRECTORY`, `ORDAIN_LEDGER_ORIGIN`, `ORDAIN_LISTEN_ADMIN`, `ORDAIN_LISTEN_DATA`, `ORDAIN_LISTEN_EGRESS`, `ORDAIN_LISTEN_TPROXY`, `ORDAIN_LISTEN_TRANSPARENT`, `ORDAIN_LISTEN_UNIX`, `ORDAIN_LOG_FILTER`, `ORDAIN_LOG_FORMAT`, `ORDAIN_MODEL_DIRECTORY`, `ORDAIN_MODE`, `ORDAIN_SEALING_KEY`, `ORDAIN_STATE`"
        ],
    );
}

#[test]
fn variables_that_are_read_or_are_not_ours_are_let_be() {
    let read: Vec<String> = VARIABLES.iter().map(|name| format!("{PREFIX}{name}")).collect();
    check_variables(&read.iter().map(String::as_str).collect::<Vec<_>>(), expect!["known"]);
    check_variables(&["ORDAIN_TEST_MOTO", "ORDAIN_TRY_PROGRAM", "ORDAIN_HARVEST_CACHE"], expect!["known"]);
    // Services called `ordain` and `ordain-gate` in the namespace of a pod.
    check_variables(
        &[
            "ORDAIN_SERVICE_HOST",
            "ORDAIN_SERVICE_PORT",
            "ORDAIN_SERVICE_PORT_DATA",
            "ORDAIN_PORT",
            "ORDAIN_PORT_7070_TCP",
            "ORDAIN_PORT_7070_TCP_ADDR",
            "ORDAIN_GATE_SERVICE_HOST",
            "ORDAIN_GATE_SERVICE_PORT",
            "ORDAIN_GATE_SERVICE_PORT_DATA",
            "ORDAIN_GATE_PORT",
            "ORDAIN_GATE_PORT_7071_TCP_PROTO",
        ],
        expect!["known"],
    );
    // All that override the file are among those that are known.
    let asked = std::cell::RefCell::new(Vec::new());
    Settings::default().override_with(&|name| {
        asked.borrow_mut().push(name.to_owned());
        None
    });
    let asked = asked.into_inner();
    assert_eq!(asked.len(), VARIABLES.len() - 2, "and the file itself, and the key that seals");
    check_variables(&asked.iter().map(String::as_str).collect::<Vec<_>>(), expect!["known"]);
}

#[test]
fn the_environment_wins_over_the_file() {
    let mut settings = Settings::parse("gate.toml", "mode = \"shadow\"").unwrap();
    settings.override_with(&|name| (name == "ORDAIN_MODE").then(|| "enforce".to_owned()));
    assert_eq!(settings.mode.as_deref(), Some("enforce"));
}

/// What a page shows first is what is copied from it.
#[test]
fn what_the_pages_of_the_rooms_show_is_read() {
    let rooms = ordain_decode::Rooms::new(ordain_decode::RoomsConfig::default()).unwrap();
    for about in rooms.about() {
        let shown = about.page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
        let settings = Settings::parse("page", shown.unwrap());
        let settings = settings.unwrap_or_else(|why| panic!("{}: {why}", about.plane));
        let upstream = settings.upstreams.first().map(|upstream| upstream.plane.as_str());
        assert_eq!(upstream, Some(about.plane.as_str()));
    }
}
