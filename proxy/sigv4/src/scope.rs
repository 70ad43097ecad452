//! The credential scope: key id, day, region and service.
//!
//! Leaves out which regions and services there are; only what no label can hold is refused here.

use std::ops::Range;

use crate::Refusal;

/// A credential with its scope, as in `AKID/20150830/us-east-1/iam/aws4_request`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    text: String,
    parts: [Range<usize>; 4],
}

impl Scope {
    /// Reads the text of a `Credential`.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] for anything but five parts, each of characters that its kind can hold.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let mut ranges = [const { 0..0 }; 5];
        let mut start: usize = 0;
        let mut parts = text.split('/');
        for range in &mut ranges {
            let part = parts.next().ok_or_else(|| bad("does not have five parts"))?;
            *range = start..start + part.len();
            start += part.len() + 1;
        }
        if parts.next().is_some() {
            return Err(bad("does not have five parts"));
        }
        let [key, day, region, service, end] = ranges;
        let part = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default();
        if part(&end) != "aws4_request" {
            return Err(bad("does not end in `aws4_request`"));
        }
        if !label(part(&key), 128, |byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(bad("does not begin with an access key id"));
        }
        if part(&day).len() != 8 || !part(&day).bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(bad("does not name a day"));
        }
        // A label that could end a host name would let the signer choose the upstream.
        if !label(part(&region), 64, |byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
        }) {
            return Err(bad("does not name a region"));
        }
        if !label(part(&service), 64, |byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
            return Err(bad("does not name a service"));
        }
        Ok(Self { text: text.to_owned(), parts: [key, day, region, service] })
    }

    /// The access key id.
    #[must_use]
    pub fn key_id(&self) -> &str {
        let [key, ..] = &self.parts;
        self.part(key)
    }

    /// The day, as eight digits.
    #[must_use]
    pub fn day(&self) -> &str {
        let [_, day, ..] = &self.parts;
        self.part(day)
    }

    /// The region.
    #[must_use]
    pub fn region(&self) -> &str {
        let [_, _, region, _] = &self.parts;
        self.part(region)
    }

    /// The service's signing name.
    #[must_use]
    pub fn service(&self) -> &str {
        let [.., service] = &self.parts;
        self.part(service)
    }

    /// Everything, key id included: what a derived key is cached under.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Everything but the key id: what a string to sign holds.
    pub(crate) fn without_key(&self) -> &str {
        self.text.get(self.key_id().len() + 1..).unwrap_or_default()
    }

    fn part(&self, range: &Range<usize>) -> &str {
        // INVARIANT: the ranges were cut at the slashes of this text.
        self.text.get(range.clone()).unwrap_or_default()
    }
}

fn label(text: &str, longest: usize, accepted: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.len() <= longest && text.bytes().all(accepted)
}

fn bad(what: &str) -> Refusal {
    Refusal::malformed(format!("the credential {what}; write `KEY/DAY/REGION/SERVICE/aws4_request`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_read_in_its_parts() {
        let scope = Scope::parse("AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request").unwrap();
        assert_eq!(
            (scope.key_id(), scope.day(), scope.region(), scope.service(), scope.without_key()),
            ("AKIDEXAMPLE", "20150830", "us-east-1", "iam", "20150830/us-east-1/iam/aws4_request")
        );
    }

    #[test]
    fn labels_that_could_build_a_host_are_refused() {
        for text in [
            "",
            "AKID/20150830/us-east-1/iam",
            "AKID/20150830/us-east-1/iam/aws4_request/",
            "AKID/20150830/us-east-1.evil.example/iam/aws4_request",
            "AKID/20150830/us-east-1/iam.evil/aws4_request",
            "AKID/20150830/us-east-1/iam@evil/aws4_request",
            "AKID/20150830/US-EAST-1/iam/aws4_request",
            "AKID/20150830//iam/aws4_request",
            "AKID/2015083/us-east-1/iam/aws4_request",
            "/20150830/us-east-1/iam/aws4_request",
            "AKID/20150830/us-east-1/iam/aws4_requesT",
            "AK%49D/20150830/us-east-1/iam/aws4_request",
        ] {
            assert!(Scope::parse(text).is_err(), "{text}");
        }
    }
}
