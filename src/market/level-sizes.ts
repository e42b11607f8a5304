/** How large displayed levels usually are: every level within some bps of the mid, sampled every few seconds, as a baseline. */
import type { Micros } from '../model/entry.js';
import { MICROS_PER_SECOND } from '../model/time.js';
import { ASK, BID } from './book.js';
import type { Market } from './market.js';
import { priceBeyond } from './price-beyond.js';
import type { GridStatistic } from './statistic.js';

/** A level changes far less often than a second has messages, and there may be hundreds of them. */
const SAMPLE_EVERY: Micros = 5 * MICROS_PER_SECOND;

/** Sizes join the baseline `delay` after they were displayed, so that no event meets itself. Empty prices are no levels. */
export function levelSizes(market: Market, bps: number, delay: Micros): GridStatistic {
  return market.statistic(`level size ${bps} ${delay}`, 'book', delay, (t, sample) => {
    if (t % SAMPLE_EVERY !== 0) return;
    const { bid, ask, track } = market;
    const { book, state } = track;
    if (state !== 'valid' || !(bid < ask)) return;
    const mid = (bid + ask) / 2;
    const [low, high] = [priceBeyond(BID, mid, bps), priceBeyond(ASK, mid, bps)];
    for (let price = bid; price >= low; price -= book.tick) sampleLevel(book.sizeAt(BID, price), sample);
    for (let price = ask; price <= high; price += book.tick) sampleLevel(book.sizeAt(ASK, price), sample);
  });
}

function sampleLevel(size: number, sample: (value: number) => void): void {
  if (size > 0) sample(size);
}
