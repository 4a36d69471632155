//! What a recording must keep, and what it must refuse.

mod crash;
mod damage;
mod disk;
mod document;
mod follow;
mod formats;
mod go_on;
mod playback;
mod read_only;
mod readers;
mod recover;
mod recover_damage;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use proptest::prelude::*;

use super::sample::{body, session_of, stamp};
use super::*;
use crate::event::{Event, EventBody, Note, PointMeasured, Stamp};
use crate::spectrum::Point;

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

/// The same text with every number that is -0.0 made 0.0.
fn without_signed_zeros(text: &str) -> String {
    let words = text.split_inclusive([',', ' ', ')', ']']);
    words
        .map(|word| {
            let number = word.trim_end_matches([',', ' ', ')', ']']);
            match number.strip_suffix("-0.0") {
                Some(before) => format!("{before}0.0{}", &word[number.len()..]),
                None => word.to_owned(),
            }
        })
        .collect()
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
            prop_assert_eq!(bits(&event), without_signed_zeros(&bits(&as_given)));
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
        let mode = file::beside(&path, ending)
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

#[test]
fn a_null_impedance_is_nan_and_a_null_extra_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    let mut writer = Writer::create(&path, &Opening::default()).unwrap();
    let mut point = Point::new(1.0, f64::NAN, -0.0);
    point.current_a = Some(f64::NAN);
    let body = EventBody::Point(PointMeasured {
        sweep: 1,
        index: 0,
        point,
    });
    writer.append(at(0), body).unwrap();
    writer.close().unwrap();
    let EventBody::Point(read) = all_events(&path).remove(0).body else {
        panic!("not a point");
    };
    assert!(read.point.z_real_ohm.is_nan());
    assert_eq!(read.point.z_imag_ohm.to_bits(), 0.0_f64.to_bits());
    assert_eq!(read.point.current_a, None);
}

#[test]
fn a_person_can_ask_for_the_points_of_a_sweep_and_the_history_of_a_parameter() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    recorded(&path, 4, 5);
    let connection = rusqlite::Connection::open(&path).unwrap();
    let mut statement = connection
        .prepare("select * from spectrum where sweep = 3")
        .unwrap();
    let rows: Vec<(i64, i64, f64, f64, f64, String)> = statement
        .query_map([], |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get(4)?,
                row.get(5)?,
            ))
        })
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let expected: Vec<_> = (0..5)
        .map(|index| {
            let n = index as f64;
            (3, index, 1e5 / (n + 1.0), 3.0, 0.0 - n / 3.0, "ok".to_owned())
        })
        .collect();
    assert_eq!(rows, expected);
    let views = [
        ("spectrum", true),
        ("sweeps", true),
        ("fits", false),
        ("history", false),
        ("samples", false),
        ("alarms", false),
        ("wire_text", true),
        ("event_log", true),
    ];
    for (view, any) in views {
        let count = connection.query_row(&format!("select count(*) from {view}"), [], |row| row.get(0));
        let count: i64 = count.unwrap();
        assert_eq!(count > 0, any, "{view}: {count}");
    }
    let text: String = connection
        .query_row("select text from wire_text limit 1", [], |row| row.get(0))
        .unwrap();
    assert_eq!(text, "Pda0000000\\n");
    let utc: String = connection
        .query_row("select utc from event_log limit 1", [], |row| row.get(0))
        .unwrap();
    assert_eq!(utc, "2026-11-23T08:00:00.000Z");
}

#[test]
fn final_fits_alone_make_the_history() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    let mut writer = Writer::create(&path, &Opening::default()).unwrap();
    for (sweep, is_final, value) in [(1, false, 9.0), (1, true, 10.0), (2, true, 11.0)] {
        writer
            .append(at(0), sample::fit_of_r1(sweep, is_final, value))
            .unwrap();
    }
    writer.close().unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    let mut statement = connection
        .prepare("select sweep, value, std_error, determined from history where name = 'R1'")
        .unwrap();
    let rows: Vec<(i64, f64, Option<f64>, bool)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(rows, [(1, 10.0, Some(0.5), true), (2, 11.0, Some(0.5), true)]);
}

#[test]
fn a_person_can_ask_for_fits_readings_and_alarms() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    let mut writer = Writer::create(&path, &Opening::default()).unwrap();
    let mut sample = crate::spectrum::Sample {
        technique: "ocp".into(),
        potential_v: Some(3.7),
        ..crate::spectrum::Sample::default()
    };
    sample.temperature_k = Some(298.15);
    let alarm = crate::event::Alarm {
        name: "cell_may_be_on".into(),
        severity: crate::event::Severity::Critical,
        value: Some(1.0),
        limit: None,
        sweep: None,
        text: "look".into(),
    };
    let seen = crate::event::AlarmAcknowledged {
        name: "cell_may_be_on".into(),
        origin: "user".into(),
    };
    let bodies = [
        sample::fit_of_r1(1, true, 10.0),
        EventBody::Sample(crate::event::SampleTaken { sample }),
        EventBody::Alarm(alarm.clone()),
        EventBody::AlarmAcknowledged(seen),
        EventBody::Alarm(alarm),
    ];
    for (second, body) in (0..).zip(bodies) {
        writer.append(at(second * 1_000_000_000), body).unwrap();
    }
    writer.close().unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    let one = |sql: &str| -> String { connection.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(
        one("select sweep || ' ' || final || ' ' || seq from fits"),
        "1 1 1"
    );
    assert_eq!(
        one("select utc || ' ' || potential_v || ' ' || temperature_c from samples"),
        "1970-01-01T00:00:01.000Z 3.7 25.0"
    );
    let alarms =
        "select group_concat(severity || ' ' || name || ' ' || coalesce(acknowledged_s, 'open'), '; ')
                  from (select * from alarms order by seq)";
    assert_eq!(
        one(alarms),
        "critical cell_may_be_on 3.0; critical cell_may_be_on open"
    );
}

#[test]
fn what_a_recording_begins_with_is_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    let attachment = |name: &str, bytes: &[u8]| Attachment {
        name: name.into(),
        media_type: "application/toml".into(),
        bytes: bytes.into(),
    };
    let opening = Opening {
        meta: vec![("session_id".into(), "7".into())],
        attachments: vec![attachment("z.toml", b"a = 1"), attachment("a.toml", b"")],
    };
    let mut writer = Writer::create(&path, &opening).unwrap();
    writer.set_meta("state_digest", "old").unwrap();
    writer.set_meta("state_digest", "new").unwrap();
    let closed = writer.close().unwrap();
    let mut reader = Reader::open(&path).unwrap();
    assert_eq!(reader.attachments().unwrap(), opening.attachments);
    assert_eq!(reader.meta("session_id").unwrap().as_deref(), Some("7"));
    assert_eq!(reader.meta("state_digest").unwrap().as_deref(), Some("new"));
    assert_eq!(reader.meta("nothing").unwrap(), None);
    let hash = reader.meta(META_CHAIN_HASH).unwrap();
    assert_eq!(hash, Some(closed.chain_hash.to_hex().to_string()));
}

#[test]
fn places_are_found_by_time_sweep_and_number() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    recorded(&path, 3, 4);
    let events = all_events(&path);
    let mut reader = Reader::open(&path).unwrap();
    for elapsed_ns in (-1..60).map(|step| step * 50_000_000) {
        let expected = events
            .iter()
            .take_while(|event| event.stamp.elapsed_ns <= elapsed_ns)
            .last()
            .map_or(0, |event| event.seq);
        assert_eq!(
            reader.seq_at_elapsed(elapsed_ns).unwrap(),
            expected,
            "{elapsed_ns}"
        );
    }
    assert_eq!(reader.stamp_of(5).unwrap(), Some(events[4].stamp));
    assert_eq!(reader.stamp_of(events.len() as u64 + 1).unwrap(), None);
    let sweeps = reader.sweeps().unwrap();
    assert_eq!(sweeps.len(), 3);
    for span in sweeps {
        let started = &events[span.started_seq as usize - 1];
        assert!(matches!(&started.body, EventBody::SweepStarted(s) if s.sweep == span.sweep));
        let ended = &events[span.ended_seq.unwrap() as usize - 1];
        assert!(matches!(&ended.body, EventBody::SweepEnded(s) if s.sweep == span.sweep));
        assert_eq!(reader.seq_of_sweep(span.sweep).unwrap(), Some(span.started_seq));
    }
    assert_eq!(reader.seq_of_sweep(4).unwrap(), None);
    let last = events.last().unwrap();
    let ends = reader.span().unwrap().unwrap();
    assert_eq!(ends, [(1, events[0].stamp), (last.seq, last.stamp)]);
}

#[test]
fn a_stamp_that_comes_late_does_not_hide_what_came_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    let mut writer = Writer::create(&path, &Opening::default()).unwrap();
    for elapsed_ns in [10, 30, 20, 40] {
        writer.append(at(elapsed_ns), note("")).unwrap();
        writer.commit().unwrap();
    }
    writer.close().unwrap();
    let mut reader = Reader::open(&path).unwrap();
    let found = [9, 10, 29, 30, 39, 40].map(|elapsed_ns| reader.seq_at_elapsed(elapsed_ns).unwrap());
    assert_eq!(found, [0, 1, 1, 3, 3, 4]);
}

#[test]
fn events_end_where_they_are_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    recorded(&path, 1, 9);
    let mut reader = Reader::open(&path).unwrap();
    let numbers = |events: Events<'_>| events.map(|event| event.unwrap().seq).collect::<Vec<_>>();
    assert_eq!(numbers(reader.events(3).until(6)), [4, 5, 6]);
    assert!(numbers(reader.events(6).until(6)).is_empty());
    assert!(numbers(reader.events(u64::MAX)).is_empty());
    assert_eq!(reader.read(0, 2).unwrap().len(), 2);
}
