//! Keys of the user, from a thread that notices when the terminal is gone.

use std::io;
use std::time::Duration;

use crossterm::event::{Event, KeyEvent};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use tokio::sync::mpsc;

/// What comes from the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key.
    Key(KeyEvent),
    /// The terminal has closed: nothing more will come.
    Gone,
}

/// Reads the terminal in a thread of its own, which ends with the process.
///
/// crossterm never returns from a terminal that has closed, but spins; so the file descriptor is
/// watched here, and crossterm is asked only when there is something to read.
///
/// # Errors
/// Where the system starts no more threads.
pub fn watch() -> io::Result<mpsc::UnboundedReceiver<Input>> {
    let (send, receive) = mpsc::unbounded_channel();
    std::thread::Builder::new()
        .name("keys".to_owned())
        .spawn(move || {
            while read_some(&send) {}
            let _ = send.send(Input::Gone);
        })?;
    Ok(receive)
}

/// Hands on what is there; false when the terminal or the receiver is gone.
fn read_some(send: &mpsc::UnboundedSender<Input>) -> bool {
    let stdin = io::stdin();
    let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
    match poll(&mut fds, None) {
        Ok(_) => {}
        Err(Errno::INTR) => return true,
        Err(_) => return false,
    }
    let seen = fds[0].revents();
    if seen.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
        return false;
    }
    while matches!(crossterm::event::poll(Duration::ZERO), Ok(true)) {
        match crossterm::event::read() {
            Ok(Event::Key(key)) => {
                if send.send(Input::Key(key)).is_err() {
                    return false;
                }
            }
            Ok(_) => {}
            Err(_) => return false,
        }
    }
    true
}
