//! Options of the commands that draw.

use clap::{Args, ValueEnum};

/// How things are drawn.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct ScreenArgs {
    /// Characters to draw with; by the terminal and the locale where not given
    #[arg(long, value_enum, value_name = "SET")]
    pub glyphs: Option<Glyphs>,
    /// Height of a character cell over its width; asked of the terminal, else 2, where not given
    #[arg(long, value_name = "RATIO")]
    pub cell_aspect: Option<f64>,
    /// Draw at most four times a second
    #[arg(long)]
    pub slow_link: bool,
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
