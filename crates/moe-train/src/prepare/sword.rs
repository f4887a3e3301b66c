//! SWORD's zText modules: a text in blocks of zlib, with an index of blocks and an index of verses.
//!
//! For each testament `xx`: `xx.bzz` holds the blocks (here one a book); `xx.bzs` has 12 bytes a block: offset in
//! `xx.bzz`, packed length, unpacked length; `xx.bzv` has 10 bytes a verse: block, offset in the unpacked block, length
//! (u16). All integers are little-endian. Headings are verses of their own in that index.

use std::io::Read;

use anyhow::{Context, Result, ensure};
use flate2::read::ZlibDecoder;

/// A verse or a heading, with its markup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub block: u32,
    pub markup: String,
}

/// All entries of a testament that are not empty, in the order of the index. Verses that share one text come once.
pub fn entries(bzs: &[u8], bzv: &[u8], bzz: &[u8]) -> Result<Vec<Entry>> {
    ensure!(bzs.len().is_multiple_of(12), "a block index of {} bytes is not a multiple of 12", bzs.len());
    ensure!(bzv.len().is_multiple_of(10), "a verse index of {} bytes is not a multiple of 10", bzv.len());
    let mut blocks = Vec::new();
    for (i, block) in bzs.chunks_exact(12).enumerate() {
        let [offset, packed, unpacked] = [u32_at(block, 0), u32_at(block, 4), u32_at(block, 8)].map(|n| n as usize);
        let stream = bzz.get(offset..offset + packed).with_context(|| format!("block {i} lies outside the file"))?;
        let mut text = Vec::with_capacity(unpacked);
        ZlibDecoder::new(stream).read_to_end(&mut text).with_context(|| format!("block {i} is not a zlib stream"))?;
        ensure!(text.len() == unpacked, "block {i} has {} bytes, {unpacked} were announced", text.len());
        blocks.push(text);
    }

    let mut entries = Vec::new();
    let mut last = (0, 0, 0);
    for (i, verse) in bzv.chunks_exact(10).enumerate() {
        let (block, offset) = (u32_at(verse, 0), u32_at(verse, 4) as usize);
        let len = usize::from(u16::from_le_bytes([verse[8], verse[9]]));
        if len == 0 || (block, offset, len) == last {
            continue;
        }
        last = (block, offset, len);
        let markup = blocks.get(block as usize).and_then(|text| text.get(offset..offset + len));
        let markup = markup.with_context(|| format!("verse {i} lies outside its block"))?;
        let markup = std::str::from_utf8(markup).with_context(|| format!("verse {i} is not UTF-8"))?.to_owned();
        entries.push(Entry { block, markup });
    }
    Ok(entries)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::*;

    fn packed(text: &str) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text.as_bytes()).expect("writing to memory");
        encoder.finish().expect("writing to memory")
    }

    fn verse(block: u32, offset: u32, len: u16) -> Vec<u8> {
        [&block.to_le_bytes()[..], &offset.to_le_bytes()[..], &len.to_le_bytes()[..]].concat()
    }

    #[test]
    fn two_blocks_and_four_verses() {
        let (first, second) = (packed("Génesis"), packed("EN el principio"));
        let numbers = [0, first.len(), "Génesis".len(), first.len(), second.len(), 15];
        let bzs: Vec<u8> = numbers.iter().flat_map(|&number| (number as u32).to_le_bytes()).collect();
        // An empty entry, the whole first block, and two verses that share "EN el".
        let bzv = [verse(0, 0, 0), verse(0, 0, 8), verse(1, 0, 5), verse(1, 0, 5), verse(1, 6, 9)].concat();
        let bzz = [first, second].concat();
        let expected = [(0, "Génesis"), (1, "EN el"), (1, "principio")]
            .map(|(block, markup)| Entry { block, markup: markup.to_owned() });
        assert_eq!(entries(&bzs, &bzv, &bzz).expect("a module"), expected);
        assert!(entries(&bzs, &verse(1, 10, 6), &bzz).is_err(), "the verse ends after its block");
        assert!(entries(&bzs, &verse(2, 0, 1), &bzz).is_err(), "there is no block 2");
    }
}
