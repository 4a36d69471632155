//! EC-Lab text, `.mpt`: Z'' negated, the amplitude zero to peak, one `cycle number` a spectrum.

use std::f64::consts::SQRT_2;
use std::io::Write;

use crate::spectrum::Point;

use super::{scientific, shifted};

const COLUMNS: &str = "freq/Hz\tRe(Z)/Ohm\t-Im(Z)/Ohm\t|Z|/Ohm\tPhase(Z)/deg\t";

/// A column that is written where every point has a value for it. EC-Lab stamps the end of a point.
/// The last part is the power of ten of its unit.
type Optional = (&'static str, fn(&[&Point], usize) -> Option<f64>, i32);
const OPTIONAL: [Optional; 3] = [
    ("time/s\t", end_s, 0),
    ("<Ewe>/V\t", |points, index| points[index].potential_v, 0),
    ("<I>/mA\t", |points, index| points[index].current_a, 3),
];

/// When the point ended: when the next one began, and for the last at least one period after its beginning.
fn end_s(points: &[&Point], index: usize) -> Option<f64> {
    match points.get(index + 1) {
        Some(next) => next.t_start_s,
        None => points[index]
            .t_start_s
            .map(|t| t + 1.0 / points[index].frequency_hz),
    }
}

/// Gives back what has no place in the file, in words.
pub(super) fn write(spectra: &[Vec<&Point>], labels: &[String], out: &mut Vec<u8>) -> Option<String> {
    let mut remark = None;
    let points = || spectra.iter().flatten();
    let same = |value: fn(&Point) -> Option<f64>| {
        let first = points().next().and_then(|point| value(point));
        let all = points().all(|point| value(point) == first);
        if !all {
            remark = Some("the amplitude differs between points and is not written".to_owned());
        }
        first.filter(|_| all)
    };
    let [vrms, arms] = [
        (|point: &Point| point.amplitude_vrms) as fn(&Point) -> Option<f64>,
        |point: &Point| point.amplitude_arms,
    ]
    .map(same);
    let technique = if arms.is_some() { "Galvano" } else { "Potentio" };
    let mut head = format!(
        "\r\n{technique} Electrochemical Impedance Spectroscopy\r\n\r\nWritten by Interphase {}\r\n",
        env!("CARGO_PKG_VERSION")
    );
    let mut setting = |name: &str, value: &str| head.push_str(&format!("{name:<20}{value:<20}\r\n"));
    setting("Mode", "Single sine");
    if !labels.is_empty() {
        setting("Comments", &labels.join(" | "));
    }
    if let Some(arms) = arms {
        setting("Ia", &format!("{:?}", arms * SQRT_2 * 1e3));
        setting("unit Ia", "mA");
    } else if let Some(vrms) = vrms {
        setting("Va (mV)", &format!("{:?}", vrms * SQRT_2 * 1e3));
    }
    head.push_str("\r\n");
    let lines = 2 + head.matches('\n').count() + 1;
    let known: Vec<Optional> = OPTIONAL
        .into_iter()
        .filter(|(_, value, _)| {
            spectra
                .iter()
                .all(|points| (0..points.len()).all(|index| value(points, index).is_some()))
        })
        .collect();
    let names: String = known.iter().map(|(name, ..)| *name).collect();
    // Writing into a vector does not fail.
    let _ = write!(
        out,
        "EC-Lab ASCII FILE\r\nNb header lines : {lines:<30}\r\n{head}{COLUMNS}{names}cycle number\t\r\n"
    );
    for (cycle, spectrum) in spectra.iter().enumerate() {
        for (index, point) in spectrum.iter().enumerate() {
            let z = point.impedance();
            let numbers = [point.frequency_hz, z.re, -z.im, z.norm(), z.arg().to_degrees()];
            for number in numbers {
                let _ = write!(out, "{}\t", scientific(number, 3));
            }
            for (_, value, power) in &known {
                if let Some(value) = value(spectrum, index) {
                    let _ = write!(out, "{}\t", shifted(value, *power, 3));
                }
            }
            let _ = write!(out, "{}\t\r\n", scientific((cycle + 1) as f64, 3));
        }
    }
    remark
}
