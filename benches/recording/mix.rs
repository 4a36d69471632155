//! A session of any length, each event of which follows from its number alone: half of it lines of traffic, two fifths
//! readings, a tenth points, and in every thousand events a sweep and its fit. One event comes each 200 ms of the
//! session's time, so that ten million of them are 23 days and 18,000 an hour.

use interphase::analysis::fit::{FitResult, Parameter, Weight};
use interphase::event::{
    Direction, EventBody, Fit, PointMeasured, SampleTaken, SessionStarted, Stamp, SweepEnded, SweepStarted,
    Wire,
};
use interphase::spectrum::{Point, Sample};

/// Time of the session between two events.
pub const SPACING_NS: i64 = 200_000_000;
/// One hour of the session.
pub const HOUR_NS: i64 = 3_600_000_000_000;
/// Events to a sweep.
pub const SWEEP_EVENTS: u64 = 1000;
/// Parameters of a fit.
pub const PARAMETERS: usize = 10;

const BEGIN_UTC_NS: i64 = 1_760_000_000_000_000_000;
const NAMES: [&str; PARAMETERS] = [
    "L0", "R0", "R1", "CPE1.Q", "CPE1.n", "R2", "CPE2.Q", "CPE2.n", "CPE3.Q", "CPE3.n",
];
const UNITS: [&str; PARAMETERS] = ["H", "ohm", "ohm", "S s^n", "1", "ohm", "S s^n", "1", "S s^n", "1"];

/// What one event says, before either format gives it a shape.
pub enum Said {
    Line(Vec<u8>),
    Point {
        sweep: u32,
        index: u32,
        values: [f64; 3],
    },
    Reading([f64; 3]),
    Begin(u32),
    End(u32),
    Fit {
        sweep: u32,
        values: [f64; PARAMETERS],
        errors: [f64; PARAMETERS],
        chi_squared: f64,
    },
}

/// Scrambles a number (SplitMix64: Steele, Lea, Flood 2014, 10.1145/2714064.2660195).
fn scrambled(number: u64) -> u64 {
    let mut word = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

/// A number from 0 to 1.
fn fraction(number: u64) -> f64 {
    (scrambled(number) >> 11) as f64 / (1u64 << 53) as f64
}

/// As many decimals as an instrument gives.
fn rounded(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps
}

/// When the event of that number happens.
pub fn stamp(number: u64) -> Stamp {
    let elapsed_ns = number.cast_signed() * SPACING_NS + (scrambled(number) % 1_000_000).cast_signed();
    Stamp {
        utc_ns: BEGIN_UTC_NS + elapsed_ns + 250_000,
        elapsed_ns,
    }
}

/// The event of that number.
pub fn said(number: u64) -> Said {
    let place = number % SWEEP_EVENTS;
    let sweep = (number / SWEEP_EVENTS) as u32 + 1;
    let along = number as f64;
    let potential = rounded(
        3.7 + 0.4 * (along / 50_000.0).sin() + 1e-4 * (fraction(number) - 0.5),
        1e6,
    );
    let current = rounded(
        1.5e-3 * (along / 9_000.0).cos() + 1e-7 * fraction(number ^ 7),
        1e9,
    );
    let temperature = rounded(298.15 + 0.2 * fraction(number ^ 9), 1e2);
    if place.is_multiple_of(2) {
        let status = scrambled(number) & 0xF;
        let check = scrambled(number ^ 3) & 0xFF;
        let line = format!(
            "D;{number:08};{potential:+.6};{current:+.6E};{temperature:+.2};S=0x{status:04X};C={check:02X}\r\n"
        );
        return Said::Line(line.into_bytes());
    }
    match place {
        1 => Said::Begin(sweep),
        999 => Said::End(sweep),
        997 => {
            let mut values = [0.0; PARAMETERS];
            let mut errors = [0.0; PARAMETERS];
            for (k, (value, error)) in (0..).zip(values.iter_mut().zip(&mut errors)) {
                *value = 10f64.powf(6.0 * fraction(number + k) - 3.0);
                *error = *value * 0.05 * fraction(number + 100 + k);
            }
            Said::Fit {
                sweep,
                values,
                errors,
                chi_squared: fraction(number ^ 77) * 1e-3,
            }
        }
        place if place < 200 => {
            let frequency = rounded(1e5 * 10f64.powf(-7.0 * place as f64 / 200.0), 1e6);
            let omega_tau = 2.0 * std::f64::consts::PI * frequency * 1e-3;
            let share = 1.0 / (1.0 + omega_tau * omega_tau);
            Said::Point {
                sweep,
                index: (place / 2) as u32,
                values: [
                    frequency,
                    rounded(10.0 + 100.0 * share + 0.01 * fraction(number), 1e5),
                    rounded(-100.0 * omega_tau * share + 0.01 * fraction(number ^ 5), 1e5),
                ],
            }
        }
        _ => Said::Reading([potential, current, temperature]),
    }
}

/// The same as an event of a session; the very first begins it.
pub fn body(number: u64) -> EventBody {
    if number == 0 {
        return EventBody::Session(SessionStarted {
            program: "bench".into(),
            circuit: "L0-R0-p(R1,CPE1)-p(R2,CPE2)-CPE3".into(),
            track: vec!["R0+R1+R2".into()],
            time_scale: 1.0,
            ..SessionStarted::default()
        });
    }
    match said(number) {
        Said::Line(bytes) => EventBody::Wire(Wire {
            direction: Direction::Rx,
            bytes,
        }),
        Said::Point {
            sweep,
            index,
            values: [frequency, real, imaginary],
        } => EventBody::Point(PointMeasured {
            sweep,
            index,
            point: Point::new(frequency, real, imaginary),
        }),
        Said::Reading([potential, current, temperature]) => EventBody::Sample(SampleTaken {
            sample: Sample {
                technique: "ocp".into(),
                potential_v: Some(potential),
                current_a: Some(current),
                temperature_k: Some(temperature),
                ..Sample::default()
            },
        }),
        Said::Begin(sweep) => EventBody::SweepStarted(SweepStarted {
            sweep,
            n_points: 99,
            f_max_hz: 1e5,
            f_min_hz: 0.01,
            ..SweepStarted::default()
        }),
        Said::End(sweep) => EventBody::SweepEnded(SweepEnded {
            sweep,
            complete: true,
            reason: String::new(),
        }),
        Said::Fit {
            sweep,
            values,
            errors,
            chi_squared,
        } => fit(sweep, &values, &errors, chi_squared),
    }
}

fn fit(sweep: u32, values: &[f64], errors: &[f64], chi_squared: f64) -> EventBody {
    let parameters = (NAMES.iter().zip(UNITS))
        .zip(values.iter().zip(errors))
        .map(|((name, unit), (value, error))| Parameter {
            name: (*name).into(),
            unit: unit.into(),
            value: *value,
            std_error: Some(*error),
            lower: None,
            upper: None,
            fixed: false,
            at_bound: false,
            determined: true,
            arc_id: None,
        })
        .collect();
    EventBody::Fit(Fit {
        sweep,
        is_final: true,
        engine: "bench".into(),
        result: FitResult {
            circuit: "L0-R0-p(R1,CPE1)-p(R2,CPE2)-CPE3".into(),
            weight: Weight::Modulus,
            converged: true,
            n_points: 99,
            n_used: 99,
            left_out: 0,
            chi_squared,
            reduced_chi_squared: Some(chi_squared / 188.0),
            noise_percent: None,
            aicc: None,
            bic: None,
            runs_p: None,
            starts: 1,
            evaluations: 9,
            elapsed_us: 41.0,
            guess_us: 230.0,
            parameters,
            correlation: Vec::new(),
            robust: None,
            sums: Vec::new(),
        },
    })
}
