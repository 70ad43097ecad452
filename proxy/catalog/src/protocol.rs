//! The protocols that requests are written in.

/// A protocol that a service reads requests in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// Form body or query string with `Action` and `Version`; answers in XML.
    Query,
    /// EC2's variant of it: lists are flat, names begin with a capital.
    Ec2,
    /// JSON with `X-Amz-Target`.
    Json,
    /// REST with JSON bodies.
    RestJson,
    /// REST with XML bodies.
    RestXml,
    /// Smithy RPC v2 with CBOR bodies: `/service/{name}/operation/{name}`.
    Cbor,
}

impl Protocol {
    /// The word used in the catalogue's text; the vendor's own, without its prefix.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Ec2 => "ec2",
            Self::Json => "json",
            Self::RestJson => "rest-json",
            Self::RestXml => "rest-xml",
            Self::Cbor => "rpc-v2-cbor",
        }
    }

    /// Reads the word written by [`Protocol::as_str`]; `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "query" => Some(Self::Query),
            "ec2" => Some(Self::Ec2),
            "json" => Some(Self::Json),
            "rest-json" => Some(Self::RestJson),
            "rest-xml" => Some(Self::RestXml),
            "rpc-v2-cbor" => Some(Self::Cbor),
            _ => None,
        }
    }
}
