//! The Kramers-Kronig judgement on random spectra: how often sound ones are called bad and drifting ones good, and
//! what it costs.
//!
//! `cargo bench --bench validity` prints the confusion table of five sets of 500 spectra of each kind, drawn from
//! seeds that no test uses (`VALIDITY_SETS=1` for fewer, 0 for none), then the times.

// What a bench is for is to print.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Instant;

use interphase::analysis::kramers_kronig::{Choice, Form, Stage, Verdict, every_number, fit, judge};
use interphase::analysis::noise::{Noise, NoiseSource};
use interphase::analysis::zhit::zhit;
use interphase::circuit::Circuit;
use interphase::spectrum::Spectrum;
use num_complex::Complex64;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Spectra of each kind in a set.
const COUNT: usize = 500;
/// Noise of each component, as a fraction of |Z|.
const NOISE: f64 = 0.005;
/// A point shows drift where its residual without noise is over so many times the noise.
const VISIBLE: f64 = 3.0;
/// Runs of which the shortest counts.
const REPEATS: usize = 1000;
/// Points that must show it.
const VISIBLE_POINTS: usize = 5;

/// A random cell: one to three arcs, any of the usual ends, with and without an inductance.
struct Cell {
    circuit: Circuit,
    values: Vec<f64>,
    arcs: usize,
    growth: f64,
}

impl Cell {
    fn random(generator: &mut ChaCha8Rng) -> Self {
        let between = |generator: &mut ChaCha8Rng, low: f64, high: f64| -> f64 {
            10f64.powf(generator.random_range(low..high))
        };
        let arcs = generator.random_range(1..=3_usize);
        let mut text = "R0".to_owned();
        let mut values = vec![between(generator, 0.0, 2.0)];
        for arc in 1..=arcs {
            text.push_str(&format!("-Zarc{arc}"));
            values.push(between(generator, 0.5, 2.5));
            values.push(between(generator, -5.5, 0.5));
            values.push(generator.random_range(0.7..1.0));
        }
        match generator.random_range(0..4) {
            1 => {
                text.push_str("-W1");
                values.push(between(generator, -0.5, 1.5));
            }
            2 => {
                text.push_str("-Wo1");
                values.push(between(generator, 0.5, 2.0));
                values.push(between(generator, -1.0, 2.0));
            }
            3 => {
                text.push_str("-C1");
                values.push(between(generator, -5.0, -2.0));
            }
            _ => {}
        }
        if generator.random_bool(0.3) {
            text.push_str("-L1");
            values.push(between(generator, -7.0, -5.5));
        }
        Self {
            circuit: Circuit::parse(&text).unwrap(),
            values,
            arcs,
            growth: generator.random_range(0.05..0.8),
        }
    }

    /// 71 points from 100 kHz to 10 mHz; the arcs grow by `growth`, linear in time.
    fn spectrum(&self, growth: f64, noise: f64, generator: &mut ChaCha8Rng) -> Spectrum {
        let frequencies: Vec<f64> = (0..71).map(|i| 10f64.powf(5.0 - 0.1 * f64::from(i))).collect();
        let total: f64 = frequencies.iter().map(|f| 1.0 / f).sum();
        let mut time = 0.0;
        let impedance: Vec<Complex64> = frequencies
            .iter()
            .map(|&f| {
                time += 1.0 / f;
                let mut values = self.values.clone();
                for arc in 0..self.arcs {
                    values[1 + 3 * arc] *= 1.0 + growth * time / total;
                }
                let z = self.circuit.impedance(&values, f);
                let draw = Complex64::new(StandardNormal.sample(generator), StandardNormal.sample(generator));
                z + noise * z.norm() * draw
            })
            .collect();
        Spectrum::from_impedance(&frequencies, &impedance)
    }

    /// Whether the drift stands out of the noise in what the test itself sees, were there no noise.
    fn shows(&self, generator: &mut ChaCha8Rng) -> bool {
        let exact = self.spectrum(self.growth, 0.0, generator);
        let noise = Noise {
            alpha: NOISE,
            beta_ohm: 0.0,
            source: NoiseSource::Sigma,
        };
        let fit = fit(&exact, Form::Impedance, Choice::NoiseAndMu, Some(&noise)).unwrap();
        let over = fit
            .residuals
            .iter()
            .filter(|residual| residual.real_percent.hypot(residual.imag_percent) > 100.0 * VISIBLE * NOISE);
        over.count() >= VISIBLE_POINTS
    }
}

/// Verdicts pass, suspect, fail, and how many Z-HIT disagrees with.
type Row = [usize; 4];

fn tell(row: &mut Row, spectrum: &Spectrum) {
    let judgement = judge(spectrum, None, Stage::Complete);
    row[match judgement.verdict.unwrap() {
        Verdict::Pass => 0,
        Verdict::Suspect => 1,
        Verdict::Fail => 2,
    }] += 1;
    let zhit = zhit(spectrum, judgement.noise.as_ref()).unwrap();
    row[3] += usize::from(!zhit.disagreements().is_empty());
}

/// Sound, visibly drifting, hardly drifting.
fn confusion(seed: u64) -> [Row; 3] {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut table = [[0; 4]; 3];
    for _ in 0..COUNT {
        let cell = Cell::random(&mut generator);
        tell(&mut table[0], &cell.spectrum(0.0, NOISE, &mut generator));
    }
    let mut visible = 0;
    while visible < COUNT {
        let cell = Cell::random(&mut generator);
        let row = if cell.shows(&mut generator) { 1 } else { 2 };
        visible += usize::from(row == 1);
        tell(
            &mut table[row],
            &cell.spectrum(cell.growth, NOISE, &mut generator),
        );
    }
    table
}

fn print_confusion(sets: u64) {
    println!("of {COUNT} spectra              pass suspect fail | Z-HIT disagrees");
    let mut sums = [[0; 4]; 3];
    for set in 0..sets {
        let table = confusion(0x5eed_0000 + set);
        for (row, (sum, name)) in table.iter().zip(sums.iter_mut().zip([
            "sound",
            "drift that can be seen",
            "drift that hardly can",
        ])) {
            let [pass, suspect, fail, zhit] = row;
            println!("set {set}, {name:24} {pass:6} {suspect:6} {fail:6} | {zhit:6}");
            sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
    }
    for (sum, name) in sums
        .iter()
        .zip(["sound", "drift that can be seen", "drift that hardly can"])
    {
        let all: usize = sum[..3].iter().sum();
        let [pass, suspect, fail, zhit] = sum.map(|count| 100.0 * count as f64 / all as f64);
        println!("all,   {name:24} {pass:5.1}% {suspect:5.1}% {fail:5.1}% | {zhit:5.1}%   of {all}");
    }
}

fn times() {
    let circuit = Circuit::parse("R0-p(R1,CPE1)-W1").unwrap();
    let mut generator = ChaCha8Rng::seed_from_u64(77);
    let frequencies: Vec<f64> = (0..100)
        .map(|i| 10f64.powf(6.0 - 9.0 * f64::from(i) / 99.0))
        .collect();
    let impedance: Vec<Complex64> = frequencies
        .iter()
        .map(|&f| {
            let z = circuit.impedance(&[10.0, 50.0, 1e-6, 0.9, 70.71], f);
            let draw = Complex64::new(
                StandardNormal.sample(&mut generator),
                StandardNormal.sample(&mut generator),
            );
            z + NOISE * z.norm() * draw
        })
        .collect();
    let spectrum = Spectrum::from_impedance(&frequencies, &impedance);
    let noise = Noise::of(&spectrum);
    println!("least of {REPEATS} single runs");
    least("100_points_to_the_chosen_number", || {
        fit(
            black_box(&spectrum),
            Form::Impedance,
            Choice::NoiseAndMu,
            noise.as_ref(),
        )
    });
    least("100_points_first_mu", || {
        fit(black_box(&spectrum), Form::Impedance, Choice::FirstMu, None)
    });
    least("100_points_every_number", || {
        every_number(black_box(&spectrum), Form::Impedance)
    });
    least("100_points_judged", || {
        judge(black_box(&spectrum), None, Stage::Complete)
    });
    least("100_points_z_hit", || zhit(black_box(&spectrum), noise.as_ref()));
}

/// Other work on the machine only ever adds, and a run is shorter than what the machine gives to one program at a time.
fn least<T>(name: &str, work: impl Fn() -> T) {
    let runs = (0..REPEATS).map(|_| {
        let begin = Instant::now();
        black_box(work());
        begin.elapsed()
    });
    let microseconds = runs.min().unwrap_or_default().as_secs_f64() * 1e6;
    println!("lin_kk/{name:34} {microseconds:9.1} us");
}

fn main() {
    let sets = std::env::var("VALIDITY_SETS").ok();
    match sets.and_then(|sets| sets.parse().ok()).unwrap_or(5) {
        0 => {}
        sets => print_confusion(sets),
    }
    times();
}
