//! Full names as requests have them: assets go by numbers where requests go by ids and addresses, and mentions have
//! other forms still.
//!
//! Leaves out which of the names are known.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::asset::Asset;

/// What all of Google's hosts end in.
const DOMAIN: &str = ".googleapis.com";

/// Services whose resources have names that begin with another.
const NAMED: [(&str, &str); 5] = [
    ("bigquerystorage", "bigquery"),
    ("bigtableadmin", "bigtable"),
    ("iamcredentials", "iam"),
    ("sql", "cloudsql"),
    ("sqladmin", "cloudsql"),
];

/// The service that projects, folders and organizations are resources of.
const MANAGER: &str = "cloudresourcemanager";

/// What the assets themselves say of numbers.
#[derive(Debug, Default)]
pub(in crate::import) struct Names {
    /// Ids of projects by their numbers, as projects say them.
    declared: BTreeMap<String, String>,
    /// The same, as the names of what lies in them say it.
    learned: BTreeMap<String, BTreeSet<String>>,
    /// Addresses of service accounts by their unique ids.
    addresses: BTreeMap<String, String>,
}

impl Names {
    /// Takes in what an asset says of numbers.
    pub(super) fn learn(&mut self, asset: &Asset) {
        let last = asset.name.rsplit('/').next().unwrap_or_default();
        match asset.asset_type.as_str() {
            "cloudresourcemanager.googleapis.com/Project" => {
                let number = Some(last).filter(|last| is_number(last)).or_else(|| asset.project_number());
                let id = asset.text("projectId").or_else(|| Some(last).filter(|last| !is_number(last)));
                if let (Some(number), Some(id)) = (number, id) {
                    self.declared.insert(number.to_owned(), id.to_owned());
                }
            }
            "iam.googleapis.com/ServiceAccount" => {
                if let Some(address) = asset.text("email").filter(|_| is_number(last)) {
                    self.addresses.insert(last.to_owned(), address.to_owned());
                }
            }
            _ => {}
        }
        let id = project_in(&asset.name).filter(|id| *id != "_" && !is_number(id));
        if let (Some(number), Some(id)) = (asset.project_number(), id) {
            self.learned.entry(number.to_owned()).or_default().insert(id.to_owned());
        }
    }

    /// The id of a project by its number; the same text where that is not known, or is no number.
    pub(super) fn project<'n>(&'n self, number: &'n str) -> &'n str {
        let learned = self.learned.get(number).filter(|ids| ids.len() == 1).and_then(BTreeSet::first);
        self.declared.get(number).or(learned).map_or(number, String::as_str)
    }

    /// The name of an asset as requests have it, and the number that it goes by beside that.
    pub(super) fn of_asset(&self, asset: &Asset) -> Option<(String, Option<String>)> {
        let name = self.full(&asset.name)?;
        let (_, last) = asset.name.rsplit_once('/')?;
        let (above, own) = name.rsplit_once('/')?;
        if own != last {
            // The name has an id or an address in the place of the number.
            return Some((name.clone(), Some(last.to_owned()).filter(|last| is_number(last))));
        }
        // Where an asset goes by the number that its service made, requests have its name.
        let id = asset.data().get("id").map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned));
        let called = asset.text("name").filter(|called| !called.contains('/'));
        match called.filter(|_| is_number(own) && id.as_deref() == Some(own)) {
            Some(called) => Some((format!("{above}/{}", escaped(called)), Some(own.to_owned()))),
            None => Some((name, None)),
        }
    }

    /// The full name that a text means, if it is a full name, a link to a resource or the address of a file.
    pub(in crate::import) fn full(&self, text: &str) -> Option<String> {
        if let Some(file) = text.strip_prefix("gs://") {
            let bucket = file.split('/').next().filter(|bucket| !bucket.is_empty())?;
            return Some(format!("//storage{DOMAIN}/projects/_/buckets/{}", escaped(bucket)));
        }
        let (host, path) = match text.strip_prefix("https://") {
            Some(link) => linked(link)?,
            None => {
                let (host, path) = text.strip_prefix("//")?.split_once('/')?;
                (host.strip_suffix(DOMAIN)?, path)
            }
        };
        let service = NAMED.iter().find(|(asked, _)| *asked == host).map_or(host, |(_, named)| named);
        let path = path.trim_end_matches('/');
        let is_bucket = service == "storage" && !path.starts_with("projects/") && !path.is_empty();
        let path = if is_bucket {
            let path = path.strip_prefix("b/").unwrap_or(path);
            format!("projects/_/buckets/{}", path.replacen("/o/", "/objects/", 1))
        } else {
            self.path(path)
        };
        let path = if service == "container" { zonal(&path) } else { path };
        // A project is known to every service, and has one name.
        let service = if is_holder(&path) { MANAGER } else { service };
        (!path.is_empty()).then(|| format!("//{service}{DOMAIN}/{}", escaped(&path)))
    }

    /// A path with ids for the numbers in it that are known.
    pub(super) fn path(&self, path: &str) -> String {
        let mut segments: Vec<&str> = path.split('/').collect();
        if let [kind, project, rest @ ..] = segments.as_mut_slice()
            && *kind == "projects"
        {
            if let [accounts, account, ..] = rest
                && *accounts == "serviceAccounts"
            {
                *account = self.addresses.get(*account).map_or(*account, String::as_str);
                *project =
                    Some(*project).filter(|project| *project != "-").or(project_of(account)).unwrap_or("-");
            }
            *project = self.project(project);
        }
        segments.join("/")
    }
}

/// The service and the path of a link, without its version: `compute` and `projects/p/zones/z/disks/d`.
fn linked(link: &str) -> Option<(&str, &str)> {
    let (host, path) = link.split_once('/')?;
    let host = host.strip_suffix(DOMAIN)?;
    let (first, after) = path.split_once('/')?;
    if is_version(first) && host != "www" {
        return Some((host, after));
    }
    let (second, rest) = after.split_once('/')?;
    match (host, is_version(second)) {
        // What a token is good for, which is no resource, has no version.
        ("www", true) => Some((first, rest)),
        ("www", false) => None,
        (_, true) => Some((host, rest)),
        (_, false) => Some((host, path)),
    }
}

/// Whether a path is that of a project, a folder or an organization itself.
fn is_holder(path: &str) -> bool {
    let name =
        path.split_once('/').filter(|(kind, _)| matches!(*kind, "folders" | "organizations" | "projects"));
    name.is_some_and(|(_, name)| !name.is_empty() && !name.contains('/'))
}

/// Where a cluster lies in a zone, requests say that it is one.
fn zonal(path: &str) -> String {
    let mut segments: Vec<&str> = path.split('/').collect();
    if let [_, _, place, of, ..] = segments.as_mut_slice()
        && *place == "locations"
        && region_of(of).is_some()
    {
        *place = "zones";
    }
    segments.join("/")
}

/// Service and collection, as requests are read.
pub(in crate::import) fn kind(name: &str) -> String {
    let (host, path) = name.trim_start_matches('/').split_once('/').unwrap_or((name, ""));
    let mut collection = "resource";
    let mut segments = path.split('/').zip(0..);
    while let Some((word, at)) = segments.next() {
        collection = word;
        match (word, at) {
            // It stands where a place would, and has no name behind it.
            ("global", 2) => {}
            // A record is known by its name and its type.
            ("rrsets", _) => drop(segments.nth(1)),
            (_, _) => drop(segments.next()),
        }
    }
    format!("gcp:{}/{collection}", host.split('.').next().unwrap_or_default())
}

/// The region of a resource: by its name as requests are read, else by where the source says it is.
pub(in crate::import) fn region(name: &str, location: &str) -> Option<String> {
    let mut pairs = name.split('/').zip(name.split('/').skip(1));
    let named = pairs.find_map(|(kind, place)| match kind {
        "locations" | "regions" | "zones" => Some(region_of(place).unwrap_or(place)),
        _ => None,
    });
    // Requests for what is everywhere name no place.
    let located = Some(location).filter(|location| !matches!(*location, "" | "global"));
    let located = located.map(|location| region_of(location).unwrap_or(location));
    named.or(located).map(str::to_owned)
}

/// The region of a zone, `europe-west1` of `europe-west1-b`; `None` for what is no zone.
fn region_of(zone: &str) -> Option<&str> {
    let (region, letter) = zone.rsplit_once('-')?;
    let is_letter = letter.len() == 1 && letter.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_region = region.contains('-') && region.ends_with(|last: char| last.is_ascii_digit());
    (is_letter && is_region).then_some(region)
}

/// The project in the address of a service account.
fn project_of(address: &str) -> Option<&str> {
    let (name, domain) = address.split_once('@')?;
    match domain {
        "developer.gserviceaccount.com" => name.strip_suffix("-compute"),
        "appspot.gserviceaccount.com" => Some(name),
        other => other.strip_suffix(".iam.gserviceaccount.com"),
    }
}

/// Projects have numbers, and ids that begin with a letter.
pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The number of the project that a name has where requests have an id.
pub(super) fn number_in(name: &str) -> Option<&str> {
    project_in(name).filter(|project| is_number(project))
}

/// The project that a full name is in, as it has it.
fn project_in(name: &str) -> Option<&str> {
    let (_, path) = name.strip_prefix("//")?.split_once('/')?;
    path.strip_prefix("projects/")?.split('/').next()
}

/// `v1`, `v2beta1`, `beta`.
fn is_version(text: &str) -> bool {
    let numbered = text.strip_prefix('v').is_some_and(|rest| {
        rest.starts_with(|first: char| first.is_ascii_digit())
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_'))
    });
    numbered || matches!(text, "alpha" | "beta" | "preview")
}

/// Without what would make a name a pattern, as requests are read.
fn escaped(path: &str) -> String {
    let mut written = String::with_capacity(path.len());
    for one in path.chars() {
        if one.is_ascii() && !one.is_ascii_control() && !matches!(one, '*' | '?') {
            written.push(one);
            continue;
        }
        for byte in one.encode_utf8(&mut [0; 4]).bytes() {
            // Writing to a text cannot fail.
            let _ = write!(written, "%{byte:02X}");
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::{Names, kind, region};

    #[test]
    fn a_name_has_one_spelling_however_it_is_mentioned() {
        let mut names = Names::default();
        names.declared.insert("123".to_owned(), "shop".to_owned());
        names.addresses.insert("1001".to_owned(), "web@shop.iam.gserviceaccount.com".to_owned());
        let disk = "//compute.googleapis.com/projects/shop/zones/us-central1-a/disks/d";
        let account = "//iam.googleapis.com/projects/shop/serviceAccounts/web@shop.iam.gserviceaccount.com";
        let bucket = "//storage.googleapis.com/projects/_/buckets/b";
        for (text, expected) in [
            ("//compute.googleapis.com/projects/123/zones/us-central1-a/disks/d", Some(disk)),
            ("https://www.googleapis.com/compute/v1/projects/shop/zones/us-central1-a/disks/d", Some(disk)),
            (
                "https://compute.googleapis.com/compute/beta/projects/shop/zones/us-central1-a/disks/d",
                Some(disk),
            ),
            ("//iam.googleapis.com/projects/shop/serviceAccounts/1001", Some(account)),
            ("https://iam.googleapis.com/v1/projects/-/serviceAccounts/1001", Some(account)),
            ("//storage.googleapis.com/b", Some(bucket)),
            ("gs://b/a/file", Some(bucket)),
            ("https://www.googleapis.com/storage/v1/b/b", Some(bucket)),
            (
                "https://sqladmin.googleapis.com/sql/v1beta4/projects/shop/instances/db",
                Some("//cloudsql.googleapis.com/projects/shop/instances/db"),
            ),
            (
                "https://container.googleapis.com/v1/projects/shop/locations/us-central1-a/clusters/c",
                Some("//container.googleapis.com/projects/shop/zones/us-central1-a/clusters/c"),
            ),
            (
                "//container.googleapis.com/projects/shop/locations/us-central1/clusters/c",
                Some("//container.googleapis.com/projects/shop/locations/us-central1/clusters/c"),
            ),
            (
                "//dns.googleapis.com/projects/shop/managedZones/z/rrsets/*.shop.example./A",
                Some("//dns.googleapis.com/projects/shop/managedZones/z/rrsets/%2A.shop.example./A"),
            ),
            (
                "//compute.googleapis.com/projects/123",
                Some("//cloudresourcemanager.googleapis.com/projects/shop"),
            ),
            ("https://www.googleapis.com/auth/cloud-platform", None),
            ("https://evil.example/compute/v1/projects/shop/zones/z/disks/d", None),
            ("projects/shop", None),
            ("gs://", None),
        ] {
            assert_eq!(names.full(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_name_says_type_and_region() {
        for (name, of, at) in [
            (
                "//compute.googleapis.com/projects/p/zones/us-central1-a/instances/i",
                "gcp:compute/instances",
                "us-central1",
            ),
            ("//compute.googleapis.com/projects/p/global/networks/n", "gcp:compute/networks", "eu"),
            ("//storage.googleapis.com/projects/_/buckets/b", "gcp:storage/buckets", "eu"),
            ("//cloudsql.googleapis.com/projects/p/instances/i", "gcp:cloudsql/instances", "eu"),
            (
                "//cloudkms.googleapis.com/projects/p/locations/global/keyRings/r",
                "gcp:cloudkms/keyRings",
                "global",
            ),
            ("//dns.googleapis.com/projects/p/managedZones/z/rrsets/a./A", "gcp:dns/rrsets", "eu"),
            ("//cloudbilling.googleapis.com/projects/p/billingInfo", "gcp:cloudbilling/billingInfo", "eu"),
            ("//cloudresourcemanager.googleapis.com/projects/p", "gcp:cloudresourcemanager/projects", "eu"),
        ] {
            assert_eq!((kind(name).as_str(), region(name, "eu").as_deref()), (of, Some(at)), "{name}");
        }
        assert_eq!(region("//iam.googleapis.com/projects/p/serviceAccounts/a", "global"), None);
        assert_eq!(
            region("//storage.googleapis.com/projects/_/buckets/b", "europe-west1-b").as_deref(),
            Some("europe-west1")
        );
    }
}
