//! Readers beside a writer.

use super::*;

#[test]
fn a_follower_sees_all_committed_events_in_order_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    let mut writer = Writer::create(&path, &Opening::default()).unwrap();
    let mut follower = Reader::open(&path).unwrap();
    let mut seen = Vec::new();
    for (stamp, body) in session_of(2, 10) {
        writer.append(stamp, body).unwrap();
        if writer.last_seq().is_multiple_of(3) {
            writer.commit().unwrap();
        }
        let new = follower.read(seen.len() as u64, usize::MAX).unwrap();
        seen.extend(new.into_iter().map(|event| event.seq));
        let expected: Vec<u64> = (1..=writer.committed()).collect();
        assert_eq!(seen, expected);
        assert_eq!(follower.last_seq().unwrap(), writer.committed());
    }
}

#[test]
fn the_data_version_tells_that_something_was_committed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    let mut writer = Writer::create(&path, &Opening::default()).unwrap();
    let mut follower = Reader::open(&path).unwrap();
    let before = follower.data_version().unwrap();
    writer.append(at(0), note("a")).unwrap();
    assert_eq!(follower.data_version().unwrap(), before);
    writer.commit().unwrap();
    assert_ne!(follower.data_version().unwrap(), before);
}

#[test]
fn a_follower_that_has_read_the_end_lets_the_session_leave_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    let mut writer = Writer::create(&path, &Opening::default()).unwrap();
    let mut follower = Reader::open(&path).unwrap();
    for (stamp, body) in session_of(1, 3) {
        writer.append(stamp, body).unwrap();
    }
    writer.commit().unwrap();
    assert_eq!(follower.events(0).count() as u64, writer.last_seq());
    let closed = writer.close().unwrap();
    assert!(closed.settled);
    let names: Vec<_> = folder
        .path()
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["a.interphase"]);
    assert_eq!(follower.last_seq().unwrap(), closed.last_seq);
    assert_eq!(follower.read(0, 2).unwrap().len(), 2);
    assert_eq!(folder.path().read_dir().unwrap().count(), 1);
}

#[test]
fn a_file_that_a_reader_held_on_to_can_be_settled_later() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    let mut writer = Writer::create(&path, &Opening::default()).unwrap();
    writer.append(at(0), note("a")).unwrap();
    writer.commit().unwrap();
    let mut slow = Reader::open(&path).unwrap();
    assert_eq!(slow.last_seq().unwrap(), 1);
    assert!(!writer.close().unwrap().settled);
    assert_eq!(all_events(&path).len(), 1);
    assert!(!settle(&path).unwrap());
    drop(slow);
    assert!(settle(&path).unwrap());
    assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    assert_eq!(all_events(&path).len(), 1);
}
