//! Which device the simulator pretends to be: identity, limits and pace.

use crate::instrument::method_script::{
    CurrentRange, EMSTAT4_CURRENT_RANGES, EMSTAT4_POTENTIAL_RANGES, PotentialRange,
};

/// A device as its data sheet and its answers describe it.
#[derive(Clone, Debug, PartialEq)]
pub struct Persona {
    /// Device id in the answer to `t`, six characters.
    pub device: &'static str,
    /// Version digits in the answer to `t`.
    pub firmware: &'static str,
    /// Build time in the answer to `t`.
    pub build: &'static str,
    /// Version of MethodSCRIPT in the answer to `v`.
    pub script_version: &'static str,
    /// Start of its serial numbers.
    pub serial_prefix: &'static str,
    /// Lowest and highest potential in V.
    pub potential_v: (f64, f64),
    /// Largest current in A.
    pub current_max_a: f64,
    /// Lowest and highest frequency of impedance in Hz.
    pub frequency_hz: (f64, f64),
    /// Largest amplitude of impedance in V rms.
    pub amplitude_max_vrms: f64,
    /// Current ranges from the finest to the coarsest.
    pub current_ranges: Vec<CurrentRange>,
    /// Potential ranges from the finest to the coarsest.
    pub potential_ranges: Vec<PotentialRange>,
    /// Time that every point of impedance takes in s.
    pub point_overhead_s: f64,
    /// Periods that every point of impedance takes: those averaged and those waited for.
    pub point_periods: f64,
    /// Longest line taken, without its end.
    pub line_max_bytes: usize,
}

/// There is no such persona.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the simulator cannot be a `{0}`: it can be an es4_hr")]
pub struct UnknownPersona(pub String);

impl Persona {
    /// An EmStat4 HR. Overhead and periods are those measured on files of real solid-state cells:
    /// 2.100/f + 0.43 s a point.
    #[must_use]
    pub fn es4_hr() -> Self {
        Self {
            device: "es4_hr",
            firmware: "1500",
            build: "Mar 12 2026 14:28:01",
            script_version: "01.09.00",
            serial_prefix: "ES4HR26S",
            potential_v: (-6.0, 6.0),
            current_max_a: 0.2,
            frequency_hz: (1e-5, 200e3),
            amplitude_max_vrms: 0.9,
            current_ranges: EMSTAT4_CURRENT_RANGES
                .into_iter()
                .filter(|range| range.high_range)
                .collect(),
            potential_ranges: EMSTAT4_POTENTIAL_RANGES.to_vec(),
            point_overhead_s: 0.43,
            point_periods: 2.1,
            line_max_bytes: 254,
        }
    }

    /// The persona of a device id.
    ///
    /// # Errors
    /// When there is none.
    pub fn of_device(device: &str) -> Result<Self, UnknownPersona> {
        match device {
            "es4_hr" => Ok(Self::es4_hr()),
            _ => Err(UnknownPersona(device.to_owned())),
        }
    }

    /// A serial number of this device: the same for the same number.
    #[must_use]
    pub fn serial(&self, number: u64) -> String {
        format!("{}{number:04}", self.serial_prefix)
    }
}
