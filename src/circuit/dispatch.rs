//! The widest instructions of the machine, chosen while the program runs.
//!
//! A [`Kernel`] is compiled twice from the same source: for the processor that the program was built for, and for
//! x86-64 with AVX2. Both do the same IEEE operations in the same order (nothing is contracted to fused
//! multiply-adds), so that a result is the same to the bit on every machine.

#![allow(unsafe_code)]

use std::cell::Cell;

/// A loop that is worth wide instructions. Its `run`, and what it calls, must be `#[inline(always)]`: only code
/// that is inlined gets them.
pub(crate) trait Kernel {
    /// Does the work.
    fn run(self);
}

thread_local! {
    static FALLBACK: Cell<bool> = const { Cell::new(false) };
}

/// Runs a kernel with the widest instructions of this machine.
#[inline]
pub(crate) fn run(kernel: impl Kernel) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && !FALLBACK.get() {
        // SAFETY: the processor has just been seen to have AVX2, which is all that `with_avx2` asks for.
        unsafe { with_avx2(kernel) };
        return;
    }
    kernel.run();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2(kernel: impl Kernel) {
    kernel.run();
}

/// Runs `work` on this thread without the wide instructions: what a machine without them computes.
pub fn with_fallback<T>(work: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            FALLBACK.set(self.0);
        }
    }
    let _restore = Restore(FALLBACK.replace(true));
    work()
}
