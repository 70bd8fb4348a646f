//! Headings, paragraphs and tables, for a terminal or as Markdown.

use std::fmt::Write;

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

    fn text(&self, out: &mut String) {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column)).chain(self.header.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.header.len()).map(width).collect();
        let mut line = |cells: &[String]| {
            let mut text = String::from(" ");
            for ((cell, width), left) in cells.iter().zip(&widths).zip(&self.left) {
                let _ =
                    if *left { write!(text, " {cell:<width$} ") } else { write!(text, " {cell:>width$} ") };
            }
            out.push_str(text.trim_end());
            out.push('\n');
        };
        line(&self.header);
        line(&widths.iter().map(|width| "─".repeat(*width)).collect::<Vec<_>>());
        for row in &self.rows {
            line(row);
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

    /// For a terminal.
    pub(crate) fn text(&self) -> String {
        self.render(|block, out| match block {
            Block::Heading(1, text) => {
                let _ = writeln!(out, "{text}\n{}", "═".repeat(text.chars().count()));
            }
            Block::Heading(_, text) => {
                let _ = writeln!(out, "{text}");
            }
            Block::Paragraph(text) => {
                for line in wrapped(text, 108) {
                    let _ = writeln!(out, "  {line}");
                }
            }
            Block::Command(text) => {
                let _ = writeln!(out, "  $ {text}");
            }
            Block::Table(table) => table.text(out),
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
