//! A writer at the pace of a busy session, alone and beside ten readers in processes of their own, each following as a
//! screen does.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use interphase::recording::{Opening, Reader, Writer};

use super::{mix, percentile};

/// The argument with which a reader is started.
pub const FOLLOW: &str = "follow";

const READERS: usize = 10;
/// Events to a commit, and time between two commits: 1000 events a second.
const PER_COMMIT: u64 = 100;
const EVERY: Duration = Duration::from_millis(100);
/// Commits that are measured in one go.
const COMMITS: u64 = 100;
/// The readers come and go so often.
const ROUNDS: u64 = 3;

fn now_us() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_micros()
}

/// What a reader's process does: it prints the number of the last event and the time when it had it, for each commit.
pub fn follow(path: &Path) {
    let mut reader = Reader::open(path).expect("a recording");
    let mut version = None;
    let mut after = reader.last_seq().expect("a number");
    loop {
        let now = reader.data_version().expect("a version");
        if version.replace(now) != Some(now) {
            for event in reader.events(after) {
                after = event.expect("an event").seq;
            }
            println!("{after} {}", now_us());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

struct Follower {
    child: Child,
    seen: std::thread::JoinHandle<Vec<(u64, u128)>>,
}

fn start(path: &Path) -> Follower {
    let program = std::env::current_exe().expect("this program");
    let mut child = Command::new(program)
        .arg(FOLLOW)
        .arg(path)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a reader");
    let lines = BufReader::new(child.stdout.take().expect("its words")).lines();
    let seen = std::thread::spawn(move || {
        lines
            .map_while(Result::ok)
            .filter_map(|line| {
                let (seq, at) = line.split_once(' ')?;
                Some((seq.parse().ok()?, at.parse().ok()?))
            })
            .collect()
    });
    Follower { child, seen }
}

/// Commits at a steady pace: how long each took, which events were on disk when, and the most that the log grew to.
fn write(writer: &mut Writer, path: &Path) -> (Vec<Duration>, Vec<(u64, u128)>, u64) {
    let mut log_path = path.as_os_str().to_owned();
    log_path.push("-wal");
    let (mut took, mut committed, mut log) = (Vec::new(), Vec::new(), 0);
    for _ in 0..COMMITS {
        let began = Instant::now();
        for _ in 0..PER_COMMIT {
            let number = writer.last_seq();
            writer
                .append(mix::stamp(number), mix::body(number))
                .expect("appended");
        }
        let committing = Instant::now();
        writer.commit().expect("committed");
        took.push(committing.elapsed());
        committed.push((writer.committed(), now_us()));
        log = log.max(std::fs::metadata(&log_path).map_or(0, |data| data.len()));
        std::thread::sleep(EVERY.saturating_sub(began.elapsed()));
    }
    (took, committed, log)
}

/// Measures.
pub fn run(path: &Path) {
    let mut writer = Writer::create(path, &Opening::default()).expect("a recording");
    let (mut alone, mut beside, mut later, mut log) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        alone.extend(write(&mut writer, path).0);
        let followers: Vec<_> = (0..READERS).map(|_| start(path)).collect();
        std::thread::sleep(Duration::from_millis(500));
        let (took, committed, grown) = write(&mut writer, path);
        std::thread::sleep(Duration::from_millis(500));
        beside.extend(took);
        log = log.max(grown);
        for mut follower in followers {
            follower.child.kill().expect("killed");
            follower.child.wait().expect("gone");
            let seen = follower.seen.join().expect("its words");
            for (seq, at) in &committed {
                if let Some((_, seen_at)) = seen.iter().find(|(last, _)| last >= seq) {
                    later.push(Duration::from_micros(seen_at.saturating_sub(*at) as u64));
                }
            }
        }
    }
    let all = usize::try_from(ROUNDS * COMMITS).unwrap_or(0) * READERS;
    println!(
        "commits of {PER_COMMIT} events each {} ms: median {:.2} ms alone, {:.2} ms beside {READERS} readers, ratio {:.2}; \
         99th percentile {:.1} and {:.1} ms",
        EVERY.as_millis(),
        percentile(&mut alone, 0.5),
        percentile(&mut beside, 0.5),
        percentile(&mut beside, 0.5) / percentile(&mut alone, 0.5),
        percentile(&mut alone, 0.99),
        percentile(&mut beside, 0.99)
    );
    println!(
        "seen by a reader after its commit: median {:.1} ms, 99th percentile {:.1} ms ({} of {all}); log at most {:.1} MB",
        percentile(&mut later, 0.5),
        percentile(&mut later, 0.99),
        later.len(),
        log as f64 / 1e6
    );
}
