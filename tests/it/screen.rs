//! The screen on a real terminal: what it shows, how little it sends, and how it leaves.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::lab::{Lab, cpu_seconds, wait_until};

#[test]
fn the_demo_shows_points_within_seconds_and_leaves_its_recording() {
    let lab = Lab::new();
    let mut screen = lab.terminal(&["demo", "--out", "demo.interphase"], 80, 24);
    screen.wait_for("sweep  1/30");
    screen.wait_for("sweep 1 done, 64 points");
    screen.wait_for("R1+R2");
    screen.press("q");
    assert!(screen.wait_end().success());
    screen.wait_for("interphase replay");
    assert!(screen.is_restored());
    assert!(lab.succeed(&["verify", "demo.interphase"]).starts_with("sound"));
    wait_until("nothing of the demo goes on", || lab.sessions().is_empty());
}

#[test]
fn the_terminal_is_given_back_after_quitting_and_after_being_told_to_end() {
    let lab = Lab::new();
    let simulator = lab.simulator("dummy_r_rc", 100, 41);
    let session = lab.detach(&simulator.port, "dummy_r_rc", "eis_once");
    for way in ["q", "\u{3}", "TERM", "INT", "HUP"] {
        let mut screen = lab.terminal(&["attach", session.recording()], 80, 24);
        screen.wait_for("Nyquist");
        assert!(!screen.is_restored());
        match way {
            "TERM" => screen.signal(Signal::TERM),
            "INT" => screen.signal(Signal::INT),
            "HUP" => screen.signal(Signal::HUP),
            keys => screen.press(keys),
        }
        screen.wait_end();
        wait_until("the terminal is given back", || screen.is_restored());
    }
}

#[test]
fn a_replay_plays_pauses_steps_and_seeks() {
    let lab = Lab::new();
    let simulator = lab.simulator("dummy_r_rc", 1000, 42);
    lab.measure(&simulator.port, "dummy_r_rc", "eis_once", "a.interphase");
    let mut screen = lab.terminal(&["replay", "a.interphase", "--speed", "20"], 100, 30);
    screen.wait_for("REPLAY x20");
    screen.press(" ");
    screen.wait_for("held");
    screen.press("\u{1b}[F");
    screen.wait_for("64/64");
    screen.press("\u{1b}[H");
    wait_until("the replay is at its beginning", || {
        !screen.contents().contains("64/64")
    });
    screen.press(" ");
    screen.wait_for("REPLAY x20");
    screen.press("+");
    screen.wait_for("REPLAY x50");
    screen.wait_for("/64");
    screen.press("q");
    assert!(screen.wait_end().success());
    wait_until("the terminal is given back", || screen.is_restored());
}

#[test]
fn a_replay_goes_by_sweeps_and_by_events_also_where_all_happened_in_one_moment() {
    let lab = Lab::new();
    let sample = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings/battery_130.interphase");
    let sample = sample.to_str().unwrap();
    let mut screen = lab.terminal(&["replay", sample, "--speed", "100000"], 80, 24);
    screen.wait_for("130/130");
    screen.press("{{");
    screen.wait_for("128/130");
    screen.press("}");
    screen.wait_for("129/130");
    screen.press("\u{1b}[H");
    wait_until("the replay is at its beginning", || {
        !screen.contents().contains("129/130")
    });
    screen.press("}");
    screen.wait_for("57/57");
    // The next event begins the second sweep, and its points follow.
    screen.press("...");
    screen.wait_for("2/57");
    screen.press(",");
    screen.wait_for("1/57");
    screen.press("}}}");
    screen.wait_for("4/130");
    screen.press("q");
    assert!(screen.wait_end().success());
}

#[test]
fn a_replay_begins_where_it_is_told_and_says_where_that_is_outside() {
    let lab = Lab::new();
    let sample =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings/li_lpscl_li_fresh.interphase");
    let sample = sample.to_str().unwrap();
    for (from, shows, says) in [
        ("3d", "8/8", "the replay stands at its end"),
        ("-3d", "1/8", "the replay begins at its beginning"),
        ("-1s", "8/8", ""),
    ] {
        let mut screen = lab.terminal(&["replay", sample, "--from", from, "--speed", "20"], 100, 30);
        screen.wait_for(shows);
        screen.press("q");
        assert!(screen.wait_end().success());
        wait_until("the terminal is given back", || screen.is_restored());
        screen.wait_for(says);
    }
    let refused = |speed: &str| {
        let output = lab.run(&["replay", sample, "--speed", speed]);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    for speed in ["0.5", "100001", "nan"] {
        assert!(refused(speed).contains("must be between 1 and 100000"), "{speed}");
    }
}

#[test]
fn a_finished_session_sends_nothing_and_uses_next_to_no_processor() {
    let lab = Lab::new();
    let simulator = lab.simulator("dummy_r_rc", 1000, 43);
    lab.measure(&simulator.port, "dummy_r_rc", "eis_once", "a.interphase");
    let screen = lab.terminal(&["attach", "a.interphase"], 80, 24);
    screen.wait_for("FINISHED");
    std::thread::sleep(Duration::from_secs(1));
    let (bytes, cpu, began) = (screen.bytes(), cpu_seconds(screen.pid()), Instant::now());
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(screen.bytes() - bytes, 0, "an idle screen sends nothing");
    let share = (cpu_seconds(screen.pid()) - cpu) / began.elapsed().as_secs_f64();
    assert!(
        share < 0.005,
        "an idle screen uses {:.2} % of a processor",
        100.0 * share
    );
}

/// Bytes for each new point, from a sweep at a pace at which every point is drawn on its own.
fn bytes_per_point(columns: u16, rows: u16) -> Vec<usize> {
    let lab = Lab::new();
    let simulator = lab.simulator("li_lpscl_li", 2, 44);
    let plan = concat!(
        "name = \"fast\"\nrepeat = 3\n[[step]]\ntechnique = \"peis\"\nf_max_hz = 200e3\nf_min_hz = 1\n",
        "points_per_decade = 10\namplitude_vrms = 0.010\n"
    );
    std::fs::write(lab.path("fast.toml"), plan).unwrap();
    let session = lab.detach(&simulator.port, "li_lpscl_li", "fast.toml");
    let screen = lab.terminal(&["attach", &session.name], columns, rows);
    screen.wait_for("sweep 2 started");
    let began = Instant::now();
    screen.wait_for("sweep 2 done");
    let chunks = screen.chunks();
    // What comes within 30 ms belongs to one frame; frames are at least 50 ms apart.
    let mut frames: Vec<(Instant, usize)> = Vec::new();
    for (at, count) in chunks.into_iter().filter(|(at, _)| *at > began) {
        match frames.last_mut() {
            Some((last, bytes)) if at.duration_since(*last) < Duration::from_millis(30) => {
                *last = at;
                *bytes += count;
            }
            _ => frames.push((at, count)),
        }
    }
    // The first frames show the beginning of the sweep, the last its end.
    let frames: Vec<usize> = frames.into_iter().map(|(_, bytes)| bytes).collect();
    let mut frames = frames[3..frames.len() - 3].to_vec();
    assert!(frames.len() > 20, "{frames:?}");
    frames.sort_unstable();
    frames
}

fn one_point_costs_few_bytes(columns: u16, rows: u16) {
    let frames = bytes_per_point(columns, rows);
    let at = |share: f64| frames[((frames.len() - 1) as f64 * share) as usize];
    assert!(at(0.5) <= 400, "median {} of {frames:?}", at(0.5));
    assert!(at(0.95) <= 800, "95th percentile {} of {frames:?}", at(0.95));
}

#[test]
fn a_new_point_costs_few_bytes_at_80x24() {
    one_point_costs_few_bytes(80, 24);
}

#[test]
fn a_new_point_costs_few_bytes_at_200x60() {
    one_point_costs_few_bytes(200, 60);
}

#[test]
fn a_terminal_can_change_its_size_down_to_nothing_and_back() {
    let lab = Lab::new();
    let simulator = lab.simulator("dummy_r_rc", 100, 45);
    let session = lab.detach(&simulator.port, "dummy_r_rc", "eis_repeat");
    let mut screen = lab.terminal(&["attach", &session.name], 80, 24);
    screen.wait_for("Nyquist");
    for (columns, rows) in [(200, 60), (20, 5), (1, 1), (300, 100), (80, 24)] {
        screen.resize(columns, rows);
        std::thread::sleep(Duration::from_millis(150));
    }
    screen.wait_for("Nyquist");
    screen.press("q");
    assert!(screen.wait_end().success());
}
