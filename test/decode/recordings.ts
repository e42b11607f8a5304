/** The recordings beside the repository as tape lines, for tests; absent on a user's machine. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Binding } from '../../src/decode/decoder.js';
import { type Instrument, scaleOf } from '../../src/model/instrument.js';
import { venueById } from '../../src/venues/registry.js';
import type { Venue } from '../../src/venues/venue.js';

const folder = join(import.meta.dirname, '../../../shared/data');

export interface Session {
  name: string;
  venue: string;
  instrument: Instrument;
  files: string[];
  /** digits of the recording's receive times beyond microseconds */
  spareDigits: number;
}

export const usdm: Session = {
  name: 'USD-M',
  venue: 'binance-usdm',
  instrument: { symbol: 'BTCUSDT', kind: 'linear', tick: '0.10', lot: '0.001', multiplier: '1' },
  files: ['binance-usdm_btcusdt_20230404.dat.gz', 'binance-usdm_btcusdt_20230405.dat.gz'],
  spareDigits: 0,
};

export const coinm: Session = {
  name: 'COIN-M',
  venue: 'binance-coinm',
  instrument: { symbol: 'ETHUSD_PERP', kind: 'inverse', tick: '0.01', lot: '1', multiplier: '10' },
  files: ['binance-coinm_ethusd_perp_20240808.gz', 'binance-coinm_ethusd_perp_20240809.gz'],
  spareDigits: 3,
};

export const spot: Session = {
  name: 'spot',
  venue: 'binance-spot',
  instrument: { symbol: 'BTCUSDT', kind: 'spot', tick: '0.01000000', lot: '0.00001000', multiplier: '1' },
  files: ['binance-spot_btcusdt_20230405.dat.gz'],
  spareDigits: 0,
};

/** Recordings are not part of the package: where they are missing, tests that need them are skipped and say so. */
export const missing = !existsSync(join(folder, usdm.files[0]));
export const unless = missing ? ' (skipped: ../shared/data is absent)' : '';

export function readShared(file: string): Buffer {
  const bytes = readFileSync(join(folder, file));
  return file.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}

export function sourceOf(session: Session): string {
  return `${session.venue}:${session.instrument.symbol}`;
}

export function bindingOf(session: Session, flow = 'trade'): Binding {
  const venue: Venue = venueById(session.venue);
  const { symbol } = session.instrument;
  return { layouts: venue.layouts, symbol, scale: scaleOf(session.instrument), flow };
}

export interface Recorded {
  /** tape lines: messages as `msg`, the bare REST snapshot as `http` */
  text: Buffer;
  /** offset in `text` of the first line of each file */
  starts: number[];
}

/** Reads the files of a session as one run of tape lines with strictly rising times. */
export function recorded(session: Session): Recorded {
  const head = Buffer.from(`,"src":"${sourceOf(session)}","conn":"rec.1","msg":`);
  const parts: Buffer[] = [];
  const starts: number[] = [];
  let size = 0;
  let last = 0;
  const add = (part: Buffer): void => {
    parts.push(part);
    size += part.length;
  };
  for (const file of session.files) {
    starts.push(size);
    const bytes = readShared(file);
    for (let p = 0; p < bytes.length; ) {
      let end = bytes.indexOf(0x0a, p);
      if (end < 0) end = bytes.length;
      const blank = bytes.indexOf(0x20, p);
      const time = bytes.toString('latin1', p, blank - session.spareDigits);
      last = Math.max(Number(time), last + 1);
      const message = bytes.subarray(blank + 1, end);
      if (message.subarray(0, 10).equals(Buffer.from('{"stream":'))) {
        add(Buffer.from(`{"t":${last}`));
        add(head);
        add(message);
        add(Buffer.from('}\n'));
      } else {
        add(
          Buffer.from(`{"t":${last},"src":"${sourceOf(session)}","http":{"url":"","status":200,"sent":${last},"body":`),
        );
        add(message);
        add(Buffer.from('}}\n'));
      }
      p = end + 1;
    }
  }
  return { text: Buffer.concat(parts), starts };
}
