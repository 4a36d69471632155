//! Sessions that are killed, and folders in which nothing may be written: both need a process of their own.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use super::*;

const WRITE: &str = "INTERPHASE_TEST_WRITE_RECORDING";
const READ: &str = "INTERPHASE_TEST_READ_RECORDING";

/// The part of a test that runs in a process of its own; does nothing without its orders.
#[test]
fn child() {
    if let Some(path) = std::env::var_os(WRITE) {
        let mut writer = Writer::create(Path::new(&path), &Opening::default()).unwrap();
        for (stamp, body) in session_of(1000, 50) {
            writer.append(stamp, body).unwrap();
            if writer.last_seq().is_multiple_of(10) {
                let committed = writer.commit().unwrap().unwrap();
                println!("committed {}", committed.last_seq);
            }
        }
    }
    if let Some(path) = std::env::var_os(READ) {
        match Reader::open(Path::new(&path)) {
            Ok(mut reader) => println!("read {}", reader.events(0).map(Result::unwrap).count()),
            Err(error) => println!("refused {error}"),
        }
    }
}

fn run_child(program: &Path, order: &str, path: &Path, as_nobody: bool) -> (Child, BufReader<ChildStdout>) {
    let mut command = Command::new(program);
    command
        .args(["--exact", "recording::tests::crash::child", "--nocapture"])
        .env(order, path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    if as_nobody {
        command.uid(65534).gid(65534).current_dir("/");
    }
    let mut child = command.spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    (child, output)
}

#[test]
fn after_a_kill_in_mid_session_every_committed_event_is_there_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    let (mut child, output) = run_child(&std::env::current_exe().unwrap(), WRITE, &path, false);
    let mut promised = 0;
    for line in output.lines() {
        if let Some((_, seq)) = line.unwrap().split_once("committed ") {
            promised = seq.parse::<u64>().unwrap();
        }
        if promised >= 300 {
            child.kill().unwrap();
            break;
        }
    }
    child.wait().unwrap();
    assert!(promised >= 300, "the child ended early, at {promised}");
    let expected = session_of(1000, 50);
    let read = all_events(&path);
    assert!(read.len() as u64 >= promised && read.len() < expected.len());
    for (event, (stamp, body)) in read.iter().zip(expected) {
        assert_eq!((event.stamp, &event.body), (stamp, &body));
    }
    let verified = verify(&path).unwrap();
    assert!(
        verified.is_sound() && !verified.closed && !verified.session_ended,
        "{verified:?}"
    );
    assert_eq!(verified.events, read.len() as u64);
    assert!(settle(&path).unwrap());
    assert_eq!(all_events(&path).len(), read.len());
}

/// What a process without the right to write in the folder makes of a recording there.
fn read_without_write_permission(prepare: impl Fn(&Path)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let shelf = folder.path().join("shelf");
    std::fs::create_dir(&shelf).unwrap();
    let path = shelf.join("a.interphase");
    prepare(&path);
    let before = names_in(&shelf);
    let program = folder.path().join("program");
    let this = std::env::current_exe().unwrap();
    if std::fs::hard_link(&this, &program).is_err() {
        std::fs::copy(&this, &program).unwrap();
    }
    let set_mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    set_mode(folder.path(), 0o755);
    for name in &before {
        set_mode(&shelf.join(name), 0o444);
    }
    set_mode(&shelf, 0o555);
    let is_root = rustix::process::geteuid().is_root();
    let (mut child, output) = run_child(&program, READ, &path, is_root);
    let said: Vec<String> = output.lines().map(Result::unwrap).collect();
    child.wait().unwrap();
    set_mode(&shelf, 0o755);
    assert_eq!(names_in(&shelf), before, "reading left something behind");
    let answer = said.iter().find_map(|line| {
        let start = line.find("refused ").or_else(|| line.find("read "))?;
        Some(line[start..].to_owned())
    });
    answer.unwrap_or_else(|| panic!("no answer in {said:?}"))
}

fn names_in(folder: &Path) -> Vec<PathBuf> {
    let mut names: Vec<PathBuf> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into())
        .collect();
    names.sort();
    names
}

#[test]
fn a_closed_recording_is_read_in_a_folder_without_write_permission() {
    let answer = read_without_write_permission(|path| {
        assert!(recorded(path, 1, 3).settled);
    });
    assert_eq!(answer, "read 10");
}

#[test]
fn a_file_left_in_write_ahead_mode_is_read_in_a_folder_without_write_permission() {
    let answer = read_without_write_permission(|path| {
        recorded(path, 1, 3);
        let connection = rusqlite::Connection::open(path).unwrap();
        let mode: String = connection
            .query_row("pragma journal_mode = wal", [], |row| row.get(0))
            .unwrap();
        assert_eq!(mode, "wal");
    });
    assert_eq!(answer, "read 10");
}

#[test]
fn a_killed_session_is_read_with_its_log_in_a_folder_without_write_permission() {
    let answer = read_without_write_permission(|path| {
        let elsewhere = tempfile::tempdir().unwrap();
        let original = elsewhere.path().join("a.interphase");
        let mut writer = Writer::create(&original, &Opening::default()).unwrap();
        writer.append(at(0), note("a")).unwrap();
        writer.commit().unwrap();
        // As after a power cut. Copying drops SQLite's locks, but nobody else is there.
        for ending in ["", "-wal"] {
            std::fs::copy(file::beside(&original, ending), file::beside(path, ending)).unwrap();
        }
    });
    assert_eq!(answer, "read 1");
}
