// The chart: a band from lowest to highest with the close as a line, or candles; missed stretches are hatched.
// Numbers are made of prices here only, and only to place pixels.

import * as clock from "./clock.js";

const AXIS_FONT = "12px system-ui, sans-serif";
const LEAST_HATCH = 2;
const SHORT_MARK = 4;
const HOUR = 3600, DAY = 86400;
const TICK_SECONDS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR,
  DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 91 * DAY, 182 * DAY, 365 * DAY, 1826 * DAY,
];

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export class Chart {
  // `told.cursor(index or null)`, `told.zoom(since, until)` and `told.back()` are called for what people do.
  constructor(place, told) {
    this.place = place;
    this.told = told;
    this.plot = null;
    this.answer = null;
    this.form = "line";
    this.frame = new ResizeObserver(() => this.fit());
    this.frame.observe(place);
    place.addEventListener("keydown", (event) => this.key(event));
    place.addEventListener("dblclick", () => told.back());
  }

  static get available() { return typeof uPlot === "function"; }

  fault(text) {
    if (this.place.firstElementChild?.textContent === text) return;
    this.drop();
    const line = document.createElement("div");
    line.className = "fault";
    line.textContent = text;
    this.place.replaceChildren(line);
  }

  show(answer) {
    this.answer = answer;
    if (!Chart.available) {
      this.fault("No chart here: type  make web  to bring what draws it, then start price web again.");
      return;
    }
    if (this.plot === null) this.make();
    this.plot.setData(columns(answer), false);
    this.plot.setScale("x", { min: answer.since, max: Math.max(answer.until, answer.since + 1) });
  }

  setForm(form) { this.form = form; this.again(); }

  // Colours and the zone are read when it is made.
  again() {
    const answer = this.answer;
    if (!this.plot || !answer) return;
    this.drop();
    this.show(answer);
  }

  drop() {
    this.plot?.destroy();
    this.plot = this.answer = null;
    this.place.replaceChildren();
  }

  fit() { this.plot?.setSize({ width: this.place.clientWidth, height: this.place.clientHeight }); }

  make() {
    this.place.replaceChildren();
    const colours = { line: css("--line"), band: css("--band"), quiet: css("--quiet"), rule: css("--rule"), bad: css("--bad"), tint: css("--bad-tint"), card: css("--card") };
    const candles = this.form === "candles";
    const axis = { stroke: colours.quiet, font: AXIS_FONT, grid: { stroke: colours.rule, width: 1 }, ticks: { stroke: colours.rule, width: 1 } };
    const options = {
      width: this.place.clientWidth,
      height: this.place.clientHeight,
      legend: { show: false },
      tzDate: (at) => (clock.isLocal() ? new Date(at * 1000) : uPlot.tzDate(new Date(at * 1000), "Etc/UTC")),
      cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { size: 7 } },
      scales: { x: { time: true }, y: { range: (_plot, low, high) => room(low, high) } },
      axes: [
        { ...axis, incrs: TICK_SECONDS, values: (_plot, ticks, _index, _space, step) => ticks.map((tick, at) => label(tick, ticks[at - 1], step)) },
        { ...axis, size: (plot, values) => 16 + 7.2 * Math.max(4, ...(values ?? []).map((one) => String(one).length)), values: (_plot, ticks, _index, _space, step) => ticks.map((tick) => decimals(tick, step)) },
      ],
      series: [
        {},
        { stroke: "transparent", points: { show: false } },
        { stroke: "transparent", points: { show: false } },
        { stroke: candles ? "transparent" : colours.line, width: 1.5, points: { show: !candles, filter: lone, size: 4, fill: colours.line } },
      ],
      bands: candles ? [] : [{ series: [2, 1], fill: colours.band }],
      hooks: {
        drawClear: [(plot) => { hatch(plot, this.answer, colours); markShort(plot, this.answer, colours); }],
        draw: [(plot) => { if (candles) drawCandles(plot, this.answer, colours); drawRepaired(plot, this.answer, colours); }],
        setCursor: [(plot) => this.told.cursor(plot.cursor.idx ?? null)],
        setSelect: [(plot) => this.select(plot)],
      },
    };
    this.plot = new uPlot(options, columns(this.answer), this.place);
  }

  select(plot) {
    const { left, width } = plot.select;
    if (width < 5) return;
    const since = Math.floor(plot.posToVal(left, "x"));
    const until = Math.ceil(plot.posToVal(left + width, "x"));
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.told.zoom(since, until);
  }

  key(event) {
    const answer = this.answer;
    if (!answer || !this.plot) return;
    const last = answer.t.length - 1;
    const under = this.plot.cursor.idx === null ? -1 : placeOf(answer, this.plot.data[0][this.plot.cursor.idx]);
    const at = under < 0 ? last : under;
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20, Home: -Infinity, End: Infinity };
    if (event.key in steps) this.point(Math.max(0, Math.min(last, at + steps[event.key])));
    else if (event.key === "+" || event.key === "=") this.scale(at, 0.5);
    else if (event.key === "-") this.scale(at, 2);
    else if (event.key === "Escape") this.told.back();
    else return;
    event.preventDefault();
  }

  // Moves the cursor to a bar of the answer.
  point(at) {
    const time = this.answer.t[at];
    if (time === undefined) return;
    this.plot.setCursor({ left: this.plot.valToPos(time, "x"), top: 0 });
    this.told.cursor(this.plot.data[0].indexOf(time));
  }

  scale(at, factor) {
    const { since, until } = this.answer;
    const middle = this.answer.t[at] ?? (since + until) / 2;
    const half = Math.max(15, ((until - since) * factor) / 2);
    this.told.zoom(Math.floor(middle - half), Math.ceil(middle + half));
  }
}

// uPlot joins neighbours: where periods are missing a null between them breaks the line.
function columns(answer) {
  const time = [], low = [], high = [], close = [];
  let before = null;
  for (let at = 0; at < answer.t.length; at += 1) {
    const start = answer.t[at];
    if (before !== null && start - before > 1.5 * answer.every) {
      time.push(before + answer.every); low.push(null); high.push(null); close.push(null);
    }
    time.push(start); low.push(Number(answer.l[at])); high.push(Number(answer.h[at])); close.push(Number(answer.c[at]));
    before = start;
  }
  return [time, low, high, close];
}

// The place of a column of the plot in the answer, which has no breaks.
export const placeOf = (answer, time) => answer.t.indexOf(time);

function room(low, high) {
  if (low === null || high === null) return [0, 1];
  const more = high > low ? (high - low) * 0.06 : Math.abs(high) * 0.001 || 1;
  return [low - more, high + more];
}

function lone(plot, index) {
  const values = plot.data[index];
  const found = [];
  for (let at = 0; at < values.length; at += 1) {
    if (values[at] !== null && (values[at - 1] ?? null) === null && (values[at + 1] ?? null) === null) found.push(at);
  }
  return found;
}

function label(tick, before, step) {
  if (step >= 86400) return clock.day(tick);
  const text = clock.time(tick, step < 60);
  return before === undefined || clock.day(before) !== clock.day(tick) ? `${text}\n${clock.day(tick).slice(5)}` : text;
}

function decimals(value, step) {
  let places = Math.min(20, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)));
  while (places < 20 && Math.abs(step * 10 ** places - Math.round(step * 10 ** places)) > 1e-6) places += 1;
  return value.toFixed(places).replace(/\B(?=(\d{3})+(?!\d)(?<!\.\d*))/g, "\u202f");
}

function hatch(plot, answer, colours) {
  if (!answer) return;
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const [start, end] of answer.missed) {
    const left = plot.valToPos(start, "x", true);
    const width = Math.max(LEAST_HATCH * ratio, plot.valToPos(end, "x", true) - left);
    ctx.fillStyle = colours.tint;
    ctx.fillRect(left, bbox.top, width, bbox.height);
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, bbox.top, width, bbox.height);
    ctx.clip();
    ctx.strokeStyle = colours.bad;
    ctx.lineWidth = 1.5 * ratio;
    ctx.beginPath();
    for (let at = left - bbox.height; at < left + width; at += 6 * ratio) {
      ctx.moveTo(at, bbox.top + bbox.height);
      ctx.lineTo(at + bbox.height, bbox.top);
    }
    ctx.stroke();
    ctx.restore();
  }
  ctx.restore();
}

// Periods in which slots were missed that are too short to hatch: a mark at the bottom.
function markShort(plot, answer, colours) {
  if (!answer) return;
  const { ctx, bbox } = plot;
  const height = SHORT_MARK * devicePixelRatio;
  ctx.save();
  ctx.fillStyle = colours.bad;
  for (const [start] of answer.gone) {
    const left = plot.valToPos(start, "x", true);
    const width = Math.max(devicePixelRatio, plot.valToPos(start + answer.every, "x", true) - left);
    if (left >= bbox.left && left < bbox.left + bbox.width) ctx.fillRect(left, bbox.top + bbox.height - height, width, height);
  }
  ctx.restore();
}

function drawCandles(plot, answer, colours) {
  const { ctx } = plot;
  const ratio = devicePixelRatio;
  const width = Math.max(2 * ratio, 0.7 * (plot.valToPos(answer.every, "x", true) - plot.valToPos(0, "x", true)));
  ctx.save();
  ctx.beginPath();
  ctx.rect(plot.bbox.left, plot.bbox.top, plot.bbox.width, plot.bbox.height);
  ctx.clip();
  ctx.strokeStyle = ctx.fillStyle = colours.line;
  ctx.lineWidth = ratio;
  for (let at = 0; at < answer.t.length; at += 1) {
    const x = plot.valToPos(answer.t[at] + answer.every / 2, "x", true);
    const [open, high, low, close] = [answer.o, answer.h, answer.l, answer.c].map((one) => plot.valToPos(Number(one[at]), "y", true));
    ctx.beginPath();
    ctx.moveTo(x, high);
    ctx.lineTo(x, low);
    ctx.stroke();
    const top = Math.min(open, close), height = Math.max(ratio, Math.abs(open - close));
    if (close < open) {           // the price rose: an empty body, as on paper; no colour says it
      ctx.fillStyle = colours.card;
      ctx.fillRect(x - width / 2, top, width, height);
      ctx.strokeRect(x - width / 2, top, width, height);
      ctx.fillStyle = colours.line;
    } else ctx.fillRect(x - width / 2, top, width, height);
  }
  ctx.restore();
}

// Periods that were filled in later: small rings on the line.
function drawRepaired(plot, answer, colours) {
  if (!answer?.r.length) return;
  const { ctx } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = colours.quiet;
  ctx.lineWidth = ratio;
  for (const [at] of answer.r) {
    const x = plot.valToPos(answer.t[at], "x", true), y = plot.valToPos(Number(answer.c[at]), "y", true);
    ctx.beginPath();
    ctx.arc(x, y, 2.5 * ratio, 0, 2 * Math.PI);
    ctx.stroke();
  }
  ctx.restore();
}
