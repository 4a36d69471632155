//! The fit worker: a thread that fits what is newest, so that measuring never waits for numerics.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use super::sequence::FitSequence;
use crate::event::Fit;
use crate::spectrum::Point;

/// What waits to be fitted: of a running sweep only the newest state, of ended ones all.
#[derive(Default)]
struct Mailbox {
    partial: Option<(u32, Vec<Point>)>,
    finished: VecDeque<(u32, Vec<Point>)>,
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
    /// Starts the worker; fits come out of the receiver.
    ///
    /// # Errors
    /// Where the system starts no more threads.
    pub fn start(sequence: FitSequence) -> std::io::Result<(Self, mpsc::UnboundedReceiver<Fit>)> {
        let shared = Shared::default();
        let (send, receive) = mpsc::unbounded_channel();
        let worker = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("fitter".to_owned())
            .spawn(move || work(&worker, sequence, &send))?;
        Ok((Self { shared }, receive))
    }

    /// The points so far of a running sweep; what was handed over before and not begun is forgotten.
    pub fn partial(&self, sweep: u32, points: &[Point]) {
        lock(&self.shared).partial = Some((sweep, points.to_vec()));
        self.shared.1.notify_one();
    }

    /// All points of an ended sweep; never forgotten.
    pub fn finish(&self, sweep: u32, points: Vec<Point>) {
        let mut mailbox = lock(&self.shared);
        mailbox.partial = None;
        mailbox.finished.push_back((sweep, points));
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

fn work(shared: &Shared, mut sequence: FitSequence, send: &mpsc::UnboundedSender<Fit>) {
    loop {
        let (sweep, points, is_final) = {
            let mut mailbox = lock(shared);
            mailbox.working = false;
            loop {
                if mailbox.closed {
                    return;
                }
                let finished = mailbox
                    .finished
                    .pop_front()
                    .map(|(sweep, points)| (sweep, points, true));
                let next = finished.or_else(|| {
                    mailbox
                        .partial
                        .take()
                        .map(|(sweep, points)| (sweep, points, false))
                });
                if let Some(next) = next {
                    mailbox.working = true;
                    break next;
                }
                mailbox = shared.1.wait(mailbox).unwrap_or_else(PoisonError::into_inner);
            }
        };
        // A fault in the numerics costs this fit, not the measurement.
        let fitted = catch_unwind(AssertUnwindSafe(|| {
            if is_final {
                sequence.finish(sweep, &points)
            } else {
                sequence.partial(sweep, &points)
            }
        }));
        match fitted {
            Ok(Some(fit)) => {
                if send.send(fit).is_err() {
                    return;
                }
            }
            Ok(None) => {}
            Err(_) => tracing::error!("the fit of sweep {sweep} with {} points failed", points.len()),
        }
    }
}
