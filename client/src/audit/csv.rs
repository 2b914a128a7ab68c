//! Tables for spreadsheets: RFC 4180, UTF-8, with line feeds. A cell that a spreadsheet would take for a formula gets an
//! apostrophe in front, which spreadsheets do not show.

/// The mark at the beginning of a file by which spreadsheets know that it is UTF-8.
pub(crate) const BOM: &str = "\u{FEFF}";

/// One row, with its line feed.
pub(crate) fn row<T: AsRef<str>>(cells: impl IntoIterator<Item = T>) -> String {
    let mut row = String::new();
    for (position, cell) in cells.into_iter().enumerate() {
        if position > 0 {
            row.push(',');
        }
        push_cell(&mut row, cell.as_ref());
    }
    row.push('\n');
    row
}

/// Whether a spreadsheet might read the cell as a formula: its first character besides white space begins one, in its plain
/// or in its full width form, or it begins with a character that is skipped when it is pasted.
fn is_formula(cell: &str) -> bool {
    cell.starts_with(['\t', '\r', '\n'])
        || cell.trim_start().starts_with(['=', '+', '-', '@', '\u{FF1D}', '\u{FF0B}', '\u{FF0D}', '\u{FF20}'])
}

fn push_cell(row: &mut String, cell: &str) {
    let guard = if is_formula(cell) { "'" } else { "" };
    if cell.contains([',', '"', '\n', '\r']) {
        row.push('"');
        row.push_str(guard);
        row.push_str(&cell.replace('"', "\"\""));
        row.push('"');
    } else {
        row.push_str(guard);
        row.push_str(cell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        assert_eq!(row(["a", "b c", "1,5", "say \"x\"", ""]), "a,b c,\"1,5\",\"say \"\"x\"\"\",\n");
    }

    #[test]
    fn no_cell_begins_a_formula() {
        for cell in ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\u{FF1D}1", "\u{A0}=1", "=1,2", "-\"x\""] {
            let text = row([cell]);
            let shown = text.strip_prefix('"').unwrap_or(&text);
            assert!(shown.starts_with('\''), "{cell:?} became {text:?}");
        }
        assert_eq!(row(["2026-11-24", "a=b", "ა"]), "2026-11-24,a=b,ა\n");
    }
}
