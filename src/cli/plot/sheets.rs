//! The sheets that `plot` draws: one a kind.

use anyhow::{Context, bail};
use num_complex::Complex64;

use super::subject::Chosen;
use crate::analysis::drt::{DrtOptions, Tail, drt};
use crate::analysis::kramers_kronig::{Form, Stage, judge};
use crate::cli::output;
use crate::figure::svg::{Panel, Sample, Sheet};
use crate::figure::{
    AxisMemory, Curve, Figure, FittedCircuit, HistoryAbscissa, Mark, Range, Scale, Stroke, bode_modulus,
    bode_phase, distribution, history, nyquist, phase_deg, residuals,
};
use crate::spectrum::{Point, Spectrum};
use crate::state::{History, State};
use crate::units::{Script, engineering};

/// From how many histories on they stand in two columns.
const TWO_COLUMNS: usize = 4;
/// Width in pixels of a sheet of two columns.
const WIDE_PX: f64 = 960.0;

/// -Z'' over Z' of all chosen spectra.
pub(super) fn nyquist_sheet(title: String, chosen: &[Chosen]) -> anyhow::Result<Sheet> {
    let real = range_of(chosen, Scale::Linear, |point| point.z_real_ohm)?;
    let imaginary = range_of(chosen, Scale::Linear, |point| -point.z_imag_ohm)?;
    let mut layers: Vec<Figure> = chosen
        .iter()
        .map(|one| nyquist(&one.points, one.newest, &curve(one), real, imaginary))
        .collect();
    // The decades of all would be a thicket.
    for layer in layers.iter_mut().skip(1) {
        layer.labels.clear();
    }
    let mut sheet = Sheet::new(title, vec![Panel { layers }]);
    explain_spectra(&mut sheet, chosen);
    Ok(sheet)
}

/// Modulus and phase over frequency of all chosen spectra.
pub(super) fn bode_sheet(title: String, chosen: &[Chosen]) -> anyhow::Result<Sheet> {
    let frequency = frequencies(chosen)?;
    let modulus = range_of(chosen, Scale::Log, |point| point.impedance().norm())?;
    let phase = range_of(chosen, Scale::Linear, |point| -phase_deg(point.impedance()))?;
    let upper = chosen
        .iter()
        .map(|one| bode_modulus(&one.points, one.newest, &curve(one), frequency, modulus));
    let lower = chosen
        .iter()
        .map(|one| bode_phase(&one.points, one.newest, &curve(one), frequency, phase));
    let panels = vec![
        Panel {
            layers: upper.collect(),
        },
        Panel {
            layers: lower.collect(),
        },
    ];
    let mut sheet = Sheet {
        aspect: 0.36,
        ..Sheet::new(title, panels)
    };
    explain_spectra(&mut sheet, chosen);
    Ok(sheet)
}

/// What the fit of a spectrum leaves unexplained, or without a fit what the Kramers-Kronig test does.
pub(super) fn residuals_sheet(title: String, chosen: &Chosen) -> anyhow::Result<Sheet> {
    let Some(result) = &chosen.fit else {
        return kramers_kronig_sheet(title, chosen);
    };
    let Some(fitted) = FittedCircuit::of(result) else {
        bail!(
            "{}: the recorded circuit {} cannot be evaluated; give --circuit C to fit anew",
            chosen.name,
            result.circuit
        );
    };
    let words = format!("measured minus fit {}, in % of |Z|", result.circuit);
    sheet_of_residuals(title, chosen, &fitted.residuals(&chosen.points), words)
}

/// What the Kramers-Kronig test leaves unexplained, with its verdict.
fn kramers_kronig_sheet(title: String, chosen: &Chosen) -> anyhow::Result<Sheet> {
    let stage = match chosen.newest {
        Some(_) => Stage::Running,
        None => Stage::Complete,
    };
    let judgement = judge(&Spectrum::from(chosen.points.clone()), None, stage);
    let verdict = judgement.verdict.map_or("no verdict", |verdict| verdict.word());
    let reasons = judgement.reasons.join("; ");
    output::message(format!("{}: {verdict}: {reasons}", chosen.name));
    let Some(fit) = &judgement.fit else {
        bail!("{}: {reasons}", chosen.name);
    };
    let left: Vec<(f64, Complex64)> = fit
        .residuals
        .iter()
        .map(|residual| {
            let percent = Complex64::new(residual.real_percent, residual.imag_percent);
            (residual.frequency_hz, 0.01 * percent)
        })
        .collect();
    let of = match fit.form {
        Form::Impedance => "|Z|",
        Form::Admittance => "|Y|",
    };
    let noise = judgement
        .noise_percent
        .map_or_else(String::new, |percent| format!("; noise {percent:.2} %"));
    let words = format!(
        "Kramers-Kronig test: {verdict}; measured minus {} RC elements, in % of {of}{noise}",
        fit.m
    );
    sheet_of_residuals(title, chosen, &left, words)
}

/// `left` is frequency in Hz and the residual as a fraction.
fn sheet_of_residuals(
    title: String,
    chosen: &Chosen,
    left: &[(f64, Complex64)],
    words: String,
) -> anyhow::Result<Sheet> {
    let largest = left
        .iter()
        .flat_map(|(_, residual)| [100.0 * residual.re.abs(), 100.0 * residual.im.abs()])
        .filter(|value| value.is_finite())
        .fold(0.0, f64::max);
    // Residuals of a model's own data are all rounding; an axis for them would be a lie about their size.
    let largest = largest.max(1e-6);
    let percent = AxisMemory::once(Range::new(-largest, largest), Scale::Linear);
    let frequency = frequencies(std::slice::from_ref(chosen))?;
    let figure = residuals(left, frequency, percent);
    let mut sheet = Sheet {
        aspect: 0.45,
        ..Sheet::new(title, vec![Panel::of(figure)])
    };
    sheet.explain(Sample::Mark(Mark::Measured), "real");
    sheet.explain(Sample::Mark(Mark::Second), "imaginary");
    sheet.explain(Sample::Words, words);
    Ok(sheet)
}

/// The distribution of relaxation times of a spectrum.
pub(super) fn drt_sheet(title: String, chosen: &Chosen) -> anyhow::Result<Sheet> {
    let spectrum = Spectrum::from(chosen.points.clone());
    let found = drt(&spectrum, &DrtOptions::default()).with_context(|| chosen.name.clone())?;
    for remark in &found.remarks {
        output::message(format!("{}: {remark}", chosen.name));
    }
    let mut sheet = Sheet::new(title, vec![Panel::of(distribution(&found))]);
    sheet.explain(
        Sample::Line(Stroke::Fitted),
        format!("lambda {:.1e}", found.lambda),
    );
    sheet.explain(Sample::Line(Stroke::Guide), "a tenth of it");
    sheet.explain(Sample::Line(Stroke::Foretold), "ten times as much");
    sheet.explain(Sample::Mark(Mark::Decade), "persistent peak, with its area");
    let area = engineering(found.r_polarisation_ohm, "ohm", Script::Unicode);
    let beside = match &found.tail {
        None => "",
        Some(Tail::Capacitance { .. }) => "; beside a series capacitance",
        Some(Tail::Warburg { .. }) => "; beside a Warburg impedance",
        Some(Tail::ConstantPhase { .. }) => "; beside a constant phase element",
    };
    let words = format!("whole area {area}{beside}; cut where nothing was measured");
    sheet.explain(Sample::Words, words);
    Ok(sheet)
}

/// The recorded fits' parameters and sums over the sweeps.
pub(super) fn history_sheet(title: String, state: &State) -> anyhow::Result<Sheet> {
    let histories: Vec<History> = names(state).iter().map(|name| state.history(name)).collect();
    let places = histories.iter().flat_map(|history| {
        let abscissa = HistoryAbscissa::of(history);
        history.points.iter().map(move |point| abscissa.place(point))
    });
    let Some(abscissae) = Range::of(places) else {
        bail!("no sweep of the recording has a fit yet: there is no history to draw");
    };
    let panels: Vec<Panel> = histories
        .iter()
        .map(|record| {
            let abscissa = HistoryAbscissa::of(record);
            let first = match abscissa {
                HistoryAbscissa::Time => 0.0,
                HistoryAbscissa::Sweep => 1.0,
            };
            let x = AxisMemory::once(abscissae.with(first), Scale::Linear);
            Panel::of(history(record, abscissa, x, history_range(record)))
        })
        .collect();
    let columns = if panels.len() >= TWO_COLUMNS { 2 } else { 1 };
    let mut sheet = Sheet::new(title, panels);
    if columns == 2 {
        (sheet.columns, sheet.width_px, sheet.aspect) = (2, WIDE_PX, 0.42);
    }
    let newest = state.sweeps().iter().rev().find_map(|sweep| sweep.fit.as_ref());
    let circuit = newest.map_or("", |(_, fit)| fit.result.circuit.as_str());
    sheet.explain(Sample::Mark(Mark::Measured), format!("recorded fit {circuit}"));
    sheet.explain(Sample::Bars, "one standard error");
    sheet.explain(Sample::Mark(Mark::Undetermined), "not determined by the data");
    sheet.explain(Sample::Mark(Mark::Doubtful), "from a sweep in doubt");
    Ok(sheet)
}

/// One sweep that says next to nothing must not flatten all others: its bar is cut at the frame.
fn history_range(record: &History) -> Range {
    let ends = record.determined().flat_map(|point| {
        let error = point.std_error.filter(|error| *error < 0.5 * point.value.abs());
        let error = error.unwrap_or(0.0);
        [point.value - error, point.value + error]
    });
    Range::of(ends).map_or(Range::new(0.0, 1.0), |ends| AxisMemory::once(ends, Scale::Linear))
}

/// What has a history: the followed sums, the other sums, then the parameters in the circuit's order.
fn names(state: &State) -> Vec<String> {
    let session = state.head().session.as_ref();
    let mut names = session
        .map(|(_, session)| session.track.clone())
        .unwrap_or_default();
    let newest = state.sweeps().iter().rev().find_map(|sweep| sweep.fit.as_ref());
    if let Some((_, fit)) = newest {
        let sums = fit.result.sums.iter().map(|sum| &sum.name);
        let free = fit.result.parameters.iter().filter(|parameter| !parameter.fixed);
        for name in sums.chain(free.map(|parameter| &parameter.name)) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    names.retain(|name| !state.history(name).points.is_empty());
    names
}

fn curve(chosen: &Chosen) -> Curve {
    let fitted = chosen.fit.as_ref().and_then(FittedCircuit::of);
    fitted.map_or_else(Curve::default, |fitted| fitted.curve(&chosen.points))
}

/// Says what the marks and lines of a sheet of spectra are.
fn explain_spectra(sheet: &mut Sheet, chosen: &[Chosen]) {
    if let [_] = chosen {
        sheet.explain(Sample::Mark(Mark::Measured), "measured");
        sheet.explain(Sample::Mark(Mark::Decade), "at whole decades of f");
    } else {
        for (index, one) in chosen.iter().enumerate() {
            sheet.explain(Sample::Layer(index), one.name.as_str());
        }
        sheet.explain(Sample::Mark(Mark::Decade), "filled: whole decades of f");
    }
    sheet.explain(Sample::Mark(Mark::Newest), "newest");
    sheet.explain(Sample::Mark(Mark::Doubtful), "not to be trusted");
    let mut circuits: Vec<&str> = Vec::new();
    for fit in chosen.iter().filter_map(|one| one.fit.as_ref()) {
        if !circuits.contains(&fit.circuit.as_str()) {
            circuits.push(&fit.circuit);
        }
    }
    let converged = chosen
        .iter()
        .filter_map(|one| one.fit.as_ref())
        .all(|fit| fit.converged);
    let doubt = if converged { "" } else { " (not converged)" };
    sheet.explain(
        Sample::Line(Stroke::Fitted),
        format!("fit {}{doubt}", circuits.join(", ")),
    );
}

/// The range of one coordinate of the usable points.
fn range_of(chosen: &[Chosen], scale: Scale, coordinate: impl Fn(&Point) -> f64) -> anyhow::Result<Range> {
    let points = chosen.iter().flat_map(|one| &one.points);
    let values = points.filter(|point| point.is_usable()).map(coordinate);
    match Range::of(values) {
        Some(range) => Ok(AxisMemory::once(range, scale)),
        None => bail!("there is no usable point to draw"),
    }
}

/// The usable points' frequencies, with a little room at both ends.
fn frequencies(chosen: &[Chosen]) -> anyhow::Result<Range> {
    let points = chosen.iter().flat_map(|one| &one.points);
    let usable = points.filter(|point| point.is_usable());
    match Range::of(usable.map(|point| point.frequency_hz)) {
        Some(range) => Ok(Range::new(range.low / 1.3, range.high * 1.3)),
        None => bail!("there is no usable point to draw"),
    }
}
