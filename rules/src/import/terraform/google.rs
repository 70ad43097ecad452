//! Resources of Google Cloud in a state: by their links or ids, which say all of their full names but the service.
//!
//! Leaves out grants (`google_…_iam_…`): they are no resources, and are known by what the state calls them alone.

use super::state::Instance;
use super::{Placed, tags};
use crate::import::asset_inventory::{Names, kind, region};
use crate::model::account_and_region;

/// The services of types whose names are not theirs, by what the types begin with; the longest counts.
const SERVICES: [(&str, &str); 26] = [
    ("artifact_registry", "artifactregistry"),
    ("certificate_manager", "certificatemanager"),
    ("cloud_run", "run"),
    ("cloud_scheduler", "cloudscheduler"),
    ("cloud_tasks", "cloudtasks"),
    ("cloudbuild", "cloudbuild"),
    ("cloudfunctions", "cloudfunctions"),
    ("cloudfunctions2", "cloudfunctions"),
    ("compute", "compute"),
    ("filestore", "file"),
    ("folder", "cloudresourcemanager"),
    ("gke_hub", "gkehub"),
    ("kms", "cloudkms"),
    ("network_connectivity", "networkconnectivity"),
    ("network_security", "networksecurity"),
    ("network_services", "networkservices"),
    ("project", "cloudresourcemanager"),
    ("secret_manager", "secretmanager"),
    ("service_account", "iam"),
    ("service_networking", "servicenetworking"),
    ("sql", "cloudsql"),
    ("tags", "cloudresourcemanager"),
    ("vertex_ai", "aiplatform"),
    ("vpc_access", "vpcaccess"),
    ("workflows", "workflows"),
    ("workload_identity", "iam"),
];

/// What a resource is in its project.
pub(super) fn placed(instance: &Instance) -> Placed {
    let Some(name) = name(instance) else {
        return Placed { kind: instance.kind.clone(), tags: labels(instance), ..Placed::default() };
    };
    let (account, _) = account_and_region(&name);
    let account = Some(account.to_string()).filter(|account| !account.is_empty());
    let location = ["location", "zone", "region"].into_iter().find_map(|of| instance.text(of));
    // A project has a number, a service account an id of its own, which requests may name.
    let others = ["number", "unique_id"].into_iter().filter_map(|of| instance.text(of));
    Placed {
        kind: kind(&name),
        region: region(&name, location.unwrap_or_default()),
        identifiers: others.map(str::to_owned).collect(),
        account: account.or_else(|| instance.text("project").map(str::to_owned)),
        tags: labels(instance),
        name: Some(name),
    }
}

/// The full name, as requests have it.
fn name(instance: &Instance) -> Option<String> {
    let of = instance.kind.strip_prefix("google_")?;
    if of.contains("_iam_") {
        return None;
    }
    let names = Names::default();
    if of == "storage_bucket" {
        return names.full(&format!("gs://{}", instance.text("name")?));
    }
    if of == "project" {
        return names.full(&format!(
            "//cloudresourcemanager.googleapis.com/projects/{}",
            instance.text("project_id")?
        ));
    }
    if let Some(linked) = instance.text("self_link").and_then(|link| names.full(link)) {
        return Some(linked);
    }
    let id = instance.text("id").filter(|id| {
        let holder = id.split('/').next().unwrap_or_default();
        matches!(holder, "projects" | "folders" | "organizations") && id.matches('/').count() % 2 == 1
    })?;
    names.full(&format!("//{}.googleapis.com/{id}", service(of)))
}

fn service(of: &str) -> &str {
    let begins =
        |word: &str| of.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
    let known = SERVICES.iter().filter(|(word, _)| begins(word)).max_by_key(|(word, _)| word.len());
    known.map_or_else(|| of.split('_').next().unwrap_or_default(), |(_, service)| service)
}

fn labels(instance: &Instance) -> std::collections::BTreeMap<String, String> {
    tags(instance, &["labels", "terraform_labels", "effective_labels"])
}

#[cfg(test)]
mod tests {
    use super::service;

    #[test]
    fn types_tell_their_service() {
        for (of, expected) in [
            ("compute_instance", "compute"),
            ("pubsub_topic", "pubsub"),
            ("kms_crypto_key", "cloudkms"),
            ("cloud_run_v2_service", "run"),
            ("cloudfunctions2_function", "cloudfunctions"),
            ("sql_database_instance", "cloudsql"),
            ("project_service", "cloudresourcemanager"),
            ("bigquery_dataset", "bigquery"),
        ] {
            assert_eq!(service(of), expected, "{of}");
        }
    }
}
