//! The command line: one file a subcommand. Results go to standard output, messages to standard error.

mod amend;
mod attach;
mod backup;
mod check;
mod color;
mod completions;
mod convert;
mod demo;
mod drt;
mod eval;
mod export;
mod fit;
mod home;
mod import;
mod json_lines;
mod note;
mod out_file;
mod output;
mod parallel;
mod plot;
mod ports;
mod profiles;
mod progress;
mod rank;
mod reanalyse;
mod recover;
mod redecode;
mod replay;
mod resume;
mod run;
mod screen_options;
mod selection;
mod serve;
mod serving;
mod sessions;
mod show;
mod simulate;
mod spectra;
mod start;
mod stop;
mod text;
mod unit;
mod validate;
mod values;
mod verify;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use color::When;
use output::UsageError;
pub use output::is_broken_pipe;

/// As the parser of the command line itself ends.
const STATUS_OF_A_WRONG_COMMAND_LINE: u8 = 2;

/// Terminal workstation for electrochemical impedance spectroscopy of battery cells.
#[derive(Debug, Parser)]
#[command(name = "interphase", version, about, max_term_width = 100)]
#[command(
    after_help = "Example:\n  interphase demo      a simulated cell, live; nothing to install or configure"
)]
struct Cli {
    /// When to use colours
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value = "auto")]
    color: When,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch a simulated cell age: simulator, session and screen in one command.
    Demo(demo::DemoArgs),
    /// Look at instrument, cell and plan before weeks of measuring; nothing is recorded.
    Check(check::CheckArgs),
    /// Measure: start a session in the background and show it.
    Run(run::RunArgs),
    /// List the running sessions of this user.
    Sessions(sessions::SessionsArgs),
    /// Show a running session, or a recording.
    Attach(attach::AttachArgs),
    /// Print a systemd user unit for a session.
    Unit(unit::UnitArgs),
    /// End a running session; the cell is switched off.
    Stop(stop::StopArgs),
    /// Put a remark into the recording of a running session.
    Note(note::NoteArgs),
    /// List the serial ports; ask one who is there.
    Ports(ports::PortsArgs),
    /// Serve a simulated instrument on a pseudo terminal.
    Simulate(simulate::SimulateArgs),
    /// Play a recording.
    Replay(replay::ReplayArgs),
    /// Say what is in a recording.
    Show(show::ShowArgs),
    /// Check that a recording is complete and unchanged.
    Verify(verify::VerifyArgs),
    /// Put right a value of the cell in a recording.
    Amend(amend::AmendArgs),
    /// Copy a recording, also of a running session.
    Backup(backup::BackupArgs),
    /// Save what can be read of a damaged recording.
    Recover(recover::RecoverArgs),
    /// Write a recording as files for other programs.
    Export(export::ExportArgs),
    /// Make a recording of spectra and time series in files of other programs.
    Import(import::ImportArgs),
    /// Draw spectra, fits and histories as SVG.
    Plot(plot::PlotArgs),
    /// Fit a circuit to spectra in files.
    Fit(Box<fit::FitArgs>),
    /// Compare circuits on spectra in files.
    Rank(rank::RankArgs),
    /// Judge whether spectra in files can be believed.
    Validate(validate::ValidateArgs),
    /// Find the distribution of relaxation times of spectra in files.
    Drt(drt::DrtArgs),
    /// Write spectra in another format.
    Convert(convert::ConvertArgs),
    /// Evaluate a circuit at given frequencies.
    Eval(eval::EvalArgs),
    /// List, show and check profiles of instruments, cells and plans.
    Profiles(profiles::ProfilesArgs),
    /// Print completions for a shell.
    Completions(completions::CompletionsArgs),
    /// The session process itself, started by `run` and `demo`.
    #[command(hide = true)]
    Session,
}

/// Parses the command line and does what it says.
///
/// # Errors
/// Where it could not be done: what, where, and what to do next. A wrong command line ends the program
/// inside, with status 2.
pub fn run() -> anyhow::Result<ExitCode> {
    let command = Cli::command().color(When::asked(std::env::args_os()).of_parser());
    let cli = Cli::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit());
    cli.color.apply();
    match dispatch(cli.command) {
        Err(error) if error.is::<UsageError>() => {
            output::message(format!("error: {error}\n\nFor more information, try '--help'."));
            Ok(ExitCode::from(STATUS_OF_A_WRONG_COMMAND_LINE))
        }
        result => result,
    }
}

fn dispatch(command: Option<Command>) -> anyhow::Result<ExitCode> {
    match command {
        None => home::run(),
        Some(Command::Demo(args)) => demo::run(&args),
        Some(Command::Check(args)) => check::run(&args),
        Some(Command::Run(args)) => run::run(&args),
        Some(Command::Sessions(args)) => sessions::run(&args),
        Some(Command::Attach(args)) => attach::run(&args),
        Some(Command::Stop(args)) => stop::run(&args),
        Some(Command::Unit(args)) => unit::run(&args),
        Some(Command::Note(args)) => note::run(&args),
        Some(Command::Ports(args)) => ports::run(&args),
        Some(Command::Simulate(args)) => simulate::run(args),
        Some(Command::Replay(args)) => replay::run(&args),
        Some(Command::Show(args)) => show::run(&args),
        Some(Command::Verify(args)) => verify::run(&args),
        Some(Command::Amend(args)) => amend::run(&args),
        Some(Command::Backup(args)) => backup::run(&args),
        Some(Command::Recover(args)) => recover::run(&args),
        Some(Command::Export(args)) => export::run(&args),
        Some(Command::Import(args)) => import::run(&args),
        Some(Command::Plot(args)) => plot::run(&args),
        Some(Command::Fit(args)) => fit::run(&args),
        Some(Command::Rank(args)) => rank::run(&args),
        Some(Command::Validate(args)) => validate::run(&args),
        Some(Command::Drt(args)) => drt::run(&args),
        Some(Command::Convert(args)) => convert::run(&args),
        Some(Command::Eval(args)) => eval::run(&args),
        Some(Command::Profiles(args)) => profiles::run(&args),
        Some(Command::Completions(args)) => completions::run(&args),
        Some(Command::Session) => crate::session::process::main(),
    }
}
