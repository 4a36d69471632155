//! Commands of a script that set the potentiostat.

use super::potentiostat::Potentiostat;
use super::script::{Argument, Command};
use super::variables::{Variables, kind};
use crate::instrument::method_script::{ErrorCode, VariableType};

/// Commands that set the potentiostat.
pub(super) fn set_up(
    command: Command,
    arguments: &[Argument],
    variables: &Variables,
    potentiostat: &mut Potentiostat,
    now_s: f64,
) -> Result<(), ErrorCode> {
    let number = |index: usize| variables.number(arguments.get(index)).0;
    match command {
        Command::SetChannel if number(0) != 0.0 => return Err(ErrorCode::CHANNEL_NOT_AVAILABLE),
        Command::SetMode => match number(0) {
            6.0 if !potentiostat.persona.has("cp") => return Err(ErrorCode::MODE_NOT_SUPPORTED),
            mode @ (0.0 | 2.0 | 3.0 | 4.0 | 6.0) => potentiostat.mode = mode as u32,
            _ => return Err(ErrorCode::MODE_NOT_SUPPORTED),
        },
        Command::SetBandwidth if number(0) <= 0.0 => return Err(ErrorCode::ARGUMENT_NOT_POSITIVE),
        Command::SetCurrentRange => potentiostat.set_current_range(number(0)),
        Command::SetCurrentAutoranging => potentiostat.set_current_bounds(number(0), number(1)),
        Command::SetRange => match kind(arguments, 0) {
            VariableType::CURRENT => potentiostat.set_current_range(number(1)),
            VariableType::POTENTIAL => potentiostat.set_potential_bounds(number(1), number(1)),
            VariableType::SET_POTENTIAL | VariableType::SET_CURRENT => {}
            _ => return Err(ErrorCode::ARGUMENT_VARIABLE_TYPE),
        },
        Command::SetAutoranging => match kind(arguments, 0) {
            VariableType::CURRENT => potentiostat.set_current_bounds(number(1), number(2)),
            VariableType::POTENTIAL => potentiostat.set_potential_bounds(number(1), number(2)),
            _ => return Err(ErrorCode::ARGUMENT_VARIABLE_TYPE),
        },
        Command::SetRangeMinMax if kind(arguments, 0) == VariableType::SET_POTENTIAL => {
            check_potential(potentiostat, number(1))?;
            check_potential(potentiostat, number(2))?;
            if !potentiostat.window_is_valid(number(1), number(2)) {
                return Err(ErrorCode::INVALID_POTENTIAL);
            }
        }
        Command::SetPotentialRange => {
            check_potential(potentiostat, number(0))?;
            check_potential(potentiostat, number(1))?;
        }
        Command::SetPotential => apply_potential(potentiostat, number(0), now_s)?,
        Command::SetCurrent => {
            if number(0).abs() > potentiostat.persona.current_max_a {
                return Err(ErrorCode::ARGUMENT_OUT_OF_BOUNDS);
            }
            potentiostat.current_a = number(0);
            potentiostat.applied_since_s = now_s;
        }
        Command::CellOn if !potentiostat.cell_on => {
            potentiostat.cell_on = true;
            potentiostat.applied_since_s = now_s;
        }
        Command::CellOff => potentiostat.cell_on = false,
        _ => {}
    }
    Ok(())
}

/// Sets the potential of the cell in V.
pub(super) fn apply_potential(
    potentiostat: &mut Potentiostat,
    potential_v: f64,
    now_s: f64,
) -> Result<(), ErrorCode> {
    check_potential(potentiostat, potential_v)?;
    if potentiostat.potential_v != potential_v {
        potentiostat.potential_v = potential_v;
        potentiostat.applied_since_s = now_s;
    }
    Ok(())
}

/// Whether the device can set a potential in V.
pub(super) fn check_potential(potentiostat: &Potentiostat, potential_v: f64) -> Result<(), ErrorCode> {
    if potentiostat.potential_is_valid(potential_v) {
        Ok(())
    } else {
        Err(ErrorCode::INVALID_POTENTIAL)
    }
}
