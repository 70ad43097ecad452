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

    const fn limit(self) -> &'static str {
        match self {
            Self::User => "user.max_user_namespaces",
            Self::Network => "user.max_net_namespaces",
            Self::Mount => "user.max_mnt_namespaces",
        }
    }
}

/// Says why, by what the system answered and by its settings.
pub(super) fn why(of: Namespace, errno: Errno) -> String {
    explained(of, errno, &|path| std::fs::read_to_string(path).ok())
}

fn explained(of: Namespace, errno: Errno, read: &dyn Fn(&str) -> Option<String>) -> String {
    let number = |path: &str| read(path)?.trim().parse::<u64>().ok();
    // What the setting is further out cannot be read in a namespace that has one of its own.
    let fix = if errno == Errno::NOSPC {
        format!(
            "`{}` allows no more: end other isolated programs, or have an administrator raise it",
            of.limit()
        )
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
        check(
            Namespace::User,
            Errno::NOSPC,
            &[],
            expect![
                "no user namespace can be made (No space left on device (os error 28)): `user.max_user_namespaces` allows no more: end other isolated programs, or have an administrator raise it, or leave `--isolate` out"
            ],
        );
        check(
            Namespace::Network,
            Errno::NOSPC,
            &[],
            expect![
                "no network namespace can be made (No space left on device (os error 28)): `user.max_net_namespaces` allows no more: end other isolated programs, or have an administrator raise it, or leave `--isolate` out"
            ],
        );
        check(
            Namespace::User,
            Errno::PERM,
            &[("unprivileged_userns_clone", "0")],
            expect![
                "no user namespace can be made (Operation not permitted (os error 1)): `kernel.unprivileged_userns_clone` is 0 here: have an administrator set it to 1, or leave `--isolate` out"
            ],
        );
        check(
            Namespace::Network,
            Errno::PERM,
            &[("unprivileged_userns_clone", "1"), ("apparmor_restrict_unprivileged_userns", "1")],
            expect![
                "no network namespace can be made (Operation not permitted (os error 1)): `kernel.apparmor_restrict_unprivileged_userns` is on here: have an administrator give this program an AppArmor profile with `userns,` in it, or set it to 0, or leave `--isolate` out"
            ],
        );
        check(
            Namespace::User,
            Errno::INVAL,
            &[],
            expect![
                "no user namespace can be made (Invalid argument (os error 22)): this kernel is built without them: use another one, or leave `--isolate` out"
            ],
        );
        check(
            Namespace::User,
            Errno::PERM,
            &[],
            expect![
                "no user namespace can be made (Operation not permitted (os error 1)): whatever this runs in forbids it: in a container let its seccomp profile permit `unshare`, and do not run it under `chroot`, or leave `--isolate` out"
            ],
        );
    }
}
