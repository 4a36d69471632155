//! What a recording must keep, and what it must refuse.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use proptest::prelude::*;

use super::sample::{body, session_of, stamp};
use super::*;
use crate::event::{Event, EventBody, Note, Stamp};

fn note(text: &str) -> EventBody {
    EventBody::Note(Note { text: text.into() })
}

fn at(elapsed_ns: i64) -> Stamp {
    Stamp {
        utc_ns: elapsed_ns,
        elapsed_ns,
    }
}

fn all_events(path: &Path) -> Vec<Event> {
    let mut reader = Reader::open(path).unwrap();
    reader.events(0).collect::<Result<_, _>>().unwrap()
}

/// A closed recording of `sweeps` sweeps of `points` points.
fn recorded(path: &Path, sweeps: u32, points: u32) -> Closed {
    let mut writer = Writer::create(path, &Opening::default()).unwrap();
    for (stamp, body) in session_of(sweeps, points) {
        writer.append(stamp, body).unwrap();
        if writer.last_seq().is_multiple_of(7) {
            writer.commit().unwrap();
        }
    }
    writer.close().unwrap()
}

/// Events by their bits: NaN equals NaN, and -0.0 is not 0.0.
fn bits(event: &Event) -> String {
    format!("{event:?}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn events_of_every_kind_come_back_as_they_were_prepared_and_in_order(
        given in proptest::collection::vec((stamp(), body()), 1..80),
        commit_each in 1_usize..30,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.interphase");
        let mut writer = Writer::create(&path, &Opening::default()).unwrap();
        let mut expected = Vec::new();
        for (number, (stamp, body)) in given.into_iter().enumerate() {
            let event = writer.prepare(stamp, body.clone()).unwrap();
            // The number, the time and the kind are those given, and so is everything but NaN and the sign of zero.
            prop_assert_eq!(event.seq, number as u64 + 1);
            let as_given = Event { seq: event.seq, stamp, body: body.clone() };
            prop_assert_eq!(bits(&event), bits(&as_given).replace("-0.0,", "0.0,").replace("-0.0]", "0.0]").replace("-0.0)", "0.0)").replace("-0.0 ", "0.0 "));
            prop_assert_eq!(writer.append(stamp, body).unwrap(), event.seq);
            expected.push(bits(&event));
            if number % commit_each == 0 {
                writer.commit().unwrap();
            }
        }
        writer.close().unwrap();
        let read: Vec<String> = all_events(&path).iter().map(bits).collect();
        prop_assert_eq!(read, expected);
    }
}

#[test]
fn a_recording_is_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    let mut writer = Writer::create(&path, &Opening::default()).unwrap();
    writer.append(at(0), note("secret")).unwrap();
    writer.commit().unwrap();
    for ending in ["", "-wal", "-shm"] {
        let mode = writer::beside(&path, ending)
            .metadata()
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{ending}");
    }
}

#[test]
fn a_recording_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    std::fs::write(&path, "mine").unwrap();
    let error = Writer::create(&path, &Opening::default()).err().unwrap();
    assert!(
        error.to_string().contains("a.interphase exists already"),
        "{error}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
}
