/** `replay --inject` as a user runs it: the same faults for the same seed, said in one line, and found by verify. Needs `npm run build`. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { timeIn } from '../tape/tapes.js';

const root = new URL('../..', import.meta.url).pathname;
const full = join(root, 'fixtures/full');

interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

function tapedeck(words: readonly string[], input = ''): Outcome {
  const options = { encoding: 'utf8', input, maxBuffer: 2 ** 28 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'bin/tapedeck.js'), ...words], options);
  return { status, stdout, stderr };
}

const replay = (...words: string[]): Outcome => tapedeck(['replay', full, '--speed', 'max', ...words]);
const plain = replay();

describe('replay --inject', () => {
  test('says what it did, in one line, unless told to be quiet; it is no failure', () => {
    expect(plain).toMatchObject({ status: 0, stderr: '' });
    const { status, stdout, stderr } = replay('--inject', 'drop=20,disconnect=100', '--inject', 'delay=50');
    expect(status).toBe(0);
    expect(stderr).toMatch(/^injected: \d+ drops, \d+ disconnects? \(\d+\.\d s\), \d+ delays? \(\d+\.\d s\)\n$/);
    expect(stdout).not.toBe(plain.stdout);
    const quiet = replay('--inject', 'drop=20,disconnect=100,delay=50', '-q');
    expect(quiet).toEqual({ status: 0, stdout, stderr: '' });
  });

  test('the seed decides, and it is 1 unless given', () => {
    const { stdout } = replay('--inject', 'drop=20,dup');
    expect(replay('--inject', 'drop=20,dup', '--inject-seed', '1').stdout).toBe(stdout);
    expect(replay('--inject', 'drop=20,dup', '--inject-seed', '2').stdout).not.toBe(stdout);
    expect(replay('--inject', 'drop=20,dup=1000').stdout).toBe(stdout);
  });

  test('symbols are merged by time, delayed messages too', () => {
    const { stdout, stderr } = replay('--inject', 'delay=20,gap=200');
    const times = stdout.trimEnd().split('\n').map(timeIn);
    expect(stderr).toMatch(/^injected: [2-9] delays /);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  test('a src has the faults it has alone, from a file and from a pipe', () => {
    const faults = ['--inject', 'drop=20,reorder=20,truncate=40,gap=100'];
    const ofBitcoin = (text: string): string[] =>
      text.split('\n').filter((line) => line.includes('"src":"binance-usdm:BTC'));
    const merged = ofBitcoin(replay(...faults).stdout);
    const alone = tapedeck(['replay', join(full, 'binance-usdm/BTCUSDT'), '--speed', 'max', ...faults]);
    const piped = tapedeck(['replay', '-', '--speed', 'max', ...faults], plain.stdout);
    expect(ofBitcoin(alone.stdout)).toEqual(merged);
    expect(ofBitcoin(piped.stdout)).toEqual(merged);
  });

  test('verify finds the tape whole before, and not after', () => {
    expect(tapedeck(['verify', '-'], plain.stdout).status).toBe(0);
    const faulty = tapedeck(['verify', '-'], replay('--inject', 'drop=10').stdout);
    expect(faulty.status).toBe(1);
    expect(faulty.stdout).toMatch(
      /: GAP: depth messages are missing since .*: sequence, expected \d+, got \d+ \(file -, line \d+\)$/m,
    );
    const cut = tapedeck(['verify', '-'], replay('--inject', 'disconnect=100').stdout);
    expect(cut.stdout).toMatch(/: GAP: messages of all streams are missing since .*: disconnect \(/m);
    expect(tapedeck(['verify', '-'], replay('--inject', 'dup=5').stdout).status).toBe(0);
  });
});

describe('wrong faults', () => {
  const kinds = 'drop, dup, reorder, delay, gap, disconnect, truncate';
  const number = 'is not a whole number from 1 to 1000000000 of messages';
  test.each([
    ['dorp', `'dorp' is none of ${kinds}; did you mean 'drop'?`],
    ['drop,Reorder=5', `'Reorder' is none of ${kinds}; did you mean 'reorder'?`],
    ['=5', `'' is none of ${kinds}`],
    ['drop=0', `'0' ${number}; give KIND=N with KIND one of ${kinds}`],
    ['drop=1e3', `'1e3' ${number}; give KIND=N with KIND one of ${kinds}`],
    ['drop=', `'' ${number}; give KIND=N with KIND one of ${kinds}`],
    ['drop=2000000000', `'2000000000' ${number}; give KIND=N with KIND one of ${kinds}`],
  ])('--inject %s', (given, message) => {
    const stderr = `tapedeck: E_USAGE: --inject: ${message} (see tapedeck replay --help)\n`;
    expect(replay('--inject', given)).toEqual({ status: 2, stdout: '', stderr });
  });

  test('a kind named twice, and a seed that is no number', () => {
    const twice = replay('--inject', 'drop,dup', '--inject', 'drop=5');
    expect(twice).toMatchObject({ status: 2, stdout: '' });
    expect(twice.stderr).toMatch(/^tapedeck: E_USAGE: --inject names 'drop' twice/);
    expect(replay('--inject', 'drop', '--inject-seed', 'x').stderr).toMatch(
      /E_USAGE: --inject-seed: 'x' is not a whole/,
    );
  });
});
