//! A plan as `terraform show -json` and `tofu show -json` print it.
//!
//! Leaves out what changes mean. What is not a whole plan is refused: a part of one would be taken for all of it.

use serde_json::Value;

use super::address::{Address, Step};

/// What there is where nothing is.
pub(super) static NOTHING: Value = Value::Null;

/// What to give, where something else was given.
const GIVE: &str = "give the output of `terraform show -json` or `tofu show -json` of a saved plan";

/// A plan.
#[derive(Debug)]
pub(super) struct Plan {
    whole: Value,
}

/// A resource that the plan says something of.
#[derive(Debug, Clone)]
pub(super) struct Resource<'p> {
    /// As the plan writes it, with what tells it from others there.
    pub(super) id: String,
    pub(super) address: Address,
    pub(super) action: Action,
    pub(super) change: &'p Value,
}

/// What becomes of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Create,
    Update,
    Delete,
    Replace,
    /// Nothing, and it is refreshed.
    Keep,
}

impl Plan {
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let whole = super::super::strict::read(text)
            .map_err(|error| format!("it is not a plan that can be read: {error}; {GIVE}"))?;
        let Some(version) = whole.get("format_version").and_then(Value::as_str) else {
            return Err(format!("it is no plan; {GIVE}"));
        };
        if !version.starts_with("1.") {
            return Err(format!(
                "its format is `{version}` and 1 is known; write it again with a present release"
            ));
        }
        if whole.get("resource_changes").is_none() && whole.get("planned_values").is_none() {
            return Err(format!("it is no plan but a state; {GIVE}"));
        }
        if whole.get("errored").and_then(Value::as_bool) == Some(true) {
            return Err("planning ended in an error; plan again".to_owned());
        }
        let deferred = whole.get("deferred_changes").and_then(Value::as_array);
        if whole.get("complete").and_then(Value::as_bool) == Some(false)
            || deferred.is_some_and(|deferred| !deferred.is_empty())
        {
            return Err(
                "some of its changes are deferred, so that it is not all; apply what can be, plan again \
                        and import that"
                    .to_owned(),
            );
        }
        Ok(Self { whole })
    }

    /// A value within the plan, or nothing.
    pub(super) fn at(&self, path: &str) -> &Value {
        self.whole.pointer(path).unwrap_or(&NOTHING)
    }

    /// All that the plan says of managed resources, in the order of their addresses.
    pub(super) fn resources(&self) -> Result<Vec<Resource<'_>>, String> {
        let changes = self.at("/resource_changes").as_array().map(Vec::as_slice).unwrap_or_default();
        let mut all = Vec::new();
        for written in changes {
            let text = |member: &str| written.get(member).and_then(Value::as_str);
            let at = text("address").ok_or("a change has no `address`; plan again")?;
            let address = Address::read(at).ok_or_else(|| format!("`{at}` is no address; plan again"))?;
            let change = written.get("change").unwrap_or(&NOTHING);
            if text("mode") == Some("data") || address.data {
                continue;
            }
            let Some(action) = action(at, change)? else { continue };
            let id = match text("deposed") {
                Some(deposed) => format!("{at} (deposed {deposed})"),
                None => at.to_owned(),
            };
            all.push(Resource { id, address, action, change });
        }
        all.sort_by(|left, right| left.id.cmp(&right.id));
        if let Some([one, _]) = all.array_windows().find(|[left, right]| left.id == right.id) {
            return Err(format!("`{}` is changed twice; plan again", one.id));
        }
        Ok(all)
    }

    /// The configuration of a module.
    pub(super) fn module(&self, modules: &[Step]) -> &Value {
        let root = self.at("/configuration/root_module");
        modules.iter().fold(root, |module, step| {
            let call = module.get("module_calls").and_then(|calls| calls.get(&step.name));
            call.and_then(|call| call.get("module")).unwrap_or(&NOTHING)
        })
    }

    /// The configuration of a resource.
    pub(super) fn written(&self, address: &Address) -> &Value {
        let resources = self.module(&address.modules).get("resources").and_then(Value::as_array);
        let mode = if address.data { "data" } else { "managed" };
        let is = |written: &&Value| {
            let has =
                |member: &str, wanted: &str| written.get(member).and_then(Value::as_str) == Some(wanted);
            has("type", &address.kind) && has("name", &address.name) && has("mode", mode)
        };
        resources.into_iter().flatten().find(is).unwrap_or(&NOTHING)
    }

    /// The region that a resource is in, where its provider's configuration tells it.
    pub(super) fn region_of(&self, address: &Address) -> Option<&str> {
        let provider = self.written(address).get("provider_config_key").and_then(Value::as_str);
        // Of what the configuration has no more, nothing says which provider it has.
        self.region(provider.unwrap_or("aws"))
    }

    fn region(&self, provider: &str) -> Option<&str> {
        let providers = self.at("/configuration/provider_config").as_object()?;
        let written = providers.get(provider)?.pointer("/expressions/region")?;
        if let Some(region) = written.get("constant_value").and_then(Value::as_str) {
            return Some(region);
        }
        let variable = written.get("references")?.get(0)?.as_str()?.strip_prefix("var.")?;
        self.at("/variables").get(variable)?.get("value")?.as_str()
    }
}

/// What becomes of a resource; none where it is only forgotten.
fn action(at: &str, change: &Value) -> Result<Option<Action>, String> {
    let actions = change.get("actions").and_then(Value::as_array);
    let actions: Vec<&str> = actions.into_iter().flatten().filter_map(Value::as_str).collect();
    Ok(match actions.as_slice() {
        ["create"] | ["create", "forget"] => Some(Action::Create),
        ["update"] => Some(Action::Update),
        ["delete"] => Some(Action::Delete),
        ["delete", "create"] | ["create", "delete"] => Some(Action::Replace),
        ["no-op"] => Some(Action::Keep),
        ["forget"] => None,
        other => {
            return Err(format!(
                "`{at}` is to be changed by `{}`, which is not known; plan again",
                other.join(" ")
            ));
        }
    })
}

impl Action {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Replace => "replace",
            Self::Keep => "read",
        }
    }
}
