//! Assets as Google's Cloud Asset Inventory exports, lists and finds them.
//!
//! Leaves out what assets mean, and every member that is not declared here.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

const GIVE: &str = "give a file of `gcloud asset export`, or the output of `gcloud asset list --content-type=resource \
                    --format=json` or `gcloud asset search-all-resources --format=json`";

/// What is under a name that is that of an asset, and is no resource itself.
const POLICIES: [&str; 2] = ["iam.googleapis.com/Policy", "orgpolicy.googleapis.com/Policy"];

/// Members of data that hold labels, the first that is there.
const LABELS: [&str; 5] =
    ["/labels", "/resourceLabels", "/settings/userLabels", "/userLabels", "/metadata/labels"];

/// One asset, in the words of exports (`asset_type`) and of the command line (`assetType`).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asset {
    pub(super) name: String,
    #[serde(alias = "assetType")]
    pub(super) asset_type: String,
    resource: Option<Resource>,
    ancestors: Vec<String>,
    #[serde(alias = "updateTime")]
    pub(super) update_time: Option<String>,
    project: Option<String>,
    labels: Option<BTreeMap<String, Value>>,
    location: Option<String>,
    #[serde(rename = "additionalAttributes")]
    attributes: Value,
    #[serde(rename = "parentFullResourceName")]
    parent: Option<String>,
    relationships: Value,
    #[serde(rename = "kmsKeys")]
    keys: Value,
    #[serde(alias = "iamPolicy")]
    iam_policy: Option<IgnoredAny>,
    #[serde(alias = "orgPolicy")]
    org_policy: Option<IgnoredAny>,
    #[serde(alias = "accessPolicy")]
    access_policy: Option<IgnoredAny>,
    #[serde(alias = "accessLevel")]
    access_level: Option<IgnoredAny>,
    #[serde(alias = "servicePerimeter")]
    service_perimeter: Option<IgnoredAny>,
    #[serde(alias = "osInventory")]
    os_inventory: Option<IgnoredAny>,
    #[serde(alias = "relatedAsset")]
    related_asset: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Resource {
    parent: Option<String>,
    data: Value,
    location: Option<String>,
}

/// Why an asset is no resource of the plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Other {
    /// An object of a cluster.
    Object,
    /// A policy, or something else that is said of a resource.
    Policy,
}

impl Asset {
    /// Whether it is something else than a resource.
    pub(super) fn other(&self) -> Option<Other> {
        let service = self.asset_type.split('/').next().unwrap_or_default();
        if self.name.contains("/k8s/") || service.ends_with("k8s.io") {
            return Some(Other::Object);
        }
        let said = [
            &self.iam_policy,
            &self.org_policy,
            &self.access_policy,
            &self.access_level,
            &self.service_perimeter,
            &self.os_inventory,
            &self.related_asset,
        ];
        let is_said_of_another = self.resource.is_none() && said.iter().any(|said| said.is_some());
        (is_said_of_another || POLICIES.contains(&self.asset_type.as_str())).then_some(Other::Policy)
    }

    /// How much it says of what it names: whether it is that itself, and not what another service has of a project;
    /// and whether what it is made of came along, and not only what a search finds.
    pub(super) fn weight(&self) -> (bool, bool) {
        (self.asset_type.starts_with("cloudresourcemanager."), self.resource.is_some())
    }

    /// What it is made of.
    pub(super) fn data(&self) -> &Value {
        self.resource.as_ref().map_or(&self.attributes, |resource| &resource.data)
    }

    /// A text of what it is made of.
    pub(super) fn text(&self, member: &str) -> Option<&str> {
        self.data().get(member).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// Whatever may mention others.
    pub(super) fn mentioning(&self) -> [&Value; 3] {
        [self.data(), &self.relationships, &self.keys]
    }

    pub(super) fn location(&self) -> &str {
        let of_resource = self.resource.as_ref().and_then(|resource| resource.location.as_deref());
        of_resource.or(self.location.as_deref()).unwrap_or_default()
    }

    /// What holds it, the nearest first: full names, and what is in folders and organizations without a host.
    pub(super) fn holders(&self) -> impl Iterator<Item = &str> {
        let of_resource = self.resource.as_ref().and_then(|resource| resource.parent.as_deref());
        [of_resource, self.parent.as_deref()].into_iter().flatten().chain(self.above())
    }

    /// The project, folders and organization that it is in, the nearest first.
    pub(super) fn above(&self) -> impl Iterator<Item = &str> {
        self.project.as_deref().into_iter().chain(self.ancestors.iter().map(String::as_str))
    }

    /// The number of the project that it is in.
    pub(super) fn project_number(&self) -> Option<&str> {
        let number = self.above().next()?.strip_prefix("projects/")?;
        super::name::is_number(number).then_some(number)
    }

    pub(super) fn labels(&self) -> BTreeMap<String, String> {
        let text = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
        let found = LABELS.iter().find_map(|path| self.data().pointer(path)?.as_object());
        match (found, &self.labels) {
            (Some(labels), _) => labels.iter().filter_map(text).collect(),
            (None, labels) => labels.iter().flatten().filter_map(text).collect(),
        }
    }
}

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) assets: Vec<Asset>,
    /// Whether another page follows; nothing where the file has no pages.
    pub(super) goes_on: Option<bool>,
}

/// Reads one file: assets one a line, or lists of them.
pub(super) fn read(text: &str) -> Result<Page, String> {
    let mut page = Page::default();
    let assets = &mut page.assets;
    for document in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        let document =
            document.map_err(|error| format!("it is not JSON that can be read: {error}; {GIVE}"))?;
        let list = match document {
            Value::Array(list) => list,
            Value::Object(mut object) => match object.remove("assets").or_else(|| object.remove("results")) {
                Some(Value::Array(list)) => {
                    let token = object.get("nextPageToken").and_then(Value::as_str);
                    page.goes_on = Some(token.is_some_and(|token| !token.is_empty()));
                    list
                }
                Some(_) | None => vec![Value::Object(object)],
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                return Err(format!("it is no list of assets; {GIVE}"));
            }
        };
        for value in list {
            let number = assets.len() + 1;
            // The error would quote what stands there, which may be a secret.
            let asset = serde_json::from_value::<Asset>(value)
                .ok()
                .filter(|asset| asset.name.starts_with("//") && !asset.asset_type.is_empty());
            assets.push(asset.ok_or_else(|| format!("asset {number} has no full name and type; {GIVE}"))?);
        }
    }
    if assets.is_empty() {
        return Err(format!("it holds no asset; {GIVE}"));
    }
    Ok(page)
}
