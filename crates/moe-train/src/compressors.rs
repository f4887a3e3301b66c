//! What compressors make of the held-out text, in bits per byte: the bar that the model is judged by.
//!
//! Each compressor starts from nothing, whereas the model has seen the training text. That is the point: a compressor's
//! number says how hard the text is for those who know only what they have read of it so far.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::prepare::Domain;
use crate::prepare::archive::run as output_of;

/// The text's first bytes, so that a domain with more of it has no advantage.
const MAX_BYTES: usize = 400_000;

/// Bits per byte on one domain's held-out text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compressed {
    pub domain: String,
    pub text_bytes: usize,
    /// `xz -9e`
    pub xz: f64,
    /// `zstd --ultra -22`
    pub zstd: f64,
    /// PPMd variant H (7-Zip's), order 6, 64 MB; `None` where `pyppmd` cannot be installed.
    pub ppmd: Option<f64>,
}

/// Measures all domains of the corpus in `out` and leaves `compressors.md` and `compressors.json` there.
pub fn run(out: &Path) -> Result<Vec<Compressed>> {
    let work = out.join("work");
    let have_ppmd = install_ppmd(&work.join("pyppmd")).inspect_err(|error| eprintln!("no PPMd: {error:#}")).is_ok();
    let mut rows = Vec::new();
    for domain in Domain::ALL {
        let path = out.join("valid").join(format!("{}.txt", domain.name()));
        let mut text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        text.truncate(MAX_BYTES);
        let sample = work.join(format!("quality-{}.txt", domain.name()));
        fs::write(&sample, &text)?;
        let bits_per_byte = |len: usize| 8.0 * len as f64 / text.len() as f64;
        rows.push(Compressed {
            domain: domain.name().to_owned(),
            text_bytes: text.len(),
            xz: bits_per_byte(packed_len(Command::new("xz").args(["-9e", "--stdout"]).arg(&sample))?),
            zstd: bits_per_byte(packed_len(
                Command::new("zstd").args(["-q", "--ultra", "-22", "--stdout"]).arg(&sample),
            )?),
            ppmd: if have_ppmd { Some(bits_per_byte(ppmd_len(&sample, &work.join("pyppmd"))?)) } else { None },
        });
        fs::remove_file(&sample)?;
    }
    fs::write(out.join("compressors.md"), table(&rows))?;
    fs::write(out.join("compressors.json"), serde_json::to_string_pretty(&rows)? + "\n")?;
    Ok(rows)
}

/// A Markdown table, one row a domain.
pub fn table(rows: &[Compressed]) -> String {
    let mut table = "| held-out text | kB | xz -9e | zstd -22 | PPMd (order 6) |\n".to_owned();
    table.push_str("| --- | ---: | ---: | ---: | ---: |\n");
    for Compressed { domain, text_bytes, xz, zstd, ppmd } in rows {
        let ppmd = ppmd.map_or("not available".to_owned(), |ppmd| format!("{ppmd:.3}"));
        let kilobytes = *text_bytes as f64 / 1e3;
        writeln!(table, "| {domain} | {kilobytes:.0} | {xz:.3} | {zstd:.3} | {ppmd} |").expect("writing to a string");
    }
    table
}

/// Length of what the command writes.
fn packed_len(command: &mut Command) -> Result<usize> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("{name} could not be started"))?;
    anyhow::ensure!(output.status.success(), "{name} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(output.stdout.len())
}

fn install_ppmd(folder: &Path) -> Result<()> {
    if !folder.exists() {
        output_of(
            Command::new("python3").args(["-m", "pip", "install", "--quiet", "--target"]).arg(folder).arg("pyppmd"),
        )?;
    }
    Ok(())
}

/// Order 6, 64 MB; the text is unpacked again to be sure that nothing was lost.
fn ppmd_len(sample: &Path, python_path: &Path) -> Result<usize> {
    const SCRIPT: &str = "
import pyppmd, sys
text = open(sys.argv[1], 'rb').read()
encoder = pyppmd.Ppmd7Encoder(6, 64 << 20)
packed = encoder.encode(text) + encoder.flush()
assert pyppmd.Ppmd7Decoder(6, 64 << 20).decode(packed, len(text)) == text
print(len(packed))
";
    let len = output_of(Command::new("python3").arg("-c").arg(SCRIPT).arg(sample).env("PYTHONPATH", python_path))?;
    len.trim().parse().with_context(|| format!("a length was expected, not {len:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_compressor_is_said_to_be_missing() {
        let row = Compressed { domain: "prose".to_owned(), text_bytes: 400_000, xz: 2.75, zstd: 2.8, ppmd: None };
        let expected = "| prose | 400 | 2.750 | 2.800 | not available |";
        assert_eq!(table(&[row]).lines().last(), Some(expected));
    }

    #[test]
    fn what_is_written_is_what_is_counted() {
        assert_eq!(packed_len(Command::new("printf").arg("12345")).expect("printf is everywhere"), 5);
        assert!(packed_len(&mut Command::new("false")).is_err());
    }
}
