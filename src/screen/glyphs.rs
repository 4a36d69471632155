//! The characters of the screen, in three sets for what fonts and lines can carry.

use crate::units::Script;

/// Which characters may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum GlyphSet {
    /// Braille dots for curves, box lines, Greek letters.
    #[default]
    Braille,
    /// Half blocks for curves, box lines, Greek letters: for fonts without braille.
    Blocks,
    /// Seven-bit characters only.
    Ascii,
}

/// How the dots of a curve are made of characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DotCell {
    /// 2 x 4 dots a cell.
    Braille,
    /// 1 x 2 dots a cell.
    HalfBlock,
    /// One dot a cell, drawn as the stroke's own character.
    Whole,
}

/// One set of characters.
#[derive(Clone, Copy, Debug)]
pub struct Glyphs {
    /// How units and signs are written.
    pub script: Script,
    /// How curves are drawn.
    pub dots: DotCell,
    /// A measured point.
    pub measured: char,
    /// A measured point at a whole decade.
    pub decade: char,
    /// The newest point.
    pub newest: char,
    /// A point not to be trusted.
    pub doubtful: char,
    /// A point of the second series.
    pub second: char,
    /// A value that the data do not determine, or a point that they do not bear out yet.
    pub undetermined: char,
    /// The fitted line where dots are whole cells.
    pub fitted: char,
    /// The foretold line where dots are whole cells.
    pub foretold: char,
    /// Error bars: stem, upper end, lower end.
    pub bar: [char; 3],
    /// A line that helps reading.
    pub guide: char,
    /// Lines by the neighbours they reach: bit 0 up, 1 right, 2 down, 3 left.
    pub lines: [char; 16],
    /// An alarm.
    pub alarm: char,
    /// Cut-off text.
    pub ellipsis: char,
    /// What separates things on a line.
    pub separator: &'static str,
    /// A difference.
    pub delta: &'static str,
    /// The selected line of a list.
    pub pointer: char,
    /// To the instrument, from the instrument.
    pub direction: [char; 2],
}

const BOX_LINES: [char; 16] = [
    ' ', '╵', '╶', '└', '╷', '│', '┌', '├', '╴', '┘', '─', '┴', '┐', '┤', '┬', '┼',
];

const BRAILLE: Glyphs = Glyphs {
    script: Script::Unicode,
    dots: DotCell::Braille,
    measured: '∘',
    decade: '◆',
    newest: '●',
    doubtful: '×',
    second: '+',
    undetermined: '?',
    fitted: '·',
    foretold: '-',
    bar: ['│', '┬', '┴'],
    guide: '·',
    lines: BOX_LINES,
    alarm: '▲',
    ellipsis: '…',
    separator: "·",
    delta: "Δ",
    pointer: '▸',
    direction: ['→', '←'],
};

const BLOCKS: Glyphs = Glyphs {
    dots: DotCell::HalfBlock,
    measured: '○',
    decade: '◊',
    ..BRAILLE
};

const ASCII: Glyphs = Glyphs {
    script: Script::Ascii,
    dots: DotCell::Whole,
    measured: 'o',
    decade: '#',
    newest: '@',
    doubtful: 'x',
    second: '+',
    undetermined: '?',
    fitted: '.',
    foretold: '-',
    bar: ['|', '-', '-'],
    guide: '.',
    lines: [
        ' ', '|', '-', '+', '|', '|', '+', '+', '-', '+', '-', '+', '+', '+', '+', '+',
    ],
    alarm: '!',
    ellipsis: '~',
    separator: "|",
    delta: "d",
    pointer: '>',
    direction: ['>', '<'],
};

impl GlyphSet {
    /// All sets, from the finest to the plainest.
    pub const ALL: [Self; 3] = [Self::Braille, Self::Blocks, Self::Ascii];

    /// The characters.
    #[must_use]
    pub fn glyphs(self) -> &'static Glyphs {
        match self {
            Self::Braille => &BRAILLE,
            Self::Blocks => &BLOCKS,
            Self::Ascii => &ASCII,
        }
    }

    /// The word on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Braille => "braille",
            Self::Blocks => "blocks",
            Self::Ascii => "ascii",
        }
    }

    /// The set that [`GlyphSet::word`] names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.word() == word)
    }

    /// The next set, for a key that goes round them.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Braille => Self::Blocks,
            Self::Blocks => Self::Ascii,
            Self::Ascii => Self::Braille,
        }
    }
}

impl Glyphs {
    /// Text that the set can show: in the ASCII set, what is not ASCII is spelled or replaced.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let mut shown = String::with_capacity(text.len());
        for character in text.chars() {
            if character.is_control() {
                shown.push(' ');
            } else if self.script == Script::Unicode || character.is_ascii() {
                shown.push(character);
            } else {
                shown.push_str(match character {
                    '\u{3a9}' | '\u{2126}' => "ohm",
                    '°' => "deg",
                    '\u{b5}' | '\u{3bc}' => "u",
                    '±' => "+-",
                    '²' => "2",
                    '³' => "3",
                    'ⁿ' => "^n",
                    '·' => " ",
                    '…' => "...",
                    '–' | '—' | '−' => "-",
                    _ => "?",
                });
            }
        }
        shown
    }
}
