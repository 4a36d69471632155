//! Distributions as JSON, one object a spectrum.

use serde_json::{Map, Value, json};

use super::super::output;
use super::SpectrumDrt;
use crate::analysis::candidates::{Candidates, Compared, Geometry, candidates};
use crate::analysis::drt::{Drt, Peak, Tail};

pub(super) fn write(spectrum: &SpectrumDrt<'_>, geometry: Geometry) -> anyhow::Result<()> {
    output::line(of_spectrum(spectrum, geometry).to_string())?;
    Ok(())
}

/// A file, or the rest of it, that could not be read.
pub(super) fn write_failed(file: &str, error: &str) -> anyhow::Result<()> {
    output::line(json!({"file": file, "error": error}).to_string())?;
    Ok(())
}

fn of_spectrum(spectrum: &SpectrumDrt<'_>, geometry: Geometry) -> Value {
    let mut object = Map::new();
    object.insert("file".to_owned(), spectrum.file.into());
    match &spectrum.outcome {
        Ok(drt) => object.extend(of_drt(spectrum, drt, geometry)),
        Err(error) => {
            object.insert("error".to_owned(), error.as_str().into());
        }
    }
    if let Some(name) = spectrum.name {
        object.insert("spectrum".to_owned(), name.into());
    }
    Value::Object(object)
}

fn of_drt(spectrum: &SpectrumDrt<'_>, drt: &Drt, geometry: Geometry) -> Map<String, Value> {
    let ids = &spectrum.step.ids;
    let peaks = drt.peaks.iter().zip(ids);
    let object = json!({
        "lambda": drt.lambda,
        "method": "tikhonov-nnls",
        "tau_s": drt.grid.tau_s,
        "gamma_ohm": drt.gamma_ohm,
        "r_infinity_ohm": drt.r_infinity_ohm,
        "inductance_h": drt.inductance_h,
        "r_polarisation_ohm": drt.r_polarisation_ohm,
        "peaks": peaks.map(|(peak, id)| of_peak(peak, *id, geometry)).collect::<Vec<_>>(),
        "tau_window_s": drt.grid.window_s,
        "lambda_source": if drt.is_lambda_chosen { "cross-validation" } else { "given" },
        "n_points": spectrum.n_points,
        "n_used": drt.n_used,
        "tail": drt.tail.as_ref().map(of_tail),
        "masked_ohm": {"fast": drt.masked_ohm[0], "slow": drt.masked_ohm[1]},
        "gamma_std_error_ohm": drt.band_ohm,
        "gamma_rough_ohm": drt.gamma_beside_ohm[0],
        "gamma_smooth_ohm": drt.gamma_beside_ohm[1],
        "passing_tau_s": drt.passing_tau_s,
        "rms_residual_percent": drt.rms_residual_percent,
        "peaks_born": spectrum.step.born,
        "peaks_gone": spectrum.step.gone,
        "remarks": drt.remarks,
    });
    match object {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn of_tail(tail: &Tail) -> Value {
    let kind = tail.word();
    match tail {
        Tail::Capacitance { farad } => json!({"kind": kind, "capacitance_f": farad}),
        Tail::Warburg { ohm_per_sqrt_s } => json!({"kind": kind, "w_ohm_per_sqrt_s": ohm_per_sqrt_s}),
        Tail::ConstantPhase { q, exponent } => json!({"kind": kind, "q_s_s_n": q, "n": exponent}),
    }
}

fn of_peak(peak: &Peak, id: u32, geometry: Geometry) -> Value {
    json!({
        "tau_s": peak.tau_s,
        "frequency_hz": peak.frequency_hz,
        "resistance_ohm": peak.resistance_ohm,
        "capacitance_f": peak.capacitance_f,
        "persistent": true,
        "id": id,
        "std_error_ohm": peak.std_error_ohm,
        "spread_ohm": peak.spread_ohm,
        "error_ohm": peak.error_ohm(),
        "ln_tau_std_error": peak.ln_tau_std_error,
        "range_s": peak.range_s,
        "cut_by_window": peak.is_cut(),
        "candidates": candidates(peak.capacitance_f, geometry).as_ref().map(of_candidates),
    })
}

fn of_candidates(found: &Candidates) -> Value {
    let origins = found.candidates.iter().map(|candidate| {
        json!({
            "origin": candidate.origin.word(),
            "compared": match candidate.compared {
                Compared::PerGeometry => "C L/A",
                Compared::PerArea => "C/A",
                Compared::Plain => "C",
            },
            "range": candidate.range,
            "within": candidate.is_within(),
            "decades_off": candidate.decades_off,
        })
    });
    json!({
        "origins": origins.collect::<Vec<_>>(),
        "c_l_per_a_f_per_cm": found.per_geometry_f_per_cm,
        "c_per_a_f_per_cm2": found.per_area_f_per_cm2,
        "permittivity_if_bulk": found.permittivity_if_bulk,
        "remark": found.remark,
    })
}
