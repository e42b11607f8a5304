/** Fits for a scan: reading what `tapedeck fit` printed, and choosing what a market can use of it. */
import { isObject } from '../decode/explain.js';
import { TOUCH_BUCKETS, TOUCH_SPREADS } from '../market/microprice.js';
import { MOST_LEVELS } from '../market/ofi.js';
import type { HeaderEntry, Micros, Source } from '../model/entry.js';
import { TapedeckError } from '../model/errors.js';
import type { Fit, MicropriceTable, OfiWeights } from '../model/fit.js';
import { formatTime } from '../model/time.js';
import type { Chosen } from '../signals/registry.js';

const KEYS = ['src', 'from', 'to', 'tick', 'microprice', 'ofi'];

/**
 * Reads lines of `tapedeck fit`, of any markets and times.
 * @param file named in errors
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
  return isTableOf(ticks, (one) => one === null || isNumber(one)) && isTableOf(observations, isNumber);
}

function isTableOf(rows: unknown, isCell: (cell: unknown) => boolean): boolean {
  const isRow = (row: unknown): boolean => Array.isArray(row) && row.length === TOUCH_BUCKETS && row.every(isCell);
  return Array.isArray(rows) && rows.length === TOUCH_SPREADS && rows.every(isRow);
}

function isWeights(value: unknown): value is OfiWeights {
  if (!isObject(value)) return false;
  const { window_ms, windows, explained, weights } = value;
  const isList =
    Array.isArray(weights) && weights.length > 0 && weights.length <= MOST_LEVELS && weights.every(isNumber);
  return isList && [window_ms, windows, explained].every(isNumber);
}

/** JSON has numbers that are read as infinite. */
const isNumber = (one: unknown): boolean => Number.isFinite(one);

export interface ChosenFits {
  /** of the market, in order of their ends */
  fits: readonly Fit[];
  /** what cannot be used, in sentences for people */
  notes: readonly string[];
}

/**
 * What a tape's market can use: fits of its own name, and microprices in its own tick.
 * @param from nothing before is printed @param chosen the detectors that run
 */
export function chooseFits(
  all: readonly Fit[],
  header: HeaderEntry,
  from: Micros,
  chosen: readonly Chosen[],
): ChosenFits {
  if (all.length === 0) return { fits: [], notes: [] };
  const src: Source = header.src;
  const own = all.filter((fit) => fit.src === src).sort((a, b) => a.to - b.to);
  if (own.length === 0) return { fits: [], notes: [`${src}: --fit has nothing of it`] };
  const notes: string[] = [];
  const { tick } = header.tape.instrument;
  const isStrange = ({ tick: other }: Fit): boolean => Number(other) !== Number(tick);
  const fits = own.map((fit) => (isStrange(fit) ? { ...fit, microprice: null } : fit));
  // a market whose tick was changed has fits of both
  const strange = own.find((fit) => fit.microprice !== null);
  if (strange !== undefined && fits.every(({ microprice }) => microprice === null))
    notes.push(`${src}: its tick is ${tick}, that of the fit ${strange.tick}: the microprice is left out`);
  if (own[0].to >= Math.max(from, header.t))
    notes.push(`${src}: the fit was learnt until ${formatTime(own[0].to)}: it is used from then on`);
  const windows = new Set(own.flatMap(({ ofi }) => (ofi === null ? [] : [ofi.window_ms * 1000])));
  for (const { detector, options } of chosen) {
    const window = detector.weighs(options);
    if (window === null || windows.size === 0 || windows.has(window)) continue;
    const there = [...windows].map((one) => `${one / 1e6} s`).join(', ');
    notes.push(
      `${src}: weights of the fit are of ${there}, ${detector.name}.window is ${window / 1e6} s: they are left out`,
    );
  }
  return { fits, notes };
}
