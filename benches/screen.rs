//! Time of one frame. Groups are named `frame/...`; read the ratio to `frame/empty_*` of the same run,
//! because absolute times move with the machine's load.

#[allow(dead_code, clippy::unwrap_used)]
#[path = "../src/screen/tests/session.rs"]
mod session;

use criterion::{Criterion, criterion_group, criterion_main};
use interphase::screen::{Action, Tab, Theme, View, render};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

fn frames(criterion: &mut Criterion) {
    let session = session::Session::after(20, 40);
    let theme = Theme::terminal();
    let mut group = criterion.benchmark_group("frame");
    for (width, height) in [(80, 24), (200, 60)] {
        let Ok(mut terminal) = Terminal::new(TestBackend::new(width, height));
        group.bench_function(format!("empty_{width}x{height}"), |bencher| {
            bencher.iter(|| terminal.draw(|_| ()).map(|_| ()));
        });
        for tab in Tab::ALL {
            let mut view = View::default();
            view.apply(Action::Show(tab), &session.state);
            view.observe(&session.state);
            group.bench_function(
                format!("{}_{width}x{height}", tab.name().to_lowercase()),
                |bencher| {
                    bencher.iter(|| {
                        view.observe(&session.state);
                        terminal
                            .draw(|frame| render(&session.state, &view, &theme, frame))
                            .map(|_| ())
                    });
                },
            );
        }
    }
    group.finish();
}

criterion_group!(benches, frames);
criterion_main!(benches);
