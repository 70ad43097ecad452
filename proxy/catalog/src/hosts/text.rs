//! The text of the host table.
//!
//! Leaves out services.
//!
//! ```text
//! partition aws amazonaws.com api.aws us-east-1 us-west-2 …
//! host SERVICE VARIANT TEMPLATE SIGNING-REGION PARTITION[/REGION,REGION…]…
//! also …                                          the same, for hosts that are named and never sent to
//! ```
//! A signing region of `-` is the region itself, with `/NAME` behind it where the signing name is another one; a partition without regions means every one of its regions.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Hosts, Partition, Row, Variant};
use crate::text::{TextError, lines};

impl Hosts {
    /// Reads the whole table.
    pub(crate) fn parse(text: &str) -> Result<Self, TextError> {
        let mut hosts = Self::default();
        let mut names: HashMap<Arc<str>, Arc<str>> = HashMap::new();
        for (number, line) in lines(1, text) {
            let mut words = line.split(' ');
            match words.next().unwrap_or_default() {
                "partition" => hosts.partition(number, words)?,
                "host" => hosts.row(number, false, words, &mut names)?,
                "also" => hosts.row(number, true, words, &mut names)?,
                word => {
                    return Err(TextError::new(
                        number,
                        format!(
                            "`{word}` is not a word of the host table; write `partition`, `host` or `also`"
                        ),
                    ));
                }
            }
        }
        Ok(hosts)
    }

    fn partition<'a>(
        &mut self,
        number: usize,
        mut words: impl Iterator<Item = &'a str>,
    ) -> Result<(), TextError> {
        let (Some(name), Some(suffix), Some(dualstack)) = (words.next(), words.next(), words.next()) else {
            return Err(TextError::new(
                number,
                "a partition says too little; write `partition NAME SUFFIX DUALSTACK-SUFFIX REGION…`",
            ));
        };
        let at = match self.partitions.iter().position(|partition| &*partition.name == name) {
            Some(at) => at,
            None => {
                self.partitions.push(Partition {
                    name: name.into(),
                    suffix: suffix.into(),
                    dualstack_suffix: dualstack.into(),
                    regions: std::collections::BTreeSet::new(),
                });
                self.partitions.len().saturating_sub(1)
            }
        };
        for region in words {
            let region: Arc<str> = region.into();
            self.region_partition.insert(region.clone(), at);
            if let Some(partition) = self.partitions.get_mut(at) {
                partition.regions.insert(region);
            }
        }
        Ok(())
    }

    fn row<'a>(
        &mut self,
        number: usize,
        also: bool,
        mut words: impl Iterator<Item = &'a str>,
        names: &mut HashMap<Arc<str>, Arc<str>>,
    ) -> Result<(), TextError> {
        let (Some(service), Some(variant), Some(template), Some(signing)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(TextError::new(
                number,
                "a host says too little; write `host SERVICE VARIANT TEMPLATE SIGNING-REGION PARTITION…`",
            ));
        };
        let variant = Variant::parse(variant).ok_or_else(|| {
            TextError::new(
                number,
                format!(
                    "`{variant}` is not a variant; write `plain`, `fips`, `dualstack` or `fips-dualstack`"
                ),
            )
        })?;
        let mut places = BTreeMap::new();
        for word in words {
            let (name, regions) =
                word.split_once('/').map_or((word, None), |(name, regions)| (name, Some(regions)));
            let at =
                self.partitions.iter().position(|partition| &*partition.name == name).ok_or_else(|| {
                    TextError::new(
                        number,
                        format!("`{name}` is not a partition; write a `partition` line before it"),
                    )
                })?;
            let regions =
                regions.map(|regions| regions.split(',').map(|region| shared(names, region)).collect());
            places.insert(at, regions);
        }
        // Hosts of some operations only are the service's too: `kinesis/OperationType=data`.
        let owner = shared(names, service);
        let service = shared(names, service.split('/').next().unwrap_or_default());
        let row = self.rows.len();
        self.by_pattern.entry(template.into()).or_default().push(row);
        self.by_service.entry(owner).or_default().push(row);
        let (signing, name) =
            signing.split_once('/').map_or((signing, None), |(region, name)| (region, Some(name)));
        let signing_name = name.map(|name| shared(names, name));
        let signing_region = (signing != "-").then(|| shared(names, signing));
        self.rows.push(Row {
            service,
            variant,
            template: template.into(),
            signing_region,
            signing_name,
            places,
            also,
        });
        Ok(())
    }
}

fn shared(names: &mut HashMap<Arc<str>, Arc<str>>, name: &str) -> Arc<str> {
    names.entry(name.into()).or_insert_with_key(Clone::clone).clone()
}
