//! A server of tools and a client, both made with the protocol's own package, with the gate between them.
//!
//! Leaves out how a message is read (the room's own cases).

use std::fs;
use std::process::Command;

use crate::harness::said;
use crate::planes::served::{self, REAL, Server};

fn server() -> Option<Server> {
    served::stub("mcp/server.py", &[])
}

fn client(base: &str, token: &str, arguments: &[&str]) -> String {
    let python = served::python().unwrap();
    let url = format!("{base}/mcp");
    said(&served::script(&python, "mcp/client.py", &[&[url.as_str(), token], arguments].concat()))
}

const METHODS: &str = "[[method]]\nname = \"list_notes\"\naccess = \"read\"\n\
                       [[method]]\nname = \"write_note\"\naccess = \"update\"\n\
                       resources = [{ type = \"note\", name = \"{name}\" }]\n";

#[test]
fn a_tool_is_called_through_the_gate_as_it_is_called_directly() {
    let Some(server) = server() else { return };
    let base = format!("http://{}", server.address);
    let listed = client(&base, REAL, &["list"]);
    let (tools, methods) = (server.folder.path().join("tools.json"), server.folder.path().join("tools.toml"));
    fs::write(&tools, listed.lines().last().unwrap()).unwrap();
    fs::write(&methods, METHODS).unwrap();
    let more = format!("{{ token_file = {{token}} }}\ndescription = {tools:?}\nmethods = {methods:?}");
    let gate = served::gate("mcp", &base, &more, "enforce");
    let through = format!("http://{}", gate.address);

    let alice = gate.bearer("served", "alice", "person");
    let write = "{\"name\": \"todo\", \"text\": \"x\"}";
    let calls = ["call", "write_note", write, "list_notes", "{}"];
    let own = client(&through, &alice, &calls);
    assert_eq!(own, "write_note ok ['wrote todo']\nlist_notes ok ['todo']\n");
    assert_eq!(client(&base, REAL, &calls), own, "it is not the same directly");
    assert_eq!(client(&through, &alice, &["list"]), listed);

    // Somebody who may only read. What the tool says of itself is not enough: nothing is said of `forget`.
    let carol = gate.bearer("served", "carol", "person");
    let forget = "{\"name\": \"todo\"}";
    let answers =
        client(&through, &carol, &["call", "list_notes", "{}", "forget", forget, "write_note", write]);
    let lines: Vec<&str> = answers.lines().collect();
    assert_eq!(lines[0], "list_notes ok ['todo']", "{answers}");
    assert!(lines[1].starts_with("forget error -32003 carol may not tools/forget mcp://acme"), "{answers}");
    assert!(lines[2].starts_with("write_note error -32003 carol may not tools/write_note"), "{answers}");
    let log = server.log();
    assert!(!log.contains("FORGOT") && log.matches("WROTE").count() == 2, "{log}");
    gate.finish();
}

#[test]
fn a_read_that_its_tool_does_not_say_it_is_keeps_the_gate_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("tools.json"), "{\"tools\": [{\"name\": \"write_note\", \"inputSchema\": {}}]}").unwrap();
    fs::write(path("tools.toml"), "[[method]]\nname = \"write_note\"\naccess = \"read\"\n").unwrap();
    let settings = format!(
        "state = {:?}\n[[upstream]]\nname = \"notes\"\nplane = \"mcp\"\nendpoint = \"http://127.0.0.1:9\"\n\
         credentials = \"none\"\ndescription = {:?}\nmethods = {:?}\n",
        path("state"),
        path("tools.json"),
        path("tools.toml")
    );
    fs::write(path("gate.toml"), settings).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ordain"));
    let validated = command.args(["--config", &path("gate.toml"), "validate"]).output().unwrap();
    let why = said(&validated);
    assert!(
        why.contains("`write_note` is said to be a `read`, and the tool itself is not annotated so"),
        "{why}"
    );
    assert_eq!(validated.status.code(), Some(2), "{why}");
}
