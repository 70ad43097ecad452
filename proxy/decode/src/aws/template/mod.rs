//! CloudFormation: templates, change sets and sets of stacks, read into the resources that they make and change.
//!
//! What a template says is judged as if each resource were asked for by itself: `cloudformation:CreateResource`,
//! `UpdateResource` and `DeleteResource` are the permissions that Cloud Control checks for the same. What stands somewhere
//! else (a template by a URL, the one in use, a nested stack, a macro) is indirect authority: execution on the stack, whose
//! reach is not known. Leaves out what a stack has already, which no request says.

mod condition;
mod given;
mod kind;
mod leaf;
mod made;
mod node;
mod reference;
mod resolve;
mod role;
mod section;
mod serverless;
mod sets;
mod used;
mod value;
mod word;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ordain_action::{
    Access, Completeness, Effect, Identifier, Level, NameBasis, Resource, Role, Scalar, Undecodable,
};
use ordain_catalog::{Location, Operation};

use self::given::Given;
use self::made::{Contents, Doing, Maker};
use self::resolve::Scope;
use self::section::Template;
use super::Room;
use super::resource::Place;
use super::wire::Wire;
use crate::form::fields::clip;
use crate::tokens::looks_secret;

const BY_REFERENCE: &str = "what the template does is not decoded";
const BESIDE: &str = "what the stack has beside these is told by the template in use";

/// What a request to CloudFormation says, before it is known what that does.
#[derive(Debug)]
pub(super) struct Read {
    operation: Arc<str>,
    given: BTreeMap<String, Given>,
    template: Option<Template>,
    /// Paths of values of parameters that are no secrets.
    plain: BTreeSet<String>,
}

/// Reads the template of a request, if there is one; `None` for other services.
///
/// # Errors
/// It cannot be read exactly.
pub(super) fn read(operation: &Operation, wire: &Wire) -> Result<Option<Read>, Undecodable> {
    if &*operation.service != "cloudformation" {
        return Ok(None);
    }
    let mut read = Read {
        operation: Arc::clone(&operation.name),
        given: BTreeMap::new(),
        template: None,
        plain: BTreeSet::new(),
    };
    let takes = matches!(
        &*operation.name,
        "CreateStack" | "UpdateStack" | "CreateChangeSet" | "CreateStackSet" | "UpdateStackSet"
    );
    if takes {
        read.given = given::parameters(wire, "Parameters")?;
        read.template = source(wire)?.map(Template::of).transpose()?;
        read.plain = plain(wire, read.template.as_ref());
    }
    Ok(Some(read))
}

/// The template in the request; `None` where it stands somewhere else.
fn source(wire: &Wire) -> Result<Option<node::Node>, Undecodable> {
    let text = |path: &str| wire.text(Location::Body, path);
    let body = text("TemplateBody");
    let previous =
        text("UsePreviousTemplate").is_some_and(|previous| !previous.eq_ignore_ascii_case("false"));
    let others = [text("TemplateURL").is_some(), previous, text("StackId").is_some()];
    if usize::from(body.is_some()) + others.iter().filter(|other| **other).count() > 1 {
        return Err(Undecodable::new(
            "two_templates",
            "the template is said in two ways; send it itself, or where it stands, and not both",
        ));
    }
    body.map(node::read).transpose()
}

/// Values of parameters that the template says may be seen.
fn plain(wire: &Wire, template: Option<&Template>) -> BTreeSet<String> {
    let shown = |key: &str| {
        let declared = template.and_then(|template| template.member("Parameters", key));
        let echoes = |declared: &node::Node| {
            declared.get("NoEcho").and_then(node::Node::as_text).is_none_or(|no| no == "false")
        };
        declared.is_some_and(echoes) && !looks_secret(key)
    };
    let keys = wire.iter().filter(|leaf| leaf.text().is_some_and(shown));
    keys.filter_map(|leaf| Some(format!("{}.ParameterValue", leaf.path.strip_suffix(".ParameterKey")?)))
        .collect()
}

/// Whether what stands at a path of a request is a secret, or may hold one.
pub(super) fn is_secret(read: Option<&Read>, path: &str) -> bool {
    let Some(read) = read else { return false };
    let last = path.rsplit('.').next().unwrap_or(path);
    last == "TemplateBody" || (last == "ParameterValue" && !read.plain.contains(path))
}

/// Changes the effect of operations that work on stacks and say by reference what they do.
pub(super) fn adjust(effect: &mut Effect) {
    let by_reference = matches!(
        &*effect.operation,
        "DeleteStack"
            | "ExecuteChangeSet"
            | "CreateStackInstances"
            | "UpdateStackInstances"
            | "DeleteStackInstances"
            | "ContinueUpdateRollback"
            | "RollbackStack"
            | "ImportStacksToStackSet"
            | "StartResourceScan"
            | "ExecuteStackRefactor"
    );
    if by_reference {
        effect.access = Access::Execute;
        effect.parameters.incomplete(Completeness::Partial(BY_REFERENCE));
    }
    if &*effect.operation == "CreateStackRefactor" {
        effect.parameters.incomplete(Completeness::Partial(BY_REFERENCE));
    }
}

impl Read {
    /// Whether the stack hands out a credential, which its outputs tell to whoever reads them.
    pub(super) fn hands_out(&self) -> bool {
        let keys = |declared: section::Declared<'_>| declared.type_name == "AWS::IAM::AccessKey";
        self.template.as_ref().is_some_and(|template| template.resources().any(keys))
    }

    /// All effects of the request, the operation's own first.
    ///
    /// # Errors
    /// They come to more than is judged.
    pub(super) fn effects(
        &self,
        room: &Room,
        mut main: Effect,
        wire: &Wire,
        place: &Place<'_>,
    ) -> Result<Vec<Effect>, Undecodable> {
        match &*self.operation {
            "CreateStack" | "UpdateStack" | "CreateStackSet" | "UpdateStackSet" | "CreateChangeSet" => {
                self.by_template(room, main, wire, place)
            }
            // What is in the stack goes with it, and what that does is told by its template.
            "DeleteStack" => Ok(vec![Effect { access: Access::Delete, ..main.clone() }, main]),
            "CreateStackInstances" | "UpdateStackInstances" => {
                sets::stacks(&mut main, wire, place)?;
                Ok(vec![main])
            }
            "DeleteStackInstances" => {
                sets::stacks(&mut main, wire, place)?;
                Ok(vec![Effect { access: Access::Delete, ..main.clone() }, main])
            }
            _ => Ok(vec![main]),
        }
    }

    fn by_template(
        &self,
        room: &Room,
        mut main: Effect,
        wire: &Wire,
        place: &Place<'_>,
    ) -> Result<Vec<Effect>, Undecodable> {
        let is_set = self.operation.ends_with("StackSet");
        let change_set = &*self.operation == "CreateChangeSet";
        let makes = match &*self.operation {
            "CreateStack" | "CreateStackSet" => true,
            "CreateChangeSet" => wire.text(Location::Body, "ChangeSetType") == Some("CREATE"),
            _ => false,
        };
        if &*self.operation == "UpdateStackSet" {
            sets::stacks(&mut main, wire, place)?;
        }
        let name =
            wire.text(Location::Body, if is_set { "StackSetName" } else { "StackName" }).unwrap_or_default();
        let mut contents = Contents::default();
        if let Some(template) = &self.template {
            let doing = if makes { Doing::Makes } else { Doing::Changes };
            let every = Place { region: "*", account: "*", ..*place };
            let there = if is_set { every } else { *place };
            self.contents(room, template, &Stack { name, is_set, doing, place: there }, &mut contents)?;
        }
        let read = self.template.is_some() && !contents.indirect;
        if !read || (!makes && !change_set) {
            let why = if self.template.is_none() || contents.indirect { BY_REFERENCE } else { BESIDE };
            main.parameters.incomplete(Completeness::Partial(why));
        }
        if !change_set {
            main.access = if read && makes { Access::Create } else { Access::Execute };
        }
        let stack = stack_of(&main);
        // What is said by reference may call macros as soon as it is looked at.
        let looked = (change_set && !read).then(|| Effect {
            access: Access::Execute,
            resources: stack.clone(),
            ..main.clone()
        });
        let mut effects = vec![main];
        effects.extend(looked);
        if !makes && self.template.is_some() {
            effects.push(deleted(stack.clone(), std::mem::take(&mut contents.replaced), name)?);
        }
        effects.extend(policy(&stack, wire)?);
        effects.extend(labels(&stack, wire, &self.operation, makes)?);
        effects.extend(imported(room, wire, place)?);
        effects.append(&mut contents.effects);
        Ok(effects)
    }

    fn contents(
        &self,
        room: &Room,
        template: &Template,
        stack: &Stack<'_>,
        contents: &mut Contents,
    ) -> Result<(), Undecodable> {
        // A stack may be named by its ARN: the name is the part before its id.
        let named = stack.name.strip_prefix("arn:").map_or(stack.name, |arn| {
            arn.split_once(":stack/").and_then(|(_, own)| own.split('/').next()).unwrap_or(stack.name)
        });
        let mut scope = Scope {
            template,
            catalog: &room.catalog,
            place: stack.place,
            stack: Some(named).filter(|_| !stack.is_set),
            given: self.given.clone(),
            defaults: stack.doing == Doing::Makes,
            assumed: BTreeMap::new(),
            undecided: RefCell::default(),
            read: RefCell::default(),
            steps: Cell::new(0),
            bytes: Cell::new(0),
        };
        let shown = if stack.is_set { format!("set {}", clip(named)) } else { clip(named) };
        let maker = Maker { room, doing: stack.doing, stack: &shown, retold: !template.macros.is_empty() };
        contents.indirect = !template.macros.is_empty();
        // The provider's own are no functions of somebody's.
        let own =
            |name: &str| ["AWS::", "Fn::"].iter().any(|start| name.starts_with(start)) || name == "Hooks";
        for name in template.macros.iter().filter(|name| !own(name)) {
            contents.push(called(name)?)?;
        }
        for declared in template.resources() {
            match serverless::written(template, &declared) {
                Some(all) => {
                    for one in &all {
                        let written =
                            section::Declared { id: &one.id, type_name: &one.type_name, node: &one.node };
                        maker.make(&mut scope, written, contents)?;
                    }
                }
                None => maker.make(&mut scope, declared, contents)?,
            }
        }
        made::read_secrets(&scope, contents)
    }
}

/// The stack, or the set of them, that a template is for.
struct Stack<'s> {
    name: &'s str,
    is_set: bool,
    doing: Doing,
    place: Place<'s>,
}

/// What stands for the stack in other effects.
fn stack_of(main: &Effect) -> Vec<Resource> {
    let stacks = main.resources.iter().filter(|one| {
        matches!(&*one.kind, "cloudformation:stack" | "cloudformation:stackset") && one.role != Role::Uses
    });
    stacks.map(|one| Resource { role: Role::Target, ..one.clone() }).collect()
}

fn effect(
    operation: &str,
    access: Access,
    resources: Vec<Resource>,
    leaves: &[(String, String)],
) -> Result<Effect, Undecodable> {
    let leaves = leaves.iter().map(|(path, text)| (path.as_str(), Scalar::Text(text)));
    Ok(Effect {
        service: Arc::from("cloudformation"),
        operation: Arc::from(operation),
        iam_action: Arc::from(format!("cloudformation:{operation}")),
        access,
        level: Level::Control,
        resources,
        parameters: made::parameters(leaves)?,
    })
}

/// What an update takes away: what the stack has and the template has no more, and what is replaced.
fn deleted(stack: Vec<Resource>, replaced: Vec<Resource>, name: &str) -> Result<Effect, Undecodable> {
    let resources = stack.into_iter().chain(replaced).collect();
    let leaves = [("StackName".to_owned(), name.to_owned())];
    let mut effect = effect("DeleteResource", Access::Delete, resources, &leaves)?;
    effect.parameters.incomplete(Completeness::Partial(BESIDE));
    Ok(effect)
}

/// Leaves of the request that begin so.
fn leaves(wire: &Wire, start: &str) -> Vec<(String, String)> {
    let own = wire.iter().filter(|leaf| leaf.path.starts_with(start));
    own.filter_map(|leaf| Some((leaf.path.to_owned(), leaf.text()?.to_owned()))).collect()
}

/// The policy of a stack says which of its resources updates may touch: to set one is to grant that.
fn policy(stack: &[Resource], wire: &Wire) -> Result<Option<Effect>, Undecodable> {
    let said = leaves(wire, "StackPolicy");
    if said.is_empty() {
        return Ok(None);
    }
    let mut effect = effect("SetStackPolicy", Access::Grant, stack.to_vec(), &said)?;
    if said.iter().any(|(path, _)| path.ends_with("URL")) {
        effect.parameters.incomplete(Completeness::Partial("the policy stands somewhere else"));
    }
    Ok(Some(effect))
}

/// Labels of a stack go to everything in it, what is there already too.
fn labels(
    stack: &[Resource],
    wire: &Wire,
    operation: &str,
    makes: bool,
) -> Result<Option<Effect>, Undecodable> {
    let said = leaves(wire, "Tags.");
    if said.is_empty() || makes {
        return Ok(None);
    }
    effect(operation, Access::Tag, stack.to_vec(), &said).map(Some)
}

/// What is there already and becomes part of a stack: from then on the stack changes it and takes it away.
fn imported(room: &Room, wire: &Wire, place: &Place<'_>) -> Result<Vec<Effect>, Undecodable> {
    let mut items: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for (path, text) in leaves(wire, "ResourcesToImport.member.") {
        let own = path.strip_prefix("ResourcesToImport.member.").unwrap_or_default();
        let (item, member) = own.split_once('.').unwrap_or((own, ""));
        items.entry(item.to_owned()).or_default().push((member.to_owned(), text));
    }
    let mut effects = Vec::new();
    for item in items.into_values() {
        let of =
            |wanted: &str| item.iter().find(|(member, _)| member == wanted).map(|(_, text)| text.as_str());
        let type_name = of("ResourceType").unwrap_or_default();
        // A map comes as entries, each with a key and a value.
        let values: Vec<&str> = item
            .iter()
            .filter(|(member, _)| member.starts_with("ResourceIdentifier.") && member.ends_with("value"))
            .map(|(_, text)| text.as_str())
            .collect();
        let (kind, name, basis) = super::cloud::named(type_name, &values.join("|"), &room.catalog, place);
        let one = |name: &str, value: &str| Identifier { name: Arc::from(name), value: value.to_owned() };
        let mut identifiers = vec![one("TypeName", type_name)];
        identifiers.extend(values.iter().map(|value| one("Identifier", value)));
        let pattern = name.contains(['*', '?']);
        let target = Resource { role: Role::Target, kind, name, basis, pattern, identifiers };
        effects.push(effect("UpdateResource", Access::Update, vec![target], &item)?);
    }
    Ok(effects)
}

/// A macro is a function that is given the template and may write it anew.
fn called(name: &str) -> Result<Effect, Undecodable> {
    let mut effect =
        effect("TransformTemplate", Access::Execute, Vec::new(), &[("Macro".to_owned(), name.to_owned())])?;
    effect.service = Arc::from("lambda");
    effect.operation = Arc::from("Invoke");
    effect.iam_action = Arc::from("lambda:InvokeFunction");
    effect.resources.push(Resource {
        role: Role::Target,
        kind: Arc::from("lambda:function"),
        name: String::new(),
        basis: NameBasis::Unnamed,
        pattern: false,
        identifiers: vec![Identifier { name: Arc::from("Macro"), value: format!("<{name}>") }],
    });
    effect
        .parameters
        .incomplete(Completeness::Partial("what a macro makes of the template is told by its function"));
    Ok(effect)
}
