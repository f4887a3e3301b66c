//! Tables of shares as SVG, coloured by how far they are from an even share.

use std::path::Path;

use super::canvas::{self, Anchor, Colour};
use anyhow::Result;

/// Tables beside and below each other, with the same rows and columns.
pub struct HeatMap {
    pub title: String,
    pub rows: Vec<String>,
    /// Name of the columns, which are numbered from 1.
    pub columns: String,
    /// Drawn white: neither more nor less than by chance.
    pub even: f64,
    /// Title and `[rows][columns]`, in percent.
    pub tables: Vec<(String, Vec<Vec<f64>>)>,
}

const CELL: (i32, i32) = (40, 26);
const LEFT: i32 = 110;
const TOP: i32 = 46;
const MORE: (f64, f64, f64) = (213.0, 94.0, 0.0);
const LESS: (f64, f64, f64) = (0.0, 114.0, 178.0);

impl HeatMap {
    pub fn write(&self, path: &Path) -> Result<()> {
        let columns = self.tables.iter().flat_map(|(_, rows)| rows).map(Vec::len).max().unwrap_or(0);
        let table_size = (LEFT + CELL.0 * columns as i32 + 20, TOP + CELL.1 * self.rows.len() as i32 + 20);
        let down = self.tables.len().div_ceil(2).max(1) as i32;
        // The title needs its room even above narrow tables.
        let size = ((2 * table_size.0).max(720) as u32, (44 + down * table_size.1) as u32);
        canvas::write(path, size, &self.title, |canvas| {
            for (number, (title, rows)) in self.tables.iter().enumerate() {
                canvas.origin = (number as i32 % 2 * table_size.0, 44 + number as i32 / 2 * table_size.1);
                canvas.text(&format!("{title}, {}", self.columns), (LEFT, 10), Anchor::Left, 13)?;
                for column in 0..columns {
                    let x = LEFT + CELL.0 * column as i32 + CELL.0 / 2;
                    canvas.text(&(column + 1).to_string(), (x, TOP - 12), Anchor::Middle, 12)?;
                }
                for (row, (name, shares)) in self.rows.iter().zip(rows).enumerate() {
                    let y = TOP + CELL.1 * row as i32;
                    canvas.text(name, (LEFT - 8, y + CELL.1 / 2), Anchor::Right, 12)?;
                    for (column, &share) in shares.iter().enumerate() {
                        let x = LEFT + CELL.0 * column as i32;
                        canvas.rectangle((x, y), (x + CELL.0 - 1, y + CELL.1 - 1), self.colour(share))?;
                        canvas.text(&format!("{share:.0}"), (x + CELL.0 / 2, y + CELL.1 / 2), Anchor::Middle, 12)?;
                    }
                }
            }
            Ok(())
        })
    }

    /// From blue (nobody) over white (even) to orange (three times the even share or more), light enough for dark text.
    fn colour(&self, share: f64) -> Colour {
        let (towards, strength) = match share < self.even {
            true => (LESS, 1.0 - share / self.even),
            false => (MORE, (share / self.even - 1.0) / 2.0),
        };
        let mixed = |channel: f64| (255.0 - 0.65 * strength.min(1.0) * (255.0 - channel)).round() as u8;
        (mixed(towards.0), mixed(towards.1), mixed(towards.2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_share_is_white() {
        let map = HeatMap { title: String::new(), rows: vec![], columns: String::new(), even: 25.0, tables: vec![] };
        assert_eq!(map.colour(25.0), (255, 255, 255));
        let (less, more) = (map.colour(10.0), map.colour(60.0));
        assert!(less.0 < less.2 && more.2 < more.0);
        assert_eq!(map.colour(75.0), map.colour(99.0));
    }
}
