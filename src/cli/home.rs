//! `interphase` alone: where things stand, and what to do next.

use std::path::PathBuf;
use std::process::ExitCode;

use etcetera::BaseStrategy;

use super::output;
use super::start::EXTENSION;
use crate::profile::{Kind, list};
use crate::session::runtime::RuntimeDirectory;

/// Newest recordings that are listed.
const RECORDINGS: usize = 5;

pub(super) fn run() -> anyhow::Result<ExitCode> {
    let runtime = RuntimeDirectory::open()?;
    output::line("Running sessions")?;
    let sessions = runtime.sessions();
    for info in &sessions {
        output::line(format!("  {}", super::sessions::text_of(info)))?;
    }
    if sessions.is_empty() {
        output::line("  none")?;
    }
    output::line("Serial ports")?;
    let ports = super::ports::known(&runtime);
    for port in &ports {
        output::line(format!("  {}", port.text()))?;
    }
    if ports.is_empty() {
        output::line("  none")?;
    }
    output::line("Newest recordings")?;
    let recordings = newest_recordings();
    for path in &recordings {
        output::line(format!("  {}", path.display()))?;
    }
    if recordings.is_empty() {
        output::line("  none")?;
    }
    output::line("Profiles")?;
    for kind in Kind::ALL {
        let names: Vec<String> = list(kind).into_iter().map(|listed| listed.name).collect();
        output::line(format!("  {:<11} {}", kind.folder(), names.join(", ")))?;
    }
    output::line("Next\n  interphase demo      a simulated cell, live\n  interphase --help    all commands")?;
    Ok(ExitCode::SUCCESS)
}

fn newest_recordings() -> Vec<PathBuf> {
    let Ok(strategy) = etcetera::choose_base_strategy() else {
        return Vec::new();
    };
    let folder = strategy.data_dir().join("interphase").join("recordings");
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == EXTENSION))
        .filter_map(|path| Some((path.metadata().ok()?.modified().ok()?, path)))
        .collect();
    found.sort();
    found
        .into_iter()
        .rev()
        .take(RECORDINGS)
        .map(|(_, path)| path)
        .collect()
}
