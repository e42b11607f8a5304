/**
 * Loaded before a recorder (`node --import`): kills it from within, at one call that changes files, perhaps in the middle of a write;
 * and says in a file of its own how long the event loop stood still, so that a busy machine is not mistaken for a slow recorder.
 */
import fs from 'node:fs';
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';

const { openSync, writeSync } = fs;
/** KILL: `start:N` the Nth call from the start on, `end:N` the Nth after SIGINT, or empty; KILL_PART: how much of a write is done */
const [when = '', count = '0'] = (process.env.KILL ?? '').split(':');
const part = Number(process.env.KILL_PART ?? 0);
const status = process.env.KILL_STATUS;
// the recorder changes files in two threads, which count together
const shared = isMainThread ? new SharedArrayBuffer(8) : getEnvironmentData('tapedeck-kill');
const counts = new Int32Array(shared);
const LEFT = 0;
const COUNTING = 1;
if (isMainThread) {
  setEnvironmentData('tapedeck-kill', shared);
  counts[LEFT] = Number(count);
  counts[COUNTING] = when === 'start' ? 1 : 0;
  process.on('SIGINT', () => {
    if (when === 'end') Atomics.store(counts, COUNTING, 1);
  });
}

const BEAT_MS = 10;
/** stalls of so many beats are remembered */
const REMEMBERED = 50;
let statusFd = -1;
let beatAt = performance.now();
const stalls = [];
function beat() {
  const now = performance.now();
  stalls.push(now - beatAt);
  if (stalls.length > REMEMBERED) stalls.shift();
  beatAt = now;
  const text = JSON.stringify({ at: Date.now(), stallMs: Math.ceil(Math.max(...stalls)) });
  writeSync(statusFd, text.padEnd(60), 0);
}

/** Whether this is the call to die at. */
function isLast() {
  return Atomics.load(counts, COUNTING) === 1 && Atomics.sub(counts, LEFT, 1) === 1;
}

function die() {
  if (statusFd >= 0) beat();
  process.kill(process.pid, 'SIGKILL');
  // the signal is on its way: nothing more may happen
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
}

const changes = (name, isChange = () => true, doPart = () => {}) => {
  const original = fs[name];
  fs[name] = (...words) => {
    if (isChange(...words) && isLast()) {
      // also where the call fails, as taking a lock does that the one killed before has left
      try {
        doPart(original, ...words);
      } finally {
        die();
      }
    }
    return original(...words);
  };
};

if (status !== undefined) {
  if (isMainThread) {
    statusFd = openSync(status, 'w');
    setInterval(beat, BEAT_MS).unref();
  }
  changes('openSync', (_path, flags) => typeof flags === 'string' && flags !== 'r');
  changes('writeSync', undefined, (write, fd, bytes, from = 0) => {
    const size = Math.floor((bytes.length - from) * part);
    if (size > 0) write(fd, bytes, from, size);
  });
  changes('writeFileSync', undefined, (write, path, text, options) => {
    write(path, text.slice(0, Math.floor(text.length * part)), options);
  });
  for (const name of ['mkdirSync', 'truncateSync', 'ftruncateSync', 'unlinkSync', 'rmSync', 'fsync', 'fsyncSync'])
    changes(name);
}
