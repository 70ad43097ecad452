//! The loopback interface of a new network namespace: brought up, and given addresses, by netlink (`rtnetlink(7)`).
//!
//! Leaves out every other interface: there is none.

use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with};

/// The number of the loopback interface, which is the first of every namespace.
const LOOPBACK: u32 = 1;

const NEW_LINK: u16 = 16;
const NEW_ADDRESS: u16 = 20;
const ERROR: u16 = 2;

const REQUEST_WITH_ANSWER: u16 = 0x1 | 0x4;
const CREATE: u16 = 0x400 | 0x200;

const UP: u32 = 0x1;
/// An address that is used at once, and not first asked for on the network.
const NO_DETECTION: u8 = 0x2;

const LOCAL_OF_ADDRESS: [u16; 2] = [1, 2];

/// The kernel, asked about network interfaces.
#[derive(Debug)]
pub(super) struct Kernel(OwnedFd);

impl Kernel {
    /// Asks about those of the namespace that this process is in.
    pub(super) fn new() -> io::Result<Self> {
        // The protocol for interfaces is the one that has no number.
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
        Ok(Self(socket))
    }

    /// Brings loopback up, with the addresses that it has of itself.
    pub(super) fn up(&self) -> io::Result<()> {
        self.ask(&message(NEW_LINK, REQUEST_WITH_ANSWER, &link_up()))
    }

    /// Has loopback hold another address, and no network around it.
    pub(super) fn hold(&self, address: IpAddr) -> io::Result<()> {
        self.ask(&message(NEW_ADDRESS, REQUEST_WITH_ANSWER | CREATE, &held(address)))
    }

    fn ask(&self, message: &[u8]) -> io::Result<()> {
        sendto(&self.0, message, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
        let mut answer = [0; 4096];
        let (_, length) = recv(&self.0, &mut answer, RecvFlags::empty())?;
        told(answer.get(..length).unwrap_or_default())
    }
}

/// A message: its length, kind and flags, a number and a sender that we need not tell apart, and what it says.
fn message(kind: u16, flags: u16, says: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + says.len()).unwrap_or(u32::MAX);
    let mut whole = length.to_ne_bytes().to_vec();
    whole.extend(kind.to_ne_bytes());
    whole.extend(flags.to_ne_bytes());
    whole.extend([0; 8]);
    whole.extend(says);
    whole
}

/// The interface's family and kind are not said, its number is, then its flags and which of them count.
fn link_up() -> Vec<u8> {
    let mut says = vec![0; 4];
    for word in [LOOPBACK, UP, UP] {
        says.extend(word.to_ne_bytes());
    }
    says
}

fn held(address: IpAddr) -> Vec<u8> {
    let (family, octets): (u16, Vec<u8>) = match address {
        IpAddr::V4(four) => (AddressFamily::INET.as_raw(), four.octets().into()),
        IpAddr::V6(six) => (AddressFamily::INET6.as_raw(), six.octets().into()),
    };
    let bits = u8::try_from(octets.len() * 8).unwrap_or(u8::MAX);
    let mut says = vec![u8::try_from(family).unwrap_or(u8::MAX), bits, NO_DETECTION, 0];
    says.extend(LOOPBACK.to_ne_bytes());
    let length = u16::try_from(4 + octets.len()).unwrap_or(u16::MAX);
    for kind in LOCAL_OF_ADDRESS {
        says.extend(length.to_ne_bytes());
        says.extend(kind.to_ne_bytes());
        says.extend(&octets);
    }
    says
}

/// What the kernel answered: nothing but a code, which is 0 where all went well.
fn told(answer: &[u8]) -> io::Result<()> {
    let kind = answer.get(4..6).and_then(|bytes| bytes.try_into().ok()).map(u16::from_ne_bytes);
    let code = answer.get(16..20).and_then(|bytes| bytes.try_into().ok()).map(i32::from_ne_bytes);
    match (kind, code) {
        (Some(ERROR), Some(0)) => Ok(()),
        (Some(ERROR), Some(code)) => Err(Errno::from_raw_os_error(code.wrapping_neg()).into()),
        (_, _) => Err(io::Error::other("the kernel's answer cannot be read")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(kind: u16, code: i32) -> Vec<u8> {
        let mut says = code.to_ne_bytes().to_vec();
        says.extend([0; 16]);
        message(kind, 0, &says)
    }

    #[test]
    fn an_answer_is_its_code_and_nothing_is_taken_for_one() {
        assert!(told(&answer(ERROR, 0)).is_ok());
        assert_eq!(told(&answer(ERROR, -1)).unwrap_err().raw_os_error(), Some(1));
        assert!(told(&answer(NEW_LINK, 0)).is_err());
        assert!(told(&[]).is_err());
    }

    /// Lengths as the kernel aligns them: a header of 16, a body of 8, attributes of 4 and the address.
    #[test]
    fn an_address_is_said_alone_whatever_its_family() {
        for (address, bits, length) in [("10.0.0.5", 32, 8 + 2 * 8), ("fd00::5", 128, 8 + 2 * 20)] {
            let says = held(address.parse().unwrap());
            assert_eq!((says[1], says.len()), (bits, length), "{address}");
            assert_eq!(
                message(NEW_ADDRESS, 5, &says)[..4],
                u32::try_from(16 + length).unwrap().to_ne_bytes()
            );
        }
    }
}
