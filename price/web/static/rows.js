// The rows of the range as a table: the chart's text alternative. `bounds()` gives pair, since and until.

import * as clock from "./clock.js";
import { ask } from "./feed.js";
import * as view from "./view.js";

const { byId, put, element } = view;

export class Rows {
  constructor(bounds) {
    this.bounds = bounds;
    byId("rows-show").addEventListener("click", () => (byId("rows").hidden ? this.open() : this.close()));
    byId("rows-more").addEventListener("click", () => this.more(byId("rows-more").dataset.after));
  }

  open() {
    this.show(true);
    this.more("");
  }

  close() {
    this.show(false);
    byId("rows-body").replaceChildren();
  }

  show(open) {
    byId("rows").hidden = !open;
    byId("rows-show").setAttribute("aria-expanded", String(open));
    put(byId("rows-show"), open ? "Hide" : "Show");
  }

  async more(after) {
    const question = this.bounds();
    if (after) question.after = after;
    try {
      const answer = await ask("api/rows", question);
      byId("rows-body").append(...answer.rows.map(line));
      if (!answer.rows.length && !answer.more) byId("rows-body").append(note("no more rows", ""));
      byId("rows-more").hidden = !answer.more;
      byId("rows-more").dataset.after = answer.more ?? "";
    } catch (error) {
      byId("rows-body").append(note(error.message, "bad"));
    }
  }
}

function line(one) {
  const node = element("tr");
  const slots = one.slots ? ` (${one.slots} slots)` : "", by = one.by ? ` by=${one.by}` : "";
  node.append(
    element("td", "", clock.moment(clock.unix(one.slot))),
    element("td", "n", one.price ? view.digits(one.price) : "missed"),
    element("td", one.price ? "" : "bad", `${one.price ? one.sources : view.reason(one.reason)}${slots}${by}`),
  );
  return node;
}

function note(text, className) {
  const node = element("tr"), cell = element("td", className, text);
  cell.colSpan = 3;
  node.append(cell);
  return node;
}
