//! Processes that die: the screen, the session, the line between them.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::lab::{Lab, lines_of, of_kind, wait_until};

fn kill(pid: i32) {
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

fn points_in(lab: &Lab, recording: &str) -> usize {
    let shown: Value = serde_json::from_str(&lab.succeed(&["show", recording, "--json"])).unwrap();
    shown["sweeps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|sweep| sweep["n_points"].as_u64().unwrap() as usize)
        .sum()
}

#[test]
fn a_session_goes_on_when_its_screen_is_hung_up_or_killed_and_attach_shows_everything_since() {
    let lab = Lab::new();
    let simulator = lab.simulator("dummy_r_rc", 100, 11);
    let session = lab.detach(&simulator.port, "dummy_r_rc", "eis_repeat");
    let pid = lab.session_pid();

    let mut screen = lab.terminal(&["attach", &session.name], 80, 24);
    screen.wait_for("LIVE");
    screen.hang_up();
    screen.wait_end();
    assert_eq!(lab.session_pid(), pid, "the session goes on after the hang-up");

    let mut screen = lab.terminal(&["attach", &session.name], 80, 24);
    screen.wait_for("LIVE");
    kill(screen.pid());
    screen.wait_end();
    assert_eq!(
        lab.session_pid(),
        pid,
        "the session goes on after the screen was killed"
    );

    let before = points_in(&lab, session.recording());
    wait_until("points are measured without a screen", || {
        points_in(&lab, session.recording()) > before + 5
    });
    let mut screen = lab.terminal(&["attach", &session.name], 80, 24);
    screen.wait_for("LIVE");
    screen.wait_for("sweep 1 started");
    screen.press("4");
    screen.wait_for("200");
    screen.press("q");
    assert!(screen.wait_end().success());
    screen.wait_for("goes on");
    assert_eq!(lab.session_pid(), pid);
}

#[test]
fn a_session_killed_in_mid_sweep_loses_nothing_that_was_shown_and_does_not_hinder_the_next() {
    let lab = Lab::new();
    let simulator = lab.simulator("dummy_r_rc", 20, 12);
    let session = lab.detach(&simulator.link, "dummy_r_rc", "eis_once");
    let mut follower = lab
        .command(&["attach", &session.name, "--headless", "--json"])
        .stdout(std::fs::File::create(lab.path("shown.jsonl")).unwrap())
        .spawn()
        .unwrap();
    wait_until("ten points are measured", || {
        points_in(&lab, session.recording()) >= 10
    });
    kill(lab.session_pid());
    follower.wait().unwrap();
    let shown = std::fs::read_to_string(lab.path("shown.jsonl")).unwrap();
    let replayed = lab.succeed(&["replay", session.recording(), "--json"]);
    assert_eq!(replayed, shown, "what was shown is what is on disk");
    let events = lines_of(&replayed);
    assert!(of_kind(&events, "point").len() >= 10);
    assert!(of_kind(&events, "session_ended").is_empty());
    assert!(lab.succeed(&["verify", session.recording()]).starts_with("sound"));
    assert!(lab.sessions().is_empty());

    // The instrument is still busy with the script of the dead session; that is known, also under another
    // name of the port, and no hindrance.
    let output = lab.measure(&simulator.port, "dummy_r_rc", "eis_once", "next.interphase");
    let events = lines_of(&output);
    assert_eq!(of_kind(&events, "point").len(), 64);
    assert_eq!(of_kind(&events, "session_ended")[0]["reason"], "plan complete");
}
