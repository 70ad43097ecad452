//! The host a call has to be sent to: from the catalogue's table, for the service decided.
//!
//! Leaves out configured endpoints, which the gate puts in the host's place.

use ordain_action::{Call, Undecodable, Upstream};
use ordain_catalog::{Location, Operation, Variant};

use super::Room;
use super::marker::{Markers, is_label};
use super::site::Site;
use crate::Head;
use crate::contract::Destination;
use crate::form::fields::clip;

/// Finds the host.
pub(super) fn of(
    room: &Room,
    site: &Site,
    upstream: &Upstream,
    call: &Call,
) -> Result<Destination, Undecodable> {
    let effect = call.effects.first().ok_or_else(|| none("the request"))?;
    // A passed role or a key in use is never the first effect: the operation itself is.
    let service = room.catalog.service(&effect.service).ok_or_else(|| none(&effect.service))?;
    let operation = service.operation(&effect.operation).ok_or_else(|| none(&effect.operation))?;
    let hosts = room.catalog.hosts();
    let region = match &*site.region {
        "" => match &*upstream.partition {
            "aws-cn" => "cn-north-1",
            "aws-us-gov" => "us-gov-west-1",
            _ => "us-east-1",
        },
        region => region,
    };
    let partition = hosts.partition_of(region).ok_or_else(|| none(region))?;
    if *partition.name != *upstream.partition {
        return Err(Undecodable::new(
            "partition_mismatch",
            format!(
                "region `{}` is not in partition `{}` of the upstream; name one of its regions",
                clip(region),
                upstream.partition
            ),
        ));
    }
    let signing_name = match &*site.signing_name {
        "" => service.head().signing_name.to_string(),
        name => name.to_owned(),
    };
    if let Some(host) = &site.host {
        says_the_same(operation, call, site)?;
        return Ok(Destination {
            service: effect.service.to_string(),
            host: host.clone(),
            host_prefix: String::new(),
            signing_name,
            signing_region: site.signing_region.to_string(),
        });
    }
    if matches!(signing_name.as_str(), "s3express" | "s3-outposts" | "s3-object-lambda")
        || call
            .effects
            .iter()
            .any(|effect| effect.parameters.text("Bucket").is_some_and(|name| name.starts_with("arn:")))
    {
        return Err(Undecodable::new(
            "needs_own_host",
            "the bucket is reached by a host of its own; send the request to that host",
        ));
    }
    // What S3 keeps apart is asked for by a signing name of its own, and refused above.
    let destination = if matches!(&*effect.service, "s3" | "s3control") {
        hosts.upstream(&effect.service, region, Variant::Plain)
    } else {
        hosts.upstream_of(operation, region, Variant::Plain)
    };
    let destination = destination.ok_or_else(|| none(region))?;
    let host_prefix = if &*effect.service == "s3" {
        if site.prefix.is_empty() { String::new() } else { format!("{}.", site.prefix) }
    } else {
        prefix(operation, call)?
    };
    Ok(Destination {
        service: effect.service.to_string(),
        host: format!("{host_prefix}{}", destination.host),
        host_prefix,
        signing_name,
        signing_region: if site.signing_region.is_empty() {
            destination.signing_region.to_string()
        } else {
            site.signing_region.to_string()
        },
    })
}

/// Where a request goes whose operation could not be read, for modes in which it passes all the same: only where
/// its credential scope alone names one service.
pub(super) fn unread(
    room: &Room,
    head: &Head<'_>,
    markers: &Markers<'_>,
    upstream: &Upstream,
) -> Result<Destination, Undecodable> {
    let site = Site::read(room, head, markers)?;
    let signing_name = markers.signing_name.to_string();
    let signing_region = markers.region.to_string();
    let mut services = room.catalog.by_signing_name(&markers.signing_name);
    let (Some(service), None) = (services.next(), services.next()) else {
        return Err(none(&signing_name));
    };
    // What cannot be read may be a call whose answer hands out a real credential, and its answer could not be
    // rewritten: no service that has such a call is sent what cannot be read.
    let known = room.catalog.service(&service.name).ok_or_else(|| none(&signing_name))?;
    if known.operations().iter().any(|operation| operation.mints.is_some()) {
        return Err(Undecodable::new(
            "custody_leak",
            "the service hands out credentials, and what cannot be read might ask for one; send it in a form that can",
        ));
    }
    let name = service.name.to_string();
    if let Some(host) = site.host {
        return Ok(Destination {
            service: name,
            host,
            host_prefix: String::new(),
            signing_name,
            signing_region,
        });
    }
    let hosts = room.catalog.hosts();
    let partition = hosts.partition_of(&site.region).ok_or_else(|| none(&site.region))?;
    if *partition.name != *upstream.partition || !site.prefix.is_empty() {
        return Err(none(&site.region));
    }
    let found =
        hosts.upstream(&service.name, &site.region, Variant::Plain).ok_or_else(|| none(&site.region))?;
    Ok(Destination {
        service: name,
        host: found.host.to_string(),
        host_prefix: String::new(),
        signing_name,
        signing_region,
    })
}

/// What an operation asks for before its host names what the request names: a graph there that is another one than
/// was judged would be the one that answers.
fn says_the_same(operation: &Operation, call: &Call, site: &Site) -> Result<(), Undecodable> {
    let asks = operation.host_prefix.as_deref().is_some_and(|template| template.contains('{'));
    if !asks || site.prefix.is_empty() || site.is_private {
        return Ok(());
    }
    let asked = prefix(operation, call)?;
    if asked.trim_end_matches('.').eq_ignore_ascii_case(&site.prefix) {
        return Ok(());
    }
    Err(Undecodable::new(
        "host_disagrees",
        "what stands before the host is not what the request names; name the same in both",
    ))
}

/// The operation's host prefix, its labels filled in from the request.
fn prefix(operation: &Operation, call: &Call) -> Result<String, Undecodable> {
    let Some(template) = operation.host_prefix.as_deref() else { return Ok(String::new()) };
    let mut prefix = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, tail) = after.split_once('}').ok_or_else(|| none(template))?;
        let wire = operation.members.iter().find(|member| *member.name == *name).map_or(name, |member| {
            if member.location == Location::Header { &member.wire } else { &*member.wire }
        });
        let value = call
            .effects
            .iter()
            .find_map(|effect| effect.parameters.text(wire))
            .filter(|value| !value.is_empty() && is_label(value))
            .ok_or_else(|| {
                Undecodable::new(
                    "bad_host_prefix",
                    format!("`{name}` does not fit into a host; give one plain word"),
                )
            })?;
        prefix.push_str(before);
        // A name of a host is the same in any letters; one alone is asked for and signed.
        prefix.push_str(&value.to_ascii_lowercase());
        rest = tail;
    }
    prefix.push_str(rest);
    Ok(prefix)
}

fn none(what: &str) -> Undecodable {
    Undecodable::new(
        "no_upstream_host",
        format!("no host of the provider is known for `{}`; name a region where the service is", clip(what)),
    )
}
