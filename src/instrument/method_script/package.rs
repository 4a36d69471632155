//! Data packages: the `P` lines that carry measured values.

use std::fmt;

use super::value::{Value, ValueError, upper_hex};

/// The bits of a reading's status.
pub mod status {
    /// The device did not keep its timing.
    pub const TIMING: u8 = 1;
    /// Clipped: the reading is wrong.
    pub const OVERLOAD: u8 = 2;
    /// The signal uses a small part of the range.
    pub const UNDERLOAD: u8 = 4;
    /// Close to the end of the range, not clipped.
    pub const OVERLOAD_WARNING: u8 = 8;
}

/// What a variable is: two lower-case letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VariableType([u8; 2]);

impl VariableType {
    /// Not said.
    pub const UNKNOWN: Self = Self(*b"aa");
    /// Measured potential of the working against the reference electrode in V.
    pub const POTENTIAL: Self = Self(*b"ab");
    /// Current of the working electrode in A.
    pub const CURRENT: Self = Self(*b"ba");
    /// Phase of the impedance in degrees.
    pub const PHASE: Self = Self(*b"ca");
    /// Modulus of the impedance in ohm.
    pub const IMPEDANCE: Self = Self(*b"cb");
    /// Z' in ohm.
    pub const Z_REAL: Self = Self(*b"cc");
    /// Z'' in ohm with its true sign.
    pub const Z_IMAG: Self = Self(*b"cd");
    /// Measured ac potential in V rms.
    pub const AC_POTENTIAL: Self = Self(*b"ch");
    /// Measured dc potential during a point of impedance in V.
    pub const DC_POTENTIAL: Self = Self(*b"ci");
    /// Measured ac current in A rms.
    pub const AC_CURRENT: Self = Self(*b"cj");
    /// Measured dc current during a point of impedance in A.
    pub const DC_CURRENT: Self = Self(*b"ck");
    /// Potential that was set in V.
    pub const SET_POTENTIAL: Self = Self(*b"da");
    /// Current that was set in A.
    pub const SET_CURRENT: Self = Self(*b"db");
    /// Frequency that was set in Hz.
    pub const SET_FREQUENCY: Self = Self(*b"dc");
    /// Amplitude that was set in V rms.
    pub const SET_AMPLITUDE: Self = Self(*b"dd");
    /// Channel number.
    pub const CHANNEL: Self = Self(*b"ea");
    /// Time in s.
    pub const TIME: Self = Self(*b"eb");
    /// Temperature in degrees Celsius.
    pub const TEMPERATURE: Self = Self(*b"ed");
    /// A count.
    pub const COUNT: Self = Self(*b"ee");
    /// A number without a unit.
    pub const GENERIC: Self = Self(*b"ja");

    /// A type from its two lower-case letters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match *text.as_bytes() {
            [first, second] if first.is_ascii_lowercase() && second.is_ascii_lowercase() => {
                Some(Self([first, second]))
            }
            _ => None,
        }
    }
}

impl fmt::Display for VariableType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", char::from(self.0[0]), char::from(self.0[1]))
    }
}

impl fmt::Debug for VariableType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "VariableType({self})")
    }
}

/// One value of a package with what the device says about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Variable {
    /// What it is.
    pub kind: VariableType,
    /// How much.
    pub value: Value,
    /// Status bits, see [`status`].
    pub status: Option<u8>,
    /// Code of the range: a current range for currents and Z', a potential range for potentials and Z''.
    pub range: Option<u8>,
    /// The device's own noise figure.
    pub noise: Option<u8>,
}

impl Variable {
    /// A value about which nothing more is said.
    #[must_use]
    pub fn new(kind: VariableType, value: Value) -> Self {
        Self {
            kind,
            value,
            status: None,
            range: None,
            noise: None,
        }
    }

    /// Reads one field of a package, such as `cc896D904m,10,287`. Unknown metadata is skipped.
    fn parse(field: &str) -> Result<Self, PackageError> {
        let mut parts = field.split(',');
        let head = parts.next().unwrap_or_default();
        let kind = head.get(..2).and_then(VariableType::parse);
        let (Some(kind), Some(characters)) = (kind, head.get(2..)) else {
            return Err(PackageError::Type(head.to_owned()));
        };
        let mut variable = Self::new(kind, Value::parse(characters)?);
        for metadata in parts {
            let mut characters = metadata.chars();
            let target = match characters.next() {
                Some('1') => &mut variable.status,
                Some('2') => &mut variable.range,
                Some('4') => &mut variable.noise,
                _ => continue,
            };
            let number = upper_hex(characters.as_str()).and_then(|number| u8::try_from(number).ok());
            *target = Some(number.ok_or_else(|| PackageError::Metadata(metadata.to_owned()))?);
        }
        Ok(variable)
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.kind, self.value)?;
        if let Some(status) = self.status {
            write!(formatter, ",1{status:X}")?;
        }
        if let Some(range) = self.range {
            write!(formatter, ",2{range:02X}")?;
        }
        if let Some(noise) = self.noise {
            write!(formatter, ",4{noise:X}")?;
        }
        Ok(())
    }
}

/// A `P` line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Package {
    /// Its values in the order sent.
    pub variables: Vec<Variable>,
}

/// Why a line is not a data package.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackageError {
    /// The line does not start with `P`.
    #[error("a data package starts with P")]
    NotAPackage,
    /// A field does not start with two lower-case letters.
    #[error("`{0}` does not start with a variable type of two lower-case letters")]
    Type(String),
    /// A field has no readable value.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// Status, range or noise is not hexadecimal.
    #[error("`{0}` is not a status, range or noise")]
    Metadata(String),
}

impl Package {
    /// Reads a whole line without its line end. Blanks are part of values and are never trimmed.
    ///
    /// # Errors
    /// When the line is not a data package; says which part is wrong.
    pub fn parse(line: &str) -> Result<Self, PackageError> {
        let fields = line.strip_prefix('P').ok_or(PackageError::NotAPackage)?;
        let variables = fields.split(';').map(Variable::parse).collect::<Result<_, _>>()?;
        Ok(Self { variables })
    }

    /// The first variable of a type.
    #[must_use]
    pub fn get(&self, kind: VariableType) -> Option<&Variable> {
        self.variables.iter().find(|variable| variable.kind == kind)
    }
}

impl fmt::Display for Package {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("P")?;
        for (index, variable) in self.variables.iter().enumerate() {
            if index > 0 {
                formatter.write_str(";")?;
            }
            write!(formatter, "{variable}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_published_impedance_line_says_frequency_impedance_status_and_range() {
        let package = Package::parse("PdcDF5DFF4u;cc896D904m,10,287;cd82DB1A8u,10,287").unwrap();
        assert_eq!(package.variables.len(), 3);
        assert_eq!(
            package.get(VariableType::SET_FREQUENCY).unwrap().value,
            Value::Number(99.999_732)
        );
        let real = package.get(VariableType::Z_REAL).unwrap();
        assert_eq!(
            (real.value, real.status, real.range),
            (Value::Number(9885.956), Some(0), Some(0x87))
        );
        assert_eq!(
            package.get(VariableType::Z_IMAG).unwrap().value,
            Value::Number(2.9946)
        );
    }

    #[test]
    fn a_blank_prefix_at_the_end_of_a_line_is_kept() {
        let package = Package::parse("Pdc8030D40 ").unwrap();
        assert_eq!(package.variables[0].value, Value::Number(200_000.0));
        assert_eq!(package.to_string(), "Pdc8030D40 ");
    }

    #[test]
    fn unknown_metadata_is_skipped() {
        let package = Package::parse("Pba8000001m,10,7ABC,20B,40,").unwrap();
        let current = package.variables[0];
        assert_eq!(
            (current.status, current.range, current.noise),
            (Some(0), Some(11), Some(0))
        );
    }

    #[test]
    fn a_damaged_package_says_what_is_wrong() {
        assert_eq!(Package::parse("P"), Err(PackageError::Type(String::new())));
        assert!(matches!(
            Package::parse("Pcc96D904m,10"),
            Err(PackageError::Value(_))
        ));
        assert!(matches!(
            Package::parse("Pcc896D904m,1x"),
            Err(PackageError::Metadata(_))
        ));
        assert!(matches!(
            Package::parse("Pcc896D904m,2FFF"),
            Err(PackageError::Metadata(_))
        ));
    }

    fn variable() -> impl Strategy<Value = Variable> {
        let value = prop_oneof![
            (-134_217_728i64..134_217_728, -18i32..19).prop_map(|(mantissa, exponent)| {
                // Through text once, so that the number is one that the wire can carry.
                Value::parse(&Value::of(mantissa as f64 * 10f64.powi(exponent)).to_string()).unwrap()
            }),
            (-134_217_728i32..134_217_728).prop_map(Value::Integer),
            Just(Value::NotANumber),
        ];
        let nibble = || prop::option::of(0u8..16);
        (
            "[a-z]{2}",
            value,
            nibble(),
            prop::option::of(any::<u8>()),
            nibble(),
        )
            .prop_map(|(kind, value, status, range, noise)| Variable {
                kind: VariableType::parse(&kind).unwrap(),
                value,
                status,
                range,
                noise,
            })
    }

    proptest! {
        #[test]
        fn a_package_survives_the_wire(variables in prop::collection::vec(variable(), 1..9)) {
            let package = Package { variables };
            prop_assert_eq!(Package::parse(&package.to_string()), Ok(package));
        }
    }
}
