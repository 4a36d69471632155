//! Sessions of short sweeps over a line on which things go wrong by chance: none panics, none hangs, no point is
//! invented, none that arrived intact is missing, every gap is an event, and the cell is off at the end.
//!
//! `INTERPHASE_CHAOS=1000` makes so many sessions of it, `INTERPHASE_CHAOS_FIRST=17` begins with that seed.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use interphase::instrument::method_script::{Decoder, Line, VariableType};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::lab::{Lab, lines_of, of_kind};

const SESSIONS: u64 = 40;
/// Sessions at a time: most of them wait for a time-out.
const AT_ONCE: usize = 8;
const TIME_SCALE: &str = "1000";
/// A session that is not through by then is told to stop.
const LONGEST: Duration = Duration::from_secs(60);
/// A session that was told must have ended by then.
const LONGEST_STOP: Duration = Duration::from_secs(40);

const PLAN: &str = "name = \"chaos\"\nrepeat = 2\n[[step]]\ntechnique = \"peis\"\nf_max_hz = 1e3\nf_min_hz = 1.0\n\
    points_per_decade = 4\namplitude_vrms = 0.010\n";

/// Numbers by chance, the same for the same seed (splitmix64: Steele, Lea and Flood 2014,
/// doi:10.1145/2660193.2660195).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// One to three faults.
fn faults(chance: &mut Chance) -> Vec<String> {
    let count = 1 + chance.below(3);
    (0..count)
        .map(|_| {
            let at = format!("@{}.{}", 1 + chance.below(2), 1 + chance.below(13));
            let for_s = 100 + chance.below(3500);
            let rate = 1e-3 * (1 + chance.below(5)) as f64;
            match chance.below(14) {
                0 => "stray".to_owned(),
                1 => format!("stray{at}"),
                2 => format!("drop={rate}"),
                3 => format!("double={rate}"),
                4 => format!("change={rate}"),
                5 => "pieces".to_owned(),
                6 => format!("baud=9600{at}+{for_s}s"),
                7 => format!("silence{at}+{for_s}s"),
                8 => format!("unplug{at}+{for_s}s"),
                9 => format!("error{at}"),
                10 => format!("overload{at}"),
                11 => format!("underload{at}"),
                12 => format!("nan{at}"),
                _ => format!("reset{at}"),
            }
        })
        .collect()
}

/// What came of the sessions.
#[derive(Debug, Default)]
struct Tally {
    sessions: u64,
    complete: u64,
    ended_early: u64,
    did_not_begin: u64,
    told_to_stop: u64,
    said_may_be_on: u64,
    points: usize,
    delivered_intact: usize,
    delivered_changed: usize,
    gaps: usize,
    longest: Duration,
    failures: Vec<String>,
}

/// One session and what is wrong with it.
fn session(seed: u64, tally: &Mutex<Tally>) {
    let faults = faults(&mut Chance(seed));
    let lab = Lab::new();
    std::fs::write(lab.path("chaos.toml"), PLAN).unwrap();
    let (link, log) = (lab.path("port"), lab.path("line.jsonl"));
    let mut simulate = lab.command(&["simulate", "--instrument", "es4_hr", "--cell", "dummy_r_rc"]);
    simulate
        .args(["--time-scale", TIME_SCALE, "--seed", &seed.to_string()])
        .args(faults.iter().flat_map(|fault| ["--fault", fault]))
        .arg("--link")
        .arg(&link)
        .arg("--line-log")
        .arg(&log);
    let mut simulator = simulate.stdout(Stdio::piped()).spawn().unwrap();
    let mut port = String::new();
    BufReader::new(simulator.stdout.take().unwrap())
        .read_line(&mut port)
        .unwrap();
    let recording = lab.path("session.interphase");
    let mut run = lab.command(&["run", "--instrument", "es4_hr", "--cell", "dummy_r_rc"]);
    run.args(["--plan", "chaos.toml", "--headless", "--json"])
        .arg("--port")
        .arg(&link)
        .arg("--out")
        .arg(&recording)
        .stdout(std::fs::File::create(lab.path("events.jsonl")).unwrap())
        .stderr(std::fs::File::create(lab.path("messages.txt")).unwrap());
    let began = Instant::now();
    let mut run = run.spawn().unwrap();
    let mut told = false;
    let mut failures = Vec::new();
    loop {
        if run.try_wait().unwrap().is_some() {
            break;
        }
        if began.elapsed() > LONGEST && !told {
            told = true;
            kill_process(Pid::from_child(&run), Signal::TERM).unwrap();
        }
        if began.elapsed() > LONGEST + LONGEST_STOP {
            failures.push("it hangs".to_owned());
            run.kill().unwrap();
            run.wait().unwrap();
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let took = began.elapsed();
    kill_process(Pid::from_child(&simulator), Signal::TERM).unwrap();
    simulator.wait().unwrap();
    let messages = std::fs::read_to_string(lab.path("messages.txt")).unwrap();
    let events = if recording.exists() {
        lines_of(&std::fs::read_to_string(lab.path("events.jsonl")).unwrap())
    } else {
        Vec::new()
    };
    let line = lines_of(&std::fs::read_to_string(&log).unwrap());
    let found = Findings::of(&events, &line);
    failures.extend(found.failures);
    if messages.contains("panicked") || logs_of(&lab).contains("panicked") {
        failures.push(format!("it panicked: {messages}"));
    }
    let may_be_on = found.may_be_on || messages.contains("CELL MAY BE ON");
    let last = line.iter().rev().find_map(|entry| entry["cell_on"].as_bool());
    if last == Some(true) && !may_be_on {
        failures.push("the cell is on at the end and nothing says so".to_owned());
    } else if last == Some(true) && !told {
        failures.push("the cell is on at the end".to_owned());
    }
    let mut tally = tally.lock().unwrap();
    tally.sessions += 1;
    tally.longest = tally.longest.max(took);
    tally.told_to_stop += u64::from(told);
    tally.said_may_be_on += u64::from(may_be_on);
    match found.ended.as_deref() {
        Some("plan complete") => tally.complete += 1,
        Some(_) => tally.ended_early += 1,
        None if events.is_empty() => tally.did_not_begin += 1,
        None => failures.push("no end is recorded".to_owned()),
    }
    tally.points += found.points;
    tally.delivered_intact += found.delivered_intact;
    tally.delivered_changed += found.delivered_changed;
    tally.gaps += found.gaps;
    if !failures.is_empty() || std::env::var_os("INTERPHASE_CHAOS_TALK").is_some() {
        let mut text = format!("seed {seed} {faults:?} ({took:.1?}, {:?}):", found.ended);
        for failure in &failures {
            let _ = write!(text, "\n    {failure}");
        }
        if failures.is_empty() {
            eprintln!("{text} {messages}");
        } else {
            if let Some(folder) = std::env::var_os("INTERPHASE_CHAOS_KEEP") {
                let kept = std::path::Path::new(&folder).join(seed.to_string());
                std::fs::create_dir_all(&kept).unwrap();
                for name in ["events.jsonl", "line.jsonl", "messages.txt"] {
                    let _ = std::fs::copy(lab.path(name), kept.join(name));
                }
            }
            tally.failures.push(text);
        }
    }
}

/// What the sessions of a laboratory wrote into their logs.
fn logs_of(lab: &Lab) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(lab.runtime_directory())
        .into_iter()
        .flatten()
        .flatten()
    {
        if entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "log")
        {
            text += &std::fs::read_to_string(entry.path()).unwrap_or_default();
        }
    }
    text
}

/// What a recording says against what went over the line.
#[derive(Debug, Default)]
struct Findings {
    failures: Vec<String>,
    ended: Option<String>,
    may_be_on: bool,
    points: usize,
    delivered_intact: usize,
    delivered_changed: usize,
    gaps: usize,
}

impl Findings {
    fn of(events: &[Value], line: &[Value]) -> Self {
        let mut findings = Self::default();
        let intact: Vec<&str> = line
            .iter()
            .filter(|entry| entry["intact"] == true)
            .filter_map(|entry| entry["sent"].as_str())
            .collect();
        let mut decoder = Decoder::new();
        // Packages of impedance that arrived while a sweep was under way, and have not been seen as points.
        let mut arrived: Vec<(String, [f64; 3])> = Vec::new();
        let mut sweep = None;
        let (mut lost, mut gaps) = (0, 0);
        for event in events {
            match event["kind"].as_str().unwrap() {
                "wire" if event["direction"] == "rx" => {
                    let bytes = unescape(event["bytes"].as_str().unwrap());
                    for line in decoder.feed(&bytes) {
                        let Line::Package(package) = &line else { continue };
                        let number = |kind| package.get(kind).map(|variable| variable.value.as_f64());
                        let (Some(real), Some(imag)) =
                            (number(VariableType::Z_REAL), number(VariableType::Z_IMAG))
                        else {
                            continue;
                        };
                        let frequency = number(VariableType::SET_FREQUENCY).unwrap_or(f64::NAN);
                        arrived.push((package.to_string(), [frequency, real, imag]));
                    }
                }
                "sweep_started" => {
                    sweep = event["sweep"].as_u64();
                    arrived.clear();
                }
                "point" => {
                    findings.points += 1;
                    if sweep != event["sweep"].as_u64() {
                        findings
                            .failures
                            .push(format!("a point outside of its sweep: {event}"));
                    }
                    let read = ["frequency_hz", "z_real_ohm", "z_imag_ohm"].map(|key| event[key].as_f64());
                    let same = |values: &[f64; 3]| {
                        let pairs = values.iter().zip(&read);
                        pairs.clone().all(|(value, read)| match read {
                            Some(read) => value == read,
                            None => !value.is_finite(),
                        })
                    };
                    match arrived.iter().position(|(_, values)| same(values)) {
                        Some(at) => {
                            let skipped: Vec<_> = arrived.drain(..=at).collect();
                            let missed = skipped[..at]
                                .iter()
                                .filter(|(text, _)| intact.contains(&text.as_str()));
                            findings.failures.extend(
                                missed.map(|(text, _)| format!("a point that arrived is missing: {text}")),
                            );
                            if intact.contains(&skipped[at].0.as_str()) {
                                findings.delivered_intact += 1;
                            } else {
                                findings.delivered_changed += 1;
                            }
                        }
                        None => findings
                            .failures
                            .push(format!("a point that never arrived: {event}")),
                    }
                }
                "sweep_ended" => {
                    sweep = None;
                    let missed = arrived
                        .drain(..)
                        .filter(|(text, _)| intact.contains(&text.as_str()));
                    let reason = &event["reason"];
                    findings.failures.extend(missed.map(|(text, _)| {
                        format!("a point that arrived is missing at the end ({reason}): {text}")
                    }));
                }
                "link" if event["state"] == "lost" => {
                    lost += 1;
                    decoder.reset();
                }
                "gap" => gaps += 1,
                "alarm" if event["name"] == "cell_may_be_on" => findings.may_be_on = true,
                "alarm_acknowledged" if event["name"] == "cell_may_be_on" => findings.may_be_on = false,
                "session_ended" => findings.ended = event["reason"].as_str().map(str::to_owned),
                _ => {}
            }
        }
        if lost != gaps {
            findings
                .failures
                .push(format!("{lost} lost links and {gaps} gaps"));
        }
        if of_kind(events, "sweep_started").len() != of_kind(events, "sweep_ended").len() {
            findings.failures.push("a sweep has no end".to_owned());
        }
        findings.gaps = gaps;
        findings
    }
}

/// The bytes of a wire event.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if let Some(hex) = rest.strip_prefix("\\x") {
            bytes.push(u8::from_str_radix(&hex[..2], 16).unwrap());
            rest = &hex[2..];
        } else if let Some(after) = rest.strip_prefix("\\\\") {
            bytes.push(b'\\');
            rest = after;
        } else {
            let mut buffer = [0; 4];
            bytes.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
            rest = &rest[character.len_utf8()..];
        }
    }
    bytes
}

#[test]
fn whatever_goes_wrong_no_point_is_invented_or_lost_every_gap_is_told_and_the_cell_is_off() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let count = number("INTERPHASE_CHAOS").unwrap_or(SESSIONS);
    let first = number("INTERPHASE_CHAOS_FIRST").unwrap_or(1);
    let next = AtomicU64::new(first);
    let tally = Mutex::new(Tally::default());
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        return;
                    }
                    session(seed, &tally);
                }
            });
        }
    });
    let tally = tally.into_inner().unwrap();
    eprintln!("{:?} for {tally:#?}", began.elapsed());
    assert!(tally.failures.is_empty(), "{}", tally.failures.join("\n"));
    assert_eq!(tally.sessions, count);
    assert!(
        tally.complete > count / 2,
        "most sessions come to their end: {tally:?}"
    );
}
