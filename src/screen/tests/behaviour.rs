use proptest::prelude::*;

use super::session::Session;
use super::{GlyphSet, View, cells, followed, text};
use crate::event::{EventBody, Link, LinkState};
use crate::screen::{Action, Connection, Edit, Replay, ReplayRequest, Request, TABLE, Tab};
use crate::state::State;

fn replaying() -> View {
    View {
        connection: Connection::Replay(Replay {
            playing: false,
            speed: 1.0,
            position_s: 0.0,
            length_s: 100.0,
        }),
        ..View::default()
    }
}

#[test]
fn stop_is_asked_twice() {
    let session = Session::after(1, 3);
    let mut view = View::default();
    assert_eq!(view.apply(Action::Stop, &session.state), None);
    assert!(text(&session.state, &view, 80, 24).contains("Stop the measurement?"));
    assert_eq!(view.apply(Action::Answer(false), &session.state), None);
    assert_eq!(
        view.apply(Action::Answer(true), &session.state),
        None,
        "nothing was asked"
    );
    view.apply(Action::Stop, &session.state);
    assert_eq!(
        view.apply(Action::Answer(true), &session.state),
        Some(Request::Stop)
    );
}

#[test]
fn a_note_is_typed_and_handed_out_without_blanks_around_it() {
    let session = Session::after(1, 3);
    let mut view = View::default();
    view.apply(Action::Note, &session.state);
    for character in " 15 MPa ".chars() {
        view.apply(Action::Edit(Edit::Insert(character)), &session.state);
    }
    assert!(text(&session.state, &view, 80, 24).contains("note:  15 MPa"));
    let request = view.apply(Action::Edit(Edit::Accept), &session.state);
    assert_eq!(request, Some(Request::Note("15 MPa".into())));
    assert_eq!(view.note, None);
}

#[test]
fn space_holds_the_plan_when_live_and_the_clock_in_a_replay() {
    let session = Session::after(1, 3);
    assert_eq!(
        View::default().apply(Action::PlayPause, &session.state),
        Some(Request::Pause)
    );
    let request = replaying().apply(Action::PlayPause, &session.state);
    assert_eq!(request, Some(Request::Replay(ReplayRequest::Play)));
}

#[test]
fn a_replay_cannot_be_stopped_or_annotated_and_a_live_session_not_be_sped_up() {
    let session = Session::after(1, 3);
    assert_eq!(replaying().apply(Action::Stop, &session.state), None);
    let mut view = replaying();
    view.apply(Action::Note, &session.state);
    assert_eq!(view.note, None);
    assert_eq!(View::default().apply(Action::Faster, &session.state), None);
}

#[test]
fn the_newest_sweep_is_followed_until_another_is_chosen() {
    let mut session = Session::after(3, 2);
    let mut view = View::default();
    view.apply(Action::PreviousSweep, &session.state);
    assert_eq!(view.selected, Some(3));
    session.point(4, 2);
    assert_eq!(view.shown_sweep(&session.state).unwrap().started.sweep, 3);
    view.apply(Action::NextSweep, &session.state);
    assert_eq!(view.selected, None);
}

#[test]
fn an_alarm_stands_on_the_screen_until_it_is_acknowledged_by_name() {
    let mut session = Session::after(1, 3);
    session.alarm();
    let mut view = followed(&session, GlyphSet::Braille);
    assert!(text(&session.state, &view, 80, 24).contains("CELL MAY BE ON"));
    let request = view.apply(Action::Acknowledge, &session.state);
    assert_eq!(request, Some(Request::Acknowledge("cell_may_be_on".into())));
}

#[test]
fn the_state_word_stands_in_the_header() {
    let mut session = Session::after(1, 3);
    let header = |session: &Session, view: &View| {
        text(&session.state, view, 80, 24)
            .lines()
            .next()
            .unwrap()
            .to_owned()
    };
    let mut view = View::default();
    assert!(header(&session, &view).contains("LIVE"));
    view.connection = Connection::Behind(3);
    assert!(header(&session, &view).contains("BEHIND 3 sweeps"));
    view.connection = Connection::Live;
    session.push(EventBody::Link(Link {
        state: LinkState::Lost,
        port: "/dev/ttyACM0".into(),
        reason: "unplugged".into(),
    }));
    view.clock_s = Some(session.state.head().last_stamp.elapsed_s() + 12.0);
    assert!(
        header(&session, &view).contains("LINK LOST 12s"),
        "{}",
        header(&session, &view)
    );
}

#[test]
fn the_help_names_every_action() {
    let session = Session::after(1, 3);
    let view = View {
        help: true,
        ..View::default()
    };
    let shown = text(&session.state, &view, 200, 60);
    for entry in TABLE {
        assert!(shown.contains(entry.doc), "{} is missing", entry.name);
    }
}

#[test]
fn the_plain_set_puts_only_ascii_on_the_screen() {
    let mut session = Session::after(3, 50);
    session.note("Zelle wärmer: 60 °C, 3 µm, Ω");
    session.alarm();
    let mut view = followed(&session, GlyphSet::Ascii);
    for (width, height) in [(80, 24), (200, 60), (60, 16), (30, 5)] {
        for help in [false, true] {
            for tab in Tab::ALL {
                (view.tab, view.help) = (tab, help);
                let shown = text(&session.state, &view, width, height);
                let odd: Vec<char> = shown.chars().filter(|c| !c.is_ascii()).collect();
                assert!(odd.is_empty(), "{tab:?} {width}x{height}: {odd:?}");
            }
        }
    }
}

#[test]
fn a_screen_that_is_too_small_says_what_it_needs() {
    let shown = text(&State::new(), &View::default(), 59, 16);
    assert!(shown.starts_with("too small: needs 60x16"));
}

#[test]
fn a_running_sweep_that_is_judged_has_its_two_lowest_points_marked_as_not_yet_reliable() {
    let mut session = Session::after(1, 41);
    let marks = |session: &Session| {
        let view = View {
            tab: crate::screen::Tab::Bode,
            ..followed(session, GlyphSet::Ascii)
        };
        // The modulus panel alone: marks are rare characters there.
        let picture = text(&session.state, &view, 120, 40);
        let modulus: String = picture.lines().take(16).collect();
        ["?", "@", "x"].map(|mark| modulus.matches(mark).count())
    };
    assert_eq!(marks(&session), [0, 1, 0], "nothing is judged yet");
    session.doubt(2, "suspect", false, vec![20, 30]);
    assert_eq!(marks(&session), [1, 1, 2], "the lowest one is the newest, too");
    (41..64).for_each(|index| session.point(2, index));
    session.end(2);
    assert_eq!(marks(&session), [0, 0, 0], "a sound sweep has none");
}

#[test]
fn a_sweep_that_fails_says_why_in_the_log_whatever_the_width() {
    let mut session = Session::after(2, 0);
    session.doubt(2, "fail", true, vec![60]);
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        for glyphs in GlyphSet::ALL {
            let picture = text(&session.state, &followed(&session, glyphs), width, height);
            assert!(picture.contains("sweep 2 KK fail 3.4 %"), "{picture}");
            assert!(picture.contains("drifted"), "{picture}");
        }
    }
}

#[test]
fn a_value_that_the_data_do_not_determine_is_a_word_not_a_number() {
    let session = Session::after(0, 15);
    let view = followed(&session, GlyphSet::Braille);
    let shown = text(&session.state, &view, 80, 24);
    let line = shown
        .lines()
        .find(|line| line.contains("R2 ") && !line.contains("R1+R2"))
        .unwrap();
    assert!(line.contains("not yet"), "{line}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn no_size_state_or_key_makes_it_panic(
        sizes in prop::collection::vec((0u16..200, 0u16..60), 1..5),
        sweeps in 0u32..3,
        points in 0u32..64,
        keys in prop::collection::vec(0usize..TABLE.len(), 0..12),
        odd in any::<[f64; 3]>(),
        glyphs in 0usize..3,
    ) {
        let mut session = Session::after(sweeps, points.max(1));
        let mut point = crate::spectrum::Point::new(odd[0], odd[1], odd[2]);
        point.range = Some("\u{1b}[2J".into());
        session.push(EventBody::Point(crate::event::PointMeasured { sweep: sweeps + 1, index: points, point }));
        let mut view = followed(&session, GlyphSet::ALL[glyphs]);
        if odd[0] < 0.0 {
            view.connection = replaying().connection;
        }
        for (width, height) in sizes {
            for key in &keys {
                view.apply(TABLE[*key].action, &session.state);
                view.observe(&session.state);
                let buffer = cells(&session.state, &view, width, height);
                let escapes = buffer.content.iter().any(|cell| cell.symbol().contains('\x1b'));
                prop_assert!(!escapes);
            }
        }
    }
}
