//! `interphase profiles`: what instruments, cells and plans are known, and whether a file is one.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};

use super::output;
use crate::profile::{Cell, Instrument, Kind, Plan, ProfileError, find, list};

/// List, show and check profiles.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  interphase profiles show li_lpscl_li > my_cell.toml\n  interphase profiles check my_cell.toml"
)]
pub(super) struct ProfilesArgs {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Names of all profiles.
    List,
    /// The TOML of a profile.
    Show {
        /// Its name
        name: String,
    },
    /// Check a file.
    Check {
        /// The TOML file
        file: PathBuf,
    },
}

pub(super) fn run(args: &ProfilesArgs) -> anyhow::Result<ExitCode> {
    match args.what.as_ref().unwrap_or(&What::List) {
        What::List => {
            for kind in Kind::ALL {
                for listed in list(kind) {
                    let origin = listed
                        .path
                        .map_or("shipped".to_owned(), |path| path.display().to_string());
                    output::line(format!("{:<11} {:<24} {origin}", kind.word(), listed.name))?;
                }
            }
        }
        What::Show { name } => {
            let found = Kind::ALL.into_iter().find_map(|kind| find(kind, name).ok());
            match found {
                Some(found) => output::line(found.text.trim_end())?,
                None => bail!("there is no profile {name}; `interphase profiles list` names all"),
            }
        }
        What::Check { file } => {
            let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
            let kind = check(&file.display().to_string(), &text)?;
            output::line(format!("{}: a valid {} profile", file.display(), kind.word()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Which kind a text is of: judged by the tables that only that kind has.
fn check(file: &str, text: &str) -> Result<Kind, ProfileError> {
    let has = |key: &str| text.lines().any(|line| line.trim_start().starts_with(key));
    if has("[[step]]") {
        Plan::parse(file, text).map(|_| Kind::Plan)
    } else if has("[[current_range]]") || has("protocol") {
        Instrument::parse(file, text).map(|_| Kind::Instrument)
    } else {
        Cell::parse(file, text).map(|_| Kind::Cell)
    }
}
