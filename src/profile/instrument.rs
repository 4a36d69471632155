//! What stands on the bench: link, protocol, limits and timing of an instrument.

use serde::Deserialize;

use super::document::Document;
use super::error::ProfileError;
use super::line::LineProfile;
pub use crate::analysis::point_time::PointTiming;

/// An instrument profile.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instrument {
    /// Short name, the same as the file's.
    pub name: String,
    /// What a person calls it.
    pub label: String,
    /// The language it speaks.
    pub protocol: Protocol,
    /// The device type with which it answers an identity query (`es4_hr`).
    pub device: String,
    /// How the port is opened.
    pub link: LinkSettings,
    /// What it can do.
    pub limits: InstrumentLimits,
    /// How long a point takes before anything was measured.
    pub timing: PointTiming,
    /// What it can measure: `ocp`, `peis`, `geis`, `ca`, `cp`, `cv`, `lsv`.
    #[serde(default = "all_techniques")]
    pub techniques: Vec<String>,
    /// MethodSCRIPT: the potentiostat mode for impedance.
    #[serde(default)]
    pub pgstat_mode: u32,
    /// MethodSCRIPT: the potentiostat mode for direct current at a potential that is set.
    #[serde(default = "low_speed")]
    pub direct_pgstat_mode: u32,
    /// MethodSCRIPT: limits that belong to potentiostat modes.
    #[serde(default, rename = "mode")]
    pub modes: Vec<PgstatMode>,
    /// MethodSCRIPT: the bandwidth for impedance in Hz.
    #[serde(default)]
    pub max_bandwidth_hz: f64,
    /// Current ranges from small to large; none where the instrument chooses by itself.
    #[serde(default, rename = "current_range")]
    pub current_ranges: Vec<CurrentRange>,
    /// Current ranges of direct current from small to large, where they are others than those of impedance.
    #[serde(default, rename = "direct_current_range")]
    pub direct_current_ranges: Vec<CurrentRange>,
    /// Line profile: what is said on the line.
    pub line: Option<LineProfile>,
    /// By what it is known on the USB; none where any converter may stand before it.
    #[serde(default)]
    pub usb: Vec<UsbName>,
}

/// What an instrument is called on the USB: ids, words, or both.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsbName {
    /// Vendor and product as `lsusb` writes them (`0403:6015`).
    pub id: Option<String>,
    /// A part of what the device calls itself.
    pub description: Option<String>,
}

impl UsbName {
    /// Whether a device is called so. Nothing is called by neither.
    #[must_use]
    pub fn matches(&self, vendor: &str, product: &str, description: &str) -> bool {
        let id = self
            .id
            .as_ref()
            .map(|id| id.eq_ignore_ascii_case(&format!("{vendor}:{product}")));
        let words = self
            .description
            .as_ref()
            .map(|words| description.contains(words.as_str()));
        id.or(words).is_some() && id.unwrap_or(true) && words.unwrap_or(true)
    }
}

/// Techniques that an instrument may have.
const TECHNIQUES: [&str; 7] = ["ocp", "peis", "geis", "ca", "cp", "cv", "lsv"];

fn all_techniques() -> Vec<String> {
    TECHNIQUES.map(str::to_owned).to_vec()
}

fn low_speed() -> u32 {
    2
}

/// What a potentiostat mode of a MethodSCRIPT instrument limits beyond the instrument's own limits.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PgstatMode {
    /// Its number.
    pub number: u32,
    /// Lowest potential in V.
    pub potential_min_v: f64,
    /// Highest potential in V.
    pub potential_max_v: f64,
    /// Largest distance between the potentials of one measurement in V.
    pub window_v: f64,
}

/// The language an instrument speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// MethodSCRIPT of the EmStat and Nexus families.
    MethodScript,
    /// Lines as the profile's `[line]` table describes them.
    Line,
}

/// How the serial port is opened.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkSettings {
    /// Line speed in baud.
    pub baud_rate: u32,
    /// Flow control.
    pub flow_control: FlowControl,
    /// Bits of a character.
    #[serde(default = "eight")]
    pub data_bits: u8,
    /// Parity.
    #[serde(default)]
    pub parity: Parity,
    /// Stop bits.
    #[serde(default = "one")]
    pub stop_bits: u8,
    /// What becomes of the DTR line when the port is opened.
    #[serde(default)]
    pub dtr: ModemLine,
    /// What becomes of the RTS line when the port is opened, without RTS/CTS flow control.
    #[serde(default)]
    pub rts: ModemLine,
    /// Pause after each line of a script in s, for instruments that lose bytes of a burst.
    #[serde(default)]
    pub line_delay_s: f64,
}

fn eight() -> u8 {
    8
}

fn one() -> u8 {
    1
}

/// Flow control of the serial port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowControl {
    /// None.
    None,
    /// By XON and XOFF characters.
    XonXoff,
    /// By the RTS and CTS lines.
    RtsCts,
}

/// Parity of a character.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parity {
    /// None.
    #[default]
    None,
    /// Even.
    Even,
    /// Odd.
    Odd,
}

/// What becomes of a modem line when the port is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModemLine {
    /// It is asserted.
    #[default]
    On,
    /// It is not, for boards that restart by it.
    Off,
    /// It stays as the system leaves it.
    Keep,
}

/// What an instrument can do.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstrumentLimits {
    /// Lowest potential in V.
    pub potential_min_v: f64,
    /// Highest potential in V.
    pub potential_max_v: f64,
    /// Largest current in A, either sign.
    pub current_max_a: f64,
    /// Lowest frequency in Hz.
    pub f_min_hz: f64,
    /// Highest frequency in Hz.
    pub f_max_hz: f64,
    /// Largest excitation in V rms.
    pub amplitude_max_vrms: f64,
}

/// One current range.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurrentRange {
    /// The instrument's code of the range.
    pub code: u8,
    /// Full scale in A.
    pub limit_a: f64,
    /// Full scale in words (`10 mA`).
    pub label: String,
}

impl Instrument {
    /// Parses a profile; `file` names it in errors.
    ///
    /// # Errors
    /// With line and field where a key is unknown, missing, of the wrong type or out of range.
    pub fn parse(file: &str, text: &str) -> Result<Self, ProfileError> {
        let document = Document::new(file, text);
        let instrument: Self = document.parse()?;
        instrument.check(&document)?;
        Ok(instrument)
    }

    /// The range with this code.
    #[must_use]
    pub fn range_of_code(&self, code: u8) -> Option<&CurrentRange> {
        self.current_ranges.iter().find(|range| range.code == code)
    }

    /// The current ranges of direct current.
    #[must_use]
    pub fn ranges_of_direct_current(&self) -> &[CurrentRange] {
        if self.direct_current_ranges.is_empty() {
            &self.current_ranges
        } else {
            &self.direct_current_ranges
        }
    }

    /// Whether it has a technique.
    #[must_use]
    pub fn has(&self, technique: &str) -> bool {
        self.techniques.iter().any(|known| known == technique)
    }

    /// What a potentiostat mode limits.
    #[must_use]
    pub fn mode(&self, number: u32) -> Option<&PgstatMode> {
        self.modes.iter().find(|mode| mode.number == number)
    }

    /// Whether it can read the potential of the resting cell.
    #[must_use]
    pub fn reads_open_circuit(&self) -> bool {
        self.line.as_ref().is_none_or(|line| line.open_circuit.is_some())
    }

    /// Whether it applies the bias that it is told; otherwise the cell is measured where it rests.
    #[must_use]
    pub fn sets_bias(&self) -> bool {
        self.line.as_ref().is_none_or(LineProfile::sets_bias)
    }

    /// Whether it applies the excitation that it is told; otherwise it chooses its own.
    #[must_use]
    pub fn sets_amplitude(&self) -> bool {
        self.line.as_ref().is_none_or(LineProfile::sets_amplitude)
    }

    fn check(&self, document: &Document<'_>) -> Result<(), ProfileError> {
        for (index, technique) in self.techniques.iter().enumerate() {
            if !TECHNIQUES.contains(&technique.as_str()) {
                let message = format!("`{technique}` is no technique; known: {}", TECHNIQUES.join(", "));
                return Err(document.refuse(&format!("techniques[{index}]"), message));
            }
        }
        for (index, mode) in self.modes.iter().enumerate() {
            let field = |key: &str| format!("mode[{index}].{key}");
            document.within(&field("potential_min_v"), mode.potential_min_v, -100.0, 0.0)?;
            document.within(&field("potential_max_v"), mode.potential_max_v, 0.0, 100.0)?;
            document.within(&field("window_v"), mode.window_v, 1e-3, 200.0)?;
        }
        document.within("link.baud_rate", f64::from(self.link.baud_rate), 300.0, 12e6)?;
        document.within("link.data_bits", f64::from(self.link.data_bits), 7.0, 8.0)?;
        document.within("link.stop_bits", f64::from(self.link.stop_bits), 1.0, 2.0)?;
        document.within("link.line_delay_s", self.link.line_delay_s, 0.0, 1.0)?;
        let limits = &self.limits;
        document.within("limits.potential_min_v", limits.potential_min_v, -100.0, 0.0)?;
        document.within("limits.potential_max_v", limits.potential_max_v, 0.0, 100.0)?;
        document.within("limits.current_max_a", limits.current_max_a, 1e-12, 1e4)?;
        document.within("limits.f_max_hz", limits.f_max_hz, 1e-3, 1e9)?;
        document.within("limits.f_min_hz", limits.f_min_hz, 1e-7, limits.f_max_hz)?;
        document.within("limits.amplitude_max_vrms", limits.amplitude_max_vrms, 1e-6, 10.0)?;
        document.within(
            "timing.point_overhead_s",
            self.timing.point_overhead_s,
            0.0,
            600.0,
        )?;
        document.within("timing.point_periods", self.timing.point_periods, 0.1, 1e4)?;
        match (self.protocol, &self.line) {
            (Protocol::MethodScript, None) => self.check_method_script(document)?,
            (Protocol::Line, Some(line)) => line.check(document)?,
            (Protocol::MethodScript, Some(_)) => {
                return Err(document.refuse("line", "belongs to protocol = \"line\""));
            }
            (Protocol::Line, None) => {
                return Err(document.refuse("protocol", "protocol = \"line\" needs the table [line]"));
            }
        }
        check_ranges(document, "current_range", &self.current_ranges)?;
        check_ranges(document, "direct_current_range", &self.direct_current_ranges)
    }

    fn check_method_script(&self, document: &Document<'_>) -> Result<(), ProfileError> {
        if self.pgstat_mode == 0 {
            return Err(document.refuse(
                "pgstat_mode",
                "MethodSCRIPT needs it: 3 is high speed, for impedance",
            ));
        }
        document.within("max_bandwidth_hz", self.max_bandwidth_hz, 1e-3, 1e9)?;
        if self.current_ranges.is_empty() {
            return Err(document.refuse("current_range", "at least one current range is needed"));
        }
        Ok(())
    }
}

fn check_ranges(document: &Document<'_>, key: &str, ranges: &[CurrentRange]) -> Result<(), ProfileError> {
    for (index, range) in ranges.iter().enumerate() {
        document.within(&format!("{key}[{index}].limit_a"), range.limit_a, 1e-15, 1e4)?;
    }
    for (index, pair) in ranges.windows(2).enumerate() {
        if pair[1].limit_a <= pair[0].limit_a {
            let field = format!("{key}[{}].limit_a", index + 1);
            return Err(document.refuse(&field, "ranges must go from small to large"));
        }
    }
    Ok(())
}
