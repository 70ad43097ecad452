//! Compressed bodies, opened under a cap on size and on ratio.
//!
//! Leaves out every other encoding: `deflate` has two meanings in the wild and the rest no control plane needs.

use std::io::Read;

use flate2::bufread::GzDecoder;
use ordain_action::Undecodable;

/// How many times larger than the wire a body may become. Real metrics reach about fifty.
const RATIO_MAX: u64 = 200;

/// Opens one gzip member that makes up the whole body.
///
/// # Errors
/// Damage, a second member or bytes after the first, or a result over `cap` or the ratio.
pub fn open(body: &[u8], cap: u64) -> Result<Vec<u8>, Undecodable> {
    let ratio = u64::try_from(body.len()).unwrap_or(u64::MAX).saturating_mul(RATIO_MAX);
    let limit = cap.min(ratio);
    let mut opened = Vec::new();
    let mut decoder = GzDecoder::new(body);
    (&mut decoder).take(limit.saturating_add(1)).read_to_end(&mut opened).map_err(|_| damaged())?;
    if u64::try_from(opened.len()).unwrap_or(u64::MAX) > limit {
        return Err(Undecodable::new(
            "gzip_too_large",
            "the compressed body opens to more than is held; send it uncompressed or in parts",
        ));
    }
    // Servers disagree on what follows the first member: some append it, some drop it.
    if !decoder.into_inner().is_empty() {
        return Err(damaged());
    }
    Ok(opened)
}

fn damaged() -> Undecodable {
    Undecodable::new("bad_gzip", "the body is not one whole gzip member; send it uncompressed or complete")
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_whole_member_opens() {
        assert_eq!(open(&gzip(b"Action=PutMetricData"), 1024).unwrap(), b"Action=PutMetricData");
    }

    #[test]
    fn bombs_tails_and_damage_are_refused() {
        let bomb = gzip(&vec![0; 8 << 20]);
        assert_eq!(open(&bomb, 16 << 20).unwrap_err().reason_code, "gzip_too_large");
        assert_eq!(open(&gzip(&[7; 4096]), 1000).unwrap_err().reason_code, "gzip_too_large");
        let mut two = gzip(b"a=1");
        two.extend(gzip(b"&b=2"));
        assert_eq!(open(&two, 1024).unwrap_err().reason_code, "bad_gzip");
        let mut short = gzip(b"Action=DescribeInstances");
        short.truncate(short.len() - 3);
        assert_eq!(open(&short, 1024).unwrap_err().reason_code, "bad_gzip");
        assert_eq!(open(b"Action=A", 1024).unwrap_err().reason_code, "bad_gzip");
    }
}
