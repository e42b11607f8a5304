/** How much of the files of a flow was read, in bytes as they lie on the disk: what progress and shares of work go by. */
import type { Damage, LineBatch, LineFlow } from '../model/batch.js';

export interface MeteredFile {
  path: string;
  /** size of the file */
  bytes: number;
}

/** Passes a flow on and reports bytes read since the last report, at least `every` at a time. */
export async function* metered(
  flow: LineFlow,
  files: readonly MeteredFile[],
  every: number,
  report: (bytes: number) => void,
): LineFlow {
  const sizes = new Map(files.map(({ path, bytes }) => [path, bytes]));
  let file = '';
  /** up to where the present file was counted; NaN: not yet met */
  let counted = Number.NaN;
  let unsaid = 0;
  for await (const item of flow) {
    const offset = 'damage' in item ? null : offsetOf(item);
    if (offset !== null && 'file' in item) {
      if (item.file !== file) {
        if (!Number.isNaN(counted)) unsaid += Math.max(0, (sizes.get(file) ?? 0) - counted);
        file = item.file;
        counted = file === '-' || item.frame < 0 ? 0 : offset;
      }
      // plain text has no frames: its lines are what lies on the disk
      const reached = item.frame < 0 ? counted + item.to - item.from : offset;
      unsaid += Math.max(0, reached - counted);
      counted = Math.max(counted, reached);
      if (unsaid >= every) {
        report(unsaid);
        unsaid = 0;
      }
    }
    yield item;
  }
}

/** Where the frame of a batch lies; null for lines that stand in no file, such as a header said again. */
function offsetOf(batch: LineBatch | (LineBatch & { offset?: unknown }) | Damage): number | null {
  return 'offset' in batch && typeof batch.offset === 'number' ? batch.offset : null;
}
