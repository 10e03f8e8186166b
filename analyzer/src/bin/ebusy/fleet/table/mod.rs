//! `ebusy fleet --format parquet`: a row for each holder on each host, for the engines that read tables.
//!
//! A host that nothing is held on has one row without a holder, and so has a bundle that could not be read. Names
//! and values are those of `--format ndjson`; what lies deeper there has its path joined by `_`.

#[cfg(feature = "parquet")]
mod columns;

use ebusy_analyzer::fleet::HostLine;

use crate::Failure;

#[cfg(feature = "parquet")]
pub(super) use with_parquet::Table;

/// This build writes none.
#[cfg(not(feature = "parquet"))]
pub(super) struct Table;

#[cfg(not(feature = "parquet"))]
impl Table {
    pub(super) fn to_output() -> Result<Self, Failure> {
        let why = "this ebusy was built without Parquet; build it with `--features parquet`, or take ndjson";
        Err(Failure::Input(why.to_owned()))
    }

    pub(super) fn add(&mut self, _: &HostLine) -> bool {
        false
    }

    pub(super) fn end(self) -> Result<(), Failure> {
        Ok(())
    }
}

#[cfg(feature = "parquet")]
mod with_parquet {
    use super::columns::{COLUMNS, Cells, Row};
    use super::{Failure, HostLine};
    use ebusy_analyzer::fleet::LINE_SCHEMA;
    use parquet::basic::Compression;
    use parquet::errors::{ParquetError, Result};
    use parquet::file::metadata::KeyValue;
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::types::Type;
    use std::io::{IsTerminal, Stdout, stdout};
    use std::sync::Arc;

    /// So many rows stand in memory before they are written as a group.
    const GROUP: usize = 16_384;

    /// A table in the making.
    pub(crate) struct Table {
        writer: SerializedFileWriter<Stdout>,
        columns: Vec<Cells>,
        rows: usize,
        /// What went wrong; after it nothing more is written.
        failed: Option<ParquetError>,
    }

    impl Table {
        /// Begins a file on standard output.
        ///
        /// # Errors
        /// Where that is a terminal, or cannot be written.
        pub(crate) fn to_output() -> std::result::Result<Self, Failure> {
            if stdout().is_terminal() {
                let what = "a Parquet file is no text for a terminal; redirect it: > fleet.parquet";
                return Err(Failure::Usage(what.to_owned()));
            }
            let writer = begun().map_err(|error| failure(&error))?;
            let columns = COLUMNS.iter().map(|column| column.cells()).collect();
            Ok(Self { writer, columns, rows: 0, failed: None })
        }

        /// Takes one host; false where nothing can be written any more.
        pub(crate) fn add(&mut self, line: &HostLine) -> bool {
            let mut holders = line.holders.iter().map(Some).collect::<Vec<_>>();
            if holders.is_empty() {
                holders.push(None);
            }
            self.rows += holders.len();
            for holder in holders {
                let row = Row { line, holder };
                for (column, cells) in COLUMNS.iter().zip(&mut self.columns) {
                    cells.push(&row, column);
                }
            }
            if self.rows >= GROUP && self.failed.is_none() {
                self.failed = self.write_group().err();
            }
            self.failed.is_none()
        }

        /// Writes what is left, and the footer.
        ///
        /// # Errors
        /// Where the output cannot be written.
        pub(crate) fn end(mut self) -> std::result::Result<(), Failure> {
            let result = match self.failed.take() {
                Some(error) => Err(error),
                None => self.write_group().and_then(|()| self.writer.close().map(drop)),
            };
            result.map_err(|error| failure(&error))
        }

        fn write_group(&mut self) -> Result<()> {
            self.rows = 0;
            if self.columns.iter().all(Cells::is_empty) {
                return Ok(());
            }
            let mut group = self.writer.next_row_group()?;
            for cells in &mut self.columns {
                let Some(mut column) = group.next_column()? else { break };
                cells.write(&mut column)?;
                column.close()?;
            }
            group.close().map(drop)
        }
    }

    fn begun() -> Result<SerializedFileWriter<Stdout>> {
        let fields = COLUMNS.iter().map(|column| column.field()).collect::<Result<Vec<_>>>()?;
        let schema = Type::group_type_builder("fleet").with_fields(fields).build()?;
        let version = KeyValue::new("ebusy.schema".to_owned(), LINE_SCHEMA.to_owned());
        let properties = WriterProperties::builder()
            .set_compression(Compression::GZIP(Default::default()))
            .set_created_by(concat!("ebusy ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_key_value_metadata(Some(vec![version]))
            .build();
        SerializedFileWriter::new(stdout(), Arc::new(schema), Arc::new(properties))
    }

    fn failure(error: &ParquetError) -> Failure {
        Failure::Input(format!("the table could not be written: {error}. Look for room where it goes to."))
    }
}
