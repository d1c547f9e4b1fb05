// The page as a whole: what is known, what was asked, and who shows it.

import * as clock from "./clock.js";
import { Chart, placeOf } from "./chart.js";
import { ask, poll } from "./feed.js";
import * as view from "./view.js";

const { byId, put, element } = view;
const RANGES = { "1h": 3600, "6h": 21600, "1d": 86400, "7d": 604800, "30d": 2592000, "1y": 31536000, all: null };
const OLD_INTERVALS = 3;
const CUT_OFF_SECONDS = 2;
const MOST_TABS = 6;

const page = {
  status: null,         // the recorder's status as it was last read
  log: null,            // what the log alone says, where there is no status
  answered: null,       // when the server last answered, by performance.now()
  fault: "",
  pair: null,
  range: localStorage.getItem("range") in RANGES ? localStorage.getItem("range") : "1d",
  zoom: null,           // a range that was dragged: [since, until]
  series: null,
  day: null,            // the last 24 hours, for the ribbon and what was missed lately
  slot: null,           // the slot that the series was read up to
};

const chart = new Chart(byId("chart"), { cursor: showCursor, zoom, back: () => zoom(null) });

const every = () => page.status?.interval || page.log?.every || 5;
const pairs = () => (page.status ? Object.entries(page.status.pairs ?? {}).map(([pair, known]) => ({ pair, ...known })) : page.log?.pairs ?? []);
const current = () => pairs().find((one) => one.pair === page.pair);
const newest = () => (page.status?.slot ? clock.unix(page.status.slot) : page.log?.last ?? null);

// --- what comes in -----------------------------------------------------------------------------------------

function onStatus(answer) {
  page.status = answer.status;
  page.log = answer.log ?? page.log;
  page.answered = performance.now();
  page.fault = answer.log?.fault ?? "";
  const names = pairs().map((one) => one.pair);
  const wanted = decodeURIComponent(location.hash.slice(1));
  if (!names.includes(page.pair)) choose(names.includes(wanted) ? wanted : names[0] ?? null);
  const slot = newest();
  if (slot !== page.slot || page.series === null) {
    page.slot = slot;
    refresh();
  }
  showAll();
}

function onFault() { showState(); }

let asking = null;

// Reads the range again: only the log says what was missed, so nothing is drawn from the status alone.
async function refresh() {
  if (!page.pair) { chart.fault(page.fault || "The log has no rows yet."); return; }
  asking?.abort();
  const mine = (asking = new AbortController());
  const question = { pair: page.pair, ...bounds(), points: points() };
  try {
    const slow = setTimeout(() => byId("chart").classList.add("reading"), 300);
    let answer = await ask("api/series", question, mine.signal);
    while (answer.percent !== undefined) {
      byId("chart").classList.add("reading");
      put(byId("caption"), `reading ${clock.day(question.since)} to ${clock.day(question.until)}, ${answer.percent} %`);
      answer = await ask("api/series", question, mine.signal);
    }
    clearTimeout(slow);
    page.series = answer;
    showSeries();
    const now = question.until;
    const day = await ask("api/series", { pair: page.pair, since: now - 86400, until: now, points: 1440 }, mine.signal);
    page.day = { ...day, since: now - 86400, until: now };
    showDay();
  } catch (error) {
    if (error.name !== "AbortError" && error.name !== "TimeoutError" && error.status) { page.series = null; chart.fault(error.message); }
  } finally {
    if (mine === asking) byId("chart").classList.remove("reading");
  }
}

// The range ends at the log's last slot, never at the browser's clock.
function bounds() {
  if (page.zoom) return { since: page.zoom[0], until: page.zoom[1] };
  const until = Math.ceil((newest() ?? clock.now()) + every());
  const length = RANGES[page.range];
  return { since: length === null ? 0 : Math.max(0, until - length), until };
}

const points = () => Math.max(60, Math.floor(byId("chart").clientWidth / (chart.form === "candles" ? 8 : 1.5)));

function zoom(since, until) {
  if (since === null) { if (!page.zoom) return; page.zoom = null; }
  else if (until - since >= 2 * every()) page.zoom = [Math.max(0, since), until];
  else return;
  showRanges();
  refresh();
}

function choose(pair) {
  page.pair = pair;
  page.series = page.day = null;
  page.zoom = null;
  if (pair) history.replaceState(null, "", `#${encodeURIComponent(pair)}`);
  closeRows();
  showAll();
  if (page.answered !== null) refresh();
}

// --- what is shown -----------------------------------------------------------------------------------------

function showAll() {
  showState();
  showNumber();
  showSources();
  showAlerts();
  showPairs();
  showTabs();
  showCompleteness();
}

function standing() {
  const silent = page.answered === null ? 0 : (performance.now() - page.answered) / 1000;
  if (page.answered === null) return ["", "connecting", ""];
  if (silent > OLD_INTERVALS * every() + CUT_OFF_SECONDS) {
    return ["bad", "page cut off", `No answer from the server for ${clock.span(Math.floor(silent))}; asking again. What you see is that old.`];
  }
  if (page.status === null) {
    const why = page.fault ? ` ${page.fault}` : "";
    return ["bad", "no recorder", `No recorder runs here. Start one: sudo systemctl start price.${why}`];
  }
  const slot = page.status.slot ?? page.status.started;
  const old = view.age(slot);
  if (page.status.waiting) return ["warn", "waiting", `The recorder writes no rows: ${words(page.status.waiting)}`];
  if (old > OLD_INTERVALS * every()) {
    return ["bad", "recorder silent", `The last slot is ${clock.span(Math.floor(old))} old. Look: journalctl -u price -n 20`];
  }
  if (page.status.held > 0) {
    return ["warn", "rows held back", `The disk refuses rows: ${page.status.held} are held in memory. Look: journalctl -u price -p err -n 5`];
  }
  return old > 2 * every() ? ["warn", "late", ""] : ["good", "recording", ""];
}

const words = (value) => (typeof value === "string" ? value : value?.reason ?? JSON.stringify(value));

function showState() {
  const [kind, word, banner] = standing();
  const line = byId("state");
  if (line.className !== `state ${kind}`) line.className = `state ${kind}`;
  put(byId("state-word"), word);
  const slot = newest();
  put(byId("state-slot"), slot === null ? "" : `slot ${clock.time(slot)}, ${clock.span(Math.floor(clock.now() - slot))} ago`);
  const place = byId("banner");
  place.className = banner ? `banner on ${kind}` : "banner";
  if (place.textContent !== banner) place.textContent = banner;
  showAges();
}

// Once a second while somebody looks: an old price must never look fresh.
function showAges() {
  const known = current();
  const old = known ? view.age(known.slot) : NaN;
  const stale = !(old <= OLD_INTERVALS * every()) || standing()[0] === "bad";
  byId("price").classList.toggle("old", Boolean(known?.price) && stale);
  const title = known?.price ? `${known.price} ${known.pair}` : known?.pair ?? "price";
  const shown = known?.price && stale ? `⚠ ${clock.span(Math.floor(old))} old: ${title}` : title;
  if (document.title !== shown) document.title = shown;
  showBasis(known, old);
}

function showBasis(known, old) {
  if (!known?.price) { put(byId("basis"), known ? "no price recorded yet" : ""); return; }
  const sources = known.sources?.length ? ` · ${known.sources.length > 1 ? "median of " : "from "}${known.sources.join(", ")}` : "";
  const series = page.series;
  const first = series?.pair === known.pair && series.t.length && series.t[0] <= series.since + 2 * series.every ? series.o[0] : null;
  const moved = first ? ` · ${view.change(first, known.price)} in ${page.zoom ? "range" : page.range}` : "";
  put(byId("basis"), `${clock.span(Math.floor(old))} old${sources}${moved}`);
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
  showCursor(null);
  if (!series.t.length) { put(byId("caption"), `${series.missed_slots} slots missed, no price in this range`); return; }
  const all = series.priced_slots + series.missed_slots;
  const repaired = series.r.length ? `; ${series.r.length} periods repaired (ringed)` : "";
  put(byId("caption"), `${page.zoom ? "range" : page.range}: first ${view.digits(series.o[0])}, last ${view.digits(series.c.at(-1))}; ${view.digits(String(series.missed_slots))} of ${view.digits(String(all))} slots missed (hatched)${repaired}`);
  showAges();
}

function showCursor(index) {
  const series = page.series;
  const place = byId("cursor");
  const at = index === null || !series || !chart.plot ? -1 : placeOf(series, chart.plot.data[0][index]);
  if (at < 0) { put(place, ""); return; }
  const start = series.t[at], end = start + series.every;
  const [open, high, low, close] = [series.o, series.h, series.l, series.c].map((one) => view.digits(one[at]));
  const what = series.n[at] === 1 ? close : `open ${open}, high ${high}, low ${low}, close ${close}, ${series.n[at]} slots`;
  const repaired = series.r.includes(at) ? ", repaired (by=)" : "";
  const near = series.missed.find(([from, to]) => from < end && to > start);
  put(place, `${clock.moment(start)}: ${what}${repaired}${near ? `; missed: ${view.reason(near[3])}` : ""}`);
}

function showDay() {
  const day = page.day;
  view.ribbon(byId("ribbon"), day, day.since, day.until);
  const missed = day.missed_slots;
  byId("ribbon").setAttribute("aria-label", `The last 24 hours: ${missed} slots missed`);
  put(byId("ribbon-start"), clock.time(day.since, false));
  const lately = [...day.lately].reverse();
  view.keyed(byId("missed"), lately.length ? lately : [null], (one) => (one ? `${one[0]} ${one[3]}` : "none"),
    () => element("li"),
    (node, one) => put(node, one ? `${clock.time(one[0])}, ${one[2] === 1 ? "1 slot" : `${one[2]} slots`} (${clock.span(one[1] - one[0])}): ${view.reason(one[3])}` : "nothing in the last 24 hours"));
}

function showCompleteness() {
  const known = current();
  put(byId("complete"), known && known.recorded !== undefined ? view.complete(known.recorded, known.missed) : "");
}

function showSources() {
  const sources = Object.entries(page.status?.sources ?? {});
  view.keyed(byId("sources"), sources.length ? sources : [["", null]], ([name]) => name, makeSource, changeSource);
}

function makeSource([name]) {
  const node = element("li");
  node.append(element("span", "name", name), element("span", "what"), element("span", "dots"), element("span", "figures"));
  const offset = element("span", "offset");
  offset.append(element("i"));
  offset.setAttribute("aria-hidden", "true");
  const more = element("details");
  more.append(element("summary", "", "requests"), element("span"));
  node.append(offset, more);
  return node;
}

function changeSource(node, [name, known]) {
  const [, what, dots, figures, offset, more] = node.children;
  offset.hidden = more.hidden = known === null;
  if (known === null) { put(what, ""); put(node.firstElementChild, "no recorder runs"); return; }
  const again = known.until ? `, again in ${clock.span(Math.max(0, Math.round(clock.unix(known.until) - clock.now())))}` : "";
  put(what, `${view.mark(known.state)} ${known.state}${again}`);
  what.className = `what ${view.stateClass(known.state)}`;
  put(dots, [...known.reach].map((bit) => (bit === "1" ? "●" : "○")).join(""));
  dots.setAttribute("aria-label", `gave a price in ${[...known.reach].filter((bit) => bit === "1").length} of the last 8 slots`);
  dots.setAttribute("role", "img");
  const bp = known.offset_bp;
  const parts = [bp === null ? null : `${bp >= 0 ? "+" : "−"}${Math.abs(bp).toFixed(2)} bp`, known.age_seconds === null ? null : `${clock.span(known.age_seconds)} old`, `${known.milliseconds} ms`];
  put(figures, parts.filter(Boolean).join(" · "));
  const bar = offset.firstElementChild, share = Math.min(50, Math.abs(bp ?? 0) / 2);
  bar.style.left = `${(bp ?? 0) < 0 ? 50 - share : 50}%`;
  bar.style.width = `${share}%`;
  put(more.lastElementChild, `${known.requests} requests, ${known.failures} failed`);
}

function showAlerts() {
  const alerts = page.status?.alerts;
  const on = alerts?.on ?? [], changes = [...(alerts?.changes ?? [])].reverse();
  byId("alerts-card").hidden = !on.length && !changes.length;
  const items = [...on.map((one) => ({ ...one, firing: true })), ...changes];
  view.keyed(byId("alerts"), items, (one) => `${one.firing ? "on" : one.state} ${one.name} ${one.pair} ${one.since ?? ""} ${one.slot ?? ""}`,
    (one) => element("li", one.firing ? "bad" : ""),
    (node, one) => put(node, one.firing
      ? `▲ ${one.name} ${one.pair}: on since ${clock.moment(clock.unix(one.since))}`
      : `${one.name} ${one.pair} ${one.state ?? ""} ${one.slot ? clock.moment(clock.unix(one.slot)) : ""}`));
}

function showTabs() {
  const shown = pairs().slice(0, MOST_TABS).map((one) => one.pair);
  if (page.pair && !shown.includes(page.pair)) shown.push(page.pair);
  view.keyed(byId("tabs"), shown.length > 1 ? shown : [], (pair) => pair,
    (pair) => { const node = element("button", "", pair); node.type = "button"; node.addEventListener("click", () => choose(pair)); return node; },
    (node, pair) => node.setAttribute("aria-pressed", String(pair === page.pair)));
}

function showPairs() {
  const wanted = byId("filter").value.trim().toUpperCase();
  view.keyed(byId("pairs"), pairs().filter((one) => one.pair.includes(wanted)), (one) => one.pair, makePair, changePair);
}

function makePair({ pair }) {
  const node = element("tr");
  const head = element("th"), button = element("button", "", pair);
  head.scope = "row";
  button.type = "button";
  button.addEventListener("click", () => choose(pair));
  const cell = element("td");
  cell.append(button);
  node.append(cell, element("td", "n"), element("td", "n"), element("td", "n"));
  return node;
}

function changePair(node, known) {
  put(node.children[1], known.price ? view.digits(known.price) : "–");
  const old = view.age(known.slot);
  put(node.children[2], known.slot ? clock.span(Math.floor(old)) : "–");
  node.children[2].classList.toggle("bad", !(old <= OLD_INTERVALS * every()));
  put(node.children[3], known.missed === undefined ? "–" : String(known.missed));
}

// --- rows --------------------------------------------------------------------------------------------------

function closeRows() {
  byId("rows").hidden = true;
  byId("rows-show").setAttribute("aria-expanded", "false");
  put(byId("rows-show"), "Show");
  byId("rows-body").replaceChildren();
}

async function moreRows(after) {
  const question = { pair: page.pair, ...bounds() };
  if (after) question.after = after;
  try {
    const answer = await ask("api/rows", question);
    for (const one of answer.rows) {
      const node = element("tr");
      node.append(element("td", "", clock.moment(clock.unix(one.slot))), element("td", "n", one.price ? view.digits(one.price) : "missed"),
        element("td", one.price ? "" : "bad", `${one.price ? one.sources : view.reason(one.reason)}${one.slots ? ` (${one.slots} slots)` : ""}${one.by ? ` by=${one.by}` : ""}`));
      byId("rows-body").append(node);
    }
    byId("rows-more").hidden = !answer.more;
    byId("rows-more").dataset.after = answer.more ?? "";
  } catch (error) {
    const node = element("tr"), cell = element("td", "bad", error.message);
    cell.colSpan = 3;
    node.append(cell);
    byId("rows-body").append(node);
  }
}

// --- what people press -------------------------------------------------------------------------------------

function showRanges() {
  view.keyed(byId("ranges"), Object.keys(RANGES), (name) => name,
    (name) => {
      const node = element("button", "", name);
      node.type = "button";
      node.addEventListener("click", () => { page.range = name; page.zoom = null; localStorage.setItem("range", name); showRanges(); closeRows(); refresh(); });
      return node;
    },
    (node, name) => node.setAttribute("aria-pressed", String(!page.zoom && name === page.range)));
  view.keyed(byId("forms"), ["line", "candles"], (form) => form,
    (form) => { const node = element("button", "", form); node.type = "button"; node.addEventListener("click", () => { chart.form = form; showRanges(); chart.again(); refresh(); }); return node; },
    (node, form) => node.setAttribute("aria-pressed", String(form === chart.form)));
}

function setZone(local) {
  clock.setLocal(local);
  localStorage.setItem("zone", local ? "local" : "utc");
  put(byId("zone"), clock.zone());
  byId("zone").setAttribute("aria-pressed", String(local));
  chart.again();
  if (page.day) showDay();
  showAll();
}

function setTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  localStorage.setItem("theme", theme);
  put(byId("theme"), `Theme: ${theme}`);
  chart.again();
  if (page.day) showDay();
}

byId("zone").addEventListener("click", () => setZone(!clock.isLocal()));
byId("theme").addEventListener("click", () => {
  const order = ["auto", "dark", "light"];
  setTheme(order[(order.indexOf(localStorage.getItem("theme") ?? "auto") + 1) % order.length]);
});
byId("filter").addEventListener("input", showPairs);
byId("rows-show").addEventListener("click", () => {
  if (!byId("rows").hidden) { closeRows(); return; }
  byId("rows").hidden = false;
  byId("rows-show").setAttribute("aria-expanded", "true");
  put(byId("rows-show"), "Hide");
  moreRows("");
});
byId("rows-more").addEventListener("click", () => moreRows(byId("rows-more").dataset.after));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => chart.again());
addEventListener("hashchange", () => { const pair = decodeURIComponent(location.hash.slice(1)); if (pair !== page.pair && pairs().some((one) => one.pair === pair)) choose(pair); });

setTheme(["dark", "light"].includes(localStorage.getItem("theme")) ? localStorage.getItem("theme") : "auto");
setZone(localStorage.getItem("zone") === "local");
showRanges();
poll(onStatus, onFault, every);
setInterval(() => { if (!document.hidden && clock.isKnown()) { showState(); if (page.status) showPairs(); } }, 1000);
