use std::sync::{Arc, Mutex};

use super::requests::Speech;
use super::*;
use crate::event::{Direction, Event, EventBody, Link, LinkState, SessionStarted, Stamp, Wire};

fn at(at_s: f64, body: EventBody) -> Event {
    Event {
        seq: 1,
        stamp: Stamp {
            utc_ns: 0,
            elapsed_ns: (at_s * 1e9).round() as i64,
        },
        body,
    }
}

fn wire(at_s: f64, direction: Direction, text: &str) -> Event {
    let bytes = text.as_bytes().to_vec();
    at(at_s, EventBody::Wire(Wire { direction, bytes }))
}

pub(super) fn tx(at_s: f64, text: &str) -> Event {
    wire(at_s, Direction::Tx, text)
}

pub(super) fn rx(at_s: f64, text: &str) -> Event {
    wire(at_s, Direction::Rx, text)
}

pub(super) fn link(at_s: f64, state: LinkState, reason: &str) -> Event {
    let (port, reason) = ("/dev/ttyACM0".to_owned(), reason.to_owned());
    at(at_s, EventBody::Link(Link { state, port, reason }))
}

pub(super) fn session(time_scale: f64) -> Event {
    let started = SessionStarted {
        time_scale,
        ..SessionStarted::default()
    };
    at(0.0, EventBody::Session(started))
}

const SWEEP: &str = "e\nsweep\n\n";
const OFF: &str = "e\ncell_off\n\n";

/// Two sweeps, each followed by the cell switched off.
fn two_sweeps() -> Conversation {
    let mut events = vec![
        session(1.0),
        tx(0.0, "\n"),
        rx(0.1, "\n"),
        tx(1.0, "t\n"),
        rx(1.2, "tes4_hr1500#x\nR*\n"),
    ];
    for (began_s, name) in [(10.0, "a"), (20.0, "b")] {
        events.extend([
            tx(began_s, SWEEP),
            rx(began_s + 0.5, "e\nM000D\n"),
            rx(began_s + 1.0, &format!("P{name}1\n")),
            rx(began_s + 3.0, &format!("P{name}2\n*\n\n")),
            tx(began_s + 4.0, OFF),
            rx(began_s + 4.5, "e\n\n"),
        ]);
    }
    Conversation::of_events(Speech::MethodScript, events)
}

/// A device, and what it tells.
fn device(conversation: Conversation) -> (RecordedDevice, Arc<Mutex<Vec<String>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&told);
    let tell = move |text: &str| kept.lock().unwrap().push(text.to_owned());
    (RecordedDevice::new(conversation, 1.0, tell), told)
}

/// Asks, and gives back everything that is sent in the next hour with its times.
fn ask(device: &mut RecordedDevice, request: &str, at_s: f64) -> Vec<(f64, String)> {
    device.receive(request.as_bytes(), at_s);
    let mut heard = Vec::new();
    while let Some(due_s) = device.deadline_s().filter(|due_s| *due_s < at_s + 3600.0) {
        let bytes = device.advance(due_s);
        heard.push(((due_s - at_s) * 1000.0, String::from_utf8(bytes).unwrap()));
        if device.take_hang_up().is_some() {
            break;
        }
    }
    heard
        .into_iter()
        .map(|(due_ms, text)| (due_ms.round() / 1000.0, text))
        .collect()
}

fn texts(heard: &[(f64, String)]) -> String {
    heard.iter().map(|(_, text)| text.as_str()).collect()
}

#[test]
fn who_asks_the_same_gets_the_same_bytes_after_the_same_times() {
    let (mut device, told) = device(two_sweeps());
    assert_eq!(ask(&mut device, "\n", 100.0), [(0.1, "\n".to_owned())]);
    assert_eq!(texts(&ask(&mut device, "t\n", 101.0)), "tes4_hr1500#x\nR*\n");
    let heard = ask(&mut device, SWEEP, 110.0);
    let times: Vec<f64> = heard.iter().map(|(due_s, _)| *due_s).collect();
    assert_eq!(times, [0.5, 1.0, 3.0]);
    assert_eq!(texts(&heard), "e\nM000D\nPa1\nPa2\n*\n\n");
    assert_eq!(texts(&ask(&mut device, OFF, 120.0)), "e\n\n");
    assert_eq!(
        texts(&ask(&mut device, SWEEP, 130.0)),
        "e\nM000D\nPb1\nPb2\n*\n\n"
    );
    assert!(told.lock().unwrap().is_empty());
}

#[test]
fn what_is_asked_out_of_order_is_looked_for_ahead_and_then_from_the_beginning() {
    let (mut device, _) = device(two_sweeps());
    // The cell is never switched off in between, and still the second sweep follows the first.
    assert!(texts(&ask(&mut device, SWEEP, 0.0)).contains("Pa1"));
    assert!(texts(&ask(&mut device, SWEEP, 10.0)).contains("Pb1"));
    assert!(texts(&ask(&mut device, SWEEP, 20.0)).contains("Pa1"));
}

#[test]
fn a_question_in_the_middle_is_answered_and_changes_nothing() {
    let (mut device, _) = device(two_sweeps());
    device.receive(SWEEP.as_bytes(), 0.0);
    assert_eq!(device.advance(1.0), b"e\nM000D\nPa1\n");
    device.receive(b"t\n", 1.5);
    assert_eq!(device.advance(1.8), b"tes4_hr1500#x\nR*\n");
    assert_eq!(device.advance(3.0), b"Pa2\n*\n\n");
    assert!(texts(&ask(&mut device, SWEEP, 10.0)).contains("Pb1"));
}

#[test]
fn what_was_never_asked_is_refused_as_the_protocol_does_and_told_once() {
    let (mut device, told) = device(two_sweeps());
    assert_eq!(texts(&ask(&mut device, "CC\n", 0.0)), "C!0003\n");
    assert_eq!(texts(&ask(&mut device, "CC\n", 1.0)), "C!0003\n");
    assert_eq!(texts(&ask(&mut device, "e\nother\n\n", 2.0)), "e!0003\n");
    let told = told.lock().unwrap();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("`CC` was never asked"), "{told:?}");
    assert!(texts(&ask(&mut device, SWEEP, 10.0)).contains("Pa1"));
}

#[test]
fn an_instrument_of_lines_is_silent_where_it_was_never_asked() {
    let events = [session(1.0), tx(0.0, "*IDN?\r\n"), rx(0.5, "HIOKI\r\n")];
    let (mut device, told) = device(Conversation::of_events(Speech::Lines, events));
    assert_eq!(ask(&mut device, "RST\r\n", 0.0), []);
    assert_eq!(texts(&ask(&mut device, "*IDN?\n", 1.0)), "HIOKI\r\n");
    assert_eq!(told.lock().unwrap().len(), 1);
}

#[test]
fn another_script_ends_what_the_one_before_had_to_say() {
    let (mut device, _) = device(two_sweeps());
    device.receive(SWEEP.as_bytes(), 0.0);
    assert_eq!(device.advance(0.6), b"e\nM000D\n");
    // Pa1 is on its way, Pa2 is not.
    assert_eq!(texts(&ask(&mut device, OFF, 0.7)), "Pa1\ne\n\n");
}

#[test]
fn an_answer_does_not_overtake_what_was_said_before_it() {
    let (mut device, _) = device(two_sweeps());
    device.receive(b"\n", 0.0);
    device.receive(b"t\n", 0.0);
    assert_eq!(texts(&ask(&mut device, "", 0.0)), "\ntes4_hr1500#x\nR*\n");
    let events = [
        session(1.0),
        tx(0.0, "A\n"),
        rx(5.0, "a\n"),
        tx(6.0, "B\n"),
        rx(6.1, "b\n"),
    ];
    let (mut device, _) = self::device(Conversation::of_events(Speech::Lines, events));
    device.receive(b"A\n", 0.0);
    assert_eq!(texts(&ask(&mut device, "B\n", 1.0)), "a\nb\n");
}

#[test]
fn the_line_hangs_up_where_it_was_lost_after_what_was_sent_before() {
    let events = [
        session(1.0),
        tx(0.0, SWEEP),
        rx(0.5, "e\n"),
        link(0.5, LinkState::Lost, "the link over /dev/ttyACM0 was lost: gone"),
        link(3.0, LinkState::Reconnecting, ""),
        tx(4.0, "t\n"),
        rx(4.1, "tes4_hr1500#x\nR*\n"),
    ];
    let (mut device, _) = device(Conversation::of_events(Speech::MethodScript, events));
    device.receive(SWEEP.as_bytes(), 0.0);
    assert_eq!(device.advance(0.55), b"e\n");
    assert_eq!(device.take_hang_up(), None);
    let due_s = device.deadline_s().unwrap();
    assert!((due_s - 0.65).abs() < 1e-9, "{due_s}");
    assert_eq!(device.advance(due_s), b"");
    assert_eq!(device.take_hang_up(), Some(2.5));
    assert_eq!(texts(&ask(&mut device, "t\n", 5.0)), "tes4_hr1500#x\nR*\n");
}

#[test]
fn what_came_unasked_comes_unasked() {
    let events = [session(1.0), rx(2.0, "Index\n"), rx(3.0, "1\n")];
    let (mut device, _) = device(Conversation::of_events(Speech::Lines, events));
    assert!(device.waits_for_client());
    assert_eq!(
        ask(&mut device, "", 0.0),
        [(2.0, "Index\n".to_owned()), (3.0, "1\n".to_owned())]
    );
}
