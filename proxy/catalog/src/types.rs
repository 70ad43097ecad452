//! CloudFormation's types: which resource each is, and how its identifier makes the resource's name.
//!
//! Leaves out what may be built from an identifier: that is for the room to decide.

use std::ops::Range;

/// One type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeName<'t> {
    /// The resource it is, as `s3:bucket`.
    pub kind: &'t str,
    /// Its name with `{1}` for the first part of the identifier, `@1` where that part is the name; `None` where no
    /// name can be built.
    pub template: Option<&'t str>,
}

/// All types, in the order of their names.
#[derive(Debug)]
pub(crate) struct Types {
    text: String,
    lines: Vec<Range<usize>>,
}

impl Types {
    pub(crate) fn parse(text: String) -> Self {
        let mut lines = Vec::new();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            lines.push(start..start + line.trim_end().len());
            start += line.len();
        }
        Self { text, lines }
    }

    pub(crate) fn get(&self, name: &str) -> Option<TypeName<'_>> {
        let line = |range: &Range<usize>| self.text.get(range.clone()).unwrap_or_default();
        let first = |range: &Range<usize>| line(range).split(' ').next().unwrap_or_default();
        let at = self.lines.binary_search_by(|range| first(range).cmp(name)).ok()?;
        let mut words = line(self.lines.get(at)?).split(' ').skip(1);
        let kind = words.next()?;
        let template = words.next().filter(|template| *template != "-");
        Some(TypeName { kind, template })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_found_by_its_whole_name() {
        let types = Types::parse("AWS::A::B a:b arn:{1}\nAWS::A::BC a:bc @2\nAWS::C::D c:d -\n".to_owned());
        assert_eq!(types.get("AWS::A::B"), Some(TypeName { kind: "a:b", template: Some("arn:{1}") }));
        assert_eq!(types.get("AWS::A::BC"), Some(TypeName { kind: "a:bc", template: Some("@2") }));
        assert_eq!(types.get("AWS::C::D"), Some(TypeName { kind: "c:d", template: None }));
        assert_eq!(types.get("AWS::A"), None);
        assert_eq!(types.get(""), None);
    }
}
