//! The two ways of speaking to people: data on stdout, talk on stderr.

use comfy_table::{ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle, Width};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::{
    fmt::Display,
    io::{IsTerminal, Write, stderr, stdout},
    time::Duration,
};
use unicode_width::UnicodeWidthStr;

/// The width of lines where there is no screen.
const ELSEWHERE: u16 = 100;
/// Blanks about a cell of a table.
const PADDING: usize = 2;

/// Where output goes, and in which form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    json: bool,
}

#[expect(clippy::unused_self, reason = "where words go is the business of the terminal, not of who holds it")]
impl Terminal {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether data is wanted as JSON.
    pub(crate) const fn json(self) -> bool {
        self.json
    }

    /// How many columns a screen has; a hundred where data goes into a file or another program.
    pub(crate) fn columns(self) -> u16 {
        believable(Table::new().width()).unwrap_or(ELSEWHERE)
    }

    /// The same of where talk goes.
    pub(crate) fn talk_columns(self) -> u16 {
        believable(Table::new().use_stderr().width()).unwrap_or(ELSEWHERE)
    }

    /// An empty table.
    pub(crate) fn table<const N: usize>(self, header: [&str; N]) -> Table {
        let mut table = Table::new();
        table
            .load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')))
            .set_header(header);
        table
    }

    /// A table of data, broken between words where a screen is too narrow for it. A program gets a line for each row.
    pub(crate) fn show(self, mut table: Table) {
        if let Some(width) = believable(table.width()) {
            fit(&mut table, width);
        }
        self.data(table.trim_fmt());
    }

    /// A line of data. A reader that has gone away is no error.
    pub(crate) fn data(self, line: impl Display) {
        let _ = writeln!(stdout(), "{line}");
    }

    /// Data as one JSON document.
    pub(crate) fn document(self, value: &impl Serialize) -> anyhow::Result<()> {
        self.data(serde_json::to_string_pretty(value)?);
        Ok(())
    }

    /// A line of talk.
    pub(crate) fn talk(self, line: impl Display) {
        let _ = writeln!(stderr(), "{line}");
    }

    /// Talk without a line's end.
    pub(crate) fn murmur(self, text: impl Display) {
        let _ = write!(stderr(), "{text}");
        let _ = stderr().flush();
    }

    /// Shows that something long is going on; a spinner on a terminal, a line elsewhere.
    pub(crate) fn step(self, what: impl Into<String>) -> Step {
        let what = what.into();
        let bar = if stderr().is_terminal() {
            let bar = ProgressBar::new_spinner().with_message(what.clone());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            Some(bar)
        } else {
            None
        };
        Step { terminal: self, what, bar }
    }

    /// A bar over so many parts; hidden where there is no terminal.
    pub(crate) fn bar(self, parts: u64, what: impl Into<String>) -> ProgressBar {
        let bar = if stderr().is_terminal() { ProgressBar::new(parts) } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} ({elapsed})") {
            bar.set_style(style);
        }
        bar.with_message(what.into())
    }
}

/// Serial consoles say that they have no columns at all.
fn believable(width: Option<u16>) -> Option<u16> {
    width.filter(|width| *width >= 40)
}

/// Breaks cells between words so that a table keeps to a width. Leaves it as it is if it does already, or cannot.
fn fit(table: &mut Table, width: u16) {
    table.discover_columns();
    let padded = |content: usize| u16::try_from(content + PADDING).unwrap_or(u16::MAX);
    let sum = |widths: &[u16]| widths.iter().fold(0_u16, |sum, next| sum.saturating_add(*next));
    let whole: Vec<u16> =
        table.column_max_content_widths().into_iter().map(|cell| padded(cell.into())).collect();
    let longest_words: Vec<u16> = (0..table.column_count())
        .map(|column| {
            let cells = table.column_cells_with_header_iter(column).flatten();
            let words =
                cells.filter_map(|cell| cell.content().split([' ', '\n']).map(UnicodeWidthStr::width).max());
            padded(words.max().unwrap_or(0))
        })
        .collect();
    if sum(&whole) <= width || sum(&longest_words) > width {
        return;
    }
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    for (column, word) in table.column_iter_mut().zip(longest_words) {
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(word)));
    }
}

/// A step under way.
#[derive(Debug)]
pub(crate) struct Step {
    terminal: Terminal,
    what: String,
    bar: Option<ProgressBar>,
}

impl Step {
    /// Says what the step is busy with.
    pub(crate) fn update(&self, detail: impl Display) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{}: {detail}", self.what));
        }
    }

    /// The step is done.
    pub(crate) fn done(self, result: impl Display) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.terminal.talk(format_args!("  {:<10} {result}", self.what));
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls() -> Table {
        let mut table = Terminal::new(false).table(["call", "from", "ended"]);
        table.add_row([
            "call_01jz8k3x9we5q9m2v7t4b6n8c0",
            "+15125550161",
            "the caller hung up while nobody spoke",
        ]);
        table
    }

    #[test]
    fn a_narrow_screen_breaks_sentences_and_nothing_that_is_copied() {
        let mut table = calls();
        fit(&mut table, 70);
        let text = table.trim_fmt();
        assert!(text.lines().all(|line| line.chars().count() <= 70), "{text}");
        assert!(text.contains("call_01jz8k3x9we5q9m2v7t4b6n8c0") && text.contains("+15125550161"), "{text}");
        assert_eq!(text.lines().count(), 4, "{text}");
    }

    #[test]
    fn a_table_that_fits_is_left_alone() {
        for width in [calls().trim_fmt().lines().map(str::len).max().unwrap() as u16 + 2, 200] {
            let mut table = calls();
            fit(&mut table, width);
            assert_eq!(table.trim_fmt(), calls().trim_fmt(), "{width}");
        }
    }

    #[test]
    fn letters_that_take_two_columns_count_as_two() {
        let mut table = Terminal::new(false).table(["name", "what it is"]);
        table.add_row(["晨光房地产经纪公司", "a brokerage with a long description behind it"]);
        fit(&mut table, 50);
        let text = table.trim_fmt();
        assert!(text.contains("晨光房地产经纪公司"), "{text}");
        assert!(text.lines().all(|line| line.width() <= 50), "{text}");
    }

    #[test]
    fn a_screen_that_is_narrower_than_the_words_gets_whole_rows() {
        let mut table = calls();
        fit(&mut table, 40);
        assert_eq!(table.trim_fmt(), calls().trim_fmt());
        assert_eq!(table.lines().count(), 3);
    }

    #[test]
    fn a_console_that_says_it_has_no_columns_is_not_believed() {
        assert_eq!(believable(Some(0)), None);
        assert_eq!((believable(Some(39)), believable(Some(40))), (None, Some(40)));
    }
}
