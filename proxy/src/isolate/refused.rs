//! Why a namespace cannot be made here, in words that say what to do.
//!
//! Leaves out making it.

use rustix::io::Errno;

/// What was to be left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Namespace {
    User,
    Network,
    Mount,
}

impl Namespace {
    const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Network => "network",
            Self::Mount => "mount",
        }
    }

    const fn limit(self) -> (&'static str, &'static str) {
        match self {
            Self::User => ("/proc/sys/user/max_user_namespaces", "user.max_user_namespaces"),
            Self::Network => ("/proc/sys/user/max_net_namespaces", "user.max_net_namespaces"),
            Self::Mount => ("/proc/sys/user/max_mnt_namespaces", "user.max_mnt_namespaces"),
        }
    }
}

/// Says why, by what the system answered and by its settings.
pub(super) fn why(of: Namespace, errno: Errno) -> String {
    explained(of, errno, &|path| std::fs::read_to_string(path).ok())
}

fn explained(of: Namespace, errno: Errno, read: &dyn Fn(&str) -> Option<String>) -> String {
    let number = |path: &str| read(path)?.trim().parse::<u64>().ok();
    let (path, setting) = of.limit();
    let fix = if number(path) == Some(0) {
        format!("`{setting}` is 0 here: have an administrator set it to 1000, say")
    } else if errno == Errno::NOSPC {
        format!("there are as many as `{setting}` lets there be: end some, or have an administrator raise it")
    } else if number("/proc/sys/kernel/unprivileged_userns_clone") == Some(0) {
        "`kernel.unprivileged_userns_clone` is 0 here: have an administrator set it to 1".to_owned()
    } else if number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").is_some_and(|on| on > 0) {
        "`kernel.apparmor_restrict_unprivileged_userns` is on here: have an administrator give this program an AppArmor \
         profile with `userns,` in it, or set it to 0"
            .to_owned()
    } else if matches!(errno, Errno::INVAL | Errno::NOSYS) {
        "this kernel is built without them: use another one".to_owned()
    } else {
        "whatever this runs in forbids it: in a container let its seccomp profile permit `unshare`, and do not run it under \
         `chroot`"
            .to_owned()
    };
    format!("no {} namespace can be made ({errno}): {fix}, or leave `--isolate` out", of.name())
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
    fn check(of: Namespace, errno: Errno, settings: &[(&str, &str)], expected: Expect) {
        let read = |path: &str| {
            settings.iter().find(|(name, _)| path.ends_with(name)).map(|(_, value)| format!("{value}\n"))
        };
        expected.assert_eq(&explained(of, errno, &read));
    }

    #[test]
    fn each_cause_has_its_own_way_out() {
        check(Namespace::User, Errno::NOSPC, &[("max_user_namespaces", "0")], expect![""]);
        check(Namespace::Network, Errno::NOSPC, &[("max_net_namespaces", "100")], expect![""]);
        check(Namespace::User, Errno::PERM, &[("unprivileged_userns_clone", "0")], expect![""]);
        check(
            Namespace::Network,
            Errno::PERM,
            &[("unprivileged_userns_clone", "1"), ("apparmor_restrict_unprivileged_userns", "1")],
            expect![""],
        );
        check(Namespace::User, Errno::INVAL, &[], expect![""]);
        check(Namespace::User, Errno::PERM, &[("max_user_namespaces", "96365")], expect![""]);
    }
}
