//! Catalogues of Backstage: files and answers of the API, what they become, and what the model makes of that.
//!
//! The files are written by hand after the examples of Backstage and after what its API answers.

use std::fmt::Write as _;

use expect_test::expect;
use ordain_rules::import::{Backstage, ImportError, Imported, backstage};
use ordain_rules::{Mode, Modes, Snapshot, Source};

use crate::source;

const FILE: &str = r#"
# The shop.
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: web
  title: The shop's front
  description: |
    What customers see.
    ---- nothing else
  labels: {example.com/cost-center: "4711"}
  annotations:
    backstage.io/techdocs-ref: dir:.
    pagerduty.com/integration-key: hunter2-in-annotation
  tags: [java]
  links: [{url: "https://grafana.example.com/?token=hunter2-in-link", title: Dashboard}]
spec:
  type: service
  lifecycle: production
  owner: group:default/Web
  system: shop
  providesApis: [orders]
  consumesApis: [api:eu/payments]
  dependsOn: [resource:orders-db, "component:default/Login"]
  dependencyOf:
  tier: High
  x-internal: {password: hunter2-in-spec}
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: orders}
spec:
  type: openapi
  lifecycle: production
  owner: web
  system: shop
  definition:
    $text: ./openapi.yaml
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: payments, namespace: eu}
spec:
  type: openapi
  lifecycle: production
  owner: payments
  definition: |
    openapi: 3.1.0
    info: {description: hunter2-in-definition}
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: shop}
spec: {owner: user:default/Alice, domain: retail}
---
apiVersion: backstage.io/v1alpha1
kind: Domain
metadata: {name: retail}
spec: {owner: board}
---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata:
  name: orders-db
  annotations: {amazonaws.com/arn: "arn:aws:rds:eu-west-1:111122223333:db:orders"}
spec: {type: database, owner: user:ghost, system: shop, tier: "1"}
---
apiVersion: backstage.io/v1alpha1
kind: Location
metadata: {name: root}
spec: {targets: [./a.yaml]}
---
apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata: {name: new-service}
spec: {type: service, owner: web, steps: []}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: Web}
spec: {type: website, owner: mallory}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: orphan}
spec: {type: service}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: odd}
spec: {type: service, owner: "component:web"}
---
apiVersion: example.com/v1
kind: Component
metadata: {name: foreign}
spec: {type: service, owner: web}
"#;

const ANSWER: &str = r#"{
  "items": [
    {
      "apiVersion": "backstage.io/v1alpha1",
      "kind": "Group",
      "metadata": {
        "name": "web", "namespace": "default", "uid": "9f0b", "etag": "hunter2-in-etag",
        "annotations": {"backstage.io/managed-by-location": "url:https://example.com/org.yaml"}
      },
      "relations": [{"type": "hasMember", "targetRef": "user:default/alice", "target": {"name": "alice"}}],
      "spec": {
        "type": "team", "parent": "engineering", "children": [],
        "members": ["alice", "eu/bob", "carol"],
        "profile": {"displayName": "Web", "picture": "https://example.com/p?sig=hunter2-in-picture", "x": {"y": 1}}
      },
      "status": {"items": [{"level": "error", "message": "hunter2-in-status"}]}
    },
    {
      "apiVersion": "backstage.io/v1alpha1",
      "kind": "User",
      "metadata": {"name": "alice"},
      "spec": {"profile": {"displayName": "Alice", "email": "alice@example.com"}, "memberOf": ["web", "guests"]}
    },
    {
      "apiVersion": "backstage.io/v1alpha1",
      "kind": "User",
      "metadata": {"name": "bob"},
      "spec": {"profile": {}, "memberOf": []}
    },
    {
      "apiVersion": "backstage.io/v1alpha1",
      "kind": "User",
      "metadata": {"name": "Bob", "namespace": "eu"},
      "spec": {"memberOf": ["web"]}
    }
  ],
  "totalItems": 5,
  "pageInfo": {"nextCursor": "eyJvcmRlciI6"}
}"#;

fn import(sources: &[Source]) -> Result<Imported, ImportError> {
    backstage(sources, Backstage { name: Some("shop"), people: true })
}

fn shop() -> Vec<Source> {
    vec![source("catalog-info.yaml", FILE), source("entities.json", ANSWER)]
}

#[test]
fn a_catalogue_becomes_documents_of_what_the_model_knows() {
    let imported = import(&shop()).unwrap();
    assert_eq!(imported.file, "backstage-shop.yaml");
    expect![[r##"
        # Imported: change the source and import again.
        apiVersion: backstage.io/v1alpha1
        kind: API
        metadata: {"name":"payments","namespace":"eu"}
        spec: {"type":"openapi","lifecycle":"production","owner":"eu/payments"}
        ---
        apiVersion: backstage.io/v1alpha1
        kind: API
        metadata: {"name":"orders"}
        spec: {"type":"openapi","lifecycle":"production","owner":"web","system":"system:shop"}
        ---
        apiVersion: backstage.io/v1alpha1
        kind: Component
        metadata: {"name":"web","title":"The shop's front","description":"What customers see.\n---- nothing else\n"}
        spec: {"type":"service","lifecycle":"production","owner":"web","system":"system:shop","providesApis":["api:orders"],"consumesApis":["api:eu/payments"],"dependsOn":["resource:orders-db","component:login"],"tier":"high"}
        ---
        apiVersion: backstage.io/v1alpha1
        kind: Domain
        metadata: {"name":"retail"}
        spec: {"owner":"board"}
        ---
        apiVersion: backstage.io/v1alpha1
        kind: Group
        metadata: {"name":"board","description":"Named as an owner, declared nowhere"}
        spec: {"type":"team"}
        ---
        apiVersion: backstage.io/v1alpha1
        kind: Group
        metadata: {"name":"payments","namespace":"eu","description":"Named as an owner, declared nowhere"}
        spec: {"type":"team"}
        ---
        apiVersion: backstage.io/v1alpha1
        kind: Group
        metadata: {"name":"guests","description":"Named as a team, declared nowhere"}
        spec: {"type":"team"}
        ---
        apiVersion: backstage.io/v1alpha1
        kind: Group
        metadata: {"name":"web"}
        spec: {"type":"team","profile":{"displayName":"Web"},"parent":"group:engineering","children":[],"members":["alice"]}
        ---
        apiVersion: backstage.io/v1alpha1
        kind: Resource
        metadata: {"name":"orders-db","annotations":{"amazonaws.com/arn":"arn:aws:rds:eu-west-1:111122223333:db:orders"}}
        spec: {"type":"database","owner":"user:ghost","system":"system:shop"}
        ---
        apiVersion: backstage.io/v1alpha1
        kind: System
        metadata: {"name":"shop"}
        spec: {"owner":"user:alice","domain":"domain:retail"}
        ---
        apiVersion: backstage.io/v1alpha1
        kind: User
        metadata: {"name":"alice"}
        spec: {"profile":{"displayName":"Alice","email":"alice@example.com"},"memberOf":["web","guests"]}
        ---
        apiVersion: backstage.io/v1alpha1
        kind: User
        metadata: {"name":"bob"}
        spec: {"profile":{},"memberOf":[]}
    "##]].assert_eq(&imported.text);
}

#[test]
fn what_is_in_a_catalogue_and_what_was_left_out_is_told() {
    let imported = import(&shop()).unwrap();
    expect![[r#"
        ImportSummary {
            facts: 9,
            relations: 5,
            unowned: 0,
            owners: {
                "board",
                "eu/payments",
                "guests",
                "user:ghost",
            },
            accounts: {
                "111122223333",
            },
            left_out: [
                "`spec.tier` of `resource:orders-db` is none of `critical`, `high`, `medium` and `low`; correct it in the catalogue",
                "`component:web` is there twice, and the first counts; remove one",
                "`component:orphan` has no `spec.owner`; add it in the catalogue",
                "`component:odd` has an owner that is no group and no user; correct it in the catalogue",
                "`user:eu/bob` has the name of `user:bob`, and an actor is known by it alone; rename one",
                "`entities.json` is one page of an answer; import the pages after it too",
                "1 × `Component` of `example.com/v1`: not a kind that the model takes from a catalogue",
                "1 × `Location`: not a kind that the model takes from a catalogue",
                "1 × `Template`: not a kind that the model takes from a catalogue",
                "`eu/bob` is a member of `group:web` and no `User` of these files; import that too, or declare it with `memberOf`",
                "`carol` is a member of `group:web` and no `User` of these files; import that too, or declare it with `memberOf`",
                "`user:ghost` owns 1 of these entities and is no `User` of these files; declare a `User` or an `Actor` named `ghost`, or the model does not load",
            ],
        }
    "#]].assert_debug_eq(&imported.summary);
}

#[test]
fn nothing_of_an_entity_comes_along_by_itself() {
    let imported = import(&shop()).unwrap();
    for secret in [
        "hunter2-in-annotation",
        "hunter2-in-link",
        "hunter2-in-spec",
        "hunter2-in-definition",
        "hunter2-in-etag",
        "hunter2-in-picture",
        "hunter2-in-status",
    ] {
        assert!(FILE.contains(secret) || ANSWER.contains(secret), "the catalogue does hold `{secret}`");
        assert!(!imported.text.contains(secret), "`{secret}` was kept");
        assert!(!format!("{:?}", imported.summary).contains(secret), "`{secret}` is told");
    }
}

#[test]
fn what_was_imported_is_loaded_once_its_users_are_declared() {
    let imported = import(&shop()).unwrap();
    let alone = [source(&imported.file, &imported.text)];
    let problems = Snapshot::load(&alone, Modes::new(Mode::Enforce)).unwrap_err();
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    expect!["backstage-shop.yaml:45: group `user:ghost` is not declared; known here are `board`, `eu/payments`, `guests`, `web`"].assert_eq(&problems.join("\n"));
    let ghost = "
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: ghost}
spec: {memberOf: []}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: board}
spec: {type: team, members: [ghost]}
";
    let files = [source(&imported.file, &imported.text), source("people.yaml", ghost)];
    let snapshot = Snapshot::load(&files, Modes::new(Mode::Enforce)).unwrap();
    let findings: Vec<&str> = snapshot.findings().iter().map(|finding| finding.text.as_str()).collect();
    expect!["`component:login` takes part in a relation and is not declared; declare it"]
        .assert_eq(&findings.join("\n"));
    let mut owned = String::new();
    for fact in snapshot.inventory() {
        writeln!(owned, "{} {}", fact.name, fact.owners.join(",")).unwrap();
    }
    expect![[r#"
        api:eu/payments eu/payments
        api:orders web
        arn:aws:rds:eu-west-1:111122223333:db:orders user:ghost
        component:web web
        domain:retail board
        system:shop user:alice
    "#]]
    .assert_eq(&owned);
    assert_eq!(snapshot.summary().relations, imported.summary.relations - 1);
}

#[test]
fn an_answer_is_a_list_too() {
    let listed = r#"[{"apiVersion": "backstage.io/v1alpha1", "kind": "Group", "metadata": {"name": "web"},
                      "spec": {"type": "team", "children": []}}, null]"#;
    let imported = import(&[source("entities.json", listed)]).unwrap();
    expect![[r##"
        # Imported: change the source and import again.
        apiVersion: backstage.io/v1alpha1
        kind: Group
        metadata: {"name":"web"}
        spec: {"type":"team","children":[]}
    "##]]
    .assert_eq(&imported.text);
    assert_eq!(imported.summary.left_out, Vec::<String>::new());
}

#[test]
fn letters_that_yaml_does_not_take_do_not_keep_the_model_from_loading() {
    let listed = r#"[{"apiVersion": "backstage.io/v1alpha1", "kind": "Group",
                      "metadata": {"name": "web", "description": "a\u007fb\u2028c\u0085d\ufeffe\ud83d\ude00f: {g"},
                      "spec": {"type": "team", "children": []}}]"#;
    let imported = import(&[source("entities.json", listed)]).unwrap();
    Snapshot::load(&[source("x.yaml", &imported.text)], Modes::new(Mode::Enforce)).unwrap();
}

#[test]
fn what_is_no_catalogue_is_refused_with_what_to_give() {
    let refused = |text: &str| import(&[source("x", text)]).unwrap_err().to_string();
    expect!["cannot import `x`: it holds something without `apiVersion` and `kind`; give a `catalog-info.yaml` or the answer of `/api/catalog/entities`"].assert_eq(&refused("site_name: Documentation\n"));
    expect!["cannot import `x`: it holds no entities; give a `catalog-info.yaml` or the answer of `/api/catalog/entities`"].assert_eq(&refused("{\"error\": {\"name\": \"AuthenticationError\"}}"));
    expect!["cannot import `x`: it holds something without `apiVersion` and `kind`; give a `catalog-info.yaml` or the answer of `/api/catalog/entities`"].assert_eq(&refused("[1]"));
    expect!["cannot import `x`: it is not an answer that can be read: EOF while parsing an object at line 1 column 2; give a `catalog-info.yaml` or the answer of `/api/catalog/entities`"].assert_eq(&refused("[{"));
    expect!["cannot import `x`: the document at line 1 is not one that can be read: did not find expected node content at line 2 column 1, while parsing a flow node; give a `catalog-info.yaml` or the answer of `/api/catalog/entities`"].assert_eq(&refused("kind: [\n"));
    expect!["cannot import `x`: it holds no entity of a kind that the model takes; give a `catalog-info.yaml` or the answer of `/api/catalog/entities`"].assert_eq(&refused("# nothing\n"));
    expect!["cannot import `x`: it holds a `User` whose `metadata` gives no name that can be; give a `catalog-info.yaml` or the answer of `/api/catalog/entities`"].assert_eq(&refused(
        "apiVersion: backstage.io/v1alpha1\nkind: User\nmetadata: {name: eu/alice}\nspec: {}\n",
    ));
}

#[test]
fn who_acts_for_whom_comes_along_where_that_is_asked_for_alone() {
    let catalogue = "apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: payments}
spec: {type: team, children: [], members: [mallory]}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: mallory}
spec: {memberOf: [payments], reads: {accounts: ['*']}}
";
    let files = [source("catalog-info.yaml", catalogue)];
    let plain = backstage(&files, Backstage { name: Some("shop"), people: false }).unwrap();
    assert!(!plain.text.contains("mallory"), "{}", plain.text);
    let left_out = "1 × `User`: who acts for whom is not taken from a catalogue unless that is asked for";
    assert_eq!(plain.summary.left_out, [left_out]);
    let asked = backstage(&files, Backstage { name: Some("shop"), people: true }).unwrap();
    assert!(asked.text.contains("mallory") && !asked.text.contains("reads"), "{}", asked.text);
}
