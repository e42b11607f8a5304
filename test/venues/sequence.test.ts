/** Sequence rules: the conformance table of the venue as pure functions, and properties of whole chains. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Continuity, Verdict } from '../../src/model/continuity.js';
import {
  chainedByLink,
  chainedByOne,
  chainedByPrevious,
  chainedByRange,
  chainedBySkips,
  contiguousTrades,
} from '../../src/venues/sequence.js';

/** Verdicts of updates [first, last, previous] after a snapshot. */
function verdicts(rule: Continuity, snapshot: number, updates: [number, number, number?][]): Verdict[] {
  rule.snapshot(snapshot);
  return updates.map(([first, last, previous]) => rule.update(first, last, previous ?? -1));
}

describe('spot: chained by range', () => {
  const rows: [string, number, [number, number][], Verdict[]][] = [
    ['the first update right behind the snapshot', 100, [[101, 105]], ['apply']],
    ['a snapshot older than the stream', 99, [[101, 105]], ['refetch']],
    [
      'updates the snapshot holds already',
      105,
      [
        [101, 105],
        [106, 110],
      ],
      ['stale', 'apply'],
    ],
    [
      'a hole',
      105,
      [
        [106, 110],
        [112, 115],
      ],
      ['apply', 'gap'],
    ],
    [
      'a repeat',
      105,
      [
        [106, 110],
        [105, 110],
      ],
      ['apply', 'stale'],
    ],
    [
      'an overlap',
      105,
      [
        [106, 110],
        [108, 115],
      ],
      ['apply', 'apply'],
    ],
    ['a first update around the snapshot', 105, [[101, 110]], ['apply']],
    [
      'an overlap after an overlap',
      100,
      [
        [95, 103],
        [104, 104],
        [106, 106],
      ],
      ['apply', 'apply', 'gap'],
    ],
  ];
  it.each(rows)('%s', (_, snapshot, updates, wanted) => {
    expect(verdicts(chainedByRange(), snapshot, updates)).toEqual(wanted);
  });

  it('waits without a snapshot, and forgets it on reset', () => {
    const rule = chainedByRange();
    expect(rule.update(1, 2, -1)).toBe('wait');
    expect(verdicts(rule, 2, [[3, 4]])).toEqual(['apply']);
    expect([rule.joined, rule.last]).toEqual([true, 4]);
    rule.reset();
    expect([rule.joined, rule.update(5, 6, -1)]).toEqual([false, 'wait']);
  });
});

describe('futures: chained by previous', () => {
  const rows: [string, number, [number, number, number][], Verdict[]][] = [
    [
      'an old update, then one around the snapshot',
      500,
      [
        [400, 480, 390],
        [481, 520, 480],
      ],
      ['stale', 'apply'],
    ],
    [
      'an update that ends at the snapshot',
      500,
      [
        [450, 500, 440],
        [501, 510, 500],
      ],
      ['apply', 'apply'],
    ],
    [
      'only the previous id counts after that',
      500,
      [
        [450, 500, 440],
        [501, 510, 499],
      ],
      ['apply', 'gap'],
    ],
    ['a first update that names the snapshot as previous', 500, [[530, 560, 500]], ['apply']],
    ['a snapshot older than the stream', 500, [[530, 560, 520]], ['refetch']],
    [
      'ids with holes that chain',
      500,
      [
        [490, 560, 480],
        [600, 640, 560],
      ],
      ['apply', 'apply'],
    ],
    [
      'a lost update',
      500,
      [
        [490, 560, 480],
        [600, 640, 590],
      ],
      ['apply', 'gap'],
    ],
    [
      'a repeat',
      500,
      [
        [490, 560, 480],
        [490, 560, 480],
      ],
      ['apply', 'stale'],
    ],
    ['an update that ends one before the snapshot', 500, [[450, 499, 440]], ['stale']],
  ];
  it.each(rows)('%s', (_, snapshot, updates, wanted) => {
    expect(verdicts(chainedByPrevious(), snapshot, updates)).toEqual(wanted);
  });

  it('waits without a snapshot, and forgets it on reset', () => {
    const rule = chainedByPrevious();
    expect(rule.update(1, 2, 0)).toBe('wait');
    expect(verdicts(rule, 2, [[1, 4, 0]])).toEqual(['apply']);
    rule.reset();
    expect([rule.joined, rule.update(5, 6, 4)]).toEqual([false, 'wait']);
  });
});

describe('chained by skips', () => {
  it('every larger id follows; those that leave others out are counted, whatever comes between', () => {
    const rule = chainedBySkips();
    rule.whole(100);
    const judge = (...ids: number[]): Verdict[] => ids.map((id) => rule.update(-1, id, -1));
    expect(judge(101, 104, 105, 107)).toEqual(['apply', 'apply', 'apply', 'apply']);
    expect(rule.skips).toEqual({ updates: 2, ids: 3 });
    expect(judge(107, 90)).toEqual(['gap', 'gap']);
    rule.reset();
    expect(judge(300)).toEqual(['wait']);
    // a new book's id follows nothing
    rule.whole(5000);
    expect(judge(5001, 5010)).toEqual(['apply', 'apply']);
    expect(rule.skips).toEqual({ updates: 3, ids: 11 });
    expect(rule.state()).toEqual({ last: 5010, joined: true });
  });

  it('nothing is counted where a skip is a gap', () => {
    for (const create of [chainedByPrevious, chainedByRange, chainedByOne, chainedByLink])
      expect(create().skips).toBeUndefined();
  });
});

/** A chain as a venue sends it: engine-wide ids with holes between updates, `previous` naming the one before. */
const chain = fc.array(fc.tuple(fc.nat(20), fc.nat(30)), { minLength: 2, maxLength: 40 }).map((steps) => {
  let last = 1000;
  return steps.map(([hole, length]): [number, number, number] => {
    const first = last + 1 + hole;
    const update: [number, number, number] = [first, first + length, last];
    last = first + length;
    return update;
  });
});

describe.each([
  ['futures', chainedByPrevious, false],
  ['spot', chainedByRange, true],
] as const)('%s: whole chains', (_, create, dense) => {
  const updatesOf = (raw: [number, number, number][]): [number, number, number][] => {
    if (!dense) return raw;
    return raw.map(([, last, previous]) => [previous + 1, last, -1]);
  };

  it('joined anywhere inside, every update after the join applies, whatever came before is stale', () => {
    fc.assert(
      fc.property(chain, fc.nat(), (raw, pick) => {
        const updates = updatesOf(raw);
        const at = pick % updates.length;
        const rule = create();
        // the book as of the end of one update: the venue may answer with any such id
        const got = verdicts(rule, updates[at][1], updates);
        for (let i = 0; i < at; i++) expect(got[i]).toBe('stale');
        for (let i = at + 1; i < got.length; i++) expect(got[i]).toBe('apply');
      }),
    );
  });

  it('a single lost update is always noticed at the next one', () => {
    fc.assert(
      fc.property(chain, fc.nat(), (raw, pick) => {
        const updates = updatesOf(raw);
        const lost = 1 + (pick % (updates.length - 1));
        const rule = create();
        rule.snapshot(updates[0][1] - (dense ? 1 : 0));
        const got = updates.filter((__, i) => i !== lost).map((u) => rule.update(...u));
        expect(got.slice(0, lost)).not.toContain('gap');
        if (lost < updates.length - 1) expect(got[lost]).toBe('gap');
      }),
    );
  });

  it('saved as JSON and restored, it goes on as if never stopped', () => {
    fc.assert(
      fc.property(chain, fc.nat(), fc.nat(), (raw, stop, lost) => {
        const updates = updatesOf(raw).filter((__, i) => i === 0 || i !== lost % raw.length);
        const whole = create();
        whole.snapshot(updates[0][1] - 1);
        let parts = create();
        parts.snapshot(updates[0][1] - 1);
        updates.forEach((update, i) => {
          if (i === stop % updates.length) {
            const state = JSON.parse(JSON.stringify(parts.state())) as Record<string, unknown>;
            parts = create();
            parts.restore(state);
          }
          expect(parts.update(...update)).toBe(whole.update(...update));
          expect([parts.joined, parts.last]).toEqual([whole.joined, whole.last]);
        });
      }),
    );
  });

  it('a broken saved state waits for a snapshot', () => {
    const rule = create();
    rule.restore({ last: 'x', snapshotId: null, joined: 1 });
    expect([rule.joined, rule.update(1, 2, 0)]).toEqual([false, 'wait']);
  });
});

describe('trade ids', () => {
  it('says how many are missing, and what is a repeat', () => {
    const trades = contiguousTrades();
    expect([10, 11, 12, 15, 15, 14, 16].map((id) => trades.next(id))).toEqual([0, 0, 0, 2, -1, -1, 0]);
    const copy = contiguousTrades();
    copy.restore(JSON.parse(JSON.stringify(trades.state())) as Record<string, unknown>);
    expect([copy.next(16), copy.next(18)]).toEqual([-1, 1]);
    trades.reset();
    expect(trades.next(3)).toBe(0);
  });

  it('counts exactly the ids that were left out', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 2, maxLength: 60 }), (kept) => {
        const trades = contiguousTrades();
        const ids = kept.flatMap((keep, id) => (keep ? [id] : []));
        const missing = ids.reduce((sum, id) => sum + trades.next(id), 0);
        expect(missing).toBe(ids.length === 0 ? 0 : ids[ids.length - 1] - ids[0] + 1 - ids.length);
      }),
    );
  });
});
