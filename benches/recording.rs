//! A recording of a long session beside what SQLite itself takes for the same events in the same run: appending with
//! a durable commit each hundred events, opening, seeking, reading an hour, checking and replaying all of it, and ten
//! readers beside a writer. Read the ratios: absolute times move with the machine's load and its disk.
//!
//! `cargo bench --bench recording` takes a million events; `-- 10000000` ten million (23 days of session, 1.5 GB in the
//! folder for temporary files), `-- 10000000 FOLDER` the same in a folder where the files are kept and read again.

#![allow(missing_docs, clippy::expect_used, clippy::print_stdout)]

#[path = "recording/bare.rs"]
mod bare;
#[path = "recording/mix.rs"]
mod mix;

use std::fs::File;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bare::BareWriter;
use interphase::recording::{Opening, Reader, Writer, checked_events};
use interphase::state::State;
use mix::{HOUR_NS, SPACING_NS};

/// Events to a durable commit.
const PER_COMMIT: u64 = 100;
/// Commits of the one before it is the other's turn.
const TURN: u64 = 500;
/// Places that are looked up.
const PLACES: u64 = 31;

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"));
    let events = match arguments.next() {
        Some(word) => word.parse().expect("a number of events"),
        None => 1_000_000,
    };
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = arguments
        .next()
        .map_or(temporary.path().to_path_buf(), PathBuf::from);
    let (ours, bare) = (folder.join("mix.interphase"), folder.join("mix.bare"));
    if !ours.exists() {
        append(&ours, &bare, events);
    }
    places(&ours, &bare, events);
    whole(&ours, &bare, events);
}

/// Milliseconds.
fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn percentile(times: &mut [Duration], share: f64) -> f64 {
    times.sort();
    ms(times[((times.len() - 1) as f64 * share) as usize])
}

/// The most memory that was held since the last look, in MB.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse::<u64>().ok());
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    kilobytes.unwrap_or(0) / 1024
}

/// Takes the file out of the system's memory, so that the next look is a cold one.
fn forget(path: &Path) {
    let file = File::open(path).expect("a file");
    file.sync_all().expect("synced");
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).expect("advised");
}

fn append(ours: &Path, bare: &Path, events: u64) {
    let mut writer = Writer::create(ours, &Opening::default()).expect("a recording");
    let mut reference = BareWriter::create(bare).expect("a database");
    let (mut our_times, mut bare_times) = (Vec::new(), Vec::new());
    let (mut our_total, mut bare_total) = (Duration::ZERO, Duration::ZERO);
    let mut first = 0;
    while first < events {
        let end = (first + TURN * PER_COMMIT).min(events);
        for begin in (first..end).step_by(PER_COMMIT as usize) {
            let numbers = begin..(begin + PER_COMMIT).min(end);
            let batch: Vec<_> = numbers
                .map(|number| (mix::stamp(number), mix::body(number)))
                .collect();
            let began = Instant::now();
            for (stamp, body) in batch {
                writer.append(stamp, body).expect("appended");
            }
            let committing = Instant::now();
            writer.commit().expect("committed");
            our_times.push(committing.elapsed());
            our_total += began.elapsed();
        }
        for begin in (first..end).step_by(PER_COMMIT as usize) {
            let numbers = begin..(begin + PER_COMMIT).min(end);
            let batch: Vec<_> = numbers.map(|number| (number, mix::said(number))).collect();
            let began = Instant::now();
            for (number, said) in &batch {
                reference.append(*number, said).expect("appended");
            }
            let committing = Instant::now();
            reference.commit().expect("committed");
            bare_times.push(committing.elapsed());
            bare_total += began.elapsed();
        }
        first = end;
    }
    writer.close().expect("closed");
    reference.close().expect("closed");
    let rate = |time: Duration| events as f64 / time.as_secs_f64();
    println!(
        "append {events} events, a durable commit each {PER_COMMIT}: {:.0}/s, bare {:.0}/s, ratio {:.2}",
        rate(our_total),
        rate(bare_total),
        bare_total.as_secs_f64() / our_total.as_secs_f64()
    );
    println!(
        "commit: median {:.3} ms, 99th percentile {:.2} ms; bare {:.3} ms and {:.2} ms",
        percentile(&mut our_times, 0.5),
        percentile(&mut our_times, 0.99),
        percentile(&mut bare_times, 0.5),
        percentile(&mut bare_times, 0.99)
    );
    let per_event = |path: &Path| path.metadata().expect("a file").len() as f64 / events as f64;
    println!(
        "file: {:.1} bytes an event; bare {:.1}",
        per_event(ours),
        per_event(bare)
    );
    println!("memory: {} MB at most", peak_memory());
}

/// Times in the session, spread over all of it.
fn times(events: u64) -> impl Iterator<Item = i64> {
    let span = events.cast_signed() * SPACING_NS;
    // 12 and 31 have no common divisor: all places, but not one after the other.
    (0..PLACES).map(move |place| span / (PLACES + 1).cast_signed() * (place * 12 % PLACES + 1).cast_signed())
}

fn places(ours: &Path, bare: &Path, events: u64) {
    let cold = |look: &dyn Fn(i64)| {
        let mut took: Vec<Duration> = times(events)
            .take(7)
            .map(|at| {
                forget(ours);
                forget(bare);
                let began = Instant::now();
                look(at);
                began.elapsed()
            })
            .collect();
        percentile(&mut took, 0.5)
    };
    let warm = |look: &dyn Fn(i64)| {
        let mut took: Vec<Duration> = times(events)
            .map(|at| {
                let began = Instant::now();
                look(at);
                began.elapsed()
            })
            .collect();
        (percentile(&mut took, 0.5), percentile(&mut took, 1.0))
    };
    let seek = |at: i64| {
        let mut reader = Reader::open(ours).expect("a recording");
        let seq = reader.seq_at_elapsed(at).expect("a place");
        black_box(reader.read(seq, 2).expect("events"));
    };
    let bare_seek = |at: i64| {
        bare::window(bare, at, at + 2 * SPACING_NS, |said| {
            black_box(said);
        })
        .expect("events");
    };
    let hour = |at: i64| {
        let mut reader = Reader::open(ours).expect("a recording");
        let first = reader.seq_at_elapsed(at).expect("a place");
        let last = reader.seq_at_elapsed(at + HOUR_NS).expect("a place");
        for event in reader.events(first).until(last) {
            black_box(event.expect("an event"));
        }
    };
    let bare_hour = |at: i64| {
        bare::window(bare, at, at + HOUR_NS, |said| {
            black_box(said);
        })
        .expect("events");
    };
    println!(
        "cold open and seek by time: {:.1} ms; bare {:.1} ms",
        cold(&seek),
        cold(&bare_seek)
    );
    let tell = |what: &str, (ours, most): (f64, f64), (bare, bare_most): (f64, f64)| {
        println!("{what}: median {ours:.2} ms, most {most:.2} ms; bare {bare:.2} ms and {bare_most:.2} ms");
    };
    tell("warm open and seek by time", warm(&seek), warm(&bare_seek));
    tell("an hour's events", warm(&hour), warm(&bare_hour));
}

fn whole(ours: &Path, bare: &Path, events: u64) {
    peak_memory();
    let began = Instant::now();
    let mut numbers = 0_u64;
    let sound = bare::scan(bare, |said| {
        black_box(said);
        numbers += 1;
    });
    assert!(sound.expect("a scan") && numbers == events);
    let bare_time = began.elapsed();
    println!(
        "bare, checked scan: {:.0}/s; {} MB at most",
        events as f64 / bare_time.as_secs_f64(),
        peak_memory()
    );

    let began = Instant::now();
    let mut state = State::new();
    let verified = checked_events(ours, |event| state.apply(event)).expect("checked");
    assert!(verified.is_sound() && verified.events == events);
    let took = began.elapsed();
    println!(
        "checked scan and replay into the state: {:.0}/s, ratio {:.2}; {} MB at most",
        events as f64 / took.as_secs_f64(),
        bare_time.as_secs_f64() / took.as_secs_f64(),
        peak_memory()
    );
    let began = Instant::now();
    black_box(state.digest());
    println!("digest: {:.0} ms", ms(began.elapsed()));
}
