/** Zstandard frames seen from outside: headers, block sizes and skippable frames, without decompressing. */

const MAGIC = 0xfd2fb528;
/** The same as it stands in a file. */
export const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** The sixteen skippable magics differ in their low four bits. */
const SKIPPABLE_MAGIC = 0x184d2a50;

/** A frame whose content size is known and no larger is decompressed at once; others are streamed. */
export const ONE_SHOT_BYTES = 16 * 1024 * 1024;

/** What stands at an offset; `more` says that the bytes end too early to tell. */
export type FrameHeader =
  | { kind: 'zstd'; headerBytes: number; contentBytes: number | null; checksum: boolean; windowBytes: number }
  | { kind: 'skippable'; magic: number; frameBytes: number }
  | { kind: 'more' }
  | { kind: 'bad'; why: string };

/** Reads the frame header at `offset` of `bytes`, of which only `[offset, to)` counts. */
export function frameHeader(bytes: Buffer, offset: number, to = bytes.length): FrameHeader {
  if (to - offset < 4) return { kind: 'more' };
  const magic = bytes.readUInt32LE(offset);
  if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
    if (to - offset < 8) return { kind: 'more' };
    return { kind: 'skippable', magic, frameBytes: 8 + bytes.readUInt32LE(offset + 4) };
  }
  if (magic !== MAGIC) return { kind: 'bad', why: 'no zstd frame starts here' };
  if (to - offset < 5) return { kind: 'more' };
  const flags = bytes[offset + 4];
  if ((flags & 0x08) !== 0) return { kind: 'bad', why: 'the frame header uses a reserved bit' };
  const single = (flags & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][flags & 3];
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][flags >> 6];
  const headerBytes = 5 + (single ? 0 : 1) + dictionaryBytes + sizeBytes;
  if (to - offset < headerBytes) return { kind: 'more' };
  const sizeAt = offset + headerBytes - sizeBytes;
  for (let p = sizeAt - dictionaryBytes; p < sizeAt; p++)
    if (bytes[p] !== 0) return { kind: 'bad', why: 'the frame needs a dictionary' };
  let contentBytes: number | null = null;
  if (sizeBytes === 8) contentBytes = bytes.readUInt32LE(sizeAt) + bytes.readUInt32LE(sizeAt + 4) * 2 ** 32;
  else if (sizeBytes > 0) contentBytes = bytes.readUIntLE(sizeAt, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
  const descriptor = bytes[offset + 5];
  const windowBase = 2 ** (10 + (descriptor >> 3));
  const windowBytes = single ? (contentBytes ?? 0) : windowBase + (windowBase / 8) * (descriptor & 7);
  return { kind: 'zstd', headerBytes, contentBytes, checksum: (flags & 4) !== 0, windowBytes };
}

/**
 * The compressed size of the frame at `offset`, walked by its block headers.
 * @returns 0 when `[offset, to)` ends before the frame does, -1 when a block header is impossible
 */
export function frameExtent(bytes: Buffer, offset: number, to = bytes.length): number {
  const header = frameHeader(bytes, offset, to);
  if (header.kind === 'more') return 0;
  if (header.kind === 'bad') return -1;
  if (header.kind === 'skippable') return to - offset >= header.frameBytes ? header.frameBytes : 0;
  const largestBlock = Math.min(Math.max(header.windowBytes, 1), 128 * 1024);
  let p = offset + header.headerBytes;
  for (;;) {
    if (to - p < 3) return 0;
    const block = bytes.readUIntLE(p, 3);
    const type = (block >> 1) & 3;
    const size = block >> 3;
    if (type === 3 || size > largestBlock) return -1;
    // an RLE block stores one byte and says how often
    p += 3 + (type === 1 ? 1 : size);
    if ((block & 1) === 1) break;
  }
  if (header.checksum) p += 4;
  return p <= to ? p - offset : 0;
}

/** Whether a zstd or skippable frame may start at `offset` (four bytes must be there). */
export function isMagicAt(bytes: Buffer, offset: number): boolean {
  const magic = bytes.readUInt32LE(offset);
  return magic === MAGIC || (magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC;
}
