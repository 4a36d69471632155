//! Events per second: appended with a durable commit every 100, beside a plain file with the same syncs; and read.

#![allow(missing_docs, clippy::expect_used)]

use std::fs::File;
use std::hint::black_box;
use std::io::Write;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use interphase::analysis::fit::{FitResult, Parameter, Sum, Weight};
use interphase::event::{Direction, Event, EventBody, Fit, PointMeasured, Stamp, Wire};
use interphase::recording::{Opening, Reader, Writer};
use interphase::spectrum::Point;

/// Events to a durable commit.
const PER_COMMIT: usize = 100;

/// Events of the recording that is read.
const READ_EVENTS: u32 = 60_000;

fn fit(sweep: u32) -> EventBody {
    let parameters: Vec<Parameter> = ["L0", "R0", "R1", "CPE1.Q", "CPE1.n", "R2", "CPE2.Q", "CPE2.n"]
        .into_iter()
        .map(|name| Parameter {
            name: name.into(),
            unit: "ohm".into(),
            value: 12.345_678_9,
            std_error: Some(0.012_345),
            lower: Some(0.0),
            upper: None,
            fixed: false,
            at_bound: false,
            determined: true,
            arc_id: Some(1),
        })
        .collect();
    let correlation = vec![vec![0.1; parameters.len()]; parameters.len()];
    EventBody::Fit(Fit {
        sweep,
        is_final: false,
        engine: "bench".into(),
        result: FitResult {
            circuit: "L0-R0-p(R1,CPE1)-p(R2,CPE2)".into(),
            weight: Weight::Modulus,
            converged: true,
            n_points: 64,
            n_used: 64,
            left_out: 0,
            chi_squared: 1.9e-3,
            reduced_chi_squared: Some(9.7e-6),
            noise_percent: Some(0.31),
            aicc: Some(-2302.5),
            bic: Some(-2286.4),
            runs_p: Some(0.4),
            starts: 1,
            evaluations: 9,
            elapsed_us: 41.0,
            guess_us: 230.0,
            parameters,
            correlation,
            robust: None,
            sums: vec![Sum {
                name: "R1+R2".into(),
                value: 24.7,
                std_error: Some(0.02),
                determined: true,
            }],
        },
    })
}

/// What a session records for the n-th point: the line, the point, and the fit that follows.
fn body(number: u32) -> EventBody {
    let (sweep, index) = (number / 192 + 1, number / 3 % 64);
    match number % 3 {
        0 => EventBody::Wire(Wire {
            direction: Direction::Rx,
            bytes: b"Pdc8030D40 ;cc8816A7Du,10,288;cd87F3C56u,10,288\n".to_vec(),
        }),
        1 => EventBody::Point(PointMeasured {
            sweep,
            index,
            point: Point::new(2e5 / f64::from(index + 1), 10.0 + f64::from(number) * 1e-3, -3.21),
        }),
        _ => fit(sweep),
    }
}

fn stamp(number: u32) -> Stamp {
    let elapsed_ns = i64::from(number) * 50_000_000;
    Stamp {
        utc_ns: 1_795_420_800_000_000_000 + elapsed_ns,
        elapsed_ns,
    }
}

fn bodies() -> Vec<(Stamp, EventBody)> {
    (0..PER_COMMIT as u32)
        .map(|number| (stamp(number), body(number)))
        .collect()
}

fn append(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut group = criterion.benchmark_group("append_100_durably");
    group.throughput(Throughput::Elements(PER_COMMIT as u64));

    let path = folder.path().join("bench.interphase");
    let mut writer = Writer::create(&path, &Opening::default()).expect("a recording");
    let batch = bodies();
    group.bench_function("recording", |bencher| {
        bencher.iter(|| {
            for (stamp, body) in batch.iter().cloned() {
                writer.append(stamp, body).expect("appended");
            }
            writer.commit().expect("committed")
        });
    });

    let mut lines = String::new();
    for (seq, (stamp, body)) in (1..).zip(bodies()) {
        lines.push_str(&Event { seq, stamp, body }.to_json());
        lines.push('\n');
    }
    let mut plain = File::create(folder.path().join("plain")).expect("a file");
    group.bench_function("reference_plain_file", |bencher| {
        bencher.iter(|| {
            plain.write_all(lines.as_bytes()).expect("written");
            plain.sync_data().expect("synced");
        });
    });
    group.finish();
}

fn read(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("bench.interphase");
    let mut writer = Writer::create(&path, &Opening::default()).expect("a recording");
    for number in 0..READ_EVENTS {
        writer.append(stamp(number), body(number)).expect("appended");
        if number % 1000 == 999 {
            writer.commit().expect("committed");
        }
    }
    writer.close().expect("closed");

    let mut group = criterion.benchmark_group("read");
    group.throughput(Throughput::Elements(u64::from(READ_EVENTS)));
    group.bench_function("all_events", |bencher| {
        let mut reader = Reader::open(&path).expect("a recording");
        bencher.iter(|| {
            reader
                .events(0)
                .map(|event| event.expect("an event").seq)
                .sum::<u64>()
        });
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("open_and_seek_by_time", |bencher| {
        let mut at = 0_i64;
        bencher.iter(|| {
            at = (at + 777_777_777_777) % (i64::from(READ_EVENTS) * 50_000_000);
            let mut reader = Reader::open(&path).expect("a recording");
            black_box(reader.seq_at_elapsed(at).expect("a place"))
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = append, read
}
criterion_main!(benches);
