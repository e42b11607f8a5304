// Worker of live.mjs: writes a tape's lines at a steady rate, each with the time of its writing as its receive time.
import { openSync, readFileSync, writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

const { text: path, fifo, rate, base } = workerData;
/** sleeping wakes up late by about this much; the rest is spun */
const SPIN = 150;

const now = () => Number(process.hrtime.bigint() / 1000n) + base;
const bell = new Int32Array(new SharedArrayBuffer(4));
const text = readFileSync(path);

const file = openSync(fifo, 'w');
const started = now();
let t = 0;
let count = 0;
for (let from = 0; from < text.length; count++) {
  const to = text.indexOf(10, from) + 1;
  const due = started + (count * 1e6) / rate;
  let left = due - now();
  if (left > SPIN) Atomics.wait(bell, 0, 0, (left - SPIN) / 1000);
  while (left > 0) left = due - now();
  t = Math.max(t + 1, now());
  // `t` comes first on every line and always has 16 digits
  text.write(String(t), from + 5, 'latin1');
  writeSync(file, text, from, to - from);
  from = to;
}
// the file is closed with the worker
parentPort.postMessage({ seconds: (now() - started) / 1e6, count });
