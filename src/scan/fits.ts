/** Fits for a scan: reading what `tapedeck fit` printed, and choosing what a market can use of it. */
import { TOUCH_BUCKETS, TOUCH_SPREADS } from '../market/microprice.js';
import type { HeaderEntry, Micros, Source } from '../model/entry.js';
import { TapedeckError } from '../model/errors.js';
import type { Fit, MicropriceTable, OfiWeights } from '../model/fit.js';
import { formatTime } from '../model/time.js';

const KEYS = ['src', 'from', 'to', 'tick', 'microprice', 'ofi'];

/**
 * Reads lines of `tapedeck fit`, of any markets and times.
 * @throws {TapedeckError} E_CONFIG with the line that is none
 */
export function readFits(text: string, file: string): Fit[] {
  return text.split('\n').flatMap((line, n) => {
    if (line.trim() === '') return [];
    const refuse = (why: string): never => {
      throw new TapedeckError('E_CONFIG', `while reading the fit: ${why}`, { file, line: n + 1 });
    };
    let fit: unknown;
    try {
      fit = JSON.parse(line);
    } catch {
      return refuse('not JSON; tapedeck fit prints one object a line');
    }
    if (!isObject(fit) || KEYS.some((key) => !Object.hasOwn(fit, key)))
      return refuse(`no object with ${KEYS.join(', ')}`);
    const { src, from, to, tick, microprice, ofi } = fit;
    if (typeof src !== 'string' || typeof tick !== 'string') return refuse('src or tick is no text');
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || !((from as Micros) <= (to as Micros)))
      return refuse('from and to are no times in microseconds, one after the other');
    if (microprice !== null && !isTable(microprice)) return refuse('microprice is neither a table nor null');
    if (ofi !== null && !isWeights(ofi)) return refuse('ofi is neither a list of weights nor null');
    return [{ src, from: from as Micros, to: to as Micros, tick, microprice, ofi }];
  });
}

function isTable(value: unknown): value is MicropriceTable {
  if (!isObject(value)) return false;
  const { ticks, observations } = value;
  const isNumber = (one: unknown): boolean => typeof one === 'number';
  return isTableOf(ticks, (one) => one === null || isNumber(one)) && isTableOf(observations, isNumber);
}

function isTableOf(rows: unknown, isCell: (cell: unknown) => boolean): boolean {
  const isRow = (row: unknown): boolean => Array.isArray(row) && row.length === TOUCH_BUCKETS && row.every(isCell);
  return Array.isArray(rows) && rows.length === TOUCH_SPREADS && rows.every(isRow);
}

function isWeights(value: unknown): value is OfiWeights {
  if (!isObject(value)) return false;
  const { window_ms, windows, explained, weights } = value;
  const isList = Array.isArray(weights) && weights.length > 0 && weights.every((one) => typeof one === 'number');
  return isList && [window_ms, windows, explained].every((one) => typeof one === 'number');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export interface ChosenFits {
  /** of the market, in order of their ends */
  fits: readonly Fit[];
  /** what cannot be used, in sentences for people */
  notes: readonly string[];
}

/**
 * What a tape's market can use: fits of its own name, and microprices in its own tick.
 * @param from nothing before is printed @param ofiWindow window of the ofi detector; null where it does not run
 */
export function chooseFits(
  all: readonly Fit[],
  header: HeaderEntry,
  from: Micros,
  ofiWindow: Micros | null,
): ChosenFits {
  if (all.length === 0) return { fits: [], notes: [] };
  const src: Source = header.src;
  const own = all.filter((fit) => fit.src === src).sort((a, b) => a.to - b.to);
  if (own.length === 0) return { fits: [], notes: [`${src}: --fit has nothing of it`] };
  const notes: string[] = [];
  const { tick } = header.tape.instrument;
  const strange = own.find((fit) => fit.microprice !== null && Number(fit.tick) !== Number(tick));
  if (strange !== undefined)
    notes.push(`${src}: its tick is ${tick}, that of a fit ${strange.tick}: that microprice is left out`);
  if (own[0].to >= Math.max(from, header.t))
    notes.push(`${src}: the fit was learnt until ${formatTime(own[0].to)}: it is used from then on`);
  const windows = own.flatMap(({ ofi }) => (ofi === null ? [] : [ofi.window_ms]));
  if (ofiWindow !== null && windows.length > 0 && !windows.includes(ofiWindow / 1000))
    notes.push(
      `${src}: the fit's weights are of ${windows[0] / 1000} s, ofi.window is ${ofiWindow / 1e6} s: integrated_ofi is left out`,
    );
  const usable = own.map((fit) => (Number(fit.tick) === Number(tick) ? fit : { ...fit, microprice: null }));
  return { fits: usable, notes };
}
