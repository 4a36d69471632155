//! `interphase replay FILE --reanalyse`: every sweep fitted once more, beside the fit of that day.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use super::progress::Progress;
use super::{output, values};
use crate::analysis::fit::{FitResult, Parameter};
use crate::circuit::Circuit;
use crate::event::{Fit, SessionStarted};
use crate::profile::{Cell, Kind, find};
use crate::recording::Reader;
use crate::session::sequence::FitSequence;
use crate::state::{State, SweepRecord};
use crate::units::{self, Script};

/// The name under which a session attaches the profile of its cell.
const CELL_PROFILE: &str = "cell.toml";

/// Parameters that differ by more than this fraction count as different.
const SAME: f64 = 1e-6;

pub(super) fn run(recording: &Path, circuit: Option<&Circuit>, json: bool) -> anyhow::Result<ExitCode> {
    let mut reader = Reader::open(recording)?;
    let mut state = State::new();
    let until = reader.last_seq()?;
    for event in reader.events(0).until(until) {
        state.apply(&event?);
    }
    let session = state.head().session.as_ref().map(|(_, session)| session.clone());
    let sequence = sequence_for(&mut reader, &session.unwrap_or_default(), circuit)?;
    let mut progress = Progress::new(state.sweeps().len(), "sweeps");
    let mut summary = Summary::default();
    for (done, again) in Again::of(&state, sequence).enumerate() {
        progress.hide();
        summary.count(&again);
        if json {
            output::line(again.as_json().to_string())?;
        } else {
            for line in again.as_text() {
                output::line(line)?;
            }
        }
        progress.show(done + 1);
    }
    progress.hide();
    if json {
        output::message(summary.as_text());
    } else {
        output::line(summary.as_text())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The fits of the session from their beginning, or those of another circuit.
fn sequence_for(
    reader: &mut Reader,
    session: &SessionStarted,
    circuit: Option<&Circuit>,
) -> anyhow::Result<FitSequence> {
    let own = own_sequence(reader, session)?;
    let Some(circuit) = circuit else {
        return Ok(own);
    };
    values::tell_reading(circuit);
    if circuit.to_string() == own.circuit().to_string() {
        return Ok(own);
    }
    Ok(FitSequence::for_circuit(circuit.clone(), &session.track))
}

fn own_sequence(reader: &mut Reader, session: &SessionStarted) -> anyhow::Result<FitSequence> {
    let attached = reader
        .attachments()?
        .into_iter()
        .find(|attachment| attachment.name == CELL_PROFILE)
        .and_then(|attachment| String::from_utf8(attachment.bytes).ok());
    if let Some(text) = attached {
        return Ok(FitSequence::for_cell(&Cell::parse(CELL_PROFILE, &text)?)?);
    }
    // An import names the profile that it was fitted with, and keeps only its circuit.
    let named = find(Kind::Cell, &session.cell)
        .ok()
        .and_then(|loaded| Cell::parse(&loaded.origin, &loaded.text).ok())
        .filter(|cell| cell.circuit.model == session.circuit);
    if let Some(cell) = named {
        return Ok(FitSequence::for_cell(&cell)?);
    }
    output::message(format!(
        "the recording has no profile of its cell, and there is none called `{}` with its circuit: fitted without \
         the start values and bounds of that day",
        session.cell
    ));
    let circuit = Circuit::parse(&session.circuit)?;
    Ok(FitSequence::for_circuit(circuit, &session.track))
}

/// A sweep with its fit of that day and the one of today.
struct Again<'s> {
    sweep: &'s SweepRecord,
    old: Option<&'s FitResult>,
    old_engine: Option<&'s str>,
    new: Option<Fit>,
    rows: Vec<Row>,
}

/// A parameter then and now.
#[derive(Debug)]
struct Row {
    name: String,
    unit: String,
    old: Option<(f64, Option<f64>)>,
    new: Option<(f64, Option<f64>)>,
}

impl Row {
    /// Change as a fraction of the old value.
    fn relative(&self) -> Option<f64> {
        let ((old, _), (new, _)) = self.old.zip(self.new)?;
        if old == new {
            return Some(0.0);
        }
        Some((new - old) / old.abs()).filter(|change| change.is_finite())
    }

    /// Change in units of both standard errors together.
    fn in_errors(&self) -> Option<f64> {
        let ((old, old_error), (new, new_error)) = self.old.zip(self.new)?;
        let error = old_error?.hypot(new_error?);
        Some((new - old) / error).filter(|change| change.is_finite())
    }
}

impl<'s> Again<'s> {
    /// Every ended sweep, in the order in which the session fitted them.
    fn of(state: &'s State, mut sequence: FitSequence) -> impl Iterator<Item = Self> {
        let ended = state.sweeps().iter().filter(|sweep| sweep.ended.is_some());
        ended.map(move |sweep| {
            let (number, points) = (sweep.started.sweep, sweep.points());
            let new = if sweep.fit.is_some() {
                sequence.finish(number, points)
            } else {
                // The session did not fit it, as one that was cut off: the later ones did not learn from it.
                sequence.clone().finish(number, points)
            };
            let old = sweep.fit.as_ref().map(|(_, fit)| fit);
            let rows = rows(old.map(|fit| &fit.result), new.as_ref().map(|fit| &fit.result));
            Self {
                sweep,
                old: old.map(|fit| &fit.result),
                old_engine: old.map(|fit| fit.engine.as_str()),
                new,
                rows,
            }
        })
    }

    fn as_json(&self) -> serde_json::Value {
        let fit = |result: Option<&FitResult>, engine: Option<&str>| {
            result.map(|result| {
                json!({
                    "engine": engine,
                    "circuit": result.circuit,
                    "converged": result.converged,
                    "n_used": result.n_used,
                    "chi_squared": result.chi_squared,
                    "reduced_chi_squared": result.reduced_chi_squared,
                    "aicc": result.aicc,
                })
            })
        };
        let parameters: Vec<_> = self
            .rows
            .iter()
            .map(|row| {
                json!({
                    "name": row.name,
                    "unit": row.unit,
                    "old": row.old.map(|(value, _)| value),
                    "old_std_error": row.old.and_then(|(_, error)| error),
                    "new": row.new.map(|(value, _)| value),
                    "new_std_error": row.new.and_then(|(_, error)| error),
                    "relative_change": row.relative(),
                    "change_in_std_errors": row.in_errors(),
                })
            })
            .collect();
        json!({
            "sweep": self.sweep.started.sweep,
            "n_points": self.sweep.points().len(),
            "old": fit(self.old, self.old_engine),
            "new": fit(self.new.as_ref().map(|new| &new.result), self.new.as_ref().map(|new| new.engine.as_str())),
            "parameters": parameters,
        })
    }

    fn as_text(&self) -> Vec<String> {
        let new = self.new.as_ref().map(|new| &new.result);
        let size = |result: Option<&FitResult>| {
            result.map_or_else(
                || "no fit".to_owned(),
                |result| format!("{}, chi-squared {:.6e}", result.circuit, result.chi_squared),
            )
        };
        let mut lines = vec![format!(
            "sweep {}: then {}; now {}",
            self.sweep.started.sweep,
            size(self.old),
            size(new)
        )];
        let cells: Vec<[String; 4]> = self
            .rows
            .iter()
            .map(|row| {
                [
                    row.name.clone(),
                    value(row.old, &row.unit),
                    value(row.new, &row.unit),
                    change(row),
                ]
            })
            .collect();
        let width = |column: usize| {
            let widths = cells.iter().map(|cells| cells[column].chars().count());
            widths.max().unwrap_or(0)
        };
        let (names, olds, news) = (width(0), width(1), width(2));
        lines.extend(cells.iter().map(|[name, old, new, change]| {
            let line = format!("  {name:names$}  {old:olds$}  {new:news$}  {change}");
            line.trim_end().to_owned()
        }));
        lines
    }
}

fn value(value: Option<(f64, Option<f64>)>, unit: &str) -> String {
    match value {
        Some((value, Some(error))) => {
            units::with_error(value, error, unit, Script::Unicode).line(Script::Unicode)
        }
        Some((value, None)) => units::engineering(value, unit, Script::Unicode),
        None => "-".to_owned(),
    }
}

fn change(row: &Row) -> String {
    match (row.in_errors(), row.relative()) {
        (_, Some(0.0)) => "same".to_owned(),
        (Some(errors), _) => format!("{errors:+.2e} SE"),
        (None, Some(relative)) => format!("{:+.2e} %", 100.0 * relative),
        (None, None) => String::new(),
    }
}

/// The parameters of both fits by their names, those of the old one first.
fn rows(old: Option<&FitResult>, new: Option<&FitResult>) -> Vec<Row> {
    let parameters = |result: Option<&FitResult>| -> Vec<Parameter> {
        result.map(|result| result.parameters.clone()).unwrap_or_default()
    };
    let found = |of: &[Parameter], name: &str| {
        let parameter = of.iter().find(|parameter| parameter.name == name)?;
        Some((parameter.value, parameter.std_error))
    };
    let (old, new) = (parameters(old), parameters(new));
    let only_new = new
        .iter()
        .filter(|parameter| found(&old, &parameter.name).is_none());
    old.iter()
        .chain(only_new)
        .map(|parameter| Row {
            name: parameter.name.clone(),
            unit: parameter.unit.clone(),
            old: found(&old, &parameter.name),
            new: found(&new, &parameter.name),
        })
        .collect()
}

/// How much differs.
#[derive(Debug, Default)]
struct Summary {
    sweeps: usize,
    parameters: usize,
    /// Parameters that only one of the fits has.
    unpaired: usize,
    different: usize,
    beyond_errors: usize,
    largest: f64,
}

impl Summary {
    fn count(&mut self, again: &Again<'_>) {
        self.sweeps += 1;
        for row in &again.rows {
            if row.old.is_none() || row.new.is_none() {
                self.unpaired += 1;
                continue;
            }
            self.parameters += 1;
            // A change that cannot be put into a number, as of a value that was 0, is one.
            let relative = row.relative().map_or(f64::INFINITY, f64::abs);
            self.different += usize::from(relative > SAME);
            self.largest = self.largest.max(relative);
            self.beyond_errors += usize::from(row.in_errors().is_some_and(|errors| errors.abs() > 1.0));
        }
    }

    fn as_text(&self) -> String {
        let unpaired = match self.unpaired {
            0 => String::new(),
            count => format!("; {count} are in one of the circuits only"),
        };
        format!(
            "{} sweeps fitted again: of {} parameters {} differ by more than {SAME:.0e} of their value, {} by more than \
             their standard errors together; the largest change is {:.1e} of the value{unpaired}",
            self.sweeps, self.parameters, self.different, self.beyond_errors, self.largest
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(recording: &str, circuit: Option<&str>) -> Summary {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("recordings")
            .join(recording);
        let mut reader = Reader::open(&path).unwrap();
        let mut state = State::new();
        for event in reader.events(0) {
            state.apply(&event.unwrap());
        }
        let session = state.head().session.clone().unwrap().1;
        let circuit = circuit.map(|text| Circuit::parse(text).unwrap());
        let sequence = sequence_for(&mut reader, &session, circuit.as_ref()).unwrap();
        let mut summary = Summary::default();
        for again in Again::of(&state, sequence) {
            summary.count(&again);
        }
        summary
    }

    #[test]
    fn the_same_engine_finds_the_same_in_a_session() {
        let summary = again("li_lpscl_li_fresh.interphase", None);
        assert_eq!((summary.sweeps, summary.parameters, summary.unpaired), (8, 64, 0));
        assert_eq!((summary.different, summary.beyond_errors), (0, 0), "{summary:?}");
    }

    #[test]
    fn a_later_engine_may_find_better_places_in_an_import_of_130_spectra() {
        // Fitted by an engine that still went astray in some sweeps in which the arcs cross.
        let summary = again("battery_130.interphase", None);
        assert_eq!(
            (summary.sweeps, summary.parameters, summary.unpaired),
            (130, 1040, 0)
        );
        assert!(
            summary.different < 520 && summary.beyond_errors < 104,
            "{summary:?}"
        );
    }

    #[test]
    fn another_circuit_finds_something_else() {
        let summary = again("li_lpscl_li_fresh.interphase", Some("R0-p(R1,CPE1)"));
        assert_eq!(
            (summary.sweeps, summary.parameters, summary.unpaired),
            (8, 32, 32)
        );
        assert!(
            summary.different >= 24 && summary.beyond_errors > 0,
            "{summary:?}"
        );
    }
}
