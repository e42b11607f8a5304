/** Findings are listed in order; many of one kind are counted. */
import { expect, test } from 'vitest';
import { describeProblem, Problems } from '../../src/audit/problems.js';

test('the first hundred of a kind are listed, the rest are one line', () => {
  const problems = new Problems();
  for (let n = 0; n < 250; n++) problems.add('GAP', `gap ${n}`, { line: n + 1 });
  problems.add('ORDER', 'time');
  const list = problems.list();
  expect(list).toHaveLength(102);
  expect(list[99]).toEqual({ code: 'GAP', message: 'gap 99', line: 100 });
  expect(list[100]).toEqual({ code: 'ORDER', message: 'time' });
  expect(list[101]).toEqual({ code: 'GAP', message: '150 more of this kind' });
});

test('a finding reads like an error: code, words, place', () => {
  expect(describeProblem({ code: 'GAP', message: 'm', file: 'f', frame: 0, line: 3 })).toBe(
    'GAP: m (file f, frame 0, line 3)',
  );
  expect(describeProblem({ code: 'GAP', message: 'm', file: '-', frame: -1, line: 3 })).toBe('GAP: m (file -, line 3)');
  expect(describeProblem({ code: 'SEAL', message: 'm' })).toBe('SEAL: m');
});
