//! `interphase unit`: a systemd user unit for a session.

use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;

use super::output;
use crate::session::runtime::RuntimeDirectory;

/// Print a systemd user unit that goes on with a session after a reboot, or that starts one.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  interphase unit cell7 > ~/.config/systemd/user/cell7.service\n  interphase unit run --instrument es4_hr --port /dev/ttyACM0 --cell li_lpscl_li --plan eis_repeat --out ~/cell7.interphase\n\nThen: systemctl --user enable cell7; loginctl enable-linger"
)]
pub(super) struct UnitArgs {
    /// A running session, or `run` and its options
    #[arg(value_name = "SESSION|run ...", required = true, num_args = 1.., trailing_var_arg = true, allow_hyphen_values = true)]
    what: Vec<String>,
}

pub(super) fn run(args: &UnitArgs) -> anyhow::Result<ExitCode> {
    let program = std::env::current_exe()?;
    let unit = match args.what.as_slice() {
        [word, options @ ..] if word == "run" => {
            if options.is_empty() {
                bail!("`unit run` needs the options of `run`; see `interphase run --help`");
            }
            let mut command = vec!["run".to_owned(), "--headless".to_owned()];
            let screen = ["--headless", "--detach", "--yes", "-y"];
            command.extend(
                options
                    .iter()
                    .filter(|option| !screen.contains(&option.as_str()))
                    .cloned(),
            );
            text("Interphase session", &program, &command, None)
        }
        [name] => {
            let runtime = RuntimeDirectory::open()?;
            let sessions = runtime.sessions();
            let Some(info) = sessions.iter().find(|info| info.name == *name) else {
                bail!("no session {name} runs; `interphase sessions` lists those that do");
            };
            let recording = info.recording.display().to_string();
            let command = ["run", "--headless", "--resume", &recording, "--port", &info.port];
            let description = format!("Interphase session {name}: {} on {}", info.plan, info.cell);
            text(
                &description,
                &program,
                &command.map(str::to_owned),
                Some(&info.recording),
            )
        }
        _ => bail!("give the name of one session, or `run` and its options"),
    };
    output::line(unit.trim_end())?;
    Ok(ExitCode::SUCCESS)
}

/// The unit. A session ends by itself when its plan does, and is stopped, cell off, by SIGTERM to the process that
/// follows it; the session itself must then be given the time to do so.
fn text(description: &str, program: &Path, arguments: &[String], needs: Option<&Path>) -> String {
    let command: Vec<String> = std::iter::once(program.display().to_string())
        .chain(arguments.iter().cloned())
        .map(|word| quoted(&word))
        .collect();
    let condition = needs.map_or_else(String::new, |path| {
        format!(
            "ConditionPathExists={}\n",
            path.display().to_string().replace('%', "%%")
        )
    });
    format!(
        "[Unit]\nDescription={}\n{condition}\n[Service]\nType=exec\nExecStart={}\nKillMode=mixed\n\
         KillSignal=SIGTERM\nTimeoutStopSec=300\nRestart=no\n\n[Install]\nWantedBy=default.target\n",
        description.replace('%', "%%").replace('\n', " "),
        command.join(" ")
    )
}

/// A word of a command line as systemd reads it: in quotes where it must be, `%` and `$` doubled.
fn quoted(word: &str) -> String {
    let word = word
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('%', "%%")
        .replace('$', "$$");
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=+,@%$".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word
    } else {
        format!("\"{word}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_goes_on_in_the_recording_and_leaves_the_session_time_to_switch_off() {
        let command = ["run", "--resume", "/home/a b/50%.interphase"].map(str::to_owned);
        let unit = text(
            "Interphase session x",
            Path::new("/usr/bin/interphase"),
            &command,
            Some(Path::new("/home/a b/50%.interphase")),
        );
        assert!(
            unit.contains("\nExecStart=/usr/bin/interphase run --resume \"/home/a b/50%%.interphase\"\n"),
            "{unit}"
        );
        assert!(
            unit.contains("\nConditionPathExists=/home/a b/50%%.interphase\n"),
            "{unit}"
        );
        assert!(unit.contains("\nKillMode=mixed\n") && unit.contains("\nWantedBy=default.target\n"));
    }

    #[test]
    fn words_are_quoted_as_systemd_reads_them() {
        assert_eq!(quoted("a\"b"), "\"a\\\"b\"");
        assert_eq!(quoted("$HOME"), "$$HOME");
        assert_eq!(quoted(""), "\"\"");
    }
}
