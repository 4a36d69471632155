//! Fits of the spectra of files, one after the other.

use std::path::Path;
use std::time::Instant;

use super::super::selection::Selection;
use super::super::spectra;
use crate::analysis::fit::{FitError, FitOptions, FitResult, fit_timed};
use crate::circuit::Circuit;
use crate::files::FileSpectrum;
use crate::spectrum::{Point, Spectrum};

/// What is asked for, the same for all spectra.
pub(super) struct Request {
    pub circuit: Circuit,
    pub options: FitOptions,
    /// Where the first fit of a series starts, if the user has said so of all parameters.
    pub start: Option<Vec<f64>>,
    pub selection: Selection,
}

/// One spectrum with its fit.
pub(super) struct SpectrumFit {
    /// What tells it from the others of its file; none where it is the only one.
    pub name: Option<String>,
    pub spectrum: Spectrum,
    pub outcome: Result<FitResult, FitError>,
}

impl SpectrumFit {
    /// The points, and whether the fit used them.
    pub fn points_with_use(&self) -> impl Iterator<Item = (&Point, bool)> {
        self.spectrum
            .points
            .iter()
            .map(|point| (point, point.is_usable()))
    }
}

/// What came of a file.
pub(super) struct FileFit {
    pub remarks: Vec<String>,
    pub spectra: Vec<SpectrumFit>,
    /// Why it, or the rest of it, could not be read.
    pub unreadable: Option<String>,
    file: String,
}

impl FileFit {
    /// Whether anything of it could not be done.
    pub fn has_failed(&self) -> bool {
        self.errors().next().is_some()
    }

    /// What could not be done, and where.
    pub fn errors(&self) -> impl Iterator<Item = String> {
        let spectra = self.spectra.iter().filter_map(|spectrum| {
            let error = spectrum.outcome.as_ref().err()?;
            let place = match &spectrum.name {
                Some(name) => format!("{}: {name}", self.file),
                None => self.file.clone(),
            };
            Some(format!("{place}: {error}"))
        });
        spectra.chain(self.unreadable.clone())
    }
}

/// Fits in a row, each of which starts where the last one ended.
pub(super) struct Series<'a> {
    request: &'a Request,
    last: Option<FitResult>,
}

impl<'a> Series<'a> {
    pub fn new(request: &'a Request) -> Self {
        Self { request, last: None }
    }

    /// Fits all spectra of a file.
    pub fn fit_file(&mut self, path: &Path) -> FileFit {
        let file = path.display().to_string();
        let reading = match spectra::read(path) {
            Ok(reading) => reading,
            Err(error) => {
                return FileFit {
                    remarks: Vec::new(),
                    spectra: Vec::new(),
                    unreadable: Some(format!("{error:#}")),
                    file,
                };
            }
        };
        let names = spectra::names(&reading.spectra);
        let fitted = reading
            .spectra
            .into_iter()
            .zip(names)
            .map(|(spectrum, name)| self.fit_spectrum(spectrum, name))
            .collect();
        FileFit {
            remarks: reading.remarks,
            spectra: fitted,
            unreadable: reading.broken.map(|error| error.to_string()),
            file,
        }
    }

    fn fit_spectrum(&mut self, spectrum: FileSpectrum, name: Option<String>) -> SpectrumFit {
        let spectrum = self.request.selection.apply(spectrum.spectrum);
        let mut options = self.request.options.clone();
        match &self.last {
            Some(last) => {
                options.start = Some(last.parameters.iter().map(|parameter| parameter.value).collect());
                options.expected_reduced_chi_squared = last.reduced_chi_squared;
            }
            None => options.start.clone_from(&self.request.start),
        }
        let began = Instant::now();
        let clock = move || began.elapsed().as_secs_f64() * 1e6;
        let outcome = fit_timed(&spectrum, &self.request.circuit, &options, &clock);
        if let Ok(result) = &outcome
            && result.converged
        {
            self.last = Some(result.clone());
        }
        SpectrumFit {
            name,
            spectrum,
            outcome,
        }
    }
}
