//! What an account has, asked of its Resource Explorer with the gate's own key pair.
//!
//! Leaves out what is asked (`upstream::Ask`), and roles for actors: nobody asks here but the gate.

use http::{HeaderMap, StatusCode, Uri};
use jiff::Timestamp;
use ordain_catalog::{Catalog, Variant};
use ordain_sigv4::{KeyCache, Outgoing, Payload};
use sha2::{Digest as _, Sha256};

use super::Entry;
use crate::forward::{Outward, Trust};
use crate::upstream::{Ask, at};

const SERVICE: &str = "resource-explorer-2";

impl Entry {
    /// Asks for what there is; nothing changes by it.
    pub(in crate::upstream) async fn inquire(
        &self,
        ask: &Ask,
        outward: &Outward,
        now: Timestamp,
    ) -> Result<(StatusCode, bytes::Bytes), String> {
        let Ask::ResourceExplorer { region, .. } = ask else {
            return Err("an account of AWS is asked through its Resource Explorer".to_owned());
        };
        let verified = self.verify(now).await.map_err(|error| error.to_string())?;
        let pair = self.base_pair(verified, now).await.map_err(|error| error.to_string())?;
        let known = Catalog::new().hosts().upstream(SERVICE, region, Variant::Plain);
        let destination = known.ok_or_else(|| format!("`{region}` is no region of AWS; give one"))?;
        let base = match &self.source.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => {
                format!("https://{}", destination.host).parse::<Uri>().map_err(|error| error.to_string())?
            }
        };
        let uri = at(&base, ask.path())?;
        let body = ask.body().unwrap_or_default();
        let mut headers: HeaderMap = ask.headers().into_iter().collect();
        let signing = Outgoing {
            method: "POST",
            target: uri.path(),
            host: uri.authority().map_or("", |authority| authority.as_str()),
            region: &destination.signing_region,
            service: destination.signing_name.as_deref().unwrap_or(SERVICE),
            now,
            payload: Payload::Sha256(Sha256::digest(&body).into()),
            declare: true,
        };
        drop(
            ordain_sigv4::sign(&KeyCache::new(), &pair, &signing, &mut headers)
                .map_err(|error| error.to_string())?,
        );
        // It is said again for the connection.
        headers.remove(http::header::HOST);
        let through = outward.forwarder(Trust::default())?;
        let named = headers.into_iter().filter_map(|(name, value)| name.map(|name| (name, value)));
        through.inquire(uri, named, Some(body)).await
    }
}
