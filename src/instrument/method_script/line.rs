//! One complete line of a device's output.

use std::fmt;

use super::capabilities::Capabilities;
use super::error_code::ErrorCode;
use super::package::Package;
use super::value::upper_hex;

/// A run-time command that a device echoes into a script's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    /// `Z`: the script is aborted.
    Abort,
    /// `Y`: the running measurement loop ends, the script goes on.
    Skip,
    /// `h`: the script is halted.
    Halt,
    /// `H`: the script goes on.
    Resume,
}

impl Echo {
    /// The letter of the command.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Abort => 'Z',
            Self::Skip => 'Y',
            Self::Halt => 'h',
            Self::Resume => 'H',
        }
    }

    /// The command of a letter.
    #[must_use]
    pub fn from_letter(letter: char) -> Option<Self> {
        [Self::Abort, Self::Skip, Self::Halt, Self::Resume]
            .into_iter()
            .find(|echo| echo.letter() == letter)
    }
}

/// The first line of the answer to `t`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firmware {
    /// Device id of six characters, such as `es4_hr`.
    pub device: String,
    /// Version digits as sent: two or four, such as `1500`.
    pub digits: String,
    /// Build time as sent.
    pub build: String,
}

impl Firmware {
    /// Reads what follows the letter `t`.
    fn parse(text: &str) -> Option<Self> {
        let (head, build) = text.split_once('#')?;
        let (device, digits) = (head.get(..6)?, head.get(6..)?);
        let plain = device
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let numeric = matches!(digits.len(), 2..=4) && digits.bytes().all(|byte| byte.is_ascii_digit());
        (plain && numeric).then(|| Self {
            device: device.to_owned(),
            digits: digits.to_owned(),
            build: build.to_owned(),
        })
    }

    /// The version as people write it: `1500` is 1.5.00, `13` is 1.3.
    #[must_use]
    pub fn version(&self) -> String {
        match (self.digits.get(..1), self.digits.get(1..2), self.digits.get(2..)) {
            (Some(major), Some(minor), Some("")) => format!("{major}.{minor}"),
            (Some(major), Some(minor), Some(patch)) => format!("{major}.{minor}.{patch}"),
            _ => self.digits.clone(),
        }
    }
}

/// Where in a script an error was found; both count from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScriptPosition {
    /// Line of the script as sent after `e` or `l`.
    pub line: u32,
    /// Column just after the offending token.
    pub column: Option<u32>,
}

/// A line of output without its line end.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// An empty line: the script has ended, or an empty command was answered.
    Empty,
    /// `M`: a measurement loop starts.
    LoopStart {
        /// Technique id: 000D is EIS.
        technique: u16,
    },
    /// A line of a single `*`: the measurement loop ends.
    LoopEnd,
    /// `C`: one scan of several starts.
    ScanStart {
        /// Its number as sent.
        number: u16,
    },
    /// `-`: the scan ends.
    ScanEnd,
    /// `L`: a loop of the script starts.
    ScriptLoopStart,
    /// `+`: a loop of the script ends.
    ScriptLoopEnd,
    /// `T`: a text that the script sends.
    Text(String),
    /// `P`: measured values.
    Package(Package),
    /// A run-time command was taken.
    Echo(Echo),
    /// An error that ended the running script. What stands under `on_finished:` was not executed.
    RuntimeError {
        /// What went wrong.
        code: ErrorCode,
        /// Line of the script.
        line: Option<u32>,
    },
    /// First line of the answer to `t`.
    Firmware(Firmware),
    /// Second line of the answer to `t`: `R*` a release, `B*` a beta, `D*` a development version.
    FirmwareKind(char),
    /// Answer to `i`.
    Serial(String),
    /// Answer to `v`: version of MethodSCRIPT.
    Version(String),
    /// Answer to `CC` or `CM`: what the device can do, as the bits of a long hexadecimal number.
    Capabilities(Capabilities),
    /// A script was accepted (`e`, `l`) or started (`r`).
    Accepted(char),
    /// A command was refused, or the script after it.
    Rejected {
        /// The command's letter.
        command: char,
        /// Why.
        code: ErrorCode,
        /// Where in the script, if that is what was refused.
        position: Option<ScriptPosition>,
    },
    /// Nothing that a device is known to send.
    Unknown(String),
}

impl Line {
    /// Reads a whole line without its line end. Never fails: what is not understood is [`Line::Unknown`].
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self::parse_known(text).unwrap_or_else(|| Self::Unknown(text.to_owned()))
    }

    fn parse_known(text: &str) -> Option<Self> {
        match text {
            "" => return Some(Self::Empty),
            "*" => return Some(Self::LoopEnd),
            "-" => return Some(Self::ScanEnd),
            "L" => return Some(Self::ScriptLoopStart),
            "+" => return Some(Self::ScriptLoopEnd),
            "R*" | "B*" | "D*" => return text.chars().next().map(Self::FirmwareKind),
            "e" | "l" | "r" => return text.chars().next().map(Self::Accepted),
            _ => {}
        }
        let first = text.chars().next()?;
        let rest = text.get(first.len_utf8()..)?;
        if rest.is_empty()
            && let Some(echo) = Echo::from_letter(first)
        {
            return Some(Self::Echo(echo));
        }
        if first == '!' {
            let (code, position) = parse_error(rest)?;
            return Some(Self::RuntimeError {
                code,
                line: position.map(|position| position.line),
            });
        }
        match (first, rest) {
            ('T', _) => Some(Self::Text(rest.to_owned())),
            ('P', _) => Package::parse(text).ok().map(Self::Package),
            ('M', _) if rest.len() == 4 => upper_hex(rest).map(|technique| Self::LoopStart {
                technique: technique as u16,
            }),
            ('C', _) if rest.starts_with(['C', 'M']) => Capabilities::parse(rest).map(Self::Capabilities),
            ('C', _) if rest.len() == 4 && rest.bytes().all(|byte| byte.is_ascii_digit()) => {
                rest.parse().ok().map(|number| Self::ScanStart { number })
            }
            (command, _) if rest.starts_with('!') && command.is_ascii_alphanumeric() => {
                let (code, position) = parse_error(&rest[1..])?;
                Some(Self::Rejected {
                    command,
                    code,
                    position,
                })
            }
            ('t', _) => Firmware::parse(rest).map(Self::Firmware),
            ('i', _) if is_word(rest) => Some(Self::Serial(rest.to_owned())),
            ('v', _) if is_version(rest) => Some(Self::Version(rest.to_owned())),
            _ => None,
        }
    }
}

/// A serial number or the like: no blanks, nothing that is not printable.
fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

fn is_version(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// Reads `4001: Line 1, Col 16`, `4027: Line 3` or `0006`.
fn parse_error(text: &str) -> Option<(ErrorCode, Option<ScriptPosition>)> {
    let (code, place) = text
        .split_once(": Line ")
        .map_or((text, None), |(code, place)| (code, Some(place)));
    if code.len() != 4 {
        return None;
    }
    let code = ErrorCode(u16::try_from(upper_hex(code)?).ok()?);
    let Some(place) = place else {
        return Some((code, None));
    };
    let (line, column) = place
        .split_once(", Col ")
        .map_or((place, None), |(line, column)| (line, Some(column)));
    let column = match column {
        Some(digits) => Some(digits.parse().ok()?),
        None => None,
    };
    Some((
        code,
        Some(ScriptPosition {
            line: line.parse().ok()?,
            column,
        }),
    ))
}

/// The line as a device sends it, without its line end.
impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => Ok(()),
            Self::LoopStart { technique } => write!(formatter, "M{technique:04X}"),
            Self::LoopEnd => formatter.write_str("*"),
            Self::ScanStart { number } => write!(formatter, "C{number:04}"),
            Self::ScanEnd => formatter.write_str("-"),
            Self::ScriptLoopStart => formatter.write_str("L"),
            Self::ScriptLoopEnd => formatter.write_str("+"),
            Self::Text(text) => write!(formatter, "T{text}"),
            Self::Package(package) => write!(formatter, "{package}"),
            Self::Echo(echo) => write!(formatter, "{}", echo.letter()),
            Self::RuntimeError { code, line } => {
                write!(formatter, "!{:04X}", code.0)?;
                line.map_or(Ok(()), |line| write!(formatter, ": Line {line}"))
            }
            Self::Firmware(Firmware {
                device,
                digits,
                build,
            }) => {
                write!(formatter, "t{device}{digits}#{build}")
            }
            Self::FirmwareKind(kind) => write!(formatter, "{kind}*"),
            Self::Serial(serial) => write!(formatter, "i{serial}"),
            Self::Version(version) => write!(formatter, "v{version}"),
            Self::Capabilities(capabilities) => write!(formatter, "{capabilities}"),
            Self::Accepted(command) => write!(formatter, "{command}"),
            Self::Rejected {
                command,
                code,
                position,
            } => {
                write!(formatter, "{command}!{:04X}", code.0)?;
                match position {
                    Some(ScriptPosition {
                        line,
                        column: Some(column),
                    }) => {
                        write!(formatter, ": Line {line}, Col {column}")
                    }
                    Some(ScriptPosition { line, column: None }) => write!(formatter, ": Line {line}"),
                    None => Ok(()),
                }
            }
            Self::Unknown(text) => formatter.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_line_is_told_apart_and_written_back_the_same() {
        let rejected = |command, code, position| Line::Rejected {
            command,
            code: ErrorCode(code),
            position,
        };
        for (text, line) in [
            ("", Line::Empty),
            ("M000D", Line::LoopStart { technique: 13 }),
            ("*", Line::LoopEnd),
            ("C0001", Line::ScanStart { number: 1 }),
            ("-", Line::ScanEnd),
            ("L", Line::ScriptLoopStart),
            ("+", Line::ScriptLoopEnd),
            ("Thello, Z!", Line::Text("hello, Z!".into())),
            ("T", Line::Text(String::new())),
            ("Z", Line::Echo(Echo::Abort)),
            ("Y", Line::Echo(Echo::Skip)),
            ("h", Line::Echo(Echo::Halt)),
            ("H", Line::Echo(Echo::Resume)),
            (
                "!4027: Line 3",
                Line::RuntimeError {
                    code: ErrorCode::CELL_MUST_BE_ON,
                    line: Some(3),
                },
            ),
            (
                "!0032",
                Line::RuntimeError {
                    code: ErrorCode::CRITICAL_OVERLOAD,
                    line: None,
                },
            ),
            ("R*", Line::FirmwareKind('R')),
            ("iES4HR20B0008", Line::Serial("ES4HR20B0008".into())),
            ("v01.09.00", Line::Version("01.09.00".into())),
            (
                "CM0000000000000002",
                Line::Capabilities(Capabilities::of('M', &[1], 64)),
            ),
            ("e", Line::Accepted('e')),
            ("r", Line::Accepted('r')),
            (
                "e!4001: Line 1, Col 16",
                rejected(
                    'e',
                    0x4001,
                    Some(ScriptPosition {
                        line: 1,
                        column: Some(16),
                    }),
                ),
            ),
            ("Z!0006", rejected('Z', 6, None)),
            ("x!0003", rejected('x', 3, None)),
            ("i!0006", rejected('i', 6, None)),
        ] {
            assert_eq!(Line::parse(text), line, "{text}");
            assert_eq!(line.to_string(), text);
        }
    }

    #[test]
    fn the_answer_to_t_names_device_version_and_build() {
        let Line::Firmware(firmware) = Line::parse("tes4_hr1500#Mar 12 2026 14:28:01") else {
            panic!()
        };
        assert_eq!(
            (firmware.device.as_str(), firmware.version().as_str()),
            ("es4_hr", "1.5.00")
        );
        assert_eq!(firmware.build, "Mar 12 2026 14:28:01");
        let Line::Firmware(pico) = Line::parse("tespico1601#Jan  1 2026 00:00:00") else {
            panic!()
        };
        assert_eq!(
            (pico.device.as_str(), pico.version().as_str()),
            ("espico", "1.6.01")
        );
        let Line::Firmware(old) = Line::parse("tes4_lr13#x") else {
            panic!()
        };
        assert_eq!(old.version(), "1.3");
    }

    #[test]
    fn only_an_exact_star_ends_a_loop() {
        assert_ne!(Line::parse("R*"), Line::LoopEnd);
        assert_ne!(Line::parse("**"), Line::LoopEnd);
        assert_ne!(Line::parse(" *"), Line::LoopEnd);
    }

    #[test]
    fn what_is_nearly_a_line_is_unknown() {
        for text in [
            "M00D",
            "M000d",
            "C00A1",
            "Pzz",
            "!40: Line 3",
            "e!4001: Line x",
            "AT+GCAP",
            "tes4_hr#",
            "té4",
            "ab",
            "Q*",
            "é!0003",
            "M0000D",
            "!4027: Line 3, Col",
        ] {
            assert_eq!(Line::parse(text), Line::Unknown(text.into()), "{text}");
        }
    }
}
