// The server's time, and times as text. The browser's wall clock is never believed: it may be wrong by hours.

const JUMP_MS = 2000;

let offset = 0;     // what to add to performance.now() to get the server's time, in milliseconds
let slept = 0;      // what performance.now() missed while the machine was asleep, in milliseconds
let drift = Date.now() - performance.now();
let known = false;
let local = false;

export function setNow(unixSeconds, roundTripMs) {
  offset = unixSeconds * 1000 + roundTripMs / 2 - performance.now() - slept;
  known = true;
}

// Whether the machine was asleep since the last look: its wall clock went on, and performance.now() did not.
export function wokeUp() {
  const moved = Date.now() - performance.now() - drift;
  drift += moved;
  if (moved > JUMP_MS) slept += moved;
  return moved > JUMP_MS;
}

export const isKnown = () => known;
export const elapsed = () => (performance.now() + slept) / 1000;
export const now = () => (performance.now() + slept + offset) / 1000;
export const setLocal = (value) => { local = value; };
export const isLocal = () => local;
export const zone = () => (local ? Intl.DateTimeFormat().resolvedOptions().timeZone : "UTC");

export const unix = (slot) => Date.parse(slot) / 1000;

const two = (number) => String(number).padStart(2, "0");

function parts(unixSeconds) {
  const date = new Date(unixSeconds * 1000);
  return local
    ? [date.getFullYear(), date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes(), date.getSeconds()]
    : [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()];
}

export function day(unixSeconds) {
  const [year, month, date] = parts(unixSeconds);
  return `${year}-${two(month)}-${two(date)}`;
}

export function time(unixSeconds, seconds = true) {
  const [, , , hour, minute, second] = parts(unixSeconds);
  return `${two(hour)}:${two(minute)}${seconds ? `:${two(second)}` : ""}`;
}

// A night in which clocks go back has an hour twice: the offset tells which one is meant.
export function moment(unixSeconds) {
  const text = `${day(unixSeconds)} ${time(unixSeconds)}`;
  if (!local) return text;
  const minutes = -new Date(unixSeconds * 1000).getTimezoneOffset();
  const sign = minutes < 0 ? "-" : "+";
  return `${text} ${sign}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
}

export function span(seconds) {
  if (!(seconds > 0)) return "0 s";
  for (const [size, unit] of [[86400, "days"], [3600, "h"], [60, "min"]]) {
    if (seconds >= 2 * size) return `${(seconds / size).toFixed(1).replace(/\.0$/, "")} ${unit}`;
  }
  return `${seconds.toFixed(1).replace(/\.0$/, "")} s`;
}
