//! The ids of resources: a walk along a path, and the one spelling of what it leads to.
//!
//! `/subscriptions/…/resourcegroups/g/providers/microsoft.compute/virtualmachines/vm`, all in lower case. Leaves out
//! what is asked of it.

use std::sync::Arc;

use ordain_action::{Identifier, NameBasis, Resource, Role};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::expression::UNKNOWN;
use super::words::Words;

/// What would make a segment a pattern, two segments, another one, or a label.
const SEGMENT: &AsciiSet = &CONTROLS.add(b'%').add(b'*').add(b'?').add(b'/').add(b'{').add(b'}');

/// The provider of what lies outside of every other.
pub(super) const ROOT: &str = "Microsoft.Resources";

/// The types that there are outside of every provider.
const ROOT_TYPES: [&str; 12] = [
    "deployments",
    "locations",
    "metadata",
    "operationresults",
    "operations",
    "providers",
    "resourcegroups",
    "resources",
    "subscriptions",
    "tagnames",
    "tagvalues",
    "tenants",
];

/// What one provider has along a path: types and names in turn.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    /// The provider, in lower case; empty before the first.
    pub provider: String,
    /// Types and names, in lower case.
    pub parts: Vec<String>,
}

/// A path to a resource, to all of a type, or to an action.
#[derive(Debug, Clone)]
pub(super) struct Path {
    pub frames: Vec<Frame>,
}

impl Path {
    /// Walks along the segments of a path; `None` where they are no path of the plane.
    pub(super) fn walk<'s>(segments: impl IntoIterator<Item = &'s str>) -> Option<Self> {
        Self::walk_from(vec![Frame { provider: String::new(), parts: Vec::new() }], segments)
    }

    /// Walks on from a scope.
    pub(super) fn walk_on<'s>(scope: &Self, segments: impl IntoIterator<Item = &'s str>) -> Option<Self> {
        Self::walk_from(scope.frames.clone(), segments)
    }

    fn walk_from<'s>(mut frames: Vec<Frame>, segments: impl IntoIterator<Item = &'s str>) -> Option<Self> {
        let mut segments = segments.into_iter().peekable();
        while let Some(segment) = segments.next() {
            let segment = fold(segment)?;
            let last = frames.last_mut()?;
            let at_type = last.parts.len().is_multiple_of(2);
            if segment == "providers" && at_type && segments.peek().is_some() {
                let provider = fold(segments.next()?).filter(|name| is_provider(name))?;
                // Features are those of a provider, whose name stands for theirs.
                if last.parts.is_empty() && last.provider == "microsoft.features" {
                    last.parts.extend([segment, provider]);
                    continue;
                }
                // Only the first frame may be empty: what comes before any provider.
                if last.parts.is_empty() && !last.provider.is_empty() {
                    return None;
                }
                frames.push(Frame { provider, parts: Vec::new() });
                continue;
            }
            // A name that servers could take for the beginning of another provider.
            if (segment == "providers" && !at_type) || (at_type && !is_word(&segment)) {
                return None;
            }
            last.parts.push(segment);
        }
        let path = Self { frames };
        path.is_of_the_plane().then_some(path)
    }

    /// Reads a whole id of a resource or a scope, as bodies have them; `None` for any other text.
    pub(super) fn of_id(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('/')?;
        if rest.is_empty()
            || text.len() > 2_048
            || text.contains(['?', '#', '%', '\\', '[', ']', '{', '}', UNKNOWN])
        {
            return None;
        }
        let path = Self::walk(rest.strip_suffix('/').unwrap_or(rest).split('/'))?;
        let whole = path.frames.iter().all(|frame| frame.parts.len().is_multiple_of(2));
        let ends = path.frames.last().is_some_and(|last| !last.parts.is_empty());
        (whole && ends).then_some(path)
    }

    fn is_of_the_plane(&self) -> bool {
        let Some((root, rest)) = self.frames.split_first() else { return false };
        let types = root.parts.iter().step_by(2);
        let known = types.clone().zip(0..).all(|(word, at)| match (at, rest.is_empty()) {
            // What can be asked of a group is known where it is asked.
            (2, true) if root.parts.len().is_multiple_of(2) => ROOT_TYPES.contains(&word.as_str()),
            (2, true) => true,
            _ => ROOT_TYPES.contains(&word.as_str()) || word.contains(UNKNOWN),
        });
        let subscription = match root.parts.as_slice() {
            [first, id, ..] if first == "subscriptions" => is_subscription(id) || id.contains(UNKNOWN),
            [first, ..] if first.contains(UNKNOWN) => true,
            [first, ..] => first != "resourcegroups",
            [] => true,
        };
        // What lies in another lies in something that has a name.
        let named = self.frames.iter().rev().skip(1).all(|frame| frame.parts.len().is_multiple_of(2));
        known && subscription && named
    }

    /// The last provider's frame.
    pub(super) fn last(&self) -> &Frame {
        // INVARIANT: a walk begins with a frame.
        static NONE: Frame = Frame { provider: String::new(), parts: Vec::new() };
        self.frames.last().unwrap_or(&NONE)
    }

    /// The same below another scope: what the last provider has of it.
    pub(super) fn on(&self, scope: &Self) -> Self {
        Self { frames: scope.frames.iter().chain(self.frames.last()).cloned().collect() }
    }

    /// The path without the last `count` parts of its last frame.
    pub(super) fn without(&self, count: usize) -> Self {
        let mut path = self.clone();
        if let Some(last) = path.frames.last_mut() {
            last.parts.truncate(last.parts.len().saturating_sub(count));
            if last.parts.is_empty() && path.frames.len() > 1 {
                path.frames.pop();
            }
        }
        path
    }

    /// What a resource lies in: its parent of the same provider, else what it extends.
    pub(super) fn parent(&self) -> Self {
        self.without(2)
    }

    /// The subscription that it lies in, where it lies in one.
    pub(super) fn subscription(&self) -> Option<&str> {
        match self.frames.first()?.parts.as_slice() {
            [first, id, ..] if first == "subscriptions" => Some(id),
            _ => None,
        }
    }

    /// The scope that holds it: its resource group, subscription or management group, or the tenant.
    pub(super) fn scope(&self) -> Self {
        Self { frames: self.frames.iter().take(1).cloned().collect() }
    }

    /// The id in its one spelling; `/` for the tenant.
    pub(super) fn name(&self) -> String {
        let mut name = String::new();
        for frame in &self.frames {
            if !frame.provider.is_empty() {
                name.push_str("/providers/");
                name.push_str(&frame.provider);
            }
            for part in &frame.parts {
                name.push('/');
                name.extend(utf8_percent_encode(part, SEGMENT));
            }
        }
        // Escapes too have one spelling.
        name.make_ascii_lowercase();
        if name.is_empty() { "/".to_owned() } else { name }
    }

    /// The type as the plane spells it, `azure:Microsoft.Compute/virtualMachines`.
    pub(super) fn kind(&self, words: &Words) -> Arc<str> {
        let last = self.last();
        if last.provider.is_empty() && last.parts.is_empty() {
            return Arc::from("azure:tenant");
        }
        if last.provider.is_empty() && last.parts.iter().step_by(2).any(|word| word.contains(UNKNOWN)) {
            return Arc::from("azure:scope");
        }
        let mut kind = format!("azure:{}", words.namespace(or_root(&last.provider)));
        for word in last.parts.iter().step_by(2) {
            kind.push('/');
            kind.push_str(&words.word(or_root(&last.provider), word));
        }
        Arc::from(kind)
    }

    /// The provider and the types in lower case, `microsoft.compute/virtualmachines`.
    pub(super) fn key(&self) -> String {
        let last = self.last();
        let mut key = or_root(&last.provider).to_ascii_lowercase();
        for word in last.parts.iter().step_by(2) {
            key.push('/');
            key.push_str(word);
        }
        key
    }

    /// The name, and whether it is a pattern because some of it is not known.
    fn named(&self) -> (String, bool) {
        let name = self.name();
        let marker = utf8_percent_encode(&UNKNOWN.to_string(), SEGMENT).to_string().to_ascii_lowercase();
        // Where nobody knows where something is, it may be below nothing too.
        let known = name.replace(&format!("/{marker}/{marker}/"), "*/").replace(&marker, "*");
        let known = match known.strip_suffix("/*") {
            // What is not known is anything below here, at whatever depth.
            Some(above) if self.is_below() && above == "/*" => "*".to_owned(),
            Some(above) if self.is_below() => above.to_owned(),
            Some(_) | None => known,
        };
        let pattern = known != name;
        (known, pattern)
    }

    /// The resource itself.
    pub(super) fn one(&self, role: Role, words: &Words) -> Resource {
        let is_tenant = self.frames.iter().all(|frame| frame.parts.is_empty());
        let identifier =
            self.last().parts.last().map(|name| Identifier { name: Arc::from("id"), value: name.clone() });
        let (name, pattern) = self.named();
        Resource {
            role,
            kind: self.kind(words),
            name,
            basis: if is_tenant { NameBasis::Scope } else { NameBasis::Carried },
            pattern,
            identifiers: identifier.filter(|_| !pattern).into_iter().collect(),
        }
    }

    /// Neither the type nor the name of what it ends in are known: it stands for everything below the rest.
    fn is_below(&self) -> bool {
        let mut last = self.last().parts.iter().rev();
        last.by_ref().take(2).filter(|part| part.contains(UNKNOWN)).count() == 2
    }

    /// Everything below it.
    pub(super) fn below(&self, role: Role, words: &Words) -> Resource {
        let (name, _) = self.named();
        let name = if self.is_below() { name } else { format!("{}/*", name.trim_end_matches('/')) };
        Resource {
            name,
            pattern: true,
            basis: NameBasis::Carried,
            identifiers: Vec::new(),
            ..self.one(role, words)
        }
    }

    /// All of the type that the path ends in. In a subscription those of every resource group are among them.
    pub(super) fn all(&self, role: Role, words: &Words) -> Resource {
        let name = match self.frames.as_slice() {
            [scope, own] if scope.parts.len() == 2 && own.parts.len() == 1 => {
                let scope = self.scope().name();
                let own = self.name().get(scope.len() + 1..).map(str::to_owned).unwrap_or_default();
                format!("{scope}/*{own}/*")
            }
            [only] if only.parts.last().is_some_and(|last| last == "resources") => {
                format!("{}/*", self.without(1).name())
            }
            _ => format!("{}/*", self.name()),
        };
        Resource {
            name,
            pattern: true,
            basis: NameBasis::Carried,
            identifiers: Vec::new(),
            ..self.one(role, words)
        }
    }
}

/// The provider, or that of what has none.
pub(super) fn or_root(provider: &str) -> &str {
    if provider.is_empty() { ROOT } else { provider }
}

/// A segment in lower case; `None` where servers could take it for another one.
///
/// Letters beyond ASCII that some tables turn into ASCII letters (`K` of the Kelvin, a long `s`) are among those.
pub(super) fn fold(segment: &str) -> Option<String> {
    let plain = !segment.is_empty()
        && segment.trim() == segment
        && !segment.ends_with('.')
        && !segment.chars().any(|one| one.is_control() || matches!(one, '/' | '\\' | '<' | '>'));
    let folds = |one: char| {
        one.is_ascii()
            || (one.to_lowercase().count() == 1
                && one.to_uppercase().count() == 1
                && !one.to_lowercase().chain(one.to_uppercase()).any(|one| one.is_ascii()))
    };
    (plain && segment.chars().all(folds)).then(|| segment.to_lowercase())
}

fn is_provider(name: &str) -> bool {
    name.contains('.')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        && !name.split('.').any(str::is_empty)
}

/// A type or an action.
fn is_word(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'$' | b'@'))
}

/// A subscription has one spelling, as far as letters go: other forms of a GUID are refused.
fn is_subscription(id: &str) -> bool {
    let lengths = id.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && id.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBSCRIPTION: &str = "/subscriptions/00000000-0000-4000-8000-00000000000A";

    fn check(id: &str, expected: Option<&str>) {
        let found = Path::of_id(id).map(|path| path.name());
        assert_eq!(found.as_deref(), expected, "{id}");
    }

    #[test]
    fn an_id_has_one_spelling() {
        let group = "/subscriptions/00000000-0000-4000-8000-00000000000a/resourcegroups/g";
        check(&format!("{SUBSCRIPTION}/resourceGroups/G"), Some(group));
        let machine = format!("{group}/providers/microsoft.compute/virtualmachines/vm");
        check(
            &format!("{SUBSCRIPTION}/RESOURCEGROUPS/g/Providers/Microsoft.Compute/virtualMachines/VM"),
            Some(&machine),
        );
        let lock = format!("{machine}/providers/microsoft.authorization/locks/l");
        check(&format!("{machine}/providers/Microsoft.Authorization/locks/L"), Some(&lock));
        check(
            "/providers/Microsoft.Management/managementGroups/M",
            Some("/providers/microsoft.management/managementgroups/m"),
        );
        for none in [
            "/subscriptions/7/resourceGroups/g",
            "/subscriptions/{00000000-0000-4000-8000-00000000000a}",
            "/subscriptions/00000000000040008000000000000000",
            "/resourceGroups/g",
            "/a/b",
            "/subscriptions/00000000-0000-4000-8000-00000000000a/resourcegroups/providers",
            "/subscriptions/00000000-0000-4000-8000-00000000000a/resourcegroups/g/providers/Microsoft.Compute",
            "/subscriptions/00000000-0000-4000-8000-00000000000a/resourcegroups//x",
            "/subscriptions/00000000-0000-4000-8000-00000000000a/resourcegroups/\u{212a}",
            "/subscriptions/00000000-0000-4000-8000-00000000000a/resourcegroups/g.",
        ] {
            check(none, None);
        }
        // What would be a pattern is none.
        let record = format!("{group}/providers/microsoft.network/dnszones/z.example/a/%2a");
        check(&format!("{group}/providers/Microsoft.Network/dnsZones/z.example/A/*"), Some(&record));
    }
}
