//! What the instrument sent is what is recorded, byte for byte and value for value: watched by a third
//! party between simulator and session.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use interphase::event::unescape;
use interphase::session::runtime::{RuntimeDirectory, SimulatorInfo, device_number};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use super::lab::{Lab, lines_of, of_kind, open_pty};

/// A pseudo terminal that hands on everything between a port and whoever opens it, and keeps what came
/// from the port.
struct Tap {
    path: PathBuf,
    heard: Arc<Mutex<Vec<u8>>>,
    _keep: OwnedFd,
}

fn raw(fd: &impl std::os::fd::AsFd) {
    let mut attributes = tcgetattr(fd).unwrap();
    attributes.make_raw();
    tcsetattr(fd, OptionalActions::Now, &attributes).unwrap();
}

impl Tap {
    fn on(port: &str) -> Self {
        let device = File::options().read(true).write(true).open(port).unwrap();
        raw(&device);
        let (master, slave) = open_pty();
        let path = PathBuf::from(
            rustix::termios::ttyname(&slave, Vec::new())
                .unwrap()
                .into_string()
                .unwrap(),
        );
        raw(&slave);
        let heard = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heard);
        std::thread::spawn(move || carry(device, master, &kept));
        Self {
            path,
            heard,
            _keep: slave.into(),
        }
    }
}

fn carry(mut device: File, mut client: File, heard: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 4096];
    let patience = Timespec::try_from(Duration::from_secs(60)).unwrap();
    loop {
        let mut fds = [
            PollFd::new(&device, PollFlags::IN),
            PollFd::new(&client, PollFlags::IN),
        ];
        if !matches!(poll(&mut fds, Some(&patience)), Ok(1..)) {
            return;
        }
        let (from_device, from_client) = (fds[0].revents(), fds[1].revents());
        if from_device.contains(PollFlags::IN) {
            let Ok(count @ 1..) = device.read(&mut buffer) else {
                return;
            };
            heard.lock().unwrap().extend_from_slice(&buffer[..count]);
            if client.write_all(&buffer[..count]).is_err() {
                return;
            }
        } else if from_client.contains(PollFlags::IN) {
            let Ok(count @ 1..) = client.read(&mut buffer) else {
                return;
            };
            if device.write_all(&buffer[..count]).is_err() {
                return;
            }
        } else {
            return;
        }
    }
}

/// One value of a data package, taken apart by the published rule and by nothing of this program.
fn value_of(field: &str) -> f64 {
    let mantissa = i64::from_str_radix(&field[2..9], 16).unwrap() - (1 << 27);
    let exponent = match &field[9..10] {
        "a" => -18,
        "f" => -15,
        "p" => -12,
        "n" => -9,
        "u" => -6,
        "m" => -3,
        " " => 0,
        "k" => 3,
        "M" => 6,
        other => panic!("prefix {other}"),
    };
    mantissa as f64 * 10f64.powi(exponent)
}

fn register(lab: &Lab, path: &Path) -> interphase::session::runtime::Registration {
    let runtime = RuntimeDirectory::at(&lab.runtime_directory()).unwrap();
    let info = SimulatorInfo {
        pid: std::process::id(),
        instrument: "es4_hr".into(),
        cell: "li_lpscl_li".into(),
        seed: 7,
        time_scale: 500.0,
        link: None,
    };
    runtime
        .register_simulator(device_number(path).unwrap(), &info)
        .unwrap()
}

#[test]
fn every_point_that_the_simulator_sent_is_in_the_recording_with_the_value_sent() {
    let lab = Lab::new();
    let simulator = lab.simulator("li_lpscl_li", 500, 7);
    let tap = Tap::on(&simulator.port);
    let _registration = register(&lab, &tap.path);
    let events = lines_of(&lab.measure(
        tap.path.to_str().unwrap(),
        "li_lpscl_li",
        "eis_once",
        "a.interphase",
    ));
    let heard = tap.heard.lock().unwrap().clone();
    let recorded: Vec<u8> = of_kind(&events, "wire")
        .iter()
        .filter(|wire| wire["direction"] == "rx")
        .flat_map(|wire| unescape(wire["bytes"].as_str().unwrap()).unwrap())
        .collect();
    assert_eq!(
        String::from_utf8_lossy(&recorded),
        String::from_utf8_lossy(&heard)
    );

    let heard = String::from_utf8(heard).unwrap();
    let sent: Vec<Vec<f64>> = heard
        .lines()
        .filter(|line| line.starts_with("Pdc"))
        .map(|line| line[1..].split(';').map(value_of).collect())
        .collect();
    assert_eq!(sent.len(), 64);
    let points = of_kind(&events, "point");
    assert_eq!(points.len(), 64);
    for (index, (point, sent)) in points.iter().zip(&sent).enumerate() {
        assert_eq!(point["index"], index as u64);
        for (key, value) in ["frequency_hz", "z_real_ohm", "z_imag_ohm"].iter().zip(sent) {
            let recorded = point[key].as_f64().unwrap();
            assert!(
                (recorded - value).abs() <= 1e-12 * value.abs(),
                "{key} of {point}: {value} was sent"
            );
        }
    }
}
