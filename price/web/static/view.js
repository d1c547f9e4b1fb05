// What is written into the page. Text goes in as text, never as HTML: rows and reasons may hold anything.

import * as clock from "./clock.js";

export const byId = (id) => document.getElementById(id);

// Sets a text only where it changes: nothing is laid out again for nothing. A blank line keeps its height.
export function put(node, text, blank = "\u00a0") {
  const wanted = text === "" ? blank : text;
  if (node.textContent !== wanted) node.textContent = wanted;
}

export function element(name, className, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

export function setClass(node, name) { if (node.className !== name) node.className = name; }

export function label(node, text) { if (node.getAttribute("aria-label") !== text) node.setAttribute("aria-label", text); }

export function press(node, isPressed) {
  const wanted = String(isPressed);
  if (node.getAttribute("aria-pressed") !== wanted) node.setAttribute("aria-pressed", wanted);
}

export function button(text, pressed) {
  const node = element("button", "", text);
  node.type = "button";
  node.addEventListener("click", pressed);
  return node;
}

// What somebody chose before, where that is one of these; a browser may refuse to keep anything.
export function stored(name, choices, usual) {
  try {
    const kept = localStorage.getItem(name);
    return choices.includes(kept) ? kept : usual;
  } catch { return usual; }
}

export function store(name, value) {
  try { localStorage.setItem(name, value); } catch { /* the page works without */ }
}

// Brings a list of children up to date by key: each child is made once and then only changed.
export function keyed(parent, items, keyOf, make, change) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let at = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let child = known.get(key);
    if (child) known.delete(key);
    else { child = make(item); child.dataset.key = key; }
    if (child === at) at = at.nextElementSibling;
    else parent.insertBefore(child, at);
    change(child, item);
  }
  for (const child of known.values()) child.remove();
}

const isPlain = (price) => /^\d{1,60}(\.\d{1,60})?$/.test(price);

// Narrow spaces between thousands; every digit stays.
export function digits(price) {
  if (!isPlain(price)) return String(price);
  const [whole, fraction] = price.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, "\u202f");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

// Exact, whatever the number of digits: how far the last price is from the first, in percent.
export function change(first, last) {
  if (!isPlain(first) || !isPlain(last) || !/[1-9]/.test(first)) return "";
  const places = Math.max(...[first, last].map((one) => (one.split(".")[1] ?? "").length));
  const scaled = (one) => { const [whole, fraction = ""] = one.split("."); return BigInt(whole + fraction.padEnd(places, "0")); };
  const from = scaled(first), hundredths = ((scaled(last) - from) * 1000000n) / from;
  const value = Number(hundredths) / 10000;
  const mark = value > 0 ? "▲ +" : value < 0 ? "▼ −" : "";
  return `${mark}${Math.abs(value).toFixed(2)} %`;
}

const WORDS = {
  down: "the recorder did not run",
  late: "the recorder was late: suspended, stopped or overloaded",
  disagree: "the sources did not agree",
  quorum: "too few sources",
  unconfirmed: "a jump that nobody confirmed",
  unrecorded: "no row at all",
};
const WHYS = {
  timeout: "timed out", unreachable: "could not be reached", "rate-limited": "asked for fewer requests",
  refused: "refused", unavailable: "was unavailable", unreadable: "gave an answer that could not be read",
  stale: "gave an old price", backward: "went back in time", outlier: "was an outlier", busy: "was still busy",
  resting: "was resting",
};

export function reason(text) {
  return text.split(",").map((one) => {
    const [source, why] = one.split(":");
    return why === undefined ? WORDS[one] ?? one : `${source} ${WHYS[why] ?? why}`;
  }).join("; ");
}

const MARKS = { selected: "●", outlier: "▲", resting: "‖", retired: "✕", unused: "○" };

export function mark(state) { return MARKS[state] ?? "■"; }

export function stateClass(state) {
  if (state === "selected" || state === "unused") return "";
  return state === "outlier" || state === "resting" ? "warn" : "bad";
}

// How complete a day is: never rounded up to 100 %.
export function complete(recorded, missed) {
  const total = recorded + missed;
  if (!total) return "no slots yet today";
  const percent = Math.floor((recorded / total) * 10000) / 100;
  return `${percent} % complete: ${count(recorded)} of ${count(total)} slots, ${count(missed)} missed`;
}

const count = (number) => digits(String(number));

export function caption(series, range) {
  const all = series.priced_slots + series.missed_slots;
  const missed = `${count(series.missed_slots)} of ${count(all)} slots missed${series.missed_slots ? " (hatched; short ones are marked below)" : ""}`;
  if (!series.t.length) return `${range}: no price; ${missed}`;
  const repaired = series.r.length ? `; repaired in ${count(series.r.length)} periods (ringed)` : "";
  const [low, high] = [extreme(series.l, -1), extreme(series.h, 1)];
  return `${range}: first ${digits(series.o[0])}, high ${digits(high)}, low ${digits(low)}, last ${digits(series.c.at(-1))}; ${missed}${repaired}`;
}

// The lowest or highest of prices, exact where they have as many digits as a float cannot tell apart.
function extreme(prices, sign) {
  return prices.reduce((best, price) => (sign * compare(price, best) > 0 ? price : best));
}

export function compare(one, other) {
  const [a, b] = [one, other].map((price) => price.split("."));
  if (a[0].length !== b[0].length) return a[0].length - b[0].length;
  if (a[0] !== b[0]) return a[0] < b[0] ? -1 : 1;
  const [x, y] = [a[1] ?? "", b[1] ?? ""];
  return x === y ? 0 : x < y ? -1 : 1;
}

// What stands under the cursor, digit by digit.
export function period(series, at) {
  const start = series.t[at], end = start + series.every;
  const [open, high, low, close] = [series.o, series.h, series.l, series.c].map((one) => digits(one[at]));
  const what = series.n[at] === 1 ? close : `open ${open}, high ${high}, low ${low}, close ${close}, ${series.n[at]} slots`;
  const by = series.r.find(([place]) => place === at)?.[1];
  const near = series.missed.find(([from, to]) => from < end && to > start);
  const gone = series.gone.find(([from]) => from === start)?.[1];
  const missed = near ? `; missed: ${reason(near[3])}` : gone ? `; ${clock.span(gone)} missed` : "";
  return `${clock.moment(start)}: ${what}${by ? `, repaired by=${by}` : ""}${missed}`;
}

export function missed(place, stretches) {
  keyed(
    place, stretches.length ? stretches : [null], (one) => (one ? `${one[0]} ${one[3]}` : "none"),
    () => { const node = element("li"); node.append(element("strong"), element("span", "quiet")); return node; },
    (node, one) => {
      const slots = one && (one[2] === 1 ? "1 slot" : `${count(one[2])} slots`);
      put(node.firstElementChild, one ? clock.time(one[0]) : "Nothing");
      put(node.lastElementChild, one ? ` ${slots} (${clock.span(one[1] - one[0])}): ${reason(one[3])}` : " in the last 24 hours");
    },
  );
}

// A day of 24 hours as bars as high as the share that was missed; what is well is quiet.
export function ribbon(place, day) {
  const canvas = place.querySelector("canvas") ?? place.appendChild(document.createElement("canvas"));
  const width = Math.round(place.clientWidth * devicePixelRatio), height = Math.round(place.clientHeight * devicePixelRatio);
  if (!width || !height) return;
  canvas.width = width;
  canvas.height = height;
  const style = getComputedStyle(document.documentElement), context = canvas.getContext("2d");
  context.fillStyle = style.getPropertyValue("--rule");
  context.fillRect(0, height - 2 * devicePixelRatio, width, 2 * devicePixelRatio);
  context.fillStyle = style.getPropertyValue("--bad");
  shares(day, width).forEach((share, at) => {
    if (share > 0) context.fillRect(at, height * (1 - Math.min(1, Math.max(share, LEAST_SHARE))), Math.max(1, devicePixelRatio), height);
  });
}

const LEAST_SHARE = 0.15;

function shares(day, width) {
  const column = (day.until - day.since) / width;
  const found = new Float64Array(width);
  for (const [start, seconds] of day.gone) {
    const from = (start - day.since) / column, each = seconds / Math.max(column, day.every);
    for (let at = Math.max(0, Math.floor(from)); at < Math.min(width, from + day.every / column); at += 1) found[at] += each;
  }
  return found;
}

export const age = (slot) => (slot ? clock.now() - clock.unix(slot) : NaN);
