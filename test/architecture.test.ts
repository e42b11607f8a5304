/** The layers, the habits and the closed folders of src/README.md, held against the import lines and texts of every file. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = new URL('..', import.meta.url).pathname;

/** What each layer may import beside itself; the table of the architecture page. */
const LAYERS: Record<string, readonly string[]> = {
  model: [],
  decode: ['model'],
  tape: ['model'],
  market: ['model'],
  output: ['model'],
  venues: ['model', 'decode'],
  formats: ['model', 'tape'],
  signals: ['model', 'market'],
  scan: ['model', 'tape', 'decode', 'venues', 'market', 'signals'],
  audit: ['model', 'tape', 'formats', 'decode', 'venues', 'market'],
  study: ['model', 'market', 'scan'],
  feed: ['model', 'tape', 'decode', 'venues', 'market'],
  sim: ['model', 'tape', 'decode', 'venues', 'market'],
  serve: ['model', 'tape', 'decode', 'venues', 'market', 'sim'],
};
const ALL_LAYERS = Object.keys(LAYERS);

/** Files beside the folders. `program` and `arguments` are parts of the shell around commands, like `help` and `man`. */
const SHELL: Record<string, readonly string[]> = {
  'index.ts': ALL_LAYERS,
  'program.ts': ['commands', 'model', 'output'],
  'arguments.ts': ['commands', 'model', 'output', 'program.ts'],
  'help.ts': ['commands', 'model', 'output'],
  'man.ts': ['commands', 'model', 'output'],
  'man-signals.ts': ['signals', 'man.ts'],
  'pipe.ts': [],
  'cli.ts': ['commands', 'model', 'output', 'program.ts', 'arguments.ts', 'help.ts', 'pipe.ts'],
};

/** Where each outside package may be named; type-only imports are free. */
const PACKAGES: Record<string, RegExp> = {
  ws: /^src\/(feed|serve)\//,
  'zstd-napi': /^src\/tape\/frame\.ts$/,
  jsep: /^src\/scan\/where\.ts$/,
  yargs: /^src\/cli\.ts$/,
  'cli-progress': /^src\/output\//,
  chalk: /^src\/output\//,
};

const TOP_LEVEL = [
  ...['package.json', 'package-lock.json', 'tsconfig.json', 'bin', 'src', 'fixtures', 'test', 'man'],
  ...['README.md', 'LICENSE', 'CHANGELOG.md', 'biome.json', '.gitignore', '.npmrc', '.ci'],
];

interface Import {
  target: string;
  typeOnly: boolean;
}

function filesUnder(folder: string): string[] {
  return (
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(ts|mjs)$/.test(entry.name))
      // what the bench and the clients installed beside themselves is not ours
      .filter((entry) => !entry.parentPath.includes('node_modules'))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)))
      .sort()
  );
}

const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** Blanks comments out, so that an example in a comment is no import and no venue's name. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

function importsOf(text: string): Import[] {
  const code = withoutComments(text);
  const found: Import[] = [];
  for (const [, clause, target] of code.matchAll(/^\s*(?:import|export)\s+([^;'"]*?)from\s*['"]([^'"]+)['"]/gm))
    found.push({ target, typeOnly: /^type\s/.test(clause) });
  for (const [, target] of code.matchAll(/^\s*import\s*['"]([^'"]+)['"]/gm)) found.push({ target, typeOnly: false });
  for (const [, before, target] of code.matchAll(/(typeof\s+)?\bimport\(\s*['"]([^'"]+)['"]\s*\)/g))
    found.push({ target, typeOnly: before !== undefined });
  return found;
}

/** `src/tape/line.ts` for `./line.js` seen from `src/tape/reader.ts`; null for a package. */
function resolve(file: string, target: string): string | null {
  return target.startsWith('.') ? join(dirname(file), target).replace(/\.js$/, '.ts') : null;
}

/** `tape` for `src/tape/line.ts`, `cli.ts` for `src/cli.ts`. */
const layerOf = (file: string): string => file.split('/')[1];

function allowedFrom(file: string): readonly string[] {
  const layer = layerOf(file);
  if (layer === 'commands') return ALL_LAYERS;
  return layer.endsWith('.ts') ? (SHELL[layer] ?? []) : [...(LAYERS[layer] ?? []), layer];
}

/** The build's own scripts, and AssemblyScript, are no part of the program's modules. */
const sources = filesUnder('src').filter((file) => file.endsWith('.ts') && !file.startsWith('src/decode/assembly/'));
const graph = new Map(sources.map((file) => [file, importsOf(read(file))] as const));

test('import lines of every kind are seen', () => {
  const text = `import a from 'a';\nimport {\n  b,\n} from './b.js';\nimport type { C } from 'c';\nexport { d } from './d.js';
import './e.js';\nconst f = await import('./f.js');\ntype G = typeof import('g');\n// import h from 'h'\n/* import i from 'i' */`;
  expect(importsOf(text).map(({ target, typeOnly }) => (typeOnly ? `type ${target}` : target))).toEqual([
    ...['a', './b.js', 'type c', './d.js', './e.js', './f.js', 'type g'],
  ]);
});

describe('imports', () => {
  test('every folder and file of src has a place in the table', () => {
    const known = [
      ...ALL_LAYERS,
      'commands',
      'README.md',
      'tsconfig.json',
      ...['scanner.mjs', 'bundle.mjs', 'code.mjs', 'chunks.cjs'],
      ...Object.keys(SHELL),
    ];
    expect(readdirSync(join(root, 'src')).filter((name) => !known.includes(name))).toEqual([]);
  });

  test('layers import only what the table allows', () => {
    const wrong: string[] = [];
    for (const [file, imports] of graph)
      for (const { target } of imports) {
        const to = resolve(file, target);
        if (to === null) continue;
        const fine = layerOf(file) === 'commands' && to === 'src/commands/command.ts';
        if (!fine && !allowedFrom(file).includes(layerOf(to))) wrong.push(`${file} imports ${to}`);
      }
    expect(wrong).toEqual([]);
  });

  test('scan knows venues by their registry only', () => {
    const wrong = [...graph].flatMap(([file, imports]) =>
      imports
        .filter(({ typeOnly }) => layerOf(file) === 'scan' && !typeOnly)
        .map(({ target }) => resolve(file, target))
        .filter((to) => to?.startsWith('src/venues/') && to !== 'src/venues/registry.ts')
        .map((to) => `${file} imports ${to}`),
    );
    expect(wrong).toEqual([]);
  });

  test('there are no cycles, types included', () => {
    const state = new Map<string, 'open' | 'done'>();
    const cycles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (state.get(file) === 'done') return;
      if (state.get(file) === 'open') {
        cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
        return;
      }
      state.set(file, 'open');
      for (const { target } of graph.get(file) ?? []) {
        const to = resolve(file, target);
        if (to !== null) visit(to, [...path, file]);
      }
      state.set(file, 'done');
    };
    for (const file of sources) visit(file, []);
    expect(cycles).toEqual([]);
  });

  test('each outside package is named in one place', () => {
    const wrong: string[] = [];
    for (const [file, imports] of graph)
      for (const { target, typeOnly } of imports) {
        if (target.startsWith('.') || target.startsWith('node:') || typeOnly) continue;
        if (!PACKAGES[target.split('/')[0]]?.test(file)) wrong.push(`${file} imports ${target}`);
      }
    expect(wrong).toEqual([]);
    const { dependencies } = JSON.parse(read('package.json'));
    expect(Object.keys(dependencies).sort()).toEqual(Object.keys(PACKAGES).sort());
  });

  test('bin loads the bundled cli.ts and nothing else', () => {
    expect(read('bin/tapedeck.js')).toBe(
      "#!/usr/bin/env node\nrequire('../dist/bundle/chunks.cjs').load('cli.cjs');\n",
    );
  });

  test('a start loads little: commands, packages and native code come when they are asked for', () => {
    const loaded = new Map<string, number>();
    const load = (chunk: string): void => {
      if (loaded.has(chunk)) return;
      // how CommonJS names what a chunk exports is the bundler's, and a quarter of the text
      const text = read(join('dist/bundle', chunk)).replace(/^Object\.defineProperty\(exports, [\s\S]*?^\}\);\n/gm, '');
      loaded.set(chunk, text.length);
      for (const [, target] of text.matchAll(/^const \w+ = require\("\.\/([^"]+)"\);$/gm)) load(target);
    };
    load('cli.cjs');
    expect(loaded.size).toBeGreaterThan(1);
    // the parser of yargs, the smallest package, has 30 kB
    expect([...loaded.values()].reduce((sum, size) => sum + size)).toBeLessThan(45_000);
  });

  test('the surface of a folder is listed by name', () => {
    expect(sources.filter((file) => /^export \*/m.test(read(file)))).toEqual([]);
  });
});

describe('habits', () => {
  const everything = [...sources, ...filesUnder('test')];
  const offenders = (files: readonly string[], pattern: RegExp): string[] =>
    files.flatMap((file) =>
      withoutComments(read(file))
        .split('\n')
        .filter((line) => pattern.test(line))
        .map((line) => `${file}: ${line.trim()}`),
    );

  // plain scripts beside the tests may open with a line comment
  const OPENING = /^(?:#!.*\n)?(?:\/\*\*([\s\S]*?)\*\/|\/\/ (.*)\n)/;

  test('every file opens with a comment that says in a sentence what it is', () => {
    const wrong = everything.filter((file) => {
      const found = OPENING.exec(read(file));
      const [paragraph] = (found?.[1] ?? found?.[2] ?? '').split(/\n \*\s*\n/);
      const opening = paragraph.replace(/\s*\*?\s+/g, ' ').trim();
      return opening.length < 10 || opening.length > 500 || !/[.!?)]$/.test(opening);
    });
    expect(wrong).toEqual([]);
  });

  test('only cli.ts ends the process or touches its streams', () => {
    const others = sources.filter((file) => file !== 'src/cli.ts');
    expect(
      offenders(others, /\bprocess\.(exit|exitCode|abort|kill(?!\(.*, 0\))|stdout|stderr|stdin|argv|on)\b|\bconsole\./),
    ).toEqual([]);
  });

  test('data time drives decode, market, signals and scan', () => {
    const timeless = sources.filter((file) => /^src\/(model|decode|market|signals|scan)\//.test(file));
    expect(
      offenders(
        timeless,
        /Date\.now|new Date\(\)|performance\.now|Math\.random|hrtime|\bset(Timeout|Interval|Immediate)\b/,
      ),
    ).toEqual([]);
  });

  test('certificates are verified, and no shell is started', () => {
    expect(offenders(sources, /rejectUnauthorized|NODE_TLS_|checkServerIdentity|child_process/)).toEqual([]);
  });

  test('only venues, and texts for people, name an exchange', () => {
    const silent = sources.filter((file) => !/^src\/(venues|commands)\/|^src\/(help|man-signals)\.ts$/.test(file));
    expect(offenders(silent, /binance|bybit|bingx|weex|mexc|okx/i)).toEqual([]);
  });

  test('the type checker and the linter are never silenced', () => {
    // pieced together, so that this file does not find itself
    const silencers = new RegExp(['as unknown' + ' as', '@ts-' + '(ignore|nocheck)', 'biome-' + 'ignore'].join('|'));
    const wrong = everything.filter((file) => silencers.test(read(file)));
    expect(wrong).toEqual([]);
  });
});

describe('folders', () => {
  test('the top level is closed', () => {
    const ignored = read('.gitignore')
      .split('\n')
      .map((line) => line.replaceAll('/', ''));
    const allowed = new Set([...TOP_LEVEL, ...ignored, '.git']);
    expect(readdirSync(root).filter((name) => !allowed.has(name))).toEqual([]);
  });

  test('test mirrors src', () => {
    const extra = ['cases', 'bench', 'clients'];
    const folders = readdirSync(join(root, 'test'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const names = folders.map((entry) => entry.name);
    expect(names.filter((name) => !extra.includes(name) && !existsSync(join(root, 'src', name)))).toEqual([]);
  });

  test.each(['package-lock.json', 'test/bench/peers/package-lock.json', 'test/clients/package-lock.json'])(
    '%s names no download hosts',
    (file) => {
      expect(read(file)).not.toMatch(
        /"resolved"|https?:\/\/(?!(www\.)?(github|opencollective|patreon|tidelift|paulmillr|feross)\b)[^"]*\.tgz/,
      );
    },
  );
});
