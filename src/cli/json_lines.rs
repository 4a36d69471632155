//! A session as lines of JSON: the same for a running one, a finished one, and a replay.

use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;

use super::output;
use crate::event::{Event, SessionEnded};
use crate::recording::DiskCondition;
use crate::session::follow::{Followed, Follower};
use crate::session::runtime::RuntimeDirectory;
use crate::state::{STATE_VERSION, State};

/// How a followed session ended.
#[derive(Debug)]
pub(super) struct FollowedToEnd {
    /// The state after the last event.
    pub state: State,
    /// The end that it recorded; none where it was cut off.
    pub ended: Option<SessionEnded>,
}

/// Follows a recording to its end, handing over each event after it is on disk.
pub(super) fn follow(
    recording: &Path,
    runtime: &RuntimeDirectory,
    mut each: impl FnMut(&Event, &State) -> anyhow::Result<()>,
) -> anyhow::Result<FollowedToEnd> {
    let mut follower = Follower::open(recording, runtime)?;
    follow_in_pieces(&mut follower, State::without_samples(), |piece| match piece {
        Piece::Event(event, state) => each(event, state),
        Piece::End => Ok(()),
    })
}

/// What a follower is handed.
enum Piece<'a> {
    /// An event, and the state after it.
    Event(&'a Event, &'a State),
    /// There is nothing more on disk for the moment.
    End,
}

fn follow_in_pieces(
    follower: &mut Follower,
    mut state: State,
    mut each: impl FnMut(Piece<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<FollowedToEnd> {
    loop {
        match follower.follow()? {
            Followed::Events(events) => {
                for event in &events {
                    state.apply(event);
                    each(Piece::Event(event, &state))?;
                }
                each(Piece::End)?;
            }
            Followed::Nothing => {}
            Followed::Disk(condition) => tell_of_disk(condition),
            Followed::Ended | Followed::CutOff => break,
        }
    }
    let ended = state.head().ended.as_ref().map(|(_, ended)| ended.clone());
    Ok(FollowedToEnd { state, ended })
}

/// What happens to the recording itself cannot stand in it; it is said beside.
fn tell_of_disk(condition: DiskCondition) {
    output::message(match condition {
        DiskCondition::Fine => "the disk takes events again; the recording goes on".to_owned(),
        DiskCondition::Slow { commit_ms } => {
            format!("the disk is slow: the last events took {commit_ms} ms to be safe")
        }
        DiskCondition::Full => {
            "DISK FULL: nothing is measured, cell off, until there is space; nothing that was \
                                shown is lost"
                .to_owned()
        }
        DiskCondition::Failing => {
            "THE DISK FAILS: nothing is measured, cell off, until it takes events again; the \
                                   session's log says more"
                .to_owned()
        }
    });
}

/// Writes all events of a recording as they come, to the end of its session, then the line with the
/// state's digest.
pub(super) fn write(recording: &Path, runtime: &RuntimeDirectory) -> anyhow::Result<FollowedToEnd> {
    write_all_of(Follower::open(recording, runtime)?)
}

/// As [`write`], but only the events that are on disk now.
pub(super) fn write_recorded(recording: &Path, runtime: &RuntimeDirectory) -> anyhow::Result<FollowedToEnd> {
    write_all_of(Follower::of_recorded(recording, runtime)?)
}

fn write_all_of(mut follower: Follower) -> anyhow::Result<FollowedToEnd> {
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    // Of a long session millions of points and readings pass by; for the digest they are read again.
    let followed = follow_in_pieces(&mut follower, State::outline(), |piece| {
        let written = match piece {
            Piece::Event(event, _) => writeln!(stdout, "{}", event.to_json()),
            // Whoever reads along must not wait for the buffer to fill.
            Piece::End => stdout.flush(),
        };
        written.context("standard output")
    })?;
    let digest = follower.digest_of(&followed.state)?;
    writeln!(stdout, "{}", state_line(&followed.state, &digest)).context("standard output")?;
    stdout.flush().context("standard output")?;
    Ok(followed)
}

/// The last line: the state's digest.
pub(super) fn state_line(state: &State, digest: &str) -> String {
    let line = serde_json::json!({
        "kind": "state",
        "digest": digest,
        "state_version": STATE_VERSION,
        "seq": state.head().last_seq,
    });
    line.to_string()
}
