// Files in one: a ZIP, as small as the browser makes it. The same files give the same bytes.

/** A ZIP file (PKWARE's APPNOTE, 4.3): each file with its local header, then the directory, then the end of it. */
export async function zip(files) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const { name, bytes } of files) {
    const packed = await deflated(bytes);
    const named = new TextEncoder().encode(name);
    const facts = [
      [2, 20], // Version needed: 2.0, for deflate.
      [2, 0x0800], // Names are UTF-8.
      [2, packed === bytes ? 0 : 8],
      [2, 0],
      [2, 0x21], // 1 January 1980: a file of the same run has the same bytes.
      [4, crc32(bytes)],
      [4, packed.length],
      [4, bytes.length],
      [2, named.length],
      [2, 0],
    ];
    const local = fields([[4, 0x04034b50], ...facts]);
    directory.push(fields([[4, 0x02014b50], [2, 20], ...facts, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]]), named);
    parts.push(local, named, packed);
    offset += local.length + named.length + packed.length;
  }
  const length = directory.reduce((sum, part) => sum + part.length, 0);
  const count = files.length;
  const end = fields([
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, count],
    [2, count],
    [4, length],
    [4, offset],
    [2, 0],
  ]);
  return new Blob([...parts, ...directory, end]);
}

/** Numbers of so many bytes each, little-endian. */
function fields(list) {
  return Uint8Array.from(
    list.flatMap(([width, value]) => Array.from({ length: width }, (_, at) => value >>> (8 * at))),
  );
}

/** Compressed, or as it is where the browser cannot or nothing is won. */
async function deflated(bytes) {
  try {
    const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate-raw"));
    const packed = new Uint8Array(await new Response(stream).arrayBuffer());
    return packed.length < bytes.length ? packed : bytes;
  } catch {
    return bytes;
  }
}

/** The checksum of ZIP and PNG (ISO 3309), bit by bit. */
export function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
