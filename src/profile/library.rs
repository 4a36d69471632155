//! Where profiles are found: shipped inside the program, in the user's folder, or at a path.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use super::document::nearest;
use super::error::ProfileError;

/// The three kinds of profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// What stands on the bench.
    Instrument,
    /// What is measured.
    Cell,
    /// What to do.
    Plan,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Instrument, Self::Cell, Self::Plan];

    /// The word for one of them.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Instrument => "instrument",
            Self::Cell => "cell",
            Self::Plan => "plan",
        }
    }

    /// The folder that holds them.
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            Self::Instrument => "instruments",
            Self::Cell => "cells",
            Self::Plan => "plans",
        }
    }
}

/// The text of a profile and where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The path, or `name (shipped)`.
    pub origin: String,
    /// The TOML text.
    pub text: String,
}

/// A profile that can be named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// The user's file; none where it is shipped.
    pub path: Option<PathBuf>,
}

macro_rules! shipped {
    ($($kind:ident / $folder:literal : $($name:literal),* ;)*) => {
        const SHIPPED: &[(Kind, &str, &str)] = &[
            $($((
                Kind::$kind,
                $name,
                include_str!(concat!("../../profiles/", $folder, "/", $name, ".toml")),
            ),)*)*
        ];
    };
}

shipped! {
    Instrument / "instruments": "es4_hr", "es4_lr", "espico", "nexus1", "bt4560", "im3590", "sciospec_lcr1", "helpstat",
        "ad5940", "ad5940_battery", "rodeostat";
    Cell / "cells": "li_lpscl_li", "li_lpscl_li_fresh", "llzo_pellet_blocking", "dummy_r_rc", "battery_130", "nmc_li_coin";
    Plan / "plans": "eis_once", "eis_repeat", "demo", "geis_once", "hold", "cv_window", "charge", "gitt", "pitt",
        "plating";
}

/// The text of a shipped profile.
#[must_use]
pub fn shipped_text(kind: Kind, name: &str) -> Option<&'static str> {
    SHIPPED
        .iter()
        .find(|(of_kind, of_name, _)| *of_kind == kind && *of_name == name)
        .map(|(_, _, text)| *text)
}

fn user_folder(kind: Kind) -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(
        strategy
            .config_dir()
            .join("interphase")
            .join("profiles")
            .join(kind.folder()),
    )
}

/// All profiles of a kind that can be named; the user's come before shipped ones of the same name.
#[must_use]
pub fn list(kind: Kind) -> Vec<Listed> {
    let mut listed = Vec::new();
    let entries = user_folder(kind).and_then(|folder| std::fs::read_dir(folder).ok());
    for entry in entries.into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "toml")
            && let Some(name) = path.file_stem().and_then(|stem| stem.to_str())
        {
            listed.push(Listed {
                kind,
                name: name.to_owned(),
                path: Some(path.clone()),
            });
        }
    }
    for (of_kind, name, _) in SHIPPED {
        if *of_kind == kind && !listed.iter().any(|known| known.name == *name) {
            listed.push(Listed {
                kind,
                name: (*name).to_owned(),
                path: None,
            });
        }
    }
    listed.sort_by(|a, b| a.name.cmp(&b.name));
    listed
}

/// The profile that an argument names: a path to a TOML file, a user's profile, or a shipped one.
///
/// # Errors
/// Where there is none of that name, with the nearest one, or where the file cannot be read.
pub fn find(kind: Kind, argument: &str) -> Result<Loaded, ProfileError> {
    let refuse = |message: String| ProfileError {
        file: argument.to_owned(),
        line: None,
        field: String::new(),
        message,
    };
    let is_path = argument.contains(std::path::MAIN_SEPARATOR)
        || Path::new(argument)
            .extension()
            .is_some_and(|extension| extension == "toml");
    let path = if is_path {
        Some(PathBuf::from(argument))
    } else {
        user_folder(kind)
            .map(|folder| folder.join(format!("{argument}.toml")))
            .filter(|path| path.is_file())
    };
    if let Some(path) = path {
        let text =
            std::fs::read_to_string(&path).map_err(|error| refuse(format!("cannot be read: {error}")))?;
        return Ok(Loaded {
            origin: path.display().to_string(),
            text,
        });
    }
    if let Some(text) = shipped_text(kind, argument) {
        return Ok(Loaded {
            origin: format!("{argument} (shipped)"),
            text: text.to_owned(),
        });
    }
    let known = list(kind);
    let names: Vec<&str> = known.iter().map(|listed| listed.name.as_str()).collect();
    let hint = match nearest(argument, &names) {
        Some(name) => format!("did you mean `{name}`? "),
        None => String::new(),
    };
    Err(refuse(format!(
        "there is no {} profile of this name; {hint}known: {}; or give the path of a TOML file",
        kind.word(),
        names.join(", ")
    )))
}
