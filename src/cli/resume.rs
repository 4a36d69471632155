//! What `run --resume` needs of a recording: that its session was cut off, and what it was.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::{run, start};
use crate::recording::{Reader, verify};
use crate::session::resume::Standing;
use crate::session::runtime::RuntimeDirectory;
use crate::session::spec::{ProfileText, SessionSpec};

/// The specification of the session that goes on in a recording, with the profiles and the plan that are in it.
pub(super) fn specification(
    recording: &Path,
    port: Option<&Path>,
    take_over: bool,
    runtime: &RuntimeDirectory,
) -> anyhow::Result<SessionSpec> {
    let file = recording.display();
    if let Some(info) = runtime.session_of(recording) {
        bail!(
            "{file}: its session {} runs; see it with `interphase attach {}`",
            info.name,
            info.name
        );
    }
    let verified = verify(recording)?;
    if let Some(problem) = verified.problems.first() {
        bail!(
            "{file} is not sound: {problem}; nothing is added to it. `interphase verify {file}` says more, and \
             `interphase run` measures into a new file"
        );
    }
    let standing = Standing::of(recording)?;
    let head = standing.state.head();
    if let Some((_, ended)) = &head.ended {
        bail!(
            "{file}: its session has ended ({}), there is nothing to go on with; measure into a new file",
            ended.reason
        );
    }
    let Some((_, session)) = &head.session else {
        bail!("{file}: its session was cut off before it began; measure into a new file");
    };
    let recorded_port = head.link.as_ref().map(|(_, link)| PathBuf::from(&link.port));
    let Some(port) = port.map(Path::to_path_buf).or(recorded_port) else {
        bail!("{file} does not say on which port it was measured; give --port PATH");
    };
    if !port.exists() {
        bail!(
            "{}: there is no such port any more; `interphase ports` lists those that are there, give the one of the \
             instrument with --port PATH",
            port.display()
        );
    }
    let asked = session.simulated.then_some(session.time_scale);
    let (simulated, time_scale) = run::time_scale_of(&port, asked, runtime)?;
    if simulated != session.simulated {
        bail!(
            "{file} was measured on a real instrument, and {} belongs to a simulator; give another --port",
            port.display()
        );
    }
    let mut reader = Reader::open(recording)?;
    let attachments = reader.attachments()?;
    let profile = |kind: &str| -> anyhow::Result<ProfileText> {
        let name = format!("{kind}.toml");
        let found = attachments.iter().find(|attachment| attachment.name == name);
        let found = found.with_context(|| format!("{file} has no {name} in it: it was not made by `run`"))?;
        Ok(ProfileText {
            origin: format!("{name} in {file}"),
            text: String::from_utf8(found.bytes.clone()).with_context(|| format!("{name} in {file}"))?,
        })
    };
    let recording = std::path::absolute(recording)?;
    Ok(SessionSpec {
        name: start::session_name(&recording, runtime),
        resume: true,
        port: Some(std::path::absolute(&port)?),
        own_simulator: None,
        instrument: profile("instrument")?,
        cell: profile("cell")?,
        plan: profile("plan")?,
        simulated,
        time_scale,
        take_over,
        recording,
    })
}
