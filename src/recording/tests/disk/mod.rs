//! Disks that lose their power, and disks that fail: a recording session in a process of its own, over a library that
//! watches what it writes and fails where it is told to (`tests/preload/disk.c`).

mod faults;
mod journal;
mod kill;
mod power_cut;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use super::*;

/// What the child is to do: events in all, events a commit, and whether commits are synced.
const ORDERS: &str = "INTERPHASE_TEST_RECORD_ON_A_DISK";
const FOLDER: &str = "INTERPHASE_TEST_FOLDER";

const RECORDING: &str = "a.interphase";
const PROMISES: &str = "promises";

/// What a session records.
#[derive(Clone, Copy, Debug)]
struct Orders {
    events: usize,
    events_a_commit: usize,
    synced: bool,
}

/// The events, one after the other.
fn events_of(orders: Orders) -> Vec<(Stamp, EventBody)> {
    let session = session_of(1 + orders.events as u32 / 100, 50);
    session.into_iter().take(orders.events).collect()
}

/// The session in a process of its own; does nothing without its orders.
#[test]
fn child() {
    let (Some(orders), Some(folder)) = (std::env::var_os(ORDERS), std::env::var_os(FOLDER)) else {
        return;
    };
    let numbers: Vec<usize> = orders
        .to_str()
        .unwrap()
        .split(' ')
        .map(|number| number.parse().unwrap())
        .collect();
    let orders = Orders {
        events: numbers[0],
        events_a_commit: numbers[1],
        synced: numbers[2] == 1,
    };
    let folder = PathBuf::from(folder);
    let promises = std::fs::File::create(folder.join(PROMISES)).unwrap();
    let promises = Arc::new(Mutex::new(promises));
    let tell = |what: &'static str| {
        let promises = Arc::clone(&promises);
        move |number: u64| {
            // One write a line: a line is there or it is not.
            let line = format!("{what} {number}\n");
            promises.lock().unwrap().write_all(line.as_bytes()).unwrap();
        }
    };
    let (committed, fault, ended) = (tell("committed"), tell("fault"), tell("ended"));
    let writer = match Writer::create(&folder.join(RECORDING), &Opening::default()) {
        Ok(writer) => writer,
        Err(_) => return ended(0),
    };
    if !orders.synced {
        writer.without_sync();
    }
    let hooks = RecorderHooks {
        on_commit: Box::new(move |commit| committed(commit.last_seq)),
        on_disk: Box::new(move |_, error| {
            if error.is_some() {
                fault(0);
            }
        }),
        on_error: Box::new(move |_| ended(0)),
        ..RecorderHooks::default()
    };
    let recorder = Recorder::spawn(writer, hooks).unwrap();
    for (number, (stamp, body)) in events_of(orders).into_iter().enumerate() {
        recorder.record(stamp, body).unwrap();
        if (number + 1).is_multiple_of(orders.events_a_commit) {
            // In trouble it is gone on with, as a session does.
            let _ = recorder.flush();
        }
    }
    let _ = recorder.close(|writer| writer.set_meta(META_STATE_DIGEST, "digest"));
}

/// The library that watches and fails, or why there is none.
struct Preload {
    folder: TempDir,
}

impl Preload {
    /// Builds the library with the system's C compiler; none where there is none.
    fn build() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/preload/disk.c");
        let built = Command::new("cc")
            .args(["-O1", "-shared", "-fPIC", "-o"])
            .arg(folder.path().join("disk.so"))
            .arg(source)
            .args(["-ldl", "-lpthread"])
            .status();
        match built {
            Ok(status) => {
                assert!(status.success(), "tests/preload/disk.c does not compile");
                Some(Self { folder })
            }
            Err(error) => {
                eprintln!("skipped: no C compiler `cc` to build tests/preload/disk.c with ({error})");
                None
            }
        }
    }

    /// Lets a session record in a folder, over the library with these variables set.
    fn record(&self, folder: &Path, orders: Orders, variables: &[(&str, &std::ffi::OsStr)]) -> ExitStatus {
        let mut command = session(folder, orders);
        command
            .env("LD_PRELOAD", self.folder.path().join("disk.so"))
            .env("DISK_FILES", folder.join(RECORDING))
            .env("DISK_PROMISES", folder.join(PROMISES))
            .envs(variables.iter().copied());
        command.status().unwrap()
    }
}

/// A session that records in a folder, in a process of its own.
fn session(folder: &Path, orders: Orders) -> Command {
    let Orders {
        events,
        events_a_commit,
        synced,
    } = orders;
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "recording::tests::disk::child", "--test-threads=1"])
        .env(ORDERS, format!("{events} {events_a_commit} {}", u8::from(synced)))
        .env(FOLDER, folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// What a session was promised and told, line by line.
fn lines_beginning(promises: &str, word: &str) -> Vec<u64> {
    let lines = promises.lines().filter_map(|line| line.strip_prefix(word));
    lines.map(|number| number.trim().parse().unwrap()).collect()
}

/// A number of cases set in the environment, for runs by hand.
fn cases(variable: &str) -> Option<usize> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable}={text}: not a number")),
    )
}

/// What is wrong with a recording of which so many events were promised; nothing where it keeps its promise.
fn broken_promise(path: &Path, promised: u64, expected: &[(Stamp, EventBody)]) -> Option<String> {
    let verified = match verify(path) {
        Ok(verified) => verified,
        // Before the first promise there may be no recording yet.
        Err(_) if promised == 0 => return None,
        Err(error) => return Some(format!("lost: {promised} events, {error}")),
    };
    if promised == 0 && verified.batches == 0 {
        return None;
    }
    if !verified.is_sound() {
        return Some(format!("wrong: {:?}", verified.problems));
    }
    if verified.events < promised {
        return Some(format!(
            "lost: {} of {promised} events are there",
            verified.events
        ));
    }
    let mut reader = Reader::open(path).unwrap();
    for (event, (stamp, body)) in reader.events(0).map(Result::unwrap).zip(expected) {
        if event.stamp != *stamp || event.body != *body {
            return Some(format!("wrong: event {} is {:?}", event.seq, event.body));
        }
    }
    None
}
