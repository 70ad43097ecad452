//! Where entries stand, each way of standing once: who owns them, how critical they are, in which environment, whether they
//! hold data that no other copy has.
//!
//! Leaves out the entries. What a change reaches may be ten thousand of them, of a few dozen classes: the walk looks at
//! each class once.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Owners, Standing, Tier, is_durable};

/// One way of standing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Class {
    pub(crate) owners: Owners,
    pub(crate) tier: Option<Tier>,
    pub(crate) environment: Option<Arc<str>>,
    pub(crate) durable: bool,
}

impl Class {
    pub(crate) fn of(standing: &Standing, kind: &str) -> Self {
        Self {
            owners: standing.owners.clone(),
            tier: standing.tier,
            environment: standing.environment.clone(),
            durable: is_durable(kind),
        }
    }
}

/// All classes, and that of each entry.
#[derive(Debug, Default)]
pub(crate) struct Classes {
    classes: Vec<Class>,
    numbers: HashMap<Class, u32>,
    by_entry: Vec<u32>,
}

impl Classes {
    /// Takes in the next entry.
    pub(super) fn add(&mut self, standing: &Standing, kind: &str) {
        let class = Class::of(standing, kind);
        let number = match self.numbers.get(&class) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.classes.len()).unwrap_or(u32::MAX);
                self.classes.push(class.clone());
                self.numbers.insert(class, number);
                number
            }
        };
        self.by_entry.push(number);
    }

    /// The number of an entry's class.
    pub(crate) fn of(&self, entry: u32) -> Option<u32> {
        self.by_entry.get(entry as usize).copied()
    }

    /// A class by its number.
    pub(crate) fn get(&self, number: u32) -> Option<&Class> {
        self.classes.get(number as usize)
    }

    /// How many there are.
    pub(crate) const fn len(&self) -> usize {
        self.classes.len()
    }
}
