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
        for (index, line) in wrapped(&names).into_iter().enumerate() {
            let folder = if index == 0 { kind.folder() } else { "" };
            output::line(format!("  {folder:<11} {line}"))?;
        }
    }
    output::line("Next\n  interphase demo      a simulated cell, live")?;
    output::line("  interphase check     instrument, cell and plan, before weeks of measuring")?;
    output::line("  interphase --help    all commands")?;
    Ok(ExitCode::SUCCESS)
}

/// Names with commas between them, in lines that end within 80 columns after their indentation.
fn wrapped(names: &[String]) -> Vec<String> {
    const COLUMNS: usize = 64;
    let mut lines = vec![String::new()];
    for (index, name) in names.iter().enumerate() {
        let comma = if index + 1 < names.len() { "," } else { "" };
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if line.is_empty() {
            *line = format!("{name}{comma}");
        } else if line.len() + 1 + name.len() + comma.len() <= COLUMNS {
            line.push(' ');
            line.push_str(name);
            line.push_str(comma);
        } else {
            lines.push(format!("{name}{comma}"));
        }
    }
    lines
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_never_cut_in_two_and_none_is_lost() {
        let names: Vec<String> = (0..40).map(|index| "n".repeat(1 + index % 17)).collect();
        let lines = wrapped(&names);
        assert!(lines.iter().all(|line| line.len() <= 64), "{lines:?}");
        assert_eq!(lines.join(" "), names.join(", "));
        assert_eq!(wrapped(&[]), [String::new()]);
    }
}
