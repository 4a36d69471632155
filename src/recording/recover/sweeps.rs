//! Which sweeps of a damaged recording are sound.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::RecoverError;
use super::salvage::{Fate, Salvage};
use crate::event::EventBody;

/// The sweeps of a recording, sorted into those that are certainly as they were written and the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SweepSoundness {
    /// Beginning, points and end are there and vouched for.
    pub sound: Vec<u32>,
    /// Something of them is missing or cannot be vouched for. A sweep that has left no trace is here when its number
    /// lies between those of others.
    pub damaged: Vec<u32>,
}

/// Sweeps that are not numbered as neighbours of others are not filled in further apart than this: a number with a
/// changed bit must not make a million.
const WIDEST_HOLE: u32 = 10_000;

/// Reads a recording without SQLite and says which of its sweeps are sound.
///
/// # Errors
/// The file cannot be opened, or nothing of a recording can be read in it.
pub fn sound_sweeps(path: &Path) -> Result<SweepSoundness, RecoverError> {
    let salvage = Salvage::open(path)?;
    let mut begun: BTreeMap<u32, bool> = BTreeMap::new();
    let mut damaged = BTreeSet::new();
    let mut running: Option<u32> = None;
    for run in salvage.runs() {
        if run.fate != Fate::Vouched {
            // Whatever is lost here may have belonged to the sweep that was running.
            damaged.extend(running);
        }
        if run.fate == Fate::Missing {
            continue;
        }
        for seq in run.span.0..=run.span.1 {
            let Some(event) = salvage.event(seq) else { continue };
            let (sweep, begins, ends) = match &event.body {
                EventBody::SweepStarted(body) => (body.sweep, true, false),
                EventBody::Point(body) => (body.sweep, false, false),
                EventBody::SweepEnded(body) => (body.sweep, false, true),
                _ => continue,
            };
            if run.fate != Fate::Vouched {
                damaged.insert(sweep);
            }
            *begun.entry(sweep).or_default() |= begins;
            running = if ends { None } else { Some(sweep) };
        }
    }
    damaged.extend(
        begun
            .iter()
            .filter(|(_, begins)| !**begins)
            .map(|(sweep, _)| *sweep),
    );
    let numbers: Vec<u32> = begun.keys().copied().collect();
    for pair in numbers.windows(2) {
        if pair[1] - pair[0] <= WIDEST_HOLE && holes_can_be(&salvage) {
            damaged.extend(pair[0] + 1..pair[1]);
        }
    }
    Ok(SweepSoundness {
        sound: numbers
            .into_iter()
            .filter(|sweep| !damaged.contains(sweep))
            .collect(),
        damaged: damaged.into_iter().collect(),
    })
}

/// A sweep can have gone without a trace only where events are missing.
fn holes_can_be(salvage: &Salvage) -> bool {
    salvage.runs().iter().any(|run| run.fate == Fate::Missing)
}
