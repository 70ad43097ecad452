//! What is described, by the upstream that serves it.
//!
//! Leaves out what that is.

use std::collections::BTreeMap;

use crate::setup::RoomsError;

/// All that a room was set up with.
#[derive(Debug)]
pub(crate) struct Served<T>(BTreeMap<String, T>);

impl<T> Served<T> {
    /// Each under its upstream.
    ///
    /// # Errors
    /// One of them is not as it has to be; the text says why.
    pub(crate) fn new(made: impl Iterator<Item = (String, Result<T, String>)>) -> Result<Self, RoomsError> {
        let made = made.map(|(upstream, one)| match one {
            Ok(one) => Ok((upstream, one)),
            Err(why) => Err(RoomsError::Api { upstream, why }),
        });
        Ok(Self(made.collect::<Result<_, _>>()?))
    }

    /// What a request came to: that of its upstream, or the only one there is.
    pub(crate) fn at(&self, upstream: Option<&str>) -> Option<(&str, &T)> {
        let mut all = self.0.iter();
        let found = match upstream {
            Some(name) => self.0.get_key_value(name),
            None => all.next().filter(|_| all.next().is_none()),
        };
        found.map(|(name, one)| (name.as_str(), one))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, one)| (name.as_str(), one))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// How much there is of something in all of them.
    pub(crate) fn sum(&self, count: impl Fn(&T) -> usize) -> usize {
        self.0.values().map(count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_found_by_its_upstream_or_where_there_is_no_other() {
        let served = |names: &[&str]| {
            Served::new(names.iter().map(|name| ((*name).to_owned(), Ok(name.len())))).unwrap()
        };
        assert_eq!(served(&["one"]).at(None), Some(("one", &3)));
        assert_eq!(served(&["one", "three"]).at(None), None);
        assert_eq!(served(&["one", "three"]).at(Some("three")), Some(("three", &5)));
        assert_eq!(served(&["one"]).at(Some("three")), None);
    }
}
