//! Values of the cell put right after measuring, and copies of recordings.

use std::time::{Duration, Instant};

use super::lab::{Lab, lines_of, of_kind};

#[test]
fn an_amended_area_is_the_last_event_of_a_finished_recording_that_stays_sound() {
    let lab = Lab::new();
    let simulator = lab.simulator("li_lpscl_li", 1000, 6);
    let live = lab.measure(&simulator.port, "li_lpscl_li", "eis_once", "a.interphase");
    let said = lab.succeed(&["amend", "a.interphase", "area_cm2=0.785", "pressure_mpa=10"]);
    assert_eq!(
        said,
        "area_cm2 is 0.785, not 1.33\npressure_mpa is 10.0, not 5.0\n"
    );
    let replayed = lab.succeed(&["replay", "a.interphase", "--json"]);
    let (live, replayed) = (lines_of(&live), lines_of(&replayed));
    assert_eq!(replayed[..live.len() - 1], live[..live.len() - 1]);
    let amended = of_kind(&replayed, "amend");
    assert_eq!(amended.len(), 2);
    assert_eq!(amended[0]["key"], "area_cm2");
    assert_eq!(amended[0]["old"], "1.33");
    assert_eq!(amended[0]["new"], "0.785");
    lab.succeed(&["verify", "a.interphase"]);
    // A second amendment knows the first.
    let said = lab.succeed(&["amend", "a.interphase", "area_cm2=0.8"]);
    assert_eq!(said, "area_cm2 is 0.8, not 0.785\n");
    lab.succeed(&["verify", "a.interphase"]);
}

#[test]
fn what_cannot_be_amended_is_refused_and_the_recording_stays_as_it_was() {
    let lab = Lab::new();
    let simulator = lab.simulator("dummy_r_rc", 1000, 7);
    lab.measure(&simulator.port, "dummy_r_rc", "eis_once", "a.interphase");
    let before = std::fs::read(lab.path("a.interphase")).unwrap();
    for (argument, status, said) in [
        ("area_mm2=1", 1, "area_cm2"),
        ("area_cm2=-1", 1, "area_cm2"),
        ("area_cm2", 2, "KEY=VALUE"),
    ] {
        let output = lab.run(&["amend", "a.interphase", argument]);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{argument}: {error}");
        assert!(error.contains(said), "{argument}: {error}");
    }
    assert_eq!(std::fs::read(lab.path("a.interphase")).unwrap(), before);
}

#[test]
fn a_running_session_records_an_amendment_itself_and_is_copied_while_it_measures() {
    let lab = Lab::new();
    let simulator = lab.simulator("li_lpscl_li", 20, 8);
    let session = lab.detach(&simulator.port, "li_lpscl_li", "eis_repeat");
    lab.succeed(&["amend", "session.interphase", "area_cm2=0.785"]);
    let begun = Instant::now();
    loop {
        let shown = lab.succeed(&["replay", "session.interphase", "--json"]);
        let events = lines_of(&shown);
        if of_kind(&events, "amend").len() == 1 && !of_kind(&events, "point").is_empty() {
            break;
        }
        assert!(begun.elapsed() < super::lab::PATIENCE);
        std::thread::sleep(Duration::from_millis(50));
    }
    lab.succeed(&["backup", "session.interphase", "--out", "copy.interphase"]);
    lab.succeed(&["verify", "copy.interphase"]);
    lab.succeed(&["stop", &session.name, "--now"]);
    let copied = lines_of(&lab.succeed(&["replay", "copy.interphase", "--json"]));
    let all = lines_of(&lab.succeed(&["replay", "session.interphase", "--json"]));
    assert_eq!(copied[..copied.len() - 1], all[..copied.len() - 1]);
}
