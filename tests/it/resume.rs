//! Going on after a crash, and after a disk that was full.

use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::lab::{Lab, Session, Simulator, lines_of, of_kind, wait_until};

/// Three short sweeps, one right after the other.
const PLAN: &str = r#"
name = "three_short"
repeat = 3
interval_s = 0.0

[[step]]
technique = "peis"
f_max_hz = 1.0e5
f_min_hz = 1.0
points_per_decade = 5
amplitude_vrms = 0.01
"#;

fn kill(pid: i32) {
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

fn plan_in(lab: &Lab) -> String {
    let path = lab.path("three_short.toml");
    std::fs::write(&path, PLAN).unwrap();
    path.to_str().unwrap().to_owned()
}

fn points(lab: &Lab, recording: &str, sweep: usize) -> u64 {
    let shown: Value = serde_json::from_str(&lab.succeed(&["show", recording, "--json"])).unwrap();
    shown["sweeps"]
        .as_array()
        .unwrap()
        .get(sweep - 1)
        .map_or(0, |sweep| sweep["n_points"].as_u64().unwrap())
}

fn said(lab: &Lab, arguments: &[&str]) -> String {
    let output = lab.run(arguments);
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_session_killed_in_its_second_sweep_is_resumed_there_and_ends_its_plan_in_the_same_file() {
    let lab = Lab::new();
    let simulator = lab.simulator("dummy_r_rc", 20, 41);
    let plan = plan_in(&lab);
    let session = lab.detach(&simulator.link, "dummy_r_rc", &plan);
    let recording = session.recording();
    wait_until("the second sweep has points", || points(&lab, recording, 2) >= 3);
    let resume = ["run", "--resume", recording, "--headless", "--json"];
    assert!(said(&lab, &resume).contains("runs"));
    kill(lab.session_pid());
    wait_until("the session is gone", || lab.sessions().is_empty());

    // Today's plan is another one; what counts is in the recording.
    std::fs::write(&plan, PLAN.replace("repeat = 3", "repeat = 1")).unwrap();
    let output = lab.succeed(&resume);
    assert_eq!(lab.succeed(&["replay", recording, "--json"]), output);
    let events = lines_of(&output);
    let ends: Vec<(u64, bool)> = of_kind(&events, "sweep_ended")
        .iter()
        .map(|end| (end["sweep"].as_u64().unwrap(), end["complete"].as_bool().unwrap()))
        .collect();
    assert_eq!(ends, [(1, true), (2, false), (3, true), (4, true)]);
    assert_eq!(of_kind(&events, "gap").len(), 1);
    assert_eq!(of_kind(&events, "resumed").len(), 1);
    assert_eq!(of_kind(&events, "session").len(), 1);
    assert_eq!(of_kind(&events, "session_ended")[0]["reason"], "plan complete");
    let steps: Vec<u64> = of_kind(&events, "plan_step")
        .iter()
        .map(|step| step["step"].as_u64().unwrap())
        .collect();
    assert!(steps.is_sorted() && steps.last() == Some(&3), "{steps:?}");
    let times: Vec<f64> = events.iter().filter_map(|event| event["t_s"].as_f64()).collect();
    assert!(times.is_sorted(), "the session's clock ran back");
    let arcs: Vec<&Value> = of_kind(&events, "fit")
        .into_iter()
        .filter(|fit| fit["final"] == true)
        .map(|fit| &fit["parameters"][1]["arc_id"])
        .collect();
    assert!(arcs.windows(2).all(|pair| pair[0] == pair[1]), "{arcs:?}");
    assert!(lab.succeed(&["verify", recording]).contains("sound: "));
    assert!(said(&lab, &resume).contains("has ended"));
}

/// Ten minutes at 1 mA, 0.6 C, of which the plan allows one C.
const CHARGE: &str = r#"
name = "ten_minutes"

[limits]
potential_min_v = 2.8
potential_max_v = 4.25
charge_max_c = 1.0

[[step]]
technique = "cp"
current_a = 1e-3
duration_s = 600.0
interval_s = 2.0
allow_polarisation = true
"#;

#[test]
fn a_charge_that_was_cut_off_goes_on_where_it_was_and_not_from_the_beginning() {
    let lab = Lab::new();
    let simulator = lab.simulator("nmc_li_coin", 20, 41);
    let plan = lab.path("ten_minutes.toml");
    std::fs::write(&plan, CHARGE).unwrap();
    let session = lab.detach(&simulator.link, "nmc_li_coin", plan.to_str().unwrap());
    let recording = session.recording();
    let charges = || -> Vec<(f64, f64)> {
        let events = lines_of(&lab.succeed(&["replay", recording, "--json"]));
        let charges = of_kind(&events, "sample").into_iter().filter_map(|sample| {
            let of_charge = sample["technique"] == "cp";
            of_charge.then(|| {
                (
                    sample["device_t_s"].as_f64().unwrap(),
                    sample["charge_c"].as_f64().unwrap(),
                )
            })
        });
        charges.collect()
    };
    wait_until("a third of it is done", || {
        charges().last().is_some_and(|last| last.0 > 200.0)
    });
    kill(lab.session_pid());
    wait_until("the session is gone", || lab.sessions().is_empty());
    let before = charges();
    let output = lab.succeed(&["run", "--resume", recording, "--headless", "--json"]);
    let all = charges();
    let (first, last) = (all[before.len()], all[all.len() - 1]);
    let cut_off = before[before.len() - 1];
    assert!(
        first.0 > cut_off.0 && first.0 < cut_off.0 + 10.0,
        "{cut_off:?}, then {first:?}"
    );
    assert!(first.1 >= cut_off.1, "{cut_off:?}, then {first:?}");
    assert!(
        (last.0 - 600.0).abs() < 5.0 && (last.1 - 0.6).abs() < 0.01,
        "{last:?}"
    );
    let events = lines_of(&output);
    let steps = of_kind(&events, "plan_step");
    let text = steps.last().unwrap()["text"].as_str().unwrap();
    assert!(text.contains("left, after") && text.contains("unseen"), "{text}");
    assert_eq!(of_kind(&events, "session_ended")[0]["reason"], "plan complete");
}

/// A session whose second sweep was cut off by kill -9.
fn cut_off(lab: &Lab, simulator: &Simulator, cell: &str) -> Session {
    let plan = plan_in(lab);
    let session = lab.detach(&simulator.link, cell, &plan);
    wait_until("the second sweep has points", || {
        points(lab, session.recording(), 2) >= 3
    });
    kill(lab.session_pid());
    wait_until("the session is gone", || lab.sessions().is_empty());
    session
}

fn recorded(lab: &Lab, session: &Session, kind: &str) -> Vec<Value> {
    let events = lines_of(&lab.succeed(&["replay", session.recording(), "--json"]));
    of_kind(&events, kind).into_iter().cloned().collect()
}

#[test]
fn a_session_is_not_resumed_on_another_instrument_and_goes_on_when_its_own_is_back() {
    let lab = Lab::new();
    let mut simulator = lab.simulator("dummy_r_rc", 20, 41);
    let session = cut_off(&lab, &simulator, "dummy_r_rc");
    let before = recorded(&lab, &session, "point").len();
    simulator.kill();
    let mut other = lab.simulator("dummy_r_rc", 20, 42);
    lab.succeed(&["run", "--resume", session.recording(), "--detach"]);
    wait_until("the other instrument is told", || {
        let alarms = recorded(&lab, &session, "alarm");
        alarms.iter().any(|alarm| alarm["name"] == "another_instrument")
    });
    assert_eq!(recorded(&lab, &session, "point").len(), before);
    assert!(
        other.switched().is_empty(),
        "the cell of another instrument was switched on"
    );
    other.kill();
    let _own = lab.simulator("dummy_r_rc", 20, 41);
    wait_until("the plan is complete", || {
        let ends = recorded(&lab, &session, "session_ended");
        ends.first().is_some_and(|end| end["reason"] == "plan complete")
    });
}

#[test]
fn a_session_whose_cell_has_changed_waits_for_its_user_with_the_cell_off() {
    let lab = Lab::new();
    let mut simulator = lab.simulator("nmc_li_coin", 20, 41);
    let session = cut_off(&lab, &simulator, "nmc_li_coin");
    let before = recorded(&lab, &session, "point").len();
    simulator.kill();
    let other_cell = lab.simulator("dummy_r_rc", 20, 41);
    lab.succeed(&["run", "--resume", session.recording(), "--detach"]);
    wait_until("the changed cell is told", || {
        let alarms = recorded(&lab, &session, "alarm");
        alarms
            .iter()
            .any(|alarm| alarm["name"] == "potential_out_of_window")
    });
    assert_eq!(recorded(&lab, &session, "point").len(), before);
    let switched = other_cell.switched();
    assert!(
        switched.iter().all(|entry| entry["cell_on"] == false),
        "{switched:?}"
    );
    lab.succeed(&["stop", &session.name]);
    wait_until("the session has ended", || lab.sessions().is_empty());
}

#[test]
fn only_a_recording_of_a_session_that_was_cut_off_is_resumed() {
    let lab = Lab::new();
    let path = lab.path("none.interphase");
    std::fs::write(&path, "mine").unwrap();
    let text = said(&lab, &["run", "--resume", path.to_str().unwrap(), "--headless"]);
    assert!(text.contains("not an Interphase recording"), "{text}");
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
}

#[test]
fn a_unit_goes_on_with_the_session_that_it_is_printed_for() {
    let lab = Lab::new();
    let simulator = lab.simulator("dummy_r_rc", 20, 43);
    let session = lab.detach(&simulator.link, "dummy_r_rc", "eis_repeat");
    let unit = lab.succeed(&["unit", &session.name]);
    let wanted = format!(" run --headless --resume {}", session.recording());
    assert!(unit.contains(&wanted) && unit.contains("[Install]"), "{unit}");
    assert!(said(&lab, &["unit", "nobody"]).contains("no session nobody runs"));
    lab.succeed(&["stop", &session.name, "--now"]);
}

/// The library that lets a disk be full; none where there is no C compiler.
#[allow(clippy::print_stderr)]
pub fn full_disk_library(lab: &Lab) -> Option<PathBuf> {
    let library = lab.path("disk.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/preload/disk.c");
    let built = Command::new("cc")
        .args(["-O1", "-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(source)
        .args(["-ldl", "-lpthread"])
        .status();
    match built {
        Ok(status) => {
            assert!(status.success());
            Some(library)
        }
        Err(error) => {
            eprintln!("skipped: no C compiler `cc` ({error})");
            None
        }
    }
}

/// A session whose disk is made full in its second sweep, and then not.
fn a_full_disk_is_outlived(
    lab: &Lab,
    recording: &Path,
    environment: &[(&str, &Path)],
    fill: impl FnOnce(),
    free: impl FnOnce(),
) {
    let simulator = lab.simulator("dummy_r_rc", 20, 42);
    let plan = plan_in(lab);
    let recording = recording.to_str().unwrap();
    let started = lab
        .command(&[
            "run",
            "--instrument",
            "es4_hr",
            "--cell",
            "dummy_r_rc",
            "--detach",
        ])
        .args(["--port", &simulator.link, "--plan", &plan, "--out", recording])
        .envs(environment.iter().copied())
        .status()
        .unwrap();
    assert!(started.success());
    wait_until("the second sweep has points", || points(lab, recording, 2) >= 3);
    let screen = lab.terminal(&["attach", recording], 110, 24);
    screen.wait_for("LIVE");
    fill();
    screen.wait_for("DISK FULL");
    let at_the_most = points(lab, recording, 2);
    free();
    screen.wait_for("FINISHED");
    wait_until("the session has ended", || lab.sessions().is_empty());

    let events = lines_of(&lab.succeed(&["replay", recording, "--json"]));
    let ends: Vec<(bool, &str)> = of_kind(&events, "sweep_ended")
        .iter()
        .map(|end| {
            (
                end["complete"].as_bool().unwrap(),
                end["reason"].as_str().unwrap(),
            )
        })
        .collect();
    let held = (false, "nothing could be recorded");
    assert_eq!(ends, [(true, ""), held, (true, ""), (true, "")]);
    let gaps = of_kind(&events, "gap");
    assert!(
        gaps.len() == 1 && gaps[0]["reason"].as_str().unwrap().contains("full"),
        "{gaps:?}"
    );
    let kept = of_kind(&events, "point")
        .iter()
        .filter(|point| point["sweep"] == 2)
        .count();
    assert!(kept as u64 >= at_the_most && kept < 26, "{kept} of sweep 2");
    assert_eq!(of_kind(&events, "session_ended")[0]["reason"], "plan complete");
    assert!(lab.succeed(&["verify", recording]).contains("sound: "));
}

#[test]
fn a_full_disk_holds_the_measurement_and_says_so_and_with_space_again_the_plan_goes_on() {
    let lab = Lab::new();
    let Some(library) = full_disk_library(&lab) else {
        return;
    };
    let (recording, full) = (lab.path("session.interphase"), lab.path("full"));
    let environment = [
        ("LD_PRELOAD", library.as_path()),
        ("DISK_FILES", &recording),
        ("DISK_FULL_IF", &full),
    ];
    a_full_disk_is_outlived(
        &lab,
        &recording,
        &environment,
        || std::fs::write(&full, "").unwrap(),
        || std::fs::remove_file(&full).unwrap(),
    );
}

/// A small disk in memory, as long as it is held.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts it; none where that is not permitted.
    #[allow(clippy::print_stderr)]
    fn mount(at: PathBuf) -> Option<Self> {
        std::fs::create_dir(&at).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"])
            .arg(&at)
            .stderr(std::process::Stdio::null())
            .status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self(at));
        }
        eprintln!("skipped: a small disk in memory cannot be mounted here");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, so that nothing that still has it open keeps it.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_small_disk_that_really_is_full_is_outlived_too() {
    let lab = Lab::new();
    let Some(disk) = SmallDisk::mount(lab.path("disk")) else {
        return;
    };
    let (recording, filler) = (disk.0.join("session.interphase"), disk.0.join("filler"));
    a_full_disk_is_outlived(
        &lab,
        &recording,
        &[],
        || {
            // It ends with the error that there is no space left.
            std::fs::write(&filler, vec![0; 8 << 20]).unwrap_err();
        },
        || std::fs::remove_file(&filler).unwrap(),
    );
}
