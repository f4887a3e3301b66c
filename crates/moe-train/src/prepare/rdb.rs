//! R's lazy-load data base, read without R: enough of it to get the character vectors out.
//!
//! A `.rdb` file is a sequence of records: the unpacked length (u32, big-endian), then a zlib stream. Unpacked, a
//! record is one R object in "XDR" serialisation (R Internals, section 1.8): `X\n`, three i32 (format version, writer,
//! oldest reader), since version 3 the native encoding (i32 length, bytes), then the object. Integers are big-endian.

use std::io::Read;

use anyhow::{Context, Result, bail, ensure};
use flate2::bufread::ZlibDecoder;

const STRSXP: u32 = 16;
const CHARSXP: u32 = 9;
/// Bit of an item's flags that says its bytes are ISO 8859-1; otherwise they are ASCII or UTF-8.
const LATIN1: u32 = 1 << (12 + 2);
/// The length of a missing string.
const NA: u32 = u32::MAX;

/// The records of a `.rdb` file, unpacked.
pub fn records(mut rdb: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut records = Vec::new();
    while !rdb.is_empty() {
        let len = u32_at(&mut rdb)? as usize;
        let mut decoder = ZlibDecoder::new(rdb);
        let mut record = Vec::with_capacity(len);
        decoder.read_to_end(&mut record).with_context(|| format!("record {} is not a zlib stream", records.len()))?;
        ensure!(record.len() == len, "record {} has {} bytes, {len} were announced", records.len(), record.len());
        rdb = &rdb[decoder.total_in() as usize..];
        records.push(record);
    }
    Ok(records)
}

/// The strings of a record that is a character vector; missing ones are empty.
pub fn character_vector(mut record: &[u8]) -> Result<Vec<String>> {
    ensure!(bytes_at(&mut record, 2)? == b"X\n", "not in XDR serialisation");
    let version = u32_at(&mut record)?;
    bytes_at(&mut record, 8)?;
    if version >= 3 {
        let encoding_len = u32_at(&mut record)? as usize;
        bytes_at(&mut record, encoding_len)?;
    }
    let kind = u32_at(&mut record)? & 0xFF;
    ensure!(kind == STRSXP, "an R object of type {kind}, not a character vector ({STRSXP})");
    let len = u32_at(&mut record)?;
    (0..len).map(|_| string_at(&mut record)).collect()
}

fn string_at(rest: &mut &[u8]) -> Result<String> {
    let flags = u32_at(rest)?;
    ensure!(flags & 0xFF == CHARSXP, "an item of type {} inside a character vector", flags & 0xFF);
    let len = u32_at(rest)?;
    if len == NA {
        return Ok(String::new());
    }
    let bytes = bytes_at(rest, len as usize)?;
    if flags & LATIN1 != 0 {
        return Ok(bytes.iter().map(|&byte| char::from(byte)).collect());
    }
    String::from_utf8(bytes.to_vec()).context("a string that is not UTF-8")
}

fn u32_at(rest: &mut &[u8]) -> Result<u32> {
    let bytes = bytes_at(rest, 4)?;
    Ok(u32::from_be_bytes(bytes.try_into().expect("four bytes were asked for")))
}

fn bytes_at<'a>(rest: &mut &'a [u8], len: usize) -> Result<&'a [u8]> {
    if rest.len() < len {
        bail!("the data end {} bytes too early", len - rest.len());
    }
    let (taken, left) = rest.split_at(len);
    *rest = left;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::*;

    /// `c("EMMA", NA, "")` and, in Latin 1, `"é"`, as R 4 writes them.
    fn serialised() -> Vec<u8> {
        let mut bytes = b"X\n\0\0\0\x03\0\x04\x02\x01\0\x03\x05\0\0\0\0\x05UTF-8".to_vec();
        bytes.extend(b"\0\0\0\x10\0\0\0\x04");
        bytes.extend(b"\0\x04\0\x09\0\0\0\x04EMMA");
        bytes.extend(b"\0\0\0\x09\xFF\xFF\xFF\xFF");
        bytes.extend(b"\0\x04\0\x09\0\0\0\0");
        bytes.extend(b"\0\0\x40\x09\0\0\0\x01\xE9");
        bytes
    }

    fn record(content: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content).expect("writing to memory");
        let mut bytes = (content.len() as u32).to_be_bytes().to_vec();
        bytes.extend(encoder.finish().expect("writing to memory"));
        bytes
    }

    #[test]
    fn four_strings_by_hand() {
        assert_eq!(character_vector(&serialised()).expect("a vector"), ["EMMA", "", "", "é"]);
    }

    #[test]
    fn records_follow_each_other() {
        let file = [record(b"one"), record(&serialised()), record(b"")].concat();
        assert_eq!(records(&file).expect("three records"), [b"one".to_vec(), serialised(), Vec::new()]);
    }

    #[test]
    fn what_is_cut_short_is_an_error() {
        let whole = serialised();
        assert!(character_vector(&whole[..whole.len() - 1]).is_err());
        let file = record(b"some text");
        assert!(records(&file[..file.len() - 6]).is_err());
    }
}
