//! What a member of a body says: the class of what it changes, and which of them hold secrets.
//!
//! Leaves out what a vendor's own members mean, which is for the vendor to say: they are as wide as they may be.

use ordain_action::{Access, Scalar};

use super::path::Place;

/// Members that hold secrets, by their names in lower case, beside those that look so.
pub(super) const SECRETS: [&str; 19] = [
    "authenticationkey",
    "certificatestring",
    "communityname",
    "communitystring",
    "encryptionkey",
    "encryptionkeypassphrase",
    "encryptionpassphrase",
    "kerberoskeytab",
    "keystring",
    "licensestring",
    "newpassphrase",
    "oemtoken",
    "presharedkey",
    "secret",
    "secretkey",
    "symmetrickey",
    "token",
    "usertoken",
    "oneviewtoken",
];

/// Types whose every member says who may sign in, as what, or whom the service trusts.
const GRANTING: [&str; 6] = [
    "AccountService",
    "ExternalAccountProvider",
    "OutboundConnection",
    "PrivilegeRegistry",
    "Role",
    "Signature",
];

/// Members of an account that let nobody in.
const PLAIN: [&str; 6] =
    ["description", "emailaddress", "name", "passwordchangerequired", "passwordexpiration", "phonenumber"];

/// Members by which a service, a protocol or an interface listens.
const LISTENING: [&str; 3] = ["interfaceenabled", "protocolenabled", "serviceenabled"];

/// A member of a body: its path in lower case, places in lists left out, and its value.
#[derive(Debug)]
pub(super) struct Member<'a> {
    pub path: Vec<String>,
    pub value: Scalar<'a>,
}

impl Member<'_> {
    pub(super) fn first(&self) -> &str {
        self.path.first().map_or("", String::as_str)
    }

    pub(super) fn last(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    pub(super) fn is_at(&self, path: &[&str]) -> bool {
        self.path.iter().map(String::as_str).eq(path.iter().copied())
    }

    /// It stands below what is a vendor's own.
    pub(super) fn is_oem(&self) -> bool {
        self.path.iter().any(|part| part == "oem")
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self.value {
            Scalar::Text(text) => Some(text),
            Scalar::Number(_) | Scalar::Bool(_) | Scalar::Null | Scalar::Empty | Scalar::Token(_) => None,
        }
    }

    fn is_true(&self) -> bool {
        matches!(self.value, Scalar::Bool(true))
            || self.text().is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    fn is_false(&self) -> bool {
        matches!(self.value, Scalar::Bool(false) | Scalar::Null)
            || self.text().is_some_and(|text| text.eq_ignore_ascii_case("false"))
    }
}

/// Whether a place says who may do what, or whom the service trusts: all of it then does.
pub(super) fn grants(place: &Place) -> bool {
    let is_trust = matches!(place.kind.as_str(), "Certificate" | "Key" | "SecureBootDatabase");
    // The service's own certificate says who it is itself.
    let own = place.has("HTTPS");
    GRANTING.contains(&place.kind.as_str())
        || place.kind == "ManagerAccount"
        || place.top() == "AccountService"
        || place.has("RemoteAccountService")
        || (is_trust && !own)
}

/// The class of writing a member of what stands at a place.
pub(super) fn access(place: &Place, member: &Member<'_>) -> Access {
    let kind = place.kind.as_str();
    let last = member.last();
    if member.first().starts_with('@') {
        return Access::Update;
    }
    // What a vendor adds to a manager may say who may do what; what it adds to a machine does not.
    if member.is_oem() || place.is_oem {
        let is_machine = matches!(place.top(), "Systems" | "Chassis" | "Fabrics") && !grants(place);
        return match member.first() {
            // It may be what a medium will be, by a path that no schema has.
            "image" | "inserted" if place.is_oem && !member.is_false() => Access::Execute,
            _ if is_machine => Access::Update,
            _ => Access::Grant,
        };
    }
    if kind == "ManagerAccount" {
        return match last {
            "enabled" if member.is_false() => Access::Delete,
            "locked" if member.is_true() => Access::Delete,
            _ if member.path.len() == 1 && PLAIN.contains(&last) => Access::Update,
            _ => Access::Grant,
        };
    }
    if grants(place) {
        return Access::Grant;
    }
    let by_kind = match (kind, member.first()) {
        ("VirtualMedia", "image") if member.text().is_some_and(|text| !text.is_empty()) => {
            Some(Access::Execute)
        }
        ("BootOption", "bootoptionenabled") if member.is_true() => Some(Access::Execute),
        ("VirtualMedia", "inserted") if member.is_true() => Some(Access::Execute),
        // A job sends requests of its own.
        ("Job", "payload" | "steps") => Some(Access::Execute),
        ("EventDestination", "destination") => Some(Access::Expose),
        ("HostInterface", "authnoneroleid" | "authenticationmodes" | "credentialbootstrapping")
        | (
            "HostInterface",
            "firmwareauthenabled" | "firmwareauthroleid" | "kernelauthenabled" | "kernelauthroleid",
        ) => Some(Access::Grant),
        ("ManagerNetworkProtocol", "snmp") if last != "protocolenabled" && last != "port" => {
            Some(Access::Grant)
        }
        ("Manager", "remoteaccountservice") => Some(Access::Grant),
        _ => None,
    };
    if let Some(access) = by_kind {
        return access;
    }
    let listens = matches!(kind, "ComputerSystem" | "HostInterface" | "Manager" | "ManagerNetworkProtocol");
    match last {
        _ if LISTENING.contains(&last) && member.is_true() && listens => Access::Expose,
        _ if LISTENING.contains(&last) && member.is_false() => Access::Delete,
        "enabled" | "powerenabled" if member.is_false() => Access::Delete,
        "powerstate" if member.text().is_some_and(|text| !text.eq_ignore_ascii_case("On")) => Access::Delete,
        _ => Access::Update,
    }
}

/// Whether what a body says of `Boot` makes a machine run something else than what is on its disk.
pub(super) fn boots_other(members: &[Member<'_>]) -> bool {
    let within = |name: &str| members.iter().find(|member| member.is_at(&["boot", name]));
    let safe =
        ["bootsourceoverridemode", "stopbootonfault", "trustedmodulerequiredtoboot", "automaticretryconfig"];
    let other = members.iter().any(|member| {
        let of_boot = member.first() == "boot";
        let known = ["bootsourceoverridetarget", "bootsourceoverrideenabled", "automaticretryattempts"];
        let says_nothing = matches!(member.value, Scalar::Null) || member.text() == Some("");
        of_boot && !says_nothing && !safe.contains(&member.last()) && !known.contains(&member.last())
    });
    let on_disk = within("bootsourceoverridetarget").map(|member| {
        member.text().is_some_and(|text| ["None", "Hdd"].iter().any(|disk| disk.eq_ignore_ascii_case(text)))
    });
    let off = within("bootsourceoverrideenabled")
        .map(|member| member.text().is_some_and(|text| text.eq_ignore_ascii_case("Disabled")));
    match (on_disk, off) {
        _ if other => true,
        // A target is only that; what says nothing of it turns on what was set before.
        (Some(on_disk), _) => !on_disk,
        (None, Some(off)) => !off,
        (None, None) => false,
    }
}
