//! A plug that is pulled and put back, another instrument in its place, a stop, a note, a pause.

use std::time::Duration;

use interphase::session::client::Client;
use interphase::session::control::Request;
use serde_json::Value;

use super::lab::{Lab, lines_of, of_kind, wait_until};

/// The events that are on disk now, whether the session runs or not.
fn events(lab: &Lab, recording: &str) -> Vec<Value> {
    lines_of(&lab.succeed(&["replay", recording, "--json"]))
}

#[test]
fn a_session_outlives_its_instrument_says_so_and_can_be_stopped() {
    let lab = Lab::new();
    let mut simulator = lab.simulator("dummy_r_rc", 50, 21);
    let session = lab.detach(&simulator.port, "dummy_r_rc", "eis_repeat");
    let pid = lab.session_pid();
    wait_until("a point is measured", || {
        !of_kind(&events(&lab, session.recording()), "point").is_empty()
    });
    simulator.kill();
    wait_until("the lost link is recorded", || {
        of_kind(&events(&lab, session.recording()), "link")
            .iter()
            .any(|link| link["state"] == "lost")
    });
    let before = super::lab::cpu_seconds(pid);
    std::thread::sleep(Duration::from_secs(1));
    assert!(
        super::lab::cpu_seconds(pid) - before < 0.2,
        "waiting for the plug must not spin"
    );
    let output = lab.run(&["stop", &session.name]);
    // Nobody could switch the cell off, and `stop` does not pretend otherwise.
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("CELL MAY BE ON"));
    let events = events(&lab, session.recording());
    assert_eq!(of_kind(&events, "session_ended")[0]["reason"], "stopped");
    let ended = of_kind(&events, "sweep_ended");
    assert_eq!(ended[0]["complete"], false);
    assert_eq!(of_kind(&events, "alarm")[0]["name"], "cell_may_be_on");
}

#[test]
fn note_pause_and_stop_from_another_terminal_are_in_the_recording_and_the_cell_is_off_at_the_end() {
    let lab = Lab::new();
    let simulator = lab.simulator("dummy_r_rc", 50, 22);
    let session = lab.detach(&simulator.port, "dummy_r_rc", "eis_repeat");
    lab.succeed(&["note", &session.name, "stack", "pressure", "raised"]);
    wait_until("points are measured", || {
        of_kind(&events(&lab, session.recording()), "point").len() > 3
    });
    lab.succeed(&["stop", &session.name]);
    let events = events(&lab, session.recording());
    assert_eq!(of_kind(&events, "note")[0]["text"], "stack pressure raised");
    let commands: Vec<&str> = of_kind(&events, "command")
        .iter()
        .map(|command| command["command"].as_str().unwrap())
        .collect();
    assert_eq!(commands, ["note", "stop"]);
    assert_eq!(of_kind(&events, "sweep_ended")[0]["reason"], "stopped");
    assert!(of_kind(&events, "alarm").is_empty());
    let last_sent = of_kind(&events, "wire")
        .iter()
        .rev()
        .find(|wire| wire["direction"] == "tx")
        .unwrap()["bytes"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(last_sent.contains("cell_off"), "{last_sent}");
    assert!(lab.sessions().is_empty());
}

#[test]
fn another_instrument_on_the_same_port_is_left_alone_and_the_right_one_is_taken_up_again() {
    let lab = Lab::new();
    let mut simulator = lab.simulator("dummy_r_rc", 50, 23);
    let session = lab.detach(&simulator.link, "dummy_r_rc", "eis_repeat");
    wait_until("a point is measured", || {
        !of_kind(&events(&lab, session.recording()), "point").is_empty()
    });
    simulator.kill();
    let mut other = lab.simulator("dummy_r_rc", 50, 24);
    wait_until("the other instrument is noticed", || {
        let events = events(&lab, session.recording());
        of_kind(&events, "alarm")
            .iter()
            .any(|alarm| alarm["name"] == "another_instrument")
    });
    let before = events(&lab, session.recording());
    assert!(
        of_kind(&before, "alarm_acknowledged").is_empty(),
        "its cell is not ours"
    );
    let asked_of_other = before
        .iter()
        .skip_while(|event| event["state"] != "lost")
        .filter(|event| event["kind"] == "wire" && event["direction"] == "tx");
    for wire in asked_of_other {
        let bytes = wire["bytes"].as_str().unwrap();
        assert!(
            ["\\x0A", "t\\x0A", "i\\x0A", "v\\x0A", "CM\\x0A"].contains(&bytes),
            "{bytes} was sent to another instrument"
        );
    }
    other.kill();
    let _right = lab.simulator("dummy_r_rc", 50, 23);
    wait_until("the right one is measured again", || {
        let events = events(&lab, session.recording());
        of_kind(&events, "sweep_started").len() >= 2
    });
    let after = events(&lab, session.recording());
    assert_eq!(of_kind(&after, "alarm_acknowledged")[0]["name"], "cell_may_be_on");
    let planned = of_kind(&after, "plan_step")
        .iter()
        .map(|step| step["step"].as_u64().unwrap())
        .max();
    assert_eq!(
        planned,
        Some(1),
        "a sweep that is repeated is the same step of the plan"
    );
    lab.succeed(&["stop", &session.name, "--now"]);
}

const TWO_STEPS: &str = "name = \"two\"\nrepeat = 2\n[[step]]\ntechnique = \"peis\"\nf_max_hz = 0.2\nf_min_hz = 0.1\n\
    points_per_decade = 10\namplitude_vrms = 0.010\n[[step]]\ntechnique = \"peis\"\nf_max_hz = 200e3\n\
    f_min_hz = 50e3\npoints_per_decade = 10\namplitude_vrms = 0.010\n";

#[test]
fn each_step_of_a_plan_has_its_own_current_range() {
    let lab = Lab::new();
    let simulator = lab.simulator("llzo_pellet_blocking", 1000, 25);
    std::fs::write(lab.path("two.toml"), TWO_STEPS).unwrap();
    let lines = lab.measure(
        &simulator.port,
        "llzo_pellet_blocking",
        "two.toml",
        "a.interphase",
    );
    let events = lines_of(&lines);
    let ranges: Vec<&str> = of_kind(&events, "sweep_started")
        .iter()
        .map(|sweep| sweep["range"].as_str().unwrap())
        .collect();
    assert_eq!(ranges[0], ranges[2]);
    assert_eq!(ranges[1], ranges[3]);
    assert_ne!(
        ranges[0], ranges[1],
        "300 kohm at 0.1 Hz and 250 ohm at 200 kHz need different ranges"
    );
    assert!(
        of_kind(&events, "point")
            .iter()
            .all(|point| point["status"] != "overload")
    );
}

#[test]
fn a_pause_holds_the_plan_after_the_running_sweep_and_resume_lets_it_go_on() {
    let lab = Lab::new();
    let simulator = lab.simulator("llzo_pellet_blocking", 50, 26);
    std::fs::write(lab.path("two.toml"), TWO_STEPS).unwrap();
    let session = lab.detach(&simulator.port, "llzo_pellet_blocking", "two.toml");
    let socket = lab.runtime_directory().join(format!("{}.sock", session.name));
    let mut client = Client::connect(&socket).unwrap();
    client.ask(&Request::Pause).unwrap();
    wait_until("the plan is held", || {
        of_kind(&events(&lab, session.recording()), "plan_step")
            .iter()
            .any(|step| step["name"] == "paused")
    });
    std::thread::sleep(Duration::from_millis(500));
    let held = events(&lab, session.recording());
    assert_eq!(
        of_kind(&held, "sweep_started").len(),
        1,
        "no sweep begins while the plan is held"
    );
    assert_eq!(
        of_kind(&held, "sweep_ended")[0]["complete"],
        true,
        "the running sweep is finished"
    );
    client.ask(&Request::Resume).unwrap();
    wait_until("the plan goes on", || {
        of_kind(&events(&lab, session.recording()), "sweep_started").len() > 1
    });
    lab.succeed(&["stop", &session.name, "--now"]);
}
