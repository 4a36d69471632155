//! Recovering: what is sound comes back as it was, and what is not is told.

use std::path::PathBuf;

use proptest::strategy::ValueTree;

use super::super::sample::fit_of_r1;
use super::*;
use crate::event::Gap;

/// A closed recording of sweeps with fits, an attachment, facts, and bytes that fill several pages.
pub(super) fn rich_recording(path: &Path, sweeps: u32, points: u32) -> Vec<Event> {
    let opening = Opening {
        meta: vec![("session".into(), "cell 7".into())],
        attachments: vec![Attachment {
            name: "cell.toml".into(),
            media_type: "application/toml".into(),
            bytes: b"area_cm2 = 0.785\n".repeat(700),
        }],
    };
    let mut writer = Writer::create(path, &opening).unwrap();
    for (stamp, body) in session_of(sweeps, points) {
        let fit = match &body {
            EventBody::SweepEnded(ended) => Some(fit_of_r1(ended.sweep, true, f64::from(ended.sweep) / 3.0)),
            _ => None,
        };
        writer.append(stamp, body).unwrap();
        if let Some(fit) = fit {
            writer.append(stamp, fit).unwrap();
            let bytes = vec![b'x'; 9000];
            let direction = crate::event::Direction::Tx;
            let long = EventBody::Wire(crate::event::Wire { direction, bytes });
            writer.append(stamp, long).unwrap();
        }
        if writer.last_seq().is_multiple_of(11) {
            writer.commit().unwrap();
        }
    }
    writer.close().unwrap();
    all_events(path)
}

struct Case {
    _folder: tempfile::TempDir,
    path: PathBuf,
    out: PathBuf,
    events: Vec<Event>,
}

impl Case {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.interphase");
        let events = rich_recording(&path, 4, 60);
        Self {
            out: folder.path().join("b.interphase"),
            _folder: folder,
            path,
            events,
        }
    }

    fn sql(&self, sql: &str) {
        rusqlite::Connection::open(&self.path)
            .unwrap()
            .execute_batch(sql)
            .unwrap();
    }

    /// Recovers, checks what holds of every recovered recording, and gives back what was found and the new events.
    fn recover(&self, strict: bool) -> (Recovered, Vec<Event>) {
        let before = std::fs::read(&self.path).unwrap();
        let found = recover(&self.path, &self.out, strict).unwrap();
        assert_eq!(
            std::fs::read(&self.path).unwrap(),
            before,
            "the damaged file is not changed"
        );
        let verified = verify(&self.out).unwrap();
        assert!(verified.is_sound(), "{:?}", verified.problems);
        assert_eq!(verified.events, found.written);
        (found, all_events(&self.out))
    }
}

/// What the events say, without their numbers.
fn contents(events: &[Event]) -> Vec<(Stamp, EventBody)> {
    events
        .iter()
        .map(|event| (event.stamp, event.body.clone()))
        .collect()
}

fn is_note(event: &Event, text: &str) -> bool {
    matches!(&event.body, EventBody::Note(note) if note.text.contains(text))
}

fn gaps(events: &[Event]) -> Vec<Gap> {
    let gap = |event: &Event| match &event.body {
        EventBody::Gap(gap) => Some(gap.clone()),
        _ => None,
    };
    events.iter().filter_map(gap).collect()
}

#[test]
fn a_sound_recording_comes_back_as_it_was_but_for_the_note() {
    let case = Case::new();
    let (found, events) = case.recover(false);
    assert!(found.is_whole(), "{found:?}");
    assert_eq!((found.vouched, found.doubtful), (case.events.len() as u64, 0));
    assert!(is_note(&events[1], "recovered from "), "{:?}", events[1]);
    let mut rest = events;
    rest.remove(1);
    assert_eq!(contents(&rest), contents(&case.events));
    let mut old = Reader::open(&case.path).unwrap();
    let mut new = Reader::open(&case.out).unwrap();
    assert_eq!(new.attachments().unwrap(), old.attachments().unwrap());
    assert_eq!(new.meta("session").unwrap().as_deref(), Some("cell 7"));
    assert_eq!(
        new.meta("recovered_chain_hash").unwrap(),
        old.meta("chain_hash").unwrap()
    );
}

#[test]
fn every_kind_of_event_is_found_by_the_shape_of_its_rows_when_the_table_of_tables_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut writer = Writer::create(&path, &Opening::default()).unwrap();
    for index in 0..600 {
        let body = body().new_tree(&mut runner).unwrap().current();
        writer.append(at(index), body).unwrap();
        if index % 20 == 0 {
            writer.commit().unwrap();
        }
    }
    writer.close().unwrap();
    let events = all_events(&path);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[..4096].fill(0);
    std::fs::write(&path, bytes).unwrap();
    let out = folder.path().join("b.interphase");
    let found = recover(&path, &out, false).unwrap();
    assert_eq!((found.vouched, found.doubtful), (600, 0), "{found:?}");
    let recovered: Vec<String> = all_events(&out)
        .into_iter()
        .filter(|event| !is_note(event, "recovered from "))
        .map(|event| format!("{:?}", (event.stamp, event.body)))
        .collect();
    let expected: Vec<String> = events
        .into_iter()
        .map(|event| format!("{:?}", (event.stamp, event.body)))
        .collect();
    assert_eq!(recovered, expected);
}

#[test]
fn the_samples_of_format_1_come_back_whole_also_without_their_first_page() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["battery_130.interphase", "li_lpscl_li_fresh.interphase"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("recordings")
            .join(name);
        let events = all_events(&path);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[..4096].fill(0xff);
        let headless = folder.path().join(name);
        std::fs::write(&headless, bytes).unwrap();
        for (file, out) in [(&path, "whole"), (&headless, "headless")] {
            let out = folder.path().join(format!("{out}-{name}"));
            let found = recover(file, &out, false).unwrap();
            assert_eq!(
                (found.vouched, found.doubtful),
                (events.len() as u64, 0),
                "{name}"
            );
            let mut recovered = all_events(&out);
            recovered.remove(1);
            assert_eq!(contents(&recovered), contents(&events));
        }
    }
}

#[test]
fn a_changed_value_is_taken_over_behind_a_note_or_left_out() {
    let case = Case::new();
    case.sql("update point set z_real_ohm = 99 where sweep = 2 and idx = 30");
    let (found, events) = case.recover(false);
    let [stretch] = found.doubtful_stretches.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!((found.doubtful, found.missing.len()), (11, 0));
    assert_eq!(stretch.events(), 11, "{stretch:?}");
    let told = format!(
        "events {} to {} of the damaged",
        stretch.first_seq, stretch.last_seq
    );
    let place = events.iter().position(|event| is_note(event, &told)).unwrap();
    // One note on the recovery stands before it.
    assert_eq!(place as u64, stretch.first_seq, "right before the first of them");
    std::fs::remove_file(&case.out).unwrap();
    let (found, events) = case.recover(true);
    assert_eq!(found.doubtful, 11);
    assert!(
        events
            .iter()
            .all(|event| { !matches!(&event.body, EventBody::Point(body) if body.point.z_real_ohm == 99.0) })
    );
    let gaps = gaps(&events);
    assert!(gaps[0].reason.contains("left out"), "{gaps:?}");
}

#[test]
fn missing_events_are_a_gap_with_their_old_numbers_and_times() {
    let case = Case::new();
    case.sql(
        "delete from wire where seq between 100 and 110; delete from point where seq between 100 and 110",
    );
    let (found, events) = case.recover(false);
    assert_eq!(found.missing.len(), 1);
    assert_eq!(
        (found.missing[0].first_seq, found.missing[0].last_seq),
        (100, 110)
    );
    let [gap] = gaps(&events).try_into().unwrap();
    assert!(
        gap.reason
            .starts_with("events 100 to 110 of the damaged recording"),
        "{gap:?}"
    );
    assert_eq!(
        (gap.from_utc_ns, gap.to_utc_ns),
        (case.events[98].stamp.utc_ns, case.events[110].stamp.utc_ns)
    );
}

#[test]
fn lost_rows_and_hashes_of_commits_take_no_events_with_them() {
    let case = Case::new();
    let all = case.events.len() as u64;
    case.sql(
        "delete from batch where id in (1, 9, (select max(id) from batch)); \
         update batch set hash = zeroblob(32) where id in (20, 21); update batch set last_seq = 9999 where id = 30; \
         update attachment set bytes = x'00'",
    );
    let (found, _) = case.recover(false);
    assert_eq!((found.vouched, found.doubtful), (all, 0), "{found:?}");
    assert_eq!(found.damaged_attachments, ["cell.toml"]);
    assert!(found.missing.is_empty(), "{:?}", found.missing);
    let names = Reader::open(&case.out).unwrap().attachments().unwrap();
    assert_eq!(names[0].name, "cell.toml (cannot be vouched for)");
}

#[test]
fn a_killed_sessions_log_is_read_also_where_it_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let [live, path] = ["live.interphase", "a.interphase"].map(|name| folder.path().join(name));
    let mut writer = Writer::create(&live, &Opening::default()).unwrap();
    for (stamp, body) in session_of(3, 100) {
        writer.append(stamp, body).unwrap();
        if writer.last_seq().is_multiple_of(20) {
            writer.commit().unwrap();
        }
    }
    let committed = writer.committed();
    let log = |path: &Path| PathBuf::from(format!("{}-wal", path.display()));
    std::fs::copy(&live, &path).unwrap();
    let mut bytes = std::fs::read(log(&live)).unwrap();
    assert!(
        bytes.len() > 100_000,
        "the events stand in the log: {}",
        bytes.len()
    );
    std::fs::write(log(&path), &bytes).unwrap();
    let out = folder.path().join("b.interphase");
    let found = recover(&path, &out, false).unwrap();
    assert_eq!((found.vouched, found.is_whole()), (committed, true), "{found:?}");

    // One bit in the middle ends the log for SQLite; what comes after is still found.
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    std::fs::write(log(&path), &bytes).unwrap();
    let by_sqlite = Reader::open(&path)
        .and_then(|mut reader| reader.last_seq())
        .unwrap();
    std::fs::remove_file(folder.path().join("a.interphase-shm")).ok();
    std::fs::write(log(&path), &bytes).unwrap();
    let out = folder.path().join("c.interphase");
    let found = recover(&path, &out, false).unwrap();
    assert!(by_sqlite < committed / 4 * 3, "{by_sqlite} of {committed}");
    assert!(found.vouched > committed / 10 * 9, "{found:?} of {committed}");
    assert!(found.remarks[0].contains("-wal"), "{found:?}");
}

#[test]
fn nothing_is_overwritten_and_other_files_are_refused() {
    let case = Case::new();
    std::fs::write(&case.out, "mine").unwrap();
    let refusal = recover(&case.path, &case.out, false).unwrap_err().to_string();
    assert!(refusal.contains("exists already"), "{refusal}");
    assert_eq!(std::fs::read(&case.out).unwrap(), b"mine");
    std::fs::remove_file(&case.out).unwrap();
    for bytes in [Vec::new(), b"frequency_hz,z\n".repeat(900), vec![0x0d; 20_000]] {
        std::fs::write(&case.path, bytes).unwrap();
        let refusal = recover(&case.path, &case.out, false).unwrap_err().to_string();
        assert!(refusal.contains("no event of a recording"), "{refusal}");
    }
    std::fs::remove_file(&case.path).unwrap();
    let other = rusqlite::Connection::open(&case.path).unwrap();
    other
        .execute_batch("create table note (seq integer primary key, utc_ns, elapsed_ns, text); insert into note values (1, 1, 1, 'a')")
        .unwrap();
    drop(other);
    let refusal = recover(&case.path, &case.out, false).unwrap_err().to_string();
    assert!(refusal.contains("is it the right file?"), "{refusal}");
    assert!(!case.out.exists());
}

#[test]
fn sweeps_outside_the_damage_are_sound() {
    let case = Case::new();
    assert_eq!(sound_sweeps(&case.path).unwrap().sound, [1, 2, 3, 4]);
    case.sql(
        "update wire set bytes = x'00' where seq = (select seq + 1 from point where sweep = 2 and idx = 20)",
    );
    let sweeps = sound_sweeps(&case.path).unwrap();
    assert_eq!((sweeps.sound, sweeps.damaged), (vec![1, 3, 4], vec![2]));
    case.sql("delete from point where sweep = 3; delete from sweep where sweep = 3");
    let sweeps = sound_sweeps(&case.path).unwrap();
    // Sweep 4 began in the commit in which sweep 3 ended.
    assert_eq!((sweeps.sound, sweeps.damaged), (vec![1], vec![2, 3, 4]));
}
