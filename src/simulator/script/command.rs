//! The commands that the simulator knows, and what they take.

/// A command of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulator) enum Command {
    Declare,
    Store,
    Copy,
    Add,
    Subtract,
    Multiply,
    Divide,
    SetChannel,
    SetMode,
    SetBandwidth,
    SetRange,
    SetRangeMinMax,
    SetAutoranging,
    SetCurrentRange,
    SetPotentialRange,
    SetCurrentAutoranging,
    SetPotential,
    SetCurrent,
    CellOn,
    CellOff,
    Wait,
    TimerStart,
    TimerGet,
    SendString,
    Measure,
    Impedance,
    GalvanostaticImpedance,
    Chronoamperometry,
    Chronopotentiometry,
    LinearSweep,
    CyclicVoltammetry,
    OpenCircuit,
    PackageStart,
    PackageAdd,
    PackageEnd,
    Loop,
    If,
    ElseIf,
    Else,
    EndIf,
    BreakLoop,
    EndLoop,
    Abort,
    OnFinished,
}

/// What stands at one place of a command's argument list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The name of a new variable.
    NewVariable,
    /// A declared variable, to read or to write.
    Variable,
    /// A number or a declared variable.
    Number,
    /// A variable type of two letters.
    Type,
    /// `<`, `==` and the like.
    Comparison,
    /// Text in quotation marks.
    Text,
}

/// How numbers are compared in conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulator) enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
}

impl Comparison {
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            "==" => Self::Equal,
            "!=" => Self::NotEqual,
            _ => return None,
        })
    }

    pub(in crate::simulator) fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Equal => left == right,
            Self::NotEqual => left != right,
        }
    }
}

impl Command {
    /// Whether the command takes `nscans(n)` after its arguments.
    pub(super) fn takes_scans(self) -> bool {
        self == Self::CyclicVoltammetry
    }

    /// Whether the command starts a measurement loop.
    pub(in crate::simulator) fn is_measurement(self) -> bool {
        matches!(
            self,
            Self::Impedance
                | Self::GalvanostaticImpedance
                | Self::Chronoamperometry
                | Self::Chronopotentiometry
                | Self::LinearSweep
                | Self::CyclicVoltammetry
                | Self::OpenCircuit
        )
    }
}

/// The command of a word and its arguments. `arguments` is the number of tokens after the word, which
/// tells the two forms of `set_autoranging` apart.
pub(super) fn find(word: &str, arguments: usize) -> Option<(Command, &'static [Place])> {
    use Place::{Comparison as Cmp, NewVariable, Number, Text, Type, Variable};
    const COMPARE: &[Place] = &[Number, Cmp, Number];
    Some(match word {
        "var" => (Command::Declare, &[NewVariable]),
        "store_var" => (Command::Store, &[Variable, Number, Type]),
        "copy_var" => (Command::Copy, &[Variable, Variable]),
        "add_var" => (Command::Add, &[Variable, Number]),
        "sub_var" => (Command::Subtract, &[Variable, Number]),
        "mul_var" => (Command::Multiply, &[Variable, Number]),
        "div_var" => (Command::Divide, &[Variable, Number]),
        "set_pgstat_chan" => (Command::SetChannel, &[Number]),
        "set_pgstat_mode" => (Command::SetMode, &[Number]),
        "set_max_bandwidth" => (Command::SetBandwidth, &[Number]),
        "set_range" => (Command::SetRange, &[Type, Number]),
        "set_range_minmax" => (Command::SetRangeMinMax, &[Type, Number, Number]),
        "set_autoranging" if arguments == 2 => (Command::SetCurrentAutoranging, &[Number, Number]),
        "set_autoranging" => (Command::SetAutoranging, &[Type, Number, Number]),
        "set_cr" => (Command::SetCurrentRange, &[Number]),
        "set_pot_range" => (Command::SetPotentialRange, &[Number, Number]),
        "set_e" => (Command::SetPotential, &[Number]),
        "set_i" => (Command::SetCurrent, &[Number]),
        "cell_on" => (Command::CellOn, &[]),
        "cell_off" => (Command::CellOff, &[]),
        "wait" => (Command::Wait, &[Number]),
        "timer_start" => (Command::TimerStart, &[]),
        "timer_get" => (Command::TimerGet, &[Variable]),
        "send_string" => (Command::SendString, &[Text]),
        "meas" => (Command::Measure, &[Number, Variable, Type]),
        "meas_loop_eis" => (
            Command::Impedance,
            &[
                Variable, Variable, Variable, Number, Number, Number, Number, Number,
            ],
        ),
        "meas_loop_geis" => (
            Command::GalvanostaticImpedance,
            &[
                Variable, Variable, Variable, Number, Number, Number, Number, Number,
            ],
        ),
        "meas_loop_ca" => (
            Command::Chronoamperometry,
            &[Variable, Variable, Number, Number, Number],
        ),
        "meas_loop_cp" => (
            Command::Chronopotentiometry,
            &[Variable, Variable, Number, Number, Number],
        ),
        "meas_loop_lsv" => (
            Command::LinearSweep,
            &[Variable, Variable, Number, Number, Number, Number],
        ),
        "meas_loop_cv" => (
            Command::CyclicVoltammetry,
            &[Variable, Variable, Number, Number, Number, Number, Number],
        ),
        "meas_loop_ocp" => (Command::OpenCircuit, &[Variable, Number, Number]),
        "pck_start" => (Command::PackageStart, &[]),
        "pck_add" => (Command::PackageAdd, &[Number]),
        "pck_end" => (Command::PackageEnd, &[]),
        "loop" => (Command::Loop, COMPARE),
        "if" => (Command::If, COMPARE),
        "elseif" => (Command::ElseIf, COMPARE),
        "else" => (Command::Else, &[]),
        "endif" => (Command::EndIf, &[]),
        "breakloop" => (Command::BreakLoop, &[]),
        "endloop" => (Command::EndLoop, &[]),
        "abort" => (Command::Abort, &[]),
        "on_finished:" => (Command::OnFinished, &[]),
        _ => return None,
    })
}
