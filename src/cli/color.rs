//! Whether there are colours: `--color`, `NO_COLOR`, `CLICOLOR_FORCE`.

use std::ffi::{OsStr, OsString};

use clap::{ColorChoice, ValueEnum};
use crossterm::style::force_color_output;

/// When there are colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum When {
    /// On a terminal, unless NO_COLOR is set; with CLICOLOR_FORCE elsewhere too
    #[default]
    Auto,
    /// Whatever the environment says
    Always,
    /// No colours, only weight
    Never,
}

impl When {
    /// What the program's arguments ask for, before they are parsed: help and errors of the parser have colours too.
    pub(super) fn asked(arguments: impl IntoIterator<Item = OsString>) -> Self {
        let mut asked = Self::default();
        let mut arguments = arguments.into_iter().skip(1);
        while let Some(argument) = arguments.next() {
            let argument = argument.to_string_lossy().into_owned();
            let value = match argument.as_str() {
                "--" => break,
                "--color" => arguments.next().map(|value| value.to_string_lossy().into_owned()),
                other => other.strip_prefix("--color=").map(str::to_owned),
            };
            // A wrong value is refused by the parser.
            if let Some(when) = value.and_then(|value| Self::from_str(&value, false).ok()) {
                asked = when;
            }
        }
        asked
    }

    /// The same for the parser, which looks at the environment by itself.
    pub(super) fn of_parser(self) -> ColorChoice {
        match self {
            Self::Auto => ColorChoice::Auto,
            Self::Always => ColorChoice::Always,
            Self::Never => ColorChoice::Never,
        }
    }

    /// Makes the screen do so.
    pub(super) fn apply(self) {
        let variable = |name: &str| std::env::var_os(name);
        if let Some(forced) = self.forced(
            variable("NO_COLOR").as_deref(),
            variable("CLICOLOR_FORCE").as_deref(),
        ) {
            force_color_output(forced);
        }
    }

    /// Whether the screen has colours whatever it finds out by itself; none where it may decide.
    fn forced(self, no_color: Option<&OsStr>, clicolor_force: Option<&OsStr>) -> Option<bool> {
        let is_set = |value: Option<&OsStr>| value.is_some_and(|value| !value.is_empty());
        match self {
            Self::Always => Some(true),
            Self::Never => Some(false),
            Self::Auto if is_set(no_color) => Some(false),
            Self::Auto if is_set(clicolor_force) && clicolor_force != Some(OsStr::new("0")) => Some(true),
            Self::Auto => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_heard_before_it_is_parsed() {
        let asked = |line: &str| When::asked(line.split(' ').map(OsString::from));
        assert_eq!(asked("interphase sessions"), When::Auto);
        assert_eq!(asked("interphase sessions --color never"), When::Never);
        assert_eq!(asked("interphase --color=always sessions"), When::Always);
        assert_eq!(asked("interphase note a -- --color never"), When::Auto);
        assert_eq!(asked("interphase --color sometimes"), When::Auto);
    }

    #[test]
    fn the_option_wins_over_the_environment_and_no_color_over_force() {
        let some = |text: &'static str| Some(OsStr::new(text));
        assert_eq!(When::Always.forced(some("1"), None), Some(true));
        assert_eq!(When::Never.forced(None, some("1")), Some(false));
        assert_eq!(When::Auto.forced(some("1"), some("1")), Some(false));
        assert_eq!(When::Auto.forced(some(""), some("1")), Some(true));
        assert_eq!(When::Auto.forced(None, some("0")), None);
        assert_eq!(When::Auto.forced(None, None), None);
    }
}
