//! REST operations by method, path template, query and headers.
//!
//! Leaves out what the labels mean. Of several that fit, the most literal one is meant; two that fit equally well
//! within one service are refused, across services they are ties.

use ordain_action::Undecodable;
use ordain_catalog::{Operation, Protocol, Service};

use super::bucket;
use super::found::{Found, strictness, unknown};
use super::marker::Markers;
use super::site::Site;
use crate::Head;
use crate::form::fields::clip;
use crate::form::uri::{self, Fit, Segments, Slash};

/// How exactly an operation is named by a head; more is better, from the left.
type Weight = (Fit, usize, usize, usize);

/// Finds the operations of some services. Clients of Go leave out the slash that a template ends with, and AWS takes that for
/// the same, where nothing else is meant by it.
pub(super) fn find<'r>(
    services: &[&'r Service],
    head: &Head<'_>,
    markers: &Markers<'_>,
    site: &Site,
) -> Result<Vec<Found<'r>>, Undecodable> {
    match find_by(services, head, markers, site, Slash::Agrees) {
        Err(why) if why.reason_code == "unknown_operation" => {
            find_by(services, head, markers, site, Slash::LeftOut).map_err(|_| why)
        }
        found => found,
    }
}

fn find_by<'r>(
    services: &[&'r Service],
    head: &Head<'_>,
    markers: &Markers<'_>,
    site: &Site,
    slash: Slash,
) -> Result<Vec<Found<'r>>, Undecodable> {
    let mut found = Vec::new();
    let mut refused = None;
    for service in services {
        let Some(protocol) =
            [Protocol::RestJson, Protocol::RestXml].into_iter().find(|protocol| service.reads(*protocol))
        else {
            continue;
        };
        let segments = if bucket::is_object_store(service) {
            bucket::segments(markers, site)?
        } else {
            match markers.target.segments() {
                Ok(segments) => segments,
                Err(why) => {
                    refused = Some(why);
                    continue;
                }
            }
        };
        match one_service((service, protocol), head, markers, &segments, slash) {
            Ok(read) => found.extend(read),
            Err(why) => refused = Some(why),
        }
    }
    // What one service may read in two ways is not settled by another that reads it in one.
    if let Some(why) = refused.take_if(|why| why.reason_code == "ambiguous_operation") {
        return Err(why);
    }
    if found.is_empty() {
        return Err(refused
            .unwrap_or_else(|| unknown(&format!("{} {}", clip(head.method), clip(markers.target.path)))));
    }
    Ok(found)
}

fn one_service<'r>(
    (service, protocol): (&'r Service, Protocol),
    head: &Head<'_>,
    markers: &Markers<'_>,
    segments: &Segments<'_>,
    slash: Slash,
) -> Result<Option<Found<'r>>, Undecodable> {
    let mut best: Option<(Weight, Found<'r>)> = None;
    let mut tied: Option<&'r Operation> = None;
    for operation in service.operations() {
        if !is_method(operation, head, markers) {
            continue;
        }
        let Some((fit, labels)) = uri::fit_by(&operation.http.path, segments, slash) else { continue };
        let Some((literals, required, headers)) = discriminators(operation, head, markers) else { continue };
        let weight = (fit, literals, required, headers);
        let better = best.as_ref().map(|(known, _)| weight.cmp(known));
        match better {
            Some(std::cmp::Ordering::Less) => {}
            // An old and a new name for one thing on the wire: the longer is the newer, and what is meant is the same.
            Some(std::cmp::Ordering::Equal)
                if best.as_ref().is_some_and(|(_, known)| same_wire(known.operation, operation)) =>
            {
                if let Some((_, known)) = best.as_mut()
                    && (strictness(operation.access), operation.name.len())
                        > (strictness(known.operation.access), known.operation.name.len())
                {
                    known.operation = operation;
                }
            }
            Some(std::cmp::Ordering::Equal) => tied = Some(operation),
            Some(std::cmp::Ordering::Greater) | None => {
                let labels = labels.into_iter().map(|label| (label.name.to_owned(), label.value)).collect();
                tied = None;
                best = Some((weight, Found { service, operation, protocol, labels }));
            }
        }
    }
    let Some((_, found)) = best else { return Ok(None) };
    if let Some(other) = tied {
        return Err(Undecodable::new(
            "ambiguous_operation",
            format!(
                "the request may mean `{}` or `{}`; leave out what belongs to the other",
                found.operation.name, other.name
            ),
        ));
    }
    if bucket::is_object_store(service) {
        bucket::refuse_strange_query(found.operation, markers)?;
    }
    Ok(Some(found))
}

/// The operation's method; and for one that S3 keeps to hosts of its own, its signing name.
fn is_method(operation: &Operation, head: &Head<'_>, markers: &Markers<'_>) -> bool {
    let elsewhere = &*operation.name == "ListDirectoryBuckets" && markers.signing_name != "s3express";
    (&*operation.http.method == head.method && !elsewhere) || comes_as_form(operation, head.method, markers)
}

/// Search documents grow long, so that clients send them as a form.
pub(super) fn comes_as_form(operation: &Operation, method: &str, markers: &Markers<'_>) -> bool {
    &*operation.service == "cloudsearchdomain"
        && method == "POST"
        && &*operation.http.method == "GET"
        && markers.media_type == "application/x-www-form-urlencoded"
}

/// Whether two operations cannot be told apart by anything they ask for in a head.
fn same_wire(one: &Operation, other: &Operation) -> bool {
    one.http == other.http
}

/// How many literal and required query members and headers of an operation are there; `None` when one is missing.
fn discriminators(
    operation: &Operation,
    head: &Head<'_>,
    markers: &Markers<'_>,
) -> Option<(usize, usize, usize)> {
    if comes_as_form(operation, head.method, markers) {
        return Some((0, 0, 0));
    }
    for (name, value) in &operation.http.query {
        let there = markers
            .query
            .iter()
            .any(|pair| pair.name == **name && value.as_deref().is_none_or(|value| pair.value == value));
        if !there {
            return None;
        }
    }
    for name in &operation.http.required_query {
        if !markers.query.iter().any(|pair| pair.name == **name) {
            return None;
        }
    }
    let mut headers = 0;
    for name in &operation.http.required_headers {
        let hoisted = markers.query.iter().any(|pair| pair.name.eq_ignore_ascii_case(name));
        if !head.headers.contains_key(&**name) && !hoisted {
            return None;
        }
        headers += 1;
    }
    Some((operation.http.query.len(), operation.http.required_query.len(), headers))
}
