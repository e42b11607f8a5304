/** The public API: what programs may import from `tapedeck`, listed by name. */
export {
  type Problem,
  type ProblemCode,
  type SourceReport,
  type StreamReport,
  type VerifyOptions,
  verifyTapes,
} from './audit/verify.js';
export {
  type Binding,
  createDecoder,
  type DecodeCounts,
  type DecodeMode,
  type Decoder,
  type Origin,
} from './decode/decoder.js';
export type { Layouts } from './decode/layout.js';
export { ASK, BID, Book, type BookSide, type LevelListener } from './market/book.js';
export { createTrack, Effect, type Track, type TrackCounts, type TrackOptions } from './market/track.js';
export type { Damage, LineBatch, LineFlow } from './model/batch.js';
export type {
  BookState,
  Checkpoint,
  Entry,
  Gap,
  GapReason,
  HeaderEntry,
  HttpExchange,
  Micros,
  Source,
  TapeHeader,
} from './model/entry.js';
export { parseSource, TAPE_VERSION } from './model/entry.js';
export type { ErrorCode, ErrorPlace } from './model/errors.js';
export { describeError, TapedeckError } from './model/errors.js';
export {
  Derivative,
  EVENT_STRIDE,
  EventBuffer,
  Field,
  Kind,
  MORE,
  NOT_FLOW,
  OFF_BOOK,
  RATE_DECIMALS,
} from './model/event.js';
export type { Fit, MicropriceTable, OfiWeights } from './model/fit.js';
export { fineDecimals, type Instrument, type InstrumentKind, type Scale, scaleOf } from './model/instrument.js';
export type { Confirm, Context, EndReason, Evidence, Phase, Plan, Quality, Side, Signal } from './model/signal.js';
export { formatTime, parseTimeSpec, type TimeSpec } from './model/time.js';
export type { Sums } from './scan/checksum.js';
export { type GivenFilter, type SignalFilter, signalFilter } from './scan/filter.js';
export { readFits } from './scan/fits.js';
export type { Printed } from './scan/pipeline.js';
export { type ScanOptions, scan } from './scan/scan.js';
export { type GivenSettings, type ScanSettings, scanSettings } from './scan/settings.js';
export type { Detector } from './signals/detector.js';
export { detectors, parseSetting, type Setting } from './signals/registry.js';
export type { Scenario } from './sim/scenarios/scenario.js';
export { scenarios } from './sim/scenarios/scenarios.js';
export { type SeenNumbers, type Telling, type Told, tell } from './sim/scenarios/tell.js';
export { interleave } from './tape/interleave.js';
export { binaryLine, entryLine, httpLine, messageLine, parseEntry } from './tape/line.js';
export { type PaceOptions, pace } from './tape/pace.js';
export type { TimeRange } from './tape/source.js';
export { openTape, type Tape } from './tape/tape.js';
export {
  createTapeWriter,
  type OpeningLine,
  type TapeWriter,
  type TapeWriterOptions,
  type Written,
} from './tape/writer.js';
export { venueById, venues } from './venues/registry.js';
export type { Capabilities, ConnectionPlan, Venue } from './venues/venue.js';
