/** Compression and decompression of zstd frames: the only file that names the native package. */
import { createRequire } from 'node:module';
import type * as Zstd from 'zstd-napi/binding.js';
import { TapedeckError } from '../model/errors.js';

export { type FrameHeader, frameExtent, frameHeader } from './frame-header.js';

export const DEFAULT_LEVEL = 6;

let loaded: typeof Zstd | null = null;

/** The addon is loaded at first use, so that `--help` and plain NDJSON never need it. */
function zstd(): typeof Zstd {
  if (loaded === null) {
    try {
      loaded = createRequire(import.meta.url)('zstd-napi/binding.js') as typeof Zstd;
    } catch (cause) {
      throw new TapedeckError(
        'E_IO',
        'while loading zstd-napi: its native part is missing; run `npm rebuild zstd-napi` (needs a C++ compiler and Python)',
        {},
        cause,
      );
    }
  }
  return loaded;
}

/**
 * zstd's own parameters fit its levels to files of any size. Frames are a megabyte of lines that repeat each other at
 * length, and there a search of few, long, recent matches finds more in less time. Against zstd's own levels, on recorded
 * sessions (USD-M, COIN-M, spot): 6 takes as long and is 9 to 12 % smaller, which is the size of 9; 9 is 1.4 times as fast and
 * 12 1.5 times, both 1 to 2 % smaller; all decompress as fast as 9. Zero leaves a parameter to zstd.
 */
function setLevel(context: Zstd.CCtx, level: number): void {
  const { CParameter, Strategy } = zstd();
  const ours = level >= 6 && level <= 12;
  context.setParameter(CParameter.compressionLevel, level);
  context.setParameter(CParameter.strategy, ours ? Strategy.lazy2 : 0);
  context.setParameter(CParameter.minMatch, ours ? 7 : 0);
  context.setParameter(CParameter.hashLog, ours ? 16 : 0);
  context.setParameter(CParameter.searchLog, ours ? Math.max(2, level - 6) : 0);
}

let compressor: Zstd.CCtx | null = null;
let compressorLevel = Number.NaN;
let scratch: Buffer = Buffer.alloc(0);

/** Compresses the bytes as one frame with content size and content checksum. */
export function compressFrame(bytes: Uint8Array, level: number = DEFAULT_LEVEL): Buffer {
  const { CCtx, CParameter, compressBound } = zstd();
  if (compressor === null) {
    compressor = new CCtx();
    compressor.setParameter(CParameter.contentSizeFlag, 1);
    compressor.setParameter(CParameter.checksumFlag, 1);
  }
  if (level !== compressorLevel) {
    setLevel(compressor, level);
    compressorLevel = level;
  }
  const bound = compressBound(bytes.length);
  if (scratch.length < bound) scratch = Buffer.allocUnsafeSlow(bound);
  return Buffer.from(scratch.subarray(0, compressor.compress2(scratch, bytes)));
}

/** A frame at a time leaves nothing behind, so all share one: opening a thousand segments would else make two thousand. */
let decompressor: Zstd.DCtx | null = null;

/**
 * Decompresses a whole frame one-shot into a buffer the caller reuses: the fastest way there is from Node.
 * @returns how many bytes of `into` were filled
 * @throws {TapedeckError} E_FRAME_CORRUPT when the frame or its checksum is wrong, or `into` is too small
 */
export function decompressFrame(compressed: Uint8Array, into: Uint8Array): number {
  decompressor ??= new (zstd().DCtx)();
  try {
    return decompressor.decompress(into, compressed);
  } catch (error) {
    throw corrupt(error);
  }
}

/** Decompresses one frame after another piece by piece: for sizes that are unknown or too large to hold. */
export class StreamDecompressor {
  readonly #context = new (zstd().DCtx)();

  /** Forgets a frame that was begun. */
  reset(): void {
    this.#context.reset(zstd().ResetDirective.sessionOnly);
  }

  /**
   * Consumes some of `input` and fills some of `into`.
   * @throws {TapedeckError} E_FRAME_CORRUPT
   */
  step(input: Uint8Array, into: Uint8Array): { consumed: number; produced: number; frameDone: boolean } {
    try {
      const [left, produced, consumed] = this.#context.decompressStream(into, input);
      return { consumed, produced, frameDone: left === 0 };
    } catch (error) {
      throw corrupt(error);
    }
  }
}

function corrupt(error: unknown): TapedeckError {
  const detail = error instanceof Error ? error.message : String(error);
  return new TapedeckError('E_FRAME_CORRUPT', `while decompressing a frame: ${detail}`, {}, error);
}
