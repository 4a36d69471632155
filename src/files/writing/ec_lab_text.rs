//! EC-Lab text, `.mpt`: Z'' negated, the amplitude zero to peak, one `cycle number` a spectrum.

use std::f64::consts::SQRT_2;
use std::io::Write;

use crate::spectrum::Point;

use super::scientific;

const COLUMNS: &str =
    "freq/Hz\tRe(Z)/Ohm\t-Im(Z)/Ohm\t|Z|/Ohm\tPhase(Z)/deg\ttime/s\t<Ewe>/V\t<I>/mA\tcycle number\t";

/// Gives back what has no place in the file, in words.
pub(super) fn write(spectra: &[Vec<&Point>], out: &mut Vec<u8>) -> Option<String> {
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
    if let Some(arms) = arms {
        setting("Ia", &format!("{:?}", arms * SQRT_2 * 1e3));
        setting("unit Ia", "mA");
    } else if let Some(vrms) = vrms {
        setting("Va (mV)", &format!("{:?}", vrms * SQRT_2 * 1e3));
    }
    head.push_str("\r\n");
    let lines = 2 + head.matches('\n').count() + 1;
    // Writing into a vector does not fail.
    let _ = write!(
        out,
        "EC-Lab ASCII FILE\r\nNb header lines : {lines:<30}\r\n{head}{COLUMNS}\r\n"
    );
    for (cycle, spectrum) in spectra.iter().enumerate() {
        for point in spectrum {
            let z = point.impedance();
            let numbers = [
                point.frequency_hz,
                z.re,
                -z.im,
                z.norm(),
                z.arg().to_degrees(),
                point.t_start_s.unwrap_or(0.0),
                point.potential_v.unwrap_or(0.0),
                point.current_a.unwrap_or(0.0) * 1e3,
                (cycle + 1) as f64,
            ];
            let fields = numbers.map(|number| scientific(number, 3));
            let _ = write!(out, "{}\r\n", fields.join("\t"));
        }
    }
    remark
}
