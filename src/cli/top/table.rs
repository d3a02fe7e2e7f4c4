//! Which channels are shown, in which order, and their numbers as people read them.

use std::cmp::Ordering;

use super::report::{Row, Standing};
use crate::cli::{args::Column, escape};

/// What is shown of the channels.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub(super) sort: Column,
    pub(super) reversed: bool,
    pub(super) filter: String,
}

impl Choice {
    /// The rows that are shown, in order; the others together always stand last.
    pub(super) fn rows<'a>(&self, standing: &'a Standing) -> Vec<&'a Row> {
        let wanted = self.filter.to_lowercase();
        let fits = |row: &&Row| match &row.name {
            Some(name) => name.to_lowercase().contains(&wanted),
            None => wanted.is_empty(),
        };
        let mut rows: Vec<&Row> = standing.channels.iter().filter(fits).collect();
        rows.sort_by(|a, b| {
            let by_name = a.name.cmp(&b.name);
            let order = compare(a, b, self.sort);
            let order = if self.reversed { order.reverse() } else { order };
            a.name.is_none().cmp(&b.name.is_none()).then(order).then(by_name)
        });
        rows
    }
}

/// Names in their order, numbers from the largest down.
fn compare(a: &Row, b: &Row, column: Column) -> Ordering {
    match column {
        Column::Name => a.name.cmp(&b.name),
        Column::Viewers => b.viewers.cmp(&a.viewers),
        Column::Lag => b.lag_messages.cmp(&a.lag_messages),
        Column::In => b.published_per_second.total_cmp(&a.published_per_second),
        Column::Out => b.deliveries_per_second.total_cmp(&a.deliveries_per_second),
        Column::Bytes => b.bytes_per_second.total_cmp(&a.bytes_per_second),
        Column::Gaps => b.gaps.cmp(&a.gaps),
        Column::Cut => b.cut.cmp(&a.cut),
        Column::Messages => b.log_messages.cmp(&a.log_messages),
        Column::Memory => b.log_bytes.cmp(&a.log_bytes),
    }
}

/// What stands in a column; `others` is the name of those without one.
pub(super) fn cell(row: &Row, column: Column, others: &str) -> String {
    match column {
        Column::Name => match &row.name {
            Some(name) => escape::line(name.as_bytes()),
            None => others.to_owned(),
        },
        Column::Viewers => row.viewers.to_string(),
        Column::Lag => row.lag_messages.to_string(),
        Column::In => rate(row.published_per_second),
        Column::Out => rate(row.deliveries_per_second),
        Column::Bytes => bytes(row.bytes_per_second),
        Column::Gaps => row.gaps.to_string(),
        Column::Cut => row.cut.to_string(),
        Column::Messages => row.log_messages.to_string(),
        Column::Memory => bytes(row.log_bytes as f64),
    }
}

/// A number of things a second: small ones with a decimal.
pub(super) fn rate(rate: f64) -> String {
    match rate {
        ..0.05 => "0".to_owned(),
        0.05..100.0 => format!("{rate:.1}"),
        100.0..1e5 => format!("{rate:.0}"),
        1e5..1e6 => format!("{:.0}k", rate / 1e3),
        _ => format!("{:.1}M", rate / 1e6),
    }
}

/// A number of bytes.
pub(super) fn bytes(bytes: f64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (bytes, 0);
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{value:.0} B"),
        _ if value < 10.0 => format!("{value:.1} {}", UNITS[unit]),
        _ => format!("{value:.0} {}", UNITS[unit]),
    }
}

/// A time in microseconds.
pub(super) fn micros(micros: u64) -> String {
    match micros {
        ..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{} ms", micros as f64 / 1e3),
        _ => format!("{} s", micros as f64 / 1e6),
    }
}

/// Lines for whoever reads them without a terminal: columns, and below them the rows.
pub(super) fn lines(titles: &[String], rows: &[Vec<String>]) -> Vec<String> {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| &row[column]).chain([&titles[column]]);
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..titles.len()).map(width).collect();
    let line = |cells: &[String]| {
        let cells = cells.iter().zip(&widths).enumerate();
        let padded = cells.map(|(index, (cell, &width))| match index {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    std::iter::once(titles).chain(rows.iter().map(Vec::as_slice)).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let rates = [0.0, 0.04, 0.5, 99.96, 1234.5, 123_456.0, 2_500_000.0].map(rate);
        assert_eq!(rates, ["0", "0", "0.5", "100.0", "1234", "123k", "2.5M"]);
        let sizes = [0.0, 999.0, 1000.0, 1024.0, 20_480.0, 5e6, 5e9].map(bytes);
        assert_eq!(sizes, ["0 B", "999 B", "1.0 KiB", "1.0 KiB", "20 KiB", "4.8 MiB", "4.7 GiB"]);
        assert_eq!([5, 2_500, 1_000_000].map(micros), ["5 µs", "2.5 ms", "1 s"]);
    }

    #[test]
    fn columns_stand_below_their_titles() {
        let text = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        let shown = lines(&text(&["CANAL", "N"]), &[text(&["ñandú/ü", "7"]), text(&["a", "1000"])]);
        assert_eq!(shown, ["CANAL       N", "ñandú/ü     7", "a        1000"]);
    }
}
