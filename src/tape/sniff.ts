/** Telling by its first bytes what an input is: zstd, plain NDJSON entries, a tape with a damaged start, or no tape. */
import { TapedeckError } from '../model/errors.js';
import { isMagicAt, ZSTD_MAGIC } from './frame-header.js';

/** Input that starts like no tape is looked through so far for a frame. */
const SNIFF_BYTES = 2 * 1024 * 1024;

/** @returns `more` while too little of the input is there to tell; `damaged` where only frames further on can tell */
export function sniffForm(bytes: Buffer, ended: boolean): 'more' | 'empty' | 'zstd' | 'plain' | 'damaged' | 'foreign' {
  if (bytes.length < 4 && !ended) return 'more';
  if (bytes.length === 0) return 'empty';
  const alike = ZSTD_MAGIC.reduce((count, byte, n) => count + (bytes[n] === byte ? 1 : 0), 0);
  // fewer than four bytes of a magic are a tape that was cut
  if (alike === Math.min(bytes.length, 4) || (bytes.length >= 4 && isMagicAt(bytes, 0))) return 'zstd';
  if (alike < 3 && /[{\s]/.test(String.fromCharCode(bytes[0]))) return 'plain';
  // a tape whose first bytes are damaged still holds frames
  if (bytes.indexOf(ZSTD_MAGIC) >= 0 || alike === 3) return 'damaged';
  return !ended && bytes.length < SNIFF_BYTES ? 'more' : 'foreign';
}

/** Whether the line at `from` begins as every entry does, blanks allowed. */
export function beginsLikeEntry(bytes: Buffer, from: number, to: number): boolean {
  return /^\s*\{\s*"t"\s*:/.test(bytes.toString('latin1', from, Math.min(to, from + 64)));
}

/** The error for input that is no tape. */
export function foreignInput(bytes: Buffer, file: string): TapedeckError {
  const gzip = bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
  const hint = gzip ? ' (it is gzip: `zcat` it first, or see `tapedeck import`)' : '';
  return new TapedeckError('E_NOT_A_TAPE', `while reading: neither zstd nor NDJSON entries${hint}`, { file });
}
