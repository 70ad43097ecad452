//! An AI agent's own tools through the gate: `kubernetes-mcp-server`, spoken to as an agent speaks to it, sees what its
//! actor may read, and its tools say what the gate refuses in the gate's own words.
//!
//! The cluster is the stub (`cluster.py`).

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::cluster::{Kubectl, REAL, Stub, gate, tools};
use crate::harness::{installed, skipped};

/// A server of tools, and the conversation with it: a line a message.
pub(super) struct Tools {
    child: Child,
    into: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    asked: u64,
}

impl Tools {
    pub(super) fn start(program: &Path, kubeconfig: &Path, home: &Path) -> Self {
        let log = std::fs::File::create(home.join("mcp.log")).unwrap();
        let mut child = Command::new("timeout")
            .arg("60")
            .arg(program)
            .args(["--toolsets", "core", "--kubeconfig"])
            .arg(kubeconfig)
            .env("HOME", home)
            .current_dir(home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let (into, out) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut tools = Self { child, into, lines: BufReader::new(out).lines(), asked: 0 };
        let client = json!({"name": "an agent", "version": "1"});
        let hello = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client});
        tools.ask("initialize", &hello);
        tools.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        tools
    }

    fn say(&mut self, message: &Value) {
        writeln!(self.into, "{message}").unwrap();
    }

    fn ask(&mut self, method: &str, parameters: &Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        self.say(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": parameters}));
        loop {
            let line = self.lines.next().expect("the server answers").unwrap();
            let said: Value = serde_json::from_str(&line).expect("a message");
            if said["id"] == id {
                assert!(said["error"].is_null(), "{said}");
                return said["result"].clone();
            }
        }
    }

    /// What a tool says, and whether it says that it failed.
    pub(super) fn call(&mut self, tool: &str, arguments: &Value) -> (String, bool) {
        let result = self.ask("tools/call", &json!({"name": tool, "arguments": arguments}));
        let text = result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{result}")).to_owned();
        assert!(!text.contains(REAL), "{text}");
        (text, result["isError"] == true)
    }
}

impl Drop for Tools {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub(super) fn program() -> Option<PathBuf> {
    let program = installed("ORDAIN_TEST_NODE_MODULES")?.join(".bin/kubernetes-mcp-server");
    if program.exists() { Some(program) } else { skipped("an MCP server of Kubernetes") }
}

#[test]
fn an_agents_tools_see_what_it_may_read_and_say_what_is_refused() {
    let (Some((python, kubectl)), Some(program)) = (tools(), program()) else { return };
    let stub = Stub::start(&python);
    let gate = gate(stub.upstream(""), "enforce");
    let robot = Kubectl::of(&gate, &kubectl, "robot", "agent");
    let mut tools = Tools::start(&program, &robot.kubeconfig, gate.folder.path());
    let (listed, failed) = tools.call("namespaces_list", &json!({}));
    assert!(!failed && listed.contains("default") && listed.contains("shop"), "{listed}");
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "name": "shop"});
    let (refused, failed) = tools.call("resources_delete", &namespace);
    assert!(failed, "{refused}");
    let words = "namespaces \"shop\" is forbidden: User \"robot\" cannot delete resource \"namespaces\"";
    assert!(refused.contains(words) && refused.contains("ordain decision"), "{refused}");
    let made = json!({"resource": "apiVersion: v1\nkind: Namespace\nmetadata: {name: another}\n"});
    let (refused, failed) = tools.call("resources_create_or_update", &made);
    assert!(failed, "{refused}");
    let words = "namespaces \"another\" is forbidden: User \"robot\" cannot patch resource \"namespaces\"";
    assert!(refused.contains(words) && refused.contains("ordain decision"), "{refused}");
    let (refused, failed) =
        tools.call("pods_exec", &json!({"name": "web", "namespace": "default", "command": ["id"]}));
    assert!(failed && refused.contains("create resource \"pods/exec\""), "{refused}");
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "name": "bot-token", "namespace": "default"});
    let (refused, failed) = tools.call("resources_get", &secret);
    assert!(
        failed && refused.contains("`robot` is an agent") && refused.contains("a secret of"),
        "{refused}"
    );
    let changed: Vec<_> = stub.arrived().into_iter().filter(|one| one["method"] != "GET").collect();
    assert!(changed.iter().all(|one| one["target"].as_str().unwrap().contains("reviews")), "{changed:?}");
    gate.finish();
}
