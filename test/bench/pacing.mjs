// How punctual `replay --speed 1` is: when each line reached a pipe, against when it was due.
import { spawn } from 'node:child_process';

/**
 * Replays the first `seconds` of the tape in real time and times every line's arrival here.
 * @returns {Promise<{tapeSeconds: number, tookSeconds: number, p50: number, p99: number}>} lateness in ms
 */
export function measurePacing(tapedeck, tape, seconds) {
  const [file, ...words] = `${tapedeck} replay ${tape} --speed 1 --to +${seconds}s`.split(' ');
  const child = spawn(file, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const arrivals = [];
  let rest = '';
  child.stdout.setEncoding('latin1');
  child.stdout.on('data', (chunk) => {
    const now = performance.now();
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    for (const line of lines) arrivals.push([Number(line.slice(5, 21)) / 1000, now]);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      if (status !== 0) return reject(new Error(`replay ended with ${status}`));
      const [firstDue, firstCame] = arrivals[0];
      const [lastDue, lastCame] = arrivals.at(-1);
      const late = arrivals.map(([due, came]) => came - firstCame - (due - firstDue)).sort((a, b) => a - b);
      const at = (share) => late[Math.floor(share * (late.length - 1))];
      resolve({
        tapeSeconds: (lastDue - firstDue) / 1000,
        tookSeconds: (lastCame - firstCame) / 1000,
        p50: at(0.5),
        p99: at(0.99),
      });
    });
  });
}
