// Worker of pacing.mjs: takes lines out of a pipe the moment they are in it, and tells for each how long after its own time that was.
import { constants, openSync, readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

// A reader that sleeps is woken some tenths of a millisecond late: so this one asks again and again, which keeps one core busy.
const pipe = openSync(workerData.fifo, constants.O_RDONLY | constants.O_NONBLOCK);
const buffer = Buffer.alloc(1 << 20);
const arrivals = [];
let held = 0;

/** Bytes added to the buffer; -1 where none are there yet. */
function read() {
  try {
    return readSync(pipe, buffer, held, buffer.length - held, null);
  } catch (error) {
    if (error.code === 'EAGAIN') return -1;
    throw error;
  }
}

parentPort.postMessage('open');
for (let began = false; ; ) {
  const got = read();
  const now = performance.now();
  if (got < 0) continue;
  // before a writer came the pipe is at its end as well
  if (got === 0 && began) break;
  if (got === 0) continue;
  began = true;
  held += got;
  let from = 0;
  for (let to = buffer.indexOf(10, from); to >= 0 && to < held; to = buffer.indexOf(10, from)) {
    // `t` comes first on every line and always has 16 digits
    arrivals.push(now - Number(buffer.latin1Slice(from + 5, from + 21)) / 1000);
    from = to + 1;
  }
  buffer.copyWithin(0, from, held);
  held -= from;
}
parentPort.postMessage(arrivals);
