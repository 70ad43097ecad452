//! The planes, and what the canonical names of their resources look like.
//!
//! A plane is one line of the list below; the compiler then asks for its room. Leaves out how a request is read.

use std::fmt;

/// Makes the planes from one line each: its variant, its word, what a whole of it is called, and what it is.
macro_rules! planes {
    ($($variant:ident $word:literal $whole:literal $what:literal),* $(,)?) => {
        /// One control-plane API family.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Plane {
            $(#[doc = $what] $variant,)*
        }

        impl Plane {
            /// The planes that rooms read, in the order of their words.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word used in configuration, evidence, metrics and policies.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// What is called an account on this plane: what an upstream is one of, and what holds all that it has.
            #[must_use]
            pub const fn whole(self) -> &'static str {
                match self {
                    $(Self::$variant => $whole,)*
                }
            }
        }
    };
}

planes! {
    Aws "aws" "account" "Amazon Web Services.",
    Azure "azure" "tenant" "Azure Resource Manager.",
    Gcp "gcp" "organization" "Google Cloud and Google's other APIs.",
    GitHub "github" "enterprise" "The REST API of GitHub.",
    Graph "graph" "tenant" "Microsoft Graph.",
    Grpc "grpc" "API" "An API over gRPC, as its operators describe it.",
    Keycloak "keycloak" "server" "The admin API of Keycloak.",
    Kubernetes "kubernetes" "cluster" "The API of a Kubernetes cluster.",
    Mcp "mcp" "server" "A server of tools that speaks the Model Context Protocol.",
    Okta "okta" "organization" "The management API of Okta.",
    Openapi "openapi" "API" "An API that an `OpenAPI` document describes.",
    Openstack "openstack" "cloud" "An OpenStack cloud: Keystone, Nova, Neutron, Cinder, Glance, Ironic.",
    Panos "panos" "firewall" "A firewall that speaks the XML API of PAN-OS, or a manager of some.",
    Redfish "redfish" "service" "The management of a machine that speaks Redfish.",
    Restconf "restconf" "device" "A network device that speaks RESTCONF.",
    Scim "scim" "directory" "A directory of users and groups that speaks SCIM 2.0.",
    Unknown "unknown" "API" "An API of which nothing is known; also what no room claims.",
    Vault "vault" "cluster" "A cluster of Vault, or of what speaks as it does.",
    Vsphere "vsphere" "vCenter" "A vCenter or an ESXi host: vim25 and the Automation API of vSphere.",
}

impl Plane {
    /// Reads the word of a plane that a room reads; `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|plane| plane.as_str() == word)
    }

    /// What comes before `://` in the names of its resources, where they have that form: `scheme://account/…`.
    ///
    /// Amazon Resource Names, the ids of Azure Resource Manager and the full names of Google's are the forms that have none.
    #[must_use]
    pub const fn scheme(self) -> Option<&'static str> {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "a new plane has the usual form unless it says otherwise"
        )]
        match self {
            Self::Aws | Self::Azure | Self::Gcp => None,
            Self::Kubernetes => Some("k8s"),
            other => Some(other.as_str()),
        }
    }

    /// The plane, the account and the rest of a name of the form `scheme://account/rest`; `None` for any other.
    ///
    /// An id of Azure Resource Manager, `/subscriptions/ID/…`, has its subscription as account; what a tenant has outside
    /// of subscriptions, `/providers/…`, has an empty one. A full name of Google's,
    /// `//service.googleapis.com/projects/P/…`, has its project as account; one in a folder or under an organization has
    /// that, as `folders/F`. Any other has none: whose it is stands nowhere in it.
    #[must_use]
    pub fn of_name(name: &str) -> Option<(Self, &str, &str)> {
        if let Some(rest) = name.strip_prefix("/providers/") {
            return Some((Self::Azure, "", rest));
        }
        if let Some(rest) = name.strip_prefix("/subscriptions/") {
            let (account, rest) = rest.split_once('/').unwrap_or((rest, ""));
            return Some((Self::Azure, account, rest));
        }
        if let Some(name) = name.strip_prefix("//") {
            return of_google(name).map(|(account, rest)| (Self::Gcp, account, rest));
        }
        let (scheme, rest) = name.split_once("://")?;
        let plane = Self::ALL.iter().copied().find(|plane| plane.scheme() == Some(scheme))?;
        let (account, rest) = rest.split_once('/').unwrap_or((rest, ""));
        Some((plane, account, rest))
    }
}

/// The account and the rest of a full name of Google's, which comes without its two slashes.
fn of_google(name: &str) -> Option<(&str, &str)> {
    let (host, path) = name.split_once('/')?;
    host.strip_suffix(".googleapis.com").filter(|service| !service.is_empty())?;
    let kind = path.split('/').next().unwrap_or_default();
    let Some(after) = path.get(kind.len() + 1..) else { return Some(("", path)) };
    let id = after.split('/').next().unwrap_or_default();
    let rest = after.get(id.len() + 1..).unwrap_or_default();
    match kind {
        // Buckets have names that no other project may have, and stand in none.
        "projects" if id == "_" => Some(("", path)),
        "projects" => Some((id, rest)),
        "folders" | "organizations" => Some((path.get(..kind.len() + 1 + id.len())?, rest)),
        _ => Some(("", path)),
    }
}

impl fmt::Display for Plane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_stand_in_the_order_of_their_words_and_are_read_back() {
        assert!(Plane::ALL.is_sorted_by_key(|plane| plane.as_str()));
        for plane in Plane::ALL {
            assert_eq!(Plane::parse(plane.as_str()), Some(*plane));
        }
        assert_eq!(Plane::parse("nowhere"), None);
    }

    #[test]
    fn a_name_says_whose_it_is() {
        let of = Plane::of_name;
        assert_eq!(of("k8s://prod/core/pods/p"), Some((Plane::Kubernetes, "prod", "core/pods/p")));
        assert_eq!(of("grpc://shop"), Some((Plane::Grpc, "shop", "")));
        assert_eq!(of("/subscriptions/7/resourcegroups/r"), Some((Plane::Azure, "7", "resourcegroups/r")));
        assert_eq!(of("/subscriptions/7"), Some((Plane::Azure, "7", "")));
        let group = "microsoft.management/managementgroups/g";
        assert_eq!(of("/providers/microsoft.management/managementgroups/g"), Some((Plane::Azure, "", group)));
        let google = |account, rest| Some((Plane::Gcp, account, rest));
        assert_eq!(
            of("//compute.googleapis.com/projects/shop/zones/z/instances/i"),
            google("shop", "zones/z/instances/i")
        );
        assert_eq!(of("//cloudresourcemanager.googleapis.com/projects/shop"), google("shop", ""));
        assert_eq!(
            of("//orgpolicy.googleapis.com/folders/12/policies/p"),
            google("folders/12", "policies/p")
        );
        assert_eq!(of("//iam.googleapis.com/organizations/1/roles/r"), google("organizations/1", "roles/r"));
        assert_eq!(of("//storage.googleapis.com/projects/_/buckets/b"), google("", "projects/_/buckets/b"));
        assert_eq!(of("//apps.googleapis.com/x"), google("", "x"));
        for other in
            ["//googleapis.com/projects/p", "//.googleapis.com/projects/p", "//evil.example/projects/p"]
        {
            assert_eq!(of(other), None, "{other}");
        }
        assert_eq!(of("arn:aws:s3:::b"), None);
        assert_eq!(of("https://shop/x"), None);
    }
}
