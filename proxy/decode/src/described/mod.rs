//! What operators say of the methods of an API that its description alone does not: one form for every room that
//! takes it.
//!
//! Leaves out the descriptions, which each room reads.

mod name;
mod named;
mod served;

pub(crate) use name::{at_path, unnamed, whole};
use named::says_one_of;
pub(crate) use named::{Named, is_at};
pub(crate) use served::Served;

use std::collections::BTreeSet;

use ordain_action::{Access, Effect, Level, Plane, Resource, Scalar, Undecodable};

use crate::form::Fields;
use crate::setup::{ApiEffect, ApiMethod};

/// The most resources of one call.
const RESOURCES_MAX: usize = 1024;

/// What a method does, by its operators.
#[derive(Debug, Clone)]
pub(crate) struct Says {
    pub(crate) access: Access,
    pub(crate) level: Level,
    pub(crate) resources: Vec<Named>,
    pub(crate) secrets: BTreeSet<String>,
    pub(crate) mints: bool,
    pub(crate) stream: bool,
    pub(crate) also: Vec<ApiEffect>,
}

/// What is known of a method's requests where something is said of them.
pub(crate) trait Described {
    /// Where what is called so is found among the fields of a request.
    ///
    /// # Errors
    /// There is no such field; the text says what to do.
    fn field(&self, path: &str) -> Result<String, String>;

    /// Whether what is found there is a secret, those said to be so among them.
    fn is_secret(&self, said: &BTreeSet<String>, path: &str) -> bool;

    /// Whether what is found there has fields of its own, and is no text.
    fn holds_others(&self, path: &str) -> bool;
}

impl Says {
    /// What is said of a method, held against what is known of it.
    ///
    /// # Errors
    /// It does not fit.
    pub(crate) fn new(said: &ApiMethod, known: &impl Described) -> Result<Self, String> {
        let within = |why: String| format!("what is said of `{}`: {why}", said.name);
        if said.mints && !said.access.is_change() {
            return Err(within(format!(
                "it hands out a credential, and is no `{}` then; say `secret_read`, or take `mints` out",
                said.access.as_str()
            )));
        }
        let found = |path: &String| known.field(path).map_err(within);
        let secrets: BTreeSet<String> = said.secrets.iter().map(found).collect::<Result<_, _>>()?;
        let mut resources = Vec::new();
        for resource in &said.resources {
            let shown = |path: &str| {
                let at = known.field(path)?;
                if known.is_secret(&secrets, &at) {
                    return Err(format!(
                        "`{path}` is a secret, and a name is none; name it by another field"
                    ));
                }
                if known.holds_others(&at) {
                    return Err(format!(
                        "`{path}` is a message, and a name is none; name it by a field of that"
                    ));
                }
                Ok(at)
            };
            let mut named = Named::new(resource, shown).map_err(within)?;
            named.all_if = resource.all_if.iter().map(found).collect::<Result<_, _>>()?;
            resources.push(named);
        }
        let mut also = Vec::new();
        for effect in &said.also {
            also.push(ApiEffect { field: effect.field.as_ref().map(found).transpose()?, ..effect.clone() });
        }
        Ok(Self {
            access: said.access,
            level: said.level,
            resources,
            secrets,
            mints: said.mints,
            stream: said.stream,
            also,
        })
    }

    /// What the operators name of what a request touches; empty where they name nothing. Of a request that is not
    /// read in full that is all of a type where more of it could make it so.
    ///
    /// # Errors
    /// It is too much, or spelled as it is not read.
    pub(crate) fn named(
        &self,
        fields: &Fields,
        at: (Plane, &str),
        whole: bool,
    ) -> Result<Vec<Resource>, Undecodable> {
        let mut all = Vec::new();
        for named in &self.resources {
            all.extend(named.of(fields, at, whole)?);
            if all.len() > RESOURCES_MAX {
                let text = format!("the call is for more than {RESOURCES_MAX} resources at once; send fewer");
                return Err(Undecodable::new("too_many_resources", text));
            }
        }
        Ok(all)
    }

    /// The effect, and after it those that it has besides. Of a request that is not read in full each of them may be;
    /// in one that patches an explicit null says something: it takes away what was there.
    pub(crate) fn effects(
        &self,
        first: Effect,
        fields: &Fields,
        (whole, patches): (bool, bool),
    ) -> Vec<Effect> {
        let mut effects = vec![first];
        for also in &self.also {
            let applies = match &also.field {
                Some(field) => {
                    let mut all = fields.iter();
                    let is_null = |(path, value)| matches!(value, Scalar::Null) && is_at(path, field);
                    !whole || says_one_of(fields, field, &also.values) || patches && all.any(is_null)
                }
                None => true,
            };
            let known = |effect: &Effect| effect.access == also.access;
            if applies
                && !effects.iter().any(known)
                && let Some(first) = effects.first()
            {
                effects.push(Effect { access: also.access, ..first.clone() });
            }
        }
        effects
    }
}

/// What is said of a method, as short as it goes.
#[cfg(test)]
pub(crate) fn method(name: &str, access: Access, resources: &[(&str, &str)]) -> ApiMethod {
    let resources = resources.iter().map(|(kind, name)| crate::setup::ApiResource {
        kind: (*kind).to_owned(),
        name: (*name).to_owned(),
        all_if: Vec::new(),
        role: ordain_action::Role::Target,
    });
    ApiMethod {
        name: name.to_owned(),
        access,
        level: Level::Control,
        resources: resources.collect(),
        also: Vec::new(),
        secrets: Vec::new(),
        mints: false,
        stream: false,
    }
}
