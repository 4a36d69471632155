//! Error codes of MethodSCRIPT devices in words.

use std::fmt;

/// A device's error code (MethodSCRIPT manual, appendix A). It is written as four hexadecimal digits on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorCode(pub u16);

/// Declares a constant and the words for each code that this program names.
macro_rules! codes {
    ($($name:ident = $code:literal, $words:literal;)*) => {
        impl ErrorCode {
            $(#[doc = $words] pub const $name: Self = Self($code);)*

            /// What the code means; `None` for codes that this program does not name.
            #[must_use]
            pub fn words(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some($words),)*
                    0x4200..=0x4215 => Some("an argument of the script is not valid"),
                    _ => None,
                }
            }

            /// All codes with words of their own.
            pub const NAMED: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

codes! {
    UNSPECIFIED = 0x0001, "an unspecified error of the device";
    BAD_VARIABLE_TYPE = 0x0002, "the variable type is not valid";
    UNKNOWN_COMMAND = 0x0003, "the device does not know the command";
    WRONG_MODE = 0x0006, "the command is not possible now";
    BAD_ARGUMENT = 0x0007, "the argument of the command is not valid";
    LINE_TOO_LONG = 0x0008, "the line is too long";
    COMMAND_TIMED_OUT = 0x0009, "the command has timed out";
    NO_SCRIPT = 0x000C, "no script is loaded";
    INVALID_POTENTIAL = 0x000F, "the potential is outside the device's range";
    NOT_A_NUMBER = 0x0010, "a variable is not a number or infinite";
    INVALID_FREQUENCY = 0x0011, "the frequency is outside the device's range";
    INVALID_AMPLITUDE = 0x0012, "the amplitude is outside the device's range";
    OPEN_CIRCUIT_CELL_ON = 0x0014, "the open circuit potential cannot be measured with the cell on";
    NOT_SUPPORTED = 0x001B, "the device does not support this";
    NOT_LICENSED = 0x001F, "the device has no licence for this technique";
    MODE_NOT_SUPPORTED = 0x0021, "the device does not support this potentiostat mode";
    WRONG_PGSTAT_MODE = 0x0023, "not possible in this potentiostat mode";
    DIVISION_BY_ZERO = 0x0028, "a variable was divided by zero";
    CRC_WRONG = 0x002B, "the checksum of the received line is wrong";
    CRC_SEQUENCE = 0x002C, "the received line is out of sequence";
    CRC_TOO_SHORT = 0x002D, "the received line is too short for its checksum";
    CHANNEL_NOT_AVAILABLE = 0x002F, "the device has no such channel";
    CRITICAL_OVERLOAD = 0x0032, "the cell overloads the device, which stopped to prevent damage";
    OVERRUN = 0x0052, "bytes were lost on the link to the device";
    FAST_TIMING = 0x0058, "timing error during a fast measurement";
    TIMING_NOT_MET = 0x005A, "the device cannot keep the timing asked for";
    OSCILLATING = 0x0080, "the counter electrode oscillates";
    UNKNOWN_SCRIPT_COMMAND = 0x4001, "the script has a command that the device does not know";
    UNEXPECTED_CHARACTER = 0x4004, "the script has an unexpected character";
    SCRIPT_TOO_LARGE = 0x4005, "the script is too large for the device";
    BAD_OPTIONAL_ARGUMENT = 0x4008, "an optional argument of the script is not valid for its command";
    NESTED_MEASUREMENT = 0x400B, "a measurement loop stands inside another";
    NOT_POSSIBLE_NOW = 0x400C, "the script command is not possible in the present situation";
    SCOPE_TOO_DEEP = 0x400D, "loops and conditions of the script are nested too deeply";
    SCOPE_MISMATCH = 0x400E, "a loop or condition of the script ends where none is open";
    SCRIPT_ENDED_EARLY = 0x4018, "the script ended early";
    NOT_IN_LOOP = 0x401A, "the script command cannot stand inside a measurement loop";
    PACKAGE_ORDER = 0x401B, "the commands of a data package are out of order";
    PACKAGE_TOO_LARGE = 0x401C, "the data package has too many variables";
    DUPLICATE_VARIABLE = 0x4026, "the variable is declared twice";
    CELL_MUST_BE_ON = 0x4027, "the cell must be on";
    CELL_MUST_BE_OFF = 0x4028, "the cell must be off";
    NO_STEP = 0x4029, "the technique must make at least one step";
    BAD_VARIABLE_NAME = 0x402B, "the variable's name is not valid";
    SET_POTENTIAL_IN_LOOP = 0x4032, "the potential cannot be set inside a measurement loop";
    SET_CURRENT_IN_LOOP = 0x4033, "the current cannot be set inside a measurement loop";
    FEATURE_NOT_LICENSED = 0x4034, "the device has no licence for this feature";
    MALFORMED_LITERAL = 0x4039, "a number of the script is malformed";
    ARGUMENT_NEGATIVE = 0x4200, "the argument cannot be negative";
    ARGUMENT_POSITIVE = 0x4201, "the argument cannot be positive";
    ARGUMENT_ZERO = 0x4202, "the argument cannot be zero";
    ARGUMENT_NOT_NEGATIVE = 0x4203, "the argument must be negative";
    ARGUMENT_NOT_POSITIVE = 0x4204, "the argument must be positive";
    ARGUMENT_OUT_OF_BOUNDS = 0x4205, "the argument is outside the bounds of the command";
    ARGUMENT_NOT_FOR_DEVICE = 0x4206, "this device cannot use the argument";
    ARGUMENT_DATA_TYPE = 0x4207, "the argument must be an integer where it is a number, or the reverse";
    ARGUMENT_VARIABLE_TYPE = 0x4209, "the variable type is not valid for the command";
    ARGUMENT_TOO_MANY = 0x420A, "the command has one argument too many";
    UNDECLARED_VARIABLE = 0x420B, "the variable is not declared";
    ARGUMENT_IS_VARIABLE = 0x420C, "the argument cannot be a variable";
    ARGUMENT_IS_LITERAL = 0x420D, "the argument must be a variable";
    FATAL = 0x7FFF, "a fatal error: the device must be reset";
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.words() {
            Some(words) => write!(formatter, "error {:04X}: {words}", self.0),
            None => write!(formatter, "error {:04X}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_shown_with_its_words() {
        assert_eq!(ErrorCode(0x4027).to_string(), "error 4027: the cell must be on");
        assert_eq!(ErrorCode(0x1234).to_string(), "error 1234");
        assert_eq!(
            ErrorCode(0x4215).words(),
            Some("an argument of the script is not valid")
        );
    }

    #[test]
    fn no_two_codes_share_their_words() {
        let mut words: Vec<_> = ErrorCode::NAMED.iter().filter_map(|code| code.words()).collect();
        words.sort_unstable();
        let count = words.len();
        words.dedup();
        assert_eq!(words.len(), count);
    }
}
