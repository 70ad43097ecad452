//! Tables of a CMDB: what they become by ServiceNow's own columns and by those that are told, and what the model makes
//! of that.
//!
//! The tables are written by hand after what ServiceNow exports.

use expect_test::{Expect, expect};
use ordain_rules::import::{ImportError, Imported, ServiceNow, servicenow};
use ordain_rules::{Mode, Modes, Snapshot};

use crate::source;

/// As ServiceNow exports it: everything quoted, line breaks within, a byte order mark before.
const TABLE: &str = "\u{feff}\"sys_id\",\"Name\",\"sys_class_name\",\"object_id\",\"fqdn\",\"ip_address\",\"support_group\",\
\"owned_by\",\"business_service\",\"environment\",\"busines_criticality\",\"sys_updated_on\",\"install_status\",\"short_description\"
\"c1\",\"orders-db\",\"cmdb_ci_db_instance\",\"arn:aws:rds:eu-west-1:111122223333:db:orders\",\"\",\"\",\"Data Platform\",\
\"Beth Anglin\",\"Shop: Orders\",\"Production\",\"1 - most critical\",\"2026-11-20 08:15:30\",\"1\",\"password is hunter2,
and \"\"hunter2-too\"\"\"
\"c2\",\"web-01\",\"cmdb_ci_linux_server\",\"\",\"web-01.example.com\",\"10.0.0.7\",\"Web\",\"\",\"Shop: Orders\",\
\"Production\",\"2 - somewhat critical\",\"20/11/2026\",\"Installed\",\"\"
\"c3\",\"web-00\",\"cmdb_ci_linux_server\",\"\",\"\",\"10.0.0.6\",\"Web\",\"\",\"\",\"\",\"\",\"\",\"Retired\",\"\"
\"c4\",\"old-db\",\"cmdb_ci_db_instance\",\"\",\"\",\"\",\"Web\",\"\",\"\",\"\",\"\",\"\",\"7\",\"\"
\"c5\",\"shop-vm\",\"cmdb_ci_vm_instance\",\"/Subscriptions/5A/resourceGroups/Shop/providers/Microsoft.Compute/virtualMachines/vm\",\
\"\",\"\",\"\",\"\",\"\",\"Test\",\"platinum\",\"\",\"1\",\"\"
\"\",\"nameless\",\"cmdb_ci\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"1\",\"\"
\"c6\",\"queue\",\"cmdb_ci_cloud\",\"//pubsub.googleapis.com/projects/shop/topics/orders\",\"\",\"\",\"\u{c9}quipe\",\"\",\"\",\"\",\
\"3 - less critical\",\"\",\"1\",\"\"
\"c7\",\"desk\",\"cmdb_ci\",\"\",\"\",\"\",\"\u{c0}quipe\",\"\",\"\",\"\",\"4 - not critical\",\"\",\"1\",\"\"
\"c8\",\"cafe\",\"cmdb_ci\",\"\",\"\",\"\",\"\u{30c6}\",\"\",\"\",\"\",\"\",\"\",\"1\",\"\"
\"c2\",\"web-01\",\"cmdb_ci_linux_server\",\"\",\"web-01.example.com\",\"10.0.0.8\",\"Web\",\"\",\"\",\"Production\",\
\"2 - somewhat critical\",\"2026-11-21 08:15:30\",\"Installed\",\"\"
";

fn import(text: &str, told: ServiceNow<'_>) -> Result<Imported, ImportError> {
    servicenow(&[source("cmdb_ci.csv", text)], told)
}

fn shop() -> ServiceNow<'static> {
    let as_of = Some("2026-11-24T10:00:00Z".parse().unwrap());
    ServiceNow { name: Some("shop"), as_of, ..ServiceNow::default() }
}

fn columns(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(word, column)| ((*word).to_owned(), (*column).to_owned())).collect()
}

#[test]
fn a_table_becomes_an_inventory_by_its_usual_columns() {
    let imported = import(TABLE, shop()).unwrap();
    assert_eq!(imported.file, "servicenow-shop.yaml");
    expect![[r##"
        # Imported: change the source and import again.
        apiVersion: ordain/v1
        kind: Inventory
        metadata:
          name: "shop"
        spec:
          source: "servicenow:shop"
          asOf: 2026-11-24T10:00:00Z
          plane: unknown
          resources:
            - {"id":"c2","type":"cmdb_ci_linux_server","identifiers":["10.0.0.8","web-01","web-01.example.com"],"environment":"production","tier":"high","tags":{"owner":"web"},"changed":"2026-11-21T08:15:30Z"}
            - {"id":"c5","type":"cmdb_ci_vm_instance","name":"/subscriptions/5a/resourcegroups/shop/providers/microsoft.compute/virtualmachines/vm","identifiers":["shop-vm"],"account":"5a","environment":"test"}
            - {"id":"c6","type":"cmdb_ci_cloud","name":"//pubsub.googleapis.com/projects/shop/topics/orders","identifiers":["queue"],"account":"shop","tier":"medium"}
            - {"id":"c7","type":"cmdb_ci","identifiers":["desk"],"tier":"low"}
            - {"id":"c8","type":"cmdb_ci","identifiers":["cafe"]}
        ---
        apiVersion: ordain/v1
        kind: Inventory
        metadata:
          name: "shop"
        spec:
          source: "servicenow:shop"
          asOf: 2026-11-24T10:00:00Z
          plane: aws
          resources:
            - {"id":"c1","type":"cmdb_ci_db_instance","name":"arn:aws:rds:eu-west-1:111122223333:db:orders","identifiers":["orders-db"],"account":"111122223333","system":"shop--orders","environment":"production","tier":"critical","tags":{"owner":"data-platform"},"changed":"2026-11-20T08:15:30Z"}
    "##]].assert_eq(&imported.text);
    expect![[r#"
        ImportSummary {
            facts: 6,
            relations: 0,
            unowned: 4,
            owners: {
                "data-platform",
                "web",
            },
            accounts: {
                "111122223333",
                "5a",
                "shop",
            },
            left_out: [
                "1 × a row whose `install_status` is `7`: it is no more",
                "1 × a row whose `install_status` is `Retired`: it is no more",
                "1 × a row without an id",
                "1 × a time that is not written as `2026-11-24 10:00:00`",
                "1 × the owner `テ`, of which no name of a group can be made",
                "1 × the tier `platinum`, which is none that is known",
                "`c2` is there twice, and the later row counts",
                "the owners `àquipe` and `équipe`, which would all be called `quipe`; rename one",
            ],
        }
    "#]]
    .assert_debug_eq(&imported.summary);
    for secret in ["hunter2", "Beth Anglin"] {
        assert!(TABLE.contains(secret), "the table does hold `{secret}`");
        assert!(!imported.text.contains(secret), "`{secret}` was kept");
    }
}

#[test]
fn what_was_imported_has_owners_on_its_planes_in_the_model() {
    let imported = import(TABLE, shop()).unwrap();
    let people = "
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: data-platform}
spec: {type: team, children: []}
---
apiVersion: ordain/v1
kind: Account
metadata: {name: test}
spec: {plane: azure, account: 5a, owner: data-platform}
";
    let files = [source(&imported.file, &imported.text), source("people.yaml", people)];
    let snapshot = Snapshot::load(&files, Modes::new(Mode::Enforce)).unwrap();
    let findings: Vec<&str> = snapshot.findings().iter().map(|finding| finding.text.as_str()).collect();
    expect!["tag `owner` says `web`, which is no declared group; declare the group"]
        .assert_eq(&findings.join("\n"));
    let facts: Vec<String> = snapshot
        .inventory()
        .map(|fact| format!("{} {} {}", fact.name, fact.account, fact.owned_by.unwrap_or("nobody")))
        .collect();
    expect![[r#"
        //pubsub.googleapis.com/projects/shop/topics/orders shop nobody
        /subscriptions/5a/resourcegroups/shop/providers/microsoft.compute/virtualmachines/vm 5a account
        arn:aws:rds:eu-west-1:111122223333:db:orders 111122223333 tag `owner`
        servicenow:shop#c2  nobody
        servicenow:shop#c7  nobody
        servicenow:shop#c8  nobody"#]]
    .assert_eq(&facts.join("\n"));
}

#[test]
fn the_columns_of_another_table_are_told() {
    let table = "Key;Kind;Called;Also;Team;Where;Needs;State\n\
                 a;ec2:instance;i-0a;web;Web;eu-west-1;\"DB, main\";live\n\
                 b;rds:db;\"DB, main\";;Web;eu-west-1;a,missing;live\n\
                 c;s3:bucket;assets;;Web;;a;Stolen\n";
    let told = columns(&[
        ("id", "key"),
        ("type", "kind"),
        ("name", "called"),
        ("identifier", "ALSO"),
        ("owner", "team"),
        ("region", "where"),
        ("depends-on", "needs"),
        ("status", "state"),
    ]);
    let told = ServiceNow { columns: &told, plane: Some("aws"), account: Some("111122223333"), ..shop() };
    let imported = import(table, told).unwrap();
    expect![[r##"
        # Imported: change the source and import again.
        apiVersion: ordain/v1
        kind: Inventory
        metadata:
          name: "shop"
        spec:
          source: "servicenow:shop"
          asOf: 2026-11-24T10:00:00Z
          plane: aws
          account: "111122223333"
          resources:
            - {"id":"a","type":"ec2:instance","identifiers":["i-0a","web"],"region":"eu-west-1","tags":{"owner":"web"}}
            - {"id":"b","type":"rds:db","identifiers":["DB, main"],"region":"eu-west-1","tags":{"owner":"web"}}
          relations:
            - {"from":"a","type":"dependsOn","to":"b"}
            - {"from":"b","type":"dependsOn","to":"a"}
    "##]].assert_eq(&imported.text);
    expect![[r#"
        ImportSummary {
            facts: 2,
            relations: 2,
            unowned: 0,
            owners: {
                "web",
            },
            accounts: {
                "111122223333",
            },
            left_out: [
                "1 × a relation to what no row, or more than one, is called; import that too",
                "1 × a row whose `State` is `Stolen`: it is no more",
            ],
        }
    "#]]
    .assert_debug_eq(&imported.summary);
}

#[test]
fn of_a_row_that_is_there_twice_the_later_counts_even_where_it_ends_it() {
    let table = "sys_id,name,install_status\na,one,1\nb,two,1\na,one,7\n";
    let imported = import(table, shop()).unwrap();
    assert!(!imported.text.contains("one"), "{}", imported.text);
    assert_eq!(
        imported.summary.left_out,
        [
            "1 × a row whose `install_status` is `7`: it is no more",
            "`a` is there twice, and the later row counts"
        ]
    );
}

#[test]
fn a_number_means_what_its_column_says() {
    let table = "sys_id,name,operational_status\na,one,7\nb,two,6\n";
    let imported = import(table, shop()).unwrap();
    assert_eq!(imported.summary.facts, 1);
    assert_eq!(imported.summary.left_out, ["1 × a row whose `operational_status` is `6`: it is no more"]);
}

#[test]
fn what_is_no_such_table_is_refused_with_what_to_give() {
    let check = |text: &str, told: &[(&str, &str)], plane: Option<&str>, expected: Expect| {
        let told = columns(told);
        let error = import(text, ServiceNow { columns: &told, plane, ..shop() }).unwrap_err();
        expected.assert_eq(&error.to_string());
    };
    check(
        "",
        &[],
        None,
        expect![
            "cannot import `cmdb_ci.csv`: it has no column `sys_id`; say which column is `id`, and give an export in CSV with a line of headers"
        ],
    );
    check(
        "name,owner\nweb,me\n",
        &[],
        None,
        expect![
            "cannot import `cmdb_ci.csv`: it has no column `sys_id`; say which column is `id`, and give an export in CSV with a line of headers"
        ],
    );
    check(
        "key,owner\nweb,me\n",
        &[("owner", "owner")],
        None,
        expect![
            "cannot import `cmdb_ci.csv`: no column is told to be `id`; say which column is `id`, and give an export in CSV with a line of headers"
        ],
    );
    check(
        "key,owner\nweb,me\n",
        &[("id", "kye")],
        None,
        expect!["cannot import `cmdb_ci.csv`: it has no column `kye`; known here are `key`, `owner`"],
    );
    check(
        "key,owner\nweb,me\n",
        &[("di", "key")],
        None,
        expect![
            "cannot import `cmdb_ci.csv`: `di` is nothing that a column can be; known here are `id`, `type`, `name`, `identifier`, `owner`, `system`, `environment`, `tier`, `account`, `region`, `path`, `updated`, `status`, `depends-on`"
        ],
    );
    check(
        "key,Key\nweb,me\n",
        &[("id", "key")],
        None,
        expect!["cannot import `cmdb_ci.csv`: it has two columns `key`; rename one"],
    );
    check(
        "key,owner\nweb,me\n",
        &[("id", "key"), ("id", "owner")],
        None,
        expect!["cannot import `cmdb_ci.csv`: `id` is told of two columns; keep one"],
    );
    check(
        "sys_id,name\na,b,hunter2\n",
        &[],
        None,
        expect![
            "cannot import `cmdb_ci.csv`: it is not a table that can be read: CSV error: record 1 (line: 2, byte: 12): found record with 3 fields, but the previous record has 2 fields; give an export in CSV with a line of headers"
        ],
    );
    check(
        "sys_id,install_status\na,7\n",
        &[],
        None,
        expect![
            "cannot import `cmdb_ci.csv`: it holds no row of something that still is; give an export in CSV with a line of headers"
        ],
    );
    check(
        "sys_id\na\n",
        &[],
        Some("awz"),
        expect!["cannot import `cmdb_ci.csv`: unknown plane `awz`; did you mean `aws`"],
    );
}
