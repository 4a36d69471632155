//! `interphase verify`: is a recording complete and unchanged, and if not, what of it is?

mod structure;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use serde_json::json;

use super::output;
use super::redecode::Redecode;
use crate::recording::{
    META_RECOVERED_FROM, ReadError, Reader, SweepSoundness, Verified, sound_sweeps, verify_each,
};
use crate::state::{STATE_VERSION, State};
use structure::Structure;

/// Differences between bytes and points that are told one by one.
const TOLD_DIFFERENCES: usize = 20;

/// Check that a recording is complete and unchanged.
///
/// Checked are the structure of the file, the order and number of the events, the hash chain over them, the points
/// against the bytes that the instrument sent, and the digest of the state. Where something is wrong, it is said which
/// sweeps are sound all the same.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  interphase verify recordings/battery_130.interphase")]
pub(super) struct VerifyArgs {
    /// The recording
    file: PathBuf,
    /// JSON on standard output
    #[arg(long)]
    json: bool,
}

/// Everything that was found.
#[derive(Default)]
struct Findings {
    verified: Verified,
    /// What speaks against the recording.
    problems: Vec<String>,
    /// What is worth a word, though it speaks not against the recording.
    remarks: Vec<String>,
    /// Where something is wrong: which sweeps are sound.
    sweeps: Option<SweepSoundness>,
    /// Sweeps with points that are not what their bytes say, or that are missing.
    differing_sweeps: BTreeSet<u32>,
    /// Points compared with the bytes that they came from; none where no bytes were recorded.
    points_compared: Option<u64>,
}

pub(super) fn run(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let found = look(&args.file)?;
    if args.json {
        output::line(as_json(&args.file, &found).to_string())?;
    } else {
        for line in as_text(&found) {
            output::line(line)?;
        }
    }
    match found.problems.len() {
        0 => Ok(ExitCode::SUCCESS),
        1 => bail!("{}: a problem was found; {}", args.file.display(), WAY_OUT),
        several => bail!(
            "{}: {several} problems were found; {}",
            args.file.display(),
            WAY_OUT
        ),
    }
}

/// What to do about a damaged recording.
const WAY_OUT: &str = "`interphase recover` saves what can be read into a new file";

fn look(file: &Path) -> anyhow::Result<Findings> {
    let mut found = Findings::default();
    match look_at_events(file, &mut found) {
        Ok(()) => {}
        // Too damaged for SQLite; our own reading of the file may still know its sweeps.
        Err(error @ (ReadError::Damaged { .. } | ReadError::Foreign { .. } | ReadError::Sqlite { .. })) => {
            let Ok(sweeps) = sound_sweeps(file) else {
                return Err(error.into());
            };
            found.problems = vec![error.to_string()];
            found.sweeps = Some(sweeps);
            return Ok(found);
        }
        Err(error) => return Err(error.into()),
    }
    if !found.problems.is_empty() {
        found.sweeps = sound_sweeps(file).ok().map(|mut sweeps| {
            sweeps
                .sound
                .retain(|sweep| !found.differing_sweeps.contains(sweep));
            sweeps.damaged.extend(&found.differing_sweeps);
            sweeps.damaged.sort_unstable();
            sweeps.damaged.dedup();
            sweeps
        });
    }
    Ok(found)
}

/// The recording as it stands in the file, and what the events themselves say where each is as it was written.
fn look_at_events(file: &Path, found: &mut Findings) -> Result<(), ReadError> {
    let mut reader = Reader::open(file)?;
    // Points and readings are read again for the digest; there may be millions.
    let mut state = State::outline();
    let mut structure = Structure::default();
    // Where the profile cannot be read, the check says so.
    let mut redecode = Redecode::of(&mut reader).ok();
    let verified = verify_each(file, |event| {
        state.apply(event);
        structure.take(event);
        if let Some(redecode) = &mut redecode {
            redecode.take(event);
        }
    })?;
    found.problems = verified.problems.iter().map(ToString::to_string).collect();
    found.verified = verified;
    let Some(mut redecode) = redecode.filter(|_| found.problems.is_empty()) else {
        return Ok(());
    };
    redecode.finish();
    found.remarks = structure.remarks;
    let told = redecode.differences.len().min(TOLD_DIFFERENCES);
    found.problems.extend(redecode.differences.drain(..told));
    if !redecode.differences.is_empty() {
        let more = redecode.differences.len();
        found
            .problems
            .push(format!("{more} more points are not what their bytes say"));
    }
    for (count, what) in [
        (redecode.without_bytes, "points have no bytes that they came from"),
        (
            redecode.not_recorded,
            "points that were received were not recorded",
        ),
    ] {
        if count > 0 {
            found.remarks.push(format!("{count} {what}"));
        }
    }
    found.points_compared = redecode.has_bytes().then_some(redecode.compared);
    if let Some(from) = reader.meta(META_RECOVERED_FROM)? {
        found.remarks.push(format!(
            "this was recovered from {from}: its notes say what is missing and which values are doubtful"
        ));
    }
    found.differing_sweeps = redecode.differing_sweeps;
    found.differing_sweeps.extend(&structure.incomplete);
    compare_digest(&mut reader, &state, found)
}

/// What the session itself arrived at, against what the events say now.
fn compare_digest(reader: &mut Reader, state: &State, found: &mut Findings) -> Result<(), ReadError> {
    let Some((version, digest)) = &found.verified.noted_digest else {
        return Ok(());
    };
    if *version != STATE_VERSION.to_string() {
        found.remarks.push(format!(
            "the digest noted at closing is of version {version} of the state, today's is {STATE_VERSION}: it was not \
             compared"
        ));
        return Ok(());
    }
    let now = state.digest_with(reader)?;
    if now != *digest {
        found.problems.push(format!(
            "the state's digest is {now}, the session arrived at {digest}"
        ));
    }
    Ok(())
}

fn as_json(file: &Path, found: &Findings) -> serde_json::Value {
    let verified = &found.verified;
    json!({
        "file": file,
        "sound": found.problems.is_empty(),
        "events": verified.events,
        "batches": verified.batches,
        "chain_hash": verified.chain_hash,
        "closed": verified.closed,
        "session_ended": verified.session_ended,
        "points_compared": found.points_compared,
        "problems": found.problems,
        "remarks": found.remarks,
        "sound_sweeps": found.sweeps.as_ref().map(|sweeps| &sweeps.sound),
        "damaged_sweeps": found.sweeps.as_ref().map(|sweeps| &sweeps.damaged),
    })
}

fn as_text(found: &Findings) -> Vec<String> {
    let verified = &found.verified;
    let mut lines = found.problems.clone();
    lines.extend(found.remarks.iter().map(|remark| format!("remark: {remark}")));
    lines.extend(found.sweeps.as_ref().map(sweeps_text));
    let ended = match (verified.session_ended, verified.closed) {
        (true, true) => "ended and closed",
        (true, false) => "ended, but not closed",
        (false, _) => "not ended: it runs, or was cut off",
    };
    let compared = found
        .points_compared
        .map(|points| format!(", {points} points compared with their bytes"))
        .unwrap_or_default();
    let verdict = if found.problems.is_empty() {
        "sound"
    } else {
        "NOT SOUND"
    };
    lines.push(match verified.events {
        0 if !found.problems.is_empty() => format!("{verdict}: SQLite cannot read the file"),
        events => format!(
            "{verdict}: {events} events in {} commits, {ended}{compared}",
            verified.batches
        ),
    });
    lines
}

fn sweeps_text(sweeps: &SweepSoundness) -> String {
    match (sweeps.sound.as_slice(), sweeps.damaged.as_slice()) {
        ([], []) => "no sweep is known of".to_owned(),
        (sound, []) => format!("{} sound", counted(sound)),
        ([], damaged) => format!("no sweep is sound: {} in what is damaged", lying(damaged)),
        (sound, damaged) => format!("{} sound; {} in what is damaged", counted(sound), lying(damaged)),
    }
}

fn counted(sweeps: &[u32]) -> String {
    match sweeps {
        [one] => format!("sweep {one} is"),
        several => format!("sweeps {} are", ranges(several)),
    }
}

fn lying(sweeps: &[u32]) -> String {
    match sweeps {
        [one] => format!("{one} lies"),
        several => format!("{} lie", ranges(several)),
    }
}

/// Numbers in words: `1 to 6, 9 and 12`.
fn ranges(numbers: &[u32]) -> String {
    let parts: Vec<String> = numbers
        .chunk_by(|one, next| next - one == 1)
        .flat_map(|chunk| match chunk {
            [first, .., last] if chunk.len() > 2 => vec![format!("{first} to {last}")],
            few => few.iter().map(ToString::to_string).collect(),
        })
        .collect();
    match parts.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweeps_are_told_in_ranges() {
        let sweeps = SweepSoundness {
            sound: vec![1, 2, 3, 4, 5, 6, 9],
            damaged: vec![7, 8],
        };
        assert_eq!(
            sweeps_text(&sweeps),
            "sweeps 1 to 6 and 9 are sound; 7 and 8 lie in what is damaged"
        );
        assert_eq!(ranges(&[1, 3, 4, 7, 8, 9]), "1, 3, 4 and 7 to 9");
        let none = SweepSoundness {
            sound: vec![],
            damaged: vec![4],
        };
        assert_eq!(sweeps_text(&none), "no sweep is sound: 4 lies in what is damaged");
    }
}
