/** Segments and pipes as flows of batches. */
import fs from 'node:fs';
import { setImmediate as yieldToEvents } from 'node:timers/promises';
import type { LineFlow, TextRooms } from '../model/batch.js';
import { fromSystemError } from '../model/errors.js';
import { type Segment, type SegmentRange, segmentItems } from './segment.js';
import { createTapeDecoder } from './tape-decoder.js';

/** Batches between two looks at the event loop: files are read synchronously, and Ctrl-C must be heard all the same. */
const BATCHES_PER_TURN = 8;

/** The entries of one segment as a flow; a batch is valid until the next is asked for. */
export async function* readSegment(segment: Segment, range: SegmentRange = {}): LineFlow {
  if (segment.form === 'stream') {
    yield* readStream(fs.createReadStream(segment.path), segment.path, range.rooms);
    return;
  }
  let batches = 0;
  for (const item of segmentItems(segment, range)) {
    yield item;
    if (++batches % BATCHES_PER_TURN === 0) await yieldToEvents();
  }
}

/**
 * Reads a pipe: zstd or plain NDJSON, told by its first bytes. Lines are given out as soon as they are whole; a last
 * line without a newline gets one.
 * @param name for messages
 * @throws {TapedeckError} E_NOT_A_TAPE, E_IO
 */
export async function* readStream(readable: AsyncIterable<Uint8Array>, name: string, rooms?: TextRooms): LineFlow {
  const decoder = createTapeDecoder({ file: name, rooms });
  const chunks = readable[Symbol.asyncIterator]();
  try {
    while (!decoder.done) {
      const item = decoder.next();
      if (item !== null) yield item;
      else if (!decoder.done) {
        const chunk = await nextChunk(chunks, name);
        if (chunk === null) decoder.end();
        else {
          decoder.room(chunk.length).set(chunk);
          decoder.filled(chunk.length);
        }
      }
    }
  } finally {
    decoder.close();
    await chunks.return?.();
  }
}

/** Passes the flow of a pipe on, and says at its end if nothing came by it. */
export async function* noticing(flow: LineFlow, silent: () => void): LineFlow {
  let came = false;
  for await (const item of flow) {
    came = true;
    yield item;
  }
  if (!came) silent();
}

async function nextChunk(chunks: AsyncIterator<Uint8Array>, name: string): Promise<Uint8Array | null> {
  try {
    const { value, done } = await chunks.next();
    return done === true ? null : value;
  } catch (error) {
    throw fromSystemError(error, 'reading', { file: name });
  }
}
