//! The server that the cases of this room are requests to, and what its operators say of its tools.
//!
//! Leaves out the cases, which are text.

use ordain_action::Access;

use crate::described::method;
use crate::setup::{ApiMethod, McpServer};

/// What the server answers to `tools/list`.
pub(super) const TOOLS: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[
    {"name":"list_pods","annotations":{"readOnlyHint":true},"inputSchema":{"type":"object","properties":{"namespace":{"type":"string"}}}},
    {"name":"delete_pod","annotations":{"readOnlyHint":true},"inputSchema":{"type":"object","properties":{"namespace":{"type":"string"},"name":{"type":"string"}}}},
    {"name":"set_secret","inputSchema":{"type":"object","properties":{"name":{"type":"string"},"value":{"type":"string"}}}},
    {"name":"drain","inputSchema":{"type":"object","properties":{"node":{"type":"string"},"options":{"type":"array","items":{"type":"object","properties":{"force":{"type":"boolean"}}}}}}},
    {"name":"login","inputSchema":{"type":"object","properties":{}}}
]}}"#;

/// That server.
pub(crate) fn server() -> McpServer {
    let secret = ApiMethod {
        secrets: vec!["value".to_owned()],
        ..method("set_secret", Access::Update, &[("secret", "{name}")])
    };
    McpServer {
        upstream: "desk".to_owned(),
        tools: Some(TOOLS.as_bytes().to_vec()),
        methods: vec![
            method("list_pods", Access::Read, &[("pod", "*")]),
            method("delete_pod", Access::Delete, &[("pod", "{namespace}/{name}")]),
            secret,
            ApiMethod { mints: true, ..method("login", Access::SecretRead, &[]) },
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::super::tools::Server;
    use super::*;

    fn check(methods: Vec<ApiMethod>, expected: &str) {
        let tools = Some(TOOLS.as_bytes().to_vec());
        let server = McpServer { upstream: "desk".to_owned(), tools, methods };
        let why = Server::new(&server).map(drop).unwrap_err();
        assert!(why.contains(expected), "{why}");
    }

    #[test]
    fn a_tool_is_a_read_only_where_both_say_so() {
        let not_annotated = vec![method("set_secret", Access::Read, &[])];
        check(not_annotated, "`set_secret` is said to be a `read`, and the tool itself is not annotated so");
        check(vec![method("gone", Access::Read, &[])], "`gone` is no tool in the list");
        check(
            vec![method("delete_pod", Access::Delete, &[("pod", "{pod}")])],
            "the tool has no argument `pod`; it has `name`, `namespace`",
        );
        check(
            vec![method("login", Access::Execute, &[]), method("login", Access::Execute, &[])],
            "`login` is said twice",
        );
    }
}
