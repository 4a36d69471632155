//! A recorded session's instrument, served again: to this program, and to others.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use interphase::event::unescape;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::lab::{Lab, PATIENCE, lines_of, of_kind, wait_until};

/// A recording that is served.
struct Served {
    child: Child,
    port: String,
}

impl Served {
    fn new(lab: &Lab, recording: &str, more: &[&str]) -> Self {
        let mut child = lab
            .command(&["replay", recording, "--serve"])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(File::create(lab.path("served.log")).unwrap())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut port)
            .unwrap();
        let port = match serde_json::from_str::<Value>(&port) {
            Ok(announced) => announced["port"].as_str().unwrap().to_owned(),
            Err(_) => port.trim().to_owned(),
        };
        assert!(port.starts_with("/dev/"), "{port}");
        Self { child, port }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What was measured of each point; nothing of when.
fn measured(events: &[Value]) -> Vec<Vec<&Value>> {
    let keys = [
        "sweep",
        "index",
        "frequency_hz",
        "z_real_ohm",
        "z_imag_ohm",
        "status",
        "status_bits",
        "range",
        "noise",
        "potential_v",
    ];
    let points = of_kind(events, "point").into_iter();
    points
        .map(|point| keys.iter().map(|key| &point[*key]).collect())
        .collect()
}

/// All bytes in a direction.
fn bytes(events: &[Value], direction: &str) -> Vec<u8> {
    of_kind(events, "wire")
        .iter()
        .filter(|wire| wire["direction"] == direction)
        .flat_map(|wire| unescape(wire["bytes"].as_str().unwrap()).unwrap())
        .collect()
}

fn run(lab: &Lab, instrument: &str, port: &str, cell: &str, plan: &str, out: &str) -> Vec<Value> {
    let arguments = [
        "run",
        "--headless",
        "--json",
        "--instrument",
        instrument,
        "--port",
        port,
    ];
    let more = ["--cell", cell, "--plan", plan, "--out", out];
    lines_of(&lab.succeed(&[arguments.as_slice(), &more].concat()))
}

/// A plan of two short sweeps.
fn two_sweeps(lab: &Lab, f_max_hz: f64, f_min_hz: f64) {
    let text = format!(
        "name = \"two\"\nrepeat = 2\n[[step]]\ntechnique = \"peis\"\nf_max_hz = {f_max_hz:?}\nf_min_hz = {f_min_hz:?}\n\
         points_per_decade = 5\namplitude_vrms = 0.01\n"
    );
    std::fs::write(lab.path("two.toml"), text).unwrap();
}

/// A client that knows nothing of this program.
fn open(port: &str) -> File {
    let flags = (rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC).bits();
    File::options()
        .read(true)
        .write(true)
        .custom_flags(flags.cast_signed())
        .open(port)
        .unwrap()
}

/// Reads until the text ends with something.
#[track_caller]
fn read_until(port: &mut File, end: &str) -> String {
    let deadline = Instant::now() + PATIENCE;
    let mut heard = Vec::new();
    while !heard.ends_with(end.as_bytes()) {
        let mut polled = [PollFd::new(&*port, PollFlags::IN)];
        let second = Timespec::try_from(Duration::from_secs(1)).unwrap();
        if matches!(poll(&mut polled, Some(&second)), Ok(1..)) {
            let mut buffer = [0; 4096];
            let count = port.read(&mut buffer).unwrap();
            heard.extend_from_slice(&buffer[..count]);
        }
        assert!(
            Instant::now() < deadline,
            "waited in vain for {end:?} after {:?}",
            String::from_utf8_lossy(&heard)
        );
    }
    String::from_utf8(heard).unwrap()
}

#[test]
fn the_same_plan_on_the_served_session_measures_the_same_points() {
    let lab = Lab::new();
    let simulator = lab.simulator("li_lpscl_li", 500, 31);
    two_sweeps(&lab, 1e5, 0.1);
    let that_day = run(
        &lab,
        "es4_hr",
        &simulator.port,
        "li_lpscl_li",
        "two.toml",
        "a.interphase",
    );
    drop(simulator);
    let served = Served::new(&lab, "a.interphase", &[]);
    let again = run(
        &lab,
        "es4_hr",
        &served.port,
        "li_lpscl_li",
        "two.toml",
        "b.interphase",
    );
    assert_eq!(measured(&that_day).len(), 62);
    assert_eq!(measured(&again), measured(&that_day));
    assert_eq!(bytes(&again, "tx"), bytes(&that_day, "tx"));
    assert_eq!(bytes(&again, "rx"), bytes(&that_day, "rx"));
    assert_eq!(of_kind(&again, "session")[0]["time_scale"], 500.0);
    assert_eq!(of_kind(&again, "session_ended")[0]["reason"], "plan complete");
    let fits = |events: &[Value]| -> Vec<Value> {
        let fits = of_kind(events, "fit")
            .into_iter()
            .filter(|fit| fit["final"] == true);
        fits.map(|fit| fit["parameters"].clone()).collect()
    };
    assert_eq!(fits(&again), fits(&that_day));
    assert_eq!(std::fs::read_to_string(lab.path("served.log")).unwrap(), "");

    // The next client finds everything from the beginning once more.
    let third = run(
        &lab,
        "es4_hr",
        &served.port,
        "li_lpscl_li",
        "two.toml",
        "c.interphase",
    );
    assert_eq!(measured(&third), measured(&that_day));
}

#[test]
fn a_client_that_knows_nothing_of_this_program_meets_the_instrument_of_that_day() {
    let lab = Lab::new();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings/li_lpscl_li_fresh.interphase");
    let sample = sample.to_str().unwrap();
    let link = lab.path("that_day");
    let served = Served::new(
        &lab,
        sample,
        &["--link", link.to_str().unwrap(), "--speed", "50", "--json"],
    );
    assert_eq!(std::fs::canonicalize(&link).unwrap(), Path::new(&served.port));
    let events = lines_of(&lab.succeed(&["replay", sample, "--json"]));
    let script = of_kind(&events, "wire")
        .iter()
        .map(|wire| unescape(wire["bytes"].as_str().unwrap()).unwrap())
        .find(|bytes| bytes.windows(13).any(|window| window == b"meas_loop_eis"))
        .unwrap();

    let mut port = open(link.to_str().unwrap());
    // Out of the order of that day: who asks is answered all the same.
    port.write_all(b"i\n").unwrap();
    assert_eq!(read_until(&mut port, "\n"), "iES4HR26S0001\n");
    port.write_all(b"t\n").unwrap();
    assert_eq!(
        read_until(&mut port, "R*\n"),
        "tes4_hr1500#Mar 12 2026 14:28:01\nR*\n"
    );
    port.write_all(b"q7\n").unwrap();
    assert_eq!(read_until(&mut port, "\n"), "q!0003\n");
    let began = Instant::now();
    port.write_all(&script).unwrap();
    let output = read_until(&mut port, "\n\n");
    let took_s = began.elapsed().as_secs_f64();
    let points = events_of_sweep(&events, 1);
    assert_eq!(output.matches("Pdc").count(), points);
    assert!(
        bytes(&events, "rx")
            .windows(output.len())
            .any(|window| window == output.as_bytes())
    );
    // On that day it took 130 s of the cell's time at 60 times the wall clock; now it is 50 times faster.
    assert!((0.02..2.0).contains(&took_s), "{took_s} s");
    let log = std::fs::read_to_string(lab.path("served.log")).unwrap();
    assert!(
        log.contains("`q7` was never asked in this session; it is answered q!0003"),
        "{log}"
    );
    assert_eq!(log.lines().count(), 1, "{log}");
}

fn events_of_sweep(events: &[Value], sweep: u64) -> usize {
    let points = of_kind(events, "point").into_iter();
    points.filter(|point| point["sweep"] == sweep).count()
}

#[test]
fn instruments_of_line_profiles_are_served_as_well() {
    let lab = Lab::new();
    two_sweeps(&lab, 1000.0, 10.0);
    let simulator = lab.simulator_of("bt4560", "dummy_r_rc", 1000, 32);
    let that_day = run(
        &lab,
        "bt4560",
        &simulator.port,
        "dummy_r_rc",
        "two.toml",
        "a.interphase",
    );
    drop(simulator);
    let served = Served::new(&lab, "a.interphase", &[]);
    let again = run(
        &lab,
        "bt4560",
        &served.port,
        "dummy_r_rc",
        "two.toml",
        "b.interphase",
    );
    assert_eq!(measured(&that_day).len(), 22);
    assert_eq!(measured(&again), measured(&that_day));
    assert_eq!(bytes(&again, "rx"), bytes(&that_day, "rx"));
    assert_eq!(std::fs::read_to_string(lab.path("served.log")).unwrap(), "");
}

#[test]
fn an_instrument_that_is_only_listened_to_begins_when_somebody_listens() {
    let lab = Lab::new();
    let plan = |repeat: u32, name: &str| {
        let text = format!(
            "name = \"listen\"\nrepeat = {repeat}\n[[step]]\ntechnique = \"peis\"\nf_max_hz = 200e3\n\
             f_min_hz = 10.0\npoints_per_decade = 6\namplitude_vrms = 0.01\n"
        );
        std::fs::write(lab.path(name), text).unwrap();
    };
    plan(4, "four.toml");
    plan(2, "two.toml");
    let simulator = lab.simulator_of("helpstat", "dummy_r_rc", 200, 33);
    let that_day = run(
        &lab,
        "helpstat",
        &simulator.port,
        "dummy_r_rc",
        "four.toml",
        "a.interphase",
    );
    drop(simulator);
    let served = Served::new(&lab, "a.interphase", &[]);
    // Long enough for the first sweep to have passed, if it had not waited.
    std::thread::sleep(Duration::from_secs(1));
    let again = run(
        &lab,
        "helpstat",
        &served.port,
        "dummy_r_rc",
        "two.toml",
        "b.interphase",
    );
    // Which sweeps a session takes of those that it hears is a matter of milliseconds here; what it hears is not.
    assert_eq!(measured(&again).len(), 54);
    let (that_day, again) = (bytes(&that_day, "rx"), bytes(&again, "rx"));
    assert!(that_day.starts_with(&again), "{} bytes are others", again.len());
}

#[test]
fn where_the_link_was_lost_the_port_hangs_up_and_comes_back_behind_its_link() {
    let lab = Lab::new();
    two_sweeps(&lab, 1e4, 1.0);
    let link = lab.path("port");
    let link = link.to_str().unwrap();
    let mut child = lab
        .command(&[
            "simulate",
            "--instrument",
            "es4_hr",
            "--cell",
            "dummy_r_rc",
            "--time-scale",
            "50",
        ])
        .args(["--link", link, "--fault", "unplug@1.9+60s"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut announced = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut announced)
        .unwrap();
    let that_day = run(&lab, "es4_hr", link, "dummy_r_rc", "two.toml", "a.interphase");
    kill_process(Pid::from_raw(child.id().cast_signed()).unwrap(), Signal::TERM).unwrap();
    child.wait().unwrap();
    let lost = |events: &[Value]| {
        let links = of_kind(events, "link");
        links.iter().filter(|link| link["state"] == "lost").count()
    };
    assert_eq!(lost(&that_day), 1);

    let mut served = Served::new(&lab, "a.interphase", &["--link", link]);
    let again = run(&lab, "es4_hr", link, "dummy_r_rc", "two.toml", "b.interphase");
    assert_eq!(lost(&again), 1);
    assert_eq!(of_kind(&again, "gap").len(), 1);
    assert_eq!(measured(&again), measured(&that_day));
    assert_eq!(of_kind(&again, "session_ended")[0]["reason"], "plan complete");
    // Ended cleanly, nothing stays.
    kill_process(
        Pid::from_raw(served.child.id().cast_signed()).unwrap(),
        Signal::TERM,
    )
    .unwrap();
    wait_until("the server has ended", || {
        served.child.try_wait().unwrap().is_some()
    });
    assert!(served.child.wait().unwrap().success());
    assert!(Path::new(link).symlink_metadata().is_err());
}

#[test]
fn what_cannot_be_served_is_refused_with_the_reason() {
    let lab = Lab::new();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings/battery_130.interphase");
    let sample = sample.to_str().unwrap();
    for (arguments, status, says) in [
        (&["replay", sample, "--serve"][..], 1, "imported from a file"),
        (
            &["replay", sample, "--serve", "--redecode"],
            2,
            "cannot be used with",
        ),
        (&["replay", sample, "--link", "x"], 2, "--serve"),
        (&["replay", sample, "--circuit", "R0"], 2, "--reanalyse"),
    ] {
        let output = lab.run(arguments);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {message}");
        assert!(message.contains(says), "{arguments:?}: {message}");
    }
    let fresh = Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings/li_lpscl_li_fresh.interphase");
    let output = lab.run(&["replay", fresh.to_str().unwrap(), "--serve", "--speed", "1e5"]);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(message.contains("60 times faster"), "{message}");
}

#[test]
fn every_sweep_is_fitted_again_beside_the_fit_of_that_day() {
    let lab = Lab::new();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings/li_lpscl_li_fresh.interphase");
    std::fs::copy(&sample, lab.path("a.interphase")).unwrap();
    let before = std::fs::read(lab.path("a.interphase")).unwrap();
    let sweeps = lines_of(&lab.succeed(&["replay", "a.interphase", "--reanalyse", "--json"]));
    assert_eq!(sweeps.len(), 8);
    for sweep in &sweeps {
        assert_eq!(sweep["old"]["circuit"], "L0-R0-p(R1,CPE1)-p(R2,CPE2)");
        for parameter in sweep["parameters"].as_array().unwrap() {
            let change = parameter["relative_change"].as_f64().unwrap();
            assert!(change.abs() <= 1e-6, "{parameter}");
        }
    }
    // The spectra of the other sample, imported and fitted by today's engine, give the same to the last bit.
    let other = sample.with_file_name("battery_130.interphase");
    let mut reader = interphase::recording::Reader::open(&other).unwrap();
    let mut attachments = reader.attachments().unwrap().into_iter();
    let spectra = attachments.find(|file| file.media_type == "text/csv").unwrap();
    std::fs::write(lab.path("cycles.csv"), spectra.bytes).unwrap();
    lab.succeed(&[
        "import",
        "cycles.csv",
        "--out",
        "fresh.interphase",
        "--cell",
        "battery_130",
    ]);
    let same = lab.succeed(&["replay", "fresh.interphase", "--reanalyse"]);
    assert_eq!(
        same.lines().last().unwrap(),
        "130 sweeps fitted again: of 1040 parameters 0 differ by more than 1e-6 of their value, 0 by more than their \
         standard errors together; the largest change is 0.0e0 of the value"
    );
    let text = lab.succeed(&["replay", "a.interphase", "--reanalyse", "--circuit", "R(RQ)"]);
    assert!(
        text.contains("sweep 8: then L0-R0-p(R1,CPE1)-p(R2,CPE2)"),
        "{text}"
    );
    assert!(text.contains("now R0-p(R1,CPE1)"), "{text}");
    assert!(
        text.lines()
            .last()
            .unwrap()
            .starts_with("8 sweeps fitted again: of 32 parameters"),
        "{text}"
    );
    assert_eq!(
        std::fs::read(lab.path("a.interphase")).unwrap(),
        before,
        "nothing is written"
    );
    let output = lab.run(&["replay", "a.interphase", "--reanalyse", "--circuit", "R0-p("]);
    assert_eq!(output.status.code(), Some(2));
}
