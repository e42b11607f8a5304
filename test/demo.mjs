/** `npm run demo`: the simulated exchange, a recording of it, and a ten times faster replay into the scanner; loopback only. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';

const SECONDS = 12;
const SHOWN = 8;
const WIDTH = 80;
const SYMBOL = 'BTCUSDT';
const bin = new URL('../bin/tapedeck.js', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'tapedeck-demo-'));
const tapes = join(folder, 'tapes');

/** children still running; only these are ever signalled */
const running = new Set();

function start(words, stdio) {
  const child = spawn(process.execPath, [bin, ...words], { stdio });
  running.add(child);
  child.ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => {
      running.delete(child);
      resolve(signal ?? status);
    });
  });
  return child;
}

/** Stops what still runs, in order, and takes the temporary folder away. */
async function cleanUp() {
  const left = [...running];
  for (const child of left) child.kill('SIGTERM');
  await Promise.allSettled(left.map((child) => child.ended));
  rmSync(folder, { recursive: true, force: true });
}

let leaving = false;

async function leave(status) {
  // the first reason counts: stopping the children makes the demo itself fail
  if (leaving) return;
  leaving = true;
  await cleanUp();
  process.exit(status);
}

/** One long line as a paragraph for a terminal; scan itself prints it in one piece, for grep. */
function fold(line) {
  const lines = [''];
  for (const word of line.split(/ +/)) {
    if (lines.at(-1) !== '' && lines.at(-1).length + 1 + word.length > WIDTH) lines.push('   ');
    lines[lines.length - 1] += `${lines.at(-1) === '' ? '' : ' '}${word}`;
  }
  return lines.join('\n');
}

const say = (text) => process.stdout.write(`${text}\n`);

async function firstLine(child) {
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error(`the simulated exchange ended (${await child.ended}) before it said where it is`);
}

async function done(child, what) {
  const outcome = await child.ended;
  if (outcome !== 0) throw new Error(`${what} ended with ${outcome}`);
}

function* segments(at) {
  for (const entry of readdirSync(at, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) yield { path: relative(folder, path), bytes: statSync(path).size };
  }
}

async function demo() {
  say(`[1/3] tapedeck sim binance-usdm --symbols ${SYMBOL} --seed 1 --rate 2000`);
  say('      a made-up exchange on this machine; nothing goes over the network');
  const sim = start(
    ['sim', 'binance-usdm', '--symbols', SYMBOL, '--seed', '1', '--rate', '2000', '--quiet'],
    ['ignore', 'pipe', 'inherit'],
  );
  const [ws, http] = (await firstLine(sim)).split(' ');
  say(`      ${ws} ${http}\n`);

  say(`[2/3] tapedeck record binance-usdm:${SYMBOL} -o tapes/ --duration ${SECONDS}s`);
  const record = start(
    [
      'record',
      `binance-usdm:${SYMBOL}`,
      '-o',
      tapes,
      '--duration',
      `${SECONDS}s`,
      '--endpoint',
      ws,
      '--rest-endpoint',
      http,
    ],
    ['ignore', 'inherit', 'inherit'],
  );
  await done(record, 'record');
  for (const { path, bytes } of segments(tapes)) say(`      ${path}: ${bytes} bytes`);

  say('\n[3/3] tapedeck replay tapes/ --speed 10 | tapedeck scan - --warmup 3s');
  say('      a minute of data is asked for before signals speak; 3 s do for a demo');
  const replay = start(['replay', tapes, '--speed', '10'], ['ignore', 'pipe', 'inherit']);
  const scan = start(['scan', '-', '--warmup', '3s'], ['pipe', 'pipe', 'inherit']);
  replay.stdout.pipe(scan.stdin);
  scan.stdin.on('error', () => replay.stdout.destroy());
  let signals = 0;
  for await (const line of createInterface({ input: scan.stdout })) {
    signals++;
    if (signals <= SHOWN) say(`\n${fold(line)}`);
  }
  await Promise.all([done(replay, 'replay'), done(scan, 'scan')]);
  if (signals === 0) throw new Error('the scan printed no signals');

  say(`\n${signals} signals (${Math.min(signals, SHOWN)} shown): time, market, name, phase, side, price, score,`);
  say('and the numbers each rests on. Onset and end of one thing carry the same id.');
  say('  absorption      one side kept hitting the price, and the price did not give way');
  say('  tape-imbalance  trades leaned to one side over some seconds');
  say('  book-imbalance  resting orders leaned to one side');
  say('The market was made up. To record a real one:');
  say('  tapedeck record binance-usdm:BTCUSDT -o tapes/');
}

// a reader that leaves (`npm run demo | head`) ends the demo quietly
process.stdout.on('error', () => leave(0));
process.on('SIGINT', () => leave(130));
process.on('SIGTERM', () => leave(143));
try {
  await demo();
  await leave(0);
} catch (error) {
  if (!leaving) process.stderr.write(`demo: ${error.message}\n`);
  await leave(2);
}
