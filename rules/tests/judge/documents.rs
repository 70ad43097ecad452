//! What is wrong with a model, with its place and the nearest known word.

use expect_test::expect;

use crate::support::check_problems;

#[test]
fn an_unknown_kind_names_the_nearest_known_one() {
    check_problems(
        &[("a.yaml", "apiVersion: ordain/v1\nkind: Compnent\nmetadata: {name: a}\nspec: {}\n")],
        expect!["a.yaml:2: unknown kind `Compnent`; did you mean `Component`"],
    );
}

#[test]
fn an_unknown_key_is_an_error_in_its_own_document() {
    check_problems(
        &[(
            "a.yaml",
            "# two documents\napiVersion: ordain/v1\nkind: Environment\nmetadata: {name: a}\nspec: {tier: high}\n---\n\
             apiVersion: ordain/v1\nkind: Scope\nmetadata:\n  name: b\nspec:\n  names: [\"arn:*\"]\n  onwer: web\n",
        )],
        expect!["a.yaml:13: in `spec`: unknown key `onwer`; did you mean `owner`"],
    );
}

#[test]
fn every_problem_is_told_at_once() {
    check_problems(
        &[
            ("b.yaml", "apiVersion: ordain/v2\nkind: User\nmetadata: {name: a}\nspec: {}\n"),
            (
                "a.yaml",
                "kind: User\nmetadata: {name: a}\nspec: {}\n---\napiVersion: ordain/v1\nkind: User\nmetadata: {name: u}\nspec:\n  memberOf: [wbe]\n---\napiVersion: ordain/v1\nkind: Group\nmetadata: {name: web}\nspec:\n  members: [nobody]\n",
            ),
            ("notes.txt", "hello"),
            (
                "c.yaml",
                "apiVersion: ordain/v1\nkind: Environment\nmetadata: {name: e}\nspec: {mode: enforced, tier: urgent}\n---\napiVersion: ordain/v1\nkind: Freeze\nmetadata: {name: f}\nspec:\n  from: 2026-12-02T00:00:00Z\n  until: 2026-12-01T00:00:00Z\n  why: because\n",
            ),
            (
                "d.yaml",
                "apiVersion: ordain/v1\nkind: Actor\nmetadata: {name: r}\nspec: {kind: robot}\n---\napiVersion: ordain/v1\nkind: Inventory\nmetadata: {name: i}\nspec:\n  source: s\n  resources: []\n  relations:\n    - {from: a, type: dependson, to: b}\n",
            ),
        ],
        expect![[r#"
            a.yaml:1: `apiVersion` is missing; add it
            a.yaml:9: group `wbe` is not declared; known here are `web`
            a.yaml:15: member `nobody` is not declared; add a `User` or an `Actor` of that name
            b.yaml:1: unknown apiVersion `ordain/v2`; did you mean `ordain/v1`
            c.yaml:4: unknown mode `enforced`; did you mean `enforce`
            c.yaml:4: unknown tier `urgent`; known here are `critical`, `high`, `medium`, `low`
            c.yaml:11: freeze `f` ends before it begins; correct `until`
            d.yaml:4: unknown actor kind `robot`; known here are `person`, `pipeline`, `agent`
            d.yaml:13: unknown relation `dependson`; did you mean `dependsOn`
            notes.txt:1: not a model file; its name should end in `.yaml` or `.cedar`"#]],
    );
}

#[test]
fn a_key_given_twice_is_refused() {
    check_problems(
        &[(
            "a.yaml",
            "apiVersion: ordain/v1\nkind: Environment\nmetadata: {name: a}\nspec:\n  tier: high\n  tier: low\n",
        )],
        expect!["a.yaml:5: in `spec`: `tier` is given twice; remove one"],
    );
    check_problems(
        &[(
            "a.yaml",
            "apiVersion: ordain/v1\nkind: Scope\nmetadata: {name: a}\nspec:\n  tags:\n    env: prod\n    env: test\n",
        )],
        expect!["a.yaml:6: in `spec.tags`: `env` is given twice; remove one"],
    );
}

#[test]
fn a_rule_has_to_say_why_and_what_to_do() {
    check_problems(
        &[(
            "rules/a.cedar",
            "// mine\n\npermit (principal, action, resource);\n\n@id(\"b\") @class(\"gate\") @reason(\"no {wher}\") @remedy(\"x\")\n\
             forbid (principal, action, resource);\n@id(\"c\") @class(\"ground\") @reason(\"r\") @remedy(\"\")\nforbid (principal, action, resource);\n\
             @id(\"d\") @class(\"gate\") @reason(\"r\") @remedy(\"\")\nforbid (principal, action, resource);\n\
             @id(\"e\") @class(\"gate\") @reason(\"r\") @remedy(\"m\") @remdey(\"m\")\nforbid (principal, action, resource);\n",
        )],
        expect![[r#"
            rules/a.cedar:3: the rule has no `@id`; add one
            rules/a.cedar:5: unknown place `{wher}`; known here are `actor`, `owner`, `resource`, `system`, `operation`, `access`, `change`, `unplanned`, `freeze`, `window`, `dependants`, `environment`, `tier`
            rules/a.cedar:7: `c` is a ground and forbids; a ground permits
            rules/a.cedar:9: `d` gives no reason or no remedy; say why it refuses and what to do
            rules/a.cedar:11: unknown annotation `@remdey`; did you mean `remedy`"#]],
    );
}

#[test]
fn a_rule_has_to_fit_the_schema_and_have_an_id_of_its_own() {
    check_problems(
        &[(
            "rules/a.cedar",
            "@id(\"frozen\") @class(\"gate\") @reason(\"r\") @remedy(\"m\")\nforbid (principal, action, resource);\n\
             @id(\"typo\") @class(\"gate\") @reason(\"r\") @remedy(\"m\")\nforbid (principal, action, resource) when { resource.teir == \"high\" };\n",
        )],
        expect![[r#"
            rules/a.cedar:1: a rule with the id `frozen` is in `built-in/circumstances.cedar` line 3 already; give one of them another id
            rules/a.cedar:3: rule `typo` does not fit the schema: for policy `typo`, attribute `teir` on entity type `Resource` not found; correct the rule"#]],
    );
    check_problems(
        &[("rules/a.cedar", "@id(\"x\") permit (principal, action resource);")],
        expect!["rules/a.cedar:1: not a rule that can be read: unexpected token `resource`; correct it"],
    );
}

#[test]
fn a_group_is_not_part_of_itself() {
    check_problems(
        &[(
            "a.yaml",
            "apiVersion: ordain/v1\nkind: Group\nmetadata: {name: a}\nspec: {parent: b}\n---\n\
             apiVersion: ordain/v1\nkind: Group\nmetadata: {name: b}\nspec: {parent: a}\n",
        )],
        expect![[r#"
            a.yaml:3: group `a` is part of itself; correct `parent` or `children`
            a.yaml:8: group `b` is part of itself; correct `parent` or `children`"#]],
    );
}
