//! Files of earlier formats stay readable and keep their hashes.

use rusqlite::Connection;

use super::*;
use crate::event::{Validity, ValidityDetails};
use crate::state::State;

fn judged(details: Option<ValidityDetails>) -> EventBody {
    EventBody::Validity(Validity {
        sweep: 1,
        method: "lin-kk".into(),
        verdict: "suspect".into(),
        max_residual_percent: Some(1.2),
        noise_source: "local".into(),
        details,
        ..Validity::default()
    })
}

fn write(path: &Path, bodies: &[EventBody]) -> Vec<Event> {
    let mut writer = Writer::create(path, &Opening::default()).unwrap();
    for (index, body) in bodies.iter().enumerate() {
        writer.append(at(index as i64), body.clone()).unwrap();
    }
    writer.close().unwrap();
    all_events(path)
}

/// Takes out of a file what format 2 added.
fn make_format_1(path: &Path) {
    let connection = Connection::open(path).unwrap();
    let added = [
        "final",
        "reasons",
        "form",
        "series_capacitance",
        "inductance",
        "n_used",
        "doubtful",
        "drift_percent",
        "drift_std_error_percent",
    ];
    connection
        .execute_batch("drop view event_log; drop table amendment; pragma user_version = 1")
        .unwrap();
    for column in added {
        connection
            .execute_batch(&format!("alter table validity drop column {column}"))
            .unwrap();
    }
}

#[test]
fn a_file_of_format_1_reads_and_verifies_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    let events = write(&path, &[note("a"), judged(None), note("b")]);
    make_format_1(&path);
    assert_eq!(all_events(&path), events);
    let verified = verify(&path).unwrap();
    assert!(verified.is_sound(), "{:?}", verified.problems);
    assert_eq!(verified.events, 3);
}

#[test]
fn a_file_that_cannot_be_gone_on_with_is_told_with_the_last_of_its_events() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    let events = write(&path, &[note("a"), judged(None), note("b")]);
    make_format_1(&path);
    // In the way of what format 2 adds.
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("create table amendment (x)").unwrap();
    drop(connection);
    let error = Writer::go_on(&path).err().unwrap();
    assert!(
        matches!(error, WriteError::Sqlite { committed: 3, .. }),
        "{error}"
    );
    assert_eq!(all_events(&path), events);
}

#[test]
fn a_file_of_format_1_that_goes_on_takes_in_what_format_2_added() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    let mut events = write(&path, &[judged(None)]);
    make_format_1(&path);
    let details = ValidityDetails {
        reasons: vec!["because".into()],
        ..ValidityDetails::default()
    };
    let amend = EventBody::Amend(crate::event::Amend {
        key: "area_cm2".into(),
        old: None,
        new: "1.5".into(),
    });
    let mut writer = Writer::go_on(&path).unwrap();
    for body in [judged(Some(details)), amend] {
        let event = writer.prepare(at(9), body).unwrap();
        writer.append_event(&event).unwrap();
        events.push(event);
    }
    writer.close().unwrap();
    assert_eq!(all_events(&path), events);
    let verified = verify(&path).unwrap();
    assert!(verified.is_sound(), "{:?}", verified.problems);
    // Going on once more changes nothing about the format.
    Writer::go_on(&path).unwrap().close().unwrap();
    assert_eq!(all_events(&path), events);
    let connection = Connection::open(&path).unwrap();
    let told: i64 = connection
        .query_row("select count(*) from event_log where kind = 'amend'", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(told, 1);
}

#[test]
fn what_format_2_added_is_read_back_and_covered_by_the_hash() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    let details = ValidityDetails {
        is_final: true,
        reasons: vec!["residuals rise below 100 mHz".into(), "a \"second\"\none".into()],
        form: "impedance".into(),
        inductance: true,
        n_used: 61,
        doubtful: vec![58, 60],
        drift_percent: Some(1.5),
        ..ValidityDetails::default()
    };
    let events = write(&path, &[judged(Some(details.clone()))]);
    assert_eq!(events[0].body, judged(Some(details)));
    assert!(verify(&path).unwrap().is_sound());
    let connection = Connection::open(&path).unwrap();
    let text: String = connection
        .query_row("select text from event_log", [], |row| row.get(0))
        .unwrap();
    assert_eq!(text, "sweep 1 lin-kk: suspect, residuals rise below 100 mHz");
    connection
        .execute_batch("update validity set doubtful = '[58]'")
        .unwrap();
    drop(connection);
    assert!(!verify(&path).unwrap().is_sound());
}

#[test]
fn the_sample_recordings_are_sound_and_keep_their_digest() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings");
    for name in ["battery_130.interphase", "li_lpscl_li_fresh.interphase"] {
        let path = folder.join(name);
        assert!(verify(&path).unwrap().is_sound(), "{name}");
        let mut state = State::new();
        for event in all_events(&path) {
            state.apply(&event);
        }
        let mut reader = Reader::open(&path).unwrap();
        assert_eq!(
            reader.meta("state_digest").unwrap(),
            Some(state.digest()),
            "{name}"
        );
    }
}

/// A file of each format: its name, its format, its last hash, and the digest of its state.
const RELEASED: [(&str, i64, &str, &str); 2] = [
    (
        "format-1.interphase",
        1,
        "8bf6840104c637cfd4b0708814e3809fdd0a57c24ec44c0a16cf45e79110a623",
        "9ae9963139276ccf0d5bde45a5793d23dc5440c7c3d5cc8e51922b3755c7d128",
    ),
    (
        "format-2.interphase",
        2,
        "b115b59a78af0375103e4beb094a335ccc330553590719b1680f9583303b1512",
        "fe0b6227c9939c07229ac4db5c27f7e9ad45362886767bdc5f2e81458be384d5",
    ),
];

#[test]
fn a_file_of_every_format_opens_verifies_and_keeps_its_digest() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/recordings");
    for (name, format, chain_hash, digest) in RELEASED {
        let path = folder.join(name);
        assert_eq!(Reader::open(&path).unwrap().format(), format);
        let verified = verify(&path).unwrap();
        assert!(
            verified.is_sound() && verified.closed && verified.session_ended,
            "{name}: {verified:?}"
        );
        assert_eq!(verified.chain_hash, chain_hash, "{name}");
        let mut state = State::new();
        for event in all_events(&path) {
            state.apply(&event);
        }
        assert_eq!(state.digest(), digest, "{name}");
    }
}
