//! A blueprint as its document says it.
//!
//! Leaves out what it means (`model/blueprints.rs`).

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use super::allowed::Given;
use crate::model::CoversSpec;

/// What the parameters of some operations have to be, or which entry of the library says it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct BlueprintSpec {
    /// An entry of the library, for example `aws/s3-bucket-private`.
    #[serde(default, rename = "use")]
    pub(crate) uses: Option<String>,
    /// What is put in the entry's places.
    #[serde(default)]
    pub(crate) with: BTreeMap<String, yaml_serde::Value>,
    #[serde(default)]
    pub(crate) why: Option<String>,
    #[serde(default)]
    pub(crate) remedy: Option<String>,
    /// Patterns of operations, as `service:operation`.
    #[serde(default)]
    pub(crate) operations: Vec<String>,
    /// Patterns of operations that it has no use for.
    #[serde(default)]
    pub(crate) refuses: Vec<String>,
    /// Effect classes; any, when left out.
    #[serde(default)]
    pub(crate) access: Option<Vec<String>>,
    /// Patterns of types of what is named; any, when left out.
    #[serde(default)]
    pub(crate) types: Option<Vec<String>>,
    /// Kinds of actors that it binds; all, when left out.
    #[serde(default)]
    pub(crate) actor_kinds: Option<Vec<String>>,
    /// `deny`, or `hold`: what is not as it has it waits for its owners.
    #[serde(default)]
    pub(crate) ruling: Option<String>,
    /// Where; everywhere, when left out.
    #[serde(default)]
    pub(crate) covers: CoversSpec,
    #[serde(default)]
    pub(crate) parameters: Vec<ConstraintSpec>,
    /// Tags that have to be there, however the plane writes them.
    #[serde(default)]
    pub(crate) tags: Vec<TagSpec>,
    /// The only parameters that there may be, beside those that are named.
    #[serde(default)]
    pub(crate) only: Option<Vec<String>>,
}

/// What is asked of a parameter (`path`), of each item of a list (`each`), of one at least (`some`), or one of several (`anyOf`).
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ConstraintSpec {
    /// A path, or several that are spellings of one parameter.
    #[serde(default)]
    pub(crate) path: Words,
    #[serde(default)]
    pub(crate) each: Words,
    #[serde(default)]
    pub(crate) some: Words,
    #[serde(default)]
    pub(crate) any_of: Vec<Vec<ConstraintSpec>>,
    #[serde(default)]
    pub(crate) operations: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) when: Vec<ConstraintSpec>,
    /// Of each item.
    #[serde(default)]
    pub(crate) parameters: Vec<ConstraintSpec>,
    /// Has to be given where something is made or replaced.
    #[serde(default)]
    pub(crate) required: bool,
    /// Has to be given always, or never.
    #[serde(default)]
    pub(crate) present: Option<bool>,
    /// The key, where it is a tag that is asked about.
    #[serde(default)]
    pub(crate) key: Option<String>,
    /// A tag may be left out.
    #[serde(default)]
    pub(crate) optional: bool,
    #[serde(default, deserialize_with = "given")]
    pub(crate) equals: Option<Given>,
    #[serde(default, rename = "in")]
    pub(crate) one_of: Option<Vec<Given>>,
    #[serde(default)]
    pub(crate) not_in: Option<Vec<Given>>,
    /// Patterns; `*` stands for any text, `?` for one character.
    #[serde(default)]
    pub(crate) matches: Option<Words>,
    #[serde(default)]
    pub(crate) not_matches: Option<Words>,
    /// Networks that it has to lie in.
    #[serde(default)]
    pub(crate) within: Option<Words>,
    #[serde(default)]
    pub(crate) not_wider: Option<WidestSpec>,
    #[serde(default)]
    pub(crate) minimum: Option<Given>,
    #[serde(default)]
    pub(crate) maximum: Option<Given>,
}

/// The shortest prefix of each family of networks.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct WidestSpec {
    #[serde(default)]
    pub(crate) ipv4: Option<u8>,
    #[serde(default)]
    pub(crate) ipv6: Option<u8>,
}

/// One text, or a list of several.
#[derive(Debug, Default)]
pub(crate) struct Words(pub(crate) Vec<String>);

/// A tag by its key, or by what its value may be.
#[derive(Debug)]
pub(crate) struct TagSpec(pub(crate) ConstraintSpec);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Words;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E>(self, text: &str) -> Result<Words, E> {
                Ok(Words(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Words, A::Error> {
                let mut all = Vec::new();
                while let Some(item) = items.next_element::<String>()? {
                    all.push(item);
                }
                Ok(Words(all))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

impl<'de> Deserialize<'de> for TagSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = TagSpec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the key of a tag, or a map with it as `key`")
            }

            fn visit_str<E>(self, key: &str) -> Result<TagSpec, E> {
                Ok(TagSpec(ConstraintSpec { key: Some(key.to_owned()), ..ConstraintSpec::default() }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TagSpec, A::Error> {
                ConstraintSpec::deserialize(MapAccessDeserializer::new(map)).map(TagSpec)
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl Visitor<'_> for Reader {
            type Value = Given;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number, `true`, `false` or `null`")
            }

            fn visit_str<E>(self, text: &str) -> Result<Given, E> {
                Ok(Given::Text(text.to_owned()))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Given, E> {
                Ok(Given::Bool(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Given, E> {
                Ok(Given::Number(value.to_string()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Given, E> {
                Ok(Given::Number(value.to_string()))
            }

            /// What stood there is gone by now: it was rounded.
            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Given, E> {
                Err(E::custom(format!("`{value}` is rounded as it is read; put the number in quotes")))
            }

            fn visit_unit<E>(self) -> Result<Given, E> {
                Ok(Given::Null)
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

/// A value that may be null, which is not the same as none.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Given>, D::Error> {
    Given::deserialize(deserializer).map(Some)
}
