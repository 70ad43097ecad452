//! How what would run in a pod could leave it: by privilege, by what it shares with its machine, by files of that.
//!
//! Leaves out what the machine itself allows. Members are told by their names, at whatever depth.

use ordain_action::Scalar;

use super::super::Facts;
use super::{ends, is_on};
use crate::kubernetes::{Body, Member, Operation, parts, text};

/// Capabilities with which a process leaves its container, or reads what is not its own.
const CAPABILITIES: [&str; 10] = [
    "ALL",
    "BPF",
    "DAC_READ_SEARCH",
    "NET_ADMIN",
    "PERFMON",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_MODULE",
    "SYS_PTRACE",
    "SYS_RAWIO",
];

/// Folders of a machine that are the machine: with one of them, or with what is above or in it, a pod is no longer
/// apart from it.
const MACHINE: [&str; 17] = [
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/lib64",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/sys",
    "/usr",
    "/var/lib",
    "/var/run",
    "/var/spool",
];

/// Sockets through which whoever has them runs any container.
const SOCKETS: [&str; 6] =
    ["docker.sock", "containerd.sock", "crio.sock", "cri-dockerd.sock", "podman.sock", "dockershim.sock"];

/// The label by which a namespace says how its pods are bounded.
const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

pub(super) fn read(operation: &Operation<'_>, body: &Body<'_>, facts: &mut Facts) {
    for member in &body.members {
        // What is said of an object is not the object.
        if !parts(&member.path).any(|part| matches!(part, "labels" | "annotations" | "managedFields")) {
            switch(member, facts);
            value(member, facts);
        }
    }
    if operation.is("core", "namespaces") {
        let off = |value: Scalar<'_>| !matches!(text(value), Some("baseline" | "restricted"));
        let patched = operation.verb != "create";
        let said = body.entries("metadata.labels").any(|(key, value)| key == ENFORCE && off(value));
        let cleared = ["metadata", "metadata.labels"]
            .iter()
            .any(|path| body.values(path).any(|value| matches!(value, Scalar::Null | Scalar::Empty)));
        if said || (patched && cleared) {
            facts.escapes.insert("pod_security_off");
        }
    }
}

fn switch(member: &Member<'_>, facts: &mut Facts) {
    const SWITCHES: [(&[&str], &str); 4] = [
        (&["securityContext", "privileged"], "privileged"),
        (&["windowsOptions", "hostProcess"], "privileged"),
        (&["hostPID"], "host_pid"),
        (&["hostIPC"], "host_ipc"),
    ];
    if !is_on(member.value) {
        return;
    }
    for (path, word) in SWITCHES {
        if ends(&member.path, path) {
            facts.escapes.insert(word);
        }
    }
    if ends(&member.path, &["hostNetwork"]) {
        facts.exposes.insert("host_network");
    }
}

fn value(member: &Member<'_>, facts: &mut Facts) {
    let Some(text) = text(member.value) else { return };
    if ends(&member.path, &["capabilities", "add"]) {
        let name = text.to_ascii_uppercase();
        if CAPABILITIES.contains(&name.strip_prefix("CAP_").unwrap_or(&name)) {
            facts.escapes.insert("capability");
        }
    } else if ends(&member.path, &["procMount"]) && !text.eq_ignore_ascii_case("default") {
        facts.escapes.insert("unmasked");
    } else if ends(&member.path, &["hostPort"]) && text != "0" {
        facts.exposes.insert("host_port");
    } else if ends(&member.path, &["hostPath", "path"]) || ends(&member.path, &["local", "path"]) {
        if SOCKETS.iter().any(|socket| text.trim_end_matches('/').ends_with(socket)) {
            facts.escapes.insert("container_socket");
        }
        if is_machine(text) {
            facts.escapes.insert("host_path");
        }
    }
}

/// Whether a folder is one that is the machine, or is above or in one, or leads who knows where.
fn is_machine(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let above_or_in = |folder: &&str| {
        let mut theirs = folder.split('/').skip(1);
        let mut ours = parts.iter();
        loop {
            match (theirs.next(), ours.next()) {
                (None, _) | (_, None) => return true,
                (Some(left), Some(right)) if left == *right => {}
                (Some(_), Some(_)) => return false,
            }
        }
    };
    !path.starts_with('/') || parts.contains(&"..") || MACHINE.iter().any(above_or_in)
}

#[cfg(test)]
mod tests {
    use super::is_machine;

    #[test]
    fn a_folder_that_is_the_machine_is_told_from_one_beside_it() {
        for path in [
            "/",
            "//",
            "/./",
            "/etc",
            "/etc/kubernetes",
            "/var",
            "/var/lib/kubelet/pods",
            "/var/run/docker.sock",
        ] {
            assert!(is_machine(path), "{path}");
        }
        for path in ["", "etc", "/data/..", "/var/log/../lib"] {
            assert!(is_machine(path), "{path}");
        }
        for path in ["/data", "/mnt/disks/a", "/var/log", "/var/log/pods", "/etcetera", "/srv/run"] {
            assert!(!is_machine(path), "{path}");
        }
    }
}
