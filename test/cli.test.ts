/** The program as a user runs it: words in; stdout, stderr and exit status out. Needs `npm run build`. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { prepareWords } from '../src/arguments.js';
import { globalOptions, type OptionDeclaration, type Options } from '../src/commands/command.js';
import { loadCommands, program } from '../src/program.js';

const root = new URL('..', import.meta.url).pathname;
const bin = join(root, 'bin/tapedeck.js');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'tapedeck-cli-'));

interface Outcome {
  stdout: string;
  stderr: string;
  status: number | null;
}

interface World {
  /** undefined: not there */
  env?: Record<string, string | undefined>;
  /** a file descriptor, or `closed` for a pipe whose reader has gone */
  stdout?: number | 'closed';
}

function tapedeck(words: readonly string[], { env = {}, stdout = -1 }: World = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...words], {
      env: { ...process.env, ...env },
      stdio: ['ignore', typeof stdout === 'number' && stdout >= 0 ? stdout : 'pipe', 'pipe'],
    });
    const outcome: Outcome = { stdout: '', stderr: '', status: null };
    if (stdout === 'closed') child.stdout?.destroy();
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      outcome.stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      outcome.stderr += text;
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ ...outcome, status }));
  });
}

beforeAll(() => {
  expect(existsSync(join(root, 'dist/bundle/cli.cjs')), 'dist/ is missing: run npm run build first').toBe(true);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('venues', () => {
  test('one venue in full, 80 columns wide; an unknown one names those there are', async () => {
    const { stdout, status } = await tapedeck(['venues', 'okx-swap']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^okx-swap: OKX/);
    expect(stdout).toMatch(/channels +depth \*, trade \*/);
    expect(stdout).toMatch(/checksum +of the book/);
    expect(stdout).toMatch(/backfill +trade: any by id/);
    expect((await tapedeck(['venues', 'binance-spot'])).stdout).toMatch(/backfill +trade: the newest 1000 only/);
    expect((await tapedeck(['venues', 'bybit-spot'])).stdout).toMatch(/backfill +none: ids of trades do not count/);
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    const all = await tapedeck(['venues', '--format', 'json']);
    const one = await tapedeck(['venues', 'okx-swap', '--format', 'json']);
    expect(all.stdout.split('\n')).toContain(one.stdout.trimEnd());
    const none = await tapedeck(['venues', 'bybit-liner']);
    expect(none.status).toBe(2);
    expect(none.stderr).toMatch(
      /no venue 'bybit-liner'; did you mean 'bybit-linear'\? There are .* okx-swap, okx-spot/,
    );
  });

  test('json lines carry what the table shows', async () => {
    const [table, json] = await Promise.all([tapedeck(['venues']), tapedeck(['venues', '--format', 'json'])]);
    const ids = json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).id);
    expect(ids).toContain('binance-usdm');
    expect(
      table.stdout
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.split(' ')[0]),
    ).toEqual(ids);
  });

  test.each(['binance-usdm', 'bybit-linear', 'okx-swap'])('%s: json tells what a person is told', async (name) => {
    const [{ stdout: text }, { stdout: json }] = await Promise.all([
      tapedeck(['venues', name]),
      tapedeck(['venues', name, '--format', 'json']),
    ]);
    const { hosts, newest, snapshot, audits, simulated } = JSON.parse(json);
    const card = text.replace(/\s+/g, ' ');
    expect(card).toContain(`hosts ${hosts.ws}, ${hosts.rest} `);
    for (const [channel, most] of Object.entries(newest)) expect(card).toContain(`${channel}: the newest ${most} only`);
    expect(Object.keys(newest).length).toBe(card.split(' the newest ').length - 1);
    expect(snapshot === 'rest').toBe(card.includes('join a snapshot over REST'));
    expect(audits).toEqual({
      touch: card.includes('best quotes audit the book'),
      levels: card.includes('audited by pairs of books'),
      checksum: card.includes('checksum of the book'),
    });
    expect(simulated).toBe(card.includes('simulated by tapedeck sim'));
  });
});

// Node 20 keeps nothing
test.skipIf(!('enableCompileCache' in process.getBuiltinModule('node:module')))(
  'where the code that came with the program does not fit, Node keeps its own, unless it is told not to',
  async () => {
    const kept = join(folder, 'kept');
    const keep = { NODE_COMPILE_CACHE: '', NODE_DISABLE_COMPILE_CACHE: undefined, TMPDIR: kept };
    const other = { ...keep, NODE_OPTIONS: '--max-old-space-size=1000' };
    mkdirSync(kept);
    await tapedeck(['venues'], { env: keep });
    await tapedeck(['venues'], { env: { ...other, NODE_DISABLE_COMPILE_CACHE: '1' } });
    expect(readdirSync(kept)).toEqual([]);
    await tapedeck(['venues'], { env: other });
    expect(readdirSync(kept)).toEqual(['node-compile-cache']);
  },
);

describe('help and version', () => {
  test.each([[['--help']], [['-h']], [['help']], [['-q', '--help']]])(
    '%j lists every command on stdout',
    async (words) => {
      const { stdout, stderr, status } = await tapedeck(words);
      expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
      expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
      const running = stdout.replace(/\s+/g, ' ');
      for (const { name, describe } of program) expect(running).toContain(` ${name} ${describe} `);
    },
  );

  test('no words at all: the same on stderr, and a failure', async () => {
    const { stdout, stderr, status } = await tapedeck([]);
    expect({ stdout, status }).toEqual({ stdout: '', status: 2 });
    expect(stderr).toContain('Usage: tapedeck COMMAND');
  });

  test.each([[['--version']], [['-V']], [['venues', '--version']]])('%j', async (words) => {
    expect(await tapedeck(words)).toEqual({ stdout: `tapedeck ${version}\n`, stderr: '', status: 0 });
  });

  test('every command explains itself within 80 columns, and names all its options', async () => {
    const commands = await loadCommands();
    const helps = await Promise.all(commands.map(({ name }) => tapedeck([name, '--help'])));
    for (const [at, command] of commands.entries()) {
      const { stdout, stderr, status } = helps[at];
      expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
      const wide = stdout.split('\n').filter((line) => line.length > 80);
      expect(wide).toEqual([]);
      for (const name of Object.keys({ ...command.options, ...globalOptions })) expect(stdout).toContain(`--${name}`);
    }
    expect((await tapedeck(['help', 'venues'])).stdout).toBe((await tapedeck(['venues', '-h'])).stdout);
  });
});

describe('the list of commands', () => {
  test('says what the modules say', async () => {
    const commands = await loadCommands();
    expect(program.map(({ name, describe }) => ({ name, describe }))).toEqual(
      commands.map(({ name, describe }) => ({ name, describe })),
    );
  });

  test('holds every module of src/commands', () => {
    const files = readdirSync(join(root, 'src/commands')).filter((file) => file !== 'command.ts');
    expect(program.map(({ name }) => `${name}.ts`).sort()).toEqual(files.sort());
  });

  test('declarations are well-formed', async () => {
    for (const { name, describe, options, positionals } of await loadCommands()) {
      const declared = Object.values<OptionDeclaration>({ ...options, ...globalOptions });
      const aliases = declared.flatMap(({ alias }) => alias ?? []);
      expect(new Set(aliases).size, `${name}: letters are unique`).toBe(aliases.length);
      for (const key of Object.keys(globalOptions))
        expect(options, `${name} redeclares --${key}`).not.toHaveProperty(key);
      const texts = [describe, ...Object.values({ ...options, ...positionals }).map((one) => one.describe)];
      expect(
        texts.filter((text) => /[^.]\.$|\n/.test(text)),
        name,
      ).toEqual([]);
      const variadic = Object.values(positionals).map((positional) => positional.variadic === true);
      expect(variadic.slice(0, -1), `${name}: only the last word may repeat`).not.toContain(true);
    }
  });
});

describe('documents', () => {
  /** Calls of tapedeck in a piece of shell, each as its words; quoting is only as clever as our examples are. */
  const callsIn = (shell: string): string[][] =>
    [...shell.matchAll(/(?:^|[|(]\s*)tapedeck +([^|)#\n]*)/gm)].map(([, words]) =>
      words
        .replace(/[<>].*/, '')
        .trim()
        .split(/\s+/),
    );

  test('the calls in README and in examples are calls of commands and options that exist', async () => {
    const commands = await loadCommands();
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    const shell = [...readme.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block]) => block);
    const calls = [...shell, ...commands.flatMap(({ examples }) => examples.map(([line]) => line))].flatMap(callsIn);
    expect(calls.length).toBeGreaterThan(15);
    const wrong: string[] = [];
    for (const [name, ...words] of calls) {
      const command = commands.find((candidate) => candidate.name === name);
      try {
        if (command === undefined) throw new Error('no such command');
        const options: Options = { ...globalOptions, ...command.options };
        const known = [
          ...Object.keys(options).map((option) => `--${option}`),
          ...Object.values(options).map(({ alias }) => `-${alias}`),
        ];
        const unknown = prepareWords(words, options).words.find(
          (word) => word.startsWith('-') && !known.includes(word.split('=')[0]),
        );
        if (unknown !== undefined) throw new Error(`no option ${unknown}`);
      } catch (error) {
        wrong.push(`${[name, ...words].join(' ')}: ${(error as Error).message}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('README shows every command', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    expect(program.filter(({ name }) => !readme.includes(`tapedeck ${name}`)).map(({ name }) => name)).toEqual([]);
  });
});

describe('wrong calls', () => {
  test.each<[string, string[], string]>([
    ['an unknown command', ['venus'], "E_USAGE: unknown command 'venus'; did you mean 'venues'? (see tapedeck --help)"],
    [
      'an unknown option',
      ['venues', '--formt', 'json'],
      'E_USAGE: unknown option --formt; did you mean --format? (see tapedeck venues --help)',
    ],
    ['an unknown letter', ['venues', '-x'], 'E_USAGE: unknown option -x (see tapedeck venues --help)'],
    [
      'a name of Object.prototype',
      ['venues', '--constructor'],
      'E_USAGE: unknown option --constructor (see tapedeck venues --help)',
    ],
    [
      'a missing value',
      ['venues', '--format'],
      'E_USAGE: --format needs a value: --format FORMAT (see tapedeck venues --help)',
    ],
    [
      'a wrong choice',
      ['venues', '--format', 'xml'],
      "E_USAGE: --format: 'xml' is none of text, json (see tapedeck venues --help)",
    ],
    [
      'a repeated scalar',
      ['venues', '--format', 'json', '--format=text'],
      'E_USAGE: --format was given 2 times; it takes one value (see tapedeck venues --help)',
    ],
    ['a word too many', ['venues', 'okx-swap', 'x'], "E_USAGE: venues does not take 'x' (see tapedeck venues --help)"],
    [
      'a bare dash too many',
      ['venues', 'okx-swap', '-'],
      "E_USAGE: venues does not take '-' (see tapedeck venues --help)",
    ],
    [
      'a number that must stay text',
      ['venues', 'okx-swap', '0x10'],
      "E_USAGE: venues does not take '0x10' (see tapedeck venues --help)",
    ],
    [
      'an option after --',
      ['venues', 'okx-swap', '--', '--help'],
      "E_USAGE: venues does not take '--help' (see tapedeck venues --help)",
    ],
    [
      'a missing word',
      ['completion'],
      'E_USAGE: completion needs SHELL: the shell to write for (see tapedeck completion --help)',
    ],
    ['an option without command', ['--quiet'], "E_USAGE: a command is missing after '--quiet' (see tapedeck --help)"],
    ['an escape sequence', ['\u001b[2J'], "E_USAGE: unknown command '\\x1b[2J' (see tapedeck --help)"],
  ])('%s: one line on stderr, status 2', async (_name, words, message) => {
    expect(await tapedeck(words)).toEqual({ stdout: '', stderr: `tapedeck: ${message}\n`, status: 2 });
  });
});

describe('output', () => {
  test('a reader that went away is a normal end', async () => {
    expect(await tapedeck(['completion', 'bash'], { stdout: 'closed' })).toEqual({ stdout: '', stderr: '', status: 0 });
    expect(await tapedeck(['--help'], { stdout: 'closed' })).toEqual({ stdout: '', stderr: '', status: 0 });
  });

  test('a file gets the bytes a pipe gets', async () => {
    const path = join(folder, 'out');
    const fd = openSync(path, 'w');
    const { status, stderr } = await tapedeck(['completion', 'zsh'], { stdout: fd });
    closeSync(fd);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(readFileSync(path, 'utf8')).toBe((await tapedeck(['completion', 'zsh'])).stdout);
  });

  test('appending to a file appends', async () => {
    const path = join(folder, 'appended');
    for (let run = 0; run < 2; run++) {
      const fd = openSync(path, 'a');
      await tapedeck(['--version'], { stdout: fd });
      closeSync(fd);
    }
    expect(readFileSync(path, 'utf8')).toBe(`tapedeck ${version}\n`.repeat(2));
  });

  test.skipIf(!existsSync('/dev/full'))('a full disk is a failure with a code (needs /dev/full)', async () => {
    const fd = openSync('/dev/full', 'w');
    const { status, stderr } = await tapedeck(['venues'], { stdout: fd });
    closeSync(fd);
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: 'tapedeck: E_DISK_FULL: while writing to stdout: no space left\n',
    });
  });
});

describe('input', () => {
  const tape = join(root, 'fixtures/minimal');
  const isBlocking = (pid: number | undefined): boolean => {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/0`, 'utf8'))?.[1] ?? '';
    return (Number.parseInt(flags, 8) & constants.O_NONBLOCK) === 0;
  };

  // `scan - | cmp - <(tapedeck scan T)`: a pipe made non-blocking here fails in the process it is shared with
  test.skipIf(!existsSync('/proc/self/fdinfo/0'))('stdin is left alone unless it is read (needs /proc)', async () => {
    const child = spawn(process.execPath, [bin, 'replay', tape, '--speed', '0.000001']);
    await once(child.stdout, 'data');
    const blocking = isBlocking(child.pid);
    child.kill();
    await once(child, 'close');
    expect(blocking).toBe(true);
  });

  test('- is read', async () => {
    const child = spawn(process.execPath, [bin, 'replay', '-', '--speed', 'max']);
    child.stdin.end('{"t":1723161255030314,"src":"binance-usdm:BTCUSDT"}\n');
    const [text] = await Promise.all([once(child.stdout, 'data'), once(child, 'close')]);
    expect(String(text)).toBe('{"t":1723161255030314,"src":"binance-usdm:BTCUSDT"}\n');
  });
});

describe('signals', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('the first %s lets a command finish in order', async (signal) => {
    const child = spawn(process.execPath, [bin, 'sim', 'binance-usdm', '--symbols', 'BTCUSDT']);
    child.stdout.once('data', () => child.kill(signal));
    const [status, killedBy] = await once(child, 'close');
    expect({ status, killedBy }).toEqual({ status: 0, killedBy: null });
  });

  test('a pipe that is silent has ended with SIGTERM, although it is open', async () => {
    const child = spawn(process.execPath, [bin, 'view', 'trades', '-']);
    const tape = spawn(process.execPath, [bin, 'replay', join(root, 'fixtures/minimal'), '--speed', 'max']);
    tape.stdout.pipe(child.stdin, { end: false });
    child.stdout.once('data', () => child.kill('SIGTERM'));
    const [status, killedBy] = await once(child, 'close');
    expect({ status, killedBy }).toEqual({ status: 0, killedBy: null });
  });

  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s before the end of a file is told, and the status is 2',
    async (signal) => {
      const tape = join(root, 'fixtures/minimal');
      const child = spawn(process.execPath, [bin, 'replay', tape, '--speed', '0.000001']);
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text;
      });
      child.stdout.once('data', () => child.kill(signal));
      const [status] = await once(child, 'close');
      expect(stderr).toMatch(/^tapedeck: E_IO: while replaying: stopped at 2026-11-22T19:08:\S+Z, before the end\n$/);
      expect(status).toBe(2);
    },
  );

  test.skipIf(!existsSync('/proc/self/status'))('the second ends it at once (needs /proc)', async () => {
    // a pipe that is full and never read: the command cannot finish, whatever the first signal asks. What spawn() makes is a socket,
    // which takes more than a command may have to say
    const path = join(folder, 'full');
    execFileSync('mkfifo', [path]);
    const reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    const stdout = openSync(path, constants.O_WRONLY);
    expect(() => {
      for (;;) writeSync(reader, 'y');
    }).toThrow(expect.objectContaining({ code: 'EAGAIN' }));
    const child = spawn(process.execPath, [bin, 'completion', 'bash'], { stdio: ['ignore', stdout, 'ignore'] });
    const closed = once(child, 'exit');
    // the others are caught by Node from the start, and by the program before this one
    const catchesHangups = (): boolean => {
      const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? '0';
      return (BigInt(`0x${caught}`) & 1n) === 1n;
    };
    while (!catchesHangups()) await new Promise(setImmediate);
    child.kill('SIGINT');
    child.kill('SIGTERM');
    const [status] = await closed;
    closeSync(stdout);
    closeSync(reader);
    expect([130, 143]).toContain(status);
  });
});
