//! GraphQL: a read where its document only asks, and nothing else.
//!
//! Leaves out what a mutation does, and documents that are not sent (persisted queries).

use apollo_parser::cst::{CstNode as _, Definition};
use apollo_parser::{Parser, SyntaxKind};
use ordain_action::{Access, Call, Role, Scalar, Undecodable};

use crate::form::fields::segments;
use crate::rest::{Whole, effect};

/// How deep a document may nest, and how many words it may have.
const DEPTH_MAX: usize = 64;
const WORDS_MAX: usize = 20_000;

/// Fields whose value lets somebody in.
const SECRETS: [&str; 2] = ["recoveryCodes", "tempCloneToken"];

/// Reads a request with a document.
///
/// # Errors
/// It does more than ask, or is not sent in the form that all servers read alike.
pub(super) fn call(whole: &Whole<'_>) -> Result<Call, Undecodable> {
    whole.media_type()?;
    if let Some(pair) = whole.line.query.first() {
        return Err(bad(&format!("is sent with `{}` in the query, where a document may be too", pair.name)));
    }
    let body = whole.json()?;
    if body.overflowed() {
        return Err(Undecodable::new("too_many_parameters", "there are too many parameters; send fewer"));
    }
    for (path, _) in body.iter() {
        let first = segments(path).next().unwrap_or_default();
        if !["query", "variables", "operationName"].contains(&first) {
            return Err(bad("has something else in its body than `query`, `variables` and `operationName`"));
        }
    }
    let Some(Scalar::Text(document)) = body.get("query") else { return Err(bad("has no document")) };
    let secret = asks(document)?;
    let access = if secret { Access::SecretRead } else { Access::Read };
    let names = whole.names();
    let parameters = whole.parameters(Some(&body), &[]);
    let mut one = effect(("graphql", "graphql/query"), access, vec![names.whole(Role::Target)], parameters);
    one.iam_action = "graphql/query".into();
    Ok(names.call(vec![one]))
}

/// Whether a document asks for secrets.
///
/// # Errors
/// It does more than ask, or may do so to another reader.
fn asks(document: &str) -> Result<bool, Undecodable> {
    let document = &document.replace("\r\n", "\n");
    // What ends a line, and with it a comment, is not the same to all readers.
    let odd = |character: char| {
        matches!(character, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
            || (character.is_control() && !matches!(character, '\t' | '\n'))
    };
    if document.chars().any(odd) || document.contains("\"\"\"") {
        return Err(bad("has characters that not all readers take alike"));
    }
    // The second signal: the word that begins every change stands nowhere, not even where it would mean nothing.
    for word in ["mutation", "subscription"] {
        let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
        if document.split(|character| !is_part(character)).any(|own| own == word) {
            return Err(bad(&format!("says `{word}`")));
        }
    }
    let tree = Parser::new(document).recursion_limit(DEPTH_MAX).token_limit(WORDS_MAX).parse();
    if tree.errors().next().is_some() {
        return Err(bad("is no document"));
    }
    let document = tree.document();
    let mut queries = 0;
    for definition in document.definitions() {
        #[expect(clippy::wildcard_enum_match_arm, reason = "what is no query and no fragment is refused")]
        match definition {
            Definition::OperationDefinition(operation) => {
                let asks = operation.operation_type().is_none_or(|kind| kind.query_token().is_some());
                if !asks {
                    return Err(bad("does more than ask"));
                }
                queries += 1;
            }
            Definition::FragmentDefinition(_) => {}
            _ => return Err(bad("defines what no request may")),
        }
    }
    if queries == 0 {
        return Err(bad("asks for nothing"));
    }
    let mut tokens = document.syntax().descendants_with_tokens().filter_map(|element| element.into_token());
    Ok(tokens.any(|token| token.kind() == SyntaxKind::IDENT && SECRETS.contains(&token.text())))
}

fn bad(what: &str) -> Undecodable {
    Undecodable::new(
        "unread_graphql",
        format!("the GraphQL request {what}; send queries only, and make changes by the REST API"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(document: &str) -> Result<bool, &'static str> {
        asks(document).map_err(|why| why.reason_code)
    }

    #[test]
    fn what_only_asks_is_a_read() {
        for document in [
            "{ viewer { login } }",
            "query { viewer { login } }",
            "query A($n: Int!) @x { a(first: $n) { ...F } } fragment F on User { login } query B { b }",
            "# a comment\nquery { a(x: \"y\") }",
        ] {
            assert_eq!(read(document), Ok(false), "{document}");
        }
        assert_eq!(read("{ repository(owner: \"a\", name: \"b\") { t: tempCloneToken } }"), Ok(true));
    }

    #[test]
    fn all_else_is_not_read() {
        for document in [
            "",
            "mutation { a }",
            "query A { a } mutation B { b }",
            "subscription { a }",
            "fragment F on User { login }",
            "type A { b: C }",
            "query { a ",
            "#\rmutation { a }\nquery { a }",
            "#\u{2028}mutation { a }\nquery { a }",
            "query { a(x: \"\"\"y\"\"\") }",
            "query { a } extend type A { b: C }",
        ] {
            assert_eq!(read(document), Err("unread_graphql"), "{document}");
        }
        let deep = format!("query {}{}", "{ a ".repeat(1_000), "}".repeat(1_000));
        assert_eq!(read(&deep), Err("unread_graphql"));
    }
}
