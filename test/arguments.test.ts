/** From words to values: what yargs loses or lets pass is kept and refused. */
import { describe, expect, test } from 'vitest';
import { prepareWords, readArguments } from '../src/arguments.js';
import {
  byteSize,
  type Command,
  defineCommand,
  duration,
  globalOptions,
  positiveNumber,
  speedOrMax,
  synopsis,
  wholeNumber,
} from '../src/commands/command.js';
import { nearest } from '../src/model/nearest.js';

const command: Command = defineCommand({
  name: 'play',
  describe: 'Play',
  positionals: {
    format: { describe: 'f', required: true, choices: ['a', 'b'] },
    tape: { describe: 't', variadic: true },
  },
  options: {
    output: { alias: 'o', value: 'DIR', describe: 'd' },
    speed: { value: 'N', describe: 's', parse: speedOrMax, default: '1' },
    detect: { value: 'NAMES', describe: 'n', array: true, separator: ',' },
    set: { value: 'K=V', describe: 'k', array: true },
    symbol: { value: 'SYM', describe: 'the symbol', required: true },
    'max-idle': { value: 'D', describe: 'i', parse: duration },
    loop: { alias: 'l', describe: 'l' },
  },
  examples: [],
  handler: async () => 0,
});
const options = { ...globalOptions, ...command.options };
const prepare = (...words: string[]) => prepareWords(words, options);
const readFrom = (parsed: Record<string, unknown>, literal: string[] = []) =>
  readArguments(command, { symbol: 'X', _: ['a'], ...parsed }, literal);

describe('prepareWords', () => {
  test.each([
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [['-'], ['\u0000-']],
    [
      ['a', '-', '-o', '-'],
      ['a', '\u0000-', '--output=\u0000-'],
    ],
    [['-otapes/'], ['--output=tapes/']],
    [['-o=tapes/'], ['--output=tapes/']],
    [['-o-'], ['--output=\u0000-']],
    [['-lq'], ['-lq']],
    [['--max-idle', '-90s'], ['--max-idle=-90s']],
    [['--speed', '-.5'], ['--speed=-.5']],
    [
      ['--loop', '-'],
      ['--loop', '\u0000-'],
    ],
    [
      ['--speed', '--loop'],
      ['--speed', '--loop'],
    ],
    [
      ['--set', 'a.b=1'],
      ['--set', 'a.b=1'],
    ],
  ])('%j', (words, expected) => expect(prepare(...words)).toEqual({ words: expected, literal: [] }));

  test('words after -- are set aside, and an option before it gets none of them', () => {
    expect(prepare('--speed', '--', '-', '--loop', '--')).toEqual({
      words: ['--speed'],
      literal: ['-', '--loop', '--'],
    });
  });

  test.each([
    ['--sped', 'unknown option --sped; did you mean --speed?'],
    ['--maxidle=3', 'unknown option --maxidle; did you mean --max-idle?'],
    ['--zzz', 'unknown option --zzz'],
    ['--constructor', 'unknown option --constructor'],
    ['--__proto__=1', 'unknown option --__proto__'],
    ['--no-loop', 'unknown option --no-loop'],
  ])('%s is refused', (word, message) =>
    expect(() => prepare(word)).toThrow(expect.objectContaining({ code: 'E_USAGE', message })),
  );
});

describe('readArguments', () => {
  test('fills defaults, lists and keys', () => {
    expect(readFrom({})).toEqual({
      format: 'a',
      tape: [],
      output: undefined,
      speed: 1,
      detect: [],
      set: [],
      symbol: 'X',
      maxIdle: undefined,
      loop: false,
    });
  });

  test('reads values', () => {
    const args = readFrom(
      {
        speed: 'max',
        detect: ['x,y', 'z'],
        set: ['a=1,2'],
        'max-idle': '90s',
        loop: [true, true],
        _: ['b', '0x1', '007'],
      },
      ['--loop'],
    );
    expect(args).toMatchObject({
      speed: Number.POSITIVE_INFINITY,
      detect: ['x', 'y', 'z'],
      set: ['a=1,2'],
      maxIdle: 90e6,
    });
    expect(args).toMatchObject({ loop: true, format: 'b', tape: ['0x1', '007', '--loop'] });
  });

  test('a bare - comes back in every place', () => {
    expect(readFrom({ output: '\u0000-', _: ['a', '\u0000-', 'x'] }, ['-'])).toMatchObject({
      output: '-',
      tape: ['-', 'x', '-'],
    });
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['a repeated scalar', { speed: ['1', '2'] }, '--speed was given 2 times; it takes one value'],
    ['nonsense', { speed: 'abc' }, "--speed: 'abc' is not a speed; give a number above zero, or 'max'"],
    ['no value', { speed: '' }, '--speed needs a value: --speed N'],
    ['an empty list element', { detect: ['a,'] }, '--detect needs a value: --detect NAMES'],
    ['a missing option', { symbol: undefined }, '--symbol SYM is missing: the symbol'],
    ['a missing word', { _: [] }, 'play needs FORMAT: f'],
    ['a word that is none of the choices', { _: ['c'] }, "FORMAT: 'c' is none of a, b"],
    ['an unknown letter', { x: true }, 'unknown option -x'],
  ])('%s is a usage error', (_name, parsed, message) => {
    expect(() => readFrom(parsed)).toThrow(expect.objectContaining({ code: 'E_USAGE', message }));
  });

  test('a word too many is a usage error', () => {
    const lone: Command = { ...command, positionals: {}, options: {} };
    expect(() => readArguments(lone, { _: ['x'] }, [])).toThrow("play does not take 'x'");
    expect(() => readArguments(lone, { _: [] }, ['y'])).toThrow("play does not take 'y'");
  });
});

describe('readers of values', () => {
  test.each<[(text: string) => number, string, number]>([
    [speedOrMax, '10', 10],
    [speedOrMax, '0.5', 0.5],
    [speedOrMax, 'max', Number.POSITIVE_INFINITY],
    [wholeNumber(), '0', 0],
    [wholeNumber(1, 22), '22', 22],
    [positiveNumber, '1e3', 1000],
    [duration, '1h30m', 5400e6],
    [duration, '2', 2e6],
    [byteSize, '64M', 64 * 1024 ** 2],
    [byteSize, '1.5GiB', 1.5 * 1024 ** 3],
    [byteSize, '512', 512],
    [byteSize, '4kB', 4096],
  ])('%o reads %s', (reader, text, value) => expect(reader(text)).toBe(value));

  test.each<[(text: string) => number, string]>([
    ...['abc', '0', '-1', '', '1e400', 'NaN', 'Infinity', '1x', '0x10'].map(
      (text) => [speedOrMax, text] as [typeof speedOrMax, string],
    ),
    ...['-1', '1.5', '9007199254740993', ''].map((text) => [wholeNumber(), text] as [typeof speedOrMax, string]),
    [wholeNumber(1, 22), '23'],
    [positiveNumber, '0'],
    [positiveNumber, 'Infinity'],
    [duration, '0'],
    [duration, 'soon'],
    [byteSize, '0'],
    [byteSize, '64X'],
    [byteSize, '99999999T'],
  ])('%o refuses %j', (reader, text) =>
    expect(() => reader(text)).toThrow(expect.objectContaining({ code: 'E_USAGE' })),
  );
});

test('synopsis shows what must be given', () => {
  expect(synopsis(command)).toBe('play [options] --symbol SYM FORMAT [TAPE...]');
});

test.each([
  ['replya', 'replay'],
  ['scna', 'scan'],
  ['rec', 'record'],
  ['ifno', 'info'],
  ['x', null],
  ['banana', null],
])('nearest(%s)', (word, expected) => expect(nearest(word, ['record', 'replay', 'scan', 'info'])).toBe(expected));
