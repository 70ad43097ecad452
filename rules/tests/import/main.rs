//! Importers: a state and a CODEOWNERS file as text in, a document that the model takes as text out, and
//! what is decided by it.
//!
//! Leaves out the judge's other inputs.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod asset_inventory;
mod aws_config;
mod backstage;
mod changes;
mod cloudformation;
mod clusters;
mod cyclonedx;
mod granted;
mod matcher;
mod portraits;
mod providers;
mod references;
mod resource_explorer;
mod resource_graph;
mod service_graph;
mod servicenow;

use expect_test::expect;
use jiff::Timestamp;
use ordain_rules::import::{Terraform, codeowners, terraform};
use ordain_rules::{Mode, Modes, Snapshot, Source};

const STATE: &str = include_str!("terraform.tfstate.json");
const MODULES: &str = include_str!("modules.json");
const SHOWN: &str = include_str!("show.json");

fn source(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}

fn told(modules: &Source) -> Terraform<'_> {
    let as_of: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
    Terraform {
        name: Some("shop"),
        folder: "infra",
        modules: Some(modules),
        as_of: Some(as_of),
        cluster: None,
    }
}

#[test]
fn a_state_becomes_an_inventory_without_its_secrets() {
    let modules = source("modules.json", MODULES);
    let imported = terraform(&source("terraform.tfstate", STATE), told(&modules)).unwrap();
    expect![[r##"
        # Imported: change the source and import again.
        apiVersion: ordain/v1
        kind: Inventory
        metadata:
          name: "shop"
        spec:
          source: "terraform:shop"
          revision: "42"
          asOf: 2026-11-24T10:00:00Z
          plane: aws
          account: "111122223333"
          resources:
            - {"id":"aws_db_instance.orders","type":"rds:db","name":"arn:aws:rds:eu-west-1:111122223333:db:orders","identifiers":["db-ABCDEFGHIJ","orders"],"region":"eu-west-1","tags":{"Owner":"data","env":"production"},"path":"infra"}
            - {"id":"aws_iam_instance_profile.web","type":"iam:instance-profile","name":"arn:aws:iam::111122223333:instance-profile/web","identifiers":["web"],"path":"infra"}
            - {"id":"aws_iam_role.web","type":"iam:role","name":"arn:aws:iam::111122223333:role/web","identifiers":["web"],"path":"infra"}
            - {"id":"aws_instance.web[0]","type":"ec2:instance","name":"arn:aws:ec2:eu-west-1:111122223333:instance/i-0a","identifiers":["i-0a"],"region":"eu-west-1","tags":{"team":"web"},"path":"infra"}
            - {"id":"aws_instance.web[1]","type":"ec2:instance","name":"arn:aws:ec2:eu-west-1:111122223333:instance/i-0b","identifiers":["i-0b"],"region":"eu-west-1","tags":{"team":"nobody-knows"},"path":"infra"}
            - {"id":"aws_kms_key.data","type":"kms:key","name":"arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000001","identifiers":["0a1b2c3d-0000-4000-8000-000000000001"],"region":"eu-west-1","path":"infra"}
            - {"id":"aws_route53_record.web[\"www\"]","type":"aws_route53_record","identifiers":["Z0_www_A"],"region":"eu-west-1","path":"infra"}
            - {"id":"aws_s3_bucket.assets","type":"s3:bucket","name":"arn:aws:s3:::shop-assets","identifiers":["shop-assets"],"path":"infra"}
            - {"id":"aws_security_group.web","type":"ec2:security-group","name":"arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0web","identifiers":["sg-0web","web"],"region":"eu-west-1","path":"infra"}
            - {"id":"module.network.aws_nat_gateway.a","type":"ec2:natgateway","name":"arn:aws:ec2:eu-west-1:111122223333:natgateway/nat-0a","identifiers":["nat-0a"],"region":"eu-west-1","path":"infra/modules/network"}
            - {"id":"module.network.aws_subnet.a","type":"ec2:subnet","name":"arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-0a","identifiers":["subnet-0a"],"region":"eu-west-1","path":"infra/modules/network"}
            - {"id":"module.network.aws_vpc.main","type":"ec2:vpc","name":"arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-0a","identifiers":["vpc-0a"],"region":"eu-west-1","path":"infra/modules/network"}
          relations:
            - {"from":"aws_db_instance.orders","type":"guardedBy","to":"aws_security_group.web"}
            - {"from":"aws_db_instance.orders","type":"keyedBy","to":"aws_kms_key.data"}
            - {"from":"aws_iam_instance_profile.web","type":"runsAs","to":"aws_iam_role.web"}
            - {"from":"aws_instance.web[0]","type":"partOf","to":"module.network.aws_subnet.a"}
            - {"from":"aws_instance.web[0]","type":"guardedBy","to":"aws_security_group.web"}
            - {"from":"aws_instance.web[0]","type":"runsAs","to":"aws_iam_instance_profile.web"}
            - {"from":"aws_instance.web[0]","type":"runsAs","to":"aws_iam_role.web"}
            - {"from":"aws_instance.web[1]","type":"partOf","to":"module.network.aws_subnet.a"}
            - {"from":"aws_instance.web[1]","type":"guardedBy","to":"aws_security_group.web"}
            - {"from":"aws_instance.web[1]","type":"runsAs","to":"aws_iam_instance_profile.web"}
            - {"from":"aws_instance.web[1]","type":"runsAs","to":"aws_iam_role.web"}
            - {"from":"aws_route53_record.web[\"www\"]","type":"routesTo","to":"aws_instance.web[0]"}
            - {"from":"aws_route53_record.web[\"www\"]","type":"routesTo","to":"aws_instance.web[1]"}
            - {"from":"aws_security_group.web","type":"partOf","to":"module.network.aws_vpc.main"}
            - {"from":"module.network.aws_nat_gateway.a","type":"partOf","to":"module.network.aws_subnet.a"}
            - {"from":"module.network.aws_subnet.a","type":"partOf","to":"module.network.aws_vpc.main"}
    "##]].assert_eq(&imported.text);
    expect![[r#"
        ImportSummary {
            facts: 12,
            relations: 16,
            unowned: 9,
            owners: {
                "data",
                "nobody-knows",
                "web",
            },
            accounts: {
                "111122223333",
            },
            left_out: [
                "1 × `aws_caller_identity`: what is looked up there is computed, and no resource",
                "1 × `tls_private_key`: not a resource of a provider that is known",
            ],
        }
    "#]]
    .assert_debug_eq(&imported.summary);
    for secret in ["hunter2", "BEGIN RSA PRIVATE KEY", "echo secret-user-data"] {
        assert!(STATE.contains(secret), "the state does hold `{secret}`");
        assert!(!imported.text.contains(secret), "`{secret}` was kept");
    }
}

#[test]
fn what_show_prints_is_read_too() {
    let modules = source("modules.json", MODULES);
    let imported = terraform(&source("show.json", SHOWN), told(&modules)).unwrap();
    expect![[r##"
        # Imported: change the source and import again.
        apiVersion: ordain/v1
        kind: Inventory
        metadata:
          name: "shop"
        spec:
          source: "terraform:shop"
          asOf: 2026-11-24T10:00:00Z
          plane: aws
          account: "111122223333"
          resources:
            - {"id":"aws_instance.web[0]","type":"ec2:instance","name":"arn:aws:ec2:eu-west-1:111122223333:instance/i-0a","identifiers":["i-0a"],"region":"eu-west-1","tags":{"team":"web"},"path":"infra"}
            - {"id":"module.network.aws_subnet.a","type":"ec2:subnet","name":"arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-0a","identifiers":["subnet-0a"],"region":"eu-west-1","path":"infra/modules/network"}
          relations:
            - {"from":"aws_instance.web[0]","type":"partOf","to":"module.network.aws_subnet.a"}
    "##]].assert_eq(&imported.text);
}

#[test]
fn a_state_and_a_codeowners_file_make_a_model_with_owners() {
    let modules = source("modules.json", MODULES);
    let state = terraform(&source("terraform.tfstate", STATE), told(&modules)).unwrap();
    let owners =
        source("CODEOWNERS", "* @acme/platform\n/infra/ @acme/web\n/infra/modules/network/ @acme/network\n");
    let owners = codeowners(&owners, None, None).unwrap();
    let people = "
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: web}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: network}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: data}
spec: {type: team, children: []}
";
    let files =
        [source(&state.file, &state.text), source(&owners.file, &owners.text), source("people.yaml", people)];
    let snapshot = Snapshot::load(&files, Modes::new(Mode::Enforce)).unwrap();
    expect![[r#"
        Summary {
            entries: 12,
            relations: 16,
            unowned: 0,
            actors: 0,
            groups: 3,
            rules: 28,
            sources: {
                "terraform:shop": 12,
            },
        }
    "#]]
    .assert_debug_eq(&snapshot.summary());
    let findings: Vec<String> =
        snapshot.findings().iter().map(|finding| format!("{}: {}", finding.source, finding.text)).collect();
    expect![[r#"
        arn:aws:ec2:eu-west-1:111122223333:instance/i-0b: tag `team` says `nobody-knows`, which is no declared group; declare the group
        arn:aws:rds:eu-west-1:111122223333:db:orders: `data` owns it, and `CODEOWNERS` says `web`; the first counts, correct one of them
        codeowners.yaml: `platform` owns `*` and is not declared; declare the group"#]].assert_eq(&findings.join("\n"));
    let owned: Vec<String> = snapshot
        .inventory()
        .map(|fact| {
            format!("{} {} ({})", fact.name, fact.owners.join(","), fact.owned_by.unwrap_or("nobody"))
        })
        .collect();
    expect![[r#"
        arn:aws:ec2:eu-west-1:111122223333:instance/i-0a web (tag `team`)
        arn:aws:ec2:eu-west-1:111122223333:instance/i-0b web (`CODEOWNERS`)
        arn:aws:ec2:eu-west-1:111122223333:natgateway/nat-0a network (`CODEOWNERS`)
        arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0web web (`CODEOWNERS`)
        arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-0a network (`CODEOWNERS`)
        arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-0a network (`CODEOWNERS`)
        arn:aws:iam::111122223333:instance-profile/web web (`CODEOWNERS`)
        arn:aws:iam::111122223333:role/web web (`CODEOWNERS`)
        arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000001 web (`CODEOWNERS`)
        arn:aws:rds:eu-west-1:111122223333:db:orders data (tag `Owner`)
        arn:aws:s3:::shop-assets web (`CODEOWNERS`)
        terraform:shop#aws_route53_record.web["www"] web (`CODEOWNERS`)"#]]
    .assert_eq(&owned.join("\n"));
}

#[test]
fn what_is_no_state_is_refused_with_what_to_give() {
    let refused = |text: &str| terraform(&source("x", text), Terraform::default()).unwrap_err().to_string();
    expect!["cannot import `x`: it is no state; give a `terraform.tfstate` or the output of `show -json`"]
        .assert_eq(&refused("{}"));
    expect!["cannot import `x`: it is a state of version 3; write it again with a present release"]
        .assert_eq(&refused("{\"version\": 3}"));
    expect!["cannot import `x`: it is not a state that can be read: expected value at line 1 column 1"]
        .assert_eq(&refused("resource \"aws_vpc\" {}"));
    expect!["cannot import `x`: it holds no resource of a provider that is known (`aws`, `azapi`, `azurerm`, `google`, and `kubernetes` with the name of the cluster)"]
        .assert_eq(&refused("{\"version\": 4, \"resources\": []}"));
}
