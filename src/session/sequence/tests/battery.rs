//! 130 spectra of a battery's life, which ship as a recording.

use std::path::Path;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::event::EventBody;
use crate::recording::Reader;

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
    assert_eq!(sweeps.len(), 130);
    let text = shipped_text(Kind::Cell, "battery_130").unwrap();
    let sequence = FitSequence::for_cell(&Cell::parse("battery_130", text).unwrap()).unwrap();
    (sequence, sweeps)
}

/// The smallest chi-squared that twenty starts within a factor of ten around the optimum reach.
fn best_of_twenty(sequence: &FitSequence, points: &[Point], around: &[f64], seed: u64) -> f64 {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut best = f64::INFINITY;
    for _ in 0..20 {
        let start = around
            .iter()
            .zip(sequence.circuit.parameters())
            .map(|(value, spec)| match spec.unit {
                "1" => generator.random_range(0.5..1.0),
                _ => value * 10f64.powf(generator.random_range(-1.0..1.0)),
            })
            .collect();
        let options = FitOptions {
            cold: ColdStarts::Never,
            ..FitOptions::warm(start)
        };
        best = best.min(sequence.fit(points, &options).unwrap().chi_squared);
    }
    best
}

#[test]
fn no_spectrum_of_a_battery_is_left_in_a_worse_minimum_and_no_arc_takes_the_place_of_another() {
    let (mut sequence, sweeps) = battery();
    let mut last: Option<[f64; 2]> = None;
    let (mut worst, mut took_us) = (0.0_f64, Vec::new());
    for (index, points) in sweeps.iter().enumerate() {
        let fit = sequence.finish(index as u32 + 1, points).unwrap();
        let result = &fit.result;
        assert!(result.converged, "spectrum {index}");
        took_us.push(result.elapsed_us);
        let best = best_of_twenty(&sequence, points, &values_of(result), index as u64);
        worst = worst.max(result.chi_squared / best - 1.0);
        assert!(
            result.chi_squared <= 1.001 * best,
            "spectrum {index}: {} is worse than {best}",
            result.chi_squared
        );
        let now = ["R1", "R2"].map(|name| result.parameter(name).unwrap().value.ln());
        if let Some(last) = last {
            let nearer = |now: f64, other: f64, own: f64| (now - other).abs() < (now - own).abs();
            // Where the two are as large as each other, only the exponents below can tell.
            let differ = (last[0] - last[1]).abs() > 0.3;
            assert!(
                !(differ && nearer(now[0], last[1], last[0]) && nearer(now[1], last[0], last[1])),
                "spectrum {index}: R1, R2 from {last:?} to {now:?} (ln)"
            );
        }
        let n = ["CPE1.n", "CPE2.n"].map(|name| result.parameter(name).unwrap().value);
        assert!(
            n[0] < 0.65 && n[1] > 0.8,
            "spectrum {index}: the flat arc is the first, {n:?}"
        );
        last = Some(now);
    }
    let warm: f64 = took_us.iter().skip(1).sum();
    println!(
        "at most {worst:.1e} above the best of twenty; 129 searches in {:.1} ms",
        warm / 1e3
    );
}
