//! What few profiles use: confirmations that are asked for, a queue of errors, sweeps and rows of the instrument's own
//! pace, tries and time limits. Against the simulator where it can play them, otherwise against lines written here.

use super::*;

const BENCH: &str = r#"
name = "bench"
label = "Bench"
protocol = "line"
device = "B1"
[link]
baud_rate = 9600
flow_control = "none"
[limits]
potential_min_v = -5.0
potential_max_v = 5.0
current_max_a = 1.0
f_min_hz = 0.01
f_max_hz = 1e5
amplitude_max_vrms = 1.0
[timing]
point_overhead_s = 0.1
point_periods = 1.0
[line.identify]
send = "*IDN?"
expect = "BENCH,{device},{serial},{firmware}"
acknowledge = "none"
[line.acknowledge]
policy = "poll"
poll = "*OPC?"
good = "1"
[line.error_query]
send = "SYST:ERR?"
none = "0,{_}"
[line.sweep]
mode = "device_sweep"
before = ["SWE {f_max_hz:.6e},{f_min_hz:.6e},{n_points:d}", "LEV {amplitude_vrms:.4f}", { send = "INIT", acknowledge = "none" }]
row = { columns = ["f:.9e", "re:.9e", "im:.9e"] }
end = { count = true, marker = "END" }
abort = ["ABOR"]
[line.columns]
f = { is = "frequency" }
re = { is = "z_real" }
im = { is = "z_imag" }
[line.cell]
switch = "command"
off = ["OUTP OFF"]
[line.time]
reply_s = 4.0
row_base_s = 6.0
row_periods = 3.0
[line.simulation]
serial = "S"
firmware = "1"
"#;

fn bench(changes: &[(&str, &str)]) -> Instrument {
    let mut text = BENCH.to_owned();
    for (right, other) in changes {
        assert!(text.contains(right), "{right}");
        text = text.replace(right, other);
    }
    Instrument::parse("bench.toml", &text).unwrap()
}

/// The profile with one question a point instead.
const PER_POINT: &[(&str, &str)] = &[
    (
        "mode = \"device_sweep\"",
        "mode = \"per_point\"\nset = [\"FREQ {frequency_hz:.6e}\"]\nread = { send = \"READ?\", acknowledge = \"none\" }",
    ),
    ("\"SWE {f_max_hz:.6e},{f_min_hz:.6e},{n_points:d}\", ", ""),
    (", { send = \"INIT\", acknowledge = \"none\" }", ""),
    ("marker = \"END\"", "marker = \"END OF ALL\""),
];

/// A driver against an instrument that is written line by line: for each line heard, lines and when they come in s.
struct Written<F> {
    driver: LineDriver,
    answer: F,
    now_s: f64,
    coming: Vec<(f64, String)>,
    heard: Vec<(f64, String)>,
    outputs: Vec<Output>,
}

impl<F: FnMut(&str) -> Vec<(f64, &'static str)>> Written<F> {
    fn new(profile: &Instrument, answer: F) -> Self {
        Self {
            driver: LineDriver::new(LineSettings::new(profile, 1.0).unwrap()),
            answer,
            now_s: 0.0,
            coming: Vec::new(),
            heard: Vec::new(),
            outputs: Vec::new(),
        }
    }

    fn run(&mut self, job: Job) -> Done {
        self.driver.start(job, self.now_s);
        for _ in 0..10_000 {
            while let Some(output) = self.driver.take_output() {
                match output {
                    Output::Send(bytes) => {
                        let line = String::from_utf8(bytes).unwrap().trim().to_owned();
                        let answers = (self.answer)(&line);
                        self.coming.extend(
                            answers
                                .into_iter()
                                .map(|(after_s, text)| (self.now_s + after_s, text.to_owned())),
                        );
                        self.heard.push((self.now_s, line));
                    }
                    Output::Done(done) => return done,
                    output => self.outputs.push(output),
                }
            }
            let due = self
                .coming
                .iter()
                .map(|(at_s, _)| *at_s)
                .fold(f64::INFINITY, f64::min);
            let deadline = self.driver.deadline_s().unwrap_or(f64::INFINITY);
            if due <= deadline {
                let index = self.coming.iter().position(|(at_s, _)| *at_s == due).unwrap();
                let (at_s, text) = self.coming.remove(index);
                self.now_s = self.now_s.max(at_s);
                self.driver.receive(format!("{text}\n").as_bytes(), self.now_s);
            } else {
                self.now_s = self.now_s.max(deadline);
                self.driver.tick(self.now_s);
            }
        }
        panic!("no end: {:?}", self.driver);
    }

    fn count(&self, line: &str) -> usize {
        self.heard.iter().filter(|(_, heard)| heard == line).count()
    }

    fn points(&self) -> usize {
        self.outputs
            .iter()
            .filter(|output| matches!(output, Output::Point(_)))
            .count()
    }

    fn remarks(&self) -> String {
        let texts = self.outputs.iter().filter_map(|output| match output {
            Output::Remark(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect::<Vec<_>>().join("\n")
    }
}

/// What an instrument says to everything but measurements.
fn usual(line: &str) -> Vec<(f64, &'static str)> {
    match line {
        "*IDN?" => vec![(0.1, "BENCH,B1,S1,1")],
        "*OPC?" => vec![(0.1, "1")],
        "SYST:ERR?" => vec![(0.1, "0,\"No error\"")],
        _ => Vec::new(),
    }
}

const ROW: &str = "1.0e+03,1.0e+00,-2.0e+00";

#[test]
fn commands_are_confirmed_by_asking_and_a_sweep_of_the_instrument_ends_by_count_and_marker() {
    let profile = bench(&[]);
    let mut pair = Pair::new(&profile);
    assert_eq!(
        pair.run(Job::Connect { take_over: false }).outcome,
        Outcome::Connected
    );
    assert_eq!(pair.identity().unwrap().serial, "S0001");
    for round in 1..=2 {
        let done = pair.run(Job::Sweep(sweep(1000.0, 1.0, 7)));
        let expected = Done {
            outcome: Outcome::SweepComplete { points: 7 },
            cell: CellSwitch::Off,
        };
        assert_eq!(done, expected);
        assert_eq!(pair.device.cell_is_on(), Some(false));
        assert_eq!(pair.points().len(), 7 * round);
    }
    for point in pair.points() {
        let (real, imaginary) = true_z(point.frequency_hz);
        assert!(
            (point.z_real_ohm - real).abs() < 1e-8 && (point.z_imag_ohm - imaginary).abs() < 1e-8,
            "{point:?}"
        );
    }
    // SWE, LEV and OUTP OFF of two sweeps are asked after; INIT is not.
    assert_eq!(pair.sent.matches("*OPC?").count(), 6, "{}", pair.sent);
    assert_eq!(pair.sent.matches("SYST:ERR?").count(), 3, "{}", pair.sent);
    // The marker that comes after the last row is no answer to the question for errors.
    assert!(
        !pair
            .outputs
            .iter()
            .any(|output| matches!(output, Output::Remark(_))),
        "{:?}",
        pair.outputs
    );
}

#[test]
fn a_stop_in_the_middle_of_an_instruments_own_sweep_ends_it_by_command() {
    let profile = bench(&[]);
    let mut pair = Pair::new(&profile);
    pair.run(Job::Connect { take_over: false });
    pair.driver.start(Job::Sweep(sweep(1000.0, 1.0, 7)), pair.now_s);
    while pair.points().len() < 3 {
        assert_eq!(pair.step(), None);
    }
    pair.driver.end_after_point(pair.now_s);
    let done = pair.until_done();
    assert_eq!(
        done,
        Done {
            outcome: Outcome::Aborted { points: 4 },
            cell: CellSwitch::Off
        }
    );
    assert!(pair.sent.contains("ABOR"), "{}", pair.sent);
    assert_eq!(
        pair.run(Job::Sweep(sweep(1000.0, 1.0, 7))).outcome,
        Outcome::SweepComplete { points: 7 }
    );
}

#[test]
fn a_command_that_the_status_register_calls_an_error_is_refused_with_its_words() {
    let profile = bench(&[(
        "poll = \"*OPC?\"\ngood = \"1\"",
        "poll = \"*ESR?\"\nbad_bits = 60",
    )]);
    let mut answers = 0;
    let mut written = Written::new(&profile, |line| match line {
        "*ESR?" => {
            answers += 1;
            vec![(0.1, if answers == 2 { "32" } else { "1" })]
        }
        _ => usual(line),
    });
    let done = written.run(Job::Sweep(sweep(1000.0, 1.0, 7)));
    let Outcome::Failed(InstrumentError::ScriptRefused { reason, place }) = &done.outcome else {
        panic!("{done:?}");
    };
    assert!(
        reason.contains("status 32") && place.starts_with("LEV"),
        "{reason} {place}"
    );
    assert_eq!(
        (done.cell, written.count("INIT"), written.count("OUTP OFF")),
        (CellSwitch::Off, 0, 1)
    );
}

#[test]
fn a_confirmation_that_does_not_come_fails_the_job_after_its_time() {
    let profile = bench(&[]);
    let mut written = Written::new(
        &profile,
        |line| if line == "*OPC?" { Vec::new() } else { usual(line) },
    );
    let done = written.run(Job::Sweep(sweep(1000.0, 1.0, 7)));
    assert!(
        matches!(done.outcome, Outcome::Failed(InstrumentError::NoAnswer { .. })),
        "{done:?}"
    );
    // Nothing confirms that the cell is off either.
    assert!(matches!(done.cell, CellSwitch::MayBeOn { .. }), "{done:?}");
    assert_eq!(written.count("INIT"), 0);
    assert!(
        (written.now_s - (4.0 + 0.3 + 4.0 + 4.0)).abs() < 0.5,
        "{}",
        written.now_s
    );
}

#[test]
fn an_error_in_the_queue_refuses_the_initialisation_and_is_told_after_a_sweep() {
    let error = "-113,\"Undefined header\"";
    let profile = bench(&[]);
    let mut written = Written::new(&profile, |line| {
        if line == "SYST:ERR?" {
            vec![(0.1, error)]
        } else {
            usual(line)
        }
    });
    let done = written.run(Job::Connect { take_over: false });
    let Outcome::Failed(InstrumentError::ScriptRefused { reason, .. }) = &done.outcome else {
        panic!("{done:?}");
    };
    assert_eq!(reason, error);
    let mut written = Written::new(&profile, |line| match line {
        "INIT" => vec![(0.2, ROW), (0.4, ROW), (0.5, "END")],
        "SYST:ERR?" => vec![(0.1, error)],
        _ => usual(line),
    });
    let done = written.run(Job::Sweep(sweep(1000.0, 1.0, 2)));
    assert_eq!(
        done,
        Done {
            outcome: Outcome::SweepComplete { points: 2 },
            cell: CellSwitch::Off
        }
    );
    assert!(
        written.remarks().contains("reports an error: -113"),
        "{}",
        written.remarks()
    );
}

#[test]
fn rows_that_are_asked_for_are_asked_for_again_while_the_instrument_is_busy() {
    let profile = bench(&[
        (
            "mode = \"device_sweep\"",
            "mode = \"poll\"\ninterval_s = 0.5\nread = { send = \"FETC?\", acknowledge = \"none\" }",
        ),
        ("[line.sweep]", "[line]\nignore = [\"BUSY\"]\n[line.sweep]"),
    ]);
    let mut asked = 0;
    let mut written = Written::new(&profile, |line| match line {
        "FETC?" => {
            asked += 1;
            vec![(0.1, if asked % 3 == 0 { ROW } else { "BUSY" })]
        }
        _ => usual(line),
    });
    let done = written.run(Job::Sweep(sweep(1000.0, 1.0, 4)));
    assert_eq!(
        done,
        Done {
            outcome: Outcome::SweepComplete { points: 4 },
            cell: CellSwitch::Off
        }
    );
    assert_eq!(
        (
            written.points(),
            written.count("FETC?"),
            written.remarks().as_str()
        ),
        (4, 12, "")
    );
    let asked: Vec<f64> = written
        .heard
        .iter()
        .filter(|(_, line)| line == "FETC?")
        .map(|(at_s, _)| *at_s)
        .collect();
    assert!(asked.windows(2).all(|two| two[1] - two[0] >= 0.5), "{asked:?}");
}

#[test]
fn a_point_is_tried_as_often_as_the_profile_says_and_then_the_instrument_is_asked_whether_it_lives() {
    let profile = bench(
        &[
            PER_POINT,
            &[("row_periods = 3.0", "row_periods = 3.0\nretries = 2")],
        ]
        .concat(),
    );
    for lost in [2, 3] {
        let mut reads = 0;
        let mut written = Written::new(&profile, |line| match line {
            "READ?" => {
                reads += 1;
                // The second point loses some of its answers.
                if (2..2 + lost).contains(&reads) {
                    Vec::new()
                } else {
                    vec![(0.1, ROW)]
                }
            }
            _ => usual(line),
        });
        let done = written.run(Job::Sweep(sweep(1000.0, 1.0, 3)));
        assert_eq!(done.cell, CellSwitch::Off);
        if lost == 2 {
            assert_eq!(done.outcome, Outcome::SweepComplete { points: 3 });
            assert_eq!(written.remarks().matches("tried again").count(), 2);
            assert_eq!(written.count("READ?"), 5);
        } else {
            assert!(
                matches!(done.outcome, Outcome::Failed(InstrumentError::Stalled { .. })),
                "{done:?}"
            );
            assert_eq!((written.points(), written.count("*IDN?")), (1, 1));
        }
    }
}

#[test]
fn a_row_may_take_its_base_and_periods_the_first_one_more_and_the_sweep_no_longer_than_said() {
    // 1 kHz, 1 Hz: 6.003 s and 9 s; the first row has 20 s more.
    let late = |first_s: f64, second_s: f64, more: &[(&str, &str)]| {
        let profile = bench(more);
        let mut written = Written::new(&profile, |line| match line {
            "INIT" => vec![(first_s, ROW), (first_s + second_s, "1.0e+00,1.0e+00,-2.0e+00")],
            _ => usual(line),
        });
        let done = written.run(Job::Sweep(sweep(1000.0, 1.0, 2)));
        (
            matches!(done.outcome, Outcome::SweepComplete { .. }),
            written.points(),
        )
    };
    assert_eq!(late(5.9, 8.9, &[]), (true, 2));
    assert_eq!(late(6.1, 1.0, &[]), (false, 0));
    assert_eq!(late(1.0, 9.1, &[]), (false, 1));
    let first = ("reply_s = 4.0", "reply_s = 4.0\nfirst_row_s = 20.0");
    assert_eq!(late(25.9, 8.9, &[first]), (true, 2));
    assert_eq!(late(26.1, 1.0, &[first]), (false, 0));
    let sweep_s = ("reply_s = 4.0", "reply_s = 4.0\nsweep_s = 10.0");
    assert_eq!(late(5.0, 4.5, &[sweep_s]), (true, 2));
    assert_eq!(late(5.0, 5.5, &[sweep_s]), (false, 1));
}
