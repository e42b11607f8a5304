/** Colour and width follow the terminal, the environment and the option. */
import { expect, test } from 'vitest';
import { createPaint } from '../../src/output/colour.js';
import { columnsOf, wantsColour } from '../../src/output/terminal.js';

test.each([
  ['a terminal', { isTty: true, env: {}, refused: false }, true],
  ['no terminal', { isTty: false, env: {}, refused: false }, false],
  ['--no-color', { isTty: true, env: {}, refused: true }, false],
  ['NO_COLOR=1', { isTty: true, env: { NO_COLOR: '1' }, refused: false }, false],
  ['NO_COLOR empty', { isTty: true, env: { NO_COLOR: '' }, refused: false }, true],
  ['TERM=dumb', { isTty: true, env: { TERM: 'dumb' }, refused: false }, false],
])('colour with %s', (_name, surroundings, wanted) => expect(wantsColour(surroundings)).toBe(wanted));

test('columns are 80 where unknown or absurd', () => {
  expect(columnsOf({})).toBe(80);
  expect(columnsOf({ columns: 0 })).toBe(80);
  expect(columnsOf({ columns: 120 })).toBe(120);
});

test('paint colours only when colours are wanted', () => {
  expect(createPaint(false).bad('x')).toBe('x');
  expect(createPaint(true).bad('x')).toBe('\u001b[31mx\u001b[39m');
  expect(createPaint(true).buy('x')).not.toBe(createPaint(true).sell('x'));
});
