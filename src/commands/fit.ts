/** `tapedeck fit`: what an earlier tape teaches, for scans of later ones. */
import { MOST_LEVELS } from '../market/ofi.js';
import { TapedeckError } from '../model/errors.js';
import { formatTime, MICROS_PER_SECOND } from '../model/time.js';
import { describeDamage } from '../output/damage.js';
import { startProgress } from '../output/progress.js';
import { createDataWriter } from '../output/stdio.js';
import { escapeControl } from '../output/text.js';
import { Remarks } from '../scan/remarks.js';
import { fitMarkets } from '../study/fit.js';
import { metered } from '../tape/meter.js';
import { Stop } from '../tape/stop.js';
import { openTape } from '../tape/tape.js';
import {
  defineCommand,
  duration,
  fromOption,
  noteTerminal,
  noteTo,
  tapesPositional,
  toOption,
  wholeNumber,
} from './command.js';

const MOST_WINDOW = 600 * MICROS_PER_SECOND;
/** Compressed bytes between two looks at the progress bar. */
const PROGRESS_BYTES = 64 * 1024;

export default defineCommand({
  name: 'fit',
  describe: 'Learn from a tape for scans of later ones: microprice, weights of levels',
  positionals: { tape: tapesPositional },
  options: {
    from: fromOption,
    to: toOption,
    window: {
      value: 'DURATION',
      describe: 'window of order flow imbalance, as ofi.window: whole seconds, 10m at most',
      parse: ofiWindow,
      default: '10s',
    },
    levels: {
      value: 'N',
      describe: `levels of each side that are weighted, 2 to ${MOST_LEVELS}`,
      parse: wholeNumber(2, MOST_LEVELS),
      default: '10',
    },
  },
  examples: [
    ['tapedeck fit tapes/monday/ > monday.fit', 'one line a market'],
    ['tapedeck scan tapes/tuesday/ --fit monday.fit', 'what was learnt on Monday, on Tuesday'],
    [
      'cat fits/*.fit > all.fit && tapedeck scan archive/ --fit all.fit --jobs auto',
      'each day with the newest fit before it',
    ],
    ["tapedeck fit tapes/ | jq '{src, weights: .ofi.weights}'", 'how the levels of each book go together'],
  ],
  details: `
Two measures need a past longer than any window a scan may keep, so they are learnt beforehand, and a scan uses them from the end of
that past on, never within it.

Microprice (Stoikov 2018): the mid plus what the touch lets expect of it. The states are ten classes of the share of the bid in both best sizes, at
spreads of one, two and three ticks; the tape tells how often each led to which other, and how far the mid moved. The figure is where
the mid goes on average until the state is forgotten. Every change counts with its mirror image, so a market that rose while it was watched does
not make the next look like rising. Spreads beyond three ticks, and states left fewer than a hundred times, have none (null). It is a model: it
takes what follows to depend on the state alone. Of two recordings of ten minutes it said 17 ticks for the most one-sided states, and in the five
seconds that followed them the mid went 12 on average in one and 21 in the other.

Weights of levels: order flow imbalance of each of the best levels (see ofi in tapedeck-signals(5)), each over its own mean depth, in windows that share no
time; of at least sixty such windows the first principal component, scaled so that the amounts of its weights add up to one. "explained" is
its share of the variance of all levels.

Both read the book at the end of each of its messages, as detectors do, also where the tape has the venue's own best quotes. Both are
descriptions of one tape. How well they hold for the next is not known before it is there.

Output. One JSON object a line for each market, and another where its instrument or its channels changed: src, from and to (what it was learnt from
lies between, in microseconds), tick,
microprice (null, or ticks: three lists, by spread, of ten figures in ticks, most offered first; observations: how many changes each rests on, mirror
images counted) and ofi (null, or window_ms, windows, weights, best level first, and explained). Why something is null is said on stderr.

Interrupted (Ctrl-C, SIGTERM) before the end of its files, fit prints what was learnt until then, and the exit status is 2.

Exit status: 0, or 1 where the tape is damaged or nothing was learnt.`,
  async handler({ tape: paths, from, to, window, levels }, io) {
    noteTerminal(paths, io);
    let isExplained = false;
    const say = noteTo(io);
    const tape = await openTape(paths, io.stdin, (text) => {
      isExplained = true;
      say(text);
    });
    const range = await tape.range(from, to);
    const bytes = tape.groups.flat().reduce((sum, segment) => sum + segment.bytes, 0);
    const bar = await startProgress(io, 'fit', bytes);
    let read = 0;
    let damaged = 0;
    const stop = new Stop();
    const remarks = new Remarks();
    const flows = tape.flows(range.from === undefined ? {} : { from: range.from });
    const followed = flows.map((flow, n) =>
      metered(flow, tape.groups[n] ?? [], PROGRESS_BYTES, (more) => {
        read += more;
        bar.update(read);
      }),
    );
    try {
      const fits = await fitMarkets(followed, {
        ...{ ...range, window, levels, signal: io.signal },
        ...(tape.piped ? {} : { stopped: stop.at }),
        damage(damage) {
          damaged++;
          isExplained = true;
          bar.say(describeDamage(damage));
        },
        note(text) {
          isExplained = true;
          if (!io.quiet && remarks.isNew(text)) bar.say(escapeControl(text));
        },
      });
      bar.stop();
      for (const text of remarks.rest) say(text);
      if (io.signal.aborted && !io.quiet)
        for (const { src, to: end } of fits)
          io.stderr.write(`${escapeControl(src)}: stopped: learnt until ${formatTime(end)}\n`);
      const out = createDataWriter(io.stdout);
      for (const fit of fits) await out.write(`${JSON.stringify(fit)}\n`);
      await out.flush();
      stop.check('learning');
      if (fits.length === 0 && !isExplained) say('nothing is learnt: no market is there');
      return damaged > 0 || fits.length === 0 ? 1 : 0;
    } finally {
      bar.stop();
    }
  },
});

/** @throws {TapedeckError} E_USAGE */
function ofiWindow(text: string): number {
  const window = duration(text);
  if (window % MICROS_PER_SECOND === 0 && window <= MOST_WINDOW) return window;
  throw new TapedeckError('E_USAGE', `'${text}' is no window of whole seconds up to 10m`);
}
