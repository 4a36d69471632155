//! Fits as CSV, one row a spectrum.

use super::super::output;
use super::series::{FileFit, Request, SpectrumFit};
use crate::analysis::fit::{FitResult, sum_names};

/// Rows on standard output.
pub(super) struct Rows {
    sums: Vec<String>,
    columns: usize,
    /// Where the reason of a failure stands.
    error: usize,
}

impl Rows {
    /// Writes the header.
    pub fn begin(request: &Request) -> anyhow::Result<Self> {
        let mut header: Vec<String> = [
            "file", "spectrum", "circuit", "weight", "n_points", "n_used", "left_out",
        ]
        .map(str::to_owned)
        .to_vec();
        for spec in request.circuit.parameters() {
            let name = &spec.name;
            let unit = if spec.unit == "1" {
                String::new()
            } else {
                format!(" / {}", spec.unit)
            };
            header.push(format!("{name}{unit}"));
            header.push(format!("{name} std_error"));
            header.push(format!("{name} lower_95"));
            header.push(format!("{name} upper_95"));
            header.push(format!("{name} flag"));
        }
        let rest = [
            "chi_squared",
            "reduced_chi_squared",
            "noise_percent",
            "aicc",
            "bic",
            "runs_p",
            "converged",
            "error",
        ];
        header.extend(rest.map(str::to_owned));
        let error = header.len() - 1;
        let judgements = ["errors_are_lower_limits", "degenerate", "arcs_out_of_order"];
        header.extend(judgements.map(str::to_owned));
        let sums = sum_names(&request.circuit, &request.options);
        for sum in &sums {
            header.push(format!("{sum} / ohm"));
            header.push(format!("{sum} std_error"));
            header.push(format!("{sum} flag"));
        }
        let rows = Self {
            sums,
            columns: header.len(),
            error,
        };
        output::line(record(&header)?)?;
        Ok(rows)
    }

    /// Writes the rows of a file.
    pub fn add(&mut self, file: &str, fit: &FileFit) -> anyhow::Result<()> {
        for spectrum in &fit.spectra {
            output::line(record(&self.row(file, spectrum))?)?;
        }
        if let Some(error) = &fit.unreadable {
            output::line(record(&self.failed(file, "", error))?)?;
        }
        Ok(())
    }

    fn row(&self, file: &str, spectrum: &SpectrumFit) -> Vec<String> {
        let name = spectrum.name.as_deref().unwrap_or_default();
        let result = match &spectrum.outcome {
            Ok(result) => result,
            Err(error) => return self.failed(file, name, &error.to_string()),
        };
        let mut row = vec![
            file.to_owned(),
            name.to_owned(),
            result.circuit.clone(),
            result.weight.word().to_owned(),
            result.n_points.to_string(),
            result.n_used.to_string(),
            result.left_out.to_string(),
        ];
        for (index, parameter) in result.parameters.iter().enumerate() {
            let interval = super::interval(result, index);
            row.push(number(Some(parameter.value)));
            row.push(number(parameter.std_error));
            row.push(number(interval.map(|(low, _)| low)));
            row.push(number(interval.map(|(_, high)| high)));
            row.push(flag(result, index).to_owned());
        }
        row.extend(
            [
                Some(result.chi_squared),
                result.reduced_chi_squared,
                result.noise_percent,
                result.aicc,
                result.bic,
                result.runs_p,
            ]
            .map(number),
        );
        row.push(result.converged.to_string());
        row.push(String::new());
        row.push(result.errors_are_lower_limits().to_string());
        let pairs = result.degenerate_pairs();
        let pairs: Vec<String> = pairs
            .iter()
            .map(|pair| format!("{} {}", pair.name, pair.with))
            .collect();
        row.push(pairs.join("; "));
        row.push(result.arcs_out_of_order().join(" "));
        for name in &self.sums {
            let sum = result.sum(name);
            row.push(number(sum.map(|sum| sum.value)));
            row.push(number(sum.and_then(|sum| sum.std_error)));
            let is_determined = sum.is_some_and(|sum| sum.determined);
            row.push(if is_determined { "" } else { "not_determined" }.to_owned());
        }
        debug_assert_eq!(row.len(), self.columns);
        row
    }

    /// A row that says only why there is nothing else in it.
    fn failed(&self, file: &str, spectrum: &str, error: &str) -> Vec<String> {
        let mut row = vec![String::new(); self.columns];
        row[0] = file.to_owned();
        row[1] = spectrum.to_owned();
        row[self.error] = error.to_owned();
        row
    }
}

/// What keeps a value from being believed.
fn flag(result: &FitResult, index: usize) -> &'static str {
    let parameter = &result.parameters[index];
    match (parameter.fixed, parameter.at_bound, parameter.determined) {
        (true, _, _) => "fixed",
        (_, true, _) => "at_bound",
        (_, _, false) => "not_determined",
        _ => "",
    }
}

/// The shortest text that reads back as the same number.
fn number(value: Option<f64>) -> String {
    value
        .filter(|value| value.is_finite())
        .map_or_else(String::new, |value| format!("{value:?}"))
}

/// A row with quotes where they are needed.
fn record(fields: &[String]) -> anyhow::Result<String> {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    writer.write_record(fields)?;
    let bytes = writer.into_inner()?;
    Ok(String::from_utf8_lossy(&bytes).trim_end_matches('\n').to_owned())
}
