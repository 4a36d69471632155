//! Which device the simulator pretends to be: identity, limits and pace.
//!
//! What a device can do stands in its shipped instrument profile; only what a profile has no place for, such as
//! the firmware that it claims to have, stands here.

use crate::instrument::method_script::{EMSTAT4_POTENTIAL_RANGES, NEXUS_POTENTIAL_RANGES, PotentialRange};
use crate::profile::{CurrentRange, Instrument, Kind, PgstatMode, shipped_text};

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
    /// What it can measure.
    pub techniques: Vec<String>,
    /// Lowest and highest potential in V.
    pub potential_v: (f64, f64),
    /// What its potentiostat modes limit.
    pub modes: Vec<PgstatMode>,
    /// Largest current in A.
    pub current_max_a: f64,
    /// Lowest and highest frequency of impedance in Hz.
    pub frequency_hz: (f64, f64),
    /// Largest amplitude of impedance in V rms.
    pub amplitude_max_vrms: f64,
    /// Current ranges of impedance from the finest to the coarsest.
    pub current_ranges: Vec<CurrentRange>,
    /// Current ranges of direct current from the finest to the coarsest, where they are others.
    pub direct_current_ranges: Vec<CurrentRange>,
    /// What is added to the code of a current range of a galvanostat.
    pub galvanostat_offset: u8,
    /// Potential ranges from the finest to the coarsest; none where the code tells the current range.
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
#[error("the simulator cannot be a `{0}`: it can be an {known}", known = DEVICES.join(", "))]
pub struct UnknownPersona(pub String);

/// The devices that the simulator can be.
const DEVICES: [&str; 4] = ["es4_hr", "es4_lr", "espico", "nexus1"];

impl Persona {
    /// An EmStat4 HR. Overhead and periods are those measured on files of real solid-state cells:
    /// 2.100/f + 0.43 s a point.
    #[must_use]
    pub fn es4_hr() -> Self {
        Self::of_device("es4_hr").unwrap_or_else(|_| unreachable!("the profile is shipped"))
    }

    /// The persona of a device id.
    ///
    /// # Errors
    /// When there is none.
    pub fn of_device(device: &str) -> Result<Self, UnknownPersona> {
        let unknown = || UnknownPersona(device.to_owned());
        let device = DEVICES
            .into_iter()
            .find(|known| *known == device)
            .ok_or_else(unknown)?;
        let text = shipped_text(Kind::Instrument, device).ok_or_else(unknown)?;
        let profile = Instrument::parse(device, text).map_err(|_| unknown())?;
        let (firmware, build, script_version, serial_prefix) = match device {
            "espico" => ("1601", "Sep 30 2025 12:00:00", "01.06.00", "ESPIC25S"),
            "es4_lr" => ("1500", "Mar 12 2026 14:28:01", "01.09.00", "ES4LR26S"),
            "nexus1" => ("1200", "Feb 10 2026 09:15:00", "01.09.00", "NEXUS26S"),
            _ => ("1500", "Mar 12 2026 14:28:01", "01.09.00", "ES4HR26S"),
        };
        let potential_ranges = match device {
            "espico" => Vec::new(),
            "nexus1" => NEXUS_POTENTIAL_RANGES.to_vec(),
            _ => EMSTAT4_POTENTIAL_RANGES.to_vec(),
        };
        let limits = &profile.limits;
        Ok(Self {
            device,
            firmware,
            build,
            script_version,
            serial_prefix,
            techniques: profile.techniques,
            potential_v: (limits.potential_min_v, limits.potential_max_v),
            modes: profile.modes,
            current_max_a: limits.current_max_a,
            frequency_hz: (limits.f_min_hz, limits.f_max_hz),
            amplitude_max_vrms: limits.amplitude_max_vrms,
            current_ranges: profile.current_ranges,
            direct_current_ranges: profile.direct_current_ranges,
            galvanostat_offset: if device == "nexus1" { 32 } else { 0 },
            potential_ranges,
            point_overhead_s: profile.timing.point_overhead_s,
            point_periods: profile.timing.point_periods,
            line_max_bytes: if device == "espico" { 127 } else { 254 },
        })
    }

    /// Whether it has a technique.
    #[must_use]
    pub fn has(&self, technique: &str) -> bool {
        self.techniques.iter().any(|known| known == technique)
    }

    /// A serial number of this device: the same for the same number.
    #[must_use]
    pub fn serial(&self, number: u64) -> String {
        format!("{}{number:04}", self.serial_prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_device_has_a_profile_and_six_characters() {
        for device in DEVICES {
            let persona = Persona::of_device(device).unwrap();
            assert_eq!(persona.device.len(), 6);
            assert!(persona.has("peis"), "{device}");
        }
        assert!(Persona::of_device("bt4560").is_err());
    }

    #[test]
    fn limits_are_those_of_the_profiles() {
        let pico = Persona::of_device("espico").unwrap();
        assert_eq!((pico.potential_v, pico.current_max_a), ((-1.7, 2.0), 3e-3));
        assert!(!pico.has("cp") && !pico.has("geis"));
        assert_eq!(Persona::of_device("nexus1").unwrap().frequency_hz.1, 1e6);
        assert_eq!(Persona::of_device("es4_lr").unwrap().potential_v.1, 3.0);
    }
}
