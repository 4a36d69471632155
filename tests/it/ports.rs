//! Ports: several sessions at once, one port each; what `ports` does not do, and what `--probe` asks.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};

use interphase::session::runtime::{RuntimeDirectory, SimulatorInfo, device_number};
use serde_json::Value;

use super::device::Device;
use super::lab::{Lab, lines_of, of_kind};

/// A simulator with a link of its own, for several in one laboratory.
struct Bench {
    child: Child,
    port: String,
    link: PathBuf,
}

impl Bench {
    fn new(lab: &Lab, instrument: &str, link: &str, seed: &str) -> Self {
        let link = lab.path(link);
        let mut child = lab
            .command(&[
                "simulate",
                "--instrument",
                instrument,
                "--cell",
                "dummy_r_rc",
                "--time-scale",
                "20",
            ])
            .args(["--seed", seed, "--link"])
            .arg(&link)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut port)
            .unwrap();
        let port = port.trim().to_owned();
        assert!(port.starts_with("/dev/"), "{port}");
        Self { child, port, link }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run<'a>(instrument: &'a str, port: &'a str, out: &'a str) -> Vec<&'a str> {
    let mut arguments = vec![
        "run",
        "--instrument",
        instrument,
        "--port",
        port,
        "--cell",
        "dummy_r_rc",
    ];
    arguments.extend(["--plan", "short.toml", "--headless", "--json", "--out", out]);
    arguments
}

fn plan(lab: &Lab) {
    std::fs::write(
        lab.path("short.toml"),
        "name = \"short\"\nrepeat = 4\n[[step]]\ntechnique = \"peis\"\nf_max_hz = 1000.0\nf_min_hz = 1.0\n\
         points_per_decade = 5\namplitude_vrms = 0.010\n",
    )
    .unwrap();
}

#[test]
fn two_sessions_measure_at_once_and_a_third_is_told_who_holds_its_port() {
    let lab = Lab::new();
    plan(&lab);
    let one = Bench::new(&lab, "es4_hr", "one", "1");
    let two = Bench::new(&lab, "bt4560", "two", "2");
    let start = |arguments: &[&str]| lab.command(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let first = start(&run("es4_hr", &one.port, "first.interphase"));
    let second = start(&run("bt4560", &two.port, "second.interphase"));
    super::lab::wait_until("both sessions run", || lab.sessions().len() == 2);
    // The same port under its own name, by the simulator's link, and by a link of somebody else's.
    let other = lab.path("another-name");
    std::os::unix::fs::symlink(&one.link, &other).unwrap();
    for name in [
        one.port.as_str(),
        one.link.to_str().unwrap(),
        other.to_str().unwrap(),
    ] {
        let refused = lab.run(&run("es4_hr", name, "third.interphase"));
        let message = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{message}");
        assert!(
            message.contains("held by the session first (process "),
            "{message}"
        );
        assert!(message.contains("interphase stop first"), "{message}");
        assert!(!lab.path("third.interphase").exists());
    }
    let probed = lab.run(&["ports", "--probe", two.port.as_str(), "--instrument", "bt4560"]);
    let message = String::from_utf8_lossy(&probed.stderr).into_owned();
    assert!(
        probed.status.code() == Some(1) && message.contains("held by the session second"),
        "{message}"
    );
    let listed = lines_of(&lab.succeed(&["ports", "--json"]));
    for (bench, session) in [(&one, "first"), (&two, "second")] {
        let port = listed
            .iter()
            .find(|port| port["path"] == bench.port.as_str())
            .unwrap();
        assert_eq!(
            (&port["session"], &port["in_use"]),
            (&Value::from(session), &Value::Bool(true)),
            "{port}"
        );
    }
    for child in [first, second] {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        let events = lines_of(&String::from_utf8(output.stdout).unwrap());
        assert_eq!(of_kind(&events, "session_ended")[0]["reason"], "plan complete");
        assert_eq!(of_kind(&events, "point").len(), 4 * 16);
        assert_eq!(
            of_kind(&events, "alarm").len(),
            0,
            "{:?}",
            of_kind(&events, "alarm")
        );
    }
}

#[test]
fn one_port_is_asked_who_is_there_and_no_other_hears_anything() {
    let lab = Lab::new();
    let script = Bench::new(&lab, "es4_hr", "one", "1");
    let meter = Bench::new(&lab, "bt4560", "two", "2");
    // A furnace on a third port, listed as the simulators are.
    let furnace = Device::answering(|_| None);
    let runtime = RuntimeDirectory::at(&lab.runtime_directory()).unwrap();
    let info = SimulatorInfo {
        pid: std::process::id(),
        instrument: "es4_hr".into(),
        cell: "dummy_r_rc".into(),
        seed: 0,
        time_scale: 1.0,
        link: None,
    };
    let _registration = runtime
        .register_simulator(device_number(&furnace.path).unwrap(), &info)
        .unwrap();
    let listed = lab.succeed(&["ports"]);
    assert!(listed.contains(furnace.path.to_str().unwrap()), "{listed}");
    for (bench, instrument, device) in [(&script, "es4_hr", "es4_hr"), (&meter, "bt4560", "BT4560")] {
        let arguments = [
            "ports",
            "--probe",
            &bench.port,
            "--instrument",
            instrument,
            "--json",
        ];
        let found = &lines_of(&lab.succeed(&arguments))[0];
        assert_eq!(found["instrument"], device, "{found}");
        assert!(!found["serial"].as_str().unwrap().is_empty(), "{found}");
        // Without a profile named, that of the simulator is taken.
        let text = lab.succeed(&["ports", "--probe", bench.link.to_str().unwrap()]);
        assert!(
            text.contains(device) && text.contains(&format!("asked as {instrument}")),
            "{text}"
        );
    }
    assert_eq!(furnace.sent(), "");
}

#[test]
fn an_instrument_that_measures_for_somebody_else_is_asked_and_goes_on() {
    // A Rodeostat in the middle of a test: rows come all the time.
    let device = Device::answering(|line| {
        let version = "{\"t\":100,\"v\":0.5,\"i\":1.0}\r\n\
                       {\"success\":true,\"response\":{\"command\":\"getVersion\",\"version\":\"FW0.0.7\"}}\r\n\
                       {\"t\":200,\"v\":0.5,\"i\":1.0}\r\n";
        line.contains("getVersion").then_some(version)
    });
    let lab = Lab::new();
    let text = lab.succeed(&[
        "ports",
        "--probe",
        device.path.to_str().unwrap(),
        "--instrument",
        "rodeostat",
    ]);
    assert!(text.contains("FW0.0.7"), "{text}");
    assert_eq!(device.sent(), "{\"command\":\"getVersion\"}\n");
}
