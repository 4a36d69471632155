//! The fit worker: a thread that fits and judges what is newest, so that measuring never waits for numerics.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use super::sequence::FitSequence;
use super::validity::{FinalValidity, ValiditySequence};
use crate::event::{Fit, Validity};
use crate::spectrum::Point;

/// Points of a sweep that are to be fitted and judged.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Number of the sweep.
    pub sweep: u32,
    /// The step of the plan that it belongs to: only sweeps of one step are compared.
    pub step: u32,
    /// The points in the order of measuring.
    pub points: Vec<Point>,
}

/// What the worker found.
#[derive(Debug)]
pub enum Finding {
    /// A fit, of a running sweep or an ended one.
    Fit(Fit),
    /// A judgement of the points so far of a running sweep.
    Validity(Validity),
    /// The judgement of an ended sweep.
    FinalValidity(FinalValidity),
}

/// What waits to be fitted: of a running sweep only the newest state, of ended ones all, with whether they are whole.
#[derive(Default)]
struct Mailbox {
    partial: Option<Measured>,
    finished: VecDeque<(Measured, bool)>,
    working: bool,
    closed: bool,
}

type Shared = Arc<(Mutex<Mailbox>, Condvar)>;

/// A handle on the fit worker; dropping it ends the worker.
pub struct Fitter {
    shared: Shared,
}

fn lock(shared: &Shared) -> MutexGuard<'_, Mailbox> {
    shared.0.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Fitter {
    /// Starts the worker; fits and judgements come out of the receiver.
    ///
    /// # Errors
    /// Where the system starts no more threads.
    pub fn start(sequence: FitSequence) -> std::io::Result<(Self, mpsc::UnboundedReceiver<Finding>)> {
        let shared = Shared::default();
        let (send, receive) = mpsc::unbounded_channel();
        let worker = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("fitter".to_owned())
            .spawn(move || work(&worker, sequence, &send))?;
        Ok((Self { shared }, receive))
    }

    /// The points so far of a running sweep; what was handed over before and not begun is forgotten.
    pub fn partial(&self, measured: Measured) {
        lock(&self.shared).partial = Some(measured);
        self.shared.1.notify_one();
    }

    /// All points of an ended sweep, and whether they are all that was asked for; never forgotten.
    pub fn finish(&self, measured: Measured, complete: bool) {
        let mut mailbox = lock(&self.shared);
        mailbox.partial = None;
        mailbox.finished.push_back((measured, complete));
        self.shared.1.notify_one();
    }

    /// Whether anything waits or is being fitted.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        let mailbox = lock(&self.shared);
        mailbox.working || mailbox.partial.is_some() || !mailbox.finished.is_empty()
    }
}

impl Drop for Fitter {
    fn drop(&mut self) {
        lock(&self.shared).closed = true;
        self.shared.1.notify_one();
    }
}

/// What is done with the points of a sweep.
enum Job {
    Partial(Measured),
    Finish(Measured, bool),
}

/// The next thing to do; none when the worker is to end.
fn next(shared: &Shared) -> Option<Job> {
    let mut mailbox = lock(shared);
    mailbox.working = false;
    loop {
        if mailbox.closed {
            return None;
        }
        let finished = mailbox.finished.pop_front();
        let job = match finished {
            Some((measured, complete)) => Some(Job::Finish(measured, complete)),
            None => mailbox.partial.take().map(Job::Partial),
        };
        if let Some(job) = job {
            mailbox.working = true;
            return Some(job);
        }
        mailbox = shared.1.wait(mailbox).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Whether newer points of the running sweep, or its end, are there already.
fn is_overtaken(shared: &Shared) -> bool {
    let mailbox = lock(shared);
    mailbox.closed || mailbox.partial.is_some() || !mailbox.finished.is_empty()
}

/// A fault in the numerics costs this result, not the measurement.
fn guarded<T>(what: &str, measured: &Measured, compute: impl FnOnce() -> Option<T>) -> Option<T> {
    let result = catch_unwind(AssertUnwindSafe(compute));
    result.unwrap_or_else(|_| {
        let (sweep, points) = (measured.sweep, measured.points.len());
        tracing::error!("the {what} of sweep {sweep} with {points} points failed");
        None
    })
}

fn work(shared: &Shared, mut fits: FitSequence, send: &mpsc::UnboundedSender<Finding>) {
    let mut judgements = ValiditySequence::default();
    while let Some(job) = next(shared) {
        let (fit, finding) = match &job {
            Job::Partial(measured) => {
                let Measured { sweep, step, points } = measured;
                let fit = guarded("fit", measured, || fits.partial(*sweep, points));
                if fit.is_some_and(|fit| send.send(Finding::Fit(fit)).is_err()) {
                    return;
                }
                // The fit comes first; a judgement of points that are out of date is worth nothing.
                if is_overtaken(shared) {
                    continue;
                }
                let validity = guarded("judgement", measured, || {
                    judgements.partial(*sweep, *step, points)
                });
                (None, validity.map(Finding::Validity))
            }
            Job::Finish(measured, complete) => {
                let Measured { sweep, step, points } = measured;
                let fit = guarded("fit", measured, || fits.finish(*sweep, points));
                let validity = guarded("judgement", measured, || {
                    judgements.finish(*sweep, *step, *complete, points)
                });
                (fit.map(Finding::Fit), validity.map(Finding::FinalValidity))
            }
        };
        for finding in fit.into_iter().chain(finding) {
            if send.send(finding).is_err() {
                return;
            }
        }
    }
}
