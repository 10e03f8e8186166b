//! What stands in the table: each column by its name, and how a row fills it.

use ebusy_analyzer::fleet::{HolderLine, HostLine};
use ebusy_analyzer::report::{Effect, Status};
use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int64Type};
use parquet::errors::Result;
use parquet::file::writer::SerializedColumnWriter;
use parquet::schema::types::{Type, TypePtr};
use std::sync::Arc;

/// A holder on a host, or a host alone.
pub(super) struct Row<'a> {
    pub(super) line: &'a HostLine,
    pub(super) holder: Option<&'a HolderLine>,
}

impl<'a> Row<'a> {
    fn of_holder<T>(&self, value: impl Fn(&'a HolderLine) -> T) -> Option<T> {
        self.holder.map(value)
    }

    /// A number that is only known of a bundle that was read.
    fn read(&self, number: u32) -> Option<i64> {
        self.line.failure.is_none().then_some(i64::from(number))
    }
}

/// How a column's value is found; `None` is the table's null.
pub(super) enum Value {
    Text(fn(&Row<'_>) -> Option<String>),
    Number(fn(&Row<'_>) -> Option<i64>),
    Flag(fn(&Row<'_>) -> Option<bool>),
}

pub(super) struct Column {
    name: &'static str,
    value: Value,
}

const fn column(name: &'static str, value: Value) -> Column {
    Column { name, value }
}

/// In the order of the file. Columns may be added; none is renamed or taken away (docs/report-format.md).
pub(super) const COLUMNS: [Column; 26] = [
    column("source", Value::Text(|row| Some(row.line.source.clone()))),
    column("host", Value::Text(|row| row.line.host.name.clone())),
    column("kernel", Value::Text(|row| row.line.host.kernel.clone())),
    column("runtime", Value::Text(|row| row.line.host.runtime.clone())),
    column("collected_at", Value::Text(|row| row.line.host.collected_at.clone())),
    column("booted_at", Value::Text(|row| row.line.booted_at.clone())),
    column("boot_id", Value::Text(|row| row.line.host.boot_id.clone())),
    column("drops_foreign_mounts", Value::Flag(|row| row.line.host.drops_foreign_mounts)),
    column("status", Value::Text(|row| row.line.status.map(status))),
    column("target", Value::Text(|row| row.line.target.clone())),
    column("summary", Value::Text(|row| Some(row.line.summary.clone()))),
    column("errors", Value::Number(|row| row.read(row.line.errors))),
    column("leftovers", Value::Number(|row| row.read(row.line.leftovers))),
    column("will_block", Value::Number(|row| row.read(row.line.will_block))),
    column("pinned_bytes", Value::Number(|row| row.line.pinned_bytes.and_then(|n| i64::try_from(n).ok()))),
    column("complete", Value::Flag(|row| row.line.failure.is_none().then_some(row.line.complete))),
    column("privileged", Value::Flag(|row| row.line.privileged)),
    column("failure_code", Value::Text(|row| row.line.failure.as_ref().map(|it| it.code.clone()))),
    column("failure_advice", Value::Text(|row| row.line.failure.as_ref().map(|it| it.advice.clone()))),
    column("holder_who", Value::Text(|row| row.of_holder(|it| it.who.clone()))),
    column("holder_effect", Value::Text(|row| row.of_holder(|it| effect(it.effect)))),
    column("holder_mounts", Value::Number(|row| row.of_holder(|it| i64::from(it.mounts)))),
    column("holder_open_files", Value::Number(|row| row.of_holder(|it| i64::from(it.open_files)))),
    column("cause_id", Value::Text(|row| row.holder?.cause.as_ref().map(|it| it.id.clone()))),
    column("cause_summary", Value::Text(|row| row.holder?.cause.as_ref().map(|it| it.summary.clone()))),
    column("schema", Value::Text(|row| Some(row.line.schema.clone()))),
];

/// The words that JSON has.
fn status(status: Status) -> String {
    match status {
        Status::Held => "held",
        Status::Free => "free",
        Status::Unknown => "unknown",
    }
    .to_owned()
}

fn effect(effect: Effect) -> String {
    match effect {
        Effect::Blocking => "blocking",
        Effect::Holding => "holding",
        Effect::Unrelated => "unrelated",
    }
    .to_owned()
}

impl Column {
    /// Its place in the file's schema.
    pub(super) fn field(&self) -> Result<TypePtr> {
        let (physical, logical) = match self.value {
            Value::Text(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Value::Number(_) => (Physical::INT64, None),
            Value::Flag(_) => (Physical::BOOLEAN, None),
        };
        let field = Type::primitive_type_builder(self.name, physical).with_repetition(Repetition::OPTIONAL);
        field.with_logical_type(logical).build().map(Arc::new)
    }

    pub(super) fn cells(&self) -> Cells {
        let values = match self.value {
            Value::Text(_) => Values::Text(Vec::new()),
            Value::Number(_) => Values::Number(Vec::new()),
            Value::Flag(_) => Values::Flag(Vec::new()),
        };
        Cells { values, present: Vec::new() }
    }
}

enum Values {
    Text(Vec<ByteArray>),
    Number(Vec<i64>),
    Flag(Vec<bool>),
}

/// A column's cells of the rows that were not written yet: those that are there, and which are.
pub(super) struct Cells {
    values: Values,
    /// Parquet's definition levels: 1 where there is a value.
    present: Vec<i16>,
}

impl Cells {
    pub(super) fn push(&mut self, row: &Row<'_>, column: &Column) {
        let present = match (&mut self.values, &column.value) {
            (Values::Text(all), Value::Text(value)) => kept(all, value(row).map(|it| it.as_str().into())),
            (Values::Number(all), Value::Number(value)) => kept(all, value(row)),
            (Values::Flag(all), Value::Flag(value)) => kept(all, value(row)),
            // Each was made for its column.
            _ => false,
        };
        self.present.push(i16::from(present));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.present.is_empty()
    }

    /// Writes the cells and forgets them.
    pub(super) fn write(&mut self, column: &mut SerializedColumnWriter<'_>) -> Result<()> {
        let present = Some(self.present.as_slice());
        match &mut self.values {
            Values::Text(all) => _ = column.typed::<ByteArrayType>().write_batch(all, present, None)?,
            Values::Number(all) => _ = column.typed::<Int64Type>().write_batch(all, present, None)?,
            Values::Flag(all) => _ = column.typed::<BoolType>().write_batch(all, present, None)?,
        }
        match &mut self.values {
            Values::Text(all) => all.clear(),
            Values::Number(all) => all.clear(),
            Values::Flag(all) => all.clear(),
        }
        self.present.clear();
        Ok(())
    }
}

fn kept<T>(all: &mut Vec<T>, value: Option<T>) -> bool {
    let present = value.is_some();
    all.extend(value);
    present
}
