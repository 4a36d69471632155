//! Sweeps, and what tells one from another.

use crate::spectrum::Point;

/// What tells one sweep of a file from the next.
#[derive(Clone, Copy)]
pub(super) struct SweepKey {
    pub cycle: Option<f64>,
    pub z_cycle: Option<f64>,
    pub sequence: Option<f64>,
    pub loop_number: usize,
}

impl SweepKey {
    const WORDS: [&'static str; 4] = ["cycle", "sweep", "sequence", "loop"];

    /// The numbers in the order of their words.
    fn numbers(self) -> [Option<f64>; 4] {
        [
            self.cycle,
            self.z_cycle,
            self.sequence,
            Some(self.loop_number as f64),
        ]
    }

    /// Which of the numbers differ; unlike with `==`, what is no number is the same as itself.
    pub(super) fn differs(self, other: Self) -> [bool; 4] {
        let (own, other) = (self.numbers(), other.numbers());
        std::array::from_fn(|index| own[index].map(f64::to_bits) != other[index].map(f64::to_bits))
    }
}

/// Which numbers differ between the sweeps of a file: only these make their names.
#[derive(Clone, Copy, Default)]
pub(super) struct Varying([bool; 4]);

impl Varying {
    pub(super) fn among(sweeps: &[Sweep]) -> Self {
        let mut varying = Self::default();
        for pair in sweeps.windows(2) {
            for (varies, differs) in varying.0.iter_mut().zip(pair[0].key.differs(pair[1].key)) {
                *varies |= differs;
            }
        }
        varying
    }

    pub(super) fn name(self, key: SweepKey) -> String {
        let mut parts = Vec::new();
        for ((varies, word), number) in self.0.into_iter().zip(SweepKey::WORDS).zip(key.numbers()) {
            if let Some(number) = number.filter(|_| varies) {
                parts.push(format!("{word} {number}"));
            }
        }
        parts.join(", ")
    }
}

/// One sweep with what tells it from the others.
pub(super) struct Sweep {
    pub key: SweepKey,
    pub points: Vec<Point>,
    /// |Z| as the file has it beside real and imaginary part, as a check.
    pub moduli: Vec<Option<f64>>,
}
