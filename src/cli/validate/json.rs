//! Judgements as JSON, one object a spectrum.

use serde_json::{Map, Value, json};

use super::super::output;
use super::judged::{Change, FileJudgement, Judged, SpectrumJudgement};
use crate::analysis::kramers_kronig::{
    Component, Evidence, LEAST_DECADES, LEAST_POINTS, Limits, METHOD, Stretch,
};
use crate::analysis::zhit::Zhit;

pub(super) fn write(file: &str, judgement: &FileJudgement) -> anyhow::Result<()> {
    for spectrum in &judgement.spectra {
        output::line(of_spectrum(file, spectrum).to_string())?;
    }
    if let Some(error) = &judgement.unreadable {
        output::line(json!({"file": file, "error": error}).to_string())?;
    }
    Ok(())
}

fn of_spectrum(file: &str, spectrum: &SpectrumJudgement) -> Value {
    let mut object = Map::new();
    object.insert("file".to_owned(), file.into());
    if let Some(name) = &spectrum.name {
        object.insert("spectrum".to_owned(), name.as_str().into());
    }
    if let Ok(judged) = &spectrum.outcome {
        object.extend(of_judged(judged, spectrum));
    }
    if let Some(error) = spectrum.error() {
        object.insert("error".to_owned(), error.into());
    }
    Value::Object(object)
}

/// The keys in the order in which scripts expect them; what is not known is null.
fn of_judged(judged: &Judged, spectrum: &SpectrumJudgement) -> Map<String, Value> {
    let judgement = &judged.judgement;
    let fit = judgement.fit.as_ref();
    let residuals = fit.map(|fit| fit.residuals.as_slice()).unwrap_or_default();
    let residuals = residuals.iter().map(|residual| {
        json!({
            "frequency_hz": residual.frequency_hz,
            "real_percent": residual.real_percent,
            "imag_percent": residual.imag_percent,
        })
    });
    let excluded = spectrum.excluded.points.iter();
    let excluded = excluded.map(|(index, reason)| json!({"index": index, "reason": reason.words()}));
    let limits = Limits::DEFAULT;
    let value = json!({
        "n_points": spectrum.n_points,
        "method": METHOD,
        "form": fit.map(|fit| fit.form.word()),
        "m": fit.map(|fit| fit.m),
        "mu": fit.map(|fit| fit.mu),
        "series_capacitance": fit.map(|fit| fit.series_capacitance),
        "inductance": fit.map(|fit| fit.inductance),
        "noise_percent": judgement.noise_percent,
        "noise_source": judgement.noise.map(|noise| noise.source.word()),
        "max_residual_percent": fit.and_then(|fit| fit.largest()).map(|residual| residual.size_percent()),
        "rms_residual_percent": fit.map(|fit| fit.rms_percent()),
        "residuals": residuals.collect::<Vec<_>>(),
        "verdict": judgement.verdict.map(|verdict| verdict.word()),
        "reasons": judgement.reasons,
        "remarks": judged.remarks,
        "n_used": judgement.n_points,
        "max_residual_frequency_hz": fit.and_then(|fit| fit.largest()).map(|residual| residual.frequency_hz),
        "noise": judgement.noise.map(|noise| json!({"alpha": noise.alpha, "beta_ohm": noise.beta_ohm})),
        "evidence": fit.and_then(|fit| fit.evidence.as_ref()).map(of_evidence),
        "limits": {
            "suspect_percent": limits.suspect_percent,
            "suspect_p": limits.suspect_p,
            "fail_percent": limits.fail_percent,
            "fail_p": limits.fail_p,
            "low_end_fail_percent": limits.low_end_fail_percent,
            "least_decades": LEAST_DECADES,
            "least_points": LEAST_POINTS,
        },
        "zhit": judged.zhit.as_ref().map(of_zhit),
        "change_since_previous": judged.change.as_ref().map(of_change),
        "excluded": excluded.collect::<Vec<_>>(),
        "scan": judged.scan.as_ref().map(|scan| scan.iter().map(|tried| json!({
            "m": tried.m,
            "mu": tried.mu,
            "rms_residual_percent": tried.rms_residual_percent,
        })).collect::<Vec<_>>()),
    });
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn of_evidence(evidence: &Evidence) -> Value {
    json!({
        "p": evidence.p(),
        "reduced_chi_squared": evidence.reduced_chi_squared,
        "chi_squared_p": evidence.chi_squared_p,
        "largest_p": evidence.largest_p,
        "stretch": evidence.stretch.as_ref().map(of_stretch),
        "low_end": evidence.low_end.as_ref().map(of_stretch),
        "lag_one": evidence.lag_one,
        "lag_one_p": evidence.lag_one_p,
    })
}

fn of_zhit(zhit: &Zhit) -> Value {
    let points = zhit.points.iter().map(|point| {
        json!({
            "frequency_hz": point.frequency_hz,
            "modulus_ohm": point.modulus_ohm,
            "reconstructed_ohm": point.reconstructed_ohm,
            "deviation_percent": point.deviation_percent,
            "tolerance_percent": point.tolerance_percent,
            "disagrees": point.disagrees(),
        })
    });
    let stretches = zhit.disagreements().into_iter().map(|stretch| {
        json!({
            "from_hz": stretch.from_hz,
            "to_hz": stretch.to_hz,
            "points": stretch.points,
            "largest_percent": stretch.largest_percent,
            "at_low_end": stretch.at_low_end,
        })
    });
    json!({
        "largest_deviation_percent": zhit.largest().map(|point| point.deviation_percent),
        "window_hz": zhit.window_hz,
        "disagreements": stretches.collect::<Vec<_>>(),
        "points": points.collect::<Vec<_>>(),
    })
}

fn of_change(change: &Change) -> Value {
    let points = change.points.iter();
    json!({
        "largest_percent": change.largest().map(|(_, percent)| percent),
        "frequency_hz": change.largest().map(|(frequency, _)| frequency),
        "instant_correction_percent": change.correction_percent,
        "points": points.map(|(frequency, percent)| json!({"frequency_hz": frequency, "percent": percent}))
            .collect::<Vec<_>>(),
    })
}

fn of_stretch(stretch: &Stretch) -> Value {
    json!({
        "component": match stretch.component {
            Component::Real => "real",
            Component::Imaginary => "imaginary",
        },
        "from_hz": stretch.from_hz,
        "to_hz": stretch.to_hz,
        "points": stretch.points,
        "mean_percent": stretch.mean_percent,
        "one_sign": stretch.one_sign,
        "p": stretch.p,
    })
}
