//! Any text is an instrument profile or refused in words. Whatever is accepted can be driven: any bytes that
//! arrive then lead to points, remarks or the end of the job, never to a panic. The input is the profile, and after
//! a zero byte what arrives.

#![no_main]

use interphase::instrument::{Job, SweepJob, driver_for};
use interphase::profile::{Cell, Instrument, Plan};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let end = input.iter().position(|byte| *byte == 0).unwrap_or(input.len());
    let Ok(text) = std::str::from_utf8(&input[..end]) else {
        return;
    };
    let bytes = input.get(end + 1..).unwrap_or_default();
    for error in [
        Cell::parse("fuzzed", text).err(),
        Plan::parse("fuzzed", text).err(),
    ]
    .into_iter()
    .flatten()
    {
        let _ = error.to_string();
    }
    let profile = match Instrument::parse("fuzzed", text) {
        Ok(profile) => profile,
        Err(error) => {
            let _ = error.to_string();
            return;
        }
    };
    if profile.line.is_none() {
        return;
    }
    let mut driver = driver_for(&profile, 0, 1.0);
    let mut now_s = 0.0;
    let jobs = [
        Job::Connect { take_over: false },
        Job::Sweep(SweepJob {
            f_max_hz: 1e3,
            f_min_hz: 1.0,
            n_points: 4,
            ..SweepJob::default()
        }),
        Job::CellOff,
    ];
    for job in jobs {
        driver.start(job, now_s);
        for piece in bytes.chunks(7) {
            driver.receive(piece, now_s);
            if let Some(deadline_s) = driver.deadline_s() {
                now_s = deadline_s.max(now_s);
                driver.tick(now_s);
            }
            while driver.take_output().is_some() {}
        }
        driver.link_lost();
        while driver.take_output().is_some() {}
    }
});
