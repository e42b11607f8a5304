/** Tapes with faults of every kind put in, and the commands that read them: whatever the bytes, an answer that says where. */
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import type { Command } from '../../src/commands/command.js';
import info from '../../src/commands/info.js';
import merge from '../../src/commands/merge.js';
import repair from '../../src/commands/repair.js';
import replay from '../../src/commands/replay.js';
import scan from '../../src/commands/scan.js';
import verify from '../../src/commands/verify.js';
import type { Entry } from '../../src/model/entry.js';
import { describeError, TapedeckError } from '../../src/model/errors.js';
import { compressFrame } from '../../src/tape/frame.js';
import { entryLine } from '../../src/tape/line.js';
import { tailPath } from '../../src/tape/names.js';
import { openSegment } from '../../src/tape/reader.js';
import { encodeSeekTable } from '../../src/tape/seek-table.js';
import { run } from '../commands/run.js';
import { market, SRC, START, tapeLines, writeSegment } from './market-lines.js';

/** Draws from a seed: the same number, the same tapes. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 to below `n` (mulberry32). */
  below(n: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let x = this.#state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return Math.floor((((x ^ (x >>> 14)) >>> 0) / 2 ** 32) * n);
  }

  one<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
}

/** A segment that is sound, and where its frames stand. */
interface Sound {
  bytes: Buffer;
  /** offsets of its frames, then of the seek table (or the end) */
  frames: number[];
  /** text of each frame */
  texts: string[];
}

const PER_FRAME = 12;

/** The lines of a tape with every kind of entry. */
function soundLines(): string[] {
  const lines = tapeLines(market(20));
  const at = (n: number, rest: Record<string, unknown>): string =>
    entryLine({ t: START + n * 1000 + 500, src: SRC, ...rest } as Entry);
  const others = [
    at(3, { clock: { wall: 3, loop: 20, exchange: -5 } }),
    at(8, { conn: 'rec1.1', sent: { method: 'SUBSCRIBE', params: ['abcusdt@trade'], id: 1 } }),
    at(14, { gap: { stream: 'bookTicker', from: START + 13_000, reason: 'silence' } }),
    at(21, { conn: 'rec1.1', text: 'hello' }),
    at(22, { conn: 'rec1.1', bin: 'AAEC' }),
    at(30, { drop: { count: 2, reason: 'the queue was full' } }),
    at(40, { book: { state: 'syncing', coverage: { low: null, high: null }, streams: {}, bids: [], asks: [] } }),
    at(59, { conn: 'rec1.1', close: { code: 1006, reason: 'gone' } }),
  ];
  return [...lines, ...others].sort((a, b) => (a.slice(5, 21) < b.slice(5, 21) ? -1 : 1));
}

async function soundSegment(folder: string): Promise<Sound> {
  const path = join(folder, 'sound.ndjson.zst');
  await writeSegment(path, soundLines(), PER_FRAME);
  const bytes = fs.readFileSync(path);
  const segment = openSegment(path);
  const { frames, end } = segment.index();
  const lines = soundLines();
  const texts = frames.map(({ lines: count }) => lines.splice(0, count).join(''));
  return { bytes, frames: [...frames.map(({ offset }) => offset), end, bytes.length], texts };
}

const EXTREMES = [
  '9007199254740991',
  '9007199254740993',
  '-1',
  '0',
  '1e308',
  '1e999',
  '99999999999999999999',
  '0.1',
  'null',
  'true',
  '"x"',
  '[]',
  '{}',
  '"1e400"',
  '"-0"',
  '1700000000000000',
];
const GARBAGE = [
  '',
  'x',
  '{',
  '[]',
  'null',
  '{"t":1}',
  '{"t":"1700000000000000"}',
  '\u0000',
  '"',
  `${'['.repeat(300)}${']'.repeat(300)}`,
  '{"t":9007199254740991,"src":"a:b","msg":1}',
  `{"t":1700000000000000,"src":"${'x'.repeat(5000)}:Y","end":{}}`,
];

/** Changes lines as a writer gone mad would: values, keys, order. */
function mutateText(text: string, dice: Dice): string {
  const lines = text.split('\n').slice(0, -1);
  const n = dice.below(lines.length);
  switch (dice.below(7)) {
    case 0:
      lines.splice(n, 0, dice.one(GARBAGE));
      break;
    case 1:
      lines.splice(n, 1);
      break;
    case 2:
      lines.splice(n, 0, lines[dice.below(lines.length)]);
      break;
    case 3: {
      const other = dice.below(lines.length);
      [lines[n], lines[other]] = [lines[other], lines[n]];
      break;
    }
    case 4: {
      // any value of any depth
      const values = [...lines[n].matchAll(/(?<=[:[,])("[^"]*"|-?[0-9.]+|null)(?=[,\]}])/g)];
      if (values.length === 0) break;
      const value = dice.one(values);
      lines[n] = lines[n].slice(0, value.index) + dice.one(EXTREMES) + lines[n].slice(value.index + value[0].length);
      break;
    }
    case 5: {
      const keys = [...lines[n].matchAll(/"([a-zA-Z]+)":/g)];
      if (keys.length === 0) break;
      const key = dice.one(keys);
      lines[n] =
        `${lines[n].slice(0, key.index)}"${dice.one(['zz', 't', 'src', 'book', 'tape', 'end', 'msg', 'http', 'u', 'b'])}":${lines[n].slice(key.index + key[0].length)}`;
      break;
    }
    default:
      lines[n] = lines[n].slice(0, dice.below(lines[n].length));
  }
  return lines.map((line) => `${line}\n`).join('');
}

/** A frame header that claims a content size, before bytes that are no frame of that size. */
function claimingFrame(size: bigint, dice: Dice): Buffer {
  const single = dice.below(2) === 0;
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, single ? 0xe4 : 0xc4, ...(single ? [] : [dice.below(256)])]);
  const content = Buffer.alloc(8);
  content.writeBigUInt64LE(size);
  const blocks = [
    Buffer.from([0x01, 0, 0, 1, 2, 3, 4]), // an empty last block
    Buffer.from([0x03 | (5 << 3), 0, 0, 0x41, 1, 2, 3, 4]), // five times the same byte
    Buffer.alloc(64, dice.below(256)),
  ];
  return Buffer.concat([head, content, dice.one(blocks)]);
}

/** Megabytes of one byte in a few hundred bytes of file. */
export function bomb(megabytes: number, byte: number, checksum: boolean): Buffer {
  const block = Buffer.from([...[0, 1, 2].map((n) => (((128 * 1024) << 3) | 2) >> (8 * n)), byte]);
  const last = Buffer.from([block[0] | 1, ...block.subarray(1)]);
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, checksum ? 0x04 : 0x00, 0x58]);
  return Buffer.concat([
    head,
    ...new Array<Buffer>(megabytes * 8 - 1).fill(block),
    last,
    Buffer.alloc(checksum ? 4 : 0),
  ]);
}

function skippable(size: number, given: number): Buffer {
  const frame = Buffer.alloc(8 + given);
  frame.writeUInt32LE(0x184d2a50 + (size & 15), 0);
  frame.writeUInt32LE(size, 4);
  return frame;
}

const splice = (bytes: Buffer, at: number, remove: number, add: Uint8Array): Buffer =>
  Buffer.concat([bytes.subarray(0, at), add, bytes.subarray(at + remove)]);

const SIZES = [2n ** 60n, 2n ** 63n, 2n ** 32n, 2n ** 31n - 1n, 2n ** 53n, 17n * 2n ** 20n, 100n];

/** What a mutation is called, and what it makes of a sound segment. */
const MUTATIONS: readonly [string, (sound: Sound, dice: Dice) => Buffer][] = [
  [
    'bits flipped',
    ({ bytes }, dice) => {
      const out = Buffer.from(bytes);
      for (let n = dice.below(3); n >= 0; n--) out[dice.below(out.length)] ^= 1 << dice.below(8);
      return out;
    },
  ],
  ['cut off', ({ bytes }, dice) => bytes.subarray(0, dice.below(bytes.length))],
  ['its start cut off', ({ bytes }, dice) => bytes.subarray(1 + dice.below(bytes.length - 1))],
  [
    'bytes lost inside',
    ({ bytes }, dice) => splice(bytes, dice.below(bytes.length), 1 + dice.below(200), Buffer.alloc(0)),
  ],
  [
    'bytes of elsewhere',
    ({ bytes }, dice) => {
      const from = dice.below(bytes.length);
      const piece = bytes.subarray(from, from + 1 + dice.below(300));
      return splice(bytes, dice.below(bytes.length), dice.below(2) * piece.length, piece);
    },
  ],
  [
    'frames doubled, gone or moved',
    ({ bytes, frames }, dice) => {
      const parts = frames.slice(0, -1).map((from, n) => bytes.subarray(from, frames[n + 1]));
      for (let n = dice.below(3); n >= 0; n--) {
        const [taken] = parts.splice(dice.below(parts.length), dice.below(2));
        parts.splice(dice.below(parts.length + 1), 0, taken ?? dice.one(parts));
      }
      return Buffer.concat(parts);
    },
  ],
  [
    'sizes that are not true',
    ({ bytes, frames }, dice) => splice(bytes, dice.one(frames), dice.below(30), claimingFrame(dice.one(SIZES), dice)),
  ],
  [
    'skippable frames',
    ({ bytes, frames }, dice) =>
      splice(bytes, dice.one(frames), 0, skippable(dice.one([0, 5, 1000, 2 ** 31, 2 ** 32 - 1]), dice.below(20))),
  ],
  [
    'a seek table that lies',
    ({ bytes, frames }, dice) => {
      const out = Buffer.from(bytes);
      const table = out.length - dice.one([9, 8, 7, 6, 5, 21, 17, 13, 33, 29]);
      out.writeUInt32LE(dice.one([0, 1, 2 ** 31, 2 ** 32 - 1, 7]), Math.min(table, out.length - 4));
      if (dice.below(3) > 0) return out;
      const lies = Array.from({ length: dice.below(6) }, () => ({
        compressedBytes: dice.one([0, 1, 2 ** 32 - 1, frames[1]]),
        textBytes: dice.one([0, 1, 2 ** 32 - 1, 2 ** 24]),
      }));
      return Buffer.concat([out.subarray(0, frames.at(-2)), encodeSeekTable(lies)]);
    },
  ],
  [
    'lines changed, in frames that are whole',
    ({ texts }, dice) => {
      const changed = texts.map((text) => (dice.below(3) === 0 ? mutateText(text, dice) : text));
      return Buffer.concat(changed.map((text) => compressFrame(Buffer.from(text), 1)));
    },
  ],
  [
    'lines changed in place of a frame, under the old seal',
    ({ bytes, frames, texts }, dice) => {
      const n = dice.below(texts.length);
      return splice(
        bytes,
        frames[n],
        frames[n + 1] - frames[n],
        compressFrame(Buffer.from(mutateText(texts[n], dice)), 1),
      );
    },
  ],
  [
    'plain text changed',
    ({ texts }, dice) => {
      let text = texts.join('');
      for (let n = dice.below(4); n >= 0; n--) text = mutateText(text, dice);
      const bytes = Buffer.from(text);
      if (dice.below(3) === 0 && bytes.length > 0) bytes[dice.below(bytes.length)] = dice.below(256);
      return bytes;
    },
  ],
];

/** Such tapes take a while each. */
const LARGE: readonly [string, (sound: Sound, dice: Dice) => Buffer][] = [
  [
    'much text of few bytes',
    ({ bytes, frames }, dice) =>
      splice(bytes, dice.one(frames), 0, bomb(70, dice.one([0x20, 0x0a, 0x7b, 0]), dice.below(2) === 0)),
  ],
];
const LARGE_EVERY = 1000;
const WRITTEN_EVERY = 8;

export interface MutatedCounts {
  tapes: number;
  /** commands that ended with an error, and with findings */
  failed: number;
  found: number;
}

const QUIET = { quick: false, profile: false, speed: Number.POSITIVE_INFINITY };

/** A command over a tape; what is thrown must say where. */
async function tryOut(
  command: Command,
  given: Record<string, unknown>,
  tape: string,
): Promise<{ status: number; stdout: string; stderr: string }> {
  try {
    return await run(command, given);
  } catch (error) {
    if (!(error instanceof TapedeckError)) throw error;
    const told = describeError(error);
    if (!told.includes(tape)) throw new Error(`it does not say where: ${told}`, { cause: error });
    return { status: 2, stdout: '', stderr: told };
  }
}

/** Makes `count` mutated tapes and has them read by every command that reads tapes. @throws with the seed of the tape at fault */
export async function readMutated(count: number, seed: number): Promise<MutatedCounts> {
  const folder = fs.mkdtempSync(join(os.tmpdir(), 'tapedeck-mutated-'));
  const counts: MutatedCounts = { tapes: 0, failed: 0, found: 0 };
  try {
    const sound = await soundSegment(folder);
    fs.rmSync(join(folder, 'sound.ndjson.zst'));
    for (let n = 0; n < count; n++) {
      const dice = new Dice(seed + n);
      const [name, mutate] = n % LARGE_EVERY === LARGE_EVERY - 1 ? dice.one(LARGE) : dice.one(MUTATIONS);
      const bytes = mutate(sound, dice);
      try {
        await readOne(join(folder, 'a.ndjson.zst'), bytes, { dice, sound, counts });
      } catch (error) {
        throw new Error(`tape ${seed + n} (${name}): ${error instanceof Error ? error.message : error}`, {
          cause: error,
        });
      }
      counts.tapes++;
    }
    return counts;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

interface Rig {
  dice: Dice;
  sound: Sound;
  counts: MutatedCounts;
}

async function readOne(path: string, bytes: Buffer, { dice, sound, counts }: Rig): Promise<void> {
  fs.writeFileSync(path, bytes);
  const tails = dice.below(4) === 0 ? [tailPath(path, dice.one([...sound.frames, bytes.length]))] : [];
  for (const tail of tails) fs.writeFileSync(tail, dice.one(sound.texts).slice(0, 1 + dice.below(3000)));
  const account = ({ status }: { status: number }): void => {
    if (status === 2) counts.failed++;
    else if (status === 1) counts.found++;
  };
  const tape = [path];
  const verified = await tryOut(verify, { tape, format: 'json' }, path);
  const replayed = await tryOut(replay, { tape, ...QUIET, inject: [] }, path);
  const scanned = await tryOut(scan, { tape, format: 'json', detect: [], set: [], jobs: 1 }, path);
  const looked = await tryOut(info, { tape, format: 'json', profile: true, quick: false }, path);
  for (const result of [verified, replayed, scanned, looked]) account(result);
  // who reads on past damage is not the only one to know of it
  if (replayed.status === 1 && !/"code":"E_(FRAME_CORRUPT|TRUNCATED|LINE)"/.test(verified.stdout))
    throw new Error(`verify knows nothing of: ${replayed.stderr}`);
  for (const line of verified.stdout.split('\n').filter((text) => text !== ''))
    for (const { code, message, file } of JSON.parse(line).problems as {
      code: string;
      message: string;
      file?: string;
    }[])
      if (file === undefined && !/more of this kind/.test(message) && !['NO_SNAPSHOT', 'CROSSED'].includes(code))
        throw new Error(`a finding does not say where: ${code}: ${message}`);
  // these write, which takes longer than all the others do
  if (dice.below(WRITTEN_EVERY) === 0) {
    account(await tryOut(merge, { tape: [path, besideOf(path, sound)], out: join(path, '..', 'merged') }, path));
    await repairOne(path, account);
  }
  for (const left of fs.readdirSync(join(path, '..'))) fs.rmSync(join(path, '..', left), { recursive: true });
}

/** A sound tape, in a folder beside. */
function besideOf(path: string, { bytes }: Sound): string {
  const beside = join(path, '..', 'sound', 'b.ndjson.zst');
  fs.mkdirSync(join(beside, '..'));
  fs.writeFileSync(beside, bytes);
  return beside;
}

async function repairOne(path: string, account: (result: { status: number }) => void): Promise<void> {
  const before = fs.readFileSync(path);
  const repaired = await tryOut(repair, { tape: [path], format: 'json' }, path);
  account(repaired);
  await checkRepaired(path, before, repaired.status);
}

/** What repair touched is sealed, and all that stood and could be read stands. */
async function checkRepaired(path: string, before: Buffer, status: number): Promise<void> {
  const after = fs.readFileSync(path);
  if (status !== 0) {
    if (!after.equals(before)) throw new Error('repair changed what it said it left');
    return;
  }
  const segment = openSegment(path);
  if (segment.form === 'zstd' && !segment.sealed) throw new Error('repair said it was done, and it is not sealed');
  const verified = await run(verify, { tape: [path], format: 'json' });
  const problems = verified.stdout
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => JSON.parse(line).problems as { code: string }[]);
  if (!after.equals(before) && problems.some(({ code }) => ['SEAL', 'NOT_SEALED', 'E_TRUNCATED'].includes(code)))
    throw new Error(`what repair sealed is not sound: ${JSON.stringify(problems)}`);
}
