/** The program's commands by name, loaded only when one is asked for: `--help` must not pay for a scanner. */
import type { Command } from './commands/command.js';

export interface ProgramEntry {
  name: string;
  /** the module's own `describe`, repeated so that the list can be shown unloaded; a test compares them */
  describe: string;
  load(): Promise<{ default: Command }>;
}

export const programName = 'tapedeck';
export const programTitle = 'Record, replay and scan crypto order flow';

/** In the order a newcomer meets them. */
export const program: readonly ProgramEntry[] = [
  {
    name: 'record',
    describe: 'Record live order flow to tapes, every loss marked',
    load: () => import('./commands/record.js'),
  },
  { name: 'replay', describe: 'Print a tape again at any speed', load: () => import('./commands/replay.js') },
  { name: 'scan', describe: 'Print the signals in a tape or a live stream', load: () => import('./commands/scan.js') },
  {
    name: 'verify',
    describe: 'Re-read tapes and say what they prove: damage, gaps, checkpoints, best quotes',
    load: () => import('./commands/verify.js'),
  },
  {
    name: 'info',
    describe: 'Say what tapes hold: markets, times, sizes, instruments',
    load: () => import('./commands/info.js'),
  },
  {
    name: 'import',
    describe: "Turn other tools' archives into tapes, byte for byte",
    load: () => import('./commands/import.js'),
  },
  { name: 'sim', describe: 'Serve a simulated exchange on loopback', load: () => import('./commands/sim.js') },
  {
    name: 'venues',
    describe: 'List the venues and what their public data can prove',
    load: () => import('./commands/venues.js'),
  },
  {
    name: 'completion',
    describe: 'Print a completion script for bash, zsh or fish',
    load: () => import('./commands/completion.js'),
  },
];

/** Every command, loaded. */
export async function loadCommands(): Promise<readonly Command[]> {
  const modules = await Promise.all(program.map((entry) => entry.load()));
  return modules.map((module) => module.default);
}

/** The word of `words` nearest to a mistyped one, or null when none is near. */
export function nearest(word: string, words: readonly string[]): string | null {
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of words) {
    const distance =
      candidate.startsWith(word) && word.length >= 2
        ? Math.min(1, editDistance(word, candidate))
        : editDistance(word, candidate);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        next[j] = Math.min(next[j], before[j - 2] + 1);
    }
    before = row;
    row = next;
  }
  return row[b.length];
}
