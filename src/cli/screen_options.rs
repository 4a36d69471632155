//! Options of the commands that draw.

use clap::{Args, ValueEnum};

use crate::screen::GlyphSet;
use crate::screen::run::ScreenOptions;

/// How things are drawn.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct ScreenArgs {
    /// Characters to draw with; by the terminal and the locale where not given
    #[arg(long, value_enum, value_name = "SET")]
    pub glyphs: Option<Glyphs>,
    /// Colours: terminal (sixteen of them) or plain (none)
    #[arg(long, value_name = "NAME", value_parser = ["terminal", "plain"])]
    pub theme: Option<String>,
    /// Height of a character cell over its width; asked of the terminal, else 2, where not given
    #[arg(long, value_name = "RATIO")]
    pub cell_aspect: Option<f64>,
    /// Draw at most four times a second
    #[arg(long)]
    pub slow_link: bool,
}

impl ScreenArgs {
    /// The same for the screen.
    pub(super) fn options(&self) -> ScreenOptions {
        ScreenOptions {
            glyphs: self.glyphs.map(|glyphs| match glyphs {
                Glyphs::Braille => GlyphSet::Braille,
                Glyphs::Blocks => GlyphSet::Blocks,
                Glyphs::Ascii => GlyphSet::Ascii,
            }),
            theme: self.theme.clone(),
            cell_aspect: self.cell_aspect,
            slow_link: self.slow_link,
            end_after: None,
        }
    }
}

/// Sets of characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Glyphs {
    /// Braille dots: finest, needs a font with them
    Braille,
    /// Half blocks and lines
    Blocks,
    /// 7-bit characters only
    Ascii,
}
