//! What a column of a row means: quantity, unit, scale and sign.

use serde::Deserialize;

/// A column of rows.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// What it is.
    pub is: Quantity,
    /// Its unit; the SI unit where not given.
    pub unit: Option<Unit>,
    /// What it is multiplied by, beside the unit.
    #[serde(default = "one")]
    pub scale: f64,
    /// Whether its sign is the other way round, as where -Z'' is sent.
    #[serde(default)]
    pub negate: bool,
}

fn one() -> f64 {
    1.0
}

impl Column {
    /// The value in SI units.
    #[must_use]
    pub fn to_si(&self, sent: f64) -> f64 {
        let (factor, offset) = self.factor();
        // A power of ten below one is divided by, so that 12.5 mohm is the number nearest to 0.0125.
        let value = if factor != 0.0 && factor.abs() < 1.0 && (1.0 / factor).fract() == 0.0 {
            sent / (1.0 / factor)
        } else {
            sent * factor
        };
        value + offset
    }

    /// The value as the instrument sends it.
    #[must_use]
    pub fn from_si(&self, value: f64) -> f64 {
        let (factor, offset) = self.factor();
        (value - offset) / factor
    }

    fn factor(&self) -> (f64, f64) {
        let unit = self.unit.unwrap_or_else(|| self.is.dimension().si());
        let sign = if self.negate { -1.0 } else { 1.0 };
        let (_, factor, offset) = unit.meaning();
        (sign * self.scale * factor, offset)
    }
}

/// What a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Frequency.
    Frequency,
    /// Z'.
    ZReal,
    /// Z''; negative when capacitive.
    ZImag,
    /// |Z|.
    ZModulus,
    /// Phase of Z; negative when capacitive.
    ZPhase,
    /// Potential of the cell.
    Potential,
    /// Current through the cell; positive is oxidation at the working electrode.
    Current,
    /// Time.
    Time,
    /// Temperature of the cell.
    Temperature,
    /// A code that verdicts read.
    Status,
    /// Something else: verdicts may read it.
    Other,
}

impl Quantity {
    /// What its units measure.
    #[must_use]
    pub fn dimension(self) -> Dimension {
        match self {
            Self::Frequency => Dimension::Frequency,
            Self::ZReal | Self::ZImag | Self::ZModulus => Dimension::Resistance,
            Self::ZPhase => Dimension::Angle,
            Self::Potential => Dimension::Potential,
            Self::Current => Dimension::Current,
            Self::Time => Dimension::Time,
            Self::Temperature => Dimension::Temperature,
            Self::Status | Self::Other => Dimension::None,
        }
    }
}

/// What a unit measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// Hz.
    Frequency,
    /// Ohm.
    Resistance,
    /// Radian.
    Angle,
    /// V.
    Potential,
    /// A.
    Current,
    /// s.
    Time,
    /// K.
    Temperature,
    /// A bare number.
    None,
}

impl Dimension {
    fn si(self) -> Unit {
        match self {
            Self::Frequency => Unit::Hertz,
            Self::Resistance => Unit::Ohm,
            Self::Angle => Unit::Radian,
            Self::Potential => Unit::Volt,
            Self::Current => Unit::Ampere,
            Self::Time => Unit::Second,
            Self::Temperature => Unit::Kelvin,
            Self::None => Unit::One,
        }
    }
}

/// Units in which instruments send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[allow(missing_docs)]
pub enum Unit {
    #[serde(rename = "Hz")]
    Hertz,
    #[serde(rename = "kHz")]
    Kilohertz,
    #[serde(rename = "MHz")]
    Megahertz,
    #[serde(rename = "ohm")]
    Ohm,
    #[serde(rename = "uohm")]
    Microohm,
    #[serde(rename = "mohm")]
    Milliohm,
    #[serde(rename = "kohm")]
    Kiloohm,
    #[serde(rename = "Mohm")]
    Megaohm,
    #[serde(rename = "rad")]
    Radian,
    #[serde(rename = "deg")]
    Degree,
    #[serde(rename = "V")]
    Volt,
    #[serde(rename = "mV")]
    Millivolt,
    #[serde(rename = "uV")]
    Microvolt,
    #[serde(rename = "A")]
    Ampere,
    #[serde(rename = "mA")]
    Milliampere,
    #[serde(rename = "uA")]
    Microampere,
    #[serde(rename = "nA")]
    Nanoampere,
    #[serde(rename = "s")]
    Second,
    #[serde(rename = "ms")]
    Millisecond,
    #[serde(rename = "us")]
    Microsecond,
    #[serde(rename = "K")]
    Kelvin,
    #[serde(rename = "degC")]
    Celsius,
    #[serde(rename = "1")]
    One,
}

impl Unit {
    /// What it measures, its factor to the SI unit, and what is added.
    #[must_use]
    pub fn meaning(self) -> (Dimension, f64, f64) {
        use Dimension as D;
        let (dimension, factor) = match self {
            Self::Hertz => (D::Frequency, 1.0),
            Self::Kilohertz => (D::Frequency, 1e3),
            Self::Megahertz => (D::Frequency, 1e6),
            Self::Ohm => (D::Resistance, 1.0),
            Self::Microohm => (D::Resistance, 1e-6),
            Self::Milliohm => (D::Resistance, 1e-3),
            Self::Kiloohm => (D::Resistance, 1e3),
            Self::Megaohm => (D::Resistance, 1e6),
            Self::Radian => (D::Angle, 1.0),
            Self::Degree => (D::Angle, std::f64::consts::PI / 180.0),
            Self::Volt => (D::Potential, 1.0),
            Self::Millivolt => (D::Potential, 1e-3),
            Self::Microvolt => (D::Potential, 1e-6),
            Self::Ampere => (D::Current, 1.0),
            Self::Milliampere => (D::Current, 1e-3),
            Self::Microampere => (D::Current, 1e-6),
            Self::Nanoampere => (D::Current, 1e-9),
            Self::Second => (D::Time, 1.0),
            Self::Millisecond => (D::Time, 1e-3),
            Self::Microsecond => (D::Time, 1e-6),
            Self::Kelvin => (D::Temperature, 1.0),
            Self::Celsius => return (D::Temperature, 1.0, 273.15),
            Self::One => (D::None, 1.0),
        };
        (dimension, factor, 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(is: Quantity, unit: Unit, negate: bool) -> Column {
        Column {
            is,
            unit: Some(unit),
            scale: 1.0,
            negate,
        }
    }

    #[test]
    fn units_scales_and_signs_go_both_ways() {
        let milliohm = column(Quantity::ZImag, Unit::Milliohm, true);
        assert_eq!(milliohm.to_si(12.5), -0.0125);
        assert!((milliohm.from_si(-0.0125) - 12.5).abs() < 1e-12);
        let degree = column(Quantity::ZPhase, Unit::Degree, false);
        assert!((degree.to_si(-90.0) + std::f64::consts::FRAC_PI_2).abs() < 1e-15);
        let celsius = column(Quantity::Temperature, Unit::Celsius, false);
        assert_eq!(celsius.to_si(25.0), 298.15);
        assert!((celsius.from_si(298.15) - 25.0).abs() < 1e-12);
    }
}
