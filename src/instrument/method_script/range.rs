//! Codes of the measuring ranges of the EmStat4.

/// A current range of a device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurrentRange {
    /// Its code in the metadata of a value.
    pub code: u8,
    /// Its full scale in A.
    pub limit_a: f64,
    /// As a person writes it.
    pub label: &'static str,
    /// As a script writes it.
    pub literal: &'static str,
    /// Whether the low-range model (EmStat4 LR) has it.
    pub low_range: bool,
    /// Whether the high-range model (EmStat4 HR) has it.
    pub high_range: bool,
}

/// A potential range of a device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PotentialRange {
    /// Its code in the metadata of a value.
    pub code: u8,
    /// Its full scale in V.
    pub limit_v: f64,
    /// As a person writes it.
    pub label: &'static str,
}

const fn current(
    code: u8,
    limit_a: f64,
    label: &'static str,
    literal: &'static str,
    models: [bool; 2],
) -> CurrentRange {
    CurrentRange {
        code,
        limit_a,
        label,
        literal,
        low_range: models[0],
        high_range: models[1],
    }
}

const fn potential(code: u8, limit_v: f64, label: &'static str) -> PotentialRange {
    PotentialRange { code, limit_v, label }
}

/// Current ranges of the EmStat4 from the finest to the coarsest.
pub const EMSTAT4_CURRENT_RANGES: [CurrentRange; 9] = [
    current(3, 1e-9, "1 nA", "1n", [true, false]),
    current(6, 1e-8, "10 nA", "10n", [true, false]),
    current(9, 1e-7, "100 nA", "100n", [true, true]),
    current(12, 1e-6, "1 uA", "1u", [true, true]),
    current(15, 1e-5, "10 uA", "10u", [true, true]),
    current(18, 1e-4, "100 uA", "100u", [true, true]),
    current(21, 1e-3, "1 mA", "1m", [true, true]),
    current(24, 1e-2, "10 mA", "10m", [true, true]),
    current(27, 1e-1, "100 mA", "100m", [false, true]),
];

/// Potential ranges of the EmStat4 from the finest to the coarsest.
pub const EMSTAT4_POTENTIAL_RANGES: [PotentialRange; 5] = [
    potential(2, 0.05, "50 mV"),
    potential(3, 0.1, "100 mV"),
    potential(4, 0.2, "200 mV"),
    potential(5, 0.5, "500 mV"),
    potential(6, 1.0, "1 V"),
];

impl CurrentRange {
    /// The EmStat4's range of a code.
    #[must_use]
    pub fn emstat4(code: u8) -> Option<&'static Self> {
        EMSTAT4_CURRENT_RANGES.iter().find(|range| range.code == code)
    }
}

impl PotentialRange {
    /// The EmStat4's range of a code.
    #[must_use]
    pub fn emstat4(code: u8) -> Option<&'static Self> {
        EMSTAT4_POTENTIAL_RANGES.iter().find(|range| range.code == code)
    }
}

#[cfg(test)]
mod tests {
    use super::super::value::literal;
    use super::*;

    #[test]
    fn a_code_names_its_range() {
        assert_eq!(CurrentRange::emstat4(24).unwrap().label, "10 mA");
        assert_eq!(PotentialRange::emstat4(6).unwrap().limit_v, 1.0);
        assert_eq!(CurrentRange::emstat4(0x87), None);
    }

    #[test]
    fn ranges_ascend_by_decades_and_are_written_as_scripts_write_them() {
        for pair in EMSTAT4_CURRENT_RANGES.windows(2) {
            assert!((pair[1].limit_a / pair[0].limit_a - 10.0).abs() < 1e-9);
            assert_eq!(pair[1].code, pair[0].code + 3);
        }
        for range in EMSTAT4_CURRENT_RANGES {
            assert_eq!(literal(range.limit_a), range.literal);
        }
    }
}
