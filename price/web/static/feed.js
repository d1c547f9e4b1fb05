// Asking the server: with a time-out, one question of a kind at a time, and in step with the recorder's slots.

import { setNow } from "./clock.js";

const TIMEOUT_MS = 8000;
const AFTER_STATUS_MS = 60;        // the next status is due this long after it was written
const HIDDEN_MS = 60000;
const RETRIES_MS = [1000, 2000, 4000];
const MOST_TRIES = 20;

export class Fault extends Error {
  constructor(text, status) { super(text); this.status = status; }
}

const wait = (milliseconds) => new Promise((done) => { setTimeout(done, milliseconds); });

// The value of an answer. Where others are being served (`again`: seconds), it asks again. Throws Fault.
export async function ask(path, parameters, signal) {
  const query = new URLSearchParams(parameters ?? {}).toString();
  for (let tries = 1; ; tries += 1) {
    const began = performance.now();
    const answer = await fetch(query ? `${path}?${query}` : path, {
      signal: withLimit(signal),
      cache: "no-store",
      credentials: "same-origin",
    });
    const value = await answer.json().catch(() => null);
    if (value && typeof value.now === "number") setNow(value.now, performance.now() - began);
    if (answer.ok && value !== null) return value;
    if (!value?.again || tries >= MOST_TRIES) throw new Fault(value?.fault ?? `HTTP ${answer.status}`, answer.status);
    await wait(1000 * value.again);
  }
}

function withLimit(signal) {
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  return signal ? AbortSignal.any([signal, limit]) : limit;
}

// Polls api/now once a slot. `onStatus(answer)` and `onFault(error)` are called; `interval()` is in seconds.
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
      plan(untilDue(answer, answer.status?.interval || interval()));
      onStatus(answer);
    } catch (error) {
      plan(RETRIES_MS[failures] ?? 1000 * interval());
      failures += 1;
      onFault(error);
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
function untilDue(answer, every) {
  const slot = answer.status?.slot ? Date.parse(answer.status.slot) / 1000 : null;
  if (slot === null || answer.written === null) return 1000 * every;
  const late = Math.min(Math.max(answer.written - slot, 0), every / 2);
  let due = slot + every + late;
  if (due <= answer.now) due += Math.ceil((answer.now - due) / every + 1e-6) * every;
  return 1000 * (due - answer.now) + AFTER_STATUS_MS;
}
