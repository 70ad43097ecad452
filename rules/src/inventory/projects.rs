//! Google's projects by their numbers, which stand for their ids in names.
//!
//! Leaves out accounts that documents declare by a number: there the number is the name.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// What the names of projects begin with.
const PROJECTS: &str = "//cloudresourcemanager.googleapis.com/projects/";

/// The ids of projects by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Projects(HashMap<Box<str>, Option<Box<str>>>);

impl Projects {
    /// Takes in what a thing says of numbers, where it is a project.
    pub(crate) fn learn(&mut self, name: &str, identifiers: &[Arc<str>]) {
        let Some(project) = name.strip_prefix(PROJECTS).filter(|id| !is_number(id)) else { return };
        for number in identifiers.iter().filter(|text| is_number(text)) {
            let known = self.0.entry(Box::from(&**number)).or_insert_with(|| Some(Box::from(project)));
            // What two projects say is theirs is nobody's.
            *known = known.take().filter(|other| **other == *project);
        }
    }

    /// The id of a project by its number.
    pub(crate) fn id(&self, number: &str) -> Option<&str> {
        self.0.get(number)?.as_deref()
    }

    /// A name in its one spelling.
    pub(crate) fn canonical<'n>(&self, name: &'n str) -> Cow<'n, str> {
        let spelled = || {
            let (_, path) = name.strip_prefix("//")?.split_once('/')?;
            let after = path.strip_prefix("projects/")?;
            let number = after.split('/').next().filter(|number| is_number(number))?;
            let before = name.get(..name.len() - after.len())?;
            Some(format!("{before}{}{}", self.id(number)?, after.get(number.len()..)?))
        };
        spelled().map_or(Cow::Borrowed(name), Cow::Owned)
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Projects;

    #[test]
    fn a_number_is_one_projects() {
        let mut projects = Projects::default();
        let numbers = |all: &[&str]| all.iter().map(|text| Arc::from(*text)).collect::<Vec<Arc<str>>>();
        projects.learn("//cloudresourcemanager.googleapis.com/projects/shop", &numbers(&["471", "eu"]));
        projects.learn("//cloudresourcemanager.googleapis.com/projects/a", &numbers(&["472"]));
        projects.learn("//cloudresourcemanager.googleapis.com/projects/b", &numbers(&["472"]));
        projects.learn("//compute.googleapis.com/projects/c", &numbers(&["473"]));
        for (name, expected) in [
            (
                "//secretmanager.googleapis.com/projects/471/secrets/s",
                "//secretmanager.googleapis.com/projects/shop/secrets/s",
            ),
            (
                "//cloudresourcemanager.googleapis.com/projects/471",
                "//cloudresourcemanager.googleapis.com/projects/shop",
            ),
            ("//x.googleapis.com/projects/472/y/z", "//x.googleapis.com/projects/472/y/z"),
            ("//x.googleapis.com/projects/473/y/z", "//x.googleapis.com/projects/473/y/z"),
            ("//x.googleapis.com/folders/1/projects/471", "//x.googleapis.com/folders/1/projects/471"),
            ("arn:aws:x:::projects/471", "arn:aws:x:::projects/471"),
        ] {
            assert_eq!(projects.canonical(name), expected, "{name}");
        }
    }
}
