//! What clients make of the certificates: rustls with webpki, and OpenSSL. From outside, by the public API.
//!
//! Leaves out sockets: handshakes run in memory.

#[cfg(test)]
mod handshake;

#[cfg(test)]
mod names;

#[cfg(test)]
mod openssl;

#[cfg(test)]
mod support;
