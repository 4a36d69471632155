//! What an instrument says on its line, wholly in TOML: commands with named parameters, answers with named
//! fields, how a sweep is made of them, and how the cell comes to rest. No instrument has code of its own.

mod check;
pub mod format;
mod measuring;
mod quantity;
mod step;
mod template;

use std::collections::BTreeMap;

use serde::Deserialize;

pub use self::measuring::{End, Measuring, Mode, OwnFrequencies, Row};
pub use self::quantity::{Column, Dimension, Quantity, Unit};
pub use self::step::{Acknowledge, AcknowledgePolicy, Step};
pub use self::template::{Field, Template, Value, Values};
use crate::spectrum::PointStatus;

/// The language of an instrument that speaks in lines.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineProfile {
    /// How lines are made of bytes.
    #[serde(default)]
    pub framing: Framing,
    /// What comes before anything is asked.
    #[serde(default)]
    pub connect: Connect,
    /// How the instrument says who it is; none where it cannot.
    pub identify: Option<Identify>,
    /// How it confirms commands.
    #[serde(default)]
    pub acknowledge: Acknowledge,
    /// Parameters of commands that are made of others: another unit, or only some values.
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
    /// What is sent once after the identity is known.
    #[serde(default)]
    pub initialise: Vec<Step>,
    /// How the potential of the resting cell is read; none where it cannot be.
    pub open_circuit: Option<Measuring>,
    /// How impedance is measured; none where it cannot be.
    pub sweep: Option<Measuring>,
    /// How a potential is held and the current read; none where it cannot be.
    pub hold: Option<Measuring>,
    /// How a potential moves from one value to another while the current is read; none where it cannot.
    pub linear_sweep: Option<Measuring>,
    /// How a potential moves to one vertex, to the other and back; none where it cannot.
    pub cyclic_sweep: Option<Measuring>,
    /// Whether and how the cell is switched off.
    #[serde(default)]
    pub cell: CellControl,
    /// What the columns of rows mean.
    pub columns: BTreeMap<String, Column>,
    /// What single values of columns say about a row.
    #[serde(default, rename = "verdict")]
    pub verdicts: Vec<Verdict>,
    /// Lines that report an error.
    #[serde(default, rename = "error")]
    pub errors: Vec<ErrorReply>,
    /// How a queue of errors is asked for, after the initialisation and after every sweep.
    pub error_query: Option<ErrorQuery>,
    /// Lines that mean nothing.
    #[serde(default)]
    pub ignore: Vec<Template>,
    /// How long things may take.
    #[serde(default)]
    pub time: TimeLimits,
    /// What the simulator needs beside all this.
    #[serde(default)]
    pub simulation: SimulationHints,
}

/// How lines are made of bytes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Framing {
    /// What ends a command.
    pub send_end: LineEnd,
    /// What ends a line of the instrument.
    pub receive_end: LineEnd,
    /// Longest line of the instrument in bytes; a longer one is dropped up to its end.
    pub max_line_bytes: usize,
    /// What bytes mean.
    pub charset: Charset,
    /// What is cut off at both ends of a line.
    pub trim: Trim,
    /// A message whose length with its end is a multiple of this many bytes gets a blank before it, for
    /// instruments whose USB loses such messages.
    pub blank_before_multiples_of: Option<usize>,
}

impl Default for Framing {
    fn default() -> Self {
        Self {
            send_end: LineEnd::Lf,
            receive_end: LineEnd::Any,
            max_line_bytes: 1000,
            charset: Charset::Ascii,
            trim: Trim::LineEnds,
            blank_before_multiples_of: None,
        }
    }
}

/// What ends a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineEnd {
    /// Line feed.
    Lf,
    /// Carriage return and line feed.
    Crlf,
    /// Carriage return.
    Cr,
    /// Any of them, mixed; sent as a line feed.
    Any,
}

impl LineEnd {
    /// The bytes that end a line that is sent.
    #[must_use]
    pub fn bytes(self) -> &'static [u8] {
        match self {
            Self::Lf | Self::Any => b"\n",
            Self::Crlf => b"\r\n",
            Self::Cr => b"\r",
        }
    }
}

/// What bytes mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Charset {
    /// Seven bits; anything else is noise and is replaced.
    Ascii,
    /// UTF-8; what is none is replaced.
    Utf8,
    /// ISO 8859-1, one byte a character.
    Latin1,
}

/// What is cut off at both ends of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trim {
    /// Carriage returns and line feeds alone.
    LineEnds,
    /// Blanks as well.
    Blanks,
}

/// What comes before anything is asked.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Connect {
    /// Pause after opening in s, for boards that restart then.
    pub settle_s: f64,
    /// For this long in s everything that arrives is thrown away.
    pub drain_s: f64,
    /// What brings the instrument into step, whatever it was doing: answers are thrown away.
    pub resynchronise: Vec<Step>,
}

impl Default for Connect {
    fn default() -> Self {
        Self {
            settle_s: 0.0,
            drain_s: 0.2,
            resynchronise: Vec::new(),
        }
    }
}

/// How the instrument says who it is.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identify {
    /// The question.
    pub send: Template,
    /// The answer; its fields `device`, `serial` and `firmware` are kept.
    pub expect: Template,
    /// How the question is confirmed, where it differs from commands.
    pub acknowledge: Option<AcknowledgePolicy>,
    /// Whether another answer is a refusal, or worth a remark only.
    #[serde(default = "yes")]
    pub required: bool,
    /// Further questions whose answers add fields.
    #[serde(default)]
    pub more: Vec<Step>,
}

fn yes() -> bool {
    true
}

/// A parameter of commands that is made of another.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// The parameter that it is made of.
    pub from: String,
    /// How a root mean square is converted.
    pub convert: Option<Convert>,
    /// What it is multiplied by.
    #[serde(default = "one")]
    pub scale: f64,
    /// The only values that the instrument takes, after conversion.
    pub allowed: Option<Vec<f64>>,
    /// The least value that the instrument takes, after conversion.
    pub min: Option<f64>,
    /// The largest value that the instrument takes, after conversion.
    pub max: Option<f64>,
}

fn one() -> f64 {
    1.0
}

/// Conversion of a root mean square.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Convert {
    /// To the peak: times the root of two.
    Peak,
    /// To twice the peak.
    PeakToPeak,
}

impl Identify {
    /// The question as a step.
    #[must_use]
    pub fn step(&self) -> Step {
        Step {
            send: Some(self.send.clone()),
            expect: Some(self.expect.clone()),
            acknowledge: self.acknowledge,
            ..Step::default()
        }
    }
}

impl Parameter {
    /// What the source is multiplied by.
    #[must_use]
    pub fn factor(&self) -> f64 {
        let root = std::f64::consts::SQRT_2;
        self.scale
            * match self.convert {
                None => 1.0,
                Some(Convert::Peak) => root,
                Some(Convert::PeakToPeak) => 2.0 * root,
            }
    }
}

/// Whether and how the cell is switched off.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellControl {
    /// Whether there is a switch.
    #[serde(default)]
    pub switch: CellSwitching,
    /// What switches it off; its confirmation is the instrument's word that the cell is off.
    #[serde(default)]
    pub off: Vec<Step>,
    /// Whether the instrument opens the cell by itself whenever a measurement ends, so that the cell rests even
    /// where nobody is there to ask for it.
    #[serde(default)]
    pub opens_by_itself: bool,
}

/// The tables of a profile that drive a cell with direct current.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectTable {
    /// `[line.hold]`.
    Hold,
    /// `[line.linear_sweep]`.
    LinearSweep,
    /// `[line.cyclic_sweep]`.
    CyclicSweep,
}

impl DirectTable {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Hold, Self::LinearSweep, Self::CyclicSweep];

    /// Its key in a profile.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Hold => "line.hold",
            Self::LinearSweep => "line.linear_sweep",
            Self::CyclicSweep => "line.cyclic_sweep",
        }
    }
}

/// Whether an instrument can switch its cell off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CellSwitching {
    /// It cannot, or not on command: the leads are always connected.
    #[default]
    None,
    /// By a command that it confirms.
    Command,
}

/// What a single value says about its row.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// The column.
    pub column: String,
    /// Where it is exactly this, as a number where both are numbers.
    pub equals: Option<String>,
    /// Where it is above this, as sent.
    pub above: Option<f64>,
    /// Where it is below this, as sent.
    pub below: Option<f64>,
    /// Where its magnitude is above this, as sent.
    pub magnitude_above: Option<f64>,
    /// Where no other verdict on the column holds.
    #[serde(default)]
    pub otherwise: bool,
    /// What the point then is.
    pub status: PointStatus,
    /// What it means.
    #[serde(default)]
    pub says: String,
    /// Whether it ends the measurement.
    #[serde(default)]
    pub stop: bool,
}

/// A line that reports an error.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorReply {
    /// The line.
    pub line: Template,
    /// What it means; the line itself where not given. Fields of the line may stand in it.
    pub says: Option<Template>,
    /// What follows from it.
    #[serde(default)]
    pub severity: ErrorSeverity,
    /// What the point becomes that it is about.
    pub status: Option<PointStatus>,
}

/// What follows from an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorSeverity {
    /// The job fails.
    #[default]
    Stop,
    /// The next row is marked with the status.
    Point,
    /// A line in the log.
    Remark,
}

/// How a queue of errors is asked for.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorQuery {
    /// The question.
    pub send: Template,
    /// The answer where there is no error.
    pub none: Template,
}

/// How long things may take. None is ever shorter than two seconds of real time.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimeLimits {
    /// An answer in s.
    pub reply_s: f64,
    /// The first row after a start in s, beside what a row takes.
    pub first_row_s: f64,
    /// A row in s: this and `row_periods` periods.
    pub row_base_s: f64,
    /// Periods that a row may take beside `row_base_s`.
    pub row_periods: f64,
    /// The whole sweep in s; none where rows alone decide.
    pub sweep_s: Option<f64>,
    /// How often a point is tried again.
    pub retries: u32,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self {
            reply_s: 3.0,
            first_row_s: 0.0,
            row_base_s: 10.0,
            row_periods: 10.0,
            sweep_s: None,
            retries: 0,
        }
    }
}

/// What the simulator needs beside all this.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SimulationHints {
    /// Start of the serial number that it gives.
    pub serial: String,
    /// Firmware version that it gives.
    pub firmware: String,
    /// `listen`: lines before the first row of a sweep.
    pub before: Vec<String>,
    /// `listen`: lines after the last row of a sweep.
    pub after: Vec<String>,
    /// `listen`: pause between sweeps in s.
    pub pause_s: f64,
    /// `per_point`: whether rows follow each other after one question until they are ended.
    pub streams: bool,
    /// Fields of answers beside `device`, `serial` and `firmware`.
    pub fields: BTreeMap<String, String>,
    /// Questions of other programs and what is answered, or what confirms a command where it is more than the
    /// driver looks at. Fields of the question may stand in the answer.
    #[serde(rename = "answer")]
    pub answers: Vec<CannedAnswer>,
}

/// A question, and what the simulator answers.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CannedAnswer {
    /// The question.
    pub line: Template,
    /// The answer.
    pub reply: Template,
}

impl LineProfile {
    /// Whether a command of `measuring` has this parameter in it, by its own name or through another.
    #[must_use]
    pub fn sets(&self, measuring: &Measuring, parameter: &str) -> bool {
        let steps = measuring
            .before
            .iter()
            .chain(&measuring.set)
            .chain(&measuring.read);
        steps
            .filter_map(|step| step.send.as_ref())
            .flat_map(Template::fields)
            .any(|field| {
                field.name == parameter
                    || self
                        .parameters
                        .get(&field.name)
                        .is_some_and(|derived| derived.from == parameter)
            })
    }

    /// How direct current is driven by a table; none where the profile has no such table.
    #[must_use]
    pub fn direct(&self, table: DirectTable) -> Option<&Measuring> {
        match table {
            DirectTable::Hold => self.hold.as_ref(),
            DirectTable::LinearSweep => self.linear_sweep.as_ref(),
            DirectTable::CyclicSweep => self.cyclic_sweep.as_ref(),
        }
    }

    /// Everything that is measured.
    pub fn measurings(&self) -> impl Iterator<Item = &Measuring> {
        let direct = DirectTable::ALL
            .into_iter()
            .filter_map(|table| self.direct(table));
        self.sweep.iter().chain(&self.open_circuit).chain(direct)
    }

    /// Whether the excitation of impedance is set by commands, and not the instrument's own.
    #[must_use]
    pub fn sets_amplitude(&self) -> bool {
        self.sweep
            .as_ref()
            .is_some_and(|sweep| self.sets(sweep, "amplitude_vrms"))
    }

    /// Whether a bias can be set.
    #[must_use]
    pub fn sets_bias(&self) -> bool {
        self.sweep
            .as_ref()
            .is_some_and(|sweep| self.sets(sweep, "bias_v"))
    }

    /// Whether the instrument has a switch for the cell that it confirms.
    #[must_use]
    pub fn switches_cell(&self) -> bool {
        self.cell.switch == CellSwitching::Command
    }
}
