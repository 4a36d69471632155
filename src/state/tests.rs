use proptest::prelude::*;

use super::*;
use crate::analysis::fit::{FitResult, Parameter, Sum, Weight};
use crate::event::{
    Alarm, AlarmAcknowledged, CommandGiven, Direction, Fit, Note, PointMeasured, Severity, Stamp, SweepEnded,
    SweepStarted, Validity, ValidityDetails, Wire,
};
use crate::spectrum::Point;

fn fit_result(value: f64, determined: bool) -> FitResult {
    FitResult {
        circuit: "R0".into(),
        weight: Weight::Modulus,
        converged: true,
        n_points: 3,
        n_used: 3,
        left_out: 0,
        chi_squared: 1e-3,
        reduced_chi_squared: Some(2e-4),
        noise_percent: Some(1.4),
        aicc: None,
        bic: None,
        runs_p: None,
        starts: 1,
        evaluations: 4,
        elapsed_us: 10.0,
        guess_us: 0.0,
        parameters: vec![Parameter {
            name: "R0".into(),
            unit: "ohm".into(),
            value,
            std_error: Some(0.1),
            lower: None,
            upper: None,
            fixed: false,
            at_bound: false,
            determined,
            arc_id: None,
        }],
        correlation: vec![vec![1.0]],
        robust: None,
        sums: vec![Sum {
            name: "R0+R1".into(),
            value,
            std_error: Some(0.1),
            determined,
        }],
    }
}

fn started(sweep: u32) -> EventBody {
    EventBody::SweepStarted(SweepStarted {
        sweep,
        n_points: 3,
        ..SweepStarted::default()
    })
}

fn point(sweep: u32, index: u32) -> EventBody {
    let point = Point::new(10f64.powi(3 - index as i32), 20.0 + f64::from(index), -1.0);
    EventBody::Point(PointMeasured { sweep, index, point })
}

fn fit(sweep: u32, is_final: bool, value: f64) -> EventBody {
    EventBody::Fit(Fit {
        sweep,
        is_final,
        engine: "test".into(),
        result: fit_result(value, true),
    })
}

fn validity(sweep: u32, is_final: bool, verdict: &str) -> EventBody {
    EventBody::Validity(Validity {
        sweep,
        verdict: verdict.into(),
        details: Some(ValidityDetails {
            is_final,
            ..ValidityDetails::default()
        }),
        ..Validity::default()
    })
}

fn ended(sweep: u32) -> EventBody {
    EventBody::SweepEnded(SweepEnded {
        sweep,
        complete: true,
        reason: String::new(),
    })
}

fn wire(text: &str) -> EventBody {
    EventBody::Wire(Wire {
        direction: Direction::Rx,
        bytes: text.as_bytes().to_vec(),
    })
}

fn numbered(bodies: Vec<EventBody>) -> Vec<Event> {
    bodies
        .into_iter()
        .enumerate()
        .map(|(index, body)| Event {
            seq: index as u64 + 1,
            stamp: Stamp {
                utc_ns: index as i64 * 1_000_000,
                elapsed_ns: index as i64 * 1_000_000,
            },
            body,
        })
        .collect()
}

fn two_sweeps() -> Vec<Event> {
    let mut bodies = Vec::new();
    for sweep in 1..=2 {
        bodies.push(started(sweep));
        for index in 0..3 {
            bodies.push(wire("P\n"));
            bodies.push(point(sweep, index));
            bodies.push(fit(sweep, false, 20.0));
        }
        bodies.push(validity(sweep, false, "pass"));
        bodies.push(ended(sweep));
        bodies.push(fit(sweep, true, 20.0 + f64::from(sweep)));
        bodies.push(validity(sweep, true, if sweep == 1 { "pass" } else { "suspect" }));
        bodies.push(EventBody::Note(Note {
            text: format!("after sweep {sweep}"),
        }));
    }
    numbered(bodies)
}

fn folded(events: &[Event]) -> State {
    let mut state = State::new();
    for event in events {
        state.apply(event);
    }
    state
}

#[test]
fn an_event_that_was_seen_already_changes_nothing() {
    let events = two_sweeps();
    let mut state = folded(&events);
    let before = state.clone();
    for event in &events {
        state.apply(event);
    }
    assert_eq!(state, before);
}

#[test]
fn history_has_one_entry_for_each_final_fit_of_a_parameter_or_sum() {
    let state = folded(&two_sweeps());
    let values: Vec<f64> = state
        .history("R0")
        .points
        .iter()
        .map(|point| point.value)
        .collect();
    assert_eq!(values, [21.0, 22.0]);
    assert_eq!(state.history("R0+R1").points.len(), 2);
    assert!(state.history("R9").points.is_empty());
}

#[test]
fn the_newest_fit_is_the_live_one_until_the_final_one_is_there() {
    let events = two_sweeps();
    let running = folded(&events[..5]);
    assert!(!running.fit_of(1).unwrap().is_final);
    let done = folded(&events);
    assert!(done.fit_of(1).unwrap().is_final);
}

#[test]
fn the_newest_judgement_is_that_of_the_running_sweep_until_the_final_one_is_there() {
    let events = two_sweeps();
    let until = |seq: usize| folded(&events[..seq]);
    assert!(until(10).validity_of(1).is_none());
    assert!(!until(11).validity_of(1).unwrap().is_final());
    let done = until(14);
    assert!(done.validity_of(1).unwrap().is_final());
    assert!(done.head().live_validity.is_none());
    assert_ne!(until(11).digest(), {
        let mut events = events[..11].to_vec();
        events[10].body = validity(1, false, "fail");
        folded(&events).digest()
    });
}

#[test]
fn a_sweep_in_doubt_stands_in_the_log_and_in_the_histories_and_a_sound_one_does_not() {
    let state = folded(&two_sweeps());
    let told: Vec<u32> = state
        .log()
        .iter()
        .filter_map(|entry| match &entry.what {
            LogWhat::Validity(validity) => Some(validity.sweep),
            _ => None,
        })
        .collect();
    assert_eq!(told, [2]);
    let doubtful: Vec<bool> = state
        .history("R0")
        .points
        .iter()
        .map(|point| point.doubtful)
        .collect();
    assert_eq!(doubtful, [false, true]);
}

#[test]
fn an_alarm_stays_until_it_is_acknowledged() {
    let alarm = Alarm {
        name: "cell_may_be_on".into(),
        severity: Severity::Critical,
        value: None,
        limit: None,
        sweep: None,
        text: "CELL MAY BE ON".into(),
    };
    let acknowledged = AlarmAcknowledged {
        name: alarm.name.clone(),
        origin: "user".into(),
    };
    let events = numbered(vec![
        EventBody::Alarm(alarm.clone()),
        EventBody::Alarm(alarm),
        wire("x"),
        EventBody::AlarmAcknowledged(acknowledged),
    ]);
    assert_eq!(folded(&events[..3]).head().alarms.len(), 1);
    assert!(folded(&events).head().alarms.is_empty());
    assert_eq!(
        folded(&events).log().len(),
        3,
        "the log keeps what was acknowledged"
    );
}

#[test]
fn pause_and_resume_are_seen_in_the_head() {
    let command = |word: &str| {
        EventBody::Command(CommandGiven {
            command: word.into(),
            origin: "user".into(),
            text: String::new(),
        })
    };
    let events = numbered(vec![command("pause"), command("resume")]);
    assert!(folded(&events[..1]).head().paused);
    assert!(!folded(&events).head().paused);
}

#[test]
fn the_digest_tells_states_apart_and_is_the_same_for_the_same_events() {
    let events = two_sweeps();
    assert_eq!(folded(&events).digest(), folded(&events).digest());
    let mut other = two_sweeps();
    if let EventBody::Point(body) = &mut other[2].body {
        body.point.z_real_ohm += 1e-12;
    }
    assert_ne!(folded(&events).digest(), folded(&other).digest());
}

#[test]
fn traffic_that_is_kept_for_the_eye_is_bounded() {
    let events = numbered((0..1000).map(|_| wire(&"x".repeat(1000))).collect());
    let state = folded(&events);
    assert_eq!(state.head().wire.len(), 200);
    assert_eq!(state.head().wire[0].bytes.len(), 200);
    assert_eq!(state.head().rx_bytes, 1_000_000);
}

proptest! {
    #[test]
    fn going_back_and_forward_again_gives_the_same_state(at in 0usize..32, to in 0usize..32) {
        let events = two_sweeps();
        let (at, to) = (at.min(events.len()), to.min(events.len()));
        let (early, late) = (at.min(to), at.max(to));
        let head = folded(&events[..early]).checkpoint();
        let mut state = folded(&events[..late]);
        state.rewind(head);
        prop_assert_eq!(&state, &folded(&events[..early]));
        for event in &events[early..] {
            state.apply(event);
        }
        prop_assert_eq!(state.digest(), folded(&events).digest());
    }
}
