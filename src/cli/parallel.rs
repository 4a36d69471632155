//! Work on all cores whose results come out in the order in which it was given.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::progress::Progress;

/// How often the progress is drawn.
const REDRAW: Duration = Duration::from_millis(100);

/// Hands a result of a given place on; false where nobody wants more.
pub(super) type Emit<'a, T> = dyn Fn(usize, T) -> bool + 'a;

/// Does `jobs` pieces of work, which emit `results` results at places 0, 1, ... altogether, and hands each to
/// `each` as soon as all before it have been.
///
/// # Errors
/// The first of `each`, after which no new work is begun.
pub(super) fn in_order<T: Send>(
    jobs: usize,
    results: usize,
    work: impl Fn(usize, &Emit<'_, T>) + Sync,
    mut each: impl FnMut(usize, T) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(jobs);
    let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (sender, receiver) = mpsc::channel();
    let mut progress = Progress::new(results, "files");
    thread::scope(|scope| {
        for _ in 0..threads {
            let sender = sender.clone();
            let (work, next, stopped) = (&work, &next, &stopped);
            scope.spawn(move || {
                let emit =
                    |place, result| !stopped.load(Ordering::Relaxed) && sender.send((place, result)).is_ok();
                while !stopped.load(Ordering::Relaxed) {
                    let job = next.fetch_add(1, Ordering::Relaxed);
                    if job >= jobs {
                        break;
                    }
                    work(job, &emit);
                }
            });
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let (mut arrived, mut due) = (0, 0);
        loop {
            match receiver.recv_timeout(REDRAW) {
                Ok((place, result)) => {
                    arrived += 1;
                    waiting.insert(place, result);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            while let Some(result) = waiting.remove(&due) {
                progress.hide();
                if let Err(error) = each(due, result) {
                    stopped.store(true, Ordering::Relaxed);
                    return Err(error);
                }
                due += 1;
            }
            progress.show(arrived);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_jobs() {
        let mut seen = Vec::new();
        let work = |job: usize, emit: &Emit<'_, usize>| {
            // The first takes longest.
            thread::sleep(Duration::from_millis(if job == 0 { 30 } else { 1 }));
            emit(job, job * job);
        };
        in_order(20, 20, work, |place, result| {
            seen.push((place, result));
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, (0..20).map(|i| (i, i * i)).collect::<Vec<_>>());
    }

    #[test]
    fn after_an_error_no_new_work_is_begun() {
        let begun = AtomicUsize::new(0);
        let work = |job: usize, emit: &Emit<'_, usize>| {
            begun.fetch_add(1, Ordering::Relaxed);
            thread::sleep(Duration::from_millis(5));
            emit(job, job);
        };
        let result = in_order(1000, 1000, work, |_, _| anyhow::bail!("enough"));
        assert_eq!(result.unwrap_err().to_string(), "enough");
        assert!(begun.load(Ordering::Relaxed) < 100);
    }
}
