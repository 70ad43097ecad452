//! What an isolated run reaches of the gate, and `ordain isolated`, the half of it that becomes the program.
//!
//! Leaves out how a network is left and what is passed on (`isolate`).

use std::ffi::OsString;

/// Become an isolated program; `ordain run --isolate` starts this itself.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The program and its arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// What the variables of a run name, beside its way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reached {
    /// The admin address, where clients ask for their credential.
    pub(super) admin: bool,
}

#[cfg(target_os = "linux")]
pub(super) use linux::{Apart, check, run};

#[cfg(not(target_os = "linux"))]
pub(super) use elsewhere::{Apart, check, run};

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::BTreeSet;
    use std::ffi::OsStr;
    use std::fmt::Write as _;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
    use std::path::PathBuf;
    use std::process::Stdio;

    use anyhow::Context as _;
    use tokio::process::{Child, Command};

    use super::{Arguments, Reached};
    use crate::cli::Exit;
    use crate::cli::way::{Way, credentials_address, data_address};
    use crate::config::Config;
    use crate::files;
    use crate::isolate::{self, Door, Link, Plan, Relays};

    /// Becomes the program.
    pub(in crate::cli) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
        isolate::enter(&arguments.command)?;
        Ok(Exit::Usage)
    }

    /// Refuses what cannot be isolated, before anything is issued for it.
    ///
    /// # Errors
    /// Why not.
    pub(in crate::cli) fn check() -> anyhow::Result<()> {
        isolate::check_streams()
    }

    /// What an isolated run reaches of the gate.
    #[derive(Debug)]
    pub(in crate::cli) struct Apart {
        doors: Vec<Door>,
        hosts: Option<Hosts>,
    }

    /// A file of names that ends with this.
    #[derive(Debug)]
    struct Hosts(PathBuf);

    impl Drop for Hosts {
        fn drop(&mut self) {
            // What is inside has it by then, or never will.
            let _gone = std::fs::remove_file(&self.0);
        }
    }

    impl Apart {
        /// What of the gate the variables name, and nothing else of it.
        ///
        /// # Errors
        /// The file of names cannot be written.
        pub(in crate::cli) fn new(config: &Config, way: &Way, reached: Reached) -> anyhow::Result<Self> {
            let data = data_address(config);
            // The data address is where it asks for what it waits for, whichever way the rest goes.
            let whole: BTreeSet<SocketAddr> = way.to().into_iter().chain([data]).collect();
            let mut doors: Vec<Door> = whole.iter().copied().map(Door::Whole).collect();
            if reached.admin {
                doors.push(Door::Credentials(credentials_address(config)?));
            }
            Ok(Self { doors, hosts: hosts(config, data.ip())? })
        }

        /// What is to be started in the program's place, with the program's name as its first argument.
        ///
        /// # Errors
        /// What the system says.
        pub(in crate::cli) fn begin(self, program: &OsStr) -> anyhow::Result<(Command, Option<Begun>)> {
            let (link, inside) = Link::pair().context("cannot speak to what is isolated")?;
            // This very program, whatever has its name by now.
            let mut asking = Command::new("/proc/self/exe");
            asking.arg0("ordain").args(["isolated", "--"]).arg(program).stdin(Stdio::from(inside));
            Ok((asking, Some(Begun { apart: self, link })))
        }
    }

    /// An isolated run that is on its way.
    #[derive(Debug)]
    pub(in crate::cli) struct Begun {
        apart: Apart,
        link: Link,
    }

    impl Begun {
        /// Waits until it is the program, and passes on what is connected to from then on.
        ///
        /// # Errors
        /// Why there is no program; there is no process any more either.
        pub(in crate::cli) async fn settle(self, child: &mut Child) -> anyhow::Result<Relays> {
            let settled = match child.id() {
                Some(process) => self.settled(process).await,
                None => Err(anyhow::anyhow!("what was to become the program has ended")),
            };
            if settled.is_err() {
                child.kill().await.context("what was to become the program cannot be ended")?;
            }
            settled
        }

        async fn settled(self, process: u32) -> anyhow::Result<Relays> {
            let Self { apart: Apart { doors, hosts }, link } = self;
            let plan = Plan {
                listen: doors.iter().map(|door| door.address()).collect(),
                hosts: hosts.as_ref().map(|hosts| hosts.0.clone()),
            };
            // Signals are taken meanwhile.
            let listeners =
                tokio::task::spawn_blocking(move || isolate::settle(&link, process, &plan)).await??;
            drop(hosts);
            Relays::start(listeners, &doors).context("cannot pass on what the program connects to")
        }
    }

    /// The system's file of names with the gate's in it, which nobody inside could be asked about. None has to be
    /// written where the gate is known by its address alone.
    fn hosts(config: &Config, address: IpAddr) -> anyhow::Result<Option<Hosts>> {
        let names: BTreeSet<&String> = config.own_names().collect();
        if names.is_empty() {
            return Ok(None);
        }
        let address = match address {
            IpAddr::V4(four) if four.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(six) if six.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            other => other,
        };
        let mut text = String::new();
        for name in names {
            writeln!(text, "{address} {name}")?;
        }
        text.push_str(&std::fs::read_to_string("/etc/hosts").context("cannot read `/etc/hosts`")?);
        let path = std::path::absolute(config.state.join(format!("hosts-{}", std::process::id())))?;
        files::replace(&path, text.as_bytes())
            .with_context(|| format!("cannot write `{}`", path.display()))?;
        Ok(Some(Hosts(path)))
    }
}

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use std::convert::Infallible;
    use std::ffi::OsStr;

    use tokio::process::{Child, Command};

    use super::{Arguments, Reached};
    use crate::cli::Exit;
    use crate::cli::way::Way;
    use crate::config::Config;

    /// What there is none of.
    pub(in crate::cli) type Begun = Apart;

    /// What there is none of.
    #[derive(Debug)]
    pub(in crate::cli) struct Apart(Infallible);

    pub(in crate::cli) fn run(_: &Arguments) -> anyhow::Result<Exit> {
        check().map(|()| Exit::Usage)
    }

    pub(in crate::cli) fn check() -> anyhow::Result<()> {
        anyhow::bail!(
            "`--isolate` needs the namespaces of Linux, and this is `{}`; run it on Linux, in a container say, or leave it out",
            std::env::consts::OS
        )
    }

    impl Apart {
        pub(in crate::cli) fn new(_: &Config, _: &Way, _: Reached) -> anyhow::Result<Self> {
            check()?;
            anyhow::bail!("`--isolate` needs the namespaces of Linux")
        }

        pub(in crate::cli) fn begin(self, _: &OsStr) -> anyhow::Result<(Command, Option<Begun>)> {
            match self.0 {}
        }

        pub(in crate::cli) async fn settle(self, _: &mut Child) -> anyhow::Result<()> {
            match self.0 {}
        }
    }
}
