// Latency: from the time a message came in to its signal line on stdout, at 5,000 messages a second; and pauses for memory.
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import { quantile, run } from './measure.mjs';
import { instrumentOf, makeSpread, nameOf } from './spread.mjs';

const RATE = 5000;
const SECONDS = 20;
/** A detector speaks at most every second or so of one symbol: many symbols give enough signals to judge. */
const SYMBOLS = 25;
const BOUNDS = { p50: 0.3, p99: 2, pause: 5 };
/** All detectors run; one is made to speak whenever the aggressors change sides. */
const EASY = ['basis=groups', 'groups=1', 'on=0.01', 'off=0', 'hold=0s', 'quantile=0'];
const SCAN = [
  'scan',
  '-',
  '--format',
  'json',
  '--warmup',
  '1s',
  ...EASY.flatMap((one) => ['--set', `tape-imbalance.${one}`]),
];
const WARMUP_SECONDS = 3;

/** Microseconds since the epoch on a clock that threads share; `base` is found where Date.now() ticks, so it is exact. */
function createClock() {
  const mono = () => Number(process.hrtime.bigint() / 1000n);
  const before = Date.now();
  let now = before;
  while (now === before) now = Date.now();
  const base = now * 1000 - mono();
  return { base, now: () => mono() + base };
}

/** µs since the epoch of a signal's time. */
const microsOf = (time) => Date.parse(`${time.slice(0, 19)}Z`) * 1000 + Number(time.slice(20, 26));

/** Takes lines of `node --trace-gc tapedeck scan`: signals with the time they came, and pauses in between. */
function listen(stdout, clock) {
  const seen = [];
  const pauses = [];
  let rest = '';
  stdout.setEncoding('utf8');
  stdout.on('data', (chunk) => {
    const now = clock.now();
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith('{')) seen.push({ now, line });
      else pauses.push(Number(/ MB, ([\d.]+) \/ /.exec(line)?.[1] ?? 0));
    }
  });
  return { seen, pauses };
}

/** Latencies in ms of the signals that an entry made true, the start-up left out. @param ahead µs that entries are stamped early */
function latencies(seen, ahead = 0) {
  const signals = seen.map(({ now, line }) => ({ now, signal: JSON.parse(line) }));
  // what ends with the hour or the input has a time that no entry has
  const caused = signals.filter(({ signal }) => !['hour', 'eof'].includes(signal.reason));
  const times = caused.map(({ now, signal }) => ({
    t: microsOf(signal.time),
    late: now - ahead - microsOf(signal.time),
  }));
  const first = times[0]?.t ?? 0;
  return times.filter(({ t }) => t >= first + WARMUP_SECONDS * 1e6).map(({ late }) => late / 1000);
}

/** The session's messages over the symbols with new receive times, written into `scan -` at the moments they bear. */
async function driven({ session, tape, symbol, bin, folder }) {
  const text = join(folder, 'live.ndjson');
  const fifo = join(folder, 'live.fifo');
  const instrument = await instrumentOf(tape);
  const spread = { lines: session, folder, name: 'live', symbols: SYMBOLS, symbol, instrument, repeats: 1 };
  const { path } = await makeSpread(spread);
  await run(`node ${bin} replay ${path} --speed max | head -${RATE * SECONDS} > ${text} || true`, { cores: null });
  execFileSync('mkfifo', [fifo]);
  const clock = createClock();
  const command = ['-c', `exec node --trace-gc "$@" < ${fifo}`, 'bash', bin, ...SCAN];
  const scan = spawn('bash', command, { stdio: ['ignore', 'pipe', 'inherit'] });
  const heard = listen(scan.stdout, clock);
  const workerData = { text, fifo, rate: RATE, base: clock.base };
  const writer = new Worker(new URL('live-writer.mjs', import.meta.url), { workerData });
  const written = new Promise((resolve, reject) => {
    writer.on('message', resolve);
    writer.on('error', reject);
  });
  const ended = new Promise((resolve) => scan.on('close', resolve));
  const { seconds, count } = await written;
  if ((await ended) !== 0) throw new Error('the live scan failed');
  return { late: latencies(heard.seen), pauses: heard.pauses, rate: count / seconds };
}

/** The whole way for real: simulated exchange, loopback, recorder, scan. */
async function overLoopback({ bin, folder }) {
  const names = Array.from({ length: SYMBOLS }, (_, n) => nameOf(n)).join(',');
  const simWords = ['sim', 'binance-usdm', '--symbols', names, '--rate', String(RATE), '-q'];
  const sim = spawn(process.execPath, [bin, ...simWords], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [ws, http] = await firstLine(sim.stdout);
    const out = join(folder, 'live-tape');
    const record = `node ${bin} record binance-usdm:${names} --stdout -o ${out} --duration ${SECONDS}s -q --endpoint ${ws} --rest-endpoint ${http}`;
    const clock = createClock();
    const command = ['-c', `${record} | node --trace-gc "$@"`, 'bash', bin, ...SCAN];
    const scan = spawn('bash', command, { stdio: ['ignore', 'pipe', 'inherit'] });
    const heard = listen(scan.stdout, clock);
    if ((await new Promise((resolve) => scan.on('close', resolve))) !== 0) throw new Error('record | scan failed');
    const entries = `zstd -dc $(find ${out} -name '*USDT*.zst')`;
    const messages = Number((await run(`${entries} | grep -c '"msg":'`)).stdout);
    const drifts = (await run(`${entries} | grep -o '"clock":{.*'`)).stdout.trim().split('\n');
    // The recorder's clock starts at a whole millisecond and so runs up to one behind; its own clock entries tell how much.
    const behind = Math.max(...drifts.map((text) => JSON.parse(text.slice(8, -1)).wall));
    return { late: latencies(heard.seen, behind), pauses: heard.pauses, rate: messages / SECONDS };
  } finally {
    sim.kill('SIGTERM');
    await new Promise((resolve) =>
      sim.exitCode === null && sim.signalCode === null ? sim.on('close', resolve) : resolve(),
    );
  }
}

async function firstLine(stdout) {
  for await (const line of createInterface({ input: stdout })) return line.split(' ');
  throw new Error('the simulated exchange did not say where it is');
}

export async function measureLive({ session, tape, symbol, bin, folder, say }) {
  say('live latency:');
  const notes = [];
  const faults = [];
  const tell = (what, { late, pauses, rate }, held) => {
    if (late.length < 100) throw new Error(`${what}: ${late.length} signals are too few to measure`);
    const [p50, p99, most] = [0.5, 0.99, 1].map((q) => quantile(late, q));
    const pause = Math.max(0, ...pauses);
    notes.push(
      `${what}: p50 ${p50.toFixed(3)} ms, p99 ${p99.toFixed(3)} ms, longest ${most.toFixed(1)} ms over ${late.length} signal lines at ${rate.toFixed(0)} messages/s; longest pause for memory ${pause.toFixed(1)} ms.`,
    );
    for (const [key, value] of Object.entries({ p50, p99, pause }))
      if (held && !(value < BOUNDS[key]))
        faults.push({ speed: true, text: `${what}: ${key} is ${value.toFixed(3)} ms, under ${BOUNDS[key]}` });
  };
  tell('Message in to signal line out', await driven({ session, tape, symbol, bin, folder }), true);
  tell(
    'The same from a simulated exchange over loopback through `record --stdout`',
    await overLoopback({ bin, folder }),
    false,
  );
  return { notes, faults };
}
