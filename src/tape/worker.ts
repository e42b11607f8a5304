/** The thread that writes a recorder's tapes: see tape-desk.ts. */
import { parentPort } from 'node:worker_threads';
import type { Order } from './orders.js';
import { createTapeDesk } from './tape-desk.js';

const desk = createTapeDesk({ report: (report) => parentPort?.postMessage(report) });
parentPort?.on('message', (orders: Order[]) => desk.take(orders));
