//! The grammar of request targets and of `host`.
//!
//! Leaves out which host a provider has (the rooms) and what a path means: paths are kept byte for byte.

use std::net::Ipv6Addr;

use super::{Bytes, Refusal, all_in, set};

/// The longest name that DNS has.
const HOST_MAX: usize = 255;

/// Reads a target and gives its authority, when it is in absolute form.
pub(super) fn read(target: &[u8]) -> Result<Option<&[u8]>, Refusal> {
    if target.contains(&b'#') {
        return Err(Refusal::Fragment);
    }
    if !all_in(&TARGET, target) {
        return Err(Refusal::Target);
    }
    let (authority, path) = split(target)?;
    if path.first() != Some(&b'/') {
        return Err(Refusal::Target);
    }
    check_percent(path)?;
    Ok(authority)
}

fn split(target: &[u8]) -> Result<(Option<&[u8]>, &[u8]), Refusal> {
    if target.first() == Some(&b'/') {
        return Ok((None, target));
    }
    let rest = target
        .strip_prefix(b"http://")
        .or_else(|| target.strip_prefix(b"https://"))
        .ok_or(Refusal::Target)?;
    let end = rest.iter().position(|byte| *byte == b'/').ok_or(Refusal::Target)?;
    let (authority, path) = rest.split_at_checked(end).ok_or(Refusal::Target)?;
    if !is_host(authority) {
        return Err(Refusal::Target);
    }
    Ok((Some(authority), path))
}

/// What RFC 3986 allows, and the characters `[]{}|` that clients are known to send as they are.
const TARGET: Bytes = set(b"-._~!$&'()*+,;=:@/?%[]{}|", false);

fn check_percent(path: &[u8]) -> Result<(), Refusal> {
    let mut bytes = path.iter();
    while let Some(byte) = bytes.next() {
        if *byte == b'%' {
            let digits = [bytes.next(), bytes.next()];
            if !digits.into_iter().all(|digit| digit.is_some_and(u8::is_ascii_hexdigit)) {
                return Err(Refusal::PercentEncoding);
            }
        }
    }
    Ok(())
}

/// Whether some text is `host[:port]`: a name of non-empty labels, or an address, and nothing else.
#[must_use]
pub fn is_host(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    if text.len() > HOST_MAX {
        return false;
    }
    if let Some(rest) = text.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else { return false };
        return address.parse::<Ipv6Addr>().is_ok()
            && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
    }
    match text.split_once(':') {
        Some((name, port)) => is_name(name) && is_port(port),
        None => is_name(text),
    }
}

/// The name or address of `host[:port]`, without the port.
#[must_use]
pub fn host_name(host: &str) -> &str {
    if host.starts_with('[') {
        return host.split_once(']').map_or(host, |(address, _)| address.trim_start_matches('['));
    }
    host.split_once(':').map_or(host, |(name, _)| name)
}

fn is_name(name: &str) -> bool {
    name.split('.').all(|label| {
        // The underscore is no letter of a host name, but old bucket names have it.
        let word = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        word && !label.is_empty() && label.len() <= 63
    })
}

fn is_port(port: &str) -> bool {
    port.len() <= 5
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && port.parse::<u16>().is_ok_and(|number| number > 0)
}
