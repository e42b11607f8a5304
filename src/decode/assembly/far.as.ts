/** Far levels of a book: the hash table of `market/far-levels.ts` on the same arrays. */

/** in a table's state, behind the levels held: slots less one, or negative where they are elsewhere */
const MASK_AT: u32 = 4;

/** Slot of the price, or of the free slot where it belongs: an address in `prices`. */
@inline
function slotOf(prices: u32, mask: u32, price: f64): u32 {
  let at = ((<u32>(<i64>price) * 0x9e3779b1) >> 9) & mask;
  let there = load<f64>(prices + (at << 3));
  // a free slot holds NaN, which is no price
  while (there !== price && there === there) {
    at = (at + 1) & mask;
    there = load<f64>(prices + (at << 3));
  }
  return prices + (at << 3);
}

/** @returns the size before; -1, with nothing done, where the table has to grow or its slots are elsewhere */
export function setFar(prices: u32, sizes: u32, state: u32, price: f64, size: f64): f64 {
  const mask = load<i32>(state, MASK_AT);
  if (mask < 0) return -1;
  const slot = slotOf(prices, mask, price);
  const place = slot - prices + sizes;
  const isKnown = load<f64>(slot) === price;
  if (size > 0) {
    const before = isKnown ? load<f64>(place) : 0;
    if (!isKnown) {
      const held = load<i32>(state) + 1;
      if (held * 2 > mask) return -1;
      store<i32>(state, held);
      store<f64>(slot, price);
    }
    store<f64>(place, size);
    return before;
  }
  if (!isKnown) return 0;
  const before = load<f64>(place);
  remove(prices, sizes, state, mask, (slot - prices) >> 3);
  return before;
}

/** Moves back what stands behind a removed level, so that no search stops too early. */
function remove(prices: u32, sizes: u32, state: u32, mask: u32, at: u32): void {
  store<f64>(prices + (at << 3), NaN);
  store<i32>(state, load<i32>(state) - 1);
  let next = (at + 1) & mask;
  let price = load<f64>(prices + (next << 3));
  while (price === price) {
    const size = load<f64>(sizes + (next << 3));
    store<f64>(prices + (next << 3), NaN);
    const slot = slotOf(prices, mask, price);
    store<f64>(slot, price);
    store<f64>(slot - prices + sizes, size);
    next = (next + 1) & mask;
    price = load<f64>(prices + (next << 3));
  }
}
