/** The program: finds the command, parses its words, runs it, and turns every outcome into an exit status. */
import { createWriteStream, fstatSync, readFileSync, type Stats } from 'node:fs';
import type { Writable } from 'node:stream';
import { isatty } from 'node:tty';
import { prepareWords, readArguments } from './arguments.js';
import { type Command, type CommandIo, globalOptions, type Options, takesValue } from './commands/command.js';
import { commandHelp, programHelp } from './help.js';
import { describeError, TapedeckError } from './model/errors.js';
import { nearest } from './model/nearest.js';
import { packageFile } from './model/package-file.js';
import type { logLine } from './output/log-line.js';
import { BrokenPipe, createDataWriter } from './output/stdio.js';
import { columnsOf, wantsColour } from './output/terminal.js';
import { escapeControl } from './output/text.js';
import { readPipe } from './pipe.js';
import { loadCommands, program, programName, programTitle } from './program.js';

const DONE = 0;
const FAILED = 2;

/** In the order they are caught: Node catches the first two itself, so that whoever sees the last one caught knows that we catch all. */
const SIGNAL_NUMBERS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

const stopping = new AbortController();
/** 128 + number of the first signal; a command that gives up because of it ends with this status */
let stoppedStatus: number = FAILED;

/** what a command wants SIGHUP to do */
let hangup: (() => void) | null = null;

function watchSignals(): void {
  const hadTerminal = isatty(2);
  for (const [name, number] of Object.entries(SIGNAL_NUMBERS))
    process.on(name, () => {
      if (name === 'SIGHUP' && hangup !== null && isatty(2) === hadTerminal) {
        hangup();
        return;
      }
      if (stopping.signal.aborted) process.exit(128 + number);
      stoppedStatus = 128 + number;
      stopping.abort();
      // a read from the terminal would wait for the next line
      if (stdinOpened && isatty(0)) process.stdin.destroy();
    });
}

let stdinOpened = false;

/** `--log-format json`: failures are lines of the log too */
let toLogLine: typeof logLine | null = null;

/**
 * Opened at the first read and not before: Node makes a pipe on stdin non-blocking, for every process that shares it.
 * With `scan - | cmp - <(tapedeck scan T)` the second scan would break the pipe cmp reads from.
 */
const stdin: AsyncIterable<Uint8Array> = {
  [Symbol.asyncIterator]() {
    stdinOpened = true;
    const stat = statOf(0);
    // Node takes a folder for a stdin without a byte
    if (stat?.isDirectory()) throw new TapedeckError('E_NOT_A_TAPE', 'while reading: it is a folder', { file: '-' });
    return stat?.isFIFO() || stat?.isSocket() ? readPipe(0, stopping.signal) : process.stdin[Symbol.asyncIterator]();
  },
};

function statOf(fd: number): Stats | null {
  try {
    return fstatSync(fd);
  } catch {
    return null; // closed, which the first use tells
  }
}

/**
 * Node writes to a regular file on stdout without looking at short writes, so a full disk can pass unnoticed;
 * a file stream retries and reports. Pipes and terminals are fine as they are.
 */
function openStdout(): Writable {
  // a closed stdout is met again, with its name, at the first write
  return statOf(1)?.isFile() ? createWriteStream('', { fd: 1, autoClose: false }) : process.stdout;
}

function readVersion(): string {
  const text = readFileSync(packageFile('package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

interface Parsed {
  /** as yargs gave it: the global flags are read here */
  flags: Readonly<Record<string, unknown>>;
  /** words after `--` */
  literal: readonly string[];
}

async function parse(command: Command, words: readonly string[]): Promise<Parsed> {
  const options: Options = { ...globalOptions, ...command.options };
  const prepared = prepareWords(words, options);
  // the parser of yargs without its help, locales and validation, which are not used and cost 20 ms of start-up; `--help`
  // and `--version` do without either
  const { Parser } = await import('yargs/helpers');
  const names = Object.keys(options);
  const flags: Readonly<Record<string, unknown>> = Parser(prepared.words, {
    alias: Object.fromEntries(Object.entries(options).map(([name, { alias }]) => [name, alias ?? []])),
    boolean: names.filter((name) => !takesValue(options[name])),
    string: names.filter((name) => takesValue(options[name])),
    configuration: {
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'greedy-arrays': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'strip-aliased': true,
    },
  });
  return { flags, literal: prepared.literal };
}

function makeIo(stdout: Writable, quiet: boolean, refused: boolean): CommandIo {
  const stdoutIsTty = isatty(1);
  return {
    stdin,
    stdout,
    stderr: process.stderr,
    stdinIsTty: isatty(0),
    stdoutIsTty,
    stderrIsTty: isatty(2),
    columns: columnsOf(process.stderr),
    signal: stopping.signal,
    onHangup(act) {
      hangup = act;
    },
    now: () => Date.now() * 1000,
    colour: wantsColour({ isTty: stdoutIsTty, env: process.env, refused }),
    quiet,
    env: process.env,
    get version() {
      return readVersion();
    },
    commands: loadCommands,
  };
}

async function print(stdout: Writable, text: string): Promise<number> {
  const writer = createDataWriter(stdout);
  await writer.write(text);
  await writer.flush();
  return DONE;
}

/** Finds and runs the command. @returns the exit status; failures are thrown */
async function run(words: readonly string[], stdout: Writable): Promise<number> {
  const end = words.indexOf('--');
  const head = end < 0 ? words : words.slice(0, end);
  const wantsHelp = head.includes('--help') || head.includes('-h') || head[0] === 'help';
  if (head.includes('--version') || head.includes('-V')) return print(stdout, `${programName} ${readVersion()}\n`);

  const at = head.findIndex((word, index) => !word.startsWith('-') && !(index === 0 && word === 'help'));
  if (at < 0) {
    const text = programHelp(programName, programTitle, program);
    if (wantsHelp) return print(stdout, text);
    if (words.length > 0)
      throw new TapedeckError('E_USAGE', `a command is missing after '${words[0]}' (see ${programName} --help)`);
    await print(process.stderr, text);
    return FAILED;
  }
  const name = head[at];
  const entry = program.find((candidate) => candidate.name === name);
  if (entry === undefined) {
    const near = nearest(
      name,
      program.map((candidate) => candidate.name),
    );
    throw new TapedeckError(
      'E_USAGE',
      `unknown command '${name}'${near === null ? '' : `; did you mean '${near}'?`} (see ${programName} --help)`,
    );
  }
  const { default: command } = await entry.load();
  if (wantsHelp) return print(stdout, commandHelp(programName, command));
  try {
    const { flags, literal } = await parse(command, words.toSpliced(at, 1));
    if (flags['log-format'] === 'json') toLogLine = (await import('./output/log-line.js')).logLine;
    // reached by letters in a group only, such as -qh
    if (flags.help === true) return print(stdout, commandHelp(programName, command));
    if (flags.version === true) return print(stdout, `${programName} ${readVersion()}\n`);
    const args = readArguments(command, flags, literal);
    return await command.run(args, makeIo(stdout, flags.quiet === true, flags['no-color'] === true));
  } catch (error) {
    if (error instanceof TapedeckError && error.code === 'E_USAGE')
      throw new TapedeckError(error.code, `${error.message} (see ${programName} ${name} --help)`, error.place, error);
    throw error;
  }
}

/** The one place where failures become words and a status. */
function statusOf(error: unknown): number {
  if (error instanceof BrokenPipe) return DONE;
  if (stopping.signal.aborted && error instanceof Error && error.name === 'AbortError') return stoppedStatus;
  const text =
    error instanceof TapedeckError
      ? describeError(error)
      : `unexpected: ${error instanceof Error ? error.message : String(error)}`;
  if (toLogLine !== null) {
    const code = error instanceof TapedeckError ? error.code : 'unexpected';
    process.stderr.write(toLogLine(Date.now() * 1000, text, { event: 'failed', level: 'error', data: { code } }));
    return FAILED;
  }
  process.stderr.write(`${programName}: ${escapeControl(text)}\n`);
  if (process.env.TAPEDECK_DEBUG === '1') console.error(error);
  else if (!(error instanceof TapedeckError))
    process.stderr.write(`${programName}: this is a bug; TAPEDECK_DEBUG=1 shows where it happened\n`);
  return FAILED;
}

async function main(): Promise<void> {
  // for a process that ends because nothing is left to wait for, though the command was not done
  process.exitCode = FAILED;
  // stderr may be closed while stdout is not (`2>&-`, a logger that died): talk is lost, data is not
  process.stderr.on('error', () => {});
  process.on('uncaughtException', (error) => process.exit(statusOf(error)));
  watchSignals();
  const stdout = openStdout();
  stdout.on('error', () => {});
  let status: number;
  try {
    status = await run(process.argv.slice(2), stdout);
    // for what a command wrote without waiting
    await createDataWriter(stdout).flush();
  } catch (error) {
    status = statusOf(error);
  }
  process.exit(status);
}

void main();
