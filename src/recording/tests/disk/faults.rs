//! A disk that fails once, at any of its operations: what was promised is there, the fault is told, and the session
//! goes on to its end.
//!
//! `INTERPHASE_EVERY_FAULT=1 cargo test --lib faults -- --nocapture` fails every operation; the suite takes every so
//! many.

use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::io::Errno;

use super::journal::{self, Operation};
use super::*;

/// Every so many writes in the suite; syncs and truncations are few and all taken.
const STRIDE: usize = 23;

/// Sessions at once: most of each is the second after which a disk that failed is tried again.
const WORKERS: usize = 12;

const SESSION: Orders = Orders {
    events: 300,
    events_a_commit: 10,
    synced: true,
};

#[derive(Debug, Default)]
struct Outcome {
    runs: usize,
    told: usize,
    closed: usize,
    untold: Vec<String>,
    broken: Vec<String>,
}

/// One session with one fault.
fn fail_once(preload: &Preload, fault: &str, outcome: &Mutex<Outcome>) {
    let folder = tempfile::tempdir().unwrap();
    let status = preload.record(folder.path(), SESSION, &[("DISK_FAIL", fault.as_ref())]);
    assert!(status.success(), "{fault}: {status}");
    let path = folder.path().join(RECORDING);
    let promises = std::fs::read_to_string(folder.path().join(PROMISES)).unwrap();
    let promised = lines_beginning(&promises, "committed")
        .last()
        .copied()
        .unwrap_or(0);
    let broken = broken_promise(&path, promised, &events_of(SESSION));
    let closed = verify(&path).is_ok_and(|verified| verified.closed);
    let mut outcome = outcome.lock().unwrap();
    outcome.runs += 1;
    let told = promises.contains("fault") || promises.contains("ended");
    outcome.told += usize::from(told);
    if let Some(what) = broken {
        outcome.broken.push(format!("{fault}: {what}"));
    }
    let whole = promised == SESSION.events as u64;
    if path.exists() && !whole {
        outcome
            .broken
            .push(format!("{fault}: it ended after event {promised}"));
    }
    outcome.closed += usize::from(closed);
    let unharmed = whole && closed;
    if !told && !unharmed {
        outcome.untold.push(fault.to_owned());
    }
}

#[test]
fn a_disk_that_fails_once_at_any_operation_costs_nothing_that_was_promised_and_the_session_goes_on() {
    let Some(preload) = Preload::build() else { return };
    let folder = tempfile::tempdir().unwrap();
    let journal_path = folder.path().join("journal");
    let variable = [("DISK_JOURNAL", journal_path.as_os_str())];
    assert!(preload.record(folder.path(), SESSION, &variable).success());
    let operations = journal::read(&journal_path);
    let count = |counts: fn(&Operation) -> bool| operations.iter().filter(|one| counts(one)).count();
    let writes = count(|one| matches!(one, Operation::Write { file, .. } if *file != 255));
    let syncs = count(|one| matches!(one, Operation::Sync { .. }));
    let truncations = count(|one| matches!(one, Operation::Truncate { .. }));
    assert!(writes > 100 && syncs > 30 && truncations > 0);
    let (io, full) = (Errno::IO.raw_os_error(), Errno::NOSPC.raw_os_error());
    let stride = if cases("INTERPHASE_EVERY_FAULT").is_some() {
        1
    } else {
        STRIDE
    };
    let mut faults = Vec::new();
    for (operation, number, stride, errors) in [
        ('w', writes, stride, [io, full, 0].as_slice()),
        ('s', syncs, stride.min(4), &[io, full]),
        ('t', truncations, 1, &[io, full]),
    ] {
        for at in (1..=number).step_by(stride) {
            faults.extend(errors.iter().map(|error| format!("{operation}{at} {error}")));
        }
    }
    let outcome = Mutex::default();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
                    fail_once(&preload, fault, &outcome);
                }
            });
        }
    });
    let outcome = outcome.into_inner().unwrap();
    println!(
        "{writes} writes, {syncs} syncs, {truncations} truncations; {} runs with one fault: told in {}, closed in {}, \
         broken {}",
        outcome.runs,
        outcome.told,
        outcome.closed,
        outcome.broken.len()
    );
    assert!(
        outcome.broken.is_empty() && outcome.untold.is_empty(),
        "{outcome:#?}"
    );
}
