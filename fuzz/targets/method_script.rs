//! The MethodSCRIPT codec and its driver. Any bytes in any pieces give the same lines; a line that was understood is
//! written as it can be read again; every number has a literal that reads back as it; and no bytes make the driver
//! panic or hang, whatever it is doing. The first byte of the input says where the rest is cut.

#![no_main]

use std::sync::LazyLock;

use interphase::instrument::method_script::{Decoder, Line, Value, literal, parse_literal};
use interphase::instrument::{Job, SweepJob, driver_for};
use interphase::profile::{Instrument, Kind, shipped_text};
use libfuzzer_sys::fuzz_target;

static PROFILE: LazyLock<Instrument> = LazyLock::new(|| {
    let text = shipped_text(Kind::Instrument, "es4_hr").expect("es4_hr is shipped");
    Instrument::parse("es4_hr", text).expect("es4_hr is valid")
});

fn lines_in_pieces(bytes: &[u8], piece: usize) -> Vec<Line> {
    let mut decoder = Decoder::new();
    bytes.chunks(piece).flat_map(|piece| decoder.feed(piece)).collect()
}

fn lines(bytes: &[u8], piece: usize) {
    let whole = Decoder::new().feed(bytes);
    // Formatted, because a line may hold what is not equal to itself.
    assert_eq!(format!("{:?}", lines_in_pieces(bytes, piece)), format!("{whole:?}"));
    for line in &whole {
        let written = line.to_string();
        match line {
            Line::Unknown(_) => {}
            Line::Package(package) => {
                let Line::Package(back) = Line::parse(&written) else {
                    panic!("{written:?} was a package");
                };
                assert_eq!(back.to_string(), written);
                for (back, was) in back.variables.iter().zip(&package.variables) {
                    assert_eq!(back, was, "{written:?}");
                }
            }
            line => assert_eq!(Line::parse(&written), *line, "{written:?}"),
        }
    }
}

fn numbers(bytes: &[u8]) {
    for bits in bytes.chunks_exact(8).take(8) {
        let number = f64::from_le_bytes(bits.try_into().expect("8 bytes"));
        let sent = Value::of(number).to_string();
        let back = Value::parse(&sent).expect("what a device sends is a value");
        assert_eq!(back.to_string(), sent);
        let text = literal(number);
        assert!(!text.contains('.'), "{text}");
        match parse_literal(&text) {
            // Below the finest prefix everything is nothing.
            Ok(back) if number.abs() > 1e-11 => {
                assert!((back.value - number).abs() <= 1e-6 * number.abs(), "{number:e} {text}");
            }
            Ok(_) => {}
            Err(_) => assert!(text == "nan" && !(number.abs() < 1e25), "{number:e} {text}"),
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = parse_literal(text);
    }
}

fn driven(bytes: &[u8], piece: usize) {
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
    let connect = Job::Connect { take_over: false };
    for job in [connect, Job::Connect { take_over: true }, rest, Job::Sweep(sweep), Job::CellOff] {
        let mut driver = driver_for(&PROFILE, 0, 1.0);
        let mut now_s = 0.0;
        driver.start(job, now_s);
        for piece in bytes.chunks(piece) {
            driver.receive(piece, now_s);
            while driver.take_output().is_some() {}
        }
        // Without another byte every job ends by itself.
        for _ in 0..10_000 {
            while driver.take_output().is_some() {}
            let Some(deadline_s) = driver.deadline_s() else { break };
            now_s = deadline_s.max(now_s);
            driver.tick(now_s);
        }
        assert!(driver.is_idle(), "a job never ends");
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else {
        return;
    };
    let piece = usize::from(*first % 31) + 1;
    lines(bytes, piece);
    numbers(bytes);
    driven(bytes, piece);
});
