//! Distributions for people.

use super::super::output;
use super::{FileDrt, SpectrumDrt, place};
use crate::analysis::candidates::{Geometry, candidates};
use crate::analysis::drt::{Drt, Peak, Tail};
use crate::units::{Script, engineering, with_error};

pub(super) fn write(file: &str, drt: &FileDrt, geometry: Geometry) -> anyhow::Result<()> {
    for spectrum in &drt.spectra {
        if let Ok(found) = &spectrum.outcome {
            for line in of_spectrum(file, spectrum, found, geometry) {
                output::line(line)?;
            }
        }
    }
    Ok(())
}

fn of_spectrum(file: &str, spectrum: &SpectrumDrt, drt: &Drt, geometry: Geometry) -> Vec<String> {
    let left_out = match spectrum.n_points - drt.n_used {
        0 => String::new(),
        some => format!(" ({some} not usable)"),
    };
    let chosen = if drt.is_lambda_chosen {
        "by cross-validation"
    } else {
        "as given"
    };
    let mut lines = vec![format!(
        "{}: {} points{left_out}, lambda {:.1e} {chosen}",
        place(file, spectrum),
        drt.n_used,
        drt.lambda
    )];
    lines.extend(series_elements(drt).into_iter().map(|line| format!("  {line}")));
    let heads = ["peak", "frequency", "tau", "R", "C"].map(str::to_owned);
    let rows: Vec<[String; 5]> = std::iter::once(heads)
        .chain(drt.peaks.iter().enumerate().map(|(index, peak)| row(index, peak)))
        .collect();
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    for row in rows.iter().filter(|_| !drt.peaks.is_empty()) {
        let mut line = format!("  {:width$}", row[0], width = width(0));
        for (column, cell) in row.iter().enumerate().skip(1) {
            line.push_str(&format!("  {cell:>width$}", width = width(column)));
        }
        lines.push(line);
    }
    let found: Vec<_> = drt
        .peaks
        .iter()
        .map(|peak| candidates(peak.capacitance_f, geometry))
        .collect();
    for (index, found) in found.iter().enumerate() {
        let line = found
            .as_ref()
            .map_or_else(|| "no capacitance".to_owned(), |found| found.line());
        lines.push(format!("  peak {}: {line}", index + 1));
    }
    if let Some(found) = found.iter().flatten().find(|found| !found.remark.is_empty()) {
        lines.push(format!("  candidates: {}", found.remark));
    }
    if !drt.peaks.is_empty() {
        lines.push(
            "  errors are noise at this lambda; what smoothing and cutting at the minima cost comes on top"
                .to_owned(),
        );
    }
    if !drt.passing_tau_s.is_empty() {
        let times: Vec<String> = drt.passing_tau_s.iter().map(|tau| quantity(*tau, "s")).collect();
        lines.push(format!(
            "  not reported, because they come and go with lambda or are not needed: maxima at {}",
            times.join(", ")
        ));
    }
    let [low, high] = drt.grid.window_s;
    lines.push(format!(
        "  measured: tau {} to {}; what lies outside is masked",
        quantity(low, "s"),
        quantity(high, "s")
    ));
    lines.extend(drt.remarks.iter().map(|remark| format!("  {remark}")));
    lines.push(String::new());
    lines
}

/// What stands in series with the distribution, and the distribution's area.
fn series_elements(drt: &Drt) -> Vec<String> {
    let mut series = vec![format!("R_inf {}", quantity(drt.r_infinity_ohm, "ohm"))];
    if drt.inductance_h > 0.0 {
        series.push(format!("L {}", quantity(drt.inductance_h, "H")));
    }
    series.push(match &drt.tail {
        None => "no tail".to_owned(),
        Some(Tail::Capacitance { farad }) => format!("tail: C {}", quantity(*farad, "F")),
        Some(Tail::Warburg { ohm_per_sqrt_s }) => {
            format!("tail: Warburg {}", quantity(*ohm_per_sqrt_s, "ohm s^-1/2"))
        }
        Some(Tail::ConstantPhase { q, exponent }) => {
            format!("tail: CPE Q {}, n {exponent:.3}", quantity(*q, "S s^n"))
        }
    });
    vec![
        format!("fitted beside the distribution: {}", series.join(", ")),
        format!(
            "R_polarisation {}, residuals {:.2} % of |Z|",
            quantity(drt.r_polarisation_ohm, "ohm"),
            drt.rms_residual_percent
        ),
    ]
}

fn row(index: usize, peak: &Peak) -> [String; 5] {
    let resistance = match peak.std_error_ohm {
        Some(error) => with_error(peak.resistance_ohm, error, "ohm", Script::Unicode).line(Script::Unicode),
        None => quantity(peak.resistance_ohm, "ohm"),
    };
    [
        (index + 1).to_string(),
        quantity(peak.frequency_hz, "Hz"),
        quantity(peak.tau_s, "s"),
        if peak.is_cut() {
            format!("> {resistance}")
        } else {
            resistance
        },
        quantity(peak.capacitance_f, "F"),
    ]
}

fn quantity(value: f64, unit: &str) -> String {
    engineering(value, unit, Script::Unicode)
}
