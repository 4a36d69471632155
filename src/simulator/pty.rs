//! A pseudo-terminal on which a device can be served.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl, fstat, major, minor, open};
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// The device's end of a pseudo-terminal. The other end is a path that a client opens like a serial port.
#[derive(Debug)]
pub struct Pty {
    master: OwnedFd,
    /// Kept open so that the line stays up, and raw, between clients.
    slave: Option<OwnedFd>,
    path: PathBuf,
    device_number: (u32, u32),
    link: Option<PathBuf>,
}

/// Why there is no pseudo-terminal.
#[derive(Debug, thiserror::Error)]
pub enum PtyError {
    /// The system gave none.
    #[error(
        "no pseudo-terminal could be opened ({step}: {source}): look whether /dev/pts is mounted and not full"
    )]
    Open {
        /// What failed.
        step: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// The link's name is taken.
    #[error(
        "{path} is in use: it is not a link that a simulator left behind; choose another --link or remove it"
    )]
    LinkTaken {
        /// The link's path.
        path: PathBuf,
    },
    /// The link cannot be made.
    #[error("the link {path} to {target} cannot be made: {source}")]
    Link {
        /// The link's path.
        path: PathBuf,
        /// Where it should lead.
        target: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

fn at(step: &'static str) -> impl Fn(Errno) -> PtyError {
    move |errno| PtyError::Open {
        step,
        source: errno.into(),
    }
}

fn raw_slave(path: &Path) -> Result<OwnedFd, PtyError> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let slave = open(path, flags, Mode::empty()).map_err(at("open"))?;
    let mut settings = tcgetattr(&slave).map_err(at("tcgetattr"))?;
    settings.make_raw();
    tcsetattr(&slave, OptionalActions::Now, &settings).map_err(at("tcsetattr"))?;
    Ok(slave)
}

impl Pty {
    /// Opens a pseudo-terminal in raw mode.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn open() -> Result<Self, PtyError> {
        let master =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).map_err(at("openpt"))?;
        grantpt(&master).map_err(at("grantpt"))?;
        unlockpt(&master).map_err(at("unlockpt"))?;
        let name = ptsname(&master, Vec::new()).map_err(at("ptsname"))?;
        let path = PathBuf::from(OsStr::from_bytes(name.to_bytes()));
        // Raw before anyone knows the path: a fresh line echoes what the device sends back to it.
        let slave = raw_slave(&path)?;
        let device = fstat(&slave).map_err(at("fstat"))?.st_rdev;
        let status = fcntl_getfl(&master).map_err(at("fcntl"))?;
        fcntl_setfl(&master, status | OFlags::NONBLOCK).map_err(at("fcntl"))?;
        Ok(Self {
            master,
            slave: Some(slave),
            path,
            device_number: (major(device), minor(device)),
            link: None,
        })
    }

    /// Makes a symbolic link to the path. It replaces a link that leads nowhere or here, and nothing else;
    /// it is removed with the pseudo-terminal.
    ///
    /// # Errors
    /// When the name is taken or the link cannot be made.
    pub fn link(&mut self, link: &Path) -> Result<(), PtyError> {
        if let Ok(metadata) = link.symlink_metadata() {
            let stale = metadata.is_symlink() && (!link.exists() || self.is_led_to_by(link));
            if !stale {
                return Err(PtyError::LinkTaken {
                    path: link.to_owned(),
                });
            }
            // Whoever removed it in the meantime did what is wanted.
            let _ = std::fs::remove_file(link);
        }
        symlink(&self.path, link).map_err(|source| PtyError::Link {
            path: link.to_owned(),
            target: self.path.clone(),
            source,
        })?;
        self.link = Some(link.to_owned());
        Ok(())
    }

    /// Lets go of the clients' end, so that a client can be seen to come. Nothing may be sent meanwhile.
    pub fn let_go(&mut self) {
        self.slave = None;
    }

    /// Takes hold of the clients' end again where a client has opened it since [`Pty::let_go`]; whether one has.
    ///
    /// # Errors
    /// When the system does not give it.
    pub fn hold_with_client(&mut self) -> Result<bool, PtyError> {
        if self.slave.is_none() {
            let mut polled = [PollFd::new(&self.master, PollFlags::IN)];
            let at_once = Timespec::default();
            poll(&mut polled, Some(&at_once)).map_err(at("poll"))?;
            if polled[0].revents().contains(PollFlags::HUP) {
                return Ok(false);
            }
            self.slave = Some(raw_slave(&self.path)?);
        }
        Ok(true)
    }

    /// The path that clients open.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The link to it, where one was made.
    #[must_use]
    pub fn link_path(&self) -> Option<&Path> {
        self.link.as_deref()
    }

    /// Major and minor device number of the path.
    #[must_use]
    pub fn device_number(&self) -> (u32, u32) {
        self.device_number
    }

    /// The line rate in baud that the client has set, as it is read at the device's end.
    #[must_use]
    pub fn baud_rate(&self) -> Option<u32> {
        tcgetattr(&self.master)
            .ok()
            .map(|settings| settings.output_speed())
    }

    fn is_led_to_by(&self, link: &Path) -> bool {
        std::fs::read_link(link).is_ok_and(|target| target == self.path)
    }
}

impl AsFd for Pty {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.master.as_fd()
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        if let Some(link) = &self.link
            && self.is_led_to_by(link)
        {
            let _ = std::fs::remove_file(link);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::{Read, Write};
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

    use super::*;

    fn client(path: &Path) -> std::fs::File {
        let flags = (OFlags::NOCTTY | OFlags::CLOEXEC).bits() as i32;
        OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(flags)
            .open(path)
            .unwrap()
    }

    #[test]
    fn bytes_pass_unchanged_and_nothing_is_echoed_even_before_a_client_opens() {
        let pty = Pty::open().unwrap();
        rustix::io::write(&pty, b"\x03early\r\n").unwrap();
        let mut port = client(pty.path());
        let mut read = [0; 8];
        port.read_exact(&mut read).unwrap();
        assert_eq!(&read, b"\x03early\r\n");
        port.write_all(b"t\n").unwrap();
        let mut taken = [0; 16];
        assert_eq!(rustix::io::read(&pty, &mut taken), Ok(2));
        assert_eq!(&taken[..2], b"t\n");
        assert_eq!(rustix::io::read(&pty, &mut taken), Err(Errno::AGAIN));
    }

    #[test]
    fn the_line_stays_up_between_clients() {
        let pty = Pty::open().unwrap();
        drop(client(pty.path()));
        assert_eq!(rustix::io::read(&pty, &mut [0; 4]), Err(Errno::AGAIN));
        let device = std::fs::metadata(pty.path()).unwrap().rdev();
        assert_eq!(pty.device_number(), (major(device), minor(device)));
    }

    #[test]
    fn a_client_is_seen_to_come_and_gets_everything_unchanged() {
        let mut pty = Pty::open().unwrap();
        pty.let_go();
        assert!(!pty.hold_with_client().unwrap());
        let mut port = client(pty.path());
        assert!(pty.hold_with_client().unwrap());
        rustix::io::write(&pty, b"\x03row\r\n").unwrap();
        let mut read = [0; 6];
        port.read_exact(&mut read).unwrap();
        assert_eq!(&read, b"\x03row\r\n");
        drop(port);
        assert!(pty.hold_with_client().unwrap(), "the line stays up from then on");
        assert_eq!(
            rustix::io::read(&pty, &mut [0; 8]),
            Err(Errno::AGAIN),
            "nothing is echoed"
        );
    }

    #[test]
    fn a_link_is_removed_at_the_end_and_replaces_only_what_leads_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("port");
        symlink(folder.path().join("gone"), &link).unwrap();
        let mut pty = Pty::open().unwrap();
        pty.link(&link).unwrap();
        assert_eq!(std::fs::read_link(&link).unwrap(), pty.path());
        let mut second = Pty::open().unwrap();
        assert!(matches!(second.link(&link), Err(PtyError::LinkTaken { .. })));
        drop(pty);
        assert!(link.symlink_metadata().is_err());
        std::fs::write(&link, "precious").unwrap();
        assert!(matches!(second.link(&link), Err(PtyError::LinkTaken { .. })));
        assert_eq!(std::fs::read_to_string(&link).unwrap(), "precious");
    }
}
