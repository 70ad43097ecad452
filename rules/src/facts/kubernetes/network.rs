//! What an object would open of a cluster to others.
//!
//! Leaves out ports and host networks of pods (`pod.rs`).

use std::collections::BTreeSet;

use ordain_action::Scalar;

use super::super::Facts;
use super::super::network::{Span, is_world};
use super::{ends, is_on};
use crate::kubernetes::{Body, Operation, text};

/// Annotations that keep a load balancer inside, with the values that do; none is any that says yes.
const INTERNAL: [(&str, &[&str]); 9] = [
    ("service.beta.kubernetes.io/aws-load-balancer-internal", &[]),
    ("service.beta.kubernetes.io/aws-load-balancer-scheme", &["internal"]),
    ("service.beta.kubernetes.io/azure-load-balancer-internal", &[]),
    ("networking.gke.io/load-balancer-type", &["Internal"]),
    ("cloud.google.com/load-balancer-type", &["Internal"]),
    ("service.beta.kubernetes.io/openstack-internal-load-balancer", &[]),
    ("service.beta.kubernetes.io/oci-load-balancer-internal", &[]),
    ("service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type", &["private"]),
    ("service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type", &["intranet"]),
];

/// Types that lead traffic from outside to what lies in a cluster.
const ROUTES: [&str; 7] =
    ["gateways", "grpcroutes", "httproutes", "ingresses", "tcproutes", "tlsroutes", "routes"];

/// Their groups.
const ROUTERS: [&str; 4] =
    ["networking.k8s.io", "gateway.networking.k8s.io", "extensions", "route.openshift.io"];

pub(super) fn read(operation: &Operation<'_>, body: &Body<'_>, facts: &mut Facts) {
    if operation.is("core", "services") {
        service(body, facts);
    }
    if ROUTERS.contains(&operation.group)
        && ROUTES.contains(&operation.resource)
        && operation.subresource.is_none()
    {
        facts.exposes.insert("ingress");
    }
    if operation.resource == "networkpolicies" {
        let networks = body.members.iter().filter(|member| {
            ends(&member.path, &["ipBlock", "cidr"])
                && crate::kubernetes::parts(&member.path).any(|part| part == "ingress")
        });
        if networks.filter_map(|member| text(member.value)).any(is_world) {
            facts.exposes.insert("world");
        }
        if lets_in_everybody(body) {
            facts.exposes.insert("world");
        }
    }
}

/// A rule of a network policy that does not say from where lets in everybody.
fn lets_in_everybody(body: &Body<'_>) -> bool {
    let rules = || body.members.iter().filter_map(|member| member.path.strip_prefix("spec.ingress."));
    let rule = |rest: &str| rest.split('.').next().unwrap_or_default().to_owned();
    let bounded: BTreeSet<String> = rules().filter(|rest| rest.contains(".from.")).map(rule).collect();
    // Of an operation on a policy, what it does not say is there already.
    let whole = |rest: &&str| !body.is_patch || !rest.contains('.');
    rules().filter(whole).map(rule).any(|rule| !bounded.contains(&rule))
}

fn service(body: &Body<'_>, facts: &mut Facts) {
    let is = |wanted: &str| body.texts("spec.type").any(|word| word == wanted);
    if is("LoadBalancer") && !is_inside(body) {
        facts.exposes.insert("load_balancer");
    }
    if is("NodePort") {
        facts.exposes.insert("node_port");
    }
    let given = |value: Scalar<'_>| !matches!(value, Scalar::Null | Scalar::Empty);
    if body.values("spec.externalIPs").any(given) {
        facts.exposes.insert("external_address");
    }
    // A part of an object that takes its bounds away may open what is there.
    if body.entries("metadata.annotations").any(|(key, value)| is_bound(&key) && !keeps_inside(&key, value))
        || body.values("spec.loadBalancerSourceRanges").any(|value| !given(value))
    {
        facts.exposes.insert("load_balancer");
    }
}

fn is_bound(key: &str) -> bool {
    INTERNAL.iter().any(|(known, _)| *known == key)
}

fn keeps_inside(key: &str, value: Scalar<'_>) -> bool {
    INTERNAL.iter().filter(|(known, _)| *known == key).any(|(_, words)| {
        let said = text(value).unwrap_or_default();
        if words.is_empty() { is_on(value) } else { words.contains(&said) }
    })
}

/// A load balancer that only some networks reach.
fn is_inside(body: &Body<'_>) -> bool {
    let mut span = Span::default();
    let mut bounded = false;
    for network in body.texts("spec.loadBalancerSourceRanges") {
        span.add(network);
        bounded = true;
    }
    (bounded && !span.is_world())
        || body.entries("metadata.annotations").any(|(key, value)| keeps_inside(&key, value))
}
