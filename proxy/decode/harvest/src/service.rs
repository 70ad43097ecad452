//! One service's text: its head, and what is kept of each operation.
//!
//! Leaves out files.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail};
use ordain_action::Access;

use crate::access::{Signals, classify, makes};
use crate::answer;
use crate::bind::{Binding, Subject};
use crate::iam::{Action, Iam};
use crate::model::wire::{Visit, xml_lists};
use crate::model::{Model, Operation, Shape};
use crate::places::Places;
use crate::reviewed;

/// Lines of members are broken here, so that a change shows as few of them.
const WIDTH: usize = 110;

/// One service on its way to text.
#[derive(Debug)]
pub(crate) struct Service<'a> {
    pub(crate) name: &'a str,
    pub(crate) model: &'a Model,
    pub(crate) iam: &'a Iam,
    pub(crate) reviewed: &'a reviewed::Service,
    /// The static parameters of operations that have hosts of their own.
    pub(crate) facets: &'a dyn Facets,
}

/// Which operations of a service go to hosts of their own.
pub(crate) trait Facets: std::fmt::Debug {
    /// The name of the hosts that an operation goes to, where they are not the service's usual ones.
    fn of(&self, operation: &Operation) -> Option<String>;
}

impl Service<'_> {
    /// The whole text.
    pub(crate) fn text(&self) -> Result<String> {
        if let Some(unknown) = self.reviewed.named().find(|name| !self.model.operations.contains_key(*name)) {
            bail!("`{unknown}` is reviewed and is no operation of the service; correct its name");
        }
        let prefix = self.iam_prefix();
        let protocols = self.protocols();
        let mut text = self.head(&prefix, &protocols)?;
        for (name, operation) in &self.model.operations {
            let lines = self.operation(name, operation, &prefix, &protocols).with_context(|| name.clone())?;
            text.push('\n');
            text.push_str(&lines);
        }
        Ok(text)
    }

    fn protocols(&self) -> Vec<String> {
        let mut protocols = self.model.protocols();
        protocols.extend(self.reviewed.also_protocols.iter().cloned());
        protocols
    }

    /// The reviewed prefix, else the one of its names under which most permissions carry its operations' names.
    fn iam_prefix(&self) -> String {
        if let Some(prefix) = &self.reviewed.iam_prefix {
            return prefix.clone();
        }
        let names = [self.model.signing_name(), &self.model.metadata.endpoint_prefix, self.name];
        let count = |prefix: &str| self.iam.overlap(prefix, self.model.operations.keys().map(String::as_str));
        let mut best = (self.model.signing_name(), 0);
        for name in names {
            let overlap = count(name);
            if overlap > best.1 {
                best = (name, overlap);
            }
        }
        best.0.to_owned()
    }

    fn head(&self, prefix: &str, protocols: &[String]) -> Result<String> {
        let metadata = &self.model.metadata;
        let mut text = format!("service {}\n", self.name);
        writeln!(text, "id {}", metadata.service_id)?;
        writeln!(text, "signing {}", self.model.signing_name())?;
        writeln!(text, "endpoint {}", metadata.endpoint_prefix)?;
        writeln!(text, "version {}", metadata.api_version)?;
        if let Some(target) = &metadata.target_prefix {
            writeln!(text, "target {target}")?;
        }
        if protocols.iter().any(|protocol| protocol == "rpc-v2-cbor") {
            // Smithy RPC paths carry the name of the service shape, which is the target prefix where there is one.
            let rpc = metadata.target_prefix.clone().unwrap_or_else(|| metadata.service_id.replace(' ', ""));
            writeln!(text, "rpc {rpc}")?;
        }
        if let Some(version) = &metadata.json_version {
            writeln!(text, "json {version}")?;
        }
        writeln!(text, "iam {prefix}")?;
        writeln!(text, "protocols {}", protocols.join(" "))?;
        Ok(text)
    }

    fn operation(
        &self,
        name: &str,
        operation: &Operation,
        prefix: &str,
        protocols: &[String],
    ) -> Result<String> {
        let input = Places::input(self.model, operation, protocols);
        let output = Places::output(self.model, name, operation, protocols);
        let (actions, documented) = self.actions(name, operation, prefix);
        let (access, creates) = self.access(name, operation, &documented, &output)?;
        let level = self.level(name);
        let mut text =
            format!("op {name} {access} {level} {}\n", actions.join(" "), access = access.as_str());
        let mut lines = Vec::new();
        self.wire(operation, &mut lines)?;
        members(self.model, operation, &mut lines);
        self.marks(name, &input, protocols, &mut lines)?;
        let subject = Subject {
            iam: self.iam,
            prefix,
            kinds: &self.reviewed.kinds,
            members: &self.reviewed.members,
            name,
            creates,
            required: self.model.input(operation).map_or(&[], |shape| shape.required.as_slice()),
            actions: &documented,
            places: &input,
        };
        let confirmed = self.reviewed.is_confirmed(name);
        for mut binding in subject.bindings(self.reviewed.bind.get(name))? {
            if confirmed && binding.basis == "bound" {
                binding.basis = "reviewed";
            }
            lines.push(binding_line(&binding, &input));
        }
        lines.extend(answer::creates(&subject, &output, self.reviewed.new.get(name))?);
        lines.extend(answer::mints(&output, self.reviewed.mint.get(name))?);
        for line in lines {
            text.push_str(&line);
            text.push('\n');
        }
        Ok(text)
    }

    /// The permissions of an operation, and those of them that AWS documents.
    fn actions(&self, name: &str, operation: &Operation, prefix: &str) -> (Vec<String>, Vec<&Action>) {
        let named: Vec<String> = match self.reviewed.iam.get(name) {
            Some(named) => named.clone(),
            // API Gateway's permissions are HTTP methods.
            None if prefix == "apigateway" => vec![format!("apigateway:{}", operation.http.method)],
            None => vec![format!("{prefix}:{name}")],
        };
        let documented: Vec<&Action> = named
            .iter()
            .filter_map(|full| full.split_once(':'))
            .filter_map(|(prefix, name)| self.iam.action(prefix, name))
            .collect();
        let named = named
            .into_iter()
            .map(|full| {
                let known = full.split_once(':').and_then(|(prefix, name)| {
                    self.iam.action(prefix, name).map(|action| format!("{prefix}:{}", action.name))
                });
                known.unwrap_or(full)
            })
            .collect();
        (named, documented)
    }

    /// The class, and whether something new is made.
    fn access(
        &self,
        name: &str,
        operation: &Operation,
        documented: &[&Action],
        output: &Places<'_>,
    ) -> Result<(Access, bool)> {
        if let Some(class) = self.reviewed.access_of(name) {
            // `create-grant` is a grant that makes something new.
            let (creates, class) =
                class.strip_prefix("create-").map_or((false, class), |class| (true, class));
            let access = Access::parse(class).with_context(|| format!("`{class}` is no class"))?;
            return Ok((access, creates || access == Access::Create));
        }
        let levels: Vec<String> = documented.iter().map(|action| action.access_level.clone()).collect();
        let access = classify(Signals {
            name,
            levels: &levels,
            method: self.model.is_rest().then_some(operation.http.method.as_str()),
            readonly: operation.readonly,
            hands_out_secrets: answer::hands_out_secrets(output),
        });
        // Where the vendor's level says what is granted, bindings are read as of what is there.
        let by_level = levels.iter().any(|level| level == "Permissions management");
        Ok((access, !by_level && makes(name, access)))
    }

    fn level(&self, name: &str) -> &'static str {
        if self.reviewed.data || self.reviewed.data_operations.iter().any(|operation| operation == name) {
            "data"
        } else {
            "control"
        }
    }

    /// Method, path, what a request must carry, how it is signed, and what becomes of its body.
    fn wire(&self, operation: &Operation, lines: &mut Vec<String>) -> Result<()> {
        if self.model.is_rest() || operation.http.request_uri != "/" {
            lines.push(format!("http {} {}", operation.http.method, operation.http.request_uri));
        }
        let input = self.model.input(operation);
        if let Some(shape) = input.filter(|_| self.model.is_rest()) {
            let mut need = String::new();
            for name in &shape.required {
                let Some(member) = shape.members.get(name) else { continue };
                let wire = member.location_name.as_deref().unwrap_or(name);
                match member.location.as_deref() {
                    Some("querystring") => write!(need, " query {wire}")?,
                    Some("header") => write!(need, " header {}", wire.to_lowercase())?,
                    _ => {}
                }
            }
            if !need.is_empty() {
                lines.push(format!("need{need}"));
            }
        }
        if let Some(auth) = self.auth(operation) {
            lines.push(format!("auth {auth}"));
        }
        if let Some(payload) = input.and_then(|shape| self.payload(shape)) {
            lines.push(format!("payload {payload}"));
        }
        if let Some(prefix) = &operation.endpoint {
            lines.push(format!("host {}", prefix.host_prefix));
        }
        if let Some(facet) = self.facets.of(operation) {
            lines.push(format!("endpoint {facet}"));
        }
        let output = self.model.output(operation);
        if [input, output].into_iter().flatten().any(|shape| self.streams_events(shape)) {
            lines.push("event-stream".to_owned());
        }
        let dry_run = input.is_some_and(|shape| shape.members.contains_key("DryRun"));
        if dry_run && self.name == "ec2" {
            lines.push("dry-run".to_owned());
        }
        Ok(())
    }

    fn auth(&self, operation: &Operation) -> Option<&'static str> {
        let none = operation.authtype.as_deref() == Some("none")
            || operation.auth.iter().any(|auth| auth.ends_with("noAuth"));
        if none {
            return Some("none");
        }
        if operation.authtype.as_deref() == Some("v4-unsigned-body") {
            return Some("v4-unsigned-body");
        }
        match self.model.metadata.signature_version.as_str() {
            "bearer" => Some("bearer"),
            "v2" => Some("v2"),
            _ if self.model.metadata.auth.first().is_some_and(|auth| auth.ends_with("sigv4a")) => Some("v4a"),
            _ => None,
        }
    }

    fn payload(&self, shape: &Shape) -> Option<String> {
        let name = shape.payload.as_ref().filter(|_| self.model.is_rest())?;
        let member = shape.members.get(name)?;
        let inner = self.model.shape(member)?;
        let kind = match inner.kind.as_str() {
            "blob" if inner.streaming || member.streaming => "streamed",
            "structure" => "document",
            _ => "blob",
        };
        Some(format!("{kind} {name}"))
    }

    fn streams_events(&self, shape: &Shape) -> bool {
        shape.members.values().filter_map(|member| self.model.shape(member)).any(|inner| inner.eventstream)
    }

    /// Sensitive members, idempotency tokens, and lists in XML bodies.
    fn marks(
        &self,
        name: &str,
        input: &Places<'_>,
        protocols: &[String],
        lines: &mut Vec<String>,
    ) -> Result<()> {
        let mut secret = Vec::new();
        let mut token = Vec::new();
        for (number, visit) in input.visits().iter().enumerate() {
            if visit.shape.sensitive || (visit.recursive && self.hides_secrets(visit)) {
                let below = !matches!(visit.shape.letter(), 's' | 'n' | 'b' | 't' | 'B') || visit.recursive;
                let under = secret.last().is_some_and(|last: &String| covers(last, visit));
                if !under {
                    secret.extend(places(input, number, visit, if below { ".**" } else { "" }));
                }
            }
            if visit.reference.idempotency_token {
                token.extend(places(input, number, visit, ""));
            }
        }
        for path in self.reviewed.secret.get(name).into_iter().flatten() {
            let number = input.find(path).with_context(|| format!("no member `{path}`"))?;
            let visit = input.visits().get(number).context("a member that was found is there")?;
            secret.extend(places(input, number, visit, ""));
        }
        push_folded("secret", &secret, lines);
        push_folded("token", &token, lines);
        if protocols.iter().any(|protocol| protocol == "rest-xml") {
            push_folded("list", &xml_lists(input.visits()), lines);
        }
        Ok(())
    }

    /// Whether a shape that contains itself has a sensitive member: all below it is taken for one then.
    fn hides_secrets(&self, visit: &Visit<'_>) -> bool {
        let mut seen: Vec<&str> = Vec::new();
        let mut open = vec![visit.reference.shape.as_str()];
        while let Some(name) = open.pop() {
            if seen.contains(&name) {
                continue;
            }
            seen.push(name);
            let Some(shape) = self.model.shapes.get(name) else { continue };
            if shape.sensitive {
                return true;
            }
            let inner = shape.members.values().chain(&shape.member).chain(&shape.value).chain(&shape.key);
            open.extend(inner.map(|reference| reference.shape.as_str()));
        }
        false
    }
}

fn covers(last: &str, visit: &Visit<'_>) -> bool {
    last.split_once(':')
        .and_then(|(_, path)| path.strip_suffix("**"))
        .is_some_and(|stem| visit.path.starts_with(stem))
}

fn places(input: &Places<'_>, number: usize, visit: &Visit<'_>, behind: &str) -> Vec<String> {
    input
        .paths(number)
        .into_iter()
        .map(|path| match path.split_once('@') {
            Some((path, protocol)) => format!("{}:{path}{behind}@{protocol}", visit.location),
            None => format!("{}:{path}{behind}", visit.location),
        })
        .collect()
}

fn binding_line(binding: &Binding, input: &Places<'_>) -> String {
    let template = if binding.template.is_empty() { "-" } else { binding.template.as_str() };
    let mut line = format!("bind {} {} {} {template}", binding.role, binding.kind, binding.basis);
    if !binding.value_prefix.is_empty() {
        line.push_str(&format!(" ^{}", binding.value_prefix));
    }
    for (variable, number) in &binding.members {
        let Some(visit) = input.visits().get(*number) else { continue };
        let name = visit.name();
        let named = if name == variable { variable.clone() } else { format!("{variable}/{name}") };
        for place in places(input, *number, visit, "") {
            line.push_str(&format!(" {named}={place}"));
        }
    }
    line
}

/// Top-level members, in the vendor's order.
fn members(model: &Model, operation: &Operation, lines: &mut Vec<String>) {
    let Some(shape) = model.input(operation) else { return };
    let mut words = Vec::new();
    for (name, member) in &shape.members {
        let letter = model.shape(member).map_or('o', Shape::letter);
        let required = if shape.required.contains(name) { "!" } else { "" };
        let location = match member.location.as_deref().filter(|_| model.is_rest()) {
            Some("uri") => "@uri",
            Some("querystring") => "@query",
            Some("header") => "@header",
            Some("headers") => "@headers",
            _ => "",
        };
        let wire = wire_name(model, name, member, location);
        let wire = if wire == *name { String::new() } else { format!("={wire}") };
        words.push(format!("{name}{required}{wire}{location}:{letter}"));
    }
    push_folded("in", &words, lines);
}

fn wire_name(model: &Model, name: &str, member: &crate::model::Reference, location: &str) -> String {
    let wire = member.location_name.as_deref().unwrap_or(name);
    match (location, model.metadata.protocol.as_str()) {
        ("@header" | "@headers", _) => wire.to_lowercase(),
        (_, "ec2") => {
            let mut characters = wire.chars();
            let upper =
                characters.next().map(|first| first.to_uppercase().chain(characters).collect::<String>());
            member.query_name.clone().or(upper).unwrap_or_default()
        }
        _ => wire.to_owned(),
    }
}

/// Words on as many lines as they need, each beginning with the keyword.
fn push_folded(keyword: &str, words: &[String], lines: &mut Vec<String>) {
    let mut line = String::new();
    for word in words {
        if !line.is_empty() && line.len() + word.len() + 1 > WIDTH {
            lines.push(std::mem::take(&mut line));
        }
        if line.is_empty() {
            keyword.clone_into(&mut line);
        }
        line.push(' ');
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
}
