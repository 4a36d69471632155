//! Files that are damaged, changed, or not recordings at all.

use super::*;

fn refusal(path: &Path) -> String {
    Reader::open(path).err().unwrap().to_string()
}

#[test]
fn other_files_are_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    assert!(refusal(&path).contains("check the name"), "{}", refusal(&path));
    assert!(refusal(folder.path()).contains("it is a folder"));
    std::fs::write(&path, "").unwrap();
    assert!(refusal(&path).contains("the file is empty"), "{}", refusal(&path));
    std::fs::write(&path, "frequency_hz,z_real_ohm\n".repeat(500)).unwrap();
    assert!(
        refusal(&path).contains("not an SQLite file"),
        "{}",
        refusal(&path)
    );
    std::fs::remove_file(&path).unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch("create table bookmarks (a)").unwrap();
    assert!(
        refusal(&path).contains("SQLite file of another program"),
        "{}",
        refusal(&path)
    );
}

#[test]
fn a_recording_of_a_newer_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    recorded(&path, 1, 1);
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch("pragma user_version = 3").unwrap();
    assert!(
        refusal(&path).contains("format 3, this program reads up to 2"),
        "{}",
        refusal(&path)
    );
}

#[test]
fn verify_passes_what_was_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    let closed = recorded(&path, 2, 10);
    let verified = verify(&path).unwrap();
    assert!(verified.is_sound(), "{:?}", verified.problems);
    assert_eq!(verified.events, closed.last_seq);
    assert_eq!(verified.chain_hash, closed.chain_hash.to_hex().to_string());
    assert!(verified.closed && verified.session_ended);
}

/// What verify says after a change by hand.
fn problems_after(change: &str) -> Vec<Problem> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    recorded(&path, 2, 10);
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch(change).unwrap();
    drop(connection);
    verify(&path).unwrap().problems
}

#[test]
fn a_changed_value_is_found_with_its_time_and_spoils_no_other_batch() {
    let problems =
        problems_after("update point set z_real_ohm = z_real_ohm + 1e-12 where sweep = 1 and idx = 4");
    let [
        Problem::Batch {
            first_seq,
            last_seq,
            from,
            to,
            what,
            ..
        },
    ] = problems.as_slice()
    else {
        panic!("{problems:?}");
    };
    // Event 12 is the point, and every seven events were committed together, 100 ms apart.
    assert_eq!((*first_seq, *last_seq), (8, 14));
    assert_eq!((from.elapsed_ns, to.elapsed_ns), (700_000_000, 1_300_000_000));
    assert!(what.contains("hash"), "{what}");
}

#[test]
fn missing_added_and_cut_off_events_are_found() {
    let missing = problems_after("delete from wire where seq = 9");
    assert!(
        missing[0].to_string().contains("event 9 is missing"),
        "{missing:?}"
    );
    let added = problems_after("insert into note values (9999, 0, 0, 'forged')");
    assert_eq!(added, [Problem::Uncommitted(1)]);
    let cut = problems_after(
        "delete from session where seq > 42; delete from sweep where seq > 42; delete from point where seq > 42; \
         delete from wire where seq > 42; delete from batch where last_seq > 42",
    );
    assert_eq!(cut, [Problem::End]);
    let part = problems_after("update wire set direction = 'sideways' where seq = 9");
    assert!(part[0].to_string().contains("sideways"), "{part:?}");
}

#[test]
fn a_changed_attachment_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    let attachment = Attachment {
        name: "cell.toml".into(),
        media_type: "application/toml".into(),
        bytes: b"area = 1".to_vec(),
    };
    let opening = Opening {
        attachments: vec![attachment],
        ..Opening::default()
    };
    let mut writer = Writer::create(&path, &opening).unwrap();
    writer.append(at(0), note("a")).unwrap();
    writer.close().unwrap();
    assert!(verify(&path).unwrap().is_sound());
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch("update attachment set bytes = x'00'")
        .unwrap();
    drop(connection);
    let problems = verify(&path).unwrap().problems;
    assert!(
        problems.contains(&Problem::Attachment("cell.toml".into())),
        "{problems:?}"
    );
}

/// All events of a file, as far as it can be read at all.
fn readable(path: &Path) -> Option<Vec<Event>> {
    Reader::open(path).ok()?.events(0).collect::<Result<_, _>>().ok()
}

#[test]
fn no_flipped_bit_and_no_lost_end_changes_events_without_a_complaint() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    recorded(&path, 4, 150);
    let whole = std::fs::read(&path).unwrap();
    let events = all_events(&path);
    let damaged = folder.path().join("b.interphase");
    let mut complaints = 0;
    let flips = (0..whole.len()).step_by(whole.len() / 150).map(|place| {
        let mut bytes = whole.clone();
        bytes[place] ^= 1 << (place % 8);
        bytes
    });
    let cuts = (0..40).map(|part| whole[..whole.len() * part / 40].to_vec());
    for bytes in flips.chain(cuts) {
        std::fs::write(&damaged, bytes).unwrap();
        let sound = verify(&damaged).is_ok_and(|verified| verified.is_sound());
        if sound {
            assert_eq!(readable(&damaged), Some(events.clone()));
        } else {
            complaints += 1;
            // It may fail, but it may not bring the program down.
            readable(&damaged);
        }
    }
    assert!(complaints > 100, "{complaints}");
}

#[test]
fn commits_whose_numbers_fall_are_told_and_not_read_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    recorded(&path, 2, 10);
    let connection = rusqlite::Connection::open(&path).unwrap();
    let root: usize = connection
        .query_row(
            "select rootpage from sqlite_schema where name = 'batch'",
            [],
            |row| row.get::<_, i64>(0),
        )
        .unwrap() as usize;
    drop(connection);
    let mut bytes = std::fs::read(&path).unwrap();
    let page = (root - 1) * 4096;
    let number = |at: usize| usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]));
    let cells = number(page + 3);
    assert_eq!(bytes[page], 0x0D, "a leaf");
    assert!((2..128).contains(&cells), "{cells} commits");
    // The last cell: size of the row, then the number of the row, of a byte each.
    let last = page + number(page + 8 + 2 * (cells - 1));
    assert_eq!(usize::from(bytes[last + 1]), cells);
    bytes[last + 1] = 1;
    std::fs::write(&path, bytes).unwrap();
    let problems = verify(&path).unwrap().problems;
    assert!(
        problems
            .iter()
            .any(|problem| problem.to_string().contains("stands after")),
        "{problems:?}"
    );
}

#[test]
fn what_is_committed_while_a_recording_is_verified_is_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    recorded(&path, 2, 10);
    let mut writer = Writer::go_on(&path).unwrap();
    let mut seq = verify(&path).unwrap().events;
    let before = seq;
    let verified = verify_each(&path, |event| {
        if event.seq % 3 != 0 {
            return;
        }
        for _ in 0..5 {
            seq += 1;
            let body = EventBody::Note(Note {
                text: format!("while it is looked at, {seq}"),
            });
            let stamp = Stamp {
                utc_ns: event.stamp.utc_ns,
                elapsed_ns: i64::MAX / 2,
            };
            assert_eq!(writer.append(stamp, body).unwrap(), seq);
        }
        writer.commit().unwrap();
    })
    .unwrap();
    assert!(seq > before + 20, "{seq}");
    assert_eq!(verified.problems, Vec::new());
    assert!(verified.events >= before && verified.events < seq);
    drop(writer);
    assert!(verify(&path).unwrap().is_sound());
}

#[test]
fn times_by_which_a_moment_is_found_and_heads_that_cannot_be_read_are_checked() {
    for change in [
        "update batch set last_elapsed_ns = last_elapsed_ns + 1 where id = 1",
        "update batch set first_elapsed_ns = first_elapsed_ns - 1 where id = 1",
        "update batch set first_utc_ns = first_utc_ns + 1 where id = 1",
        "update batch set last_utc_ns = last_utc_ns - 1 where id = 1",
        "insert into head values (3, 1, 'x', 0, '[]')",
        "insert into note values (-5, 0, 0, 'never said')",
    ] {
        assert!(!problems_after(change).is_empty(), "{change}");
    }
}
