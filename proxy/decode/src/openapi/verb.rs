//! Whether the name of an operation only reads: a second signal beside the method of HTTP.
//!
//! Leaves out what operators say, which stands above it.

/// Verbs by which nothing is changed.
const READS: [&str; 18] = [
    "count", "describe", "exists", "find", "get", "head", "info", "inspect", "list", "lookup", "ping",
    "read", "retrieve", "search", "show", "status", "version", "view",
];

/// Words of what is done or of what is handed out: with one of them in it a name is none that only reads.
const ACTS: [&str; 118] = [
    "accept",
    "activate",
    "add",
    "apply",
    "approve",
    "archive",
    "assign",
    "assume",
    "attach",
    "authorize",
    "backup",
    "begin",
    "build",
    "call",
    "cancel",
    "change",
    "claim",
    "clear",
    "clone",
    "close",
    "commit",
    "complete",
    "configure",
    "confirm",
    "connect",
    "console",
    "copy",
    "create",
    "deactivate",
    "decrypt",
    "delete",
    "deploy",
    "destroy",
    "detach",
    "disable",
    "disconnect",
    "drain",
    "drop",
    "edit",
    "emit",
    "enable",
    "enqueue",
    "eval",
    "exec",
    "execute",
    "expire",
    "fetch",
    "flush",
    "force",
    "generate",
    "grant",
    "import",
    "init",
    "insert",
    "install",
    "invalidate",
    "invoke",
    "issue",
    "join",
    "kill",
    "launch",
    "leave",
    "load",
    "lock",
    "login",
    "logout",
    "mark",
    "merge",
    "migrate",
    "mint",
    "modify",
    "move",
    "notify",
    "open",
    "patch",
    "pause",
    "post",
    "process",
    "promote",
    "prune",
    "publish",
    "pull",
    "purge",
    "push",
    "put",
    "reboot",
    "rebuild",
    "refresh",
    "register",
    "reload",
    "remove",
    "rename",
    "renew",
    "replace",
    "reset",
    "restart",
    "restore",
    "resume",
    "retry",
    "revoke",
    "rollback",
    "rotate",
    "run",
    "save",
    "send",
    "set",
    "shutdown",
    "sign",
    "start",
    "stop",
    "subscribe",
    "switch",
    "sync",
    "terminate",
    "trigger",
    "unlock",
    "update",
    "upload",
];

/// Words of what is a secret, wherever it is read.
const SECRETS: [&str; 17] = [
    "apikey",
    "auth",
    "certificate",
    "credential",
    "cryptokey",
    "jwt",
    "key",
    "kubeconfig",
    "passphrase",
    "password",
    "private",
    "secret",
    "session",
    "ticket",
    "token",
    "tsigkey",
    "unlockkey",
];

/// Whether an operation that HTTP calls safe only reads by its name too, and none of its words hands out a secret.
/// Names are `listZones`, `ContainerList` or `zones_list`; a summary begins with its verb.
pub(super) fn only_reads(id: Option<&str>, summary: Option<&str>, path: &str) -> bool {
    let id = words(id.unwrap_or_default());
    let summary = words(summary.unwrap_or_default());
    let path = words(path);
    let reads = |word: Option<&String>| word.is_some_and(|word| READS.contains(&word.as_str()));
    let acts = |word: &String| ACTS.contains(&word.as_str()) || is_secret(word);
    let named = if id.is_empty() { reads(summary.first()) } else { reads(id.first()) || reads(id.last()) };
    let first = summary.first().is_some_and(acts);
    named && !first && !id.iter().chain(&path).any(acts) && !summary.iter().any(is_secret)
}

fn is_secret(word: &String) -> bool {
    let one = word.strip_suffix('s').unwrap_or(word);
    SECRETS.iter().any(|secret| *secret == word || *secret == one || one.ends_with(secret))
}

/// The words of a name or a sentence, in lower case: capitals begin new ones.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut characters = text.chars().peekable();
    let mut before = ' ';
    while let Some(character) = characters.next() {
        let next_is_lower = characters.peek().is_some_and(|next| next.is_lowercase());
        let begins =
            character.is_uppercase() && (before.is_lowercase() || before.is_uppercase() && next_is_lower);
        if (begins || !character.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if character.is_alphanumeric() {
            word.extend(character.to_lowercase());
        }
        before = character;
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_only_reads_when_nothing_in_it_says_more() {
        for (id, summary, path, reads) in [
            ("listZones", "List all Zones in a server", "/servers/{s}/zones", true),
            ("ContainerList", "List containers", "/containers/json", true),
            ("zones_list", "", "/zones/", true),
            ("getHTTPRoute", "", "/routes/{r}", true),
            ("", "Show a thing", "/things/{id}", true),
            ("", "", "/things/{id}", false),
            ("thing", "Show a thing", "/things/{id}", false),
            ("getAndDelete", "", "/things/{id}", false),
            ("getThing", "Restart a thing", "/things/{id}", false),
            ("getThing", "Show a thing", "/things/{id}/restart", false),
            ("getApiKeys", "", "/x", false),
            ("getCryptokey", "", "/x", false),
            ("getUser", "Show a user with the password", "/x", false),
            ("getThing", "", "/login", false),
            ("resetGet", "", "/x", false),
            ("fetchThing", "", "/x", false),
        ] {
            let some = |text: &'static str| Some(text).filter(|text| !text.is_empty());
            assert_eq!(only_reads(some(id), some(summary), path), reads, "{id} {summary} {path}");
        }
    }
}
