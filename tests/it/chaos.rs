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

use interphase::instrument::method_script::{Decoder, Line, Package, VariableType};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::lab::{Lab, lines_of, of_kind};

const SESSIONS: u64 = 40;
/// Sessions at a time: most of them wait for a time-out.
const AT_ONCE: usize = 8;
const TIME_SCALE: &str = "1000";
/// A session that is not through by then is told to stop.
const LONGEST: Duration = Duration::from_secs(90);
/// A session that was told must have ended by then.
const LONGEST_STOP: Duration = Duration::from_secs(40);

/// Two sweeps of thirteen points: over in a moment, over in half a second, longer than time-outs are, with current
/// that is set, and away from open circuit, where the instrument waits for the session.
const STEPS: [&str; 5] = [
    "technique = \"peis\"\nf_max_hz = 1e3\nf_min_hz = 1.0\n",
    "technique = \"peis\"\nf_max_hz = 10.0\nf_min_hz = 0.01\n",
    "technique = \"peis\"\nf_max_hz = 1.0\nf_min_hz = 1e-3\n",
    "technique = \"geis\"\nf_max_hz = 1e3\nf_min_hz = 1.0\n",
    "technique = \"peis\"\nf_max_hz = 10.0\nf_min_hz = 0.01\nbias = 0.05\nallow_polarisation = true\n",
];

/// How often each of them is chosen.
const SHARES: [u64; 5] = [8, 3, 1, 2, 2];

/// Points of a sweep.
const POINTS: usize = 13;

/// How far a frequency that is believed may be from all that the instrument sent.
const OFF_BY: f64 = 0.031;

fn plan(chance: &mut Chance) -> String {
    let mut left = chance.below(SHARES.iter().sum());
    let mut step = 0;
    while left >= SHARES[step] {
        left -= SHARES[step];
        step += 1;
    }
    format!(
        "name = \"chaos\"\nrepeat = 2\n[[step]]\n{}points_per_decade = 4\namplitude_vrms = 0.010\n",
        STEPS[step]
    )
}

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
    marked_invalid: usize,
    believed_wrong: usize,
    /// How far off they are, as a share.
    wrong_by: Vec<f64>,
    sent_not_delivered: usize,
    between_sweeps: usize,
    incomplete_sweeps: usize,
    gaps: usize,
    longest: Duration,
    failures: Vec<String>,
}

/// One session and what is wrong with it.
#[allow(clippy::print_stderr)]
fn session(seed: u64, tally: &Mutex<Tally>) {
    let faults = faults(&mut Chance(seed));
    let plan = plan(&mut Chance(!seed));
    let lab = Lab::new();
    std::fs::write(lab.path("chaos.toml"), &plan).unwrap();
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
    // Nothing that goes wrong here lasts so long.
    if told {
        failures.push(format!("it did not come to its end within {LONGEST:?}"));
    }
    let may_be_on = found.may_be_on || messages.contains("CELL MAY BE ON");
    let is_cut_off = |fault: &String| {
        ["unplug", "silence", "baud"]
            .iter()
            .any(|word| fault.starts_with(word))
    };
    match (found.cell_is_on, may_be_on) {
        (true, false) => failures.push("the cell is on at the end and nothing says so".to_owned()),
        (true, true) => failures.push("the cell is on at the end".to_owned()),
        (false, true) if !faults.iter().any(is_cut_off) => {
            failures.push("the cell is off and said to be on, although the line never failed".to_owned());
        }
        (false, _) => {}
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
    tally.marked_invalid += found.marked_invalid;
    tally.believed_wrong += found.wrong_by.len();
    tally.wrong_by.extend(&found.wrong_by);
    tally.sent_not_delivered += found.sent_not_delivered;
    tally.between_sweeps += found.between_sweeps;
    tally.incomplete_sweeps += found.incomplete_sweeps;
    tally.gaps += found.gaps;
    if !failures.is_empty() || std::env::var_os("INTERPHASE_CHAOS_TALK").is_some() {
        let step = plan.lines().skip(3).take(3).collect::<Vec<_>>().join(", ");
        let mut text = format!("seed {seed} {faults:?}, {step} ({took:.1?}, {:?}):", found.ended);
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

/// A point that the simulated instrument sent: as it stood on the line, and what it says.
struct Sent {
    text: String,
    numbers: [f64; 3],
    is_intact: bool,
}

/// Frequency, Z' and Z'' of a package of impedance.
fn numbers_of(package: &Package) -> Option<[f64; 3]> {
    let number = |kind| package.get(kind).map(|variable| variable.value.as_f64());
    let (real, imag) = (number(VariableType::Z_REAL)?, number(VariableType::Z_IMAG)?);
    Some([
        number(VariableType::SET_FREQUENCY).unwrap_or(f64::NAN),
        real,
        imag,
    ])
}

/// Whether a recorded point has these numbers; one that is none is null.
fn is_same(event: &Value, numbers: &[f64; 3]) -> bool {
    let keys = ["frequency_hz", "z_real_ohm", "z_imag_ohm"];
    keys.iter()
        .zip(numbers)
        .all(|(key, number)| match event[*key].as_f64() {
            Some(recorded) => recorded == *number,
            None => !number.is_finite(),
        })
}

/// What a recording says against what went over the line, as the simulator saw it.
#[derive(Debug, Default)]
struct Findings {
    failures: Vec<String>,
    ended: Option<String>,
    may_be_on: bool,
    cell_is_on: bool,
    points: usize,
    delivered_intact: usize,
    delivered_changed: usize,
    marked_invalid: usize,
    wrong_by: Vec<f64>,
    sent_not_delivered: usize,
    between_sweeps: usize,
    incomplete_sweeps: usize,
    gaps: usize,
}

impl Findings {
    fn of(events: &[Value], line: &[Value]) -> Self {
        let mut findings = Self::default();
        let sent: Vec<Sent> = line
            .iter()
            .filter_map(|entry| {
                let text = entry["sent"].as_str()?;
                Some(Sent {
                    numbers: numbers_of(&Package::parse(text).ok()?)?,
                    text: text.to_owned(),
                    is_intact: entry["intact"] == true,
                })
            })
            .collect();
        findings.sent_not_delivered = sent.iter().filter(|sent| !sent.is_intact).count();
        let is_intact = |text: &str| sent.iter().any(|sent| sent.is_intact && sent.text == text);
        let mut decoder = Decoder::new();
        // Packages of impedance that arrived and have not been seen as points.
        let mut arrived: Vec<(String, [f64; 3])> = Vec::new();
        let mut sweep: Option<(u64, usize)> = None;
        let mut link_was_lost = false;
        let (mut lost, mut gaps) = (0, 0);
        let mut heard = Vec::new();
        for event in events {
            match event["kind"].as_str().unwrap() {
                "wire" if event["direction"] == "rx" => {
                    let bytes = unescape(event["bytes"].as_str().unwrap());
                    heard.extend_from_slice(&bytes);
                    for line in decoder.feed(&bytes) {
                        if let Line::Package(package) = &line
                            && let Some(numbers) = numbers_of(package)
                        {
                            arrived.push((package.to_string(), numbers));
                        }
                    }
                }
                "sweep_started" => {
                    findings.leave_between_sweeps(&mut arrived, is_intact, link_was_lost);
                    link_was_lost = false;
                    sweep = Some((event["sweep"].as_u64().unwrap(), 0));
                }
                "point" => {
                    findings.points += 1;
                    match &mut sweep {
                        Some((number, count)) if Some(*number) == event["sweep"].as_u64() => *count += 1,
                        _ => findings.fail(format!("a point outside of its sweep: {event}")),
                    }
                    match arrived.iter().position(|(_, numbers)| is_same(event, numbers)) {
                        Some(at) => {
                            let skipped: Vec<_> = arrived.drain(..=at).collect();
                            findings.miss(&skipped[..at], is_intact, "followed by others");
                            if is_intact(&skipped[at].0) {
                                findings.delivered_intact += 1;
                            } else {
                                findings.delivered_changed += 1;
                            }
                        }
                        None => findings.fail(format!("a point that never arrived: {event}")),
                    }
                    findings.check_belief(event, &sent);
                }
                "sweep_ended" => {
                    let all = std::mem::take(&mut arrived);
                    findings.miss(&all, is_intact, &format!("at the end: {}", event["reason"]));
                    let count = sweep.take().map_or(0, |(_, count)| count);
                    let is_complete = event["complete"] == true;
                    findings.incomplete_sweeps += usize::from(!is_complete);
                    if is_complete && count < POINTS {
                        findings.fail(format!("complete with {count} points: {event}"));
                    }
                    if !is_complete && event["reason"].as_str().is_none_or(str::is_empty) {
                        findings.fail(format!("incomplete without a reason: {event}"));
                    }
                }
                "link" if event["state"] == "lost" => {
                    lost += 1;
                    link_was_lost = true;
                    decoder.reset();
                }
                "gap" => gaps += 1,
                "alarm" if event["name"] == "cell_may_be_on" => findings.may_be_on = true,
                "alarm_acknowledged" if event["name"] == "cell_may_be_on" => findings.may_be_on = false,
                "session_ended" => findings.ended = event["reason"].as_str().map(str::to_owned),
                _ => {}
            }
        }
        findings.leave_between_sweeps(&mut arrived, is_intact, link_was_lost);
        let is_pulled = |entry: &&Value| {
            entry["fault"]
                .as_str()
                .is_some_and(|fault| fault.starts_with("Unplug"))
        };
        // What is sent while a link breaks may never arrive; everything else is in the recorded bytes.
        let heard = String::from_utf8_lossy(&heard);
        let is_unheard = |sent: &&Sent| sent.is_intact && !heard.contains(&sent.text);
        if lost == 0
            && let Some(unheard) = sent.iter().find(is_unheard)
        {
            findings.fail(format!(
                "sent intact, and not in the recorded bytes: {}",
                unheard.text
            ));
        }
        if lost != gaps || (gaps == 0 && line.iter().any(|entry| is_pulled(&entry))) {
            findings.fail(format!("{lost} lost links and {gaps} gaps"));
        }
        if of_kind(events, "sweep_started").len() != of_kind(events, "sweep_ended").len() {
            findings.fail("a sweep has no end".to_owned());
        }
        findings.gaps = gaps;
        findings.cell_is_on = line.iter().rev().find_map(|entry| entry["cell_on"].as_bool()) == Some(true);
        findings
    }

    fn fail(&mut self, failure: String) {
        self.failures.push(failure);
    }

    /// Points that arrived and are not in the recording; intact ones must not be missing.
    fn miss(&mut self, missing: &[(String, [f64; 3])], is_intact: impl Fn(&str) -> bool, place: &str) {
        for (text, _) in missing.iter().filter(|(text, _)| is_intact(text)) {
            self.failures
                .push(format!("a point that arrived is missing, {place}: {text}"));
        }
    }

    /// What arrives while no sweep is measured belongs to one that a lost link has cut off, and to nothing else.
    fn leave_between_sweeps(
        &mut self,
        arrived: &mut Vec<(String, [f64; 3])>,
        is_intact: impl Fn(&str) -> bool,
        link_was_lost: bool,
    ) {
        let left = std::mem::take(arrived);
        if link_was_lost {
            self.between_sweeps += left.iter().filter(|(text, _)| is_intact(text)).count();
        } else {
            self.miss(&left, is_intact, "between sweeps");
        }
    }

    /// A damaged number that still reads as one is believed only where nothing shows it; a frequency shows it.
    fn check_belief(&mut self, event: &Value, sent: &[Sent]) {
        if event["status"] == "invalid" {
            self.marked_invalid += 1;
            return;
        }
        if sent.iter().any(|sent| is_same(event, &sent.numbers)) {
            return;
        }
        let number = |key: &str| event[key].as_f64().unwrap_or(f64::NAN);
        let frequency_hz = number("frequency_hz");
        let of_frequency = |sent: &&Sent| {
            (frequency_hz / sent.numbers[0]).ln().abs() < OFF_BY && sent.numbers[1].is_finite()
        };
        let (real, imag) = (number("z_real_ohm"), number("z_imag_ohm"));
        let off_by = |sent: &Sent| {
            let [_, z_real, z_imag] = sent.numbers;
            (real - z_real).hypot(imag - z_imag) / z_real.hypot(z_imag)
        };
        match sent
            .iter()
            .filter(of_frequency)
            .map(off_by)
            .min_by(f64::total_cmp)
        {
            Some(off_by) => self.wrong_by.push(off_by),
            None => self.fail(format!(
                "a point is believed at a frequency that was not sent: {event}"
            )),
        }
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

/// A session over a line on which nothing goes wrong but one pulled plug, as recording and simulator saw it.
fn with_one_pulled_plug() -> (Vec<Value>, Vec<Value>) {
    let lab = Lab::new();
    let plan = plan(&mut Chance(0));
    std::fs::write(lab.path("chaos.toml"), plan).unwrap();
    let (link, log) = (lab.path("port"), lab.path("line.jsonl"));
    let mut simulate = lab.command(&["simulate", "--instrument", "es4_hr", "--cell", "dummy_r_rc"]);
    simulate
        .args(["--time-scale", TIME_SCALE, "--fault", "unplug@1.5+500s"])
        .arg("--link")
        .arg(&link)
        .arg("--line-log")
        .arg(&log);
    let mut simulator = simulate.stdout(Stdio::piped()).spawn().unwrap();
    let mut port = String::new();
    BufReader::new(simulator.stdout.take().unwrap())
        .read_line(&mut port)
        .unwrap();
    let events = lab.measure(
        link.to_str().unwrap(),
        "dummy_r_rc",
        "chaos.toml",
        "session.interphase",
    );
    kill_process(Pid::from_child(&simulator), Signal::TERM).unwrap();
    simulator.wait().unwrap();
    (
        lines_of(&events),
        lines_of(&std::fs::read_to_string(&log).unwrap()),
    )
}

#[test]
fn each_claim_about_a_session_in_chaos_fails_where_it_does_not_hold() {
    let (events, line) = with_one_pulled_plug();
    let found = Findings::of(&events, &line);
    assert!(found.failures.is_empty() && !found.cell_is_on, "{found:#?}");
    assert_eq!(
        (found.gaps, found.wrong_by.len(), found.marked_invalid),
        (1, 0, 0)
    );
    assert!(
        found.points >= 2 * POINTS && found.delivered_intact == found.points,
        "{found:#?}"
    );

    let at = |kind: &str| events.iter().position(|event| event["kind"] == kind).unwrap();
    let last_point = events.iter().rposition(|event| event["kind"] == "point").unwrap();
    let failures = |change: &dyn Fn(&mut Vec<Value>)| {
        let mut events = events.clone();
        change(&mut events);
        Findings::of(&events, &line).failures.join("; ")
    };
    for (point, words) in [(at("point"), "followed by others"), (last_point, "at the end")] {
        let lost = failures(&|events| drop(events.remove(point)));
        assert!(lost.contains("is missing") && lost.contains(words), "{lost}");
    }
    let lost = failures(&|events| drop(events.remove(last_point)));
    assert!(lost.contains("complete with 12 points"), "{lost}");
    let invented = failures(&|events| {
        let mut point = events[last_point].clone();
        point["z_real_ohm"] = (point["z_real_ohm"].as_f64().unwrap() + 1.0).into();
        events.insert(last_point + 1, point);
    });
    assert!(invented.contains("never arrived"), "{invented}");
    let twice = failures(&|events| events.insert(last_point, events[last_point].clone()));
    assert!(twice.contains("never arrived"), "{twice}");
    let untold = failures(&|events| drop(events.remove(at("gap"))));
    assert!(untold.contains("1 lost links and 0 gaps"), "{untold}");
    let unseen = failures(&|events| events.retain(|event| event["kind"] != "gap" && event["kind"] != "link"));
    assert!(unseen.contains("0 lost links and 0 gaps"), "{unseen}");
    let outside = failures(&|events| drop(events.remove(at("sweep_ended"))));
    assert!(outside.contains("has no end"), "{outside}");

    // What the simulator says decides whether a point is what was sent, and whether the cell is on.
    let mut other = line.clone();
    other.push(serde_json::json!({ "t_s": 1e9, "cell_on": true }));
    assert!(Findings::of(&events, &other).cell_is_on);
    let sent = line.iter().rposition(|entry| entry["sent"].is_string()).unwrap();
    let mut other = line.clone();
    other.remove(sent);
    let believed = Findings::of(&events, &other);
    assert_eq!(
        (believed.delivered_changed, believed.wrong_by.len()),
        (1, 1),
        "{believed:#?}"
    );
    let elsewhere = failures(&|events| events[last_point]["frequency_hz"] = 1.1.into());
    assert!(elsewhere.contains("a frequency that was not sent"), "{elsewhere}");
}
