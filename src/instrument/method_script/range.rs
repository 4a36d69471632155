//! Codes of the potential ranges of the EmStat4 and the Nexus. Those of the current ranges stand in the
//! instrument profiles.

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

const fn potential(code: u8, limit_v: f64, label: &'static str) -> PotentialRange {
    PotentialRange { code, limit_v, label }
}

/// Potential ranges of the EmStat4 from the finest to the coarsest.
pub const EMSTAT4_POTENTIAL_RANGES: [PotentialRange; 5] = [
    potential(2, 0.05, "50 mV"),
    potential(3, 0.1, "100 mV"),
    potential(4, 0.2, "200 mV"),
    potential(5, 0.5, "500 mV"),
    potential(6, 1.0, "1 V"),
];

/// Potential ranges of the Nexus from the finest to the coarsest.
pub const NEXUS_POTENTIAL_RANGES: [PotentialRange; 4] = [
    potential(3, 0.001, "1 mV"),
    potential(2, 0.01, "10 mV"),
    potential(1, 0.1, "100 mV"),
    potential(0, 1.0, "1 V"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_ascend() {
        let ascend =
            |ranges: &[PotentialRange]| ranges.windows(2).all(|pair| pair[0].limit_v < pair[1].limit_v);
        assert!(ascend(&EMSTAT4_POTENTIAL_RANGES) && ascend(&NEXUS_POTENTIAL_RANGES));
    }
}
