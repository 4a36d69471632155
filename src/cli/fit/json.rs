//! Fits as JSON, one object a spectrum.

use serde_json::{Map, Value, json};

use super::super::output;
use super::joint::SharedFit;
use super::series::{FileFit, Request, SpectrumFit};
use crate::analysis::fit::{FitResult, Parameter, Sum};

pub(super) fn write(file: &str, request: &Request, fit: &FileFit) -> anyhow::Result<()> {
    for spectrum in &fit.spectra {
        output::line(of_spectrum(file, request, spectrum).to_string())?;
    }
    if let Some(error) = &fit.unreadable {
        output::line(json!({"file": file, "error": error}).to_string())?;
    }
    Ok(())
}

/// The spectra of a series that was fitted together; each object says so.
pub(super) fn write_shared(
    file: &str,
    request: &Request,
    fit: &FileFit,
    shared: &SharedFit,
) -> anyhow::Result<()> {
    for spectrum in &fit.spectra {
        let mut object = of_spectrum(file, request, spectrum);
        object["joint"] = shared.as_json();
        // The time of the whole is not that of one spectrum.
        object["elapsed_us"] = Value::Null;
        object["guess_us"] = Value::Null;
        output::line(object.to_string())?;
    }
    Ok(())
}

fn of_spectrum(file: &str, request: &Request, spectrum: &SpectrumFit) -> Value {
    let mut object = Map::new();
    object.insert("file".to_owned(), file.into());
    if let Some(name) = &spectrum.name {
        object.insert("spectrum".to_owned(), name.as_str().into());
    }
    match &spectrum.outcome {
        Ok(result) => {
            object.extend(of_result(request, result));
            let excluded = spectrum.excluded.points.iter();
            let excluded = excluded.map(|(index, reason)| json!({"index": index, "reason": reason.words()}));
            object.insert("excluded".to_owned(), excluded.collect());
        }
        Err(error) => {
            object.insert("error".to_owned(), error.as_str().into());
        }
    }
    Value::Object(object)
}

/// The keys in the order in which scripts expect them; what is not a finite number is null.
fn of_result(request: &Request, result: &FitResult) -> Map<String, Value> {
    let parameters: Vec<Value> = (0..result.parameters.len())
        .map(|index| of_parameter(request, result, index))
        .collect();
    let sums: Vec<Value> = result.sums.iter().map(of_sum).collect();
    let degenerate = result.degenerate_pairs().into_iter();
    let degenerate =
        degenerate.map(|pair| json!({"name": pair.name, "with": pair.with, "correlation": pair.correlation}));
    let value = json!({
        "circuit": result.circuit,
        "n_points": result.n_points,
        "weight": result.weight.word(),
        "converged": result.converged,
        "starts": result.starts,
        "evaluations": result.evaluations,
        "elapsed_us": result.elapsed_us,
        "guess_us": result.guess_us,
        "n_used": result.n_used,
        "left_out": result.left_out,
        "chi_squared": result.chi_squared,
        "reduced_chi_squared": result.reduced_chi_squared,
        "noise_percent": result.noise_percent,
        "aicc": result.aicc,
        "bic": result.bic,
        "parameters": parameters,
        "correlation": result.correlation,
        "sums": sums,
        "runs_p": result.runs_p,
        "errors_are_lower_limits": result.errors_are_lower_limits(),
        "degenerate": degenerate.collect::<Vec<_>>(),
        "arcs_out_of_order": result.arcs_out_of_order(),
        "robust": result.robust.as_ref().map(|robust| json!({
            "scale": robust.scale,
            "down_weighted": robust.down_weighted,
            "rejected": robust.rejected,
        })),
    });
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn of_parameter(request: &Request, result: &FitResult, index: usize) -> Value {
    let Parameter {
        name,
        unit,
        value,
        std_error,
        lower,
        upper,
        fixed,
        at_bound,
        determined,
        arc_id,
    } = &result.parameters[index];
    let tied_to = request
        .options
        .ties
        .iter()
        .find(|(tied, _)| tied == name)
        .map(|(_, to)| to);
    json!({
        "name": name,
        "unit": unit,
        "value": value,
        "std_error": std_error,
        "lower": lower,
        "upper": upper,
        "fixed": fixed,
        "determined": determined,
        "at_bound": at_bound,
        "arc_id": arc_id,
        "tied_to": tied_to,
        "interval_95": super::interval(result, index).map(|(low, high)| [low, high]),
        "std_error_scaled": result.scaled_error(name),
    })
}

fn of_sum(sum: &Sum) -> Value {
    json!({
        "name": sum.name,
        "value": sum.value,
        "std_error": sum.std_error,
        "determined": sum.determined,
    })
}
