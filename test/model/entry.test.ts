/** Names of sources and of entry kinds, and the words of an error. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENTRY_KEYS, parseSource } from '../../src/model/entry.js';
import { describeError, fromSystemError, TapedeckError } from '../../src/model/errors.js';

describe('parseSource', () => {
  it('splits at the first colon', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z-]{1,20}$/), fc.string(), (venue, symbol) => {
        expect(parseSource(`${venue}:${symbol}`)).toEqual({ venue, symbol });
      }),
    );
  });

  it.each(['', 'BTCUSDT', ':BTCUSDT'])('%j names no source', (text) => {
    expect(parseSource(text)).toBeNull();
  });
});

it('entry keys are distinct, and none is part of the envelope', () => {
  expect(new Set([...ENTRY_KEYS, 't', 'src', 'conn']).size).toBe(ENTRY_KEYS.length + 3);
});

describe('errors', () => {
  it('say their code, what was done and where', () => {
    const error = new TapedeckError('E_LINE', 'while reading an entry: not JSON', {
      file: 'a.zst',
      frame: 0,
      line: 12,
    });
    expect(describeError(error)).toBe('E_LINE: while reading an entry: not JSON (file a.zst, frame 0, line 12)');
    expect(describeError(new TapedeckError('E_USAGE', 'no'))).toBe('E_USAGE: no');
  });

  it.each([
    ['ENOENT', 'E_NOT_FOUND'],
    ['EACCES', 'E_PERMISSION'],
    ['ENOSPC', 'E_DISK_FULL'],
    ['EIO', 'E_IO'],
  ])('a system error %s is %s, and keeps its cause', (code, wanted) => {
    const cause = Object.assign(new Error('system'), { code });
    const error = fromSystemError(cause, 'opening a tape', { file: 'x' });
    expect([error.code, error.cause, error.place.file]).toEqual([wanted, cause, 'x']);
    expect(error.message).toContain('while opening a tape');
    expect(fromSystemError(error, 'other')).toBe(error);
  });
});
