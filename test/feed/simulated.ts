/** The venues that can be simulated, as tests of all of them need them. */

/** Two symbols of each, the topic of the first one's book, and whether it begins with a snapshot of its own. */
export const SIMULATED: Record<string, { symbols: [string, string]; book: string; opens: boolean }> = {
  'binance-usdm': { symbols: ['BTCUSDT', 'ETHUSDT'], book: 'btcusdt@depth@100ms', opens: false },
  'binance-coinm': { symbols: ['BTCUSD_PERP', 'ETHUSD_PERP'], book: 'btcusd_perp@depth@100ms', opens: false },
  'binance-spot': { symbols: ['BTCUSDT', 'ETHUSDT'], book: 'btcusdt@depth@100ms', opens: false },
  'bybit-linear': { symbols: ['BTCUSDT', 'ETHUSDT'], book: 'orderbook.200.BTCUSDT', opens: true },
  'bybit-inverse': { symbols: ['BTCUSD', 'ETHUSD'], book: 'orderbook.200.BTCUSD', opens: true },
  'bybit-spot': { symbols: ['BTCUSDT', 'ETHUSDT'], book: 'orderbook.200.BTCUSDT', opens: true },
  'bingx-swap': { symbols: ['BTC-USDT', 'ETH-USDT'], book: 'BTC-USDT@incrDepth', opens: true },
  'weex-futures': { symbols: ['BTCUSDT', 'ETHUSDT'], book: 'BTCUSDT@depth200', opens: true },
  'mexc-futures': { symbols: ['BTC_USDT', 'BTC_USD'], book: 'push.depth:BTC_USDT', opens: false },
  'okx-swap': { symbols: ['BTC-USDT-SWAP', 'BTC-USD-SWAP'], book: 'books:BTC-USDT-SWAP', opens: true },
  'okx-spot': { symbols: ['BTC-USDT', 'ETH-USDT'], book: 'books:BTC-USDT', opens: true },
};
