//! Battery Data Format: samples in time as its columns have them, the points as an extension of ours, and what
//! neither has a place for beside them as JSON.
//!
//! The format counts the current of a charging cell as positive and gives the voltage of the cell; a recording has the
//! potential of the working electrode and its oxidation current. [`ChargeSign`] is what lies between the two.

use std::fmt::Write as _;

use rusqlite::OptionalExtension;
use serde_json::{Value, json};

use super::staging::{Part, Staging};
use super::tables::push_text;
use super::{ExportError, Taker};
use crate::event::{Event, EventBody, PointMeasured, SampleTaken};
use crate::profile::Cell;
use crate::recording::reader::Reader;

/// Samples in time.
const TIME_SERIES: &str = "timeseries.bdf.csv";
/// Points of impedance.
const IMPEDANCE: &str = "eis.bdf.csv";
/// Everything else.
const METADATA: &str = "bdf_metadata.json";

const TIME_SERIES_HEADER: &str = "Test Time / s,Voltage / V,Current / A,Unix Time / s\n";
const IMPEDANCE_HEADER: &str =
    "Test Time / s,Sweep Index / 1,Frequency / Hz,Z Real / Ohm,Z Imag / Ohm,Sigma Z / Ohm,Status\n";

/// Which way charging goes, seen from the working electrode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargeSign {
    /// The working electrode is the positive one: its oxidation charges the cell.
    Positive,
    /// The working electrode is the negative one: its oxidation discharges the cell, and the voltage of the cell is
    /// the negative of its potential.
    Negative,
    /// The cell has no positive electrode (a symmetric one), or its profile does not say which it is.
    Unknown,
}

impl ChargeSign {
    /// From the window of potentials of a cell's profile: the electrode whose potential against the other is above
    /// zero is the positive one. A window on both sides of zero says nothing, unless one side is under a tenth of
    /// the other.
    #[must_use]
    pub fn of(cell: &Cell) -> Self {
        match cell.potential_window_v {
            Some([low, high]) if high > 0.0 && -low < 0.1 * high => Self::Positive,
            Some([low, high]) if low < 0.0 && high < -0.1 * low => Self::Negative,
            _ => Self::Unknown,
        }
    }

    /// What potential and current of the working electrode are multiplied with to be those of the cell, and the other
    /// way round: exact, since it is 1 or -1.
    #[must_use]
    pub fn factor(self) -> f64 {
        match self {
            Self::Positive | Self::Unknown => 1.0,
            Self::Negative => -1.0,
        }
    }

    /// The rule in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Positive => {
                "the working electrode is the positive one: charge current is positive, as it was recorded"
            }
            Self::Negative => {
                "the working electrode is the negative one: voltage and current are the recorded potential and current \
                 with their signs turned, so that charge current is positive"
            }
            Self::Unknown => {
                "which electrode is the positive one is not known (the cell's profile has no potential_window_v, or one on \
                 both sides of zero): voltage and current are as recorded, current positive when the working electrode is \
                 oxidised"
            }
        }
    }
}

/// The files as they are written.
pub(super) struct BatteryData {
    recording: String,
    cell: String,
    sign: ChargeSign,
    session: Value,
    identity: Value,
    start_utc: Value,
    time_series: Option<Part>,
    impedance: Option<Part>,
    rows: [u64; 2],
    without_reading: u64,
    with_more: u64,
    line: String,
}

impl BatteryData {
    pub(super) fn new(reader: &mut Reader) -> Result<Self, ExportError> {
        let bytes: Option<Vec<u8>> = reader.with_connection(|connection| {
            connection
                .query_row(
                    "select bytes from attachment where name = 'cell.toml'",
                    [],
                    |row| row.get(0),
                )
                .optional()
        })?;
        let cell = String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
        // A profile of an earlier version that is not understood any more says nothing about the sign.
        let sign = Cell::parse("cell.toml", &cell).map_or(ChargeSign::Unknown, |cell| ChargeSign::of(&cell));
        let recording = reader.path().file_name().unwrap_or_default();
        Ok(Self {
            recording: recording.to_string_lossy().into_owned(),
            cell,
            sign,
            session: Value::Null,
            identity: Value::Null,
            start_utc: Value::Null,
            time_series: None,
            impedance: None,
            rows: [0; 2],
            without_reading: 0,
            with_more: 0,
            line: String::new(),
        })
    }

    fn sample(
        &mut self,
        event: &Event,
        taken: &SampleTaken,
        staging: &mut Staging,
    ) -> Result<(), ExportError> {
        let sample = &taken.sample;
        if sample.potential_v.is_none() && sample.current_a.is_none() {
            self.without_reading += 1;
            return Ok(());
        }
        let more = [sample.charge_c, sample.temperature_k, sample.pressure_mpa];
        self.with_more += u64::from(more.iter().any(Option::is_some));
        let sign = self.sign.factor();
        let micros = event.stamp.utc_ns.div_euclid(1000);
        self.line.clear();
        push_number(&mut self.line, Some(event.stamp.elapsed_s()));
        self.line.push(',');
        push_number(&mut self.line, sample.potential_v.map(|value| sign * value));
        self.line.push(',');
        push_number(&mut self.line, sample.current_a.map(|value| sign * value));
        // Writing into a string does not fail.
        let _ = writeln!(
            self.line,
            ",{}.{:06}",
            micros.div_euclid(1_000_000),
            micros.rem_euclid(1_000_000)
        );
        self.rows[0] += 1;
        begun(&mut self.time_series, TIME_SERIES, TIME_SERIES_HEADER, staging)?.row(self.line.as_bytes())
    }

    fn point(&mut self, measured: &PointMeasured, staging: &mut Staging) -> Result<(), ExportError> {
        let point = &measured.point;
        self.line.clear();
        push_number(&mut self.line, point.t_start_s);
        let _ = write!(self.line, ",{}", measured.sweep);
        for value in [point.frequency_hz, point.z_real_ohm, point.z_imag_ohm] {
            self.line.push(',');
            push_number(&mut self.line, Some(value));
        }
        self.line.push(',');
        push_number(&mut self.line, point.std_error_ohm);
        self.line.push(',');
        push_text(&mut self.line, point.status.word());
        self.line.push('\n');
        self.rows[1] += 1;
        begun(&mut self.impedance, IMPEDANCE, IMPEDANCE_HEADER, staging)?.row(self.line.as_bytes())
    }

    fn metadata(&self) -> Value {
        json!({
            "format": "Battery Data Format, CSV with preferred labels, and an extension of it for impedance",
            "program": env!("CARGO_PKG_NAME"),
            "version": env!("CARGO_PKG_VERSION"),
            "recording": self.recording,
            "start_utc": self.start_utc,
            "files": {
                TIME_SERIES: { "rows": self.rows[0], "columns": TIME_SERIES_HEADER.trim_end().split(',').collect::<Vec<_>>() },
                IMPEDANCE: { "rows": self.rows[1], "columns": IMPEDANCE_HEADER.trim_end().split(',').collect::<Vec<_>>() },
            },
            "conventions": {
                "time": "Test Time is the time since the session began; of a point, when it began",
                "current": self.sign.words(),
                "impedance": "Z Imag has its true sign: negative when capacitive. Sigma Z is the standard error of one \
                              component of Z. An empty field is not known.",
            },
            "session": self.session,
            "identity": self.identity,
            "cell_profile": self.cell,
        })
    }
}

impl Taker for BatteryData {
    fn take(&mut self, event: &Event, staging: &mut Staging) -> Result<(), ExportError> {
        match &event.body {
            EventBody::Sample(taken) => self.sample(event, taken, staging),
            EventBody::Point(measured) => self.point(measured, staging),
            EventBody::Session(_) => {
                let mut fields = event.to_fields();
                self.start_utc = fields.shift_remove("utc").unwrap_or_default();
                for key in ["seq", "t_s", "kind"] {
                    fields.shift_remove(key);
                }
                self.session = Value::Object(fields);
                Ok(())
            }
            EventBody::Identity(identity) => {
                self.identity = json!(identity);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn finish(&mut self, staging: &mut Staging) -> Result<Vec<String>, ExportError> {
        let mut remarks = Vec::new();
        // The format is one of time series: without any, its extension would stand alone.
        let Some(part) = self.time_series.take() else {
            return Ok(remarks);
        };
        staging.finish(part, "samples")?;
        if let Some(part) = self.impedance.take() {
            staging.finish(part, "points")?;
        }
        let mut text = format!("{:#}", self.metadata());
        text.push('\n');
        staging.put(METADATA, "metadata", 1, text.as_bytes())?;
        if self.sign == ChargeSign::Unknown {
            remarks.push(self.sign.words().to_owned());
        }
        if self.without_reading > 0 {
            remarks.push(format!(
                "{} samples without potential and current are left out",
                self.without_reading
            ));
        }
        if self.with_more > 0 {
            remarks.push(format!(
                "charge, temperature and pressure of {} samples have no place in the format; csv and jsonl hold them",
                self.with_more
            ));
        }
        Ok(remarks)
    }
}

fn begun<'p>(
    part: &'p mut Option<Part>,
    name: &str,
    header: &str,
    staging: &mut Staging,
) -> Result<&'p mut Part, ExportError> {
    match part {
        Some(part) => Ok(part),
        None => {
            let mut begun = staging.begin(name)?;
            begun.write(header.as_bytes())?;
            Ok(part.insert(begun))
        }
    }
}

/// The fewest digits that tell a number from its neighbours; nothing where it is not known.
fn push_number(line: &mut String, value: Option<f64>) {
    if let Some(value) = value.filter(|value| value.is_finite()) {
        // Writing into a string does not fail.
        let _ = write!(line, "{value:?}");
    }
}
