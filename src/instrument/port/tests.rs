use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tokio::time::timeout;

use super::*;

const PATIENCE: Duration = Duration::from_secs(5);

/// A pseudo terminal whose far end is raw, as a simulated instrument serves it.
struct Pty {
    master: OwnedFd,
    path: PathBuf,
    _keep_open: OwnedFd,
}

impl Pty {
    fn new() -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = PathBuf::from(ptsname(&master, Vec::new()).unwrap().into_string().unwrap());
        let slave = rustix::fs::open(
            &path,
            OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
            rustix::fs::Mode::empty(),
        )
        .unwrap();
        let mut raw = tcgetattr(&slave).unwrap();
        raw.make_raw();
        tcsetattr(&slave, OptionalActions::Now, &raw).unwrap();
        Self {
            master,
            path,
            _keep_open: slave,
        }
    }

    fn write(&self, bytes: &[u8]) {
        assert_eq!(rustix::io::write(&self.master, bytes).unwrap(), bytes.len());
    }

    fn read(&self) -> Vec<u8> {
        let mut buffer = [0; 64];
        let count = rustix::io::read(&self.master, &mut buffer).unwrap();
        buffer[..count].to_vec()
    }
}

fn link(flow_control: FlowControl) -> LinkSettings {
    LinkSettings {
        baud_rate: 921_600,
        flow_control,
        data_bits: 8,
        parity: crate::profile::Parity::None,
        stop_bits: 1,
        dtr: crate::profile::ModemLine::On,
        rts: crate::profile::ModemLine::On,
        line_delay_s: 0.0,
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn open(pty: &Pty, folder: &Path) -> Result<Port, PortError> {
    Port::open(&pty.path, &link(FlowControl::None), folder)
}

#[test]
fn bytes_go_both_ways_unchanged() {
    let (pty, folder) = (Pty::new(), tempfile::tempdir().unwrap());
    runtime().block_on(async {
        let mut port = open(&pty, folder.path()).unwrap();
        assert_eq!(port.device_number(), DeviceNumber::of(&pty.path).unwrap());
        let bytes: Vec<u8> = (0..=255).collect();
        for piece in bytes.chunks(32) {
            port.write_all(piece).await.unwrap();
            assert_eq!(pty.read(), piece);
            pty.write(piece);
            let mut buffer = [0; 64];
            let mut came = Vec::new();
            while came.len() < piece.len() {
                let count = timeout(PATIENCE, port.read(&mut buffer)).await.unwrap().unwrap();
                came.extend_from_slice(&buffer[..count]);
            }
            assert_eq!(came, piece);
        }
    });
}

#[test]
fn a_device_that_goes_away_is_lost_at_once_and_stays_lost() {
    let (pty, folder) = (Pty::new(), tempfile::tempdir().unwrap());
    runtime().block_on(async {
        let mut port = open(&pty, folder.path()).unwrap();
        pty.write(b"t");
        let mut buffer = [0; 8];
        assert_eq!(
            timeout(PATIENCE, port.read(&mut buffer)).await.unwrap().unwrap(),
            1
        );
        drop(pty);
        for _ in 0..2 {
            let error = timeout(PATIENCE, port.read(&mut buffer))
                .await
                .unwrap()
                .unwrap_err();
            assert!(matches!(error, PortError::Lost { .. }), "{error}");
        }
        assert!(matches!(
            port.write_all(b"t\n").await,
            Err(PortError::Lost { .. })
        ));
    });
}

#[test]
fn a_device_that_takes_no_bytes_does_not_hang_the_caller() {
    let (pty, folder) = (Pty::new(), tempfile::tempdir().unwrap());
    runtime().block_on(async {
        let mut port = open(&pty, folder.path()).unwrap();
        let more_than_fits = vec![b'x'; 1 << 20];
        let written = port
            .write_within(&more_than_fits, Duration::from_millis(50))
            .await;
        assert!(matches!(written, Err(PortError::Stuck { .. })), "{written:?}");
    });
}

#[test]
fn a_port_is_held_once_and_free_again_when_it_was_closed() {
    let (pty, folder) = (Pty::new(), tempfile::tempdir().unwrap());
    runtime().block_on(async {
        let first = open(&pty, folder.path()).unwrap();
        let error = open(&pty, folder.path()).unwrap_err();
        assert!(matches!(error, PortError::Busy { .. }), "{error}");
        // By another path to the same device as well.
        let alias = folder.path().join("alias");
        std::os::unix::fs::symlink(&pty.path, &alias).unwrap();
        let error = Port::open(&alias, &link(FlowControl::None), folder.path()).unwrap_err();
        assert!(matches!(error, PortError::Busy { .. }), "{error}");
        drop(first);
        open(&pty, folder.path()).unwrap();
    });
}

#[test]
fn every_flow_control_opens_though_a_pty_has_no_modem_lines() {
    let (pty, folder) = (Pty::new(), tempfile::tempdir().unwrap());
    runtime().block_on(async {
        for flow_control in [FlowControl::None, FlowControl::XonXoff, FlowControl::RtsCts] {
            Port::open(&pty.path, &link(flow_control), folder.path()).unwrap();
        }
    });
}

#[test]
fn a_port_is_not_inherited_by_children() {
    let (pty, folder) = (Pty::new(), tempfile::tempdir().unwrap());
    runtime().block_on(async {
        let port = open(&pty, folder.path()).unwrap();
        let flags =
            std::fs::read_to_string(format!("/proc/self/fdinfo/{}", port.stream.as_raw_fd())).unwrap();
        let octal = flags
            .lines()
            .find_map(|line| line.strip_prefix("flags:"))
            .unwrap()
            .trim();
        let flags = u32::from_str_radix(octal, 8).unwrap();
        assert_ne!(flags & OFlags::CLOEXEC.bits(), 0);
    });
}

#[test]
fn what_is_no_port_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let settings = link(FlowControl::None);
    let error = Port::open(&file, &settings, folder.path()).unwrap_err();
    assert!(error.to_string().contains("is not a serial port"), "{error}");
    let error = Port::open(&folder.path().join("missing"), &settings, folder.path()).unwrap_err();
    assert!(matches!(error, PortError::NotFound { .. }), "{error}");
}
