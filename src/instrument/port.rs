//! The serial port: opened once, by one program, and noticed when it goes away.
//!
//! `TIOCEXCL` does not bind root and the lock that comes with it can be lost (a refused second open clears
//! it), so the port is held by a lock of our own on a file named by the number of the device: whatever path
//! leads to a device, it is the same file.

mod error;
pub mod list;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock, major, minor};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_serial::{SerialPort, SerialPortBuilderExt, SerialStream};

pub use self::error::PortError;
use self::error::{group_of, similar_ports};
use self::list::Holder;
use crate::profile::{FlowControl, LinkSettings, ModemLine, Parity};

/// How long a device may refuse to take bytes, in real time.
const WRITE_PATIENCE: Duration = Duration::from_secs(3);

/// Major and minor number of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceNumber {
    /// Which kind of device.
    pub major: u32,
    /// Which one of that kind.
    pub minor: u32,
}

impl DeviceNumber {
    /// The number of the device that a path leads to.
    ///
    /// # Errors
    /// Where there is nothing, or no device that a port could be.
    pub fn of(path: &Path) -> Result<Self, PortError> {
        let metadata = std::fs::metadata(path).map_err(|error| refused(path, error))?;
        if !metadata.file_type().is_char_device() {
            return Err(PortError::NotAPort {
                path: path.to_owned(),
            });
        }
        let number = metadata.rdev();
        Ok(Self {
            major: major(number),
            minor: minor(number),
        })
    }
}

/// An open serial port.
#[derive(Debug)]
pub struct Port {
    stream: SerialStream,
    path: PathBuf,
    device: DeviceNumber,
    /// The lock ends when the file is closed.
    _lock: File,
}

impl Port {
    /// Opens the port as the link says. The lock file is made in `lock_folder`, which must exist. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// In words: no such port (and which there are), no permission (and which group has it), held by
    /// another program.
    pub fn open(path: &Path, link: &LinkSettings, lock_folder: &Path) -> Result<Self, PortError> {
        let device = DeviceNumber::of(path)?;
        let lock = lock(path, device, lock_folder)?;
        // serialport opens with O_NOCTTY, O_CLOEXEC and O_NONBLOCK.
        let name = path.to_str().ok_or_else(|| PortError::NotAPort {
            path: path.to_owned(),
        })?;
        let flow_control = match link.flow_control {
            FlowControl::None => tokio_serial::FlowControl::None,
            FlowControl::XonXoff => tokio_serial::FlowControl::Software,
            FlowControl::RtsCts => tokio_serial::FlowControl::Hardware,
        };
        let mut stream = tokio_serial::new(name, link.baud_rate)
            .data_bits(if link.data_bits == 7 {
                tokio_serial::DataBits::Seven
            } else {
                tokio_serial::DataBits::Eight
            })
            .parity(match link.parity {
                Parity::None => tokio_serial::Parity::None,
                Parity::Even => tokio_serial::Parity::Even,
                Parity::Odd => tokio_serial::Parity::Odd,
            })
            .stop_bits(if link.stop_bits == 2 {
                tokio_serial::StopBits::Two
            } else {
                tokio_serial::StopBits::One
            })
            .flow_control(flow_control)
            .open_native_async()
            .map_err(|error| open_refused(path, error))?;
        // USB ports without modem lines and pseudo terminals refuse; instruments work all the same.
        if link.dtr != ModemLine::Keep {
            let _ = stream.write_data_terminal_ready(link.dtr == ModemLine::On);
        }
        if link.flow_control != FlowControl::RtsCts && link.rts != ModemLine::Keep {
            let _ = stream.write_request_to_send(link.rts == ModemLine::On);
        }
        Ok(Self {
            stream,
            path: path.to_owned(),
            device,
            _lock: lock,
        })
    }

    /// The path it was opened by.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The number of the device.
    #[must_use]
    pub fn device_number(&self) -> DeviceNumber {
        self.device
    }

    /// Waits for bytes and reads what there is, at least one. Safe to cancel: what was not returned was
    /// not read.
    ///
    /// # Errors
    /// [`PortError::Lost`] when the device is gone. A port is then of no more use.
    pub async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, PortError> {
        match self.stream.read(buffer).await {
            // A device that went away reads as nothing for ever, without an error.
            Ok(0) if !buffer.is_empty() => Err(self.lost("the device is gone")),
            Ok(count) => Ok(count),
            Err(error) => Err(self.lost(&error.to_string())),
        }
    }

    /// Sends bytes, all of them.
    ///
    /// # Errors
    /// [`PortError::Lost`] when the device is gone, [`PortError::Stuck`] when it does not take them for 3 s
    /// of real time: some may have been sent. A caller's loop therefore never hangs here.
    pub async fn write_all(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.write_within(bytes, WRITE_PATIENCE).await
    }

    async fn write_within(&mut self, bytes: &[u8], patience: Duration) -> Result<(), PortError> {
        match tokio::time::timeout(patience, self.stream.write_all(bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.lost(&error.to_string())),
            // Held off by flow control, or its buffer is full because nothing reads it.
            Err(_) => Err(PortError::Stuck {
                path: self.path.clone(),
            }),
        }
    }

    fn lost(&self, why: &str) -> PortError {
        PortError::Lost {
            path: self.path.clone(),
            why: why.to_owned(),
        }
    }
}

/// Whether a program of ours holds a device, as its lock file says. The device itself is not touched.
#[must_use]
pub fn is_locked(device: DeviceNumber, folder: &Path) -> bool {
    let file = File::open(folder.join(format!("lock-{}-{}", device.major, device.minor)));
    file.is_ok_and(|file| {
        flock(&file, FlockOperation::NonBlockingLockShared) == Err(rustix::io::Errno::WOULDBLOCK)
    })
}

/// The process that holds a device, as its lock file says.
#[must_use]
pub fn lock_holder(device: DeviceNumber, folder: &Path) -> Option<u32> {
    let text =
        std::fs::read_to_string(folder.join(format!("lock-{}-{}", device.major, device.minor))).ok()?;
    is_locked(device, folder).then(|| text.trim().parse().ok())?
}

/// Takes the lock of a device; it holds while the file is open.
fn lock(path: &Path, device: DeviceNumber, folder: &Path) -> Result<File, PortError> {
    let file_name = folder.join(format!("lock-{}-{}", device.major, device.minor));
    let failed = |error: io::Error| PortError::Lock {
        file: file_name.clone(),
        error,
    };
    // std opens with O_CLOEXEC.
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&file_name)
        .map_err(failed)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {
            // Only for the words of those who are refused; without it they look for the holder themselves.
            let _ = file
                .set_len(0)
                .and_then(|()| io::Write::write_all(&mut file, std::process::id().to_string().as_bytes()));
            Ok(file)
        }
        Err(rustix::io::Errno::WOULDBLOCK) => Err(PortError::Busy {
            by: lock_holder(device, folder)
                .map_or_else(|| list::holder_of(path), |pid| Some(Holder::of_process(pid))),
            path: path.to_owned(),
        }),
        Err(error) => Err(failed(error.into())),
    }
}

fn open_refused(path: &Path, error: tokio_serial::Error) -> PortError {
    match error.kind {
        tokio_serial::ErrorKind::Io(kind) => refused(path, io::Error::new(kind, error.description)),
        // EBUSY, and the lock that other programs take.
        tokio_serial::ErrorKind::NoDevice => match DeviceNumber::of(path) {
            Ok(_) => PortError::Busy {
                by: list::holder_of(path),
                path: path.to_owned(),
            },
            Err(gone) => gone,
        },
        _ => PortError::Open {
            path: path.to_owned(),
            reason: error.description,
        },
    }
}

fn refused(path: &Path, error: io::Error) -> PortError {
    let path = path.to_owned();
    match error.kind() {
        io::ErrorKind::NotFound => PortError::NotFound {
            similar: similar_ports(&path),
            path,
        },
        io::ErrorKind::PermissionDenied => PortError::Permission {
            group: group_of(&path),
            path,
        },
        io::ErrorKind::ResourceBusy => PortError::Busy {
            by: list::holder_of(&path),
            path,
        },
        _ => PortError::Open {
            path,
            reason: error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests;
