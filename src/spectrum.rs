//! What is measured: points of impedance, spectra made of them, and samples of potential and current.

use num_complex::Complex64;
use serde::{Deserialize, Serialize};

/// How far a measured point can be trusted, as the instrument says. Ordered from sound to useless,
/// so that the worst of several is their maximum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PointStatus {
    /// Nothing to object to.
    #[default]
    Ok,
    /// The instrument did not keep its timing.
    Timing,
    /// The signal used a small part of the range: noisy, but not wrong.
    Underload,
    /// Close to the end of the range.
    Warning,
    /// Clipped: the value is wrong.
    Overload,
    /// Not a number, or not physical.
    Invalid,
}

impl PointStatus {
    /// All values from sound to useless.
    pub const ALL: [Self; 6] = [
        Self::Ok,
        Self::Timing,
        Self::Underload,
        Self::Warning,
        Self::Overload,
        Self::Invalid,
    ];

    /// Whether a fit may use the point. Overloaded and invalid points are left out and counted.
    #[must_use]
    pub fn is_usable(self) -> bool {
        self < Self::Overload
    }

    /// The word used in JSON, in the recording and on the screen.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Timing => "timing",
            Self::Underload => "underload",
            Self::Warning => "warning",
            Self::Overload => "overload",
            Self::Invalid => "invalid",
        }
    }

    /// The status that [`PointStatus::word`] names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }
}

/// How impedance is excited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Technique {
    /// Potentiostatic: a potential is applied, the current read.
    #[default]
    Peis,
    /// Galvanostatic: a current is applied, the potential read.
    Geis,
}

impl Technique {
    /// The word used in JSON, in plans and in the recording.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Peis => "peis",
            Self::Geis => "geis",
        }
    }

    /// The technique that [`Technique::word`] names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Peis, Self::Geis]
            .into_iter()
            .find(|technique| technique.word() == word)
    }
}

/// One impedance value at one frequency, with everything the instrument said about it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Point {
    /// Frequency in Hz, as the instrument reports it (float-rounded on many devices).
    pub frequency_hz: f64,
    /// Z' in ohm; NaN where the instrument gave none.
    pub z_real_ohm: f64,
    /// Z'' in ohm with its true sign: negative when capacitive; NaN where the instrument gave none.
    pub z_imag_ohm: f64,
    /// The worst thing said about the point.
    pub status: PointStatus,
    /// The instrument's own status bits.
    pub status_bits: Option<u32>,
    /// The measuring range used, in words (`10 mA`).
    pub range: Option<String>,
    /// The instrument's own noise figure.
    pub noise: Option<u32>,
    /// Mean potential of the cell during the point in V.
    pub potential_v: Option<f64>,
    /// Mean current during the point in A.
    pub current_a: Option<f64>,
    /// Excitation in V rms, where the sweep is potentiostatic.
    pub amplitude_vrms: Option<f64>,
    /// Excitation in A rms, where the sweep is galvanostatic.
    pub amplitude_arms: Option<f64>,
    /// Standard error of one component of Z in ohm, where repeats tell it.
    pub std_error_ohm: Option<f64>,
    /// When the point began, in seconds of the session's elapsed time.
    pub t_start_s: Option<f64>,
}

impl Point {
    /// A sound point without any remark.
    #[must_use]
    pub fn new(frequency_hz: f64, z_real_ohm: f64, z_imag_ohm: f64) -> Self {
        Self {
            frequency_hz,
            z_real_ohm,
            z_imag_ohm,
            ..Self::default()
        }
    }

    /// The impedance in ohm.
    #[must_use]
    pub fn impedance(&self) -> Complex64 {
        Complex64::new(self.z_real_ohm, self.z_imag_ohm)
    }

    /// Whether a fit may use the point: sound status, finite values, positive frequency, Z not zero.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.status.is_usable()
            && self.frequency_hz.is_finite()
            && self.frequency_hz > 0.0
            && self.z_real_ohm.is_finite()
            && self.z_imag_ohm.is_finite()
            && (self.z_real_ohm != 0.0 || self.z_imag_ohm != 0.0)
    }
}

/// Points of one sweep or one file, in the order in which they were measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spectrum {
    /// The points, usable or not.
    pub points: Vec<Point>,
}

impl Spectrum {
    /// A spectrum of sound points from frequencies in Hz and impedances in ohm.
    #[must_use]
    pub fn from_impedance(frequency_hz: &[f64], impedance: &[Complex64]) -> Self {
        let points = frequency_hz
            .iter()
            .zip(impedance)
            .map(|(&frequency, z)| Point::new(frequency, z.re, z.im))
            .collect();
        Self { points }
    }
}

impl From<Vec<Point>> for Spectrum {
    fn from(points: Vec<Point>) -> Self {
        Self { points }
    }
}

/// One reading of potential and current in time (open circuit, chronoamperometry and the like).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// Which technique read it: `ocp`, `ca`, ...
    pub technique: String,
    /// The instrument's own time in s, where it gave one.
    pub device_t_s: Option<f64>,
    /// Potential in V.
    pub potential_v: Option<f64>,
    /// Current in A; positive is oxidation at the working electrode.
    pub current_a: Option<f64>,
    /// Charge in C.
    pub charge_c: Option<f64>,
    /// Temperature of the cell in K.
    pub temperature_k: Option<f64>,
    /// Stack pressure in MPa.
    pub pressure_mpa: Option<f64>,
}
