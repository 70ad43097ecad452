//! What is asked of the catalogue before any block is decoded: which services a name on the wire may mean.
//!
//! Leaves out operations.

use std::collections::HashMap;
use std::sync::Arc;

use crate::protocol::Protocol;
use crate::service::Head;

/// Every service's head, and where each of its names leads.
#[derive(Debug, Default)]
pub(crate) struct Index {
    heads: Vec<Head>,
    by_name: HashMap<Arc<str>, usize>,
    by_signing_name: Names,
    by_endpoint_prefix: Names,
    by_target_prefix: Names,
    by_rpc_name: Names,
    by_version: Names,
}

type Names = HashMap<Box<str>, Vec<usize>>;

impl Index {
    pub(crate) fn new(heads: Vec<Head>) -> Self {
        let mut index = Self::default();
        for (at, head) in heads.iter().enumerate() {
            index.by_name.insert(head.name.clone(), at);
            note(&mut index.by_signing_name, &head.signing_name, at);
            note(&mut index.by_endpoint_prefix, &head.endpoint_prefix, at);
            note(&mut index.by_target_prefix, &head.target_prefix, at);
            // Clients made from Smithy models name the service's shape, which has no dots: it is what stands last.
            if let Some((_, shape)) = head.target_prefix.rsplit_once('.') {
                note(&mut index.by_target_prefix, shape, at);
            }
            note(&mut index.by_rpc_name, &head.rpc_name, at);
            if head.protocols.contains(&Protocol::Query) || head.protocols.contains(&Protocol::Ec2) {
                note(&mut index.by_version, &head.version, at);
            }
        }
        index.heads = heads;
        index
    }

    pub(crate) fn heads(&self) -> &[Head] {
        &self.heads
    }

    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn by_signing_name(&self, name: &str) -> impl Iterator<Item = &Head> {
        self.found(&self.by_signing_name, name)
    }

    pub(crate) fn by_endpoint_prefix(&self, prefix: &str) -> impl Iterator<Item = &Head> {
        self.found(&self.by_endpoint_prefix, prefix)
    }

    pub(crate) fn by_target_prefix(&self, prefix: &str) -> impl Iterator<Item = &Head> {
        self.found(&self.by_target_prefix, prefix)
    }

    pub(crate) fn by_rpc_name(&self, name: &str) -> impl Iterator<Item = &Head> {
        self.found(&self.by_rpc_name, name)
    }

    pub(crate) fn by_version(&self, version: &str) -> impl Iterator<Item = &Head> {
        self.found(&self.by_version, version)
    }

    fn found<'a>(&'a self, names: &'a Names, name: &str) -> impl Iterator<Item = &'a Head> {
        names.get(name).into_iter().flatten().filter_map(|at| self.heads.get(*at))
    }
}

fn note(names: &mut Names, name: &str, at: usize) {
    if !name.is_empty() {
        names.entry(name.into()).or_default().push(at);
    }
}
