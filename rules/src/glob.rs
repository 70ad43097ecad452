//! Patterns of canonical names: `*` stands for any text, `?` for one character, all else for itself.
//!
//! Leaves out character classes and alternatives: a pattern in a model must mean what it seems to.

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Glob(String);

impl Glob {
    /// Many stars in a row say what one says, and cost every match as many steps.
    pub(crate) fn new(pattern: &str) -> Self {
        let mut kept = String::with_capacity(pattern.len());
        for letter in pattern.chars() {
            if letter != '*' || !kept.ends_with('*') {
                kept.push(letter);
            }
        }
        Self(kept)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the first wildcard: every match begins with it.
    pub(crate) fn literal_prefix(&self) -> &str {
        self.0.split(['*', '?']).next().unwrap_or_default()
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        matches(self.0.as_bytes(), text.as_bytes())
    }

    /// Whether some text is matched by both, where the other may hold wildcards too. Says yes when in
    /// doubt: what a pattern might touch is judged as touched.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.literal_prefix(), other.literal_prefix());
        mine.starts_with(theirs) || theirs.starts_with(mine)
    }
}

/// Matches without recursion: on a mismatch the last `*` takes one byte more.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(read) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(b'?') => {
                at += 1;
                read += 1;
            }
            Some(wanted) if wanted == byte => {
                at += 1;
                read += 1;
            }
            Some(_) | None => {
                let Some((star_at, star_read)) = star else { return false };
                star = Some((star_at, star_read + 1));
                at = star_at + 1;
                read = star_read + 1;
            }
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[track_caller]
    fn check(pattern: &str, text: &str, expected: bool) {
        assert_eq!(Glob::new(pattern).matches(text), expected, "{pattern} against {text}");
    }

    #[test]
    fn a_star_stands_for_any_text_and_separators_too() {
        check("arn:aws:ec2:*:111122223333:*", "arn:aws:ec2:eu-west-1:111122223333:instance/i-0a", true);
        check("arn:aws:ec2:*:111122223333:*", "arn:aws:ec2:eu-west-1:444455556666:instance/i-0a", false);
        check("*", "", true);
        check("a*b*c", "a-b-b-c", true);
        check("a*b*c", "a-b-b-c-d", false);
        check("a***b**", "a-b-c", true);
    }

    #[test]
    fn a_question_mark_stands_for_one_character() {
        check("db-?", "db-1", true);
        check("db-?", "db-", false);
        check("db-?", "db-12", false);
    }

    #[test]
    fn everything_else_stands_for_itself() {
        check("a[bc]", "ab", false);
        check("a[bc]", "a[bc]", true);
    }

    #[test]
    fn patterns_overlap_when_one_may_begin_as_the_other() {
        assert!(Glob::new("arn:aws:s3:::team-a-*").overlaps(&Glob::new("arn:aws:s3:::*")));
        assert!(!Glob::new("arn:aws:s3:::team-a-*").overlaps(&Glob::new("arn:aws:s3:::team-b-*")));
    }
}
