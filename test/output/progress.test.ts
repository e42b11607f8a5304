/** Progress talks on terminals only, stays on one line, and can be silenced. */
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { createStatusLine, startProgress } from '../../src/output/progress.js';
import { displayWidth } from '../../src/output/text.js';

function terminal({ isTty = true, quiet = false, columns = 80 } = {}) {
  const stderr = Object.assign(new PassThrough(), { isTTY: isTty, columns });
  return {
    talk: { stderr, stderrIsTty: isTty, quiet, columns },
    said: (): string => (stderr.read() as Buffer | null)?.toString('utf8') ?? '',
  };
}

describe('startProgress', () => {
  test('draws a bar with percentage and note, and takes it away', async () => {
    const { talk, said } = terminal();
    const progress = await startProgress(talk, 'import', 200);
    progress.update(50, 'a\u001b[2J.gz');
    progress.stop();
    const text = said();
    expect(text).toContain('import');
    expect(text).not.toContain('\u001b[2J');
    progress.stop();
  });

  test.each([
    ['-q', { quiet: true }],
    ['no terminal', { isTty: false }],
  ])('says nothing with %s', async (_name, world) => {
    const { talk, said } = terminal(world);
    const progress = await startProgress(talk, 'import', 200);
    progress.update(50, 'file');
    progress.stop();
    expect(said()).toBe('');
  });
});

describe('createStatusLine', () => {
  test('renews one line, never wider than the terminal less one', () => {
    const { talk, said } = terminal({ columns: 40 });
    const status = createStatusLine(talk);
    status.show('5,000 msg/s  1.2 MB  0 gaps  lag 3 ms  and a lot more that does not fit');
    const [, text] = said().split('\r\u001b[K');
    expect(displayWidth(text)).toBe(39);
    expect(text).toMatch(/^5,000 msg\/s .*…$/);
    status.show('short');
    expect(said()).toBe('\r\u001b[Kshort');
    status.clear();
    expect(said()).toBe('\r\u001b[K');
    status.clear();
    expect(said()).toBe('');
  });

  test('notes stay above the line', () => {
    const { talk, said } = terminal();
    const status = createStatusLine(talk);
    status.note('first\u0007');
    expect(said()).toBe('first\\x07\n');
    status.show('now');
    said();
    status.note('gap');
    expect(said()).toBe('\r\u001b[Kgap\nnow');
  });

  test('without a terminal only notes are printed, with -q nothing', () => {
    const plain = terminal({ isTty: false });
    const status = createStatusLine(plain.talk);
    status.show('now');
    status.note('gap');
    status.clear();
    expect(plain.said()).toBe('gap\n');
    const quiet = terminal({ quiet: true });
    const silent = createStatusLine(quiet.talk);
    silent.show('now');
    silent.note('gap');
    silent.clear();
    expect(quiet.said()).toBe('');
  });
});
