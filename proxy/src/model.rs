//! The model in force: read from its directory, replaced whole, extended by what is created.
//!
//! Leaves out what the files mean and how they are judged by (`ordain-rules`).

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use ordain_action::{Action, Outcome};
use ordain_rules::{CarriedOut, LiveInventory, Modes, Problem, Snapshot, Source};

/// A model that cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file or folder cannot be read.
    #[error("cannot read `{path}`: {why}; let the user that runs the gate read it")]
    Unreadable {
        /// Which.
        path: String,
        /// What the system said. No cause of its own: it would be said twice.
        why: std::io::Error,
    },
    /// There are no rules where they were said to be.
    #[error("`{path}` holds no `.cedar` file; name the rules' file or folder")]
    NoRules {
        /// Where.
        path: String,
    },
    /// The files say something wrong.
    #[error("the model in `{directory}` is not right: {}", listed(.problems))]
    Problems {
        /// The model's folder; the files are named within it.
        directory: String,
        /// All of them.
        problems: Vec<Problem>,
    },
}

fn listed(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// A directory that was read again.
#[derive(Debug)]
pub struct ReadAgain(Option<Snapshot>);

impl ReadAgain {
    /// The model it holds, where that is another than the one in force.
    #[must_use]
    pub fn changed(self) -> Option<Snapshot> {
        self.0
    }
}

/// What can be seen of a file without reading it.
type Look = (PathBuf, u64, Option<SystemTime>);

/// The model in force.
#[derive(Debug)]
pub struct Model {
    directory: PathBuf,
    current: ArcSwap<Snapshot>,
    // What the files looked like when they were last read, so that a look that finds nothing new is cheap.
    seen: Mutex<Vec<Look>>,
    // What they looked like at the last look, read or not: a file that is being written says less than it will.
    settling: Mutex<Vec<Look>>,
    // Taken for each replacement, so that none of two at once is lost. Readers never wait for it.
    live: Mutex<LiveInventory>,
}

impl Model {
    /// Loads the model of a directory. A directory that is not there, or is empty, is no model.
    ///
    /// # Errors
    /// [`ModelError`] with every problem found.
    pub fn open(directory: PathBuf, modes: Modes, live: LiveInventory) -> Result<Self, ModelError> {
        let seen = look(&directory)?;
        let snapshot = load(&directory, modes)?.with_live(&live);
        Ok(Self {
            directory,
            current: ArcSwap::from_pointee(snapshot),
            settling: Mutex::new(seen.clone()),
            seen: Mutex::new(seen),
            live: Mutex::new(live),
        })
    }

    /// The snapshot to decide one request by.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Reads the directory again, without putting it in force: `None` when its files look as they did, and, unless
    /// `asked` to, when they do not look as they did at the look before: a freeze at the end of a file that is half
    /// written would be gone for a moment.
    ///
    /// # Errors
    /// [`ModelError`]; the old snapshot stays in force.
    pub fn read_again(&self, asked: bool) -> Result<Option<ReadAgain>, ModelError> {
        let found = look(&self.directory)?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut settling = self.settling.lock().unwrap_or_else(PoisonError::into_inner);
        let at_rest = *settling == found;
        settling.clone_from(&found);
        if *seen == found || !(asked || at_rest) {
            return Ok(None);
        }
        *seen = found;
        drop((seen, settling));
        let current = self.snapshot();
        let read = load(&self.directory, current.modes().clone())?;
        let same = read.digest() == current.digest() && read.rules_digest() == current.rules_digest();
        Ok(Some(ReadAgain((!same).then_some(read))))
    }

    /// Puts a model in force that was read again.
    pub fn replace(&self, read: &Snapshot) {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        self.current.store(Arc::new(read.with_live(&live)));
    }

    /// Puts other modes in force.
    pub fn set_modes(&self, modes: Modes) {
        let _live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        self.current.store(Arc::new(self.current.load().with_modes(modes)));
    }

    /// Has the files read at the next look, whatever they look like.
    pub fn look_anew(&self) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Adds what an outcome says was created.
    pub fn created(&self, action: &Action, outcome: &Outcome, item: Option<&CarriedOut>, sequence: u64) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.apply_outcome(action, outcome, item, sequence);
        self.current.store(Arc::new(self.current.load().with_live(&live)));
    }
}

fn load(directory: &Path, modes: Modes) -> Result<Snapshot, ModelError> {
    Snapshot::load(&sources(directory)?, modes)
        .map_err(|problems| ModelError::Problems { directory: directory.display().to_string(), problems })
}

/// The files of a model with other rules: its own `.cedar` files left out, those of `rules` (a file, or a folder) in
/// their place.
///
/// # Errors
/// [`ModelError::Unreadable`], and where there is no rule there: that is no way to ask for none.
pub fn sources_with_rules(directory: &Path, rules: &Path) -> Result<Vec<Source>, ModelError> {
    let is_rules = |source: &Source| source.path.ends_with(".cedar");
    let read = if rules.is_dir() {
        sources(rules)?
    } else {
        let path = rules.file_name().unwrap_or_default().to_string_lossy().into_owned();
        vec![Source { path, text: fs::read_to_string(rules).map_err(unreadable(rules))? }]
    };
    let mut all: Vec<Source> = sources(directory)?.into_iter().filter(|source| !is_rules(source)).collect();
    let before = all.len();
    all.extend(read.into_iter().filter(is_rules));
    if all.len() == before {
        return Err(ModelError::NoRules { path: rules.display().to_string() });
    }
    Ok(all)
}

/// The files of a model directory, sorted by path: `.yaml`, `.yml` and `.cedar`, folders included.
///
/// # Errors
/// [`ModelError::Unreadable`]; a directory that is not there has no files.
pub fn sources(directory: &Path) -> Result<Vec<Source>, ModelError> {
    let mut sources = Vec::new();
    for path in files(directory)? {
        let text = fs::read_to_string(&path).map_err(unreadable(&path))?;
        let within = path.strip_prefix(directory).unwrap_or(&path).display().to_string();
        sources.push(Source { path: within, text });
    }
    Ok(sources)
}

fn look(directory: &Path) -> Result<Vec<Look>, ModelError> {
    let mut seen = Vec::new();
    for path in files(directory)? {
        let metadata = fs::metadata(&path).map_err(unreadable(&path))?;
        seen.push((path, metadata.len(), metadata.modified().ok()));
    }
    Ok(seen)
}

fn files(directory: &Path) -> Result<Vec<PathBuf>, ModelError> {
    let mut found = Vec::new();
    // One that may not be looked into is a fault, and not an empty model that replaces the one in force.
    if directory.try_exists().map_err(unreadable(directory))? {
        collect(directory, &mut found)?;
    }
    found.sort();
    Ok(found)
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), ModelError> {
    for entry in fs::read_dir(folder).map_err(unreadable(folder))? {
        let path = entry.map_err(unreadable(folder))?.path();
        // Hidden files are editors' leavings, and the links that a mounted volume is swapped by.
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
            continue;
        }
        if path.is_dir() {
            collect(&path, found)?;
        } else if path
            .extension()
            .is_some_and(|ending| ["yaml", "yml", "cedar"].iter().any(|one| ending == *one))
        {
            found.push(path);
        }
    }
    Ok(())
}

fn unreadable(path: &Path) -> impl FnOnce(std::io::Error) -> ModelError {
    let path = path.display().to_string();
    move |why| ModelError::Unreadable { path, why }
}

#[cfg(test)]
mod tests {
    use ordain_rules::Mode;

    use super::*;

    const HALF: &str = "apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: web}\n\
                        spec: {type: team, children: []}\n";

    /// Whether a look brings something new.
    fn looks(model: &Model, asked: bool) -> bool {
        model.read_again(asked).unwrap().and_then(ReadAgain::changed).is_some()
    }

    #[test]
    fn a_model_that_is_being_written_is_left_to_come_to_rest() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("model.yaml");
        let more = HALF.replace("web", "data");
        fs::write(&file, format!("{HALF}---\n{more}")).unwrap();
        let model =
            Model::open(folder.path().to_owned(), Modes::new(Mode::Enforce), LiveInventory::new()).unwrap();
        assert!(!looks(&model, false), "nothing is new");
        // Half of it is there, which is a model that says less.
        fs::write(&file, HALF).unwrap();
        assert!(!looks(&model, false), "it may still be written");
        fs::write(&file, format!("{HALF}---\n")).unwrap();
        assert!(!looks(&model, false), "and is");
        fs::write(&file, format!("{HALF}---\n{more}---\n{}", HALF.replace("web", "more"))).unwrap();
        assert!(!looks(&model, false), "to its end");
        assert!(looks(&model, false), "at rest, it is taken up");
        assert!(!looks(&model, false), "once");
        // Whoever asks says that it is whole.
        fs::write(&file, HALF).unwrap();
        assert!(looks(&model, true));
    }
}
