//! What a property of a template opens or grants, told by its name and its value as for the services' own operations.
//!
//! Only ever sharpens. Leaves out types whose whole purpose is who may do what (`cloud_types.rs`), and roles handed
//! over (`role.rs`).

use ordain_action::Access;

use crate::aws::policy::{self, Policy};
use crate::aws::sharpen::is_world;

/// Switches that open something, unless their value says that it stays shut.
const OPENING: [&str; 24] = [
    "allowpublicoverrides",
    "allowunauthenticatedidentities",
    "anonymousauthenabled",
    "assignpublicip",
    "associatecarrieripaddress",
    "associatepublicipaddress",
    "autoacceptsharedassociations",
    "autoacceptsharedattachments",
    "autoassignpublicips",
    "createpublicip",
    "endpointpublicaccess",
    "ispublic",
    "ispubliclyaccessible",
    "mappubliciponlaunch",
    "public",
    "publicaccess",
    "publicconnectivity",
    "publicendpoint",
    "publiclyaccessible",
    "publiclyadvertisable",
    "publicnetworkconfiguration",
    "scheme",
    "unauthenticated",
    "usergroups",
];

/// Values that leave such a switch shut.
const SHUT: [&str; 12] =
    ["", "0", "deny", "denied", "disable", "disabled", "false", "internal", "no", "none", "off", "private"];

/// Switches that keep something shut while they are on.
const BLOCKING: [&str; 4] =
    ["blockpublicacls", "blockpublicpolicy", "ignorepublicacls", "restrictpublicbuckets"];

/// Who may call without showing who they are.
const ASKING: [&str; 4] =
    ["authorizertype", "authtype", "functionurlauthtype", "resourceconfigurationauthtype"];

/// Words of names that say whom something is given to.
const GIVING: [&str; 14] = [
    "allowedaccountids",
    "crossaccountconfigurations",
    "grantee",
    "granteeidentifier",
    "launchpermissionconfiguration",
    "managedpolicyarns",
    "permission",
    "principal",
    "readonlyaccessaccounts",
    "resourcebasedpolicy",
    "sharedaccounts",
    "sharerules",
    "targetaccountids",
    "vpconlytrustedaccounts",
];

/// Words of names that have one of those in them, and give nothing to anybody.
const KEEPING: [&str; 5] =
    ["kerberosprincipal", "permissionmodel", "permissionsboundary", "permissionsmode", "posixpermissions"];

/// The names on the way to a value, in small letters and without places in lists.
#[derive(Debug, Clone)]
pub(super) struct Path {
    names: Vec<String>,
}

impl Path {
    /// Of a path of parameters, from behind what all of them begin with.
    pub(super) fn of(path: &str) -> Self {
        let names = crate::form::fields::segments(path)
            .skip(1)
            .filter(|name| !name.bytes().all(|byte| byte.is_ascii_digit()))
            .map(|name| {
                name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
            });
        Self { names: names.collect() }
    }

    /// The last name.
    pub(super) fn last(&self) -> &str {
        self.names.last().map_or("", String::as_str)
    }

    /// The property that it begins with.
    pub(super) fn first(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }

    /// Whether one of the names is or has a word.
    pub(super) fn says(&self, word: &str) -> bool {
        self.names.iter().any(|name| name.contains(word))
    }

    fn is(&self, words: &[&str]) -> bool {
        self.names.iter().any(|name| words.contains(&name.as_str()))
    }

    fn is_list_of_access(&self) -> bool {
        let last = self.last();
        last == "accesscontrol" || last.ends_with("acl") || last.contains("cannedacl")
    }

    fn is_network(&self) -> bool {
        // A block is what a network is cut from; a list of who may pass has others.
        let last = self.last();
        let about = (last.contains("cidr") && !last.contains("cidrblock")) || last.contains("iprange");
        let outward = ["egress", "destination", "remoteip", "localip"].iter().any(|word| self.says(word));
        about && !outward
    }

    fn is_giving(&self) -> bool {
        let gives = |name: &String| {
            GIVING.iter().any(|word| name.contains(word)) && !KEEPING.iter().any(|word| name.contains(word))
        };
        self.names.iter().any(gives)
    }

    fn is_document(&self) -> bool {
        let words =
            ["policydocument", "policies", "policytext", "accesspolicy", "resourcepolicy", "keypolicy"];
        words.iter().any(|word| self.says(word)) || self.last() == "policy" || self.says("statement")
    }
}

/// What a value that is known opens or grants.
pub(super) fn opens(path: &Path, value: &str) -> Option<Access> {
    let word = value.trim().to_ascii_lowercase();
    let opening = path.is(&OPENING) && !SHUT.contains(&word.as_str()) && is_opening(path, &word);
    let unblocked = BLOCKING.contains(&path.last()) && word != "true";
    let public = || {
        let letters: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
        letters.starts_with("public") || letters.starts_with("authenticated")
    };
    let anybody = ASKING.contains(&path.last()) && word == "none";
    let world = path.is_network() && is_world(value.trim());
    if opening || unblocked || anybody || world || (path.is_list_of_access() && public()) {
        return Some(Access::Expose);
    }
    match policy::read(value) {
        Some(Policy::Public) => return Some(Access::Expose),
        Some(Policy::Grants) => return Some(Access::Grant),
        None => {}
    }
    let given = path.is_list_of_access() && matches!(word.as_str(), "awsexecread" | "logdeliverywrite");
    (given || path.is_giving()).then_some(Access::Grant)
}

/// Some of the words are names of other things too, which the value tells.
fn is_opening(path: &Path, word: &str) -> bool {
    match path.last() {
        "scheme" => word.contains("internet"),
        "usergroups" => word == "all" || word.contains('*'),
        _ => !path.is(&["scheme", "usergroups"]),
    }
}

/// What a value that is not known may open or grant: whatever its name says that it could.
pub(super) fn may_open(path: &Path) -> Option<Access> {
    let named = path.is(&OPENING) || BLOCKING.contains(&path.last()) || ASKING.contains(&path.last());
    if named || path.is_network() || path.is_list_of_access() || path.says("ingress") {
        return Some(Access::Expose);
    }
    (path.is_giving() || path.is_document()).then_some(Access::Grant)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, value: &str, expected: Option<Access>) {
        assert_eq!(opens(&Path::of(path), value), expected, "{path} {value}");
    }

    #[test]
    fn what_a_property_opens_is_told_by_name_and_value() {
        let (expose, grant) = (Some(Access::Expose), Some(Access::Grant));
        check("D.PubliclyAccessible", "true", expose);
        check("D.PubliclyAccessible", "false", None);
        check("D.BrokerNodeGroupInfo.ConnectivityInfo.PublicAccess.Type", "DISABLED", None);
        check("D.BrokerNodeGroupInfo.ConnectivityInfo.PublicAccess.Type", "SERVICE_PROVIDED_EIPS", expose);
        check("D.NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp", "ENABLED", expose);
        check("D.SecurityGroupIngress.1.CidrIp", "0.0.0.0/0", expose);
        check("D.SecurityGroupIngress.1.CidrIp", "10.0.0.0/8", None);
        check("D.SecurityGroupEgress.1.CidrIp", "0.0.0.0/0", None);
        check("D.AccessControl", "PublicRead", expose);
        check("D.AccessControl", "Private", None);
        check("D.AccessControl", "LogDeliveryWrite", grant);
        check("D.PublicAccessBlockConfiguration.BlockPublicAcls", "false", expose);
        check("D.PublicAccessBlockConfiguration.BlockPublicAcls", "true", None);
        check("D.Scheme", "internet-facing", expose);
        check("D.Scheme", "internal", None);
        check("D.AuthType", "NONE", expose);
        check("D.ManagedPolicyArns.1", "arn:aws:iam::aws:policy/ReadOnlyAccess", grant);
        check("D.PermissionsBoundary", "arn:aws:iam::aws:policy/ReadOnlyAccess", None);
        check(
            "D.Distributions.1.AmiDistributionConfiguration.LaunchPermissionConfiguration.UserGroups.1",
            "all",
            expose,
        );
        check(
            "D.Distributions.1.AmiDistributionConfiguration.LaunchPermissionConfiguration.UserIds.1",
            "1",
            grant,
        );
        check("D.QueueName", "public", None);
        check("D.PublicKeyMaterial", "ssh-rsa x", None);
    }

    #[test]
    fn a_value_that_is_not_known_may_be_the_worst() {
        let may = |path: &str| may_open(&Path::of(path));
        assert_eq!(may("D.SecurityGroupIngress"), Some(Access::Expose));
        assert_eq!(may("D.PubliclyAccessible"), Some(Access::Expose));
        assert_eq!(may("D.Policies.1.PolicyDocument"), Some(Access::Grant));
        assert_eq!(may("D.InstanceType"), None);
    }
}
