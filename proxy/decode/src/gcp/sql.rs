//! What the SQL of BigQuery names that may be another project's.
//!
//! A table of another project has that project's name before its own, so that a path of three parts is one, or a field of a
//! column: where the text is a question or a change of rows that can be parsed, the relations of it tell them apart. What
//! cannot be told by its words (what a procedure does, a text that is put together and run) may be anything anywhere.
//!
//! Sources: <https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical>, and for `[project:dataset.table]`
//! <https://cloud.google.com/bigquery/docs/reference/legacy-sql>. Leaves out what a statement does (`authority.rs`).

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{Expr, ObjectName, Statement, visit_expressions, visit_relations};
use sqlparser::dialect::BigQueryDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

/// The most tokens of a text that is parsed: a tree is as deep as its text is long.
const PARSED_MAX: usize = 512;

/// What a text names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sql {
    /// It is one statement that only asks.
    pub(super) asks: bool,
    /// Paths that begin with a project: datasets and tables below it.
    pub(super) paths: BTreeSet<Vec<String>>,
    /// Texts that name files.
    pub(super) files: BTreeSet<String>,
    /// It may do anything anywhere.
    pub(super) anywhere: bool,
}

impl Sql {
    /// Reads a text.
    pub(super) fn read(text: &str) -> Self {
        let Ok(tokens) = Tokenizer::new(&BigQueryDialect, text).tokenize() else {
            return Self { anywhere: true, ..Self::default() };
        };
        let word = |token: &Token| {
            let Token::Word(word) = token else { return None };
            word.quote_style.is_none().then(|| word.value.to_ascii_uppercase())
        };
        let words: BTreeSet<String> = tokens.iter().filter_map(word).collect();
        let has = |any: &[&str]| any.iter().any(|word| words.contains(*word));
        let first = tokens.iter().find_map(word).unwrap_or_default();
        let mut after = tokens.iter().skip_while(|token| **token != Token::SemiColon);
        let several = after.any(|token| !matches!(token, Token::SemiColon | Token::Whitespace(_)));
        let files: BTreeSet<String> = tokens.iter().filter_map(file).collect();
        let unnamed_files = has(&["EXPORT", "LOAD", "EXTERNAL"]) && files.is_empty();
        let lexical = paths(&tokens);
        // A dataset is named by two.
        let least = if has(&["SCHEMA", "DATABASE"]) { 2 } else { 3 };
        // In the old form a colon stands behind a project, whatever follows.
        let datasets: BTreeSet<Vec<String>> =
            lexical.iter().filter(|path| path.colon).map(|path| path.parts.clone()).collect();
        let certain = lexical.iter().filter(|path| path.certain).map(|path| path.parts.clone());
        let paths: BTreeSet<Vec<String>> = match relations(text, tokens.len()) {
            Some(relations) => relations.into_iter().chain(certain).collect(),
            None => lexical.iter().map(|path| path.parts.clone()).collect(),
        };
        Self {
            asks: matches!(first.as_str(), "SELECT" | "WITH") && !several,
            // A role is quoted as tables are, and no project has a slash in its name.
            paths: paths
                .into_iter()
                .filter(|path| path.len() >= least || datasets.contains(path))
                .filter(|path| path.first().is_some_and(|first| !first.contains('/')))
                .collect(),
            files,
            // What a connection is asked for, and whose it is, stand in texts.
            anywhere: has(&["CALL", "EXTERNAL_QUERY", "IMMEDIATE", "PROJECT", "ORGANIZATION"])
                || unnamed_files
                || tokens.iter().any(is_open),
        }
    }
}

/// A path as it is written.
struct Path {
    parts: Vec<String>,
    /// It was quoted whole, or written as only names of tables are.
    certain: bool,
    /// A project was written before a colon.
    colon: bool,
}

/// Every path of more than one part.
fn paths(tokens: &[Token]) -> Vec<Path> {
    let mut found = Vec::new();
    let mut rest = tokens;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let Some(mut path) = begin(first) else { continue };
        loop {
            rest = match rest {
                // A name with dashes, as projects have.
                [Token::Minus, next, after @ ..] if joins(&mut path, next) => after,
                [Token::Colon, next, after @ ..] if follows(&mut path, next) => {
                    (path.certain, path.colon) = (true, true);
                    after
                }
                _ => match after_dot(rest) {
                    Some((next, after)) if follows(&mut path, next) => after,
                    Some(_) | None => break,
                },
            };
        }
        if path.parts.len() > 1 {
            found.push(path);
        }
    }
    found
}

fn begin(token: &Token) -> Option<Path> {
    let Token::Word(word) = token else { return None };
    let quoted = word.quote_style.is_some();
    let parts = if quoted { split(&word.value) } else { vec![word.value.clone()] };
    let colon = quoted && word.value.contains(':');
    Some(Path { certain: quoted && parts.len() > 1, colon, parts })
}

/// The parts of a path that is quoted whole. A project of a domain has a colon in its name, and one in the old form behind it.
fn split(quoted: &str) -> Vec<String> {
    let (domain, rest) = match quoted.split_once(':') {
        Some((domain, rest)) if domain.contains('.') => (Some(domain), rest.to_owned()),
        Some(_) | None => (None, quoted.replacen(':', ".", 1)),
    };
    let mut parts: Vec<String> = rest.split('.').map(str::to_owned).collect();
    if let (Some(domain), Some(first)) = (domain, parts.first_mut()) {
        *first = format!("{domain}:{first}");
    }
    parts
}

/// What stands behind a dot, with blanks and comments around it or without.
fn after_dot(tokens: &[Token]) -> Option<(&Token, &[Token])> {
    let mut seen = tokens.iter().enumerate().filter(|(_, token)| !matches!(token, Token::Whitespace(_)));
    let (_, Token::Period) = seen.next()? else { return None };
    let (at, next) = seen.next()?;
    Some((next, tokens.get(at + 1..)?))
}

fn follows(path: &mut Path, next: &Token) -> bool {
    if let Token::Word(word) = next {
        let quoted = word.quote_style.is_some();
        path.parts.extend(if quoted { split(&word.value) } else { vec![word.value.clone()] });
    } else if let Token::Number(number, _) = next {
        path.parts.extend(numbered(number));
    } else if *next == Token::Mul {
        // All tables whose names begin so.
        path.parts.push("*".to_owned());
    } else {
        return false;
    }
    true
}

fn joins(path: &mut Path, next: &Token) -> bool {
    let Some(last) = path.parts.last_mut() else { return false };
    if let Token::Word(word) = next {
        last.push('-');
        last.push_str(&word.value);
    } else if let Token::Number(number, _) = next {
        let mut parts = numbered(number).into_iter();
        last.push('-');
        last.push_str(&parts.next().unwrap_or_default());
        path.parts.extend(parts);
    } else {
        return false;
    }
    true
}

/// A number may have taken the dot behind it along, and what stands behind that is the next part.
fn numbered(number: &str) -> Vec<String> {
    number.split('.').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Whether a text or a name ends behind a backslash: whether that is its end, readers see in two ways.
fn is_open(token: &Token) -> bool {
    const QUOTES: [char; 3] = ['\'', '"', '`'];
    let text = token.to_string();
    text.ends_with(QUOTES) && text.trim_end_matches(QUOTES).ends_with('\\')
}

/// A text that names a file in a bucket.
fn file(token: &Token) -> Option<String> {
    let text = token.to_string();
    let at = text.find("gs://")?;
    Some(text.get(at..)?.trim_end_matches(['\'', '"']).to_owned())
}

/// The relations of a text, where it is a question or a change of rows, and can be parsed.
fn relations(text: &str, tokens: usize) -> Option<BTreeSet<Vec<String>>> {
    if tokens > PARSED_MAX {
        return None;
    }
    let statements = Parser::parse_sql(&BigQueryDialect, text).ok()?;
    let plain = |statement: &Statement| {
        matches!(
            statement,
            Statement::Query(_)
                | Statement::Insert(_)
                | Statement::Update(_)
                | Statement::Delete(_)
                | Statement::Merge(_)
        )
    };
    if !statements.iter().all(plain) {
        return None;
    }
    let mut found = BTreeSet::new();
    let mut keep = |name: &ObjectName| {
        let parts = name.0.iter().filter_map(|part| part.as_ident()).map(|ident| ident.value.as_str());
        found.insert(split(&parts.collect::<Vec<_>>().join(".")));
    };
    let done: ControlFlow<()> = visit_relations(&statements, |name| {
        keep(name);
        ControlFlow::Continue(())
    });
    // A function may be another project's too, and send what it is given elsewhere.
    let also: ControlFlow<()> = visit_expressions(&statements, |expression| {
        if let Expr::Function(function) = expression {
            keep(&function.name);
        }
        ControlFlow::Continue(())
    });
    (done.is_continue() && also.is_continue()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, asks: bool, expected: &[&str]) {
        let sql = Sql::read(text);
        let paths: Vec<String> = sql.paths.iter().map(|path| path.join("|")).collect();
        assert_eq!(paths, expected, "{text}");
        assert!(sql.asks == asks && !sql.anywhere, "{text}");
    }

    #[test]
    fn tables_of_other_projects_are_found_in_questions() {
        check("SELECT 1", true, &[]);
        check("SELECT a.b.c FROM d.t AS a", true, &[]);
        check("SELECT * FROM `victim.d.t`", true, &["victim|d|t"]);
        check("SELECT * FROM other, my-victim.d.t", true, &["my-victim|d|t"]);
        check("SELECT * FROM my-victim-12.d.t", true, &["my-victim-12|d|t"]);
        check("SELECT * FROM `victim`.d.t JOIN `x.y.z` USING (a)", true, &["victim|d|t", "x|y|z"]);
        check("WITH q AS (SELECT * FROM victim.d.t) SELECT * FROM q", true, &["victim|d|t"]);
        check("SELECT (SELECT max(a) FROM victim /* . */ . d -- x\n . t)", true, &["victim|d|t"]);
        check("SELECT `victim.d.f`(a) FROM t", true, &["victim|d|f"]);
        check("SELECT victim.d.f(a) FROM t", true, &["victim|d|f"]);
        check("SELECT * FROM [victim:d.t]", true, &["victim|d|t"]);
        check("SELECT * FROM `example.com:victim.d.t`", true, &["example.com:victim|d|t"]);
        check(
            "SELECT * FROM `victim.region-us.INFORMATION_SCHEMA.TABLES`",
            true,
            &["victim|region-us|INFORMATION_SCHEMA|TABLES"],
        );
        check("SELECT 'FROM victim.d.t' -- `victim.d.t`", true, &[]);
        check("SELECT * FROM TABLE_QUERY([victim:d], 'true')", true, &["victim|d"]);
        check("SELECT * FROM ML.PREDICT(MODEL `victim.d.m`, TABLE own)", true, &["victim|d|m"]);
        // What the service takes for the end of a text or of a comment ends it here too.
        check("SELECT 'it\\'s' FROM victim.d.t -- '", true, &["victim|d|t"]);
        check("SELECT 1 /* /* */ FROM victim.d.t -- */", true, &["victim|d|t"]);
        check("SELECT 1 # '\n FROM victim.d.t -- '", true, &["victim|d|t"]);
        check("SELECT \"\"\"a\"b\"\"\" FROM victim.d.t", true, &["victim|d|t"]);
    }

    #[test]
    fn what_changes_elsewhere_is_found() {
        check("INSERT INTO victim.d.t SELECT a.b.c FROM s AS a", false, &["victim|d|t"]);
        check("DELETE FROM `victim.d.t` WHERE true", false, &["victim|d|t"]);
        check("UPDATE victim.d.t SET a = 1 WHERE true", false, &["victim|d|t"]);
        check("MERGE victim.d.t AS t USING s ON t.a = s.a WHEN MATCHED THEN DELETE", false, &["victim|d|t"]);
        check("DROP TABLE victim.d.t", false, &["victim|d|t"]);
        check("DROP TABLE my-victim.d.t", false, &["my-victim|d|t"]);
        check("TRUNCATE TABLE `victim`.`d`.`t`", false, &["victim|d|t"]);
        check("DROP SCHEMA victim.d CASCADE", false, &["victim|d"]);
        check("SELECT 1; DROP TABLE victim.d.t", false, &["victim|d|t"]);
        check("CREATE TABLE d.t CLONE victim.d.t", false, &["victim|d|t"]);
        check("GRANT `roles/x.y` ON SCHEMA sales TO 'user:a@example.com'", false, &[]);
        check("GRANT `roles/x` ON TABLE victim.d.t TO 'user:a@example.com'", false, &["victim|d|t"]);
    }

    #[test]
    fn a_text_that_is_long_is_read_by_its_words() {
        let long = format!("SELECT {} FROM victim.d.t", vec!["1"; 20_000].join("+"));
        check(&long, true, &["victim|d|t"]);
        let deep = format!("SELECT {}1{} FROM victim.d.t", "(".repeat(200), ")".repeat(200));
        check(&deep, true, &["victim|d|t"]);
    }

    #[test]
    fn files_are_found_and_what_cannot_be_told_is_anywhere() {
        let sql = Sql::read("EXPORT DATA OPTIONS (uri = 'gs://bucket/x*.csv', format = 'CSV') AS SELECT 1");
        assert_eq!(
            (sql.files.first().map(String::as_str), sql.anywhere),
            (Some("gs://bucket/x*.csv"), false)
        );
        for anywhere in [
            "EXECUTE IMMEDIATE CONCAT('DROP TABLE vic', 'tim.d.t')",
            "CALL d.p()",
            "ALTER PROJECT victim SET OPTIONS (a = 1)",
            "EXPORT DATA OPTIONS (uri = CONCAT('g', 's://bucket/x*')) AS SELECT 1",
            "SELECT 'not closed",
            // Text to one reader up to the first quote, and to the other up to the second.
            r"SELECT r'\', ' FROM victim.d.t -- '",
            r"SELECT b'\', ' FROM victim.d.t -- '",
            r"SELECT `a\`, ` FROM victim.d.t -- `",
            "SELECT * FROM EXTERNAL_QUERY('victim.us.books', 'SELECT 1')",
        ] {
            assert!(Sql::read(anywhere).anywhere, "{anywhere}");
        }
    }
}
