//! Events for tests: of every kind, with whatever values a recording must keep.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::analysis::fit::{FitResult, Parameter, Sum, Weight};
use crate::event::{
    Alarm, AlarmAcknowledged, Amend, CommandGiven, Direction, EventBody, Fit, Gap, Identity, Link, LinkState,
    Note, PlanStep, PointMeasured, SampleTaken, SessionEnded, SessionStarted, Severity, Stamp, SweepEnded,
    SweepStarted, Technique, Validity, ValidityDetails, Wire,
};
use crate::spectrum::{Point, PointStatus, Sample};

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), any::<String>(), Just("a\0b".to_owned())]
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => any::<f64>(),
        2 => (-100_i32..100).prop_map(f64::from),
        1 => Just(f64::NAN),
        1 => Just(-f64::NAN),
        1 => Just(-0.0),
        1 => Just(f64::INFINITY),
        1 => Just(f64::MIN_POSITIVE / 8.0),
    ]
}

/// A number that may be missing; a missing one and NaN are the same thing to a recording.
fn maybe_number() -> impl Strategy<Value = Option<f64>> {
    option::of(number()).prop_map(|value| value.filter(|value| !value.is_nan()))
}

fn count() -> impl Strategy<Value = usize> {
    0_usize..1_000_000
}

pub(super) fn stamp() -> impl Strategy<Value = Stamp> {
    (any::<i64>(), any::<i64>()).prop_map(|(utc_ns, elapsed_ns)| Stamp { utc_ns, elapsed_ns })
}

fn session() -> impl Strategy<Value = EventBody> {
    (
        vec(text(), 9),
        vec(text(), 0..4),
        option::of(any::<u32>()),
        number(),
        number(),
        any::<bool>(),
        number(),
    )
        .prop_map(
            |(texts, track, sweeps_planned, overhead, periods, simulated, scale)| {
                let [
                    program,
                    version,
                    cell,
                    chemistry,
                    plan,
                    instrument,
                    label,
                    circuit,
                    source,
                ] = <[String; 9]>::try_from(texts).unwrap();
                EventBody::Session(SessionStarted {
                    program,
                    version,
                    cell,
                    chemistry,
                    plan,
                    instrument,
                    instrument_label: label,
                    circuit,
                    track,
                    sweeps_planned,
                    point_overhead_s: overhead,
                    point_periods: periods,
                    simulated,
                    time_scale: scale,
                    source,
                })
            },
        )
}

fn sweep_started() -> impl Strategy<Value = EventBody> {
    (
        any::<(u32, u32)>(),
        prop_oneof![Just(Technique::Peis), Just(Technique::Geis)],
        (number(), number()),
        (maybe_number(), maybe_number()),
        option::of(text()),
    )
        .prop_map(
            |((sweep, n_points), technique, (f_max_hz, f_min_hz), (bias_v, amplitude_vrms), range)| {
                EventBody::SweepStarted(SweepStarted {
                    sweep,
                    technique,
                    n_points,
                    f_max_hz,
                    f_min_hz,
                    bias_v,
                    amplitude_vrms,
                    range,
                })
            },
        )
}

fn point() -> impl Strategy<Value = EventBody> {
    (
        any::<(u32, u32)>(),
        (number(), number(), number()),
        proptest::sample::select(PointStatus::ALL.to_vec()),
        any::<(Option<u32>, Option<u32>)>(),
        option::of(text()),
        vec(maybe_number(), 6),
    )
        .prop_map(
            |((sweep, index), (frequency_hz, z_real_ohm, z_imag_ohm), status, (bits, noise), range, more)| {
                EventBody::Point(PointMeasured {
                    sweep,
                    index,
                    point: Point {
                        frequency_hz,
                        z_real_ohm,
                        z_imag_ohm,
                        status,
                        status_bits: bits,
                        range,
                        noise,
                        potential_v: more[0],
                        current_a: more[1],
                        amplitude_vrms: more[2],
                        amplitude_arms: more[3],
                        std_error_ohm: more[4],
                        t_start_s: more[5],
                    },
                })
            },
        )
}

fn sample() -> impl Strategy<Value = EventBody> {
    (text(), vec(maybe_number(), 6)).prop_map(|(technique, values)| {
        EventBody::Sample(SampleTaken {
            sample: Sample {
                technique,
                device_t_s: values[0],
                potential_v: values[1],
                current_a: values[2],
                charge_c: values[3],
                temperature_k: values[4],
                pressure_mpa: values[5],
            },
        })
    })
}

fn validity() -> impl Strategy<Value = EventBody> {
    (
        any::<u32>(),
        vec(text(), 3),
        vec(maybe_number(), 3),
        any::<Option<u32>>(),
        proptest::option::of(validity_details()),
    )
        .prop_map(|(sweep, texts, values, m, details)| {
            EventBody::Validity(Validity {
                sweep,
                method: texts[0].clone(),
                verdict: texts[1].clone(),
                max_residual_percent: values[0],
                mu: values[1],
                m,
                noise_percent: values[2],
                noise_source: texts[2].clone(),
                details,
            })
        })
}

fn validity_details() -> impl Strategy<Value = ValidityDetails> {
    (
        any::<(bool, bool, bool, u32)>(),
        (vec(text(), 0..3), text()),
        vec(any::<u32>(), 0..4),
        vec(maybe_number(), 2),
    )
        .prop_map(|(flags, (reasons, form), doubtful, values)| ValidityDetails {
            is_final: flags.0,
            reasons,
            form,
            series_capacitance: flags.1,
            inductance: flags.2,
            n_used: flags.3,
            doubtful,
            drift_percent: values[0],
            drift_std_error_percent: values[1],
        })
}

fn parameter() -> impl Strategy<Value = Parameter> {
    (
        (text(), text(), number()),
        vec(maybe_number(), 3),
        any::<(bool, bool, bool)>(),
        any::<Option<u32>>(),
    )
        .prop_map(
            |((name, unit, value), more, (fixed, at_bound, determined), arc_id)| Parameter {
                name,
                unit,
                value,
                std_error: more[0],
                lower: more[1],
                upper: more[2],
                fixed,
                at_bound,
                determined,
                arc_id,
            },
        )
}

fn sum() -> impl Strategy<Value = Sum> {
    (text(), number(), maybe_number(), any::<bool>()).prop_map(|(name, value, std_error, determined)| Sum {
        name,
        value,
        std_error,
        determined,
    })
}

fn fit() -> impl Strategy<Value = EventBody> {
    (
        (any::<(u32, bool, bool)>(), text(), text()),
        prop_oneof![
            Just(Weight::Modulus),
            Just(Weight::Proportional),
            Just(Weight::Unit),
            Just(Weight::Sigma)
        ],
        vec(count(), 5),
        vec(number(), 3),
        vec(maybe_number(), 5),
        vec(parameter(), 0..6),
        vec(vec(number(), 0..4), 0..4),
        vec(sum(), 0..3),
    )
        .prop_map(
            |(
                ((sweep, is_final, converged), engine, circuit),
                weight,
                counts,
                numbers,
                maybe,
                parameters,
                correlation,
                sums,
            )| {
                EventBody::Fit(Fit {
                    sweep,
                    is_final,
                    engine,
                    result: FitResult {
                        circuit,
                        weight,
                        converged,
                        n_points: counts[0],
                        n_used: counts[1],
                        left_out: counts[2],
                        chi_squared: numbers[0],
                        reduced_chi_squared: maybe[0],
                        noise_percent: maybe[1],
                        aicc: maybe[2],
                        bic: maybe[3],
                        runs_p: maybe[4],
                        starts: counts[3],
                        evaluations: counts[4],
                        elapsed_us: numbers[1],
                        guess_us: numbers[2],
                        parameters,
                        correlation,
                        sums,
                        robust: None,
                    },
                })
            },
        )
}

fn alarm() -> impl Strategy<Value = EventBody> {
    let severity = prop_oneof![
        Just(Severity::Info),
        Just(Severity::Warning),
        Just(Severity::Critical)
    ];
    (
        text(),
        severity,
        vec(maybe_number(), 2),
        any::<Option<u32>>(),
        text(),
    )
        .prop_map(|(name, severity, values, sweep, text)| {
            EventBody::Alarm(Alarm {
                name,
                severity,
                value: values[0],
                limit: values[1],
                sweep,
                text,
            })
        })
}

fn gap() -> impl Strategy<Value = Gap> {
    (any::<(i64, i64)>(), text()).prop_map(|((from_utc_ns, to_utc_ns), reason)| Gap {
        from_utc_ns,
        to_utc_ns,
        reason,
    })
}

fn link() -> impl Strategy<Value = EventBody> {
    let state = prop_oneof![
        Just(LinkState::Connected),
        Just(LinkState::Lost),
        Just(LinkState::Reconnecting)
    ];
    (state, text(), text()).prop_map(|(state, port, reason)| EventBody::Link(Link { state, port, reason }))
}

fn wire() -> impl Strategy<Value = EventBody> {
    let direction = prop_oneof![Just(Direction::Tx), Just(Direction::Rx)];
    let bytes = prop_oneof![
        6 => vec(any::<u8>(), 0..60),
        1 => vec(any::<u8>(), 60_000..60_001),
    ];
    (direction, bytes).prop_map(|(direction, bytes)| EventBody::Wire(Wire { direction, bytes }))
}

fn plan_step() -> impl Strategy<Value = EventBody> {
    (any::<(u32, u32)>(), text(), text(), maybe_number()).prop_map(|((step, of), name, text, until_s)| {
        EventBody::PlanStep(PlanStep {
            step,
            of,
            name,
            text,
            until_s,
        })
    })
}

/// Any event that a recording may be given.
pub(super) fn body() -> impl Strategy<Value = EventBody> {
    let three_texts = || (text(), text(), text());
    prop_oneof![
        session(),
        text().prop_map(|reason| EventBody::SessionEnded(SessionEnded { reason })),
        link(),
        three_texts().prop_map(|(instrument, firmware, serial)| EventBody::Identity(Identity {
            instrument,
            firmware,
            serial,
        })),
        three_texts().prop_map(|(command, origin, text)| EventBody::Command(CommandGiven {
            command,
            origin,
            text,
        })),
        plan_step(),
        wire(),
        sweep_started(),
        (any::<(u32, bool)>(), text()).prop_map(|((sweep, complete), reason)| {
            EventBody::SweepEnded(SweepEnded {
                sweep,
                complete,
                reason,
            })
        }),
        point(),
        sample(),
        validity(),
        fit(),
        alarm(),
        (text(), text())
            .prop_map(|(name, origin)| EventBody::AlarmAcknowledged(AlarmAcknowledged { name, origin })),
        gap().prop_map(EventBody::Gap),
        gap().prop_map(EventBody::ClockJump),
        gap().prop_map(EventBody::Resumed),
        (text(), proptest::option::of(text()), text()).prop_map(|(key, old, new)| EventBody::Amend(Amend {
            key,
            old,
            new
        })),
        text().prop_map(|text| EventBody::Note(Note { text })),
    ]
}

/// A short session: `sweeps` sweeps of `points` points, each with its line, one event every 100 ms.
pub(super) fn session_of(sweeps: u32, points: u32) -> Vec<(Stamp, EventBody)> {
    let mut bodies = vec![EventBody::Session(SessionStarted {
        program: "interphase".into(),
        cell: "dummy_r_rc".into(),
        time_scale: 1.0,
        ..SessionStarted::default()
    })];
    for sweep in 1..=sweeps {
        bodies.push(EventBody::SweepStarted(SweepStarted {
            sweep,
            n_points: points,
            ..SweepStarted::default()
        }));
        for index in 0..points {
            let bytes = format!("Pda{index:07X}\n").into_bytes();
            bodies.push(EventBody::Wire(Wire {
                direction: Direction::Rx,
                bytes,
            }));
            let point = Point::new(
                1e5 / f64::from(index + 1),
                f64::from(sweep),
                -f64::from(index) / 3.0,
            );
            bodies.push(EventBody::Point(PointMeasured { sweep, index, point }));
        }
        bodies.push(EventBody::SweepEnded(SweepEnded {
            sweep,
            complete: true,
            reason: String::new(),
        }));
    }
    bodies.push(EventBody::SessionEnded(SessionEnded {
        reason: "plan done".into(),
    }));
    let start = 1_795_420_800_000_000_000;
    (0_i64..)
        .map(|index| index * 100_000_000)
        .map(|elapsed_ns| Stamp {
            utc_ns: start + elapsed_ns,
            elapsed_ns,
        })
        .zip(bodies)
        .collect()
}

/// A fit of sweep `sweep` with the one parameter R1.
pub(super) fn fit_of_r1(sweep: u32, is_final: bool, value: f64) -> EventBody {
    EventBody::Fit(Fit {
        sweep,
        is_final,
        engine: "test".into(),
        result: FitResult {
            circuit: "R1".into(),
            weight: Weight::Modulus,
            converged: true,
            n_points: 5,
            n_used: 5,
            left_out: 0,
            chi_squared: 1e-3,
            reduced_chi_squared: Some(1e-4),
            noise_percent: Some(1.0),
            aicc: None,
            bic: None,
            runs_p: None,
            starts: 1,
            evaluations: 5,
            elapsed_us: 40.0,
            guess_us: 200.0,
            parameters: vec![Parameter {
                name: "R1".into(),
                unit: "ohm".into(),
                value,
                std_error: Some(0.5),
                lower: Some(0.0),
                upper: None,
                fixed: false,
                at_bound: false,
                determined: true,
                arc_id: None,
            }],
            correlation: vec![vec![1.0]],
            sums: Vec::new(),
            robust: None,
        },
    })
}
