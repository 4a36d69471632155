//! Arcs keep their names from sweep to sweep, whatever they do.

use num_complex::Complex64;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::*;

const CIRCUIT: &str = "R0-p(R1,CPE1)-p(R2,CPE2)";
const SWEEPS: u32 = 60;
const SEEDS: u64 = 6;

/// Resistance, time constant and exponent of an arc.
#[derive(Clone, Copy)]
struct ArcTruth(f64, f64, f64);

fn parameters([one, two]: [ArcTruth; 2]) -> Vec<f64> {
    let arc = |ArcTruth(r, tau, n): ArcTruth| [r, tau.powf(n) / r, n];
    [vec![10.0], arc(one).to_vec(), arc(two).to_vec()].concat()
}

fn sweep(truth: [ArcTruth; 2], seed: u64) -> Vec<Point> {
    let circuit = Circuit::parse(CIRCUIT).unwrap();
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut draw = || -> f64 { StandardNormal.sample(&mut generator) };
    (0..71)
        .map(|index| {
            let frequency = 1e6 * 10f64.powf(-f64::from(index) / 10.0);
            let z = circuit.impedance(&parameters(truth), frequency);
            let z = z + z.norm() * 3e-3 * Complex64::new(draw(), draw());
            Point::new(frequency, z.re, z.im)
        })
        .collect()
}

fn sequence() -> FitSequence {
    FitSequence {
        circuit: Circuit::parse(CIRCUIT).unwrap(),
        options: FitOptions::default(),
        profile_start: Some(parameters([
            ArcTruth(50.0, 1e-4, 0.85),
            ArcTruth(50.0, 1e-2, 0.85),
        ])),
        last: None,
        best: None,
        track: ArcTrack::default(),
        running: None,
    }
}

/// How many of the sweeps in which the arcs lie apart give them each other's names. `course` gives the cell from
/// the first sweep (0) to the last (1).
fn exchanged(course: impl Fn(f64) -> [ArcTruth; 2], seed: u64) -> usize {
    let mut sequence = sequence();
    let mut wrong = 0;
    for index in 0..SWEEPS {
        let cell = course(f64::from(index) / f64::from(SWEEPS - 1));
        let points = sweep(cell, 1000 * seed + u64::from(index));
        let fit = sequence.finish(index + 1, &points).unwrap();
        assert_eq!(fit.result.parameter("CPE2.n").unwrap().arc_id, Some(2));
        let (found, truth) = (values_of(&fit.result), parameters(cell));
        let apart = (cell[0].1 / cell[1].1).ln().abs() > 1.5;
        let off = |name: usize, arc: usize| {
            let ln = |of: usize| (found[name + of] / truth[arc + of]).ln().powi(2);
            ln(0) + ln(1) + 100.0 * (found[name + 2] - truth[arc + 2]).powi(2)
        };
        wrong += usize::from(apart && off(1, 4) + off(4, 1) < off(1, 1) + off(4, 4));
    }
    wrong
}

fn assert_names_stay(what: &str, course: impl Fn(f64) -> [ArcTruth; 2]) {
    for seed in 0..SEEDS {
        let wrong = exchanged(&course, seed);
        assert_eq!(
            wrong, 0,
            "{what}, seed {seed}: {wrong} of {SWEEPS} sweeps under the wrong names"
        );
    }
}

fn between(from: f64, to: f64, at: f64) -> f64 {
    from * (to / from).powf(at)
}

#[test]
fn arcs_whose_time_constants_cross_keep_their_names() {
    for (r2, n2) in [(80.0, 0.85), (50.0, 0.75)] {
        assert_names_stay("crossing", |at| {
            [
                ArcTruth(50.0, between(1e-4, 1e-2, at), 0.85),
                ArcTruth(r2, between(1e-2, 1e-4, at), n2),
            ]
        });
    }
}

/// Where they cross the two cannot be told apart at all; only where they come from and go to tells.
#[test]
fn even_equal_arcs_keep_their_names_when_they_cross() {
    assert_names_stay("equal arcs", |at| {
        [
            ArcTruth(50.0, between(1e-4, 1e-2, at), 0.85),
            ArcTruth(50.0, between(1e-2, 1e-4, at), 0.85),
        ]
    });
}

#[test]
fn a_growing_arc_that_overtakes_another_keeps_its_name() {
    assert_names_stay("growing", |at| {
        [
            ArcTruth(between(30.0, 200.0, at), between(1e-4, 2e-2, at), 0.85),
            ArcTruth(60.0, 3e-3, 0.8),
        ]
    });
}

#[test]
fn an_arc_that_jumps_keeps_its_name() {
    let jumps = |at: f64| at > 0.5;
    assert_names_stay("jump at constant capacitance", |at| {
        let factor = if jumps(at) { 3.0 } else { 1.0 };
        [
            ArcTruth(50.0 * factor, 1e-4 * factor, 0.85),
            ArcTruth(45.0, 3e-3, 0.8),
        ]
    });
    assert_names_stay("jump to the size of the other", |at| {
        let resistance = if jumps(at) { 150.0 } else { 50.0 };
        [ArcTruth(resistance, 1e-4, 0.85), ArcTruth(150.0, 1e-3, 0.85)]
    });
}

/// What a recording holds of the fits is enough to go on with the names that they have.
#[test]
fn a_sequence_that_is_carried_on_keeps_the_names() {
    let cell = |at: f64| {
        [
            ArcTruth(50.0, between(1e-4, 1e-2, at), 0.85),
            ArcTruth(80.0, between(1e-2, 1e-4, at), 0.85),
        ]
    };
    let mut first = sequence();
    let mut second = sequence();
    for index in 0..SWEEPS {
        let at = f64::from(index) / f64::from(SWEEPS - 1);
        let points = sweep(cell(at), u64::from(index));
        if index < 50 {
            let fit = first.finish(index + 1, &points).unwrap();
            second.remember(&fit.result);
        } else {
            let one = first.finish(index + 1, &points).unwrap();
            let two = second.finish(index + 1, &points).unwrap();
            assert_eq!(values_of(&one.result), values_of(&two.result));
            assert!(two.result.parameter("R1").unwrap().value < 65.0);
        }
    }
}
