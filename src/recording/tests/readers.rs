//! Many readers beside a writer: it does not grow for their sake, and they see everything soon.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::*;

const READERS: usize = 10;
/// The most that the write-ahead log may grow to.
const MOST_LOG: u64 = 64 << 20;
/// A busy machine may take this long to let a thread go on.
const GENEROUS: Duration = Duration::from_secs(5);

/// Follows as a screen does: polls, and reads what is new in short transactions.
fn follow(path: &Path, seen: &AtomicU64, stop: &AtomicBool) {
    let mut reader = Reader::open(path).unwrap();
    let mut after = 0;
    while !stop.load(Ordering::Relaxed) {
        if let Some(last) = reader.read(after, 4096).unwrap().last() {
            after = last.seq;
            seen.store(after, Ordering::Relaxed);
        } else {
            thread::sleep(Duration::from_millis(2));
        }
    }
}

#[test]
fn the_log_stays_small_beside_ten_readers_and_each_of_them_sees_every_commit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    let mut writer = Writer::create(&path, &Opening::default()).unwrap();
    // Not durable: the disk of the machine that tests is not what is tested.
    writer.without_sync();
    let stop = Arc::new(AtomicBool::new(false));
    let seen: Vec<Arc<AtomicU64>> = (0..READERS).map(|_| Arc::default()).collect();
    let threads: Vec<_> = seen
        .iter()
        .map(|seen| {
            let (path, seen, stop) = (path.clone(), Arc::clone(seen), Arc::clone(&stop));
            thread::spawn(move || follow(&path, &seen, &stop))
        })
        .collect();
    let mut most_log = 0;
    let wire = |bytes: usize| {
        EventBody::Wire(crate::event::Wire {
            direction: crate::event::Direction::Rx,
            bytes: vec![b'x'; bytes],
        })
    };
    // More than the log may hold, were it never written back.
    for round in 0..200_i64 {
        for _ in 0..100 {
            writer.append(at(round), wire(4000)).unwrap();
        }
        writer.commit().unwrap();
        let log = file::beside(&path, "-wal")
            .metadata()
            .map_or(0, |data| data.len());
        most_log = most_log.max(log);
        if round % 50 == 0 {
            let committed = Instant::now();
            for seen in &seen {
                while seen.load(Ordering::Relaxed) < writer.committed() {
                    assert!(committed.elapsed() < GENEROUS, "a commit is not seen");
                    thread::sleep(Duration::from_millis(1));
                }
            }
        }
    }
    stop.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().unwrap();
    }
    assert!(most_log < MOST_LOG, "{most_log}");
}
