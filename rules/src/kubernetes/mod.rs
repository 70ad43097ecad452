//! The names of Kubernetes: what lies in which namespace and which cluster, and how narrow a pattern of names is.
//!
//! `k8s://{cluster}/{group}/namespaces/{namespace}/{resource}/{name}`, without a version and with `core` for the
//! group that has no name. Leaves out who owns what, and what parameters say (`facts/kubernetes/`).

mod body;
mod kinds;
mod operation;

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::glob::Glob;

pub(crate) use body::{Body, Member, parts, text};
pub(crate) use kinds::guessed_plural;
pub(crate) use operation::{Operation, creates};

const SCHEME: &str = "k8s://";

/// The type of what defines types of its own.
pub(crate) const DEFINITIONS: &str = "apiextensions.k8s.io:customresourcedefinitions";

/// The type of a cluster as a whole.
pub(crate) const CLUSTERS: &str = "kubernetes:cluster";

/// The type of a namespace.
pub(crate) const NAMESPACES: &str = "core:namespaces";

/// A canonical name, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name<'n> {
    pub(crate) cluster: &'n str,
    /// Empty for the cluster as a whole.
    pub(crate) group: &'n str,
    /// The namespace that it lies in, or that it is.
    pub(crate) namespace: Option<&'n str>,
    /// The plural; empty for the cluster as a whole.
    pub(crate) resource: &'n str,
    pub(crate) name: &'n str,
}

impl<'n> Name<'n> {
    /// Takes a name apart; `None` for one that is of no cluster.
    pub(crate) fn parse(text: &'n str) -> Option<Self> {
        let text = text.strip_prefix(SCHEME)?;
        let cluster = text.split('/').next().filter(|cluster| !cluster.is_empty())?;
        let mut parts = text.splitn(4, '/');
        let in_cluster = (parts.nth(1), parts.next(), parts.next());
        let rest: SmallVec<[&str; 6]> = match in_cluster {
            // What is in no namespace may be of any name.
            (Some(group), Some(resource), Some(name)) if resource != "namespaces" => {
                SmallVec::from_slice(&[group, resource, name])
            }
            _ => text.splitn(6, '/').skip(1).collect(),
        };
        let whole = Self { cluster, group: "", namespace: None, resource: "", name: "" };
        Some(match *rest.as_slice() {
            [] => whole,
            [group, "namespaces", namespace, resource, name] => {
                Self { group, namespace: Some(namespace), resource, name, ..whole }
            }
            [group, "namespaces", namespace, resource] => {
                Self { group, namespace: Some(namespace), resource, ..whole }
            }
            ["core", "namespaces", name] => {
                Self { group: "core", namespace: Some(name), resource: "namespaces", name, ..whole }
            }
            [group, resource, name] => Self { group, resource, name, ..whole },
            [group, resource] => Self { group, resource, ..whole },
            [group] => Self { group, ..whole },
            _ => return None,
        })
    }

    /// It is a cluster as a whole.
    pub(crate) const fn is_cluster(&self) -> bool {
        self.group.is_empty()
    }

    /// It is a namespace.
    pub(crate) fn is_namespace(&self) -> bool {
        self.group == "core" && self.resource == "namespaces"
    }

    /// The type, as `apps:deployments`.
    pub(crate) fn kind(&self) -> String {
        format!("{}:{}", self.group, self.resource)
    }

    /// The name of the namespace that it lies in.
    pub(crate) fn holder(&self) -> Option<String> {
        let namespace = self.namespace.filter(|_| !self.is_namespace())?;
        Some(namespace_name(self.cluster, namespace))
    }
}

/// The canonical name of a namespace.
pub(crate) fn namespace_name(cluster: &str, namespace: &str) -> String {
    format!("{SCHEME}{cluster}/core/namespaces/{namespace}")
}

/// The canonical name of a cluster.
pub(crate) fn cluster_name(cluster: &str) -> String {
    format!("{SCHEME}{cluster}")
}

/// The canonical name of an object.
pub(crate) fn object_name(
    cluster: &str,
    (group, resource): (&str, &str),
    namespace: Option<&str>,
    name: &str,
) -> String {
    match namespace {
        Some(namespace) => format!("{SCHEME}{cluster}/{group}/namespaces/{namespace}/{resource}/{name}"),
        None => format!("{SCHEME}{cluster}/{group}/{resource}/{name}"),
    }
}

/// It is the name of something in a cluster, or of a cluster.
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(SCHEME)
}

/// It is the name of a cluster as a whole.
pub(crate) fn is_cluster(text: &str) -> bool {
    Name::parse(text).is_some_and(|name| name.is_cluster())
}

/// What a name lies in, the nearest first: its namespace, its cluster.
pub(crate) fn holders(text: &str) -> SmallVec<[String; 2]> {
    let Some(name) = Name::parse(text) else { return SmallVec::new() };
    let cluster = (!name.is_cluster()).then(|| cluster_name(name.cluster));
    name.holder().into_iter().chain(cluster).collect()
}

/// How narrow a name or a pattern of names is: the length of what stands before its first wildcard, with the
/// namespace before the group, since a namespace has all groups in it.
pub(crate) fn narrowness(text: &str) -> usize {
    let ordered = namespace_first(text);
    ordered.find(['*', '?']).unwrap_or(ordered.len())
}

fn namespace_first(text: &str) -> Cow<'_, str> {
    let Some((cluster, rest)) = text.strip_prefix(SCHEME).and_then(|rest| rest.split_once('/')) else {
        return Cow::Borrowed(text);
    };
    let mut parts = rest.splitn(4, '/');
    let (group, kind) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    match (kind, parts.next(), parts.next()) {
        ("namespaces", Some(namespace), Some(rest)) => {
            Cow::Owned(format!("{SCHEME}{cluster}/namespaces/{namespace}/{group}/{rest}"))
        }
        ("namespaces", Some(namespace), None) if matches!(group, "core" | "*") => {
            Cow::Owned(format!("{SCHEME}{cluster}/namespaces/{namespace}"))
        }
        _ => Cow::Borrowed(text),
    }
}

/// Whether a pattern of the model and one of a request may stand for the same name. A wildcard of the request
/// stands for names, in which there is no `/`; one of the model stands for any text.
pub(crate) fn meet(model: &Glob, request: &str) -> bool {
    let request = request.as_bytes();
    // How much of the request may have been read when so much of the model was.
    let mut read = vec![false; request.len() + 1];
    read.first_mut().into_iter().for_each(|start| *start = true);
    end_wildcards(&mut read, request);
    for letter in model.as_str().bytes() {
        let mut next = vec![false; read.len()];
        if letter == b'*' {
            // It stands for nothing, and for any more of the other.
            let first = read.iter().position(|reached| *reached).unwrap_or(read.len());
            next.iter_mut().skip(first).for_each(|slot| *slot = true);
        } else {
            for (at, theirs) in request.iter().enumerate() {
                if read.get(at).copied().unwrap_or_default()
                    && let Some(further) = both(letter, *theirs)
                    && let Some(slot) = next.get_mut(at + further)
                {
                    *slot = true;
                }
            }
        }
        end_wildcards(&mut next, request);
        read = next;
    }
    read.last().copied().unwrap_or_default()
}

/// How much further the request is read where one letter stands in both; `None` where none can.
const fn both(letter: u8, theirs: u8) -> Option<usize> {
    match (letter, theirs) {
        (b'/', b'*') => None,
        (_, b'*') => Some(0),
        (b'?', _) | (_, b'?') => Some(1),
        (letter, theirs) => {
            if letter == theirs {
                Some(1)
            } else {
                None
            }
        }
    }
}

/// A wildcard of the request may end wherever it is.
fn end_wildcards(read: &mut [bool], request: &[u8]) {
    for at in 0..request.len() {
        let ends = request.get(at) == Some(&b'*') && read.get(at) == Some(&true);
        read.get_mut(at + 1).into_iter().for_each(|slot| *slot |= ends);
    }
}

#[cfg(test)]
mod tests {
    use super::{Glob, Name, holders, meet, narrowness};

    #[test]
    fn names_are_taken_apart() {
        let name = Name::parse("k8s://prod/apps/namespaces/shop/deployments/web").unwrap();
        assert_eq!((name.cluster, name.namespace, name.name), ("prod", Some("shop"), "web"));
        assert_eq!(name.kind(), "apps:deployments");
        let role = Name::parse("k8s://prod/rbac.authorization.k8s.io/clusterroles/system:node").unwrap();
        assert_eq!((role.namespace, role.name), (None, "system:node"));
        assert!(Name::parse("k8s://prod/core/namespaces/shop").unwrap().is_namespace());
        assert!(Name::parse("k8s://prod").unwrap().is_cluster());
        let extra = Name::parse("k8s://prod/authentication.k8s.io/userextras/scopes/a/b").unwrap();
        assert_eq!((extra.namespace, extra.resource, extra.name), (None, "userextras", "scopes/a/b"));
        for other in ["arn:aws:s3:::k8s://prod", "k8s://", "k8s:///core/nodes/a"] {
            assert_eq!(Name::parse(other), None, "{other}");
        }
    }

    #[test]
    fn an_object_lies_in_its_namespace_and_that_in_its_cluster() {
        let of = |name: &str| holders(name).join(" ");
        assert_eq!(
            of("k8s://prod/apps/namespaces/shop/deployments/web"),
            "k8s://prod/core/namespaces/shop k8s://prod"
        );
        assert_eq!(of("k8s://prod/core/namespaces/shop"), "k8s://prod");
        assert_eq!(of("k8s://prod/core/nodes/a"), "k8s://prod");
        assert_eq!(of("k8s://prod"), "");
    }

    #[test]
    fn a_namespace_is_narrower_than_a_cluster_in_whatever_order() {
        let narrow = [
            "k8s://*",
            "k8s://prod",
            "k8s://prod/*",
            "k8s://prod/*/namespaces/*/pods/pay-*",
            "k8s://prod/core/namespaces/sh*",
            "k8s://prod/core/namespaces/shop",
            "k8s://prod/*/namespaces/shop/*",
            "k8s://prod/a.io/namespaces/shop/*",
            "k8s://prod/a.io/namespaces/shop/things/a",
        ];
        assert!(narrow.is_sorted_by_key(|text| narrowness(text)), "{:?}", narrow.map(narrowness));
    }

    #[track_caller]
    fn check(model: &str, request: &str, expected: bool) {
        assert_eq!(meet(&Glob::new(model), request), expected, "{model} and {request}");
    }

    #[test]
    fn patterns_meet_where_one_name_is_both() {
        let pods = "k8s://prod/core/namespaces/shop/pods/*";
        check("k8s://prod/core/namespaces/shop/pods/pay-*", pods, true);
        check("k8s://prod/core/namespaces/shop/pods/*-pay", pods, true);
        check("k8s://prod/core/namespaces/shop/pods/a?", pods, true);
        check("k8s://prod/*", pods, true);
        check("*", pods, true);
        check("k8s://prod/*/namespaces/shop/*", pods, true);
        check("k8s://prod/*/namespaces/data/*", pods, false);
        check("k8s://prod/*/namespaces/*/secrets/*", pods, false);
        check("k8s://prod/core/namespaces/shop", pods, false);
        check("k8s://prod/core/namespaces/shop/pods/a/b", pods, false);
        check("k8s://prod/core/namespaces/shop/pods/a", "k8s://prod/core/namespaces/shop/pods/a", true);
        check("k8s://prod/core/namespaces/shop/pods/a", "k8s://prod/core/namespaces/shop/pods/b", false);
    }
}
