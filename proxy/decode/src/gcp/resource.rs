//! Names of what a path asks for: Google's full resource names, `//compute.googleapis.com/projects/p/zones/z/instances/i`.
//!
//! Leaves out what a body refers to (`refer.rs`). A `-` that stands for all of a kind becomes a pattern.

use std::sync::Arc;

use ordain_action::{Identifier, NameBasis, Resource, Role};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::authority;
use super::path::{Part, Route};
use super::system::fold;
use crate::form::Fields;
use crate::form::query::Pair;
use crate::rest::Names;

/// What would make a part a pattern, or another part.
const PART: &AsciiSet = &CONTROLS.add(b'%').add(b'*').add(b'?').add(b'/');
/// The same where a slash is a part of the name.
const SLASHED: &AsciiSet = &CONTROLS.add(b'%').add(b'*').add(b'?');

/// What holds projects, and is known to every service by the same name.
const HOLDERS: [&str; 3] = ["folders", "organizations", "projects"];
/// The service that they are resources of.
const MANAGER: &str = "cloudresourcemanager.googleapis.com";

/// A path without what is the same for all methods of an API, in the words of full names.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    parts: Vec<Part>,
    // What full names begin with, after `//`.
    host: String,
    // The literal words at the end that are none of a resource.
    action: bool,
}

/// What a request names, by the parts that its resources play.
#[derive(Debug, Default)]
pub(super) struct Named {
    pub(super) target: Option<Resource>,
    pub(super) parent: Option<Resource>,
    pub(super) uses: Vec<Resource>,
    /// The target is made by the request.
    pub(super) is_new: bool,
    /// Its name will be known from the answer alone.
    pub(super) unnamed: bool,
}

impl Subject {
    /// From the path of a request; `place` is the place that its host is in.
    pub(super) fn of(route: &Route, place: Option<&str>) -> Self {
        // What shares a host with others is named by itself.
        let host = match route.site.names() {
            "www.googleapis.com" => format!("{}.googleapis.com", route.service()),
            own => own.to_owned(),
        };
        let literals = route.parts.iter().take_while(|part| part.literal).take(4);
        let version =
            literals.enumerate().filter(|(_, part)| is_version(&part.text)).last().map(|(at, _)| at + 1);
        let mut parts: Vec<Part> = route.parts.iter().skip(version.unwrap_or_default()).cloned().collect();
        let service = route.service();
        rename(service, place, &mut parts);
        let word = fold(route.word());
        let is_action = |part: &Part| {
            let text = fold(&part.text);
            part.literal
                && (text == word
                    || service == "storage" && matches!(text.as_str(), "iam" | "testpermissions"))
        };
        let mut action = route.method.path.verb.is_some();
        while parts.len() > 1 && parts.last().is_some_and(is_action) {
            parts.pop();
            action = true;
        }
        Self { parts, host, action }
    }

    /// The project, folder or organization that the path is in, as its two first parts.
    pub(super) fn holder(&self) -> Option<(&str, &str)> {
        match self.parts.as_slice() {
            [kind, id, ..] if kind.literal && !id.literal && HOLDERS.contains(&kind.text.as_str()) => {
                Some((&kind.text, &id.text))
            }
            _ => None,
        }
    }

    /// The place that the path names.
    pub(super) fn region(&self) -> Option<String> {
        let mut pairs = self.parts.iter().zip(self.parts.iter().skip(1));
        pairs.find_map(|(kind, id)| match kind.text.as_str() {
            "locations" | "regions" if kind.literal && !id.literal => Some(id.text.clone()),
            "zones" if kind.literal && !id.literal => {
                id.text.rsplit_once('-').map(|(region, _)| region.to_owned())
            }
            _ => None,
        })
    }

    /// What the request is about.
    pub(super) fn named(
        &self,
        route: &Route,
        names: Names<'_>,
        query: &[Pair<'_>],
        body: Option<&Fields>,
    ) -> Named {
        let word = route.word();
        if let Some(named) = self.copied(route) {
            return named;
        }
        let last_value = self.parts.iter().rposition(|part| !part.literal).map_or(0, |at| at + 1);
        let tail = self.parts.len().saturating_sub(last_value);
        let makes = ["create", "insert", "import", "upload", "register", "add"]
            .iter()
            .any(|one| word.starts_with(one));
        if self.parts.is_empty() {
            return Named { target: Some(whole(Role::Target, names)), ..Named::default() };
        }
        if tail == 0 {
            let target = Some(self.one(Role::Target, self.parts.len()));
            let made = makes && !self.action && route.method.http == "PUT";
            let parent = made.then(|| self.parent(self.parts.len().saturating_sub(2), names));
            let uses = body.map(|body| self.composed(route, body)).unwrap_or_default();
            return Named { target, parent, uses, is_new: made, ..Named::default() };
        }
        if makes && route.method.http == "POST" && !self.action {
            return self.new_one(route, names, last_value, query, body);
        }
        if matches!(route.method.http, "PATCH" | "PUT")
            && let Some(name) = self.called(query, body)
        {
            let mut named = self.clone();
            named.parts.push(value(&name));
            return Named { target: Some(named.one(Role::Target, named.parts.len())), ..Named::default() };
        }
        let collection = self.parts.last().is_some_and(|part| part.text.ends_with('s'));
        let single = !collection || matches!(route.method.http, "PATCH" | "PUT");
        let target = if single && !word.starts_with("list") && !word.starts_with("aggregated") {
            self.one(Role::Target, self.parts.len())
        } else {
            self.all(Role::Target)
        };
        Named { target: Some(target), ..Named::default() }
    }

    /// A copy has two names in its path: what is copied, and what is written over or made.
    fn copied(&self, route: &Route) -> Option<Named> {
        if route.service() != "storage" {
            return None;
        }
        let words = ["copyTo", "rewriteTo", "moveTo", "renameTo"];
        let at = self.parts.iter().position(|part| part.literal && words.contains(&part.text.as_str()))?;
        let (from, rest) = self.parts.split_at_checked(at)?;
        let rest = rest.get(1..)?;
        let from = Self { parts: from.to_vec(), ..self.clone() };
        let mut to = rest.to_vec();
        let holder = from.parts.get(..from.parts.len().saturating_sub(2)).unwrap_or_default();
        // In another bucket, or in the same one.
        if to.first().is_none_or(|part| part.text != "buckets") {
            to = holder.iter().cloned().chain(to).collect();
        }
        rename("storage", None, &mut to);
        let to = Self { parts: to, ..self.clone() };
        let moves = matches!(route.word(), "move" | "rename");
        let uses = from.one(if moves { Role::Target } else { Role::Uses }, from.parts.len());
        Some(Named {
            target: Some(to.one(Role::Target, to.parts.len())),
            uses: vec![uses],
            ..Named::default()
        })
    }

    /// The objects that one is put together of, which may be deleted with it.
    fn composed(&self, route: &Route, body: &Fields) -> Vec<Resource> {
        if *route.method.id != *authority::COMPOSE {
            return Vec::new();
        }
        let role = if authority::deletes_sources(body) { Role::Target } else { Role::Uses };
        let mut sources: Vec<Resource> = Vec::new();
        for (path, value) in body.iter() {
            let ordain_action::Scalar::Text(name) = value else { continue };
            if !(path.starts_with("sourceObjects.") && path.ends_with(".name")) {
                continue;
            }
            let mut source = self.clone();
            if let Some(last) = source.parts.last_mut() {
                name.clone_into(&mut last.text);
            }
            let source = source.one(role, self.parts.len());
            if sources.iter().all(|known| known.name != source.name) {
                sources.push(source);
            }
        }
        sources
    }

    /// What will be made, by the name that the request gives it, and what it will lie in.
    fn new_one(
        &self,
        route: &Route,
        names: Names<'_>,
        last_value: usize,
        query: &[Pair<'_>],
        body: Option<&Fields>,
    ) -> Named {
        let project = query.iter().find(|pair| pair.name == "project").map(|pair| pair.value.as_ref());
        let parent = match (route.service(), project) {
            ("storage", Some(project)) if last_value <= 2 => holder(Role::Parent, "projects", project),
            ("cloudresourcemanager", _) if last_value == 0 => self.placed(body, query, names),
            _ => self.parent(last_value, names),
        };
        let mut named = Named { parent: Some(parent), is_new: true, ..Named::default() };
        named.target = Some(match self.called(query, body) {
            Some(name) => {
                let mut one = self.clone();
                one.parts.push(Part { slashed: self.is_slashed(), ..value(&name) });
                one.one(Role::Target, one.parts.len())
            }
            None => {
                named.unnamed = true;
                let kind = self.kind(self.parts.len());
                Resource { kind: Arc::from(kind), ..names.unnamed("", None) }
            }
        });
        named
    }

    /// What a new project or folder will lie in, which its body says.
    fn placed(&self, body: Option<&Fields>, query: &[Pair<'_>], names: Names<'_>) -> Resource {
        let parent = body.and_then(|body| body.text("parent"));
        let parent = parent
            .or_else(|| query.iter().find(|pair| pair.name == "parent").map(|pair| pair.value.as_ref()));
        let old = || {
            let body = body?;
            Some((format!("{}s", body.text("parent.type")?), body.text("parent.id")?.to_owned()))
        };
        let new = parent.and_then(|parent| parent.split_once('/'));
        let of = new.map(|(kind, id)| (kind.to_owned(), id.to_owned())).or_else(old);
        match of {
            Some((kind, id)) if HOLDERS.contains(&kind.as_str()) => holder(Role::Parent, &kind, &id),
            Some(_) | None => whole(Role::Parent, names),
        }
    }

    /// The name that a request gives to something in the collection that its path ends in.
    fn called(&self, query: &[Pair<'_>], body: Option<&Fields>) -> Option<String> {
        match self.asked(query) {
            Some(name) => Some(name.to_owned()).filter(|name| !name.is_empty()),
            None => self.said(body?),
        }
    }

    /// Whether the query and the body give different names to it.
    pub(super) fn named_twice(&self, query: &[Pair<'_>], body: &Fields) -> bool {
        let in_collection = self.parts.last().is_some_and(|part| part.literal);
        let asked = self.asked(query).filter(|_| in_collection);
        asked.is_some_and(|asked| self.said(body).is_some_and(|said| said != asked))
    }

    /// What the path ends in has slashes in its names.
    fn is_slashed(&self) -> bool {
        let collection = self.parts.last().map(|part| part.text.as_str());
        self.host == "storage.googleapis.com"
            && collection.is_some_and(|of| matches!(of, "objects" | "folders" | "managedFolders"))
    }

    /// The name that a query gives to it.
    fn asked<'q>(&self, query: &'q [Pair<'_>]) -> Option<&'q str> {
        let collection = &self.parts.last()?.text;
        let single = singular(collection);
        let ids = [format!("{single}id"), single.clone(), format!("{single}name")];
        let asked = query.iter().find(|pair| {
            let name = fold(pair.name.rsplit('.').next().unwrap_or_default());
            ids.contains(&name) || name == "name" && collection == "objects" && self.is_slashed()
        });
        asked.map(|pair| pair.value.as_ref())
    }

    /// The name that a body gives to it.
    fn said(&self, body: &Fields) -> Option<String> {
        let collection = &self.parts.last()?.text;
        let single = singular(collection);
        let plain = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        if self.is_slashed() {
            return body.text("name").and_then(plain);
        }
        let mut said = None;
        for (path, value) in body.iter() {
            let ordain_action::Scalar::Text(text) = value else { continue };
            let path = fold(path);
            let is_name = path == "name" || path == format!("{single}.name") || path == format!("{single}id");
            let is_reference = path == format!("{single}reference.{single}id");
            if is_name || is_reference {
                said = said.or_else(|| text.rsplit('/').next().and_then(plain));
            }
        }
        said.filter(|name| name != "-")
    }

    /// What the first of the parts are, as the holder of something.
    fn parent(&self, parts: usize, names: Names<'_>) -> Resource {
        let Some((kind, id)) = self.holder() else {
            return if parts < 2 { whole(Role::Parent, names) } else { self.one(Role::Parent, parts) };
        };
        let places = ["locations", "regions", "zones"];
        let is_place =
            |at: usize| self.parts.get(at).is_some_and(|part| places.contains(&part.text.as_str()));
        if parts <= 2 || parts <= 4 && is_place(2) {
            return holder(Role::Parent, kind, id);
        }
        self.one(Role::Parent, parts)
    }

    /// The resource that the first of the parts name.
    fn one(&self, role: Role, parts: usize) -> Resource {
        if let (2, Some((kind, id))) = (parts, self.holder()) {
            return holder(role, kind, id);
        }
        let (name, pattern) = self.name(parts);
        let id = self.parts.iter().take(parts).rfind(|part| !part.literal);
        Resource {
            role,
            kind: Arc::from(self.kind(parts)),
            name,
            basis: NameBasis::Carried,
            pattern,
            identifiers: id
                .map(|part| Identifier { name: Arc::from("id"), value: part.text.clone() })
                .into_iter()
                .collect(),
        }
    }

    /// The full name of the first of the parts, and whether it is a pattern.
    fn name(&self, parts: usize) -> (String, bool) {
        let mut name = format!("//{}", self.host);
        let mut pattern = false;
        for part in self.parts.iter().take(parts) {
            name.push('/');
            // All places, or whatever project has it.
            if !part.literal && part.text == "-" {
                name.push('*');
                pattern = true;
            } else {
                name.extend(utf8_percent_encode(&part.text, if part.slashed { SLASHED } else { PART }));
            }
        }
        (name, pattern)
    }

    /// Nothing in the path is a name.
    pub(super) fn names_nothing(&self) -> bool {
        self.parts.iter().all(|part| part.literal)
    }

    /// Whatever the service has in the project or folder.
    pub(super) fn whole_of_service(&self, role: Role) -> Resource {
        let one = self.one(role, 2);
        Resource { name: format!("{}/*", self.name(2).0), pattern: true, identifiers: Vec::new(), ..one }
    }

    /// All that there is of what the path ends in.
    pub(super) fn all(&self, role: Role) -> Resource {
        // All places at once: what is asked for may lie anywhere in the project.
        let everywhere = self.parts.iter().position(|part| part.literal && part.text == "aggregated");
        let parts = everywhere.unwrap_or(self.parts.len());
        let one = self.one(role, parts);
        let name = format!("{}/*", self.name(parts).0);
        let kind = Arc::from(self.kind(self.parts.len()));
        Resource { kind, name, pattern: true, identifiers: Vec::new(), ..one }
    }

    /// Service and collection.
    fn kind(&self, parts: usize) -> String {
        let service = self.host.split('.').next().unwrap_or_default();
        let collection = self.parts.iter().take(parts).rfind(|part| part.literal);
        format!("gcp:{service}/{}", collection.map_or("resource", |part| &part.text))
    }
}

/// All that the upstream has, where nothing narrower is named.
pub(super) fn whole(role: Role, names: Names<'_>) -> Resource {
    let one = holder(role, "organizations", names.account);
    Resource { kind: Arc::from("gcp:organization"), basis: NameBasis::Scope, identifiers: Vec::new(), ..one }
}

/// A project, folder or organization.
pub(super) fn holder(role: Role, kind: &str, id: &str) -> Resource {
    let every = id == "-";
    let id_text = if every { "*".to_owned() } else { utf8_percent_encode(id, PART).to_string() };
    Resource {
        role,
        kind: Arc::from(format!("gcp:cloudresourcemanager/{kind}")),
        name: format!("//{MANAGER}/{kind}/{id_text}"),
        basis: NameBasis::Carried,
        pattern: every,
        identifiers: vec![Identifier { name: Arc::from("id"), value: id.to_owned() }],
    }
}

fn value(text: &str) -> Part {
    Part { text: text.to_owned(), literal: false, slashed: false }
}

fn word(text: &str) -> Part {
    Part { text: text.to_owned(), literal: true, slashed: false }
}

/// Brings what is spelled in several ways into the one that full names have.
fn rename(service: &str, place: Option<&str>, parts: &mut Vec<Part>) {
    match service {
        "storage" => {
            for part in parts.iter_mut().filter(|part| part.literal) {
                match part.text.as_str() {
                    "b" => "buckets".clone_into(&mut part.text),
                    "o" => "objects".clone_into(&mut part.text),
                    _ => {}
                }
            }
            if parts.first().is_some_and(|part| part.literal && part.text == "buckets") {
                parts.splice(0..0, [word("projects"), value("_")]);
            }
        }
        // A project, seen as Kubernetes sees one; where it is, the host says.
        "run" if parts.first().is_some_and(|part| part.text == "namespaces") => {
            if let Some(first) = parts.first_mut() {
                "projects".clone_into(&mut first.text);
            }
            if parts.len() >= 2 {
                parts.splice(2..2, [word("locations"), value(place.unwrap_or("-"))]);
            }
        }
        "container" => {
            let mut was_place = false;
            let mut zone = false;
            for part in parts.iter_mut().rev() {
                if part.literal && part.text == "locations" && zone {
                    "zones".clone_into(&mut part.text);
                }
                zone = !part.literal && is_zone(&part.text) && !was_place;
                was_place = zone;
            }
        }
        "iam" | "iamcredentials" => accounts(parts),
        _ => {}
    }
}

/// The address of a service account says which project it is of, where the path leaves that open.
fn accounts(parts: &mut [Part]) {
    if let [kind, project, accounts, account, ..] = parts
        && kind.text == "projects"
        && accounts.text == "serviceAccounts"
        && project.text == "-"
        && let Some(of) = project_of(&account.text)
    {
        of.clone_into(&mut project.text);
    }
}

/// The project in the address of a service account.
pub(super) fn project_of(address: &str) -> Option<&str> {
    let (name, domain) = address.split_once('@')?;
    match domain {
        "developer.gserviceaccount.com" => name.strip_suffix("-compute"),
        "appspot.gserviceaccount.com" => Some(name),
        other => other.strip_suffix(".iam.gserviceaccount.com").filter(|project| !project.is_empty()),
    }
}

fn is_zone(text: &str) -> bool {
    let mut labels = text.rsplit('-');
    let letter = labels
        .next()
        .is_some_and(|last| last.len() == 1 && last.bytes().all(|byte| byte.is_ascii_lowercase()));
    letter && labels.next().is_some_and(|region| region.ends_with(|last: char| last.is_ascii_digit()))
}

/// `v1`, `v2beta1`, `alpha`.
pub(super) fn is_version(text: &str) -> bool {
    let numbered = text.strip_prefix('v').is_some_and(|rest| {
        rest.starts_with(|first: char| first.is_ascii_digit())
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_'))
    });
    numbered || matches!(text, "alpha" | "beta" | "preview")
}

/// `instances` without its end, folded as names of parameters are.
fn singular(collection: &str) -> String {
    let folded = fold(collection);
    if let Some(stem) = folded.strip_suffix("ies") {
        return format!("{stem}y");
    }
    for end in ["sses", "xes", "ches", "shes"] {
        if let Some(stem) = folded.strip_suffix("es").filter(|_| folded.ends_with(end)) {
            return stem.to_owned();
        }
    }
    folded.strip_suffix('s').unwrap_or(&folded).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_versions() {
        for (many, one) in
            [("instances", "instance"), ("topics", "topic"), ("policies", "policy"), ("addresses", "address")]
        {
            assert_eq!(singular(many), one);
        }
        for version in ["v1", "v2beta1", "alpha", "v1p1beta1", "v4.1"] {
            assert!(is_version(version), "{version}");
        }
        for other in ["vpnGateways", "v", "projects", "version"] {
            assert!(!is_version(other), "{other}");
        }
        assert!(is_zone("us-central1-a") && !is_zone("us-central1") && !is_zone("europe-west4"));
        assert_eq!(project_of("x@shop.iam.gserviceaccount.com"), Some("shop"));
        assert_eq!(project_of("12-compute@developer.gserviceaccount.com"), Some("12"));
        assert_eq!(project_of("x@example.com"), None);
    }
}
