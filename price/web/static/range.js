// A range of a pair, kept up to date at little cost: its whole bars are asked for once a bar, and what follows
// them once a slot. Everything comes from the log, so that what a page slept through is never taken for missed.

import { ask } from "./feed.js";

const LEAST_AGE_SECONDS = 30;   // of the whole bars, before they are asked for again
const MOST_WAIT_SECONDS = 60;   // with bars of hours, what follows is asked for once a minute

export class Range {
  // `since` and `until` in Unix seconds; `length` in seconds for a range that ends now, null for all there is.
  // `interval` are the seconds from slot to slot: no bar is shorter.
  constructor(pair, { since = 0, until = null, length = null }, points, interval) {
    Object.assign(this, { pair, since, until, length, points, interval, base: null, tail: null });
  }

  // Whether what follows the whole bars is old enough to be asked for again.
  isDue(now) {
    if (this.base === null || this.tail === null) return true;
    if (this.until !== null) return false;
    return now - this.tail.until >= Math.min(MOST_WAIT_SECONDS, this.base.every / 20);
  }

  // The answer for the range as the log is now. `told(percent)` is called while a long one is being read.
  async read(now, signal, told) {
    const until = this.until ?? now;
    if (this.base === null || until - this.base.until >= Math.max(this.base.every, LEAST_AGE_SECONDS)) {
      await this.readBase(until, signal, told);
    }
    await this.readTail(until, signal);
    if (this.tail.repairs !== this.base.repairs) {
      await this.readBase(until, signal, told);
      await this.readTail(until, signal);
    }
    return joined(this.base, this.tail);
  }

  async readBase(until, signal, told) {
    const since = this.length === null ? this.since : Math.max(0, until - this.length);
    const question = { pair: this.pair, since, until, points: this.points, interval: this.interval, whole: 1 };
    let answer = await ask("api/series", question, signal);
    while (answer.percent !== undefined) {
      told(answer.percent);
      answer = await ask("api/series", question, signal);
    }
    this.base = answer;
  }

  async readTail(until, signal) {
    const question = { pair: this.pair, since: this.base.until, until, every: this.base.every };
    this.tail = await ask("api/series", question, signal);
  }
}

// Two answers, one after the other, as one.
function joined(base, tail) {
  const whole = { ...base, until: tail.until };
  for (const name of ["t", "o", "h", "l", "c", "n", "gone"]) whole[name] = base[name].concat(tail[name]);
  whole.r = base.r.concat(tail.r.map((at) => at + base.t.length));
  whole.missed = stretches(base.missed, tail.missed);
  whole.lately = stretches(base.lately, tail.lately).slice(-10);
  whole.missed_slots += tail.missed_slots;
  whole.priced_slots += tail.priced_slots;
  whole.sources = [...new Set([...base.sources, ...tail.sources])];
  return whole;
}

// Neighbours with one reason are one stretch.
function stretches(before, after) {
  const last = before.at(-1), first = after[0];
  if (!last || !first || last[1] !== first[0] || last[3] !== first[3]) return before.concat(after);
  return [...before.slice(0, -1), [last[0], first[1], last[2] + first[2], last[3]], ...after.slice(1)];
}
