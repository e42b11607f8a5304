/** Which topics a tape has: found by looking into its beginning, and by what its recorders asked for. */
import type { Damage } from '../model/batch.js';
import { SHARED_SYMBOL, type TapeHeader } from '../model/entry.js';
import type { Segment } from '../tape/segment.js';
import type { TimeRange } from '../tape/source.js';
import { readSegments } from '../tape/source.js';
import type { Venue } from '../venues/venue.js';
import { createRecordedMarket } from './recorded-market.js';
import { meetTopic, type RecordedTopics } from './recorded-topics.js';

/**
 * Text of each src that is looked into: headers name what recorders asked for, and what is learnt from messages is which of
 * their topics are books; imports name nothing. Topics that come later are learnt when they come.
 */
const LOOK_BYTES = { recorded: 512 << 10, imported: 4 << 20 };

/** Looks into the beginning of each src of one venue; `damaged` hears of what cannot be read there. */
export async function findTopics(
  venue: Venue,
  groups: readonly (readonly Segment[])[],
  range: TimeRange,
  damaged: (damage: Damage['damage']) => void,
): Promise<{ topics: RecordedTopics; headers: TapeHeader[] }> {
  const markets = groups.filter(([first]) => first.header().tape.symbol !== SHARED_SYMBOL);
  const headers = markets.map(([first]) => first.header().tape);
  const topics: RecordedTopics = new Map();
  const market = createRecordedMarket(venue, topics, headers);
  for (const [n, group] of markets.entries()) {
    let left = headers[n].imported === undefined ? LOOK_BYTES.recorded : LOOK_BYTES.imported;
    for await (const item of readSegments(group, range)) {
      if ('damage' in item) {
        damaged(item.damage);
        market.damaged();
        continue;
      }
      for (const _ of market.play(item));
      left -= item.to - item.from;
      if (left <= 0) break;
    }
  }
  for (const segment of markets.flat()) {
    const header = segment.header().tape;
    for (const name of askedFor(venue, header)) meetTopic(topics, name, header.symbol);
  }
  return { topics, headers };
}

/** Rare messages may come late; what an import calls its channels is not what somebody subscribed to. */
function askedFor(venue: Venue, { symbol, channels, imported }: TapeHeader): string[] {
  if (imported !== undefined) return [];
  const known = channels.filter((channel) => venue.channels.all.includes(channel));
  return venue.connections([symbol], known).flatMap((plan) => plan.topics.map(({ name }) => name));
}
