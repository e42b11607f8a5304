/** The thread that compresses frames for a recorder: see compressBeside in frame.ts. */
import { parentPort } from 'node:worker_threads';
import { type CompressRequest, type CompressResult, compressFrame } from './frame.js';

parentPort?.on('message', ({ id, bytes, level }: CompressRequest) => {
  const result: CompressResult = { id, frame: compressFrame(bytes, level) };
  parentPort?.postMessage(result);
});
