/** Which detectors run on which src, and with what options: presets, settings for all, and those of single symbols. */
import { parseSource, type Source } from '../model/entry.js';
import { TapedeckError } from '../model/errors.js';
import { presetSettings } from '../signals/presets.js';
import { type Chosen, chooseDetectors, type Setting } from '../signals/registry.js';
import { venueById } from '../venues/registry.js';

export interface DetectorTable {
  /** those of a src */
  of(src: Source): readonly Chosen[];
  /** every list there is, whichever srcs come */
  readonly lists: readonly (readonly Chosen[])[];
}

/** What differs for some symbols. */
export interface SymbolSettings {
  /** instead of the detectors of the others; `['none']` for none */
  detect?: readonly string[] | undefined;
  /** applied after the settings of the others */
  set?: readonly Setting[] | undefined;
}

/** What a person gave; undefined where nothing was given. */
export interface GivenDetectors extends SymbolSettings {
  preset?: string | undefined;
  /** by src, or by `VENUE:*` for every symbol of a venue; where both are given, that of the src is applied last */
  symbols?: Readonly<Record<Source, SymbolSettings>> | undefined;
}

/**
 * Completes and checks what was given. Each layer goes over the one before it: defaults, preset, all symbols, a venue's
 * symbols, one symbol.
 * @throws {TapedeckError} E_CONFIG, E_VENUE
 */
export function detectorTable({ preset = 'default', symbols = {}, ...forAll }: GivenDetectors): DetectorTable {
  const settings = presetSettings(preset);
  const choose = (...layers: SymbolSettings[]): readonly Chosen[] => {
    const named = layers.findLast(({ detect }) => detect !== undefined)?.detect;
    return chooseDetectors(detectorNames(named), [...settings, ...layers.flatMap(({ set = [] }) => set)]);
  };
  const usual = choose(forAll);
  const own = new Map<Source, readonly Chosen[]>();
  for (const [src, layer] of Object.entries(symbols))
    try {
      checkPattern(src);
      const wide = everySymbolOf(src);
      const ofVenue = wide !== src && Object.hasOwn(symbols, wide) ? [symbols[wide]] : [];
      own.set(src, choose(forAll, ...ofVenue, layer));
    } catch (error) {
      if (error instanceof TapedeckError) throw new TapedeckError(error.code, `symbols.${src}: ${error.message}`);
      throw error;
    }
  return {
    of: (src) => own.get(src) ?? own.get(everySymbolOf(src)) ?? usual,
    lists: [usual, ...own.values()],
  };
}

/** `binance-usdm:*` for one of its srcs. */
function everySymbolOf(src: Source): Source {
  return `${src.slice(0, src.indexOf(':'))}:*`;
}

/** @throws {TapedeckError} E_CONFIG, E_VENUE */
function checkPattern(src: Source): void {
  const parts = parseSource(src);
  if (parts === null || parts.symbol === '')
    throw new TapedeckError('E_CONFIG', 'not VENUE:SYMBOL, nor VENUE:* for all symbols of a venue');
  venueById(parts.venue);
}

/** Null for all. @throws {TapedeckError} E_CONFIG */
function detectorNames(names: readonly string[] | undefined): readonly string[] | null {
  if (names === undefined) return null;
  if (!names.includes('none')) return names;
  if (names.length > 1) throw new TapedeckError('E_CONFIG', "detect: 'none' stands alone");
  return [];
}
