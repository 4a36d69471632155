//! The driver against the simulated device, in device time: no port, no waiting.

use interphase::circuit::Circuit;
use interphase::instrument::method_script::{DriverSettings, MethodScript, Script};
use interphase::instrument::{
    CellSwitch, Done, Instrument, InstrumentError, InstrumentIdentity, Job, Outcome, Output, Ranging,
    SweepJob, SweepPart,
};
use interphase::profile;
use interphase::simulator::{CellModel, Device, DeviceSettings, Persona};
use interphase::spectrum::{Point, PointStatus};
use proptest::prelude::*;

const PROFILE: &str = include_str!("../../profiles/instruments/es4_hr.toml");

/// Time that bytes take on the line in s.
const LATENCY_S: f64 = 0.001;

/// What somebody does while a job runs.
#[derive(Clone, Copy, Debug)]
enum Intervention {
    Abort,
    EndAfterPoint,
}

/// Driver and device with a line between them.
struct Bench {
    driver: MethodScript,
    device: Device,
    now_s: f64,
    points: Vec<Point>,
    identity: Option<InstrumentIdentity>,
    /// A command that does not arrive the first time it is sent.
    lost: Option<&'static [u8]>,
    /// Of what was sent, the commands of one letter.
    commands: Vec<char>,
}

/// 100 ohm and 1 kohm beside 1 µF.
fn cell() -> (Circuit, Vec<f64>) {
    (Circuit::parse("R0-p(R1,C1)").unwrap(), vec![100.0, 1000.0, 1e-6])
}

impl Bench {
    fn new() -> Self {
        let instrument = profile::Instrument::parse("es4_hr.toml", PROFILE).unwrap();
        let (circuit, values) = cell();
        let persona = Persona::es4_hr();
        Self {
            driver: MethodScript::new(DriverSettings::new(&instrument, 1.0)),
            device: Device::new(DeviceSettings {
                serial: persona.serial(7),
                persona,
                cell: CellModel {
                    open_circuit_v: 0.62,
                    ..CellModel::constant(circuit, values)
                },
                seed: 7,
            }),
            now_s: 0.0,
            points: Vec::new(),
            identity: None,
            lost: None,
            commands: Vec::new(),
        }
    }

    /// Runs a job to its end; `intervention` happens so many seconds after its start.
    fn job(&mut self, job: Job, intervention: Option<(f64, Intervention)>) -> Done {
        self.points.clear();
        self.driver.start(job, self.now_s);
        let mut intervention = intervention.map(|(after_s, what)| (self.now_s + after_s, what));
        for _ in 0..100_000 {
            while let Some(output) = self.driver.take_output() {
                match output {
                    Output::Send(bytes) => {
                        self.now_s += LATENCY_S;
                        if let [letter, b'\n'] = bytes[..] {
                            self.commands.push(char::from(letter));
                        }
                        if self.lost.is_some_and(|lost| lost == bytes) {
                            self.lost = None;
                        } else {
                            self.device.receive(&bytes, self.now_s);
                        }
                    }
                    Output::Point(point) => self.points.push(point),
                    Output::Identity(identity) => self.identity = Some(identity),
                    Output::Done(done) => return done,
                    Output::Sample(_) | Output::SweepBegan | Output::Remark(_) => {}
                }
            }
            let came = self.device.advance(self.now_s);
            if !came.is_empty() {
                self.now_s += LATENCY_S;
                self.driver.receive(&came, self.now_s);
                continue;
            }
            let due = intervention.map(|(at_s, _)| at_s);
            let next_s = [self.driver.deadline_s(), self.device.deadline_s(), due];
            let next_s = next_s.into_iter().flatten().min_by(f64::total_cmp);
            self.now_s = self.now_s.max(next_s.expect("a running job waits for something"));
            if let Some((at_s, what)) = intervention
                && at_s <= self.now_s
            {
                intervention = None;
                match what {
                    Intervention::Abort => self.driver.abort(self.now_s),
                    Intervention::EndAfterPoint => self.driver.end_after_point(self.now_s),
                }
            }
            self.driver.tick(self.now_s);
        }
        panic!("the job does not end");
    }

    fn assert_cell_is_off(&self, done: &Done) {
        assert_eq!(done.cell, CellSwitch::Off, "{done:?}");
        assert!(!self.device.cell_is_on() && !self.device.is_running());
    }
}

fn sweep(f_max_hz: f64, f_min_hz: f64, n_points: u32) -> SweepJob {
    SweepJob {
        f_max_hz,
        f_min_hz,
        n_points,
        amplitude_vrms: 0.01,
        bias_v: 0.62,
        current_range_a: 1e-3,
        pgstat_mode: 3,
        max_bandwidth_hz: 200e3,
        ..SweepJob::default()
    }
}

#[test]
fn a_session_s_jobs_go_through_on_the_simulated_device() {
    let mut bench = Bench::new();
    assert_eq!(
        bench.job(Job::Connect { take_over: false }, None).outcome,
        Outcome::Connected
    );
    assert_eq!(bench.identity.as_ref().unwrap().device, "es4_hr");

    let done = bench.job(
        Job::OpenCircuit {
            duration_s: 5.0,
            interval_s: 0.5,
        },
        None,
    );
    let Outcome::OpenCircuit(read) = done.outcome else {
        panic!("{done:?}")
    };
    assert!((read.potential_v - 0.62).abs() < 1e-3, "{read:?}");
    bench.assert_cell_is_off(&done);

    let job = sweep(100e3, 1.0, 51);
    let done = bench.job(Job::Sweep(job.clone()), None);
    assert_eq!(done.outcome, Outcome::SweepComplete { points: 51 });
    bench.assert_cell_is_off(&done);
    let (circuit, values) = cell();
    for (index, point) in bench.points.iter().enumerate() {
        let truth = circuit.impedance(&values, point.frequency_hz);
        let error = (point.z_real_ohm - truth.re).hypot(point.z_imag_ohm - truth.im) / truth.norm();
        assert!(error < 0.02, "{point:?} is not {truth}");
        let asked_hz = job.frequency_hz(index as u32);
        assert!(
            (point.frequency_hz / asked_hz - 1.0).abs() < 1e-4,
            "{point:?} at {asked_hz} Hz"
        );
    }
    let begins: Vec<f64> = bench.points.iter().filter_map(|point| point.t_start_s).collect();
    assert!(begins.len() == 51 && begins.is_sorted());
}

#[test]
fn a_potential_out_of_range_fails_with_its_line_and_the_cell_off() {
    let mut bench = Bench::new();
    let done = bench.job(
        Job::Sweep(SweepJob {
            bias_v: 7.0,
            ..sweep(1e3, 10.0, 3)
        }),
        None,
    );
    let Outcome::Failed(InstrumentError::ScriptFailed { place, .. }) = &done.outcome else {
        panic!("{done:?}")
    };
    assert!(place.contains('7'), "{place}");
    bench.assert_cell_is_off(&done);
}

#[test]
fn a_script_of_somebody_else_is_reported_and_aborted_only_with_leave() {
    let mut bench = Bench::new();
    let theirs = "e\nvar f\nvar r\nvar j\nset_pgstat_chan 0\nset_pgstat_mode 3\nset_max_bandwidth 200k\nset_range ba 1m\n\
        set_autoranging ba 1m 1m\nset_e 620m\ncell_on\nmeas_loop_eis f r j 10m 1 1m 10 620m\nendloop\n\n";
    bench.device.receive(theirs.as_bytes(), 0.0);
    assert!(bench.device.is_running() && bench.device.cell_is_on());
    let done = bench.job(Job::Connect { take_over: false }, None);
    assert_eq!(done.outcome, Outcome::Failed(InstrumentError::ScriptRunning));
    assert!(bench.device.is_running());
    // Their script has no on_finished, so its abort alone would leave the cell on.
    let done = bench.job(Job::Connect { take_over: true }, None);
    assert_eq!(done.outcome, Outcome::Connected);
    bench.assert_cell_is_off(&done);
}

#[test]
fn a_galvanostatic_sweep_measures_the_same_impedance_and_sets_no_current_before_and_after() {
    let mut bench = Bench::new();
    let part = |f_max_hz, f_min_hz, amplitude, range_a| SweepPart {
        f_max_hz,
        f_min_hz,
        n_points: 5,
        amplitude,
        ranging: Ranging::Pinned(range_a),
    };
    let job = SweepJob {
        pgstat_mode: 6,
        bias_a: Some(0.0),
        n_points: 10,
        open_circuit_v: Some(0.62),
        parts: vec![part(100e3, 10e3, 50e-6, 1e-3), part(1e3, 100.0, 10e-6, 1e-4)],
        ..sweep(100e3, 100.0, 10)
    };
    let script = String::from_utf8(Script::sweep(&job).unwrap().wire_lines().concat()).unwrap();
    assert!(
        script.contains("set_i 0\ncell_on\n") && script.ends_with("set_i 0\ncell_off\n\n"),
        "{script}"
    );
    let done = bench.job(Job::Sweep(job), None);
    assert_eq!(done.outcome, Outcome::SweepComplete { points: 10 });
    bench.assert_cell_is_off(&done);
    let (circuit, values) = cell();
    for (index, point) in bench.points.iter().enumerate() {
        let truth = circuit.impedance(&values, point.frequency_hz);
        assert!((point.z_real_ohm - truth.re).hypot(point.z_imag_ohm - truth.im) < 0.02 * truth.norm());
        assert_eq!(point.amplitude_arms, Some(if index < 5 { 50e-6 } else { 10e-6 }));
        assert_eq!(
            point.range.as_deref(),
            Some(if index < 5 { "1 mA" } else { "100 µA" })
        );
    }
}

#[test]
fn a_sweep_ends_with_its_first_overloaded_point_where_it_is_asked_to() {
    let mut bench = Bench::new();
    // 10 mV rms over 100 ohm at the highest frequencies, in a range of 10 µA.
    let job = SweepJob {
        current_range_a: 1e-5,
        stop_at_overload: true,
        ..sweep(100e3, 1.0, 51)
    };
    let done = bench.job(Job::Sweep(job), None);
    assert!(
        matches!(
            done.outcome,
            Outcome::Overloaded {
                points: 1..=3,
                at: 0,
                lost: 0
            }
        ),
        "{done:?}"
    );
    assert_eq!(bench.points[0].status, PointStatus::Overload);
    bench.assert_cell_is_off(&done);
}

#[test]
fn a_cell_that_does_not_rest_where_it_did_is_not_switched_on_for_a_sweep() {
    let mut bench = Bench::new();
    let job = SweepJob {
        open_circuit_v: Some(0.6),
        ..sweep(1e3, 10.0, 3)
    };
    let done = bench.job(Job::Sweep(job), None);
    assert_eq!(done.outcome, Outcome::Failed(InstrumentError::CellMoved));
    assert!(bench.device.take_switched().is_empty());
    bench.assert_cell_is_off(&done);
}

/// A sweep away from open circuit, in three parts between which the instrument waits.
fn driven() -> SweepJob {
    let part = |f_max_hz, f_min_hz, n_points| SweepPart {
        f_max_hz,
        f_min_hz,
        n_points,
        amplitude: 0.01,
        ranging: Ranging::Pinned(1e-3),
    };
    SweepJob {
        bias_v: 0.7,
        open_circuit_v: Some(0.62),
        parts: vec![part(1.0, 0.1, 5), part(0.05, 0.05, 1), part(0.03, 0.03, 1)],
        hold_s: Some(60.0),
        ..sweep(1.0, 0.03, 7)
    }
}

#[test]
fn a_driven_sweep_goes_on_from_part_to_part_with_the_cell_on_while_the_computer_answers() {
    for lost in [None, Some(&b"Y\n"[..])] {
        let mut bench = Bench::new();
        bench.lost = lost;
        let done = bench.job(Job::Sweep(driven()), None);
        assert_eq!(done.outcome, Outcome::SweepComplete { points: 7 });
        assert!(bench.points.iter().all(|point| point.status == PointStatus::Ok));
        assert!(
            bench
                .points
                .iter()
                .map(|point| point.frequency_hz)
                .is_sorted_by(|a, b| a > b)
        );
        let switched: Vec<bool> = bench
            .device
            .take_switched()
            .iter()
            .map(|switched| switched.cell_on)
            .collect();
        assert_eq!(switched, [true, false]);
        // Once for each wait, and once more where it did not arrive.
        let told = bench.commands.iter().filter(|command| **command == 'Y').count();
        assert_eq!(told, 2 + usize::from(lost.is_some()));
        bench.assert_cell_is_off(&done);
    }
}

#[test]
fn a_dead_computer_leaves_a_resting_cell_after_the_part_of_a_driven_sweep_that_runs() {
    // Dead from the first point on, and from the beginning of the longest point on.
    for (points, longest_s) in [(1, 80.0), (6, 75.0)] {
        let mut bench = Bench::new();
        bench.driver.start(Job::Sweep(driven()), 0.0);
        while bench.points.len() < points {
            while let Some(output) = bench.driver.take_output() {
                match output {
                    Output::Send(bytes) => bench.device.receive(&bytes, bench.now_s),
                    Output::Point(point) => bench.points.push(point),
                    _ => {}
                }
            }
            let came = bench.device.advance(bench.now_s);
            if came.is_empty() {
                bench.now_s = bench.device.deadline_s().unwrap();
            }
            bench.driver.receive(&came, bench.now_s);
        }
        bench.device.advance(bench.now_s);
        assert!(bench.device.cell_is_on());
        let dead_s = bench.now_s;
        while bench.device.is_running() {
            bench.now_s = bench.device.deadline_s().unwrap();
            bench.device.advance(bench.now_s);
        }
        assert!(!bench.device.cell_is_on());
        let alone_s = bench.now_s - dead_s;
        assert!(
            alone_s > 60.0 && alone_s < 60.0 + longest_s,
            "{alone_s} after {points} points"
        );
    }
}

#[test]
fn a_driven_sweep_that_is_to_end_does_not_wait_between_its_parts() {
    let mut bench = Bench::new();
    // 2.1 periods of 0.05 Hz: somewhere in the second part.
    let end = (60.0, Intervention::EndAfterPoint);
    let done = bench.job(Job::Sweep(driven()), Some(end));
    let Outcome::Aborted { points } = done.outcome else {
        panic!("{done:?}")
    };
    assert_eq!(points as usize, bench.points.len());
    bench.assert_cell_is_off(&done);
    assert!(bench.now_s < 60.0 + 45.0, "{}", bench.now_s);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn whenever_a_sweep_is_ended_the_cell_is_off_and_the_next_one_goes_through(
        after_s in 0.0f64..60.0, at_once: bool, f_min_exponent in -1.0f64..2.0,
    ) {
        let mut bench = Bench::new();
        let how = if at_once { Intervention::Abort } else { Intervention::EndAfterPoint };
        let done = bench.job(Job::Sweep(sweep(1e3, 10f64.powf(f_min_exponent), 5)), Some((after_s, how)));
        match done.outcome {
            Outcome::Aborted { points } => prop_assert_eq!(points as usize, bench.points.len()),
            Outcome::SweepComplete { points } => prop_assert_eq!(points, 5),
            ref other => prop_assert!(false, "{:?}", other),
        }
        bench.assert_cell_is_off(&done);
        let done = bench.job(Job::Sweep(sweep(1e3, 100.0, 3)), None);
        prop_assert_eq!(&done.outcome, &Outcome::SweepComplete { points: 3 });
        bench.assert_cell_is_off(&done);
    }
}
