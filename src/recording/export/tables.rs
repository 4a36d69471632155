//! Tables of comma-separated columns, one a kind of event, and the event lines.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::staging::{Part, Staging};
use super::{ExportError, Taker};
use crate::event::Event;

/// A table: its name, and the columns beside seq, utc and `t_s`, which are the fields of the event lines.
struct Table {
    name: &'static str,
    columns: &'static [&'static str],
}

/// The columns with which every table begins.
const COMMON: [&str; 3] = ["seq", "utc", "t_s"];

const SWEEPS: Table = Table {
    name: "sweeps",
    columns: &[
        "sweep",
        "technique",
        "n_points",
        "f_max_hz",
        "f_min_hz",
        "bias_v",
        "amplitude_vrms",
        "range",
        "end_seq",
        "end_t_s",
        "complete",
        "reason",
    ],
};

/// One row a parameter, with what is said of the fit as a whole in each.
const FITS: Table = Table {
    name: "fits",
    columns: &[
        "sweep",
        "final",
        "engine",
        "circuit",
        "weight",
        "converged",
        "n_points",
        "n_used",
        "left_out",
        "chi_squared",
        "reduced_chi_squared",
        "noise_percent",
        "aicc",
        "bic",
        "runs_p",
        "starts",
        "evaluations",
        "elapsed_us",
        "guess_us",
        "name",
        "unit",
        "value",
        "std_error",
        "lower",
        "upper",
        "fixed",
        "at_bound",
        "determined",
        "arc_id",
    ],
};

/// One row a sum of parameters.
const FIT_SUMS: Table = Table {
    name: "fit_sums",
    columns: &["sweep", "final", "name", "value", "std_error", "determined"],
};

/// One row a pair of parameters.
const FIT_CORRELATIONS: Table = Table {
    name: "fit_correlations",
    columns: &["sweep", "final", "name", "other", "correlation"],
};

/// The table of a kind of event that is one row; none for those that are more.
fn table_of(kind: &str) -> Option<Table> {
    let (name, columns): (_, &[&str]) = match kind {
        "session" => (
            "sessions",
            &[
                "program",
                "version",
                "cell",
                "chemistry",
                "plan",
                "instrument",
                "instrument_label",
                "circuit",
                "track",
                "sweeps_planned",
                "point_overhead_s",
                "point_periods",
                "simulated",
                "time_scale",
                "source",
            ],
        ),
        "link" => ("links", &["state", "port", "reason"]),
        "identity" => ("identities", &["instrument", "firmware", "serial"]),
        "command" => ("commands", &["command", "origin", "text"]),
        "plan_step" => ("plan_steps", &["step", "of", "name", "text", "until_s"]),
        "wire" => ("wire", &["direction", "bytes"]),
        "point" => (
            "points",
            &[
                "sweep",
                "index",
                "frequency_hz",
                "z_real_ohm",
                "z_imag_ohm",
                "status",
                "status_bits",
                "range",
                "noise",
                "potential_v",
                "current_a",
                "amplitude_vrms",
                "amplitude_arms",
                "std_error_ohm",
                "t_start_s",
            ],
        ),
        "sample" => (
            "samples",
            &[
                "technique",
                "device_t_s",
                "potential_v",
                "current_a",
                "charge_c",
                "temperature_k",
                "pressure_mpa",
            ],
        ),
        "validity" => (
            "validity",
            &[
                "sweep",
                "final",
                "method",
                "verdict",
                "max_residual_percent",
                "mu",
                "m",
                "noise_percent",
                "noise_source",
                "form",
                "series_capacitance",
                "inductance",
                "n_used",
                "drift_percent",
                "drift_std_error_percent",
                "doubtful",
                "reasons",
            ],
        ),
        "alarm" => ("alarms", &["name", "severity", "value", "limit", "sweep", "text"]),
        "alarm_acknowledged" => ("alarms_acknowledged", &["name", "origin"]),
        "gap" | "clock_jump" | "resumed" => ("gaps", &["kind", "from", "to", "reason"]),
        "amend" => ("amendments", &["key", "old", "new"]),
        "note" => ("notes", &["text"]),
        "session_ended" => ("session_ends", &["reason"]),
        _ => return None,
    };
    Some(Table { name, columns })
}

/// The tables that have a row.
#[derive(Default)]
pub(super) struct Tables {
    parts: BTreeMap<&'static str, Part>,
    /// The sweep that runs.
    sweep: Option<Map<String, Value>>,
    line: String,
}

impl Tables {
    fn row(
        &mut self,
        table: &Table,
        fields: &Map<String, Value>,
        staging: &mut Staging,
    ) -> Result<(), ExportError> {
        let part = match self.parts.entry(table.name) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                let mut part = staging.begin(&format!("{}.csv", table.name))?;
                let header: Vec<&str> = COMMON.iter().chain(table.columns).copied().collect();
                part.write(format!("{}\n", header.join(",")).as_bytes())?;
                entry.insert(part)
            }
        };
        self.line.clear();
        for (index, column) in COMMON.iter().chain(table.columns).enumerate() {
            if index > 0 {
                self.line.push(',');
            }
            push_value(&mut self.line, fields.get(*column).unwrap_or(&Value::Null));
        }
        self.line.push('\n');
        part.row(self.line.as_bytes())
    }

    fn fit(&mut self, fields: &mut Map<String, Value>, staging: &mut Staging) -> Result<(), ExportError> {
        let objects = |value: Option<Value>| match value {
            Some(Value::Array(values)) => values,
            _ => Vec::new(),
        };
        let parameters = objects(fields.remove("parameters"));
        let sums = objects(fields.remove("sums"));
        let correlations = objects(fields.remove("correlation"));
        let mut with = |tables: &mut Self, table: &Table, own: &Value| {
            for (key, value) in own.as_object().into_iter().flatten() {
                fields.insert(key.clone(), value.clone());
            }
            tables.row(table, fields, staging)
        };
        for parameter in &parameters {
            with(self, &FITS, parameter)?;
        }
        for sum in &sums {
            with(self, &FIT_SUMS, sum)?;
        }
        for (row, name) in correlations.iter().zip(&parameters) {
            for (value, other) in row.as_array().into_iter().flatten().zip(&parameters) {
                let pair =
                    serde_json::json!({"name": name["name"], "other": other["name"], "correlation": value});
                with(self, &FIT_CORRELATIONS, &pair)?;
            }
        }
        Ok(())
    }

    /// Writes the row of the sweep that ran, with its end if it has one.
    fn end_sweep(
        &mut self,
        end: Option<&Map<String, Value>>,
        staging: &mut Staging,
    ) -> Result<(), ExportError> {
        let Some(mut sweep) = self.sweep.take() else {
            return Ok(());
        };
        if let Some(end) = end {
            for (key, of_end) in [
                ("end_seq", "seq"),
                ("end_t_s", "t_s"),
                ("complete", "complete"),
                ("reason", "reason"),
            ] {
                sweep.insert(key.to_owned(), end.get(of_end).cloned().unwrap_or_default());
            }
        }
        self.row(&SWEEPS, &sweep, staging)
    }
}

impl Taker for Tables {
    fn take(&mut self, event: &Event, staging: &mut Staging) -> Result<(), ExportError> {
        let mut fields = event.to_fields();
        match event.body.kind() {
            "sweep_started" => {
                self.end_sweep(None, staging)?;
                self.sweep = Some(fields);
                Ok(())
            }
            "sweep_ended" => self.end_sweep(Some(&fields), staging),
            "fit" => self.fit(&mut fields, staging),
            kind => match table_of(kind) {
                Some(table) => self.row(&table, &fields, staging),
                None => Ok(()),
            },
        }
    }

    fn finish(&mut self, staging: &mut Staging) -> Result<Vec<String>, ExportError> {
        self.end_sweep(None, staging)?;
        for (name, part) in std::mem::take(&mut self.parts) {
            staging.finish(part, name)?;
        }
        Ok(Vec::new())
    }
}

/// A field of a row. Numbers stand with the fewest digits that tell them from their neighbours; nothing is an empty
/// field; a list is its parts with semicolons between them.
fn push_value(line: &mut String, value: &Value) {
    match value {
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => line.push_str(&value.to_string()),
        Value::String(text) => push_text(line, text),
        Value::Array(values) => {
            let parts: Vec<String> = values
                .iter()
                .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                .collect();
            push_text(line, &parts.join("; "));
        }
        Value::Object(_) => push_text(line, &value.to_string()),
    }
}

/// A text, in quotes where it needs them (RFC 4180).
pub(super) fn push_text(line: &mut String, text: &str) {
    if text.contains([',', '"', '\n', '\r']) || text.trim() != text {
        line.push('"');
        line.push_str(&text.replace('"', "\"\""));
        line.push('"');
    } else {
        line.push_str(text);
    }
}

/// The event lines, the same as of `replay --json`.
#[derive(Default)]
pub(super) struct Lines {
    part: Option<Part>,
}

impl Taker for Lines {
    fn take(&mut self, event: &Event, staging: &mut Staging) -> Result<(), ExportError> {
        let part = match &mut self.part {
            Some(part) => part,
            None => self.part.insert(staging.begin("events.jsonl")?),
        };
        part.row(event.to_json().as_bytes())?;
        part.write(b"\n")
    }

    fn finish(&mut self, staging: &mut Staging) -> Result<Vec<String>, ExportError> {
        if let Some(part) = self.part.take() {
            staging.finish(part, "events")?;
        }
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_its_commas_quotes_and_blanks() {
        let mut line = String::new();
        for text in ["plain", "a, b", "say \"no\"", " x", "two\nlines"] {
            push_text(&mut line, text);
            line.push('|');
        }
        assert_eq!(line, "plain|\"a, b\"|\"say \"\"no\"\"\"|\" x\"|\"two\nlines\"|");
    }
}
