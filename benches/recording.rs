//! A recording of a long session beside what SQLite itself takes for the same events in the same run: appending with
//! a durable commit each hundred events, opening, seeking, reading an hour, checking and replaying all of it, and ten
//! readers beside a writer. Read the ratios: absolute times move with the machine's load and its disk.
//!
//! `cargo bench --bench recording` takes a million events; `-- 10000000` ten million (23 days of session, 1.5 GB in the
//! folder for temporary files), `-- 10000000 FOLDER` the same in a folder where the files are kept, and `-- readers` only the readers.

#![allow(missing_docs, clippy::expect_used, clippy::print_stdout)]

#[path = "recording/bare.rs"]
mod bare;
#[path = "recording/mix.rs"]
mod mix;
#[path = "recording/readers.rs"]
mod readers;

use std::fs::File;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bare::BareWriter;
use interphase::recording::{Opening, Playback, Reader, Writer, checked_events};
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
    let first = arguments.next();
    let second = arguments.next().map(PathBuf::from);
    if let (Some(readers::FOLLOW), Some(path)) = (first.as_deref(), &second) {
        return readers::follow(path);
    }
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = second.unwrap_or_else(|| temporary.path().to_path_buf());
    readers::run(&temporary.path().join("readers.interphase"));
    let events = match first.as_deref() {
        Some("readers") => return,
        Some(word) => word.parse().expect("a number of events"),
        None => 1_000_000,
    };
    let (ours, bare) = (folder.join("mix.interphase"), folder.join("mix.bare"));
    if !ours.exists() {
        append(&ours, &bare, events);
    }
    places(&ours, &bare, events);
    moments(&ours, events);
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

/// Processor time of this process so far: on a machine that others use too, it says more than the clock on the wall.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    // Fields 14 and 15, in hundredths of a second.
    let ticks = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<u64>().ok());
    Duration::from_millis(10 * ticks.sum::<u64>())
}

/// Time on the wall and of the processor.
#[derive(Clone, Copy, Default)]
struct Spent {
    wall: Duration,
    processor: Duration,
}

impl Spent {
    fn of(work: impl FnOnce()) -> Self {
        let (began, before) = (Instant::now(), processor_time());
        work();
        Self {
            wall: began.elapsed(),
            processor: processor_time() - before,
        }
    }

    fn add(&mut self, other: Self) {
        self.wall += other.wall;
        self.processor += other.processor;
    }

    /// How much less the other has spent: 1 for as much.
    fn ratio_to(self, bare: Self) -> String {
        let ratio = |ours: Duration, bare: Duration| bare.as_secs_f64() / ours.as_secs_f64();
        format!(
            "ratio {:.2} (by processor time {:.2})",
            ratio(self.wall, bare.wall),
            ratio(self.processor, bare.processor)
        )
    }
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
    let (mut our_total, mut bare_total) = (Spent::default(), Spent::default());
    for first in (0..events).step_by((TURN * PER_COMMIT) as usize) {
        let numbers = first..(first + TURN * PER_COMMIT).min(events);
        let bodies: Vec<_> = numbers
            .clone()
            .map(|number| (mix::stamp(number), mix::body(number)))
            .collect();
        our_total.add(Spent::of(|| {
            for (place, (stamp, body)) in (1..).zip(bodies) {
                writer.append(stamp, body).expect("appended");
                if place % PER_COMMIT == 0 {
                    let committing = Instant::now();
                    writer.commit().expect("committed");
                    our_times.push(committing.elapsed());
                }
            }
        }));
        let said: Vec<_> = numbers.map(|number| (number, mix::said(number))).collect();
        bare_total.add(Spent::of(|| {
            for (place, (number, said)) in (1..).zip(said) {
                reference.append(number, &said).expect("appended");
                if place % PER_COMMIT == 0 {
                    let committing = Instant::now();
                    reference.commit().expect("committed");
                    bare_times.push(committing.elapsed());
                }
            }
        }));
    }
    writer.close().expect("closed");
    reference.close().expect("closed");
    let rate = |spent: Spent| events as f64 / spent.wall.as_secs_f64();
    println!(
        "append {events} events, a durable commit each {PER_COMMIT}: {:.0}/s, bare {:.0}/s, {}",
        rate(our_total),
        rate(bare_total),
        our_total.ratio_to(bare_total)
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
    let mut numbers = 0_u64;
    let bare_spent = Spent::of(|| {
        let sound = bare::scan(bare, |said| {
            black_box(said);
            numbers += 1;
        });
        assert!(sound.expect("a scan"));
    });
    assert_eq!(numbers, events);
    println!(
        "bare, checked scan: {:.0}/s; {} MB at most",
        events as f64 / bare_spent.wall.as_secs_f64(),
        peak_memory()
    );
    let mut state = State::outline();
    let spent = Spent::of(|| {
        let verified = checked_events(ours, |event| state.apply(event)).expect("checked");
        assert!(verified.is_sound() && verified.events == events);
    });
    println!(
        "checked scan and replay into the state: {:.0}/s, {}; {} MB at most",
        events as f64 / spent.wall.as_secs_f64(),
        spent.ratio_to(bare_spent),
        peak_memory()
    );
    let began = Instant::now();
    let mut reader = Reader::open(ours).expect("a recording");
    black_box(state.digest_with(&mut reader).expect("a digest"));
    println!(
        "digest: {:.0} ms; {} MB at most",
        ms(began.elapsed()),
        peak_memory()
    );
}

/// The state at moments all over the recording, by time, sweep and event: right after opening, and once the outline of
/// the recording is known.
fn moments(ours: &Path, events: u64) {
    peak_memory();
    let open = || (Playback::open(ours).expect("a recording"), State::outline());
    let go = |playback: &mut Playback, state: &mut State, target: u64| {
        let began = Instant::now();
        while !playback.move_to(state, target).expect("events") {}
        playback.show_points(state, None).expect("points");
        assert_eq!(state.head().last_seq, target.min(events));
        began.elapsed()
    };
    let mut first: Vec<Duration> = times(events)
        .map(|at| {
            forget(ours);
            let began = Instant::now();
            let (mut playback, mut state) = open();
            let target = playback.reader().seq_at_elapsed(at).expect("a place");
            go(&mut playback, &mut state, target);
            began.elapsed()
        })
        .collect();
    println!(
        "cold open and the state at a time: median {:.1} ms, most {:.1} ms",
        percentile(&mut first, 0.5),
        percentile(&mut first, 1.0)
    );
    let (mut playback, mut state) = open();
    let began = Instant::now();
    let mut longest = Duration::ZERO;
    while playback.is_learning() {
        let step = Instant::now();
        playback.learn(&mut state).expect("events");
        longest = longest.max(step.elapsed());
    }
    println!(
        "outline of all {} sweeps learned in {:.0} ms, steps of at most {:.1} ms",
        events / mix::SWEEP_EVENTS,
        ms(began.elapsed()),
        ms(longest)
    );
    for (what, by) in [("time", 0), ("sweep", 1), ("event", 2)] {
        let mut took: Vec<Duration> = times(events)
            .map(|at| {
                let event = (at / SPACING_NS).cast_unsigned();
                let began = Instant::now();
                let reader = playback.reader();
                let target = match by {
                    0 => reader.seq_at_elapsed(at).expect("a place"),
                    1 => {
                        let sweep = (event / mix::SWEEP_EVENTS) as u32 + 1;
                        reader.seq_of_sweep(sweep).expect("a place").expect("a sweep")
                    }
                    _ => event + 1,
                };
                let looked_up = began.elapsed();
                looked_up + go(&mut playback, &mut state, target)
            })
            .collect();
        println!(
            "the state at a {what}: median {:.1} ms, most {:.1} ms",
            percentile(&mut took, 0.5),
            percentile(&mut took, 1.0)
        );
    }
    println!("memory: {} MB at most", peak_memory());
}
