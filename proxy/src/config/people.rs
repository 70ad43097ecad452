//! Whose tokens people may log in with, as resolved.
//!
//! Leaves out the settings as written (`settings::people`) and what the rules do (`identity::login`).

use super::ConfigError;
use super::identity::{algorithms, audience, conditions, keys_of};
use crate::identity::{LoginRule, LoginRules, Template};
use crate::people::Role;
use crate::settings::{Login, LoginOidc};

/// Resolves the table `login`.
pub(super) fn rules(written: &Login) -> Result<LoginRules, ConfigError> {
    let rules: Vec<LoginRule> = written.oidc.iter().map(rule).collect::<Result<_, _>>()?;
    for (index, rule) in rules.iter().enumerate() {
        let differs = |other: &&LoginRule| other.issuer == rule.issuer && other.keys != rule.keys;
        if rules.iter().take(index).any(|other| differs(&other)) {
            let fix =
                "its entries differ in where its keys are; give all of them the same `jwks` and `trust`";
            return Err(ConfigError::new("`issuer` under `login.oidc`", &rule.issuer, fix));
        }
    }
    Ok(LoginRules(rules))
}

fn rule(one: &LoginOidc) -> Result<LoginRule, ConfigError> {
    let of = format!("of `login.oidc` for `{}`", one.issuer);
    let person = Template::parse(&one.person)
        .map_err(|fix| ConfigError::new(format!("`person` {of}"), &one.person, fix))?;
    if person.asks_for().next().is_none() {
        let fix =
            "everybody would be that person; put a claim between braces, such as `{preferred_username}`";
        return Err(ConfigError::new(format!("`person` {of}"), &one.person, fix));
    }
    if one.roles.is_empty() {
        let fix = "nobody may do anything without one; add `[[login.oidc.role]]`";
        return Err(ConfigError::new(format!("`role` {of}"), "", fix));
    }
    let mut roles = Vec::new();
    for role in &one.roles {
        let known = Role::parse(&role.role).ok_or_else(|| {
            let fix = "use `viewer`, `approver`, `operator` or `admin`";
            ConfigError::new(format!("`role` {of}"), &role.role, fix)
        })?;
        roles.push((known, conditions(&role.matches)));
    }
    Ok(LoginRule {
        audience: audience(&of, &one.audience)?,
        keys: keys_of(("login.oidc", &of), &one.issuer, one.jwks.as_deref(), one.trust.as_ref())?,
        algorithms: algorithms(&of, &one.algorithms)?,
        matches: conditions(&one.matches),
        person,
        roles,
        issuer: one.issuer.clone(),
    })
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use crate::config::Config;
    use crate::settings::Settings;

    const GOOD: &str = r#"
[[login.oidc]]
issuer = "https://login.example"
audience = "ordain"
jwks = "keys.json"
algorithms = ["RS256"]
match = { hd = "acme.example" }
person = "{email}"
[[login.oidc.role]]
role = "viewer"
[[login.oidc.role]]
role = "approver"
match = { groups = "change-*" }
"#;

    /// What is in force, or what is wrong.
    #[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
    fn check(text: &str, expected: Expect) {
        let said = Settings::parse("gate.toml", text).map_err(|error| error.to_string());
        let said = said.and_then(|settings| {
            let config = Config::resolve(settings).map_err(|error| error.to_string())?;
            Ok(config.login.lines().join("\n"))
        });
        expected.assert_eq(&said.unwrap_or_else(|error| error));
    }

    #[test]
    fn every_role_that_a_provider_gives_is_told_of_in_a_line() {
        check(
            GOOD,
            expect![[r#"
            people log in as `{email}` with tokens of `https://login.example` for `ordain` signed with RS256 under the keys of the file `keys.json` where hd=acme.example, and are viewer
            people log in as `{email}` with tokens of `https://login.example` for `ordain` signed with RS256 under the keys of the file `keys.json` where hd=acme.example and groups=change-*, and are approver"#]],
        );
    }

    #[test]
    fn what_would_believe_too_much_or_nobody_is_refused() {
        check(
            &GOOD.replace("{email}", "alice"),
            expect![
                "`person` of `login.oidc` for `https://login.example` is `alice`: everybody would be that person; put a claim between braces, such as `{preferred_username}`"
            ],
        );
        check(
            &GOOD.replace("\"viewer\"", "\"root\""),
            expect![
                "`role` of `login.oidc` for `https://login.example` is `root`: use `viewer`, `approver`, `operator` or `admin`"
            ],
        );
        check(
            GOOD.split_once("[[login.oidc.role]]").unwrap().0,
            expect![
                "`role` of `login.oidc` for `https://login.example` is ``: nobody may do anything without one; add `[[login.oidc.role]]`"
            ],
        );
        check(
            &GOOD.replace("audience = \"ordain\"", "audience = \"\""),
            expect![
                "`audience` of `login.oidc` for `https://login.example` is ``: give the audience that tokens for this gate are asked for with"
            ],
        );
        check(
            &GOOD.replace("jwks = \"keys.json\"", "").replace("https://", "http://"),
            expect![
                "`issuer` of `login.oidc` is `http://login.example`: it is no `https` URL, so that its keys cannot be found; give a `jwks`"
            ],
        );
        check(
            &GOOD.replace("person =", "persona ="),
            expect!["`gate.toml` line 8, column 1: unknown key `persona`; did you mean `person`"],
        );
        let twice = format!("{GOOD}{}", GOOD.replace("keys.json", "others.json"));
        check(
            &twice,
            expect![
                "`issuer` under `login.oidc` is `https://login.example`: its entries differ in where its keys are; give all of them the same `jwks` and `trust`"
            ],
        );
    }
}
