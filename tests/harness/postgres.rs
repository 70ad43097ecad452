//! A PostgreSQL server of a test's own, on a socket in a folder of its own.
//!
//! Leaves out what is asked of it. Where none is installed there is none.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Who owns the database.
const USER: &str = "ordain";

/// A server, stopped and gone when it is dropped.
#[derive(Debug)]
pub(crate) struct PostgresServer {
    programs: PathBuf,
    folder: TempDir,
}

impl PostgresServer {
    /// Starts one with the programs of a folder, where they are there.
    pub(crate) fn start(programs: &Path) -> Option<Self> {
        if !programs.join("initdb").is_file() {
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        if is_root() {
            // It refuses to be run by root, and nobody else may look into what is made for root alone.
            let given = Command::new("chown").arg("nobody").arg(folder.path()).status();
            assert!(given.expect("`chown` runs").success());
        }
        let server = Self { programs: programs.to_owned(), folder };
        let data = server.data();
        server.run("initdb", &["-D", &data, "-U", USER, "--auth=trust", "--no-sync", "-E", "UTF8"]);
        server.begin();
        Some(server)
    }

    /// How a client finds it.
    pub(crate) fn url(&self) -> String {
        let folder = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgresql://{USER}@{folder}/postgres")
    }

    /// Starts it, after it was stopped.
    pub(crate) fn begin(&self) {
        let folder = self.folder.path().display();
        let log = format!("{folder}/log");
        let options = format!(
            "-k {folder} -c listen_addresses= -c fsync=off -c full_page_writes=off -c max_connections=60"
        );
        self.run("pg_ctl", &["-D", &self.data(), "-l", &log, "-o", &options, "-w", "-t", "60", "start"]);
    }

    /// Stops it at once: whoever waits for an answer gets none.
    pub(crate) fn stop(&self) {
        self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"]);
    }

    /// Has it do something, and returns what it says.
    pub(crate) fn ask(&self, statement: &str) -> String {
        let folder = self.folder.path().display().to_string();
        self.run(
            "psql",
            &["-h", &folder, "-U", USER, "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-qAtc", statement],
        )
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    /// One of its programs, as somebody who may run it.
    fn program(&self, path: &Path) -> Command {
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        // Where it was only unpacked, its libraries lie beside it.
        let beside = self.programs.join("../../..");
        let libraries =
            ["x86_64-linux-gnu", "aarch64-linux-gnu"].map(|folder| beside.join(folder).display().to_string());
        command.env("LD_LIBRARY_PATH", libraries.join(":"));
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) -> String {
        let program = self.programs.join(program);
        let mut command = self.program(&program);
        // A server that stays must not keep what is read here.
        let said = self.folder.path().join(format!("said-{}", std::process::id()));
        let file = std::fs::File::create(&said).expect("a file");
        let errors = file.try_clone().expect("a file");
        let folder = self.folder.path();
        let began = Instant::now();
        let done =
            command.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(file).stderr(errors);
        let status = done.status().expect("its programs run");
        let text = std::fs::read_to_string(&said).unwrap_or_default();
        assert!(status.success(), "`{}` failed: {text}", program.display());
        assert!(began.elapsed() < Duration::from_secs(90), "`{}` took long", program.display());
        text.trim().to_owned()
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        let stop = ["-D", &self.data(), "-m", "immediate", "stop"].map(str::to_owned);
        let mut command = self.program(&self.programs.join("pg_ctl"));
        drop(command.args(stop).stdout(Stdio::null()).stderr(Stdio::null()).status());
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
