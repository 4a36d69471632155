//! Numbers in the lines that commands print.

use crate::analysis::fit::Sum;
use crate::units::{self, Script};

/// A sum with its error, or a word where the data do not determine it (`R1+R2 91.8 ± 0.3 Ω`).
pub(super) fn sum(sum: &Sum) -> String {
    match sum.std_error {
        Some(error) if sum.determined => {
            let quantity = units::with_error(sum.value, error, "ohm", Script::Unicode);
            format!("{} {}", sum.name, quantity.line(Script::Unicode))
        }
        // All its parts are held.
        None if sum.determined => {
            let value = units::engineering(sum.value, "ohm", Script::Unicode);
            format!("{} {value}", sum.name)
        }
        _ => format!("{} not determined", sum.name),
    }
}
