//! The two ways of speaking to people: data on stdout, talk on stderr.

use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::{
    fmt::Display,
    io::{IsTerminal, Write, stderr, stdout},
    time::Duration,
};

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

    /// How many columns there are; a hundred where data goes into a file or another program.
    pub(crate) fn columns(self) -> u16 {
        Table::new().width().unwrap_or(100)
    }

    /// An empty table, as wide as there is room: what does not fit is broken between words.
    pub(crate) fn table<const N: usize>(self, header: [&str; N]) -> Table {
        let mut table = Table::new();
        table
            .load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')))
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(self.columns())
            .set_header(header);
        table
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
