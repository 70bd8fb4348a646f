//! Headings, paragraphs and tables, for a terminal or as Markdown.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, TableStyle, Width};
use std::fmt::Write;

/// The longest line of prose that is easy to read.
const LINE: usize = 108;
/// Blanks about a cell of a table.
const PADDING: usize = 2;
/// What a column of words needs at least to be read.
const WORDS: usize = 20;

/// A table. The first column stands left, the others right unless they are words.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    header: Vec<String>,
    left: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table. A column whose name ends with `<` stands left.
    pub(crate) fn new(header: &[&str]) -> Self {
        Self {
            header: header.iter().map(|name| name.trim_end_matches('<').to_owned()).collect(),
            left: header.iter().enumerate().map(|(at, name)| at == 0 || name.ends_with('<')).collect(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    fn text(&self, width: u16, out: &mut String) {
        let mut table = comfy_table::Table::new();
        table
            .load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')))
            .set_content_arrangement(ContentArrangement::Dynamic)
            // With one column less: every line begins with a space of ours.
            .set_width(width.saturating_sub(1))
            .set_header(&self.header)
            .add_rows(&self.rows);
        // What is broken over lines are words and headers, not figures, as far as that leaves room for the words.
        let widest = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0) + PADDING
        };
        let taken: usize =
            self.left.iter().enumerate().map(|(at, left)| if *left { WORDS } else { widest(at) }).sum();
        let whole = taken < usize::from(width);
        for (at, (column, left)) in table.column_iter_mut().zip(&self.left).enumerate() {
            if !left {
                column.set_cell_alignment(CellAlignment::Right);
            }
            if !left
                && whole
                && let Ok(width) = u16::try_from(widest(at))
            {
                column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)));
            }
        }
        for line in table.lines() {
            let _ = writeln!(out, " {}", line.trim_end());
        }
    }

    fn markdown(&self, out: &mut String) {
        let line = |cells: &[String]| {
            let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        out.push_str(&line(&self.header));
        let marks: Vec<&str> = self.left.iter().map(|left| if *left { "---" } else { "---:" }).collect();
        let _ = writeln!(out, "| {} |", marks.join(" | "));
        for row in &self.rows {
            out.push_str(&line(row));
        }
    }
}

#[derive(Debug, Clone)]
enum Block {
    Heading(usize, String),
    Paragraph(String),
    Command(String),
    Table(Table),
}

/// Blocks, one after the other.
#[derive(Debug, Clone, Default)]
pub(crate) struct Document(Vec<Block>);

impl Document {
    pub(crate) fn heading(&mut self, level: usize, text: impl Into<String>) {
        self.0.push(Block::Heading(level, text.into()));
    }

    pub(crate) fn paragraph(&mut self, text: impl Into<String>) {
        self.0.push(Block::Paragraph(text.into()));
    }

    pub(crate) fn command(&mut self, text: impl Into<String>) {
        self.0.push(Block::Command(text.into()));
    }

    pub(crate) fn table(&mut self, table: Table) {
        self.0.push(Block::Table(table));
    }

    /// For a terminal of so many columns.
    pub(crate) fn text(&self, width: u16) -> String {
        self.render(|block, out| match block {
            Block::Heading(1, text) => {
                let _ = writeln!(out, "{text}\n{}", "═".repeat(text.chars().count()));
            }
            Block::Heading(_, text) => {
                let _ = writeln!(out, "{text}");
            }
            Block::Paragraph(text) => {
                for line in wrapped(text, usize::from(width.saturating_sub(2)).min(LINE)) {
                    let _ = writeln!(out, "  {line}");
                }
            }
            Block::Command(text) => {
                let _ = writeln!(out, "  $ {text}");
            }
            Block::Table(table) => table.text(width, out),
        })
    }

    /// As Markdown.
    pub(crate) fn markdown(&self) -> String {
        self.render(|block, out| match block {
            Block::Heading(level, text) => {
                let _ = writeln!(out, "{} {text}", "#".repeat(*level));
            }
            Block::Paragraph(text) => {
                for line in wrapped(text, 118) {
                    let _ = writeln!(out, "{line}");
                }
            }
            Block::Command(text) => {
                let _ = writeln!(out, "```sh\n{text}\n```");
            }
            Block::Table(table) => table.markdown(out),
        })
    }

    fn render(&self, block: impl Fn(&Block, &mut String)) -> String {
        let mut out = String::new();
        for (at, next) in self.0.iter().enumerate() {
            if at > 0 {
                out.push('\n');
            }
            block(next, &mut out);
        }
        out
    }
}

/// A text in lines of so many characters at most, broken between words.
fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let full = lines.last().is_some_and(|line| line.chars().count() + 1 + word.chars().count() > most);
        if full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> Table {
        let mut table = Table::new(&["dollars a month", "2 tasks", "40 tasks: without, with"]);
        table.row(
            ["edge (load balancer, CloudFront, firewall)", "$48.01 (45.73 to 50.28)", "$1,925"]
                .map(str::to_owned),
        );
        table
    }

    fn text(width: u16) -> Vec<String> {
        let mut page = Document::default();
        page.table(figures());
        page.paragraph(
            "So many tasks run at every hour of the month, for the same calls, that this line is broken.",
        );
        page.text(width).lines().map(str::to_owned).collect()
    }

    #[test]
    fn what_is_too_wide_is_broken_between_words_and_figures_are_not() {
        for width in [60, 72, 100] {
            let lines = text(width);
            let widest = lines.iter().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= usize::from(width), "{widest} of {width}: {lines:#?}");
            assert!(lines.iter().any(|line| line.contains("$48.01 (45.73 to 50.28)")), "{lines:#?}");
        }
        assert!(text(60).len() > text(100).len());
    }

    #[test]
    fn figures_are_broken_before_words_become_columns_of_letters() {
        let lines = text(40);
        assert!(lines.iter().all(|line| line.chars().count() <= 40), "{lines:#?}");
        assert!(lines.iter().any(|line| line.contains("CloudFront")), "{lines:#?}");
    }
}
