//! Judgements for people: a block for the only spectrum of a file, a line for each of many.

use super::super::output;
use super::judged::{Change, FileJudgement, Judged, SpectrumJudgement};
use crate::analysis::kramers_kronig::{Limits, LinearFit, NOT_EXCLUDED, Verdict, is_about_noise};
use crate::analysis::noise::NoiseSource;
use crate::units::{Script, engineering};

/// From how many spectra in a file on each has one line.
const MANY: usize = 4;

/// Correction to one instant in percent from which a line of many tells it.
const WORTH_TELLING: f64 = 2.0;

/// How many spectra got which verdict.
#[derive(Default)]
pub(super) struct Totals {
    verdicts: [usize; 3],
    not_judged: usize,
}

impl Totals {
    /// What all verdicts together say, and what they rest on.
    pub fn write(&self) -> anyhow::Result<()> {
        let judged: usize = self.verdicts.iter().sum();
        if judged + self.not_judged > 1 {
            let [pass, suspect, fail] = self.verdicts;
            let rest = match self.not_judged {
                0 => String::new(),
                some => format!(", {some} not judged"),
            };
            output::line(format!(
                "{judged} judged: {pass} pass, {suspect} suspect, {fail} fail{rest}"
            ))?;
        }
        if self.verdicts[Verdict::Pass as usize] > 0 {
            output::line(format!("A pass: {NOT_EXCLUDED}."))?;
        }
        if judged > 0 {
            let limits = Limits::DEFAULT;
            output::line(format!(
                "Limits: suspect from a residual over {} % that noise makes in less than {} % of spectra; fail from \
                 two over {} %, or {} % on average at the low end, in less than {} %.",
                limits.suspect_percent,
                100.0 * limits.suspect_p,
                limits.fail_percent,
                limits.low_end_fail_percent,
                100.0 * limits.fail_p,
            ))?;
        }
        Ok(())
    }
}

pub(super) fn write(file: &str, judgement: &FileJudgement, totals: &mut Totals) -> anyhow::Result<()> {
    let are_many = judgement.spectra.len() >= MANY;
    if are_many {
        output::line(format!("{file}: {} spectra", judgement.spectra.len()))?;
    }
    for spectrum in &judgement.spectra {
        let Ok(judged) = &spectrum.outcome else {
            totals.not_judged += 1;
            continue;
        };
        match judged.judgement.verdict {
            Some(verdict) => totals.verdicts[verdict as usize] += 1,
            None => totals.not_judged += 1,
        }
        let lines = match are_many {
            true => line(spectrum, judged),
            false => block(file, spectrum, judged),
        };
        for line in lines {
            output::line(line)?;
        }
    }
    Ok(())
}

fn verdict(judged: &Judged) -> &'static str {
    judged
        .judgement
        .verdict
        .map_or("no verdict", |verdict| verdict.word())
}

/// One line, and reasons below it where the spectrum does not pass.
fn line(spectrum: &SpectrumJudgement, judged: &Judged) -> Vec<String> {
    let name = spectrum.name.as_deref().unwrap_or_default();
    let mut first = format!("  {:10}  {name}", verdict(judged));
    if let Some(fit) = &judged.judgement.fit {
        first.push_str(&format!(": {}", residuals(judged, fit)));
    }
    let mut lines = vec![first];
    // Of a pass only how blind it is.
    let passes = judged.judgement.verdict == Some(Verdict::Pass);
    let reasons = reasons(judged).filter(|reason| !passes || is_about_noise(reason));
    lines.extend(reasons.map(|reason| format!("              {reason}")));
    // That two methods agree is worth a line where there is one spectrum, not a hundred times.
    let agrees = judged
        .zhit
        .as_ref()
        .is_none_or(|zhit| zhit.disagreements().is_empty());
    let remarks = judged
        .remarks
        .iter()
        .filter(|remark| !(agrees && remark.starts_with("Z-HIT")));
    lines.extend(remarks.map(|remark| format!("              {remark}")));
    lines.extend(
        judged
            .change
            .as_ref()
            .filter(|change| {
                change
                    .correction_percent
                    .is_some_and(|percent| percent > WORTH_TELLING)
            })
            .map(|change| format!("              {}", changed(change))),
    );
    lines
}

fn block(file: &str, spectrum: &SpectrumJudgement, judged: &Judged) -> Vec<String> {
    let judgement = &judged.judgement;
    let excluded = spectrum.excluded.count();
    let unusable = (spectrum.n_points - judgement.n_points).saturating_sub(excluded);
    let mut left_out = Vec::new();
    if excluded > 0 {
        left_out.push(format!("{excluded} left out as asked"));
    }
    if unusable > 0 {
        left_out.push(format!("{unusable} not usable"));
    }
    let left_out = match left_out.is_empty() {
        true => String::new(),
        false => format!(" ({})", left_out.join(", ")),
    };
    let mut lines = vec![format!(
        "{}: {}, {} points{left_out}",
        spectrum.place(file),
        verdict(judged).to_uppercase(),
        judgement.n_points
    )];
    lines.extend(reasons(judged).map(|reason| format!("  {reason}")));
    if let Some(fit) = &judgement.fit {
        lines.push(format!("  {}", residuals(judged, fit)));
        lines.push(format!("  {}", model(fit)));
    }
    lines.extend(judged.remarks.iter().map(|remark| format!("  {remark}")));
    lines.extend(
        judged
            .change
            .as_ref()
            .map(|change| format!("  {}", changed(change))),
    );
    lines.push(String::new());
    lines
}

/// `up to 8.1 % from the spectrum before, at 10 mHz`, and what a drift correction would do.
fn changed(change: &Change) -> String {
    let Some((frequency, percent)) = change.largest() else {
        return String::new();
    };
    let mut text = format!(
        "up to {percent:.1} % from the spectrum before, at {}",
        engineering(frequency, "Hz", Script::Unicode)
    );
    if let Some(correction) = change.correction_percent {
        text.push_str(&format!(
            "; as it was when the sweep began, a point lies up to {correction:.1} % elsewhere (--instant)"
        ));
    }
    text
}

/// What a pass does not exclude stands once at the end.
fn reasons(judged: &Judged) -> impl Iterator<Item = &String> {
    judged
        .judgement
        .reasons
        .iter()
        .filter(|reason| *reason != NOT_EXCLUDED)
}

/// `largest residual 0.41 % of |Z| at 12 Hz, rms 0.12 %; noise 0.1 % (from neighbouring points)`.
fn residuals(judged: &Judged, fit: &LinearFit) -> String {
    let mut text = match fit.largest() {
        Some(largest) => format!(
            "largest residual {:.2} % at {}, rms {:.2} %",
            largest.size_percent(),
            engineering(largest.frequency_hz, "Hz", Script::Unicode),
            fit.rms_percent()
        ),
        None => String::new(),
    };
    if let (Some(noise), Some(percent)) = (judged.judgement.noise, judged.judgement.noise_percent) {
        let source = match noise.source {
            NoiseSource::Sigma => "as given",
            NoiseSource::Repeats => "from repeats",
            NoiseSource::Local => "from neighbouring points",
        };
        text.push_str(&format!("; noise {percent:.2} % ({source})"));
    }
    text
}

/// `R, L, C and 18 RC elements in the form of an impedance, mu 0.62`.
fn model(fit: &LinearFit) -> String {
    let mut beside = vec!["R"];
    if fit.inductance {
        beside.push("L");
    }
    if fit.series_capacitance {
        beside.push("C");
    }
    format!(
        "Kramers-Kronig model: {} and {} RC elements as {}, mu {:.2}",
        beside.join(", "),
        fit.m,
        fit.form.word(),
        fit.mu
    )
}
