//! `--share` and `--activated`: all spectra of all files fitted together.

use std::process::ExitCode;

use anyhow::bail;
use serde_json::{Value, json};

use super::super::output::{self, UsageError};
use super::super::spectra;
use super::series::{FileFit, Request, Series};
use super::{FitArgs, curve::Curve, json, rows::Rows, table};
use crate::analysis::fit::joint::{JointFit, Sharing, fit_jointly};
use crate::spectrum::Spectrum;
use crate::units::{self, Script};

/// What the whole series says, beside the fits of its spectra.
pub(super) struct SharedFit(JointFit);

/// What is shared, as the command line says.
pub(super) fn sharing(args: &FitArgs) -> Vec<(String, Sharing)> {
    let same = args.share.iter().map(|name| (name.clone(), Sharing::Same));
    let activated = |names: &[String], pre_factor: bool| -> Vec<(String, Sharing)> {
        names
            .iter()
            .map(|name| {
                let sharing = Sharing::Activated {
                    temperatures_k: args.temperatures_k.clone(),
                    pre_factor,
                };
                (name.clone(), sharing)
            })
            .collect()
    };
    same.chain(activated(&args.activated, false))
        .chain(activated(&args.activated_sigma_t, true))
        .collect()
}

pub(super) fn run(
    args: &FitArgs,
    request: &Request,
    mut curve: Option<Curve>,
    mut rows: Option<Rows>,
) -> anyhow::Result<ExitCode> {
    let series = Series::new(request);
    let mut files: Vec<FileFit> = Vec::new();
    for path in &args.files {
        let file = series.read_file(path);
        spectra::tell_remarks(path, &file.remarks);
        if let Some(error) = file.errors().next() {
            if args.json {
                output::line(json!({"file": file.file, "error": error}).to_string())?;
            }
            bail!("{error}; nothing is fitted together while a spectrum is missing");
        }
        files.push(file);
    }
    let all: Vec<Spectrum> = files
        .iter()
        .flat_map(|file| file.spectra.iter().map(|spectrum| spectrum.spectrum.clone()))
        .collect();
    let joint =
        fit_jointly(&all, &request.circuit, &request.options, &sharing(args)).map_err(|error| match error
            .is_of_the_request()
        {
            true => anyhow::Error::from(UsageError::new(error.to_string())),
            false => error.into(),
        })?;
    if !joint.converged {
        output::message(super::unconverged("all spectra together"));
    }
    let mut fits = joint.fits.iter();
    for file in &mut files {
        for spectrum in &mut file.spectra {
            if let Some(fit) = fits.next() {
                spectrum.outcome = Ok(fit.clone());
            }
        }
    }
    let shared = SharedFit(joint);
    for file in &files {
        let path = file.file.clone();
        if let Some(warning) = file.arcs_out_of_order() {
            output::message(warning);
        }
        if let Some(curve) = &mut curve {
            curve.add(&path, request, file);
        }
        if args.json {
            json::write_shared(&path, request, file, &shared)?;
        } else if let Some(rows) = &mut rows {
            rows.add(&path, file)?;
        } else {
            table::write(&path, request, file)?;
        }
    }
    if !args.json && rows.is_none() {
        for line in shared.lines() {
            output::line(line)?;
        }
    }
    if let Some(curve) = curve {
        curve.finish()?;
    }
    Ok(ExitCode::SUCCESS)
}

impl SharedFit {
    /// What every object of the series carries.
    pub(super) fn as_json(&self) -> Value {
        let shared: Vec<Value> = self
            .0
            .shared
            .iter()
            .map(|parameter| {
                json!({
                    "name": parameter.name,
                    "unit": parameter.unit,
                    "value": parameter.value,
                    "std_error": parameter.std_error,
                    "determined": parameter.determined,
                    "at_bound": parameter.at_bound,
                    "activation_energy_ev": parameter.activation_energy_ev.map(|energy| json!({
                        "value": energy.value,
                        "std_error": energy.std_error,
                        "determined": energy.determined,
                    })),
                })
            })
            .collect();
        json!({
            "n_spectra": self.0.fits.len(),
            "free": self.0.free,
            "chi_squared": self.0.chi_squared,
            "reduced_chi_squared": self.0.reduced_chi_squared,
            "converged": self.0.converged,
            "evaluations": self.0.evaluations,
            "shared": shared,
        })
    }

    fn lines(&self) -> Vec<String> {
        let joint = &self.0;
        let mut lines = vec![format!(
            "all {} spectra together: {} free parameters, chi² {:.3e}",
            joint.fits.len(),
            joint.free,
            joint.chi_squared
        )];
        let told = |value: f64, error: Option<f64>, determined: bool, unit: &str| match error {
            Some(error) if determined => {
                units::with_error(value, error, unit, Script::Unicode).line(Script::Unicode)
            }
            _ => "not determined".to_owned(),
        };
        for parameter in &joint.shared {
            let value = match parameter.at_bound {
                true => {
                    let plain = units::engineering(parameter.value, parameter.unit, Script::Unicode);
                    format!("at its bound {plain}")
                }
                false => told(
                    parameter.value,
                    parameter.std_error,
                    parameter.determined,
                    parameter.unit,
                ),
            };
            lines.push(match parameter.activation_energy_ev {
                Some(energy) => format!(
                    "  {}  {value} at 298.15 K, activation energy {}",
                    parameter.name,
                    told(energy.value, energy.std_error, energy.determined, "eV")
                ),
                None => format!("  {}  {value} in all", parameter.name),
            });
        }
        lines
    }
}
