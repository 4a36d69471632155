//! Distributions for people.

use super::super::output;
use super::SpectrumDrt;
use super::course::{Courses, Place};
use crate::analysis::candidates::{Geometry, candidates};
use crate::analysis::drt::{Drt, Peak, Tail};
use crate::units::{Script, engineering, with_error};

pub(super) fn write(spectrum: &SpectrumDrt<'_>, geometry: Geometry) -> anyhow::Result<()> {
    if let Ok(found) = &spectrum.outcome {
        for line in of_spectrum(spectrum, found, geometry) {
            output::line(line)?;
        }
    }
    Ok(())
}

/// The course of each peak over several spectra.
pub(super) fn write_courses(courses: &Courses) -> anyhow::Result<()> {
    if courses.sweeps < 2 {
        return Ok(());
    }
    output::line(format!("peaks over {} spectra", courses.sweeps))?;
    let heads = ["peak", "seen", "from", "to", "R", "tau"].map(str::to_owned);
    let rows = courses.courses.iter().enumerate().map(|(index, course)| {
        let change = |value: fn(&Place) -> f64, unit: &str| {
            let [first, last] = [&course.first, &course.last].map(|place| quantity(value(place), unit));
            format!("{first} to {last}")
        };
        let gone = if course.is_gone { ", then gone" } else { "" };
        [
            (index + 1).to_string(),
            course.seen.to_string(),
            course.first.sweep.clone(),
            format!("{}{gone}", course.last.sweep),
            change(|place| place.resistance_ohm, "ohm"),
            change(|place| place.tau_s, "s"),
        ]
    });
    let rows: Vec<[String; 6]> = std::iter::once(heads).chain(rows).collect();
    for line in aligned(&rows) {
        output::line(line)?;
    }
    output::line("")?;
    Ok(())
}

/// Rows with columns of one width, the first to the left and the others to the right.
fn aligned<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    rows.iter()
        .map(|row| {
            let mut line = format!("  {:width$}", row[0], width = width(0));
            for (column, cell) in row.iter().enumerate().skip(1) {
                line.push_str(&format!("  {cell:>width$}", width = width(column)));
            }
            line
        })
        .collect()
}

fn of_spectrum(spectrum: &SpectrumDrt<'_>, drt: &Drt, geometry: Geometry) -> Vec<String> {
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
        spectrum.place(),
        drt.n_used,
        drt.lambda
    )];
    lines.extend(series_elements(drt).into_iter().map(|line| format!("  {line}")));
    let ids = &spectrum.step.ids;
    if !drt.peaks.is_empty() {
        let heads = ["peak", "frequency", "tau", "R", "C"].map(str::to_owned);
        let peaks = drt.peaks.iter().zip(ids).map(|(peak, id)| row(*id, peak));
        lines.extend(aligned(&std::iter::once(heads).chain(peaks).collect::<Vec<_>>()));
    }
    for (word, some) in [("new", &spectrum.step.born), ("gone", &spectrum.step.gone)] {
        // In the first spectrum all are new, which says nothing.
        if !some.is_empty() && (word == "gone" || !spectrum.step.is_first) {
            let numbers: Vec<String> = some.iter().map(u32::to_string).collect();
            lines.push(format!("  {word}: peak {}", numbers.join(", ")));
        }
    }
    let found: Vec<_> = drt
        .peaks
        .iter()
        .map(|peak| candidates(peak.capacitance_f, geometry))
        .collect();
    for (id, found) in ids.iter().zip(&found) {
        let line = found
            .as_ref()
            .map_or_else(|| "no capacitance".to_owned(), |found| found.line());
        lines.push(format!("  peak {id}: {line}"));
    }
    if let Some(found) = found.iter().flatten().find(|found| !found.remark.is_empty()) {
        lines.push(format!("  candidates: {}", found.remark));
    }
    if !drt.peaks.is_empty() {
        lines.push(
            "  C is tau/R, which of a constant phase element is the capacitance of Hsu and Mansfeld; errors are noise at this lambda, the differences to a tenth and ten times lambda and to other laws of a tail, and 2.5 % of R for what smoothing moves between neighbours"
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
            "R_polarisation {}{}, residuals {:.2} % of |Z|",
            quantity(drt.r_polarisation_ohm, "ohm"),
            match drt.masked_ohm.iter().sum::<f64>() {
                beyond if beyond > 0.02 * drt.r_polarisation_ohm => {
                    format!(
                        ", of which {} lies beyond the measured frequencies and is not determined",
                        quantity(beyond, "ohm")
                    )
                }
                _ => String::new(),
            },
            drt.rms_residual_percent
        ),
    ]
}

fn row(id: u32, peak: &Peak) -> [String; 5] {
    let resistance = match peak.error_ohm() {
        Some(error) => with_error(peak.resistance_ohm, error, "ohm", Script::Unicode).line(Script::Unicode),
        None => quantity(peak.resistance_ohm, "ohm"),
    };
    [
        id.to_string(),
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
