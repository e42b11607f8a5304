// The core scan as a C++ programmer would write it: simdjson On-Demand, libzstd in process, a price ladder with bitmaps.
// Prints the very lines of `scan --detect none --checksum --format json`, then float sums. Binance USD-M tapes that begin
// with a snapshot. Usage: simdjson SEGMENT...
#include <fcntl.h>
#include <simdjson.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

using namespace simdjson;

[[noreturn]] static void fail(const char *what) {
  fprintf(stderr, "simdjson: %s\n", what);
  exit(2);
}

static const int64_t POWERS[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000};

/** Decimal text as an integer of `decimals` decimals; exact or an end of the program. */
static inline int64_t scaled(const char *p, int decimals) {
  int64_t value = 0;
  unsigned digit;
  while ((digit = static_cast<unsigned char>(*p) - '0') < 10) {
    value = value * 10 + digit;
    p++;
  }
  if (*p == '.') {
    p++;
    while ((digit = static_cast<unsigned char>(*p) - '0') < 10) {
      value = value * 10 + digit;
      p++;
      decimals--;
    }
  }
  if (*p != '"' || decimals < 0) fail("a number that is no plain decimal of this scale");
  return value * POWERS[decimals];
}

static inline int64_t scaled(ondemand::value value, int decimals) {
  return scaled(value.get_raw_json_string().value().raw(), decimals);
}

static int decimalsOf(std::string_view text) {
  const size_t point = text.find('.');
  return point == text.npos ? 0 : static_cast<int>(text.size() - point - 1);
}

/** One side of the book: sizes by tick, and three levels of bits that say where there are any. */
class Side {
 public:
  /** BTC has asks at hundreds of thousands of dollars */
  static constexpr int64_t TICKS = 1 << 23;

  explicit Side(bool bids) : bids_(bids) {
    // zeroed on first touch, so that a wide ladder costs only what is used of it
    sizes_.reset(static_cast<int64_t *>(calloc(TICKS, sizeof(int64_t))));
    words_.resize(TICKS / 64);
    summary_.resize(TICKS / 4096);
  }

  void place(int64_t tick) { base_ = tick < TICKS / 2 ? 0 : tick - TICKS / 2; }

  void set(int64_t tick, int64_t size) {
    const int64_t index = tick - base_;
    if (index < 0 || index >= TICKS) fail("a price beyond the ladder");
    int64_t &held = sizes_.get()[index];
    uint64_t &word = words_[index >> 6];
    const uint64_t bit = uint64_t{1} << (index & 63);
    held = size;
    if (size > 0) {
      word |= bit;
      summary_[index >> 12] |= uint64_t{1} << ((index >> 6) & 63);
      if (best_ < 0 || (bids_ ? index > best_ : index < best_)) best_ = index;
    } else if ((word & bit) != 0) {
      word &= ~bit;
      if (word == 0) summary_[index >> 12] &= ~(uint64_t{1} << ((index >> 6) & 63));
      if (index == best_) stale_ = true;
    }
  }

  /** Ends a message: the best price is looked up once. */
  void settle() {
    if (!stale_) return;
    stale_ = false;
    best_ = bids_ ? below(TICKS - 1) : above(0);
  }

  int64_t top(int limit) const {
    int64_t sum = 0;
    int64_t index = best_;
    while (index >= 0) {
      int64_t w = index >> 6;
      if (bids_) {
        uint64_t bits = words_[w] & (~uint64_t{0} >> (63 - (index & 63)));
        while (bits != 0) {
          const int bit = 63 - std::countl_zero(bits);
          bits &= ~(uint64_t{1} << bit);
          sum += sizes_.get()[(w << 6) + bit];
          if (--limit == 0) return sum;
        }
        index = below((w << 6) - 1);
      } else {
        uint64_t bits = words_[w] & (~uint64_t{0} << (index & 63));
        while (bits != 0) {
          sum += sizes_.get()[(w << 6) + std::countr_zero(bits)];
          bits &= bits - 1;
          if (--limit == 0) return sum;
        }
        index = above((w + 1) << 6);
      }
    }
    return sum;
  }

  void clear() {
    for (int64_t index = above(0); index >= 0; index = above(index + 1)) {
      sizes_.get()[index] = 0;
      words_[index >> 6] &= ~(uint64_t{1} << (index & 63));
    }
    std::fill(summary_.begin(), summary_.end(), 0);
    best_ = -1;
    stale_ = false;
  }

 private:
  int64_t below(int64_t from) const {
    if (from < 0) return -1;
    int64_t w = from >> 6;
    const uint64_t bits = words_[w] & (~uint64_t{0} >> (63 - (from & 63)));
    if (bits != 0) return (w << 6) + 63 - std::countl_zero(bits);
    int64_t s = w >> 6;
    uint64_t marks = summary_[s] & ((uint64_t{1} << (w & 63)) - 1);
    while (marks == 0)
      if (--s < 0) return -1;
      else marks = summary_[s];
    w = (s << 6) + 63 - std::countl_zero(marks);
    return (w << 6) + 63 - std::countl_zero(words_[w]);
  }

  int64_t above(int64_t from) const {
    if (from >= TICKS) return -1;
    int64_t w = from >> 6;
    const uint64_t bits = words_[w] & (~uint64_t{0} << (from & 63));
    if (bits != 0) return (w << 6) + std::countr_zero(bits);
    int64_t s = w >> 6;
    uint64_t marks = (w & 63) == 63 ? 0 : summary_[s] & (~uint64_t{0} << ((w & 63) + 1));
    while (marks == 0)
      if (++s >= static_cast<int64_t>(summary_.size())) return -1;
      else marks = summary_[s];
    w = (s << 6) + std::countr_zero(marks);
    return (w << 6) + std::countr_zero(words_[w]);
  }

  struct Free {
    void operator()(int64_t *memory) const { free(memory); }
  };
  const bool bids_;
  int64_t base_ = 0;
  int64_t best_ = -1;
  bool stale_ = false;
  std::unique_ptr<int64_t, Free> sizes_;
  std::vector<uint64_t> words_;
  std::vector<uint64_t> summary_;
};

struct Level {
  int64_t price;
  int64_t size;
};

struct Update {
  uint64_t first, last, previous;
  size_t bids;
  std::vector<Level> levels;
};

struct Snapshot {
  uint64_t id;
  std::vector<Level> bids, asks;
};

struct Trade {
  uint64_t t;
  int64_t signedSize;
};

/** Everything of one src. */
struct Source {
  int priceDecimals = 0, sizeDecimals = 0;
  int64_t tick = 1;
  bool placed = false;
  Side bids{true}, asks{false};
  bool valid = false;
  uint64_t last = 0;
  std::unique_ptr<Snapshot> snapshot;
  std::vector<Update> kept;
  std::vector<Trade> window;
  size_t oldest = 0;
  int64_t rolling = 0;
  uint64_t lastTrade = 0;
  uint64_t messages = 0, trades = 0, flow = 0, depth = 0, levels = 0, touches = 0, gaps = 0;
  uint32_t tradeWord = 0, levelWord = 0, touchWord = 0, topWord = 0, flowWord = 0;
  int64_t topBid = 0, topAsk = 0, rollingSum = 0, bbo = 0;
  // exchange times and the symbol are read as our scanner reads them
  uint64_t emitted = 0, matched = 0, symbols = 0;

  void put(Side &side, const Level &level) {
    const int64_t ticks = level.price / tick;
    if (ticks * tick != level.price) fail("a price off the tick grid");
    if (!placed) {
      placed = true;
      bids.place(ticks);
      asks.place(ticks);
    }
    side.set(ticks, level.size);
  }

  void load(const Snapshot &from) {
    bids.clear();
    asks.clear();
    for (const Level &level : from.bids) put(bids, level);
    for (const Level &level : from.asks) put(asks, level);
    bids.settle();
    asks.settle();
  }

  void apply(const Update &update) {
    for (size_t n = 0; n < update.bids; n++) put(bids, update.levels[n]);
    for (size_t n = update.bids; n < update.levels.size(); n++) put(asks, update.levels[n]);
    bids.settle();
    asks.settle();
    last = update.last;
  }

  bool reaches(const Update &update) const { return update.first <= snapshot->id || update.previous == snapshot->id; }

  /** True when the snapshot at hand and the updates kept make a book. */
  bool join() {
    if (snapshot == nullptr) return false;
    bool joined = false;
    for (size_t n = 0; n < kept.size(); n++) {
      const Update &update = kept[n];
      if (update.last < (joined ? last + 1 : snapshot->id)) continue;
      if (joined ? update.previous != last : !reaches(update)) {
        snapshot.reset();
        kept.erase(kept.begin(), kept.begin() + static_cast<ptrdiff_t>(n));
        return false;
      }
      if (!joined) load(*snapshot);
      joined = true;
      apply(update);
    }
    kept.clear();
    valid = joined;
    if (joined) snapshot.reset();
    return joined;
  }

  void lose() {
    valid = false;
    snapshot.reset();
    kept.clear();
  }

  void sumTop() {
    const int64_t bid = bids.top(10), ask = asks.top(10);
    topBid += bid;
    topAsk += ask;
    topWord = (topWord * 31 + static_cast<uint32_t>(bid)) * 31 + static_cast<uint32_t>(ask);
  }

  void onDepth(Update &update) {
    depth++;
    uint32_t h = levelWord;
    for (const Level &level : update.levels)
      h = (h * 31 + static_cast<uint32_t>(level.price)) * 31 + static_cast<uint32_t>(level.size);
    levelWord = h;
    levels += update.levels.size();
    if (!valid) {
      kept.push_back(update);
      if (join()) sumTop();
    } else if (update.previous == last) {
      // a snapshot of a valid book renews it once the stream has reached it
      if (snapshot != nullptr && update.last >= snapshot->id) {
        if (reaches(update)) load(*snapshot);
        snapshot.reset();
      }
      apply(update);
      sumTop();
    } else if (update.last > last) {
      gaps++;
      lose();
      kept.push_back(update);
    }
  }

  void onTrade(uint64_t t, uint64_t id, int64_t price, int64_t signedSize, bool isFlow) {
    trades++;
    tradeWord = (tradeWord * 31 + static_cast<uint32_t>(price)) * 31 + static_cast<uint32_t>(signedSize);
    if (lastTrade != 0 && id <= lastTrade) return;
    if (lastTrade != 0 && id != lastTrade + 1) {
      window.clear();
      oldest = 0;
      rolling = 0;
    }
    lastTrade = id;
    if (!isFlow) return;
    flow++;
    window.push_back({t, signedSize});
    rolling += signedSize;
    while (window[oldest].t + 5000000 <= t) rolling -= window[oldest++].signedSize;
    if (oldest > 100000) {
      window.erase(window.begin(), window.begin() + static_cast<ptrdiff_t>(oldest));
      oldest = 0;
    }
    rollingSum += rolling;
    flowWord = flowWord * 31 + static_cast<uint32_t>(rolling);
  }

  void onTouch(int64_t bid, int64_t bidSize, int64_t ask, int64_t askSize) {
    touches++;
    uint32_t h = touchWord * 31 + static_cast<uint32_t>(bid);
    h = h * 31 + static_cast<uint32_t>(bidSize);
    h = h * 31 + static_cast<uint32_t>(ask);
    touchWord = h * 31 + static_cast<uint32_t>(askSize);
    bbo += bid + ask;
  }
};

class Scan {
 public:
  std::map<std::string, Source, std::less<>> sources;

  /** Whole lines, with padding behind them. */
  void text(const char *from, size_t size) {
    ondemand::document_stream lines;
    // one batch for the whole frame: faster than a call for each line
    if (parser_.iterate_many(from, size, size).get(lines)) fail("a frame that is no JSON");
    for (auto entry : lines) take(entry.get_object());
  }

 private:
  ondemand::parser parser_;
  Source *source_ = nullptr;
  std::string name_;
  Update update_;
  uint64_t t_ = 0;

  void take(ondemand::object entry) {
    for (auto field : entry) {
      const ondemand::raw_json_string key = field.key();
      if (key == "t") t_ = field.value().get_uint64();
      else if (key == "src") select(field.value().get_raw_json_string());
      else if (key == "msg") message(field.value().get_object());
      else if (key == "http") snapshot(field.value()["body"].get_object());
      else if (key == "tape") header(field.value()["instrument"].get_object());
      else if (key == "close" || key == "gap" || key == "drop") source_->lose();
    }
  }

  void select(ondemand::raw_json_string name) {
    if (source_ != nullptr && name == name_) return;
    name_ = std::string(name.raw(), strchr(name.raw(), '"'));
    source_ = &sources.try_emplace(name_).first->second;
  }

  void header(ondemand::object instrument) {
    std::string tick(std::string_view(instrument["tick"].get_string()));
    std::string lot(std::string_view(instrument["lot"].get_string()));
    // two spare decimals, as src/model/instrument.ts has them
    source_->priceDecimals = decimalsOf(tick) + 2;
    source_->sizeDecimals = decimalsOf(lot) + 2;
    source_->tick = scaled((tick + '"').c_str(), source_->priceDecimals);
  }

  void read(ondemand::array levels, std::vector<Level> &into) {
    const int priceDecimals = source_->priceDecimals, sizeDecimals = source_->sizeDecimals;
    for (ondemand::array level : levels) {
      auto part = level.begin().value();
      const int64_t price = scaled((*part).value(), priceDecimals);
      ++part;
      into.push_back({price, scaled((*part).value(), sizeDecimals)});
      ++part;
    }
  }

  void snapshot(ondemand::object body) {
    auto snapshot = std::make_unique<Snapshot>();
    snapshot->id = body["lastUpdateId"].get_uint64();
    read(body["bids"].get_array(), snapshot->bids);
    read(body["asks"].get_array(), snapshot->asks);
    source_->snapshot = std::move(snapshot);
    if (!source_->valid) source_->join();
  }

  void message(ondemand::object message) {
    Source &source = *source_;
    source.messages++;
    ondemand::object data = message["data"].get_object();
    const ondemand::raw_json_string type = data["e"].get_raw_json_string();
    if (type == "bookTicker") {
      const int64_t bid = scaled(data["b"].value(), source.priceDecimals);
      const int64_t bidSize = scaled(data["B"].value(), source.sizeDecimals);
      const int64_t ask = scaled(data["a"].value(), source.priceDecimals);
      const int64_t askSize = scaled(data["A"].value(), source.sizeDecimals);
      source.matched += uint64_t(data["T"].get_uint64());
      source.emitted += uint64_t(data["E"].get_uint64());
      source.onTouch(bid, bidSize, ask, askSize);
    } else if (type == "trade") {
      heading(data);
      const uint64_t id = data["t"].get_uint64();
      const int64_t price = scaled(data["p"].value(), source.priceDecimals);
      const int64_t size = scaled(data["q"].value(), source.sizeDecimals);
      const bool isFlow = data["X"].get_raw_json_string().value() == "MARKET";
      const bool buyerIsMaker = data["m"].get_bool();
      source.onTrade(t_, id, price, buyerIsMaker ? -size : size, isFlow);
    } else if (type == "depthUpdate") {
      heading(data);
      update_.first = data["U"].get_uint64();
      update_.last = data["u"].get_uint64();
      update_.previous = data["pu"].get_uint64();
      update_.levels.clear();
      read(data["b"].get_array(), update_.levels);
      update_.bids = update_.levels.size();
      read(data["a"].get_array(), update_.levels);
      source.onDepth(update_);
    }
  }

  void heading(ondemand::object &data) {
    source_->emitted += uint64_t(data["E"].get_uint64());
    source_->matched += uint64_t(data["T"].get_uint64());
    source_->symbols += data["s"].get_raw_json_string().value().raw()[0];
  }
};

static void scanFile(const char *path, Scan &scan, ZSTD_DCtx *context, std::vector<char> &text) {
  const int file = open(path, O_RDONLY);
  struct stat facts;
  if (file < 0 || fstat(file, &facts) != 0) fail(path);
  const size_t size = static_cast<size_t>(facts.st_size);
  const char *bytes = static_cast<const char *>(mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0));
  if (bytes == MAP_FAILED) fail(path);
  for (size_t at = 0; at < size;) {
    const size_t frame = ZSTD_findFrameCompressedSize(bytes + at, size - at);
    if (ZSTD_isError(frame)) fail(ZSTD_getErrorName(frame));
    uint32_t magic;
    memcpy(&magic, bytes + at, sizeof magic);
    if ((magic & ZSTD_MAGIC_SKIPPABLE_MASK) != ZSTD_MAGIC_SKIPPABLE_START) {
      const unsigned long long content = ZSTD_getFrameContentSize(bytes + at, size - at);
      if (content >= ZSTD_CONTENTSIZE_ERROR) fail("a frame without content size");
      if (text.size() < content + SIMDJSON_PADDING) text.resize(content + SIMDJSON_PADDING);
      const size_t got = ZSTD_decompressDCtx(context, text.data(), content, bytes + at, frame);
      if (ZSTD_isError(got)) fail(ZSTD_getErrorName(got));
      scan.text(text.data(), got);
    }
    at += frame;
  }
  munmap(const_cast<char *>(bytes), size);
  close(file);
}

int main(int count, char **words) {
  Scan scan;
  std::vector<char> text;
  ZSTD_DCtx *context = ZSTD_createDCtx();
  for (int n = 1; n < count; n++) scanFile(words[n], scan, context, text);
  ZSTD_freeDCtx(context);
  double topBid = 0, topAsk = 0, rolling = 0, bbo = 0;
  uint64_t flow = 0, gaps = 0;
  for (const auto &[src, s] : scan.sources) {
    printf("{\"checksum\":{\"src\":\"%s\",\"messages\":%lu,\"trades\":%lu,\"depth\":%lu,\"levels\":%lu,\"touches\":%lu,"
           "\"digest\":\"%08x-%08x-%08x-%08x-%08x\"}}\n",
           src.c_str(), s.messages, s.trades, s.depth, s.levels, s.touches, s.tradeWord, s.levelWord, s.touchWord,
           s.topWord, s.flowWord);
    const double price = static_cast<double>(POWERS[s.priceDecimals]), size = static_cast<double>(POWERS[s.sizeDecimals]);
    topBid += static_cast<double>(s.topBid) / size;
    topAsk += static_cast<double>(s.topAsk) / size;
    rolling += static_cast<double>(s.rollingSum) / size;
    bbo += static_cast<double>(s.bbo) / price;
    flow += s.flow;
    gaps += s.gaps;
  }
  printf("{\"sums\":{\"flow\":%lu,\"gaps\":%lu,\"topBid\":%.3f,\"topAsk\":%.3f,\"rolling\":%.3f,\"bbo\":%.3f}}\n", flow, gaps,
         topBid, topAsk, rolling, bbo);
}
