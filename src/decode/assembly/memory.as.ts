/** Where things stand in the scanner's memory; `memory.ts` beside this folder tells the other side, and a test compares them. */

/** sets of four slots: envelopes of the same hash stand side by side, the newest first */
export const SET_BITS: u32 = 10;
export const SET_SLOTS: u32 = 4;
export const SLOTS: u32 = 0x10000;
export const ENVELOPES: u32 = SLOTS + (SET_SLOTS << SET_BITS) * 4;
/** 256 records of 128 bytes */
export const EVENTS: u32 = 0x110000;
export const LEVELS: u32 = 0x120000;
/** level pairs of 16 bytes */
export const LEVEL_ROOM: u32 = 0x10000;
/** shuffle indices for numbers: 17 tables of as many rows for the dot, with sixteen for the end in each */
export const TABLES: u32 = 0x220000;
export const CONSTANTS: u32 = 0x240000;
/** records, levels, reason and messages of the last scan: four i32, which cost less to read than globals */
export const RESULTS: u32 = 0x240100;
/** of the last run of touches: time and newest push time, two f64, and its word, a u32 */
export const RUN: u32 = 0x240120;
/** pairs that a book has to look at, as many as there may be levels */
export const TOLD: u32 = 0x300000;
/** lengths that numbers had last time, a u32 a place: of every number of every form */
export const GUESSES: u32 = 0x240200;
