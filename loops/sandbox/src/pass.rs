//! Making a listener on the box's own loopback, and passing it out over an inherited socket.

use std::io::{self, IoSlice};
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::{AsFd, FromRawFd, OwnedFd, RawFd};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

/// Makes a listener, passes it out over the descriptor `number`, closes both here, and returns the port.
pub(crate) fn listener_out(number: RawFd) -> io::Result<u16> {
    let door = inherited(number)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    let fds = [listener.as_fd()];
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut rights = SendAncillaryBuffer::new(&mut space);
    if !rights.push(SendAncillaryMessage::ScmRights(&fds)) {
        return Err(io::Error::other("a descriptor does not fit into a message"));
    }
    sendmsg(&door, &[IoSlice::new(b"l")], &mut rights, SendFlags::NOSIGNAL)?;
    Ok(port)
}

/// Takes over a descriptor that was inherited by number.
#[expect(unsafe_code, reason = "an inherited descriptor is known by its number only")]
fn inherited(number: RawFd) -> io::Result<OwnedFd> {
    if number <= 2 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: whoever starts us opened this descriptor for us alone; nothing else in this process has touched it.
    let door = unsafe { OwnedFd::from_raw_fd(number) };
    // Fails if it is not open after all.
    rustix::io::fcntl_setfd(&door, rustix::io::FdFlags::CLOEXEC)?;
    Ok(door)
}
