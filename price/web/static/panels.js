// The panels at the side: sources, alerts, pairs. Each child is made once and then only changed.

import * as clock from "./clock.js";
import * as view from "./view.js";

const { byId, put, element } = view;

export function showSources(known) {
  const sources = Object.entries(known ?? {});
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
  node.children[2].setAttribute("role", "img");
  return node;
}

function changeSource(node, [, known]) {
  const [name, what, dots, figures, offset, more] = node.children;
  dots.hidden = offset.hidden = more.hidden = known === null;
  if (known === null) { put(name, "No recorder runs."); return; }
  const again = known.until ? `, again in ${clock.span(Math.max(0, Math.round(clock.unix(known.until) - clock.now())))}` : "";
  put(what, `${view.mark(known.state)} ${known.state}${again}`);
  what.className = `what ${view.stateClass(known.state)}`;
  const reach = String(known.reach);
  put(dots, [...reach].map((bit) => (bit === "1" ? "●" : "○")).join(""));
  view.label(dots, `usable in ${reach.replaceAll("0", "").length} of the last ${reach.length} slots`);
  const bp = known.offset_bp;
  const parts = [
    bp === null ? null : `${bp < 0 ? "−" : "+"}${Math.abs(bp).toFixed(2)} bp`,
    known.age_seconds === null ? null : `${clock.span(known.age_seconds)} old`,
    `${known.milliseconds} ms`,
  ];
  put(figures, parts.filter(Boolean).map((part) => part.replaceAll(" ", "\u00a0")).join(" · "));
  showOffset(offset.firstElementChild, bp ?? 0);
  put(more.lastElementChild, `${known.requests} requests, ${known.failures} failed`);
}

// A bar to the left or right of the median: half its width are 100 basis points.
function showOffset(bar, bp) {
  const share = Math.min(50, Math.abs(bp) / 2);
  bar.style.left = `${bp < 0 ? 50 - share : 50}%`;
  bar.style.width = `${share}%`;
}

export function showAlerts(alerts) {
  const on = alerts?.on ?? [], changes = [...(alerts?.changes ?? [])].reverse();
  byId("alerts-card").hidden = !on.length && !changes.length;
  const items = [...on.map((one) => ({ ...one, firing: true })), ...changes];
  view.keyed(byId("alerts"), items, (one) => (one.firing ? `${one.name} ${one.pair} ${one.since}` : `${one.number}`), makeAlert, changeAlert);
}

function makeAlert(one) {
  const node = element("li");
  const head = one.firing ? `▲ ${one.name} ${one.pair ?? ""}` : `${one.alert} ${one.pair ?? ""} ${one.alert_state}`;
  node.append(element("strong", one.firing ? "bad" : "", head), element("span", "quiet"));
  return node;
}

function changeAlert(node, one) {
  const what = node.lastElementChild;
  if (one.firing) { put(what, ` since ${clock.moment(clock.unix(one.since))}, ${clock.span(Math.floor(clock.now() - clock.unix(one.since)))}`); return; }
  const lasted = one.since && one.slot ? `, after ${clock.span(clock.unix(one.slot) - clock.unix(one.since))}` : "";
  const value = one.value ? `, at ${view.digits(one.value)}` : "";
  put(what, ` ${one.limit ?? ""}${value}${one.slot ? `, ${clock.moment(clock.unix(one.slot))}` : ""}${lasted}`);
}

// `chosen(pair)` is called for a pair that somebody presses.
export function showPairs(pairs, oldSeconds, chosen) {
  const wanted = byId("filter").value.trim().toUpperCase();
  view.keyed(
    byId("pairs"), pairs.filter((one) => one.pair.includes(wanted)), (one) => one.pair,
    (one) => makePair(one, chosen), (node, one) => changePair(node, one, oldSeconds),
  );
}

function makePair({ pair }, chosen) {
  const node = element("tr"), head = element("th"), button = element("button", "", pair);
  head.scope = "row";
  button.type = "button";
  button.addEventListener("click", () => chosen(pair));
  head.append(button);
  node.append(head, element("td", "n"), element("td", "n"), element("td", "n"));
  return node;
}

function changePair(node, known, oldSeconds) {
  put(node.children[1], known.price ? view.digits(known.price) : "–");
  const age = view.age(known.slot), isOld = !(age <= oldSeconds);
  put(node.children[2], known.slot ? `${isOld ? "⚠ " : ""}${clock.span(Math.floor(age))}` : "–");
  node.children[2].classList.toggle("bad", isOld);
  put(node.children[3], known.missed === undefined ? "–" : String(known.missed));
}

export function showTabs(shown, current, chosen) {
  view.keyed(
    byId("tabs"), shown.length > 1 ? shown : [], (pair) => pair,
    (pair) => view.button(pair, () => chosen(pair)),
    (node, pair) => view.press(node, pair === current),
  );
}
