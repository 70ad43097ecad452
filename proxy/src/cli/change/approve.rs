//! `ordain change approve`: a person signs for a change with their SSH key, and the approval is kept in the model.
//!
//! Leaves out which changes there are, what an approval is (`ordain_rules`), and signing (`cli/signing.rs`). What was signed
//! is verified before it is kept.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use ordain_rules::{Snapshot, statement};
use serde::{Deserialize, Serialize};

use crate::cli::model::keep::{self, Change};
use crate::cli::signing::{NAMESPACE, OPEN_SSH, sign};
use crate::cli::{Context, Exit, model};
use crate::config::Config;
use crate::model::sources;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The change.
    pub(in crate::cli) name: String,
    /// The person who approves, as the model names them.
    #[arg(long = "as", value_name = "PERSON")]
    person: String,
    /// The key to sign with: its file, or its public half where an agent holds it. By default the first of the person's
    /// keys that the agent holds.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["signature", "print"])]
    key: Option<PathBuf>,
    /// A signature that was made elsewhere, over what `--print` prints.
    #[arg(long, value_name = "FILE", conflicts_with = "print", requires = "at")]
    signature: Option<PathBuf>,
    /// When it was approved (RFC 3339); by default now. As it was for `--print`.
    #[arg(long, value_name = "TIME", value_parser = crate::cli::time)]
    at: Option<Timestamp>,
    /// Print what is to be signed, byte for byte, and sign nothing.
    #[arg(long)]
    print: bool,
}

/// The change as it is now.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct Asked<'c> {
    pub(in crate::cli) name: &'c str,
    /// Of its body, as `sha256:…`.
    pub(in crate::cli) digest: &'c str,
    /// Who wrote it, and may not approve it.
    pub(in crate::cli) author: &'c str,
    /// What it does, for whoever is about to sign.
    pub(in crate::cli) told: &'c str,
}

/// Has a change approved: tells what is signed, signs it, verifies that, and keeps it.
pub(in crate::cli) fn run(
    context: &Context,
    asked: Asked<'_>,
    arguments: &Arguments,
    now: Timestamp,
) -> anyhow::Result<Exit> {
    let config = context.config()?;
    // Whole seconds, as people write them: where it is signed elsewhere, the time has to be given again.
    let at = Timestamp::from_second(arguments.at.unwrap_or(now).as_second())?;
    let snapshot = model::configured(&config)?;
    let by = arguments.person.as_str();
    may_approve(&snapshot, asked, by)?;
    let statement = statement(asked.name, asked.digest, by, at);
    if arguments.print {
        context.output.raw(statement.as_bytes())?;
        context.output.complain(&format!(
            "sign this with `ssh-keygen -Y sign -n {NAMESPACE} -f KEY FILE`, and give what it writes by `--signature \
             FILE.sig --at {at}`"
        ));
        return Ok(Exit::Ok);
    }
    let file = file(&config, asked.name, by)?;
    let signature = match &arguments.signature {
        Some(path) => {
            fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?
        }
        None => {
            context.output.line(&format!("{}\nThis is signed:\n{statement}", asked.told))?;
            sign(OPEN_SSH, &snapshot, &config.state, by, arguments.key.as_deref(), &statement)?
        }
    };
    let key = verified(&snapshot, asked, (by, at), &signature)?;
    let exit = keep(context, &config, &file, asked, (by, at), &signature)?;
    if exit == Exit::Ok {
        let path = config.model.join(&file);
        context.output.line(&format!(
            "`{by}` approved `{}` with the key {key}; it is kept in `{}`",
            asked.name,
            path.display(),
        ))?;
    }
    Ok(exit)
}

/// Said before anybody is asked for the secret of a key.
fn may_approve(snapshot: &Snapshot, asked: Asked<'_>, by: &str) -> anyhow::Result<()> {
    snapshot.signing_keys(by).map_err(anyhow::Error::msg)?;
    if asked.author == by {
        bail!("`{by}` wrote `{}` and cannot approve it; have another person approve it", asked.name);
    }
    if let Some(known) = snapshot.approvals(asked.name, asked.digest).find(|one| *one.by == *by) {
        bail!(
            "`{by}` approved `{}` at {} already, in `{}`; there is nothing to do",
            asked.name,
            known.at,
            known.path
        );
    }
    Ok(())
}

fn verified(
    snapshot: &Snapshot,
    asked: Asked<'_>,
    signed: (&str, Timestamp),
    signature: &str,
) -> anyhow::Result<String> {
    let key = snapshot.verify_approval((asked.name, asked.digest), signed, signature);
    key.map_err(|why| anyhow::anyhow!("nothing was approved: {why}"))
}

/// What a file of the model says that an approval would be written to.
#[derive(Deserialize)]
struct There {
    spec: Of,
}

#[derive(Deserialize)]
struct Of {
    change: String,
    by: String,
}

/// Where it is kept within the model. An earlier approval of the same change by the same person makes room.
fn file(config: &Config, change: &str, by: &str) -> anyhow::Result<String> {
    let fit = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    if let Some(name) = [change, by].into_iter().find(|name| !name.chars().all(fit)) {
        bail!(
            "`{name}` has letters that the name of a file cannot have; `--print` it, and write the document by hand"
        );
    }
    let file = format!("approvals/{change}-{by}.yaml");
    if let Some(there) = sources(&config.model)?.iter().find(|source| source.path == file) {
        let is_ours = |there: There| there.spec.change == change && there.spec.by == by;
        if !yaml_serde::from_str(&there.text).is_ok_and(is_ours) {
            bail!("`{file}` holds something else already; move it to another file of the model");
        }
    }
    Ok(file)
}

/// The document of an approval.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'d> {
    api_version: &'static str,
    kind: &'static str,
    metadata: BTreeMap<&'static str, String>,
    spec: Spec<'d>,
}

#[derive(Serialize)]
struct Spec<'d> {
    change: &'d str,
    digest: &'d str,
    by: &'d str,
    at: String,
    signature: String,
}

fn keep(
    context: &Context,
    config: &Config,
    file: &str,
    asked: Asked<'_>,
    (by, at): (&str, Timestamp),
    signature: &str,
) -> anyhow::Result<Exit> {
    let Asked { name: change, digest, .. } = asked;
    let document = Document {
        api_version: "ordain/v1",
        kind: "Approval",
        metadata: BTreeMap::from([("name", format!("{change}-{by}"))]),
        spec: Spec { change, digest, by, at: at.to_string(), signature: format!("{}\n", signature.trim()) },
    };
    let summary = format!("`{by}` approves change `{change}` as it is by {digest}");
    let text = yaml_serde::to_string(&document)?;
    let changes = [Change { file: file.to_owned(), text: Some(text), summary }];
    if let Some(error) = keep::would_break(config, &changes)? {
        context.output.complain(&format!("nothing was approved: with it the model would not load:\n{error}"));
        return Ok(Exit::Usage);
    }
    keep::keep(config, &changes)?;
    Ok(keep::loads(context, config))
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::{Command, Stdio};

    use expect_test::{Expect, expect};

    use super::*;
    use crate::cli::signing::{OpenSsh, sign_with};
    use crate::cli::{Format, Output};

    const DIGEST: &str = "sha256:4b5e57f6eb2f42b9039b3d1e13929295f231749c510cbe341cd68036d9af97e2";
    const ASKED: Asked<'static> =
        Asked { name: "web-42", digest: DIGEST, author: "alice", told: "create a host" };

    /// A model with Alice and Bob, whose keys are made by `ssh-keygen` of this machine, and Carol without one.
    struct Desk {
        folder: tempfile::TempDir,
        context: Context,
    }

    impl Desk {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path();
            let user = |name: &str| {
                let made = Command::new("ssh-keygen")
                    .args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"])
                    .arg(path.join(name))
                    .status();
                assert!(made.expect("OpenSSH is installed").success());
                let key = fs::read_to_string(path.join(format!("{name}.pub"))).unwrap();
                format!(
                    "apiVersion: ordain/v1\nkind: User\nmetadata: {{name: {name}}}\nspec:\n  signingKeys: [\"{}\"]\n---\n",
                    key.trim(),
                )
            };
            let people = ["alice", "bob"].map(user).concat();
            let carol = "apiVersion: ordain/v1\nkind: User\nmetadata: {name: carol}\nspec: {}\n";
            fs::create_dir(path.join("model")).unwrap();
            fs::write(path.join("model/people.yaml"), people + carol).unwrap();
            let gate = path.join("gate.toml");
            let of = path.display();
            fs::write(&gate, format!("state = \"{of}/state\"\n[model]\ndirectory = \"{of}/model\"\n"))
                .unwrap();
            let context = Context { settings: Some(gate), format: Format::Table, output: Output::standard() };
            Self { folder, context }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn approve(&self, asked: Asked<'_>, arguments: Arguments) -> Result<Exit, String> {
            let now = "2026-11-28T09:00:00.5Z".parse().unwrap();
            run(&self.context, asked, &arguments, now).map_err(|error| {
                format!("{error:#}").replace(&self.folder.path().display().to_string(), "FOLDER")
            })
        }

        fn refused(&self, arguments: Arguments, expected: &Expect) {
            expected.assert_eq(&self.approve(ASKED, arguments).unwrap_err());
            assert!(!self.path("model/approvals").exists(), "something was kept");
        }

        fn snapshot(&self) -> Snapshot {
            model::configured(&self.context.config().unwrap()).unwrap()
        }

        fn approved(&self, digest: &str) -> Vec<String> {
            let snapshot = self.snapshot();
            let all = snapshot.approvals("web-42", digest);
            all.map(|one| format!("{} at {} in {}", one.by, one.at, one.path)).collect()
        }

        fn with_key(&self, person: &str, key: &str) -> Arguments {
            Arguments { key: Some(self.path(key)), ..by(person) }
        }
    }

    fn by(person: &str) -> Arguments {
        Arguments {
            name: "web-42".to_owned(),
            person: person.to_owned(),
            key: None,
            signature: None,
            at: None,
            print: false,
        }
    }

    #[test]
    fn what_was_signed_is_kept_and_loads() {
        let desk = Desk::new();
        assert_eq!(desk.approve(ASKED, desk.with_key("bob", "bob")), Ok(Exit::Ok));
        assert_eq!(desk.approved(DIGEST), ["bob at 2026-11-28T09:00:00Z in approvals/web-42-bob.yaml"]);
        expect!["`bob` approved `web-42` at 2026-11-28T09:00:00Z already, in `approvals/web-42-bob.yaml`; there is nothing to do"].assert_eq(&desk.approve(ASKED, desk.with_key("bob", "bob")).unwrap_err());
        // The change is another now: the old approval makes room for the new one.
        let digest = DIGEST.replace("4b5e", "0000");
        let asked = Asked { digest: &digest, ..ASKED };
        assert_eq!(desk.approve(asked, desk.with_key("bob", "bob")), Ok(Exit::Ok));
        assert_eq!((desk.approved(DIGEST).len(), desk.approved(&digest).len()), (0, 1));
    }

    #[test]
    fn what_was_signed_elsewhere_is_kept() {
        let desk = Desk::new();
        assert_eq!(desk.approve(ASKED, Arguments { print: true, ..by("bob") }), Ok(Exit::Ok));
        assert!(!desk.path("model/approvals").exists());
        let at = "2026-11-27T08:00:00Z".parse().unwrap();
        let signature =
            sign_with(OPEN_SSH, &desk.path("bob"), &statement("web-42", DIGEST, "bob", at)).unwrap();
        fs::write(desk.path("signature"), signature).unwrap();
        let given = || Arguments { signature: Some(desk.path("signature")), ..by("bob") };
        desk.refused(given(), &expect!["nothing was approved: the signature is not over these `change`, `digest`, `by` and `at`; restore what was signed, or have `bob` approve it again"]);
        assert_eq!(desk.approve(ASKED, Arguments { at: Some(at), ..given() }), Ok(Exit::Ok));
        assert_eq!(desk.approved(DIGEST), ["bob at 2026-11-27T08:00:00Z in approvals/web-42-bob.yaml"]);
    }

    #[test]
    fn nobody_approves_for_another_or_what_they_wrote() {
        let desk = Desk::new();
        desk.refused(
            desk.with_key("bob", "none"),
            &expect!["there is no key `FOLDER/none`; give the file of one by `--key`"],
        );
        desk.refused(
            desk.with_key("bob", "gate.toml"),
            &expect!["`ssh-keygen` did not sign with `FOLDER/gate.toml`; it says why above"],
        );
        desk.refused(
            desk.with_key("alice", "alice"),
            &expect!["`alice` wrote `web-42` and cannot approve it; have another person approve it"],
        );
        desk.refused(
            desk.with_key("carol", "bob"),
            &expect!["`carol` has no keys to sign with; add `signingKeys` to the document of `carol`"],
        );
        desk.refused(
            desk.with_key("dave", "bob"),
            &expect!["`dave` is not declared; known here are `alice`, `bob`, `carol`"],
        );
        let signer = by_fingerprint(&desk.path("alice.pub"));
        let told = desk.approve(ASKED, desk.with_key("bob", "alice")).unwrap_err();
        expect!["nothing was approved: it was signed with the key ALICE, which is none of `signingKeys` of `bob`; sign it with one that is, or have the key added there"].assert_eq(&told.replace(&signer, "ALICE"));
        assert!(!desk.path("model/approvals").exists());
    }

    fn by_fingerprint(public: &Path) -> String {
        let printed = Command::new("ssh-keygen").arg("-lf").arg(public).output().unwrap().stdout;
        String::from_utf8(printed).unwrap().split(' ').nth(1).unwrap().to_owned()
    }

    #[test]
    fn what_is_at_its_place_and_something_else_stays() {
        let desk = Desk::new();
        fs::create_dir(desk.path("model/approvals")).unwrap();
        let file = desk.path("model/approvals/web-42-bob.yaml");
        fs::write(&file, "apiVersion: ordain/v1\nkind: Environment\nmetadata: {name: x}\nspec: {}\n")
            .unwrap();
        expect![
            "`approvals/web-42-bob.yaml` holds something else already; move it to another file of the model"
        ]
        .assert_eq(&desk.approve(ASKED, desk.with_key("bob", "bob")).unwrap_err());
        let asked = Asked { name: "../x", ..ASKED };
        expect!["`../x` has letters that the name of a file cannot have; `--print` it, and write the document by hand"].assert_eq(&desk.approve(asked, desk.with_key("bob", "bob")).unwrap_err());
    }

    #[test]
    fn programs_that_are_not_there_are_named() {
        let desk = Desk::new();
        let none = OpenSsh { keygen: "no-ssh-keygen", add: "no-ssh-add" };
        let sign = |programs, key: Option<&Path>| {
            sign(programs, &desk.snapshot(), &desk.path("state"), "bob", key, "").unwrap_err().to_string()
        };
        expect!["`no-ssh-keygen` is not installed; install OpenSSH, or sign elsewhere: `--print` prints what, and `--signature` takes the signature"].assert_eq(&sign(none, Some(&desk.path("bob"))));
        expect!["`no-ssh-add` is not installed; install OpenSSH, or sign elsewhere: `--print` prints what, and `--signature` takes the signature"].assert_eq(&sign(none, None));
        // An agent that holds none of these keys, or none at all.
        expect!["none of `signingKeys` of `bob` is held by an agent; give the file of one by `--key`, or add it with `ssh-add`"].assert_eq(&sign(OpenSsh { add: "true", ..none }, None));
    }

    #[test]
    fn the_first_key_that_an_agent_holds_is_asked_for() {
        let desk = Desk::new();
        let socket = desk.path("agent");
        let mut agent = Command::new("ssh-agent")
            .arg("-D")
            .arg("-a")
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .expect("OpenSSH is installed");
        while !socket.exists() {
            assert!(agent.try_wait().unwrap().is_none(), "the agent ended");
        }
        // Ours are told of the agent by a script each: a test cannot set variables for itself.
        let script = |name: &str| {
            use std::os::unix::fs::PermissionsExt as _;
            let path = desk.path(&format!("{name}-by-agent"));
            let text = format!("#!/bin/sh\nSSH_AUTH_SOCK={} exec {name} \"$@\"\n", socket.display());
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
            path.display().to_string()
        };
        let (keygen, add) = (script("ssh-keygen"), script("ssh-add"));
        let added =
            ["alice", "bob"].map(|name| Command::new(&add).arg("-q").arg(desk.path(name)).status().unwrap());
        assert!(added.iter().all(std::process::ExitStatus::success));
        let at = "2026-11-28T09:00:00Z".parse().unwrap();
        let programs = OpenSsh { keygen: &keygen, add: &add };
        let text = statement("web-42", DIGEST, "bob", at);
        let signature = sign(programs, &desk.snapshot(), &desk.path("state"), "bob", None, &text);
        agent.kill().unwrap();
        agent.wait().unwrap();
        verified(&desk.snapshot(), ASKED, ("bob", at), &signature.unwrap()).unwrap();
        let left = fs::read_dir(desk.path("state")).unwrap();
        assert_eq!(
            left.filter(|file| file.as_ref().unwrap().path().extension() == Some("pub".as_ref())).count(),
            0
        );
    }
}
