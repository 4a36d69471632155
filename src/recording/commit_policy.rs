//! When what has been appended is put on disk: soon while much happens, seldom while little does.
//!
//! Each commit costs the disk about 17 kB however few events are in it. So an event that stands alone waits up to a
//! second, while as soon as two come within a quarter of a second (a line, its point and its fit do) everything
//! pending is on disk within 100 ms of its first event.

use std::time::{Duration, Instant};

/// The longest wait of an event while events come close together.
pub const DENSE_WAIT: Duration = Duration::from_millis(100);

/// The longest wait of an event that stands alone.
pub const IDLE_WAIT: Duration = Duration::from_secs(1);

/// Two events no further apart than this come close together.
pub const DENSE_SPACING: Duration = Duration::from_millis(250);

/// As many pending events are committed at once, so that a transaction stays small.
pub const MOST_PENDING: usize = 5_000;

/// Decides when to commit. It reads no clock itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommitPolicy {
    /// When the first uncommitted event came.
    first_pending: Option<Instant>,
    /// When the last event came.
    last_arrival: Option<Instant>,
    /// Whether any two neighbours came close together since the last commit, or just before the first pending.
    dense: bool,
    pending: usize,
}

impl CommitPolicy {
    /// Takes note of an event appended at `now`.
    pub fn appended(&mut self, now: Instant) {
        let close = self
            .last_arrival
            .is_some_and(|last| now.saturating_duration_since(last) < DENSE_SPACING);
        self.dense |= close;
        self.last_arrival = Some(now);
        self.first_pending.get_or_insert(now);
        self.pending += 1;
    }

    /// Takes note that everything appended is on disk.
    pub fn committed(&mut self) {
        self.first_pending = None;
        self.dense = false;
        self.pending = 0;
    }

    /// When to commit at the latest; none while nothing is pending.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let first = self.first_pending?;
        if self.pending >= MOST_PENDING {
            return Some(first);
        }
        Some(first + if self.dense { DENSE_WAIT } else { IDLE_WAIT })
    }

    /// Whether to commit at `now`.
    #[must_use]
    pub fn is_due(&self, now: Instant) -> bool {
        self.deadline().is_some_and(|deadline| deadline <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Instant, arrivals_ms: &[u64]) -> CommitPolicy {
        let mut policy = CommitPolicy::default();
        for &arrival in arrivals_ms {
            policy.appended(start + Duration::from_millis(arrival));
        }
        policy
    }

    fn deadline_ms(arrivals_ms: &[u64]) -> u128 {
        let start = Instant::now();
        let deadline = after(start, arrivals_ms).deadline().unwrap();
        deadline.duration_since(start).as_millis()
    }

    #[test]
    fn without_events_there_is_nothing_to_commit() {
        assert_eq!(CommitPolicy::default().deadline(), None);
    }

    #[test]
    fn an_event_that_stands_alone_is_committed_within_a_second() {
        assert_eq!(deadline_ms(&[0]), 1000);
        assert_eq!(deadline_ms(&[0, 400, 800]), 1000);
    }

    #[test]
    fn dense_events_are_committed_within_100_ms_of_the_first() {
        assert_eq!(deadline_ms(&[0, 3]), 100);
        assert_eq!(deadline_ms(&[0, 20, 40, 60, 80]), 100);
    }

    #[test]
    fn a_first_event_after_silence_waits_no_longer_once_more_follow() {
        let start = Instant::now();
        let mut policy = after(start, &[0]);
        let follow = start + Duration::from_millis(200);
        assert!(!policy.is_due(follow));
        policy.appended(follow);
        assert!(policy.is_due(follow));
    }

    #[test]
    fn density_is_seen_across_a_commit() {
        let start = Instant::now();
        let mut policy = after(start, &[0, 50]);
        policy.committed();
        assert_eq!(policy.deadline(), None);
        policy.appended(start + Duration::from_millis(150));
        assert!(policy.is_due(start + Duration::from_millis(250)));
    }

    #[test]
    fn silence_makes_events_stand_alone_again() {
        let start = Instant::now();
        let mut policy = after(start, &[0, 5]);
        policy.committed();
        policy.appended(start + Duration::from_millis(900));
        assert!(!policy.is_due(start + Duration::from_millis(1100)));
        assert!(policy.is_due(start + Duration::from_millis(1900)));
    }

    #[test]
    fn a_flood_is_committed_at_once() {
        let policy = after(Instant::now(), &vec![0; MOST_PENDING]);
        assert!(policy.is_due(policy.first_pending.unwrap()));
    }
}
