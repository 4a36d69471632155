//! Runs the scenario files under `tests/scenarios/driver`: one behaviour of the driver each.
//!
//! A step may say `at` (the clock runs up to there, deadlines on the way are kept), then does one thing
//! (`start`, `receive`, `abort`, `end_after_point`, `link_lost`) and says what the driver must have given out
//! since the last expectation (`expect`), word for word.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde::Deserialize;

use super::driver::MethodScript;
use super::settings::DriverSettings;
use crate::instrument::{CellSwitch, Instrument, Job, Outcome, Output, Ranging, SweepJob, SweepPart};
use crate::profile::{CurrentRange, PointTiming};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    #[serde(default = "real_time")]
    time_scale: f64,
    #[serde(default)]
    line_delay_s: f64,
    step: Vec<ScenarioStep>,
}

fn real_time() -> f64 {
    1.0
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScenarioStep {
    at: Option<f64>,
    start: Option<String>,
    receive: Option<String>,
    #[serde(default)]
    abort: bool,
    #[serde(default)]
    end_after_point: bool,
    #[serde(default)]
    link_lost: bool,
    expect: Option<Vec<String>>,
}

fn settings(time_scale: f64, line_delay_s: f64) -> DriverSettings {
    DriverSettings {
        device: "es4_hr".into(),
        timing: PointTiming {
            point_overhead_s: 0.43,
            point_periods: 2.1,
        },
        current_ranges: vec![CurrentRange {
            code: 0x18,
            limit_a: 0.01,
            label: "10 mA".into(),
        }],
        pgstat_mode: 3,
        max_bandwidth_hz: 200e3,
        channel: 0,
        line_delay_s,
        time_scale,
    }
}

fn job(name: &str) -> Job {
    let sweep = |f_max_hz, f_min_hz| {
        Job::Sweep(SweepJob {
            f_max_hz,
            f_min_hz,
            n_points: 3,
            amplitude_vrms: 0.01,
            bias_v: 0.62,
            current_range_a: 0.01,
            pgstat_mode: 3,
            max_bandwidth_hz: 200e3,
            ..SweepJob::default()
        })
    };
    match name {
        "connect" => Job::Connect { take_over: false },
        "take over" => Job::Connect { take_over: true },
        "open circuit" => Job::OpenCircuit {
            duration_s: 2.0,
            interval_s: 0.5,
        },
        "sweep" => sweep(100e3, 10.0),
        "slow sweep" => sweep(1.0, 0.01),
        "sweep until overload" => match sweep(100e3, 10.0) {
            Job::Sweep(job) => Job::Sweep(SweepJob {
                stop_at_overload: true,
                ..job
            }),
            other => other,
        },
        "driven sweep" => match sweep(1.0, 0.01) {
            Job::Sweep(job) => Job::Sweep(SweepJob {
                parts: [1.0, 0.1, 0.01]
                    .map(|frequency_hz| SweepPart {
                        f_max_hz: frequency_hz,
                        f_min_hz: frequency_hz,
                        n_points: 1,
                        amplitude: 0.01,
                        ranging: Ranging::Pinned(0.01),
                    })
                    .to_vec(),
                hold_s: Some(60.0),
                ..job
            }),
            other => other,
        },
        "impossible sweep" => sweep(10.0, 100e3),
        "cell off" => Job::CellOff,
        other => panic!("no job `{other}`"),
    }
}

/// An output as scenario files write it.
fn text(output: &Output) -> String {
    match output {
        Output::Send(bytes) => {
            let sent = String::from_utf8(bytes.clone()).unwrap();
            match sent.as_str() {
                "e\ncell_off\n\n" => "send script: cell off".into(),
                script if script.starts_with("e\n") && script.contains("meas_loop_eis") => {
                    "send script: sweep".into()
                }
                script if script.starts_with("e\n") && script.contains("meas_loop_ocp") => {
                    "send script: open circuit".into()
                }
                command => format!("send {}", command.escape_debug()),
            }
        }
        Output::Identity(identity) => {
            format!(
                "identity {} | {} | {}",
                identity.device, identity.firmware, identity.serial
            )
        }
        Output::Sample(sample) => format!("sample {} {:?}", sample.technique, sample.potential_v),
        Output::SweepBegan => "sweep began".into(),
        Output::Point(point) => format!(
            "point {} Hz {} {} {} from {:?} s, {}",
            point.frequency_hz,
            point.z_real_ohm,
            point.z_imag_ohm,
            point.status.word(),
            point.t_start_s.unwrap(),
            point.range.as_deref().unwrap_or("no range"),
        ),
        Output::Remark(remark) => format!("remark {remark}"),
        Output::Done(done) => {
            let cell = match &done.cell {
                CellSwitch::Off => "off".into(),
                CellSwitch::Untouched => "untouched".into(),
                CellSwitch::MayBeOn { why } => format!("may be on: {why}"),
                CellSwitch::NoSwitch => "no switch".to_owned(),
            };
            let outcome = match &done.outcome {
                Outcome::Connected => "connected".into(),
                Outcome::OpenCircuit(read) => format!(
                    "{:.4} V, {} readings, drift {:.4?} V/s",
                    read.potential_v, read.readings, read.drift_v_per_s
                ),
                Outcome::SweepComplete { points } => format!("complete with {points} points"),
                Outcome::DirectComplete(end) => format!("direct current complete, {:?}", end.bound),
                Outcome::Overloaded { points, at, lost } => {
                    format!("overloaded at point {at}, {points} arrived, {lost} before it lost")
                }
                Outcome::Aborted { points } => format!("aborted with {points} points"),
                Outcome::CellOff => "cell off".into(),
                Outcome::Failed(error) => format!("failed: {error}"),
                Outcome::LinkLost => "link lost".into(),
            };
            format!("done: {outcome} | cell {cell}")
        }
    }
}

/// A driver with a clock that keeps its deadlines.
struct Bench {
    driver: MethodScript,
    now_s: f64,
}

impl Bench {
    fn new(scenario: &Scenario) -> Self {
        Self {
            driver: MethodScript::new(settings(scenario.time_scale, scenario.line_delay_s)),
            now_s: 0.0,
        }
    }

    fn run_to(&mut self, time_s: f64) {
        for _ in 0..10_000 {
            match self.driver.deadline_s() {
                Some(deadline_s) if deadline_s <= time_s => {
                    self.now_s = self.now_s.max(deadline_s);
                    self.driver.tick(self.now_s);
                }
                _ => {
                    self.now_s = self.now_s.max(time_s);
                    return;
                }
            }
        }
        panic!("the driver asks for a tick without end at {} s", self.now_s);
    }

    /// Does what a step says; `split` hands the bytes over, in however many pieces.
    fn act(&mut self, step: &ScenarioStep, split: &mut dyn FnMut(&[u8]) -> Vec<usize>) {
        if let Some(time_s) = step.at {
            self.run_to(time_s);
        }
        if let Some(name) = &step.start {
            self.driver.start(job(name), self.now_s);
        }
        if let Some(bytes) = step.receive.as_deref().map(str::as_bytes) {
            let mut start = 0;
            let mut cuts = split(bytes);
            cuts.sort_unstable();
            for cut in cuts.into_iter().chain([bytes.len()]) {
                self.driver.receive(&bytes[start..cut], self.now_s);
                start = cut;
            }
        }
        if step.abort {
            self.driver.abort(self.now_s);
        }
        if step.end_after_point {
            self.driver.end_after_point(self.now_s);
        }
        if step.link_lost {
            self.driver.link_lost();
        }
    }

    fn outputs(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.driver.take_output())
            .map(|output| text(&output))
            .collect()
    }
}

fn scenario_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/driver");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

fn load(file: &Path) -> Scenario {
    let text = std::fs::read_to_string(file).unwrap();
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// What the driver gives out over a whole scenario.
fn play(scenario: &Scenario, split: &mut dyn FnMut(&[u8]) -> Vec<usize>) -> Vec<String> {
    let mut bench = Bench::new(scenario);
    for step in &scenario.step {
        bench.act(step, split);
    }
    bench.outputs()
}

#[test]
fn every_scenario_goes_as_its_file_says() {
    let files = scenario_files();
    assert!(files.len() >= 15, "scenario files are missing: {files:?}");
    let mut wrong = Vec::new();
    for file in files {
        let scenario = load(&file);
        let mut bench = Bench::new(&scenario);
        for (number, step) in scenario.step.iter().enumerate() {
            bench.act(step, &mut |_| Vec::new());
            let Some(expected) = &step.expect else { continue };
            let came = bench.outputs();
            if came != *expected {
                wrong.push(format!(
                    "{}, step {}:\n  expected {expected:#?}\n  came {came:#?}",
                    file.display(),
                    number + 1
                ));
                break;
            }
        }
        if wrong.is_empty() {
            let left = bench.outputs();
            assert!(left.is_empty(), "{}: not expected: {left:?}", file.display());
            assert!(
                bench.driver.is_idle(),
                "{}: the job has not ended",
                file.display()
            );
            assert_eq!(bench.driver.deadline_s(), None, "{}", file.display());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A driver in the middle of its slow sweep of three points.
fn measuring_slowly() -> Bench {
    let mut driver = MethodScript::new(settings(1.0, 0.0));
    driver.start(job("slow sweep"), 0.0);
    driver.receive(b"e\nM000D\n", 0.0);
    Bench { driver, now_s: 0.0 }
}

/// Everything that the driver gives out to a device that answers questions about itself, and measures nothing.
fn with_a_device_that_only_answers(to_serial: &[u8]) -> Vec<String> {
    let mut bench = measuring_slowly();
    let mut outputs = bench.outputs();
    while let Some(deadline_s) = bench.driver.deadline_s() {
        bench.run_to(deadline_s);
        while let Some(output) = bench.driver.take_output() {
            let answer: &[u8] = match text(&output).as_str() {
                "send t\\n" => b"tes4_hr1500#x\nR*\n",
                "send i\\n" => to_serial,
                "send Z\\n" => b"Z!0006\n",
                "send script: cell off" => b"e\n\n",
                _ => b"",
            };
            outputs.push(text(&output));
            bench.driver.receive(answer, bench.now_s);
        }
    }
    outputs
}

#[test]
fn a_device_that_answers_for_ever_without_a_point_has_stalled_and_its_cell_is_switched_off() {
    // Refused while a script runs, or passed over: twenty times two seconds longer.
    for (to_serial, waited, asked_for_serial, asked_for_firmware) in [
        (&b"i!0006\n"[..], "no point came for 159 s", 19, 2),
        (&b""[..], "no point came for 197 s", 19, 21),
    ] {
        let outputs = with_a_device_that_only_answers(to_serial);
        let done = outputs.last().unwrap();
        assert!(done.contains(waited) && done.ends_with("cell off"), "{done}");
        let asked = |question: &str| outputs.iter().filter(|output| *output == question).count();
        assert_eq!(
            (asked("send i\\n"), asked("send t\\n")),
            (asked_for_serial, asked_for_firmware),
            "once for every silence, once more to switch the cell off"
        );
    }
}

#[test]
fn a_device_that_restarted_without_a_word_is_found_out_at_the_second_silence() {
    let outputs = with_a_device_that_only_answers(b"iES4HR20B0008\n");
    let done = outputs.last().unwrap();
    assert!(
        done.contains("ended after 0 of 3 points") && done.ends_with("cell off"),
        "{done}"
    );
    assert_eq!(outputs.iter().filter(|output| *output == "send i\\n").count(), 1);
}

#[test]
fn the_remaining_time_of_a_sweep_runs_down_and_is_corrected_by_what_points_take() {
    let mut bench = measuring_slowly();
    let expected_s = 3.0 * 0.43 + 2.1 * (1.0 + 10.0 + 100.0);
    assert!((bench.driver.remaining_s(0.0).unwrap() - expected_s).abs() < 1e-9);
    assert!((bench.driver.remaining_s(1.0).unwrap() - expected_s + 1.0).abs() < 1e-9);
    // The first point took twice as long as the profile says, so the others may, too.
    bench
        .driver
        .receive(b"Pdc80F4240u;cc896D904m,10,218;cd82DB1A8u,10,206\n", 5.06);
    assert!(bench.driver.remaining_s(5.06).unwrap() > expected_s);
}

proptest! {
    #[test]
    fn bytes_in_any_pieces_give_the_same_outputs(which: prop::sample::Index, cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..9)) {
        let files = scenario_files();
        let scenario = load(&files[which.index(files.len())]);
        let whole = play(&scenario, &mut |_| Vec::new());
        let pieces = play(&scenario, &mut |bytes| cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect());
        prop_assert_eq!(pieces, whole);
    }

    #[test]
    fn garbage_never_panics_and_a_clean_device_is_still_recognised_afterwards(
        garbage in prop::collection::vec(garbage(), 0..12),
        start in prop::sample::select(vec!["connect", "take over", "open circuit", "sweep", "cell off"]),
    ) {
        let mut driver = MethodScript::new(settings(1.0, 0.0));
        let mut now_s = 0.0;
        driver.start(job(start), now_s);
        for bytes in &garbage {
            driver.receive(bytes, now_s);
            now_s += 0.7;
            driver.tick(now_s);
        }
        // Whatever it made of that, silence ends every job in finite time.
        for _ in 0..2000 {
            let Some(deadline_s) = driver.deadline_s() else { break };
            now_s = deadline_s.max(now_s);
            driver.tick(now_s);
        }
        prop_assert!(driver.is_idle());
        let done = std::iter::from_fn(|| driver.take_output())
            .filter(|output| matches!(output, Output::Done(_)))
            .count();
        prop_assert_eq!(done, 1);

        driver.start(job("connect"), now_s);
        driver.receive(b"\xff\x00half a line\n\n", now_s);
        driver.tick(now_s + 0.1);
        driver.receive(b"tes4_hr1500#Mar 12 2026 14:28:01\nR*\niES4HR20B0008\niES4HR20B0008\nv01.09.00\nCM0\nCM0\n", now_s + 0.2);
        let last = std::iter::from_fn(|| driver.take_output()).last();
        prop_assert_eq!(last.map(|output| text(&output)), Some("done: connected | cell untouched".to_owned()));
    }
}

/// Bytes of any kind, many of them with a meaning to the driver.
fn garbage() -> impl Strategy<Value = Vec<u8>> {
    let telling = vec![
        "e\n",
        "\n",
        "*\n",
        "R*\n",
        "M000D\n",
        "Z\n",
        "Z!0006\n",
        "e!0006\n",
        "e!4001: Line 1, Col 2\n",
        "!4027: Line 9\n",
        "tes4_hr1500#x\n",
        "iA\n",
        "v1\n",
        "A!0003\n",
        "PdcDF5DFF4u;cc896D904m,10,218;cd82DB1A8u,10,206\n",
        "Tx\n",
        "Pab8030D40m,10,206\n",
        "i!0006\n",
    ];
    prop_oneof![
        3 => prop::sample::select(telling).prop_map(|line| line.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..60),
    ]
}
