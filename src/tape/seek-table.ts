/** The seek table of the zstd seekable format: a skippable frame at the end of a sealed segment. */
import type { FrameHeader } from './frame-header.js';

const SKIPPABLE_MAGIC = 0x184d2a5e;
const SEEKABLE_MAGIC = 0x8f92eab1;
const HEADER_BYTES = 8;
/** The file's last bytes: number of frames, descriptor, magic. */
export const FOOTER_BYTES = 9;
const CHECKSUM_FLAG = 0x80;
/** Bits 6 to 2 of the descriptor are reserved and must be zero. */
const RESERVED_FLAGS = 0x7c;

export interface SeekTableFrame {
  compressedBytes: number;
  textBytes: number;
  /** low 32 bits of the text's XXH64: what zstd itself writes as the last four bytes of a frame */
  checksum?: number;
}

/** The seek table as bytes to append; checksums are written when every frame has one. */
export function encodeSeekTable(frames: readonly SeekTableFrame[]): Buffer {
  const checksums = frames.every((frame) => frame.checksum !== undefined);
  const entryBytes = checksums ? 12 : 8;
  const table = Buffer.alloc(HEADER_BYTES + frames.length * entryBytes + FOOTER_BYTES);
  table.writeUInt32LE(SKIPPABLE_MAGIC, 0);
  table.writeUInt32LE(table.length - HEADER_BYTES, 4);
  let p = HEADER_BYTES;
  for (const frame of frames) {
    table.writeUInt32LE(frame.compressedBytes, p);
    table.writeUInt32LE(frame.textBytes, p + 4);
    if (checksums) table.writeUInt32LE(frame.checksum ?? 0, p + 8);
    p += entryBytes;
  }
  table.writeUInt32LE(frames.length, p);
  table[p + 4] = checksums ? CHECKSUM_FLAG : 0;
  table.writeUInt32LE(SEEKABLE_MAGIC, p + 5);
  return table;
}

/** Whether a frame is meant as a seek table, whatever it says. */
export function isSeekTable(header: FrameHeader): boolean {
  return header.kind === 'skippable' && header.magic === SKIPPABLE_MAGIC;
}

/** The size of the whole seek table, told by a file's last nine bytes; 0 when they end none. */
export function seekTableBytes(footer: Buffer): number {
  if (footer.length < FOOTER_BYTES) return 0;
  const at = footer.length - FOOTER_BYTES;
  const descriptor = footer[at + 4];
  if (footer.readUInt32LE(at + 5) !== SEEKABLE_MAGIC || (descriptor & RESERVED_FLAGS) !== 0) return 0;
  const entryBytes = (descriptor & CHECKSUM_FLAG) !== 0 ? 12 : 8;
  return HEADER_BYTES + footer.readUInt32LE(at) * entryBytes + FOOTER_BYTES;
}

/** Reads a whole seek table; null when the bytes are none. */
export function decodeSeekTable(table: Buffer): SeekTableFrame[] | null {
  if (table.length < HEADER_BYTES + FOOTER_BYTES || seekTableBytes(table) !== table.length) return null;
  if (table.readUInt32LE(0) !== SKIPPABLE_MAGIC || table.readUInt32LE(4) !== table.length - HEADER_BYTES) return null;
  const checksums = (table[table.length - 5] & CHECKSUM_FLAG) !== 0;
  const frames: SeekTableFrame[] = [];
  for (let p = HEADER_BYTES; p < table.length - FOOTER_BYTES; p += checksums ? 12 : 8) {
    const frame: SeekTableFrame = { compressedBytes: table.readUInt32LE(p), textBytes: table.readUInt32LE(p + 4) };
    if (checksums) frame.checksum = table.readUInt32LE(p + 8);
    frames.push(frame);
  }
  return frames;
}
