//! Any moment of a recording, by whatever way it is reached, is what folding all events before it gives.

use rusqlite::Connection;

use super::*;
use crate::state::{Head, State};

/// As few sweeps and names as it takes for events to have to do with each other.
fn entangled(mut body: EventBody) -> EventBody {
    let few = |sweep: &mut u32| *sweep %= 3;
    match &mut body {
        EventBody::SweepStarted(body) => few(&mut body.sweep),
        EventBody::SweepEnded(body) => few(&mut body.sweep),
        EventBody::Point(body) => few(&mut body.sweep),
        EventBody::Fit(body) => few(&mut body.sweep),
        EventBody::Validity(body) => few(&mut body.sweep),
        EventBody::Alarm(body) => body.name = ["a", "b"][body.name.len() % 2].into(),
        EventBody::AlarmAcknowledged(body) => body.name = ["a", "b"][body.name.len() % 2].into(),
        EventBody::Command(body) => {
            body.command = ["pause", "resume", "stop"][body.command.len() % 3].into();
        }
        _ => {}
    }
    body
}

/// A closed recording of those events with a head after every few.
fn recorded_with_heads(path: &Path, given: Vec<(Stamp, EventBody)>, commit_each: usize, heads_each: u64) {
    let mut writer = Writer::create(path, &Opening::default()).unwrap();
    writer.heads_each(heads_each);
    for (number, (stamp, body)) in given.into_iter().enumerate() {
        writer.append(stamp, entangled(body)).unwrap();
        if number % commit_each == 0 {
            writer.commit().unwrap();
        }
    }
    writer.close().unwrap();
}

fn folded(events: &[Event]) -> State {
    let mut state = State::new();
    state.apply_all(events);
    state
}

/// Heads by their text, in which NaN equals NaN.
fn text(head: &Head) -> String {
    format!("{head:?}")
}

fn reach(playback: &mut Playback, state: &mut State, target: u64) {
    while !playback.move_to(state, target).unwrap() {}
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn every_moment_has_the_head_and_the_digest_of_the_fold_from_the_beginning(
        given in proptest::collection::vec((stamp(), body()), 1..60),
        commit_each in 1_usize..6,
        heads_each in 1_u64..12,
        with_heads in any::<bool>(),
        early in proptest::collection::vec(0_u64..60, 0..4),
        later in proptest::collection::vec(0_u64..60, 1..8),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.interphase");
        recorded_with_heads(&path, given, commit_each, heads_each);
        if !with_heads {
            Connection::open(&path).unwrap().execute_batch("drop table head").unwrap();
        }
        let events = all_events(&path);
        let verified = verify(&path).unwrap();
        prop_assert!(verified.is_sound(), "{:?}", verified.problems);

        let mut reader = Reader::open(&path).unwrap();
        for until in 0..=events.len() {
            let head = reader.head_before(until as u64).unwrap();
            prop_assert!(with_heads || head.last_seq == 0);
            prop_assert_eq!(text(&head), text(folded(&events[..head.last_seq as usize]).head()));
        }

        let mut playback = Playback::short_sighted(&path);
        let mut state = State::outline();
        // While the beginning is not known yet, the head is.
        for target in early {
            let target = target.min(events.len() as u64);
            reach(&mut playback, &mut state, target);
            prop_assert_eq!(text(state.head()), text(folded(&events[..target as usize]).head()));
        }
        while playback.is_learning() {
            playback.learn(&mut state).unwrap();
        }
        for target in later {
            let target = target.min(events.len() as u64);
            reach(&mut playback, &mut state, target);
            playback.show_points(&mut state, None).unwrap();
            let whole = folded(&events[..target as usize]);
            prop_assert_eq!(state.digest_with(&mut reader).unwrap(), whole.digest());
            prop_assert_eq!(state.log().len(), whole.log().len());
            if let (Some(shown), Some(last)) = (state.sweeps().last(), whole.sweeps().last()) {
                prop_assert_eq!(&shown.arrivals, &last.arrivals);
                prop_assert_eq!(format!("{:?}", shown.points()), format!("{:?}", last.points()));
            }
        }
    }

    #[test]
    fn a_state_that_holds_less_has_the_same_digest(
        given in proptest::collection::vec((stamp(), body()), 1..60),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.interphase");
        recorded_with_heads(&path, given, 7, 10);
        let events = all_events(&path);
        let mut reader = Reader::open(&path).unwrap();
        let digest = folded(&events).digest();
        for mut state in [State::new(), State::without_samples(), State::outline()] {
            state.apply_all(&events);
            prop_assert_eq!(&state.digest_with(&mut reader).unwrap(), &digest);
        }
    }
}

fn sessions_with_heads(path: &Path) -> Vec<Event> {
    recorded_with_heads(path, session_of(4, 20), 3, 10);
    all_events(path)
}

#[test]
fn a_stored_head_that_is_not_what_the_events_say_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    sessions_with_heads(&path);
    assert!(verify(&path).unwrap().is_sound());
    let connection = Connection::open(&path).unwrap();
    let heads: i64 = connection
        .query_row("select count(*) from head", [], |row| row.get(0))
        .unwrap();
    assert!(heads > 5, "{heads}");
    connection
        .execute_batch(
            "update head set rx_bytes = rx_bytes + 1 where after_seq = (select max(after_seq) from head)",
        )
        .unwrap();
    drop(connection);
    let problems = verify(&path).unwrap().problems;
    assert!(matches!(problems.as_slice(), [Problem::Head(_)]), "{problems:?}");
}

#[test]
fn heads_of_another_version_of_the_state_are_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    let events = sessions_with_heads(&path);
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch("update head set state_version = 99, events = 'nonsense'")
        .unwrap();
    drop(connection);
    assert!(verify(&path).unwrap().is_sound());
    let mut reader = Reader::open(&path).unwrap();
    assert_eq!(reader.head_before(events.len() as u64).unwrap(), Head::default());
}

#[test]
fn a_recording_that_goes_on_keeps_heads_that_are_right_whether_it_had_any_or_not() {
    let folder = tempfile::tempdir().unwrap();
    for with_heads in [true, false] {
        let path = folder.path().join(format!("{with_heads}.interphase"));
        sessions_with_heads(&path);
        if !with_heads {
            let connection = Connection::open(&path).unwrap();
            connection.execute_batch("drop table head").unwrap();
        }
        let mut writer = Writer::go_on(&path).unwrap();
        writer.heads_each(10);
        for (stamp, body) in session_of(2, 20) {
            writer.append(stamp, body).unwrap();
            writer.commit().unwrap();
        }
        writer.close().unwrap();
        let verified = verify(&path).unwrap();
        assert!(verified.is_sound(), "{:?}", verified.problems);
        let events = all_events(&path);
        let mut reader = Reader::open(&path).unwrap();
        let head = reader.head_before(events.len() as u64).unwrap();
        assert!(head.last_seq + 10 >= events.len() as u64);
        assert_eq!(&head, folded(&events[..head.last_seq as usize]).head());
    }
}
