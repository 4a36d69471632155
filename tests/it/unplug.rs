//! A plug that is pulled, a stop, a note, a pause.

use std::time::Duration;

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
