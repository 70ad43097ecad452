//! Conditions of a template: whether each holds, where the request says.
//!
//! Leaves out what follows where it does not say: both ways are meant then.

use ordain_action::Undecodable;

use super::node::Node;
use super::resolve::Scope;

/// How deep conditions name others.
const DEPTH_MAX: usize = 24;

impl Scope<'_> {
    /// Whether a condition holds; `None` where the request does not say.
    pub(super) fn holds(&self, name: &str, depth: usize) -> Result<Option<bool>, Undecodable> {
        if let Some(assumed) = self.assumed.get(name) {
            return Ok(Some(*assumed));
        }
        match self.template.member("Conditions", name) {
            Some(condition) if depth <= DEPTH_MAX => self.truth(condition, depth + 1),
            Some(_) | None => Ok(None),
        }
    }

    fn truth(&self, condition: &Node, depth: usize) -> Result<Option<bool>, Undecodable> {
        self.step()?;
        let [(name, given)] = condition.members() else { return Ok(None) };
        let all = || -> Result<Vec<Option<bool>>, Undecodable> {
            given.items().iter().map(|item| self.inner(item, depth)).collect()
        };
        Ok(match (name.as_str(), given.items()) {
            ("Condition", _) => match given.text() {
                Some(name) => self.holds(name, depth)?,
                None => None,
            },
            ("Fn::Equals", [one, other]) => {
                let known = (self.resolve(one, depth)?.known(), self.resolve(other, depth)?.known());
                match known {
                    (Some(one), Some(other)) => equal(&one, &other),
                    _ => None,
                }
            }
            ("Fn::Not", [only]) => self.inner(only, depth)?.map(|truth| !truth),
            ("Fn::And", [_, ..]) => {
                let all = all()?;
                if all.contains(&Some(false)) {
                    Some(false)
                } else {
                    all.into_iter().collect::<Option<Vec<_>>>().map(|_| true)
                }
            }
            ("Fn::Or", [_, ..]) => {
                let all = all()?;
                if all.contains(&Some(true)) {
                    Some(true)
                } else {
                    all.into_iter().collect::<Option<Vec<_>>>().map(|_| false)
                }
            }
            _ => None,
        })
    }

    fn inner(&self, condition: &Node, depth: usize) -> Result<Option<bool>, Undecodable> {
        if depth > DEPTH_MAX { Ok(None) } else { self.truth(condition, depth + 1) }
    }
}

/// Whether two texts are the same; `None` where another reader may say otherwise.
fn equal(one: &str, other: &str) -> Option<bool> {
    if one == other {
        return Some(true);
    }
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let alike = one.trim().eq_ignore_ascii_case(other.trim())
        || number(one).zip(number(other)).is_some_and(|(one, other)| one == other);
    (!alike).then_some(false)
}
