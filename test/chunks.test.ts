/** The bundled program: its chunks load each other as files do, and code that V8 kept saves time and decides nothing. Needs `npm run build`. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const root = new URL('..', import.meta.url).pathname;
const bundle = join(root, 'dist/bundle');
const tape = join(root, 'fixtures/full/binance-usdm/BTCUSDT');

interface Chunks {
  load(name: string): Record<string, unknown>;
  loaded: Map<string, { script: { cachedDataRejected?: boolean; createCachedData(): Buffer } }>;
}

describe('chunks', () => {
  let folder: string;
  let chunks: Chunks;
  const write = (name: string, text: string | Uint8Array): void => writeFileSync(join(folder, name), text);
  const open = (): Chunks => createRequire(import.meta.url)(join(folder, 'chunks.cjs'));

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tapedeck-chunks-'));
    copyFileSync(join(root, 'src/chunks.cjs'), join(folder, 'chunks.cjs'));
    chunks = open();
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('each is run once, and those that need each other see what there is', () => {
    write('a.cjs', 'const b = require("./b.cjs"); exports.order = [...b.order, "a"]; exports.ofB = b;');
    write('b.cjs', 'const a = require("./a.cjs"); exports.order = ["b"]; exports.sees = () => a.order;');
    const a = chunks.load('a.cjs');
    expect(a.order).toEqual(['b', 'a']);
    expect(chunks.load('a.cjs')).toBe(a);
    const { sees } = chunks.load('b.cjs') as { sees: () => unknown };
    expect(sees()).toEqual(['b', 'a']);
    expect(a.ofB).toBe(chunks.load('b.cjs'));
  });

  test('what else is required is found from the chunk, and places in errors are those of its file', () => {
    write('a.cjs', 'exports.join = require("node:path").join;\nexports.folder = __dirname;\nnull.x;');
    let stack = '';
    try {
      chunks.load('a.cjs');
    } catch (error) {
      stack = (error as Error).stack ?? '';
    }
    expect(stack).toContain(`${join(folder, 'a.cjs')}:3:6`);
    expect(chunks.load('a.cjs').join).toBe(join);
    expect(chunks.load('a.cjs').folder).toBe(folder);
  });

  test('code that is broken, or kept of something else, is passed over', () => {
    const source = 'exports.sum = (a, b) => a + b;';
    write('a.cjs', source);
    chunks.load('a.cjs');
    const code = chunks.loaded.get('a.cjs')?.script.createCachedData() ?? Buffer.alloc(0);
    expect(sumWith('whole', source, code)).toEqual([5, false]);
    expect(sumWith('cut', source, code.subarray(0, code.length - 20))).toEqual([5, true]);
    expect(sumWith('other', source, Buffer.from('no code'))).toEqual([5, true]);
    expect(sumWith('empty', source, Buffer.alloc(0))).toEqual([5, true]);
    expect(sumWith('longer', `${source} // and more`, code)).toEqual([5, true]);
  });

  /** What a chunk computes beside this kept code, and whether V8 refused that. */
  function sumWith(name: string, source: string, code: Buffer): [unknown, boolean | undefined] {
    write(`${name}.cjs`, source);
    write(`${name}.cjs.code`, code);
    const { sum } = chunks.load(`${name}.cjs`) as { sum: (a: number, b: number) => number };
    return [sum(2, 3), chunks.loaded.get(`${name}.cjs`)?.script.cachedDataRejected];
  }
});

describe('the built program', () => {
  const program = `const { load, loaded } = require(${JSON.stringify(join(bundle, 'chunks.cjs'))});
process.on('exit', () => {
  const words = { false: 'kept', true: 'refused', undefined: 'compiled' };
  for (const [name, { script }] of loaded) console.error(name, words[script.cachedDataRejected]);
});
load('cli.cjs');`;
  // one word stands where the file's name would
  const words = ['tapedeck', 'scan', tape, '--detect', 'book-imbalance', '--format', 'json', '--checksum', '-q'];
  const run = (flags: readonly string[]) =>
    spawnSync(process.execPath, [...flags, '-e', program, '--', ...words], { encoding: 'utf8' });

  test('a scan starts from kept code, and prints the same where V8 refuses that', () => {
    const kept = run([]);
    expect(kept.stdout).toContain('"checksum"');
    expect(kept.stderr).toContain('market.cjs kept');
    expect(kept.stderr).not.toMatch(/refused|compiled/);
    // code is good for the flags alone that it was compiled with: Node loads all by itself
    expect(run(['--no-opt'])).toMatchObject({ stdout: kept.stdout, stderr: '', status: 0 });
  });
});
