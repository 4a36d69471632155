use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::*;
use crate::circuit::Circuit;

/// Sweeps of 61 points, one every `interval_s`, of a cell whose arc grows by `rate` of itself a second, with 0.1 %
/// noise.
struct Cell {
    rate: f64,
    interval_s: f64,
    noise: ChaCha8Rng,
}

impl Cell {
    fn new(rate: f64) -> Self {
        Self {
            rate,
            interval_s: 600.0,
            noise: ChaCha8Rng::seed_from_u64(11),
        }
    }

    fn sweep(&mut self, number: u32) -> Vec<Point> {
        let circuit = Circuit::parse("R0-p(R1,CPE1)").unwrap();
        let mut t = self.interval_s * f64::from(number - 1);
        (0..61)
            .map(|i| {
                let f = 10f64.powf(4.0 - 0.1 * f64::from(i));
                let z = circuit.impedance(&[10.0, 100.0 * (1.0 + self.rate * t), 1e-3, 0.85], f);
                let mut draw = || -> f64 {
                    1e-3 * z.norm() * Distribution::<f64>::sample(&StandardNormal, &mut self.noise)
                };
                let mut point = Point::new(f, z.re + draw(), z.im + draw());
                point.t_start_s = Some(t);
                t += 0.4 + 1.0 / f;
                point
            })
            .collect()
    }
}

/// Judgements of a whole sweep as its points arrive.
fn follow(sequence: &mut ValiditySequence, sweep: u32, points: &[Point]) -> (Vec<Validity>, FinalValidity) {
    let running = (1..=points.len())
        .filter_map(|count| sequence.partial(sweep, 0, &points[..count]))
        .collect();
    (running, sequence.finish(sweep, 0, true, points).unwrap())
}

#[test]
fn a_sound_sweep_is_judged_once_when_it_can_be_and_once_at_its_end() {
    let mut sequence = ValiditySequence::default();
    let points = Cell::new(0.0).sweep(1);
    assert_eq!(sequence.partial(1, 0, &points[..12]), None, "not yet two decades");
    let (running, last) = follow(&mut sequence, 1, &points);
    assert!((1..=2).contains(&running.len()), "{running:?}");
    assert!(running.iter().all(|validity| !validity.is_final()));
    assert!(running[0].reasons().is_empty() && running[0].verdict == "pass");
    let validity = &last.validity;
    assert!(validity.is_final() && !validity.is_doubtful() && !last.newly_failed);
    assert!(validity.max_residual_percent.unwrap() < 1.0);
    assert!((0.05..0.2).contains(&validity.noise_percent.unwrap()));
    assert_eq!(validity.noise_source, "local");
    assert_eq!(validity.details.as_ref().unwrap().n_used, 61);
    assert_eq!(validity.details.as_ref().unwrap().drift_percent, None);
    assert!(
        validity
            .reasons()
            .iter()
            .any(|reason| reason.contains("does not exclude"))
    );
}

#[test]
fn a_drifting_sweep_fails_with_its_reason_and_the_points_that_say_so() {
    let mut sequence = ValiditySequence::default();
    // Half as much again during the sweep.
    let points = Cell::new(0.5 / 500.0).sweep(1);
    let (running, last) = follow(&mut sequence, 1, &points);
    assert!(running.len() <= MOST_TOLD as usize, "{}", running.len());
    let validity = &last.validity;
    assert_eq!(validity.verdict, "fail");
    assert!(last.newly_failed);
    assert!(
        validity.reasons()[0].contains("drift"),
        "{:?}",
        validity.reasons()
    );
    assert!(validity.doubtful_points().iter().any(|index| *index > 55));
    // The next fails too, which is no news; that of another step is.
    let mut cell = Cell::new(0.5 / 500.0);
    assert!(!follow(&mut sequence, 2, &cell.sweep(1)).1.newly_failed);
    assert!(sequence.finish(3, 1, true, &cell.sweep(1)).unwrap().newly_failed);
}

#[test]
fn from_the_third_sweep_on_repeats_tell_the_noise() {
    let mut sequence = ValiditySequence::default();
    let mut cell = Cell::new(0.0);
    let sources: Vec<String> = (1..=5)
        .map(|sweep| {
            let points = cell.sweep(sweep);
            follow(&mut sequence, sweep, &points).1.validity.noise_source
        })
        .collect();
    assert_eq!(sources, ["local", "local", "repeats", "repeats", "repeats"]);
    // While a sweep runs those before it are all there is.
    let points = cell.sweep(6);
    let running: Vec<_> = (1..=61)
        .filter_map(|count| sequence.partial(6, 0, &points[..count]))
        .collect();
    assert_eq!(running[0].noise_source, "repeats");
}

#[test]
fn a_sweep_that_was_cut_off_is_no_repeat() {
    let mut sequence = ValiditySequence::default();
    let mut cell = Cell::new(0.0);
    for sweep in 1..=4 {
        let points = cell.sweep(sweep);
        let complete = sweep != 3;
        let validity = sequence.finish(sweep, 0, complete, &points).unwrap().validity;
        assert_eq!(validity.noise_source, "local", "sweep {sweep}");
    }
}

#[test]
fn a_slow_drift_that_the_test_cannot_see_is_told_from_the_sweep_before() {
    let mut sequence = ValiditySequence::default();
    let length = Cell::new(0.0).sweep(1)[60].t_start_s.unwrap();
    let mut cell = Cell::new(0.02 / length);
    follow(&mut sequence, 1, &cell.sweep(1));
    let validity = follow(&mut sequence, 2, &cell.sweep(2)).1.validity;
    let details = validity.details.unwrap();
    let (drift, error) = (
        details.drift_percent.unwrap(),
        details.drift_std_error_percent.unwrap(),
    );
    // The arc grows by 2 % of its first size in that time, and is 100 of 110 ohm.
    assert!((1.6..1.9).contains(&drift), "{drift} {error}");
    assert!((0.005..0.05).contains(&error), "{error}");
    assert!(details.reasons.last().unwrap().contains("during a sweep"));
}

#[test]
fn small_residuals_of_a_cell_that_is_known_to_drift_are_suspect() {
    let length = Cell::new(0.0).sweep(1)[60].t_start_s.unwrap();
    let mut sequence = ValiditySequence::default();
    let mut cell = Cell::new(0.05 / length);
    let verdicts: Vec<String> = (1..=4)
        .map(|sweep| {
            let points = cell.sweep(sweep);
            follow(&mut sequence, sweep, &points).1.validity.verdict
        })
        .collect();
    assert!(
        verdicts[1..].iter().all(|verdict| verdict != "pass"),
        "{verdicts:?}"
    );
    // A slower drift that leaves nothing but noise passes with a remark.
    let mut cell = Cell::new(0.015 / length);
    let points = [cell.sweep(1), cell.sweep(2)];
    let mut sequence = ValiditySequence::default();
    let verdict = |index: usize, sequence: &mut ValiditySequence| {
        let number = index as u32 + 1;
        sequence.finish(number, 0, true, &points[index]).unwrap().validity
    };
    verdict(0, &mut sequence);
    let second = verdict(1, &mut sequence);
    assert_eq!(second.verdict, "pass", "{second:?}");
    assert!(second.reasons().last().unwrap().contains("during a sweep"));
}

#[test]
fn a_verdict_that_flickers_is_told_when_it_stands() {
    let mut running = Running {
        sweep: 1,
        told: None,
        count: 0,
        candidate: None,
    };
    assert!(!running.is_news(Verdict::Suspect, 1.2), "may be a whim");
    assert!(running.is_news(Verdict::Pass, 0.4));
    assert!(!running.is_news(Verdict::Suspect, 1.2));
    assert!(!running.is_news(Verdict::Pass, 0.4));
    assert!(!running.is_news(Verdict::Suspect, 1.2));
    assert!(running.is_news(Verdict::Suspect, 1.3));
    assert!(!running.is_news(Verdict::Suspect, 1.5), "about the same");
    assert!(running.is_news(Verdict::Suspect, 2.6));
    let told = (0..1000)
        .filter(|index| running.is_news(Verdict::Suspect, f64::from(1 + 9 * (index % 2))))
        .count();
    assert!(told < MOST_TOLD as usize, "{told}");
    // However much was told, another verdict that stands is.
    assert!(!running.is_news(Verdict::Fail, 3.0));
    assert!(running.is_news(Verdict::Fail, 3.0));
    assert!(!running.is_news(Verdict::Fail, 30.0));
}

#[test]
fn points_without_a_verdict_give_no_event() {
    let mut sequence = ValiditySequence::default();
    assert_eq!(sequence.finish(1, 0, false, &[]), None);
    assert_eq!(sequence.finish(2, 0, false, &Cell::new(0.0).sweep(1)[..9]), None);
}
