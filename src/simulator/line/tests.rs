//! Driver and simulated instrument of each shipped profile, mouth to ear, without a port and without waiting.

mod direct;
mod policies;

use super::{LineDevice, LineDeviceSettings};
use crate::circuit::Circuit;
use crate::instrument::line_profile::{LineDriver, LineSettings, Reading, row};
use crate::instrument::{
    CellSwitch, Done, Instrument as _, InstrumentError, InstrumentIdentity, Job, Outcome, Output, SweepJob,
};
use crate::profile::{Instrument, Kind, shipped_text};
use crate::simulator::{CellModel, SimulatedInstrument};
use crate::spectrum::{Point, PointStatus};

fn shipped(name: &str) -> Instrument {
    Instrument::parse(name, shipped_text(Kind::Instrument, name).unwrap()).unwrap()
}

fn cell() -> CellModel {
    let mut model = CellModel::constant(Circuit::parse("R0-p(R1,C1)").unwrap(), vec![0.01, 0.02, 1.0]);
    model.open_circuit_v = 3.7;
    model
}

/// A driver and a device on one line, with a clock that jumps to whatever is due next.
struct Pair {
    driver: LineDriver,
    device: LineDevice,
    now_s: f64,
    /// Lines in the other direction are cut into pieces of so many bytes.
    piece: usize,
    outputs: Vec<Output>,
    sent: String,
    /// Lets nothing through from this time on.
    dead_from_s: f64,
}

impl Pair {
    fn new(profile: &Instrument) -> Self {
        let settings = LineDeviceSettings::new(profile, None, cell(), 1).unwrap();
        Self {
            driver: LineDriver::new(LineSettings::new(profile, 1.0).unwrap()),
            device: LineDevice::new(settings),
            now_s: 0.0,
            piece: 1000,
            outputs: Vec::new(),
            sent: String::new(),
            dead_from_s: f64::INFINITY,
        }
    }

    fn run(&mut self, job: Job) -> Done {
        self.driver.start(job, self.now_s);
        self.until_done()
    }

    fn until_done(&mut self) -> Done {
        for _ in 0..100_000 {
            if let Some(done) = self.step() {
                return done;
            }
        }
        panic!("the job does not end: {:?}", self.driver);
    }

    fn step(&mut self) -> Option<Done> {
        while let Some(output) = self.driver.take_output() {
            match output {
                Output::Send(bytes) => {
                    self.sent.push_str(&String::from_utf8_lossy(&bytes));
                    if self.now_s < self.dead_from_s {
                        self.device.receive(&bytes, self.now_s);
                    }
                }
                Output::Done(done) => return Some(done),
                output => self.outputs.push(output),
            }
        }
        let bytes = self.device.advance(self.now_s);
        if !bytes.is_empty() && self.now_s < self.dead_from_s {
            for piece in bytes.chunks(self.piece) {
                self.driver.receive(piece, self.now_s);
            }
            return None;
        }
        self.driver.tick(self.now_s);
        let next = [self.driver.deadline_s(), self.device.deadline_s()];
        let next_s = next.into_iter().flatten().fold(f64::INFINITY, f64::min);
        if next_s > self.now_s && next_s.is_finite() {
            self.now_s = next_s;
        }
        None
    }

    fn points(&self) -> Vec<Point> {
        let points = self.outputs.iter().filter_map(|output| match output {
            Output::Point(point) => Some(point.clone()),
            _ => None,
        });
        points.collect()
    }

    fn identity(&self) -> Option<InstrumentIdentity> {
        self.outputs.iter().find_map(|output| match output {
            Output::Identity(identity) => Some(identity.clone()),
            _ => None,
        })
    }
}

fn sweep(f_max_hz: f64, f_min_hz: f64, n_points: u32) -> SweepJob {
    SweepJob {
        f_max_hz,
        f_min_hz,
        n_points,
        amplitude_vrms: 0.010,
        bias_v: 0.0,
        current_range_a: f64::INFINITY,
        pgstat_mode: 0,
        max_bandwidth_hz: 0.0,
        ..SweepJob::default()
    }
}

/// The sweep that an instrument can make: its own, or one of the plan.
fn sweep_of(profile: &Instrument) -> SweepJob {
    let own = profile.line.as_ref().unwrap().sweep.as_ref().unwrap().frequencies;
    own.map_or_else(
        || sweep(1000.0, 1.0, 7),
        |own| {
            sweep(
                own.first_hz.max(own.last_hz),
                own.first_hz.min(own.last_hz),
                own.count,
            )
        },
    )
}

const IMPEDANCE: [&str; 6] = [
    "bt4560",
    "im3590",
    "sciospec_lcr1",
    "helpstat",
    "ad5940",
    "ad5940_battery",
];

/// Z of R0-p(R1,C1) with 10 mohm, 20 mohm and 1 F, by hand.
fn true_z(f: f64) -> (f64, f64) {
    let x = 2.0 * std::f64::consts::PI * f * 0.02 * 1.0;
    (0.01 + 0.02 / (1.0 + x * x), -0.02 * x / (1.0 + x * x))
}

#[test]
fn every_shipped_profile_measures_the_cell_that_its_simulator_has() {
    for name in IMPEDANCE {
        let profile = shipped(name);
        let mut pair = Pair::new(&profile);
        let done = pair.run(Job::Connect { take_over: false });
        assert_eq!(
            done.outcome,
            Outcome::Connected,
            "{name}: {:?}\n{}",
            pair.outputs,
            pair.sent
        );
        let job = sweep_of(&profile);
        for _ in 0..2 {
            pair.outputs.clear();
            let done = pair.run(Job::Sweep(job.clone()));
            let points = job.n_points;
            assert_eq!(
                done.outcome,
                Outcome::SweepComplete { points },
                "{name}: {:?}",
                pair.outputs
            );
            assert_eq!(done.cell, CellSwitch::NoSwitch);
            assert_eq!(
                pair.outputs.iter().filter(|o| **o == Output::SweepBegan).count(),
                1,
                "{name}"
            );
            let measured = pair.points();
            assert_eq!(measured.len(), points as usize);
            for point in &measured {
                let (real, imaginary) = true_z(point.frequency_hz);
                // Free-running devices print no more than four or six digits after the point.
                let digits = match name {
                    "helpstat" => 0.51e-4,
                    "ad5940" => 2e-6,
                    "ad5940_battery" => 1e-9,
                    _ => 1e-6 * real.hypot(imaginary),
                };
                let deviation = (point.z_real_ohm - real).hypot(point.z_imag_ohm - imaginary);
                assert!(
                    deviation <= 1.5 * digits + 2e-3 * imaginary.abs(),
                    "{name}: {point:?}, true {real} {imaginary}"
                );
                assert_eq!(point.status, PointStatus::Ok);
            }
        }
    }
}

#[test]
fn a_point_has_the_frequency_that_went_over_the_wire_and_the_digits_that_came() {
    let mut pair = Pair::new(&shipped("bt4560"));
    pair.run(Job::Connect { take_over: false });
    pair.run(Job::Sweep(sweep(1000.0, 1.0, 4)));
    let frequencies: Vec<f64> = pair.points().iter().map(|point| point.frequency_hz).collect();
    assert_eq!(frequencies, [1000.0, 100.0, 10.0, 1.0]);
    let mut pair = Pair::new(&shipped("bt4560"));
    pair.run(Job::Connect { take_over: false });
    pair.run(Job::Sweep(sweep(1000.0, 1.0, 3)));
    assert_eq!(pair.points()[1].frequency_hz, 31.62, "FREQ takes four digits");
    assert!(
        pair.sent.contains("FREQ 31.62\r\n*TRG;*WAI;FETCH?\r\n"),
        "{}",
        pair.sent
    );
}

#[test]
fn who_it_is_and_what_the_cell_rests_at_are_said_where_they_can_be() {
    let mut pair = Pair::new(&shipped("bt4560"));
    pair.run(Job::Connect { take_over: false });
    let identity = pair.identity().unwrap();
    assert_eq!(
        (identity.device.as_str(), identity.serial.as_str()),
        ("BT4560", "45600001")
    );
    let rest = Job::OpenCircuit {
        duration_s: 2.0,
        interval_s: 0.5,
    };
    let Outcome::OpenCircuit(rest) = pair.run(rest).outcome else {
        panic!("{:?}", pair.outputs);
    };
    assert!(
        (rest.potential_v - 3.7).abs() < 1e-4 && rest.readings == 4,
        "{rest:?}"
    );
    let mut silent = Pair::new(&shipped("helpstat"));
    silent.run(Job::Connect { take_over: false });
    assert_eq!(silent.identity().unwrap().serial, "");
    assert!(silent.sent.is_empty(), "nothing is sent to what cannot hear");
    let rest = Job::OpenCircuit {
        duration_s: 2.0,
        interval_s: 0.5,
    };
    assert!(matches!(
        silent.run(rest).outcome,
        Outcome::Failed(InstrumentError::ImpossibleJob(_))
    ));
}

#[test]
fn bytes_in_any_pieces_give_the_same_points() {
    for name in IMPEDANCE {
        let profile = shipped(name);
        let points = |piece| {
            let mut pair = Pair::new(&profile);
            pair.piece = piece;
            pair.run(Job::Connect { take_over: false });
            pair.run(Job::Sweep(sweep_of(&profile)));
            pair.points()
        };
        let whole = points(1000);
        for piece in [1, 2, 3, 7, 16] {
            assert_eq!(points(piece), whole, "{name} in pieces of {piece}");
        }
    }
}

#[test]
fn another_instrument_is_refused_and_a_dead_one_noticed() {
    let mut profile = shipped("bt4560");
    profile.device = "BT3562".to_owned();
    let mut pair = Pair::new(&profile);
    // The device says what its settings say, so the driver is told otherwise.
    pair.driver = LineDriver::new(LineSettings::new(&shipped("bt4560"), 1.0).unwrap());
    let done = pair.run(Job::Connect { take_over: false });
    let Outcome::Failed(InstrumentError::WrongDevice { found, .. }) = done.outcome else {
        panic!("{done:?}");
    };
    assert_eq!((found.as_str(), done.cell), ("BT3562", CellSwitch::Untouched));
    let mut pair = Pair::new(&shipped("bt4560"));
    pair.dead_from_s = 0.0;
    let done = pair.run(Job::Connect { take_over: false });
    assert!(matches!(
        done.outcome,
        Outcome::Failed(InstrumentError::NoAnswer { .. })
    ));
}

#[test]
fn an_instrument_that_dies_in_a_sweep_ends_it_as_unreachable() {
    let mut pair = Pair::new(&shipped("bt4560"));
    pair.run(Job::Connect { take_over: false });
    pair.driver.start(Job::Sweep(sweep(1000.0, 1.0, 7)), pair.now_s);
    while pair.points().len() < 3 {
        assert!(pair.step().is_none());
    }
    pair.dead_from_s = pair.now_s;
    let done = pair.until_done();
    assert!(
        matches!(done.outcome, Outcome::Failed(InstrumentError::NoAnswer { .. })),
        "{done:?}"
    );
    assert_eq!(pair.points().len(), 3);
}

#[test]
fn a_stop_ends_after_the_point_or_at_once_and_the_next_sweep_is_in_step() {
    for name in ["bt4560", "sciospec_lcr1", "im3590", "ad5940_battery"] {
        for at_once in [false, true] {
            let profile = shipped(name);
            let mut pair = Pair::new(&profile);
            pair.run(Job::Connect { take_over: false });
            pair.driver.start(Job::Sweep(sweep_of(&profile)), pair.now_s);
            while pair.points().len() < 2 {
                assert!(pair.step().is_none());
            }
            if at_once {
                pair.driver.abort(pair.now_s);
            } else {
                pair.driver.end_after_point(pair.now_s);
            }
            let done = pair.until_done();
            let Outcome::Aborted { points } = done.outcome else {
                panic!("{name}: {done:?}");
            };
            assert!(points == 2 || !at_once && points == 3, "{name}: {points}");
            pair.outputs.clear();
            let done = pair.run(Job::Sweep(sweep_of(&profile)));
            assert!(
                matches!(done.outcome, Outcome::SweepComplete { .. }),
                "{name}: {done:?}"
            );
            let first = pair.points()[0].clone();
            let (real, imaginary) = true_z(first.frequency_hz);
            let deviation = (first.z_real_ohm - real).hypot(first.z_imag_ohm - imaginary);
            assert!(
                deviation < 1e-4,
                "{name}: the row of the point that was given up is not taken for another's"
            );
        }
    }
}

#[test]
fn a_lost_link_ends_the_job() {
    let mut pair = Pair::new(&shipped("sciospec_lcr1"));
    pair.run(Job::Connect { take_over: false });
    pair.driver.start(Job::Sweep(sweep(1e3, 1.0, 7)), pair.now_s);
    pair.step();
    pair.driver.link_lost();
    let done = pair.until_done();
    assert_eq!(
        (done.outcome, done.cell),
        (Outcome::LinkLost, CellSwitch::NoSwitch)
    );
    assert!(pair.driver.is_idle() && pair.driver.deadline_s().is_none());
}

fn feed_rows(name: &str, rows: &[&str]) -> (Vec<Output>, Option<Done>) {
    let mut driver = LineDriver::new(LineSettings::new(&shipped(name), 1.0).unwrap());
    driver.start(Job::Connect { take_over: false }, 0.0);
    let mut now_s = 0.0;
    let mut outputs = Vec::new();
    let mut done = None;
    let mut swept = false;
    let mut rows = rows.iter();
    for _ in 0..1000 {
        let mut sent = String::new();
        while let Some(output) = driver.take_output() {
            match output {
                Output::Send(bytes) => sent.push_str(&String::from_utf8_lossy(&bytes)),
                Output::Done(ended) if swept => done = Some(ended),
                Output::Done(_) => {
                    swept = true;
                    driver.start(Job::Sweep(sweep(100.0, 1.0, 3)), now_s);
                }
                output => outputs.push(output),
            }
        }
        if done.is_some() {
            break;
        }
        if sent.contains("*IDN?") {
            driver.receive(b"HIOKI,BT4560,7,V1.00\r\n", now_s);
        } else if sent.contains("FETCH?")
            && let Some(row) = rows.next()
        {
            driver.receive(format!("{row}\r\n").as_bytes(), now_s);
        } else if let Some(deadline_s) = driver.deadline_s() {
            now_s = deadline_s;
            driver.tick(now_s);
        }
    }
    (outputs, done)
}

#[test]
fn a_potential_beyond_belief_stops_the_sweep_with_the_words_of_the_profile() {
    let (outputs, done) = feed_rows(
        "bt4560",
        &["+1.0E-02,-1.0E-03,+3.7E+00", "+1.0E+10,+1.0E+10,+1.0E+10"],
    );
    let Some(Done {
        outcome: Outcome::Failed(error),
        ..
    }) = done
    else {
        panic!("{outputs:?}");
    };
    assert!(error.to_string().contains("check the four leads"), "{error}");
}

#[test]
fn a_point_that_does_not_come_is_tried_again_once_and_then_given_up() {
    let (outputs, done) = feed_rows("bt4560", &["+1.0E-02,-1.0E-03,+3.7E+00"]);
    let remarks = outputs
        .iter()
        .filter(|output| matches!(output, Output::Remark(text) if text.contains("tried again")));
    assert_eq!(remarks.count(), 1);
    // The identity is not asked for in vain by this test's instrument.
    assert!(matches!(
        done.unwrap().outcome,
        Outcome::Failed(InstrumentError::Stalled { .. })
    ));
}

#[test]
fn stray_lines_are_remarked_on_and_passed_over() {
    let (outputs, done) = feed_rows(
        "bt4560",
        &[
            "AT+CGMI\r\n+1.0E-02,-1.0E-03,-3.7E+00",
            "+1.0E-02,-1.0E-03,+3.7E+00",
            "+1.0E-02,-1.0E-03,+3.7E+00",
        ],
    );
    assert_eq!(done.unwrap().outcome, Outcome::SweepComplete { points: 3 });
    assert!(
        outputs
            .iter()
            .any(|output| matches!(output, Output::Remark(text) if text.contains("AT+CGMI")))
    );
    let statuses: Vec<_> = outputs
        .iter()
        .filter_map(|output| match output {
            Output::Point(point) => Some(point.status),
            _ => None,
        })
        .collect();
    assert_eq!(statuses, [PointStatus::Warning, PointStatus::Ok, PointStatus::Ok]);
}

#[test]
fn a_potential_is_held_as_the_makers_library_asks_for_it() {
    let profile = shipped("rodeostat");
    let mut device = LineDevice::new(LineDeviceSettings::new(&profile, None, cell(), 1).unwrap());
    let mut heard = String::new();
    for line in [
        r#"{"command":"getVersion"}"#,
        r#"{"command":"setSamplePeriod","samplePeriod":100}"#,
        r#"{"command":"setParam","test":"constant","param":{"quietValue":0.0,"quietTime":0,"value":0.5,"duration":1000}}"#,
        r#"{"command":"runTest","test":"constant"}"#,
    ] {
        device.receive(format!("{line}\n").as_bytes(), 0.0);
        heard.push_str(&String::from_utf8(device.advance(0.0)).unwrap());
    }
    heard.push_str(&String::from_utf8(device.advance(10.0)).unwrap());
    let lines: Vec<&str> = heard.lines().collect();
    assert!(
        lines[..4]
            .iter()
            .all(|line| line.starts_with(r#"{"success":true,"#)),
        "{heard}"
    );
    assert_eq!(lines.last(), Some(&"{}"));
    let spec = profile.line.as_ref().unwrap();
    let hold = spec.hold.as_ref().unwrap();
    let samples: Vec<_> = lines[4..lines.len() - 1]
        .iter()
        .map(|line| Reading::of(spec, &row::read(&hold.row, line).unwrap()).sample("ca"))
        .collect();
    assert_eq!(samples.len(), 11);
    assert_eq!(
        (samples[10].device_t_s, samples[10].potential_v),
        (Some(1.0), Some(0.5))
    );
    // 0.5 V is 3.2 V below the cell: at the end, over 10 and 20 mohm, nearly 107 A flow against it.
    let amperes = samples[10].current_a.unwrap();
    assert!((-110.0..-90.0).contains(&amperes), "{amperes}");
}

mod round_trip {
    use num_complex::Complex64;
    use proptest::prelude::*;

    use super::super::rows::{Measured, values};
    use super::*;

    proptest! {
        #[test]
        fn a_row_of_each_shipped_profile_reads_back_as_the_point_that_it_was_and_writes_the_same_again(
            which in 0..IMPEDANCE.len(), real in 1e-3..1e4_f64, imaginary in -1e4..1e4_f64, power in -1.0..5.0_f64
        ) {
            let profile = shipped(IMPEDANCE[which]);
            let line = profile.line.as_ref().unwrap();
            let spec = line.sweep.as_ref().unwrap();
            let mut measured = Measured {
                frequency_hz: 10_f64.powf(power),
                impedance: Complex64::new(real, imaginary),
                potential_v: 3.7,
                current_a: 0.0,
                time_s: 0.0,
            };
            let text = row::write(&spec.row, &values(line, spec, &measured, 0));
            let point = Reading::of(line, &row::read(&spec.row, &text).unwrap()).point(measured.frequency_hz);
            let off = (point.impedance() - measured.impedance).norm();
            prop_assert!(off <= 1e-4 + 1e-6 * measured.impedance.norm(), "{point:?} of {text}");
            measured.impedance = point.impedance();
            measured.frequency_hz = point.frequency_hz;
            prop_assert_eq!(row::write(&spec.row, &values(line, spec, &measured, 0)), text);
        }
    }
}
