/** A seeded fuzzer of the decoders: breaks lines in many ways and demands that all decoders agree on what is left. */
import type { Binding, DecodeCounts } from '../../src/decode/decoder.js';
import { compareAll, type Fast } from './compare.js';
import { bindings, seedLines, sources } from './messages.js';
import type { NaiveSource } from './naive.js';

/** Random integers below `n`. */
export type Below = (n: number) => number;

/** Mulberry32: small, and the same on every machine. */
export function random(seed: number): Below {
  let state = seed | 0;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return Math.floor((((x ^ (x >>> 14)) >>> 0) / 2 ** 32) * n);
  };
}

/** Texts that parsers stumble over. */
const TOKENS = [
  '"',
  '\\',
  '\\"',
  '\\u0022',
  '\\u006d',
  ',',
  ':',
  '{',
  '}',
  '[',
  ']',
  '[]',
  '{}',
  'null',
  'true',
  '-',
  '+',
  '.',
  '0',
  '00',
  '1',
  '9007199254740991',
  '9007199254740992',
  '9007199254740993',
  '99999999999999999999',
  '0.0000000000000000001',
  '1e3',
  'E-2',
  'e400',
  '.5',
  '5.',
  ' ',
  '\t',
  '\r',
  '\n',
  '\u0000',
  '\u007f',
  '\u2028',
  '\ufeff',
  '�',
  '"msg":',
  '"t":1,',
  ',"x":{"y":[1,"2",null]}',
  '","',
  '"],["',
  '],[',
].map((text) => Buffer.from(text));

const NEWLINE = Buffer.from('\n');

const BROKEN_UTF8 = [[0xff], [0xc3], [0xe4, 0xb8], [0xed, 0xa0, 0x80], [0xf0, 0x9f], [0xc0, 0x80]].map((bytes) =>
  Buffer.from(bytes),
);

/** Lines to break, and what decoders must know of their srcs; the naive decoder judges those it knows. */
export interface Corpus {
  lines: readonly string[];
  bindings: Map<string, Binding>;
  sources: Map<string, NaiveSource>;
}

const binance: Corpus = { lines: seedLines, bindings, sources };

type Mutation = (line: Buffer, below: Below) => Buffer;

function replace(line: Buffer, from: number, to: number, by: Uint8Array): Buffer {
  return Buffer.concat([line.subarray(0, from), by, line.subarray(to)]);
}

function range(line: Buffer, below: Below, longest: number): [number, number] {
  const from = below(line.length + 1);
  return [from, Math.min(line.length, from + below(longest))];
}

/** Rewrites one number or quoted number of the line. */
function rewriteNumber(line: Buffer, below: Below, write: (digits: string) => string): Buffer {
  const text = line.toString('latin1');
  const numbers = [...text.matchAll(/\d+(?:\.\d+)?/g)];
  if (numbers.length === 0) return line;
  const match = numbers[below(numbers.length)];
  return replace(line, match.index, match.index + match[0].length, Buffer.from(write(match[0])));
}

/** Applies `change` to a random object inside the line, where the line is JSON. */
function rewriteObject(line: Buffer, below: Below, change: (members: [string, unknown][]) => string): Buffer {
  const text = line.toString('utf8');
  let whole: unknown;
  try {
    whole = JSON.parse(text);
  } catch {
    return line;
  }
  const objects: object[] = [];
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if (!Array.isArray(value)) objects.push(value);
    for (const inner of Object.values(value)) walk(inner);
  };
  walk(whole);
  if (objects.length === 0) return line;
  const chosen = objects[below(objects.length)];
  const print = (value: unknown): string => {
    if (value === chosen) return change(Object.entries(chosen));
    if (Array.isArray(value)) return `[${value.map(print).join(',')}]`;
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    return `{${Object.entries(value)
      .map(([key, inner]) => `${JSON.stringify(key)}:${print(inner)}`)
      .join(',')}}`;
  };
  return Buffer.from(print(whole));
}

/** Around these, numbers grow by a digit, or cannot be held exactly. */
const EDGES = [10n ** 14n, 10n ** 15n, 2n ** 53n, 10n ** 16n, 10n ** 17n];
/** Lengths about those that are read at once. */
const SIZES = [1, 2, 7, 8, 9, 10, 14, 15, 16, 17, 18];

/** The digits with a dot at any place; half of them without. */
function withDot(digits: string, below: Below): string {
  const at = below(digits.length * 2 + 2);
  return at > digits.length ? digits : `${digits.slice(0, at)}.${digits.slice(at)}`;
}

const member = ([key, value]: [string, unknown]): string => `${JSON.stringify(key)}:${JSON.stringify(value)}`;

/** Most lines that these change are messages still, which is what a scanner may get wrong. */
const numberMutations: Mutation[] = [
  function flipSign(line, below) {
    return rewriteNumber(line, below, (digits) => `${'-+'[below(2)]}${digits}`);
  },
  function longNumber(line, below) {
    return rewriteNumber(line, below, (digits) => digits + String(below(10)).repeat(1 + below(24)));
  },
  function leadingZeros(line, below) {
    return rewriteNumber(line, below, (digits) => '0'.repeat(1 + below(18)) + digits);
  },
  function trailingZeros(line, below) {
    return rewriteNumber(
      line,
      below,
      (digits) => (digits.includes('.') ? digits : `${digits}.`) + '0'.repeat(below(30)),
    );
  },
  function exponent(line, below) {
    return rewriteNumber(line, below, (digits) => `${digits}${'eE'[below(2)]}${['', '+', '-'][below(3)]}${below(30)}`);
  },
  function edgeNumber(line, below) {
    return rewriteNumber(line, below, () => withDot(String(EDGES[below(EDGES.length)] - 3n + BigInt(below(6))), below));
  },
  function sizedNumber(line, below) {
    return rewriteNumber(line, below, () => {
      const digits = Array.from({ length: SIZES[below(SIZES.length)] }, () => below(10)).join('');
      return withDot(digits, below);
    });
  },
  function moveDot(line, below) {
    return rewriteNumber(line, below, (digits) => {
      const bare = digits.replace('.', '');
      const at = below(bare.length + 1);
      return `${bare.slice(0, at)}.${bare.slice(at)}`;
    });
  },
  function otherDigit(line, below) {
    return rewriteNumber(line, below, (digits) => {
      const at = below(digits.length);
      return digits.slice(0, at) + '0123456789/:.'[below(13)] + digits.slice(at + 1);
    });
  },
  function zeroFirstDigit(line, below) {
    return rewriteNumber(line, below, (digits) => `0${digits.slice(1)}`);
  },
  function nineFirstDigit(line, below) {
    return rewriteNumber(line, below, (digits) => `9${digits.slice(1)}`);
  },
];

const mutations: Mutation[] = [
  ...numberMutations,
  ...numberMutations,
  function flipBit(line, below) {
    if (line.length === 0) return line;
    const copy = Buffer.from(line);
    copy[below(copy.length)] ^= 1 << below(8);
    return copy;
  },
  function cut(line, below) {
    return line.subarray(0, below(line.length + 1));
  },
  function cutFront(line, below) {
    return line.subarray(below(Math.min(line.length + 1, 8)));
  },
  function remove(line, below) {
    const [from, to] = range(line, below, 12);
    return replace(line, from, to, Buffer.alloc(0));
  },
  function repeat(line, below) {
    const [from, to] = range(line, below, 40);
    return replace(line, to, to, line.subarray(from, to));
  },
  function insert(line, below) {
    const at = below(line.length + 1);
    return replace(line, at, at, TOKENS[below(TOKENS.length)]);
  },
  function overwrite(line, below) {
    const token = TOKENS[below(TOKENS.length)];
    const at = below(line.length + 1);
    return replace(line, at, Math.min(line.length, at + token.length), token);
  },
  function breakUtf8(line, below) {
    const [from, to] = range(line, below, 4);
    return replace(line, from, to, BROKEN_UTF8[below(BROKEN_UTF8.length)]);
  },
  function shuffleKeys(line, below) {
    return rewriteObject(line, below, (members) => {
      for (let i = members.length - 1; i > 0; i--) {
        const j = below(i + 1);
        [members[i], members[j]] = [members[j], members[i]];
      }
      return `{${members.map(member).join(',')}}`;
    });
  },
  function swapKeys(line, below) {
    return rewriteObject(line, below, (members) => {
      if (members.length === 0) return '{}';
      const [i, j] = [below(members.length), below(members.length)];
      [members[i], members[j]] = [members[j], members[i]];
      return `{${members.map(member).join(',')}}`;
    });
  },
  function dropKey(line, below) {
    return rewriteObject(line, below, (members) => {
      members.splice(below(members.length), 1);
      return `{${members.map(member).join(',')}}`;
    });
  },
  function extraKey(line, below) {
    return rewriteObject(line, below, (members) => {
      members.splice(below(members.length + 1), 0, [
        ['x', 'nq', '__proto__', 'b', ''][below(5)],
        [1, 'y', null, { b: [['1', '2']] }, [{ e: 'trade' }, []]][below(5)],
      ]);
      return `{${members.map(member).join(',')}}`;
    });
  },
  function repeatKey(line, below) {
    return rewriteObject(line, below, (members) => {
      if (members.length === 0) return '{}';
      const [key] = members[below(members.length)];
      const [, value] = members[below(members.length)];
      members.splice(below(members.length + 1), 0, [key, value]);
      return `{${members.map(member).join(',')}}`;
    });
  },
  function escapeKey(line, below) {
    return rewriteObject(line, below, (members) => {
      const chosen = below(members.length);
      const escaped = (key: string): string =>
        `"${[...key].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`;
      return `{${members.map((m, i) => (i === chosen ? `${escaped(m[0])}:${JSON.stringify(m[1])}` : member(m))).join(',')}}`;
    });
  },
  function blanks(line, below) {
    return rewriteObject(line, below, (members) => `{ ${members.map(member).join(' ,\t')} }`);
  },
  function otherType(line, below) {
    return rewriteObject(line, below, (members) => {
      const chosen = below(members.length);
      const values = [null, true, 0, -1, 1.5, '', '1', [], {}, [['1', '2', '3']], [['1']], [[1, 2]]];
      return `{${members.map((m, i) => (i === chosen ? member([m[0], values[below(values.length)]]) : member(m))).join(',')}}`;
    });
  },
  function nestValue(line, below) {
    return rewriteObject(line, below, (members) => {
      const deep = 190 + below(20);
      const [open, close] = [
        ['[', ']'],
        ['{"b":', '}'],
      ][below(2)];
      const value = `${open.repeat(deep)}1${close.repeat(deep)}`;
      return `{${[...members.map(member), `"x":${value}`].join(',')}}`;
    });
  },
  function nest(line, below) {
    const deep = 1 + below(below(4) === 0 ? 300 : 9);
    const at = below(line.length + 1);
    return replace(line, at, at, Buffer.from('['.repeat(deep) + ']'.repeat(below(2) === 0 ? deep : below(deep))));
  },
];

/** Longer lines are broken no further. */
const LONGEST = 500;

/** Lines compared at a time: enough that decoders keep state from good lines to broken ones. */
const BATCH = 300;
/** The naive decoder takes as long as all the others, so it reads every so many lines: another share of them in each batch. */
const NAIVE_EVERY = 32;

/** Who reads a batch: always the compiled scanner, in one place or the other, and its twin now and then. */
const FASTS: readonly (readonly Fast[])[] = [['outside'], ['own'], ['own'], ['own', 'typescript']];

/** The line, broken in one of many ways. */
export function mutate(line: Buffer, below: Below): Buffer {
  return mutations[below(mutations.length)](line, below);
}

/** Mutated lines with seed lines among them: each mutates a seed line or, every third time, the last mutated line once more. */
function mutatedText(count: number, lines: readonly Buffer[], below: Below): Buffer {
  const parts: Buffer[] = [];
  let last: Buffer = Buffer.alloc(0);
  for (let i = 0; i < count; i++) {
    const again = below(3) === 0 && last.length > 0 && last.length < LONGEST;
    const from = again ? last : lines[below(lines.length)];
    last = mutate(from, below);
    parts.push(last, NEWLINE);
    if (below(8) === 0) parts.push(lines[below(lines.length)], NEWLINE);
  }
  return Buffer.concat(parts);
}

/** Compares the decoders over a batch, in a region that other bytes surround. */
function compareBatch(count: number, corpus: Corpus, lines: readonly Buffer[], below: Below): DecodeCounts {
  const text = mutatedText(count, lines, below);
  // the last line may be cut anywhere, and what stands behind it must not be read as its end
  const to = below(2) === 0 ? text.length : text.length - below(12);
  const front = below(3);
  const around = Buffer.concat([
    Buffer.from('"}{'.slice(0, front)),
    text,
    Buffer.from(['', '}\n', '0', '"}]}}\n'][below(4)]),
  ]);
  const fast = FASTS[below(FASTS.length)];
  const naiveEvery = corpus.sources.size > 0 ? NAIVE_EVERY : 0;
  return compareAll(around, front, front + Math.max(1, to), corpus.bindings, corpus.sources, naiveEvery, fast);
}

/**
 * Runs `work` with a JSON.parse that judges each text once: text that is no JSON costs it ten microseconds, and every decoder
 * asks for the same texts. What it returns is shared, so whoever changed it would be found out.
 */
function withOneParse<T>(work: (forget: () => void) => T): T {
  const { parse } = JSON;
  const { stackTraceLimit } = Error;
  const known = new Map<string, { value: unknown } | { error: unknown }>();
  const judge = (text: string): { value: unknown } | { error: unknown } => {
    try {
      return { value: parse(text) };
    } catch (error) {
      return { error };
    }
  };
  JSON.parse = (text: string) => {
    let found = known.get(text);
    if (found === undefined) {
      found = judge(text);
      known.set(text, found);
    }
    if ('error' in found) throw found.error;
    return found.value;
  };
  Error.stackTraceLimit = 0;
  try {
    return work(() => known.clear());
  } finally {
    JSON.parse = parse;
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/**
 * Decodes `count` mutated lines, and some that are not, and compares the decoders.
 * @returns what the fast decoder counted
 * @throws at the first difference, with the line
 */
export function fuzzDecoders(count: number, seed: number, corpus: Corpus = binance): DecodeCounts {
  const below = random(seed);
  const lines = corpus.lines.map((line) => Buffer.from(line));
  const total: DecodeCounts = { fast: 0, general: 0, slow: 0, unknown: 0, invalid: 0 };
  withOneParse((forget) => {
    for (let done = 0; done < count; done += BATCH) {
      const counts = compareBatch(Math.min(BATCH, count - done), corpus, lines, below);
      for (const key of ['fast', 'general', 'slow', 'unknown', 'invalid'] as const) total[key] += counts[key];
      forget();
    }
  });
  return total;
}
