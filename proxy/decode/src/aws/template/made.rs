//! One resource of a template into effects: what it is made or changed into, what that opens, grants and runs.
//!
//! Leaves out the stack as a whole (`mod.rs`), and what the serverless transform makes of its own types.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ordain_action::{
    Access, Completeness, Effect, Identifier, Level, NameBasis, Parameters, Resource, Role, Scalar,
    Undecodable,
};
use ordain_catalog::TypeName;

use super::leaf::Leaves;
use super::node::{Node, unread};
use super::resolve::Scope;
use super::section::Declared;
use super::value::Value;
use super::word::{self, Path};
use super::{kind, reference, role, used};
use crate::aws::bind::is_arn;
use crate::aws::cloud_types::grants;
use crate::aws::{Room, authority, cloud, indirect, outside};
use crate::form::Fields;

/// Conditions that decide values of one resource and that the request does not decide: more than this many are not
/// followed each way.
const UNDECIDED_MAX: usize = 2;

/// What begins the parameters that are properties.
pub(super) const STATE: &str = "DesiredState";

const OUTSIDE: &str = "a value is told by something outside of the request";
const UNKNOWN_TYPE: &str = "what the type opens or grants is not in the catalogue";
const UNKNOWN_PROPERTY: &str = "a property is not in the catalogue";
const FOREIGN: &str = "what the type does is told by its own handler";
const CUSTOM: &str = "what a custom resource does is told by its function";
const ELSEWHERE: &str = "what it makes stands in a template somewhere else";
const RETOLD: &str = "a macro may tell it in another way";

/// Whether what a template says is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// All of it is made.
    Makes,
    /// Each may be made, changed, or made anew in the place of the one there is.
    Changes,
}

/// What a template comes to.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) effects: Vec<Effect>,
    /// What a change of it would put something else in the place of.
    pub(super) replaced: Vec<Resource>,
    /// More is made than the template says.
    pub(super) indirect: bool,
    /// References to secrets and parameters.
    pub(super) references: Vec<String>,
    /// Bytes of parameters so far.
    size: usize,
}

/// The most that all effects of a template may carry.
const EFFECTS_MAX: usize = 4_000;
const SIZE_MAX: usize = 8 << 20;

impl Contents {
    pub(super) fn push(&mut self, effect: Effect) -> Result<(), Undecodable> {
        let length = |value: Scalar<'_>| match value {
            Scalar::Text(text) | Scalar::Number(text) | Scalar::Token(text) => text.len(),
            Scalar::Bool(_) | Scalar::Null | Scalar::Empty => 0,
        };
        self.size += effect.parameters.iter().map(|leaf| leaf.path.len() + length(leaf.value)).sum::<usize>();
        self.effects.push(effect);
        if self.effects.len() > EFFECTS_MAX || self.size > SIZE_MAX {
            return Err(unread("it does more than is judged at once; make several stacks of it"));
        }
        Ok(())
    }
}

/// What all resources of one template are made in.
#[derive(Debug)]
pub(super) struct Maker<'t> {
    pub(super) room: &'t Room,
    pub(super) doing: Doing,
    /// What the stack is called, for people.
    pub(super) stack: &'t str,
    /// A macro may change all that is read.
    pub(super) retold: bool,
}

impl Maker<'_> {
    /// Adds what a resource comes to.
    ///
    /// # Errors
    /// It comes to more than is judged.
    pub(super) fn make(
        &self,
        scope: &mut Scope<'_>,
        declared: Declared<'_>,
        contents: &mut Contents,
    ) -> Result<(), Undecodable> {
        let empty = Node::Map(Vec::new());
        let node = declared.node.get("Properties").unwrap_or(&empty);
        scope.undecided.borrow_mut().clear();
        let whole = scope.value(node)?;
        let undecided: Vec<String> = scope.undecided.borrow().iter().cloned().collect();
        if undecided.is_empty() || undecided.len() > UNDECIDED_MAX {
            return self.one(scope, &declared, &whole, &[], contents);
        }
        for ways in 0..1_usize << undecided.len() {
            let way = |at: usize| ways >> at & 1 == 1;
            let assumed: BTreeMap<String, bool> =
                undecided.iter().enumerate().map(|(at, name)| (name.clone(), way(at))).collect();
            let said: Vec<(String, bool)> = assumed.clone().into_iter().collect();
            scope.assumed = assumed;
            let whole = scope.value(node);
            scope.assumed.clear();
            self.one(scope, &declared, &whole?, &said, contents)?;
        }
        Ok(())
    }

    fn one(
        &self,
        scope: &Scope<'_>,
        declared: &Declared<'_>,
        properties: &Value,
        said: &[(String, bool)],
        contents: &mut Contents,
    ) -> Result<(), Undecodable> {
        let mut leaves = Leaves::default();
        if *properties != Value::Map(Vec::new()) {
            leaves.add(STATE, properties);
        }
        if leaves.is_too_much() {
            return Err(unread("one resource has more properties than are read at once; send fewer"));
        }
        contents.references.append(&mut leaves.references);
        let piece = Piece { maker: self, scope, declared, properties, said, leaves };
        piece.effects(contents)
    }
}

/// One resource, its values known as far as they are.
struct Piece<'p> {
    maker: &'p Maker<'p>,
    scope: &'p Scope<'p>,
    declared: &'p Declared<'p>,
    properties: &'p Value,
    said: &'p [(String, bool)],
    leaves: Leaves,
}

impl Piece<'_> {
    fn effects(&self, contents: &mut Contents) -> Result<(), Undecodable> {
        let type_name = self.declared.type_name;
        let fields = self.fields()?;
        for resource in role::passed(type_name, &self.leaves, &self.scope.place) {
            let effect = self.passed_role(resource)?;
            if !contents.effects.contains(&effect) {
                contents.push(effect)?;
            }
        }
        if kind::is_custom(type_name) {
            return contents.push(self.invoked(&fields)?);
        }
        if let Some((service, operation)) = kind::runs(type_name) {
            let mut effect = self.effect(&fields, service, operation, Access::Execute)?;
            effect.iam_action = Arc::from(format!("{service}:{operation}"));
            if kind::is_nested(type_name) {
                contents.indirect = true;
                effect.parameters.incomplete(Completeness::Partial(ELSEWHERE));
                return contents.push(effect);
            }
            contents.push(effect)?;
        }
        if type_name == "AWS::CloudWatch::Alarm" {
            self.alarm(&fields, contents)?;
        }
        contents.indirect |= kind::is_foreign(type_name);
        let (classes, why) = self.classes();
        let whole = |operation: &str, access: Access| -> Result<Effect, Undecodable> {
            let mut effect = self.effect(&fields, "cloudformation", operation, access)?;
            if let Some(why) = why {
                effect.parameters.incomplete(Completeness::Partial(why));
            }
            Ok(effect)
        };
        contents.push(whole("CreateResource", Access::Create)?)?;
        let operation = match self.maker.doing {
            Doing::Makes => "CreateResource",
            Doing::Changes => {
                contents.push(whole("UpdateResource", Access::Update)?)?;
                self.tags(contents)?;
                "UpdateResource"
            }
        };
        for access in classes {
            contents.push(whole(operation, access)?)?;
        }
        if self.maker.doing == Doing::Changes && self.is_replaceable() {
            let target = self.target();
            if !contents.replaced.contains(&target) {
                contents.replaced.push(target);
            }
        }
        Ok(())
    }

    fn known(&self) -> Option<TypeName<'_>> {
        self.scope.catalog.resource_type(self.declared.type_name)
    }

    /// What it is beside being made or changed, and why not all of it is known.
    fn classes(&self) -> (BTreeSet<Access>, Option<&'static str>) {
        let type_name = self.declared.type_name;
        let mut classes = BTreeSet::new();
        let mut why = None;
        if self.maker.retold {
            why = Some(RETOLD);
        }
        if grants(type_name) {
            classes.insert(Access::Grant);
        }
        classes.extend(kind::opens(type_name, self.properties));
        for leaf in &self.leaves.all {
            let path = Path::of(&leaf.path);
            let Some(text) = leaf.text() else { continue };
            if leaf.open && (word::may_open(&path).is_some() || text.trim_start().starts_with('{')) {
                classes.insert(word::may_open(&path).unwrap_or(Access::Grant));
                why = Some(OUTSIDE);
            }
            classes.extend(word::opens(&path, text));
            if self.leads_out(&path, &leaf.path, text) {
                classes.insert(Access::Expose);
            }
        }
        for path in &self.leaves.unknown {
            why = Some(OUTSIDE);
            classes.extend(word::may_open(&Path::of(path)));
        }
        if matches!(self.properties, Value::Unknown(_) | Value::Either(..)) {
            classes.extend([Access::Grant, Access::Expose]);
        }
        match self.known() {
            Some(known) => {
                let names: BTreeSet<&str> = known.properties().map(|property| property.name).collect();
                let other = |(name, _): &(String, Value)| !names.contains(name.as_str());
                if let Value::Map(members) = self.properties
                    && members.iter().any(other)
                {
                    why = why.or(Some(UNKNOWN_PROPERTY));
                }
            }
            None if kind::is_foreign(type_name) => why = Some(FOREIGN),
            None => {
                why = Some(UNKNOWN_TYPE);
                classes.extend([Access::Grant, Access::Expose]);
            }
        }
        (classes, why)
    }

    /// Whether a value sends something to where nobody of the account looks after it.
    fn leads_out(&self, path: &Path, written: &str, text: &str) -> bool {
        let place = &self.scope.place;
        if is_arn(text) {
            let known = place.account.bytes().all(|byte| byte.is_ascii_digit());
            return known && outside::elsewhere(written, text, place);
        }
        match self.declared.type_name {
            "AWS::SNS::Subscription" | "AWS::SNS::Topic" => {
                path.last() == "endpoint" && !text.starts_with("${")
            }
            "AWS::Events::ApiDestination" => path.last() == "invocationendpoint",
            "AWS::IoT::TopicRule"
            | "AWS::IoT::TopicRuleDestination"
            | "AWS::KinesisFirehose::DeliveryStream" => {
                path.last().contains("url") && outside::is_address(text) && !path.says("sqs")
            }
            "AWS::S3::Bucket" => {
                path.first() == "replicationconfiguration"
                    && path.last() == "account"
                    && text != place.account
            }
            _ => false,
        }
    }

    /// Another value of some property makes another resource, and takes away the one there is.
    fn is_replaceable(&self) -> bool {
        let kept = self.declared.attribute("UpdateReplacePolicy") == Some("Retain");
        !kept && self.known().is_none_or(|known| known.properties().any(|property| property.create_only))
    }

    fn fields(&self) -> Result<Fields, Undecodable> {
        let mut more = vec![("StackName", self.maker.stack), ("LogicalResourceId", self.declared.id)];
        more.push(("TypeName", self.declared.type_name));
        for name in ["Condition", "DeletionPolicy", "UpdateReplacePolicy"] {
            more.extend(self.declared.attribute(name).map(|text| (name, text)));
        }
        let assumed: Vec<String> = self.said.iter().map(|(name, _)| format!("Assuming.{name}")).collect();
        for (path, (_, truth)) in assumed.iter().zip(self.said) {
            more.push((path, if *truth { "true" } else { "false" }));
        }
        self.leaves.fields(self.maker.room, &more)
    }

    fn effect(
        &self,
        fields: &Fields,
        service: &str,
        operation: &str,
        access: Access,
    ) -> Result<Effect, Undecodable> {
        let parameters = parameters(fields.iter())?;
        let mut effect = Effect {
            service: Arc::from(service),
            operation: Arc::from(operation),
            iam_action: Arc::from(format!("cloudformation:{operation}")),
            access,
            level: Level::Control,
            resources: vec![self.target()],
            parameters,
        };
        let place = &self.scope.place;
        let own = Arc::clone(&self.target().kind);
        let attached = cloud::attached_to(&effect, self.declared.type_name, place);
        // What the same stack makes is judged where it is made, and its own name is no other resource.
        let other = |resource: &Resource| {
            resource.kind != own && resource.identifiers.iter().all(|one| !one.value.contains("${"))
        };
        let mut more: Vec<Resource> = attached.into_iter().filter(other).collect();
        more.extend(used::named(self.declared.type_name, &self.leaves, place));
        more.extend(authority::used_keys("", fields, place));
        for resource in more {
            // What is changed is used by that too.
            let known = |known: &Resource| known.name == resource.name && known.role <= resource.role;
            if resource.name.is_empty() || !effect.resources.iter().any(known) {
                effect.resources.push(resource);
            }
        }
        Ok(effect)
    }

    /// The resource itself.
    fn target(&self) -> Resource {
        let type_name = self.declared.type_name;
        let place = &self.scope.place;
        let identifier = self.identifier().unwrap_or_default();
        let (kind, mut name, mut basis) = cloud::named(type_name, &identifier, self.scope.catalog, place);
        if let Some(named) = kind::named(type_name, self.properties, place) {
            basis = if named.is_some() { NameBasis::Reviewed } else { NameBasis::Unnamed };
            name = named.unwrap_or_default();
        }
        if name.contains(":rds:") || name.contains(":redshift:") {
            name = name.to_ascii_lowercase();
        }
        // No name of anything has these signs in it, so that a logical id stands for nothing else.
        let logical = format!("{} <{}>", self.declared.id, self.maker.stack);
        let mut identifiers = vec![
            Identifier { name: Arc::from("LogicalResourceId"), value: logical },
            Identifier { name: Arc::from("TypeName"), value: type_name.to_owned() },
        ];
        let local = !place.account.contains('*');
        if !identifier.is_empty() && local {
            identifiers.push(Identifier { name: Arc::from("Identifier"), value: identifier });
        }
        let pattern = name.contains(['*', '?']);
        Resource { role: Role::Target, kind, name, basis, pattern, identifiers }
    }

    /// The primary identifier, where every part of it is told.
    fn identifier(&self) -> Option<String> {
        let known = self.known()?;
        let mut parts: Vec<_> = known.properties().filter(|property| property.part.is_some()).collect();
        parts.sort_by_key(|property| property.part);
        let text = |property: &ordain_catalog::Property<'_>| {
            let value = self.properties.member(property.name).filter(|_| !property.read_only)?.known()?;
            (!value.is_empty() && !value.contains(['{', '}', '|'])).then_some(value)
        };
        let all: Option<Vec<String>> = parts.iter().map(text).collect();
        all.filter(|all| !all.is_empty()).map(|all| all.join("|"))
    }

    fn passed_role(&self, resource: Resource) -> Result<Effect, Undecodable> {
        let service = self.declared.type_name.split("::").nth(1).unwrap_or_default().to_ascii_lowercase();
        Ok(Effect {
            service: Arc::from("iam"),
            operation: Arc::from("PassRole"),
            iam_action: Arc::from("iam:PassRole"),
            access: Access::Execute,
            level: Level::Control,
            resources: vec![resource],
            parameters: parameters([("PassedToService", Scalar::Text(&service))].into_iter())?,
        })
    }

    /// A custom resource is a call of the function, or a message to the topic, that it names.
    fn invoked(&self, fields: &Fields) -> Result<Effect, Undecodable> {
        let token = self.properties.member("ServiceToken");
        let known = token.and_then(Value::known).unwrap_or_default();
        let topic = known.split(':').nth(2) == Some("sns");
        let (service, operation, kind) =
            if topic { ("sns", "Publish", "sns:topic") } else { ("lambda", "Invoke", "lambda:function") };
        let mut effect = self.effect(fields, service, operation, Access::Execute)?;
        effect.iam_action = Arc::from(if topic { "sns:Publish" } else { "lambda:InvokeFunction" });
        let (name, basis) = if is_arn(&known) {
            // A version or an alias of a function is the function.
            let parts = if topic { usize::MAX } else { 7 };
            (known.split(':').take(parts).collect::<Vec<_>>().join(":"), NameBasis::Carried)
        } else {
            (String::new(), NameBasis::Unnamed)
        };
        let written = token.and_then(Value::scalar).filter(|text| !text.secret).map(|text| text.text);
        let value = written.unwrap_or_else(|| format!("{} <{}>", self.declared.id, self.maker.stack));
        let pattern = name.contains(['*', '?']);
        let identifiers = vec![Identifier { name: Arc::from("ServiceToken"), value }];
        effect.resources =
            vec![Resource { role: Role::Target, kind: Arc::from(kind), name, basis, pattern, identifiers }];
        effect.parameters.incomplete(Completeness::Partial(CUSTOM));
        Ok(effect)
    }

    /// An alarm may end the machines that it watches, or any where that is not told.
    fn alarm(&self, fields: &Fields, contents: &mut Contents) -> Result<(), Undecodable> {
        let acts = |text: &str| indirect::acts_on_machine(text);
        if !self.leaves.all.iter().any(|leaf| leaf.text().is_some_and(acts)) {
            return Ok(());
        }
        let dimensions = self.properties.member("Dimensions").map(Value::items).unwrap_or_default();
        let of = |item: &Value, name: &str| item.member(name).and_then(Value::known);
        let machine = dimensions.iter().find(|item| of(item, "Name").as_deref() == Some("InstanceId"));
        let id = machine.and_then(|item| of(item, "Value")).unwrap_or_else(|| "*".to_owned());
        let mut effect = self.effect(fields, "cloudwatch", "PutMetricAlarm", Access::Execute)?;
        effect.iam_action = Arc::from("cloudwatch:PutMetricAlarm");
        effect.resources = vec![Resource {
            role: Role::Target,
            kind: Arc::from("ec2:instance"),
            name: self.scope.place.arn("ec2", &format!("instance/{id}")),
            basis: NameBasis::Reviewed,
            pattern: id.contains('*'),
            identifiers: vec![Identifier { name: Arc::from("InstanceId"), value: id }],
        }];
        contents.push(effect)
    }

    /// Labels that an update puts on what is there: they may say who owns it.
    fn tags(&self, contents: &mut Contents) -> Result<(), Undecodable> {
        let is_tag = |path: &str| Path::of(path).first().starts_with("tag") || !path.starts_with(STATE);
        let all = self.fields()?;
        let tags = all.iter().filter(|(path, _)| is_tag(path));
        if !tags.clone().any(|(path, _)| path.starts_with(STATE)) {
            return Ok(());
        }
        let mut effect = Effect {
            service: Arc::from("cloudformation"),
            operation: Arc::from("UpdateResource"),
            iam_action: Arc::from("cloudformation:UpdateResource"),
            access: Access::Tag,
            level: Level::Control,
            resources: vec![self.target()],
            parameters: parameters(tags)?,
        };
        if self.leaves.unknown.iter().any(|path| is_tag(path)) {
            effect.parameters.incomplete(Completeness::Partial(OUTSIDE));
        }
        contents.push(effect)
    }
}

/// Parameters of flat values.
pub(super) fn parameters<'v>(
    leaves: impl Iterator<Item = (&'v str, Scalar<'v>)>,
) -> Result<Parameters, Undecodable> {
    let mut parameters = Parameters::new();
    for (path, value) in leaves {
        parameters
            .push(path, value)
            .map_err(|_| unread("it has more values than are judged at once; send fewer"))?;
    }
    Ok(parameters)
}

/// Adds what references read, once each.
pub(super) fn read_secrets(scope: &Scope<'_>, contents: &mut Contents) -> Result<(), Undecodable> {
    let mut references = std::mem::take(&mut contents.references);
    references.extend(scope.template.texts_beside().into_iter().map(str::to_owned));
    let named = scope.read.borrow().iter().cloned().collect::<Vec<_>>();
    for effect in reference::read(&references, &named, &scope.place)? {
        contents.push(effect)?;
    }
    Ok(())
}
