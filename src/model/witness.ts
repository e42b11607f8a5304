/** Another channel that shows the trades of the flow in its own words: while it speaks, the flow cannot be silent. */

/** A few may come before the flow's first, which takes another way; from this many on it is missing. */
export const WITNESSED = 10;

/** What a venue says of it: the channel that is the flow, and the one that shows the same trades. */
export interface Witness {
  flow: string;
  witness?: string;
}

/** The channel among those recorded that tells whether `flow` is missing; null where there is none. */
export function witnessOf(
  { channels }: { channels: Witness },
  flow: string,
  recorded: readonly string[],
): string | null {
  const { witness } = channels;
  return witness !== undefined && flow === channels.flow && recorded.includes(witness) ? witness : null;
}
