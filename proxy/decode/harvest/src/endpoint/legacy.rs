//! Hosts that clients use and the rules no longer give: the older endpoint file, and forms known from documents.
//!
//! Leaves out sending to them: they are read, never written.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::functions::Partitions;
use super::{Grid, Host};

/// Hosts by endpoint prefix, from `endpoints.json`.
#[derive(Debug, Default)]
pub(crate) struct Legacy {
    by_prefix: BTreeMap<String, Vec<(&'static str, String, String, String)>>,
}

/// Forms in no file of the package, from the vendor's documents and older clients. S3's are without a bucket.
pub(super) const WRITTEN: &[&str] = &[
    "also s3 plain s3.amazonaws.com us-east-1 aws/us-east-1",
    "also s3 plain s3-{region}.amazonaws.com - aws aws-us-gov",
    "also s3 plain s3-external-1.amazonaws.com us-east-1 aws/us-east-1",
    "also s3 plain s3-accelerate.amazonaws.com us-east-1 aws/us-east-1",
    "also s3 plain s3-accelerate.dualstack.amazonaws.com us-east-1 aws/us-east-1",
    "also s3 dualstack s3.dualstack.{region}.amazonaws.com - aws aws-us-gov",
    "also s3 plain s3-accesspoint.{region}.amazonaws.com - aws aws-us-gov",
    "also s3 fips s3-accesspoint-fips.{region}.amazonaws.com - aws aws-us-gov",
    "also s3 dualstack s3-accesspoint.dualstack.{region}.amazonaws.com - aws aws-us-gov",
    "also s3 fips-dualstack s3-accesspoint-fips.dualstack.{region}.amazonaws.com - aws aws-us-gov",
    "also s3 plain s3-accesspoint.{region}.amazonaws.com.cn - aws-cn",
    "also s3 plain s3-outposts.{region}.amazonaws.com -/s3-outposts aws aws-us-gov",
    "also s3 plain s3express-control.{region}.amazonaws.com -/s3express aws",
    "also s3control plain s3-outposts.{region}.amazonaws.com -/s3-outposts aws aws-us-gov",
    "also sqs plain queue.amazonaws.com us-east-1 aws/us-east-1",
    "also sqs plain {region}.queue.amazonaws.com - aws aws-us-gov",
    "also sqs plain sqs.amazonaws.com us-east-1 aws/us-east-1",
    "also sqs plain {region}.queue.amazonaws.com.cn - aws-cn",
    "also sdb plain sdb.amazonaws.com us-east-1 aws/us-east-1",
    "also ec2 plain ec2.amazonaws.com us-east-1 aws/us-east-1",
    "also rds plain rds.amazonaws.com us-east-1 aws/us-east-1",
    "also docdb plain rds.amazonaws.com us-east-1 aws/us-east-1",
    "also neptune plain rds.amazonaws.com us-east-1 aws/us-east-1",
    "also sns plain sns.amazonaws.com us-east-1 aws/us-east-1",
    "also emr plain {region}.elasticmapreduce.amazonaws.com - aws aws-us-gov",
    "also emr plain elasticmapreduce.amazonaws.com us-east-1 aws/us-east-1",
    "also elb plain elasticloadbalancing.amazonaws.com us-east-1 aws/us-east-1",
    "also elbv2 plain elasticloadbalancing.amazonaws.com us-east-1 aws/us-east-1",
    "also autoscaling plain autoscaling.amazonaws.com us-east-1 aws/us-east-1",
    "also cloudformation plain cloudformation.amazonaws.com us-east-1 aws/us-east-1",
    "also cloudwatch plain monitoring.amazonaws.com us-east-1 aws/us-east-1",
    "also dynamodb plain dynamodb.amazonaws.com us-east-1 aws/us-east-1",
];

impl Legacy {
    /// Reads `endpoints.json`.
    pub(super) fn read(endpoints: &Value) -> Result<Self> {
        let mut legacy = Self::default();
        for partition in endpoints.get("partitions").and_then(Value::as_array).context("no partitions")? {
            let name = partition.get("partition").and_then(Value::as_str).context("no name")?;
            let suffix = partition.get("dnsSuffix").and_then(Value::as_str).context("no suffix")?;
            let services = partition.get("services").and_then(Value::as_object).context("no services")?;
            for (prefix, service) in services {
                legacy.service(name, suffix, prefix, service);
            }
        }
        Ok(legacy)
    }

    fn service(&mut self, partition: &str, suffix: &str, prefix: &str, service: &Value) {
        let defaults = service.get("defaults").cloned().unwrap_or_default();
        for (name, endpoint) in service.get("endpoints").and_then(Value::as_object).into_iter().flatten() {
            // `fips-us-east-1` is no region: the credential scope names the one that is meant.
            let region = endpoint.pointer("/credentialScope/region").and_then(Value::as_str).unwrap_or(name);
            let fill = |text: &str| {
                text.replace("{region}", region).replace("{service}", prefix).replace("{dnsSuffix}", suffix)
            };
            let mut note = |variant: &'static str, host: Option<&Value>| {
                if let Some(host) = host.and_then(Value::as_str) {
                    let entry = (variant, partition.to_owned(), region.to_owned(), fill(host));
                    self.by_prefix.entry(prefix.to_owned()).or_default().push(entry);
                }
            };
            let plain = if name.contains("fips") { "fips" } else { "plain" };
            note(plain, endpoint.get("hostname"));
            note("plain", endpoint.get("sslCommonName").or_else(|| defaults.get("sslCommonName")));
            for listed in endpoint.get("variants").and_then(Value::as_array).into_iter().flatten() {
                let tags: Vec<&str> = listed
                    .get("tags")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .collect();
                let variant = match (tags.contains(&"fips"), tags.contains(&"dualstack")) {
                    (true, true) => "fips-dualstack",
                    (true, false) => "fips",
                    (false, true) => "dualstack",
                    (false, false) => "plain",
                };
                note(variant, listed.get("hostname"));
            }
        }
    }

    /// The hosts of a service, in the regions of the closed set.
    pub(super) fn hosts(&self, prefix: &str, partitions: &Partitions) -> Grid {
        let mut grid = Grid::new();
        for (variant, partition, region, host) in self.by_prefix.get(prefix).into_iter().flatten() {
            let known =
                partitions.all.iter().any(|known| known.name == *partition && known.regions.contains(region));
            if known && !host.starts_with("localhost") {
                let host = Host { host: host.clone(), region: region.clone(), name: None };
                grid.insert((variant, partition.clone(), region.clone()), host);
            }
        }
        grid
    }
}
