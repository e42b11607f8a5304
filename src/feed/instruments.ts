/** Checking symbols against the venue before anything is recorded: an unknown one is an error that names it. */

import { TapedeckError } from '../model/errors.js';
import type { Instrument } from '../model/instrument.js';
import { editDistance } from '../model/nearest.js';
import type { RestFault, Venue } from '../venues/venue.js';
import { backoffMs } from './backoff.js';
import type { RestAnswer, RestGet } from './rest.js';
import { faultIn } from './rest-fault.js';

export interface LookupOptions {
  get: RestGet;
  /** full address of a path on the venue's REST host */
  url: (path: string) => string;
  /** resolves after `ms`; the wait between attempts */
  wait: (ms: number) => Promise<void>;
  random: () => number;
}

const ATTEMPTS = 4;
const BACKOFF = { firstMs: 1_000, mostMs: 8_000 };
/** Far beyond what any venue lists. */
const MOST_LISTS = 50;
/** A longer pause than this is the user's to make. */
const LONGEST_WAIT_MS = 15_000;

/**
 * Reads what the venue says of the symbols, in their order.
 * @throws {TapedeckError} E_SYMBOL naming the first unknown symbol and what comes close; E_CONNECT when the venue does not answer, or
 * only with a failure
 */
export async function lookUpInstruments(
  venue: Venue,
  symbols: readonly string[],
  options: LookupOptions,
): Promise<Instrument[]> {
  const bodies: unknown[] = [];
  const isMissing = (symbol: string): boolean => instrumentIn(bodies, venue, symbol) === null;
  const paths = venue.rest.instruments([...symbols]);
  for (const path of paths) {
    const { answer, fault } = await getPatiently(venue, options.url(path), options);
    if (answer.status === 200 && fault === null) {
      const body = parse(answer);
      bodies.push(body);
      const next = venue.rest.nextInstruments?.(path, body) ?? null;
      // a list may be long, and one that comes round again has no end
      if (next !== null && !paths.includes(next) && paths.length < MOST_LISTS && symbols.some(isMissing))
        paths.push(next);
      continue;
    }
    const isAboutSymbols = fault === null ? answer.status === 400 || answer.status === 404 : fault.kind === 'symbol';
    if (!isAboutSymbols) throw refused(answer, fault);
    // some venues refuse the whole list for one wrong symbol, without naming it
    if (symbols.length > 1) return lookUpEach(venue, symbols, options);
    return refuse(venue, symbols[0], [], fault?.text ?? excerpt(answer));
  }
  return symbols.map((symbol) => instrumentIn(bodies, venue, symbol) ?? refuse(venue, symbol, bodies));
}

async function lookUpEach(venue: Venue, symbols: readonly string[], options: LookupOptions): Promise<Instrument[]> {
  const found: Instrument[] = [];
  for (const symbol of symbols) found.push(...(await lookUpInstruments(venue, [symbol], options)));
  return found;
}

/** What the first body that knows the symbol says of it. */
function instrumentIn(bodies: readonly unknown[], { rest }: Venue, symbol: string): Instrument | null {
  for (const body of bodies) {
    const found = rest.readInstrument(body, symbol);
    if (found !== null) return found;
  }
  return null;
}

interface Told {
  answer: RestAnswer;
  /** that a body of status 200 tells of */
  fault: RestFault | null;
}

/** One GET, repeated a few times where trying again may help. */
async function getPatiently(venue: Venue, url: string, { get, wait, random }: LookupOptions): Promise<Told> {
  for (let attempt = 0; ; attempt++) {
    let pause = 0;
    try {
      const answer = await get(url);
      const fault = faultIn(venue, answer);
      const isPassing =
        answer.status >= 500 || answer.status === 429 || fault?.kind === 'busy' || fault?.kind === 'tooMany';
      pause = answer.retryAfterMs ?? 0;
      if (!isPassing || attempt + 1 >= ATTEMPTS || pause > LONGEST_WAIT_MS) return { answer, fault };
    } catch (error) {
      if (attempt + 1 >= ATTEMPTS) throw error;
    }
    await wait(Math.max(pause, backoffMs(attempt, BACKOFF, random)));
  }
}

function parse(answer: RestAnswer): unknown {
  try {
    return JSON.parse(answer.body.toString('utf8'));
  } catch (error) {
    throw new TapedeckError('E_CONNECT', `while reading ${answer.url}: the answer is not JSON`, {}, error);
  }
}

function excerpt(answer: RestAnswer): string {
  return answer.body.toString('utf8', 0, 120).replace(/\s+/g, ' ').trim();
}

function refused(answer: RestAnswer, fault: RestFault | null): TapedeckError {
  if (fault !== null)
    return new TapedeckError('E_CONNECT', `while getting ${answer.url}: the venue says ${fault.text}`);
  const text = excerpt(answer);
  return new TapedeckError(
    'E_CONNECT',
    `while getting ${answer.url}: HTTP status ${answer.status}${text === '' ? '' : `: ${text}`}`,
  );
}

function refuse(venue: Venue, symbol: string, bodies: readonly unknown[], said = ''): never {
  const near = nearSymbols(symbol, bodies, (candidate) => instrumentIn(bodies, venue, candidate) !== null);
  const upper = symbol.toUpperCase();
  if (near.length === 0 && bodies.length === 0 && upper !== symbol) near.push(upper);
  const hint = near.length > 0 ? `; did you mean ${near.join(' or ')}?` : '';
  throw new TapedeckError('E_SYMBOL', `${venue.id} has no symbol '${symbol}'${hint}${said === '' ? '' : ` (${said})`}`);
}

const bare = (symbol: string): string => symbol.toUpperCase().replace(/[^A-Z0-9]/g, '');

/** Up to three symbols named anywhere in the answers that are nearest to what was typed, where any is near. */
function nearSymbols(symbol: string, bodies: readonly unknown[], listed: (candidate: string) => boolean): string[] {
  const wanted = bare(symbol);
  const near = new Map<string, number>();
  const visit = (value: unknown, depth: number): void => {
    if (typeof value === 'string') {
      const distance = value.length <= 40 ? editDistance(wanted, bare(value)) : Number.POSITIVE_INFINITY;
      if (distance <= (wanted.length <= 4 ? 1 : 2)) near.set(value, distance);
    } else if (depth < 4 && typeof value === 'object' && value !== null) {
      for (const child of Object.values(value)) visit(child, depth + 1);
    }
  };
  for (const body of bodies) visit(body, 0);
  const nearest = Math.min(...near.values());
  return [...near.keys()].filter((candidate) => near.get(candidate) === nearest && listed(candidate)).slice(0, 3);
}
