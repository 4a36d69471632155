//! The instrument of a recorded session: it answers as it did on that day.
//!
//! The bytes that were sent to it are the requests it knows, and what followed each of them are its answers, with
//! their delays. Whoever asks the same in the same order gets the same bytes at the same times. What is asked out of
//! order is looked for from the present place on, then from the beginning.

mod conversation;
mod requests;

use std::collections::HashSet;

use self::conversation::{Answer, Deed};
use self::requests::Requests;
use super::instrument::SimulatedInstrument;
use super::truth::SweepTruth;
use crate::event::escape;

pub use self::conversation::{Conversation, ConversationError};

/// What is still to be said when a script is aborted, or another one sent, is said for so long yet, in s of real
/// time: it may be on its way already.
const ON_ITS_WAY_S: f64 = 1.0;

/// How long after the last bytes the line hangs up at the earliest, in s of real time: bytes that nobody has read
/// are lost with it.
const BEFORE_HANG_UP_S: f64 = 0.1;

/// How much of a request that was never recorded is told.
const TOLD_BYTES: usize = 60;

/// Answers that are being given.
#[derive(Clone, Copy, Debug)]
struct Answering {
    /// Whose; none for what came before the first request.
    exchange: Option<usize>,
    next: usize,
    /// When the delays begin, in s of device time.
    from_s: f64,
    /// What is due later is not given any more.
    until_s: f64,
}

/// A recorded session's instrument. Its time is that of the session's clock.
pub struct RecordedDevice {
    conversation: Conversation,
    requests: Requests,
    /// The exchange that is expected next.
    place: usize,
    answering: Vec<Answering>,
    hang_up_s: Option<f64>,
    /// Device time in a second of real time.
    real_s: f64,
    last_sent_s: f64,
    /// What is said at once to what was never asked.
    refusals: Vec<u8>,
    now_s: f64,
    tell: Box<dyn FnMut(&str) + Send>,
    told: HashSet<Vec<u8>>,
}

impl RecordedDevice {
    /// The instrument of a session. `time_scale` is how much faster than the wall clock it will live; `tell` hears
    /// of requests that were never recorded, each once.
    #[must_use]
    pub fn new(conversation: Conversation, time_scale: f64, tell: impl FnMut(&str) + Send + 'static) -> Self {
        let mut device = Self {
            requests: Requests::new(conversation.speech),
            conversation,
            place: 0,
            answering: Vec::new(),
            hang_up_s: None,
            real_s: time_scale,
            last_sent_s: f64::NEG_INFINITY,
            refusals: Vec::new(),
            now_s: 0.0,
            tell: Box::new(tell),
            told: HashSet::new(),
        };
        device.answer(None, 0.0);
        device
    }

    fn answers(&self, exchange: Option<usize>) -> &[Answer] {
        match exchange {
            Some(place) => &self.conversation.exchanges[place].answers,
            None => &self.conversation.prelude,
        }
    }

    fn answer(&mut self, exchange: Option<usize>, from_s: f64) {
        if !self.answers(exchange).is_empty() {
            self.answering.push(Answering {
                exchange,
                next: 0,
                from_s,
                until_s: f64::INFINITY,
            });
        }
    }

    /// When the next of these answers is due; none where there is none.
    fn due_s(&self, answering: &Answering) -> Option<f64> {
        let answer = self.answers(answering.exchange).get(answering.next)?;
        let mut due_s = answering.from_s + answer.delay_s;
        if matches!(answer.deed, Deed::HungUp { .. }) {
            due_s = due_s.max(self.last_sent_s + BEFORE_HANG_UP_S * self.real_s);
        }
        (due_s <= answering.until_s).then_some(due_s)
    }

    /// The answers that are due first; of those due together the ones that were begun first.
    fn next_due(&self) -> Option<(f64, usize)> {
        let due = self.answering.iter().enumerate();
        due.filter_map(|(index, answering)| Some((self.due_s(answering)?, index)))
            .min_by(|(a, _), (b, _)| a.total_cmp(b))
    }

    /// When the last of what is being said is due.
    fn last_due_s(&self) -> Option<f64> {
        let last = self.answering.iter().filter_map(|answering| {
            let answer = self.answers(answering.exchange).last()?;
            Some((answering.from_s + answer.delay_s).min(answering.until_s))
        });
        last.max_by(f64::total_cmp)
    }

    fn request(&mut self, request: &[u8], now_s: f64) {
        let speech = self.conversation.speech;
        let found = self
            .conversation
            .find_from(request, self.place)
            .or_else(|| self.conversation.find_from(request, 0));
        let Some(place) = found else {
            self.refuse(request);
            return;
        };
        let is_expected = place == self.place;
        // A question may be asked at any time; what is measured goes on from where it was.
        if is_expected || !speech.is_question(request) {
            self.place = place + 1;
        }
        if speech.is_script(request) || request == b"Z" {
            for answering in &mut self.answering {
                answering.until_s = answering.until_s.min(now_s + ON_ITS_WAY_S * self.real_s);
            }
        }
        let mut from_s = now_s;
        let exchange = &self.conversation.exchanges[place];
        if let (true, false, Some(first), Some(last_s)) = (
            is_expected,
            exchange.in_between,
            exchange.answers.first(),
            self.last_due_s(),
        ) {
            // It was asked after all that, so it is answered after all that.
            from_s = from_s.max(last_s - first.delay_s);
        }
        self.answer(Some(place), from_s);
    }

    fn refuse(&mut self, request: &[u8]) {
        let refusal = self.conversation.speech.refusal(request);
        if !request.is_empty() && self.told.insert(request.to_vec()) {
            let shown = escape(&request[..request.len().min(TOLD_BYTES)]);
            let more = if request.len() > TOLD_BYTES { "..." } else { "" };
            let how = match &refusal[..] {
                b"" => "not answered".to_owned(),
                refusal => format!("answered {}", escape(refusal.trim_ascii_end())),
            };
            (self.tell)(&format!(
                "`{shown}{more}` was never asked in this session; it is {how}"
            ));
        }
        self.refusals.extend_from_slice(&refusal);
    }
}

impl SimulatedInstrument for RecordedDevice {
    fn receive(&mut self, bytes: &[u8], now_s: f64) {
        self.now_s = now_s;
        for request in self.requests.feed(bytes) {
            self.request(&request, now_s);
        }
    }

    fn advance(&mut self, now_s: f64) -> Vec<u8> {
        self.now_s = now_s;
        let mut sent = std::mem::take(&mut self.refusals);
        while let Some((due_s, index)) = self.next_due()
            && due_s <= now_s
            && self.hang_up_s.is_none()
        {
            let answering = self.answering[index];
            match &self.answers(answering.exchange)[answering.next].deed {
                Deed::Sent(bytes) => {
                    sent.extend_from_slice(bytes);
                    self.last_sent_s = now_s;
                }
                Deed::HungUp { for_s } => {
                    self.hang_up_s = Some(*for_s);
                    self.requests.reset();
                }
            }
            self.answering[index].next += 1;
        }
        let done: Vec<bool> = self
            .answering
            .iter()
            .map(|answering| self.due_s(answering).is_none())
            .collect();
        let mut done = done.into_iter();
        self.answering.retain(|_| !done.next().unwrap_or(false));
        sent
    }

    fn deadline_s(&self) -> Option<f64> {
        if self.refusals.is_empty() {
            self.next_due().map(|(due_s, _)| due_s)
        } else {
            Some(self.now_s)
        }
    }

    fn take_truths(&mut self) -> Vec<SweepTruth> {
        Vec::new()
    }

    fn take_hang_up(&mut self) -> Option<f64> {
        self.hang_up_s.take()
    }

    fn waits_for_client(&self) -> bool {
        !self.conversation.prelude.is_empty()
    }
}

#[cfg(test)]
mod tests;
