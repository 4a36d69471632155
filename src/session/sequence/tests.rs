use super::*;
use crate::profile::{Kind, shipped_text};

fn sequence() -> FitSequence {
    let text = shipped_text(Kind::Cell, "dummy_r_rc").unwrap();
    FitSequence::for_cell(&Cell::parse("dummy_r_rc", text).unwrap()).unwrap()
}

fn points(resistance: f64) -> Vec<Point> {
    let circuit = Circuit::parse("R0-p(R1,C1)").unwrap();
    (0..40)
        .map(|index| {
            let frequency = 1e5 * 10f64.powf(-f64::from(index) / 8.0);
            let z = circuit.impedance(&[100.0, resistance, 1e-6], frequency);
            let wiggle = 1.0 + 1e-3 * f64::from(index * 7919 % 13 - 6) / 6.0;
            Point::new(frequency, z.re * wiggle, z.im * wiggle)
        })
        .collect()
}

#[test]
fn a_parameter_is_followed_from_sweep_to_sweep() {
    let mut sequence = sequence();
    for (sweep, resistance) in [(1, 1000.0), (2, 1100.0), (3, 1500.0)] {
        let fit = sequence.finish(sweep, &points(resistance)).unwrap();
        let found = fit.result.parameter("R1").unwrap();
        assert!((found.value - resistance).abs() < 0.01 * resistance, "{found:?}");
        assert!(fit.is_final && found.determined);
    }
}

#[test]
fn too_few_points_give_no_fit_and_more_give_a_live_one() {
    let mut sequence = sequence();
    let points = points(1000.0);
    assert!(sequence.partial(1, &points[..1]).is_none());
    let fit = sequence.partial(1, &points[..25]).unwrap();
    assert!(!fit.is_final);
    assert_eq!(fit.result.n_used, 25);
}

mod arcs {
    use super::*;
    use crate::analysis::fit::fit;
    use crate::event::EventBody;
    use crate::recording::Reader;
    use num_complex::Complex64;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};
    use std::path::Path;

    const TWO_ARCS: &str = "R0-p(R1,CPE1)-p(R2,CPE2)";

    /// R0, then R, tau and n of both arcs.
    type Cell7 = [f64; 7];

    fn parameters(cell: &Cell7) -> Vec<f64> {
        let [r0, r1, tau1, n1, r2, tau2, n2] = *cell;
        vec![r0, r1, tau1.powf(n1) / r1, n1, r2, tau2.powf(n2) / r2, n2]
    }

    fn sweep(cell: &Cell7, noise: f64, seed: u64) -> Vec<Point> {
        let circuit = Circuit::parse(TWO_ARCS).unwrap();
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        let mut draw = || -> f64 { StandardNormal.sample(&mut generator) };
        (0..71)
            .map(|index| {
                let frequency = 1e6 * 10f64.powf(-f64::from(index) / 10.0);
                let z = circuit.impedance(&parameters(cell), frequency);
                let z = z + z.norm() * noise * Complex64::new(draw(), draw());
                Point::new(frequency, z.re, z.im)
            })
            .collect()
    }

    fn two_arcs() -> FitSequence {
        FitSequence {
            circuit: Circuit::parse(TWO_ARCS).unwrap(),
            options: FitOptions::default(),
            profile_start: parameters(&[10.0, 50.0, 1e-4, 0.85, 50.0, 1e-2, 0.85]),
            last: None,
            track: ArcTrack::default(),
            running: None,
        }
    }

    /// How many of the sweeps, far from the crossing, give the arcs the wrong names.
    fn exchanged(course: impl Fn(f64) -> Cell7, seed: u64, show: bool) -> usize {
        let mut sequence = two_arcs();
        let mut wrong = 0;
        for index in 0..60 {
            let cell = course(f64::from(index) / 59.0);
            let fit = sequence
                .finish(index as u32 + 1, &sweep(&cell, 3e-3, 1000 * seed + index as u64))
                .unwrap();
            let found = values_of(&fit.result);
            let truth = parameters(&cell);
            let off = |a: usize, b: usize| {
                let ln = |i: usize, j: usize| (found[i] / truth[j]).ln().powi(2);
                ln(a, b) + ln(a + 1, b + 1) + 100.0 * (found[a + 2] - truth[b + 2]).powi(2)
            };
            let apart = (cell[2] / cell[5]).ln().abs() > 1.5;
            let is_exchanged = off(1, 4) + off(4, 1) < off(1, 1) + off(4, 4);
            if show {
                println!(
                    "{index} {is_exchanged} {:?} {:?} {:.3e} {}",
                    found,
                    truth,
                    fit.result.reduced_chi_squared.unwrap(),
                    fit.result.starts
                );
            }
            wrong += usize::from(apart && is_exchanged);
        }
        wrong
    }

    fn geometric(from: f64, to: f64, at: f64) -> f64 {
        from * (to / from).powf(at)
    }

    #[test]
    fn explore_crossing() {
        let cross = |r2: f64, n2: f64| {
            move |at: f64| -> Cell7 {
                [
                    10.0,
                    50.0,
                    geometric(1e-4, 1e-2, at),
                    0.85,
                    r2,
                    geometric(1e-2, 1e-4, at),
                    n2,
                ]
            }
        };
        for (r2, n2) in [
            (80.0, 0.85),
            (80.0, 0.75),
            (50.0, 0.75),
            (55.0, 0.85),
            (50.0, 0.85),
        ] {
            let wrong: Vec<usize> = (0..10)
                .map(|seed| exchanged(cross(r2, n2), seed, false))
                .collect();
            println!("R2 {r2} n2 {n2}: {wrong:?}");
        }
        let grow = |at: f64| -> Cell7 {
            [
                10.0,
                geometric(30.0, 200.0, at),
                geometric(1e-4, 2e-2, at),
                0.85,
                60.0,
                3e-3,
                0.8,
            ]
        };
        println!(
            "grow {:?}",
            (0..10)
                .map(|seed| exchanged(grow, seed, false))
                .collect::<Vec<_>>()
        );
        let jump = |at: f64| -> Cell7 {
            let r1 = if at > 0.5 { 150.0 } else { 50.0 };
            let tau = if at > 0.5 { 3e-4 } else { 1e-4 };
            [10.0, r1, tau, 0.85, 45.0, 3e-3, 0.8]
        };
        println!(
            "jump {:?}",
            (0..10)
                .map(|seed| exchanged(jump, seed, false))
                .collect::<Vec<_>>()
        );
        let jump = |at: f64| -> Cell7 {
            let r1 = if at > 0.5 { 150.0 } else { 50.0 };
            [10.0, r1, 1e-4, 0.85, 130.0, 1e-3, 0.85]
        };
        println!(
            "jump at tau {:?}",
            (0..10)
                .map(|seed| exchanged(jump, seed, false))
                .collect::<Vec<_>>()
        );
        exchanged(cross(80.0, 0.85), 0, true);
    }

    fn battery() -> (FitSequence, Vec<Vec<Point>>) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings/battery_130.interphase");
        let mut reader = Reader::open(&path).unwrap();
        let mut sweeps: Vec<Vec<Point>> = Vec::new();
        for event in reader.events(0) {
            match event.unwrap().body {
                EventBody::SweepStarted(_) => sweeps.push(Vec::new()),
                EventBody::Point(measured) => sweeps.last_mut().unwrap().push(measured.point),
                _ => {}
            }
        }
        let text = shipped_text(Kind::Cell, "battery_130").unwrap();
        let sequence = FitSequence::for_cell(&Cell::parse("battery_130", text).unwrap()).unwrap();
        (sequence, sweeps)
    }

    #[test]
    fn explore_battery() {
        let (mut sequence, sweeps) = battery();
        let circuit = sequence.circuit.clone();
        for (index, points) in sweeps.iter().enumerate() {
            let began = Instant::now();
            let fit_of = sequence.finish(index as u32 + 1, points).unwrap();
            let took = began.elapsed().as_secs_f64() * 1e3;
            let spectrum = Spectrum::from(points.clone());
            let mut best = fit(&spectrum, &circuit, &FitOptions::default())
                .unwrap()
                .chi_squared;
            let mut generator = ChaCha8Rng::seed_from_u64(index as u64);
            for _ in 0..20 {
                let start: Vec<f64> = values_of(&fit_of.result)
                    .iter()
                    .zip(circuit.parameters())
                    .map(|(value, spec)| {
                        if spec.unit == "1" {
                            generator.random_range(0.5..1.0)
                        } else {
                            value * 10f64.powf(generator.random_range(-1.0..1.0))
                        }
                    })
                    .collect();
                let cold = fit(
                    &spectrum,
                    &circuit,
                    &FitOptions {
                        cold: ColdStarts::Never,
                        ..FitOptions::warm(start)
                    },
                )
                .unwrap();
                best = best.min(cold.chi_squared);
            }
            let r = &fit_of.result;
            println!(
                "{index} {:.5} starts {} {took:.2} ms red {:.3e} {:?} {} {}",
                r.chi_squared / best - 1.0,
                r.starts,
                r.reduced_chi_squared.unwrap(),
                values_of(r)
                    .iter()
                    .map(|v| (v * 1e4).round() / 1e4)
                    .collect::<Vec<_>>(),
                r.runs_p.unwrap(),
                r.degenerate_pairs().len()
            );
        }
    }
}
