//! `interphase amend`: a value of the cell was found wrong after measuring.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use jiff::Timestamp;

use super::output::{self, UsageError};
use crate::event::{Amend, EventBody, Stamp};
use crate::profile::{self, AmendedCell};
use crate::recording::{META_STATE_DIGEST, META_STATE_VERSION, Reader, Writer, verify};
use crate::session::client::Client;
use crate::session::control::Request;
use crate::session::runtime::RuntimeDirectory;
use crate::state::{LogWhat, STATE_VERSION, State};

/// The cell's profile among the files that belong to a session.
const CELL_PROFILE: &str = "cell.toml";

/// Put right a value of the cell in a recording: an area, a thickness, a temperature.
///
/// It becomes an event at the end of the recording; nothing recorded changes. What is derived from the value follows
/// the new one. Of a running session the session itself records it.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  interphase amend cell7.interphase area_cm2=0.785\n  \
                  interphase amend cell7.interphase thickness_um=550 \"chemistry=Li | LLZO | Li\""
)]
pub(super) struct AmendArgs {
    /// The recording
    file: PathBuf,
    /// Values of the cell's profile, as they should have been
    #[arg(required = true, value_name = "KEY=VALUE")]
    values: Vec<String>,
}

pub(super) fn run(args: &AmendArgs) -> anyhow::Result<ExitCode> {
    let mut wanted = Vec::new();
    for value in &args.values {
        let Some((key, new)) = value.split_once('=') else {
            return Err(UsageError::new(format!("`{value}` is not KEY=VALUE, as in area_cm2=0.785")).into());
        };
        wanted.push((key.trim(), new));
    }
    let (state, mut text) = state_and_cell(&args.file)?;
    let name = args.file.display().to_string();
    let mut amendments = Vec::new();
    for (key, new) in wanted {
        let AmendedCell {
            text: amended,
            old,
            new,
            ..
        } = profile::amend(&name, &text, key, new)?;
        text = amended;
        if old.as_ref() == Some(&new) {
            output::message(format!("{name}: {key} is {new} already"));
            continue;
        }
        amendments.push(Amend {
            key: key.to_owned(),
            old,
            new,
        });
    }
    if amendments.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let runtime = RuntimeDirectory::open()?;
    match runtime.session_of(&args.file) {
        Some(session) => {
            let mut client = Client::connect(&runtime.socket(&session.name))?;
            for Amend { key, old, new } in amendments.clone() {
                client.ask(&Request::Amend { key, old, new })?;
            }
        }
        None => append(&args.file, state, &amendments)?,
    }
    for Amend { key, old, new } in amendments {
        let before = old.map(|old| format!(", not {old}")).unwrap_or_default();
        output::line(format!("{key} is {new}{before}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What a recording says, and its cell's profile with all amendments so far.
fn state_and_cell(file: &Path) -> anyhow::Result<(State, String)> {
    let mut reader = Reader::open(file)?;
    let name = file.display().to_string();
    let attachment = reader
        .attachments()?
        .into_iter()
        .find(|attachment| attachment.name == CELL_PROFILE)
        .with_context(|| format!("{name}: it has no cell profile ({CELL_PROFILE}) that could be amended"))?;
    let mut text = String::from_utf8(attachment.bytes)
        .with_context(|| format!("{name}: its cell profile is not text; `interphase verify` says more"))?;
    let mut state = State::new();
    for event in reader.events(0) {
        state.apply(&event?);
    }
    for entry in state.log() {
        if let LogWhat::Amend(amend) = &entry.what {
            text = profile::amend(&name, &text, &amend.key, &amend.new)?.text;
        }
    }
    Ok((state, text))
}

/// Appends to a recording that nobody writes.
fn append(file: &Path, mut state: State, amendments: &[Amend]) -> anyhow::Result<()> {
    let found = verify(file)?;
    if let Some(problem) = found.problems.first() {
        bail!(
            "{}: {problem}; a recording that is not sound is not amended, `interphase recover` saves what can be read",
            file.display()
        );
    }
    let mut writer = Writer::go_on(file)?;
    // Nobody measured the time since the end of the session on its clock: it stands still.
    let stamp = Stamp {
        utc_ns: i64::try_from(Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX),
        elapsed_ns: state.head().last_stamp.elapsed_ns,
    };
    for amend in amendments {
        let event = writer.prepare(stamp, EventBody::Amend(amend.clone()))?;
        writer.append_event(&event)?;
        state.apply(&event);
    }
    writer.set_meta(META_STATE_DIGEST, &state.digest())?;
    writer.set_meta(META_STATE_VERSION, &STATE_VERSION.to_string())?;
    if !found.closed {
        // The session was cut off and may yet be resumed: its file is left as it was, not closed.
        return Ok(());
    }
    writer.close()?;
    Ok(())
}
