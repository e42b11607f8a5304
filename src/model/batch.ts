/** A batch of whole lines: what flows between sources and sinks. */

/**
 * Whole lines (each ends with `\n`) in `bytes[from, to)`: the lines of one decompressed frame, one read of a pipe
 * or one socket tick. The bytes are valid until the next batch is asked for: copy what must live longer.
 */
export interface LineBatch {
  bytes: Buffer;
  from: number;
  to: number;
  /** name for messages: a path, or `-` */
  file: string;
  /** zero-based frame of the segment; -1 where the input has no frames */
  frame: number;
  /** one-based number, in the decompressed text, of the first line */
  line: number;
}

/** Bytes lost between two batches; consumers treat it as a gap of reason `damage`. */
export interface Damage {
  damage: {
    /** the last three are of files that could not be opened */
    code: 'E_TRUNCATED' | 'E_FRAME_CORRUPT' | 'E_LINE' | 'E_PERMISSION' | 'E_NOT_FOUND' | 'E_IO';
    file: string;
    frame: number;
    line: number;
    bytes: number;
    message: string;
  };
}

/** Flow between layers: batches of lines, with damage reported in its place. */
export type LineFlow = AsyncIterable<LineBatch | Damage>;

/** Where text is put together: a consumer that reads faster from memory of its own hands such rooms out. */
export interface TextRooms {
  /** a buffer of at least so many bytes */
  take(bytes: number): Buffer;
  /** it is not used any more */
  give(room: Buffer): void;
}

/** Rooms of ordinary memory. */
export const plainRooms: TextRooms = {
  take: (bytes) => Buffer.allocUnsafeSlow(bytes),
  give: () => {},
};
