//! A device made by hand on a pseudo terminal: what is sent to an instrument that is not ours.

use std::fs::File;
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use interphase::session::runtime::{RuntimeDirectory, SimulatorInfo, device_number};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use super::lab::{Lab, open_pty};

/// Answers each line by a rule, and keeps what it was sent.
pub struct Device {
    pub path: PathBuf,
    sent: Arc<Mutex<String>>,
    stop: Option<(PipeWriter, JoinHandle<()>)>,
    _slave: File,
}

impl Device {
    pub fn answering(rule: fn(&str) -> Option<&'static str>) -> Self {
        let (master, slave) = open_pty();
        let mut attributes = tcgetattr(&slave).unwrap();
        attributes.make_raw();
        tcsetattr(&slave, OptionalActions::Now, &attributes).unwrap();
        let path = PathBuf::from(
            rustix::termios::ttyname(&slave, Vec::new())
                .unwrap()
                .into_string()
                .unwrap(),
        );
        let sent = Arc::new(Mutex::new(String::new()));
        let (stopped, stop) = std::io::pipe().unwrap();
        let kept = Arc::clone(&sent);
        let thread = std::thread::spawn(move || serve(master, &stopped, &kept, rule));
        Self {
            path,
            sent,
            stop: Some((stop, thread)),
            _slave: slave,
        }
    }

    pub fn sent(&self) -> String {
        self.sent.lock().unwrap().clone()
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.stop.take() {
            drop(stop);
            thread.join().unwrap();
        }
    }
}

fn serve(
    mut master: File,
    stopped: &PipeReader,
    sent: &Mutex<String>,
    rule: fn(&str) -> Option<&'static str>,
) {
    let (mut buffer, mut line) = ([0; 1024], String::new());
    loop {
        let mut fds = [
            PollFd::new(&master, PollFlags::IN),
            PollFd::new(stopped, PollFlags::IN),
        ];
        if poll(&mut fds, None).is_err() || !fds[1].revents().is_empty() {
            return;
        }
        let Ok(count @ 1..) = master.read(&mut buffer) else {
            return;
        };
        for &byte in &buffer[..count] {
            sent.lock().unwrap().push(char::from(byte));
            if byte != b'\n' {
                line.push(char::from(byte));
            } else if let Some(answer) = rule(&std::mem::take(&mut line)) {
                master.write_all(answer.as_bytes()).unwrap();
            }
        }
    }
}

/// What a run on the device says, and whether its recording was kept. The device's time is registered as a
/// thousand times faster, so that time-outs are no longer than they must be.
fn refused(device: &Device, more: &[&str]) -> (String, String) {
    let lab = Lab::new();
    let runtime = RuntimeDirectory::at(&lab.runtime_directory()).unwrap();
    let info = SimulatorInfo {
        pid: std::process::id(),
        instrument: "es4_hr".into(),
        cell: "dummy_r_rc".into(),
        seed: 0,
        time_scale: 1000.0,
        link: None,
    };
    let _registration = runtime
        .register_simulator(device_number(&device.path).unwrap(), &info)
        .unwrap();
    let port = device.path.to_str().unwrap();
    let mut arguments = vec![
        "run",
        "--instrument",
        "es4_hr",
        "--cell",
        "dummy_r_rc",
        "--plan",
        "eis_once",
        "--headless",
        "--out",
        "a.interphase",
        "--port",
        port,
    ];
    arguments.extend(more);
    let output = lab.run(&arguments);
    assert_eq!(output.status.code(), Some(1));
    let kept = if lab.path("a.interphase").exists() {
        "kept"
    } else {
        "gone"
    };
    (
        String::from_utf8_lossy(&output.stderr).into_owned(),
        kept.to_owned(),
    )
}

#[test]
fn an_instrument_in_the_middle_of_somebody_elses_script_is_asked_who_it_is_and_nothing_more() {
    let device = Device::answering(|line| match line {
        "t" => Some("tes4_hr1500#Mar 12 2026 14:28:01\nR*\n"),
        "i" => Some("i!0006\n"),
        _ => None,
    });
    let (message, recording) = refused(&device, &[]);
    assert!(message.contains("--take-over"), "{message}");
    assert_eq!(recording, "gone");
    let sent = device.sent();
    assert!(
        sent.lines().all(|line| matches!(line, "" | "t" | "i" | "v")),
        "{sent:?}"
    );
}

#[test]
fn another_type_of_instrument_is_asked_who_it_is_and_nothing_more() {
    let device = Device::answering(|line| match line {
        "t" => Some("tespico1601#Jan  1 2026 00:00:00\nR*\n"),
        _ => None,
    });
    let (message, recording) = refused(&device, &["--take-over"]);
    assert!(message.contains("espico"), "{message}");
    assert_eq!(recording, "gone");
    let sent = device.sent();
    assert!(sent.lines().all(|line| matches!(line, "" | "t")), "{sent:?}");
}

#[test]
fn a_take_over_that_is_not_confirmed_says_that_the_cell_may_be_on_and_keeps_the_recording() {
    let device = Device::answering(|line| match line {
        "t" => Some("tes4_hr1500#Mar 12 2026 14:28:01\nR*\n"),
        "Z" => Some("Z\n"),
        _ => None,
    });
    let (message, recording) = refused(&device, &["--take-over"]);
    assert!(message.contains("CELL MAY BE ON"), "{message}");
    assert_eq!(recording, "kept");
}
