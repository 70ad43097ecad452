//! What the two halves of an isolated run speak over until the program begins: whole messages, with open files beside
//! them.
//!
//! Leaves out what they say.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd, RawFd};

use rustix::io::{fcntl_dupfd_cloexec, retry_on_intr};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair, sockopt,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// More than any message has.
const LONGEST: usize = 64 * 1024;

/// More than any message carries: one for each address of the gate, or the standard input.
const FILES: usize = 8;

/// One end. The other sees its end when the last copy of it is closed.
#[derive(Debug)]
pub struct Link(OwnedFd);

impl Link {
    /// Two ends, neither of which is inherited.
    ///
    /// # Errors
    /// What the system says.
    pub fn pair() -> io::Result<(Self, OwnedFd)> {
        let (own, other) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        Ok((Self(own), other))
    }

    /// The end that this process was given in place of its standard input.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn of_standard_input() -> io::Result<Self> {
        let stdin = io::stdin();
        let is_link = sockopt::socket_domain(&stdin) == Ok(AddressFamily::UNIX)
            && sockopt::socket_type(&stdin) == Ok(SocketType::SEQPACKET);
        if !is_link {
            return Err(io::Error::other("this is a part of `ordain run --isolate`, which starts it itself"));
        }
        Ok(Self(fcntl_dupfd_cloexec(stdin, 3)?))
    }

    /// Its number among the open files.
    pub(super) fn number(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    /// Says something, and hands over open files with it.
    pub(super) fn say(&self, what: &impl Serialize, files: &[BorrowedFd<'_>]) -> io::Result<()> {
        let text = serde_json::to_vec(what)?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FILES))];
        let mut beside = SendAncillaryBuffer::new(&mut space);
        if !files.is_empty() && !beside.push(SendAncillaryMessage::ScmRights(files)) {
            return Err(io::Error::other("too many files for one message"));
        }
        retry_on_intr(|| sendmsg(self.0.as_fd(), &[IoSlice::new(&text)], &mut beside, SendFlags::NOSIGNAL))?;
        Ok(())
    }

    /// What the other end says next; nothing once it is gone.
    pub(super) fn hear<T: DeserializeOwned>(&self) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
        let mut text = vec![0; LONGEST];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FILES))];
        let mut beside = RecvAncillaryBuffer::new(&mut space);
        let heard = retry_on_intr(|| {
            recvmsg(self.0.as_fd(), &mut [IoSliceMut::new(&mut text)], &mut beside, RecvFlags::CMSG_CLOEXEC)
        })?;
        if heard.bytes == 0 {
            return Ok(None);
        }
        if heard.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) {
            return Err(io::Error::other("a message is too long"));
        }
        let mut files = Vec::new();
        for message in beside.drain() {
            if let RecvAncillaryMessage::ScmRights(some) = message {
                files.extend(some);
            }
        }
        text.truncate(heard.bytes);
        Ok(Some((serde_json::from_slice(&text)?, files)))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    #[test]
    fn a_message_arrives_whole_with_its_files_and_the_end_is_seen() {
        let (own, other) = Link::pair().unwrap();
        let other = Link(other);
        let (mut reads, mut writes) = std::io::pipe().unwrap();
        own.say(&"first", &[]).unwrap();
        own.say(&vec![1, 2], &[writes.as_fd()]).unwrap();
        writes.write_all(b"x").unwrap();
        drop(writes);
        drop(own);
        let (first, files) = other.hear::<String>().unwrap().unwrap();
        assert_eq!((first.as_str(), files.len()), ("first", 0));
        let (second, mut files) = other.hear::<Vec<u8>>().unwrap().unwrap();
        assert_eq!((second, files.len()), (vec![1, 2], 1));
        let mut handed = std::fs::File::from(files.remove(0));
        handed.write_all(b"y").unwrap();
        drop(handed);
        let mut text = String::new();
        reads.read_to_string(&mut text).unwrap();
        assert_eq!(text, "xy");
        assert!(other.hear::<String>().unwrap().is_none());
    }
}
