//! The codec of line profiles, with the profiles that are shipped. Any bytes in any pieces give the same lines; a line
//! that is written comes back as it was; a row that was read is written as it can be read again; and no bytes make a
//! driver panic. The first byte of the input chooses the profile, the second says where the rest is cut.

#![no_main]

use std::sync::LazyLock;

use interphase::instrument::line_profile::{Line, Splitter, encode, row};
use interphase::instrument::{Job, SweepJob, driver_for};
use interphase::profile::line::{LineProfile, Row};
use interphase::profile::{Instrument, Kind, shipped_text};
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 7] = [
    "bt4560",
    "im3590",
    "sciospec_lcr1",
    "helpstat",
    "ad5940",
    "ad5940_battery",
    "rodeostat",
];

static PROFILES: LazyLock<Vec<Instrument>> = LazyLock::new(|| {
    let parse = |name: &&str| {
        let text = shipped_text(Kind::Instrument, name).expect("it is shipped");
        Instrument::parse(name, text).expect("it is valid")
    };
    NAMES.iter().map(parse).collect()
});

fn rows_of(line: &LineProfile) -> impl Iterator<Item = &Row> {
    let measuring = line.sweep.iter().chain(&line.open_circuit);
    measuring.map(|measuring| &measuring.row)
}

fn codec(line: &LineProfile, bytes: &[u8], piece: usize) {
    let whole = Splitter::new(line.framing.clone()).feed(bytes);
    let mut splitter = Splitter::new(line.framing.clone());
    let pieces: Vec<Line> = bytes.chunks(piece).flat_map(|piece| splitter.feed(piece)).collect();
    assert_eq!(pieces, whole);
    for text in &whole {
        let Line::Text(text) = text else { continue };
        for form in rows_of(line) {
            let Some(values) = row::read(form, text) else { continue };
            let written = row::write(form, &values);
            let Some(back) = row::read(form, &written) else {
                panic!("{text:?} is a row, and its own form {written:?} is none");
            };
            assert_eq!(back.len(), values.len(), "{text:?} {written:?}");
        }
        let plain = text.chars().all(|c| c.is_ascii_graphic());
        let mut again = Splitter::new(line.framing.clone());
        if plain && text.len() < 40 {
            let framing = interphase::profile::line::Framing {
                send_end: match line.framing.receive_end {
                    interphase::profile::line::LineEnd::Any => line.framing.send_end,
                    end => end,
                },
                blank_before_multiples_of: None,
                ..line.framing.clone()
            };
            assert_eq!(again.feed(&encode(&framing, text)), [Line::Text(text.clone())]);
        }
    }
}

fn driven(profile: &Instrument, bytes: &[u8], piece: usize) {
    let sweep = SweepJob {
        f_max_hz: 1e3,
        f_min_hz: 1.0,
        n_points: 4,
        ..SweepJob::default()
    };
    let rest = Job::OpenCircuit {
        duration_s: 1.0,
        interval_s: 0.2,
    };
    for job in [Job::Connect { take_over: false }, rest, Job::Sweep(sweep), Job::CellOff] {
        let mut driver = driver_for(profile, 0, 1.0);
        let mut now_s = 0.0;
        driver.start(job, now_s);
        for piece in bytes.chunks(piece) {
            driver.receive(piece, now_s);
            while driver.take_output().is_some() {}
            if let Some(deadline_s) = driver.deadline_s().filter(|_| piece.len() % 2 == 0) {
                now_s = deadline_s.max(now_s);
                driver.tick(now_s);
            }
        }
        driver.link_lost();
        while driver.take_output().is_some() {}
        assert!(driver.is_idle(), "a job outlives its link");
    }
}

fuzz_target!(|input: &[u8]| {
    let [which, cut, bytes @ ..] = input else {
        return;
    };
    let profile = &PROFILES[usize::from(*which) % PROFILES.len()];
    let piece = usize::from(*cut % 31) + 1;
    if let Some(line) = &profile.line {
        codec(line, bytes, piece);
    }
    driven(profile, bytes, piece);
});
