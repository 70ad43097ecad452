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
    properties: &'t str,
}

/// One property of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Property<'t> {
    /// Its name.
    pub name: &'t str,
    /// Another value of it, or of something in it, may make another resource in the place of the one there is.
    pub create_only: bool,
    /// Only the provider sets it.
    pub read_only: bool,
    /// Its place in the identifier, counted from one.
    pub part: Option<usize>,
}

impl<'t> TypeName<'t> {
    /// Its properties, in the order of their names.
    pub fn properties(&self) -> impl Iterator<Item = Property<'t>> + use<'t> {
        self.properties.split(',').filter(|word| *word != "-" && !word.is_empty()).map(|word| {
            let (marked, part) = match word.split_once('#') {
                Some((marked, place)) => (marked, place.parse().ok()),
                None => (word, None),
            };
            let name = marked.trim_end_matches(['!', '~']);
            let marks = marked.get(name.len()..).unwrap_or_default();
            Property { name, create_only: marks.contains('!'), read_only: marks.contains('~'), part }
        })
    }
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
        Some(TypeName { kind, template, properties: words.next().unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_found_by_its_whole_name() {
        let text = "AWS::A::B a:b arn:{1} Id~#1,Name!,Size64\nAWS::A::BC a:bc @2 -\nAWS::C::D c:d - X\n";
        let types = Types::parse(text.to_owned());
        let known = |name: &str| types.get(name).map(|known| (known.kind, known.template));
        assert_eq!(known("AWS::A::B"), Some(("a:b", Some("arn:{1}"))));
        assert_eq!(known("AWS::A::BC"), Some(("a:bc", Some("@2"))));
        assert_eq!(known("AWS::C::D"), Some(("c:d", None)));
        assert_eq!(known("AWS::A"), None);
        assert_eq!(known(""), None);
        let property = |name, create_only, read_only, part| Property { name, create_only, read_only, part };
        assert_eq!(
            types.get("AWS::A::B").unwrap().properties().collect::<Vec<_>>(),
            [
                property("Id", false, true, Some(1)),
                property("Name", true, false, None),
                property("Size64", false, false, None)
            ]
        );
        assert_eq!(types.get("AWS::A::BC").unwrap().properties().count(), 0);
    }
}
