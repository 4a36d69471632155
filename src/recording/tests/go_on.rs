//! Going on in a recording, and copies of one that is written.

use super::*;

fn appended(path: &Path, text: &str) -> Event {
    let mut writer = Writer::go_on(path).unwrap();
    let event = writer.prepare(at(7), note(text)).unwrap();
    writer.append_event(&event).unwrap();
    writer.close().unwrap();
    event
}

#[test]
fn a_closed_recording_that_goes_on_keeps_its_events_its_chain_and_the_next_number() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    let before = recorded(&path, 2, 9);
    let old = all_events(&path);
    let new = appended(&path, "later");
    assert_eq!(new.seq, before.last_seq + 1);
    let events = all_events(&path);
    assert_eq!(events[..old.len()], old);
    assert_eq!(events[old.len()..], [new]);
    let found = verify(&path).unwrap();
    assert!(found.is_sound(), "{:?}", found.problems);
    assert_ne!(found.chain_hash, before.chain_hash.to_hex().as_str());
    assert!(!file::beside(&path, "-wal").exists());
}

#[test]
fn a_recording_that_was_cut_off_goes_on_after_its_last_commit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    let mut writer = Writer::create(&path, &Opening::default()).unwrap();
    writer.append(at(1), note("kept")).unwrap();
    writer.commit().unwrap();
    writer.append(at(2), note("lost")).unwrap();
    drop(writer);
    let new = appended(&path, "after");
    assert_eq!(new.seq, 2);
    let texts: Vec<EventBody> = all_events(&path).into_iter().map(|event| event.body).collect();
    assert_eq!(texts, [note("kept"), note("after")]);
    assert!(verify(&path).unwrap().is_sound());
}

#[test]
fn what_was_noted_at_closing_goes_with_the_first_commit_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    recorded(&path, 1, 3);
    let mut writer = Writer::go_on(&path).unwrap();
    writer.append(at(9), note("never committed")).unwrap();
    drop(writer);
    assert!(verify(&path).unwrap().closed);
    let mut writer = Writer::go_on(&path).unwrap();
    writer.append(at(9), note("committed")).unwrap();
    writer.commit().unwrap();
    drop(writer);
    let found = verify(&path).unwrap();
    assert!(!found.closed && found.is_sound(), "{found:?}");
}

#[test]
fn of_two_that_go_on_in_one_recording_the_second_to_write_is_refused_and_nothing_is_spoiled() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    recorded(&path, 1, 3);
    let mut one = Writer::go_on(&path).unwrap();
    let mut other = Writer::go_on(&path).unwrap();
    one.append(at(9), note("one")).unwrap();
    one.commit().unwrap();
    let error = other.append(at(9), note("other")).unwrap_err().to_string();
    assert!(error.contains("another program has written"), "{error}");
    one.append(at(10), note("one again")).unwrap();
    one.close().unwrap();
    assert!(verify(&path).unwrap().is_sound());
}

#[test]
fn what_is_no_recording_is_not_gone_on_with_and_stays_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    std::fs::write(&path, "mine").unwrap();
    let error = Writer::go_on(&path).err().unwrap().to_string();
    assert!(error.contains("cannot go on"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
}

#[test]
fn a_failed_write_tells_which_events_are_safe_and_a_read_only_file_is_called_that() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    recorded(&path, 1, 3);
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = rusqlite::Connection::open_with_flags(&path, flags).unwrap();
    let read_only = || connection.execute_batch("create table more (x)").unwrap_err();
    let full = || {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL);
        rusqlite::Error::SqliteFailure(code, Some("database or disk is full".into()))
    };
    let words = |committed, source| {
        let path = path.clone();
        let error = WriteError::Sqlite {
            path,
            committed,
            source,
        };
        error.to_string()
    };
    for committed in [0, 9] {
        let text = words(committed, read_only());
        assert!(text.contains("cannot be written (read-only"), "{text}");
        assert!(text.contains("nothing was changed"), "{text}");
        assert!(
            !text.contains("not recorded") && !text.contains("number 0"),
            "{text}"
        );
    }
    let text = words(9, full());
    assert!(
        text.contains("events up to number 9 are safe, later ones are not recorded"),
        "{text}"
    );
    let text = words(0, full());
    assert!(
        text.contains("no event was written") && text.contains("the space on the disk"),
        "{text}"
    );
}

#[test]
fn a_backup_of_a_recording_that_is_written_holds_what_was_committed_and_stands_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (
        folder.path().join("a.interphase"),
        folder.path().join("b.interphase"),
    );
    let mut writer = Writer::create(&path, &Opening::default()).unwrap();
    writer.append(at(1), note("committed")).unwrap();
    writer.commit().unwrap();
    writer.append(at(2), note("not yet")).unwrap();
    let found = backup(&path, &copy).unwrap();
    assert!(found.is_sound() && found.events == 1, "{found:?}");
    writer.commit().unwrap();
    writer.close().unwrap();
    assert_eq!(all_events(&copy).len(), 1);
    assert_eq!(all_events(&path).len(), 2);
    let mut names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["a.interphase", "b.interphase"]);
    assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_backup_never_replaces_a_file_and_leaves_nothing_where_it_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    recorded(&path, 1, 3);
    let taken = folder.path().join("taken");
    std::fs::write(&taken, "mine").unwrap();
    assert!(
        backup(&path, &taken)
            .unwrap_err()
            .to_string()
            .contains("exists already")
    );
    assert_eq!(std::fs::read(&taken).unwrap(), b"mine");
    let error = backup(&path, &folder.path().join("none/b"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("check that the folder exists"), "{error}");
    assert!(backup(&taken, &folder.path().join("c")).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}
