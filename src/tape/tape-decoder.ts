/** Bytes of a tape (zstd or plain NDJSON) to batches of lines, without I/O; damage is reported where it stands. */
import type { Damage, LineBatch, TextRooms } from '../model/batch.js';
import { TapedeckError } from '../model/errors.js';
import { decompressFrame, frameExtent, frameHeader, StreamDecompressor } from './frame.js';
import { isMagicAt, ONE_SHOT_BYTES, ZSTD_MAGIC } from './frame-header.js';
import { createLineAssembly } from './line-assembly.js';
import { beginsLikeEntry, foreignInput, sniffForm } from './sniff.js';

/** Text produced at a time from frames that are streamed, and from plain input. */
const PIECE_BYTES = 1024 * 1024;
/** No frame of ONE_SHOT_BYTES of text compresses to more than this. */
const LARGEST_FRAME = ONE_SHOT_BYTES + ONE_SHOT_BYTES / 64;

export interface TapeDecoderOptions {
  /** name for messages */
  file: string;
  /** where decoding starts, when not at the first byte */
  offset?: number;
  frame?: number;
  line?: number;
  /** from an index: lines of frame n, so that they need not be counted */
  linesOf?: (frame: number) => number;
  /** what the input is, when that is known; else its first bytes tell */
  form?: 'zstd' | 'plain';
  /** where text is put together */
  rooms?: TextRooms | undefined;
}

/** A batch that knows at which byte of the input its frame starts. */
export interface PlacedBatch extends LineBatch {
  offset: number;
}

export interface TapeDecoder {
  /** free room of at least `bytes` for input; fill it, then call `filled` */
  room(bytes: number): Buffer;
  filled(bytes: number): void;
  /** there is no more input */
  end(): void;
  /** the next batch or damage; null when more input is needed, or all is done. @throws {TapedeckError} E_NOT_A_TAPE */
  next(): PlacedBatch | Damage | null;
  /** everything was given out */
  readonly done: boolean;
  /** offset of the first byte not yet understood: where an unfinished frame starts */
  readonly position: number;
  readonly frame: number;
  readonly line: number;
  /** no more is wanted: the batches given out end their life */
  close(): void;
}

/** Input that a decoder has done with, for the next one: of a thousand small segments each would else have a megabyte of its own. */
let spare: Buffer<ArrayBuffer> | null = null;
const LARGEST_SPARE = 4 * 1024 * 1024;

type State = 'sniff' | 'plain' | 'frames' | 'stream' | 'skip' | 'lost' | 'done';

/** A decoder is fed through `room` and `filled`, and emptied through `next`; one buffer serves all its batches. */
export function createTapeDecoder(options: TapeDecoderOptions): TapeDecoder {
  const { file } = options;
  const lines = createLineAssembly(file, options.line ?? 1, options.rooms);
  const queue: (LineBatch | Damage)[] = [];
  let state: State = options.form === 'zstd' ? 'frames' : options.form === 'plain' ? 'plain' : 'sniff';
  let input = Buffer.allocUnsafeSlow(0);
  let from = 0;
  let to = 0;
  /** file offset of input[0] */
  let base = options.offset ?? 0;
  let frame = options.frame ?? 0;
  let ended = false;
  /** whether anything decoded was shown to begin like an entry */
  let recognised = options.form !== undefined;
  /** the first bytes are neither form; only a good frame further on makes it a tape */
  let guessed = false;
  let skipBytes = 0;
  /** file offset where damage began, while the next good frame is looked for */
  let lostFrom = 0;
  let lostWhy = '';
  /** file offset of the frame that gave the last text */
  let frameFrom = options.offset ?? 0;
  let pieces: StreamDecompressor | null = null;

  const report = (code: Damage['damage']['code'], bytes: number, message: string): void => {
    lines.drop();
    queue.push({ damage: { code, file, frame, line: lines.line, bytes, message } });
    frame++;
  };

  const notATape = (): TapedeckError => foreignInput(input.subarray(from, to), file);

  /** Text that does not begin like an entry is refused as a whole; once it did, bad lines are the consumer's to judge. */
  const recognise = (): void => {
    if (recognised || queue.length === 0) return;
    const batch = queue[0];
    if (!('damage' in batch) && !beginsLikeEntry(batch.bytes, batch.from, batch.to)) throw notATape();
    recognised = true;
    guessed = false;
  };

  const sniff = (): boolean => {
    const form = sniffForm(input.subarray(from, to), ended);
    if (form === 'more') return false;
    if (form === 'foreign') throw notATape();
    if (form === 'damaged') {
      guessed = true;
      lose('no zstd frame starts here');
    } else state = form === 'empty' ? 'done' : form === 'zstd' ? 'frames' : 'plain';
    return true;
  };

  const plain = (): boolean => {
    const bytes = Math.min(to - from, PIECE_BYTES);
    if (bytes > 0) {
      lines.room(bytes).set(input.subarray(from, from + bytes));
      from += bytes;
      lines.added(bytes, -1, queue);
      return true;
    }
    if (!ended) return false;
    lines.finish(-1, queue);
    state = 'done';
    return true;
  };

  const lose = (why: string): void => {
    lostFrom = base + from;
    lostWhy = why;
    state = 'lost';
  };

  /** Decompresses the whole frame at `from`; throws E_FRAME_CORRUPT. */
  const decodeWhole = (extent: number, contentBytes: number): void => {
    const produced = decompressFrame(input.subarray(from, from + extent), lines.room(contentBytes));
    if (produced !== contentBytes)
      throw new TapedeckError('E_FRAME_CORRUPT', `while decompressing: ${produced} bytes instead of ${contentBytes}`);
    frameFrom = base + from;
    from += extent;
    const count = options.linesOf?.(frame) ?? -1;
    if (count >= 0 && !lines.unfinished) lines.expect(count);
    lines.added(produced, frame, queue);
    frame++;
  };

  const frames = (): boolean => {
    if (to === from && ended) {
      lines.finish(Math.max(frame - 1, 0), queue);
      state = 'done';
      return true;
    }
    const header = frameHeader(input, from, to);
    if (header.kind === 'skippable') {
      skipBytes = header.frameBytes;
      state = 'skip';
      return true;
    }
    if (header.kind === 'zstd' && (header.contentBytes === null || header.contentBytes > ONE_SHOT_BYTES)) {
      startStream();
      return true;
    }
    const extent = header.kind === 'bad' ? -1 : frameExtent(input, from, to);
    if (extent > 0 && header.kind === 'zstd') {
      const follows = from + extent;
      try {
        decodeWhole(extent, header.contentBytes ?? 0);
      } catch (error) {
        // what follows tells a frame that is wrong inside from one whose sizes are wrong
        if (to - follows < 4 && !ended) return false;
        const why = error instanceof Error ? error.message : String(error);
        if (follows !== to && (to - follows < 4 || !isMagicAt(input, follows))) lose(why);
        else {
          report('E_FRAME_CORRUPT', extent, why);
          from = follows;
        }
      }
      return true;
    }
    if (extent < 0 || to - from > LARGEST_FRAME)
      lose(header.kind === 'bad' ? header.why : 'a block of the frame is impossible');
    else if (!ended) return false;
    else cutOff();
    return true;
  };

  /**
   * The input ends inside the frame at `from`: its sizes are wrong if frames follow; else the file was cut, and what can
   * be decompressed is given out although no checksum covers it.
   */
  const cutOff = (): void => {
    for (let p = input.indexOf(ZSTD_MAGIC, from + 1); p >= 0 && p < to; p = input.indexOf(ZSTD_MAGIC, p + 1))
      if (frameExtent(input, p, to) > 0) {
        lose('the sizes of the frame are wrong');
        return;
      }
    startStream();
  };

  const startStream = (): void => {
    pieces ??= new StreamDecompressor();
    pieces.reset();
    frameFrom = base + from;
    state = 'stream';
  };

  const stream = (): boolean => {
    if (to === from && !ended) return false;
    try {
      const result = pieces!.step(input.subarray(from, to), lines.room(PIECE_BYTES));
      from += result.consumed;
      lines.added(result.produced, frame, queue);
      if (result.frameDone) {
        frame++;
        state = 'frames';
      } else if (result.consumed === 0 && result.produced === 0) {
        if (!ended) return false;
        from = to;
        report('E_TRUNCATED', base + to - frameFrom, 'the input ends inside a frame');
        state = 'done';
      }
    } catch (error) {
      lose(error instanceof Error ? error.message : String(error));
    }
    return true;
  };

  const skip = (): boolean => {
    const bytes = Math.min(skipBytes, to - from);
    from += bytes;
    skipBytes -= bytes;
    if (skipBytes === 0) state = 'frames';
    else if (!ended) return false;
    else {
      report('E_TRUNCATED', bytes, 'the input ends inside a skippable frame');
      state = 'done';
    }
    return true;
  };

  /** Looks for the next frame that decompresses; everything before it is one damage. */
  const lost = (): boolean => {
    const at = input.indexOf(ZSTD_MAGIC, from + (base + from === lostFrom ? 1 : 0));
    if (at < 0 || at + 4 > to) {
      from = Math.max(from, ended ? to : to - 3);
      if (!ended) return false;
      if (guessed) throw notATape();
      report('E_FRAME_CORRUPT', base + to - lostFrom, lostWhy);
      state = 'done';
      return true;
    }
    from = at;
    const header = frameHeader(input, from, to);
    const extent = header.kind === 'zstd' ? frameExtent(input, from, to) : -1;
    if (extent === 0 && !ended && to - from <= LARGEST_FRAME) return false;
    if (extent > 0 && header.kind === 'zstd' && (header.contentBytes ?? Number.POSITIVE_INFINITY) <= ONE_SHOT_BYTES)
      try {
        report('E_FRAME_CORRUPT', base + from - lostFrom, lostWhy);
        decodeWhole(extent, header.contentBytes ?? 0);
        state = 'frames';
        return true;
      } catch {
        // four bytes that only looked like a frame: the damage goes on
        queue.pop();
        frame--;
      }
    from++;
    return true;
  };

  const steps: Record<Exclude<State, 'done'>, () => boolean> = { sniff, plain, frames, stream, skip, lost };

  return {
    room(bytes) {
      if (input.length === 0 && spare !== null && spare.length >= bytes) {
        input = spare;
        spare = null;
      }
      if (input.length - to < bytes) {
        const held = to - from;
        if (held + bytes > input.length) {
          const grown = Buffer.allocUnsafeSlow(Math.ceil((held + bytes) / bytes) * bytes);
          input.copy(grown, 0, from, to);
          input = grown;
        } else input.copyWithin(0, from, to);
        base += from;
        from = 0;
        to = held;
      }
      return input.subarray(to);
    },
    filled(bytes) {
      to += bytes;
    },
    end() {
      ended = true;
    },
    next() {
      while (queue.length === 0 && state !== 'done') {
        if (!steps[state]()) return null;
        recognise();
      }
      const item = queue.shift() ?? null;
      return item === null || 'damage' in item ? item : { ...item, offset: frameFrom };
    },
    get done() {
      return state === 'done' && queue.length === 0;
    },
    get position() {
      return base + from;
    },
    get frame() {
      return frame;
    },
    get line() {
      return lines.line;
    },
    close() {
      lines.close();
      if (input.length > (spare?.length ?? 0) && input.length <= LARGEST_SPARE) spare = input;
      input = Buffer.allocUnsafeSlow(0);
    },
  };
}
