// Asking the server: with a time-out, one question of a kind at a time, and in step with the recorder's slots.

import { setNow } from "./clock.js";

const TIMEOUT_MS = 8000;
const AFTER_STATUS_MS = 60;        // the next status is due this long after it was written
const HIDDEN_MS = 60000;
const RETRIES_MS = [1000, 2000, 4000];

export class Fault extends Error {
  constructor(text, status) { super(text); this.status = status; }
}

export async function ask(path, parameters, signal) {
  const query = new URLSearchParams(parameters ?? {}).toString();
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  const began = performance.now();
  const answer = await fetch(query ? `${path}?${query}` : path, {
    signal: signal ? AbortSignal.any([signal, limit]) : limit,
    cache: "no-store",
    credentials: "same-origin",
  });
  const value = await answer.json().catch(() => null);
  if (value && typeof value.now === "number") setNow(value.now, performance.now() - began);
  if (!answer.ok || value === null) throw new Fault(value?.fault ?? `HTTP ${answer.status}`, answer.status);
  return value;
}

// Polls api/now once a slot. `onStatus(answer)` and `onFault(error)` are told; `interval()` is in seconds.
export function poll(onStatus, onFault, interval) {
  let timer = 0;
  let failures = 0;
  let busy = false;
  let again = false;

  function plan(milliseconds) {
    clearTimeout(timer);
    timer = setTimeout(once, document.hidden ? Math.max(milliseconds, HIDDEN_MS) : milliseconds);
  }

  async function once() {
    clearTimeout(timer);
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await ask("api/now");
      failures = 0;
      onStatus(answer);
      plan(until(answer, interval()));
    } catch (error) {
      onFault(error);
      plan(RETRIES_MS[failures++] ?? 1000 * interval());
    } finally {
      busy = false;
      if (again) { again = false; once(); }
    }
  }

  const soon = () => { if (!document.hidden) once(); };
  document.addEventListener("visibilitychange", soon);
  addEventListener("online", soon);
  addEventListener("pageshow", (event) => { if (event.persisted) soon(); });
  once();
  return once;
}

// The recorder writes its status some milliseconds after each slot: ask a little after it is due again.
function until(answer, every) {
  const slot = answer.status?.slot ? Date.parse(answer.status.slot) / 1000 : null;
  if (slot === null || answer.written === null) return 1000 * every;
  const late = Math.min(Math.max(answer.written - slot, 0), every / 2);
  let due = slot + every + late;
  while (due <= answer.now) due += every;
  return 1000 * (due - answer.now) + AFTER_STATUS_MS;
}
