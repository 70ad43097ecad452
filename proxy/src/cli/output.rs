//! Standard output and standard error through one locked writer each.
//!
//! `println!` panics when the reader of a pipe has gone; here that ends the verb quietly, as for any other
//! tool of the command line.

use std::io::{self, ErrorKind, Write};

use comfy_table::Table;
use serde::Serialize;

use super::Format;

/// Where a verb writes.
#[derive(Debug, Clone, Copy)]
pub struct Output(());

impl Output {
    /// The process's own standard output and standard error.
    #[must_use]
    pub const fn standard() -> Self {
        Self(())
    }

    /// Writes a line to standard output.
    ///
    /// # Errors
    /// What the system says; a reader that has gone is no error.
    pub fn line(self, text: &str) -> io::Result<()> {
        self.raw(format!("{text}\n").as_bytes())
    }

    /// Writes bytes to standard output.
    ///
    /// # Errors
    /// What the system says; a reader that has gone is no error.
    pub fn raw(self, bytes: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        quiet(out.write_all(bytes).and_then(|()| out.flush()))
    }

    /// Writes a line to standard error. Nobody is left to tell when that fails.
    pub fn complain(self, text: &str) {
        drop(writeln!(io::stderr().lock(), "{text}"));
    }

    /// Writes one value for programs, or rows for people.
    ///
    /// # Errors
    /// What the system says; a reader that has gone is no error.
    pub fn show<T: Serialize>(
        self,
        format: Format,
        value: &T,
        rows: impl FnOnce() -> Rows,
    ) -> anyhow::Result<()> {
        match format {
            Format::Json => self.line(&serde_json::to_string_pretty(value)?)?,
            Format::Yaml => self.raw(yaml_serde::to_string(value)?.as_bytes())?,
            Format::Table => self.table(&rows())?,
        }
        Ok(())
    }

    /// Writes a table.
    ///
    /// # Errors
    /// What the system says; a reader that has gone is no error.
    pub fn table(self, rows: &Rows) -> io::Result<()> {
        self.line(&rows.render())
    }
}

fn quiet(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// A table: its header and its rows.
#[derive(Debug)]
pub struct Rows {
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Rows {
    /// A table with no rows yet.
    #[must_use]
    pub fn new(header: &[&'static str]) -> Self {
        Self { header: header.to_vec(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    fn render(&self) -> String {
        let mut table = Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_header(self.header.iter().map(|word| word.to_uppercase()));
        for row in &self.rows {
            table.add_row(row);
        }
        table.trim_fmt()
    }
}
