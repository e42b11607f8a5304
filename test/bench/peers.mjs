// What others do with the same messages in one core: each peer's own code, on a slice of the tape because they are slow.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './measure.mjs';
import { checkPeer, checkSame, checksumsOf, sumsOf } from './work.mjs';

const FOLDER = new URL('peers', import.meta.url).pathname;
const BASELINE = new URL('json-baseline.mjs', import.meta.url).pathname;

/** Installs the peers from their lock file into the bench's own folder, once. */
export async function installPeers(say, missing) {
  const installed = join(FOLDER, 'node_modules/.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(FOLDER, 'package-lock.json')).mtimeMs)
    return true;
  say('installing the peers');
  try {
    await run(`cd ${FOLDER} && npm ci --ignore-scripts --no-audit --no-fund > /dev/null 2>&1`, { cores: null });
    return true;
  } catch {
    missing('tardis-dev, ccxt and orderbooks are not measured: npm ci in test/bench/peers failed (offline?).');
    return false;
  }
}

/** @param slice a tape of some 100 MB; @param tape the one that is scanned */
export async function peersGroup({ slice, tape, tapedeck, folder, installed, has }) {
  const text = `zstd -dc ${slice.files}`;
  const cases = [
    { name: 'zstd -dc', command: `zstd -dc ${tape.files} > /dev/null`, tape },
    { name: 'core scan', command: `${tapedeck} scan ${tape.path} --detect none --checksum --format json`, tape },
  ];
  if (installed) {
    const cache = join(folder, 'tardis');
    const filled = await run(`${text} | node ${FOLDER}/tardis-slices.mjs ${cache}`, { cores: null });
    const { from, to, symbol } = JSON.parse(filled.stdout);
    cases.push(
      { name: 'tardis-dev', command: `node ${FOLDER}/tardis.mjs ${cache} ${from} ${to} ${symbol}`, tape: slice },
      { name: 'ccxt', command: `${text} | node ${FOLDER}/ccxt.mjs`, tape: slice },
      { name: 'orderbooks', command: `${text} | node ${FOLDER}/orderbooks.mjs`, tape: slice },
    );
  }
  cases.push({ name: 'JSON.parse and sorted arrays', command: `${text} | node ${BASELINE}`, tape: slice });
  if (has.jq) {
    const count = `awk '{ n[$1]++ } END { printf "%d %d %d\\n", n["depthUpdate"], n["trade"], n["bookTicker"] }'`;
    cases.push({ name: 'jq, no book', command: `${text} | jq -r '.msg.data.e // empty' | ${count}`, tape: slice });
  }
  return {
    title: 'peers',
    cores: 'one core',
    cases,
    claims: [
      { of: 'core scan', against: 'tardis-dev', must: 25, goal: 30 },
      { of: 'core scan', against: 'ccxt' },
      { of: 'core scan', against: 'orderbooks' },
      { of: 'core scan', against: 'JSON.parse and sorted arrays', must: 3 },
      { of: 'core scan', against: 'jq, no book' },
    ],
    async check(results) {
      // the chain: our scan and the plain reader agree to the bit, the plain reader's float sums with the peers' to rounding
      const plain = results['JSON.parse and sorted arrays'].stdout;
      const own = await run(`${tapedeck} scan ${slice.path} --detect none --checksum --format json`);
      checkSame('core scan', own.stdout, 'JSON.parse', plain);
      const [{ depth, trades, levels, touches }] = checksumsOf(plain);
      const known = { ...sumsOf(plain), depth, levels, touches };
      const notes = [`Peers of the scan read ${(slice.bytes / 1e6).toFixed(0)} MB, because they are slow.`];
      for (const name of ['tardis-dev', 'ccxt', 'orderbooks']) {
        if (results[name] === undefined) continue;
        const off = checkPeer(
          name,
          sumsOf(results[name].stdout),
          known,
          name === 'orderbooks' ? ['topBid', 'topAsk'] : [],
        );
        if (off.length > 0)
          notes.push(`${name} keeps 250 levels and loses some that matter later: its sums are off, ${off.join(', ')}.`);
      }
      const jq = results['jq, no book']?.stdout.trim();
      if (jq !== undefined && jq !== `${depth} ${trades} ${touches}`) throw new Error(`unequal work: jq counted ${jq}`);
      return notes;
    },
  };
}
