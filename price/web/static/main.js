// The page as a whole: what is known, what was asked, and who shows it.

import * as clock from "./clock.js";
import { Chart, placeOf } from "./chart.js";
import { Fault, poll } from "./feed.js";
import * as panels from "./panels.js";
import { Range } from "./range.js";
import { Rows } from "./rows.js";
import * as view from "./view.js";

const { byId, put } = view;
const RANGES = { "1h": 3600, "6h": 21600, "1d": 86400, "7d": 604800, "30d": 2592000, "1y": 31536000, all: null };
const DAY = 86400;
const OLD_INTERVALS = 3;
const LATE_INTERVALS = 2;
const CUT_OFF_SECONDS = 2;
const SLOW_MS = 300;
const MOST_TABS = 6;

const page = {
  status: null,         // the recorder's status as it was last read
  isLost: false,        // whether it was not there at the last look; it may be back at the next
  log: null,            // what the log alone says, where there is no status
  answered: null,       // when the server last answered, by clock.elapsed()
  pair: null,
  range: view.stored("range", Object.keys(RANGES), "1d"),
  zoom: null,           // a range that was dragged: [since, until]
  series: null,         // what the chart shows
  day: null,            // the last 24 hours, for the ribbon and what was missed lately
};
const chart = new Chart(byId("chart"), { cursor: showCursor, zoom, back: () => zoom(null) });
const rows = new Rows(() => ({ pair: page.pair, ...bounds() }));
const reads = {         // of each: its range, and what is being read for it
  series: { range: null, running: null },
  day: { range: null, running: null },
};

const every = () => page.status?.interval || page.log?.every || 5;
const pairs = () => (page.status ? Object.entries(page.status.pairs).map(([pair, known]) => ({ pair, ...known })) : page.log?.pairs ?? []);
const current = () => pairs().find((one) => one.pair === page.pair);
const newest = () => (page.status?.slot ? clock.unix(page.status.slot) : page.log?.last ?? null);
const oldSeconds = () => OLD_INTERVALS * every();

// --- what comes in -----------------------------------------------------------------------------------------

function onStatus(answer) {
  const isLost = answer.status === null && page.status !== null;
  if (!isLost || page.isLost) page.status = answer.status;  // it may have been looked for while it was replaced
  page.isLost = isLost;
  page.log = answer.log ?? page.log;
  page.answered = clock.elapsed();
  const names = pairs().map((one) => one.pair);
  const wanted = decodeURIComponent(location.hash.slice(1));
  if (!names.includes(page.pair)) choose(names.includes(wanted) ? wanted : names[0] ?? null);
  else refresh();
  showAll();
}

function onFault() { showState(); }

function refresh() {
  if (!page.pair) {
    chart.fault(page.log?.fault ?? "The log has no rows yet.");
    byId("right").classList.add("ready");
    return;
  }
  read("series", showSeries, (error) => { page.series = null; chart.fault(error.message); });
  read("day", showDay, () => byId("right").classList.add("ready"));
}

// Brings a range up to date, unless that is being done, or nobody looks.
async function read(name, show, failed) {
  const its = reads[name], range = its.range;
  const now = end();
  if (document.hidden || its.running?.range === range || (page[name] && !range.isDue(now))) return;
  its.running?.abort.abort();
  const mine = (its.running = { range, abort: new AbortController() });
  const slow = setTimeout(() => { if (name === "series") dim(true); }, SLOW_MS);
  try {
    const answer = await range.read(now, mine.abort.signal, name === "series" ? showProgress : () => {});
    if (mine !== its.running) return;
    page[name] = answer;
    show();
  } catch (error) {
    if (mine === its.running && error instanceof Fault) failed(error);
  } finally {
    clearTimeout(slow);
    if (mine === its.running) {
      its.running = null;
      if (name === "series") dim(false);
    }
  }
}

const dim = (on) => byId("chart").classList.toggle("reading", on);

function showProgress(percent) {
  dim(true);
  put(byId("caption"), `reading ${page.zoom ? "the range" : page.range}, ${percent} %`);
}

// A range ends at the log's last slot, never at the browser's clock.
const end = () => Math.ceil((newest() ?? clock.now()) + every());

function bounds() {
  if (page.zoom) return { since: page.zoom[0], until: page.zoom[1] };
  const length = RANGES[page.range];
  return { since: length === null ? 0 : Math.max(0, end() - length), until: end() };
}

const points = () => Math.max(60, Math.floor(byId("chart").clientWidth / (chart.form === "candles" ? 8 : 1.5)));

// Another range, pair or form: the old chart stays until the new one is there.
function begin() {
  const range = page.zoom ? { since: page.zoom[0], until: page.zoom[1] } : { length: RANGES[page.range] };
  reads.series.range = new Range(page.pair, range, points(), every());
  showRanges();
  rows.close();
  refresh();
}

function zoom(since, until) {
  if (since === null) { if (!page.zoom) return; page.zoom = null; }
  else if (until - since >= 2 * every()) page.zoom = [Math.max(0, since), until];
  else return;
  page.series = null;
  begin();
}

function choose(pair) {
  if (pair !== page.pair) chart.drop();
  page.pair = pair;
  page.series = page.day = page.zoom = null;
  if (pair) {
    history.replaceState(null, "", `#${encodeURIComponent(pair)}`);
    reads.day.range = new Range(pair, { length: DAY }, 1440, every());
  }
  begin();
  showAll();
}

// --- what is shown -----------------------------------------------------------------------------------------

function showAll() {
  showState();
  showNumber();
  panels.showSources(page.status?.sources);
  panels.showAlerts(page.status?.alerts);
  panels.showPairs(pairs(), oldSeconds(), choose);
  const tabs = pairs().slice(0, MOST_TABS).map((one) => one.pair);
  panels.showTabs(page.pair && !tabs.includes(page.pair) ? [...tabs, page.pair] : tabs, page.pair, choose);
  const known = current();
  put(byId("complete"), known?.recorded === undefined ? "" : view.complete(known.recorded, known.missed));
}

// How all is: the class and the word for it, and what is wrong, with since when.
function standing() {
  if (page.answered === null) return ["", "connecting", "", null];
  const silent = clock.elapsed() - page.answered;
  if (silent > oldSeconds() + CUT_OFF_SECONDS) return ["bad", "page cut off", "No answer from the server; asking again. What you see is old:", silent];
  if (page.status === null) return ["bad", "no recorder", `No recorder runs here. Type: sudo systemctl start price. ${page.log?.fault ?? ""}`, null];
  const age = view.age(page.status.slot ?? page.status.started);
  if (page.status.waiting) return ["warn", "waiting", `The recorder runs and writes no rows: ${page.status.waiting}`, null];
  if (page.status.held > 0) return ["warn", "rows held back", `The disk refuses rows: ${page.status.held} are held in memory. Type: journalctl -u price -p warning -n 5`, null];
  const isAnswered = silent < every() + CUT_OFF_SECONDS;  // else nobody knows whether there are newer slots
  if (age > oldSeconds() && isAnswered) return ["bad", "recorder silent", "The last slot is old. Type: journalctl -u price -n 20. It was", age];
  return age > LATE_INTERVALS * every() ? ["warn", "late", "", null] : ["good", "recording", "", null];
}

function showState() {
  const [kind, word, what, seconds] = standing();
  view.setClass(byId("head"), kind);
  put(byId("state-word"), word);
  const slot = newest();
  const quiet = slot === null ? "" : `slot ${clock.moment(slot)}, ${clock.span(Math.floor(clock.now() - slot))} ago`;
  put(byId("banner-text"), what, "");
  put(byId("banner-age"), what ? (seconds === null ? "" : `${clock.span(Math.floor(seconds))} ago`) : quiet);
  showAges(kind === "bad");
}

// Once a second while somebody looks: an old price must never look fresh.
function showAges(isBad) {
  const known = current();
  const age = known ? view.age(known.slot) : NaN;
  const isOld = !(age <= oldSeconds()) || isBad;
  byId("price").classList.toggle("old", Boolean(known?.price) && isOld);
  const title = known?.price ? `${known.price} ${known.pair}` : known?.pair ?? "price";
  const shown = known?.price && isOld ? `⚠ ${inWords(age)}: ${title}` : title;
  if (document.title !== shown) document.title = shown;
  put(byId("basis"), basis(known, age));
}

const inWords = (age) => (Number.isNaN(age) ? "of unknown age" : `${clock.span(Math.floor(age))} old`);

function basis(known, age) {
  if (!known) return "";
  if (!known.price) return "no price recorded yet";
  const names = known.sources ?? [], series = page.series;
  const sources = names.length ? ` · ${names.length > 1 ? "median of " : "from "}${names.join(", ")}` : "";
  const first = series?.pair === known.pair && series.t.length && series.t[0] < series.since + series.every ? series.o[0] : null;
  const moved = first ? ` · ${view.change(first, known.price)} in ${page.zoom ? "this range" : page.range}` : "";
  return `${inWords(age)}${sources}${moved}`;
}

function showNumber() {
  const known = current();
  put(byId("pair-name"), page.pair ?? "");
  const text = known?.price ? view.digits(known.price) : "–";
  put(byId("digits"), text);
  byId("price").classList.toggle("long", text.length > 16);
}

function showSeries() {
  const series = page.series;
  chart.show(series);
  byId("rows-csv").href = `api/rows.csv?${new URLSearchParams({ pair: page.pair, since: series.since, until: series.until })}`;
  put(byId("caption"), view.caption(series, page.zoom ? "range" : page.range));
  showState();
}

function showCursor(index) {
  const series = page.series;
  const at = index === null || !series || !chart.plot ? -1 : placeOf(series, chart.plot.data[0][index]);
  put(byId("cursor"), at < 0 ? "" : view.period(series, at));
}

function showDay() {
  const day = page.day;
  view.ribbon(byId("ribbon"), day);
  view.label(byId("ribbon"), `The last 24 hours: ${day.missed_slots} slots missed`);
  put(byId("ribbon-start"), clock.time(day.since, false));
  view.missed(byId("missed"), [...day.lately].reverse());
  byId("right").classList.add("ready");
}

// --- what people press -------------------------------------------------------------------------------------

function showRanges() {
  view.keyed(
    byId("ranges"), Object.keys(RANGES), (name) => name,
    (name) => view.button(name, () => { page.range = name; page.zoom = null; view.store("range", name); begin(); }),
    (node, name) => view.press(node, !page.zoom && name === page.range),
  );
  view.keyed(
    byId("forms"), ["line", "candles"], (form) => form,
    (form) => view.button(form, () => { chart.setForm(form); begin(); }),
    (node, form) => view.press(node, form === chart.form),
  );
}

function setZone(local) {
  clock.setLocal(local);
  view.store("zone", local ? "local" : "utc");
  put(byId("zone"), clock.zone());
  view.press(byId("zone"), local);
  redraw();
  if (page.answered !== null) showAll();
}

function setTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  view.store("theme", theme);
  put(byId("theme"), `Theme: ${theme}`);
  redraw();
}

function redraw() {
  chart.again();
  if (page.day) showDay();
}

function tick() {
  if (document.hidden || !clock.isKnown()) return;
  if (clock.wokeUp()) pollNow();
  showState();
  panels.showSources(page.status?.sources);
}

const themes = ["auto", "dark", "light"];
byId("zone").addEventListener("click", () => setZone(!clock.isLocal()));
byId("theme").addEventListener("click", () => setTheme(themes[(themes.indexOf(view.stored("theme", themes, "auto")) + 1) % 3]));
byId("filter").addEventListener("input", () => panels.showPairs(pairs(), oldSeconds(), choose));
document.addEventListener("visibilitychange", tick);
for (const wish of ["(prefers-color-scheme: dark)", "print"]) matchMedia(wish).addEventListener("change", redraw);
addEventListener("hashchange", () => {
  const pair = decodeURIComponent(location.hash.slice(1));
  if (pair !== page.pair && pairs().some((one) => one.pair === pair)) choose(pair);
});

setTheme(view.stored("theme", themes, "auto"));
setZone(view.stored("zone", ["local", "utc"], "utc") === "local");
showRanges();
const pollNow = poll(onStatus, onFault, every);
setInterval(tick, 1000);
