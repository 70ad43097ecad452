//! Addresses of Terraform: of resources in a plan, and in references.
//!
//! Leaves out what stands at them.

/// A step down into a module, with its index where that is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) index: Option<String>,
}

/// Where a resource is, and what of it is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) modules: Vec<Step>,
    pub(super) data: bool,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) index: Option<String>,
    /// What follows, without a dot: an attribute, in references.
    pub(super) rest: Vec<String>,
}

/// The parts of an address: names, each with the index that follows it.
pub(super) fn parts(text: &str) -> Vec<Step> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let (index, tail) = match tail.strip_prefix('[') {
            Some(inner) => index(inner),
            None => (None, tail),
        };
        // `a[0][1]` has a part without a name, of which nothing is asked.
        parts.push(Step { name: name.to_owned(), index });
        rest = tail.strip_prefix('.').unwrap_or(tail);
    }
    parts
}

/// What stands in brackets, and what follows them. A text in quotes may hold brackets and dots itself.
fn index(inner: &str) -> (Option<String>, &str) {
    let mut quoted = false;
    let mut escaped = false;
    for (at, letter) in inner.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ']' if !quoted => {
                let (index, tail) = inner.split_at_checked(at).unwrap_or((inner, ""));
                return (Some(index.to_owned()), tail.strip_prefix(']').unwrap_or(tail));
            }
            _ => {}
        }
    }
    (Some(inner.to_owned()), "")
}

impl Address {
    /// The address of a resource; none of anything else.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut parts = parts(text).into_iter();
        let mut modules = Vec::new();
        let mut first = parts.next()?;
        while first.name == "module" {
            modules.push(parts.next()?);
            first = parts.next()?;
        }
        let data = first.name == "data";
        if data {
            first = parts.next()?;
        }
        let own = parts.next()?;
        let rest = parts.map(|part| part.name).filter(|name| !name.is_empty()).collect();
        Some(Self { modules, data, kind: first.name, name: own.name, index: own.index, rest })
    }

    /// Whether this resource is one that a reference may mean: what the reference leaves open may be anything.
    pub(super) fn is_meant_by(&self, reference: &Self) -> bool {
        let same = |own: &Option<String>, meant: &Option<String>| meant.is_none() || own == meant;
        let step = |(own, meant): (&Step, &Step)| own.name == meant.name && same(&own.index, &meant.index);
        self.data == reference.data
            && self.kind == reference.kind
            && self.name == reference.name
            && same(&self.index, &reference.index)
            && self.modules.len() == reference.modules.len()
            && self.modules.iter().zip(&reference.modules).all(step)
    }

    /// Whether it is in a module, or in one that this calls.
    pub(super) fn is_within(&self, modules: &[Step]) -> bool {
        self.modules.len() >= modules.len()
            && self.modules.iter().zip(modules).all(|(own, other)| own == other)
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn an_address_is_read_with_its_indexes() {
        let found = Address::read(r#"module.net["a.b[0]"].module.dns.aws_route53_record.web["x\"].y"].fqdn"#)
            .unwrap();
        let modules: Vec<_> =
            found.modules.iter().map(|step| (step.name.as_str(), step.index.as_deref())).collect();
        assert_eq!(modules, [("net", Some(r#""a.b[0]""#)), ("dns", None)]);
        assert_eq!((found.kind.as_str(), found.name.as_str()), ("aws_route53_record", "web"));
        assert_eq!(found.index.as_deref(), Some(r#""x\"].y""#));
        assert_eq!(found.rest, ["fqdn"]);
        assert_eq!(Address::read("local.x.y").map(|found| found.kind), Some("local".to_owned()));
        assert_eq!(Address::read("module.x"), None);
    }
}
