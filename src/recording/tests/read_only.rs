//! Recordings where nothing may be written: on a disc, a mounted backup, in somebody else's folder.

use std::process::Command;

use super::*;
use crate::state::State;

/// A user without rights; tests that run as the superuser, for whom every folder is writable, run the check as this one.
const NOBODY: u32 = 65_534;

/// The name by which the test that is run again in another process knows what to look at.
const LOOK_AT: &str = "INTERPHASE_TEST_READ_ONLY";

fn look_at_all_of(path: &Path) {
    let mut reader = Reader::open(path).unwrap();
    let events: Vec<Event> = reader.events(0).collect::<Result<_, _>>().unwrap();
    assert_eq!(events.len() as u64, reader.last_seq().unwrap());
    assert!(verify(path).unwrap().is_sound());
    let mut playback = Playback::open(path).unwrap();
    let mut state = State::outline();
    assert!(playback.move_to(&mut state, events.len() as u64).unwrap());
    while playback.is_learning() {
        playback.learn(&mut state).unwrap();
    }
    let mut whole = State::new();
    whole.apply_all(&events);
    assert_eq!(state.digest_with(&mut reader).unwrap(), whole.digest());
}

/// Not a test by itself: what the others run as a user who may not write.
#[test]
fn a_recording_named_by_the_test_that_runs_this_one_can_be_read() {
    if let Some(path) = std::env::var_os(LOOK_AT) {
        look_at_all_of(Path::new(&path));
    }
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Reads a recording in a folder where nothing can be written, as somebody who is stopped by that.
fn assert_readable(folder: &Path, name: &str) {
    use std::os::unix::process::CommandExt;
    for entry in folder.read_dir().unwrap() {
        set_mode(&entry.unwrap().path(), 0o444);
    }
    set_mode(folder, 0o555);
    let before: Vec<_> = names(folder);
    let test = "recording::tests::read_only::a_recording_named_by_the_test_that_runs_this_one_can_be_read";
    // Somewhere the other user can run it from.
    let (program, copied) = (std::env::current_exe().unwrap(), tempfile::tempdir().unwrap());
    let mut run = if rustix::process::geteuid().is_root() {
        let copy = copied.path().join("test");
        std::fs::copy(program, &copy).unwrap();
        set_mode(copied.path(), 0o755);
        set_mode(&copy, 0o755);
        let mut run = Command::new(copy);
        run.uid(NOBODY).gid(NOBODY).current_dir("/");
        run
    } else {
        Command::new(program)
    };
    let output = run
        .args([test, "--exact"])
        .env(LOOK_AT, folder.join(name))
        .output()
        .unwrap();
    set_mode(folder, 0o755);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    assert_eq!(names(folder), before);
}

fn names(folder: &Path) -> Vec<std::ffi::OsString> {
    let mut names: Vec<_> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    names
}

#[test]
fn a_closed_recording_opens_verifies_and_replays_where_nothing_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    recorded(&folder.path().join("a.interphase"), 3, 20);
    assert_readable(folder.path(), "a.interphase");
}

#[test]
fn a_file_left_in_write_ahead_mode_without_its_log_is_read_where_nothing_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    recorded(&path, 3, 20);
    rusqlite::Connection::open(&path)
        .unwrap()
        .query_row("pragma journal_mode = wal", [], |_| Ok(()))
        .unwrap();
    assert_eq!(names(folder.path()), ["a.interphase"]);
    assert_readable(folder.path(), "a.interphase");
}

#[test]
fn the_file_of_a_session_that_was_cut_off_is_read_with_its_log_where_nothing_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let running = folder.path().join("running.interphase");
    let mut writer = Writer::create(&running, &Opening::default()).unwrap();
    for (stamp, body) in session_of(2, 20) {
        writer.append(stamp, body).unwrap();
    }
    writer.commit().unwrap();
    // As a power cut leaves it, and a copy of what it left.
    let medium = tempfile::tempdir().unwrap();
    for ending in ["", "-wal"] {
        let name = file::beside(Path::new("a.interphase"), ending);
        std::fs::copy(file::beside(&running, ending), medium.path().join(name)).unwrap();
    }
    drop(writer);
    assert_readable(medium.path(), "a.interphase");
}
