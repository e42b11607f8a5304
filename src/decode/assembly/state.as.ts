/** What the forms need to know beside the bytes: the envelope in force, and how many levels stand in their room. */
import { tableOf } from './numbers';

export let levelCount: u32 = 0;
export let priceDecimals: u32 = 0;
export let sizeDecimals: u32 = 0;
/** of prices that are averages */
export let fineDecimals: u32 = 0;
export let priceTable: u32 = 0;
export let sizeTable: u32 = 0;
/** bit per layout: its trades are not the flow */
export let notFlow: u32 = 0;

/** records that the message is decoded to, and where the room for records ends */
export let rows: u32 = 1;
export let recordsEnd: u32 = 0;

let symbolAt: u32 = 0;
let symbolBytes: u32 = 0;
/** the first eight bytes of the symbol, and which of them count; the last eight of a longer one */
let symbolHead: u64 = 0;
let symbolMask: u64 = 0;
let symbolLast: u64 = 0;

export function setLevels(count: u32): void {
  levelCount = count;
}

/** A message begins: one record, until it has more. */
export function setRows(): void {
  rows = 1;
}

export function addRow(): void {
  rows++;
}

export function setRecordsEnd(end: u32): void {
  recordsEnd = end;
}

/** Takes over an envelope; its layout is written by `envelopes.ts`. */
export function setEnvelope(envelope: u32): void {
  notFlow = load<u32>(envelope, 24);
  priceDecimals = load<u32>(envelope, 28);
  sizeDecimals = load<u32>(envelope, 32);
  priceTable = tableOf(priceDecimals);
  sizeTable = tableOf(sizeDecimals);
  symbolBytes = load<u32>(envelope, 36);
  fineDecimals = load<u32>(envelope, 40);
  symbolAt = envelope + load<u32>(envelope, 8);
  symbolMask = symbolBytes >= 8 ? u64.MAX_VALUE : ((<u64>1 << (symbolBytes << 3)) - 1);
  symbolHead = load<u64>(symbolAt) & symbolMask;
  if (symbolBytes > 8) symbolLast = load<u64>(symbolAt + symbolBytes - 8);
}

/** @returns the address behind the symbol at `p`, or 0 */
@inline
export function matchSymbol(p: u32): u32 {
  if ((load<u64>(p) & symbolMask) !== symbolHead) return 0;
  if (symbolBytes <= 8) return p + symbolBytes;
  if (load<u64>(p + symbolBytes - 8) !== symbolLast) return 0;
  return symbolBytes <= 16 || matchMiddle(p) ? p + symbolBytes : 0;
}

function matchMiddle(p: u32): bool {
  let i: u32 = 8;
  while (i < symbolBytes - 8 && load<u8>(p + i) === load<u8>(symbolAt + i)) i++;
  return i >= symbolBytes - 8;
}

/** Bit per byte from `p` on that ends a plain ASCII text: a quote, or what stands in none. */
@inline
function endsAt(p: u32): i32 {
  const bytes = v128.load(p);
  const special = v128.or(i8x16.eq(bytes, i8x16.splat(0x22)), i8x16.eq(bytes, i8x16.splat(0x5c)));
  // signed, so that bytes outside ASCII are below a space as well
  const others = v128.or(i8x16.lt_s(bytes, i8x16.splat(0x20)), i8x16.eq(bytes, i8x16.splat(0x7f)));
  return i8x16.bitmask(v128.or(special, others));
}

/** @returns the address of the quote that closes the plain ASCII text at `p`, or 0 */
export function skipText(p: u32): u32 {
  let ends = endsAt(p);
  while (ends === 0) {
    p += 16;
    ends = endsAt(p);
  }
  p += ctz(ends);
  return load<u8>(p) === 0x22 ? p : 0;
}
