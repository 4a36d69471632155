//! Fits of the spectra of files, one after the other.

use std::path::Path;
use std::time::Instant;

use super::super::selection;
use super::super::spectra;
use crate::analysis::fit::{ArcTrack, FitOptions, FitResult, fit_timed};
use crate::analysis::selection::{Excluded, Selection};
use crate::circuit::Circuit;
use crate::files::{FileSpectrum, ReadOptions};
use crate::spectrum::{Point, Spectrum};

/// What is asked for, the same for all spectra.
pub(super) struct Request {
    pub circuit: Circuit,
    pub options: FitOptions,
    /// Where the first fit of a series starts, if the user has said so of all parameters.
    pub start: Option<Vec<f64>>,
    pub selection: Selection,
    pub reading: ReadOptions,
    /// Whether drift-corrected spectra take the place of the sweeps.
    pub as_instants: bool,
}

/// One spectrum with its fit.
pub(super) struct SpectrumFit {
    /// What tells it from the others of its file; none where it is the only one.
    pub name: Option<String>,
    pub spectrum: Spectrum,
    /// What the selection left out.
    pub excluded: Excluded,
    /// The fit, or why there is none.
    pub outcome: Result<FitResult, String>,
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
    pub file: String,
}

impl FileFit {
    /// Whether anything of it could not be done.
    pub fn has_failed(&self) -> bool {
        self.errors().next().is_some()
    }

    /// What could not be done, and where.
    pub fn errors(&self) -> impl Iterator<Item = String> {
        let spectra = self.spectra.iter().filter_map(|spectrum| {
            let error = spectrum
                .outcome
                .as_ref()
                .err()
                .filter(|error| !error.is_empty())?;
            Some(format!("{}: {error}", self.place(spectrum)))
        });
        spectra.chain(self.unreadable.clone())
    }

    /// Where a search stopped before a minimum.
    pub fn unconverged(&self) -> impl Iterator<Item = String> {
        let has_stopped = |spectrum: &&SpectrumFit| spectrum.outcome.as_ref().is_ok_and(|fit| !fit.converged);
        self.spectra
            .iter()
            .filter(has_stopped)
            .map(|spectrum| self.place(spectrum))
    }

    /// One warning where names of arcs do not follow their time constants: of the first spectrum, and how many more.
    pub fn arcs_out_of_order(&self) -> Option<String> {
        let mut crossed = self.spectra.iter().filter_map(|spectrum| {
            let arcs = spectrum.outcome.as_ref().ok()?.arcs_out_of_order();
            (!arcs.is_empty()).then_some((spectrum, arcs))
        });
        let (spectrum, arcs) = crossed.next()?;
        let more = match crossed.count() {
            0 => String::new(),
            more => format!(" (and {more} more spectra)"),
        };
        Some(format!(
            "interphase: warning: {}{more}: {}",
            self.place(spectrum),
            super::out_of_order(&arcs)
        ))
    }

    fn place(&self, spectrum: &SpectrumFit) -> String {
        match &spectrum.name {
            Some(name) => format!("{}: {name}", self.file),
            None => self.file.clone(),
        }
    }
}

/// Fits in a row, each of which starts where the last one ended.
pub(super) struct Series<'a> {
    request: &'a Request,
    last: Option<FitResult>,
    track: ArcTrack,
}

impl<'a> Series<'a> {
    pub fn new(request: &'a Request) -> Self {
        Self {
            request,
            last: None,
            track: ArcTrack::default(),
        }
    }

    /// Fits all spectra of a file.
    pub fn fit_file(&mut self, path: &Path) -> FileFit {
        let mut file = self.read_file(path);
        for spectrum in &mut file.spectra {
            if spectrum.outcome.as_ref().is_err_and(String::is_empty) {
                spectrum.outcome = self.fit_spectrum(&spectrum.spectrum);
            }
        }
        file
    }

    /// Reads all spectra of a file, with an empty reason where there is no fit yet.
    pub fn read_file(&self, path: &Path) -> FileFit {
        let file = path.display().to_string();
        let read = spectra::read_with(path, &self.request.reading);
        let read = match self.request.as_instants {
            true => read.and_then(|reading| spectra::instants(path, reading)),
            false => read,
        };
        let reading = match read {
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
        let spectra = reading.spectra.into_iter().zip(names);
        FileFit {
            remarks: reading.remarks,
            spectra: spectra
                .map(|(spectrum, name)| self.select(spectrum, name))
                .collect(),
            unreadable: reading.broken.map(|error| error.to_string()),
            file,
        }
    }

    fn select(&self, spectrum: FileSpectrum, name: Option<String>) -> SpectrumFit {
        let whole = spectrum.spectrum.clone();
        match selection::mark(&self.request.selection, spectrum.spectrum) {
            Ok((spectrum, excluded)) => SpectrumFit {
                name,
                spectrum,
                excluded,
                outcome: Err(String::new()),
            },
            Err(error) => SpectrumFit {
                name,
                spectrum: whole,
                excluded: Excluded::default(),
                outcome: Err(error.to_string()),
            },
        }
    }

    fn fit_spectrum(&mut self, spectrum: &Spectrum) -> Result<FitResult, String> {
        let mut options = self.request.options.clone();
        match &self.last {
            Some(last) => {
                options.start = Some(last.parameters.iter().map(|parameter| parameter.value).collect());
                options.expected_reduced_chi_squared = last.reduced_chi_squared;
                options.arcs = self.track.forecast();
            }
            None => options.start.clone_from(&self.request.start),
        }
        let began = Instant::now();
        let clock = move || began.elapsed().as_secs_f64() * 1e6;
        let result = fit_timed(spectrum, &self.request.circuit, &options, &clock)
            .map_err(|error| error.to_string())?;
        if result.converged {
            self.track.observe(&self.request.circuit, &result);
            self.last = Some(result.clone());
        }
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fit::fit;

    #[test]
    fn a_search_that_stopped_early_is_named_by_file_and_spectrum() {
        let circuit = Circuit::parse("R0-C1").unwrap();
        let frequencies = [1.0, 10.0, 100.0, 1000.0];
        let impedance = frequencies.map(|f| circuit.impedance(&[10.0, 1e-3], f));
        let spectrum = Spectrum::from_impedance(&frequencies, &impedance);
        let whole = fit(&spectrum, &circuit, &FitOptions::default()).unwrap();
        let with = |name: &str, converged: bool| SpectrumFit {
            name: Some(name.to_owned()),
            spectrum: spectrum.clone(),
            excluded: Excluded::default(),
            outcome: Ok(FitResult {
                converged,
                ..whole.clone()
            }),
        };
        let file = FileFit {
            remarks: Vec::new(),
            spectra: vec![with("0", true), with("1", false)],
            unreadable: None,
            file: "days.csv".to_owned(),
        };
        assert_eq!(file.unconverged().collect::<Vec<_>>(), ["days.csv: 1"]);
        assert!(!file.has_failed(), "a fit was made");
    }
}
