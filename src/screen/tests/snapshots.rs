use insta::assert_snapshot;

use super::session::Session;
use super::{GlyphSet, View, followed, text};
use crate::screen::{Connection, Replay, Tab};

fn half_way() -> Session {
    let mut session = Session::after(6, 0);
    session.note("pressure raised to 15 MPa");
    session.start(7);
    (0..41).for_each(|index| session.point(7, index));
    session
}

fn with(view: View, change: impl FnOnce(&mut View)) -> View {
    let mut view = view;
    change(&mut view);
    view
}

#[test]
fn a_live_sweep_half_way() {
    let session = half_way();
    let braille = followed(&session, GlyphSet::Braille);
    let ascii = followed(&session, GlyphSet::Ascii);
    assert_snapshot!("live_80x24_braille", text(&session.state, &braille, 80, 24));
    assert_snapshot!("live_80x24_ascii", text(&session.state, &ascii, 80, 24));
    assert_snapshot!("live_200x60_braille", text(&session.state, &braille, 200, 60));
    assert_snapshot!("live_200x60_ascii", text(&session.state, &ascii, 200, 60));
}

#[test]
fn the_other_views_of_a_live_sweep() {
    let session = half_way();
    let view = |tab| with(followed(&session, GlyphSet::Braille), |view| view.tab = tab);
    assert_snapshot!("history_80x24", text(&session.state, &view(Tab::History), 80, 24));
    assert_snapshot!(
        "history_200x60",
        text(&session.state, &view(Tab::History), 200, 60)
    );
    assert_snapshot!("bode_80x24", text(&session.state, &view(Tab::Bode), 80, 24));
    assert_snapshot!("points_80x24", text(&session.state, &view(Tab::Points), 80, 24));
    assert_snapshot!("wire_80x24", text(&session.state, &view(Tab::Wire), 80, 24));
}

#[test]
fn a_sweep_that_failed_and_one_that_is_suspect_while_it_runs() {
    let mut failed = Session::after(7, 0);
    failed.doubt(7, "fail", true, (59..64).collect());
    let view = |session: &Session, glyphs, tab| with(followed(session, glyphs), |view| view.tab = tab);
    for (name, glyphs, tab, width, height) in [
        ("failed_80x24", GlyphSet::Braille, Tab::Sweep, 80, 24),
        ("failed_80x24_ascii", GlyphSet::Ascii, Tab::Sweep, 80, 24),
        ("failed_200x60", GlyphSet::Braille, Tab::Sweep, 200, 60),
        ("failed_history_80x24", GlyphSet::Braille, Tab::History, 80, 24),
        ("failed_points_80x24", GlyphSet::Braille, Tab::Points, 80, 24),
    ] {
        assert_snapshot!(
            name,
            text(&failed.state, &view(&failed, glyphs, tab), width, height)
        );
    }
    let mut suspect = half_way();
    suspect.doubt(7, "suspect", false, vec![36, 37, 38]);
    let view = view(&suspect, GlyphSet::Braille, Tab::Sweep);
    assert_snapshot!("suspect_80x24", text(&suspect.state, &view, 80, 24));
}

#[test]
fn a_finished_session_replayed() {
    let mut session = Session::after(20, 0);
    session.finish();
    let view = with(followed(&session, GlyphSet::Braille), |view| {
        view.connection = Connection::Replay(Replay {
            playing: false,
            speed: 60.0,
            position_s: 11_480.0,
            length_s: 11_480.0,
        });
    });
    assert_snapshot!("replay_80x24", text(&session.state, &view, 80, 24));
    assert_snapshot!("replay_120x40", text(&session.state, &view, 120, 40));
}

#[test]
fn the_help_and_an_alarm() {
    let mut session = half_way();
    session.alarm();
    let view = followed(&session, GlyphSet::Braille);
    assert_snapshot!("alarm_80x24", text(&session.state, &view, 80, 24));
    let view = with(view, |view| view.help = true);
    assert_snapshot!("help_80x24", text(&session.state, &view, 80, 24));
}

#[test]
fn before_the_first_fit_words_stand_in_the_place_of_numbers() {
    let session = Session::after(0, 4);
    let view = followed(&session, GlyphSet::Braille);
    assert_snapshot!("first_points_80x24", text(&session.state, &view, 80, 24));
}
