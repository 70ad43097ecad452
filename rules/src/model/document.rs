//! What the documents of a model say, as written: Backstage's kinds, and ours beside them.
//!
//! Leaves out reading them from text (`text.rs`) and what they mean together (`build.rs`). Every unknown
//! key is an error: a key misspelt in a model would otherwise be a rule that silently is not there.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

/// One document: the envelope is Backstage's.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Document<S> {
    pub(crate) api_version: String,
    /// Read before, to know which document this is.
    #[serde(rename = "kind")]
    pub(crate) _kind: String,
    pub(crate) metadata: Metadata,
    pub(crate) spec: S,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Metadata {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) namespace: Option<String>,
    #[serde(default, rename = "title")]
    pub(crate) _title: Option<String>,
    #[serde(default, rename = "description")]
    pub(crate) _description: Option<String>,
    #[serde(default, rename = "labels")]
    pub(crate) _labels: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "once")]
    pub(crate) annotations: BTreeMap<String, String>,
    #[serde(default, rename = "tags")]
    pub(crate) _tags: Vec<String>,
    #[serde(default, rename = "links")]
    pub(crate) _links: Vec<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ComponentSpec {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default, rename = "lifecycle")]
    pub(crate) _lifecycle: Option<String>,
    pub(crate) owner: String,
    #[serde(default)]
    pub(crate) system: Option<String>,
    #[serde(default)]
    pub(crate) subcomponent_of: Option<String>,
    #[serde(default)]
    pub(crate) provides_apis: Vec<String>,
    #[serde(default)]
    pub(crate) consumes_apis: Vec<String>,
    #[serde(default)]
    pub(crate) depends_on: Vec<String>,
    #[serde(default)]
    pub(crate) dependency_of: Vec<String>,
    #[serde(default)]
    pub(crate) environment: Option<String>,
    #[serde(default)]
    pub(crate) tier: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ResourceSpec {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) owner: String,
    #[serde(default)]
    pub(crate) system: Option<String>,
    #[serde(default)]
    pub(crate) depends_on: Vec<String>,
    #[serde(default)]
    pub(crate) dependency_of: Vec<String>,
    /// The canonical name on its plane, for AWS the ARN. Ours.
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// Raw identifiers it is known by beside its name. Ours.
    #[serde(default)]
    pub(crate) identifiers: Vec<String>,
    #[serde(default)]
    pub(crate) plane: Option<String>,
    #[serde(default)]
    pub(crate) account: Option<String>,
    #[serde(default)]
    pub(crate) region: Option<String>,
    #[serde(default)]
    pub(crate) environment: Option<String>,
    #[serde(default)]
    pub(crate) tier: Option<String>,
    #[serde(default, deserialize_with = "once")]
    pub(crate) tags: BTreeMap<String, String>,
    /// What deleting takes this along. Ours.
    #[serde(default)]
    pub(crate) part_of: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ApiSpec {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default, rename = "lifecycle")]
    pub(crate) _lifecycle: Option<String>,
    pub(crate) owner: String,
    #[serde(default)]
    pub(crate) system: Option<String>,
    #[serde(default, rename = "definition")]
    pub(crate) _definition: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct SystemSpec {
    pub(crate) owner: String,
    #[serde(default)]
    pub(crate) domain: Option<String>,
    #[serde(default, rename = "type")]
    pub(crate) _kind: Option<String>,
    #[serde(default)]
    pub(crate) environment: Option<String>,
    #[serde(default)]
    pub(crate) tier: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct DomainSpec {
    pub(crate) owner: String,
    #[serde(default)]
    pub(crate) subdomain_of: Option<String>,
    #[serde(default, rename = "type")]
    pub(crate) _kind: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct GroupSpec {
    #[serde(default, rename = "type")]
    pub(crate) _kind: Option<String>,
    #[serde(default, rename = "profile")]
    pub(crate) _profile: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) parent: Option<String>,
    #[serde(default)]
    pub(crate) children: Vec<String>,
    #[serde(default)]
    pub(crate) members: Vec<String>,
    /// How many of it have to approve what waits for it, and how.
    #[serde(default)]
    pub(crate) approvals: Option<ApprovalsSpec>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ApprovalsSpec {
    /// By how many different people; one, where it is left out.
    #[serde(default)]
    pub(crate) at_least: Option<usize>,
    /// Only what a person signed with a key of their own counts, and no word of the gate's for somebody who was logged in.
    #[serde(default)]
    pub(crate) signed: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct UserSpec {
    #[serde(default, deserialize_with = "once")]
    pub(crate) profile: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) member_of: Vec<String>,
    #[serde(default)]
    pub(crate) reads: Option<ReadsSpec>,
    /// The SSH keys that approvals are signed with, as `ssh-keygen` writes public keys.
    #[serde(default)]
    pub(crate) signing_keys: Vec<String>,
}

/// An actor that is not a person, or a person who is not in the catalogue of users.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ActorSpec {
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) member_of: Vec<String>,
    /// The systems a pipeline is declared to deploy.
    #[serde(default)]
    pub(crate) deploys: Vec<String>,
    /// It makes planned changes only.
    #[serde(default)]
    pub(crate) only_planned: bool,
    /// The people who run it, and so approve nothing that it asks for.
    #[serde(default)]
    pub(crate) operators: Vec<String>,
    #[serde(default)]
    pub(crate) reads: Option<ReadsSpec>,
    /// Of a person, as in `User`.
    #[serde(default)]
    pub(crate) signing_keys: Vec<String>,
}

/// What an actor may read. A list left out takes no part; an empty one is none.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadsSpec {
    #[serde(default)]
    pub(crate) planes: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) accounts: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) services: Option<Vec<String>>,
    /// Of clusters, as `namespace` or `cluster/namespace`; `*` stands for any text.
    #[serde(default)]
    pub(crate) namespaces: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct AccountSpec {
    #[serde(default)]
    pub(crate) plane: Option<String>,
    /// The plane's own identifier, for AWS twelve digits.
    pub(crate) account: String,
    pub(crate) owner: String,
    #[serde(default)]
    pub(crate) environment: Option<String>,
    #[serde(default)]
    pub(crate) tier: Option<String>,
    #[serde(default)]
    pub(crate) mode: Option<String>,
    /// The types that may be created; any, when left out.
    #[serde(default)]
    pub(crate) creates: Option<Vec<String>>,
    /// What it lies in, by name: the service that runs a cluster, the unit that holds an account.
    #[serde(default)]
    pub(crate) part_of: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct EnvironmentSpec {
    #[serde(default)]
    pub(crate) tier: Option<String>,
    #[serde(default)]
    pub(crate) mode: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ScopeSpec {
    /// Patterns of canonical names; `*` stands for anything, `?` for one character.
    #[serde(default)]
    pub(crate) names: Vec<String>,
    /// Tags that a known resource must carry, all of them; a value may be a pattern.
    #[serde(default, deserialize_with = "once")]
    pub(crate) tags: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) owner: Option<String>,
    #[serde(default)]
    pub(crate) system: Option<String>,
    #[serde(default)]
    pub(crate) environment: Option<String>,
    #[serde(default)]
    pub(crate) tier: Option<String>,
    #[serde(default)]
    pub(crate) mode: Option<String>,
    #[serde(default)]
    pub(crate) creates: Option<Vec<String>>,
    /// Anyone may refer to what lies here.
    #[serde(default)]
    pub(crate) public: bool,
}

/// A time in which nothing changes, or times by a rule. Times are absolute, or local where a zone is named.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct FreezeSpec {
    pub(crate) from: String,
    #[serde(default)]
    pub(crate) until: Option<String>,
    /// How long it lasts, or with a rule each time, for example `2d`.
    #[serde(default)]
    pub(crate) lasts: Option<String>,
    /// A rule of RFC 5545, for example `FREQ=WEEKLY;BYDAY=FR`.
    #[serde(default)]
    pub(crate) recurs: Option<String>,
    #[serde(default)]
    pub(crate) time_zone: Option<String>,
    /// Times beside those of the rule.
    #[serde(default)]
    pub(crate) also: Vec<String>,
    /// Times of the rule that are none, or days on which none begins.
    #[serde(default)]
    pub(crate) except: Vec<String>,
    pub(crate) why: String,
    #[serde(default)]
    pub(crate) owner: Option<String>,
    /// What is frozen; everything, when left out.
    #[serde(default)]
    pub(crate) covers: CoversSpec,
}

/// Times outside which nothing that it covers changes; written as those of a freeze.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct WindowSpec {
    pub(crate) from: String,
    #[serde(default)]
    pub(crate) until: Option<String>,
    #[serde(default)]
    pub(crate) lasts: Option<String>,
    #[serde(default)]
    pub(crate) recurs: Option<String>,
    #[serde(default)]
    pub(crate) time_zone: Option<String>,
    #[serde(default)]
    pub(crate) also: Vec<String>,
    #[serde(default)]
    pub(crate) except: Vec<String>,
    pub(crate) why: String,
    #[serde(default)]
    pub(crate) owner: Option<String>,
    /// Effect classes that wait for it; all, when left out.
    #[serde(default)]
    pub(crate) access: Option<Vec<String>>,
    /// Kinds of actors that wait for it; all, when left out.
    #[serde(default)]
    pub(crate) actor_kinds: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) covers: CoversSpec,
}

/// What lifts gates for somebody, for a time.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ExceptionSpec {
    /// Ids of the gates.
    pub(crate) lifts: Vec<String>,
    #[serde(default)]
    pub(crate) actors: Vec<String>,
    #[serde(default)]
    pub(crate) groups: Vec<String>,
    pub(crate) covers: CoversSpec,
    /// Patterns of operations; any, when left out.
    #[serde(default)]
    pub(crate) operations: Option<Vec<String>>,
    /// Effect classes; any, when left out.
    #[serde(default)]
    pub(crate) access: Option<Vec<String>>,
    /// Who answers for it.
    pub(crate) owner: String,
    /// The person who approved it, none of those it is for.
    pub(crate) approved_by: String,
    pub(crate) why: String,
    pub(crate) from: String,
    pub(crate) until: String,
    #[serde(default)]
    pub(crate) time_zone: Option<String>,
    /// When somebody has to look whether it is still needed.
    #[serde(default)]
    pub(crate) review: Option<String>,
}

/// Whatever lies in any of these; everything, when all are empty.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct CoversSpec {
    #[serde(default)]
    pub(crate) accounts: Vec<String>,
    #[serde(default)]
    pub(crate) environments: Vec<String>,
    #[serde(default)]
    pub(crate) systems: Vec<String>,
    #[serde(default)]
    pub(crate) owners: Vec<String>,
    #[serde(default)]
    pub(crate) names: Vec<String>,
}

/// How far a change of one sort of actor may reach.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct LimitsSpec {
    pub(crate) actor_kind: String,
    /// Resources named by one request.
    #[serde(default)]
    pub(crate) targets: Option<u64>,
    /// Resources that depend on those.
    #[serde(default)]
    pub(crate) dependants: Option<u64>,
    /// Owners other than the actor's own teams among all of them.
    #[serde(default)]
    pub(crate) owners_crossed: Option<u64>,
    /// The most of a system's resources of one type that one request may delete, in percent.
    #[serde(default)]
    pub(crate) share_of_group: Option<u64>,
    /// The most critical tier that may be touched.
    #[serde(default)]
    pub(crate) tier: Option<String>,
    /// Things with data that no other copy has, which one request may delete.
    #[serde(default)]
    pub(crate) irreversible: Option<u64>,
    /// `deny`, or `hold`: what is over a limit waits for everybody whose it reaches.
    #[serde(default)]
    pub(crate) ruling: Option<String>,
}

/// How much may be changed in all within a window of time.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct BudgetSpec {
    /// Whose changes are counted; everybody's, when `groups` is left out too.
    #[serde(default)]
    pub(crate) actors: Vec<String>,
    #[serde(default)]
    pub(crate) groups: Vec<String>,
    /// Of which kinds of actor; of any, when left out.
    #[serde(default)]
    pub(crate) actor_kinds: Vec<String>,
    /// Effect classes, for example `delete`; every change, when left out.
    #[serde(default)]
    pub(crate) access: Vec<String>,
    /// Patterns of operations; any, when left out.
    #[serde(default)]
    pub(crate) operations: Option<Vec<String>>,
    /// Where; everywhere, when left out.
    #[serde(default)]
    pub(crate) covers: CoversSpec,
    /// Who shares it: each `actor` (the default), `session` or `change` has its own, or `all` have one.
    #[serde(default)]
    pub(crate) per: Option<String>,
    /// How long a change counts, for example `1h`.
    pub(crate) within: String,
    /// The most within that time.
    pub(crate) limit: u64,
    /// `changes` (the default), the `targets` they name, or the `dependants` they reach.
    #[serde(default)]
    pub(crate) counts: Option<String>,
}

/// What an agent may do beyond the ordinary: the explicit ground that granting and exposing ask for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct AgentBoundsSpec {
    pub(crate) actors: Vec<String>,
    /// Effect classes, for example `grant`.
    pub(crate) access: Vec<String>,
    /// Patterns of operations, for example `iam:AttachRolePolicy`; any, when left out.
    #[serde(default)]
    pub(crate) operations: Option<Vec<String>>,
    /// Patterns of canonical names.
    pub(crate) names: Vec<String>,
    #[serde(default)]
    pub(crate) until: Option<Timestamp>,
}

/// Many facts from one source, in short form: what the importers write.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct InventorySpec {
    /// Where the facts come from, for example `terraform:network`.
    pub(crate) source: String,
    /// The source's own revision, for example a state's serial.
    #[serde(default)]
    pub(crate) revision: Option<String>,
    /// When the facts were so.
    #[serde(default)]
    pub(crate) as_of: Option<Timestamp>,
    #[serde(default)]
    pub(crate) plane: Option<String>,
    #[serde(default)]
    pub(crate) account: Option<String>,
    /// How long after `asOf` its relations are believed, for example `14d`: what was only observed fades.
    #[serde(default)]
    pub(crate) decays: Option<String>,
    /// Tags that say who owns a resource, beside those that do everywhere; the first that is there counts.
    #[serde(default)]
    pub(crate) owner_tags: Vec<String>,
    #[serde(default)]
    pub(crate) resources: Vec<FactSpec>,
    #[serde(default)]
    pub(crate) relations: Vec<RelationSpec>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct FactSpec {
    /// The name within this inventory, which its relations use; for Terraform the address.
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The canonical name, for AWS the ARN.
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) identifiers: Vec<String>,
    #[serde(default)]
    pub(crate) account: Option<String>,
    #[serde(default)]
    pub(crate) region: Option<String>,
    #[serde(default)]
    pub(crate) owner: Option<String>,
    #[serde(default)]
    pub(crate) system: Option<String>,
    #[serde(default)]
    pub(crate) environment: Option<String>,
    #[serde(default)]
    pub(crate) tier: Option<String>,
    #[serde(default, deserialize_with = "once")]
    pub(crate) tags: BTreeMap<String, String>,
    /// The folder of the source tree that declares it, for CODEOWNERS.
    #[serde(default)]
    pub(crate) path: Option<String>,
    /// The source's own revision of this one fact.
    #[serde(default)]
    pub(crate) revision: Option<String>,
    /// When it was last changed, by the source's own word.
    #[serde(default)]
    pub(crate) changed: Option<Timestamp>,
    /// Who keeps it as it is, by the source's own word.
    #[serde(default)]
    pub(crate) managers: Vec<String>,
    /// Patterns of names of what it may act on, or lets whoever has it act on.
    #[serde(default)]
    pub(crate) grants: Vec<String>,
    /// The same, where these, and what it has from others that the model knows, are all.
    #[serde(default)]
    pub(crate) grants_only: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct RelationSpec {
    /// The dependant.
    pub(crate) from: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// What it depends on.
    pub(crate) to: String,
}

/// Who owns which part of a source tree; the last rule that matches decides, as in CODEOWNERS.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct OwnershipSpec {
    pub(crate) source: String,
    #[serde(default)]
    pub(crate) revision: Option<String>,
    #[serde(default, rename = "asOf")]
    pub(crate) _as_of: Option<Timestamp>,
    pub(crate) rules: Vec<OwnershipRuleSpec>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct OwnershipRuleSpec {
    pub(crate) pattern: String,
    pub(crate) owners: Vec<String>,
}

/// A map in which no key is given twice: of two tags the last would win without a word.
fn once<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    struct Once;

    impl<'de> Visitor<'de> for Once {
        type Value = BTreeMap<String, String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map of text to text")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut all = BTreeMap::new();
            while let Some((key, value)) = map.next_entry::<String, String>()? {
                if all.contains_key(&key) {
                    return Err(A::Error::custom(format!("duplicate field `{key}`")));
                }
                all.insert(key, value);
            }
            Ok(all)
        }
    }

    deserializer.deserialize_map(Once)
}
