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
    name: 'view',
    describe: 'Show trades, book or footprint of a tape or a live stream',
    load: () => import('./commands/view.js'),
  },
  {
    name: 'fit',
    describe: 'Learn from a tape for scans of later ones: microprice, weights of levels',
    load: () => import('./commands/fit.js'),
  },
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
    name: 'repair',
    describe: 'Seal segments that a killed recorder left, and rewrite nothing else',
    load: () => import('./commands/repair.js'),
  },
  {
    name: 'merge',
    describe: 'Make one tape of several recorders, and say what each of them missed',
    load: () => import('./commands/merge.js'),
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
