//! A made-up session of an ageing Li | Li6PS5Cl | Li cell, for tests and benches: 64 points a sweep, 0.3 %
//! noise, and a fit after each point: a made-up one that wanders within its error and stays the same
//! whatever becomes of the fit engine, or a true one.

use interphase::analysis::fit::{ColdStarts, FitOptions, FitResult, Parameter, Sum, Weight, fit};
use interphase::circuit::Circuit;
use interphase::event::{
    Alarm, Direction, Event, EventBody, Fit, Identity, Link, LinkState, Note, PointMeasured, SessionEnded,
    SessionStarted, Severity, Stamp, SweepEnded, SweepStarted, Validity, ValidityDetails, Wire,
};
use interphase::spectrum::{Point, PointStatus, Spectrum};
use interphase::state::State;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Points of one sweep.
pub const POINTS: u32 = 64;
/// The circuit of the cell.
pub const CIRCUIT: &str = "L0-R0-p(R1,CPE1)-p(R2,CPE2)";
/// Its values when fresh, and the final relative errors of their fit.
const VALUES: [(&str, &str, f64, f64); 8] = [
    ("L0", "H", 3e-7, 2e-2),
    ("R0", "ohm", 20.0, 1e-3),
    ("R1", "ohm", 46.0, 1.2e-2),
    ("CPE1.Q", "S s^n", 2.48148e-6, 1.2e-2),
    ("CPE1.n", "1", 0.85, 3.5e-3),
    ("R2", "ohm", 44.0, 1.1e-2),
    ("CPE2.Q", "S s^n", 4.691476e-5, 2e-2),
    ("CPE2.n", "1", 0.8, 6e-3),
];
/// Start of the session: 2026-11-23 08:00 UTC.
const START_NS: i64 = 1_795_420_800_000_000_000;

/// The session as it grows.
pub struct Session {
    /// Everything so far.
    pub events: Vec<Event>,
    /// Its fold.
    pub state: State,
    elapsed_s: f64,
    noise: ChaCha8Rng,
    wander: [f64; 8],
    circuit: Circuit,
    true_fits: Option<FitOptions>,
}

impl Session {
    /// A session that has just begun.
    pub fn new() -> Self {
        let mut session = Self {
            events: Vec::new(),
            state: State::new(),
            elapsed_s: 0.0,
            noise: ChaCha8Rng::seed_from_u64(7),
            wander: [0.0; 8],
            circuit: Circuit::parse(CIRCUIT).unwrap(),
            true_fits: None,
        };
        session.push(EventBody::Session(SessionStarted {
            program: "interphase".into(),
            version: "0.1.0".into(),
            cell: "li_lpscl_li".into(),
            chemistry: "Li | Li6PS5Cl | Li".into(),
            plan: "eis_repeat".into(),
            instrument: "es4_hr".into(),
            instrument_label: "EmStat4 HR".into(),
            circuit: CIRCUIT.into(),
            track: vec!["R1+R2".into()],
            sweeps_planned: Some(20),
            point_overhead_s: 0.4,
            point_periods: 2.0,
            simulated: false,
            time_scale: 1.0,
            source: String::new(),
        }));
        session.push(EventBody::Link(Link {
            state: LinkState::Connected,
            port: "/dev/ttyACM0".into(),
            reason: String::new(),
        }));
        session.push(EventBody::Identity(Identity {
            instrument: "es4_hr".into(),
            firmware: "v1.3.04".into(),
            serial: "ES4HR20B0003".into(),
        }));
        session
    }

    /// A session that has just begun, with true fits: each starts from that of the last sweep.
    pub fn with_true_fits() -> Self {
        let start = VALUES.iter().map(|(_, _, value, _)| 1.2 * value).collect();
        let options = FitOptions {
            start: Some(start),
            sums: vec!["R1+R2".into()],
            cold: ColdStarts::Never,
            ..FitOptions::default()
        };
        Self {
            true_fits: Some(options),
            ..Self::new()
        }
    }

    /// A session after so many whole sweeps and so many points of the next.
    pub fn after(sweeps: u32, points: u32) -> Self {
        let mut session = Self::new();
        for sweep in 1..=sweeps {
            session.sweep(sweep);
        }
        if points > 0 {
            session.start(sweeps + 1);
            for index in 0..points {
                session.point(sweeps + 1, index);
            }
        }
        session
    }

    /// One event, now.
    pub fn push(&mut self, body: EventBody) {
        let elapsed_ns = (self.elapsed_s * 1e9) as i64;
        let event = Event {
            seq: self.events.len() as u64 + 1,
            stamp: Stamp {
                utc_ns: START_NS + elapsed_ns,
                elapsed_ns,
            },
            body,
        };
        self.state.apply(&event);
        self.events.push(event);
    }

    /// One whole sweep with its end, its final fit and its judgement, ten minutes after the last.
    pub fn sweep(&mut self, sweep: u32) {
        self.start(sweep);
        (0..POINTS).for_each(|index| self.point(sweep, index));
        self.end(sweep);
    }

    /// The beginning of a sweep.
    pub fn start(&mut self, sweep: u32) {
        self.elapsed_s = f64::from(sweep - 1) * 600.0;
        self.wander = [0.0; 8];
        self.push(EventBody::SweepStarted(SweepStarted {
            sweep,
            n_points: POINTS,
            f_max_hz: 2e5,
            f_min_hz: 0.1,
            bias_v: Some(0.0),
            amplitude_vrms: Some(0.01),
            ..SweepStarted::default()
        }));
    }

    /// One point: its line of traffic, the point, the fit of the points so far.
    pub fn point(&mut self, sweep: u32, index: u32) {
        let frequency_hz = 2e5 * (0.1f64 / 2e5).powf(f64::from(index) / f64::from(POINTS - 1));
        self.elapsed_s += 0.4 + 2.0 / frequency_hz;
        self.push(EventBody::Wire(Wire {
            direction: Direction::Rx,
            bytes: format!("Pdc{index:07X}f;cc80{index:05X}n;cd7F{index:05X}n\n").into_bytes(),
        }));
        let z = self.circuit.impedance(&truth(sweep), frequency_hz);
        let mut error =
            || -> f64 { 0.003 * z.norm() * Distribution::<f64>::sample(&StandardNormal, &mut self.noise) };
        let mut point = Point::new(frequency_hz, z.re + error(), z.im + error());
        point.range = Some("10 mA".into());
        point.status = if index == 5 {
            PointStatus::Underload
        } else {
            PointStatus::Ok
        };
        self.push(EventBody::Point(PointMeasured { sweep, index, point }));
        if index >= 8 {
            self.fit(sweep, index + 1, false);
        }
    }

    /// The end of a sweep.
    pub fn end(&mut self, sweep: u32) {
        self.push(EventBody::SweepEnded(SweepEnded {
            sweep,
            complete: true,
            reason: String::new(),
        }));
        self.fit(sweep, POINTS, true);
        self.push(EventBody::Validity(Validity {
            sweep,
            method: "lin-kk".into(),
            verdict: "pass".into(),
            max_residual_percent: Some(0.6),
            mu: Some(0.8),
            m: Some(14),
            noise_percent: Some(0.3),
            noise_source: "local".into(),
            details: None,
        }));
    }

    fn fit(&mut self, sweep: u32, points: u32, is_final: bool) {
        let Some(options) = &self.true_fits else {
            return self.made_up_fit(sweep, points, is_final);
        };
        let measured = self.state.sweep(sweep).unwrap().points().to_vec();
        let Ok(result) = fit(&Spectrum::from(measured), &self.circuit, options) else {
            return;
        };
        if is_final {
            let values = result.parameters.iter().map(|parameter| parameter.value);
            self.true_fits = Some(FitOptions {
                start: Some(values.collect()),
                ..options.clone()
            });
        }
        self.push(EventBody::Fit(Fit {
            sweep,
            is_final,
            engine: "true".into(),
            result: FitResult {
                elapsed_us: 118.0 + f64::from(points % 5),
                ..result
            },
        }));
    }

    fn made_up_fit(&mut self, sweep: u32, points: u32, is_final: bool) {
        let truth = truth(sweep);
        // A parameter becomes known when the frequencies that it governs have been measured.
        let known_from = [9.0, 11.0, 28.0, 22.0, 20.0, 44.0, 40.0, 38.0];
        let mut parameters = Vec::new();
        for (index, (name, unit, _, final_error)) in VALUES.into_iter().enumerate() {
            let step: f64 = StandardNormal.sample(&mut self.noise);
            self.wander[index] = 0.97 * self.wander[index] + 0.2 * step;
            let lack = ((known_from[index] - f64::from(points)) / 2.5).exp();
            let relative = final_error * (1.0 + 20.0 * lack);
            // What is not known yet does not move the curve where it has been measured, and errors are
            // correlated: the curve moves much less than each of them would move it.
            let value = truth[index] * (1.0 + 0.3 * final_error * self.wander[index]);
            parameters.push(Parameter {
                name: name.into(),
                unit: unit.into(),
                value,
                std_error: (relative < 1e3).then_some(value * relative),
                determined: relative < if unit == "1" { 0.05 } else { 0.3 },
                ..parameter()
            });
        }
        let sum_known = parameters[2].determined && parameters[5].determined;
        let sum = truth[2] + truth[5];
        let sum_error = sum * 0.003 * if sum_known { 1.0 } else { 100.0 };
        let result = FitResult {
            n_points: points as usize,
            n_used: points as usize,
            elapsed_us: 118.0 + f64::from(points % 5),
            sums: vec![Sum {
                name: "R1+R2".into(),
                value: sum + 0.3 * sum_error * self.wander[2],
                std_error: Some(sum_error),
                determined: sum_known,
            }],
            parameters,
            ..fit_result(CIRCUIT)
        };
        self.push(EventBody::Fit(Fit {
            sweep,
            is_final,
            engine: "test 1".into(),
            result,
        }));
    }

    /// A judgement of a sweep in doubt, of all its points or of those so far, with the points that say so.
    pub fn doubt(&mut self, sweep: u32, verdict: &str, is_final: bool, doubtful: Vec<u32>) {
        self.push(EventBody::Validity(Validity {
            sweep,
            method: "lin-kk".into(),
            verdict: verdict.into(),
            max_residual_percent: Some(3.4),
            mu: Some(0.7),
            m: Some(12),
            noise_percent: Some(0.3),
            noise_source: "local".into(),
            details: Some(ValidityDetails {
                is_final,
                reasons: vec![
                    "residuals rise below 400 mHz, all of one sign: the cell drifted during the sweep".into(),
                    "the residuals are 3.1 times the noise".into(),
                ],
                form: "impedance".into(),
                n_used: POINTS,
                doubtful,
                drift_percent: is_final.then_some(4.1),
                drift_std_error_percent: is_final.then_some(0.2),
                ..ValidityDetails::default()
            }),
        }));
    }

    /// An alarm about the cell.
    pub fn alarm(&mut self) {
        self.push(EventBody::Alarm(Alarm {
            name: "cell_may_be_on".into(),
            severity: Severity::Critical,
            value: None,
            limit: None,
            sweep: None,
            text: "CELL MAY BE ON: cell_off was not confirmed; unplug the cell or press a".into(),
        }));
    }

    /// A remark of the user.
    pub fn note(&mut self, text: &str) {
        self.push(EventBody::Note(Note { text: text.into() }));
    }

    /// The end of the session.
    pub fn finish(&mut self) {
        self.push(EventBody::SessionEnded(SessionEnded {
            reason: "plan done".into(),
        }));
    }
}

/// A fit of a circuit without parameters yet.
pub fn fit_result(circuit: &str) -> FitResult {
    FitResult {
        circuit: circuit.into(),
        weight: Weight::Modulus,
        converged: true,
        n_points: 0,
        n_used: 0,
        left_out: 0,
        chi_squared: 1.2e-3,
        reduced_chi_squared: Some(9.7e-6),
        noise_percent: Some(0.31),
        aicc: None,
        bic: None,
        runs_p: Some(0.4),
        starts: 1,
        evaluations: 9,
        elapsed_us: 100.0,
        guess_us: 0.0,
        parameters: Vec::new(),
        correlation: Vec::new(),
        sums: Vec::new(),
        robust: None,
    }
}

/// A parameter that the data determine.
pub fn parameter() -> Parameter {
    Parameter {
        name: String::new(),
        unit: "ohm".into(),
        value: 1.0,
        std_error: Some(0.01),
        lower: None,
        upper: None,
        fixed: false,
        at_bound: false,
        determined: true,
        arc_id: None,
    }
}

/// What the cell really is in a sweep: R1 grows with the square root of time.
fn truth(sweep: u32) -> Vec<f64> {
    let grown = 1.0 + 0.08 * f64::from(sweep - 1).sqrt();
    VALUES
        .iter()
        .map(|(name, _, value, _)| match *name {
            "R1" => value * grown,
            "CPE1.Q" => value / grown,
            _ => *value,
        })
        .collect()
}
