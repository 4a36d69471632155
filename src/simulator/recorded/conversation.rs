//! What was said over the line in a recorded session: requests, and what followed each of them when.

use std::collections::HashMap;

use super::requests::{Requests, Speech};
use crate::event::{Direction, Event, EventBody, LinkState};
use crate::profile::{Instrument, Protocol};
use crate::recording::{ReadError, Reader};

/// The name under which a session attaches the profile of its instrument.
const INSTRUMENT_PROFILE: &str = "instrument.toml";

/// How long a link that never came back stays away, in s.
const FOR_EVER_S: f64 = 1e9;

/// Why a recording cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ConversationError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It has no bytes of a line.
    #[error(
        "{path} holds no bytes of an instrument's line{why}: only a session that was measured can be served; \
         `interphase replay` shows it"
    )]
    NoBytes {
        /// The recording.
        path: String,
        /// Why, where that is known.
        why: &'static str,
    },
}

/// Something that the instrument, or its line, did.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Deed {
    /// It sent bytes.
    Sent(Vec<u8>),
    /// The line was lost, and came back after so many s.
    HungUp { for_s: f64 },
}

/// A deed, and how long after the request it was, in s of the session's clock.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    pub delay_s: f64,
    pub deed: Deed,
}

/// A request and what followed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Exchange {
    pub request: Vec<u8>,
    pub answers: Vec<Answer>,
    /// Whether it was asked and answered while the output of a script went on.
    pub in_between: bool,
}

/// A recorded session as its instrument saw it.
#[derive(Clone, Debug)]
pub struct Conversation {
    pub(super) speech: Speech,
    /// What came before the first request, since the beginning of the session.
    pub(super) prelude: Vec<Answer>,
    pub(super) exchanges: Vec<Exchange>,
    /// Where each request stands.
    places: HashMap<Vec<u8>, Vec<usize>>,
    /// Name of the instrument's profile.
    pub instrument: String,
    /// Name of the cell's profile.
    pub cell: String,
    /// How much faster than the wall clock the session's clock ran.
    pub time_scale: f64,
}

impl Conversation {
    /// Reads a recording.
    ///
    /// # Errors
    /// Where it cannot be read, or has no bytes of a line.
    pub fn of(reader: &mut Reader) -> Result<Self, ConversationError> {
        let profile = reader
            .attachments()?
            .into_iter()
            .find(|attachment| attachment.name == INSTRUMENT_PROFILE)
            .and_then(|attachment| String::from_utf8(attachment.bytes).ok())
            .and_then(|text| Instrument::parse(INSTRUMENT_PROFILE, &text).ok());
        let speech = match profile {
            Some(profile) if profile.protocol != Protocol::MethodScript => Speech::Lines,
            _ => Speech::MethodScript,
        };
        let mut builder = Builder::new(speech);
        let until = reader.last_seq()?;
        for event in reader.events(0).until(until) {
            builder.take(&event?);
        }
        let is_import = builder.conversation.instrument == "import";
        let conversation = builder.finish();
        if conversation.prelude.is_empty() && conversation.exchanges.is_empty() {
            return Err(ConversationError::NoBytes {
                path: reader.path().display().to_string(),
                why: if is_import {
                    " (its spectra were imported from a file)"
                } else {
                    ""
                },
            });
        }
        Ok(conversation)
    }

    /// The first place from one on at which this was asked.
    pub(super) fn find_from(&self, request: &[u8], place: usize) -> Option<usize> {
        let places = self.places.get(request)?;
        places
            .get(places.partition_point(|known| *known < place))
            .copied()
    }

    #[cfg(test)]
    pub(super) fn of_events(speech: Speech, events: impl IntoIterator<Item = Event>) -> Self {
        let mut builder = Builder::new(speech);
        for event in events {
            builder.take(&event);
        }
        builder.finish()
    }
}

/// A question that was asked while a script ran: its answer stands among the output of the script.
#[derive(Clone, Copy, Debug)]
struct Asked {
    exchange: usize,
    letter: u8,
    lines: u32,
}

/// Takes a recording apart while its events pass by.
struct Builder {
    conversation: Conversation,
    requests: Requests,
    began_s: Option<f64>,
    /// When each exchange began.
    asked_at_s: Vec<f64>,
    /// The exchange that what arrives belongs to; none before the first request.
    owner: Option<usize>,
    /// Whether a script runs.
    runs: bool,
    asked: Option<Asked>,
    /// The line that arrives.
    line: Vec<u8>,
    /// Whether that line is kept until it is known whose it is.
    holds: bool,
    /// When the line was lost.
    lost_s: Option<f64>,
}

impl Builder {
    fn new(speech: Speech) -> Self {
        Self {
            conversation: Conversation {
                speech,
                prelude: Vec::new(),
                exchanges: Vec::new(),
                places: HashMap::new(),
                instrument: String::new(),
                cell: String::new(),
                time_scale: 1.0,
            },
            requests: Requests::new(speech),
            began_s: None,
            asked_at_s: Vec::new(),
            owner: None,
            runs: false,
            asked: None,
            line: Vec::new(),
            holds: false,
            lost_s: None,
        }
    }

    fn take(&mut self, event: &Event) {
        let now_s = event.stamp.elapsed_s();
        self.began_s.get_or_insert(now_s);
        match &event.body {
            EventBody::Session(session) => {
                self.conversation.instrument.clone_from(&session.instrument);
                self.conversation.cell.clone_from(&session.cell);
                if session.time_scale.is_finite() && session.time_scale > 0.0 {
                    self.conversation.time_scale = session.time_scale;
                }
            }
            EventBody::Wire(wire) if wire.direction == Direction::Tx => {
                for request in self.requests.feed(&wire.bytes) {
                    self.asked_for(request, now_s);
                }
            }
            EventBody::Wire(wire) => self.arrived(&wire.bytes, now_s),
            EventBody::Link(link) if link.state == LinkState::Lost => {
                self.broken();
                // An instrument that does not answer is silent, and its line is still there.
                self.lost_s = is_hang_up(&link.reason).then_some(now_s);
            }
            EventBody::Link(_) => {
                if let Some(lost_s) = self.lost_s.take() {
                    self.hung_up(lost_s, now_s - lost_s);
                }
            }
            EventBody::Resumed(_) => self.broken(),
            _ => {}
        }
    }

    fn finish(mut self) -> Conversation {
        self.broken();
        if let Some(lost_s) = self.lost_s.take() {
            self.hung_up(lost_s, FOR_EVER_S);
        }
        for (place, exchange) in self.conversation.exchanges.iter().enumerate() {
            let places = &mut self.conversation.places;
            places.entry(exchange.request.clone()).or_default().push(place);
        }
        self.conversation
    }

    fn asked_for(&mut self, request: Vec<u8>, now_s: f64) {
        let speech = self.conversation.speech;
        let place = self.conversation.exchanges.len();
        let in_between = self.runs && speech.is_question(&request);
        if in_between {
            self.asked = request.first().map(|letter| Asked {
                exchange: place,
                letter: *letter,
                lines: if request == b"t" { 2 } else { 1 },
            });
        } else {
            self.owner = Some(place);
            self.asked = None;
            self.runs = speech.is_script(&request) || (self.runs && speech.interferes(&request));
        }
        self.asked_at_s.push(now_s);
        self.conversation.exchanges.push(Exchange {
            request,
            answers: Vec::new(),
            in_between,
        });
    }

    fn arrived(&mut self, bytes: &[u8], now_s: f64) {
        if self.conversation.speech == Speech::Lines {
            return self.give(self.owner, bytes, now_s);
        }
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.line.is_empty() && self.asked.is_some() {
                self.holds = true;
            }
            self.line.extend_from_slice(piece);
            let is_whole = piece.ends_with(b"\n");
            if !self.holds {
                self.give(self.owner, piece, now_s);
            } else if is_whole {
                let (whose, line) = (self.whose_line(), self.line.clone());
                self.give(whose, &line, now_s);
                self.holds = false;
            }
            if is_whole {
                let text = self.line.trim_ascii();
                if text.is_empty() || text.starts_with(b"!") || text.starts_with(b"e!") {
                    self.runs = false;
                }
                self.line.clear();
            }
        }
    }

    /// The exchange to which a line belongs that arrived after a question in between.
    fn whose_line(&mut self) -> Option<usize> {
        let text: Vec<u8> = self.line.iter().copied().filter(|byte| *byte >= b' ').collect();
        let asked = self.asked.as_mut()?;
        let is_answer = text.first() == Some(&asked.letter) || matches!(&text[..], b"R*" | b"B*" | b"D*");
        if !is_answer {
            return self.owner;
        }
        let exchange = asked.exchange;
        asked.lines = asked.lines.saturating_sub(1);
        if asked.lines == 0 || text.get(1) == Some(&b'!') {
            self.asked = None;
        }
        Some(exchange)
    }

    fn give(&mut self, whose: Option<usize>, bytes: &[u8], now_s: f64) {
        let delay_s = self.delay_s(whose, now_s);
        let answers = self.answers(whose);
        match answers.last_mut() {
            // Pieces that arrived together stay together.
            Some(Answer {
                delay_s: known_s,
                deed: Deed::Sent(sent),
            }) if *known_s == delay_s => sent.extend_from_slice(bytes),
            _ => answers.push(Answer {
                delay_s,
                deed: Deed::Sent(bytes.to_vec()),
            }),
        }
    }

    fn hung_up(&mut self, lost_s: f64, for_s: f64) {
        let delay_s = self.delay_s(self.owner, lost_s);
        let deed = Deed::HungUp { for_s };
        self.answers(self.owner).push(Answer { delay_s, deed });
    }

    fn answers(&mut self, whose: Option<usize>) -> &mut Vec<Answer> {
        match whose.and_then(|place| self.conversation.exchanges.get_mut(place)) {
            Some(exchange) => &mut exchange.answers,
            None => &mut self.conversation.prelude,
        }
    }

    fn delay_s(&self, whose: Option<usize>, now_s: f64) -> f64 {
        let began_s = whose.map_or(self.began_s, |place| self.asked_at_s.get(place).copied());
        (now_s - began_s.unwrap_or(now_s)).max(0.0)
    }

    /// What is incomplete stays so: the line was lost, or the program.
    fn broken(&mut self) {
        self.requests.reset();
        self.line.clear();
        self.holds = false;
        self.asked = None;
        self.runs = false;
    }
}

/// Whether a lost link was the port's end, by the words of [`crate::instrument::PortError::Lost`].
fn is_hang_up(reason: &str) -> bool {
    reason.starts_with("the link over ")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{link, rx, session, tx};
    use super::*;
    use crate::instrument::PortError;

    fn sent(delay_s: f64, text: &str) -> Answer {
        Answer {
            delay_s,
            deed: Deed::Sent(text.as_bytes().to_vec()),
        }
    }

    #[test]
    fn what_follows_a_request_is_its_answer_also_where_a_script_was_sent_line_by_line() {
        let events = [
            session(1.0),
            tx(1.0, "t\n"),
            rx(1.5, "tx\nR*\n"),
            tx(2.0, "e\n"),
            tx(2.1, "cell_off\n"),
            tx(2.2, "\n"),
            rx(3.0, "e\n"),
            rx(4.0, "\n"),
        ];
        let conversation = Conversation::of_events(Speech::MethodScript, events);
        let requests: Vec<&[u8]> = conversation
            .exchanges
            .iter()
            .map(|one| &one.request[..])
            .collect();
        assert_eq!(requests, [&b"t"[..], b"e\ncell_off\n\n"]);
        assert_eq!(conversation.exchanges[0].answers, [sent(0.5, "tx\nR*\n")]);
        let answers = &conversation.exchanges[1].answers;
        assert_eq!(answers.len(), 2);
        assert!((answers[0].delay_s - 0.8).abs() < 1e-9 && (answers[1].delay_s - 1.8).abs() < 1e-9);
    }

    #[test]
    fn an_answer_in_the_middle_of_a_scripts_output_is_not_the_scripts() {
        let events = [
            session(1.0),
            tx(0.0, "e\nx\n\n"),
            rx(1.0, "e\nP1\nP"),
            tx(2.0, "t\n"),
            rx(3.0, "2\ntx\nP3\nR*"),
            rx(4.0, "\nP4\n"),
            rx(5.0, "\n"),
        ];
        let conversation = Conversation::of_events(Speech::MethodScript, events);
        let [script, question] = &conversation.exchanges[..] else {
            panic!("{conversation:?}")
        };
        assert!(question.in_between && !script.in_between);
        assert_eq!(question.answers, [sent(1.0, "tx\n"), sent(2.0, "R*\n")]);
        assert_eq!(
            script.answers,
            [
                sent(1.0, "e\nP1\nP"),
                sent(3.0, "2\nP3\n"),
                sent(4.0, "P4\n"),
                sent(5.0, "\n")
            ]
        );
    }

    #[test]
    fn a_port_that_went_and_came_back_hangs_up_and_one_that_was_silent_does_not() {
        let lost = PortError::Lost {
            path: "/dev/ttyACM0".into(),
            why: "it is gone".into(),
        };
        let events = [
            session(1.0),
            tx(0.0, "e\nx\n\n"),
            rx(1.0, "e\n"),
            link(2.0, LinkState::Lost, &lost.to_string()),
            link(7.0, LinkState::Reconnecting, "found again"),
            tx(8.0, "t\n"),
            link(9.0, LinkState::Lost, "the instrument did not answer"),
            link(10.0, LinkState::Reconnecting, ""),
        ];
        let conversation = Conversation::of_events(Speech::MethodScript, events);
        let hang_up = Answer {
            delay_s: 2.0,
            deed: Deed::HungUp { for_s: 5.0 },
        };
        assert_eq!(conversation.exchanges[0].answers, [sent(1.0, "e\n"), hang_up]);
        assert_eq!(conversation.exchanges[1].answers, []);
    }

    #[test]
    fn what_comes_unasked_stands_before_the_first_request() {
        let events = [session(1.0), rx(2.0, "Index,\n"), rx(3.0, "1,2\n")];
        let conversation = Conversation::of_events(Speech::Lines, events);
        assert_eq!(conversation.prelude, [sent(2.0, "Index,\n"), sent(3.0, "1,2\n")]);
    }
}
