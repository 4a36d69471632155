//! How something is measured: who chooses what comes next, the form of rows, and when they end.

use serde::Deserialize;

use super::{Field, Step, Template};

/// How something is measured.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measuring {
    /// Who chooses what is measured next.
    pub mode: Mode,
    /// What is sent once before.
    #[serde(default)]
    pub before: Vec<Step>,
    /// `per_point`: what is sent before each point.
    #[serde(default)]
    pub set: Vec<Step>,
    /// `per_point`, `poll`: the question that is answered by a row.
    pub read: Option<Step>,
    /// `per_point`: what is sent after each point.
    #[serde(default)]
    pub finish: Vec<Step>,
    /// What is sent once after.
    #[serde(default)]
    pub after: Vec<Step>,
    /// What is sent to end a measurement that runs.
    #[serde(default)]
    pub abort: Vec<Step>,
    /// The form of a row.
    pub row: Row,
    /// Rows after each question or start that are thrown away.
    #[serde(default)]
    pub skip_rows: u32,
    /// `listen`: the line before the first row; rows before it belong to something else.
    pub begin: Option<Template>,
    /// When the rows end.
    #[serde(default)]
    pub end: End,
    /// The frequencies, where the instrument chooses them by itself.
    pub frequencies: Option<OwnFrequencies>,
    /// `poll`: pause between questions in s.
    #[serde(default)]
    pub interval_s: f64,
}

/// Who chooses what is measured next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Each frequency is set, measured and read.
    PerPoint,
    /// One command, and rows follow by themselves.
    DeviceSweep,
    /// One command, and rows are asked for until they are all there.
    Poll,
    /// Nothing can be sent: rows come when the instrument likes.
    Listen,
}

/// The form of a row: exactly one of the three.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// A line with fields.
    pub template: Option<Template>,
    /// Columns between separators.
    pub columns: Option<Vec<Field>>,
    /// What separates columns.
    #[serde(default = "comma")]
    pub separator: String,
    /// Least number of columns; all that are named where not given.
    pub at_least: Option<usize>,
    /// Keys of a JSON object; dots lead into inner objects.
    pub json: Option<Vec<Field>>,
}

fn comma() -> String {
    ",".to_owned()
}

impl Row {
    /// The fields of a row.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        let listed = self.columns.iter().chain(&self.json).flatten();
        self.template.iter().flat_map(Template::fields).chain(listed)
    }
}

/// When rows end: whichever comes first.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct End {
    /// As soon as as many rows have come as were asked for.
    pub count: bool,
    /// This line.
    pub marker: Option<Template>,
    /// A JSON object without any of the row's keys.
    pub empty_object: bool,
    /// Nothing for so long in s.
    pub silence_s: Option<f64>,
    /// The frequency jumps back to where sweeps begin.
    pub wraps: bool,
}

impl Default for End {
    fn default() -> Self {
        Self {
            count: true,
            marker: None,
            empty_object: false,
            silence_s: None,
            wraps: false,
        }
    }
}

/// Frequencies that the instrument chooses by itself: evenly spaced in the logarithm.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnFrequencies {
    /// The first in Hz.
    pub first_hz: f64,
    /// The last in Hz.
    pub last_hz: f64,
    /// How many.
    pub count: u32,
}

impl OwnFrequencies {
    /// The frequency of a point in Hz; points count from 0.
    #[must_use]
    pub fn frequency_hz(&self, index: u32) -> f64 {
        let last = self.count.saturating_sub(1).max(1);
        let share = f64::from(index.min(last)) / f64::from(last);
        self.first_hz * (self.last_hz / self.first_hz).powf(share)
    }
}
