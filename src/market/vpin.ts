/** VPIN: how one-sided trading is within buckets of equal volume. */
import type { FlowWindow } from './flow.js';

/**
 * Σ|bought − sold| of each bucket over all that was traded, 0 to 1. The window's volume is divided into `buckets` equal buckets from its oldest
 * trade on, and a trade that crosses a boundary is split. So all buckets are full, none goes back further than the window, and the value
 * does not depend on where reading began; a bucket's size is that of its own window, as a share of a day's volume is in the usual definition.
 * NaN where nothing was traded. Call `expire` before.
 */
export function vpin(flow: FlowWindow, buckets: number): number {
  // volumes times `buckets`, so that a bucket's size is an integer: the window's volume
  const room = flow.buy + flow.sell;
  let filled = 0;
  let delta = 0;
  let sum = 0;
  flow.walk((signed) => {
    const sign = Math.sign(signed);
    for (let left = Math.abs(signed) * buckets; left > 0; ) {
      const part = Math.min(left, room - filled);
      left -= part;
      filled += part;
      delta += sign * part;
      if (filled < room) continue;
      sum += Math.abs(delta);
      filled = 0;
      delta = 0;
    }
  });
  return room > 0 ? sum / (buckets * room) : Number.NaN;
}
