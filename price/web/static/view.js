// What is written into the page. Text goes in as text, never as HTML: rows and reasons may hold anything.

import * as clock from "./clock.js";

export const byId = (id) => document.getElementById(id);

// Sets a text only where it changes: nothing is laid out again for nothing.
export function put(node, text) {
  const wanted = text === "" ? "\u00a0" : text;
  if (node.textContent !== wanted) node.textContent = wanted;
}

export function element(name, className, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
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

// Thin spaces between thousands; every digit stays.
export function digits(price) {
  const [whole, fraction] = price.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, "\u2009");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

// Exact, whatever the number of digits: how far the last price is from the first, in percent.
export function change(first, last) {
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
  const count = (number) => digits(String(number));
  return `${percent} % complete: ${count(recorded)} of ${count(total)} slots, ${count(missed)} missed`;
}

// A day of 24 hours as bars as high as the share that was missed; well is quiet.
export function ribbon(place, answer, since, until) {
  const canvas = place.querySelector("canvas") ?? place.appendChild(document.createElement("canvas"));
  const width = place.clientWidth * devicePixelRatio, height = place.clientHeight * devicePixelRatio;
  if (!width) return;
  canvas.width = width;
  canvas.height = height;
  const style = getComputedStyle(document.documentElement);
  const context = canvas.getContext("2d");
  context.fillStyle = style.getPropertyValue("--rule");
  context.fillRect(0, height - 2 * devicePixelRatio, width, 2 * devicePixelRatio);
  context.fillStyle = style.getPropertyValue("--bad");
  const column = (until - since) / width;
  const shares = new Float64Array(Math.ceil(width));
  for (const [start, end] of answer.missed) {
    const first = Math.max(0, Math.floor((start - since) / column)), last = Math.min(shares.length - 1, Math.floor((end - since) / column));
    for (let at = first; at <= last; at += 1) {
      const from = Math.max(start, since + at * column), to = Math.min(end, since + (at + 1) * column);
      shares[at] += Math.max(0, to - from) / column;
    }
  }
  shares.forEach((share, at) => {
    if (share > 0) context.fillRect(at, height * (1 - Math.min(1, Math.max(share, 0.15))), Math.max(1, devicePixelRatio), height);
  });
}

export const age = (slot) => (slot ? clock.now() - clock.unix(slot) : NaN);
