/** When a connection that is to end may: once another one has shown that it brings the same, and both did for a while. */
import { type Backoff, backoffMs } from './backoff.js';
import type { Connection } from './connection.js';

/** After it was asked for everything, a new connection has so long to answer: only then must it bring what the old one brings. */
const ANSWER_MS = 500;
/** From then on both are kept for so long: latencies differ by far less. */
const OVERLAP_MS = 1_000;
/** From then on it has so long to bring all of it. */
const PROOF_MS = 15_000;
const RETRY: Backoff = { firstMs: 2_000, mostMs: 60_000 };

/** `wait`; `ready`: the old one may end; `unfit`: the new one does not bring what the old one does. */
export type Fitness = 'wait' | 'ready' | 'unfit';

/** What is known of a replacement since it was begun. */
export interface Replacement {
  /** data of the topic came by the old connection */
  wants(topic: string, atMs: number): void;
  /** data of the topic came by the new one */
  shows(topic: string, atMs: number): void;
  /** the new one lost its socket: what was compared counts no more */
  lost(): void;
  /** judges the new connection at monotonic `nowMs`; a topic that is silent on the old one is not waited for */
  fitness(nowMs: number): Fitness;
}

/** Watches `fresh` take over. */
export function createReplacement(fresh: Pick<Connection, 'state' | 'askedMs'>): Replacement {
  const wanted = new Set<string>();
  const shown = new Set<string>();
  /** since when both must bring the same; NaN before that can be known */
  const bothFrom = (): number => fresh.askedMs + ANSWER_MS;
  return {
    wants(topic, atMs) {
      if (atMs >= bothFrom()) wanted.add(topic);
    },
    shows(topic, atMs) {
      // what a subscription begins with, such as a snapshot, does not show that more follows
      if (atMs >= bothFrom()) shown.add(topic);
    },
    lost() {
      wanted.clear();
      shown.clear();
    },
    fitness(nowMs) {
      const bothMs = nowMs - bothFrom();
      if (fresh.state !== 'open' || !(bothMs >= OVERLAP_MS)) return 'wait';
      for (const topic of wanted) if (!shown.has(topic)) return bothMs >= PROOF_MS ? 'unfit' : 'wait';
      return 'ready';
    },
  };
}

/** How long to wait after `failures` replacements in a row that were unfit, ms. */
export const replacementRetryMs = (failures: number, random: () => number): number =>
  backoffMs(failures - 1, RETRY, random);
