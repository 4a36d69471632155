//! Steps of a profile as single actions: one thing to send or one thing to wait for.

use crate::profile::line::{AcknowledgePolicy, LineProfile, Step, Template, Values};

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Action {
    /// Send a line.
    Send(String),
    /// Pause in s of the session's clock.
    Delay(f64),
    /// Throw away what arrives for so long in s of real time.
    Drain(f64),
    /// Wait for an answer.
    Expect {
        template: Template,
        asked: String,
        timeout_s: f64,
    },
    /// Wait for the confirmation of a command.
    Confirm { asked: String, timeout_s: f64 },
    /// Wait for the answer that says whether a command was taken.
    ConfirmPoll { asked: String, timeout_s: f64 },
    /// Wait for the answer of a queue of errors.
    Errors { timeout_s: f64 },
    /// Wait for a row.
    Row,
    /// Throw away a row that is still to come.
    StrayRow,
    /// From here on confirmations are about the switch of the cell.
    CellOff,
}

/// The actions of steps with these values.
pub(super) fn actions(profile: &LineProfile, steps: &[Step], values: &Values) -> Vec<Action> {
    steps
        .iter()
        .flat_map(|step| of_step(profile, step, values, false))
        .collect()
}

/// The actions of a question that is answered by a row.
pub(super) fn question(profile: &LineProfile, step: &Step, values: &Values) -> Vec<Action> {
    of_step(profile, step, values, true)
}

/// The actions that ask a queue of errors; none where there is none.
pub(super) fn error_query(profile: &LineProfile) -> Vec<Action> {
    let timeout_s = profile.time.reply_s;
    let Some(query) = &profile.error_query else {
        return Vec::new();
    };
    vec![
        Action::Send(query.send.write(&Values::new())),
        Action::Errors { timeout_s },
    ]
}

fn of_step(profile: &LineProfile, step: &Step, values: &Values, row: bool) -> Vec<Action> {
    let mut actions = Vec::new();
    let timeout_s = step.timeout_s.unwrap_or(profile.time.reply_s);
    let asked = step.send.as_ref().map(|send| send.write(values));
    let policy = match &asked {
        Some(_) => step.acknowledge.unwrap_or(profile.acknowledge.policy),
        None => AcknowledgePolicy::None,
    };
    actions.extend(asked.clone().map(Action::Send));
    let asked = asked.unwrap_or_default();
    let confirm = || Action::Confirm {
        asked: asked.clone(),
        timeout_s,
    };
    if policy == AcknowledgePolicy::Before {
        actions.push(confirm());
    }
    if row {
        actions.push(Action::Row);
    }
    if let Some(template) = &step.expect {
        actions.push(Action::Expect {
            template: template.clone(),
            asked: asked.clone(),
            timeout_s,
        });
    }
    if policy == AcknowledgePolicy::After {
        actions.push(confirm());
    }
    if policy == AcknowledgePolicy::Poll
        && let Some(poll) = &profile.acknowledge.poll
    {
        actions.push(Action::Send(poll.write(values)));
        actions.push(Action::ConfirmPoll { asked, timeout_s });
    }
    if step.delay_s > 0.0 {
        actions.push(Action::Delay(step.delay_s));
    }
    if step.drain_s > 0.0 {
        actions.push(Action::Drain(step.drain_s));
    }
    actions
}
