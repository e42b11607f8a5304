/** The entry of a worker thread: does the runs it is given, and waits where it is too far ahead of the printer. */
import { type MessagePort, parentPort } from 'node:worker_threads';
import { TapedeckError } from '../model/errors.js';
import type { FromWorker, ToWorker } from './messages.js';
import { type RunTask, scanRun } from './run.js';

function serve(port: MessagePort): void {
  let waiting = 0;
  let stopped = false;
  let wake: () => void = () => {};
  const say = (message: FromWorker): void => port.postMessage(message);

  const run = async (task: RunTask): Promise<void> => {
    waiting = 0;
    stopped = false;
    const scan = scanRun(task, {
      damage: (damage) => say({ kind: 'damage', damage }),
      note: (text) => say({ kind: 'note', text }),
      read: (bytes) => say({ kind: 'read', bytes }),
      get stopped() {
        return stopped;
      },
    });
    for (;;) {
      const { value, done } = await scan.next();
      if (done === true) {
        say({ kind: 'end', result: value });
        return;
      }
      const bytes = value.reduce((sum, { line }) => sum + line.length, 0);
      waiting += bytes;
      say({ kind: 'printed', lines: value.map(({ line }) => line).join('\n'), bytes });
      while (waiting > task.mostWaiting && !stopped)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  };

  port.on('message', (message: ToWorker) => {
    switch (message.kind) {
      case 'run':
        run(message.task).catch((error: unknown) => {
          const { code, place } = error instanceof TapedeckError ? error : { code: null, place: {} };
          const text = error instanceof Error ? error.message : String(error);
          const stack = (error instanceof Error ? error.stack : undefined) ?? '';
          say({ kind: 'error', code, message: text, place, stack });
        });
        return;
      case 'taken':
        waiting -= message.bytes;
        wake();
        return;
      case 'stop':
        stopped = true;
        wake();
    }
  });
}

if (parentPort !== null) serve(parentPort);
