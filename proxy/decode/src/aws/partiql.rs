//! PartiQL statements of DynamoDB, read far enough to say what they do to which table.
//!
//! Only a statement that parses as a plain `SELECT` is a read. Leaves out the expressions inside a statement.

use ordain_action::{Access, Undecodable};

/// What one statement does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    /// The class of the effect.
    pub(crate) access: Access,
    /// The permission checked: `PartiQLSelect`, `PartiQLInsert`, `PartiQLUpdate` or `PartiQLDelete`.
    pub(crate) permission: &'static str,
    /// The table's name or ARN.
    pub(crate) table: String,
    /// The index, for a query of one.
    pub(crate) index: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Quoted(String),
    Text,
    Sign(char),
}

/// Reads one statement.
pub(crate) fn read(text: &str) -> Result<Statement, Undecodable> {
    let tokens = tokens(text)?;
    let mut rest = tokens.as_slice();
    let verb = word(&mut rest).ok_or_else(bad)?;
    let statement = match verb.as_str() {
        "SELECT" => select(rest)?,
        // `EXISTS(SELECT …)` guards a transaction and changes nothing.
        "EXISTS" => match rest.split_first() {
            Some((Token::Sign('('), inner)) => {
                let mut inner = inner;
                if word(&mut inner).as_deref() != Some("SELECT") {
                    return Err(bad());
                }
                select(inner)?
            }
            Some(_) | None => return Err(bad()),
        },
        "INSERT" => {
            keyword(&mut rest, "INTO")?;
            let (table, index) = name(&mut rest)?;
            Statement { access: Access::Update, permission: "PartiQLInsert", table, index }
        }
        "UPDATE" => {
            let (table, index) = name(&mut rest)?;
            Statement { access: Access::Update, permission: "PartiQLUpdate", table, index }
        }
        "DELETE" => {
            keyword(&mut rest, "FROM")?;
            let (table, index) = name(&mut rest)?;
            Statement { access: Access::Delete, permission: "PartiQLDelete", table, index }
        }
        _ => return Err(bad()),
    };
    Ok(statement)
}

fn select(tokens: &[Token]) -> Result<Statement, Undecodable> {
    // A verb of a change anywhere in a query means that we do not understand it.
    let changes = ["INSERT", "UPDATE", "DELETE", "REMOVE", "SET", "UPSERT", "REPLACE"];
    if tokens.iter().any(|token| matches!(token, Token::Word(word) if changes.contains(&word.as_str()))) {
        return Err(bad());
    }
    let from = tokens
        .iter()
        .position(|token| matches!(token, Token::Word(word) if word == "FROM"))
        .ok_or_else(bad)?;
    let mut rest = tokens.get(from + 1..).unwrap_or_default();
    if rest.iter().any(|token| matches!(token, Token::Word(word) if word == "FROM" || word == "JOIN")) {
        return Err(bad());
    }
    let (table, index) = name(&mut rest)?;
    Ok(Statement { access: Access::Read, permission: "PartiQLSelect", table, index })
}

fn word(rest: &mut &[Token]) -> Option<String> {
    match rest.split_first() {
        Some((Token::Word(word), tail)) => {
            *rest = tail;
            Some(word.clone())
        }
        Some(_) | None => None,
    }
}

fn keyword(rest: &mut &[Token], wanted: &str) -> Result<(), Undecodable> {
    if word(rest).as_deref() == Some(wanted) { Ok(()) } else { Err(bad()) }
}

/// `table`, `"table"` or `"table"."index"`.
fn name(rest: &mut &[Token]) -> Result<(String, Option<String>), Undecodable> {
    let table = one_name(rest)?;
    match rest.split_first() {
        Some((Token::Sign('.'), tail)) => {
            *rest = tail;
            Ok((table, Some(one_name(rest)?)))
        }
        // A list of tables, a function or a subquery is more than one name.
        Some((Token::Sign(',' | '(' | '['), _)) => Err(bad()),
        Some(_) | None => Ok((table, None)),
    }
}

fn one_name(rest: &mut &[Token]) -> Result<String, Undecodable> {
    match rest.split_first() {
        Some((Token::Quoted(name), tail)) => {
            *rest = tail;
            Ok(name.clone())
        }
        // Words are kept in upper case for keywords; a bare name would lose its case.
        Some((Token::Word(_) | Token::Text | Token::Sign(_), _)) | None => Err(bad()),
    }
}

fn bad() -> Undecodable {
    Undecodable::new(
        "unread_statement",
        "the PartiQL statement is not one that is understood; write one plain statement on one table",
    )
}

fn tokens(text: &str) -> Result<Vec<Token>, Undecodable> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut characters = text.trim().trim_end_matches(';').chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            space if space.is_whitespace() => {}
            '\'' | '"' => {
                let mut value = String::new();
                loop {
                    match characters.next() {
                        None => return Err(bad()),
                        Some(end) if end == character => {
                            if characters.next_if_eq(&character).is_none() {
                                break;
                            }
                            value.push(character);
                        }
                        Some(inner) => value.push(inner),
                    }
                }
                tokens.push(if character == '"' { Token::Quoted(value) } else { Token::Text });
            }
            // Comments could hide a verb from one of two readers.
            '-' if characters.peek() == Some(&'-') => return Err(bad()),
            '/' if characters.peek() == Some(&'*') => return Err(bad()),
            ';' | '`' => return Err(bad()),
            letter if letter.is_ascii_alphanumeric() || letter == '_' => {
                let mut value = String::from(letter);
                while let Some(next) =
                    characters.next_if(|next| next.is_ascii_alphanumeric() || matches!(next, '_' | '-'))
                {
                    value.push(next);
                }
                // A dash belongs to a bare table's name; two begin a comment, here as anywhere.
                if value.contains("--") {
                    return Err(bad());
                }
                // After FROM, INTO or UPDATE a bare word is a table's name, whose case counts.
                let names = matches!(tokens.last(), Some(Token::Word(before)) if matches!(before.as_str(), "FROM" | "INTO" | "UPDATE"));
                tokens.push(if names {
                    Token::Quoted(value)
                } else {
                    Token::Word(value.to_ascii_uppercase())
                });
            }
            sign if sign.is_ascii() => tokens.push(Token::Sign(sign)),
            _ => return Err(bad()),
        }
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = match read(text) {
            Ok(statement) => format!(
                "{} {} {}",
                statement.access.as_str(),
                statement.table,
                statement.index.as_deref().unwrap_or("-")
            ),
            Err(why) => why.reason_code.to_owned(),
        };
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn statements_say_what_they_do_to_which_table() {
        check("SELECT * FROM \"Music\" WHERE Artist='x'", "read Music -");
        check("select a, b from Music.\"ByYear\" where a = ?", "read Music ByYear");
        check("INSERT INTO \"Music\" VALUE {'Artist':'x'}", "update Music -");
        check("UPDATE \"Music\" SET a=1 WHERE b='delete from'", "update Music -");
        check("DELETE FROM Music WHERE Artist='x';", "delete Music -");
        check("EXISTS(SELECT * FROM \"Music\" WHERE a=1)", "read Music -");
        check(
            "SELECT * FROM \"arn:aws:dynamodb:eu-west-1:1:table/M\"",
            "read arn:aws:dynamodb:eu-west-1:1:table/M -",
        );
    }

    #[test]
    fn what_is_not_understood_is_no_read() {
        for text in [
            "",
            "DROP TABLE Music",
            "SELECT * FROM \"a\", \"b\"",
            "SELECT * FROM (SELECT * FROM \"a\")",
            "SELECT * FROM \"a\"; DELETE FROM \"a\"",
            "SELECT * -- FROM \"a\"\n FROM \"b\"",
            "SELECT * FROM \"b\" WHERE a = b-- \n, \"c\"",
            "SELECT * FROM b--c",
            "SELECT * /* x */ FROM \"b\"",
            "SELECT 'x FROM \"a\"",
            "SELECT 1",
        ] {
            check(text, "unread_statement");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_a_changing_verb_is_never_a_read(text in "(SELECT|DELETE|UPDATE|FROM|\\*|\"t\"|'|\"| |;|--|\\(|a){0,14}") {
            if let Ok(statement) = read(&text) {
                let first = text.trim_start();
                prop_assert!(statement.access != Access::Read || first.starts_with("SELECT"));
            }
        }
    }
}
