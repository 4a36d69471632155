//! Judgements of the spectra of a file.

use std::path::Path;

use super::super::{selection, spectra};
use crate::analysis::doubt::{self, KnownDrift};
use crate::analysis::instant;
use crate::analysis::kramers_kronig::{Form, Judgement, Stage, Tried, every_number, judge};
use crate::analysis::noise::{Noise, NoiseSource};
use crate::analysis::repeats::{Drift, noise_of_repeats};
use crate::analysis::selection::{Excluded, Selection};
use crate::analysis::zhit::{Zhit, zhit};
use crate::files::{FileSpectrum, Format, ReadOptions};
use crate::spectrum::Spectrum;

/// Noise from repeats that is so many times that of neighbours is change, not noise.
const MOST_OF_REPEATS: f64 = 1.5;
/// Noise of repeats below which they are copies of one spectrum.
const COPIES: f64 = 1e-12;
/// Given standard errors that differ from the scatter of neighbours by more than this factor are worth a word.
const ODD_SIGMA: f64 = 3.0;

/// What is asked for, the same for all spectra.
pub(super) struct Request {
    pub selection: Selection,
    pub are_repeats: bool,
    pub as_instants: bool,
    pub with_scan: bool,
    pub reading: ReadOptions,
}

/// One spectrum judged.
pub(super) struct SpectrumJudgement {
    /// What tells it from the others of its file; none where it is the only one.
    pub name: Option<String>,
    /// All points, usable or not.
    pub n_points: usize,
    /// What the selection left out.
    pub excluded: Excluded,
    /// None with the reason where the selection could not be made.
    pub outcome: Result<Judged, String>,
}

/// What is said about a spectrum.
pub(super) struct Judged {
    pub judgement: Judgement,
    /// The modulus that belongs to the phase; none where the range is too short.
    pub zhit: Option<Zhit>,
    /// What changed since the spectrum before; none where there is none with the same frequencies.
    pub change: Option<Change>,
    /// How every number of elements does, where it was asked for.
    pub scan: Option<Vec<Tried>>,
    /// What else there is to say, in words.
    pub remarks: Vec<String>,
}

/// How far a spectrum lies from the one before it in the file.
pub(super) struct Change {
    /// Frequency in Hz, and |Z - Z before| over |Z before| in percent.
    pub points: Vec<(f64, f64)>,
    /// Largest correction in percent that interpolation to the instant at which the sweep began would make, where
    /// the points have times and a sweep follows.
    pub correction_percent: Option<f64>,
}

impl Change {
    /// The largest, as frequency in Hz and percent.
    pub fn largest(&self) -> Option<(f64, f64)> {
        self.points.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1))
    }
}

/// What came of a file.
pub(super) struct FileJudgement {
    pub remarks: Vec<String>,
    pub spectra: Vec<SpectrumJudgement>,
    /// Why it, or the rest of it, could not be read.
    pub unreadable: Option<String>,
}

impl FileJudgement {
    /// What could not be done, and where.
    pub fn errors(&self, path: &str) -> Vec<String> {
        let spectra = self.spectra.iter().filter_map(|spectrum| {
            let error = spectrum.error()?;
            Some(format!("{}: {error}", spectrum.place(path)))
        });
        spectra.chain(self.unreadable.clone()).collect()
    }
}

impl SpectrumJudgement {
    /// The file, and the spectrum where there are several.
    pub fn place(&self, path: &str) -> String {
        match &self.name {
            Some(name) => format!("{path}, {name}"),
            None => path.to_owned(),
        }
    }

    /// Why there is no verdict.
    pub fn error(&self) -> Option<String> {
        match &self.outcome {
            Err(error) => Some(error.clone()),
            Ok(judged) if judged.judgement.verdict.is_none() => Some(judged.judgement.reasons.join("; ")),
            Ok(_) => None,
        }
    }
}

/// Reads and judges a file.
pub(super) fn file(path: &Path, request: &Request) -> FileJudgement {
    let read = spectra::read_with(path, &request.reading);
    let read = match request.as_instants {
        true => read.and_then(|reading| spectra::instants(path, reading)),
        false => read,
    };
    let reading = match read {
        Ok(reading) => reading,
        Err(error) => {
            return FileJudgement {
                remarks: Vec::new(),
                spectra: Vec::new(),
                unreadable: Some(format!("{error:#}")),
            };
        }
    };
    let names = spectra::names(&reading.spectra);
    let marked: Vec<_> = reading
        .spectra
        .into_iter()
        .map(|FileSpectrum { spectrum, .. }| selection::mark(&request.selection, spectrum))
        .collect();
    let mut remarks = reading.remarks;
    let repeats = request.are_repeats.then(|| {
        let spectra: Vec<Spectrum> = marked
            .iter()
            .flatten()
            .map(|(spectrum, _)| spectrum.clone())
            .collect();
        from_repeats(&spectra)
    });
    let noise = match repeats {
        Some(Ok(noise)) => Some(noise),
        Some(Err(remark)) => {
            remarks.push(remark);
            None
        }
        None => None,
    };
    let sweeps: Vec<Option<&Spectrum>> = marked
        .iter()
        .map(|marked| marked.as_ref().ok().map(|(spectrum, _)| spectrum))
        .collect();
    let is_recording = reading.format == Format::Recording && !request.as_instants;
    let judged: Vec<Option<Judged>> = (0..sweeps.len())
        .map(|index| {
            let spectrum = sweeps[index]?;
            // The session that made a recording took the noise from three sweeps too.
            let three = sweeps[..=index].last_chunk::<3>().filter(|_| is_recording);
            let of_three = three.and_then(|[a, b, c]| noise_of_repeats([(*a)?, (*b)?, (*c)?]));
            let mut judged = judged(spectrum, noise.or(of_three), request);
            judged.change = change(&sweeps, index);
            if !request.as_instants {
                doubt_by_drift(&mut judged.judgement, &sweeps[..index], spectrum);
            }
            Some(judged)
        })
        .collect();
    FileJudgement {
        remarks,
        spectra: marked
            .into_iter()
            .zip(judged)
            .zip(names)
            .map(|((marked, judged), name)| match (marked, judged) {
                (Ok((spectrum, excluded)), Some(judged)) => SpectrumJudgement {
                    name,
                    n_points: spectrum.points.len(),
                    excluded,
                    outcome: Ok(judged),
                },
                (marked, _) => SpectrumJudgement {
                    name,
                    n_points: 0,
                    excluded: Excluded::default(),
                    outcome: Err(marked.err().map_or_else(String::new, |error| error.to_string())),
                },
            })
            .collect(),
        unreadable: reading.broken.map(|error| error.to_string()),
    }
}

fn judged(spectrum: &Spectrum, noise: Option<Noise>, request: &Request) -> Judged {
    let mut judgement = judge(spectrum, noise, Stage::Complete);
    let zhit = zhit(spectrum, judgement.noise.as_ref()).ok();
    let mut remarks: Vec<String> = odd_sigma(spectrum, &judgement).into_iter().collect();
    if let Some(column) = &request.reading.sigma_column {
        remarks.extend(missing_sigma(spectrum, column));
    }
    if let Some(zhit) = &zhit {
        doubt::by_zhit(&mut judgement, zhit);
        remarks.extend(zhit.remarks());
    }
    let form = judgement.fit.as_ref().map_or(Form::Impedance, |fit| fit.form);
    Judged {
        scan: request.with_scan.then(|| every_number(spectrum, form)),
        judgement,
        zhit,
        change: None,
        remarks,
    }
}

/// What the sweep before tells about a drift during this one, where their points have times.
fn doubt_by_drift(judgement: &mut Judgement, before: &[Option<&Spectrum>], spectrum: &Spectrum) {
    let drift = before
        .last()
        .copied()
        .flatten()
        .and_then(|before| Drift::between(before, spectrum));
    if let Some(drift) = drift {
        doubt::by_drift(judgement, &KnownDrift::of(drift, judgement.noise_percent));
    }
}

/// A word about points without a standard error in the column that was asked for: then those of the others do not tell
/// the noise either.
fn missing_sigma(spectrum: &Spectrum, column: &str) -> Option<String> {
    let usable = || spectrum.points.iter().filter(|point| point.is_usable());
    let missing = usable().filter(|point| point.std_error_ohm.is_none()).count();
    (missing > 0).then(|| {
        format!(
            "--sigma: {missing} of {} points have no standard error in the column {column}; the column is not used, \
             leave these points out (--drop)",
            usable().count()
        )
    })
}

/// What changed since the spectrum before.
fn change(sweeps: &[Option<&Spectrum>], index: usize) -> Option<Change> {
    let of = |index: usize| sweeps.get(index).copied().flatten();
    let (before, own) = (of(index.checked_sub(1)?)?, of(index)?);
    let points = instant::changes(before, own);
    if points.is_empty() {
        return None;
    }
    let correction = of(index + 1).and_then(|after| {
        let mut three = [before, own, after].map(Clone::clone);
        three.iter_mut().for_each(instant::complete_first_time);
        let instant = instant::at_start_of_middle([&three[0], &three[1], &three[2]]).ok()?;
        Some(instant.largest_correction_percent)
    });
    Some(Change {
        points,
        correction_percent: correction,
    })
}

/// The noise between repeats, or why it is not used. Sweeps of a cell that changes differ by the change too: taken
/// for noise, it would hide what is looked for. The scatter of neighbours knows no change from sweep to sweep.
fn from_repeats(sweeps: &[Spectrum]) -> Result<Noise, String> {
    let otherwise = "the noise is taken from neighbouring points";
    let Some(repeats) = Noise::from_repeats(sweeps) else {
        return Err(format!(
            "--repeats: three spectra in a row with the same frequencies are needed; {otherwise}"
        ));
    };
    let percent = |noise: Option<Noise>, spectrum| noise.map(|noise: Noise| noise.percent(spectrum));
    let ratios = sweeps.iter().filter_map(|spectrum| {
        let local = percent(Noise::from_neighbours(spectrum), spectrum)?;
        Some((repeats.percent(spectrum), local))
    });
    let mut pairs: Vec<(f64, f64)> = ratios.collect();
    pairs.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
    if repeats.alpha <= COPIES && repeats.beta_ohm <= COPIES {
        return Err(format!(
            "--repeats: the spectra are copies of each other and tell no noise; {otherwise}"
        ));
    }
    match pairs.get(pairs.len() / 2) {
        Some((between, within)) if *between > MOST_OF_REPEATS * within => Err(format!(
            "--repeats: the spectra differ by {between:.2} % where their points scatter by {within:.2} %: the cell \
             changed from one to the next, which is no noise; {otherwise}"
        )),
        _ => Ok(repeats),
    }
}

/// A word about standard errors that do not fit the scatter of the points: a wrong column or unit.
fn odd_sigma(spectrum: &Spectrum, judgement: &Judgement) -> Option<String> {
    judgement
        .noise
        .filter(|noise| noise.source == NoiseSource::Sigma)?;
    let given = judgement.noise_percent?;
    let local = Noise::from_neighbours(spectrum)?.percent(spectrum);
    let ratio = given / local;
    (!(1.0 / ODD_SIGMA..=ODD_SIGMA).contains(&ratio)).then(|| {
        format!(
            "the given standard errors are {given:.2} % of |Z|, but the points scatter by {local:.2} %: is it the \
             right column, in ohm?"
        )
    })
}
