//! Members of one operation with their paths under every protocol of the service.
//!
//! Leaves out what they mean.

use crate::model::wire::{self, Form, Visit};
use crate::model::{Model, Operation};

/// The members of an input or of an output, under each way in which the service's protocols write them.
#[derive(Debug)]
pub(crate) struct Places<'m> {
    forms: Vec<(Vec<String>, Vec<Visit<'m>>)>,
}

impl<'m> Places<'m> {
    /// The members of an input.
    pub(crate) fn input(model: &'m Model, operation: &'m Operation, protocols: &[String]) -> Self {
        Self::of(protocols, Form::of, |form| wire::input(model, operation, form))
    }

    /// The members of an output.
    pub(crate) fn output(
        model: &'m Model,
        name: &str,
        operation: &'m Operation,
        protocols: &[String],
    ) -> Self {
        Self::of(protocols, Form::of, |form| wire::output(model, name, operation, form))
    }

    fn of(protocols: &[String], form: impl Fn(&str) -> Form, walk: impl Fn(Form) -> Vec<Visit<'m>>) -> Self {
        let mut forms: Vec<(Form, Vec<String>)> = Vec::new();
        for protocol in protocols {
            let form = form(protocol);
            match forms.iter_mut().find(|known| known.0 == form) {
                Some(known) => known.1.push(protocol.clone()),
                None => forms.push((form, vec![protocol.clone()])),
            }
        }
        Self { forms: forms.into_iter().map(|(form, protocols)| (protocols, walk(form))).collect() }
    }

    /// The members as the first protocol writes them.
    pub(crate) fn visits(&self) -> &[Visit<'m>] {
        self.forms.first().map_or(&[], |form| form.1.as_slice())
    }

    /// The path of a member, by its number: once, or once a protocol where they differ. Walks of one shape meet
    /// its members in one order whatever the form.
    pub(crate) fn paths(&self, number: usize) -> Vec<String> {
        let of =
            |visits: &[Visit<'_>]| visits.get(number).map(|visit| visit.path.clone()).unwrap_or_default();
        let first = of(self.visits());
        if self.forms.iter().all(|(_, visits)| of(visits) == first) {
            return vec![first];
        }
        self.forms
            .iter()
            .flat_map(|(protocols, visits)| {
                let path = of(visits);
                protocols.iter().map(move |protocol| format!("{path}@{protocol}"))
            })
            .collect()
    }

    /// The number of the member with that path in the vendor's model: names joined by dots, items left out.
    /// A list or a map of scalars means its items.
    pub(crate) fn find(&self, names: &str) -> Option<usize> {
        let wanted: Vec<&str> = names.split('.').collect();
        let mut found = None;
        for (number, visit) in self.visits().iter().enumerate() {
            if visit.names == wanted {
                found = Some(number);
            }
        }
        found
    }
}
