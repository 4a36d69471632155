//! Fits for people.

use super::super::{output, text};
use super::series::{FileFit, Request, SpectrumFit};
use crate::analysis::fit::{FitResult, Parameter};
use crate::units::{self, Script};

pub(super) fn write(file: &str, request: &Request, fit: &FileFit) -> anyhow::Result<()> {
    for spectrum in &fit.spectra {
        if let Ok(result) = &spectrum.outcome {
            for line in of_spectrum(file, request, spectrum, result) {
                output::line(line)?;
            }
        }
    }
    Ok(())
}

fn of_spectrum(file: &str, request: &Request, spectrum: &SpectrumFit, result: &FitResult) -> Vec<String> {
    let name = match &spectrum.name {
        Some(name) => format!("{file}, {name}"),
        None => file.to_owned(),
    };
    let left_out = match (result.left_out, spectrum.excluded.count()) {
        (0, _) => String::new(),
        (all, 0) => format!(", {all} not usable"),
        (all, excluded) if all == excluded => format!(", {excluded} left out as asked"),
        (all, excluded) => format!(", {excluded} left out as asked, {} not usable", all - excluded),
    };
    let mut lines = vec![format!(
        "{name}: {}, {} points{left_out}, {} weight",
        result.circuit,
        result.n_used,
        result.weight.word()
    )];
    let rows: Vec<[String; 3]> = (0..result.parameters.len())
        .map(|index| row(request, result, index))
        .collect();
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let (names, values) = (width(0), width(1));
    for [name, value, interval] in &rows {
        lines.push(
            format!("  {name:names$}  {value:values$}  {interval}")
                .trim_end()
                .to_owned(),
        );
    }
    lines.extend(result.sums.iter().map(|sum| format!("  {}", text::sum(sum))));
    lines.push(format!("  {}", quality(result)));
    lines.extend(remarks(result).into_iter().map(|remark| format!("  {remark}")));
    lines.push(String::new());
    lines
}

/// Name, value, and interval or the word that stands in its place.
fn row(request: &Request, result: &FitResult, index: usize) -> [String; 3] {
    let parameter = &result.parameters[index];
    let plain = units::engineering(parameter.value, &parameter.unit, Script::Unicode);
    let tied = request
        .options
        .ties
        .iter()
        .find(|(name, _)| *name == parameter.name);
    let (value, words) = if parameter.fixed {
        (plain, "fixed".to_owned())
    } else if is_at_told_bound(parameter) {
        (format!("at its bound {plain}"), String::new())
    } else if parameter.at_bound {
        (
            "not determined".to_owned(),
            "at the end of what these data could show".to_owned(),
        )
    } else if !parameter.determined {
        ("not determined".to_owned(), String::new())
    } else {
        let error = parameter.std_error.unwrap_or(f64::NAN);
        let value = units::with_error(parameter.value, error, &parameter.unit, Script::Unicode);
        let interval = super::interval(result, index).map_or_else(String::new, |(low, high)| {
            let [low, high] = [low, high].map(|end| {
                let mut end = units::with_error(end, error, &parameter.unit, Script::Unicode);
                end.error.clear();
                end
            });
            if low.unit == high.unit {
                format!("95 %: {} to {}", low.value, high.line(Script::Unicode))
            } else {
                format!(
                    "95 %: {} to {}",
                    low.line(Script::Unicode),
                    high.line(Script::Unicode)
                )
            }
        });
        (value.line(Script::Unicode), interval)
    };
    let words = match tied {
        Some((_, to)) => format!("{words}{}tied to {to}", if words.is_empty() { "" } else { ", " }),
        None => words,
    };
    [parameter.name.clone(), value, words]
}

/// Whether the search ended on a bound that the user or the quantity itself sets.
fn is_at_told_bound(parameter: &Parameter) -> bool {
    let is_here = |bound: f64| (parameter.value - bound).abs() <= 1e-9 * bound.abs();
    parameter.at_bound
        && [parameter.lower, parameter.upper]
            .into_iter()
            .flatten()
            .any(is_here)
}

fn quality(result: &FitResult) -> String {
    let mut parts = vec![format!("chi² {:.3e}", result.chi_squared)];
    let named = [
        (
            "reduced",
            result.reduced_chi_squared.map(|value| format!("{value:.3e}")),
        ),
        ("noise", result.noise_percent.map(|value| format!("{value:.2} %"))),
        ("AICc", result.aicc.map(|value| format!("{value:.1}"))),
        ("BIC", result.bic.map(|value| format!("{value:.1}"))),
        ("runs p", result.runs_p.map(|value| format!("{value:.2}"))),
    ];
    for (name, value) in named {
        if let Some(value) = value {
            parts.push(format!("{name} {value}"));
        }
    }
    parts.join(", ")
}

/// What must be said about the fit in words.
fn remarks(result: &FitResult) -> Vec<String> {
    let mut remarks = Vec::new();
    if !result.converged {
        remarks.push("the search did not end at a minimum: these numbers are where it stopped".to_owned());
    }
    if result.errors_are_lower_limits() {
        remarks.push(
            "the residuals have structure: the circuit does not explain the data, errors are lower limits"
                .to_owned(),
        );
    }
    if result.errors_rest_on_little() && result.parameters.iter().any(|parameter| !parameter.fixed) {
        remarks.push(format!(
            "only {} numbers more than parameters: errors may be small by chance, intervals allow for it",
            result.degrees_of_freedom()
        ));
    }
    if let Some(scale) = result.error_scale() {
        remarks.push(format!(
            "the residuals are larger than the errors of the points say: as the residuals ask, errors are \
             {scale:.2} times as large"
        ));
    }
    if let Some(robust) = &result.robust {
        remarks.push(match robust.down_weighted.as_slice() {
            [] => "robust: no point counts less than the others".to_owned(),
            points => format!(
                "robust: points {} count less, {} of them not at all",
                points.iter().map(usize::to_string).collect::<Vec<_>>().join(", "),
                robust.rejected.len()
            ),
        });
    }
    let crossed = result.arcs_out_of_order();
    if !crossed.is_empty() {
        remarks.push(format!("warning: {}", super::out_of_order(&crossed)));
    }
    for pair in result.degenerate_pairs() {
        remarks.push(format!(
            "{} and {} are degenerate: correlation {:.3}",
            pair.name, pair.with, pair.correlation
        ));
    }
    remarks
}
