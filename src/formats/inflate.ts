/** Bytes of a file, gzip and zstd inflated on the way (also of several members or frames): what came out before a fault is never lost. */

import fs from 'node:fs';
import { createGunzip, type Gunzip } from 'node:zlib';
import { fromSystemError, TapedeckError } from '../model/errors.js';
import { StreamDecompressor } from '../tape/frame.js';
import { isMagicAt } from '../tape/frame-header.js';

const READ_BYTES = 64 * 1024;
const OUT_BYTES = 256 * 1024;

/** A piece of a file's text and how many of the file's own bytes led to it. */
export interface Piece {
  bytes: Buffer;
  consumed: number;
}

/** Why a file could not be read to its end; it comes after everything that could. */
export interface Fault {
  fault: string;
}

/** Whether the bytes begin a gzip member. */
export function isGzip(head: Uint8Array): boolean {
  return head.length >= 2 && head[0] === 0x1f && head[1] === 0x8b;
}

/**
 * The text of a file in pieces, which are valid until the next is asked for. A damaged or cut gzip or zstd ends with a fault.
 * @throws {TapedeckError} E_NOT_FOUND, E_PERMISSION, E_IO
 */
export async function* inflateFile(path: string): AsyncGenerator<Piece | Fault, void, undefined> {
  const handle = await attempt(path, () => fs.promises.open(path, 'r'));
  try {
    const input = Buffer.allocUnsafeSlow(READ_BYTES);
    const read = (): Promise<number> => attempt(path, async () => (await handle.read(input, 0, READ_BYTES)).bytesRead);
    let count = await read();
    if (count >= 4 && isMagicAt(input, 0)) {
      yield* inflateZstd(input, count, read);
      return;
    }
    if (!isGzip(input.subarray(0, count))) {
      for (; count > 0; count = await read()) yield { bytes: input.subarray(0, count), consumed: count };
      return;
    }
    const inflater = createInflater();
    try {
      for (; count > 0 && inflater.fault === null; count = await read()) {
        await inflater.write(input.subarray(0, count));
        let consumed = count;
        for (const bytes of inflater.take()) {
          yield { bytes, consumed };
          consumed = 0;
        }
      }
      await inflater.end();
      for (const bytes of inflater.take()) yield { bytes, consumed: 0 };
      if (inflater.fault !== null) yield { fault: inflater.fault };
    } finally {
      inflater.close();
    }
  } finally {
    await handle.close();
  }
}

/** Frames one behind the other, in `input` first and then in what `read` puts there. */
async function* inflateZstd(
  input: Buffer,
  first: number,
  read: () => Promise<number>,
): AsyncGenerator<Piece | Fault, void, undefined> {
  const decompressor = new StreamDecompressor();
  const out = Buffer.allocUnsafeSlow(OUT_BYTES);
  let whole = true;
  for (let count = first; count > 0; count = await read()) {
    let at = 0;
    for (let produced = OUT_BYTES; at < count || produced === OUT_BYTES; ) {
      let step: ReturnType<StreamDecompressor['step']>;
      try {
        step = decompressor.step(input.subarray(at, count), out);
      } catch (error) {
        yield { fault: error instanceof Error ? error.message : String(error) };
        return;
      }
      at += step.consumed;
      produced = step.produced;
      whole = step.frameDone;
      if (produced > 0) yield { bytes: out.subarray(0, produced), consumed: step.consumed };
      else if (step.consumed === 0) break;
    }
  }
  if (!whole) yield { fault: 'it ends inside a zstd frame' };
}

interface Inflater {
  write(input: Uint8Array): Promise<void>;
  end(): Promise<void>;
  /** what came out since the last call */
  take(): Buffer[];
  readonly fault: string | null;
  close(): void;
}

/** A stream that is iterated drops what it holds when it fails; listening and waiting for each write does not. */
function createInflater(): Inflater {
  const gunzip: Gunzip = createGunzip({ chunkSize: OUT_BYTES });
  let pieces: Buffer[] = [];
  let fault: string | null = null;
  gunzip.on('data', (piece: Buffer) => pieces.push(piece));
  gunzip.on('error', (error) => {
    fault ??= error.message;
  });
  const closed = new Promise<void>((resolve) => gunzip.once('close', () => resolve()));
  return {
    async write(input) {
      const written = new Promise<void>((resolve) => gunzip.write(input, () => resolve()));
      await Promise.race([written, closed]);
    },
    async end() {
      if (fault === null) gunzip.end();
      await closed;
    },
    take() {
      const taken = pieces;
      pieces = [];
      return taken;
    },
    get fault() {
      return fault;
    },
    close() {
      gunzip.destroy();
    },
  };
}

async function attempt<T>(file: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EISDIR')
      throw new TapedeckError('E_IMPORT', 'while reading an archive: it is a folder', { file }, error);
    throw fromSystemError(error, 'reading an archive', { file });
  }
}
