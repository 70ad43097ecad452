//! What a policy of an identity would let it do to who may do what.
//!
//! Leaves out policies of resources. Some of these operations on one named thing is delegation; any of them
//! on everything of its sort is administration, since with each an identity gives itself the rest.

use super::document::Json;
use crate::glob::Glob;

/// Operations with which an identity gives itself, or whom it likes, whatever it lacks.
const PRIVILEGED: [&str; 46] = [
    "iam:addroletoinstanceprofile",
    "iam:addusertogroup",
    "iam:attachgrouppolicy",
    "iam:attachrolepolicy",
    "iam:attachuserpolicy",
    "iam:createaccesskey",
    "iam:createloginprofile",
    "iam:createopenidconnectprovider",
    "iam:createpolicyversion",
    "iam:createsamlprovider",
    "iam:createservicespecificcredential",
    "iam:deactivatemfadevice",
    "iam:deletegrouppolicy",
    "iam:deleterolepermissionsboundary",
    "iam:deleterolepolicy",
    "iam:deleteuserpermissionsboundary",
    "iam:deleteuserpolicy",
    "iam:detachgrouppolicy",
    "iam:detachrolepolicy",
    "iam:detachuserpolicy",
    "iam:passrole",
    "iam:putgrouppolicy",
    "iam:putrolepermissionsboundary",
    "iam:putrolepolicy",
    "iam:putuserpermissionsboundary",
    "iam:putuserpolicy",
    "iam:resetservicespecificcredential",
    "iam:setdefaultpolicyversion",
    "iam:updateaccesskey",
    "iam:updateassumerolepolicy",
    "iam:updateloginprofile",
    "iam:updatesamlprovider",
    "iam:uploadsigningcertificate",
    "iam:uploadsshpublickey",
    "organizations:attachpolicy",
    "organizations:createaccount",
    "organizations:deletepolicy",
    "organizations:detachpolicy",
    "organizations:disablepolicytype",
    "organizations:leaveorganization",
    "organizations:moveaccount",
    "organizations:registerdelegatedadministrator",
    "organizations:updatepolicy",
    "sts:assumerole",
    "sts:assumeroot",
    "sts:getfederationtoken",
];

/// The services of those operations: what is everything of their sort.
const SERVICES: [&str; 3] = ["iam", "organizations", "sts"];

/// Some operation that hands out authority, on everything of a sort.
pub(super) fn administers(statement: &Json) -> bool {
    let any = |member: &str, is: fn(&str) -> bool| {
        statement.get(member).map(Json::items).unwrap_or_default().iter().any(|item| match item {
            Json::Text(text) => is(text),
            Json::Object(_) | Json::Array(_) | Json::Other => true,
        })
    };
    let wide_resource = statement.get("NotResource").is_some() || any("Resource", is_wide);
    wide_resource && (statement.get("NotAction").is_some() || any("Action", is_privileged))
}

fn is_privileged(action: &str) -> bool {
    let pattern = Glob::new(&action.to_ascii_lowercase());
    let literal = pattern.literal_prefix();
    PRIVILEGED.iter().any(|operation| operation.starts_with(literal) && pattern.matches(operation))
}

/// A pattern that stands for all identities of a sort, not for those of some name.
fn is_wide(resource: &str) -> bool {
    let wild = |text: &str| text.starts_with(['*', '?']);
    let parts: Vec<&str> = resource.splitn(6, ':').collect();
    let [_, _, service, _, _, own] = parts.as_slice() else {
        // Fewer parts: a wildcard stands for the others too.
        let pattern = Glob::new(resource);
        return pattern.as_str().contains(['*', '?'])
            && SERVICES.iter().any(|service| pattern.overlaps(&Glob::new(&format!("arn:aws:{service}:*"))));
    };
    let service = Glob::new(service);
    let of_sort = SERVICES.iter().any(|name| service.matches(name));
    let (sort, name) = own.split_once('/').unwrap_or((own, own));
    of_sort && (wild(own) || wild(name) || sort.contains(['*', '?']))
}

#[cfg(test)]
mod tests {
    use super::is_wide;

    #[test]
    fn a_resource_is_wide_when_it_names_none_of_its_sort() {
        for wide in [
            "*",
            "arn:*",
            "arn:aws:iam::*",
            "arn:aws:iam::111122223333:*",
            "arn:aws:iam::*:role/*",
            "arn:aws:iam::111122223333:role/?*",
            "arn:aws:i*::111122223333:r*",
            "arn:*:*:*:*:*",
        ] {
            assert!(is_wide(wide), "{wide}");
        }
        for narrow in [
            "arn:aws:iam::111122223333:role/app-*",
            "arn:aws:iam::111122223333:user/${aws:username}",
            "arn:aws:s3:::*",
            "arn:aws:s3*",
            "",
        ] {
            assert!(!is_wide(narrow), "{narrow}");
        }
    }
}
