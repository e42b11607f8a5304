/** What is said on stderr while a command runs, as text and as JSON: nothing that a terminal would obey. */
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { NoteFacts } from '../../src/model/note.js';
import { createLog, type LogFormat } from '../../src/output/log.js';
import '../seed.js';

const NOW = 1_723_161_255_030_314;

function said(format: LogFormat, text: string, facts?: NoteFacts, quiet = false): string {
  const stderr = new PassThrough();
  createLog({ stderr, stderrIsTty: false, quiet, columns: 80 }, format, () => NOW).note(text, facts);
  return String(stderr.read() ?? '');
}

test('a sentence, and the same as an object with its facts', () => {
  const facts: NoteFacts = { event: 'reconnect', level: 'warn', venue: 'v', conn: 'k.1', data: { code: 1006 } };
  expect(said('text', 'closed', facts)).toBe('closed\n');
  expect(said('json', 'closed', facts)).toBe(
    '{"time":"2024-08-08T23:54:15.030314Z","level":"warn","event":"reconnect","venue":"v","conn":"k.1","message":"closed","code":1006}\n',
  );
  expect(JSON.parse(said('json', 'closed'))).toMatchObject({ level: 'info', event: 'note' });
});

test('what is for programs only is not told to people; -q leaves errors in JSON', () => {
  expect(said('text', 'gap', { event: 'gap', logOnly: true })).toBe('');
  expect(said('json', 'gap', { event: 'gap', logOnly: true })).not.toBe('');
  expect(said('text', 'full', { event: 'full', level: 'error' }, true)).toBe('');
  expect(said('json', 'full', { event: 'full', level: 'error' }, true)).not.toBe('');
  expect(said('json', 'note', { event: 'note', level: 'warn' }, true)).toBe('');
});

test('no text and no fact puts a control character on stderr, and JSON gives each back as it was', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('\u001b', '\u009b', '\u202e', '\r', '\n', '\u007f', '\0', '\ud800', 'a') }),
  );
  fc.assert(
    fc.property(text, text, (message, reason) => {
      const facts: NoteFacts = { event: 'x', symbol: reason, data: { reason } };
      for (const line of [said('text', message, facts), said('json', message, facts)]) {
        expect(line.endsWith('\n')).toBe(true);
        expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
      }
      expect(JSON.parse(said('json', message, facts))).toMatchObject({ message, symbol: reason, reason });
    }),
  );
});
