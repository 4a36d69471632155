//! Why a plan is not begun.

use crate::instrument::RangeError;

/// Why a plan is not begun, or a sweep not made: nothing has been sent for it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The instrument cannot do a step.
    #[error("step {step} of plan {plan}: {what} is beyond the {instrument} ({limit}); change the plan")]
    BeyondInstrument {
        /// The plan.
        plan: String,
        /// The step, from 1.
        step: usize,
        /// What is asked for.
        what: String,
        /// The instrument.
        instrument: String,
        /// What it can do.
        limit: String,
    },
    /// The instrument does not have the technique of a step.
    #[error(
        "step {step} of plan {plan}: the {instrument} cannot do `{technique}`; it can do {known}. Use another \
         instrument or change the step"
    )]
    NoSuchTechnique {
        /// The plan.
        plan: String,
        /// The step, from 1.
        step: usize,
        /// The instrument.
        instrument: String,
        /// What is asked for.
        technique: String,
        /// What it can do.
        known: String,
    },
    /// The instrument does not reach the potentials of the cell.
    #[error(
        "the cell {cell} rests between {low_v} and {high_v} V, and the {instrument} reaches {reach}: use an instrument \
         with a wider range"
    )]
    CellBeyondInstrument {
        /// The cell.
        cell: String,
        /// Lowest resting potential in V.
        low_v: f64,
        /// Highest resting potential in V.
        high_v: f64,
        /// The instrument.
        instrument: String,
        /// What it reaches.
        reach: String,
    },
    /// The open-circuit potential is needed and cannot be read.
    #[error(
        "the instrument cannot read the open-circuit potential of the cell, which this step needs: use a step that \
         sets potentials of its own (ca, lsv, cv), or another instrument"
    )]
    NoOpenCircuit,
    /// No current range of the instrument will do.
    #[error(transparent)]
    Range(#[from] RangeError),
    /// The current would be larger than the plan allows.
    #[error(
        "a peak current of {peak_a:.3e} A is expected, more than current_max_a = {most_a:.3e} of plan {plan}; lower \
         amplitude_vrms, or raise the limit if the cell can take it"
    )]
    BeyondPlan {
        /// Predicted peak current in A.
        peak_a: f64,
        /// Largest current of the plan in A.
        most_a: f64,
        /// The plan.
        plan: String,
    },
    /// The direct current of a galvanostatic sweep leaves nothing of what may flow.
    #[error(
        "a direct current of {bias_a} A leaves nothing for the excitation: at most {most_a:.3e} A may flow, by \
         current_max_a of the plan and seven tenths of the instrument's largest range; lower bias_a"
    )]
    NoCurrentLeft {
        /// The direct current in A.
        bias_a: f64,
        /// The largest current in A.
        most_a: f64,
    },
    /// The plan limits the charge, which no sweep watches.
    #[error(
        "step {step} of plan {plan}: charge_max_c cannot be watched in a sweep away from the open circuit: take the \
         limit out of this plan or the bias out of the sweep"
    )]
    ChargeUnwatched {
        /// The plan.
        plan: String,
        /// The step, from 1.
        step: usize,
    },
    /// The bias would polarise the cell.
    #[error(
        "the bias of {bias_v:.4} V is {distance_mv:.1} mV from the open-circuit potential of {ocp_v:.4} V, so \
         direct current would flow; use bias = \"ocp\", or say allow_polarisation = true in the plan"
    )]
    Polarises {
        /// The plan's bias in V.
        bias_v: f64,
        /// The potential of the resting cell in V.
        ocp_v: f64,
        /// Their distance in mV.
        distance_mv: f64,
    },
    /// The potential of the cell is out of bounds.
    #[error(
        "the potential would be {potential_v:.4} V, out of {low_v} to {high_v} V of the {whose}; {advice}"
    )]
    PotentialOutOfBounds {
        /// Extreme potential in V.
        potential_v: f64,
        /// Lower bound in V.
        low_v: f64,
        /// Upper bound in V.
        high_v: f64,
        /// Whose bounds.
        whose: String,
        /// What to do.
        advice: String,
    },
}
