//! Deployments: the resources that a template would write, and what else the plane would do for it.
//!
//! Names that only the plane can work out are patterns. A template that is fetched from elsewhere is indirect
//! authority. Leaves out expressions (`expression.rs`) and where a resource lies (`placed.rs`).

use ordain_action::{Access, Completeness, Effect, Parameters, Resource, Role, Undecodable};
use serde_json::{Map, Value};

use super::asked::{self, One, Place};
use super::body::{RESOURCES_MAX, Shown, TOUCHED_MAX, bad, bad_at, member, text, too_many};
use super::call::{self, Request, effect};
use super::expression::{self, Left, Scope, UNKNOWN};
use super::id::Path;
use super::placed;

/// How deep templates nest.
const DEPTH_MAX: usize = 8;

/// What a deployment and a stack are, as keys.
const DEPLOYMENTS: &str = "microsoft.resources/deployments";
const STACKS: &str = "microsoft.resources/deploymentstacks";

/// Why the parameters of a resource are not all there.
const EXPRESSIONS: &str = "some of its values are expressions that only the plane can work out";

/// What a PUT of a deployment or of a stack does.
///
/// # Errors
/// The template cannot be read.
pub(super) fn effects(one: &One, request: Request<'_>) -> Result<Vec<Effect>, Undecodable> {
    let body = request.body.ok_or_else(|| bad("the deployment has no body"))?;
    if has_marker(body) {
        return Err(bad("the deployment has a character of no script in it"));
    }
    let Place::One(path) = &one.place else { return Err(bad("the deployment has no name")) };
    let properties = member(body, "properties").ok_or_else(|| bad("the deployment has no `properties`"))?;
    let mut effects = call::written(one, Request { body: None, ..request })?;
    let parameters = parameters(&one.key, request);
    for own in &mut effects {
        own.parameters = parameters.clone();
    }
    let scope = match one.key.as_str() {
        STACKS => placed::of_stack(properties, &path.parent(), None)?,
        _ => no_stack(properties).map(|()| path.parent())?,
    };
    let mut deployment = Deployment { one, request, effects, resources: 0, touched: 0, left: Left::whole() };
    deployment.properties(properties, &scope, None)?;
    deployment.stack(properties, &scope);
    Ok(deployment.effects)
}

/// What takes a stack away may take along what it manages.
pub(super) fn unstacked(one: &One, request: Request<'_>) -> Result<Vec<Effect>, Undecodable> {
    let (Place::One(path) | Place::All(path)) = &one.place;
    let takes = request.shown.query.iter().any(|pair| {
        pair.name.to_lowercase().starts_with("unmanageaction") && !pair.value.eq_ignore_ascii_case("detach")
    });
    let mut resources = vec![path.one(Role::Target, request.words)];
    if takes {
        // One of a management group deploys to a subscription that only the plane knows.
        let scope = path.parent();
        let known = scope.subscription().is_some();
        let reach = if known { scope } else { placed::anywhere() };
        resources.push(reach.below(Role::Target, request.words));
    }
    let parameters = request.parameters(&one.key);
    // What it forbade is allowed again.
    let resources_again = vec![path.one(Role::Target, request.words)];
    Ok(vec![
        effect(one, Access::Delete, resources, parameters.clone()),
        effect(one, Access::Grant, resources_again, parameters),
    ])
}

/// The parameters of a request with a template in it, but the template's resources, which have effects of their own.
pub(super) fn parameters(key: &str, request: Request<'_>) -> Parameters {
    let properties = request.body.and_then(|body| member(body, "properties"));
    let template = properties.and_then(|properties| member(properties, "template"));
    let secure = template.map(expression::secure);
    let is = |path: &[String], wanted: &[&str]| {
        path.len() >= wanted.len()
            && wanted.iter().zip(path).all(|(one, other)| other.eq_ignore_ascii_case(one))
    };
    let secret = |path: &[String]| {
        let name = path.get(2).map(|name| name.to_lowercase()).unwrap_or_default();
        let hidden = is(path, &["properties", "parameters"])
            && path.get(3).is_some_and(|member| member.eq_ignore_ascii_case("value"))
            && secure.as_ref().is_none_or(|secure| secure.contains(&name));
        let named = path.get(3).map(|name| name.to_lowercase()).unwrap_or_default();
        let default = is(path, &["properties", "template", "parameters"])
            && path.get(4).is_some_and(|member| !member.eq_ignore_ascii_case("type"))
            && secure.as_ref().is_some_and(|secure| secure.contains(&named));
        hidden || default
    };
    let left_out = |path: &[String]| path.len() == 3 && is(path, &["properties", "template", "resources"]);
    request.shown.parameters(key, request.body, &secret, &left_out)
}

fn has_marker(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(UNKNOWN),
        Value::Array(items) => items.iter().any(has_marker),
        Value::Object(members) => {
            members.iter().any(|(key, value)| key.contains(UNKNOWN) || has_marker(value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// What is around a resource of a template.
#[derive(Debug, Clone, Copy)]
struct Around<'a> {
    scope: &'a Path,
    names: &'a Scope<'a>,
    /// The template's resources have names of their own, and nested templates expressions of their own.
    symbolic: bool,
    depth: usize,
}

struct Deployment<'a> {
    one: &'a One,
    request: Request<'a>,
    effects: Vec<Effect>,
    /// How many resources there were, and how many are named by their effects.
    resources: usize,
    touched: usize,
    left: Left,
}

impl Deployment<'_> {
    fn push(&mut self, access: Access, resources: Vec<Resource>, parameters: Parameters) {
        self.effects.push(effect(self.one, access, resources, parameters));
    }

    fn all(&self, scope: &Path, role: Role) -> Vec<Resource> {
        vec![scope.below(role, self.request.words), scope.one(Role::Parent, self.request.words)]
    }

    /// The properties of a deployment, its own or one nested in what is around it.
    fn properties(
        &mut self,
        properties: &Value,
        scope: &Path,
        outer: Option<Around<'_>>,
    ) -> Result<(), Undecodable> {
        let depth = outer.map_or(0, |outer| outer.depth);
        if depth > DEPTH_MAX {
            return Err(bad("the template nests too deep"));
        }
        no_written_names(properties)?;
        let mode = text(properties, "mode");
        match mode.map(str::to_lowercase).as_deref() {
            Some("complete") => self.push(Access::Delete, self.all(scope, Role::Target), Parameters::new()),
            Some("incremental") => {}
            None if member(properties, "mode").is_none() => {}
            Some(_) | None => {
                return Err(bad_at("`{}` is no mode of a deployment", mode.unwrap_or_default()));
            }
        }
        if member(properties, "onErrorDeployment").is_some_and(|again| !again.is_null()) {
            self.elsewhere(scope, Vec::new(), "an earlier deployment is made again if this one fails");
        }
        self.vaults(member(properties, "parameters"));
        let linked = member(properties, "parametersLink").is_some_and(|link| !link.is_null());
        let link = member(properties, "templateLink").filter(|link| !link.is_null());
        let template = member(properties, "template").filter(|template| !template.is_null());
        match (template, link) {
            (Some(_), Some(_)) => Err(bad("the deployment has a template and a link to one")),
            (None, None) => {
                self.elsewhere(scope, Vec::new(), "the template is one that the plane has");
                Ok(())
            }
            (None, Some(link)) => {
                let id = text(link, "id").and_then(Path::of_id);
                let uses = id.map(|path| path.one(Role::Uses, self.request.words));
                self.elsewhere(scope, uses.into_iter().collect(), "the template is fetched by the plane");
                Ok(())
            }
            // Only the plane can work out what that comes to.
            (Some(template), None) if !template.is_object() => {
                self.elsewhere(
                    scope,
                    Vec::new(),
                    "the template is an expression that only the plane can work out",
                );
                Ok(())
            }
            (Some(template), None) => {
                let symbolic = is_symbolic(template);
                let inner = is_inner(properties, symbolic, outer)?;
                match outer {
                    Some(outer) if !inner => self.template(template, Around { scope, symbolic, ..outer }),
                    Some(_) | None => {
                        let given = expression::given(member(properties, "parameters"));
                        let given = given.map(|(name, value)| {
                            let value = value.and_then(|value| match outer {
                                Some(outer) => {
                                    let (value, whole) = outer.names.resolve(&value);
                                    whole.then(|| literal(value))
                                }
                                // What is given from outside is a value as it stands.
                                None => Some(literal(value)),
                            });
                            (name, value)
                        });
                        let all = Scope::new(template, given, !linked, self.left.clone());
                        self.template(template, Around { scope, names: &all, symbolic, depth })
                    }
                }
            }
        }
    }

    /// What is brought in from elsewhere may do whatever the deployment may.
    fn elsewhere(&mut self, scope: &Path, uses: Vec<Resource>, why: &'static str) {
        let mut resources = self.all(scope, Role::Target);
        resources.extend(uses);
        let mut parameters = Parameters::new();
        parameters.incomplete(Completeness::Opaque(why));
        self.push(Access::Execute, resources, parameters);
    }

    /// Parameters that the plane reads out of a vault.
    fn vaults(&mut self, parameters: Option<&Value>) {
        for given in parameters.and_then(Value::as_object).into_iter().flat_map(Map::values) {
            let Some(reference) = member(given, "reference") else { continue };
            let vault =
                member(reference, "keyVault").and_then(|vault| text(vault, "id")).and_then(Path::of_id);
            let secret = text(reference, "secretName").unwrap_or_default();
            let named = vault.as_ref().and_then(|vault| {
                let segments = vault.name();
                Path::of_id(&format!("{segments}/secrets/{secret}"))
            });
            let words = self.request.words;
            let resource = match (named, vault) {
                (Some(secret), _) => secret.one(Role::Target, words),
                (None, Some(vault)) => vault.below(Role::Target, words),
                (None, None) => self.one_scope().below(Role::Target, words),
            };
            self.push(Access::SecretRead, vec![resource], Parameters::new());
        }
    }

    fn one_scope(&self) -> Path {
        let (Place::One(path) | Place::All(path)) = &self.one.place;
        path.scope()
    }

    fn template(&mut self, template: &Value, around: Around<'_>) -> Result<(), Undecodable> {
        no_written_names(template)?;
        if any_text(template, &expression::reads_secrets) {
            let resources = self.all(around.scope, Role::Target);
            self.push(Access::SecretRead, resources, Parameters::new());
        }
        match member(template, "resources") {
            None => Ok(()),
            Some(Value::Array(items)) => items.iter().try_for_each(|item| self.resource(item, around, None)),
            // Where resources have names of their own, some are only referred to, and not written.
            Some(Value::Object(members)) => members.values().try_for_each(|item| {
                match (member(item, "existing"), member(item, "resources")) {
                    (Some(Value::Bool(true)), None) => Ok(()),
                    (Some(Value::Bool(true)), Some(_)) => {
                        Err(bad("a resource of the template that is only referred to has others in it"))
                    }
                    _ => self.resource(item, around, None),
                }
            }),
            Some(_) => Err(bad("the template's `resources` are no list")),
        }
    }

    /// One resource of a template, and those in it. `within` is the type and the name of what it stands in.
    fn resource(
        &mut self,
        item: &Value,
        around: Around<'_>,
        within: Option<(&str, &str)>,
    ) -> Result<(), Undecodable> {
        self.resources += 1;
        if self.resources > RESOURCES_MAX {
            return Err(too_many());
        }
        if around.depth > DEPTH_MAX {
            return Err(bad("the template nests too deep"));
        }
        if !item.is_object() {
            return Err(bad("a resource of the template is no object"));
        }
        no_written_names(item)?;
        let Around { scope, names, .. } = around;
        if ["import", "extension"].into_iter().any(|other| member(item, other).is_some()) {
            self.elsewhere(scope, Vec::new(), "it is made by an extension of templates, on another plane");
            return Ok(());
        }
        let (kind, name) = placed::called(item, names, within);
        let lies_in = placed::scope_of(item, scope, names)?;
        let path = placed::path(&lies_in, &kind, &name)?;
        let deeper = Around { scope: &lies_in, depth: around.depth + 1, ..around };
        // By what it is, and not by how its type is spelled: a type may say besides what the deployment extends.
        let none = Value::Null;
        let properties = member(item, "properties").unwrap_or(&none);
        match path.key().as_str() {
            DEPLOYMENTS => {
                let place = placed::nested(item, &path.parent(), names);
                self.written(item, path.on(&place), names)?;
                no_stack(properties)?;
                self.properties(properties, &place, Some(deeper))?;
            }
            STACKS => {
                no_group(item)?;
                let place = placed::of_stack(properties, &path.parent(), Some(names))?;
                self.stack(properties, &place);
                self.properties(properties, &place, Some(deeper))?;
                self.written(item, path, names)?;
            }
            _ => {
                no_group(item)?;
                self.written(item, path, names)?;
            }
        }
        match member(item, "resources") {
            None => Ok(()),
            Some(Value::Array(items)) => {
                items.iter().try_for_each(|child| self.resource(child, deeper, Some((&kind, &name))))
            }
            Some(_) => Err(bad("the `resources` of a resource are no list")),
        }
    }

    fn written(&mut self, item: &Value, path: Path, names: &Scope<'_>) -> Result<(), Undecodable> {
        let put = asked::put(path, self.request.words);
        let own: Map<String, Value> = item
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(key, _)| {
                !["resources", "dependson", "type", "name", "scope", "apiversion", "comments"]
                    .contains(&key.to_lowercase().as_str())
            })
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let own: Map<String, Value> = if put.key == DEPLOYMENTS {
            own.into_iter().filter(|(key, _)| !key.eq_ignore_ascii_case("properties")).collect()
        } else {
            own
        };
        let (own, whole) = names.resolve(&Value::Object(own));
        // What stands for all of them at once could say anything.
        let hidden = ["properties", "identity", "tags"]
            .iter()
            .any(|member_name| text(&own, member_name).is_some_and(|text| text.starts_with('[')));
        let shown = Shown { query: &[], ..self.request.shown };
        let request = Request { shown, body: Some(&own), ..self.request };
        let mut effects = if put.key == "microsoft.resources/tags" {
            vec![call::labelled(&put, request)]
        } else {
            call::written(&put, request)?
        };
        if hidden {
            let resources = effects.first().map(|effect| effect.resources.clone()).unwrap_or_default();
            effects.push(effect(&put, Access::Execute, resources, Parameters::new()));
        }
        if !whole {
            for effect in &mut effects {
                effect.parameters.incomplete(Completeness::Partial(EXPRESSIONS));
            }
        }
        self.touched += effects.iter().map(|effect| effect.resources.len()).sum::<usize>();
        if self.touched > TOUCHED_MAX {
            return Err(too_many());
        }
        self.effects.extend(effects);
        Ok(())
    }

    /// What a stack does besides: it takes away what it manages no more, and forbids what is done beside it.
    fn stack(&mut self, properties: &Value, scope: &Path) {
        let unmanage = member(properties, "actionOnUnmanage").and_then(Value::as_object);
        let deletes = unmanage.is_some_and(|actions| {
            actions
                .values()
                .any(|action| !action.as_str().is_some_and(|it| it.eq_ignore_ascii_case("detach")))
        });
        if deletes {
            self.push(Access::Delete, self.all(scope, Role::Target), Parameters::new());
        }
        if member(properties, "denySettings").is_some() {
            self.push(Access::Grant, self.all(scope, Role::Target), Parameters::new());
        }
    }
}

/// A text that is given from outside is no expression, whatever it looks like.
fn literal(value: Value) -> Value {
    match value {
        Value::String(text) if text.starts_with('[') && text.ends_with(']') => {
            Value::String(format!("[{text}"))
        }
        Value::Array(items) => items.into_iter().map(literal).collect(),
        Value::Object(members) => members.into_iter().map(|(key, value)| (key, literal(value))).collect(),
        other @ (Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_)) => other,
    }
}

fn any_text(value: &Value, is: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => is(text),
        Value::Array(items) => items.iter().any(|item| any_text(item, is)),
        Value::Object(members) => members.values().any(|value| any_text(value, is)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether a template's resources have names of their own: only where it is in the first version of the language, do
/// they not.
fn is_symbolic(template: &Value) -> bool {
    member(template, "languageVersion").is_some_and(|version| version.as_str() != Some("1.0"))
        || member(template, "resources").is_some_and(Value::is_object)
}

/// Whether the expressions of a nested template are its own, and not those of what is around it.
fn is_inner(properties: &Value, symbolic: bool, outer: Option<Around<'_>>) -> Result<bool, Undecodable> {
    let options = member(properties, "expressionEvaluationOptions").filter(|options| !options.is_null());
    let said = options.and_then(|options| member(options, "scope")).filter(|scope| !scope.is_null());
    let written = said.map(|scope| scope.as_str().unwrap_or_default());
    let symbolic_outside = outer.is_some_and(|outer| outer.symbolic);
    match written.map(str::to_lowercase).as_deref() {
        Some("inner") => Ok(true),
        Some("outer") if symbolic_outside => {
            Err(bad("a template with names for its resources has another nested in it with an `outer` scope"))
        }
        Some("outer") => Ok(false),
        // One is of a version in which they are, the other of one in which they are not.
        Some("notspecified") | None if outer.is_some() && symbolic && !symbolic_outside => {
            Err(bad("the nested template does not say whose its expressions are"))
        }
        Some("notspecified") | None => Ok(symbolic_outside),
        Some(_) => Err(bad_at("`{}` is no scope of expressions", written.unwrap_or_default())),
    }
}

/// Only a stack says in its properties where it deploys to.
fn no_stack(properties: &Value) -> Result<(), Undecodable> {
    match member(properties, "deploymentScope").filter(|scope| !scope.is_null()) {
        Some(_) => Err(bad("the deployment has a `deploymentScope`, which only stacks have")),
        None => Ok(()),
    }
}

/// Only a deployment says beside its properties in which group it is made.
fn no_group(item: &Value) -> Result<(), Undecodable> {
    match ["resourceGroup", "subscriptionId"].into_iter().find(|name| member(item, name).is_some()) {
        Some(name) => Err(bad_at("a resource of the template has `{}`, which only deployments have", name)),
        None => Ok(()),
    }
}

/// Names of members that the plane would have to work out could be any.
fn no_written_names(value: &Value) -> Result<(), Undecodable> {
    let names = value.as_object().into_iter().flat_map(Map::keys);
    match names.into_iter().find(|name| name.starts_with('[')) {
        Some(name) => Err(bad_at("`{}` is an expression where a name stands", name)),
        None => Ok(()),
    }
}

/// What of a body is left for a request that only asks what a template would do.
pub(super) fn asks(key: &str) -> bool {
    key.starts_with("microsoft.resources/deployments/")
        || key.starts_with("microsoft.resources/deploymentstacks/")
}
