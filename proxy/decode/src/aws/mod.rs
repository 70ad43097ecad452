//! The AWS room.
//!
//! - **Claims** every request signed with SigV4 (header or query), carrying an `X-Amz-Target`, a Smithy RPC path or
//!   an action, or sent to a host of the provider.
//! - **Reads** query, EC2 query, JSON 1.0 and 1.1, REST JSON, REST XML and Smithy RPC v2 CBOR.
//! - **Catalogue**: `proxy/catalog/aws`, generated from the vendor's own models.
//! - **Denies as** each protocol's own error (`deny.rs`).
//! - **Absent on purpose**: checking signatures (`ordain-sigv4`), S3 browser POST forms, multi-region access
//!   points, websites, and what a CloudFormation stack has already.

mod answer;
mod authority;
mod batch;
mod bind;
mod bucket;
mod call;
mod claim;
mod cloud;
mod cloud_types;
mod credentials;
mod deny;
mod destination;
mod experiment;
mod fleet;
mod found;
mod gather;
mod indirect;
mod marker;
mod names;
mod objects;
mod outside;
mod partiql;
mod policy;
mod queue;
mod resource;
mod rest;
mod route;
mod secret;
mod sharpen;
mod site;
mod stored;
mod template;
mod wire;

use std::sync::Arc;

use ordain_action::{Plane, Undecodable};
use ordain_catalog::Catalog;

use claim::Claim;

use crate::Head;
use crate::about::About;
use crate::room::{Card, Claimed};
use crate::setup::{RoomsConfig, RoomsError};
use crate::tokens::Tokens;

/// What is known of the plane without the room.
pub(crate) const CARD: Card = Card { domains: &site::ENDINGS, ..Card::PLAIN };

/// The room and what it was set up with.
#[derive(Debug)]
pub(crate) struct Room {
    catalog: Catalog,
    tokens: Tokens,
    own_hosts: Vec<String>,
    hosts_seen: site::HostsSeen,
}

impl Room {
    /// Services that a signing name stands for.
    pub(super) fn signed_as<'r>(&'r self, signing_name: &'r str) -> impl Iterator<Item = &'r Arc<str>> {
        // Some hosts are signed for under names that the vendor's models do not have.
        let alias = match signing_name {
            "s3express" | "s3-outposts" | "s3-object-lambda" => "s3",
            "IngestionService" => "importexport",
            _ => "",
        };
        self.catalog
            .by_signing_name(signing_name)
            .chain(self.catalog.by_signing_name(alias))
            .map(|known| &known.name)
    }

    /// Sets the room up.
    pub(crate) fn new(config: &RoomsConfig) -> Result<Self, RoomsError> {
        Ok(Self {
            catalog: match &config.aws_overlay {
                Some(text) => {
                    Catalog::with_overlay(text).map_err(|error| RoomsError::Overlay(error.to_string()))?
                }
                None => Catalog::new(),
            },
            tokens: Tokens::new(config.token_key),
            own_hosts: config.own_hosts.clone(),
            hosts_seen: site::HostsSeen::default(),
        })
    }

    /// Services with unsigned REST operations that no unsigned request would be compared with.
    #[cfg(test)]
    pub(crate) fn unsigned_services_not_asked(&self) -> Vec<String> {
        use ordain_catalog::{Auth, Protocol};
        let heads = self.catalog.heads().iter();
        let services = heads.filter_map(|head| self.catalog.service(&head.name));
        let rest =
            services.filter(|service| service.reads(Protocol::RestJson) || service.reads(Protocol::RestXml));
        let unsigned = rest.filter(|service| {
            service.operations().iter().any(|operation| matches!(operation.auth, Auth::None | Auth::Bearer))
        });
        unsigned
            .map(|service| service.name().to_string())
            .filter(|name| !route::UNSIGNED.contains(&name.as_str()))
            .collect()
    }

    /// The labels before a name of ours: SDKs put buckets and account ids there.
    fn own_prefix<'h>(&self, host: &'h str) -> &'h str {
        let ours = self.own_hosts.iter().map(String::as_str).chain(["localhost"]);
        ours.filter_map(|own| host.strip_suffix(own)?.strip_suffix('.'))
            .max_by_key(|prefix| host.len() - prefix.len())
            .unwrap_or_default()
    }
}

impl crate::room::Room for Room {
    /// Decodes the whole catalogue.
    fn about(&self) -> About {
        let heads = self.catalog.heads();
        let operations = heads.iter().filter_map(|head| self.catalog.service(&head.name));
        About {
            plane: Plane::Aws,
            reads: "query, EC2 query, JSON 1.0 and 1.1, REST JSON, REST XML, Smithy RPC v2 CBOR",
            known: vec![
                (heads.len(), "services"),
                (operations.map(|service| service.operations().len()).sum(), "operations"),
            ],
            sources: ordain_catalog::AWS_SOURCES,
            page: include_str!("README.md"),
            absent: &[
                "S3 browser POST forms",
                "S3 multi-region access points and websites",
                "streams of signed events as requests",
                "Signature Version 4a",
                "CloudFormation templates that do not stand in the request, and what a stack has already",
            ],
        }
    }

    fn catalog_digest(&self) -> Option<&str> {
        Some(self.catalog.digest())
    }

    fn claim<'r>(&'r self, head: &Head<'_>) -> Result<Arc<dyn Claimed + 'r>, Undecodable> {
        Ok(Arc::new(Claim::make(self, head)?))
    }
}
