//! What a reconstruction says, in words.

use super::{Disagreement, Zhit};
use crate::units::{Script, engineering};

impl Zhit {
    /// One sentence a stretch that disagrees, or one that none does.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let found = self.disagreements();
        if found.is_empty() {
            let largest = self.largest().map_or(0.0, |point| point.deviation_percent.abs());
            return vec![format!(
                "Z-HIT: the modulus is the one that the phase tells, within {largest:.1} %"
            )];
        }
        found.iter().map(Disagreement::in_words).collect()
    }
}

impl Disagreement {
    /// One sentence.
    #[must_use]
    pub fn in_words(&self) -> String {
        let stretch = self;
        let hertz = |frequency| engineering(frequency, "Hz", Script::Ascii);
        let place = match (stretch.at_low_end, stretch.at_high_end) {
            (true, true) => "everywhere".to_owned(),
            (true, false) => format!("below {}", hertz(stretch.from_hz)),
            (false, true) => format!("above {}", hertz(stretch.to_hz)),
            (false, false) => format!("from {} to {}", hertz(stretch.from_hz), hertz(stretch.to_hz)),
        };
        let size = stretch.largest_percent.abs();
        let direction = if stretch.largest_percent > 0.0 {
            "above"
        } else {
            "below"
        };
        let cause = match (stretch.at_low_end, stretch.at_high_end) {
            (true, false) => ", as from drift",
            (false, true) => ", as from leads or stray capacitance that the range cuts off",
            _ => "",
        };
        format!("Z-HIT: {place} the modulus is up to {size:.1} % {direction} what the phase tells{cause}")
    }
}
